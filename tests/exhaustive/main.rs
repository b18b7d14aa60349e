//! Exhaustive tests of frames, of short sequences of frames, and of short sequences of calls. This
//! is a separate binary because everything is tested only with optimization:
//! `cargo test --release --all-features --test exhaustive`.
#![cfg(feature = "alloc")]

#[path = "../common/mod.rs"]
mod common;

mod calls;
mod frames;

/// Whether to test everything.
const FULL: bool = !cfg!(debug_assertions);
