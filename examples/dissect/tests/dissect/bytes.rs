//! Bytes in hexadecimal and raw, and the verdicts on frames.

use crate::{File, assert_contains, dissect, shown};

fn hex(text: &str, status: i32) -> String {
    shown(&[text], b"", status)
}

#[test]
fn a_masked_text_is_shown() {
    let seed = ["81", "84", "cc", "2a", "af", "ce", "b8", "4f", "dc", "ba"];
    assert_eq!(
        shown(&seed, b"", 0),
        "client 00000000  masked text, 4 bytes: \"test\"\n"
    );
    assert_eq!(
        shown(&["-v", &seed.join(" ")], b"", 0),
        r#"client 00000000  masked text, 4 bytes: "test"
                   FIN 1, RSV 000, opcode 1, MASK 1
                   length    4 (7 bits)
                   key       cc 2a af ce
                   masked    b8 4f dc ba
                   payload   74 65 73 74
"#
    );
}

#[test]
fn an_unmasked_text_is_shown() {
    assert_eq!(
        hex("81 05 48 65 6c 6c 6f", 0),
        "server 00000000  text, 5 bytes: \"Hello\"\n"
    );
}

#[test]
fn json_has_all_fields() {
    let lines = shown(&["--json", "81 84 cc2aafce b84fdcba"], b"", 0);
    assert_eq!(
        lines,
        concat!(
            r#"{"type":"frame","from":"client","offset":0,"fin":true,"rsv":0,"opcode":1,"name":"text","#,
            r#""masked":true,"key":"cc2aafce","header_length":6,"length":4,"complete":true,"#,
            r#""compressed":false,"discarded":false,"payload":"74657374","payload_complete":true}"#,
            "\n",
            r#"{"type":"message","from":"client","offset":0,"kind":"text","complete":true,"compressed":false,"#,
            r#""frames":1,"wire_length":4,"length":4,"content_complete":true,"text":"test"}"#,
            "\n",
            r#"{"type":"summary","websocket":1,"violations":0,"incomplete":0}"#,
            "\n"
        )
    );
    for line in shown(&["--json", "88 02 03ee"], b"", 1).lines() {
        assert!(serde_json::from_str::<serde_json::Value>(line).is_ok());
    }
}

#[test]
fn a_close_is_decoded_and_what_follows_is_discarded() {
    let out = hex("88 05 03e9 627965  89 00", 0);
    assert_contains(&out, &["close, 5 bytes: 1001 (going away) \"bye\"\n"]);
    assert_contains(&out, &["server 00000007  ping, 0 bytes, discarded\n"]);
    // RFC 6455 §5.5.1 forbids data only.
    let out = hex("88 00  81 00  81 00", 1);
    assert_contains(&out, &["00000002  VIOLATION: data frame after a Close"]);
    assert_eq!(out.matches("VIOLATION").count(), 1, "{out}");
}

#[test]
fn every_form_of_the_length_is_named_and_a_long_payload_abbreviated() {
    for (hex, length) in [
        ("82 7d", "125 (7 bits)"),
        ("82 7e 0080", "128 (7+16 bits)"),
        ("82 7f 0000000000010000", "65536 (7+64 bits)"),
    ] {
        let out = shown(&["-v", hex], b"", 2);
        assert_contains(&out, &[length, "incomplete: 0 received"]);
    }
    let long = format!("82 7e 0080 {}", "ab".repeat(128));
    let out = hex(&long, 0);
    assert!(out.ends_with("ab ab ...\n") && out.len() < 150, "{out}");
    let out = shown(&["--show", "1000", &long], b"", 0);
    assert!(out.ends_with("ab ab\n"), "{out}");
    let text = format!("81 7e 00c8 {}", "c3a9".repeat(100));
    assert_contains(&hex(&text, 0), &[&format!("\"{}\"\n", "é".repeat(100))]);
    let text = format!("81 7e 00ca {}", "c3a9".repeat(101));
    assert_contains(&hex(&text, 0), &[&format!("\"{}\" ...\n", "é".repeat(100))]);
}

#[test]
fn a_terminal_gets_no_control_characters() {
    let out = hex("81 0b 1b5b306d0ae280ae0007 61", 0);
    assert_contains(&out, &[r#"\u{1b}[0m\n\u{202e}\0\u{7}a"#]);
    let out = shown(
        &["--color", "always"],
        b"GET /\x1b[0m HTTP/1.1\r\nUpgrade: websocket\r\nA: \x9b\r\n\r\n",
        1,
    );
    assert!(
        !out.contains("\x1b[0m HTTP") && out.contains(r"\x9b"),
        "{out}"
    );
}

#[test]
fn colours_are_for_terminals() {
    assert!(!hex("81 00", 0).contains('\x1b'));
    assert!(shown(&["--color=always", "81 00"], b"", 0).contains("\x1b["));
}

#[test]
fn a_fragmented_message_is_shown_after_its_last_frame() {
    assert_eq!(
        hex("01 03 48656c  89 00  80 02 6c6f", 0),
        r#"server 00000000  text, first fragment, 3 bytes: "Hel"
server 00000005  ping, 0 bytes
server 00000007  continuation, last fragment, 2 bytes: "lo"
                 = text message in 2 fragments, 5 bytes: "Hello"
"#
    );
}

#[test]
fn a_compressed_message_is_inflated_after_its_last_frame() {
    // RFC 7692 §7.2.3.1, in two fragments, and §7.2.3.2: with context.
    let bytes = "41 03 f248cd  80 04 c9c90700  c1 05 f200110000";
    let args = ["--extensions", "permessage-deflate", bytes];
    let out = shown(&args, b"", 0);
    assert_contains(
        &out,
        &[
            "text, first fragment, compressed, 3 bytes: f2 48 cd\n",
            "= text message in 2 fragments, 5 bytes, inflated from 7: \"Hello\"\n",
            "= text message, 5 bytes, inflated from 5: \"Hello\"\n",
        ],
    );
    let (status, out, _) = dissect(&["c1 07 f248cdc9c90700"], b"");
    assert_eq!(status, 1);
    assert_contains(&out, &["add --extensions permessage-deflate"]);
}

#[test]
fn violations_are_named_at_their_offsets_with_the_reaction() {
    for (bytes, violation) in [
        (
            "c1 00",
            "00000000  VIOLATION: reserved bit set (0b100) (RFC 6455 section 5.2)",
        ),
        ("8a 00  83 00", "00000002  VIOLATION: reserved opcode"),
        ("09 00", "00000000  VIOLATION: fragmented control frame"),
        (
            "82 7e 0001 00",
            "00000000  VIOLATION: payload length not in its shortest form",
        ),
        (
            "82 7f 8000000000000000",
            "00000000  VIOLATION: payload length exceeds 63 bits",
        ),
        (
            "80 00",
            "00000000  VIOLATION: unexpected continuation frame",
        ),
        (
            "01 00  81 00",
            "00000002  VIOLATION: expected continuation frame",
        ),
        (
            "88 02 03ee",
            "00000000  VIOLATION: invalid status code 1006",
        ),
        // the character split between the frames is good, the byte after it is not
        (
            "01 02 41c3  80 02 a9ff",
            "00000007  VIOLATION: invalid UTF-8",
        ),
        (
            "81 00  81 80 00000000",
            "00000002  VIOLATION: masked server frame",
        ),
        (
            "81 80 00000000  81 00",
            "00000006  VIOLATION: unmasked client frame",
        ),
        // the header is not complete, and cannot become right
        ("81 00  83", "00000002  VIOLATION: reserved opcode 3"),
    ] {
        let out = hex(bytes, 1);
        assert_contains(&out, &[violation, "fails the connection with 100"]);
        assert_eq!(out.matches("VIOLATION").count(), 1, "{out}");
    }
}

#[test]
fn the_answer_of_the_other_end_is_shown() {
    let out = shown(&["-v", "89 02 6869  88 02 03e8"], b"", 0);
    assert_contains(&out, &["answer    pong 68 69\n", "answer    close 03 e8\n"]);
    let out = shown(&["-v", "--from", "client", "81 00"], b"", 1);
    assert_contains(
        &out,
        &[
            "answer    close 03 ea",
            "the server fails the connection with 1002",
        ],
    );
}

#[test]
fn whose_bytes_they_are_can_be_said() {
    assert_contains(
        &shown(&["--from", "client", "81 00"], b"", 1),
        &["unmasked client"],
    );
    assert_contains(
        &shown(&["--from", "server", "81 80 00000000"], b"", 1),
        &["masked server"],
    );
    // Each direction is a conversation of its own, with offsets of its own.
    let out = shown(
        &[
            "--from",
            "both",
            "01 00  81 80 00000000  80 00  80 80 00000000",
        ],
        b"",
        1,
    );
    assert_contains(
        &out,
        &["client 00000006  VIOLATION: unexpected continuation frame"],
    );
    assert_eq!(out.matches("VIOLATION").count(), 1, "{out}");
}

#[test]
fn input_that_ends_early_is_said() {
    assert_contains(&hex("81", 2), &["incomplete frame header, length 1"]);
    assert_contains(
        &hex("81 05 48", 2),
        &["text, 5 bytes, incomplete: 1 received: \"H\"\n"],
    );
    let out = shown(&[], b"GET / HTTP/1.1\r\nHost", 2);
    assert_contains(&out, &["request, incomplete: the empty line is missing"]);
}

#[test]
fn a_file_is_hexadecimal_or_raw() {
    let expected = hex("8105 48656c6c6f", 0);
    for bytes in [
        &b"8105\n48 65 6c\t6c6f\n"[..],
        b"00000000: 8105 4865 6c6c 6f                        ..Hello\n",
        br"\x81\x05Hello",
    ] {
        let file = File::new(bytes);
        assert_eq!(shown(&[file.name()], b"", 0), expected);
        assert_eq!(shown(&["-"], bytes, 0), expected);
        assert_eq!(shown(&[], bytes, 0), expected);
    }
    let file = File::new(b"\x81\x05Hello");
    assert_eq!(shown(&["--raw", file.name()], b"", 0), expected);
    assert_eq!(shown(&["--raw", "--server", file.name()], b"", 0), expected);
    let (status, _, err) = dissect(&[file.name()], b"");
    assert_eq!(status, 2);
    assert_contains(&err, &["neither a capture", "--raw"]);
}

#[test]
fn bad_input_is_told_with_its_place_and_status_2() {
    for (args, stdin, error) in [
        (
            &["81", "0g"][..],
            &b""[..],
            "'g' is not hexadecimal, at character 5",
        ),
        (&["81 0 5"], b"", "half a byte at character 4"),
        (&["81 0"], b"", "half a byte at character 4"),
        (&["no-such-file"], b"", "no-such-file: no such file, and"),
        (&["--client", "no-such-file"], b"", "no-such-file: "),
        (&["/"], b"", "/: is a directory"),
        (&["--client"], b"", "--help explains"),
        (&["--colour", "81"], b"", "--color needs"),
        (&["--bits", "81"], b"", "--bits"),
        (&["--from", "me", "81"], b"", "--from needs"),
        (&["--extensions", "x-unknown", "81"], b"", "--extensions: "),
        (&["--client", "a", "81"], b"", "leave no room"),
        (
            &[],
            b"hello\n",
            "neither hexadecimal nor an HTTP head: 'h' is not hexadecimal",
        ),
        (&[], b"\x1f\x8b\x08\x00\x00", "gunzip"),
        (&[], b"{\"log\": {\"version\": \"1.2\"}}", "HAR"),
        (&[], b"{\n  \"log\": {}}", "HAR"),
        (&[], b"{\n  \"constants\": {}}", "was reformatted"),
        (&[], b"{\"constants\":{},\"events\":[]}", "was reformatted"),
        (&[], b"", "the input is empty"),
        (&["/dev/null", "/dev/null"], b"", "only one file"),
        (&["--show", "x", "81"], b"", "--show x: "),
        (&["--port", "x", "81"], b"", "--port x: "),
        (&["--stream", "-1", "81"], b"", "--stream -1: "),
        (&[], b"\x89PNG\r\n\x1a\n\0\0", "neither a capture"),
        (&[], b"\x16\x03\x01\x02\x00", "neither a capture"),
        (&["--raw"], b"\x16\x03\x01\x02\x00", "TLS"),
        (
            &[],
            b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "no WebSocket conversation",
        ),
        (&[], b"\xd4\xc3\xb2\xa1", "no complete header"),
        (&[], b"\x0a\x0d\x0d\x0a", "no complete header"),
    ] {
        let (status, _, err) = dissect(args, stdin);
        assert!(
            status == 2 && err.contains(error),
            "{args:?}: {error} in {status} {err}"
        );
        assert!(
            err.starts_with("dissect: ") && err.lines().count() == 1,
            "{err}"
        );
    }
}

#[test]
fn help_is_given() {
    let out = shown(&["--help"], b"", 0);
    assert_contains(&out, &["usage: dissect [OPTION]... FILE", "Exit status: 1"]);
    assert!(shown(&["--version"], b"", 0).starts_with("dissect "));
}

#[test]
fn a_control_frame_with_a_longer_length_form_is_named_by_that() {
    for (bytes, rule) in [
        (
            "89 fe 0001 11223344 69",
            "control frame with its length in the 16-bit form (ping) (RFC 6455 section 5.5)",
        ),
        (
            "88 7f 0000000000000000",
            "control frame with its length in the 64-bit form (close)",
        ),
        (
            "89 7e 007e",
            "control frame payload longer than 125 bytes (ping)",
        ),
    ] {
        assert_contains(&hex(bytes, 1), &[&format!("VIOLATION: {rule}")]);
    }
}

#[test]
fn wrong_text_is_placed_at_its_byte_or_else_at_its_frame() {
    for (bytes, offset) in [
        // a Close reason: its third byte, and one that ends inside a character
        ("89 00  88 05 03e8 6162ff", "00000008"),
        ("89 00  88 04 03e8 61c3", "00000002"),
        // text that ends inside a character
        ("89 00  81 02 61c3", "00000002"),
        ("01 01 61  80 00", ""),
        ("01 01 c3  80 00", "00000003"),
        ("89 00  81 02 c361", "00000005"),
    ] {
        let out = hex(bytes, i32::from(!offset.is_empty()));
        if !offset.is_empty() {
            assert_contains(
                &out,
                &[&format!("server {offset}  VIOLATION: invalid UTF-8")],
            );
        }
    }
    // Compressed text: its frame.
    let args = ["--extensions=permessage-deflate", "89 00  c1 05 4afcff1700"];
    assert_contains(
        &shown(&args, b"", 1),
        &["server 00000002  VIOLATION: invalid UTF-8"],
    );
}

#[test]
fn a_message_that_fails_is_shown_as_failed() {
    // "a\xff\xff" deflated.
    for (bytes, message) in [
        (
            "c1 03 ffffff",
            "= failed text message, 0 bytes, inflated from 3\n",
        ),
        (
            "c1 05 4afcff1f00",
            "= failed text message, 3 bytes, inflated from 5: \"a\\xff\\xff\"\n",
        ),
    ] {
        let args = ["--extensions", "permessage-deflate", bytes];
        let out = shown(&args, b"", 1);
        assert_contains(&out, &[message]);
        // The option was given already.
        assert!(!out.contains("add --extensions"), "{out}");
        let out = shown(&["--json", args[0], args[1], bytes], b"", 1);
        assert_contains(&out, &[r#""type":"message""#, r#""complete":false"#]);
    }
    let args = ["--extensions=permessage-deflate", "41 00  c0 00"];
    let out = shown(&args, b"", 1);
    assert_contains(&out, &["reserved bit set"]);
    assert!(!out.contains("add --extensions"), "{out}");
}

#[test]
fn json_has_the_section_of_a_violation_and_a_summary() {
    let out = shown(&["--json", "--show", "0", "88 04 03ee 6162"], b"", 1);
    assert_contains(
        &out,
        &[
            r#""close_code":1006,"close_reason":"ab""#,
            r#""rule":"invalid status code 1006","section":"RFC 6455 section 7.4","reaction":"the client"#,
            r#"{"type":"summary","websocket":1,"violations":1,"incomplete":0}"#,
        ],
    );
}

/// Nor other numbers that look like bytes: the order of the bytes in words is unknown.
#[test]
fn words_are_not_taken_for_bytes() {
    for dump in [
        "0000000 8481 2acc ceaf 4fb8 badc\n000000a\n",
        "0000000 8481 2acc ceaf 4fb8 badc\n0000012\n",
        "0000000    8481    2acc    ceaf    4fb8    badc\n000000a\n",
        "0000000 102201 025314 147257 047670 135334\n0000012\n",
        "00000000: 2acc8481 4fb8ceaf     badc                   ...*...O..\n",
    ] {
        let (status, out, err) = dissect(&[], dump.as_bytes());
        assert_eq!((status, out.as_str()), (2, ""), "{dump}");
        assert_contains(&err, &["hexdump -C, od -A x -t x1, or xxd"]);
    }
    // Offsets of od in each radix.
    let text = |radix: &str| {
        format!("0000000 81 10 61 61 61 61 61 61 61 61 61 61 61 61 61 61\n{radix} 61 61\n")
    };
    for offset in ["0000020", "0000016", "0000010"] {
        assert_contains(
            &shown(&[], text(offset).as_bytes(), 0),
            &["\"aaaaaaaaaaaaaaaa\"\n"],
        );
    }
    // Digits in lines are no dump.
    assert_contains(&hex("8105 4865\n6c6c 6f", 0), &["\"Hello\""]);
}

#[test]
fn the_answer_to_a_close_is_shown_unless_it_is_an_answer_itself() {
    let bytes = "88 82 00000000 03e8  88 02 03e8";
    let out = shown(&["-v", "--from", "both", bytes], b"", 0);
    assert_eq!(out.matches("answer ").count(), 1, "{out}");
    let (client, server) = (
        File::new(b"\x88\x82\0\0\0\0\x03\xe8"),
        File::new(b"\x89\0\x88\x02\x03\xe8"),
    );
    let args = ["-v", "--client", client.name(), "--server", server.name()];
    let out = shown(&args, b"", 0);
    assert_eq!(out.matches("answer ").count(), 1, "{out}");
    assert_contains(&out, &["answer    pong"]);
}
