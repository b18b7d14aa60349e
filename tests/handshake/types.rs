//! Conversions from and to the types of the crate `http` (SR17, CH18, CR19).

use crate::support::uri;
use http::{HeaderValue, Method, StatusCode, Version};
use ws_proto::Client;
use ws_proto::handshake::{Answer, ClientHandshake, HandshakeError as E, Request, Response};
use ws_proto::uri::{Uri, UriError};

fn client() -> ClientHandshake {
    ClientHandshake::new(&uri(), Client::new([7; 32]))
        .subprotocols(&["a", "b"])
        .headers(&[("X-A", b"1"), ("x-b", b"\xff"), ("x-a", b"2")])
}

/// A connection is opened with nothing but these types.
#[test]
fn sr17_ch18_cr19_both_sides_agree_over_the_types_of_http() {
    for is_http2 in [false, true] {
        let client = client();
        let parts = if is_http2 {
            client.connect_parts()
        } else {
            client.request_parts()
        };
        let protocol = parts.unwrap().protocol();
        let request = http::Request::try_from(parts.unwrap()).unwrap();
        if is_http2 {
            assert_eq!(request.method(), Method::CONNECT);
            assert_eq!(request.version(), Version::HTTP_2);
            assert_eq!(request.uri(), "http://server.example.com/chat");
        } else {
            assert_eq!(request.method(), Method::GET);
            assert_eq!(request.uri(), "/chat");
        }
        let values = request.headers().get_all("x-a").iter();
        assert!(values.eq(["1", "2"]));

        let received = Request::from_http(&request, protocol).unwrap();
        assert_eq!(
            (received.path(), received.host()),
            ("/chat", "server.example.com")
        );
        assert!(received.subprotocols().eq(["a", "b"]));
        assert_eq!(received.headers().get("X-B"), Some(&b"\xff"[..]));
        assert!(received.headers().get_all("x-A").eq([b"1", b"2"]));
        assert!(format!("{received:?}").contains("\"x-a\", \"x-a\""));
        let cookie = [("Set-Cookie", &b"c"[..])];
        let accept = received.accept().subprotocol("b").headers(&cookie);
        let (parts, negotiated) = accept.parts().unwrap();
        let mut response = http::Response::<Vec<u8>>::try_from(parts).unwrap();
        assert_eq!(response.status().as_u16(), if is_http2 { 200 } else { 101 });
        assert_eq!(response.headers()["set-cookie"], "c");
        if is_http2 {
            *response.version_mut() = Version::HTTP_2;
        }
        let answer = client.recv_response(Response::from_http(&response).unwrap());
        let Answer::Accepted {
            negotiated: theirs, ..
        } = answer.unwrap()
        else {
            panic!("rejected");
        };
        assert_eq!(theirs.subprotocol(), negotiated.subprotocol());
    }
}

#[test]
fn sr17_rejections_and_errors_become_responses() {
    let request = http::Request::try_from(client().request_parts().unwrap()).unwrap();
    let request = Request::from_http(&request, None).unwrap();
    let parts = request.reject(403).body(b"no").parts().unwrap();
    let response = http::Response::<Vec<u8>>::try_from(parts).unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    assert_eq!(response.headers()["content-length"], "2");
    assert_eq!(response.body(), b"no");

    let parts = E::MissingUpgrade.parts();
    let response = http::Response::<Vec<u8>>::try_from(parts).unwrap();
    assert_eq!(response.status(), StatusCode::UPGRADE_REQUIRED);
    assert_eq!(response.headers()["upgrade"], "websocket");
    assert_eq!(response.headers()["connection"], "Upgrade");
    assert_eq!(response.headers()["sec-websocket-version"], "13");
    assert!(response.body().is_empty());
}

/// The rules are those for any source of headers.
#[test]
fn sh20_hx3_requests_of_http_are_checked() {
    let good = http::Request::try_from(client().request_parts().unwrap()).unwrap();
    let with = |change: fn(&mut http::Request<()>)| {
        let mut request = good.clone();
        change(&mut request);
        Request::from_http(&request, None).map(drop)
    };
    assert_eq!(with(|_| ()), Ok(()));
    assert_eq!(
        with(|request| *request.method_mut() = Method::POST),
        Err(E::MethodNotAllowed)
    );
    for (version, number) in [(Version::HTTP_10, (1, 0)), (Version::HTTP_09, (0, 9))] {
        let mut request = good.clone();
        *request.version_mut() = version;
        let (major, minor) = number;
        assert_eq!(
            Request::from_http(&request, None).unwrap_err(),
            E::UnsupportedHttpVersion { major, minor }
        );
    }
    assert_eq!(
        with(|request| drop(request.headers_mut().remove("host"))),
        Err(E::MissingHeader("Host"))
    );
    let mut request = good.clone();
    let value = HeaderValue::from_static("websocket");
    request.headers_mut().append("upgrade", value);
    assert_eq!(
        Request::from_http(&request, None).unwrap_err(),
        E::DuplicateHeader("Upgrade")
    );

    let mut connect = http::Request::try_from(client().connect_parts().unwrap()).unwrap();
    let ask =
        |request: &http::Request<()>, protocol| Request::from_http(request, protocol).map(drop);
    assert_eq!(ask(&connect, Some("websocket")), Ok(()));
    assert_eq!(ask(&connect, Some("x")), Err(E::UnsupportedProtocol));
    assert_eq!(ask(&connect, None), Err(E::MissingHeader(":protocol")));
    *connect.version_mut() = Version::HTTP_3;
    assert_eq!(ask(&connect, Some("websocket")), Ok(()));
    *connect.method_mut() = Method::GET;
    assert_eq!(
        ask(&connect, Some("websocket")),
        Err(E::MissingHeader(":protocol"))
    );
    let mut good = good;
    *good.version_mut() = Version::HTTP_2;
    assert_eq!(ask(&good, None), Err(E::MissingHeader(":protocol")));
    assert_eq!(E::MissingHeader(":protocol").status(), 400);
}

/// CH14
#[test]
fn ch14_a_uri_of_http_is_one_of_websocket_or_an_error() {
    for text in ["ws://a/", "wss://example.com:8443/chat?x", "wss://[::1]/"] {
        let uri: http::Uri = text.parse().unwrap();
        assert_eq!(Uri::try_from(&uri), Uri::parse(text));
    }
    for (text, error) in [
        ("http://a/", UriError::InvalidScheme),
        ("/chat", UriError::InvalidScheme),
        ("ws://u@a/", UriError::UnexpectedUserInfo),
        ("ws://a/|", UriError::InvalidResourceName),
    ] {
        let uri: http::Uri = text.parse().unwrap();
        assert_eq!(Uri::try_from(&uri), Err(error), "{text}");
    }
}
