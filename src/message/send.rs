//! The sending half with a compressor for complete messages.

use super::prepared::{Prepared, PreparedFrame};
use crate::action::Action;
use crate::connection::{Coding, OutgoingFrame, Reply, SendHalf, SentClose, State};
use crate::counters::Counters;
use crate::deflate::Deflater;
#[cfg(feature = "deflate")]
use crate::deflate::Params;
use crate::error::SendError;
use crate::frame::Utf8Validator;
use crate::frame::close::CloseCode;
use crate::frame::opcode::MessageKind;
use crate::output::Output;
use crate::role::{Role, Server};
use core::ops::Deref;

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
    deflater.compress(payload, true, |compressed| match compressed {
        Some(compressed) => half.send_deflated(kind, compressed, Utf8Validator::new(), true, out),
        None => half.send_message(kind, payload, out),
    })
}

/// Sends a fragment of a message, compressed if the message is: if that was negotiated, and it does
/// not continue an uncompressed one.
pub(super) fn send_fragment<R: Role>(
    half: &mut SendHalf<R>,
    deflater: &mut Option<Deflater>,
    kind: MessageKind,
    bytes: &[u8],
    fin: bool,
    out: &mut (impl Output + ?Sized),
) -> Result<(), SendError> {
    let is_compressed = |deflater: &&mut Deflater| match half.coding_in_progress() {
        Some(coding) => coding == Coding::Compressed,
        None if fin => deflater.should_compress(bytes.len()),
        // The length of the message is not known.
        None => deflater.may_compress(),
    };
    let Some(deflater) = deflater.as_mut().filter(is_compressed) else {
        return half.send_fragment(kind, bytes, fin, out);
    };
    let utf8 = half.check_content(kind, bytes, fin)?;
    deflater.compress(bytes, fin, |compressed| match compressed {
        Some(compressed) => half.send_deflated(kind, compressed, utf8, fin, out),
        None => half.send_message(kind, bytes, out),
    })
}

/// Sends the next fragment of a message from the front of `rest`, and consumes it. Returns whether
/// it was the last one.
pub(super) fn send_next_fragment(
    rest: &mut &[u8],
    max_len: usize,
    send: impl FnOnce(&[u8], bool) -> Result<(), SendError>,
) -> Result<bool, SendError> {
    let (fragment, others) = rest.split_at(max_len.max(1).min(rest.len()));
    let fin = others.is_empty();
    send(fragment, fin)?;
    *rest = others;
    Ok(fin)
}

/// Calls `send` with a fragment that the caller has compressed with these parameters, and informs
/// the compressor.
#[cfg(feature = "deflate")]
pub(super) fn with_own_compression<R: Role, T>(
    deflater: &mut Option<Deflater>,
    params: Params,
    send: impl FnOnce() -> Result<T, SendError>,
) -> Result<T, SendError> {
    let sent = send()?;
    if let Some(deflater) = deflater {
        deflater.message_was_sent(params.sent_by::<R>().no_context_takeover);
    }
    Ok(sent)
}

/// Begins a prepared message, if its frame is not longer than `room`.
#[inline]
pub(super) fn begin_prepared<P: Deref<Target = Prepared>>(
    half: &mut SendHalf<Server>,
    deflater: &mut Option<Deflater>,
    prepared: P,
    room: usize,
) -> Result<PreparedFrame<P>, SendError> {
    half.check_between_messages()?;
    let window_bits = match deflater {
        Some(deflater) if deflater.may_compress() => Some(deflater.window_bits()),
        _ => None,
    };
    let frame = PreparedFrame::new(prepared, window_bits);
    let needed = frame.len();
    if room < needed {
        return Err(SendError::OutputFull { needed });
    }
    half.count_message(frame.payload_len());
    if let (Some(deflater), true) = (deflater, frame.is_compressed()) {
        deflater.message_was_sent(true);
    }
    Ok(frame)
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

    /// Sends a fragment of a message (RFC 6455 §5.4), compressed and flushed if permessage-deflate
    /// was negotiated: see [`WebSocket::send_fragment`](crate::WebSocket::send_fragment).
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
        let Self { half, deflater } = self;
        send_fragment(half, deflater, kind, bytes, fin, out)
    }

    /// Sends the next fragment of a message from the front of `rest`: see
    /// [`WebSocket::send_next_fragment`](crate::WebSocket::send_next_fragment).
    ///
    /// # Errors
    ///
    /// The errors are those of [`send_fragment`](Self::send_fragment); nothing was consumed.
    pub fn send_next_fragment(
        &mut self,
        kind: MessageKind,
        rest: &mut &[u8],
        max_len: usize,
        out: &mut (impl Output + ?Sized),
    ) -> Result<bool, SendError> {
        send_next_fragment(rest, max_len, |bytes, fin| {
            self.send_fragment(kind, bytes, fin, out)
        })
    }

    /// Sends a fragment of a message without compressing it: see
    /// [`WebSocket::send_fragment_uncompressed`](crate::WebSocket::send_fragment_uncompressed).
    ///
    /// # Errors
    ///
    /// The errors are those of [`send_fragment`](Self::send_fragment).
    pub fn send_fragment_uncompressed(
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
    /// [`SendError::NotNegotiated`], [`SendError::IncompatibleParams`],
    /// [`SendError::MessageInProgress`], [`SendError::Closed`] or [`SendError::OutputFull`];
    /// nothing was written.
    #[cfg(feature = "deflate")]
    pub fn send_compressed_fragment(
        &mut self,
        kind: MessageKind,
        bytes: &[u8],
        params: Params,
        fin: bool,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        let Self { half, deflater } = self;
        with_own_compression::<R, _>(deflater, params, || {
            half.send_compressed_fragment(kind, bytes, params, fin, out)
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
        let Self { half, deflater } = self;
        with_own_compression::<R, _>(deflater, params, || {
            half.begin_compressed_frame(kind, len, params, fin)
        })
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

impl MessageSendHalf<Server> {
    /// Sends a message that was prepared for many connections: see
    /// [`WebSocket::send_prepared`](crate::WebSocket::send_prepared).
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`], [`SendError::MessageInProgress`] or [`SendError::OutputFull`];
    /// nothing was written.
    #[inline]
    pub fn send_prepared(
        &mut self,
        message: &Prepared,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        let Self { half, deflater } = self;
        let frame = begin_prepared(half, deflater, message, out.room())?;
        out.append(&frame);
        Ok(())
    }

    /// Begins a message that was prepared for many connections, and returns its frame, which the
    /// caller writes: see [`WebSocket::begin_prepared`](crate::WebSocket::begin_prepared).
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`] or [`SendError::MessageInProgress`]; the message was not begun.
    pub fn begin_prepared<P: Deref<Target = Prepared>>(
        &mut self,
        message: P,
    ) -> Result<PreparedFrame<P>, SendError> {
        let Self { half, deflater } = self;
        begin_prepared(half, deflater, message, usize::MAX)
    }
}
