//! The client's opening handshake as the server reads it (RFC 6455 §4.2.1).

use super::origin::{Origin, Scheme};
use crate::buffer::{prefix, suffix};
use crate::extension::{self, Extension, is_token_char};
use crate::handshake::http::head::{HeadLimits, HeadRules, Parser};
use crate::handshake::http::headers::Headers;
use crate::handshake::http::names::{
    self, CONNECTION, CONTENT_LENGTH, EXTENSIONS, HOST, KEY, ORIGIN, PROTOCOL, TRANSFER_ENCODING,
    UPGRADE, VERSION,
};
use crate::handshake::http::{InvalidVersion, VERSION_LEN, ascii, lists, next_of_version, once};
use crate::handshake::{HandshakeError, key::checked_key};
use crate::uri::{Authority, split_authority};
use core::{fmt, mem, str};

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
    headers: Headers<'a>,
    key: [u8; 24],
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
        match method.as_bytes() {
            b"GET" => {}
            method if lists::is_token(method) => return Err(HandshakeError::MethodNotAllowed),
            _ => return Err(HandshakeError::InvalidRequestLine),
        }
        if !target.bytes().all(is_target_char) {
            return Err(HandshakeError::InvalidTarget);
        }
        check_target(target)?;
        check_version(version)?;
        let mut facts = RequestFacts::default();
        let headers = Headers::from_pairs(headers, |name, value| facts.header(name, value))?;
        facts.end()?;
        Ok(Self {
            target,
            headers,
            key: facts.key(),
        })
    }

    pub(super) fn in_head(head: &'a [u8], facts: &RequestFacts) -> Self {
        let head = head.strip_prefix(b"\r\n").unwrap_or(head);
        Self {
            target: ascii(prefix(suffix(head, METHOD.len()), facts.target_len)),
            headers: Headers::in_head(head),
            key: facts.key(),
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

    /// Returns the requested host, with the port if the client named one. It is that of the target
    /// if this is an absolute URI (RFC 9112 §3.2.2), and otherwise that of the `Host` header.
    #[must_use]
    pub fn host(&self) -> &'a str {
        let host = || {
            self.headers
                .get(HOST)
                .and_then(|host| str::from_utf8(host).ok())
        };
        self.split_target()
            .authority
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
    /// `request.origin().is_none() || request.is_same_origin(scheme)`.
    #[must_use]
    pub fn is_same_origin(&self, scheme: Scheme) -> bool {
        let own = Authority::parse(self.host())
            .ok()
            .map(|authority| Origin::new(scheme, authority));
        self.parsed_origin()
            .is_some_and(|origin| Some(origin) == own)
    }

    /// Returns whether the page that opened the connection is from one of these origins, such as
    /// `https://example.com`. Scheme, host and port must be equal (§10.2).
    ///
    /// As with [`is_same_origin`](Self::is_same_origin), the result is `false` without an `Origin`
    /// and for `null`, even if `allowed` contains it.
    #[must_use]
    pub fn origin_is_one_of(&self, allowed: &[&str]) -> bool {
        self.parsed_origin().is_some_and(|origin| {
            allowed
                .iter()
                .any(|allowed| Origin::parse(allowed) == Some(origin))
        })
    }

    pub(super) const fn key(&self) -> &[u8; 24] {
        &self.key
    }

    fn parsed_origin(&self) -> Option<Origin<'a>> {
        Origin::parse(str::from_utf8(self.origin()?).ok()?)
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

/// The method of every request, and the space after it.
const METHOD: &[u8] = b"GET ";

/// The facts learned from the lines of a request.
#[derive(Default)]
pub(super) struct RequestFacts {
    /// Whether an empty line preceded the request line.
    empty_line: bool,
    /// The length of the target, or 0 until it is complete.
    target_len: usize,
    host: bool,
    origin: bool,
    /// Whether `Upgrade` contains `websocket`, if it is present.
    upgrade: Option<bool>,
    connection: bool,
    key: Option<[u8; 24]>,
    version: bool,
    /// The number of elements of the list, if it is present.
    subprotocols: Option<usize>,
    /// The number of elements of the list, if it is present.
    extensions: Option<usize>,
}

impl RequestFacts {
    /// Returns the key of a complete request.
    fn key(&self) -> [u8; 24] {
        debug_assert!(self.key.is_some(), "a request without a key is invalid");
        self.key.unwrap_or_default()
    }
}

impl HeadRules for RequestFacts {
    fn start_line(&mut self, line: &[u8], byte: u8) -> Result<(), HandshakeError> {
        let Some(rest) = line.strip_prefix(METHOD) else {
            return match byte {
                b' ' if line == b"GET" => Ok(()),
                b' ' if !line.is_empty() => Err(HandshakeError::MethodNotAllowed),
                // One empty line before the request line is skipped (RFC 9112 §2.2).
                b'\r' if line.is_empty() && !mem::replace(&mut self.empty_line, true) => Ok(()),
                _ if is_token_char(byte) => Ok(()),
                _ => Err(HandshakeError::InvalidRequestLine),
            };
        };
        if self.target_len == 0 {
            return match byte {
                b' ' => {
                    self.target_len = rest.len();
                    check_target(ascii(rest))
                }
                b'\r' => Err(HandshakeError::InvalidRequestLine),
                _ if is_target_char(byte) => Ok(()),
                _ => Err(HandshakeError::InvalidTarget),
            };
        }
        match (suffix(rest, self.target_len + 1), byte) {
            (version, _) if version.len() < VERSION_LEN => match next_of_version(version, byte) {
                Ok(Some(version)) => check_version(version),
                Ok(None) => Ok(()),
                Err(InvalidVersion) => Err(HandshakeError::InvalidRequestLine),
            },
            (_, b'\r') => Ok(()),
            _ => Err(HandshakeError::InvalidRequestLine),
        }
    }

    fn header(&mut self, name: &str, value: &[u8]) -> Result<(), HandshakeError> {
        match names::known(name) {
            Some(HOST) => {
                once(mem::replace(&mut self.host, true), HOST)?;
                let host = str::from_utf8(value)
                    .ok()
                    .and_then(|host| Authority::parse(host).ok());
                host.map(|_| ()).ok_or(HandshakeError::InvalidHeader(HOST))
            }
            Some(ORIGIN) => once(mem::replace(&mut self.origin, true), ORIGIN),
            Some(UPGRADE) => {
                let before = self.upgrade.replace(lists::contains(value, "websocket"));
                once(before.is_some(), UPGRADE)?;
                lists::count(UPGRADE, value, lists::is_protocol).map(drop)
            }
            Some(CONNECTION) => {
                lists::count(CONNECTION, value, lists::is_token)?;
                self.connection |= lists::contains(value, UPGRADE);
                Ok(())
            }
            Some(KEY) => {
                once(self.key.is_some(), KEY)?;
                self.key = Some(checked_key(value).ok_or(HandshakeError::InvalidHeader(KEY))?);
                Ok(())
            }
            Some(VERSION) => {
                once(mem::replace(&mut self.version, true), VERSION)?;
                if value == b"13" {
                    Ok(())
                } else {
                    Err(HandshakeError::UnsupportedWebSocketVersion)
                }
            }
            Some(PROTOCOL) => {
                *self.subprotocols.get_or_insert(0) +=
                    lists::count(PROTOCOL, value, lists::is_token)?;
                Ok(())
            }
            Some(EXTENSIONS) => {
                let offers = self.extensions.get_or_insert(0);
                Ok(extension::parse(value).try_for_each(|offer| offer.map(|_| *offers += 1))?)
            }
            // The bytes after the head would be parsed as frames here, but as a body by a proxy in
            // front.
            Some(CONTENT_LENGTH)
                if value.is_empty() || value.iter().any(|&digit| digit != b'0') =>
            {
                Err(HandshakeError::UnexpectedBody)
            }
            Some(TRANSFER_ENCODING) => Err(HandshakeError::UnexpectedBody),
            _ => Ok(()),
        }
    }

    fn end(&self) -> Result<(), HandshakeError> {
        match self {
            Self { host: false, .. } => Err(HandshakeError::MissingHeader(HOST)),
            Self {
                upgrade: None | Some(false),
                ..
            } => Err(HandshakeError::MissingUpgrade),
            Self {
                connection: false, ..
            } => Err(HandshakeError::MissingConnectionUpgrade),
            Self { key: None, .. } => Err(HandshakeError::MissingHeader(KEY)),
            Self { version: false, .. } => Err(HandshakeError::UnsupportedWebSocketVersion),
            // The grammar requires at least one element in all lines together.
            Self {
                subprotocols: Some(0),
                ..
            } => Err(HandshakeError::InvalidHeader(PROTOCOL)),
            Self {
                extensions: Some(0),
                ..
            } => Err(HandshakeError::InvalidHeader(EXTENSIONS)),
            _ => Ok(()),
        }
    }
}

const fn check_version((major, minor): (u8, u8)) -> Result<(), HandshakeError> {
    match (major, minor) {
        // In HTTP/1.0, `Upgrade` has no meaning (RFC 9110 §7.8); from 2 on, the protocol has no
        // such request.
        (1, 1..) => Ok(()),
        _ => Err(HandshakeError::UnsupportedHttpVersion { major, minor }),
    }
}

/// Returns whether the byte is visible and not `#`. More than RFC 3986 permits, since browsers do
/// not percent-encode all other characters.
const fn is_target_char(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'#'
}

fn check_target(target: &str) -> Result<(), HandshakeError> {
    match Target::parse(target) {
        Some(_) => Ok(()),
        None if target.is_empty() => Err(HandshakeError::InvalidRequestLine),
        None => Err(HandshakeError::InvalidTarget),
    }
}

/// The schemes of an absolute target: those of HTTP, and those of WebSocket (RFC 6455 §3), which
/// some clients send.
const SCHEMES: [&str; 4] = ["http", "https", "ws", "wss"];

/// A request target (RFC 9112 §3.2) in one of the two forms that name a resource.
struct Target<'a> {
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Target<'a> {
    fn parse(target: &'a str) -> Option<Self> {
        let (authority, resource) = match target.split_once("://") {
            Some((scheme, rest))
                if SCHEMES
                    .iter()
                    .any(|known| scheme.eq_ignore_ascii_case(known)) =>
            {
                let (authority, resource) = split_authority(rest);
                Authority::parse(authority).ok()?;
                (Some(authority), resource)
            }
            _ if target.starts_with('/') => (None, target),
            _ => return None,
        };
        let (path, query) = match resource.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (resource, None),
        };
        Some(Self {
            authority,
            path: if path.is_empty() { "/" } else { path },
            query,
        })
    }
}
