//! The sending half of a connection: messages and control frames in, bytes out (RFC 6455 §5, §6.1,
//! §7).
//!
//! What may not be sent is refused before a byte is written. It knows of receiving only the
//! [`Reply`] that it is handed.

use crate::close::CloseCode;
use crate::error::SendError;
use crate::frame::{Header, HeaderBytes};
use crate::mask::{BLOCK, MaskingKey};
use crate::opcode::{MAX_CONTROL_PAYLOAD, MessageKind, Opcode};
use crate::output::Output;
use crate::reply::{Answer, ControlPayload, Reply};
use crate::role::{Client, Role, Server};
use crate::stats::Counters;
use crate::utf8::Utf8Validator;

/// What to do with the transport, once what is in the output has been written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Action {
    /// Go on reading and writing.
    Continue,
    /// Go on reading, under a deadline: the peer's Close is to come, or (for a client) the end of
    /// the stream, since the server closes the transport first (RFC 6455 §7.1.1). Set the
    /// deadline once, when the value is no longer `Keep`; what arrives must not extend it. When it
    /// passes, close the transport.
    AwaitClose,
    /// Close it: nothing more will come that matters. To be sure that the peer gets what was
    /// written, shut down the sending side, and read and discard until the stream ends, for a
    /// short time at most (§7.1.1): a socket that is closed over unread bytes is reset.
    CloseTransport,
}

/// How far the closing handshake is (§7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closing {
    /// No Close was sent.
    Open,
    /// We sent a Close, and wait for the peer's.
    Sent,
    /// We sent a Close, and the peer answered it.
    Answered,
    /// The peer sent a Close, and we answered it.
    Answering,
    /// We failed the connection.
    Failed,
}

/// The state of a connection (§7.1.3, §7.1.4).
///
/// What changes it, and what each call does in it. "Done" means that Close frames went both ways;
/// "failed", that the peer violated the protocol or the caller called `fail`.
///
/// ```text
///                  close()                           recv: Close
///  Open ───────────────────────► Close sent ───────────────────────────► Done
///  Open, Keep                    Closing, Await                          Closing, Close
///   │   │                           │                                    (a client: Await) *
///   │   │  recv: Close;             │                                      ▲
///   │   │  a Close is written       │                                      │
///   │   └───────────────────────────┼──────────────────────────────────────┘
///   │                               │
///   │ recv: a violation, or fail(); │ recv: a violation, or fail();
///   │ a Close is written            │ nothing is written
///   ▼                               │
///  Failed ◄─────────────────────────┘
///  Closing, Close
///
///  any of them ── recv_eof() ──► Ended: Closed, Close
///
///  Below each: state() and transport().   * The server closes the transport first (§7.1.1).
/// ```
///
/// | call | open | Close sent | done, failed, ended |
/// | --- | --- | --- | --- |
/// | `send_*`, `header`, `mask_in_place`, `ping` | writes the frame | `Closed` | `Closed` |
/// | `pong` | writes a Pong | writes a Pong | `Closed` |
/// | `close` | writes a Close, → Close sent | `Closed` | `Closed` |
/// | `fail` | writes a Close, → failed | → failed | `Closed` |
/// | `recv`: data, Pong | event | event | discarded |
/// | `recv`: Ping | event, writes a Pong (if automatic) | event, writes a Pong (if automatic) | discarded |
/// | `recv`: Close | event, writes a Close, → done | event, → done | discarded |
/// | `recv`: violation | event, writes a Close, → failed | event, → failed | discarded |
/// | `recv_eof` | → ended | → ended | → ended |
///
/// While the output has no room for what must be written, the event waits, and nothing has changed:
/// `recv` returns `None`, and `is_paused` is `true`. Of halves, the receiver returns the event, and
/// [`SendHalf::reply`] writes the answer and changes the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Messages go both ways.
    Open,
    /// A Close frame was sent, or received and answered.
    Closing,
    /// The transport has ended, as `recv_eof` was told.
    Closed,
}

/// What the parts of a message have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Unfinished {
    kind: MessageKind,
    compressed: bool,
}

/// The sending half of a [`Connection`](crate::Connection), for programs that read and write in two
/// tasks.
///
/// It has all of the connection's methods to send with, and [`reply`](Self::reply) for what the
/// [`RecvHalf`](crate::RecvHalf) owes the peer.
#[derive(Debug)]
pub struct SendHalf<R> {
    role: R,
    closing: Closing,
    /// The Close that was sent.
    sent: Option<Option<CloseCode>>,
    /// Whether the transport has ended.
    ended: bool,
    /// Whether messages may be compressed.
    may_compress: bool,
    /// The message that is being sent in parts, and where its text stands.
    message: Option<Unfinished>,
    utf8: Utf8Validator,
    stats: Counters,
}

impl<R: Role> SendHalf<R> {
    pub(crate) fn new(role: R, may_compress: bool) -> Self {
        Self {
            role,
            may_compress,
            closing: Closing::Open,
            sent: None,
            ended: false,
            message: None,
            utf8: Utf8Validator::new(),
            stats: Counters::default(),
        }
    }

    /// Sends a text message in one frame.
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`], [`SendError::MessageInProgress`] or [`SendError::OutputFull`]; nothing was
    /// written.
    #[inline]
    pub fn send_text(
        &mut self,
        text: &str,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.message(MessageKind::Text, text.as_bytes(), out)
    }

    /// Sends a binary message in one frame.
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`], [`SendError::MessageInProgress`] or [`SendError::OutputFull`]; nothing was
    /// written.
    #[inline]
    pub fn send_binary(
        &mut self,
        bytes: &[u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.message(MessageKind::Binary, bytes, out)
    }

    /// Sends a part of a message as a frame: the first one when no message is unfinished, else a
    /// continuation of it (RFC 6455 §5.4).
    ///
    /// The parts of a text may split characters; together they must be UTF-8. Control frames may be
    /// sent between parts.
    ///
    /// # Errors
    ///
    /// [`SendError::MessageInProgress`] if the unfinished message is of another kind,
    /// [`SendError::InvalidUtf8`], [`SendError::Closed`] or [`SendError::OutputFull`]; nothing was
    /// written.
    pub fn send_fragment(
        &mut self,
        kind: MessageKind,
        bytes: &[u8],
        last: bool,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        let message = Unfinished {
            kind,
            compressed: false,
        };
        let (rsv, opcode) = self.part(message)?;
        // Before the text is read: a part that waits for room may be tried many times, as often as
        // a peer reads a few bytes.
        let header = Self::header_if_room(last, rsv, opcode, bytes, out)?;
        let mut utf8 = self.utf8;
        if kind == MessageKind::Text {
            utf8.feed(bytes).map_err(|_| SendError::InvalidUtf8)?;
            if last {
                utf8.finish().map_err(|_| SendError::InvalidUtf8)?;
            }
        }
        self.write(header, bytes, out);
        self.utf8 = utf8;
        self.message = if last { None } else { Some(message) };
        Ok(())
    }

    /// The same for a message that is compressed (RFC 7692 §6.1): `bytes` is a part of what a
    /// compressor made of all of it.
    ///
    /// # Errors
    ///
    /// [`SendError::NotNegotiated`], [`SendError::MessageInProgress`] if the unfinished message is
    /// of another kind or not compressed, [`SendError::Closed`] or [`SendError::OutputFull`]; nothing
    /// was written.
    pub fn send_compressed_fragment(
        &mut self,
        kind: MessageKind,
        bytes: &[u8],
        last: bool,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        let message = Unfinished {
            kind,
            compressed: true,
        };
        let (rsv, opcode) = self.part(message)?;
        self.frame(last, rsv, opcode, bytes, out)?;
        self.message = if last { None } else { Some(message) };
        Ok(())
    }

    /// Sends a Ping with a payload of up to 125 bytes (§5.5.2). The peer answers with a Pong of the
    /// same payload.
    ///
    /// # Errors
    ///
    /// [`SendError::ControlTooLong`], [`SendError::Closed`] or [`SendError::OutputFull`]; nothing was
    /// written.
    pub fn send_ping(
        &mut self,
        payload: &[u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.check_open()?;
        self.control(Opcode::PING, payload, out)
    }

    /// Sends a Pong: unsolicited, as a heartbeat (§5.5.3), or the answer to a Ping if
    /// [`Config::auto_pong`](crate::Config::auto_pong) is off.
    ///
    /// It may still be sent after [`close`](Self::close), until the peer's Close arrives: only data
    /// may not follow a Close (§5.5.1, §5.5.2).
    ///
    /// # Errors
    ///
    /// [`SendError::ControlTooLong`], [`SendError::Closed`] or [`SendError::OutputFull`]; nothing was
    /// written.
    pub fn send_pong(
        &mut self,
        payload: &[u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        if !self.may_pong() {
            return Err(SendError::Closed);
        }
        self.control(Opcode::PONG, payload, out)
    }

    /// Starts the closing handshake (§7.1.2). After it only [`pong`](Self::send_pong) can be sent, and
    /// what [`reply`](Self::reply) is given; an unfinished message is abandoned.
    ///
    /// A reason of more than 123 bytes is cut, before the character that does not fit. It is not
    /// shown to end users.
    ///
    /// # Errors
    ///
    /// [`SendError::ReasonWithoutCode`], [`SendError::ClientOnlyCloseCode`], [`SendError::Closed`] or
    /// [`SendError::OutputFull`]; nothing was written.
    pub fn close(
        &mut self,
        code: impl Into<Option<CloseCode>>,
        reason: &str,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.check_open()?;
        let code = code.into();
        if code.is_none() && !reason.is_empty() {
            return Err(SendError::ReasonWithoutCode);
        }
        self.send_close(
            code,
            ControlPayload::close(code, reason).as_bytes(),
            Closing::Sent,
            out,
        )
    }

    /// Fails the connection for a reason of the caller's, such as a message that violates a policy
    /// (§7.1.7): sends a Close, and ends the connection. The receiving half is not notified;
    /// ignore its further events.
    ///
    /// After [`close`](Self::close) it writes nothing, whatever the code, since the Close was sent,
    /// and ends the wait for the peer's.
    ///
    /// # Errors
    ///
    /// [`SendError::ClientOnlyCloseCode`], [`SendError::Closed`] if the peer's Close was answered or the
    /// connection failed or ended before, or [`SendError::OutputFull`]; nothing was written.
    pub fn fail(
        &mut self,
        code: CloseCode,
        reason: &str,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        if !self.ended && self.closing == Closing::Sent {
            self.closing = Closing::Failed;
            return Ok(());
        }
        self.send_close(
            Some(code),
            ControlPayload::close(Some(code), reason).as_bytes(),
            Closing::Failed,
            out,
        )
    }

    /// Sends what the receiving half owes the peer. After our Close only a Pong is written, and
    /// nothing after the peer's; the reply to a Close or a violation still tells this half that
    /// the connection is closed.
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
        self.answer(reply.answer, reply.payload.as_bytes(), out)
    }

    /// The same with the payload wherever it is.
    pub(crate) fn answer(
        &mut self,
        answer: Answer,
        payload: &[u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        match (answer, self.closing) {
            _ if self.ended => Ok(()),
            (Answer::Pong, _) if self.may_pong() => self.control(Opcode::PONG, payload, out),
            (Answer::Close(code), Closing::Open) => {
                self.send_close(code, payload, Closing::Answering, out)
            }
            (Answer::Fail(code), Closing::Open) => {
                self.send_close(Some(code), payload, Closing::Failed, out)
            }
            (Answer::Close(_), Closing::Sent) => {
                self.closing = Closing::Answered;
                Ok(())
            }
            (Answer::Fail(_), Closing::Sent) => {
                self.closing = Closing::Failed;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The input has ended: nothing more can be sent.
    pub const fn recv_eof(&mut self) {
        self.ended = true;
    }

    /// The state of the connection (§7.1.3, §7.1.4). This half knows of the other what it was told
    /// by [`reply`](Self::reply).
    #[must_use]
    pub const fn state(&self) -> State {
        match self.closing {
            _ if self.ended => State::Closed,
            Closing::Open => State::Open,
            _ => State::Closing,
        }
    }

    /// What to do with the transport, once what is in the output has been written. This half knows
    /// of the other what it was told by [`reply`](Self::reply).
    pub const fn next_action(&self) -> Action {
        match self.closing {
            _ if self.ended => Action::CloseTransport,
            Closing::Open => Action::Continue,
            Closing::Sent => Action::AwaitClose,
            Closing::Answered | Closing::Answering if R::IS_CLIENT => Action::AwaitClose,
            _ => Action::CloseTransport,
        }
    }

    /// The Close that was sent, if one was: `Some(None)` is one without a code.
    #[must_use]
    pub const fn close_sent(&self) -> Option<Option<CloseCode>> {
        self.sent
    }

    /// How much was sent.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.stats
    }

    /// How far the closing handshake is.
    pub(crate) const fn closing(&self) -> Closing {
        self.closing
    }

    /// A message in one frame.
    #[inline]
    fn message(
        &mut self,
        kind: MessageKind,
        payload: &[u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.check_between_messages()?;
        self.frame(true, 0, kind.opcode(), payload, out)
    }

    /// Whether a message can begin.
    #[inline]
    pub(crate) const fn check_between_messages(&self) -> Result<(), SendError> {
        match (self.state(), self.message) {
            (State::Open, None) => Ok(()),
            (State::Open, Some(_)) => Err(SendError::MessageInProgress),
            _ => Err(SendError::Closed),
        }
    }

    /// The reserved bits and the opcode of the next part of a message.
    fn part(&self, message: Unfinished) -> Result<(u8, Opcode), SendError> {
        self.check_open()?;
        if message.compressed && !self.may_compress {
            return Err(SendError::NotNegotiated);
        }
        match self.message {
            None => Ok((
                if message.compressed { Header::RSV1 } else { 0 },
                message.kind.opcode(),
            )),
            Some(unfinished) if unfinished == message => Ok((0, Opcode::CONTINUATION)),
            Some(_) => Err(SendError::MessageInProgress),
        }
    }

    /// Whether a Pong may be sent: no Close was received, and the connection has not failed
    /// (§5.5.2).
    const fn may_pong(&self) -> bool {
        !self.ended && matches!(self.closing, Closing::Open | Closing::Sent)
    }

    fn control(
        &mut self,
        opcode: Opcode,
        payload: &[u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        if payload.len() > MAX_CONTROL_PAYLOAD {
            return Err(SendError::ControlTooLong);
        }
        self.frame(true, 0, opcode, payload, out)
    }

    fn send_close(
        &mut self,
        code: Option<CloseCode>,
        payload: &[u8],
        then: Closing,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.check_open()?;
        if !R::IS_CLIENT
            && code == Some(CloseCode::MANDATORY_EXTENSION)
            && then != Closing::Answering
        {
            return Err(SendError::ClientOnlyCloseCode);
        }
        self.control(Opcode::CLOSE, payload, out)?;
        self.closing = then;
        self.sent = Some(code);
        Ok(())
    }

    /// Writes a frame, if there is room.
    #[inline]
    fn frame(
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

    /// The header of a frame that there is room for. Its key is still to come.
    #[inline]
    fn header_if_room(
        fin: bool,
        rsv: u8,
        opcode: Opcode,
        payload: &[u8],
        out: &(impl Output + ?Sized),
    ) -> Result<Header, SendError> {
        let header = Header {
            fin,
            rsv,
            opcode,
            mask: if R::IS_CLIENT {
                Some(MaskingKey([0; 4]))
            } else {
                None
            },
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
        // Not before it is certain that the frame goes out: a key is used for one frame only
        // (§10.3).
        header.mask = self.role.next_mask();
        out.append(&header.encode());
        match header.mask {
            None => _ = out.append(payload),
            Some(mask) => payload
                .chunks(BLOCK)
                .for_each(|block| mask.apply(out.append(block), 0)),
        }
        self.stats.count(header.len);
    }

    #[inline]
    const fn check_open(&self) -> Result<(), SendError> {
        match self.state() {
            State::Open => Ok(()),
            _ => Err(SendError::Closed),
        }
    }
}

impl SendHalf<Server> {
    /// The header of a frame whose payload goes out without being copied, for `write_vectored` and
    /// the like: a whole message, or the part of one as in [`send_fragment`](Self::send_fragment).
    ///
    /// The caller writes the header and then exactly `len` bytes (up to 2^63 - 1) before anything
    /// that is appended to an output later, and sees to it that text is UTF-8.
    ///
    /// # Errors
    ///
    /// [`SendError::LengthOverflow`], [`SendError::MessageInProgress`] or [`SendError::Closed`];
    /// nothing changed.
    pub fn header(
        &mut self,
        kind: MessageKind,
        len: u64,
        last: bool,
    ) -> Result<HeaderBytes, SendError> {
        if len >> 63 != 0 {
            return Err(SendError::LengthOverflow);
        }
        self.part_alone(kind, len, last)
            .map(|header| header.encode())
    }
}

impl SendHalf<Client> {
    /// Masks a payload where it stands and returns the header to be written before it, so that it
    /// goes out without being copied: a whole message, or the part of
    /// one as in [`send_fragment`](Self::send_fragment).
    ///
    /// The caller writes both before anything that is appended to an output later, and sees to it
    /// that text is UTF-8.
    ///
    /// # Errors
    ///
    /// [`SendError::MessageInProgress`] or [`SendError::Closed`]; nothing changed.
    pub fn mask_in_place(
        &mut self,
        kind: MessageKind,
        payload: &mut [u8],
        last: bool,
    ) -> Result<HeaderBytes, SendError> {
        let header = self.part_alone(kind, payload.len() as u64, last)?;
        if let Some(mask) = header.mask {
            mask.apply(payload, 0);
        }
        Ok(header.encode())
    }
}

impl<R: Role> SendHalf<R> {
    /// Accounts for a part whose payload the caller writes.
    fn part_alone(&mut self, kind: MessageKind, len: u64, last: bool) -> Result<Header, SendError> {
        let message = Unfinished {
            kind,
            compressed: false,
        };
        let (rsv, opcode) = self.part(message)?;
        self.utf8 = Utf8Validator::new();
        self.message = if last { None } else { Some(message) };
        self.stats.count(len);
        Ok(Header {
            fin: last,
            rsv,
            opcode,
            mask: self.role.next_mask(),
            len,
        })
    }
}
