//! A server receives any bytes, split anywhere.
#![no_main]

#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "support/receive.rs"]
mod receive;
mod support;

libfuzzer_sys::fuzz_target!(|data: &[u8]| receive::check::<ws_proto::Server>(data));
