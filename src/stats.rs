//! Counters of what went over a connection.

/// How much went over a connection in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames, control frames included.
    pub frames: u64,
    /// The sum of their payload lengths, in bytes.
    pub bytes: u64,
}

impl Counters {
    #[inline]
    pub(crate) const fn count(&mut self, len: u64) {
        self.frames += 1;
        self.bytes = self.bytes.wrapping_add(len);
    }
}
