//! Inputs for property tests: sessions as a peer would send them, spoilt ones, frames of any shape,
//! and noise.

use core::fmt::{self, Debug, Formatter};

use super::model::Limits;
use super::{Form, Frame, Masking, TestRole, wire};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

pub(crate) fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..ProptestConfig::default()
    }
}

/// Places where to split an input of any length.
pub(crate) fn cuts() -> impl Strategy<Value = Vec<Index>> {
    vec(any::<Index>(), 0..12)
}

/// The places for an input of this length, in order.
pub(crate) fn at(cuts: &[Index], len: usize) -> Vec<usize> {
    let mut places: Vec<_> = cuts.iter().map(|cut| cut.index(len + 1)).collect();
    places.sort_unstable();
    places
}

/// Limits that the inputs below reach, or that they do not reach.
pub(crate) fn limits() -> impl Strategy<Value = Limits> {
    let few = prop_oneof![2 => 20..200_u64, 1 => Just(1 << 20)];
    (few, 1..12_u32, any::<bool>()).prop_map(
        |(max_message, max_fragments, allow_non_minimal_length)| Limits {
            max_message,
            max_fragments,
            allow_non_minimal_length,
        },
    )
}

/// Bytes that print as a literal.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Input(pub(crate) Vec<u8>);

impl Debug for Input {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// Bytes that a peer may send to a role.
pub(crate) fn valid<R: TestRole>() -> impl Strategy<Value = Input> {
    valid_bytes::<R>().prop_map(Input)
}

/// Whatever may come from the network to a role.
pub(crate) fn any_input<R: TestRole>() -> impl Strategy<Value = Input> {
    any_bytes::<R>().prop_map(Input)
}

fn valid_bytes<R: TestRole>() -> impl Strategy<Value = Vec<u8>> {
    session().prop_map(|frames| wire::<R>(&frames))
}

fn any_bytes<R: TestRole>() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => valid_bytes::<R>(),
        4 => (valid_bytes::<R>(), vec(spoiling(), 1..4)).prop_map(|(bytes, how)| how.into_iter().fold(bytes, spoil)),
        3 => vec(any_frame(), 0..8).prop_map(|frames| wire::<R>(&frames)),
        1 => vec(any::<u8>(), 0..300),
    ]
}

pub(crate) fn text() -> impl Strategy<Value = String> {
    vec(
        prop_oneof![3 => any::<char>(), 1 => proptest::char::range(' ', '~')],
        0..40,
    )
    .prop_map(String::from_iter)
}

pub(crate) fn binary() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![20 => vec(any::<u8>(), 0..150), 1 => vec(any::<u8>(), 4000..9000)]
}

/// Messages in any number of fragments, with control frames between them, and sometimes a Close at
/// the end or in the middle.
pub(crate) fn session() -> impl Strategy<Value = Vec<Frame>> {
    let message = (
        prop_oneof![
            text().prop_map(|text| (1, text.into_bytes())),
            binary().prop_map(|bytes| (2, bytes))
        ],
        prop_oneof![Just(0), 0..6_usize],
    );
    let message = message.prop_flat_map(|((opcode, payload), cuts)| {
        (Just(opcode), Just(payload), vec(any::<Index>(), cuts))
    });
    let close = prop_oneof![
        2 => Just(None),
        1 => Just(Some(Frame::empty_close())),
        1 => (3000..5000_u16, "[a-z\u{e9}]{0,40}").prop_map(|(code, reason)| Some(Frame::close(code, reason))),
    ];
    (
        vec(message, 0..5),
        vec((any::<Index>(), control()), 0..4),
        close,
        any::<Index>(),
    )
        .prop_map(|(messages, controls, close, place)| {
            let mut frames: Vec<_> = messages
                .into_iter()
                .flat_map(|(opcode, payload, cuts)| fragments(opcode, &payload, &cuts))
                .collect();
            for (place, control) in controls {
                frames.insert(place.index(frames.len() + 1), control);
            }
            if let Some(close) = close {
                let place = frames.len() - place.index(frames.len() + 1) / 2;
                frames.insert(place, close);
            }
            frames
        })
}

fn control() -> impl Strategy<Value = Frame> {
    (any::<bool>(), vec(any::<u8>(), 0..=125)).prop_map(|(ping, payload)| {
        if ping {
            Frame::ping(payload)
        } else {
            Frame::pong(payload)
        }
    })
}

fn fragments(opcode: u8, payload: &[u8], cuts: &[Index]) -> Vec<Frame> {
    let mut ends = at(cuts, payload.len());
    ends.push(payload.len());
    let last = ends.len() - 1;
    let starts = [0].into_iter().chain(ends.clone());
    let parts = starts.zip(ends).enumerate();
    parts
        .map(|(i, (start, end))| {
            Frame::new(if i == 0 { opcode } else { 0 }, &payload[start..end]).fin(i == last)
        })
        .collect()
}

/// Frames of every shape, most of them right in most respects.
fn any_frame() -> impl Strategy<Value = Frame> {
    let payload = prop_oneof![
        text().prop_map(String::into_bytes),
        vec(any::<u8>(), 0..130)
    ];
    let masking = prop_oneof![12 => Just(Masking::ByRole), 1 => Just(Masking::None), 1 => any::<[u8; 4]>().prop_map(Masking::Key)];
    let form =
        prop_oneof![10 => Just(Form::Shortest), 1 => Just(Form::Bits16), 1 => Just(Form::Bits64)];
    let declared = prop_oneof![12 => Just(None), 1 => (0..300_u64).prop_map(Some), 1 => any::<u64>().prop_map(Some)];
    let opcode =
        prop_oneof![6 => Just(0), 6 => Just(1), 6 => Just(2), 6 => 8..11_u8, 1 => 0..16_u8];
    let rsv = prop_oneof![15 => Just(0), 1 => 0..8_u8];
    (
        prop_oneof![3 => Just(true), 2 => Just(false)],
        rsv,
        opcode,
        masking,
        form,
        declared,
        payload,
    )
        .prop_map(|(fin, rsv, opcode, masking, form, declared, payload)| {
            let fits = match form {
                Form::Shortest => u64::MAX,
                Form::Bits16 => 0xffff,
                Form::Bits64 => u64::MAX,
            };
            Frame {
                fin,
                rsv,
                opcode,
                masking,
                form,
                declared: declared.filter(|&len| len <= fits),
                payload,
            }
        })
}

#[derive(Debug, Clone)]
enum Spoiling {
    Flip(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    Truncate(Index),
    Repeat(Index, Index),
}

fn spoiling() -> impl Strategy<Value = Spoiling> {
    prop_oneof![
        4 => (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Spoiling::Flip(at, bit)),
        1 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Spoiling::Insert(at, byte)),
        1 => any::<Index>().prop_map(Spoiling::Remove),
        1 => any::<Index>().prop_map(Spoiling::Truncate),
        1 => any::<(Index, Index)>().prop_map(|(from, to)| Spoiling::Repeat(from, to)),
    ]
}

fn spoil(mut bytes: Vec<u8>, how: Spoiling) -> Vec<u8> {
    if bytes.is_empty() {
        return bytes;
    }
    let len = bytes.len();
    match how {
        Spoiling::Flip(at, bit) => bytes[at.index(len)] ^= 1 << bit,
        Spoiling::Insert(at, byte) => bytes.insert(at.index(len + 1), byte),
        Spoiling::Remove(at) => _ = bytes.remove(at.index(len)),
        Spoiling::Truncate(at) => bytes.truncate(at.index(len)),
        Spoiling::Repeat(from, to) => {
            let (from, to) = (from.index(len), to.index(len));
            bytes.extend_from_within(from.min(to)..from.max(to));
        }
    }
    bytes
}
