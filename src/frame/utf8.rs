//! Validation of UTF-8 in chunks (RFC 6455 §5.6, §8.1): a message may be split inside a character.
//!
//! A chunk is validated by `core`, or by `simdutf8` with that feature.

use crate::buffer::{InlineBytes, prefix, suffix};
use core::{error, fmt, mem, str};

/// Validates text that arrives in chunks. It keeps at most the first three bytes of a character.
///
/// ```
/// use ws_proto::frame::Utf8Validator;
///
/// let mut validator = Utf8Validator::new();
/// assert_eq!(validator.feed(b"caf\xc3")?, (None, "caf"));
/// assert_eq!(validator.feed(b"\xa9!")?, (Some('é'), "!"));
/// validator.finish()?;
/// # Ok::<(), ws_proto::frame::InvalidUtf8>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Utf8Validator {
    /// The incomplete character at the end of the text so far.
    incomplete: InlineBytes<4>,
}

/// Text is not valid UTF-8 (RFC 6455 §8.1).
///
/// It converts into a [`ProtocolError`](crate::ProtocolError) and a
/// [`SendError`](crate::SendError), and with the feature `std` into a `std::io::Error` of kind
/// `InvalidData`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InvalidUtf8;

impl fmt::Display for InvalidUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid UTF-8")
    }
}

impl error::Error for InvalidUtf8 {}

impl Default for Utf8Validator {
    fn default() -> Self {
        Self::new()
    }
}

impl Utf8Validator {
    /// Creates a validator at the start of a text.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            incomplete: InlineBytes::new(),
        }
    }

    /// Validates the next chunk. Returns the character that the previous chunk left incomplete, if
    /// this chunk completes it, and the text of the chunk up to a character that its end splits.
    ///
    /// # Errors
    ///
    /// [`InvalidUtf8`] at the first byte that valid text cannot contain at this position, even if
    /// the character is incomplete. The validator is then at the start of another text.
    #[inline]
    pub fn feed<'a>(&mut self, chunk: &'a [u8]) -> Result<(Option<char>, &'a str), InvalidUtf8> {
        let (completed, rest) = if self.incomplete.is_empty() {
            (None, chunk)
        } else {
            self.complete(chunk)?
        };
        let complete_len = rest.len() - incomplete_len(rest);
        let text = from_utf8(prefix(rest, complete_len))?;
        for &byte in suffix(rest, complete_len) {
            self.push(byte)?;
        }
        Ok((completed, text))
    }

    /// Ends the text, and resets the validator.
    ///
    /// # Errors
    ///
    /// [`InvalidUtf8`] if the text ends inside a character.
    #[inline]
    pub fn finish(&mut self) -> Result<(), InvalidUtf8> {
        if mem::take(self).incomplete.is_empty() {
            Ok(())
        } else {
            Err(InvalidUtf8)
        }
    }

    /// Returns whether the text so far ends between two characters.
    #[cfg(feature = "alloc")]
    #[inline]
    pub(crate) const fn is_between(&self) -> bool {
        self.incomplete.is_empty()
    }

    /// Returns the number of bytes of `chunk` before the one at which [`feed`](Self::feed) fails.
    #[cold]
    pub(crate) fn valid_up_to(mut self, chunk: &[u8]) -> usize {
        chunk
            .iter()
            .take_while(|&&byte| self.push(byte).is_ok())
            .count()
    }

    /// Completes the incomplete character from the start of `chunk`, and returns the rest.
    #[cold]
    fn complete<'a>(
        &mut self,
        mut chunk: &'a [u8],
    ) -> Result<(Option<char>, &'a [u8]), InvalidUtf8> {
        while let Some((&byte, rest)) = chunk.split_first() {
            chunk = rest;
            let completed = self.push(byte)?;
            if completed.is_some() {
                return Ok((completed, chunk));
            }
        }
        Ok((None, chunk))
    }

    /// Consumes one byte, and returns the character that it completes.
    fn push(&mut self, byte: u8) -> Result<Option<char>, InvalidUtf8> {
        self.incomplete.push([byte]);
        match str::from_utf8(&self.incomplete) {
            Ok(character) => {
                let character = character.chars().next();
                *self = Self::new();
                Ok(character)
            }
            Err(error) if error.error_len().is_none() => Ok(None),
            Err(_) => {
                *self = Self::new();
                Err(InvalidUtf8)
            }
        }
    }
}

/// Does not show the text.
impl fmt::Debug for Utf8Validator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Utf8Validator")
            .field("len", &self.incomplete.len())
            .finish_non_exhaustive()
    }
}

/// Validates a complete text.
#[inline]
pub(crate) fn from_utf8(bytes: &[u8]) -> Result<&str, InvalidUtf8> {
    #[cfg(feature = "simdutf8")]
    let text = simdutf8::basic::from_utf8(bytes);
    #[cfg(not(feature = "simdutf8"))]
    let text = str::from_utf8(bytes);
    text.map_err(|_| InvalidUtf8)
}

/// Returns the number of bytes at the end of `bytes` that start a character without completing it.
#[inline]
fn incomplete_len(bytes: &[u8]) -> usize {
    for (at, &byte) in bytes.iter().rev().take(3).enumerate() {
        let width = match byte {
            0x80..0xc0 => continue,
            0xc0..0xe0 => 2,
            0xe0..0xf0 => 3,
            0xf0.. => 4,
            _ => 1,
        };
        return if width > at + 1 { at + 1 } else { 0 };
    }
    0
}
