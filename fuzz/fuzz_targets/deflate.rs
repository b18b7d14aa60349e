//! Hostile compressed messages: no cut makes a difference, what is delivered is what a decompressor gives in small steps, and limits are exact.
#![no_main]

#[path = "../../tests/common/mod.rs"]
mod common;
mod support;

use common::{TestRole, read_head};
use support::Cuts;
use support::work::{Bounds, bounded};
use ws_proto::deflate::{self, Decompressor, Inflated, Params};
use ws_proto::{Agreed, Client, Config, Header, Kind, Mask, Message, Opcode, ProtocolError, Server, State, WebSocket};

const LIMIT: u64 = 20_000;

/// Beside the input also what it inflates to takes work, and the states memory.
const BOUNDS: Bounds = Bounds { loads: (50_000, 400), memory: (160 << 10, 8) };

/// What came: messages, or what ended them.
type Received = Vec<Result<Vec<u8>, Option<ProtocolError>>>;

/// How the fuzzer wants it.
struct Choice {
    params: Params,
    kind: Kind,
    max_ratio: u32,
    /// Whether a cut is the end of a message, or only of a fragment.
    ends: bool,
}

impl Choice {
    fn new(bits: u8) -> Self {
        let no_context_takeover = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
        Self {
            params: if bits & 4 == 0 { Params::default() } else { no_context_takeover.parse().expect("an answer") },
            kind: if bits & 2 == 0 { Kind::Binary } else { Kind::Text },
            max_ratio: if bits & 1 == 0 { u32::MAX } else { 10 },
            ends: bits & 8 != 0,
        }
    }
}

/// What comes of the bytes, what is answered, and how it ends.
fn receive<R: TestRole>(choice: &Choice, max_ratio: u32, pieces: &[&[u8]]) -> (Received, Vec<u8>, State) {
    let config = deflate::Config::default().max_ratio(max_ratio);
    let agreed = Agreed::new(R::make()).with_deflate(&config, choice.params);
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
    (seen, out, ws.state())
}

/// Whether one of the frames has a reserved bit where none may be: RSV1 belongs to the first frame of a message (DP1).
fn misuses_reserved_bits(mut bytes: &[u8]) -> bool {
    while let Some(head) = read_head(bytes) {
        let is_first = matches!(head.frame.opcode, 1 | 2);
        if head.frame.rsv != 0 && !(head.frame.rsv == 4 && is_first) {
            return true;
        }
        let len = usize::try_from(head.len).unwrap_or(usize::MAX).saturating_add(head.taken);
        bytes = bytes.get(len..).unwrap_or_default();
    }
    false
}

/// The message that a decompressor gives into a small output, if it is valid and no longer than the limit.
fn inflate(decompressor: &mut Decompressor, mut message: &[u8]) -> Option<Vec<u8>> {
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

/// A message's frames, as one that is compressed.
fn frames<R: TestRole>(kind: Kind, fragments: &[&[u8]]) -> Vec<u8> {
    let mut frames = Vec::new();
    for (at, fragment) in fragments.iter().enumerate() {
        let opcode = match (at, kind) {
            (0, Kind::Text) => Opcode::TEXT,
            (0, Kind::Binary) => Opcode::BINARY,
            _ => Opcode::CONTINUATION,
        };
        let header = Header {
            fin: at + 1 == fragments.len(),
            rsv: if at == 0 { Header::RSV1 } else { 0 },
            opcode,
            mask: (!R::MASKS).then_some(Mask([0; 4])),
            len: fragment.len() as u64,
        };
        frames.extend_from_slice(&header.encode());
        frames.extend_from_slice(fragment);
    }
    frames
}

fn check<R: TestRole>(choice: &Choice, cuts: &Cuts<'_>, bytes: &[u8]) {
    let pieces = cuts.pieces(bytes);
    let produced = |(seen, ..): &(Received, Vec<u8>, State)| seen.iter().flatten().map(Vec::len).sum::<usize>();

    // As frames, if they are any.
    let whole = receive::<R>(choice, choice.max_ratio, &[bytes]);
    let work = bytes.len() + produced(&whole) + LIMIT as usize;
    assert_eq!(whole, bounded(&BOUNDS, work, || receive::<R>(choice, choice.max_ratio, &pieces)), "a cut makes a difference to frames");
    assert!(whole.2 != State::Open || !misuses_reserved_bits(bytes), "a reserved bit is let pass");

    // As the payload of messages.
    let messages: Vec<&[&[u8]]> = if choice.ends { pieces.chunks(1).collect() } else { vec![&pieces] };
    let wire: Vec<u8> = messages.iter().flat_map(|fragments| frames::<R>(choice.kind, fragments)).collect();
    let mut decompressor = if R::MASKS { choice.params.server_decompressor() } else { choice.params.client_decompressor() };
    let mut expected = Vec::new();
    for fragments in messages {
        let message = inflate(&mut decompressor, &fragments.concat());
        let Some(message) = message.filter(|all| choice.kind == Kind::Binary || std::str::from_utf8(all).is_ok()) else { break };
        expected.push(message);
    }
    let work = wire.len() + expected.iter().map(Vec::len).sum::<usize>() + LIMIT as usize;
    let (seen, ..) = bounded(&BOUNDS, work, || receive::<R>(choice, u32::MAX, &[&wire]));
    let (messages, failure) = match seen.split_last() {
        Some((Err(failure), messages)) => (messages, Some(failure)),
        _ => (&seen[..], None),
    };
    assert!(messages.iter().map(|message| message.as_ref().ok()).eq(expected.iter().map(Some)), "{seen:?}, and not {expected:?}");
    let valid = expected.len() == if choice.ends { pieces.len() } else { 1 };
    assert_eq!(failure.is_some(), !valid, "{failure:?} after {expected:?}");
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut data = data;
    let Some(&bits) = data.split_off_first() else { return };
    let choice = Choice::new(bits);
    let cuts = Cuts::take(&mut data);
    if bits & 16 == 0 {
        check::<Server>(&choice, &cuts, data);
    } else {
        check::<Client>(&choice, &cuts, data);
    }
});
