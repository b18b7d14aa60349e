//! The sending half: messages and control frames in, bytes out (RFC 6455 §5, §6.1, §7).
//!
//! It refuses a frame that must not be sent before it writes a byte. It knows only the [`Reply`] of
//! the receiving half.

use super::closing::{
    ClosePhase, Endpoint, Reply, ReplyKind, SendClosing, SentClose, State, encode_close_body,
};
use crate::action::Action;
use crate::buffer::{prefix, suffix};
use crate::counters::Counters;
use crate::deflate::{Direction, Params};
use crate::error::SendError;
use crate::frame::close::CloseCode;
use crate::frame::opcode::MessageKind;
use crate::frame::{
    Header, HeaderBytes, MAX_CONTROL_PAYLOAD, MaskingKey, Opcode, Utf8Validator, Vectorize, WIDE,
    unaligned_len, vectorize,
};
use crate::output::Output;
use crate::role::Role;

/// The sending half of a [`Connection`](crate::Connection), for programs that read and write in two
/// tasks.
///
/// It has the sending methods of the connection, and [`reply`](Self::reply) for the reply that the
/// [`RecvHalf`](crate::RecvHalf) owes the peer.
#[derive(Debug)]
pub struct SendHalf<R> {
    role: R,
    closing: SendClosing,
    compression: Compression,
    /// The fragmented message in progress.
    message: Option<FragmentedMessage>,
    utf8: Utf8Validator,
    counters: Counters,
}

/// Which compressed messages may be sent.
#[derive(Debug, Clone, Copy)]
enum Compression {
    None,
    /// Those of this endpoint, with the negotiated parameters.
    Negotiated(Direction),
    /// Those that another endpoint has compressed.
    Relayed,
}

/// The properties that all fragments of a message share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FragmentedMessage {
    kind: MessageKind,
    coding: Coding,
}

/// Who has compressed a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Uncompressed,
    /// The layer above, which has a compressor.
    #[cfg_attr(
        not(feature = "alloc"),
        expect(dead_code, reason = "there is no such layer")
    )]
    Compressed,
    /// The caller, or an endpoint whose messages the caller relays.
    CompressedByCaller,
}

/// A frame whose payload the caller writes: the header, and the masking of the payload.
///
/// Write the output of earlier calls, then the header, then exactly the announced number of bytes,
/// then the output of later calls, including Pongs: no other frame can be sent in between. If the
/// payload cannot be completed, close the transport. A client's payload must be masked first; for a
/// server, [`mask`](Self::mask) does nothing, so that the same code serves both roles.
///
/// A client must not let an untrusted party choose or change the payload after the header was
/// written: that party could compute the masked bytes in advance (RFC 6455 §10.3). Send such a
/// payload by [`send_fragment`](SendHalf::send_fragment), which draws the key last.
///
/// If fragments of a text are begun as frames and also sent by `send_fragment`, the former must
/// begin and end between characters.
///
/// ```
/// use ws_proto::{Client, Config, Connection, MessageKind};
///
/// let mut connection = Connection::new(Client::new([7; 32]), &Config::new());
/// let mut payload = *b"a payload that is not copied";
/// let len = payload.len() as u64;
/// let mut frame = connection.begin_frame(MessageKind::Text, len, true)?;
/// let (first, second) = payload.split_at_mut(10);
/// frame.mask(first);
/// // sock.write_vectored(&[frame.header(), first])?;
/// frame.mask(second);
/// // sock.write_all(second)?;
/// # assert_eq!(frame.header()[..2], [0x81, 0x80 + 28]);
/// # Ok::<(), ws_proto::SendError>(())
/// ```
#[derive(Debug)]
#[must_use = "the header and the payload must be written"]
pub struct OutgoingFrame {
    header: HeaderBytes,
    /// The key, rotated for the rest of the payload.
    key: Option<MaskingKey>,
    payload_left: u64,
}

impl OutgoingFrame {
    /// Returns the encoded header: 2 to 14 bytes.
    #[must_use]
    pub fn header(&self) -> &[u8] {
        &self.header
    }

    /// Returns the number of bytes of the payload that were not passed to [`mask`](Self::mask): the
    /// frame is incomplete while it is not 0.
    #[must_use]
    pub const fn payload_left(&self) -> u64 {
        self.payload_left
    }

    /// Masks the next chunk of the payload in place, if the role requires it.
    pub fn mask(&mut self, chunk: &mut [u8]) {
        self.payload_left = self.payload_left.saturating_sub(chunk.len() as u64);
        if let Some(key) = &mut self.key {
            key.apply(chunk, 0);
            *key = key.rotated(chunk.len() as u64);
        }
    }
}

impl<R: Role> SendHalf<R> {
    pub(crate) fn new(role: R, deflate: Option<Params>, relays_compressed: bool) -> Self {
        Self {
            role,
            closing: SendClosing::new(),
            compression: match deflate.map(Params::sent_by::<R>) {
                None if relays_compressed => Compression::Relayed,
                negotiated => negotiated.map_or(Compression::None, Compression::Negotiated),
            },
            message: None,
            utf8: Utf8Validator::new(),
            counters: Counters::default(),
        }
    }

    /// Sends a text message in one frame.
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`], [`SendError::MessageInProgress`] or [`SendError::OutputFull`];
    /// nothing was written.
    #[inline]
    pub fn send_text(
        &mut self,
        text: &str,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.send_message(MessageKind::Text, text.as_bytes(), out)
    }

    /// Sends a binary message in one frame.
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`], [`SendError::MessageInProgress`] or [`SendError::OutputFull`];
    /// nothing was written.
    #[inline]
    pub fn send_binary(
        &mut self,
        bytes: &[u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.send_message(MessageKind::Binary, bytes, out)
    }

    /// Sends a fragment of a message (RFC 6455 §5.4): the first one if no message is in progress, a
    /// continuation otherwise. `fin` ends the message.
    ///
    /// The fragments of a text may split characters; together they must be valid UTF-8. Control
    /// frames may be sent between fragments.
    ///
    /// # Errors
    ///
    /// [`SendError::MessageInProgress`] if the message in progress is of another type or
    /// compressed, [`SendError::InvalidUtf8`], [`SendError::Closed`] or [`SendError::OutputFull`];
    /// nothing was written.
    pub fn send_fragment(
        &mut self,
        kind: MessageKind,
        bytes: &[u8],
        fin: bool,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        let coding = Coding::Uncompressed;
        let (rsv, opcode) = self.check_fragment(kind, coding)?;
        // Before the text is validated: a fragment that waits for room may be sent again and again,
        // each time the peer reads a few bytes.
        let header = Self::header_if_room(fin, rsv, opcode, bytes, out)?;
        let utf8 = self.validated(kind, bytes, fin)?;
        self.write(header, bytes, out);
        self.utf8 = utf8;
        self.message = (!fin).then_some(FragmentedMessage { kind, coding });
        Ok(())
    }

    /// Sends a fragment of a compressed message (RFC 7692 §6.1), like
    /// [`send_fragment`](Self::send_fragment): `bytes` is a slice of the output of a compressor for
    /// the complete message, and `params` are the compressor's parameters. Text must be valid
    /// UTF-8; this is not checked.
    ///
    /// # Errors
    ///
    /// [`SendError::NotNegotiated`], [`SendError::IncompatibleParams`],
    /// [`SendError::MessageInProgress`] if the message in progress is of another type or not
    /// compressed, [`SendError::Closed`] or [`SendError::OutputFull`]; nothing was written.
    #[cfg(feature = "deflate")]
    pub fn send_compressed_fragment(
        &mut self,
        kind: MessageKind,
        bytes: &[u8],
        params: Params,
        fin: bool,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        let coding = Coding::CompressedByCaller;
        let (rsv, opcode) = self.check_compressed_fragment(kind, params)?;
        self.send_frame(fin, rsv, opcode, bytes, out)?;
        self.message = (!fin).then_some(FragmentedMessage { kind, coding });
        Ok(())
    }

    /// Begins a frame whose payload of `len` bytes the caller writes: a message, or a fragment as
    /// in [`send_fragment`](Self::send_fragment). `len` is at most 2^63 - 1.
    ///
    /// The payload is not copied, and need not be in memory at once: [`OutgoingFrame`] describes
    /// how to write it. Text must be valid UTF-8; this is not checked. The state changes as if
    /// the frame had been sent.
    ///
    /// # Errors
    ///
    /// [`SendError::LengthOverflow`], [`SendError::MessageInProgress`] or [`SendError::Closed`]; no
    /// frame was begun.
    pub fn begin_frame(
        &mut self,
        kind: MessageKind,
        len: u64,
        fin: bool,
    ) -> Result<OutgoingFrame, SendError> {
        let coding = Coding::Uncompressed;
        let (rsv, opcode) = self.check_fragment(kind, coding)?;
        self.begin(FragmentedMessage { kind, coding }, rsv, opcode, len, fin)
    }

    /// Begins a frame that another connection receives, for a relay: `header` is the
    /// [header](crate::Connection::frame_header) of a frame of a message of this type. The payload
    /// is written like that of [`begin_frame`](Self::begin_frame), chunk by chunk.
    ///
    /// # Errors
    ///
    /// [`SendError::NotNegotiated`] if the message is compressed, unless
    /// [`Negotiated::with_relayed_compression`](crate::Negotiated::with_relayed_compression)
    /// permits it; [`SendError::LengthOverflow`], [`SendError::MessageInProgress`] or
    /// [`SendError::Closed`]; no frame was begun.
    pub fn begin_relayed_frame(
        &mut self,
        kind: MessageKind,
        compressed: bool,
        header: &Header,
    ) -> Result<OutgoingFrame, SendError> {
        let coding = if compressed {
            Coding::CompressedByCaller
        } else {
            Coding::Uncompressed
        };
        if compressed && !matches!(self.compression, Compression::Relayed) {
            return Err(SendError::NotNegotiated);
        }
        let (rsv, opcode) = self.check_fragment(kind, coding)?;
        let message = FragmentedMessage { kind, coding };
        self.begin(message, rsv, opcode, header.len, header.fin)
    }

    /// Begins a frame of a compressed message, like [`begin_frame`](Self::begin_frame): the payload
    /// is a slice of the output of a compressor for the complete message, and `params` are the
    /// compressor's parameters.
    ///
    /// # Errors
    ///
    /// [`SendError::NotNegotiated`], [`SendError::IncompatibleParams`],
    /// [`SendError::LengthOverflow`], [`SendError::MessageInProgress`] or [`SendError::Closed`]; no
    /// frame was begun.
    #[cfg(feature = "deflate")]
    pub fn begin_compressed_frame(
        &mut self,
        kind: MessageKind,
        len: u64,
        params: Params,
        fin: bool,
    ) -> Result<OutgoingFrame, SendError> {
        let coding = Coding::CompressedByCaller;
        let (rsv, opcode) = self.check_compressed_fragment(kind, params)?;
        self.begin(FragmentedMessage { kind, coding }, rsv, opcode, len, fin)
    }

    /// Sends a Ping with a payload of at most 125 bytes (§5.5.2). The peer answers it with a Pong
    /// of the same payload.
    ///
    /// # Errors
    ///
    /// [`SendError::ControlTooLong`], [`SendError::Closed`] or [`SendError::OutputFull`]; nothing
    /// was written.
    pub fn send_ping(
        &mut self,
        payload: &[u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.check_open()?;
        self.send_control(Opcode::PING, payload, out)
    }

    /// Sends a Pong with a payload of at most 125 bytes: an unsolicited one, as a heartbeat
    /// (§5.5.3), or the answer to a Ping if [automatic ones](crate::Config::with_auto_pong) are
    /// off.
    ///
    /// A Pong may be sent after [`close`](Self::close), until the peer's Close is received: only
    /// data must not follow a Close (§5.5.1, §5.5.2).
    ///
    /// # Errors
    ///
    /// [`SendError::ControlTooLong`], [`SendError::Closed`] or [`SendError::OutputFull`]; nothing
    /// was written.
    pub fn send_pong(
        &mut self,
        payload: &[u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        if !self.closing.may_pong() {
            return Err(SendError::Closed);
        }
        self.send_control(Opcode::PONG, payload, out)
    }

    /// Starts the closing handshake (§7.1.2). Afterwards only [`send_pong`](Self::send_pong) and
    /// [`reply`](Self::reply) can send; an unfinished message is abandoned.
    ///
    /// A reason of more than 123 bytes is truncated before the character that does not fit. It is
    /// for logs, and not shown to end users.
    ///
    /// # Errors
    ///
    /// [`SendError::ClientOnlyCloseCode`], [`SendError::Closed`] or [`SendError::OutputFull`];
    /// nothing was written.
    pub fn close(
        &mut self,
        code: CloseCode,
        reason: &str,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.send_close(
            Some(code),
            &encode_close_body(code, reason),
            ClosePhase::CloseSent,
            out,
        )
    }

    /// Starts the closing handshake, like [`close`](Self::close), by a Close frame without a status
    /// code and reason.
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`] or [`SendError::OutputFull`]; nothing was written.
    pub fn close_without_code(
        &mut self,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.send_close(None, &[], ClosePhase::CloseSent, out)
    }

    /// Fails the connection (§7.1.7), for instance because a message violates a policy: sends a
    /// Close, and ends the connection. The receiving half is not notified; ignore its further
    /// events.
    ///
    /// After [`close`](Self::close) it ignores `code` and `reason` and writes nothing, since only
    /// one Close may be sent, and ends the wait for the peer's Close.
    ///
    /// # Errors
    ///
    /// [`SendError::ClientOnlyCloseCode`], [`SendError::OutputFull`], or [`SendError::Closed`] if
    /// the peer's Close was answered or the connection failed or ended before; nothing was written.
    pub fn fail(
        &mut self,
        code: CloseCode,
        reason: &str,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        if !self.closing.has_ended() && self.closing.phase() == ClosePhase::CloseSent {
            self.closing.advance(ClosePhase::Failed);
            return Ok(());
        }
        self.send_close(
            Some(code),
            &encode_close_body(code, reason),
            ClosePhase::Failed,
            out,
        )
    }

    /// Sends the reply that the receiving half owes the peer.
    ///
    /// After a Close was sent, only a Pong is written, and nothing after the peer's Close. The
    /// reply to a Close or a violation still informs this half that the connection is closed.
    ///
    /// # Errors
    ///
    /// [`SendError::OutputFull`]; nothing was written, and the call can be repeated.
    #[cold]
    pub fn reply(
        &mut self,
        reply: &Reply,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.write_reply(reply.kind, &reply.payload, out)
    }

    /// Sends a reply whose payload is borrowed.
    pub(super) fn write_reply(
        &mut self,
        kind: ReplyKind,
        payload: &[u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        const ANSWERED: ClosePhase = ClosePhase::Done { by: Endpoint::Peer };
        match (kind, self.closing.phase()) {
            _ if self.closing.has_ended() => {}
            (ReplyKind::Pong, _) if self.closing.may_pong() => {
                return self.send_control(Opcode::PONG, payload, out);
            }
            (ReplyKind::Close(code), ClosePhase::Open) => {
                return self.send_close(code, payload, ANSWERED, out);
            }
            (ReplyKind::Fail(code), ClosePhase::Open) => {
                return self.send_close(Some(code), payload, ClosePhase::Failed, out);
            }
            (ReplyKind::Close(_), ClosePhase::CloseSent) => {
                self.closing.advance(ClosePhase::Done {
                    by: Endpoint::Local,
                });
            }
            (ReplyKind::Fail(_), ClosePhase::CloseSent) => {
                self.closing.advance(ClosePhase::Failed);
            }
            _ => {}
        }
        Ok(())
    }

    /// Informs this half that the transport has ended, or that the driver ends it: nothing can be
    /// sent.
    pub const fn transport_ended(&mut self) {
        self.closing.end();
    }

    /// Returns the state of the connection (§7.1.3, §7.1.4). This half knows about the other one
    /// only from [`reply`](Self::reply).
    #[must_use]
    pub const fn state(&self) -> State {
        self.closing.state()
    }

    /// Returns what to do with the transport, once the output has been written. This half knows
    /// about the other one only from [`reply`](Self::reply).
    pub const fn next_action(&self) -> Action {
        self.closing.next_action(R::IS_CLIENT)
    }

    /// Returns the Close frame that was sent, if any.
    #[must_use]
    pub const fn close_sent(&self) -> Option<SentClose> {
        self.closing.sent()
    }

    /// Returns the number of frames that were written or begun, and the sum of their payload
    /// lengths.
    #[must_use]
    pub const fn sent(&self) -> Counters {
        self.counters
    }

    pub(super) const fn closing(&self) -> &SendClosing {
        &self.closing
    }

    /// Sends a message in one frame.
    #[inline]
    pub(crate) fn send_message(
        &mut self,
        kind: MessageKind,
        payload: &[u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.check_between_messages()?;
        self.send_frame(true, 0, kind.opcode(), payload, out)
    }

    /// Checks that a message can begin.
    #[inline]
    pub(crate) const fn check_between_messages(&self) -> Result<(), SendError> {
        match (self.state(), self.message) {
            (State::Open, None) => Ok(()),
            (State::Open, Some(_)) => Err(SendError::MessageInProgress),
            _ => Err(SendError::Closed),
        }
    }

    /// Returns how the message in progress is compressed, if there is one.
    #[cfg(feature = "alloc")]
    pub(crate) fn coding_in_progress(&self) -> Option<Coding> {
        self.message.map(|message| message.coding)
    }

    /// Checks that the next fragment, which is not compressed yet, may be sent.
    #[cfg(feature = "alloc")]
    pub(crate) fn check_content(
        &self,
        kind: MessageKind,
        bytes: &[u8],
        fin: bool,
    ) -> Result<Utf8Validator, SendError> {
        self.check_fragment(kind, Coding::Compressed)?;
        self.validated(kind, bytes, fin)
    }

    /// Sends the next fragment, which was checked, and is compressed now.
    #[cfg(feature = "alloc")]
    pub(crate) fn send_deflated(
        &mut self,
        kind: MessageKind,
        bytes: &[u8],
        utf8: Utf8Validator,
        fin: bool,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        let coding = Coding::Compressed;
        let (rsv, opcode) = self.check_fragment(kind, coding)?;
        self.send_frame(fin, rsv, opcode, bytes, out)?;
        self.utf8 = utf8;
        self.message = (!fin).then_some(FragmentedMessage { kind, coding });
        Ok(())
    }

    /// Accounts for a message in one frame that the caller writes.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(crate) const fn count_message(&mut self, payload_len: usize) {
        self.counters.count(payload_len as u64);
    }

    /// Returns the state of the validation after the next fragment.
    fn validated(
        &self,
        kind: MessageKind,
        bytes: &[u8],
        fin: bool,
    ) -> Result<Utf8Validator, SendError> {
        let mut utf8 = self.utf8;
        if kind == MessageKind::Text {
            utf8.feed(bytes)?;
            if fin {
                utf8.finish()?;
            }
        }
        Ok(utf8)
    }

    /// Checks that a fragment of a message may be sent that the caller has compressed with these
    /// parameters, and returns its reserved bits and opcode.
    #[cfg(feature = "deflate")]
    fn check_compressed_fragment(
        &self,
        kind: MessageKind,
        params: Params,
    ) -> Result<(u8, Opcode), SendError> {
        self.check_open()?;
        match self.compression {
            Compression::None | Compression::Relayed => Err(SendError::NotNegotiated),
            Compression::Negotiated(negotiated) if !negotiated.permits(params.sent_by::<R>()) => {
                Err(SendError::IncompatibleParams)
            }
            Compression::Negotiated(_) => self.check_fragment(kind, Coding::CompressedByCaller),
        }
    }

    /// Checks that a fragment of a message may be sent, and returns its reserved bits and opcode.
    fn check_fragment(&self, kind: MessageKind, coding: Coding) -> Result<(u8, Opcode), SendError> {
        self.check_open()?;
        let rsv = match coding {
            Coding::Uncompressed => 0,
            Coding::Compressed | Coding::CompressedByCaller => Header::RSV1,
        };
        match self.message {
            None => Ok((rsv, kind.opcode())),
            Some(message) if message == (FragmentedMessage { kind, coding }) => {
                Ok((0, Opcode::CONTINUATION))
            }
            Some(_) => Err(SendError::MessageInProgress),
        }
    }

    /// Accounts for a frame of `message` whose payload the caller writes.
    fn begin(
        &mut self,
        message: FragmentedMessage,
        rsv: u8,
        opcode: Opcode,
        len: u64,
        fin: bool,
    ) -> Result<OutgoingFrame, SendError> {
        if len >> 63 != 0 {
            return Err(SendError::LengthOverflow);
        }
        self.utf8 = Utf8Validator::new();
        self.message = (!fin).then_some(message);
        self.counters.count(len);
        let key = self.role.next_key();
        let header = Header {
            fin,
            rsv,
            opcode,
            mask: key,
            len,
        };
        Ok(OutgoingFrame {
            header: header.encode(),
            key,
            payload_left: len,
        })
    }

    fn send_control(
        &mut self,
        opcode: Opcode,
        payload: &[u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        if payload.len() > MAX_CONTROL_PAYLOAD {
            return Err(SendError::ControlTooLong);
        }
        self.send_frame(true, 0, opcode, payload, out)
    }

    fn send_close(
        &mut self,
        code: Option<CloseCode>,
        body: &[u8],
        next: ClosePhase,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.check_open()?;
        let is_answer = matches!(next, ClosePhase::Done { .. });
        if !R::IS_CLIENT && !is_answer && code == Some(CloseCode::MANDATORY_EXTENSION) {
            return Err(SendError::ClientOnlyCloseCode);
        }
        self.send_control(Opcode::CLOSE, body, out)?;
        self.closing.close_written(code, next);
        Ok(())
    }

    /// Writes a frame, if there is room.
    #[inline]
    fn send_frame(
        &mut self,
        fin: bool,
        rsv: u8,
        opcode: Opcode,
        payload: &[u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        let header = Self::header_if_room(fin, rsv, opcode, payload, out)?;
        self.write(header, payload, out);
        Ok(())
    }

    /// Returns the header of a frame that the output has room for, without its key.
    #[inline]
    fn header_if_room(
        fin: bool,
        rsv: u8,
        opcode: Opcode,
        payload: &[u8],
        out: &(impl Output + ?Sized),
    ) -> Result<Header, SendError> {
        let mask = if R::IS_CLIENT {
            Some(MaskingKey([0; 4]))
        } else {
            None
        };
        let header = Header {
            fin,
            rsv,
            opcode,
            mask,
            len: payload.len() as u64,
        };
        let needed = header.encoded_len().saturating_add(payload.len());
        if out.room() < needed {
            Err(SendError::OutputFull { needed })
        } else {
            Ok(header)
        }
    }

    #[inline]
    fn write(&mut self, mut header: Header, payload: &[u8], out: &mut (impl Output + ?Sized)) {
        // Draw the key last, so that a refused frame never consumes one (§10.3).
        header.mask = self.role.next_key();
        append_header(&header, out);
        match header.mask {
            None => _ = out.append(payload),
            Some(key) => append_masked(key, payload, out),
        }
        self.counters.count(header.len);
    }

    #[inline]
    const fn check_open(&self) -> Result<(), SendError> {
        match self.state() {
            State::Open => Ok(()),
            _ => Err(SendError::Closed),
        }
    }
}

/// Appends an encoded header. Those of short frames have a constant length, so that appending them
/// is a store.
// Inlined, since it is known there whether the role masks.
#[inline(always)]
fn append_header(header: &Header, out: &mut (impl Output + ?Sized)) {
    let first = u8::from(header.fin) << 7 | header.rsv << 4 | u8::from(header.opcode);
    match (header.mask, header.len) {
        (None, len @ 0..126) => _ = out.append(&[first, len as u8]),
        (Some(MaskingKey([a, b, c, d])), len @ 0..126) => {
            out.append(&[first, 0x80 | len as u8, a, b, c, d]);
        }
        _ => append_long_header(header, first, out),
    }
}

#[inline(never)]
fn append_long_header(header: &Header, first: u8, out: &mut (impl Output + ?Sized)) {
    let [.., high, low] = header.len.to_be_bytes();
    match (header.mask, header.len) {
        (None, 126..0x1_0000) => _ = out.append(&[first, 126, high, low]),
        (Some(MaskingKey([a, b, c, d])), 126..0x1_0000) => {
            out.append(&[first, 0x80 | 126, high, low, a, b, c, d]);
        }
        _ => _ = out.append(&header.encode()),
    }
}

/// Appends a masked payload.
#[inline]
pub(crate) fn append_masked(key: MaskingKey, payload: &[u8], out: &mut (impl Output + ?Sized)) {
    if payload.len() < BLOCK_WIDTH {
        key.apply(out.append(payload), 0);
    } else {
        MaskedBlocks { key, payload, out }.append_all();
    }
}

/// The width of a block that is masked in vector registers.
const BLOCK_WIDTH: usize = 128;

/// Masks and appends a payload in one pass, block by block.
struct MaskedBlocks<'a, O: ?Sized> {
    key: MaskingKey,
    payload: &'a [u8],
    out: &'a mut O,
}

impl<O: Output + ?Sized> MaskedBlocks<'_, O> {
    #[inline(never)]
    fn append_all(mut self) {
        /// The length from which aligned vectors make up for the start that is not aligned.
        const ALIGNED: usize = 8192;

        if self.payload.len() >= ALIGNED {
            // The end of the first bytes shows how many more lead to an aligned address.
            let end = self.append(4).as_ptr_range().end;
            self.append(unaligned_len(end));
        }
        if self.payload.len() < WIDE {
            self.run();
        } else {
            vectorize(self);
        }
    }

    /// Appends the next `len` bytes, which must be there.
    fn append(&mut self, len: usize) -> &mut [u8] {
        let place = self.out.append(prefix(self.payload, len));
        self.key.apply(place, 0);
        self.key = self.key.rotated(len as u64);
        self.payload = suffix(self.payload, len);
        place
    }
}

impl<O: Output + ?Sized> Vectorize for MaskedBlocks<'_, O> {
    #[inline(always)]
    fn run(self) {
        let Self { key, payload, out } = self;
        let mut blocks = payload.chunks_exact(BLOCK_WIDTH);
        for block in blocks
            .by_ref()
            .filter_map(|block| block.first_chunk::<BLOCK_WIDTH>())
        {
            let mut block = *block;
            key.apply_to_block(&mut block);
            out.append(&block);
        }
        key.apply(out.append(blocks.remainder()), 0);
    }
}
