//! Opcodes of frames, and the types of messages that they name (RFC 6455 §5.2, §5.6).

use core::fmt;

/// The longest payload of a control frame, in bytes (RFC 6455 §5.5).
pub const MAX_CONTROL_PAYLOAD: usize = 125;

/// A frame's opcode (RFC 6455 §5.2): four bits, of which six values have a meaning.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Opcode(pub(crate) u8);

impl Opcode {
    /// A further fragment of a message.
    pub const CONTINUATION: Self = Self(0);
    /// A text message, or its first fragment.
    pub const TEXT: Self = Self(1);
    /// A binary message, or its first fragment.
    pub const BINARY: Self = Self(2);
    /// A Close frame.
    pub const CLOSE: Self = Self(8);
    /// A Ping frame.
    pub const PING: Self = Self(9);
    /// A Pong frame.
    pub const PONG: Self = Self(10);

    /// The opcode of this number, if it has four bits.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number < 16 {
            Some(Self(number))
        } else {
            None
        }
    }

    /// Whether frames with this opcode are control frames: those from 8 on (§5.5).
    #[must_use]
    pub const fn is_control(self) -> bool {
        self.0 >= 8
    }

    /// Whether the opcode is reserved: 3 to 7, and 11 to 15.
    #[must_use]
    pub const fn is_reserved(self) -> bool {
        self.0 & 7 > 2
    }
}

impl From<Opcode> for u8 {
    fn from(opcode: Opcode) -> Self {
        opcode.0
    }
}

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match *self {
            Self::CONTINUATION => "continuation",
            Self::TEXT => "text",
            Self::BINARY => "binary",
            Self::CLOSE => "close",
            Self::PING => "ping",
            Self::PONG => "pong",
            Self(number) => return write!(f, "reserved {number}"),
        })
    }
}

impl fmt::Debug for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opcode({self})")
    }
}

/// The type of a message (RFC 6455 §5.6): what the opcode of its first frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// UTF-8.
    Text,
    /// Any bytes.
    Binary,
}

impl MessageKind {
    #[inline]
    pub(crate) const fn opcode(self) -> Opcode {
        match self {
            Self::Text => Opcode::TEXT,
            Self::Binary => Opcode::BINARY,
        }
    }

    #[inline]
    pub(crate) const fn of(opcode: Opcode) -> Option<Self> {
        match opcode {
            Opcode::TEXT => Some(Self::Text),
            Opcode::BINARY => Some(Self::Binary),
            _ => None,
        }
    }
}

impl fmt::Display for MessageKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.opcode().fmt(f)
    }
}
