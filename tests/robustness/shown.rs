//! The printed forms, for a log or a user: errors in words, and values without secrets. SE11:
//! nothing in them is the peer's choice.

#[cfg(all(feature = "deflate", feature = "handshake"))]
use crate::common::SEED;
use crate::common::{Frame, wire};
use std::collections::HashSet;
use std::error::Error;
use std::time::Duration;
use ws_proto::frame::{Header, HeaderError, InvalidOpcode, InvalidUtf8, Opcode, Utf8Validator};
use ws_proto::{
    CappedOutput, Close, CloseCode, Config, Connection, Event, InvalidCloseCode, MessageKind,
    Output, ProtocolError, SendError, Server, SliceOutput, WebSocket, uri::UriError,
};
#[cfg(all(feature = "deflate", feature = "handshake"))]
use ws_proto::{Client, uri::Uri};

/// Each error has another text, in a line of ASCII.
#[track_caller]
fn told_in_words<E: Error>(errors: &[E]) {
    let mut words = HashSet::new();
    for error in errors {
        let text = error.to_string();
        assert!(
            text.len() >= 8 && text.bytes().all(|byte| matches!(byte, b' '..=b'~')),
            "{text:?}"
        );
        assert!(text.contains(' '), "{text:?}");
        assert!(words.insert(text.clone()), "said twice: {text:?}");
    }
}

#[test]
fn se11_errors_of_a_uri_are_told_in_words() {
    use UriError as E;
    told_in_words(&[
        E::InvalidScheme,
        E::UnexpectedUserInfo,
        E::InvalidHost,
        E::HostNotAscii,
        E::InvalidPort,
        E::UnexpectedFragment,
        E::InvalidResourceName,
    ]);
}

#[test]
fn se11_tm11_timeouts_are_told_in_words() {
    use ws_proto::{TimeoutError as E, Timeouts};
    told_in_words(&[
        E::Handshake,
        E::Pong,
        E::Message,
        E::Write,
        E::Close,
        E::Linger,
    ]);
    let shown = format!(
        "{:?}",
        Timeouts::none().with_ping(Some(Duration::from_secs(1)))
    );
    assert!(shown.contains("ping: Some(1s), pong: None"), "{shown}");
}

#[test]
#[cfg(feature = "handshake")]
fn se11_errors_of_a_handshake_are_told_in_words() {
    use ws_proto::handshake::{HandshakeError as E, OriginError as O, WriteError as W};
    told_in_words(&[
        E::HeadTooLarge { limit: 7 },
        E::HeadTooLarge { limit: 8 },
        E::TooManyHeaders { limit: 7 },
        E::TooManyHeaders { limit: 8 },
        E::TooManyInterimResponses { limit: 7 },
        E::TooManyInterimResponses { limit: 8 },
        E::Incomplete,
        E::BareLf,
        E::BareCr,
        E::ObsFold,
        E::InvalidHeaderName,
        E::InvalidHeaderValue,
        E::InvalidRequestLine,
        E::InvalidStatusLine,
        E::UnsupportedHttpVersion { major: 1, minor: 0 },
        E::UnsupportedHttpVersion { major: 2, minor: 0 },
        E::MethodNotAllowed,
        E::InvalidTarget,
        E::UnexpectedBody,
        E::MissingUpgrade,
        E::MissingConnectionUpgrade,
        E::UnsupportedWebSocketVersion,
        E::MissingHeader("Host"),
        E::DuplicateHeader("Host"),
        E::InvalidHeader("Host"),
        E::UnexpectedHeader("Upgrade"),
        E::UnsupportedProtocol,
        E::MissingHeader("Sec-WebSocket-Key"),
        E::UnexpectedStatus(404),
        E::UnexpectedStatus(500),
        E::ExtensionNotOffered,
        E::InvalidExtensionParameter,
        E::SubprotocolNotRequested,
        E::MissingSubprotocol,
    ]);
    told_in_words(&[
        W::OutputFull { needed: 7 },
        W::OutputFull { needed: 8 },
        W::InvalidHeaderName,
        W::InvalidHeaderValue,
        W::ReservedHeader,
        W::InvalidSubprotocol,
        W::DuplicateSubprotocol,
        W::SubprotocolNotRequested,
        W::InvalidExtensions,
        W::ExtensionNotOffered,
        W::InvalidStatus,
        W::UnexpectedBody,
        W::NotHttp1,
    ]);
    told_in_words(&[
        O::InvalidScheme,
        O::UnexpectedPath,
        O::InvalidHost,
        O::InvalidPort,
    ]);
}

#[test]
#[cfg(feature = "deflate")]
fn se11_errors_of_compression_are_told_in_words() {
    told_in_words(&[ws_proto::deflate::InflateError]);
    for (error, text) in [
        (
            ProtocolError::InvalidCompression,
            "invalid compressed data (RFC 7692 section 7.2.2)",
        ),
        (
            ProtocolError::CompressedTooLong { len: 9, limit: 8 },
            "compressed message too long: 9 bytes, limit 8 (RFC 6455 section 10.4)",
        ),
    ] {
        assert_eq!(error.to_string(), text);
    }
    assert_eq!(
        SendError::NotNegotiated.to_string(),
        "permessage-deflate was not negotiated"
    );
    assert_eq!(
        SendError::IncompatibleParams.to_string(),
        "the message was compressed with other parameters"
    );
}

/// With `?`, errors become those of the driver's sockets, and remain the same errors.
#[test]
#[cfg(feature = "std")]
fn errors_become_errors_of_io() {
    use std::io::{self, ErrorKind};
    #[track_caller]
    fn becomes<E: Error + PartialEq + Copy + Into<io::Error> + 'static>(error: E, kind: ErrorKind) {
        let io: io::Error = error.into();
        assert_eq!(io.kind(), kind);
        assert_eq!(
            io.get_ref().and_then(|inner| inner.downcast_ref()),
            Some(&error)
        );
    }
    becomes(ProtocolError::Unmasked, ErrorKind::InvalidData);
    becomes(HeaderError::LengthOverflow, ErrorKind::InvalidData);
    becomes(ws_proto::TimeoutError::Pong, ErrorKind::TimedOut);
    becomes(InvalidUtf8, ErrorKind::InvalidData);
    becomes(InvalidOpcode(16), ErrorKind::InvalidInput);
    becomes(InvalidCloseCode(1005), ErrorKind::InvalidInput);
    becomes(SendError::Closed, ErrorKind::BrokenPipe);
    becomes(SendError::OutputFull { needed: 1 }, ErrorKind::WriteZero);
    for error in [
        SendError::MessageInProgress,
        SendError::ControlTooLong,
        SendError::LengthOverflow,
        SendError::InvalidUtf8,
        SendError::NotNegotiated,
        SendError::IncompatibleParams,
        SendError::ClientOnlyCloseCode,
    ] {
        becomes(error, ErrorKind::InvalidInput);
    }
    #[cfg(feature = "deflate")]
    becomes(ws_proto::deflate::InflateError, ErrorKind::InvalidData);
    becomes(UriError::InvalidPort, ErrorKind::InvalidInput);
    let error = ws_proto::extension::parse(b"x; y=").find_map(Result::err);
    becomes(error.unwrap(), ErrorKind::InvalidData);
}

/// Bytes are printed as they are, and only those that are there.
#[test]
fn headers_are_printed_as_their_bytes_and_replies_without_them() {
    let header = Header {
        fin: true,
        rsv: 0,
        opcode: Opcode::TEXT,
        mask: None,
        len: 5,
    };
    assert_eq!(format!("{:?}", header.encode()), "HeaderBytes([129, 5])");

    let (mut receiver, _) = Connection::new(Server, &Config::default()).split();
    let mut ping = *b"\x89\x82\0\0\0\0hi";
    assert_eq!(receiver.recv(&mut &mut ping[..]), Some(Event::Ping));
    let reply = format!("{:?}", receiver.take_reply().unwrap());
    assert_eq!(
        reply,
        "Reply { kind: Pong, payload: InlineBytes { len: 2, .. } }"
    );
}

/// No `Debug` of a machine, an output or a reply shows a payload: neither one that is being
/// received, nor one that was sent, nor one that waits. (A message shows itself.)
#[test]
fn nothing_that_holds_a_payload_shows_it() {
    const SECRET: &str = "SECRET-\u{e9}";
    let decimal = format!("{:?}", SECRET.as_bytes());
    let decimal = decimal.trim_matches(['[', ']']);
    let hidden = |value: &dyn core::fmt::Debug| {
        for text in [
            format!("{value:?}"),
            format!("{value:#?}")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
        ] {
            assert!(
                !text.contains("SECRET")
                    && !text.contains(decimal)
                    && !text.contains(&decimal[..14]),
                "{text}"
            );
        }
    };
    let frames = [
        Frame::ping(SECRET),
        Frame::text(SECRET).more(),
        Frame::text(SECRET),
    ];
    for frames in [
        &frames[..1],
        &frames[..2],
        &[Frame::close(1000, SECRET)],
        &[Frame::binary(SECRET).more()],
        &frames[2..],
    ] {
        let mut out = Vec::new();
        let mut bytes = wire::<Server>(frames);
        // A text that is split inside its last character.
        let end = bytes.len() - usize::from(frames[0].opcode == 1);
        let mut ws = WebSocket::new(Server, &Config::default());
        let mut input = &mut bytes[..end];
        while ws.recv(&mut input, &mut out).is_some() {}
        hidden(&ws);
        assert!(
            format!("{ws:?}").contains(
                "WebSocket { connection: Connection { recv: RecvState { config: Config {"
            )
        );
        assert!(format!("{ws:?}").contains("assembler: Assembler { .. }"));
        let (receiver, sender) = ws.split();
        hidden(&receiver);
        hidden(&sender);

        let mut bytes = wire::<Server>(frames);
        let mut connection = Connection::new(Server, &Config::default());
        let mut input = &mut bytes[..end];
        while connection.recv(&mut input, &mut out).is_some() {}
        hidden(&connection);

        let mut bytes = wire::<Server>(frames);
        let (mut receiver, mut sender) = Connection::new(Server, &Config::default()).split();
        let mut input = &mut bytes[..end];
        while receiver.recv(&mut input).is_some() {}
        hidden(&receiver);
        if let Some(reply) = receiver.take_reply() {
            hidden(&reply);
        }
        sender
            .send_fragment(
                MessageKind::Text,
                &SECRET.as_bytes()[..SECRET.len() - 1],
                false,
                &mut out,
            )
            .unwrap();
        hidden(&sender);
        assert!(!out.is_empty());
        hidden(&CappedOutput::new(&mut out, 1000));
        let mut slice = SliceOutput::new(&mut out);
        slice.append(SECRET.as_bytes());
        hidden(&slice);
    }
    let mut utf8 = Utf8Validator::new();
    utf8.feed(&SECRET.as_bytes()[..SECRET.len() - 1]).unwrap();
    assert!(!format!("{utf8:?}").contains("195"));
}

/// Values of fields may be secrets, such as cookies. Those of parameters are tokens (RFC 6455
/// §9.1), in whatever way they were written.
#[test]
#[cfg(feature = "handshake")]
fn requests_are_printed_without_the_values_of_their_fields() {
    use ws_proto::handshake::Request;
    let fields: [(&str, &[u8]); 7] = [
        ("Host", b"secret.example.com"),
        ("Upgrade", b"websocket"),
        ("Connection", b"Upgrade"),
        ("Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", b"13"),
        ("Cookie", b"id=secret"),
        ("Sec-WebSocket-Extensions", b"x; y=\"z\\z\""),
    ];
    let request = Request::from_headers("GET", "/", (1, 1), &fields).unwrap();
    assert_eq!(
        format!("{:?}", request.headers()),
        r#"["Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version", "Cookie", "Sec-WebSocket-Extensions"]"#
    );
    let extension = request.extensions().next().unwrap();
    assert_eq!(
        format!("{:?}", extension.params().next().unwrap().value.unwrap()),
        r#""zz""#
    );
}

/// M1, and no pages of state: the printed form is short, and contains neither the seed nor the
/// request.
#[test]
#[cfg(all(feature = "deflate", feature = "handshake"))]
fn m1_machines_are_printed_in_a_line() {
    use ws_proto::deflate::{self, Params};
    use ws_proto::handshake::{ClientHandshake, ServerHandshake};
    let uri = Uri::parse("ws://example.com/secret").unwrap();
    let client = ClientHandshake::new(&uri, Client::new(SEED));
    let mut server = ServerHandshake::new();
    assert!(
        server
            .recv(
                &mut &mut b"GET /secret HTTP/1.1\r\n".to_vec()[..],
                &mut Vec::new()
            )
            .unwrap()
            .is_none()
    );
    let deflate = deflate::DeflateConfig::default().with_level(3);
    let params = Params::default();
    for (text, begins) in [
        (format!("{:?}", Client::new(SEED)), "Client"),
        (format!("{client:?}"), "ClientHandshake"),
        (format!("{server:?}"), "ServerHandshake"),
        (format!("{deflate:?}"), "DeflateConfig"),
        (
            format!("{:?}", params.server_compressor(&deflate)),
            "Compressor",
        ),
        (
            format!("{:?}", params.server_decompressor()),
            "Decompressor",
        ),
    ] {
        assert!(
            text.starts_with(begins) && text.len() < 500 && !text.contains("secret"),
            "{text}"
        );
    }
    assert!(format!("{deflate:?}").contains("level: 3"));
}

/// The codec's own errors convert, and print the same words.
#[test]
fn errors_of_the_codec_become_protocol_errors() {
    let reserved = Opcode::new(3).unwrap();
    for (error, expected) in [
        (
            HeaderError::ReservedOpcode(reserved),
            ProtocolError::ReservedOpcode(reserved),
        ),
        (
            HeaderError::FragmentedControl(Opcode::PING),
            ProtocolError::FragmentedControl(Opcode::PING),
        ),
        (
            HeaderError::ControlTooLong(Opcode::PONG),
            ProtocolError::ControlTooLong(Opcode::PONG),
        ),
        (
            HeaderError::InvalidCloseBody,
            ProtocolError::InvalidCloseBody,
        ),
        (
            HeaderError::NonMinimalLength,
            ProtocolError::NonMinimalLength,
        ),
        (HeaderError::LengthOverflow, ProtocolError::LengthOverflow),
    ] {
        assert_eq!(ProtocolError::from(error), expected);
        let section = format!("{error} (RFC 6455 section {})", expected.section());
        assert_eq!(expected.to_string(), section);
    }
    assert_eq!(ProtocolError::from(InvalidUtf8), ProtocolError::InvalidUtf8);
    assert_eq!(SendError::from(InvalidUtf8), SendError::InvalidUtf8);
    assert_eq!(InvalidUtf8.to_string(), "invalid UTF-8");
}

/// Numbers convert both ways; a value without a meaning is returned as the number.
#[test]
fn opcodes_and_status_codes_convert() {
    for value in 0..=u8::MAX {
        match Opcode::try_from(value) {
            Ok(opcode) => assert_eq!((u8::from(opcode), value < 16), (value, true)),
            Err(InvalidOpcode(refused)) => assert_eq!((refused, value < 16), (value, false)),
        }
    }
    for value in 0..=u16::MAX {
        match CloseCode::try_from(value) {
            Ok(code) => assert_eq!(u16::from(code), value),
            Err(InvalidCloseCode(refused)) => {
                assert_eq!((refused, CloseCode::new(value)), (value, None));
            }
        }
    }
}

#[test]
fn a_close_is_printed_with_its_reason_in_quotes() {
    for (code, reason, printed) in [
        (Some(CloseCode::NORMAL), "", "1000"),
        (
            Some(CloseCode::NORMAL),
            "a\n\"b\"",
            "1000 \"a\\n\\\"b\\\"\"",
        ),
        (None, "", "no code"),
    ] {
        assert_eq!(Close { code, reason }.to_string(), printed);
    }
}

#[test]
fn what_is_no_number_of_the_protocol_is_printed_with_it() {
    assert_eq!(InvalidOpcode(16).to_string(), "invalid opcode 16");
    assert_eq!(
        InvalidCloseCode(1005).to_string(),
        "invalid status code 1005"
    );
}
