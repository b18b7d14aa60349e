//! What the client examples share: a TCP connection, and the opening handshake over it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use ws_proto::handshake::{Answer, Body, ClientHandshake};
use ws_proto::{Agreed, Client, uri::Uri};

/// An open connection: what was agreed on, and what came with the answer (the server's first frames).
pub struct Open {
    pub stream: TcpStream,
    pub agreed: Agreed<Client>,
    pub early: Vec<u8>,
}

/// Connects to `uri` and makes the handshake that `configure` asks for.
pub fn connect(uri: &Uri<'_>, configure: impl FnOnce(ClientHandshake) -> ClientHandshake) -> io::Result<Open> {
    if uri.is_secure() {
        return Err(io::Error::other("wss needs TLS, which this example does not have"));
    }
    let host = uri.host().trim_matches(['[', ']']);
    let mut stream = TcpStream::connect((host, uri.port()))?;
    stream.set_nodelay(true)?;

    let mut handshake = configure(ClientHandshake::new(uri, Client::new(seed()?)));
    let mut out = Vec::new();
    handshake.write_request(&mut out)?;
    stream.write_all(&out)?;

    let mut buffer = vec![0; 16 << 10];
    loop {
        let n = stream.read(&mut buffer)?;
        if n == 0 {
            handshake.recv_eof()?;
        }
        let mut input = &mut buffer[..n];
        match handshake.recv(&mut input)? {
            None => {}
            Some(Answer::Accepted { agreed, .. }) => {
                let early = input.to_vec();
                return Ok(Open { stream, agreed, early });
            }
            Some(Answer::Refused(response)) => {
                let mut text = format!("refused: {} {}\n", response.status(), response.reason().escape_ascii());
                for (name, value) in response.fields().iter() {
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

/// The secret of one connection's masking keys. Elsewhere than on Unix, take the `getrandom` crate.
fn seed() -> io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok(seed)
}
