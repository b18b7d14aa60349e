//! Masking (RFC 6455 §5.3): XOR with a repeated key of four bytes.
//!
//! Knows nothing of frames. Where a client's keys come from is in [`keys`].

pub(crate) mod keys;

/// Payloads are unmasked, validated and copied in blocks of this many bytes, so that each block is
/// still in the cache.
pub(crate) const BLOCK: usize = 4096;

/// A frame's masking key (RFC 6455 §5.3), in the order of its bytes on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MaskingKey(pub [u8; 4]);

impl MaskingKey {
    /// Masks `data`, or unmasks it: the operation is its own inverse.
    ///
    /// `offset` is where in the frame's payload `data` begins, in bytes, so that a payload can be
    /// masked piece by piece:
    ///
    /// ```
    /// # use ws_proto::frame::MaskingKey;
    /// let mask = MaskingKey([0x37, 0xfa, 0x21, 0x3d]);
    /// let mut hello = *b"Hello";
    /// let (head, tail) = hello.split_at_mut(3);
    /// mask.apply(head, 0);
    /// mask.apply(tail, 3);
    /// assert_eq!(hello, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    /// ```
    #[inline]
    pub fn apply(self, data: &mut [u8], offset: u64) {
        let key = self.word(offset);
        // The last word is computed before the others are written, and written after them: where
        // they overlap both hold the same, and no byte of the tail is treated alone.
        if let Some(&last) = data.last_chunk() {
            let last =
                u64::from_le_bytes(last) ^ twice(self.word(offset.wrapping_add(data.len() as u64)));
            let key = twice(key);
            for word in data
                .chunks_exact_mut(8)
                .filter_map(|word| word.first_chunk_mut())
            {
                *word = (u64::from_le_bytes(*word) ^ key).to_le_bytes();
            }
            if let Some(place) = data.last_chunk_mut() {
                *place = last.to_le_bytes();
            }
        } else if let (Some(&first), Some(&last)) = (data.first_chunk(), data.last_chunk()) {
            let first = u32::from_le_bytes(first) ^ key;
            let last = u32::from_le_bytes(last) ^ self.word(offset.wrapping_add(data.len() as u64));
            if let Some(place) = data.first_chunk_mut() {
                *place = first.to_le_bytes();
            }
            if let Some(place) = data.last_chunk_mut() {
                *place = last.to_le_bytes();
            }
        } else {
            for (byte, key) in data.iter_mut().zip(key.to_le_bytes()) {
                *byte ^= key;
            }
        }
    }

    /// The key as it applies to the payload from `offset` on.
    #[inline]
    pub(crate) const fn at(self, offset: u64) -> Self {
        Self(self.word(offset).to_le_bytes())
    }

    /// The same as a little-endian word.
    #[inline]
    const fn word(self, offset: u64) -> u32 {
        u32::from_le_bytes(self.0).rotate_right(offset as u32 % 4 * 8)
    }
}

/// The word two times over.
#[inline]
const fn twice(word: u32) -> u64 {
    word as u64 | (word as u64) << 32
}
