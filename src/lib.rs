//! A sans-IO WebSocket (RFC 6455) state machine.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod agreed;
mod mask;
mod output;
mod role;
pub mod uri;
#[cfg(feature = "handshake")]
pub mod handshake;

pub use agreed::Agreed;
pub use mask::Mask;
#[cfg(feature = "alloc")]
pub use output::Capped;
pub use output::{Output, REPLY_ROOM, Slice};
pub use role::{Client, Role, Server};
