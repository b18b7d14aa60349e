//! A client and a server that talk in memory, without a socket: prints each byte and its meaning.
//!
//! ```text
//! cargo run --example sans_io
//! ```

use std::error::Error;
use ws_proto::frame::Header;
use ws_proto::handshake::{Answer, ClientHandshake, ServerHandshake};
use ws_proto::{
    Client, CloseCode, Config, MessageKind, Negotiated, Role, Server, WebSocket, uri::Uri,
};

fn main() -> Result<(), Box<dyn Error>> {
    let (client, server) = handshake()?;
    let mut client = WebSocket::new(client, &Config::new());
    let mut server = WebSocket::new(server, &Config::new());
    // The output of each end, which a socket would carry to the other one.
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());

    println!("\n== A text message, which the server answers");
    client.send_text("Hello", &mut to_server)?;
    deliver("client", &mut to_server, &mut server, &mut to_client)?;
    server.send_text("Hi", &mut to_client)?;
    deliver("server", &mut to_client, &mut client, &mut to_server)?;

    println!("\n== A message in two fragments, with a Ping between them: the Pong is automatic");
    client.send_fragment(MessageKind::Binary, &[1, 2, 3], false, &mut to_server)?;
    client.send_ping(b"?", &mut to_server)?;
    client.send_fragment(MessageKind::Binary, &[4, 5], true, &mut to_server)?;
    deliver("client", &mut to_server, &mut server, &mut to_client)?;
    deliver("server", &mut to_client, &mut client, &mut to_server)?;

    println!("\n== However the bytes are split, the result is the same");
    client.send_text("κόσμε", &mut to_server)?;
    for part in to_server.chunks(7) {
        deliver("client", &mut part.to_vec(), &mut server, &mut to_client)?;
    }
    to_server.clear();

    println!("\n== The closing handshake");
    client.close(CloseCode::NORMAL, "bye", &mut to_server)?;
    deliver("client", &mut to_server, &mut server, &mut to_client)?;
    deliver("server", &mut to_client, &mut client, &mut to_server)?;
    println!("client: {:?}", client.next_action());
    println!("server: {:?}", server.next_action());

    println!("\n== A server that violates the protocol: text that is not UTF-8");
    let mut client = WebSocket::new(Client::new([1; 32]), &Config::new());
    let mut invalid = b"\x81\x05Hell\xff".to_vec();
    deliver("server", &mut invalid, &mut client, &mut to_server)?;
    show("client", &to_server);
    println!("client: {:?}", client.next_action());
    Ok(())
}

fn handshake() -> Result<(Negotiated<Client>, Negotiated<Server>), Box<dyn Error>> {
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    let uri = Uri::parse("ws://example.com/chat")?;
    // So that each run prints the same. A real seed must be secret and random.
    let mut client = ClientHandshake::new(&uri, Client::new([0; 32]));

    println!("== The opening handshake");
    client.write_request(&mut to_server)?;
    show_head("client", &to_server);
    let mut server = ServerHandshake::new();
    let request = server.recv(&mut &mut to_server[..], &mut to_client)?;
    let negotiated = request
        .ok_or("more is needed")?
        .accept()
        .write(&mut to_client)?;
    show_head("server", &to_client);
    match client.recv(&mut &mut to_client[..])? {
        Some(Answer::Accepted {
            negotiated: client, ..
        }) => Ok((client, negotiated)),
        answer => Err(format!("not accepted: {answer:?}").into()),
    }
}

fn show_head(sender: &str, head: &[u8]) {
    let head = head.escape_ascii().to_string();
    println!(
        "{sender} >\n{}",
        head.trim_end_matches(r"\r\n").replace(r"\r\n", "\n")
    );
}

/// Shows the bytes from `sender`, and the events that `receiver` gets from them; its answers go to
/// `out`.
fn deliver<R: Role>(
    sender: &str,
    bytes: &mut Vec<u8>,
    receiver: &mut WebSocket<R>,
    out: &mut Vec<u8>,
) -> Result<(), Box<dyn Error>> {
    show(sender, bytes);
    let name = if R::IS_CLIENT { "client" } else { "server" };
    let mut input = &mut bytes[..];
    while let Some(message) = receiver.recv(&mut input, out) {
        println!("{name}: {message:?}");
    }
    bytes.clear();
    Ok(())
}

/// Shows a line for each frame: its bytes, and the fields of its header.
fn show(sender: &str, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let (frame, meaning) = match Header::decode(bytes) {
            Some((header, len)) if bytes.len() as u64 >= len as u64 + header.len => {
                let fin = if header.fin { "" } else { ", more follows" };
                let mask = if header.mask.is_some() {
                    ", masked"
                } else {
                    ""
                };
                let meaning = format!("{}, length {}{mask}{fin}", header.opcode, header.len);
                (&bytes[..len + header.len as usize], meaning)
            }
            _ => (bytes, "a part of a frame".to_owned()),
        };
        let hex: Vec<_> = frame.iter().map(|byte| format!("{byte:02x}")).collect();
        println!("{sender} > {:<45} {meaning}", hex.join(" "));
        bytes = &bytes[frame.len()..];
    }
}
