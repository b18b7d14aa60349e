//! An echo server for many connections in one thread: mio, and a `Session` for each connection. It
//! shows one read buffer for all, deadlines, and idle connections without buffers.
//!
//!     cargo run --release --manifest-path examples/hosts/Cargo.toml --bin mio_echo -- \
//!         127.0.0.1:9001

use hosts::accept;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use std::collections::{BTreeSet, HashMap};
use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::{Duration, Instant};
use ws_proto::handshake::{Scheme, ServerHandshake};
use ws_proto::{Config, OwnedMessage, Server, Session, Timeouts};

const LISTENER: Token = Token(usize::MAX);

/// How often a connection reads and writes before it is the turn of the others.
const ROUNDS: usize = 16;

struct Connection {
    sock: TcpStream,
    handshake: Option<Box<ServerHandshake>>,
    session: Session<Server>,
    /// The entry in the set of deadlines.
    wake: Option<Duration>,
}

fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:9001".into());
    let mut listener = TcpListener::bind(address.parse().map_err(io::Error::other)?)?;
    println!("ws://{}/", listener.local_addr()?);
    let mut poll = Poll::new()?;
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)?;
    let (mut events, clock) = (Events::with_capacity(1024), Instant::now());
    let mut connections = HashMap::<_, Box<Connection>>::new();
    let mut deadlines = BTreeSet::<(Duration, Token)>::new();
    // One buffer for all connections.
    let mut buf = vec![0; 64 << 10];
    let mut next_token = 0;
    loop {
        let timeout = deadlines
            .first()
            .map(|(at, _)| at.saturating_sub(clock.elapsed()));
        match poll.poll(&mut events, timeout) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result?,
        }
        let now = clock.elapsed();
        let mut ready: BTreeSet<Token> = events.iter().map(|event| event.token()).collect();
        ready.extend(deadlines.range(..=(now, LISTENER)).map(|&(_, token)| token));
        ready.remove(&LISTENER);
        // Tried each time: with too many open files, a connection must end first.
        while let Ok((mut sock, _)) = listener.accept() {
            let token = Token(next_token);
            next_token += 1;
            let _ = sock.set_nodelay(true); // fails if the peer is gone
            let interest = Interest::READABLE | Interest::WRITABLE;
            poll.registry().register(&mut sock, token, interest)?;
            let connection = Connection {
                sock,
                handshake: Some(Box::new(ServerHandshake::new())),
                session: Session::new(&Config::new(), &Timeouts::new(), now),
                wake: None,
            };
            connections.insert(token, Box::new(connection));
            ready.insert(token);
        }
        for token in ready {
            let Some(connection) = connections.get_mut(&token) else {
                continue;
            };
            if let Some(at) = connection.wake.take() {
                deadlines.remove(&(at, token));
            }
            match connection.pump(now, &mut buf) {
                Ok(Some(wake)) => {
                    connection.wake = wake;
                    deadlines.extend(wake.map(|at| (at, token)));
                }
                ended => {
                    eprintln!("{}: {}", token.0, connection.end(ended.err()));
                    connections.remove(&token);
                }
            }
        }
    }
}

impl Connection {
    /// Does all that is possible now. Returns the next deadline; `None` at the end.
    fn pump(&mut self, now: Duration, buf: &mut [u8]) -> io::Result<Option<Option<Duration>>> {
        for _ in 0..ROUNDS {
            if let Some(handshake) = &mut self.handshake {
                let refused = self.session.handshake(now, |input, out| {
                    accept(handshake, Scheme::Http, input, out)
                });
                if let Some(error) = refused {
                    eprintln!("refused: {error}");
                }
                if self.session.websocket().is_some() {
                    self.handshake = None;
                }
            }
            while let Some(message) = self.session.recv() {
                match message {
                    OwnedMessage::Text(text) => self.session.send_text(&text)?,
                    OwnedMessage::Binary(bytes) => self.session.send_binary(&bytes)?,
                    _ => {}
                }
            }
            let Some(needs) = self.session.needs(now) else {
                return Ok(None);
            };
            let (mut written, mut read) = (None, None);
            if needs.write {
                // After an error nothing more can be sent, but the last messages can still be read.
                let all = self.session.output().len();
                let result = unless_blocked(self.sock.write(self.session.output()));
                written = result.unwrap_or(Some(all));
                self.session.written(now, written.unwrap_or(0));
            }
            if needs.shutdown {
                let _ = self.sock.shutdown(Shutdown::Write);
            }
            if needs.read {
                read = unless_blocked(self.sock.read(buf))?;
                match read {
                    Some(0) => self.session.recv_eof(),
                    n => self.session.received(now, &buf[..n.unwrap_or(0)]),
                }
            }
            if written.or(read).is_none() {
                return Ok(Some(needs.wake));
            }
        }
        Ok(Some(Some(now))) // after the others
    }

    /// Describes how the connection ended.
    fn end(&self, error: Option<io::Error>) -> String {
        match (error, self.session.timed_out(), self.session.outcome()) {
            (Some(error), _, _) => error.to_string(),
            (_, Some(timeout), _) => timeout.to_string(),
            (_, _, Some(outcome)) => outcome.to_string(),
            _ => "closed without a request".to_owned(),
        }
    }
}

fn unless_blocked(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        result => result.map(Some),
    }
}
