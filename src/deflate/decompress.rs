//! Inflating messages (RFC 7692 §7.2.2), piece by piece into a buffer of the caller's, whose size
//! bounds what a call gives.

use core::fmt;
use core::panic::AssertUnwindSafe;
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
    /// No call of it is left half done: a panic inside would be a bug of the backend, and nothing
    /// here catches one.
    inflate: AssertUnwindSafe<Inflate>,
    no_context_takeover: bool,
    /// Whether the output was full, so that there may be more of it.
    full: bool,
    /// Whether the last block had BFINAL.
    ended: bool,
    failed: bool,
    /// How many bytes the backend reads to finish an empty stored block after it was stopped at
    /// the end of the block's header: that depends on its version.
    after_header: Option<usize>,
}

/// What came of inflating a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inflated {
    /// How many bytes were written to the front of the output.
    pub len: usize,
    /// Whether the piece is inflated whole. If not, the output was full: call again with the rest
    /// of the input.
    pub done: bool,
}

/// A message is not a valid DEFLATE stream (RFC 1951). It becomes a `std::io::Error` of kind
/// `InvalidData` by `?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InflateError;

impl fmt::Display for InflateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid compressed data")
    }
}

impl core::error::Error for InflateError {}

impl From<InflateError> for std::io::Error {
    fn from(error: InflateError) -> Self {
        Self::new(std::io::ErrorKind::InvalidData, error)
    }
}

impl Decompressor {
    pub(super) fn new(no_context_takeover: bool) -> Self {
        // The window's size makes no difference to the memory that the backend takes, and the
        // largest suits every sender.
        let inflate = AssertUnwindSafe(Inflate::new(false, 15));
        let mut this = Self {
            inflate,
            no_context_takeover,
            full: false,
            ended: false,
            failed: false,
            after_header: None,
        };
        // The least message there is shows how the backend goes on where it was stopped.
        this.step(&[0], &mut [0], InflateFlush::NoFlush);
        this.read_tail(InflateFlush::Trees);
        this.after_header = this.read_tail(InflateFlush::Block);
        this.inflate.reset(false);
        this
    }

    /// Inflates what fits into `output`, and cuts what it took off the front of `input`, a piece of
    /// a message. `last` says that the message ends with this piece.
    ///
    /// A message may hold blocks with BFINAL, and end with one (§7.2.3.4).
    ///
    /// # Errors
    ///
    /// [`InflateError`] if the message is corrupt, or ends inside a block. Nothing after it can be
    /// inflated.
    pub fn inflate(
        &mut self,
        input: &mut &[u8],
        last: bool,
        output: &mut [u8],
    ) -> Result<Inflated, InflateError> {
        let mut len = 0;
        while !self.failed && (!input.is_empty() || self.full) {
            let step = self.step(
                input,
                output.get_mut(len..).unwrap_or_default(),
                InflateFlush::NoFlush,
            );
            *input = input.get(step.read..).unwrap_or_default();
            len += step.written;
            self.full = len == output.len();
            if self.full {
                return Ok(Inflated { len, done: false });
            }
        }
        if last && !self.failed {
            self.finish();
        }
        match self.failed {
            false => Ok(Inflated { len, done: true }),
            // What is good goes out before the fault behind it is told, as it would if the input
            // had been cut there.
            true if len > 0 => Ok(Inflated { len, done: false }),
            true => Err(InflateError),
        }
    }

    /// Inflates the tail, which is the rest of an empty stored block and adds nothing, and makes
    /// ready for the next message.
    fn finish(&mut self) {
        if !self.ended {
            // Told to stop after a block's header, the backend reads the tail and no more if it is
            // the length of a stored block. Any other block that was cut off reads less
            // of it, or goes on reading; but it may also be completed by the tail to the last bits,
            // or the codes at its front may.
            let header = self.read_tail(InflateFlush::Trees);
            // Those go on in another way than a stored block. zlib-rs 0.6 reads the length of a
            // stored block once more, and none of them as many bytes.
            let length = self.read_tail(InflateFlush::Block);
            self.failed |=
                header != Some(TAIL.len()) || length.is_none() || length != self.after_header;
        }
        self.ended = false;
        if self.no_context_takeover && !self.failed {
            self.inflate.reset(false);
        }
    }

    /// How many bytes of the tail and one byte after it the backend reads; `None` if it fails or
    /// writes.
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
        // A block with BFINAL ends a DEFLATE stream. What follows is another one, which cannot
        // refer to this one (RFC 1951 §3.2.3).
        if status == Ok(Status::StreamEnd) {
            self.inflate.reset(false);
            self.ended = true;
        } else if read > 0 {
            self.ended = false;
        }
        let stuck = read == 0
            && written == 0
            && !input.is_empty()
            && !output.is_empty()
            && status != Ok(Status::StreamEnd);
        self.failed = status.is_err() || stuck;
        Step { read, written }
    }
}

/// What one call of the backend did.
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
