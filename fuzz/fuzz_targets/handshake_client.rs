//! A client's handshake with any answer, split anywhere, and a proxy's answer to it.
#![no_main]

mod support;

use support::Cuts;
use support::heads::spelled;
use support::work::{Bounds, bounded};
use ws_proto::handshake::{
    Answer, ClientHandshake, ClientRequest, HandshakeError, HeadBuffer, HeadLimits, ProxyAnswer,
    ProxyConnect, Response, ResponseReader, accept_key,
};
use ws_proto::{Client, deflate, uri::Uri};

/// Whether the connection opened, with which subprotocol and extension; or the status of the
/// refusal.
type Transcript = (
    Result<Option<Result<(Option<String>, Option<deflate::Params>), u16>>, HandshakeError>,
    usize,
);

const BOUNDS: Bounds = Bounds {
    loads: (4000, 300),
    memory: (2048, 24),
};

fn connect(pieces: &[&[u8]]) -> Transcript {
    let mut handshake = handshake();
    for (at, piece) in pieces.iter().enumerate() {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        let answer = match handshake.recv(&mut input) {
            Ok(None) => {
                assert!(input.is_empty());
                continue;
            }
            Ok(Some(Answer::Accepted { negotiated, .. })) => Ok((
                negotiated.subprotocol().map(str::to_owned),
                negotiated.deflate(),
            )),
            Ok(Some(Answer::Rejected(response))) => {
                _ = (response.body(), response.headers().iter().count());
                Err(response.status())
            }
            Err(error) => return (Err(error), 0),
        };
        let left = input.len()
            + pieces[at + 1..]
                .iter()
                .map(|piece| piece.len())
                .sum::<usize>();
        return (Ok(Some(answer)), left);
    }
    (Ok(None), 0)
}

/// The status of a proxy's answer, if it is one, the bytes left, and the head that was refused.
fn tunnel(pieces: &[&[u8]]) -> (Result<Option<(bool, u16)>, HandshakeError>, usize, Vec<u8>) {
    let uri = Uri::parse("ws://example.com/").expect("a URI");
    let mut proxy = ProxyConnect::new(&uri);
    let (mut result, mut left) = (Ok(None), 0);
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        match proxy.recv(&mut input) {
            Ok(None) => {}
            Ok(Some(ProxyAnswer::Connected(response))) => {
                result = Ok(Some((true, response.status())));
            }
            Ok(Some(ProxyAnswer::Rejected(response))) => {
                result = Ok(Some((false, response.status())));
            }
            Err(error) => result = Err(error),
        }
        left += input.len();
    }
    (result, left, proxy.refused_head().to_vec())
}

/// The result of a client in a buffer of this size, with the same offer without its parameters.
fn connect_in(size: usize, pieces: &[&[u8]]) -> Result<Option<u16>, HandshakeError> {
    let uri = Uri::parse("ws://example.com/").expect("a URI");
    let request = ClientRequest::new(&uri, &mut Client::new([7; 32]))
        .subprotocols("chat, superchat")
        .relay_extensions("permessage-deflate");
    let mut memory = [0; 2048];
    let mut reader = ResponseReader::with_buffer(HeadBuffer::new(&mut memory[..size]));
    for piece in pieces {
        let mut piece = piece.to_vec();
        if let Some(response) = reader.recv(&mut &mut piece[..])? {
            return match request.verify(&response) {
                Ok(_) => Ok(Some(101)),
                Err(HandshakeError::UnexpectedStatus(status)) => Ok(Some(status)),
                Err(error) => Err(error),
            };
        }
    }
    Ok(None)
}

fn handshake() -> ClientHandshake {
    let uri = Uri::parse("ws://example.com/").expect("a URI");
    ClientHandshake::new(&uri, Client::new([7; 32]))
        .subprotocols(&["chat", "superchat"])
        .deflate(&deflate::DeflateConfig::default().with_server_max_window_bits(10))
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut data = data;
    let cuts = Cuts::take(&mut data);
    let mut request = Vec::new();
    handshake().write_request(&mut request).expect("room");
    let key = request
        .split(|&byte| byte == b'\n')
        .find_map(|line| line.strip_prefix(b"Sec-WebSocket-Key: "))
        .expect("a key")
        .trim_ascii();
    let bytes = &spelled(data, key)[..];

    let whole = bounded(&BOUNDS, bytes.len(), || connect(&[bytes]));
    let pieces = cuts.pieces(bytes);
    assert_eq!(
        whole,
        bounded(&BOUNDS, bytes.len(), || connect(&pieces)),
        "a cut makes a difference"
    );
    let size = 16 * data.first().map_or(0, |&byte| usize::from(byte % 129));
    let small = bounded(&BOUNDS, bytes.len(), || connect_in(size, &[bytes]));
    assert_eq!(
        small,
        bounded(&BOUNDS, bytes.len(), || connect_in(size, &pieces)),
        "a cut makes a difference"
    );
    // Only the parameters of the extension are not compared.
    match (&small, &whole.0) {
        (Err(HandshakeError::HeadTooLarge { limit }), _) if *limit == size => {}
        (_, Err(HandshakeError::InvalidExtensionParameter)) => {}
        (_, Err(HandshakeError::ExtensionNotOffered)) => {}
        (Err(error), Err(other)) => assert_eq!(error, other),
        (Ok(None), Ok(None)) => {}
        (Ok(Some(101)), Ok(Some(Ok(_)))) => {}
        (Ok(Some(status)), Ok(Some(Err(other)))) => assert_eq!(status, other),
        other => panic!("a buffer makes a difference: {other:?}"),
    }
    let through = bounded(&BOUNDS, bytes.len(), || tunnel(&[bytes]));
    assert_eq!(
        through,
        bounded(&BOUNDS, bytes.len(), || tunnel(&pieces)),
        "a cut makes a difference"
    );
    match through {
        (Ok(Some((open, status))), _, refused) => {
            assert!(status >= 200 && open == (status < 300) && refused.is_empty());
        }
        (Ok(None), left, refused) => assert!(left == 0 && refused.is_empty()),
        (Err(_), left, refused) => {
            assert!(left == 0 && bytes.ends_with(b"") && !refused.is_empty())
        }
    }

    // A response of HTTP/1.1 is judged as parts as it was as bytes.
    if let Ok(Some((response, len))) = Response::parse(bytes, &HeadLimits::new())
        && response.status() >= 101
        && (response.status() >= 200 || response.status() == 101)
        && bytes.starts_with(b"HTTP/1.1 ")
    {
        let fields: Vec<_> = response.headers().iter().collect();
        let parts = Response::from_headers((1, 1), response.status(), &fields).expect("valid");
        let answer = handshake().recv_response(parts);
        match &whole.0 {
            Ok(Some(Ok(_))) => assert!(matches!(answer, Ok(Answer::Accepted { .. }))),
            Ok(Some(Err(status))) => {
                assert!(
                    matches!(answer, Ok(Answer::Rejected(response)) if response.status() == *status)
                );
            }
            Ok(None) => unreachable!("it has {len} bytes"),
            Err(error) => assert_eq!(answer.unwrap_err(), *error),
        }
        // Over HTTP/2 it may be another, but no panic.
        _ = Response::from_headers((2, 0), response.status(), &fields)
            .and_then(|response| handshake().recv_response(response));
    }

    let limit = HeadLimits::new().max_interim();
    let interim = b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(limit + 1);
    assert!(
        !bytes.starts_with(&interim)
            || whole.0 == Err(HandshakeError::TooManyInterimResponses { limit }),
        "more interim responses than the limit"
    );
    match whole.0 {
        Ok(Some(Ok((protocol, params)))) => {
            assert!(protocol.is_none_or(|name| ["chat", "superchat"].contains(&&*name)));
            assert!(params.is_none_or(|params| params.server_max_window_bits() <= 10));
            let accept = accept_key(key);
            assert!(
                bytes.windows(accept.len()).any(|window| window == accept),
                "opened without a proof of the key"
            );
        }
        Ok(Some(Err(status))) => assert!(status != 101 && status >= 200),
        Ok(None) | Err(_) => {}
    }
});
