//! The handshake without an allocator (NA): in a buffer that a head need not fit, its result is
//! that of the handshake with an allocator, which is the oracle here.

use crate::cuts::{Transcript, connect, cut, damage, damaged, fields_of, limits, same, serve};
use crate::support::{Head, client, uri, written};
use proptest::{collection::vec, prelude::*, sample::Index};
use ws_proto::handshake::{
    ClientHandshake, ClientRequest, HandshakeError, HeadBuffer, HeadLimits, Headers, Incoming,
    Request, ResponseReader, ServerHandshake, WriteError,
};
use ws_proto::{Client, Output, SliceOutput, uri::Uri};

const KEPT: [&str; 1] = ["X"];
/// Enough for every head here.
const LARGE: usize = 16 << 10;

/// Whether a buffer keeps a header with this name.
fn is_kept(name: &str) -> bool {
    [
        "Host",
        "Origin",
        "Upgrade",
        "Connection",
        "Content-Length",
        "Transfer-Encoding",
        "X",
    ]
    .iter()
    .any(|kept| kept.eq_ignore_ascii_case(name))
        || ["Key", "Accept", "Version", "Protocol", "Extensions"]
            .iter()
            .any(|end| format!("Sec-WebSocket-{end}").eq_ignore_ascii_case(name))
}

fn kept(headers: &Headers<'_>) -> Vec<(String, Vec<u8>)> {
    let mut fields = fields_of(headers);
    fields.retain(|(name, _)| is_kept(name));
    fields
}

/// The lines of a request that are kept, and the answer to its key.
fn show(request: &Request<'_>) -> String {
    let mut answer = Vec::new();
    request.accept().write(&mut answer).unwrap();
    let parts = (request.path(), request.query(), request.host());
    let names: Vec<_> = request.subprotocols().collect();
    format!(
        "{parts:?} {names:?} {:?} {}",
        kept(request.headers()),
        answer.escape_ascii()
    )
}

/// The result of a handshake in a buffer of this size.
fn serve_in(size: usize) -> impl Fn(&[&[u8]], HeadLimits) -> Transcript {
    move |pieces, limits| {
        let mut memory = vec![0; size];
        let buffer = HeadBuffer::new(&mut memory).keep(&KEPT);
        let mut server = ServerHandshake::with_buffer(buffer).limits(limits);
        let mut outcome = Transcript::new();
        for piece in pieces {
            let mut piece = piece.to_vec();
            let mut input = &mut piece[..];
            if !matches!(outcome.result, Ok(Some(_))) {
                match server.recv(&mut input, &mut outcome.out) {
                    Ok(None) => assert!(input.is_empty()),
                    Ok(Some(request)) => {
                        assert!(request.headers().iter().all(|(name, _)| is_kept(name)));
                        outcome.result = Ok(Some(show(&request)));
                    }
                    Err(error) => outcome.result = Err(error),
                }
            }
            outcome.rest.extend_from_slice(input);
        }
        outcome.refused = server.refused_head().to_vec();
        outcome
    }
}

/// The result with an allocator, shown in the same way.
fn serve_kept(bytes: &[u8], limits: HeadLimits) -> Transcript {
    let outcome = serve(&[bytes], limits);
    let result = match outcome.result {
        Ok(Some(_)) => {
            let (request, _) = Request::parse(bytes, &limits).unwrap().unwrap();
            Ok(Some(show(&request)))
        }
        other => other,
    };
    Transcript { result, ..outcome }
}

/// A subprotocol or nothing of a response that opens the connection, or its status.
fn connect_in(size: usize) -> impl Fn(&[&[u8]], HeadLimits) -> Transcript {
    move |pieces, limits| {
        let request = ClientRequest::new(&uri(), &mut Client::new([7; 32])).subprotocols("chat");
        let mut memory = vec![0; size];
        let mut reader = ResponseReader::with_buffer(HeadBuffer::new(&mut memory)).limits(limits);
        let mut outcome = Transcript::new();
        for piece in pieces {
            let mut piece = piece.to_vec();
            let mut input = &mut piece[..];
            match reader.recv(&mut input) {
                Ok(None) => {}
                Ok(Some(response)) => {
                    outcome.result = match request.verify(&response) {
                        Ok(verified) => Ok(Some(format!("{:?}", verified.subprotocol()))),
                        Err(HandshakeError::UnexpectedStatus(status)) => {
                            Ok(Some(format!("{status} {:?}", response.body())))
                        }
                        Err(error) => Err(error),
                    };
                }
                Err(error) => outcome.result = Err(error),
            }
            outcome.rest.extend_from_slice(input);
        }
        outcome
    }
}

/// The result with an allocator, as far as it is shown in the same way.
fn connect_kept(bytes: &[u8], limits: HeadLimits) -> Transcript {
    use ws_proto::handshake::Answer;
    let outcome = connect(&[bytes], limits);
    let mut handshake = client().subprotocols(&["chat"]).limits(limits);
    let result = match handshake.recv(&mut &mut bytes.to_vec()[..]) {
        Ok(None) => Ok(None),
        Ok(Some(Answer::Accepted { negotiated, .. })) => {
            Ok(Some(format!("{:?}", negotiated.subprotocol())))
        }
        Ok(Some(Answer::Rejected(response))) => {
            Ok(Some(format!("{} {:?}", response.status(), response.body())))
        }
        Err(error) => Err(error),
    };
    Transcript { result, ..outcome }
}

/// A head with headers that are dropped, some of them longer than the buffer.
fn padded() -> impl Strategy<Value = Vec<String>> {
    let line = (
        "[A-Za-z-]{1,30}",
        prop_oneof![4 => 0..60_usize, 1 => 300..600_usize],
    );
    vec(
        line.prop_map(|(name, len)| format!("N{name}: {}", "v".repeat(len))),
        0..4,
    )
}

proptest! {
    #[test]
    fn na1_a_request_in_a_buffer_is_that_of_the_allocator(
        damages in vec(damage(), 0..3), lines in padded(), rest in vec(any::<u8>(), 0..20),
        cuts in vec(any::<Index>(), 0..8), limits in limits(), size in 0..500_usize,
    ) {
        let head = Head::request().with("Origin: http://a").with("X: y").with("Sec-WebSocket-Protocol: chat");
        let head = lines.iter().fold(head, |head, line| head.with(line)).with("Sec-WebSocket-Extensions: a; b");
        let mut bytes = damaged(&head, &damages);
        bytes.extend(rest);
        let expected = serve_kept(&bytes, limits);

        same(serve_in(LARGE), &bytes, &cuts, limits)?;
        let large = serve_in(LARGE)(&[&bytes], limits);
        prop_assert_eq!((&large.result, &large.out, &large.rest), (&expected.result, &expected.out, &expected.rest));

        same(serve_in(size), &bytes, &cuts, limits)?;
        let small = serve_in(size)(&[&bytes], limits);
        if small.result == Err(HandshakeError::HeadTooLarge { limit: size }) {
            prop_assert!(small.out.starts_with(b"HTTP/1.1 431 "));
            prop_assert!(size < bytes.len());
        } else {
            prop_assert_eq!((small.result, small.out, small.rest), (expected.result, expected.out, expected.rest));
        }
    }

    #[test]
    fn na1_any_bytes_are_the_same_in_a_buffer(bytes in vec(any::<u8>(), 0..300), cuts in vec(any::<Index>(), 0..8), size in 0..100_usize) {
        let limits = HeadLimits::default();
        same(serve_in(size), &bytes, &cuts, limits)?;
        same(connect_in(size), &bytes, &cuts, limits)?;
        prop_assert_eq!(serve_in(LARGE)(&[&bytes], limits).result, serve_kept(&bytes, limits).result);
        prop_assert_eq!(connect_in(LARGE)(&[&bytes], limits).result, connect_kept(&bytes, limits).result);
    }

    #[test]
    fn na2_a_response_in_a_buffer_is_that_of_the_allocator(
        damages in vec(damage(), 0..3), lines in padded(), rest in vec(any::<u8>(), 0..20),
        cuts in vec(any::<Index>(), 0..8), limits in limits(), refuse: bool, size in 0..400_usize,
    ) {
        let head = lines.iter().fold(Head::response(), |head, line| head.with(line));
        let head = head.with("Sec-WebSocket-Protocol: chat").with("Content-Length: 5");
        let mut bytes = damaged(&if refuse { head.first("HTTP/1.1 302 Found") } else { head }, &damages);
        bytes.extend(rest);
        let expected = connect_kept(&bytes, limits);
        same(connect_in(LARGE), &bytes, &cuts, limits)?;
        let large = connect_in(LARGE)(&[&bytes], limits);
        prop_assert_eq!(&large.result, &expected.result);
        if expected.result.is_ok() {
            prop_assert_eq!(&large.rest, &expected.rest);
        }
        same(connect_in(size), &bytes, &cuts, limits)?;
        let small = connect_in(size)(&[&bytes], limits);
        if small.result != Err(HandshakeError::HeadTooLarge { limit: size }) {
            prop_assert_eq!(small.result, expected.result);
        }
    }

    #[test]
    fn na2_a_request_without_an_allocator_is_that_of_the_allocator(
        seed: [u8; 32],
        secure: bool,
        host in "([A-Za-z0-9.-]{1,20}|\\[::[0-9A-F]{1,4}\\]|[a-z]{300})",
        port in prop_oneof![Just(None), any::<u16>().prop_map(Some), Just(Some(80)), Just(Some(443)), Just(Some(0))],
        resource in "((/[a-zA-Z0-9._~!$&'()*+,;=:@-]{0,8}){0,3})(\\?[a-z=&/?]{0,8})?",
        names in proptest::collection::btree_set("[a-z]{1,8}", 0..4),
        fields in vec(("X-[a-z]{0,8}", "([!-~]([ -~\t]{0,8}[!-~])?)?"), 0..4),
        origin: bool,
        room in 0..700_usize,
    ) {
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        let scheme = if secure { "wss" } else { "ws" };
        let text = format!("{scheme}://{host}{port}{resource}");
        let uri = Uri::parse(&text).unwrap();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let joined = names.join(", ");
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let mut expected = ClientHandshake::new(&uri, Client::new(seed)).subprotocols(&names).headers(&fields);
        let mut request = ClientRequest::new(&uri, &mut Client::new(seed)).subprotocols(&joined).headers(&fields);
        if origin {
            expected = expected.origin("https://a").relay_extensions("a; b, c");
            request = request.origin("https://a").relay_extensions("a; b, c");
        }
        let expected = written(&expected);
        let mut memory = vec![0; room];
        let mut out = SliceOutput::new(&mut memory);
        match request.write(&mut out) {
            Ok(()) => prop_assert_eq!(out.as_bytes(), expected.as_bytes()),
            Err(error) => {
                prop_assert_eq!(error, WriteError::OutputFull { needed: expected.len() });
                prop_assert!(room < expected.len() && out.room() == room);
            }
        }
    }

    /// The body of a request that is not for WebSocket, and the next request, in the same buffer.
    #[test]
    fn na1_pages_are_served_from_a_buffer(cuts in vec(any::<Index>(), 0..8)) {
        let bytes = [
            b"POST /poll HTTP/1.1\r\nHost: a\r\nCookie: 12345678901234567890\r\nContent-Length: 3\r\n\r\nabc".to_vec(),
            Head::request().bytes(),
        ].concat();
        let mut memory = [0; 200];
        let mut server = ServerHandshake::with_buffer(HeadBuffer::new(&mut memory));
        let (mut out, mut seen) = (Vec::new(), Vec::new());
        for piece in cut(&bytes, &cuts) {
            let mut piece = piece.to_vec();
            let mut input = &mut piece[..];
            while let Some(incoming) = server.recv_http(&mut input, &mut out).unwrap() {
                match incoming {
                    Incoming::Http(request) => {
                        seen.push(request.path().to_owned());
                        request.respond(204).keep_alive().write(&mut out).unwrap();
                    }
                    Incoming::WebSocket(request) => seen.push(request.path().to_owned()),
                }
            }
        }
        prop_assert_eq!(seen, ["/poll", "/chat"]);
    }
}

/// The limit is on the kept bytes, and exact; a header that is dropped may have any length up to
/// the limit on the head.
#[test]
fn na3_h1_a_head_may_be_longer_than_its_buffer() {
    let cookie = format!("Cookie: {}", "c".repeat(10_000));
    let head = Head::request();
    let [first, rest] = head
        .text()
        .split_once("\r\n")
        .map(|(a, b)| [a.to_owned(), b.to_owned()])
        .unwrap();
    let long = format!("{first}\r\n{cookie}\r\n{rest}");
    let (needed, limits) = (head.bytes().len(), HeadLimits::new());
    for pieces in [vec![long.as_bytes()], long.as_bytes().chunks(7).collect()] {
        assert!(serve_in(needed)(&pieces, limits).result.unwrap().is_some());
        assert_eq!(
            serve_in(needed - 1)(&pieces, limits).result,
            Err(HandshakeError::HeadTooLarge { limit: needed - 1 })
        );
        // It still counts for the limit on the head.
        let limit = long.len() - 1;
        assert_eq!(
            serve_in(needed)(&pieces, limits.with_max_bytes(limit)).result,
            Err(HandshakeError::HeadTooLarge { limit })
        );
        let limits = limits.with_max_bytes(long.len());
        assert!(serve_in(needed)(&pieces, limits).result.is_ok());
    }
    // A dropped header is checked first.
    let invalid = long.replace("cc\r\n", "c\x01c\r\n");
    assert_eq!(
        serve_in(needed)(&[invalid.as_bytes()], limits).result,
        Err(HandshakeError::InvalidHeaderValue)
    );
}

#[test]
fn na2_options_that_must_not_be_sent_are_refused() {
    let mut client = Client::new([7; 32]);
    let request = ClientRequest::new(&uri(), &mut client);
    for (request, error) in [
        (request.subprotocols("a b"), WriteError::InvalidSubprotocol),
        (
            request.subprotocols("a, b, a"),
            WriteError::DuplicateSubprotocol,
        ),
        (request.origin("a\r\nb"), WriteError::InvalidHeaderValue),
        (
            request.relay_extensions("a;"),
            WriteError::InvalidExtensions,
        ),
        (
            request.headers(&[("Host", b"a")]),
            WriteError::ReservedHeader,
        ),
        (
            request.headers(&[("X", b"a\nb")]),
            WriteError::InvalidHeaderValue,
        ),
    ] {
        let mut out = Vec::new();
        assert_eq!(request.write(&mut out), Err(error));
        assert!(out.is_empty());
    }
}

/// An error stays, and a response is returned once.
#[test]
fn na2_a_reader_of_responses_ends() {
    let mut memory = [0; 300];
    let mut reader = ResponseReader::with_buffer(HeadBuffer::new(&mut memory));
    let mut bytes = [Head::response().bytes(), b"\x81\0".to_vec()].concat();
    let mut input = &mut bytes[..];
    assert!(reader.recv(&mut input).unwrap().is_some());
    assert_eq!((&*input, reader.recv_eof()), (&b"\x81\0"[..], Ok(())));
    assert!(reader.recv(&mut input).unwrap().is_none() && input.len() == 2);

    let mut reader = ResponseReader::with_buffer(HeadBuffer::new(&mut memory));
    let mut bytes = *b"HTTP/1.1 101 x\r\nA: b\r\n\0more";
    assert_eq!(
        reader.recv(&mut &mut bytes[..]).unwrap_err(),
        HandshakeError::InvalidHeaderName
    );
    assert_eq!(reader.refused_head(), b"HTTP/1.1 101 x\r\n\0");
    assert_eq!(reader.recv_eof(), Err(HandshakeError::InvalidHeaderName));
    let mut input = &mut bytes[..];
    assert!(reader.recv(&mut input).is_err() && input.is_empty());

    let mut reader = ResponseReader::with_buffer(HeadBuffer::new(&mut memory));
    assert_eq!(reader.recv_eof(), Err(HandshakeError::Incomplete));
    // Debug shows nothing of the head.
    assert!(format!("{:?}", HeadBuffer::new(&mut memory)).starts_with("HeadBuffer { len: 0"));
}
