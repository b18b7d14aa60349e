//! permessage-deflate (RFC 7692): compressed messages.
//!
//! A client offers it with `ClientHandshake::deflate`, and a server accepts an offer with
//! `Accept::deflate`. A [`WebSocket`](crate::WebSocket) then decompresses the messages that it
//! receives, and compresses those that it sends where that saves bytes.
//!
//! [`WebSocket::send_fragment`](crate::WebSocket::send_fragment) sends a message while it is
//! created, such as the tokens of a language model: it flushes after each fragment.
//!
//! [`Connection`](crate::Connection) streams: it marks compressed chunks, which a [`Decompressor`]
//! decompresses one by one, and sends the output of a [`Compressor`] in fragments with
//! [`send_compressed_fragment`](crate::Connection::send_compressed_fragment).
//!
//! # Messages to many connections
//!
//! A [`Prepared`](crate::Prepared) message is compressed once instead of for each connection:
//!
//! ```
//! use ws_proto::deflate::DeflateConfig;
//! use ws_proto::{Prepared, SendError, Server, WebSocket};
//!
//! fn broadcast(
//!     text: &str,
//!     deflate: &DeflateConfig,
//!     connections: &mut [(WebSocket<Server>, Vec<u8>)],
//! ) -> Result<(), SendError> {
//!     let message = Prepared::text(text).deflate(deflate);
//!     for (ws, out) in connections {
//!         ws.send_prepared(&message, out)?;
//!     }
//!     Ok(())
//! }
//! ```
//!
//! For 1,000 connections and 1 KiB of JSON, it needed 0.5 % of the time of `send_text` for each
//! (measured by `cargo bench --features deflate --bench connection broadcast`), and one state,
//! which is returned to the pool. By `send_text`, each connection that takes its context over has a
//! state of its own (see [Memory](#memory)).
//!
//! Prepared messages do not refer to each other: they are longer than those of a context that is
//! taken over. After one, the connection's own context is empty, so that its next message is
//! longer, too.
//!
//! # With another HTTP library
//!
//! This module does not need the feature `handshake`: it reads and writes the values of
//! `Sec-WebSocket-Extensions`. (The other library, or `handshake::accept_key`, computes
//! `Sec-WebSocket-Accept`.) If an offer is malformed, the server must respond with 400 (RFC 6455
//! §9.1).
//!
//! ```
//! use ws_proto::deflate::DeflateConfig;
//! use ws_proto::{Client, Config, Negotiated, Server, WebSocket, extension};
//!
//! // The client sends its offer.
//! let client_config = DeflateConfig::new();
//! let offer = client_config.offer();
//!
//! // The server reads all lines of the header, accepts an offer, and responds
//! // with `accepted`; without the header, if it accepts none.
//! let server_config = DeflateConfig::new();
//! let lines = [offer.as_bytes()];
//! let offers = lines
//!     .into_iter()
//!     .flat_map(extension::parse)
//!     .collect::<Result<Vec<_>, _>>()?;
//! let mut negotiated = Negotiated::new(Server);
//! let mut accepted = None;
//! if let Some(params) = server_config.accept(offers) {
//!     negotiated = negotiated.with_deflate(&server_config, params);
//!     accepted = Some(params.to_string());
//! }
//! let server = WebSocket::new(negotiated, &Config::new());
//!
//! // The client verifies the response.
//! let lines = accepted.iter().map(|value| value.as_bytes());
//! let accepted = lines
//!     .flat_map(extension::parse)
//!     .collect::<Result<Vec<_>, _>>()?;
//! let mut negotiated = Negotiated::new(Client::new([7; 32]));
//! if let Some(params) = client_config.verify(accepted)? {
//!     negotiated = negotiated.with_deflate(&client_config, params);
//! }
//! let client = WebSocket::new(negotiated, &Config::new());
//! assert_eq!(client.deflate(), server.deflate());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Memory
//!
//! Only the settings, 96 bytes, are allocated before the first compressed message in a direction.
//! Then that direction has a state, which stays with the connection if its context is taken over.
//! Otherwise the state is returned to a pool after each message: all connections of one
//! [`DeflateConfig`] (and its clones) share the pool, and an idle connection holds no state.
//!
//! A state to receive occupies 47.5 kB with any parameters. A state to send occupies, in kB
//! (measured with zlib-rs 0.6.8):
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
//! The pool also has the buffers that a message needs while it is decompressed or compressed: as
//! many as are in use at once, of which it keeps up to 16 blocks of 16 KiB, and up to 16 buffers of
//! at most 64 KiB.
//!
//! # Secrets
//!
//! If a message mixes a secret with attacker-controlled text, its compressed size leaks the secret
//! byte by byte (§8; the attacks CRIME and BREACH). Send such messages with
//! [`WebSocket::send_text_uncompressed`](crate::WebSocket::send_text_uncompressed), or in fragments
//! with
//! [`send_fragment_uncompressed`](crate::WebSocket::send_fragment_uncompressed).

mod compress;
mod config;
mod context;
mod decompress;
mod negotiate;
mod params;
mod per_window;
mod pool;

pub use compress::{Compressor, Flush};
pub use config::DeflateConfig;
pub(crate) use context::{Deflater, Inflater};
pub use decompress::{Decompressor, InflateError, Inflated};
pub use negotiate::NegotiationError;
pub(crate) use params::Direction;
pub use params::Params;
pub(crate) use per_window::PerWindow;

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
