//! Any HTTP request on the port of a WebSocket server: health checks, pages, polling.

use super::facts::{RequestFacts, Target};
use super::request::Request;
use crate::buffer::{prefix, suffix};
use crate::handshake::HandshakeError;
use crate::handshake::http::ascii;
use crate::handshake::http::body::Body;
use crate::handshake::http::head::{HeadLimits, Parser};
use crate::handshake::http::headers::Headers;
use core::fmt;

/// A valid HTTP/1.x request, for WebSocket or not.
#[derive(Debug, Clone, Copy)]
pub enum Incoming<'a> {
    /// A request to open a WebSocket connection.
    WebSocket(Request<'a>),
    /// Any other request: a page, a health check, the fallback of a client without WebSocket.
    Http(HttpRequest<'a>),
}

impl<'a> Incoming<'a> {
    /// Parses a request at the front of `head`. Returns it with its length in bytes, or `None` if
    /// it is incomplete.
    ///
    /// Each call starts from the beginning; `ServerHandshake` continues where it stopped.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] is the first fault. A fault that concerns only WebSocket, such as a
    /// missing `Sec-WebSocket-Key`, is returned at the end of the head, if the request asks for
    /// WebSocket.
    pub fn parse(
        head: &'a [u8],
        limits: &HeadLimits,
    ) -> Result<Option<(Self, usize)>, HandshakeError> {
        let mut parser = Parser::new(*limits, RequestFacts::new(true));
        let Some(len) = parser.advance(head)? else {
            return Ok(None);
        };
        Ok(Some((
            Self::in_head(prefix(head, len), parser.rules()),
            len,
        )))
    }

    pub(super) fn in_head(head: &'a [u8], facts: &RequestFacts) -> Self {
        if facts.asks_for_upgrade() {
            Self::WebSocket(Request::in_head(head, facts))
        } else {
            Self::Http(HttpRequest::in_head(head, facts))
        }
    }
}

/// A request of HTTP/1.x that does not ask for WebSocket, returned by
/// `ServerHandshake::recv_http`.
///
/// Its syntax was validated, and it has one `Host`, unless it is of HTTP/1.0. Answer it with
/// [`respond`](Self::respond).
#[derive(Clone, Copy)]
pub struct HttpRequest<'a> {
    method: &'a str,
    target: &'a str,
    version: (u8, u8),
    headers: Headers<'a>,
    body: Body,
    persists: bool,
}

impl<'a> HttpRequest<'a> {
    fn in_head(head: &'a [u8], facts: &RequestFacts) -> Self {
        let head = head.strip_prefix(b"\r\n").unwrap_or(head);
        let body = facts.framing.of_request(facts.version);
        debug_assert!(body.is_ok(), "the head was checked");
        Self {
            method: ascii(prefix(head, facts.method_len)),
            target: ascii(prefix(suffix(head, facts.method_len + 1), facts.target_len)),
            version: facts.version,
            headers: Headers::in_head(head),
            body: body.unwrap_or(Body::Chunked),
            persists: facts.persists(),
        }
    }

    /// Returns the method, such as `GET`, in the case received.
    #[must_use]
    pub const fn method(&self) -> &'a str {
        self.method
    }

    /// Returns the request target as received: path and query, an absolute URI, `host:port` of a
    /// `CONNECT`, or `*` of an `OPTIONS` (RFC 9112 §3.2).
    #[must_use]
    pub const fn target(&self) -> &'a str {
        self.target
    }

    /// Returns the path, which begins with `/`, as received. If the target has none, this is the
    /// target.
    #[must_use]
    pub fn path(&self) -> &'a str {
        Target::parse(self.target).map_or(self.target, |target| target.path)
    }

    /// Returns the query without its `?`, if there is one, as received.
    #[must_use]
    pub fn query(&self) -> Option<&'a str> {
        Target::parse(self.target)?.query
    }

    /// Returns the HTTP version: `(1, 0)` to `(1, 9)`.
    #[must_use]
    pub const fn version(&self) -> (u8, u8) {
        self.version
    }

    /// Returns all headers, in order.
    #[must_use]
    pub const fn headers(&self) -> &Headers<'a> {
        &self.headers
    }

    /// Returns how the body after this head is framed.
    ///
    /// `ServerHandshake::recv_body` returns a body of known length. A body in chunks must be
    /// decoded by the caller.
    #[must_use]
    pub const fn body(&self) -> Body {
        self.body
    }

    /// Returns whether another request can follow on this connection (RFC 9112 §9.3).
    pub(super) const fn persists(&self) -> bool {
        // The end of a body in chunks is not known here.
        self.persists && !matches!(self.body, Body::Chunked)
    }
}

/// Shows only the method, the path and the names of the headers: query and values may be secrets.
impl fmt::Debug for HttpRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method())
            .field("path", &self.path())
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}
