//! The compressor (RFC 7692 §7.2.1), which accepts a message chunk by chunk.

use super::decompress::TAIL;
use super::params::Settings;
use crate::buffer::{suffix, suffix_mut};
use alloc::vec::Vec;
use core::{fmt, panic::AssertUnwindSafe};
use zlib_rs::{Deflate, DeflateFlush, Status};

/// Returns the largest compressed length of `len` bytes that are compressed in one call (RFC 1951
/// §3.2: a few bits for a block, or one bit in eight for the worst code).
pub(crate) const fn longest_compressed(len: u64) -> u64 {
    len.saturating_add(len / 8 + len / 64 + 128)
}

/// The largest number of bytes by which the output grows at a time.
const MAX_GROWTH: usize = 64 << 10;

/// Compresses the messages of one direction.
///
/// ```
/// use ws_proto::deflate::Params;
///
/// let mut compressor = Params::default().server_compressor(&Default::default());
/// let mut message = Vec::new();
/// compressor.compress(b"Hel", false, &mut message);
/// compressor.compress(b"lo", true, &mut message);
/// // RFC 7692 §7.2.3.1
/// assert_eq!(message, [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
/// ```
pub struct Compressor {
    /// No call leaves it half done: a panic inside would be a bug of the backend, and nothing here
    /// catches one.
    deflate: AssertUnwindSafe<Deflate>,
    settings: Settings,
    /// Whether any byte of the current message was compressed.
    has_input: bool,
}

impl Compressor {
    pub(super) fn new(settings: Settings) -> Self {
        let Settings {
            direction,
            level,
            mem_level,
        } = settings;
        let config = zlib_rs::DeflateConfig {
            level: level.into(),
            mem_level: mem_level.into(),
            // The backend cannot compress with a window of 8 bits. In one of 9, distances are at
            // most 250: 512 less 262, the longest match and the lookahead.
            window_bits: -i32::from(direction.window_bits().max(9)),
            ..zlib_rs::DeflateConfig::default()
        };
        Self {
            deflate: AssertUnwindSafe(Deflate::new_with_config(config)),
            settings,
            has_input: false,
        }
    }

    pub(super) const fn settings(&self) -> Settings {
        self.settings
    }

    /// Compresses a chunk of a message, and appends the available output to `out`. If the chunk is
    /// the last one, this completes the message.
    pub fn compress(&mut self, mut chunk: &[u8], is_last: bool, out: &mut Vec<u8>) {
        let flush = if is_last {
            DeflateFlush::SyncFlush
        } else {
            DeflateFlush::NoFlush
        };
        self.has_input |= !chunk.is_empty();
        if !self.has_input && is_last {
            // An empty message has nothing to flush: an empty block that is not final, without its
            // tail (§7.2.3.6).
            out.push(0);
            return;
        }
        loop {
            let start = out.len();
            // Room for all of the output, even if it is longer than the input, so that one call
            // suffices.
            let room = (chunk.len() + chunk.len() / 8 + 64).min(MAX_GROWTH);
            out.resize(start + room, 0);
            let before = (self.deflate.total_in(), self.deflate.total_out());
            let status = self.deflate.compress(chunk, suffix_mut(out, start), flush);
            let read = (self.deflate.total_in() - before.0) as usize;
            let written = (self.deflate.total_out() - before.1) as usize;
            out.truncate(start + written);
            chunk = suffix(chunk, read);
            if chunk.is_empty() && written < room || status != Ok(Status::Ok) {
                break;
            }
        }
        if is_last {
            debug_assert!(
                out.ends_with(&TAIL),
                "a flush ends with an empty stored block"
            );
            out.truncate(out.len() - if out.ends_with(&TAIL) { TAIL.len() } else { 0 });
            self.has_input = false;
            if self.settings.direction.no_context_takeover {
                self.deflate.reset();
            }
        }
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
