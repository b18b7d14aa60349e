//! Sizes (SE6), and the auto traits and lints that the crate promises.

use ws_proto::{Client, Connection, RecvHalf, SendHalf, Server};

/// SE6: with no heap, the cost of an idle connection is its size.
#[test]
fn se6_a_servers_connection_is_at_most_256_bytes() {
    let size = size_of::<Connection<Server>>();
    assert!(size <= 256, "{size} bytes");
    // A client holds its seed and a block of the keystream besides.
    let size = size_of::<Connection<Client>>();
    assert!(size <= 256 + 32 + 8 + 64 + 8, "{size} bytes");
}

/// The documentation of `WebSocket` has these sizes: those of the connection; the memory of a
/// message, with its kind; the subprotocol; and a pointer for the compression of each direction.
#[cfg(all(feature = "alloc", target_pointer_width = "64"))]
#[test]
fn se6_a_servers_websocket_is_as_large_as_documented() {
    let deflate = if cfg!(feature = "deflate") { 16 } else { 0 };
    assert_eq!(size_of::<ws_proto::WebSocket<Server>>(), 304 + deflate);
    assert_eq!(size_of::<ws_proto::WebSocket<Client>>(), 416 + deflate);
}

/// The same of a `Session`.
#[cfg(all(feature = "alloc", target_pointer_width = "64"))]
#[test]
fn se6_a_session_is_as_large_as_documented() {
    let deflate = if cfg!(feature = "deflate") { 16 } else { 0 };
    assert_eq!(size_of::<ws_proto::Session<Server>>(), 608 + deflate);
    assert_eq!(size_of::<ws_proto::Session<Client>>(), 720 + deflate);
}

/// Halves go to two tasks.
#[test]
fn connections_go_from_thread_to_thread() {
    fn check<T: Send + Sync + Unpin + 'static>() {}
    check::<Connection<Server>>();
    check::<Connection<Client>>();
    check::<(RecvHalf<Client>, SendHalf<Client>)>();
    #[cfg(feature = "alloc")]
    check::<(
        ws_proto::WebSocket<Server>,
        ws_proto::WebSocket<Client>,
        ws_proto::MessageRecvHalf<Client>,
    )>();
}

/// U1: memory that was not written cannot be read without `unsafe`. That no module may allow it is
/// the compiler's to check.
#[test]
fn u1_the_crate_forbids_unsafe_code() {
    assert!(
        include_str!("../../src/lib.rs")
            .lines()
            .any(|line| line == "#![forbid(unsafe_code)]")
    );
}
