//! Heads (RFC 9112 §2 to §5): the verdict of `httparse` on any bytes, compared with ours.
//!
//! `httparse` knows only HTTP. Whether a head is a handshake is not its concern, but then the
//! fields that it read, judged by our rules, must violate the same one.

use crate::cases;
use crate::common::strategies::Input;
use crate::difference::{Difference, Found};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::fmt::Debug;
use ws_proto::handshake::{HandshakeError, HeadLimits, Request, Response};

const NOT_A_HANDSHAKE: Difference = Difference {
    theirs: "reads any HTTP",
    ours: "refuse what is no handshake, for a rule that the fields break which were read",
    rule: "RFC 6455 §4.1, §4.2.1: a handshake that does not match the description is refused (SH13)",
};

const LATER_VERSION: Difference = Difference {
    theirs: "knows no version after HTTP/1.1",
    ours: "take HTTP/1.2 to HTTP/1.9 like HTTP/1.1",
    rule: "RFC 6455 §4.1, §4.2.1: HTTP/1.1 or higher (SH1, CR13); RFC 9110 §2.5: a higher minor version is read like the highest known",
};

const BARE_LF: Difference = Difference {
    theirs: "takes LF without CR for the end of a line",
    ours: "refuse it",
    rule: "RFC 9112 §2.2: the line terminator is CRLF, and a recipient MAY, not must, recognize a single LF (CR18, H6)",
};

const EMPTY_LINES_BEFORE: Difference = Difference {
    theirs: "passes over any number of empty lines before the first line",
    ours: "pass over one before a request, and refuse others",
    rule: "RFC 9112 §2.2: a server SHOULD ignore at least one empty line, and a client none (SH1, CR13)",
};

const REASON_NOT_ASCII: Difference = Difference {
    theirs: "gives an empty reason for one that is not ASCII",
    ours: "give its bytes",
    rule: "RFC 9112 §4: a reason phrase may contain obs-text",
};

const WAITS_FOR_THE_HEAD: Difference = Difference {
    theirs: "judges a handshake, where at all, when the head is complete",
    ours: "refuse at the byte that makes the fault certain",
    rule: "RFC 6455 §4.2.1: a server MUST stop processing when it finds that a handshake does not match (SH13)",
};

const WAITS_FOR_THE_VERSION: Difference = Difference {
    theirs: "refuses at the first byte of a version that it does not know",
    ours: "refuse when both numbers are there, to say which version it is",
    rule: "RFC 9110 §15.6.6: a server says why it does not support the version (SH1)",
};

/// The fields that were read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// The target or the reason, after the text that precedes it.
    start: (u16, Vec<u8>),
    fields: Vec<(String, Vec<u8>)>,
    len: usize,
}

type Ours = Result<Option<Head>, HandshakeError>;

/// The fields that they read, and the verdict of our rules on these.
type Theirs = Result<Option<(Head, Result<(), HandshakeError>)>, httparse::Error>;

/// A request or a response.
pub(crate) trait Message: Debug {
    /// Text that completes any beginning of a head, from some byte on.
    const COMPLETION: &str;

    fn ours(bytes: &[u8]) -> Ours;

    fn theirs(bytes: &[u8]) -> Theirs;
}

#[derive(Debug)]
pub(crate) struct Requests;

#[derive(Debug)]
pub(crate) struct Responses;

fn fields<'a>(fields: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<(String, Vec<u8>)> {
    fields
        .map(|(name, value)| (name.to_owned(), value.to_vec()))
        .collect()
}

/// As our functions take them.
fn pairs<'a>(fields: &[httparse::Header<'a>]) -> Vec<(&'a str, &'a [u8])> {
    fields
        .iter()
        .map(|field| (field.name, field.value))
        .collect()
}

impl Message for Requests {
    const COMPLETION: &str = "\nGET / HTTP/1.1\r\nx:\r\n\r\n";

    fn ours(bytes: &[u8]) -> Ours {
        Ok(
            Request::parse(bytes, &HeadLimits::default())?.map(|(request, len)| Head {
                start: (0, request.target().into()),
                fields: fields(request.headers().iter()),
                len,
            }),
        )
    }

    fn theirs(bytes: &[u8]) -> Theirs {
        let mut headers = [httparse::EMPTY_HEADER; 200];
        let mut request = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(len) = request.parse(bytes)? else {
            return Ok(None);
        };
        let (method, target) = (
            request.method.unwrap_or_default(),
            request.path.unwrap_or_default(),
        );
        let pairs = pairs(request.headers);
        let verdict = Request::from_headers(
            method,
            target,
            (1, request.version.unwrap_or_default()),
            &pairs,
        )
        .map(drop);
        Ok(Some((
            Head {
                start: (0, target.into()),
                fields: fields(pairs.iter().copied()),
                len,
            },
            verdict,
        )))
    }
}

impl Message for Responses {
    const COMPLETION: &str = "\nHTTP/1.1 200 \r\nx:\r\n\r\n";

    fn ours(bytes: &[u8]) -> Ours {
        Ok(
            Response::parse(bytes, &HeadLimits::default())?.map(|(response, len)| Head {
                start: (response.status(), response.reason().to_vec()),
                fields: fields(response.headers().iter()),
                len,
            }),
        )
    }

    fn theirs(bytes: &[u8]) -> Theirs {
        let mut headers = [httparse::EMPTY_HEADER; 200];
        let mut response = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(len) = response.parse(bytes)? else {
            return Ok(None);
        };
        let (status, reason) = (
            response.code.unwrap_or_default(),
            response.reason.unwrap_or_default(),
        );
        let pairs = pairs(response.headers);
        let verdict =
            Response::from_headers((1, response.version.unwrap_or_default()), status, &pairs)
                .map(drop);
        Ok(Some((
            Head {
                start: (status, reason.into()),
                fields: fields(pairs.iter().copied()),
                len,
            },
            verdict,
        )))
    }
}

/// Compares the fields, and returns the differences, and the input without those.
///
/// # Errors
///
/// A difference that is not listed.
pub(crate) fn compare<M: Message>(bytes: &[u8]) -> Result<(Found, Vec<u8>), String> {
    let mut found = Found::default();
    let mut case = bytes.to_vec();
    for _ in 0..100 {
        let (ours, theirs) = (M::ours(&case), M::theirs(&case));
        let agree = match (&ours, &theirs) {
            (Ok(Some(ours)), Ok(Some((theirs, verdict)))) => ours == theirs && verdict.is_ok(),
            (Ok(None), Ok(None)) | (Err(_), Err(_)) => true,
            _ => false,
        };
        if agree {
            return Ok((found, case));
        }
        if let (Err(error), Ok(Some((_, Err(rule))))) = (&ours, &theirs)
            && error == rule
        {
            found.push(&NOT_A_HANDSHAKE);
            return Ok((found, case));
        }
        let before = case.clone();
        let Some(difference) = explain::<M>(&mut case, ours, theirs) else {
            break;
        };
        if case == before {
            break;
        }
        found.push(difference);
    }
    let (ours, theirs) = (M::ours(&case), M::theirs(&case));
    Err(format!(
        "not listed, after {found:?}: of b\"{}\"\nwe read {ours:?}\nthey read {theirs:?}",
        case.escape_ascii()
    ))
}

/// Takes one difference out of the input.
fn explain<M: Message>(
    case: &mut Vec<u8>,
    ours: Ours,
    theirs: Theirs,
) -> Option<&'static Difference> {
    let before = if case.starts_with(b"\r\n") { 2 } else { 0 };
    let first_line = case[before..]
        .iter()
        .position(|&byte| byte == b'\n')
        .map_or(case.len(), |lf| before + lf + 1);
    let minor = case[..first_line]
        .windows(7)
        .position(|window| window == b"HTTP/1.")
        .map(|at| at + 7);
    match (ours, theirs) {
        (_, Err(httparse::Error::Version))
            if matches!(case.get(minor.unwrap_or(case.len())), Some(b'2'..=b'9')) =>
        {
            case[minor?] = b'1';
            Some(&LATER_VERSION)
        }
        (Err(HandshakeError::BareLf), Ok(_)) => {
            let lf = (0..case.len())
                .find(|&at| case[at] == b'\n' && (at == 0 || case[at - 1] != b'\r'))?;
            case.insert(lf, b'\r');
            Some(&BARE_LF)
        }
        (Err(HandshakeError::InvalidRequestLine | HandshakeError::InvalidStatusLine), Ok(_))
            if case.starts_with(b"\r\n") =>
        {
            case.drain(..2);
            Some(&EMPTY_LINES_BEFORE)
        }
        (Ok(Some(ours)), Ok(Some((theirs, _))))
            if theirs.start.1.is_empty() && !ours.start.1.is_ascii() =>
        {
            let line = case[..first_line].iter_mut();
            line.filter(|byte| !byte.is_ascii())
                .for_each(|byte| *byte = b'?');
            Some(&REASON_NOT_ASCII)
        }
        (Err(_), Ok(None)) => {
            let completions = (0..M::COMPLETION.len())
                .rev()
                .map(|at| [&case[..], &M::COMPLETION.as_bytes()[at..]].concat());
            let mut judged = completions.filter_map(|completed| {
                Some((M::theirs(&completed).transpose()?.is_ok(), completed))
            });
            // If a target is not UTF-8, they report that at its end.
            let refused = judged.clone().next();
            *case = judged.find(|(read, _)| *read).or(refused)?.1;
            Some(&WAITS_FOR_THE_HEAD)
        }
        (Ok(None), Err(httparse::Error::Version)) => {
            case.extend(b".0");
            Some(&WAITS_FOR_THE_VERSION)
        }
        _ => None,
    }
}

/// Changes of a head.
#[derive(Debug, Clone)]
enum Change {
    DropLine(Index),
    RepeatLine(Index, Index),
    Insert(Index, Vec<u8>),
    Replace(Index, u8),
    Remove(Index),
    Truncate(Index),
    TruncateFirstLine(Index),
}

fn change() -> impl Strategy<Value = Change> {
    const PIECES: &[&str] = &[
        "\r\n", "\n", "\r", " ", "\t", ":", ",", ";", "\0", "\x7f", "\u{e9}", "\"", "#", "?",
        "\r\n ", "\r\n\r\n", "a", "1", "http://", "/",
    ];
    prop_oneof![
        2 => any::<Index>().prop_map(Change::DropLine),
        2 => any::<(Index, Index)>().prop_map(|(from, to)| Change::RepeatLine(from, to)),
        4 => (any::<Index>(), select(PIECES)).prop_map(|(at, piece)| Change::Insert(at, piece.into())),
        2 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Change::Replace(at, byte)),
        2 => any::<Index>().prop_map(Change::Remove),
        1 => any::<Index>().prop_map(Change::Truncate),
        2 => any::<Index>().prop_map(Change::TruncateFirstLine),
    ]
}

fn changed(mut head: Vec<u8>, change: Change) -> Vec<u8> {
    let mut lines: Vec<_> = head.split_inclusive(|&byte| byte == b'\n').collect();
    if head.is_empty() {
        return head;
    }
    match change {
        Change::DropLine(at) => {
            lines.remove(at.index(lines.len()));
            return lines.concat();
        }
        Change::RepeatLine(from, to) => {
            let line = lines[from.index(lines.len())];
            lines.insert(to.index(lines.len()), line);
            return lines.concat();
        }
        Change::Insert(at, bytes) => {
            let at = at.index(head.len() + 1);
            head.splice(at..at, bytes);
        }
        Change::Replace(at, byte) => {
            let at = at.index(head.len());
            head[at] = byte;
        }
        Change::Remove(at) => _ = head.remove(at.index(head.len())),
        Change::Truncate(at) => head.truncate(at.index(head.len())),
        Change::TruncateFirstLine(at) => {
            let at = at.index(lines[0].len());
            head.truncate(at);
        }
    }
    head
}

/// A start line and fields, each as most write it or otherwise, in any order, and then changed in
/// some places.
fn head(
    start: &'static [&'static str],
    needed: &'static [&'static [&'static str]],
    more: &'static [&'static str],
) -> impl Strategy<Value = Input> {
    let mostly_first =
        |choice: &'static [&'static str]| prop_oneof![4 => Just(choice[0]), 1 => select(choice)];
    let fields = needed
        .iter()
        .map(|choice| mostly_first(choice).boxed())
        .collect::<Vec<_>>();
    let fields = (fields, vec(select(more), 0..3))
        .prop_map(|(fields, more)| [fields, more].concat())
        .prop_shuffle();
    let changes = prop_oneof![1 => Just(Vec::new()), 1 => vec(change(), 1..4)];
    (mostly_first(start), fields, changes).prop_map(|(start, fields, changes)| {
        let head = [&[start][..], &fields, &["", ""]]
            .concat()
            .join("\r\n")
            .into_bytes();
        Input(changes.into_iter().fold(head, changed))
    })
}

pub(crate) fn request() -> impl Strategy<Value = Input> {
    const START: &[&str] = &[
        "GET /chat HTTP/1.1",
        "GET / HTTP/1.2",
        "GET / HTTP/1.0",
        "GET / HTTP/2.0",
        "GET /a?b=%20&c[]={d}|e HTTP/1.1",
        "GET http://example.com/chat HTTP/1.1",
        "GET ws://example.com/chat HTTP/1.1",
        "\r\nGET /chat HTTP/1.1",
        "GET * HTTP/1.1",
        "GET example.com:80 HTTP/1.1",
        "GET /a#b HTTP/1.1",
        "GET /\"<>^` HTTP/1.1",
        "POST /chat HTTP/1.1",
        "get /chat HTTP/1.1",
        "GET  /chat HTTP/1.1",
    ];
    const NEEDED: &[&[&str]] = &[
        &[
            "Host: example.com",
            "host:example.com:8080",
            "Host: [::1]:80",
            "Host: a b",
            "Host:",
            "Host: user@example.com",
        ],
        &[
            "Upgrade: websocket",
            "UPGRADE:\tWebSocket \t",
            "Upgrade: h2c, websocket",
            "Upgrade: websockets",
            "Upgrade: h2c",
        ],
        &[
            "Connection: Upgrade",
            "connection: keep-alive, upgrade",
            "Connection: keep-alive,\tUpgrade",
            "Connection: keep-alive Upgrade",
            "Connection: keep-alive\r\nConnection: Upgrade",
            "Connection: close",
            "Connection: Upgraded",
        ],
        &[
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZR==",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ",
            "Sec-WebSocket-Key: AAAA",
        ],
        &[
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Version: 12",
            "Sec-WebSocket-Version: 13, 8",
            "Sec-WebSocket-Version: 013",
        ],
    ];
    const MORE: &[&str] = &[
        "Origin: http://example.com",
        "Sec-WebSocket-Protocol: chat, superchat",
        "Sec-WebSocket-Protocol: ,",
        "Sec-WebSocket-Protocol: a b",
        "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-other; a=\"b\"",
        "Sec-WebSocket-Extensions: a;",
        "Sec-WebSocket-Extensions: ",
        "Content-Length: 0",
        "Content-Length: 5",
        "Transfer-Encoding: chunked",
        "Cookie: a=b; c=\u{e9}",
        "X-Empty:",
        "X-Odd!#$%&'*+-.^_`|~: \t a \t b\t",
    ];
    head(START, NEEDED, MORE)
}

pub(crate) fn response() -> impl Strategy<Value = Input> {
    const START: &[&str] = &[
        "HTTP/1.1 101 Switching Protocols",
        "HTTP/1.1 101 ",
        "HTTP/1.1 101",
        "HTTP/1.1 101 \u{e9}",
        "HTTP/1.0 101 Switching Protocols",
        "HTTP/1.3 101 Switching Protocols",
        "HTTP/2.0 101 Switching Protocols",
        "HTTP/1.1 302 Found",
        "HTTP/1.1 099 No",
        "HTTP/1.1 1010 No",
        "HTTP/1.1  101 Switching Protocols",
    ];
    const NEEDED: &[&[&str]] = &[
        &[
            "Upgrade: websocket",
            "UPGRADE:\tWebSocket \t",
            "Upgrade: websocket, h2c",
            "Upgrade: h2c",
        ],
        &[
            "Connection: Upgrade",
            "connection: keep-alive, upgrade",
            "Connection: keep-alive\r\nConnection: Upgrade",
            "Connection: close",
        ],
        &[
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
            "Sec-WebSocket-Accept:s3pPLMBiTxaQ9kYGzzhZRbK+xOo= ",
            "Sec-WebSocket-Accept: s3pplmbitxaq9kygzzhzrbk+xoo=",
            "Sec-WebSocket-Accept: dGhlIHNhbXBsZSBub25jZQ==",
        ],
        &[
            "Sec-WebSocket-Protocol: chat",
            "Sec-WebSocket-Protocol: other",
            "X-None: 1",
            "Sec-WebSocket-Protocol: chat, superchat",
        ],
    ];
    const MORE: &[&str] = &[
        "Server: \u{e9}",
        "Sec-WebSocket-Extensions: permessage-deflate",
        "Sec-WebSocket-Extensions: a;",
        "Content-Length: 0",
        "Content-Length: 5, 6",
        "Transfer-Encoding: chunked",
        "X-Empty:",
    ];
    head(START, NEEDED, MORE)
}

proptest! {
    #![proptest_config(cases(100_000))]

    #[test]
    fn requests_are_read_as_httparse_reads_them(head in request()) {
        compare::<Requests>(&head.0).map_err(TestCaseError::fail)?;
    }

    #[test]
    fn responses_are_read_as_httparse_reads_them(head in response()) {
        compare::<Responses>(&head.0).map_err(TestCaseError::fail)?;
    }
}

fn met<M: Message>(strategy: &impl Strategy<Value = Input>) -> Found {
    let mut runner = TestRunner::deterministic();
    let mut met = Found::default();
    for _ in 0..20_000 {
        let head = strategy.new_tree(&mut runner).expect("an input").current();
        met.extend(&compare::<M>(&head.0).expect("what is listed").0);
    }
    met
}

/// The random heads are not all alike: they meet every difference.
#[test]
fn random_heads_meet_every_difference() {
    let both = [
        &NOT_A_HANDSHAKE,
        &LATER_VERSION,
        &BARE_LF,
        &EMPTY_LINES_BEFORE,
        &WAITS_FOR_THE_HEAD,
        &WAITS_FOR_THE_VERSION,
    ];
    met::<Requests>(&request()).is(&both);
    met::<Responses>(&response()).is(&[&both[..], &[&REASON_NOT_ASCII]].concat());
}

/// A request with nothing wrong in it.
pub(crate) const GOOD: &str = "GET / HTTP/1.1\r\n\
    Host: a\r\n\
    Upgrade: websocket\r\n\
    Connection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
    Sec-WebSocket-Version: 13\r\n\
    X: \t\u{e9} \r\n\
    \r\n";

#[track_caller]
fn differ<M: Message>(head: &str, by: &[&'static Difference]) {
    compare::<M>(head.as_bytes())
        .expect("what is listed")
        .0
        .is(by);
}

#[test]
fn no_difference_where_there_is_none() {
    differ::<Requests>(GOOD, &[]);
    differ::<Responses>(
        "HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nX: \t\u{e9} \r\n\r\n",
        &[],
    );
    differ::<Responses>("HTTP/1.1 101\r\n\r\n", &[]);
    differ::<Requests>(&format!("\r\n{GOOD}"), &[]);
    differ::<Responses>("HTTP/1.1 302 \r\n\r\n", &[]);
    for wrong in [
        " X: a",
        "X : a",
        "X: \0",
        "X: a\rb",
        "X\u{e9}: a",
        ": a",
        "X",
        "X: \x7f",
    ] {
        differ::<Requests>(&GOOD.replace("X: \t\u{e9} ", wrong), &[]);
        differ::<Responses>(&format!("HTTP/1.1 101 Yes\r\n{wrong}\r\n\r\n"), &[]);
    }
}

#[test]
fn not_a_handshake_is_shown() {
    differ::<Requests>("GET / HTTP/1.1\r\n\r\n", &[&NOT_A_HANDSHAKE]);
    differ::<Requests>(&GOOD.replace("GET", "POST"), &[&NOT_A_HANDSHAKE]);
    differ::<Requests>(&GOOD.replace("HTTP/1.1", "HTTP/1.0"), &[&NOT_A_HANDSHAKE]);
    differ::<Responses>("HTTP/1.1 099 No\r\n\r\n", &[&NOT_A_HANDSHAKE]);
    differ::<Responses>(
        "HTTP/1.1 101 Yes\r\nUpgrade: a\r\nUpgrade: b\r\n\r\n",
        &[&NOT_A_HANDSHAKE],
    );
}

#[test]
fn later_version_is_shown() {
    differ::<Requests>(&GOOD.replace("HTTP/1.1", "HTTP/1.2"), &[&LATER_VERSION]);
    differ::<Responses>("HTTP/1.9 101 Yes\r\n\r\n", &[&LATER_VERSION]);
}

#[test]
fn bare_lf_is_shown() {
    differ::<Requests>(&GOOD.replace("Host: a\r\n", "Host: a\n"), &[&BARE_LF]);
    differ::<Responses>("HTTP/1.1 101 Yes\r\n\n", &[&BARE_LF]);
}

#[test]
fn empty_lines_before_is_shown() {
    differ::<Requests>(&format!("\r\n\r\n{GOOD}"), &[&EMPTY_LINES_BEFORE]);
    differ::<Responses>("\r\n\r\nHTTP/1.1 101 Yes\r\n\r\n", &[&EMPTY_LINES_BEFORE]);
}

#[test]
fn reason_not_ascii_is_shown() {
    differ::<Responses>("HTTP/1.1 101 \u{e9}\r\n\r\n", &[&REASON_NOT_ASCII]);
}

#[test]
fn waits_for_the_head_is_shown() {
    differ::<Requests>(
        "POST / HTTP/1.1\r\n",
        &[&WAITS_FOR_THE_HEAD, &NOT_A_HANDSHAKE],
    );
    differ::<Requests>("POST ", &[&WAITS_FOR_THE_HEAD, &NOT_A_HANDSHAKE]);
    differ::<Responses>("HTTP/1.1 0", &[&WAITS_FOR_THE_HEAD, &NOT_A_HANDSHAKE]);
}

#[test]
fn waits_for_the_version_is_shown() {
    differ::<Requests>("GET / HTTP/2", &[&WAITS_FOR_THE_VERSION]);
    differ::<Responses>("HTTP/2", &[&WAITS_FOR_THE_VERSION]);
}
