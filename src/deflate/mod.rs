//! permessage-deflate (RFC 7692): compressed messages.
//!
//! A server accepts what a client offers by [`Accept::deflate`](crate::handshake::Accept::deflate), a client offers it by
//! [`ClientHandshake::deflate`](crate::handshake::ClientHandshake::deflate), and both exchange messages with no further thought: a
//! [`WebSocket`](crate::WebSocket) inflates what it receives, and compresses what it sends and is worth it.
//!
//! [`Connection`](crate::Connection) streams: it marks compressed chunks, for a [`Decompressor`] to inflate piece by piece, and sends what a [`Compressor`] makes of a message
//! in pieces by [`send_compressed_part`](crate::Connection::send_compressed_part).
//!
//! # What it costs
//!
//! Nothing until the first compressed message in a direction; then the state in that direction, which stays with the connection if its context is taken over, and else goes back
//! to the [`Pool`], which many connections may share.
//!
//! # Secrets
//!
//! Compression tells by its length what is alike. Whoever can mix text of his own into messages that hold a secret, and sees how long they are, can guess the secret
//! piece by piece (§8; the attacks CRIME and BREACH). Send such messages plain: [`WebSocket::send_text_plain`](crate::WebSocket::send_text_plain).

mod compress;
mod decompress;

pub use compress::Compressor;
pub use decompress::{Decompressor, InflateError, Inflated};

use crate::role::Role;

/// What was agreed on (RFC 7692 §7.1): the four parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Params {
    pub(crate) server: Direction,
    pub(crate) client: Direction,
}

/// What was agreed on for the messages of one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Direction {
    pub(crate) no_context_takeover: bool,
    pub(crate) max_window_bits: u8,
}
