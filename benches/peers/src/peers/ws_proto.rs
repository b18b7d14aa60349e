//! This crate.

use super::Peer;
use crate::frames::{self, Kind};
use crate::jobs::{Accept, Connect, Receive, Result, Send, Work};
use crate::tally::Tally;
use std::borrow::Cow;
use ws_proto::deflate::{DeflateConfig, Params};
use ws_proto::handshake::{Answer, ClientHandshake, ServerHandshake};
use ws_proto::uri::Uri;
use ws_proto::{
    Client, Config, Connection, Event, Message, MessageKind, Negotiated, Role, Server, WebSocket,
};

/// Complete messages.
pub struct Messages {
    /// Whether memory of messages goes back to the connection.
    pub recycle: bool,
}

/// Complete messages, read into their place where they do not lie in one read.
pub struct InPlace;

/// Chunks of messages.
pub struct Streaming;

fn config() -> Config {
    Config::new().with_max_message(64 << 20)
}

fn client() -> Client {
    Client::new(rand::random())
}

impl Peer for Messages {
    fn name(&self) -> &'static str {
        if self.recycle {
            "ws-proto/recycling"
        } else {
            "ws-proto"
        }
    }

    fn is_ours(&self) -> bool {
        true
    }

    fn receive(&self, job: &'static Receive) -> Option<Work> {
        if self.recycle && job.whole {
            return None;
        }
        Some(match job.role {
            frames::Role::Server => receive(WebSocket::new(Server, &config()), job, self.recycle),
            frames::Role::Client => receive(WebSocket::new(client(), &config()), job, self.recycle),
        })
    }

    fn inflate(&self, job: &'static Receive) -> Option<Work> {
        let ws = WebSocket::new(negotiated(client(), job.takeover), &config());
        Some(receive(ws, job, self.recycle))
    }

    fn send(&self, job: &'static Send<[u8]>) -> Option<Work> {
        if self.recycle {
            return None;
        }
        Some(match job.role {
            frames::Role::Server => send(Server, job),
            frames::Role::Client => send(client(), job),
        })
    }

    fn send_uncopied(&self, job: &'static Send<[u8]>) -> Option<Work> {
        if self.recycle {
            return None;
        }
        let mut ws = WebSocket::new(Server, &config());
        Some(Box::new(move |_| {
            for message in &job.messages {
                let frame = ws.begin_frame(MessageKind::Binary, message.len() as u64, true)?;
                job.sink.write(frame.header());
                job.sink.write(message);
            }
            Ok(())
        }))
    }

    fn deflate(&self, job: &'static Send<str>) -> Option<Work> {
        if self.recycle {
            return None;
        }
        let mut ws = WebSocket::new(negotiated(Server, job.takeover), &config());
        let mut out = Vec::new();
        Some(Box::new(move |_| {
            for message in &job.messages {
                ws.send_text(message, &mut out)?;
                job.sink.write(&out);
                out.clear();
            }
            Ok(())
        }))
    }

    fn accept(&self, job: &'static Accept) -> Option<Work> {
        if self.recycle {
            return None;
        }
        let mut out = Vec::new();
        Some(Box::new(move |_| {
            job.read_request(|mut input| {
                let mut handshake = ServerHandshake::new();
                let request = handshake.recv(&mut input, &mut out)?.ok_or("incomplete")?;
                let negotiated = request.accept().write(&mut out)?;
                std::hint::black_box(WebSocket::new(negotiated, &config()));
                job.sink.write(&out);
                out.clear();
                Ok(())
            })
        }))
    }

    fn connect(&self, job: &'static Connect) -> Option<Work> {
        if self.recycle {
            return None;
        }
        let mut out = Vec::new();
        Some(Box::new(move |_| {
            let uri = Uri::parse(Connect::URI)?;
            let mut handshake = ClientHandshake::new(&uri, client());
            handshake.write_request(&mut out)?;
            let result = job.exchange(&out, |mut input| match handshake.recv(&mut input)? {
                Some(Answer::Accepted { negotiated, .. }) => {
                    std::hint::black_box(WebSocket::new(negotiated, &config()));
                    Ok(())
                }
                _ => Err("not accepted".into()),
            });
            out.clear();
            result
        }))
    }
}

/// Receives messages, and gives back the memory of those that were assembled, if `recycle`.
fn receive<R: Role + 'static>(mut ws: WebSocket<R>, job: &'static Receive, recycle: bool) -> Work {
    let mut out = Vec::new();
    if recycle {
        return Box::new(move |tally| {
            job.each_read(|mut input| {
                while let Some(message) = ws.recv(&mut input, &mut out) {
                    match message {
                        Message::Text(Cow::Borrowed(text)) => tally.text(text),
                        Message::Text(Cow::Owned(text)) => {
                            tally.text(&text);
                            ws.recycle(text.into());
                        }
                        Message::Binary(Cow::Borrowed(bytes)) => tally.binary(bytes),
                        Message::Binary(Cow::Owned(bytes)) => {
                            tally.binary(&bytes);
                            ws.recycle(bytes);
                        }
                        Message::Ping => {}
                        other => return Err(format!("{other:?}").into()),
                    }
                }
                reply(job, &mut out);
                Ok(())
            })
        });
    }
    Box::new(move |tally| {
        job.each_read(|mut input| {
            while let Some(message) = ws.recv(&mut input, &mut out) {
                match message {
                    Message::Text(text) => tally.text(&text),
                    Message::Binary(bytes) => tally.binary(&bytes),
                    Message::Ping => {}
                    other => return Err(format!("{other:?}").into()),
                }
            }
            reply(job, &mut out);
            Ok(())
        })
    })
}

impl Peer for InPlace {
    fn name(&self) -> &'static str {
        "ws-proto/in place"
    }

    fn is_ours(&self) -> bool {
        true
    }

    fn receive(&self, job: &'static Receive) -> Option<Work> {
        if job.whole || job.read < 4096 || job.kind == Kind::Text {
            return None;
        }
        Some(match job.role {
            frames::Role::Server => in_place(WebSocket::new(Server, &config()), job),
            frames::Role::Client => in_place(WebSocket::new(client(), &config()), job),
        })
    }
}

/// Reads into the place of the payload and a small buffer at once.
fn in_place<R: Role + 'static>(mut ws: WebSocket<R>, job: &'static Receive) -> Work {
    let mut out = Vec::new();
    let mut buffer = [0; 4096];
    Box::new(move |tally| {
        let mut rest = &job.stream[..];
        while !rest.is_empty() {
            let (placed, buffered) = job.scatter(&mut rest, ws.payload_buffer(), &mut buffer);
            if let Some(message) = ws.recv_payload(placed) {
                ws.recycle(tallied(message, tally)?);
            }
            let mut input = &mut buffer[..buffered];
            while let Some(message) = ws.recv(&mut input, &mut out) {
                if let Message::Text(Cow::Owned(_)) | Message::Binary(Cow::Owned(_)) = message {
                    ws.recycle(tallied(message.into_owned(), tally)?);
                } else {
                    tallied(message, tally)?;
                }
            }
            reply(job, &mut out);
        }
        Ok(())
    })
}

/// Counts a message, and returns its memory.
fn tallied(message: Message<'_>, tally: &mut Tally) -> Result<Vec<u8>> {
    match message {
        Message::Text(Cow::Owned(text)) => {
            tally.text(&text);
            Ok(text.into())
        }
        Message::Binary(Cow::Owned(bytes)) => {
            tally.binary(&bytes);
            Ok(bytes)
        }
        Message::Text(Cow::Borrowed(text)) => {
            tally.text(text);
            Ok(Vec::new())
        }
        Message::Binary(Cow::Borrowed(bytes)) => {
            tally.binary(bytes);
            Ok(Vec::new())
        }
        Message::Ping => Ok(Vec::new()),
        other => Err(format!("{other:?}").into()),
    }
}

/// Writes the replies to one read.
fn reply(job: &Receive, out: &mut Vec<u8>) {
    if !out.is_empty() {
        job.sink.write(out);
        out.clear();
    }
}

fn send<R: Role + 'static>(role: R, job: &'static Send<[u8]>) -> Work {
    let mut ws = WebSocket::new(role, &config());
    let mut out = Vec::new();
    Box::new(move |_| {
        for message in &job.messages {
            ws.send_binary(message, &mut out)?;
            job.sink.write(&out);
            out.clear();
        }
        Ok(())
    })
}

fn negotiated<R: Role>(role: R, takeover: bool) -> Negotiated<R> {
    let config = DeflateConfig::new()
        .with_server_no_context_takeover(!takeover)
        .with_client_no_context_takeover(!takeover);
    let params: Params = if takeover {
        "permessage-deflate"
    } else {
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    }
    .parse()
    .expect("valid");
    Negotiated::new(role).with_deflate(&config, params)
}

impl Peer for Streaming {
    fn name(&self) -> &'static str {
        "ws-proto/streaming"
    }

    fn is_ours(&self) -> bool {
        true
    }

    fn receive(&self, job: &'static Receive) -> Option<Work> {
        Some(match job.role {
            frames::Role::Server => stream(Connection::new(Server, &config()), job),
            frames::Role::Client => stream(Connection::new(client(), &config()), job),
        })
    }
}

fn stream<R: Role + 'static>(mut connection: Connection<R>, job: &'static Receive) -> Work {
    let mut out = Vec::new();
    Box::new(move |tally| {
        job.each_read(|mut input| {
            while let Some(event) = connection.recv(&mut input, &mut out) {
                match event {
                    Event::Data(chunk) => {
                        tally.chunk(chunk.payload);
                        if chunk.last {
                            tally.end(match chunk.kind {
                                MessageKind::Text => Kind::Text,
                                MessageKind::Binary => Kind::Binary,
                            });
                        }
                    }
                    Event::Ping => {}
                    other => return Err(format!("{other:?}").into()),
                }
            }
            reply(job, &mut out);
            Ok(())
        })
    })
}
