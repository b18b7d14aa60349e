//! Which of the auto traits the public types have: all of them. A field of another kind takes one away without a word.

use std::panic::{RefUnwindSafe, UnwindSafe};

const fn has_all<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe>() {}

#[test]
fn uri() {
    use ws_proto::uri::{Uri, UriError};
    has_all::<Uri<'_>>();
    has_all::<UriError>();
}

#[cfg(feature = "handshake")]
#[test]
fn handshake() {
    use ws_proto::handshake::{
        Accept, Body, Extension, Fields, HandshakeError, HeadLimits, Param, Reject, Request, Response, Value, WriteError,
    };
    has_all::<Accept<'_>>();
    has_all::<Body>();
    has_all::<Extension<'_>>();
    has_all::<Fields<'_>>();
    has_all::<HandshakeError>();
    has_all::<HeadLimits>();
    has_all::<Param<'_>>();
    has_all::<Reject<'_>>();
    has_all::<Request<'_>>();
    has_all::<Response<'_>>();
    has_all::<Value<'_>>();
    has_all::<WriteError>();
}

#[cfg(all(feature = "handshake", feature = "alloc"))]
#[test]
fn handshake_machines() {
    use ws_proto::handshake::{Answer, ClientHandshake, ServerHandshake};
    has_all::<Answer<'_>>();
    has_all::<ClientHandshake>();
    has_all::<ServerHandshake>();
}
