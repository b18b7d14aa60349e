//! The settings of an endpoint.

use super::params::{Direction, Params, Settings};
use super::pool::Pool;
use alloc::sync::Arc;
use core::fmt;

/// The settings of permessage-deflate: the parameters to negotiate for, and how to compress.
///
/// Create one, and use it (or clones of it) for all connections, which then share a pool of unused
/// states. Two are equal if their settings are, whether or not they share a pool.
///
/// ```
/// use ws_proto::deflate::DeflateConfig;
///
/// // Little memory: no state stays with an idle connection.
/// let config = DeflateConfig::new()
///     .with_server_no_context_takeover(true)
///     .with_client_no_context_takeover(true);
/// ```
#[derive(Clone)]
#[must_use]
pub struct DeflateConfig {
    /// The parameters to negotiate for.
    pub(super) wanted: Params,
    level: u8,
    mem_level: u8,
    threshold: usize,
    pub(super) pool: Arc<Pool>,
}

impl DeflateConfig {
    /// Returns the default settings.
    pub fn new() -> Self {
        Self {
            wanted: Params::default(),
            level: 6,
            mem_level: 8,
            threshold: 64,
            pool: Arc::default(),
        }
    }

    /// Sets whether the server must compress each message on its own (RFC 7692 §7.1.1.1). Default:
    /// `false`, unless the peer requires it.
    pub const fn with_server_no_context_takeover(mut self, required: bool) -> Self {
        self.wanted.server.no_context_takeover = required;
        self
    }

    /// Sets whether the client must compress each message on its own (§7.1.1.2). Default: `false`,
    /// unless the peer requires it.
    pub const fn with_client_no_context_takeover(mut self, required: bool) -> Self {
        self.wanted.client.no_context_takeover = required;
        self
    }

    /// Sets the largest LZ77 window that the server may use, as a base-2 logarithm: 8 to 15; other
    /// values are clamped. Default: 15, unless the peer requires less (§7.1.2.1).
    ///
    /// Smaller windows need less memory in the compressor and find fewer repetitions.
    pub const fn with_server_max_window_bits(mut self, bits: u8) -> Self {
        self.wanted.server.max_window_bits = below_15(bits);
        self
    }

    /// Sets the largest LZ77 window that the client may use, as a base-2 logarithm: 8 to 15; other
    /// values are clamped. Default: 15, unless the peer requires less (§7.1.2.2).
    ///
    /// A server can request it only if the client's offer allows that.
    pub const fn with_client_max_window_bits(mut self, bits: u8) -> Self {
        self.wanted.client.max_window_bits = below_15(bits);
        self
    }

    /// Sets the compression level: 0 (stored) to 9 (smallest); larger values are clamped.
    /// Default: 6.
    pub const fn with_level(mut self, level: u8) -> Self {
        self.level = clamped(level, 0, 9);
        self
    }

    /// Sets how much memory the compressor uses besides the window, as a level from 1 to 9; other
    /// values are clamped. Default: 8.
    pub const fn with_mem_level(mut self, mem_level: u8) -> Self {
        self.mem_level = clamped(mem_level, 1, 9);
        self
    }

    /// Sets the length in bytes below which messages are sent uncompressed if no context is taken
    /// over. Default: 64; empty messages are never compressed then.
    ///
    /// If a context is taken over, all messages are compressed: small ones gain most, since text
    /// that they share with earlier ones is not sent again.
    pub const fn with_threshold(mut self, bytes: usize) -> Self {
        self.threshold = bytes;
        self
    }

    /// Returns whether the server must compress each message on its own.
    #[must_use]
    pub const fn server_no_context_takeover(&self) -> bool {
        self.wanted.server_no_context_takeover()
    }

    /// Returns whether the client must compress each message on its own.
    #[must_use]
    pub const fn client_no_context_takeover(&self) -> bool {
        self.wanted.client_no_context_takeover()
    }

    /// Returns the largest LZ77 window that the server may use, as a base-2 logarithm: 8 to 15.
    #[must_use]
    pub const fn server_max_window_bits(&self) -> u8 {
        self.wanted.server_max_window_bits()
    }

    /// Returns the largest LZ77 window that the client may use, as a base-2 logarithm: 8 to 15.
    #[must_use]
    pub const fn client_max_window_bits(&self) -> u8 {
        self.wanted.client_max_window_bits()
    }

    /// Returns the compression level: 0 to 9.
    #[must_use]
    pub const fn level(&self) -> u8 {
        self.level
    }

    /// Returns how much memory the compressor uses besides the window, as a level from 1 to 9.
    #[must_use]
    pub const fn mem_level(&self) -> u8 {
        self.mem_level
    }

    /// Returns the length in bytes below which messages are sent uncompressed if no context is
    /// taken over.
    #[must_use]
    pub const fn threshold(&self) -> usize {
        self.threshold
    }

    pub(super) const fn settings(&self, direction: Direction) -> Settings {
        Settings {
            direction,
            level: self.level,
            mem_level: self.mem_level,
        }
    }
}

impl Default for DeflateConfig {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for DeflateConfig {
    fn eq(&self, other: &Self) -> bool {
        let Self {
            wanted,
            level,
            mem_level,
            threshold,
            pool: _,
        } = self;
        (wanted, level, mem_level, threshold)
            == (
                &other.wanted,
                &other.level,
                &other.mem_level,
                &other.threshold,
            )
    }
}

impl Eq for DeflateConfig {}

impl fmt::Debug for DeflateConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            wanted,
            level,
            mem_level,
            threshold,
            pool: _,
        } = self;
        f.debug_struct("DeflateConfig")
            .field("wanted", wanted)
            .field("level", level)
            .field("mem_level", mem_level)
            .field("threshold", threshold)
            .finish_non_exhaustive()
    }
}

const fn clamped(value: u8, min: u8, max: u8) -> u8 {
    if value < min {
        min
    } else if value > max {
        max
    } else {
        value
    }
}

/// Returns the window size to request, or `None` if it is the one that a peer uses by default.
const fn below_15(bits: u8) -> Option<u8> {
    if bits < 15 {
        Some(clamped(bits, 8, 15))
    } else {
        None
    }
}
