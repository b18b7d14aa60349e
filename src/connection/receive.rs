//! The receiving machine: bytes in, events out (RFC 6455 §5, §6.2, §7).
//!
//! It enforces every rule on the frames that a peer sends. It stores no payload of messages,
//! allocates nothing and sends nothing: a reply that is due is recorded in [`RecvControl`], and the
//! driver of the machine sends it.
//!
//! # The path of a masked, fragmented text
//!
//! Each call of [`recv`](RecvState::recv) loops over the phases until there is an event:
//!
//! 1. [`Phase::Start`] and [`Phase::Header`]: [`enter_header`](RecvState::enter_header) decodes a
//!    header that is complete in the input. [`check`](RecvState::check) tests it against the role,
//!    the message in progress and the limits, and [`enter`](RecvState::enter) stores the state of
//!    the payload: its length, key and FIN, and the message that it continues. A header that is
//!    split, or violates a rule, is left to [`enter_split_header`](RecvState::enter_split_header),
//!    which consumes it byte by byte, so that a violation is found at the same byte wherever the
//!    input is split. A limit is checked when the length is complete.
//! 2. [`Phase::Payload`]: [`next_chunk`](RecvState::next_chunk) determines how much of the payload
//!    is in the input. For a [`Connection`](crate::Connection),
//!    [`unmask_in_place`](RecvState::unmask_in_place) unmasks and validates the chunk in place,
//!    [`BLOCK_SIZE`] bytes at a time, and removes it from the input. For a
//!    [`WebSocket`](crate::WebSocket), the assembler in `message` does the same while it appends
//!    the chunk to the message.
//! 3. When the payload is complete, the phase is one of the first two again. With FIN, the text
//!    must not end inside a character.
//!
//! A control frame between fragments is collected in [`Phase::Control`]. Nothing else is needed:
//! the fragmented message is in fields of its own.
//!
//! A `WebSocket` has two shortcuts, which accept only input that the general path would accept with
//! the same result. [`complete_message`](RecvState::complete_message) is for the usual case, a
//! message that is one uncompressed frame and complete in the input: it is returned in one step
//! without a copy. [`one_byte`](RecvState::one_byte) is for input that arrives byte by byte.

use super::closing::{RecvControl, RecvEnd, decode_close_body};
use crate::buffer::{InlineBytes, take_front};
use crate::config::Config;
use crate::counters::Counters;
use crate::error::ProtocolError;
use crate::frame::close::CloseCode;
use crate::frame::opcode::MessageKind;
use crate::frame::{BLOCK_SIZE, Header, MaskingKey, Opcode, Utf8Validator, violation};
use crate::role::Role;
use core::fmt;
use core::marker::PhantomData;

/// An event of a [`Connection`](crate::Connection). It borrows the input and nothing else.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
// With a tag as wide as a word, the rest is moved in complete words.
#[repr(usize)]
pub enum Event<'b> {
    /// A chunk of a message was received.
    Data(Chunk<'b>),
    /// A Ping was received (RFC 6455 §5.5.2). Its payload is
    /// [`Connection::control_payload`](crate::Connection::control_payload). The Pong is already in
    /// the output, or owed by a receiving half, or left to the caller
    /// ([`Config::with_auto_pong`]).
    Ping,
    /// A Pong was received (§5.5.3). Its payload is
    /// [`Connection::control_payload`](crate::Connection::control_payload).
    Pong,
    /// A Close frame with this code was received (§5.5.1). Its reason is in
    /// [`Connection::close_received`](crate::Connection::close_received). Unless a Close was sent
    /// before, the answer is already in the output, or owed by a receiving half. No event follows.
    Close(Option<CloseCode>),
    /// The peer violated the protocol, and the connection failed (§7.1.7). Unless a Close was sent
    /// before, the one that reports the violation is already in the output, or owed by a receiving
    /// half. No event follows.
    Failed(ProtocolError),
}

/// A chunk of a message: a contiguous slice of its payload.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Chunk<'b> {
    /// The type of the message.
    pub kind: MessageKind,
    /// The bytes, unmasked in place. They are the last `payload.len()` bytes before the input
    /// cursor, so that a caller with reference-counted buffers can slice instead of copy. Those of
    /// an uncompressed text are valid UTF-8, but the end may split a character (see
    /// [`Utf8Validator`]).
    pub payload: &'b mut [u8],
    /// Whether the message begins with this chunk.
    pub first: bool,
    /// Whether the message ends with this chunk.
    pub last: bool,
    /// Whether the message is compressed (RFC 7692 §6): the bytes must be decompressed, and a text
    /// is not validated.
    pub compressed: bool,
}

/// A chunk of a message in the input: still masked, and not validated.
pub(crate) struct RawChunk {
    pub(crate) kind: MessageKind,
    /// Its length; its bytes are at the front of the input.
    pub(crate) len: usize,
    key: MaskingKey,
    pub(crate) first: bool,
    pub(crate) last: bool,
    pub(crate) compressed: bool,
}

/// The result of a call: a chunk in some form, or a signal.
pub(crate) enum Received<D> {
    Data(D),
    Signal(Signal),
}

/// A control frame or a failure. It was acted on, except for the reply.
pub(crate) enum Signal {
    Ping,
    Pong,
    Close(Option<CloseCode>),
    Failed(ProtocolError),
}

impl From<Signal> for Event<'_> {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Ping => Self::Ping,
            Signal::Pong => Self::Pong,
            Signal::Close(code) => Self::Close(code),
            Signal::Failed(error) => Self::Failed(error),
        }
    }
}

/// A frame whose header was checked; for a data frame, the totals of its message with this frame.
enum CheckedFrame {
    Control,
    Data {
        kind: MessageKind,
        compressed: bool,
        len: u64,
        fragments: u32,
    },
}

/// The input that the machine expects next, or the event that it returns next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The first header of a message, or a control frame.
    Start,
    /// A header in the middle of a message, or the rest of a header.
    Header,
    /// The rest of the payload of a data frame.
    Payload,
    /// The rest of the payload of a control frame.
    Control(Opcode),
    /// The failure: invalid UTF-8 follows the valid prefix, which was returned.
    InvalidUtf8,
    /// The last signal, again: the output had no room for the reply to it.
    Paused,
    /// Nothing: all input is discarded (§1.4, §7.1.7).
    Ended,
}

/// The bits of [`RecvState::begun`]. They are in one byte since they change with each chunk.
struct Begun;

impl Begun {
    /// A chunk of the message in progress was returned.
    const MESSAGE: u8 = 1;
    /// A frame begins with the next chunk.
    const FRAME_NEXT: u8 = 2;
    /// A frame began with the last chunk.
    const FRAME: u8 = 4;
}

/// The receiving machine.
pub(crate) struct RecvState<R> {
    config: Config,
    /// Whether RSV1 marks a compressed message (RFC 7692 §6).
    may_compress: bool,
    phase: Phase,
    pub(super) control: RecvControl,

    /// The start of a header that is split by the input.
    header: InlineBytes<{ Header::MAX_LEN }>,

    // The current frame.
    /// The number of bytes of the payload that have not been received.
    payload_left: u64,
    /// The masking key, rotated for those bytes.
    key: MaskingKey,
    fin: bool,

    // The message in progress.
    /// Its type; `None` between messages.
    kind: Option<MessageKind>,
    compressed: bool,
    /// Which things have begun: the bits of [`Begun`].
    begun: u8,
    /// Its length on the wire, including all of the current frame.
    len: u64,
    /// The number of its frames, including the current one.
    fragments: u32,
    pub(crate) utf8: Utf8Validator,

    counters: Counters,
    /// The part of `counters.bytes` that belongs to control frames, modulo 2^32: every 4 GiB of
    /// them, an incomplete message seems to make progress once.
    control_bytes: u32,
    role: PhantomData<fn() -> R>,
}

impl<R: Role> RecvState<R> {
    /// The first byte of a text message in one uncompressed frame.
    #[cfg(feature = "alloc")]
    const FIN_AND_TEXT: u8 = 0x80 | Opcode::TEXT.0;
    /// The first byte of a binary message in one uncompressed frame.
    #[cfg(feature = "alloc")]
    const FIN_AND_BINARY: u8 = 0x80 | Opcode::BINARY.0;

    pub(crate) fn new(config: &Config, may_compress: bool) -> Self {
        Self {
            config: config.clone(),
            may_compress,
            phase: Phase::Start,
            control: RecvControl::new(),
            header: InlineBytes::new(),
            payload_left: 0,
            key: MaskingKey([0; 4]),
            fin: false,
            kind: None,
            compressed: false,
            begun: 0,
            len: 0,
            fragments: 0,
            utf8: Utf8Validator::new(),
            counters: Counters::default(),
            control_bytes: 0,
            role: PhantomData,
        }
    }

    /// Receives the next event of a stream.
    #[inline]
    pub(crate) fn recv<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Received<Chunk<'b>>> {
        self.recv_with(input, Self::unmask_in_place)
    }

    /// Receives the next signal, or the result of `take` for the next chunk of a message, which
    /// `take` must remove from the input.
    #[inline]
    pub(crate) fn recv_with<'b, T>(
        &mut self,
        input: &mut &'b mut [u8],
        take: impl FnOnce(&mut Self, RawChunk, &mut &'b mut [u8]) -> Received<T>,
    ) -> Option<Received<T>> {
        loop {
            match self.phase {
                Phase::Start | Phase::Header => {
                    if self.enter_header(input).is_none() {
                        if let Err(error) = self.enter_split_header(input)? {
                            return Some(Received::Signal(self.fail(error)));
                        }
                    }
                }
                Phase::Payload => {
                    if input.is_empty() && self.payload_left > 0 {
                        return None;
                    }
                    let chunk = self.next_chunk(input.len())?;
                    return Some(take(self, chunk, input));
                }
                Phase::Control(opcode) => {
                    return self.recv_control(opcode, input).map(Received::Signal);
                }
                Phase::InvalidUtf8 => {
                    return Some(Received::Signal(self.fail(ProtocolError::InvalidUtf8)));
                }
                Phase::Paused => return Some(Received::Signal(self.resume())),
                Phase::Ended => {
                    *input = &mut [];
                    return None;
                }
            }
        }
    }

    /// Returns whether the input continues with a message or a control frame.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(crate) fn is_between_messages(&self) -> bool {
        self.phase == Phase::Start
    }

    /// Receives the next message, between messages, if it is one uncompressed frame and complete in
    /// `input`. It reports no violation: everything else is left to the general path.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(crate) fn complete_message<'b>(
        &mut self,
        input: &mut &'b mut [u8],
    ) -> Option<(MessageKind, &'b mut [u8])> {
        debug_assert!(self.is_between_messages());
        let &[first, second] = input.first_chunk()?;
        let kind = match first {
            Self::FIN_AND_TEXT => MessageKind::Text,
            Self::FIN_AND_BINARY => MessageKind::Binary,
            _ => return None,
        };
        // Most headers are short, and of constant length.
        let (mask_bit, key_len) = if R::IS_CLIENT { (0, 0) } else { (0x80, 4) };
        let (header_len, len) = match second ^ mask_bit {
            len @ 0..126 => (2 + key_len, u64::from(len)),
            _ => {
                let (header, header_len) = Header::decode(input)?;
                if header.mask.is_some() == R::IS_CLIENT || !header.is_minimal(header_len) {
                    return None;
                }
                (header_len, header.len)
            }
        };
        let available = input.len().checked_sub(header_len)?;
        if len > self.config.max_message() || len > available as u64 {
            return None;
        }
        let header = take_front(input, header_len);
        let payload = take_front(input, len as usize);
        if let (false, Some(&key)) = (R::IS_CLIENT, header.last_chunk()) {
            MaskingKey(key).apply(payload, 0);
        }
        self.counters.count(len);
        Some((kind, payload))
    }

    /// Returns whether the input continues with the payload of a data frame.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(crate) fn is_inside_payload(&self) -> bool {
        self.phase == Phase::Payload && self.payload_left > 0
    }

    /// Receives one byte in the middle of an uncompressed payload, as from a peer that sends them
    /// one by one, and returns it unmasked.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(crate) fn one_byte(&mut self, input: &mut &mut [u8]) -> Option<u8> {
        let &mut [byte] = &mut **input else {
            return None;
        };
        let is_middle = self.begun & Begun::MESSAGE != 0
            && self.phase == Phase::Payload
            && self.payload_left > 1;
        if !is_middle || self.compressed {
            return None;
        }
        *input = &mut [];
        self.payload_left -= 1;
        let MaskingKey([key, ..]) = self.key;
        self.key = self.key.rotated(1);
        Some(byte ^ key)
    }

    /// Fails the connection because of a violation.
    #[cold]
    pub(crate) fn fail(&mut self, error: ProtocolError) -> Signal {
        self.control.fail(error);
        self.end();
        Signal::Failed(error)
    }

    /// Ends the input. A pending event is still returned, since its reply needs no room any more.
    pub(crate) fn recv_eof(&mut self) {
        self.control.eof();
        if self.phase == Phase::Paused {
            self.payload_left = 0;
        } else {
            self.end();
        }
    }

    /// Discards all further input, and a pending event (§7.1.7).
    pub(crate) fn abandon(&mut self) {
        self.control.abandon();
        self.end();
    }

    fn end(&mut self) {
        self.phase = Phase::Ended;
        self.payload_left = 0;
    }

    /// Makes the last signal pending, since the reply to it could not be sent.
    pub(super) fn pause(&mut self) {
        self.phase = Phase::Paused;
    }

    pub(crate) fn is_paused(&self) -> bool {
        self.phase == Phase::Paused
    }

    /// Returns the pending signal again.
    #[cold]
    fn resume(&mut self) -> Signal {
        let end = self.control.ended();
        if end.is_some() {
            self.phase = Phase::Ended;
        } else {
            self.await_header();
        }
        match (self.control.violation(), end) {
            (Some(error), _) => Signal::Failed(error),
            (None, Some(RecvEnd::Close(code))) => Signal::Close(code),
            (None, _) => Signal::Ping,
        }
    }

    /// Ends a frame.
    #[inline]
    fn await_header(&mut self) {
        self.phase = match self.kind {
            None => Phase::Start,
            Some(_) => Phase::Header,
        };
    }

    /// Decodes the next header and enters its payload, if it is complete in the input and violates
    /// no rule.
    #[inline]
    fn enter_header(&mut self, input: &mut &mut [u8]) -> Option<()> {
        if !self.header.is_empty() {
            return None;
        }
        let (header, header_len) = Header::decode(input)?;
        let frame = self.check(&header, header_len).ok()?;
        take_front(input, header_len);
        self.enter(&header, frame);
        Some(())
    }

    /// Does the same for a header that is split or violates a rule. It consumes the header byte by
    /// byte, so that a violation is reported at the byte that makes it certain, wherever the input
    /// is split. Returns `None` if more input is needed.
    #[cold]
    #[inline(never)]
    fn enter_split_header(&mut self, input: &mut &mut [u8]) -> Option<Result<(), ProtocolError>> {
        loop {
            let &mut byte = take_front(input, 1).first_mut()?;
            self.header.push([byte]);
            self.phase = Phase::Header;
            let checked = Header::decode(&self.header)
                .map(|(header, header_len)| (header, self.check_split(&header, header_len)));
            match checked {
                Some((header, Ok(frame))) => {
                    self.header = InlineBytes::new();
                    self.enter(&header, frame);
                    return Some(Ok(()));
                }
                Some((_, Err(error))) => return Some(Err(error)),
                None => {
                    let check = |header: &Header, header_len| {
                        self.check_split(header, header_len).map(drop)
                    };
                    if let Some(error) = violation(&self.header, check) {
                        return Some(Err(error));
                    }
                }
            }
        }
    }

    /// Calls [`check`](Self::check) without inlining it.
    #[cold]
    #[inline(never)]
    fn check_split(
        &self,
        header: &Header,
        header_len: usize,
    ) -> Result<CheckedFrame, ProtocolError> {
        self.check(header, header_len)
    }

    /// Checks a header against all rules and limits, in the order of the bytes that violate them.
    #[inline(always)]
    fn check(&self, header: &Header, header_len: usize) -> Result<CheckedFrame, ProtocolError> {
        let started = MessageKind::started_by(header.opcode);
        // Only the first frame of a compressed message may have RSV1 (RFC 7692 §6).
        if header.rsv != 0
            && !(header.rsv == Header::RSV1 && self.may_compress && started.is_some())
        {
            return Err(ProtocolError::ReservedBits(header.rsv));
        }
        if header.opcode.is_control() {
            header.check_opcode()?;
            Self::check_mask(header)?;
            self.check_len(header, header_len)?;
            return Ok(CheckedFrame::Control);
        }
        header.check_opcode()?;
        let (kind, compressed, len, fragments) = match (self.kind, started) {
            (None, Some(kind)) => (kind, header.rsv != 0, header.len, 1),
            (Some(kind), None) => (
                kind,
                self.compressed,
                self.len.saturating_add(header.len),
                self.fragments.saturating_add(1),
            ),
            (None, None) => return Err(ProtocolError::UnexpectedContinuation),
            (Some(incomplete), Some(begun)) => {
                return Err(ProtocolError::ExpectedContinuation { incomplete, begun });
            }
        };
        Self::check_mask(header)?;
        self.check_len(header, header_len)?;
        if compressed {
            let limit = self.config.max_compressed();
            if len > limit {
                return Err(ProtocolError::CompressedTooLong { len, limit });
            }
        } else {
            let limit = self.config.max_message();
            if len > limit {
                return Err(ProtocolError::MessageTooLong { len, limit });
            }
        }
        // The first frame is always accepted. The limit is never less than `max_fragments`, with
        // which most frames need no division.
        if fragments > self.config.max_fragments().max(1)
            && u64::from(fragments) > self.config.fragments_for(len)
        {
            return Err(ProtocolError::TooManyFragments {
                fragments: fragments.into(),
                limit: self.config.fragments_for(len).max(1),
            });
        }
        Ok(CheckedFrame::Data {
            kind,
            compressed,
            len,
            fragments,
        })
    }

    #[inline]
    fn check_len(&self, header: &Header, header_len: usize) -> Result<(), ProtocolError> {
        let is_minimal = self.config.allow_non_minimal_length() || header.is_minimal(header_len);
        Ok(header.check_len(is_minimal)?)
    }

    /// Checks that a client masks every frame, and a server none (§5.1).
    #[inline]
    const fn check_mask(header: &Header) -> Result<(), ProtocolError> {
        match header.mask {
            Some(_) if R::IS_CLIENT => Err(ProtocolError::Masked),
            None if !R::IS_CLIENT => Err(ProtocolError::Unmasked),
            _ => Ok(()),
        }
    }

    /// Enters the payload of a frame.
    #[inline]
    fn enter(&mut self, header: &Header, frame: CheckedFrame) {
        match frame {
            CheckedFrame::Control => {
                self.phase = Phase::Control(header.opcode);
                self.control.begin_control();
                self.control_bytes = self.control_bytes.wrapping_add(header.len as u32);
            }
            CheckedFrame::Data {
                kind,
                compressed,
                len,
                fragments,
            } => {
                self.phase = Phase::Payload;
                self.begun |= Begun::FRAME_NEXT;
                self.fin = header.fin;
                self.kind = Some(kind);
                (self.compressed, self.len, self.fragments) = (compressed, len, fragments);
            }
        }
        self.payload_left = header.len;
        self.key = header.mask.unwrap_or(MaskingKey([0; 4]));
        self.counters.count(header.len);
    }

    /// Accounts for the bytes of the current data frame among the next `available` bytes of input.
    #[inline]
    pub(crate) fn next_chunk(&mut self, available: usize) -> Option<RawChunk> {
        debug_assert!(self.kind.is_some(), "a payload belongs to a message");
        let kind = self.kind?;
        let key = self.key;
        let len = self.advance(available);
        let frame_ends = self.payload_left == 0;
        let last = frame_ends && self.fin;
        if last {
            self.kind = None;
        }
        if frame_ends {
            self.await_header();
        }
        let first = self.begun & Begun::MESSAGE == 0;
        self.begun = (self.begun & Begun::FRAME_NEXT) << 1 | u8::from(!last);
        Some(RawChunk {
            kind,
            len,
            key,
            first,
            last,
            compressed: self.compressed,
        })
    }

    /// Advances in the payload of the current frame by at most `available` bytes, and returns by
    /// how many.
    #[inline]
    fn advance(&mut self, available: usize) -> usize {
        let len = usize::try_from(self.payload_left)
            .unwrap_or(usize::MAX)
            .min(available);
        self.payload_left -= len as u64;
        self.key = self.key.rotated(len as u64);
        len
    }

    /// Collects a control frame, and acts on it when it is complete.
    #[cold]
    fn recv_control(&mut self, opcode: Opcode, input: &mut &mut [u8]) -> Option<Signal> {
        let key = self.key;
        let len = self.advance(input.len());
        let payload = take_front(input, len);
        key.apply(payload, 0);
        self.control.push_control(payload);
        let is_complete = self.payload_left == 0;
        let mut code = None;
        if opcode == Opcode::CLOSE {
            match decode_close_body(self.control.control_payload(), is_complete) {
                Ok(received) => code = received,
                Err(error) => return Some(self.fail(error)),
            }
        }
        if !is_complete {
            return None;
        }
        self.await_header();
        Some(match opcode {
            Opcode::PING => {
                self.control.ping(self.config.auto_pong());
                Signal::Ping
            }
            Opcode::PONG => Signal::Pong,
            _ => {
                self.control.close(code);
                self.end();
                Signal::Close(code)
            }
        })
    }

    /// Unmasks a chunk in place, validates text, and removes the chunk from the input.
    #[inline]
    fn unmask_in_place<'b>(
        &mut self,
        mut chunk: RawChunk,
        input: &mut &'b mut [u8],
    ) -> Received<Chunk<'b>> {
        if chunk.kind == MessageKind::Binary || chunk.compressed {
            let payload = take_front(input, chunk.len);
            chunk.unmask_in_place::<R>(payload);
            return Received::Data(chunk.with_payload(payload));
        }
        let before = self.utf8;
        let payload = input.get_mut(..chunk.len).unwrap_or_default();
        if let Err(error) = self.unmask_and_validate(&chunk, payload) {
            // The valid prefix is returned first, as if the input had been split after it.
            let valid_len = before.valid_up_to(payload);
            if valid_len == 0 {
                return Received::Signal(self.fail(error));
            }
            self.phase = Phase::InvalidUtf8;
            // For the header; nothing of it will be received.
            self.payload_left += (chunk.len - valid_len) as u64;
            chunk.len = valid_len;
            chunk.last = false;
        }
        let payload = take_front(input, chunk.len);
        Received::Data(chunk.with_payload(payload))
    }

    #[inline]
    fn unmask_and_validate(
        &mut self,
        chunk: &RawChunk,
        payload: &mut [u8],
    ) -> Result<(), ProtocolError> {
        chunk.unmask::<R>(payload, |text| Ok(self.utf8.feed(text).map(drop)?))?;
        if chunk.last {
            Ok(self.utf8.finish()?)
        } else {
            Ok(())
        }
    }

    /// Returns the configuration.
    pub(crate) const fn config(&self) -> &Config {
        &self.config
    }

    /// Replaces the configuration, from the next frame on.
    pub(crate) fn set_config(&mut self, config: &Config) {
        self.config = config.clone();
    }

    /// Returns the header of the frame that begins with this chunk, which was returned last.
    pub(crate) fn frame_header(&self, chunk: &Chunk<'_>) -> Option<Header> {
        (self.begun & Begun::FRAME != 0).then(|| Header {
            fin: self.fin,
            rsv: if chunk.first && chunk.compressed {
                Header::RSV1
            } else {
                0
            },
            opcode: if chunk.first {
                chunk.kind.opcode()
            } else {
                Opcode::CONTINUATION
            },
            mask: None,
            len: chunk.payload.len() as u64 + self.payload_left,
        })
    }

    /// Returns the number of bytes of the current data frame that have not been received.
    pub(crate) fn payload_left(&self) -> u64 {
        if self.phase == Phase::Payload {
            self.payload_left
        } else {
            0
        }
    }

    /// Returns the bytes of the current data frame that were not received, but 0 in a text and in a
    /// compressed message.
    #[cfg(feature = "alloc")]
    pub(crate) fn binary_left(&self) -> u64 {
        if self.kind == Some(MessageKind::Binary) && !self.compressed {
            self.payload_left()
        } else {
            0
        }
    }

    pub(crate) const fn counters(&self) -> Counters {
        self.counters
    }

    /// Returns the payload bytes of all messages that were received, while one is incomplete.
    pub(crate) const fn message_progress(&self) -> Option<u64> {
        if self.kind.is_none() || self.control.ended().is_some() {
            return None;
        }
        let left = match self.phase {
            Phase::Control(_) => 0,
            _ => self.payload_left,
        };
        let data = self.counters.bytes.wrapping_sub(self.control_bytes as u64);
        Some(data.wrapping_sub(left))
    }

    /// Returns the type of the message in progress, and whether it is compressed.
    #[cfg(feature = "alloc")]
    pub(crate) fn message_in_progress(&self) -> Option<(MessageKind, bool)> {
        self.kind.map(|kind| (kind, self.compressed))
    }

    /// Returns the number of bytes of the message in progress that were received.
    #[cfg(feature = "alloc")]
    pub(crate) const fn message_received(&self) -> u64 {
        self.len - self.payload_left
    }

    /// Returns the length of the message in progress, with all of the current frame.
    #[cfg(feature = "alloc")]
    pub(crate) const fn message_len(&self) -> u64 {
        self.len
    }

    /// Returns an upper bound on the length of the message in progress.
    #[cfg(feature = "alloc")]
    pub(crate) const fn message_bound(&self) -> u64 {
        if self.fin {
            self.len
        } else {
            self.config.max_message()
        }
    }

    /// Returns whether all further input is discarded.
    #[cfg(feature = "alloc")]
    pub(crate) const fn has_ended(&self) -> bool {
        self.control.ended().is_some()
    }
}

/// Does not show payload.
impl<R> fmt::Debug for RecvState<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecvState")
            .field("config", &self.config)
            .field("phase", &self.phase)
            .field("control", &self.control)
            .field("payload_left", &self.payload_left)
            .field("kind", &self.kind)
            .field("len", &self.len)
            .field("fragments", &self.fragments)
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

impl RawChunk {
    #[inline]
    fn with_payload(self, payload: &mut [u8]) -> Chunk<'_> {
        let Self {
            kind,
            first,
            last,
            compressed,
            ..
        } = self;
        Chunk {
            kind,
            payload,
            first,
            last,
            compressed,
        }
    }

    /// Returns the key that masks the bytes of the chunk, if the peer is a client.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(crate) fn mask<R: Role>(&self) -> Option<MaskingKey> {
        (!R::IS_CLIENT).then_some(self.key)
    }

    /// Unmasks the bytes of the chunk.
    #[inline]
    pub(crate) fn unmask_in_place<R: Role>(&self, payload: &mut [u8]) {
        if !R::IS_CLIENT {
            self.key.apply(payload, 0);
        }
    }

    /// Unmasks the bytes of the chunk, and passes them to `next` while they are in the cache.
    #[inline]
    pub(crate) fn unmask<R: Role>(
        &self,
        payload: &mut [u8],
        mut next: impl FnMut(&[u8]) -> Result<(), ProtocolError>,
    ) -> Result<(), ProtocolError> {
        const {
            assert!(
                BLOCK_SIZE % 4 == 0,
                "every part begins at the same byte of the key"
            )
        };
        for bytes in payload.chunks_mut(BLOCK_SIZE) {
            if !R::IS_CLIENT {
                self.key.apply(bytes, 0);
            }
            next(bytes)?;
        }
        Ok(())
    }
}
