//! WebSocket URIs (RFC 6455 §3).
