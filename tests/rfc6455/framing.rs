//! The frame (RFC 6455 §5.2): bits, opcodes, lengths; and the RFC's own examples (§5.7).

use crate::common::strategies::{Input, config};
use crate::common::{
    Form, Frame, Masking, Seen, TestRole, for_both_roles, pattern, read, read_all, receive,
    receive_with, reserved, run, stream, wire,
};
use core::slice::from_ref;
use proptest::prelude::*;
use ws_proto::frame::{Header, HeaderError, MaskingKey, Opcode};
use ws_proto::{Client, Config, Connection, MessageKind, ProtocolError, Server, WebSocket};

/// Asserts that this is refused for this reason, in every layer, with nothing delivered and one
/// Close as the answer.
#[track_caller]
fn fails<R: TestRole>(config: &Config, frames: &[Frame], error: ProtocolError) {
    let (seen, answers) = receive_with::<R>(config, frames);
    assert_eq!(seen, [Seen::Failed(error)], "{frames:?}");
    let [close] = answers.as_slice() else {
        panic!("{answers:?}")
    };
    assert_eq!(
        (close.opcode, &close.payload[..2]),
        (8, &crate::common::model::status(error).to_be_bytes()[..])
    );
}

/// Limits that no length exceeds.
fn unlimited() -> Config {
    Config::default().with_max_message(u64::MAX)
}

// §5.7

#[test]
fn rfc_5_7_a_single_frame_unmasked_text_message() {
    let hello = [0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
    assert_eq!(
        run::<Client, WebSocket<Client>>(&Config::default(), &hello, &[]).seen,
        [Seen::text("Hello")]
    );
    let mut out = Vec::new();
    WebSocket::new(Server, &Config::default())
        .send_text("Hello", &mut out)
        .unwrap();
    assert_eq!(out, hello);
}

#[test]
fn rfc_5_7_a_single_frame_masked_text_message() {
    let hello = [
        0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
    ];
    assert_eq!(
        run::<Server, WebSocket<Server>>(&Config::default(), &hello, &[]).seen,
        [Seen::text("Hello")]
    );
}

#[test]
fn rfc_5_7_a_fragmented_unmasked_text_message() {
    let hello = [0x01, 0x03, 0x48, 0x65, 0x6c, 0x80, 0x02, 0x6c, 0x6f];
    assert_eq!(
        run::<Client, WebSocket<Client>>(&Config::default(), &hello, &[]).seen,
        [Seen::text("Hello")]
    );
    let mut server = Connection::new(Server, &Config::default());
    let mut out = Vec::new();
    server
        .send_fragment(MessageKind::Text, b"Hel", false, &mut out)
        .unwrap();
    server
        .send_fragment(MessageKind::Text, b"lo", true, &mut out)
        .unwrap();
    assert_eq!(out, hello);
}

#[test]
fn rfc_5_7_unmasked_ping_request_and_masked_ping_response() {
    let ping = [0x89, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f];
    let outcome = run::<Client, WebSocket<Client>>(&Config::default(), &ping, &[]);
    assert_eq!(outcome.seen, [Seen::ping("Hello")]);
    assert_eq!(outcome.out[..2], [0x8a, 0x85]);
    assert_eq!(read_all::<Client>(&outcome.out), [Frame::pong("Hello")]);

    let pong = [
        0x8a, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58,
    ];
    let outcome = run::<Server, WebSocket<Server>>(&Config::default(), &pong, &[]);
    assert_eq!(
        (outcome.seen.as_slice(), outcome.out.as_slice()),
        ([Seen::pong("Hello")].as_slice(), [].as_slice())
    );
}

#[test]
fn rfc_5_7_binary_messages_of_256_bytes_and_of_64_kib() {
    let examples: [(&[u8], usize); 2] = [
        (&[0x82, 0x7e, 0x01, 0x00], 256),
        (&[0x82, 0x7f, 0, 0, 0, 0, 0, 1, 0, 0], 65536),
    ];
    for (header, len) in examples {
        let bytes = [header, &pattern(len)].concat();
        assert_eq!(
            run::<Client, WebSocket<Client>>(&Config::default(), &bytes, &[]).seen,
            [Seen::binary(&pattern(len))]
        );
        let mut out = Vec::new();
        WebSocket::new(Server, &Config::default())
            .send_binary(&pattern(len), &mut out)
            .unwrap();
        assert!(out == bytes, "{len}");
    }
}

// §5.2

#[test]
fn fr1_a_reserved_bit_fails_on_every_opcode() {
    fn check<R: TestRole>() {
        for (opcode, rsv) in [0, 1, 2, 8, 9, 10]
            .into_iter()
            .flat_map(|opcode| (1..8).map(move |rsv| (opcode, rsv)))
        {
            fails::<R>(
                &Config::default(),
                &[Frame::new(opcode, "").rsv(rsv)],
                ProtocolError::ReservedBits(rsv),
            );
        }
        // Also where a continuation is due.
        let (seen, _) = receive::<R>(&[Frame::text("a").more(), Frame::continuation("b").rsv(4)]);
        assert_eq!(seen, [Seen::Failed(ProtocolError::ReservedBits(4))]);
    }
    for_both_roles!(check);
}

/// CT10: those from 11 on fail even in the shape of a control frame.
#[test]
fn fr2_ct10_reserved_opcodes_fail_with_and_without_fin() {
    fn check<R: TestRole>() {
        for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15] {
            for fin in [true, false] {
                fails::<R>(
                    &Config::default(),
                    &[Frame::new(opcode, "x").fin(fin)],
                    reserved(opcode),
                );
                let (seen, _) =
                    receive::<R>(&[Frame::text("a").more(), Frame::new(opcode, "x").fin(fin)]);
                assert_eq!(seen, [Seen::Failed(reserved(opcode))]);
            }
        }
    }
    for_both_roles!(check);
}

/// FR6: with no payload at all, each opcode that has a meaning is received.
#[test]
fn fr6_empty_payloads_are_legal_for_every_opcode() {
    fn check<R: TestRole>() {
        let frames = [
            Frame::text(""),
            Frame::binary(""),
            Frame::text("").more(),
            Frame::continuation("").more(),
            Frame::ping(""),
            Frame::pong(""),
            Frame::continuation(""),
            Frame::empty_close(),
        ];
        let (seen, answers) = receive::<R>(&frames);
        let close = Seen::Close(None, String::new());
        assert_eq!(
            seen,
            [
                Seen::text(""),
                Seen::binary(b""),
                Seen::ping(""),
                Seen::pong(""),
                Seen::text(""),
                close
            ]
        );
        assert_eq!(answers, [Frame::pong(""), Frame::empty_close()]);
    }
    for_both_roles!(check);
}

#[test]
fn fr3_l4_a_length_in_a_longer_form_fails() {
    fn check<R: TestRole>() {
        let lax = Config::default().with_allow_non_minimal_length(true);
        let cases = [0, 1, 125]
            .map(|len| (len, Form::Bits16))
            .into_iter()
            .chain([0, 1, 125, 126, 127, 65535].map(|len| (len, Form::Bits64)));
        for (len, form) in cases {
            let frame = Frame::binary(pattern(len)).form(form);
            fails::<R>(
                &Config::default(),
                from_ref(&frame),
                ProtocolError::NonMinimalLength,
            );
            assert_eq!(
                receive_with::<R>(&lax, &[frame]).0,
                [Seen::binary(&pattern(len))],
                "{len} as {form:?}, allowed"
            );
            if len <= 125 {
                let ping = Frame::ping(pattern(len)).form(form);
                fails::<R>(
                    &Config::default(),
                    from_ref(&ping),
                    ProtocolError::ControlTooLong(Opcode::PING),
                );
                assert_eq!(
                    receive_with::<R>(&lax, &[ping]),
                    (
                        vec![Seen::Ping(pattern(len))],
                        vec![Frame::pong(pattern(len))]
                    )
                );
            }
        }
    }
    for_both_roles!(check);
}

/// FR5: network byte order, and neither header nor key counted.
#[test]
fn fr3_fr5_lengths_at_every_boundary_are_received_and_sent() {
    fn check<R: TestRole>() {
        for len in [
            0, 1, 2, 124, 125, 126, 127, 128, 255, 256, 257, 65534, 65535, 65536, 65537,
        ] {
            let payload = pattern(len);
            assert!(
                receive::<R>(&[Frame::binary(&payload)]).0 == [Seen::binary(&payload)],
                "{len}"
            );
            assert!(
                stream::<R>(&[Frame::binary(&payload)]).0 == [Seen::binary(&payload)],
                "{len}"
            );
            let text = "x".repeat(len);
            assert!(
                receive::<R>(&[Frame::text(&text)]).0 == [Seen::text(&text)],
                "{len}"
            );

            let mut out = Vec::new();
            WebSocket::new(R::make(), &Config::default())
                .send_binary(&payload, &mut out)
                .unwrap();
            assert!(read_all::<R>(&out) == [Frame::binary(&payload)], "{len}"); // FR9: which also checks that the form is the shortest
        }
    }
    for_both_roles!(check);
}

/// L1: before any arithmetic, so that no limit and no leniency lets it pass.
#[test]
fn fr4_l1_a_64_bit_length_with_its_first_bit_set_fails() {
    fn check<R: TestRole>() {
        for len in [1 << 63, 1 << 63 | 5, u64::MAX, u64::MAX - 13] {
            for config in [
                Config::default(),
                unlimited().with_allow_non_minimal_length(true),
            ] {
                fails::<R>(
                    &config,
                    &[Frame::binary("").declaring(len)],
                    ProtocolError::LengthOverflow,
                );
                let (seen, _) = receive_with::<R>(
                    &config,
                    &[
                        Frame::binary("abc").more(),
                        Frame::continuation("").declaring(len),
                    ],
                );
                assert_eq!(seen, [Seen::Failed(ProtocolError::LengthOverflow)]);
            }
        }
    }
    for_both_roles!(check);
}

/// FR11: `u64` all the way, so that a 32-bit target does the same.
#[test]
fn l2_fr11_huge_lengths_neither_overflow_nor_are_truncated() {
    fn check<R: TestRole>() {
        for len in [
            1 << 32,
            (1 << 32) + 5,
            (1 << 63) - 1,
            usize::MAX as u64 / 2 - 3,
            u64::from(u32::MAX) - 3,
        ] {
            let too_long = ProtocolError::MessageTooLong {
                len,
                limit: 16 << 20,
            };
            fails::<R>(
                &Config::default(),
                &[Frame::binary("abc").declaring(len)],
                too_long,
            );

            // Without a limit it is received as it comes.
            let outcome = run::<R, Connection<R>>(
                &unlimited(),
                &wire::<R>(&[Frame::binary("abc").declaring(len)]),
                &[],
            );
            assert_eq!(
                outcome.seen,
                [Seen::part(MessageKind::Binary, b"abc", true, false)]
            );
            assert_eq!(
                (outcome.ended.payload_left, outcome.ended.received.bytes),
                (len - 3, len)
            );
            let outcome = run::<R, WebSocket<R>>(
                &unlimited(),
                &wire::<R>(&[Frame::binary("abc").declaring(len)]),
                &[],
            );
            assert_eq!(
                (outcome.seen, outcome.ended.payload_left),
                (vec![], len - 3)
            );
        }
        // The sum of the fragments.
        let sum = [
            Frame::binary("abc").more(),
            Frame::continuation("").declaring((1 << 63) - 1),
        ];
        let (len, limit) = ((1 << 63) + 2, (1 << 63) + 1);
        let config = Config::default().with_max_message(limit);
        assert_eq!(
            receive_with::<R>(&config, &sum).0,
            [Seen::Failed(ProtocolError::MessageTooLong { len, limit })]
        );
        assert_eq!(receive_with::<R>(&config.with_max_message(len), &sum).0, []);
    }
    for_both_roles!(check);
}

/// A value next to the greatest `usize` is a length like others where that has 32 bits, and one too
/// many bits where it has 64: a header's length added to it, or an offset, overflows nothing.
#[test]
fn l1_l2_lengths_at_the_end_of_the_address_space() {
    fn check<R: TestRole>() {
        for len in (0..=13).map(|less| usize::MAX as u64 - less) {
            let bytes = wire::<R>(&[Frame::binary("abc").declaring(len)]);
            for cuts in [vec![], vec![3], (0..bytes.len()).collect()] {
                let streamed = run::<R, Connection<R>>(&unlimited(), &bytes, &cuts);
                let whole = run::<R, WebSocket<R>>(&unlimited(), &bytes, &cuts);
                if len >> 63 != 0 {
                    assert_eq!((&streamed.seen, &whole.seen), (&overflow(), &overflow()));
                } else {
                    assert_eq!(
                        streamed.seen,
                        [Seen::part(MessageKind::Binary, b"abc", true, false)]
                    );
                    assert_eq!(
                        (streamed.ended.payload_left, whole.ended.payload_left),
                        (len - 3, len - 3)
                    );
                }
            }
        }
    }
    fn overflow() -> Vec<Seen> {
        vec![Seen::Failed(ProtocolError::LengthOverflow)]
    }
    for_both_roles!(check);
}

/// The length in a header is judged when it is complete, and not a byte later: neither the masking
/// key nor the payload is necessary.
#[test]
fn fr7_a_header_may_be_cut_at_any_byte_and_its_length_is_judged_at_its_last() {
    fn check<R: TestRole>() {
        for len in [5, 300, 70_000] {
            let header = wire::<R>(&[Frame::binary("").declaring(len)]);
            let length_ends = header.len() - if R::MASKS { 0 } else { 4 };
            for cut in 0..header.len() {
                let strict = Config::default().with_max_message(4);
                let early = run::<R, WebSocket<R>>(&strict, &header[..length_ends - 1], &[cut]);
                assert_eq!(
                    (
                        early.seen,
                        early.ended.payload_left,
                        early.ended.received.frames
                    ),
                    (vec![], 0, 0),
                    "{len} cut at {cut}"
                );
                let whole = run::<R, WebSocket<R>>(&strict, &header[..length_ends], &[cut]);
                assert_eq!(
                    whole.seen,
                    [Seen::Failed(ProtocolError::MessageTooLong {
                        len,
                        limit: 4
                    })],
                    "{len} cut at {cut}"
                );
                let whole = run::<R, WebSocket<R>>(&Config::default(), &header, &[cut]);
                assert_eq!(
                    (
                        whole.seen,
                        whole.ended.payload_left,
                        whole.ended.received.frames
                    ),
                    (vec![], len, 1),
                    "{len} cut at {cut}"
                );
            }
        }
    }
    for_both_roles!(check);
}

/// FR7: a violation is reported at the byte that makes it certain. These bytes are all that is
/// received.
#[test]
fn fr7_a_header_is_judged_at_the_byte_that_breaks_a_rule() {
    use ProtocolError as E;
    const TEXT: E = E::ExpectedContinuation {
        incomplete: MessageKind::Text,
        begun: MessageKind::Text,
    };
    fn check<R: TestRole>(before: &[u8], bytes: &[u8], error: ProtocolError) {
        let fails = |config: &Config, bytes: &[u8]| {
            for cuts in [vec![], (0..before.len() + bytes.len()).collect()] {
                let all = [before, bytes].concat();
                let streamed = run::<R, Connection<R>>(config, &all, &cuts);
                let whole = run::<R, WebSocket<R>>(config, &all, &cuts);
                assert_eq!(
                    (&whole.seen, &whole.out),
                    (&crate::common::assembled(streamed.seen), &streamed.out)
                );
                assert_eq!(
                    whole.seen.contains(&Seen::Failed(error)),
                    !read_all::<R>(&whole.out).is_empty()
                );
                if whole.seen.is_empty() {
                    return false;
                }
                assert_eq!(whole.seen, [Seen::Failed(error)]);
            }
            true
        };
        assert!(fails(&Config::default(), bytes), "{bytes:02x?}");
        assert!(
            !fails(&Config::default(), &bytes[..bytes.len() - 1]),
            "{bytes:02x?}"
        );
        // The bytes after it change nothing.
        for byte in [0, 1, 0x80, 0xff] {
            assert!(
                fails(&Config::default(), &[bytes, &[byte; 14]].concat()),
                "{bytes:02x?} and {byte:02x}"
            );
        }
    }
    let opcode = |number| Opcode::new(number).unwrap();
    for (first, error) in [
        (0xff, E::ReservedBits(7)),
        (0x91, E::ReservedBits(1)),
        (0x83, E::ReservedOpcode(opcode(3))),
        (0x0b, E::ReservedOpcode(opcode(11))),
        (0x09, E::FragmentedControl(Opcode::PING)),
        (0x08, E::FragmentedControl(Opcode::CLOSE)),
        (0x80, E::UnexpectedContinuation),
        (0x00, E::UnexpectedContinuation),
    ] {
        check::<Server>(&[], &[first], error);
        check::<Client>(&[], &[first], error);
    }
    check::<Client>(b"\x01\0", &[0x81], TEXT);
    check::<Server>(b"\x01\x80\0\0\0\0", &[0x01], TEXT);
    for (bytes, error) in [
        (&[0x81, 0x80][..], E::Masked),
        (&[0x89, 126], E::ControlTooLong(Opcode::PING)),
        (&[0x8a, 127], E::ControlTooLong(Opcode::PONG)),
        (&[0x88, 1], E::InvalidCloseBody),
        (&[0x82, 126, 0, 125], E::NonMinimalLength),
        (&[0x82, 127, 0x80], E::LengthOverflow),
        (&[0x82, 127, 0, 0, 0, 0, 0, 0], E::NonMinimalLength),
        (
            &[0x82, 127, 0, 0, 0, 0, 1, 0, 0, 1],
            E::MessageTooLong {
                len: (1 << 24) + 1,
                limit: 1 << 24,
            },
        ),
    ] {
        check::<Client>(&[], bytes, error);
    }
    check::<Server>(&[], &[0x81, 0x7e], E::Unmasked);
    check::<Server>(&[], &[0x81, 0x00], E::Unmasked);
    check::<Server>(&[], &[0x89, 0x80 | 126], E::ControlTooLong(Opcode::PING));
    // The body of a Close, too.
    check::<Client>(&[], &[0x88, 3, 0x03, 0xed], E::InvalidCloseCode(1005));
    check::<Client>(
        &[],
        &[0x88, 10, 0x03, 0xe8, b'a', 0xc0],
        E::InvalidCloseReason,
    );
}

/// With the leniency, bytes that are not certain are waited for.
#[test]
fn fr3_fr7_lengths_in_a_longer_form_are_judged_by_their_value_if_that_is_allowed() {
    let lenient = Config::default().with_allow_non_minimal_length(true);
    let run = |bytes: &[u8]| run::<Client, WebSocket<Client>>(&lenient, bytes, &[]).seen;
    assert_eq!(run(&[0x89, 126]), []);
    assert_eq!(run(&[0x89, 126, 0, 1, b'x']), [Seen::ping("x")]);
    assert_eq!(
        run(&[0x89, 126, 0, 126]),
        [Seen::Failed(ProtocolError::ControlTooLong(Opcode::PING))]
    );
    assert_eq!(
        run(&[0x88, 126, 0, 1]),
        [Seen::Failed(ProtocolError::InvalidCloseBody)]
    );
    assert_eq!(
        run(&[0x82, 127, 0, 0, 0, 0, 0, 0, 0, 1, 7]),
        [Seen::binary(&[7])]
    );
}

// Only the codec.

fn header() -> impl Strategy<Value = Header> {
    let len = prop_oneof![0..200_u64, 65_500..65_600_u64, 0..1_u64 << 63];
    (
        any::<bool>(),
        0..8_u8,
        0..16_u8,
        prop::option::of(any::<[u8; 4]>()),
        len,
    )
        .prop_map(|(fin, rsv, opcode, mask, len)| Header {
            fin,
            rsv,
            opcode: Opcode::new(opcode).unwrap(),
            mask: mask.map(MaskingKey),
            len,
        })
}

proptest! {
    #![proptest_config(config(2000))]

    #[test]
    fn encode_then_decode_is_the_identity(header in header(), behind in prop::collection::vec(any::<u8>(), 0..4)) {
        let encoded = header.encode();
        prop_assert_eq!(encoded.len(), header.encoded_len());
        let bytes = [&encoded, behind.as_slice()].concat();
        prop_assert_eq!(Header::decode(&bytes), Some((header, encoded.len())));
        for len in 0..encoded.len() {
            prop_assert_eq!(Header::decode(&encoded[..len]), None);
            // A fault may be certain before the header is complete; then it is the same.
            let early = Header::parse(&encoded[..len]);
            prop_assert!(early == Ok(None) || early == header.check().map(|()| None), "{:?}", early);
        }
        match header.check() {
            Ok(()) => prop_assert_eq!(Header::parse(&bytes), Ok(Some((header, encoded.len())))),
            Err(error) => prop_assert_eq!(Header::parse(&bytes), Err(error)),
        }
    }

    /// A frame written by hand is decoded to the fields that it was made from.
    #[test]
    fn decode_reads_what_was_written_by_hand(header in header(), payload in prop::collection::vec(any::<u8>(), 0..20)) {
        let mut frame = Frame::new(header.opcode.into(), payload).fin(header.fin).rsv(header.rsv).declaring(header.len);
        frame.masking = header.mask.map_or(Masking::None, |mask| Masking::Key(mask.0));
        prop_assert_eq!(Header::decode(&frame.to::<Server>()).map(|(header, _)| header), Some(header));
    }

    /// P1: for any bytes, decoding returns only their content, and a second reader has the same
    /// result.
    #[test]
    fn p1_any_bytes_decode_as_a_second_reader_reads_them(bytes in prop::collection::vec(any::<u8>(), 0..20).prop_map(Input)) {
        let decoded = Header::decode(&bytes.0);
        let head = crate::common::read_head(&bytes.0);
        prop_assert_eq!(decoded.is_some(), head.is_some());
        if let (Some((header, taken)), Some(head)) = (decoded, head) {
            prop_assert_eq!((header.fin, header.rsv, u8::from(header.opcode)), (head.frame.fin, head.frame.rsv, head.frame.opcode));
            prop_assert_eq!((header.len, taken), (head.len, head.taken));
            prop_assert_eq!(header.mask.map_or(Masking::None, |mask| Masking::Key(mask.0)), head.frame.masking);
        }
    }
}

#[test]
fn fr1_fr4_encode_writes_no_more_bits_than_there_are() {
    let header = Header {
        fin: false,
        rsv: 0xff,
        opcode: Opcode::TEXT,
        mask: None,
        len: u64::MAX,
    };
    assert_eq!(
        *header.encode(),
        [0x71, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
    );
    assert_eq!(header.check(), Err(HeaderError::LengthOverflow));
}

#[test]
fn fr2_opcodes_are_classed_as_the_rfc_does() {
    for number in 0..=255 {
        let opcode = Opcode::new(number);
        assert_eq!(opcode.is_some(), number < 16);
        let Some(opcode) = opcode else { continue };
        assert_eq!(u8::from(opcode), number);
        assert_eq!(opcode.is_control(), number >= 8);
        assert_eq!(opcode.is_reserved(), ![0, 1, 2, 8, 9, 10].contains(&number));
    }
    let names = [
        Opcode::CONTINUATION,
        Opcode::TEXT,
        Opcode::BINARY,
        Opcode::CLOSE,
        Opcode::PING,
        Opcode::PONG,
    ]
    .map(|opcode| opcode.to_string());
    assert_eq!(
        names,
        ["continuation", "text", "binary", "close", "ping", "pong"]
    );
    assert_eq!(
        format!("{:?}", Opcode::new(11).unwrap()),
        "Opcode(reserved 11)"
    );
}

#[test]
fn the_frames_of_the_tests_are_read_as_they_are_written() {
    let frame = Frame::text("abc").masking(Masking::Key([1, 2, 3, 4]));
    let bytes = frame.to::<Server>();
    assert_eq!(
        bytes,
        [0x81, 0x83, 1, 2, 3, 4, b'a' ^ 1, b'b' ^ 2, b'c' ^ 3]
    );
    assert_eq!(read(&bytes), Some((frame, bytes.len())));
}

/// FR3, L4: `parse` reads a length in its shortest form only, and `decode` in any.
#[test]
fn fr3_l4_a_header_alone_is_parsed_in_its_shortest_form_only() {
    for (bytes, len, shortest) in [
        (&[0x82, 125][..], 125, true),
        (&[0x82, 126, 0, 125], 125, false),
        (&[0x82, 126, 0, 126], 126, true),
        (&[0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff], 65535, false),
        (&[0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0], 65536, true),
    ] {
        let header = Header {
            fin: true,
            rsv: 0,
            opcode: Opcode::BINARY,
            mask: None,
            len,
        };
        assert_eq!(Header::decode(bytes), Some((header, bytes.len())));
        let parsed = if shortest {
            Ok(Some((header, bytes.len())))
        } else {
            Err(HeaderError::NonMinimalLength)
        };
        assert_eq!(Header::parse(bytes), parsed);
    }
    // FR7: at the byte that violates the rule.
    for (bytes, error) in [
        (
            &[0x83][..],
            HeaderError::ReservedOpcode(Opcode::new(3).unwrap()),
        ),
        (&[0x09], HeaderError::FragmentedControl(Opcode::PING)),
        (&[0x89, 126], HeaderError::ControlTooLong(Opcode::PING)),
        (&[0x88, 0x81], HeaderError::InvalidCloseBody),
        (&[0x82, 0x80 | 126, 0, 125], HeaderError::NonMinimalLength),
        (&[0x82, 127, 0xff], HeaderError::LengthOverflow),
        (
            &[0x82, 127, 0, 0, 0, 0, 0, 0],
            HeaderError::NonMinimalLength,
        ),
    ] {
        assert_eq!(Header::parse(&bytes[..bytes.len() - 1]), Ok(None));
        assert_eq!(Header::parse(bytes), Err(error));
        assert_eq!(Header::parse(&[bytes, &[0; 14]].concat()), Err(error));
        assert_eq!(Header::parse(&[bytes, &[0xff; 14]].concat()), Err(error));
    }
}
