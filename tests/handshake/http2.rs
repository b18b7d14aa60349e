//! WebSockets over HTTP/2 and HTTP/3 (RFC 8441, RFC 9220), as far as it concerns this crate:
//! checking the fields of an extended CONNECT, and the connection that begins after it. What the
//! HTTP library or its user does is listed in the crate's documentation.

use crate::common::{Frame, Layer, Log, Masking, SEED, Seen, read_all, wire};
use ws_proto::handshake::{HandshakeError as E, Request, Response, Scheme, accept_key};
use ws_proto::uri::Uri;
use ws_proto::{
    Action, Client, Config, Endpoint, Negotiated, ProtocolError, Server, State, WebSocket,
};

type Field<'a> = (&'a str, &'a [u8]);

/// The key that stands for none.
const KEY: &[u8] = b"AAAAAAAAAAAAAAAAAAAAAA==";

/// What is left out of an extended CONNECT (HX3), and whose fields are otherwise these.
fn with_those_left_out<'a>(authority: &'a str, fields: &[Field<'a>]) -> Vec<Field<'a>> {
    let left_out: [Field<'_>; 4] = [
        ("host", authority.as_bytes()),
        ("upgrade", b"websocket"),
        ("connection", b"upgrade"),
        ("sec-websocket-key", KEY),
    ];
    [&left_out, fields].concat()
}

/// HX5: the names are in lower case.
#[test]
fn hx3_hx5_hx10_a_server_checks_an_extended_connect_by_the_same_rules() {
    let fields: [Field<'_>; 4] = [
        ("sec-websocket-version", b"13"),
        ("origin", b"https://example.com"),
        ("sec-websocket-protocol", b"chat, superchat"),
        (
            "sec-websocket-extensions",
            b"permessage-deflate; client_max_window_bits",
        ),
    ];
    let all = with_those_left_out("example.com", &fields);
    let request = Request::from_headers("GET", "/chat?room=1", (1, 1), &all).unwrap();
    assert_eq!((request.path(), request.query()), ("/chat", Some("room=1")));
    assert!(request.is_same_origin(Scheme::Https) && !request.is_same_origin(Scheme::Http));
    assert!(request.subprotocols().eq(["chat", "superchat"]));
    assert!(
        request
            .extensions()
            .map(|extension| extension.name)
            .eq(["permessage-deflate"])
    );

    let mut wrong: Vec<(Vec<Field<'_>>, E)> = vec![
        (fields[1..].to_vec(), E::UnsupportedWebSocketVersion),
        (
            [&[("sec-websocket-version", &b"8"[..])], &fields[1..]].concat(),
            E::UnsupportedWebSocketVersion,
        ),
    ];
    for (name, value, error) in [
        (
            "origin",
            &b"https://evil.example"[..],
            E::DuplicateHeader("Origin"),
        ),
        (
            "sec-websocket-version",
            b"13",
            E::DuplicateHeader("Sec-WebSocket-Version"),
        ),
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
        // What RFC 9113 §8.2.1 forbids too, should the library not look.
        ("x", b"a\r\ny: b", E::InvalidHeaderValue),
    ] {
        wrong.push(([&fields[..], &[(name, value)]].concat(), error));
    }
    for (fields, error) in wrong {
        assert_eq!(
            Request::from_headers(
                "GET",
                "/chat",
                (1, 1),
                &with_those_left_out("example.com", &fields)
            )
            .unwrap_err(),
            error
        );
    }
}

/// Makes an answer with 200 (HX4) the one with 101 that it stands for, and checks it.
fn verify(fields: &[Field<'_>], protocols: &str) -> Result<Option<String>, E> {
    let accept = accept_key(KEY);
    let added: [Field<'_>; 3] = [
        ("upgrade", b"websocket"),
        ("connection", b"upgrade"),
        ("sec-websocket-accept", &accept),
    ];
    let all = [&added, fields].concat();
    Response::from_headers((1, 1), 101, &all)?
        .verify(KEY, protocols)
        .map(|verified| verified.subprotocol().map(str::to_owned))
}

#[test]
fn hx4_hx10_a_client_checks_the_answer_by_the_same_rules() {
    assert_eq!(verify(&[], "a, b"), Ok(None));
    assert_eq!(
        verify(&[("sec-websocket-protocol", b"b")], "a, b"),
        Ok(Some("b".to_owned()))
    );
    assert_eq!(
        verify(&[("sec-websocket-protocol", b"B")], "a, b"),
        Err(E::SubprotocolNotRequested)
    );
    assert_eq!(
        verify(&[("sec-websocket-protocol", b"a, b")], "a, b"),
        Err(E::SubprotocolNotRequested)
    );
    let twice: [Field<'_>; 2] = [
        ("sec-websocket-protocol", b"a"),
        ("sec-websocket-protocol", b"a"),
    ];
    assert_eq!(
        verify(&twice, "a, b"),
        Err(E::DuplicateHeader("Sec-WebSocket-Protocol"))
    );
    assert_eq!(
        verify(&[("sec-websocket-extensions", b"permessage-deflate")], ""),
        Err(E::ExtensionNotOffered)
    );
    assert_eq!(
        verify(&[("sec-websocket-extensions", b";")], ""),
        Err(E::InvalidHeader("Sec-WebSocket-Extensions"))
    );
    // An answer of HTTP/2 is not taken for one of HTTP/1.1, nor 200 for an open connection.
    assert_eq!(
        Response::from_headers((2, 0), 200, &[]).unwrap_err(),
        E::UnsupportedHttpVersion { major: 2, minor: 0 }
    );
    assert_eq!(
        Response::from_headers((1, 1), 200, &[])
            .unwrap()
            .verify(KEY, ""),
        Err(E::UnexpectedStatus(200))
    );
}

/// What was negotiated in such a way is as good as what a handshake here negotiated.
#[cfg(feature = "deflate")]
#[test]
fn hx10_compression_is_agreed_on_by_the_same_rules() {
    use ws_proto::deflate;
    let (client, server) = (
        deflate::DeflateConfig::default().with_server_max_window_bits(10),
        deflate::DeflateConfig::default(),
    );
    let offer = client.offer();
    let fields = [
        ("sec-websocket-version", &b"13"[..]),
        ("sec-websocket-extensions", offer.as_bytes()),
    ];
    let all = with_those_left_out("example.com", &fields);
    let request = Request::from_headers("GET", "/", (1, 1), &all).unwrap();
    let params = server.accept(request.extensions()).unwrap();
    let ours = Negotiated::new(Server).with_deflate(&server, params);

    let check = |answer: &str| {
        let accept = accept_key(KEY);
        let fields: [Field<'_>; 4] = [
            ("upgrade", b"websocket"),
            ("connection", b"upgrade"),
            ("sec-websocket-accept", &accept),
            ("sec-websocket-extensions", answer.as_bytes()),
        ];
        Response::from_headers((1, 1), 101, &fields)?
            .verify_deflate(KEY, "", &client)
            .map(|verified| verified.deflate())
    };
    assert_eq!(check(&params.to_string()), Ok(Some(params)));
    assert_eq!(
        check("permessage-deflate; server_max_window_bits=11"),
        Err(E::InvalidExtensionParameter)
    );
    assert_eq!(check("other"), Err(E::ExtensionNotOffered));
    let theirs = Negotiated::new(Client::new(SEED)).with_deflate(&client, params);

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

/// What a client sends in `:scheme`, `:path` and `:authority` is what it has of the URI.
#[test]
fn hx2_the_pseudo_fields_of_a_uri() {
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
        assert_eq!(if uri.is_secure() { "https" } else { "http" }, scheme);
        assert_eq!(
            (
                uri.resource_name().to_string(),
                uri.host_value().to_string()
            ),
            (path.to_owned(), authority.to_owned())
        );
    }
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
