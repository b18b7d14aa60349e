//! The receiving half of a connection: bytes in, streaming events out (RFC 6455 §5, §6.2, §7).
//!
//! Enforces every rule on what a peer may send and when. It sends nothing itself: what it owes the peer is a [`Reply`] for the
//! sending half. It knows nothing of whole messages in memory, and allocates nothing.
//!
//! [`RecvState`] is the machine, which a connection holds beside the sending half. [`Receiver`] is the same alone, with a place for the
//! reply that nobody has taken yet.

use crate::close::{Close, CloseCode};
use crate::config::Config;
use crate::error::ProtocolError;
use crate::frame::{Header, fault};
use crate::mask::{BLOCK, Mask};
use crate::opcode::{Kind, Opcode};
use crate::reply::{ControlPayload, Reply};
use crate::role::Role;
use crate::stats::Stats;
use crate::utf8::Utf8;
use core::marker::PhantomData;
use core::{fmt, mem, str};

/// What the peer did. It borrows the input and nothing else.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'b> {
    /// A piece of a message.
    Data(Chunk<'b>),
    /// A Ping (RFC 6455 §5.5.2). Its payload is [`Connection::control_payload`](crate::Connection::control_payload); the Pong is already in the output.
    Ping,
    /// A Pong (§5.5.3). Its payload is [`Connection::control_payload`](crate::Connection::control_payload).
    Pong,
    /// A Close frame with this code (§5.5.1). Its reason is in [`Connection::close_received`](crate::Connection::close_received); the answer is already in the
    /// output. Nothing comes after it.
    Close(Option<CloseCode>),
    /// The peer broke a rule, and the connection failed (§7.1.7). The Close frame that says so is already in the output. Nothing comes after it.
    Failed(ProtocolError),
}

/// A piece of a message: as much of it as stood in the input in one place.
#[derive(Debug, PartialEq, Eq)]
pub struct Chunk<'b> {
    /// The type of the message.
    pub kind: Kind,
    /// The bytes, unmasked where they stood. Those of a text are valid UTF-8, but the end may split a character (see [`Utf8`]).
    pub payload: &'b mut [u8],
    /// Whether the message begins here.
    pub first: bool,
    /// Whether the message ends here.
    pub last: bool,
    /// Whether the message is compressed (RFC 7692 §6): the bytes are to be inflated, and of a text it is not known whether it is valid.
    pub compressed: bool,
}

/// A piece of a message as it arrived: masked, and text not validated.
pub(crate) struct Piece<'b> {
    pub(crate) kind: Kind,
    pub(crate) payload: &'b mut [u8],
    mask: Mask,
    first: bool,
    pub(crate) last: bool,
    pub(crate) compressed: bool,
}

pub(crate) enum Arrival<'b> {
    Data(Piece<'b>),
    Control(Control),
}

/// A control frame that has been acted on.
pub(crate) enum Control {
    Ping,
    Pong,
    Close(Option<CloseCode>),
}

impl From<Control> for Event<'_> {
    fn from(control: Control) -> Self {
        match control {
            Control::Ping => Self::Ping,
            Control::Pong => Self::Pong,
            Control::Close(code) => Self::Close(code),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// A frame begins. As much of its header as has arrived is kept.
    Header,
    /// In the payload of a data frame.
    Data,
    /// In the payload of a control frame.
    Control(Opcode),
    /// Invalid UTF-8 follows; the valid prefix was already emitted.
    Invalid,
    /// The last event is returned again: the output had no room for the reply to it.
    Held,
    /// Nothing more is received (§1.4, §7.1.7).
    Ended,
}

/// How receiving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Close(Option<CloseCode>),
    /// The peer violated the protocol, in the way that [`Last::Error`] has.
    Failed,
    Eof,
    /// The caller failed the connection.
    Abandoned,
}

/// The payload of the last control frame, or the error: after a failure, no control frame comes.
#[derive(Debug)]
enum Last {
    Control(ControlPayload),
    Error(ProtocolError),
}

/// The receiving half of a [`Connection`](crate::Connection), for programs that read and write in two tasks.
///
/// It works like the connection, except that it has no output: what the peer is owed is a [`Reply`], which
/// [`take_reply`](Self::take_reply) returns and [`Sender::reply`](crate::Sender::reply) sends.
///
/// The tasks must tell each other four things:
///
/// * **The reply.** Take it after each event, or when nothing more comes of the input: at most one is owed, and it is owed until it is
///   taken. A place for one reply is all that the tasks need between them, since a later one always replaces an earlier one that was not
///   sent: a newer Pong answers the older Ping too (RFC 6455 §5.5.3), and nothing follows a Close. A queue would give a peer that sends
///   Pings and does not read the memory of this endpoint, and a bounded channel would stop the tasks. Hand over the reply to a Close
///   too: it may have nothing to write, but it tells the sender that the connection is closed.
/// * **The end of the input.** The reading task calls [`recv_eof`](Self::recv_eof), and the writing task
///   [`Sender::recv_eof`](crate::Sender::recv_eof).
/// * **What to do with the transport.** [`Sender::transport`](crate::Sender::transport) tells the writing task.
/// * **The end of the reading task.** When a timer fires or a write fails, the writing task must be able to end the reading task, for
///   instance by shutting down the socket in both directions; otherwise it waits for a peer that is gone.
///
/// When both have ended, [`Connection::from_halves`](crate::Connection::from_halves) puts the halves together, to see
/// [how](crate::Connection::closure).
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use ws_proto::{Config, Connection, Event, Reply, Server};
///
/// let (mut receiver, mut sender) = Connection::new(Server, &Config::default()).into_halves();
/// let mailbox = Arc::new(Mutex::new(None::<Reply>)); // one place: a newer reply replaces an older one
///
/// // The reading task.
/// let mut bytes = *b"\x89\x82\0\0\0\0hi\x89\x83\0\0\0\0hey";
/// let mut input = &mut bytes[..];
/// while let Some(event) = receiver.recv(&mut input) {
///     assert_eq!(event, Event::Ping);
/// }
/// if let Some(reply) = receiver.take_reply() {
///     *mailbox.lock().unwrap() = Some(reply); // and wake the writing task
/// }
///
/// // The writing task, when it is woken.
/// let mut out = Vec::new();
/// if let Some(reply) = mailbox.lock().unwrap().take() {
///     sender.reply(&reply, &mut out)?;
/// }
/// assert_eq!(out, b"\x8a\x03hey");
/// # Ok::<(), ws_proto::SendError>(())
/// ```
#[derive(Debug)]
pub struct Receiver<R> {
    pub(crate) state: RecvState<R>,
    owed: Option<Reply>,
}

impl<R: Role> Receiver<R> {
    pub(crate) const fn new(state: RecvState<R>) -> Self {
        Self { state, owed: None }
    }

    /// Consumes the next event from `input`; `None` if there is none, and then `input` is empty. After a Close or a failure all input is
    /// discarded (RFC 6455 §1.4, §7.1.7).
    #[inline]
    pub fn recv<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Event<'b>> {
        let event = self.state.recv(input)?;
        if !matches!(event, Event::Data(_)) {
            self.state.owe(&mut self.owed);
        }
        Some(event)
    }

    /// Takes the reply that the peer is owed, if any: the Pong to the last Ping, or the Close after which nothing is owed. It is owed until
    /// it is taken, whatever was received since.
    pub const fn take_reply(&mut self) -> Option<Reply> {
        self.owed.take()
    }

    /// Ends the input: the peer closed or reset the transport. Must be called after [`recv`](Self::recv) has consumed what was received.
    pub fn recv_eof(&mut self) {
        self.state.recv_eof();
    }

    /// The payload of the Ping or Pong that came last: up to 125 bytes, binary (§5.5.2). The next control frame replaces it, and a failure empties it.
    #[must_use]
    pub fn control_payload(&self) -> &[u8] {
        self.state.control_payload()
    }

    /// The Close frame that was received, if one was.
    #[must_use]
    pub fn close_received(&self) -> Option<Close<'_>> {
        self.state.close_received()
    }

    /// The error for which the connection failed, if the peer violated the protocol.
    #[must_use]
    pub const fn error(&self) -> Option<ProtocolError> {
        self.state.error()
    }

    /// How many bytes of the current frame's payload are still to come; 0 between frames.
    ///
    /// A driver that reads as many bytes into the place after the data of a message that it has receives all of that frame in one place,
    /// without a copy.
    #[must_use]
    pub const fn payload_left(&self) -> u64 {
        self.state.payload_left()
    }

    /// How much was received.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.state.stats()
    }
}

/// The receiving machine.
pub(crate) struct RecvState<R> {
    config: Config,
    /// Whether RSV1 means that a message is compressed (RFC 7692 §6).
    may_compress: bool,
    phase: Phase,
    end: Option<End>,
    /// Whether the last event is to be answered. Whoever receives an event takes the reply at once.
    owes: bool,

    /// The beginning of a header that a cut has split.
    header: [u8; Header::MAX_LEN],
    header_len: u8,

    /// The frame that is being received: how much of its payload is to come, and how it is masked from there on.
    left: u64,
    mask: Mask,
    fin: bool,

    /// The message that is incomplete, whether it is compressed, whether a chunk of it was given out, how long it is with the current frame, and of how many frames.
    kind: Option<Kind>,
    compressed: bool,
    begun: bool,
    size: u64,
    fragments: u32,
    pub(crate) utf8: Utf8,

    last: Last,

    stats: Stats,
    role: PhantomData<fn() -> R>,
}

impl<R: Role> RecvState<R> {
    pub(crate) fn new(config: &Config, may_compress: bool) -> Self {
        Self {
            config: config.clone(),
            may_compress,
            phase: Phase::Header,
            end: None,
            owes: false,
            header: [0; Header::MAX_LEN],
            header_len: 0,
            left: 0,
            mask: Mask([0; 4]),
            fin: false,
            kind: None,
            compressed: false,
            begun: false,
            size: 0,
            fragments: 0,
            utf8: Utf8::new(),
            last: Last::Control(ControlPayload::new()),
            stats: Stats::default(),
            role: PhantomData,
        }
    }

    #[inline]
    pub(crate) fn recv<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Event<'b>> {
        match self.arrival(input)? {
            Ok(Arrival::Data(piece)) => Some(self.open(piece)),
            Ok(Arrival::Control(control)) => Some(control.into()),
            Err(error) => Some(Event::Failed(self.fail(error))),
        }
    }

    /// What the last event is to be answered with, if it is. Must be called after each event that is not data.
    pub(crate) fn take_reply(&mut self) -> Option<Reply> {
        if !mem::take(&mut self.owes) {
            return None;
        }
        Some(match (&self.last, self.end) {
            (Last::Error(error), _) => Reply::fail(*error),
            (_, Some(End::Close(code))) => Reply::close(code),
            (Last::Control(payload), _) => Reply::pong(payload),
        })
    }

    /// Puts what the last event is to be answered with into `owed`, in the place of what was owed before.
    #[cold]
    pub(crate) fn owe(&mut self, owed: &mut Option<Reply>) {
        if let Some(reply) = self.take_reply() {
            *owed = Some(reply);
        }
    }

    /// Returns the last event again, since its reply was not sent. Nothing else is received before.
    #[cold]
    pub(crate) const fn hold(&mut self) {
        self.phase = Phase::Held;
    }

    pub(crate) fn is_held(&self) -> bool {
        self.phase == Phase::Held
    }

    pub(crate) fn recv_eof(&mut self) {
        self.stop(End::Eof);
    }

    pub(crate) fn control_payload(&self) -> &[u8] {
        match &self.last {
            Last::Control(payload) => payload.as_bytes(),
            Last::Error(_) => &[],
        }
    }

    pub(crate) fn close_received(&self) -> Option<Close<'_>> {
        let Some(End::Close(code)) = self.end else { return None };
        let reason = self.control_payload().get(2..).unwrap_or_default();
        Some(Close { code, reason: str::from_utf8(reason).unwrap_or_default() })
    }

    pub(crate) const fn error(&self) -> Option<ProtocolError> {
        match self.last {
            Last::Error(error) => Some(error),
            Last::Control(_) => None,
        }
    }

    pub(crate) const fn payload_left(&self) -> u64 {
        self.left
    }

    pub(crate) const fn stats(&self) -> Stats {
        self.stats
    }

    /// The longest message that is accepted.
    #[cfg(feature = "deflate")]
    pub(crate) const fn max_message(&self) -> u64 {
        self.config.max_message
    }

    /// How much of the current message has arrived, in bytes, and how much there can be of it at most, as far as that is known.
    #[cfg(feature = "alloc")]
    pub(crate) const fn message_len(&self) -> (u64, u64) {
        (self.size - self.left, if self.fin { self.size } else { self.config.max_message })
    }

    /// Whether all further input is discarded.
    pub(crate) const fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Whether the peer sent a Close or violated the protocol.
    pub(crate) const fn ended_by_peer(&self) -> bool {
        matches!(self.end, Some(End::Close(_) | End::Failed))
    }

    /// Discards all further input (§7.1.7).
    pub(crate) fn abandon(&mut self) {
        self.stop(End::Abandoned);
    }

    /// Ends receiving, since the peer violated the protocol.
    #[cold]
    pub(crate) fn fail(&mut self, error: ProtocolError) -> ProtocolError {
        self.stop(End::Failed);
        self.last = Last::Error(error);
        self.owes = true;
        error
    }

    /// Discards all that comes from now on. What ended receiving first stays the reason.
    fn stop(&mut self, end: End) {
        self.phase = Phase::Ended;
        self.left = 0;
        self.end.get_or_insert(end);
    }

    /// The message at the front of `input`, if it is the simple case: in one frame, and all of it here. It decides nothing, since whatever it does not take
    /// goes the general way, which would do the same with it in more steps.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(crate) fn whole_message<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<(Kind, &'b mut [u8])> {
        if self.phase != Phase::Header || self.header_len != 0 || self.kind.is_some() {
            return None;
        }
        let (header, taken) = Header::decode(input)?;
        let kind = Kind::of(header.opcode)?;
        let plain = header.fin && header.rsv == 0 && header.mask.is_some() != R::IS_CLIENT && header.is_minimal(taken);
        if !plain || header.len > self.config.max_message || header.len > (input.len() - taken) as u64 {
            return None;
        }
        cut(input, taken);
        let payload = cut(input, header.len as usize);
        if let Some(mask) = header.mask {
            mask.apply(payload, 0);
        }
        self.stats.count(header.len);
        Some((kind, payload))
    }

    /// The next piece of a message or the next control frame.
    #[inline]
    pub(crate) fn arrival<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Result<Arrival<'b>, ProtocolError>> {
        loop {
            match self.phase {
                Phase::Header => match self.next_header(input)? {
                    Ok(header) => self.enter(&header),
                    Err(error) => return Some(Err(error)),
                },
                Phase::Data => {
                    if let Some(piece) = self.piece(input)? {
                        return Some(Ok(Arrival::Data(piece)));
                    }
                }
                Phase::Control(opcode) => return self.control_frame(opcode, input),
                Phase::Invalid => return Some(Err(ProtocolError::InvalidUtf8)),
                Phase::Held => return Some(self.held()),
                Phase::Ended => {
                    *input = &mut [];
                    return None;
                }
            }
        }
    }

    /// Cuts the next header off. It is valid: it may come now, and the limits permit its payload.
    #[inline]
    fn next_header(&mut self, input: &mut &mut [u8]) -> Option<Result<Header, ProtocolError>> {
        if self.header_len == 0 {
            if let Some((header, taken)) = Header::decode(input) {
                if self.check(&header, taken).is_ok() {
                    cut(input, taken);
                    return Some(Ok(header));
                }
            }
        }
        self.next_header_bytewise(input)
    }

    /// The same for a header that is split or violates a rule. It is read byte by byte, so that the violation is found at the byte that makes
    /// it certain, wherever the input is cut.
    #[cold]
    fn next_header_bytewise(&mut self, input: &mut &mut [u8]) -> Option<Result<Header, ProtocolError>> {
        loop {
            let &mut byte = cut(input, 1).first_mut()?;
            if let Some(place) = self.header.get_mut(usize::from(self.header_len)) {
                *place = byte;
                self.header_len += 1;
            }
            let header = self.header.get(..self.header_len.into()).unwrap_or_default();
            if let Some(error) = fault(header, |header, taken| self.check(header, taken)) {
                return Some(Err(error));
            }
            if let Some((header, _)) = Header::decode(header) {
                self.header_len = 0;
                return Some(Ok(header));
            }
        }
    }

    /// Checks a header against all rules and limits, in the order of the bytes that violate them.
    #[inline]
    fn check(&self, header: &Header, taken: usize) -> Result<(), ProtocolError> {
        let kind = Kind::of(header.opcode);
        if header.rsv != 0 && !(header.rsv == Header::RSV1 && self.may_compress && kind.is_some()) {
            return Err(ProtocolError::ReservedBits(header.rsv));
        }
        header.check_opcode()?;
        let is_control = header.opcode.is_control();
        if !is_control {
            match (self.kind, kind) {
                (None, None) => return Err(ProtocolError::UnexpectedContinuation),
                (Some(incomplete), Some(begun)) => return Err(ProtocolError::ExpectedContinuation { incomplete, begun }),
                _ => {}
            }
        }
        if header.mask.is_some() == R::IS_CLIENT {
            return Err(if R::IS_CLIENT { ProtocolError::Masked } else { ProtocolError::Unmasked });
        }
        header.check_len(self.config.allow_non_minimal_length || header.is_minimal(taken))?;
        if is_control { Ok(()) } else { self.check_limits(header) }
    }

    #[inline]
    fn check_limits(&self, header: &Header) -> Result<(), ProtocolError> {
        let (size, fragments) = self.message_with(header);
        if self.is_compressed(header) {
            let limit = self.config.max_compressed();
            if size > limit {
                return Err(ProtocolError::CompressedTooLong { len: size, limit });
            }
        } else if size > self.config.max_message {
            return Err(ProtocolError::MessageTooLong { len: size, limit: self.config.max_message });
        }
        let (fragments, limit) = (fragments.into(), self.config.fragments_for(size).max(1));
        if fragments > limit {
            return Err(ProtocolError::TooManyFragments { fragments, limit });
        }
        Ok(())
    }

    /// The length that the frames of the message declare and their number, with this frame.
    #[inline]
    const fn message_with(&self, header: &Header) -> (u64, u32) {
        match self.kind {
            None => (header.len, 1),
            Some(_) => (self.size.saturating_add(header.len), self.fragments.saturating_add(1)),
        }
    }

    /// Whether the message is compressed that this frame belongs to.
    #[inline]
    const fn is_compressed(&self, header: &Header) -> bool {
        match self.kind {
            None => header.rsv != 0,
            Some(_) => self.compressed,
        }
    }

    /// Enters the payload of a frame whose header was checked.
    #[inline]
    fn enter(&mut self, header: &Header) {
        if header.opcode.is_control() {
            self.phase = Phase::Control(header.opcode);
            self.last = Last::Control(ControlPayload::new());
        } else {
            (self.size, self.fragments) = self.message_with(header);
            self.compressed = self.is_compressed(header);
            if let Some(kind) = Kind::of(header.opcode) {
                self.kind = Some(kind);
                self.begun = false;
            }
            self.phase = Phase::Data;
            self.fin = header.fin;
        }
        self.left = header.len;
        self.mask = header.mask.unwrap_or(Mask([0; 4]));
        self.stats.count(header.len);
    }

    /// What has arrived of the current data frame; `Some(None)` for one that is empty and not the last of its message.
    #[inline]
    fn piece<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Option<Piece<'b>>> {
        let kind = self.kind?;
        if input.is_empty() && self.left > 0 {
            return None;
        }
        let mask = self.mask;
        let payload = self.cut_payload(input);
        if self.left == 0 {
            self.phase = Phase::Header;
        }
        let last = self.left == 0 && self.fin;
        if last {
            self.kind = None;
        }
        if payload.is_empty() && !last {
            return Some(None);
        }
        let first = !mem::replace(&mut self.begun, true);
        Some(Some(Piece { kind, payload, mask, first, last, compressed: self.compressed }))
    }

    /// Cuts as much of the current frame's payload off as has arrived, still masked, and goes on behind it.
    #[inline]
    fn cut_payload<'b>(&mut self, input: &mut &'b mut [u8]) -> &'b mut [u8] {
        let len = usize::try_from(self.left).unwrap_or(usize::MAX).min(input.len());
        self.left -= len as u64;
        self.mask = self.mask.at(len as u64);
        cut(input, len)
    }

    /// Gathers a control frame, and acts on it once it is complete.
    #[cold]
    fn control_frame<'b>(&mut self, opcode: Opcode, input: &mut &'b mut [u8]) -> Option<Result<Arrival<'b>, ProtocolError>> {
        let mask = self.mask;
        let payload = self.cut_payload(input);
        mask.apply(payload, 0);
        if let Last::Control(last) = &mut self.last {
            last.push(payload);
        }
        let is_complete = self.left == 0;
        let code = if opcode == Opcode::CLOSE { close_code(self.control_payload(), is_complete) } else { Ok(None) };
        let code = match code {
            Ok(code) => code,
            Err(error) => return Some(Err(error)),
        };
        if !is_complete {
            return None;
        }
        self.phase = Phase::Header;
        Some(Ok(Arrival::Control(match opcode {
            Opcode::PING => {
                self.owes = self.config.auto_pong;
                Control::Ping
            }
            Opcode::PONG => Control::Pong,
            _ => {
                self.stop(End::Close(code));
                self.owes = true;
                Control::Close(code)
            }
        })))
    }

    /// The event that was held, to be answered.
    #[cold]
    fn held<'b>(&mut self) -> Result<Arrival<'b>, ProtocolError> {
        self.owes = true;
        self.phase = if self.end.is_some() { Phase::Ended } else { Phase::Header };
        match (&self.last, self.end) {
            (Last::Error(error), _) => Err(*error),
            (_, Some(End::Close(code))) => Ok(Arrival::Control(Control::Close(code))),
            _ => Ok(Arrival::Control(Control::Ping)),
        }
    }

    /// Unmasks a piece and validates its text.
    #[inline]
    fn open<'b>(&mut self, mut piece: Piece<'b>) -> Event<'b> {
        let before = self.utf8;
        if let Err(error) = self.open_blocks(&mut piece) {
            // The valid part goes first, as it would if the input had been cut there.
            let valid = before.valid_up_to(piece.payload);
            if valid == 0 {
                return Event::Failed(self.fail(error));
            }
            self.phase = Phase::Invalid;
            self.left = 0;
            piece.payload = cut(&mut piece.payload, valid);
            piece.last = false;
        }
        let Piece { kind, payload, first, last, compressed, .. } = piece;
        Event::Data(Chunk { kind, payload, first, last, compressed })
    }

    #[inline]
    fn open_blocks(&mut self, piece: &mut Piece<'_>) -> Result<(), ProtocolError> {
        if piece.kind == Kind::Binary || piece.compressed {
            return piece.unmask::<R>(|_| Ok(()));
        }
        piece.unmask::<R>(|block| self.utf8.feed(block).map(drop))?;
        if piece.last { self.utf8.finish() } else { Ok(()) }
    }
}

/// Shows no payload, nor a part of one.
impl<R> fmt::Debug for RecvState<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvState")
            .field("config", &self.config)
            .field("phase", &self.phase)
            .field("end", &self.end)
            .field("last", &self.last)
            .field("left", &self.left)
            .field("kind", &self.kind)
            .field("size", &self.size)
            .field("fragments", &self.fragments)
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

impl Piece<'_> {
    /// Unmasks the payload, and hands each block of it on while it is in the cache.
    #[inline]
    pub(crate) fn unmask<R: Role>(&mut self, mut next: impl FnMut(&[u8]) -> Result<(), ProtocolError>) -> Result<(), ProtocolError> {
        const { assert!(BLOCK % 4 == 0, "every block begins at the same byte of the key") };
        for block in self.payload.chunks_mut(BLOCK) {
            if !R::IS_CLIENT {
                self.mask.apply(block, 0);
            }
            next(block)?;
        }
        Ok(())
    }
}

/// The code in the body of a Close frame (§5.5.1), or in the part of the body that has arrived.
fn close_code(body: &[u8], is_complete: bool) -> Result<Option<CloseCode>, ProtocolError> {
    let Some((&code, reason)) = body.split_first_chunk() else { return Ok(None) };
    let code = u16::from_be_bytes(code);
    let code = CloseCode::new(code).ok_or(ProtocolError::InvalidCloseCode(code))?;
    match str::from_utf8(reason) {
        Err(error) if is_complete || error.error_len().is_some() => Err(ProtocolError::InvalidCloseReason),
        _ => Ok(Some(code)),
    }
}

/// Cuts `len` bytes off the front of `input`, or all of it if it is shorter.
#[inline]
fn cut<'b>(input: &mut &'b mut [u8], len: usize) -> &'b mut [u8] {
    let len = len.min(input.len());
    let (front, rest) = mem::take(input).split_at_mut(len);
    *input = rest;
    front
}
