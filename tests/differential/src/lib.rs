//! The crate beside implementations that others wrote: each receives the same bytes, and its
//! verdict must be ours.
//!
//! * [`frames`]: `tungstenite` and `tokio-websockets`, in both roles (RFC 6455 §5 to §8), and
//!   conversations with them.
//! * [`heads`]: `httparse` (RFC 9112 §2 to §5).
//! * [`handshakes`]: `tungstenite` (RFC 6455 §4), and opening handshakes with both, in both roles.
//! * [`inflate`]: C zlib (RFC 1951, RFC 7692 §7.2).
//!
//! Where verdicts differ, it is by one of the listed [`difference`]s, and a test under its name
//! shows it with an input made for it. A difference excuses nothing but itself: when it is removed,
//! from the input or from the expectation, all the rest must be the same.
#![cfg(test)]

#[path = "../../common/mod.rs"]
#[expect(
    clippy::manual_is_multiple_of,
    reason = "the helpers are for Rust 1.85"
)]
mod common;
mod difference;
mod endpoint;
mod frames;
mod handshakes;
mod heads;
mod inflate;
mod tokio_websockets;
mod tungstenite;
mod wire;

use proptest::test_runner::Config;

/// `CASES` cases, or as many as make all tests last about a minute.
fn cases(usual: u32) -> Config {
    let cases =
        std::env::var("CASES").map_or(usual, |cases| cases.parse().expect("CASES is a number"));
    Config {
        cases,
        ..common::strategies::config(cases)
    }
}
