//! Two endpoints over a pipe that cuts at will: whatever either does, all that was sent arrives
//! intact, in order and once, and both agree on how it ended.
//!
//! Either may receive whole messages or a stream, and what receives a stream compresses and
//! inflates by itself. One of whole messages may be two halves, whose replies lie in one place
//! until the sender has them, and go on as a whole again.
#![no_main]

#[path = "../../tests/common/mod.rs"]
mod common;

use arbitrary::Arbitrary;
use common::{Seen, TestRole, read_all};
use ws_proto::deflate::{self, Compressor, Decompressor, Flush, Params};
use ws_proto::{
    Action, CappedOutput, Client, CloseCode, Config, Connection, Counters, Event, Message,
    MessageKind, MessageRecvHalf, MessageSendHalf, Negotiated, Outcome, Prepared, Reply, Role,
    SendError, Server, State, WebSocket,
};

#[derive(Debug, Arbitrary)]
enum Operation {
    Text(String),
    Binary(Vec<u8>),
    /// A message of a repeated byte, as long as one number times another.
    Long(u8, u8, u8),
    Part(MessageKind, Vec<u8>, bool),
    /// A part whose payload is not copied.
    Alone(MessageKind, String, bool),
    /// A message whose compression is not left to the connection: not compressed, or by the caller,
    /// in parts of this size.
    Apart(MessageKind, String, u8),
    /// A message that is prepared for many connections, with or without compression, if it is a
    /// server's.
    Prepared(MessageKind, String, Option<u8>),
    /// A message that the caller compresses for a window of this size, without context, in parts of
    /// this size.
    Independent(MessageKind, String, u8, u8),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<CloseCode>, String),
    Fail(CloseCode),
    /// So many of the bytes under way arrive, while the output takes no more than some room.
    Arrive(u16, u8),
    /// The sending half is given the reply that the receiving half left, with some room for it.
    Reply(u8),
    Split,
    Join,
}

#[derive(Debug, Arbitrary)]
struct Session {
    deflate: Option<(Params, u8)>,
    streaming: [bool; 2],
    auto_pong: [bool; 2],
    /// Who acts, and with how much room in the output, if that is bounded.
    operations: Vec<(bool, Option<u8>, Operation)>,
}

enum Layer<R> {
    Whole(WebSocket<R>),
    /// With the place for the reply: what it answers is kept beside it, to know a Pong's payload.
    Halves(
        Box<(MessageRecvHalf<R>, MessageSendHalf<R>)>,
        Option<(Reply, Seen)>,
    ),
    /// Only while halves are put together or taken apart.
    Between,
    Streaming {
        connection: Connection<R>,
        message: Vec<u8>,
        deflate: Option<(Compressor, Decompressor)>,
    },
}

/// Does what all layers can that send.
macro_rules! either {
    ($layer:expr, $connection:ident => $act:expr) => {
        match $layer {
            Layer::Whole($connection) => $act,
            Layer::Halves(halves, _) => {
                let $connection = &mut halves.1;
                $act
            }
            Layer::Streaming {
                connection: $connection,
                ..
            } => $act,
            Layer::Between => unreachable!("it is one or the other"),
        }
    };
}

/// Sends a whole message.
macro_rules! send {
    ($connection:expr, $kind:expr, $payload:expr, $out:expr) => {
        match $kind {
            MessageKind::Text => {
                let text = std::str::from_utf8($payload).expect("text");
                $connection.send_text(text, $out)
            }
            MessageKind::Binary => $connection.send_binary($payload, $out),
        }
    };
}

/// An endpoint, what is under way from it, and an account of what it sent with success, and
/// received.
struct Endpoint<R> {
    layer: Layer<R>,
    under_way: Vec<u8>,
    sent: Vec<Seen>,
    part: Option<(MessageKind, Vec<u8>)>,
    received: Vec<Seen>,
    failed: bool,
    auto_pong: bool,
    agreed_on: Option<(deflate::DeflateConfig, Params)>,
    /// How much room there was when a reply had none.
    paused: Option<usize>,
}

/// Roles that send prepared messages, or the same in another way.
trait Sends: TestRole + Sized {
    fn send_prepared(
        layer: &mut Layer<Self>,
        kind: MessageKind,
        prepared: &Prepared,
        out: &mut CappedOutput<'_>,
    ) -> Result<(), SendError>;
}

impl Sends for Server {
    fn send_prepared(
        layer: &mut Layer<Self>,
        kind: MessageKind,
        prepared: &Prepared,
        out: &mut CappedOutput<'_>,
    ) -> Result<(), SendError> {
        match layer {
            Layer::Whole(ws) => ws.send_prepared(prepared, out),
            Layer::Halves(halves, _) => halves.1.send_prepared(prepared, out),
            Layer::Streaming { connection, .. } => {
                send!(connection, kind, prepared.payload(), out)
            }
            Layer::Between => unreachable!("it is one or the other"),
        }
    }
}

impl Sends for Client {
    fn send_prepared(
        layer: &mut Layer<Self>,
        kind: MessageKind,
        prepared: &Prepared,
        out: &mut CappedOutput<'_>,
    ) -> Result<(), SendError> {
        either!(layer, connection => send!(connection, kind, prepared.payload(), out))
    }
}

impl<R: Sends> Endpoint<R> {
    fn new(session: &Session, side: usize) -> Self {
        let negotiated = Negotiated::new(R::make());
        let agreed_on = session.deflate.map(|(params, level)| {
            (
                deflate::DeflateConfig::default()
                    .with_level(level % 10)
                    .with_threshold(level.into()),
                params,
            )
        });
        let negotiated = match &agreed_on {
            Some((config, params)) => negotiated.with_deflate(config, *params),
            None => negotiated,
        };
        let auto_pong = session.auto_pong[side];
        let config = &Config::default().with_auto_pong(auto_pong);
        let layer = if session.streaming[side] {
            let deflate = agreed_on.as_ref().map(|(config, params)| {
                if R::MASKS {
                    (
                        params.client_compressor(config),
                        params.server_decompressor(),
                    )
                } else {
                    (
                        params.server_compressor(config),
                        params.client_decompressor(),
                    )
                }
            });
            Layer::Streaming {
                connection: Connection::new(negotiated, config),
                message: Vec::new(),
                deflate,
            }
        } else {
            Layer::Whole(WebSocket::new(negotiated, config))
        };
        Self {
            layer,
            under_way: Vec::new(),
            sent: Vec::new(),
            part: None,
            received: Vec::new(),
            failed: false,
            auto_pong,
            agreed_on,
            paused: None,
        }
    }

    fn state(&self) -> State {
        match &self.layer {
            Layer::Whole(ws) => ws.state(),
            Layer::Halves(halves, _) => halves.1.state(),
            Layer::Streaming { connection, .. } => connection.state(),
            Layer::Between => unreachable!("it is one or the other"),
        }
    }

    fn counted(&self) -> (State, Counters, usize) {
        let sent = match &self.layer {
            Layer::Whole(ws) => ws.sent(),
            Layer::Halves(halves, _) => halves.1.sent(),
            Layer::Streaming { connection, .. } => connection.sent(),
            Layer::Between => unreachable!("it is one or the other"),
        };
        (self.state(), sent, self.under_way.len())
    }

    fn act(&mut self, room: Option<u8>, operation: Operation) {
        let before = self.counted();
        // A reply has a room of its own.
        let room = match operation {
            Operation::Reply(room) => Some(room),
            _ => room,
        };
        // A Pong may follow our own Close, and a Close of ours may be given up.
        let may_follow = matches!(
            operation,
            Operation::Pong(_)
                | Operation::Fail(_)
                | Operation::Reply(_)
                | Operation::Split
                | Operation::Join
        );
        match self.send(room.map(usize::from), operation) {
            Ok(()) => assert!(
                before.0 == State::Open || may_follow,
                "something is sent after the end"
            ),
            Err(SendError::OutputFull { needed }) => {
                assert!(needed > room.expect("else there is room for all").into());
                assert_eq!(before, self.counted(), "what is refused has an effect");
            }
            Err(_) => assert_eq!(before, self.counted(), "what is refused has an effect"),
        }
        assert!(
            self.under_way.len() - before.2 <= room.map_or(usize::MAX, usize::from)
                || matches!(self.state(), State::Open),
            "beyond the room"
        );
    }

    fn send(&mut self, room: Option<usize>, operation: Operation) -> Result<(), SendError> {
        let is_open = self.state() == State::Open;
        let Self {
            layer,
            under_way,
            sent,
            part,
            ..
        } = self;
        let out = &mut CappedOutput::new(
            under_way,
            room.map_or(usize::MAX, |room| under_way.len() + room),
        );
        match operation {
            Operation::Text(text) => {
                either!(layer, connection => connection.send_text(&text, out))?;
                sent.push(Seen::text(&text));
            }
            Operation::Binary(bytes) => {
                either!(layer, connection => connection.send_binary(&bytes, out))?;
                sent.push(Seen::binary(&bytes));
            }
            Operation::Long(byte, len, times) => {
                let bytes = vec![byte; usize::from(len) * usize::from(times)];
                either!(layer, connection => connection.send_binary(&bytes, out))?;
                sent.push(Seen::binary(&bytes));
            }
            Operation::Part(kind, bytes, last) => {
                either!(layer, connection => connection.send_fragment(kind, &bytes, last, out))?;
                self.part(kind, &bytes, last);
            }
            Operation::Alone(kind, text, last) => {
                // The caller sees to it that text is UTF-8: it is not sent behind a part that has
                // split a character.
                if part.as_ref().is_some_and(|(kind, part)| {
                    *kind == MessageKind::Text && std::str::from_utf8(part).is_err()
                }) {
                    return Err(SendError::InvalidUtf8);
                }
                let mut payload = text.clone().into_bytes();
                let len = payload.len() as u64;
                let mut frame =
                    either!(layer, connection => connection.begin_frame(kind, len, last))?;
                let (first, second) = payload.split_at_mut(text.len() / 3);
                frame.mask(first);
                frame.mask(second);
                self.under_way.extend(frame.header());
                self.under_way.extend(payload);
                self.part(kind, text.as_bytes(), last);
            }
            Operation::Apart(kind, text, size) => {
                self.apart(kind, &text, size.into())?;
                self.sent.push(Seen::message(kind, text.as_bytes()));
            }
            Operation::Prepared(kind, text, level) => {
                let mut prepared = match kind {
                    MessageKind::Text => Prepared::text(&text),
                    MessageKind::Binary => Prepared::binary(text.as_bytes()),
                };
                if let Some(level) = level {
                    let config = deflate::DeflateConfig::default()
                        .with_level(level % 10)
                        .with_threshold(level.into());
                    prepared = prepared.deflate(&config);
                }
                R::send_prepared(layer, kind, &prepared, out)?;
                sent.push(Seen::message(kind, text.as_bytes()));
            }
            Operation::Independent(kind, text, bits, size) => {
                self.independent(kind, &text, bits, size.into())?
            }
            Operation::Ping(payload) => {
                either!(layer, connection => connection.send_ping(&payload, out))?;
                sent.push(Seen::ping(payload));
            }
            Operation::Pong(payload) => {
                either!(layer, connection => connection.send_pong(&payload, out))?;
                // After our Close the peer discards it.
                sent.extend(is_open.then(|| Seen::pong(payload)));
            }
            Operation::Close(Some(code), reason) => {
                either!(layer, connection => connection.close(code, &reason, out))?
            }
            Operation::Close(None, _) => {
                either!(layer, connection => connection.close_without_code(out))?
            }
            Operation::Fail(code) => {
                either!(layer, connection => connection.fail(code, "failed", out))?;
                self.failed = true;
            }
            Operation::Reply(room) => self.reply(room.into()),
            Operation::Split => self.split(),
            Operation::Join => self.join(),
            Operation::Arrive(..) => unreachable!("it is not sent"),
        }
        Ok(())
    }

    /// Hands the reply over, if there is one, with so much room.
    fn reply(&mut self, room: usize) {
        let is_open = self.state() == State::Open;
        let Layer::Halves(halves, slot) = &mut self.layer else {
            return;
        };
        let Some((reply, to)) = slot.take() else {
            return;
        };
        let before = self.under_way.len();
        let may_pong = !self.failed && halves.1.state() != State::Closed;
        match halves.1.reply(
            &reply,
            &mut CappedOutput::new(&mut self.under_way, before + room),
        ) {
            Err(SendError::OutputFull { needed }) => {
                assert!(needed > room && self.under_way.len() == before);
                *slot = Some((reply, to));
            }
            Err(error) => panic!("{error}"),
            Ok(()) => match &to {
                Seen::Ping(payload) => {
                    assert_eq!(self.under_way.len() > before, may_pong);
                    self.sent
                        .extend((is_open && may_pong).then(|| Seen::pong(payload)));
                }
                _ => assert_eq!(
                    self.under_way.len() > before,
                    is_open,
                    "a Close is answered by a Close, and only once"
                ),
            },
        }
    }

    fn split(&mut self) {
        match std::mem::replace(&mut self.layer, Layer::Between) {
            // What waited for room is the receiver's next event.
            Layer::Whole(ws) => self.layer = Layer::Halves(Box::new(ws.split()), None),
            layer => self.layer = layer,
        }
    }

    /// The halves as a whole. A Pong that the sender was not given is not sent, and a Close is
    /// answered later.
    fn join(&mut self) {
        match std::mem::replace(&mut self.layer, Layer::Between) {
            Layer::Halves(halves, slot) => {
                let (receiver, sender) = *halves;
                let owes_a_close =
                    matches!(slot, Some((_, Seen::Close(..)))) && sender.state() == State::Open;
                let ws = WebSocket::reunite(receiver, sender);
                assert!(ws.is_paused() || !owes_a_close, "a Close is forgotten");
                self.paused = ws.is_paused().then_some(0);
                self.layer = Layer::Whole(ws);
            }
            layer => self.layer = layer,
        }
    }

    fn part(&mut self, kind: MessageKind, bytes: &[u8], last: bool) {
        let (begun, part) = self.part.get_or_insert((kind, Vec::new()));
        assert_eq!(*begun, kind, "another message is begun inside one");
        part.extend_from_slice(bytes);
        if last {
            self.sent.extend(
                self.part
                    .take()
                    .map(|(kind, bytes)| Seen::message(kind, &bytes)),
            );
        }
    }

    fn apart(&mut self, kind: MessageKind, text: &str, size: usize) -> Result<(), SendError> {
        let out = &mut self.under_way;
        match &mut self.layer {
            Layer::Whole(ws) if kind == MessageKind::Text => ws.send_text_uncompressed(text, out),
            Layer::Whole(ws) => ws.send_binary_uncompressed(text.as_bytes(), out),
            Layer::Halves(halves, _) if kind == MessageKind::Text => {
                halves.1.send_text_uncompressed(text, out)
            }
            Layer::Halves(halves, _) => halves.1.send_binary_uncompressed(text.as_bytes(), out),
            // What was compressed has to be sent, so that it can be is certain before.
            Layer::Streaming {
                connection,
                deflate: Some((compressor, _)),
                ..
            } if connection.state() == State::Open && self.part.is_none() => {
                let (_, params) = self.agreed_on.as_ref().expect("it compresses");
                let mut compressed = Vec::new();
                compressor.compress(text.as_bytes(), Flush::End, &mut compressed);
                let parts: Vec<_> = compressed
                    .chunks(size.max(compressed.len() / 1000 + 1))
                    .collect();
                for (at, part) in parts.iter().enumerate() {
                    let fin = at + 1 == parts.len();
                    connection.send_compressed_fragment(kind, part, *params, fin, out)?;
                }
                Ok(())
            }
            Layer::Streaming { connection, .. } if kind == MessageKind::Text => {
                connection.send_text(text, out)
            }
            Layer::Streaming { connection, .. } => connection.send_binary(text.as_bytes(), out),
            Layer::Between => unreachable!("it is one or the other"),
        }
    }

    /// A message that the caller compresses, and not with the context. Whether it can be sent is
    /// certain before.
    fn independent(
        &mut self,
        kind: MessageKind,
        text: &str,
        bits: u8,
        size: usize,
    ) -> Result<(), SendError> {
        let bits = 8 + bits % 8;
        let params: Params = format!(
            "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
             server_max_window_bits={bits}; client_max_window_bits={bits}"
        )
        .parse()
        .expect("an answer");
        let (mut compressor, most) = match (&self.agreed_on, R::MASKS) {
            (Some((config, agreed_on)), true) => (
                params.client_compressor(config),
                agreed_on.client_max_window_bits(),
            ),
            (Some((config, agreed_on)), false) => (
                params.server_compressor(config),
                agreed_on.server_max_window_bits(),
            ),
            (None, _) => (params.server_compressor(&Default::default()), 0),
        };
        let mut compressed = Vec::new();
        for chunk in text.as_bytes().chunks(size + 1) {
            compressor.compress(chunk, Flush::Sync, &mut compressed);
        }
        compressor.compress(b"", Flush::End, &mut compressed);
        let expected = match (self.state(), &self.agreed_on) {
            (State::Open, None) => Err(SendError::NotNegotiated),
            (State::Open, Some(_)) if bits > most => Err(SendError::IncompatibleParams),
            (State::Open, Some(_)) if self.part.is_some() => Err(SendError::MessageInProgress),
            (State::Open, Some(_)) => Ok(()),
            _ => Err(SendError::Closed),
        };
        let out = &mut self.under_way;
        let parts: Vec<_> = compressed
            .chunks(size.max(compressed.len() / 1000 + 1))
            .collect();
        for (at, part) in parts.iter().enumerate() {
            let fin = at + 1 == parts.len();
            let sent = either!(&mut self.layer, connection => connection
                .send_compressed_fragment(kind, part, params, fin, out));
            assert_eq!(sent, expected);
            sent?;
        }
        // It is in the context of the peer, and not in that of a caller who has one.
        if let Layer::Streaming {
            deflate: Some((compressor, _)),
            ..
        } = &mut self.layer
        {
            compressor.reset();
        }
        self.sent.push(Seen::message(kind, text.as_bytes()));
        Ok(())
    }

    /// Receives so many bytes of what the other one sent, or what there is room for.
    fn arrive(&mut self, under_way: &mut Vec<u8>, most: usize, room: usize) {
        let len = most.min(under_way.len());
        let mut bytes = under_way[..len].to_vec();
        let (mut input, mut written) = (&mut bytes[..], Vec::new());
        loop {
            let (state, before) = (self.state(), written.len());
            let mut out = CappedOutput::new(&mut written, room);
            let seen = match &mut self.layer {
                Layer::Whole(ws) => match ws.recv(&mut input, &mut out) {
                    None => {
                        assert!(input.is_empty() || ws.is_paused(), "input is left behind");
                        self.paused = ws.is_paused().then_some(room - written.len());
                        break;
                    }
                    Some(Message::Text(text)) => Seen::text(&text),
                    Some(Message::Binary(bytes)) => Seen::binary(&bytes),
                    Some(Message::Ping) => Seen::ping(ws.control_payload()),
                    Some(Message::Pong) => Seen::pong(ws.control_payload()),
                    Some(Message::Close(code)) => Seen::Close(code.map(u16::from), String::new()),
                    Some(other) => panic!("the other one breaks no rule: {other:?}"),
                },
                Layer::Halves(halves, slot) => {
                    let (receiver, _) = &mut **halves;
                    self.paused = None;
                    if self.failed {
                        // The receiving half does not know of it.
                        input = &mut [];
                        break;
                    }
                    let seen = match receiver.recv(&mut input) {
                        None => {
                            assert!(input.is_empty(), "input is left behind");
                            break;
                        }
                        Some(Message::Text(text)) => Seen::text(&text),
                        Some(Message::Binary(bytes)) => Seen::binary(&bytes),
                        Some(Message::Ping) => Seen::ping(receiver.control_payload()),
                        Some(Message::Pong) => Seen::pong(receiver.control_payload()),
                        Some(Message::Close(code)) => {
                            Seen::Close(code.map(u16::from), String::new())
                        }
                        Some(other) => panic!("the other one breaks no rule: {other:?}"),
                    };
                    let reply = receiver.take_reply();
                    let owes = matches!(seen, Seen::Close(..))
                        || matches!(seen, Seen::Ping(_)) && self.auto_pong;
                    assert_eq!(reply.is_some(), owes);
                    // One place: a later reply stands for an earlier one.
                    if let Some(reply) = reply {
                        assert!(
                            !matches!(slot, Some((_, Seen::Close(..)))),
                            "something follows a Close"
                        );
                        *slot = Some((reply, seen.clone()));
                    }
                    self.received
                        .extend((!matches!(seen, Seen::Close(..))).then_some(seen));
                    continue;
                }
                Layer::Streaming {
                    connection,
                    message,
                    deflate,
                } => match connection.recv(&mut input, &mut out) {
                    None => {
                        assert!(
                            input.is_empty() || connection.is_paused(),
                            "input is left behind"
                        );
                        self.paused = connection.is_paused().then_some(room - written.len());
                        break;
                    }
                    Some(Event::Data(chunk)) => {
                        match deflate.as_mut().filter(|_| chunk.compressed) {
                            Some((_, decompressor)) => {
                                inflate(decompressor, chunk.payload, chunk.last, message)
                            }
                            None => message.extend_from_slice(chunk.payload),
                        }
                        if !chunk.last {
                            continue;
                        }
                        Seen::message(chunk.kind, &std::mem::take(message))
                    }
                    Some(Event::Ping) => Seen::ping(connection.control_payload()),
                    Some(Event::Pong) => Seen::pong(connection.control_payload()),
                    Some(Event::Close(code)) => Seen::Close(code.map(u16::from), String::new()),
                    Some(other) => panic!("the other one breaks no rule: {other:?}"),
                },
                Layer::Between => unreachable!("it is one or the other"),
            };
            let answer = &written[before..];
            if let Some(had) = self.paused.take() {
                // If a Close of ours was sent meanwhile, the other one's needs no answer any more.
                let answered = matches!(seen, Seen::Close(..)) && state != State::Open;
                assert!(
                    answer.len() > had || answered,
                    "it waited though there was room for the reply"
                );
            }
            match &seen {
                // It is answered at once, also after a Close of ours: then the other one discards
                // it.
                Seen::Ping(payload) if self.auto_pong => {
                    let pong = &read_all::<R>(answer)[..];
                    assert!(
                        matches!(pong, [frame] if frame.opcode == 10 && frame.payload == *payload),
                        "{pong:?}"
                    );
                    self.sent
                        .extend((state == State::Open).then(|| Seen::pong(payload)));
                }
                // With the same code, unless ours was sent before.
                Seen::Close(code, _) => {
                    let close = &read_all::<R>(answer)[..];
                    let body = code
                        .map(|code| code.to_be_bytes().to_vec())
                        .unwrap_or_default();
                    assert!(
                        state != State::Open
                            || matches!(close, [frame] if frame.opcode == 8 && frame.payload == body),
                        "{close:?}"
                    );
                    assert!(state == State::Open || close.is_empty(), "{close:?}");
                    continue;
                }
                _ => assert!(answer.is_empty(), "an answer to what demands none"),
            }
            self.received.push(seen);
        }
        let left = input.len();
        under_way.drain(..len - left);
        self.under_way.extend(written);
    }

    /// Whether it has something to do, though nothing arrives.
    fn waits(&self) -> bool {
        self.paused.is_some() || matches!(&self.layer, Layer::Halves(_, Some(_)))
    }

    /// Checks what was received against what the other one sent.
    fn check<P>(&self, other: &Endpoint<P>) {
        if self.failed {
            assert!(other.sent.starts_with(&self.received));
        } else {
            assert_eq!(self.received, other.sent);
        }
    }
}

fn inflate(decompressor: &mut Decompressor, mut piece: &[u8], last: bool, message: &mut Vec<u8>) {
    let mut block = [0; 1000];
    loop {
        let inflated = decompressor
            .inflate(&mut piece, last, &mut block)
            .expect("it was compressed well");
        message.extend_from_slice(&block[..inflated.len]);
        if inflated.done {
            return;
        }
    }
}

/// How it ended at one end, and at the other: the same, seen from two sides.
fn agree<A: Role, B: Role>(one: &Endpoint<A>, other: &Endpoint<B>) {
    fn outcome<R: Role>(end: &Endpoint<R>) -> Option<Outcome<'_>> {
        match &end.layer {
            Layer::Whole(ws) => ws.outcome(),
            Layer::Streaming { connection, .. } => connection.outcome(),
            Layer::Halves(..) | Layer::Between => unreachable!("the halves are together"),
        }
    }
    let (outcome, others) = (outcome(one), outcome(other));
    assert_eq!(
        outcome.is_some(),
        others.is_some(),
        "one end is closing and the other is not"
    );
    let (Some(outcome), Some(others)) = (outcome, others) else {
        return;
    };
    assert_eq!((outcome.error, others.error), (None, None));
    let received = outcome.received.map(|close| close.code);
    assert!(
        received == others.sent.map(|close| close.code) || one.failed && received.is_none(),
        "{outcome} of {others}"
    );
    assert_eq!(outcome.clean, received.is_some());
}

libfuzzer_sys::fuzz_target!(|session: Session| {
    let mut server = Endpoint::<Server>::new(&session, 0);
    let mut client = Endpoint::<Client>::new(&session, 1);
    for (side, room, operation) in session.operations {
        match (side, operation) {
            (false, Operation::Arrive(most, room)) => {
                client.arrive(&mut server.under_way, most.into(), room.into())
            }
            (true, Operation::Arrive(most, room)) => {
                server.arrive(&mut client.under_way, most.into(), room.into())
            }
            (false, operation) => server.act(room, operation),
            (true, operation) => client.act(room, operation),
        }
    }
    while !server.under_way.is_empty()
        || !client.under_way.is_empty()
        || server.waits()
        || client.waits()
    {
        client.arrive(&mut server.under_way, usize::MAX, usize::MAX);
        client.reply(1 << 20);
        server.arrive(&mut client.under_way, usize::MAX, usize::MAX);
        server.reply(1 << 20);
    }
    server.join();
    client.join();
    let (Layer::Whole(_) | Layer::Streaming { .. }, Layer::Whole(_) | Layer::Streaming { .. }) =
        (&server.layer, &client.layer)
    else {
        unreachable!("the halves are together")
    };
    assert!(!server.waits() && !client.waits());
    server.check(&client);
    client.check(&server);
    agree(&server, &client);
    agree(&client, &server);
    if client.state() != State::Open && !client.failed {
        // The server closes the transport first (CL11).
        assert_eq!(
            either!(&mut client.layer, connection => connection.next_action()),
            Action::AwaitClose
        );
        assert_eq!(
            either!(&mut server.layer, connection => connection.next_action()),
            Action::CloseTransport
        );
    }
    match &mut client.layer {
        Layer::Whole(ws) => ws.recv_eof(),
        Layer::Streaming { connection, .. } => connection.recv_eof(),
        Layer::Halves(..) | Layer::Between => unreachable!("the halves are together"),
    }
    assert_eq!(
        either!(&mut client.layer, connection => connection.next_action()),
        Action::CloseTransport
    );
    client.act(None, Operation::Ping(Vec::new()));
});
