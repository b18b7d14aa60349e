//! WebSockets over HTTP/2 and HTTP/3 (RFC 8441, RFC 9220): the extended CONNECT as parts, in both
//! roles, and the connection that begins after it. The duties of the HTTP library are listed in the
//! crate's documentation.

use crate::common::{Frame, Layer, Log, Masking, SEED, Seen, read_all, wire};
use ws_proto::handshake::{
    Answer, ClientHandshake, HandshakeError as E, Origin, Request, Response, Scheme, WriteError,
};
use ws_proto::uri::Uri;
use ws_proto::{
    Action, Client, Config, Endpoint, Negotiated, ProtocolError, Server, State, WebSocket,
};

type Field<'a> = (&'a str, &'a [u8]);

const VERSION: Field<'_> = ("sec-websocket-version", b"13");

fn connect<'a>(fields: &'a [Field<'a>]) -> Result<Request<'a>, E> {
    Request::from_connect("websocket", "https", "example.com", "/chat?room=1", fields)
}

#[test]
fn hx3_hx10_a_server_checks_an_extended_connect_by_the_same_rules() {
    let fields: [Field<'_>; 5] = [
        VERSION,
        ("origin", b"https://example.com"),
        ("sec-websocket-protocol", b"chat, superchat"),
        (
            "sec-websocket-extensions",
            b"permessage-deflate; client_max_window_bits",
        ),
        ("cookie", b"a"),
    ];
    let request = connect(&fields).unwrap();
    assert_eq!(request.target(), "/chat?room=1");
    assert_eq!((request.path(), request.query()), ("/chat", Some("room=1")));
    assert_eq!(request.host(), "example.com");
    assert!(request.headers().iter().eq(fields));
    assert!(request.is_same_origin(Scheme::Https) && !request.is_same_origin(Scheme::Http));
    assert!(request.origin_is_one_of(&[Origin::parse("https://example.com").unwrap()]));
    assert!(request.subprotocols().eq(["chat", "superchat"]));
    let names = request.extensions().map(|extension| extension.name);
    assert!(names.eq(["permessage-deflate"]));

    let version = "Sec-WebSocket-Version";
    assert_eq!(
        connect(&fields[1..]).unwrap_err(),
        E::MissingHeader(version)
    );
    for (name, value, error) in [
        (
            "origin",
            &b"https://evil.example"[..],
            E::DuplicateHeader("Origin"),
        ),
        ("sec-websocket-version", b"13", E::DuplicateHeader(version)),
        ("sec-websocket-version", b"8", E::InvalidHeader(version)),
        (
            "sec-websocket-protocol",
            b"a b",
            E::InvalidHeader("Sec-WebSocket-Protocol"),
        ),
        (
            "sec-websocket-extensions",
            b"a;b=\"",
            E::InvalidHeader("Sec-WebSocket-Extensions"),
        ),
        // RFC 9113 §8.2.2, §8.3.1, should the library not look.
        ("upgrade", b"websocket", E::UnexpectedHeader("Upgrade")),
        (
            "connection",
            b"keep-alive",
            E::UnexpectedHeader("Connection"),
        ),
        (
            "transfer-encoding",
            b"chunked",
            E::UnexpectedHeader("Transfer-Encoding"),
        ),
        ("host", b"evil.example", E::InvalidHeader("Host")),
        ("content-length", b"0", E::UnexpectedBody),
        // RFC 9113 §8.2.1
        ("x", b"a\r\ny: b", E::InvalidHeaderValue),
        ("x y", b"a", E::InvalidHeaderName),
        (":path", b"/", E::InvalidHeaderName),
    ] {
        let fields = [&fields[..], &[(name, value)]].concat();
        assert_eq!(connect(&fields).unwrap_err(), error, "{name}");
    }
    for name in ["sec-websocket-protocol", "sec-websocket-extensions"] {
        let fields = [VERSION, (name, b",")];
        assert!(
            matches!(connect(&fields), Err(E::InvalidHeader(_))),
            "{name}"
        );
    }
    // A gateway may leave them in. The key has no meaning (HX3).
    connect(&[
        VERSION,
        ("host", b"Example.com"),
        ("sec-websocket-key", b"x"),
    ])
    .unwrap();
}

/// HX2
#[test]
fn hx2_a_server_checks_the_pseudo_headers() {
    let fields = [VERSION];
    let ask = |scheme, authority, path| {
        Request::from_connect("websocket", scheme, authority, path, &fields).map(drop)
    };
    for scheme in ["http", "https", "HTTPS"] {
        assert_eq!(ask(scheme, "[::1]:8443", "/"), Ok(()));
    }
    for scheme in ["", "ws", "wss", "ftp"] {
        assert_eq!(ask(scheme, "a", "/"), Err(E::InvalidHeader(":scheme")));
    }
    for authority in ["", "a b", "u@h", "a:b", "a/"] {
        assert_eq!(
            ask("http", authority, "/"),
            Err(E::InvalidHeader(":authority"))
        );
    }
    for path in ["", "*", "a", "/a b", "/#", "/\r\n", "http://a/", "/\u{e4}"] {
        assert_eq!(ask("http", "a", path), Err(E::InvalidTarget), "{path:?}");
    }
}

#[test]
fn hx8_another_protocol_gets_501() {
    let fields = [VERSION];
    let ask = |protocol| Request::from_connect(protocol, "http", "a", "/", &fields).map(drop);
    for protocol in ["connect-udp", "webtransport", "", "websocket2", "h2c"] {
        assert_eq!(ask(protocol), Err(E::UnsupportedProtocol));
    }
    assert_eq!(E::UnsupportedProtocol.status(), 501);
    assert!(E::UnsupportedProtocol.headers().is_empty());
    assert_eq!(ask("WebSocket"), Ok(()));
}

/// HX5: there is no 426, whose `Upgrade` HTTP/2 does not have.
#[test]
fn hx5_another_version_is_answered_with_the_one_spoken() {
    for fields in [&[][..], &[("sec-websocket-version", &b"8"[..])]] {
        let error = connect(fields).unwrap_err();
        assert_eq!(error.status(), 400);
        assert_eq!(error.headers(), [("sec-websocket-version", &b"13"[..])]);
    }
}

/// HX5: names are in lower case, and nothing is there that HTTP/2 does not have.
#[test]
fn hx3_hx4_hx5_a_server_answers_with_200() {
    let fields = [VERSION, ("sec-websocket-protocol", b"a, b")];
    let request = connect(&fields).unwrap();
    let (parts, negotiated) = request.accept().parts().unwrap();
    assert_eq!((parts.status(), parts.body()), (200, &b""[..]));
    assert_eq!(parts.headers().count(), 0);
    assert_eq!(negotiated, Negotiated::new(Server));

    let headers = [("set-cookie", &b"x"[..])];
    let accept = request.accept().subprotocol("b").headers(&headers);
    let (parts, negotiated) = accept.parts().unwrap();
    let expected = [("sec-websocket-protocol", &b"b"[..]), headers[0]];
    assert!(parts.headers().eq(expected));
    assert_eq!(negotiated.subprotocol(), Some("b"));

    let reject = request.reject(403).headers(&headers).body(b"no");
    for reject in [reject, reject.keep_alive()] {
        let parts = reject.parts().unwrap();
        assert_eq!((parts.status(), parts.body()), (403, &b"no"[..]));
        assert!(
            parts
                .headers()
                .eq([("content-length", &b"2"[..]), headers[0]])
        );
    }
    for status in [426, 405] {
        let parts = request.reject(status).parts().unwrap();
        assert!(parts.headers().eq([("content-length", &b"0"[..])]));
    }
    // A 2xx would accept.
    assert_eq!(
        request.reject(200).parts().unwrap_err(),
        WriteError::InvalidStatus
    );

    // It has no bytes of HTTP/1.1.
    let mut out = Vec::new();
    assert_eq!(
        request.accept().write(&mut out).unwrap_err(),
        WriteError::NotHttp1
    );
    assert_eq!(
        request.reject(403).write(&mut out),
        Err(WriteError::NotHttp1)
    );
    assert!(out.is_empty());
}

fn client() -> ClientHandshake {
    let uri = Uri::parse("wss://example.com/chat").unwrap();
    ClientHandshake::new(&uri, Client::new(SEED))
}

#[test]
fn hx2_hx3_hx5_a_client_sends_an_extended_connect() {
    for (uri, scheme, path, authority) in [
        ("ws://Example.com", "http", "/", "example.com"),
        (
            "wss://example.com:443/chat?room=1",
            "https",
            "/chat?room=1",
            "example.com",
        ),
        ("wss://[::1]:8443/?q", "https", "/?q", "[::1]:8443"),
    ] {
        let uri = Uri::parse(uri).unwrap();
        let headers = [("authorization", &b"x"[..])];
        let handshake = ClientHandshake::new(&uri, Client::new(SEED))
            .subprotocols(&["a", "b"])
            .origin("https://a")
            .headers(&headers);
        let parts = handshake.connect_parts().unwrap();
        assert_eq!(
            (parts.method(), parts.protocol()),
            ("CONNECT", Some("websocket"))
        );
        let pseudo = (parts.scheme(), parts.path(), parts.authority());
        assert_eq!(pseudo, (scheme, path, authority));
        let expected = [
            VERSION,
            ("origin", b"https://a"),
            ("sec-websocket-protocol", b"a, b"),
            headers[0],
        ];
        assert!(parts.headers().eq(expected));
    }
}

/// Lets a client with these subprotocols check a 200 with these fields.
fn verify(fields: &[Field<'_>], protocols: &[&str]) -> Result<Option<String>, E> {
    let response = Response::from_headers((2, 0), 200, fields)?;
    match client().subprotocols(protocols).recv_response(response)? {
        Answer::Accepted { negotiated, .. } => Ok(negotiated.subprotocol().map(str::to_owned)),
        Answer::Rejected(response) => panic!("{response:?}"),
    }
}

#[test]
fn hx4_hx10_a_client_checks_the_answer_by_the_same_rules() {
    fn protocol(value: &[u8]) -> [Field<'_>; 1] {
        [("sec-websocket-protocol", value)]
    }
    let (both, name) = (["a", "b"], "Sec-WebSocket-Protocol");
    assert_eq!(verify(&[], &both), Ok(None));
    assert_eq!(verify(&protocol(b"b"), &both), Ok(Some("b".to_owned())));
    for value in [&b"B"[..], b"a, b", b"c"] {
        let verified = verify(&protocol(value), &both);
        assert_eq!(verified, Err(E::SubprotocolNotRequested));
    }
    assert_eq!(
        verify(&[protocol(b"a")[0]; 2], &both),
        Err(E::DuplicateHeader(name))
    );
    let extensions = "sec-websocket-extensions";
    assert_eq!(
        verify(&[(extensions, b"permessage-deflate")], &[]),
        Err(E::ExtensionNotOffered)
    );
    assert_eq!(
        verify(&[(extensions, b";")], &[]),
        Err(E::InvalidHeader("Sec-WebSocket-Extensions"))
    );
    // Nothing proves that the key was read, since there is none (HX3).
    assert_eq!(verify(&[("sec-websocket-accept", b"x")], &[]), Ok(None));
    for name in ["Upgrade", "Connection", "Transfer-Encoding"] {
        let verified = verify(&[(name, b"x")], &[]);
        assert_eq!(verified, Err(E::UnexpectedHeader(name)));
    }
}

/// HX4: 2xx accepts, and nothing else does.
#[test]
fn hx4_any_2xx_accepts_and_no_other_status() {
    let fields = [("x", &b"y"[..])];
    for version in [(2, 0), (3, 0)] {
        for status in 100..=999 {
            let response = Response::from_headers(version, status, &fields).unwrap();
            let accepted = match client().recv_response(response).unwrap() {
                Answer::Accepted { response, .. } => Some(response),
                Answer::Rejected(_) => None,
            };
            let status_accepted = accepted.map(|response| response.status());
            let expected = Some(status).filter(|status| (200..300).contains(status));
            assert_eq!(status_accepted, expected);
        }
    }
    // In HTTP/1.1, a 200 is none.
    let response = Response::from_headers((1, 1), 200, &fields).unwrap();
    let answer = client().recv_response(response).unwrap();
    assert!(matches!(answer, Answer::Rejected(_)));
}

#[cfg(feature = "deflate")]
#[test]
fn hx10_compression_is_agreed_on_by_the_same_rules() {
    use ws_proto::deflate::DeflateConfig;
    let config = DeflateConfig::default();
    let server = DeflateConfig::default().with_server_max_window_bits(10);
    let asking = client().deflate(&config);
    let parts = asking.connect_parts().unwrap();
    let fields: Vec<_> = parts.headers().collect();
    let request = connect(&fields).unwrap();
    let (parts, ours) = request.accept().deflate(&server).parts().unwrap();
    let (name, value) = parts.headers().next().unwrap();
    assert_eq!(name, "sec-websocket-extensions");
    let value = value.to_vec();
    let fields = [(&name.to_owned()[..], &value[..])];
    let response = Response::from_headers((2, 0), parts.status(), &fields).unwrap();
    let answer = asking.recv_response(response).unwrap();
    let Answer::Accepted {
        negotiated: theirs, ..
    } = answer
    else {
        panic!("{answer:?}");
    };
    assert_eq!(theirs.deflate(), ours.deflate());
    assert!(ours.deflate().is_some());
    for (value, error) in [
        (
            "permessage-deflate; server_max_window_bits=20",
            E::InvalidExtensionParameter,
        ),
        ("other", E::ExtensionNotOffered),
    ] {
        let fields = [("sec-websocket-extensions", value.as_bytes())];
        let response = Response::from_headers((3, 0), 200, &fields).unwrap();
        let verified = client().deflate(&config).recv_response(response);
        assert_eq!(verified.unwrap_err(), error);
    }

    let (mut ours, mut theirs) = (
        WebSocket::new(ours, &Config::default()),
        WebSocket::new(theirs, &Config::default()),
    );
    let (text, mut bytes) = ("compressed ".repeat(100), Vec::new());
    theirs.send_text(&text, &mut bytes).unwrap();
    assert!(bytes.len() < 100);
    let mut log = Log::default();
    ours.recv_all(&mut bytes, &mut log);
    assert_eq!(log.seen, [Seen::text(&text)]);
}

/// Masked as ever, though the stream is HTTP/2's, and whether it is under TLS or not (SE5).
#[test]
fn hx6_clients_mask_and_servers_do_not() {
    let mut client = WebSocket::new(Negotiated::new(Client::new(SEED)), &Config::default());
    let mut out = Vec::new();
    client.send_text("a", &mut out).unwrap();
    assert_eq!(read_all::<Client>(&out), [Frame::text("a")]);
    let mut log = Log::default();
    let mut server = WebSocket::new(Negotiated::new(Server), &Config::default());
    server.recv_all(
        &mut wire::<Server>(&[Frame::text("a").masking(Masking::None)]),
        &mut log,
    );
    assert_eq!(log.seen, [Seen::Failed(ProtocolError::Unmasked)]);
    assert_eq!(read_all::<Server>(&log.out).len(), 1);
}

/// END_STREAM and RST_STREAM are both the end of the input: clean, if Close frames went both ways
/// before.
#[test]
fn hx7_the_end_of_the_stream_is_the_end_of_the_input() {
    for (frames, clean) in [
        (&[][..], false),
        (&[Frame::text("a").more()], false),
        (&[Frame::close(1000, "")], true),
    ] {
        let mut server = WebSocket::new(Negotiated::new(Server), &Config::default());
        let mut log = Log::default();
        server.recv_all(&mut wire::<Server>(frames), &mut log);
        server.recv_eof();
        assert_eq!(
            (server.state(), server.next_action()),
            (State::Closed, Action::CloseTransport)
        );
        let outcome = server.outcome().unwrap();
        assert_eq!(
            (outcome.by, outcome.clean, outcome.error),
            (Endpoint::Peer, clean, None)
        );
    }
}
