//! How a connection ended (RFC 6455 §7.1): the closing handshake, or the lack of it, as a value.

use crate::close::{Close, CloseCode};
use crate::error::ProtocolError;
use core::fmt;

/// One of the two endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Endpoint {
    /// This endpoint.
    Local,
    /// The peer.
    Peer,
}

/// How a connection ended, or how far its end is: the closing handshake as a value (RFC 6455 §7.1).
///
/// Its `Display` is a line for a log. The reason in it is quoted and escaped, since it is the
/// peer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome<'a> {
    /// Who began: sent the first Close frame, or let the stream end without one.
    ///
    /// A driver that ended the stream by itself (a timer fired, a write failed) knows better:
    /// `Outcome { by: Endpoint::Local, clean: false, ..outcome }`.
    pub by: Endpoint,
    /// The Close frame that was received; `None` if the connection ended without one (§7.1.5 calls
    /// that 1006).
    pub received: Option<Close<'a>>,
    /// The Close frame that was appended to an output: `None` if none was, `Some(None)` if it
    /// carried no code. Whether it reached the transport, the driver knows.
    pub sent: Option<Option<CloseCode>>,
    /// Whether Close frames went both ways (§7.1.4), so that nothing that was sent before them is
    /// missing. While the peer's Close is awaited it is not yet so.
    ///
    /// A driver that failed to write its output knows better: `Outcome { clean: false, ..outcome
    /// }`.
    pub clean: bool,
    /// The rule that the peer broke, if the connection failed for that.
    pub error: Option<ProtocolError>,
}

impl fmt::Display for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = self.error {
            write!(f, "failed: {error}")?;
        } else {
            f.write_str(if self.clean {
                "clean close"
            } else {
                "unclean close"
            })?;
            f.write_str(match self.by {
                Endpoint::Local => " by us",
                Endpoint::Peer => " by the peer",
            })?;
        }
        match self.received {
            Some(Close {
                code: Some(code),
                reason: "",
            }) => write!(f, ", received {code}")?,
            Some(Close {
                code: Some(code),
                reason,
            }) => write!(f, ", received {code} {reason:?}")?,
            Some(Close { code: None, .. }) => f.write_str(", received no code")?,
            None => f.write_str(", received no Close")?,
        }
        match self.sent {
            Some(Some(code)) => write!(f, ", sent {code}"),
            Some(None) => f.write_str(", sent no code"),
            None => f.write_str(", sent no Close"),
        }
    }
}
