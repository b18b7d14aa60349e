//! SHA-1 (RFC 3174), for `Sec-WebSocket-Accept` only (RFC 6455 §4.2.2), in little code.
//!
//! Its weaknesses do not matter there: the value proves that the server has read the key, and no
//! secret depends on it (§10.8).

/// Returns the digest of the slices, one after the other.
pub(super) fn sha1(slices: &[&[u8]]) -> [u8; 20] {
    let mut state = [
        0x6745_2301,
        0xefcd_ab89,
        0x98ba_dcfe,
        0x1032_5476,
        0xc3d2_e1f0,
    ];
    let (mut block, mut filled, mut bits) = ([0; 64], 0, 0_u64);
    for slice in slices {
        bits += slice.len() as u64 * 8;
        let mut rest = *slice;
        while let Some(place) = block.get_mut(filled..).filter(|_| !rest.is_empty()) {
            let (now, later) = rest.split_at(rest.len().min(place.len()));
            prefix_mut(place, now.len()).copy_from_slice(now);
            (filled, rest) = (filled + now.len(), later);
            if filled == block.len() {
                process(&mut state, &block);
                filled = 0;
            }
        }
    }
    if let Some([mark, zeros @ ..]) = block.get_mut(filled..) {
        *mark = 0x80;
        zeros.fill(0);
    }
    if filled >= 56 {
        process(&mut state, &block);
        block = [0; 64];
    }
    if let Some(place) = block.last_chunk_mut() {
        *place = bits.to_be_bytes();
    }
    process(&mut state, &block);
    let mut digest = [0; 20];
    for (place, word) in digest.chunks_exact_mut(4).zip(state) {
        place.copy_from_slice(&word.to_be_bytes());
    }
    digest
}

fn prefix_mut(bytes: &mut [u8], len: usize) -> &mut [u8] {
    bytes.get_mut(..len).unwrap_or_default()
}

fn process(state: &mut [u32; 5], block: &[u8; 64]) {
    let mut words = [0_u32; 80];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(4)) {
        if let Some(&bytes) = bytes.first_chunk() {
            *word = u32::from_be_bytes(bytes);
        }
    }
    for at in 16..words.len() {
        let word = |back: usize| words.get(at - back).copied().unwrap_or_default();
        let next = (word(3) ^ word(8) ^ word(14) ^ word(16)).rotate_left(1);
        if let Some(place) = words.get_mut(at) {
            *place = next;
        }
    }
    let before = *state;
    let (first, second) = words.split_at(40);
    let (choose, parity) = first.split_at(20);
    let (majority, last) = second.split_at(20);
    rounds(state, choose, 0x5a82_7999, |b, c, d| d ^ (b & (c ^ d)));
    rounds(state, parity, 0x6ed9_eba1, |b, c, d| b ^ c ^ d);
    rounds(state, majority, 0x8f1b_bcdc, |b, c, d| {
        (b & c) | (d & (b | c))
    });
    rounds(state, last, 0xca62_c1d6, |b, c, d| b ^ c ^ d);
    for (sum, word) in state.iter_mut().zip(before) {
        *sum = sum.wrapping_add(word);
    }
}

/// Computes 20 rounds, with their constant and their function.
#[inline(always)]
fn rounds(
    state: &mut [u32; 5],
    words: &[u32],
    constant: u32,
    function: impl Fn(u32, u32, u32) -> u32,
) {
    let [mut a, mut b, mut c, mut d, mut e] = *state;
    for &word in words {
        let next = a
            .rotate_left(5)
            .wrapping_add(function(b, c, d))
            .wrapping_add(e)
            .wrapping_add(constant)
            .wrapping_add(word);
        (e, d, c, b, a) = (d, c, b.rotate_left(30), a, next);
    }
    *state = [a, b, c, d, e];
}

#[cfg(test)]
mod tests {
    use super::sha1;
    use proptest::{collection::vec, prelude::*};
    use sha1_smol::Sha1;

    proptest! {
        #[test]
        fn a_digest_is_that_of_the_crate_sha1_smol(
            bytes in vec(any::<u8>(), 0..300), at: prop::sample::Index,
        ) {
            let (first, second) = bytes.split_at(at.index(bytes.len() + 1));
            prop_assert_eq!(sha1(&[first, second]), Sha1::from(&bytes).digest().bytes());
        }
    }

    /// RFC 3174 §7.3.
    #[test]
    fn the_digests_of_the_rfc() {
        let hex = |digest: [u8; 20]| digest.map(|byte| std::format!("{byte:02x}")).concat();
        for (text, times, digest) in [
            ("abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                1,
                "84983e441c3bd26ebaae4aa1f95129e5e54670f1",
            ),
            ("a", 1_000_000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"),
            (
                "0123456701234567012345670123456701234567012345670123456701234567",
                10,
                "dea356a2cddd90c7a7ecedc5ebb563934f460452",
            ),
        ] {
            assert_eq!(hex(sha1(&[text.repeat(times).as_bytes()])), digest);
        }
    }
}
