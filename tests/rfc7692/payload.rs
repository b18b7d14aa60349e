//! permessage-deflate: what goes over the wire (RFC 7692 §6, §7.2). DP and D of `docs/rules.md`.

use crate::common::deflate::*;
use crate::common::{Frame, Layer, Log, Seen, TestRole, for_both_roles, read_all, receive, wire};
use ws_proto::deflate::{DeflateConfig as Deflate, Flush, InflateError, Inflated, Params};
use ws_proto::{
    CappedOutput, Config, Message, MessageKind, ProtocolError, SendError, SliceOutput, WebSocket,
};

fn compressed_binary(payload: impl AsRef<[u8]>) -> Frame {
    Frame::binary(payload).rsv(RSV1)
}

/// That these frames give these messages and no more.
#[track_caller]
fn gives<R: TestRole>(setup: &Setup, frames: &[Frame], expected: &[Seen]) {
    let (seen, answers) = setup.receive::<R>(frames);
    assert!(seen == expected, "{}", brief(&seen));
    assert!(
        answers.iter().all(|frame| frame.opcode == 10),
        "{answers:?}"
    );
}

/// That the last of these frames fails the connection, after these messages, and that the peer is
/// told this code.
#[track_caller]
fn fails<R: TestRole>(
    setup: &Setup,
    frames: &[Frame],
    before: &[Seen],
    error: ProtocolError,
    code: u16,
) {
    let (seen, answers) = setup.receive::<R>(frames);
    let (last, messages) = seen.split_last().expect("something is seen");
    assert!(
        (messages, last) == (before, &Seen::Failed(error)),
        "{}",
        brief(&seen)
    );
    assert_eq!(
        answers
            .last()
            .map(|close| (close.opcode, &close.payload[..2])),
        Some((8, &code.to_be_bytes()[..]))
    );
}

/// DP5, DP7, DP8, DP9, DP10: the RFC's own examples, received as text and as binary, one after the
/// other.
#[test]
fn dp5_dp7_dp8_dp9_dp10_the_examples_of_the_rfc_inflate() {
    fn check<R: TestRole>() {
        let setup = Setup::default();
        for hello in HELLO {
            gives::<R>(&setup, &[compressed_text(hello)], &[Seen::text("Hello")]);
        }
        let all: Vec<_> = HELLO
            .into_iter()
            .chain(HELLO)
            .map(compressed_binary)
            .collect();
        gives::<R>(&setup, &all, &vec![Seen::binary(b"Hello"); all.len()]);
        // §7.2.3.2: the context is taken over, also to a message of the other type.
        gives::<R>(
            &setup,
            &[compressed_text(HELLO[0]), compressed_binary(HELLO_AGAIN)],
            &[hello(), Seen::binary(b"Hello")],
        );
    }
    for_both_roles!(check);
}

/// DP4, DP10: what is sent is flushed and sent without the tail, as in §7.2.3.1 and §7.2.3.2;
/// §7.2.3.3 without compression.
#[test]
fn dp4_dp8_dp10_the_examples_of_the_rfc_are_sent() {
    fn check<R: TestRole>() {
        let ours = Deflate::default().with_threshold(0);
        let stored = ours.clone().with_level(0);
        for (deflate, no_context_takeover, expected) in [
            (&ours, false, [HELLO[0], HELLO_AGAIN]),
            (&ours, true, [HELLO[0], HELLO[0]]),
            (&stored, false, [HELLO[1], HELLO[1]]),
        ] {
            let params = both_ways(no_context_takeover, 15);
            let mut compressor = compressor::<R>(params, deflate);
            for expected in expected {
                assert_eq!(compress(&mut compressor, b"Hello"), expected);
            }
        }
        // In a frame, with RSV1 and the message's own opcode (DP2).
        let mut ws = Setup::default().deflate(ours).websocket::<R>();
        let mut out = Vec::new();
        ws.send_text("Hello", &mut out).unwrap();
        ws.send_binary(b"Hello", &mut out).unwrap();
        let sent: Vec<_> = frames(&out)
            .into_iter()
            .map(|frame| (frame.fin, frame.rsv, frame.opcode, frame.payload))
            .collect();
        assert_eq!(
            sent,
            [
                (true, RSV1, 1, HELLO[0].to_vec()),
                (true, RSV1, 2, HELLO_AGAIN.to_vec())
            ]
        );
    }
    for_both_roles!(check);
}

/// DP1, EX6: the reserved bits, and who may set them where.
#[test]
fn dp1_rsv1_stands_on_the_first_frame_of_a_data_message_only() {
    fn check<R: TestRole>() {
        let first = compressed_text(&HELLO[0][..3]).more();
        let plain = Frame::text("He").more();
        let table: [&[Frame]; 12] = [
            &[first.clone(), Frame::continuation(&HELLO[0][3..]).rsv(RSV1)],
            &[
                first.clone(),
                Frame::continuation(&HELLO[0][3..]).rsv(RSV1).more(),
            ],
            &[plain.clone(), Frame::continuation("llo").rsv(RSV1)],
            &[Frame::continuation(HELLO[0]).rsv(RSV1)],
            &[Frame::ping("").rsv(RSV1)],
            &[Frame::pong(HELLO[0]).rsv(RSV1)],
            &[Frame::close(1000, "").rsv(RSV1)],
            &[first, Frame::ping("").rsv(RSV1)],
            &[Frame::text("Hello").rsv(2)],
            &[Frame::text("Hello").rsv(1)],
            &[compressed_text(HELLO[0]).rsv(RSV1 | 2)],
            &[compressed_binary(HELLO[0]).rsv(7)],
        ];
        for frames in table {
            let bits = frames.last().unwrap().rsv;
            fails::<R>(
                &Setup::default(),
                frames,
                &[],
                ProtocolError::ReservedBits(bits),
                1002,
            );
        }
    }
    for_both_roles!(check);
}

/// EX6: without agreement RSV1 means nothing, and cannot be sent.
#[test]
fn ex6_nothing_is_compressed_without_agreement() {
    fn check<R: TestRole>() {
        let (seen, answers) = receive::<R>(&[compressed_text(HELLO[0])]);
        assert_eq!(seen, [Seen::Failed(ProtocolError::ReservedBits(RSV1))]);
        assert_eq!(answers[0].payload[..2], 1002_u16.to_be_bytes());
        let mut ws = WebSocket::new(R::make(), &Config::default());
        let mut out = Vec::new();
        assert_eq!(
            ws.send_compressed_fragment(MessageKind::Text, HELLO[0], params(""), true, &mut out),
            Err(SendError::NotNegotiated)
        );
        ws.send_text(&"a".repeat(1000), &mut out).unwrap();
        assert_eq!(read_all::<R>(&out), [Frame::text("a".repeat(1000))]);
    }
    for_both_roles!(check);
}

/// DP2, D9: what is not compressed neither moves the context nor resets it, in both directions.
#[test]
fn dp2_d9_plain_messages_leave_the_context_alone() {
    fn check<R: TestRole>() {
        let others = [
            Frame::text("xyz".repeat(50)),
            Frame::binary("").more(),
            Frame::ping("p"),
            Frame::continuation("tail"),
            Frame::pong(""),
        ];
        let seen = [
            Seen::text(&"xyz".repeat(50)),
            Seen::ping("p"),
            Seen::binary(b"tail"),
            Seen::pong(""),
        ];
        let frames = [
            &[compressed_text(HELLO[0])],
            &others[..],
            &[compressed_text(HELLO_AGAIN)],
        ]
        .concat();
        gives::<R>(
            &Setup::default(),
            &frames,
            &[&[hello()], &seen[..], &[hello()]].concat(),
        );

        let mut ws = Setup::default().websocket::<R>();
        let mut out = Vec::new();
        ws.send_text("Hello", &mut out).unwrap();
        out.clear();
        ws.send_text_uncompressed(&"xyz".repeat(50), &mut out)
            .unwrap();
        ws.send_binary_uncompressed(&[7; 500], &mut out).unwrap();
        ws.send_fragment_uncompressed(MessageKind::Text, b"xyz", false, &mut out)
            .unwrap();
        ws.send_ping(b"ping", &mut out).unwrap();
        ws.send_fragment_uncompressed(MessageKind::Text, b"xyz", true, &mut out)
            .unwrap();
        assert!(read_all::<R>(&out).iter().all(|frame| frame.rsv == 0));
        out.clear();
        ws.send_text("Hello", &mut out).unwrap();
        assert_eq!(crate::common::deflate::frames(&out)[0].payload, HELLO_AGAIN);
    }
    for_both_roles!(check);
}

/// DP3, DP6, DP15, D10: a message is compressed, then fragmented: anywhere, with empty fragments
/// and control frames between.
#[test]
fn dp3_dp6_dp15_d10_fragments_of_a_compressed_message() {
    fn check<R: TestRole>() {
        for whole in HELLO {
            for cut in 0..=whole.len() {
                let (a, b) = whole.split_at(cut);
                let frames = [
                    compressed_text(a).more(),
                    Frame::continuation("").more(),
                    Frame::ping(HELLO[0]),
                    Frame::continuation(b).more(),
                    Frame::pong(""),
                    Frame::continuation(""),
                    compressed_text(HELLO[3]),
                ];
                gives::<R>(
                    &Setup::default(),
                    &frames,
                    &[Seen::ping(HELLO[0]), Seen::pong(""), hello(), hello()],
                );
            }
            let mut bytes: Vec<_> = whole
                .iter()
                .map(|byte| Frame::continuation([*byte]).more())
                .collect();
            bytes[0] = compressed_text([whole[0]]).more();
            bytes.last_mut().unwrap().fin = true;
            gives::<R>(&Setup::default(), &bytes, &[hello()]);
        }
        let frames = [
            compressed_text("").more(),
            Frame::continuation("").more(),
            Frame::continuation(HELLO[0]),
        ];
        gives::<R>(&Setup::default(), &frames, &[hello()]);
    }
    for_both_roles!(check);
}

/// DP6: an empty message is one byte; `02 00` is one too (§7.2.3.6). A payload of no bytes is none.
#[test]
fn dp6_empty_messages() {
    fn check<R: TestRole>() {
        let empty = [
            compressed_text(b"\x00"),
            compressed_binary(b"\x02\x00"),
            compressed_text(HELLO[0]),
            compressed_text(b"\x00"),
            compressed_text(HELLO_AGAIN),
        ];
        gives::<R>(
            &Setup::default(),
            &empty,
            &[
                Seen::text(""),
                Seen::binary(b""),
                hello(),
                Seen::text(""),
                hello(),
            ],
        );
        for first in [None, Some(2)] {
            // Also after a final block, on which no tail follows.
            let before = Vec::from_iter(first.map(|at| compressed_text(HELLO[at])));
            let frames = [
                before.clone(),
                vec![compressed_text("").more(), Frame::continuation("")],
            ]
            .concat();
            fails::<R>(
                &Setup::default(),
                &frames,
                &vec![hello(); before.len()],
                ProtocolError::InvalidCompression,
                1007,
            );
        }

        let params = both_ways(false, 15);
        let mut compressor = compressor::<R>(params, &Deflate::default());
        assert_eq!(compress(&mut compressor, b""), b"\x00");
        assert_eq!(compress(&mut compressor, b"Hello"), HELLO[0]);
        let mut pieces = Vec::new();
        compressor.compress(b"", Flush::None, &mut pieces);
        compressor.compress(b"", Flush::End, &mut pieces);
        assert_eq!(pieces, b"\x00");
        assert_eq!(compress(&mut compressor, b"Hello"), HELLO_AGAIN);
        // The end of a message may come alone.
        let mut pieces = Vec::new();
        compressor.compress(b"Hello", Flush::None, &mut pieces);
        compressor.compress(b"", Flush::End, &mut pieces);
        let mut oracle = Oracle::default();
        assert_eq!(oracle.message(HELLO[0]).as_deref(), Some(&b"Hello"[..]));
        assert_eq!(oracle.message(&pieces).as_deref(), Some(&b"Hello"[..]));
    }
    for_both_roles!(check);
}

/// DP7, D6: blocks with BFINAL: one, several, in the middle, at the end; with and without the byte
/// behind them; and the message after them.
#[test]
fn dp7_d6_final_blocks() {
    fn check<R: TestRole>() {
        let last = &HELLO[2][..7];
        let stored = b"\x01\x05\x00\xfa\xffHello";
        let dynamic = CDeflate::new(9, 15, true).final_message(&json(40));
        let json = json(40);
        let table: [(&[&[u8]], Vec<u8>); 11] = [
            // §7.2.1: what ends with an empty stored block is sent without its length, final or
            // not.
            (&[&HELLO[1][..10], b"\x01"], b"Hello".to_vec()),
            (&[b"\x01"], b"".to_vec()),
            (&[last], b"Hello".to_vec()),
            (&[last, b"\x00"], b"Hello".to_vec()),
            (&[last, last], b"HelloHello".to_vec()),
            (&[last, last, last, b"\x00"], b"HelloHelloHello".to_vec()),
            (&[last, HELLO[0]], b"HelloHello".to_vec()),
            (&[stored], b"Hello".to_vec()),
            (&[stored, stored, HELLO[3]], b"HelloHelloHello".to_vec()),
            (&[&dynamic], json.clone()),
            (
                &[&dynamic, stored, &dynamic],
                [&json[..], b"Hello", &json].concat(),
            ),
        ];
        for (parts, expected) in &table {
            for no_context_takeover in [false, true] {
                let setup = Setup::with(both_ways(no_context_takeover, 15));
                let frames = [
                    compressed_text(HELLO[0]),
                    compressed_binary(parts.concat()),
                    compressed_text(HELLO[0]),
                ];
                gives::<R>(&setup, &frames, &[hello(), Seen::binary(expected), hello()]);
            }
            // Each part in a frame of its own.
            let mut frames: Vec<_> = parts
                .iter()
                .map(|part| Frame::continuation(part).more())
                .collect();
            frames[0] = compressed_binary(parts[0]).more();
            frames.extend([
                Frame::continuation(""),
                compressed_text(HELLO[0]),
                compressed_text(HELLO_AGAIN),
            ]);
            gives::<R>(
                &Setup::default(),
                &frames,
                &[Seen::binary(expected), hello(), hello()],
            );
        }
        // What follows a final block cannot refer to what was before it (RFC 1951 §3.2.3): it is
        // another stream.
        let frames = [compressed_text(HELLO[2]), compressed_text(HELLO_AGAIN)];
        fails::<R>(
            &Setup::default(),
            &frames,
            &[hello()],
            ProtocolError::InvalidCompression,
            1007,
        );
    }
    for_both_roles!(check);
}

/// Checks a message that may be spoilt against the oracle.
#[track_caller]
fn judge<R: TestRole>(setup: &Setup, message: &[u8]) -> bool {
    let mut expected = match Oracle::default().message(message) {
        Some(inflated) => vec![Seen::binary(&inflated)],
        None => vec![Seen::Failed(ProtocolError::InvalidCompression)],
    };
    let is_valid = !matches!(expected[0], Seen::Failed(_));
    if is_valid {
        expected.push(Seen::ping("after"));
    }
    let bytes = wire::<R>(&[compressed_binary(message), Frame::ping("after")]);
    let outcome = setup.run::<R>(&bytes, &[]);
    assert_eq!(outcome.seen, expected, "{message:x?}");
    if !is_valid {
        assert_eq!(
            read_all::<R>(&outcome.out)[0].payload[..2],
            1007_u16.to_be_bytes()
        );
    }
    is_valid
}

/// DP14, D7: a message that ends too early fails the connection, and nothing of it is delivered.
#[test]
fn dp14_d7_truncated_messages_fail() {
    fn check<R: TestRole>() {
        let mut messages: Vec<_> = HELLO.into_iter().map(<[u8]>::to_vec).collect();
        messages.push(CDeflate::new(0, 15, true).message(&json(2)));
        messages.extend([1, 6, 9].map(|level| CDeflate::new(level, 15, true).message(&json(10))));
        messages.push(CDeflate::new(6, 15, true).final_message(&json(3)));
        for message in messages {
            assert!(judge::<R>(&Setup::default(), &message));
            let valid = (1..message.len())
                .filter(|&len| judge::<R>(&Setup::default(), &message[..len]))
                .count();
            assert!(
                valid <= 3,
                "only what ends between blocks is valid: {valid}"
            );
        }
    }
    for_both_roles!(check);
}

/// DP14, D7, D12: found by fuzzing. The tail would complete the code that ends a final block, and
/// the fault was forgotten when asked again.
#[test]
fn dp14_a_message_cut_off_inside_the_code_that_ends_a_block_fails() {
    let mut decompressor = Params::default().client_decompressor();
    let (mut message, mut output): (&[u8], _) = (&[0x5b, 0x00], [0; 8]);
    assert_eq!(
        decompressor.inflate(&mut message, true, &mut output),
        Ok(Inflated {
            len: 1,
            done: false
        })
    );
    assert_eq!(
        decompressor.inflate(&mut message, true, &mut output),
        Err(InflateError)
    );
    for_both_roles!(
        fails,
        &Setup::default(),
        &[compressed_binary(b"\x5b\x00")],
        &[],
        ProtocolError::InvalidCompression,
        1007
    );
}

/// DP14, D7: with any bit changed, a message is what RFC 1951 says, or fails the connection.
#[test]
fn dp14_d7_corrupt_messages_fail() {
    fn check<R: TestRole>() {
        let (mut valid, mut invalid) = (0, 0);
        for message in [
            HELLO[0].to_vec(),
            HELLO[1].to_vec(),
            HELLO[3].to_vec(),
            zlib(&json(6)),
            zlib(&[7; 3000]),
        ] {
            for bit in 0..message.len() * 8 {
                let mut message = message.clone();
                message[bit / 8] ^= 1 << (bit % 8);
                *(if judge::<R>(&Setup::default(), &message) {
                    &mut valid
                } else {
                    &mut invalid
                }) += 1;
            }
        }
        assert!(valid > 100 && invalid > 100, "{valid} {invalid}");
        for garbage in [
            &b"\x06"[..],
            b"\x07\x00",
            b"\xff\xff\xff\xff",
            b"Hello",
            b"\x00\x05\x00\xfa\xfeHello\x00",
            b"\x73\x04\x13\x00",
            b"\x78\x9c\xf3\x48\xcd\xc9\xc9\x07\x00",
        ] {
            assert!(!judge::<R>(&Setup::default(), garbage));
        }
    }
    for_both_roles!(check);
}

/// DP14: what came of a message before it turns out corrupt is not delivered, nor is anything after
/// it.
#[test]
fn dp14_nothing_of_a_corrupt_message_is_delivered() {
    fn check<R: TestRole>() {
        for at in [1000, 20_000] {
            let mut stream = zlib(&noise(5, 30_000));
            stream.truncate(at);
            let frames = [
                compressed_binary(&stream).more(),
                Frame::ping(""),
                Frame::continuation(b"\x06"),
                compressed_text(HELLO[0]),
            ];
            fails::<R>(
                &Setup::default(),
                &frames,
                &[Seen::ping("")],
                ProtocolError::InvalidCompression,
                1007,
            );
        }
        // It is told as soon as it is known, inside an incomplete frame.
        let mut ws = Setup::default().websocket::<R>();
        let bytes = wire::<R>(&[compressed_binary(b"\xff").declaring(1000)]);
        let mut log = Log::default();
        ws.recv_all(&mut bytes.clone(), &mut log);
        assert_eq!(log.seen, [Seen::Failed(ProtocolError::InvalidCompression)]);
    }
    for_both_roles!(check);
}

/// DP11: without takeover each message is compressed alone, and inflated alone.
#[test]
fn dp11_without_takeover_each_message_starts_anew() {
    fn check<R: TestRole>() {
        let setup = Setup::with(both_ways(true, 15)).deflate(Deflate::default().with_threshold(0));
        let mut ws = setup.websocket::<R>();
        let mut out = Vec::new();
        let text = String::from_utf8(json(20)).unwrap();
        for _ in 0..3 {
            ws.send_text(&text, &mut out).unwrap();
        }
        let sent = frames(&out);
        for frame in &sent {
            assert_eq!(
                Oracle::default().message(&frame.payload).as_deref(),
                Some(text.as_bytes())
            );
            assert_eq!((frame.rsv, &frame.payload), (RSV1, &sent[0].payload));
        }
        fails::<R>(
            &setup,
            &[compressed_text(HELLO[0]), compressed_text(HELLO_AGAIN)],
            &[hello()],
            ProtocolError::InvalidCompression,
            1007,
        );
    }
    for_both_roles!(check);
}

/// The directions are told apart: each has its own takeover (DF4, DF5).
#[test]
fn df4_df5_each_direction_has_its_own_takeover() {
    fn check<R: TestRole>() {
        let (ours, theirs) = if R::MASKS {
            ("client", "server")
        } else {
            ("server", "client")
        };
        for (bound, resets) in [(ours, true), (theirs, false)] {
            let params = params(&format!("; {bound}_no_context_takeover"));
            let setup = Setup::with(params).deflate(Deflate::default().with_threshold(0));
            let mut ws = setup.websocket::<R>();
            let mut out = Vec::new();
            ws.send_text("Hello", &mut out).unwrap();
            ws.send_binary(b"Hello", &mut out).unwrap();
            let again = frames(&out)[1].payload.clone();
            if resets {
                assert_eq!(
                    again, b"Hello",
                    "alone it is no shorter compressed, and goes plain"
                );
                gives::<R>(
                    &setup,
                    &[compressed_text(HELLO[0]), compressed_text(HELLO_AGAIN)],
                    &[hello(), hello()],
                );
            } else {
                assert_eq!(again, HELLO_AGAIN);
                let frames = [compressed_text(HELLO[0]), compressed_text(HELLO_AGAIN)];
                fails::<R>(
                    &setup,
                    &frames,
                    &[hello()],
                    ProtocolError::InvalidCompression,
                    1007,
                );
            }
        }
    }
    for_both_roles!(check);
}

/// DP12: the receiver keeps the context for as long as the peer may refer back, over 32 KiB and
/// over messages that do not.
#[test]
fn dp12_the_context_is_kept() {
    fn check<R: TestRole>() {
        let once = noise(9, 30_000);
        let mut zlib = CDeflate::new(9, 15, false);
        let messages = [once.clone(), b"short".to_vec(), once.clone(), vec![], once];
        let frames: Vec<_> = messages
            .iter()
            .map(|message| compressed_binary(zlib.message(message)))
            .collect();
        assert!(frames[4].payload.len() < 1000, "it refers back");
        gives::<R>(
            &Setup::default(),
            &frames,
            &messages.map(|message| Seen::binary(&message)),
        );
        // A sender may reset though it need not.
        let frames = [
            compressed_text(HELLO[0]),
            compressed_text(HELLO[0]),
            compressed_text(HELLO_AGAIN),
        ];
        gives::<R>(&Setup::default(), &frames, &[hello(), hello(), hello()]);
    }
    for_both_roles!(check);
}

/// DP12: over thousands of messages in both directions.
#[test]
fn dp12_both_contexts_over_thousands_of_messages() {
    fn check<R: TestRole>() {
        let setup = Setup::default().deflate(Deflate::default().with_threshold(20));
        let (mut here, mut there) = (setup.websocket::<R>(), setup.websocket::<R::Peer>());
        let (mut compressed, mut plain) = (0, 0);
        for i in 0..2000_u32 {
            let text = format!("{i:x} {}", "ab\u{e4} ".repeat(i as usize % 50));
            plain += 2 * text.len();
            let mut wire = Vec::new();
            here.send_text(&text, &mut wire).unwrap();
            compressed += wire.len();
            let mut echoes = Vec::new();
            let mut input = wire.as_mut_slice();
            let Some(Message::Text(got)) = there.recv(&mut input, &mut echoes) else {
                panic!("message {i}")
            };
            assert_eq!(got, text);
            there.send_text(&got, &mut echoes).unwrap();
            compressed += echoes.len();
            assert_eq!(
                here.recv(&mut echoes.as_mut_slice(), &mut Vec::new()),
                Some(Message::Text(text.into())),
                "message {i}"
            );
        }
        assert!(compressed * 4 < plain, "{compressed} of {plain}");
    }
    for_both_roles!(check);
}

/// F1, F2, L5: where compression was negotiated, messages that come plain have the same limits as
/// ever, before and after compressed ones.
#[test]
fn f1_f2_l5_plain_messages_have_their_limits_too() {
    fn check<R: TestRole>() {
        let limited = Setup::default().config(
            Config::default()
                .with_max_message(100)
                .with_max_fragments(3),
        );
        for before in [vec![], vec![compressed_binary(zlib(&[b'a'; 100]))]] {
            let seen = vec![Seen::binary(&[b'a'; 100]); before.len()];
            let of = |lens: &[usize]| {
                let mut frames: Vec<_> = lens
                    .iter()
                    .map(|&len| Frame::continuation(vec![b'a'; len]).more())
                    .collect();
                frames[0].opcode = 2;
                frames.last_mut().unwrap().fin = true;
                [&before[..], &frames].concat()
            };
            for lens in [
                &[99][..],
                &[100],
                &[80, 19],
                &[80, 20],
                &[5, 0, 0],
                &[16, 0, 0, 0],
                &[25; 4],
            ] {
                let message = Seen::binary(&vec![b'a'; lens.iter().sum()]);
                gives::<R>(&limited, &of(lens), &[&seen[..], &[message]].concat());
            }
            let too_long = ProtocolError::MessageTooLong {
                len: 101,
                limit: 100,
            };
            for lens in [&[101][..], &[80, 21], &[50, 50, 1]] {
                fails::<R>(&limited, &of(lens), &seen, too_long, 1009);
            }
            fails::<R>(
                &limited,
                &of(&[5, 0, 0, 0]),
                &seen,
                ProtocolError::TooManyFragments {
                    fragments: 4,
                    limit: 3,
                },
                1008,
            );
            fails::<R>(
                &limited,
                &of(&[16, 0, 0, 0, 0]),
                &seen,
                ProtocolError::TooManyFragments {
                    fragments: 5,
                    limit: 4,
                },
                1008,
            );
        }
    }
    for_both_roles!(check);
}

/// F5: a new message inside another, whichever of them is compressed. Of neither anything is
/// delivered.
#[test]
fn f5_a_new_message_inside_a_compressed_one_fails() {
    fn check<R: TestRole>() {
        let begun = [
            compressed_text(&HELLO[0][..3]).more(),
            Frame::text("He").more(),
        ];
        for first in &begun {
            for second in [
                compressed_text(HELLO[0]),
                Frame::text("Hello"),
                compressed_binary(HELLO[0]).more(),
                Frame::binary("").more(),
            ] {
                if first.rsv | second.rsv != 0 {
                    let begun = if second.opcode == 1 {
                        MessageKind::Text
                    } else {
                        MessageKind::Binary
                    };
                    let error = ProtocolError::ExpectedContinuation {
                        incomplete: MessageKind::Text,
                        begun,
                    };
                    fails::<R>(
                        &Setup::default(),
                        &[first.clone(), second],
                        &[],
                        error,
                        1002,
                    );
                }
            }
        }
    }
    for_both_roles!(check);
}

/// U1, D11: without takeover, states go from connection to connection. Nothing of what one has
/// received can be referred to by the peer of the next, and nothing of what one has sent is in what
/// the next sends (SE8).
#[test]
fn u1_d11_a_shared_state_holds_nothing_of_the_connection_before() {
    fn check<R: TestRole>() {
        let setup =
            || Setup::with(both_ways(true, 15)).deflate(Deflate::default().with_threshold(0));
        let send = |ws: &mut WebSocket<R>, text: &str| {
            let mut out = Vec::new();
            ws.send_text(text, &mut out).unwrap();
            frames(&out).remove(0).payload
        };
        let fresh = send(&mut setup().websocket(), &"Hello ".repeat(20));

        let setup = setup();
        // Whole messages, some with a final block; and another one that is given up in the middle,
        // or not.
        for (before, given_up) in [
            (&HELLO[..], false),
            (&[HELLO[0]], false),
            (&[HELLO[2]], false),
            (&[HELLO[0]], true),
        ] {
            let mut first = setup.websocket::<R>();
            let mut received: Vec<_> = before.iter().map(compressed_text).collect();
            if given_up {
                received.push(compressed_text(&HELLO[1][..8]).more());
            }
            assert_eq!(
                drive(&mut first, &wire::<R>(&received)).seen,
                vec![hello(); before.len()]
            );
            send(&mut first, &"Hello ".repeat(20));
            drop(first);

            let mut next = setup.websocket::<R>();
            let outcome = drive(&mut next, &wire::<R>(&[compressed_text(HELLO_AGAIN)]));
            assert_eq!(
                outcome.seen,
                [Seen::Failed(ProtocolError::InvalidCompression)]
            );
            assert_eq!(send(&mut setup.websocket(), &"Hello ".repeat(20)), fresh);
        }
    }
    fn drive<R: TestRole>(ws: &mut WebSocket<R>, bytes: &[u8]) -> Log {
        let mut log = Log::default();
        ws.recv_all(&mut bytes.to_vec(), &mut log);
        log
    }
    for_both_roles!(check);
}

/// DP16, UT7: the inflated text has to be UTF-8, across blocks and fragments; binary need not.
#[test]
fn dp16_inflated_text_is_validated() {
    fn check<R: TestRole>() {
        let setup = Setup::default();
        let texts = [
            "caf\u{e9}".to_owned(),
            "\u{1f980}".repeat(10_000),
            format!("a{}", "\u{20ac}".repeat(20_000)),
        ];
        for text in &texts {
            gives::<R>(
                &setup,
                &[compressed_text(zlib(text.as_bytes()))],
                &[Seen::text(text)],
            );
            for spoilt in [
                &text.as_bytes()[..text.len() - 1],
                &[text.as_bytes(), b"\xff"].concat(),
                &[text.as_bytes(), b"\xc3"].concat(),
            ] {
                fails::<R>(
                    &setup,
                    &[compressed_text(zlib(spoilt))],
                    &[],
                    ProtocolError::InvalidUtf8,
                    1007,
                );
                gives::<R>(
                    &setup,
                    &[compressed_binary(zlib(spoilt))],
                    &[Seen::binary(spoilt)],
                );
            }
        }
    }
    for_both_roles!(check);
}

/// DP16: and it fails at the first bad byte, in a frame that is not complete. The same bytes are
/// all of one input, or come one by one.
#[test]
fn dp16_inflated_text_fails_fast() {
    fn check<R: TestRole>() {
        // The bad byte is in a stored block, so that nothing of it waits for more input; after 70
        // 000 bytes that inflate from few.
        for before in [0, 1, 4095, 8191, 8192, 16_384, 70_000] {
            let mut zlib = CDeflate::new(6, 15, false);
            let start = zlib.message(&vec![b'a'; before]);
            let start = if before == 0 {
                vec![]
            } else {
                [&start[..], &[0, 0, 0xff, 0xff]].concat()
            };
            let message = [&start[..], b"\x00\x05\x00\xfa\xffab\xffcd"].concat();
            let bytes = wire::<R>(&[compressed_text(&message).declaring(100_000)]);
            let bad = bytes.len() - 3;
            for (len, failed) in [(bad, false), (bad + 1, true), (bytes.len(), true)] {
                let expected = if failed {
                    vec![Seen::Failed(ProtocolError::InvalidUtf8)]
                } else {
                    vec![]
                };
                let whole = Setup::default().run::<R>(&bytes[..len], &[]);
                assert_eq!(
                    whole.seen,
                    expected,
                    "{before} bytes before, {len} of {}",
                    bytes.len()
                );
                assert_eq!(
                    whole,
                    Setup::default().run::<R>(&bytes[..len], &Vec::from_iter(0..len))
                );
            }
        }
    }
    for_both_roles!(check);
}

/// L6: what is wrong first is told, however the input is cut: bad text, the limit, or corrupt data.
#[test]
fn l6_the_first_fault_is_told() {
    fn check<R: TestRole>() {
        let stored = |bytes: &[u8]| {
            let mut block = vec![0, 0, 0, 0, 0];
            block[1..3].copy_from_slice(&(bytes.len() as u16).to_le_bytes());
            block[3..].copy_from_slice(&(!bytes.len() as u16).to_le_bytes());
            [&block, bytes].concat()
        };
        let (good, bad, corrupt) = (stored(&[b'a'; 150]), stored(b"\xff"), b"\x07".to_vec());
        let long = |limit| ProtocolError::MessageTooLong {
            len: limit + 1,
            limit,
        };
        let (text, invalid) = (
            ProtocolError::InvalidUtf8,
            ProtocolError::InvalidCompression,
        );
        for (limit, parts, error) in [
            (1000, [&good, &bad, &corrupt], text),
            (1000, [&good, &corrupt, &bad], invalid),
            (200, [&good, &bad, &good], text),
            (200, [&good, &good, &bad], long(200)),
            (200, [&good, &good, &corrupt], long(200)),
            (150, [&good, &bad, &corrupt], long(150)),
            (151, [&good, &bad, &corrupt], text),
            (150, [&good, &corrupt, &bad], invalid),
        ] {
            let setup = Setup::default().config(Config::default().with_max_message(limit));
            let message = parts.map(Vec::as_slice).concat();
            let bytes = wire::<R>(&[compressed_text(message)]);
            let whole = setup.run::<R>(&bytes, &[]);
            let cut = setup.run::<R>(&bytes, &Vec::from_iter(0..bytes.len()));
            assert_eq!(whole, cut, "limit {limit}: {error:?}");
            assert_eq!(whole.seen, [Seen::Failed(error)], "limit {limit}");
        }
    }
    for_both_roles!(check);
}

/// D8: output that is full at any boundary loses nothing, and takes no more calls than there are
/// blocks.
#[test]
fn d8_the_output_may_be_full_at_every_boundary() {
    for sample in samples() {
        let messages = [
            CDeflate::new(9, 15, false).message(&sample),
            CDeflate::new(0, 15, false).message(&sample),
            CDeflate::new(6, 15, false).final_message(&sample),
        ];
        let blocks = if sample.len() > 5000 {
            vec![37, 258, sample.len() - 1, sample.len(), sample.len() + 1]
        } else {
            (1..300).chain([sample.len() + 1]).collect()
        };
        for message in messages {
            let mut decompressor = Params::default().client_decompressor();
            for &block in blocks.iter().filter(|&&block| block > 0) {
                assert!(
                    inflate(&mut decompressor, &message, block).as_ref() == Ok(&sample),
                    "{} bytes in blocks of {block}",
                    sample.len()
                );
            }
        }
    }
}

/// What is inflated is given at once: nothing that a piece holds waits for the next one, whatever
/// the size of the output. An output without room gets nothing, at whatever point, and what comes
/// is the same.
#[test]
fn d8_an_empty_output_does_no_harm() {
    let text = json(3);
    for message in [
        zlib(&text),
        CDeflate::new(0, 15, false).message(&text),
        CDeflate::new(6, 15, false).final_message(&text),
    ] {
        let mut decompressor = Params::default().client_decompressor();
        let (mut input, mut inflated, mut output) = (&message[..], Vec::new(), [0; 7]);
        loop {
            assert_eq!(
                decompressor.inflate(&mut input, true, &mut []),
                Ok(Inflated {
                    len: 0,
                    done: false
                })
            );
            let Inflated { len, done } =
                decompressor.inflate(&mut input, true, &mut output).unwrap();
            inflated.extend_from_slice(&output[..len]);
            if done {
                break;
            }
        }
        assert_eq!(inflated, text);
    }
}

#[test]
fn d8_nothing_waits_for_the_next_piece() {
    let message = zlib(&[&json(5)[..], &[b'a'; 3000], b"end"].concat());
    for len in 1..=message.len() {
        let given = |block| {
            let mut inflated = Vec::new();
            inflate_piece(
                &mut Params::default().client_decompressor(),
                &message[..len],
                false,
                block,
                &mut inflated,
            )
            .unwrap();
            inflated.len()
        };
        for block in [1, 2, 100, 257, 258, 259] {
            assert_eq!(
                given(block),
                given(10_000),
                "{len} bytes in blocks of {block}"
            );
        }
    }
}

/// DP17: without takeover, what compression makes longer goes plain; with it, what was compressed
/// is sent.
#[test]
fn dp17_what_does_not_compress() {
    fn check<R: TestRole>() {
        for (no_context_takeover, len) in
            [(true, 200), (false, 200), (true, 70_000), (false, 70_000)]
        {
            let params = both_ways(no_context_takeover, 15);
            let mut ws = Setup::with(params).websocket::<R>();
            let data = noise(4, len);
            let mut out = Vec::new();
            for message in [&data, &vec![0; 300], &data] {
                ws.send_binary(message, &mut out).unwrap();
            }
            let sent = frames(&out);
            assert_eq!(
                sent.iter()
                    .map(|frame| frame.rsv == RSV1)
                    .collect::<Vec<_>>(),
                [!no_context_takeover, true, !no_context_takeover]
            );
            let frames: Vec<_> = sent
                .into_iter()
                .map(|frame| Frame {
                    masking: crate::common::Masking::ByRole,
                    ..frame
                })
                .collect();
            gives::<R::Peer>(
                &Setup::with(params),
                &frames,
                &[
                    Seen::binary(&data),
                    Seen::binary(&[0; 300]),
                    Seen::binary(&data),
                ],
            );
        }
    }
    for_both_roles!(check);
}

/// DP18, D13: a message can be sent plain, whatever was negotiated. By itself a connection sends
/// those plain that gain nothing: short and empty ones, where no context is taken over.
#[test]
fn dp18_d13_messages_can_be_sent_plain() {
    fn check<R: TestRole>() {
        // Where no context is taken over, the threshold is exact; else it means nothing, and an
        // empty message is one byte (DP6).
        for (no_context_takeover, threshold, len, compressed) in [
            (true, 0, 0, false),
            (true, 0, 20, true),
            (true, 64, 0, false),
            (true, 64, 63, false),
            (true, 64, 64, true),
            (true, 64, 65, true),
            (true, usize::MAX, 100_000, false),
            (false, 0, 0, true),
            (false, 0, 1, true),
            (false, 64, 0, true),
            (false, 64, 1, true),
            (false, 64, 63, true),
            (false, usize::MAX, 0, true),
            (false, usize::MAX, 100_000, true),
        ] {
            let setup = Setup::with(both_ways(no_context_takeover, 15))
                .deflate(Deflate::default().with_threshold(threshold));
            let mut ws = setup.websocket::<R>();
            let text = "s".repeat(len);
            let mut out = Vec::new();
            ws.send_text(&text, &mut out).unwrap();
            ws.send_binary(text.as_bytes(), &mut out).unwrap();
            ws.send_text_uncompressed(&text, &mut out).unwrap();
            ws.send_binary_uncompressed(text.as_bytes(), &mut out)
                .unwrap();
            let (_, mut sender) = ws.split();
            sender.send_text_uncompressed(&text, &mut out).unwrap();
            sender
                .send_binary_uncompressed(text.as_bytes(), &mut out)
                .unwrap();
            sender.send_text(&text, &mut out).unwrap();
            sender.send_binary(text.as_bytes(), &mut out).unwrap();
            let sent: Vec<_> = frames(&out)
                .iter()
                .map(|frame| (frame.rsv == RSV1, frame.opcode))
                .collect();
            let plain = [(false, 1), (false, 2)];
            let expected = [
                &[(compressed, 1), (compressed, 2)],
                &plain[..],
                &plain,
                &[(compressed, 1), (compressed, 2)],
            ]
            .concat();
            assert_eq!(
                sent, expected,
                "no takeover: {no_context_takeover}, threshold {threshold}, {len} bytes"
            );
            assert!(
                frames(&out)
                    .iter()
                    .all(|frame| frame.rsv == RSV1 || frame.payload == text.as_bytes())
            );
            if compressed && len == 0 {
                assert_eq!(frames(&out)[0].payload, [0]);
            }
            let seen: Vec<_> = (0..4)
                .flat_map(|_| [Seen::text(&text), Seen::binary(text.as_bytes())])
                .collect();
            assert!(setup.run::<R::Peer>(&out, &[]).seen == seen);
        }
    }
    for_both_roles!(check);
}

/// O2: a mistake of the caller's leaves the context alone.
#[test]
fn o2_a_mistake_leaves_the_context_alone() {
    fn check<R: TestRole>() {
        let setup = Setup::default();
        let mut ws = setup.websocket::<R>();
        let mut out = Vec::new();
        ws.send_text("Hello", &mut out).unwrap();
        ws.send_fragment_uncompressed(MessageKind::Text, b"Hello", false, &mut out)
            .unwrap();
        let before = out.len();
        let in_progress = Err(SendError::MessageInProgress);
        assert_eq!(ws.send_text("Hello World", &mut out), in_progress);
        let params = setup.params;
        let sent =
            ws.send_compressed_fragment(MessageKind::Text, HELLO_AGAIN, params, true, &mut out);
        assert_eq!((sent, out.len()), (in_progress, before));
        ws.send_fragment(MessageKind::Text, b"", true, &mut out)
            .unwrap();
        // Text that is not UTF-8 is not compressed.
        let sent = ws.send_fragment(MessageKind::Text, b"Hello \xff", false, &mut out);
        assert_eq!(sent, Err(SendError::InvalidUtf8));
        out.clear();
        ws.send_text("Hello", &mut out).unwrap();
        assert_eq!(frames(&out)[0].payload, HELLO_AGAIN);
        ws.close_without_code(&mut out).unwrap();
        assert_eq!(ws.send_text("Hello", &mut out), Err(SendError::Closed));
    }
    for_both_roles!(check);
}

/// O2, DP20: the room that is asked for is what the frame needs, after a call that failed, too: for
/// messages and fragments, with a context and without. What the peer did not receive is not
/// referred to.
#[test]
fn o2_dp20_the_room_that_is_asked_for_is_exact() {
    fn check<R: TestRole>() {
        for no_context_takeover in [false, true] {
            let setup = Setup::with(both_ways(no_context_takeover, 15));
            let text = |i: usize| {
                format!(
                    "{}{i}",
                    json(3).into_iter().map(char::from).collect::<String>()
                )
            };
            let mut ws = setup.websocket::<R>();
            let (mut out, mut expected) = (Vec::new(), Vec::new());
            for i in 0..8 {
                // Every other message comes in fragments, and with its context.
                let text = &text(i);
                let pieces: Vec<_> = if i % 2 == 0 {
                    vec![text.as_bytes()]
                } else {
                    text.as_bytes().chunks(100).collect()
                };
                for (at, piece) in pieces.iter().enumerate() {
                    let fin = at + 1 == pieces.len();
                    let before = out.len();
                    let mut send = |room: usize| {
                        let mut out = CappedOutput::new(&mut out, before + room);
                        ws.send_fragment(MessageKind::Text, piece, fin, &mut out)
                    };
                    let Err(SendError::OutputFull { needed }) = send(0) else {
                        panic!("there is no room")
                    };
                    // Less than the message, though that was not known before.
                    assert!(needed < piece.len() || i % 2 == 1);
                    let again = Err(SendError::OutputFull { needed });
                    if at != 1 {
                        assert_eq!(send(needed - 1), again);
                    }
                    assert_eq!(send(needed), Ok(()));
                    assert_eq!(out.len(), before + needed);
                }
                expected.push(Seen::text(text));
            }
            assert!(setup.run::<R::Peer>(&out, &[]).seen == expected);
            // C zlib has it the same way.
            let mut zlib = CInflate::new(15, no_context_takeover);
            let written = frames(&out);
            for (message, i) in written.split_inclusive(|frame| frame.fin).zip(0..) {
                let payload: Vec<_> = message
                    .iter()
                    .flat_map(|frame| frame.payload.clone())
                    .collect();
                assert_eq!(message[0].rsv, RSV1);
                assert!(zlib.message(&payload) == Some(text(i).into_bytes()), "{i}");
            }
        }
    }
    for_both_roles!(check);
}

/// DP20: a message has room if its compressed form has, however long it is.
#[test]
fn o2_dp20_a_message_may_be_longer_than_the_room() {
    fn check<R: TestRole>() {
        let text = "a".repeat(60_000);
        let mut memory = [0; 32 << 10];
        let mut ws = Setup::default().websocket::<R>();
        let mut out = SliceOutput::new(&mut memory);
        ws.send_text(&text, &mut out).unwrap();
        assert!(out.as_bytes().len() < 100);
        let seen = Setup::default().run::<R::Peer>(out.as_bytes(), &[]).seen;
        assert!(seen == [Seen::text(&text)]);

        let noise = noise(1, 40_000);
        let before = out.as_bytes().len();
        let Err(SendError::OutputFull { needed }) = ws.send_binary(&noise, &mut out) else {
            panic!("there is no room")
        };
        assert!(needed > 40_000 && out.as_bytes().len() == before);
    }
    for_both_roles!(check);
}

/// What is out of range is taken for the nearest, as documented.
#[test]
fn settings_out_of_range_are_taken_for_the_nearest() {
    let message = &json(200)[..];
    let compressed = |deflate: Deflate, bits| {
        compress(
            &mut both_ways(false, bits).server_compressor(&deflate),
            message,
        )
    };
    let of_level = |level| compressed(Deflate::default().with_level(level), 15);
    assert!(
        of_level(9) != of_level(8) && of_level(10) == of_level(9) && of_level(255) == of_level(9)
    );
    let of_memory = |mem_level| compressed(Deflate::default().with_mem_level(mem_level), 15);
    assert!(
        of_memory(0) == of_memory(1)
            && of_memory(1) != of_memory(9)
            && of_memory(10) == of_memory(9)
            && of_memory(255) == of_memory(9)
    );
    let offer = |bits| {
        Deflate::default()
            .with_client_max_window_bits(bits)
            .with_server_max_window_bits(bits)
            .offer()
    };
    assert!(
        offer(0) == offer(8)
            && offer(7) == offer(8)
            && offer(8) != offer(9)
            && offer(14) != offer(15)
    );
    assert!(offer(16) == offer(15) && offer(255) == offer(15));
}

/// A message is compressed in several steps if it is long; also if it is not the first one.
#[test]
fn dp4_long_messages_follow_one_another() {
    let mut compressor = Params::default().server_compressor(&Deflate::default());
    let mut zlib = CInflate::new(15, false);
    for len in [100, 3 << 20, 70_000, 3 << 20] {
        let message = noise(len as u64, len);
        assert!(
            zlib.message(&compress(&mut compressor, &message)).as_ref() == Some(&message),
            "{len}"
        );
    }
}

/// DP11, DP12: a context that is taken over has one compressor at a time. What the caller's makes
/// with takeover is referred to by later messages of its own only; what it makes without is no
/// one's context, and the connection's starts from an empty one.
#[test]
fn dp11_dp12_a_context_has_one_compressor() {
    fn check<R: TestRole>() {
        for (no_context_takeover, caller_takes_over, callers_first) in [
            (false, false, false),
            (false, false, true),
            (false, true, false),
            (false, true, true),
            (true, false, false),
            (true, false, true),
        ] {
            let setup = Setup::with(both_ways(no_context_takeover, 15))
                .deflate(Deflate::default().with_threshold(0));
            let mut ws = setup.websocket::<R>();
            let params = both_ways(!caller_takes_over, 15);
            let mut own = compressor::<R>(params, &setup.deflate);
            let (mut out, mut expected) = (Vec::new(), Vec::new());
            let texts = [
                "Hello, hello!",
                "Something else, hello!",
                "Hello again, hello!",
                "Something else again, hello!",
                "Hello, hello!",
            ];
            let mut caller_was = false;
            for (i, text) in texts.into_iter().enumerate() {
                let text = &text.repeat(5);
                if (i % 2 == 0) != callers_first {
                    ws.send_text(text, &mut out).unwrap();
                    // Once the context is the caller's, it stays so.
                    let is_compressed = !(caller_was && caller_takes_over);
                    let frame = frames(&out).pop().unwrap();
                    assert_eq!(frame.rsv == RSV1, is_compressed);
                    // From an empty context: it is the same for all.
                    let mut fresh = compressor::<R>(both_ways(true, 15), &setup.deflate);
                    if is_compressed && (caller_was || i == 0) {
                        assert_eq!(frame.payload, compress(&mut fresh, text.as_bytes()));
                    }
                } else {
                    let payload = compress(&mut own, text.as_bytes());
                    ws.send_compressed_fragment(
                        MessageKind::Text,
                        &payload,
                        params,
                        true,
                        &mut out,
                    )
                    .unwrap();
                    caller_was = true;
                }
                expected.push(Seen::text(text));
            }
            assert_eq!(setup.run::<R::Peer>(&out, &[]).seen, expected);
        }
        // A part that is refused leaves all as it was.
        let mut ws = Setup::default()
            .deflate(Deflate::default().with_threshold(0))
            .websocket::<R>();
        let mut out = Vec::new();
        ws.send_fragment_uncompressed(MessageKind::Text, b"", false, &mut out)
            .unwrap();
        assert_eq!(
            ws.send_compressed_fragment(MessageKind::Text, HELLO[0], params(""), true, &mut out),
            Err(SendError::MessageInProgress)
        );
        ws.send_fragment(MessageKind::Text, b"", true, &mut out)
            .unwrap();
        ws.send_text("Hello", &mut out).unwrap();
        assert_eq!(frames(&out).last().unwrap().rsv, RSV1);
    }
    for_both_roles!(check);
}

/// Sending parts that a compressor made: they are parts of one message, and it is not mixed with
/// another. The same in both layers.
#[test]
fn dp3_compressed_parts() {
    macro_rules! check {
        ($R:ty, $connection:expr) => {{
            let (mut connection, mut out) = ($connection, Vec::new());
            connection
                .send_compressed_fragment(
                    MessageKind::Text,
                    &HELLO[0][..3],
                    params(""),
                    false,
                    &mut out,
                )
                .unwrap();
            assert_eq!(
                connection.send_fragment(MessageKind::Text, b"x", true, &mut out),
                Err(SendError::MessageInProgress)
            );
            assert_eq!(
                connection.send_compressed_fragment(
                    MessageKind::Binary,
                    b"x",
                    params(""),
                    true,
                    &mut out
                ),
                Err(SendError::MessageInProgress)
            );
            assert_eq!(
                connection.send_text("x", &mut out),
                Err(SendError::MessageInProgress)
            );
            connection.send_ping(b"", &mut out).unwrap();
            connection
                .send_compressed_fragment(MessageKind::Text, b"", params(""), false, &mut out)
                .unwrap();
            connection
                .send_compressed_fragment(
                    MessageKind::Text,
                    &HELLO[0][3..],
                    params(""),
                    true,
                    &mut out,
                )
                .unwrap();
            connection.send_text("plain", &mut out).unwrap();
            let sent: Vec<_> = frames(&out)
                .iter()
                .map(|frame| (frame.fin, frame.rsv, frame.opcode))
                .collect();
            assert_eq!(
                sent,
                [
                    (false, RSV1, 1),
                    (true, 0, 9),
                    (false, 0, 0),
                    (true, 0, 0),
                    (true, 0, 1)
                ]
            );
            let expected = [Seen::ping(""), hello(), Seen::text("plain")];
            assert_eq!(
                Setup::default()
                    .run::<<$R as TestRole>::Peer>(&out, &[])
                    .seen,
                expected
            );
        }};
    }
    fn check<R: TestRole>() {
        check!(R, Setup::default().websocket::<R>());
        check!(R, Setup::default().inflating::<R>(64).connection);
    }
    for_both_roles!(check);
}

/// SE6: states go with connections from thread to thread.
#[test]
fn everything_is_send_and_sync() {
    fn check<T: Send + Sync>() {}
    check::<Deflate>();
    check::<ws_proto::deflate::Compressor>();
    check::<ws_proto::deflate::Decompressor>();
    fn role<R: TestRole + Send + Sync>() {
        check::<WebSocket<R>>();
        check::<ws_proto::Negotiated<R>>();
    }
    for_both_roles!(role);
}
