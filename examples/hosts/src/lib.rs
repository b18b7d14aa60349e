//! A WebSocket for tokio, in [`tokio_stream`], and TLS for servers and clients, in [`tls`]. The
//! programs in `src/bin` are the hosts.

pub mod tls;
pub mod tokio_stream;
