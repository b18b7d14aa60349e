//! What the tests share. Nothing here uses the crate's codec: frames are built and read by hand, after the figure in RFC 6455 §5.2.
#![allow(dead_code, unused_imports, reason = "each test binary uses a part of it")]

#[cfg(feature = "deflate")]
pub(crate) mod deflate;
mod frames;
mod layers;
pub(crate) mod model;
pub(crate) mod strategies;

pub(crate) use frames::{Form, Frame, Head, Masking, TestRole, read, read_all, read_head, wire, xor};
pub(crate) use layers::{Ended, Halves, Layer, Log, MessageHalves, Outcome, Seen, assembled, drive, receive, receive_with, run, stream};

use std::time::{Duration, Instant};
use ws_proto::CloseCode;

/// A client's seed. Nothing depends on its value.
pub(crate) const SEED: [u8; 32] = *b"a seed for tests, of no secrecy.";

/// The status code of this number.
pub(crate) fn code(number: u16) -> CloseCode {
    CloseCode::new(number).expect("a code for the wire")
}

/// Bytes that differ from their neighbours at every distance that matters to a mask.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8 ^ (i / 251) as u8).collect()
}

/// Asserts that eight times as much takes about eight times as long, and not sixty-four times. What else the machine does can only lengthen it, the more so the longer it
/// takes: so the least of several times counts, more are taken for some seconds if they do not show it, and something is allowed for a processor that is shared.
#[track_caller]
pub(crate) fn assert_linear<T>(len: usize, prepare: impl Fn(usize) -> T, run: impl Fn(&T)) {
    let inputs = [prepare(len), prepare(8 * len)];
    let mut least = [Duration::MAX; 2];
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(10) {
        for (least, input) in least.iter_mut().zip(&inputs) {
            let start = Instant::now();
            run(input);
            *least = start.elapsed().min(*least);
        }
        if least[1] < least[0] * 32 {
            return;
        }
    }
    panic!("{:?} for eight times of what took {:?}", least[1], least[0]);
}

/// Runs a generic test for both roles.
#[macro_export]
macro_rules! for_both_roles {
    ($test:ident $(, $argument:expr)*) => {{
        $test::<ws_proto::Server>($($argument),*);
        $test::<ws_proto::Client>($($argument),*);
    }};
}
