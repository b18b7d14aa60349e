//! The code that the tests share. Nothing here uses the crate's codec: frames are built and read by
//! hand, after the figure in RFC 6455 §5.2.
#![allow(
    dead_code,
    unused_imports,
    unused_macros,
    reason = "each test binary uses a part of it"
)]

#[cfg(feature = "deflate")]
pub(crate) mod deflate;
mod frames;
mod layers;
pub(crate) mod model;
pub(crate) mod strategies;

pub(crate) use frames::{
    Form, Frame, Head, Masking, TestRole, read, read_all, read_head, wire, xor,
};
pub(crate) use layers::{
    Ended, Halves, InPlace, InPlaceHalves, Layer, Log, MessageHalves, Seen, Transcript, assembled,
    drive, receive, receive_with, run, stream,
};

use ws_proto::frame::Opcode;
use ws_proto::{CloseCode, ProtocolError};

/// A client's seed. Nothing depends on its value.
pub(crate) const SEED: [u8; 32] = *b"a seed for tests, of no secrecy.";

/// The status code of this number.
pub(crate) fn code(number: u16) -> CloseCode {
    CloseCode::new(number).expect("a code for the wire")
}

/// The error for a frame with this reserved opcode.
pub(crate) fn reserved(opcode: u8) -> ProtocolError {
    ProtocolError::ReservedOpcode(Opcode::new(opcode).expect("four bits"))
}

/// Bytes that differ from their neighbours at every distance that matters to a mask.
pub(crate) fn pattern(len: usize) -> Vec<u8> {
    (0..len)
        .map(|i| (i % 251) as u8 ^ (i / 251) as u8)
        .collect()
}

/// Runs a generic test for both roles.
macro_rules! for_both_roles {
    ($test:ident $(, $argument:expr)*) => {{
        $test::<ws_proto::Server>($($argument),*);
        $test::<ws_proto::Client>($($argument),*);
    }};
}

pub(crate) use for_both_roles;
