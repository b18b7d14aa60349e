//! The client's request to open a WebSocket connection, as the server reads it (RFC 6455 §4.2.1,
//! RFC 8441 §5).

use super::facts::{RequestFacts, Target, check_target, check_version, is_target_char};
use super::origin::{Origin, Scheme};
use crate::buffer::{prefix, suffix};
use crate::extension::{self, Extension};
use crate::handshake::HandshakeError;
use crate::handshake::http::head::{HeadLimits, HeadRules, Parser};
use crate::handshake::http::headers::Headers;
use crate::handshake::http::names::{EXTENSIONS, HOST, ORIGIN, PROTOCOL};
use crate::handshake::http::{ascii, lists};
use crate::uri::Authority;
use core::{fmt, str};

/// A valid request to open a WebSocket connection (RFC 6455 §4.2.1).
///
/// It was validated against §4.2.1, but is still untrusted input: the sender need not be a browser,
/// and can write anything into any header (§10.1).
///
/// It borrows the bytes that it was parsed from. Answer it with [`accept`](Self::accept) or
/// [`reject`](Self::reject).
#[derive(Clone, Copy)]
pub struct Request<'a> {
    target: &'a str,
    /// `:authority` of an extended CONNECT.
    authority: Option<&'a str>,
    headers: Headers<'a>,
    /// `None` if this is an extended CONNECT.
    key: Option<[u8; 24]>,
    persists: bool,
}

impl<'a> Request<'a> {
    /// Parses a request at the front of `head`. Returns it with its length in bytes, or `None` if
    /// it is incomplete.
    ///
    /// Each call starts from the beginning; `ServerHandshake` continues where it stopped.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] is the first fault, at the first byte that makes it certain.
    pub fn parse(
        head: &'a [u8],
        limits: &HeadLimits,
    ) -> Result<Option<(Self, usize)>, HandshakeError> {
        let mut parser = Parser::new(*limits, RequestFacts::default());
        let Some(len) = parser.advance(head)? else {
            return Ok(None);
        };
        Ok(Some((
            Self::in_head(prefix(head, len), parser.rules()),
            len,
        )))
    }

    /// Checks a request whose HTTP another library parsed, by the same rules.
    ///
    /// `version` is the HTTP version, such as `(1, 1)`.
    ///
    /// ```
    /// use ws_proto::handshake::{HandshakeError, Request};
    ///
    /// let headers: [(&str, &[u8]); 5] = [
    ///     ("host", b"example.com"),
    ///     ("upgrade", b"websocket"),
    ///     ("connection", b"keep-alive, Upgrade"),
    ///     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    ///     ("sec-websocket-version", b"13"),
    /// ];
    /// let request = Request::from_headers("GET", "/chat", (1, 1), &headers)?;
    /// assert_eq!(request.path(), "/chat");
    /// # Ok::<(), HandshakeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] is the first fault.
    pub fn from_headers(
        method: &str,
        target: &'a str,
        version: (u8, u8),
        headers: &'a [(&'a str, &'a [u8])],
    ) -> Result<Self, HandshakeError> {
        Self::checked(method, target, version, Headers::in_pairs(headers))
    }

    pub(in crate::handshake) fn checked(
        method: &str,
        target: &'a str,
        version: (u8, u8),
        headers: Headers<'a>,
    ) -> Result<Self, HandshakeError> {
        match method.as_bytes() {
            b"GET" => {}
            method if lists::is_token(method) => return Err(HandshakeError::MethodNotAllowed),
            _ => return Err(HandshakeError::InvalidRequestLine),
        }
        if !target.bytes().all(is_target_char) {
            return Err(HandshakeError::InvalidTarget);
        }
        check_target(method.as_bytes(), target)?;
        check_version(version)?;
        let mut facts = RequestFacts::of_get(version);
        headers.check(|name, value| facts.header(name, value))?;
        facts.end()?;
        Ok(Self {
            target,
            authority: None,
            headers,
            key: Some(facts.key()),
            persists: facts.persists(),
        })
    }

    /// Checks an extended CONNECT, the request of WebSocket over HTTP/2 and HTTP/3 (RFC 8441 §5,
    /// RFC 9220), whose HTTP another library parsed.
    ///
    /// The method is `CONNECT`, and the arguments are the values of `:protocol`, `:scheme`,
    /// `:authority` and `:path`, and the other headers. [Accept](Self::accept) or
    /// [reject](Self::reject) it with the `parts` of the response. If the stream ends or is reset,
    /// call [`recv_eof`](crate::WebSocket::recv_eof).
    ///
    /// ```
    /// use ws_proto::handshake::{HandshakeError, Request};
    ///
    /// let headers: [(&str, &[u8]); 1] = [("sec-websocket-version", b"13")];
    /// let connect = |protocol| {
    ///     let (authority, path) = ("example.com", "/chat");
    ///     Request::from_connect(protocol, "https", authority, path, &headers)
    /// };
    /// let request = connect("websocket")?;
    /// let (parts, negotiated) = request.accept().parts()?;
    /// assert_eq!((parts.status(), parts.headers().count()), (200, 0));
    ///
    /// let error = connect("connect-udp").unwrap_err();
    /// assert_eq!(error.status(), 501);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] is the first fault: [`HandshakeError::UnsupportedProtocol`], whose status
    /// is 501, if the protocol is not `websocket` (RFC 9220 §3).
    pub fn from_connect(
        protocol: &str,
        scheme: &str,
        authority: &'a str,
        path: &'a str,
        headers: &'a [(&'a str, &'a [u8])],
    ) -> Result<Self, HandshakeError> {
        let headers = Headers::in_pairs(headers);
        Self::checked_connect(protocol, scheme, authority, path, headers)
    }

    pub(in crate::handshake) fn checked_connect(
        protocol: &str,
        scheme: &str,
        authority: &'a str,
        path: &'a str,
        headers: Headers<'a>,
    ) -> Result<Self, HandshakeError> {
        if !protocol.eq_ignore_ascii_case("websocket") {
            return Err(HandshakeError::UnsupportedProtocol);
        }
        if !["http", "https"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known))
        {
            return Err(HandshakeError::InvalidHeader(":scheme"));
        }
        if Authority::parse(authority).is_err() {
            return Err(HandshakeError::InvalidHeader(":authority"));
        }
        if !(path.starts_with('/') && path.bytes().all(is_target_char)) {
            return Err(HandshakeError::InvalidTarget);
        }
        let mut facts = RequestFacts::default();
        headers.check(|name, value| facts.connect_header(name, value, authority))?;
        facts.connect_end()?;
        Ok(Self {
            target: path,
            authority: Some(authority),
            headers,
            key: None,
            persists: true,
        })
    }

    pub(super) fn in_head(head: &'a [u8], facts: &RequestFacts) -> Self {
        let head = head.strip_prefix(b"\r\n").unwrap_or(head);
        Self {
            target: ascii(prefix(suffix(head, facts.method_len + 1), facts.target_len)),
            authority: None,
            headers: Headers::in_head(head),
            key: Some(facts.key()),
            persists: facts.persists(),
        }
    }

    /// Returns the request target as received: path and query, or an absolute URI (§4.2.1).
    #[must_use]
    pub const fn target(&self) -> &'a str {
        self.target
    }

    /// Returns the path, which begins with `/`, as received: percent-encoding is not decoded.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.split_target().path
    }

    /// Returns the query without its `?`, if there is one, as received.
    #[must_use]
    pub fn query(&self) -> Option<&'a str> {
        self.split_target().query
    }

    /// Returns the requested host, with the port if the client named one. It is `:authority`, or
    /// that of the target if this is an absolute URI (RFC 9112 §3.2.2), and otherwise that of the
    /// `Host` header.
    ///
    /// A server that is not reachable from the internet, such as one on `localhost` or in a home
    /// network, must check that it is one of the names by which it is known. Otherwise it is open
    /// to DNS rebinding: the owner of any domain can direct its name to the server's address, and
    /// then a page of that domain is from the [same origin](Self::is_same_origin).
    #[must_use]
    pub fn host(&self) -> &'a str {
        let host = || {
            self.headers
                .get(HOST)
                .and_then(|host| str::from_utf8(host).ok())
        };
        self.authority
            .or_else(|| self.split_target().authority)
            .or_else(host)
            .unwrap_or_default()
    }

    /// Returns all headers, in order.
    #[must_use]
    pub const fn headers(&self) -> &Headers<'a> {
        &self.headers
    }

    /// Returns the subprotocols that the client requests, in order of preference (§4.2.1).
    pub fn subprotocols(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.headers
            .get_all(PROTOCOL)
            .flat_map(lists::elements)
            .filter_map(|name| str::from_utf8(name).ok())
    }

    /// Returns the extensions that the client offers, in order (§9.1).
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'a>> + use<'a> {
        self.headers
            .get_all(EXTENSIONS)
            .flat_map(extension::parse)
            .filter_map(Result::ok)
    }

    /// Returns the value of `Origin`, as received. Browsers always send it, other clients need not
    /// (§4.2.1). A request with several is refused.
    #[must_use]
    pub fn origin(&self) -> Option<&'a [u8]> {
        self.headers.get(ORIGIN)
    }

    /// Returns whether the page that opened the connection is from this server (§10.2): whether the
    /// origin's scheme is `scheme`, and its host and port are those of [`host`](Self::host).
    ///
    /// Without such a check, a page of any site can act in the name of a user who has a cookie for
    /// this server. Returns `false` if there is no `Origin`, if it is `null`, and if it is anything
    /// but `scheme://host[:port]`. To admit clients that are not browsers, use
    /// `request.origin().is_none() || request.is_same_origin(scheme)`. It trusts the
    /// [`host`](Self::host), which some servers must check, too.
    #[must_use]
    pub fn is_same_origin(&self, scheme: Scheme) -> bool {
        let own = Authority::parse(self.host())
            .ok()
            .map(|authority| Origin::new(scheme, authority));
        self.parsed_origin()
            .is_some_and(|origin| Some(origin) == own)
    }

    /// Returns whether the page that opened the connection is from one of these origins: whether
    /// scheme, host and port are equal (§10.2).
    ///
    /// As with [`is_same_origin`](Self::is_same_origin), the result is `false` without an `Origin`
    /// and for `null`.
    ///
    /// ```
    /// use ws_proto::handshake::{Origin, OriginError, Request};
    ///
    /// # fn check(request: &Request<'_>) -> Result<bool, OriginError> {
    /// let allowed = [
    ///     Origin::parse("https://example.com")?,
    ///     Origin::parse("chrome-extension://abcdefghijklmnop")?,
    /// ];
    /// let is_allowed = request.origin_is_one_of(&allowed);
    /// # Ok(is_allowed)
    /// # }
    /// ```
    #[must_use]
    pub fn origin_is_one_of(&self, allowed: &[Origin<'_>]) -> bool {
        self.parsed_origin()
            .is_some_and(|origin| allowed.contains(&origin))
    }

    /// Returns the key of a request of HTTP/1.1.
    pub(super) const fn key(&self) -> Option<&[u8; 24]> {
        self.key.as_ref()
    }

    /// Returns whether the client expects the connection to persist.
    pub(super) const fn persists(&self) -> bool {
        self.persists
    }

    fn parsed_origin(&self) -> Option<Origin<'a>> {
        Origin::parse(str::from_utf8(self.origin()?).ok()?).ok()
    }

    fn split_target(&self) -> Target<'a> {
        let target = Target::parse(self.target);
        debug_assert!(target.is_some(), "the target was checked");
        target.unwrap_or(Target {
            authority: None,
            path: self.target,
            query: None,
        })
    }
}

/// Shows only the path and the names of the headers: query and values may be secrets.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("path", &self.path())
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}
