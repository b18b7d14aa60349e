//! sockudo-ws: its sans-IO core, without its streams. Masking keys by rand; SIMD is chosen at run
//! time.

use super::Peer;
use crate::frames;
use crate::jobs::{Accept, Connect, Receive, Send, Work};
use crate::json::LEVEL;
use bytes::{Bytes, BytesMut};
use sockudo_ws::handshake::{
    build_request_with_headers, build_response, generate_accept_key, generate_key, parse_request,
    parse_response, validate_accept_key,
};
use sockudo_ws::protocol::CompressedProtocol;
use sockudo_ws::protocol::Protocol;
use sockudo_ws::{DeflateConfig, Message, Role};
use std::hint::black_box;

pub struct SockudoWs;

const LIMIT: usize = 64 << 20;

fn open(role: frames::Role) -> Protocol {
    let role = match role {
        frames::Role::Server => Role::Server,
        frames::Role::Client => Role::Client,
    };
    Protocol::new(role, LIMIT, LIMIT)
}

fn config(takeover: bool) -> DeflateConfig {
    DeflateConfig {
        server_no_context_takeover: !takeover,
        client_no_context_takeover: !takeover,
        compression_level: LEVEL as u32,
        ..DeflateConfig::default()
    }
}

impl Peer for SockudoWs {
    fn name(&self) -> &'static str {
        "sockudo-ws"
    }

    fn receive(&self, job: &'static Receive) -> Option<Work> {
        let mut protocol = open(job.role);
        let mut buffer = BytesMut::with_capacity(job.buffer_size());
        let mut messages = Vec::new();
        let mut out = BytesMut::new();
        Some(Box::new(move |tally| {
            for read in job.stream.chunks(job.read) {
                buffer.extend_from_slice(read);
                protocol.process_into(&mut buffer, &mut messages)?;
                for message in messages.drain(..) {
                    match message {
                        Message::Text(text) => tally.validated(&text),
                        Message::Binary(bytes) => tally.binary(&bytes),
                        Message::Ping(payload) => {
                            protocol.encode_pong(&payload, &mut out);
                            job.sink.write(&out);
                            out.clear();
                        }
                        other => return Err(format!("{other:?}").into()),
                    }
                }
            }
            Ok(())
        }))
    }

    fn inflate(&self, job: &'static Receive) -> Option<Work> {
        let mut protocol = CompressedProtocol::client(LIMIT, LIMIT, config(job.takeover));
        let mut buffer = BytesMut::with_capacity(job.buffer_size());
        let mut messages = Vec::new();
        Some(Box::new(move |tally| {
            for read in job.stream.chunks(job.read) {
                buffer.extend_from_slice(read);
                protocol.process_into(&mut buffer, &mut messages)?;
                for message in messages.drain(..) {
                    match message {
                        Message::Text(text) => tally.validated(&text),
                        other => return Err(format!("{other:?}").into()),
                    }
                }
            }
            Ok(())
        }))
    }

    fn send(&self, job: &'static Send<[u8]>) -> Option<Work> {
        let mut protocol = open(job.role);
        let mut out = BytesMut::new();
        Some(Box::new(move |_| {
            for message in &job.messages {
                let message = Message::Binary(Bytes::from_static(message));
                protocol.encode_message(&message, &mut out)?;
                job.sink.write(&out);
                out.clear();
            }
            Ok(())
        }))
    }

    fn deflate(&self, job: &'static Send<str>) -> Option<Work> {
        let mut protocol = CompressedProtocol::server(LIMIT, LIMIT, config(job.takeover));
        let mut out = BytesMut::new();
        Some(Box::new(move |_| {
            for message in &job.messages {
                let message = Message::Text(Bytes::from_static(message.as_bytes()));
                protocol.encode_message(&message, &mut out)?;
                job.sink.write(&out);
                out.clear();
            }
            Ok(())
        }))
    }

    fn accept(&self, job: &'static Accept) -> Option<Work> {
        Some(Box::new(move |_| {
            job.read_request(|input| {
                let (request, _) = parse_request(input)?.ok_or("incomplete")?;
                let key = generate_accept_key(request.key);
                job.sink.write(&build_response(&key, None, None));
                black_box(open(frames::Role::Server));
                Ok(())
            })
        }))
    }

    fn connect(&self, job: &'static Connect) -> Option<Work> {
        Some(Box::new(move |_| {
            let key = generate_key();
            let (host, path) = (Connect::HOST, Connect::PATH);
            let request = build_request_with_headers(host, path, &key, None, None, None)?;
            job.exchange(&request, |answer| {
                let (response, _) = parse_response(answer)?.ok_or("incomplete")?;
                if !validate_accept_key(&key, response.accept.ok_or("no key")?) {
                    return Err("not the key".into());
                }
                black_box(open(frames::Role::Client));
                Ok(())
            })
        }))
    }
}
