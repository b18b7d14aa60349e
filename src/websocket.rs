//! Whole messages: the receiving half with memory for what arrives in pieces. What nearly every program uses (RFC 6455 §5 to §7).

use crate::agreed::Agreed;
use crate::close::{Close, CloseCode};
use crate::closure::{Closure, Side};
use crate::config::Config;
#[cfg(feature = "deflate")]
use crate::config::longest_compressed;
use crate::connection::{both_halves, sends};
#[cfg(feature = "deflate")]
use crate::deflate::{Inbound, Outbound};
use crate::error::{ProtocolError, SendError};
#[cfg(feature = "deflate")]
use crate::frame::Header;
use crate::frame::{HeaderBytes, Kind};
use crate::output::{Output, REPLY_ROOM};
use crate::receive::{Arrival, Control, Piece, Receiver};
use crate::reply::Reply;
use crate::role::{Client, Role, Server};
use crate::send::{Closing, Sender, State, Transport};
use crate::stats::Stats;
use crate::utf8::text_of;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::mem;

/// What the peer sent. It borrows the input, or owns what had to be put together from pieces.
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
// With a tag as wide as a word, what follows it is moved in whole words: a third less time for a message of 16 bytes.
#[repr(usize)]
pub enum Message<'b> {
    /// A text message (RFC 6455 §5.6): borrowed if it arrived whole, in one frame.
    Text(Cow<'b, str>),
    /// A binary message (§5.6): borrowed if it arrived whole, in one frame.
    Binary(Cow<'b, [u8]>),
    /// A Ping (§5.5.2). Its payload is [`WebSocket::control_payload`] (with halves: of [`MessageReceiver::as_receiver`]); the Pong is already in the output.
    Ping,
    /// A Pong (§5.5.3). Its payload is [`WebSocket::control_payload`] (with halves: of [`MessageReceiver::as_receiver`]).
    Pong,
    /// A Close frame with this code (§5.5.1). Its reason is in [`WebSocket::close_received`]; the answer, with the same code and no reason, is already in the output.
    /// Nothing comes after it.
    Close(Option<CloseCode>),
    /// The peer broke a rule, and the connection failed (§7.1.7). The Close frame that says so is already in the output. Nothing comes after it.
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
/// A message that arrived whole is lent where it stands in the input. One that came in pieces is put together in memory of the connection's own, which grows with what
/// has arrived, and is handed over with the message. An idle connection holds no memory but this struct.
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
    receiver: MessageReceiver<R>,
    sender: MessageSender<R>,
}

impl<R: Role> WebSocket<R> {
    /// A connection whose opening handshake is done. `agreed` is what the handshake gave, or just the role.
    pub fn new(agreed: impl Into<Agreed<R>>, config: &Config) -> Self {
        #[cfg_attr(not(feature = "deflate"), expect(unused_mut, reason = "compression is taken out of it"))]
        let mut agreed = agreed.into();
        let may_compress = agreed.compresses();
        #[cfg(feature = "deflate")]
        let (inbound, outbound) = match agreed.take_deflate() {
            Some((config, params)) => (Some(Inbound::new::<R>(&config, params)), Some(Outbound::new::<R>(&config, params))),
            None => (None, None),
        };
        Self {
            receiver: MessageReceiver {
                receiver: Receiver::new(config, may_compress),
                text: String::new(),
                bytes: Vec::new(),
                #[cfg(feature = "deflate")]
                inbound,
            },
            sender: MessageSender {
                sender: Sender::new(agreed.into_role(), may_compress),
                #[cfg(feature = "deflate")]
                outbound,
            },
        }
    }

    /// Cuts the next message off the front of `input`, and appends what it demands as an answer to `out`: the Pong to a Ping, the Close to a Close, and the Close that
    /// tells the peer which rule it broke.
    ///
    /// `None` means that `input` is empty (read more), or that `out` has less room than [`REPLY_ROOM`] (write it; then call again, also with an empty input).
    /// After a Close or a failure all further input is discarded (RFC 6455 §1.4, §7.1.7).
    #[inline]
    pub fn recv<'b>(&mut self, input: &mut &'b mut [u8], out: &mut (impl Output + ?Sized)) -> Option<Message<'b>> {
        if out.room() < REPLY_ROOM {
            return None;
        }
        let message = self.receiver.recv(input)?;
        if !matches!(message, Message::Text(_) | Message::Binary(_)) {
            self.reply(out);
        }
        Some(message)
    }

    /// Gives memory back, such as that of a message that was owned: the next message that comes in pieces is put together in it.
    pub fn recycle(&mut self, memory: Vec<u8>) {
        self.receiver.recycle(memory);
    }

    /// Sends a text message without compressing it, though that was agreed on: for secrets that stand beside what others choose (RFC 7692 §8).
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    #[cfg(feature = "deflate")]
    pub fn send_text_plain(&mut self, text: &str, out: &mut (impl Output + ?Sized)) -> Result<(), SendError> {
        self.sender.send_text_plain(text, out)
    }

    /// Sends a binary message without compressing it, though that was agreed on: for secrets that stand beside what others choose (RFC 7692 §8).
    ///
    /// # Errors
    ///
    /// As [`send_binary`](Self::send_binary).
    #[cfg(feature = "deflate")]
    pub fn send_binary_plain(&mut self, bytes: &[u8], out: &mut (impl Output + ?Sized)) -> Result<(), SendError> {
        self.sender.send_binary_plain(bytes, out)
    }

    /// Sends a part of a message that the caller has compressed, as [`send_part`](Self::send_part) sends one that is not (RFC 7692 §6.1): `bytes` is a part of what a
    /// compressor made of all of the message, such as one that many connections are sent.
    ///
    /// Where the context is taken over, it is either the caller's or the connection's own: once such a part was sent, the connection compresses nothing by itself.
    ///
    /// # Errors
    ///
    /// [`SendError::NotNegotiated`], [`SendError::ContextInUse`] if the connection has compressed a message itself and its context is taken over,
    /// [`SendError::MessageUnfinished`] if the unfinished message is of another kind or not compressed, [`SendError::Closed`] or [`SendError::Full`]; nothing was
    /// written.
    #[cfg(feature = "deflate")]
    pub fn send_compressed_part(
        &mut self,
        kind: Kind,
        bytes: &[u8],
        last: bool,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.sender.send_compressed_part(kind, bytes, last, out)
    }

    /// The two halves, for two tasks that share no lock. [`MessageReceiver`] says what they have to tell each other.
    pub fn into_halves(self) -> (MessageReceiver<R>, MessageSender<R>) {
        (self.receiver, self.sender)
    }

    /// The halves together again, for [`closure`](Self::closure) when both tasks have ended.
    #[must_use]
    pub const fn from_halves(receiver: MessageReceiver<R>, sender: MessageSender<R>) -> Self {
        Self { receiver, sender }
    }
}

both_halves!(WebSocket, receiver, receiver.receiver, sender.sender);

/// The receiving half of a [`WebSocket`], for programs that read and write in two tasks: a [`Receiver`] with memory for whole messages.
///
/// The tasks have to tell each other three things:
///
/// * After each message, [`take_reply`](Self::take_reply) may give a reply, which goes to [`MessageSender::reply`]: also that to a Close, which the sender may have
///   nothing to write for, but learns from that the connection is closed.
/// * When the input ends, the reading task calls [`recv_eof`](Self::recv_eof), and the writing task [`MessageSender::recv_eof`].
/// * What to do with the transport is [`MessageSender::transport`]'s to say. The reading task learns that all is over from the end of its input.
///
/// When both have ended, [`WebSocket::from_halves`] puts the halves together, to see [`how`](WebSocket::closure).
///
/// ```
/// use std::sync::mpsc;
/// use ws_proto::{Config, Message, Server, WebSocket};
///
/// # let mut reads = [*b"\x89\x82\0\0\0\0hi\x81\x82\0\0\0\0yo"].into_iter();
/// let (mut receiver, mut sender) = WebSocket::new(Server, &Config::default()).into_halves();
/// let (replies, queue) = mpsc::channel();
/// let reading = std::thread::spawn(move || {
///     // let n = sock.read(&mut buf)? ...
///     # let mut buf = reads.next().unwrap(); let n = buf.len();
///     let mut input = &mut buf[..n];
///     while let Some(message) = receiver.recv(&mut input) {
///         if let Some(reply) = receiver.take_reply() {
///             replies.send(reply).unwrap();
///         }
///         if let Message::Text(text) = message {
///             assert_eq!(text, "yo");
///         }
///     }
///     receiver.recv_eof();
///     receiver
/// });
/// let mut out = Vec::new();
/// for reply in queue {
///     sender.reply(&reply, &mut out)?;
///     // sock.write_all(&out)?; out.clear();
/// }
/// sender.recv_eof();
/// assert_eq!(out, b"\x8a\x02hi");
/// let ws = WebSocket::from_halves(reading.join().unwrap(), sender);
/// assert!(!ws.closure().unwrap().clean);
/// # Ok::<(), ws_proto::SendError>(())
/// ```
#[derive(Debug)]
pub struct MessageReceiver<R> {
    receiver: Receiver<R>,
    /// The text that is being put together.
    text: String,
    /// The binary message that is being put together, or memory for the next message.
    bytes: Vec<u8>,
    /// What inflates messages, if compression was agreed on.
    #[cfg(feature = "deflate")]
    inbound: Option<Inbound>,
}

impl<R: Role> MessageReceiver<R> {
    /// Cuts the next message off the front of `input`; `None` if there is none, and then `input` is empty. After a Close or a failure all input is discarded
    /// (RFC 6455 §1.4, §7.1.7).
    #[inline]
    pub fn recv<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Message<'b>> {
        match self.receiver.whole_message(input) {
            Some((Kind::Binary, payload)) => Some(Message::Binary(Cow::Borrowed(payload))),
            Some((Kind::Text, payload)) => match text_of(payload) {
                Ok(text) => Some(Message::Text(Cow::Borrowed(text))),
                Err(error) => Some(self.fail(error)),
            },
            None => self.recv_pieces(input),
        }
    }

    /// What the sending half has to answer to the message that [`recv`](Self::recv) gave last, if anything. It is gone once `recv` is called again.
    pub fn take_reply(&mut self) -> Option<Reply> {
        self.receiver.take_reply()
    }

    /// Gives memory back, such as that of a message that was owned: the next message that comes in pieces is put together in it.
    pub fn recycle(&mut self, mut memory: Vec<u8>) {
        if self.bytes.capacity() == 0 && !self.receiver.has_ended() {
            memory.clear();
            self.bytes = memory;
        }
    }

    /// The input has ended: the peer closed or reset the transport. To be called when [`recv`](Self::recv) has taken all of it.
    pub fn recv_eof(&mut self) {
        self.release();
        self.receiver.recv_eof();
    }

    /// Discards all further input (§7.1.7).
    fn abandon(&mut self) {
        self.release();
        self.receiver.abandon();
    }

    /// This half as one that streams, with the counters, the Close that was received and all else that it knows.
    #[must_use]
    pub const fn as_receiver(&self) -> &Receiver<R> {
        &self.receiver
    }

    /// Whatever is not a whole message in one frame.
    #[inline(never)]
    fn recv_pieces<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Message<'b>> {
        loop {
            match self.receiver.arrival(input)? {
                Ok(Arrival::Data(piece)) => match self.add(piece) {
                    Ok(None) => {}
                    Ok(Some(message)) => return Some(message),
                    Err(error) => return Some(self.fail(error)),
                },
                Ok(Arrival::Control(control)) => return Some(self.control(control)),
                Err(error) => return Some(self.fail(error)),
            }
        }
    }

    /// Adds a piece to its message, and gives the message if that was the last one.
    fn add<'b>(&mut self, mut piece: Piece<'_>) -> Result<Option<Message<'b>>, ProtocolError> {
        let Self { receiver, text, bytes, .. } = self;
        if piece.kind == Kind::Text && text.capacity() == 0 {
            *text = String::from_utf8(mem::take(bytes)).unwrap_or_default();
        }
        let kind = piece.kind;
        #[cfg(feature = "deflate")]
        let limits = receiver.message_limits();
        let utf8 = &mut receiver.utf8;
        let append = |block: &[u8]| {
            match kind {
                Kind::Binary => bytes.extend_from_slice(block),
                Kind::Text => {
                    let (split, whole) = utf8.feed(block)?;
                    text.extend(split);
                    text.push_str(whole);
                }
            }
            Ok(())
        };
        #[cfg(feature = "deflate")]
        let mut append = append;
        #[cfg(feature = "deflate")]
        if let (true, Some(inbound)) = (piece.compressed, &mut self.inbound) {
            piece.unmask::<R>(|block| inbound.inflate(block, false, limits, &mut append))?;
            if piece.last {
                inbound.inflate(&[], true, limits, &mut append)?;
            }
        } else {
            piece.unmask::<R>(append)?;
        }
        #[cfg(not(feature = "deflate"))]
        piece.unmask::<R>(append)?;
        if !piece.last {
            return Ok(None);
        }
        Ok(Some(match kind {
            Kind::Binary => Message::Binary(Cow::Owned(mem::take(&mut self.bytes))),
            Kind::Text => {
                self.receiver.utf8.finish()?;
                Message::Text(Cow::Owned(mem::take(&mut self.text)))
            }
        }))
    }

    #[cold]
    fn control<'b>(&mut self, control: Control) -> Message<'b> {
        match control {
            Control::Ping => Message::Ping,
            Control::Pong => Message::Pong,
            Control::Close(code) => {
                self.release();
                Message::Close(code)
            }
        }
    }

    #[cold]
    fn fail<'b>(&mut self, error: ProtocolError) -> Message<'b> {
        self.release();
        Message::Failed(self.receiver.fail(error))
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

/// The sending half of a [`WebSocket`], for programs that read and write in two tasks: a [`Sender`] that compresses what is worth it, if that was agreed on.
#[derive(Debug)]
pub struct MessageSender<R> {
    sender: Sender<R>,
    /// What compresses messages, if that was agreed on.
    #[cfg(feature = "deflate")]
    outbound: Option<Outbound>,
}

sends!(MessageSender, sender);

impl<R: Role> MessageSender<R> {
    /// Sends a text message in one frame.
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`], [`SendError::MessageUnfinished`] or [`SendError::Full`]; nothing was written.
    #[inline]
    pub fn send_text(&mut self, text: &str, out: &mut (impl Output + ?Sized)) -> Result<(), SendError> {
        #[cfg(feature = "deflate")]
        if self.is_worth_compressing(text.len()) {
            return self.send_compressed(Kind::Text, text.as_bytes(), out);
        }
        self.sender.send_text(text, out)
    }

    /// Sends a binary message in one frame.
    ///
    /// # Errors
    ///
    /// [`SendError::Closed`], [`SendError::MessageUnfinished`] or [`SendError::Full`]; nothing was written.
    #[inline]
    pub fn send_binary(&mut self, bytes: &[u8], out: &mut (impl Output + ?Sized)) -> Result<(), SendError> {
        #[cfg(feature = "deflate")]
        if self.is_worth_compressing(bytes.len()) {
            return self.send_compressed(Kind::Binary, bytes, out);
        }
        self.sender.send_binary(bytes, out)
    }

    /// Sends a text message without compressing it: see [`WebSocket::send_text_plain`].
    ///
    /// # Errors
    ///
    /// As [`send_text`](Self::send_text).
    #[cfg(feature = "deflate")]
    pub fn send_text_plain(&mut self, text: &str, out: &mut (impl Output + ?Sized)) -> Result<(), SendError> {
        self.sender.send_text(text, out)
    }

    /// Sends a binary message without compressing it: see [`WebSocket::send_binary_plain`].
    ///
    /// # Errors
    ///
    /// As [`send_binary`](Self::send_binary).
    #[cfg(feature = "deflate")]
    pub fn send_binary_plain(&mut self, bytes: &[u8], out: &mut (impl Output + ?Sized)) -> Result<(), SendError> {
        self.sender.send_binary(bytes, out)
    }

    /// Sends a part of a message that the caller has compressed: see [`WebSocket::send_compressed_part`].
    ///
    /// # Errors
    ///
    /// [`SendError::NotNegotiated`], [`SendError::ContextInUse`], [`SendError::MessageUnfinished`], [`SendError::Closed`] or [`SendError::Full`]; nothing was written.
    #[cfg(feature = "deflate")]
    pub fn send_compressed_part(
        &mut self,
        kind: Kind,
        bytes: &[u8],
        last: bool,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        if self.outbound.as_ref().is_some_and(Outbound::has_context) {
            return Err(SendError::ContextInUse);
        }
        self.sender.send_compressed_part(kind, bytes, last, out)?;
        if let Some(outbound) = &mut self.outbound {
            outbound.leave_context();
        }
        Ok(())
    }

    /// Starts the closing handshake (§7.1.2): see [`WebSocket::close`].
    ///
    /// # Errors
    ///
    /// [`SendError::ReasonWithoutCode`], [`SendError::CodeOfClients`], [`SendError::Closed`] or [`SendError::Full`]; nothing was written.
    pub fn close(&mut self, code: impl Into<Option<CloseCode>>, reason: &str, out: &mut (impl Output + ?Sized)) -> Result<(), SendError> {
        self.sender.close(code, reason, out)?;
        self.release();
        Ok(())
    }

    /// Fails the connection for a reason of the caller's, such as a message that breaks a policy (§7.1.7): sends a Close, and is done with the connection. The
    /// receiving half knows nothing of it: what it still gives is to be ignored.
    ///
    /// # Errors
    ///
    /// [`SendError::CodeOfClients`], [`SendError::Closed`] or [`SendError::Full`]; nothing was written.
    pub fn fail(&mut self, code: CloseCode, reason: &str, out: &mut (impl Output + ?Sized)) -> Result<(), SendError> {
        self.sender.fail(code, reason, out)?;
        self.release();
        Ok(())
    }

    /// Sends what the receiving half wants answered. A Pong that comes after our Close is left out, as is a second Close.
    ///
    /// # Errors
    ///
    /// [`SendError::Full`]; nothing was written, and the call can be repeated.
    pub fn reply(&mut self, reply: &Reply, out: &mut (impl Output + ?Sized)) -> Result<(), SendError> {
        self.sender.reply(reply, out)?;
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

    /// This half as one that does not compress, with the counters, the Close that was sent and all else that it knows.
    #[must_use]
    pub const fn as_sender(&self) -> &Sender<R> {
        &self.sender
    }

    #[cfg(feature = "deflate")]
    #[inline]
    fn is_worth_compressing(&self, len: usize) -> bool {
        self.outbound.as_ref().is_some_and(|outbound| outbound.is_worth(len))
    }

    #[cfg(feature = "deflate")]
    #[inline(never)]
    fn send_compressed(&mut self, kind: Kind, payload: &[u8], out: &mut (impl Output + ?Sized)) -> Result<(), SendError> {
        let Self { sender, outbound: Some(outbound) } = self else { return Err(SendError::NotNegotiated) };
        sender.check_between_messages()?;
        // What was compressed has to be sent, since what follows may refer to it: so all is certain before.
        let needed = longest_compressed(payload.len() as u64).saturating_add(Header::MAX_LEN as u64);
        if (out.room() as u64) < needed {
            return Err(SendError::Full { needed: usize::try_from(needed).unwrap_or(usize::MAX) });
        }
        outbound.compress(payload, |compressed| match compressed {
            Some(compressed) => sender.send_compressed_part(kind, compressed, true, out),
            None => sender.send_part(kind, payload, true, out),
        })
    }
}
