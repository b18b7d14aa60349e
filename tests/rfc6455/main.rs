//! RFC 6455 without its opening handshake, which is tested in `tests/handshake`: frames, messages,
//! sending, closing, limits, the grammar of extensions, and URIs.

#[cfg(feature = "alloc")]
#[path = "../common/mod.rs"]
mod common;

#[cfg(feature = "alloc")]
mod calls;
#[cfg(feature = "alloc")]
mod closing;
#[cfg(feature = "alloc")]
mod control;
#[cfg(feature = "alloc")]
mod cuts;
mod extensions;
#[cfg(feature = "alloc")]
mod fragmentation;
#[cfg(feature = "alloc")]
mod framing;
#[cfg(feature = "alloc")]
mod limits;
#[cfg(feature = "alloc")]
mod masking;
#[cfg(feature = "alloc")]
mod model;
#[cfg(feature = "alloc")]
mod output;
#[cfg(feature = "alloc")]
mod relay;
#[cfg(feature = "alloc")]
mod sending;
#[cfg(feature = "alloc")]
mod text;
mod uri;
