//! Any calls in any order (SE7): two peers over a pipe that splits at random, and the invariants
//! that hold however they are used.

use crate::common::strategies::config;
use crate::common::{Ended, Frame, Layer, Log, Seen, TestRole, read_all};
use proptest::collection::vec;
use proptest::prelude::*;
use ws_proto::{
    Action, CappedOutput, Client, CloseCode, Config, Connection, Endpoint, Message, MessageKind,
    REPLY_ROOM, SendError, Server, State, WebSocket,
};

/// The calls that a program may make on a connection, in any order.
#[derive(Debug, Clone)]
enum Operation {
    Text(String),
    Binary(Vec<u8>),
    Part(MessageKind, Vec<u8>, bool),
    Alone(MessageKind, Vec<u8>, bool),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
    Fail(u16),
    /// This number of bytes from the other side arrive, while the output has a limited room.
    Arrive(usize, usize),
}

fn operation() -> impl Strategy<Value = Operation> {
    let kind = || prop_oneof![Just(MessageKind::Text), Just(MessageKind::Binary)];
    let bytes = || prop_oneof![4 => "[a-z\u{e9}\u{1f600}]{0,20}".prop_map(String::into_bytes), 1 => vec(any::<u8>(), 0..200)];
    let close = prop_oneof![
        Just(None),
        (0..5000_u16).prop_map(Some),
        Just(Some(1000)),
        Just(Some(1010))
    ];
    prop_oneof![
        5 => "[a-z\u{e9}\u{1f600}]{0,50}".prop_map(Operation::Text),
        5 => bytes().prop_map(Operation::Binary),
        8 => (kind(), bytes(), any::<bool>()).prop_map(|(kind, bytes, last)| Operation::Part(kind, bytes, last)),
        4 => (kind(), bytes(), any::<bool>()).prop_map(|(kind, bytes, last)| Operation::Alone(kind, bytes, last)),
        4 => vec(any::<u8>(), 0..130).prop_map(Operation::Ping),
        2 => vec(any::<u8>(), 0..130).prop_map(Operation::Pong),
        1 => (close, "[a-z\u{e9}]{0,130}").prop_map(|(code, reason)| Operation::Close(code, reason)),
        1 => (1000..1015_u16).prop_map(Operation::Fail),
        20 => (1..600_usize, 0..3 * REPLY_ROOM).prop_map(|(bytes, room)| Operation::Arrive(bytes, room)),
    ]
}

/// The header and the payload of a frame whose payload is not copied.
fn alone<R: TestRole>(
    ws: &mut WebSocket<R>,
    kind: MessageKind,
    payload: &mut [u8],
    fin: bool,
) -> Result<Vec<u8>, SendError> {
    let mut frame = ws.begin_frame(kind, payload.len() as u64, fin)?;
    frame.mask(payload);
    Ok([frame.header(), payload].concat())
}

/// The messages and frames that were sent with success, as the peer must see them.
#[derive(Default)]
struct Account {
    sent: Vec<Seen>,
    part: Option<(MessageKind, Vec<u8>)>,
}

impl Account {
    fn part(&mut self, kind: MessageKind, bytes: &[u8], last: bool) {
        let (begun, part) = self.part.get_or_insert((kind, Vec::new()));
        assert_eq!(*begun, kind, "another message is begun inside one");
        part.extend_from_slice(bytes);
        if last {
            let (kind, payload) = self.part.take().unwrap_or((kind, Vec::new()));
            self.sent.push(Seen::message(kind, &payload));
        }
    }
}

/// One side: its connection, the bytes that it has written and that are not delivered yet, and an
/// account of all that it sent and received.
struct Peer<R> {
    ws: WebSocket<R>,
    out: Vec<u8>,
    account: Account,
    log: Log,
    failed: bool,
}

impl<R: TestRole> Peer<R> {
    fn new() -> Self {
        Self {
            ws: WebSocket::new(R::make(), &Config::default()),
            out: Vec::new(),
            account: Account::default(),
            log: Log::default(),
            failed: false,
        }
    }

    /// Does it, and checks that an error has no effect.
    fn perform(&mut self, operation: &Operation, from: &mut Vec<u8>) {
        let before = (self.ws.ended(), self.out.len());
        let Self {
            ws, out, account, ..
        } = self;
        let result = match operation {
            Operation::Text(text) => ws
                .send_text(text, out)
                .map(|()| account.sent.push(Seen::text(text))),
            Operation::Binary(bytes) => ws
                .send_binary(bytes, out)
                .map(|()| account.sent.push(Seen::binary(bytes))),
            Operation::Part(kind, bytes, last) => ws
                .send_fragment(*kind, bytes, *last, out)
                .map(|()| account.part(*kind, bytes, *last)),
            // The caller ensures that text is UTF-8: fragments hold complete characters, and follow
            // only such.
            Operation::Alone(kind, bytes, last) => {
                let text = *kind == MessageKind::Binary || std::str::from_utf8(bytes).is_ok();
                let whole = account.part.as_ref().is_none_or(|(kind, part)| {
                    *kind == MessageKind::Binary || std::str::from_utf8(part).is_ok()
                });
                if !text || !whole {
                    return;
                }
                let mut payload = bytes.clone();
                alone(ws, *kind, &mut payload, *last).map(|frame| {
                    out.extend(frame);
                    account.part(*kind, bytes, *last);
                })
            }
            Operation::Ping(payload) => ws
                .send_ping(payload, out)
                .map(|()| account.sent.push(Seen::ping(payload))),
            Operation::Pong(payload) => ws
                .send_pong(payload, out)
                .map(|()| account.sent.push(Seen::pong(payload))),
            Operation::Close(code, reason) => match code.map(CloseCode::new) {
                Some(None) => return,
                Some(Some(code)) => ws.close(code, reason, out),
                None => ws.close_without_code(out),
            },
            Operation::Fail(code) => match CloseCode::new(*code) {
                None => return,
                Some(code) => ws.fail(code, "failed", out).map(|()| self.failed = true),
            },
            Operation::Arrive(bytes, room) => return self.arrive(from, *bytes, *room),
        };
        if result.is_err() {
            assert!(
                (self.ws.ended(), self.out.len()) == before,
                "{operation:?} is refused ({result:?}), and has an effect"
            );
        }
    }

    /// Receives the bytes of `from`, and leaves there those that it does not consume.
    fn arrive(&mut self, from: &mut Vec<u8>, bytes: usize, room: usize) {
        let bytes = bytes.min(from.len());
        let mut received: Vec<_> = from[..bytes].to_vec();
        let mut input = received.as_mut_slice();
        let mut reply = Vec::new();
        while let Some(message) = self
            .ws
            .recv(&mut input, &mut CappedOutput::new(&mut reply, room))
        {
            let seen = match message {
                Message::Text(text) => Seen::text(&text),
                Message::Binary(bytes) => Seen::binary(&bytes),
                Message::Ping => Seen::ping(self.ws.control_payload()),
                Message::Pong => Seen::pong(self.ws.control_payload()),
                Message::Close(_) => continue,
                other => panic!("a peer of the same make breaks no rule: {other:?}"),
            };
            self.log.seen.push(seen);
        }
        let left = input.len();
        assert!(reply.len() <= room && (left == 0 || room - reply.len() < REPLY_ROOM));
        from.drain(..bytes - left);
        self.out.extend(reply);
    }

    /// Checks the received messages against those that the other side sent.
    fn check<P: TestRole>(&self, peer: &Peer<P>) -> Result<(), TestCaseError> {
        // Pongs that answer Pings, and unsolicited ones: the former are not in `sent`.
        let without_pongs = |seen: &[Seen]| {
            seen.iter()
                .filter(|seen| !matches!(seen, Seen::Pong(_)))
                .cloned()
                .collect::<Vec<_>>()
        };
        let (got, sent) = (
            without_pongs(&self.log.seen),
            without_pongs(&peer.account.sent),
        );
        if self.failed {
            prop_assert!(sent.starts_with(&got), "{:?} of {:?}", got, sent);
        } else {
            prop_assert_eq!(got, sent, "every message intact, in order, once");
        }
        Ok(())
    }

    fn ended(&self) -> Ended {
        self.ws.ended()
    }
}

proptest! {
    #![proptest_config(config(300))]

    #[test]
    fn se7_any_calls_in_any_order_lose_nothing_and_end_in_agreement(operations in vec((any::<bool>(), operation()), 0..80)) {
        let (mut client, mut server) = (Peer::<Client>::new(), Peer::<Server>::new());
        for (is_client, operation) in &operations {
            if *is_client {
                client.perform(operation, &mut server.out);
            } else {
                server.perform(operation, &mut client.out);
            }
        }
        // Then all of it arrives.
        for _ in 0..4 {
            client.arrive(&mut server.out, usize::MAX, usize::MAX);
            server.arrive(&mut client.out, usize::MAX, usize::MAX);
        }
        prop_assert!(client.out.is_empty() && server.out.is_empty());
        client.check(&server)?;
        server.check(&client)?;

        let (at_client, at_server) = (client.ended(), server.ended());
        prop_assert_eq!((at_client.error, at_server.error), (None, None));
        prop_assert_eq!(at_client.state == State::Open, at_server.state == State::Open, "one is open, and the other is not");
        for (ended, other, failed) in [(&at_client, &at_server, client.failed), (&at_server, &at_client, server.failed)] {
            // Everything that was sent is received, unless the receiver failed.
            let received = ended.close_received.as_ref().map(|(code, _)| code.and_then(CloseCode::new));
            prop_assert!(received == other.close_sent || failed && received.is_none(), "{:?} of {:?}", received, other.close_sent);
            prop_assert_eq!(ended.by.is_some(), ended.state != State::Open);
            prop_assert_eq!(ended.clean, ended.state != State::Open && received.is_some());
        }
        if at_client.state != State::Open {
            prop_assert!(at_client.by == Some(Endpoint::Local) || at_server.by == Some(Endpoint::Local), "somebody began");
            if at_server.clean && !client.failed {
                prop_assert_eq!((at_client.transport, at_server.transport), (Action::AwaitClose, Action::CloseTransport), "the server closes first");
            }
        }
    }

    /// P1: garbage between the calls, and the end of the stream at any point: no panic, and all
    /// that is written is well-formed.
    #[test]
    fn se7_p1_no_calls_on_any_input_panic(operations in vec((operation(), vec(any::<u8>(), 0..20)), 0..30), eof in 0..30_usize) {
        fn check<R: TestRole>(operations: &[(Operation, Vec<u8>)], eof: usize) {
            let mut side = Peer::<R>::new();
            let mut connection = Connection::new(R::make(), &Config::default());
            let mut log = Log::default();
            for (at, (operation, garbage)) in operations.iter().enumerate() {
                if !matches!(operation, Operation::Arrive(..)) {
                    side.perform(operation, &mut Vec::new());
                }
                let mut input = garbage.clone();
                let mut input = input.as_mut_slice();
                while side.ws.recv(&mut input, &mut side.out).is_some() {}
                connection.recv_all(&mut garbage.clone(), &mut log);
                _ = connection.send_binary(garbage, &mut log.out);
                if at == eof {
                    side.ws.recv_eof();
                    connection.recv_eof();
                }
            }
            let frames: Vec<Frame> = read_all::<R>(&side.out);
            assert!(frames.iter().filter(|frame| frame.opcode == 8).count() <= 1);
            read_all::<R>(&log.out);
        }
        check::<Server>(&operations, eof);
        check::<Client>(&operations, eof);
    }
}
