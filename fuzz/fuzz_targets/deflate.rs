//! Hostile compressed messages: no split makes a difference, the content is that of an inflater
//! that was written from RFC 1951, and a message fails for the first rule or limit that it
//! violates, byte by byte.
#![no_main]

#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "../../tests/common/deflate/oracle.rs"]
mod oracle;
mod support;

use common::{TestRole, read_head};
use oracle::Oracle;
use support::Cuts;
use support::work::{Bounds, bounded};
use ws_proto::deflate::{self, Decompressor, Inflated, Params};
use ws_proto::frame::{Header, MaskingKey, Opcode, Utf8Validator};
use ws_proto::{
    Client, Config, Message, MessageKind, Negotiated, ProtocolError, Server, State, WebSocket,
};

const LIMIT: u64 = 20_000;

/// Few, so that short inputs reach the bound on the wire where the limit is small.
const MAX_FRAGMENTS: u32 = 8;

/// Not only the input needs work, but also the bytes that it inflates to, and the states need
/// memory.
const BOUNDS: Bounds = Bounds {
    loads: (50_000, 400),
    memory: (160 << 10, 8),
};

/// The messages that were received, or the error that ended them.
type Received = Vec<Result<Vec<u8>, Option<ProtocolError>>>;

/// The choices of the fuzzer.
struct Choice {
    params: Params,
    kind: MessageKind,
    /// How long a message may be.
    limit: u64,
    /// Whether a fragment is the last of its message.
    ends: bool,
}

impl Choice {
    fn new(bits: u8) -> Self {
        let no_context_takeover =
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        Self {
            params: if bits & 4 == 0 {
                Params::default()
            } else {
                no_context_takeover.parse().expect("an answer")
            },
            kind: if bits & 2 == 0 {
                MessageKind::Binary
            } else {
                MessageKind::Text
            },
            limit: if bits & 1 == 0 { LIMIT } else { 20 },
            ends: bits & 8 != 0,
        }
    }
}

/// The messages, the answers, and the end.
fn receive<R: TestRole>(choice: &Choice, pieces: &[&[u8]]) -> (Received, Vec<u8>, State) {
    let negotiated =
        Negotiated::new(R::make()).with_deflate(&deflate::DeflateConfig::default(), choice.params);
    let mut ws = WebSocket::new(
        negotiated,
        &Config::default()
            .with_max_message(choice.limit)
            .with_max_fragments(MAX_FRAGMENTS),
    );
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
    (seen, out, ws.state())
}

/// Whether one of the frames has a reserved bit where none may be: RSV1 belongs to the first frame
/// of a message (DP1).
fn misuses_reserved_bits(mut bytes: &[u8]) -> bool {
    while let Some(head) = read_head(bytes) {
        let is_first = matches!(head.frame.opcode, 1 | 2);
        if head.frame.rsv != 0 && !(head.frame.rsv == 4 && is_first) {
            return true;
        }
        let len = usize::try_from(head.len)
            .unwrap_or(usize::MAX)
            .saturating_add(head.taken);
        bytes = bytes.get(len..).unwrap_or_default();
    }
    false
}

/// The content of a message in these fragments, byte by byte: headers are judged first, and then
/// the bytes that each byte inflates to.
fn verdict(
    choice: &Choice,
    decompressor: &mut Decompressor,
    fragments: &[&[u8]],
) -> Result<Vec<u8>, ProtocolError> {
    let (mut content, mut utf8) = (Vec::new(), Utf8Validator::new());
    let mut size = 0;
    for (at, fragment) in fragments.iter().enumerate() {
        size += fragment.len() as u64;
        let limit = 16 * (choice.limit + u64::from(MAX_FRAGMENTS)) + 1024;
        if size > limit {
            return Err(ProtocolError::CompressedTooLong { len: size, limit });
        }
        let (count, limit) = (at as u64 + 1, (u64::from(MAX_FRAGMENTS) + size / 16).max(1));
        if count > limit {
            return Err(ProtocolError::TooManyFragments {
                fragments: count,
                limit,
            });
        }
        let ends = (at + 1 == fragments.len()).then_some((&[][..], true));
        for (mut input, last) in fragment.chunks(1).map(|byte| (byte, false)).chain(ends) {
            loop {
                let mut block = [0; 97];
                let Inflated { len, done } = decompressor
                    .inflate(&mut input, last, &mut block)
                    .map_err(|_| ProtocolError::InvalidCompression)?;
                for &byte in &block[..len] {
                    if content.len() as u64 == choice.limit {
                        return Err(ProtocolError::MessageTooLong {
                            len: choice.limit + 1,
                            limit: choice.limit,
                        });
                    }
                    content.push(byte);
                    if choice.kind == MessageKind::Text {
                        utf8.feed(&[byte])?;
                    }
                }
                if done {
                    break;
                }
            }
        }
    }
    utf8.finish()?;
    Ok(content)
}

/// A message's frames, as one that is compressed.
fn frames<R: TestRole>(kind: MessageKind, fragments: &[&[u8]]) -> Vec<u8> {
    let mut frames = Vec::new();
    for (at, fragment) in fragments.iter().enumerate() {
        let opcode = match (at, kind) {
            (0, MessageKind::Text) => Opcode::TEXT,
            (0, MessageKind::Binary) => Opcode::BINARY,
            _ => Opcode::CONTINUATION,
        };
        let header = Header {
            fin: at + 1 == fragments.len(),
            rsv: if at == 0 { Header::RSV1 } else { 0 },
            opcode,
            mask: (!R::MASKS).then_some(MaskingKey([0; 4])),
            len: fragment.len() as u64,
        };
        frames.extend_from_slice(&header.encode());
        frames.extend_from_slice(fragment);
    }
    frames
}

fn check<R: TestRole>(choice: &Choice, cuts: &Cuts<'_>, bytes: &[u8]) {
    let pieces = cuts.pieces(bytes);
    let produced = |(seen, ..): &(Received, Vec<u8>, State)| {
        seen.iter().flatten().map(Vec::len).sum::<usize>()
    };

    // As frames, if they are any.
    let whole = receive::<R>(choice, &[bytes]);
    let work = bytes.len() + produced(&whole) + LIMIT as usize;
    assert_eq!(
        whole,
        bounded(&BOUNDS, work, || receive::<R>(choice, &pieces)),
        "a cut makes a difference to frames"
    );
    assert!(
        whole.2 != State::Open || !misuses_reserved_bits(bytes),
        "a reserved bit is let pass"
    );
    assert!(
        whole
            .0
            .iter()
            .flatten()
            .all(|message| message.len() as u64 <= choice.limit),
        "more than the limit is delivered"
    );

    // As the payload of messages.
    let messages: Vec<&[&[u8]]> = if choice.ends {
        pieces.chunks(1).collect()
    } else {
        vec![&pieces]
    };
    let wire: Vec<u8> = messages
        .iter()
        .flat_map(|fragments| frames::<R>(choice.kind, fragments))
        .collect();
    let mut decompressor = if R::MASKS {
        choice.params.server_decompressor()
    } else {
        choice.params.client_decompressor()
    };
    let mut oracle = Oracle::default();
    let mut expected: Received = Vec::new();
    for fragments in messages {
        let message = verdict(choice, &mut decompressor, fragments);
        match &message {
            Ok(message) => assert!(
                oracle.message(&fragments.concat()).as_ref() == Some(message),
                "RFC 1951 has it another way"
            ),
            Err(ProtocolError::InvalidCompression) => assert_eq!(
                oracle.message(&fragments.concat()),
                None,
                "RFC 1951 has it another way"
            ),
            Err(_) => {}
        }
        if choice.params.server_no_context_takeover() {
            oracle.reset();
        }
        let failed = message.is_err();
        expected.push(message.map_err(Some));
        if failed {
            break;
        }
    }
    let work = wire.len() + expected.iter().flatten().map(Vec::len).sum::<usize>() + LIMIT as usize;
    let (seen, ..) = bounded(&BOUNDS, work, || receive::<R>(choice, &[&wire]));
    assert_eq!(seen, expected);
    let (seen, ..) = receive::<R>(choice, &wire.chunks(1).collect::<Vec<_>>());
    assert_eq!(seen, expected, "byte by byte");
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut data = data;
    let Some(&bits) = data.split_off_first() else {
        return;
    };
    let choice = Choice::new(bits);
    let cuts = Cuts::take(&mut data);
    if bits & 16 == 0 {
        check::<Server>(&choice, &cuts, data);
    } else {
        check::<Client>(&choice, &cuts, data);
    }
});
