//! The errors of a handshake: violations by the peer ([`HandshakeError`]), and invalid arguments of
//! the caller ([`WriteError`]).

use super::http::names::EXTENSIONS;
use crate::deflate::NegotiationError;
use crate::extension::InvalidExtensions;
use core::{error, fmt};

/// A fault of a request or a response that was received.
///
/// It contains no text from the peer, so it is safe to log.
///
/// With the feature `std` it converts to a `std::io::Error`: of kind `UnexpectedEof` for
/// [`Incomplete`](Self::Incomplete), `ConnectionRefused` for
/// [`UnexpectedStatus`](Self::UnexpectedStatus), and `InvalidData` for all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The head is longer than [`HeadLimits::max_bytes`](super::HeadLimits::max_bytes).
    HeadTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The head has more headers than
    /// [`HeadLimits::max_headers`](super::HeadLimits::max_headers).
    TooManyHeaders {
        /// The limit.
        limit: usize,
    },
    /// More interim responses (1xx) than
    /// [`HeadLimits::max_interim`](super::HeadLimits::max_interim) precede the final one.
    TooManyInterimResponses {
        /// The limit.
        limit: usize,
    },
    /// The connection ended before the head did.
    Incomplete,
    /// A line ends with LF without CR.
    BareLf,
    /// A line contains CR without LF (RFC 9112 §2.2).
    BareCr,
    /// A line begins with whitespace: a header is folded (obs-fold, RFC 9112 §5.2).
    ObsFold,
    /// A header's name is not a token that is directly followed by a colon (RFC 9112 §5.1).
    InvalidHeaderName,
    /// A header's value contains a control character, such as NUL (RFC 9110 §5.5).
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
    /// The request announces a body, whose bytes would be parsed as frames.
    UnexpectedBody,
    /// `Upgrade` is missing or does not contain `websocket` (§4.1, §4.2.1).
    MissingUpgrade,
    /// `Connection` is missing or does not contain the token `Upgrade` (§4.1, §4.2.1).
    MissingConnectionUpgrade,
    /// `Sec-WebSocket-Version` is missing or is not 13 (§4.2.1, §4.4). In HTTP/2 and HTTP/3, which
    /// have no `Upgrade` and so no 426, it is [`MissingHeader`](Self::MissingHeader) or
    /// [`InvalidHeader`](Self::InvalidHeader).
    UnsupportedWebSocketVersion,
    /// This header is required, and is missing.
    MissingHeader(&'static str),
    /// This header must appear only once, and is repeated.
    DuplicateHeader(&'static str),
    /// The value of this header is malformed, or is not the required one. In HTTP/2 and HTTP/3, it
    /// can also be a pseudo-header, such as `:authority`.
    InvalidHeader(&'static str),
    /// This header must not occur in HTTP/2 and HTTP/3 (RFC 9113 §8.2.2).
    UnexpectedHeader(&'static str),
    /// The `:protocol` of an extended CONNECT is not `websocket` (RFC 8441 §5).
    UnsupportedProtocol,
    /// The response has this status instead of 101, or of 2xx in HTTP/2 and HTTP/3, so the server
    /// did not open the connection (§4.1, RFC 8441 §5).
    UnexpectedStatus(u16),
    /// The server accepted an extension that was not offered (§4.1).
    ExtensionNotOffered,
    /// A parameter of an accepted extension is unknown, repeated, has an invalid value, or does not
    /// match the offer (§4.1, RFC 7692 §7.1).
    InvalidExtensionParameter,
    /// The server selected a subprotocol that was not requested (§4.1).
    SubprotocolNotRequested,
    /// The server selected none of the requested subprotocols, although the client requires one.
    MissingSubprotocol,
}

impl HandshakeError {
    /// Returns the status with which a server rejects a request that has this fault: 400, 405, 426,
    /// 431, 501 or 505. [`headers`](Self::headers) returns the headers that belong to it.
    ///
    /// It is 426 for HTTP/1.0, since the client can upgrade to HTTP/1.1 (RFC 9110 §15.5.22), and
    /// 505 for other versions.
    ///
    /// For a fault of a response it is 502, with which a gateway would report the failure.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::MethodNotAllowed => 405,
            Self::MissingUpgrade
            | Self::UnsupportedWebSocketVersion
            | Self::UnsupportedHttpVersion { major: 1, minor: 0 } => 426,
            Self::HeadTooLarge { .. } | Self::TooManyHeaders { .. } => 431,
            Self::UnsupportedProtocol => 501,
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
                return write!(f, "the head has more than {limit} headers");
            }
            Self::TooManyInterimResponses { limit } => {
                return write!(f, "more than {limit} interim responses");
            }
            Self::Incomplete => "the connection ended before the handshake was complete",
            Self::BareLf => "a line ends with LF without CR",
            Self::BareCr => "a line contains CR without LF",
            Self::ObsFold => "a header is folded over several lines",
            Self::InvalidHeaderName => "a header's name is malformed",
            Self::InvalidHeaderValue => "a header's value contains a control character",
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
            Self::MissingUpgrade => "Upgrade is missing or does not contain websocket",
            Self::MissingConnectionUpgrade => "Connection is missing or does not contain Upgrade",
            Self::UnsupportedWebSocketVersion => "Sec-WebSocket-Version is missing or is not 13",
            Self::MissingHeader(name) => return write!(f, "{name} is missing"),
            Self::DuplicateHeader(name) => return write!(f, "{name} appears more than once"),
            Self::InvalidHeader(name) => return write!(f, "{name} is not valid"),
            Self::UnexpectedHeader(name) => {
                return write!(f, "{name} does not exist in HTTP/2 and HTTP/3");
            }
            Self::UnsupportedProtocol => "the protocol of the CONNECT is not websocket",
            Self::UnexpectedStatus(status) => {
                return write!(f, "the server answered with status {status}");
            }
            Self::ExtensionNotOffered => "the server accepted an extension that was not offered",
            Self::InvalidExtensionParameter => {
                "a parameter of an extension is invalid or does not match the offer"
            }
            Self::SubprotocolNotRequested => {
                "the server selected a subprotocol that was not requested"
            }
            Self::MissingSubprotocol => "the server selected no subprotocol",
        })
    }
}

impl error::Error for HandshakeError {}

/// The reason why a request or a response was not written. The output is unchanged.
///
/// With the feature `std` it converts to a `std::io::Error`: of kind `WriteZero` for
/// [`OutputFull`](Self::OutputFull), and `InvalidInput` for all others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum WriteError {
    /// The output has no room for the message. The call can be repeated when it has.
    OutputFull {
        /// The length of the message in bytes.
        needed: usize,
    },
    /// A header's name is not a token (RFC 9110 §5.1).
    InvalidHeaderName,
    /// A header's value contains CR, LF, NUL or another control character (RFC 9110 §5.5).
    InvalidHeaderValue,
    /// The header is one that the handshake writes itself: `Host`, `Origin`, `Connection`,
    /// `Upgrade`, `Content-Length`, `Transfer-Encoding`, or one that begins with
    /// `Sec-WebSocket-`.
    ReservedHeader,
    /// A subprotocol is not a token (RFC 6455 §4.1).
    InvalidSubprotocol,
    /// A subprotocol is requested twice (§4.1).
    DuplicateSubprotocol,
    /// The selected subprotocol is none of those that the client requested (§4.2.2).
    SubprotocolNotRequested,
    /// The value of `Sec-WebSocket-Extensions` does not follow the grammar (§9.1).
    InvalidExtensions,
    /// An accepted extension is none of those that the client offered (§9.1).
    ExtensionNotOffered,
    /// The status of a rejection is not from 300 to 599, or that of another response is not from
    /// 200 to 599.
    InvalidStatus,
    /// A response has a body although its status forbids one: 204, 205 or 304 (RFC 9110 §15), or
    /// 2xx to a CONNECT.
    UnexpectedBody,
    /// The request is an extended CONNECT of HTTP/2 or HTTP/3: the library that received it must
    /// send the parts of the response.
    NotHttp1,
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutputFull { needed } => {
                return write!(f, "the output has no room for {needed} bytes");
            }
            Self::InvalidHeaderName => "a header's name is not a token",
            Self::InvalidHeaderValue => "a header's value contains a control character",
            Self::ReservedHeader => "a header is one that the handshake writes itself",
            Self::InvalidSubprotocol => "a subprotocol is not a token",
            Self::DuplicateSubprotocol => "a subprotocol is requested twice",
            Self::SubprotocolNotRequested => "the selected subprotocol was not requested",
            Self::InvalidExtensions => return InvalidExtensions.fmt(f),
            Self::ExtensionNotOffered => "an accepted extension was not offered",
            Self::InvalidStatus => "the status is not one for this response",
            Self::UnexpectedBody => "a response with this status has no body",
            Self::NotHttp1 => "the response is for HTTP/2 or HTTP/3 and has no bytes of HTTP/1.1",
        })
    }
}

impl error::Error for WriteError {}

impl From<InvalidExtensions> for HandshakeError {
    fn from(_: InvalidExtensions) -> Self {
        Self::InvalidHeader(EXTENSIONS)
    }
}

impl From<NegotiationError> for HandshakeError {
    fn from(error: NegotiationError) -> Self {
        match error {
            NegotiationError::InvalidExtensions => Self::InvalidHeader(EXTENSIONS),
            NegotiationError::ExtensionNotOffered => Self::ExtensionNotOffered,
            NegotiationError::InvalidParameter => Self::InvalidExtensionParameter,
        }
    }
}

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
