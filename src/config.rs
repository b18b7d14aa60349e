//! The limits of a connection, and the rules that can be relaxed.

/// The limits of a connection, and the rules that can be relaxed. The default is strict, with
/// limits that suit a server on the open internet.
///
/// A limit is checked against the payload length that a frame declares, before its payload arrives;
/// the content of a compressed message is checked during decompression. Memory is allocated for
/// received bytes, never for a declared length. Each limit is inclusive: a message that reaches it
/// is accepted, and one that exceeds it fails the connection.
///
/// ```
/// use ws_proto::Config;
///
/// let config = Config::new().with_max_message(1 << 20).with_max_fragments(64);
/// assert_eq!(config.max_message(), 1 << 20);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[must_use]
pub struct Config {
    max_message: u64,
    max_fragments: u32,
    auto_pong: bool,
    allow_non_minimal_length: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

impl Config {
    /// Creates the default configuration.
    pub const fn new() -> Self {
        Self {
            max_message: 16 << 20,
            max_fragments: 1 << 14,
            auto_pong: true,
            allow_non_minimal_length: false,
        }
    }

    /// Sets the maximum length of a received message, in bytes of its content: the sum of its
    /// fragments, decompressed. Default: 16 MiB. A longer message fails the connection with 1009
    /// (RFC 6455 §10.4).
    ///
    /// An incomplete message occupies at most twice the memory of its content so far, or where
    /// [`payload_buffer`](crate::WebSocket::payload_buffer) was called, 4 KiB more than it if that
    /// is more, and never more than this limit. While its buffer grows, the old one is kept, so
    /// that both together occupy less than twice the limit for a moment. A message in one
    /// uncompressed frame occupies at most its length.
    ///
    /// The length of a compressed message on the wire may exceed the limit, since DEFLATE adds to
    /// incompressible data, and more with each flush (RFC 7692 §7.2.1 permits any number). That
    /// length has a limit of its own, which bounds the work for a message that decompresses to
    /// little or nothing: 16 × (`max_message` + [`max_fragments`](Self::with_max_fragments)) +
    /// 1024 bytes (saturating).
    ///
    /// A [`Connection`](crate::Connection) neither stores nor decompresses messages: its caller
    /// must limit the decompressed length. With `u64::MAX`, messages of any length can be streamed.
    pub const fn with_max_message(mut self, bytes: u64) -> Self {
        self.max_message = bytes;
        self
    }

    /// Returns the maximum length of a received message, in bytes.
    #[must_use]
    pub const fn max_message(&self) -> u64 {
        self.max_message
    }

    /// Sets the maximum number of fragments of a message, in addition to one for each 16 bytes of
    /// its payload on the wire, rounded down. Default: 16,384. It is checked with the header of
    /// each fragment; one more fails the connection with 1008 (§10.4). By default, 20,000 fragments
    /// of 3 bytes are accepted, and 20,200 are not.
    ///
    /// The limit is for empty and tiny fragments, which cause work for the receiver at almost no
    /// cost for the sender. A message in fragments of 16 bytes or more never exceeds it, and the
    /// first frame of a message is always accepted.
    pub const fn with_max_fragments(mut self, fragments: u32) -> Self {
        self.max_fragments = fragments;
        self
    }

    /// Returns the maximum number of fragments of a message, without those for its length.
    #[must_use]
    pub const fn max_fragments(&self) -> u32 {
        self.max_fragments
    }

    /// Sets whether Pings are answered automatically. Default: `true`.
    ///
    /// Otherwise the caller must answer each Ping by `send_pong`
    /// ([`Connection::send_pong`](crate::Connection::send_pong)) with the same payload, as soon as
    /// practical (§5.5.2). It is sufficient to answer the most recent of several Pings (§5.5.3).
    /// A receiving half then owes no reply to a Ping, and its payload must be passed to the sending
    /// half.
    ///
    /// ```
    /// # #[cfg(feature = "alloc")] {
    /// use ws_proto::{Config, Message, Server, WebSocket};
    ///
    /// let config = Config::new().with_auto_pong(false);
    /// let mut ws = WebSocket::new(Server, &config);
    /// let mut out = Vec::new();
    /// let mut received = *b"\x89\x82\0\0\0\0hi";
    /// let mut input = &mut received[..];
    /// if let Some(Message::Ping) = ws.recv(&mut input, &mut out) {
    ///     let payload = ws.control_payload().to_vec();
    ///     ws.send_pong(&payload, &mut out)?;
    /// }
    /// assert_eq!(out, b"\x8a\x02hi");
    /// # }
    /// # Ok::<(), ws_proto::SendError>(())
    /// ```
    pub const fn with_auto_pong(mut self, answer: bool) -> Self {
        self.auto_pong = answer;
        self
    }

    /// Returns whether Pings are answered automatically.
    #[must_use]
    pub const fn auto_pong(&self) -> bool {
        self.auto_pong
    }

    /// Sets whether payload lengths are accepted that are not in their shortest form, which §5.2
    /// forbids. Default: `false`.
    pub const fn with_allow_non_minimal_length(mut self, allow: bool) -> Self {
        self.allow_non_minimal_length = allow;
        self
    }

    /// Returns whether payload lengths are accepted that are not in their shortest form.
    #[must_use]
    pub const fn allow_non_minimal_length(&self) -> bool {
        self.allow_non_minimal_length
    }

    /// Returns the maximum number of fragments of a message whose frames declare `len` bytes.
    pub(crate) const fn fragments_for(&self, len: u64) -> u64 {
        (self.max_fragments as u64).saturating_add(len / 16)
    }

    /// Returns the maximum length of a compressed message, in bytes on the wire. A byte of content
    /// that is flushed on its own occupies 7 bytes with a fixed code, and 11 in a stored block.
    pub(crate) const fn max_compressed(&self) -> u64 {
        self.max_message
            .saturating_add(self.max_fragments as u64)
            .saturating_mul(16)
            .saturating_add(1024)
    }
}
