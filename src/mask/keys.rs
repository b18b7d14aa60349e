//! A client's masking keys (RFC 6455 §5.3, §10.3): the ChaCha20 keystream (RFC 8439 §2.3) under a secret seed.
//!
//! The stream has a 64-bit block counter and a zero nonce, as its author defined it, so it does not end within a connection.

/// Words of a block.
type Row = [u32; 4];

/// An endless supply of keys that cannot be told from random without the seed.
pub(crate) struct Keys {
    seed: [Row; 2],
    /// The number of the next block.
    counter: u64,
    block: [[u8; 4]; 16],
    /// How many keys of `block` are used up.
    used: usize,
}

impl Keys {
    pub(crate) fn new(seed: [u8; 32]) -> Self {
        let mut rows = [[0; 4]; 2];
        for (word, bytes) in rows.as_flattened_mut().iter_mut().zip(seed.chunks_exact(4)) {
            if let Some(&bytes) = bytes.first_chunk() {
                *word = u32::from_le_bytes(bytes);
            }
        }
        Self { seed: rows, counter: 0, block: [[0; 4]; 16], used: 16 }
    }

    /// The next four bytes of the keystream.
    #[inline]
    pub(crate) fn next_key(&mut self) -> [u8; 4] {
        if self.used >= 16 {
            self.refill();
        }
        let key = self.block.get_mut(self.used).map(core::mem::take);
        self.used += 1;
        key.unwrap_or_default()
    }

    #[cold]
    #[inline(never)]
    fn refill(&mut self) {
        self.block = block(self.seed, self.counter);
        self.counter = self.counter.wrapping_add(1);
        self.used = 0;
    }
}

/// One block of the keystream. Rows are added, XORed and rotated as a whole, which compilers turn into vector instructions.
fn block(seed: [Row; 2], counter: u64) -> [[u8; 4]; 16] {
    /// "expand 32-byte k"
    const CONSTANTS: Row = [0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574];
    let [b0, c0] = seed;
    let d0 = [counter as u32, (counter >> 32) as u32, 0, 0];
    let [mut a, mut b, mut c, mut d] = [CONSTANTS, b0, c0, d0];
    for _ in 0..10 {
        round(&mut a, &mut b, &mut c, &mut d);
        // The diagonals become columns, and go back.
        b.rotate_left(1);
        c.rotate_left(2);
        d.rotate_left(3);
        round(&mut a, &mut b, &mut c, &mut d);
        b.rotate_right(1);
        c.rotate_right(2);
        d.rotate_right(3);
    }
    let mut keys = [[0; 4]; 16];
    let rows = [add(a, CONSTANTS), add(b, b0), add(c, c0), add(d, d0)];
    for (key, word) in keys.iter_mut().zip(rows.as_flattened()) {
        *key = word.to_le_bytes();
    }
    keys
}

/// Four quarter rounds side by side (RFC 8439 §2.1).
#[inline]
fn round(a: &mut Row, b: &mut Row, c: &mut Row, d: &mut Row) {
    *a = add(*a, *b);
    *d = xor_rotate::<16>(*d, *a);
    *c = add(*c, *d);
    *b = xor_rotate::<12>(*b, *c);
    *a = add(*a, *b);
    *d = xor_rotate::<8>(*d, *a);
    *c = add(*c, *d);
    *b = xor_rotate::<7>(*b, *c);
}

#[inline]
fn add([a, b, c, d]: Row, [e, f, g, h]: Row) -> Row {
    [a.wrapping_add(e), b.wrapping_add(f), c.wrapping_add(g), d.wrapping_add(h)]
}

#[inline]
fn xor_rotate<const BITS: u32>([a, b, c, d]: Row, [e, f, g, h]: Row) -> Row {
    [(a ^ e).rotate_left(BITS), (b ^ f).rotate_left(BITS), (c ^ g).rotate_left(BITS), (d ^ h).rotate_left(BITS)]
}

#[cfg(test)]
mod tests {
    use super::Keys;
    use rand_chacha::{ChaCha20Rng, rand_core::{RngCore, SeedableRng}};

    fn stream(seed: [u8; 32], len: usize) -> std::vec::Vec<u8> {
        let mut keys = Keys::new(seed);
        (0..len / 4).flat_map(|_| keys.next_key()).collect()
    }

    /// RFC 8439 appendix A.1, test vectors 1 to 3 where the nonce is zero.
    #[test]
    fn m1_mk5_the_keystream_is_that_of_the_published_vectors() {
        let zero = stream([0; 32], 128);
        assert_eq!(zero[..16], [0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90, 0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28]);
        assert_eq!(zero[64..80], [0x9f, 0x07, 0xe7, 0xbe, 0x55, 0x51, 0x38, 0x7a, 0x98, 0xba, 0x97, 0x7c, 0x73, 0x2d, 0x08, 0x0d]);
        let mut seed = [0; 32];
        seed[31] = 1;
        assert_eq!(stream(seed, 128)[64..72], [0x3a, 0xeb, 0x52, 0x24, 0xec, 0xf8, 0x49, 0x92]);
    }

    #[test]
    fn m1_mk5_the_keystream_is_that_of_rand_chacha() {
        for n in 0..64_u8 {
            let seed = core::array::from_fn(|i| n.wrapping_mul(31).wrapping_add(i as u8 * 7));
            let mut theirs = std::vec![0; 4096];
            ChaCha20Rng::from_seed(seed).fill_bytes(&mut theirs);
            assert_eq!(stream(seed, 4096), theirs);
        }
    }

    #[test]
    fn m1_a_key_is_forgotten_when_it_is_handed_out() {
        let mut keys = Keys::new([7; 32]);
        let key = keys.next_key();
        assert_ne!(key, [0; 4]);
        assert!(!keys.block.contains(&key));
    }
}
