//! Exhaustive tests: every header, status code, short text and short sequence of frames, at every
//! split of the input.
//!
//! `judge` and `Model` are an independent receiver, written from RFC 6455, RFC 7692 and the
//! documentation of [`Config`]: a prefix of a header is judged by the lengths that it can still
//! become. Of the 64-bit lengths and of texts of four bytes only those are tested at which
//! something changes.
//!
//! With optimization everything is tested, in about a minute of CPU time. Without (`cargo test`),
//! [`FULL`] is false and a part is, in a few seconds: fewer lengths, codes and texts, and sequences
//! of two frames instead of four.

use crate::FULL;
#[cfg(feature = "deflate")]
use crate::common::deflate::{Oracle, params};
use crate::common::model::{can_be_text, is_legal_on_the_wire, status};
use crate::common::{
    Ended, Form, Frame, Halves, Layer, Log, Masking, MessageHalves, Seen, TestRole, assembled,
    code, read_all, read_head,
};
use core::fmt::Debug;
use core::mem::take;
use std::collections::HashMap;
#[cfg(feature = "deflate")]
use ws_proto::deflate;
use ws_proto::frame::{InvalidUtf8, Opcode, Utf8Validator};
use ws_proto::{
    Action, Client, Config, Connection, Endpoint, Event, Message, MessageKind, Negotiated,
    ProtocolError, Server, State, WebSocket,
};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

// The rules.

#[derive(Debug, Clone, Copy)]
struct Rules {
    max_message: u64,
    max_fragments: u32,
    lenient: bool,
    /// Whether permessage-deflate was negotiated, without context takeover.
    compression: bool,
}

impl Rules {
    fn config(self) -> Config {
        Config::default()
            .with_max_message(self.max_message)
            .with_max_fragments(self.max_fragments)
            .with_allow_non_minimal_length(self.lenient)
    }

    /// As documented: 16 bytes for each byte of content and for each fragment, and 1 KiB.
    fn max_compressed(self) -> u128 {
        16 * (u128::from(self.max_message) + u128::from(self.max_fragments)) + 1024
    }
}

/// The message that is incomplete.
#[derive(Debug, Clone)]
struct Begun {
    kind: MessageKind,
    compressed: bool,
    /// The length that its frames declare.
    declared: u128,
    frames: u128,
    payload: Vec<u8>,
}

/// The rules that every header violates which begins with `prefix`. One that names a value is
/// violated once the value is known.
fn judge<R: TestRole>(prefix: &[u8], begun: Option<&Begun>, rules: Rules) -> Vec<ProtocolError> {
    let mut violated = Vec::new();
    let (fin, rsv, number) = (prefix[0] & 0x80 != 0, prefix[0] >> 4 & 7, prefix[0] & 15);
    let opcode = Opcode::new(number).unwrap();
    let is_control = number > 7;
    let begins = match number {
        1 => Some(MessageKind::Text),
        2 => Some(MessageKind::Binary),
        _ => None,
    };
    // RFC 7692 §6: RSV1 on the first frame of a message, and nowhere else.
    if rsv != 0 && !(rsv == 4 && rules.compression && begins.is_some()) {
        violated.push(ProtocolError::ReservedBits(rsv));
    }
    if !matches!(number, 0..=2 | 8..=10) {
        violated.push(ProtocolError::ReservedOpcode(opcode));
    }
    if is_control && !fin {
        violated.push(ProtocolError::FragmentedControl(opcode));
    }
    match (begins, begun) {
        (None, None) if number == 0 => violated.push(ProtocolError::UnexpectedContinuation),
        (Some(begins), Some(begun)) => violated.push(ProtocolError::ExpectedContinuation {
            incomplete: begun.kind,
            begun: begins,
        }),
        _ => {}
    }
    let Some(second) = prefix.get(1) else {
        return violated;
    };
    match (second & 0x80 != 0, R::MASKS) {
        (true, true) => violated.push(ProtocolError::Masked),
        (false, false) => violated.push(ProtocolError::Unmasked),
        _ => {}
    }
    let (least, most, shortest) = lengths(prefix);
    if is_control {
        if least > 125 || !rules.lenient && shortest > 125 {
            violated.push(ProtocolError::ControlTooLong(opcode));
        }
        if number == 8 && (least, most) == (1, 1) {
            violated.push(ProtocolError::InvalidCloseBody);
        }
        return violated;
    }
    if least > u128::from(u64::MAX >> 1) {
        violated.push(ProtocolError::LengthOverflow);
    }
    if !rules.lenient && most < shortest {
        violated.push(ProtocolError::NonMinimalLength);
    }
    if least == most {
        let len = begun.map_or(0, |begun| begun.declared) + least;
        let fragments = begun.map_or(0, |begun| begun.frames) + 1;
        if begun.map_or(rsv == 4 && rules.compression, |begun| begun.compressed) {
            if len > rules.max_compressed() {
                violated.push(ProtocolError::CompressedTooLong {
                    len: len as u64,
                    limit: rules.max_compressed() as u64,
                });
            }
        } else if len > rules.max_message.into() {
            violated.push(ProtocolError::MessageTooLong {
                len: len as u64,
                limit: rules.max_message,
            });
        }
        let limit = (u128::from(rules.max_fragments) + len / 16).max(1);
        if fragments > limit {
            violated.push(ProtocolError::TooManyFragments {
                fragments: fragments as u64,
                limit: limit as u64,
            });
        }
    }
    violated
}

/// The least and the greatest length that a header can have which begins with these bytes, and the
/// least that its form is meant for.
fn lengths(prefix: &[u8]) -> (u128, u128, u128) {
    let (size, shortest) = match prefix[1] & 0x7f {
        126 => (2, 126),
        127 => (8, 0x1_0000),
        len => return (len.into(), len.into(), 0),
    };
    let known = &prefix[2..prefix.len().min(2 + size)];
    let unknown = 8 * (size - known.len());
    let least = known
        .iter()
        .fold(0, |number, &byte| number << 8 | u128::from(byte))
        << unknown;
    (least, least + (1 << unknown) - 1, shortest)
}

/// The code in the one frame that was written: a Close.
#[track_caller]
fn close_code<R: TestRole>(out: &[u8]) -> u16 {
    assert_eq!(
        (
            out[0],
            usize::from(out[1] & 0x7f) + if R::MASKS { 6 } else { 2 }
        ),
        (0x88, out.len()),
        "one Close: {out:x?}"
    );
    assert_eq!(out[1] & 0x80 != 0, R::MASKS);
    match *out {
        [_, _, a, b, _, _, high, low, ..] if R::MASKS => u16::from_be_bytes([high ^ a, low ^ b]),
        [_, _, high, low, ..] if !R::MASKS => u16::from_be_bytes([high, low]),
        _ => panic!("a Close without a code"),
    }
}

// Making connections.

struct Maker {
    config: Config,
    #[cfg(feature = "deflate")]
    deflate: Option<(deflate::DeflateConfig, deflate::Params)>,
}

impl Maker {
    fn new(rules: Rules) -> Self {
        Self {
            config: rules.config(),
            #[cfg(feature = "deflate")]
            deflate: rules.compression.then(|| {
                (
                    deflate::DeflateConfig::default(),
                    params("; server_no_context_takeover; client_no_context_takeover"),
                )
            }),
        }
    }

    fn negotiated<R: TestRole>(&self) -> Negotiated<R> {
        let negotiated = Negotiated::new(R::make());
        #[cfg(feature = "deflate")]
        if let Some((config, params)) = &self.deflate {
            return negotiated.with_deflate(config, *params);
        }
        negotiated
    }

    fn connection<R: TestRole>(&self) -> Connection<R> {
        Connection::new(self.negotiated(), &self.config)
    }

    fn websocket<R: TestRole>(&self) -> WebSocket<R> {
        WebSocket::new(self.negotiated(), &self.config)
    }
}

/// Whether to test with compression, too.
const COMPRESSION: &[bool] = if cfg!(feature = "deflate") {
    &[false, true]
} else {
    &[false]
};

/// The result of receiving a slice of input.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Got {
    Nothing,
    /// A complete message, as long as this.
    Message(MessageKind, usize),
    Ping,
    Pong,
    Close(Option<u16>),
    Failed(ProtocolError),
}

/// The layers that receive, and reply by themselves.
trait Receive<R>: Debug {
    /// Whether it gives of a text that is not valid the part before the fault.
    const STREAMS: bool;
    fn make(maker: &Maker) -> Self;
    /// Receives this input, which is at most one message or control frame. Text or data that is not
    /// complete is appended to `data`.
    fn piece(&mut self, input: &mut [u8], out: &mut Vec<u8>, data: &mut Vec<u8>) -> Got;
    fn left(&self) -> u64;
}

impl<R: TestRole> Receive<R> for Connection<R> {
    const STREAMS: bool = true;

    fn make(maker: &Maker) -> Self {
        maker.connection()
    }

    fn piece(&mut self, mut input: &mut [u8], out: &mut Vec<u8>, data: &mut Vec<u8>) -> Got {
        let mut got = Got::Nothing;
        while let Some(event) = self.recv(&mut input, out) {
            assert_eq!(got, Got::Nothing);
            got = match event {
                Event::Data(chunk) => {
                    data.extend_from_slice(chunk.payload);
                    if !chunk.last {
                        continue;
                    }
                    Got::Message(chunk.kind, data.len())
                }
                Event::Ping => Got::Ping,
                Event::Pong => Got::Pong,
                Event::Close(code) => Got::Close(code.map(u16::from)),
                Event::Failed(error) => Got::Failed(error),
                other => panic!("a new event: {other:?}"),
            };
        }
        assert!(input.is_empty() && !self.is_paused());
        got
    }

    fn left(&self) -> u64 {
        self.payload_left()
    }
}

impl<R: TestRole> Receive<R> for WebSocket<R> {
    const STREAMS: bool = false;

    fn make(maker: &Maker) -> Self {
        maker.websocket()
    }

    fn piece(&mut self, mut input: &mut [u8], out: &mut Vec<u8>, data: &mut Vec<u8>) -> Got {
        let mut got = Got::Nothing;
        while let Some(message) = self.recv(&mut input, out) {
            assert_eq!(got, Got::Nothing);
            got = match message {
                Message::Text(text) => {
                    data.extend_from_slice(text.as_bytes());
                    Got::Message(MessageKind::Text, text.len())
                }
                Message::Binary(bytes) => {
                    data.extend_from_slice(&bytes);
                    Got::Message(MessageKind::Binary, bytes.len())
                }
                Message::Ping => Got::Ping,
                Message::Pong => Got::Pong,
                Message::Close(code) => Got::Close(code.map(u16::from)),
                Message::Failed(error) => Got::Failed(error),
                other => panic!("a new message: {other:?}"),
            };
        }
        assert!(input.is_empty() && !self.is_paused());
        got
    }

    fn left(&self) -> u64 {
        self.payload_left()
    }
}

// a. Headers.

/// A way to split an input: after every byte, or in two at this place (at its length: not at all).
#[derive(Debug, Clone, Copy)]
enum Split {
    Bytes,
    At(usize),
}

/// Passes the input in slices until there is an event, and returns the number of bytes until then.
/// After a Close or failure there is none.
fn drive<R: TestRole, L: Receive<R>>(
    layer: &mut L,
    input: &mut [u8],
    split: Split,
    out: &mut Vec<u8>,
    data: &mut Vec<u8>,
) -> (usize, Got) {
    let mut given = 0;
    while given < input.len() {
        let end = match split {
            Split::Bytes => given + 1,
            Split::At(place) if given < place => place,
            Split::At(_) => input.len(),
        };
        let got = layer.piece(&mut input[given..end], out, data);
        given = end;
        if got != Got::Nothing {
            if matches!(got, Got::Failed(_) | Got::Close(_)) {
                let written = out.len();
                assert_eq!(
                    layer.piece(&mut input[end..], out, data),
                    Got::Nothing,
                    "P2: nothing comes after the end"
                );
                assert_eq!((out.len(), layer.left()), (written, 0));
            } else {
                assert_eq!(end, input.len());
            }
            return (given, got);
        }
    }
    (given, Got::Nothing)
}

/// After how many bytes of an input that comes split like this the byte of this index has come.
fn arrival(index: usize, len: usize, split: Split) -> usize {
    match split {
        Split::Bytes => index + 1,
        Split::At(place) if index < place => place,
        Split::At(_) => len,
    }
}

/// Headers with these two bytes at the front, with the lengths at which anything changes.
fn headers(first: u8, second: u8, lens: &[u64], mut check: impl FnMut(&mut Vec<u8>)) {
    let size = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let fits = |len: u64| size == 8 || len >> 16 == 0;
    for &len in if size == 0 { &[0] } else { lens } {
        if fits(len) {
            let mut header = vec![first, second];
            header.extend(&len.to_be_bytes()[8 - size..]);
            if second & 0x80 != 0 {
                header.extend(KEY);
            }
            check(&mut header);
        }
    }
}

fn begun(kind: MessageKind, compressed: bool) -> Begun {
    Begun {
        kind,
        compressed,
        declared: 3,
        frames: 1,
        payload: b"abc".to_vec(),
    }
}

/// Brings a layer into the middle of such a message.
fn begin<R: TestRole, L: Receive<R>>(layer: &mut L, begun: &Begun) {
    let opcode = if begun.kind == MessageKind::Text {
        1
    } else {
        2
    };
    // Of "abc" a decompressor makes something that is not complete.
    let mut frame = Frame::new(opcode, &begun.payload)
        .more()
        .rsv(if begun.compressed { 4 } else { 0 })
        .to::<R>();
    assert_eq!(
        layer.piece(&mut frame, &mut Vec::new(), &mut Vec::new()),
        Got::Nothing
    );
}

/// All headers, with every split: a violation is reported at the byte that makes it certain, and
/// not before. Returns the number of inputs.
fn check_headers<R: TestRole, L: Receive<R>>(
    rules: Rules,
    begun: Option<&Begun>,
    splits: bool,
) -> u64 {
    let maker = Maker::new(rules);
    let limits = [u128::from(rules.max_message), rules.max_compressed()];
    let already = begun.map_or(0, |begun| begun.declared);
    let mut lens = vec![
        0,
        1,
        2,
        124,
        125,
        126,
        127,
        128,
        255,
        256,
        0x7fff,
        0x8000,
        0xffff,
        0x1_0000,
        0xff_ffff,
        1 << 32,
        1 << 56,
    ];
    lens.extend([
        u64::MAX >> 8,
        (u64::MAX >> 1) - 3,
        (u64::MAX >> 1) - 1,
        u64::MAX >> 1,
        1 << 63,
        (1 << 63) + 1,
        u64::MAX,
    ]);
    lens.extend(limits.iter().flat_map(|limit| {
        [limit - already - 1, limit - already, limit - already + 1].map(|len| len as u64)
    }));
    // As many bytes as make up for a fragment.
    lens.extend([12, 13, 14, 15, 16, 28, 29]);
    lens.sort_unstable();
    lens.dedup();
    if !FULL {
        lens.retain(|len| matches!(len, 0..3 | 125..128 | 12..14 | 297..302 | 5837..5843 | 0xffff | 0x1_0000 | 0x7fff_ffff_ffff_ffff..=0x8000_0000_0000_0000));
    }
    let seconds = 0..=255_u8;
    let (mut out, mut data, mut inputs) = (Vec::new(), Vec::new(), 0);
    for first in 0..=255 {
        for second in seconds
            .clone()
            .filter(|second| FULL || matches!(second & 0x7f, 0..2 | 12..14 | 125..))
        {
            headers(first, second, &lens, |header| {
                let fault = (1..=header.len()).find_map(|len| {
                    let violated = judge::<R>(&header[..len], begun, rules);
                    (!violated.is_empty()).then_some((len - 1, violated))
                });
                let (_, len, _) = lengths(header);
                let mut check = |split| {
                    inputs += 1;
                    let mut layer = L::make(&maker);
                    if let Some(begun) = begun {
                        begin::<R, L>(&mut layer, begun);
                    }
                    out.clear();
                    data.clear();
                    let mut input = [0; 14];
                    let input = &mut input[..header.len()];
                    input.copy_from_slice(header);
                    let (given, got) = drive::<R, L>(&mut layer, input, split, &mut out, &mut data);
                    let context = || {
                        format!(
                            "{header:x?} {split:?} {rules:?} {begun:?}: {got:?} after {given}, not {fault:x?}"
                        )
                    };
                    match (&fault, &got) {
                        (Some((at, violated)), Got::Failed(error)) => {
                            assert_eq!(given, arrival(*at, header.len(), split), "{}", context());
                            assert!(violated.contains(error), "{}", context());
                            assert_eq!(close_code::<R>(&out), status(*error), "{}", context());
                        }
                        (None, _) if len == 0 => {
                            let kind = begun.map_or(
                                if header[0] & 15 == 1 {
                                    MessageKind::Text
                                } else {
                                    MessageKind::Binary
                                },
                                |begun| begun.kind,
                            );
                            let expected = match header[0] & 15 {
                                8 => Got::Close(None),
                                9 => Got::Ping,
                                10 => Got::Pong,
                                _ if header[0] & 0x80 == 0 => Got::Nothing,
                                // A stream does not inflate compressed messages; three bytes or
                                // none are no compressed message.
                                _ if (header[0] & 0x40 != 0
                                    || begun.is_some_and(|begun| begun.compressed))
                                    && matches!(
                                        got,
                                        Got::Failed(ProtocolError::InvalidCompression)
                                    ) =>
                                {
                                    return;
                                }
                                _ => {
                                    Got::Message(kind, begun.map_or(0, |begun| begun.payload.len()))
                                }
                            };
                            assert!(
                                got == expected
                                    || begun.is_some() && kind_of(&got) == kind_of(&expected),
                                "{}",
                                context()
                            );
                        }
                        (None, Got::Nothing) => {
                            let is_control = header[0] & 8 != 0;
                            let left = if is_control { 0 } else { len };
                            assert_eq!(u128::from(layer.left()), left, "{}", context())
                        }
                        _ => panic!("{}", context()),
                    }
                };
                check(Split::Bytes);
                if splits {
                    (1..=header.len()).for_each(|place| check(Split::At(place)));
                } else {
                    check(Split::At(header.len()));
                }
            });
        }
    }
    inputs
}

/// A message's type, whatever its length: a `Connection` has given the beginning of it before.
fn kind_of(got: &Got) -> Option<MessageKind> {
    match got {
        Got::Message(kind, _) => Some(*kind),
        _ => None,
    }
}

fn check_all_headers<R: TestRole>() {
    let mut inputs = 0;
    for (max_message, max_fragments) in
        [(300, 1), (u64::MAX, 1 << 14)]
            .into_iter()
            .take(if FULL { 2 } else { 1 })
    {
        for lenient in [false, true] {
            for &compression in COMPRESSION {
                let rules = Rules {
                    max_message,
                    max_fragments,
                    lenient,
                    compression,
                };
                let mut contexts = vec![
                    None,
                    Some(begun(MessageKind::Text, false)),
                    Some(begun(MessageKind::Binary, false)),
                ];
                if compression {
                    contexts.push(Some(begun(MessageKind::Binary, true)));
                }
                for begun in &contexts {
                    inputs += check_headers::<R, Connection<R>>(rules, begun.as_ref(), FULL);
                    if FULL {
                        inputs += check_headers::<R, WebSocket<R>>(rules, begun.as_ref(), false);
                    }
                }
            }
        }
    }
    eprintln!("{inputs} headers and cuts");
}

#[test]
fn fr1_fr2_fr3_fr4_fr7_fr8_mk3_fg1_fg2_l1_l2_l5_a_server_judges_every_header_at_the_byte_that_decides()
 {
    check_all_headers::<Server>();
}

#[test]
fn fr1_fr2_fr3_fr4_fr7_fr8_mk4_fg1_fg2_l1_l2_l5_a_client_judges_every_header_at_the_byte_that_decides()
 {
    check_all_headers::<Client>();
}

// b. Status codes.

/// The places to split an input of this length at.
fn all_splits(len: usize) -> impl Iterator<Item = Split> {
    (1..=len).map(Split::At).chain([Split::Bytes])
}

fn check_codes<R: TestRole, L: Receive<R>>() {
    let maker = Maker::new(Rules {
        max_message: 100,
        max_fragments: 10,
        lenient: false,
        compression: false,
    });
    let (mut out, mut data, mut inputs) = (Vec::new(), Vec::new(), 0_u64);
    let near =
        |number: u16| matches!(number, 998..1018 | 2998..3002 | 4998..5002) || number % 251 == 0;
    for number in (0..=u16::MAX).filter(|&number| FULL || near(number)) {
        for reason in ["", "r", "\u{e9}"] {
            let frame = Frame::close(number, reason).to::<R>();
            let header = frame.len() - 2 - reason.len();
            for split in all_splits(frame.len()) {
                inputs += 1;
                out.clear();
                let mut input = [0; 10];
                let input = &mut input[..frame.len()];
                input.copy_from_slice(&frame);
                let got = drive::<R, L>(&mut L::make(&maker), input, split, &mut out, &mut data);
                let expected = if is_legal_on_the_wire(number) {
                    (frame.len(), Got::Close(Some(number)))
                } else {
                    let certain = arrival(header + 1, frame.len(), split);
                    (
                        certain,
                        Got::Failed(ProtocolError::InvalidCloseCode(number)),
                    )
                };
                assert_eq!(got, expected, "{number} {reason:?} {split:?}");
                assert_eq!(
                    close_code::<R>(&out),
                    if is_legal_on_the_wire(number) {
                        number
                    } else {
                        1002
                    }
                );
            }
        }
    }
    assert_eq!(data, [0; 0]);
    eprintln!("{inputs} status codes and cuts");
}

#[test]
fn cl2_cl3_cl6_every_status_code_is_received_or_refused_at_its_second_byte() {
    check_codes::<Server, Connection<Server>>();
    check_codes::<Server, WebSocket<Server>>();
}

#[test]
fn cl2_cl3_cl6_a_client_receives_or_refuses_every_status_code() {
    check_codes::<Client, Connection<Client>>();
    check_codes::<Client, WebSocket<Client>>();
}

// c. UTF-8.

/// Both ends of each range of bytes that RFC 3629 §4 distinguishes.
const ENDS: [u8; 24] = [
    0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed,
    0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
];

/// The number of bytes at the front with which text can begin, and whether all of it is text:
/// according to std.
fn valid(bytes: &[u8]) -> (usize, bool) {
    let good = (1..=bytes.len())
        .take_while(|&len| can_be_text(&bytes[..len], false))
        .count();
    (good, good == bytes.len() && can_be_text(bytes, true))
}

/// All sequences of these bytes, of this length, that begin with one of `firsts`.
fn sequences(alphabet: &[u8], firsts: &[u8], len: usize, check: &mut impl FnMut(&[u8])) {
    fn extend(
        alphabet: &[u8],
        firsts: &[u8],
        place: usize,
        bytes: &mut [u8],
        check: &mut impl FnMut(&[u8]),
    ) {
        for &byte in firsts {
            bytes[place] = byte;
            if place + 1 == bytes.len() {
                check(bytes);
            } else {
                extend(alphabet, alphabet, place + 1, bytes, check);
            }
        }
    }
    extend(alphabet, firsts, 0, &mut [0; 4][..len], check);
}

/// Which sequences to test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Texts {
    /// All of 1 to 3 bytes, and of 4 bytes all that RFC 3629 distinguishes: each byte is of
    /// [`ENDS`].
    All,
    /// The same, but the first of 3 bytes is only of [`ENDS`] if it is a character or cannot begin
    /// one.
    Most,
    /// Of 1 to 4 bytes all that RFC 3629 distinguishes.
    Classes,
}

fn texts(which: Texts, mut check: impl FnMut(&[u8])) {
    let all: Vec<u8> = (0..=255).collect();
    if !FULL || which == Texts::Classes {
        (1..=3).for_each(|len| sequences(&ENDS, &ENDS, len, &mut check));
    } else {
        let leads: Vec<u8> = if which == Texts::All {
            all.clone()
        } else {
            (0xc2..0xf5)
                .chain(ENDS.into_iter().filter(|byte| !(0xc2..0xf5).contains(byte)))
                .collect()
        };
        sequences(&all, &all, 1, &mut check);
        sequences(&all, &all, 2, &mut check);
        sequences(&all, &leads, 3, &mut check);
    }
    let few = [0x7f, 0x80, 0x90, 0xbf, 0xc2, 0xed, 0xf0, 0xf4];
    let alphabet = if FULL { ENDS.as_slice() } else { &few };
    sequences(alphabet, alphabet, 4, &mut check);
}

/// The ranges of a sequence of this length that is split after each byte whose bit is set.
fn split_by(len: usize, bits: u32) -> impl Iterator<Item = (usize, usize)> {
    let mut start = 0;
    (0..len)
        .filter(move |at| at + 1 == len || bits >> at & 1 == 1)
        .map(move |at| (core::mem::replace(&mut start, at + 1), at + 1))
}

#[test]
fn ut1_ut2_ut3_ut4_ut5_a_validator_agrees_with_std_on_every_sequence_at_every_cut() {
    let mut inputs = 0_u64;
    texts(Texts::All, |bytes| {
        let (good, is_text) = valid(bytes);
        for bits in 0..1 << (bytes.len() - 1) {
            inputs += 1;
            let (mut utf8, mut text, mut len) = (Utf8Validator::new(), [0; 4], 0);
            let mut failed = None;
            for (start, end) in split_by(bytes.len(), bits) {
                match utf8.feed(&bytes[start..end]) {
                    Ok((split, whole)) => {
                        len += split.map_or(0, |split| split.encode_utf8(&mut text[len..]).len());
                        text[len..len + whole.len()].copy_from_slice(whole.as_bytes());
                        len += whole.len();
                    }
                    Err(error) => {
                        assert_eq!(error, InvalidUtf8);
                        failed = Some((start, end));
                        break;
                    }
                }
            }
            match failed {
                Some((start, end)) => assert!((start..end).contains(&good), "{bytes:x?} {bits:b}"),
                None => {
                    assert_eq!(good, bytes.len(), "{bytes:x?} {bits:b}");
                    assert!(
                        bytes.starts_with(&text[..len]) && (len == bytes.len()) == is_text,
                        "{bytes:x?} {bits:b}"
                    );
                    assert_eq!(utf8.finish().is_ok(), is_text, "{bytes:x?} {bits:b}");
                }
            }
        }
    });
    eprintln!("{inputs} sequences and cuts (Utf8Validator)");
}

/// How the bytes are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum As {
    /// A text of one frame, split.
    Text,
    /// The same, but the frame goes on after them.
    Incomplete,
    /// A text whose fragments are the slices.
    Fragments,
    /// The reason of a Close, split.
    Reason,
}

/// Puts the header of the frame in front of the masked payload.
fn put_frame<R: TestRole>(
    place: &mut [u8; 16],
    first: u8,
    declared: usize,
    prefix: &[u8],
    payload: &[u8],
) -> usize {
    let mut len = 0;
    let mut put = |byte| {
        place[len] = byte;
        len += 1;
    };
    let masked = u8::from(!R::MASKS) * 0x80;
    put(first);
    put(masked | declared as u8);
    if !R::MASKS {
        KEY.into_iter().for_each(&mut put);
    }
    let key = if R::MASKS { [0; 4] } else { KEY };
    prefix
        .iter()
        .chain(payload)
        .zip(key.into_iter().cycle())
        .for_each(|(byte, key)| put(byte ^ key));
    len
}

/// Receives it in the slices that `bits` makes. `layer` is used again as long as its connection is
/// open.
fn check_text<R: TestRole, L: Receive<R>>(
    maker: &Maker,
    state: &mut (Option<L>, Vec<u8>, Vec<u8>),
    bytes: &[u8],
    (good, is_text): (usize, bool),
    bits: u32,
    how: As,
) {
    let (layer, out, data) = state;
    let receiver = layer.get_or_insert_with(|| L::make(maker));
    out.clear();
    data.clear();
    let mut frame = [0; 16];
    let header = if R::MASKS { 2 } else { 6 };
    let before = match how {
        As::Reason => header + 2,
        _ => header,
    };
    match how {
        As::Text => put_frame::<R>(&mut frame, 0x81, bytes.len(), &[], bytes),
        As::Incomplete => put_frame::<R>(&mut frame, 0x81, bytes.len() + 1, &[], bytes),
        As::Reason => put_frame::<R>(
            &mut frame,
            0x88,
            bytes.len() + 2,
            &1000_u16.to_be_bytes(),
            bytes,
        ),
        As::Fragments => 0,
    };
    let mut got = Got::Nothing;
    let mut at = 0;
    for (start, end) in split_by(bytes.len(), bits) {
        at = end;
        got = if how == As::Fragments {
            let first = u8::from(end == bytes.len()) << 7 | u8::from(start == 0);
            let len = put_frame::<R>(&mut frame, first, end - start, &[], &bytes[start..end]);
            receiver.piece(&mut frame[..len], out, data)
        } else {
            let from = if start == 0 { 0 } else { before + start };
            receiver.piece(&mut frame[from..before + end], out, data)
        };
        if got != Got::Nothing {
            break;
        }
        // Nothing comes yet, so it must be possible that something will.
        assert!(good >= end, "{bytes:x?} {bits:b} {how:?} {end}");
    }
    let ok = match (how, &got) {
        (As::Text | As::Fragments, Got::Message(MessageKind::Text, len)) => {
            is_text && *len == bytes.len() && *data == bytes
        }
        (As::Reason, Got::Close(Some(1000))) => is_text && close_code::<R>(out) == 1000,
        (As::Incomplete, Got::Nothing) => good == bytes.len(),
        (_, Got::Failed(error)) => {
            let certain = if good == bytes.len() {
                how != As::Incomplete && !is_text && at == good
            } else {
                at > good
            };
            // The valid part before it is given by the layer that streams, wherever the input is
            // split.
            let given = if L::STREAMS && how != As::Reason {
                &bytes[..good]
            } else {
                &[]
            };
            let expected = if how == As::Reason {
                ProtocolError::InvalidCloseReason
            } else {
                ProtocolError::InvalidUtf8
            };
            certain && *error == expected && close_code::<R>(out) == 1007 && data == given
        }
        _ => false,
    };
    assert!(
        ok,
        "{bytes:x?} {bits:b} {how:?}: {got:?} after {at}, {data:x?}"
    );
    if how == As::Incomplete || !matches!(got, Got::Message(..)) {
        *layer = None;
    }
}

fn check_texts<R: TestRole, L: Receive<R>>(which: Texts, ways: &[As]) {
    let maker = Maker::new(Rules {
        max_message: 100,
        max_fragments: 10,
        lenient: false,
        compression: false,
    });
    let (mut state, mut inputs) = ((None, Vec::new(), Vec::new()), 0_u64);
    texts(which, |bytes| {
        let valid = valid(bytes);
        let all = (1 << (bytes.len() - 1)) - 1;
        for &how in ways {
            // An incomplete frame is split after each byte: other splits make no difference.
            let least = if how == As::Incomplete { all } else { 0 };
            for bits in least..=all {
                inputs += 1;
                check_text::<R, L>(&maker, &mut state, bytes, valid, bits, how);
            }
        }
    });
    eprintln!("{inputs} sequences and cuts ({ways:?})");
}

const WAYS: [As; 4] = [As::Text, As::Incomplete, As::Fragments, As::Reason];

#[test]
fn ut1_ut2_ut3_ut4_ut5_p4_a_websocket_agrees_with_std_on_every_text_at_every_cut() {
    check_texts::<Server, WebSocket<Server>>(Texts::Most, &[As::Text, As::Incomplete]);
}

#[test]
fn ut1_ut2_ut3_ut4_ut5_p4_a_connection_agrees_with_std_on_every_text_at_every_cut() {
    check_texts::<Client, Connection<Client>>(Texts::Most, &[As::Text, As::Incomplete]);
}

#[test]
fn ut6_cl9_every_reason_is_accepted_or_refused_as_std_says_at_every_cut() {
    check_texts::<Server, Connection<Server>>(Texts::Most, &[As::Reason]);
}

#[test]
fn ut2_ut7_fg6_texts_of_the_classes_of_rfc_3629_in_both_roles_and_in_fragments() {
    check_texts::<Server, WebSocket<Server>>(Texts::Classes, &WAYS);
    check_texts::<Client, WebSocket<Client>>(Texts::Classes, &WAYS);
    check_texts::<Server, Connection<Server>>(Texts::Classes, &WAYS);
    check_texts::<Client, Connection<Client>>(Texts::Classes, &WAYS);
}

// d. Sequences of frames.

/// The verdict on compressed bytes: the content so far, and whether they cannot be the beginning of
/// a message (or, if it ends there, a message). C zlib judges beginnings, and the oracle, which was
/// written from RFC 1951, ends.
#[cfg(feature = "deflate")]
fn inflate(bytes: &[u8], ends: bool) -> (Vec<u8>, bool) {
    let mut zlib = flate2::Decompress::new(false);
    let (mut inflated, mut bad) = (Vec::with_capacity(1000), false);
    let mut rest = bytes;
    while !bad && !rest.is_empty() {
        let before = zlib.total_in();
        let status = zlib.decompress_vec(rest, &mut inflated, flate2::FlushDecompress::Sync);
        rest = &rest[(zlib.total_in() - before) as usize..];
        match status {
            Ok(flate2::Status::StreamEnd) => zlib.reset(false),
            Ok(_) => {}
            Err(_) => bad = true,
        }
    }
    if !ends {
        return (inflated, bad);
    }
    match Oracle::default().message(bytes) {
        Some(message) => {
            assert!(!bad && message == inflated, "the judges agree");
            (message, false)
        }
        None => (inflated, true),
    }
}

#[cfg(not(feature = "deflate"))]
fn inflate(_: &[u8], _: bool) -> (Vec<u8>, bool) {
    panic!("nothing compressed is accepted")
}

type Inflated = HashMap<(Vec<u8>, bool), (Vec<u8>, bool)>;

/// The events of an endpoint for its peer's frames.
#[derive(Debug, Clone)]
struct Model {
    rules: Rules,
    /// Whether compressed messages are given as they are.
    streams: bool,
    begun: Option<Begun>,
    seen: Vec<Seen>,
    answers: Vec<Frame>,
    /// Whether each message of `seen` is compressed.
    compressed: Vec<bool>,
    /// The payload of the last Ping or Pong.
    control: Vec<u8>,
    frames: u64,
    /// The rules that were violated at once: no rule defines which one is named.
    violated: Vec<ProtocolError>,
    closed: Option<(Option<u16>, String)>,
}

impl Model {
    fn new(rules: Rules, streams: bool) -> Self {
        Self {
            rules,
            streams,
            begun: None,
            seen: Vec::new(),
            answers: Vec::new(),
            compressed: Vec::new(),
            control: Vec::new(),
            frames: 0,
            violated: Vec::new(),
            closed: None,
        }
    }

    fn has_ended(&self) -> bool {
        self.closed.is_some() || !self.violated.is_empty()
    }

    /// A complete frame arrives: its header as it is on the wire, and its payload, unmasked.
    fn frame<R: TestRole>(&mut self, header: &[u8], payload: &[u8], inflated: &mut Inflated) {
        if self.has_ended() {
            return;
        }
        let violated = (1..=header.len())
            .map(|len| judge::<R>(&header[..len], self.begun.as_ref(), self.rules));
        if let Some(violated) = violated.into_iter().find(|violated| !violated.is_empty()) {
            self.violated = violated;
            return;
        }
        self.frames += 1;
        let (fin, rsv, number) = (header[0] & 0x80 != 0, header[0] >> 4 & 7, header[0] & 15);
        match number {
            8 => self.close(payload),
            9 => {
                self.seen.push(Seen::ping(payload));
                self.answers.push(Frame::pong(payload));
                self.control = payload.to_vec();
            }
            10 => {
                self.seen.push(Seen::pong(payload));
                self.control = payload.to_vec();
            }
            _ => {
                let mut message = self.begun.take().unwrap_or_else(|| Begun {
                    kind: if number == 1 {
                        MessageKind::Text
                    } else {
                        MessageKind::Binary
                    },
                    compressed: rsv == 4,
                    declared: 0,
                    frames: 0,
                    payload: Vec::new(),
                });
                message.payload.extend_from_slice(payload);
                message.declared += payload.len() as u128;
                message.frames += 1;
                self.data(message, fin, inflated);
            }
        }
    }

    fn data(&mut self, message: Begun, ends: bool, inflated: &mut Inflated) {
        let mut content = message.payload.clone();
        let mut is_text = message.kind == MessageKind::Text;
        if message.compressed && self.streams {
            is_text = false;
        } else if message.compressed {
            let bad;
            (content, bad) = inflated
                .entry((message.payload.clone(), ends))
                .or_insert_with(|| inflate(&message.payload, ends))
                .clone();
            if bad {
                self.violated.push(ProtocolError::InvalidCompression);
            }
            if content.len() as u64 > self.rules.max_message {
                let limit = self.rules.max_message;
                self.violated.push(ProtocolError::MessageTooLong {
                    len: limit + 1,
                    limit,
                });
            }
        }
        if is_text && !can_be_text(&content, ends) {
            self.violated.push(ProtocolError::InvalidUtf8);
        }
        if !self.violated.is_empty() {
            return;
        }
        if ends {
            self.seen.push(Seen::message(message.kind, &content));
            self.compressed.push(message.compressed);
        } else {
            self.begun = Some(message);
        }
    }

    fn close(&mut self, payload: &[u8]) {
        let closed = match *payload {
            [] => (None, String::new()),
            [high, low, ref reason @ ..] => {
                let number = u16::from_be_bytes([high, low]);
                if !is_legal_on_the_wire(number) {
                    self.violated = vec![ProtocolError::InvalidCloseCode(number)];
                    return;
                }
                match String::from_utf8(reason.to_vec()) {
                    Ok(reason) => (Some(number), reason),
                    Err(_) => {
                        self.violated = vec![ProtocolError::InvalidCloseReason];
                        return;
                    }
                }
            }
            [_] => unreachable!("its header is refused"),
        };
        self.answers.push(
            closed
                .0
                .map_or_else(Frame::empty_close, |number| Frame::close(number, "")),
        );
        self.seen.push(Seen::Close(closed.0, closed.1.clone()));
        self.closed = Some(closed);
    }

    /// Compares. `reason` is of the answer to a violation, which no rule defines.
    fn check<R: TestRole>(&self, log: Log, ended: &Ended, whole: bool, name: &dyn Fn() -> String) {
        let (mut seen, mut answers) = (self.seen.clone(), self.answers.clone());
        let got = assembled(log.seen);
        let written = read_all::<R>(&log.out);
        let mut error = None;
        if !self.violated.is_empty() {
            let Some(&Seen::Failed(named)) = got.last() else {
                panic!("{}: {:?} is let pass: {got:?}", name(), self.violated)
            };
            assert!(
                self.violated.contains(&named),
                "{}: {named:?}, and not {:?}",
                name(),
                self.violated
            );
            seen.push(Seen::Failed(named));
            let reason = written
                .last()
                .and_then(|close| close.payload.get(2..))
                .unwrap_or_default();
            assert!(!reason.is_empty() && reason.is_ascii());
            answers.push(Frame::close(status(named), reason));
            error = Some(named);
        }
        assert_eq!(got, seen, "{}", name());
        assert_eq!(written, answers, "{}", name());
        let (state, transport) = match (error, &self.closed) {
            (None, None) => (State::Open, Action::Continue),
            // The server closes the transport first (§7.1.1).
            (None, Some(_)) if R::MASKS => (State::Closing, Action::AwaitClose),
            _ => (State::Closing, Action::CloseTransport),
        };
        let is_open = state == State::Open;
        let close_sent = error
            .map(|error| Some(status(error)))
            .or_else(|| self.closed.as_ref().map(|(number, _)| *number));
        let by = if error.is_some() {
            Endpoint::Local
        } else {
            Endpoint::Peer
        };
        let expected = Ended {
            state,
            transport,
            error,
            close_received: self.closed.clone(),
            close_sent: close_sent.map(|number| number.map(code)),
            by: (whole && !is_open).then_some(by),
            clean: whole && self.closed.is_some(),
            control_payload: if is_open {
                self.control.clone()
            } else {
                ended.control_payload.clone()
            },
            payload_left: 0,
            ..ended.clone()
        };
        assert_eq!(*ended, expected, "{}", name());
        assert_eq!(ended.sent.frames, answers.len() as u64, "{}", name());
        assert!(
            !is_open && error.is_some() || ended.received.frames == self.frames,
            "{}",
            name()
        );
    }
}

/// A frame that a peer may send, or may not.
struct Letter {
    name: &'static str,
    header: Vec<u8>,
    payload: Vec<u8>,
    wire: Vec<u8>,
}

const HELLO: &[u8] = b"\xf2\x48\xcd\xc9\xc9\x07\x00";

fn alphabet<R: TestRole>() -> Vec<Letter> {
    let wrong = if R::MASKS {
        Masking::Key(KEY)
    } else {
        Masking::None
    };
    let letters = [
        ("text", Frame::text("hi")),
        ("empty text", Frame::text("")),
        ("binary", Frame::binary(b"\xff\xfe")),
        ("text..", Frame::text("hi").more()),
        (
            "text.. that splits a character",
            Frame::text(b"\xc3").more(),
        ),
        ("empty text..", Frame::text("").more()),
        ("binary..", Frame::binary(b"\xff").more()),
        ("empty ..continuation..", Frame::continuation("").more()),
        ("empty ..continuation", Frame::continuation("")),
        ("..continuation..", Frame::continuation("lo").more()),
        ("..continuation", Frame::continuation("lo")),
        (
            "..continuation.. with the rest of the character",
            Frame::continuation(b"\xa9").more(),
        ),
        (
            "..continuation with the rest of the character",
            Frame::continuation(b"\xa9!"),
        ),
        (
            "..continuation.. to the limit",
            Frame::continuation([b'a'; 18]).more(),
        ),
        (
            "..continuation beyond the limit",
            Frame::continuation([b'a'; 20]),
        ),
        ("ping", Frame::ping("p")),
        ("empty ping", Frame::ping("")),
        ("longest ping", Frame::ping([0x55; 125])),
        ("pong", Frame::pong(b"\xff")),
        ("close without code", Frame::empty_close()),
        ("close", Frame::close(1000, "")),
        ("close with reason", Frame::close(4999, "\u{e9}")),
        ("close of 1 byte", Frame::new(8, [3])),
        ("close with an invalid code", Frame::close(1005, "r")),
        ("close with an invalid reason", Frame::close(1000, b"r\xff")),
        ("close with half a character", Frame::close(1000, b"\xc3")),
        ("RSV2", Frame::text("hi").rsv(2)),
        ("ping with RSV3", Frame::ping("p").rsv(1)),
        ("opcode 3", Frame::new(3, "hi")),
        ("opcode 11", Frame::new(11, "hi")),
        ("fragmented ping", Frame::ping("p").more()),
        ("ping too long", Frame::ping([0x55; 126])),
        ("mask of the wrong side", Frame::text("hi").masking(wrong)),
        ("invalid text", Frame::text(b"a\xff")),
        ("text that ends in a character", Frame::text(b"a\xc3")),
        ("length not minimal", Frame::binary("hi").form(Form::Bits16)),
        ("at the limit", Frame::binary([7; 20])),
        ("beyond the limit", Frame::binary([7; 21])),
        ("compressed text", Frame::text(HELLO).rsv(4)),
        (
            "compressed binary..",
            Frame::binary(&HELLO[..3]).rsv(4).more(),
        ),
        (
            "..rest of what is compressed",
            Frame::continuation(&HELLO[3..]),
        ),
        (
            "..continuation with RSV1",
            Frame::continuation(&HELLO[3..]).rsv(4),
        ),
        ("ping with RSV1", Frame::ping("p").rsv(4)),
        ("empty compressed text..", Frame::text("").rsv(4).more()),
        ("compressed text of no bytes", Frame::text("").rsv(4)),
        ("compressed empty text", Frame::text([0]).rsv(4)),
        // By zlib: "a" 21 times, "a" 20 times, and the byte ff.
        (
            "compressed text beyond the limit",
            Frame::text(b"\x4a\x4c\xc4\x02\x00\x00").rsv(4),
        ),
        (
            "compressed text at the limit",
            Frame::text(b"\x4a\x4c\xc4\x04\x00\x00").rsv(4),
        ),
        (
            "compressed invalid text",
            Frame::text(b"\xfa\x0f\x00").rsv(4),
        ),
        ("invalid compression", Frame::binary(b"\x07").rsv(4)),
    ];
    letters.map(letter::<R>).into()
}

fn letter<R: TestRole>((name, frame): (&'static str, Frame)) -> Letter {
    let wire = frame.to::<R>();
    let header = wire[..wire.len() - frame.payload.len()].to_vec();
    assert_eq!(read_head(&wire).unwrap().taken, header.len());
    Letter {
        name,
        header,
        payload: frame.payload,
        wire,
    }
}

struct Search<'a, R> {
    rules: Rules,
    maker: Maker,
    letters: &'a [Letter],
    inflated: Inflated,
    checks: fn(&mut Self, &Model, &[usize]),
    sequences: u64,
    runs: u64,
    role: core::marker::PhantomData<R>,
}

impl<R: TestRole> Search<'_, R> {
    /// All sequences of up to `depth` more letters. After the end of a connection one more is
    /// enough: all is discarded.
    fn extend(&mut self, model: &Model, path: &mut Vec<usize>, depth: usize) {
        for at in 0..self.letters.len() {
            let mut next = model.clone();
            let Letter {
                header, payload, ..
            } = &self.letters[at];
            next.frame::<R>(header, payload, &mut self.inflated);
            path.push(at);
            self.sequences += 1;
            (self.checks)(self, &next, path);
            if depth > 1 && !model.has_ended() {
                self.extend(&next, path, if next.has_ended() { 1 } else { depth - 1 });
            }
            path.pop();
        }
    }

    fn check<L: Layer<R>>(
        &mut self,
        mut layer: L,
        model: &Model,
        path: &[usize],
        whole: bool,
        pieces: Pieces,
    ) {
        let mut log = Log::default();
        let wire: Vec<_> = path
            .iter()
            .flat_map(|&at| self.letters[at].wire.iter().copied())
            .collect();
        match pieces {
            Pieces::One => layer.recv_all(&mut wire.clone(), &mut log),
            Pieces::Frames => path
                .iter()
                .for_each(|&at| layer.recv_all(&mut self.letters[at].wire.clone(), &mut log)),
            Pieces::Bytes => wire
                .into_iter()
                .for_each(|byte| layer.recv_all(&mut [byte], &mut log)),
        }
        self.runs += 1;
        let name = || {
            format!(
                "{:?} ({pieces:?})",
                path.iter()
                    .map(|&at| self.letters[at].name)
                    .collect::<Vec<_>>()
            )
        };
        model.check::<R>(log, &layer.ended(), whole, &name);
    }

    fn check_messages(&mut self, model: &Model, path: &[usize]) {
        for pieces in [Pieces::One, Pieces::Frames, Pieces::Bytes] {
            self.check(self.maker.websocket(), model, path, true, pieces);
        }
        let (receiver, sender) = self.maker.websocket().split();
        self.check(
            MessageHalves(receiver, sender),
            model,
            path,
            false,
            Pieces::One,
        );
    }

    fn check_stream(&mut self, model: &Model, path: &[usize]) {
        for pieces in [Pieces::One, Pieces::Frames, Pieces::Bytes] {
            self.check(self.maker.connection(), model, path, true, pieces);
        }
        let (receiver, sender) = self.maker.connection().split();
        self.check(Halves(receiver, sender), model, path, false, Pieces::One);
        self.check_chunks(model, path);
    }

    /// The messages that are reported as compressed, and their content by a decompressor of the
    /// crate.
    fn check_chunks(&mut self, model: &Model, path: &[usize]) {
        let mut connection = self.maker.connection::<R>();
        let (mut compressed, mut message) = (Vec::new(), Vec::new());
        let mut wire: Vec<_> = path
            .iter()
            .flat_map(|&at| self.letters[at].wire.iter().copied())
            .collect();
        let mut input = wire.as_mut_slice();
        let mut chunks = None;
        while let Some(event) = connection.recv(&mut input, &mut Vec::new()) {
            let Event::Data(chunk) = event else { continue };
            assert!(
                chunk.first || chunks == Some(chunk.compressed),
                "all chunks of a message are alike"
            );
            chunks = Some(chunk.compressed);
            message.extend_from_slice(chunk.payload);
            if chunk.last {
                compressed.push(chunk.compressed);
                let message = take(&mut message);
                if chunk.compressed {
                    self.check_decompressor(message);
                }
            }
        }
        assert_eq!(compressed, model.compressed);
    }

    #[cfg(feature = "deflate")]
    fn check_decompressor(&mut self, message: Vec<u8>) {
        let Some((_, params)) = &self.maker.deflate else {
            panic!("nothing compressed is accepted")
        };
        if self.inflated.contains_key(&(message.clone(), true)) {
            return;
        }
        let (content, bad) = inflate(&message, true);
        let inflated = crate::common::deflate::inflate(
            &mut crate::common::deflate::decompressor::<R>(*params),
            &message,
            64,
        );
        assert_eq!(
            inflated.ok(),
            (!bad).then_some(content.clone()),
            "{message:x?}"
        );
        self.inflated.insert((message, true), (content, bad));
    }

    #[cfg(not(feature = "deflate"))]
    fn check_decompressor(&mut self, message: Vec<u8>) {
        panic!("nothing compressed is accepted: {message:x?}");
    }
}

#[derive(Debug, Clone, Copy)]
enum Pieces {
    One,
    Frames,
    Bytes,
}

fn check_sequences<R: TestRole>(streams: bool) {
    let (mut sequences, mut runs) = (0, 0);
    for &compression in COMPRESSION {
        let rules = Rules {
            max_message: 20,
            max_fragments: 2,
            lenient: false,
            compression,
        };
        let mut search = Search::<R> {
            rules,
            maker: Maker::new(rules),
            letters: &alphabet::<R>(),
            inflated: HashMap::new(),
            checks: if streams {
                Search::check_stream
            } else {
                Search::check_messages
            },
            sequences: 0,
            runs: 0,
            role: core::marker::PhantomData,
        };
        let depth = if FULL { 4 } else { 2 };
        search.extend(&Model::new(search.rules, streams), &mut Vec::new(), depth);
        (sequences, runs) = (sequences + search.sequences, runs + search.runs);
    }
    eprintln!("{sequences} sequences of frames, {runs} runs");
    assert!(!FULL || sequences > 100_000, "{sequences}");
}

#[test]
fn fr1_fr2_fr6_fr10_mk3_mk4_ct1_ct2_l5_every_short_frame_with_its_payload() {
    check_frames::<Server>();
    check_frames::<Client>();
}

#[test]
fn se1_p2_p3_cl5_fg3_fg10_dp1_dp15_f5_a_server_of_messages_agrees_with_the_model_on_every_sequence_of_frames()
 {
    check_sequences::<Server>(false);
}

#[test]
fn se1_p2_p3_cl5_fg3_fg10_dp1_dp15_f5_a_client_of_messages_agrees_with_the_model_on_every_sequence_of_frames()
 {
    check_sequences::<Client>(false);
}

#[test]
fn se1_p2_p3_cl5_fg3_fg10_dp1_dp15_f5_a_server_that_streams_agrees_with_the_model_on_every_sequence_of_frames()
 {
    check_sequences::<Server>(true);
}

#[test]
fn se1_p2_p3_cl5_fg3_fg10_dp1_dp15_f5_a_client_that_streams_agrees_with_the_model_on_every_sequence_of_frames()
 {
    check_sequences::<Client>(true);
}

/// All first two bytes again, with the payload in the same input, as the first frame of a
/// connection and inside a message. It is read in another way than a header without its payload, or
/// the rest of one with its payload.
fn check_frames<R: TestRole>() {
    let mut inputs = 0;
    let begin = [
        None,
        Some(Frame::text("hi").more()),
        Some(Frame::binary("hi").more()),
        Some(Frame::binary(&HELLO[..3]).rsv(4).more()),
    ];
    for (&compression, lenient) in COMPRESSION
        .iter()
        .flat_map(|compression| [(compression, false), (compression, true)])
    {
        // Within the limit, 60 bytes count for 3 fragments.
        let rules = Rules {
            max_message: 60,
            max_fragments: 1,
            lenient,
            compression,
        };
        let maker = Maker::new(rules);
        let mut inflated = HashMap::new();
        for begin in &begin[..if compression { 4 } else { 3 }] {
            let begin = begin.clone().map(|frame| letter::<R>(("begin", frame)));
            let mut before = Model::new(rules, false);
            if let Some(begin) = &begin {
                before.frame::<R>(&begin.header, &begin.payload, &mut inflated);
                assert!(!before.has_ended());
            }
            for first in 0..=255_u8 {
                for second in (0..=255_u8).filter(|second| {
                    second & 0x7f < 126
                        && (FULL || matches!(second & 0x7f, 0..=2 | 13..=14 | 58..=61 | 125))
                }) {
                    let mut payload = [b'a'; 125];
                    if first & 15 == 8 {
                        payload[..2].copy_from_slice(&1000_u16.to_be_bytes());
                    }
                    let payload = &payload[..usize::from(second & 0x7f)];
                    let (mut header, mut masked) = (vec![first, second], payload.to_vec());
                    if second & 0x80 != 0 {
                        header.extend(KEY);
                        masked = crate::common::xor(payload, KEY);
                    }
                    let mut model = before.clone();
                    model.frame::<R>(&header, payload, &mut inflated);
                    let start = begin.as_ref().map_or(&[][..], |begin| &begin.wire);
                    let wire = [start, &header, &masked].concat();
                    for place in (0..=header.len()).step_by(if FULL { 1 } else { 3 }) {
                        inputs += 1;
                        let mut ws = maker.websocket::<R>();
                        let mut log = Log::default();
                        let (front, rest) = wire.split_at(start.len() + place);
                        ws.recv_all(&mut front.to_vec(), &mut log);
                        ws.recv_all(&mut rest.to_vec(), &mut log);
                        model.check::<R>(log, &ws.ended(), true, &|| {
                            format!("{wire:x?} {place} {rules:?}")
                        });
                    }
                }
            }
        }
    }
    eprintln!("{inputs} short frames and cuts");
}

/// The rest of a header, after a split, may look like the beginning of a message that is complete.
#[test]
fn fr7_l6_the_rest_of_a_header_is_never_read_as_a_header() {
    fn check<R: TestRole>(maker: &Maker, frame: &Frame) -> u64 {
        let wire = frame.to::<R>();
        let header = wire.len() - frame.payload.len();
        for place in 1..header {
            let mut ws = maker.websocket::<R>();
            let (mut out, mut data) = (Vec::new(), Vec::new());
            assert_eq!(
                ws.piece(&mut wire[..place].to_vec(), &mut out, &mut data),
                Got::Nothing
            );
            let got = ws.piece(&mut wire[place..].to_vec(), &mut out, &mut data);
            assert!(
                got == Got::Message(MessageKind::Binary, frame.payload.len())
                    && data == frame.payload,
                "{wire:x?} {place}: {got:?}"
            );
        }
        header as u64 - 1
    }
    let maker = Maker::new(Rules {
        max_message: 1000,
        max_fragments: 10,
        lenient: false,
        compression: false,
    });
    let lens = (0..8).chain(126..if FULL { 0x188 } else { 0x88 });
    let mut inputs = 0;
    for (len, byte) in lens.flat_map(|len| (0..=255).map(move |byte| (len, byte))) {
        let frame = Frame::binary(vec![byte; len]);
        inputs += check::<Client>(&maker, &frame);
        for key in [
            [byte, 0, 0, 0],
            [0, byte, 0, 0],
            [0x81, 0x80, byte, 0],
            [byte, byte, byte, byte],
        ] {
            inputs += check::<Server>(&maker, &frame.clone().masking(Masking::Key(key)));
        }
    }
    eprintln!("{inputs} headers and cuts");
}
