//! Web origins (RFC 6454), for the check that keeps pages of other sites out (RFC 6455 §10.2).

use crate::uri::Authority;

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

/// An origin: `scheme://host[:port]`, and nothing else. Two are equal if scheme, host and port are.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    scheme: &'a str,
    authority: Authority<'a>,
}

impl<'a> Origin<'a> {
    pub(super) const fn new(scheme: Scheme, authority: Authority<'a>) -> Self {
        Self {
            scheme: scheme.as_str(),
            authority,
        }
    }

    /// Returns `None` for `null`, for a list of several origins, and for a URL with a path.
    pub(super) fn parse(origin: &'a str) -> Option<Self> {
        let (scheme, authority) = origin.split_once("://")?;
        Some(Self {
            scheme,
            authority: Authority::parse(authority).ok()?,
        })
    }

    fn port(&self) -> Option<u16> {
        self.authority.port.or(match self.scheme {
            scheme if scheme.eq_ignore_ascii_case("http") => Some(80),
            scheme if scheme.eq_ignore_ascii_case("https") => Some(443),
            _ => None,
        })
    }
}

impl PartialEq for Origin<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.scheme.eq_ignore_ascii_case(other.scheme)
            && self
                .authority
                .host
                .eq_ignore_ascii_case(other.authority.host)
            && self.port() == other.port()
    }
}
