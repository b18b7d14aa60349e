//! `Arbitrary` for the public types, so that those who build on them can fuzz what they build. All
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

/// Any of the sixteen.
impl<'a> Arbitrary<'a> for Opcode {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self::new(u.int_in_range(0..=15)?).unwrap_or(Self::CONTINUATION))
    }
}

/// One that [`Header::decode`] reads as it was written. What rules it breaks is chance, so that
/// [`Header::parse`] refuses most.
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
        let number = match u.arbitrary::<bool>()? {
            true => *u.choose(&[
                1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
            ])?,
            false => u.int_in_range(3000..=4999)?,
        };
        Ok(Self::new(number).unwrap_or(Self::NORMAL))
    }
}

/// One with limits that inputs of a few bytes, of many, or none can reach.
impl<'a> Arbitrary<'a> for Config {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self::default()
            .max_message(below_2_to(&[16, 6, 8, 12, 24, 64], u)?)
            .max_fragments(below_2_to(&[10, 2, 4, 32], u)? as u32)
            .auto_pong(u.arbitrary()?)
            .allow_non_minimal_length(u.arbitrary()?))
    }
}

/// A number of so many bits as one of these has; the greatest when nothing is left to choose from.
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
            Ok(crate::deflate::Direction {
                no_context_takeover: u.arbitrary()?,
                max_window_bits,
            })
        };
        Ok(Self {
            server: direction()?,
            client: direction()?,
        })
    }
}
