//! Opcodes of frames, and the types of messages that they start (RFC 6455 §5.2, §5.6).

use core::{error, fmt};

/// The maximum payload length of a control frame, in bytes (RFC 6455 §5.5).
pub const MAX_CONTROL_PAYLOAD: usize = 125;

/// The opcode of a frame (RFC 6455 §5.2): a value of four bits, of which six are defined.
///
/// ```
/// use ws_proto::frame::Opcode;
///
/// assert_eq!(Opcode::try_from(9), Ok(Opcode::PING));
/// assert!(Opcode::new(3).is_some_and(Opcode::is_reserved));
/// assert_eq!(Opcode::new(16), None);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Opcode(pub(crate) u8);

impl Opcode {
    /// A continuation frame: a further fragment of a message.
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

    /// Returns the opcode with this value, or `None` if it exceeds 15.
    #[must_use]
    pub const fn new(value: u8) -> Option<Self> {
        if value < 16 { Some(Self(value)) } else { None }
    }

    /// Returns whether frames with this opcode are control frames: 8 to 15 (§5.5).
    #[must_use]
    pub const fn is_control(self) -> bool {
        self.0 >= 8
    }

    /// Returns whether the opcode is reserved: 3 to 7, or 11 to 15.
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

/// A number that is not an opcode, since it exceeds 15.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InvalidOpcode(pub u8);

impl fmt::Display for InvalidOpcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "invalid opcode {}", self.0)
    }
}

impl error::Error for InvalidOpcode {}

impl TryFrom<u8> for Opcode {
    type Error = InvalidOpcode;

    fn try_from(value: u8) -> Result<Self, InvalidOpcode> {
        Self::new(value).ok_or(InvalidOpcode(value))
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
            Self(value) => return write!(f, "reserved {value}"),
        })
    }
}

impl fmt::Debug for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Opcode({self})")
    }
}

/// The type of a message (RFC 6455 §5.6), which the opcode of its first frame determines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageKind {
    /// UTF-8 text.
    Text,
    /// Arbitrary bytes.
    Binary,
}

impl MessageKind {
    /// Returns the opcode of the first frame of such a message.
    #[inline]
    pub(crate) const fn opcode(self) -> Opcode {
        match self {
            Self::Text => Opcode::TEXT,
            Self::Binary => Opcode::BINARY,
        }
    }

    /// Returns the type of the message that a frame with this opcode starts, if it starts one.
    #[inline]
    pub(crate) const fn started_by(opcode: Opcode) -> Option<Self> {
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
