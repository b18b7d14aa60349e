//! Hostile compressed messages: no cut makes a difference, and limits are exact.
#![no_main]

mod support;

use support::{cuts_and_bytes, pieces};
use ws_proto::deflate::{self, Inflated, Params};
use ws_proto::{Agreed, Config, Header, Kind, Mask, Message, Opcode, ProtocolError, Server, WebSocket};

const LIMIT: u64 = 20_000;

/// What a server makes of the bytes, and what it answers.
fn receive(pieces: &[&[u8]], ratio: u32) -> (Vec<Result<Vec<u8>, Option<ProtocolError>>>, Vec<u8>) {
    let config = deflate::Config::default().max_ratio(ratio);
    let agreed = Agreed::new(Server).with_deflate(&config, Params::default());
    let mut ws = WebSocket::new(agreed, &Config::default().max_message(LIMIT));
    let (mut seen, mut out) = (Vec::new(), Vec::new());
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        while let Some(message) = ws.recv(&mut input, &mut out) {
            seen.push(match message {
                Message::Text(text) => Ok(text.into_owned().into_bytes()),
                Message::Binary(bytes) => Ok(bytes.into_owned()),
                Message::Failed(error) => Err(Some(error)),
                _ => Err(None),
            });
        }
    }
    (seen, out)
}

/// The message that a decompressor gives into a small output, if it is valid and no longer than the limit.
fn inflate(mut message: &[u8]) -> Option<Vec<u8>> {
    let mut decompressor = Params::default().client_decompressor();
    let (mut all, mut block) = (Vec::new(), [0; 97]);
    loop {
        let Inflated { len, done } = decompressor.inflate(&mut message, true, &mut block).ok()?;
        all.extend_from_slice(&block[..len]);
        if all.len() as u64 > LIMIT {
            return None;
        }
        if done {
            return Some(all);
        }
    }
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Some((&choice, data)) = data.split_first() else { return };
    let (cuts, bytes) = cuts_and_bytes(data);
    let ratio = if choice & 1 == 0 { u32::MAX } else { 10 };

    // As frames, if they are any.
    assert_eq!(receive(&[bytes], ratio), receive(&pieces(bytes, &cuts), ratio), "a cut makes a difference to frames");

    // As one message's payload in fragments.
    let kind = if choice & 2 == 0 { Kind::Binary } else { Kind::Text };
    let mut frames = Vec::new();
    let parts = pieces(bytes, &cuts);
    for (at, part) in parts.iter().enumerate() {
        let opcode = match (at, kind) {
            (0, Kind::Text) => Opcode::TEXT,
            (0, Kind::Binary) => Opcode::BINARY,
            _ => Opcode::CONTINUATION,
        };
        let rsv = if at == 0 { Header::RSV1 } else { 0 };
        let header = Header { fin: at + 1 == parts.len(), rsv, opcode, mask: Some(Mask([0; 4])), len: part.len() as u64 };
        frames.extend_from_slice(&header.encode());
        frames.extend_from_slice(part);
    }
    let (seen, _) = receive(&[&frames], u32::MAX);
    let expected = inflate(bytes).filter(|all| kind == Kind::Binary || std::str::from_utf8(all).is_ok());
    match (&seen[..], expected) {
        ([Ok(message)], Some(expected)) => assert_eq!(*message, expected),
        ([Err(Some(_))], None) => {}
        (seen, expected) => panic!("{seen:?}, and not {expected:?}"),
    }
});
