//! ws-net: sans-IO. It reads into a buffer of its own, of at most 64 KiB, and queues its output.

use super::Peer;
use crate::frames::Role;
use crate::jobs::{Accept, Connect, Receive, Send, Work};
use crate::tally::Sink;
use crate::wire::Wire;
use std::hint::black_box;
use std::io::{ErrorKind, Read};
use ws_net::{ClientHandshake, Connection, Event, Limits, ServerHandshake};

pub struct WsNet;

fn open(role: Role) -> Connection {
    let limits = Limits::new()
        .with_max_frame(64 << 20)
        .with_max_message(64 << 20);
    match role {
        Role::Server => Connection::server(),
        Role::Client => Connection::client(),
    }
    .with_limits(limits)
}

impl Peer for WsNet {
    fn name(&self) -> &'static str {
        "ws-net"
    }

    fn receive(&self, job: &'static Receive) -> Option<Work> {
        let mut wire = Wire::new(&job.stream, job.read, &job.sink);
        let mut connection = open(job.role);
        Some(Box::new(move |tally| {
            loop {
                match wire.read(connection.read_buf()) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                    result => connection.commit(result?),
                }
                loop {
                    match connection.poll()? {
                        Event::Text(text) => tally.text(text),
                        Event::Binary(bytes) => tally.binary(bytes),
                        Event::Ping(_) => write(&mut connection, &job.sink),
                        Event::NeedInput => break,
                        other => return Err(format!("{other:?}").into()),
                    }
                }
            }
        }))
    }

    fn send(&self, job: &'static Send<[u8]>) -> Option<Work> {
        let mut connection = open(job.role);
        Some(Box::new(move |_| {
            for message in &job.messages {
                connection.send_binary(message)?;
                write(&mut connection, &job.sink);
            }
            Ok(())
        }))
    }

    fn accept(&self, job: &'static Accept) -> Option<Work> {
        let mut out = Vec::new();
        Some(Box::new(move |_| {
            job.read_request(|input| {
                let (handshake, _) = ServerHandshake::from_head(input)?.ok_or("incomplete")?;
                handshake.write_response(None, &mut out)?;
                job.sink.write(&out);
                out.clear();
                black_box(open(Role::Server));
                Ok(())
            })
        }))
    }

    fn connect(&self, job: &'static Connect) -> Option<Work> {
        let mut out = Vec::new();
        Some(Box::new(move |_| {
            let handshake = ClientHandshake::new();
            handshake.write_request(Connect::HOST, Connect::PATH, &mut out)?;
            let result = job.exchange(&out, |answer| {
                handshake.verify_head(answer)?.ok_or("incomplete")?;
                black_box(open(Role::Client));
                Ok(())
            });
            out.clear();
            result
        }))
    }
}

/// Writes all output.
fn write(connection: &mut Connection, sink: &Sink) {
    let output = connection.output();
    sink.write(output);
    let len = output.len();
    connection.advance_output(len);
}
