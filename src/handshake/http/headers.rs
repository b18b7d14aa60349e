//! Header sections: their grammar, reading and writing them (RFC 9110 §5).

use super::{ascii, lists, names};
use crate::buffer::{prefix, suffix};
use crate::handshake::{HandshakeError, WriteError};
#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::fmt;
use memchr::memchr;

/// The headers of a request or of a response (RFC 9110 §5), in the order received.
///
/// Names are compared without regard to ASCII case. Values are bytes, since HTTP does not define
/// their encoding; they have no whitespace around them, and no control characters but tabs.
#[derive(Clone, Copy)]
pub struct Headers<'a>(Iter<'a>);

impl<'a> Headers<'a> {
    /// Returns the headers of a head that was parsed.
    pub(in crate::handshake) fn in_head(head: &'a [u8]) -> Self {
        let start_line_len = memchr(b'\n', head).map_or(head.len(), |lf| lf + 1);
        Self(Iter::Lines(suffix(head, start_line_len)))
    }

    /// Returns the headers of lines that were written.
    #[cfg(feature = "alloc")]
    pub(in crate::handshake) const fn in_lines(lines: &'a [u8]) -> Self {
        Self(Iter::Lines(lines))
    }

    /// Returns headers that another library parsed, after passing each to `check`.
    pub(in crate::handshake) fn from_pairs(
        pairs: &'a [(&'a str, &'a [u8])],
        mut check: impl FnMut(&[u8], &[u8]) -> Result<(), HandshakeError>,
    ) -> Result<Self, HandshakeError> {
        for &(name, value) in pairs {
            if !lists::is_token(name.as_bytes()) {
                return Err(HandshakeError::InvalidHeaderName);
            }
            if !is_header_value(value) {
                return Err(HandshakeError::InvalidHeaderValue);
            }
            check(name.as_bytes(), lists::trim(value))?;
        }
        Ok(Self(Iter::Pairs(pairs)))
    }

    /// Returns all headers, as pairs of name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + Clone + use<'a> {
        self.0.map(|(name, value)| (ascii(name), value))
    }

    /// Returns the value of the first header with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.get_all(name).next()
    }

    /// Returns the values of all headers with this name.
    pub fn get_all<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.0
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }
}

/// Shows the names only: values may be secrets, such as cookies.
impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Names(self.iter()).fmt(f)
    }
}

#[derive(Clone, Copy)]
enum Iter<'a> {
    /// The lines of a head that was parsed, up to and including the empty line.
    Lines(&'a [u8]),
    /// Headers that another library parsed.
    Pairs(&'a [(&'a str, &'a [u8])]),
}

impl<'a> Iterator for Iter<'a> {
    /// A name, and a value.
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Lines(lines) => {
                let (line, rest) = lines.split_at_checked(memchr(b'\n', lines)? + 1)?;
                *lines = rest;
                // The empty line has no colon.
                split_line(line.strip_suffix(b"\r\n")?)
            }
            Self::Pairs(pairs) => {
                let (&(name, value), rest) = pairs.split_first()?;
                *pairs = rest;
                Some((name.as_bytes(), lists::trim(value)))
            }
        }
    }
}

/// Splits a header line at its colon. The line is without its CRLF, and its syntax was checked.
pub(super) fn split_line(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, value) = line.split_at_checked(memchr(b':', line)?)?;
    Some((name, lists::trim(value.strip_prefix(b":")?)))
}

/// Returns whether the bytes are a valid header value or reason phrase (RFC 9110 §5.5): any but
/// control characters.
pub(in crate::handshake) fn is_header_value(value: &[u8]) -> bool {
    // Without an early exit, so that compilers vectorise it.
    !value.iter().fold(false, |control, &byte| {
        control | !is_header_value_char(byte)
    })
}

/// Returns the number of bytes at the front of `text` that continue a header value.
pub(in crate::handshake) fn value_len(text: &[u8]) -> usize {
    let line = memchr(b'\r', text).map_or(text, |cr| prefix(text, cr));
    if is_header_value(line) {
        line.len()
    } else {
        line.iter()
            .take_while(|&&byte| is_header_value_char(byte))
            .count()
    }
}

pub(in crate::handshake) const fn is_header_value_char(byte: u8) -> bool {
    (byte >= b' ' || byte == b'\t') && byte != 0x7f
}

/// Shows only the names of headers to send.
pub(in crate::handshake) struct Names<I>(pub(in crate::handshake) I);

impl<'a, I: Iterator<Item = (&'a str, &'a [u8])> + Clone> fmt::Debug for Names<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.clone().map(|(name, _)| name))
            .finish()
    }
}

/// Checks the headers that the caller adds to a message.
pub(in crate::handshake) fn check(headers: &[(&str, &[u8])]) -> Result<(), WriteError> {
    const PREFIX: &[u8] = b"Sec-WebSocket-";

    for (name, value) in headers {
        if !lists::is_token(name.as_bytes()) {
            return Err(WriteError::InvalidHeaderName);
        }
        let has_prefix = name
            .as_bytes()
            .get(..PREFIX.len())
            .is_some_and(|prefix| prefix.eq_ignore_ascii_case(PREFIX));
        if has_prefix || names::known(name.as_bytes()).is_some() {
            return Err(WriteError::ReservedHeader);
        }
        if !is_header_value(value) {
            return Err(WriteError::InvalidHeaderValue);
        }
    }
    Ok(())
}

/// Returns the lines of headers to send.
#[cfg(feature = "alloc")]
pub(in crate::handshake) fn to_lines(headers: &[(&str, &[u8])]) -> Vec<u8> {
    let mut text = Vec::new();
    for &(name, value) in headers {
        for slice in line(name, value) {
            text.extend_from_slice(slice);
        }
    }
    text
}

/// Returns the slices of the line of a header to send.
pub(super) const fn line<'a>(name: &'a str, value: &'a [u8]) -> [&'a [u8]; 4] {
    [name.as_bytes(), b": ", value, b"\r\n"]
}
