//! Compressed messages, compared with yawc on the same backend, zlib-rs: JSON of 256 bytes, 1 KiB
//! and 16 KiB, with context takeover, level 6 and windows of 15 bits.
//!
//! Each is measured whole, from bytes read to a message and from a message to bytes written, since
//! yawc does not show its compression alone. So that what is not compression can be taken off, the
//! plumbing is measured too: the same with binary messages that are as long on the wire, but plain.
//! What is left (`net`) is compression, and on the way in the check for UTF-8, which both make by
//! simdutf8.
//!
//! Both read from memory, 8 KiB at a time (the size of yawc's buffer), and both drop what they
//! received. yawc is polled directly, with no runtime: it never waits.

use bytes::Bytes;
use futures::{Sink, Stream};
use std::cell::Cell;
use std::hint::black_box;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use ws_proto::{Client, Config, Message, Server, WebSocket};
use yawc::{Frame, Options, Role};

#[path = "../race.rs"]
mod race;

#[path = "../json.rs"]
mod json;

use json::negotiated;

/// How much is read at a time.
const READ: usize = 8 * 1024;

fn main() {
    for size in [256, 1 << 10, 16 << 10] {
        let messages = json::messages(size);
        inflate(&messages);
        deflate(&messages);
    }
}

fn report(what: &str, messages: &[String], times: [Duration; 4]) {
    let [ours, theirs, our_plumbing, their_plumbing] =
        times.map(|time| time.as_nanos() as f64 / messages.len() as f64);
    let (our_net, their_net) = (ours - our_plumbing, theirs - their_plumbing);
    println!(
        "{what} {} B: whole ws-proto {ours:.0} ns, yawc {theirs:.0} ns a message, ratio {:.3}; \
         plumbing {our_plumbing:.0} and {their_plumbing:.0} ns; net {our_net:.0} and {their_net:.0} ns, ratio {:.3}",
        messages[0].len(),
        ours / theirs,
        our_net / their_net
    );
}

/// A stream to read from, and to write to with no trace but the number of bytes.
struct Memory<'a>(&'a [u8], &'a Cell<usize>);

impl AsyncRead for Memory<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (now, later) = self
            .0
            .split_at(self.0.len().min(READ).min(buffer.remaining()));
        buffer.put_slice(now);
        self.0 = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Memory<'_> {
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.1.update(|written| written + bytes.len());
        Poll::Ready(Ok(black_box(bytes).len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn yawc<'a>(stream: &'a [u8], written: &'a Cell<usize>, role: Role) -> yawc::WebSocket<Memory<'a>> {
    let options = Options::default().with_balanced_compression().with_utf8();
    yawc::WebSocket::from_stream_with_extensions(
        Memory(stream, written),
        role,
        Some("permessage-deflate"),
        options,
    )
    .unwrap()
}

/// A client receives what our server sent.
fn inflate(messages: &[String]) {
    let mut server = WebSocket::new(negotiated(Server, true), &Config::default());
    let mut stream = Vec::new();
    let mut plain = Vec::new();
    for message in messages {
        let (from, plain_from) = (stream.len(), plain.len());
        server.send_text(message, &mut stream).unwrap();
        let len = stream.len() - from;
        // As long on the wire: the header is of the same length, too.
        let header = if len - 2 < 126 { 2 } else { 4 };
        server
            .send_binary_uncompressed(&vec![b'x'; len - header], &mut plain)
            .unwrap();
        assert_eq!(plain.len() - plain_from, len);
    }
    // The sum of what is received.
    let ours = |stream: &[u8]| {
        let mut ws = WebSocket::new(negotiated(Client::new([7; 32]), true), &Config::default());
        let (mut buffer, mut out, mut count) = ([0; READ], Vec::new(), 0);
        for bytes in stream.chunks(READ) {
            let mut input = &mut buffer[..bytes.len()];
            input.copy_from_slice(bytes);
            while let Some(message) = ws.recv(&mut input, &mut out) {
                count += match black_box(message) {
                    Message::Text(text) => text.len(),
                    Message::Binary(bytes) => bytes.len(),
                    other => panic!("{other:?}"),
                };
            }
        }
        count
    };
    let theirs = |stream: &[u8]| {
        let written = Cell::default();
        let mut ws = yawc(stream, &written, Role::Client);
        let mut context = Context::from_waker(Waker::noop());
        let mut count = 0;
        while let Poll::Ready(Some(frame)) = Pin::new(&mut ws).poll_next(&mut context) {
            count += black_box(frame.payload()).len();
        }
        count
    };
    let [a, b] = race::race([&mut || ours(&stream), &mut || theirs(&stream)]);
    let [c, d] = race::race([&mut || ours(&plain), &mut || theirs(&plain)]);
    report("inflate", messages, [a, b, c, d]);
}

/// A server sends.
fn deflate(messages: &[String]) {
    let mut server = WebSocket::new(negotiated(Server, true), &Config::default());
    let mut out = Vec::new();
    let texts: Vec<Bytes> = messages
        .iter()
        .map(|message| Bytes::copy_from_slice(message.as_bytes()))
        .collect();
    let mut lens = Vec::new();
    let mut ours = || {
        lens.clear();
        for message in messages {
            out.clear();
            server.send_text(message, &mut out).unwrap();
            lens.push(black_box(&out).len());
        }
        messages.len()
    };
    let written = Cell::default();
    let mut ws = yawc(&[], &written, Role::Server);
    let mut theirs = || {
        written.set(0);
        for text in &texts {
            send(&mut ws, Frame::text(text.clone()));
        }
        messages.len()
    };
    let [a, b] = race::race([&mut ours, &mut theirs]);
    println!(
        "deflate {} B: to {} B by ws-proto, {} B by yawc",
        messages[0].len(),
        lens.iter().sum::<usize>() / messages.len(),
        written.get() / messages.len()
    );

    let plain: Vec<Bytes> = lens
        .iter()
        .map(|len| Bytes::from(vec![b'x'; len - if len - 2 < 126 { 2 } else { 4 }]))
        .collect();
    let mut ours = || {
        for bytes in &plain {
            out.clear();
            server.send_binary_uncompressed(bytes, &mut out).unwrap();
            black_box(&out);
        }
        messages.len()
    };
    let mut ws =
        yawc::WebSocket::from_stream(Memory(&[], &written), Role::Server, Options::default())
            .unwrap();
    let mut theirs = || {
        for bytes in &plain {
            send(&mut ws, Frame::binary(bytes.clone()));
        }
        messages.len()
    };
    let [c, d] = race::race([&mut ours, &mut theirs]);
    report("deflate", messages, [a, b, c, d]);
}

fn send(ws: &mut yawc::WebSocket<Memory<'_>>, frame: Frame) {
    let mut context = Context::from_waker(Waker::noop());
    let mut ws = Pin::new(ws);
    assert!(matches!(
        ws.as_mut().poll_ready(&mut context),
        Poll::Ready(Ok(()))
    ));
    ws.as_mut().start_send(frame).unwrap();
    assert!(matches!(ws.poll_flush(&mut context), Poll::Ready(Ok(()))));
}
