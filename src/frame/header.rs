//! The frame header (RFC 6455 §5.2), parsed and encoded.

use super::mask::MaskingKey;
use super::opcode::{MAX_CONTROL_PAYLOAD, Opcode};
use crate::buffer::{InlineBytes, prefix};
use core::ops::Deref;
use core::{error, fmt};

/// The header of a frame (RFC 6455 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header {
    /// FIN: whether this is the last fragment of its message.
    pub fin: bool,
    /// The reserved bits RSV1 to RSV3, with the values 4, 2 and 1. Zero unless an extension
    /// defines them.
    pub rsv: u8,
    /// The opcode: the interpretation of the payload.
    pub opcode: Opcode,
    /// The masking key; `None` if the payload is not masked.
    pub mask: Option<MaskingKey>,
    /// The length of the payload, in bytes: 0 to 2^63 - 1.
    pub len: u64,
}

/// A rule of RFC 6455 §5.2 or §5.5 that a frame header violates, whatever connection it is for.
///
/// It converts into a [`ProtocolError`](crate::ProtocolError).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HeaderError {
    /// The opcode is reserved: 3 to 7, or 11 to 15.
    ReservedOpcode(Opcode),
    /// A control frame is fragmented: FIN is not set.
    FragmentedControl(Opcode),
    /// The payload of a control frame is longer than 125 bytes, or its length is encoded in a form
    /// for longer payloads.
    ControlTooLong(Opcode),
    /// The body of a Close frame is one byte long.
    InvalidCloseBody,
    /// The payload length is not encoded in its shortest form.
    NonMinimalLength,
    /// The payload length exceeds 2^63 - 1.
    LengthOverflow,
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ReservedOpcode(opcode) => write!(f, "reserved opcode {}", opcode.0),
            Self::FragmentedControl(opcode) => write!(f, "fragmented control frame ({opcode})"),
            Self::ControlTooLong(opcode) => {
                write!(f, "control frame payload longer than 125 bytes ({opcode})")
            }
            Self::InvalidCloseBody => f.write_str("Close body of one byte"),
            Self::NonMinimalLength => f.write_str("payload length not in its shortest form"),
            Self::LengthOverflow => f.write_str("payload length exceeds 63 bits"),
        }
    }
}

impl error::Error for HeaderError {}

impl Header {
    /// The value of [`rsv`](Self::rsv) in which only RSV1 is set: the first frame of a compressed
    /// message, if permessage-deflate was negotiated (RFC 7692 §6).
    pub const RSV1: u8 = 4;

    /// The maximum length of a header, in bytes.
    pub const MAX_LEN: usize = 14;

    /// Parses the header at the start of `bytes`, and returns it with its length in bytes, or
    /// `None` if more bytes are needed.
    ///
    /// A violation is reported at the byte that makes it certain, even if the header is incomplete.
    /// The caller must check the rules that depend on the connection: whether an extension defines
    /// the reserved bits, whether the frame must be masked, and whether it may occur now.
    ///
    /// ```
    /// use ws_proto::frame::{Header, HeaderError, Opcode};
    ///
    /// let (header, header_len) = Header::parse(b"\x81\x05He")?.unwrap();
    /// assert_eq!((header.opcode, header.len), (Opcode::TEXT, 5));
    /// assert_eq!(header_len, 2);
    ///
    /// let error = HeaderError::FragmentedControl(Opcode::PING);
    /// assert_eq!(Header::parse(b"\x09"), Err(error));
    /// # Ok::<(), HeaderError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`HeaderError`], for the first rule that the header violates.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, HeaderError> {
        fn check(header: &Header, header_len: usize) -> Result<(), HeaderError> {
            header.check_opcode()?;
            header.check_len(header.is_minimal(header_len))
        }
        let decoded = Self::decode(bytes);
        if let Some((header, header_len)) = decoded {
            if check(&header, header_len).is_ok() {
                return Ok(decoded);
            }
        }
        match (1..=bytes.len()).find_map(|len| violation(prefix(bytes, len), check)) {
            None => Ok(None),
            Some(error) => Err(error),
        }
    }

    /// Decodes the header at the start of `bytes` without any check, for tools that show invalid
    /// frames. Returns it with its length in bytes, or `None` if more bytes are needed.
    #[inline]
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<(Self, usize)> {
        let (&[first, second], mut rest) = bytes.split_first_chunk()?;
        let len = match second & 0x7f {
            126 => u64::from(u16::from_be_bytes(*take_array(&mut rest)?)),
            127 => u64::from_be_bytes(*take_array(&mut rest)?),
            len => u64::from(len),
        };
        let mask = if second & 0x80 != 0 {
            Some(MaskingKey(*take_array(&mut rest)?))
        } else {
            None
        };
        let header = Self {
            fin: first & 0x80 != 0,
            rsv: first >> 4 & 7,
            opcode: Opcode(first & 0x0f),
            mask,
            len,
        };
        Some((header, bytes.len() - rest.len()))
    }

    /// Checks the rules of §5.2 and §5.5 that the fields of a header can violate.
    ///
    /// # Errors
    ///
    /// [`HeaderError`], except [`NonMinimalLength`](HeaderError::NonMinimalLength), which only an
    /// encoded header can violate.
    #[inline]
    pub fn check(&self) -> Result<(), HeaderError> {
        self.check_opcode()?;
        self.check_len(true)
    }

    /// Checks the rules that the first byte can violate.
    #[inline]
    pub(crate) fn check_opcode(&self) -> Result<(), HeaderError> {
        if self.opcode.is_reserved() {
            return Err(HeaderError::ReservedOpcode(self.opcode));
        }
        if self.opcode.is_control() && !self.fin {
            return Err(HeaderError::FragmentedControl(self.opcode));
        }
        Ok(())
    }

    /// Checks the rules that the length can violate. A control frame whose length is in a longer
    /// form is too long, whatever the length is: that is certain once the form is known.
    #[inline]
    pub(crate) fn check_len(&self, is_minimal: bool) -> Result<(), HeaderError> {
        if self.opcode.is_control() {
            if self.len > MAX_CONTROL_PAYLOAD as u64 || !is_minimal {
                return Err(HeaderError::ControlTooLong(self.opcode));
            }
            if self.opcode == Opcode::CLOSE && self.len == 1 {
                return Err(HeaderError::InvalidCloseBody);
            }
        } else if self.len >> 63 != 0 {
            return Err(HeaderError::LengthOverflow);
        } else if !is_minimal {
            return Err(HeaderError::NonMinimalLength);
        }
        Ok(())
    }

    /// Returns whether the length is in its shortest form in an encoded header of `header_len`
    /// bytes.
    #[inline]
    pub(crate) const fn is_minimal(&self, header_len: usize) -> bool {
        header_len == self.encoded_len()
    }

    /// Encodes the header, with the length in its shortest form. Only the low 3 bits of `rsv` and
    /// the low 63 bits of `len` are written.
    ///
    /// ```
    /// use ws_proto::frame::{Header, MaskingKey, Opcode};
    ///
    /// let header = Header {
    ///     fin: true,
    ///     rsv: 0,
    ///     opcode: Opcode::PING,
    ///     mask: Some(MaskingKey([1, 2, 3, 4])),
    ///     len: 5,
    /// };
    /// assert_eq!(*header.encode(), [0x89, 0x85, 1, 2, 3, 4]);
    /// ```
    #[inline]
    #[must_use]
    pub fn encode(&self) -> HeaderBytes {
        let mut bytes = InlineBytes::new();
        let masked = if self.mask.is_some() { 0x80 } else { 0 };
        bytes.push([u8::from(self.fin) << 7 | (self.rsv & 7) << 4 | self.opcode.0]);
        match self.len {
            len @ 0..126 => bytes.push([masked | len as u8]),
            len @ 126..0x1_0000 => {
                bytes.push([masked | 126]);
                bytes.push((len as u16).to_be_bytes());
            }
            len => {
                bytes.push([masked | 127]);
                bytes.push((len & u64::MAX >> 1).to_be_bytes());
            }
        }
        if let Some(MaskingKey(key)) = self.mask {
            bytes.push(key);
        }
        HeaderBytes(bytes)
    }

    /// Returns the length of the [encoded](Self::encode) header, in bytes: 2 to 14.
    #[inline]
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        let len = match self.len {
            0..126 => 0,
            126..0x1_0000 => 2,
            _ => 8,
        };
        2 + len + if self.mask.is_some() { 4 } else { 0 }
    }
}

/// Returns the rule that any header which begins with `bytes` violates: the error that `check`
/// returns both for the least and for the greatest values of the missing bytes.
///
/// `check` must test the rules in the order of the bytes that violate them.
#[cold]
pub(crate) fn violation<E: PartialEq>(
    bytes: &[u8],
    check: impl Fn(&Header, usize) -> Result<(), E>,
) -> Option<E> {
    let length_end = match bytes.get(1).map_or(0, |second| second & 0x7f) {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    // No masking key violates a rule.
    if bytes.len() > length_end {
        return None;
    }
    let completed = |missing| {
        let mut header = [missing; Header::MAX_LEN];
        for (place, &byte) in header.iter_mut().zip(bytes) {
            *place = byte;
        }
        let (header, header_len) = Header::decode(&header)?;
        check(&header, header_len).err()
    };
    completed(0x00).filter(|error| completed(0xff).as_ref() == Some(error))
}

/// Removes `N` bytes from the front of `rest`.
#[inline]
fn take_array<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(bytes)
}

/// An encoded header: a slice of 2 to 14 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HeaderBytes(InlineBytes<{ Header::MAX_LEN }>);

impl Deref for HeaderBytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for HeaderBytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for HeaderBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("HeaderBytes").field(&&**self).finish()
    }
}
