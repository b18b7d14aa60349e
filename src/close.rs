//! What Close frames say: status codes and reasons (RFC 6455 §5.5.1, §7.4).

use core::fmt;

/// A status code that may stand in a Close frame (RFC 6455 §7.4).
///
/// It is one of 1000 to 1003, 1007 to 1014 (all registered codes that are meant for the wire) or
/// 3000 to 4999. The codes 1005, 1006 and 1015, which stand for an absent code, cannot be built and
/// therefore not be sent: absence is `None`.
///
/// ```
/// use ws_proto::CloseCode;
///
/// assert_eq!(CloseCode::new(1000), Some(CloseCode::NORMAL));
/// assert_eq!(CloseCode::new(4321).map(u16::from), Some(4321));
/// assert_eq!(CloseCode::new(1006), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// 1000: the purpose of the connection is fulfilled.
    pub const NORMAL: Self = Self(1000);
    /// 1001: the endpoint goes away (a server shuts down, a page is left).
    pub const GOING_AWAY: Self = Self(1001);
    /// 1002: the peer violated the protocol.
    pub const PROTOCOL_ERROR: Self = Self(1002);
    /// 1003: a type of data that this endpoint does not accept.
    pub const UNSUPPORTED_DATA: Self = Self(1003);
    /// 1007: a payload that is inconsistent with its type, such as text that is not UTF-8.
    pub const INVALID_PAYLOAD: Self = Self(1007);
    /// 1008: a message that violates this endpoint's policy.
    pub const POLICY_VIOLATION: Self = Self(1008);
    /// 1009: a message too big to process.
    pub const MESSAGE_TOO_BIG: Self = Self(1009);
    /// 1010: the server did not agree on an extension that the client needs; sent by clients only.
    /// The reason should list the extensions.
    pub const MANDATORY_EXTENSION: Self = Self(1010);
    /// 1011: an unexpected condition in the endpoint.
    pub const INTERNAL_ERROR: Self = Self(1011);
    /// 1012: the service restarts.
    pub const SERVICE_RESTART: Self = Self(1012);
    /// 1013: try again later.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// 1014: a gateway got an invalid answer from the server behind it.
    pub const BAD_GATEWAY: Self = Self(1014);

    /// The code of this number, if it may stand in a Close frame.
    #[must_use]
    pub const fn new(code: u16) -> Option<Self> {
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(code)),
            _ => None,
        }
    }

    /// Whether application code may choose it in an API like the browsers' `close(code)`: 1000 and
    /// 3000 to 4999.
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

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What the body of a Close frame says (RFC 6455 §5.5.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close<'a> {
    /// The status code; `None` if the frame had none (which §7.1.5 calls 1005).
    pub code: Option<CloseCode>,
    /// The reason, at most 123 bytes. It is meant for logs and debugging: not necessarily
    /// readable, and not to be shown to end users (§5.5.1).
    pub reason: &'a str,
}
