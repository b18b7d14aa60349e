//! SE11: the printed form of a handshake contains nothing from its peers; and the conversion of its
//! errors to those of `std::io`.

use crate::support::{Head, client};
use std::error::Error;
use std::fmt::Debug;
use std::io::{self, ErrorKind};
use ws_proto::handshake::{
    Answer, ClientHandshake, HandshakeError, HeadLimits, Request, Response, ServerHandshake,
    WriteError,
};
use ws_proto::uri::{Uri, UriError};
use ws_proto::{Client, Output, SliceOutput};

/// Text that must not be printed: in the forms in which text and bytes are printed, and the key of
/// [`secretive`].
#[track_caller]
fn hides(value: &impl Debug) {
    for text in [format!("{value:?}"), format!("{value:#?}")] {
        for secret in [
            "MARK",
            "77, 65, 82, 75",
            "dGhlIHNhbXBsZSBub25jZQ",
            "100, 71, 104",
            "0x4d",
        ] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        assert!(!text.is_empty() && text.len() < 1000);
    }
}

/// A request with a mark in each place where a client can have one that is not a name.
fn secretive() -> Head {
    Head::request()
        .first("GET /path?token=MARK HTTP/1.1")
        .but("Host", "MARK.example.com")
        .but("Upgrade", "websocket, MARK")
        .but("Connection", "Upgrade, MARK")
        .with("Origin: https://MARK")
        .with("Sec-WebSocket-Protocol: MARK")
        .with("Sec-WebSocket-Extensions: MARK")
        .with("Cookie: MARK")
        .with("Authorization: Bearer MARK")
}

#[test]
fn se11_a_request_and_its_answers_are_printed_without_values() {
    let head = secretive().bytes();
    let (request, _) = Request::parse(&head, &HeadLimits::default())
        .unwrap()
        .unwrap();
    assert_eq!(
        (request.query(), request.subprotocols().count()),
        (Some("token=MARK"), 1)
    );
    hides(&request);
    hides(&Request::parse(&head, &HeadLimits::default()));
    hides(request.headers());
    let fields: Vec<_> = request.headers().iter().collect();
    hides(&Request::from_headers("GET", request.target(), (1, 1), &fields).unwrap());
    hides(&Request::from_headers("GET", "http://MARK/path?MARK", (1, 1), &fields).unwrap());

    let fields = [("Set-Cookie", &b"MARK"[..])];
    hides(&request.accept().subprotocol("MARK").headers(&fields));
    hides(&request.reject(403).headers(&fields).body(b"MARK"));
    #[cfg(feature = "deflate")]
    hides(
        &request
            .accept()
            .deflate(&ws_proto::deflate::DeflateConfig::default()),
    );
}

/// And with the facts that are useful in a log.
#[test]
fn a_request_and_its_answers_are_printed_with_names() {
    let head = Head::request()
        .first("GET http://h/chat?room=1 HTTP/1.1")
        .bytes();
    let (request, _) = Request::parse(&head, &HeadLimits::default())
        .unwrap()
        .unwrap();
    let names =
        r#"["Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"]"#;
    let shown = format!("Request {{ path: \"/chat\", headers: {names}, .. }}");
    assert_eq!(format!("{request:?}"), shown);
    let fields = [("X-A", &b"1"[..]), ("x-b", b"2")];
    assert_eq!(
        format!("{:?}", request.accept().headers(&fields)),
        format!("Accept {{ request: {shown}, headers: [\"X-A\", \"x-b\"], .. }}")
    );
    assert_eq!(
        format!("{:?}", request.reject(403).headers(&fields)),
        r#"HttpResponse { status: 403, headers: ["X-A", "x-b"], .. }"#
    );

    let head = Head::response().bytes();
    let (response, _) = Response::parse(&head, &HeadLimits::default())
        .unwrap()
        .unwrap();
    let shown = r#"Response { status: 101, headers: ["Upgrade", "Connection", "Sec-WebSocket-Accept"], .. }"#;
    assert_eq!(format!("{response:?}"), shown);
    let mut head = head;
    assert_eq!(
        format!("{:?}", client().recv(&mut &mut head[..]).unwrap().unwrap()),
        format!("Accepted {{ response: {shown}, .. }}")
    );
    let mut head = *b"HTTP/1.1 404 \r\nX: y\r\n\r\n";
    let shown = r#"Rejected(Response { status: 404, headers: ["X"], .. })"#;
    assert_eq!(
        format!("{:?}", client().recv(&mut &mut head[..]).unwrap().unwrap()),
        shown
    );
}

#[test]
fn se11_a_response_is_printed_without_values() {
    let uri = Uri::parse("ws://MARK.example.com/?token=MARK").unwrap();
    let asking = || {
        client()
            .subprotocols(&["MARK"])
            .headers(&[("Authorization", b"MARK")])
            .origin("https://MARK")
    };
    hides(&ClientHandshake::new(
        &uri,
        Client::new(*b"MARKMARKMARKMARKMARKMARKMARKMARK"),
    ));
    let accepting = Head::response()
        .first("HTTP/1.1 101 MARK")
        .with("Sec-WebSocket-Protocol: MARK")
        .with("Set-Cookie: MARK");
    let refusing = Head::of(&["HTTP/1.1 401 MARK", "WWW-Authenticate: MARK"]);
    for head in [accepting, refusing] {
        let mut head = head.bytes();
        let (response, _) = Response::parse(&head, &HeadLimits::default())
            .unwrap()
            .unwrap();
        hides(&response);
        let mut client = asking();
        hides(&client);
        let (begin, mut rest) = head.split_at_mut(40);
        assert!(client.recv(&mut &mut *begin).unwrap().is_none());
        hides(&client);
        match client.recv(&mut rest).unwrap().unwrap() {
            answer @ Answer::Accepted { .. } => hides(&answer),
            answer @ Answer::Rejected(_) => hides(&answer),
        }
        hides(&client);
    }
    let mut failed = asking();
    hides(&failed.recv(&mut &mut b"HTTP/1.1 101 MARK\0".to_vec()[..]));
    hides(&failed);
}

#[test]
fn se11_a_server_is_printed_without_what_it_read() {
    let mut head = secretive().bytes();
    let (begin, mut rest) = head.split_at_mut(100);
    let mut server = ServerHandshake::new();
    assert!(
        server
            .recv(&mut &mut *begin, &mut Vec::new())
            .unwrap()
            .is_none()
    );
    hides(&server);
    hides(&server.recv(&mut rest, &mut Vec::new()));
    hides(&server);
    let mut server = ServerHandshake::new();
    hides(&server.recv(&mut &mut b"GET /MARK MARK".to_vec()[..], &mut Vec::new()));
    hides(&server);
}

/// The error is unchanged, in one of the kinds that callers examine.
#[track_caller]
fn becomes<E: Error + PartialEq + Copy + Into<io::Error> + Send + Sync + 'static>(
    error: E,
    kind: ErrorKind,
) {
    let io: io::Error = error.into();
    assert_eq!(io.kind(), kind, "{error:?}");
    assert_eq!(
        io.get_ref().and_then(|inner| inner.downcast_ref()),
        Some(&error)
    );
    assert_eq!(io.to_string(), error.to_string());
}

#[test]
fn errors_of_a_handshake_become_errors_of_io() {
    use HandshakeError as E;
    becomes(E::Incomplete, ErrorKind::UnexpectedEof);
    for status in [200, 302, 401, 503] {
        becomes(E::UnexpectedStatus(status), ErrorKind::ConnectionRefused);
    }
    for error in [
        E::HeadTooLarge { limit: 1 },
        E::TooManyHeaders { limit: 1 },
        E::TooManyInterimResponses { limit: 1 },
        E::BareLf,
        E::BareCr,
        E::ObsFold,
        E::InvalidHeaderName,
        E::InvalidHeaderValue,
        E::InvalidRequestLine,
        E::InvalidStatusLine,
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
        E::ExtensionNotOffered,
        E::InvalidExtensionParameter,
        E::SubprotocolNotRequested,
        E::MissingSubprotocol,
    ] {
        becomes(error, ErrorKind::InvalidData);
    }
}

#[test]
fn mistakes_of_the_caller_become_errors_of_io() {
    use WriteError as W;
    becomes(W::OutputFull { needed: 7 }, ErrorKind::WriteZero);
    for error in [
        W::InvalidHeaderName,
        W::InvalidHeaderValue,
        W::ReservedHeader,
        W::InvalidSubprotocol,
        W::DuplicateSubprotocol,
        W::SubprotocolNotRequested,
        W::InvalidStatus,
        W::UnexpectedBody,
    ] {
        becomes(error, ErrorKind::InvalidInput);
    }
    use UriError as U;
    for error in [
        U::InvalidScheme,
        U::UnexpectedUserInfo,
        U::InvalidHost,
        U::HostNotAscii,
        U::InvalidPort,
        U::UnexpectedFragment,
        U::InvalidResourceName,
    ] {
        becomes(error, ErrorKind::InvalidInput);
    }
}

/// With `?`, as a driver has it.
#[test]
fn every_error_of_a_handshake_passes_a_function_of_io() {
    fn open(uri: &str, answer: &str, out: &mut dyn Output) -> io::Result<()> {
        let mut handshake = ClientHandshake::new(&Uri::parse(uri)?, Client::new([7; 32]));
        handshake.write_request(out)?;
        handshake.recv(&mut &mut answer.as_bytes().to_vec()[..])?;
        Ok(handshake.recv_eof()?)
    }
    for (uri, answer, kind) in [
        ("http://h", "", ErrorKind::InvalidInput),
        ("ws://h", "x", ErrorKind::InvalidData),
        ("ws://h", "HTTP/1.1 101", ErrorKind::UnexpectedEof),
    ] {
        assert_eq!(
            open(uri, answer, &mut Vec::new()).unwrap_err().kind(),
            kind,
            "{answer}"
        );
    }
    assert_eq!(
        open("ws://h", "", &mut SliceOutput::new(&mut []))
            .unwrap_err()
            .kind(),
        ErrorKind::WriteZero
    );
    open("ws://h", "HTTP/1.1 404\r\n\r\n", &mut Vec::new()).unwrap();
}
