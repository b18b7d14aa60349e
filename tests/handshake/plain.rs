//! Requests that are not for WebSocket, on the same port (SH20 to SH22), and the responses to them
//! (SR15, SR16).

use crate::support::{Head, values};
use ws_proto::REPLY_ROOM;
use ws_proto::handshake::{
    Body, HandshakeError as E, HeadLimits, HttpRequest, Incoming, Response, ServerHandshake,
    WriteError,
};

/// Lets `test` look at the request.
#[track_caller]
fn plain<T>(head: &Head, test: impl FnOnce(&HttpRequest<'_>) -> T) -> T {
    let (mut head, mut out) = (head.bytes(), Vec::new());
    let mut server = ServerHandshake::new();
    let incoming = server.recv_http(&mut &mut head[..], &mut out).unwrap();
    let Some(Incoming::Http(request)) = incoming else {
        panic!("{incoming:?}");
    };
    let result = test(&request);
    assert!(out.is_empty());
    result
}

/// Checks that the head is refused, in the same way by all who read it.
#[track_caller]
fn refused(head: &Head, error: E) {
    let parsed = Incoming::parse(head.text().as_bytes(), &HeadLimits::new()).map(drop);
    assert_eq!(parsed, Err(error));
    let (mut head, mut out) = (head.bytes(), Vec::new());
    let mut server = ServerHandshake::new();
    let received = server.recv_http(&mut &mut head[..], &mut out);
    assert_eq!(received.unwrap_err(), error);
    assert!(out.starts_with(format!("HTTP/1.1 {} ", error.status()).as_bytes()));
}

fn get(target: &str) -> Head {
    Head::of(&[&format!("GET {target} HTTP/1.1"), "Host: a"])
}

#[test]
fn sh20_any_request_of_http_1_can_be_read() {
    for (first, method, target, path, query, version) in [
        (
            "GET /health HTTP/1.1",
            "GET",
            "/health",
            "/health",
            None,
            (1, 1),
        ),
        ("HEAD / HTTP/1.0", "HEAD", "/", "/", None, (1, 0)),
        (
            "POST /poll?id=1 HTTP/1.1",
            "POST",
            "/poll?id=1",
            "/poll",
            Some("id=1"),
            (1, 1),
        ),
        (
            "get http://b/c?d HTTP/1.2",
            "get",
            "http://b/c?d",
            "/c",
            Some("d"),
            (1, 2),
        ),
        ("OPTIONS * HTTP/1.1", "OPTIONS", "*", "*", None, (1, 1)),
        (
            "CONNECT b:443 HTTP/1.1",
            "CONNECT",
            "b:443",
            "b:443",
            None,
            (1, 1),
        ),
        ("M-SEARCH / HTTP/1.1", "M-SEARCH", "/", "/", None, (1, 1)),
    ] {
        let head = Head::of(&[first, "Host: a", "X: y", "Origin:", "Sec-WebSocket-Key: 1"]);
        plain(&head, |request| {
            let line = (request.method(), request.target(), request.version());
            assert_eq!(line, (method, target, version));
            assert_eq!((request.path(), request.query()), (path, query));
            assert_eq!(request.headers().get("x"), Some(&b"y"[..]));
            assert_eq!(request.body(), Body::None);
        });
    }
    // An empty line may precede it.
    plain(&Head::of(&["", "GET / HTTP/1.1", "Host: a"]), |request| {
        assert_eq!((request.method(), request.target()), ("GET", "/"));
    });
}

/// RFC 9110 §7.8: only a GET of HTTP/1.1 with the token in both headers is one for WebSocket.
#[test]
fn sh20_a_request_is_for_websocket_if_it_asks_to_switch() {
    for head in [
        Head::request().first("POST /chat HTTP/1.1"),
        Head::request().first("GET /chat HTTP/1.0"),
        Head::request().but("Upgrade", "h2c"),
        Head::request().without("Upgrade"),
        Head::request().but("Connection", "keep-alive"),
        Head::request().without("Connection"),
        // Its other headers are then not looked at.
        get("/")
            .with("Sec-WebSocket-Version: 8")
            .with("Sec-WebSocket-Key: x"),
        get("/")
            .with("Sec-WebSocket-Extensions: ;")
            .with("Sec-WebSocket-Protocol: a b"),
        get("/")
            .with("Upgrade: a b")
            .with("Connection: a b")
            .with("Upgrade: c"),
    ] {
        plain(&head, |_| ());
    }
    let mut head = Head::request().bytes();
    let (mut server, mut out) = (ServerHandshake::new(), Vec::new());
    let incoming = server.recv_http(&mut &mut head[..], &mut out).unwrap();
    assert!(matches!(incoming, Some(Incoming::WebSocket(request)) if request.path() == "/chat"));

    // The first fault is the one that is reported, wherever it becomes certain.
    for (head, error) in [
        (
            Head::request().but("Sec-WebSocket-Version", "8"),
            E::UnsupportedWebSocketVersion,
        ),
        (
            Head::request().without("Sec-WebSocket-Version"),
            E::UnsupportedWebSocketVersion,
        ),
        (
            Head::request().without("Sec-WebSocket-Key"),
            E::MissingHeader("Sec-WebSocket-Key"),
        ),
        (
            Head::request().with("Sec-WebSocket-Protocol:"),
            E::InvalidHeader("Sec-WebSocket-Protocol"),
        ),
        (
            Head::request().with("Upgrade: h2c"),
            E::DuplicateHeader("Upgrade"),
        ),
        (
            Head::request()
                .but("Upgrade", "h2c")
                .with("Upgrade: websocket"),
            E::DuplicateHeader("Upgrade"),
        ),
        (Head::request().with("Content-Length: 1"), E::UnexpectedBody),
        (
            Head::request().with("Transfer-Encoding: chunked"),
            E::UnexpectedBody,
        ),
        (
            Head::request()
                .with("Connection: a b")
                .with("Origin: a")
                .with("Origin: b"),
            E::InvalidHeader("Connection"),
        ),
    ] {
        refused(&head, error);
    }
}

#[test]
fn sh20_a_malformed_request_is_refused() {
    for (head, error) in [
        (get("/").first("GET /"), E::InvalidRequestLine),
        (get("/").first("G(T / HTTP/1.1"), E::InvalidRequestLine),
        (
            get("/").first("GET / HTTP/2.0"),
            E::UnsupportedHttpVersion { major: 2, minor: 0 },
        ),
        (
            get("/").first("GET / HTTP/0.9"),
            E::UnsupportedHttpVersion { major: 0, minor: 9 },
        ),
        (get("*"), E::InvalidTarget),
        (get("a:1"), E::InvalidTarget),
        (get("/#a"), E::InvalidTarget),
        (get("/").first("CONNECT / HTTP/1.1"), E::InvalidTarget),
        (get("/").first("CONNECT a HTTP/1.1"), E::InvalidTarget),
        (get("/").first("OPTIONS a HTTP/1.1"), E::InvalidTarget),
        (get("/").without("Host"), E::MissingHeader("Host")),
        (get("/").with("Host: a"), E::DuplicateHeader("Host")),
        (get("/").but("Host", "a b"), E::InvalidHeader("Host")),
        (get("/").with("X : y"), E::InvalidHeaderName),
        (get("/").with(" x"), E::ObsFold),
    ] {
        refused(&head, error);
    }
    // RFC 9112 §3.2: HTTP/1.0 has no `Host`.
    plain(&Head::of(&["GET / HTTP/1.0"]), |_| ());
}

/// Without the call, they are answered as before.
#[test]
fn sh20_recv_answers_other_requests_with_an_error() {
    for (head, status) in [
        (get("/health"), "426 "),
        (get("/").first("POST / HTTP/1.1"), "405 "),
        (get("/").with("Content-Length: 1"), "400 "),
    ] {
        let (mut head, mut out) = (head.bytes(), Vec::new());
        let mut server = ServerHandshake::new();
        assert!(server.recv(&mut &mut head[..], &mut out).is_err());
        assert!(out.starts_with(format!("HTTP/1.1 {status}").as_bytes()));
        assert!(out.len() <= REPLY_ROOM);
    }
}

/// RFC 9112 §6: where a body ends is certain, or the request is refused.
#[test]
fn sh21_the_body_of_a_request_is_framed_as_http_says() {
    let post = |lines: &[&str]| {
        let head = Head::of(&["POST / HTTP/1.1", "Host: a"]);
        lines.iter().fold(head, |head, line| head.with(line))
    };
    for (lines, body) in [
        (&[][..], Body::None),
        (&["Content-Length: 0"], Body::None),
        (&["Content-Length: 5"], Body::Length(5)),
        (&["Content-Length: 5", "content-length: 5"], Body::Length(5)),
        (&["Content-Length: 5, 05"], Body::Length(5)),
        (
            &["Content-Length: 18446744073709551615"],
            Body::Length(u64::MAX),
        ),
        (&["Transfer-Encoding: chunked"], Body::Chunked),
        (&["Transfer-Encoding: gzip, Chunked"], Body::Chunked),
    ] {
        plain(&post(lines), |request| {
            assert_eq!(request.body(), body, "{lines:?}")
        });
    }
    let (length, coding) = ("Content-Length", "Transfer-Encoding");
    for (lines, name) in [
        (&["Content-Length: 5", "Content-Length: 6"][..], length),
        (&["Content-Length: x"], length),
        (&["Content-Length: -1"], length),
        (&["Content-Length:"], length),
        (&["Content-Length: 18446744073709551616"], length),
        (&["Transfer-Encoding: chunked, gzip"], coding),
        (&["Transfer-Encoding: identity"], coding),
        (&["Transfer-Encoding: chunked", "Content-Length: 5"], coding),
        (&["Content-Length: 5", "Transfer-Encoding: chunked"], coding),
    ] {
        refused(&post(lines), E::InvalidHeader(name));
    }
    refused(
        &Head::of(&["POST / HTTP/1.0", "Transfer-Encoding: chunked"]),
        E::InvalidHeader(coding),
    );
}

/// SH21: the bytes of a body are never read as a request, whether the caller reads them or not.
#[test]
fn sh21_a_body_is_read_or_skipped_and_the_next_request_follows() {
    let post = get("/")
        .first("POST /1 HTTP/1.1")
        .with("Content-Length: 30");
    let body = "GET /smuggled HTTP/1.1\r\n\r\nabcd";
    let text = post.text() + body + &get("/2").text() + &Head::request().text() + "frames";
    for reads in [false, true] {
        for len in [1, 7, text.len()] {
            let (mut server, mut out) = (ServerHandshake::new(), Vec::new());
            let (mut paths, mut read, mut rest) = (Vec::new(), Vec::new(), Vec::new());
            for piece in text.clone().into_bytes().chunks_mut(len) {
                let mut input = piece;
                while paths.len() < 3 {
                    while reads && let_some(server.recv_body(&mut input), &mut read) {}
                    match server.recv_http(&mut input, &mut out).unwrap() {
                        None => {
                            assert!(input.is_empty());
                            break;
                        }
                        Some(Incoming::Http(request)) => {
                            paths.push(request.path().to_owned());
                            let response = request.respond(204).keep_alive();
                            assert!(response.persists());
                            response.write(&mut out).unwrap();
                        }
                        Some(Incoming::WebSocket(request)) => {
                            paths.push(request.path().to_owned());
                        }
                    }
                }
                rest.extend_from_slice(input);
            }
            assert_eq!(paths, ["/1", "/2", "/chat"]);
            assert_eq!(rest, b"frames");
            assert_eq!(read, if reads { body.as_bytes() } else { b"" });
            assert_eq!(out, b"HTTP/1.1 204 No Content\r\n\r\n".repeat(2));
        }
    }
}

fn let_some(slice: Option<&mut [u8]>, into: &mut Vec<u8>) -> bool {
    slice.is_some_and(|slice| {
        assert!(!slice.is_empty());
        into.extend_from_slice(slice);
        true
    })
}

#[test]
fn sh21_the_end_of_the_connection_inside_a_body_is_an_error() {
    let head = get("/").with("Content-Length: 4");
    for (text, end) in [
        (head.text() + "abc", Err(E::Incomplete)),
        (head.text() + "abcd", Ok(())),
        (head.text() + "abcdG", Err(E::Incomplete)),
        (get("/").text(), Ok(())),
    ] {
        let (mut server, mut out) = (ServerHandshake::new(), Vec::new());
        let mut bytes = text.into_bytes();
        let mut input = &mut bytes[..];
        assert!(server.recv_http(&mut input, &mut out).unwrap().is_some());
        assert!(server.recv_http(&mut input, &mut out).unwrap().is_none());
        assert_eq!(server.recv_eof(), end);
        let refused: &[u8] = if bytes.ends_with(b"G") { b"G" } else { b"" };
        assert_eq!(server.refused_head(), refused);
    }
}

/// SR16: the client closes, or cannot know where the response ends, or we cannot know where its
/// body ends.
#[test]
fn sr16_the_connection_persists_if_both_sides_keep_it() {
    for (head, persists) in [
        (get("/"), true),
        (get("/").with("Connection: keep-alive"), true),
        (get("/").with("Content-Length: 5"), true),
        (get("/").with("Connection: x, Close"), false),
        (
            get("/").with("Connection: a").with("connection: close"),
            false,
        ),
        (get("/").first("GET / HTTP/1.0"), false),
        (
            get("/")
                .first("GET / HTTP/1.0")
                .with("Connection: keep-alive"),
            false,
        ),
        (get("/").with("Transfer-Encoding: chunked"), false),
    ] {
        let mut bytes = [head.bytes(), vec![b'x'; 5], get("/2").bytes()].concat();
        let mut input = &mut bytes[..];
        let (mut server, mut out) = (ServerHandshake::new(), Vec::new());
        let incoming = server.recv_http(&mut input, &mut out).unwrap();
        let Some(Incoming::Http(request)) = incoming else {
            panic!("{incoming:?}");
        };
        let response = request.respond(200);
        assert!(!response.persists());
        let response = response.keep_alive();
        assert_eq!(response.persists(), persists, "{}", head.text());
        response.write(&mut out).unwrap();
        let text = String::from_utf8(out.clone()).unwrap();
        let connection = if persists { &[][..] } else { &["close"] };
        assert_eq!(values(&text, "Connection"), connection);
        // RFC 9112 §9.6: nothing is processed after a close.
        if !persists {
            assert!(server.recv_http(&mut input, &mut out).unwrap().is_none());
            assert!(input.is_empty());
            assert_eq!(server.recv_eof(), Ok(()));
            assert_eq!(out.len(), text.len());
        }
    }
}

/// SR16: as for NTLM, whose client repeats its request on the same connection.
#[test]
fn sr16_a_request_for_websocket_can_be_rejected_and_repeated() {
    let first = Head::request().text();
    let second = Head::request().with("Authorization: NTLM x").text();
    let mut bytes = (first + &second + "frames").into_bytes();
    let mut input = &mut bytes[..];
    let (mut server, mut out) = (ServerHandshake::new(), Vec::new());
    let request = server.recv(&mut input, &mut out).unwrap().unwrap();
    let challenge = [("WWW-Authenticate", &b"NTLM"[..])];
    let response = request.reject(401).headers(&challenge).keep_alive();
    assert!(response.persists());
    response.write(&mut out).unwrap();
    assert_eq!(
        out,
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\nWWW-Authenticate: NTLM\r\n\r\n"
    );
    let request = server.recv(&mut input, &mut out).unwrap().unwrap();
    assert_eq!(request.headers().get("Authorization"), Some(&b"NTLM x"[..]));
    request.accept().write(&mut out).unwrap();
    assert_eq!(*input, b"frames"[..]);

    let mut bytes = (Head::request().but("Connection", "Upgrade, close").text() + "x").into_bytes();
    let mut input = &mut bytes[..];
    let mut server = ServerHandshake::new();
    let request = server.recv(&mut input, &mut out).unwrap().unwrap();
    assert!(!request.reject(401).keep_alive().persists());
    assert!(server.recv(&mut input, &mut out).unwrap().is_none());
    assert!(input.is_empty());
}

#[test]
fn sr15_any_final_status_answers_with_a_body_where_one_is_permitted() {
    for method in ["GET", "HEAD", "CONNECT"] {
        let target = if method == "CONNECT" { "b:1" } else { "/" };
        let head = get("/").first(&format!("{method} {target} HTTP/1.1"));
        plain(&head, |request| {
            for status in [0, 100, 101, 199, 600, u16::MAX] {
                let written = request.respond(status).write(&mut Vec::new());
                assert_eq!(written, Err(WriteError::InvalidStatus));
            }
            for status in 200..=599 {
                let is_tunnel = method == "CONNECT" && status < 300;
                let permitted = !matches!(status, 204 | 205 | 304) && !is_tunnel;
                let mut out = Vec::new();
                let written = request.respond(status).body(b"body").write(&mut out);
                if !permitted {
                    assert_eq!(written, Err(WriteError::UnexpectedBody));
                    assert!(out.is_empty());
                    request.respond(status).write(&mut out).unwrap();
                }
                let (response, len) = Response::parse(&out, &HeadLimits::new()).unwrap().unwrap();
                assert_eq!(response.status(), status);
                let length = response.headers().get("Content-Length");
                let expected: Option<&[u8]> = match status {
                    204 | 304 => None,
                    205 if !is_tunnel => Some(b"0"),
                    _ if is_tunnel => None,
                    _ => Some(b"4"),
                };
                assert_eq!(length, expected, "{method} {status}");
                let body: &[u8] = match permitted && method != "HEAD" {
                    true => b"body",
                    false => b"",
                };
                assert_eq!(&out[len..], body, "{method} {status}");
                let close = response.headers().get("Connection").is_some();
                assert_eq!(close, !is_tunnel);
            }
        });
    }
}

/// RFC 9110 §15.5.6, §15.5.22: headers that a status requires, and that the caller may know better.
#[test]
fn sr15_a_status_has_the_headers_that_belong_to_it() {
    let written = |status, headers: &[(&str, &[u8])]| {
        plain(&get("/"), |request| {
            let mut out = Vec::new();
            let response = request.respond(status).headers(headers).keep_alive();
            response.write(&mut out).unwrap();
            String::from_utf8(out).unwrap()
        })
    };
    let upgrade = written(426, &[]);
    assert_eq!(values(&upgrade, "Upgrade"), ["websocket"]);
    assert_eq!(values(&upgrade, "Connection"), ["Upgrade"]);
    assert_eq!(values(&upgrade, "Sec-WebSocket-Version"), ["13"]);
    assert_eq!(values(&written(405, &[]), "Allow"), ["GET"]);
    let other = written(405, &[("X", b"y"), ("Allow", b"GET, POST")]);
    assert_eq!(values(&other, "Allow"), ["GET, POST"]);
    let other = written(405, &[("allow", b"PUT")]);
    assert!(values(&other, "Allow").is_empty() && values(&other, "allow") == ["PUT"]);
    let page = written(200, &[("Content-Type", b"text/html")]);
    assert_eq!(
        page,
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nContent-Type: text/html\r\n\r\n"
    );
}

/// SH22: for the log, with both calls; and nothing else is.
#[test]
fn sh22_a_refused_head_can_be_read() {
    let head = "GET /chat HTTP/1.1\r\nHost: a\r\nX: \x01";
    let mut server = ServerHandshake::new();
    assert_eq!(server.refused_head(), b"");
    for piece in [&head[..9], &head[9..], "ignored"] {
        let mut piece = piece.as_bytes().to_vec();
        let end = server.recv(&mut &mut piece[..], &mut Vec::new());
        if end.is_ok() {
            assert_eq!(server.refused_head(), b"");
        }
    }
    assert_eq!(server.refused_head(), head.as_bytes());

    let mut server = ServerHandshake::new();
    let mut bytes = Head::request().without("Sec-WebSocket-Key").bytes();
    let whole = bytes.clone();
    assert!(
        server
            .recv_http(&mut &mut bytes[..], &mut Vec::new())
            .is_err()
    );
    assert_eq!(server.refused_head(), whole);

    let mut server = ServerHandshake::new();
    let mut bytes = *b"GET /ch";
    let received = server.recv(&mut &mut bytes[..], &mut Vec::new());
    assert!(received.unwrap().is_none());
    assert_eq!(server.recv_eof(), Err(E::Incomplete));
    assert_eq!(server.refused_head(), b"GET /ch");

    let mut server = ServerHandshake::new();
    let mut bytes = Head::request().bytes();
    assert!(server.recv(&mut &mut bytes[..], &mut Vec::new()).is_ok());
    assert_eq!(server.refused_head(), b"");
}

/// SE11
#[test]
fn se11_a_plain_request_is_printed_without_values() {
    let head = get("/a?token=MARK").with("Cookie: MARK");
    plain(&head, |request| {
        assert_eq!(
            format!("{request:?}"),
            r#"HttpRequest { method: "GET", path: "/a", headers: ["Host", "Cookie"], .. }"#
        );
        let headers = [("Set-Cookie", &b"MARK"[..])];
        let response = request.respond(200).headers(&headers).body(b"MARK");
        let parts = response.parts().unwrap();
        assert!(!format!("{response:?} {parts:?}").contains("MARK"));
        assert!(!format!("{:?}", Incoming::Http(*request)).contains("MARK"));
    });
}
