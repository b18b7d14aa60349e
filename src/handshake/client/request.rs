//! The client's requests, as parts and as bytes (RFC 6455 §4.1, RFC 8441 §5).

use crate::Output;
use crate::handshake::WriteError;
use crate::handshake::http::headers::{self, Lines};
use crate::handshake::http::names::{
    CONNECTION, EXTENSIONS, HOST, KEY, ORIGIN, PROTOCOL, UPGRADE, VERSION, lower_case,
};
use crate::handshake::http::{append, ascii};
use core::fmt;

/// A request as its parts: method, target and headers.
///
/// [`ClientHandshake::request_parts`](super::ClientHandshake::request_parts) and
/// [`connect_parts`](super::ClientHandshake::connect_parts) return it, for a program in which
/// another library sends the request. With the feature `http`, `http::Request::try_from(parts)`
/// converts it.
#[derive(Clone, Copy)]
pub struct RequestParts<'a> {
    pub(super) is_extended_connect: bool,
    pub(super) is_secure: bool,
    pub(super) host: &'a str,
    pub(super) target: &'a str,
    pub(super) key: &'a [u8; 24],
    pub(super) origin: Option<&'a str>,
    /// The value of `Sec-WebSocket-Protocol`, empty if there is none.
    pub(super) subprotocols: &'a str,
    /// The value of `Sec-WebSocket-Extensions`, empty if there is none.
    pub(super) extensions: &'a str,
    /// The lines of further headers.
    pub(super) headers: &'a [u8],
}

impl<'a> RequestParts<'a> {
    /// Returns the method: `GET`, or `CONNECT` in HTTP/2 and HTTP/3.
    #[must_use]
    pub const fn method(&self) -> &'static str {
        if self.is_extended_connect {
            "CONNECT"
        } else {
            "GET"
        }
    }

    /// Returns the value of `:protocol`, which is `websocket`, in HTTP/2 and HTTP/3.
    #[must_use]
    pub const fn protocol(&self) -> Option<&'static str> {
        if self.is_extended_connect {
            Some("websocket")
        } else {
            None
        }
    }

    /// Returns the value of `:scheme`: `https` for `wss`, and `http` for `ws` (RFC 8441 §5).
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        if self.is_secure { "https" } else { "http" }
    }

    /// Returns the value of `:authority` or `Host`: the host, and the port unless it is the
    /// scheme's default.
    #[must_use]
    pub const fn authority(&self) -> &'a str {
        self.host
    }

    /// Returns the value of `:path`, or the target of the request: path and query.
    #[must_use]
    pub const fn path(&self) -> &'a str {
        self.target
    }

    /// Returns all headers, in order, as pairs of name and value. They are valid.
    ///
    /// In HTTP/2 and HTTP/3, the names are in lower case (RFC 9113 §8.2), except those set by the
    /// caller, and there are neither `Host`, `Upgrade`, `Connection` nor `Sec-WebSocket-Key`.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + Clone + use<'a> {
        let is_extended_connect = self.is_extended_connect;
        let upgrade: [(&str, &[u8]); 4] = [
            (HOST, self.host.as_bytes()),
            (UPGRADE, b"websocket"),
            (CONNECTION, b"Upgrade"),
            (KEY, self.key),
        ];
        let options = [
            (VERSION, Some("13")),
            (ORIGIN, self.origin),
            (
                PROTOCOL,
                Some(self.subprotocols).filter(|names| !names.is_empty()),
            ),
            (
                EXTENSIONS,
                Some(self.extensions).filter(|offer| !offer.is_empty()),
            ),
        ];
        let upgrade = (!is_extended_connect).then_some(upgrade);
        let options = options.into_iter().filter_map(move |(name, value)| {
            let name = if is_extended_connect {
                lower_case(name)
            } else {
                name
            };
            Some((name, value?.as_bytes()))
        });
        upgrade
            .into_iter()
            .flatten()
            .chain(options)
            .chain(written(self.headers))
    }

    pub(super) fn write(&self, out: &mut (impl Output + ?Sized)) -> Result<(), WriteError> {
        write(out, self.method(), self.target, self.headers())
    }
}

/// Returns the headers of lines that were written.
pub(super) fn written(lines: &[u8]) -> impl Iterator<Item = (&str, &[u8])> + Clone {
    Lines(lines).map(|(name, value)| (ascii(name), value))
}

/// Appends a request of HTTP/1.1 without a body.
pub(super) fn write<'a>(
    out: &mut (impl Output + ?Sized),
    method: &'a str,
    target: &'a str,
    headers: impl Iterator<Item = (&'a str, &'a [u8])> + Clone,
) -> Result<(), WriteError> {
    let start_line = [method.as_bytes(), b" ", target.as_bytes(), b" HTTP/1.1\r\n"];
    append(out, &start_line, headers, b"")
}

/// Shows only the method and the names of the headers: target and values may be secrets.
impl fmt::Debug for RequestParts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestParts")
            .field("method", &self.method())
            .field("headers", &headers::Names(self.headers()))
            .finish_non_exhaustive()
    }
}
