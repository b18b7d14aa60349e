//! `Sec-WebSocket-Extensions` (RFC 6455 §9.1): its grammar, read in place.
//!
//! Knows no extension.

use super::fields::{is_token_char, split_token};
use core::fmt;

/// An extension that the peer offers or answers with (RFC 6455 §9.1).
///
/// Names are as they came. The RFC does not say that case does not matter, so compare them exactly
/// as registered.
#[derive(Debug, Clone, Copy)]
pub struct Extension<'a> {
    /// The extension's name, a token.
    pub name: &'a str,
    /// What follows the name, parsed before: `; name [ = value ]` any number of times.
    params: &'a [u8],
}

impl<'a> Extension<'a> {
    /// Its parameters, in order.
    pub fn params(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        let mut rest = self.params;
        core::iter::from_fn(move || param(&mut rest).ok().flatten())
    }
}

/// A parameter of an [`Extension`].
#[derive(Debug, Clone, Copy)]
pub struct Param<'a> {
    /// The parameter's name, a token.
    pub name: &'a str,
    /// What follows the `=`, if there is one.
    pub value: Option<Value<'a>>,
}

/// The value of a [`Param`]: a token. Whether it stood in quotes makes no difference.
///
/// Compare it with a `str`, or read its [`bytes`](Self::bytes).
#[derive(Clone, Copy)]
pub struct Value<'a>(
    /// With the backslashes of a quoted string, which no token contains.
    &'a [u8],
);

impl<'a> Value<'a> {
    /// The value's bytes, which are ASCII.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + use<'a> {
        self.0.iter().copied().filter(|&byte| byte != b'\\')
    }
}

impl PartialEq<str> for Value<'_> {
    fn eq(&self, other: &str) -> bool {
        self.bytes().eq(other.bytes())
    }
}

impl PartialEq<&str> for Value<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes()
            .try_for_each(|byte| fmt::Write::write_char(f, char::from(byte)))
    }
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// The same for those who have the value from elsewhere.
#[cfg(feature = "deflate")]
pub(crate) fn extensions_in(
    value: &[u8],
) -> impl Iterator<Item = Result<Extension<'_>, super::HandshakeError>> {
    extensions(value).map(|extension| {
        extension.map_err(|_| super::HandshakeError::InvalidHeader(super::fields::EXTENSIONS))
    })
}

/// The extensions in the value of one field.
pub(super) fn extensions(value: &[u8]) -> impl Iterator<Item = Result<Extension<'_>, Malformed>> {
    let mut rest = value;
    core::iter::from_fn(move || extension(&mut rest).transpose())
}

/// The value does not follow the grammar.
#[derive(Debug)]
pub(super) struct Malformed;

/// Reads the next element of the list, if there is one.
fn extension<'a>(rest: &mut &'a [u8]) -> Result<Option<Extension<'a>>, Malformed> {
    while let [b',' | b' ' | b'\t', after @ ..] = rest {
        *rest = after;
    }
    if rest.is_empty() {
        return Ok(None);
    }
    let name = token(rest)?;
    let params = *rest;
    while param(rest)?.is_some() {}
    *rest = skip_whitespace(rest);
    match rest {
        [] | [b',', ..] => Ok(Some(Extension { name, params })),
        _ => Err(Malformed),
    }
}

/// Reads the next parameter, if there is one.
fn param<'a>(rest: &mut &'a [u8]) -> Result<Option<Param<'a>>, Malformed> {
    if !eat(rest, b';') {
        return Ok(None);
    }
    let name = token(rest)?;
    let value = match eat(rest, b'=') {
        true if eat(rest, b'"') => Some(quoted(rest)?),
        true => Some(Value(token(rest)?.as_bytes())),
        false => None,
    };
    Ok(Some(Param { name, value }))
}

fn token<'a>(rest: &mut &'a [u8]) -> Result<&'a str, Malformed> {
    let (token, after) = split_token(skip_whitespace(rest)).ok_or(Malformed)?;
    *rest = after;
    Ok(token)
}

/// Reads a quoted string after its opening quote. What it says has to be a token (§9.1).
fn quoted<'a>(rest: &mut &'a [u8]) -> Result<Value<'a>, Malformed> {
    let text = *rest;
    let mut len = 0;
    loop {
        *rest = match rest {
            [b'\\', byte, after @ ..] if is_token_char(*byte) => {
                len += 2;
                after
            }
            [byte, after @ ..] if is_token_char(*byte) => {
                len += 1;
                after
            }
            [b'"', after @ ..] if len > 0 => {
                *rest = after;
                return Ok(Value(text.get(..len).unwrap_or_default()));
            }
            _ => return Err(Malformed),
        };
    }
}

/// Passes over `byte`, and whitespace before it, if it comes next.
fn eat(rest: &mut &[u8], byte: u8) -> bool {
    match skip_whitespace(rest).split_first() {
        Some((&first, after)) if first == byte => {
            *rest = after;
            true
        }
        _ => false,
    }
}

fn skip_whitespace(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', after @ ..] = text {
        text = after;
    }
    text
}
