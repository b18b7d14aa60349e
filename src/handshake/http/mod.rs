//! HTTP/1.1 syntax (RFC 9110, RFC 9112), as far as a handshake needs it. It does not know the
//! roles.

pub(super) mod head;
pub(super) mod headers;
pub(super) mod lists;
pub(super) mod names;

use super::{HandshakeError, WriteError};
use crate::Output;
use core::str;

/// The length of `HTTP/1.1`.
pub(super) const VERSION_LEN: usize = 8;

/// A byte that cannot continue an HTTP version.
pub(super) struct InvalidVersion;

/// Parses the next byte of an HTTP version (RFC 9112 §2.3), after the bytes `before`. Returns the
/// version with its last byte: `(1, 1)` for `HTTP/1.1`.
pub(super) fn next_of_version(before: &[u8], byte: u8) -> Result<Option<(u8, u8)>, InvalidVersion> {
    match (before, byte) {
        ([_, _, _, _, _], b'0'..=b'9') | ([_, _, _, _, _, _], b'.') => Ok(None),
        ([_, _, _, _, _, major @ b'0'..=b'9', _], b'0'..=b'9') => {
            Ok(Some((major - b'0', byte - b'0')))
        }
        _ if b"HTTP/".get(before.len()) == Some(&byte) => Ok(None),
        _ => Err(InvalidVersion),
    }
}

/// Returns an error if a header that must appear only once was `seen` before.
pub(super) fn once(seen: bool, name: &'static str) -> Result<(), HandshakeError> {
    if seen {
        Err(HandshakeError::DuplicateHeader(name))
    } else {
        Ok(())
    }
}

/// Converts text that was validated to be ASCII.
pub(super) fn ascii(text: &[u8]) -> &str {
    debug_assert!(text.is_ascii());
    str::from_utf8(text).unwrap_or_default()
}

/// Appends all `slices` of a message, or nothing.
pub(super) fn append<'s>(
    out: &mut (impl Output + ?Sized),
    slices: impl Iterator<Item = &'s [u8]> + Clone,
) -> Result<(), WriteError> {
    // Several headers may have the same bytes, so on a 32-bit target the sum may exceed a `usize`.
    let needed = slices
        .clone()
        .fold(0_usize, |sum, slice| sum.saturating_add(slice.len()));
    if out.room() < needed {
        return Err(WriteError::OutputFull { needed });
    }
    for slice in slices {
        out.append(slice);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{WriteError, append};
    use crate::SliceOutput;

    /// L2: on a 32-bit target, a sum that wraps would be mistaken for the room of a short message.
    #[test]
    fn l2_the_room_of_a_message_longer_than_the_address_space_is_not_short() {
        static SLICE: [u8; 1 << 20] = [b'x'; 1 << 20];
        let mut memory = [0; 100];
        let mut out = SliceOutput::new(&mut memory);
        let needed = usize::try_from((SLICE.len() as u64) << 12).unwrap_or(usize::MAX);
        assert_eq!(
            append(&mut out, core::iter::repeat_n(&SLICE[..], 1 << 12)),
            Err(WriteError::OutputFull { needed })
        );
        assert_eq!(out.as_bytes(), b"");
    }
}
