//! Counters of the traffic of a connection.

/// The frames that a connection sent, or whose headers it received.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Counters {
    /// The number of frames, including control frames.
    pub frames: u64,
    /// The sum of their payload lengths, in bytes, as their headers declare them.
    pub bytes: u64,
}

impl Counters {
    #[inline]
    pub(crate) const fn count(&mut self, len: u64) {
        self.frames += 1;
        self.bytes = self.bytes.wrapping_add(len);
    }
}
