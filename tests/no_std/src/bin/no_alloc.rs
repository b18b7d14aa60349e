//! The device of `examples/device` and a client, from the request to the Close, on a stack and
//! nothing else.
#![no_std]
#![no_main]

use device::{Socket, serve};
use no_std::received;
use ws_proto::handshake::{ClientRequest, HeadBuffer, ResponseReader};
use ws_proto::uri::Uri;
use ws_proto::{
    Action, Client, CloseCode, Config, Connection, Event, MessageKind, Output, SliceOutput,
};

/// A socket whose peer has sent all of this, and which delivers a few bytes at a time.
struct Memory<'a> {
    sent: &'a [u8],
    out: SliceOutput<'a>,
}

impl Socket for Memory<'_> {
    fn read(&mut self, buf: &mut [u8]) -> usize {
        let len = self.sent.len().min(buf.len()).min(7);
        let (now, later) = self.sent.split_at(len);
        buf[..len].copy_from_slice(now);
        self.sent = later;
        len
    }

    fn write(&mut self, bytes: &[u8]) -> bool {
        self.out.append(bytes).len() == bytes.len()
    }
}

#[unsafe(no_mangle)]
fn run() {
    // All that the client sends: a request, messages, a Ping, and a Close.
    let mut role = Client::new(received([7; 32]));
    let uri = Uri::parse("ws://Example.com/echo").unwrap();
    let headers: [(&str, &[u8]); 1] = [("Cookie", &received([b'c'; 600]))];
    let request = ClientRequest::new(&uri, &mut role)
        .subprotocols("echo")
        .headers(&headers);
    let mut client = Connection::new(role, &Config::new());
    let mut memory = [0; 2048];
    let mut sent = SliceOutput::new(&mut memory);
    request.write(&mut sent).unwrap();
    client.send_text("Hello", &mut sent).unwrap();
    client.send_ping(b"hi", &mut sent).unwrap();
    client
        .send_binary(&received([0xab; 300]), &mut sent)
        .unwrap();
    client.close(CloseCode::NORMAL, "bye", &mut sent).unwrap();

    let mut memory = [0; 1024];
    let mut sock = Memory {
        sent: sent.as_bytes(),
        out: SliceOutput::new(&mut memory),
    };
    assert!(serve(&mut sock).is_some());

    // All that the device has sent.
    let mut answered = [0; 1024];
    let len = sock.out.as_bytes().len();
    answered[..len].copy_from_slice(sock.out.as_bytes());
    let mut input = &mut answered[..len];
    let mut memory = [0; 256];
    let mut reader = ResponseReader::with_buffer(HeadBuffer::new(&mut memory));
    let response = reader.recv(&mut input).unwrap().unwrap();
    assert!(request.verify(&response).unwrap().subprotocol() == Some("echo"));
    let (mut text, mut binary, mut pongs) = (0, 0, 0);
    let mut memory = [0; 256];
    let mut out = SliceOutput::new(&mut memory);
    while let Some(event) = client.recv(&mut input, &mut out) {
        match event {
            Event::Data(chunk) if chunk.kind == MessageKind::Text => {
                assert!(*chunk.payload == b"Hello"[text..][..chunk.payload.len()]);
                text += chunk.payload.len();
            }
            Event::Data(chunk) => {
                assert!(chunk.payload.iter().all(|&byte| byte == 0xab));
                binary += chunk.payload.len();
            }
            Event::Pong => pongs += 1,
            Event::Close(code) => assert!(code == Some(CloseCode::NORMAL)),
            _ => panic!(),
        }
    }
    assert!((text, binary, pongs) == (5, 300, 1));
    assert!(client.next_action() == Action::AwaitClose);
    assert!(client.outcome().is_some_and(|outcome| outcome.clean));

    // A violation is answered before the end.
    let mut memory = [0; 256];
    let mut out = SliceOutput::new(&mut memory);
    let mut server = Connection::new(ws_proto::Server, &Config::new());
    let mut bytes = received(*b"\xc1\x80\0\0\0\0");
    assert!(matches!(
        server.recv(&mut &mut bytes[..], &mut out),
        Some(Event::Failed(_))
    ));
    assert!(out.as_bytes().starts_with(b"\x88\x12\x03\xea"));
}
