//! Requests and responses as parts, for other HTTP libraries: they have the content of the bytes
//! (SR17, CH18, CR19).

use crate::support::{Head, client, uri, written};
use proptest::{collection::vec, prelude::*};
use ws_proto::handshake::{
    Answer, ClientHandshake, HandshakeError as E, HeadLimits, Headers, Request, Response,
    ServerHandshake, WriteError,
};
use ws_proto::{Client, Negotiated, Server};

type Pairs = Vec<(String, Vec<u8>)>;

fn pairs<'a>(headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Pairs {
    headers
        .map(|(name, value)| (name.to_owned(), value.trim_ascii().to_vec()))
        .collect()
}

fn borrowed(pairs: &Pairs) -> Vec<(&str, &[u8])> {
    pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_slice()))
        .collect()
}

fn of(headers: &Headers<'_>) -> Pairs {
    pairs(headers.iter())
}

#[test]
fn sr17_an_acceptance_has_the_same_parts_and_bytes() {
    let head = Head::request().with("Sec-WebSocket-Protocol: a, b").bytes();
    let (request, _) = Request::parse(&head, &HeadLimits::new()).unwrap().unwrap();
    let headers = [("Set-Cookie", &b"c"[..]), ("X", b"\xff")];
    let accept = request.accept().subprotocol("b").headers(&headers);
    let mut out = Vec::new();
    let written: Negotiated<Server> = accept.write(&mut out).unwrap();
    let (parts, negotiated) = accept.parts().unwrap();
    assert_eq!(written, negotiated);
    assert_eq!(negotiated.subprotocol(), Some("b"));
    let (response, len) = Response::parse(&out, &HeadLimits::new()).unwrap().unwrap();
    assert_eq!(len, out.len());
    assert_eq!((parts.status(), parts.body()), (101, &b""[..]));
    assert_eq!(pairs(parts.headers()), of(response.headers()));
    assert_eq!(
        format!("{parts:?}"),
        r#"ResponseParts { status: 101, headers: ["Upgrade", "Connection", "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol", "Set-Cookie", "X"], .. }"#
    );
    let wrong = request.accept().subprotocol("c");
    assert_eq!(
        wrong.parts().unwrap_err(),
        WriteError::SubprotocolNotRequested
    );
    let wrong = request.accept().headers(&[("X", b"\n")]);
    assert_eq!(wrong.parts().unwrap_err(), WriteError::InvalidHeaderValue);
}

#[test]
fn sr17_a_rejection_has_the_same_parts_and_bytes() {
    let head = Head::request().bytes();
    let (request, _) = Request::parse(&head, &HeadLimits::new()).unwrap().unwrap();
    for status in 300..=599 {
        let body: &[u8] = if status == 304 { b"" } else { b"why" };
        for keep_alive in [false, true] {
            let mut response = request.reject(status).headers(&[("X", b"y")]).body(body);
            if keep_alive {
                response = response.keep_alive();
            }
            let mut out = Vec::new();
            response.write(&mut out).unwrap();
            let parts = response.parts().unwrap();
            let (parsed, len) = Response::parse(&out, &HeadLimits::new()).unwrap().unwrap();
            assert_eq!((parts.status(), parts.body()), (status, body));
            assert_eq!(&out[len..], body);
            assert_eq!(pairs(parts.headers()), of(parsed.headers()));
        }
    }
    let wrong = request.reject(200);
    assert_eq!(wrong.parts().unwrap_err(), WriteError::InvalidStatus);
    let wrong = request.reject(304).body(b"x");
    assert_eq!(wrong.parts().unwrap_err(), WriteError::UnexpectedBody);
    let wrong = request.reject(403).headers(&[("Upgrade", b"x")]);
    assert_eq!(wrong.parts().unwrap_err(), WriteError::ReservedHeader);
}

/// RFC 9110 §15.5.6, §15.5.22, RFC 6455 §4.4: an error has its status and the headers that belong
/// to it, and those are the ones that the machine writes, with `Connection: close`.
#[test]
fn sr17_an_error_has_the_headers_of_its_status() {
    for (head, error, expected) in [
        (
            Head::request().without("Upgrade"),
            E::MissingUpgrade,
            &["Connection", "Upgrade", "Sec-WebSocket-Version"][..],
        ),
        (
            Head::request().but("Sec-WebSocket-Version", "8"),
            E::UnsupportedWebSocketVersion,
            &["Connection", "Upgrade", "Sec-WebSocket-Version"],
        ),
        (
            Head::request().first("GET / HTTP/1.0"),
            E::UnsupportedHttpVersion { major: 1, minor: 0 },
            &["Connection", "Upgrade", "Sec-WebSocket-Version"],
        ),
        (
            Head::request().first("PUT / HTTP/1.1"),
            E::MethodNotAllowed,
            &["Allow"],
        ),
        (
            Head::request().without("Host"),
            E::MissingHeader("Host"),
            &[],
        ),
    ] {
        let names = error.headers().iter().map(|(name, _)| *name);
        assert!(names.eq(expected.iter().copied()), "{error:?}");
        let (mut head, mut out) = (head.bytes(), Vec::new());
        let mut server = ServerHandshake::new();
        assert_eq!(
            server.recv(&mut &mut head[..], &mut out).unwrap_err(),
            error
        );
        let (response, _) = Response::parse(&out, &HeadLimits::new()).unwrap().unwrap();
        assert_eq!(response.status(), error.status());
        for &(name, value) in error.headers() {
            let written = response.headers().get(name).unwrap();
            let elements = written.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
            assert!(
                elements.into_iter().any(|element| element == value),
                "{name}"
            );
        }
    }
}

#[test]
fn ch18_a_request_has_the_same_parts_and_bytes() {
    let headers = [("Authorization", &b"x"[..]), ("x-b", b""), ("X-b", b"2")];
    let handshake = ClientHandshake::new(&uri(), Client::new([7; 32]))
        .subprotocols(&["a", "b"])
        .origin("http://a")
        .headers(&headers);
    let parts = handshake.request_parts().unwrap();
    let pseudo = (
        parts.method(),
        parts.path(),
        parts.scheme(),
        parts.authority(),
    );
    assert_eq!(pseudo, ("GET", "/chat", "http", "server.example.com"));
    assert_eq!(parts.protocol(), None);
    let text = written(&handshake);
    assert!(text.starts_with("GET /chat HTTP/1.1\r\nHost: server.example.com\r\n"));
    let lines: Vec<_> = parts
        .headers()
        .map(|(name, value)| format!("{name}: {}\r\n", value.escape_ascii()))
        .collect();
    assert!(text.ends_with(&format!("HTTP/1.1\r\n{}\r\n", lines.concat())));
    assert!(format!("{parts:?}").starts_with(r#"RequestParts { method: "GET", headers: ["Host","#));

    let wrong = client().headers(&[("a b", b"")]);
    assert_eq!(
        wrong.request_parts().unwrap_err(),
        WriteError::InvalidHeaderName
    );
    assert_eq!(
        wrong.connect_parts().unwrap_err(),
        WriteError::InvalidHeaderName
    );
}

#[test]
fn cr19_a_response_from_parts_is_judged_as_from_bytes() {
    let plus = |line: &str| Head::response().with(line);
    let heads = [
        Head::response(),
        plus("Sec-WebSocket-Protocol: chat"),
        plus("Sec-WebSocket-Protocol: other"),
        plus("Sec-WebSocket-Extensions: x"),
        plus("Upgrade: websocket"),
        Head::response().without("Upgrade"),
        Head::response().first("HTTP/1.1 200 OK"),
        Head::of(&["HTTP/1.1 401 Unauthorized", "WWW-Authenticate: Basic"]),
    ];
    for head in heads {
        for required in [false, true] {
            let handshake = || {
                client()
                    .subprotocols(&["chat"])
                    .subprotocol_required(required)
            };
            let mut bytes = head.bytes();
            let shown = |answer: Answer<'_>| match answer {
                Answer::Accepted {
                    negotiated,
                    response,
                } => (
                    response.status(),
                    negotiated.subprotocol().map(str::to_owned),
                    of(response.headers()),
                ),
                Answer::Rejected(response) => (response.status(), None, of(response.headers())),
            };
            let mut by_bytes = handshake();
            let by_bytes = by_bytes
                .recv(&mut &mut bytes[..])
                .map(|answer| shown(answer.unwrap()));

            let text = head.text();
            let mut lines = text.lines();
            let status = lines.next().unwrap()[9..12].parse().unwrap();
            let fields: Pairs = lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
                .collect();
            let fields = borrowed(&fields);
            let by_parts = Response::from_headers((1, 1), status, &fields)
                .and_then(|response| handshake().recv_response(response))
                .map(shown);
            assert_eq!(by_parts, by_bytes, "{text}");
        }
    }
}

/// A response answers one request: earlier input is not forgotten.
#[test]
fn cr19_a_response_counts_once() {
    let fields = [("x", &b"y"[..])];
    let response = Response::from_headers((1, 1), 404, &fields).unwrap();
    let mut done = client();
    assert!(
        done.recv(&mut &mut b"HTTP/1.1 404 \r\n\r\n".to_vec()[..])
            .unwrap()
            .is_some()
    );
    assert_eq!(
        done.recv_response(response).unwrap_err(),
        E::UnexpectedStatus(404)
    );
    let mut failed = client();
    assert!(failed.recv(&mut &mut b"x".to_vec()[..]).is_err());
    assert_eq!(failed.refused_head(), b"x");
    assert_eq!(
        failed.recv_response(response).unwrap_err(),
        E::InvalidStatusLine
    );
}

/// CR18, SH22: a client's refused head, too, where only its end showed the missing fields.
#[test]
fn cr18_sh22_a_refused_response_can_be_read() {
    let whole = Head::response().without("Upgrade").bytes();
    for len in [1, 20, whole.len()] {
        let (mut bytes, mut client) = (whole.clone(), client());
        let mut last = Ok(());
        for mut piece in bytes.chunks_mut(len) {
            assert_eq!(client.refused_head(), b"");
            last = client.recv(&mut piece).map(drop);
        }
        assert_eq!(last, Err(E::MissingUpgrade));
        assert_eq!(client.refused_head(), whole);
    }
}

proptest! {
    /// SR17, CH18: parts are read with the meaning that they were sent with.
    #[test]
    fn sr17_ch18_both_sides_agree_over_parts(
        seed: [u8; 32],
        fields in vec(("x-[a-z]{0,8}", "([!-~]([ -~\t]{0,8}[!-~])?)?"), 0..4),
        connect: bool,
    ) {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let client = ClientHandshake::new(&uri(), Client::new(seed)).subprotocols(&["a", "b"]).headers(&fields);
        let asked = if connect { client.connect_parts() } else { client.request_parts() }.unwrap();
        let sent: Vec<_> = asked.headers().collect();
        let request = match asked.protocol() {
            Some(protocol) => Request::from_connect(protocol, asked.scheme(), asked.authority(), asked.path(), &sent),
            None => Request::from_headers(asked.method(), asked.path(), (1, 1), &sent),
        }.unwrap();
        prop_assert_eq!(request.host(), "server.example.com");
        prop_assert_eq!(pairs(request.headers().iter().filter(|(name, _)| name.starts_with("x-"))), pairs(fields.iter().copied()));
        let (parts, negotiated) = request.accept().subprotocol_from(&["b"]).headers(&fields).parts().unwrap();
        let answered = pairs(parts.headers());
        let answered = borrowed(&answered);
        let version = if connect { (3, 0) } else { (1, 1) };
        let response = Response::from_headers(version, parts.status(), &answered).unwrap();
        let Answer::Accepted { negotiated: theirs, .. } = client.recv_response(response).unwrap() else { panic!("rejected") };
        prop_assert_eq!((theirs.subprotocol(), negotiated.subprotocol()), (Some("b"), Some("b")));
    }
}
