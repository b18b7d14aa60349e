//! Extensions that a relay passes through (EX7): the offer of a client goes to a server, and its
//! answer back.

use crate::support::{Head, uri, values, written};
use ws_proto::frame::{Header, Opcode};
use ws_proto::handshake::{
    Answer, ClientHandshake, HandshakeError, HeadLimits, Request, Response, WriteError, accept_key,
};
use ws_proto::{Client, Config, Connection, Event, Negotiated, Role, Server};

const OFFER: &str = "permessage-deflate; client_max_window_bits, permessage-other; a=\"b\"";

fn relaying(offer: &str) -> ClientHandshake {
    ClientHandshake::new(&uri(), Client::new([7; 32])).relay_extensions(offer)
}

/// The result of a response with these lines of `Sec-WebSocket-Extensions`.
fn answered(offer: &str, lines: &[&str]) -> Result<Negotiated<Client>, HandshakeError> {
    let head = lines.iter().fold(Head::response(), |head, line| {
        head.with(&format!("Sec-WebSocket-Extensions: {line}"))
    });
    let mut bytes = head.bytes();
    match relaying(offer).recv(&mut &mut bytes[..])? {
        Some(Answer::Accepted { negotiated, .. }) => Ok(negotiated),
        other => panic!("{other:?}"),
    }
}

/// Whether the connection accepts RSV1, and sends it.
fn relays<R: Role>(negotiated: Negotiated<R>) -> bool {
    let mut connection = Connection::new(negotiated, &Config::new());
    let header = Header {
        fin: true,
        rsv: Header::RSV1,
        opcode: Opcode::BINARY,
        mask: None,
        len: 1,
    };
    let sends = connection
        .begin_relayed_frame(ws_proto::MessageKind::Binary, true, &header)
        .is_ok();
    let mut bytes = if R::IS_CLIENT {
        b"\xc2\x01x".to_vec()
    } else {
        b"\xc2\x81\0\0\0\0x".to_vec()
    };
    let event = connection.recv(&mut &mut bytes[..], &mut Vec::new());
    let accepts = matches!(event, Some(Event::Data(chunk)) if chunk.compressed);
    assert_eq!(sends, accepts);
    accepts
}

#[test]
fn ex7_an_offer_passes_through() {
    let request = written(&relaying(OFFER));
    assert_eq!(values(&request, "Sec-WebSocket-Extensions"), [OFFER]);
    let request = written(&relaying(""));
    assert!(values(&request, "Sec-WebSocket-Extensions").is_empty());
    for invalid in ["a;", "a b", "\"", "a; b=\"c", "a\r\nX: y"] {
        assert_eq!(
            relaying(invalid).write_request(&mut Vec::new()),
            Err(WriteError::InvalidExtensions),
            "{invalid}"
        );
    }
}

/// CR8: any parameters pass, since the relay does not know them, but no other extension does.
#[test]
fn ex7_cr8_the_servers_answer_passes_through_if_it_was_offered() {
    for lines in [
        &["permessage-deflate"][..],
        &["permessage-deflate; client_max_window_bits=7; x=\"y\""],
        &["permessage-other", "permessage-deflate"],
    ] {
        assert!(relays(answered(OFFER, lines).unwrap()), "{lines:?}");
    }
    assert!(!relays(answered(OFFER, &[]).unwrap()));
    for (offer, lines) in [
        (OFFER, &["permessage-Deflate"][..]),
        (OFFER, &["permessage-deflate, x"]),
        (OFFER, &["permessage-deflate", "x"]),
        ("", &["permessage-deflate"]),
    ] {
        assert_eq!(
            answered(offer, lines).map(drop),
            Err(HandshakeError::ExtensionNotOffered),
            "{lines:?}"
        );
    }
    assert_eq!(
        answered(OFFER, &["permessage-deflate;"]).map(drop),
        Err(HandshakeError::InvalidHeader("Sec-WebSocket-Extensions"))
    );
}

/// A request that other means wrote.
#[test]
fn ex7_a_response_is_verified_against_the_relayed_offer() {
    let key = b"dGhlIHNhbXBsZSBub25jZQ==";
    let accept = accept_key(key);
    let headers = [
        ("Upgrade", &b"websocket"[..]),
        ("Connection", b"Upgrade"),
        ("Sec-WebSocket-Accept", &accept),
        ("Sec-WebSocket-Extensions", b"a; b"),
        ("Sec-WebSocket-Extensions", b"c"),
    ];
    let response = Response::from_headers((1, 1), 101, &headers).unwrap();
    assert!(response.verify_relayed(key, "", "c, a").is_ok());
    let names: Vec<_> = (response.extensions())
        .map(|extension| extension.to_string())
        .collect();
    assert_eq!(names, ["a; b", "c"]);
    for offer in ["a", "c", "", "d"] {
        assert_eq!(
            response.verify_relayed(key, "", offer),
            Err(HandshakeError::ExtensionNotOffered)
        );
    }
    assert_eq!(
        response.verify(key, ""),
        Err(HandshakeError::ExtensionNotOffered)
    );
}

/// EX3: an answer that the client did not ask for is the relay's mistake.
#[test]
fn ex7_ex3_a_relay_answers_with_what_was_offered() {
    let head = Head::request()
        .with(&format!("Sec-WebSocket-Extensions: {OFFER}"))
        .with("Sec-WebSocket-Extensions: z")
        .bytes();
    let (request, _) = Request::parse(&head, &HeadLimits::new()).unwrap().unwrap();
    for value in [
        "permessage-deflate; server_max_window_bits=8",
        "z, permessage-other",
    ] {
        let mut out = Vec::new();
        let accept = request.accept().relay_extensions(value);
        let negotiated = accept.write(&mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        assert_eq!(values(&out, "Sec-WebSocket-Extensions"), [value]);
        assert!(relays::<Server>(negotiated));
    }
    let mut out = Vec::new();
    let negotiated = request.accept().relay_extensions("").write(&mut out);
    assert!(!relays::<Server>(negotiated.unwrap()));
    assert!(!String::from_utf8(out).unwrap().contains("Extensions"));
    for value in ["x", "permessage-deflate, x", "z;", "z\r\nX: y"] {
        let mut out = Vec::new();
        assert_eq!(
            request.accept().relay_extensions(value).write(&mut out),
            Err(WriteError::ExtensionNotOffered)
        );
        assert!(out.is_empty());
    }
}
