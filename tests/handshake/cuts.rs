//! SH17: any split of any input gives the same result, the same output and the same rest. And both
//! sides agree: each accepts the output of the other one.

use crate::support::{Head, client, written};
use proptest::{collection::vec, prelude::*, sample::Index};
use ws_proto::handshake::{
    Answer, ClientHandshake, HandshakeError, HeadLimits, Headers, Incoming, Request, Response,
    Scheme, ServerHandshake,
};
use ws_proto::{Client, uri::Uri};

/// The outcome for an input: a result, the output, and the number of bytes that were left.
#[derive(Debug, PartialEq)]
pub(crate) struct Transcript {
    pub(crate) result: Result<Option<String>, HandshakeError>,
    pub(crate) out: Vec<u8>,
    pub(crate) rest: Vec<u8>,
    pub(crate) refused: Vec<u8>,
}

impl Transcript {
    /// Returns the transcript before any input.
    pub(crate) const fn new() -> Self {
        Self {
            result: Ok(None),
            out: Vec::new(),
            rest: Vec::new(),
            refused: Vec::new(),
        }
    }
}

pub(crate) fn fields_of(fields: &Headers<'_>) -> Vec<(String, Vec<u8>)> {
    fields
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_vec()))
        .collect()
}

/// All facts of a request, and the answer to its key.
fn show_request(request: &Request<'_>) -> String {
    let mut answer = Vec::new();
    request.accept().write(&mut answer).unwrap();
    let parts = (request.path(), request.query(), request.host());
    format!(
        "{} {parts:?} {:?} {}",
        request.target(),
        fields_of(request.headers()),
        answer.escape_ascii()
    )
}

fn show_response(response: &Response<'_>) -> String {
    format!(
        "{} {:?} {:?} {:?}",
        response.status(),
        response.reason(),
        response.body(),
        fields_of(response.headers())
    )
}

pub(crate) fn serve(pieces: &[&[u8]], limits: HeadLimits) -> Transcript {
    let mut server = ServerHandshake::new().limits(limits);
    let mut outcome = Transcript::new();
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        // A request that was accepted is the last.
        if !matches!(outcome.result, Ok(Some(_))) {
            match server.recv(&mut input, &mut outcome.out) {
                Ok(None) => {}
                Ok(Some(request)) => outcome.result = Ok(Some(show_request(&request))),
                Err(error) => outcome.result = Err(error),
            }
        }
        outcome.rest.extend_from_slice(input);
    }
    outcome.refused = server.refused_head().to_vec();
    outcome
}

/// Answers all requests, and reads the bodies of every other one.
fn serve_pages(pieces: &[&[u8]], limits: HeadLimits) -> Transcript {
    let mut server = ServerHandshake::new().limits(limits);
    let mut outcome = Transcript::new();
    let (mut shown, mut reads_body) = (String::new(), false);
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        loop {
            if reads_body {
                while let Some(slice) = server.recv_body(&mut input) {
                    shown += &slice.escape_ascii().to_string();
                }
            }
            match server.recv_http(&mut input, &mut outcome.out) {
                Ok(None) => break assert!(input.is_empty()),
                Ok(Some(Incoming::WebSocket(request))) => shown += &show_request(&request),
                Ok(Some(Incoming::Http(request))) => {
                    let response = request.respond(404).body(b"no").keep_alive();
                    response.write(&mut outcome.out).unwrap();
                    let line = (request.method(), request.target(), request.version());
                    shown += &format!(
                        "{line:?} {:?} {:?} {}",
                        fields_of(request.headers()),
                        request.body(),
                        response.persists()
                    );
                    reads_body = !reads_body;
                }
                Err(error) => break outcome.result = Err(error),
            }
        }
    }
    outcome.refused = server.refused_head().to_vec();
    if let Ok(result) = &mut outcome.result {
        *result = Some(format!(
            "{shown} {} {:?}",
            server.body_left(),
            server.recv_eof()
        ));
    } else {
        outcome.rest = shown.into_bytes();
    }
    outcome
}

pub(crate) fn connect(pieces: &[&[u8]], limits: HeadLimits) -> Transcript {
    let mut client = client().subprotocols(&["chat"]).limits(limits);
    let mut outcome = Transcript::new();
    for piece in pieces {
        let mut piece = piece.to_vec();
        let mut input = &mut piece[..];
        match client.recv(&mut input) {
            Ok(None) => {}
            Ok(Some(Answer::Accepted {
                negotiated,
                response,
            })) => {
                outcome.result = Ok(Some(format!(
                    "{:?} {}",
                    negotiated.subprotocol(),
                    show_response(&response)
                )));
            }
            Ok(Some(Answer::Rejected(response))) => {
                outcome.result = Ok(Some(show_response(&response)))
            }
            Err(error) => outcome.result = Err(error),
        }
        outcome.rest.extend_from_slice(input);
    }
    outcome.refused = client.refused_head().to_vec();
    outcome
}

/// Splits `bytes` at each of these places.
pub(crate) fn cut<'b>(bytes: &'b [u8], cuts: &[Index]) -> Vec<&'b [u8]> {
    let mut ends: Vec<_> = cuts
        .iter()
        .map(|cut| cut.index(bytes.len() + 1))
        .chain([0, bytes.len()])
        .collect();
    ends.sort_unstable();
    ends.windows(2)
        .map(|ends| &bytes[ends[0]..ends[1]])
        .collect()
}

/// A small damage to a head.
#[derive(Debug, Clone)]
pub(crate) enum Damage {
    Replace(Index, u8),
    Insert(Index, &'static str),
    Remove(Index),
    Repeat(Index),
}

pub(crate) fn damage() -> impl Strategy<Value = Damage> {
    let byte = prop_oneof![
        proptest::sample::select(b"\r\n\0 :\t,;=\"\\\x7f\xff/A1".to_vec()),
        any::<u8>()
    ];
    let text = proptest::sample::select(vec![
        "\r\n",
        "\r\n\r\n",
        "\n",
        "\r\n ",
        " :",
        "X: y\r\n",
        "Host: h\r\n",
        "Upgrade: websocket\r\n",
        "Sec-WebSocket-Extensions: a;b=\"c\"\r\n",
        "Sec-WebSocket-Protocol: chat\r\n",
        "Content-Length: 1\r\n",
        "Origin: null\r\n",
        "HTTP/1.1 100 \r\n\r\n",
    ]);
    prop_oneof![
        (any::<Index>(), byte).prop_map(|(at, byte)| Damage::Replace(at, byte)),
        (any::<Index>(), text).prop_map(|(at, text)| Damage::Insert(at, text)),
        any::<Index>().prop_map(Damage::Remove),
        any::<Index>().prop_map(Damage::Repeat),
    ]
}

/// Lines are damaged as often as bytes, so that the result is often nearly right.
pub(crate) fn damaged(head: &Head, damages: &[Damage]) -> Vec<u8> {
    let mut bytes = head.bytes();
    for damage in damages {
        let lines: Vec<_> = bytes
            .split_inclusive(|&byte| byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        match *damage {
            Damage::Replace(at, byte) => *at.get_mut(&mut bytes) = byte,
            Damage::Insert(at, text) if text.ends_with('\n') => {
                let at = lines[..at.index(lines.len())].concat().len();
                bytes.splice(at..at, text.bytes());
            }
            Damage::Insert(at, text) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, text.bytes());
            }
            Damage::Remove(at) => drop(bytes.remove(at.index(bytes.len()))),
            Damage::Repeat(at) => {
                bytes = [
                    lines[..=at.index(lines.len())].concat(),
                    lines[at.index(lines.len())..].concat(),
                ]
                .concat()
            }
        }
    }
    bytes
}

fn plain_head() -> impl Strategy<Value = Head> {
    let first = proptest::sample::select(vec![
        "GET /health HTTP/1.1",
        "HEAD / HTTP/1.0",
        "POST /poll?x HTTP/1.1",
        "OPTIONS * HTTP/1.1",
        "CONNECT a:1 HTTP/1.1",
    ]);
    let line = proptest::sample::select(vec![
        "Content-Length: 7",
        "Content-Length: 0",
        "Transfer-Encoding: chunked",
        "Connection: close",
        "Connection: keep-alive",
        "Upgrade: h2c",
        "Sec-WebSocket-Key: x",
        "X: y",
    ]);
    (first, vec(line, 0..3)).prop_map(|(first, lines)| {
        let head = Head::of(&[first, "Host: a"]);
        lines.iter().fold(head, |head, line| head.with(line))
    })
}

pub(crate) fn limits() -> impl Strategy<Value = HeadLimits> {
    let tight = (100..400_usize, 3..9_usize, 0..2_usize).prop_map(|(bytes, fields, interim)| {
        HeadLimits::new()
            .with_max_bytes(bytes)
            .with_max_headers(fields)
            .with_max_interim(interim)
    });
    prop_oneof![Just(HeadLimits::default()), tight]
}

/// Checks the outcome of these splits, and of a split after every byte, against that without any.
pub(crate) fn same(
    run: impl Fn(&[&[u8]], HeadLimits) -> Transcript,
    bytes: &[u8],
    cuts: &[Index],
    limits: HeadLimits,
) -> Result<(), TestCaseError> {
    let whole = run(&[bytes], limits);
    prop_assert_eq!(&run(&cut(bytes, cuts), limits), &whole);
    prop_assert_eq!(&run(&bytes.chunks(1).collect::<Vec<_>>(), limits), &whole);
    Ok(())
}

/// Checks that the result of `parse` for the first bytes is certain: `None` up to some byte, and
/// from there on always the same.
fn certain<T: PartialEq + std::fmt::Debug>(
    bytes: &[u8],
    parse: impl Fn(&[u8]) -> Result<Option<T>, HandshakeError>,
) -> Result<(), TestCaseError> {
    let mut before = Ok(None);
    for len in 0..=bytes.len() {
        let now = parse(&bytes[..len]);
        if before != Ok(None) {
            prop_assert_eq!(&now, &before, "after {} bytes", len);
        }
        before = now;
    }
    Ok(())
}

/// SE11: errors contain nothing from the peer, and neither does the answer that a server gives by
/// itself: there is nothing to be escaped in them.
#[test]
fn se11_an_error_and_its_answer_hold_no_text_of_the_peer() {
    const MARK: &str = "x<mark>";
    let (request, response) = (Head::request(), Head::response());
    let marked = |head: &Head| {
        let text = head.text();
        // In the place of each word, and after it.
        let words: Vec<_> = text
            .match_indices(|c: char| c.is_ascii_alphanumeric())
            .map(|(at, _)| at)
            .collect();
        words
            .into_iter()
            .flat_map(|at| {
                [
                    format!("{}{MARK}{}", &text[..at], &text[at..]),
                    format!("{}{MARK}{}", &text[..at], &text[at + 1..]),
                ]
            })
            .collect::<Vec<_>>()
    };
    let mut errors = std::collections::HashSet::new();
    for head in marked(
        &request
            .with("Origin: http://a")
            .with("Sec-WebSocket-Protocol: chat")
            .with("Sec-WebSocket-Extensions: a; b")
            .with("Content-Length: 0"),
    ) {
        let outcome = serve(&[head.as_bytes()], HeadLimits::default());
        assert!(!String::from_utf8(outcome.out).unwrap().contains("mark"));
        errors.extend(outcome.result.err());
    }
    for head in marked(
        &response
            .with("Sec-WebSocket-Protocol: chat")
            .with("Sec-WebSocket-Extensions: a"),
    ) {
        errors.extend(
            connect(&[head.as_bytes()], HeadLimits::default())
                .result
                .err(),
        );
    }
    assert!(errors.len() > 12, "{errors:?}");
    for error in errors {
        assert!(!format!("{error} {error:?}").contains("mark"), "{error:?}");
    }
}

proptest! {
    #[test]
    fn sh17_h7_a_server_does_not_care_where_the_request_is_cut(
        damages in vec(damage(), 0..4), rest in vec(any::<u8>(), 0..20), cuts in vec(any::<Index>(), 0..8), limits in limits(),
    ) {
        let head = Head::request().with("Origin: http://a").with("Sec-WebSocket-Protocol: chat").with("Sec-WebSocket-Extensions: a; b");
        let mut bytes = damaged(&head, &damages);
        bytes.extend(rest);
        same(serve, &bytes, &cuts, limits)?;

        // The parser of a slice has the same result.
        let whole = serve(&[&bytes], limits);
        match Request::parse(&bytes, &limits) {
            Ok(None) => prop_assert_eq!(whole, Transcript { result: Ok(None), out: vec![], rest: vec![], refused: vec![] }),
            Ok(Some((request, len))) => {
                prop_assert_eq!(whole, Transcript { result: Ok(Some(show_request(&request))), out: vec![], rest: bytes[len..].to_vec(), refused: vec![] });
            }
            Err(error) => {
                prop_assert_eq!((whole.result, whole.rest), (Err(error), vec![]));
                // SH22: the refused bytes are those that made it certain, and no byte less.
                prop_assert!(bytes.starts_with(&whole.refused));
                prop_assert_eq!(Request::parse(&whole.refused, &limits).unwrap_err(), error);
                prop_assert!(matches!(Request::parse(&whole.refused[..whole.refused.len() - 1], &limits), Ok(None)));
            }
        }
    }

    /// SH20, SH21: pages and polling, with requests one after the other, and bodies between them.
    #[test]
    fn sh17_sh20_sh21_a_server_of_pages_does_not_care_where_requests_are_cut(
        heads in vec((plain_head(), vec(damage(), 0..2), vec(any::<u8>(), 0..20)), 1..4), cuts in vec(any::<Index>(), 0..8), limits in limits(),
    ) {
        let bytes: Vec<u8> = heads.iter().flat_map(|(head, damages, rest)| [damaged(head, damages), rest.clone()].concat()).collect();
        same(serve_pages, &bytes, &cuts, limits)?;
    }

    /// SH20: requests for WebSocket are judged by the same rules, whether pages are served or not;
    /// only the place of a fault differs.
    #[test]
    fn sh20_a_request_for_websocket_is_the_same_among_pages(damages in vec(damage(), 0..3), limits in limits()) {
        let head = Head::request().with("Origin: http://a").with("Sec-WebSocket-Protocol: chat");
        let bytes = damaged(&head, &damages);
        let strict = Request::parse(&bytes, &limits);
        match Incoming::parse(&bytes, &limits) {
            Ok(Some((Incoming::WebSocket(request), len))) => {
                let (strict, strict_len) = strict.unwrap().unwrap();
                prop_assert_eq!((show_request(&request), len), (show_request(&strict), strict_len));
            }
            Ok(Some((Incoming::Http(_), _))) => prop_assert!(strict.is_err()),
            Ok(None) => prop_assert!(matches!(strict, Ok(None) | Err(_))),
            // One of both: a fault that is kept may be followed by one that is not.
            Err(_) => prop_assert!(strict.is_err()),
        }
    }

    #[test]
    fn sh17_a_client_does_not_care_where_the_answer_is_cut(
        damages in vec(damage(), 0..4), rest in vec(any::<u8>(), 0..20), cuts in vec(any::<Index>(), 0..8), limits in limits(), refuse: bool,
    ) {
        let head = Head::response().with("Sec-WebSocket-Protocol: chat").with("Content-Length: 5");
        let mut bytes = damaged(&if refuse { head.first("HTTP/1.1 302 Found") } else { head }, &damages);
        bytes.extend(rest);
        same(connect, &bytes, &cuts, limits)?;
    }

    /// SH13: a fault is reported at the byte that makes it certain, and more bytes do not change
    /// it.
    #[test]
    fn sh13_sh17_a_verdict_is_final(damages in vec(damage(), 0..4), limits in limits(), refuse: bool) {
        let request = damaged(&Head::request().with("Sec-WebSocket-Protocol: chat").with("Sec-WebSocket-Extensions: a; b"), &damages);
        certain(&request, |bytes| Ok(Request::parse(bytes, &limits)?.map(|(request, len)| (show_request(&request), len))))?;
        let response = Head::response().with("Content-Length: 5");
        let response = damaged(&if refuse { response.first("HTTP/1.1 302 Found") } else { response }, &damages);
        certain(&response, |bytes| Ok(Response::parse(bytes, &limits)?.map(|(response, len)| (show_response(&response), len))))?;
    }

    #[test]
    fn sh17_any_bytes_at_all_do_no_harm(bytes in vec(any::<u8>(), 0..300), cuts in vec(any::<Index>(), 0..8)) {
        same(serve, &bytes, &cuts, HeadLimits::default())?;
        same(connect, &bytes, &cuts, HeadLimits::default())?;
    }

    /// Any offer is read or refused, and one that is read is read to its end.
    #[test]
    fn ex1_ex2_h3_any_offer_is_read_or_refused(value in "[a-c;=\", \t\\\\]{0,24}") {
        let head = Head::request().with(&format!("Sec-WebSocket-Extensions: {value}")).bytes();
        if let Ok(Some((request, _))) = Request::parse(&head, &HeadLimits::default()) {
            let again: Vec<_> = request.extensions().map(|offer| {
                let param = |param: ws_proto::extension::Param<'_>| param.value.map_or(format!("; {}", param.name), |value| format!("; {}=\"{value}\"", param.name));
                offer.name.to_owned() + &offer.params().map(param).collect::<String>()
            }).collect();
            prop_assert!(!again.is_empty());
            let head = Head::request().with(&format!("Sec-WebSocket-Extensions: {}", again.join(","))).bytes();
            let (parsed, _) = Request::parse(&head, &HeadLimits::default()).unwrap().unwrap();
            prop_assert!(parsed.extensions().map(|offer| (offer.name.to_owned(), offer.params().count()))
                .eq(request.extensions().map(|offer| (offer.name.to_owned(), offer.params().count()))));
            let letters = |text: &str| text.chars().filter(char::is_ascii_alphabetic).collect::<String>();
            prop_assert_eq!(letters(&again.join(",")), letters(&value));
        }
    }

    /// A server accepts the output of a client, the client that of the server, and both have the
    /// same facts.
    #[test]
    fn both_sides_agree(
        seed: [u8; 32],
        path in "(/[a-zA-Z0-9._~!$&'()*+,;=:@-]{0,8}){0,3}",
        query in "(\\?[a-z=&/?]{0,8})?",
        names in proptest::collection::btree_set("[!#$%&'*+.^_`|~0-9a-zA-Z-]{1,8}", 0..4),
        fields in vec(("X-[!#$%&'*+.^_`|~0-9a-zA-Z-]{0,8}", "([!-~\u{a1}-\u{2ff}]([ -~\t]{0,8}[!-~])?)?"), 0..6),
        chosen: Option<Index>,
        cuts in vec(any::<Index>(), 0..4),
    ) {
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
        let uri = format!("wss://Example.com:8443{path}{query}");
        let uri = Uri::parse(&uri).unwrap();
        let mut client = ClientHandshake::new(&uri, Client::new(seed)).subprotocols(&names).headers(&fields).origin("https://example.com:8443");
        let request = written(&client);
        let sent = |all: &Headers<'_>| fields_of(all).into_iter().filter(|(name, _)| name.starts_with("X-")).collect::<Vec<_>>();
        let given: Vec<_> = fields.iter().map(|(name, value)| (name.to_string(), value.to_vec())).collect();

        let (mut server, mut out, mut agreed_by_server) = (ServerHandshake::new(), Vec::new(), None);
        for piece in cut(request.as_bytes(), &cuts) {
            let mut piece = piece.to_vec();
            if let Some(request) = server.recv(&mut &mut piece[..], &mut out).unwrap() {
                prop_assert_eq!((request.path(), request.query().filter(|query| !query.is_empty())), (uri.path(), uri.query()));
                prop_assert_eq!(request.host(), "example.com:8443");
                prop_assert!(request.is_same_origin(Scheme::Https) && !request.is_same_origin(Scheme::Http));
                prop_assert!(request.subprotocols().eq(names.iter().copied()));
                prop_assert_eq!(sent(request.headers()), &given[..]);
                let chosen = chosen.filter(|_| !names.is_empty()).map(|chosen| names[chosen.index(names.len())]);
                let mut answer = Vec::new();
                let negotiated = request.accept().subprotocol_from(chosen.as_slice()).headers(&fields).write(&mut answer).unwrap();
                prop_assert_eq!(negotiated.subprotocol(), chosen);
                agreed_by_server = Some((chosen, answer));
            }
        }
        prop_assert!(out.is_empty());
        let (chosen, answer) = agreed_by_server.unwrap();

        let mut opened = false;
        for piece in cut(&answer, &cuts) {
            let mut piece = piece.to_vec();
            if let Some(answer) = client.recv(&mut &mut piece[..]).unwrap() {
                let Answer::Accepted { negotiated, response } = answer else { panic!("refused") };
                prop_assert_eq!(negotiated.subprotocol(), chosen);
                prop_assert_eq!(sent(response.headers()), &given[..]);
                opened = true;
            }
        }
        prop_assert!(opened);
    }

    /// A rejection arrives as it was written.
    #[test]
    fn a_rejection_is_read_as_it_was_written(status in 300..=599_u16, body in vec(any::<u8>(), 0..40), cuts in vec(any::<Index>(), 0..4)) {
        let head = Head::request().bytes();
        let (request, _) = Request::parse(&head, &HeadLimits::default()).unwrap().unwrap();
        let mut out = Vec::new();
        let body = if status == 304 { vec![] } else { body };
        request.reject(status).body(&body).headers(&[("Location", b"ws://b/")]).write(&mut out).unwrap();
        let (response, len) = Response::parse(&out, &HeadLimits::default()).unwrap().unwrap();
        prop_assert_eq!((response.status(), response.headers().get("location")), (status, Some(&b"ws://b/"[..])));
        prop_assert_eq!(&out[len..], &body[..]);
        same(connect, &out, &cuts, HeadLimits::default())?;
    }

    /// Headers that something else parsed make the same request.
    #[test]
    fn fields_from_elsewhere_make_the_same_request(damages in vec(damage(), 0..3)) {
        let bytes = damaged(&Head::request().with("Sec-WebSocket-Protocol: chat"), &damages);
        if let Ok(Some((request, _))) = Request::parse(&bytes, &HeadLimits::default()) {
            let fields: Vec<_> = request.headers().iter().collect();
            let again = Request::from_headers("GET", request.target(), (1, 1), &fields).unwrap();
            prop_assert_eq!(show_request(&again), show_request(&request));
        }
    }
}
