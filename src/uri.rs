//! WebSocket URIs (RFC 6455 §3), and references to them (RFC 3986 §5).

use crate::buffer::decimal;
#[cfg(feature = "alloc")]
use alloc::{borrow::ToOwned, string::String};
use core::{error, fmt};

/// A `ws:` or `wss:` URI (RFC 6455 §3): the server to connect to, and the resource to request.
///
/// It borrows the text and allocates nothing. `Display` writes all of it; `Debug` omits the query,
/// which may contain a secret.
///
/// ```
/// use ws_proto::uri::Uri;
///
/// let uri = Uri::parse("wss://Example.com/chat?room=1")?;
/// assert!(uri.is_secure());
/// assert_eq!((uri.host(), uri.port()), ("Example.com", 443));
/// assert_eq!(uri.resource_name().to_string(), "/chat?room=1");
/// assert_eq!(uri.host_value().to_string(), "example.com");
/// # Ok::<(), ws_proto::uri::UriError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Uri<'a> {
    secure: bool,
    authority: Authority<'a>,
    path: &'a str,
    query: &'a str,
}

impl<'a> Uri<'a> {
    /// Parses a URI as §3 and RFC 3986 define it: characters that a URI cannot contain must be
    /// percent-encoded first.
    ///
    /// # Errors
    ///
    /// [`UriError`] is the first fault.
    pub fn parse(uri: &'a str) -> Result<Self, UriError> {
        let (scheme, rest) = split_scheme(uri).ok_or(UriError::InvalidScheme)?;
        let secure = secure_flag(scheme, ["ws", "wss"]).ok_or(UriError::InvalidScheme)?;
        if rest.contains('#') {
            return Err(UriError::UnexpectedFragment);
        }
        let (authority, resource) = split_authority(rest);
        let authority = parse_authority(authority)?;
        let (path, query) = resource.split_once('?').unwrap_or((resource, ""));
        check_resource(path, query)?;
        Ok(Self {
            secure,
            authority,
            path,
            query,
        })
    }

    /// Resolves the value of a `Location` (RFC 9110 §10.2.2), relative to this URI (RFC 3986 §5.2).
    /// It may be relative, or have the scheme `http`, `https`, `ws` or `wss`; `http` means `ws`,
    /// and `https` means `wss`. A fragment is removed, since it has no meaning here.
    ///
    /// The result is a valid URI, to be parsed. It can be one of another host, or without TLS: the
    /// caller decides whether to follow it, how often, and whether with the same credentials.
    ///
    /// ```
    /// use ws_proto::uri::Uri;
    ///
    /// let uri = Uri::parse("wss://example.com/a/b?c")?;
    /// assert_eq!(uri.join("../d?e=f")?, "wss://example.com/d?e=f");
    /// assert_eq!(uri.join("https://example.org/")?, "wss://example.org/");
    /// assert_eq!(uri.join(b"//example.net:81")?, "wss://example.net:81");
    ///
    /// let next = uri.join("/login")?;
    /// let next = Uri::parse(&next)?;
    /// assert_eq!(next.path(), "/login");
    /// # Ok::<(), ws_proto::uri::UriError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`UriError`] is the first fault of the reference.
    #[cfg(feature = "alloc")]
    pub fn join(&self, reference: impl AsRef<[u8]>) -> Result<String, UriError> {
        self.resolve(reference.as_ref())
    }

    #[cfg(feature = "alloc")]
    fn resolve(&self, reference: &[u8]) -> Result<String, UriError> {
        let reference =
            core::str::from_utf8(reference).map_err(|_| UriError::InvalidResourceName)?;
        let (reference, _fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let (secure, rest) = match reference.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => {
                let secure = secure_flag(scheme, ["ws", "wss"])
                    .or_else(|| secure_flag(scheme, ["http", "https"]))
                    .ok_or(UriError::InvalidScheme)?;
                if !rest.starts_with("//") {
                    return Err(UriError::InvalidHost);
                }
                (secure, rest)
            }
            _ => (self.secure, reference),
        };
        let (authority, resource) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, resource) = split_authority(rest);
                (parse_authority(authority)?, Some(resource))
            }
            None => (self.authority, None),
        };
        let (path, query) = match resource.unwrap_or(rest).split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (resource.unwrap_or(rest), None),
        };
        let path = match path {
            "" if resource.is_none() => self.path.to_owned(),
            _ if resource.is_some() || path.starts_with('/') => without_dots(path),
            _ => {
                let folder = self.path().rfind('/').map_or(0, |slash| slash + 1);
                let mut merged = self.path().get(..folder).unwrap_or_default().to_owned();
                merged += path;
                without_dots(&merged)
            }
        };
        let query = match (query, resource) {
            (None, None) if rest.is_empty() => self.query,
            _ => query.unwrap_or_default(),
        };
        check_resource(&path, query)?;
        let joined = Uri {
            secure,
            authority,
            path: &path,
            query,
        };
        Ok(alloc::format!("{joined}"))
    }

    /// Returns the _secure flag_: whether the scheme is `wss`, so that the connection must start
    /// with a TLS handshake (§4.1).
    #[must_use]
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// Returns the host to connect to, as written: a name, an IPv4 address, or an IPv6 address
    /// without its brackets.
    #[must_use]
    pub fn host(&self) -> &'a str {
        let host = self.authority.host;
        host.strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host)
    }

    /// Returns the port to connect to. The default is 80 for `ws` and 443 for `wss`.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.authority.port.unwrap_or(self.default_port())
    }

    /// Returns the path, or `/` if the URI has none.
    #[must_use]
    pub const fn path(&self) -> &'a str {
        if self.path.is_empty() { "/" } else { self.path }
    }

    /// Returns the query without its `?`, or `None` if it is empty.
    #[must_use]
    pub fn query(&self) -> Option<&'a str> {
        Some(self.query).filter(|query| !query.is_empty())
    }

    /// Returns the _resource name_ (§3): path and query, as written in the request line.
    pub fn resource_name(&self) -> impl fmt::Display + use<'a> {
        ResourceName(*self)
    }

    /// Returns the value of the `Host` header (§4.1): the host in lower case, IPv6 in brackets, and
    /// the port unless it is the scheme's default.
    pub fn host_value(&self) -> impl fmt::Display + use<'a> {
        HostValue {
            host: self.authority.host,
            port: self.other_port(),
        }
    }

    /// Returns the target of a `CONNECT` to this host (RFC 9110 §9.3.6): as
    /// [`host_value`](Self::host_value), but with the port in any case.
    #[cfg(all(feature = "handshake", feature = "alloc"))]
    pub(crate) fn connect_target(&self) -> impl fmt::Display + use<'a> {
        HostValue {
            host: self.authority.host,
            port: Some(self.port()),
        }
    }

    /// Returns the host as written, an IPv6 address in its brackets.
    #[cfg(feature = "handshake")]
    pub(crate) const fn host_in_brackets(&self) -> &'a str {
        self.authority.host
    }

    /// Returns the port, unless it is the scheme's default.
    pub(crate) fn other_port(&self) -> Option<u16> {
        Some(self.port()).filter(|&port| port != self.default_port())
    }

    const fn default_port(&self) -> u16 {
        if self.secure { 443 } else { 80 }
    }
}

/// Omits the query, which may contain a secret.
impl fmt::Debug for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            secure,
            authority,
            path,
            query: _,
        } = self;
        f.debug_struct("Uri")
            .field("secure", secure)
            .field("authority", authority)
            .field("path", path)
            .finish_non_exhaustive()
    }
}

impl<'a> TryFrom<&'a str> for Uri<'a> {
    type Error = UriError;

    fn try_from(uri: &'a str) -> Result<Self, UriError> {
        Self::parse(uri)
    }
}

/// Converts a URI of the crate `http`, with the scheme `ws` or `wss`.
#[cfg(feature = "http")]
impl<'a> TryFrom<&'a http::Uri> for Uri<'a> {
    type Error = UriError;

    fn try_from(uri: &'a http::Uri) -> Result<Self, UriError> {
        let scheme = uri.scheme_str().ok_or(UriError::InvalidScheme)?;
        let secure = secure_flag(scheme, ["ws", "wss"]).ok_or(UriError::InvalidScheme)?;
        let authority = uri.authority().ok_or(UriError::InvalidHost)?;
        let authority = parse_authority(authority.as_str())?;
        let (path, query) = (uri.path(), uri.query().unwrap_or_default());
        check_resource(path, query)?;
        Ok(Self {
            secure,
            authority,
            path,
            query,
        })
    }
}

/// Writes the URI, with its query. The scheme is in lower case, and an empty port or query is
/// omitted.
impl fmt::Display for Uri<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            secure,
            authority,
            path,
            query: _,
        } = self;
        f.write_str(if *secure { "wss://" } else { "ws://" })?;
        f.write_str(authority.host)?;
        if let Some(port) = authority.port {
            write!(f, ":{port}")?;
        }
        f.write_str(path)?;
        self.query().map_or(Ok(()), |query| write!(f, "?{query}"))
    }
}

struct ResourceName<'a>(Uri<'a>);

impl fmt::Display for ResourceName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.path())?;
        self.0.query().map_or(Ok(()), |query| write!(f, "?{query}"))
    }
}

struct HostValue<'a> {
    host: &'a str,
    port: Option<u16>,
}

impl fmt::Display for HostValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The slices in lower case, which most hosts consist of, are written at once.
        for slice in self.host.split_inclusive(|c: char| c.is_ascii_uppercase()) {
            match slice.char_indices().next_back() {
                Some((last, c)) if c.is_ascii_uppercase() => {
                    f.write_str(slice.get(..last).unwrap_or_default())?;
                    fmt::Write::write_char(f, c.to_ascii_lowercase())?;
                }
                _ => f.write_str(slice)?,
            }
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// A fault of a URI.
///
/// With the feature `std` it converts to a `std::io::Error` of kind `InvalidInput`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UriError {
    /// It does not begin with `ws://` or `wss://`.
    InvalidScheme,
    /// It has user information, `user:password@`, which §3 does not define: send an `Authorization`
    /// header instead.
    UnexpectedUserInfo,
    /// The host is missing, or is neither a name nor an IP address.
    InvalidHost,
    /// The host is not ASCII: convert it to its IDNA form (`xn--…`) first.
    HostNotAscii,
    /// The port is not a number from 0 to 65535.
    InvalidPort,
    /// It has a fragment, which has no meaning here: a `#` in path or query must be written `%23`
    /// (§3).
    UnexpectedFragment,
    /// Path or query contains a character that must be percent-encoded first, or a `%` without two
    /// hexadecimal digits.
    InvalidResourceName,
}

impl fmt::Display for UriError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidScheme => "the URI does not begin with ws:// or wss://",
            Self::UnexpectedUserInfo => "the URI contains user information",
            Self::InvalidHost => "the URI's host is missing or malformed",
            Self::HostNotAscii => {
                "the URI's host is not ASCII and must be converted to punycode first"
            }
            Self::InvalidPort => "the URI's port is not a number from 0 to 65535",
            Self::UnexpectedFragment => "the URI contains a fragment",
            Self::InvalidResourceName => {
                "the URI's path or query contains a character that must be percent-encoded"
            }
        })
    }
}

impl error::Error for UriError {}

/// `host [ ":" port ]`, as in a URI, in a `Host` header and in an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Authority<'a> {
    /// An IPv6 address has its brackets.
    pub(crate) host: &'a str,
    pub(crate) port: Option<u16>,
}

impl<'a> Authority<'a> {
    pub(crate) fn parse(authority: &'a str) -> Result<Self, UriError> {
        let host_len = match authority.strip_prefix('[') {
            Some(rest) => {
                let (address, _) = split_once(rest, b']').ok_or(UriError::InvalidHost)?;
                if !is_ipv6(address.as_bytes()) {
                    return Err(UriError::InvalidHost);
                }
                address.len() + 2
            }
            None => split_once(authority, b':').map_or(authority.len(), |(host, _)| host.len()),
        };
        let (host, port) = authority
            .split_at_checked(host_len)
            .ok_or(UriError::InvalidHost)?;
        if !host.is_ascii() {
            return Err(UriError::HostNotAscii);
        }
        if host.is_empty() || !(host.starts_with('[') || is_made_of(host, b"")) {
            return Err(UriError::InvalidHost);
        }
        Ok(Self {
            host,
            port: parse_port(port)?,
        })
    }
}

/// Splits `scheme://rest`.
pub(crate) fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = split_once(text, b':')?;
    Some((scheme, rest.strip_prefix("//")?))
}

/// Splits text at the first of these bytes, which is ASCII. The code is smaller than that of
/// `str::split_once`.
pub(crate) fn split_once(text: &str, byte: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|other| other == byte)?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Returns whether this is an IPv6 address (RFC 3986 §3.2.2): eight groups, some of which may be
/// elided once, and the last two of which may be an IPv4 address.
fn is_ipv6(address: &[u8]) -> bool {
    let (mut rest, mut groups, mut elided) = (address, 0, false);
    if let [b':', b':', after @ ..] = rest {
        (rest, elided) = (after, true);
    }
    while !(elided && rest.is_empty() && address.ends_with(b"::")) {
        let digits = rest
            .iter()
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        let (group, after) = rest.split_at(digits);
        if after.starts_with(b".") {
            groups += 2;
            if !is_ipv4(rest) {
                return false;
            }
            break;
        }
        if !matches!(group.len(), 1..=4) {
            return false;
        }
        groups += 1;
        match after {
            [] => break,
            [b':', b':', after @ ..] if !elided => (rest, elided) = (after, true),
            [b':', after @ ..] => rest = after,
            _ => return false,
        }
    }
    if elided { groups < 8 } else { groups == 8 }
}

/// Returns whether this is an IPv4 address: four numbers up to 255 without leading zeros.
fn is_ipv4(address: &[u8]) -> bool {
    let mut count = 0;
    let mut numbers = address.split(|&byte| byte == b'.');
    numbers.all(|digits| {
        count += 1;
        match digits {
            [b'0'] => true,
            [b'1'..=b'9', ..] if digits.len() <= 3 && digits.iter().all(u8::is_ascii_digit) => {
                let value = |sum: u16, digit: &u8| sum * 10 + u16::from(digit - b'0');
                digits.iter().fold(0, value) < 256
            }
            _ => false,
        }
    }) && count == 4
}

/// Parses the rest of an authority after the host: nothing, or a colon and digits, which RFC 3986
/// §3.2.3 allows to be absent.
fn parse_port(port: &str) -> Result<Option<u16>, UriError> {
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok(None),
        None => Err(UriError::InvalidHost),
        Some("") => Ok(None),
        Some(digits) => decimal(digits.as_bytes())
            .and_then(|port| port.try_into().ok())
            .map(Some)
            .ok_or(UriError::InvalidPort),
    }
}

/// Returns which of the two schemes, without or with TLS, this is.
fn secure_flag(scheme: &str, [without, with]: [&str; 2]) -> Option<bool> {
    match scheme {
        _ if scheme.eq_ignore_ascii_case(without) => Some(false),
        _ if scheme.eq_ignore_ascii_case(with) => Some(true),
        _ => None,
    }
}

/// Parses the authority of a URI, which has no user information.
fn parse_authority(authority: &str) -> Result<Authority<'_>, UriError> {
    if authority.contains('@') {
        return Err(UriError::UnexpectedUserInfo);
    }
    Authority::parse(authority)
}

fn check_resource(path: &str, query: &str) -> Result<(), UriError> {
    if is_made_of(path, b"/:@") && is_made_of(query, b"/:@?") {
        Ok(())
    } else {
        Err(UriError::InvalidResourceName)
    }
}

/// Returns whether `text` has the form of a scheme (RFC 3986 §3.1).
#[cfg(any(feature = "handshake", feature = "alloc"))]
pub(crate) fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Removes the segments `.` and `..` of a path (RFC 3986 §5.2.4).
#[cfg(feature = "alloc")]
fn without_dots(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_dots = matches!(segment, "." | "..");
        if segment == ".." {
            out.truncate(out.rfind('/').unwrap_or_default());
        }
        if !is_dots {
            out.push('/');
            out.push_str(segment);
        } else if segments.peek().is_none() {
            out.push('/');
        }
    }
    out
}

/// Splits the text after `scheme://` into the authority and the rest, path and query.
pub(crate) fn split_authority(rest: &str) -> (&str, &str) {
    rest.bytes()
        .position(|byte| matches!(byte, b'/' | b'?'))
        .and_then(|at| rest.split_at_checked(at))
        .unwrap_or((rest, ""))
}

/// Returns whether `text` consists of unreserved characters, sub-delims and percent-encoded bytes
/// (RFC 3986 §2), and those in `also`.
fn is_made_of(text: &str, also: &[u8]) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let is_permitted = match byte {
            b'%' => {
                bytes.next().is_some_and(|b| b.is_ascii_hexdigit())
                    && bytes.next().is_some_and(|b| b.is_ascii_hexdigit())
            }
            _ => {
                byte.is_ascii_alphanumeric()
                    || b"-._~!$&'()*+,;=".contains(&byte)
                    || also.contains(&byte)
            }
        };
        if !is_permitted {
            return false;
        }
    }
    true
}

#[cfg(feature = "std")]
impl From<UriError> for std::io::Error {
    fn from(error: UriError) -> Self {
        Self::new(std::io::ErrorKind::InvalidInput, error)
    }
}

#[cfg(test)]
mod tests {
    use super::is_ipv6;
    use core::net::Ipv6Addr;
    use proptest::{collection::vec, prelude::*, sample::select};
    use std::format;
    use std::string::String;

    const PARTS: [&str; 25] = [
        ":",
        "::",
        "0",
        "1",
        "f",
        "A0",
        "ffff",
        "12345",
        "1:2:3:4:5:6",
        "1:2:3:4:5:6:7",
        "a:b:c:d:e:f:0:1",
        ".",
        "g",
        "%",
        "1.2.3.4",
        "0.0.0.0",
        "255.255.255.255",
        "256.1.1.1",
        "1.2.3.1000",
        "01.2.3.4",
        "1.2.3",
        "1.2.3.4.5",
        "::1",
        "1::",
        "\u{e9}",
    ];

    fn config() -> ProptestConfig {
        ProptestConfig {
            cases: 20_000,
            failure_persistence: None,
            ..ProptestConfig::default()
        }
    }

    proptest! {
        #![proptest_config(config())]

        #[test]
        fn an_ipv6_address_is_one_for_std(parts in vec(select(&PARTS[..]), 0..8)) {
            let text: String = parts.concat();
            prop_assert_eq!(is_ipv6(text.as_bytes()), text.parse::<Ipv6Addr>().is_ok(), "{}", text);
        }

        #[test]
        fn what_std_writes_is_an_ipv6_address(groups: [u16; 8], zeros: [bool; 8]) {
            let groups = core::array::from_fn::<_, 8, _>(|i| if zeros[i] { 0 } else { groups[i] });
            let text = format!("{}", Ipv6Addr::from(groups));
            prop_assert!(is_ipv6(text.as_bytes()), "{}", text);
        }
    }
}
