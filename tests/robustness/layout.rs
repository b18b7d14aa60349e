//! Sizes (SE6), and what the crate and its types may be used for.

use ws_proto::{Client, Connection, RecvHalf, SendHalf, Server};

/// SE6: with no heap, what an idle connection costs is what it is.
#[test]
fn se6_a_servers_connection_is_at_most_256_bytes() {
    let size = size_of::<Connection<Server>>();
    assert!(size <= 256, "{size} bytes");
    // A client holds its seed and a block of the keystream besides.
    let size = size_of::<Connection<Client>>();
    assert!(size <= 256 + 32 + 8 + 64 + 8, "{size} bytes");
}

#[cfg(feature = "alloc")]
#[test]
fn se6_a_servers_websocket_is_its_connection_and_empty_buffers() {
    // Two buffers for messages, and the subprotocol. Compression states are created when they are
    // first used; the settings of both directions are kept.
    #[cfg(feature = "deflate")]
    let deflate =
        2 * (size_of::<ws_proto::deflate::DeflateConfig>() + size_of::<Option<Box<()>>>() + 16);
    #[cfg(not(feature = "deflate"))]
    let deflate = 0;
    let buffers = size_of::<(String, Vec<u8>, Option<Box<str>>)>();
    assert!(size_of::<ws_proto::WebSocket<Server>>() <= 256 + buffers + deflate);
}

#[test]
fn se6_deadlines_and_sessions_are_small() {
    let size = size_of::<ws_proto::Deadlines>();
    assert!(size <= 208, "{size} bytes");
    #[cfg(feature = "alloc")]
    {
        let websocket = size_of::<ws_proto::WebSocket<Server>>();
        let size = size_of::<ws_proto::Session<Server>>();
        assert!(size <= websocket + 208 + 2 * 40 + 16, "{size} bytes");
    }
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
