//! RFC 7692, permessage-deflate: its negotiation, its payload, and its memory.
#![cfg(feature = "deflate")]

#[path = "../common/mod.rs"]
mod common;
#[path = "../handshake/support.rs"]
mod handshake_support;

mod limits;
mod memory;
mod negotiation;
mod payload;
mod properties;
mod states;
mod tail;
mod zlib;
