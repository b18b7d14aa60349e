//! The receiving machine: bytes in, streaming events out (RFC 6455 §5, §6.2, §7).
//!
//! Enforces every rule on what a peer may send and when. It sends nothing itself: what it owes the
//! peer is a [`Reply`] for the sending side. It knows nothing of whole messages in memory, and
//! allocates nothing.
//!
//! [`RecvState`] is the machine, which a connection holds beside the sending half, and the
//! receiving half alone.

use crate::close::{Close, CloseCode};
use crate::config::Config;
use crate::error::ProtocolError;
use crate::frame::{Header, fault};
use crate::mask::{BLOCK, MaskingKey};
use crate::opcode::{MessageKind, Opcode};
use crate::reply::{Answer, ControlPayload, Reply};
use crate::role::Role;
use crate::stats::Counters;
use crate::utf8::Utf8Validator;
use core::convert::Infallible;
use core::marker::PhantomData;
use core::{fmt, mem, str};

/// What the peer did. It borrows the input and nothing else.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
// With a tag as wide as a word, what follows it is moved in whole words.
#[repr(usize)]
pub enum Event<'b> {
    /// A piece of a message.
    Data(Chunk<'b>),
    /// A Ping (RFC 6455 §5.5.2). Its payload is
    /// [`Connection::control_payload`](crate::Connection::control_payload); the Pong is already in
    /// the output, or owed (halves), or left to the caller ([`Config::auto_pong`]).
    Ping,
    /// A Pong (§5.5.3). Its payload is
    /// [`Connection::control_payload`](crate::Connection::control_payload).
    Pong,
    /// A Close frame with this code (§5.5.1). Its reason is in
    /// [`Connection::close_received`](crate::Connection::close_received); the answer is already in
    /// the output (or owed, with halves) unless a Close was sent before. Nothing comes after
    /// it.
    Close(Option<CloseCode>),
    /// The peer violated the protocol, and the connection failed (§7.1.7). The Close frame that
    /// reports it is already in the output (or owed, with halves) unless a Close was sent
    /// before. Nothing comes after it.
    Failed(ProtocolError),
}

/// A piece of a message: as much of it as stood in the input in one place.
#[derive(Debug, PartialEq, Eq)]
pub struct Chunk<'b> {
    /// The type of the message.
    pub kind: MessageKind,
    /// The bytes, unmasked where they stood. Those of a text are valid UTF-8, but the end may
    /// split a character (see [`Utf8Validator`]).
    pub payload: &'b mut [u8],
    /// Whether the message begins here.
    pub first: bool,
    /// Whether the message ends here.
    pub last: bool,
    /// Whether the message is compressed (RFC 7692 §6): the bytes are to be inflated, and of a
    /// text it is not known whether it is valid.
    pub compressed: bool,
}

/// A piece of a message as it arrived: masked, and text not validated.
pub(crate) struct Piece<'b> {
    pub(crate) kind: MessageKind,
    pub(crate) payload: &'b mut [u8],
    mask: MaskingKey,
    first: bool,
    pub(crate) last: bool,
    pub(crate) compressed: bool,
}

/// What was received: a part of a message, as a [`Piece`] or a [`Chunk`], or something else.
pub(crate) enum Received<D> {
    Data(D),
    Signal(Signal),
}

/// A control frame or a failure. It has been acted on, but for the reply.
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

/// A frame whose header violates no rule, and the message that it belongs to, including it.
enum Frame {
    Control,
    Data {
        kind: MessageKind,
        compressed: bool,
        size: u64,
        fragments: u32,
    },
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
    /// The last signal is returned again: the output had no room for the reply to it.
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

/// The receiving machine.
pub(crate) struct RecvState<R> {
    config: Config,
    /// Whether RSV1 means that a message is compressed (RFC 7692 §6).
    may_compress: bool,
    phase: Phase,
    end: Option<End>,
    /// Whether the caller knows of the end: not while the event waits for room in the output.
    told: bool,
    /// Whether the last signal is to be answered. Whoever receives it takes the reply at once.
    owes: bool,

    /// The beginning of a header that a cut has split.
    header: [u8; Header::MAX_LEN],
    header_len: u8,

    /// The frame that is being received: how much of its payload is to come, and how it is masked
    /// from there on.
    left: u64,
    mask: MaskingKey,
    fin: bool,

    /// The message that is incomplete, whether it is compressed, whether a chunk of it was given
    /// out, how long it is with the current frame, and of how many frames.
    kind: Option<MessageKind>,
    compressed: bool,
    begun: bool,
    size: u64,
    fragments: u32,
    pub(crate) utf8: Utf8Validator,

    last: Last,

    stats: Counters,
    role: PhantomData<fn() -> R>,
}

impl<R: Role> RecvState<R> {
    pub(crate) fn new(config: &Config, may_compress: bool) -> Self {
        Self {
            config: config.clone(),
            may_compress,
            phase: Phase::Header,
            end: None,
            told: false,
            owes: false,
            header: [0; Header::MAX_LEN],
            header_len: 0,
            left: 0,
            mask: MaskingKey([0; 4]),
            fin: false,
            kind: None,
            compressed: false,
            begun: false,
            size: 0,
            fragments: 0,
            utf8: Utf8Validator::new(),
            last: Last::Control(ControlPayload::new()),
            stats: Counters::default(),
            role: PhantomData,
        }
    }

    #[inline]
    pub(crate) fn recv<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Received<Chunk<'b>>> {
        self.recv_piece(input, Self::open)
    }

    /// Answers the last signal with `send`, and tells the caller of it. If that fails, the signal
    /// is held: it is returned again before anything else is received.
    #[cold]
    pub(crate) fn answer<E>(
        &mut self,
        send: impl FnOnce(Answer, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if mem::take(&mut self.owes) {
            let body;
            let (answer, payload) = match (&self.last, self.end) {
                (Last::Error(error), _) => {
                    let code = error.close_code();
                    body = ControlPayload::close(Some(code), error.rule());
                    (Answer::Fail(code), body.as_bytes())
                }
                // With the same code, and no reason (§5.5.1).
                (Last::Control(payload), Some(End::Close(code))) => (
                    Answer::Close(code),
                    payload.as_bytes().get(..2).unwrap_or_default(),
                ),
                (Last::Control(payload), _) => (Answer::Pong, payload.as_bytes()),
            };
            if let Err(error) = send(answer, payload) {
                self.phase = Phase::Held;
                return Err(error);
            }
        }
        self.told = true;
        Ok(())
    }

    /// Answers once more how the peer ended the connection, if it did.
    pub(crate) fn answer_end<E>(
        &mut self,
        send: impl FnOnce(Answer, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        self.owes = matches!(self.end, Some(End::Close(_) | End::Failed));
        self.answer(send)
    }

    /// Puts what the last signal is to be answered with into `owed`, in the place of what was owed
    /// before.
    pub(crate) fn owe(&mut self, owed: &mut Option<Reply>) {
        let Ok(()) = self.answer(|answer, payload| {
            *owed = Some(Reply::new(answer, payload));
            Ok::<(), Infallible>(())
        });
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
        let Some(End::Close(code)) = self.told_end() else {
            return None;
        };
        let reason = self.control_payload().get(2..).unwrap_or_default();
        Some(Close {
            code,
            reason: str::from_utf8(reason).unwrap_or_default(),
        })
    }

    pub(crate) const fn error(&self) -> Option<ProtocolError> {
        match self.last {
            Last::Error(error) if self.told => Some(error),
            _ => None,
        }
    }

    pub(crate) const fn payload_left(&self) -> u64 {
        self.left
    }

    pub(crate) const fn counters(&self) -> Counters {
        self.stats
    }

    /// The longest message that is accepted.
    #[cfg(feature = "deflate")]
    pub(crate) const fn max_message(&self) -> u64 {
        self.config.max_message
    }

    /// How much of the current message has arrived, in bytes, and how much there can be of it at
    /// most, as far as that is known.
    #[cfg(feature = "alloc")]
    pub(crate) const fn message_len(&self) -> (u64, u64) {
        (
            self.size - self.left,
            if self.fin {
                self.size
            } else {
                self.config.max_message
            },
        )
    }

    /// Whether all further input is discarded.
    #[cfg(feature = "alloc")]
    pub(crate) const fn has_ended(&self) -> bool {
        self.end.is_some()
    }

    /// How receiving ended, as far as the caller knows.
    const fn told_end(&self) -> Option<End> {
        if self.told { self.end } else { None }
    }

    /// Whether the caller knows of an end.
    pub(crate) const fn told_of_end(&self) -> bool {
        self.told_end().is_some()
    }

    /// Whether the input ended.
    pub(crate) const fn is_at_eof(&self) -> bool {
        matches!(self.end, Some(End::Eof))
    }

    /// Discards all further input (§7.1.7), and an end that the caller does not know of yet.
    pub(crate) fn abandon(&mut self) {
        if !self.told {
            self.end = None;
            self.last = Last::Control(ControlPayload::new());
        }
        self.stop(End::Abandoned);
    }

    /// Ends receiving, since the peer violated the protocol.
    #[cold]
    pub(crate) fn fail(&mut self, error: ProtocolError) -> Signal {
        self.stop(End::Failed);
        self.last = Last::Error(error);
        self.owes = true;
        Signal::Failed(error)
    }

    /// Discards all that comes from now on. What ended receiving first stays the reason.
    fn stop(&mut self, end: End) {
        // At the end of the stream no answer needs room: what waits for it is still returned.
        if !(self.phase == Phase::Held && end == End::Eof) {
            self.phase = Phase::Ended;
        }
        self.left = 0;
        self.end.get_or_insert(end);
        self.told = matches!(end, End::Eof | End::Abandoned);
    }

    /// The message at the front of `input`, if it is the simple case: in one frame, and all of it
    /// here. It decides nothing, since whatever it does not take goes the general way, which
    /// would do the same with it in more steps.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(crate) fn whole_message<'b>(
        &mut self,
        input: &mut &'b mut [u8],
    ) -> Option<(MessageKind, &'b mut [u8])> {
        if self.phase != Phase::Header || self.header_len != 0 || self.kind.is_some() {
            return None;
        }
        let (header, taken) = Header::decode(input)?;
        let kind = MessageKind::of(header.opcode)?;
        let plain = header.fin
            && header.rsv == 0
            && header.mask.is_some() != R::IS_CLIENT
            && header.is_minimal(taken);
        if !plain
            || header.len > self.config.max_message
            || header.len > (input.len() - taken) as u64
        {
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

    /// What `open` makes of the next piece of a message, or else the next signal.
    #[inline]
    pub(crate) fn recv_piece<'b, T>(
        &mut self,
        input: &mut &'b mut [u8],
        open: impl FnOnce(&mut Self, Piece<'b>) -> Received<T>,
    ) -> Option<Received<T>> {
        loop {
            match self.phase {
                Phase::Header => {
                    if self.enter_header(input).is_none() {
                        if let Err(error) = self.enter_split_header(input)? {
                            return Some(Received::Signal(self.fail(error)));
                        }
                    }
                }
                Phase::Data => {
                    if input.is_empty() && self.left > 0 {
                        return None;
                    }
                    let piece = self.piece(input)?;
                    // An empty fragment that is not the last adds nothing.
                    if !piece.payload.is_empty() || piece.last {
                        self.begun = true;
                        return Some(open(self, piece));
                    }
                }
                Phase::Control(opcode) => {
                    return self.control_frame(opcode, input).map(Received::Signal);
                }
                Phase::Invalid => {
                    return Some(Received::Signal(self.fail(ProtocolError::InvalidUtf8)));
                }
                Phase::Held => return Some(Received::Signal(self.held())),
                Phase::Ended => {
                    *input = &mut [];
                    return None;
                }
            }
        }
    }

    /// Cuts the next header off and enters its payload, if it is all here and violates no rule.
    #[inline]
    fn enter_header(&mut self, input: &mut &mut [u8]) -> Option<()> {
        if self.header_len != 0 {
            return None;
        }
        let (header, taken) = Header::decode(input)?;
        let frame = self.check(&header, taken).ok()?;
        cut(input, taken);
        self.enter(&header, frame);
        Some(())
    }

    /// The same for a header that is split or violates a rule. It is read byte by byte, so that the
    /// violation is found at the byte that makes it certain, wherever the input is cut.
    #[cold]
    #[inline(never)]
    fn enter_split_header(&mut self, input: &mut &mut [u8]) -> Option<Result<(), ProtocolError>> {
        loop {
            let &mut byte = cut(input, 1).first_mut()?;
            if let Some(place) = self.header.get_mut(usize::from(self.header_len)) {
                *place = byte;
                self.header_len += 1;
            }
            let bytes = self
                .header
                .get(..self.header_len.into())
                .unwrap_or_default();
            let decoded = Header::decode(bytes);
            let checked = decoded.map(|(header, taken)| (header, self.check_split(&header, taken)));
            match checked {
                Some((header, Ok(frame))) => {
                    self.header_len = 0;
                    self.enter(&header, frame);
                    return Some(Ok(()));
                }
                Some((_, Err(error))) => return Some(Err(error)),
                None => {
                    if let Some(error) = fault(bytes, |header, taken| {
                        self.check_split(header, taken).map(drop)
                    }) {
                        return Some(Err(error));
                    }
                }
            }
        }
    }

    /// [`check`](Self::check), not inlined.
    #[cold]
    #[inline(never)]
    fn check_split(&self, header: &Header, taken: usize) -> Result<Frame, ProtocolError> {
        self.check(header, taken)
    }

    /// Checks a header against all rules and limits, in the order of the bytes that violate them.
    #[inline(always)]
    fn check(&self, header: &Header, taken: usize) -> Result<Frame, ProtocolError> {
        let kind = MessageKind::of(header.opcode);
        if header.rsv != 0 && !(header.rsv == Header::RSV1 && self.may_compress && kind.is_some()) {
            return Err(ProtocolError::ReservedBits(header.rsv));
        }
        if header.opcode.is_control() {
            header.check_opcode()?;
            Self::check_mask(header)?;
            self.check_len(header, taken)?;
            return Ok(Frame::Control);
        }
        header.check_opcode()?;
        let (kind, compressed, size, fragments) = match (self.kind, kind) {
            (None, Some(kind)) => (kind, header.rsv != 0, header.len, 1),
            (Some(kind), None) => (
                kind,
                self.compressed,
                self.size.saturating_add(header.len),
                self.fragments.saturating_add(1),
            ),
            (None, None) => return Err(ProtocolError::UnexpectedContinuation),
            (Some(incomplete), Some(begun)) => {
                return Err(ProtocolError::ExpectedContinuation { incomplete, begun });
            }
        };
        Self::check_mask(header)?;
        self.check_len(header, taken)?;
        if compressed {
            let limit = self.config.max_compressed();
            if size > limit {
                return Err(ProtocolError::CompressedTooLong { len: size, limit });
            }
        } else if size > self.config.max_message {
            return Err(ProtocolError::MessageTooLong {
                len: size,
                limit: self.config.max_message,
            });
        }
        // One is always accepted.
        if fragments > 1 && u64::from(fragments) > self.config.fragments_for(size) {
            return Err(ProtocolError::TooManyFragments {
                fragments: fragments.into(),
                limit: self.config.fragments_for(size).max(1),
            });
        }
        Ok(Frame::Data {
            kind,
            compressed,
            size,
            fragments,
        })
    }

    #[inline]
    fn check_len(&self, header: &Header, taken: usize) -> Result<(), ProtocolError> {
        header.check_len(self.config.allow_non_minimal_length || header.is_minimal(taken))
    }

    /// §5.1: a client masks every frame, a server none.
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
    fn enter(&mut self, header: &Header, frame: Frame) {
        match frame {
            Frame::Control => {
                self.phase = Phase::Control(header.opcode);
                self.last = Last::Control(ControlPayload::new());
            }
            Frame::Data {
                kind,
                compressed,
                size,
                fragments,
            } => {
                self.phase = Phase::Data;
                self.fin = header.fin;
                self.begun &= self.kind.is_some();
                self.kind = Some(kind);
                (self.compressed, self.size, self.fragments) = (compressed, size, fragments);
            }
        }
        self.left = header.len;
        self.mask = header.mask.unwrap_or(MaskingKey([0; 4]));
        self.stats.count(header.len);
    }

    /// What has arrived of the current data frame.
    #[inline]
    fn piece<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Piece<'b>> {
        let kind = self.kind?;
        let mask = self.mask;
        let payload = self.cut_payload(input);
        let frame_ends = self.left == 0;
        if frame_ends {
            self.phase = Phase::Header;
        }
        let last = frame_ends && self.fin;
        if last {
            self.kind = None;
        }
        Some(Piece {
            kind,
            payload,
            mask,
            first: !self.begun,
            last,
            compressed: self.compressed,
        })
    }

    /// Cuts as much of the current frame's payload off as has arrived, still masked, and goes on
    /// behind it.
    #[inline]
    fn cut_payload<'b>(&mut self, input: &mut &'b mut [u8]) -> &'b mut [u8] {
        let len = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(input.len());
        self.left -= len as u64;
        self.mask = self.mask.at(len as u64);
        cut(input, len)
    }

    /// Gathers a control frame, and acts on it once it is complete.
    #[cold]
    fn control_frame(&mut self, opcode: Opcode, input: &mut &mut [u8]) -> Option<Signal> {
        let mask = self.mask;
        let payload = self.cut_payload(input);
        mask.apply(payload, 0);
        if let Last::Control(last) = &mut self.last {
            last.push(payload);
        }
        let is_complete = self.left == 0;
        let code = if opcode == Opcode::CLOSE {
            close_code(self.control_payload(), is_complete)
        } else {
            Ok(None)
        };
        let code = match code {
            Ok(code) => code,
            Err(error) => return Some(self.fail(error)),
        };
        if !is_complete {
            return None;
        }
        self.phase = Phase::Header;
        Some(match opcode {
            Opcode::PING => {
                self.owes = self.config.auto_pong;
                Signal::Ping
            }
            Opcode::PONG => Signal::Pong,
            _ => {
                self.stop(End::Close(code));
                self.owes = true;
                Signal::Close(code)
            }
        })
    }

    /// The signal that was held, to be answered.
    #[cold]
    fn held(&mut self) -> Signal {
        self.owes = true;
        self.phase = if self.end.is_some() {
            Phase::Ended
        } else {
            Phase::Header
        };
        match (&self.last, self.end) {
            (Last::Error(error), _) => Signal::Failed(*error),
            (_, Some(End::Close(code))) => Signal::Close(code),
            _ => Signal::Ping,
        }
    }

    /// Unmasks a piece and validates its text.
    #[inline]
    fn open<'b>(&mut self, mut piece: Piece<'b>) -> Received<Chunk<'b>> {
        let before = self.utf8;
        if let Err(error) = self.open_blocks(&mut piece) {
            // The valid part goes first, as it would if the input had been cut there.
            let valid = before.valid_up_to(piece.payload);
            if valid == 0 {
                return Received::Signal(self.fail(error));
            }
            self.phase = Phase::Invalid;
            self.left = 0;
            piece.payload = cut(&mut piece.payload, valid);
            piece.last = false;
        }
        let Piece {
            kind,
            payload,
            first,
            last,
            compressed,
            ..
        } = piece;
        Received::Data(Chunk {
            kind,
            payload,
            first,
            last,
            compressed,
        })
    }

    #[inline]
    fn open_blocks(&mut self, piece: &mut Piece<'_>) -> Result<(), ProtocolError> {
        if piece.kind == MessageKind::Binary || piece.compressed {
            return piece.unmask::<R>(|_| Ok(()));
        }
        piece.unmask::<R>(|block| self.utf8.feed(block).map(drop))?;
        if piece.last {
            self.utf8.finish()
        } else {
            Ok(())
        }
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
    pub(crate) fn unmask<R: Role>(
        &mut self,
        mut next: impl FnMut(&[u8]) -> Result<(), ProtocolError>,
    ) -> Result<(), ProtocolError> {
        const {
            assert!(
                BLOCK % 4 == 0,
                "every block begins at the same byte of the key"
            )
        };
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
    let Some((&code, reason)) = body.split_first_chunk() else {
        return Ok(None);
    };
    let code = u16::from_be_bytes(code);
    let code = CloseCode::new(code).ok_or(ProtocolError::InvalidCloseCode(code))?;
    match str::from_utf8(reason) {
        Err(error) if is_complete || error.error_len().is_some() => {
            Err(ProtocolError::InvalidCloseReason)
        }
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
