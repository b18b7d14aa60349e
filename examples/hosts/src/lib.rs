//! A WebSocket for tokio, in [`tokio_ws`]. The programs in `src/bin` are the hosts.

pub mod tokio_ws;
