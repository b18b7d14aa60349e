//! Messages that a server sends to many connections: encoded once, and compressed once for each
//! window size (RFC 6455 §5.2, RFC 7692 §7.1.2.1).
//!
//! It does not know the connection: [`send`](super::send) decides which of the frames is sent.

#[cfg(feature = "deflate")]
use crate::deflate::DeflateConfig;
use crate::deflate::PerWindow;
use crate::frame::Header;
use crate::frame::opcode::MessageKind;
use alloc::vec::Vec;
use core::{fmt, ops::Deref};

/// A message that a server sends to many connections: encoded once, and compressed at most once for
/// each window size that the connections negotiated, when it is first needed.
///
/// [`WebSocket::send_prepared`](crate::WebSocket::send_prepared) sends it, and
/// [`begin_prepared`](crate::WebSocket::begin_prepared) returns its frame. It can be used in
/// several threads at the same time, for instance in an `Arc`.
///
/// A client has no prepared messages, since each of its frames must be masked with another key (RFC
/// 6455 §5.3).
///
/// ```
/// use ws_proto::{Config, Prepared, Server, WebSocket};
///
/// let mut connections: Vec<_> = (0..3)
///     .map(|_| (WebSocket::new(Server, &Config::new()), Vec::new()))
///     .collect();
/// let message = Prepared::text("Hello");
/// for (ws, out) in &mut connections {
///     ws.send_prepared(&message, out)?;
///     assert_eq!(out, b"\x81\x05Hello");
/// }
/// # Ok::<(), ws_proto::SendError>(())
/// ```
pub struct Prepared {
    kind: MessageKind,
    frame: Frame,
    /// The compressed frames, where compression is useful.
    deflated: Option<PerWindow<Option<Frame>>>,
}

impl Prepared {
    /// Prepares a text message.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::new(MessageKind::Text, text.as_bytes())
    }

    /// Prepares a binary message.
    #[must_use]
    pub fn binary(bytes: &[u8]) -> Self {
        Self::new(MessageKind::Binary, bytes)
    }

    fn new(kind: MessageKind, payload: &[u8]) -> Self {
        Self {
            kind,
            frame: Frame::encode(kind, 0, payload),
            deflated: None,
        }
    }

    /// Compresses the message for connections that negotiated permessage-deflate, with the level,
    /// the memory level and the threshold of `config`.
    ///
    /// It is compressed independently of all other messages, so that it suits connections with and
    /// without context takeover. If that saves nothing, it is sent uncompressed. Keep the `config`:
    /// all messages that are prepared with it share its compressors.
    ///
    /// ```
    /// use ws_proto::deflate::{DeflateConfig, Params};
    /// use ws_proto::{Config, Negotiated, Prepared, Server, WebSocket};
    ///
    /// let deflate = DeflateConfig::new();
    /// let negotiated =
    ///     Negotiated::new(Server).with_deflate(&deflate, Params::default());
    /// let mut compressing = WebSocket::new(negotiated, &Config::new());
    /// let mut other = WebSocket::new(Server, &Config::new());
    ///
    /// let message = Prepared::text(&"Hello ".repeat(20)).deflate(&deflate);
    /// assert_eq!(compressing.begin_prepared(&message)?.len(), 13);
    /// assert_eq!(other.begin_prepared(&message)?.len(), 122);
    /// # Ok::<(), ws_proto::SendError>(())
    /// ```
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(mut self, config: &DeflateConfig) -> Self {
        self.deflated = Some(PerWindow::new(config));
        self
    }

    /// Returns the message that was prepared, without the header of its frame.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.frame.payload()
    }

    /// Returns whether a connection with a window of this size receives the message compressed.
    /// Compresses it, if that was not done before.
    fn compresses(&self, window_bits: u8) -> bool {
        let frame = self.deflated.as_ref().and_then(|deflated| {
            deflated.get_or_init(window_bits, self.payload(), |payload| {
                payload.map(|payload| Frame::encode(self.kind, Header::RSV1, payload))
            })
        });
        frame.is_some_and(Option::is_some)
    }

    #[inline]
    fn frame(&self, window_bits: Option<u8>) -> &Frame {
        let deflated = match (&self.deflated, window_bits) {
            (Some(deflated), Some(window_bits)) => deflated.get(window_bits),
            _ => None,
        };
        deflated.and_then(Option::as_ref).unwrap_or(&self.frame)
    }
}

/// Does not show the message.
impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prepared")
            .field("kind", &self.kind)
            .field("len", &self.payload().len())
            .field("deflated", &self.deflated)
            .finish()
    }
}

/// An unmasked frame.
struct Frame {
    bytes: Vec<u8>,
    header_len: usize,
}

impl Frame {
    fn encode(kind: MessageKind, rsv: u8, payload: &[u8]) -> Self {
        let header = Header {
            fin: true,
            rsv,
            opcode: kind.opcode(),
            mask: None,
            len: payload.len() as u64,
        };
        let header = header.encode();
        Self {
            bytes: [&*header, payload].concat(),
            header_len: header.len(),
        }
    }

    #[inline]
    fn payload(&self) -> &[u8] {
        self.bytes.get(self.header_len..).unwrap_or_default()
    }
}

/// The frame of a [`Prepared`] message for one connection, which the caller writes.
///
/// It dereferences to the bytes, header and payload, which stay where they are as long as the
/// message exists. `P` is a pointer to the message: a `&Prepared`, or an `Arc<Prepared>` if the
/// frame must own it, as for io_uring.
///
/// Write the output of earlier calls before it, and that of later calls after it.
#[must_use = "the frame must be written"]
pub struct PreparedFrame<P> {
    prepared: P,
    /// The window for which it is compressed, as a base-2 logarithm, if it is.
    window_bits: Option<u8>,
}

impl<P: Deref<Target = Prepared>> PreparedFrame<P> {
    /// Returns the frame for a connection that permits messages that were compressed with a window
    /// of this size, or no compressed messages.
    #[inline]
    pub(super) fn new(prepared: P, window_bits: Option<u8>) -> Self {
        let window_bits = window_bits.filter(|&window_bits| prepared.compresses(window_bits));
        Self {
            prepared,
            window_bits,
        }
    }

    pub(super) const fn is_compressed(&self) -> bool {
        self.window_bits.is_some()
    }

    #[inline]
    pub(super) fn payload_len(&self) -> usize {
        self.frame().payload().len()
    }

    #[inline]
    fn frame(&self) -> &Frame {
        self.prepared.frame(self.window_bits)
    }
}

impl<P: Deref<Target = Prepared>> Deref for PreparedFrame<P> {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.frame().bytes
    }
}

impl<P: Deref<Target = Prepared>> AsRef<[u8]> for PreparedFrame<P> {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

/// Does not show the message.
impl<P: Deref<Target = Prepared>> fmt::Debug for PreparedFrame<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PreparedFrame")
            .field("len", &self.len())
            .field("window_bits", &self.window_bits)
            .finish()
    }
}
