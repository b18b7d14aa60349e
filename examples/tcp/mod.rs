//! A TCP connection with deadlines, and the opening handshake over it. The client examples share
//! it.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use ws_proto::handshake::{Answer, Body, ClientHandshake};
use ws_proto::{Client, Negotiated, uri::Uri};

/// The end of the time for a step. Unlike the timeouts of a socket, it is not extended by a peer
/// that reads or writes a byte now and then.
#[derive(Clone, Copy)]
pub struct Deadline {
    end: Instant,
    /// Describes the step in the message of the error.
    step: &'static str,
}

impl Deadline {
    pub fn after(timeout: Duration, step: &'static str) -> Self {
        Self {
            end: Instant::now() + timeout,
            step,
        }
    }

    /// The time that is left, which is never zero: then it is an error.
    pub fn left(self) -> io::Result<Duration> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            Err(io::Error::new(
                ErrorKind::TimedOut,
                format!("timed out: {}", self.step),
            ))
        } else {
            Ok(left)
        }
    }

    /// Reads once.
    pub fn read(self, mut stream: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            stream.set_read_timeout(Some(self.left()?))?;
            match stream.read(buffer) {
                Err(error) if is_temporary(&error) => {}
                result => return result,
            }
        }
    }

    pub fn write_all(self, mut stream: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            stream.set_write_timeout(Some(self.left()?))?;
            match stream.write(bytes) {
                Ok(n) => bytes = &bytes[n..],
                Err(error) if is_temporary(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Whether the timeout of the socket is over (`WouldBlock` on Unix, `TimedOut` on Windows), or a
/// signal came in between.
fn is_temporary(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
    )
}

/// An open connection.
pub struct Open {
    pub stream: TcpStream,
    pub negotiated: Negotiated<Client>,
    /// The bytes that came after the response: the server's first frames.
    pub early: Vec<u8>,
}

/// Connects to `uri` and makes the handshake that `configure` describes. `timeout` is for all of it
/// together.
pub fn connect(
    uri: &Uri<'_>,
    timeout: Duration,
    configure: impl FnOnce(ClientHandshake) -> ClientHandshake,
) -> io::Result<Open> {
    if uri.is_secure() {
        return Err(io::Error::other(
            "wss needs TLS, which this example does not have",
        ));
    }
    let deadline = Deadline::after(timeout, "the server did not complete the handshake");
    let stream = connect_tcp(uri, deadline)?;
    stream.set_nodelay(true)?;

    let mut handshake = configure(ClientHandshake::new(uri, Client::new(seed()?)));
    let mut out = Vec::new();
    handshake.write_request(&mut out)?;
    deadline.write_all(&stream, &out)?;

    let mut buffer = vec![0; 16 << 10];
    loop {
        let n = deadline.read(&stream, &mut buffer)?;
        if n == 0 {
            handshake.recv_eof()?;
        }
        let mut input = &mut buffer[..n];
        match handshake.recv(&mut input)? {
            None => {}
            Some(Answer::Accepted { negotiated, .. }) => {
                stream.set_read_timeout(None)?;
                return Ok(Open {
                    stream,
                    negotiated,
                    early: input.to_vec(),
                });
            }
            Some(Answer::Rejected(response)) => {
                let mut text = format!(
                    "refused: {} {}\n",
                    response.status(),
                    response.reason().escape_ascii()
                );
                for (name, value) in response.headers().iter() {
                    text += &format!("{name}: {}\n", value.escape_ascii());
                }
                if response.body() != Body::None {
                    text += &format!("\n{}", String::from_utf8_lossy(input));
                }
                return Err(io::Error::other(text));
            }
        }
    }
}

/// Tries the addresses of the host, each for an equal share of the time that is left.
fn connect_tcp(uri: &Uri<'_>, deadline: Deadline) -> io::Result<TcpStream> {
    let (host, port) = (uri.host().trim_matches(['[', ']']).to_owned(), uri.port());
    let (resolved, addresses) = mpsc::channel();
    // `std` has no timeout for looking up a name. When the time is over, the thread is abandoned.
    thread::spawn(move || resolved.send((host, port).to_socket_addrs()));
    let addresses = addresses
        .recv_timeout(deadline.left()?)
        .map_err(|_| io::Error::new(ErrorKind::TimedOut, "timed out: looking up the name"))??;
    let mut result = Err(io::Error::other("the name has no address"));
    for (i, address) in addresses.as_slice().iter().enumerate() {
        let share = deadline.left()? / (addresses.len() - i) as u32;
        result = TcpStream::connect_timeout(address, share);
        if result.is_ok() {
            break;
        }
    }
    result
}

/// Returns the secret seed of one connection's masking keys. On systems other than Unix, use the
/// `getrandom` crate.
fn seed() -> io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok(seed)
}
