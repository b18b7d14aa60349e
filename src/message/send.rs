//! The sending half with a compressor for complete messages.

use crate::action::Action;
use crate::connection::{OutgoingFrame, Reply, SendHalf, SentClose, State};
use crate::counters::Counters;
use crate::deflate::{Deflater, longest_compressed};
use crate::error::SendError;
use crate::frame::Header;
use crate::frame::close::CloseCode;
use crate::frame::opcode::MessageKind;
use crate::output::Output;
use crate::role::Role;

/// Sends a message, compressed if that was negotiated and is likely to make it smaller.
#[inline(always)]
pub(super) fn send_message<R: Role>(
    half: &mut SendHalf<R>,
    deflater: &mut Option<Deflater>,
    kind: MessageKind,
    payload: &[u8],
    out: &mut (impl Output + ?Sized),
) -> Result<(), SendError> {
    match deflater {
        Some(deflater) if deflater.should_compress(payload.len()) => {
            send_compressed(half, deflater, kind, payload, out)
        }
        _ => half.send_message(kind, payload, out),
    }
}

#[inline(never)]
fn send_compressed<R: Role>(
    half: &mut SendHalf<R>,
    deflater: &mut Deflater,
    kind: MessageKind,
    payload: &[u8],
    out: &mut (impl Output + ?Sized),
) -> Result<(), SendError> {
    half.check_between_messages()?;
    // Compressed output must be sent, since later messages may refer to it. Therefore everything
    // that could refuse it is checked before.
    let needed = longest_compressed(payload.len() as u64).saturating_add(Header::MAX_LEN as u64);
    if (out.room() as u64) < needed {
        let needed = usize::try_from(needed).unwrap_or(usize::MAX);
        return Err(SendError::OutputFull { needed });
    }
    deflater.compress(payload, |compressed| match compressed {
        Some(compressed) => half.send_compressed_fragment(kind, compressed, true, out),
        None => half.send_message(kind, payload, out),
    })
}

/// Calls `send` with a fragment that the caller has compressed, if the context is not in use by the
/// connection, and leaves the context to the caller.
pub(super) fn with_own_compression<T>(
    deflater: &mut Option<Deflater>,
    send: impl FnOnce() -> Result<T, SendError>,
) -> Result<T, SendError> {
    if deflater.as_ref().is_some_and(Deflater::has_context) {
        return Err(SendError::ContextInUse);
    }
    let sent = send()?;
    if let Some(deflater) = deflater {
        deflater.leave_context();
    }
    Ok(sent)
}

/// Frees the memory of the compressor, if no message can be sent.
pub(super) fn release_if_closed<R: Role>(half: &SendHalf<R>, deflater: &mut Option<Deflater>) {
    if half.state() != State::Open {
        if let Some(deflater) = deflater {
            deflater.release();
        }
    }
}

/// The sending half of a [`WebSocket`](crate::WebSocket), for programs that read and write in two
/// tasks: a [`SendHalf`] that compresses messages, if that was negotiated.
#[derive(Debug)]
pub struct MessageSendHalf<R> {
    pub(super) half: SendHalf<R>,
    /// Compresses messages, if permessage-deflate was negotiated.
    pub(super) deflater: Option<Deflater>,
}

impl<R: Role> MessageSendHalf<R> {
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
        let Self { half, deflater } = self;
        send_message(half, deflater, MessageKind::Text, text.as_bytes(), out)
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
        let Self { half, deflater } = self;
        send_message(half, deflater, MessageKind::Binary, bytes, out)
    }

    /// Sends a text message without compressing it: see
    /// [`WebSocket::send_text_uncompressed`](crate::WebSocket::send_text_uncompressed).
    ///
    /// # Errors
    ///
    /// The errors are those of [`send_text`](Self::send_text).
    pub fn send_text_uncompressed(
        &mut self,
        text: &str,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.half.send_text(text, out)
    }

    /// Sends a binary message without compressing it: see
    /// [`WebSocket::send_binary_uncompressed`](crate::WebSocket::send_binary_uncompressed).
    ///
    /// # Errors
    ///
    /// The errors are those of [`send_binary`](Self::send_binary).
    pub fn send_binary_uncompressed(
        &mut self,
        bytes: &[u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.half.send_binary(bytes, out)
    }

    /// Sends an uncompressed fragment of a message (RFC 6455 §5.4): see
    /// [`WebSocket::send_fragment`](crate::WebSocket::send_fragment).
    ///
    /// # Errors
    ///
    /// [`SendError::MessageInProgress`], [`SendError::InvalidUtf8`], [`SendError::Closed`] or
    /// [`SendError::OutputFull`]; nothing was written.
    pub fn send_fragment(
        &mut self,
        kind: MessageKind,
        bytes: &[u8],
        fin: bool,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.half.send_fragment(kind, bytes, fin, out)
    }

    /// Sends a fragment of a message that the caller has compressed: see
    /// [`WebSocket::send_compressed_fragment`](crate::WebSocket::send_compressed_fragment).
    ///
    /// # Errors
    ///
    /// [`SendError::NotNegotiated`], [`SendError::ContextInUse`],
    /// [`SendError::MessageInProgress`], [`SendError::Closed`] or [`SendError::OutputFull`];
    /// nothing was written.
    pub fn send_compressed_fragment(
        &mut self,
        kind: MessageKind,
        bytes: &[u8],
        fin: bool,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        let Self { half, deflater } = self;
        with_own_compression(deflater, || {
            half.send_compressed_fragment(kind, bytes, fin, out)
        })
    }

    /// Begins a frame whose payload the caller writes, without copying it: see
    /// [`WebSocket::begin_frame`](crate::WebSocket::begin_frame).
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
        self.half.begin_frame(kind, len, fin)
    }

    /// Begins a frame of a message that the caller has compressed: see
    /// [`WebSocket::begin_compressed_frame`](crate::WebSocket::begin_compressed_frame).
    ///
    /// # Errors
    ///
    /// [`SendError::NotNegotiated`], [`SendError::ContextInUse`], [`SendError::LengthOverflow`],
    /// [`SendError::MessageInProgress`] or [`SendError::Closed`]; no frame was begun.
    pub fn begin_compressed_frame(
        &mut self,
        kind: MessageKind,
        len: u64,
        fin: bool,
    ) -> Result<OutgoingFrame, SendError> {
        let Self { half, deflater } = self;
        with_own_compression(deflater, || half.begin_compressed_frame(kind, len, fin))
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
        self.half.send_ping(payload, out)
    }

    /// Sends a Pong with a payload of at most 125 bytes: see
    /// [`WebSocket::send_pong`](crate::WebSocket::send_pong).
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
        self.half.send_pong(payload, out)
    }

    /// Starts the closing handshake (§7.1.2): see [`SendHalf::close`].
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
        self.half.close(code, reason, out)?;
        self.release_if_closed();
        Ok(())
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
        self.half.close_without_code(out)?;
        self.release_if_closed();
        Ok(())
    }

    /// Fails the connection (§7.1.7), for instance because a message violates a policy: see
    /// [`SendHalf::fail`].
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
        self.half.fail(code, reason, out)?;
        self.release_if_closed();
        Ok(())
    }

    /// Sends the reply that the receiving half owes the peer: see [`SendHalf::reply`].
    ///
    /// # Errors
    ///
    /// [`SendError::OutputFull`]; nothing was written, and the call can be repeated.
    pub fn reply(
        &mut self,
        reply: &Reply,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.half.reply(reply, out)?;
        self.release_if_closed();
        Ok(())
    }

    /// Informs this half that the transport has ended, or that the driver ends it: nothing can be
    /// sent.
    pub fn transport_ended(&mut self) {
        self.half.transport_ended();
        self.release_if_closed();
    }

    /// Returns the state of the connection (§7.1.3, §7.1.4). This half knows about the other one
    /// only from [`reply`](Self::reply).
    #[must_use]
    pub const fn state(&self) -> State {
        self.half.state()
    }

    /// Returns what to do with the transport, once the output has been written. This half knows
    /// about the other one only from [`reply`](Self::reply).
    pub const fn next_action(&self) -> Action {
        self.half.next_action()
    }

    /// Returns the Close frame that was sent, if any.
    #[must_use]
    pub const fn close_sent(&self) -> Option<SentClose> {
        self.half.close_sent()
    }

    /// Returns the number of frames that were written or begun, and the sum of their payload
    /// lengths.
    #[must_use]
    pub const fn sent(&self) -> Counters {
        self.half.sent()
    }

    fn release_if_closed(&mut self) {
        release_if_closed(&self.half, &mut self.deflater);
    }
}
