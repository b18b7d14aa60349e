//! Unused compressors, decompressors and buffers, which the connections of a configuration share.

use super::compress::Compressor;
use super::decompress::Decompressor;
use super::params::Settings;
use alloc::boxed::Box;
use alloc::vec::Vec;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Memory for decompressed data: large enough that most messages need one block.
pub(super) type Block = [u8; 16 << 10];

/// The maximum number of unused values of a kind.
const MAX_UNUSED: usize = 16;

/// The maximum capacity of an unused buffer for a compressed message.
const MAX_CAPACITY: usize = 64 << 10;

/// Compressors, decompressors and buffers that a message needs, and an idle connection does not.
#[derive(Default)]
pub(super) struct Pool {
    compressors: Unused<Box<Compressor>>,
    decompressors: Unused<Box<Decompressor>>,
    blocks: Unused<Box<Block>>,
    messages: Unused<Vec<u8>>,
}

impl Pool {
    /// Returns a compressor with these settings: an unused one, if messages are compressed
    /// independently, or a new one.
    pub(super) fn take_compressor(&self, settings: Settings) -> Box<Compressor> {
        let unused = if settings.direction.no_context_takeover {
            let fits = |compressor: &Box<_>| Compressor::settings(compressor) == settings;
            self.compressors.take(fits)
        } else {
            None
        };
        unused.unwrap_or_else(|| Box::new(Compressor::new(settings)))
    }

    /// Returns a decompressor.
    pub(super) fn take_decompressor(&self, no_context_takeover: bool) -> Box<Decompressor> {
        let unused = if no_context_takeover {
            self.decompressors.take(|_| true)
        } else {
            None
        };
        unused.unwrap_or_else(|| Box::new(Decompressor::new(no_context_takeover)))
    }

    /// Keeps a compressor whose context is not taken over.
    pub(super) fn put_compressor(&self, compressor: Box<Compressor>) {
        self.compressors.put(compressor);
    }

    /// Keeps a decompressor whose context is not taken over.
    pub(super) fn put_decompressor(&self, decompressor: Box<Decompressor>) {
        self.decompressors.put(decompressor);
    }

    /// Passes a block with arbitrary content to `work`.
    pub(super) fn with_block<T>(&self, work: impl FnOnce(&mut Block) -> T) -> T {
        let unused = self.blocks.take(|_| true);
        let mut block = unused.unwrap_or_else(|| Box::new([0; size_of::<Block>()]));
        let result = work(&mut block);
        self.blocks.put(block);
        result
    }

    /// Passes an empty buffer for a compressed message to `work`.
    pub(super) fn with_message<T>(&self, work: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let mut message = self.messages.take(|_| true).unwrap_or_default();
        let result = work(&mut message);
        // In this order: a vector does not shrink below its length.
        message.clear();
        message.shrink_to(MAX_CAPACITY);
        self.messages.put(message);
        result
    }
}

/// Unused values of a kind.
struct Unused<T>(Mutex<Vec<T>>);

impl<T> Unused<T> {
    /// Takes the last one that fits.
    fn take(&self, fits: impl FnMut(&T) -> bool) -> Option<T> {
        let mut values = self.lock();
        let index = values.iter().rposition(fits)?;
        Some(values.swap_remove(index))
    }

    /// Keeps a value, unless there are enough.
    fn put(&self, value: T) {
        let mut values = self.lock();
        if values.len() < MAX_UNUSED {
            values.push(value);
        }
    }

    /// Ignores poisoning: the list is consistent after a panic.
    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Default for Unused<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}
