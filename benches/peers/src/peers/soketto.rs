//! soketto: over a stream of futures, polled without a runtime. It writes the header and the
//! payload separately. It does not validate UTF-8: text is validated here, by simdutf8. Its
//! compression needs the zlib in C and never uses context takeover, so it is left out.

use super::Peer;
use crate::frames::Role;
use crate::jobs::{Accept, Connect, Receive, Send, Work};
use crate::wire::{ClientWire, Wire, ready, work};
use soketto::connection::Builder;
use soketto::handshake::server::Response;
use soketto::handshake::{Client, Server, ServerResponse};
use soketto::{Data, Incoming, Mode};
use std::hint::black_box;

pub struct Soketto;

fn open(role: Role, wire: Wire) -> Builder<Wire> {
    let mode = match role {
        Role::Server => Mode::Server,
        Role::Client => Mode::Client,
    };
    Builder::new(wire, mode)
}

impl Peer for Soketto {
    fn name(&self) -> &'static str {
        "soketto"
    }

    fn receive(&self, job: &'static Receive) -> Option<Work> {
        let builder = open(job.role, Wire::new(&job.stream, job.read, &job.sink));
        let (_sender, mut receiver) = builder.finish();
        Some(work(async move |tally| {
            let mut message = Vec::new();
            loop {
                match receiver.receive(&mut message).await? {
                    Incoming::Data(Data::Text(_)) => {
                        let text = simdutf8::basic::from_utf8(&message)?;
                        tally.borrow_mut().text(text);
                    }
                    Incoming::Data(Data::Binary(_)) => tally.borrow_mut().binary(&message),
                    other => return Err(format!("{other:?}").into()),
                }
                message.clear();
            }
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
            let mut server = Server::new(Wire::new(&job.request, usize::MAX, &job.sink));
            let key = ready(server.receive_request())?.key();
            let response = Response::Accept {
                key,
                protocol: None,
            };
            ready(server.send_response(&response))?;
            black_box(server.into_builder().finish());
            Ok(())
        }))
    }

    fn connect(&self, job: &'static Connect) -> Option<Work> {
        Some(Box::new(move |_| {
            let wire = ClientWire::new(job);
            let mut client = Client::new(wire, Connect::HOST, Connect::PATH);
            match ready(client.handshake())? {
                ServerResponse::Accepted { .. } => {
                    black_box(client.into_builder().finish());
                    Ok(())
                }
                other => Err(format!("{other:?}").into()),
            }
        }))
    }
}

fn send(job: &'static Send<[u8]>) -> Option<Work> {
    let (mut sender, _receiver) = open(job.role, Wire::new(&[], 1, &job.sink)).finish();
    Some(Box::new(move |_| {
        for message in &job.messages {
            ready(sender.send_binary(message))?;
            ready(sender.flush())?;
        }
        Ok(())
    }))
}
