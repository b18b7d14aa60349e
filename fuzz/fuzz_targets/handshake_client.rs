//! A client's handshake with any answer, in any cut.
#![no_main]

mod support;

use support::Cuts;
use support::heads::spelled;
use support::work::{Bounds, bounded};
use ws_proto::handshake::{Answer, ClientHandshake, HandshakeError, HeadLimits, accept_key};
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
