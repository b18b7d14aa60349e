//! The decompressor (RFC 7692 §7.2.2), which accepts a message chunk by chunk, and whose output is
//! bounded by the caller's buffer.

use crate::buffer::{suffix, suffix_mut};
use core::{error, fmt, panic::AssertUnwindSafe};
use zlib_rs::{Inflate, InflateFlush, Status};

/// The bytes at the end of every compressed message, which are removed before it is sent (§7.2.1).
pub(super) const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// Decompresses the messages of one direction.
///
/// ```
/// use ws_proto::deflate::{Decompressor, Params};
///
/// let mut decompressor = Params::default().client_decompressor();
/// let mut block = [0; 64];
/// // RFC 7692 §7.2.3.1
/// let mut message: &[u8] = &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00];
/// let inflated = decompressor.inflate(&mut message, true, &mut block)?;
/// assert!(inflated.done);
/// assert_eq!(&block[..inflated.len], b"Hello");
/// # Ok::<(), ws_proto::deflate::InflateError>(())
/// ```
pub struct Decompressor {
    /// No call leaves it half done: a panic inside would be a bug of the backend, and nothing here
    /// catches one.
    inflate: AssertUnwindSafe<Inflate>,
    no_context_takeover: bool,
    /// Whether the output was full, so that there may be more of it.
    is_output_full: bool,
    /// Whether the last block had BFINAL.
    ended: bool,
    failed: bool,
    /// The number of bytes that the backend reads to finish an empty stored block after it was
    /// stopped at the end of the block's header, which depends on the backend's version.
    after_header: Option<usize>,
}

/// The result of decompressing a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Inflated {
    /// The number of bytes written to the front of the output.
    pub len: usize,
    /// Whether the chunk was decompressed completely. If not, the output was full: call again with
    /// the rest of the input.
    pub done: bool,
}

/// A message is not a valid DEFLATE stream (RFC 1951).
///
/// It converts to a `std::io::Error` of kind `InvalidData`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InflateError;

impl fmt::Display for InflateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid compressed data")
    }
}

impl error::Error for InflateError {}

impl From<InflateError> for std::io::Error {
    fn from(error: InflateError) -> Self {
        Self::new(std::io::ErrorKind::InvalidData, error)
    }
}

impl Decompressor {
    pub(super) fn new(no_context_takeover: bool) -> Self {
        // The window's size makes no difference to the memory of the backend, and the largest suits
        // every sender.
        let inflate = AssertUnwindSafe(Inflate::new(false, 15));
        let mut this = Self {
            inflate,
            no_context_takeover,
            is_output_full: false,
            ended: false,
            failed: false,
            after_header: None,
        };
        // The shortest message shows how the backend continues where it was stopped.
        this.step(&[0], &mut [0], InflateFlush::NoFlush);
        this.read_tail(InflateFlush::Trees);
        this.after_header = this.read_tail(InflateFlush::Block);
        this.inflate.reset(false);
        this
    }

    /// Decompresses a chunk of a message into `output`, as far as there is room, and removes the
    /// consumed bytes from the front of `input`. `is_last` must be set for the chunk that ends the
    /// message.
    ///
    /// A message may contain blocks with BFINAL, and end with one (§7.2.3.4).
    ///
    /// # Errors
    ///
    /// [`InflateError`] if the message is corrupt, or ends inside a block. Nothing after it can be
    /// decompressed.
    pub fn inflate(
        &mut self,
        input: &mut &[u8],
        is_last: bool,
        output: &mut [u8],
    ) -> Result<Inflated, InflateError> {
        let mut len = 0;
        while !self.failed && (!input.is_empty() || self.is_output_full) {
            let step = self.step(input, suffix_mut(output, len), InflateFlush::NoFlush);
            *input = suffix(input, step.read);
            len += step.written;
            self.is_output_full = len == output.len();
            if self.is_output_full {
                return Ok(Inflated { len, done: false });
            }
        }
        if is_last && !self.failed {
            self.finish();
        }
        match self.failed {
            false => Ok(Inflated { len, done: true }),
            // The valid output is returned first, as if the input had been split at the fault.
            true if len > 0 => Ok(Inflated { len, done: false }),
            true => Err(InflateError),
        }
    }

    /// Decompresses the tail, which is the rest of an empty stored block and adds nothing, and
    /// prepares for the next message.
    fn finish(&mut self) {
        if !self.ended {
            // With a flush that stops after a block's header, the backend reads exactly the tail if
            // that is the length of a stored block. In any other truncated block it reads less of
            // it, or continues; but the tail, or the codes at its front, may also complete such a
            // block to the last bit.
            let header = self.read_tail(InflateFlush::Trees);
            // Those blocks continue in another way than a stored block. zlib-rs 0.6 reads the
            // length of a stored block once more, and as many bytes of none of the others.
            let length = self.read_tail(InflateFlush::Block);
            self.failed |=
                header != Some(TAIL.len()) || length.is_none() || length != self.after_header;
        }
        self.ended = false;
        if self.no_context_takeover && !self.failed {
            self.inflate.reset(false);
        }
    }

    /// Feeds the tail and one byte after it, and returns how many bytes of them the backend reads;
    /// `None` if it fails or writes.
    fn read_tail(&mut self, flush: InflateFlush) -> Option<usize> {
        let [a, b, c, d] = TAIL;
        let before = (self.inflate.total_in(), self.inflate.total_out());
        self.inflate
            .decompress(&[a, b, c, d, 0], &mut [0], flush)
            .ok()?;
        let read = self.inflate.total_in().checked_sub(before.0)? as usize;
        (self.inflate.total_out() == before.1).then_some(read)
    }

    fn step(&mut self, input: &[u8], output: &mut [u8], flush: InflateFlush) -> Step {
        let before = (self.inflate.total_in(), self.inflate.total_out());
        let status = self.inflate.decompress(input, output, flush);
        let read = (self.inflate.total_in() - before.0) as usize;
        let written = (self.inflate.total_out() - before.1) as usize;
        // A block with BFINAL ends a DEFLATE stream. The next block begins another one, which
        // cannot refer to this one (RFC 1951 §3.2.3).
        if status == Ok(Status::StreamEnd) {
            self.inflate.reset(false);
            self.ended = true;
        } else if read > 0 {
            self.ended = false;
        }
        let is_stuck = read == 0
            && written == 0
            && !input.is_empty()
            && !output.is_empty()
            && status != Ok(Status::StreamEnd);
        self.failed = status.is_err() || is_stuck;
        Step { read, written }
    }
}

/// The progress of one call of the backend.
struct Step {
    read: usize,
    written: usize,
}

impl fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decompressor")
            .field("no_context_takeover", &self.no_context_takeover)
            .finish_non_exhaustive()
    }
}
