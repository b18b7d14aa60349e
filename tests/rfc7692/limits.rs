//! permessage-deflate: the limits. `max_message` applies to the content of a message, however long
//! its compressed form is, and is exact; that form has a bound of its own, for messages that
//! contain next to nothing. D1 to D3, F2, DP13 and DP16 of `docs/rules.md`.

use crate::common::deflate::*;
use crate::common::strategies::{at, config};
use crate::common::{Frame, Seen, TestRole, for_both_roles, wire};
use flate2::{Compress, Compression, FlushCompress};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use std::iter;
use ws_proto::deflate::{DeflateConfig as Deflate, Params};
use ws_proto::{Client, Config, Message, ProtocolError, Server};

/// The frames of a compressed binary message, given the payload of each.
fn fragments<T: AsRef<[u8]>>(parts: impl IntoIterator<Item = T>) -> Vec<Frame> {
    let mut frames: Vec<_> = parts
        .into_iter()
        .map(|part| Frame::continuation(part).more())
        .collect();
    frames[0] = Frame {
        opcode: 2,
        ..frames[0].clone()
    }
    .rsv(RSV1);
    frames.last_mut().unwrap().fin = true;
    frames
}

fn one(payload: impl AsRef<[u8]>) -> Vec<Frame> {
    fragments([payload])
}

fn with_limit(max_message: usize) -> Setup {
    Setup::default().config(Config::default().with_max_message(max_message as u64))
}

fn too_long(limit: usize) -> ProtocolError {
    ProtocolError::MessageTooLong {
        len: limit as u64 + 1,
        limit: limit as u64,
    }
}

/// A limit that is lowered while a message is in progress applies to the bytes that have arrived.
#[test]
fn dp13_a_lowered_limit_holds_for_the_message_in_progress() {
    fn check<R: TestRole>() {
        // Stored blocks of 100 bytes each, so that each fragment inflates to as many.
        let block = [&[0, 100, 0, 155, 255][..], &[b'x'; 100]].concat();
        let frames = fragments([block.clone(), block.clone(), [&block[..], &[0]].concat()]);
        for (lowered, failure) in [
            (300, None),
            (299, Some(too_long(299))),
            (101, Some(too_long(101))),
            (100, Some(too_long(100))),
            (99, Some(too_long(99))),
            (0, Some(too_long(0))),
        ] {
            let expected = match failure {
                None => Message::Binary(vec![b'x'; 300].into()),
                Some(error) => Message::Failed(error),
            };
            let config = Config::default().with_max_message(lowered);
            let [mut first, mut rest] = [&frames[..1], &frames[1..]].map(wire::<R>);

            let mut ws = with_limit(300).websocket::<R>();
            let mut out = Vec::new();
            assert_eq!(ws.recv(&mut &mut first.clone()[..], &mut out), None);
            ws.set_config(&config);
            assert_eq!(
                ws.recv(&mut &mut rest.clone()[..], &mut out),
                Some(expected)
            );

            let (mut receiver, _) = with_limit(300).websocket::<R>().split();
            assert_eq!(receiver.recv(&mut &mut first[..]), None);
            receiver.set_config(&config);
            assert!(receiver.recv(&mut &mut rest[..]).is_some());
            assert_eq!(receiver.error(), failure);
        }
        // Also if one byte or none follows.
        for (last, lowered) in [(&[0, 1, 0, 254, 255, b'x', 0][..], 100), (&[0], 99)] {
            let frames = fragments([&block[..], last]);
            let [mut first, mut rest] = [&frames[..1], &frames[1..]].map(wire::<R>);
            let (mut ws, mut out) = (with_limit(101).websocket::<R>(), Vec::new());
            assert_eq!(ws.recv(&mut &mut first[..], &mut out), None);
            ws.set_config(&Config::default().with_max_message(lowered));
            let failed = Some(Message::Failed(too_long(lowered as usize)));
            assert_eq!(ws.recv(&mut &mut rest[..], &mut out), failed);
        }
    }
    for_both_roles!(check);
}

/// That these frames give these messages and no more.
#[track_caller]
fn gives<R: TestRole>(setup: &Setup, frames: &[Frame], expected: &[&[u8]]) {
    let (seen, answers) = setup.receive::<R>(frames);
    assert!(
        seen == expected
            .iter()
            .map(|message| Seen::binary(message))
            .collect::<Vec<_>>(),
        "{}",
        brief(&seen)
    );
    assert_eq!(answers, []);
}

/// Asserts that these frames fail the connection, with nothing delivered, and with this code for
/// the peer.
#[track_caller]
fn fails<R: TestRole>(setup: &Setup, frames: &[Frame], error: ProtocolError, code: u16) {
    let (seen, answers) = setup.receive::<R>(frames);
    assert!(
        seen == [Seen::Failed(error)],
        "{}, and not {error:?}",
        brief(&seen)
    );
    assert_eq!(
        (answers.len(), answers[0].opcode, &answers[0].payload[..2]),
        (1, 8, &code.to_be_bytes()[..])
    );
}

// Content

/// D3, DP13, DP8: the RFC's stored "Hello", 11 bytes of which 5 are content, as in the issue. The
/// limit is 5, or 4.
#[test]
fn d3_dp13_dp8_the_stored_hello_has_a_length_of_five() {
    let bytes = b"\xc1\x8b\0\0\0\0\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00";
    for (limit, expected) in [
        (5, Seen::text("Hello")),
        (
            4,
            Seen::Failed(ProtocolError::MessageTooLong { len: 5, limit: 4 }),
        ),
    ] {
        let outcome = with_limit(limit).run::<Server>(bytes, &[]);
        assert_eq!(outcome.seen, [expected], "limit {limit}");
        assert_eq!(
            outcome,
            with_limit(limit).run::<Server>(bytes, &Vec::from_iter(0..bytes.len()))
        );
    }
}

/// DP13, D3, DP16: the limit on a message applies to the inflated content: content of the limit
/// passes, one byte more fails with 1009.
#[test]
fn dp13_dp16_d3_the_limit_is_exact() {
    fn check<R: TestRole>() {
        // About the sizes of blocks, in and out, and with content that does not compress.
        for limit in [1, 5, 4096, 16_383, 16_384, 16_385, 40_000] {
            for data in [vec![b'a'; limit + 2], noise(3, limit + 2)] {
                let setup = with_limit(limit);
                let (below, exact) = (&data[..limit - 1], &data[..limit]);
                let two = |message: &[u8]| {
                    let message = zlib(message);
                    let (a, b) = message.split_at(message.len() / 2);
                    fragments([a, b])
                };
                for fits in [below, exact] {
                    gives::<R>(&setup, &one(zlib(fits)), &[fits]);
                    gives::<R>(&setup, &two(fits), &[fits]);
                }
                for over in [&data[..limit + 1], &data] {
                    fails::<R>(&setup, &one(zlib(over)), too_long(limit), 1009);
                    fails::<R>(&setup, &two(over), too_long(limit), 1009);
                }
                // Each message has the limit for itself.
                gives::<R>(&setup, &[two(exact), two(exact)].concat(), &[exact, exact]);
            }
        }
        // None at all: only empty messages pass.
        gives::<R>(&with_limit(0), &one(b"\x00"), &[b""]);
        gives::<R>(&with_limit(0), &one(nothing(500)), &[b""]);
        fails::<R>(&with_limit(0), &one(zlib(b"a")), too_long(0), 1009);
    }
    for_both_roles!(check);
}

/// D3, DP13, DP17: a message of the limit can be sent, compressed, though it does not compress. 16
/// MiB by default, and not a byte more.
#[test]
fn d3_dp13_dp17_two_ends_with_default_settings_exchange_16_mib_of_noise() {
    const MOST: usize = 16 << 20;
    fn check<R: TestRole>(data: &[u8]) {
        let (mut here, mut there) = (
            Setup::default().websocket::<R>(),
            Setup::default().websocket::<R::Peer>(),
        );
        for (len, passes) in [(MOST, true), (MOST + 1, false)] {
            let mut wire = Vec::new();
            here.send_binary(&data[..len], &mut wire).unwrap();
            assert!(
                wire[0] == 0x80 | RSV1 << 4 | 2 && wire.len() > len,
                "it is compressed, and longer for it"
            );
            // In reads of an odd length, so that no read ends where a block of the backend's does.
            let mut answers = Vec::new();
            let mut got = None;
            for mut input in wire.chunks_mut(99_991) {
                if let Some(message) = there.recv(&mut input, &mut answers) {
                    assert!(got.replace(message.into_owned()).is_none());
                }
            }
            if passes {
                assert!(matches!(got, Some(Message::Binary(bytes)) if *bytes == data[..len]));
                assert_eq!(answers, []);
            } else {
                assert_eq!(got, Some(Message::Failed(too_long(MOST))));
            }
        }
    }
    let data = noise(16, MOST + 1);
    if cfg!(debug_assertions) {
        // It needs seconds there, and compression and limits are the same in both directions.
        check::<Client>(&data);
    } else {
        for_both_roles!(check, &data);
    }
}

/// A fragment that a sender flushes, to be sent at once (RFC 7692 §7.2.1 permits any flush).
fn flushed(zlib: &mut Compress, part: &[u8], flush: FlushCompress) -> Vec<u8> {
    let (mut compressed, start) = (Vec::new(), zlib.total_in());
    loop {
        compressed.reserve(part.len() * 2 + 100);
        let rest = &part[(zlib.total_in() - start) as usize..];
        zlib.compress_vec(rest, &mut compressed, flush).unwrap();
        if compressed.len() < compressed.capacity() {
            return compressed;
        }
    }
}

/// The output of compressors for a message of which each byte is flushed by itself: a chunk for
/// each byte, and then the end.
fn byte_by_byte(data: &[u8]) -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let of_zlib = |level, flush| {
        let mut zlib = Compress::new_with_window_bits(Compression::new(level), false, 15);
        data.iter()
            .map(|&byte| flushed(&mut zlib, &[byte], flush))
            .collect::<Vec<_>>()
    };
    let stored: Vec<_> = data
        .iter()
        .map(|&byte| vec![0x00, 0x01, 0x00, 0xfe, 0xff, byte])
        .collect();
    let stored_flushed = stored
        .iter()
        .map(|block| [&block[..], &[0], &TAIL].concat())
        .collect();
    // A final block for each byte: each of them is a stream of its own (D6).
    let of_final = data
        .iter()
        .map(|&byte| CDeflate::new(6, 15, true).final_message(&[byte]))
        .collect();
    // The output of this crate's compressor for messages, with the tail appended.
    let mut ours = Params::default().server_compressor(&Deflate::default());
    let of_ours = data
        .iter()
        .map(|&byte| [&compress(&mut ours, &[byte])[..], &TAIL].concat())
        .collect();
    let end = || vec![0];
    // A partial flush ends inside a byte, so this one needs an end of zlib's own.
    let mut zlib = Compress::new_with_window_bits(Compression::new(9), false, 15);
    let mut of_partial: Vec<_> = data
        .iter()
        .map(|&byte| flushed(&mut zlib, &[byte], FlushCompress::Partial))
        .collect();
    let partial_end = flushed(&mut zlib, &[], FlushCompress::Sync);
    of_partial.push(partial_end.strip_suffix(&TAIL).unwrap().to_vec());
    let mut ways = vec![
        ("zlib, sync flush", of_zlib(6, FlushCompress::Sync)),
        ("zlib, full flush", of_zlib(6, FlushCompress::Full)),
        ("zlib at level 0", of_zlib(0, FlushCompress::Sync)),
        ("zlib at level 1", of_zlib(1, FlushCompress::Sync)),
        ("stored", stored),
        ("stored and flushed", stored_flushed),
        ("final", of_final),
        ("ours", of_ours),
    ];
    ways.iter_mut().for_each(|(_, pieces)| pieces.push(end()));
    ways.push(("zlib, partial flush", of_partial));
    ways
}

/// D3, DP13, DP9: a byte of content may need 7 bytes on the wire and more. It is still one byte, in
/// one frame, in frames of a byte, and in one frame for each flush.
#[test]
fn d3_dp13_dp9_a_message_of_which_each_byte_is_flushed() {
    fn check<R: TestRole>() {
        let data = noise(7692, 1000);
        for (how, pieces) in byte_by_byte(&data) {
            let whole = pieces.concat();
            if how == "zlib, sync flush" {
                assert!(
                    (6900..7100).contains(&whole.len()),
                    "as in the issue: {}",
                    whole.len()
                );
            }
            assert!(
                Oracle::default().message(&whole).as_ref() == Some(&data),
                "{how}"
            );
            let of_bytes: Vec<_> = whole.chunks(1).collect();
            for (frames, count) in [
                (one(&whole), 1),
                (fragments(&pieces), pieces.len()),
                (fragments(of_bytes), whole.len()),
            ] {
                gives::<R>(&with_limit(1000), &frames, &[&data]);
                fails::<R>(&with_limit(999), &frames, too_long(999), 1009);
                println!("{how}: {} bytes in {count} frames", whole.len());
            }
        }
    }
    for_both_roles!(check);
}

/// L2, D3: limits that do not fit into 32 bits are no smaller for that.
#[test]
fn l2_d3_limits_beyond_32_bits_are_what_they_are() {
    fn check<R: TestRole>() {
        let data = json(100);
        for limit in [1 << 32, (1 << 32) + 1, 1 << 60, 1 << 63, u64::MAX] {
            for fragments in [0, 1 << 14, u32::MAX] {
                let setup = Setup::default().config(
                    Config::default()
                        .with_max_message(limit)
                        .with_max_fragments(fragments),
                );
                gives::<R>(&setup, &one(zlib(&data)), &[&data]);
            }
        }
    }
    for_both_roles!(check);
}

// The wire

/// The longest compressed message on the wire, as [`Config::max_message`] documents it.
fn bound(max_message: u64, max_fragments: u64) -> u64 {
    16 * (max_message + max_fragments) + 1024
}

/// A message of `len` bytes, at least 3, without content: stored blocks of 5 bytes each, final
/// blocks with fixed codes of 2 bytes each, and the end.
fn nothing(len: usize) -> Vec<u8> {
    let mut message = [0x00, 0x00, 0x00, 0xff, 0xff].repeat((len - 3) / 5);
    while message.len() + 3 <= len {
        message.extend([0x03, 0x00]);
    }
    // The end takes a byte; or two, if a block with fixed codes comes before it.
    message.extend(if message.len() + 1 == len {
        &[0x00][..]
    } else {
        &[0x02, 0x00]
    });
    assert!(message.len() == len && Oracle::default().message(&message) == Some(vec![]));
    message
}

/// D2, DP13, DP16: the bound on the wire is exact, by the lengths that frames declare; for messages
/// that inflate to nothing, in one frame and in many.
#[test]
fn d2_dp13_dp16_the_bound_on_the_wire_is_exact() {
    fn check<R: TestRole>() {
        for (max_message, max_fragments) in [(0, 0), (0, 3), (1, 0), (100, 7), (1000, 40)] {
            let limit = bound(max_message, max_fragments);
            let most = limit as usize;
            let setup = Setup::default().config(
                Config::default()
                    .with_max_message(max_message)
                    .with_max_fragments(max_fragments as u32),
            );
            let error = ProtocolError::CompressedTooLong {
                len: limit + 1,
                limit,
            };
            for len in [most - 1, most] {
                gives::<R>(&setup, &one(nothing(len)), &[b""]);
                gives::<R>(&setup, &fragments(nothing(len).chunks(20)), &[b""]);
                gives::<R>(&setup, &fragments(nothing(len).chunks(len / 2 + 1)), &[b""]);
            }
            // Endless, until it is stopped.
            let over = nothing(most + 1);
            fails::<R>(&setup, &one(&over), error, 1009);
            fails::<R>(
                &setup,
                &fragments([&over[..most], &over[most..]]),
                error,
                1009,
            );
            fails::<R>(
                &setup,
                &fragments([&over[..most], &over[most..], b""]),
                error,
                1009,
            );
            let mut endless = fragments([&over[..100], &over[100..most], &over[most..]]);
            endless.last_mut().unwrap().fin = false;
            fails::<R>(&setup, &endless, error, 1009);
            // The next message has the bound for itself.
            gives::<R>(
                &setup,
                &[one(nothing(most)), one(nothing(most))].concat(),
                &[b"", b""],
            );
            // The declared length decides, before any of it arrives.
            for (declared, error) in [(limit, None), (limit + 1, Some(error))] {
                let bytes = wire::<R>(&[Frame::binary("").rsv(RSV1).declaring(declared)]);
                let outcome = setup.run::<R>(&bytes, &[]);
                assert_eq!(outcome.ended.error, error);
                assert_eq!(
                    outcome,
                    setup.run::<R>(&bytes, &Vec::from_iter(0..bytes.len()))
                );
            }
            // And it is no limit on uncompressed messages: they have the other one.
            let plain = Frame::binary("").declaring(max_message + 1);
            fails::<R>(
                &setup,
                &[plain],
                ProtocolError::MessageTooLong {
                    len: max_message + 1,
                    limit: max_message,
                },
                1009,
            );
        }
    }
    for_both_roles!(check);
}

/// D2, F2: of fragments that each hold an empty block, the limit on fragments or the bound on the
/// wire ends the message, whichever is reached first.
#[test]
fn d2_f2_fragments_of_nothing_have_both_bounds() {
    fn check<R: TestRole>() {
        let block: &[u8] = &[0x00, 0x00, 0x00, 0xff, 0xff];
        for (len, most) in [
            (5, 0),
            (5, 4),
            (5, 100),
            (5, 1000),
            (20, 4),
            (20, 100),
            (100, 3),
        ] {
            let setup = Setup::default().config(
                Config::default()
                    .with_max_message(10)
                    .with_max_fragments(most as u32),
            );
            let fragment = block.repeat(len as usize / 5);
            let of = |count: u64| {
                fragments(iter::repeat_n(&fragment[..], count as usize).chain([&[0][..]]))
            };
            let limit = bound(10, most);
            // The first frame that is refused: it is one too many for its bytes, or its bytes are
            // too many.
            let verdict = |count: u64| -> Option<ProtocolError> {
                (1..=count + 1).find_map(|frame| {
                    let size = if frame > count {
                        len * count + 1
                    } else {
                        len * frame
                    };
                    let fragments = (most + size / 16).max(1);
                    if size > limit {
                        Some(ProtocolError::CompressedTooLong { len: size, limit })
                    } else {
                        (frame > fragments).then_some(ProtocolError::TooManyFragments {
                            fragments: frame,
                            limit: fragments,
                        })
                    }
                })
            };
            let first = (0..).find(|&count| verdict(count).is_some()).unwrap();
            if first > 0 {
                gives::<R>(&setup, &of(first - 1), &[b""]);
            }
            for count in [first, first + 1, first + 100] {
                let error = verdict(count).unwrap();
                assert_eq!(
                    matches!(error, ProtocolError::CompressedTooLong { .. }),
                    len > 5
                );
                fails::<R>(&setup, &of(count), error, if len > 5 { 1009 } else { 1008 });
            }
        }
    }
    for_both_roles!(check);
}

/// L1, L2: a length is a length, whether its frame is compressed or not.
#[test]
fn l1_l2_declared_lengths_of_compressed_frames() {
    fn check<R: TestRole>() {
        let unlimited = Config::default()
            .with_max_message(u64::MAX)
            .with_allow_non_minimal_length(true);
        let setup = |config: &Config| Setup::default().config(config.clone());
        let frame = |len| Frame::binary(&HELLO[0][..3]).rsv(RSV1).declaring(len);
        let then = |len| {
            [
                Frame::binary(&HELLO[0][..3]).rsv(RSV1).more(),
                Frame::continuation("").declaring(len),
            ]
        };
        for len in [1 << 63, 1 << 63 | 5, u64::MAX - 13, u64::MAX] {
            for config in [&Config::default(), &unlimited] {
                fails::<R>(
                    &setup(config),
                    &[frame(len)],
                    ProtocolError::LengthOverflow,
                    1002,
                );
                fails::<R>(
                    &setup(config),
                    &then(len),
                    ProtocolError::LengthOverflow,
                    1002,
                );
            }
        }
        let limit = bound(16 << 20, 1 << 14);
        for len in [
            limit + 1,
            u64::from(u32::MAX) - 3,
            1 << 32,
            (1 << 32) + 5,
            usize::MAX as u64 / 2 - 3,
            (1 << 63) - 1,
        ] {
            fails::<R>(
                &setup(&Config::default()),
                &[frame(len)],
                ProtocolError::CompressedTooLong { len, limit },
                1009,
            );
            fails::<R>(
                &setup(&Config::default()),
                &then(len),
                ProtocolError::CompressedTooLong {
                    len: len + 3,
                    limit,
                },
                1009,
            );
            let outcome = setup(&unlimited).run::<R>(&wire::<R>(&[frame(len)]), &[3]);
            assert_eq!(
                (outcome.seen, outcome.ended.payload_left),
                (vec![], len - 3)
            );
        }
    }
    for_both_roles!(check);
}

/// DP16, F1: the limit on fragments is one on the wire: of a compressed message it counts the
/// frames by their compressed bytes.
#[test]
fn dp16_f1_the_limit_on_fragments_holds_for_compressed_bytes() {
    fn check<R: TestRole>() {
        let parts = [&HELLO[0][..2], &HELLO[0][2..4], &HELLO[0][4..]];
        let limited = |most| Setup::default().config(Config::default().with_max_fragments(most));
        gives::<R>(&limited(3), &fragments(parts), &[b"Hello"]);
        fails::<R>(
            &limited(2),
            &fragments(parts),
            ProtocolError::TooManyFragments {
                fragments: 3,
                limit: 2,
            },
            1008,
        );
        // In frames of 16 bytes none are too many, however few bytes of content they hold; in
        // frames of 15 the second one is.
        let data = vec![b'a'; 100_000];
        let wire = CDeflate::new(1, 9, true).message(&data);
        let whole = wire.len() / 16 * 16;
        let (front, back) = wire.split_at(whole - 16);
        assert!(front.len() > 160);
        gives::<R>(
            &limited(0),
            &fragments(front.chunks(16).chain([back])),
            &[&data],
        );
        let error = ProtocolError::TooManyFragments {
            fragments: 2,
            limit: 1,
        };
        fails::<R>(&limited(0), &fragments(wire.chunks(15)), error, 1008);
    }
    for_both_roles!(check);
}

/// DP16, D3: a message of the limit in the worst of the fixed codes, nine bits for each byte (RFC
/// 1951 §3.2.6), passes.
#[test]
fn dp16_d3_a_message_of_the_limit_may_be_coded_as_badly_as_can_be() {
    fn check<R: TestRole>() {
        const LEN: usize = 20_000;
        // 0xff is nine ones there; then comes the end of the block, and an empty stored block, less
        // its tail.
        let mut fixed = BitWriter::default();
        fixed.number(0, 1);
        fixed.number(1, 2);
        (0..LEN).for_each(|_| fixed.code("111111111"));
        fixed.code("0000000");
        fixed.number(0, 3);
        // With codes of its own a block may give each byte 15 bits: lengths of 1 to 14 for symbols
        // that are not used, and 15 for 0xff and the end.
        let mut dynamic = BitWriter::default();
        dynamic.number(0, 1);
        dynamic.number(2, 2);
        dynamic.number(0, 5);
        dynamic.number(0, 5);
        dynamic.number(19 - 4, 4);
        // All symbols but 16, 17 and one more have a code of 4 bits: 16 codes.
        let order = [
            16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
        ];
        order
            .iter()
            .for_each(|&symbol| dynamic.number(if symbol < 16 { 4 } else { 0 }, 3));
        let of_symbol = |symbol: usize| match symbol {
            0..14 => symbol + 1,
            255 | 256 => 15,
            _ => 0,
        };
        (0..257).for_each(|symbol| dynamic.code(&format!("{:04b}", of_symbol(symbol))));
        dynamic.code("0000");
        (0..LEN).for_each(|_| dynamic.code("111111111111110"));
        dynamic.code("111111111111111");
        dynamic.number(0, 3);
        for (code, least) in [(fixed, LEN / 8 * 9), (dynamic, LEN / 8 * 15)] {
            let payload = code.bytes();
            assert!(payload.len() > least);
            assert!(Oracle::default().message(&payload) == Some(vec![0xff; LEN]));
            gives::<R>(&with_limit(LEN), &one(&payload), &[&[0xff; LEN]]);
            fails::<R>(
                &with_limit(LEN - 1),
                &one(&payload),
                too_long(LEN - 1),
                1009,
            );
        }
    }
    for_both_roles!(check);
}

// Whatever a peer's compressor does

/// The calls of a compressor: this number of bytes, and then this flush.
#[derive(Debug, Clone, Copy)]
enum Flush {
    None,
    Partial,
    Sync,
    Full,
    /// Another stream begins, at this level.
    Finish(u32),
}

/// Compresses in this way, as long as there is something to compress, again and again.
fn compressed(data: &[u8], level: u32, bits: u8, habit: &[(usize, Flush)]) -> Vec<u8> {
    let mut zlib = Compress::new_with_window_bits(Compression::new(level), false, bits);
    let mut compressed = Vec::new();
    let mut rest = data;
    for &(len, flush) in habit.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at(len.min(rest.len()));
        rest = after;
        let how = match flush {
            Flush::None => FlushCompress::None,
            Flush::Partial => FlushCompress::Partial,
            Flush::Sync => FlushCompress::Sync,
            Flush::Full => FlushCompress::Full,
            Flush::Finish(_) => FlushCompress::Finish,
        };
        compressed.extend(flushed(&mut zlib, piece, how));
        if let Flush::Finish(level) = flush {
            zlib = Compress::new_with_window_bits(Compression::new(level), false, bits);
        }
    }
    compressed.extend(flushed(&mut zlib, &[], FlushCompress::Sync));
    if compressed.ends_with(&TAIL) {
        compressed.truncate(compressed.len() - TAIL.len());
    } else {
        // Nothing was left to flush.
        compressed.push(0);
    }
    compressed
}

fn habit() -> impl Strategy<Value = Vec<(usize, Flush)>> {
    let flush = prop_oneof![
        Just(Flush::None),
        Just(Flush::Partial),
        Just(Flush::Sync),
        Just(Flush::Full),
        (0..=9_u32).prop_map(Flush::Finish),
    ];
    vec(
        (
            prop_oneof![Just(1_usize), 1..20_usize, 20..4000_usize],
            flush,
        ),
        1..5,
    )
}

fn content() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        (any::<u64>(), 1..600_usize).prop_map(|(seed, len)| noise(seed, len)),
        (1..20_u32).prop_map(json),
        (any::<u8>(), 1..40_000_usize).prop_map(|(byte, len)| vec![byte; len]),
        (any::<u64>(), 1..40_usize, 2..200_usize)
            .prop_map(|(seed, len, times)| noise(seed, len).repeat(times)),
    ]
}

fn same_verdict<R: TestRole>(
    message: &[u8],
    content: &[u8],
    parts: &[Index],
    cuts: &[Index],
) -> Result<(), TestCaseError> {
    let mut ends = at(parts, message.len());
    ends.insert(0, 0);
    ends.push(message.len());
    let fragmented = fragments(ends.windows(2).map(|ends| &message[ends[0]..ends[1]]));
    for (limit, passes) in [(content.len(), true), (content.len() - 1, false)] {
        let expected = if passes {
            Seen::binary(content)
        } else {
            Seen::Failed(too_long(limit))
        };
        let setup = with_limit(limit);
        for frames in [&one(message), &fragmented] {
            let bytes = wire::<R>(frames);
            for cuts in [
                vec![],
                at(cuts, bytes.len()),
                Vec::from_iter((0..bytes.len()).take(2000)),
            ] {
                let outcome = setup.run::<R>(&bytes, &cuts);
                prop_assert!(
                    outcome.seen == [expected.clone()],
                    "limit {limit}: {}",
                    brief(&outcome.seen)
                );
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 300, ..config(if cfg!(debug_assertions) { 100 } else { 3000 }) })]

    /// D3, DP13, L6, D8: whatever a compressor does, content of the limit passes, and with one byte
    /// more the message fails: in every fragmentation and with every split.
    #[test]
    fn d3_dp13_l6_content_decides_whatever_the_compressor_does(
        content in content(), level in 0..=9_u32, bits in 9..=15_u8, habit in habit(),
        parts in vec(any::<Index>(), 0..12), cuts in vec(any::<Index>(), 0..12), to_client in any::<bool>(),
    ) {
        let message = compressed(&content, level, bits, &habit);
        if to_client {
            same_verdict::<Client>(&message, &content, &parts, &cuts)?;
        } else {
            same_verdict::<Server>(&message, &content, &parts, &cuts)?;
        }
    }
}
