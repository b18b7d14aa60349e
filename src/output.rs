//! Where outgoing bytes go: the trait through which every layer writes.
//!
//! It knows nothing about WebSocket except the size of the largest automatic reply.

use crate::buffer::prefix;
#[cfg(feature = "alloc")]
use crate::buffer::suffix;
#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::fmt;

/// The size of the largest automatic reply, in bytes: 131, a masked control frame with a payload of
/// 125 bytes (RFC 6455 §5.5).
///
/// An empty [`Output`] of at least this size has room for any reply. If the room is insufficient
/// for a reply, `recv` returns `None` and [is paused](crate::Connection::is_paused), so that a peer
/// that sends Pings and does not read cannot make the output grow without bound.
pub const REPLY_ROOM: usize = 2 + 4 + 125;

/// A destination that outgoing bytes are appended to: a `Vec<u8>`, a [`SliceOutput`] of fixed size,
/// a `CappedOutput`, or a type of the caller.
///
/// [`room`](Self::room) provides backpressure: a call that would write more writes nothing, and
/// returns an error.
pub trait Output {
    /// Returns the number of bytes that can be appended now.
    fn room(&self) -> usize;

    /// Appends `bytes`, and returns the appended slice, so that it can be masked in place.
    ///
    /// Callers check [`room`](Self::room) first. Bytes that do not fit are not appended, and the
    /// returned slice is shorter.
    fn append(&mut self, bytes: &[u8]) -> &mut [u8];
}

#[cfg(feature = "alloc")]
impl Output for Vec<u8> {
    #[inline]
    fn room(&self) -> usize {
        isize::MAX as usize - self.len()
    }

    #[inline]
    fn append(&mut self, bytes: &[u8]) -> &mut [u8] {
        let start = self.len();
        self.extend_from_slice(bytes);
        self.get_mut(start..).unwrap_or_default()
    }
}

/// An [`Output`] of fixed size, for firmware and for buffers with another owner.
///
/// It borrows the memory. A struct that must own its buffer can keep a `Vec`, and create a
/// `CappedOutput` for each call.
///
/// ```
/// use ws_proto::{Output, SliceOutput};
///
/// let mut memory = [0; 256];
/// let mut out = SliceOutput::new(&mut memory);
/// out.append(b"some bytes");
/// assert_eq!(out.as_bytes(), b"some bytes");
/// assert_eq!(out.room(), 246);
///
/// out.consume(5); // the socket accepted 5 bytes
/// assert_eq!(out.as_bytes(), b"bytes");
/// ```
pub struct SliceOutput<'a> {
    memory: &'a mut [u8],
    len: usize,
}

impl<'a> SliceOutput<'a> {
    /// Creates an empty output that fills `memory` from the front. With less than [`REPLY_ROOM`]
    /// bytes, some Pings can never be answered, and receiving stops there.
    pub const fn new(memory: &'a mut [u8]) -> Self {
        Self { memory, len: 0 }
    }

    /// Returns the appended bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.memory.get(..self.len).unwrap_or_default()
    }

    /// Discards the appended bytes, after they were sent.
    pub const fn clear(&mut self) {
        self.len = 0;
    }

    /// Discards the first `bytes` of the appended bytes, after they were sent, and moves the rest
    /// to the front.
    pub fn consume(&mut self, bytes: usize) {
        let sent = bytes.min(self.len);
        self.memory.copy_within(sent..self.len, 0);
        self.len -= sent;
    }
}

/// Does not show the bytes.
impl fmt::Debug for SliceOutput<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SliceOutput")
            .field("len", &self.len)
            .field("room", &self.room())
            .finish()
    }
}

impl Output for SliceOutput<'_> {
    fn room(&self) -> usize {
        self.memory.len() - self.len
    }

    fn append(&mut self, bytes: &[u8]) -> &mut [u8] {
        let len = bytes.len().min(self.room());
        let place = self
            .memory
            .get_mut(self.len..self.len + len)
            .unwrap_or_default();
        place.copy_from_slice(prefix(bytes, len));
        self.len += len;
        place
    }
}

/// A `Vec<u8>` with a maximum length.
///
/// Pass it to `recv`, which then pauses while a peer that sends Pings does not read the Pongs, and
/// pass the `Vec` itself to the calls that send messages:
///
/// ```
/// use ws_proto::{CappedOutput, Config, Message, Output, Server, WebSocket};
///
/// let mut ws = WebSocket::new(Server, &Config::new());
/// let mut queue = Vec::new(); // bytes that the socket has not accepted yet
/// # let mut received = *b"\x81\x82\0\0\0\0hi";
/// let mut input = &mut received[..];
/// loop {
///     let mut out = CappedOutput::new(&mut queue, 64 << 10);
///     let Some(message) = ws.recv(&mut input, &mut out) else { break };
///     if let Message::Text(text) = message {
///         ws.send_text(&text, &mut queue)?;
///     }
/// }
/// if ws.is_paused() {
///     // The queue is full: keep the rest of the input, and call `recv` again
///     // when the queue is shorter.
/// }
/// # assert_eq!(queue, b"\x81\x02hi");
/// # Ok::<(), ws_proto::SendError>(())
/// ```
#[cfg(feature = "alloc")]
pub struct CappedOutput<'a> {
    bytes: &'a mut Vec<u8>,
    max_len: usize,
}

#[cfg(feature = "alloc")]
impl<'a> CappedOutput<'a> {
    /// Creates an output that appends to `bytes` up to a length of `max_len` bytes in total.
    pub const fn new(bytes: &'a mut Vec<u8>, max_len: usize) -> Self {
        Self { bytes, max_len }
    }
}

/// Does not show the bytes.
#[cfg(feature = "alloc")]
impl fmt::Debug for CappedOutput<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CappedOutput")
            .field("len", &self.bytes.len())
            .field("room", &self.room())
            .finish()
    }
}

#[cfg(feature = "alloc")]
impl Output for CappedOutput<'_> {
    #[inline]
    fn room(&self) -> usize {
        self.max_len.saturating_sub(self.bytes.len())
    }

    #[inline]
    fn append(&mut self, bytes: &[u8]) -> &mut [u8] {
        let len = bytes.len().min(self.room());
        Output::append(self.bytes, prefix(bytes, len))
    }
}

/// A queue of bytes, which are appended to its end and consumed from its front: output that the
/// socket has not accepted yet, or input that could not be consumed yet.
///
/// The bytes that wait are one slice. The time for appending and consuming is linear in the bytes,
/// however small the writes of the socket are. An empty queue occupies no memory; otherwise its
/// memory is at most 4 KiB or a small multiple of the bytes that wait.
///
/// ```
/// use ws_proto::{ByteQueue, Config, Server, WebSocket};
///
/// let mut ws = WebSocket::new(Server, &Config::new());
/// let mut out = ByteQueue::new();
/// ws.send_text("Hello", &mut out)?;
/// while !out.is_empty() {
///     // let n = sock.write(out.as_slice())?;
/// #   assert!(b"\x81\x05Hello".ends_with(out.as_slice()));
/// #   let n = 1;
///     out.consume(n);
/// }
/// # Ok::<(), ws_proto::SendError>(())
/// ```
#[cfg(feature = "alloc")]
pub struct ByteQueue {
    /// The bytes before `start` were consumed. If all were, there are none.
    bytes: Vec<u8>,
    start: usize,
    max_len: usize,
}

#[cfg(feature = "alloc")]
impl ByteQueue {
    /// The capacity of the first allocation.
    const FIRST: usize = 256;

    /// The capacity up to which memory is not returned before the queue is empty.
    const SMALL: usize = 4 << 10;

    /// Creates an empty queue of unlimited length.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_max_len(usize::MAX)
    }

    /// Creates an empty queue in which at most `max_len` bytes can wait. A call that would append a
    /// frame without room fails with [`SendError::OutputFull`](crate::SendError::OutputFull). With
    /// less than [`REPLY_ROOM`] bytes, some Pings can never be answered, and receiving stops there.
    #[must_use]
    pub const fn with_max_len(max_len: usize) -> Self {
        Self {
            bytes: Vec::new(),
            start: 0,
            max_len,
        }
    }

    /// Sets the number of bytes that can wait. If more wait already, there is no room until the
    /// queue is shorter.
    pub const fn set_max_len(&mut self, max_len: usize) {
        self.max_len = max_len;
    }

    /// Returns the bytes that wait.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        suffix(&self.bytes, self.start)
    }

    /// Returns the bytes that wait, such as input for `recv`, which unmasks it in place.
    #[must_use]
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.start..).unwrap_or_default()
    }

    /// Returns the number of bytes that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// Returns whether no bytes wait.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the number of bytes of memory that the queue occupies.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Removes the first `bytes` of the bytes that wait, or all if there are fewer.
    pub fn consume(&mut self, bytes: usize) {
        self.start += bytes.min(self.len());
        let len = self.len();
        if len == 0 {
            (self.bytes, self.start) = (Vec::new(), 0);
        } else if self.capacity() > Self::SMALL.max(4 * len) {
            let mut bytes = Vec::with_capacity(2 * len);
            bytes.extend_from_slice(self.as_slice());
            (self.bytes, self.start) = (bytes, 0);
        }
    }
}

#[cfg(feature = "alloc")]
impl Default for ByteQueue {
    fn default() -> Self {
        Self::new()
    }
}

/// Does not show the bytes.
#[cfg(feature = "alloc")]
impl fmt::Debug for ByteQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByteQueue")
            .field("len", &self.len())
            .field("room", &self.room())
            .finish()
    }
}

#[cfg(feature = "alloc")]
impl Output for ByteQueue {
    #[inline]
    fn room(&self) -> usize {
        self.max_len
            .min(isize::MAX as usize)
            .saturating_sub(self.len())
    }

    #[inline]
    fn append(&mut self, bytes: &[u8]) -> &mut [u8] {
        let bytes = prefix(bytes, bytes.len().min(self.room()));
        // Memory for a small message and its header at once.
        if self.bytes.capacity() == 0 && !bytes.is_empty() {
            self.bytes.reserve_exact(bytes.len().max(Self::FIRST));
        }
        // Instead of more memory, the room of consumed bytes, if at least as many bytes were
        // consumed as must be moved.
        if self.bytes.capacity() - self.bytes.len() < bytes.len() && self.start >= self.len() {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        Output::append(&mut self.bytes, bytes)
    }
}
