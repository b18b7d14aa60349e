//! The two roles of a connection, as types: code that would violate a role does not compile.
//!
//! The roles differ in masking (RFC 6455 §5.1): a client must mask every frame, a server none.

use crate::frame::{MaskingKey, MaskingKeys};
use core::fmt;

/// The role of an endpoint: [`Server`] or [`Client`].
///
/// The trait is sealed, so that an endpoint which does not mask is a server (RFC 6455 §10.3):
///
/// ```compile_fail,E0277
/// struct ClientWithoutMasking; // SE4
/// impl ws_proto::Role for ClientWithoutMasking {
///     const IS_CLIENT: bool = true;
/// }
/// ```
///
/// Its supertraits hold for both roles, so that a task or a type that is generic over the role
/// needs no further bounds.
///
/// # Storing connections of either role
///
/// The role is part of the type, so that each role is compiled without the branches of the other.
/// A program that stores connections of both roles in one place can use an enum, and generic
/// functions for the code that they share:
///
/// ```
/// # #[cfg(feature = "alloc")] {
/// use ws_proto::{Client, Message, Output, Role, Server, WebSocket};
///
/// enum AnyWebSocket {
///     Server(WebSocket<Server>),
///     Client(WebSocket<Client>),
/// }
///
/// impl AnyWebSocket {
///     fn recv<'b>(
///         &mut self,
///         input: &mut &'b mut [u8],
///         out: &mut impl Output,
///     ) -> Option<Message<'b>> {
///         match self {
///             Self::Server(ws) => ws.recv(input, out),
///             Self::Client(ws) => ws.recv(input, out),
///         }
///     }
/// }
///
/// fn describe<R: Role>(ws: &WebSocket<R>) -> String {
///     let role = if R::IS_CLIENT { "client" } else { "server" };
///     format!("{role}, {:?}", ws.state())
/// }
/// # let server = WebSocket::new(Server, &Default::default());
/// # assert_eq!(describe(&server), "server, Open");
/// # }
/// ```
pub trait Role: sealed::Sealed + fmt::Debug + Send + Sync + Unpin + 'static {
    /// Whether the endpoint is the client: it masks the frames that it sends, and accepts only
    /// unmasked ones (RFC 6455 §5.1).
    const IS_CLIENT: bool;
}

pub(crate) mod sealed {
    use crate::frame::MaskingKey;

    #[expect(unnameable_types, reason = "no other type can be a role")]
    pub trait Sealed {
        /// Returns the masking key of the next frame to send; `None` if frames are not masked.
        fn next_key(&mut self) -> Option<MaskingKey>;
    }
}

/// The endpoint that accepted the connection. It sends unmasked frames, and fails the connection if
/// the peer does not mask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Server;

impl Role for Server {
    const IS_CLIENT: bool = false;
}

impl sealed::Sealed for Server {
    #[inline]
    fn next_key(&mut self) -> Option<MaskingKey> {
        None
    }
}

/// The endpoint that opened the connection. It holds the secret from which masking keys are
/// derived.
///
/// RFC 6455 §5.3 and §10.3 require a fresh key for every frame, which the author of the payload
/// cannot predict. The keys are a ChaCha12 keystream of a seed that the caller provides, so that
/// the random source of the system is used once per connection. The `Sec-WebSocket-Key` of the
/// opening handshake is derived from the same stream.
///
/// A client is neither `Clone` nor `Default`, since a copy would reuse keys. `Debug` does not show
/// the secret.
pub struct Client {
    keys: MaskingKeys,
}

impl Client {
    /// Creates a client whose masking keys are derived from `seed`: 32 bytes of a cryptographically
    /// secure random source, which must be kept secret and used for this connection only.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            keys: MaskingKeys::new(seed),
        }
    }

    /// Returns 16 fresh random bytes for a `Sec-WebSocket-Key` (§4.1).
    #[cfg(feature = "handshake")]
    pub(crate) fn nonce(&mut self) -> [u8; 16] {
        let mut nonce = [0; 16];
        for word in nonce.chunks_exact_mut(4) {
            word.copy_from_slice(&self.keys.next_key().0);
        }
        nonce
    }
}

impl Role for Client {
    const IS_CLIENT: bool = true;
}

impl sealed::Sealed for Client {
    #[inline]
    fn next_key(&mut self) -> Option<MaskingKey> {
        Some(self.keys.next_key())
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client { .. }")
    }
}
