//! Complete messages, the layer for nearly every program: a connection with memory for fragmented
//! messages, and with compression (RFC 6455 §5 to §7, RFC 7692).
//!
//! [`receive`] assembles messages in [`memory`], [`send`] compresses them, and [`prepared`] has
//! those for many connections. Everything else is the [`Connection`]'s.

mod memory;
mod prepared;
mod receive;
mod send;

pub use prepared::{Prepared, PreparedFrame};
pub use receive::{Message, MessageRecvHalf};
pub use send::MessageSendHalf;

use crate::action::Action;
use crate::config::Config;
use crate::connection::{Connection, Outcome, OutgoingFrame, SentClose, State};
use crate::counters::Counters;
#[cfg(feature = "deflate")]
use crate::deflate::Params;
use crate::deflate::{Deflater, Inflater};
use crate::error::{ProtocolError, SendError};
use crate::frame::close::{Close, CloseCode};
use crate::frame::opcode::MessageKind;
use crate::negotiated::Negotiated;
use crate::output::Output;
use crate::role::{Role, Server};
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Deref;
use receive::{Assembler, recv_borrowed};
#[cfg(feature = "deflate")]
use send::with_own_compression;
use send::{begin_prepared, release_if_closed, send_fragment, send_message, send_next_fragment};

/// An open WebSocket connection that receives complete messages.
///
/// An unfragmented message that lies entirely in the input is borrowed, not copied. Other messages
/// are assembled in memory of the connection, which grows with the received bytes
/// ([`Config::with_max_message`] describes how) and is handed over with the message. An idle
/// connection occupies no memory except this struct: on 64-bit targets 304 bytes for a server, or
/// 320 with the feature `deflate`.
///
/// ```
/// use ws_proto::{Config, Message, Server, WebSocket};
///
/// let mut ws = WebSocket::new(Server, &Config::new());
/// let mut out = Vec::new();
/// // RFC 6455 §5.7: a masked "Hello".
/// let mut received = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
///
/// let mut input = &mut received[..];
/// while let Some(message) = ws.recv(&mut input, &mut out) {
///     match message {
///         Message::Text(text) => ws.send_text(&text, &mut out)?,
///         other => panic!("{other:?}"),
///     }
/// }
/// assert_eq!(out, b"\x81\x05Hello");
/// # Ok::<(), ws_proto::SendError>(())
/// ```
#[derive(Debug)]
pub struct WebSocket<R> {
    connection: Connection<R>,
    assembler: Assembler,
    /// Compresses messages, if permessage-deflate was negotiated.
    deflater: Option<Deflater>,
    subprotocol: Option<Box<str>>,
}

impl<R: Role> WebSocket<R> {
    /// Creates a connection after its opening handshake. `negotiated` is the result of the
    /// handshake, or only the role.
    pub fn new(negotiated: impl Into<Negotiated<R>>, config: &Config) -> Self {
        let Negotiated {
            role,
            subprotocol,
            deflate,
            relays_compressed: _,
        } = negotiated.into();
        let deflate = deflate.as_ref();
        let params = deflate.map(|&(_, params)| params);
        let inflater = deflate.map(|(config, params)| Inflater::new::<R>(config, *params));
        let deflater = deflate.map(|(config, params)| Deflater::new::<R>(config, *params));
        Self {
            connection: Connection::with_role(role, params, false, config),
            assembler: Assembler::new(inflater),
            deflater,
            subprotocol,
        }
    }

    /// Consumes the next message from `input`, and appends the automatic reply to `out`: the Pong
    /// to a Ping, the Close that answers a Close, and the Close that reports a violation.
    ///
    /// Returns `None` if all of `input` was consumed: read more, unless
    /// [`next_action`](Self::next_action) requires otherwise. It also returns `None` if `out` has
    /// no room for a reply; then [`is_paused`](Self::is_paused) is `true`. After a Close or a
    /// failure, all further input is discarded (RFC 6455 §1.4, §7.1.7).
    ///
    /// If the message is borrowed, it is the last bytes before the cursor `input`, so that a caller
    /// with reference-counted buffers can slice instead of copy.
    #[inline]
    #[must_use = "the message must be handled, and `None` ends the loop"]
    pub fn recv<'b>(
        &mut self,
        input: &mut &'b mut [u8],
        out: &mut (impl Output + ?Sized),
    ) -> Option<Message<'b>> {
        match recv_borrowed(&mut self.connection.recv, input) {
            Ok(message) => message,
            Err(error) => {
                let message = self
                    .assembler
                    .recv(&mut self.connection.recv, error, input)?;
                if message.is_data() {
                    Some(message)
                } else {
                    self.report(message, out)
                }
            }
        }
    }

    /// Appends the reply to a signal, and returns its message unless there is no room.
    #[cold]
    #[inline(never)]
    fn report<'b>(
        &mut self,
        message: Message<'b>,
        out: &mut (impl Output + ?Sized),
    ) -> Option<Message<'b>> {
        if !self.connection.send_due_reply(out) {
            return None;
        }
        if let Message::Close(_) | Message::Failed(_) = message {
            self.release_if_closed();
        }
        Some(message)
    }

    /// Returns the memory in which the next bytes of a binary message belong, so that the transport
    /// can write them there: a large message is then not copied.
    ///
    /// After writing to the front of it, call [`recv_payload`](Self::recv_payload). It is a choice
    /// for each read: the payload can also be passed to [`recv`](Self::recv), as usual.
    ///
    /// It is empty between frames, in control frames, in compressed messages, and in texts, which
    /// are validated while they are copied. Otherwise it has up to
    /// [`payload_left`](Self::payload_left) bytes with arbitrary content: memory that is full grows
    /// by as much as the message has received, or by 4 KiB. [Recycled](Self::recycle) memory is
    /// used completely from the start.
    ///
    /// A read into it ends with the frame at the latest. Therefore use it if it is as long as a
    /// buffer of your own, as in this example, or read into both at once (`read_vectored`).
    ///
    /// ```
    /// use ws_proto::{Config, Message, Server, WebSocket};
    ///
    /// # use std::io::Read;
    /// # let mut payload = [b'x'; 100_000];
    /// # let mut sock = [&b"\x82\xff\0\0\0\0\0\x01\x86\xa0\0\0\0\0"[..], &payload].concat();
    /// # let mut sock = &sock[..];
    /// let mut ws = WebSocket::new(Server, &Config::new());
    /// let mut out = Vec::new();
    /// let mut buf = [0; 4096];
    /// let mut messages = 0;
    /// loop {
    ///     let n = if ws.payload_buffer().len() >= buf.len() {
    ///         let n = sock.read(ws.payload_buffer())?;
    ///         if let Some(message) = ws.recv_payload(n) {
    ///             assert!(matches!(message, Message::Binary(_)));
    ///             messages += 1;
    ///         }
    ///         n
    ///     } else {
    ///         let n = sock.read(&mut buf)?;
    ///         let mut input = &mut buf[..n];
    ///         while let Some(message) = ws.recv(&mut input, &mut out) {
    ///             assert!(matches!(message, Message::Binary(_)));
    ///             messages += 1;
    ///         }
    ///         n
    ///     };
    ///     if n == 0 {
    ///         ws.recv_eof();
    ///         break;
    ///     }
    /// }
    /// assert_eq!(messages, 1);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn payload_buffer(&mut self) -> &mut [u8] {
        self.assembler.payload_place(&self.connection.recv)
    }

    /// Receives `len` bytes that the caller has written to the front of
    /// [`payload_buffer`](Self::payload_buffer). If they complete a message, it is returned.
    ///
    /// If `len` exceeds the length of the buffer, only the buffer is received.
    #[must_use = "the message must be handled"]
    pub fn recv_payload(&mut self, len: usize) -> Option<Message<'static>> {
        self.assembler.recv_in_place(&mut self.connection.recv, len)
    }

    /// Returns memory to the connection, such as that of an owned message: the next message that is
    /// assembled uses it. Until then the connection keeps it, whatever its capacity.
    ///
    /// ```
    /// use std::borrow::Cow;
    /// use ws_proto::{Config, Message, Server, WebSocket};
    ///
    /// let mut ws = WebSocket::new(Server, &Config::new());
    /// let mut received = *b"\x02\x81\0\0\0\0a\x80\x81\0\0\0\0b"; // two fragments
    /// let message = ws.recv(&mut &mut received[..], &mut Vec::new());
    /// if let Some(Message::Binary(Cow::Owned(bytes))) = message {
    ///     assert_eq!(bytes, b"ab");
    ///     ws.recycle(bytes);
    /// }
    /// ```
    pub fn recycle(&mut self, memory: Vec<u8>) {
        self.assembler.recycle(&self.connection.recv, memory);
    }

    /// Returns whether `recv` returned `None` because the output has no room for the reply to a
    /// received frame.
    ///
    /// Write the output, then call `recv` again, also with an empty input: it returns the message
    /// and appends the reply. Until then nothing after that frame is received, and no other method
    /// shows the message, with two exceptions: [`control_payload`](Self::control_payload) returns
    /// the payload of a Ping, and after [`recv_eof`](Self::recv_eof), [`outcome`](Self::outcome)
    /// includes a Close. If this is `false` after `None`, all of the input was consumed.
    ///
    /// ```
    /// use ws_proto::{Config, Message, Server, SliceOutput, WebSocket};
    ///
    /// let mut ws = WebSocket::new(Server, &Config::new());
    /// let mut memory = [0; 8];
    /// let mut out = SliceOutput::new(&mut memory);
    /// let mut received = *b"\x89\x84\0\0\0\0ping\x89\x84\0\0\0\0pong";
    /// let mut input = &mut received[..];
    /// assert_eq!(ws.recv(&mut input, &mut out), Some(Message::Ping));
    /// assert_eq!(ws.recv(&mut input, &mut out), None);
    /// assert!(ws.is_paused());
    ///
    /// out.clear(); // sock.write_all(out.as_bytes())?
    /// assert_eq!(ws.recv(&mut input, &mut out), Some(Message::Ping));
    /// assert_eq!(out.as_bytes(), b"\x8a\x04pong");
    /// ```
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.connection.is_paused()
    }

    /// Informs the connection that the transport has ended: the peer closed or reset it. Unless
    /// Close frames were exchanged, that is an abnormal closure (RFC 6455 §7.1.5).
    ///
    /// Call it after `recv` has consumed the received bytes, and not while it
    /// [is paused](Self::is_paused): the next `recv` then still returns the pending message, but
    /// its reply is not sent. Later input is discarded.
    pub fn recv_eof(&mut self) {
        self.connection.recv_eof();
        self.assembler.release();
        self.release_if_closed();
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
        let half = &mut self.connection.send;
        send_message(
            half,
            &mut self.deflater,
            MessageKind::Text,
            text.as_bytes(),
            out,
        )
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
        let half = &mut self.connection.send;
        send_message(half, &mut self.deflater, MessageKind::Binary, bytes, out)
    }

    /// Sends a text message without compressing it, even if permessage-deflate was negotiated: for
    /// messages that mix a secret with attacker-controlled text, whose compressed size leaks the
    /// secret (RFC 7692 §8).
    ///
    /// # Errors
    ///
    /// The errors are those of [`send_text`](Self::send_text).
    pub fn send_text_uncompressed(
        &mut self,
        text: &str,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.connection.send_text(text, out)
    }

    /// Sends a binary message without compressing it, even if permessage-deflate was negotiated:
    /// see [`send_text_uncompressed`](Self::send_text_uncompressed).
    ///
    /// # Errors
    ///
    /// The errors are those of [`send_binary`](Self::send_binary).
    pub fn send_binary_uncompressed(
        &mut self,
        bytes: &[u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.connection.send_binary(bytes, out)
    }

    /// Sends a fragment of a message (RFC 6455 §5.4): the first one if no message is in progress, a
    /// continuation otherwise. `fin` ends the message.
    ///
    /// The fragments of a text may split characters; together they must be valid UTF-8. Control
    /// frames may be sent between fragments. A peer accepts a limited number of fragments (in this
    /// crate: [`Config::with_max_fragments`]).
    ///
    /// If permessage-deflate was negotiated, the message is compressed, and each fragment is
    /// flushed: a peer that streams can decompress it when it arrives. Each flush adds at least
    /// four bytes. A message of more than one fragment is compressed even if it is shorter than the
    /// [threshold](crate::deflate::DeflateConfig::with_threshold), since its length is not known. A
    /// message that was begun by [`send_fragment_uncompressed`](Self::send_fragment_uncompressed)
    /// or [`begin_frame`](Self::begin_frame) is continued uncompressed.
    ///
    /// ```
    /// use ws_proto::{Config, MessageKind, Server, WebSocket};
    ///
    /// let mut ws = WebSocket::new(Server, &Config::new());
    /// let mut out = Vec::new();
    /// ws.send_fragment(MessageKind::Text, b"Hel", false, &mut out)?;
    /// ws.send_ping(b"", &mut out)?;
    /// ws.send_fragment(MessageKind::Text, b"lo", true, &mut out)?;
    /// assert_eq!(out, b"\x01\x03Hel\x89\x00\x80\x02lo");
    /// # Ok::<(), ws_proto::SendError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SendError::MessageInProgress`] if the message in progress is of another type or was
    /// compressed by the caller, [`SendError::InvalidUtf8`], [`SendError::Closed`] or
    /// [`SendError::OutputFull`]; nothing was written.
    pub fn send_fragment(
        &mut self,
        kind: MessageKind,
        bytes: &[u8],
        fin: bool,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        let half = &mut self.connection.send;
        send_fragment(half, &mut self.deflater, kind, bytes, fin, out)
    }

    /// Sends the next fragment of a message, at most `max_len` bytes from the front of `rest`, and
    /// consumes them. Returns whether that was the last fragment. `max_len` is the length before
    /// compression; 0 counts as 1.
    ///
    /// It sends a large message in fragments, as [`send_fragment`](Self::send_fragment) does, so
    /// that Pongs, Pings and a Close do not wait for the end of the message:
    ///
    /// ```
    /// use ws_proto::{Config, MessageKind, Server, WebSocket};
    ///
    /// let mut ws = WebSocket::new(Server, &Config::new());
    /// let mut out = Vec::new();
    /// let mut rest = &b"Hello"[..];
    /// while !ws.send_next_fragment(MessageKind::Text, &mut rest, 3, &mut out)? {
    ///     // Write `out`, and receive: this may append replies.
    ///     ws.send_ping(b"", &mut out)?;
    /// }
    /// assert_eq!(out, b"\x01\x03Hel\x89\x00\x80\x02lo");
    /// # Ok::<(), ws_proto::SendError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The errors are those of [`send_fragment`](Self::send_fragment); nothing was consumed, and
    /// after [`SendError::OutputFull`] the call can be repeated.
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

    /// Sends a fragment of a message like [`send_fragment`](Self::send_fragment), without
    /// compressing it, even if permessage-deflate was negotiated: see
    /// [`send_text_uncompressed`](Self::send_text_uncompressed).
    ///
    /// # Errors
    ///
    /// The errors are those of [`send_fragment`](Self::send_fragment);
    /// [`SendError::MessageInProgress`] also if the message in progress is compressed.
    pub fn send_fragment_uncompressed(
        &mut self,
        kind: MessageKind,
        bytes: &[u8],
        fin: bool,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.connection.send_fragment(kind, bytes, fin, out)
    }

    /// Sends a fragment of a message that the caller has compressed (RFC 7692 §6.1), like
    /// [`send_fragment`](Self::send_fragment): `bytes` is a slice of the output of a compressor for
    /// the complete message, and `params` are the compressor's parameters. Text must be valid
    /// UTF-8; this is not checked.
    ///
    /// If `params` take the context over, the caller's compressor has it from now on, and the
    /// connection compresses no message itself. Otherwise (`server_no_context_takeover` in a
    /// server) the message is independent of all others, and the connection can still compress. For
    /// a message to many connections, [`Prepared`] does all of this.
    ///
    /// # Errors
    ///
    /// [`SendError::NotNegotiated`], [`SendError::IncompatibleParams`],
    /// [`SendError::MessageInProgress`] if the message in progress is of another type or was not
    /// compressed by the caller, [`SendError::Closed`] or [`SendError::OutputFull`]; nothing was
    /// written.
    #[cfg(feature = "deflate")]
    pub fn send_compressed_fragment(
        &mut self,
        kind: MessageKind,
        bytes: &[u8],
        params: Params,
        fin: bool,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        let Self {
            connection,
            deflater,
            ..
        } = self;
        with_own_compression::<R, _>(deflater, params, || {
            connection.send_compressed_fragment(kind, bytes, params, fin, out)
        })
    }

    /// Begins an uncompressed frame whose payload of `len` bytes the caller writes, without copying
    /// it: a message, or a fragment as in [`send_fragment`](Self::send_fragment). `len` is at most
    /// 2^63 - 1.
    ///
    /// [`OutgoingFrame`] describes how to write it. Text must be valid UTF-8; this is not checked.
    /// The state changes as if the frame had been sent.
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
        self.connection.begin_frame(kind, len, fin)
    }

    /// Begins a frame of a message that the caller has compressed, like
    /// [`begin_frame`](Self::begin_frame), and under the conditions of
    /// [`send_compressed_fragment`](Self::send_compressed_fragment).
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
        let Self {
            connection,
            deflater,
            ..
        } = self;
        with_own_compression::<R, _>(deflater, params, || {
            connection.begin_compressed_frame(kind, len, params, fin)
        })
    }

    /// Sends a Ping with a payload of at most 125 bytes (§5.5.2). The peer answers it with a Pong
    /// of the same payload.
    ///
    /// ```
    /// use ws_proto::{Config, Message, Server, WebSocket};
    ///
    /// let mut ws = WebSocket::new(Server, &Config::new());
    /// let mut out = Vec::new();
    /// ws.send_ping(b"1", &mut out)?;
    /// assert_eq!(out, b"\x89\x011");
    ///
    /// let mut received = *b"\x8a\x81\0\0\0\x001";
    /// let message = ws.recv(&mut &mut received[..], &mut out);
    /// assert_eq!(message, Some(Message::Pong));
    /// assert_eq!(ws.control_payload(), b"1");
    /// # Ok::<(), ws_proto::SendError>(())
    /// ```
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
        self.connection.send_ping(payload, out)
    }

    /// Sends a Pong with a payload of at most 125 bytes: an unsolicited one, as a heartbeat
    /// (§5.5.3), or the answer to a Ping if [automatic ones](Config::with_auto_pong) are off. Copy
    /// the payload of the Ping first: `let payload = ws.control_payload().to_vec()`.
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
        self.connection.send_pong(payload, out)
    }

    /// Starts the closing handshake (§7.1.2). Afterwards only [`send_pong`](Self::send_pong) can
    /// send; an unfinished message is abandoned. Messages that the peer sends before its own Close
    /// are still received, and its Pings are answered; sending a reply to a message fails with
    /// [`SendError::Closed`].
    ///
    /// A reason of more than 123 bytes is truncated before the character that does not fit.
    ///
    /// ```
    /// use ws_proto::{Action, CloseCode, Config, Server, WebSocket};
    ///
    /// let mut ws = WebSocket::new(Server, &Config::new());
    /// let mut out = Vec::new();
    /// ws.close(CloseCode::NORMAL, "done", &mut out)?;
    /// assert_eq!(out, b"\x88\x06\x03\xe8done");
    /// // Write `out`, then receive until the peer's Close, with a deadline.
    /// assert_eq!(ws.next_action(), Action::AwaitClose);
    /// # Ok::<(), ws_proto::SendError>(())
    /// ```
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
        self.connection.close(code, reason, out)?;
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
        self.connection.close_without_code(out)?;
        self.release_if_closed();
        Ok(())
    }

    /// Fails the connection (§7.1.7), for instance because a message violates a policy: sends a
    /// Close, and discards all further input.
    ///
    /// After [`close`](Self::close) it ignores `code` and `reason` and writes nothing, since only
    /// one Close may be sent, and ends the wait for the peer's Close.
    ///
    /// ```
    /// use ws_proto::{Action, CloseCode, Config, Server, WebSocket};
    ///
    /// let mut ws = WebSocket::new(Server, &Config::new());
    /// let mut out = Vec::new();
    /// ws.fail(CloseCode::UNSUPPORTED_DATA, "only text", &mut out)?;
    /// // Write `out`, then close the transport.
    /// assert_eq!(ws.next_action(), Action::CloseTransport);
    /// # Ok::<(), ws_proto::SendError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SendError::ClientOnlyCloseCode`], [`SendError::OutputFull`], or [`SendError::Closed`] if
    /// the peer's Close was received or the connection failed or ended before; nothing was written,
    /// and no state changed.
    pub fn fail(
        &mut self,
        code: CloseCode,
        reason: &str,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.connection.fail(code, reason, out)?;
        self.assembler.release();
        self.release_if_closed();
        Ok(())
    }

    /// Returns the state of the connection (§7.1.3, §7.1.4).
    #[must_use]
    pub const fn state(&self) -> State {
        self.connection.state()
    }

    /// Returns what to do with the transport, once the output has been written.
    pub const fn next_action(&self) -> Action {
        self.connection.next_action()
    }

    /// Returns how the connection ended or is ending; `None` while it is open.
    ///
    /// ```
    /// use ws_proto::{Config, Server, WebSocket};
    ///
    /// let mut ws = WebSocket::new(Server, &Config::new());
    /// assert_eq!(ws.outcome(), None);
    /// ws.recv_eof();
    /// let outcome = ws.outcome().expect("it has ended");
    /// assert!(!outcome.clean);
    /// eprintln!("{outcome}"); // a line for the log
    /// ```
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome<'_>> {
        self.connection.outcome()
    }

    /// Returns the protocol violation of the peer, if the connection failed because of it.
    #[must_use]
    pub const fn error(&self) -> Option<ProtocolError> {
        self.connection.error()
    }

    /// Returns the Close frame that was received, if any.
    ///
    /// ```
    /// use ws_proto::{CloseCode, Config, Message, Server, WebSocket};
    ///
    /// let mut ws = WebSocket::new(Server, &Config::new());
    /// let mut received = *b"\x88\x85\0\0\0\0\x03\xe9bye";
    /// let message = ws.recv(&mut &mut received[..], &mut Vec::new());
    /// assert_eq!(message, Some(Message::Close(Some(CloseCode::GOING_AWAY))));
    /// assert_eq!(ws.close_received().unwrap().reason, "bye");
    /// ```
    #[must_use]
    pub fn close_received(&self) -> Option<Close<'_>> {
        self.connection.close_received()
    }

    /// Returns the Close frame that was sent, if any.
    #[must_use]
    pub const fn close_sent(&self) -> Option<SentClose> {
        self.connection.close_sent()
    }

    /// Returns the payload of the Ping or Pong that [`recv`](Self::recv) returned last: at most 125
    /// arbitrary bytes (§5.5.2). It is meaningful until the next call of `recv`.
    #[must_use]
    pub fn control_payload(&self) -> &[u8] {
        self.connection.control_payload()
    }

    /// Returns the number of bytes of the current data frame's payload that have not been received;
    /// 0 between frames and in control frames.
    #[must_use]
    pub fn payload_left(&self) -> u64 {
        self.connection.payload_left()
    }

    /// Returns `None` between messages. While a message is incomplete, returns the number of
    /// payload bytes of all messages that were received, without control frames. As long as this
    /// value does not change, the message makes no progress: [`Deadlines`](crate::Deadlines) limits
    /// that time.
    #[must_use]
    pub const fn message_progress(&self) -> Option<u64> {
        self.connection.message_progress()
    }

    /// Returns the number of frames whose header was received, and the sum of their payload
    /// lengths. [`payload_left`](Self::payload_left) bytes of that have not arrived, and up to 125
    /// bytes of a control frame.
    #[must_use]
    pub const fn received(&self) -> Counters {
        self.connection.received()
    }

    /// Returns the number of frames that were written or begun, and the sum of their payload
    /// lengths.
    #[must_use]
    pub const fn sent(&self) -> Counters {
        self.connection.sent()
    }

    /// Returns the negotiated subprotocol, if any (§1.9).
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Returns the negotiated parameters of permessage-deflate, if it is in use (RFC 7692 §7.1).
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(&self) -> Option<Params> {
        self.deflater.as_ref().map(Deflater::params)
    }

    /// Returns the configuration.
    #[must_use = "it has no side effects"]
    pub const fn config(&self) -> &Config {
        self.connection.config()
    }

    /// Replaces the configuration, such as the limits after a client has authenticated.
    ///
    /// Limits on declared lengths and on fragments apply from the next frame header on, also to the
    /// rest of a message in progress. Other settings, and the limit on decompressed content, apply
    /// at once.
    ///
    /// ```
    /// # use ws_proto::{Config, Server, WebSocket};
    /// # let mut ws = WebSocket::new(Server, &Config::new());
    /// let config = ws.config().clone().with_max_message(64 << 20);
    /// ws.set_config(&config);
    /// ```
    pub fn set_config(&mut self, config: &Config) {
        self.connection.set_config(config);
    }

    /// Splits the connection into its halves, for two tasks that share no lock.
    /// [`MessageRecvHalf`] describes the communication between the tasks.
    ///
    /// If receiving [is paused](Self::is_paused), the receiving half returns the pending message,
    /// and then owes the reply.
    pub fn split(self) -> (MessageRecvHalf<R>, MessageSendHalf<R>) {
        let Self {
            connection,
            assembler,
            deflater,
            subprotocol,
        } = self;
        let (recv_half, send_half) = connection.split();
        (
            MessageRecvHalf {
                half: recv_half,
                assembler,
                subprotocol,
            },
            MessageSendHalf {
                half: send_half,
                deflater,
            },
        )
    }

    /// Reunites the halves of a connection, for [`outcome`](Self::outcome) when both tasks have
    /// ended.
    ///
    /// They must be the halves of one connection; this is not checked.
    ///
    /// Each half learns from the other how the connection ended. If the sending half was not given
    /// the reply to the peer's Close or violation, and was not notified of the end of the stream,
    /// the next [`recv`](Self::recv) returns the message again and appends the reply. A Pong that
    /// it was not given is not sent.
    #[must_use]
    pub fn reunite(recv: MessageRecvHalf<R>, send: MessageSendHalf<R>) -> Self {
        let mut this = Self {
            connection: Connection::reunite(recv.half, send.half),
            assembler: recv.assembler,
            deflater: send.deflater,
            subprotocol: recv.subprotocol,
        };
        if this.connection.recv.has_ended() {
            this.assembler.release();
        }
        this.release_if_closed();
        this
    }

    fn release_if_closed(&mut self) {
        release_if_closed(&self.connection.send, &mut self.deflater);
    }
}

impl WebSocket<Server> {
    /// Sends a message that was prepared for many connections, in one frame: compressed if that was
    /// negotiated, if it was [prepared for that](Prepared::deflate), and if it saves bytes.
    ///
    /// A compressed one is independent of all others. If the connection takes its own context over
    /// from message to message, the next message that it compresses itself starts with an empty
    /// one. If the [caller's compressor](Self::send_compressed_fragment) has the context, the
    /// message is sent uncompressed.
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
        let half = &mut self.connection.send;
        let frame = begin_prepared(half, &mut self.deflater, message, out.room())?;
        out.append(&frame);
        Ok(())
    }

    /// Begins a message that was prepared for many connections, and returns its frame, which the
    /// caller writes: with `writev`, through io_uring, or as reference-counted bytes. The state
    /// changes as if the frame had been [sent](Self::send_prepared).
    ///
    /// ```
    /// # #[cfg(feature = "std")] {
    /// use std::sync::Arc;
    /// use ws_proto::{Config, Prepared, Server, WebSocket};
    ///
    /// let mut ws = WebSocket::new(Server, &Config::new());
    /// let message = Arc::new(Prepared::text("Hello"));
    /// let frame = ws.begin_prepared(&*message)?;
    /// // sock.write_all(&frame)?;
    /// assert_eq!(*frame, *b"\x81\x05Hello");
    /// // A frame that shares the message.
    /// let frame = ws.begin_prepared(Arc::clone(&message))?;
    /// std::thread::spawn(move || assert_eq!(frame.len(), 7));
    /// # }
    /// # Ok::<(), ws_proto::SendError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`] or [`SendError::MessageInProgress`]; the message was not begun.
    pub fn begin_prepared<P: Deref<Target = Prepared>>(
        &mut self,
        message: P,
    ) -> Result<PreparedFrame<P>, SendError> {
        let half = &mut self.connection.send;
        begin_prepared(half, &mut self.deflater, message, usize::MAX)
    }
}
