//! How buffers grow for input that arrives in pieces.

/// The number of bytes by which a buffer of `len` bytes must grow to hold `needed`; 0 if it has the
/// capacity.
///
/// The capacity at least doubles, so that a byte is moved a bounded number of times, but does not
/// exceed `most`.
#[inline]
pub(crate) fn growth(len: usize, capacity: usize, needed: usize, most: usize) -> usize {
    if needed <= capacity {
        0
    } else {
        capacity.saturating_mul(2).min(most).max(needed) - len
    }
}
