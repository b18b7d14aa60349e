//! The frame header (RFC 6455 §5.2), parsed and encoded: the codec alone, for proxies, analysers
//! and tests.
//!
//! Knows the rules that one header can break by itself; not roles, messages or the state of a
//! connection.

use crate::error::ProtocolError;
pub use crate::mask::MaskingKey;
pub use crate::opcode::{MAX_CONTROL_PAYLOAD, Opcode};
pub use crate::utf8::Utf8Validator;

use core::fmt;
use core::ops::Deref;

/// The header of a frame (RFC 6455 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header {
    /// Whether this is the last fragment of its message.
    pub fin: bool,
    /// The reserved bits RSV1 to RSV3, as the bits of value 4, 2 and 1. Zero unless an extension
    /// gives them a meaning.
    pub rsv: u8,
    /// What the payload is.
    pub opcode: Opcode,
    /// The masking key; `None` if the payload is not masked.
    pub mask: Option<MaskingKey>,
    /// The length of the payload, in bytes: 0 to 2^63 - 1.
    pub len: u64,
}

impl Header {
    /// The value of [`rsv`](Self::rsv) in which only RSV1 is set: a compressed message begins, if
    /// permessage-deflate is in use (RFC 7692 §6).
    pub const RSV1: u8 = 4;

    /// The longest header, in bytes.
    pub const MAX_LEN: usize = 14;

    /// Parses the header at the start of `bytes`, and returns it with its length in bytes, or
    /// `None` if more bytes are needed.
    ///
    /// A fault is returned at the byte that makes it certain, even if the header is incomplete. The
    /// caller must check what depends on the connection: whether reserved bits have a meaning,
    /// whether the frame must be masked, and whether it may come now.
    ///
    /// ```
    /// use ws_proto::frame::{Header, Opcode};
    /// use ws_proto::ProtocolError;
    ///
    /// let (header, taken) = Header::parse(&[0x81, 0x05, 0x48, 0x65])?.unwrap();
    /// assert_eq!((header.opcode, header.len, taken), (Opcode::TEXT, 5, 2));
    ///
    /// assert_eq!(
    ///     Header::parse(&[0x09]),
    ///     Err(ProtocolError::FragmentedControl(Opcode::PING))
    /// );
    /// # Ok::<(), ProtocolError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ProtocolError`] if the header violates §5.2 or §5.5: the opcode is reserved, a control
    /// frame is fragmented or too long, a Close has a body of one byte, or the length is not in
    /// its shortest form or needs more than 63 bits.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, ProtocolError> {
        fn check(header: &Header, taken: usize) -> Result<(), ProtocolError> {
            header.check_opcode()?;
            header.check_len(header.is_minimal(taken))
        }
        let decoded = Self::decode(bytes);
        if let Some((header, taken)) = decoded {
            if check(&header, taken).is_ok() {
                return Ok(decoded);
            }
        }
        match (1..=bytes.len()).find_map(|len| fault(bytes.get(..len).unwrap_or_default(), check)) {
            None => Ok(None),
            Some(error) => Err(error),
        }
    }

    /// The same without any check: what the bits say, for tools that show broken frames as they
    /// are.
    #[inline]
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<(Self, usize)> {
        let (&[first, second], mut rest) = bytes.split_first_chunk()?;
        let len = match second & 0x7f {
            126 => u64::from(u16::from_be_bytes(*take(&mut rest)?)),
            127 => u64::from_be_bytes(*take(&mut rest)?),
            len => u64::from(len),
        };
        let mask = if second & 0x80 != 0 {
            Some(MaskingKey(*take(&mut rest)?))
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

    /// Checks the rules of §5.2 and §5.5 that the values of one header can violate.
    ///
    /// # Errors
    ///
    /// [`ProtocolError`] for a reserved opcode, a control frame that is fragmented or too long, a
    /// Close with a body of one byte, or a length of more than 63 bits.
    #[inline]
    pub fn check(&self) -> Result<(), ProtocolError> {
        self.check_opcode()?;
        self.check_len(true)
    }

    /// The rules that the first byte can violate.
    #[inline]
    pub(crate) fn check_opcode(&self) -> Result<(), ProtocolError> {
        if self.opcode.is_reserved() {
            return Err(ProtocolError::ReservedOpcode(self.opcode));
        }
        if self.opcode.is_control() && !self.fin {
            return Err(ProtocolError::FragmentedControl(self.opcode));
        }
        Ok(())
    }

    /// The rules that the length can violate. A control frame whose length is in a longer form is
    /// too long, whatever the length is: that is certain once the form is known.
    #[inline]
    pub(crate) fn check_len(&self, is_minimal: bool) -> Result<(), ProtocolError> {
        if self.opcode.is_control() {
            if self.len > MAX_CONTROL_PAYLOAD as u64 || !is_minimal {
                return Err(ProtocolError::ControlTooLong(self.opcode));
            }
            if self.opcode == Opcode::CLOSE && self.len == 1 {
                return Err(ProtocolError::InvalidCloseBody);
            }
        } else if self.len >> 63 != 0 {
            return Err(ProtocolError::LengthOverflow);
        } else if !is_minimal {
            return Err(ProtocolError::NonMinimalLength);
        }
        Ok(())
    }

    /// Whether a header that took `taken` bytes had its length in the shortest form.
    #[inline]
    pub(crate) const fn is_minimal(&self, taken: usize) -> bool {
        taken == self.encoded_len()
    }

    /// The header as it stands on the wire, its length in the shortest form. Of `rsv` and `len` no
    /// more is written than their 3 and 63 bits.
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
        let mut header = HeaderBytes {
            bytes: [0; Self::MAX_LEN],
            len: 0,
        };
        let masked = if self.mask.is_some() { 0x80 } else { 0 };
        header.push([u8::from(self.fin) << 7 | (self.rsv & 7) << 4 | self.opcode.0]);
        match self.len {
            len @ 0..126 => header.push([masked | len as u8]),
            len @ 126..0x1_0000 => {
                header.push([masked | 126]);
                header.push((len as u16).to_be_bytes());
            }
            len => {
                header.push([masked | 127]);
                header.push((len & u64::MAX >> 1).to_be_bytes());
            }
        }
        if let Some(MaskingKey(key)) = self.mask {
            header.push(key);
        }
        header
    }

    /// How many bytes [`encode`](Self::encode) gives: 2 to 14.
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

/// The rule that a header which begins with `bytes` violates for certain: the error that `check`
/// returns both for the least and for the greatest values of the bytes that are missing.
///
/// `check` must test the rules in the order of the bytes that violate them.
#[cold]
pub(crate) fn fault(
    bytes: &[u8],
    check: impl Fn(&Header, usize) -> Result<(), ProtocolError>,
) -> Option<ProtocolError> {
    let length_ends = match bytes.get(1).map_or(0, |second| second & 0x7f) {
        126 => 4,
        127 => 10,
        _ => 2,
    };
    // Whatever the masking key is, it violates nothing.
    if bytes.len() > length_ends {
        return None;
    }
    let completed = |missing| {
        let mut header = [missing; Header::MAX_LEN];
        for (place, &byte) in header.iter_mut().zip(bytes) {
            *place = byte;
        }
        let (header, taken) = Header::decode(&header)?;
        check(&header, taken).err()
    };
    completed(0x00).filter(|error| completed(0xff) == Some(*error))
}

/// Cuts a value's bytes off the front of `rest`.
#[inline]
fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(bytes)
}

/// A header as it stands on the wire: a slice of 2 to 14 bytes.
#[derive(Clone, Copy)]
pub struct HeaderBytes {
    bytes: [u8; Header::MAX_LEN],
    len: u8,
}

impl HeaderBytes {
    #[inline]
    fn push<const N: usize>(&mut self, value: [u8; N]) {
        if let Some(place) = self
            .bytes
            .get_mut(self.len.into()..)
            .and_then(|rest| rest.first_chunk_mut())
        {
            *place = value;
            self.len += N as u8;
        }
    }
}

impl Deref for HeaderBytes {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        self.bytes.get(..self.len.into()).unwrap_or_default()
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
