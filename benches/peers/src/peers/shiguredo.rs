//! shiguredo_websocket: sans-IO. Its compression has a backend of its own, so it is left out.

use super::Peer;
use crate::frames::Role;
use crate::jobs::{self, Accept, Connect, REQUEST, Receive, Send, Work};
use crate::tally::Sink;
use shiguredo_websocket::{
    ClientConnectionOptions, ConnectionEvent, ConnectionOutput, Error, RandomSource,
    ServerConnectionOptions, Timestamp, WebSocketClientConnection, WebSocketServerConnection,
};
use std::hint::black_box;

pub struct Shiguredo;

struct Random;

impl RandomSource for Random {
    fn masking_key(&mut self) -> [u8; 4] {
        rand::random()
    }

    fn nonce(&mut self) -> [u8; 16] {
        rand::random()
    }
}

/// The methods that both types of connections have.
trait Connection: Sized + 'static {
    fn feed(&mut self, bytes: &[u8]) -> Result<(), Error>;
    fn event(&mut self) -> Option<ConnectionEvent>;
    fn output(&mut self) -> Option<ConnectionOutput>;
    fn send(&mut self, bytes: &[u8]) -> Result<(), Error>;

    /// Writes all output.
    fn write(&mut self, sink: &Sink) {
        while let Some(output) = self.output() {
            if let ConnectionOutput::SendData(bytes) = output {
                sink.write(&bytes);
            }
        }
    }

    fn receive(mut self, job: &'static Receive) -> Work {
        Box::new(move |tally| {
            job.each_read(|input| {
                self.feed(input)?;
                while let Some(event) = self.event() {
                    match event {
                        ConnectionEvent::TextMessage(text) => tally.text(&text),
                        ConnectionEvent::BinaryMessage(bytes) => tally.binary(&bytes),
                        ConnectionEvent::Ping(_) => {}
                        other => return Err(format!("{other:?}").into()),
                    }
                }
                self.write(&job.sink);
                Ok(())
            })
        })
    }

    fn send_all(mut self, job: &'static Send<[u8]>) -> Work {
        Box::new(move |_| {
            for message in &job.messages {
                self.send(message)?;
                self.write(&job.sink);
            }
            Ok(())
        })
    }
}

/// Implements this trait by the methods of the same type.
macro_rules! connection {
    ($type:ty $(, $now:expr)?) => {
        impl Connection for $type {
            fn feed(&mut self, bytes: &[u8]) -> Result<(), Error> {
                self.feed_recv_buf(bytes $(, $now)?)
            }

            fn event(&mut self) -> Option<ConnectionEvent> {
                self.poll_event()
            }

            fn output(&mut self) -> Option<ConnectionOutput> {
                self.poll_output()
            }

            fn send(&mut self, bytes: &[u8]) -> Result<(), Error> {
                self.send_binary(bytes)
            }
        }
    };
}

connection!(WebSocketServerConnection);
connection!(WebSocketClientConnection<Random>, Timestamp::default());

/// A server that has answered `request`.
fn server(request: &[u8], sink: &Sink) -> Result<WebSocketServerConnection, Error> {
    let options = ServerConnectionOptions::new()
        .max_frame_size(64 << 20)
        .max_message_size(64 << 20);
    let mut server = WebSocketServerConnection::new(options);
    server.feed_recv_buf(request)?;
    server.accept_handshake_auto()?;
    server.write(sink);
    while server.poll_event().is_some() {}
    Ok(server)
}

/// A client that has been answered.
fn client(job: &Connect) -> jobs::Result<WebSocketClientConnection<Random>> {
    let options = ClientConnectionOptions::new(Connect::HOST, Connect::PATH)
        .max_frame_size(64 << 20)
        .max_message_size(64 << 20);
    let mut client = WebSocketClientConnection::new(options, Random);
    client.connect()?;
    let Some(ConnectionOutput::SendData(request)) = client.poll_output() else {
        return Err("no request".into());
    };
    job.exchange(&request, |answer| client.feed(answer))?;
    while client.poll_event().is_some() || client.poll_output().is_some() {}
    Ok(client)
}

impl Peer for Shiguredo {
    fn name(&self) -> &'static str {
        "shiguredo_websocket"
    }

    fn receive(&self, job: &'static Receive) -> Option<Work> {
        Some(match job.role {
            Role::Server => server(REQUEST, &Sink::default()).ok()?.receive(job),
            Role::Client => client(&Connect::new()).ok()?.receive(job),
        })
    }

    fn send(&self, job: &'static Send<[u8]>) -> Option<Work> {
        Some(match job.role {
            Role::Server => server(REQUEST, &Sink::default()).ok()?.send_all(job),
            Role::Client => client(&Connect::new()).ok()?.send_all(job),
        })
    }

    fn accept(&self, job: &'static Accept) -> Option<Work> {
        Some(Box::new(move |_| {
            job.read_request(|input| {
                black_box(server(input, &job.sink)?);
                Ok(())
            })
        }))
    }

    fn connect(&self, job: &'static Connect) -> Option<Work> {
        Some(Box::new(move |_| {
            black_box(client(job)?);
            Ok(())
        }))
    }
}
