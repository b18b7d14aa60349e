//! A server's handshake with any head, in any cut; and what it accepts, `httparse` reads as the
//! same.
#![no_main]

mod support;

use support::Cuts;
use support::heads::spelled;
use support::work::{Bounds, bounded};
use ws_proto::deflate;
use ws_proto::handshake::{HandshakeError, Origin, Scheme, ServerHandshake};

/// What came of it: the request's facts, what was answered, and how much was left.
type Transcript = (
    Result<Option<(String, Vec<(String, Vec<u8>)>)>, HandshakeError>,
    Vec<u8>,
    usize,
);

const BOUNDS: Bounds = Bounds {
    loads: (4000, 300),
    memory: (2048, 24),
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
                    request.origin_is_one_of(&[Origin::parse("https://example.com").expect("valid")]),
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

    let (verdict, out, left) = whole;
    match verdict {
        Ok(Some((target, fields))) => {
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
