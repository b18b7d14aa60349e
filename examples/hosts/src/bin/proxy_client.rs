//! A client that passes an HTTP proxy (CONNECT, 407), redirects and 401, and reconnects with the
//! back-off of RFC 6455 §7.2.3. It prints the messages of the server.
//!
//!     cargo run --release --manifest-path examples/hosts/Cargo.toml --bin proxy_client -- \
//!         ws://127.0.0.1:9001/ [--proxy HOST:PORT] [--user NAME:PASSWORD]
//!
//! NAME:PASSWORD is for whoever asks for it, proxy or server, by Basic authentication.

use base64::{Engine, prelude::BASE64_STANDARD};
use std::io::{self, Read, Write};
use std::{env, error::Error, net::TcpStream, thread, time::Duration};
use ws_proto::handshake::{Answer, ClientHandshake, ProxyAnswer, ProxyConnect, Response};
use ws_proto::{Action, Client, Config, Message, WebSocket, uri::Uri};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const MOST_REDIRECTS: usize = 5;
const TIMEOUT: Duration = Duration::from_secs(30);

struct Options {
    uri: String,
    proxy: Option<String>,
    credentials: Option<String>,
}

/// A socket, and the bytes from it that were received but not consumed.
struct Stream {
    sock: TcpStream,
    buf: Vec<u8>,
    rest: Vec<u8>,
}

fn main() -> Result<()> {
    let (mut args, mut options) = (
        env::args().skip(1),
        Options {
            uri: String::new(),
            proxy: None,
            credentials: None,
        },
    );
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--proxy" => options.proxy = args.next(),
            "--user" => {
                options.credentials = args
                    .next()
                    .map(|user| format!("Basic {}", BASE64_STANDARD.encode(user)))
            }
            _ => options.uri = arg,
        }
    }
    // §7.2.3: a random time up to 5 seconds, then longer each time.
    let mut longest = Duration::from_secs(5);
    loop {
        match connect(&options) {
            Ok((ws, stream)) => {
                longest = Duration::from_secs(5);
                match converse(ws, stream) {
                    Ok(true) => return Ok(()),
                    Ok(false) => eprintln!("not closed cleanly"),
                    Err(error) => eprintln!("{error}"),
                }
            }
            Err(error) => eprintln!("{error}"),
        }
        let random = u64::from_le_bytes(random()?) as f64 / u64::MAX as f64;
        let wait = longest.mul_f64(random);
        eprintln!("again in {wait:.1?}");
        thread::sleep(wait);
        longest = (longest * 2).min(Duration::from_secs(300));
    }
}

fn connect(options: &Options) -> Result<(WebSocket<Client>, Stream)> {
    let (mut target, mut authorization) = (options.uri.clone(), None);
    for _ in 0..=MOST_REDIRECTS {
        let uri = Uri::parse(&target)?;
        if uri.is_secure() {
            return Err("wss needs TLS, which this program leaves out".into());
        }
        let mut stream = open(options, &uri)?;
        let headers: Vec<_> = authorization
            .iter()
            .map(|value: &String| ("Authorization", value.as_bytes()))
            .collect();
        let mut handshake = ClientHandshake::new(&uri, Client::new(random()?)).headers(&headers);
        let mut out = Vec::new();
        handshake.write_request(&mut out)?;
        stream.sock.write_all(&out)?;
        target = loop {
            if !stream.fill()? {
                handshake.recv_eof()?;
            }
            let mut input = &mut stream.rest[..];
            match handshake.recv(&mut input)? {
                None => stream.rest.clear(),
                Some(Answer::Accepted { negotiated, .. }) => {
                    let ws = WebSocket::new(negotiated, &Config::new());
                    stream.rest = input.to_vec();
                    return Ok((ws, stream));
                }
                Some(Answer::Rejected(response)) => match (response.status(), &options.credentials)
                {
                    (301 | 302 | 303 | 307 | 308, _) => {
                        let location = response
                            .headers()
                            .get("Location")
                            .ok_or("redirect to nowhere")?;
                        let next = uri.join(location)?;
                        // Credentials are for the host that asked for them.
                        authorization = None;
                        break next;
                    }
                    (401, Some(credentials)) if authorization.is_none() => {
                        authorization = Some(credentials.clone());
                        break target.clone();
                    }
                    _ => return Err(rejected("server", &response)),
                },
            }
        };
    }
    Err("too many redirects".into())
}

/// Opens a stream to the server, through the proxy if there is one.
fn open(options: &Options, uri: &Uri<'_>) -> Result<Stream> {
    let Some(proxy) = &options.proxy else {
        return Stream::new(TcpStream::connect((uri.host(), uri.port()))?);
    };
    let mut headers: Vec<(&str, &[u8])> = Vec::new();
    loop {
        let mut stream = Stream::new(TcpStream::connect(proxy)?)?;
        let mut connect = ProxyConnect::new(uri).headers(&headers);
        let mut out = Vec::new();
        connect.write_request(&mut out)?;
        stream.sock.write_all(&out)?;
        loop {
            if !stream.fill()? {
                connect.recv_eof()?;
            }
            let mut input = &mut stream.rest[..];
            match connect.recv(&mut input)? {
                None => stream.rest.clear(),
                Some(ProxyAnswer::Connected(_)) => {
                    stream.rest = input.to_vec();
                    return Ok(stream);
                }
                Some(ProxyAnswer::Rejected(response)) => match &options.credentials {
                    Some(credentials) if response.status() == 407 && headers.is_empty() => {
                        headers = vec![("Proxy-Authorization", credentials.as_bytes())];
                        break;
                    }
                    _ => return Err(rejected("proxy", &response)),
                },
            }
        }
    }
}

fn rejected(who: &str, response: &Response<'_>) -> Box<dyn Error> {
    let reason = response.reason().escape_ascii();
    format!("the {who} answered with {} {reason}", response.status()).into()
}

/// Returns whether the connection was closed cleanly.
fn converse(mut ws: WebSocket<Client>, mut stream: Stream) -> Result<bool> {
    let mut out = Vec::new();
    loop {
        let mut input = &mut stream.rest[..];
        while let Some(message) = ws.recv(&mut input, &mut out) {
            match message {
                Message::Text(text) => println!("{}", text.escape_debug()),
                Message::Binary(bytes) => println!("{} bytes", bytes.len()),
                _ => {}
            }
        }
        stream.rest.clear();
        stream.sock.write_all(&out)?;
        out.clear();
        if ws.next_action() == Action::CloseTransport {
            return Ok(ws.outcome().is_some_and(|outcome| outcome.clean));
        }
        if !stream.fill()? {
            ws.recv_eof();
        }
    }
}

impl Stream {
    fn new(sock: TcpStream) -> Result<Self> {
        sock.set_read_timeout(Some(TIMEOUT))?;
        sock.set_write_timeout(Some(TIMEOUT))?;
        Ok(Self {
            sock,
            buf: vec![0; 16 << 10],
            rest: Vec::new(),
        })
    }

    /// Reads more, unless bytes are left. Returns whether there are any.
    fn fill(&mut self) -> io::Result<bool> {
        if self.rest.is_empty() {
            let n = self.sock.read(&mut self.buf)?;
            self.rest.extend_from_slice(&self.buf[..n]);
        }
        Ok(!self.rest.is_empty())
    }
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
