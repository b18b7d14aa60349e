//! An echo server on tokio, a task for each connection, by the wrapper in `tokio_stream.rs`.
//!
//!     cargo run --release --manifest-path examples/hosts/Cargo.toml --bin tokio_echo -- \
//!         127.0.0.1:9001 [FILE]
//!
//! With FILE, it speaks TLS, by a certificate for localhost that it makes and writes to FILE.

use futures_util::{SinkExt, TryStreamExt};
use hosts::{accept, tls, tokio_stream::WebSocketStream};
use std::{env, fs, io, time::Duration};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};
use ws_proto::handshake::{Scheme, ServerHandshake};
use ws_proto::{Config, OwnedMessage, Session, Timeouts};

/// The time for the handshake of TLS. That of WebSocket has a deadline of the session.
const TIMEOUT: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> io::Result<()> {
    let mut args = env::args().skip(1);
    let listener = TcpListener::bind(args.next().unwrap_or("127.0.0.1:9001".into())).await?;
    let mut tls = None;
    if let Some(file) = args.next() {
        let (acceptor, certificate) = tls::acceptor(&[])?;
        fs::write(file, certificate)?;
        tls = Some(acceptor);
    }
    let scheme = if tls.is_some() { "wss" } else { "ws" };
    println!("{scheme}://{}/", listener.local_addr()?);
    loop {
        // With too many open files, some connection must end first.
        let Ok((sock, peer)) = listener.accept().await else {
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        let tls = tls.clone();
        tokio::spawn(async move {
            let _ = sock.set_nodelay(true); // fails if the peer is gone
            let end = match tls {
                None => serve(sock, Scheme::Http).await,
                Some(tls) => match timeout(TIMEOUT, tls.accept(sock)).await {
                    Ok(Ok(sock)) => Box::pin(serve(sock, Scheme::Https)).await, // it is larger
                    Ok(Err(error)) => Err(error),
                    Err(elapsed) => Err(elapsed.into()),
                },
            };
            eprintln!("{peer}: {}", end.unwrap_or_else(|error| error.to_string()));
        });
    }
}

/// Returns how the connection ended.
async fn serve(sock: impl AsyncRead + AsyncWrite + Unpin, scheme: Scheme) -> io::Result<String> {
    let session = Session::new(&Config::new(), &Timeouts::new(), Duration::ZERO);
    let mut ws = WebSocketStream::new(sock, session);
    {
        let mut handshake = ServerHandshake::new();
        ws.handshake(|input, out| accept(&mut handshake, scheme, input, out))
            .await?;
    }
    while let Some(message) = ws.try_next().await? {
        if let OwnedMessage::Text(_) | OwnedMessage::Binary(_) = message {
            ws.feed(message).await?;
        }
    }
    let outcome = ws.session().outcome();
    Ok(outcome.map_or_else(String::new, |outcome| outcome.to_string()))
}
