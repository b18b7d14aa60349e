//! `Arbitrary` for public types that are values, to fuzz code that uses this crate. All generated
//! values are valid.

use crate::frame::{Header, MaskingKey, Opcode};
use crate::{CloseCode, Config, MessageKind};
use arbitrary::{Arbitrary, Result, Unstructured};

impl<'a> Arbitrary<'a> for MessageKind {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        u.choose(&[Self::Text, Self::Binary]).copied()
    }
}

impl<'a> Arbitrary<'a> for MaskingKey {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        u.arbitrary().map(Self)
    }
}

/// Generates any of the sixteen opcodes.
impl<'a> Arbitrary<'a> for Opcode {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self::new(u.int_in_range(0..=15)?).unwrap_or(Self::CONTINUATION))
    }
}

/// Generates a header that [`Header::decode`] reads as it was encoded. It violates rules at random,
/// so that [`Header::parse`] refuses most.
impl<'a> Arbitrary<'a> for Header {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self {
            fin: u.arbitrary()?,
            rsv: u.int_in_range(0..=7)?,
            opcode: u.arbitrary()?,
            mask: u.arbitrary()?,
            // In each of the three forms.
            len: below_2_to(&[7, 16, 63], u)?,
        })
    }
}

impl<'a> Arbitrary<'a> for CloseCode {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let code = if u.arbitrary()? {
            *u.choose(&[
                1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
            ])?
        } else {
            u.int_in_range(3000..=4999)?
        };
        Ok(Self::new(code).unwrap_or(Self::NORMAL))
    }
}

/// Generates limits that inputs of a few bytes, of many, or none can exceed.
impl<'a> Arbitrary<'a> for Config {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self::new()
            .with_max_message(below_2_to(&[16, 6, 8, 12, 24, 64], u)?)
            .with_max_fragments(below_2_to(&[10, 2, 4, 32], u)? as u32)
            .with_auto_pong(u.arbitrary()?)
            .with_allow_non_minimal_length(u.arbitrary()?))
    }
}

/// Generates a number of as many bits as one of `bits`; the greatest if no input is left.
fn below_2_to(bits: &[u32], u: &mut Unstructured<'_>) -> Result<u64> {
    let greatest = u64::MAX >> (64 - u.choose(bits)?);
    Ok(greatest - u.int_in_range(0..=greatest)?)
}

#[cfg(feature = "deflate")]
impl<'a> Arbitrary<'a> for crate::deflate::Params {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut direction = || -> Result<_> {
            let max_window_bits = if u.arbitrary()? {
                Some(u.int_in_range(8..=15)?)
            } else {
                None
            };
            let no_context_takeover = u.arbitrary()?;
            Ok(crate::deflate::Direction {
                no_context_takeover,
                max_window_bits,
            })
        };
        Ok(Self {
            server: direction()?,
            client: direction()?,
        })
    }
}
