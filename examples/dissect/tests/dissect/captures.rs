//! Captures of packets.

use crate::packets::{
    ACK, Capture, ETHERNET, FIN, Format, LINUX_SLL, LINUX_SLL2, LOOP, NULL, RAW, REQUEST, RESPONSE,
    RST, SYN, Stream, VLAN,
};
use crate::{assert_contains, dissect, shown};

const HELLO: &[u8] = b"\x81\x85\0\0\0\0Hello";
const CLOSE: [&[u8]; 2] = [b"\x88\x82\0\0\0\0\x03\xe8", b"\x88\x02\x03\xe8"];

#[test]
fn every_format_and_link_layer_is_read() {
    let formats = [
        Format::Pcap,
        Format::PcapBigEndian,
        Format::PcapNanoseconds,
        Format::Pcapng,
        Format::PcapngBigEndian,
    ];
    let links = [ETHERNET, VLAN, NULL, LOOP, RAW, LINUX_SLL, LINUX_SLL2];
    for format in formats {
        for link in links {
            for is_ipv6 in [false, true] {
                let mut stream = Stream::new(Capture::new(format, link, is_ipv6));
                stream.handshake().client(HELLO).server(b"\x81\x02Hi");
                stream.client(CLOSE[0]).server(CLOSE[1]);
                stream.send(1, FIN | ACK, b"").send(0, FIN | ACK, b"");
                let out = shown(&["-"], stream.capture.bytes(), 0);
                let (client, server) = if is_ipv6 {
                    ("[::1]:50000", "[::2]:80")
                } else {
                    ("0.0.0.1:50000", "0.0.0.2:80")
                };
                assert_contains(
                    &out,
                    &[
                        "times are in seconds since 2023-11-14T22:13:20.004000Z\n",
                        &format!("stream 0: client {client}, server {server}\n"),
                        "   0.000000   0 client 00000000  request\n",
                        "   0.002000   0 client 00000090  masked text, 5 bytes: \"Hello\"\n",
                        "   0.003000   0 server 00000081  text, 2 bytes: \"Hi\"\n",
                        "stream 0: closed by the client with 1000, answered with 1000; then the server closed TCP (FIN)\n",
                        "1 TCP stream: 1 WebSocket conversation; 0 violations\n",
                    ],
                );
            }
        }
    }
}

#[test]
fn json_has_times_and_streams() {
    let mut stream = Stream::new(Capture::simple());
    stream.handshake().client(HELLO);
    let out = shown(&["--json"], stream.capture.bytes(), 0);
    let lines: Vec<serde_json::Value> = out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let types: Vec<&str> = lines
        .iter()
        .map(|line| line["type"].as_str().unwrap())
        .collect();
    assert_eq!(
        types,
        [
            "stream", "head", "head", "open", "frame", "message", "end", "summary"
        ]
    );
    assert_eq!(lines[0]["client"], "0.0.0.1:50000");
    assert_eq!(lines[4]["stream"], 0);
    assert_eq!(lines[4]["time"], 1_700_000_000.006);
    assert_eq!(lines[4]["payload"], "48656c6c6f");
    assert_eq!(lines[5]["text"], "Hello");
    assert_eq!(lines[7]["websocket"], 1);
}

/// Whatever the network does to the segments of a conversation, it is shown as without that.
#[test]
fn segments_are_put_in_order() {
    let messages: Vec<Vec<u8>> = (b'a'..=b'z')
        .map(|c| [&[0x81, 0x83, 0, 0, 0, 0], &[c; 3][..]].concat())
        .collect();
    let all = [REQUEST.to_vec(), messages.concat()].concat();
    let show = |segments: &[(usize, usize)]| {
        let mut stream = Stream::new(Capture::simple());
        let start = stream.seq[0];
        stream.client(REQUEST).server(RESPONSE);
        for &(from, to) in segments {
            let seq = start.wrapping_add((REQUEST.len() + from) as u32);
            let bytes = &all[REQUEST.len()..][from..to];
            stream
                .capture
                .segment((true, seq, stream.seq[1], ACK, bytes));
        }
        let out = shown(&[], stream.capture.bytes(), 0);
        let lines = out.lines().filter(|line| line.contains("masked text"));
        // The times differ.
        lines.map(|line| line[13..].to_owned()).collect::<Vec<_>>()
    };
    let expected = show(&[(0, 234)]);
    assert_eq!(expected.len(), 26);
    for segments in [
        // in order
        &[(0, 100), (100, 101), (101, 234)][..],
        // retransmitted
        &[(0, 100), (0, 100), (100, 234), (50, 120), (0, 234)],
        // overlapping
        &[(0, 100), (50, 150), (149, 234)],
        // out of order
        &[(100, 234), (0, 100)],
        &[(200, 234), (100, 200), (0, 100)],
        &[(150, 200), (100, 200), (50, 234), (0, 60)],
        &[(10, 20), (30, 40), (15, 35), (0, 12), (38, 234)],
        // a probe that keeps a connection alive repeats the last byte
        &[(0, 100), (99, 100), (100, 234)],
    ] {
        assert_eq!(show(segments), expected, "{segments:?}");
    }
    let bytes: Vec<(usize, usize)> = (0..234).rev().map(|at| (at, at + 1)).collect();
    assert_eq!(show(&bytes), expected);
}

#[test]
fn a_gap_is_named_and_frames_are_found_after_it_if_they_can_be() {
    // The gap is inside a payload.
    let mut stream = Stream::new(Capture::simple());
    stream.handshake().client(b"\x82\xfe\x01\x00\0\0\0\0");
    stream.client(&[1; 100]);
    stream.seq[0] = stream.seq[0].wrapping_add(56);
    stream.client(&[2; 100]).client(HELLO);
    let (status, out, err) = dissect(&[], stream.capture.bytes());
    assert_contains(
        &out,
        &[
            "56 bytes were not captured",
            "masked binary, 256 bytes, 56 not captured",
            "\"Hello\"",
        ],
    );
    assert_eq!(status, 2);
    assert_contains(&err, &["not all of it could be read"]);

    // The gap has headers.
    let mut stream = Stream::new(Capture::simple());
    stream.handshake().client(HELLO);
    stream.seq[0] = stream.seq[0].wrapping_add(1000);
    stream.client(HELLO).server(b"\x81\x02Hi");
    let (status, out, _) = dissect(&[], stream.capture.bytes());
    assert_contains(
        &out,
        &[
            "1000 bytes were not captured",
            "cannot be told apart",
            "\"Hi\"",
        ],
    );
    assert_eq!((status, out.matches("\"Hello\"").count()), (2, 1));
}

/// Bytes that the other end acknowledges have arrived, so that waiting for them is in vain.
#[test]
fn a_gap_that_was_acknowledged_does_not_delay_what_follows() {
    let mut stream = Stream::new(Capture::simple());
    stream.handshake().client(b"\x82\xfe\x01\x00\0\0\0\0");
    stream.seq[0] = stream.seq[0].wrapping_add(256);
    stream
        .server(b"\x89\x00")
        .client(HELLO)
        .server(b"\x89\x01!");
    let (_, out, _) = dissect(&[], stream.capture.bytes());
    assert!(
        out.find("\"Hello\"").unwrap() < out.find("ping, 1 byte").unwrap(),
        "{out}"
    );
}

#[test]
fn packets_that_were_cut_are_gaps() {
    let mut capture = Capture::simple();
    capture.snaplen = 14 + 40 + 160;
    let mut stream = Stream::new(capture);
    stream
        .handshake()
        .client(&[&b"\x82\xfe\x01\x00\0\0\0\0"[..], &[1; 256]].concat())
        .client(HELLO);
    let (status, out, _) = dissect(&[], stream.capture.bytes());
    assert_contains(
        &out,
        &[
            "104 bytes were not captured",
            "256 bytes, 104 not captured",
            "\"Hello\"",
        ],
    );
    assert_eq!(status, 2);
}

#[test]
fn bytes_that_arrive_twice_and_differ_are_named() {
    let mut stream = Stream::new(Capture::simple());
    stream.handshake();
    let [seq, ack] = stream.seq;
    stream
        .capture
        .segment((true, seq.wrapping_add(6), ack, ACK, b"Hello"));
    stream
        .capture
        .segment((true, seq.wrapping_add(6), ack, ACK, b"HELLO"));
    stream
        .capture
        .segment((true, seq, ack, ACK, b"\x81\x85\0\0\0\0"));
    let out = shown(&[], stream.capture.bytes(), 0);
    assert_contains(&out, &["bytes arrived twice, and differ", "\"Hello\""]);
}

#[test]
fn streams_are_told_apart_and_numbered_as_wireshark_does() {
    let mut one = Stream::new(Capture::simple());
    one.handshake().client(HELLO);
    // Other addresses, without WebSocket.
    let mut two = Stream {
        capture: one.capture,
        seq: [1, 1],
    };
    two.capture.ports = (50001, 80);
    two.capture.open(1, 1);
    two.client(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .server(b"HTTP/1.1 204 No Content\r\n\r\n");
    // The same addresses again, after a reset.
    two.capture.ports = (50000, 80);
    two.seq = one.seq;
    two.send(0, RST | ACK, b"");
    let mut three = Stream {
        capture: two.capture,
        seq: [9000, 9000],
    };
    three.capture.open(9000, 9000);
    three.handshake().server(b"\x81\x02Hi");
    let bytes = three.capture.bytes();
    let out = shown(&[], bytes, 0);
    assert_contains(
        &out,
        &[
            "stream 0: no Close was sent, but the client reset TCP (RST): abnormal closure, 1006\n",
            "stream 2: no Close was sent, and the capture ends with the connection open\n",
            "3 TCP streams: 2 WebSocket conversations; 0 violations",
        ],
    );
    assert!(!out.contains("stream 1"), "{out}");
    let out = shown(&["--stream", "2"], bytes, 0);
    assert!(
        out.contains("\"Hi\"") && !out.contains("\"Hello\""),
        "{out}"
    );
    let out = shown(&["--port", "80"], bytes, 0);
    assert_contains(&out, &["\"Hi\"", "\"Hello\"", "GET / HTTP/1.1"]);
    assert_contains(
        &dissect(&["--port", "81"], bytes).2,
        &["no WebSocket conversation with port 81"],
    );
    let (status, out, err) = dissect(&["--stream", "1"], bytes);
    assert_eq!(status, 2);
    assert_contains(&out, &["GET / HTTP/1.1", "204 No Content"]);
    assert_contains(&err, &["stream 1 is no WebSocket conversation"]);
    assert_contains(&dissect(&["--stream", "7"], bytes).2, &["stream 7"]);
}

#[test]
fn the_same_addresses_again_are_another_stream() {
    let mut stream = Stream::new(Capture::simple());
    stream.handshake().client(HELLO);
    // A repeated SYN, and the last ACK of a stream that was closed, begin no stream.
    let first = stream.seq[0].wrapping_sub((REQUEST.len() + HELLO.len()) as u32);
    stream
        .capture
        .segment((true, first.wrapping_sub(1), 0, SYN, b""));
    stream.send(0, FIN | ACK, b"").send(1, FIN | ACK, b"");
    stream.send(0, ACK, b"");
    let out = shown(&[], stream.capture.bytes(), 0);
    assert_contains(
        &out,
        &[
            "but the client closed TCP (FIN)",
            "1 TCP stream: 1 WebSocket",
        ],
    );
    // A SYN does, even if the stream before was not closed.
    for seq in [5000, 9000] {
        stream.seq = [seq, seq];
        stream.capture.open(seq, seq);
        stream.handshake().server(b"\x81\x02Hi");
    }
    let out = shown(&[], stream.capture.bytes(), 0);
    assert_contains(
        &out,
        &[
            "stream 0: ",
            "stream 1: ",
            "stream 2: ",
            "3 TCP streams: 3 WebSocket",
        ],
    );
    assert_eq!(out.matches("\"Hi\"").count(), 2);
}

/// TCP Fast Open.
#[test]
fn a_syn_may_have_data() {
    let mut capture = Capture::simple();
    let (first, rest) = REQUEST.split_at(10);
    capture.segment((true, 99, 0, SYN, first));
    capture.segment((false, 199, 110, SYN | ACK, b""));
    let mut stream = Stream {
        capture,
        seq: [110, 200],
    };
    stream.client(rest).server(RESPONSE).client(HELLO);
    assert_contains(
        &shown(&[], stream.capture.bytes(), 0),
        &["00000090  masked text"],
    );
}

#[test]
fn requests_before_the_handshake_are_skipped() {
    let mut stream = Stream::new(Capture::simple());
    for (request, response) in [
        (&b"HEAD / HTTP/1.1\r\n\r\n"[..], &b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"[..]),
        (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi", b"HTTP/1.1 204 No Content\r\n\r\n"),
        (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"),
        (b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"),
        (b"CONNECT a:80 HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"),
    ] {
        stream.client(request).server(response);
    }
    stream.handshake().client(HELLO);
    let bytes = stream.capture.bytes();
    let out = shown(&[], bytes, 0);
    assert_contains(&out, &["GET /chat", "\"Hello\""]);
    assert_eq!(out.matches("  request\n").count(), 1, "{out}");
    // They are shown if the stream is asked for.
    let out = shown(&["--stream", "0"], bytes, 0);
    assert_eq!(out.matches("  request\n").count(), 7, "{out}");
    assert_contains(&out, &["103 Early Hints", "CONNECT a:80"]);
}

#[test]
fn a_stream_without_a_beginning_is_shown_on_demand() {
    let mut stream = Stream {
        capture: Capture::simple(),
        seq: [7, 8],
    };
    stream
        .client(HELLO)
        .server(b"\x81\x02Hi")
        .client(b"\x81\x01a");
    let bytes = stream.capture.bytes();
    let (status, out, err) = dissect(&[], bytes);
    assert_eq!(status, 2);
    assert_contains(&out, &["1 without a beginning"]);
    assert_contains(&err, &["no WebSocket handshake; --stream N and --port N"]);
    for args in [["--stream", "0"], ["--port", "80"]] {
        let out = shown(&args, bytes, 1);
        assert_contains(
            &out,
            &[
                "the beginning of the stream was not captured",
                "\"Hello\"",
                "\"Hi\"",
                "unmasked client frame",
            ],
        );
        assert_eq!(
            out.contains("guessed from the mask"),
            args[0] == "--stream",
            "{out}"
        );
    }
}

/// A failure whose cause is that earlier bytes are missing is no violation.
#[test]
fn a_stream_without_a_beginning_is_not_blamed_for_that() {
    for (frame, text) in [
        (&b"\x80\x81\0\0\0\0a"[..], "unexpected continuation frame"),
        // A copy of bytes that are not there.
        (
            b"\xc1\x87\0\0\0\0\xf2\x00\x11\x00\x00\x00\x00",
            "invalid compressed data",
        ),
    ] {
        let mut stream = Stream {
            capture: Capture::simple(),
            seq: [7, 8],
        };
        stream.client(frame).client(HELLO);
        let args = ["--port", "80", "--extensions", "permessage-deflate"];
        let out = shown(&args, stream.capture.bytes(), 0);
        assert_contains(
            &out,
            &[
                text,
                "perhaps since the beginning was not captured",
                "\"Hello\"",
            ],
        );
    }
}

#[test]
fn a_client_that_does_not_wait_is_named() {
    let mut stream = Stream::new(Capture::simple());
    stream.client(REQUEST).client(HELLO).server(RESPONSE);
    let out = shown(&[], stream.capture.bytes(), 1);
    assert_contains(
        &out,
        &[
            "client 00000090  VIOLATION: data before the response to the handshake (RFC 6455 section 4.1)",
            "\"Hello\"",
        ],
    );
}

#[test]
fn a_file_that_ends_inside_a_packet_is_read_up_to_there() {
    let mut stream = Stream::new(Capture::simple());
    stream.handshake().client(HELLO).client(HELLO);
    let bytes = stream.capture.bytes();
    let out = shown(&[], &bytes[..bytes.len() - 1], 2);
    assert_contains(&out, &["the file ends inside a packet"]);
    assert_eq!(out.matches("\"Hello\"").count(), 1);
}

#[test]
fn what_no_packet_can_be_does_no_harm() {
    let mut stream = Stream::new(Capture::simple());
    for packet in [
        &[][..],
        &[0; 13],
        &[0; 14],
        &[0xff; 40],
        b"\0\0\0\0\0\0\0\0\0\0\0\0\x08\0\x45\0\0\x14",
    ] {
        stream.capture.packet(packet);
    }
    stream.handshake().client(HELLO);
    let out = shown(&[], stream.capture.bytes(), 0);
    assert_contains(&out, &["\"Hello\""]);
    // Any byte of a capture may be another.
    let bytes = stream.capture.bytes().to_vec();
    for at in (0..bytes.len()).step_by(31) {
        for flip in [0x01, 0x80] {
            let mut bytes = bytes.clone();
            bytes[at] ^= flip;
            let (status, out, err) = dissect(&["--stream", "0"], &bytes);
            assert!(status <= 2, "{at}: {status} {out} {err}");
        }
    }
    let mut capture = Capture::simple();
    capture.packet(&[0; 60]);
    let mut bytes = capture.bytes().to_vec();
    bytes[20] = 195;
    assert_contains(&dissect(&[], &bytes).2, &["link type 195"]);
}

/// The content of the missing bytes is unknown.
#[test]
fn what_was_not_captured_is_not_denied() {
    // A truncated Close is a Close.
    let mut stream = Stream::new(Capture::simple());
    stream.handshake();
    stream.capture.snaplen = 14 + 40 + 3;
    stream.client(CLOSE[0]).server(CLOSE[1]);
    stream.send(1, FIN | ACK, b"").send(0, RST, b"");
    let out = shown(&[], stream.capture.bytes(), 2);
    assert_contains(
        &out,
        &[
            "the server sent a Close with a code that is unknown, since bytes are missing",
            "the client may have sent one in the missing bytes; then the server closed TCP (FIN), and the client reset it (RST)",
        ],
    );
    // The frames of the client are lost.
    let mut stream = Stream::new(Capture::simple());
    stream.handshake();
    stream.seq[0] = stream.seq[0].wrapping_add(9);
    stream.client(HELLO).server(CLOSE[1]);
    let out = shown(&[], stream.capture.bytes(), 2);
    assert_contains(
        &out,
        &["the server sent a Close with 1000, the client may have sent one"],
    );
    let mut stream = Stream::new(Capture::simple());
    stream.handshake();
    stream.seq[0] = stream.seq[0].wrapping_add(9);
    stream.client(HELLO).send(1, FIN | ACK, b"");
    let out = shown(&[], stream.capture.bytes(), 2);
    assert_contains(
        &out,
        &["no Close was found; the missing bytes may have one; then the server closed TCP"],
    );
}

#[test]
fn the_end_has_the_time_at_which_tcp_was_closed() {
    let mut stream = Stream::new(Capture::simple());
    stream.handshake().client(HELLO);
    stream.send(1, FIN | ACK, b"").send(0, ACK, b"");
    let out = shown(&[], stream.capture.bytes(), 0);
    assert_contains(
        &out,
        &[
            "\n   0.003000  stream 0: no Close was sent, but the server closed TCP (FIN): abnormal closure, 1006\n",
        ],
    );
}

#[test]
fn a_short_snap_length_is_named_as_the_cause() {
    let mut capture = Capture::simple();
    capture.snaplen = 14 + 40 + 20;
    let mut stream = Stream::new(capture);
    stream.handshake().client(HELLO);
    let (status, out, err) = dissect(&[], stream.capture.bytes());
    assert_eq!(status, 2);
    assert_contains(
        &out,
        &[
            "1 with bytes missing in a head",
            "2 packets were cut when captured",
        ],
    );
    assert_contains(&err, &["capture without -s"]);
    // As many bytes of the head as show its protocol.
    let mut capture = Capture::simple();
    capture.snaplen = 14 + 40 + 60;
    let mut stream = Stream::new(capture);
    stream.handshake();
    let out = shown(&[], stream.capture.bytes(), 2);
    assert_contains(
        &out,
        &[
            "request, incomplete",
            "Upgrade: websocket",
            "bytes were not captured",
            "stream 0: bytes of the handshake are missing",
            "1 WebSocket conversation;",
        ],
    );
}

#[test]
fn the_note_on_verdicts_is_shown_once() {
    let mut stream = Stream::new(Capture::simple());
    stream.handshake();
    stream.client(b"\x82\xfe\x01\x00\0\0\0\0");
    for _ in 0..2 {
        stream.seq[0] = stream.seq[0].wrapping_add(28);
        stream.client(&[1; 100]);
    }
    let out = shown(&[], stream.capture.bytes(), 2);
    assert_eq!(
        out.matches("28 bytes were not captured").count(),
        2,
        "{out}"
    );
    assert_eq!(out.matches("without a verdict").count(), 1, "{out}");
}

#[test]
fn a_refusal_is_shown_to_its_end() {
    let mut stream = Stream::new(Capture::simple());
    stream.client(REQUEST);
    stream.server(b"HTTP/1.1 401 Unauthorized\r\n\r\ntoken ");
    stream.server(b"expired").send(1, FIN | ACK, b"");
    let out = shown(&[], stream.capture.bytes(), 0);
    assert_contains(
        &out,
        &[
            "server 0000001d  body, 13 bytes: \"token expired\"\n",
            "stream 0: the handshake was refused with 401; then the server closed TCP (FIN)\n",
        ],
    );
}

#[test]
fn tls_is_named_where_there_is_nothing_else() {
    let mut stream = Stream::new(Capture::simple());
    stream.client(b"\x16\x03\x01\x00\x05hello");
    let (status, _, err) = dissect(&[], stream.capture.bytes());
    assert_eq!(status, 2);
    assert_contains(&err, &["TLS is not decrypted"]);
    assert!(!err.contains("--stream"), "{err}");
}
