//! The frame header (RFC 6455 §5.2), parsed and encoded: the codec alone, for proxies, analysers and tests.
//!
//! Knows the rules that one header can break by itself; not roles, messages or the state of a connection.

use crate::error::ProtocolError;
use crate::mask::Mask;
use core::fmt;
use core::ops::Deref;

/// The longest payload of a control frame, in bytes (RFC 6455 §5.5).
pub const MAX_CONTROL_PAYLOAD: usize = 125;

/// A frame's opcode (RFC 6455 §5.2): four bits, of which six values have a meaning.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Opcode(u8);

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
        if number < 16 { Some(Self(number)) } else { None }
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
pub enum Kind {
    /// UTF-8.
    Text,
    /// Any bytes.
    Binary,
}

impl Kind {
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

/// The header of a frame (RFC 6455 §5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header {
    /// Whether this is the last fragment of its message.
    pub fin: bool,
    /// The reserved bits RSV1 to RSV3, as the bits of value 4, 2 and 1. Zero unless an extension gives them a meaning.
    pub rsv: u8,
    /// What the payload is.
    pub opcode: Opcode,
    /// The masking key; `None` if the payload is not masked.
    pub mask: Option<Mask>,
    /// The length of the payload, in bytes: 0 to 2^63 - 1.
    pub len: u64,
}

impl Header {
    /// The value of [`rsv`](Self::rsv) in which only RSV1 is set: a compressed message begins, if permessage-deflate is in use (RFC 7692 §6).
    pub const RSV1: u8 = 4;

    /// The longest header, in bytes.
    pub const MAX_LEN: usize = 14;

    /// The header at the beginning of `bytes` and how many of them it takes, or `None` if more are needed.
    ///
    /// What a header must satisfy by itself is checked. Left to whoever knows the connection: whether reserved bits have a meaning, whether the
    /// frame has to be masked, and whether it may come now.
    ///
    /// ```
    /// use ws_proto::{Header, Opcode};
    ///
    /// let (header, taken) = Header::parse(&[0x81, 0x05, 0x48, 0x65])?.unwrap();
    /// assert_eq!((header.opcode, header.len, taken), (Opcode::TEXT, 5, 2));
    /// # Ok::<(), ws_proto::ProtocolError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ProtocolError`] if the header breaks a rule of §5.2 or §5.5: an opcode is reserved, a control frame is fragmented or too long, a length is not in
    /// its shortest form or beyond 63 bits.
    #[inline]
    pub fn parse(bytes: &[u8]) -> Result<Option<(Self, usize)>, ProtocolError> {
        let Some((header, taken)) = Self::decode(bytes) else { return Ok(None) };
        header.check()?;
        if header.is_minimal(taken) { Ok(Some((header, taken))) } else { Err(ProtocolError::NonMinimalLength) }
    }

    /// The same without any check: what the bits say, for tools that show broken frames as they are.
    #[inline]
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<(Self, usize)> {
        let (&[first, second], mut rest) = bytes.split_first_chunk()?;
        let len = match second & 0x7f {
            126 => u64::from(u16::from_be_bytes(*take(&mut rest)?)),
            127 => u64::from_be_bytes(*take(&mut rest)?),
            len => u64::from(len),
        };
        let mask = if second & 0x80 != 0 { Some(Mask(*take(&mut rest)?)) } else { None };
        let header = Self { fin: first & 0x80 != 0, rsv: first >> 4 & 7, opcode: Opcode(first & 0x0f), mask, len };
        Some((header, bytes.len() - rest.len()))
    }

    /// The rules of §5.2 and §5.5 that the values of one header can break.
    ///
    /// # Errors
    ///
    /// [`ProtocolError`] for a reserved opcode, a fragmented or too long control frame, or a length beyond 63 bits.
    #[inline]
    pub fn check(&self) -> Result<(), ProtocolError> {
        if self.opcode.is_reserved() {
            return Err(ProtocolError::ReservedOpcode);
        }
        if self.opcode.is_control() && !self.fin {
            return Err(ProtocolError::FragmentedControl);
        }
        if self.opcode.is_control() && self.len > MAX_CONTROL_PAYLOAD as u64 {
            return Err(ProtocolError::ControlTooLong);
        }
        if self.len >> 63 != 0 {
            return Err(ProtocolError::LengthOverflow);
        }
        Ok(())
    }

    /// Whether a header that took `taken` bytes had its length in the shortest form.
    #[inline]
    pub(crate) const fn is_minimal(&self, taken: usize) -> bool {
        taken == self.encoded_len()
    }

    /// The header as it stands on the wire, its length in the shortest form. Of `rsv` and `len` no more is written than their 3 and 63 bits.
    ///
    /// ```
    /// use ws_proto::{Header, Mask, Opcode};
    ///
    /// let header = Header { fin: true, rsv: 0, opcode: Opcode::PING, mask: Some(Mask([1, 2, 3, 4])), len: 5 };
    /// assert_eq!(*header.encode(), [0x89, 0x85, 1, 2, 3, 4]);
    /// ```
    #[inline]
    #[must_use]
    pub fn encode(&self) -> HeaderBytes {
        let mut header = HeaderBytes { bytes: [0; Self::MAX_LEN], len: 0 };
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
        if let Some(Mask(key)) = self.mask {
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
        if let Some(place) = self.bytes.get_mut(self.len.into()..).and_then(|rest| rest.first_chunk_mut()) {
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
