//! I1, CH13, SR11: a value of the caller can neither end a line nor replace a line of the
//! handshake. It is refused before a byte is written.

use crate::support::{Head, client, uri, values, written};
use ws_proto::handshake::{
    ClientHandshake, HeadLimits, Incoming, ProxyConnect, Request, WriteError,
};
use ws_proto::uri::Uri;
use ws_proto::{Client, Output};

/// Texts that would end a line, or smuggle something into it.
const UNSENDABLE: [&str; 8] = [
    "a\r\nX: y",
    "a\rb",
    "a\nb",
    "\n",
    "a\0",
    "\u{1}",
    "a\u{7f}",
    "a\u{b}b",
];

/// Lets `write` write, and expects that it refuses to, and that nothing was written.
#[track_caller]
fn refused<T: std::fmt::Debug>(
    error: WriteError,
    write: impl FnOnce(&mut Vec<u8>) -> Result<T, WriteError>,
) {
    let mut out = Vec::new();
    assert_eq!(write(&mut out).unwrap_err(), error);
    assert!(out.is_empty());
}

/// Tries the field in all messages that can carry one.
#[track_caller]
fn refused_everywhere((name, value): (&str, &str), error: WriteError) {
    let fields = [("X-Good", &b"1"[..]), (name, value.as_bytes())];
    let head = Head::request().bytes();
    let (request, _) = Request::parse(&head, &HeadLimits::default())
        .unwrap()
        .unwrap();
    refused(error, |out| request.accept().headers(&fields).write(out));
    refused(error, |out| request.reject(403).headers(&fields).write(out));
    refused(error, |_| request.accept().headers(&fields).parts());
    refused(error, |_| request.reject(403).headers(&fields).parts());
    let plain = b"GET / HTTP/1.0\r\n\r\n";
    let plain = Incoming::parse(plain, &HeadLimits::default()).unwrap();
    let Some((Incoming::Http(plain), _)) = plain else {
        panic!("{plain:?}");
    };
    refused(error, |out| plain.respond(200).headers(&fields).write(out));
    refused(error, |out| {
        ProxyConnect::new(&uri())
            .headers(&fields)
            .write_request(out)
    });
    refused(error, |_| {
        client().headers(&fields).connect_parts().map(drop)
    });
    refused(error, |out| client().headers(&fields).write_request(out));
}

#[test]
fn i1_ch13_sr11_values_with_control_characters_are_refused() {
    for value in UNSENDABLE {
        refused_everywhere(("X", value), WriteError::InvalidHeaderValue);
    }
}

#[test]
fn i1_ch13_sr11_names_that_are_not_tokens_are_refused() {
    for name in UNSENDABLE
        .into_iter()
        .chain(["", " X", "X ", "X:", "X y", "X\u{e4}", "(X)", "X\t"])
    {
        refused_everywhere((name, "y"), WriteError::InvalidHeaderName);
    }
}

/// Each character in a name, and any two of them in a value, are judged by RFC 9110 §5.6.2 and
/// §5.5, in output and in input (H6).
#[test]
fn i1_h6_every_character_of_a_field_is_judged() {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let is_value = |c: char| c == '\t' || !c.is_ascii_control();
    let head = Head::request().bytes();
    let (request, _) = Request::parse(&head, &HeadLimits::default())
        .unwrap()
        .unwrap();
    let sends = |name: &str, value: &str| {
        request
            .accept()
            .headers(&[(name, value.as_bytes())])
            .write(&mut Vec::new())
            .map(drop)
    };
    let takes = |name: &str, value: &str| {
        let head = Head::request().with(&format!("{name}: {value}")).bytes();
        Request::parse(&head, &HeadLimits::default()).is_ok()
    };
    for one in '\0'..='\u{100}' {
        let name = format!("a{one}b");
        assert_eq!(
            sends(&name, "1"),
            if is_token(one) {
                Ok(())
            } else {
                Err(WriteError::InvalidHeaderName)
            },
            "{name:?}"
        );
        // A colon ends the name.
        assert_eq!(takes(&name, "1"), is_token(one) || one == ':', "{name:?}");
        for other in [
            '\0', '\t', '\n', '\r', '\u{1f}', ' ', 'a', '\u{7f}', '\u{80}', one,
        ] {
            let value = format!("a{one}{other}b");
            let valid = is_value(one) && is_value(other);
            assert_eq!(
                sends("X", &value),
                if valid {
                    Ok(())
                } else {
                    Err(WriteError::InvalidHeaderValue)
                },
                "{value:?}"
            );
            // CR and LF end the line, and then it is another one.
            if ![one, other].contains(&'\n') {
                assert_eq!(takes("X", &value), valid, "{value:?}");
            }
        }
    }
}

/// Input from a peer need not be UTF-8: bytes that no character has occur in no name, and in any
/// value.
#[test]
fn h6_every_byte_of_a_field_is_judged() {
    for byte in 0..=255_u8 {
        let takes = |line: &[u8]| {
            let head = [
                Head::request().text().trim_end().as_bytes(),
                b"\r\n",
                line,
                b"\r\n\r\n",
            ]
            .concat();
            Request::parse(&head, &HeadLimits::default()).is_ok()
        };
        let is_token = byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        assert_eq!(
            takes(&[b'a', byte, b'b', b':']),
            is_token || byte == b':',
            "{byte:#x}"
        );
        if byte != b'\n' {
            assert_eq!(
                takes(&[b'a', b':', b'a', byte, b'b']),
                byte == b'\t' || !byte.is_ascii_control(),
                "{byte:#x}"
            );
        }
    }
}

#[test]
fn i1_ch13_sr11_fields_of_the_handshake_are_reserved() {
    for name in [
        "Host",
        "host",
        "Origin",
        "Upgrade",
        "CONNECTION",
        "Content-Length",
        "transfer-encoding",
        "Sec-WebSocket-Key",
        "sec-websocket-accept",
        "Sec-WebSocket-Version",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
        "Sec-WebSocket-Anything",
    ] {
        refused_everywhere((name, "x"), WriteError::ReservedHeader);
    }
}

#[test]
fn i1_an_origin_cannot_end_its_line() {
    for origin in UNSENDABLE {
        refused(WriteError::InvalidHeaderValue, |out| {
            client().origin(origin).write_request(out)
        });
    }
}

#[test]
fn i1_ch9_subprotocols_are_different_tokens() {
    for name in UNSENDABLE
        .into_iter()
        .chain(["", " ", "a b", "a,b", "a/b", "\"a\"", "ch\u{e4}t"])
    {
        refused(WriteError::InvalidSubprotocol, |out| {
            client().subprotocols(&["good", name]).write_request(out)
        });
    }
    refused(WriteError::DuplicateSubprotocol, |out| {
        client().subprotocols(&["a", "b", "a"]).write_request(out)
    });
    // Case makes a difference.
    assert_eq!(
        values(
            &written(&client().subprotocols(&["a", "A"])),
            "Sec-WebSocket-Protocol"
        ),
        ["a, A"]
    );
}

/// A server cannot select a name that is no token, since no client can have requested it.
#[test]
fn i1_the_chosen_subprotocol_cannot_end_its_line() {
    let head = Head::request().with("Sec-WebSocket-Protocol: chat").bytes();
    let (request, _) = Request::parse(&head, &HeadLimits::default())
        .unwrap()
        .unwrap();
    for name in UNSENDABLE {
        refused(WriteError::SubprotocolNotRequested, |out| {
            request.accept().subprotocol(name).write(out)
        });
    }
}

#[test]
fn i1_neither_host_nor_path_can_end_the_line() {
    for text in UNSENDABLE.into_iter().chain([" ", "a b", "a\tb"]) {
        assert!(Uri::parse(&format!("ws://{text}/")).is_err());
        assert!(Uri::parse(&format!("ws://h/{text}")).is_err());
        assert!(Uri::parse(&format!("ws://h/?{text}")).is_err());
        assert!(Uri::parse(&format!("ws://h:{text}/")).is_err());
    }
}

/// The first mistake counts, and a later call does not make it good.
#[test]
fn i1_a_mistake_is_not_forgotten() {
    refused(WriteError::InvalidHeaderName, |out| {
        client()
            .headers(&[("", b"")])
            .origin("\n")
            .headers(&[])
            .write_request(out)
    });
    refused(WriteError::InvalidHeaderValue, |out| {
        client()
            .origin("\n")
            .headers(&[("", b"")])
            .subprotocols(&[""])
            .write_request(out)
    });
    refused(WriteError::InvalidSubprotocol, |out| {
        client()
            .subprotocols(&[""])
            .subprotocols(&["a", "a"])
            .origin("\n")
            .write_request(out)
    });
}

#[test]
fn o2_a_request_that_has_no_room_is_not_written_and_can_be_repeated() {
    let handshake = ClientHandshake::new(&uri(), Client::new([1; 32]))
        .subprotocols(&["a"])
        .headers(&[("X", b"y")]);
    let whole = written(&handshake);
    let mut memory = vec![0; whole.len()];
    let mut out = ws_proto::SliceOutput::new(&mut memory);
    out.append(b"x");
    assert_eq!(
        handshake.write_request(&mut out),
        Err(WriteError::OutputFull {
            needed: whole.len()
        })
    );
    assert_eq!(out.as_bytes(), b"x");
    out.clear();
    assert_eq!(handshake.write_request(&mut out), Ok(()));
    assert_eq!(out.as_bytes(), whole.as_bytes());
}
