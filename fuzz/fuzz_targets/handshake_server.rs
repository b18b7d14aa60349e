//! A server's handshake with any head, split anywhere, and its pages with any requests; and
//! `httparse` reads an accepted head as the same.
#![no_main]

mod support;

use support::Cuts;
use support::heads::spelled;
use support::work::{Bounds, bounded};
use ws_proto::deflate;
use ws_proto::handshake::{
    Body, HandshakeError, HeadBuffer, HeadLimits, Incoming, Origin, Request, Response, Scheme,
    ServerHandshake, WriteError,
};

/// The result: the request's facts, the answer, and how many bytes were left.
type Transcript = (
    Result<Option<(String, Vec<(String, Vec<u8>)>)>, HandshakeError>,
    Vec<u8>,
    usize,
);

const BOUNDS: Bounds = Bounds {
    loads: (4000, 300),
    memory: (2048, 24),
};

/// A request can be of 18 bytes, has an answer of 65, and its facts are recorded.
const PAGES: Bounds = Bounds {
    loads: (4000, 400),
    memory: (4096, 40),
};

fn serve(pieces: &[&[u8]]) -> Transcript {
    let mut handshake = ServerHandshake::new();
    let mut out = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        match handshake.recv(&mut input, &mut out) {
            Ok(None) => assert!(input.is_empty()),
            Ok(Some(request)) => {
                let left = input.len()
                    + pieces[at + 1..]
                        .iter()
                        .map(|piece| piece.len())
                        .sum::<usize>();
                let fields = request
                    .headers()
                    .iter()
                    .map(|(name, value)| (name.to_owned(), value.to_vec()))
                    .collect();
                let facts = (request.target().to_owned(), fields);
                _ = (
                    request.is_same_origin(Scheme::Https),
                    request
                        .origin_is_one_of(&[Origin::parse("https://example.com").expect("valid")]),
                    request.path(),
                    request.query(),
                );
                let subprotocol = request.subprotocols().last();
                _ = request
                    .accept()
                    .subprotocol_from(subprotocol.as_slice())
                    .deflate(&deflate::DeflateConfig::default())
                    .write(&mut out)
                    .expect("a request can be accepted");
                return (Ok(Some(facts)), out, left);
            }
            Err(error) => return (Err(error), out, 0),
        }
    }
    (Ok(None), out, 0)
}

/// The result in a buffer of this size, which keeps only some of the headers.
fn serve_in(size: usize, pieces: &[&[u8]]) -> (Result<Option<String>, HandshakeError>, Vec<u8>) {
    let mut memory = [0; 2048];
    let buffer = HeadBuffer::new(&mut memory[..size]);
    let (mut handshake, mut out) = (ServerHandshake::with_buffer(buffer), Vec::new());
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        match handshake.recv(&mut input, &mut out) {
            Ok(None) => assert!(input.is_empty()),
            Ok(Some(request)) => {
                _ = (request.host(), request.subprotocols().count());
                let target = request.target().to_owned();
                _ = request.accept().write(&mut out).expect("room");
                return (Ok(Some(target)), out);
            }
            Err(error) => return (Err(error), out),
        }
    }
    (Ok(None), out)
}

/// The result for any requests: their facts, the answers, the end, and the head that was refused.
type Pages = (
    Vec<(String, String, Vec<u8>)>,
    Vec<u8>,
    Result<(), HandshakeError>,
    Vec<u8>,
);

/// Answers requests until one is for WebSocket, and reads bodies, or leaves them to be skipped.
fn serve_pages(pieces: &[&[u8]], reads: bool) -> Pages {
    let (mut handshake, mut out) = (ServerHandshake::new(), Vec::new());
    let mut seen: Vec<(String, String, Vec<u8>)> = Vec::new();
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        loop {
            while reads && let Some(slice) = handshake.recv_body(&mut input) {
                seen.last_mut()
                    .expect("a request")
                    .2
                    .extend_from_slice(slice);
            }
            let left = input.len();
            match handshake.recv_http(&mut input, &mut out) {
                Ok(None) => {
                    assert!(input.is_empty());
                    break;
                }
                Ok(Some(Incoming::Http(request))) => {
                    assert!(handshake_consumed(left, input.len()));
                    let response = request.respond(404).body(b"why").keep_alive();
                    response.write(&mut out).expect("a request can be answered");
                    assert!(!response.persists() || request.body() != Body::Chunked);
                    _ = (request.path(), request.query());
                    seen.push((
                        format!("{} {}", request.method(), request.target()),
                        format!("{:?} {:?}", request.version(), request.body()),
                        Vec::new(),
                    ));
                }
                Ok(Some(Incoming::WebSocket(_))) => return (seen, out, Ok(()), Vec::new()),
                Err(error) => {
                    let refused = handshake.refused_head().to_vec();
                    return (seen, out, Err(error), refused);
                }
            }
        }
    }
    let end = handshake.recv_eof();
    (seen, out, end, handshake.refused_head().to_vec())
}

/// A head has at least one byte in the input in which it ends.
const fn handshake_consumed(before: usize, after: usize) -> bool {
    after < before
}

/// The fields as those of an extended CONNECT: if they are accepted, the answer has nothing that
/// HTTP/2 forbids.
fn connect(target: &str, fields: &[(String, Vec<u8>)]) {
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_slice()))
        .filter(|(name, _)| !["Upgrade", "Connection", "Host"].contains(name))
        .collect();
    if let Ok(request) = Request::from_connect("websocket", "https", "example.com", target, &fields)
    {
        let config = deflate::DeflateConfig::default();
        let accept = request.accept().deflate(&config);
        let (parts, negotiated) = accept.parts().expect("a request can be accepted");
        assert_eq!(parts.status(), 200);
        assert_eq!(
            parts.headers().count(),
            usize::from(negotiated.deflate().is_some())
        );
        for (name, value) in parts.headers() {
            assert!(!name.bytes().any(|byte| byte.is_ascii_uppercase()));
            assert!(!value.iter().any(u8::is_ascii_control));
        }
        assert_eq!(
            accept.write(&mut Vec::new()).unwrap_err(),
            WriteError::NotHttp1
        );
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut data = data;
    let cuts = Cuts::take(&mut data);
    let bytes = &spelled(data, b"")[..];
    let whole = bounded(&BOUNDS, bytes.len(), || serve(&[bytes]));
    let pieces = cuts.pieces(bytes);
    assert_eq!(
        whole,
        bounded(&BOUNDS, bytes.len(), || serve(&pieces)),
        "a cut makes a difference"
    );

    let size = 16 * data.first().map_or(0, |&byte| usize::from(byte % 129));
    let small = bounded(&BOUNDS, bytes.len(), || serve_in(size, &[bytes]));
    assert_eq!(
        small,
        bounded(&BOUNDS, bytes.len(), || serve_in(size, &pieces)),
        "a cut makes a difference"
    );
    if small.0 != Err(HandshakeError::HeadTooLarge { limit: size }) {
        let expected = whole
            .0
            .clone()
            .map(|request| request.map(|(target, _)| target));
        assert_eq!(small.0, expected, "a buffer makes a difference");
    }

    for reads in [false, true] {
        let whole = bounded(&PAGES, bytes.len(), || serve_pages(&[bytes], reads));
        assert_eq!(
            whole,
            bounded(&PAGES, bytes.len(), || serve_pages(&pieces, reads)),
            "a cut makes a difference"
        );
        let (_, out, end, refused) = whole;
        let mut out = &out[..];
        while !out.is_empty() {
            let parsed = Response::parse(out, &HeadLimits::new());
            let (response, len) = parsed.expect("a response").expect("complete");
            let body = match (response.status(), response.body()) {
                (404, Body::Length(3)) if out[len..].starts_with(b"why") => 3,
                // To a HEAD.
                (404, Body::Length(3)) => 0,
                (status, body) => {
                    assert_eq!(
                        (Err(status), body),
                        (end.map_err(HandshakeError::status), Body::None)
                    );
                    0
                }
            };
            out = &out[len + body..];
        }
        assert_eq!(end.is_ok(), end.is_ok() && refused.is_empty());
    }

    let (verdict, out, left) = whole;
    match verdict {
        Ok(Some((target, fields))) => {
            connect(&target, &fields);
            assert!(out.starts_with(b"HTTP/1.1 101 ") && out.ends_with(b"\r\n\r\n"));
            let mut theirs = [httparse::EMPTY_HEADER; 128];
            let mut request = httparse::Request::new(&mut theirs);
            // It knows no version after 1.1, where RFC 6455 §4.2.1 takes "1.1 or higher".
            let mut bytes = bytes.to_vec();
            // An empty line may come before the request line.
            if let Some(end) = (2..bytes.len()).find(|&at| bytes[at] == b'\r') {
                bytes[end - 1] = b'1';
            }
            assert_eq!(
                request.parse(&bytes),
                Ok(httparse::Status::Complete(bytes.len() - left))
            );
            assert_eq!(
                (request.method, request.path, request.version),
                (Some("GET"), Some(&*target), Some(1))
            );
            let theirs: Vec<_> = request
                .headers
                .iter()
                .map(|field| (field.name.to_owned(), field.value.to_vec()))
                .collect();
            assert_eq!(theirs, fields);
        }
        Ok(None) => assert!(out.is_empty()),
        Err(error) => assert!(out.starts_with(format!("HTTP/1.1 {} ", error.status()).as_bytes())),
    }
});
