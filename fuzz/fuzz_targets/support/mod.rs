//! The code that the targets share.
#![allow(dead_code, reason = "each target uses a part of it")]

pub(crate) mod heads;
pub(crate) mod work;

/// The longest input that is split at every byte.
const MOST_CUTS: usize = 300;

/// Where to split: at every byte, or at a few places.
pub(crate) struct Cuts<'a> {
    everywhere: bool,
    places: &'a [u8],
}

impl<'a> Cuts<'a> {
    /// Removes the splits from the front of the fuzzer's input: a count, and that number of places
    /// of two bytes each.
    pub(crate) fn take(data: &mut &'a [u8]) -> Self {
        let count = data.split_off_first().copied().unwrap_or_default();
        let places = data
            .split_off(..(usize::from(count % 8) * 2).min(data.len()))
            .unwrap_or_default();
        Self {
            everywhere: count >= 0xf0,
            places,
        }
    }

    /// The places in an input of this length, in order.
    pub(crate) fn places(&self, len: usize) -> Vec<usize> {
        if self.everywhere {
            return (0..len.min(MOST_CUTS)).collect();
        }
        let mut places: Vec<_> = self
            .places
            .chunks(2)
            .map(|place| place_of(place) % (len + 1))
            .collect();
        places.sort_unstable();
        places
    }

    /// The slices of `bytes` between the splits.
    pub(crate) fn pieces<'b>(&self, bytes: &'b [u8]) -> Vec<&'b [u8]> {
        let mut ends = self.places(bytes.len());
        ends.insert(0, 0);
        ends.push(bytes.len());
        ends.windows(2)
            .map(|ends| &bytes[ends[0]..ends[1]])
            .collect()
    }
}

fn place_of(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .fold(0, |place, &byte| place << 8 | usize::from(byte))
}
