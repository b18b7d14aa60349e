//! Compressed messages, compared with the bare backend in one run: JSON of 256 bytes, 1 KiB and 16
//! KiB, with and without context takeover.
//!
//! Bare means: the same calls of zlib-rs, from and to buffers that are there, with no WebSocket
//! around them.

use std::hint::black_box;
use ws_proto::{Client, Config, Message, Negotiated, Server, WebSocket};
use zlib_rs::{DeflateFlush, InflateFlush};

#[path = "../race.rs"]
mod race;

#[path = "../json.rs"]
mod json;

use json::negotiated;

fn main() {
    for size in [256, 1 << 10, 16 << 10] {
        let messages = json::messages(size);
        for takeover in [true, false] {
            deflate(&messages, takeover);
            inflate(&messages, takeover);
        }
        plain(&messages);
    }
}

fn report(what: &str, messages: &[String], takeover: bool, [ours, bare]: [std::time::Duration; 2]) {
    let [ours, bare] = [ours, bare].map(|time| time.as_nanos() as f64 / messages.len() as f64);
    let context = if takeover {
        "with context"
    } else {
        "without context"
    };
    println!(
        "{what} {} B {context}: ws-proto {ours:.0} ns, bare {bare:.0} ns a message; ratio {:.3}",
        messages[0].len(),
        ours / bare
    );
}

/// A server sends.
fn deflate(messages: &[String], takeover: bool) {
    let mut ws = WebSocket::new(negotiated(Server, takeover), &Config::default());
    let mut out = Vec::with_capacity(1 << 20);
    let mut ours = || {
        for message in messages {
            out.clear();
            ws.send_text(message, &mut out).unwrap();
            black_box(&out);
        }
        messages.len()
    };
    let mut deflate = zlib_rs::Deflate::new(6, false, 15);
    let mut buffer = vec![0; 1 << 20];
    let mut bare = || {
        for message in messages {
            deflate
                .compress(message.as_bytes(), &mut buffer, DeflateFlush::SyncFlush)
                .unwrap();
            black_box(&buffer);
            if !takeover {
                deflate.reset();
            }
        }
        messages.len()
    };
    report(
        "deflate",
        messages,
        takeover,
        race::race([&mut ours, &mut bare]),
    );
}

/// A client receives.
fn inflate(messages: &[String], takeover: bool) {
    let mut server = WebSocket::new(negotiated(Server, takeover), &Config::default());
    let frames: Vec<Vec<u8>> = messages
        .iter()
        .map(|message| {
            let mut frame = Vec::new();
            server.send_text(message, &mut frame).unwrap();
            frame
        })
        .collect();
    let header = |frame: &[u8]| {
        if frame[1] < 126 {
            2
        } else if frame[1] == 126 {
            4
        } else {
            10
        }
    };
    let mut inputs = frames.clone();
    let mut out = Vec::new();
    let mut ours = || {
        let mut ws = WebSocket::new(
            negotiated(Client::new([7; 32]), takeover),
            &Config::default(),
        );
        for input in &mut inputs {
            match ws.recv(&mut &mut input[..], &mut out) {
                Some(Message::Text(text)) => {
                    black_box(&text);
                    ws.recycle(text.into_owned().into_bytes());
                }
                other => panic!("{other:?}"),
            }
        }
        messages.len()
    };
    let mut buffer = vec![0; 1 << 20];
    let mut bare = || {
        let mut inflate = zlib_rs::Inflate::new(false, 15);
        for frame in &frames {
            let before = inflate.total_out();
            inflate
                .decompress(&frame[header(frame)..], &mut buffer, InflateFlush::NoFlush)
                .unwrap();
            let len = (inflate.total_out() - before) as usize;
            _ = inflate.decompress(
                &[0, 0, 0xff, 0xff],
                &mut buffer[len..],
                InflateFlush::NoFlush,
            );
            black_box(std::str::from_utf8(&buffer[..len]).unwrap());
            if !takeover {
                inflate.reset(false);
            }
        }
        messages.len()
    };
    report(
        "inflate",
        messages,
        takeover,
        race::race([&mut ours, &mut bare]),
    );
}

/// Uncompressed messages, where compression was negotiated and where it was not.
fn plain(messages: &[String]) {
    let mut server = WebSocket::new(Server, &Config::default());
    let mut stream = Vec::new();
    for message in messages {
        server.send_text(message, &mut stream).unwrap();
    }
    let mut receive = [
        Negotiated::new(Client::new([7; 32])),
        negotiated(Client::new([7; 32]), true),
    ]
    .map(|negotiated| {
        let mut ws = WebSocket::new(negotiated, &Config::default());
        let mut bytes = stream.clone();
        let mut out = Vec::new();
        move || {
            let mut input = &mut bytes[..];
            let mut count = 0;
            while let Some(message) = ws.recv(&mut input, &mut out) {
                black_box(message);
                count += 1;
            }
            count
        }
    });
    let [without, with] = &mut receive;
    let [without, with] =
        race::race([without, with]).map(|time| time.as_nanos() as f64 / messages.len() as f64);
    println!(
        "plain {} B: negotiated {with:.1} ns, not negotiated {without:.1} ns a message; ratio {:.3}",
        messages[0].len(),
        with / without
    );
}
