//! embedded-websocket: sans-IO, without an allocator, between the caller's buffers. It checks
//! neither masks nor UTF-8: text is validated here, by simdutf8. A fragment that is split by reads
//! never ends, so the rows with fragments are left out.

use super::Peer;
use crate::frames::Role;
use crate::jobs::{Accept, Connect, Receive, Send, Work};
use crate::wire::Wire;
use embedded_websocket::{
    Client, EmptyRng, Error, Server, WebSocket, WebSocketClient, WebSocketOptions,
    WebSocketReceiveMessageType, WebSocketSendMessageType, WebSocketServer, WebSocketState,
    WebSocketType, read_http_header,
};
use rand_0_8::RngCore;
use rand_0_8::rngs::ThreadRng;
use std::io::{ErrorKind, Read};

pub struct EmbeddedWebsocket;

fn server() -> WebSocket<EmptyRng, Server> {
    let mut ws = WebSocketServer::new_server();
    ws.state = WebSocketState::Open;
    ws
}

fn client() -> WebSocket<ThreadRng, Client> {
    let mut ws = WebSocketClient::new_client(rand_0_8::thread_rng());
    ws.state = WebSocketState::Open;
    ws
}

impl Peer for EmbeddedWebsocket {
    fn name(&self) -> &'static str {
        "embedded-websocket"
    }

    fn receive(&self, job: &'static Receive) -> Option<Work> {
        if job.fragments {
            return None;
        }
        Some(match job.role {
            Role::Server => receive(server(), job),
            Role::Client => receive(client(), job),
        })
    }

    fn send(&self, job: &'static Send<[u8]>) -> Option<Work> {
        Some(match job.role {
            Role::Server => send(server(), job),
            Role::Client => send(client(), job),
        })
    }

    fn accept(&self, job: &'static Accept) -> Option<Work> {
        let mut out = [0; 1024];
        Some(Box::new(move |_| {
            job.read_request(|input| {
                let mut headers = [httparse::EMPTY_HEADER; 32];
                let mut request = httparse::Request::new(&mut headers);
                if request.parse(input)?.is_partial() {
                    return Err("incomplete".into());
                }
                let headers = request
                    .headers
                    .iter()
                    .map(|field| (field.name, field.value));
                let context = read_http_header(headers)?.ok_or("not for a WebSocket")?;
                let mut ws = WebSocketServer::new_server();
                let len = ws.server_accept(&context.sec_websocket_key, None, &mut out)?;
                job.sink.write(&out[..len]);
                Ok(())
            })
        }))
    }

    fn connect(&self, job: &'static Connect) -> Option<Work> {
        let mut out = [0; 1024];
        Some(Box::new(move |_| {
            let options = WebSocketOptions {
                path: Connect::PATH,
                host: Connect::HOST,
                origin: "http://example.com",
                sub_protocols: None,
                additional_headers: None,
            };
            let mut ws = WebSocketClient::new_client(rand_0_8::thread_rng());
            let (len, key) = ws.client_connect(&options, &mut out)?;
            job.exchange(&out[..len], |answer| ws.client_accept(&key, answer))?;
            Ok(())
        }))
    }
}

fn receive<R: RngCore + 'static, T: WebSocketType + 'static>(
    mut ws: WebSocket<R, T>,
    job: &'static Receive,
) -> Work {
    let mut wire = Wire::new(&job.stream, job.read, &job.sink);
    // The bytes that were read, of which the last `filled` may be the start of a header.
    let mut input = vec![0; job.buffer_size() + 14];
    let mut filled = 0;
    let mut message = vec![0; job.longest];
    let mut len = 0;
    let mut pong = [0; 140];
    Box::new(move |tally| {
        loop {
            match wire.read(&mut input[filled..]) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                result => filled += result?,
            }
            let mut rest = &input[..filled];
            while !rest.is_empty() {
                let result = match ws.read(rest, &mut message[len..]) {
                    Err(Error::ReadFrameIncomplete) => break,
                    result => result?,
                };
                rest = &rest[result.len_from..];
                len += result.len_to;
                match result.message_type {
                    WebSocketReceiveMessageType::Text | WebSocketReceiveMessageType::Binary
                        if !result.end_of_message => {}
                    WebSocketReceiveMessageType::Text => {
                        tally.text(simdutf8::basic::from_utf8(&message[..len])?);
                        len = 0;
                    }
                    WebSocketReceiveMessageType::Binary => {
                        tally.binary(&message[..len]);
                        len = 0;
                    }
                    WebSocketReceiveMessageType::Ping => {
                        len -= result.len_to;
                        let payload = &message[len..len + result.len_to];
                        let kind = WebSocketSendMessageType::Pong;
                        let sent = ws.write(kind, true, payload, &mut pong)?;
                        job.sink.write(&pong[..sent]);
                    }
                    other => return Err(format!("{other:?}").into()),
                }
            }
            let start = filled - rest.len();
            filled = rest.len();
            input.copy_within(start..start + filled, 0);
        }
    })
}

fn send<R: RngCore + 'static, T: WebSocketType + 'static>(
    mut ws: WebSocket<R, T>,
    job: &'static Send<[u8]>,
) -> Work {
    let longest = job.messages.iter().map(|message| message.len()).max();
    let mut out = vec![0; longest.unwrap_or(0) + 14];
    Box::new(move |_| {
        for message in &job.messages {
            let len = ws.write(WebSocketSendMessageType::Binary, true, message, &mut out)?;
            job.sink.write(&out[..len]);
        }
        Ok(())
    })
}
