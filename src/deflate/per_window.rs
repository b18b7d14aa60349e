//! A message that is compressed independently of all others, for connections that negotiated
//! different windows.

use super::compress::Flush;
use super::config::DeflateConfig;
use super::params::Direction;
use core::{array, fmt};
use std::sync::OnceLock;

/// The smallest window that can be negotiated, as a base-2 logarithm.
const MIN_BITS: u8 = 8;

/// A value for each window size, derived from the compressed message. It is computed on first use.
pub(crate) struct PerWindow<T> {
    config: DeflateConfig,
    values: [OnceLock<T>; 8],
}

impl<T> PerWindow<T> {
    pub(crate) fn new(config: &DeflateConfig) -> Self {
        Self {
            config: config.clone(),
            values: array::from_fn(|_| OnceLock::new()),
        }
    }

    /// Returns the value for a window of this size. `init` computes it from the compressed message,
    /// or from `None` if compression is not useful.
    pub(crate) fn get_or_init(
        &self,
        window_bits: u8,
        message: &[u8],
        init: impl FnOnce(Option<&[u8]>) -> T,
    ) -> Option<&T> {
        let value = self.slot(window_bits)?;
        Some(value.get_or_init(|| self.compress(window_bits, message, init)))
    }

    /// Returns the value for a window of this size, if it was computed.
    pub(crate) fn get(&self, window_bits: u8) -> Option<&T> {
        self.slot(window_bits)?.get()
    }

    fn slot(&self, window_bits: u8) -> Option<&OnceLock<T>> {
        self.values
            .get(usize::from(window_bits.checked_sub(MIN_BITS)?))
    }

    fn compress(
        &self,
        window_bits: u8,
        message: &[u8],
        init: impl FnOnce(Option<&[u8]>) -> T,
    ) -> T {
        if message.len() < self.config.threshold() {
            return init(None);
        }
        let pool = &self.config.pool;
        let mut compressor = pool.take_compressor(self.config.settings(Direction {
            no_context_takeover: true,
            max_window_bits: Some(window_bits),
        }));
        let value = pool.with_message(|compressed| {
            compressor.compress(message, Flush::End, compressed);
            init((compressed.len() < message.len()).then_some(compressed))
        });
        pool.put_compressor(compressor);
        value
    }
}

/// Does not show the values.
impl<T> fmt::Debug for PerWindow<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PerWindow")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
