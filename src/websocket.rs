//! Whole messages: the receiving half with memory for what arrives in pieces. What nearly every
//! program uses (RFC 6455 §5 to §7).

use crate::buffer::growth;
use crate::close::{Close, CloseCode};
use crate::config::Config;
use crate::connection::{both_halves, sends};
#[cfg(feature = "deflate")]
use crate::deflate::{Deflater, Inflater, longest_compressed};
use crate::error::{ProtocolError, SendError};
#[cfg(feature = "deflate")]
use crate::frame::Header;
use crate::frame::HeaderBytes;
use crate::negotiated::Negotiated;
use crate::opcode::MessageKind;
use crate::outcome::{Endpoint, Outcome};
use crate::output::{Output, SliceOutput};
use crate::receive::{Piece, Received, RecvState, Signal};
use crate::reply::{Answer, Reply};
use crate::role::{Client, Role, Server};
use crate::send::{Action, Closing, SendHalf, State};
use crate::stats::Counters;
use crate::utf8::text_of;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::{fmt, mem};

/// What the peer sent. It borrows the input, or owns what had to be put together from pieces.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
// With a tag as wide as a word, what follows it is moved in whole words: a third less time for a
// message of 16 bytes.
#[repr(usize)]
pub enum Message<'b> {
    /// A text message (RFC 6455 §5.6): borrowed if it arrived whole, in one frame.
    Text(Cow<'b, str>),
    /// A binary message (§5.6): borrowed if it arrived whole, in one frame.
    Binary(Cow<'b, [u8]>),
    /// A Ping (§5.5.2). Its payload is [`WebSocket::control_payload`] (with halves:
    /// [`MessageRecvHalf::control_payload`]); the Pong is already in the output, or owed (halves),
    /// or left to the caller ([`Config::auto_pong`]).
    Ping,
    /// A Pong (§5.5.3). Its payload is [`WebSocket::control_payload`] (with halves:
    /// [`MessageRecvHalf::control_payload`]).
    Pong,
    /// A Close frame with this code (§5.5.1). Its reason is in [`WebSocket::close_received`]; the
    /// answer, with the same code and no reason, is already in the output (or owed, with
    /// halves) unless a Close was sent before. Nothing comes after it.
    Close(Option<CloseCode>),
    /// The peer violated the protocol, and the connection failed (§7.1.7). The Close frame that
    /// reports it is already in the output (or owed, with halves) unless a Close was sent
    /// before. Nothing comes after it.
    Failed(ProtocolError),
}

impl Message<'_> {
    /// The same message, borrowing nothing, to be kept or sent elsewhere.
    #[must_use]
    pub fn into_owned(self) -> Message<'static> {
        match self {
            Message::Text(text) => Message::Text(text.into_owned().into()),
            Message::Binary(bytes) => Message::Binary(bytes.into_owned().into()),
            Message::Ping => Message::Ping,
            Message::Pong => Message::Pong,
            Message::Close(code) => Message::Close(code),
            Message::Failed(error) => Message::Failed(error),
        }
    }
}

/// An open WebSocket connection that receives whole messages.
///
/// An unfragmented message that lies entirely in the input is borrowed from there. Another one is
/// put together in memory of the connection's own, which grows with what has arrived (see
/// [`Config::max_message`] for how much it takes), and is handed over with the message. An idle
/// connection holds no memory but this struct.
///
/// ```
/// use ws_proto::{Config, Message, Server, WebSocket};
///
/// let mut ws = WebSocket::new(Server, &Config::default());
/// let mut out = Vec::new();
/// let mut received = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"; // RFC 6455 §5.7: a masked "Hello"
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
    receiver: Assembler<R>,
    sender: MessageSendHalf<R>,
}

impl<R: Role> WebSocket<R> {
    /// A connection whose opening handshake is done. `negotiated` is what the handshake gave, or just
    /// the role.
    pub fn new(negotiated: impl Into<Negotiated<R>>, config: &Config) -> Self {
        let negotiated = negotiated.into();
        let may_compress = negotiated.compresses();
        #[cfg(feature = "deflate")]
        let (inbound, outbound) = match negotiated.deflate {
            Some((config, params)) => (
                Some(Inflater::new::<R>(&config, params)),
                Some(Deflater::new::<R>(&config, params)),
            ),
            None => (None, None),
        };
        Self {
            receiver: Assembler {
                state: RecvState::new(config, may_compress),
                text: String::new(),
                bytes: Vec::new(),
                #[cfg(feature = "deflate")]
                inbound,
            },
            sender: MessageSendHalf {
                sender: SendHalf::new(negotiated.role, may_compress),
                #[cfg(feature = "deflate")]
                outbound,
            },
        }
    }

    /// Consumes the next message from `input`, and appends the automatic reply to `out`: the Pong
    /// to a Ping, the Close that answers a Close, and the Close that reports a violation to the
    /// peer.
    ///
    /// `None` means either that all of `input` was consumed: read more, unless
    /// [`transport`](Self::next_action) says otherwise; or that `out` has no room for a reply:
    /// [`is_paused`](Self::is_paused) tells which. After a Close or a failure all further input is
    /// discarded (RFC 6455 §1.4, §7.1.7).
    #[inline]
    pub fn recv<'b>(
        &mut self,
        input: &mut &'b mut [u8],
        out: &mut (impl Output + ?Sized),
    ) -> Option<Message<'b>> {
        let message = self.receiver.recv(input)?;
        if matches!(message, Message::Text(_) | Message::Binary(_)) {
            Some(message)
        } else {
            self.reply(message, out)
        }
    }

    /// Gives memory back, such as that of a message that was owned: the next message that comes in
    /// pieces is put together in it. Until then the connection keeps it, whatever its capacity.
    pub fn recycle(&mut self, memory: Vec<u8>) {
        self.receiver.recycle(memory);
    }

    /// Sends a text message without compressing it, though that was negotiated: for secrets that
    /// stand beside what others choose (RFC 7692 §8).
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    #[cfg(feature = "deflate")]
    pub fn send_text_uncompressed(
        &mut self,
        text: &str,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.sender.send_text_uncompressed(text, out)
    }

    /// Sends a binary message without compressing it, though that was negotiated: for secrets that
    /// stand beside what others choose (RFC 7692 §8).
    ///
    /// # Errors
    ///
    /// As [`send_binary`](Self::send_binary).
    #[cfg(feature = "deflate")]
    pub fn send_binary_uncompressed(
        &mut self,
        bytes: &[u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.sender.send_binary_uncompressed(bytes, out)
    }

    /// Sends a part of a message that the caller has compressed, as [`send_fragment`](Self::send_fragment)
    /// sends one that is not (RFC 7692 §6.1): `bytes` is a part of what a compressor made of
    /// all of the message, such as one that many connections are sent.
    ///
    /// Where the context is taken over, it is either the caller's or the connection's own: once
    /// such a part was sent, the connection compresses nothing by itself.
    ///
    /// # Errors
    ///
    /// [`SendError::NotNegotiated`], [`SendError::ContextInUse`] if the connection has compressed a
    /// message itself and its context is taken over, [`SendError::MessageInProgress`] if the
    /// unfinished message is of another kind or not compressed, [`SendError::Closed`] or
    /// [`SendError::OutputFull`]; nothing was written.
    #[cfg(feature = "deflate")]
    pub fn send_compressed_fragment(
        &mut self,
        kind: MessageKind,
        bytes: &[u8],
        last: bool,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.sender.send_compressed_fragment(kind, bytes, last, out)
    }

    /// The two halves, for two tasks that share no lock. [`MessageRecvHalf`] describes what they
    /// must tell each other.
    ///
    /// If receiving is [paused](Self::is_paused), the receiver returns the message that waits, and
    /// then owes the reply.
    pub fn split(self) -> (MessageRecvHalf<R>, MessageSendHalf<R>) {
        (
            MessageRecvHalf {
                assembler: self.receiver,
                owed: None,
            },
            self.sender,
        )
    }

    /// The halves together again, for [`outcome`](Self::outcome) when both tasks have ended.
    ///
    /// What one half knows of the end, the other learns. If the sender was not given the answer to
    /// the peer's Close or violation, and it was not told of the end of the stream, the next
    /// [`recv`](Self::recv) returns the message again and appends the answer. A Pong that the
    /// sender was not given is not sent.
    #[must_use]
    pub fn reunite(receiver: MessageRecvHalf<R>, sender: MessageSendHalf<R>) -> Self {
        Self {
            receiver: receiver.assembler,
            sender,
        }
        .rejoin()
    }
}

both_halves!(WebSocket, receiver, receiver.state, sender.sender);

/// The receiving half of a [`WebSocket`], for programs that read and write in two tasks: a
/// [`RecvHalf`](crate::RecvHalf) with memory for complete messages.
///
/// The tasks must tell each other the four things that [`RecvHalf`](crate::RecvHalf) describes: the
/// reply, of which at most one is owed; the end of the input; what to do with the transport; and
/// the end of the reading task. When both have ended, [`WebSocket::reunite`] puts the halves
/// together, to see [how](WebSocket::outcome).
///
/// ```
/// use std::sync::{Arc, Condvar, Mutex};
/// use std::time::{Duration, Instant};
/// use ws_proto::{Config, Message, Reply, Server, Action, WebSocket};
///
/// /// What the reading thread leaves for the writing thread: at most one reply, since a newer one replaces an older one.
/// #[derive(Default)]
/// struct Mailbox {
///     mail: Mutex<(Option<Reply>, bool)>,
///     changed: Condvar,
/// }
///
/// # let mut reads = [*b"\x89\x82\0\0\0\0hi\x81\x82\0\0\0\0yo"].into_iter();
/// let (mut receiver, mut sender) = WebSocket::new(Server, &Config::default()).split();
/// let mailbox = Arc::new(Mailbox::default());
/// let to_writer = Arc::clone(&mailbox);
/// let reading = std::thread::spawn(move || {
///     // loop { let n = sock.read(&mut buf)? ...
///     # let mut buf = reads.next().unwrap(); let n = buf.len();
///     let mut input = &mut buf[..n];
///     while let Some(message) = receiver.recv(&mut input) {
///         if let Some(reply) = receiver.take_reply() {
///             to_writer.mail.lock().unwrap().0 = Some(reply);
///             to_writer.changed.notify_one();
///         }
///         if let Message::Text(text) = message {
///             assert_eq!(text, "yo"); // however long that takes, the Pong is on its way
///         }
///     }
///     // } at the end of the input:
///     receiver.recv_eof();
///     to_writer.mail.lock().unwrap().1 = true;
///     to_writer.changed.notify_one();
///     receiver
/// });
/// let mut out = Vec::new();
/// let mut deadline = None;
/// while sender.next_action() != Action::CloseTransport {
///     if sender.next_action() == Action::AwaitClose {
///         deadline.get_or_insert_with(|| Instant::now() + Duration::from_secs(10));
///     }
///     let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
///     let mail = mailbox.mail.lock().unwrap();
///     let (mut mail, _) = mailbox.changed.wait_timeout_while(mail, left, |(reply, ended)| reply.is_none() && !*ended).unwrap();
///     let Some(reply) = mail.0.take() else { break }; // the end of the input, or the deadline
///     drop(mail);
///     sender.reply(&reply, &mut out)?;
///     // sock.write_all(&out), and if that fails or takes too long, break; out.clear()
/// }
/// // sock.shutdown(Shutdown::Both) ends the reading thread
/// sender.recv_eof();
/// assert_eq!(out, b"\x8a\x02hi");
/// let ws = WebSocket::reunite(reading.join().unwrap(), sender);
/// assert!(!ws.outcome().unwrap().clean);
/// # Ok::<(), ws_proto::SendError>(())
/// ```
#[derive(Debug)]
pub struct MessageRecvHalf<R> {
    assembler: Assembler<R>,
    owed: Option<Reply>,
}

impl<R: Role> MessageRecvHalf<R> {
    /// Consumes the next message from `input`; `None` if there is none, and then `input` is empty.
    /// After a Close or a failure all input is discarded (RFC 6455 §1.4, §7.1.7).
    #[inline]
    pub fn recv<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Message<'b>> {
        let message = self.assembler.recv(input)?;
        if !matches!(message, Message::Text(_) | Message::Binary(_)) {
            self.assembler.state.owe(&mut self.owed);
        }
        Some(message)
    }

    /// Takes the reply that the peer is owed, if any: the Pong to the last Ping, or the Close after
    /// which nothing is owed. It is owed until it is taken, whatever was received since.
    pub const fn take_reply(&mut self) -> Option<Reply> {
        self.owed.take()
    }

    /// Gives memory back, such as that of a message that was owned: see [`WebSocket::recycle`].
    pub fn recycle(&mut self, memory: Vec<u8>) {
        self.assembler.recycle(memory);
    }

    /// Ends the input: the peer closed or reset the transport. Must be called after
    /// [`recv`](Self::recv) has consumed what was received.
    pub fn recv_eof(&mut self) {
        self.assembler.recv_eof();
    }

    /// The payload of the Ping or Pong that came last: up to 125 bytes, binary (§5.5.2). The next
    /// control frame replaces it, and a failure empties it.
    #[must_use]
    pub fn control_payload(&self) -> &[u8] {
        self.assembler.state.control_payload()
    }

    /// The Close frame that was received, if one was.
    #[must_use]
    pub fn close_received(&self) -> Option<Close<'_>> {
        self.assembler.state.close_received()
    }

    /// The error for which the connection failed, if the peer violated the protocol.
    #[must_use]
    pub const fn error(&self) -> Option<ProtocolError> {
        self.assembler.state.error()
    }

    /// How many bytes of the current frame's payload are still to come; 0 between frames.
    #[must_use]
    pub const fn payload_left(&self) -> u64 {
        self.assembler.state.payload_left()
    }

    /// How much was received.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.assembler.state.counters()
    }
}

/// The receiving machine with memory for messages that arrive in pieces or compressed.
struct Assembler<R> {
    state: RecvState<R>,
    /// The text that is being put together.
    text: String,
    /// The binary message that is being put together, or memory for the next message.
    bytes: Vec<u8>,
    /// What inflates messages, if compression was negotiated.
    #[cfg(feature = "deflate")]
    inbound: Option<Inflater>,
}

impl<R: Role> Assembler<R> {
    #[inline]
    fn recv<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Message<'b>> {
        match self.state.whole_message(input) {
            Some((MessageKind::Binary, payload)) => Some(Message::Binary(Cow::Borrowed(payload))),
            Some((MessageKind::Text, payload)) => match text_of(payload) {
                Ok(text) => Some(Message::Text(Cow::Borrowed(text))),
                Err(error) => Some(self.fail(error)),
            },
            None => self.recv_pieces(input),
        }
    }

    fn recycle(&mut self, mut memory: Vec<u8>) {
        if self.bytes.capacity() == 0 && !self.state.has_ended() {
            memory.clear();
            self.bytes = memory;
        }
    }

    fn recv_eof(&mut self) {
        self.release();
        self.state.recv_eof();
    }

    /// Discards all further input (§7.1.7).
    fn abandon(&mut self) {
        self.release();
        self.state.abandon();
    }

    /// Whatever is not a complete message in one frame.
    #[inline(never)]
    fn recv_pieces<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Message<'b>> {
        loop {
            match self
                .state
                .recv_piece(input, |_, piece| Received::Data(piece))?
            {
                Received::Data(piece) => match self.add(piece) {
                    Ok(None) => {}
                    Ok(Some(message)) => return Some(message),
                    Err(error) => return Some(self.fail(error)),
                },
                Received::Signal(signal) => return Some(self.signal(signal)),
            }
        }
    }

    /// Adds a piece to its message, and gives the message if that was the last one.
    fn add<'b>(&mut self, mut piece: Piece<'_>) -> Result<Option<Message<'b>>, ProtocolError> {
        let Self {
            state, text, bytes, ..
        } = self;
        let kind = piece.kind;
        if kind == MessageKind::Text && text.capacity() == 0 {
            *text = String::from_utf8(mem::take(bytes)).unwrap_or_default();
        }
        let (arrived, most) = state.message_len();
        #[cfg(feature = "deflate")]
        let max_message = state.max_message();
        let utf8 = &mut state.utf8;
        // Appends a block with which `arrived` bytes of at most `most` are there: a message takes
        // no more memory than it is long.
        let mut append = |block: &[u8], arrived: u64, most: u64| {
            let [arrived, most] =
                [arrived, most].map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
            match kind {
                MessageKind::Binary => {
                    bytes.reserve_exact(growth(bytes.len(), bytes.capacity(), arrived, most));
                    bytes.extend_from_slice(block);
                }
                MessageKind::Text => {
                    let (split, valid) = utf8.feed(block)?;
                    text.reserve_exact(growth(text.len(), text.capacity(), arrived, most));
                    text.extend(split);
                    text.push_str(valid);
                }
            }
            Ok(())
        };
        #[cfg(feature = "deflate")]
        if let (true, Some(inbound)) = (piece.compressed, &mut self.inbound) {
            let mut append = |block: &[u8], inflated| append(block, inflated, max_message);
            piece.unmask::<R>(|block| inbound.inflate(block, false, max_message, &mut append))?;
            if piece.last {
                inbound.inflate(&[], true, max_message, &mut append)?;
            }
        } else {
            piece.unmask::<R>(|block| append(block, arrived, most))?;
        }
        #[cfg(not(feature = "deflate"))]
        piece.unmask::<R>(|block| append(block, arrived, most))?;
        if !piece.last {
            return Ok(None);
        }
        Ok(Some(match kind {
            MessageKind::Binary => Message::Binary(Cow::Owned(mem::take(&mut self.bytes))),
            MessageKind::Text => {
                self.state.utf8.finish()?;
                Message::Text(Cow::Owned(mem::take(&mut self.text)))
            }
        }))
    }

    #[cold]
    fn fail<'b>(&mut self, error: ProtocolError) -> Message<'b> {
        let signal = self.state.fail(error);
        self.signal(signal)
    }

    #[cold]
    fn signal<'b>(&mut self, signal: Signal) -> Message<'b> {
        if self.state.has_ended() {
            self.release();
        }
        match signal {
            Signal::Ping => Message::Ping,
            Signal::Pong => Message::Pong,
            Signal::Close(code) => Message::Close(code),
            Signal::Failed(error) => Message::Failed(error),
        }
    }

    /// Frees the memory, since no message will be finished any more.
    fn release(&mut self) {
        (self.text, self.bytes) = Default::default();
        #[cfg(feature = "deflate")]
        if let Some(inbound) = &mut self.inbound {
            inbound.release();
        }
    }
}

/// Shows no payload.
impl<R> fmt::Debug for Assembler<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assembler")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// The sending half of a [`WebSocket`], for programs that read and write in two tasks: a [`SendHalf`]
/// that compresses what is worth it, if that was negotiated.
#[derive(Debug)]
pub struct MessageSendHalf<R> {
    sender: SendHalf<R>,
    /// What compresses messages, if that was negotiated.
    #[cfg(feature = "deflate")]
    outbound: Option<Deflater>,
}

sends!(MessageSendHalf, sender);

impl<R: Role> MessageSendHalf<R> {
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
        #[cfg(feature = "deflate")]
        if self.is_worth_compressing(text.len()) {
            return self.send_compressed(MessageKind::Text, text.as_bytes(), out);
        }
        self.sender.send_text(text, out)
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
        #[cfg(feature = "deflate")]
        if self.is_worth_compressing(bytes.len()) {
            return self.send_compressed(MessageKind::Binary, bytes, out);
        }
        self.sender.send_binary(bytes, out)
    }

    /// Sends a text message without compressing it: see [`WebSocket::send_text_uncompressed`].
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    #[cfg(feature = "deflate")]
    pub fn send_text_uncompressed(
        &mut self,
        text: &str,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.sender.send_text(text, out)
    }

    /// Sends a binary message without compressing it: see [`WebSocket::send_binary_uncompressed`].
    ///
    /// # Errors
    ///
    /// As [`send_binary`](Self::send_binary).
    #[cfg(feature = "deflate")]
    pub fn send_binary_uncompressed(
        &mut self,
        bytes: &[u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.sender.send_binary(bytes, out)
    }

    /// Sends a part of a message that the caller has compressed: see
    /// [`WebSocket::send_compressed_fragment`].
    ///
    /// # Errors
    ///
    /// [`SendError::NotNegotiated`], [`SendError::ContextInUse`], [`SendError::MessageInProgress`],
    /// [`SendError::Closed`] or [`SendError::OutputFull`]; nothing was written.
    #[cfg(feature = "deflate")]
    pub fn send_compressed_fragment(
        &mut self,
        kind: MessageKind,
        bytes: &[u8],
        last: bool,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        if self.outbound.as_ref().is_some_and(Deflater::has_context) {
            return Err(SendError::ContextInUse);
        }
        self.sender
            .send_compressed_fragment(kind, bytes, last, out)?;
        if let Some(outbound) = &mut self.outbound {
            outbound.leave_context();
        }
        Ok(())
    }

    /// Starts the closing handshake (§7.1.2): see [`WebSocket::close`].
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
        self.sender.close(code, reason, out)?;
        self.release();
        Ok(())
    }

    /// Fails the connection for a reason of the caller's, such as a message that violates a policy
    /// (§7.1.7): see [`SendHalf::fail`].
    ///
    /// # Errors
    ///
    /// As [`SendHalf::fail`].
    pub fn fail(
        &mut self,
        code: CloseCode,
        reason: &str,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.sender.fail(code, reason, out)?;
        self.release();
        Ok(())
    }

    /// Sends what the receiving half owes the peer: see [`SendHalf::reply`].
    ///
    /// # Errors
    ///
    /// [`SendError::OutputFull`]; nothing was written, and the call can be repeated.
    pub fn reply(
        &mut self,
        reply: &Reply,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.answer(reply.answer, reply.payload.as_bytes(), out)
    }

    /// The same with the payload wherever it is.
    fn answer(
        &mut self,
        answer: Answer,
        payload: &[u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.sender.answer(answer, payload, out)?;
        if self.state() != State::Open {
            self.release();
        }
        Ok(())
    }

    /// The input has ended: nothing more can be sent.
    pub fn recv_eof(&mut self) {
        self.sender.recv_eof();
        self.release();
    }

    /// Frees the memory, since no message will be sent any more.
    fn release(&mut self) {
        #[cfg(feature = "deflate")]
        if let Some(outbound) = &mut self.outbound {
            outbound.release();
        }
    }

    /// How much was sent.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.sender.counters()
    }

    #[cfg(feature = "deflate")]
    #[inline]
    fn is_worth_compressing(&self, len: usize) -> bool {
        self.outbound
            .as_ref()
            .is_some_and(|outbound| outbound.should_compress(len))
    }

    #[cfg(feature = "deflate")]
    #[inline(never)]
    fn send_compressed(
        &mut self,
        kind: MessageKind,
        payload: &[u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        let Self {
            sender,
            outbound: Some(outbound),
        } = self
        else {
            return Err(SendError::NotNegotiated);
        };
        sender.check_between_messages()?;
        // What was compressed has to be sent, since what follows may refer to it: so all is certain
        // before.
        let needed =
            longest_compressed(payload.len() as u64).saturating_add(Header::MAX_LEN as u64);
        if (out.room() as u64) < needed {
            return Err(SendError::OutputFull {
                needed: usize::try_from(needed).unwrap_or(usize::MAX),
            });
        }
        outbound.compress(payload, |compressed| match compressed {
            Some(compressed) => sender.send_compressed_fragment(kind, compressed, true, out),
            None => sender.send_fragment(kind, payload, true, out),
        })
    }
}
