//! permessage-deflate compared with C zlib, and with an inflater written from RFC 1951: they
//! inflate our messages, and we inflate theirs.

use crate::common::deflate::*;
use crate::common::strategies::config;
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::OnceLock;
use ws_proto::deflate::{DeflateConfig as Deflate, Params};

/// The other tests depend on it.
#[test]
fn the_oracle_agrees_with_c_zlib() {
    for level in [0, 1, 4, 6, 9] {
        let (mut theirs, mut oracle) = (CDeflate::new(level, 15, false), Oracle::default());
        for sample in samples() {
            assert!(
                oracle.message(&theirs.message(&sample)).as_ref() == Some(&sample),
                "level {level}, {} bytes",
                sample.len()
            );
        }
        assert_eq!(oracle.furthest > 1000, level > 0);
    }
}

/// DP11, DF11, DF14, D5: our messages for every window size and level are inflated within a window
/// of that size; by C zlib, and by the oracle, which measures the distances. Of 8 bits they are 256
/// at most, though zlib has no such window.
#[test]
fn dp11_df11_df14_d5_ours_inflates_within_the_window_agreed_on() {
    let samples = samples();
    for bits in 8..=15 {
        for level in 0..=9 {
            let (mem_level, no_context_takeover) =
                (1 + (level + bits) % 9, (level + bits) % 2 == 0);
            let params = both_ways(no_context_takeover, bits);
            let mut ours = params.client_compressor(
                &Deflate::default()
                    .with_level(level)
                    .with_mem_level(mem_level),
            );
            let (mut oracle, mut zlib) =
                (Oracle::default(), CInflate::new(bits, no_context_takeover));
            for (i, sample) in samples.iter().enumerate() {
                let message = compress(&mut ours, sample);
                let case = (bits, level, mem_level, no_context_takeover, i);
                assert!(zlib.message(&message).as_ref() == Some(sample), "{case:?}");
                assert!(
                    oracle.message(&message).as_ref() == Some(sample),
                    "{case:?}"
                );
                if no_context_takeover {
                    oracle.reset();
                }
            }
            assert!(
                oracle.furthest <= 1 << bits,
                "{} over {bits} bits at level {level}",
                oracle.furthest
            );
        }
        let one = [Deflate::default(), Deflate::default()].map(|deflate| {
            let params = both_ways(false, bits);
            [
                params.server_compressor(&deflate),
                params.client_compressor(&deflate),
            ]
            .map(|mut compressor| compress(&mut compressor, &samples[3]))
        });
        assert!(
            one[0][0] == one[0][1] && one[0] == one[1],
            "both sides compress alike"
        );
    }
}

/// DP11: a window is used as far as zlib does, and no further; so are levels.
#[test]
fn dp11_the_window_is_used() {
    for bits in 9..=15 {
        let mut compressor = both_ways(true, bits).server_compressor(&Deflate::default());
        // Bytes of six bits, so that they are worth compressing.
        let bytes = |seed, len| noise(seed, len).into_iter().map(|byte| byte & 63);
        let mut len = |again: u64, distance: usize| {
            compress(
                &mut compressor,
                &bytes(1, 100)
                    .chain(bytes(2, distance - 100))
                    .chain(bytes(again, 100))
                    .collect::<Vec<_>>(),
            )
            .len()
        };
        let (within, beyond) = ((1 << bits) - 262, (1 << bits) + 1);
        assert!(len(1, within) + 50 < len(3, within), "{bits}");
        assert!(len(1, beyond) + 20 > len(3, beyond), "{bits}");
    }
    // Repetitions at distances about that of 8 bits.
    let near: Vec<_> = (200..300)
        .flat_map(|distance| noise(distance, distance as usize).repeat(2))
        .collect();
    for level in 0..=9 {
        let mut oracle = Oracle::default();
        let deflate = Deflate::default().with_level(level);
        assert!(
            oracle
                .message(&compress(
                    &mut both_ways(false, 8).server_compressor(&deflate),
                    &near
                ))
                .as_ref()
                == Some(&near)
        );
        assert!(
            oracle.furthest <= 256,
            "{} at level {level}",
            oracle.furthest
        );
    }
    // With 8 bits, repeated bytes are found.
    assert!(
        compress(
            &mut both_ways(false, 8).server_compressor(&Deflate::default()),
            &[b'a'; 10_000]
        )
        .len()
            < 100
    );
    let level = |level| {
        compress(
            &mut Params::default().server_compressor(&Deflate::default().with_level(level)),
            &json(200),
        )
        .len()
    };
    assert!(
        level(9) < level(1)
            && level(6) < level(1)
            && level(1) < level(0) / 2
            && level(0) > json(200).len()
    );
    assert_eq!(level(9), level(255));
}

/// DP5, DP12: we inflate the messages of C zlib for every window size and level, in output of any
/// size.
#[test]
fn dp5_dp12_theirs_inflates() {
    let samples = samples();
    for bits in 9..=15 {
        for level in 0..=9 {
            let no_context_takeover = (u32::from(bits) + level) % 2 == 0;
            let params = both_ways(no_context_takeover, bits);
            let (mut theirs, mut ours) = (
                CDeflate::new(level, bits, no_context_takeover),
                params.server_decompressor(),
            );
            for (sample, block) in
                samples
                    .iter()
                    .zip([64, 1, 7, 1000, 16_384, 3001, 4096, 70_000, 1 << 20])
            {
                let inflated = inflate(&mut ours, &theirs.message(sample), block);
                assert!(
                    inflated.as_ref() == Ok(sample),
                    "{bits} bits, level {level}, {} bytes",
                    sample.len()
                );
            }
            for message in [
                theirs.final_message(&samples[3]),
                theirs.message(&samples[3]),
            ] {
                assert_eq!(inflate(&mut ours, &message, 100).as_ref(), Ok(&samples[3]));
            }
        }
    }
}

static JSON: OnceLock<Vec<u8>> = OnceLock::new();

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 300, ..config(if cfg!(debug_assertions) { 1000 } else { 20_000 }) })]

    /// D12: any message has the content that RFC 1951 defines, or is an error, in chunks of any
    /// length and output of any size; and C zlib agrees.
    #[test]
    fn d12_anything_inflates_as_the_oracle_says(
        (sample, level, is_final) in (0..4_usize, 0..10_u32, any::<bool>()),
        spoilt in proptest::collection::vec((any::<Index>(), any::<u8>()), 0..4),
        truncated in proptest::option::weighted(0.3, any::<Index>()),
        garbage in proptest::option::weighted(0.2, proptest::collection::vec(any::<u8>(), 0..60)),
        cuts in proptest::collection::vec(any::<Index>(), 0..6),
        block in prop_oneof![1..20_usize, 20..3000_usize],
    ) {
        let sample = [b"", &b"Hello"[..], JSON.get_or_init(|| json(40)), &[0; 5000]][sample];
        let mut theirs = CDeflate::new(level, 15, false);
        let mut message = if is_final { theirs.final_message(sample) } else { theirs.message(sample) };
        for (at, byte) in spoilt {
            let at = at.index(message.len());
            message[at] = byte;
        }
        if let Some(len) = truncated {
            message.truncate(len.index(message.len() + 1));
        }
        let message = garbage.unwrap_or(message);

        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(message.len() + 1)).chain([0, message.len()]).collect();
        cuts.sort_unstable();
        let pieces: Vec<_> = cuts.windows(2).map(|ends| &message[ends[0]..ends[1]]).collect();
        let mut ours = Params::default().client_decompressor();
        let mut inflated = Vec::new();
        let end = pieces.len() - 1;
        let outcome = pieces.iter().enumerate().try_for_each(|(i, piece)| inflate_piece(&mut ours, piece, i == end, block, &mut inflated));

        let expected = Oracle::default().message(&message);
        prop_assert_eq!(outcome.is_ok(), expected.is_some());
        if let Some(expected) = expected {
            prop_assert!(inflated == expected);
        } else {
            // Content before the fault is no secret, but the message does not become valid by
            // continuing.
            prop_assert!(inflate(&mut ours, b"\x00", 10).is_err());
        }
        if let (Some(zlib), true) = (CInflate::new(15, false).message(&message), outcome.is_ok()) {
            // Up to the first final block: zlib stops there.
            prop_assert!(inflated.starts_with(&zlib));
        }
    }
}
