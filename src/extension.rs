//! `Sec-WebSocket-Extensions`: its grammar (RFC 6455 §9.1), and that of tokens (RFC 9110 §5.6.2).
//!
//! It is for programs whose HTTP is handled by another library; the opening handshake uses it as
//! well. This module knows no extension. Nothing is allocated: the results borrow the header's
//! value.

use crate::buffer::prefix;
use core::{
    error, fmt,
    hash::{Hash, Hasher},
    iter, str,
};

/// Parses the value of a `Sec-WebSocket-Extensions` header: the extensions that a client offers or
/// that a server accepts, in order.
///
/// The values of several headers with this name form one list, in their order. Empty elements are
/// skipped (RFC 9110 §5.6.1.2), so an empty value yields nothing.
///
/// ```
/// use ws_proto::extension;
///
/// let mut offers = extension::parse(b"foo; a=1; b, bar");
/// let foo = offers.next().expect("an element")?;
/// assert_eq!(foo.name, "foo");
/// assert!(foo.params().map(|param| param.name).eq(["a", "b"]));
/// assert_eq!(offers.next().expect("another element")?.name, "bar");
/// assert!(offers.next().is_none());
/// # Ok::<(), extension::InvalidExtensions>(())
/// ```
///
/// # Errors
///
/// [`InvalidExtensions`] is the last item if the value does not follow the grammar. The elements
/// before the fault are yielded first.
pub fn parse(value: &[u8]) -> impl Iterator<Item = Result<Extension<'_>, InvalidExtensions>> {
    let mut rest = value;
    iter::from_fn(move || {
        let element = parse_element(&mut rest);
        if element.is_err() {
            rest = &[];
        }
        element.transpose()
    })
}

/// Returns whether `value` is a list of extensions with the names of those `offered`.
#[cfg(feature = "handshake")]
pub(crate) fn are_among<'a, I: Iterator<Item = Extension<'a>>>(
    value: &[u8],
    offered: impl Fn() -> I,
) -> bool {
    parse(value).all(|accepted| {
        accepted.is_ok_and(|accepted| offered().any(|offer| offer.name == accepted.name))
    })
}

/// An extension that a peer offers or accepts (RFC 6455 §9.1).
///
/// `Display` writes it in its shortest form.
#[derive(Clone, Copy)]
pub struct Extension<'a> {
    /// The extension's name, a token, as received.
    ///
    /// It must be compared exactly: the RFC does not declare names to be case-insensitive.
    pub name: &'a str,
    /// The text after the name, which was validated: `; name [ = value ]` any number of times.
    params: &'a [u8],
}

impl<'a> Extension<'a> {
    /// Returns the parameters, in order.
    pub fn params(&self) -> impl Iterator<Item = Param<'a>> + use<'a> {
        let mut rest = self.params;
        iter::from_fn(move || parse_param(&mut rest).ok().flatten())
    }
}

impl PartialEq for Extension<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.params().eq(other.params())
    }
}

impl Eq for Extension<'_> {}

impl Hash for Extension<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
        self.params().for_each(|param| param.hash(state));
    }
}

impl fmt::Display for Extension<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        self.params().try_for_each(|param| write!(f, "; {param}"))
    }
}

impl fmt::Debug for Extension<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// A parameter of an [`Extension`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Param<'a> {
    /// The parameter's name, a token, as received.
    pub name: &'a str,
    /// The value after `=`, if there is one.
    pub value: Option<Value<'a>>,
}

impl fmt::Display for Param<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        self.value.map_or(Ok(()), |value| write!(f, "={value}"))
    }
}

/// The value of a [`Param`]: a token, quoted or not. Quotes and backslashes are not part of it.
///
/// It compares equal to a `str` of the same text; [`bytes`](Self::bytes) iterates over it.
#[derive(Clone, Copy)]
pub struct Value<'a>(
    /// The text between the quotes. Backslashes are removed on access: no token contains one.
    &'a [u8],
);

impl<'a> Value<'a> {
    /// Returns the bytes of the value, which are ASCII.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + use<'a> {
        self.0.iter().copied().filter(|&byte| byte != b'\\')
    }
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes().eq(other.bytes())
    }
}

impl Eq for Value<'_> {}

impl Hash for Value<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes().for_each(|byte| byte.hash(state));
        // Terminates the value, as `str` does: no token contains this byte.
        0xff_u8.hash(state);
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

/// The value of a `Sec-WebSocket-Extensions` header does not follow the grammar (RFC 6455 §9.1).
///
/// With the feature `std` it converts to a `std::io::Error` of kind `InvalidData`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct InvalidExtensions;

impl fmt::Display for InvalidExtensions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sec-WebSocket-Extensions is not valid")
    }
}

impl error::Error for InvalidExtensions {}

#[cfg(feature = "std")]
impl From<InvalidExtensions> for std::io::Error {
    fn from(error: InvalidExtensions) -> Self {
        Self::new(std::io::ErrorKind::InvalidData, error)
    }
}

/// Parses the next element of the list, if there is one.
fn parse_element<'a>(rest: &mut &'a [u8]) -> Result<Option<Extension<'a>>, InvalidExtensions> {
    while let [b',' | b' ' | b'\t', after @ ..] = rest {
        *rest = after;
    }
    if rest.is_empty() {
        return Ok(None);
    }
    let name = parse_token(rest)?;
    let params = *rest;
    while parse_param(rest)?.is_some() {}
    *rest = skip_whitespace(rest);
    match rest {
        [] | [b',', ..] => Ok(Some(Extension { name, params })),
        _ => Err(InvalidExtensions),
    }
}

/// Parses the next parameter, if there is one.
fn parse_param<'a>(rest: &mut &'a [u8]) -> Result<Option<Param<'a>>, InvalidExtensions> {
    if !skip(rest, b';') {
        return Ok(None);
    }
    let name = parse_token(rest)?;
    let value = match skip(rest, b'=') {
        true if skip(rest, b'"') => Some(parse_quoted(rest)?),
        true => Some(Value(parse_token(rest)?.as_bytes())),
        false => None,
    };
    Ok(Some(Param { name, value }))
}

/// Parses a token, and whitespace before it.
fn parse_token<'a>(rest: &mut &'a [u8]) -> Result<&'a str, InvalidExtensions> {
    let text = skip_whitespace(rest);
    let len = token_len(text);
    let (token, after) = text.split_at_checked(len).ok_or(InvalidExtensions)?;
    *rest = after;
    match str::from_utf8(token) {
        Ok(token) if len > 0 => Ok(token),
        _ => Err(InvalidExtensions),
    }
}

/// Parses a quoted string after its opening quote. Its content must be a token (§9.1).
fn parse_quoted<'a>(rest: &mut &'a [u8]) -> Result<Value<'a>, InvalidExtensions> {
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
                return Ok(Value(prefix(text, len)));
            }
            _ => return Err(InvalidExtensions),
        };
    }
}

/// Skips whitespace and then `byte`, if it comes next; otherwise nothing is skipped.
fn skip(rest: &mut &[u8], byte: u8) -> bool {
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

/// Returns whether a token may contain this byte (RFC 9110 §5.6.2).
#[inline]
pub(crate) fn is_token_char(byte: u8) -> bool {
    /// A byte for each byte: a load is faster than shifting a bit set of 128 bits.
    #[expect(clippy::indexing_slicing, reason = "it is evaluated by the compiler")]
    const TABLE: [bool; 256] = {
        let mut table = [false; 256];
        let mut chars: &[u8] = b"!#$%&'*+-.^_`|~\
            0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        while let [char, rest @ ..] = chars {
            table[*char as usize] = true;
            chars = rest;
        }
        table
    };
    TABLE.get(usize::from(byte)).is_some_and(|is_char| *is_char)
}

/// Returns the number of bytes at the start of `text` that a token may contain.
#[inline]
pub(crate) fn token_len(text: &[u8]) -> usize {
    text.iter()
        .position(|&byte| !is_token_char(byte))
        .unwrap_or(text.len())
}
