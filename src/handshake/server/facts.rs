//! The rules for the lines of a request (RFC 6455 §4.2.1), and the facts learned from them.

use crate::buffer::{prefix, suffix};
use crate::extension::{self, is_token_char};
use crate::handshake::http::body::Framing;
use crate::handshake::http::head::HeadRules;
use crate::handshake::http::names::{
    self, CONNECTION, CONTENT_LENGTH, EXTENSIONS, HOST, KEY, ORIGIN, PROTOCOL, TRANSFER_ENCODING,
    UPGRADE, VERSION,
};
use crate::handshake::http::{InvalidVersion, VERSION_LEN, ascii, lists, next_of_version, once};
use crate::handshake::{HandshakeError, key::checked_key};
use crate::uri::{Authority, split_authority, split_once, split_scheme};
use core::{mem, str};

/// The facts learned from the lines of a request.
#[derive(Default)]
pub(super) struct RequestFacts {
    /// Whether any HTTP request is accepted. Then a fault that concerns only WebSocket is kept
    /// until it is known whether the request asks for one.
    pub(super) any: bool,
    /// The first fault that was kept.
    fault: Option<HandshakeError>,
    /// Whether an empty line preceded the request line.
    empty_line: bool,
    /// The length of the method, or 0 until it is complete.
    pub(super) method_len: usize,
    is_get: bool,
    /// The length of the target, or 0 until it is complete.
    pub(super) target_len: usize,
    pub(super) version: (u8, u8),
    host: bool,
    origin: bool,
    /// Whether `Upgrade` contains `websocket`, if it is present.
    upgrade: Option<bool>,
    connection: bool,
    /// Whether `Connection` contains `close`.
    close: bool,
    key: Option<[u8; 24]>,
    websocket_version: bool,
    /// The number of elements of the list, if it is present.
    subprotocols: Option<usize>,
    /// The number of elements of the list, if it is present.
    extensions: Option<usize>,
    pub(super) framing: Framing,
}

impl RequestFacts {
    /// Begins the facts of a head: of any HTTP request, or only of one for WebSocket.
    pub(super) fn new(any: bool) -> Self {
        Self {
            any,
            ..Self::default()
        }
    }

    /// Begins the facts of a GET of which another library parsed the request line.
    pub(super) fn of_get(version: (u8, u8)) -> Self {
        Self {
            is_get: true,
            version,
            ..Self::default()
        }
    }

    /// Returns the key of a complete request.
    pub(super) fn key(&self) -> [u8; 24] {
        debug_assert!(self.key.is_some(), "a request without a key is invalid");
        self.key.unwrap_or_default()
    }

    /// Returns whether the request asks to switch to WebSocket, validly or not. `Upgrade` has no
    /// meaning in HTTP/1.0, nor without the option of that name in `Connection` (RFC 9110 §7.8).
    pub(super) const fn asks_for_upgrade(&self) -> bool {
        self.is_get
            && matches!(self.version, (1, 1..))
            && matches!(self.upgrade, Some(true))
            && self.connection
    }

    /// Returns whether the client expects the connection to persist (RFC 9112 §9.3). A connection
    /// of HTTP/1.0 never does.
    pub(super) const fn persists(&self) -> bool {
        !self.close && matches!(self.version, (1, 1..))
    }

    /// Keeps the fault, if it may turn out to be none.
    fn keep(&mut self, fault: HandshakeError) -> Result<(), HandshakeError> {
        if !self.any {
            return Err(fault);
        }
        self.fault.get_or_insert(fault);
        Ok(())
    }

    /// Checks a header that is not part of HTTP, but of the opening handshake.
    fn handshake_header(&mut self, name: &'static str, value: &[u8]) -> Result<(), HandshakeError> {
        match name {
            ORIGIN => once(mem::replace(&mut self.origin, true), ORIGIN),
            UPGRADE => {
                let (mut websocket, mut valid) = (false, true);
                for protocol in lists::elements(value) {
                    websocket |= protocol.eq_ignore_ascii_case(b"websocket");
                    valid &= lists::is_protocol(protocol);
                }
                let before = self.upgrade;
                self.upgrade = Some(websocket || before.unwrap_or_default());
                once(before.is_some(), UPGRADE)?;
                valid
                    .then_some(())
                    .ok_or(HandshakeError::InvalidHeader(UPGRADE))
            }
            CONNECTION => {
                let mut valid = true;
                for option in lists::elements(value) {
                    self.connection |= option.eq_ignore_ascii_case(b"upgrade");
                    self.close |= option.eq_ignore_ascii_case(b"close");
                    valid &= lists::is_token(option);
                }
                valid
                    .then_some(())
                    .ok_or(HandshakeError::InvalidHeader(CONNECTION))
            }
            KEY => {
                once(self.key.is_some(), KEY)?;
                self.key = Some(checked_key(value).ok_or(HandshakeError::InvalidHeader(KEY))?);
                Ok(())
            }
            VERSION => {
                once(mem::replace(&mut self.websocket_version, true), VERSION)?;
                if value == b"13" {
                    Ok(())
                } else {
                    Err(HandshakeError::UnsupportedWebSocketVersion)
                }
            }
            PROTOCOL => {
                *self.subprotocols.get_or_insert(0) +=
                    lists::count(PROTOCOL, value, lists::is_token)?;
                Ok(())
            }
            EXTENSIONS => {
                let offers = self.extensions.get_or_insert(0);
                Ok(extension::parse(value).try_for_each(|offer| offer.map(|_| *offers += 1))?)
            }
            // The bytes after the head would be parsed as frames here, but as a body by a proxy in
            // front.
            CONTENT_LENGTH if value.is_empty() || value.iter().any(|&digit| digit != b'0') => {
                Err(HandshakeError::UnexpectedBody)
            }
            TRANSFER_ENCODING => Err(HandshakeError::UnexpectedBody),
            _ => Ok(()),
        }
    }

    /// Checks a header of an extended CONNECT. The headers that belong to the connection in
    /// HTTP/1.1 must not occur (RFC 9113 §8.2.2), and there is no key (RFC 8441 §5).
    pub(super) fn connect_header(
        &mut self,
        name: &[u8],
        value: &[u8],
        authority: &str,
    ) -> Result<(), HandshakeError> {
        match names::known(name) {
            Some(name @ (CONNECTION | UPGRADE | TRANSFER_ENCODING)) => {
                Err(HandshakeError::UnexpectedHeader(name))
            }
            Some(CONTENT_LENGTH) => Err(HandshakeError::UnexpectedBody),
            // RFC 9113 §8.3.1
            Some(HOST) if !value.eq_ignore_ascii_case(authority.as_bytes()) => {
                Err(HandshakeError::InvalidHeader(HOST))
            }
            // 426 would need `Upgrade`, so the version is a header like any other.
            Some(VERSION) if value != b"13" => Err(HandshakeError::InvalidHeader(VERSION)),
            Some(name @ (ORIGIN | VERSION | PROTOCOL | EXTENSIONS)) => {
                self.handshake_header(name, value)
            }
            _ => Ok(()),
        }
    }

    /// Checks the complete head of an extended CONNECT.
    pub(super) const fn connect_end(&self) -> Result<(), HandshakeError> {
        if !self.websocket_version {
            return Err(HandshakeError::MissingHeader(VERSION));
        }
        self.lists_end()
    }

    /// The grammar requires at least one element in all lines together.
    const fn lists_end(&self) -> Result<(), HandshakeError> {
        match self {
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

impl HeadRules for RequestFacts {
    fn start_line(&mut self, line: &[u8], byte: u8, rest: &[u8]) -> Result<usize, HandshakeError> {
        if self.method_len == 0 {
            return match byte {
                b' ' if !line.is_empty() => {
                    self.method_len = line.len();
                    self.is_get = line == b"GET";
                    if self.is_get {
                        Ok(0)
                    } else {
                        self.keep(HandshakeError::MethodNotAllowed).map(|()| 0)
                    }
                }
                // One empty line before the request line is skipped (RFC 9112 §2.2).
                b'\r' if line.is_empty() && !mem::replace(&mut self.empty_line, true) => Ok(0),
                _ if is_token_char(byte) => Ok(0),
                _ => Err(HandshakeError::InvalidRequestLine),
            };
        }
        let after_method = suffix(line, self.method_len + 1);
        if self.target_len == 0 {
            return match byte {
                b' ' => {
                    self.target_len = after_method.len();
                    let method = prefix(line, self.method_len);
                    check_target(method, ascii(after_method)).map(|()| 0)
                }
                b'\r' => Err(HandshakeError::InvalidRequestLine),
                _ if is_target_char(byte) => Ok(rest
                    .iter()
                    .take_while(|&&byte| is_target_char(byte))
                    .count()),
                _ => Err(HandshakeError::InvalidTarget),
            };
        }
        match (suffix(after_method, self.target_len + 1), byte) {
            (version, _) if version.len() < VERSION_LEN => {
                match next_of_version(version, byte) {
                    Ok(Some(version)) => {
                        self.version = version;
                        match (version, check_version(version)) {
                            (_, Ok(())) => {}
                            ((1, 0), Err(fault)) => self.keep(fault)?,
                            (_, Err(fault)) => return Err(fault),
                        }
                    }
                    Ok(None) => {}
                    Err(InvalidVersion) => return Err(HandshakeError::InvalidRequestLine),
                }
                Ok(0)
            }
            (_, b'\r') => Ok(0),
            _ => Err(HandshakeError::InvalidRequestLine),
        }
    }

    fn header(&mut self, name: &[u8], value: &[u8]) -> Result<(), HandshakeError> {
        match names::known(name) {
            None => Ok(()),
            Some(HOST) => {
                once(mem::replace(&mut self.host, true), HOST)?;
                let host = str::from_utf8(value)
                    .ok()
                    .and_then(|host| Authority::parse(host).ok());
                host.map(|_| ()).ok_or(HandshakeError::InvalidHeader(HOST))
            }
            Some(name) => {
                if self.any && matches!(name, CONTENT_LENGTH | TRANSFER_ENCODING) {
                    self.framing.header(name, value)?;
                }
                self.handshake_header(name, value)
                    .or_else(|fault| self.keep(fault))
            }
        }
    }

    fn end(&self) -> Result<(), HandshakeError> {
        if self.any && !self.asks_for_upgrade() {
            // RFC 9112 §3.2
            if !self.host && self.version != (1, 0) {
                return Err(HandshakeError::MissingHeader(HOST));
            }
            return self.framing.of_request(self.version).map(drop);
        }
        match self {
            Self {
                fault: Some(fault), ..
            } => Err(*fault),
            Self { host: false, .. } => Err(HandshakeError::MissingHeader(HOST)),
            Self {
                upgrade: None | Some(false),
                ..
            } => Err(HandshakeError::MissingUpgrade),
            Self {
                connection: false, ..
            } => Err(HandshakeError::MissingConnectionUpgrade),
            Self { key: None, .. } => Err(HandshakeError::MissingHeader(KEY)),
            Self {
                websocket_version: false,
                ..
            } => Err(HandshakeError::UnsupportedWebSocketVersion),
            _ => self.lists_end(),
        }
    }
}

pub(super) const fn check_version((major, minor): (u8, u8)) -> Result<(), HandshakeError> {
    match (major, minor) {
        // In HTTP/1.0, `Upgrade` has no meaning (RFC 9110 §7.8); from 2 on, the protocol has no
        // such request.
        (1, 1..) => Ok(()),
        _ => Err(HandshakeError::UnsupportedHttpVersion { major, minor }),
    }
}

/// Returns whether the byte is visible and not `#`. More than RFC 3986 permits, since browsers do
/// not percent-encode all other characters.
pub(super) const fn is_target_char(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'#'
}

/// Checks that the target has a form that the method permits (RFC 9112 §3.2).
pub(super) fn check_target(method: &[u8], target: &str) -> Result<(), HandshakeError> {
    let is_valid = match method {
        b"CONNECT" => Authority::parse(target).is_ok_and(|authority| authority.port.is_some()),
        b"OPTIONS" if target == "*" => true,
        _ => Target::parse(target).is_some(),
    };
    if is_valid {
        Ok(())
    } else if target.is_empty() {
        Err(HandshakeError::InvalidRequestLine)
    } else {
        Err(HandshakeError::InvalidTarget)
    }
}

/// The schemes of an absolute target: those of HTTP, and those of WebSocket (RFC 6455 §3), which
/// some clients send.
const SCHEMES: [&str; 4] = ["http", "https", "ws", "wss"];

/// A request target (RFC 9112 §3.2) in one of the two forms that name a resource.
pub(super) struct Target<'a> {
    pub(super) authority: Option<&'a str>,
    pub(super) path: &'a str,
    pub(super) query: Option<&'a str>,
}

impl<'a> Target<'a> {
    pub(super) fn parse(target: &'a str) -> Option<Self> {
        let (authority, resource) = if target.starts_with('/') {
            (None, target)
        } else {
            let (scheme, rest) = split_scheme(target)?;
            if !SCHEMES
                .iter()
                .any(|known| scheme.eq_ignore_ascii_case(known))
            {
                return None;
            }
            let (authority, resource) = split_authority(rest);
            Authority::parse(authority).ok()?;
            (Some(authority), resource)
        };
        let (path, query) = match split_once(resource, b'?') {
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
