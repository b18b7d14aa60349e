//! Receiving and sending for both roles: sizes from 16 bytes to 1 MiB, binary and text, fragments,
//! byte by byte; and to many connections, with each message prepared or not.
//!
//! Input is copied afresh before each pass, since payloads are unmasked in place; `copy` shows what
//! that alone costs.

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
#[cfg(feature = "deflate")]
use ws_proto::deflate::DeflateConfig;
use ws_proto::{
    Client, Config, Connection, Message, MessageKind, Negotiated, Prepared, Role, Server, WebSocket,
};

const SIZES: [usize; 5] = [16, 125, 1 << 10, 64 << 10, 1 << 20];

/// What is read at a time: as a driver would that has a buffer of 16 KiB, or one message if that is
/// longer.
const READ: usize = 16 << 10;

fn config() -> Config {
    Config::default().with_max_fragments(u32::MAX)
}

fn client() -> Client {
    Client::new([7; 32])
}

/// A payload of `size` bytes: ASCII, or text in several scripts.
fn text(size: usize, mixed: bool) -> String {
    let pattern = if mixed {
        "grüße, 世界! Привет 🦀 "
    } else {
        "The quick brown fox jumps over. "
    };
    let mut text = pattern.repeat(size / pattern.len() + 1);
    while !text.is_char_boundary(size) {
        text.insert(0, ' ');
    }
    text.truncate(size);
    text
}

/// A stream of messages of `size` bytes, as `sender` sends it, and how many they are.
fn stream<R: Role>(
    sender: impl Into<Negotiated<R>>,
    kind: MessageKind,
    payload: &[u8],
    parts: usize,
) -> (Vec<u8>, usize) {
    let mut sender = Connection::new(sender, &config());
    let count = (READ / payload.len()).max(1);
    let mut bytes = Vec::new();
    for _ in 0..count {
        let mut rest = payload.chunks(payload.len().div_ceil(parts)).peekable();
        while let Some(part) = rest.next() {
            sender
                .send_fragment(kind, part, rest.peek().is_none(), &mut bytes)
                .unwrap();
        }
    }
    (bytes, count)
}

/// Receives all of `bytes` in reads of at most `read` bytes.
fn receive<R: Role>(
    ws: &mut WebSocket<R>,
    bytes: &mut [u8],
    read: usize,
    out: &mut Vec<u8>,
) -> usize {
    let mut messages = 0;
    for mut input in bytes.chunks_mut(read) {
        while let Some(message) = ws.recv(&mut input, out) {
            messages += 1;
            match black_box(message) {
                Message::Text(text) => drop(text),
                Message::Binary(bytes) => drop(bytes),
                other => panic!("{other:?}"),
            }
        }
    }
    messages
}

fn bench_receive<R: Role>(
    c: &mut Criterion,
    group: &str,
    role: fn() -> R,
    (bytes, count): &(Vec<u8>, usize),
    size: usize,
    read: usize,
) {
    let mut ws = WebSocket::new(role(), &config());
    let mut out = Vec::new();
    let mut copy = bytes.clone();
    let mut group = c.benchmark_group(group);
    group.throughput(Throughput::Bytes((size * count) as u64));
    group.bench_function(BenchmarkId::from_parameter(size), |b| {
        b.iter(|| {
            copy.copy_from_slice(bytes);
            assert_eq!(receive(&mut ws, &mut copy, read, &mut out), *count);
        });
    });
}

fn receiving(c: &mut Criterion) {
    for size in SIZES {
        let binary = vec![0x5a; size];
        bench_receive(
            c,
            "server receives binary",
            || Server,
            &stream(client(), MessageKind::Binary, &binary, 1),
            size,
            usize::MAX,
        );
        bench_receive(
            c,
            "client receives binary",
            client,
            &stream(Server, MessageKind::Binary, &binary, 1),
            size,
            usize::MAX,
        );
        for (name, mixed) in [("ASCII", false), ("mixed", true)] {
            let text = text(size, mixed);
            bench_receive(
                c,
                &format!("server receives {name} text"),
                || Server,
                &stream(client(), MessageKind::Text, text.as_bytes(), 1),
                size,
                usize::MAX,
            );
            bench_receive(
                c,
                &format!("client receives {name} text"),
                client,
                &stream(Server, MessageKind::Text, text.as_bytes(), 1),
                size,
                usize::MAX,
            );
        }
        bench_receive(
            c,
            "server receives binary in 16 KiB reads",
            || Server,
            &stream(client(), MessageKind::Binary, &binary, 1),
            size,
            READ,
        );
        bench_receive(
            c,
            "server receives mixed text in 8 fragments",
            || Server,
            &stream(client(), MessageKind::Text, text(size, true).as_bytes(), 8),
            size,
            READ,
        );
    }
    for size in [16, 1 << 10] {
        bench_receive(
            c,
            "server receives byte by byte",
            || Server,
            &stream(client(), MessageKind::Binary, &vec![0x5a; size], 1),
            size,
            1,
        );
    }
}

fn bench_send<R: Role>(c: &mut Criterion, name: &str, role: fn() -> R) {
    let mut group = c.benchmark_group(name);
    for size in SIZES {
        let payload = vec![0x5a; size];
        let mut ws = WebSocket::new(role(), &config());
        let mut out = Vec::with_capacity(size + 14);
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function(BenchmarkId::from_parameter(size), |b| {
            b.iter(|| {
                out.clear();
                ws.send_binary(black_box(&payload), &mut out).unwrap();
                black_box(&mut out);
            });
        });
    }
}

fn sending(c: &mut Criterion) {
    bench_send(c, "server sends", || Server);
    bench_send(c, "client sends", client);
    c.bench_function("a connection is made", |b| {
        b.iter_batched(
            || (),
            |()| WebSocket::new(Server, &config()),
            BatchSize::SmallInput,
        )
    });
}

/// Connections that a message is sent to, each with an output of its own.
type Connections = [(WebSocket<Server>, Vec<u8>)];

fn bench_broadcast(
    c: &mut Criterion,
    name: &str,
    negotiated: &Negotiated<Server>,
    mut broadcast: impl FnMut(&mut Connections),
) {
    let make = |_| {
        let ws = WebSocket::new(negotiated.clone(), &config());
        (ws, Vec::with_capacity(2048))
    };
    let mut connections: Vec<_> = (0..1000).map(make).collect();
    let mut group = c.benchmark_group("a broadcast to 1,000 connections");
    group.throughput(Throughput::Elements(connections.len() as u64));
    group.bench_function(name, |b| {
        b.iter(|| {
            connections.iter_mut().for_each(|(_, out)| out.clear());
            broadcast(&mut connections);
            black_box(&mut connections);
        });
    });
}

/// Sends a message to each, or prepares it and sends that.
fn bench_both(
    c: &mut Criterion,
    name: &str,
    text: &str,
    negotiated: &Negotiated<Server>,
    prepare: impl Fn(&str) -> Prepared,
) {
    bench_broadcast(c, &format!("{name}, each"), negotiated, |connections| {
        for (ws, out) in connections {
            ws.send_text(black_box(text), out).unwrap();
        }
    });
    bench_broadcast(c, &format!("{name}, prepared"), negotiated, |connections| {
        let message = prepare(black_box(text));
        for (ws, out) in connections {
            ws.send_prepared(&message, out).unwrap();
        }
    });
}

fn broadcasting(c: &mut Criterion) {
    let negotiated = Negotiated::new(Server);
    bench_both(c, "125 B", &text(125, false), &negotiated, Prepared::text);
    #[cfg(feature = "deflate")]
    {
        let text: String = (0..)
            .map(|i| format!("{{\"id\": {i}, \"value\": {}}}, ", i * i * 7919 % 10_007))
            .flat_map(String::into_bytes)
            .take(1 << 10)
            .map(char::from)
            .collect();
        let deflate = DeflateConfig::new();
        for (name, params) in [
            ("1 KiB deflated", "permessage-deflate"),
            (
                "1 KiB deflated without context",
                "permessage-deflate; server_no_context_takeover",
            ),
        ] {
            let params = params.parse().unwrap();
            let negotiated = Negotiated::new(Server).with_deflate(&deflate, params);
            let prepare = |text: &str| Prepared::text(text).deflate(&deflate);
            bench_both(c, name, &text, &negotiated, prepare);
        }
    }
}

/// What copying the input costs, which is in every figure above.
fn copying(c: &mut Criterion) {
    let mut group = c.benchmark_group("copy");
    for size in [READ, 64 << 10, 1 << 20] {
        let bytes = vec![0x5a; size];
        let mut copy = bytes.clone();
        group.throughput(Throughput::Bytes(bytes.len() as u64));
        group.bench_function(BenchmarkId::from_parameter(bytes.len()), |b| {
            b.iter(|| {
                copy.copy_from_slice(black_box(&bytes));
                black_box(&mut copy);
            });
        });
    }
}

criterion_group!(benches, receiving, sending, broadcasting, copying);
criterion_main!(benches);
