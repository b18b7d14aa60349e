//! A sans-IO WebSocket (RFC 6455) state machine.
#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs, unreachable_pub, unnameable_types)]
#![deny(clippy::missing_errors_doc, clippy::missing_panics_doc)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]
#![cfg_attr(not(test), deny(clippy::std_instead_of_core, clippy::std_instead_of_alloc, clippy::alloc_instead_of_core))]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(test)]
extern crate std;

mod agreed;
mod close;
mod config;
mod connection;
mod error;
mod frame;
#[cfg(feature = "handshake")]
pub mod handshake;
mod mask;
mod output;
mod receive;
mod role;
mod send;
pub mod uri;
mod utf8;
#[cfg(feature = "alloc")]
mod websocket;

pub use agreed::Agreed;
pub use close::{Close, CloseCode, Closure, Side};
pub use config::Config;
pub use connection::Connection;
pub use error::{ProtocolError, SendError};
pub use frame::{Header, HeaderBytes, Kind, MAX_CONTROL_PAYLOAD, Opcode};
pub use mask::Mask;
#[cfg(feature = "alloc")]
pub use output::Capped;
pub use output::{Output, REPLY_ROOM, Slice};
pub use receive::{Chunk, Event, Receiver, Stats};
pub use role::{Client, Role, Server};
pub use send::{Reply, Sender, State, Transport};
pub use utf8::Utf8;
#[cfg(feature = "alloc")]
pub use websocket::{Message, MessageReceiver, WebSocket};
