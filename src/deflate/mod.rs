//! permessage-deflate (RFC 7692): compressed messages.
//!
//! A client offers it with `ClientHandshake::deflate`, and a server accepts an offer with
//! `Accept::deflate`. A [`WebSocket`](crate::WebSocket) then decompresses the messages that it
//! receives, and compresses those that it sends where that saves bytes.
//!
//! [`Connection`](crate::Connection) streams: it marks compressed chunks, which a [`Decompressor`]
//! decompresses one by one, and sends the output of a [`Compressor`] in fragments with
//! [`send_compressed_fragment`](crate::Connection::send_compressed_fragment).
//!
//! # With another HTTP library
//!
//! This module does not need the feature `handshake`: it reads and writes the values of
//! `Sec-WebSocket-Extensions`.
//!
//! ```
//! use ws_proto::deflate::DeflateConfig;
//! use ws_proto::{Config, Negotiated, Server, WebSocket, extension};
//!
//! // The client sends its offer.
//! let client = DeflateConfig::new().with_client_no_context_takeover(true);
//! let offer = client.offer();
//!
//! // The server accepts it, and responds with `accepted`.
//! let server = DeflateConfig::new();
//! let offers = extension::parse(offer.as_bytes()).collect::<Result<Vec<_>, _>>()?;
//! let params = server.accept(offers).expect("an acceptable offer");
//! let accepted = params.to_string();
//! let negotiated = Negotiated::new(Server).with_deflate(&server, params);
//! let ws = WebSocket::new(negotiated, &Config::default());
//!
//! // The client verifies the response.
//! let accepted = extension::parse(accepted.as_bytes()).collect::<Result<Vec<_>, _>>()?;
//! assert_eq!(client.verify(accepted)?, Some(params));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Memory
//!
//! Nothing is allocated before the first compressed message in a direction. Then that direction has
//! a state, which stays with the connection if its context is taken over. Otherwise the state is
//! returned to a pool after each message: all connections of one [`DeflateConfig`] (and its clones)
//! share the pool, and an idle connection holds no state.
//!
//! A state to receive occupies 64 KiB whatever was negotiated: 47.5 kB for the backend, and a block
//! of 16 KiB for its output. A state to send occupies, in kB (measured with zlib-rs 0.6.8):
//!
//! | window bits | memory level 1 | 4 | 6 | 8 (default) | 9 |
//! | --- | --- | --- | --- | --- | --- |
//! | 8, 9 | 137 | 143 | 165 | 251 | 366 |
//! | 10 | 139 | 146 | 167 | 253 | 368 |
//! | 11 | 143 | 150 | 171 | 257 | 372 |
//! | 12 | 152 | 158 | 179 | 265 | 380 |
//! | 13 | 168 | 174 | 196 | 282 | 396 |
//! | 14 | 201 | 207 | 228 | 314 | 429 |
//! | 15 (default) | 266 | 273 | 294 | 380 | 495 |
//!
//! A state to send also keeps the buffer of the longest message that it has compressed, up to
//! 64 KiB.
//!
//! # Secrets
//!
//! If a message mixes a secret with attacker-controlled text, its compressed size leaks the secret
//! piece by piece (§8; the attacks CRIME and BREACH). Send such messages with
//! [`WebSocket::send_text_uncompressed`](crate::WebSocket::send_text_uncompressed).

mod compress;
mod decompress;
mod negotiate;
mod pool;

pub use compress::Compressor;
pub(crate) use compress::longest_compressed;
pub use decompress::{Decompressor, InflateError, Inflated};
pub use negotiate::NegotiationError;
pub(crate) use pool::{Deflater, Inflater};

use alloc::sync::Arc;
use core::fmt;
use pool::Pool;

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
    wanted: Params,
    level: u8,
    mem_level: u8,
    threshold: usize,
    pool: Arc<Pool>,
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

    /// Sets the largest LZ77 window that the server may use, as a power of two: 8 to 15; other
    /// values are clamped. Default: 15, unless the peer requires less (§7.1.2.1).
    ///
    /// Smaller windows need less memory in the compressor and find fewer repetitions.
    pub const fn with_server_max_window_bits(mut self, bits: u8) -> Self {
        self.wanted.server.max_window_bits = below_15(bits);
        self
    }

    /// Sets the largest LZ77 window that the client may use, as a power of two: 8 to 15; other
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

    /// Sets how much memory the compressor uses besides the window: 1 to 9; other values are
    /// clamped. Default: 8.
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

    /// Returns the largest LZ77 window that the server may use, as a power of two: 8 to 15.
    #[must_use]
    pub const fn server_max_window_bits(&self) -> u8 {
        self.wanted.server_max_window_bits()
    }

    /// Returns the largest LZ77 window that the client may use, as a power of two: 8 to 15.
    #[must_use]
    pub const fn client_max_window_bits(&self) -> u8 {
        self.wanted.client_max_window_bits()
    }

    /// Returns the compression level: 0 to 9.
    #[must_use]
    pub const fn level(&self) -> u8 {
        self.level
    }

    /// Returns how much memory the compressor uses besides the window: 1 to 9.
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

    const fn settings(&self, direction: Direction) -> Settings {
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

/// The settings in which two compressors can differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    direction: Direction,
    level: u8,
    mem_level: u8,
}

/// The negotiated parameters (RFC 7692 §7.1), of which there are four.
///
/// `Display` writes the value of the server's `Sec-WebSocket-Extensions`, and `FromStr` reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Params {
    pub(crate) server: Direction,
    pub(crate) client: Direction,
}

/// The parameters for the messages that one endpoint sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Direction {
    pub(crate) no_context_takeover: bool,
    /// The parameter of the handshake; 15 if there was none.
    pub(crate) max_window_bits: Option<u8>,
}

impl Direction {
    const fn window_bits(self) -> u8 {
        match self.max_window_bits {
            Some(bits) => bits,
            None => 15,
        }
    }
}

impl Params {
    /// Returns whether the server compresses each message on its own (§7.1.1.1).
    #[must_use]
    pub const fn server_no_context_takeover(&self) -> bool {
        self.server.no_context_takeover
    }

    /// Returns whether the client compresses each message on its own (§7.1.1.2).
    #[must_use]
    pub const fn client_no_context_takeover(&self) -> bool {
        self.client.no_context_takeover
    }

    /// Returns the largest LZ77 window that the server uses, as a power of two: 8 to 15
    /// (§7.1.2.1).
    #[must_use]
    pub const fn server_max_window_bits(&self) -> u8 {
        self.server.window_bits()
    }

    /// Returns the largest LZ77 window that the client uses, as a power of two: 8 to 15
    /// (§7.1.2.2).
    #[must_use]
    pub const fn client_max_window_bits(&self) -> u8 {
        self.client.window_bits()
    }

    /// Returns a compressor for the messages that the server sends.
    pub fn server_compressor(&self, config: &DeflateConfig) -> Compressor {
        Compressor::new(config.settings(self.server))
    }

    /// Returns a compressor for the messages that the client sends.
    pub fn client_compressor(&self, config: &DeflateConfig) -> Compressor {
        Compressor::new(config.settings(self.client))
    }

    /// Returns a decompressor for the messages that the server sent.
    #[must_use]
    pub fn server_decompressor(&self) -> Decompressor {
        Decompressor::new(self.server.no_context_takeover)
    }

    /// Returns a decompressor for the messages that the client sent.
    #[must_use]
    pub fn client_decompressor(&self) -> Decompressor {
        Decompressor::new(self.client.no_context_takeover)
    }
}
