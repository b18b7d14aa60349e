//! A connection that streams: events of messages of any size, without storing them (RFC 6455 §5 to
//! §7).
//!
//! [`receive`] has the receiving machine, [`send`] the sending half, and [`closing`] the closing
//! handshake, of which each holds one side. [`Connection`] drives the two machines and passes
//! replies from the first to the second. [`RecvHalf`] drives only the first.

mod closing;
mod receive;
mod recv_half;
mod send;

pub use closing::{Endpoint, Outcome, Reply, SentClose, State};
#[cfg(feature = "alloc")]
pub(crate) use receive::RawChunk;
pub use receive::{Chunk, Event};
pub(crate) use receive::{Received, RecvState, Signal};
pub use recv_half::RecvHalf;
#[cfg(feature = "alloc")]
pub(crate) use send::{Coding, append_masked};
pub use send::{OutgoingFrame, SendHalf};

use crate::action::Action;
use crate::config::Config;
use crate::counters::Counters;
use crate::deflate::Params;
use crate::error::{ProtocolError, SendError};
use crate::frame::Header;
use crate::frame::close::{Close, CloseCode};
use crate::frame::opcode::MessageKind;
use crate::negotiated::Negotiated;
use crate::output::{Output, SliceOutput};
use crate::role::Role;
use closing::{ClosePhase, RecvEnd};

/// An open WebSocket connection that streams: it returns messages in chunks, as they arrive, and
/// stores none.
///
/// For complete messages, use [`WebSocket`](crate::WebSocket). This layer is for messages of any
/// size, for relays, and for systems without an allocator: it occupies at most 256 bytes (as a
/// server), and no heap.
///
/// ```
/// use ws_proto::{Config, Connection, Event, Server, SliceOutput};
///
/// let mut connection = Connection::new(Server, &Config::new());
/// let mut memory = [0; 256];
/// let mut out = SliceOutput::new(&mut memory);
/// let mut received = *b"\x82\x83\x10\x20\x30\x40\x11\x22\x33";
///
/// let mut input = &mut received[..];
/// loop {
///     while let Some(event) = connection.recv(&mut input, &mut out) {
///         if let Event::Data(chunk) = event {
///             assert_eq!(chunk.payload, [1, 2, 3]);
///             assert!(chunk.first && chunk.last);
///         }
///     }
///     // sock.write_all(out.as_bytes())?;
///     out.clear();
///     if !connection.is_paused() {
///         break; // all of the input was consumed: read more
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Connection<R> {
    pub(crate) recv: RecvState<R>,
    pub(crate) send: SendHalf<R>,
}

impl<R: Role> Connection<R> {
    /// Creates a connection after its opening handshake. `negotiated` is the result of the
    /// handshake, or only the role.
    pub fn new(negotiated: impl Into<Negotiated<R>>, config: &Config) -> Self {
        let negotiated = negotiated.into();
        let deflate = negotiated.deflate.map(|(_, params)| params);
        Self::with_role(
            negotiated.role,
            deflate,
            negotiated.relays_compressed,
            config,
        )
    }

    pub(crate) fn with_role(
        role: R,
        deflate: Option<Params>,
        relays_compressed: bool,
        config: &Config,
    ) -> Self {
        Self {
            recv: RecvState::new(config, deflate.is_some() || relays_compressed),
            send: SendHalf::new(role, deflate, relays_compressed),
        }
    }

    /// Consumes the next event from `input`, and appends the automatic reply to `out`: the Pong to
    /// a Ping, the Close that answers a Close, and the Close that reports a violation.
    ///
    /// Returns `None` if all of `input` was consumed: read more, unless
    /// [`next_action`](Self::next_action) requires otherwise. It also returns `None` if `out` has
    /// no room for a reply; then [`is_paused`](Self::is_paused) is `true`. After a Close or a
    /// failure, all further input is discarded (RFC 6455 §1.4, §7.1.7).
    ///
    /// After [`Event::Data`], the payload of the chunk is the last `payload.len()` bytes before the
    /// cursor `input`.
    #[inline]
    #[must_use = "the event must be handled, and `None` ends the loop"]
    pub fn recv<'b>(
        &mut self,
        input: &mut &'b mut [u8],
        out: &mut (impl Output + ?Sized),
    ) -> Option<Event<'b>> {
        match self.recv.recv(input)? {
            Received::Data(chunk) => Some(Event::Data(chunk)),
            Received::Signal(signal) => self.report(signal, out).map(Event::from),
        }
    }

    /// Appends the reply to the last signal, and returns the signal unless there is no room.
    #[cold]
    #[inline(never)]
    fn report(&mut self, signal: Signal, out: &mut (impl Output + ?Sized)) -> Option<Signal> {
        self.send_due_reply(out).then_some(signal)
    }

    /// Appends the reply to the last signal. Returns whether the signal can be reported: not while
    /// the output has no room for the reply.
    #[inline]
    pub(crate) fn send_due_reply(&mut self, out: &mut (impl Output + ?Sized)) -> bool {
        let send = &mut self.send;
        let sent = self
            .recv
            .control
            .with_due_reply(|kind, payload| send.write_reply(kind, payload, out));
        if sent.is_err() {
            self.recv.pause();
        }
        sent.is_ok()
    }

    /// Returns whether `recv` returned `None` because the output has no room for the reply to a
    /// received frame.
    ///
    /// Write the output, then call `recv` again, also with an empty input: it returns the event and
    /// appends the reply. Until then nothing after that frame is received, and no other method
    /// shows the event, with two exceptions: [`control_payload`](Self::control_payload) returns the
    /// payload of a Ping, and after [`recv_eof`](Self::recv_eof), [`outcome`](Self::outcome)
    /// includes a Close. If this is `false` after `None`, all of the input was consumed.
    #[must_use]
    pub fn is_paused(&self) -> bool {
        self.recv.is_paused()
    }

    /// Informs the connection that the transport has ended: the peer closed or reset it. Unless
    /// Close frames were exchanged, that is an abnormal closure (RFC 6455 §7.1.5).
    ///
    /// Call it after `recv` has consumed the received bytes, and not while it
    /// [is paused](Self::is_paused): the next `recv` then still returns the pending event, but its
    /// reply is not sent. Later input is discarded.
    pub fn recv_eof(&mut self) {
        self.recv.recv_eof();
        self.send.transport_ended();
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
        self.send.send_text(text, out)
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
        self.send.send_binary(bytes, out)
    }

    /// Sends a fragment of a message (RFC 6455 §5.4): the first one if no message is in progress, a
    /// continuation otherwise. `fin` ends the message.
    ///
    /// The fragments of a text may split characters; together they must be valid UTF-8. Control
    /// frames may be sent between fragments. A peer accepts a limited number of fragments (in this
    /// crate: [`Config::with_max_fragments`]).
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
        self.send.send_fragment(kind, bytes, fin, out)
    }

    /// Sends a fragment of a compressed message (RFC 7692 §6.1), like
    /// [`send_fragment`](Self::send_fragment): `bytes` is a slice of the output of a compressor for
    /// the complete message, and `params` are the compressor's parameters. Text must be valid
    /// UTF-8; this is not checked.
    ///
    /// Messages can be compressed with other parameters than the [negotiated
    /// ones](crate::Negotiated::deflate), such as those of the connection that a relay receives
    /// them from: with a smaller window, and independently of each other
    /// (`server_no_context_takeover` in a server). Where a context is taken over, messages of two
    /// compressors can alternate if each is [reset](crate::deflate::Compressor::reset) before it
    /// follows the other.
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
        self.send
            .send_compressed_fragment(kind, bytes, params, fin, out)
    }

    /// Begins a frame whose payload of `len` bytes the caller writes, without copying it: a
    /// message, or a fragment as in [`send_fragment`](Self::send_fragment). `len` is at most
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
        self.send.begin_frame(kind, len, fin)
    }

    /// Begins a frame that a relay passes on: one of a message of type `kind`, compressed or not,
    /// with the FIN bit and the length of `header`, which
    /// [`frame_header`](Self::frame_header) of the other connection returned.
    ///
    /// [`OutgoingFrame`] describes how to write the payload. Text must be valid UTF-8; this is not
    /// checked.
    ///
    /// # Errors
    ///
    /// [`SendError::NotNegotiated`] if the message is compressed and
    /// [`Negotiated::with_relayed_compression`] was not set; [`SendError::LengthOverflow`],
    /// [`SendError::MessageInProgress`] or [`SendError::Closed`]; no frame was begun.
    pub fn begin_relayed_frame(
        &mut self,
        kind: MessageKind,
        compressed: bool,
        header: &Header,
    ) -> Result<OutgoingFrame, SendError> {
        self.send.begin_relayed_frame(kind, compressed, header)
    }

    /// Begins a frame of a compressed message, like [`begin_frame`](Self::begin_frame): the payload
    /// is a slice of the output of a compressor for the complete message, and `params` are the
    /// compressor's parameters, as in
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
        self.send.begin_compressed_frame(kind, len, params, fin)
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
        self.send.send_ping(payload, out)
    }

    /// Sends a Pong with a payload of at most 125 bytes: an unsolicited one, as a heartbeat
    /// (§5.5.3), or the answer to a Ping if [automatic ones](Config::with_auto_pong) are off. Copy
    /// the [payload](Self::control_payload) of the Ping first.
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
        self.send.send_pong(payload, out)
    }

    /// Starts the closing handshake (§7.1.2). Afterwards only [`send_pong`](Self::send_pong) can
    /// send; an unfinished message is abandoned. Messages that the peer sends before its own Close
    /// are still received, and its Pings are answered; sending a reply to a message fails with
    /// [`SendError::Closed`].
    ///
    /// A reason of more than 123 bytes is truncated before the character that does not fit.
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
        self.send.close(code, reason, out)
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
        self.send.close_without_code(out)
    }

    /// Fails the connection (§7.1.7), for instance because a message violates a policy: sends a
    /// Close, and discards all further input.
    ///
    /// After [`close`](Self::close) it ignores `code` and `reason` and writes nothing, since only
    /// one Close may be sent, and ends the wait for the peer's Close.
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
        self.send.fail(code, reason, out)?;
        self.recv.abandon();
        Ok(())
    }

    /// Returns the state of the connection (§7.1.3, §7.1.4).
    #[must_use]
    pub const fn state(&self) -> State {
        self.send.state()
    }

    /// Returns what to do with the transport, once the output has been written.
    pub const fn next_action(&self) -> Action {
        self.send.next_action()
    }

    /// Returns how the connection ended or is ending; `None` while it is open.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome<'_>> {
        Outcome::of(&self.recv.control, self.send.closing())
    }

    /// Returns the protocol violation of the peer, if the connection failed because of it.
    #[must_use]
    pub const fn error(&self) -> Option<ProtocolError> {
        self.recv.control.error()
    }

    /// Returns the Close frame that was received, if any.
    #[must_use]
    pub fn close_received(&self) -> Option<Close<'_>> {
        self.recv.control.close_received()
    }

    /// Returns the Close frame that was sent, if any.
    #[must_use]
    pub const fn close_sent(&self) -> Option<SentClose> {
        self.send.close_sent()
    }

    /// Returns the payload of the Ping or Pong that [`recv`](Self::recv) returned last: at most 125
    /// arbitrary bytes (§5.5.2). It is meaningful until the next call of `recv`.
    #[must_use]
    pub fn control_payload(&self) -> &[u8] {
        self.recv.control.control_payload()
    }

    /// Returns the number of bytes of the current data frame's payload that have not been received;
    /// 0 between frames and in control frames.
    #[must_use]
    pub fn payload_left(&self) -> u64 {
        self.recv.payload_left()
    }

    /// Returns the header of the frame that begins with `chunk`, which [`recv`](Self::recv)
    /// returned last, or `None` if the frame began before. Its `mask` is `None`, since the payload
    /// was unmasked.
    ///
    /// Each frame begins with a chunk, which is empty if the frame is. A relay that keeps the
    /// borders of frames (§5.4) begins a frame of its own with each:
    ///
    /// ```
    /// use ws_proto::{Client, Connection, Event, Server};
    /// use ws_proto::{OutgoingFrame, Output, SendError};
    ///
    /// /// Sends messages of the client on to the server.
    /// fn relay(
    ///     client: &mut Connection<Server>,
    ///     server: &mut Connection<Client>,
    ///     frame: &mut Option<OutgoingFrame>, // the last one that was begun
    ///     mut input: &mut [u8],
    ///     to_client: &mut impl Output,
    ///     to_server: &mut impl Output,
    /// ) -> Result<(), SendError> {
    ///     while let Some(event) = client.recv(&mut input, to_client) {
    ///         let Event::Data(chunk) = event else {
    ///             continue; // to be sent on, too
    ///         };
    ///         if let Some(header) = client.frame_header(&chunk) {
    ///             let (kind, compressed) = (chunk.kind, chunk.compressed);
    ///             let begun = server.begin_relayed_frame(kind, compressed, &header)?;
    ///             to_server.append(begun.header());
    ///             *frame = Some(begun);
    ///         }
    ///         if let Some(frame) = frame {
    ///             frame.mask(chunk.payload);
    ///         }
    ///         to_server.append(chunk.payload);
    ///     }
    ///     Ok(())
    /// }
    /// ```
    #[must_use]
    pub fn frame_header(&self, chunk: &Chunk<'_>) -> Option<Header> {
        self.recv.frame_header(chunk)
    }

    /// Returns `None` between messages. While a message is incomplete, returns the number of
    /// payload bytes of all messages that were received, without control frames. As long as this
    /// value does not change, the message makes no progress: [`Deadlines`](crate::Deadlines) limits
    /// that time.
    #[must_use]
    pub const fn message_progress(&self) -> Option<u64> {
        self.recv.message_progress()
    }

    /// Returns the number of frames whose header was received, and the sum of their payload
    /// lengths. [`payload_left`](Self::payload_left) bytes of that have not arrived, and up to 125
    /// bytes of a control frame.
    #[must_use]
    pub const fn received(&self) -> Counters {
        self.recv.counters()
    }

    /// Returns the number of frames that were written or begun, and the sum of their payload
    /// lengths.
    #[must_use]
    pub const fn sent(&self) -> Counters {
        self.send.sent()
    }

    /// Returns the configuration.
    #[must_use = "it has no side effects"]
    pub const fn config(&self) -> &Config {
        self.recv.config()
    }

    /// Replaces the configuration, such as the limits after a client has authenticated.
    ///
    /// Limits on declared lengths and on fragments apply from the next frame header on, also to the
    /// rest of a message in progress. Other settings apply at once.
    ///
    /// ```
    /// # use ws_proto::{Config, Connection, Server};
    /// # let mut connection = Connection::new(Server, &Config::new());
    /// let config = connection.config().clone().with_max_message(64 << 20);
    /// connection.set_config(&config);
    /// ```
    pub fn set_config(&mut self, config: &Config) {
        self.recv.set_config(config);
    }

    /// Splits the connection into its halves, for two tasks that share no lock. [`RecvHalf`]
    /// describes the communication between the tasks.
    ///
    /// If receiving [is paused](Self::is_paused), the receiving half returns the pending event, and
    /// then owes the reply.
    pub fn split(self) -> (RecvHalf<R>, SendHalf<R>) {
        (RecvHalf::new(self.recv), self.send)
    }

    /// Reunites the halves of a connection, for [`outcome`](Self::outcome) when both tasks have
    /// ended.
    ///
    /// They must be the halves of one connection; this is not checked.
    ///
    /// Each half learns from the other how the connection ended. If the sending half was not given
    /// the reply to the peer's Close or violation, and was not notified of the end of the stream,
    /// the next [`recv`](Self::recv) returns the event again and appends the reply. A Pong that it
    /// was not given is not sent.
    #[must_use]
    pub fn reunite(recv: RecvHalf<R>, send: SendHalf<R>) -> Self {
        let mut this = Self {
            recv: recv.state,
            send,
        };
        if this.recv.control.ended() == Some(RecvEnd::Eof) {
            this.send.transport_ended();
        }
        // The output has no room: if a reply must be written, its event becomes pending.
        this.recv.control.repeat_reply();
        this.send_due_reply(&mut SliceOutput::new(&mut []));
        match (this.state(), this.send.closing().phase()) {
            (State::Closed, _) => this.recv.recv_eof(),
            (_, ClosePhase::Failed) => this.recv.abandon(),
            _ => {}
        }
        this
    }
}
