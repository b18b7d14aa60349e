//! What can go wrong once the connection is open: violations by the peer, and mistakes of the caller.

use crate::close::CloseCode;
use core::fmt;

/// The rule that the peer broke, and for which the connection failed (RFC 6455 §7.1.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A reserved bit is set that no extension in use gives a meaning.
    ReservedBits,
    /// A reserved opcode: 3 to 7, or 11 to 15.
    ReservedOpcode,
    /// A control frame without FIN.
    FragmentedControl,
    /// A control frame with a payload of more than 125 bytes.
    ControlTooLong,
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
    ExpectedContinuation,
    /// Text that is not UTF-8.
    InvalidUtf8,
    /// A Close frame with a body of one byte.
    InvalidCloseBody,
    /// A Close frame with a status code that must not be sent.
    InvalidCloseCode(u16),
    /// A Close frame with a reason that is not UTF-8.
    InvalidCloseReason,
    /// A frame with a payload beyond [`Config::max_frame`](crate::Config::max_frame).
    FrameTooLong,
    /// A message beyond [`Config::max_message`](crate::Config::max_message).
    MessageTooLong,
    /// A compressed message that is not a valid DEFLATE stream.
    #[cfg(feature = "deflate")]
    InvalidCompression,
    /// A compressed message that inflates by more than [`deflate::Config::max_ratio`](crate::deflate::Config::max_ratio).
    #[cfg(feature = "deflate")]
    RatioTooHigh,
    /// A message of more fragments than [`Config::max_fragments`](crate::Config::max_fragments).
    TooManyFragments,
}

impl ProtocolError {
    /// The status code of the Close frame that tells the peer (§7.4.1).
    #[must_use]
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::InvalidUtf8 | Self::InvalidCloseReason => CloseCode::INVALID_PAYLOAD,
            Self::FrameTooLong | Self::MessageTooLong => CloseCode::MESSAGE_TOO_BIG,
            #[cfg(feature = "deflate")]
            Self::InvalidCompression => CloseCode::INVALID_PAYLOAD,
            #[cfg(feature = "deflate")]
            Self::RatioTooHigh => CloseCode::MESSAGE_TOO_BIG,
            Self::TooManyFragments => CloseCode::POLICY_VIOLATION,
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }

    /// The section that holds the rule: of RFC 6455, but for compression of RFC 7692.
    #[must_use]
    pub const fn section(self) -> &'static str {
        match self {
            Self::ReservedBits | Self::ReservedOpcode | Self::NonMinimalLength | Self::LengthOverflow => "5.2",
            Self::FragmentedControl | Self::ControlTooLong => "5.5",
            Self::Unmasked | Self::Masked => "5.1",
            Self::UnexpectedContinuation | Self::ExpectedContinuation => "5.4",
            Self::InvalidUtf8 => "8.1",
            Self::InvalidCloseBody | Self::InvalidCloseReason => "5.5.1",
            Self::InvalidCloseCode(_) => "7.4",
            Self::FrameTooLong | Self::MessageTooLong | Self::TooManyFragments => "10.4",
            #[cfg(feature = "deflate")]
            Self::InvalidCompression => "7.2.2",
            #[cfg(feature = "deflate")]
            Self::RatioTooHigh => "8",
        }
    }

    /// The rule in a few words: what the peer reads as the reason.
    pub(crate) const fn rule(self) -> &'static str {
        match self {
            Self::ReservedBits => "reserved bit set",
            Self::ReservedOpcode => "reserved opcode",
            Self::FragmentedControl => "fragmented control frame",
            Self::ControlTooLong => "control frame of more than 125 bytes",
            Self::NonMinimalLength => "payload length not in its shortest form",
            Self::LengthOverflow => "payload length beyond 63 bits",
            Self::Unmasked => "frame from a client not masked",
            Self::Masked => "frame from a server masked",
            Self::UnexpectedContinuation => "continuation of no message",
            Self::ExpectedContinuation => "new message inside another",
            Self::InvalidUtf8 => "text is not UTF-8",
            Self::InvalidCloseBody => "Close body of one byte",
            Self::InvalidCloseCode(_) => "invalid status code",
            Self::InvalidCloseReason => "Close reason is not UTF-8",
            Self::FrameTooLong => "frame too long",
            Self::MessageTooLong => "message too long",
            Self::TooManyFragments => "too many fragments",
            #[cfg(feature = "deflate")]
            Self::InvalidCompression => "compressed data is not valid",
            #[cfg(feature = "deflate")]
            Self::RatioTooHigh => "compressed too much",
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rule())?;
        if let Self::InvalidCloseCode(code) = self {
            write!(f, " {code}")?;
        }
        let rfc = match self {
            #[cfg(feature = "deflate")]
            Self::InvalidCompression | Self::RatioTooHigh => 7692,
            _ => 6455,
        };
        write!(f, " (RFC {rfc} section {})", self.section())
    }
}

impl core::error::Error for ProtocolError {}

/// Why nothing was sent: nothing was written, and nothing changed.
///
/// With the feature `std` it becomes a `std::io::Error` by `?`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SendError {
    /// A Close frame was sent, or the connection ended: nothing may follow (RFC 6455 §5.5.1). A program that answers messages meets it after its own
    /// `close`, since messages may still arrive then.
    Closed,
    /// The output has no room for the frame. The call can be repeated when it has, which for an output of fixed size may be never.
    Full {
        /// The room that the frame takes, in bytes. Of a message that is to be compressed it is what suffices in any case, some more than what is not compressed takes.
        needed: usize,
    },
    /// A message sent in parts is not finished, and this one is another (§5.4).
    MessageUnfinished,
    /// The payload of a control frame is longer than 125 bytes (§5.5).
    ControlTooLong,
    /// The payload of a frame is said to be longer than 2^63 - 1 bytes (§5.2).
    LengthOverflow,
    /// The parts of a text are not UTF-8 (§5.6).
    InvalidUtf8,
    /// A Close frame has a reason, but no code before it (§5.5.1).
    ReasonWithoutCode,
    /// Compression was not agreed on (RFC 7692 §6).
    NotNegotiated,
    /// The connection compresses messages itself, with a context that is taken over from one to the next (RFC 7692 §7.1.1): what the caller compresses does not fit
    /// between them.
    ContextInUse,
    /// A server may not send 1010 (§7.4.1).
    CodeOfClients,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the connection is closing or closed",
            Self::Full { needed } => return write!(f, "the output has no room for {needed} bytes"),
            Self::MessageUnfinished => "another message is not finished",
            Self::ControlTooLong => "control frame of more than 125 bytes",
            Self::LengthOverflow => "payload length beyond 63 bits",
            Self::InvalidUtf8 => "text is not UTF-8",
            Self::ReasonWithoutCode => "close reason without a code",
            Self::NotNegotiated => "compression was not agreed on",
            Self::ContextInUse => "the connection's own compressor has the context",
            Self::CodeOfClients => "status code 1010 is for clients only",
        })
    }
}

impl core::error::Error for SendError {}

#[cfg(feature = "std")]
impl From<SendError> for std::io::Error {
    fn from(error: SendError) -> Self {
        Self::other(error)
    }
}
