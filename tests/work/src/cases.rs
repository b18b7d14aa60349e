//! The table of cases, and what they consist of.

use crate::Case;
use crate::frames::{Form, Frame, TestRole, wire};
use crate::handshake_support::Head;
use crate::jobs::{Job, answering, connecting, inflating, receiving, role, serving};
use std::hint::black_box;
use std::time::Duration;
use ws_proto::deflate::{self, Flush, Params};
use ws_proto::frame::Header;
use ws_proto::handshake::HandshakeError;
use ws_proto::uri::Uri;
use ws_proto::{
    ByteQueue, CappedOutput, Client, CloseCode, Config, Connection, MessageKind, Output,
    OwnedMessage, ProtocolError, SendError, Server, Session, SliceOutput, Timeouts, WebSocket,
};

const fn case(name: &'static str, most: u32, jobs: fn(usize) -> Vec<Job>) -> Case {
    Case { name, most, jobs }
}

/// The jobs that a function makes for each role.
macro_rules! both_roles {
    ($job:ident) => {
        |n| vec![$job::<Server>(n), $job::<Client>(n)]
    };
}

/// Each with the most instructions for a byte.
pub(crate) const CASES: &[Case] = &[
    // Frames
    case("FR7 L6 SE10: short messages", 700, |n| {
        many(n, Frame::text("short"))
    }),
    case("FR7: headers of 10 and 14 bytes", 500, |n| {
        many(n, Frame::binary("").form(Form::Bits64))
    }),
    case("UT2 SE10: a text in one frame", 1000, |n| {
        received(&[Frame::text(text(n))])
    }),
    case("FG6 F1: a text in fragments of a byte", 500, |n| {
        received(&fragments(text(n / 4).as_bytes(), 1))
    }),
    case("F3 FR10: empty fragments", 500, |n| {
        received(&empty_fragments(n / 2))
    }),
    case(
        "FG3 CT3: Pings between the fragments of a text",
        700,
        pings_between_fragments,
    ),
    case("L6 SE10: empty Pings", 1000, |n| many(n, Frame::ping(""))),
    case("L6 SE10: Pings of 125 bytes", 500, |n| {
        many(n, Frame::ping([7; 125]))
    }),
    case("L6 CT6: Pongs", 700, |n| many(n, Frame::pong(""))),
    case("L3 FR8: a large binary message", 500, |n| {
        received(&[Frame::binary(vec![7; n])])
    }),
    case(
        "UT5 P4: a text in one frame that is invalid at its end",
        1000,
        |n| invalid(&[Frame::text(spoilt(n))]),
    ),
    case(
        "UT5 P4: a text in fragments that is invalid at its end",
        700,
        |n| invalid(&fragments(&spoilt(n), 100)),
    ),
    case("UT3 P4: a text that ends inside a character", 1000, |n| {
        invalid(&[Frame::text([text(n).as_bytes(), b"\xe2\x82"].concat())])
    }),
    case("P3 CL5: bytes after a Close", 200, |n| {
        received(&[Frame::close(1000, ""), Frame::text(text(n))])
    }),
    case("P2 CL15: bytes after a violation", 200, |n| {
        invalid(&[Frame::text(b"\xff"), Frame::text(text(n))])
    }),
    case(
        "O4 SE10: a queue that the socket empties byte by byte",
        200,
        queues,
    ),
    case(
        "O4 SE10 SN1: a session, written byte by byte",
        1000,
        both_roles!(session),
    ),
    case(
        "O1 CT9: Pings, with room for one Pong at a time",
        700,
        both_roles!(pong_by_pong),
    ),
    case(
        "O1 CT9: calls while the output is full",
        450,
        both_roles!(output_full),
    ),
    // Requests
    case("H1 SH17: a request of many fields", 1000, |n| {
        request(n, fill(n, "X-Many: 1\r\n").trim_end())
    }),
    case("H1: a request with a long field", 500, |n| {
        request(n, &format!("X-Long: {}", fill(n, "a")))
    }),
    case("H1: a request with a long name of a field", 500, |n| {
        request(n, &format!("{}: 1", fill(n, "a")))
    }),
    case(
        "H1: a request with much whitespace around a value",
        700,
        |n| request(n, &format!("X-Long: {0}a{0}", fill(n / 2, " \t"))),
    ),
    case("H1 SH15: a request with a long target", 700, |n| {
        served(
            n,
            Head::request().first(&format!("GET /{} HTTP/1.1", fill(n, "a?://"))),
        )
    }),
    case(
        "H1 SH15: a request with a long absolute target",
        1000,
        |n| {
            served(
                n,
                Head::request().first(&format!("GET http://{} HTTP/1.1", fill(n, "a."))),
            )
        },
    ),
    case(
        "H1 C1 SH3 SR12: a request with a long host and origin",
        700,
        long_origin,
    ),
    case(
        "H1 CR15: a request that is refused at the limit, and as many bytes again",
        300,
        |n| {
            serving(
                n,
                &format!("GET /{}", "a".repeat(2 * n)),
                Err(HandshakeError::HeadTooLarge { limit: n }),
            )
        },
    ),
    case("H1 SH5: many options of the connection", 500, |n| {
        request(n, &format!("Connection: {}", fill(n, "x,")))
    }),
    case("SH11: many subprotocols in a list", 700, |n| {
        request(
            n,
            &format!("Sec-WebSocket-Protocol: {}z", fill(n, "a, b ,, ab,")),
        )
    }),
    case("SH11: many subprotocols in lines", 700, |n| {
        request(n, fill(n, "Sec-WebSocket-Protocol: a\r\n").trim_end())
    }),
    case("H3 EX1: many extensions", 1000, |n| {
        offers(n, &fill(n, "a,b;c ,"))
    }),
    case("H3 SH12: many lines of extensions", 700, |n| {
        request(n, fill(n, "Sec-WebSocket-Extensions: a\r\n").trim_end())
    }),
    case("H3 EX1: many parameters", 2000, |n| {
        offers(n, &format!("a{}", fill(n, ";a")))
    }),
    case("H3 EX1: many empty elements", 500, |n| {
        offers(n, &format!("{}a", fill(n, ",")))
    }),
    case("H3 EX1: much whitespace", 500, |n| {
        offers(
            n,
            &format!(
                "a{}",
                fill(n, &format!("{0};{0}b{0}={0}c{0}", " ".repeat(100)))
            ),
        )
    }),
    case("H3 EX1: a long quoted value", 700, |n| {
        offers(n, &format!("a; b=\"{}\"", fill(n, "c")))
    }),
    case("H3 EX1: a long quoted value of backslashes", 700, |n| {
        offers(n, &format!("a; b=\"{}\"", fill(n, r"\c")))
    }),
    case("H3 EX2: a quoted value without its end", 500, |n| {
        malformed_offer(n, &format!("a; b=\"{}", fill(n, r"c\d")))
    }),
    case(
        "H3 EX2: many quoted values, and one without its end",
        700,
        |n| malformed_offer(n, &format!("{}a; b=\"", fill(n, "a; b=\"c\","))),
    ),
    case("H3: names that are special elsewhere", 700, |n| {
        offers(n, &fill(n, "__proto__; constructor=toString,"))
    }),
    case("H3 DF1: many offers that are declined", 700, |n| {
        offers(
            n,
            &format!(
                "{}permessage-deflate",
                fill(n, "permessage-deflate; client_max_window_bits=7,")
            ),
        )
    }),
    case("H3 DF1: an offer of many parameters", 700, |n| {
        offers(
            n,
            &format!("permessage-deflate{}", fill(n, "; client_max_window_bits")),
        )
    }),
    case("H3 DF9 D4: offers with long values", 700, |n| {
        offers(
            n,
            &fill(
                n,
                &format!(
                    "permessage-deflate; server_max_window_bits=\"{}\",",
                    r"\1".repeat(300)
                ),
            ),
        )
    }),
    // Responses
    case("H1 CR15: a response of many fields", 700, |n| {
        response(n, fill(n, "X-Many: 1\r\n").trim_end())
    }),
    case("H1 CR15: a response with a long field", 500, |n| {
        response(n, &format!("X-Long: {}", fill(n, "a")))
    }),
    case("H1 CR15: a response with a long reason", 500, |n| {
        connecting(
            n,
            &Head::response()
                .first(&format!("HTTP/1.1 101 {}", fill(n, "a")))
                .text(),
            Ok(true),
        )
    }),
    case(
        "H1 CR15: a response that is refused at the limit, and as many bytes again",
        300,
        |n| {
            connecting(
                n,
                &format!("HTTP/1.1 101 {}", "a".repeat(2 * n)),
                Err(HandshakeError::HeadTooLarge { limit: n }),
            )
        },
    ),
    case("H1 CR3: many interim responses", 500, |n| {
        connecting(
            n,
            &(fill(n, "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n") + &Head::response().text()),
            Ok(true),
        )
    }),
    case(
        "CR5: many options of the connection in a response",
        500,
        |n| response(n, &format!("Connection: {}", fill(n, "x,"))),
    ),
    case("CR1: a refusal that says its length many times", 500, |n| {
        refusal(n, &format!("Content-Length: {}7", fill(n, "7, ")))
    }),
    case("CR1: a refusal of many transfer codings", 500, |n| {
        refusal(n, &format!("Transfer-Encoding: {}", fill(n, "gzip, ")))
    }),
    case("EX1 H3: an answer of many empty elements", 500, |n| {
        response(
            n,
            &format!(
                "Sec-WebSocket-Extensions: {}permessage-deflate",
                fill(n, ",")
            ),
        )
    }),
    case(
        "CR16 H3: an answer with a quoted value without its end",
        500,
        |n| {
            answer(
                n,
                &format!("a; b=\"{}", fill(n, "c")),
                HandshakeError::InvalidHeader("Sec-WebSocket-Extensions"),
            )
        },
    ),
    case("CR8 N1: an answer of many extensions", 500, |n| {
        answer(
            n,
            &fill(n, "permessage-deflate,"),
            HandshakeError::ExtensionNotOffered,
        )
    }),
    case("DF2 N1: an answer of many parameters", 700, |n| {
        answer(
            n,
            &format!("permessage-deflate{}", fill(n, "; a=\"b\"")),
            HandshakeError::InvalidExtensionParameter,
        )
    }),
    case("CH14: a long URI", 200, uris),
    case("CH19: a long Location", 300, locations),
    case(
        "SH20: many requests that are not for WebSocket",
        1500,
        |n| {
            let request = "GET /health HTTP/1.1\r\nHost: a\r\n\r\n";
            answering(&request.repeat(n / request.len()))
        },
    ),
    case(
        "SH21: a request with a long body, which is skipped",
        200,
        |n| {
            answering(&format!(
                "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {n}\r\n\r\n{}",
                "x".repeat(n)
            ))
        },
    ),
    // Compressed messages
    case("D8 UT7 DP16: a compressed text", 300, |n| {
        inflated(
            &[Frame {
                opcode: 1,
                ..compressed(&json(n))
            }],
            n,
        )
    }),
    case(
        "D8 DP6: a compressed message in fragments of a byte",
        300,
        |n| inflated(&in_fragments(&compressed(&json(n)), 1), n),
    ),
    case(
        "F3 DP6: empty fragments of a compressed message",
        500,
        |n| inflated(&empty_compressed_fragments(n / 2), 0),
    ),
    case(
        "D9 DP12: short compressed messages that take the context over",
        500,
        |n| short_compressed(n, false),
    ),
    case(
        "D11 DP11: short messages that are compressed each on its own",
        700,
        |n| short_compressed(n, true),
    ),
    case("D6 DP7: empty blocks with BFINAL", 2000, |n| {
        inflated(&[deflated([3, 0].repeat(n / 2))], 0)
    }),
    case("DP8: empty stored blocks", 2000, |n| {
        inflated(
            &[deflated(
                [[0, 0, 0, 0xff, 0xff].repeat(n / 5), vec![0]].concat(),
            )],
            0,
        )
    }),
    case(
        "D2 D3 DP9: a compressed message of which each byte is flushed",
        1500,
        flushed_byte_by_byte,
    ),
    case(
        "D7 DP14: a compressed message that is invalid at its end",
        300,
        invalid_at_its_end,
    ),
    case("D1 DP13: a bomb, which is refused at the limit", 70, bomb),
    case("D8 D12: inflating into an output of a byte", 700, |n| {
        vec![inflating_byte_by_byte(n)]
    }),
    // Sending
    case(
        "SE10 FG5: sending a text in parts of a byte",
        1000,
        both_roles!(parts),
    ),
    case("SE10 FR9: sending a large message", 3, both_roles!(large)),
    case(
        "SE10 FR9: sending a large message into an output of fixed size",
        2,
        both_roles!(large_into_slice),
    ),
    case(
        "O2 SE10: parts of a text that find no room, tried again and again",
        2,
        both_roles!(no_room),
    ),
    case(
        "U2 CL9: a long reason, which is cut",
        3,
        both_roles!(long_reason),
    ),
    case(
        "SE10: compressing a message in pieces of a byte",
        1000,
        |n| vec![compressing(n, n)],
    ),
    case("SE10: compressing short messages", 3000, |n| {
        vec![compressing(n, 100)]
    }),
];

// Frames

/// With no limit that is reached.
fn config() -> Config {
    Config::default()
        .with_max_fragments(u32::MAX)
        .with_allow_non_minimal_length(true)
}

fn received(frames: &[Frame]) -> Vec<Job> {
    receiving(&config(), frames, None)
}

/// This frame so often that there are about `n` bytes.
fn many(n: usize, frame: Frame) -> Vec<Job> {
    received(&vec![frame.clone(); n / frame.to::<Client>().len()])
}

fn invalid(frames: &[Frame]) -> Vec<Job> {
    receiving(&config(), frames, Some(ProtocolError::InvalidUtf8))
}

/// Characters of one to four bytes.
fn text(n: usize) -> String {
    "plain a\u{e9}\u{20ac}\u{1f600}".repeat(n / 16)
}

fn spoilt(n: usize) -> Vec<u8> {
    [text(n).as_bytes(), b"\xff"].concat()
}

/// A text in fragments of this many bytes.
fn fragments(text: &[u8], len: usize) -> Vec<Frame> {
    in_fragments(&Frame::text(text), len)
}

/// The frame's message in fragments of this many bytes.
fn in_fragments(whole: &Frame, len: usize) -> Vec<Frame> {
    let mut fragments: Vec<_> = whole
        .payload
        .chunks(len)
        .map(|part| Frame::continuation(part).more())
        .collect();
    (fragments[0].opcode, fragments[0].rsv) = (whole.opcode, whole.rsv);
    fragments.push(Frame::continuation(""));
    fragments
}

fn empty_fragments(count: usize) -> Vec<Frame> {
    let mut frames = vec![Frame::continuation("").more(); count];
    frames[0].opcode = 1;
    frames
}

fn pings_between_fragments(n: usize) -> Vec<Job> {
    received(
        &fragments(text(n).as_bytes(), 4)
            .into_iter()
            .flat_map(|fragment| [fragment, Frame::ping("ping")])
            .collect::<Vec<_>>(),
    )
}

fn pong_by_pong<R: TestRole>(n: usize) -> Job {
    let mut ws = WebSocket::new(R::make(), &config());
    let mut pings = wire::<R>(&vec![Frame::ping(""); n]);
    Job::new(role::<R>(), pings.len(), move || {
        let (mut memory, mut input) = ([0; 6], &mut pings[..]);
        let memory = &mut memory[..if R::MASKS { 6 } else { 2 }];
        while !input.is_empty() || ws.is_paused() {
            let mut out = SliceOutput::new(memory);
            while ws.recv(&mut input, &mut out).is_some() {}
        }
    })
}

fn output_full<R: TestRole>(n: usize) -> Job {
    let mut ws = WebSocket::new(R::make(), &config());
    let mut pings = wire::<R>(&vec![Frame::ping(""); n]);
    Job::new(role::<R>(), n, move || {
        let (mut memory, mut input) = ([0; 1], &mut pings[..]);
        for _ in 0..n {
            assert!(
                black_box(&mut ws)
                    .recv(&mut input, &mut SliceOutput::new(&mut memory))
                    .is_none()
            );
        }
        assert!(ws.is_paused() && input.len() > n);
    })
}

// Heads

/// So many of these as leave room for the rest of a head of `n` bytes.
fn fill(n: usize, what: &str) -> String {
    what.repeat((n - 512) / what.len())
}

fn served(n: usize, head: Head) -> Vec<Job> {
    serving(n, &head.text(), Ok(()))
}

fn request(n: usize, line: &str) -> Vec<Job> {
    served(n, Head::request().with(line))
}

fn offers(n: usize, value: &str) -> Vec<Job> {
    request(n, &format!("Sec-WebSocket-Extensions: {value}"))
}

fn malformed_offer(n: usize, value: &str) -> Vec<Job> {
    let head = Head::request().with(&format!("Sec-WebSocket-Extensions: {value}"));
    serving(
        n,
        &head.text(),
        Err(HandshakeError::InvalidHeader("Sec-WebSocket-Extensions")),
    )
}

fn long_origin(n: usize) -> Vec<Job> {
    let host = fill(n / 2, "a.");
    served(
        n,
        Head::request()
            .but("Host", &host)
            .with(&format!("Origin: https://{host}")),
    )
}

fn response(n: usize, line: &str) -> Vec<Job> {
    connecting(n, &Head::response().with(line).text(), Ok(true))
}

fn answer(n: usize, extensions: &str, end: HandshakeError) -> Vec<Job> {
    connecting(
        n,
        &Head::response()
            .with(&format!("Sec-WebSocket-Extensions: {extensions}"))
            .text(),
        Err(end),
    )
}

fn refusal(n: usize, line: &str) -> Vec<Job> {
    connecting(
        n,
        &Head::of(&["HTTP/1.1 404 Not Found", line]).text(),
        Ok(false),
    )
}

fn uris(n: usize) -> Vec<Job> {
    let uri = |name, text: String| {
        Job::new(name, text.len(), move || {
            let uri = Uri::parse(&text).unwrap();
            black_box((
                uri.host(),
                uri.port(),
                uri.resource_name().to_string(),
                uri.host_value().to_string(),
            ));
        })
    };
    vec![
        uri("host", format!("ws://{}", "A.".repeat(n / 2))),
        uri("port", format!("ws://a:{}", "0".repeat(n))),
        uri("path", format!("wss://a/{}", "%2f/:".repeat(n / 5))),
        uri("query", format!("ws://a?{}", "?://%3f".repeat(n / 7))),
    ]
}

fn locations(n: usize) -> Vec<Job> {
    let location = |name, reference: String| {
        Job::new(name, reference.len(), move || {
            let base = Uri::parse("ws://a/b/c?d").unwrap();
            black_box(base.join(&reference).unwrap());
        })
    };
    vec![
        location("up", "../".repeat(n / 3)),
        location("down and up", "a/../".repeat(n / 5)),
        location("down, then up", "a/".repeat(n / 4) + &"../".repeat(n / 6)),
        location("empty segments", "/a".to_owned() + &"/".repeat(n)),
        location("a long segment, then up", "a".repeat(n - 3) + "/.."),
        location("another host", format!("https://{}", "a.".repeat(n / 2))),
    ]
}

// Compressed messages

/// What compresses well, but not too well.
fn json(n: usize) -> Vec<u8> {
    (0_u64..)
        .flat_map(|i| {
            format!("{{\"id\": {i}, \"value\": {}}}, ", i * i * 7919 % 10_007).into_bytes()
        })
        .take(n)
        .collect()
}

fn takeover(none: bool) -> Params {
    let answer = if none {
        "permessage-deflate; client_no_context_takeover; server_no_context_takeover"
    } else {
        "permessage-deflate"
    };
    answer.parse().unwrap()
}

/// A message in this compressed form.
fn deflated(payload: impl AsRef<[u8]>) -> Frame {
    Frame::binary(payload).rsv(Header::RSV1)
}

fn compressed(message: &[u8]) -> Frame {
    let mut payload = Vec::new();
    takeover(false)
        .client_compressor(&deflate::DeflateConfig::default())
        .compress(message, Flush::End, &mut payload);
    deflated(payload)
}

/// Receives a message that inflates to `n` bytes.
fn inflated(frames: &[Frame], n: usize) -> Vec<Job> {
    inflating(takeover(false), &config(), frames, n, None)
}

fn empty_compressed_fragments(count: usize) -> Vec<Frame> {
    let mut frames = empty_fragments(count);
    frames[0].rsv = Header::RSV1;
    frames.push(Frame::continuation([0]));
    frames
}

fn short_compressed(n: usize, no_takeover: bool) -> Vec<Job> {
    let mut compressor =
        takeover(no_takeover).client_compressor(&deflate::DeflateConfig::default());
    let compress = |message: &[u8]| {
        let mut payload = Vec::new();
        compressor.compress(message, Flush::End, &mut payload);
        deflated(payload)
    };
    inflating(
        takeover(no_takeover),
        &config(),
        &json(n).chunks(100).map(compress).collect::<Vec<_>>(),
        n,
        None,
    )
}

/// About 7 bytes on the wire for each byte of content.
fn flushed_byte_by_byte(n: usize) -> Vec<Job> {
    let (mut compressor, mut payload) = (
        takeover(false).client_compressor(&deflate::DeflateConfig::default()),
        Vec::new(),
    );
    for byte in 0..n / 7 {
        compressor.compress(&[(byte * 89 % 251) as u8], Flush::Sync, &mut payload);
    }
    payload.push(0);
    inflated(&[deflated(payload)], n / 7)
}

fn invalid_at_its_end(n: usize) -> Vec<Job> {
    let mut frame = compressed(&json(n));
    // A block of the type that is reserved (RFC 1951 §3.2.3), after the empty one that ends the
    // message.
    frame.payload.extend([0, 0, 0xff, 0xff, 0x06]);
    inflating(
        takeover(false),
        &config(),
        &[frame],
        n,
        Some(ProtocolError::InvalidCompression),
    )
}

/// 1 MiB, of which `n` bytes are allowed.
fn bomb(n: usize) -> Vec<Job> {
    let limit = config().with_max_message(n as u64);
    inflating(
        takeover(false),
        &limit,
        &[compressed(&vec![0; 1 << 20])],
        n,
        Some(ProtocolError::MessageTooLong {
            len: n as u64 + 1,
            limit: n as u64,
        }),
    )
}

fn inflating_byte_by_byte(n: usize) -> Job {
    let payload = compressed(&json(n)).payload;
    let mut decompressor = takeover(false).client_decompressor();
    Job::new("decompressor", payload.len() + n, move || {
        let (mut rest, mut len) = (&payload[..], 0);
        loop {
            let inflated = decompressor.inflate(&mut rest, true, &mut [0]).unwrap();
            len += inflated.len;
            if inflated.done {
                break;
            }
        }
        assert_eq!(len, n);
    })
}

/// Compresses messages of `len` bytes, in pieces of a byte.
fn compressing(n: usize, len: usize) -> Job {
    let mut compressor = takeover(false).client_compressor(&deflate::DeflateConfig::default());
    let data = json(n);
    Job::new("compressor", n, move || {
        let mut out = Vec::new();
        for message in data.chunks(len) {
            message
                .iter()
                .for_each(|byte| compressor.compress(&[*byte], Flush::None, &mut out));
            compressor.compress(&[], Flush::End, &mut out);
        }
        black_box(out);
    })
}

// Sending

fn parts<R: TestRole>(n: usize) -> Job {
    let (mut connection, text) = (Connection::new(R::make(), &config()), text(n));
    Job::new(role::<R>(), text.len(), move || {
        let mut out = Vec::new();
        text.as_bytes().chunks(1).for_each(|part| {
            connection
                .send_fragment(MessageKind::Text, part, false, &mut out)
                .unwrap()
        });
        connection
            .send_fragment(MessageKind::Text, b"", true, &mut out)
            .unwrap();
        black_box(out);
    })
}

fn large<R: TestRole>(n: usize) -> Job {
    let (mut ws, text) = (WebSocket::new(R::make(), &config()), text(n));
    Job::new(role::<R>(), text.len(), move || {
        let mut out = Vec::new();
        ws.send_text(&text, &mut out).unwrap();
        black_box(out);
    })
}

fn large_into_slice<R: TestRole>(n: usize) -> Job {
    let (mut ws, text, mut memory) = (
        WebSocket::new(R::make(), &config()),
        text(n),
        vec![0; n + 14],
    );
    Job::new(role::<R>(), text.len(), move || {
        ws.send_text(&text, &mut SliceOutput::new(&mut memory))
            .unwrap();
        black_box(memory);
    })
}

/// A part that waits for room, which a peer makes little by little: the longer the part, the more
/// often it is tried.
fn no_room<R: TestRole>(n: usize) -> Job {
    let (mut connection, text) = (Connection::new(R::make(), &config()), text(n));
    Job::new(role::<R>(), n, move || {
        let mut out = Vec::new();
        for room in (0..n).step_by(64) {
            let refused = connection.send_fragment(
                MessageKind::Text,
                text.as_bytes(),
                true,
                &mut CappedOutput::new(&mut out, room),
            );
            assert!(matches!(refused, Err(SendError::OutputFull { .. })));
        }
    })
}

fn long_reason<R: TestRole>(n: usize) -> Job {
    let (mut ws, reason) = (
        WebSocket::new(R::make(), &config()),
        "\u{1f600}".repeat(n / 4),
    );
    Job::new(role::<R>(), reason.len(), move || {
        let mut out = Vec::new();
        ws.close(CloseCode::NORMAL, &reason, &mut out).unwrap();
        black_box(out);
    })
}

/// A queue that is filled once, and one that is always half full.
fn queues(n: usize) -> Vec<Job> {
    let empty = |mut queue: ByteQueue| {
        while !queue.is_empty() {
            queue.consume(1);
        }
    };
    vec![
        Job::new("filled", n, move || {
            let mut queue = ByteQueue::new();
            queue.append(&vec![7; n]);
            empty(queue);
        }),
        Job::new("half full", n, move || {
            let mut queue = ByteQueue::new();
            queue.append(&vec![7; n / 2]);
            for _ in 0..n / 2 {
                queue.append(b"x");
                queue.consume(1);
            }
            empty(queue);
        }),
        Job::new("byte by byte", n, move || {
            let mut queue = ByteQueue::new();
            for _ in 0..n {
                queue.append(b"x");
            }
            empty(queue);
        }),
    ]
}

/// Small messages in one read, which are echoed and written byte by byte.
fn session<R: TestRole>(n: usize) -> Job {
    let bytes = wire::<R>(&vec![Frame::text("short"); n / 8]);
    Job::new(role::<R>(), bytes.len(), move || {
        let ws = WebSocket::new(R::make(), &Config::new());
        let now = Duration::ZERO;
        let mut session = Session::open(ws, &Timeouts::new(), now);
        session.received(now, &bytes);
        loop {
            while let Some(message) = session.recv() {
                if let OwnedMessage::Text(text) = message {
                    session.send_text(&text).unwrap();
                }
            }
            if !session.needs(now).unwrap().write {
                break;
            }
            session.written(now, 1);
        }
    })
}
