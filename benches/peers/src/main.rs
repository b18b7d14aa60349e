//! Receiving, compared with what others do for the same bytes, in one run.
//!
//! Rounds of all contenders alternate, so that a machine whose speed drifts slows them alike; the
//! fastest round of each counts. Each round copies its input afresh, since payloads are unmasked in
//! place; the cost of that is in all figures.

use std::hint::black_box;
use std::io::{self, Read, Write};
use ws_proto::frame::{Header, MaskingKey, Opcode};
use ws_proto::{Config, Message, Server, WebSocket};

/// How much is read from a socket at a time.
const READ: usize = 16 * 1024;

mod race;

use race::race;

fn main() {
    small_binary();
    mixed_text();
}

/// Masked 16-byte binary messages, cut wherever a read ends.
fn small_binary() {
    let stream = frames(Opcode::BINARY, &[b'x'; 16], 100_000);
    let mut ours = || {
        let mut ws = WebSocket::new(Server, &Config::default());
        let mut out = Vec::new();
        reads(&stream, |mut input| {
            let mut messages = 0;
            while let Some(message) = ws.recv(&mut input, &mut out) {
                messages += usize::from(matches!(black_box(message), Message::Binary(_)));
            }
            messages
        })
    };
    let mut theirs = || {
        use websocket_sans_io::{WebsocketFrameDecoder, WebsocketFrameEvent};
        let mut decoder = WebsocketFrameDecoder::new();
        reads(&stream, |input| {
            let (mut at, mut messages) = (0, 0);
            loop {
                let result = decoder.add_data(&mut input[at..]).unwrap();
                match black_box(result.event) {
                    Some(WebsocketFrameEvent::End { .. }) => messages += 1,
                    Some(_) => {}
                    None if result.consumed_bytes == 0 => return messages,
                    None => {}
                }
                at += result.consumed_bytes;
            }
        })
    };
    let mut tungstenite = || {
        let mut ws = tungstenite::WebSocket::from_raw_socket(
            Reads(&stream),
            tungstenite::protocol::Role::Server,
            None,
        );
        let mut messages = 0;
        while let Ok(message) = ws.read() {
            messages += usize::from(black_box(message).is_binary());
        }
        messages
    };
    let [ours, theirs, tungstenite] = race([&mut ours, &mut theirs, &mut tungstenite])
        .map(|time| time.as_nanos() as f64 / 100_000.0);
    println!("16-byte binary messages in {READ}-byte reads, ns a message:");
    println!(
        "  ws-proto {ours:.1}, websocket-sans-io {theirs:.1} (ratio {:.2}), tungstenite {tungstenite:.1} (ratio {:.2})",
        ours / theirs,
        ours / tungstenite
    );
}

/// A socket that has `stream` to read.
struct Reads<'a>(&'a [u8]);

impl Read for Reads<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(READ);
        self.0.read(&mut buffer[..len])
    }
}

impl Write for Reads<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Text in several languages, 16 KiB a message, read whole.
fn mixed_text() {
    let mut text = String::new();
    while text.len() < 16 * 1024 - 128 {
        text.push_str("The quick brown fox; El zorro marrón rápido; Быстрая лиса; 素早い茶色の狐が跳ぶ; ثعلب بني سريع; 🦊 ");
    }
    let stream = frames(Opcode::TEXT, text.as_bytes(), 1);
    let mut buffer = stream.clone();
    let mut ours = || {
        let mut ws = WebSocket::new(Server, &Config::default());
        let mut out = Vec::new();
        for _ in 0..1000 {
            buffer.copy_from_slice(&stream);
            let message = ws.recv(&mut &mut buffer[..], &mut out);
            assert!(matches!(black_box(message), Some(Message::Text(_))));
        }
        1000
    };
    let mut copy = text.clone().into_bytes();
    let mut alone = || {
        for _ in 0..1000 {
            copy.copy_from_slice(text.as_bytes());
            assert!(black_box(simdutf8::basic::from_utf8(&copy)).is_ok());
        }
        1000
    };
    let [ours, alone] = race([&mut ours, &mut alone])
        .map(|time| text.len() as f64 * 1000.0 / time.as_nanos() as f64);
    println!(
        "{} bytes of text in several languages, with simdutf8: ws-proto {ours:.1} GB/s, simdutf8 alone {alone:.1} GB/s; share {:.0} %",
        text.len(),
        100.0 * ours / alone
    );
}

/// `count` masked frames.
fn frames(opcode: Opcode, payload: &[u8], count: usize) -> Vec<u8> {
    let mask = MaskingKey([0x37, 0xfa, 0x21, 0x3d]);
    let mut frame = Header {
        fin: true,
        rsv: 0,
        opcode,
        mask: Some(mask),
        len: payload.len() as u64,
    }
    .encode()
    .to_vec();
    let start = frame.len();
    frame.extend_from_slice(payload);
    mask.apply(&mut frame[start..], 0);
    frame.repeat(count)
}

/// Hands `stream` on as a socket would, and adds up what `receive` counts.
fn reads(stream: &[u8], mut receive: impl FnMut(&mut [u8]) -> usize) -> usize {
    let mut buffer = [0; READ];
    let mut count = 0;
    for bytes in stream.chunks(READ) {
        buffer[..bytes.len()].copy_from_slice(bytes);
        count += receive(&mut buffer[..bytes.len()]);
    }
    count
}
