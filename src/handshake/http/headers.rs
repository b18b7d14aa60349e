//! Header sections: their grammar, reading and writing them (RFC 9110 §5).

use super::{ascii, lists, names};
use crate::buffer::{prefix, suffix};
use crate::handshake::{HandshakeError, WriteError};
#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::{fmt, slice};
use memchr::memchr;

/// The headers of a request or of a response (RFC 9110 §5), in the order received.
///
/// Names are compared without regard to ASCII case. Values are bytes, since HTTP does not define
/// their encoding; they have no whitespace around them, and no control characters but tabs.
#[derive(Clone, Copy)]
pub struct Headers<'a>(Source<'a>);

#[derive(Clone, Copy)]
enum Source<'a> {
    /// The lines of a head that was parsed, up to and including the empty line.
    Lines(&'a [u8]),
    /// Headers that another library parsed.
    Pairs(&'a [(&'a str, &'a [u8])]),
    #[cfg(feature = "http")]
    Map(&'a ::http::HeaderMap),
}

impl<'a> Headers<'a> {
    /// Returns the headers of a head that was parsed.
    pub(in crate::handshake) fn in_head(head: &'a [u8]) -> Self {
        let start_line_len = memchr(b'\n', head).map_or(head.len(), |lf| lf + 1);
        Self(Source::Lines(suffix(head, start_line_len)))
    }

    /// Returns headers that another library parsed. They are still to be [checked](Self::check).
    pub(in crate::handshake) const fn in_pairs(pairs: &'a [(&'a str, &'a [u8])]) -> Self {
        Self(Source::Pairs(pairs))
    }

    #[cfg(feature = "http")]
    pub(in crate::handshake) const fn in_map(map: &'a ::http::HeaderMap) -> Self {
        Self(Source::Map(map))
    }

    /// Checks headers that another library parsed, and passes each to `check`.
    pub(in crate::handshake) fn check(
        &self,
        mut check: impl FnMut(&[u8], &[u8]) -> Result<(), HandshakeError>,
    ) -> Result<(), HandshakeError> {
        self.pairs().try_for_each(|(name, value)| {
            if !lists::is_token(name) {
                return Err(HandshakeError::InvalidHeaderName);
            }
            if !is_header_value(value) {
                return Err(HandshakeError::InvalidHeaderValue);
            }
            check(name, value)
        })
    }

    fn pairs(&self) -> Iter<'a> {
        match self.0 {
            Source::Lines(lines) => Iter::Lines(Lines(lines)),
            Source::Pairs(pairs) => Iter::Pairs(pairs.iter()),
            #[cfg(feature = "http")]
            Source::Map(map) => Iter::Map(map.iter()),
        }
    }

    /// Returns all headers, as pairs of name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        self.pairs().map(|(name, value)| (ascii(name), value))
    }

    /// Returns the value of the first header with this name.
    ///
    /// ```
    /// # use ws_proto::handshake::{HandshakeError, Request};
    /// # let headers: [(&str, &[u8]); 6] = [
    /// #     ("host", b"example.com"),
    /// #     ("upgrade", b"websocket"),
    /// #     ("connection", b"upgrade"),
    /// #     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    /// #     ("sec-websocket-version", b"13"),
    /// #     ("user-agent", b"device/1.0"),
    /// # ];
    /// # let request = Request::from_headers("GET", "/", (1, 1), &headers)?;
    /// let agent = request.headers().get("User-Agent");
    /// assert_eq!(agent, Some(&b"device/1.0"[..]));
    /// # Ok::<(), HandshakeError>(())
    /// ```
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.get_all(name).next()
    }

    /// Returns the values of all headers with this name.
    pub fn get_all<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.pairs()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| value)
    }
}

/// Shows the names only: values may be secrets, such as cookies.
impl fmt::Debug for Headers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}

enum Iter<'a> {
    Lines(Lines<'a>),
    Pairs(slice::Iter<'a, (&'a str, &'a [u8])>),
    #[cfg(feature = "http")]
    Map(::http::header::Iter<'a, ::http::HeaderValue>),
}

impl<'a> Iterator for Iter<'a> {
    /// A name, and a value.
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = match self {
            Self::Lines(lines) => return lines.next(),
            Self::Pairs(pairs) => {
                let &(name, value) = pairs.next()?;
                (name, value)
            }
            #[cfg(feature = "http")]
            Self::Map(pairs) => {
                let (name, value) = pairs.next()?;
                (name.as_str(), value.as_bytes())
            }
        };
        Some((name.as_bytes(), lists::trim(value)))
    }
}

/// The headers of lines whose syntax was checked. An empty line ends them.
#[derive(Clone, Copy)]
pub(in crate::handshake) struct Lines<'a>(pub(in crate::handshake) &'a [u8]);

impl<'a> Iterator for Lines<'a> {
    /// A name, and a value.
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (line, rest) = self.0.split_at_checked(memchr(b'\n', self.0)? + 1)?;
        self.0 = rest;
        // The empty line has no colon.
        split_line(line.strip_suffix(b"\r\n")?)
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
