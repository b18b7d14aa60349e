//! A client on tokio: a task sends the lines of stdin, and another one prints the messages. Each
//! has a half of the wrapper in `tokio_stream.rs`. The end of stdin closes the connection.
//!
//!     cargo run --release --manifest-path examples/hosts/Cargo.toml --bin tokio_client -- \
//!         wss://localhost:9001/ FILE
//!
//! It trusts the certificates in FILE, such as those that `tokio_echo` writes. A `ws` URL needs
//! none. The exit status is 0 after the server's Close.

use futures_util::{SinkExt, StreamExt, TryStreamExt};
use hosts::{tls, tokio_stream::WebSocketStream};
use std::{env, io, process, time::Duration};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader, stdin};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::rustls::pki_types::ServerName;
use ws_proto::handshake::{Answer, ClientHandshake};
use ws_proto::{Client, Config, OwnedMessage, Session, Timeouts, uri::Uri};

const TIMEOUT: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() {
    let end = run().await.unwrap_or_else(|error| Err(error.to_string()));
    eprintln!("{}", end.as_ref().unwrap_or_else(|error| error));
    // At once, though a thread may wait for stdin.
    process::exit(end.is_err().into());
}

async fn run() -> io::Result<Result<String, String>> {
    let mut args = env::args().skip(1);
    let url = args.next().unwrap_or("ws://127.0.0.1:9001/".to_owned());
    let uri = Uri::parse(&url)?;
    let connect = TcpStream::connect((uri.host(), uri.port()));
    let sock = timeout(TIMEOUT, connect).await??;
    sock.set_nodelay(true)?;
    if !uri.is_secure() {
        return converse(sock, &uri).await;
    }
    let file = args.next().ok_or(io::Error::other("wss needs FILE"))?;
    let name = ServerName::try_from(uri.host().to_owned()).map_err(io::Error::other)?;
    let connect = tls::connector(file)?.connect(name, sock);
    converse(timeout(TIMEOUT, connect).await??, &uri).await
}

/// Returns how the connection ended: an error unless the server closed it.
async fn converse(
    sock: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    uri: &Uri<'_>,
) -> io::Result<Result<String, String>> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    let mut handshake = ClientHandshake::new(uri, Client::new(seed));
    let session = Session::new(&Config::new(), &Timeouts::new(), Duration::ZERO);
    let mut ws = WebSocketStream::new(sock, session);
    let mut has_asked = false;
    ws.handshake(|input, out| {
        if !has_asked {
            handshake.write_request(out)?;
            has_asked = true;
        }
        match handshake.recv(input)? {
            None => Ok(None),
            Some(Answer::Accepted { negotiated, .. }) => Ok(Some(negotiated)),
            Some(Answer::Rejected(response)) => {
                Err(io::Error::other(format!("rejected: {}", response.status())))
            }
        }
    })
    .await?;

    let (mut sender, mut receiver) = ws.split();
    tokio::spawn(async move {
        let mut lines = BufReader::new(stdin()).lines();
        while let Some(line) = lines.next_line().await? {
            sender.send(OwnedMessage::Text(line)).await?;
        }
        sender.close().await
    });
    let mut end = Err("closed without a Close".to_owned());
    while let Some(message) = receiver.try_next().await? {
        match message {
            OwnedMessage::Text(text) => println!("{}", text.escape_debug()),
            OwnedMessage::Binary(bytes) => println!("{} bytes", bytes.len()),
            OwnedMessage::Close(code, reason) => {
                let code = code.map_or_else(String::new, |code| code.to_string());
                end = Ok(format!("closed: {code} {}", reason.escape_debug()));
            }
            OwnedMessage::Failed(error) => end = Err(error.to_string()),
            _ => {}
        }
    }
    Ok(end)
}
