//! Tests that belong to no single standard: hostile peers, allocations, printed values and errors,
//! the auto traits, the example programs, and the promises of SECURITY.md.

#[cfg(feature = "alloc")]
#[path = "../common/mod.rs"]
mod common;

#[cfg(feature = "alloc")]
mod allocation;
#[cfg(feature = "arbitrary")]
mod arbitrary;
mod auto_traits;
mod dissect;
#[cfg(all(unix, feature = "std", feature = "handshake"))]
mod hostile;
mod layout;
mod security;
#[cfg(feature = "alloc")]
mod shown;
#[cfg(all(unix, feature = "std", feature = "handshake"))]
mod wscat;
