//! What can go wrong once the connection is open: violations by the peer, and mistakes of the
//! caller.

use crate::close::CloseCode;
use crate::opcode::{MessageKind, Opcode};
use core::fmt;

/// How the peer violated the protocol, or which limit it exceeded: why the connection failed (RFC
/// 6455 §7.1.7).
///
/// With the feature `std` it becomes a `std::io::Error` of kind `InvalidData` by `?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A reserved bit is set that no negotiated extension defines. The bits RSV1 to RSV3 have the
    /// values 4, 2 and 1.
    ReservedBits(u8),
    /// A reserved opcode: 3 to 7, or 11 to 15.
    ReservedOpcode(Opcode),
    /// A control frame without FIN.
    FragmentedControl(Opcode),
    /// A control frame whose payload length is more than 125 bytes, or in a form that is meant for
    /// more.
    ControlTooLong(Opcode),
    /// A payload length in a longer form than it needs.
    NonMinimalLength,
    /// A 64-bit payload length with its most significant bit set.
    LengthOverflow,
    /// A frame from a client that is not masked.
    Unmasked,
    /// A frame from a server that is masked.
    Masked,
    /// A continuation frame while no message is incomplete.
    UnexpectedContinuation,
    /// A new message while another one is incomplete.
    ExpectedContinuation {
        /// The type of the message that is incomplete.
        incomplete: MessageKind,
        /// The type of the message that begins.
        begun: MessageKind,
    },
    /// Text that is not UTF-8.
    InvalidUtf8,
    /// A Close frame with a body of one byte.
    InvalidCloseBody,
    /// A Close frame with this status code, which must not be sent.
    InvalidCloseCode(u16),
    /// A Close frame with a reason that is not UTF-8.
    InvalidCloseReason,
    /// A message that is longer than [`Config::max_message`](crate::Config::max_message).
    MessageTooLong {
        /// The length that the frames of the message declare so far, in bytes. Of a compressed
        /// message it is one more than the limit, since decompression stops there.
        len: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A compressed message that is longer on the wire than the limit that follows from
    /// [`Config::max_message`](crate::Config::max_message).
    CompressedTooLong {
        /// The length that the frames of the message declare so far, in bytes.
        len: u64,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A compressed message that is not a valid DEFLATE stream.
    InvalidCompression,
    /// A message of more fragments than [`Config::max_fragments`](crate::Config::max_fragments)
    /// permits.
    TooManyFragments {
        /// The fragments of the message so far.
        fragments: u64,
        /// The limit for a message of this length:
        /// [`Config::max_fragments`](crate::Config::max_fragments), and one for each 16 bytes.
        limit: u64,
    },
}

impl ProtocolError {
    /// The status code of the Close frame that reports the error to the peer (§7.4.1).
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

    /// The section that states the rule: of RFC 7692 for
    /// [`InvalidCompression`](Self::InvalidCompression), else of RFC 6455.
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

    /// The rule in a few words: the reason in the Close frame.
    pub(crate) const fn rule(self) -> &'static str {
        match self {
            Self::ReservedBits(_) => "reserved bit set",
            Self::ReservedOpcode(_) => "reserved opcode",
            Self::FragmentedControl(_) => "fragmented control frame",
            Self::ControlTooLong(_) => "control frame payload longer than 125 bytes",
            Self::NonMinimalLength => "payload length not in its shortest form",
            Self::LengthOverflow => "payload length needs more than 63 bits",
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
        f.write_str(self.rule())?;
        match self {
            Self::ReservedBits(rsv) => write!(f, " ({rsv:#05b})")?,
            Self::ReservedOpcode(opcode) => write!(f, " {}", u8::from(*opcode))?,
            Self::FragmentedControl(opcode) | Self::ControlTooLong(opcode) => {
                write!(f, " ({opcode})")?
            }
            Self::ExpectedContinuation { incomplete, begun } => {
                write!(f, " of a {incomplete} message, not a {begun} message")?
            }
            Self::InvalidCloseCode(code) => write!(f, " {code}")?,
            Self::MessageTooLong { len, limit } | Self::CompressedTooLong { len, limit } => {
                write!(f, ": {len} bytes, limit {limit}")?
            }
            Self::TooManyFragments { fragments, limit } => {
                write!(f, ": {fragments}, limit {limit}")?
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

impl core::error::Error for ProtocolError {}

/// Why nothing was sent: nothing was written, and nothing changed.
///
/// With the feature `std` it becomes a `std::io::Error` by `?`: of kind `BrokenPipe` for
/// [`Closed`](Self::Closed), `WriteZero` for [`Full`](Self::OutputFull), and else `InvalidInput`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SendError {
    /// A Close frame was sent, or the connection ended (RFC 6455 §5.5.1). Only a Pong may follow
    /// our own Close, until the peer's arrives. It is checked before all other
    /// errors. A program that answers messages meets it after its own `close`, since messages may
    /// still arrive then.
    Closed,
    /// The output has no room for the frame. The call can be repeated when it has, which for an
    /// output of fixed size may be never.
    OutputFull {
        /// The room that the frame takes, in bytes. Of a message that is to be compressed it is
        /// what suffices in any case, some more than what is not compressed takes.
        needed: usize,
    },
    /// A message sent in parts is not finished, and this one is another (§5.4).
    MessageInProgress,
    /// The payload of a control frame is longer than 125 bytes (§5.5).
    ControlTooLong,
    /// The payload of a frame is said to be longer than 2^63 - 1 bytes (§5.2).
    LengthOverflow,
    /// The parts of a text are not UTF-8 (§5.6).
    InvalidUtf8,
    /// A Close frame has a reason, but no code before it (§5.5.1).
    ReasonWithoutCode,
    /// Compression was not negotiated (RFC 7692 §6).
    NotNegotiated,
    /// The connection compresses messages itself, with a context that is taken over from one to the
    /// next (RFC 7692 §7.1.1): what the caller compresses does not fit between them.
    ContextInUse,
    /// A server may not send 1010 (§7.4.1).
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
            Self::LengthOverflow => "payload length needs more than 63 bits",
            Self::InvalidUtf8 => "invalid UTF-8",
            Self::ReasonWithoutCode => "Close reason without a status code",
            Self::NotNegotiated => "permessage-deflate was not negotiated",
            Self::ContextInUse => "the compression context is in use by the connection",
            Self::ClientOnlyCloseCode => "only clients may send status code 1010",
        })
    }
}

impl core::error::Error for SendError {}

#[cfg(feature = "std")]
mod io {
    use super::{ProtocolError, SendError};
    use std::io::{Error, ErrorKind};

    impl From<ProtocolError> for Error {
        fn from(error: ProtocolError) -> Self {
            Self::new(ErrorKind::InvalidData, error)
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
