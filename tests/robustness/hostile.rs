//! Hostile peers at the example `echo_server`, over real sockets: it answers correctly, stays up,
//! serves the others meanwhile, and its memory comes back. What each test shows of the list of
//! attacks is named by its id (`H8`, `F3`, ...).

use crate::common::model::{Limits, status, verdict};
use crate::common::{Form, Frame, Masking, Seen, pattern, read, read_all, wire};
use crate::{PATIENCE, example};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, io, thread};
use ws_proto::{MessageKind, Server as ServerRole};

/// How much more memory the server may hold after an attack than before, in KiB. Nothing of it
/// belongs to connections: the allocator keeps some free memory in each of its arenas (16 with two
/// cores), and some of the stacks of the threads that have ended. Each attack of many connections
/// takes several times that while it lasts.
const KEPT: u64 = 8 << 10;

/// How much one connection may take, in KiB, beside the message that it is receiving or sending:
/// its buffer, an output that may be somewhat longer, its stack.
const EACH: u64 = 512;

const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

// The server

struct Server {
    child: Child,
    address: SocketAddr,
    log: Arc<Log>,
    opened: AtomicUsize,
}

/// What the server has said: a line for each connection that has ended.
#[derive(Default)]
struct Log {
    lines: Mutex<Vec<String>>,
    grown: Condvar,
}

impl Log {
    /// Waits for something that is to be found in the log.
    #[track_caller]
    fn wait<T>(&self, mut find: impl FnMut(&[String]) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(found) = find(&lines) {
                return found;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "that does not come to pass; the last lines are {:#?}",
                &lines[lines.len().saturating_sub(5)..]
            );
            (lines, _) = self
                .grown
                .wait_timeout(lines, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Server {
    /// On any free port.
    fn start(options: &[&str]) -> Self {
        Self::start_by(Command::new(example("echo_server")), options)
    }

    fn start_by(mut command: Command, options: &[&str]) -> Self {
        let mut child = command
            .arg("127.0.0.1:0")
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("`cargo test` builds the examples; before `cargo test --test robustness`, do `cargo build --examples`");
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut url)
            .unwrap();
        let address = url
            .trim()
            .strip_prefix("ws://")
            .and_then(|url| url.strip_suffix('/'))
            .expect("a URL")
            .parse()
            .unwrap();
        let log = Arc::<Log>::default();
        let heard = Arc::clone(&log);
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                heard
                    .lines
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(line);
                heard.grown.notify_all();
            }
        });
        Self {
            child,
            address,
            log,
            opened: AtomicUsize::new(0),
        }
    }

    fn connect(&self) -> Peer {
        let stream = TcpStream::connect(self.address).unwrap();
        self.opened.fetch_add(1, Ordering::Relaxed);
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Peer {
            stream,
            received: Vec::new(),
        }
    }

    /// A connection whose opening handshake is done.
    fn open(&self) -> Peer {
        self.open_with("")
    }

    /// The same, with more fields in the request.
    fn open_with(&self, fields: &str) -> Peer {
        let mut peer = self.connect();
        peer.send(request_with(fields).as_bytes());
        assert_accepted(&peer.head());
        peer
    }

    /// A client that behaves well is served.
    #[track_caller]
    fn serves(&self) {
        let mut peer = self.open();
        peer.echoes("good day");
        peer.closes();
    }

    /// What the server does to input that ends in a half-close: all that it sends after the opening
    /// handshake, up to the end.
    fn answer(&self, input: &[u8]) -> Vec<Frame> {
        let mut peer = self.open();
        peer.send(input);
        peer.half_close();
        read_all::<ServerRole>(&peer.rest())
    }

    /// How the connection from there ended.
    #[track_caller]
    fn end_of(&self, peer: SocketAddr) -> String {
        let prefix = format!("{peer}: ");
        self.log.wait(|lines| {
            lines
                .iter()
                .find_map(|line| Some(line.strip_prefix(&prefix)?.to_owned()))
        })
    }

    /// Every connection has ended.
    #[track_caller]
    fn all_ended(&self) {
        let opened = self.opened.load(Ordering::Relaxed);
        // A connection that was reset before it was accepted has no address.
        let is_end = |line: &&String| line.starts_with("127.0.0.1:") || line.starts_with("?: ");
        self.log
            .wait(|lines| (lines.iter().filter(is_end).count() >= opened).then_some(()));
    }

    /// Its resident memory in KiB; on systems where that is not so easily told it seems to be
    /// constant.
    fn memory(&self) -> u64 {
        self.status("VmRSS:")
    }

    /// The most that it ever was.
    fn peak(&self) -> u64 {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> u64 {
        if !cfg!(target_os = "linux") {
            return 0;
        }
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let value = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .unwrap();
        value.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    }

    #[track_caller]
    fn is_up(&mut self) {
        assert_eq!(self.child.try_wait().unwrap(), None, "the server has ended");
        let lines = self
            .log
            .lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        assert!(
            !lines.iter().any(|line| line.contains("panicked")),
            "{lines:#?}"
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// A server of its own for an attack, which may take so many KiB for as long as it lasts. Whatever
/// it is, clients that behave well are served before, during (one that was there before, and new
/// ones, by the attack itself) and after it, all connections end, and the memory comes back.
#[track_caller]
fn under_attack(options: &[&str], allowance: u64, attack: impl FnOnce(&Server)) {
    let mut server = Server::start(options);
    server.serves();
    let mut witness = server.open();
    witness.echoes("before");
    let before = server.memory();

    attack(&server);
    server.is_up();
    let peak = server.peak();
    assert!(
        peak <= before + allowance,
        "{peak} KiB under attack, {before} before"
    );

    witness.echoes("after");
    witness.closes();
    server.serves();
    server.all_ended();
    let after = server.memory();
    assert!(
        after <= before + KEPT,
        "{after} KiB after the attack, {before} before"
    );
    server.is_up();
}

// The peers

struct Peer {
    stream: TcpStream,
    /// What was read and is not used yet.
    received: Vec<u8>,
}

impl Peer {
    #[track_caller]
    fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    #[track_caller]
    fn send_frames(&mut self, frames: &[Frame]) {
        self.send(&wire::<ServerRole>(frames));
    }

    fn half_close(&self) {
        // The server may have reset the connection.
        _ = self.stream.shutdown(Shutdown::Write);
    }

    fn address(&self) -> SocketAddr {
        self.stream.local_addr().unwrap()
    }

    /// Reads once: how many bytes, or 0 at the end.
    fn read(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 64 << 10];
        let len = self.stream.read(&mut buffer)?;
        self.received.extend_from_slice(&buffer[..len]);
        Ok(len)
    }

    #[track_caller]
    fn read_more(&mut self) {
        assert_ne!(
            self.read().unwrap(),
            0,
            "the stream has ended after {:?}",
            self.received.escape_ascii().to_string()
        );
    }

    /// A head, with the empty line at its end.
    #[track_caller]
    fn head(&mut self) -> String {
        loop {
            if let Some(at) = self
                .received
                .windows(4)
                .position(|bytes| bytes == b"\r\n\r\n")
            {
                return String::from_utf8(self.received.drain(..at + 4).collect()).unwrap();
            }
            self.read_more();
        }
    }

    #[track_caller]
    fn frame(&mut self) -> Frame {
        loop {
            if let Some((frame, taken)) = read(&self.received) {
                self.received.drain(..taken);
                assert_eq!(frame.masking, Masking::None, "M2");
                return Frame {
                    masking: Masking::ByRole,
                    form: Form::Shortest,
                    ..frame
                };
            }
            self.read_more();
        }
    }

    /// All that still comes, up to an end in good order: no reset.
    #[track_caller]
    fn rest(&mut self) -> Vec<u8> {
        while self.read().unwrap() > 0 {}
        std::mem::take(&mut self.received)
    }

    /// The same, if the server may have good reasons to reset the connection: it was not to wait
    /// for ever for this peer's end.
    #[track_caller]
    fn rest_or_reset(&mut self) -> Vec<u8> {
        loop {
            match self.read() {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if is_reset(&error) => break,
                Err(error) => panic!("{error}"),
            }
        }
        std::mem::take(&mut self.received)
    }

    /// It gets its messages back, and a Pong to its Ping.
    #[track_caller]
    fn echoes(&mut self, text: &str) {
        let binary = pattern(300);
        self.send_frames(&[Frame::text(text), Frame::ping(text), Frame::binary(&binary)]);
        assert_eq!(
            [self.frame(), self.frame(), self.frame()],
            [Frame::text(text), Frame::pong(text), Frame::binary(&binary)]
        );
    }

    /// It closes in good order.
    #[track_caller]
    fn closes(mut self) {
        self.send_frames(&[Frame::close(1000, "bye")]);
        assert_eq!(
            read_all::<ServerRole>(&self.rest()),
            [Frame::close(1000, "")]
        );
    }

    /// Sends these bytes over and over until nothing more is taken, and returns how many were sent.
    fn fill(&mut self, bytes: impl Iterator<Item = Vec<u8>>) -> usize {
        self.stream
            .set_write_timeout(Some(Duration::from_millis(300)))
            .unwrap();
        let mut sent = 0;
        'all: for bytes in bytes {
            let mut left = &bytes[..];
            while !left.is_empty() {
                match self.stream.write(left) {
                    Ok(len) => (left, sent) = (&left[len..], sent + len),
                    Err(error) if is_timeout(&error) => break 'all,
                    Err(error) => panic!("{error}"),
                }
            }
        }
        self.stream.set_write_timeout(Some(PATIENCE)).unwrap();
        sent
    }

    /// Goes with a reset: something has come that was not read.
    fn reset(self) {
        assert_ne!(self.stream.peek(&mut [0]).unwrap(), 0);
    }
}

fn is_reset(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe
    )
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

fn request_with(fields: &str) -> String {
    REQUEST.replace(
        "Upgrade: websocket\r\n",
        &format!("Upgrade: websocket\r\n{fields}"),
    )
}

#[track_caller]
fn assert_accepted(head: &str) {
    assert!(
        head.starts_with("HTTP/1.1 101 ")
            && head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"),
        "{head}"
    );
}

/// A Close that tells of a failure: with this code, and some reason.
#[track_caller]
fn assert_failed(answers: &[Frame], code: u16) {
    let [
        Frame {
            opcode: 8, payload, ..
        },
    ] = answers
    else {
        panic!("{answers:?} is not one Close with {code}")
    };
    assert_eq!(
        payload[..2],
        code.to_be_bytes(),
        "{:?}",
        payload.escape_ascii().to_string()
    );
}

/// A message in frames of these payloads.
fn fragments<'a>(opcode: u8, payloads: impl IntoIterator<Item = &'a [u8]>) -> Vec<Frame> {
    let mut frames: Vec<_> = payloads
        .into_iter()
        .enumerate()
        .map(|(i, payload)| Frame::new(if i == 0 { opcode } else { 0 }, payload).more())
        .collect();
    frames.last_mut().unwrap().fin = true;
    frames
}

/// Bytes that look like noise, and are the same each time (splitmix64).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }
}

/// Holds the server's answers against those that the model of the tests of frames gives.
#[track_caller]
fn assert_answers_as_the_model(server: &Server, input: &[u8]) {
    let limits = Limits {
        max_message: 64 << 20,
        max_fragments: 1 << 14,
        allow_non_minimal_length: false,
    };
    let verdict = verdict::<ServerRole>(input, limits);
    let mut answers = server.answer(input);
    if !verdict.broken.is_empty() {
        let close = answers
            .pop()
            .filter(|close| close.opcode == 8)
            .unwrap_or_else(|| panic!("{:?} is let pass", verdict.broken));
        let told = u16::from_be_bytes([close.payload[0], close.payload[1]]);
        assert!(
            verdict.broken.iter().any(|&rule| status(rule) == told),
            "{told}, and not {:?}",
            verdict.broken
        );
    }
    let expected = verdict.seen.iter().filter_map(|seen| match seen {
        Seen::Data {
            kind: MessageKind::Text,
            payload,
            ..
        } => Some(Frame::text(payload)),
        Seen::Data { payload, .. } => Some(Frame::binary(payload)),
        Seen::Ping(payload) => Some(Frame::pong(payload)),
        Seen::Close(Some(code), _) => Some(Frame::close(*code, "")),
        Seen::Close(None, _) => Some(Frame::empty_close()),
        _ => None,
    });
    assert_eq!(
        answers,
        expected.collect::<Vec<_>>(),
        "to {}",
        input.escape_ascii()
    );
}

// The opening handshake

#[test]
fn h8_a_slow_head_is_cut_off_at_the_deadline_and_others_are_served_meanwhile() {
    under_attack(&["--timeout", "1"], 8 * EACH, |server| {
        thread::scope(|scope| {
            for start in 0..8 {
                scope.spawn(move || {
                    let began = Instant::now();
                    let mut peer = server.connect();
                    peer.send(&REQUEST.as_bytes()[..start]);
                    // As slow as to be far from the end at the deadline, and never as slow as to
                    // seem idle.
                    peer.stream
                        .set_read_timeout(Some(Duration::from_millis(20)))
                        .unwrap();
                    for byte in REQUEST.as_bytes()[start..].chunks(1) {
                        match peer.read() {
                            Ok(0) => break,
                            Ok(_) => panic!("answered"),
                            Err(error) if is_timeout(&error) => {}
                            Err(error) if is_reset(&error) => break,
                            Err(error) => panic!("{error}"),
                        }
                        if peer.stream.write_all(byte).is_err() {
                            break;
                        }
                    }
                    assert!(
                        began.elapsed() >= Duration::from_secs(1),
                        "not before the deadline"
                    );
                    assert_eq!(
                        server.end_of(peer.address()),
                        "timed out: the opening handshake is incomplete"
                    );
                });
            }
            for _ in 0..20 {
                server.serves();
            }
        });
    });
}

#[test]
fn h1_h8_a_head_byte_by_byte_within_the_deadline_is_accepted() {
    under_attack(&[], 2 * EACH, |server| {
        let mut peer = server.connect();
        let request = request_with(&format!("X-Long: {}\r\n", "x".repeat(4000)));
        for byte in request.as_bytes().chunks(1) {
            peer.send(byte);
        }
        assert_accepted(&peer.head());
        for byte in wire::<ServerRole>(&[Frame::text("and so the frames")]).chunks(1) {
            peer.send(byte);
        }
        assert_eq!(peer.frame(), Frame::text("and so the frames"));
        peer.closes();
    });
}

#[test]
fn h1_h2_an_endless_head_is_refused_at_the_limit_and_not_read_for_ever() {
    let start = REQUEST.strip_suffix("\r\n").unwrap();
    let endless = [
        ("GET /".to_owned(), "a".repeat(64 << 10)),
        ("G".to_owned(), "E".repeat(64 << 10)),
        (start.to_owned(), "X: y\r\n".repeat(10 << 10)),
        (format!("{start}X: "), "z".repeat(64 << 10)),
        (
            start.to_owned(),
            "Sec-WebSocket-Protocol: chat, superchat\r\n".repeat(2 << 10),
        ),
        (
            format!("{start}Sec-WebSocket-Extensions: a"),
            ";a".repeat(32 << 10),
        ),
    ];
    under_attack(&["--timeout", "1"], 6 * EACH, |server| {
        thread::scope(|scope| {
            for (start, more) in &endless {
                scope.spawn(move || {
                    let mut peer = server.connect();
                    peer.send(start.as_bytes());
                    let mut reader = Peer {
                        stream: peer.stream.try_clone().unwrap(),
                        received: Vec::new(),
                    };
                    // The server reads on for as long as its timeout says, and then resets the
                    // connection.
                    let refusal = scope.spawn(move || reader.rest_or_reset());
                    while peer.stream.write_all(more.as_bytes()).is_ok() {}
                    let refusal = String::from_utf8(refusal.join().unwrap()).unwrap();
                    assert!(
                        refusal.starts_with("HTTP/1.1 431 ") && refusal.ends_with("\r\n\r\n"),
                        "{refusal}"
                    );
                    assert!(
                        server
                            .end_of(peer.address())
                            .starts_with("refused: the head has more than ")
                    );
                });
            }
            server.serves();
        });
    });
}

/// The request with one thing replaced, or with a field added.
fn changed(from: &str, to: &str) -> String {
    assert!(REQUEST.contains(from));
    REQUEST.replacen(from, to, 1)
}

#[test]
fn h2_h4_h6_bad_handshakes_get_their_status_and_an_end() {
    let without = |name: &str| {
        REQUEST
            .split_inclusive("\r\n")
            .filter(|line| !line.starts_with(name))
            .collect::<String>()
    };
    let twice = |name: &str| {
        let line = REQUEST
            .split_inclusive("\r\n")
            .find(|line| line.starts_with(name))
            .unwrap();
        changed(line, &line.repeat(2))
    };
    let mut bad = vec![
        // What is no request at all
        (400, "\r\n".to_owned()),
        (400, "GET\r\n".into()),
        (400, "GET /chat\r\n".into()),
        (400, changed("GET", "G@T")),
        (400, changed("/chat", "/a b")),
        (400, changed("/chat", "chat")),
        (400, changed("/chat", "/chat#part")),
        (400, changed("/chat", "ftp://localhost/")),
        (400, changed("HTTP/1.1", "HTTP/11")),
        (400, changed("HTTP", "HTTQ")),
        (
            400,
            "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}\n".into(),
        ),
        // Other versions and methods
        (426, changed("HTTP/1.1", "HTTP/1.0")),
        (505, changed("HTTP/1.1", "HTTP/2.0")),
        (
            505,
            "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".replace("PRI *", "GET /"),
        ),
        (405, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into()),
        (405, changed("GET", "POST")),
        (405, changed("GET", "get")),
        (405, changed("GET", "CONNECT")),
        // Lines
        (400, changed("Host: localhost\r\n", "Host: localhost\n")),
        (
            400,
            changed("Host: localhost\r\n", "Host: localhost\r\n folded\r\n"),
        ),
        (400, changed("Host: localhost\r\n", "Host : localhost\r\n")),
        (
            400,
            changed("Host: localhost\r\n", "Host: localhost\r\nno colon\r\n"),
        ),
        (
            400,
            changed("Host: localhost\r\n", "Host: localhost\r\nX: a\0b\r\n"),
        ),
        (
            400,
            changed("Host: localhost\r\n", "Host: localhost\r\nX: a\rb\r\n"),
        ),
        // What the protocol demands
        (400, without("Host")),
        (400, changed("localhost", "local host")),
        (426, without("Upgrade")),
        (426, changed("websocket", "h2c")),
        (400, without("Connection")),
        (400, changed("Connection: Upgrade", "Connection: close")),
        (400, without("Sec-WebSocket-Key")),
        (400, changed("ZQ==", "ZQ")),
        (400, changed("dGhlIHNhbXBsZSBub25jZQ==", "")),
        (
            400,
            changed("dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZSE="),
        ),
        (426, without("Sec-WebSocket-Version")),
        (426, changed("Version: 13", "Version: 8")),
        (426, changed("Version: 13", "Version: 13, 8")),
        (400, request_with("Sec-WebSocket-Protocol: a b\r\n")),
        (400, request_with("Sec-WebSocket-Protocol:\r\n")),
        (
            400,
            request_with("Sec-WebSocket-Extensions: a; b=\"unclosed\r\n"),
        ),
        (400, request_with("Sec-WebSocket-Extensions: ;\r\n")),
        (400, request_with("Content-Length: 5\r\n")),
        (400, request_with("Transfer-Encoding: chunked\r\n")),
        (
            400,
            request_with("Origin: http://a\r\nOrigin: http://b\r\n"),
        ),
        (431, request_with(&"X: y\r\n".repeat(200))),
        (431, request_with(&format!("X: {}\r\n", "y".repeat(20_000)))),
    ];
    bad.extend(
        [
            "Host",
            "Upgrade",
            "Sec-WebSocket-Key",
            "Sec-WebSocket-Version",
        ]
        .map(|name| (400, twice(name))),
    );
    under_attack(&[], 2 * EACH, |server| {
        for (status, request) in &bad {
            let mut peer = server.connect();
            // Frames that follow at once are no reason to say more (P2).
            peer.send(
                &[
                    request.as_bytes(),
                    &wire::<ServerRole>(&[Frame::text("let me in")]),
                ]
                .concat(),
            );
            peer.half_close();
            let response = String::from_utf8(peer.rest()).unwrap();
            let request = request.escape_debug();
            assert!(
                response.starts_with(&format!("HTTP/1.1 {status} ")),
                "{request} is answered by {response}"
            );
            assert_eq!(
                response.find("\r\n\r\n"),
                Some(response.len() - 4),
                "{request}"
            );
            assert!(
                response.contains("\r\nConnection: close")
                    && response.contains("\r\nContent-Length: 0\r\n"),
                "{response}"
            );
            assert_eq!(
                response.contains("\r\nSec-WebSocket-Version: 13\r\n"),
                *status == 426,
                "{response}"
            );
            assert_eq!(
                response.contains("\r\nAllow: GET\r\n"),
                *status == 405,
                "{response}"
            );
            assert!(server.end_of(peer.address()).starts_with("refused: "));
        }
    });
}

#[test]
fn h3_extension_headers_of_every_kind_are_refused_or_passed_over() {
    under_attack(&[], 2 * EACH, |server| {
        for value in [
            "__proto__",
            "constructor; hasOwnProperty",
            &"a;b,".repeat(2000).replace(";b", ""),
            &format!("a{}", ";b".repeat(4000)),
        ] {
            let mut peer = server.open_with(&format!("Sec-WebSocket-Extensions: {value}\r\n"));
            peer.echoes("plain");
            peer.closes();
        }
    });
}

// Going away

#[test]
fn p2_a_half_close_gets_what_is_due_and_an_end() {
    let hello = wire::<ServerRole>(&[Frame::text("hello")]);
    let twice = hello.repeat(2);
    let close = wire::<ServerRole>(&[Frame::close(1000, "")]);
    let request = REQUEST.as_bytes();
    type Case<'a> = (&'a [&'a [u8]], bool, &'a [Frame]);
    let cases: &[Case<'_>] = &[
        (&[], false, &[]),
        (&[b"G"], false, &[]),
        (&[&request[..request.len() - 1]], false, &[]),
        (&[request], true, &[]),
        (&[request, &hello[..1]], true, &[]),
        (&[request, &hello[..hello.len() - 1]], true, &[]),
        (&[request, &hello], true, &[Frame::text("hello")]),
        (
            &[request, &twice[..twice.len() - 1]],
            true,
            &[Frame::text("hello")],
        ),
        (
            &[request, &hello, &close],
            true,
            &[Frame::text("hello"), Frame::close(1000, "")],
        ),
        (
            &[request, &hello, &close[..close.len() - 1]],
            true,
            &[Frame::text("hello")],
        ),
    ];
    under_attack(&[], 2 * EACH, |server| {
        for (parts, accepted, answers) in cases {
            // In one packet, and in one for each part.
            for parts in [
                vec![parts.concat()],
                parts.iter().map(|part| part.to_vec()).collect(),
            ] {
                let mut peer = server.connect();
                for part in parts {
                    peer.send(&part);
                }
                peer.half_close();
                if *accepted {
                    assert_accepted(&peer.head());
                }
                assert_eq!(read_all::<ServerRole>(&peer.rest()), *answers);
                server.end_of(peer.address());
            }
        }
    });
}

#[test]
fn p1_a_peer_that_goes_or_resets_at_any_point_harms_nobody() {
    const MESSAGE: usize = 1 << 20;
    let conversation = wire::<ServerRole>(&[
        Frame::text("hello"),
        Frame::binary("a").more(),
        Frame::ping("now"),
        Frame::continuation(pattern(130)),
        Frame::close(1001, "going"),
    ]);
    under_attack(&[], 16 * EACH + 4 * MESSAGE as u64 / 1024, |server| {
        for at in 0..REQUEST.len() {
            server.connect().send(&REQUEST.as_bytes()[..at]);
        }
        for at in 0..=conversation.len() {
            // In good order, and with a reset: over a response that was not read, or over the
            // answers as well.
            let mut peer = server.open();
            peer.send(&conversation[..at]);
            drop(peer);
            let mut peer = server.connect();
            peer.send(REQUEST.as_bytes());
            peer.stream.peek(&mut [0]).unwrap();
            peer.send(&conversation[..at]);
            peer.reset();
        }
        // In the middle of a long answer.
        for _ in 0..8 {
            let mut peer = server.open();
            let address = peer.address();
            peer.send_frames(&[Frame::binary(vec![7; MESSAGE])]);
            peer.reset();
            server.end_of(address);
        }
        server.serves();
    });
}

#[test]
fn p1_storms_of_connections_that_close_at_once() {
    under_attack(&[], 64 * EACH, |server| {
        for i in 0..300_u16 {
            match i % 3 {
                0 => drop(server.connect()),
                1 => drop(server.open()),
                _ => server.open().closes(),
            }
        }
        // And many that close together.
        let peers: Vec<_> = (0..60).map(|_| server.open()).collect();
        for mut peer in peers {
            peer.send_frames(&[Frame::empty_close()]);
            assert_eq!(read_all::<ServerRole>(&peer.rest()), [Frame::empty_close()]);
        }
    });
}

#[test]
fn o3_p3_closes_of_any_kind_are_answered_once_and_nothing_after_them() {
    under_attack(&[], 4 * EACH, |server| {
        let more = [
            Frame::text("more"),
            Frame::ping("are you there"),
            Frame::text("broken").rsv(7),
            Frame::close(1000, "again"),
        ];
        let after = [&wire::<ServerRole>(&more)[..], b"and garbage"].concat();
        for first in [
            Frame::empty_close(),
            Frame::close(1000, ""),
            Frame::close(1001, "\u{e9}".repeat(61)),
            Frame::close(4999, ""),
        ] {
            let expected = Frame::new(8, &first.payload[..first.payload.len().min(2)]);
            let first = first.to::<ServerRole>();
            let expected = [expected];
            assert_eq!(server.answer(&[&first[..], &after].concat()), expected);
            assert_eq!(server.answer(&first.repeat(1000)), expected);
        }
        for (code, close) in [
            (1002, Frame::new(8, "x")),
            (1002, Frame::close(1005, "")),
            (1002, Frame::close(1006, "")),
            (1002, Frame::close(999, "")),
            (1002, Frame::close(5000, "")),
            (1007, Frame::close(1000, b"\xff")),
            (1002, Frame::close(1000, "").more()),
            (1002, Frame::close(1000, "r".repeat(124))),
        ] {
            assert_failed(&server.answer(&close.to::<ServerRole>().repeat(100)), code);
        }
    });
}

#[test]
fn p3_a_peer_that_talks_on_for_ever_after_its_end_is_cut_off() {
    under_attack(&["--timeout", "1"], 4 * EACH, |server| {
        thread::scope(|scope| {
            for last in [Frame::close(1000, ""), Frame::text(b"\xff")] {
                scope.spawn(move || {
                    let mut peer = server.open();
                    peer.send_frames(&[last]);
                    let close = peer.frame();
                    assert_eq!(close.opcode, 8);
                    let more = wire::<ServerRole>(&[Frame::ping("more")]).repeat(1000);
                    while peer.stream.write_all(&more).is_ok() {}
                    assert_eq!(peer.rest_or_reset(), b"");
                    server.end_of(peer.address());
                });
            }
            // One that is only silent then.
            let mut silent = server.open();
            silent.send_frames(&[Frame::close(1000, "")]);
            silent.rest();
            server.end_of(silent.address());
        });
    });
}

// Frames

#[test]
fn l1_l2_l4_m3_f5_p2_broken_frames_are_told_by_their_code_and_nothing_follows() {
    let broken: &[(u16, &[Frame])] = &[
        (1002, &[Frame::text("a").masking(Masking::None)]),
        (1002, &[Frame::ping("a").masking(Masking::None)]),
        (1002, &[Frame::text("a").rsv(4)]),
        (
            1002,
            &[Frame::text("a").more(), Frame::continuation("b").rsv(4)],
        ),
        (1002, &[Frame::text("a").rsv(2)]),
        (1002, &[Frame::ping("a").rsv(1)]),
        (1002, &[Frame::new(3, "")]),
        (1002, &[Frame::new(11, "")]),
        (1002, &[Frame::ping("a").more()]),
        (1002, &[Frame::ping("a".repeat(126))]),
        (1002, &[Frame::text("a").form(Form::Bits16)]),
        (1002, &[Frame::text("a").form(Form::Bits64)]),
        (1002, &[Frame::binary("").declaring(1 << 63)]),
        (1002, &[Frame::binary("").declaring(u64::MAX)]),
        (1009, &[Frame::binary("").declaring(i64::MAX as u64)]),
        (1009, &[Frame::binary("").declaring(1 << 32)]),
        (1009, &[Frame::binary("").declaring((64 << 20) + 1)]),
        (
            1009,
            &[
                Frame::binary("a").more(),
                Frame::continuation("").declaring(64 << 20),
            ],
        ),
        (1002, &[Frame::continuation("a")]),
        (1002, &[Frame::text("a").more(), Frame::text("b")]),
        (1007, &[Frame::text(b"\xff")]),
        (
            1007,
            &[Frame::text(b"\xc3").more(), Frame::continuation("a").more()],
        ),
        (1007, &[Frame::text(b"\xed\xa0\x80")]),
    ];
    under_attack(&[], 4 * EACH, |server| {
        for (code, frames) in broken {
            let after = [
                Frame::text("more"),
                Frame::ping("more"),
                Frame::close(1000, ""),
            ];
            assert_failed(
                &server.answer(&wire::<ServerRole>(&[*frames, &after].concat())),
                *code,
            );
        }
    });
}

#[test]
fn l3_declared_lengths_take_no_memory() {
    let gib = 1 << 30;
    under_attack(
        &["--max-message", &(gib + 2).to_string()],
        2 * 200 * EACH,
        |server| {
            let before = server.memory();
            let peers: Vec<_> = (0..200)
                .map(|i| {
                    let mut peer = server.open();
                    let frames = [
                        Frame::binary("ab").declaring(gib),
                        Frame::text("ab").declaring(gib),
                        Frame::text("ab").more(),
                    ];
                    peer.send_frames(&frames[i % 3..][..1]);
                    peer
                })
                .collect();
            server.serves();
            for mut peer in peers {
                peer.half_close();
                assert_eq!(peer.rest(), b"");
            }
            assert!(
                server.peak() - before < 200 * EACH,
                "{} {before}",
                server.peak()
            );
        },
    );
}

#[test]
fn p1_p2_garbage_after_the_upgrade_is_answered_as_a_model_of_the_rfc_does() {
    let mut noise = Noise(4);
    let sound = wire::<ServerRole>(&[
        Frame::text("h\u{e9}llo"),
        Frame::binary("a").more(),
        Frame::ping("now"),
        Frame::continuation(pattern(130)),
        Frame::text("w\u{f6}rld").more(),
        Frame::continuation("").more(),
        Frame::continuation("!"),
        Frame::close(1001, "going"),
    ]);
    under_attack(&[], 4 * EACH, |server| {
        assert_answers_as_the_model(server, b"GET / HTTP/1.1\r\n\r\n");
        for _ in 0..150 {
            let len = noise.below(200);
            assert_answers_as_the_model(server, &noise.bytes(len));
            // What has no fault in its first bits gets further.
            let mut spoilt = sound.clone();
            for _ in 0..=noise.below(3) {
                let at = noise.below(spoilt.len());
                spoilt[at] ^= 1 << noise.below(8);
            }
            assert_answers_as_the_model(server, &spoilt);
        }
        // In one packet with the request (H7), from a peer that does not end what it sends.
        let mut peer = server.connect();
        peer.send(&[REQUEST.as_bytes(), &[0xff; 1000]].concat());
        assert_accepted(&peer.head());
        assert_failed(&[peer.frame()], 1002);
        peer.half_close();
        assert_eq!(peer.rest(), b"");
    });
}

#[test]
fn f2_f3_a_million_empty_fragments_are_refused_at_the_limit_in_constant_memory() {
    const LIMIT: usize = 1 << 14;
    let empty = Frame::continuation("").more().to::<ServerRole>();
    let [first, last] =
        [Frame::text("").more(), Frame::continuation("end")].map(|frame| frame.to::<ServerRole>());
    under_attack(&[], 4 * EACH, |server| {
        let most = [&first[..], &empty.repeat(LIMIT - 2), &last].concat();
        assert_eq!(server.answer(&most), [Frame::text("end")]);
        let too_many = [&first[..], &empty.repeat(LIMIT - 1), &last].concat();
        assert_failed(&server.answer(&too_many), 1008);

        let mut peer = server.open();
        peer.send(&first);
        for _ in 0..100 {
            peer.send(&empty.repeat(10_000));
        }
        server.serves();
        peer.half_close();
        assert_failed(&read_all::<ServerRole>(&peer.rest()), 1008);
    });
}

// Not reading

#[test]
fn o1_a_flood_of_pings_by_a_peer_that_does_not_read_is_held_back_and_answered_in_order() {
    let ping = |i: usize| wire::<ServerRole>(&[Frame::ping(format!("{i:0125}"))]);
    under_attack(&["--timeout", "60"], 4 * EACH, |server| {
        let mut peer = server.open();
        let sent = peer.fill((0..).map(ping));
        server.serves();

        // Now it reads. What was begun has to be ended.
        let (whole, begun) = (sent / ping(0).len(), sent % ping(0).len());
        let pings = whole + usize::from(begun > 0);
        let rest = if begun > 0 {
            ping(whole).split_off(begun)
        } else {
            Vec::new()
        };
        let mut writer = peer.stream.try_clone().unwrap();
        let writing = thread::spawn(move || {
            writer.write_all(&rest).unwrap();
            writer
                .write_all(&Frame::close(1000, "").to::<ServerRole>())
                .unwrap();
        });
        let answers = peer.rest();
        writing.join().unwrap();
        let expected = (0..pings)
            .map(|i| Frame::pong(format!("{i:0125}")))
            .chain([Frame::close(1000, "")]);
        let answers = read_all::<ServerRole>(&answers);
        assert_eq!(answers.len(), pings + 1);
        assert!(answers.into_iter().eq(expected));
    });
}

#[test]
fn o1_peers_that_never_read_are_held_back_and_cut_off_when_they_go_or_the_time_is_up() {
    const PEERS: u64 = 4;
    let message = Frame::binary(vec![7; 1 << 20]).to::<ServerRole>();
    // A message that arrives and its echo that waits, in memory that grows by doubling.
    let allowance = PEERS * (EACH + 4 * 1024);
    for (timeout, goes) in [("1", false), ("60", true)] {
        under_attack(
            &["--max-message", "1048576", "--timeout", timeout],
            allowance,
            |server| {
                thread::scope(|scope| {
                    for _ in 0..PEERS {
                        scope.spawn(|| {
                            let mut peer = server.open();
                            let address = peer.address();
                            if goes {
                                peer.fill(std::iter::repeat(message.clone()));
                                server.serves();
                                peer.reset();
                                server.end_of(address);
                            } else {
                                while peer.stream.write_all(&message).is_ok() {}
                                assert_eq!(
                                    server.end_of(address),
                                    "timed out: the peer does not read"
                                );
                            }
                        });
                    }
                    server.serves();
                });
            },
        );
    }
}

// All at once

#[test]
fn p1_three_hundred_connections_at_once_each_doing_something_else() {
    const PEERS: usize = 300;
    under_attack(
        &["--timeout", "5", "--max-message", "1000000"],
        PEERS as u64 * EACH,
        |server| {
            let mut peers: Vec<_> = (0..PEERS).map(|_| server.open()).collect();
            thread::scope(|scope| {
                for (i, peer) in peers.iter_mut().enumerate() {
                    scope.spawn(move || misbehave(server, peer, i));
                }
            });
            server.serves();
            // Some go as they are, and some half-close and see the server's end.
            for (i, mut peer) in peers.into_iter().enumerate() {
                if i % 2 == 0 {
                    peer.half_close();
                    peer.rest_or_reset();
                }
            }
        },
    );
}

/// Something that depends on `i`, in kind and in size.
fn misbehave(server: &Server, peer: &mut Peer, i: usize) {
    let payload = pattern(i * 97);
    let text = "x".repeat(i * 11);
    match i % 15 {
        0 => peer.echoes(&"e".repeat(i % 120)),
        1 => {
            peer.send_frames(&[Frame::binary(&payload)]);
            assert_eq!(peer.frame(), Frame::binary(&payload));
        }
        2 => {
            let parts = text.as_bytes().chunks(1 + i % 7);
            peer.send_frames(&fragments(1, parts.chain([&b"."[..]])));
            assert_eq!(peer.frame(), Frame::text(text + "."));
        }
        3 => {
            peer.send(
                &Frame::ping(&payload[..payload.len().min(125)])
                    .to::<ServerRole>()
                    .repeat(i),
            );
            for _ in 0..i {
                assert_eq!(peer.frame().opcode, 10);
            }
        }
        4 => {
            peer.send_frames(&[Frame::text([text.as_bytes(), b"\xc3("].concat())]);
            assert_failed(&[peer.frame()], 1007);
        }
        5 => {
            peer.send_frames(&[Frame::binary(&payload).masking(Masking::None)]);
            assert_failed(&[peer.frame()], 1002);
        }
        6 => {
            peer.send_frames(&[Frame::binary("").declaring(1_000_001 + (1 << (i % 60)))]);
            assert_failed(&[peer.frame()], 1009);
        }
        7 => {
            peer.send(&Noise(i as u64).bytes(2 * i));
            peer.send(&[0xff; 20]);
            peer.half_close();
            peer.rest_or_reset();
        }
        8 => {
            let code = 3000 + i as u16;
            peer.send_frames(&[Frame::close(code, &text[..text.len().min(123)])]);
            assert_eq!(peer.frame(), Frame::close(code, ""));
        }
        9 => {
            // A message that never ends.
            peer.send_frames(&[
                Frame::binary(&payload).more(),
                Frame::continuation(&payload).more(),
            ]);
        }
        10 => {
            // A frame that never ends.
            let frame = Frame::binary(&payload).to::<ServerRole>();
            peer.send(&frame[..frame.len() - 1]);
        }
        11 => {
            // Another one that asks for what it is not, which is refused.
            let mut other = server.connect();
            other.send(REQUEST.replace("GET", &"P".repeat(i)).as_bytes());
            assert!(other.head().starts_with("HTTP/1.1 405 "));
        }
        12 => {
            let mut other = server.connect();
            other.send(&REQUEST.as_bytes()[..i % REQUEST.len()]);
        }
        13 => {
            // Not read before it goes.
            peer.send_frames(&[Frame::binary(&payload), Frame::text(&text)]);
            peer.stream.peek(&mut [0]).unwrap();
        }
        _ => {
            for byte in wire::<ServerRole>(&[Frame::text(&text[..text.len().min(200)])]).chunks(1) {
                peer.send(byte);
            }
            assert_eq!(peer.frame().opcode, 1);
        }
    }
}

// More than the system gives

/// Under limits of the system that `ulimit` sets.
#[cfg(target_os = "linux")]
fn limited(limits: &str) -> Command {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("{limits} && exec \"$@\""), "sh"])
        .arg(example("echo_server"));
    shell
}

#[cfg(target_os = "linux")]
#[test]
fn p1_when_there_are_no_more_descriptors_the_server_waits_without_spinning_and_goes_on() {
    let mut server = Server::start_by(limited("ulimit -n 32"), &["--timeout", "60"]);
    server.serves();
    // Some of them are accepted, and the others wait in the system's queue.
    let mut peers: Vec<_> = (0..60).map(|_| server.connect()).collect();
    for peer in &mut peers {
        peer.send(REQUEST.as_bytes());
    }
    assert_accepted(&peers[0].head());
    // Nothing comes of the last one: a time to see what the server does meanwhile, by what it takes
    // of the processor.
    let mut last = peers.pop().unwrap();
    let before = server.ticks();
    last.stream
        .set_read_timeout(Some(Duration::from_secs(1)))
        .unwrap();
    assert!(is_timeout(&last.read().unwrap_err()));
    let ticks = server.ticks() - before;
    assert!(
        ticks <= 20,
        "{ticks} ticks of the processor, of about 100 in that time"
    );
    peers[0].echoes("still served");
    last.stream.set_read_timeout(Some(PATIENCE)).unwrap();
    peers.push(last);
    // Those at the front end, and those behind them come up.
    for mut peer in peers.drain(..40) {
        peer.half_close();
        peer.rest();
    }
    for mut peer in peers {
        assert_accepted(&peer.head());
        peer.closes();
    }
    server.serves();
    server.all_ended();
    server.is_up();
}

#[cfg(target_os = "linux")]
impl Server {
    /// How long it had the processor, in a unit that is a hundredth of a second nearly everywhere.
    fn ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let (_, fields) = stat.rsplit_once(')').unwrap();
        fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .map(|ticks| ticks.parse::<u64>().unwrap())
            .sum()
    }
}

/// With permessage-deflate.
#[cfg(feature = "deflate")]
mod deflate {
    use super::*;
    use ws_proto::deflate::{Compressor, Decompressor, Flush, Inflated, Params};

    /// How long messages may be, in the tests below.
    const LIMIT: usize = 64 << 10;
    const OPTIONS: [&str; 5] = ["--deflate", "--max-message", "65536", "--timeout", "60"];

    /// What the server keeps of states for the next connections, at most: 16 for each direction (in
    /// KiB).
    const POOLS: u64 = 16 * (EACH + 64);

    fn compressor() -> Compressor {
        Params::default()
            .client_compressor(&ws_proto::deflate::DeflateConfig::default().with_level(9))
    }

    fn compressed(compressor: &mut Compressor, message: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        compressor.compress(message, Flush::End, &mut out);
        out
    }

    /// A connection with compression, and more parameters if these are any.
    fn open(server: &Server, params: &str) -> Peer {
        server.open_with(&format!(
            "Sec-WebSocket-Extensions: permessage-deflate{params}\r\n"
        ))
    }

    #[test]
    fn d1_d3_bombs_stop_at_the_limit_exactly() {
        let bomb = compressed(&mut compressor(), &vec![0; 8 << 20]);
        assert!(
            bomb.len() < LIMIT,
            "so its frame is not too long: {}",
            bomb.len()
        );
        under_attack(&OPTIONS, 8 * EACH, |server| {
            for len in [LIMIT - 1, LIMIT] {
                let mut peer = open(server, "");
                peer.send_frames(&[
                    Frame::binary(compressed(&mut compressor(), &vec![0; len])).rsv(4)
                ]);
                let echo = peer.frame();
                assert_eq!((echo.opcode, echo.rsv), (2, 4));
                assert_eq!(inflated(&echo.payload), vec![0; len]);
                peer.closes();
            }
            let more = compressed(&mut compressor(), &vec![0; LIMIT + 1]);
            for bomb in [&more, &bomb] {
                // Whole, in two fragments, and in fragments of one byte.
                for size in [bomb.len(), bomb.len() / 2 + 1, 1] {
                    let mut frames = fragments(2, bomb.chunks(size));
                    frames[0].rsv = 4;
                    let mut peer = open(server, "");
                    peer.send_frames(&frames);
                    peer.half_close();
                    assert_failed(&read_all::<ServerRole>(&peer.rest()), 1009);
                }
            }
        });
    }

    fn inflated(message: &[u8]) -> Vec<u8> {
        inflated_by(&mut Params::default().server_decompressor(), message)
    }

    fn inflated_by(decompressor: &mut Decompressor, mut message: &[u8]) -> Vec<u8> {
        let mut block = vec![0; 2 * LIMIT];
        let Inflated { len, done } = decompressor
            .inflate(&mut message, true, &mut block)
            .unwrap();
        assert!(done);
        block.truncate(len);
        block
    }

    #[test]
    fn d1_o1_messages_that_inflate_a_thousandfold_and_compress_no_more_are_not_held_back_together()
    {
        const MESSAGES: usize = 40;
        // Noise of 256 bytes over and over. A window of 8 bits, with which the server has to
        // compress, does not reach back to its repetition.
        let message = Noise(9).bytes(256).repeat(LIMIT / 256);
        let mut compressor = compressor();
        // From the second one on, each refers to the one before, and is the same.
        let [first, next] =
            [(); 2].map(|()| Frame::binary(compressed(&mut compressor, &message)).rsv(4));
        let mut frames = vec![next; MESSAGES];
        frames[0] = first;
        let input = wire::<ServerRole>(&frames);
        assert!(
            input.len() < 64 << 10,
            "what one read may take: {}",
            input.len()
        );
        // Were all echoes of a read put together before they are written, they would take more than
        // 2.5 MiB.
        under_attack(&OPTIONS, 4 * EACH, |server| {
            let mut peer = open(server, "; server_max_window_bits=8");
            peer.send(&input);
            server.serves();
            let total = (0..MESSAGES)
                .map(|_| peer.frame().payload.len())
                .sum::<usize>();
            assert!(total > MESSAGES * LIMIT * 9 / 10, "{total}");
            peer.closes();
        });
    }

    #[test]
    fn d11_many_half_finished_compressed_messages_are_given_up_with_their_connections() {
        const PEERS: usize = 100;
        let message = pattern(LIMIT - 1);
        let mut half = Vec::new();
        let mut compressor = compressor();
        compressor.compress(&message, Flush::None, &mut half);
        let bomb = compressed(&mut self::compressor(), &vec![0; LIMIT]);
        under_attack(&OPTIONS, PEERS as u64 * EACH, |server| {
            let mut peers = Vec::new();
            for i in 0..PEERS {
                let mut peer = open(
                    server,
                    [
                        "",
                        "; client_no_context_takeover; server_no_context_takeover",
                    ][i % 2],
                );
                let unfinished = if i % 4 < 2 { &half } else { &bomb };
                peer.send_frames(&[Frame::binary(unfinished).more().rsv(4), Frame::ping("D10")]);
                assert_eq!(peer.frame(), Frame::pong("D10"));
                peers.push(peer);
            }
            server.serves();
            for (i, mut peer) in peers.into_iter().enumerate() {
                match i % 4 {
                    // Ends, with what was missing.
                    0 => {
                        peer.send_frames(&[
                            Frame::continuation("").more(),
                            Frame::continuation([0]),
                        ]);
                        let close = peer.frame();
                        assert!([2, 8].contains(&close.opcode), "{close:?}");
                    }
                    1 => peer.half_close(),
                    2 => peer.closes(),
                    _ => {}
                }
            }
        });
    }

    #[test]
    fn d7_compressed_garbage_is_data_or_fails_with_1007() {
        under_attack(&OPTIONS, 8 * EACH + POOLS, |server| {
            let sound = compressed(
                &mut compressor(),
                b"{\"sound\": [1, 22, 333, 4444], \"and\": \"sound again\"}",
            );
            let mut noise = Noise(7);
            for i in 0..200 {
                let mut message = if i % 2 == 0 {
                    noise.bytes(50)
                } else {
                    sound.clone()
                };
                let at = noise.below(message.len());
                message[at] ^= 1 << noise.below(8);
                let mut peer = open(server, ["", "; client_no_context_takeover"][i / 2 % 2]);
                peer.send_frames(&[Frame::binary(&message).rsv(4), Frame::binary("plain")]);
                let first = peer.frame();
                match first.opcode {
                    2 => {
                        // With a context that is taken over, all messages are compressed.
                        let mut decompressor = Params::default().server_decompressor();
                        inflated_by(&mut decompressor, &first.payload);
                        let second = peer.frame();
                        assert_eq!((first.rsv, second.opcode, second.rsv), (4, 2, 4));
                        assert_eq!(inflated_by(&mut decompressor, &second.payload), b"plain");
                        peer.closes();
                    }
                    _ => {
                        assert_failed(&[first], 1007);
                        peer.half_close();
                        assert_eq!(peer.rest(), b"", "P2");
                    }
                }
            }
        });
    }

    #[test]
    fn d4_offers_of_every_kind_are_accepted_or_passed_over() {
        under_attack(&OPTIONS, 4 * EACH, |server| {
            let sizes = [
                "0",
                "7",
                "8",
                "15",
                "16",
                "010",
                "+9",
                "\"\"",
                "\"9\"",
                "99999999999999999999",
                "=",
                "-1",
            ];
            let sizes = sizes.iter().flat_map(|size| {
                ["server", "client"].map(|side| format!("; {side}_max_window_bits={size}"))
            });
            let others = [
                "; server_max_window_bits",
                "; x",
                "; server_no_context_takeover=1",
                "; client_max_window_bits; client_max_window_bits",
            ];
            for params in sizes.chain(others.map(str::to_owned)) {
                let mut peer = server.connect();
                peer.send(
                    request_with(&format!(
                        "Sec-WebSocket-Extensions: permessage-deflate{params}\r\n"
                    ))
                    .as_bytes(),
                );
                let head = peer.head();
                if head.starts_with("HTTP/1.1 400 ") {
                    assert!(params.ends_with(['=', '"']), "{params}: {head}");
                    continue;
                }
                assert_accepted(&head);
                let valid = ["=8", "=15", "=\"9\""]
                    .iter()
                    .any(|size| params.ends_with(size));
                assert_eq!(
                    head.contains("permessage-deflate"),
                    valid,
                    "{params}: {head}"
                );
                peer.send_frames(&[Frame::text("plain")]);
                let echo = peer.frame();
                assert_eq!((echo.opcode, echo.rsv), (1, if valid { 4 } else { 0 }));
                assert_eq!(
                    if valid {
                        inflated(&echo.payload)
                    } else {
                        echo.payload
                    },
                    b"plain"
                );
                peer.closes();
            }
        });
    }
}
