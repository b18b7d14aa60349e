//! A relay of WebSocket connections to another server. Frames, control frames and the Close pass
//! from end to end as they were sent, and are validated on their way, in constant memory.
//! Extensions are negotiated between the ends: compressed messages stay compressed.
//!
//!     cargo run --release --manifest-path examples/hosts/Cargo.toml --bin relay -- \
//!         127.0.0.1:9001 127.0.0.1:9002
//!
//! It listens at the first address, and connects to the second. The Pings of the ends pass through,
//! so that each notices if the other is gone; the relay itself has a deadline only for handshakes,
//! for writes and for the end.

use std::io::{self, Error, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use std::{env, thread};
use ws_proto::handshake::{Answer, ClientHandshake, Request, ServerHandshake};
use ws_proto::uri::Uri;
use ws_proto::{
    Action, Client, CloseCode, Config, Connection, Event, Negotiated, OutgoingFrame, RecvHalf,
    Reply, Role, SendHalf, Server, State,
};

const BUFFER: usize = 64 << 10;
const HANDSHAKE: Duration = Duration::from_secs(10);
const CLOSING: Duration = Duration::from_secs(10);
const WRITE: Duration = Duration::from_secs(30);

/// The headers that pass through, besides those of the handshake.
const REQUEST_HEADERS: [&str; 3] = ["Authorization", "Cookie", "User-Agent"];
const RESPONSE_HEADERS: [&str; 2] = ["Set-Cookie", "WWW-Authenticate"];

fn main() -> io::Result<()> {
    let mut args = env::args().skip(1);
    let (Some(address), Some(server)) = (args.next(), args.next()) else {
        return Err(Error::other("usage: relay LISTEN SERVER"));
    };
    let listener = TcpListener::bind(address)?;
    println!("ws://{}/", listener.local_addr()?);
    for sock in listener.incoming() {
        let server = server.clone();
        thread::spawn(move || {
            if let Err(error) = sock.and_then(|sock| serve(sock, &server)) {
                eprintln!("{error}");
            }
        });
    }
    Ok(())
}

/// A socket after its handshake, and the bytes that followed it.
type Opened<R> = (TcpStream, Negotiated<R>, Vec<u8>);

fn serve(mut sock: TcpStream, server: &str) -> io::Result<()> {
    let (mut handshake, mut out) = (ServerHandshake::new(), Vec::new());
    let mut buf = vec![0; BUFFER];
    let start = prepare(&sock)?;
    let (upstream, negotiated, early) = loop {
        let n = read_head(&mut sock, &mut buf, start)?;
        let mut input = &mut buf[..n];
        let request = match handshake.recv(&mut input, &mut out) {
            Ok(None) => continue,
            Ok(Some(request)) => request,
            Err(error) => {
                sock.write_all(&out)?;
                return Err(error.into());
            }
        };
        match connect(&request, server, &mut out) {
            Ok((upstream, negotiated)) => break (upstream, negotiated, input.to_vec()),
            Err(error) => {
                if out.is_empty() {
                    request.reject(502).write(&mut out)?;
                }
                sock.write_all(&out)?;
                return Err(error);
            }
        }
    };
    sock.write_all(&out)?;

    let (client_recv, client) = split((sock, negotiated, early))?;
    let (server_recv, server) = split(upstream)?;
    thread::scope(|scope| {
        scope.spawn(|| pump(client_recv, &client, &server));
        pump(server_recv, &server, &client);
    });
    Ok(())
}

/// Opens a connection to the server with the client's options, and answers with the server's.
fn connect(
    request: &Request<'_>,
    server: &str,
    out: &mut Vec<u8>,
) -> io::Result<(Opened<Client>, Negotiated<Server>)> {
    // Not `Uri::join`: a target of `//host` must not lead elsewhere.
    let mut uri = format!("ws://{server}{}", request.path());
    if let Some(query) = request.query() {
        uri += &format!("?{query}");
    }
    // Extensions other than this one might mark their frames in a way that is refused here.
    let offer: Vec<_> = (request.extensions())
        .filter(|extension| extension.name == "permessage-deflate")
        .map(|extension| extension.to_string())
        .collect();
    let headers: Vec<_> = (request.headers().iter())
        .filter(|(name, _)| is_one_of(name, &REQUEST_HEADERS))
        .collect();
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    let mut handshake = ClientHandshake::new(&Uri::parse(&uri)?, Client::new(seed))
        .subprotocols(&request.subprotocols().collect::<Vec<_>>())
        .relay_extensions(&offer.join(", "))
        .headers(&headers);
    if let Some(origin) = request.origin() {
        handshake = handshake.origin(std::str::from_utf8(origin).map_err(Error::other)?);
    }
    let mut head = Vec::new();
    handshake.write_request(&mut head)?;

    let mut sock = TcpStream::connect(server)?;
    let start = prepare(&sock)?;
    sock.write_all(&head)?;
    let mut buf = vec![0; BUFFER];
    loop {
        let n = read_head(&mut sock, &mut buf, start)?;
        let mut input = &mut buf[..n];
        let Some(answer) = handshake.recv(&mut input)? else {
            continue;
        };
        let (Answer::Accepted { response, .. } | Answer::Rejected(response)) = &answer;
        let response = *response;
        let headers: Vec<_> = (response.headers().iter())
            .filter(|(name, _)| is_one_of(name, &RESPONSE_HEADERS))
            .collect();
        let Answer::Accepted { negotiated, .. } = answer else {
            let status = response.status();
            request.reject(status).headers(&headers).write(out)?;
            return Err(Error::other(format!("the server answered with {status}")));
        };
        let extensions: Vec<_> = (response.extensions())
            .map(|extension| extension.to_string())
            .collect();
        let extensions = extensions.join(", ");
        let mut accept = request.accept().headers(&headers);
        accept = accept.relay_extensions(&extensions);
        if let Some(name) = negotiated.subprotocol() {
            accept = accept.subprotocol(name);
        }
        let accepted = accept.write(out)?;
        return Ok(((sock, negotiated, input.to_vec()), accepted));
    }
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|other| other.eq_ignore_ascii_case(name))
}

fn prepare(sock: &TcpStream) -> io::Result<Instant> {
    sock.set_nodelay(true)?;
    sock.set_read_timeout(Some(HANDSHAKE))?;
    sock.set_write_timeout(Some(WRITE))?;
    Ok(Instant::now())
}

fn read_head(sock: &mut TcpStream, buf: &mut [u8], start: Instant) -> io::Result<usize> {
    match sock.read(buf)? {
        0 => Err(ErrorKind::UnexpectedEof.into()),
        _ if start.elapsed() > HANDSHAKE => Err(ErrorKind::TimedOut.into()),
        n => Ok(n),
    }
}

/// The receiving half of a connection, with its socket and the bytes that were received before.
struct Receiver<R> {
    half: RecvHalf<R>,
    sock: TcpStream,
    early: Vec<u8>,
}

/// The sending half of a connection, with its socket.
struct Sender<R> {
    half: SendHalf<R>,
    sock: TcpStream,
    out: Vec<u8>,
    /// The last frame that was begun.
    frame: Option<OutgoingFrame>,
    /// The answer to the peer's Close. It is due when the other peer has answered that Close.
    owed: Option<Reply>,
}

fn split<R: Role>(
    (sock, negotiated, early): Opened<R>,
) -> io::Result<(Receiver<R>, Mutex<Sender<R>>)> {
    let config = Config::new()
        .with_auto_pong(false)
        .with_max_message(u64::MAX)
        .with_max_fragments(u32::MAX);
    let (recv, send) = Connection::new(negotiated, &config).split();
    sock.set_read_timeout(Some(CLOSING))?;
    let sender = Sender {
        half: send,
        sock: sock.try_clone()?,
        out: Vec::new(),
        frame: None,
        owed: None,
    };
    let receiver = Receiver {
        half: recv,
        sock,
        early,
    };
    Ok((receiver, Mutex::new(sender)))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Passes on all that one peer sends. If its stream ends without a Close, so does the other.
fn pump<A: Role, B: Role>(mut from: Receiver<A>, back: &Mutex<Sender<A>>, to: &Mutex<Sender<B>>) {
    let passed = pass_on(&mut from, back, to);
    if let Err(error) = &passed {
        eprintln!("{error}");
    }
    if passed.is_err() || from.half.close_received().is_none() {
        for sock in [&lock(back).sock, &lock(to).sock] {
            _ = sock.shutdown(Shutdown::Both);
        }
    }
}

fn pass_on<A: Role, B: Role>(
    from: &mut Receiver<A>,
    back: &Mutex<Sender<A>>,
    to: &Mutex<Sender<B>>,
) -> io::Result<()> {
    let mut buf = std::mem::take(&mut from.early);
    let mut n = buf.len();
    buf.resize(BUFFER.max(n), 0);
    loop {
        let relayed = lock(to).relay(&mut from.half, &mut buf[..n]);
        if let Some(reply) = from.half.take_reply() {
            lock(back).answer(reply, from.half.error().is_some())?;
        }
        relayed?;
        n = loop {
            match from.sock.read(&mut buf) {
                Ok(0) => return Ok(()),
                Ok(n) => break n,
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut
                        if lock(back).half.next_action() == Action::Continue => {}
                    ErrorKind::Interrupted => {}
                    _ => return Err(error),
                },
            }
        }
    }
}

impl<R: Role> Sender<R> {
    /// Passes on the frames of the other peer.
    fn relay(&mut self, from: &mut RecvHalf<impl Role>, mut input: &mut [u8]) -> io::Result<()> {
        let Self { half, out, .. } = self;
        while let Some(event) = from.recv(&mut input) {
            match event {
                Event::Data(chunk) => {
                    if let Some(header) = from.frame_header(&chunk) {
                        let frame =
                            half.begin_relayed_frame(chunk.kind, chunk.compressed, &header)?;
                        out.extend_from_slice(frame.header());
                        self.frame = Some(frame);
                    }
                    if let Some(frame) = &mut self.frame {
                        frame.mask(chunk.payload);
                    }
                    out.extend_from_slice(chunk.payload);
                }
                Event::Ping => half.send_ping(from.control_payload(), out)?,
                Event::Pong => half.send_pong(from.control_payload(), out)?,
                Event::Close(code) => {
                    let reason = from.close_received().map_or("", |close| close.reason);
                    match code {
                        _ if half.state() != State::Open => {}
                        Some(code) => half.close(code, reason, out)?,
                        None => half.close_without_code(out)?,
                    }
                    if let Some(reply) = self.owed.take() {
                        half.reply(&reply, out)?;
                    }
                }
                // The frame in progress cannot be completed.
                _ if self
                    .frame
                    .as_ref()
                    .is_some_and(|frame| frame.payload_left() > 0) =>
                {
                    return Err(ErrorKind::InvalidData.into());
                }
                _ => half.close(CloseCode::GOING_AWAY, "", out)?,
            }
        }
        self.flush()
    }

    /// Answers the peer's Close once the other peer did, or its violation.
    fn answer(&mut self, reply: Reply, has_failed: bool) -> io::Result<()> {
        if self.half.close_sent().is_none() && !has_failed {
            self.owed = Some(reply);
            return Ok(());
        }
        // Not inside a frame.
        if self
            .frame
            .as_ref()
            .is_none_or(|frame| frame.payload_left() == 0)
        {
            self.half.reply(&reply, &mut self.out)?;
        }
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sock.write_all(&self.out)?;
        self.out.clear();
        if self.half.next_action() == Action::CloseTransport {
            self.sock.shutdown(Shutdown::Write)?;
        }
        Ok(())
    }
}
