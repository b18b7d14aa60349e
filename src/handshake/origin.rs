//! Web origins (RFC 6454), for the check that keeps other sites' pages out (RFC 6455 §10.2).

use crate::uri::Authority;

/// An origin: `scheme://host[:port]`, and nothing else. Two are equal if scheme, host and port are.
#[derive(Clone, Copy)]
pub(super) struct Origin<'a> {
    scheme: &'a str,
    authority: Authority<'a>,
}

impl<'a> Origin<'a> {
    pub(super) const fn new(scheme: &'a str, authority: Authority<'a>) -> Self {
        Self { scheme, authority }
    }

    /// `None` for `null`, for a list of several, and for an URL that has more than an origin.
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
