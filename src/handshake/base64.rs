//! Base64 (RFC 4648 §4), as far as keys need it: in few instructions and little code.

/// The digits of the values 0 to 63.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Encodes bytes, of which `LEN` must be the encoded length.
pub(super) fn encode<const LEN: usize>(bytes: &[u8]) -> [u8; LEN] {
    debug_assert_eq!(LEN, bytes.len().div_ceil(3) * 4);
    let mut text = [b'='; LEN];
    for (place, group) in text.chunks_exact_mut(4).zip(bytes.chunks(3)) {
        let byte = |index| group.get(index).copied().map_or(0, u32::from);
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        // The digits that have a bit of the group; padding follows.
        for (index, digit) in (0..=group.len()).zip(place) {
            let value = bits >> (18 - 6 * index) & 63;
            *digit = DIGITS.get(value as usize).copied().unwrap_or_default();
        }
    }
    text
}

/// Returns whether the byte is a digit.
pub(super) const fn is_digit(byte: u8) -> bool {
    matches!(byte, b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'+' | b'/')
}

#[cfg(test)]
mod tests {
    use super::{encode, is_digit};
    use base64::{Engine, engine::general_purpose::STANDARD};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn bytes_are_encoded_as_by_the_crate_base64(nonce: [u8; 16], digest: [u8; 20]) {
            let (nonce, encoded) = (STANDARD.encode(nonce), encode::<24>(&nonce));
            prop_assert_eq!(&encoded[..], nonce.as_bytes());
            let (digest, encoded) = (STANDARD.encode(digest), encode::<28>(&digest));
            prop_assert_eq!(&encoded[..], digest.as_bytes());
        }
    }

    #[test]
    fn the_digits_are_those_of_the_crate_base64() {
        for byte in 0..=u8::MAX {
            let digits = [byte; 4];
            assert_eq!(is_digit(byte), STANDARD.decode(digits).is_ok(), "{byte}");
        }
    }
}
