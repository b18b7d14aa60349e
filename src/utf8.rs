//! UTF-8 in pieces (RFC 6455 §5.6, §8.1): a message's text may be cut anywhere, also inside a
//! character.
//!
//! Knows nothing of frames. The validation of a piece is `core`'s, or with the feature `simdutf8`
//! that crate's.

use crate::error::ProtocolError;
use core::{fmt, str};

/// A validator of text that arrives in pieces. It keeps at most the three bytes of a character that
/// a cut has split.
///
/// ```
/// use ws_proto::frame::Utf8Validator;
///
/// let mut utf8 = Utf8Validator::new();
/// assert_eq!(utf8.feed(b"caf\xc3")?, (None, "caf"));
/// assert_eq!(utf8.feed(b"\xa9!")?, (Some('é'), "!"));
/// utf8.finish()?;
/// # Ok::<(), ws_proto::ProtocolError>(())
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Utf8Validator {
    split: [u8; 4],
    len: u8,
}

impl Utf8Validator {
    /// A validator at the beginning of a text.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            split: [0; 4],
            len: 0,
        }
    }

    /// Validates the next piece. What comes back is the character that the cut before it had split,
    /// if it is whole now, and the text of the piece up to a character that is split by its
    /// end.
    ///
    /// # Errors
    ///
    /// [`ProtocolError::InvalidUtf8`] at the first byte that no valid text can have there, even if
    /// the character is not whole yet.
    #[inline]
    pub fn feed<'a>(&mut self, piece: &'a [u8]) -> Result<(Option<char>, &'a str), ProtocolError> {
        let (whole, rest) = if self.len == 0 {
            (None, piece)
        } else {
            self.complete(piece)?
        };
        let (text, split) = rest
            .split_at_checked(rest.len() - split_at_end(rest))
            .unwrap_or_default();
        let text = text_of(text)?;
        for &byte in split {
            self.push(byte)?;
        }
        Ok((whole, text))
    }

    /// Ends the text.
    ///
    /// # Errors
    ///
    /// [`ProtocolError::InvalidUtf8`] if it ends inside a character.
    #[inline]
    pub fn finish(&mut self) -> Result<(), ProtocolError> {
        if core::mem::take(self).len == 0 {
            Ok(())
        } else {
            Err(ProtocolError::InvalidUtf8)
        }
    }

    /// How many bytes of `piece` valid text can begin with: where [`feed`](Self::feed) would fail.
    #[cold]
    pub(crate) fn valid_up_to(mut self, piece: &[u8]) -> usize {
        piece
            .iter()
            .take_while(|&&byte| self.push(byte).is_ok())
            .count()
    }

    /// Takes what the split character lacks from the front of `piece`.
    #[cold]
    fn complete<'a>(
        &mut self,
        mut piece: &'a [u8],
    ) -> Result<(Option<char>, &'a [u8]), ProtocolError> {
        while let Some((&byte, rest)) = piece.split_first() {
            piece = rest;
            let whole = self.push(byte)?;
            if whole.is_some() {
                return Ok((whole, piece));
            }
        }
        Ok((None, piece))
    }

    /// Takes one byte, and gives the character that it completes.
    fn push(&mut self, byte: u8) -> Result<Option<char>, ProtocolError> {
        if let Some(place) = self.split.get_mut(usize::from(self.len)) {
            *place = byte;
            self.len += 1;
        }
        match str::from_utf8(self.split.get(..self.len.into()).unwrap_or_default()) {
            Ok(character) => {
                let character = character.chars().next();
                *self = Self::new();
                Ok(character)
            }
            Err(error) if error.error_len().is_none() => Ok(None),
            Err(_) => Err(ProtocolError::InvalidUtf8),
        }
    }
}

/// Shows no byte of the text.
impl fmt::Debug for Utf8Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Utf8Validator")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

/// `bytes` as text.
#[inline]
pub(crate) fn text_of(bytes: &[u8]) -> Result<&str, ProtocolError> {
    #[cfg(feature = "simdutf8")]
    let text = simdutf8::basic::from_utf8(bytes);
    #[cfg(not(feature = "simdutf8"))]
    let text = str::from_utf8(bytes);
    text.map_err(|_| ProtocolError::InvalidUtf8)
}

/// How many bytes at the end of `bytes` begin a character that is not whole.
#[inline]
fn split_at_end(bytes: &[u8]) -> usize {
    for (behind, &byte) in bytes.iter().rev().take(3).enumerate() {
        let width = match byte {
            0x80..0xc0 => continue,
            0xc0..0xe0 => 2,
            0xe0..0xf0 => 3,
            0xf0.. => 4,
            _ => 1,
        };
        return if width > behind + 1 { behind + 1 } else { 0 };
    }
    0
}
