//! Two peers over a pipe that cuts at will: every message arrives intact, in order and once, and both ends agree on how it ended.
#![no_main]

use arbitrary::Arbitrary;
use std::collections::VecDeque;
use ws_proto::deflate::{self, Params};
use ws_proto::{Agreed, Client, CloseCode, Config, Kind, Message, Role, Server, WebSocket};

#[derive(Debug, Arbitrary)]
enum Operation {
    Text(String),
    Binary(Vec<u8>),
    /// A message of a repeated byte, as long as a byte of length times another.
    Long(u8, u8, u8),
    Part(Kind, Vec<u8>, bool),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<CloseCode>, String),
    /// So many of the bytes under way arrive.
    Arrive(u16),
}

#[derive(Debug, Arbitrary)]
struct Session {
    deflate: Option<(Params, u8)>,
    operations: Vec<(bool, Operation)>,
}

/// One end: its connection, what is under way from it, and what it has sent and received.
struct End<R> {
    ws: WebSocket<R>,
    under_way: VecDeque<u8>,
    sent: Vec<(Kind, Vec<u8>)>,
    part: Option<(Kind, Vec<u8>)>,
    received: Vec<(Kind, Vec<u8>)>,
    pings: usize,
    pongs: usize,
}

impl<R: Role> End<R> {
    fn new(agreed: Agreed<R>) -> Self {
        let ws = WebSocket::new(agreed, &Config::default());
        Self { ws, under_way: VecDeque::new(), sent: Vec::new(), part: None, received: Vec::new(), pings: 0, pongs: 0 }
    }

    fn act(&mut self, operation: Operation) {
        let mut out = Vec::new();
        let sent = self.send(operation, &mut out);
        assert!(sent || out.is_empty(), "what was refused was written");
        self.under_way.extend(out);
    }

    fn send(&mut self, operation: Operation, out: &mut Vec<u8>) -> bool {
        let sent = match operation {
            Operation::Text(text) => self.ws.send_text(&text, out).map(|()| self.sent.push((Kind::Text, text.into_bytes()))),
            Operation::Binary(bytes) => self.ws.send_binary(&bytes, out).map(|()| self.sent.push((Kind::Binary, bytes))),
            Operation::Long(byte, len, times) => {
                let bytes = vec![byte; usize::from(len) * usize::from(times)];
                self.ws.send_binary(&bytes, out).map(|()| self.sent.push((Kind::Binary, bytes)))
            }
            Operation::Part(kind, bytes, last) => self.ws.send_part(kind, &bytes, last, out).map(|()| {
                let (_, part) = self.part.get_or_insert((kind, Vec::new()));
                part.extend(bytes);
                if last {
                    self.sent.extend(self.part.take());
                }
            }),
            Operation::Ping(payload) => self.ws.ping(&payload, out).map(|()| self.pings += 1),
            Operation::Pong(payload) => self.ws.pong(&payload, out),
            Operation::Close(code, reason) => self.ws.close(code, &reason, out),
            Operation::Arrive(_) => Ok(()),
        };
        sent.is_ok()
    }

    fn receive(&mut self, bytes: &mut [u8]) {
        let (mut input, mut out) = (bytes, Vec::new());
        while let Some(message) = self.ws.recv(&mut input, &mut out) {
            match message {
                Message::Text(text) => self.received.push((Kind::Text, text.into_owned().into_bytes())),
                Message::Binary(bytes) => self.received.push((Kind::Binary, bytes.into_owned())),
                Message::Failed(error) => panic!("{error}"),
                Message::Pong => self.pongs += 1,
                _ => {}
            }
        }
        assert!(input.is_empty());
        self.under_way.extend(out);
    }
}

/// Lets bytes arrive at the other end.
fn arrive<A: Role, B: Role>(from: &mut End<A>, to: &mut End<B>, most: usize) {
    let len = most.min(from.under_way.len());
    let mut bytes: Vec<u8> = from.under_way.drain(..len).collect();
    to.receive(&mut bytes);
}

/// What arrived is what was sent: all of it, unless the receiver had begun to close before.
fn delivered<A: Role, B: Role>(from: &End<A>, to: &End<B>) {
    assert_eq!(from.sent, to.received);
}

libfuzzer_sys::fuzz_target!(|session: Session| {
    let (mut server, mut client) = (Agreed::new(Server), Agreed::new(Client::new([7; 32])));
    if let Some((params, level)) = session.deflate {
        let config = deflate::Config::default().level(level % 10).threshold(usize::from(level));
        server = server.with_deflate(&config, params);
        client = client.with_deflate(&config, params);
    }
    let (mut server, mut client) = (End::new(server), End::new(client));
    for (side, operation) in session.operations {
        match (side, operation) {
            (false, Operation::Arrive(most)) => arrive(&mut server, &mut client, most.into()),
            (true, Operation::Arrive(most)) => arrive(&mut client, &mut server, most.into()),
            (false, operation) => server.act(operation),
            (true, operation) => client.act(operation),
        }
    }
    while !server.under_way.is_empty() || !client.under_way.is_empty() {
        arrive(&mut server, &mut client, usize::MAX);
        arrive(&mut client, &mut server, usize::MAX);
    }
    delivered(&server, &client);
    delivered(&client, &server);
    assert_eq!(server.ws.state(), client.ws.state(), "one end is closing and the other is not");
    if let (Some(server), Some(client)) = (server.ws.closure(), client.ws.closure()) {
        assert!(server.clean && client.clean);
        assert_eq!(server.received.map(|close| close.code), client.sent);
        assert_eq!(client.received.map(|close| close.code), server.sent);
    } else {
        // Every Ping was answered.
        assert!(server.pongs >= server.pings && client.pongs >= client.pings);
    }
});
