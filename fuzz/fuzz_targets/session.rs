//! Two endpoints over a pipe that cuts at will: whatever either does, all that was sent arrives intact, in order and once, and both agree on how it ended.
//!
//! Either may receive whole messages or a stream, and what receives a stream compresses and inflates by itself.
#![no_main]

#[path = "../../tests/common/mod.rs"]
mod common;

use arbitrary::Arbitrary;
use common::{Seen, TestRole};
use ws_proto::deflate::{self, Compressor, Decompressor, Params};
use ws_proto::{
    Agreed, Capped, Client, CloseCode, Config, Connection, Event, Kind, Message, REPLY_ROOM, Role, SendError, Server, State, Stats,
    Transport, WebSocket,
};

#[derive(Debug, Arbitrary)]
enum Operation {
    Text(String),
    Binary(Vec<u8>),
    /// A message of a repeated byte, as long as one number times another.
    Long(u8, u8, u8),
    Part(Kind, Vec<u8>, bool),
    /// A part whose payload is not copied.
    Alone(Kind, String, bool),
    /// A message whose compression is not left to the connection: not compressed, or by the caller, in parts of this size.
    Apart(Kind, String, u8),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<CloseCode>, String),
    Fail(CloseCode),
    /// So many of the bytes under way arrive, while the output takes no more than some room.
    Arrive(u16, u16),
}

#[derive(Debug, Arbitrary)]
struct Session {
    deflate: Option<(Params, u8)>,
    streaming: [bool; 2],
    operations: Vec<(bool, Operation)>,
}

enum Layer<R> {
    Whole(WebSocket<R>),
    Streaming { connection: Connection<R>, message: Vec<u8>, deflate: Option<(Compressor, Decompressor)> },
}

/// Does what both layers can.
macro_rules! either {
    ($layer:expr, $connection:ident => $act:expr) => {
        match $layer {
            Layer::Whole($connection) => $act,
            Layer::Streaming { connection: $connection, .. } => $act,
        }
    };
}

/// What a role does in its own way.
trait End: TestRole + Sized {
    fn alone(layer: &mut Layer<Self>, kind: Kind, payload: &mut [u8], last: bool) -> Result<Vec<u8>, SendError>;
}

impl End for Server {
    fn alone(layer: &mut Layer<Self>, kind: Kind, payload: &mut [u8], last: bool) -> Result<Vec<u8>, SendError> {
        either!(layer, connection => connection.header(kind, payload.len() as u64, last)).map(|header| header.to_vec())
    }
}

impl End for Client {
    fn alone(layer: &mut Layer<Self>, kind: Kind, payload: &mut [u8], last: bool) -> Result<Vec<u8>, SendError> {
        either!(layer, connection => connection.mask_in_place(kind, payload, last)).map(|header| header.to_vec())
    }
}

/// An endpoint, what is under way from it, and an account of what it sent with success, and received.
struct Endpoint<R> {
    layer: Layer<R>,
    under_way: Vec<u8>,
    sent: Vec<Seen>,
    part: Option<(Kind, Vec<u8>)>,
    received: Vec<Seen>,
    failed: bool,
}

impl<R: End> Endpoint<R> {
    fn new(session: &Session, streaming: bool) -> Self {
        let agreed = Agreed::new(R::make());
        let agreed_on = session
            .deflate
            .map(|(params, level)| (deflate::Config::default().level(level % 10).threshold(level.into()).max_ratio(u32::MAX), params));
        let agreed = match &agreed_on {
            Some((config, params)) => agreed.with_deflate(config, *params),
            None => agreed,
        };
        let layer = if streaming {
            let deflate = agreed_on.map(|(config, params)| {
                if R::MASKS {
                    (params.client_compressor(&config), params.server_decompressor())
                } else {
                    (params.server_compressor(&config), params.client_decompressor())
                }
            });
            Layer::Streaming { connection: Connection::new(agreed, &Config::default()), message: Vec::new(), deflate }
        } else {
            Layer::Whole(WebSocket::new(agreed, &Config::default()))
        };
        Self { layer, under_way: Vec::new(), sent: Vec::new(), part: None, received: Vec::new(), failed: false }
    }

    fn state(&self) -> State {
        either!(&self.layer, connection => connection.state())
    }

    fn counted(&self) -> (State, Stats, usize) {
        (self.state(), either!(&self.layer, connection => connection.sent()), self.under_way.len())
    }

    fn act(&mut self, operation: Operation) {
        let before = self.counted();
        match self.send(operation) {
            Ok(()) => assert_eq!(before.0, State::Open, "something is sent after the end"),
            Err(_) => assert_eq!(before, self.counted(), "what is refused has an effect"),
        }
    }

    fn send(&mut self, operation: Operation) -> Result<(), SendError> {
        let Self { layer, under_way: out, sent, part, .. } = self;
        match operation {
            Operation::Text(text) => {
                either!(layer, connection => connection.send_text(&text, out))?;
                sent.push(Seen::text(&text));
            }
            Operation::Binary(bytes) => {
                either!(layer, connection => connection.send_binary(&bytes, out))?;
                sent.push(Seen::binary(&bytes));
            }
            Operation::Long(byte, len, times) => {
                let bytes = vec![byte; usize::from(len) * usize::from(times)];
                either!(layer, connection => connection.send_binary(&bytes, out))?;
                sent.push(Seen::binary(&bytes));
            }
            Operation::Part(kind, bytes, last) => {
                either!(layer, connection => connection.send_part(kind, &bytes, last, out))?;
                self.part(kind, &bytes, last);
            }
            Operation::Alone(kind, text, last) => {
                // The caller sees to it that text is UTF-8: it is not sent behind a part that has split a character.
                if part.as_ref().is_some_and(|(kind, part)| *kind == Kind::Text && std::str::from_utf8(part).is_err()) {
                    return Err(SendError::InvalidUtf8);
                }
                let mut payload = text.clone().into_bytes();
                out.extend(R::alone(layer, kind, &mut payload, last)?);
                out.extend(payload);
                self.part(kind, text.as_bytes(), last);
            }
            Operation::Apart(kind, text, size) => {
                self.apart(kind, &text, size.into())?;
                self.sent.push(Seen::message(kind, text.as_bytes()));
            }
            Operation::Ping(payload) => {
                either!(layer, connection => connection.ping(&payload, out))?;
                sent.push(Seen::ping(payload));
            }
            Operation::Pong(payload) => {
                either!(layer, connection => connection.pong(&payload, out))?;
                sent.push(Seen::pong(payload));
            }
            Operation::Close(code, reason) => either!(layer, connection => connection.close(code, &reason, out))?,
            Operation::Fail(code) => {
                either!(layer, connection => connection.fail(code, "failed", out))?;
                self.failed = true;
            }
            Operation::Arrive(..) => unreachable!("it is not sent"),
        }
        Ok(())
    }

    fn part(&mut self, kind: Kind, bytes: &[u8], last: bool) {
        let (begun, part) = self.part.get_or_insert((kind, Vec::new()));
        assert_eq!(*begun, kind, "another message is begun inside one");
        part.extend_from_slice(bytes);
        if last {
            self.sent.extend(self.part.take().map(|(kind, bytes)| Seen::message(kind, &bytes)));
        }
    }

    fn apart(&mut self, kind: Kind, text: &str, size: usize) -> Result<(), SendError> {
        let out = &mut self.under_way;
        match &mut self.layer {
            Layer::Whole(ws) if kind == Kind::Text => ws.send_text_plain(text, out),
            Layer::Whole(ws) => ws.send_binary_plain(text.as_bytes(), out),
            // What was compressed has to be sent, so that it can be is certain before.
            Layer::Streaming { connection, deflate: Some((compressor, _)), .. }
                if connection.state() == State::Open && self.part.is_none() =>
            {
                let mut compressed = Vec::new();
                compressor.compress(text.as_bytes(), true, &mut compressed);
                let parts: Vec<_> = compressed.chunks(size.max(compressed.len() / 1000 + 1)).collect();
                for (at, part) in parts.iter().enumerate() {
                    connection.send_compressed_part(kind, part, at + 1 == parts.len(), out)?;
                }
                Ok(())
            }
            Layer::Streaming { connection, .. } if kind == Kind::Text => connection.send_text(text, out),
            Layer::Streaming { connection, .. } => connection.send_binary(text.as_bytes(), out),
        }
    }

    /// Receives so many bytes of what the other one sent, or what there is room for.
    fn arrive(&mut self, under_way: &mut Vec<u8>, most: usize, room: usize) {
        let len = most.min(under_way.len());
        let mut bytes = under_way[..len].to_vec();
        let (mut input, mut written) = (&mut bytes[..], Vec::new());
        loop {
            let (state, before) = (self.state(), written.len());
            let mut out = Capped::new(&mut written, room);
            let seen = match &mut self.layer {
                Layer::Whole(ws) => match ws.recv(&mut input, &mut out) {
                    None => break,
                    Some(Message::Text(text)) => Seen::text(&text),
                    Some(Message::Binary(bytes)) => Seen::binary(&bytes),
                    Some(Message::Ping) => Seen::ping(ws.control_payload()),
                    Some(Message::Pong) => Seen::pong(ws.control_payload()),
                    Some(Message::Close(_)) => continue,
                    Some(other) => panic!("the other one breaks no rule: {other:?}"),
                },
                Layer::Streaming { connection, message, deflate } => match connection.recv(&mut input, &mut out) {
                    None => break,
                    Some(Event::Data(chunk)) => {
                        match deflate.as_mut().filter(|_| chunk.compressed) {
                            Some((_, decompressor)) => inflate(decompressor, chunk.payload, chunk.last, message),
                            None => message.extend_from_slice(chunk.payload),
                        }
                        if !chunk.last {
                            continue;
                        }
                        Seen::message(chunk.kind, &std::mem::take(message))
                    }
                    Some(Event::Ping) => Seen::ping(connection.control_payload()),
                    Some(Event::Pong) => Seen::pong(connection.control_payload()),
                    Some(Event::Close(_)) => continue,
                    Some(other) => panic!("the other one breaks no rule: {other:?}"),
                },
            };
            if let Seen::Ping(payload) = &seen {
                // It is answered at once, unless we have sent a Close.
                assert_eq!(written.len() > before, state == State::Open);
                self.sent.extend((state == State::Open).then(|| Seen::pong(payload)));
            } else {
                assert_eq!(written.len(), before, "an answer to what demands none");
            }
            self.received.push(seen);
        }
        let left = input.len();
        assert!(left == 0 || room - written.len() < REPLY_ROOM, "input is left behind");
        under_way.drain(..len - left);
        self.under_way.extend(written);
    }

    /// Checks what was received against what the other one sent.
    fn check<P>(&self, other: &Endpoint<P>) {
        if self.failed {
            assert!(other.sent.starts_with(&self.received));
        } else {
            assert_eq!(self.received, other.sent);
        }
    }
}

fn inflate(decompressor: &mut Decompressor, mut piece: &[u8], last: bool, message: &mut Vec<u8>) {
    let mut block = [0; 1000];
    loop {
        let inflated = decompressor.inflate(&mut piece, last, &mut block).expect("it was compressed well");
        message.extend_from_slice(&block[..inflated.len]);
        if inflated.done {
            return;
        }
    }
}

/// How it ended at one end, and at the other: the same, seen from two sides.
fn agree<A: Role, B: Role>(one: &Endpoint<A>, other: &Endpoint<B>) {
    let (closure, others) =
        (either!(&one.layer, connection => connection.closure()), either!(&other.layer, connection => connection.closure()));
    assert_eq!(closure.is_some(), others.is_some(), "one end is closing and the other is not");
    let (Some(closure), Some(others)) = (closure, others) else { return };
    assert_eq!((closure.error, others.error), (None, None));
    let received = closure.received.map(|close| close.code);
    assert!(received == others.sent || one.failed && received.is_none(), "{closure} of {others}");
    assert_eq!(closure.clean, received.is_some());
}

libfuzzer_sys::fuzz_target!(|session: Session| {
    let mut server = Endpoint::<Server>::new(&session, session.streaming[0]);
    let mut client = Endpoint::<Client>::new(&session, session.streaming[1]);
    for (side, operation) in session.operations {
        match (side, operation) {
            (false, Operation::Arrive(most, room)) => client.arrive(&mut server.under_way, most.into(), room.into()),
            (true, Operation::Arrive(most, room)) => server.arrive(&mut client.under_way, most.into(), room.into()),
            (false, operation) => server.act(operation),
            (true, operation) => client.act(operation),
        }
    }
    while !server.under_way.is_empty() || !client.under_way.is_empty() {
        client.arrive(&mut server.under_way, usize::MAX, usize::MAX);
        server.arrive(&mut client.under_way, usize::MAX, usize::MAX);
    }
    server.check(&client);
    client.check(&server);
    agree(&server, &client);
    agree(&client, &server);
    if client.state() != State::Open && !client.failed {
        // The server closes the transport first (CL11).
        assert_eq!(either!(&client.layer, connection => connection.transport()), Transport::Await);
        assert_eq!(either!(&server.layer, connection => connection.transport()), Transport::Close);
    }
    either!(&mut client.layer, connection => connection.recv_eof());
    assert_eq!(either!(&client.layer, connection => connection.transport()), Transport::Close);
    client.act(Operation::Ping(Vec::new()));
});
