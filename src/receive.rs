//! The receiving half of a connection: bytes in, streaming events out (RFC 6455 §5, §6.2, §7).
//!
//! Enforces every rule on what a peer may send and when. It sends nothing itself: what is to be answered is a [`Reply`] for the
//! sending half. It knows nothing of whole messages in memory, and allocates nothing.

use crate::close::{Close, CloseCode};
use crate::config::{Config, longest_compressed};
use crate::error::ProtocolError;
use crate::frame::{Header, Kind, MAX_CONTROL_PAYLOAD, Opcode};
use crate::mask::{BLOCK, Mask};
use crate::reply::Reply;
use crate::role::Role;
use crate::stats::Stats;
use crate::utf8::Utf8;
use core::marker::PhantomData;
use core::{mem, str};

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
    /// Behind the valid part of a text that is not UTF-8, which went first.
    Invalid,
    /// Nothing more is received (§1.4, §7.1.7).
    Ended,
}

/// How receiving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Close(Option<CloseCode>),
    Failed(ProtocolError),
    Eof,
    /// The caller failed the connection.
    Abandoned,
}

/// The receiving half of a [`Connection`](crate::Connection), for programs that read and write in two tasks.
///
/// It works like the connection, except that it has no output: after each event, [`take_reply`](Self::take_reply) may give a reply, to be handed to
/// [`Sender::reply`](crate::Sender::reply) in whatever way the two tasks talk. When the input ends, both are told by `recv_eof`. What to do with the transport is
/// [`Sender::transport`](crate::Sender::transport)'s to say, and [`Connection::from_halves`](crate::Connection::from_halves) tells how it ended.
///
/// ```
/// use ws_proto::{Agreed, Config, Connection, Event, Server};
///
/// let (mut receiver, mut sender) = Connection::new(Server, &Config::default()).into_halves();
/// let mut bytes = [0x89, 0x82, 1, 1, 1, 1, b'h' ^ 1, b'i' ^ 1];
/// assert_eq!(receiver.recv(&mut &mut bytes[..]), Some(Event::Ping));
///
/// let reply = receiver.take_reply().unwrap(); // through a channel
/// let mut out = Vec::new();
/// sender.reply(&reply, &mut out)?;
/// assert_eq!(out, b"\x8a\x02hi");
/// # Ok::<(), ws_proto::SendError>(())
/// ```
#[derive(Debug)]
pub struct Receiver<R> {
    config: Config,
    /// Whether RSV1 means that a message is compressed (RFC 7692 §6).
    may_compress: bool,
    phase: Phase,
    end: Option<End>,
    /// Whether the last event is to be answered.
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

    /// The payload of the last control frame.
    control: [u8; MAX_CONTROL_PAYLOAD],
    control_len: u8,

    stats: Stats,
    role: PhantomData<fn() -> R>,
}

impl<R: Role> Receiver<R> {
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
            control: [0; MAX_CONTROL_PAYLOAD],
            control_len: 0,
            stats: Stats::default(),
            role: PhantomData,
        }
    }

    /// Cuts the next event off the front of `input`; `None` if there is none, and then `input` is empty. After a Close or a failure all input is discarded
    /// (RFC 6455 §1.4, §7.1.7).
    #[inline]
    pub fn recv<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Event<'b>> {
        match self.arrival(input)? {
            Ok(Arrival::Data(piece)) => Some(self.open(piece)),
            Ok(Arrival::Control(control)) => Some(control.into()),
            Err(error) => Some(Event::Failed(self.fail(error))),
        }
    }

    /// The input has ended: the peer closed or reset the transport. To be called when [`recv`](Self::recv) has taken all of it.
    pub fn recv_eof(&mut self) {
        self.stop(End::Eof);
    }

    /// What the sending half has to answer to the event that [`recv`](Self::recv) gave last, if anything. It is gone once `recv` is called again: a Ping would go
    /// unanswered.
    pub fn take_reply(&mut self) -> Option<Reply> {
        if !mem::take(&mut self.owes) {
            return None;
        }
        Some(match self.end {
            Some(End::Failed(error)) => Reply::fail(error),
            Some(End::Close(code)) => Reply::close(code),
            _ => Reply::pong(self.control_payload()),
        })
    }

    /// The payload of the Ping or Pong that came last: up to 125 bytes, binary (§5.5.2). The next control frame replaces it.
    #[must_use]
    pub fn control_payload(&self) -> &[u8] {
        self.control.get(..self.control_len.into()).unwrap_or_default()
    }

    /// What the peer's Close frame said, once it was received.
    #[must_use]
    pub fn close_received(&self) -> Option<Close<'_>> {
        let Some(End::Close(code)) = self.end else { return None };
        let reason = self.control_payload().get(2..).unwrap_or_default();
        Some(Close { code, reason: str::from_utf8(reason).unwrap_or_default() })
    }

    /// The rule that the peer broke, if it broke one.
    #[must_use]
    pub const fn error(&self) -> Option<ProtocolError> {
        match self.end {
            Some(End::Failed(error)) => Some(error),
            _ => None,
        }
    }

    /// How many bytes of the current frame's payload are still to come; 0 between frames.
    ///
    /// A driver that reads as many bytes into the place behind what it has of a message receives all of that frame in one place, without a copy.
    #[must_use]
    pub const fn payload_left(&self) -> u64 {
        self.left
    }

    /// How much was received.
    #[must_use]
    pub const fn stats(&self) -> Stats {
        self.stats
    }

    /// The longest message that is taken, and the length of the current one's frames so far, as they declare it.
    #[cfg(feature = "deflate")]
    pub(crate) const fn message_limits(&self) -> (u64, u64) {
        (self.config.max_message, self.size)
    }

    /// Whether all further input is discarded.
    #[cfg(feature = "alloc")]
    pub(crate) const fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Discards all further input (§7.1.7).
    pub(crate) fn abandon(&mut self) {
        self.stop(End::Abandoned);
    }

    /// Ends receiving, since the peer broke a rule.
    #[cold]
    pub(crate) fn fail(&mut self, error: ProtocolError) -> ProtocolError {
        self.stop(End::Failed(error));
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
        if !plain || header.len > self.config.max_frame || header.len > self.config.max_message || header.len > (input.len() - taken) as u64
        {
            return None;
        }
        cut(input, taken);
        let payload = cut(input, header.len as usize);
        if let Some(mask) = header.mask {
            mask.apply(payload, 0);
        }
        self.stats.count(header.len);
        self.owes = false;
        Some((kind, payload))
    }

    /// The next piece of a message or the next control frame.
    #[inline]
    pub(crate) fn arrival<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Result<Arrival<'b>, ProtocolError>> {
        self.owes = false;
        loop {
            match self.phase {
                Phase::Header => {
                    let (header, taken) = self.next_header(input)?;
                    if let Err(error) = self.admit(&header, taken) {
                        return Some(Err(error));
                    }
                }
                Phase::Data => {
                    if let Some(piece) = self.piece(input)? {
                        return Some(Ok(Arrival::Data(piece)));
                    }
                }
                Phase::Control(opcode) => return self.control_frame(opcode, input),
                Phase::Invalid => return Some(Err(ProtocolError::InvalidUtf8)),
                Phase::Ended => {
                    *input = &mut [];
                    return None;
                }
            }
        }
    }

    /// Cuts the next header off, and says how many bytes it took in all.
    #[inline]
    fn next_header(&mut self, input: &mut &mut [u8]) -> Option<(Header, usize)> {
        if self.header_len == 0 {
            if let Some((header, taken)) = Header::decode(input) {
                cut(input, taken);
                return Some((header, taken));
            }
        }
        self.next_split_header(input)
    }

    #[cold]
    fn next_split_header(&mut self, input: &mut &mut [u8]) -> Option<(Header, usize)> {
        let kept = usize::from(self.header_len);
        let room = self.header.get_mut(kept..).unwrap_or_default();
        let added = room.len().min(input.len());
        for (place, byte) in room.iter_mut().zip(input.iter()) {
            *place = *byte;
        }
        let header = Header::decode(self.header.get(..kept + added).unwrap_or_default());
        let taken = header.map_or(kept + added, |(_, taken)| taken);
        cut(input, taken - kept);
        self.header_len = if header.is_some() { 0 } else { taken as u8 };
        header
    }

    /// Checks a header against all rules and limits, and enters its payload.
    #[inline]
    fn admit(&mut self, header: &Header, taken: usize) -> Result<(), ProtocolError> {
        let compressed = header.rsv == Header::RSV1 && self.may_compress && Kind::of(header.opcode).is_some();
        if header.rsv != 0 && !compressed {
            return Err(ProtocolError::ReservedBits);
        }
        header.check()?;
        if !header.is_minimal(taken) && !self.config.allow_non_minimal_length {
            return Err(ProtocolError::NonMinimalLength);
        }
        if header.mask.is_some() == R::IS_CLIENT {
            return Err(if R::IS_CLIENT { ProtocolError::Masked } else { ProtocolError::Unmasked });
        }
        if header.opcode.is_control() {
            self.phase = Phase::Control(header.opcode);
            self.control_len = 0;
        } else {
            self.admit_data(header)?;
            self.phase = Phase::Data;
            self.fin = header.fin;
        }
        self.left = header.len;
        self.mask = header.mask.unwrap_or(Mask([0; 4]));
        self.stats.count(header.len);
        Ok(())
    }

    #[inline]
    fn admit_data(&mut self, header: &Header) -> Result<(), ProtocolError> {
        match (self.kind, Kind::of(header.opcode)) {
            (None, None) => return Err(ProtocolError::UnexpectedContinuation),
            (Some(_), Some(_)) => return Err(ProtocolError::ExpectedContinuation),
            (None, kind) => {
                self.kind = kind;
                self.compressed = header.rsv != 0;
                self.begun = false;
                self.size = header.len;
                self.fragments = 1;
            }
            (Some(_), None) => {
                self.size = self.size.saturating_add(header.len);
                self.fragments = self.fragments.saturating_add(1);
            }
        }
        if header.len > self.config.max_frame {
            return Err(ProtocolError::FrameTooLong);
        }
        // Of a compressed message the length counts that it inflates to.
        let max_message = if self.compressed { longest_compressed(self.config.max_message) } else { self.config.max_message };
        if self.size > max_message {
            return Err(ProtocolError::MessageTooLong);
        }
        if self.fragments > self.config.max_fragments.max(1) {
            return Err(ProtocolError::TooManyFragments);
        }
        Ok(())
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

    /// Gathers a control frame, and acts on it once it is whole.
    #[cold]
    fn control_frame<'b>(&mut self, opcode: Opcode, input: &mut &'b mut [u8]) -> Option<Result<Arrival<'b>, ProtocolError>> {
        let mask = self.mask;
        let payload = self.cut_payload(input);
        mask.apply(payload, 0);
        let start = usize::from(self.control_len);
        if let Some(place) = self.control.get_mut(start..start + payload.len()) {
            place.copy_from_slice(payload);
            self.control_len += payload.len() as u8;
        }
        if self.left > 0 {
            return None;
        }
        self.phase = Phase::Header;
        self.owes = opcode == Opcode::PING;
        Some(Ok(Arrival::Control(match opcode {
            Opcode::PING => Control::Ping,
            Opcode::PONG => Control::Pong,
            _ => match close_code(self.control_payload()) {
                Ok(code) => {
                    self.stop(End::Close(code));
                    self.owes = true;
                    Control::Close(code)
                }
                Err(error) => return Some(Err(error)),
            },
        })))
    }

    /// Unmasks a piece and validates its text.
    #[inline]
    fn open<'b>(&mut self, mut piece: Piece<'b>) -> Event<'b> {
        let before = self.utf8;
        if let Err(error) = self.open_blocks(&mut piece) {
            // What is valid goes first, as it would have if the input had been cut there.
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

/// What the body of a Close frame says (§5.5.1).
fn close_code(body: &[u8]) -> Result<Option<CloseCode>, ProtocolError> {
    let Some((&code, reason)) = body.split_first_chunk() else {
        return if body.is_empty() { Ok(None) } else { Err(ProtocolError::InvalidCloseBody) };
    };
    let code = u16::from_be_bytes(code);
    let code = CloseCode::new(code).ok_or(ProtocolError::InvalidCloseCode(code))?;
    if str::from_utf8(reason).is_err() {
        return Err(ProtocolError::InvalidCloseReason);
    }
    Ok(Some(code))
}

/// Cuts `len` bytes off the front of `input`, or all of it if it is shorter.
#[inline]
fn cut<'b>(input: &mut &'b mut [u8], len: usize) -> &'b mut [u8] {
    let len = len.min(input.len());
    let (front, rest) = mem::take(input).split_at_mut(len);
    *input = rest;
    front
}
