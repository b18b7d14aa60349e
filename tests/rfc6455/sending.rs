//! Sending (RFC 6455 §5.4, §6.1): messages, fragments, payloads that are not copied, the halves,
//! and calls that are refused.

use crate::common::strategies::{config, session};
use crate::common::{
    Frame, Layer, Log, Masking, Seen, TestRole, code, for_both_roles, pattern, read, read_all,
    reserved, run, wire,
};
use core::slice::from_ref;
use proptest::prelude::*;
use ws_proto::{
    Action, CappedOutput, Client, CloseCode, Config, Connection, Counters, Event, Message,
    MessageKind, Negotiated, ProtocolError, REPLY_ROOM, SendError, Server, State, WebSocket,
};

/// Sends the frames of a session.
fn send<R: TestRole>(ws: &mut WebSocket<R>, frames: &[Frame], out: &mut Vec<u8>) {
    let mut kind = MessageKind::Binary;
    for Frame {
        fin,
        opcode,
        payload,
        ..
    } in frames
    {
        if let 1 | 2 = opcode {
            kind = if *opcode == 1 {
                MessageKind::Text
            } else {
                MessageKind::Binary
            };
        }
        match (opcode, payload.as_slice()) {
            (1, text) if *fin => ws.send_text(std::str::from_utf8(text).unwrap(), out),
            (2, bytes) if *fin => ws.send_binary(bytes, out),
            (0..=2, part) => ws.send_fragment(kind, part, *fin, out),
            (9, payload) => ws.send_ping(payload, out),
            (10, payload) => ws.send_pong(payload, out),
            (_, [high, low, reason @ ..]) => ws.close(
                code(u16::from_be_bytes([*high, *low])),
                std::str::from_utf8(reason).unwrap(),
                out,
            ),
            _ => ws.close_without_code(out),
        }
        .unwrap();
    }
}

/// Frames and bytes.
fn counted(counters: Counters) -> (u64, u64) {
    (counters.frames, counters.bytes)
}

fn sent_is_received<R: TestRole>(frames: &[Frame]) -> Result<(), TestCaseError> {
    let close = frames
        .iter()
        .position(|frame| frame.opcode == 8)
        .map_or(frames.len(), |close| close + 1);
    let frames = &frames[..close];
    let mut sender = WebSocket::new(R::make(), &Config::default());
    let mut out = Vec::new();
    send(&mut sender, frames, &mut out);
    prop_assert_eq!(
        read_all::<R>(&out),
        frames,
        "frame by frame as the RFC writes them"
    );
    let bytes = frames.iter().map(|frame| frame.payload.len() as u64).sum();
    prop_assert_eq!(counted(sender.sent()), (frames.len() as u64, bytes));

    let outcome = run::<R::Peer, WebSocket<R::Peer>>(&Config::default(), &out, &[]);
    let expected =
        run::<R::Peer, WebSocket<R::Peer>>(&Config::default(), &wire::<R::Peer>(frames), &[]);
    prop_assert_eq!(outcome.ended.received, sender.sent());
    prop_assert_eq!((outcome.seen, outcome.out), (expected.seen, expected.out));
    Ok(())
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn what_a_client_sends_a_server_receives(frames in session()) {
        sent_is_received::<Client>(&frames)?;
    }

    #[test]
    fn what_a_server_sends_a_client_receives(frames in session()) {
        sent_is_received::<Server>(&frames)?;
    }
}

type Call<R> = fn(&mut WebSocket<R>, &mut CappedOutput<'_>) -> Result<(), SendError>;

/// Asserts that a call is refused while the output holds at most `cap` bytes, and that it has no
/// effect.
#[track_caller]
fn refused<R: TestRole>(
    ws: &mut WebSocket<R>,
    out: &mut Vec<u8>,
    cap: usize,
    error: SendError,
    call: impl FnOnce(&mut WebSocket<R>, &mut CappedOutput<'_>) -> Result<(), SendError>,
) {
    let before = (ws.ended(), out.clone());
    assert_eq!(call(ws, &mut CappedOutput::new(out, cap)), Err(error));
    assert!(
        (ws.ended(), &*out) == (before.0, &before.1),
        "{error:?} has an effect"
    );
}

/// Every mistake is an `Err`, after which the output and the connection are unchanged (§6.1:
/// sending only while OPEN, FR9).
#[test]
fn fr9_a_mistake_has_no_effect() {
    fn check<R: TestRole>() {
        let mut ws = WebSocket::new(R::make(), &Config::default());
        let mut out = b"before".to_vec();
        let long = pattern(126);
        let full = SendError::OutputFull {
            needed: if R::MASKS { 8 } else { 4 },
        };

        let all = usize::MAX;
        refused(
            &mut ws,
            &mut out,
            all,
            SendError::ControlTooLong,
            |ws, out| ws.send_ping(&long, out),
        );
        refused(
            &mut ws,
            &mut out,
            all,
            SendError::ControlTooLong,
            |ws, out| ws.send_pong(&long, out),
        );
        refused(&mut ws, &mut out, all, SendError::InvalidUtf8, |ws, out| {
            ws.send_fragment(MessageKind::Text, b"\xff", false, out)
        });
        refused(&mut ws, &mut out, all, SendError::InvalidUtf8, |ws, out| {
            ws.send_fragment(MessageKind::Text, b"\xc3", true, out)
        });
        let calls: [Call<R>; 7] = [
            |ws, out| ws.send_text("xx", out),
            |ws, out| ws.send_binary(b"xx", out),
            |ws, out| ws.send_fragment(MessageKind::Text, b"xx", false, out),
            |ws, out| ws.send_ping(b"xx", out),
            |ws, out| ws.send_pong(b"xx", out),
            |ws, out| ws.close(CloseCode::NORMAL, "", out),
            |ws, out| ws.fail(CloseCode::NORMAL, "", out),
        ];
        for call in calls {
            refused(&mut ws, &mut out, 8, full, call);
        }
        // The connection is as good as new: the same bytes as from one that was not asked for any
        // of this.
        let mut other = WebSocket::new(R::make(), &Config::default());
        let mut expected = b"before".to_vec();
        for (ws, out) in [(&mut ws, &mut out), (&mut other, &mut expected)] {
            ws.send_fragment(MessageKind::Text, b"\xc3", false, out)
                .unwrap();
            ws.send_fragment(MessageKind::Text, b"\xa9", true, out)
                .unwrap();
        }
        assert_eq!(out, expected);

        ws.send_fragment(MessageKind::Binary, b"a", false, &mut out)
            .unwrap();
        refused(
            &mut ws,
            &mut out,
            all,
            SendError::MessageInProgress,
            |ws, out| ws.send_text("x", out),
        );
        refused(
            &mut ws,
            &mut out,
            all,
            SendError::MessageInProgress,
            |ws, out| ws.send_binary(b"x", out),
        );
        refused(
            &mut ws,
            &mut out,
            all,
            SendError::MessageInProgress,
            |ws, out| ws.send_fragment(MessageKind::Text, b"x", true, out),
        );
        ws.close(CloseCode::NORMAL, "", &mut out).unwrap();
        refused(&mut ws, &mut out, all, SendError::Closed, |ws, out| {
            ws.send_text("x", out)
        });
    }
    for_both_roles!(check);
}

#[test]
fn se11_a_mistake_is_told_in_words() {
    let words = [
        (SendError::Closed, "the connection is closing or closed"),
        (
            SendError::OutputFull { needed: 7 },
            "the output has no room for 7 bytes",
        ),
        (
            SendError::MessageInProgress,
            "a fragmented message is in progress",
        ),
        (
            SendError::ControlTooLong,
            "control frame payload longer than 125 bytes",
        ),
        (SendError::LengthOverflow, "payload length exceeds 63 bits"),
        (SendError::InvalidUtf8, "invalid UTF-8"),
        (
            SendError::ClientOnlyCloseCode,
            "only clients may send status code 1010",
        ),
    ];
    for (error, words) in words {
        assert_eq!((&error as &dyn core::error::Error).to_string(), words);
    }
}

// Payloads that are not copied.

/// The output of `send_fragment`, and that of `begin_frame` before the same payload, are the same.
#[test]
fn fr9_a_header_alone_is_that_of_the_frame() {
    for len in [0, 1, 125, 126, 65535, 65536] {
        let payload = pattern(len);
        let mut copying = Connection::new(Server, &Config::default());
        let mut not_copying = Connection::new(Server, &Config::default());
        for (kind, last) in [
            (MessageKind::Binary, true),
            (MessageKind::Binary, false),
            (MessageKind::Binary, false),
            (MessageKind::Binary, true),
            (MessageKind::Binary, true),
        ] {
            let mut out = Vec::new();
            copying
                .send_fragment(kind, &payload, last, &mut out)
                .unwrap();
            let mut frame = not_copying.begin_frame(kind, len as u64, last).unwrap();
            let mut unmasked = payload.clone();
            frame.mask(&mut unmasked);
            assert!([frame.header(), &unmasked].concat() == out);
            assert_eq!(copying.sent(), not_copying.sent());
        }
    }
}

/// FR4: a length beyond those of §5.2 is not truncated to one of them.
#[test]
fn l1_l2_a_header_declares_up_to_63_bits() {
    let mut server = Connection::new(Server, &Config::default());
    assert_eq!(
        *server
            .begin_frame(MessageKind::Binary, (1 << 32) + 5, false)
            .unwrap()
            .header(),
        [0x02, 127, 0, 0, 0, 1, 0, 0, 0, 5]
    );
    let sent = server.sent();
    for len in [1 << 63, (1 << 63) + 5, u64::MAX] {
        assert_eq!(
            server
                .begin_frame(MessageKind::Binary, len, false)
                .unwrap_err(),
            SendError::LengthOverflow
        );
        assert_eq!(server.sent(), sent, "nothing changed");
    }
    assert_eq!(
        *server
            .begin_frame(MessageKind::Binary, (1 << 63) - 1, true)
            .unwrap()
            .header(),
        [0x80, 127, 0x7f, 255, 255, 255, 255, 255, 255, 255]
    );
}

/// That for a client, whose payload is masked in place: the bytes are those of `send_fragment`, key
/// included.
#[test]
fn mk1_a_payload_masked_in_place_is_that_of_the_frame() {
    for len in [0, 1, 3, 125, 126, 4097, 65536] {
        let payload = pattern(len);
        let mut copying = Connection::new(Client::make(), &Config::default());
        let mut in_place = Connection::new(Client::make(), &Config::default());
        for last in [true, false, false, true] {
            let mut out = Vec::new();
            copying
                .send_fragment(MessageKind::Binary, &payload, last, &mut out)
                .unwrap();
            let mut masked = payload.clone();
            let mut frame = in_place
                .begin_frame(MessageKind::Binary, len as u64, last)
                .unwrap();
            // In chunks, of which none need end with the key.
            masked
                .chunks_mut(len / 3 + 1)
                .for_each(|chunk| frame.mask(chunk));
            assert!([frame.header(), &masked].concat() == out);
            assert_eq!(copying.sent(), in_place.sent());
            let (frame, _) = read(&out).unwrap();
            assert!(frame.payload == payload && matches!(frame.masking, Masking::Key(_)));
        }
    }
}

#[test]
fn fr9_payloads_that_are_not_copied_obey_the_same_rules() {
    fn alone<R: TestRole>(
        ws: &mut WebSocket<R>,
        kind: MessageKind,
        payload: &mut [u8],
        fin: bool,
    ) -> Result<(), SendError> {
        ws.begin_frame(kind, payload.len() as u64, fin)
            .map(|mut frame| frame.mask(payload))
    }
    fn check<R: TestRole>() {
        let mut ws = WebSocket::new(R::make(), &Config::default());
        let mut out = Vec::new();
        alone(&mut ws, MessageKind::Text, &mut [b'a'], false).unwrap();
        let before = ws.ended();
        let mut payload = [1, 2, 3];
        assert_eq!(
            alone(&mut ws, MessageKind::Binary, &mut payload, true),
            Err(SendError::MessageInProgress)
        );
        assert_eq!(
            (payload, ws.ended() == before),
            ([1, 2, 3], true),
            "a payload that is refused is not touched"
        );
        assert_eq!(
            ws.send_text("x", &mut out),
            Err(SendError::MessageInProgress)
        );
        ws.send_fragment(MessageKind::Text, b"b", true, &mut out)
            .unwrap();
        assert_eq!(
            read_all::<R>(&out),
            [Frame::continuation("b")],
            "both ways to send a part may be used for one message"
        );
        ws.close_without_code(&mut out).unwrap();
        let before = ws.ended();
        assert_eq!(
            alone(&mut ws, MessageKind::Binary, &mut payload, true),
            Err(SendError::Closed)
        );
        assert_eq!((payload, ws.ended() == before), ([1, 2, 3], true));
    }
    for_both_roles!(check);
}

/// UT8: the text of a part that is not copied is the caller's matter; that of the next message is
/// checked as ever.
#[test]
fn ut8_text_sent_both_ways_leaves_nothing_behind() {
    fn alone<R: TestRole>(ws: &mut WebSocket<R>, payload: &mut [u8], fin: bool) {
        let frame = ws.begin_frame(MessageKind::Text, payload.len() as u64, fin);
        frame.unwrap().mask(payload);
    }
    fn check<R: TestRole>() {
        let mut ws = WebSocket::new(R::make(), &Config::default());
        let mut out = Vec::new();
        ws.send_fragment(MessageKind::Text, b"\xc3", false, &mut out)
            .unwrap();
        alone(&mut ws, &mut [0xa9], true);
        ws.send_fragment(MessageKind::Text, b"new", true, &mut out)
            .unwrap();
        ws.send_fragment(MessageKind::Text, b"\xc3", false, &mut out)
            .unwrap();
        alone(&mut ws, &mut [0xa9], false);
        ws.send_fragment(MessageKind::Text, b"rest", true, &mut out)
            .unwrap();
        assert_eq!(
            ws.send_fragment(MessageKind::Text, b"\xa9", true, &mut out),
            Err(SendError::InvalidUtf8)
        );
    }
    for_both_roles!(check);
}

// The halves.

/// Two tasks that share nothing but replies: these are all that the sender knows of the receiver.
#[test]
fn cl6_cl10_the_halves_close_as_the_whole_does() {
    fn check<R: TestRole>() {
        let (mut receiver, mut sender) = Connection::new(R::make(), &Config::default()).split();
        let mut out = Vec::new();
        assert!(
            receiver
                .recv(&mut wire::<R>(&[Frame::close(4000, "bye")]).as_mut_slice())
                .is_some()
        );
        assert_eq!(
            (sender.state(), sender.next_action()),
            (State::Open, Action::Continue),
            "it does not know yet"
        );
        sender.send_text("the last words", &mut out).unwrap();
        sender
            .reply(&receiver.take_reply().unwrap(), &mut out)
            .unwrap();
        assert_eq!(receiver.take_reply(), None);
        assert_eq!(
            read_all::<R>(&out),
            [Frame::text("the last words"), Frame::close(4000, "")]
        );
        assert_eq!(sender.state(), State::Closing);
        assert_eq!(
            sender.next_action(),
            if R::MASKS {
                Action::AwaitClose
            } else {
                Action::CloseTransport
            }
        );
        assert_eq!(sender.close_sent().unwrap().code, Some(code(4000)));
        assert_eq!(receiver.close_received().unwrap().reason, "bye");
        assert_eq!(sender.send_text("x", &mut out), Err(SendError::Closed));
        receiver.recv_eof();
        sender.transport_ended();
        assert_eq!(
            (sender.state(), sender.next_action()),
            (State::Closed, Action::CloseTransport)
        );
        assert_eq!(
            receiver.close_received().unwrap().reason,
            "bye",
            "the end of the stream changes nothing of it"
        );
    }
    for_both_roles!(check);
}

/// A reply that crosses our Close, or the end of the stream, is no error, and a second Close is not
/// written: the caller could do nothing about it. A Pong is still sent after our Close.
#[test]
fn ct7_cl17_replies_that_cross_our_close() {
    fn check<R: TestRole>() {
        let reply_to = |frame: Frame| {
            let (mut receiver, _) = Connection::new(R::make(), &Config::default()).split();
            assert!(
                receiver
                    .recv(&mut wire::<R>(&[frame]).as_mut_slice())
                    .is_some()
            );
            receiver.take_reply().unwrap()
        };
        let replies = [Frame::ping("p"), Frame::close(1000, ""), Frame::new(3, "")].map(reply_to);
        let transports = [
            Action::AwaitClose,
            if R::MASKS {
                Action::AwaitClose
            } else {
                Action::CloseTransport
            },
            Action::CloseTransport,
        ];
        for (reply, transport) in replies.iter().zip(transports) {
            let (_, mut sender) = Connection::new(R::make(), &Config::default()).split();
            let mut out = Vec::new();
            sender.close(CloseCode::NORMAL, "", &mut out).unwrap();
            let pong = *reply == replies[0];
            let room = out.len() + if pong { REPLY_ROOM } else { 0 };
            sender
                .reply(reply, &mut CappedOutput::new(&mut out, room))
                .unwrap();
            assert_eq!(sender.next_action(), transport);
            assert_eq!(
                read_all::<R>(&out),
                [Frame::close(1000, ""), Frame::pong("p")][..if pong { 2 } else { 1 }]
            );
            let written = out.len();

            let (_, mut sender) = Connection::new(R::make(), &Config::default()).split();
            sender.transport_ended();
            sender.reply(reply, &mut out).unwrap();
            assert_eq!(out.len(), written);
        }
    }
    for_both_roles!(check);
}

// Large frames.

/// A driver that reads `payload_left` bytes after those that it has receives a large message in its
/// final place: one read, one chunk, no copy.
#[test]
fn fr7_payload_left_lets_a_frame_be_read_into_its_final_place() {
    fn check<R: TestRole>() {
        let payload = pattern(1 << 20);
        let mut stream = wire::<R>(&[
            Frame::ping("p"),
            Frame::binary(&payload),
            Frame::text("next"),
        ]);
        let mut connection = Connection::new(R::make(), &Config::default());
        let mut out = Vec::new();
        // The first read brings the header and some of the payload.
        let (first, rest) = stream.split_at_mut(100);
        let mut whole = Vec::new();
        let mut input = first;
        while let Some(event) = connection.recv(&mut input, &mut out) {
            if let Event::Data(chunk) = event {
                whole.extend_from_slice(chunk.payload);
            }
        }
        let left = usize::try_from(connection.payload_left()).unwrap();
        assert_eq!(whole.len() + left, payload.len());
        let start = whole.len();
        whole.extend_from_slice(&rest[..left]);
        let mut input = &mut whole[start..];
        let Some(Event::Data(chunk)) = connection.recv(&mut input, &mut out) else {
            panic!("a chunk")
        };
        assert!(chunk.payload.len() == left && chunk.last && !chunk.first);
        assert_eq!(
            (
                connection.payload_left(),
                connection.recv(&mut input, &mut out)
            ),
            (0, None)
        );
        assert!(whole == payload);
        let mut input = &mut rest[left..];
        assert!(
            matches!(connection.recv(&mut input, &mut out), Some(Event::Data(chunk)) if chunk.payload == b"next")
        );
    }
    for_both_roles!(check);
}

/// At every byte of a session, the rest of a data frame is the declared length less the bytes that
/// have arrived. A driver that reads it into the message must not read a control frame into it.
#[test]
fn fr7_payload_left_counts_down() {
    fn check<R: TestRole>() {
        let frames = [
            Frame::text("abc").more(),
            Frame::ping("pp"),
            Frame::continuation("").more(),
            Frame::continuation("defg"),
            Frame::close(1000, "r"),
        ];
        let mut connection = Connection::new(R::make(), &Config::default());
        let mut log = Log::default();
        for frame in frames {
            let mut bytes = wire::<R>(from_ref(&frame));
            let header = bytes.len() - frame.payload.len();
            for (at, byte) in bytes.chunks_mut(1).enumerate() {
                connection.recv_all(byte, &mut log);
                let is_control = matches!(frame.opcode, 8..);
                let left = if at + 1 < header || is_control {
                    0
                } else {
                    frame.payload.len() - (at + 1 - header)
                };
                assert_eq!(
                    connection.payload_left(),
                    left as u64,
                    "behind byte {at} of {frame:?}"
                );
            }
        }
    }
    for_both_roles!(check);
}

/// The transport writes a large message to its place; frames after it are received as usual.
#[test]
fn l7_a_payload_is_read_into_its_place() {
    fn check<R: TestRole>() {
        let payload = pattern(18_000);
        for cut in [0, 4, 100, 17_000] {
            let stream = wire::<R>(&[
                Frame::binary(&payload[..100]).more(),
                Frame::ping("p"),
                Frame::continuation(&payload[100..]),
                Frame::text("next"),
            ]);
            let mut ws = WebSocket::new(R::make(), &Config::default());
            let mut out = Vec::new();
            let mut rest = &stream[..];
            let mut seen = Vec::new();
            let mut placed = 0;
            while !rest.is_empty() {
                let place = ws.payload_buffer();
                // Until `cut`, as input.
                let (n, message) = if place.is_empty() || stream.len() - rest.len() < cut {
                    let n = 7.min(rest.len());
                    let mut input = &mut rest[..n].to_vec()[..];
                    let mut last = None;
                    while let Some(message) = ws.recv(&mut input, &mut out) {
                        assert!(last.is_none());
                        last = Some(message.into_owned());
                    }
                    (n, last)
                } else {
                    let n = place.len().min(rest.len());
                    place[..n].copy_from_slice(&rest[..n]);
                    placed += n;
                    (n, ws.recv_payload(n))
                };
                rest = &rest[n..];
                seen.extend(message);
            }
            assert!(placed + cut > payload.len() / 2);
            let whole = Message::Binary(payload.as_slice().into());
            assert!(seen == [Message::Ping, whole, Message::Text("next".into())]);
        }
    }
    for_both_roles!(check);
}

/// There is a place only for the payload of a binary message, and no more is received than fits
/// there.
#[test]
fn l7_only_binary_messages_have_a_place() {
    fn check<R: TestRole>() {
        let mut ws = WebSocket::new(R::make(), &Config::default());
        let mut out = Vec::new();
        let recv = |ws: &mut WebSocket<R>, bytes: &[u8], out: &mut Vec<u8>| {
            ws.recv(&mut &mut bytes.to_vec()[..], out)
                .map(Message::into_owned)
        };
        assert_eq!(ws.payload_buffer(), []);
        assert_eq!(ws.recv_payload(5), None);

        let text = wire::<R>(&[Frame::text("abc")]);
        let (now, later) = text.split_at(text.len() - 2);
        assert_eq!(recv(&mut ws, now, &mut out), None);
        assert_eq!(ws.payload_buffer(), [], "in a text");
        assert_eq!(ws.recv_payload(1), None);
        let message = recv(&mut ws, later, &mut out);
        assert_eq!(message, Some(Message::Text("abc".into())));

        let begun = wire::<R>(&[Frame::binary("ab").more()]);
        assert_eq!(recv(&mut ws, &begun, &mut out), None);
        assert_eq!(ws.payload_buffer(), [], "between fragments");
        let ping = wire::<R>(&[Frame::ping("pp")]);
        let (now, later) = ping.split_at(ping.len() - 1);
        assert_eq!(recv(&mut ws, now, &mut out), None);
        assert_eq!(ws.payload_buffer(), [], "in a control frame");
        assert_eq!(ws.recv_payload(1), None);
        assert_eq!(recv(&mut ws, later, &mut out), Some(Message::Ping));

        let rest = wire::<R>(&[Frame::continuation("cdef")]);
        let (header, payload) = rest.split_at(rest.len() - 4);
        assert_eq!(recv(&mut ws, header, &mut out), None);
        // Nothing was asked for: nothing can be in its place.
        assert_eq!(ws.recv_payload(1), None);
        assert_eq!(ws.payload_left(), 4);
        ws.payload_buffer().copy_from_slice(payload);
        // More than its place has.
        let message = ws.recv_payload(usize::MAX);
        assert_eq!(message, Some(Message::Binary(b"abcdef".into())));
        ws.recv_eof();
        assert_eq!(ws.payload_buffer(), []);
    }
    for_both_roles!(check);
}

/// Frames and bytes of both directions, control frames and replies included.
#[test]
fn stats_count_every_frame() {
    fn check<R: TestRole>() {
        let mut ws = WebSocket::new(R::make(), &Config::default());
        let mut log = Log::default();
        let frames = [
            Frame::text("abc"),
            Frame::ping("pp"),
            Frame::binary("ab").more(),
            Frame::continuation("c"),
            Frame::close(1000, "r"),
        ];
        ws.recv_all(&mut wire::<R>(&frames), &mut log);
        ws.recv_all(&mut wire::<R>(&[Frame::text("discarded")]), &mut log);
        assert_eq!(counted(ws.received()), (5, 3 + 2 + 2 + 1 + 3));
        assert_eq!(counted(ws.sent()), (2, 2 + 2));
    }
    for_both_roles!(check);
}

/// An unfragmented message that lies entirely in the input is borrowed from it, though it is as
/// long as the limits allow or ends where the input does; one in chunks is owned.
#[test]
fn a_message_that_arrived_whole_is_borrowed() {
    use std::borrow::Cow;
    fn check<R: TestRole>() {
        let pieces = [Frame::text("in ").more(), Frame::continuation("to")];
        for config in [Config::default(), Config::default().with_max_message(5)] {
            for ends_with in [
                Frame::text("whole"),
                Frame::binary("whole"),
                Frame::text(""),
            ] {
                let mut bytes = wire::<R>(
                    &[
                        &[Frame::text("whole"), Frame::binary("whole")],
                        &pieces[..],
                        &[ends_with],
                    ]
                    .concat(),
                );
                let mut ws = WebSocket::new(R::make(), &config);
                let mut input = bytes.as_mut_slice();
                let mut messages = Vec::new();
                while let Some(message) = ws.recv(&mut input, &mut Vec::new()) {
                    messages.push(message); // Events borrow the input, and not the connection.
                }
                assert!(matches!(
                    messages.as_slice(),
                    [
                        Message::Text(Cow::Borrowed("whole")),
                        Message::Binary(Cow::Borrowed(b"whole")),
                        Message::Text(Cow::Owned(_)),
                        Message::Text(Cow::Borrowed("whole" | ""))
                            | Message::Binary(Cow::Borrowed(b"whole"))
                    ]
                ));
            }
        }
    }
    for_both_roles!(check);
}

/// The owned value is the same, whatever it borrowed.
#[test]
fn a_message_can_be_kept() {
    let mut text = *b"text";
    let borrowed = [
        Message::Text(core::str::from_utf8(&text).unwrap().into()),
        Message::Binary(text[..].into()),
        Message::Ping,
        Message::Pong,
        Message::Close(Some(CloseCode::GOING_AWAY)),
        Message::Failed(ProtocolError::Unmasked),
    ];
    let kept: Vec<Message<'static>> = borrowed.into_iter().map(Message::into_owned).collect();
    text.fill(0);
    let expected = [
        Message::Text("text".into()),
        Message::Binary(b"text"[..].into()),
        Message::Ping,
        Message::Pong,
        Message::Close(Some(CloseCode::GOING_AWAY)),
        Message::Failed(ProtocolError::Unmasked),
    ];
    assert_eq!(kept, expected);
}

/// A subprotocol does not change the frames.
#[test]
fn an_agreement_is_as_good_as_a_role() {
    let negotiated = Negotiated::new(Server).with_subprotocol("chat");
    assert_eq!(negotiated.subprotocol(), Some("chat"));
    let mut log = Log::default();
    let mut ws = WebSocket::new(negotiated, &Config::default());
    ws.recv_all(
        &mut wire::<Server>(&[Frame::text("a"), Frame::new(3, "")]),
        &mut log,
    );
    assert_eq!(log.seen, [Seen::text("a"), Seen::Failed(reserved(3))]);
}

/// The result of the negotiation can be read from the connection, and survives a split.
#[test]
fn what_was_negotiated_is_known_to_the_connection() {
    fn check<R: TestRole>() {
        let ws = WebSocket::new(R::make(), &Config::default());
        assert_eq!(ws.subprotocol(), None);
        let negotiated = Negotiated::new(R::make()).with_subprotocol("chat");
        let ws = WebSocket::new(negotiated, &Config::default());
        assert_eq!(ws.subprotocol(), Some("chat"));
        let (recv_half, send_half) = ws.split();
        assert_eq!(recv_half.subprotocol(), Some("chat"));
        let ws = WebSocket::reunite(recv_half, send_half);
        assert_eq!(ws.subprotocol(), Some("chat"));
    }
    for_both_roles!(check);
}
