//! All sequences of calls, not samples: after each of them, the connection is compared with the
//! table in the documentation of `State`.
//!
//! The table was written from RFC 6455 §5.5 and §7. `Model` adds everything that does not depend on
//! the state of closing: an unfinished message, an output without room, an event that waits for it,
//! and the replies that halves pass on.
//!
//! With optimisation sequences have up to 5 calls, without (`cargo test`) up to 3. A call that is
//! refused has no effect, and when the connection has ended little can change, so that after the
//! former one more call is tried, and after the latter two.

use crate::FULL;
use crate::common::{Frame, TestRole, read_all, wire};
use ws_proto::frame::Opcode;
use ws_proto::{
    Action, CappedOutput, Client, CloseCode, Config, Connection, Endpoint, Event, Message,
    MessageKind, MessageRecvHalf, MessageSendHalf, Negotiated, Outcome, ProtocolError, RecvHalf,
    Reply, SendError, SendHalf, Server, State, WebSocket,
};

/// The documentation of `State`, which has the table.
const DOCS: &str = include_str!("../../src/connection/closing.rs");

/// The columns of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    CloseSent,
    /// Close frames went both ways.
    Done,
    /// By a violation, or by `fail`.
    Failed,
    /// `recv_eof` was called.
    Ended,
}

impl Phase {
    fn name(self) -> &'static str {
        match self {
            Self::Open => "Open",
            Self::CloseSent => "Close sent",
            Self::Done => "Done",
            Self::Failed => "Failed",
            Self::Ended => "Ended",
        }
    }
}

const PHASES: [Phase; 5] = [
    Phase::Open,
    Phase::CloseSent,
    Phase::Done,
    Phase::Failed,
    Phase::Ended,
];

/// The rows of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Row {
    Send,
    Pong,
    Close,
    Fail,
    Data,
    Ping,
    PeerClose,
    Fault,
    Eof,
    State,
    Action,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cell {
    /// Whether the call has an effect; if not, it is refused, or the input is discarded.
    acts: bool,
    writes: bool,
    next: Option<Phase>,
}

struct Table {
    texts: Vec<Vec<&'static str>>,
    cells: Vec<Vec<Cell>>,
}

impl Table {
    fn parse() -> Self {
        let rows = DOCS
            .lines()
            .filter_map(|line| line.strip_prefix("/// |"))
            .skip(2);
        let texts: Vec<Vec<_>> = rows
            .map(|row| {
                row.trim_end_matches('|')
                    .split('|')
                    .skip(1)
                    .map(str::trim)
                    .collect::<Vec<_>>()
            })
            .collect();
        assert!(texts.len() == 11 && texts.iter().all(|row| row.len() == PHASES.len()));
        let cells = texts[..9]
            .iter()
            .map(|row| row.iter().map(|cell| Self::cell(cell)).collect())
            .collect();
        Self { texts, cells }
    }

    fn cell(text: &str) -> Cell {
        let mut cell = Cell {
            acts: false,
            writes: false,
            next: None,
        };
        for word in text.split(", ") {
            match word {
                "ok" | "event" => cell.acts = true,
                "`Closed`" | "-" => {}
                "frame" | "Pong" | "Close" => cell.writes = true,
                next => {
                    let next = next.strip_prefix("→ ").unwrap();
                    cell.next = PHASES.into_iter().find(|phase| phase.name() == next);
                    assert!(cell.next.is_some(), "{next}");
                }
            }
        }
        cell
    }

    fn get(&self, row: Row, phase: Phase) -> Cell {
        self.cells[row as usize][phase as usize]
    }

    fn state(&self, phase: Phase) -> State {
        match self.texts[Row::State as usize][phase as usize] {
            "`Open`" => State::Open,
            "`Closing`" => State::Closing,
            "`Closed`" => State::Closed,
            other => panic!("{other}"),
        }
    }

    fn transport<R: TestRole>(&self, phase: Phase) -> Action {
        const SERVER_FIRST: &str = "`CloseTransport` (a client: `AwaitClose`)";
        match self.texts[Row::Action as usize][phase as usize] {
            "`Continue`" => Action::Continue,
            "`AwaitClose`" => Action::AwaitClose,
            "`CloseTransport`" => Action::CloseTransport,
            SERVER_FIRST if R::MASKS => Action::AwaitClose,
            SERVER_FIRST => Action::CloseTransport,
            other => panic!("{other}"),
        }
    }
}

/// The frames that arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum In {
    Data,
    Ping,
    Close,
    EmptyClose,
    Fault,
}

const FAULT: ProtocolError = ProtocolError::ReservedOpcode(RESERVED);
const RESERVED: Opcode = Opcode::new(3).unwrap();

impl In {
    fn row(self) -> Row {
        match self {
            Self::Data => Row::Data,
            Self::Ping => Row::Ping,
            Self::Close | Self::EmptyClose => Row::PeerClose,
            Self::Fault => Row::Fault,
        }
    }

    fn frame(self) -> Frame {
        match self {
            Self::Data => Frame::text("hi"),
            Self::Ping => Frame::ping("p"),
            Self::Close => Frame::close(1001, "away"),
            Self::EmptyClose => Frame::empty_close(),
            Self::Fault => Frame::new(3, ""),
        }
    }

    /// The answer, with an empty reason, which no rule defines.
    fn answer(self) -> Option<Frame> {
        match self {
            Self::Data => None,
            Self::Ping => Some(Frame::pong("p")),
            Self::Close => Some(Frame::close(1001, "")),
            Self::EmptyClose => Some(Frame::empty_close()),
            Self::Fault => Some(Frame::close(1002, "")),
        }
    }

    fn ends(self) -> bool {
        !matches!(self, Self::Data | Self::Ping)
    }

    /// The code of the Close frame that came.
    fn code(self) -> Option<Option<CloseCode>> {
        match self {
            Self::Close => Some(Some(CloseCode::GOING_AWAY)),
            Self::EmptyClose => Some(None),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    Text,
    Part(MessageKind, bool),
    Ping,
    Pong,
    Close(Option<CloseCode>),
    Fail,
    /// Calls that are refused in any state.
    Misuse(Misuse),
    Recv(In),
    /// With an empty input.
    Resume,
    Eof,
    /// Halves: the reply is handed over.
    Deliver,
    /// Halves: the sender is notified of the end.
    SenderEof,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Misuse {
    LongPing,
    LongPong,
    InvalidText,
}

/// Is there room?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Enough,
    /// One byte less than the next frame takes.
    Short,
}

type Step = (Call, Room);

fn alphabet(halves: bool) -> Vec<Step> {
    use Call::*;
    let mut with_output = vec![
        Text,
        Part(MessageKind::Text, false),
        Part(MessageKind::Text, true),
        Part(MessageKind::Binary, true),
        Ping,
        Pong,
        Close(Some(CloseCode::NORMAL)),
        Close(None),
        Fail,
    ];
    let receiving = [
        Recv(In::Data),
        Recv(In::Ping),
        Recv(In::Close),
        Recv(In::EmptyClose),
        Recv(In::Fault),
    ];
    let misuses = [
        self::Misuse::LongPing,
        self::Misuse::LongPong,
        self::Misuse::InvalidText,
    ];
    let mut without = vec![Eof];
    without.extend(misuses.map(Misuse));
    if halves {
        with_output.push(Deliver);
        without.extend(receiving);
        without.push(SenderEof);
    } else {
        with_output.extend(receiving);
        with_output.push(Resume);
    }
    let both = with_output
        .into_iter()
        .flat_map(|call| [(call, Room::Enough), (call, Room::Short)]);
    both.chain(without.into_iter().map(|call| (call, Room::Enough)))
        .collect()
}

/// The result of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
struct CallResult {
    result: Result<(), SendError>,
    events: Vec<In>,
    written: Vec<Frame>,
}

/// How receiving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Peer(In),
    Eof,
    /// By `fail`.
    Abandoned,
}

#[derive(Debug, Clone)]
struct Model {
    halves: bool,
    /// Whether the output is masked, which needs 4 bytes.
    masks: bool,
    phase: Phase,
    by: Option<Endpoint>,
    sent: Option<Option<CloseCode>>,
    unfinished: Option<MessageKind>,
    frames: u64,
    end: Option<End>,
    /// The event that waits for room.
    held: Option<In>,
    /// The bytes that have arrived and were not received, since an event waits.
    queue: Vec<In>,
    /// Halves: the reply that was not passed on, and whether the answer to the event that ended
    /// receiving was.
    owed: Option<In>,
    answered: bool,
    /// The room that the next frame of the last call needs, if it has none.
    needed: usize,
}

impl Model {
    fn new<R: TestRole>(halves: bool) -> Self {
        Self {
            halves,
            masks: R::MASKS,
            phase: Phase::Open,
            by: None,
            sent: None,
            unfinished: None,
            frames: 0,
            end: None,
            held: None,
            queue: Vec::new(),
            owed: None,
            answered: false,
            needed: 1,
        }
    }

    fn size(&self, frame: &Frame) -> usize {
        frame.payload.len() + if self.masks { 6 } else { 2 }
    }

    fn call(&mut self, table: &Table, (call, room): Step) -> CallResult {
        let mut outcome = CallResult {
            result: Ok(()),
            events: Vec::new(),
            written: Vec::new(),
        };
        match call {
            Call::Recv(_) | Call::Resume => {
                if let Call::Recv(received) = call {
                    self.queue.push(received);
                }
                self.recv(table, room, &mut outcome);
            }
            Call::Eof if self.halves => _ = self.end.get_or_insert(End::Eof),
            Call::Eof | Call::SenderEof => {
                self.phase = table.get(Row::Eof, self.phase).next.unwrap_or(self.phase);
                self.by.get_or_insert(if self.held == Some(In::Fault) {
                    Endpoint::Local
                } else {
                    Endpoint::Peer
                });
                if !self.halves {
                    // An event that waits for room is still returned, and so is the end of the
                    // connection, if it caused that.
                    let end = self
                        .held
                        .filter(|held| held.ends())
                        .map_or(End::Eof, End::Peer);
                    self.end.get_or_insert(end);
                    self.queue.clear();
                }
            }
            Call::Deliver => {
                if let Some(owed) = self.owed {
                    match self.answer(table, owed, room) {
                        Ok(written) => {
                            outcome.written.extend(written);
                            self.owed = None;
                            self.answered |= owed.ends();
                        }
                        Err(full) => outcome.result = Err(full),
                    }
                }
            }
            _ => match self.send(table, call, room) {
                Ok(written) => outcome.written.extend(written),
                Err(error) => outcome.result = Err(error),
            },
        }
        self.frames += outcome.written.len() as u64;
        outcome
    }

    fn send(&mut self, table: &Table, call: Call, room: Room) -> Result<Option<Frame>, SendError> {
        let (row, frame) = match call {
            Call::Text => (Row::Send, Frame::text("a")),
            Call::Part(kind, last) => {
                let opcode = if self.unfinished.is_some() {
                    0
                } else {
                    u8::from(kind == MessageKind::Binary) + 1
                };
                (Row::Send, Frame::new(opcode, "a").fin(last))
            }
            Call::Ping => (Row::Send, Frame::ping("q")),
            Call::Pong => (Row::Pong, Frame::pong("r")),
            Call::Close(code) => (
                Row::Close,
                code.map_or_else(Frame::empty_close, |code| {
                    Frame::close(
                        code.into(),
                        if code == CloseCode::NORMAL { "bye" } else { "" },
                    )
                }),
            ),
            Call::Fail => (Row::Fail, Frame::close(1011, "sorry")),
            Call::Misuse(misuse) => {
                let (row, error) = match misuse {
                    Misuse::LongPing => (Row::Send, SendError::ControlTooLong),
                    Misuse::LongPong => (Row::Pong, SendError::ControlTooLong),
                    Misuse::InvalidText if self.unfinished == Some(MessageKind::Binary) => {
                        (Row::Send, SendError::MessageInProgress)
                    }
                    Misuse::InvalidText => (Row::Send, SendError::InvalidUtf8),
                };
                return Err(if table.get(row, self.phase).acts {
                    error
                } else {
                    SendError::Closed
                });
            }
            _ => unreachable!(),
        };
        let cell = table.get(row, self.phase);
        if !cell.acts {
            return Err(SendError::Closed);
        }
        match (call, self.unfinished) {
            (Call::Text, Some(_)) => return Err(SendError::MessageInProgress),
            (Call::Part(kind, _), Some(unfinished)) if kind != unfinished => {
                return Err(SendError::MessageInProgress);
            }
            _ => {}
        }
        let needed = self.size(&frame);
        if cell.writes && room == Room::Short {
            self.needed = needed;
            return Err(SendError::OutputFull { needed });
        }
        match call {
            Call::Part(kind, last) => self.unfinished = (!last).then_some(kind),
            Call::Close(code) => {
                self.sent = Some(code);
                self.by.get_or_insert(Endpoint::Local);
            }
            Call::Fail => {
                self.sent.get_or_insert(Some(CloseCode::INTERNAL_ERROR));
                self.by.get_or_insert(Endpoint::Local);
                if !self.halves {
                    self.end.get_or_insert(End::Abandoned);
                    self.held = None;
                    self.queue.clear();
                }
            }
            _ => {}
        }
        self.phase = cell.next.unwrap_or(self.phase);
        Ok(cell.writes.then_some(frame))
    }

    /// Receives all input. Of halves, the replies are owed.
    fn recv(&mut self, table: &Table, room: Room, outcome: &mut CallResult) {
        loop {
            let event = match self.held.take() {
                Some(held) => held,
                None if self.end.is_some() => {
                    self.queue.clear();
                    return;
                }
                None if self.queue.is_empty() => return,
                None => self.queue.remove(0),
            };
            // An event that waits has not happened yet.
            if self.halves {
                if event != In::Data {
                    self.owed = Some(event);
                }
            } else {
                match self.answer(table, event, room) {
                    Ok(written) => outcome.written.extend(written),
                    Err(_) => {
                        self.held = Some(event);
                        return;
                    }
                }
            }
            if event.ends() {
                self.end.get_or_insert(End::Peer(event));
            }
            outcome.events.push(event);
        }
    }

    fn answer(&mut self, table: &Table, event: In, room: Room) -> Result<Option<Frame>, SendError> {
        let cell = table.get(event.row(), self.phase);
        let frame = event.answer().filter(|_| cell.writes);
        if let (Some(frame), Room::Short) = (&frame, room) {
            self.needed = match event {
                // With a reason, which takes some more.
                In::Fault => self.size(frame) + 1,
                _ => self.size(frame),
            };
            return Err(SendError::OutputFull {
                needed: self.needed,
            });
        }
        self.phase = cell.next.unwrap_or(self.phase);
        if cell.next.is_some() {
            self.by.get_or_insert(if event == In::Fault {
                Endpoint::Local
            } else {
                Endpoint::Peer
            });
            if cell.writes {
                self.sent = Some(event.code().unwrap_or(Some(CloseCode::PROTOCOL_ERROR)));
            }
        }
        Ok(frame)
    }

    fn received(&self) -> Option<(Option<CloseCode>, &'static str)> {
        match self.end {
            Some(End::Peer(In::Close)) => Some((Some(CloseCode::GOING_AWAY), "away")),
            Some(End::Peer(In::EmptyClose)) => Some((None, "")),
            _ => None,
        }
    }

    fn error(&self) -> Option<ProtocolError> {
        (self.end == Some(End::Peer(In::Fault))).then_some(FAULT)
    }

    #[track_caller]
    fn check_outcome(&self, outcome: Option<Outcome<'_>>) {
        let Some(outcome) = outcome else {
            assert!(self.phase == Phase::Open && self.end.is_none(), "outcome");
            return;
        };
        assert!(self.phase != Phase::Open || self.end.is_some(), "outcome");
        let received = outcome.received.map(|close| (close.code, close.reason));
        assert_eq!(
            (
                received,
                outcome.sent.map(|close| close.code),
                outcome.error
            ),
            (self.received(), self.sent, self.error()),
            "outcome"
        );
        assert_eq!(
            outcome.clean,
            self.received().is_some() && self.sent.is_some(),
            "clean"
        );
        // A violation: it is this side that fails the connection, whatever else ends it.
        let by = if self.error().is_some() {
            Endpoint::Local
        } else {
            self.by.unwrap_or(Endpoint::Peer)
        };
        assert_eq!(outcome.by, by, "by");
    }
}

// The real ones.

/// A vector with room for `room` more bytes.
fn with_room<T>(
    out: &mut Vec<u8>,
    room: usize,
    call: impl FnOnce(&mut CappedOutput<'_>) -> T,
) -> T {
    let cap = out.len() + room;
    call(&mut CappedOutput::new(out, cap))
}

/// The actions of a sender.
macro_rules! send {
    ($sender:expr, $call:expr, $out:expr) => {
        match $call {
            Call::Text => $sender.send_text("a", $out),
            Call::Part(kind, last) => $sender.send_fragment(kind, b"a", last, $out),
            Call::Ping => $sender.send_ping(b"q", $out),
            Call::Pong => $sender.send_pong(b"r", $out),
            Call::Close(Some(code)) => $sender.close(code, "bye", $out),
            Call::Close(None) => $sender.close_without_code($out),
            Call::Fail => $sender.fail(CloseCode::INTERNAL_ERROR, "sorry", $out),
            Call::Misuse(Misuse::LongPing) => $sender.send_ping(&[0; 126], $out),
            Call::Misuse(Misuse::LongPong) => $sender.send_pong(&[0; 126], $out),
            Call::Misuse(Misuse::InvalidText) => {
                $sender.send_fragment(MessageKind::Text, b"\xff", true, $out)
            }
            other => panic!("{other:?} is not sent"),
        }
    };
}

trait Seen {
    /// The events, given the payload of the last control frame.
    fn what(self, control: &[u8]) -> In;
}

impl Seen for Event<'_> {
    fn what(self, control: &[u8]) -> In {
        match self {
            Event::Data(chunk) if chunk.payload == b"hi" && chunk.first && chunk.last => In::Data,
            Event::Ping if control == b"p" => In::Ping,
            Event::Close(Some(CloseCode::GOING_AWAY)) => In::Close,
            Event::Close(None) => In::EmptyClose,
            Event::Failed(FAULT) => In::Fault,
            other => panic!("{other:?}"),
        }
    }
}

impl Seen for Message<'_> {
    fn what(self, control: &[u8]) -> In {
        match self {
            Message::Text(text) if text == "hi" => In::Data,
            Message::Ping if control == b"p" => In::Ping,
            Message::Close(Some(CloseCode::GOING_AWAY)) => In::Close,
            Message::Close(None) => In::EmptyClose,
            Message::Failed(FAULT) => In::Fault,
            other => panic!("{other:?}"),
        }
    }
}

/// An endpoint as a program uses it.
trait Driven<R>: Sized {
    const HALVES: bool;
    fn make() -> Self;
    /// Calls it with this room. The rest of `input` that was not received is kept there.
    fn call(
        &mut self,
        call: Call,
        room: usize,
        input: &mut Vec<u8>,
        out: &mut Vec<u8>,
        events: &mut Vec<In>,
    ) -> Result<(), SendError>;
    /// Compares its accessors with the model.
    fn check(&self, model: &Model, table: &Table);
    /// The result of splitting or joining it: its last use.
    fn finish(self, model: Model, table: &Table);
}

/// Receives all of `input` that can be received, and leaves the rest in it.
macro_rules! receive {
    ($receiver:expr, $input:expr, $events:expr, |$rest:ident| $recv:expr) => {{
        let mut bytes = core::mem::take($input);
        let mut $rest = bytes.as_mut_slice();
        while let Some(event) = $recv {
            let control = $receiver.control_payload();
            $events.push(event.what(control));
            assert!($events.len() <= 10, "events without end");
        }
        *$input = $rest.to_vec();
    }};
}

macro_rules! whole {
    ($Type:ident) => {
        impl<R: TestRole> Driven<R> for $Type<R> {
            const HALVES: bool = false;

            fn make() -> Self {
                Self::new(Negotiated::new(R::make()), &Config::default())
            }

            fn call(
                &mut self,
                call: Call,
                room: usize,
                input: &mut Vec<u8>,
                out: &mut Vec<u8>,
                events: &mut Vec<In>,
            ) -> Result<(), SendError> {
                with_room(out, room, |out| {
                    match call {
                        Call::Recv(_) | Call::Resume => {
                            receive!(self, input, events, |rest| self.recv(&mut rest, out));
                            assert!(
                                input.is_empty() || self.is_paused(),
                                "None, not paused, and input is left"
                            );
                        }
                        Call::Eof => {
                            self.recv_eof();
                            input.clear();
                        }
                        _ => {
                            let result = send!(self, call, out);
                            if call == Call::Fail && result.is_ok() {
                                input.clear();
                            }
                            return result;
                        }
                    }
                    Ok(())
                })
            }

            fn check(&self, model: &Model, table: &Table) {
                assert_eq!(self.state(), table.state(model.phase), "state");
                assert_eq!(
                    self.next_action(),
                    table.transport::<R>(model.phase),
                    "transport"
                );
                assert_eq!(
                    self.close_sent().map(|close| close.code),
                    model.sent,
                    "close_sent"
                );
                assert_eq!(
                    self.close_received()
                        .map(|close| (close.code, close.reason)),
                    model.received(),
                    "close_received"
                );
                assert_eq!(self.error(), model.error(), "error");
                assert_eq!(self.is_paused(), model.held.is_some(), "is_paused");
                assert_eq!(self.sent().frames, model.frames, "sent");
                model.check_outcome(self.outcome());
            }

            /// "If receiving is paused, the receiver returns the event that waits, and then owes
            /// the reply."
            fn finish(self, mut model: Model, table: &Table) {
                let (mut receiver, mut sender) = self.split();
                let (mut out, mut events) = (Vec::new(), Vec::new());
                receive!(receiver, &mut Vec::new(), events, |rest| receiver
                    .recv(&mut rest));
                assert_eq!(events, Vec::from_iter(model.held), "the event that waits");
                let reply = receiver.take_reply();
                assert_eq!(reply.is_some(), model.held.is_some(), "the reply to it");
                if let (Some(reply), Some(held)) = (reply, model.held) {
                    sender.reply(&reply, &mut out).unwrap();
                    let written = model.answer(table, held, Room::Enough).unwrap();
                    assert_eq!(
                        frames::<R>(&out),
                        Vec::from_iter(written),
                        "the reply to it"
                    );
                }
                assert_eq!(
                    (sender.state(), sender.next_action()),
                    (table.state(model.phase), table.transport::<R>(model.phase)),
                    "halves"
                );
            }
        }
    };
}

whole!(WebSocket);
whole!(Connection);

/// Two halves, and a place for the reply between them.
struct Halves<A, B>(A, B, Option<Reply>);

macro_rules! halves {
    ($Type:ident, $RecvHalf:ident, $SendHalf:ident) => {
        impl<R: TestRole> Driven<R> for Halves<$RecvHalf<R>, $SendHalf<R>> {
            const HALVES: bool = true;

            fn make() -> Self {
                let (receiver, sender) =
                    $Type::new(Negotiated::new(R::make()), &Config::default()).split();
                Self(receiver, sender, None)
            }

            fn call(
                &mut self,
                call: Call,
                room: usize,
                input: &mut Vec<u8>,
                out: &mut Vec<u8>,
                events: &mut Vec<In>,
            ) -> Result<(), SendError> {
                let Self(receiver, sender, mail) = self;
                match call {
                    Call::Recv(_) => {
                        receive!(receiver, input, events, |rest| receiver.recv(&mut rest));
                        assert!(input.is_empty());
                    }
                    Call::Eof => receiver.recv_eof(),
                    Call::SenderEof => sender.transport_ended(),
                    Call::Deliver => {
                        *mail = receiver.take_reply().or(mail.take());
                        if let Some(reply) = mail {
                            with_room(out, room, |out| sender.reply(reply, out))?;
                        }
                        *mail = None;
                    }
                    _ => return with_room(out, room, |out| send!(sender, call, out)),
                }
                Ok(())
            }

            fn check(&self, model: &Model, table: &Table) {
                let Self(receiver, sender, _) = self;
                assert_eq!(sender.state(), table.state(model.phase), "state");
                assert_eq!(
                    sender.next_action(),
                    table.transport::<R>(model.phase),
                    "transport"
                );
                assert_eq!(
                    sender.close_sent().map(|close| close.code),
                    model.sent,
                    "close_sent"
                );
                assert_eq!(
                    receiver
                        .close_received()
                        .map(|close| (close.code, close.reason)),
                    model.received(),
                    "close_received"
                );
                assert_eq!(receiver.error(), model.error(), "error");
                assert_eq!(sender.sent().frames, model.frames, "sent");
            }

            /// "If the sender was not given the answer to the peer's Close or violation, the next
            /// `recv` returns the event again and appends the answer." If none is written, the
            /// sender is notified at once, as of the end of the stream. "A Pong that the sender was
            /// not given is not sent."
            fn finish(self, mut model: Model, table: &Table) {
                let Self(receiver, sender, _) = self;
                let mut whole = $Type::reunite(receiver, sender);
                let again = match model.end {
                    Some(End::Peer(event)) if !model.answered => match model.phase {
                        Phase::Open => Some(event),
                        _ => {
                            assert_eq!(model.answer(table, event, Room::Short), Ok(None));
                            None
                        }
                    },
                    Some(End::Eof) => {
                        model.call(table, (Call::SenderEof, Room::Enough));
                        None
                    }
                    _ => None,
                };
                model.check_outcome(whole.outcome());
                assert_eq!(
                    whole.is_paused(),
                    again.is_some(),
                    "halves together: is_paused"
                );
                let (mut out, mut events) = (Vec::new(), Vec::new());
                receive!(whole, &mut Vec::new(), events, |rest| whole
                    .recv(&mut rest, &mut out));
                let mut written = Vec::new();
                if let Some(event) = again {
                    written.extend(model.answer(table, event, Room::Enough).unwrap());
                }
                assert_eq!(
                    (events, frames::<R>(&out)),
                    (Vec::from_iter(again), written),
                    "halves together: the event again"
                );
                model.check_outcome(whole.outcome());
                assert_eq!(
                    (whole.state(), whole.next_action()),
                    (table.state(model.phase), table.transport::<R>(model.phase)),
                    "halves together"
                );
            }
        }
    };
}

halves!(Connection, RecvHalf, SendHalf);
halves!(WebSocket, MessageRecvHalf, MessageSendHalf);

/// The frames that were written. The reason of a Close that reports a violation is left out.
fn frames<R: TestRole>(out: &[u8]) -> Vec<Frame> {
    let mut frames = read_all::<R>(out);
    for frame in &mut frames {
        if frame.opcode == 8 && frame.payload.starts_with(&1002_u16.to_be_bytes()) {
            assert!(
                frame.payload.len() > 2,
                "a violation is reported with a reason"
            );
            frame.payload.truncate(2);
        }
    }
    frames
}

struct Search<'a> {
    table: Table,
    letters: &'a [Step],
    /// The frames that arrive, as bytes, in the order of [`In`].
    wires: Vec<Vec<u8>>,
    sequences: u64,
    refused: u64,
    paused: u64,
}

impl Search<'_> {
    fn extend<R: TestRole, E: Driven<R>>(
        &mut self,
        model: &Model,
        path: &mut Vec<(Step, usize)>,
        depth: usize,
    ) {
        for &step in self.letters {
            let mut next = model.clone();
            next.needed = 1;
            let outcome = next.call(&self.table, step);
            let room = match step.1 {
                Room::Enough => usize::MAX / 2,
                Room::Short => next.needed - 1,
            };
            path.push((step, room));
            self.sequences += 1;
            self.refused += u64::from(outcome.result.is_err());
            self.paused += u64::from(next.held.is_some());
            let names = || path.iter().map(|(step, _)| *step).collect::<Vec<_>>();
            let result = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| {
                self.check::<R, E>(&next, &outcome, path)
            }));
            if let Err(panic) = result {
                eprintln!(
                    "after {:?}, where {outcome:?} is expected, and {next:?}",
                    names()
                );
                std::panic::resume_unwind(panic);
            }
            // A call that is refused has no effect, and after the end nothing has one.
            let over = |phase| matches!(phase, Phase::Done | Phase::Failed | Phase::Ended);
            let most = match (outcome.result.is_err(), over(model.phase), over(next.phase)) {
                (true, ..) => 1,
                (_, true, _) => 1,
                (_, _, true) => 2,
                _ => depth,
            };
            if depth > 1 {
                self.extend::<R, E>(&next, path, most.min(depth - 1));
            }
            path.pop();
        }
    }

    /// Makes all the calls, and compares the effect of the last one.
    fn check<R: TestRole, E: Driven<R>>(
        &self,
        model: &Model,
        outcome: &CallResult,
        path: &[(Step, usize)],
    ) {
        let mut endpoint = E::make();
        let (mut input, mut out, mut events) = (Vec::new(), Vec::new(), Vec::new());
        let mut result = Ok(());
        for &((call, _), room) in path {
            out.clear();
            events.clear();
            if let Call::Recv(received) = call {
                input.extend_from_slice(&self.wires[received as usize]);
            }
            result = endpoint.call(call, room, &mut input, &mut out, &mut events);
        }
        if let (Err(SendError::OutputFull { needed }), Some(In::Fault), Call::Deliver) =
            (&mut result, model.owed, path[path.len() - 1].0.0)
        {
            // No rule defines the length of the reason.
            assert!(*needed >= model.needed);
            *needed = model.needed;
        }
        assert_eq!(
            (result, &events, frames::<R>(&out)),
            (outcome.result, &outcome.events, outcome.written.clone()),
            "the call"
        );
        let left: Vec<u8> = model
            .queue
            .iter()
            .flat_map(|received| self.wires[*received as usize].iter().copied())
            .collect();
        assert_eq!(input, left, "the input that is left");
        endpoint.check(model, &self.table);
        endpoint.finish(model.clone(), &self.table);
    }
}

fn check_calls<R: TestRole, E: Driven<R>>(depth: usize) {
    let wires = [In::Data, In::Ping, In::Close, In::EmptyClose, In::Fault].map(|received| {
        let mut bytes = wire::<R>(&[received.frame()]);
        if received == In::Fault {
            // The byte that violates the protocol, and nothing after it.
            bytes.truncate(1);
        }
        bytes
    });
    let letters = alphabet(E::HALVES);
    let mut search = Search {
        table: Table::parse(),
        letters: &letters,
        wires: wires.into(),
        sequences: 0,
        refused: 0,
        paused: 0,
    };
    search.extend::<R, E>(&Model::new::<R>(E::HALVES), &mut Vec::new(), depth);
    let Search {
        sequences,
        refused,
        paused,
        ..
    } = search;
    eprintln!(
        "{sequences} sequences of {} calls: {refused} end with one that is refused, {paused} paused",
        letters.len()
    );
    assert!(refused > 100 && (E::HALVES || paused > 100));
}

const DEPTH: usize = if FULL { 5 } else { 3 };

#[test]
fn se7_cl4_cl5_cl10_cl13_cl14_cl15_cl17_o1_a_websocket_follows_the_table_whatever_is_called() {
    check_calls::<Server, WebSocket<Server>>(DEPTH);
    check_calls::<Client, WebSocket<Client>>(DEPTH);
}

#[test]
fn se7_cl4_cl5_cl10_cl13_cl14_cl15_cl17_o1_a_connection_follows_the_table_whatever_is_called() {
    check_calls::<Server, Connection<Server>>(DEPTH);
    check_calls::<Client, Connection<Client>>(DEPTH);
}

#[test]
fn se7_ct5_ct7_cl14_halves_follow_the_table_whenever_the_reply_is_handed_over() {
    check_calls::<Server, Halves<RecvHalf<Server>, SendHalf<Server>>>(DEPTH);
    check_calls::<Client, Halves<RecvHalf<Client>, SendHalf<Client>>>(DEPTH);
}

#[test]
fn se7_ct5_ct7_cl14_halves_of_a_websocket_follow_the_table_whenever_the_reply_is_handed_over() {
    check_calls::<Server, Halves<MessageRecvHalf<Server>, MessageSendHalf<Server>>>(DEPTH);
    check_calls::<Client, Halves<MessageRecvHalf<Client>, MessageSendHalf<Client>>>(DEPTH);
}
