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
//! let accepted =
//!     extension::parse(accepted.as_bytes()).collect::<Result<Vec<_>, _>>()?;
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
//! A state to receive occupies 64 KiB with any parameters: 47.5 kB for the backend, and a block
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
//! byte by byte (§8; the attacks CRIME and BREACH). Send such messages with
//! [`WebSocket::send_text_uncompressed`](crate::WebSocket::send_text_uncompressed).

mod compress;
mod config;
mod context;
mod decompress;
mod negotiate;
mod params;
mod pool;

pub use compress::Compressor;
pub(crate) use compress::longest_compressed;
pub use config::DeflateConfig;
pub(crate) use context::{Deflater, Inflater};
pub use decompress::{Decompressor, InflateError, Inflated};
pub use negotiate::NegotiationError;
#[cfg(feature = "arbitrary")]
pub(crate) use params::Direction;
pub use params::Params;

impl Params {
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
