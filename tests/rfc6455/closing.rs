//! Closing (RFC 6455 §5.5.1, §7).

use crate::common::model::is_legal_on_the_wire;
use crate::common::{
    Ended, Frame, Halves, Layer, Log, MessageHalves, Seen, TestRole, code, for_both_roles,
    read_all, receive, reserved, run, stream, wire,
};
use core::slice::from_ref;
use ws_proto::frame::Opcode;
use ws_proto::{
    Action, Client, Close, CloseCode, Config, Connection, Endpoint, Message, MessageKind,
    ProtocolError, SendError, Server, State, WebSocket,
};

/// A connection, and all that it gave and wrote.
struct Peer<R> {
    ws: WebSocket<R>,
    log: Log,
}

impl<R: TestRole> Peer<R> {
    fn new() -> Self {
        Self {
            ws: WebSocket::new(R::make(), &Config::default()),
            log: Log::default(),
        }
    }

    fn receives(&mut self, frame: Frame) {
        self.ws.recv_all(&mut wire::<R>(&[frame]), &mut self.log);
    }

    fn closes(&mut self, code: impl Into<Option<CloseCode>>, reason: &str) {
        match code.into() {
            Some(code) => self.ws.close(code, reason, &mut self.log.out),
            None => self.ws.close_without_code(&mut self.log.out),
        }
        .unwrap();
    }

    fn wrote(&self) -> Vec<Frame> {
        read_all::<R>(&self.log.out)
    }

    #[track_caller]
    fn is(&self, state: State, transport: Action) {
        assert_eq!((self.ws.state(), self.ws.next_action()), (state, transport));
    }

    /// Who began, and whether Close frames went both ways.
    #[track_caller]
    fn ended(&self, by: Endpoint, clean: bool) -> Ended {
        let ended = self.ws.ended();
        assert_eq!((ended.by, ended.clean), (Some(by), clean));
        ended
    }
}

/// CL10, CL11: once both Close frames are through, the server closes the transport at once, and the
/// client waits for that.
fn handshake_done<R: TestRole>() -> Action {
    if R::MASKS {
        Action::AwaitClose
    } else {
        Action::CloseTransport
    }
}

// The body of a Close frame.

#[test]
fn cl1_a_close_body_of_one_byte_fails() {
    fn check<R: TestRole>() {
        for byte in [0, 3, 0xff] {
            let (seen, answers) = receive::<R>(&[Frame::new(8, [byte])]);
            assert_eq!(seen, [Seen::Failed(ProtocolError::InvalidCloseBody)]);
            assert_eq!(answers[0].payload[..2], 1002_u16.to_be_bytes());
        }
        assert_eq!(
            receive::<R>(&[Frame::close(1000, "")]).0,
            [Seen::close(1000, "")]
        );
        assert_eq!(
            receive::<R>(&[Frame::close(1000, "r")]).0,
            [Seen::close(1000, "r")]
        );
    }
    for_both_roles!(check);
}

/// CL6: and echoed, if it may be on the wire.
#[test]
fn cl2_cl3_every_status_code_is_received_or_fails() {
    fn check<R: TestRole>() {
        for number in 0..=u16::MAX {
            let (seen, answers) = stream::<R>(&[Frame::close(number, "r")]);
            let [close] = answers.as_slice() else {
                panic!("one answer to {number}: {answers:?}")
            };
            if is_legal_on_the_wire(number) {
                assert_eq!(seen, [Seen::close(number, "r")]);
                assert_eq!(close, &Frame::close(number, ""));
            } else {
                assert_eq!(
                    seen,
                    [Seen::Failed(ProtocolError::InvalidCloseCode(number))]
                );
                assert_eq!(close.payload[..2], 1002_u16.to_be_bytes());
            }
        }
    }
    for_both_roles!(check);
}

/// A code that cannot be built cannot be sent.
#[test]
fn cl3_a_status_code_that_may_not_be_sent_cannot_be_built() {
    for number in 0..=u16::MAX {
        let code = CloseCode::new(number);
        assert_eq!(
            code.map(u16::from),
            is_legal_on_the_wire(number).then_some(number)
        );
        // CL21: the codes that a browser's `close` accepts.
        let for_applications = number == 1000 || (3000..5000).contains(&number);
        assert_eq!(
            code.is_some_and(CloseCode::is_for_applications),
            for_applications,
            "{number}"
        );
    }
    let names = [
        (CloseCode::NORMAL, 1000),
        (CloseCode::GOING_AWAY, 1001),
        (CloseCode::PROTOCOL_ERROR, 1002),
        (CloseCode::UNSUPPORTED_DATA, 1003),
        (CloseCode::INVALID_PAYLOAD, 1007),
        (CloseCode::POLICY_VIOLATION, 1008),
        (CloseCode::MESSAGE_TOO_BIG, 1009),
        (CloseCode::MANDATORY_EXTENSION, 1010),
        (CloseCode::INTERNAL_ERROR, 1011),
        (CloseCode::SERVICE_RESTART, 1012),
        (CloseCode::TRY_AGAIN_LATER, 1013),
        (CloseCode::BAD_GATEWAY, 1014),
    ];
    for (code, number) in names {
        assert_eq!(
            (u16::from(code), code.to_string()),
            (number, number.to_string())
        );
    }
}

/// U1: memory after the reason is not sent.
#[test]
fn cl9_u2_reasons_are_cut_to_123_bytes_before_a_character_that_does_not_fit() {
    fn check<R: TestRole>() {
        for character in ["x", "\u{e9}", "\u{20ac}", "\u{1f600}"] {
            for before in 0..130 {
                let reason = "r".repeat(before) + &character.repeat(60);
                let expected: String = reason
                    .char_indices()
                    .take_while(|(start, character)| start + character.len_utf8() <= 123)
                    .map(|(_, character)| character)
                    .collect();
                for (number, failing) in [(1000, false), (1008, true)] {
                    let mut peer = Peer::<R>::new();
                    if failing {
                        peer.ws
                            .fail(code(number), &reason, &mut peer.log.out)
                            .unwrap();
                    } else {
                        peer.closes(code(number), &reason);
                    }
                    assert_eq!(
                        peer.wrote(),
                        [Frame::close(number, &expected)],
                        "{before} before {character}"
                    );
                }
            }
        }
    }
    for_both_roles!(check);
}

/// The reason is kept until the connection is dropped, and it is a value: the code 1005 of §7.1.5
/// is `None`.
#[test]
fn cl9_cl7_what_the_close_said_is_kept() {
    fn check<R: TestRole>() {
        let mut peer = Peer::<R>::new();
        assert_eq!((peer.ws.close_received(), peer.ws.outcome()), (None, None));
        peer.receives(Frame::close(4000, "caf\u{e9}"));
        peer.receives(Frame::ping("discarded"));
        peer.ws.recv_eof();
        assert_eq!(
            peer.ws.close_received(),
            Some(Close {
                code: Some(code(4000)),
                reason: "caf\u{e9}"
            })
        );
        assert_eq!(
            peer.ws.outcome().unwrap().received,
            peer.ws.close_received()
        );

        let mut peer = Peer::<R>::new();
        peer.receives(Frame::empty_close());
        assert_eq!(
            peer.ws.close_received(),
            Some(Close {
                code: None,
                reason: ""
            })
        );
        assert_eq!(
            peer.wrote(),
            [Frame::empty_close()],
            "CL7: an empty Close is answered with an empty one"
        );
        assert_eq!(peer.ws.close_sent().map(|close| close.code), Some(None));
        assert!(peer.ended(Endpoint::Peer, true).error.is_none());
    }
    for_both_roles!(check);
}

// The closing handshake, step by step: what to do with the transport, and the states of §7.1.3 and
// §7.1.4.

#[test]
fn cl6_cl10_cl11_cl13_cl14_the_peer_closes() {
    fn check<R: TestRole>() {
        let mut peer = Peer::<R>::new();
        peer.is(State::Open, Action::Continue);
        peer.receives(Frame::close(4001, "done"));
        assert_eq!(peer.wrote(), [Frame::close(4001, "")]);
        peer.is(State::Closing, handshake_done::<R>());
        let ended = peer.ended(Endpoint::Peer, true);
        assert_eq!(ended.close_sent, Some(Some(code(4001))));
        peer.ws.recv_eof();
        peer.is(State::Closed, Action::CloseTransport);
        let closed = peer.ended(Endpoint::Peer, true);
        assert_eq!(
            (closed.close_received, closed.close_sent),
            (ended.close_received, ended.close_sent)
        );
    }
    for_both_roles!(check);
}

/// CL12: `AwaitClose` is to read on, `CloseTransport` to be done.
#[test]
fn cl10_cl12_cl13_we_close_and_the_peer_answers() {
    fn check<R: TestRole>() {
        let mut peer = Peer::<R>::new();
        peer.closes(CloseCode::GOING_AWAY, "bye");
        peer.is(State::Closing, Action::AwaitClose);
        assert!(peer.ended(Endpoint::Local, false).close_received.is_none());
        peer.receives(Frame::text("before its Close"));
        peer.is(State::Closing, Action::AwaitClose);
        peer.receives(Frame::close(1001, ""));
        peer.is(State::Closing, handshake_done::<R>());
        peer.ended(Endpoint::Local, true);
        peer.ws.recv_eof();
        peer.is(State::Closed, Action::CloseTransport);
        peer.ended(Endpoint::Local, true);
        assert_eq!(
            peer.wrote(),
            [Frame::close(1001, "bye")],
            "one Close, and no other frame"
        );
        assert_eq!(
            peer.log.seen,
            [Seen::text("before its Close"), Seen::close(1001, "")]
        );
    }
    for_both_roles!(check);
}

/// Each side has sent its Close before it sees the other's, and sees the other's code.
#[test]
fn cl17_both_close_at_the_same_time() {
    let mut server = Peer::<Server>::new();
    let mut client = Peer::<Client>::new();
    server.closes(code(4000), "");
    client.closes(code(4001), "");
    server
        .ws
        .recv_all(&mut client.log.out.clone(), &mut server.log);
    client
        .ws
        .recv_all(&mut server.log.out.clone(), &mut client.log);
    server.is(State::Closing, Action::CloseTransport);
    client.is(State::Closing, Action::AwaitClose);
    let (server_ended, client_ended) = (
        server.ended(Endpoint::Local, true),
        client.ended(Endpoint::Local, true),
    );
    assert_eq!(
        (server_ended.close_received, server_ended.close_sent),
        (Some((Some(4001), String::new())), Some(Some(code(4000))))
    );
    assert_eq!(
        (client_ended.close_received, client_ended.close_sent),
        (Some((Some(4000), String::new())), Some(Some(code(4001))))
    );
    assert_eq!((server.wrote().len(), client.wrote().len()), (1, 1));
}

/// CL8: which §7.1.5 calls 1006, and which is `None` here.
#[test]
fn cl8_the_stream_ends_without_a_close() {
    fn check<R: TestRole>() {
        // At every point of a message and of a Close frame.
        let bytes = wire::<R>(&[
            Frame::text("a").more(),
            Frame::ping("p"),
            Frame::continuation("b"),
            Frame::close(1000, "r"),
        ]);
        for end in 0..bytes.len() {
            let mut peer = Peer::<R>::new();
            peer.ws.recv_all(&mut bytes[..end].to_vec(), &mut peer.log);
            peer.is(State::Open, Action::Continue);
            peer.ws.recv_eof();
            peer.is(State::Closed, Action::CloseTransport);
            let ended = peer.ended(Endpoint::Peer, false);
            assert_eq!(
                (
                    ended.close_received,
                    ended.close_sent,
                    ended.error,
                    ended.payload_left
                ),
                (None, None, None, 0)
            );
            // Neither more input nor a second end changes anything.
            let before = (peer.ws.ended(), peer.log.clone());
            peer.ws.recv_all(&mut bytes[end..].to_vec(), &mut peer.log);
            peer.ws.recv_eof();
            assert!((peer.ws.ended(), peer.log.clone()) == before);
            assert_eq!(
                peer.ws.send_text("late", &mut peer.log.out),
                Err(SendError::Closed)
            );
            assert_eq!(
                peer.ws.close_without_code(&mut peer.log.out),
                Err(SendError::Closed)
            );
        }
    }
    for_both_roles!(check);
}

/// A stream that ends after our Close, and before the peer's.
#[test]
fn cl8_cl14_the_stream_ends_while_we_wait_for_the_peers_close() {
    fn check<R: TestRole>() {
        let mut peer = Peer::<R>::new();
        peer.closes(CloseCode::NORMAL, "");
        peer.ws.recv_eof();
        peer.is(State::Closed, Action::CloseTransport);
        let ended = peer.ended(Endpoint::Local, false);
        assert_eq!(
            (ended.close_received, ended.close_sent),
            (None, Some(Some(CloseCode::NORMAL)))
        );
    }
    for_both_roles!(check);
}

// Failing.

/// CL16 is the handshake's: here the connection is established, so that a Close is sent (SE2).
#[test]
fn cl15_cl16_a_violation_fails_the_connection_with_the_fitting_code() {
    fn check<R: TestRole>() {
        let mut peer = Peer::<R>::new();
        peer.receives(Frame::text("fine"));
        peer.receives(Frame::new(3, ""));
        assert_eq!(
            peer.log.seen,
            [Seen::text("fine"), Seen::Failed(reserved(3))]
        );
        peer.is(State::Closing, Action::CloseTransport);
        let ended = peer.ended(Endpoint::Local, false);
        assert_eq!(
            (ended.error, ended.close_received),
            (Some(reserved(3)), None)
        );
        assert_eq!(ended.close_sent, Some(Some(CloseCode::PROTOCOL_ERROR)));
        let [close] = peer.wrote().try_into().unwrap();
        assert_eq!(
            close.payload,
            [&1002_u16.to_be_bytes(), "reserved opcode".as_bytes()].concat()
        );
        peer.ws.recv_eof();
        peer.is(State::Closed, Action::CloseTransport);
        assert_eq!(peer.ended(Endpoint::Local, false).error, Some(reserved(3)));
    }
    for_both_roles!(check);
}

/// P2: not one event more, nor one byte. CL15: "process nothing more".
#[test]
fn p2_cl15_after_a_failure_nothing_is_received() {
    fn check<R: TestRole>() {
        let behind = [
            Frame::text("late"),
            Frame::ping("late"),
            Frame::close(1000, "late"),
            Frame::new(3, "late"),
        ];
        let violations = [
            Frame::new(3, "x"),
            Frame::text("\u{e9}\u{e9}").declaring(3),
            Frame::text([b'a', 0xff, b'b']),
            Frame::close(1005, ""),
            Frame::ping("x").more(),
            Frame::continuation("x"),
            Frame::binary("").declaring(1 << 40),
        ];
        for violation in violations {
            let alone =
                run::<R, WebSocket<R>>(&Config::default(), &wire::<R>(from_ref(&violation)), &[]);
            assert!(
                matches!(alone.seen.as_slice(), [Seen::Failed(_)]),
                "{violation:?}"
            );
            let followed = wire::<R>(&[vec![violation], behind.to_vec()].concat());
            let followed = run::<R, WebSocket<R>>(
                &Config::default(),
                &followed,
                &(0..followed.len()).step_by(3).collect::<Vec<_>>(),
            );
            assert_eq!((followed.seen, followed.out), (alone.seen, alone.out));
        }
    }
    for_both_roles!(check);
}

/// CL5, CL18: data, Pings, a second Close, and violations.
#[test]
fn p3_cl5_cl18_after_the_peers_close_everything_is_discarded() {
    fn check<R: TestRole>() {
        let close = Frame::close(1000, "first");
        for late in [
            Frame::text("late"),
            Frame::ping("late"),
            Frame::close(1001, "second"),
            Frame::new(3, "late"),
            Frame::text([0xff]),
        ] {
            let (seen, answers) = receive::<R>(&[close.clone(), late.clone(), late.clone()]);
            assert_eq!(seen, [Seen::close(1000, "first")]);
            assert_eq!(answers, [Frame::close(1000, "")]);
            // Also if ours was first.
            let mut peer = Peer::<R>::new();
            peer.closes(code(3000), "");
            [&close, &late]
                .into_iter()
                .for_each(|frame| peer.receives(frame.clone()));
            assert_eq!(peer.log.seen, [Seen::close(1000, "first")]);
            assert_eq!(peer.wrote(), [Frame::close(3000, "")]);
            assert_eq!(peer.ended(Endpoint::Local, true).error, None);
        }
    }
    for_both_roles!(check);
}

/// O3: whatever arrives, in whatever state, at most one Close is written, and nothing after it but
/// Pongs until the peer's Close.
#[test]
fn o3_a_connection_writes_one_close() {
    fn check<R: TestRole>() {
        let steps = [
            Frame::ping("p"),
            Frame::close(1000, "one"),
            Frame::close(1001, "two"),
            Frame::new(3, ""),
            Frame::text([0xff]),
            Frame::new(8, "x"),
        ];
        for first in &steps {
            for second in &steps {
                for third in &steps {
                    for we_close in 0..4 {
                        let mut peer = Peer::<R>::new();
                        for (at, frame) in [first, second, third].into_iter().enumerate() {
                            if at == we_close {
                                _ = peer.ws.close(code(3000), "", &mut peer.log.out);
                            }
                            peer.receives(frame.clone());
                        }
                        let wrote = peer.wrote();
                        let closes = wrote.iter().filter(|frame| frame.opcode == 8).count();
                        let after = wrote.iter().skip_while(|frame| frame.opcode != 8).skip(1);
                        let pings_after_ours = [first, second, third]
                            .into_iter()
                            .skip(we_close)
                            .take_while(|frame| frame.opcode == 9);
                        let answered_first = if closes == 1
                            && wrote
                                .iter()
                                .any(|frame| frame.payload.starts_with(&[0x0b, 0xb8]))
                        {
                            pings_after_ours.count()
                        } else {
                            0
                        };
                        assert!(
                            closes <= 1 && after.clone().all(|frame| *frame == Frame::pong("p")),
                            "{wrote:?}"
                        );
                        assert_eq!(after.count(), answered_first, "{wrote:?}");
                        assert_eq!(closes == 1, peer.ws.close_sent().is_some());
                    }
                }
            }
        }
    }
    for_both_roles!(check);
}

/// A violation while we wait for the peer's Close: no second one is sent, and there is nothing left
/// to wait for.
#[test]
fn cl15_o3_a_violation_after_our_close_ends_the_wait() {
    fn check<R: TestRole>() {
        let mut peer = Peer::<R>::new();
        peer.closes(CloseCode::NORMAL, "");
        peer.receives(Frame::new(3, ""));
        peer.is(State::Closing, Action::CloseTransport);
        let ended = peer.ended(Endpoint::Local, false);
        assert_eq!(
            (ended.error, ended.close_sent),
            (Some(reserved(3)), Some(Some(CloseCode::NORMAL)))
        );
        assert_eq!(peer.wrote(), [Frame::close(1000, "")]);
    }
    for_both_roles!(check);
}

/// The joined halves report the peer's action, also if the sender was never notified: CL14, unclean
/// without our Close. And a reply that is owed is not lost: the event is returned again, with the
/// answer.
#[test]
fn cl6_cl14_halves_put_together_know_what_the_receiver_knows() {
    fn check<R: TestRole>() {
        for frame in [Frame::close(4000, "bye"), Frame::new(3, "")] {
            let is_close = frame.opcode == 8;
            for taken in [false, true] {
                let bytes = wire::<R>(from_ref(&frame));
                let outcome = |outcome: Option<ws_proto::Outcome<'_>>| {
                    let outcome = outcome.unwrap();
                    let received = is_close.then(|| Close {
                        code: CloseCode::new(4000),
                        reason: "bye",
                    });
                    let by = if is_close {
                        Endpoint::Peer
                    } else {
                        Endpoint::Local
                    };
                    assert_eq!(
                        (outcome.by, outcome.received, outcome.sent, outcome.clean),
                        (by, received, None, false)
                    );
                    assert_eq!(outcome.error, (!is_close).then(|| reserved(3)));
                };

                let (mut receiver, sender) = Connection::new(R::make(), &Config::default()).split();
                assert!(receiver.recv(&mut bytes.clone().as_mut_slice()).is_some());
                assert!(!taken || receiver.take_reply().is_some());
                let mut whole = Connection::reunite(receiver, sender);
                outcome(whole.outcome());
                let mut log = Log::default();
                whole.recv_all(&mut [], &mut log);
                assert_eq!(read_all::<R>(&log.out).len(), 1);
                assert_eq!(whole.outcome().unwrap().clean, is_close);

                let (mut receiver, sender) = WebSocket::new(R::make(), &Config::default()).split();
                assert!(receiver.recv(&mut bytes.clone().as_mut_slice()).is_some());
                assert!(!taken || receiver.take_reply().is_some());
                let mut whole = WebSocket::reunite(receiver, sender);
                outcome(whole.outcome());
                let mut log = Log::default();
                whole.recv_all(&mut [], &mut log);
                assert_eq!(
                    log.seen,
                    if is_close {
                        [Seen::close(4000, "bye")]
                    } else {
                        [Seen::Failed(reserved(3))]
                    }
                );
                assert_eq!(read_all::<R>(&log.out).len(), 1);
                assert_eq!(
                    (whole.state(), whole.next_action()),
                    (
                        State::Closing,
                        if is_close {
                            handshake_done::<R>()
                        } else {
                            Action::CloseTransport
                        }
                    )
                );
            }
        }
        // The end of the stream, of which the sender was not notified.
        let (mut receiver, sender) = WebSocket::new(R::make(), &Config::default()).split();
        receiver.recv_eof();
        let outcome = WebSocket::reunite(receiver, sender);
        let outcome = outcome.outcome().unwrap();
        assert_eq!(
            (outcome.by, outcome.received, outcome.clean),
            (Endpoint::Peer, None, false)
        );
        // The knowledge of the sender: it failed the connection, or was notified of the end of the
        // stream, so that all further input is discarded.
        for fails in [true, false] {
            let (receiver, mut sender) = WebSocket::new(R::make(), &Config::default()).split();
            let mut out = Vec::new();
            if fails {
                sender.fail(code(1008), "", &mut out).unwrap();
            } else {
                sender.transport_ended();
            }
            let written = out.len();
            let mut whole = WebSocket::reunite(receiver, sender);
            let mut bytes = wire::<R>(&[Frame::ping("late"), Frame::text("late")]);
            let mut input = bytes.as_mut_slice();
            assert_eq!(whole.recv(&mut input, &mut out), None);
            assert!(input.is_empty() && out.len() == written);
        }
        // An answered event is not answered again.
        let (mut receiver, mut sender) = WebSocket::new(R::make(), &Config::default()).split();
        assert!(
            receiver
                .recv(&mut wire::<R>(&[Frame::close(1000, "")]).as_mut_slice())
                .is_some()
        );
        sender
            .reply(&receiver.take_reply().unwrap(), &mut Vec::new())
            .unwrap();
        let mut whole = WebSocket::reunite(receiver, sender);
        assert!(!whole.is_paused() && whole.outcome().unwrap().clean);
        assert_eq!(whole.recv(&mut &mut [][..], &mut Vec::new()), None);
    }
    for_both_roles!(check);
}

/// Each rule's code, section and words, and the words are those that the peer reads.
#[test]
fn cl15_every_error_has_its_code_its_section_and_its_words() {
    use ProtocolError as E;
    let errors = [
        (E::ReservedBits(5), 1002, "5.2"),
        (E::ReservedOpcode(Opcode::new(11).unwrap()), 1002, "5.2"),
        (E::FragmentedControl(Opcode::PING), 1002, "5.5"),
        (E::ControlTooLong(Opcode::CLOSE), 1002, "5.5"),
        (E::NonMinimalLength, 1002, "5.2"),
        (E::LengthOverflow, 1002, "5.2"),
        (E::Unmasked, 1002, "5.1"),
        (E::Masked, 1002, "5.1"),
        (E::UnexpectedContinuation, 1002, "5.4"),
        (
            E::ExpectedContinuation {
                incomplete: MessageKind::Text,
                begun: MessageKind::Binary,
            },
            1002,
            "5.4",
        ),
        (E::InvalidUtf8, 1007, "8.1"),
        (E::InvalidCloseBody, 1002, "5.5.1"),
        (E::InvalidCloseCode(1005), 1002, "7.4"),
        (E::InvalidCloseReason, 1007, "5.5.1"),
        (E::MessageTooLong { len: 11, limit: 10 }, 1009, "10.4"),
        (
            E::CompressedTooLong {
                len: 1101,
                limit: 1100,
            },
            1009,
            "10.4",
        ),
        (
            E::TooManyFragments {
                fragments: 3,
                limit: 2,
            },
            1008,
            "10.4",
        ),
    ];
    let mut words = std::collections::HashSet::new();
    for (error, code, section) in errors {
        assert_eq!(
            (u16::from(error.close_code()), error.section()),
            (code, section),
            "{error:?}"
        );
        let text = error.to_string();
        assert!(
            text.ends_with(&format!(" (RFC 6455 section {section})")),
            "{text}"
        );
        assert!(words.insert(text));
    }
    for (error, text) in [
        (
            E::InvalidCloseCode(1005),
            "invalid status code 1005 (RFC 6455 section 7.4)",
        ),
        (
            E::ReservedBits(5),
            "reserved bit set (0b101) (RFC 6455 section 5.2)",
        ),
        (
            E::ReservedOpcode(Opcode::new(11).unwrap()),
            "reserved opcode 11 (RFC 6455 section 5.2)",
        ),
        (
            E::ControlTooLong(Opcode::PING),
            "control frame payload longer than 125 bytes (ping) (RFC 6455 section 5.5)",
        ),
        (
            E::ExpectedContinuation {
                incomplete: MessageKind::Text,
                begun: MessageKind::Binary,
            },
            "expected continuation frame of a text message, not a binary message (RFC 6455 section 5.4)",
        ),
        (
            E::MessageTooLong { len: 11, limit: 10 },
            "message too long: 11 bytes, limit 10 (RFC 6455 section 10.4)",
        ),
        (
            E::TooManyFragments {
                fragments: 3,
                limit: 2,
            },
            "too many fragments: 3, limit 2 (RFC 6455 section 10.4)",
        ),
    ] {
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn cl15_the_caller_fails_the_connection() {
    fn check<R: TestRole>() {
        let mut peer = Peer::<R>::new();
        peer.receives(Frame::text("a").more());
        peer.ws
            .fail(CloseCode::POLICY_VIOLATION, "policy", &mut peer.log.out)
            .unwrap();
        peer.is(State::Closing, Action::CloseTransport);
        for frame in [
            Frame::continuation("b"),
            Frame::ping(""),
            Frame::close(1000, ""),
            Frame::new(3, ""),
        ] {
            peer.receives(frame);
        }
        assert_eq!(peer.log.seen, []);
        assert_eq!(peer.wrote(), [Frame::close(1008, "policy")]);
        let ended = peer.ended(Endpoint::Local, false);
        assert_eq!(
            (ended.error, ended.close_received, ended.payload_left),
            (None, None, 0)
        );
        assert_eq!(
            peer.ws
                .fail(CloseCode::INTERNAL_ERROR, "", &mut peer.log.out),
            Err(SendError::Closed)
        );
    }
    for_both_roles!(check);
}

/// Also when the chunk in question precedes text in the input that is not UTF-8: input after `fail`
/// is discarded, wherever the input is split.
#[test]
fn cl15_after_the_caller_failed_the_connection_no_violation_is_told() {
    fn check<R: TestRole>() {
        let bytes = wire::<R>(&[Frame::text(b"bad words\xff")]);
        for cut in 0..bytes.len() {
            let mut connection = Connection::new(R::make(), &Config::default());
            let mut out = Vec::new();
            let mut events = Vec::new();
            let (mut one, mut other) = (bytes[..cut].to_vec(), bytes[cut..].to_vec());
            for input in [&mut one, &mut other] {
                let mut input = input.as_mut_slice();
                while let Some(event) = connection.recv(&mut input, &mut out) {
                    events.push(format!("{event:?}"));
                    _ = connection.fail(CloseCode::POLICY_VIOLATION, "", &mut out);
                }
            }
            assert_eq!(
                (events.len(), connection.error()),
                (1, None),
                "cut at {cut}: {events:?}"
            );
            assert_eq!(read_all::<R>(&out), [Frame::close(1008, "")]);
        }
    }
    for_both_roles!(check);
}

/// A refusal to fail changes nothing: the connection is as open as before.
#[test]
fn cl15_a_failure_that_cannot_be_sent_changes_nothing() {
    fn check<R: TestRole>() {
        let mut peer = Peer::<R>::new();
        let refused = peer.ws.fail(
            CloseCode::POLICY_VIOLATION,
            "reason",
            &mut ws_proto::CappedOutput::new(&mut Vec::new(), 3),
        );
        assert!(matches!(refused, Err(SendError::OutputFull { .. })));
        peer.is(State::Open, Action::Continue);
        peer.receives(Frame::text("still open"));
        assert_eq!(peer.log.seen, [Seen::text("still open")]);
        assert_eq!(peer.ws.outcome(), None);
    }
    for_both_roles!(check);
}

// The frames that may be sent.

#[test]
fn cl4_no_frame_follows_our_close() {
    fn check<R: TestRole>(awaits: bool, close: impl Fn(&mut Peer<R>)) {
        let mut peer = Peer::<R>::new();
        peer.ws
            .send_fragment(MessageKind::Text, b"unfinished", false, &mut peer.log.out)
            .unwrap();
        close(&mut peer);
        let before = (peer.ws.ended(), peer.log.out.clone());
        let (ws, out) = (&mut peer.ws, &mut peer.log.out);
        let refused = [
            ws.send_text("x", out),
            ws.send_binary(b"x", out),
            ws.send_fragment(MessageKind::Text, b"x", true, out),
            ws.send_fragment(MessageKind::Text, b"\xff", true, out),
            ws.send_fragment(MessageKind::Binary, b"x", true, out),
            ws.send_ping(b"x", out),
            ws.send_ping(&[0; 126], out),
            ws.close_without_code(out),
            ws.close(code(1000), "", out),
        ];
        assert_eq!(refused, [Err(SendError::Closed); 9]);
        assert!(
            (ws.ended(), &*out) == (before.0, &before.1),
            "nothing is written, and nothing changed"
        );

        // CT7: until the peer's Close, a Ping may be answered, and the wait may be ended.
        let allowed = if awaits {
            Ok(())
        } else {
            Err(SendError::Closed)
        };
        assert_eq!(ws.send_pong(b"x", out), allowed);
        assert_eq!(out.len() > before.1.len(), awaits);
        let written = out.len();
        assert_eq!(ws.fail(code(1008), "", out), allowed);
        assert_eq!(out.len(), written, "a second Close");
        peer.is(
            peer.ws.state(),
            if R::MASKS && peer.ws.ended().clean {
                Action::AwaitClose
            } else {
                Action::CloseTransport
            },
        );
        assert_eq!(
            peer.ws.send_pong(b"x", &mut peer.log.out),
            Err(SendError::Closed)
        );
        assert_eq!(
            peer.ws.fail(code(1008), "", &mut peer.log.out),
            Err(SendError::Closed)
        );
    }
    fn ways<R: TestRole>() {
        check::<R>(true, |peer| peer.closes(CloseCode::NORMAL, ""));
        check::<R>(false, |peer| {
            peer.ws
                .fail(CloseCode::INTERNAL_ERROR, "", &mut peer.log.out)
                .unwrap()
        });
        check::<R>(false, |peer| peer.receives(Frame::close(1000, "")));
        check::<R>(false, |peer| peer.receives(Frame::new(3, "")));
        check::<R>(false, |peer| peer.ws.recv_eof());
    }
    for_both_roles!(ways);
}

/// CL22: frames sent before the Close precede it in the output; an unfinished message is abandoned.
#[test]
fn cl22_frames_sent_before_the_close_go_out_before_it() {
    fn check<R: TestRole>() {
        let mut peer = Peer::<R>::new();
        peer.ws.send_text("queued", &mut peer.log.out).unwrap();
        peer.ws
            .send_fragment(MessageKind::Binary, b"part", false, &mut peer.log.out)
            .unwrap();
        peer.receives(Frame::close(1001, ""));
        assert_eq!(
            peer.wrote(),
            [
                Frame::text("queued"),
                Frame::binary("part").more(),
                Frame::close(1001, "")
            ]
        );
    }
    for_both_roles!(check);
}

/// However the input is split: no message is reported after its Close was answered.
#[test]
fn cl22_l6_messages_before_a_close_in_the_same_read_are_answered() {
    fn check<R: TestRole>() {
        let sent = wire::<R>(&[
            Frame::text("hi"),
            Frame::binary([1, 2]),
            Frame::ping("p"),
            Frame::text("incomplete").more(),
            Frame::close(1000, ""),
        ]);
        for size in 1..=sent.len() {
            let mut ws = WebSocket::new(R::make(), &Config::default());
            let mut out = Vec::new();
            for read in sent.clone().chunks_mut(size) {
                let mut input = read;
                while let Some(message) = ws.recv(&mut input, &mut out) {
                    match message {
                        Message::Text(text) => ws.send_text(&text, &mut out).unwrap(),
                        Message::Binary(bytes) => ws.send_binary(&bytes, &mut out).unwrap(),
                        _ => {}
                    }
                }
            }
            assert_eq!(
                read_all::<R>(&out),
                [
                    Frame::text("hi"),
                    Frame::binary([1, 2]),
                    Frame::pong("p"),
                    Frame::close(1000, "")
                ],
                "reads of {size} bytes"
            );
        }
    }
    for_both_roles!(check);
}

#[test]
fn cl19_only_clients_send_1010() {
    let mut server = Peer::<Server>::new();
    let refused = Err(SendError::ClientOnlyCloseCode);
    assert_eq!(
        server
            .ws
            .close(CloseCode::MANDATORY_EXTENSION, "", &mut server.log.out),
        refused
    );
    assert_eq!(
        server
            .ws
            .fail(CloseCode::MANDATORY_EXTENSION, "", &mut server.log.out),
        refused
    );
    server.is(State::Open, Action::Continue);
    assert_eq!(server.wrote(), []);
    // As the echo of a client's it is sent.
    server.receives(Frame::close(1010, "permessage-deflate"));
    assert_eq!(server.wrote(), [Frame::close(1010, "")]);

    let mut client = Peer::<Client>::new();
    client.closes(CloseCode::MANDATORY_EXTENSION, "permessage-deflate");
    assert_eq!(client.wrote(), [Frame::close(1010, "permessage-deflate")]);
}

#[test]
fn cl1_cl3_a_close_without_a_code_is_empty() {
    fn check<R: TestRole>() {
        let mut peer = Peer::<R>::new();
        peer.closes(None, "");
        assert_eq!(peer.wrote(), [Frame::empty_close()]);
        assert_eq!(peer.ws.close_sent().map(|close| close.code), Some(None));
    }
    for_both_roles!(check);
}

/// The text for a log contains all of the value, and escapes the peer's text (SE11).
#[test]
fn cl9_cl14_a_closure_is_printed_in_words() {
    let outcome = |prepare: &dyn Fn(&mut Peer<Server>)| {
        let mut peer = Peer::new();
        prepare(&mut peer);
        peer.ws.outcome().unwrap().to_string()
    };
    assert_eq!(
        outcome(&|peer| peer.receives(Frame::close(1000, "a\n\"b\""))),
        r#"clean close by the peer, received 1000 "a\n\"b\"", sent 1000"#
    );
    assert_eq!(
        outcome(&|peer| peer.receives(Frame::empty_close())),
        "clean close by the peer, received no code, sent no code"
    );
    assert_eq!(
        outcome(&|peer| {
            peer.closes(CloseCode::GOING_AWAY, "");
            peer.receives(Frame::close(1001, ""));
        }),
        "clean close by us, received 1001, sent 1001"
    );
    assert_eq!(
        outcome(&|peer| peer.closes(None, "")),
        "unclean close by us, received no Close, sent no code"
    );
    assert_eq!(
        outcome(&|peer| peer.ws.recv_eof()),
        "unclean close by the peer, received no Close, sent no Close"
    );
    assert_eq!(
        outcome(&|peer| peer.receives(Frame::new(3, ""))),
        "failed: reserved opcode 3 (RFC 6455 section 5.2), received no Close, sent 1002"
    );
}

/// Joined halves report the end as a connection does that was never split.
#[test]
fn cl14_halves_together_again_tell_how_it_ended() {
    fn check<R: TestRole>() {
        let config = Config::default();
        for frame in [
            Frame::close(3000, "bye"),
            Frame::empty_close(),
            Frame::new(3, ""),
            Frame::text("a"),
            Frame::text([0xff]),
        ] {
            for closes_first in [false, true] {
                let bytes = wire::<R>(&[Frame::ping("p"), frame.clone()]);
                let mut out = Vec::new();
                let mut whole = WebSocket::<R>::make(&config);
                let (receiver, sender) = Connection::<R>::make(&config).split();
                let mut halves = Halves(receiver, sender);
                let (receiver, sender) = WebSocket::<R>::make(&config).split();
                let mut message_halves = MessageHalves(receiver, sender);
                if closes_first {
                    whole.close(code(1001), "", &mut out).unwrap();
                    halves.1.close(code(1001), "", &mut out).unwrap();
                    message_halves.1.close(code(1001), "", &mut out).unwrap();
                }
                whole.recv_all(&mut bytes.clone(), &mut Log::default());
                halves.recv_all(&mut bytes.clone(), &mut Log::default());
                message_halves.recv_all(&mut bytes.clone(), &mut Log::default());
                assert_eq!(
                    Connection::reunite(halves.0, halves.1).ended(),
                    whole.ended()
                );
                assert_eq!(
                    WebSocket::reunite(message_halves.0, message_halves.1).ended(),
                    whole.ended()
                );
            }
        }
    }
    for_both_roles!(check);
}
