//! The opening handshake: RFC 6455 §4, and over HTTP/2 and HTTP/3 RFC 8441 and RFC 9220.
#![cfg(all(feature = "handshake", feature = "alloc"))]

#[path = "../common/mod.rs"]
mod common;
mod support;

mod buffer;
mod client;
mod cuts;
mod http2;
mod injection;
mod memory;
mod parts;
mod plain;
mod proxy;
mod relay;
mod server;
#[cfg(feature = "std")]
mod shown;
#[cfg(feature = "http")]
mod types;
