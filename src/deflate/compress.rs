//! The compressor (RFC 7692 §7.2.1), which accepts a message chunk by chunk.

use super::decompress::TAIL;
use super::params::Settings;
use crate::buffer::{suffix, suffix_mut};
use alloc::vec::Vec;
use core::{fmt, panic::AssertUnwindSafe};
use zlib_rs::{Deflate, DeflateFlush, Status};

/// The largest number of bytes by which the output grows at a time.
const MAX_GROWTH: usize = 64 << 10;

/// How much of a message the compressor must release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Flush {
    /// The compressor may keep data back, up to the end of the message.
    None,
    /// All data so far can be decompressed from the output so far: a receiver need not wait for the
    /// next chunk. Each flush adds at least four bytes.
    Sync,
    /// The chunk ends the message (RFC 7692 §7.2.1).
    End,
}

/// Compresses the messages of one direction.
///
/// ```
/// use ws_proto::deflate::{Flush, Params};
///
/// let mut compressor = Params::default().server_compressor(&Default::default());
/// let mut message = Vec::new();
/// compressor.compress(b"Hel", Flush::None, &mut message);
/// compressor.compress(b"lo", Flush::End, &mut message);
/// // RFC 7692 §7.2.3.1
/// assert_eq!(message, [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]);
/// ```
pub struct Compressor {
    /// No call leaves it half done: a panic inside would be a bug of the backend, and nothing here
    /// catches one.
    deflate: AssertUnwindSafe<Deflate>,
    settings: Settings,
    /// Whether a byte was compressed since the last flush.
    is_unflushed: bool,
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
            is_unflushed: false,
        }
    }

    pub(super) const fn settings(&self) -> Settings {
        self.settings
    }

    /// Returns whether nothing was compressed since the compressor was created or reset, so that
    /// the next message refers to no earlier one.
    pub(super) fn is_fresh(&self) -> bool {
        self.deflate.total_in() == 0
    }

    /// Compresses a chunk of a message, and appends the available output to `out`. The output of
    /// all chunks, up to [`Flush::End`], is the payload of the message.
    pub fn compress(&mut self, mut chunk: &[u8], flush: Flush, out: &mut Vec<u8>) {
        self.is_unflushed |= !chunk.is_empty();
        if !self.is_unflushed {
            // The backend flushes nothing twice. An empty block that is not final, without its
            // tail, ends the message (§7.2.3.6).
            if flush == Flush::End {
                out.push(0);
                self.end_message();
            }
            return;
        }
        let mode = match flush {
            Flush::None => DeflateFlush::NoFlush,
            Flush::Sync | Flush::End => DeflateFlush::SyncFlush,
        };
        loop {
            let start = out.len();
            // Room for all of the output, even if it is longer than the input, so that one call
            // suffices.
            let room = (chunk.len() + chunk.len() / 8 + 64).min(MAX_GROWTH);
            out.resize(start + room, 0);
            let before = (self.deflate.total_in(), self.deflate.total_out());
            let status = self.deflate.compress(chunk, suffix_mut(out, start), mode);
            let read = (self.deflate.total_in() - before.0) as usize;
            let written = (self.deflate.total_out() - before.1) as usize;
            out.truncate(start + written);
            chunk = suffix(chunk, read);
            if chunk.is_empty() && written < room || status != Ok(Status::Ok) {
                break;
            }
        }
        self.is_unflushed = flush == Flush::None;
        if flush == Flush::End {
            debug_assert!(
                out.ends_with(&TAIL),
                "a flush ends with an empty stored block"
            );
            out.truncate(out.len() - if out.ends_with(&TAIL) { TAIL.len() } else { 0 });
            self.end_message();
        }
    }

    fn end_message(&mut self) {
        if self.settings.direction.no_context_takeover {
            self.reset();
        }
    }

    /// Forgets all earlier messages, so that later ones do not refer to them, and discards an
    /// incomplete one.
    ///
    /// If the context is taken over, this is required after a message that was compressed by
    /// another compressor, since that message is in the receiver's context, too.
    pub fn reset(&mut self) {
        // It initializes tables of up to 128 KiB.
        if !self.is_fresh() {
            self.deflate.reset();
        }
        self.is_unflushed = false;
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
