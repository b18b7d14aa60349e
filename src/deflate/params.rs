//! The negotiated parameters.

use crate::role::Role;

/// The negotiated parameters (RFC 7692 §7.1), of which there are four.
///
/// `Display` writes the value of the server's `Sec-WebSocket-Extensions`, and `FromStr` reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Params {
    pub(crate) server: Direction,
    pub(crate) client: Direction,
}

/// The parameters for the messages that one endpoint sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Direction {
    pub(crate) no_context_takeover: bool,
    /// The parameter of the handshake; 15 if there was none.
    pub(crate) max_window_bits: Option<u8>,
}

impl Direction {
    pub(super) const fn window_bits(self) -> u8 {
        match self.max_window_bits {
            Some(bits) => bits,
            None => 15,
        }
    }

    /// Returns whether an endpoint that negotiated `self` may send messages that were compressed
    /// with `other`.
    pub(crate) const fn permits(self, other: Self) -> bool {
        other.window_bits() <= self.window_bits()
            && (other.no_context_takeover || !self.no_context_takeover)
    }
}

impl Params {
    /// Returns whether the server compresses each message on its own (§7.1.1.1).
    #[must_use]
    pub const fn server_no_context_takeover(&self) -> bool {
        self.server.no_context_takeover
    }

    /// Returns whether the client compresses each message on its own (§7.1.1.2).
    #[must_use]
    pub const fn client_no_context_takeover(&self) -> bool {
        self.client.no_context_takeover
    }

    /// Returns the largest LZ77 window that the server uses, as a base-2 logarithm: 8 to 15
    /// (§7.1.2.1).
    #[must_use]
    pub const fn server_max_window_bits(&self) -> u8 {
        self.server.window_bits()
    }

    /// Returns the largest LZ77 window that the client uses, as a base-2 logarithm: 8 to 15
    /// (§7.1.2.2).
    #[must_use]
    pub const fn client_max_window_bits(&self) -> u8 {
        self.client.window_bits()
    }

    /// Returns the parameters for the messages that an endpoint in this role sends.
    pub(crate) const fn sent_by<R: Role>(self) -> Direction {
        if R::IS_CLIENT {
            self.client
        } else {
            self.server
        }
    }

    /// Returns the parameters for the messages that an endpoint in this role receives.
    pub(super) const fn received_by<R: Role>(self) -> Direction {
        if R::IS_CLIENT {
            self.server
        } else {
            self.client
        }
    }
}

/// The settings in which two compressors can differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Settings {
    pub(super) direction: Direction,
    pub(super) level: u8,
    pub(super) mem_level: u8,
}
