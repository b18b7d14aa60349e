//! `Arbitrary` for the public types, so that those who build on them can fuzz what they build. All values are valid.

use crate::{CloseCode, Config, Header, Kind, Mask, Opcode};
use arbitrary::{Arbitrary, Result, Unstructured};

impl<'a> Arbitrary<'a> for Kind {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        u.choose(&[Self::Text, Self::Binary]).copied()
    }
}

impl<'a> Arbitrary<'a> for Mask {
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

/// One that can be written and read: what other rules it breaks is chance.
impl<'a> Arbitrary<'a> for Header {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        // Lengths of each form.
        let bits = *u.choose(&[7, 16, 63])?;
        Ok(Self {
            fin: u.arbitrary()?,
            rsv: u.int_in_range(0..=7)?,
            opcode: u.arbitrary()?,
            mask: u.arbitrary()?,
            len: u.int_in_range(0..=(1 << bits) - 1)?,
        })
    }
}

impl<'a> Arbitrary<'a> for CloseCode {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let number = match u.arbitrary::<bool>()? {
            true => *u.choose(&[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014])?,
            false => u.int_in_range(3000..=4999)?,
        };
        Ok(Self::new(number).unwrap_or(Self::NORMAL))
    }
}

impl<'a> Arbitrary<'a> for Config {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self::default()
            .max_frame(u.arbitrary()?)
            .max_message(u.arbitrary()?)
            .max_fragments(u.arbitrary()?)
            .allow_non_minimal_length(u.arbitrary()?))
    }
}

#[cfg(feature = "deflate")]
impl<'a> Arbitrary<'a> for crate::deflate::Params {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut direction = || -> Result<_> {
            let max_window_bits = if u.arbitrary()? { Some(u.int_in_range(8..=15)?) } else { None };
            Ok(crate::deflate::Direction { no_context_takeover: u.arbitrary()?, max_window_bits })
        };
        Ok(Self { server: direction()?, client: direction()? })
    }
}
