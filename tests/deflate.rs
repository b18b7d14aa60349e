//! The oracle is right: permessage-deflate's other tests stand on it.
#![cfg(feature = "deflate")]

mod common;

use common::deflate::*;

#[test]
fn the_oracle_agrees_with_c_zlib() {
    for level in 0..=9 {
        let (mut theirs, mut oracle) = (CDeflate::new(level, 15, false), Oracle::default());
        for sample in samples() {
            assert!(oracle.message(&theirs.message(&sample)).as_ref() == Some(&sample), "level {level}, {} bytes", sample.len());
        }
        assert!((oracle.furthest > 1000) == (level > 0), "{}", oracle.furthest);
    }
}
