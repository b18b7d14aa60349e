//! An echo server on io_uring, in one thread: a `Session` for each connection, and buffers that the
//! kernel uses when bytes arrive, so that idle connections have none. It receives once at a time,
//! not by multishot, since then the kernel would go on while output waits.
//!
//!     cargo run --release --manifest-path examples/hosts/Cargo.toml --features uring \
//!         --bin uring_echo -- 127.0.0.1:9001
//!
//! It needs Linux 5.17. Where the kernel forbids io_uring, it prints that, and exits with 0.

mod ring;

use hosts::accept;
use ring::{Completion, Ring};
use std::collections::{BTreeSet, HashMap};
use std::io::{self, ErrorKind};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::{Duration, Instant};
use ws_proto::handshake::{Scheme, ServerHandshake};
use ws_proto::{Config, OwnedMessage, Server, Session, Timeouts};

const LISTENER: u64 = 0;

struct Connection {
    sock: TcpStream,
    handshake: Option<Box<ServerHandshake>>,
    session: Session<Server>,
    /// The entry in the set of deadlines.
    wake: Option<Duration>,
    receives: bool,
    sends: bool,
    /// How it ended. It is kept until its operations have ended, too.
    end: Option<String>,
}

fn main() -> io::Result<()> {
    let mut ring = match Ring::new() {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::PermissionDenied | ErrorKind::Unsupported
            ) =>
        {
            println!("skipped: the kernel forbids io_uring, or is too old: {error}");
            return Ok(());
        }
        result => result?,
    };
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:9001".into());
    let listener = TcpListener::bind(address)?;
    println!("ws://{}/", listener.local_addr()?);
    let (mut connections, clock) = (HashMap::<u64, Box<Connection>>::new(), Instant::now());
    let mut deadlines = BTreeSet::from([(Duration::ZERO, LISTENER)]);
    let mut next_token = 1;
    loop {
        let now = clock.elapsed();
        let timeout = deadlines.first().map(|(at, _)| at.saturating_sub(now));
        let mut ready = BTreeSet::new();
        ring.wait(timeout, |completion| {
            let now = clock.elapsed();
            match completion {
                Completion::Accepted(_, Ok(sock)) => {
                    let _ = sock.set_nodelay(true); // fails if the peer is gone
                    let connection = Box::new(Connection::new(sock, now));
                    connections.insert(next_token, connection);
                    ready.extend([LISTENER, next_token]);
                    next_token += 1;
                }
                // Such as too many open files: a connection must end first.
                Completion::Accepted(token, Err(_)) => {
                    deadlines.insert((now + Duration::from_millis(10), token));
                }
                Completion::Received(token, received) => {
                    if let Some(connection) = connections.get_mut(&token) {
                        connection.received(now, received);
                        ready.insert(token);
                    }
                }
                Completion::Sent(token, sent) => {
                    if let Some(connection) = connections.get_mut(&token) {
                        connection.sent(now, sent);
                        ready.insert(token);
                    }
                }
            }
        })?;
        let now = clock.elapsed();
        ready.extend(deadlines.range(..=(now, u64::MAX)).map(|&(_, token)| token));
        for token in ready {
            if token == LISTENER {
                deadlines.retain(|&(_, token)| token != LISTENER);
                ring.accept(LISTENER, &listener)?;
                continue;
            }
            let Some(connection) = connections.get_mut(&token) else {
                continue;
            };
            if let Some(at) = connection.wake.take() {
                deadlines.remove(&(at, token));
            }
            connection.pump(token, now, &mut ring)?;
            deadlines.extend(connection.wake.map(|at| (at, token)));
            if let (Some(end), false, false) =
                (&connection.end, connection.receives, connection.sends)
            {
                eprintln!("{token}: {end}");
                connections.remove(&token);
            }
        }
    }
}

impl Connection {
    fn new(sock: TcpStream, now: Duration) -> Self {
        Self {
            sock,
            handshake: Some(Box::new(ServerHandshake::new())),
            session: Session::new(&Config::new(), &Timeouts::new(), now),
            wake: None,
            receives: false,
            sends: false,
            end: None,
        }
    }

    fn received(&mut self, now: Duration, received: io::Result<Option<&[u8]>>) {
        self.receives = false;
        match received {
            Ok(None) => {} // again
            Ok(Some([])) | Err(_) => self.session.recv_eof(),
            Ok(Some(bytes)) => self.session.received(now, bytes),
        }
    }

    fn sent(&mut self, now: Duration, sent: io::Result<usize>) {
        self.sends = false;
        // After an error nothing can be sent, but bytes that arrived before it can be read.
        let len = sent.unwrap_or(self.session.output().len());
        self.session.written(now, len);
    }

    /// Ends the operations in progress. Then the connection is removed.
    fn close(&mut self, end: String) {
        self.end.get_or_insert(end);
        let _ = self.sock.shutdown(Shutdown::Both);
    }

    /// Begins all that is possible now.
    fn pump(&mut self, token: u64, now: Duration, ring: &mut Ring) -> io::Result<()> {
        if self.end.is_some() {
            return Ok(());
        }
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
            let sent = match message {
                OwnedMessage::Text(text) => self.session.send_text(&text),
                OwnedMessage::Binary(bytes) => self.session.send_binary(&bytes),
                _ => Ok(()),
            };
            if let Err(error) = sent {
                self.close(error.to_string());
                return Ok(());
            }
        }
        let Some(needs) = self.session.needs(now) else {
            let timed_out = self.session.timed_out().map(|timeout| timeout.to_string());
            let outcome = self.session.outcome().map(|outcome| outcome.to_string());
            self.close(timed_out.or(outcome).unwrap_or("no request".to_owned()));
            return Ok(());
        };
        self.wake = needs.wake;
        if needs.write && !self.sends {
            ring.send(token, &self.sock, self.session.output())?;
            self.sends = true;
        }
        if needs.shutdown {
            let _ = self.sock.shutdown(Shutdown::Write);
        }
        if needs.read && !self.receives {
            ring.recv(token, &self.sock)?;
            self.receives = true;
        }
        Ok(())
    }
}
