//! An echo server on tokio, a task for each connection, by the wrapper in `tokio_ws.rs`.
//!
//!     cargo run --release --manifest-path examples/hosts/Cargo.toml --bin tokio_echo -- \
//!         127.0.0.1:9001

use hosts::tokio_ws::Connection;
use std::io;
use tokio::net::TcpListener;
use ws_proto::{Config, OwnedMessage, Timeouts};

#[tokio::main]
async fn main() -> io::Result<()> {
    let address = std::env::args().nth(1).unwrap_or("127.0.0.1:9001".into());
    let listener = TcpListener::bind(address).await?;
    println!("ws://{}/", listener.local_addr()?);
    loop {
        let (sock, peer) = listener.accept().await?;
        tokio::spawn(async move {
            let result = async {
                sock.set_nodelay(true)?;
                let mut ws = Connection::accept(sock, &Config::new(), &Timeouts::new()).await?;
                while let Some(message) = ws.recv().await? {
                    match message {
                        OwnedMessage::Text(text) => ws.send_text(&text).await?,
                        OwnedMessage::Binary(bytes) => ws.send_binary(&bytes).await?,
                        _ => {}
                    }
                }
                Ok::<_, io::Error>(ws.session().outcome().map(|outcome| outcome.to_string()))
            };
            eprintln!("{peer}: {:?}", result.await);
        });
    }
}
