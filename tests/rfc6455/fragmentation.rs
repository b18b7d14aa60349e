//! Fragmentation (RFC 6455 §5.4).

use crate::common::{
    Frame, Seen, TestRole, for_both_roles, pattern, read_all, receive, stream, wire,
};
use core::slice::from_ref;
use ws_proto::frame::Opcode;
use ws_proto::{
    Config, Connection, Message, MessageKind, ProtocolError, RecvHalf, SendError, WebSocket,
};

#[test]
fn fg1_a_continuation_of_no_message_fails() {
    fn check<R: TestRole>() {
        for continuation in [
            Frame::continuation("a"),
            Frame::continuation("a").more(),
            Frame::continuation(""),
        ] {
            let failed = Seen::Failed(ProtocolError::UnexpectedContinuation);
            assert_eq!(receive::<R>(from_ref(&continuation)).0, from_ref(&failed));
            // After a message that is complete there is none either.
            assert_eq!(
                receive::<R>(&[Frame::text("one"), continuation.clone()]).0,
                [Seen::text("one"), failed.clone()]
            );
            let fragmented = [
                Frame::binary("o").more(),
                Frame::continuation("ne"),
                Frame::ping(""),
                continuation.clone(),
            ];
            assert_eq!(
                receive::<R>(&fragmented).0,
                [Seen::binary(b"one"), Seen::ping(""), failed]
            );
        }
    }
    for_both_roles!(check);
}

/// F5: of neither message anything is delivered as complete.
#[test]
fn fg2_f5_a_new_message_inside_another_fails() {
    fn check<R: TestRole>() {
        for (begin, new) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
            for fin in [true, false] {
                let kind = |opcode| {
                    if opcode == 1 {
                        MessageKind::Text
                    } else {
                        MessageKind::Binary
                    }
                };
                let failed = Seen::Failed(ProtocolError::ExpectedContinuation {
                    incomplete: kind(begin),
                    begun: kind(new),
                });
                let frames = [
                    Frame::new(begin, "a").more(),
                    Frame::new(new, "b").fin(fin),
                    Frame::continuation("c"),
                ];
                assert_eq!(receive::<R>(&frames).0, from_ref(&failed));
                assert_eq!(
                    stream::<R>(&frames).0,
                    [Seen::part(kind(begin), b"a", true, false), failed.clone()]
                );
                // Further on in the message, and when its first fragment was empty.
                let frames = [
                    Frame::new(begin, "").more(),
                    Frame::continuation("").more(),
                    Frame::new(new, "").fin(fin),
                ];
                assert_eq!(receive::<R>(&frames).0, from_ref(&failed));
                assert_eq!(
                    stream::<R>(&frames).0,
                    [Seen::part(kind(begin), b"", true, false), failed]
                );
            }
        }
    }
    for_both_roles!(check);
}

/// At once: the Pong is written while the message is incomplete.
#[test]
fn fg3_control_frames_between_fragments_are_handled_at_once() {
    fn check<R: TestRole>() {
        let frames = [
            Frame::text("a").more(),
            Frame::ping("1"),
            Frame::pong("2"),
            Frame::continuation("b").more(),
            Frame::continuation("").more(),
            Frame::ping("3"),
            Frame::continuation("c"),
        ];
        let (seen, answers) = receive::<R>(&frames);
        assert_eq!(
            seen,
            [
                Seen::ping("1"),
                Seen::pong("2"),
                Seen::ping("3"),
                Seen::text("abc")
            ]
        );
        assert_eq!(answers, [Frame::pong("1"), Frame::pong("3")]);
        let part = |payload: &str, first, last| {
            Seen::part(MessageKind::Text, payload.as_bytes(), first, last)
        };
        assert_eq!(
            stream::<R>(&frames).0,
            [
                part("a", true, false),
                Seen::ping("1"),
                Seen::pong("2"),
                part("b", false, false),
                Seen::ping("3"),
                part("c", false, true)
            ]
        );
        for through in 0..frames.len() {
            let pings = frames[..=through]
                .iter()
                .filter(|frame| frame.opcode == 9)
                .count();
            assert_eq!(receive::<R>(&frames[..=through]).1.len(), pings);
        }
    }
    for_both_roles!(check);
}

#[test]
fn fg4_ct2_fragmented_control_frames_fail() {
    fn check<R: TestRole>() {
        for opcode in [8, 9, 10] {
            for before in [vec![], vec![Frame::text("a").more()]] {
                let frames = [
                    before,
                    vec![Frame::new(opcode, "").more(), Frame::continuation("")],
                ]
                .concat();
                let opcode = Opcode::new(opcode).unwrap();
                assert_eq!(
                    receive::<R>(&frames).0,
                    [Seen::Failed(ProtocolError::FragmentedControl(opcode))]
                );
            }
        }
    }
    for_both_roles!(check);
}

/// FG9: and whatever the borders are, the message is the same.
#[test]
fn fg6_fg9_every_way_to_fragment_a_message_gives_the_message() {
    fn check<R: TestRole>() {
        for (opcode, message) in [
            (1, Seen::text("h\u{e9}\u{20ac}")),
            (2, Seen::binary("h\u{e9}\u{20ac}".as_bytes())),
        ] {
            let payload = "h\u{e9}\u{20ac}".as_bytes();
            let len = payload.len();
            // All ways to choose three borders, equal ones included, so that the first, the middle
            // and the last fragment are empty at times.
            let borders = (0..=len).flat_map(|a| {
                (a..=len).flat_map(move |b| (b..=len).map(move |c| [0, a, b, c, len]))
            });
            for borders in borders {
                let parts: Vec<_> = borders
                    .windows(2)
                    .map(|ends| &payload[ends[0]..ends[1]])
                    .collect();
                let frames = [
                    Frame::new(opcode, parts[0]).more(),
                    Frame::continuation(parts[1]).more(),
                    Frame::continuation(parts[2]).more(),
                    Frame::continuation(parts[3]),
                ];
                assert_eq!(receive::<R>(&frames).0, from_ref(&message), "{borders:?}");
                assert_eq!(stream::<R>(&frames).0, from_ref(&message), "{borders:?}");
            }
        }
    }
    for_both_roles!(check);
}

/// FG5: the next message is in order, and nothing is left of the previous one.
#[test]
fn fg7_fg5_the_type_is_that_of_the_first_fragment_and_messages_keep_their_order() {
    fn check<R: TestRole>() {
        let not_utf8 = [0xff, 0xfe];
        let frames = [
            Frame::binary("b").more(),
            Frame::continuation(not_utf8),
            Frame::text("t").more(),
            Frame::continuation("ext"),
            Frame::binary(not_utf8),
            Frame::text("\u{e9}"),
            Frame::binary("").more(),
            Frame::continuation("2"),
        ];
        let expected = [
            Seen::binary(&[b'b', 0xff, 0xfe]),
            Seen::text("text"),
            Seen::binary(&not_utf8),
            Seen::text("\u{e9}"),
            Seen::binary(b"2"),
        ];
        assert_eq!(receive::<R>(&frames).0, expected);
        assert_eq!(stream::<R>(&frames).0, expected);
    }
    for_both_roles!(check);
}

/// CL22: the partial message is dropped.
#[test]
fn fg10_cl22_a_close_inside_a_message_ends_it_undelivered() {
    fn check<R: TestRole>() {
        let frames = [
            Frame::text("incomplete").more(),
            Frame::close(1001, "gone"),
            Frame::continuation("late"),
        ];
        let (seen, answers) = receive::<R>(&frames);
        assert_eq!(seen, [Seen::close(1001, "gone")]);
        assert_eq!(answers, [Frame::close(1001, "")]);
        assert_eq!(
            stream::<R>(&frames).0,
            [
                Seen::part(MessageKind::Text, b"incomplete", true, false),
                Seen::close(1001, "gone")
            ]
        );
    }
    for_both_roles!(check);
}

/// Large fragments, split as a socket splits them: one message in memory, and owned.
#[test]
fn fg6_large_messages_in_pieces_are_put_together() {
    fn check<R: TestRole>() {
        let payload = pattern(300_000);
        let frames = [
            Frame::binary(&payload[..100_000]).more(),
            Frame::continuation(&payload[100_000..100_001]).more(),
            Frame::continuation(&payload[100_001..]),
        ];
        let mut bytes = wire::<R>(&frames);
        let mut ws = WebSocket::new(R::make(), &Config::default());
        let mut out = Vec::new();
        let mut got = None;
        for read in bytes.chunks_mut(16 << 10) {
            let mut input = read;
            while let Some(message) = ws.recv(&mut input, &mut out) {
                let Message::Binary(bytes) = message else {
                    panic!("{message:?}")
                };
                assert!(got.replace(bytes.into_owned()).is_none());
            }
        }
        assert!(got.as_deref() == Some(payload.as_slice()));
    }
    for_both_roles!(check);
}

/// FG5, FG4, FR9: an interleaved message, an orphan continuation or a continuation of the wrong
/// type cannot be written.
#[test]
fn fg5_fr9_a_sender_cannot_interleave_messages() {
    fn check<R: TestRole>() {
        let mut sender = Connection::new(R::make(), &Config::default());
        let mut out = Vec::new();
        for (kind, other, opcode) in [
            (MessageKind::Text, MessageKind::Binary, 1),
            (MessageKind::Binary, MessageKind::Text, 2),
        ] {
            out.clear();
            sender.send_fragment(kind, b"a", false, &mut out).unwrap();
            let refused = Err(SendError::MessageInProgress);
            assert_eq!(sender.send_text("x", &mut out), refused);
            assert_eq!(sender.send_binary(b"x", &mut out), refused);
            assert_eq!(sender.send_fragment(other, b"x", false, &mut out), refused);
            assert_eq!(sender.send_fragment(other, b"x", true, &mut out), refused);
            sender.send_ping(b"p", &mut out).unwrap();
            sender.send_fragment(kind, b"", false, &mut out).unwrap();
            sender.send_fragment(kind, b"b", true, &mut out).unwrap();
            sender
                .send_fragment(kind, b"whole", true, &mut out)
                .unwrap();
            let expected = [
                Frame::new(opcode, "a").more(),
                Frame::ping("p"),
                Frame::continuation("").more(),
                Frame::continuation("b"),
                Frame::new(opcode, "whole"),
            ];
            assert_eq!(read_all::<R>(&out), expected);
        }
    }
    for_both_roles!(check);
}

/// FG8: the payload of a frame is passed on as it came, so that a relay can keep the borders that
/// `payload_left` shows.
/// The value of `message_progress` after each byte, in each layer.
#[test]
fn tm6_progress_is_that_of_messages_and_not_of_control_frames() {
    fn check<R: TestRole>() {
        let frames = [
            Frame::binary("").more(),
            Frame::ping(pattern(125)),
            Frame::continuation(pattern(300)).more(),
            Frame::pong("pong"),
            Frame::continuation("").more(),
            Frame::continuation("end"),
            Frame::binary(""),
            Frame::binary("whole"),
            Frame::ping(""),
            Frame::binary("an").more(),
            Frame::continuation("d"),
            Frame::binary("unfinished").more(),
            Frame::close(1000, "bye"),
        ];
        let config = Config::default();
        let mut ws = WebSocket::new(R::make(), &config);
        let (mut message_half, _) = WebSocket::new(R::make(), &config).split();
        let mut connection = Connection::new(R::make(), &config);
        let (mut half, _): (RecvHalf<R>, _) = Connection::new(R::make(), &config).split();
        let (mut total, mut incomplete, mut out) = (0, false, Vec::new());
        for frame in frames {
            let bytes = frame.to::<R>();
            let (header_len, is_data) = (bytes.len() - frame.payload.len(), frame.opcode < 8);
            for (i, byte) in bytes.into_iter().enumerate() {
                let is_payload = i >= header_len;
                total += u64::from(is_data && is_payload);
                if is_data && i + 1 >= header_len {
                    incomplete = !(frame.fin && i + 1 == header_len + frame.payload.len());
                }
                if frame.opcode == 8 && i + 1 == header_len + frame.payload.len() {
                    incomplete = false; // nothing will complete it
                }
                let _ = ws.recv(&mut &mut [byte][..], &mut out);
                let _ = message_half.recv(&mut &mut [byte][..]);
                let _ = connection.recv(&mut &mut [byte][..], &mut out);
                let _ = half.recv(&mut &mut [byte][..]);
                let progress = [
                    ws.message_progress(),
                    message_half.message_progress(),
                    connection.message_progress(),
                    half.message_progress(),
                ];
                assert_eq!(
                    progress,
                    [incomplete.then_some(total); 4],
                    "{frame:?}, byte {i}"
                );
            }
        }
    }
    for_both_roles!(check);
}
