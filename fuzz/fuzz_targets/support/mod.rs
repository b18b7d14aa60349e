//! What the targets share.
#![allow(dead_code, reason = "each target uses a part of it")]

/// Splits what the fuzzer made into places to cut at, and bytes: a count, so many places of two bytes each, and the rest.
pub(crate) fn cuts_and_bytes(data: &[u8]) -> (Vec<usize>, &[u8]) {
    let Some((&count, data)) = data.split_first() else { return (Vec::new(), data) };
    let (places, bytes) = data.split_at((usize::from(count % 8) * 2).min(data.len()));
    let cuts = if count >= 0xf0 {
        (0..bytes.len()).collect()
    } else {
        places.chunks(2).map(|place| place_of(place) % (bytes.len() + 1)).collect()
    };
    (cuts, bytes)
}

fn place_of(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |place, &byte| place << 8 | usize::from(byte))
}

/// The pieces of `bytes` between the cuts.
pub(crate) fn pieces<'a>(bytes: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut cuts = cuts.to_vec();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.windows(2).map(|ends| &bytes[ends[0]..ends[1]]).collect()
}
