//! Runs the example `dissect`, as somebody at a shell would.

use crate::example;
use std::io::Write;
use std::process::{Command, Stdio};
use std::{env, fs};

/// Its exit status, standard output and standard error.
fn dissect(args: &[&str], stdin: &[u8]) -> (i32, String, String) {
    let mut child = Command::new(example("dissect"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("`cargo test` builds the examples; before `cargo test --test robustness`, do `cargo build --examples`");
    // A child that reads no input may be gone already.
    _ = child.stdin.take().unwrap().write_all(stdin);
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap(),
        text(output.stdout),
        text(output.stderr),
    )
}

/// What is shown of `hex`, which has to be valid or not.
fn shown(hex: &str, valid: bool) -> String {
    let (status, out, err) = dissect(&[hex], b"");
    assert_eq!((status, err.as_str()), (i32::from(!valid), ""), "{out}");
    out
}

#[test]
fn a_masked_text_is_shown_in_full() {
    let (status, out, err) = dissect(
        &["81", "84", "cc", "2a", "af", "ce", "b8", "4f", "dc", "ba"],
        b"",
    );
    assert_eq!((status, err.as_str()), (0, ""));
    assert_eq!(
        out,
        r#"00000000  text from the client
          FIN 1, RSV 000, opcode 1, MASK 1
          length    4 (7 bits)
          key       cc 2a af ce
          masked    b8 4f dc ba
          payload   74 65 73 74
          text      "test"
"#
    );
}

#[test]
fn an_unmasked_text_is_shown_in_full() {
    assert_eq!(
        shown("81 05 48 65 6c 6c 6f", true),
        r#"00000000  text from the server
          FIN 1, RSV 000, opcode 1, MASK 0
          length    5 (7 bits)
          payload   48 65 6c 6c 6f
          text      "Hello"
"#
    );
}

#[test]
fn a_close_is_decoded_and_what_follows_is_discarded() {
    let out = shown("88 05 03e9 627965  81 00", true);
    assert!(
        out.contains("code      1001 (going away)\n          reason    \"bye\"\n"),
        "{out}"
    );
    assert!(
        out.contains("00000007  text from the server") && out.contains("discarded"),
        "{out}"
    );
}

#[test]
fn every_form_of_the_length_is_named_and_a_long_payload_abbreviated() {
    for (hex, length) in [
        ("82 7d", "125 (7 bits)"),
        ("82 7e 0080", "128 (7+16 bits)"),
        ("82 7f 0000000000010000", "65536 (7+64 bits)"),
    ] {
        let out = shown(hex, true);
        assert!(
            out.contains(length) && out.contains("incomplete: 0 of"),
            "{out}"
        );
    }
    let out = shown(&format!("82 7e 0080 {}", "ab".repeat(128)), true);
    assert!(out.contains("ab ab ...\n") && out.len() < 500, "{out}");
}

#[test]
fn both_heads_are_shown_and_offsets_count_them() {
    let capture = b"GET / HTTP/1.1\r\nHost: a\r\n\r\nHTTP/1.1 101 \xff\r\n\r\n\x89\x00\x8a\x80\x00\x00\x00\x00";
    let (status, out, _) = dissect(&[], capture);
    assert_eq!(status, 0, "{out}");
    for line in [
        "00000000  request head",
        r"          Host: a\r\n",
        "0000001b  response head",
        r"          HTTP/1.1 101 \xff\r\n",
        "0000002d  ping from the server",
        "0000002f  pong from the client",
    ] {
        assert!(out.lines().any(|shown| shown == line), "{line} in {out}");
    }
}

#[test]
fn one_head_tells_whose_frames_follow() {
    let (status, out, _) = dissect(&[], b"GET / HTTP/1.1\r\n\r\n\x89\x00");
    assert!(
        status == 1 && out.contains("00000012  VIOLATION: unmasked client frame"),
        "{out}"
    );
    let (status, out, _) = dissect(&[], b"HTTP/1.1 101 \r\n\r\n\x89\x80\x00\x00\x00\x00");
    assert!(
        status == 1 && out.contains("00000011  VIOLATION: masked server frame"),
        "{out}"
    );
    let (status, out, _) = dissect(&[], b"HTTP/1.1 404 Not Found\r\n\r\n\x89\x80");
    assert!(
        status == 0 && out.contains("0000001a  2 bytes that are not WebSocket"),
        "{out}"
    );
}

#[test]
fn violations_are_named_at_their_offsets() {
    for (hex, violation) in [
        ("c1 00", "00000000  VIOLATION: reserved bit set"),
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
        // each direction is a conversation of its own
        (
            "01 00  81 80 00000000  80 00  80 80 00000000",
            "0000000a  VIOLATION: unexpected continuation frame",
        ),
    ] {
        let out = shown(hex, false);
        assert!(out.contains(violation), "{violation} in {out}");
        assert_eq!(out.matches("VIOLATION").count(), 1, "{out}");
    }
}

#[test]
fn input_that_ends_early_is_said() {
    for (hex, end) in [
        ("81", "incomplete: 1 bytes of a frame header"),
        ("81 05 48", "incomplete: 1 of 5 bytes of payload"),
    ] {
        assert!(shown(hex, true).contains(end));
    }
    let (_, out, _) = dissect(&[], b"GET / HTTP/1.1\r\nHost");
    assert!(
        out.contains("incomplete: the empty line is missing"),
        "{out}"
    );
}

#[test]
fn a_file_is_hexadecimal_or_raw() {
    let expected = shown("8105 48656c6c6f", true);
    let file = env::temp_dir().join(format!("dissect-{}", std::process::id()));
    for bytes in [&b"8105\n48 65 6c\t6c6f\n"[..], b"\x81\x05Hello"] {
        fs::write(&file, bytes).unwrap();
        assert_eq!(
            dissect(&["--file", file.to_str().unwrap()], b""),
            (0, expected.clone(), String::new())
        );
        assert_eq!(dissect(&[], bytes).1, expected);
    }
    fs::remove_file(&file).unwrap();
}

#[test]
fn bad_input_is_told_with_its_place_and_status_2() {
    for (args, error) in [
        (
            &["81", "0g"][..],
            "'g' at character 5 is not a hexadecimal digit",
        ),
        (&["81 0 5"], "half a byte at character 4"),
        (&["81 0"], "half a byte at character 4"),
        (&["--file", "no such file"], "no such file: "),
        (&["--file"], "bad usage of --file"),
        (&["--colour", "81"], "bad usage of --colour"),
    ] {
        let (status, out, err) = dissect(args, b"");
        assert!(
            status == 2 && out.is_empty() && err.contains(error),
            "{error} in {err}"
        );
    }
}

#[test]
fn help_is_given() {
    let (status, out, _) = dissect(&["--help"], b"");
    assert!(status == 0 && out.contains("usage: dissect HEX..."));
}
