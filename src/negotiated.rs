//! What an opening handshake negotiated: all that the handshake and the connection know of each
//! other.

#[cfg(feature = "alloc")]
use alloc::string::String;

#[cfg(feature = "deflate")]
use crate::deflate;
use crate::role::Role;

/// What both sides negotiated in the opening handshake (RFC 6455 §4), and all that a connection
/// needs to begin.
///
/// The handshake makes it. Build it yourself when something else spoke HTTP (hyper, an HTTP/2
/// stack, a proxy in front, another process that hands the connection over): a role is enough,
/// since what was not negotiated is not in use.
///
/// ```
/// use ws_proto::{Negotiated, Config, Server, WebSocket};
///
/// let negotiated = Negotiated::new(Server).with_subprotocol("chat");
/// assert_eq!(negotiated.subprotocol(), Some("chat"));
/// let ws = WebSocket::new(negotiated, &Config::default());
/// ```
#[derive(Debug)]
pub struct Negotiated<R> {
    role: R,
    #[cfg(feature = "alloc")]
    protocol: Option<String>,
    #[cfg(feature = "deflate")]
    deflate: Option<(deflate::Config, deflate::Params)>,
}

impl<R: Role> Negotiated<R> {
    /// A connection without subprotocol and extensions.
    #[must_use]
    pub fn new(role: R) -> Self {
        Self {
            role,
            #[cfg(feature = "alloc")]
            protocol: None,
            #[cfg(feature = "deflate")]
            deflate: None,
        }
    }

    /// The same with a subprotocol in use (§1.9).
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn with_subprotocol(mut self, protocol: impl Into<String>) -> Self {
        self.protocol = Some(protocol.into());
        self
    }

    /// The _Subprotocol In Use_ (§4.1), if there is one.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.protocol.as_deref()
    }

    /// The same with permessage-deflate in use (RFC 7692): what was negotiated, and how this
    /// endpoint compresses.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn with_deflate(mut self, config: &deflate::Config, params: deflate::Params) -> Self {
        self.deflate = Some((config.clone(), params));
        self
    }

    /// What was negotiated of permessage-deflate, if it is in use.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(&self) -> Option<deflate::Params> {
        self.deflate.as_ref().map(|(_, params)| *params)
    }

    /// Whether messages may be compressed, so that RSV1 has a meaning (RFC 7692 §6).
    pub(crate) const fn compresses(&self) -> bool {
        #[cfg(feature = "deflate")]
        return self.deflate.is_some();
        #[cfg(not(feature = "deflate"))]
        false
    }

    /// What was negotiated of permessage-deflate, and how this endpoint compresses.
    #[cfg(feature = "deflate")]
    pub(crate) fn take_deflate(&mut self) -> Option<(deflate::Config, deflate::Params)> {
        self.deflate.take()
    }

    pub(crate) fn into_role(self) -> R {
        self.role
    }
}

impl<R: Role> From<R> for Negotiated<R> {
    fn from(role: R) -> Self {
        Self::new(role)
    }
}
