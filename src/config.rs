//! What a connection accepts: its limits, and the rules that it is asked to relax.

/// What a connection accepts. The default is strict, with limits that a server can use on the open
/// internet.
///
/// Limits are checked against the length that a frame declares, before its payload arrives, and the
/// content of a compressed message while it is decompressed; memory is allocated only for received
/// bytes. Each limit is exact: the limit itself is accepted, and one more fails the connection.
///
/// ```
/// let config = ws_proto::Config::default()
///     .max_message(1 << 20)
///     .max_fragments(64);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Config {
    pub(crate) max_message: u64,
    pub(crate) max_fragments: u32,
    pub(crate) auto_pong: bool,
    pub(crate) allow_non_minimal_length: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_message: 16 << 20,
            max_fragments: 1 << 14,
            auto_pong: true,
            allow_non_minimal_length: false,
        }
    }
}

impl Config {
    /// The longest message that is received, in bytes of its content: the sum of its fragments,
    /// decompressed. Default: 16 MiB. A longer one fails the connection with 1009 (RFC 6455
    /// §10.4).
    ///
    /// An incomplete message takes at most twice the memory of what has arrived, and never more
    /// than this limit; while it grows, the old memory is held too, so that it is less than
    /// twice the limit for a moment. A message in one uncompressed frame takes at most its
    /// length.
    ///
    /// The length on the wire of a compressed message may exceed it, since DEFLATE adds to what it
    /// cannot compress, and more with each flush (RFC 7692 §7.2.1 permits any). That length has
    /// a limit of its own, which bounds the work for a message that decompresses to
    /// little or nothing: 16 × (`max_message` + [`max_fragments`](Self::max_fragments)) + 1024
    /// bytes (saturating).
    ///
    /// A [`Connection`](crate::Connection) keeps nothing of a message and decompresses nothing: its
    /// caller must limit what a compressed message decompresses to. Set `u64::MAX` to stream
    /// without end.
    pub const fn max_message(mut self, bytes: u64) -> Self {
        self.max_message = bytes;
        self
    }

    /// The number of fragments that a message may consist of, beyond one for each 16 bytes of its
    /// payload on the wire, rounded down. Default: 16,384. It is checked at each fragment, with
    /// its length; one more fails the connection with 1008 (§10.4). By default 20,000 fragments
    /// of 3 bytes are accepted, and 20,200 are not.
    ///
    /// The limit is for empty and tiny fragments, which cost the receiver work and the sender
    /// nearly nothing. A message in fragments of 16 bytes or more is never refused, however
    /// many there are, and the first frame of a message is always accepted.
    pub const fn max_fragments(mut self, fragments: u32) -> Self {
        self.max_fragments = fragments;
        self
    }

    /// Whether Pings are answered automatically. Default: `true`.
    ///
    /// If not, the caller must answer each Ping with `pong`
    /// ([`WebSocket::pong`](crate::WebSocket::send_pong)) and the same payload, as soon as practical
    /// (§5.5.2). Of several Pings that are unanswered, it is enough to answer the last (§5.5.3).
    /// Halves then owe no reply to a Ping: its payload must be carried to the sender's `pong`.
    ///
    /// ```
    /// use ws_proto::{Config, Message, Server, WebSocket};
    ///
    /// let mut ws = WebSocket::new(Server, &Config::default().auto_pong(false));
    /// let mut out = Vec::new();
    /// let mut received = *b"\x89\x82\0\0\0\0hi";
    /// if let Some(Message::Ping) = ws.recv(&mut &mut received[..], &mut out) {
    ///     let payload = ws.control_payload().to_vec();
    ///     ws.send_pong(&payload, &mut out)?;
    /// }
    /// assert_eq!(out, b"\x8a\x02hi");
    /// # Ok::<(), ws_proto::SendError>(())
    /// ```
    pub const fn auto_pong(mut self, answer: bool) -> Self {
        self.auto_pong = answer;
        self
    }

    /// Accepts payload lengths that are not in their shortest form, which §5.2 forbids. Default:
    /// `false`.
    pub const fn allow_non_minimal_length(mut self, allow: bool) -> Self {
        self.allow_non_minimal_length = allow;
        self
    }

    /// The most fragments of a message whose frames declare `len` bytes so far.
    pub(crate) const fn fragments_for(&self, len: u64) -> u64 {
        (self.max_fragments as u64).saturating_add(len / 16)
    }

    /// The longest compressed message, in bytes on the wire. A byte of content that is flushed by
    /// itself takes 7 bytes with a fixed code and 11 in a stored block.
    pub(crate) const fn max_compressed(&self) -> u64 {
        self.max_message
            .saturating_add(self.max_fragments as u64)
            .saturating_mul(16)
            .saturating_add(1024)
    }
}
