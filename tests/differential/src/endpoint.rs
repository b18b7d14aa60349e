//! An endpoint of an open connection, of any implementation: its events, and its answers.

use crate::common::{TestRole, code, read_all};
use crate::wire::Wire;
use ws_proto::{Config, Message, MessageKind, ProtocolError, WebSocket};

/// The events that an endpoint returns to its user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    Text(Vec<u8>),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>, String),
    /// The peer violated the protocol; this is the status code (RFC 6455 §7.4.1).
    Failed(u16),
}

/// The frames that an endpoint writes by itself. Of a Close, the code: whether to repeat the reason
/// is left open (§5.5.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Pong(Vec<u8>),
    Close(Option<u16>),
}

/// The messages of a user.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Text(String),
    Binary(Vec<u8>),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(u16, String),
}

/// How an endpoint is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setup {
    /// The longest frame and the longest message.
    pub(crate) max: usize,
    /// The most fragments of a message, for those that count them.
    pub(crate) max_fragments: u32,
    /// Whether lengths need not be in their shortest form, for those that can be asked.
    pub(crate) allow_non_minimal_length: bool,
    /// The longest frame that is sent: longer messages are fragmented.
    pub(crate) fragment: usize,
}

impl Setup {
    /// Every control frame is within all limits: some limits are for data frames, too.
    pub(crate) fn max(max: usize) -> Self {
        assert!(max >= 125);
        Self {
            max,
            max_fragments: 1024,
            allow_non_minimal_length: false,
            fragment: usize::MAX,
        }
    }
}

pub(crate) trait Endpoint<R> {
    fn new(wire: Wire, setup: &Setup) -> Self;

    /// The next event; `None` if there is none before there is more input. Nothing comes after a
    /// failure.
    fn recv(&mut self) -> Option<Event>;

    fn send(&mut self, step: &Step);
}

/// All that an endpoint made of its input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) events: Vec<Event>,
    pub(crate) answers: Vec<Answer>,
}

impl Account {
    /// The events and answers of a new endpoint for `bytes`, in chunks that end at `cuts`.
    pub(crate) fn of<R: TestRole, E: Endpoint<R>>(
        bytes: &[u8],
        cuts: &[usize],
        setup: &Setup,
    ) -> Self {
        let wire = Wire::default();
        let mut endpoint = E::new(wire.clone(), setup);
        let mut events = Vec::new();
        let mut start = 0;
        for &end in cuts
            .iter()
            .filter(|&&cut| cut <= bytes.len())
            .chain([&bytes.len()])
        {
            wire.feed(&bytes[start..end]);
            events.extend(std::iter::from_fn(|| endpoint.recv()));
            start = end;
        }
        wire.end();
        events.extend(std::iter::from_fn(|| endpoint.recv()));
        Self {
            events,
            answers: answers::<R>(&wire.take_written()),
        }
    }

    /// Whether it ended with a failure.
    pub(crate) fn failed(&self) -> Option<u16> {
        match self.events.last() {
            Some(Event::Failed(code)) => Some(*code),
            _ => None,
        }
    }

    /// As if the failure had not happened, and had not been reported.
    pub(crate) fn without_failure(&self) -> Self {
        let mut account = self.clone();
        if account.failed().is_some() {
            account = account.failed_silently();
            account.events.pop();
        }
        account
    }

    /// The same, if the failure had been for a rule with this status code.
    pub(crate) fn failed_with(&self, code: u16) -> Self {
        let mut account = self.clone();
        if let (Some(Event::Failed(event)), Some(Answer::Close(Some(answer)))) =
            (account.events.last_mut(), account.answers.last_mut())
        {
            (*event, *answer) = (code, code);
        }
        account
    }

    /// As if the failure had not been reported.
    pub(crate) fn failed_silently(&self) -> Self {
        let mut account = self.clone();
        account
            .answers
            .pop_if(|answer| self.failed().is_some() && matches!(answer, Answer::Close(_)));
        account
    }
}

/// The output of an endpoint of role `R`, which consists of valid Pongs and Close frames.
pub(crate) fn answers<R: TestRole>(written: &[u8]) -> Vec<Answer> {
    let frames = read_all::<R>(written).into_iter();
    let answer = |frame: crate::common::Frame| match (frame.opcode, frame.payload.as_slice()) {
        (10, payload) => Answer::Pong(payload.to_vec()),
        (8, []) => Answer::Close(None),
        (8, [high, low, ..]) => Answer::Close(Some(u16::from_be_bytes([*high, *low]))),
        _ => panic!("no answer to anything: {frame:?}"),
    };
    frames.map(answer).collect()
}

/// The endpoint of this crate.
pub(crate) struct Ours<R> {
    ws: WebSocket<R>,
    wire: Wire,
    input: Vec<u8>,
    /// How much of the input is used up.
    at: usize,
    fragment: usize,
}

impl<R: TestRole> Ours<R> {
    pub(crate) fn error(&self) -> Option<ProtocolError> {
        self.ws.error()
    }

    /// Whether the closing handshake was done in order (§7.1.4).
    pub(crate) fn is_clean(&self) -> bool {
        self.ws.outcome().is_some_and(|outcome| outcome.clean)
    }
}

impl<R: TestRole> Endpoint<R> for Ours<R> {
    fn new(wire: Wire, setup: &Setup) -> Self {
        let max = setup.max as u64;
        let config = Config::default()
            .with_max_message(max)
            .with_max_fragments(setup.max_fragments)
            .with_allow_non_minimal_length(setup.allow_non_minimal_length);
        Self {
            ws: WebSocket::new(R::make(), &config),
            wire,
            input: Vec::new(),
            at: 0,
            fragment: setup.fragment,
        }
    }

    fn recv(&mut self) -> Option<Event> {
        let mut out = Vec::new();
        let event = loop {
            let mut rest = &mut self.input[self.at..];
            let before = rest.len();
            let event = self
                .ws
                .recv(&mut rest, &mut out)
                .map(|message| match message {
                    Message::Text(text) => Event::Text(text.into_owned().into_bytes()),
                    Message::Binary(bytes) => Event::Binary(bytes.into_owned()),
                    Message::Ping => Event::Ping(Vec::new()),
                    Message::Pong => Event::Pong(Vec::new()),
                    Message::Close(code) => Event::Close(code.map(u16::from), String::new()),
                    Message::Failed(error) => Event::Failed(error.close_code().into()),
                    other => panic!("a new message: {other:?}"),
                });
            self.at += before - rest.len();
            if event.is_some() {
                break event;
            }
            let Some(piece) = self.wire.take_piece() else {
                break None;
            };
            (self.input, self.at) = (piece, 0);
        };
        self.wire.append(&out);
        Some(match event? {
            Event::Ping(_) => Event::Ping(self.ws.control_payload().to_vec()),
            Event::Pong(_) => Event::Pong(self.ws.control_payload().to_vec()),
            Event::Close(code, _) => Event::Close(
                code,
                self.ws
                    .close_received()
                    .map(|close| close.reason.into())
                    .unwrap_or_default(),
            ),
            other => other,
        })
    }

    fn send(&mut self, step: &Step) {
        let mut out = Vec::new();
        let sent = match step {
            Step::Text(text) if text.len() <= self.fragment => self.ws.send_text(text, &mut out),
            Step::Text(text) => self.send_fragments(MessageKind::Text, text.as_bytes(), &mut out),
            Step::Binary(bytes) if bytes.len() <= self.fragment => {
                self.ws.send_binary(bytes, &mut out)
            }
            Step::Binary(bytes) => self.send_fragments(MessageKind::Binary, bytes, &mut out),
            Step::Ping(payload) => self.ws.send_ping(payload, &mut out),
            Step::Pong(payload) => self.ws.send_pong(payload, &mut out),
            Step::Close(number, reason) => self.ws.close(code(*number), reason, &mut out),
        };
        sent.expect("it can be sent");
        self.wire.append(&out);
    }
}

impl<R: TestRole> Ours<R> {
    fn send_fragments(
        &mut self,
        kind: MessageKind,
        payload: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), ws_proto::SendError> {
        let mut parts = payload.chunks(self.fragment).peekable();
        while let Some(part) = parts.next() {
            self.ws
                .send_fragment(kind, part, parts.peek().is_none(), out)?;
        }
        Ok(())
    }
}
