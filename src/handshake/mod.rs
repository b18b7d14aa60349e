//! The HTTP/1.1 opening handshake (RFC 6455 §4), both sides.
