//! fastwebsockets: over a stream of tokio, polled without a runtime. A `FragmentCollector` yields
//! complete messages. Its handshakes need hyper, so they are left out. The size of its read buffer,
//! 8 KiB, is fixed.

use super::Peer;
use crate::frames;
use crate::jobs::{Receive, Send, Work};
use crate::wire::{Wire, ready, work};
use fastwebsockets::{FragmentCollector, Frame, OpCode, Payload, Role, WebSocket};

pub struct Fastwebsockets;

fn open(role: frames::Role, wire: Wire) -> WebSocket<Wire> {
    let role = match role {
        frames::Role::Server => Role::Server,
        frames::Role::Client => Role::Client,
    };
    WebSocket::after_handshake(wire, role)
}

impl Peer for Fastwebsockets {
    fn name(&self) -> &'static str {
        "fastwebsockets"
    }

    fn receive(&self, job: &'static Receive) -> Option<Work> {
        let ws = open(job.role, Wire::new(&job.stream, job.read, &job.sink));
        let mut ws = FragmentCollector::new(ws);
        Some(work(async move |tally| {
            loop {
                let frame = ws.read_frame().await?;
                match frame.opcode {
                    OpCode::Text => tally.borrow_mut().validated(&frame.payload),
                    OpCode::Binary => tally.borrow_mut().binary(&frame.payload),
                    other => return Err(format!("{other:?}").into()),
                }
            }
        }))
    }

    fn send(&self, job: &'static Send<[u8]>) -> Option<Work> {
        let mut ws = open(job.role, Wire::new(&[], 1, &job.sink));
        ws.set_writev(!job.in_one_slice);
        Some(send(ws, job))
    }

    fn send_uncopied(&self, job: &'static Send<[u8]>) -> Option<Work> {
        let mut ws = open(job.role, Wire::new(&[], 1, &job.sink));
        ws.set_writev_threshold(0);
        Some(send(ws, job))
    }
}

fn send(mut ws: WebSocket<Wire>, job: &'static Send<[u8]>) -> Work {
    Box::new(move |_| {
        for message in &job.messages {
            let frame = Frame::binary(Payload::Borrowed(message));
            ready(ws.write_frame(frame))?;
        }
        Ok(())
    })
}
