//! Errors of an open connection: protocol violations by the peer, and calls that send nothing.

use crate::frame::close::CloseCode;
use crate::frame::opcode::MessageKind;
use crate::frame::{HeaderError, InvalidUtf8, Opcode};
use core::{error, fmt};

/// The protocol violation, or the exceeded limit, for which the connection failed (RFC 6455
/// §7.1.7).
///
/// With the feature `std` it converts into a `std::io::Error` of kind `InvalidData`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A reserved bit is set that no negotiated extension defines. RSV1 to RSV3 have the values 4,
    /// 2 and 1.
    ReservedBits(u8),
    /// The opcode is reserved: 3 to 7, or 11 to 15.
    ReservedOpcode(Opcode),
    /// A control frame is fragmented: FIN is not set.
    FragmentedControl(Opcode),
    /// The payload of a control frame is longer than 125 bytes, or its length is encoded in a form
    /// for longer payloads.
    ControlTooLong(Opcode),
    /// The payload length is not encoded in its shortest form.
    NonMinimalLength,
    /// The payload length exceeds 2^63 - 1.
    LengthOverflow,
    /// A frame from a client is not masked.
    Unmasked,
    /// A frame from a server is masked.
    Masked,
    /// A continuation frame was received, but no fragmented message is in progress.
    UnexpectedContinuation,
    /// A new message was received while a fragmented message is in progress.
    ExpectedContinuation {
        /// The type of the message in progress.
        incomplete: MessageKind,
        /// The type of the new message.
        begun: MessageKind,
    },
    /// Text is not valid UTF-8.
    InvalidUtf8,
    /// The body of a Close frame is one byte long.
    InvalidCloseBody,
    /// A Close frame contains this status code, which must not be sent.
    InvalidCloseCode(u16),
    /// The reason in a Close frame is not valid UTF-8.
    InvalidCloseReason,
    /// A message is longer than [`Config::max_message`](crate::Config::max_message).
    MessageTooLong {
        /// The payload length that the frames of the message declare so far, in bytes. For a
        /// compressed message it is one more than the limit, since decompression stops there.
        len: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A compressed message is longer on the wire than the limit that
    /// [`Config::with_max_message`](crate::Config::with_max_message) describes.
    CompressedTooLong {
        /// The payload length that the frames of the message declare so far, in bytes.
        len: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// The payload of a compressed message is not a valid DEFLATE stream.
    InvalidCompression,
    /// A message has more fragments than
    /// [`Config::max_fragments`](crate::Config::max_fragments) permits.
    TooManyFragments {
        /// The number of fragments so far.
        fragments: u64,
        /// The limit for a message of this length.
        limit: u64,
    },
}

impl ProtocolError {
    /// Returns the status code of the Close frame that reports the error to the peer (§7.4.1).
    #[must_use]
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::InvalidUtf8 | Self::InvalidCloseReason | Self::InvalidCompression => {
                CloseCode::INVALID_PAYLOAD
            }
            Self::MessageTooLong { .. } | Self::CompressedTooLong { .. } => {
                CloseCode::MESSAGE_TOO_BIG
            }
            Self::TooManyFragments { .. } => CloseCode::POLICY_VIOLATION,
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }

    /// Returns the section that contains the rule: of RFC 7692 for
    /// [`InvalidCompression`](Self::InvalidCompression), of RFC 6455 otherwise.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::ReservedBits(_)
            | Self::ReservedOpcode(_)
            | Self::NonMinimalLength
            | Self::LengthOverflow => "5.2",
            Self::FragmentedControl(_) | Self::ControlTooLong(_) => "5.5",
            Self::Unmasked | Self::Masked => "5.1",
            Self::UnexpectedContinuation | Self::ExpectedContinuation { .. } => "5.4",
            Self::InvalidUtf8 => "8.1",
            Self::InvalidCloseBody | Self::InvalidCloseReason => "5.5.1",
            Self::InvalidCloseCode(_) => "7.4",
            Self::MessageTooLong { .. }
            | Self::CompressedTooLong { .. }
            | Self::TooManyFragments { .. } => "10.4",
            Self::InvalidCompression => "7.2.2",
        }
    }

    /// Returns the reason for the Close frame.
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::ReservedBits(_) => "reserved bit set",
            Self::ReservedOpcode(_) => "reserved opcode",
            Self::FragmentedControl(_) => "fragmented control frame",
            Self::ControlTooLong(_) => "control frame payload longer than 125 bytes",
            Self::NonMinimalLength => "payload length not in its shortest form",
            Self::LengthOverflow => "payload length exceeds 63 bits",
            Self::Unmasked => "unmasked client frame",
            Self::Masked => "masked server frame",
            Self::UnexpectedContinuation => "unexpected continuation frame",
            Self::ExpectedContinuation { .. } => "expected continuation frame",
            Self::InvalidUtf8 => "invalid UTF-8",
            Self::InvalidCloseBody => "Close body of one byte",
            Self::InvalidCloseCode(_) => "invalid status code",
            Self::InvalidCloseReason => "invalid UTF-8 in Close reason",
            Self::MessageTooLong { .. } => "message too long",
            Self::CompressedTooLong { .. } => "compressed message too long",
            Self::TooManyFragments { .. } => "too many fragments",
            Self::InvalidCompression => "invalid compressed data",
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.reason())?;
        match self {
            Self::ReservedBits(rsv) => write!(f, " ({rsv:#05b})")?,
            Self::ReservedOpcode(opcode) => write!(f, " {}", u8::from(*opcode))?,
            Self::FragmentedControl(opcode) | Self::ControlTooLong(opcode) => {
                write!(f, " ({opcode})")?;
            }
            Self::ExpectedContinuation { incomplete, begun } => {
                write!(f, " of a {incomplete} message, not a {begun} message")?;
            }
            Self::InvalidCloseCode(code) => write!(f, " {code}")?,
            Self::MessageTooLong { len, limit } | Self::CompressedTooLong { len, limit } => {
                write!(f, ": {len} bytes, limit {limit}")?;
            }
            Self::TooManyFragments { fragments, limit } => {
                write!(f, ": {fragments}, limit {limit}")?;
            }
            _ => {}
        }
        let rfc = if matches!(self, Self::InvalidCompression) {
            7692
        } else {
            6455
        };
        write!(f, " (RFC {rfc} section {})", self.section())
    }
}

impl error::Error for ProtocolError {}

impl From<HeaderError> for ProtocolError {
    #[inline]
    fn from(error: HeaderError) -> Self {
        match error {
            HeaderError::ReservedOpcode(opcode) => Self::ReservedOpcode(opcode),
            HeaderError::FragmentedControl(opcode) => Self::FragmentedControl(opcode),
            HeaderError::ControlTooLong(opcode) => Self::ControlTooLong(opcode),
            HeaderError::InvalidCloseBody => Self::InvalidCloseBody,
            HeaderError::NonMinimalLength => Self::NonMinimalLength,
            HeaderError::LengthOverflow => Self::LengthOverflow,
        }
    }
}

impl From<InvalidUtf8> for ProtocolError {
    #[inline]
    fn from(InvalidUtf8: InvalidUtf8) -> Self {
        Self::InvalidUtf8
    }
}

/// The reason for which a call sent nothing: nothing was written, and no state changed, except a
/// compression context (see [`OutputFull`](Self::OutputFull)).
///
/// With the feature `std` it converts into a `std::io::Error`: of kind `BrokenPipe` for
/// [`Closed`](Self::Closed), `WriteZero` for [`OutputFull`](Self::OutputFull), and `InvalidInput`
/// otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SendError {
    /// A Close frame was sent, or the connection ended (RFC 6455 §5.5.1). After a call of `close`,
    /// only a Pong can be sent, until the peer's Close arrives. This error takes precedence over
    /// the others. Messages may still be received after `close`: a program that replies to them
    /// must expect this error.
    Closed,
    /// The output has not enough room for the frame. The call can be repeated when it has, which
    /// for an output of fixed size may be never.
    ///
    /// A call that compresses the message must do so to know its length. Therefore do not repeat it
    /// before the output has the room. A context that is taken over is empty afterwards, since the
    /// peer does not have this message; that makes only the next messages longer.
    OutputFull {
        /// The room that the frame requires, in bytes.
        needed: usize,
    },
    /// A fragmented message is in progress, and this is not a fragment of it (§5.4).
    MessageInProgress,
    /// The payload of a control frame is longer than 125 bytes (§5.5).
    ControlTooLong,
    /// The payload length exceeds 2^63 - 1 bytes (§5.2).
    LengthOverflow,
    /// The fragments of a text message are not valid UTF-8 (§5.6).
    InvalidUtf8,
    /// permessage-deflate was not negotiated (RFC 7692 §6).
    NotNegotiated,
    /// The caller's compressor uses a larger window than the one that was negotiated, or takes a
    /// context over where the peer keeps none (RFC 7692 §7.1). The peer could not decompress the
    /// message.
    IncompatibleParams,
    /// Only a client may send the status code 1010 (§7.4.1).
    ClientOnlyCloseCode,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the connection is closing or closed",
            Self::OutputFull { needed } => {
                return write!(f, "the output has no room for {needed} bytes");
            }
            Self::MessageInProgress => "a fragmented message is in progress",
            Self::ControlTooLong => "control frame payload longer than 125 bytes",
            Self::LengthOverflow => "payload length exceeds 63 bits",
            Self::InvalidUtf8 => "invalid UTF-8",
            Self::NotNegotiated => "permessage-deflate was not negotiated",
            Self::IncompatibleParams => "the message was compressed with other parameters",
            Self::ClientOnlyCloseCode => "only clients may send status code 1010",
        })
    }
}

impl error::Error for SendError {}

impl From<InvalidUtf8> for SendError {
    #[inline]
    fn from(InvalidUtf8: InvalidUtf8) -> Self {
        Self::InvalidUtf8
    }
}

#[cfg(feature = "std")]
mod io {
    use super::{HeaderError, InvalidUtf8, ProtocolError, SendError};
    use crate::frame::InvalidOpcode;
    use crate::frame::close::InvalidCloseCode;
    use std::io::{Error, ErrorKind};

    impl From<ProtocolError> for Error {
        fn from(error: ProtocolError) -> Self {
            Self::new(ErrorKind::InvalidData, error)
        }
    }

    impl From<HeaderError> for Error {
        fn from(error: HeaderError) -> Self {
            Self::new(ErrorKind::InvalidData, error)
        }
    }

    impl From<InvalidUtf8> for Error {
        fn from(error: InvalidUtf8) -> Self {
            Self::new(ErrorKind::InvalidData, error)
        }
    }

    impl From<InvalidOpcode> for Error {
        fn from(error: InvalidOpcode) -> Self {
            Self::new(ErrorKind::InvalidInput, error)
        }
    }

    impl From<InvalidCloseCode> for Error {
        fn from(error: InvalidCloseCode) -> Self {
            Self::new(ErrorKind::InvalidInput, error)
        }
    }

    impl From<SendError> for Error {
        fn from(error: SendError) -> Self {
            let kind = match error {
                SendError::Closed => ErrorKind::BrokenPipe,
                SendError::OutputFull { .. } => ErrorKind::WriteZero,
                _ => ErrorKind::InvalidInput,
            };
            Self::new(kind, error)
        }
    }
}
