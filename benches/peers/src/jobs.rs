//! The kinds of job, with their input, and the proof that a peer did the job.
//!
//! Jobs live as long as the program, so that a peer's connection can borrow from them.

use crate::frames::{self, FIN, Frame, Kind, PONG, RSV1, Role};
use crate::json;
use crate::tally::{Sink, Tally};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use sha1::{Digest, Sha1};
use std::cell::{Cell, RefCell};
use std::error::Error;

pub type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// A pass over a job: all of its messages, or a handshake. The connection lasts from pass to pass.
pub type Work = Box<dyn FnMut(&mut Tally) -> Result>;

/// Messages to receive, as bytes on the wire.
pub struct Receive {
    pub role: Role,
    pub kind: Kind,
    pub stream: Vec<u8>,
    /// The number of bytes that a read returns.
    pub read: usize,
    /// Whether every message lies in one read.
    pub whole: bool,
    /// Whether messages have several frames.
    pub fragments: bool,
    /// For Pongs and other replies.
    pub sink: Sink,
    pub expected: Tally,
    pub pings: usize,
    /// The length of the longest message.
    pub longest: usize,
    /// Whether compressed messages refer to earlier ones.
    pub takeover: bool,
    buffer: RefCell<Vec<u8>>,
}

impl Receive {
    pub fn new(role: Role, kind: Kind, stream: Vec<u8>, read: usize, expected: Tally) -> Self {
        Self {
            role,
            kind,
            stream,
            read,
            whole: false,
            fragments: false,
            sink: Sink::default(),
            expected,
            pings: 0,
            longest: 0,
            takeover: true,
            buffer: RefCell::default(),
        }
    }

    /// For peers with a read buffer of their own, its size: at least one read.
    pub fn buffer_size(&self) -> usize {
        self.read.min(self.stream.len()).max(4 << 10)
    }

    /// Copies read by read into a buffer, as a socket would, and calls `receive` with each.
    #[inline]
    pub fn each_read(&self, mut receive: impl FnMut(&mut [u8]) -> Result) -> Result {
        let mut buffer = self.buffer.borrow_mut();
        buffer.resize(self.read.min(self.stream.len()), 0);
        for bytes in self.stream.chunks(self.read) {
            let input = &mut buffer[..bytes.len()];
            input.copy_from_slice(bytes);
            receive(input)?;
        }
        Ok(())
    }

    /// Reads as `readv` does, until nothing is left: first into `place`, then into the rest of
    /// `buffer`. Returns how much of each was filled.
    #[inline]
    pub fn scatter(&self, rest: &mut &[u8], place: &mut [u8], buffer: &mut [u8]) -> (usize, usize) {
        let len = self.read.min(rest.len());
        let (bytes, later) = rest.split_at(len.min(place.len() + buffer.len()));
        *rest = later;
        let (front, back) = bytes.split_at(bytes.len().min(place.len()));
        place[..front.len()].copy_from_slice(front);
        buffer[..back.len()].copy_from_slice(back);
        (front.len(), back.len())
    }

    /// Fails unless `work` receives all messages, on each of the connections, and answers Pings.
    pub fn verify(&self, connections: usize, work: &mut Work) -> Result {
        let expected = self.expected.times(connections);
        for _ in 0..2 {
            let mut tally = Tally::verifying();
            let (result, sent) = self.sink.record(|| work(&mut tally));
            result?;
            if tally != expected {
                return Err(format!("received {tally:?}, not {expected:?}").into());
            }
            let pongs = frames::read(&sent, self.role)?;
            // A newer Pong may replace an older one (RFC 6455 §5.5.3).
            let answers = if self.pings > 0 {
                1..=self.pings
            } else {
                0..=0
            };
            let pong = |frame: &Frame| {
                frame.first == FIN | PONG && frame.payload == frames::PAYLOAD_OF_PING
            };
            if !answers.contains(&pongs.len()) || !pongs.iter().all(pong) {
                return Err(format!("{} answers to {} Pings", pongs.len(), self.pings).into());
            }
        }
        Ok(())
    }
}

/// Messages to send, each in one frame that is written before the next.
pub struct Send<T: ?Sized + 'static> {
    pub role: Role,
    pub messages: Vec<&'static T>,
    /// Whether the header and the payload must be written in one slice.
    pub in_one_slice: bool,
    /// Whether a peer remembers messages that it has compressed.
    pub takeover: bool,
    pub sink: Sink,
}

impl<T: ?Sized> Send<T> {
    pub fn new(role: Role, messages: Vec<&'static T>) -> Self {
        Self {
            role,
            messages,
            in_one_slice: false,
            takeover: true,
            sink: Sink::default(),
        }
    }
}

impl Send<[u8]> {
    /// Fails unless `work` sends all messages.
    pub fn verify(&self, work: &mut Work) -> Result {
        for _ in 0..2 {
            let (result, sent) = self.sink.record(|| work(&mut Tally::default()));
            result?;
            let frames = frames::read(&sent, self.role)?;
            let sent = frames.iter().map(|frame| frame.payload.as_slice());
            if !sent.eq(self.messages.iter().copied())
                || frames
                    .iter()
                    .any(|frame| frame.first != FIN | Kind::Binary as u8)
            {
                return Err("not the messages".into());
            }
        }
        Ok(())
    }
}

impl Send<str> {
    /// Fails unless `work` sends all messages, compressed.
    pub fn verify(&self, work: &mut Work) -> Result {
        let mut inflater = json::Inflater::new(self.takeover);
        for _ in 0..2 {
            let (result, sent) = self.sink.record(|| work(&mut Tally::default()));
            result?;
            let frames = frames::read(&sent, self.role)?;
            if frames.len() != self.messages.len() {
                return Err(format!("{} frames", frames.len()).into());
            }
            for (frame, message) in frames.iter().zip(&self.messages) {
                let first = FIN | RSV1 | Kind::Text as u8;
                if frame.first != first || inflater.inflate(&frame.payload) != message.as_bytes() {
                    return Err("not the messages".into());
                }
            }
        }
        Ok(())
    }
}

/// A request as a browser sends it.
pub const REQUEST: &[u8] = b"GET /chat?room=lobby HTTP/1.1\r\n\
    Host: example.com\r\n\
    Connection: Upgrade\r\n\
    Pragma: no-cache\r\n\
    Cache-Control: no-cache\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36\r\n\
    Upgrade: websocket\r\n\
    Origin: https://example.com\r\n\
    Sec-WebSocket-Version: 13\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-GB,en-US;q=0.9,en;q=0.8\r\n\
    Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=1\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
    \r\n";

/// The server's opening handshake.
pub struct Accept {
    pub request: Vec<u8>,
    pub sink: Sink,
    buffer: RefCell<Vec<u8>>,
}

impl Accept {
    pub fn new(request: &[u8]) -> Self {
        Self {
            request: request.to_vec(),
            sink: Sink::default(),
            buffer: RefCell::default(),
        }
    }

    /// Copies the request into a buffer, as a socket would.
    #[inline]
    pub fn read_request(&self, receive: impl FnOnce(&mut [u8]) -> Result) -> Result {
        let mut buffer = self.buffer.borrow_mut();
        buffer.clear();
        buffer.extend_from_slice(&self.request);
        receive(&mut buffer)
    }

    pub fn verify(&self, work: &mut Work) -> Result {
        let (result, answer) = self.sink.record(|| work(&mut Tally::default()));
        result?;
        let accept = field(&answer, "sec-websocket-accept").ok_or("no accept")?;
        if !answer.starts_with(b"HTTP/1.1 101 ")
            || !answer.ends_with(b"\r\n\r\n")
            || accept != accept_key(field(&self.request, "sec-websocket-key").unwrap_or_default())
        {
            return Err(format!("not an answer: {}", String::from_utf8_lossy(&answer)).into());
        }
        Ok(())
    }
}

/// The client's opening handshake with a server of the harness, whose work is the floor.
pub struct Connect {
    pub sink: Sink,
    /// Whether the server answers with a wrong `Sec-WebSocket-Accept`.
    is_wrong: Cell<bool>,
    request: RefCell<Vec<u8>>,
    answer: RefCell<Vec<u8>>,
}

impl Connect {
    pub const URI: &str = "ws://example.com/chat?room=lobby";
    pub const HOST: &str = "example.com";
    pub const PATH: &str = "/chat?room=lobby";
    const ANSWER: &str = "HTTP/1.1 101 Switching Protocols\r\n\
        Server: example\r\n\
        Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
        Connection: Upgrade\r\n\
        Upgrade: websocket\r\n\
        Sec-WebSocket-Accept: ";

    pub fn new() -> Self {
        Self {
            sink: Sink::default(),
            is_wrong: Cell::new(false),
            request: RefCell::default(),
            answer: RefCell::default(),
        }
    }

    /// Begins with the next client.
    pub fn begin(&self) {
        self.request.borrow_mut().clear();
    }

    /// Sends bytes of the request.
    pub fn write(&self, bytes: &[u8]) {
        self.sink.write(bytes);
        self.request.borrow_mut().extend_from_slice(bytes);
    }

    /// Answers the request.
    pub fn answer(&self) {
        let request = self.request.borrow();
        let mut answer = self.answer.borrow_mut();
        answer.clear();
        answer.extend_from_slice(Self::ANSWER.as_bytes());
        answer.extend(accept_key(
            field(&request, "sec-websocket-key").unwrap_or_default(),
        ));
        if self.is_wrong.get() {
            let first = Self::ANSWER.len();
            answer[first] = if answer[first] == b'A' { b'B' } else { b'A' };
        }
        answer.extend_from_slice(b"\r\n\r\n");
    }

    /// Calls `receive` with the answer.
    pub fn receive<T>(&self, receive: impl FnOnce(&mut [u8]) -> T) -> T {
        receive(&mut self.answer.borrow_mut())
    }

    /// Sends `request`, and calls `receive` with the answer.
    pub fn exchange<T>(&self, request: &[u8], receive: impl FnOnce(&mut [u8]) -> T) -> T {
        self.begin();
        self.write(request);
        self.answer();
        self.receive(receive)
    }

    /// Fails unless `work` sends a request, and checks the answer.
    pub fn verify(&self, work: &mut Work) -> Result {
        let (result, request) = self.sink.record(|| work(&mut Tally::default()));
        result?;
        let key = BASE64_STANDARD.decode(field(&request, "sec-websocket-key").unwrap_or_default());
        let line = format!("GET {} HTTP/1.1\r\n", Self::PATH);
        let host = field(&request, "host").unwrap_or_default();
        if !request.starts_with(line.as_bytes())
            || !request.ends_with(b"\r\n\r\n")
            || !(host == Self::HOST.as_bytes() || host == b"example.com:80")
            || field(&request, "sec-websocket-version") != Some(b"13")
            || key.map(|key| key.len()) != Ok(16)
        {
            return Err(format!("not a request: {}", String::from_utf8_lossy(&request)).into());
        }
        self.is_wrong.set(true);
        let wrong = work(&mut Tally::default());
        self.is_wrong.set(false);
        if wrong.is_ok() {
            return Err("a wrong Sec-WebSocket-Accept passed".into());
        }
        work(&mut Tally::default())
    }
}

/// The value of the first field with this name, which is in lower case.
fn field<'a>(head: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut lines = head.split(|byte| *byte == b'\n');
    lines.find_map(|line| {
        let (field, value) = line.split_at_checked(name.len())?;
        let value = value.strip_prefix(b":")?;
        field
            .eq_ignore_ascii_case(name.as_bytes())
            .then(|| value.trim_ascii())
    })
}

fn accept_key(key: &[u8]) -> Vec<u8> {
    let digest = Sha1::new()
        .chain_update(key)
        .chain_update("258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
        .finalize();
    BASE64_STANDARD.encode(digest).into_bytes()
}
