//! Inflating messages (RFC 7692 §7.2.2), piece by piece into a buffer of the caller's, whose size bounds what a call gives.

use core::fmt;
use zlib_rs::{Inflate, InflateFlush, Status};

/// What every compressed message ends with, and is sent without (§7.2.1).
pub(super) const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// Inflates the messages of one direction.
///
/// ```
/// use ws_proto::deflate::{Decompressor, Inflated, Params};
///
/// let mut decompressor = Params::default().client_decompressor();
/// let mut block = [0; 64];
/// let mut message: &[u8] = &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]; // RFC 7692 §7.2.3.1
/// assert_eq!(decompressor.inflate(&mut message, true, &mut block)?, Inflated { len: 5, done: true });
/// assert_eq!(&block[..5], b"Hello");
/// # Ok::<(), ws_proto::deflate::InflateError>(())
/// ```
pub struct Decompressor {
    inflate: Inflate,
    no_context_takeover: bool,
    /// How much of the tail was inflated after the current message.
    tail: usize,
    /// Whether the last block had BFINAL.
    ended: bool,
}

/// What came of inflating a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inflated {
    /// How many bytes were written to the front of the output.
    pub len: usize,
    /// Whether the piece is inflated whole. If not, the output was full: call again with the rest of the input.
    pub done: bool,
}

/// A message is not a valid DEFLATE stream (RFC 1951).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InflateError;

impl fmt::Display for InflateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the compressed data is not valid")
    }
}

impl core::error::Error for InflateError {}

impl Decompressor {
    pub(super) fn new(no_context_takeover: bool) -> Self {
        // The window's size makes no difference to the memory that the backend takes, and the largest suits every sender.
        Self { inflate: Inflate::new(false, 15), no_context_takeover, tail: 0, ended: false }
    }

    /// Inflates what fits into `output`, and cuts what it took off the front of `input`, a piece of a message. `last` says that the message ends with this piece.
    ///
    /// A message may hold blocks with BFINAL, and end with one (§7.2.3.4).
    ///
    /// # Errors
    ///
    /// [`InflateError`] if the message is corrupt, or ends inside a block. Nothing after it can be inflated.
    pub fn inflate(&mut self, input: &mut &[u8], last: bool, output: &mut [u8]) -> Result<Inflated, InflateError> {
        let mut len = 0;
        while !input.is_empty() {
            let step = self.step(input, output.get_mut(len..).unwrap_or_default(), InflateFlush::NoFlush)?;
            *input = input.get(step.read..).unwrap_or_default();
            len += step.written;
            if len == output.len() {
                return Ok(Inflated { len, done: false });
            }
        }
        if last {
            len += self.finish(output.get_mut(len..).unwrap_or_default())?;
        }
        // What fills the output to the last byte may have more behind it.
        let done = len < output.len();
        if last && done {
            self.restart();
        }
        Ok(Inflated { len, done })
    }

    /// Inflates the tail, and checks that it ends a block.
    fn finish(&mut self, output: &mut [u8]) -> Result<usize, InflateError> {
        let mut len = 0;
        while !self.ended && self.tail < TAIL.len() && len < output.len() {
            // In this mode inflating stops where a block ends: with all that comes before the last byte read and that byte left. It is no part of the tail, and
            // read only by a message that was cut off inside a block.
            let [a, b, c, d] = TAIL;
            let tail = [a, b, c, d, 0];
            let step =
                self.step(tail.get(self.tail..).unwrap_or_default(), output.get_mut(len..).unwrap_or_default(), InflateFlush::Block)?;
            self.tail += step.read;
            len += step.written;
        }
        if self.tail > TAIL.len() { Err(InflateError) } else { Ok(len) }
    }

    fn step(&mut self, input: &[u8], output: &mut [u8], flush: InflateFlush) -> Result<Step, InflateError> {
        self.ended = false;
        let before = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(input, output, flush).map_err(|_| InflateError)?;
        let read = (self.inflate.total_in() - before.0) as usize;
        let written = (self.inflate.total_out() - before.1) as usize;
        match status {
            Status::Ok => {}
            Status::BufError if read > 0 || written > 0 || output.is_empty() => {}
            Status::BufError => return Err(InflateError),
            // A block with BFINAL ends a DEFLATE stream. What follows is another one, which cannot refer to this one (RFC 1951 §3.2.3).
            Status::StreamEnd => {
                self.inflate.reset(false);
                self.ended = true;
            }
        }
        Ok(Step { read, written })
    }

    /// Makes ready for the next message.
    fn restart(&mut self) {
        self.tail = 0;
        self.ended = false;
        if self.no_context_takeover {
            self.inflate.reset(false);
        }
    }
}

/// What one call of the backend did.
struct Step {
    read: usize,
    written: usize,
}

impl fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decompressor").field("no_context_takeover", &self.no_context_takeover).finish_non_exhaustive()
    }
}
