//! A server's connection, from the first frame to the Close, on a stack and nothing else.
#![no_std]
#![no_main]

use no_std::received;
use ws_proto::{
    Action, Client, CloseCode, Config, Connection, Event, MessageKind, Server, SliceOutput, State,
};

#[unsafe(no_mangle)]
fn run() {
    let mut memory = [0; 512];
    let mut out = SliceOutput::new(&mut memory);
    let mut server = Connection::new(Server, &Config::default());

    // RFC 6455 §5.7: a masked "Hello"; then a Ping, byte by byte, and text that is echoed.
    let mut bytes = received(*b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x89\x82\0\0\0\0hi");
    let mut text = [0; 5];
    let mut pings = 0;
    for mut input in bytes.chunks_mut(1) {
        while let Some(event) = server.recv(&mut input, &mut out) {
            match event {
                Event::Data(chunk) if chunk.kind == MessageKind::Text => {
                    text.rotate_left(1);
                    text[4] = chunk.payload[0];
                }
                Event::Ping => pings += 1,
                _ => panic!(),
            }
        }
    }
    assert!(text == *b"Hello" && pings == 1);
    assert!(out.as_bytes() == b"\x8a\x02hi");
    out.clear();
    server.send_text("Hello", &mut out).unwrap();
    assert!(out.as_bytes() == b"\x81\x05Hello");
    out.clear();

    // A violation, and its answer.
    let mut bytes = received(*b"\xc1\x80\0\0\0\0");
    assert!(matches!(
        server.recv(&mut &mut bytes[..], &mut out),
        Some(Event::Failed(_))
    ));
    assert!(out.as_bytes().starts_with(b"\x88\x12\x03\xea"));
    assert!(server.state() == State::Closing && server.next_action() == Action::CloseTransport);

    // A client, and the server that reads it.
    out.clear();
    let mut client = Connection::new(Client::new(received([7; 32])), &Config::default());
    client
        .send_binary(&received([0xab; 200]), &mut out)
        .unwrap();
    client.close(CloseCode::NORMAL, "bye", &mut out).unwrap();
    let mut wire = [0; 512];
    let len = out.as_bytes().len();
    wire[..len].copy_from_slice(out.as_bytes());
    out.clear();
    let mut server = Connection::new(Server, &Config::default());
    let mut input = &mut wire[..len];
    assert!(
        matches!(server.recv(&mut input, &mut out), Some(Event::Data(chunk)) if *chunk.payload == [0xab; 200] && chunk.last)
    );
    assert!(server.recv(&mut input, &mut out) == Some(Event::Close(Some(CloseCode::NORMAL))));
    assert!(
        server
            .close_received()
            .is_some_and(|close| close.reason == "bye")
    );
    assert!(server.outcome().is_some_and(|outcome| outcome.clean));
}
