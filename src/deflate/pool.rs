//! The compression states: a compressor or decompressor with its buffer, and a pool of unused ones.

use super::compress::Compressor;
use super::decompress::Decompressor;
use super::params::Settings;
use alloc::boxed::Box;
use alloc::vec::Vec;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The number of bytes that are decompressed at a time, then validated and checked against the
/// limits.
const BLOCK: usize = 16 << 10;

/// The largest number of unused states in a pool, for each direction.
const MAX_IDLE: usize = 16;

/// The largest capacity of the buffer for a compressed message that is kept between messages.
const MAX_KEPT: usize = 64 << 10;

/// Unused states, shared by all connections of one [`DeflateConfig`](super::DeflateConfig).
#[derive(Default)]
pub(super) struct Pool {
    #[expect(
        clippy::vec_box,
        reason = "states move between the pool and a connection without allocation"
    )]
    deflate: Mutex<Vec<Box<DeflateState>>>,
    inflate: Mutex<Vec<Box<InflateState>>>,
}

/// A compressor, and its output.
pub(super) struct DeflateState {
    pub(super) compressor: Compressor,
    pub(super) message: Vec<u8>,
}

/// A decompressor, and its output.
pub(super) struct InflateState {
    pub(super) decompressor: Decompressor,
    pub(super) block: [u8; BLOCK],
}

impl Pool {
    /// Returns a state to compress with these settings: an unused one, if messages are compressed
    /// independently, or a new one.
    pub(super) fn take_deflate(&self, settings: Settings) -> Box<DeflateState> {
        let mut unused = None;
        if settings.direction.no_context_takeover {
            let mut states = lock(&self.deflate);
            unused = states
                .iter()
                .position(|state| state.compressor.settings() == settings)
                .map(|index| states.swap_remove(index));
        }
        unused.unwrap_or_else(|| {
            Box::new(DeflateState {
                compressor: Compressor::new(settings),
                message: Vec::new(),
            })
        })
    }

    /// Returns a state to decompress with.
    pub(super) fn take_inflate(&self, no_context_takeover: bool) -> Box<InflateState> {
        let unused = if no_context_takeover {
            lock(&self.inflate).pop()
        } else {
            None
        };
        unused.unwrap_or_else(|| {
            Box::new(InflateState {
                decompressor: Decompressor::new(no_context_takeover),
                block: [0; BLOCK],
            })
        })
    }

    /// Keeps a state whose context is not taken over, unless there are enough.
    pub(super) fn put_deflate(&self, state: Box<DeflateState>) {
        put(&self.deflate, state);
    }

    /// Keeps a state whose context is not taken over, unless there are enough.
    pub(super) fn put_inflate(&self, state: Box<InflateState>) {
        put(&self.inflate, state);
    }
}

impl DeflateState {
    /// Empties the output, and frees its memory if it is large.
    pub(super) fn clear(&mut self) {
        // In this order: a vector does not shrink below its length.
        self.message.clear();
        self.message.shrink_to(MAX_KEPT);
    }
}

/// Ignores poisoning: the list is consistent after a panic.
fn lock<T>(states: &Mutex<Vec<T>>) -> MutexGuard<'_, Vec<T>> {
    states.lock().unwrap_or_else(PoisonError::into_inner)
}

fn put<T>(states: &Mutex<Vec<T>>, state: T) {
    let mut states = lock(states);
    if states.len() < MAX_IDLE {
        states.push(state);
    }
}
