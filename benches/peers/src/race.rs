//! Contenders against each other, in one run.

use std::time::{Duration, Instant};

/// The fastest of many rounds of each contender. All must count the same.
pub fn race<const N: usize>(mut contenders: [&mut dyn FnMut() -> usize; N]) -> [Duration; N] {
    let mut best = [Duration::MAX; N];
    let mut counts = [0; N];
    for _ in 0..200 {
        for ((contender, best), count) in contenders.iter_mut().zip(&mut best).zip(&mut counts) {
            let start = Instant::now();
            *count = contender();
            *best = start.elapsed().min(*best);
        }
    }
    assert!(counts.iter().all(|count| *count == counts[0]), "{counts:?}");
    best
}
