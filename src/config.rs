//! What a connection accepts: its limits, and the rules that it is asked to relax.

/// What a connection accepts. The default is strict, with limits that a server can live with on the open internet.
///
/// Limits are compared with the length that a frame declares, before any of its payload arrives; memory is taken only for what has arrived.
/// Each limit itself is allowed, one more fails the connection.
///
/// ```
/// let config = ws_proto::Config::default().max_message(1 << 20).max_fragments(64);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Config {
    pub(crate) max_frame: u64,
    pub(crate) max_message: u64,
    pub(crate) max_fragments: u32,
    pub(crate) allow_non_minimal_length: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self { max_frame: 16 << 20, max_message: 16 << 20, max_fragments: 1024, allow_non_minimal_length: false }
    }
}

impl Config {
    /// The longest payload of a frame, in bytes. Default: 16 MiB. Beyond it the connection fails with 1009 (RFC 6455 §10.4).
    pub const fn max_frame(mut self, bytes: u64) -> Self {
        self.max_frame = bytes;
        self
    }

    /// The longest message, all its fragments together, in bytes. Default: 16 MiB. Beyond it the connection fails with 1009 (§10.4).
    ///
    /// It holds for [`Connection`](crate::Connection) too, which keeps nothing of a message: set it to `u64::MAX` to stream without end.
    pub const fn max_message(mut self, bytes: u64) -> Self {
        self.max_message = bytes;
        self
    }

    /// The most frames that a message may be sent in, empty ones included. Default: 1024. Beyond it the connection fails with 1008 (§10.4).
    pub const fn max_fragments(mut self, frames: u32) -> Self {
        self.max_fragments = frames;
        self
    }

    /// Accepts payload lengths that are not in their shortest form, which §5.2 forbids. Default: `false`.
    pub const fn allow_non_minimal_length(mut self, allow: bool) -> Self {
        self.allow_non_minimal_length = allow;
        self
    }
}

/// The longest that so many bytes can become by being compressed (RFC 1951 §3.2: a few bits for a block, or one bit in eight for the worst code).
pub(crate) const fn longest_compressed(len: u64) -> u64 {
    len.saturating_add(len / 8 + len / 64 + 128)
}
