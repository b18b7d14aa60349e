//! Masking (RFC 6455 §5.3): XOR with a repeated key of four bytes.
//!
//! Knows nothing of frames. Where a client's keys come from is in [`keys`].

pub(crate) mod keys;

/// A frame's masking key (RFC 6455 §5.3), in the order of its bytes on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mask(pub [u8; 4]);

impl Mask {
    /// Masks `data`, or unmasks it: the operation is its own inverse.
    ///
    /// `offset` is where in the frame's payload `data` begins, in bytes, so that a payload can be masked piece by piece:
    ///
    /// ```
    /// # use ws_proto::Mask;
    /// let mask = Mask([0x37, 0xfa, 0x21, 0x3d]);
    /// let mut hello = *b"Hello";
    /// let (head, tail) = hello.split_at_mut(3);
    /// mask.apply(head, 0);
    /// mask.apply(tail, 3);
    /// assert_eq!(hello, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    /// ```
    #[inline]
    pub fn apply(self, data: &mut [u8], offset: u64) {
        let key = self.at(offset).0;
        let key32 = u32::from_ne_bytes(key);
        // Of a tail shorter than a word, the whole last word is computed before anything is written, and written last: it
        // overlaps what the loop wrote with the same values, and no byte is treated alone.
        if let Some(&last) = data.last_chunk::<8>() {
            let [a, b, c, d] = key;
            let key64 = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
            let last = u64::from_ne_bytes(last) ^ rotated(key, data.len() % 4);
            for word in data.chunks_exact_mut(8) {
                if let Some(word) = word.first_chunk_mut::<8>() {
                    *word = (u64::from_ne_bytes(*word) ^ key64).to_ne_bytes();
                }
            }
            if let Some(place) = data.last_chunk_mut::<8>() {
                *place = last.to_ne_bytes();
            }
        } else if let (Some(&first), Some(&last)) = (data.first_chunk::<4>(), data.last_chunk::<4>()) {
            let last = u32::from_ne_bytes(last) ^ rotated(key, data.len() % 4) as u32;
            if let Some(place) = data.first_chunk_mut::<4>() {
                *place = (u32::from_ne_bytes(first) ^ key32).to_ne_bytes();
            }
            if let Some(place) = data.last_chunk_mut::<4>() {
                *place = last.to_ne_bytes();
            }
        } else {
            for (byte, key) in data.iter_mut().zip(key) {
                *byte ^= key;
            }
        }
    }

    /// The key as it applies to the payload from `offset` on.
    #[inline]
    pub(crate) const fn at(self, offset: u64) -> Self {
        let [a, b, c, d] = self.0;
        Self(match offset % 4 {
            0 => [a, b, c, d],
            1 => [b, c, d, a],
            2 => [c, d, a, b],
            _ => [d, a, b, c],
        })
    }
}

/// Two rounds of the key, begun at its byte `by`.
#[inline]
const fn rotated(key: [u8; 4], by: usize) -> u64 {
    let [a, b, c, d] = Mask(key).at(by as u64).0;
    u64::from_ne_bytes([a, b, c, d, a, b, c, d])
}
