//! Drives the Autobahn test suite's fuzzing server: runs every case, and echoes its messages.
//!
//!     autobahn_client [HOST:PORT] (default 127.0.0.1:9001)

mod tcp;

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::time::Duration;
use ws_proto::{Action, Config, Message, WebSocket, uri::Uri};

fn main() -> io::Result<()> {
    let address = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "127.0.0.1:9001".to_owned());
    let address = address.trim_start_matches("ws://").trim_end_matches('/');
    let mut count = String::new();
    converse(&format!("ws://{address}/getCaseCount"), Some(&mut count))?;
    let count: usize = count.parse().map_err(io::Error::other)?;
    for case in 1..=count {
        // A case in which the server breaks off is for its report to judge.
        if let Err(error) = converse(
            &format!("ws://{address}/runCase?case={case}&agent=ws-proto"),
            None,
        ) {
            eprintln!("case {case}: {error}");
        }
    }
    converse(
        &format!("ws://{address}/updateReports?agent=ws-proto"),
        None,
    )
}

/// Echoes all messages until the server closes, or takes down its text instead.
fn converse(url: &str, mut text: Option<&mut String>) -> io::Result<()> {
    let uri = Uri::parse(url)?;
    let mut open = tcp::connect(&uri, Duration::from_secs(10), |handshake| {
        #[cfg(feature = "deflate")]
        let handshake = handshake.deflate(&ws_proto::deflate::DeflateConfig::default());
        handshake
    })?;
    let mut ws = WebSocket::new(
        open.negotiated,
        &Config::default().with_max_message(64 << 20),
    );
    let mut buffer = vec![0; 64 << 10];
    let mut out = Vec::new();
    let mut input = &mut open.early[..];
    loop {
        while let Some(message) = ws.recv(&mut input, &mut out) {
            match message {
                Message::Text(message) => match &mut text {
                    Some(text) => text.push_str(&message),
                    None => ws.send_text(&message, &mut out)?,
                },
                Message::Binary(message) => ws.send_binary(&message, &mut out)?,
                _ => {}
            }
        }
        open.stream.write_all(&out)?;
        out.clear();
        if ws.next_action() == Action::CloseTransport {
            return open.stream.shutdown(Shutdown::Both);
        }
        match open.stream.read(&mut buffer) {
            Ok(n @ 1..) => input = &mut buffer[..n],
            Err(error) if ws.next_action() == Action::Continue => return Err(error),
            // After the Close frames it does not matter how the server ends the stream.
            _ => return Ok(()),
        }
    }
}
