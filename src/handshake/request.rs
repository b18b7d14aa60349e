//! The client's opening handshake as the server reads it (RFC 6455 §4.2.1).

use super::{
    Accept, Extension, HandshakeError, HeadLimits, Reject,
    extension::extensions,
    fields::{
        self, CONNECTION, CONTENT_LENGTH, EXTENSIONS, HOST, Headers, KEY, ORIGIN, PROTOCOL,
        TRANSFER_ENCODING, UPGRADE, VERSION,
    },
    head::{Message, Parser},
    key::checked_key,
    origin::Origin,
};
use crate::uri::{Authority, split_authority};
use core::{fmt, mem, str};

/// A valid request to open a WebSocket connection (RFC 6455 §4.2.1).
///
/// All that the RFC demands of it was checked. Nothing in it is to be trusted all the same: whoever
/// sent it need not be a browser, and can write into any field what it likes (§10.1).
///
/// It borrows the bytes that it was read from. Answer it with [`accept`](Self::accept) or
/// [`reject`](Self::reject).
#[derive(Clone, Copy)]
pub struct Request<'a> {
    target: &'a str,
    fields: Headers<'a>,
    key: [u8; 24],
}

impl<'a> Request<'a> {
    /// Parses a request at the front of `head`, and returns it with its length in bytes, or `None`
    /// if it is not complete.
    ///
    /// It starts from the beginning each time; [`ServerHandshake`](super::ServerHandshake) reads on
    /// where it stopped.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] names the first fault, at the first byte that makes it certain.
    pub fn parse(
        head: &'a [u8],
        limits: &HeadLimits,
    ) -> Result<Option<(Self, usize)>, HandshakeError> {
        let mut parser = Parser::new(*limits, RequestFacts::default());
        let Some(len) = parser.advance(head)? else {
            return Ok(None);
        };
        Ok(Some((
            Self::in_head(head.get(..len).unwrap_or_default(), parser.message()),
            len,
        )))
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
    /// let request = Request::from_headers("GET", "/chat", (1, 1), &fields)?;
    /// assert_eq!(request.path(), "/chat");
    /// # Ok::<(), HandshakeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] names the first fault.
    pub fn from_headers(
        method: &str,
        target: &'a str,
        version: (u8, u8),
        fields: &'a [(&'a str, &'a [u8])],
    ) -> Result<Self, HandshakeError> {
        match method.as_bytes() {
            b"GET" => {}
            method if fields::is_token(method) => return Err(HandshakeError::MethodNotAllowed),
            _ => return Err(HandshakeError::InvalidRequestLine),
        }
        if !target.bytes().all(is_target_char) {
            return Err(HandshakeError::InvalidTarget);
        }
        check_target(target)?;
        check_version(version)?;
        let mut facts = RequestFacts::default();
        let fields = Headers::elsewhere(fields, |name, value| facts.field(name, value))?;
        facts.end()?;
        Ok(Self {
            target,
            fields,
            key: facts.key.unwrap_or_default(),
        })
    }

    pub(super) fn in_head(head: &'a [u8], facts: &RequestFacts) -> Self {
        let head = head.strip_prefix(b"\r\n").unwrap_or(head);
        let target = head
            .get(METHOD.len()..METHOD.len() + facts.target_len)
            .unwrap_or_default();
        Self {
            target: str::from_utf8(target).unwrap_or_default(),
            fields: Headers::in_head(head),
            key: facts.key.unwrap_or_default(),
        }
    }

    /// Answers that the connection is open, once [`Accept::write`] was called.
    pub const fn accept(&self) -> Accept<'a> {
        Accept::new(*self)
    }

    /// Answers with an HTTP status from 300 to 599, once [`Reject::write`] was called, and ends the
    /// handshake: 403 for an origin that is not wanted, 404 for a resource that does not exist
    /// (§4.2.2), 401, a redirect.
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

    /// The host that the client wants, with the port if it named one: from the target if that is an
    /// absolute URI (RFC 9112 §3.2.2), and else from the `Host` field.
    #[must_use]
    pub fn host(&self) -> &'a str {
        let host = || {
            self.fields
                .get(HOST)
                .and_then(|host| str::from_utf8(host).ok())
        };
        self.split_target()
            .authority
            .or_else(host)
            .unwrap_or_default()
    }

    /// All fields, in order.
    #[must_use]
    pub const fn headers(&self) -> &Headers<'a> {
        &self.fields
    }

    /// The subprotocols that the client would speak, the most wanted first (§4.2.1).
    pub fn subprotocols(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.fields
            .get_all(PROTOCOL)
            .flat_map(fields::list)
            .filter_map(|name| str::from_utf8(name).ok())
    }

    /// The extensions that the client offers, in order (§9.1).
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'a>> + use<'a> {
        self.fields
            .get_all(EXTENSIONS)
            .flat_map(extensions)
            .filter_map(Result::ok)
    }

    /// The value of `Origin`, as it came. Browsers always send one, and other clients need not
    /// (§4.2.1); a request with several is refused.
    #[must_use]
    pub fn origin(&self) -> Option<&'a [u8]> {
        self.fields.get(ORIGIN)
    }

    /// Whether the page that opened the connection came from this very server (§10.2): the origin's
    /// scheme is `https` if `secure`, which says whether the connection is under TLS, and
    /// `http` if not, and its host and port are those of [`host`](Self::host).
    ///
    /// Without such a check, a page of any site can act in the name of a user who has a cookie
    /// here. The answer is `false` if there is no `Origin`, if it is `null`, and if it is
    /// anything but `scheme://host[:port]`. To let clients in that are not browsers, ask
    /// `request.origin().is_none() || request.is_same_origin(secure)`.
    #[must_use]
    pub fn is_same_origin(&self, secure: bool) -> bool {
        let here = Authority::parse(self.host())
            .ok()
            .map(|authority| Origin::new(if secure { "https" } else { "http" }, authority));
        self.parsed_origin()
            .is_some_and(|origin| Some(origin) == here)
    }

    /// Whether the page that opened the connection came from one of these origins, such as `https://example.com`, compared by
    /// scheme, host and port exactly (§10.2).
    ///
    /// As with [`is_same_origin`](Self::is_same_origin), the answer is `false` without an `Origin`
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
        Target::parse(self.target).unwrap_or(Target {
            authority: None,
            path: self.target,
            query: None,
        })
    }
}

/// Shows the path and the names of the fields only: query and values may be secrets.
impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("path", &self.path())
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}

/// The method of every request, and the space after it.
const METHOD: &[u8] = b"GET ";

/// What is to know of a request whose fields are read one after the other.
#[derive(Default)]
pub(super) struct RequestFacts {
    /// Whether an empty line came before the request line.
    empty_line: bool,
    /// The length of the target, or 0 until it is complete.
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
    fn start_line(&mut self, line: &[u8], byte: u8) -> Result<(), HandshakeError> {
        let Some(rest) = line.strip_prefix(METHOD) else {
            return match byte {
                b' ' if line == b"GET" => Ok(()),
                b' ' if !line.is_empty() => Err(HandshakeError::MethodNotAllowed),
                // One empty line before the request line is skipped (RFC 9112 §2.2).
                b'\r' if line.is_empty() && !mem::replace(&mut self.empty_line, true) => Ok(()),
                _ if fields::is_token_char(byte) => Ok(()),
                _ => Err(HandshakeError::InvalidRequestLine),
            };
        };
        if self.target_len == 0 {
            return match byte {
                b' ' => {
                    self.target_len = rest.len();
                    check_target(str::from_utf8(rest).unwrap_or_default())
                }
                b'\r' => Err(HandshakeError::InvalidRequestLine),
                _ if is_target_char(byte) => Ok(()),
                _ => Err(HandshakeError::InvalidTarget),
            };
        }
        match (rest.get(self.target_len + 1..).unwrap_or_default(), byte) {
            (version, _) if version.len() < VERSION_LEN => match next_of_version(version, byte) {
                Some(Some(version)) => check_version(version),
                Some(None) => Ok(()),
                None => Err(HandshakeError::InvalidRequestLine),
            },
            (_, b'\r') => Ok(()),
            _ => Err(HandshakeError::InvalidRequestLine),
        }
    }

    fn field(&mut self, name: &str, value: &[u8]) -> Result<(), HandshakeError> {
        match fields::known(name) {
            Some(HOST) => {
                once(mem::replace(&mut self.host, true), HOST)?;
                let host = str::from_utf8(value)
                    .ok()
                    .and_then(|host| Authority::parse(host).ok());
                host.map(|_| ()).ok_or(HandshakeError::InvalidHeader(HOST))
            }
            Some(ORIGIN) => once(mem::replace(&mut self.origin, true), ORIGIN),
            Some(UPGRADE) => {
                once(
                    self.upgrade
                        .replace(fields::list_contains(value, "websocket"))
                        .is_some(),
                    UPGRADE,
                )?;
                fields::count(UPGRADE, value, fields::is_protocol).map(drop)
            }
            Some(CONNECTION) => {
                fields::count(CONNECTION, value, fields::is_token)?;
                self.connection |= fields::list_contains(value, UPGRADE);
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
                *self.protocols.get_or_insert(0) +=
                    fields::count(PROTOCOL, value, fields::is_token)?;
                Ok(())
            }
            Some(EXTENSIONS) => {
                let offers = self.extensions.get_or_insert(0);
                extensions(value)
                    .try_for_each(|offer| offer.map(|_| *offers += 1))
                    .map_err(|_| HandshakeError::InvalidHeader(EXTENSIONS))
            }
            // What follows the head would be read as frames by us and as a body by whatever stands
            // before us.
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
            // The grammar wants at least one element, over all lines.
            Self {
                protocols: Some(0), ..
            } => Err(HandshakeError::InvalidHeader(PROTOCOL)),
            Self {
                extensions: Some(0),
                ..
            } => Err(HandshakeError::InvalidHeader(EXTENSIONS)),
            _ => Ok(()),
        }
    }
}

/// Refuses a second field with this name.
pub(super) fn once(seen: bool, name: &'static str) -> Result<(), HandshakeError> {
    if seen {
        Err(HandshakeError::DuplicateHeader(name))
    } else {
        Ok(())
    }
}

/// The length of `HTTP/1.1`.
pub(super) const VERSION_LEN: usize = 8;

/// Reads the next byte of an HTTP version (RFC 9112 §2.3), of which the bytes `before` were read.
/// Returns `None` if it cannot be there, and `Some(Some((1, 1)))` if it completes `HTTP/1.1`.
pub(super) fn next_of_version(before: &[u8], byte: u8) -> Option<Option<(u8, u8)>> {
    match (before, byte) {
        ([_, _, _, _, _], b'0'..=b'9') | ([_, _, _, _, _, _], b'.') => Some(None),
        ([_, _, _, _, _, major @ b'0'..=b'9', _], b'0'..=b'9') => {
            Some(Some((major - b'0', byte - b'0')))
        }
        _ if b"HTTP/".get(before.len()) == Some(&byte) => Some(None),
        _ => None,
    }
}

const fn check_version((major, minor): (u8, u8)) -> Result<(), HandshakeError> {
    match (major, minor) {
        // In HTTP/1.0, `Upgrade` means nothing (RFC 9110 §7.8); from 2 on, the protocol has no such
        // request.
        (1, 1..) => Ok(()),
        _ => Err(HandshakeError::UnsupportedHttpVersion { major, minor }),
    }
}

/// Visible characters but `#`: browsers do not encode all that RFC 3986 wants to be encoded.
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
