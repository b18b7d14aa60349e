//! The result of an opening handshake, which it hands to a connection.

use crate::deflate::{DeflateConfig, Params};
use crate::role::Role;
#[cfg(feature = "alloc")]
use alloc::boxed::Box;

/// The result of the opening handshake (RFC 6455 §4), from which a connection starts.
///
/// `handshake` returns it. Create it if another program did the handshake (an HTTP library, a proxy
/// in front, another process that hands over the connection): only the role is required.
///
/// ```
/// use ws_proto::{Config, Negotiated, Server, WebSocket};
///
/// let negotiated = Negotiated::new(Server).with_subprotocol("chat");
/// assert_eq!(negotiated.subprotocol(), Some("chat"));
/// let ws = WebSocket::new(negotiated, &Config::default());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Negotiated<R> {
    pub(crate) role: R,
    #[cfg(feature = "alloc")]
    pub(crate) subprotocol: Option<Box<str>>,
    /// How this endpoint compresses, and the negotiated parameters.
    pub(crate) deflate: Option<(DeflateConfig, Params)>,
    /// Whether compressed messages are passed on as they are.
    pub(crate) relays_compressed: bool,
}

impl<R: Role> Negotiated<R> {
    /// Returns the result of a handshake in which neither a subprotocol nor an extension was
    /// negotiated.
    #[must_use]
    pub const fn new(role: R) -> Self {
        Self {
            role,
            #[cfg(feature = "alloc")]
            subprotocol: None,
            deflate: None,
            relays_compressed: false,
        }
    }

    /// Sets the subprotocol in use (§1.9).
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn with_subprotocol(mut self, subprotocol: impl Into<Box<str>>) -> Self {
        self.subprotocol = Some(subprotocol.into());
        self
    }

    /// Returns the _Subprotocol In Use_ (§4.1), if there is one.
    #[cfg(feature = "alloc")]
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Enables permessage-deflate (RFC 7692), with the settings of this endpoint and the negotiated
    /// parameters.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn with_deflate(mut self, config: &DeflateConfig, params: Params) -> Self {
        self.deflate = Some((config.clone(), params));
        self
    }

    /// Returns the negotiated parameters of permessage-deflate, if it is in use.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(&self) -> Option<Params> {
        self.deflate.as_ref().map(|&(_, params)| params)
    }

    /// Permits compressed messages without a way to decompress them, for a relay: the extension was
    /// negotiated by the endpoints between which it forwards messages.
    ///
    /// A [`Connection`](crate::Connection) then accepts RSV1 in the first frame of a message (RFC
    /// 7692 §6), marks the chunks of the message as
    /// [`compressed`](crate::Chunk::compressed), and sends compressed frames. A `WebSocket`, which
    /// must decompress a message, still refuses it.
    ///
    /// `ClientHandshake::relay_extensions` and `Accept::relay_extensions` set it.
    #[must_use]
    pub const fn with_relayed_compression(mut self) -> Self {
        self.relays_compressed = true;
        self
    }
}

impl<R: Role> From<R> for Negotiated<R> {
    fn from(role: R) -> Self {
        Self::new(role)
    }
}
