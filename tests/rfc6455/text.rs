//! Text (RFC 6455 §5.6, §8.1; RFC 3629). The oracle is the standard library's validator.

use core::slice::from_ref;
use std::borrow::Cow;

use crate::common::model::can_be_text;
use crate::common::{Frame, Seen, TestRole, for_both_roles, read_all, receive, run, stream, wire};
use ws_proto::frame::{InvalidUtf8, Utf8Validator};
use ws_proto::{
    Config, Connection, Event, Message, MessageKind, ProtocolError, SendError, WebSocket,
};

const FAILED: Seen = Seen::Failed(ProtocolError::InvalidUtf8);

/// Text with characters of every width, also at the edges of the ranges (RFC 3629 §4).
const VALID: &str = "a\u{7f}\u{80}\u{7ff}\u{800}\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}z";

/// Bytes that are not UTF-8, and how many of them valid text can begin with.
const INVALID: &[(&[u8], usize)] = &[
    (b"\x80", 0), // a stray continuation byte
    (b"\xbf", 0),
    (b"a\x80", 1),
    (b"\xc0\x80", 0), // overlong forms
    (b"\xc1\xbf", 0),
    (b"\xe0\x80\x80", 1),
    (b"\xe0\x9f\xbf", 1),
    (b"\xf0\x80\x80\x80", 1),
    (b"\xf0\x8f\xbf\xbf", 1),
    (b"\xed\xa0\x80", 1), // surrogates: D800, DFFF, a pair
    (b"\xed\xbf\xbf", 1),
    (b"\xed\xa0\xbd\xed\xb8\x80", 1),
    (b"\xf4\x90\x80\x80", 1), // 110000 and beyond
    (b"\xf5\x80\x80\x80", 0),
    (b"\xf8\x88\x80\x80\x80", 0),
    (b"\xfc\x84\x80\x80\x80\x80", 0),
    (b"\xfe", 0),
    (b"\xff", 0),
    (b"\xc3(", 1), // characters that do not go on
    (b"\xe2\x82(", 2),
    (b"\xf0\x9f\x98(", 3),
    (b"\xc3\xc3\xa9", 1),
    (b"\xe2\x82\xe2\x82\xac", 2),
];

/// Feeds the validator, split at every place of `cuts`, and returns how the text ends.
fn validate(bytes: &[u8], cuts: &[usize]) -> Result<String, ProtocolError> {
    let mut utf8 = Utf8Validator::new();
    let mut whole = String::new();
    let ends = cuts.iter().copied().chain([bytes.len()]);
    let mut start = 0;
    for end in ends {
        let (split, text) = utf8.feed(&bytes[start..end])?;
        whole.extend(split);
        whole.push_str(text);
        start = end;
    }
    utf8.finish()?;
    Ok(whole)
}

#[test]
fn ut1_ut4_every_lead_and_second_byte_is_judged_as_std_judges() {
    const THIRD: [u8; 4] = [0x7f, 0x80, 0xbf, 0xc0];
    for pair in 0..=u16::MAX {
        let [first, second] = pair.to_be_bytes();
        for third in THIRD {
            let bytes = [first, second, third, 0x80];
            for len in 1..=4 {
                let bytes = &bytes[..len];
                let expected = std::str::from_utf8(bytes).is_ok();
                assert_eq!(validate(bytes, &[]).is_ok(), expected, "{bytes:02x?}");
                assert_eq!(
                    validate(bytes, &[1]).is_ok(),
                    expected,
                    "{bytes:02x?} behind its first byte"
                );
                if len > 2 {
                    assert_eq!(
                        validate(bytes, &[2]).is_ok(),
                        expected,
                        "{bytes:02x?} in the middle"
                    );
                }
            }
        }
    }
}

#[test]
fn ut2_a_text_may_be_cut_anywhere() {
    let bytes = VALID.as_bytes();
    for first in 0..=bytes.len() {
        for second in first..=bytes.len() {
            assert_eq!(
                validate(bytes, &[first, second]).as_deref(),
                Ok(VALID),
                "cut at {first} and {second}"
            );
        }
    }
    assert_eq!(
        validate(bytes, &(0..bytes.len()).collect::<Vec<_>>()).as_deref(),
        Ok(VALID)
    );
}

#[test]
fn ut2_code_points_may_span_fragments() {
    fn check<R: TestRole>() {
        let bytes = VALID.as_bytes();
        for border in 0..=bytes.len() {
            let frames = [
                Frame::text(&bytes[..border]).more(),
                Frame::ping("p"),
                Frame::continuation(&bytes[border..]),
            ];
            assert_eq!(
                receive::<R>(&frames).0,
                [Seen::ping("p"), Seen::text(VALID)],
                "{border}"
            );
        }
        let single: Vec<_> = bytes
            .chunks(1)
            .map(|byte| Frame::continuation(byte).more())
            .collect();
        let frames = [
            vec![Frame::text("").more()],
            single,
            vec![Frame::continuation("")],
        ]
        .concat();
        assert_eq!(receive::<R>(&frames).0, [Seen::text(VALID)]);
    }
    for_both_roles!(check);
}

#[test]
fn ut1_ut4_text_that_is_not_utf8_fails() {
    fn check<R: TestRole>() {
        for (invalid, _) in INVALID {
            let (seen, answers) = receive::<R>(&[Frame::text(invalid)]);
            assert_eq!(seen, [FAILED], "{invalid:02x?}");
            assert_eq!(answers[0].payload[..2], 1007_u16.to_be_bytes());
            // In long text, and in each place that a fast validator treats apart.
            for before in 0..70 {
                let long = [
                    " ".repeat(before).as_bytes(),
                    invalid,
                    " ".repeat(70).as_bytes(),
                ]
                .concat();
                assert_eq!(
                    run::<R, WebSocket<R>>(
                        &Config::default(),
                        &wire::<R>(&[Frame::text(&long)]),
                        &[]
                    )
                    .seen,
                    [FAILED]
                );
            }
            // Binary messages may be anything.
            assert_eq!(
                receive::<R>(&[Frame::binary(invalid)]).0,
                [Seen::binary(invalid)]
            );
        }
    }
    for_both_roles!(check);
}

/// And wherever the border is.
#[test]
fn ut1_text_that_is_not_utf8_fails_also_in_fragments() {
    fn check<R: TestRole>() {
        for (invalid, _) in INVALID {
            for border in 0..=invalid.len() {
                let frames = [
                    Frame::text(&invalid[..border]).more(),
                    Frame::continuation(&invalid[border..]),
                ];
                assert_eq!(
                    receive::<R>(&frames).0,
                    [FAILED],
                    "{invalid:02x?} at {border}"
                );
            }
        }
    }
    for_both_roles!(check);
}

#[test]
fn ut3_text_that_ends_inside_a_code_point_fails() {
    fn check<R: TestRole>() {
        for character in ["\u{e9}", "\u{20ac}", "\u{1f600}"] {
            for len in 1..character.len() {
                let part = &character.as_bytes()[..len];
                let whole = [b"text ", part].concat();
                assert_eq!(receive::<R>(&[Frame::text(part)]).0, [FAILED]);
                assert_eq!(receive::<R>(&[Frame::text(&whole)]).0, [FAILED]);
                assert_eq!(
                    receive::<R>(&[Frame::text(&whole).more(), Frame::continuation("")]).0,
                    [FAILED]
                );
                assert_eq!(
                    receive::<R>(&[Frame::text("text ").more(), Frame::continuation(part)]).0,
                    [FAILED]
                );
                // A message that is not complete is not judged yet.
                assert_eq!(receive::<R>(&[Frame::text(&whole).more()]).0, []);
            }
        }
    }
    for_both_roles!(check);
}

/// SE7: after an error a validator is at the start of another text, wherever the error was.
#[test]
fn ut3_se7_a_validator_can_be_used_after_an_error() {
    for before in [&b""[..], b"a", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98"] {
        for invalid in [&b"\xff"[..], b"(", b"\xc3(", b"a\xffb", b"\xa9\xff"] {
            let mut utf8 = Utf8Validator::new();
            for _ in 0..5 {
                _ = utf8.feed(before);
                if utf8.feed(invalid).is_err() {
                    assert_eq!(utf8, Utf8Validator::new());
                }
            }
        }
    }
}

/// Once a text has ended, right or wrong, a validator is at the beginning of the next.
#[test]
fn ut3_a_validator_begins_anew_behind_the_end() {
    let mut utf8 = Utf8Validator::new();
    for (text, end) in [
        (&b"\xe2\x82"[..], Err(InvalidUtf8)),
        (b"whole", Ok(())),
        (b"\xc3", Err(InvalidUtf8)),
    ] {
        utf8.feed(text).unwrap();
        assert_eq!(utf8.finish(), end);
        assert_eq!(utf8, Utf8Validator::new());
    }
    assert_eq!(
        (utf8.feed(b"\xc3"), utf8.feed(b"\xa9")),
        (Ok((None, "")), Ok((Some('\u{e9}'), "")))
    );
    assert_eq!(utf8, Utf8Validator::new());
}

/// P4: the bad byte is enough, wherever the frame and the message end. The byte before it is not.
#[test]
fn ut5_p4_text_fails_at_its_first_bad_byte() {
    fn check<R: TestRole>() {
        for (invalid, good) in INVALID {
            let before = "text ";
            let payload = [before.as_bytes(), invalid].concat();
            let bad = before.len() + good;
            assert!(can_be_text(&payload[..bad], false) && !can_be_text(&payload[..=bad], false));
            for frame in [
                Frame::text(&payload[..=bad]).declaring(1000),
                Frame::text(&payload[..=bad]).declaring(1000).more(),
            ] {
                let bytes = wire::<R>(&[frame]);
                let almost = &bytes[..bytes.len() - 1];
                assert_eq!(
                    run::<R, WebSocket<R>>(&Config::default(), almost, &[]).seen,
                    [],
                    "{invalid:02x?}"
                );
                assert_eq!(
                    run::<R, WebSocket<R>>(&Config::default(), &bytes, &[]).seen,
                    [FAILED],
                    "{invalid:02x?}"
                );

                // Before that, a streaming receiver delivers a valid beginning of text, however it
                // is split.
                let valid = Seen::part(MessageKind::Text, &payload[..bad], true, false);
                for cuts in [vec![], vec![almost.len()], (0..bytes.len()).collect()] {
                    assert_eq!(
                        run::<R, Connection<R>>(&Config::default(), &bytes, &cuts).seen,
                        [valid.clone(), FAILED],
                        "{invalid:02x?}"
                    );
                }
            }
        }
    }
    for_both_roles!(check);
}

/// FR7: when a streaming receiver has delivered the valid part, nothing of the frame is expected
/// any more, however much it declares.
#[test]
fn ut5_fr7_nothing_is_left_after_the_valid_part_of_invalid_text() {
    fn check<R: TestRole>() {
        for declared in [3, 1000] {
            for fin in [true, false] {
                let frame = Frame::text(b"ab\xff").declaring(declared).fin(fin);
                let (mut connection, mut out) =
                    (Connection::new(R::make(), &Config::default()), Vec::new());
                let mut bytes = wire::<R>(from_ref(&frame));
                let mut input = bytes.as_mut_slice();
                let Some(Event::Data(chunk)) = connection.recv(&mut input, &mut out) else {
                    panic!("the valid part")
                };
                assert_eq!(chunk.payload, b"ab");
                assert_eq!((connection.payload_left(), out.len()), (0, 0));
                assert_eq!(
                    connection.recv(&mut input, &mut out),
                    Some(Event::Failed(ProtocolError::InvalidUtf8))
                );
                assert_eq!(connection.payload_left(), 0);

                let (mut receiver, _) = Connection::new(R::make(), &Config::default()).split();
                let mut bytes = wire::<R>(from_ref(&frame));
                assert!(receiver.recv(&mut bytes.as_mut_slice()).is_some());
                assert_eq!(receiver.payload_left(), 0);
            }
        }
    }
    for_both_roles!(check);
}

/// That in the middle of payloads that are processed in several blocks.
#[test]
fn ut5_the_first_bad_byte_of_a_long_text_is_found_in_any_block() {
    fn check<R: TestRole>() {
        for bad in [0, 1, 4094, 4095, 4096, 4097, 8191, 8192, 9999] {
            let mut payload = "\u{e9}".repeat(5000).into_bytes();
            payload[bad] = 0xff;
            let frames = [Frame::text(&payload)];
            assert!(receive::<R>(&frames).0 == [FAILED]);
            let part = Seen::part(MessageKind::Text, &payload[..bad], true, false);
            assert!(
                stream::<R>(&frames).0
                    == if bad == 0 {
                        vec![FAILED]
                    } else {
                        vec![part, FAILED]
                    },
                "{bad}"
            );
        }
        let text = "\u{20ac}".repeat(5000);
        assert!(receive::<R>(&[Frame::text(&text)]).0 == [Seen::text(&text)]);
        assert!(stream::<R>(&[Frame::text(&text)]).0 == [Seen::text(&text)]);
    }
    for_both_roles!(check);
}

#[test]
fn ut6_a_close_reason_that_is_not_utf8_fails() {
    fn check<R: TestRole>() {
        for (invalid, _) in INVALID.iter().copied().chain([(b"\xe2\x82".as_slice(), 2)]) {
            let (seen, answers) = receive::<R>(&[Frame::close(1000, invalid)]);
            assert_eq!(
                seen,
                [Seen::Failed(ProtocolError::InvalidCloseReason)],
                "{invalid:02x?}"
            );
            assert_eq!(answers[0].payload[..2], 1007_u16.to_be_bytes());
        }
        assert_eq!(
            receive::<R>(&[Frame::close(1000, VALID)]).0,
            [Seen::close(1000, VALID)]
        );
    }
    for_both_roles!(check);
}

/// A masked frame whose bytes on the wire are no text, and one whose bytes on the wire are.
#[test]
fn ut7_text_is_validated_after_unmasking() {
    use crate::common::{Masking, xor};
    use ws_proto::Server;
    let key = [0xff, 0xfe, 0x80, 0xc0];
    let frame = Frame::text("plain text").masking(Masking::Key(key));
    assert!(std::str::from_utf8(&xor(&frame.payload, key)).is_err());
    assert_eq!(receive::<Server>(&[frame]).0, [Seen::text("plain text")]);
    let frame = Frame::text(xor(b"plain text", key)).masking(Masking::Key(key));
    assert_eq!(receive::<Server>(&[frame]).0, [FAILED]);
}

/// UT10: a `&str` cannot be invalid; fragments of bytes are checked, across their borders.
#[test]
fn ut8_ut10_what_is_not_utf8_cannot_be_sent_as_text() {
    fn check<R: TestRole>() {
        for (invalid, _) in INVALID {
            for border in 0..invalid.len() {
                let mut sender = Connection::new(R::make(), &Config::default());
                let mut out = Vec::new();
                let sent = sender
                    .send_fragment(MessageKind::Text, &invalid[..border], false, &mut out)
                    .is_ok();
                let before = out.clone();
                if sent {
                    let refused =
                        sender.send_fragment(MessageKind::Text, &invalid[border..], true, &mut out);
                    assert_eq!(
                        refused,
                        Err(SendError::InvalidUtf8),
                        "{invalid:02x?} at {border}"
                    );
                    assert_eq!(out, before, "nothing is written");
                } else {
                    assert!(out.is_empty());
                }
            }
        }
        // A part that is refused leaves the text as it was: it can go on, and end.
        let mut sender = Connection::new(R::make(), &Config::default());
        let mut out = Vec::new();
        sender
            .send_fragment(MessageKind::Text, b"\xe2\x82", false, &mut out)
            .unwrap();
        assert_eq!(
            sender.send_fragment(MessageKind::Text, b"!", false, &mut out),
            Err(SendError::InvalidUtf8)
        );
        assert_eq!(
            sender.send_fragment(MessageKind::Text, b"", true, &mut out),
            Err(SendError::InvalidUtf8),
            "it would end inside a character"
        );
        sender
            .send_fragment(MessageKind::Text, b"\xac", true, &mut out)
            .unwrap();
        sender
            .send_fragment(MessageKind::Text, b"new", true, &mut out)
            .unwrap();
        sender
            .send_fragment(MessageKind::Binary, b"\xff", true, &mut out)
            .unwrap();
        let expected = [
            Frame::text(b"\xe2\x82").more(),
            Frame::continuation(b"\xac"),
            Frame::text("new"),
            Frame::binary(b"\xff"),
        ];
        assert_eq!(read_all::<R>(&out), expected);
    }
    for_both_roles!(check);
}

#[test]
fn ut9_byte_order_marks_and_nul_are_legal_and_kept() {
    fn check<R: TestRole>() {
        for text in [
            "\u{feff}text",
            "\u{feff}",
            "nul\0nul",
            "\0",
            "\u{fffe}\u{ffff}",
        ] {
            assert_eq!(receive::<R>(&[Frame::text(text)]).0, [Seen::text(text)]);
            assert_eq!(stream::<R>(&[Frame::text(text)]).0, [Seen::text(text)]);
            let mut out = Vec::new();
            WebSocket::new(R::make(), &Config::default())
                .send_text(text, &mut out)
                .unwrap();
            assert_eq!(read_all::<R>(&out), [Frame::text(text)]);
        }
    }
    for_both_roles!(check);
}

/// The chunks of a streaming receiver are the use that [`Utf8Validator`] was made for.
#[test]
fn ut2_chunks_of_a_text_can_be_read_as_text() {
    fn check<R: TestRole>() {
        let mut bytes = wire::<R>(&[Frame::text(VALID)]);
        let mut connection = Connection::new(R::make(), &Config::default());
        let mut utf8 = Utf8Validator::new();
        let mut text = String::new();
        for mut byte in bytes.chunks_mut(1) {
            while let Some(event) = connection.recv(&mut byte, &mut Vec::new()) {
                let Event::Data(chunk) = event else {
                    panic!("{event:?}")
                };
                let (split, rest) = utf8.feed(chunk.payload).unwrap();
                text.extend(split);
                text.push_str(rest);
            }
        }
        assert_eq!(text, VALID);
    }
    for_both_roles!(check);
}

/// L3: a message that arrives byte by byte, or a few bytes at a time, occupies no more memory than
/// its length, also a text, wherever its characters end.
#[test]
fn l3_a_message_in_tiny_reads_takes_no_more_memory_than_its_length() {
    fn check<R: TestRole>() {
        for pattern in [
            "a",
            "\u{e9}",
            "\u{20ac}",
            "\u{1f980}",
            "a\u{20ac}\u{1f980}\u{e9}",
        ] {
            for (repeats, opcode) in (1..40).flat_map(|repeats| [(repeats, 1), (repeats, 2)]) {
                let text = pattern.repeat(repeats);
                for read in 1..10 {
                    let mut ws = WebSocket::new(R::make(), &Config::default());
                    let mut bytes = wire::<R>(&[Frame::new(opcode, &text)]);
                    let mut received = None;
                    for mut input in bytes.chunks_mut(read) {
                        if let Some(message) = ws.recv(&mut input, &mut Vec::new()) {
                            received = Some(message.into_owned());
                        }
                    }
                    let owned = match received {
                        Some(Message::Text(Cow::Owned(owned))) if opcode == 1 => owned.into_bytes(),
                        Some(Message::Binary(Cow::Owned(owned))) if opcode == 2 => owned,
                        other => panic!("{other:?}"),
                    };
                    assert_eq!(owned, text.as_bytes());
                    assert!(
                        owned.capacity() <= text.len(),
                        "{} of {}",
                        owned.capacity(),
                        text.len()
                    );
                }
            }
        }
    }
    for_both_roles!(check);
}
