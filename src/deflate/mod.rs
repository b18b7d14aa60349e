//! permessage-deflate (RFC 7692): compressed messages.
//!
//! A server accepts what a client offers by [`Accept::deflate`](crate::handshake::Accept::deflate),
//! a client offers it by [`ClientHandshake::deflate`](crate::handshake::ClientHandshake::deflate),
//! and both exchange messages with no further thought: a [`WebSocket`](crate::WebSocket) inflates
//! what it receives, and compresses what it sends and is worth it.
//!
//! [`Connection`](crate::Connection) streams: it marks compressed chunks, for a [`Decompressor`] to
//! inflate piece by piece, and sends what a [`Compressor`] makes of a message in pieces by
//! [`send_compressed_fragment`](crate::Connection::send_compressed_fragment).
//!
//! # What it costs
//!
//! Nothing until the first compressed message in a direction; then the state of that direction,
//! which stays with the connection if its context is taken over. Otherwise it is handed
//! on after each message: all connections of one [`Config`] (and its clones) share such states, and
//! an idle connection holds none.
//!
//! To receive, a state takes 64 KiB whatever was negotiated: 47.5 kB for the backend, and a block of
//! 16 KiB to inflate into. To send, it takes as many kB (measured, with zlib-rs 0.6.8):
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
//! Besides, a state to send keeps the buffer of the longest message that it has compressed, up to
//! 64 KiB.
//!
//! # Secrets
//!
//! Compression tells by its length what is alike. Whoever can mix text of his own into messages
//! that hold a secret, and sees how long they are, can guess the secret piece by piece (§8; the
//! attacks CRIME and BREACH). Send such messages plain:
//! [`WebSocket::send_text_uncompressed`](crate::WebSocket::send_text_uncompressed).

mod compress;
mod decompress;
mod negotiate;
mod state;

pub use compress::Compressor;
pub(crate) use compress::longest_compressed;
pub use decompress::{Decompressor, InflateError, Inflated};
pub(crate) use state::{Inbound, Outbound};

use alloc::sync::Arc;
use core::fmt;
use state::Pool;

/// The name under which the extension is registered.
pub(crate) const NAME: &str = "permessage-deflate";

/// What an endpoint wants of permessage-deflate: parameters to negotiate for, and how it
/// compresses.
///
/// Make one, and use it (or clones of it) for all connections: those share the states that are not
/// in use.
///
/// ```
/// // Little memory: no state stays with an idle connection.
/// let config = ws_proto::deflate::Config::default()
///     .server_no_context_takeover(true)
///     .client_no_context_takeover(true);
/// ```
#[derive(Clone)]
#[must_use]
pub struct Config {
    pub(crate) wanted: Params,
    level: u8,
    mem_level: u8,
    threshold: usize,
    pool: Arc<Pool>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            wanted: Params::default(),
            level: 6,
            mem_level: 8,
            threshold: 64,
            pool: Arc::default(),
        }
    }
}

impl Config {
    /// Whether the server is to compress each message on its own (RFC 7692 §7.1.1.1). Default:
    /// `false`, though the peer may want it.
    pub const fn server_no_context_takeover(mut self, wanted: bool) -> Self {
        self.wanted.server.no_context_takeover = wanted;
        self
    }

    /// Whether the client is to compress each message on its own (§7.1.1.2). Default: `false`,
    /// though the peer may want it.
    pub const fn client_no_context_takeover(mut self, wanted: bool) -> Self {
        self.wanted.client.no_context_takeover = wanted;
        self
    }

    /// The largest LZ77 window that the server is to use, as a power of two: 8 to 15, and values
    /// beyond are taken for the nearest. Default: 15, though the peer may want less (§7.1.2.1).
    ///
    /// Smaller windows take less memory in the compressor and find fewer repetitions.
    pub const fn server_max_window_bits(mut self, bits: u8) -> Self {
        self.wanted.server.max_window_bits = below_15(bits);
        self
    }

    /// The largest LZ77 window that the client is to use, as a power of two: 8 to 15, and values
    /// beyond are taken for the nearest. Default: 15, though the peer may want less (§7.1.2.2).
    /// A server can ask for it only if the client's offer allows that.
    pub const fn client_max_window_bits(mut self, bits: u8) -> Self {
        self.wanted.client.max_window_bits = below_15(bits);
        self
    }

    /// How hard to compress: 0 (stored) to 9 (smallest), and values beyond are taken for 9.
    /// Default: 6.
    pub const fn level(mut self, level: u8) -> Self {
        self.level = clamped(level, 0, 9);
        self
    }

    /// How much memory to compress with, beside the window: 1 to 9, and values beyond are taken for
    /// the nearest. Default: 8.
    pub const fn mem_level(mut self, mem_level: u8) -> Self {
        self.mem_level = clamped(mem_level, 1, 9);
        self
    }

    /// The length in bytes below which messages are sent uncompressed where no context is taken
    /// over. Default: 64; empty messages always are.
    ///
    /// Where a context is taken over, all messages are compressed: small ones gain most by it,
    /// since what they have in common with earlier ones is not sent again.
    pub const fn threshold(mut self, bytes: usize) -> Self {
        self.threshold = bytes;
        self
    }
}

const fn clamped(value: u8, least: u8, most: u8) -> u8 {
    if value < least {
        least
    } else if value > most {
        most
    } else {
        value
    }
}

/// All that makes one compressor different from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settings {
    direction: Direction,
    level: u8,
    mem_level: u8,
}

impl Config {
    const fn settings(&self, direction: Direction) -> Settings {
        Settings {
            direction,
            level: self.level,
            mem_level: self.mem_level,
        }
    }
}

/// A window size to ask for; none if it is what a peer takes anyway.
const fn below_15(bits: u8) -> Option<u8> {
    if bits < 15 {
        Some(clamped(bits, 8, 15))
    } else {
        None
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("wanted", &self.wanted)
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}

/// What was negotiated (RFC 7692 §7.1): the four parameters. Its `Display` is the value of the
/// server's `Sec-WebSocket-Extensions`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Params {
    pub(crate) server: Direction,
    pub(crate) client: Direction,
}

/// What is negotiated for the messages of one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Direction {
    pub(crate) no_context_takeover: bool,
    /// What the handshake said; 15 if nothing.
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
    /// Whether the server compresses each message on its own (§7.1.1.1).
    #[must_use]
    pub const fn server_no_context_takeover(&self) -> bool {
        self.server.no_context_takeover
    }

    /// Whether the client compresses each message on its own (§7.1.1.2).
    #[must_use]
    pub const fn client_no_context_takeover(&self) -> bool {
        self.client.no_context_takeover
    }

    /// The largest LZ77 window that the server uses, as a power of two: 8 to 15 (§7.1.2.1).
    #[must_use]
    pub const fn server_max_window_bits(&self) -> u8 {
        self.server.window_bits()
    }

    /// The largest LZ77 window that the client uses, as a power of two: 8 to 15 (§7.1.2.2).
    #[must_use]
    pub const fn client_max_window_bits(&self) -> u8 {
        self.client.window_bits()
    }

    /// A compressor for what the server sends.
    pub fn server_compressor(&self, config: &Config) -> Compressor {
        Compressor::new(config.settings(self.server))
    }

    /// A compressor for what the client sends.
    pub fn client_compressor(&self, config: &Config) -> Compressor {
        Compressor::new(config.settings(self.client))
    }

    /// A decompressor for what the server sent.
    #[must_use]
    pub fn server_decompressor(&self) -> Decompressor {
        Decompressor::new(self.server.no_context_takeover)
    }

    /// A decompressor for what the client sent.
    #[must_use]
    pub fn client_decompressor(&self) -> Decompressor {
        Decompressor::new(self.client.no_context_takeover)
    }
}
