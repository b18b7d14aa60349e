//! The server's answer as the client reads it (RFC 6455 §4.1).

use super::{
    HandshakeError, HeadLimits, accept_key,
    extension::extensions,
    fields::{
        self, ACCEPT, CONNECTION, CONTENT_LENGTH, EXTENSIONS, Headers, PROTOCOL, TRANSFER_ENCODING,
        UPGRADE,
    },
    head::{Message, Parser},
    request::{VERSION_LEN, next_of_version, once},
};
use core::{fmt, mem, str};

/// A server's answer to a request to open a WebSocket connection (RFC 6455 §4.1): well-formed HTTP,
/// with any status.
///
/// It borrows the bytes that it was read from.
#[derive(Clone, Copy)]
pub struct Response<'a> {
    reason: &'a [u8],
    fields: Headers<'a>,
    facts: ResponseFacts,
}

impl<'a> Response<'a> {
    /// Parses a response at the front of `head`, and returns it with its length in bytes, or `None`
    /// if it is not complete.
    ///
    /// It starts from the beginning each time; [`ClientHandshake`](super::ClientHandshake) reads on
    /// where it stopped. An interim response (1xx) is returned like any other, where
    /// `ClientHandshake` would skip it.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] names the first fault, at the first byte that makes it certain.
    pub fn parse(
        head: &'a [u8],
        limits: &HeadLimits,
    ) -> Result<Option<(Self, usize)>, HandshakeError> {
        let mut parser = Parser::new(*limits, ResponseFacts::default());
        let Some(len) = parser.advance(head)? else {
            return Ok(None);
        };
        Ok(Some((
            Self::in_head(head.get(..len).unwrap_or_default(), parser.message()),
            len,
        )))
    }

    /// A response whose HTTP something else parsed.
    ///
    /// `version` is the HTTP version, such as `(1, 1)`.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] names the first fault.
    pub fn from_headers(
        version: (u8, u8),
        status: u16,
        fields: &'a [(&'a str, &'a [u8])],
    ) -> Result<Self, HandshakeError> {
        check_version(version)?;
        if !(100..=999).contains(&status) {
            return Err(HandshakeError::InvalidStatusLine);
        }
        let mut facts = ResponseFacts {
            version,
            status,
            ..ResponseFacts::default()
        };
        let fields = Headers::elsewhere(fields, |name, value| facts.field(name, value))?;
        facts.end()?;
        Ok(Self {
            reason: b"",
            fields,
            facts,
        })
    }

    pub(super) fn in_head(head: &'a [u8], facts: &ResponseFacts) -> Self {
        let reason = head
            .get(STATUS_LEN..STATUS_LEN + facts.reason_len)
            .unwrap_or_default();
        Self {
            reason,
            fields: Headers::in_head(head),
            facts: *facts,
        }
    }

    /// Checks that the server opened the connection, and returns the subprotocol in use.
    ///
    /// `key` is the request's `Sec-WebSocket-Key`, and `protocols` is the value of its
    /// `Sec-WebSocket-Protocol`, empty if it had
    /// none. [`ClientHandshake`](super::ClientHandshake) does this by itself; it is for those who
    /// wrote the request themselves.
    ///
    /// ```
    /// use ws_proto::handshake::{HandshakeError, Response};
    ///
    /// let fields: [(&str, &[u8]); 4] = [
    ///     ("upgrade", b"websocket"),
    ///     ("connection", b"Upgrade"),
    ///     ("sec-websocket-accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    ///     ("sec-websocket-protocol", b"chat"),
    /// ];
    /// let response = Response::from_headers((1, 1), 101, &fields)?;
    /// assert_eq!(
    ///     response.verify(b"dGhlIHNhbXBsZSBub25jZQ==", "superchat, chat")?,
    ///     Some("chat")
    /// );
    /// # Ok::<(), HandshakeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] names the first rule of §4.1 that the response breaks;
    /// [`HandshakeError::UnexpectedStatus`] if it is a refusal.
    pub fn verify(&self, key: &[u8], protocols: &str) -> Result<Option<&'a str>, HandshakeError> {
        self.verify_upgrade(key)?;
        if self.facts.extensions.is_some() {
            return Err(HandshakeError::ExtensionNotOffered);
        }
        self.verify_protocol(protocols)
    }

    /// The same for a request that offered permessage-deflate with
    /// [`Config::offer`](crate::deflate::Config::offer).
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify), and [`HandshakeError::InvalidExtensionParameter`] if the server's
    /// answer does not fit the offer.
    #[cfg(feature = "deflate")]
    pub fn verify_deflate(
        &self,
        key: &[u8],
        protocols: &str,
        config: &crate::deflate::Config,
    ) -> Result<(Option<&'a str>, Option<crate::deflate::Params>), HandshakeError> {
        self.verify_upgrade(key)?;
        let mut answers = self
            .fields
            .get_all(EXTENSIONS)
            .flat_map(extensions)
            .filter_map(Result::ok);
        let params = answers
            .next()
            .map(|answer| config.verify(&answer))
            .transpose()?;
        if answers.next().is_some() {
            return Err(HandshakeError::ExtensionNotOffered);
        }
        Ok((self.verify_protocol(protocols)?, params))
    }

    fn verify_upgrade(&self, key: &[u8]) -> Result<(), HandshakeError> {
        let facts = &self.facts;
        if facts.status != 101 {
            return Err(HandshakeError::UnexpectedStatus(facts.status));
        }
        if let (major, minor @ 0) = facts.version {
            return Err(HandshakeError::UnsupportedHttpVersion { major, minor });
        }
        if facts.upgrade != Some(true) {
            return Err(HandshakeError::MissingUpgrade);
        }
        if !facts.connection {
            return Err(HandshakeError::MissingConnectionUpgrade);
        }
        if self
            .fields
            .get(ACCEPT)
            .ok_or(HandshakeError::MissingHeader(ACCEPT))?
            != accept_key(key)
        {
            return Err(HandshakeError::InvalidHeader(ACCEPT));
        }
        Ok(())
    }

    fn verify_protocol(&self, protocols: &str) -> Result<Option<&'a str>, HandshakeError> {
        let Some(chosen) = self.fields.get(PROTOCOL) else {
            return Ok(None);
        };
        let requested = fields::list(protocols.as_bytes()).any(|protocol| protocol == chosen);
        let chosen = str::from_utf8(chosen).ok().filter(|_| requested);
        chosen
            .ok_or(HandshakeError::SubprotocolNotRequested)
            .map(Some)
    }

    /// The status code, from 100 to 999.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.facts.status
    }

    /// The reason phrase, which may be empty, and means nothing (RFC 9112 §4).
    #[must_use]
    pub const fn reason(&self) -> &'a [u8] {
        self.reason
    }

    /// All fields, in order.
    #[must_use]
    pub const fn headers(&self) -> &Headers<'a> {
        &self.fields
    }

    /// How the body is framed that follows this head (RFC 9112 §6.3).
    #[must_use]
    pub const fn body(&self) -> Body {
        match self.facts {
            ResponseFacts {
                status: 100..=199 | 204 | 304,
                ..
            } => Body::None,
            ResponseFacts {
                version: (1, 0),
                coding: Some(_),
                ..
            } => Body::UntilClose,
            ResponseFacts {
                coding: Some(Coding::Chunked),
                ..
            } => Body::Chunked,
            ResponseFacts {
                coding: Some(Coding::Other),
                ..
            } => Body::UntilClose,
            ResponseFacts {
                length: Some(0), ..
            } => Body::None,
            ResponseFacts {
                length: Some(length),
                ..
            } => Body::Length(length),
            ResponseFacts { length: None, .. } => Body::UntilClose,
        }
    }
}

/// Shows the status and the names of the fields only: values may be secrets.
impl fmt::Debug for Response<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status())
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}

/// How the body of a response is framed (RFC 9112 §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// There is none: what follows is not part of this response.
    None,
    /// It has so many bytes.
    Length(u64),
    /// It is in chunks (RFC 9112 §7.1).
    Chunked,
    /// It lasts until the connection ends.
    UntilClose,
}

/// The length of `HTTP/1.1 101 `, after which comes the reason.
const STATUS_LEN: usize = 13;

/// A proxy may refuse with HTTP/1.0.
const fn check_version((major, minor): (u8, u8)) -> Result<(), HandshakeError> {
    if major == 1 {
        Ok(())
    } else {
        Err(HandshakeError::UnsupportedHttpVersion { major, minor })
    }
}

/// What is to know of a response whose fields are read one after the other.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ResponseFacts {
    version: (u8, u8),
    status: u16,
    reason_len: usize,
    /// Whether `Upgrade` is `websocket`, if it is there.
    upgrade: Option<bool>,
    connection: bool,
    accept: bool,
    protocol: bool,
    /// How many extensions the server chose, if the field is there.
    extensions: Option<usize>,
    coding: Option<Coding>,
    length: Option<u64>,
}

/// The last transfer coding.
#[derive(Debug, Clone, Copy)]
enum Coding {
    Chunked,
    Other,
}

impl ResponseFacts {
    /// Whether another response will follow (RFC 9110 §15.2).
    #[cfg(feature = "alloc")]
    pub(super) const fn is_interim(&self) -> bool {
        matches!(self.status, 100 | 102..=199)
    }
}

impl Message for ResponseFacts {
    fn start_line(&mut self, line: &[u8], byte: u8) -> Result<(), HandshakeError> {
        match (line.len(), byte) {
            (..VERSION_LEN, _) => match next_of_version(line, byte) {
                Some(Some(version)) => {
                    self.version = version;
                    check_version(version)?;
                }
                Some(None) => {}
                None => return Err(HandshakeError::InvalidStatusLine),
            },
            (9, b'1'..=b'9') | (10 | 11, b'0'..=b'9') => {
                self.status = self.status * 10 + u16::from(byte - b'0')
            }
            // The second space may be missing if there is no reason.
            (8 | 12, b' ') | (12.., b'\r') => {}
            (STATUS_LEN.., _) if fields::is_field_value_char(byte) => self.reason_len += 1,
            _ => return Err(HandshakeError::InvalidStatusLine),
        }
        Ok(())
    }

    fn field(&mut self, name: &str, value: &[u8]) -> Result<(), HandshakeError> {
        let known = fields::known(name);
        match (self.status, known) {
            // 101 has no body, and what it says of one is to be ignored (RFC 9110 §15.2, RFC 9112
            // §6.3).
            (101, Some(UPGRADE)) => {
                once(
                    self.upgrade
                        .replace(value.eq_ignore_ascii_case(b"websocket"))
                        .is_some(),
                    UPGRADE,
                )?;
                fields::count(UPGRADE, value, fields::is_protocol).map(drop)
            }
            (101, Some(CONNECTION)) => {
                fields::count(CONNECTION, value, fields::is_token)?;
                self.connection |= fields::list_contains(value, UPGRADE);
                Ok(())
            }
            (101, Some(ACCEPT)) => once(mem::replace(&mut self.accept, true), ACCEPT),
            (101, Some(PROTOCOL)) => {
                once(mem::replace(&mut self.protocol, true), PROTOCOL)?;
                fields::count(PROTOCOL, value, fields::is_token).map(drop)
            }
            (101, Some(EXTENSIONS)) => {
                let chosen = self.extensions.get_or_insert(0);
                extensions(value)
                    .try_for_each(|choice| choice.map(|_| *chosen += 1))
                    .map_err(|_| HandshakeError::InvalidHeader(EXTENSIONS))
            }
            (200.., Some(TRANSFER_ENCODING)) => {
                for coding in fields::list(value) {
                    self.coding = Some(if coding.eq_ignore_ascii_case(b"chunked") {
                        Coding::Chunked
                    } else {
                        Coding::Other
                    });
                }
                Ok(())
            }
            (200.., Some(CONTENT_LENGTH)) => self
                .content_length(value)
                .ok_or(HandshakeError::InvalidHeader(CONTENT_LENGTH)),
            _ => Ok(()),
        }
    }

    fn end(&self) -> Result<(), HandshakeError> {
        if self.extensions == Some(0) {
            Err(HandshakeError::InvalidHeader(EXTENSIONS))
        } else {
            Ok(())
        }
    }
}

impl ResponseFacts {
    /// Takes a number of bytes. It may be said several times, but not differently (RFC 9112 §6.3).
    fn content_length(&mut self, value: &[u8]) -> Option<()> {
        for digits in value.split(|&byte| byte == b',').map(fields::trim) {
            let digits = str::from_utf8(digits)
                .ok()
                .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()))?;
            let length = digits.parse().ok()?;
            if *self.length.get_or_insert(length) != length {
                return None;
            }
        }
        Some(())
    }
}
