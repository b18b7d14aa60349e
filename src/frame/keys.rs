//! The masking keys of a client (RFC 6455 §5.3, §10.3): the ChaCha12 keystream of a secret seed
//! (RFC 8439 §2.3, with fewer rounds).
//!
//! The stream has a 64-bit block counter and a zero nonce, as in the original definition, so that
//! it does not end within a connection.

use super::MaskingKey;
use core::{fmt, mem};

/// Twelve, as in the generator that the `rand` crate recommends for secrets. The best known attack
/// breaks seven rounds, and more rounds would make each key more expensive.
const ROUNDS: usize = 12;

/// Four words of a block.
type Row = [u32; 4];

/// The masking keys of a client, one for each frame, for programs that use the codec without a
/// connection.
///
/// RFC 6455 §5.3 and §10.3 require a fresh key for every frame, which the author of the payload
/// cannot predict. The keys are a ChaCha12 keystream: without the seed, they are indistinguishable
/// from random ones. Draw a key when the payload can no longer change.
///
/// It is neither `Clone` nor `Default`, since a copy would reuse keys. `Debug` does not show the
/// seed.
///
/// ```
/// use ws_proto::frame::{Header, MaskingKeys, Opcode};
///
/// // The seed is from the system's random source.
/// let mut keys = MaskingKeys::new([7; 32]);
/// let mut payload = *b"Hello";
/// let key = keys.next_key();
/// let header = Header {
///     fin: true,
///     rsv: 0,
///     opcode: Opcode::TEXT,
///     mask: Some(key),
///     len: 5,
/// };
/// key.apply(&mut payload, 0);
/// // sock.write_vectored(&[&header.encode(), &payload])?;
/// # assert_ne!(key, keys.next_key());
/// ```
pub struct MaskingKeys {
    seed: [Row; 2],
    /// The number of the next block.
    counter: u64,
    block: [[u8; 4]; 16],
    /// The number of keys of `block` that were returned.
    used: usize,
}

impl MaskingKeys {
    /// Returns the keys that are derived from `seed`: 32 bytes of a cryptographically secure random
    /// source, which must be kept secret and used for one connection only.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        let mut rows = [[0; 4]; 2];
        for (word, bytes) in rows.as_flattened_mut().iter_mut().zip(seed.chunks_exact(4)) {
            if let Some(&bytes) = bytes.first_chunk() {
                *word = u32::from_le_bytes(bytes);
            }
        }
        Self {
            seed: rows,
            counter: 0,
            block: [[0; 4]; 16],
            used: 16,
        }
    }

    /// Returns the key of the next frame: four bytes of the keystream, which are forgotten.
    #[inline]
    #[must_use = "a key that is not used is lost"]
    pub fn next_key(&mut self) -> MaskingKey {
        if self.used >= 16 {
            self.refill();
        }
        let key = self.block.get_mut(self.used).map(mem::take);
        debug_assert!(key.is_some(), "the block was refilled");
        self.used += 1;
        MaskingKey(key.unwrap_or_default())
    }

    #[cold]
    #[inline(never)]
    fn refill(&mut self) {
        self.block = block(self.seed, self.counter);
        self.counter = self.counter.wrapping_add(1);
        self.used = 0;
    }
}

/// Does not show the secret.
impl fmt::Debug for MaskingKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaskingKeys { .. }")
    }
}

/// Computes one block of the keystream.
fn block(seed: [Row; 2], counter: u64) -> [[u8; 4]; 16] {
    /// "expand 32-byte k"
    const CONSTANTS: Row = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];
    let start = [
        CONSTANTS,
        seed[0],
        seed[1],
        [counter as u32, (counter >> 32) as u32, 0, 0],
    ];
    let [
        [mut a0, mut a1, mut a2, mut a3],
        [mut b0, mut b1, mut b2, mut b3],
        [mut c0, mut c1, mut c2, mut c3],
        [mut d0, mut d1, mut d2, mut d3],
    ] = start;
    for _ in 0..ROUNDS / 2 {
        [a0, b0, c0, d0] = quarter([a0, b0, c0, d0]);
        [a1, b1, c1, d1] = quarter([a1, b1, c1, d1]);
        [a2, b2, c2, d2] = quarter([a2, b2, c2, d2]);
        [a3, b3, c3, d3] = quarter([a3, b3, c3, d3]);

        [a0, b1, c2, d3] = quarter([a0, b1, c2, d3]);
        [a1, b2, c3, d0] = quarter([a1, b2, c3, d0]);
        [a2, b3, c0, d1] = quarter([a2, b3, c0, d1]);
        [a3, b0, c1, d2] = quarter([a3, b0, c1, d2]);
    }
    let end = [
        a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3,
    ];
    let mut keys = [[0; 4]; 16];
    for ((key, word), start) in keys.iter_mut().zip(end).zip(start.as_flattened()) {
        *key = word.wrapping_add(*start).to_le_bytes();
    }
    keys
}

/// Computes the quarter round (RFC 8439 §2.1).
#[inline]
const fn quarter([mut a, mut b, mut c, mut d]: [u32; 4]) -> [u32; 4] {
    a = a.wrapping_add(b);
    d = (d ^ a).rotate_left(16);
    c = c.wrapping_add(d);
    b = (b ^ c).rotate_left(12);
    a = a.wrapping_add(b);
    d = (d ^ a).rotate_left(8);
    c = c.wrapping_add(d);
    b = (b ^ c).rotate_left(7);
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::{MaskingKeys, block};
    use rand_chacha::{
        ChaCha12Rng,
        rand_core::{RngCore, SeedableRng},
    };

    fn stream(seed: [u8; 32], len: usize) -> std::vec::Vec<u8> {
        let mut keys = MaskingKeys::new(seed);
        (0..len / 4).flat_map(|_| keys.next_key().0).collect()
    }

    /// Test vector TC1 for 12 rounds and 256-bit keys of the draft "Test Vectors for the Stream
    /// Cipher ChaCha".
    #[test]
    fn m1_mk5_the_keystream_is_that_of_the_published_vectors() {
        const BLOCK: [u8; 64] = [
            0x9b, 0xf4, 0x9a, 0x6a, 0x07, 0x55, 0xf9, 0x53, 0x81, 0x1f, 0xce, 0x12, 0x5f, 0x26,
            0x83, 0xd5, //
            0x04, 0x29, 0xc3, 0xbb, 0x49, 0xe0, 0x74, 0x14, 0x7e, 0x00, 0x89, 0xa5, 0x2e, 0xae,
            0x15, 0x5f, //
            0x05, 0x64, 0xf8, 0x79, 0xd2, 0x7a, 0xe3, 0xc0, 0x2c, 0xe8, 0x28, 0x34, 0xac, 0xfa,
            0x8c, 0x79, //
            0x3a, 0x62, 0x9f, 0x2c, 0xa0, 0xde, 0x69, 0x19, 0x61, 0x0b, 0xe8, 0x2f, 0x41, 0x13,
            0x26, 0xbe, //
        ];
        assert_eq!(stream([0; 32], 64), BLOCK);
    }

    #[test]
    fn m1_mk5_the_keystream_is_that_of_rand_chacha() {
        for n in 0..64_u8 {
            let seed = core::array::from_fn(|i| n.wrapping_mul(31).wrapping_add(i as u8 * 7));
            let mut theirs = std::vec![0; 4096];
            ChaCha12Rng::from_seed(seed).fill_bytes(&mut theirs);
            assert_eq!(stream(seed, 4096), theirs);
        }
    }

    /// No connection gets that far: 256 GiB of keys.
    #[test]
    fn m1_mk5_blocks_have_numbers_of_64_bits() {
        let seed = [7; 32];
        for counter in [0, u64::from(u32::MAX), 1 << 32, (5 << 32) + 1, u64::MAX] {
            let mut theirs = ChaCha12Rng::from_seed(seed);
            theirs.set_word_pos(u128::from(counter) * 16);
            let mut expected = [0; 64];
            theirs.fill_bytes(&mut expected);
            assert_eq!(
                block(MaskingKeys::new(seed).seed, counter).as_flattened(),
                expected
            );
        }
    }

    /// The counter goes on there: the keys that `next_key` gives are those of the stream.
    #[test]
    fn m1_mk5_the_keystream_goes_on_beyond_32_bits_of_block_numbers() {
        let seed = [7; 32];
        for counter in [u64::from(u32::MAX) - 1, (1 << 40) - 1] {
            let mut keys = MaskingKeys {
                counter,
                ..MaskingKeys::new(seed)
            };
            let mut theirs = ChaCha12Rng::from_seed(seed);
            theirs.set_word_pos(u128::from(counter) * 16);
            for _ in 0..64 {
                assert_eq!(u32::from_le_bytes(keys.next_key().0), theirs.next_u32());
            }
        }
    }

    #[test]
    fn m1_a_key_is_forgotten_when_it_is_handed_out() {
        let mut keys = MaskingKeys::new([7; 32]);
        let key = keys.next_key().0;
        assert_ne!(key, [0; 4]);
        assert!(!keys.block.contains(&key));
    }
}
