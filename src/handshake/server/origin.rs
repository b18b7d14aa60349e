//! Web origins (RFC 6454), for the check that keeps pages of other sites out (RFC 6455 §10.2).

use crate::uri::{Authority, UriError, split_scheme};
use core::{error, fmt};

/// The scheme with which a server's own pages are reached, which depends on whether its connections
/// use TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `http`: without TLS. The default port is 80.
    Http,
    /// `https`: with TLS, also if it ends at a proxy in front. The default port is 443.
    Https,
}

impl Scheme {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// A web origin (RFC 6454): the scheme, host and port of a page, for
/// [`Request::origin_is_one_of`](super::Request::origin_is_one_of).
///
/// Two are equal if scheme, host and port are, in any case. The default port of `http` is 80, and
/// that of `https` 443. `Display` writes it as given.
///
/// ```
/// use ws_proto::handshake::{Origin, OriginError};
///
/// let origin = Origin::parse("https://example.com")?;
/// assert_eq!(origin, Origin::parse("https://EXAMPLE.com:443")?);
///
/// // Pages of extensions, of apps and of local files have schemes of their own.
/// Origin::parse("chrome-extension://abcdefghijklmnop")?;
/// Origin::parse("file://")?;
///
/// // An origin that no page can have is an error.
/// let error = Origin::parse("https://example.com/").unwrap_err();
/// assert_eq!(error, OriginError::UnexpectedPath);
/// let error = Origin::parse("example.com").unwrap_err();
/// assert_eq!(error, OriginError::InvalidScheme);
/// # Ok::<(), OriginError>(())
/// ```
#[derive(Clone, Copy)]
pub struct Origin<'a> {
    scheme: &'a str,
    /// `None` if it is empty, as in `file://`.
    authority: Option<Authority<'a>>,
}

impl<'a> Origin<'a> {
    /// Parses `scheme://host[:port]`, as browsers write it. The host may be absent, unless the
    /// scheme is `http` or `https`.
    ///
    /// # Errors
    ///
    /// [`OriginError`] if no page can have this origin.
    pub fn parse(origin: &'a str) -> Result<Self, OriginError> {
        let (scheme, authority) = split_scheme(origin)
            .filter(|(scheme, _)| is_scheme(scheme))
            .ok_or(OriginError::InvalidScheme)?;
        if authority.contains(['/', '?', '#']) {
            return Err(OriginError::UnexpectedPath);
        }
        let default_port = default_port(scheme);
        if authority.is_empty() && default_port.is_none() {
            return Ok(Self {
                scheme,
                authority: None,
            });
        }
        let authority = Authority::parse(authority).map_err(|error| match error {
            UriError::InvalidPort => OriginError::InvalidPort,
            _ => OriginError::InvalidHost,
        })?;
        // No name has a wildcard, and browsers decode percent-encoding.
        if authority.host.contains(['*', '%']) {
            return Err(OriginError::InvalidHost);
        }
        Ok(Self {
            scheme,
            authority: Some(authority),
        })
    }

    pub(super) const fn new(scheme: Scheme, authority: Authority<'a>) -> Self {
        Self {
            scheme: scheme.as_str(),
            authority: Some(authority),
        }
    }

    /// Returns the host, and the port or the default one.
    fn host_and_port(&self) -> (&'a str, Option<u16>) {
        match self.authority {
            Some(Authority { host, port }) => (host, port.or(default_port(self.scheme))),
            None => ("", None),
        }
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        _ if scheme.eq_ignore_ascii_case("http") => Some(80),
        _ if scheme.eq_ignore_ascii_case("https") => Some(443),
        _ => None,
    }
}

/// Returns whether a page can have this scheme (RFC 3986 §3.1). None has `ws` or `wss`.
fn is_scheme(scheme: &str) -> bool {
    crate::uri::is_scheme(scheme)
        && !["ws", "wss"]
            .iter()
            .any(|other| scheme.eq_ignore_ascii_case(other))
}

impl PartialEq for Origin<'_> {
    fn eq(&self, other: &Self) -> bool {
        let ((host, port), (other_host, other_port)) =
            (self.host_and_port(), other.host_and_port());
        self.scheme.eq_ignore_ascii_case(other.scheme)
            && host.eq_ignore_ascii_case(other_host)
            && port == other_port
    }
}

impl Eq for Origin<'_> {}

impl<'a> TryFrom<&'a str> for Origin<'a> {
    type Error = OriginError;

    fn try_from(origin: &'a str) -> Result<Self, OriginError> {
        Self::parse(origin)
    }
}

impl fmt::Display for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme)?;
        match self.authority {
            Some(Authority { host, port: None }) => f.write_str(host),
            Some(Authority {
                host,
                port: Some(port),
            }) => write!(f, "{host}:{port}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// The reason why no page can have an origin.
///
/// With the feature `std` it converts to a `std::io::Error` of kind `InvalidInput`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OriginError {
    /// It does not begin with a scheme and `://`, such as `example.com`, `*` and `null`, or the
    /// scheme is `ws` or `wss`, which no page has.
    InvalidScheme,
    /// Host and port are followed by a path, if only by `/`.
    UnexpectedPath,
    /// The host is missing, has a wildcard or user information, is not ASCII, or is otherwise
    /// invalid.
    InvalidHost,
    /// The port is not a number from 0 to 65535.
    InvalidPort,
}

impl fmt::Display for OriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidScheme => {
                "the origin does not begin with the scheme of a page, such as https://"
            }
            Self::UnexpectedPath => "the origin has a path, or a slash at its end",
            Self::InvalidHost => "the origin's host is missing or malformed, or has a wildcard",
            Self::InvalidPort => "the origin's port is not a number from 0 to 65535",
        })
    }
}

impl error::Error for OriginError {}

#[cfg(feature = "std")]
impl From<OriginError> for std::io::Error {
    fn from(error: OriginError) -> Self {
        Self::new(std::io::ErrorKind::InvalidInput, error)
    }
}
