//! Opening handshakes (RFC 6455 §4): we talk to `tungstenite` and `tokio-websockets` both ways, and
//! `tungstenite` judges the same requests and responses.
//!
//! `httparse` is the parser of `tungstenite`: the heads here are those that are left when the
//! differences in parsing are removed.

use crate::cases;
use crate::common::{SEED, TestRole};
use crate::difference::{Difference, Found};
use crate::endpoint::{Endpoint, Event, Step};
use crate::heads::{self, GOOD, Requests, Responses, request, response};
use crate::tokio_websockets::TokioWebsockets;
use crate::tungstenite::Tungstenite;
use crate::wire::Wire;
use futures_util::FutureExt;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use tokio_websockets::{ClientBuilder, ServerBuilder};
use tungstenite::error::{Error, ProtocolError};
use tungstenite::handshake::HandshakeError as Interrupted;
use tungstenite::http;
use ws_proto::handshake::{
    Answer, ClientHandshake, HandshakeError, HeadLimits, Request, Response, ServerHandshake,
};
use ws_proto::uri::Uri;
use ws_proto::{Client, Config, Message, Server, WebSocket};

/// Requests that we refuse and they accept, by the fault that we name.
static REFUSED: [(HandshakeError, Difference); 15] = {
    const fn refused(ours: &'static str, rule: &'static str) -> Difference {
        Difference {
            theirs: "accepts it",
            ours,
            rule,
        }
    }
    [
        (
            HandshakeError::MissingHeader("Host"),
            refused(
                "refuse a request without Host",
                "RFC 6455 §4.2.1: a Host field (SH3)",
            ),
        ),
        (
            HandshakeError::DuplicateHeader("Host"),
            refused(
                "refuse two Hosts",
                "RFC 9112 §3.2: 400 for more than one Host field line (SH3)",
            ),
        ),
        (
            HandshakeError::InvalidHeader("Host"),
            refused(
                "refuse a Host that is none",
                "RFC 9112 §3.2: 400 for a Host with an invalid value (SH3)",
            ),
        ),
        (
            HandshakeError::InvalidTarget,
            refused(
                "refuse a target without a path",
                "RFC 6455 §4.2.1: a path or an absolute URI (SH15); §3: no fragment",
            ),
        ),
        (
            HandshakeError::DuplicateHeader("Sec-WebSocket-Key"),
            refused(
                "refuse two keys",
                "RFC 6455 §11.3.1: MUST NOT appear more than once (SH7)",
            ),
        ),
        (
            HandshakeError::DuplicateHeader("Sec-WebSocket-Version"),
            refused(
                "refuse two versions",
                "RFC 6455 §11.3.5: MUST NOT appear more than once in a request (SH9)",
            ),
        ),
        (
            HandshakeError::DuplicateHeader("Upgrade"),
            refused(
                "refuse two lines of Upgrade",
                "H4: two readers might each take another line, though RFC 9110 §5.3, §7.8 would join them",
            ),
        ),
        (
            HandshakeError::DuplicateHeader("Origin"),
            refused(
                "refuse two origins",
                "RFC 6455 §10.2: the origin decides who gets in, so there is one (H4, C1)",
            ),
        ),
        (
            HandshakeError::InvalidHeader("Connection"),
            refused(
                "refuse a Connection with an element that is no token",
                "RFC 9110 §7.6.1: a list of tokens, with commas between them (SH5, SH13)",
            ),
        ),
        (
            HandshakeError::UnexpectedBody,
            refused(
                "refuse a request with a body",
                "RFC 9110 §9.3.1: what follows a GET would be read as frames by us only (SH19)",
            ),
        ),
        (
            HandshakeError::InvalidHeader("Sec-WebSocket-Protocol"),
            refused(
                "refuse a list of subprotocols that is none",
                "RFC 6455 §4.2.1, §11.3.4: one or more tokens (SH13)",
            ),
        ),
        (
            HandshakeError::InvalidHeader("Sec-WebSocket-Extensions"),
            refused(
                "refuse extensions against the grammar",
                "RFC 6455 §9.1: the connection MUST be failed (EX2, CR16)",
            ),
        ),
        (
            HandshakeError::DuplicateHeader("Sec-WebSocket-Accept"),
            refused(
                "refuse two proofs",
                "RFC 6455 §11.3.3: MUST NOT appear more than once (CR7)",
            ),
        ),
        (
            HandshakeError::DuplicateHeader("Sec-WebSocket-Protocol"),
            refused(
                "refuse an answer with two subprotocols",
                "RFC 6455 §11.3.4: MUST NOT appear more than once in a response (CR11)",
            ),
        ),
        (
            HandshakeError::ExtensionNotOffered,
            refused(
                "refuse extensions not offered",
                "RFC 6455 §4.1: MUST fail (CR8, N1)",
            ),
        ),
    ]
};

const CONNECTION_WITH_OTHERS: Difference = Difference {
    theirs: "looks for Upgrade in the first Connection line only, if that is ASCII: between commas and spaces, but alone in a response",
    ours: "find it in any line, in a list, whatever else is in it",
    rule: "RFC 9110 §5.3, §5.6.1: several lines are one list, with any whitespace around its commas (SH5, CR5)",
};

const UPGRADE_WITH_OTHERS: Difference = Difference {
    theirs: "wants Upgrade of a request to be websocket alone",
    ours: "find it in the list",
    rule: "RFC 6455 §4.2.1: the field contains the value websocket; RFC 9110 §7.8: a list (SH4)",
};

const KEY_PADDING: Difference = Difference {
    theirs: "refuses a key whose last character has padding bits that are not zero",
    ours: "accept it",
    rule: "RFC 6455 §4.2.1 asks for what decodes to 16 bytes; the key printed in §4.1 as an example is such a one (SH6)",
};

const TARGET_NOT_ENCODED: Difference = Difference {
    theirs: "refuses targets with characters that RFC 3986 wants to be encoded",
    ours: "take all that is visible ASCII",
    rule: "RFC 6455 leaves it open, and RFC 9112 §3.2 says SHOULD; browsers send such targets, which are handed on as they came (SH15)",
};

const NO_PROTOCOL: Difference = Difference {
    theirs: "fails if the server chose none of the subprotocols that were requested",
    ours: "accept it unless asked to insist",
    rule: "RFC 6455 §4.1/6 fails for subprotocols not requested, and §4.2.2/5 lets a server choose none (CR12)",
};

const EARLY_FRAMES: Difference = Difference {
    theirs: "refuses a request with frames right behind it",
    ours: "leave them in the input, to be received",
    rule: "RFC 6455 §4.1 binds the client to wait; what a server does with what comes early is its own to say (SH18, H7)",
};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const PROTOCOLS: &str = "chat, superchat";

/// Why `tungstenite` did not open the connection; nothing if it waits for more.
type Refusal = Option<Error>;

fn refusal<R: tungstenite::handshake::HandshakeRole>(error: Interrupted<R>) -> Refusal {
    match error {
        Interrupted::Interrupted(_) => None,
        Interrupted::Failure(error) => Some(error),
    }
}

/// The first line with this name, which is all that they look at, does not have this element when
/// it is split as they do, or is not ASCII.
fn lacks(first: Option<&[u8]>, element: &str, separators: &[u8]) -> bool {
    let is_it = |part: &[u8]| part.eq_ignore_ascii_case(element.as_bytes());
    !first.is_some_and(|value| {
        value.is_ascii() && value.split(|byte| separators.contains(byte)).any(is_it)
    })
}

fn is_listed(error: HandshakeError) -> Option<&'static Difference> {
    REFUSED
        .iter()
        .find(|(listed, _)| *listed == error)
        .map(|(_, difference)| difference)
}

/// Compares the verdicts on a request.
fn compare_request(bytes: &[u8]) -> Result<Found, String> {
    let (_, bytes) = heads::compare::<Requests>(bytes)?;
    let end = bytes
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .map_or(bytes.len(), |at| at + 4);
    let head = &bytes[..end];
    let wire = Wire::default();
    wire.feed(head);
    let theirs = tungstenite::accept(wire.clone()).map(drop).map_err(refusal);
    let ours = Request::parse(head, &HeadLimits::default());
    let difference = match (&ours, &theirs) {
        (Ok(None) | Err(_), Err(_)) => return Ok(Found::default()),
        (Ok(Some((request, _))), Ok(())) => {
            let answer = wire.take_written();
            let key = request
                .headers()
                .get("Sec-WebSocket-Key")
                .unwrap_or_default();
            let verified = Response::parse(&answer, &HeadLimits::default())
                .map(|response| response.map(|(response, _)| response.verify(key, "")))
                .map(|verified| verified.map(|verified| verified.map(|it| it.subprotocol())));
            return if verified == Ok(Some(Ok(None))) {
                Ok(Found::default())
            } else {
                Err(format!("{verified:?}: {}", answer.escape_ascii()))
            };
        }
        (Err(error), Ok(())) => is_listed(*error),
        (
            Ok(Some((request, _))),
            Err(Some(Error::Protocol(ProtocolError::MissingConnectionUpgradeHeader))),
        ) => lacks(request.headers().get("Connection"), "Upgrade", b" ,")
            .then_some(&CONNECTION_WITH_OTHERS),
        (
            Ok(Some((request, _))),
            Err(Some(Error::Protocol(ProtocolError::MissingUpgradeWebSocketHeader))),
        ) => lacks(request.headers().get("Upgrade"), "websocket", b"")
            .then_some(&UPGRADE_WITH_OTHERS),
        (
            Ok(Some((request, _))),
            Err(Some(Error::Protocol(ProtocolError::InvalidSecWebSocketKey))),
        ) => {
            let key = request
                .headers()
                .get("Sec-WebSocket-Key")
                .unwrap_or_default();
            (key.len() == 24 && !b"AQgw".contains(&key[21])).then_some(&KEY_PADDING)
        }
        (Ok(Some((request, _))), Err(Some(Error::HttpFormat(_)))) => request
            .target()
            .contains(|char| "\"<>\\^`{|}[]".contains(char))
            .then_some(&TARGET_NOT_ENCODED),
        _ => None,
    };
    found(difference).ok_or_else(|| {
        format!(
            "not listed: of b\"{}\"\nwe make {ours:?}\nthey make {theirs:?}",
            head.escape_ascii()
        )
    })
}

/// Compares the verdicts on a response to a request with [`KEY`] and [`PROTOCOLS`].
fn compare_response(bytes: &[u8]) -> Result<Found, String> {
    let (_, bytes) = heads::compare::<Responses>(bytes)?;
    let wire = Wire::default();
    wire.feed(&bytes);
    let request = http::Request::builder()
        .uri("ws://example.com/")
        .header("Host", "example.com")
        .header("Upgrade", "websocket")
        .header("Connection", "Upgrade")
        .header("Sec-WebSocket-Key", KEY)
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Protocol", PROTOCOLS)
        .body(())
        .expect("a request");
    let theirs = tungstenite::client(request, wire)
        .map(drop)
        .map_err(refusal);
    let verified = Response::parse(&bytes, &HeadLimits::default()).map(|parsed| {
        parsed.map(|(response, _)| response.verify(KEY.as_bytes(), PROTOCOLS).map(|_| response))
    });
    let ours = verified.and_then(Option::transpose);
    let difference = match (&ours, &theirs) {
        (Ok(None) | Err(_), Err(_)) | (Ok(Some(_)), Ok(())) => return Ok(Found::default()),
        (Err(error), Ok(())) => is_listed(*error),
        (
            Ok(Some(response)),
            Err(Some(Error::Protocol(ProtocolError::MissingConnectionUpgradeHeader))),
        ) => lacks(response.headers().get("Connection"), "Upgrade", b"")
            .then_some(&CONNECTION_WITH_OTHERS),
        (
            Ok(Some(response)),
            Err(Some(Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(_)))),
        ) => response
            .headers()
            .get("Sec-WebSocket-Protocol")
            .is_none()
            .then_some(&NO_PROTOCOL),
        _ => None,
    };
    found(difference).ok_or_else(|| {
        format!(
            "not listed: of b\"{}\"\nwe make {ours:?}\nthey make {theirs:?}",
            bytes.escape_ascii()
        )
    })
}

fn found(difference: Option<&'static Difference>) -> Option<Found> {
    let mut found = Found::default();
    found.push(difference?);
    Some(found)
}

proptest! {
    #![proptest_config(cases(50_000))]

    #[test]
    fn a_server_agrees_with_tungstenite(head in request()) {
        compare_request(&head.0).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn a_client_agrees_with_tungstenite(head in response()) {
        compare_response(&head.0).map_err(TestCaseError::fail)?;
    }
}

/// The random heads are not all alike: they meet every difference.
#[test]
fn random_heads_meet_every_difference() {
    let mut runner = TestRunner::deterministic();
    let (requests, responses) = (request(), response());
    let mut met = Found::default();
    for _ in 0..20_000 {
        met.extend(
            &compare_request(&requests.new_tree(&mut runner).expect("a head").current().0)
                .expect("what is listed"),
        );
        met.extend(
            &compare_response(&responses.new_tree(&mut runner).expect("a head").current().0)
                .expect("what is listed"),
        );
    }
    let refused = REFUSED.iter().filter_map(|(error, _)| is_listed(*error));
    let accepted = [
        &CONNECTION_WITH_OTHERS,
        &UPGRADE_WITH_OTHERS,
        &KEY_PADDING,
        &TARGET_NOT_ENCODED,
        &NO_PROTOCOL,
    ];
    met.is(&refused.chain(accepted).collect::<Vec<_>>());
}

const RESPONSE: &str = "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n";

/// Asserts that the verdicts on a good request with one line changed differ, and by which
/// difference.
#[track_caller]
fn request_differs(line: &str, changed: &str, by: &[&'static Difference]) {
    assert!(GOOD.contains(line));
    compare_request(GOOD.replace(line, changed).as_bytes())
        .expect("what is listed")
        .is(by);
}

/// The same of a response.
#[track_caller]
fn response_differs(line: &str, changed: &str, by: &[&'static Difference]) {
    assert!(RESPONSE.contains(line));
    compare_response(RESPONSE.replace(line, changed).as_bytes())
        .expect("what is listed")
        .is(by);
}

#[test]
fn no_difference_where_there_is_none() {
    request_differs("Host: a", "Host: a", &[]);
    request_differs("Connection: Upgrade", "connection:keep-alive, UPGRADE", &[]);
    for line in [
        "Upgrade: websocket\r\n",
        "Connection: Upgrade\r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        "Sec-WebSocket-Version: 13\r\n",
    ] {
        request_differs(line, "", &[]);
    }
    request_differs("GET", "POST", &[]);
    request_differs("HTTP/1.1", "HTTP/1.0", &[]);
    request_differs("ZQ==", "ZQ=", &[]);
    request_differs("Version: 13", "Version: 12", &[]);

    response_differs("chat", "superchat", &[]);
    response_differs("chat", "other", &[]);
    response_differs("101", "302", &[]);
    response_differs("HTTP/1.1", "HTTP/1.0", &[]);
    response_differs("s3p", "S3p", &[]);
    for line in [
        "Upgrade: websocket\r\n",
        "Connection: Upgrade\r\n",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n",
    ] {
        response_differs(line, "", &[]);
    }
}

#[test]
fn what_tungstenite_accepts_is_shown() {
    let of = |error| is_listed(error).expect("it is listed");
    let twice = |line: &str| format!("{line}\r\n{line}");
    request_differs(
        "Host: a\r\n",
        "",
        &[of(HandshakeError::MissingHeader("Host"))],
    );
    request_differs(
        "Host: a",
        &twice("Host: a"),
        &[of(HandshakeError::DuplicateHeader("Host"))],
    );
    request_differs(
        "Host: a",
        "Host: a b",
        &[of(HandshakeError::InvalidHeader("Host"))],
    );
    request_differs("GET /", "GET *", &[of(HandshakeError::InvalidTarget)]);
    request_differs("GET /", "GET a:80", &[of(HandshakeError::InvalidTarget)]);
    request_differs("GET /", "GET /#", &[of(HandshakeError::InvalidTarget)]);
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
    request_differs(
        key,
        &twice(key),
        &[of(HandshakeError::DuplicateHeader("Sec-WebSocket-Key"))],
    );
    let version = "Sec-WebSocket-Version: 13";
    request_differs(
        version,
        &twice(version),
        &[of(HandshakeError::DuplicateHeader("Sec-WebSocket-Version"))],
    );
    request_differs(
        "Upgrade: websocket",
        &twice("Upgrade: websocket"),
        &[of(HandshakeError::DuplicateHeader("Upgrade"))],
    );
    request_differs(
        "Host: a",
        "Host: a\r\nOrigin: b\r\nOrigin: c",
        &[of(HandshakeError::DuplicateHeader("Origin"))],
    );
    request_differs(
        "Connection: Upgrade",
        "Connection: a Upgrade",
        &[of(HandshakeError::InvalidHeader("Connection"))],
    );
    request_differs(
        "Host: a",
        "Host: a\r\nContent-Length: 1",
        &[of(HandshakeError::UnexpectedBody)],
    );
    request_differs(
        "Host: a",
        "Host: a\r\nTransfer-Encoding: chunked",
        &[of(HandshakeError::UnexpectedBody)],
    );
    request_differs(
        "Host: a",
        "Host: a\r\nSec-WebSocket-Protocol: ,",
        &[of(HandshakeError::InvalidHeader("Sec-WebSocket-Protocol"))],
    );
    request_differs(
        "Host: a",
        "Host: a\r\nSec-WebSocket-Extensions: a;",
        &[of(HandshakeError::InvalidHeader(
            "Sec-WebSocket-Extensions",
        ))],
    );

    response_differs(
        "Upgrade: websocket",
        &twice("Upgrade: websocket"),
        &[of(HandshakeError::DuplicateHeader("Upgrade"))],
    );
    let accept = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
    response_differs(
        accept,
        &twice(accept),
        &[of(HandshakeError::DuplicateHeader("Sec-WebSocket-Accept"))],
    );
    let protocol = "Sec-WebSocket-Protocol: chat";
    response_differs(
        protocol,
        &twice(protocol),
        &[of(HandshakeError::DuplicateHeader(
            "Sec-WebSocket-Protocol",
        ))],
    );
    let extensions = "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: permessage-deflate";
    response_differs(
        protocol,
        extensions,
        &[of(HandshakeError::ExtensionNotOffered)],
    );
    let extensions = "Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Extensions: a;";
    response_differs(
        protocol,
        extensions,
        &[of(HandshakeError::InvalidHeader(
            "Sec-WebSocket-Extensions",
        ))],
    );
}

#[test]
fn connection_with_others_is_shown() {
    request_differs(
        "Connection: Upgrade",
        "Connection: a\r\nConnection: Upgrade",
        &[&CONNECTION_WITH_OTHERS],
    );
    request_differs(
        "Connection: Upgrade",
        "Connection: a,\tUpgrade",
        &[&CONNECTION_WITH_OTHERS],
    );
    response_differs(
        "Connection: Upgrade",
        "Connection: keep-alive, Upgrade",
        &[&CONNECTION_WITH_OTHERS],
    );
}

#[test]
fn upgrade_with_others_is_shown() {
    request_differs(
        "Upgrade: websocket",
        "Upgrade: a, websocket",
        &[&UPGRADE_WITH_OTHERS],
    );
}

#[test]
fn key_padding_is_shown() {
    request_differs("ZQ==", "ZR==", &[&KEY_PADDING]);
}

#[test]
fn target_not_encoded_is_shown() {
    request_differs("GET /", "GET /a<b", &[&TARGET_NOT_ENCODED]);
}

#[test]
fn no_protocol_is_shown() {
    response_differs("Sec-WebSocket-Protocol: chat\r\n", "", &[&NO_PROTOCOL]);
}

/// Our server after its side of a handshake, and its answers.
fn serve(mut request: &mut [u8]) -> (WebSocket<Server>, Vec<u8>) {
    let mut out = Vec::new();
    let mut handshake = ServerHandshake::new();
    let request = handshake
        .recv(&mut request, &mut out)
        .expect("a good request")
        .expect("a whole request");
    assert_eq!((request.path(), request.query()), ("/chat", Some("a=b")));
    let negotiated = request.accept().write(&mut out).expect("room");
    (WebSocket::new(negotiated, &Config::default()), out)
}

const URI: &str = "ws://example.com:8080/chat?a=b";

/// Our client before its part, and its request.
fn connect() -> (ClientHandshake, Vec<u8>) {
    let handshake = ClientHandshake::new(&Uri::parse(URI).expect("a URI"), Client::new(SEED));
    let mut request = Vec::new();
    handshake.write_request(&mut request).expect("room");
    (handshake, request)
}

fn accepted(mut handshake: ClientHandshake, answer: &mut [u8]) -> WebSocket<Client> {
    let mut input = answer;
    let Ok(Some(Answer::Accepted { negotiated, .. })) = handshake.recv(&mut input) else {
        panic!("not accepted")
    };
    assert!(input.is_empty());
    WebSocket::new(negotiated, &Config::default())
}

/// The connection is open in both directions.
fn converse<R: TestRole, P: Endpoint<R::Peer>>(mut ours: WebSocket<R>, mut theirs: P, wire: &Wire) {
    let mut received = wire.take_written();
    assert!(received.is_empty());
    theirs.send(&Step::Text("to you".into()));
    received.extend(wire.take_written());
    let mut out = Vec::new();
    assert_eq!(
        ours.recv(&mut &mut received[..], &mut out),
        Some(Message::Text("to you".into()))
    );
    ours.send_text("and back", &mut out).expect("it is open");
    wire.feed(&out);
    assert_eq!(theirs.recv(), Some(Event::Text(b"and back".to_vec())));
}

/// Frames that a server sends with its answer reach the client.
const FIRST: &[u8] = b"\x81\x05first";

#[test]
fn our_client_connects_to_tungstenite() {
    let ((handshake, request), wire) = (connect(), Wire::default());
    wire.feed(&request);
    let theirs = tungstenite::accept(wire.clone()).expect("they accept");
    let ours = accepted(handshake, &mut wire.take_written());
    converse(ours, Tungstenite::over(theirs), &wire);
}

#[test]
fn our_client_connects_to_tokio_websockets() {
    let ((handshake, request), wire) = (connect(), Wire::default());
    wire.feed(&request);
    let (_, theirs) = ServerBuilder::new()
        .accept(wire.clone())
        .now_or_never()
        .expect("all is there")
        .expect("they accept");
    let ours = accepted(handshake, &mut wire.take_written());
    converse(ours, TokioWebsockets::over(theirs), &wire);
}

#[test]
fn tungstenite_connects_to_our_server() {
    let wire = Wire::default();
    let Err(Interrupted::Interrupted(handshake)) = tungstenite::client(URI, wire.clone()) else {
        panic!("there is no answer yet")
    };
    let (ours, answer) = serve(&mut wire.take_written());
    wire.feed(&[&answer, FIRST].concat());
    let (theirs, _) = handshake.handshake().expect("they accept");
    let mut theirs = Tungstenite::over(theirs);
    assert_eq!(
        Endpoint::<Client>::recv(&mut theirs),
        Some(Event::Text(b"first".to_vec()))
    );
    converse(ours, theirs, &wire);
}

#[test]
fn tokio_websockets_connects_to_our_server() {
    let (wire, client) = (
        Wire::default(),
        ClientBuilder::new().uri(URI).expect("a URI"),
    );
    let mut connecting = pin!(client.connect_on(wire.clone()));
    let mut context = Context::from_waker(Waker::noop());
    assert!(connecting.as_mut().poll(&mut context).is_pending());
    let (ours, answer) = serve(&mut wire.take_written());
    wire.feed(&[&answer, FIRST].concat());
    let Poll::Ready(Ok((theirs, _))) = connecting.poll(&mut context) else {
        panic!("not connected")
    };
    let mut theirs = TokioWebsockets::over(theirs);
    assert_eq!(
        Endpoint::<Client>::recv(&mut theirs),
        Some(Event::Text(b"first".to_vec()))
    );
    converse(ours, theirs, &wire);
}

#[test]
fn early_frames_is_shown() {
    let early = [GOOD.as_bytes(), b"\x89\x80\0\0\0\0"].concat();
    let wire = Wire::default();
    wire.feed(&early);
    let theirs = tungstenite::accept(wire).map(drop).map_err(refusal);
    let ours =
        Request::parse(&early, &HeadLimits::default()).map(|request| request.map(|(_, len)| len));
    assert!(
        matches!(
            theirs,
            Err(Some(Error::Protocol(ProtocolError::JunkAfterRequest)))
        ),
        "no longer: {EARLY_FRAMES:?}"
    );
    assert_eq!(ours, Ok(Some(GOOD.len())));
}
