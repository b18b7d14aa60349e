//! ratchet_core: over a stream of tokio, polled without a runtime. It does not validate UTF-8: text
//! is validated here, by simdutf8.

use super::Peer;
use crate::frames;
use crate::jobs::{Receive, Send, Work};
use crate::wire::{Wire, ready, work};
use bytes::BytesMut;
use ratchet_core::{Message, NoExt, Role, WebSocket, WebSocketConfig};

pub struct Ratchet;

fn open(role: frames::Role, wire: Wire, buffer: usize) -> WebSocket<Wire, NoExt> {
    let role = match role {
        frames::Role::Server => Role::Server,
        frames::Role::Client => Role::Client,
    };
    let config = WebSocketConfig {
        max_message_size: 64 << 20,
    };
    WebSocket::from_upgraded(config, wire, None, BytesMut::with_capacity(buffer), role)
}

impl Peer for Ratchet {
    fn name(&self) -> &'static str {
        "ratchet_core"
    }

    fn receive(&self, job: &'static Receive) -> Option<Work> {
        let wire = Wire::new(&job.stream, job.read, &job.sink);
        let mut ws = open(job.role, wire, job.buffer_size());
        Some(work(async move |tally| {
            let mut payload = BytesMut::new();
            loop {
                match ws.read(&mut payload).await? {
                    Message::Text => {
                        let text = simdutf8::basic::from_utf8(&payload)?;
                        tally.borrow_mut().text(text);
                    }
                    Message::Binary => tally.borrow_mut().binary(&payload),
                    Message::Ping(_) => continue,
                    other => return Err(format!("{other:?}").into()),
                }
                payload.clear();
            }
        }))
    }

    fn send(&self, job: &'static Send<[u8]>) -> Option<Work> {
        let mut ws = open(job.role, Wire::new(&[], 1, &job.sink), 4 << 10);
        Some(Box::new(move |_| {
            for message in &job.messages {
                ready(ws.write_binary(message))?;
                ready(ws.flush())?;
            }
            Ok(())
        }))
    }
}
