//! What can be wrong with a handshake: by the peer ([`HandshakeError`]), and by the caller
//! ([`WriteError`]).

use core::{error, fmt};

/// What is wrong with a request or a response that was received.
///
/// It carries no text of the peer, so it is safe to log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The head is longer than [`HeadLimits::bytes`](super::HeadLimits::bytes).
    HeadTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The head has more fields than [`HeadLimits::fields`](super::HeadLimits::headers).
    TooManyHeaders {
        /// The limit.
        limit: usize,
    },
    /// More interim responses (1xx) than [`HeadLimits::interim`](super::HeadLimits::interim) came
    /// before the final one.
    TooManyInterimResponses {
        /// The limit.
        limit: usize,
    },
    /// The connection ended before the head did.
    Incomplete,
    /// A line ends with LF that has no CR before it.
    BareLf,
    /// A line contains CR that has no LF after it (RFC 9112 §2.2).
    BareCr,
    /// A line begins with whitespace: a folded field (obs-fold, RFC 9112 §5.2).
    ObsFold,
    /// A field line has no name that is a token and directly followed by a colon (RFC 9112 §5.1).
    InvalidHeaderName,
    /// A field's value contains a control character, such as NUL (RFC 9110 §5.5).
    InvalidHeaderValue,
    /// The first line of the request is not `method SP target SP version` (RFC 9112 §3).
    InvalidRequestLine,
    /// The first line of the response is not `version SP status SP reason` (RFC 9112 §4).
    InvalidStatusLine,
    /// The HTTP version is not 1.1 or a later 1.x (RFC 6455 §4.1, §4.2.1).
    UnsupportedHttpVersion {
        /// The number before the dot.
        major: u8,
        /// The number after the dot.
        minor: u8,
    },
    /// The request's method is not GET (§4.2.1).
    MethodNotAllowed,
    /// The request target is neither a path nor an absolute URI with the scheme `http`, `https`,
    /// `ws` or `wss` (§4.2.1).
    InvalidTarget,
    /// The request announces a body, where the next bytes would be frames.
    UnexpectedBody,
    /// `Upgrade` is missing or does not name `websocket` (§4.1, §4.2.1).
    MissingUpgrade,
    /// `Connection` is missing or does not contain the token `Upgrade` (§4.1, §4.2.1).
    MissingConnectionUpgrade,
    /// `Sec-WebSocket-Version` is missing or is not 13 (§4.2.1, §4.4).
    UnsupportedWebSocketVersion,
    /// This field is required, and is missing.
    MissingHeader(&'static str),
    /// This field may appear only once, and appears again.
    DuplicateHeader(&'static str),
    /// The value of this field is malformed, or not the one required.
    InvalidHeader(&'static str),
    /// The response's status is this one and not 101, so the server did not switch protocols
    /// (§4.1).
    UnexpectedStatus(u16),
    /// The server answered with an extension that was not offered (§4.1).
    ExtensionNotOffered,
    /// The server's answer to an offered extension has a parameter that is unknown, repeated, of no
    /// valid value, or no fit for the offer (§4.1, RFC 7692 §7.1).
    InvalidExtensionParameter,
    /// The server answered with a subprotocol that was not requested (§4.1).
    SubprotocolNotRequested,
    /// The server chose none of the requested subprotocols, and the client insists on one.
    MissingSubprotocol,
}

impl HandshakeError {
    /// The status with which a server answers a request that has this fault: 400, 405, 426, 431 or
    /// 505.
    ///
    /// For HTTP/1.0 it is 426, since the client can upgrade to HTTP/1.1 (RFC 9110 §15.5.22), and
    /// for other versions 505.
    ///
    /// For a fault of a response it is 502, with which a gateway would pass the failure on.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::MethodNotAllowed => 405,
            Self::MissingUpgrade
            | Self::UnsupportedWebSocketVersion
            | Self::UnsupportedHttpVersion { major: 1, minor: 0 } => 426,
            Self::HeadTooLarge { .. } | Self::TooManyHeaders { .. } => 431,
            Self::UnsupportedHttpVersion { .. } => 505,
            Self::InvalidStatusLine
            | Self::UnexpectedStatus(_)
            | Self::TooManyInterimResponses { .. }
            | Self::ExtensionNotOffered
            | Self::InvalidExtensionParameter
            | Self::SubprotocolNotRequested
            | Self::MissingSubprotocol => 502,
            _ => 400,
        }
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HeadTooLarge { limit } => {
                return write!(f, "the head has more than {limit} bytes");
            }
            Self::TooManyHeaders { limit } => {
                return write!(f, "the head has more than {limit} fields");
            }
            Self::TooManyInterimResponses { limit } => {
                return write!(f, "more than {limit} interim responses");
            }
            Self::Incomplete => "the connection ended before the handshake was complete",
            Self::BareLf => "a line ends with LF without CR",
            Self::BareCr => "a line contains CR without LF",
            Self::ObsFold => "a field is folded over several lines",
            Self::InvalidHeaderName => "a field's name is malformed",
            Self::InvalidHeaderValue => "a field's value contains a control character",
            Self::InvalidRequestLine => "the request line is malformed",
            Self::InvalidStatusLine => "the status line is malformed",
            Self::UnsupportedHttpVersion { major, minor } => {
                return write!(
                    f,
                    "the HTTP version is {major}.{minor}, not 1.1 or a later 1.x"
                );
            }
            Self::MethodNotAllowed => "the method is not GET",
            Self::InvalidTarget => "the request target is malformed",
            Self::UnexpectedBody => "the request announces a body",
            Self::MissingUpgrade => "Upgrade is missing or does not name websocket",
            Self::MissingConnectionUpgrade => "Connection is missing or does not contain Upgrade",
            Self::UnsupportedWebSocketVersion => "Sec-WebSocket-Version is missing or is not 13",
            Self::MissingHeader(name) => return write!(f, "{name} is missing"),
            Self::DuplicateHeader(name) => return write!(f, "{name} appears more than once"),
            Self::InvalidHeader(name) => return write!(f, "{name} is not valid"),
            Self::UnexpectedStatus(status) => {
                return write!(f, "the server answered with status {status}");
            }
            Self::ExtensionNotOffered => "the server chose an extension that was not offered",
            Self::InvalidExtensionParameter => {
                "the server's parameters of an extension do not fit the offer"
            }
            Self::SubprotocolNotRequested => {
                "the server chose a subprotocol that was not requested"
            }
            Self::MissingSubprotocol => "the server chose no subprotocol",
        })
    }
}

impl error::Error for HandshakeError {}

/// Why a request or a response was not written. Nothing of it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WriteError {
    /// The output has not the room, in bytes, that the message needs. The call can be repeated when
    /// it has.
    OutputFull {
        /// The length of the message in bytes.
        needed: usize,
    },
    /// A field's name is not a token (RFC 9110 §5.1).
    InvalidHeaderName,
    /// A field's value contains CR, LF, NUL or another control character (RFC 9110 §5.5).
    InvalidHeaderValue,
    /// The field is one that the handshake writes itself: `Host`, `Origin`, `Connection`,
    /// `Upgrade`, `Content-Length`, `Transfer-Encoding`, or one that begins with
    /// `Sec-WebSocket-`.
    ReservedHeader,
    /// A subprotocol is not a token (RFC 6455 §4.1).
    InvalidSubprotocol,
    /// A subprotocol is requested twice (§4.1).
    DuplicateSubprotocol,
    /// The chosen subprotocol is none of those that the client requested (§4.2.2).
    SubprotocolNotRequested,
    /// The status of a rejection is not from 300 to 599.
    InvalidStatus,
    /// A body is given for a rejection whose status has none: 304 (RFC 9110 §15.4.5).
    UnexpectedBody,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutputFull { needed } => {
                return write!(f, "the output has no room for {needed} bytes");
            }
            Self::InvalidHeaderName => "a field's name is not a token",
            Self::InvalidHeaderValue => "a field's value contains a control character",
            Self::ReservedHeader => "a field is one that the handshake writes itself",
            Self::InvalidSubprotocol => "a subprotocol is not a token",
            Self::DuplicateSubprotocol => "a subprotocol is requested twice",
            Self::SubprotocolNotRequested => "the chosen subprotocol was not requested",
            Self::InvalidStatus => "the status of a rejection is not from 300 to 599",
            Self::UnexpectedBody => "a response with this status has no body",
        })
    }
}

impl error::Error for WriteError {}

/// [`Incomplete`](HandshakeError::Incomplete) is an `UnexpectedEof`,
/// [`Status`](HandshakeError::UnexpectedStatus) is a `ConnectionRefused`, and every other error is
/// `InvalidData`.
#[cfg(feature = "std")]
impl From<HandshakeError> for std::io::Error {
    fn from(error: HandshakeError) -> Self {
        let kind = match error {
            HandshakeError::Incomplete => std::io::ErrorKind::UnexpectedEof,
            HandshakeError::UnexpectedStatus(_) => std::io::ErrorKind::ConnectionRefused,
            _ => std::io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

/// [`NoRoom`](WriteError::OutputFull) is a `WriteZero`, and every other error is `InvalidInput`.
#[cfg(feature = "std")]
impl From<WriteError> for std::io::Error {
    fn from(error: WriteError) -> Self {
        let kind = match error {
            WriteError::OutputFull { .. } => std::io::ErrorKind::WriteZero,
            _ => std::io::ErrorKind::InvalidInput,
        };
        Self::new(kind, error)
    }
}
