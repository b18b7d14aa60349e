//! The fields of a head: their grammar, reading them and writing them (RFC 9110 §5).

use super::{HandshakeError, WriteError};
use core::{fmt, str};
use memchr::memchr;

pub(super) const HOST: &str = "Host";
pub(super) const ORIGIN: &str = "Origin";
pub(super) const UPGRADE: &str = "Upgrade";
pub(super) const CONNECTION: &str = "Connection";
pub(super) const CONTENT_LENGTH: &str = "Content-Length";
pub(super) const TRANSFER_ENCODING: &str = "Transfer-Encoding";
pub(super) const KEY: &str = "Sec-WebSocket-Key";
pub(super) const ACCEPT: &str = "Sec-WebSocket-Accept";
pub(super) const VERSION: &str = "Sec-WebSocket-Version";
pub(super) const PROTOCOL: &str = "Sec-WebSocket-Protocol";
pub(super) const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

/// The fields that mean something in a handshake, and that nobody but the handshake writes.
const KNOWN: [&str; 11] = [
    HOST,
    ORIGIN,
    UPGRADE,
    CONNECTION,
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
    KEY,
    ACCEPT,
    VERSION,
    PROTOCOL,
    EXTENSIONS,
];

/// The name as written above, if it is one of those.
pub(super) fn known(name: &str) -> Option<&'static str> {
    KNOWN
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(name))
}

/// The fields of a request or a response (RFC 9110 §5), in the order in which they came, read from
/// where they stand.
///
/// Names are compared without regard to ASCII case. Values are bytes, since HTTP does not promise
/// an encoding; they have no whitespace around them, and no control characters but the tab.
#[derive(Clone, Copy)]
pub struct Headers<'a>(Iter<'a>);

impl<'a> Headers<'a> {
    /// The fields in a head that was parsed.
    pub(super) fn in_head(head: &'a [u8]) -> Self {
        let start_line = memchr(b'\n', head).map_or(head.len(), |lf| lf + 1);
        Self(Iter::Lines(head.get(start_line..).unwrap_or_default()))
    }

    /// Headers that something else parsed, after `each` has seen them.
    pub(super) fn elsewhere(
        fields: &'a [(&'a str, &'a [u8])],
        mut each: impl FnMut(&str, &[u8]) -> Result<(), HandshakeError>,
    ) -> Result<Self, HandshakeError> {
        for &(name, value) in fields {
            if !is_token(name.as_bytes()) {
                return Err(HandshakeError::InvalidHeaderName);
            }
            if !is_field_value(value) {
                return Err(HandshakeError::InvalidHeaderValue);
            }
            each(name, trim(value))?;
        }
        Ok(Self(Iter::Pairs(fields)))
    }

    /// All fields, as pairs of name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        self.0
    }

    /// The value of the first field with this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.get_all(name).next()
    }

    /// The values of all fields with this name.
    pub fn get_all<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a [u8]> + use<'a, 'n> {
        self.iter()
            .filter(move |(other, _)| other.eq_ignore_ascii_case(name))
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

#[derive(Clone, Copy)]
enum Iter<'a> {
    /// Lines of a head that was parsed, up to and including the empty one.
    Lines(&'a [u8]),
    Pairs(&'a [(&'a str, &'a [u8])]),
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Lines(lines) => {
                let (line, rest) = lines.split_at_checked(memchr(b'\n', lines)? + 1)?;
                *lines = rest;
                // The empty line has no colon.
                split(line.strip_suffix(b"\r\n")?)
            }
            Self::Pairs(pairs) => {
                let (&(name, value), rest) = pairs.split_first()?;
                *pairs = rest;
                Some((name, trim(value)))
            }
        }
    }
}

/// Splits a field line at its colon. The line is without its CRLF, and its syntax was checked.
pub(super) fn split(line: &[u8]) -> Option<(&str, &[u8])> {
    let (name, value) = line.split_at_checked(memchr(b':', line)?)?;
    Some((str::from_utf8(name).ok()?, trim(value.strip_prefix(b":")?)))
}

/// Splits off the token with which `text` begins.
pub(super) fn split_token(text: &[u8]) -> Option<(&str, &[u8])> {
    let len = text
        .iter()
        .position(|&byte| !is_token_char(byte))
        .unwrap_or(text.len());
    let (token, rest) = text.split_at_checked(len)?;
    if token.is_empty() {
        None
    } else {
        Some((str::from_utf8(token).ok()?, rest))
    }
}

/// The elements of a comma-separated list (RFC 9110 §5.6.1). Empty elements are skipped.
pub(super) fn list(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|&byte| byte == b',')
        .map(trim)
        .filter(|element| !element.is_empty())
}

/// The number of elements in the list that is the value of the field `name`, all of which must be
/// `valid`.
pub(super) fn count(
    name: &'static str,
    value: &[u8],
    valid: fn(&[u8]) -> bool,
) -> Result<usize, HandshakeError> {
    list(value).try_fold(0, |count, element| {
        if valid(element) {
            Ok(count + 1)
        } else {
            Err(HandshakeError::InvalidHeader(name))
        }
    })
}

/// Whether the list contains this element, in any case.
pub(super) fn list_contains(value: &[u8], wanted: &str) -> bool {
    list(value).any(|element| element.eq_ignore_ascii_case(wanted.as_bytes()))
}

/// Strips the whitespace that may surround a value or an element (OWS, RFC 9110 §5.6.3).
pub(super) fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

pub(super) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is_token_char(byte))
}

/// Whether `text` is a protocol with or without a version (RFC 9110 §7.8), such as `websocket` or
/// `HTTP/2.0`.
pub(super) fn is_protocol(text: &[u8]) -> bool {
    text.splitn(2, |&byte| byte == b'/').all(is_token)
}

/// RFC 9110 §5.6.2.
pub(super) const fn is_token_char(byte: u8) -> bool {
    const CHARS: u128 = {
        let mut chars = 0;
        let mut byte = 0;
        while byte < 128 {
            if matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z')
                || matches!(
                    byte,
                    b'!' | b'#'
                        | b'$'
                        | b'%'
                        | b'&'
                        | b'\''
                        | b'*'
                        | b'+'
                        | b'-'
                        | b'.'
                        | b'^'
                        | b'_'
                        | b'`'
                        | b'|'
                        | b'~'
                )
            {
                chars |= 1 << byte;
            }
            byte += 1;
        }
        chars
    };
    byte < 128 && CHARS >> byte & 1 == 1
}

/// Whether the bytes may stand in a field's value or in a reason phrase (RFC 9110 §5.5): all but
/// control characters.
pub(super) fn is_field_value(value: &[u8]) -> bool {
    // Without an early exit, so that compilers vectorise it.
    !value
        .iter()
        .fold(false, |control, &byte| control | !is_field_value_char(byte))
}

/// The number of bytes with which `text` continues a field's value.
pub(super) fn value_len(text: &[u8]) -> usize {
    let line = memchr(b'\r', text)
        .and_then(|cr| text.get(..cr))
        .unwrap_or(text);
    if is_field_value(line) {
        line.len()
    } else {
        line.iter()
            .take_while(|&&byte| is_field_value_char(byte))
            .count()
    }
}

pub(super) const fn is_field_value_char(byte: u8) -> bool {
    (byte >= b' ' || byte == b'\t') && byte != 0x7f
}

/// Shows the names only of fields that the caller wants to send.
pub(super) struct Names<'a>(pub(super) &'a [(&'a str, &'a str)]);

impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(name, _)| name))
            .finish()
    }
}

/// Checks fields that the caller wants to send.
pub(super) fn check(fields: &[(&str, &str)]) -> Result<(), WriteError> {
    const PREFIX: &[u8] = b"Sec-WebSocket-";

    for (name, value) in fields {
        if !is_token(name.as_bytes()) {
            return Err(WriteError::InvalidHeaderName);
        }
        let prefix = name.as_bytes().get(..PREFIX.len()).unwrap_or_default();
        if prefix.eq_ignore_ascii_case(PREFIX) || known(name).is_some() {
            return Err(WriteError::ReservedHeader);
        }
        if !is_field_value(value.as_bytes()) {
            return Err(WriteError::InvalidHeaderValue);
        }
    }
    Ok(())
}

/// The bytes of fields to send, in pieces.
pub(super) fn pieces<'a>(
    fields: &'a [(&'a str, &'a str)],
) -> impl Iterator<Item = &'a [u8]> + Clone {
    fields
        .iter()
        .flat_map(|(name, value)| [name, ": ", value, "\r\n"])
        .map(str::as_bytes)
}
