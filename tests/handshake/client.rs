//! The requests of a client (CH), and the answers that it accepts (CR).
//!
//! Not here: injection (CH13, `injection.rs`), URIs (CH14, CH15, `tests/rfc6455/uri.rs`). That
//! browsers send an `Origin` (CH8), that there is one connection at a time (CH12) and how long to
//! wait before another attempt (CL20) is documented at `ClientHandshake`.

use crate::support::{Head, client, uri, values, written};
use ws_proto::handshake::{
    Answer, Body, ClientHandshake, HandshakeError as E, HeadLimits, Response, accept_key, fresh_key,
};
use ws_proto::{Client, uri::Uri};

/// Lets `client` read an answer, and returns the subprotocol in use if it opens the connection.
#[track_caller]
fn opened(client: ClientHandshake, head: &Head) -> Option<String> {
    opened_by(client, head.bytes())
}

#[track_caller]
fn opened_by(mut client: ClientHandshake, mut answer: Vec<u8>) -> Option<String> {
    let mut input = &mut answer[..];
    let answer = client
        .recv(&mut input)
        .unwrap()
        .expect("the answer is complete");
    assert!(input.is_empty());
    match answer {
        Answer::Accepted {
            negotiated,
            response,
        } => {
            assert_eq!(response.status(), 101);
            negotiated.subprotocol().map(str::to_owned)
        }
        Answer::Rejected(response) => panic!("refused with {}", response.status()),
    }
}

/// Checks that the answer fails the connection with this error, for good.
#[track_caller]
fn fails_with(mut client: ClientHandshake, head: impl AsRef<[u8]>, error: E) {
    let mut head = head.as_ref().to_vec();
    let mut input = &mut head[..];
    assert_eq!(client.recv(&mut input).unwrap_err(), error);
    assert!(input.is_empty());
    let mut more = Head::response().bytes();
    let mut input = &mut more[..];
    assert_eq!(client.recv(&mut input).unwrap_err(), error);
    assert!(input.is_empty());
    assert_eq!(client.recv_eof(), Err(error));
}

#[track_caller]
fn fails(head: &Head, error: E) {
    fails_with(client(), head.text(), error);
}

/// Passes an answer that does not open the connection to `test`, and returns the rest of the input.
#[track_caller]
fn refusal(text: &str, test: impl FnOnce(&Response<'_>)) -> Vec<u8> {
    let (mut client, mut head) = (client(), text.as_bytes().to_vec());
    let mut input = &mut head[..];
    match client
        .recv(&mut input)
        .unwrap()
        .expect("the answer is complete")
    {
        Answer::Rejected(response) => test(&response),
        Answer::Accepted { .. } => panic!("accepted"),
    }
    // The handshake is over: it does not consume bytes after its end.
    assert!(client.recv(&mut input).unwrap().is_none());
    assert_eq!(client.recv_eof(), Ok(()));
    input.to_vec()
}

#[test]
fn ch1_ch2_ch3_ch4_ch5_ch7_the_request_as_the_rfc_wants_it() {
    let request = written(&client());
    let key = values(&request, "Sec-WebSocket-Key")[0];
    assert_eq!(
        request,
        format!(
            "GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
    );
    let uri = Uri::parse("wss://[::A]:81?q=%23").unwrap();
    let request = written(&ClientHandshake::new(&uri, Client::new([0; 32])));
    assert!(
        request.starts_with("GET /?q=%23 HTTP/1.1\r\nHost: [::a]:81\r\n"),
        "{request}"
    );
}

#[test]
fn ch6_the_key_is_fresh_and_canonical_base64_of_16_bytes() {
    let mut seen = std::collections::HashSet::new();
    for seed in 0..=255 {
        let request = written(&ClientHandshake::new(&uri(), Client::new([seed; 32])));
        let [key] = values(&request, "Sec-WebSocket-Key")[..] else {
            panic!("the key is there once")
        };
        assert_eq!(key.len(), 24);
        assert!(
            key.ends_with("==") && matches!(key.as_bytes()[21], b'A' | b'Q' | b'g' | b'w'),
            "{key}"
        );
        assert!(seen.insert(key.to_owned()));
    }
    let mut client = Client::new([0; 32]);
    assert_ne!(fresh_key(&mut client), fresh_key(&mut client));
}

#[test]
fn ch8_ch9_ch16_ch17_what_the_caller_adds_keeps_its_case_and_order() {
    let fields = [
        ("x-lower", &b"1"[..]),
        ("Authorization", b"Bearer t"),
        ("X-UPPER", "\u{e4}".as_bytes()),
        ("x-lower", b"2"),
        ("Cookie", b""),
    ];
    let request = written(
        &client()
            .headers(&fields)
            .subprotocols(&["b", "a", "C"])
            .origin("https://example.com"),
    );
    let end = "Sec-WebSocket-Version: 13\r\nOrigin: https://example.com\r\nSec-WebSocket-Protocol: b, a, C\r\n\
               x-lower: 1\r\nAuthorization: Bearer t\r\nX-UPPER: \u{e4}\r\nx-lower: 2\r\nCookie: \r\n\r\n";
    assert!(request.ends_with(end), "{request}");
}

#[test]
fn ch10_n2_no_extensions_and_no_empty_lists_are_sent() {
    let request = written(&client().subprotocols(&[]).headers(&[]));
    assert!(!request.contains("Extensions") && !request.contains("Protocol"));
}

/// The state of a new connection is derived from the answer only, so that nothing can be sent
/// before.
#[test]
fn ch11_cr4_cr5_cr6_the_answer_opens_the_connection() {
    assert_eq!(opened(client(), &Head::response()), None);
    assert_eq!(
        opened(client(), &Head::response().first("HTTP/1.1 101 ")),
        None
    );
    // Devices leave the second space out if there is no reason.
    assert_eq!(
        opened(client(), &Head::response().first("HTTP/1.1 101")),
        None
    );
    refusal("HTTP/1.1 404\r\nX: y\r\n\r\n", |response| {
        assert_eq!(
            (
                response.status(),
                response.reason(),
                response.headers().get("X")
            ),
            (404, &b""[..], Some(&b"y"[..]))
        );
    });
    assert_eq!(
        opened(
            client(),
            &Head::response().first("HTTP/1.1 101 Caf\u{e9}\t!")
        ),
        None
    );
}

/// The sample of §4.2.2 and §1.3.
#[test]
fn cr6_sr4_the_accept_of_the_sample_key() {
    assert_eq!(
        accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="),
        *b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    );
}

#[test]
fn cr1_cr2_another_status_is_handed_over_whole() {
    let text = "HTTP/1.1 401 Go away\r\nWWW-Authenticate: Basic\r\nLocation: ws://b/\r\nContent-Length: 4\r\n\r\nbody";
    let rest = refusal(text, |response| {
        assert_eq!(
            (response.status(), response.reason()),
            (401, &b"Go away"[..])
        );
        assert_eq!(
            response.headers().get("www-authenticate"),
            Some(&b"Basic"[..])
        );
        assert_eq!(response.headers().get("location"), Some(&b"ws://b/"[..]));
        assert_eq!(response.body(), Body::Length(4));
        assert_eq!(response.verify(b"", ""), Err(E::UnexpectedStatus(401)));
    });
    assert_eq!(rest, b"body");
    // Headers that would fail a 101 mean nothing here.
    let text = "HTTP/1.0 200 OK\r\nUpgrade: h2c\r\nUpgrade: h2c\r\nSec-WebSocket-Extensions: ;\r\nSec-WebSocket-Accept: x\r\n\r\n";
    assert_eq!(
        refusal(text, |response| assert_eq!(response.status(), 200)),
        b""
    );
}

#[test]
fn cr1_the_body_of_a_refusal_is_framed_as_http_says() {
    for (status, fields, body) in [
        (404, "", Body::UntilClose),
        (404, "Content-Length: 0\r\n", Body::None),
        (
            404,
            "Content-Length: 18446744073709551615\r\n",
            Body::Length(u64::MAX),
        ),
        (
            404,
            "Content-Length: 7\r\ncontent-length: 7, 7\r\n",
            Body::Length(7),
        ),
        (404, "Transfer-Encoding: chunked\r\n", Body::Chunked),
        (
            404,
            "Transfer-Encoding: gzip, Chunked\r\nContent-Length: 5\r\n",
            Body::Chunked,
        ),
        (
            404,
            "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
            Body::Chunked,
        ),
        (
            404,
            "Transfer-Encoding: chunked, gzip\r\n",
            Body::UntilClose,
        ),
        (204, "Content-Length: 5\r\n", Body::None),
        (304, "Content-Length: 5\r\n", Body::None),
    ] {
        refusal(&format!("HTTP/1.1 {status} \r\n{fields}\r\n"), |response| {
            assert_eq!(response.body(), body, "{status} {fields}")
        });
    }
    refusal(
        "HTTP/1.0 502 \r\nTransfer-Encoding: chunked\r\n\r\n",
        |response| assert_eq!(response.body(), Body::UntilClose),
    );
    for value in [
        "",
        "x",
        "-1",
        "+1",
        "1 2",
        "1, 2",
        "1,",
        "0x10",
        "18446744073709551616",
    ] {
        fails(
            &Head::of(&["HTTP/1.1 404 ", &format!("Content-Length: {value}")]),
            E::InvalidHeader("Content-Length"),
        );
    }
}

#[test]
fn cr3_interim_answers_are_skipped_and_counted() {
    let interim = [
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
        "HTTP/1.1 199 \r\nContent-Length: x\r\n\r\n",
    ];
    let answer = Head::response().text();
    let limits = HeadLimits::new().with_max_interim(3);
    let mut head = (interim.concat() + &answer).into_bytes();
    assert!(matches!(
        client().limits(limits).recv(&mut &mut head[..]).unwrap(),
        Some(Answer::Accepted { .. })
    ));
    let limits = limits.with_max_interim(2);
    fails_with(
        client().limits(limits),
        &head,
        E::TooManyInterimResponses { limit: 2 },
    );
    // Each has a limit of its own, and the last may be a refusal.
    let limits = limits.with_max_bytes(100).with_max_interim(3);
    let mut head = (interim.concat() + "HTTP/1.1 500 \r\n\r\n").into_bytes();
    assert!(matches!(
        client().limits(limits).recv(&mut &mut head[..]).unwrap(),
        Some(Answer::Rejected(_))
    ));
}

#[test]
fn cr3_the_limit_on_interim_answers_is_exact() {
    let interim = [
        "HTTP/1.1 103 \r\nLink: x\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
    ];
    for limit in (0..=20).chain([100]) {
        let limits = HeadLimits::new().with_max_interim(limit);
        let most: String = interim.into_iter().cycle().take(limit).collect();
        opened_by(
            client().limits(limits),
            (most.clone() + &Head::response().text()).into_bytes(),
        );
        let more = most + interim[0];
        fails_with(
            client().limits(limits),
            &more,
            E::TooManyInterimResponses { limit },
        );
        fails_with(
            client().limits(limits),
            more + &Head::response().text(),
            E::TooManyInterimResponses { limit },
        );
    }
    assert_eq!(HeadLimits::default().max_interim(), 8);
}

/// CR13, SE1: bytes of another protocol fail at the first byte that no response has there.
#[test]
fn cr13_what_no_response_begins_with_fails_at_its_first_byte() {
    for (good, bad, error) in [
        (
            &b""[..],
            &b"\x15\x03\x03\0\x02\x02\x28"[..],
            E::InvalidStatusLine,
        ), // TLS: alert
        (b"", b"\x16\x03\x01", E::InvalidStatusLine), // TLS: handshake
        (b"", b"\0\0\x12\x04\0\0\0\0\0", E::InvalidStatusLine), // HTTP/2: SETTINGS
        (b"", b"<html>", E::InvalidStatusLine),
        (b"", b"\r\n", E::InvalidStatusLine),
        (b"", b"\n", E::BareLf),
        (b"", b"SSH-2.0-OpenSSH_9.6\r\n", E::InvalidStatusLine),
        (b"", b"\x81\x05hello", E::InvalidStatusLine),
        (b"", b"h", E::InvalidStatusLine),
        (b"H", b"h", E::InvalidStatusLine),
        (b"HTTP", b" ", E::InvalidStatusLine),
        (b"HTTP/", b"?", E::InvalidStatusLine),
        (b"HTTP/1", b" ", E::InvalidStatusLine),
        (b"HTTP/1", b"1", E::InvalidStatusLine),
        (b"HTTP/1.", b".", E::InvalidStatusLine),
        (
            b"HTTP/0.",
            b"9",
            E::UnsupportedHttpVersion { major: 0, minor: 9 },
        ),
        (
            b"HTTP/2.",
            b"0",
            E::UnsupportedHttpVersion { major: 2, minor: 0 },
        ),
        (b"HTTP/1.1", b"\r", E::InvalidStatusLine),
        (b"HTTP/1.1", b"0", E::InvalidStatusLine),
        (b"HTTP/1.1 ", b" ", E::InvalidStatusLine),
        (b"HTTP/1.1 ", b"0", E::InvalidStatusLine),
        (b"HTTP/1.1 1", b"\r", E::InvalidStatusLine),
        (b"HTTP/1.1 10", b" ", E::InvalidStatusLine),
        (b"HTTP/1.1 101", b"0", E::InvalidStatusLine),
        (b"HTTP/1.1 101", b"\n", E::BareLf),
        (b"HTTP/1.1 101\r", b"\r", E::BareCr),
        (b"HTTP/1.1 101 ", b"\0", E::InvalidStatusLine),
        (b"HTTP/1.1 101 a", b"\x7f", E::InvalidStatusLine),
        (b"HTTP/1.1 101 a", b"\n", E::BareLf),
        (b"HTTP/1.1 101 a\r", b"b", E::BareCr),
        (b"HTTP/1.1 101 a\r\n", b"\t", E::ObsFold),
        (b"HTTP/1.1 101 a\r\nX", b"(", E::InvalidHeaderName),
        (b"HTTP/1.1 101 a\r\nX:", b"\0", E::InvalidHeaderValue),
        (
            b"HTTP/1.1 101 a\r\nUpgrade: a\r\nUpgrade: a\r",
            b"\n",
            E::DuplicateHeader("Upgrade"),
        ),
        (b"HTTP/1.1 100 \r\n\r\n", b"\x15", E::InvalidStatusLine),
    ] {
        let shown = format!("{} and {}", good.escape_ascii(), bad.escape_ascii());
        let mut client = client();
        assert!(
            client.recv(&mut &mut good.to_vec()[..]).unwrap().is_none(),
            "{shown}"
        );
        assert_eq!(
            client.recv(&mut &mut bad[..1].to_vec()[..]).unwrap_err(),
            error,
            "{shown}"
        );
        fails_with(self::client(), [good, bad].concat(), error);
        if !good.starts_with(b"HTTP/1.1 100") {
            assert!(
                Response::parse(good, &HeadLimits::default())
                    .unwrap()
                    .is_none(),
                "{shown}"
            );
            assert_eq!(
                Response::parse(&[good, bad].concat(), &HeadLimits::default()).unwrap_err(),
                error,
                "{shown}"
            );
        }
    }
}

/// And a prefix of a valid response is waited for.
#[test]
fn cr13_sh17_every_beginning_of_a_response_is_waited_for() {
    for head in [
        Head::response(),
        Head::response().first("HTTP/1.9 101"),
        Head::response()
            .first("HTTP/1.0 999 \u{e4}\t")
            .with("X:\t\u{e4}\t"),
    ] {
        let head = head.bytes();
        for len in 0..head.len() {
            assert!(
                Response::parse(&head[..len], &HeadLimits::default())
                    .unwrap()
                    .is_none(),
                "{len}"
            );
        }
        assert_eq!(
            Response::parse(&head, &HeadLimits::default())
                .unwrap()
                .unwrap()
                .1,
            head.len()
        );
    }
}

#[test]
fn cr4_upgrade_is_websocket_in_any_case() {
    opened(client(), &Head::response().but("Upgrade", "WebSocket"));
    fails(&Head::response().without("Upgrade"), E::MissingUpgrade);
    for value in [
        "",
        "h2c",
        "websockets",
        "websocket/13",
        "websocket, h2c",
        ", ,",
    ] {
        fails(&Head::response().but("Upgrade", value), E::MissingUpgrade);
    }
    for value in ["web socket", "\"websocket\"", "websocket, /a"] {
        fails(
            &Head::response().but("Upgrade", value),
            E::InvalidHeader("Upgrade"),
        );
    }
    fails(
        &Head::response().with("Upgrade: websocket"),
        E::DuplicateHeader("Upgrade"),
    );
}

#[test]
fn cr5_connection_contains_the_token_upgrade() {
    for value in ["upgrade", "keep-alive, Upgrade", ",UPGRADE ,x"] {
        opened(client(), &Head::response().but("Connection", value));
    }
    opened(
        client(),
        &Head::response()
            .but("Connection", "keep-alive")
            .with("connection: Upgrade")
            .with("Connection: x"),
    );
    fails(
        &Head::response().without("Connection"),
        E::MissingConnectionUpgrade,
    );
    for value in ["", "keep-alive", "upgraded", ", ,"] {
        fails(
            &Head::response().but("Connection", value),
            E::MissingConnectionUpgrade,
        );
    }
    for value in ["no upgrade", "Upgrade, Up]rade", "Upgrade; a"] {
        fails(
            &Head::response().but("Connection", value),
            E::InvalidHeader("Connection"),
        );
    }
}

#[test]
fn cr6_h5_the_accept_is_compared_as_a_whole() {
    let response = Head::response().text();
    let accept = values(&response, "Sec-WebSocket-Accept")[0];
    opened(
        client(),
        &Head::response().but("Sec-WebSocket-Accept", &format!(" \t{accept}\t ")),
    );
    fails(
        &Head::response().without("Sec-WebSocket-Accept"),
        E::MissingHeader("Sec-WebSocket-Accept"),
    );
    let wrong = [
        "",
        "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        &accept.to_lowercase(),
        &accept[..27],
        &accept[1..],
        &format!("{accept}="),
        &format!("\"{accept}\""),
    ];
    for value in wrong {
        fails(
            &Head::response().but("Sec-WebSocket-Accept", value),
            E::InvalidHeader("Sec-WebSocket-Accept"),
        );
    }
}

#[test]
fn cr7_h4_two_accepts_fail() {
    let response = Head::response().text();
    let again = format!(
        "sec-websocket-accept: {}",
        values(&response, "Sec-WebSocket-Accept")[0]
    );
    fails(
        &Head::response().with(&again),
        E::DuplicateHeader("Sec-WebSocket-Accept"),
    );
}

#[test]
fn cr8_cr9_n1_an_extension_that_was_not_offered_fails() {
    for value in ["permessage-deflate", "x; y=z", "a, a"] {
        fails(
            &Head::response().with(&format!("Sec-WebSocket-Extensions: {value}")),
            E::ExtensionNotOffered,
        );
    }
    let head = Head::response()
        .with("Sec-WebSocket-Extensions: ,")
        .with("sec-websocket-extensions: x");
    fails(&head, E::ExtensionNotOffered);
}

#[test]
fn cr10_n1_a_subprotocol_that_was_not_requested_fails() {
    let with = |name: &str| Head::response().with(&format!("Sec-WebSocket-Protocol: {name}"));
    let asked = || client().subprotocols(&["chat", "superchat"]);
    assert_eq!(
        opened(asked(), &with("superchat")).as_deref(),
        Some("superchat")
    );
    for name in ["Chat", "cha", "chat2", "", ",", "other"] {
        fails_with(asked(), with(name).text(), E::SubprotocolNotRequested);
    }
    for name in ["cha]t", "chat superchat", "\"chat\""] {
        fails_with(
            asked(),
            with(name).text(),
            E::InvalidHeader("Sec-WebSocket-Protocol"),
        );
    }
    fails(&with("chat"), E::SubprotocolNotRequested);
    fails(&with(""), E::SubprotocolNotRequested);
}

#[test]
fn cr11_more_than_one_subprotocol_fails() {
    let asked = || client().subprotocols(&["a", "b"]);
    fails_with(
        asked(),
        Head::response().with("Sec-WebSocket-Protocol: a, b").text(),
        E::SubprotocolNotRequested,
    );
    let twice = Head::response()
        .with("Sec-WebSocket-Protocol: a")
        .with("Sec-WebSocket-Protocol: a");
    fails_with(
        asked(),
        twice.text(),
        E::DuplicateHeader("Sec-WebSocket-Protocol"),
    );
}

#[test]
fn cr12_no_subprotocol_passes_unless_one_is_required() {
    let asked = || client().subprotocols(&["a"]);
    assert_eq!(opened(asked(), &Head::response()), None);
    fails_with(
        asked().subprotocol_required(true),
        Head::response().text(),
        E::MissingSubprotocol,
    );
    assert_eq!(
        opened(
            asked().subprotocol_required(true),
            &Head::response().with("Sec-WebSocket-Protocol: a")
        )
        .as_deref(),
        Some("a")
    );
    assert_eq!(
        opened(client().subprotocol_required(true), &Head::response()),
        None
    );
}

#[test]
fn cr13_the_version_is_1_1_or_a_later_1_x() {
    opened(client(), &Head::response().first("HTTP/1.2 101 x"));
    for (line, major, minor) in [
        ("HTTP/1.0 101 x", 1, 0),
        ("HTTP/2.0 101 x", 2, 0),
        ("HTTP/0.9 101 x", 0, 9),
    ] {
        fails(
            &Head::response().first(line),
            E::UnsupportedHttpVersion { major, minor },
        );
    }
}

#[test]
fn cr13_a_malformed_status_line_fails() {
    for line in [
        "",
        "HTTP/1.1",
        "HTTP/1.1 ",
        "HTTP/1.1  101 x",
        "HTTP/1.1 10 x",
        "HTTP/1.1 1010 x",
        "HTTP/1.1 +10 x",
        "HTTP/1.1 099 x",
        "http/1.1 101 x",
        "HTTP/1.10 101 x",
        "HTTP/1.1\t101 x",
        " HTTP/1.1 101 x",
        "HTTP/1.1 101 \u{0}",
        "ICY 200 OK",
        "GET / HTTP/1.1",
    ] {
        fails(&Head::response().first(line), E::InvalidStatusLine);
    }
}

#[test]
fn cr14_h7_a_101_has_no_body_and_what_follows_is_frames() {
    for line in [
        "Content-Length: 5",
        "Content-Length: x",
        "Transfer-Encoding: chunked",
    ] {
        for cut in [0, 10] {
            let mut bytes = [&Head::response().with(line).bytes()[..], b"\x81\x05hello"].concat();
            let (first, mut rest) = bytes.split_at_mut(cut);
            let mut client = client();
            assert!(client.recv(&mut &mut *first).unwrap().is_none());
            let Some(Answer::Accepted {
                negotiated,
                response,
            }) = client.recv(&mut rest).unwrap()
            else {
                panic!("not accepted")
            };
            assert_eq!(response.body(), Body::None);
            // Both are free of the borrow of the input.
            drop(client);
            drop(negotiated);
            assert_eq!(rest, b"\x81\x05hello");
        }
    }
}

#[test]
fn cr15_h1_h2_limits_are_exact_and_have_their_own_errors() {
    let head = Head::response().text();
    let limits = |bytes, fields| {
        HeadLimits::new()
            .with_max_bytes(bytes)
            .with_max_headers(fields)
    };
    assert!(
        client()
            .limits(limits(head.len(), 3))
            .recv(&mut &mut head.clone().into_bytes()[..])
            .unwrap()
            .is_some()
    );
    fails_with(
        client().limits(limits(head.len() - 1, 3)),
        &head,
        E::HeadTooLarge {
            limit: head.len() - 1,
        },
    );
    fails_with(
        client().limits(limits(head.len(), 2)),
        &head,
        E::TooManyHeaders { limit: 2 },
    );
    fails_with(
        client(),
        "HTTP/1.1 101 ".to_owned() + &"x".repeat(1 << 14),
        E::HeadTooLarge { limit: 1 << 14 },
    );
}

#[test]
fn cr16_ex2_a_malformed_extension_field_fails() {
    for value in ["", ",", ";", "a;", "a b", "a;b=", "a;b=\"", "a=b"] {
        fails(
            &Head::response().with(&format!("Sec-WebSocket-Extensions: {value}")),
            E::InvalidHeader("Sec-WebSocket-Extensions"),
        );
    }
}

#[test]
fn cr17_the_end_of_the_connection_before_the_end_of_the_head_fails() {
    for text in ["", "HTTP/1.1 101 x\r\n", "HTTP/1.1 100 x\r\n\r\n"] {
        let mut client = client();
        assert!(
            client
                .recv(&mut &mut text.as_bytes().to_vec()[..])
                .unwrap()
                .is_none()
        );
        assert_eq!(client.recv_eof(), Err(E::Incomplete));
        assert_eq!(
            client
                .recv(&mut &mut Head::response().bytes()[..])
                .unwrap_err(),
            E::Incomplete
        );
    }
}

#[test]
fn cr18_h6_malformed_lines_fail() {
    for (line, error) in [
        ("X : y", E::InvalidHeaderName),
        ("X", E::InvalidHeaderName),
        (" folded", E::ObsFold),
        ("X: a\u{0}", E::InvalidHeaderValue),
        ("X: a\rb", E::BareCr),
        ("X: a\nY: b", E::BareLf),
    ] {
        fails(&Head::response().with(line), error);
    }
    fails_with(
        client(),
        Head::response().text().replace("\r\n", "\n"),
        E::BareLf,
    );
}

#[test]
fn a_response_that_something_else_parsed_follows_the_same_rules() {
    let key = b"dGhlIHNhbXBsZSBub25jZQ==";
    let good: [(&str, &[u8]); 3] = [
        ("upgrade", b"websocket"),
        ("connection", b"upgrade"),
        ("sec-websocket-accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo= "),
    ];
    let verify = |status, version, fields: &[(&str, &[u8])], protocols: &str| {
        Response::from_headers(version, status, fields)?
            .verify(key, protocols)
            .map(|verified| verified.subprotocol().map(str::to_owned))
    };
    let plus = |name, value| [&good[..], &[(name, value)]].concat();
    assert_eq!(verify(101, (1, 1), &good, ""), Ok(None));
    assert_eq!(
        verify(101, (1, 1), &plus("sec-websocket-protocol", b"b"), "a, b"),
        Ok(Some("b".to_owned()))
    );
    assert_eq!(
        verify(101, (1, 1), &plus("sec-websocket-protocol", b"b"), ""),
        Err(E::SubprotocolNotRequested)
    );
    assert_eq!(
        verify(101, (1, 1), &plus("sec-websocket-extensions", b"b"), ""),
        Err(E::ExtensionNotOffered)
    );
    assert_eq!(
        verify(101, (1, 1), &plus("a b", b""), ""),
        Err(E::InvalidHeaderName)
    );
    assert_eq!(
        verify(101, (1, 1), &plus("a", b"\0"), ""),
        Err(E::InvalidHeaderValue)
    );
    assert_eq!(
        verify(101, (1, 1), &good[..2], ""),
        Err(E::MissingHeader("Sec-WebSocket-Accept"))
    );
    assert_eq!(
        verify(101, (1, 0), &good, ""),
        Err(E::UnsupportedHttpVersion { major: 1, minor: 0 })
    );
    assert_eq!(
        verify(101, (0, 9), &good, ""),
        Err(E::UnsupportedHttpVersion { major: 0, minor: 9 })
    );
    assert_eq!(
        verify(200, (1, 1), &good, ""),
        Err(E::UnexpectedStatus(200))
    );
    for status in [0, 99, 1000] {
        assert_eq!(verify(status, (1, 1), &good, ""), Err(E::InvalidStatusLine));
    }
}

/// CR10: the server's selections are in one value.
#[test]
fn cr10_a_verified_response_has_what_was_selected() {
    let key = b"dGhlIHNhbXBsZSBub25jZQ==";
    let headers: [(&str, &[u8]); 5] = [
        ("upgrade", b"websocket"),
        ("connection", b"upgrade"),
        ("sec-websocket-accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ("sec-websocket-protocol", b"b"),
        (
            "sec-websocket-extensions",
            b"permessage-deflate; server_max_window_bits=9",
        ),
    ];
    let [nothing, subprotocol, both] =
        [3, 4, 5].map(|len| Response::from_headers((1, 1), 101, &headers[..len]).unwrap());
    let (without, with) = (nothing.verify(key, ""), subprotocol.verify(key, "a, b"));
    assert_eq!(without.unwrap().subprotocol(), None);
    assert_eq!(with.unwrap().subprotocol(), Some("b"));
    assert_ne!(without, with);
    assert_eq!(both.verify(key, "a, b"), Err(E::ExtensionNotOffered));
    #[cfg(feature = "deflate")]
    {
        use ws_proto::deflate::DeflateConfig;
        assert_eq!(with.unwrap().deflate(), None);
        let config = DeflateConfig::new().with_server_max_window_bits(10);
        let verified = both.verify_deflate(key, "a, b", &config).unwrap();
        assert_eq!(verified.subprotocol(), Some("b"));
        let params = verified.deflate().unwrap();
        assert_eq!(params.server_max_window_bits(), 9);
        let without_offer = subprotocol.verify_deflate(key, "b", &DeflateConfig::new());
        assert_eq!(without_offer, with);
    }
}

/// Faults of a response are for a gateway to report.
#[test]
fn errors_say_what_is_wrong_and_nothing_of_the_peer() {
    assert_eq!(E::ExtensionNotOffered.status(), 502);
    assert_eq!(
        E::DuplicateHeader("Host").to_string(),
        "Host appears more than once"
    );
    assert_eq!(
        E::UnexpectedStatus(404).to_string(),
        "the server answered with status 404"
    );
    assert!(!format!("{:?}", client().headers(&[("Authorization", b"secret")])).contains("secret"));
}
