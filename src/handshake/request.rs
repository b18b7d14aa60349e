//! The client's opening handshake as the server reads it (RFC 6455 §4.2.1).

use super::{
    Accept, Extension, HandshakeError, HeadLimits, Reject,
    extension::extensions,
    fields::{self, CONNECTION, CONTENT_LENGTH, EXTENSIONS, Fields, HOST, KEY, ORIGIN, PROTOCOL, TRANSFER_ENCODING, UPGRADE, VERSION},
    head::{Message, Parser},
    key::checked_key,
    origin::Origin,
};
use crate::uri::{Authority, split_authority};
use core::{mem, str};

/// A valid request to open a WebSocket connection (RFC 6455 §4.2.1).
///
/// All that the RFC demands of it was checked. Nothing in it is to be trusted all the same: whoever sent it need not be a
/// browser, and can write into any field what it likes (§10.1).
///
/// It borrows the bytes that it was read from. Answer it with [`accept`](Self::accept) or [`reject`](Self::reject).
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    target: &'a str,
    fields: Fields<'a>,
    key: [u8; 24],
}

impl<'a> Request<'a> {
    /// Parses a request at the front of `head`, and returns it with its length in bytes, or `None` if it is not complete.
    ///
    /// It starts from the beginning each time; [`ServerHandshake`](super::ServerHandshake) reads on where it stopped.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] names the first fault, which may be found before the request is complete.
    pub fn parse(head: &'a [u8], limits: &HeadLimits) -> Result<Option<(Self, usize)>, HandshakeError> {
        let mut parser = Parser::new(*limits, RequestFacts::default());
        let Some(len) = parser.advance(head)? else { return Ok(None) };
        Ok(Some((Self::in_head(head.get(..len).unwrap_or_default(), parser.message()), len)))
    }

    /// Checks a request whose HTTP something else parsed, by the same rules.
    ///
    /// `version` is the HTTP version, such as `(1, 1)`.
    ///
    /// ```
    /// use ws_proto::handshake::{HandshakeError, Request};
    ///
    /// let fields: [(&str, &[u8]); 5] = [
    ///     ("host", b"example.com"),
    ///     ("upgrade", b"websocket"),
    ///     ("connection", b"keep-alive, Upgrade"),
    ///     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    ///     ("sec-websocket-version", b"13"),
    /// ];
    /// let request = Request::from_fields("GET", "/chat", (1, 1), &fields)?;
    /// assert_eq!(request.path(), "/chat");
    /// # Ok::<(), HandshakeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] names the first fault.
    pub fn from_fields(
        method: &str,
        target: &'a str,
        version: (u8, u8),
        fields: &'a [(&'a str, &'a [u8])],
    ) -> Result<Self, HandshakeError> {
        check_request_line(method, target, version)?;
        let mut facts = RequestFacts::default();
        let fields = Fields::elsewhere(fields, |name, value| facts.field(name, value))?;
        facts.end()?;
        Ok(Self { target, fields, key: facts.key.unwrap_or_default() })
    }

    pub(super) fn in_head(head: &'a [u8], facts: &RequestFacts) -> Self {
        let target = head.get(METHOD.len()..METHOD.len() + facts.target_len).unwrap_or_default();
        Self { target: str::from_utf8(target).unwrap_or_default(), fields: Fields::in_head(head), key: facts.key.unwrap_or_default() }
    }

    /// Answers that the connection is open, once [`Accept::write`] was called.
    pub const fn accept(&self) -> Accept<'a> {
        Accept::new(*self)
    }

    /// Answers with an HTTP status from 300 to 599, once [`Reject::write`] was called, and ends the handshake: 403 for an
    /// origin that is not wanted, 404 for a resource that does not exist (§4.2.2), 401, a redirect.
    pub const fn reject(&self, status: u16) -> Reject<'a> {
        Reject::new(status)
    }

    /// The request target as it came: path and query, or an absolute URI (§4.2.1).
    #[must_use]
    pub const fn target(&self) -> &'a str {
        self.target
    }

    /// The path, which begins with `/`, as it came: percent-encoding is not undone.
    #[must_use]
    pub fn path(&self) -> &'a str {
        self.split_target().path
    }

    /// The query without its `?`, if there is one, as it came.
    #[must_use]
    pub fn query(&self) -> Option<&'a str> {
        self.split_target().query
    }

    /// The host that the client wants, with the port if it named one: from the target if that is an absolute URI
    /// (RFC 9112 §3.2.2), and else from the `Host` field.
    #[must_use]
    pub fn host(&self) -> &'a str {
        let host = || self.fields.get(HOST).and_then(|host| str::from_utf8(host).ok());
        self.split_target().authority.or_else(host).unwrap_or_default()
    }

    /// All fields, in order.
    #[must_use]
    pub const fn fields(&self) -> &Fields<'a> {
        &self.fields
    }

    /// The subprotocols that the client would speak, the most wanted first (§4.2.1).
    pub fn protocols(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.fields.get_all(PROTOCOL).flat_map(fields::list).filter_map(|name| str::from_utf8(name).ok())
    }

    /// The extensions that the client offers, in order (§9.1).
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'a>> + use<'a> {
        self.fields.get_all(EXTENSIONS).flat_map(extensions).filter_map(Result::ok)
    }

    /// The value of `Origin`, as it came. Browsers always send one, and other clients need not (§4.2.1); a request with
    /// several is refused.
    #[must_use]
    pub fn origin(&self) -> Option<&'a [u8]> {
        self.fields.get(ORIGIN)
    }

    /// Whether the page that opened the connection came from this very server (§10.2): the origin's scheme is `https` if
    /// `secure`, which says whether the connection is under TLS, and `http` if not, and its host and port are those of
    /// [`host`](Self::host).
    ///
    /// Without such a check, a page of any site can act in the name of a user who has a cookie here. The answer is `false` if
    /// there is no `Origin`, if it is `null`, and if it is anything but `scheme://host[:port]`. To let clients in that are not
    /// browsers, ask `request.origin().is_none() || request.is_same_origin(secure)`.
    #[must_use]
    pub fn is_same_origin(&self, secure: bool) -> bool {
        let here = Authority::parse(self.host()).ok().map(|authority| Origin::new(if secure { "https" } else { "http" }, authority));
        self.parsed_origin().is_some_and(|origin| Some(origin) == here)
    }

    /// Whether the page that opened the connection came from one of these origins, such as `https://example.com`, compared by
    /// scheme, host and port exactly (§10.2).
    ///
    /// As with [`is_same_origin`](Self::is_same_origin), the answer is `false` without an `Origin` and for `null`, even if
    /// `allowed` contains it.
    #[must_use]
    pub fn origin_is_one_of(&self, allowed: &[&str]) -> bool {
        self.parsed_origin().is_some_and(|origin| allowed.iter().any(|allowed| Origin::parse(allowed) == Some(origin)))
    }

    pub(super) const fn key(&self) -> &[u8; 24] {
        &self.key
    }

    fn parsed_origin(&self) -> Option<Origin<'a>> {
        Origin::parse(str::from_utf8(self.origin()?).ok()?)
    }

    fn split_target(&self) -> Target<'a> {
        Target::parse(self.target).unwrap_or(Target { authority: None, path: self.target, query: None })
    }
}

/// Its length leads to the target.
const METHOD: &str = "GET ";

/// What is to know of a request whose fields are read one after the other.
#[derive(Default)]
pub(super) struct RequestFacts {
    target_len: usize,
    host: bool,
    origin: bool,
    /// Whether `Upgrade` names `websocket`, if it is there.
    upgrade: Option<bool>,
    connection: bool,
    key: Option<[u8; 24]>,
    version: bool,
    /// How many elements the lists have, if they are there.
    protocols: Option<usize>,
    extensions: Option<usize>,
}

impl Message for RequestFacts {
    fn start_line(&mut self, line: &[u8]) -> Result<(), HandshakeError> {
        let line = str::from_utf8(line).map_err(|_| HandshakeError::RequestLine)?;
        let mut words = line.split(' ');
        let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next()) else {
            return Err(HandshakeError::RequestLine);
        };
        let version = parse_version(version.as_bytes()).ok_or(HandshakeError::RequestLine)?;
        self.target_len = target.len();
        check_request_line(method, target, version)
    }

    fn field(&mut self, name: &str, value: &[u8]) -> Result<(), HandshakeError> {
        match fields::known(name) {
            Some(HOST) => {
                once(mem::replace(&mut self.host, true), HOST)?;
                let host = str::from_utf8(value).ok().and_then(|host| Authority::parse(host).ok());
                host.map(|_| ()).ok_or(HandshakeError::Invalid(HOST))
            }
            Some(ORIGIN) => once(mem::replace(&mut self.origin, true), ORIGIN),
            Some(UPGRADE) => once(self.upgrade.replace(fields::list_contains(value, "websocket")).is_some(), UPGRADE),
            Some(CONNECTION) => {
                self.connection |= fields::list_contains(value, UPGRADE);
                Ok(())
            }
            Some(KEY) => {
                once(self.key.is_some(), KEY)?;
                self.key = Some(checked_key(value).ok_or(HandshakeError::Invalid(KEY))?);
                Ok(())
            }
            Some(VERSION) => {
                once(mem::replace(&mut self.version, true), VERSION)?;
                if value == b"13" { Ok(()) } else { Err(HandshakeError::WebSocketVersion) }
            }
            Some(PROTOCOL) => {
                let valid = fields::list(value).all(fields::is_token);
                *self.protocols.get_or_insert(0) += fields::list(value).count();
                if valid { Ok(()) } else { Err(HandshakeError::Invalid(PROTOCOL)) }
            }
            Some(EXTENSIONS) => {
                let offers = self.extensions.get_or_insert(0);
                extensions(value).try_for_each(|offer| offer.map(|_| *offers += 1)).map_err(|_| HandshakeError::Invalid(EXTENSIONS))
            }
            // What follows the head would be read as frames by us and as a body by whatever stands before us.
            Some(CONTENT_LENGTH) if value.is_empty() || value.iter().any(|&digit| digit != b'0') => Err(HandshakeError::Body),
            Some(TRANSFER_ENCODING) => Err(HandshakeError::Body),
            _ => Ok(()),
        }
    }

    fn end(&self) -> Result<(), HandshakeError> {
        match self {
            Self { host: false, .. } => Err(HandshakeError::Missing(HOST)),
            Self { upgrade: None | Some(false), .. } => Err(HandshakeError::Upgrade),
            Self { connection: false, .. } => Err(HandshakeError::Connection),
            Self { key: None, .. } => Err(HandshakeError::Missing(KEY)),
            Self { version: false, .. } => Err(HandshakeError::WebSocketVersion),
            // The grammar wants at least one element, over all lines.
            Self { protocols: Some(0), .. } => Err(HandshakeError::Invalid(PROTOCOL)),
            Self { extensions: Some(0), .. } => Err(HandshakeError::Invalid(EXTENSIONS)),
            _ => Ok(()),
        }
    }
}

/// Refuses a second field with this name.
pub(super) fn once(seen: bool, name: &'static str) -> Result<(), HandshakeError> {
    if seen { Err(HandshakeError::Duplicate(name)) } else { Ok(()) }
}

/// `HTTP/1.1` as `(1, 1)` (RFC 9112 §2.3).
pub(super) fn parse_version(version: &[u8]) -> Option<(u8, u8)> {
    match version {
        [b'H', b'T', b'T', b'P', b'/', major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9'] => Some((major - b'0', minor - b'0')),
        _ => None,
    }
}

fn check_request_line(method: &str, target: &str, version: (u8, u8)) -> Result<(), HandshakeError> {
    if !fields::is_token(method.as_bytes()) || target.is_empty() {
        return Err(HandshakeError::RequestLine);
    }
    if method != METHOD.trim_end() {
        return Err(HandshakeError::Method);
    }
    match version {
        // In HTTP/1.0, `Upgrade` means nothing (RFC 9110 §7.8); from 2 on, the protocol has no such request.
        (1, 1..) => {}
        _ => return Err(HandshakeError::HttpVersion),
    }
    Target::parse(target).map(|_| ()).ok_or(HandshakeError::Target)
}

/// A request target (RFC 9112 §3.2) in one of the two forms that name a resource.
struct Target<'a> {
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Target<'a> {
    /// Takes all visible characters but `#`: browsers do not encode all that RFC 3986 wants to be encoded.
    fn parse(target: &'a str) -> Option<Self> {
        if !target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#') {
            return None;
        }
        let (authority, resource) = match target.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https") => {
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
        Some(Self { authority, path: if path.is_empty() { "/" } else { path }, query })
    }
}
