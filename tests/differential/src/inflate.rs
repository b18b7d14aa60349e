//! Compressed messages (RFC 1951, RFC 7692 §7.2): the verdict of C zlib on hostile ones, compared
//! with ours; and each inflates the messages that the other one compresses.
//!
//! There is no difference to list.

use crate::cases;
use crate::common::deflate::{
    CDeflate, CInflate, both_ways, compress, inflate, inflate_piece, json, noise,
};
use flate2::{Decompress, FlushDecompress, Status};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use ws_proto::deflate::DeflateConfig as Deflate;

const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// C zlib as an inflater of any streams in sequence: after a block with BFINAL another stream
/// follows (RFC 7692 §7.2.3.4).
struct Zlib {
    zlib: Decompress,
    inflated: Vec<u8>,
    /// Whether the input so far ended with such a block.
    ended: bool,
}

impl Zlib {
    fn feed(&mut self, mut input: &[u8]) -> Option<()> {
        let mut output = [0; 4096];
        loop {
            let (read, written) = (self.zlib.total_in(), self.zlib.total_out());
            let status = self
                .zlib
                .decompress(input, &mut output, FlushDecompress::None);
            let (read, written) = (
                (self.zlib.total_in() - read) as usize,
                (self.zlib.total_out() - written) as usize,
            );
            self.inflated.extend_from_slice(&output[..written]);
            input = &input[read..];
            self.ended = status.ok()? == Status::StreamEnd;
            if self.ended {
                self.zlib.reset(false);
            }
            if input.is_empty() && (self.ended || written < output.len()) {
                return Some(());
            }
        }
    }

    /// The content of a message after those that make up `context`, if it is valid, and whether it
    /// ends the stream. It is valid if it does, or if the tail makes an empty block of its own
    /// (§7.2.2): then one with BFINAL may follow, and ends the stream. Otherwise that would be read
    /// as something else.
    fn message(context: &[u8], message: &[u8]) -> Option<(Vec<u8>, bool)> {
        let mut zlib = Self {
            zlib: Decompress::new(false),
            inflated: Vec::new(),
            ended: false,
        };
        zlib.feed(context)?;
        zlib.inflated.clear();
        zlib.feed(message)?;
        if zlib.ended {
            return Some((zlib.inflated, true));
        }
        let len = zlib.inflated.len();
        zlib.feed(&TAIL)?;
        zlib.feed(&[1])?;
        zlib.feed(&TAIL)?;
        (zlib.ended && zlib.inflated.len() == len).then_some((zlib.inflated, false))
    }
}

/// Data that repeats much, little and nothing.
fn data() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        (0..60_u32).prop_map(json),
        (any::<u64>(), 0..4000_usize).prop_map(|(seed, len)| noise(seed, len)),
        (any::<u8>(), 0..70_000_usize).prop_map(|(byte, len)| vec![byte; len]),
        (vec((0..8_u64, 1..400_usize), 0..200)).prop_map(|parts| parts
            .into_iter()
            .flat_map(|(seed, len)| noise(seed, len))
            .collect()),
        vec(any::<u8>(), 0..60),
    ]
}

/// Changes of a compressed message.
#[derive(Debug, Clone)]
enum Change {
    Flip(Index, u8),
    /// Near the front, where the codes of a block are.
    FlipNear(usize),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
    Truncate(Index),
    Repeat(Index),
    Replace(Vec<u8>),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        3 => (any::<Index>(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        4 => (0..600_usize).prop_map(Change::FlipNear),
        2 => (any::<Index>(), vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        1 => (any::<Index>(), 1..8_usize).prop_map(|(at, len)| Change::Remove(at, len)),
        2 => any::<Index>().prop_map(Change::Truncate),
        1 => any::<Index>().prop_map(Change::Repeat),
        1 => vec(any::<u8>(), 0..60).prop_map(Change::Replace),
    ]
}

fn changed(mut message: Vec<u8>, change: Change) -> Vec<u8> {
    if message.is_empty() {
        return message;
    }
    let len = message.len();
    match change {
        Change::Flip(at, bit) => message[at.index(len)] ^= 1 << bit,
        Change::FlipNear(bit) => message[bit / 8 % len] ^= 1 << (bit % 8),
        Change::Insert(at, bytes) => _ = message.splice(at.index(len)..at.index(len), bytes),
        Change::Remove(at, count) => {
            _ = message.drain(at.index(len)..(at.index(len) + count).min(len))
        }
        Change::Truncate(at) => message.truncate(at.index(len)),
        Change::Repeat(at) => message.extend_from_within(at.index(len)..),
        Change::Replace(bytes) => message = bytes,
    }
    message
}

/// A message before C zlib compresses it: the level, whether BFINAL ends it, and the changes made
/// to it.
type Made = (Vec<u8>, u32, bool, Vec<Change>);

fn made() -> impl Strategy<Value = Vec<Made>> {
    vec(
        (
            data(),
            0..10_u32,
            any::<bool>(),
            prop_oneof![1 => Just(Vec::new()), 2 => vec(change(), 1..4)],
        ),
        1..4,
    )
}

/// Compares the results for messages of one direction, given to us in chunks, up to the first that
/// is not valid; and returns how many are, and whether one is not.
fn compare(
    messages: Vec<Made>,
    no_context_takeover: bool,
    cuts: &[Index],
    block: usize,
) -> Result<(usize, bool), String> {
    let mut ours = both_ways(no_context_takeover, 15).client_decompressor();
    let mut context = Vec::new();
    for (at, (data, level, is_final, changes)) in messages.into_iter().enumerate() {
        // Each from a compressor of its own: a reference beyond its message is a hostile one.
        let mut theirs = CDeflate::new(level, 15, true);
        let message = if is_final {
            theirs.final_message(&data)
        } else {
            theirs.message(&data)
        };
        let message = changes.into_iter().fold(message, changed);

        let mut ends: Vec<_> = cuts
            .iter()
            .map(|cut| cut.index(message.len() + 1))
            .chain([0, message.len()])
            .collect();
        ends.sort_unstable();
        let mut inflated = Vec::new();
        let last = ends.len() - 2;
        let mut pieces = ends.windows(2).enumerate();
        let outcome = pieces.try_for_each(|(i, ends)| {
            inflate_piece(
                &mut ours,
                &message[ends[0]..ends[1]],
                i == last,
                block,
                &mut inflated,
            )
        });
        let ours = outcome.map(|()| inflated).ok();
        let (zlib, ended) = Zlib::message(&context, &message).unzip();
        if ours != zlib {
            let [ours, zlib] = [ours, zlib].map(|verdict| {
                verdict.map_or("not valid".into(), |inflated| {
                    format!("{} bytes", inflated.len())
                })
            });
            return Err(format!(
                "message {at}, b\"{}\": we say {ours}, zlib {zlib}",
                message.escape_ascii()
            ));
        }
        match ended {
            None => return Ok((at, true)),
            Some(true) => context.clear(),
            Some(false) if no_context_takeover => {}
            Some(false) => context.extend([message.as_slice(), &TAIL].concat()),
        }
    }
    Ok((0, false))
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2000, ..cases(20_000) })]

    /// D7, D12, DP7, DP14: a message is valid if C zlib accepts it, and the content is the same.
    #[test]
    fn hostile_messages_inflate_as_with_c_zlib(
        messages in made(),
        no_context_takeover in any::<bool>(),
        cuts in vec(any::<Index>(), 0..5),
        block in prop_oneof![1..40_usize, 1000..20_000_usize],
    ) {
        compare(messages, no_context_takeover, &cuts, block).map_err(TestCaseError::fail)?;
    }
}

/// The random messages are of both kinds.
#[test]
fn random_messages_are_valid_and_not() {
    let (mut runner, strategy) = (TestRunner::deterministic(), (made(), any::<bool>()));
    let (mut valid, mut not_valid, mut later) = (0, 0, 0);
    for _ in 0..2000 {
        let (messages, no_context_takeover) =
            strategy.new_tree(&mut runner).expect("messages").current();
        match compare(messages, no_context_takeover, &[], 4096).expect("agreement") {
            (_, false) => valid += 1,
            (0, true) => not_valid += 1,
            (_, true) => later += 1,
        }
    }
    assert!(
        valid > 300 && not_valid > 300 && later > 100,
        "{valid}, {not_valid}, {later}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 2000, ..cases(4000) })]

    /// DP4, DP5, DP11, DP12: C zlib inflates our messages, within the negotiated window, and we
    /// inflate those of C zlib.
    #[test]
    fn what_one_compresses_the_other_inflates(
        messages in vec(data(), 1..5),
        (level, mem_level, bits) in (0..10_u8, 1..10_u8, 8..16_u8),
        no_context_takeover in any::<bool>(),
        block in prop_oneof![20..40_usize, 1000..20_000_usize],
    ) {
        let params = both_ways(no_context_takeover, bits);
        let mut compressor = params.client_compressor(&Deflate::default().with_level(level).with_mem_level(mem_level));
        let mut zlib = CInflate::new(bits, no_context_takeover);
        for message in &messages {
            prop_assert!(zlib.message(&compress(&mut compressor, message)).as_ref() == Some(message), "{} bytes", message.len());
        }
        // zlib has no smaller window to compress with.
        let mut zlib = CDeflate::new(level.into(), bits.max(9), no_context_takeover);
        let mut decompressor = params.server_decompressor();
        for message in &messages {
            prop_assert!(inflate(&mut decompressor, &zlib.message(message), block).as_ref() == Ok(message), "{} bytes", message.len());
        }
    }
}
