//! Heads and frames, in one input, and in one for each end.

use crate::{File, assert_contains, dissect, shown};

const REQUEST: &str = "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n";
const RESPONSE: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
const MASKED_HELLO: &[u8] = b"\x81\x85\0\0\0\0Hello";
const CLOSES: [&[u8]; 2] = [b"\x88\x82\0\0\0\0\x03\xe8", b"\x88\x02\x03\xe8"];

fn head(start: &str, more: &str) -> Vec<u8> {
    format!("{start}{more}\r\n").into_bytes()
}

/// Returns the output for the bytes of each end, given as two files.
#[track_caller]
fn two(client: &[&[u8]], server: &[&[u8]], status: i32) -> String {
    let (client, server) = (File::new(&client.concat()), File::new(&server.concat()));
    shown(
        &["--client", client.name(), "--server", server.name()],
        b"",
        status,
    )
}

#[test]
fn a_conversation_in_two_files_is_shown() {
    let out = two(
        &[&head(REQUEST, ""), MASKED_HELLO, CLOSES[0]],
        &[&head(RESPONSE, ""), b"\x81\x02Hi", CLOSES[1]],
        0,
    );
    assert_contains(
        &out,
        &[
            "client 00000000  request\n                   GET /chat HTTP/1.1\n",
            "server 00000000  response\n                   HTTP/1.1 101 Switching Protocols\n",
            "server 00000081  open: no compression\n",
            "client 00000090  masked text, 5 bytes: \"Hello\"\n",
            "server 00000081  text, 2 bytes: \"Hi\"\n",
            "\nthe client sent a Close with 1000, and the server one with 1000\n",
        ],
    );
}

#[test]
fn both_ends_in_one_file_are_told_apart_by_the_mask() {
    let bytes = [
        &head(REQUEST, "")[..],
        &head(RESPONSE, ""),
        MASKED_HELLO,
        b"\x81\x02Hi",
    ]
    .concat();
    let out = shown(&[], &bytes, 0);
    assert_contains(
        &out,
        &[
            "told apart by their mask bits",
            "client 00000090  masked text",
            "server 00000081  text, 2 bytes",
        ],
    );
}

#[test]
fn one_head_tells_whose_frames_follow() {
    let out = shown(&[], &[&head(REQUEST, "")[..], b"\x89\x00"].concat(), 1);
    assert_contains(
        &out,
        &[
            "client 00000090  VIOLATION: unmasked client frame",
            "the response is missing",
        ],
    );
    let out = shown(
        &[],
        &[&head(RESPONSE, "")[..], b"\x89\x80\0\0\0\0"].concat(),
        1,
    );
    assert_contains(
        &out,
        &[
            "server 00000081  VIOLATION: masked server frame",
            "the request was not captured",
        ],
    );
}

#[test]
fn a_refusal_is_shown_and_its_body_skipped() {
    let refusal = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 9\r\n\r\nno entry\n";
    let out = two(
        &[
            &head(REQUEST, ""),
            &head(REQUEST, "Authorization: x\r\n"),
            MASKED_HELLO,
        ],
        &[refusal, &head(RESPONSE, "")],
        0,
    );
    assert_contains(
        &out,
        &[
            "note: refused with 401\n",
            "server 00000030  body, 9 bytes: \"no entry\\n\"\n",
            "Authorization: x",
            "\"Hello\"",
        ],
    );
    let out = two(
        &[&head(REQUEST, "")],
        &[b"HTTP/1.1 403 Forbidden\r\n\r\nany \x81\x00 body"],
        0,
    );
    assert_contains(
        &out,
        &[
            "server 0000001a  body, 11 bytes: 61 6e 79",
            "\nthe handshake was refused with 403\n",
        ],
    );
    assert!(!out.contains("text"), "{out}");
    let chunked = b"HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\n\r\n\
        6\r\ntoken \r\n7\r\nexpired\r\n0\r\n\r\n";
    let out = two(&[&head(REQUEST, "")], &[chunked], 0);
    assert_contains(&out, &["body, 13 bytes: \"token expired\"\n"]);
    let out = two(&[&head(REQUEST, "")], &[&chunked[..63]], 2);
    assert_contains(&out, &["body, 3 bytes, incomplete: \"tok\"\n"]);
    let (client, server) = (File::new(&head(REQUEST, "")), File::new(chunked));
    let args = [
        "--json",
        "--client",
        client.name(),
        "--server",
        server.name(),
    ];
    assert_contains(
        &shown(&args, b"", 0),
        &[
            r#"{"type":"body","from":"server","offset":57,"complete":true,"length":13,"text":"token expired"}"#,
        ],
    );
}

#[test]
fn a_handshake_without_a_response_is_said() {
    let out = two(&[&head(REQUEST, "")], &[], 0);
    assert_contains(&out, &["\nthe handshake has no response\n"]);
}

#[test]
fn after_a_failed_handshake_frames_are_discarded() {
    for (request, response) in [
        (REQUEST.to_owned(), RESPONSE.replace("xOo=", "xOO=")),
        (REQUEST.replace("13", "8"), RESPONSE.to_owned()),
    ] {
        let out = two(
            &[&head(&request, ""), b"\x83\0", CLOSES[0]],
            &[&head(&response, ""), b"\x81\x02Hi"],
            1,
        );
        assert_contains(
            &out,
            &[
                "note: the handshake failed",
                "\"Hi\", discarded\n",
                "the client sent a Close with 1000, the server sent none",
            ],
        );
        assert!(!out.contains("open:"), "{out}");
        assert_eq!(out.matches("VIOLATION").count(), 1, "{out}");
    }
}

#[test]
fn frames_in_two_files_need_no_head() {
    let out = two(&[MASKED_HELLO], &[b"\x81\x02\xc3\xa9"], 0);
    assert_contains(
        &out,
        &["client 00000000  masked text", "server 00000000  text"],
    );
    let file = File::new(MASKED_HELLO);
    assert_contains(&shown(&["--client", file.name()], b"", 0), &["\"Hello\""]);
}

#[test]
fn swapped_files_are_noticed() {
    let (request, response) = (head(REQUEST, ""), head(RESPONSE, ""));
    for (client, server) in [
        (&response, &request),
        (&response, &vec![]),
        (&vec![], &request),
    ] {
        let (client, server) = (File::new(client), File::new(server));
        let args = ["--client", client.name(), "--server", server.name()];
        let (status, _, err) = dissect(&args, b"");
        assert_eq!(status, 2, "{err}");
        assert_contains(&err, &["are they swapped?"]);
    }
}

/// Of an end whose bytes are not given, nothing is claimed.
#[test]
fn one_end_says_nothing_of_the_other() {
    let file = File::new(&[&head(RESPONSE, "")[..], CLOSES[1]].concat());
    let out = shown(&["--server", file.name()], b"", 0);
    assert_contains(&out, &["\nthe server sent a Close with 1000\n"]);
}

#[test]
fn the_response_is_judged_by_what_was_offered() {
    const DEFLATE: &str = "Sec-WebSocket-Extensions: permessage-deflate";
    for (offer, answer, violation) in [
        ("", "", ""),
        (DEFLATE, "", ""),
        (DEFLATE, DEFLATE, ""),
        (
            DEFLATE,
            "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10",
            "",
        ),
        (
            DEFLATE,
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=10",
            "does not match",
        ),
        (
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=10",
            "",
        ),
        (
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=9",
            "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=10",
            "does not match",
        ),
        (
            "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover",
            DEFLATE,
            "does not match",
        ),
        (
            "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover, permessage-deflate",
            DEFLATE,
            "",
        ),
        ("", DEFLATE, "was not offered"),
        (
            "Sec-WebSocket-Extensions: x-other",
            "Sec-WebSocket-Extensions: x-other",
            "",
        ),
        (
            "Sec-WebSocket-Extensions: x-other",
            "Sec-WebSocket-Extensions: x-third",
            "was not offered",
        ),
        (
            "Sec-WebSocket-Protocol: a, b",
            "Sec-WebSocket-Protocol: b",
            "",
        ),
        (
            "Sec-WebSocket-Protocol: a, b",
            "Sec-WebSocket-Protocol: c",
            "subprotocol that was not requested",
        ),
    ] {
        let line = |line: &str| {
            if line.is_empty() {
                String::new()
            } else {
                format!("{line}\r\n")
            }
        };
        let status = i32::from(!violation.is_empty());
        let out = two(
            &[&head(REQUEST, &line(offer))],
            &[&head(RESPONSE, &line(answer))],
            status,
        );
        assert_eq!(out.matches("VIOLATION").count(), status as usize, "{out}");
        assert_contains(&out, &[violation]);
    }
}

#[test]
fn a_fault_in_a_head_is_shown_at_its_byte() {
    // The name of the header ends at offset 32.
    let request = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade : websocket\r\n\r\n";
    let out = two(
        &[request],
        &[b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"],
        1,
    );
    assert_contains(
        &out,
        &[
            "client 00000020  VIOLATION: a header's name is malformed (RFC 9112 section 5.1)",
            "answers with 400",
        ],
    );
    let out = two(
        &[&head(REQUEST, "")],
        &[&head(&RESPONSE.replace("xOo=", "xOO="), "")],
        1,
    );
    assert_contains(
        &out,
        &[
            // The header is the last one, and 54 bytes long.
            "server 0000004b  VIOLATION: Sec-WebSocket-Accept is not valid (RFC 6455 section 4.1); the client fails",
        ],
    );
}

#[test]
fn frames_of_an_unknown_extension_have_no_verdict() {
    let line = "Sec-WebSocket-Extensions: x-other\r\n";
    let out = two(
        &[&head(REQUEST, line), b"\xf1\x80\0\0\0\0"],
        &[&head(RESPONSE, line)],
        0,
    );
    assert_contains(
        &out,
        &["masked text, RSV 111, 0 bytes", "without a verdict"],
    );
}

#[test]
fn a_stream_that_wireshark_follows_is_read() {
    let dump = "===================================================================
Follow: tcp,hex
Filter: tcp.stream eq 0
Node 0: 127.0.0.1:51842
Node 1: 127.0.0.1:9001
00000000  89 80 00 00 00 00                                 ......
\t00000000  8a 00                                             ..
===================================================================
";
    let out = shown(&[], dump.as_bytes(), 0);
    assert_contains(
        &out,
        &["client 00000000  masked ping", "server 00000000  pong"],
    );
}

#[test]
fn other_protocols_are_refused() {
    for (bytes, error) in [
        (&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], "HTTP/2"),
        (b"\x16\x03\x01\x00\x05hello", "TLS"),
    ] {
        let (status, _, err) = dissect(&["--raw", "--from", "client"], bytes);
        assert_eq!(status, 2);
        assert_contains(&err, &[error]);
    }
}
