//! The four ways to receive, driven alike, and a record of their events and output.

use super::{Frame, TestRole, read_all, wire};
use std::borrow::Cow;
use ws_proto::frame::Header;
use ws_proto::{
    Action, Close, CloseCode, Config, Connection, Counters, Endpoint, Event, Message, MessageKind,
    MessageRecvHalf, MessageSendHalf, Outcome, ProtocolError, RecvHalf, SendHalf, State, WebSocket,
};

/// The events of a layer. Chunks of a message without another event between them are joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Data {
        kind: MessageKind,
        payload: Vec<u8>,
        first: bool,
        last: bool,
    },
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
    Failed(ProtocolError),
}

impl Seen {
    pub(crate) fn text(text: &str) -> Self {
        Self::message(MessageKind::Text, text.as_bytes())
    }

    pub(crate) fn binary(payload: &[u8]) -> Self {
        Self::message(MessageKind::Binary, payload)
    }

    pub(crate) fn message(kind: MessageKind, payload: &[u8]) -> Self {
        Self::part(kind, payload, true, true)
    }

    pub(crate) fn part(kind: MessageKind, payload: &[u8], first: bool, last: bool) -> Self {
        Self::Data {
            kind,
            payload: payload.to_vec(),
            first,
            last,
        }
    }

    pub(crate) fn ping(payload: impl AsRef<[u8]>) -> Self {
        Self::Ping(payload.as_ref().to_vec())
    }

    pub(crate) fn pong(payload: impl AsRef<[u8]>) -> Self {
        Self::Pong(payload.as_ref().to_vec())
    }

    pub(crate) fn close(code: u16, reason: &str) -> Self {
        Self::Close(Some(code), reason.into())
    }
}

/// All events of a layer, and the bytes that it wrote.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Log {
    pub(crate) seen: Vec<Seen>,
    pub(crate) out: Vec<u8>,
    /// The headers of the data frames, where the layer shows them.
    pub(crate) frames: Vec<Header>,
    /// Whether a message has begun and not ended.
    inside: bool,
    ended: bool,
}

impl Log {
    pub(super) fn data(
        &mut self,
        kind: MessageKind,
        bytes: &[u8],
        (first, last): (bool, bool),
        frame: Option<Header>,
    ) {
        assert_eq!(
            first, !self.inside,
            "a message begins once, and before the other one has ended none begins"
        );
        assert!(
            last || frame.is_some() || !bytes.is_empty(),
            "an empty chunk in the middle of a frame says nothing"
        );
        self.frames.extend(frame);
        self.inside = !last;
        match self.seen.last_mut() {
            Some(Seen::Data {
                kind: before,
                payload,
                last: ended @ false,
                ..
            }) => {
                assert_eq!(*before, kind);
                payload.extend_from_slice(bytes);
                *ended = last;
            }
            _ => self.push(Seen::part(kind, bytes, first, last)),
        }
    }

    fn push(&mut self, seen: Seen) {
        assert!(
            !self.ended,
            "nothing comes after a Close or a failure: {seen:?}"
        );
        self.ended = matches!(seen, Seen::Close(..) | Seen::Failed(_));
        self.seen.push(seen);
    }
}

/// The state that a layer is in at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) state: State,
    pub(crate) transport: Action,
    pub(crate) error: Option<ProtocolError>,
    pub(crate) close_received: Option<(Option<u16>, String)>,
    pub(crate) close_sent: Option<Option<CloseCode>>,
    pub(crate) by: Option<Endpoint>,
    pub(crate) clean: bool,
    pub(crate) control_payload: Vec<u8>,
    pub(crate) payload_left: u64,
    pub(crate) received: Counters,
    pub(crate) sent: Counters,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transcript {
    pub(crate) seen: Vec<Seen>,
    pub(crate) out: Vec<u8>,
    /// The headers of the data frames, where the layer shows them.
    pub(crate) frames: Vec<Header>,
    pub(crate) ended: Ended,
}

/// One of the ways to receive.
pub(crate) trait Layer<R>: Sized {
    fn make(config: &Config) -> Self;
    /// Receives until `input` produces nothing more.
    fn recv_all(&mut self, input: &mut [u8], log: &mut Log);
    fn ended(&self) -> Ended;
}

/// A receiver and a sender whose replies are handed over at once.
pub(crate) struct Halves<R>(pub(crate) RecvHalf<R>, pub(crate) SendHalf<R>);

/// The same of a [`WebSocket`].
pub(crate) struct MessageHalves<R>(pub(crate) MessageRecvHalf<R>, pub(crate) MessageSendHalf<R>);

/// Takes events until there are none, and checks that the input is used up then, in a bounded
/// number of steps (L6, SE10).
macro_rules! drain {
    ($input:ident, |$rest:ident| $recv:expr, $event:pat => $handle:expr) => {
        let most = $input.len() + 2;
        let mut steps = 0;
        let mut $rest = $input;
        while let Some($event) = $recv {
            $handle;
            steps += 1;
            assert!(steps <= most, "more events than bytes");
        }
        assert!($rest.is_empty(), "input is left behind");
    };
}

/// A [`WebSocket`] that is given payload in its place, where it has one, in turn with input; the
/// memory of its messages is given back as it is.
pub(crate) struct InPlace<R>(pub(crate) WebSocket<R>, usize);

/// The same of its halves.
pub(crate) struct InPlaceHalves<R>(MessageHalves<R>, usize);

impl<R> InPlace<R> {
    pub(crate) const fn new(ws: WebSocket<R>) -> Self {
        Self(ws, 0)
    }
}

/// Places input in `$place`, or receives it otherwise: of four turns, one has all that fits, one a
/// few bytes, one a few bytes as input. Memory that must be kept is recycled.
macro_rules! place {
    ($input:ident, $turn:expr, $place:expr, |$len:ident| $in_place:expr, |$rest:ident| $recv:expr, $event:pat => $handle:expr) => {
        while !$input.is_empty() {
            *$turn += 1;
            let turn = *$turn % 4;
            let place = $place;
            if place.is_empty() || turn == 0 {
                let len = if turn == 0 { $input.len().min(3) } else { $input.len() };
                let (now, later) = $input.split_at_mut(len);
                // The bytes after the payload must not be overlooked.
                drain!(now, |$rest| $recv, $event => $handle);
                $input = later;
            } else {
                let $len = place.len().min($input.len()).min(if turn == 1 { 5 } else { usize::MAX });
                let (now, later) = $input.split_at_mut($len);
                place[..$len].copy_from_slice(now);
                $input = later;
                if let Some($event) = $in_place {
                    $handle;
                }
            }
        }
        // An event may be left without input.
        drain!($input, |$rest| $recv, $event => $handle);
    };
}

/// The memory of an owned message.
fn memory(message: Message<'_>) -> Option<Vec<u8>> {
    match message {
        Message::Text(Cow::Owned(text)) => Some(text.into_bytes()),
        Message::Binary(Cow::Owned(bytes)) => Some(bytes),
        _ => None,
    }
}

/// The header of the frame that begins with an event.
macro_rules! frame_of {
    ($layer:expr, $event:expr) => {
        match &$event {
            Event::Data(chunk) => $layer.frame_header(chunk),
            _ => None,
        }
    };
}

#[cfg(feature = "deflate")]
pub(super) use frame_of;

pub(super) fn event(
    event: Event<'_>,
    frame: Option<Header>,
    control: &[u8],
    close: Option<Close<'_>>,
    log: &mut Log,
) {
    match event {
        Event::Data(chunk) => {
            log.data(chunk.kind, chunk.payload, (chunk.first, chunk.last), frame);
        }
        Event::Ping => log.push(Seen::ping(control)),
        Event::Pong => log.push(Seen::pong(control)),
        Event::Close(code) => log.push(close_seen(code, close)),
        Event::Failed(error) => log.push(Seen::Failed(error)),
        other => panic!("a new event: {other:?}"),
    }
}

fn message(message: Message<'_>, control: &[u8], close: Option<Close<'_>>, log: &mut Log) {
    match message {
        Message::Text(text) => log.push(Seen::text(&text)),
        Message::Binary(bytes) => log.push(Seen::binary(&bytes)),
        Message::Ping => log.push(Seen::ping(control)),
        Message::Pong => log.push(Seen::pong(control)),
        Message::Close(code) => log.push(close_seen(code, close)),
        Message::Failed(error) => log.push(Seen::Failed(error)),
        other => panic!("a new message: {other:?}"),
    }
}

fn close_seen(code: Option<CloseCode>, close: Option<Close<'_>>) -> Seen {
    let close = close.expect("a Close was received");
    assert_eq!(close.code, code);
    Seen::Close(code.map(u16::from), close.reason.into())
}

/// The state of a connection whose halves are together.
macro_rules! ended {
    ($whole:expr) => {{
        let outcome = $whole.outcome();
        if let Some(Outcome {
            received,
            sent,
            error,
            ..
        }) = outcome
        {
            assert_eq!(
                (received, sent, error),
                ($whole.close_received(), $whole.close_sent(), $whole.error())
            );
        }
        Ended {
            state: $whole.state(),
            transport: $whole.next_action(),
            error: $whole.error(),
            close_received: $whole
                .close_received()
                .map(|close| (close.code.map(u16::from), close.reason.into())),
            close_sent: $whole.close_sent().map(|close| close.code),
            by: outcome.map(|outcome| outcome.by),
            clean: outcome.is_some_and(|outcome| outcome.clean),
            control_payload: $whole.control_payload().to_vec(),
            payload_left: $whole.payload_left(),
            received: $whole.received(),
            sent: $whole.sent(),
        }
    }};
}

/// The state of two halves.
macro_rules! halves_ended {
    ($receiver:expr, $sender:expr) => {
        Ended {
            state: $sender.state(),
            transport: $sender.next_action(),
            error: $receiver.error(),
            close_received: $receiver
                .close_received()
                .map(|close| (close.code.map(u16::from), close.reason.into())),
            close_sent: $sender.close_sent().map(|close| close.code),
            by: None,
            clean: false,
            control_payload: $receiver.control_payload().to_vec(),
            payload_left: $receiver.payload_left(),
            received: $receiver.received(),
            sent: $sender.sent(),
        }
    };
}

impl<R: TestRole> Layer<R> for Connection<R> {
    fn make(config: &Config) -> Self {
        Self::new(R::make(), config)
    }

    fn recv_all(&mut self, input: &mut [u8], log: &mut Log) {
        drain!(input, |rest| self.recv(&mut rest, &mut log.out), got => {
            let frame = frame_of!(self, got);
            event(got, frame, self.control_payload(), self.close_received(), log);
        });
    }

    fn ended(&self) -> Ended {
        ended!(self)
    }
}

impl<R: TestRole> Layer<R> for WebSocket<R> {
    fn make(config: &Config) -> Self {
        Self::new(R::make(), config)
    }

    fn recv_all(&mut self, input: &mut [u8], log: &mut Log) {
        drain!(input, |rest| self.recv(&mut rest, &mut log.out), got => message(got, self.control_payload(), self.close_received(), log));
    }

    fn ended(&self) -> Ended {
        ended!(self)
    }
}

impl<R: TestRole> Layer<R> for Halves<R> {
    fn make(config: &Config) -> Self {
        let (receiver, sender) = Connection::new(R::make(), config).split();
        Self(receiver, sender)
    }

    fn recv_all(&mut self, input: &mut [u8], log: &mut Log) {
        let Self(receiver, sender) = self;
        drain!(input, |rest| receiver.recv(&mut rest), got => {
            let frame = frame_of!(receiver, got);
            event(got, frame, receiver.control_payload(), receiver.close_received(), log);
            if let Some(reply) = receiver.take_reply() {
                sender.reply(&reply, &mut log.out).unwrap();
            }
        });
    }

    fn ended(&self) -> Ended {
        halves_ended!(self.0, self.1)
    }
}

impl<R: TestRole> Layer<R> for MessageHalves<R> {
    fn make(config: &Config) -> Self {
        let (receiver, sender) = WebSocket::new(R::make(), config).split();
        Self(receiver, sender)
    }

    fn recv_all(&mut self, input: &mut [u8], log: &mut Log) {
        let Self(receiver, sender) = self;
        drain!(input, |rest| receiver.recv(&mut rest), got => {
            message(got, receiver.control_payload(), receiver.close_received(), log);
            if let Some(reply) = receiver.take_reply() {
                sender.reply(&reply, &mut log.out).unwrap();
            }
        });
    }

    fn ended(&self) -> Ended {
        halves_ended!(self.0, self.1)
    }
}

impl<R: TestRole> Layer<R> for InPlace<R> {
    fn make(config: &Config) -> Self {
        Self::new(WebSocket::new(R::make(), config))
    }

    fn recv_all(&mut self, mut input: &mut [u8], log: &mut Log) {
        let Self(ws, turn) = self;
        place!(input, turn, ws.payload_buffer(),
            |len| ws.recv_payload(len),
            |rest| ws.recv(&mut rest, &mut log.out),
            got => {
                message(got.clone(), ws.control_payload(), ws.close_received(), log);
                if let Some(memory) = memory(got) {
                    ws.recycle(memory);
                }
            }
        );
    }

    fn ended(&self) -> Ended {
        ended!(self.0)
    }
}

impl<R: TestRole> Layer<R> for InPlaceHalves<R> {
    fn make(config: &Config) -> Self {
        Self(MessageHalves::make(config), 0)
    }

    fn recv_all(&mut self, mut input: &mut [u8], log: &mut Log) {
        let Self(MessageHalves(receiver, sender), turn) = self;
        place!(input, turn, receiver.payload_buffer(),
            |len| receiver.recv_payload(len),
            |rest| receiver.recv(&mut rest),
            got => {
                message(got.clone(), receiver.control_payload(), receiver.close_received(), log);
                if let Some(reply) = receiver.take_reply() {
                    sender.reply(&reply, &mut log.out).unwrap();
                }
                if let Some(memory) = memory(got) {
                    receiver.recycle(memory);
                }
            }
        );
    }

    fn ended(&self) -> Ended {
        self.0.ended()
    }
}

/// The transcript of a new layer for `bytes`, split at the given places.
pub(crate) fn run<R: TestRole, L: Layer<R>>(
    config: &Config,
    bytes: &[u8],
    cuts: &[usize],
) -> Transcript {
    drive(L::make(config), bytes, cuts)
}

/// The transcript of this layer for `bytes`, split at the given places.
pub(crate) fn drive<R: TestRole>(
    mut layer: impl Layer<R>,
    bytes: &[u8],
    cuts: &[usize],
) -> Transcript {
    let mut cuts: Vec<_> = cuts.iter().map(|&cut| cut.min(bytes.len())).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    let mut log = Log::default();
    for ends in cuts.windows(2) {
        layer.recv_all(&mut bytes[ends[0]..ends[1]].to_vec(), &mut log);
    }
    Transcript {
        seen: log.seen,
        out: log.out,
        frames: log.frames,
        ended: layer.ended(),
    }
}

/// The events of a layer of complete messages, derived from those of a streaming one.
pub(crate) fn assembled(seen: Vec<Seen>) -> Vec<Seen> {
    let mut message = Vec::new();
    let mut messages = Vec::new();
    for seen in seen {
        match seen {
            Seen::Data {
                kind,
                payload,
                last,
                ..
            } => {
                message.extend(payload);
                if last {
                    messages.push(Seen::message(kind, &core::mem::take(&mut message)));
                }
            }
            other => messages.push(other),
        }
    }
    messages
}

/// The events and answers of a [`WebSocket`] for these frames of its peer. In one input and byte by
/// byte they are the same, and so are those of a [`Connection`].
#[track_caller]
pub(crate) fn receive<R: TestRole>(frames: &[Frame]) -> (Vec<Seen>, Vec<Frame>) {
    receive_with::<R>(&Config::default(), frames)
}

#[track_caller]
pub(crate) fn receive_with<R: TestRole>(
    config: &Config,
    frames: &[Frame],
) -> (Vec<Seen>, Vec<Frame>) {
    let bytes = wire::<R>(frames);
    let whole = run::<R, WebSocket<R>>(config, &bytes, &[]);
    let cut = run::<R, WebSocket<R>>(
        config,
        &bytes,
        &(0..bytes.len().min(1000)).collect::<Vec<_>>(),
    );
    assert_eq!(whole, cut, "the cut makes a difference");
    let streamed = run::<R, Connection<R>>(config, &bytes, &[]);
    assert_eq!(
        (assembled(streamed.seen), streamed.out, streamed.ended),
        (cut.seen, cut.out, cut.ended),
        "streaming makes a difference"
    );
    (whole.seen, read_all::<R>(&whole.out))
}

/// The events and answers of a [`Connection`] for these frames of its peer.
#[track_caller]
pub(crate) fn stream<R: TestRole>(frames: &[Frame]) -> (Vec<Seen>, Vec<Frame>) {
    let outcome = run::<R, Connection<R>>(&Config::default(), &wire::<R>(frames), &[]);
    (outcome.seen, read_all::<R>(&outcome.out))
}
