//! The names of the headers that have a meaning in a handshake.

pub(in crate::handshake) const HOST: &str = "Host";
pub(in crate::handshake) const ORIGIN: &str = "Origin";
pub(in crate::handshake) const UPGRADE: &str = "Upgrade";
pub(in crate::handshake) const CONNECTION: &str = "Connection";
pub(in crate::handshake) const CONTENT_LENGTH: &str = "Content-Length";
pub(in crate::handshake) const TRANSFER_ENCODING: &str = "Transfer-Encoding";
pub(in crate::handshake) const KEY: &str = "Sec-WebSocket-Key";
pub(in crate::handshake) const ACCEPT: &str = "Sec-WebSocket-Accept";
pub(in crate::handshake) const VERSION: &str = "Sec-WebSocket-Version";
pub(in crate::handshake) const PROTOCOL: &str = "Sec-WebSocket-Protocol";
pub(in crate::handshake) const EXTENSIONS: &str = "Sec-WebSocket-Extensions";

/// The headers that have a meaning in a handshake. Only the handshake itself may write them.
const KNOWN: [&str; 11] = [
    HOST,
    ORIGIN,
    UPGRADE,
    CONNECTION,
    CONTENT_LENGTH,
    TRANSFER_ENCODING,
    KEY,
    ACCEPT,
    VERSION,
    PROTOCOL,
    EXTENSIONS,
];

/// Returns the name as written above, if it is one of those.
pub(in crate::handshake) fn known(name: &[u8]) -> Option<&'static str> {
    KNOWN
        .into_iter()
        .find(|known| known.as_bytes().eq_ignore_ascii_case(name))
}

/// Returns the name in lower case, as HTTP/2 and HTTP/3 require it (RFC 9113 §8.2), if it is one
/// that they use.
pub(in crate::handshake) fn lower_case(name: &'static str) -> &'static str {
    match name {
        ORIGIN => "origin",
        CONTENT_LENGTH => "content-length",
        VERSION => "sec-websocket-version",
        PROTOCOL => "sec-websocket-protocol",
        EXTENSIONS => "sec-websocket-extensions",
        _ => name,
    }
}
