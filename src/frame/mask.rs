//! Masking (RFC 6455 §5.3): XOR with a repeated key of four bytes.

#[cfg(feature = "alloc")]
use crate::buffer::{prefix, suffix};

/// The number of bytes that are unmasked, validated and copied at a time, so that they stay in the
/// cache.
pub(crate) const BLOCK_SIZE: usize = 4096;

/// The masking key of a frame (RFC 6455 §5.3), in the order of its bytes on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MaskingKey(pub [u8; 4]);

impl MaskingKey {
    /// Masks or unmasks `data`: the operation is its own inverse.
    ///
    /// `offset` is the position of `data` in the payload of the frame, in bytes, so that a payload
    /// can be masked in chunks:
    ///
    /// ```
    /// # use ws_proto::frame::MaskingKey;
    /// let key = MaskingKey([0x37, 0xfa, 0x21, 0x3d]);
    /// let mut hello = *b"Hello";
    /// let (first, second) = hello.split_at_mut(3);
    /// key.apply(first, 0);
    /// key.apply(second, 3);
    /// assert_eq!(hello, [0x7f, 0x9f, 0x4d, 0x51, 0x58]);
    /// ```
    #[inline]
    pub fn apply(self, data: &mut [u8], offset: u64) {
        let key = self.word(offset);
        // The last word is computed before the others are written, and written after them: where
        // they overlap both are equal, and the tail is not handled byte by byte.
        if let Some(&last) = data.last_chunk() {
            let end = offset.wrapping_add(data.len() as u64);
            let last = u64::from_le_bytes(last) ^ twice(self.word(end));
            let key = twice(key);
            if data.len() < LONG {
                xor_words(data, key);
            } else {
                xor_long(data, key);
            }
            if let Some(place) = data.last_chunk_mut() {
                *place = last.to_le_bytes();
            }
        } else if let (Some(&first), Some(&last)) = (data.first_chunk(), data.last_chunk()) {
            let end = offset.wrapping_add(data.len() as u64);
            let first = u32::from_le_bytes(first) ^ key;
            let last = u32::from_le_bytes(last) ^ self.word(end);
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

    /// Masks `from` into `to`, which has the same length, in one pass.
    #[cfg(feature = "alloc")]
    pub(crate) fn apply_into(self, from: &[u8], to: &mut [u8]) {
        let copy = |key: Self, from: &[u8], to: &mut [u8]| {
            to.copy_from_slice(from);
            key.apply(to, 0);
        };
        if from.len() < WIDE {
            return copy(self, from, to);
        }
        let start_len = unaligned_len(to.as_ptr());
        let (start, to) = to.split_at_mut(start_len);
        copy(self, prefix(from, start_len), start);
        let (key, from) = (self.rotated(start_len as u64), suffix(from, start_len));
        let words_len = from.len() / 8 * 8;
        let (words, end) = to.split_at_mut(words_len);
        vectorize(CopyWords {
            from: prefix(from, words_len),
            to: words,
            key: twice(key.word(0)),
        });
        copy(key, suffix(from, words_len), end);
    }

    /// Masks a block whose offset is a multiple of four, and whose length is a multiple of eight.
    /// The length is a constant, so that the loop is unrolled.
    #[inline(always)]
    pub(crate) fn apply_to_block<const N: usize>(self, block: &mut [u8; N]) {
        const { assert!(N % 8 == 0) };
        xor_words(block, twice(self.word(0)));
    }

    /// Returns the key rotated for the rest of the payload, which begins at `offset`.
    #[inline]
    pub(crate) const fn rotated(self, offset: u64) -> Self {
        Self(self.word(offset).to_le_bytes())
    }

    /// Returns the rotated key as a little-endian word.
    #[inline]
    const fn word(self, offset: u64) -> u32 {
        u32::from_le_bytes(self.0).rotate_right(offset as u32 % 4 * 8)
    }
}

/// The length from which data is masked in a function of its own: there the loop is vectorized,
/// whatever it would be inlined into.
const LONG: usize = 64;

/// The length from which the widest vectors of the processor make up for asking which it has.
pub(crate) const WIDE: usize = 512;

/// The length from which aligned vectors make up for the start that is not aligned.
const ALIGNED: usize = 2048;

#[inline(never)]
fn xor_long(data: &mut [u8], key: u64) {
    if data.len() < WIDE {
        xor_words(data, key);
    } else {
        xor_wide(data, key);
    }
}

#[inline(never)]
fn xor_wide(mut data: &mut [u8], mut key: u64) {
    if data.len() >= ALIGNED {
        let (start, rest) = data.split_at_mut(unaligned_len(data.as_ptr()));
        let short = MaskingKey((key as u32).to_le_bytes());
        short.apply(start, 0);
        key = twice(short.word(start.len() as u64));
        data = rest;
    }
    vectorize(XorWords { data, key });
}

/// Returns the number of bytes from `address` to the next one that is aligned for the widest
/// vectors: a vector that crosses a cache line costs two accesses.
#[inline]
pub(crate) fn unaligned_len(address: *const u8) -> usize {
    address.addr().wrapping_neg() % 32
}

/// Work that is compiled once for each kind of processor, with the feature `simd`.
pub(crate) trait Vectorize {
    /// Does the work. It must be `#[inline(always)]`.
    fn run(self);
}

/// Does work with the widest vectors of the processor, with the feature `simd`.
#[inline(always)]
pub(crate) fn vectorize(work: impl Vectorize) {
    #[cfg(feature = "simd")]
    {
        struct Dispatch<W>(W);

        impl<W: Vectorize> pulp::NullaryFnOnce for Dispatch<W> {
            type Output = ();

            #[inline(always)]
            fn call(self) {
                self.0.run();
            }
        }

        pulp::Arch::new().dispatch(Dispatch(work));
    }
    #[cfg(not(feature = "simd"))]
    work.run();
}

/// The work of [`xor_words`].
struct XorWords<'a> {
    data: &'a mut [u8],
    key: u64,
}

impl Vectorize for XorWords<'_> {
    #[inline(always)]
    fn run(self) {
        xor_words(self.data, self.key);
    }
}

/// Masks the words of a slice into another.
#[cfg(feature = "alloc")]
struct CopyWords<'a> {
    from: &'a [u8],
    to: &'a mut [u8],
    key: u64,
}

#[cfg(feature = "alloc")]
impl Vectorize for CopyWords<'_> {
    #[inline(always)]
    fn run(self) {
        let to = self.to.chunks_exact_mut(8);
        for (from, to) in self.from.chunks_exact(8).zip(to) {
            if let (Some(&from), Some(to)) = (from.first_chunk(), to.first_chunk_mut()) {
                *to = (u64::from_le_bytes(from) ^ self.key).to_le_bytes();
            }
        }
    }
}

/// Masks all complete words.
#[inline(always)]
fn xor_words(data: &mut [u8], key: u64) {
    for word in data
        .chunks_exact_mut(8)
        .filter_map(|word| word.first_chunk_mut())
    {
        *word = (u64::from_le_bytes(*word) ^ key).to_le_bytes();
    }
}

/// Repeats a word.
#[inline]
const fn twice(word: u32) -> u64 {
    word as u64 | (word as u64) << 32
}
