//! Comma-separated lists of tokens (RFC 9110 §5.6.1).

use crate::extension::is_token_char;
use crate::handshake::HandshakeError;

/// Returns the elements of a list. Empty elements are skipped.
pub(in crate::handshake) fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|&byte| byte == b',')
        .map(trim)
        .filter(|element| !element.is_empty())
}

/// Returns the number of elements in the value of the header `name`, all of which must be `valid`.
pub(in crate::handshake) fn count(
    name: &'static str,
    value: &[u8],
    valid: fn(&[u8]) -> bool,
) -> Result<usize, HandshakeError> {
    elements(value).try_fold(0, |count, element| {
        if valid(element) {
            Ok(count + 1)
        } else {
            Err(HandshakeError::InvalidHeader(name))
        }
    })
}

/// Returns whether the list contains this element, in any case.
pub(in crate::handshake) fn contains(value: &[u8], wanted: &str) -> bool {
    elements(value).any(|element| element.eq_ignore_ascii_case(wanted.as_bytes()))
}

/// Strips the whitespace that may surround a value or an element (OWS, RFC 9110 §5.6.3).
pub(in crate::handshake) fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// Returns whether `text` is a token (RFC 9110 §5.6.2).
pub(in crate::handshake) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|&byte| is_token_char(byte))
}

/// Returns whether `text` is a protocol with or without a version (RFC 9110 §7.8), such as
/// `websocket` or `HTTP/2.0`.
pub(in crate::handshake) fn is_protocol(text: &[u8]) -> bool {
    text.splitn(2, |&byte| byte == b'/').all(is_token)
}
