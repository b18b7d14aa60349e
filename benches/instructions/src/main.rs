//! `instructions list` prints the names of the workloads; `instructions NAME N` prepares one and
//! repeats it N times. `run` counts the instructions of that.

use std::env;
use std::hint::black_box;
use ws_proto::deflate::{DeflateConfig, Params};
use ws_proto::handshake::{ClientHandshake, ServerHandshake};
use ws_proto::uri::Uri;
use ws_proto::{
    Client, Config, Connection, Event, Message, MessageKind, Negotiated, Output, Role, Server,
    WebSocket,
};

/// A name, and the work, which is prepared by the first call and repeated by the second.
type Workload = (&'static str, fn() -> Box<dyn FnMut()>);

const WORKLOADS: &[Workload] = &[
    ("receive 16 B binary, server", || {
        receive(&binary::<Client>(16, 64), usize::MAX, Server)
    }),
    ("receive 125 B text, server", || {
        receive(&text::<Client>(125, 64), usize::MAX, Server)
    }),
    ("receive 1 KiB text, server", || {
        receive(&text::<Client>(1 << 10, 16), usize::MAX, Server)
    }),
    ("receive 16 KiB binary, server", || {
        receive(&binary::<Client>(16 << 10, 4), usize::MAX, Server)
    }),
    ("receive 16 B binary, client", || {
        receive(&binary::<Server>(16, 64), usize::MAX, client())
    }),
    ("receive 16 KiB text, client", || {
        receive(&text::<Server>(16 << 10, 4), usize::MAX, client())
    }),
    ("one message a read, server", || {
        receive(&binary::<Client>(16, 64), 16 + 6, Server)
    }),
    ("one message a read, client", || {
        receive(&binary::<Server>(16, 64), 16 + 2, client())
    }),
    ("1 KiB text in reads of 257, server", || {
        receive(&text::<Client>(1 << 10, 16), 257, Server)
    }),
    ("125 B text byte by byte, server", || {
        receive(&text::<Client>(125, 1), 1, Server)
    }),
    ("8 fragments of 128 B, server", || {
        receive(&fragments::<Client>(8, 128), usize::MAX, Server)
    }),
    ("pings, server", || receive(&pings(64), usize::MAX, Server)),
    ("stream 125 B binary, server", || {
        stream(&binary::<Client>(125, 64))
    }),
    ("send 16 B, server", || send(16, Server)),
    ("send 16 B, client", || send(16, client())),
    ("send 16 KiB, client", || send(16 << 10, client())),
    ("inflate 1 KiB, server", inflate),
    ("deflate 1 KiB, server", deflate),
    ("handshake, server", accept),
    ("handshake, client", open),
];

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["list"] => {
            for (name, _) in WORKLOADS {
                println!("{name}");
            }
        }
        [name, times] => {
            let (_, prepare) = WORKLOADS
                .iter()
                .find(|(known, _)| *known == name)
                .expect("a workload of the list");
            let mut work = prepare();
            for _ in 0..times.parse().expect("a number") {
                work();
            }
        }
        _ => panic!("usage: instructions list | NAME N"),
    }
}

fn client() -> Client {
    Client::new([7; 32])
}

trait Peer: Role + 'static {
    fn make() -> Self;
}

impl Peer for Server {
    fn make() -> Self {
        Server
    }
}

impl Peer for Client {
    fn make() -> Self {
        client()
    }
}

/// The bytes that a peer of role `R` sends.
fn sent<R: Peer>(send: impl FnOnce(&mut WebSocket<R>, &mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    send(&mut WebSocket::new(R::make(), &Config::new()), &mut out);
    out
}

fn ascii(len: usize) -> String {
    "The quick brown fox jumps over the lazy dog. "
        .chars()
        .cycle()
        .take(len)
        .collect()
}

fn text<R: Peer>(len: usize, messages: usize) -> Vec<u8> {
    sent::<R>(|ws, out| {
        (0..messages).for_each(|_| ws.send_text(&ascii(len), out).expect("room"));
    })
}

fn binary<R: Peer>(len: usize, messages: usize) -> Vec<u8> {
    sent::<R>(|ws, out| {
        (0..messages).for_each(|_| ws.send_binary(ascii(len).as_bytes(), out).expect("room"));
    })
}

fn fragments<R: Peer>(count: usize, len: usize) -> Vec<u8> {
    sent::<R>(|ws, out| {
        for number in 1..=count {
            let fin = number == count;
            ws.send_fragment(MessageKind::Text, ascii(len).as_bytes(), fin, out)
                .expect("room");
        }
    })
}

fn pings(count: usize) -> Vec<u8> {
    sent::<Client>(|ws, out| (0..count).for_each(|_| ws.send_ping(b"ping", out).expect("room")))
}

/// Receives `bytes` in reads of `read` bytes.
fn receive<R: Peer>(bytes: &[u8], read: usize, role: R) -> Box<dyn FnMut()> {
    let pristine = bytes.to_vec();
    let mut buffer = bytes.to_vec();
    let mut ws = WebSocket::new(role, &Config::new());
    let mut out = Vec::with_capacity(64 << 10);
    Box::new(move || {
        // Unmasking changes the buffer.
        buffer.copy_from_slice(black_box(&pristine));
        out.clear();
        for mut input in buffer.chunks_mut(read.min(pristine.len())) {
            receive_all(&mut ws, &mut input, &mut out);
        }
    })
}

#[inline(never)]
fn receive_all<R: Role>(ws: &mut WebSocket<R>, input: &mut &mut [u8], out: &mut impl Output) {
    while let Some(message) = ws.recv(input, out) {
        match black_box(&message) {
            Message::Text(_) | Message::Binary(_) | Message::Ping => {}
            other => panic!("{other:?}"),
        }
    }
}

fn stream(bytes: &[u8]) -> Box<dyn FnMut()> {
    let pristine = bytes.to_vec();
    let mut buffer = bytes.to_vec();
    let mut connection = Connection::new(Server, &Config::new());
    let mut out = Vec::new();
    Box::new(move || {
        buffer.copy_from_slice(black_box(&pristine));
        let mut input = &mut buffer[..];
        while let Some(event) = connection.recv(&mut input, &mut out) {
            match black_box(event) {
                Event::Data(_) => {}
                other => panic!("{other:?}"),
            }
        }
    })
}

fn send<R: Peer>(len: usize, role: R) -> Box<dyn FnMut()> {
    let text = ascii(len);
    let mut ws = WebSocket::new(role, &Config::new());
    let mut out = Vec::with_capacity(16 * (len + 14));
    Box::new(move || {
        out.clear();
        for _ in 0..16 {
            ws.send_text(black_box(&text), &mut out).expect("room");
        }
        black_box(&out);
    })
}

fn compressing<R: Role>(role: R) -> WebSocket<R> {
    let negotiated = Negotiated::new(role).with_deflate(&DeflateConfig::new(), Params::default());
    WebSocket::new(negotiated, &Config::new())
}

fn deflate() -> Box<dyn FnMut()> {
    let text = ascii(1 << 10);
    let mut ws = compressing(Server);
    let mut out = Vec::with_capacity(4 << 10);
    Box::new(move || {
        out.clear();
        ws.send_text(black_box(&text), &mut out).expect("room");
    })
}

/// The context is taken over, so that the sender sends while the receiver receives; only the small
/// share of both that is not the backend's is of interest.
fn inflate() -> Box<dyn FnMut()> {
    let text = ascii(1 << 10);
    let (mut sender, mut receiver) = (compressing(client()), compressing(Server));
    let (mut sent, mut out) = (Vec::with_capacity(4 << 10), Vec::new());
    Box::new(move || {
        sent.clear();
        sender.send_text(&text, &mut sent).expect("room");
        receive_all(&mut receiver, &mut &mut sent[..], &mut out);
    })
}

const REQUEST: &[u8] = b"GET /chat?room=lobby HTTP/1.1\r\n\
    Host: example.com\r\n\
    Connection: Upgrade\r\n\
    Pragma: no-cache\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0.0.0\r\n\
    Upgrade: websocket\r\n\
    Origin: https://example.com\r\n\
    Sec-WebSocket-Version: 13\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Cookie: theme=dark; consent=1\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
    \r\n";

fn accept() -> Box<dyn FnMut()> {
    let mut head = REQUEST.to_vec();
    let mut out = Vec::with_capacity(1 << 10);
    Box::new(move || {
        out.clear();
        let mut handshake = ServerHandshake::new();
        let mut input = black_box(&mut head[..]);
        let request = handshake
            .recv(&mut input, &mut out)
            .expect("valid")
            .expect("complete");
        black_box(request.accept().write(&mut out).expect("room"));
    })
}

fn open() -> Box<dyn FnMut()> {
    let uri = "wss://example.com/chat?room=lobby";
    // The response to the key that this seed yields.
    let mut request = Vec::new();
    let opening = ClientHandshake::new(&Uri::parse(uri).expect("valid"), client());
    opening.write_request(&mut request).expect("room");
    let mut response = Vec::new();
    let mut handshake = ServerHandshake::new();
    let mut input = &mut request[..];
    let accepted = handshake
        .recv(&mut input, &mut Vec::new())
        .expect("valid")
        .expect("complete");
    accepted.accept().write(&mut response).expect("room");
    let mut out = Vec::with_capacity(1 << 10);
    Box::new(move || {
        out.clear();
        let uri = Uri::parse(black_box(uri)).expect("valid");
        let mut handshake = ClientHandshake::new(&uri, client());
        handshake.write_request(&mut out).expect("room");
        let mut input = black_box(&mut response[..]);
        black_box(
            handshake
                .recv(&mut input)
                .expect("valid")
                .expect("complete"),
        );
    })
}
