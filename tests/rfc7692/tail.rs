//! permessage-deflate: where a message ends (RFC 7692 §7.2.2). The tail that its sender took away
//! is the length of an empty stored block, and nothing else that the tail completes is an end. The
//! judge is the inflater written from RFC 1951, which knows no tail.

use crate::common::deflate::*;
use crate::common::{Frame, Seen, TestRole, for_both_roles, wire};
use ws_proto::ProtocolError;
use ws_proto::deflate::Decompressor;

/// The content of a message, if it is valid; the same by a decompressor, whatever the chunks and
/// the room, by a WebSocket with every split, and by its halves.
fn verdict<R: TestRole>(message: &[u8], no_context_takeover: bool) -> Option<Vec<u8>> {
    let params = both_ways(no_context_takeover, 15);
    let whole = inflate(&mut decompressor::<R>(params), message, 300).ok();
    assert_eq!(
        whole,
        inflate(&mut decompressor::<R>(params), message, 1).ok()
    );
    for cut in [
        0,
        message.len() / 2,
        message.len().saturating_sub(1),
        message.len(),
    ] {
        let (mut pieces, mut inflated) = (decompressor::<R>(params), Vec::new());
        let parts = [&message[..cut], &message[cut..], &[]];
        let outcome = parts
            .iter()
            .enumerate()
            .try_for_each(|(i, part)| inflate_piece(&mut pieces, part, i == 2, 300, &mut inflated));
        assert_eq!(whole, outcome.ok().map(|()| inflated), "cut at {cut}");
    }
    let setup = Setup::with(params);
    let (front, back) = message.split_at(message.len() / 2);
    for frames in [
        &[Frame::binary(message).rsv(RSV1)][..],
        &[
            Frame::binary(front).rsv(RSV1).more(),
            Frame::continuation(back).more(),
            Frame::continuation(""),
        ],
    ] {
        let bytes = wire::<R>(frames);
        let outcome = setup.run::<R>(&bytes, &[]);
        assert_eq!(
            outcome,
            setup.run::<R>(&bytes, &Vec::from_iter(0..bytes.len())),
            "the cut makes a difference"
        );
        let expected = whole
            .as_ref()
            .map_or(Seen::Failed(ProtocolError::InvalidCompression), |whole| {
                Seen::binary(whole)
            });
        assert_eq!(outcome.seen, [expected], "{message:x?}");
    }
    whole
}

/// Whether the tail completes the block that the message is truncated in, to the last bit, and
/// there is nothing in it: read further, the stream is valid and empty.
fn is_completed_by_the_tail(message: &[u8]) -> bool {
    Oracle::default().message(&[message, &TAIL, &[0]].concat()) == Some(vec![])
}

/// DP14, D7: the tail may be read as the rest of the codes at the front of a block, and as the end
/// of that block. Nothing is written and nothing is missing then, but the message was still
/// truncated.
#[test]
fn dp14_d7_a_block_that_the_tail_completes_is_no_end() {
    fn check<R: TestRole>() {
        let message = block_that_the_tail_completes();
        assert!(
            is_completed_by_the_tail(&message) && Oracle::default().message(&message).is_none()
        );
        // By itself, and after other blocks.
        for before in [&[][..], &[HELLO[1], &TAIL[..]].concat(), &HELLO[2][..7]] {
            for no_context_takeover in [false, true] {
                assert_eq!(
                    verdict::<R>(&[before, &message].concat(), no_context_takeover),
                    None
                );
            }
        }
        // Inside a stream that is valid it is none the worse.
        let valid = [&message[..], &TAIL, HELLO[0]].concat();
        assert_eq!(verdict::<R>(&valid, false).as_deref(), Some(&b"Hello"[..]));
    }
    for_both_roles!(check);
}

/// A generator of numbers below a limit.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % limit
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }
}

/// A block with codes of its own, truncated inside the lengths of these codes, at the end of a
/// byte; `None` if there is no such byte.
fn cut_off_in_code_lengths(numbers: &mut Numbers) -> Option<Vec<u8>> {
    const ORDER: [usize; 19] = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ];
    let total_literals = 257 + numbers.below(30);
    let distances = 1 + numbers.below(30);
    // Four symbols of two bits, or two of one bit, or one and two of two; among them those that are
    // needed.
    let (mut symbols, lengths): (Vec<usize>, &[usize]) = match numbers.below(3) {
        0 => (
            vec![0, 1, numbers.one_of(&[17, 18]), numbers.one_of(&[16, 2, 3])],
            &[2, 2, 2, 2],
        ),
        1 => (
            vec![0, 1, numbers.one_of(&[17, 18])],
            numbers.one_of(&[&[1, 2, 2][..], &[2, 1, 2], &[2, 2, 1]]),
        ),
        _ => (vec![1, 18], &[1, 1]),
    };
    if numbers.below(2) == 0 {
        symbols.rotate_left(1);
    }
    let mut of_symbols = [0; 19];
    symbols
        .iter()
        .zip(lengths)
        .for_each(|(&symbol, &length)| of_symbols[symbol] = length);
    // Codes in the order of their lengths, and of the symbols.
    let (mut codes, mut code) = (vec![String::new(); 19], 0);
    for length in 1..=2 {
        code *= 2;
        for (symbol, _) in of_symbols
            .iter()
            .enumerate()
            .filter(|&(_, &of)| of == length)
        {
            codes[symbol] = format!("{code:0length$b}");
            code += 1;
        }
    }
    let mut block = BitWriter::default();
    block.number(0, 1);
    block.number(2, 2);
    block.number(total_literals - 257, 5);
    block.number(distances - 1, 5);
    block.number(18 - 4, 4);
    ORDER[..18]
        .iter()
        .for_each(|&symbol| block.number(of_symbols[symbol], 3));

    let (mut given, mut ones) = (0, 0);
    let end = 257 + numbers.below(total_literals + distances - 257);
    while given < end {
        if block.len() % 8 == 0 && given > 256 && numbers.below(3) == 0 {
            break;
        }
        let literal = given == 256 || given < 256 && ones == 0 && numbers.below(150) == 0;
        if literal || given > 256 && numbers.below(40) == 0 {
            block.code(&codes[1]);
            (given, ones) = (given + 1, ones + 1);
            continue;
        }
        let most = if given < 256 {
            256 - given
        } else {
            end - given
        };
        let (symbol, least, greatest, extra) = if of_symbols[18] > 0 && most >= 11 {
            (18, 11, 138, 7)
        } else {
            (17, 3, 10, 3)
        };
        if of_symbols[symbol] > 0 && most >= least && (of_symbols[0] == 0 || numbers.below(3) > 0) {
            let times = if numbers.below(2) == 0 {
                most.min(greatest)
            } else {
                least + numbers.below(most.min(greatest) - least + 1)
            };
            block.code(&codes[symbol]);
            block.number(times - least, extra);
            given += times;
        } else if of_symbols[0] > 0 {
            block.code(&codes[0]);
            given += 1;
        } else {
            return None;
        }
    }
    (block.len() % 8 == 0).then(|| block.bytes())
}

/// DP14, D7, D12: of many messages that are truncated in the codes of a block, none is valid; the
/// tail completes a good number of them.
#[test]
fn dp14_d7_d12_messages_that_are_cut_off_in_the_codes_of_a_block_fail() {
    let mut numbers = Numbers(0x7692);
    let (mut all, mut completed) = (0, 0);
    for _ in 0..if cfg!(debug_assertions) {
        60_000
    } else {
        600_000
    } {
        let Some(message) = cut_off_in_code_lengths(&mut numbers) else {
            continue;
        };
        all += 1;
        assert_eq!(Oracle::default().message(&message), None);
        let mut ours = decompressor::<ws_proto::Server>(both_ways(false, 15));
        assert!(inflate(&mut ours, &message, 10).is_err(), "{message:x?}");
        if is_completed_by_the_tail(&message) {
            completed += 1;
            assert_eq!(verdict::<ws_proto::Server>(&message, false), None);
        }
    }
    println!("{completed} of {all}");
    assert!(completed > 20 && all > 1000, "{completed} of {all}");
}

/// DP14, D7: wherever a valid message is truncated, it is an end only where the inflater that knows
/// no tail finds one.
#[test]
fn dp14_d7_prefixes_of_valid_messages() {
    fn check<R: TestRole>() {
        let mut numbers = Numbers(1951);
        let (mut valid, mut invalid) = (0, 0);
        for i in 0..40 {
            // Of two to five blocks of all kinds, some of them empty.
            let mut zlib = CDeflate::new(numbers.one_of(&[0, 1, 6, 9]), 15, false);
            let mut message = Vec::new();
            for _ in 0..2 + numbers.below(4) {
                let len = numbers.below(80);
                message.extend(zlib.message(&match numbers.below(4) {
                    0 => vec![],
                    1 => noise(i, len),
                    2 => json(2)[..len].to_vec(),
                    _ => json(3),
                }));
                message.extend(TAIL);
            }
            message.push(0);
            for len in 0..=message.len() {
                let expected = Oracle::default().message(&message[..len]);
                *(if expected.is_some() {
                    &mut valid
                } else {
                    &mut invalid
                }) += 1;
                assert_eq!(
                    inflate(
                        &mut decompressor::<R>(both_ways(false, 15)),
                        &message[..len],
                        1000
                    )
                    .ok(),
                    expected
                );
                if len % 16 == 0 || expected.is_some() {
                    assert_eq!(verdict::<R>(&message[..len], len % 2 == 0), expected);
                }
            }
        }
        assert!(valid > 100 && invalid > 1000, "{valid} {invalid}");
    }
    for_both_roles!(check);
}

/// D6, DP14: that a message ended with a final block is forgotten with the message: the next one
/// needs an end of its own.
#[test]
fn d6_dp14_an_end_is_not_carried_over() {
    for no_context_takeover in [false, true] {
        let fresh = || -> Decompressor {
            decompressor::<ws_proto::Server>(both_ways(no_context_takeover, 15))
        };
        for first in [&HELLO[2][..7], b"\x01\x05\x00\xfa\xffHello", HELLO[2]] {
            for (second, expected) in [
                (&b""[..], None),
                (HELLO[0], Some("Hello")),
                (b"\x00", Some("")),
                (&HELLO[0][..6], None),
                (HELLO_AGAIN, None),
            ] {
                let mut ours = fresh();
                assert_eq!(inflate(&mut ours, first, 100).unwrap(), b"Hello");
                assert_eq!(
                    inflate(&mut ours, second, 100).ok().as_deref(),
                    expected.map(str::as_bytes),
                    "{second:x?} after {first:x?}"
                );
            }
        }
    }
}
