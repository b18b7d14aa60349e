//! RFC 7692, permessage-deflate: its negotiation, its payload, and its memory.
#![cfg(feature = "deflate")]

#[path = "../common/mod.rs"]
mod common;
#[cfg(feature = "handshake")]
#[path = "../handshake/support.rs"]
mod handshake_support;

mod header_values;
mod layers;
mod limits;
mod memory;
#[cfg(feature = "handshake")]
mod negotiation;
mod payload;
mod prepared;
mod properties;
mod states;
mod streaming;
mod tail;
mod zlib;
