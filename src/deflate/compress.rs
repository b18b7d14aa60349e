//! Compressing messages (RFC 7692 §7.2.1), piece by piece.

use super::Settings;
use super::decompress::TAIL;
use alloc::vec::Vec;
use core::fmt;
use core::panic::AssertUnwindSafe;
use zlib_rs::{Deflate, DeflateConfig, DeflateFlush, Status};

/// The longest that so many bytes can become by being compressed in one go (RFC 1951 §3.2: a few
/// bits for a block, or one bit in eight for the worst code).
pub(crate) const fn longest_compressed(len: u64) -> u64 {
    len.saturating_add(len / 8 + len / 64 + 128)
}

/// How many bytes are made room for at a time, at most.
const MOST_AT_ONCE: usize = 64 << 10;

/// Compresses the messages of one direction.
///
/// ```
/// use ws_proto::deflate::Params;
///
/// let mut compressor = Params::default().server_compressor(&Default::default());
/// let mut message = Vec::new();
/// compressor.compress(b"Hel", false, &mut message);
/// compressor.compress(b"lo", true, &mut message);
/// assert_eq!(message, [0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]); // RFC 7692 §7.2.3.1
/// ```
pub struct Compressor {
    /// No call of it is left half done: a panic inside would be a bug of the backend, and nothing
    /// here catches one.
    deflate: AssertUnwindSafe<Deflate>,
    settings: Settings,
    /// Whether anything of the current message was compressed.
    fed: bool,
}

impl Compressor {
    pub(super) fn new(settings: Settings) -> Self {
        let Settings {
            direction,
            level,
            mem_level,
        } = settings;
        let config = DeflateConfig {
            level: level.into(),
            mem_level: mem_level.into(),
            // There is no window of 8 bits to compress with. In one of 9, distances end 262 bytes
            // (a longest match and what is read ahead) below its 512: at 250.
            window_bits: -i32::from(direction.window_bits().max(9)),
            ..DeflateConfig::default()
        };
        Self {
            deflate: AssertUnwindSafe(Deflate::new_with_config(config)),
            settings,
            fed: false,
        }
    }

    pub(super) const fn settings(&self) -> Settings {
        self.settings
    }

    /// Compresses a piece of a message, and appends what is ready of it to `out`; all of it, if it
    /// is the `last`.
    pub fn compress(&mut self, mut piece: &[u8], last: bool, out: &mut Vec<u8>) {
        let flush = if last {
            DeflateFlush::SyncFlush
        } else {
            DeflateFlush::NoFlush
        };
        self.fed |= !piece.is_empty();
        if !self.fed && last {
            // There is nothing to flush: an empty block that is not final, less its tail
            // (§7.2.3.6).
            out.push(0);
            return;
        }
        loop {
            let start = out.len();
            // Room for all of it, even if it grows, so that one call does.
            let room = (piece.len() + piece.len() / 8 + 64).min(MOST_AT_ONCE);
            out.resize(start + room, 0);
            let before = (self.deflate.total_in(), self.deflate.total_out());
            let status =
                self.deflate
                    .compress(piece, out.get_mut(start..).unwrap_or_default(), flush);
            let read = (self.deflate.total_in() - before.0) as usize;
            let written = (self.deflate.total_out() - before.1) as usize;
            out.truncate(start + written);
            piece = piece.get(read..).unwrap_or_default();
            if piece.is_empty() && written < room || status != Ok(Status::Ok) {
                break;
            }
        }
        if last {
            out.truncate(out.len() - if out.ends_with(&TAIL) { TAIL.len() } else { 0 });
            self.fed = false;
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
