//! Control frames (RFC 6455 §5.5).

use crate::common::{
    Frame, Halves, Layer, Log, MessageHalves, Seen, TestRole, for_both_roles, pattern, read_all,
    receive, reserved, run, stream, wire,
};
use core::slice::from_ref;
use ws_proto::frame::Opcode;
use ws_proto::{
    Action, CappedOutput, Config, Connection, Event, Message, ProtocolError, REPLY_ROOM, SendError,
    SliceOutput, State, WebSocket,
};

#[test]
fn ct1_payloads_of_125_bytes_are_received_and_of_126_fail() {
    fn check<R: TestRole>() {
        let reason = "r".repeat(123);
        let legal = [
            (Frame::ping(pattern(125)), Seen::ping(pattern(125))),
            (Frame::pong(pattern(125)), Seen::pong(pattern(125))),
            (Frame::close(1000, &reason), Seen::close(1000, &reason)),
        ];
        for (frame, expected) in legal {
            assert_eq!(receive::<R>(&[frame]).0, [expected]);
        }
        let too_long = [
            Frame::ping(pattern(126)),
            Frame::pong(pattern(126)),
            Frame::close(1000, "r".repeat(124)),
            Frame::ping(pattern(70_000)),
        ];
        for frame in too_long {
            let failed = [Seen::Failed(ProtocolError::ControlTooLong(
                Opcode::new(frame.opcode).unwrap(),
            ))];
            assert_eq!(receive::<R>(from_ref(&frame)).0, failed);
            assert_eq!(
                stream::<R>(&[Frame {
                    payload: vec![],
                    ..frame.declaring(126)
                }])
                .0,
                failed,
                "on the declared length"
            );
        }
    }
    for_both_roles!(check);
}

#[test]
fn ct1_payloads_of_125_bytes_are_sent_and_of_126_refused() {
    fn check<R: TestRole>() {
        let mut ws = WebSocket::new(R::make(), &Config::default());
        let mut out = Vec::new();
        ws.send_ping(&pattern(125), &mut out).unwrap();
        ws.send_pong(&pattern(125), &mut out).unwrap();
        assert_eq!(
            ws.send_ping(&pattern(126), &mut out),
            Err(SendError::ControlTooLong)
        );
        assert_eq!(
            ws.send_pong(&pattern(126), &mut out),
            Err(SendError::ControlTooLong)
        );
        assert_eq!(
            read_all::<R>(&out),
            [Frame::ping(pattern(125)), Frame::pong(pattern(125))]
        );
    }
    for_both_roles!(check);
}

/// CT8: the payload is binary, whatever the message around it is.
#[test]
fn ct3_ct8_a_ping_is_answered_with_the_same_bytes() {
    fn check<R: TestRole>() {
        for len in 0..=125 {
            let payload: Vec<_> = pattern(len).iter().map(|byte| byte ^ 0xff).collect();
            let frames = [
                Frame::text("a").more(),
                Frame::ping(&payload),
                Frame::continuation("b"),
            ];
            let (seen, answers) = receive::<R>(&frames);
            assert_eq!(seen, [Seen::ping(&payload), Seen::text("ab")]);
            assert_eq!(answers, [Frame::pong(&payload)]);
            assert_eq!(stream::<R>(&frames).1, [Frame::pong(&payload)]);
        }
        let not_utf8 = [0xff, 0xc0, 0x80];
        assert_eq!(
            receive::<R>(&[Frame::ping(not_utf8), Frame::pong(not_utf8)]).0,
            [Seen::ping(not_utf8), Seen::pong(not_utf8)]
        );
    }
    for_both_roles!(check);
}

/// U1: the payloads of all control frames stand in one place, and none shows anything of an earlier
/// one, in the event nor in the answer.
#[test]
fn u1_a_control_frame_shows_nothing_of_the_one_before() {
    fn check<R: TestRole>() {
        let lens = [125, 124, 60, 125, 1, 0, 125, 0];
        let pings: Vec<_> = lens
            .into_iter()
            .enumerate()
            .map(|(i, len)| Frame::ping(vec![0xa0 + i as u8; len]))
            .collect();
        for last in [
            Frame::close(4000, ""),
            Frame::close(4000, "r"),
            Frame::empty_close(),
            Frame::new(3, ""),
        ] {
            let (seen, answers) = receive::<R>(&[&pings[..], from_ref(&last)].concat());
            let (close, pongs) = answers.split_last().unwrap();
            assert!(
                pongs.iter().eq(&pings
                    .iter()
                    .map(|ping| Frame::pong(&ping.payload))
                    .collect::<Vec<_>>())
            );
            assert!(
                seen[..8].iter().eq(&pings
                    .iter()
                    .map(|ping| Seen::ping(&ping.payload))
                    .collect::<Vec<_>>())
            );
            let expected: (Seen, &[u8]) = match last.payload.as_slice() {
                [_, _, reason @ ..] => (
                    Seen::close(4000, std::str::from_utf8(reason).unwrap()),
                    &last.payload[..2],
                ),
                _ if last.opcode == 8 => (Seen::Close(None, String::new()), b""),
                _ => (Seen::Failed(reserved(3)), b"\x03\xeareserved opcode"),
            };
            assert_eq!(
                (&seen[8], close.payload.as_slice()),
                (&expected.0, expected.1)
            );
        }
    }
    for_both_roles!(check);
}

/// The Pong is in the output when the event is returned: before the program's response to it, and
/// before later replies.
#[test]
fn ct4_the_pong_is_written_before_the_event_is_given() {
    fn check<R: TestRole>() {
        let mut bytes = wire::<R>(&[Frame::ping("1"), Frame::text("question"), Frame::ping("2")]);
        let mut ws = WebSocket::new(R::make(), &Config::default());
        let mut out = Vec::new();
        let mut input = bytes.as_mut_slice();
        while let Some(message) = ws.recv(&mut input, &mut out) {
            ws.send_text(&format!("{message:?}"), &mut out).unwrap();
        }
        let answer = Frame::text("Text(\"question\")");
        assert_eq!(
            read_all::<R>(&out),
            [
                Frame::pong("1"),
                Frame::text("Ping"),
                answer,
                Frame::pong("2"),
                Frame::text("Ping")
            ]
        );
    }
    for_both_roles!(check);
}

#[test]
fn ct6_a_pong_is_accepted_unasked_and_not_answered() {
    fn check<R: TestRole>() {
        let (seen, answers) =
            receive::<R>(&[Frame::pong("heartbeat"), Frame::pong(""), Frame::text("a")]);
        assert_eq!(
            seen,
            [Seen::pong("heartbeat"), Seen::pong(""), Seen::text("a")]
        );
        assert_eq!(answers, []);
    }
    for_both_roles!(check);
}

/// CL4: frames that the peer sends before its own Close still arrive, and its Pings are answered:
/// only data must not follow our Close.
#[test]
fn ct7_ct3_a_ping_is_answered_until_the_peers_close() {
    fn check<R: TestRole>() {
        let mut ws = WebSocket::new(R::make(), &Config::default());
        let mut out = Vec::new();
        ws.close(crate::common::code(1000), "", &mut out).unwrap();
        let mut bytes = wire::<R>(&[
            Frame::text("late"),
            Frame::ping("p"),
            Frame::close(1000, ""),
            Frame::ping("late"),
        ]);
        let mut input = bytes.as_mut_slice();
        let mut seen = Vec::new();
        while let Some(message) = ws.recv(&mut input, &mut out) {
            seen.push(format!("{message:?}"));
        }
        assert_eq!(
            seen,
            ["Text(\"late\")", "Ping", "Close(Some(CloseCode(1000)))"]
        );
        assert_eq!(
            read_all::<R>(&out),
            [Frame::close(1000, ""), Frame::pong("p")]
        );
    }
    for_both_roles!(check);
}

/// CT3: a Ping after the peer's Close gets no Pong, nor anything else.
#[test]
fn ct3_a_ping_after_the_peers_close_is_not_answered() {
    fn check<R: TestRole>() {
        let (seen, answers) = receive::<R>(&[Frame::close(1000, ""), Frame::ping("late")]);
        assert_eq!(seen, [Seen::close(1000, "")]);
        assert_eq!(answers, [Frame::close(1000, "")]);
    }
    for_both_roles!(check);
}

#[test]
fn ct2_ct3_control_frames_may_be_cut_anywhere() {
    fn check<R: TestRole>() {
        for frame in [
            Frame::ping(pattern(125)),
            Frame::pong(pattern(60)),
            Frame::close(4000, "a reason"),
        ] {
            let bytes = wire::<R>(&[Frame::text("a").more(), frame, Frame::continuation("b")]);
            let whole = run::<R, WebSocket<R>>(&Config::default(), &bytes, &[]);
            for cut in 0..bytes.len() {
                assert_eq!(
                    run::<R, WebSocket<R>>(&Config::default(), &bytes, &[cut, cut + 3]),
                    whole
                );
            }
        }
    }
    for_both_roles!(check);
}

/// FG3, L6: no byte of a control frame gets into the message around it, though that has memory to
/// spare, and however few bytes arrive at a time.
#[test]
fn ct2_fg3_a_control_frame_in_tiny_reads_leaves_the_message_alone() {
    fn check<R: TestRole>() {
        for opcode in [1, 2] {
            for control in [
                Frame::ping("control"),
                Frame::pong("control"),
                Frame::close(1000, "control"),
            ] {
                let bytes = wire::<R>(&[
                    // The second fragment makes the memory grow by more than it needs.
                    Frame::new(opcode, "x".repeat(50)).more(),
                    Frame::continuation("y").more(),
                    control,
                    Frame::continuation("z"),
                ]);
                let whole = run::<R, WebSocket<R>>(&Config::default(), &bytes, &[]);
                for read in 1..10 {
                    let cuts: Vec<_> = (0..bytes.len()).step_by(read).collect();
                    assert_eq!(
                        run::<R, WebSocket<R>>(&Config::default(), &bytes, &cuts),
                        whole,
                        "in reads of {read}"
                    );
                }
            }
        }
    }
    for_both_roles!(check);
}

/// O1, SE9: nothing is queued inside. While the output has no room for a reply, nothing after its
/// Ping is received; then every Ping is answered, in order.
#[test]
fn ct9_o1_a_flood_of_pings_waits_for_a_blocked_writer() {
    fn check<R: TestRole>() {
        let pings: Vec<_> = (0..1000_u32)
            .map(|number| Frame::ping([&number.to_be_bytes()[..], &pattern(121)].concat()))
            .collect();
        let mut bytes = wire::<R>(&pings);
        let mut ws = WebSocket::new(R::make(), &Config::default());
        let (mut out, mut written) = (Vec::new(), Vec::new());
        let mut input = bytes.as_mut_slice();
        let mut pauses = 0;
        while !input.is_empty() || ws.is_paused() {
            let cap = 3 * REPLY_ROOM + 7;
            let mut events = 0;
            while ws
                .recv(&mut input, &mut CappedOutput::new(&mut out, cap))
                .is_some()
            {
                events += 1;
            }
            assert!(out.len() <= cap && events <= 3, "{events} events");
            // However often it is called, it consumes nothing more.
            let left = input.len();
            assert_eq!(ws.is_paused(), left > 0 || cap - out.len() < needed::<R>());
            if ws.is_paused() {
                pauses += 1;
                assert!(
                    ws.recv(&mut input, &mut CappedOutput::new(&mut out, cap))
                        .is_none()
                );
                assert_eq!((input.len(), ws.is_paused()), (left, true));
            }
            written.append(&mut out);
        }
        assert_eq!(pauses, 333);
        let pongs: Vec<_> = pings
            .into_iter()
            .map(|ping| Frame::pong(ping.payload))
            .collect();
        assert_eq!(read_all::<R>(&written), pongs);
    }
    for_both_roles!(check);
}

/// The room that the Pong to a Ping of 125 bytes needs.
fn needed<R: TestRole>() -> usize {
    REPLY_ROOM - if R::MASKS { 0 } else { 4 }
}

/// CT5: for halves, at most one reply is owed, and it is owed until it is taken, whatever comes: a
/// newer Pong takes the place of an older one. No reply is made of the payload of another frame,
/// nor of one that is still coming.
#[test]
fn ct5_ct3_ct9_a_reply_is_owed_until_it_is_taken() {
    fn check<R: TestRole>() {
        let rest = [
            Frame::ping("second"),
            Frame::pong("second"),
            Frame::close(1000, "second"),
            Frame::text("second"),
            Frame::new(3, ""),
        ];
        for next in rest {
            let mut first = wire::<R>(&[Frame::ping("first")]);
            let mut second = wire::<R>(&[next.clone(), Frame::text("after"), Frame::pong("after")]);
            let (mut receiver, mut sender) = Connection::new(R::make(), &Config::default()).split();
            assert_eq!(receiver.recv(&mut first.as_mut_slice()), Some(Event::Ping));
            // The natural loop: all that came, then the reply. Byte by byte, and never asked in
            // between.
            for mut input in second.chunks_mut(1) {
                while receiver.recv(&mut input).is_some() {}
            }
            let mut out = Vec::new();
            sender
                .reply(&receiver.take_reply().unwrap(), &mut out)
                .unwrap();
            let answer = read_all::<R>(&out).pop().unwrap();
            match next.opcode {
                9 => assert_eq!(answer, Frame::pong("second")),
                8 => assert_eq!(answer, Frame::close(1000, "")),
                3 => assert_eq!(answer.payload[..2], 1002_u16.to_be_bytes()),
                _ => assert_eq!(answer, Frame::pong("first")),
            }
            assert_eq!(receiver.take_reply(), None, "once");
        }
    }
    for_both_roles!(check);
}

/// That for complete messages, some of which are received on the fast path: it neither produces a
/// stale reply nor loses one.
#[test]
fn ct5_ct9_a_reply_is_owed_over_whole_messages() {
    fn check<R: TestRole>() {
        let mut bytes = wire::<R>(&[
            Frame::ping("p"),
            Frame::text("whole"),
            Frame::text("in ").more(),
            Frame::continuation("two"),
            Frame::pong("q"),
        ]);
        let (mut receiver, _) = WebSocket::new(R::make(), &Config::default()).split();
        let mut input = bytes.as_mut_slice();
        let mut messages = 0;
        while receiver.recv(&mut input).is_some() {
            messages += 1;
        }
        assert_eq!((messages, receiver.control_payload()), (4, &b"q"[..]));
        assert!(receiver.take_reply().is_some());
        let mut more = wire::<R>(&[Frame::text("whole"), Frame::text("whole")]);
        let mut input = more.as_mut_slice();
        while receiver.recv(&mut input).is_some() {
            assert_eq!(receiver.take_reply(), None);
        }
    }
    for_both_roles!(check);
}

/// CT9, O1: 200,000 Pings whose answers are never written need only one answer.
#[test]
fn ct9_o1_se9_a_flood_of_pings_to_halves_owes_one_reply() {
    fn check<R: TestRole>() {
        let pings = wire::<R>(&vec![Frame::ping(""); 1000]);
        let (mut receiver, mut sender) = WebSocket::new(R::make(), &Config::default()).split();
        let info = allocation_counter::measure(|| {
            let mut bytes = [0; 8000];
            for _ in 0..200 {
                let bytes = &mut bytes[..pings.len()];
                bytes.copy_from_slice(&pings);
                let mut input = bytes;
                while receiver.recv(&mut input).is_some() {}
            }
        });
        assert_eq!(info.count_total, 0);
        let mut out = Vec::new();
        sender
            .reply(&receiver.take_reply().unwrap(), &mut out)
            .unwrap();
        assert_eq!(read_all::<R>(&out), [Frame::pong("")]);
        assert_eq!(receiver.received().frames, 200_000);
    }
    for_both_roles!(check);
}

/// `auto_pong(false)`: no Ping is answered, in any layer, and the caller may, also after their own
/// Close.
#[test]
fn ct3_ct7_without_automatic_pongs_the_caller_answers() {
    fn check<R: TestRole>() {
        let config = Config::default().with_auto_pong(false);
        let bytes = wire::<R>(&[Frame::ping("p"), Frame::text("a")]);
        let answers = [
            run::<R, Connection<R>>(&config, &bytes, &[]).out,
            run::<R, WebSocket<R>>(&config, &bytes, &[]).out,
            run::<R, Halves<R>>(&config, &bytes, &[]).out,
            run::<R, MessageHalves<R>>(&config, &bytes, &[]).out,
        ];
        assert_eq!(answers, [const { Vec::<u8>::new() }; 4]);

        let mut ws = WebSocket::new(R::make(), &config);
        let mut out = Vec::new();
        for closed in [false, true] {
            if closed {
                ws.close_without_code(&mut out).unwrap();
            }
            let (mut bytes, mut none) = (bytes.clone(), SliceOutput::new(&mut []));
            assert_eq!(
                ws.recv(&mut bytes.as_mut_slice(), &mut none),
                Some(Message::Ping)
            );
            let payload = ws.control_payload().to_vec();
            ws.send_pong(&payload, &mut out).unwrap();
        }
        assert_eq!(
            read_all::<R>(&out),
            [Frame::pong("p"), Frame::empty_close(), Frame::pong("p")]
        );
        // A Close and a failure are still answered.
        assert_eq!(
            read_all::<R>(
                &run::<R, WebSocket<R>>(&config, &wire::<R>(&[Frame::close(1000, "")]), &[]).out
            ),
            [Frame::close(1000, "")]
        );
    }
    for_both_roles!(check);
}

/// A reply can wait for room: `Full` changes nothing.
#[test]
fn ct3_a_reply_that_found_no_room_can_be_repeated() {
    fn check<R: TestRole>() {
        let (mut receiver, mut sender) = Connection::new(R::make(), &Config::default()).split();
        for frame in [Frame::ping(pattern(125)), Frame::close(1000, "")] {
            assert!(
                receiver
                    .recv(&mut wire::<R>(from_ref(&frame)).as_mut_slice())
                    .is_some()
            );
            let reply = receiver.take_reply().unwrap();
            let mut out = Vec::new();
            let before = (
                sender.state(),
                sender.next_action(),
                sender.close_sent(),
                sender.sent(),
            );
            let Err(SendError::OutputFull { needed }) =
                sender.reply(&reply, &mut CappedOutput::new(&mut out, 3))
            else {
                panic!("no room")
            };
            assert_eq!(
                (
                    sender.state(),
                    sender.next_action(),
                    sender.close_sent(),
                    sender.sent()
                ),
                before
            );
            assert!(out.is_empty());
            sender
                .reply(&reply, &mut CappedOutput::new(&mut out, needed))
                .unwrap();
            assert_eq!(read_all::<R>(&out).len(), 1);
            assert_eq!(out.len(), needed);
        }
    }
    for_both_roles!(check);
}

/// The payload is kept until the next control frame: messages in between do not change it.
#[test]
fn ct8_the_payload_of_the_last_control_frame_is_kept() {
    fn check<R: TestRole>() {
        let frames = [
            Frame::ping("kept"),
            Frame::text("whole"),
            Frame::text("in ").more(),
            Frame::continuation("pieces"),
        ];
        let bytes = wire::<R>(&frames);
        for cuts in [vec![], (0..bytes.len()).collect()] {
            assert_eq!(
                run::<R, WebSocket<R>>(&Config::default(), &bytes, &cuts)
                    .ended
                    .control_payload,
                b"kept"
            );
            assert_eq!(
                run::<R, Connection<R>>(&Config::default(), &bytes, &cuts)
                    .ended
                    .control_payload,
                b"kept"
            );
        }
    }
    for_both_roles!(check);
}

/// The halves, when each reply is handed over at once, answer as the connection does.
#[test]
fn ct3_halves_answer_as_the_whole_does() {
    fn check<R: TestRole>() {
        let bytes = wire::<R>(&[
            Frame::ping("1"),
            Frame::text("a"),
            Frame::pong("2"),
            Frame::ping("3"),
            Frame::close(1000, "bye"),
        ]);
        let whole = run::<R, Connection<R>>(&Config::default(), &bytes, &[]);
        assert_eq!(
            read_all::<R>(&whole.out),
            [Frame::pong("1"), Frame::pong("3"), Frame::close(1000, "")]
        );
        assert_eq!(
            run::<R, Halves<R>>(&Config::default(), &bytes, &[]).out,
            whole.out
        );
        assert_eq!(
            run::<R, MessageHalves<R>>(&Config::default(), &bytes, &[]).out,
            whole.out
        );
    }
    for_both_roles!(check);
}

/// O1: the event whose reply has no room waits, and `is_paused` indicates it, also when the input
/// was consumed. With room for the reply, to the byte, it is returned.
#[test]
fn o1_a_reply_waits_for_its_room() {
    fn check<R: TestRole>() {
        let replies = [
            (
                Frame::ping(pattern(125)),
                Seen::ping(pattern(125)),
                needed::<R>(),
            ),
            (Frame::ping(""), Seen::ping(""), needed::<R>() - 125),
            (
                Frame::close(1000, "bye"),
                Seen::close(1000, "bye"),
                needed::<R>() - 123,
            ),
            (
                Frame::new(3, ""),
                Seen::Failed(reserved(3)),
                needed::<R>() - 125 + 2 + "reserved opcode".len(),
            ),
        ];
        for (frame, event, needed) in replies {
            for more in [vec![], wire::<R>(&[Frame::text("after")])] {
                let mut bytes = [wire::<R>(from_ref(&frame)), more.clone()].concat();
                let mut ws = WebSocket::new(R::make(), &Config::default());
                let mut out = Vec::new();
                let mut input = bytes.as_mut_slice();
                for room in [0, needed - 1, needed - 1] {
                    assert_eq!(
                        ws.recv(&mut input, &mut CappedOutput::new(&mut out, room)),
                        None
                    );
                    assert!(
                        ws.is_paused() && out.is_empty() && input.len() >= more.len(),
                        "nothing after it is received"
                    );
                    assert_eq!(
                        (ws.state(), ws.next_action()),
                        (State::Open, Action::Continue)
                    );
                }
                let mut log = Log::default();
                // Also with an empty input.
                let got = ws.recv(&mut &mut [][..], &mut CappedOutput::new(&mut out, needed));
                assert!(got.is_some() && !ws.is_paused());
                assert_eq!((read_all::<R>(&out).len(), out.len()), (1, needed));
                let seen = match got {
                    Some(Message::Ping) => Seen::ping(ws.control_payload()),
                    Some(Message::Close(code)) => Seen::Close(
                        code.map(u16::from),
                        ws.close_received().unwrap().reason.into(),
                    ),
                    Some(Message::Failed(error)) => Seen::Failed(error),
                    other => panic!("{other:?}"),
                };
                assert_eq!(seen, event);
                ws.recv_all(input, &mut log);
                let goes_on = frame.opcode == 9 && !more.is_empty();
                assert_eq!(
                    log.seen,
                    if goes_on {
                        vec![Seen::text("after")]
                    } else {
                        vec![]
                    }
                );
            }
        }
        assert_eq!(needed::<R>(), REPLY_ROOM - if R::MASKS { 0 } else { 4 });
    }
    for_both_roles!(check);
}

/// A full output hides nothing that needs no reply: messages and Pongs of a peer that is alive and
/// slow are received.
#[test]
fn o1_ct6_a_full_output_stops_only_at_what_must_be_answered() {
    fn check<R: TestRole>() {
        let frames = [
            Frame::text("one"),
            Frame::pong("alive"),
            Frame::binary("t").more(),
            Frame::continuation("wo"),
            Frame::ping("p"),
            Frame::text("after"),
        ];
        let mut bytes = wire::<R>(&frames);
        let mut ws = WebSocket::new(R::make(), &Config::default());
        let mut input = bytes.as_mut_slice();
        let mut seen = Vec::new();
        while let Some(message) = ws.recv(&mut input, &mut SliceOutput::new(&mut [])) {
            seen.push(message.into_owned());
        }
        assert_eq!(
            seen,
            [
                Message::Text("one".into()),
                Message::Pong,
                Message::Binary(b"two"[..].into())
            ]
        );
        assert!(ws.is_paused());
        assert_eq!(input.len(), wire::<R>(&frames[5..]).len());
    }
    for_both_roles!(check);
}

/// Halves of a connection that is paused owe the reply.
#[test]
fn o1_ct5_a_paused_connection_can_be_split() {
    fn check<R: TestRole>() {
        let mut ws = WebSocket::new(R::make(), &Config::default());
        assert_eq!(
            ws.recv(
                &mut wire::<R>(&[Frame::ping("p")]).as_mut_slice(),
                &mut SliceOutput::new(&mut [])
            ),
            None
        );
        let (mut receiver, mut sender) = ws.split();
        assert_eq!(receiver.recv(&mut &mut [][..]), Some(Message::Ping));
        let mut out = Vec::new();
        sender
            .reply(&receiver.take_reply().unwrap(), &mut out)
            .unwrap();
        assert_eq!(read_all::<R>(&out), [Frame::pong("p")]);
    }
    for_both_roles!(check);
}
