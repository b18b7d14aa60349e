//! A tunnel through an HTTP proxy (PX).

use crate::support::{Head, client, values, written};
use proptest::{collection::vec, prelude::*};
use ws_proto::handshake::{
    Answer, Body, HandshakeError as E, HeadLimits, ProxyAnswer, ProxyConnect, WriteError,
};
use ws_proto::{SliceOutput, uri::Uri};

fn connect(uri: &str) -> ProxyConnect {
    ProxyConnect::new(&Uri::parse(uri).unwrap())
}

fn request(proxy: &ProxyConnect) -> String {
    let mut out = Vec::new();
    proxy.write_request(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// RFC 9110 §7.2, §9.3.6, RFC 6455 §4.1
#[test]
fn px1_the_request_names_host_and_port() {
    for (uri, target) in [
        ("ws://Example.com/chat?x", "example.com:80"),
        ("wss://example.com", "example.com:443"),
        ("wss://example.com:8443/", "example.com:8443"),
        ("ws://[::A]/", "[::a]:80"),
    ] {
        assert_eq!(
            request(&connect(uri)),
            format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n")
        );
    }
}

#[test]
fn px1_headers_of_the_caller_are_sent_in_order() {
    let headers = [
        ("Proxy-Authorization", &b"Basic dTpw"[..]),
        ("user-agent", b"x"),
    ];
    let text = request(&connect("ws://a").headers(&headers));
    assert!(text.ends_with("\r\nProxy-Authorization: Basic dTpw\r\nuser-agent: x\r\n\r\n"));
}

#[test]
fn px2_i1_headers_cannot_end_their_line_and_a_request_is_written_whole() {
    for (name, value, error) in [
        ("X", "a\r\nY: z", WriteError::InvalidHeaderValue),
        ("X\r\n", "a", WriteError::InvalidHeaderName),
        ("Host", "b", WriteError::ReservedHeader),
        ("Content-Length", "5", WriteError::ReservedHeader),
    ] {
        let proxy = connect("ws://a").headers(&[(name, value.as_bytes())]);
        let mut out = Vec::new();
        assert_eq!(proxy.write_request(&mut out), Err(error));
        assert_eq!(proxy.headers(&[]).write_request(&mut out), Err(error));
        assert!(out.is_empty());
    }
    let proxy = connect("ws://a");
    let whole = request(&proxy);
    let mut memory = vec![0; whole.len() - 1];
    let needed = whole.len();
    let written = proxy.write_request(&mut SliceOutput::new(&mut memory));
    assert_eq!(written, Err(WriteError::OutputFull { needed }));
}

/// RFC 9110 §9.3.6: any 2xx, and its headers about a body are ignored. The handshake follows on the
/// same bytes.
#[test]
fn px3_a_tunnel_begins_after_any_2xx() {
    for status in [200, 201, 204, 299] {
        let mut bytes = format!(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 {status} \r\nContent-Length: 5\r\n\
             Transfer-Encoding: chunked\r\n\r\n{}frames",
            Head::response().text()
        )
        .into_bytes();
        let mut input = &mut bytes[..];
        let mut proxy = connect("ws://server.example.com/chat");
        match proxy.recv(&mut input).unwrap().unwrap() {
            ProxyAnswer::Connected(response) => assert_eq!(response.status(), status),
            ProxyAnswer::Rejected(response) => panic!("{response:?}"),
        }
        let mut client = client();
        assert!(written(&client).starts_with("GET /chat "));
        let answer = client.recv(&mut input).unwrap();
        assert!(matches!(answer, Some(Answer::Accepted { .. })));
        assert_eq!(*input, b"frames"[..]);
        // The proxy has nothing more to do with it.
        assert!(proxy.recv(&mut input).unwrap().is_none());
        assert_eq!(*input, b"frames"[..]);
        assert_eq!(proxy.recv_eof(), Ok(()));
        assert_eq!(proxy.refused_head(), b"");
    }
}

#[test]
fn px4_another_status_is_handed_over() {
    let mut bytes = b"HTTP/1.1 407 Proxy Authentication Required\r\n\
        Proxy-Authenticate: Basic realm=\"x\"\r\nContent-Length: 3\r\n\r\nwhy"
        .to_vec();
    let mut input = &mut bytes[..];
    let mut proxy = connect("ws://a");
    match proxy.recv(&mut input).unwrap().unwrap() {
        ProxyAnswer::Rejected(response) => {
            assert_eq!((response.status(), response.body()), (407, Body::Length(3)));
            let challenge = response.headers().get("proxy-authenticate");
            assert_eq!(challenge, Some(&b"Basic realm=\"x\""[..]));
        }
        ProxyAnswer::Connected(response) => panic!("{response:?}"),
    }
    assert_eq!(*input, b"why"[..]);
}

/// PX5: as in any handshake (CR18), and 101 is none that was asked for.
#[test]
fn px5_a_malformed_response_fails() {
    for (text, error) in [
        (
            "HTTP/1.1 101 \r\nUpgrade: websocket\r\n\r\n",
            E::UnexpectedStatus(101),
        ),
        (
            "HTTP/2.0 200",
            E::UnsupportedHttpVersion { major: 2, minor: 0 },
        ),
        ("HTTP/1.1 200 OK\n", E::BareLf),
        ("HTTP/1.1 407 \r\n x", E::ObsFold),
        ("\x16\x03", E::InvalidStatusLine),
    ] {
        for len in [1, text.len()] {
            let (mut bytes, mut proxy) = (text.as_bytes().to_vec(), connect("ws://a"));
            let mut last = Ok(());
            for mut piece in bytes.chunks_mut(len) {
                last = proxy.recv(&mut piece).map(drop);
                if last.is_err() {
                    assert!(piece.is_empty());
                    break;
                }
            }
            assert_eq!(last, Err(error), "{text:?}");
            assert!(text.as_bytes().starts_with(proxy.refused_head()));
            assert!(!proxy.refused_head().is_empty());
            let mut more = b"HTTP/1.1 200 \r\n\r\n".to_vec();
            assert_eq!(proxy.recv(&mut &mut more[..]).unwrap_err(), error);
            assert_eq!(proxy.recv_eof(), Err(error));
        }
    }
    let mut proxy = connect("ws://a");
    assert!(
        proxy
            .recv(&mut &mut b"HTTP/1.".to_vec()[..])
            .unwrap()
            .is_none()
    );
    assert_eq!(proxy.recv_eof(), Err(E::Incomplete));
    assert_eq!(proxy.refused_head(), b"HTTP/1.");

    let limits = HeadLimits::new().with_max_bytes(10);
    let mut proxy = connect("ws://a").limits(limits);
    let mut bytes = *b"HTTP/1.1 200 OK";
    let received = proxy.recv(&mut &mut bytes[..]);
    assert_eq!(received.unwrap_err(), E::HeadTooLarge { limit: 10 });
}

/// SE11
#[test]
fn se11_a_proxy_is_printed_without_credentials() {
    let proxy = connect("ws://MARK").headers(&[("Proxy-Authorization", b"MARK")]);
    assert!(!format!("{proxy:?}").contains("MARK"));
    assert!(values(&request(&proxy), "Proxy-Authorization") == ["MARK"]);
}

proptest! {
    #[test]
    fn px3_px4_px5_sh17_any_cut_gives_the_same(
        head in proptest::sample::select(vec![
            "HTTP/1.1 200 OK\r\nX: y\r\n\r\n", "HTTP/1.1 100 \r\n\r\nHTTP/1.0 407 \r\n\r\n", "HTTP/1.1 101 \r\n\r\n",
        ]),
        at: proptest::sample::Index, byte: Option<u8>, rest in vec(any::<u8>(), 0..8), len in 1..30_usize,
    ) {
        let mut bytes = head.as_bytes().to_vec();
        if let Some(byte) = byte {
            *at.get_mut(&mut bytes) = byte;
        }
        bytes.extend(rest);
        let run = |len: usize| {
            let (mut bytes, mut proxy) = (bytes.clone(), connect("ws://a"));
            let (mut result, mut left) = (Ok(None), Vec::new());
            for mut piece in bytes.chunks_mut(len) {
                match proxy.recv(&mut piece) {
                    Ok(None) => {}
                    Ok(Some(answer)) => result = Ok(Some(format!("{answer:?}"))),
                    Err(error) => result = Err(error),
                }
                left.extend_from_slice(piece);
            }
            (result, left, proxy.refused_head().to_vec(), proxy.recv_eof())
        };
        prop_assert_eq!(run(len), run(bytes.len()));
    }
}
