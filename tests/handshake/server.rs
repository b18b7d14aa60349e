//! The requests that a server accepts and refuses (SH), its answers (SR), extension offers (EX),
//! and the attacks of groups H and C.
//!
//! Not here: splits of the input (SH17, `cuts.rs`), injection (I1, SR11, `injection.rs`). The data
//! that a server must not trust (SH16) is documented at `Request`, and the deadline for a slow head
//! (H8) at `ServerHandshake`.

use crate::support::{Head, values};
use ws_proto::handshake::{
    Body, HandshakeError as E, HeadLimits, Origin, OriginError, Request, Response, Scheme,
    ServerHandshake, WriteError, accept_key,
};
use ws_proto::{CappedOutput, Output, REPLY_ROOM, SliceOutput};

/// Lets `test` look at the request that a server finds in `head`.
#[track_caller]
fn taken<T>(head: &Head, test: impl FnOnce(&Request<'_>) -> T) -> T {
    let (mut head, mut out) = (head.bytes(), Vec::new());
    let mut server = ServerHandshake::new();
    let request = server
        .recv(&mut &mut head[..], &mut out)
        .unwrap()
        .expect("the request is complete");
    let result = test(&request);
    assert!(out.is_empty());
    result
}

#[track_caller]
fn passes(head: &Head) {
    taken(head, |_| ());
}

/// Checks that the request is refused with this error, and that the client gets to know in HTTP
/// (SH13, SR14, CL16).
#[track_caller]
fn refused(head: impl AsRef<[u8]>, error: E, status: u16) -> String {
    let head = head.as_ref();
    assert_eq!(
        Request::parse(head, &HeadLimits::default()).unwrap_err(),
        error
    );

    let (mut head, mut out) = (head.to_vec(), Vec::new());
    let mut server = ServerHandshake::new();
    let mut input = &mut head[..];
    assert_eq!(server.recv(&mut input, &mut out).unwrap_err(), error);
    assert!(input.is_empty());
    assert_eq!(error.status(), status);

    let response = String::from_utf8(out.clone()).unwrap();
    assert!(
        response.starts_with(&format!("HTTP/1.1 {status} ")),
        "{response}"
    );
    assert!(response.ends_with("\r\n\r\n"));
    assert!(values(&response, "Connection")[0].starts_with("close"));
    assert_eq!(values(&response, "Content-Length"), ["0"]);
    assert!(response.len() <= REPLY_ROOM);

    // Whatever comes later changes nothing.
    let mut more = Head::request().bytes();
    let mut input = &mut more[..];
    assert_eq!(server.recv(&mut input, &mut out).unwrap_err(), error);
    assert!(input.is_empty());
    assert_eq!(server.recv_eof(), Err(error));
    assert_eq!(out.len(), response.len());
    response
}

#[test]
fn sh1_the_example_of_the_rfc_is_accepted() {
    let head = Head::request()
        .with("Origin: http://example.com")
        .with("Sec-WebSocket-Protocol: chat, superchat");
    taken(&head, |request| {
        assert_eq!(
            (request.target(), request.path(), request.query()),
            ("/chat", "/chat", None)
        );
        assert_eq!(request.host(), "server.example.com");
        assert_eq!(request.origin(), Some(&b"http://example.com"[..]));
        assert!(request.subprotocols().eq(["chat", "superchat"]));
        let mut out = Vec::new();
        let negotiated = request
            .accept()
            .subprotocol("chat")
            .write(&mut out)
            .unwrap();
        assert_eq!(negotiated.subprotocol(), Some("chat"));
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n"
        );
    });
}

#[test]
fn sh1_sh2_only_get_and_http_1_1_or_a_later_1_x() {
    passes(&Head::request().first("GET /chat HTTP/1.2"));
    for (line, error, status) in [
        ("POST /chat HTTP/1.1", E::MethodNotAllowed, 405),
        ("get /chat HTTP/1.1", E::MethodNotAllowed, 405),
        ("CONNECT example.com:80 HTTP/1.1", E::MethodNotAllowed, 405),
        ("PRI * HTTP/2.0", E::MethodNotAllowed, 405),
        (
            "GET /chat HTTP/1.0",
            E::UnsupportedHttpVersion { major: 1, minor: 0 },
            426,
        ),
        (
            "GET /chat HTTP/2.0",
            E::UnsupportedHttpVersion { major: 2, minor: 0 },
            505,
        ),
        (
            "GET /chat HTTP/2.1",
            E::UnsupportedHttpVersion { major: 2, minor: 1 },
            505,
        ),
        (
            "GET /chat HTTP/0.9",
            E::UnsupportedHttpVersion { major: 0, minor: 9 },
            505,
        ),
        ("GET /chat http/1.1", E::InvalidRequestLine, 400),
        ("GET /chat HTTP/1.10", E::InvalidRequestLine, 400),
        ("GET /chat HTTP/1", E::InvalidRequestLine, 400),
        ("GET /chat", E::InvalidRequestLine, 400),
        ("GET /chat ", E::InvalidRequestLine, 400),
        ("GET", E::InvalidRequestLine, 400),
        ("GET ", E::InvalidRequestLine, 400),
        ("GET  /chat HTTP/1.1", E::InvalidRequestLine, 400),
        ("GET /chat  HTTP/1.1", E::InvalidRequestLine, 400),
        ("GET /chat HTTP/1.1 ", E::InvalidRequestLine, 400),
        (" GET /chat HTTP/1.1", E::InvalidRequestLine, 400),
        ("G(T /chat HTTP/1.1", E::InvalidRequestLine, 400),
        ("GET /chat\tHTTP/1.1", E::InvalidTarget, 400),
        ("GET /chat HTTP/1.1\t", E::InvalidRequestLine, 400),
    ] {
        refused(Head::request().first(line).text(), error, status);
    }
    let response = refused(
        Head::request().first("POST /chat HTTP/1.1").text(),
        E::MethodNotAllowed,
        405,
    );
    assert_eq!(values(&response, "Allow"), ["GET"]);
    // RFC 9110 §7.8, §15.5.22: HTTP/1.0 can be upgraded to a version that has an upgrade to
    // WebSocket.
    let response = refused(
        Head::request().first("GET /chat HTTP/1.0").text(),
        E::UnsupportedHttpVersion { major: 1, minor: 0 },
        426,
    );
    assert_eq!(values(&response, "Upgrade"), ["websocket"]);
    assert_eq!(values(&response, "Connection"), ["close, Upgrade"]);
}

/// SH1, SE1: bytes of another protocol, or of none, fail at the first byte that no request has
/// there, and not at the end of their line, which may never come.
#[test]
fn sh1_sh13_what_no_request_begins_with_fails_at_its_first_byte() {
    for (good, bad, error) in [
        (
            &b""[..],
            &b"\x16\x03\x01\x02\0\x01\0"[..],
            E::InvalidRequestLine,
        ), // TLS: ClientHello
        (b"", b"\x15\x03\x03\0\x02\x02\x28", E::InvalidRequestLine), // TLS: alert
        (b"", b"\0\0\x12\x04\0\0\0\0\0", E::InvalidRequestLine),     // HTTP/2: SETTINGS
        (b"", b"<html>", E::InvalidRequestLine),
        (b"", b" GET", E::InvalidRequestLine),
        (b"", b"\n", E::BareLf),
        (b"", b"\x81\x85", E::InvalidRequestLine), // a frame
        (b"SSH-2.0-OpenSSH_9.6", b"\r\n", E::InvalidRequestLine),
        (b"PRI", b" * HTTP/2.0\r\n\r\nSM", E::MethodNotAllowed),
        (b"POST", b" / HTTP/1.1\r\n", E::MethodNotAllowed),
        (b"GE", b"(", E::InvalidRequestLine),
        (b"GET", b"\t", E::InvalidRequestLine),
        (b"GET ", b" ", E::InvalidRequestLine),
        (b"GET /", b"\r\n", E::InvalidRequestLine),
        (b"GET /", b"\n", E::BareLf),
        (b"GET /", b"\0", E::InvalidTarget),
        (b"GET /", b"#", E::InvalidTarget),
        (b"GET *", b" ", E::InvalidTarget),
        (b"GET /chat ", b"\r", E::InvalidRequestLine),
        (b"GET /chat HT", b"t", E::InvalidRequestLine),
        (b"GET /chat HTTP/", b"x", E::InvalidRequestLine),
        (b"GET /chat HTTP/", b".", E::InvalidRequestLine),
        (b"GET /chat HTTP/1", b"1", E::InvalidRequestLine),
        (b"GET /chat HTTP/1.", b"x", E::InvalidRequestLine),
        (
            b"GET /chat HTTP/1.",
            b"0",
            E::UnsupportedHttpVersion { major: 1, minor: 0 },
        ),
        (
            b"GET /chat HTTP/2.",
            b"0",
            E::UnsupportedHttpVersion { major: 2, minor: 0 },
        ),
        (b"GET /chat HTTP/1.1", b"0", E::InvalidRequestLine),
        (b"GET /chat HTTP/1.1", b"\n", E::BareLf),
        (b"GET /chat HTTP/1.1\r", b"\r", E::BareCr),
        (b"GET /chat HTTP/1.1\r\n", b" ", E::ObsFold),
        (b"GET /chat HTTP/1.1\r\n", b":", E::InvalidHeaderName),
        (b"GET /chat HTTP/1.1\r\nX", b" ", E::InvalidHeaderName),
        (b"GET /chat HTTP/1.1\r\nX", b"\0", E::InvalidHeaderName),
        (b"GET /chat HTTP/1.1\r\nX", b"\r", E::InvalidHeaderName),
        (b"GET /chat HTTP/1.1\r\nX: ", b"\0", E::InvalidHeaderValue),
        (b"GET /chat HTTP/1.1\r\nX: \r", b"a", E::BareCr),
        (b"GET /chat HTTP/1.1\r\n\r", b"\r", E::BareCr),
        (
            b"GET /chat HTTP/1.1\r\nOrigin:\r\nOrigin:\r",
            b"\n",
            E::DuplicateHeader("Origin"),
        ),
    ] {
        let shown = format!("{} and {}", good.escape_ascii(), bad.escape_ascii());
        assert!(
            Request::parse(good, &HeadLimits::default())
                .unwrap()
                .is_none(),
            "{shown}"
        );
        refused([good, bad].concat(), error, error.status());
        let (mut server, mut out) = (ServerHandshake::new(), Vec::new());
        assert!(
            server
                .recv(&mut &mut good.to_vec()[..], &mut out)
                .unwrap()
                .is_none(),
            "{shown}"
        );
        assert!(out.is_empty());
        assert_eq!(
            server
                .recv(&mut &mut bad[..1].to_vec()[..], &mut out)
                .unwrap_err(),
            error,
            "{shown}"
        );
        assert!(
            out.starts_with(format!("HTTP/1.1 {} ", error.status()).as_bytes())
                && out.ends_with(b"\r\n\r\n"),
            "{shown}"
        );
    }
}

/// And a prefix of a valid request is waited for, however long.
#[test]
fn sh1_sh17_every_beginning_of_a_request_is_waited_for() {
    for head in [
        Head::request(),
        Head::request()
            .first("GET http://h:1/?a HTTP/1.9")
            .with("X:\t\u{e4}\t"),
        Head::request().first("\r\nGET / HTTP/1.1"),
    ] {
        let head = head.bytes();
        for len in 0..head.len() {
            assert!(
                Request::parse(&head[..len], &HeadLimits::default())
                    .unwrap()
                    .is_none(),
                "{len}"
            );
        }
        assert_eq!(
            Request::parse(&head, &HeadLimits::default())
                .unwrap()
                .unwrap()
                .1,
            head.len()
        );
    }
}

/// RFC 9112 §2.2: older clients send an empty line after the body of the request before.
#[test]
fn sh1_one_empty_line_before_the_request_line_is_skipped() {
    let head = Head::request().with("X: y").bytes();
    let later = [b"\r\n", &head[..]].concat();
    let limits = |bytes| HeadLimits::new().with_max_bytes(bytes);
    let (request, len) = Request::parse(&later, &limits(later.len()))
        .unwrap()
        .unwrap();
    assert_eq!((request.target(), len), ("/chat", later.len()));
    let (without, _) = Request::parse(&head, &HeadLimits::default())
        .unwrap()
        .unwrap();
    assert!(request.headers().iter().eq(without.headers().iter()));
    // It counts.
    assert_eq!(
        Request::parse(&later, &limits(head.len())).unwrap_err(),
        E::HeadTooLarge { limit: head.len() }
    );
    // Two are refused, and so is one in another place, or in another form.
    refused(
        [b"\r\n\r\n", &head[..]].concat(),
        E::InvalidRequestLine,
        400,
    );
    refused([b"\n", &head[..]].concat(), E::BareLf, 400);
    refused([b"\r", &head[..]].concat(), E::BareCr, 400);
    refused([b" \r\n", &head[..]].concat(), E::InvalidRequestLine, 400);
    refused(
        Head::of(&["GET /chat HTTP/1.1", "", "Host: a"]).text(),
        E::MissingHeader("Host"),
        400,
    );
}

#[test]
fn sh3_host_is_required_once_and_valid() {
    refused(
        Head::request().without("Host").text(),
        E::MissingHeader("Host"),
        400,
    );
    refused(
        Head::request().with("host: server.example.com").text(),
        E::DuplicateHeader("Host"),
        400,
    );
    for host in [
        "",
        "a b",
        "a/b",
        "a@b",
        "a:b",
        "a:65536",
        "a,b/",
        "[::1",
        "[::g]",
        "[::1]x",
        "ex\u{e4}mple",
    ] {
        refused(
            Head::request().but("Host", host).text(),
            E::InvalidHeader("Host"),
            400,
        );
    }
    for host in [
        "example.com:8080",
        "127.0.0.1",
        "[::1]",
        "[::1]:80",
        "localhost:",
    ] {
        assert_eq!(
            taken(&Head::request().but("Host", host), |request| request
                .host()
                .to_owned()),
            host
        );
    }
}

#[test]
fn sh4_upgrade_names_websocket_in_any_case_and_in_a_list() {
    for value in [
        "WebSocket",
        "WEBSOCKET",
        "foo, websocket",
        ",websocket ,\tbar/2",
    ] {
        passes(&Head::request().but("Upgrade", value));
    }
    for value in [
        "",
        "websockets",
        "h2c",
        "websocket/13",
        "HTTP/2.0, a/b",
        ", ,",
    ] {
        refused(
            Head::request().but("Upgrade", value).text(),
            E::MissingUpgrade,
            426,
        );
    }
    // RFC 9110 §7.8: an element is a token, or two with a slash between them.
    for value in [
        "web socket",
        "\"websocket\"",
        "websocket, \"h2c\"",
        "websocket, a/",
        "websocket, /a",
        "a/b/c, websocket",
        "websocket; a",
        "w\u{e4}",
    ] {
        refused(
            Head::request().but("Upgrade", value).text(),
            E::InvalidHeader("Upgrade"),
            400,
        );
    }
    let response = refused(
        Head::request().without("Upgrade").text(),
        E::MissingUpgrade,
        426,
    );
    // RFC 9110 §15.5.22
    assert_eq!(values(&response, "Upgrade"), ["websocket"]);
    assert_eq!(values(&response, "Connection"), ["close, Upgrade"]);
}

#[test]
fn sh5_connection_contains_the_token_upgrade() {
    for value in [
        "upgrade",
        "keep-alive, Upgrade",
        "UPGRADE,close",
        " , upgrade ,",
        "a,b,c,\tUpGrAdE",
    ] {
        passes(&Head::request().but("Connection", value));
    }
    passes(
        &Head::request()
            .but("Connection", "keep-alive")
            .with("connection: upgrade")
            .with("CONNECTION: x"),
    );
    for value in ["", "keep-alive", "upgrades", "not-upgrade", ", ,"] {
        refused(
            Head::request().but("Connection", value).text(),
            E::MissingConnectionUpgrade,
            400,
        );
    }
    // RFC 9110 §7.6.1: all elements are tokens.
    for value in [
        "keep-alive Upgrade",
        "keep-alive; Upgrade",
        "Upgrade, Up]rade",
        "\"a\", Upgrade",
        "Upgrade/1",
        "Upgrade, \u{e4}",
    ] {
        refused(
            Head::request().but("Connection", value).text(),
            E::InvalidHeader("Connection"),
            400,
        );
        refused(
            Head::request().with(&format!("Connection: {value}")).text(),
            E::InvalidHeader("Connection"),
            400,
        );
    }
    refused(
        Head::request().without("Connection").text(),
        E::MissingConnectionUpgrade,
        400,
    );
}

#[test]
fn sh6_ch6_the_key_is_the_base64_of_16_bytes() {
    for key in [
        "AAAAAAAAAAAAAAAAAAAAAA==",
        "/////////////////////w==",
        "AQIDBAUGBwgJCgsMDQ4PEA==",
    ] {
        passes(&Head::request().but("Sec-WebSocket-Key", key));
    }
    // Erratum 3150 corrects the example of §4.1, whose last character has padding bits that are not
    // zero. Clients that send such keys are still answered, and SR4: with the key as it was
    // received.
    for last in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".chars() {
        let key = format!("AQIDBAUGBwgJCgsMDQ4PE{last}==");
        taken(&Head::request().but("Sec-WebSocket-Key", &key), |request| {
            let mut out = Vec::new();
            request.accept().write(&mut out).unwrap();
            let accept = accept_key(key.as_bytes());
            assert_eq!(
                values(std::str::from_utf8(&out).unwrap(), "Sec-WebSocket-Accept")[0].as_bytes(),
                accept
            );
        });
    }
    assert_eq!(
        accept_key(b"AQIDBAUGBwgJCgsMDQ4PEC=="),
        *b"OfS0wDaT5NoxF2gqm7Zj2YtetzM="
    );
    for key in [
        "",
        "==",
        "AQIDBAUGBwgJCgsMDQ4P",         // 15 bytes
        "AQIDBAUGBwgJCgsMDQ4PEBE=",     // 17 bytes
        "AQIDBAUGBwgJCgsMDQ4PEBES",     // 18 bytes
        "AQIDBAUGBwgJCgsMDQ4PEBESEw==", // 19 bytes
        "AQIDBAUGBwgJCgsMDQ4PEA",       // no padding
        "AQIDBAUGBwgJCgsMDQ4PEA=",
        "AQIDBAUGBwgJCgsMDQ4PEAA=", // a character where padding belongs
        "AQIDBAUGBwgJCgsMDQ4P====",
        "AQIDBAUGBwgJCgsMDQ4PEA==A",
        "AQIDBAUGBwgJCgsMDQ4PEA=A",
        "AQIDBAUGBwgJCgsMDQ4PE*==",
        "AQIDBAUGBwgJCgsM DQ4PEA==",
        "AQIDBAUGBwgJCgsM-_4PEA==", // another alphabet
        "AQIDBAUGBwgJCgsMDQ4PEA==, AQIDBAUGBwgJCgsMDQ4PEA==",
    ] {
        refused(
            Head::request().but("Sec-WebSocket-Key", key).text(),
            E::InvalidHeader("Sec-WebSocket-Key"),
            400,
        );
    }
    refused(
        Head::request().without("Sec-WebSocket-Key").text(),
        E::MissingHeader("Sec-WebSocket-Key"),
        400,
    );
}

#[test]
fn sh7_two_keys_are_refused_with_400() {
    let head = Head::request().with("SEC-WEBSOCKET-KEY: dGhlIHNhbXBsZSBub25jZQ==");
    refused(head.text(), E::DuplicateHeader("Sec-WebSocket-Key"), 400);
}

#[test]
fn sh8_sr13_another_version_is_answered_with_426_and_the_one_spoken() {
    for value in [
        "", "0", "8", "12", "14", "013", "13.0", "+13", "13, 8", "thirteen", "255",
    ] {
        let response = refused(
            Head::request().but("Sec-WebSocket-Version", value).text(),
            E::UnsupportedWebSocketVersion,
            426,
        );
        assert_eq!(values(&response, "Sec-WebSocket-Version"), ["13"]);
        assert_eq!(values(&response, "Upgrade"), ["websocket"]);
    }
    refused(
        Head::request().without("Sec-WebSocket-Version").text(),
        E::UnsupportedWebSocketVersion,
        426,
    );
}

#[test]
fn sh9_the_version_is_given_once() {
    refused(
        Head::request().with("Sec-WebSocket-Version: 13").text(),
        E::DuplicateHeader("Sec-WebSocket-Version"),
        400,
    );
}

#[test]
fn h4_no_field_with_one_value_is_given_twice() {
    for (line, name) in [
        ("hOST: server.example.com", "Host"),
        ("Upgrade: websocket", "Upgrade"),
        (
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Key",
        ),
        ("Sec-WebSocket-Version: 8", "Sec-WebSocket-Version"),
        ("Origin: http://evil.example", "Origin"),
    ] {
        refused(
            Head::request()
                .with("Origin: http://example.com")
                .with(line)
                .text(),
            E::DuplicateHeader(name),
            400,
        );
    }
}

#[test]
fn sh10_no_origin_means_not_a_browser() {
    assert_eq!(
        taken(&Head::request(), |request| request
            .origin()
            .map(<[u8]>::to_vec)),
        None
    );
}

#[test]
fn sh11_subprotocols_keep_their_order_over_several_lines() {
    let head = Head::request()
        .with("Sec-WebSocket-Protocol: v2.chat,v1.chat ,,\tCHAT")
        .with("X: y")
        .with("sec-websocket-protocol:")
        .with("sec-websocket-protocol: last");
    taken(&head, |request| {
        assert!(
            request
                .subprotocols()
                .eq(["v2.chat", "v1.chat", "CHAT", "last"])
        )
    });
    for value in ["", ",", "a b", "a/b", "a;b", "\"a\"", "ch\u{e4}t"] {
        let head = Head::request().with(&format!("Sec-WebSocket-Protocol: {value}"));
        refused(head.text(), E::InvalidHeader("Sec-WebSocket-Protocol"), 400);
    }
}

/// The offers as text: names, and parameters with their values.
fn offers(head: &Head) -> Vec<String> {
    taken(head, |request| {
        let param = |param: ws_proto::extension::Param<'_>| match param.value {
            Some(value) => format!(";{}={value}", param.name),
            None => format!(";{}", param.name),
        };
        request
            .extensions()
            .map(|offer| offer.name.to_owned() + &offer.params().map(param).collect::<String>())
            .collect()
    })
}

#[test]
fn sh12_ex1_offers_keep_their_order_and_unknown_ones_are_ignored() {
    let head = Head::request()
        .with("Sec-WebSocket-Extensions: foo")
        .with("sec-websocket-extensions: bar; baz=2, permessage-deflate");
    assert_eq!(offers(&head), ["foo", "bar;baz=2", "permessage-deflate"]);
    taken(&head, |request| {
        request.accept().write(&mut Vec::new()).unwrap()
    });
}

#[test]
fn ex1_the_grammar_of_offers() {
    for (value, expected) in [
        ("foo", vec!["foo"]),
        ("foo,bar", vec!["foo", "bar"]),
        (" ,, foo\t, ,bar ,", vec!["foo", "bar"]),
        (
            "mux; max-channels=4; flow-control, deflate-stream",
            vec!["mux;max-channels=4;flow-control", "deflate-stream"],
        ),
        ("a\t; \tb = c ; d=\t\"e\" ,f", vec!["a;b=c;d=e", "f"]),
        ("a;b=\"c\\d\\e\"", vec!["a;b=cde"]),
        ("a;b;b;b=1", vec!["a;b;b;b=1"]),
        (
            "__proto__; constructor; toString=valueOf",
            vec!["__proto__;constructor;toString=valueOf"],
        ),
    ] {
        assert_eq!(
            offers(&Head::request().with(&format!("Sec-WebSocket-Extensions: {value}"))),
            expected,
            "{value}"
        );
    }
}

#[test]
fn ex1_a_value_is_equal_in_quotes_and_without() {
    let head =
        Head::request().with("Sec-WebSocket-Extensions: a; b=10; c=\"10\"; d=\"\\1\\0\"; e=100; f");
    taken(&head, |request| {
        let values: Vec<_> = request
            .extensions()
            .flat_map(|offer| offer.params())
            .map(|param| param.value)
            .collect();
        let ten = |value: &Option<ws_proto::extension::Value<'_>>| {
            value.is_some_and(|value| value == "10" && value.bytes().eq(*b"10"))
        };
        assert_eq!(
            values.iter().map(ten).collect::<Vec<_>>(),
            [true, true, true, false, false]
        );
    });
}

#[test]
fn ex2_h3_malformed_offers_are_refused_with_400() {
    for value in [
        "",
        ",",
        " , ,\t",
        ";",
        ";a",
        "a;",
        "a; ;b",
        "a;;b",
        "a b",
        "a=b",
        "a;=b",
        "a;b=",
        "a;b= ,",
        "a;b=c d",
        "a;b c",
        "a/b",
        "\"a\"",
        "a;\"b\"=c",
        "a;b=\"",
        "a;b=\"c",
        "a;b=\"\"",
        "a;b=\"c d\"",
        "a;b=\"c,d\"",
        "a;b=\"c\"d",
        "a;b=\"c\\",
        "a;b=\"c\\\"",
        "a;b=\"\\\\\"",
        "a;b=\u{e4}",
        "ok, a;",
    ] {
        let head = Head::request().with(&format!("Sec-WebSocket-Extensions: {value}"));
        refused(
            head.text(),
            E::InvalidHeader("Sec-WebSocket-Extensions"),
            400,
        );
    }
}

#[test]
fn h3_long_offers_are_read_to_their_end() {
    let limits = HeadLimits::new().with_max_bytes(1 << 20);
    for (value, params) in [
        ("a;".repeat(1 << 15) + "a", 1 << 15),
        ("a;b=\"".to_owned() + &"\\c".repeat(1 << 15) + "\"", 1),
    ] {
        let head = Head::request()
            .with(&format!("Sec-WebSocket-Extensions: {value}"))
            .bytes();
        let (request, _) = Request::parse(&head, &limits).unwrap().unwrap();
        assert_eq!(
            request
                .extensions()
                .map(|offer| offer.params().count())
                .collect::<Vec<_>>(),
            [params]
        );
    }
}

#[test]
fn ex5_names_of_extensions_keep_their_case() {
    assert_eq!(
        offers(&Head::request().with("Sec-WebSocket-Extensions: Foo; BaR=Baz")),
        ["Foo;BaR=Baz"]
    );
}

/// Nothing is negotiated that would change a frame (EX6), and there is no order to keep (EX4).
#[test]
fn ex3_ex4_ex6_sr6_n1_n2_no_extension_is_answered() {
    let head = Head::request().with("Sec-WebSocket-Extensions: permessage-deflate");
    taken(&head, |request| {
        let mut out = Vec::new();
        request.accept().write(&mut out).unwrap();
        assert!(!String::from_utf8(out).unwrap().contains("Extensions"));
        for name in ["Sec-WebSocket-Extensions", "sec-websocket-extensions"] {
            let fields = [(name, &b"permessage-deflate"[..])];
            assert_eq!(
                request
                    .accept()
                    .headers(&fields)
                    .write(&mut Vec::new())
                    .unwrap_err(),
                WriteError::ReservedHeader
            );
        }
    });
}

/// CL16, SE2: the client gets an HTTP error, and never a Close frame.
#[test]
fn sh13_h6_malformed_lines_are_refused() {
    for (line, error) in [
        ("X : y", E::InvalidHeaderName),
        ("X\t: y", E::InvalidHeaderName),
        ("X", E::InvalidHeaderName),
        (": y", E::InvalidHeaderName),
        ("X(: y", E::InvalidHeaderName),
        ("X\u{e4}: y", E::InvalidHeaderName),
        ("\u{0}: y", E::InvalidHeaderName),
        (" folded", E::ObsFold),
        ("\tfolded", E::ObsFold),
        ("X: a\u{0}b", E::InvalidHeaderValue),
        ("X: a\rb", E::BareCr),
        ("X: a\r", E::BareCr),
        ("X: a\u{1}", E::InvalidHeaderValue),
        ("X: a\u{b}", E::InvalidHeaderValue),
        ("X: a\u{7f}", E::InvalidHeaderValue),
        ("X: a\nY: b", E::BareLf),
    ] {
        refused(Head::request().with(line).text(), error, 400);
        refused(
            Head::request().with(line).with("Host: second").text(),
            error,
            400,
        );
    }
    refused(Head::request().text().replace("\r\n", "\n"), E::BareLf, 400);
    refused("GET /\r HTTP/1.1\r\n\r\n", E::InvalidRequestLine, 400);
    refused("GET /\0 HTTP/1.1\r\n\r\n", E::InvalidTarget, 400);
    refused(b"GET /\xff HTTP/1.1\r\n\r\n", E::InvalidTarget, 400);
}

#[test]
fn sh14_unknown_fields_are_ignored_and_kept() {
    let head = Head::request()
        .with("X-A: 1")
        .with("Cookie:\t a=b \t")
        .with("x-a: 2")
        .with("Empty:")
        .with("Latin: \u{e4}");
    taken(&head, |request| {
        let fields = request.headers();
        assert_eq!(fields.get("cookie"), Some(&b"a=b"[..]));
        assert_eq!(fields.get("EMPTY"), Some(&b""[..]));
        assert_eq!(fields.get("latin"), Some("\u{e4}".as_bytes()));
        assert_eq!(fields.get("X"), None);
        assert!(fields.get_all("X-a").eq([b"1", b"2"]));
        assert_eq!(
            fields
                .iter()
                .map(|(name, _)| name)
                .skip(5)
                .collect::<Vec<_>>(),
            ["X-A", "Cookie", "x-a", "Empty", "Latin"]
        );
        // Values may be secrets.
        assert!(!format!("{request:?}").contains("a=b"));
    });
}

#[test]
fn sh15_targets_that_name_a_resource() {
    for (target, path, query, host) in [
        ("/", "/", None, "server.example.com"),
        ("/chat?", "/chat", Some(""), "server.example.com"),
        ("/a/b?c?d", "/a/b", Some("c?d"), "server.example.com"),
        ("//a?b://c", "//a", Some("b://c"), "server.example.com"),
        (
            "/%20?[x]={|}^`",
            "/%20",
            Some("[x]={|}^`"),
            "server.example.com",
        ),
        ("http://example.org", "/", None, "example.org"),
        (
            "HTTPS://Example.org:8443/x?y",
            "/x",
            Some("y"),
            "Example.org:8443",
        ),
        ("http://[::1]?q", "/", Some("q"), "[::1]"),
        // RFC 9112 §3.2.2: some clients send the URI of the WebSocket.
        ("ws://example.org/chat?q", "/chat", Some("q"), "example.org"),
        ("WSS://example.org:8443", "/", None, "example.org:8443"),
    ] {
        taken(
            &Head::request().first(&format!("GET {target} HTTP/1.1")),
            |request| {
                assert_eq!(
                    (
                        request.target(),
                        request.path(),
                        request.query(),
                        request.host()
                    ),
                    (target, path, query, host)
                );
            },
        );
    }
    for target in [
        "*",
        "chat",
        "example.com:80",
        "/a#b",
        "http://",
        "http:///x",
        "http://u@h/",
        "ftp://h/",
        "wsx://h/",
        "ws:/h",
        "ws://",
        "?x",
        "/\u{e4}",
    ] {
        refused(
            Head::request()
                .first(&format!("GET {target} HTTP/1.1"))
                .text(),
            E::InvalidTarget,
            400,
        );
    }
}

#[test]
fn sh18_h7_bytes_after_the_request_stay_in_the_input() {
    let head = Head::request().bytes();
    for cut in [0, 1, head.len() - 1] {
        let mut bytes = [&head[..], b"\x81\x80abcd", b"more"].concat();
        let (first, mut rest) = bytes.split_at_mut(cut);
        let (mut server, mut out) = (ServerHandshake::new(), Vec::new());
        assert!(server.recv(&mut &mut *first, &mut out).unwrap().is_none());
        assert!(server.recv(&mut rest, &mut out).unwrap().is_some());
        assert_eq!(rest, b"\x81\x80abcdmore");
        assert!(server.recv(&mut &mut [][..], &mut out).unwrap().is_none());
        assert_eq!(server.recv_eof(), Ok(()));
    }
}

#[test]
fn sh19_a_request_with_a_body_is_refused() {
    passes(&Head::request().with("Content-Length: 0"));
    for line in [
        "Content-Length: 1",
        "content-length: 00010",
        "Content-Length: x",
        "Content-Length: -0",
        "Content-Length: 0, 1",
        "Content-Length:",
    ] {
        refused(Head::request().with(line).text(), E::UnexpectedBody, 400);
    }
    refused(
        Head::request()
            .with("Content-Length: 0")
            .with("Content-Length: 5")
            .text(),
        E::UnexpectedBody,
        400,
    );
    for line in [
        "Transfer-Encoding: chunked",
        "transfer-encoding: identity",
        "Transfer-Encoding:",
    ] {
        refused(Head::request().with(line).text(), E::UnexpectedBody, 400);
    }
}

/// SR1 to SR4 and SR10, with the sample of §4.2.2.
#[test]
fn sr1_sr2_sr3_sr4_sr10_the_answer_as_the_rfc_wants_it() {
    let mut out = Vec::new();
    taken(&Head::request(), |request| {
        request
            .accept()
            .headers(&[("X-b", b"1"), ("x-A", b""), ("X-b", b"2 ")])
            .write(&mut out)
            .unwrap()
    });
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nX-b: 1\r\nx-A: \r\nX-b: 2 \r\n\r\n"
    );
}

#[test]
fn sr5_the_subprotocol_is_one_of_those_requested_or_none() {
    let head = Head::request().with("Sec-WebSocket-Protocol: chat");
    taken(&head, |request| {
        for name in ["", "Chat", "chat2", "cha", "chat,"] {
            let mut out = Vec::new();
            assert_eq!(
                request
                    .accept()
                    .subprotocol(name)
                    .write(&mut out)
                    .unwrap_err(),
                WriteError::SubprotocolNotRequested
            );
            assert!(out.is_empty());
        }
        let mut out = Vec::new();
        assert_eq!(
            request.accept().write(&mut out).unwrap().subprotocol(),
            None
        );
        assert!(values(std::str::from_utf8(&out).unwrap(), "Sec-WebSocket-Protocol").is_empty());
    });
    taken(&Head::request(), |request| {
        assert_eq!(
            request
                .accept()
                .subprotocol("chat")
                .write(&mut Vec::new())
                .unwrap_err(),
            WriteError::SubprotocolNotRequested
        );
    });
}

/// The client's order decides, since the list is its preference (§4.2.1).
#[test]
fn sr5_sh11_the_clients_first_subprotocol_that_is_supported_is_selected() {
    let head = Head::request()
        .with("Sec-WebSocket-Protocol: c, b")
        .with("Sec-WebSocket-Protocol: a");
    for (supported, selected) in [
        (&["a", "b", "c"][..], Some("c")),
        (&["a", "b"], Some("b")),
        (&["a"], Some("a")),
        (&["C", "", "b, a", "d"], None),
        (&[], None),
    ] {
        taken(&head, |request| {
            let mut out = Vec::new();
            let accept = request.accept().subprotocol_from(supported);
            let negotiated = accept.write(&mut out).unwrap();
            assert_eq!(negotiated.subprotocol(), selected, "{supported:?}");
            let response = String::from_utf8(out).unwrap();
            assert_eq!(
                values(&response, "Sec-WebSocket-Protocol"),
                Vec::from_iter(selected)
            );
            // The last call decides.
            let accept = request
                .accept()
                .subprotocol("b")
                .subprotocol_from(supported);
            let negotiated = accept.write(&mut Vec::new()).unwrap();
            assert_eq!(negotiated.subprotocol(), selected);
        });
    }
    taken(&Head::request(), |request| {
        let accept = request.accept().subprotocol_from(&["a"]);
        let negotiated = accept.write(&mut Vec::new()).unwrap();
        assert_eq!(negotiated.subprotocol(), None);
    });
}

/// Output need not be text (RFC 9110 §5.5).
#[test]
fn sr11_values_of_any_bytes_but_control_characters_are_sent() {
    taken(&Head::request(), |request| {
        let headers = [("X", &b"\xff\t\xe4"[..])];
        let (mut accepted, mut rejected) = (Vec::new(), Vec::new());
        request
            .accept()
            .headers(&headers)
            .write(&mut accepted)
            .unwrap();
        request
            .reject(403)
            .headers(&headers)
            .write(&mut rejected)
            .unwrap();
        for out in [accepted, rejected] {
            assert!(out.ends_with(b"\r\nX: \xff\t\xe4\r\n\r\n"));
        }
    });
}

#[test]
fn sr7_sr8_sr9_sr14_a_rejection_has_a_status_a_length_and_a_body() {
    taken(&Head::request(), |request| {
        for (status, line) in [
            (403, "403 Forbidden"),
            (404, "404 Not Found"),
            (401, "401 Unauthorized"),
            (418, "418 "),
            (599, "599 "),
        ] {
            let mut out = Vec::new();
            request.reject(status).write(&mut out).unwrap();
            assert_eq!(
                String::from_utf8(out).unwrap(),
                format!("HTTP/1.1 {line}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            );
        }
        let mut out = Vec::new();
        request
            .reject(302)
            .headers(&[
                ("Location", b"wss://b.example/"),
                ("Content-Type", b"text/plain"),
            ])
            .body(&[b'x'; 1234])
            .write(&mut out)
            .unwrap();
        let expected = "HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 1234\r\n\
                        Location: wss://b.example/\r\nContent-Type: text/plain\r\n\r\n";
        assert_eq!(
            String::from_utf8(out).unwrap(),
            expected.to_owned() + &"x".repeat(1234)
        );
        for status in [0, 101, 200, 299, 600, u16::MAX] {
            assert_eq!(
                request.reject(status).write(&mut Vec::new()),
                Err(WriteError::InvalidStatus)
            );
        }
    });
}

/// RFC 9112 §6.3: where the response ends is the same for who writes it and who reads it, and
/// nothing comes after it.
#[test]
fn sr9_sr14_every_rejection_ends_where_its_reader_sees_the_end() {
    taken(&Head::request(), |request| {
        for status in 300..=599 {
            for body in [&b""[..], b"why", b"HTTP/1.1 200 \r\n\r\n"] {
                let mut out = b"before".to_vec();
                let written = request
                    .reject(status)
                    .body(body)
                    .headers(&[("X", b"y")])
                    .write(&mut out);
                if status == 304 && !body.is_empty() {
                    // RFC 9110 §15.4.5
                    assert_eq!(
                        (written, &out[..]),
                        (Err(WriteError::UnexpectedBody), &b"before"[..])
                    );
                    continue;
                }
                assert_eq!(written, Ok(()));
                let out = out.strip_prefix(b"before").unwrap();
                let (response, len) = Response::parse(out, &HeadLimits::default())
                    .unwrap()
                    .unwrap();
                let length = match response.body() {
                    Body::None => 0,
                    Body::Length(length) => length,
                    other => panic!("{status}: {other:?}"),
                };
                assert_eq!(
                    (response.status(), length, &out[len..]),
                    (status, body.len() as u64, body)
                );
                assert_eq!(
                    response.headers().get("Content-Length").is_none(),
                    status == 304
                );
            }
        }
    });
}

#[test]
fn o2_an_answer_that_has_no_room_is_not_written_and_can_be_repeated() {
    taken(&Head::request(), |request| {
        let mut whole = Vec::new();
        request.accept().write(&mut whole).unwrap();
        let mut memory = [0; 200];
        for room in 0..whole.len() {
            let mut out = SliceOutput::new(&mut memory[..room]);
            assert_eq!(
                request.accept().write(&mut out).unwrap_err(),
                WriteError::OutputFull {
                    needed: whole.len()
                }
            );
            assert!(out.as_bytes().is_empty());
        }
        let mut out = SliceOutput::new(&mut memory[..whole.len()]);
        request.accept().write(&mut out).unwrap();
        assert_eq!(out.as_bytes(), whole);
    });
}

/// O1: a request needs no room, and a missing room does not lose it. An error is reported as soon
/// as there is room for its response; until then, `None` is no request for more input.
#[test]
fn o1_only_the_response_to_an_error_waits_for_room() {
    let mut memory = [0; 200];
    let mut bytes = [&Head::request().bytes()[..], b"\x81"].concat();
    let mut server = ServerHandshake::new();
    let mut input = &mut bytes[..];
    let mut full = SliceOutput::new(&mut memory[..0]);
    let request = server.recv(&mut input, &mut full).unwrap().unwrap();
    assert_eq!(*input, b"\x81"[..]);
    let needed = request.accept().write(&mut full).unwrap_err();
    assert!(matches!(needed, WriteError::OutputFull { .. }));
    let mut out = SliceOutput::new(&mut memory);
    request.accept().write(&mut out).unwrap();
    assert!(!server.is_paused());

    let mut server = ServerHandshake::new();
    let (mut bytes, mut out) = (*b"bad\r\nmore", vec![0; 10]);
    let mut input = &mut bytes[..];
    for room in [0, 1, 65] {
        let mut out = CappedOutput::new(&mut out, 10 + room);
        assert!(server.recv(&mut input, &mut out).unwrap().is_none());
        assert!(server.is_paused() && input.is_empty());
    }
    assert_eq!(out, [0; 10]);
    let mut out = CappedOutput::new(&mut out, 10 + REPLY_ROOM);
    let out: &mut dyn Output = &mut out;
    assert_eq!(
        server.recv(&mut input, out).unwrap_err(),
        E::InvalidRequestLine
    );
    assert!(!server.is_paused());
    let room = out.room();
    assert!(room < REPLY_ROOM);
    assert!(server.recv(&mut &mut [][..], out).is_err());
    assert_eq!(out.room(), room, "the response is written once");
}

/// Whatever the error is: an output of `REPLY_ROOM` bytes has room for its response.
#[test]
fn o1_every_response_to_an_error_fits_into_the_room_of_a_reply() {
    for (line, error) in [
        (
            "GET / HTTP/1.0",
            E::UnsupportedHttpVersion { major: 1, minor: 0 },
        ),
        ("PUT / HTTP/1.1", E::MethodNotAllowed),
        (
            "GET / HTTP/3.0",
            E::UnsupportedHttpVersion { major: 3, minor: 0 },
        ),
        ("GET * HTTP/1.1", E::InvalidTarget),
    ] {
        let (mut head, mut memory) = (Head::request().first(line).bytes(), [0; REPLY_ROOM]);
        let mut server = ServerHandshake::new();
        let mut out = SliceOutput::new(&mut memory);
        assert_eq!(
            server.recv(&mut &mut head[..], &mut out).unwrap_err(),
            error
        );
    }
}

#[test]
fn sr12_c1_origins_are_compared_by_scheme_host_and_port_exactly() {
    let allowed = [
        "https://example.com",
        "http://localhost:8080",
        "https://[::1]:8443",
        "chrome-extension://abc",
        "app://example.com:443",
        "file://",
    ]
    .map(|origin| Origin::parse(origin).unwrap());
    for origin in [
        "https://example.com",
        "https://example.com:443",
        "HTTPS://EXAMPLE.com",
        "http://localhost:8080",
        "https://[::1]:8443",
        "chrome-extension://abc",
        "app://example.com:443",
        "file://",
        "FILE://",
    ] {
        let head = Head::request().with(&format!("Origin: {origin}"));
        assert!(
            taken(&head, |request| request.origin_is_one_of(&allowed)),
            "{origin}"
        );
    }
    for origin in [
        "http://example.com",
        "https://example.com:8443",
        "https://example.com:80",
        "https://example.com.evil.org",
        "https://evil-example.com",
        "https://evil.org#example.com",
        "https://evil.org/example.com",
        "https://evil.org?https://example.com",
        "https://example.com@evil.org",
        "https://sub.example.com",
        "https://example.co",
        "https://example.com.",
        "https://example.com/",
        "https://example.com https://evil.org",
        "https://evil.org https://example.com",
        "https://example.com, https://evil.org",
        "https:example.com",
        "//example.com",
        "example.com",
        "http://localhost",
        "https://[::1]",
        // Other schemes have no port of their own.
        "chrome-extension://abc:443",
        "app://example.com",
        "file:///",
        "file://localhost",
        "http://",
        "wss://example.com",
        "null",
        "",
        "*",
    ] {
        let head = Head::request().with(&format!("Origin: {origin}"));
        assert!(
            !taken(&head, |request| request.origin_is_one_of(&allowed)),
            "{origin}"
        );
    }
    assert!(
        !taken(&Head::request(), |request| request
            .origin_is_one_of(&allowed)),
        "no origin is none of those allowed"
    );
    assert!(!taken(
        &Head::request().with("Origin: https://example.com"),
        |request| request.origin_is_one_of(&[])
    ));
}

/// C2: an origin that would never match is an error where it is written, and not a page that is
/// refused.
#[test]
fn c2_an_origin_that_no_page_has_is_an_error() {
    for (origin, error) in [
        ("example.com", OriginError::InvalidScheme),
        ("//example.com", OriginError::InvalidScheme),
        ("https:example.com", OriginError::InvalidScheme),
        ("*", OriginError::InvalidScheme),
        ("null", OriginError::InvalidScheme),
        ("", OriginError::InvalidScheme),
        ("://example.com", OriginError::InvalidScheme),
        ("1a://example.com", OriginError::InvalidScheme),
        (" https://example.com", OriginError::InvalidScheme),
        ("ws://example.com", OriginError::InvalidScheme),
        ("WSS://example.com", OriginError::InvalidScheme),
        ("https://example.com/", OriginError::UnexpectedPath),
        ("https://example.com/chat", OriginError::UnexpectedPath),
        ("https://example.com?", OriginError::UnexpectedPath),
        ("https://example.com#", OriginError::UnexpectedPath),
        ("file:///", OriginError::UnexpectedPath),
        ("https://", OriginError::InvalidHost),
        ("HTTP://", OriginError::InvalidHost),
        ("https://:443", OriginError::InvalidHost),
        ("https://*.example.com", OriginError::InvalidHost),
        ("https://*", OriginError::InvalidHost),
        ("https://a%20b", OriginError::InvalidHost),
        ("https://m\u{fc}ller.example", OriginError::InvalidHost),
        ("https://user@example.com", OriginError::InvalidHost),
        (
            "https://example.com https://example.org",
            OriginError::UnexpectedPath,
        ),
        ("https://a, https://b", OriginError::UnexpectedPath),
        ("https://example.com:443,", OriginError::InvalidPort),
        ("https://[::1", OriginError::InvalidHost),
        ("https://example.com:https", OriginError::InvalidPort),
        ("https://example.com:*", OriginError::InvalidPort),
        ("https://example.com:65536", OriginError::InvalidPort),
    ] {
        assert_eq!(Origin::parse(origin), Err(error), "{origin}");
        assert_eq!(Origin::try_from(origin), Err(error), "{origin}");
    }
    for origin in [
        "https://example.com",
        "http://127.0.0.1:8080",
        "https://[::1]:8443",
        "http://my_host",
        "chrome-extension://abcdefghijklmnop",
        "moz-extension://2c127fa4-62c7-7e4f-90e5-472b45eecfdc",
        "capacitor://localhost",
        "file://",
    ] {
        let parsed = Origin::parse(origin).unwrap();
        assert_eq!(parsed.to_string(), origin);
        assert_eq!(format!("{parsed:?}"), format!("{origin:?}"));
        let head = Head::request().with(&format!("Origin: {origin}"));
        assert!(taken(&head, |request| request.origin_is_one_of(&[parsed])));
    }
}

/// C3: a person who controls a name can make its page one of the same origin, so a server that
/// trusts its network must know its own names.
#[test]
fn c3_a_rebound_name_is_seen_in_the_host() {
    let head = Head::request()
        .but("Host", "evil.example:9001")
        .with("Origin: http://evil.example:9001");
    taken(&head, |request| {
        assert!(request.is_same_origin(Scheme::Http));
        assert_eq!(request.host(), "evil.example:9001");
    });
}

#[test]
fn c1_the_same_origin_is_that_of_host_and_tls() {
    use Scheme::{Http, Https};
    for (scheme, host, origin, same) in [
        (Http, "example.com", "http://example.com", true),
        (Http, "example.com:80", "http://EXAMPLE.com", true),
        (Http, "example.com", "http://example.com:80", true),
        (Https, "example.com", "https://example.com", true),
        (Https, "example.com:8443", "https://example.com:8443", true),
        (Https, "[::1]:443", "https://[::1]", true),
        (Https, "example.com", "http://example.com", false),
        (Http, "example.com", "https://example.com", false),
        (Http, "example.com:8080", "http://example.com", false),
        (Http, "example.com", "http://example.com:8080", false),
        (Https, "example.com:80", "https://example.com", false),
        (Http, "example.com", "http://www.example.com", false),
        (Http, "example.com", "http://example.com.evil.org", false),
        (Http, "example.com", "null", false),
    ] {
        let head = Head::request()
            .but("Host", host)
            .with(&format!("Origin: {origin}"));
        assert_eq!(
            taken(&head, |request| request.is_same_origin(scheme)),
            same,
            "{scheme:?} {host} {origin}"
        );
    }
    assert!(!taken(&Head::request(), |request| request
        .is_same_origin(Http)
        || request.is_same_origin(Https)));
    refused(
        Head::request()
            .with("Origin: http://server.example.com")
            .with("Origin: http://evil.org")
            .text(),
        E::DuplicateHeader("Origin"),
        400,
    );
}

#[test]
fn h1_h2_limits_are_what_was_set() {
    let limits = HeadLimits::default();
    assert_eq!(
        (
            limits.max_bytes(),
            limits.max_headers(),
            limits.max_interim()
        ),
        (16384, 100, 8)
    );
    assert_eq!(limits, HeadLimits::new());
    let limits = limits
        .with_max_bytes(1)
        .with_max_headers(2)
        .with_max_interim(3);
    assert_eq!(
        (
            limits.max_bytes(),
            limits.max_headers(),
            limits.max_interim()
        ),
        (1, 2, 3)
    );
    let mut server = ServerHandshake::default().limits(limits);
    assert_eq!(
        server
            .recv(&mut &mut b"GE".to_vec()[..], &mut Vec::new())
            .unwrap_err(),
        E::HeadTooLarge { limit: 1 }
    );
}

#[test]
fn h1_the_limit_on_bytes_is_exact() {
    let head = Head::request().bytes();
    let limits = |bytes| HeadLimits::new().with_max_bytes(bytes);
    assert!(
        Request::parse(&head, &limits(head.len()))
            .unwrap()
            .is_some()
    );
    assert_eq!(
        Request::parse(&head, &limits(head.len() - 1)).unwrap_err(),
        E::HeadTooLarge {
            limit: head.len() - 1
        }
    );
    assert_eq!(
        Request::parse(&head, &limits(0)).unwrap_err(),
        E::HeadTooLarge { limit: 0 }
    );
    // An endless line does not evade it, and bytes after the head are not counted.
    let (mut server, mut out) = (ServerHandshake::new(), Vec::new());
    let mut line = [b'a'; 16 * 1024];
    let (mut line, last) = line.split_at_mut(16 * 1024 - 1);
    assert!(server.recv(&mut line, &mut out).unwrap().is_none());
    assert_eq!(
        server.recv(&mut &mut *last, &mut out).unwrap_err(),
        E::HeadTooLarge { limit: 16 * 1024 }
    );
    assert!(out.starts_with(b"HTTP/1.1 431 "));
    let mut bytes = [&head[..], &[0; 100_000]].concat();
    let mut server = ServerHandshake::new().limits(limits(head.len()));
    assert!(
        server
            .recv(&mut &mut bytes[..], &mut Vec::new())
            .unwrap()
            .is_some()
    );
}

#[test]
fn h2_the_limit_on_fields_is_exact_and_has_its_own_error() {
    let limits = |fields| HeadLimits::new().with_max_headers(fields);
    let head = Head::request().bytes();
    assert!(Request::parse(&head, &limits(5)).unwrap().is_some());
    assert_eq!(
        Request::parse(&head, &limits(4)).unwrap_err(),
        E::TooManyHeaders { limit: 4 }
    );
    // It is certain when the last field begins.
    let last = String::from_utf8(head)
        .unwrap()
        .find("Sec-WebSocket-Version")
        .unwrap();
    let head = Head::request().bytes();
    assert!(Request::parse(&head[..last], &limits(4)).unwrap().is_none());
    assert_eq!(
        Request::parse(&head[..=last], &limits(4)).unwrap_err(),
        E::TooManyHeaders { limit: 4 }
    );
    assert!(
        Request::parse(b"GET / HTTP/1.1\r\n\r", &limits(0))
            .unwrap()
            .is_none()
    );
    // The fields that a server needs come last, as in the attack on `ws`.
    let mut many = Head::of(&["GET / HTTP/1.1"]);
    for n in 0..100 {
        many = many.with(&format!("X-{n}: y"));
    }
    refused(
        many.with("Upgrade: websocket").text(),
        E::TooManyHeaders { limit: 100 },
        431,
    );
}

#[test]
fn the_end_of_the_connection_before_the_end_of_the_head_is_an_error() {
    let mut server = ServerHandshake::new();
    let mut out = Vec::new();
    let mut head = Head::request().bytes();
    head.pop();
    assert!(server.recv(&mut &mut head[..], &mut out).unwrap().is_none());
    assert_eq!(server.recv_eof(), Err(E::Incomplete));
    assert_eq!(
        server
            .recv(&mut &mut b"\n".to_vec()[..], &mut out)
            .unwrap_err(),
        E::Incomplete
    );
    assert!(out.is_empty());
}

/// A request that another library parsed must follow the same rules.
#[test]
fn fields_from_elsewhere_follow_the_same_rules() {
    let good: [(&str, &[u8]); 5] = [
        ("host", b"a"),
        ("upgrade", b"websocket"),
        ("connection", b"upgrade"),
        ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-version", b" 13 "),
    ];
    let request = Request::from_headers("GET", "/a?b", (1, 1), &good).unwrap();
    assert_eq!(
        (request.path(), request.query(), request.host()),
        ("/a", Some("b"), "a")
    );
    let mut out = Vec::new();
    request.accept().write(&mut out).unwrap();
    assert!(out.ends_with(b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"));

    assert_eq!(
        Request::from_headers("PUT", "/", (1, 1), &good).unwrap_err(),
        E::MethodNotAllowed
    );
    assert_eq!(
        Request::from_headers("P(T", "/", (1, 1), &good).unwrap_err(),
        E::InvalidRequestLine
    );
    assert_eq!(
        Request::from_headers("", "/", (1, 1), &good).unwrap_err(),
        E::InvalidRequestLine
    );
    assert_eq!(
        Request::from_headers("GET", "*", (1, 1), &good).unwrap_err(),
        E::InvalidTarget
    );
    assert_eq!(
        Request::from_headers("GET", "/ HTTP/1.1", (1, 1), &good).unwrap_err(),
        E::InvalidTarget
    );
    assert_eq!(
        Request::from_headers("GET", "", (1, 1), &good).unwrap_err(),
        E::InvalidRequestLine
    );
    assert_eq!(
        Request::from_headers("GET", "/", (2, 0), &good).unwrap_err(),
        E::UnsupportedHttpVersion { major: 2, minor: 0 }
    );
    assert_eq!(
        Request::from_headers("GET", "/", (1, 1), &good[1..]).unwrap_err(),
        E::MissingHeader("Host")
    );
    for (field, error) in [
        (("Host", &b"b"[..]), E::DuplicateHeader("Host")),
        (("a b", b""), E::InvalidHeaderName),
        (("a", b"\n"), E::InvalidHeaderValue),
        (("Transfer-Encoding", b"chunked"), E::UnexpectedBody),
    ] {
        assert_eq!(
            Request::from_headers("GET", "/", (1, 1), &[&good[..], &[field]].concat()).unwrap_err(),
            error
        );
    }
}

/// SR9, SR14: any status that refuses, with the reason phrase of RFC 9110 §15 (or RFC 6585) or
/// none.
#[test]
fn sr9_sr14_every_status_of_a_refusal_has_its_reason_phrase_or_none() {
    let phrases = [
        (301, "Moved Permanently"),
        (302, "Found"),
        (304, "Not Modified"),
        (307, "Temporary Redirect"),
        (308, "Permanent Redirect"),
        (400, "Bad Request"),
        (401, "Unauthorized"),
        (403, "Forbidden"),
        (404, "Not Found"),
        (405, "Method Not Allowed"),
        (426, "Upgrade Required"),
        (429, "Too Many Requests"),
        (431, "Request Header Fields Too Large"),
        (500, "Internal Server Error"),
        (503, "Service Unavailable"),
        (505, "HTTP Version Not Supported"),
    ];
    let head = Head::request().bytes();
    let (request, _) = Request::parse(&head, &HeadLimits::default())
        .unwrap()
        .unwrap();
    for status in 300..=599 {
        let phrase = phrases
            .iter()
            .find_map(|(named, phrase)| (*named == status).then_some(*phrase))
            .unwrap_or_default();
        let mut out = Vec::new();
        request.reject(status).write(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.starts_with(&format!("HTTP/1.1 {status} {phrase}\r\nConnection: close")),
            "{text}"
        );
    }
}
