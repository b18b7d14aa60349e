//! The opening handshake from bytes to `Negotiated`, both sides, with a request as a browser sends
//! it.

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use ws_proto::handshake::{Answer, ClientHandshake, Scheme, ServerHandshake};
use ws_proto::{Client, Negotiated, uri::Uri};

const REQUEST: &[u8] = b"GET /chat?room=lobby HTTP/1.1\r\n\
    Host: example.com\r\n\
    Connection: Upgrade\r\n\
    Pragma: no-cache\r\n\
    Cache-Control: no-cache\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36\r\n\
    Upgrade: websocket\r\n\
    Origin: https://example.com\r\n\
    Sec-WebSocket-Version: 13\r\n\
    Accept-Encoding: gzip, deflate, br, zstd\r\n\
    Accept-Language: en-GB,en-US;q=0.9,en;q=0.8\r\n\
    Cookie: session=0123456789abcdef0123456789abcdef; theme=dark; consent=1\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\
    Sec-WebSocket-Protocol: chat\r\n\
    \r\n";

fn server(c: &mut Criterion) {
    let mut group = c.benchmark_group("handshake/server");
    group.throughput(Throughput::Bytes(REQUEST.len() as u64));
    let mut out = Vec::with_capacity(1024);
    let mut bytes = REQUEST.to_vec();
    for (name, piece) in [("whole", REQUEST.len()), ("in pieces of 64 bytes", 64)] {
        group.bench_function(name, |b| {
            b.iter(|| {
                out.clear();
                let mut server = ServerHandshake::new();
                black_box(&mut bytes)
                    .chunks_mut(piece)
                    .find_map(|mut piece| {
                        let request = server.recv(&mut piece, &mut out).ok()??;
                        if !request.is_same_origin(Scheme::Https) {
                            return None;
                        }
                        let mut answer = ws_proto::CappedOutput::new(&mut out, 1024);
                        request
                            .accept()
                            .subprotocol_from(&["chat"])
                            .write(&mut answer)
                            .ok()
                    })
            });
        });
    }
}

fn client(c: &mut Criterion) {
    let mut group = c.benchmark_group("handshake/client");
    let client = || {
        let uri =
            Uri::parse(black_box("wss://example.com/chat?room=lobby")).expect("the URI is valid");
        ClientHandshake::new(&uri, Client::new(black_box([7; 32])))
            .subprotocols(&["chat"])
            .origin("https://example.com")
    };
    let mut request = Vec::new();
    client()
        .write_request(&mut request)
        .expect("a vector has room");
    let mut answer = Vec::new();
    let mut server = ServerHandshake::new();
    if let Ok(Some(request)) = server.recv(&mut &mut request.clone()[..], &mut answer) {
        request
            .accept()
            .subprotocol("chat")
            .headers(&[
                ("Server", b"example"),
                ("Date", b"Sun, 06 Nov 1994 08:49:37 GMT"),
            ])
            .write(&mut answer)
            .expect("room");
    }

    group.throughput(Throughput::Bytes((request.len() + answer.len()) as u64));
    let mut out = Vec::with_capacity(1024);
    group.bench_function("request and answer", |b| {
        b.iter_batched_ref(
            || answer.clone(),
            |answer| -> Option<Negotiated<Client>> {
                out.clear();
                let mut client = client();
                client.write_request(&mut out).ok()?;
                match client.recv(&mut &mut answer[..]).ok()?? {
                    Answer::Accepted { negotiated, .. } => Some(negotiated),
                    Answer::Rejected(_) => None,
                }
            },
            BatchSize::SmallInput,
        );
    });
}

criterion_group!(benches, server, client);
criterion_main!(benches);
