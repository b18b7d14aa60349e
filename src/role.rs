//! The two sides of a connection, as types: what a role must not do does not compile.
//!
//! Implements the asymmetry of RFC 6455 §5.1: a client masks every frame, a server none.

use crate::mask::{MaskingKey, keys::Keys};
use core::fmt;

/// A side of a connection: [`Server`] or [`Client`]. There is no third one, so that whatever masks
/// nothing is a server (RFC 6455 §10.3):
///
/// ```compile_fail,E0277
/// struct ClientThatDoesNotMask; // SE4
/// impl ws_proto::Role for ClientThatDoesNotMask {}
/// ```
pub trait Role: sealed::Role {}

pub(crate) mod sealed {
    use crate::mask::MaskingKey;

    #[expect(unnameable_types, reason = "no other type can be a role")]
    pub trait Role {
        /// Whether this side is the client: it masks what it sends, and takes only what is not
        /// masked (§5.1).
        const IS_CLIENT: bool;

        /// The masking key of the next frame that this side sends.
        fn next_mask(&mut self) -> Option<MaskingKey>;
    }
}

/// The side that accepted the connection. It masks nothing, and fails a connection whose peer does
/// not mask.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Server;

impl Role for Server {}

impl sealed::Role for Server {
    const IS_CLIENT: bool = false;

    #[inline]
    fn next_mask(&mut self) -> Option<MaskingKey> {
        None
    }
}

/// The side that opened the connection. It holds the secret from which each frame's masking key
/// comes.
///
/// RFC 6455 §5.3 and §10.3 demand a fresh key for every frame, one that whoever chooses the payload
/// cannot predict. The keys here are a ChaCha12 keystream under a seed of yours, so the system's
/// random source is asked once per connection. The `Sec-WebSocket-Key` of the opening handshake
/// comes from the same stream.
///
/// It is neither `Clone` nor `Default`, and `Debug` does not print it: a copy would use keys twice.
pub struct Client {
    keys: Keys,
}

impl Client {
    /// A client whose keys come from `seed`: 32 bytes of a cryptographically strong random source,
    /// used for this one connection and kept secret.
    #[must_use]
    pub fn new(seed: [u8; 32]) -> Self {
        Self {
            keys: Keys::new(seed),
        }
    }

    /// 16 fresh random bytes for a handshake's `Sec-WebSocket-Key` (§4.1).
    #[cfg(feature = "handshake")]
    pub(crate) fn nonce(&mut self) -> [u8; 16] {
        let mut nonce = [0; 16];
        for word in nonce.chunks_exact_mut(4) {
            word.copy_from_slice(&self.keys.next_key());
        }
        nonce
    }
}

impl Role for Client {}

impl sealed::Role for Client {
    const IS_CLIENT: bool = true;

    #[inline]
    fn next_mask(&mut self) -> Option<MaskingKey> {
        Some(MaskingKey(self.keys.next_key()))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client { .. }")
    }
}
