//! yawc: a stream and a sink of frames over a stream of tokio, polled without a runtime. UTF-8 is
//! validated, which is an option. Its handshakes need hyper, so they are left out.

use super::Peer;
use crate::frames;
use crate::jobs::{Receive, Send, Work};
use crate::json::LEVEL;
use crate::wire::{Wire, ready};
use bytes::Bytes;
use futures::SinkExt;
use std::task::{Context, Poll, Waker};
use yawc::{CompressionLevel, Frame, OpCode, Options, Role, WebSocket};

pub struct Yawc;

impl From<frames::Role> for Role {
    fn from(role: frames::Role) -> Self {
        match role {
            frames::Role::Server => Self::Server,
            frames::Role::Client => Self::Client,
        }
    }
}

fn options() -> Options {
    let limit = (64 << 20) + 1;
    Options::default().with_utf8().with_limits(limit, limit)
}

fn compressing(wire: Wire, role: frames::Role, takeover: bool) -> WebSocket<Wire> {
    let mut options = options().with_compression_level(CompressionLevel::new(LEVEL as u32));
    let mut extensions = "permessage-deflate";
    if !takeover {
        options = options
            .server_no_context_takeover()
            .client_no_context_takeover();
        extensions = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    }
    WebSocket::from_stream_with_extensions(wire, role.into(), Some(extensions), options)
        .expect("valid parameters")
}

impl Peer for Yawc {
    fn name(&self) -> &'static str {
        "yawc"
    }

    fn receive(&self, job: &'static Receive) -> Option<Work> {
        let wire = Wire::new(&job.stream, job.read, &job.sink);
        let options = options().with_read_buffer_capacity(job.buffer_size());
        let ws = WebSocket::from_stream(wire, job.role.into(), options);
        Some(receive(ws.expect("valid options")))
    }

    fn inflate(&self, job: &'static Receive) -> Option<Work> {
        let wire = Wire::new(&job.stream, job.read, &job.sink);
        Some(receive(compressing(wire, job.role, job.takeover)))
    }

    fn send(&self, job: &'static Send<[u8]>) -> Option<Work> {
        let wire = Wire::new(&[], 1, &job.sink);
        let ws = WebSocket::from_stream(wire, job.role.into(), options());
        let mut ws = ws.expect("valid options");
        Some(Box::new(move |_| {
            for message in &job.messages {
                ready(ws.send(Frame::binary(Bytes::from_static(message))))?;
            }
            Ok(())
        }))
    }

    fn deflate(&self, job: &'static Send<str>) -> Option<Work> {
        let mut ws = compressing(Wire::new(&[], 1, &job.sink), job.role, job.takeover);
        Some(Box::new(move |_| {
            for message in &job.messages {
                let message = Bytes::from_static(message.as_bytes());
                ready(ws.send(Frame::text(message)))?;
            }
            Ok(())
        }))
    }
}

fn receive(mut ws: WebSocket<Wire>) -> Work {
    Box::new(move |tally| {
        let mut context = Context::from_waker(Waker::noop());
        while let Poll::Ready(frame) = ws.poll_next_frame(&mut context) {
            let frame = frame?;
            match frame.opcode() {
                OpCode::Text => tally.validated(frame.payload()),
                OpCode::Binary => tally.binary(frame.payload()),
                OpCode::Ping => {}
                other => return Err(format!("{other:?}").into()),
            }
        }
        Ok(())
    })
}
