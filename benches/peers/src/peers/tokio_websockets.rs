//! tokio-websockets: a stream and a sink of messages over a stream of tokio, polled without a
//! runtime. The size of its read buffer, 8 KiB, is fixed. SHA-1 by ring, masking keys by rand.

use super::Peer;
use crate::frames::Role;
use crate::jobs::{Accept, Connect, Receive, Send, Work};
use crate::wire::{ClientWire, Wire, ready};
use bytes::Bytes;
use futures::{SinkExt, StreamExt};
use std::task::{Context, Poll, Waker};
use tokio_websockets::{ClientBuilder, Message, ServerBuilder, WebSocketStream};

pub struct TokioWebsockets;

fn open(role: Role, wire: Wire) -> WebSocketStream<Wire> {
    match role {
        Role::Server => ServerBuilder::new().serve(wire),
        Role::Client => ClientBuilder::new().take_over(wire),
    }
}

impl Peer for TokioWebsockets {
    fn name(&self) -> &'static str {
        "tokio-websockets"
    }

    fn receive(&self, job: &'static Receive) -> Option<Work> {
        let mut ws = open(job.role, Wire::new(&job.stream, job.read, &job.sink));
        Some(Box::new(move |tally| {
            let mut context = Context::from_waker(Waker::noop());
            while let Poll::Ready(message) = ws.poll_next_unpin(&mut context) {
                let message = message.ok_or("the end")??;
                if let Some(text) = message.as_text() {
                    tally.text(text);
                } else if message.is_binary() {
                    tally.binary(message.as_payload());
                } else if !message.is_ping() {
                    return Err(format!("{message:?}").into());
                }
            }
            Ok(())
        }))
    }

    fn send(&self, job: &'static Send<[u8]>) -> Option<Work> {
        if job.in_one_slice { None } else { send(job) }
    }

    fn send_uncopied(&self, job: &'static Send<[u8]>) -> Option<Work> {
        send(job)
    }

    fn accept(&self, job: &'static Accept) -> Option<Work> {
        Some(Box::new(move |_| {
            let wire = Wire::new(&job.request, usize::MAX, &job.sink);
            ready(ServerBuilder::new().accept(wire))?;
            Ok(())
        }))
    }

    fn connect(&self, job: &'static Connect) -> Option<Work> {
        Some(Box::new(move |_| {
            let client = ClientBuilder::new().uri(Connect::URI)?;
            ready(client.connect_on(ClientWire::new(job)))?;
            Ok(())
        }))
    }
}

fn send(job: &'static Send<[u8]>) -> Option<Work> {
    let mut ws = open(job.role, Wire::new(&[], 1, &job.sink));
    Some(Box::new(move |_| {
        for message in &job.messages {
            let message = Message::binary(Bytes::from_static(message));
            ready(ws.send(message))?;
        }
        Ok(())
    }))
}
