//! HTTP/1.1 syntax (RFC 9110, RFC 9112), as far as a handshake needs it. It does not know the
//! roles.

pub(super) mod body;
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

/// Appends a message, or nothing: the slices of its start line, its headers and its body.
pub(super) fn append<'s>(
    out: &mut (impl Output + ?Sized),
    start_line: &[&[u8]],
    headers: impl Iterator<Item = (&'s str, &'s [u8])> + Clone,
    body: &[u8],
) -> Result<(), WriteError> {
    let slices = start_line.iter().copied();
    check_room(out, slices.clone().chain([body]), headers.clone())?;
    slices.for_each(|slice| _ = out.append(slice));
    append_headers(out, headers);
    out.append(body);
    Ok(())
}

/// Checks that there is room for a message: these slices, its headers and the empty line.
pub(super) fn check_room<'b, 's>(
    out: &(impl Output + ?Sized),
    slices: impl Iterator<Item = &'b [u8]>,
    headers: impl Iterator<Item = (&'s str, &'s [u8])>,
) -> Result<(), WriteError> {
    const AROUND: usize = ": \r\n".len();

    // Several headers may have the same bytes, so on a 32-bit target the sum may exceed a `usize`.
    let needed = slices.fold(2_usize, |sum, slice| sum.saturating_add(slice.len()));
    let needed = headers.fold(needed, |sum, (name, value)| {
        sum.saturating_add(name.len())
            .saturating_add(value.len())
            .saturating_add(AROUND)
    });
    if out.room() < needed {
        return Err(WriteError::OutputFull { needed });
    }
    Ok(())
}

/// Appends headers, and the empty line that ends them.
pub(super) fn append_headers<'s>(
    out: &mut (impl Output + ?Sized),
    headers: impl Iterator<Item = (&'s str, &'s [u8])>,
) {
    headers.for_each(|(name, value)| {
        for slice in headers::line(name, value) {
            out.append(slice);
        }
    });
    out.append(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::{WriteError, append};
    use crate::SliceOutput;

    /// L2: on a 32-bit target, a sum that wraps would be mistaken for the room of a short message.
    #[test]
    fn l2_the_room_of_a_message_longer_than_the_address_space_is_not_short() {
        static VALUE: [u8; (1 << 20) - 5] = [b'x'; (1 << 20) - 5];
        let mut memory = [0; 100];
        let mut out = SliceOutput::new(&mut memory);
        let needed = usize::try_from((1_u64 << 32) + 2).unwrap_or(usize::MAX);
        let headers = core::iter::repeat_n(("X", &VALUE[..]), 1 << 12);
        assert_eq!(
            append(&mut out, &[], headers, b""),
            Err(WriteError::OutputFull { needed })
        );
        assert_eq!(out.as_bytes(), b"");
    }
}
