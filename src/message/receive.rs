//! Complete messages: the receiving machine with memory for messages in fragments.
//!
//! [`recv_borrowed`] is the shortcut for a message that is one complete frame. Otherwise
//! [`Assembler::recv`] takes chunk by chunk from the machine, and
//! [`append`](Assembler::append) unmasks, decompresses and validates it into the message.

use super::memory::Memory;
use crate::buffer::take_front;
use crate::config::Config;
use crate::connection::{RawChunk, Received, RecvHalf, RecvState, Reply, Signal};
use crate::counters::Counters;
use crate::deflate::Inflater;
use crate::error::ProtocolError;
use crate::frame::close::{Close, CloseCode};
use crate::frame::from_utf8;
use crate::frame::opcode::MessageKind;
use crate::role::Role;
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

/// An event of a [`WebSocket`](crate::WebSocket): a message, or a change of the connection. It
/// borrows the input, or owns a message that was assembled.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
// With a tag as wide as a word, the rest is moved in complete words: a third less time for a
// message of 16 bytes.
#[repr(usize)]
pub enum Message<'b> {
    /// A text message was received (RFC 6455 §5.6). It is borrowed if it was one uncompressed frame
    /// and complete in the input; then it is the last `text.len()` bytes before the input cursor.
    Text(Cow<'b, str>),
    /// A binary message was received (§5.6). It is borrowed if it was one uncompressed frame and
    /// complete in the input; then it is the last `bytes.len()` bytes before the input cursor.
    Binary(Cow<'b, [u8]>),
    /// A Ping was received (§5.5.2). Its payload is
    /// [`WebSocket::control_payload`](crate::WebSocket::control_payload). The Pong is already in
    /// the output, or owed by a receiving half, or left to the caller
    /// ([`Config::with_auto_pong`]).
    Ping,
    /// A Pong was received (§5.5.3). Its payload is
    /// [`WebSocket::control_payload`](crate::WebSocket::control_payload).
    Pong,
    /// A Close frame with this code was received (§5.5.1). Its reason is in
    /// [`WebSocket::close_received`](crate::WebSocket::close_received). Unless a Close was sent
    /// before, the answer, with the same code and no reason, is already in the output, or owed by a
    /// receiving half. No event follows.
    Close(Option<CloseCode>),
    /// The peer violated the protocol, and the connection failed (§7.1.7). Unless a Close was sent
    /// before, the one that reports the violation is already in the output, or owed by a receiving
    /// half. No event follows.
    Failed(ProtocolError),
}

impl Message<'_> {
    /// Copies the message if it is borrowed, so that it can outlive the input.
    ///
    /// ```
    /// use ws_proto::{Config, Message, Server, WebSocket};
    ///
    /// let mut ws = WebSocket::new(Server, &Config::new());
    /// let mut buf = *b"\x81\x82\0\0\0\0hi";
    /// let message = ws.recv(&mut &mut buf[..], &mut Vec::new());
    /// let message: Option<Message<'static>> = message.map(Message::into_owned);
    /// buf.fill(0);
    /// assert_eq!(message, Some(Message::Text("hi".into())));
    /// ```
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

    /// Returns whether this is data, which needs no reply.
    #[inline]
    pub(super) const fn is_data(&self) -> bool {
        matches!(self, Message::Text(_) | Message::Binary(_))
    }
}

impl From<Signal> for Message<'_> {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Ping => Self::Ping,
            Signal::Pong => Self::Pong,
            Signal::Close(code) => Self::Close(code),
            Signal::Failed(error) => Self::Failed(error),
        }
    }
}

/// The reason for which no message is borrowed from the input.
pub(super) enum Unborrowed {
    /// A complete text is not valid UTF-8.
    InvalidUtf8,
    /// The input continues with something else.
    Other,
}

/// Receives the next message, if it is one uncompressed frame and complete in the input, or `None`
/// if the input is empty between frames. Everything else is left to [`Assembler::recv`].
// Inlined, it returns a message in registers. A message from a call travels through memory, where
// two short stores and one long load cause a stall.
#[inline(always)]
pub(super) fn recv_borrowed<'b, R: Role>(
    state: &mut RecvState<R>,
    input: &mut &'b mut [u8],
) -> Result<Option<Message<'b>>, Unborrowed> {
    if !state.is_between_messages() {
        return Err(Unborrowed::Other);
    }
    // The end of most reads.
    if input.is_empty() {
        return Ok(None);
    }
    match state.complete_message(input) {
        Some((MessageKind::Binary, payload)) => Ok(Some(Message::Binary(Cow::Borrowed(payload)))),
        Some((MessageKind::Text, payload)) => match from_utf8(payload) {
            Ok(text) => Ok(Some(Message::Text(Cow::Borrowed(text)))),
            Err(_) => Err(Unborrowed::InvalidUtf8),
        },
        None => Err(Unborrowed::Other),
    }
}

/// Assembles a message that is fragmented, compressed or split by the input.
pub(super) struct Assembler {
    memory: Memory,
    /// Decompresses messages, if permessage-deflate was negotiated.
    inflater: Option<Inflater>,
}

impl Assembler {
    pub(super) const fn new(inflater: Option<Inflater>) -> Self {
        Self {
            memory: Memory::new(),
            inflater,
        }
    }

    /// Receives the next message or signal, after [`recv_borrowed`] returned this error.
    #[inline(never)]
    pub(super) fn recv<'b, R: Role>(
        &mut self,
        state: &mut RecvState<R>,
        error: Unborrowed,
        input: &mut &'b mut [u8],
    ) -> Option<Message<'b>> {
        match error {
            Unborrowed::InvalidUtf8 => Some(self.fail(state, ProtocolError::InvalidUtf8)),
            Unborrowed::Other => match **input {
                [] if state.is_inside_payload() => None,
                [_] if self.memory.spare() > 0 => match state.one_byte(input) {
                    Some(byte) => self.push(state, byte),
                    None => self.recv_chunks(state, input),
                },
                _ => self.recv_chunks(state, input),
            },
        }
    }

    /// Appends a byte for which there is memory, and which does not complete a message. Returns a
    /// message only if the connection fails.
    #[inline]
    fn push<'b, R: Role>(&mut self, state: &mut RecvState<R>, byte: u8) -> Option<Message<'b>> {
        let len = clamped(state.message_received()) - 1;
        let pushed = self.memory.push(len, byte, &mut state.utf8);
        pushed.err().map(|error| self.fail(state, error.into()))
    }

    /// Receives a message that is not one complete frame, or a signal.
    fn recv_chunks<'b, R: Role>(
        &mut self,
        state: &mut RecvState<R>,
        input: &mut &'b mut [u8],
    ) -> Option<Message<'b>> {
        loop {
            let received = state.recv_with(input, |_, chunk, input| {
                let payload = take_front(input, chunk.len);
                Received::Data((chunk, payload))
            });
            match received? {
                Received::Data((chunk, payload)) => match self.append(state, &chunk, payload) {
                    Ok(None) => {}
                    Ok(Some(message)) => return Some(message),
                    Err(error) => return Some(self.fail(state, error)),
                },
                Received::Signal(signal) => return Some(self.signal(state, signal)),
            }
        }
    }

    /// Appends a chunk to its message, and returns the message if the chunk completes it.
    fn append<R: Role>(
        &mut self,
        state: &mut RecvState<R>,
        chunk: &RawChunk,
        payload: &mut [u8],
    ) -> Result<Option<Message<'static>>, ProtocolError> {
        let Self { memory, inflater } = self;
        let kind = chunk.kind;
        if chunk.first {
            memory.begin(kind, chunk.compressed);
        }
        let received = clamped(state.message_received());
        let len = match inflater {
            Some(inflater) if chunk.compressed => {
                let max_message = state.config().max_message();
                let mut store = |bytes: &[u8], len| {
                    let len = clamped(len);
                    memory.reserve(len, clamped(max_message));
                    Ok(memory.append(len - bytes.len(), bytes, &mut state.utf8)?)
                };
                let mut len = 0;
                chunk.unmask::<R>(payload, |bytes| {
                    inflater.inflate(bytes, false, max_message, &mut store)?;
                    Ok(())
                })?;
                if chunk.last {
                    len = inflater.inflate(&[], true, max_message, &mut store)?;
                }
                clamped(len)
            }
            _ => {
                debug_assert!(!chunk.compressed, "compression was negotiated");
                let mut len = received - payload.len();
                if received > memory.capacity() {
                    // Room for as much again, so that a frame in two parts is not moved.
                    let expected = received.saturating_mul(2).min(clamped(state.message_len()));
                    memory.reserve(expected, clamped(state.message_bound()));
                }
                match (kind, chunk.mask::<R>()) {
                    // Unmasked while it is copied.
                    (MessageKind::Binary, Some(key)) => memory.append_masked(len, payload, key),
                    _ => chunk.unmask::<R>(payload, |bytes| {
                        memory.append(len, bytes, &mut state.utf8)?;
                        len += bytes.len();
                        Ok(())
                    })?,
                }
                received
            }
        };
        if chunk.last {
            self.finish(state, kind, len).map(Some)
        } else {
            Ok(None)
        }
    }

    /// Returns the complete message of `len` bytes.
    fn finish<R: Role>(
        &mut self,
        state: &mut RecvState<R>,
        kind: MessageKind,
        len: usize,
    ) -> Result<Message<'static>, ProtocolError> {
        Ok(match kind {
            MessageKind::Binary => Message::Binary(Cow::Owned(self.memory.take_bytes(len))),
            MessageKind::Text => {
                state.utf8.finish()?;
                Message::Text(Cow::Owned(self.memory.take_text()))
            }
        })
    }

    /// Returns the place of the next bytes of the payload, or an empty slice.
    pub(super) fn payload_place<R: Role>(&mut self, state: &RecvState<R>) -> &mut [u8] {
        match state.binary_left() {
            0 => &mut [],
            left => self.memory.place(
                clamped(state.message_received()),
                clamped(left),
                clamped(state.message_bound()),
            ),
        }
    }

    /// Receives up to `len` bytes that are in their place.
    pub(super) fn recv_in_place<R: Role>(
        &mut self,
        state: &mut RecvState<R>,
        len: usize,
    ) -> Option<Message<'static>> {
        let len = len.min(clamped(state.binary_left()));
        let received = clamped(state.message_received());
        let place = self.memory.filled_place(received, len);
        if place.is_empty() {
            return None;
        }
        let chunk = state.next_chunk(place.len())?;
        chunk.unmask_in_place::<R>(place);
        let bytes = chunk
            .last
            .then(|| self.memory.take_bytes(received + chunk.len))?;
        Some(Message::Binary(Cow::Owned(bytes)))
    }

    #[cold]
    fn fail<'b, R: Role>(&mut self, state: &mut RecvState<R>, error: ProtocolError) -> Message<'b> {
        let signal = state.fail(error);
        self.signal(state, signal)
    }

    #[cold]
    fn signal<'b, R: Role>(&mut self, state: &RecvState<R>, signal: Signal) -> Message<'b> {
        if state.has_ended() {
            self.release();
        }
        signal.into()
    }

    /// Keeps memory for the next message, if there is none and a message can follow.
    pub(super) fn recycle<R: Role>(&mut self, state: &RecvState<R>, memory: Vec<u8>) {
        if self.memory.capacity() == 0 && !state.has_ended() {
            self.memory = Memory::Bytes(memory);
            // Its first fragment was empty.
            if let Some((kind, compressed)) = state.message_in_progress() {
                self.memory.begin(kind, compressed);
            }
        }
    }

    /// Frees the memory, since no message will be completed.
    pub(super) fn release(&mut self) {
        self.memory = Memory::new();
        if let Some(inflater) = &mut self.inflater {
            inflater.release();
        }
    }
}

/// Returns the length as an index. A message that is in memory is never longer.
fn clamped(len: u64) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}

/// Does not show payload.
impl fmt::Debug for Assembler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assembler").finish_non_exhaustive()
    }
}

/// The receiving half of a [`WebSocket`](crate::WebSocket), for programs that read and write in two
/// tasks: a [`RecvHalf`] with memory for complete messages.
///
/// The tasks must communicate the four things that [`RecvHalf`] describes: the reply, of which at
/// most one is owed; the end of the input; the next action; and the end of the reading task. When
/// both have ended, [`WebSocket::reunite`](crate::WebSocket::reunite) joins the halves again, for
/// [`WebSocket::outcome`](crate::WebSocket::outcome).
///
/// ```
/// use std::sync::{Arc, Condvar, Mutex};
/// use std::thread;
/// use std::time::{Duration, Instant};
/// use ws_proto::{Action, Config, Message, Reply, Server, WebSocket};
///
/// /// From the reading thread to the writing thread: at most one reply, since a
/// /// newer one replaces an older one, and whether the input has ended.
/// #[derive(Default)]
/// struct Mailbox {
///     mail: Mutex<(Option<Reply>, bool)>,
///     changed: Condvar,
/// }
///
/// # let mut reads = [*b"\x89\x82\0\0\0\0hi\x81\x82\0\0\0\0yo"].into_iter();
/// let ws = WebSocket::new(Server, &Config::new());
/// let (mut recv_half, mut send_half) = ws.split();
/// let mailbox = Arc::new(Mailbox::default());
/// let to_writer = Arc::clone(&mailbox);
/// let reading = thread::spawn(move || {
///     // loop { let n = sock.read(&mut buf)? ...
///     # let mut buf = reads.next().unwrap(); let n = buf.len();
///     let mut input = &mut buf[..n];
///     while let Some(message) = recv_half.recv(&mut input) {
///         if let Some(reply) = recv_half.take_reply() {
///             to_writer.mail.lock().unwrap().0 = Some(reply);
///             to_writer.changed.notify_one();
///         }
///         if let Message::Text(text) = message {
///             assert_eq!(text, "yo"); // the Pong need not wait for this
///         }
///     }
///     // } at the end of the input:
///     recv_half.recv_eof();
///     to_writer.mail.lock().unwrap().1 = true;
///     to_writer.changed.notify_one();
///     recv_half
/// });
///
/// let mut out = Vec::new();
/// let mut deadline = None;
/// while send_half.next_action() != Action::CloseTransport {
///     if send_half.next_action() == Action::AwaitClose {
///         let timeout = Duration::from_secs(10);
///         deadline.get_or_insert_with(|| Instant::now() + timeout);
///     }
///     let timeout = deadline.map_or(Duration::MAX, |deadline| {
///         deadline.saturating_duration_since(Instant::now())
///     });
///     let mail = mailbox.mail.lock().unwrap();
///     let is_empty = |(reply, ended): &mut (Option<Reply>, bool)| {
///         reply.is_none() && !*ended
///     };
///     let changed = &mailbox.changed;
///     let (mut mail, _) =
///         changed.wait_timeout_while(mail, timeout, is_empty).unwrap();
///     let Some(reply) = mail.0.take() else {
///         break; // the end of the input, or the deadline
///     };
///     drop(mail);
///     send_half.reply(&reply, &mut out)?;
///     // sock.write_all(&out): break if it fails or takes too long. out.clear()
/// }
/// // sock.shutdown(Shutdown::Write): the peer receives all of the output. If the
/// // reading thread does not end soon, sock.shutdown(Shutdown::Both) ends it.
/// send_half.transport_ended();
/// assert_eq!(out, b"\x8a\x02hi");
/// let ws = WebSocket::reunite(reading.join().unwrap(), send_half);
/// assert!(!ws.outcome().unwrap().clean);
/// # Ok::<(), ws_proto::SendError>(())
/// ```
#[derive(Debug)]
pub struct MessageRecvHalf<R> {
    pub(super) half: RecvHalf<R>,
    pub(super) assembler: Assembler,
    pub(super) subprotocol: Option<Box<str>>,
}

impl<R: Role> MessageRecvHalf<R> {
    /// Consumes the next message from `input`. Returns `None` if all of it was consumed. After a
    /// Close or a failure, all further input is discarded (RFC 6455 §1.4, §7.1.7).
    ///
    /// If the message is borrowed, it is the last bytes before the cursor `input`.
    #[inline]
    #[must_use = "the message must be handled, and `None` ends the loop"]
    pub fn recv<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Message<'b>> {
        match recv_borrowed(&mut self.half.state, input) {
            Ok(message) => message,
            Err(error) => {
                let message = self.assembler.recv(&mut self.half.state, error, input)?;
                if !message.is_data() {
                    self.half.owe_reply();
                }
                Some(message)
            }
        }
    }

    /// Takes the reply that is owed to the peer, if any: the Pong to the last Ping, or a Close,
    /// after which none is owed. It is owed until it is taken, whatever was received since.
    #[must_use = "the reply must be sent"]
    pub const fn take_reply(&mut self) -> Option<Reply> {
        self.half.take_reply()
    }

    /// Returns the memory in which the next bytes of a binary message belong, to read them into it:
    /// see [`WebSocket::payload_buffer`](crate::WebSocket::payload_buffer).
    #[must_use]
    pub fn payload_buffer(&mut self) -> &mut [u8] {
        self.assembler.payload_place(&self.half.state)
    }

    /// Receives `len` bytes that were read into [`payload_buffer`](Self::payload_buffer): see
    /// [`WebSocket::recv_payload`](crate::WebSocket::recv_payload).
    #[must_use = "the message must be handled"]
    pub fn recv_payload(&mut self, len: usize) -> Option<Message<'static>> {
        self.assembler.recv_in_place(&mut self.half.state, len)
    }

    /// Returns memory to this half, such as that of an owned message: see
    /// [`WebSocket::recycle`](crate::WebSocket::recycle).
    pub fn recycle(&mut self, memory: Vec<u8>) {
        self.assembler.recycle(&self.half.state, memory);
    }

    /// Informs this half that the transport has ended: the peer closed or reset it. Call it after
    /// [`recv`](Self::recv) has consumed the received bytes.
    pub fn recv_eof(&mut self) {
        self.half.recv_eof();
        self.assembler.release();
    }

    /// Returns the payload of the Ping or Pong that [`recv`](Self::recv) returned last: at most 125
    /// arbitrary bytes (§5.5.2). It is meaningful until the next call of `recv`.
    #[must_use]
    pub fn control_payload(&self) -> &[u8] {
        self.half.control_payload()
    }

    /// Returns the Close frame that was received, if any.
    #[must_use]
    pub fn close_received(&self) -> Option<Close<'_>> {
        self.half.close_received()
    }

    /// Returns the protocol violation of the peer, if the connection failed because of it.
    #[must_use]
    pub const fn error(&self) -> Option<ProtocolError> {
        self.half.error()
    }

    /// Returns the number of bytes of the current data frame's payload that have not been received;
    /// 0 between frames and in control frames.
    #[must_use]
    pub fn payload_left(&self) -> u64 {
        self.half.payload_left()
    }

    /// Returns `None` between messages. While a message is incomplete, returns the number of
    /// payload bytes of all messages that were received, without control frames. As long as this
    /// value does not change, the message makes no progress: [`Deadlines`](crate::Deadlines) limits
    /// that time.
    #[must_use]
    pub const fn message_progress(&self) -> Option<u64> {
        self.half.message_progress()
    }

    /// Returns the number of frames whose header was received, and the sum of their payload
    /// lengths. [`payload_left`](Self::payload_left) bytes of that have not arrived, and up to 125
    /// bytes of a control frame.
    #[must_use]
    pub const fn received(&self) -> Counters {
        self.half.received()
    }

    /// Returns the negotiated subprotocol, if any (§1.9).
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Returns the configuration.
    #[must_use = "it has no side effects"]
    pub const fn config(&self) -> &Config {
        self.half.config()
    }

    /// Replaces the configuration, from the next frame on: see
    /// [`WebSocket::set_config`](crate::WebSocket::set_config).
    pub fn set_config(&mut self, config: &Config) {
        self.half.set_config(config);
    }
}
