//! Status codes of Close frames (RFC 6455 §5.5.1, §7.4).

use core::{error, fmt};

/// A status code that a Close frame may contain (RFC 6455 §7.4).
///
/// Valid codes are 1000 to 1003, 1007 to 1014 (the registered codes that may be sent) and 3000 to
/// 4999. The codes 1005, 1006 and 1015, which are for local reporting only (§7.4.1), cannot be
/// constructed and therefore cannot be sent: an absent code is `None`.
///
/// ```
/// use ws_proto::CloseCode;
///
/// assert_eq!(CloseCode::new(1000), Some(CloseCode::NORMAL));
/// assert_eq!(CloseCode::try_from(4321).map(u16::from), Ok(4321));
/// assert_eq!(CloseCode::new(1006), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: the purpose of the connection is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: the endpoint is going away (a server shuts down, a page is left).
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer violated the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: the endpoint received a type of data that it does not accept.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1007: a payload is inconsistent with the type of its message, such as invalid UTF-8 in text.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// 1008: a message violates the policy of the endpoint.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: a message is too big to process.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// 1010: the server did not negotiate an extension that the client requires. Only clients may
    /// send it; the reason should list the extensions.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// 1011: the endpoint encountered an unexpected condition.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the service is restarting.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: the peer should try again later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 1014: a gateway received an invalid response from its upstream server.
    pub const BAD_GATEWAY: Self = Self(1014);

    /// Returns the code with this value, or `None` if a Close frame must not contain it.
    #[must_use]
    pub const fn new(code: u16) -> Option<Self> {
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(code)),
            _ => None,
        }
    }

    /// Returns whether application code may choose the code in an API like the `close(code)` of
    /// browsers: 1000, or 3000 to 4999.
    #[must_use]
    pub const fn is_for_applications(self) -> bool {
        matches!(self.0, 1000 | 3000..=4999)
    }
}

impl From<CloseCode> for u16 {
    fn from(code: CloseCode) -> Self {
        code.0
    }
}

/// A number that a Close frame must not contain as its status code (RFC 6455 §7.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InvalidCloseCode(pub u16);

impl fmt::Display for InvalidCloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid status code {}", self.0)
    }
}

impl error::Error for InvalidCloseCode {}

impl TryFrom<u16> for CloseCode {
    type Error = InvalidCloseCode;

    fn try_from(code: u16) -> Result<Self, InvalidCloseCode> {
        Self::new(code).ok_or(InvalidCloseCode(code))
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The body of a received Close frame (RFC 6455 §5.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Close<'a> {
    /// The status code; `None` if the body was empty (§7.1.5 denotes that by 1005).
    pub code: Option<CloseCode>,
    /// The reason, at most 123 bytes. It is for logs and debugging: it is not necessarily human
    /// readable, and must not be shown to end users (§5.5.1).
    pub reason: &'a str,
}

/// Writes the code and the quoted reason, such as `1000 "bye"`, or `no code`.
impl fmt::Display for Close<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self {
                code: Some(code),
                reason: "",
            } => write!(f, "{code}"),
            Self {
                code: Some(code),
                reason,
            } => write!(f, "{code} {reason:?}"),
            Self { code: None, .. } => f.write_str("no code"),
        }
    }
}
