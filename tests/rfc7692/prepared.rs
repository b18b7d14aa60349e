//! Messages that a server prepares for many connections: encoded once, compressed once for each
//! window (RFC 7692 §7.1, §7.2.1).

use crate::common::deflate::*;
use crate::common::{Frame, Seen};
use allocation_counter::measure;
use std::sync::{Arc, Barrier};
use ws_proto::deflate::DeflateConfig as Deflate;
use ws_proto::{
    CappedOutput, Client, CloseCode, Config, MessageKind, Prepared, SendError, Server, Session,
    SliceOutput, Timeouts, WebSocket,
};

/// With repetitions at distances below 256, and beyond 16 KiB.
fn text() -> String {
    let near = json(2).into_iter().map(char::from).collect::<String>();
    let far: String = noise(1, 20_000)
        .into_iter()
        .map(|byte| char::from(b'a' + byte % 26))
        .collect();
    format!("{near}{near}{far}{near}{far}")
}

fn server(no_context_takeover: bool, bits: u8) -> WebSocket<Server> {
    Setup::with(both_ways(no_context_takeover, bits)).websocket()
}

fn sent(ws: &mut WebSocket<Server>, message: &Prepared) -> Vec<u8> {
    let mut out = Vec::new();
    ws.send_prepared(message, &mut out).unwrap();
    out
}

/// DP21: a prepared message is the frame that the connection would send, of every length.
#[test]
fn dp21_an_uncompressed_one_is_the_frame_of_the_connection() {
    for len in [0, 1, 125, 126, 127, 0xffff, 0x1_0000, 0x1_0001] {
        let text = "x".repeat(len);
        let mut expected = Vec::new();
        let mut ws = WebSocket::new(Server, &Config::new());
        ws.send_text(&text, &mut expected).unwrap();
        ws.send_binary(text.as_bytes(), &mut expected).unwrap();
        let counted = ws.sent();

        let messages = [Prepared::text(&text), Prepared::binary(text.as_bytes())];
        assert!(
            messages
                .iter()
                .all(|message| message.payload() == text.as_bytes())
        );
        let mut ws = WebSocket::new(Server, &Config::new());
        let out = messages
            .each_ref()
            .map(|message| sent(&mut ws, message))
            .concat();
        assert!(out == expected && ws.sent() == counted);
        let (_, mut half) = WebSocket::new(Server, &Config::new()).split();
        let mut out = Vec::new();
        for message in &messages {
            half.send_prepared(message, &mut out).unwrap();
        }
        assert!(out == expected && half.sent() == counted);
        let mut ws = WebSocket::new(Server, &Config::new());
        let out = messages
            .each_ref()
            .map(|message| ws.begin_prepared(message).unwrap().to_vec())
            .concat();
        assert!(out == expected && ws.sent() == counted);
        let now = std::time::Duration::ZERO;
        let mut session = Session::open(
            WebSocket::new(Server, &Config::new()),
            &Timeouts::new(),
            now,
        );
        for message in &messages {
            session.send_prepared(message).unwrap();
        }
        assert!(session.output() == expected);
        // One that is prepared for compression is the same where that was not negotiated, and where
        // it is no use.
        let deflate = Deflate::default().with_threshold(len + 1);
        let [text, binary] = messages.map(|message| message.deflate(&deflate));
        for mut ws in [
            WebSocket::new(Server, &Config::new()),
            server(true, 15),
            server(false, 9),
        ] {
            let out = [&text, &binary]
                .map(|message| sent(&mut ws, message))
                .concat();
            assert!(out == expected);
        }
    }
    let mut session = Session::<Server>::new(&Timeouts::new(), std::time::Duration::ZERO);
    let refused = session.send_prepared(&Prepared::text("early"));
    assert_eq!(refused, Err(SendError::Closed));
}

/// DP22, DP11: each connection is sent the message with a window that it negotiated, and no other;
/// C zlib inflates it with that window, and the oracle measures the distances.
#[test]
fn dp22_dp11_each_connection_has_its_window() {
    let text = text();
    let message = Prepared::text(&text).deflate(&Deflate::default());
    // The largest first: what it has is not for others.
    for bits in (8..=15).rev() {
        for no_context_takeover in [false, true] {
            let mut ws = server(no_context_takeover, bits);
            let out = sent(&mut ws, &message);
            let written = read(&out);
            assert_eq!((written.rsv, written.opcode, written.fin), (RSV1, 1, true));
            let mut zlib = CInflate::new(bits, no_context_takeover);
            assert!(zlib.message(&written.payload).unwrap() == text.as_bytes());
            let mut oracle = Oracle::default();
            assert!(oracle.message(&written.payload).unwrap() == text.as_bytes());
            assert!(oracle.furthest <= 1 << bits);
            assert_eq!(oracle.furthest > 1 << 14, bits == 15);
            let setup = Setup::with(both_ways(no_context_takeover, bits));
            assert!(setup.run::<Client>(&out, &[]).seen == [Seen::text(&text)]);
            assert_eq!(ws.sent().frames, 1);
            assert_eq!(ws.sent().bytes, written.payload.len() as u64);
        }
    }
    let mut ws = WebSocket::new(Server, &Config::new());
    let written = read(&sent(&mut ws, &message));
    assert!(written.rsv == 0 && written.payload == text.as_bytes());
}

fn read(bytes: &[u8]) -> Frame {
    let mut frames = frames(bytes);
    assert_eq!(frames.len(), 1);
    frames.remove(0)
}

/// DP23: it is compressed at most once for each window, when it is first needed, also by many
/// threads at once.
#[test]
fn dp23_it_is_compressed_once_for_each_window() {
    let deflate = Deflate::default();
    let text = text();
    let message = Prepared::text(&text).deflate(&deflate);
    let mut out = Vec::with_capacity(200_000);
    let mut cost = |bits| {
        let mut ws = server(false, bits);
        out.clear();
        measure(|| ws.send_prepared(&message, &mut out).unwrap()).bytes_total
    };
    for bits in [15, 9, 12] {
        assert!(cost(bits) > 100_000, "the state");
        assert_eq!(cost(bits), 0);
        assert_eq!(cost(bits), 0);
    }
    // That it is not compressed is known after once, too.
    let short = Prepared::text("short").deflate(&deflate.clone().with_threshold(0));
    let mut ws = server(false, 15);
    out.clear();
    ws.send_prepared(&short, &mut out).unwrap();
    assert_eq!(
        measure(|| ws.send_prepared(&short, &mut out).unwrap()).bytes_total,
        0
    );

    let message = Arc::new(Prepared::text(&text).deflate(&Deflate::default()));
    let start = Arc::new(Barrier::new(8));
    let threads: Vec<_> = (0..8)
        .map(|i| {
            let (message, start) = (Arc::clone(&message), Arc::clone(&start));
            std::thread::spawn(move || {
                let mut ws = server(i % 2 == 0, 15);
                start.wait();
                let frame = ws.begin_prepared(message).unwrap();
                (frame.as_ptr() as usize, frame.to_vec())
            })
        })
        .collect();
    let frames: Vec<_> = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect();
    // All of them have the same bytes, in the same place.
    assert!(frames.iter().all(|frame| *frame == frames[0]));
}

/// DP24, DP12: with takeover, a prepared message leaves the connection's compressor usable, which
/// does not refer to what was before. An uncompressed one changes nothing.
#[test]
fn dp24_dp12_the_context_of_the_connection_begins_after_it() {
    let deflate = Deflate::default().with_threshold(0);
    let hello = Prepared::text(&"Hello, ".repeat(30)).deflate(&deflate);
    let uncompressed = Prepared::text(&"Hello, ".repeat(30));
    let setup = Setup::default();
    let mut ws = setup.websocket::<Server>();
    let mut out = Vec::new();
    let mut send = |ws: &mut WebSocket<Server>, message: Option<&Prepared>| {
        let before = out.len();
        match message {
            Some(message) => ws.send_prepared(message, &mut out).unwrap(),
            None => ws.send_text("Hello", &mut out).unwrap(),
        }
        let frame = read(&out[before..]);
        (frame.rsv, frame.payload)
    };
    let fresh = (RSV1, HELLO[0].to_vec());
    let again = (RSV1, HELLO_AGAIN.to_vec());
    assert_eq!(send(&mut ws, Some(&hello)).0, RSV1);
    assert_eq!(send(&mut ws, None), fresh, "it had not compressed anything");
    assert_eq!(send(&mut ws, None), again);
    assert_eq!(send(&mut ws, Some(&uncompressed)).0, 0);
    assert!(
        send(&mut ws, None).1.len() < again.1.len(),
        "the context is there"
    );
    let compressed = send(&mut ws, Some(&hello));
    assert_eq!(compressed, send(&mut ws, Some(&hello)), "the same frame");
    assert_eq!(send(&mut ws, None), fresh, "it has forgotten");
    assert_eq!(send(&mut ws, None), again);
    let seen = setup.run::<Client>(&out, &[]).seen;
    let (long, short) = (Seen::text(&"Hello, ".repeat(30)), Seen::text("Hello"));
    let count = |expected| seen.iter().filter(|seen| *seen == expected).count();
    assert_eq!((count(&long), count(&short), seen.len()), (4, 5, 9));

    // If the caller's compressor has the context, it is not disturbed.
    let mut ws = setup.websocket::<Server>();
    let mut own = compressor::<Server>(setup.params, &setup.deflate);
    let mut out = Vec::new();
    for _ in 0..3 {
        let payload = compress(&mut own, b"Hello");
        ws.send_compressed_fragment(MessageKind::Text, &payload, setup.params, true, &mut out)
            .unwrap();
        let before = out.len();
        ws.send_prepared(&hello, &mut out).unwrap();
        assert_eq!(read(&out[before..]).rsv, 0);
    }
    let seen = setup.run::<Client>(&out, &[]).seen;
    assert_eq!(
        seen.iter()
            .filter(|seen| **seen == Seen::text("Hello"))
            .count(),
        3
    );
    assert_eq!(seen.len(), 6);
}

/// DP25, O2: a message that must not be sent has no effect.
#[test]
fn dp25_what_is_refused_has_no_effect() {
    let deflate = Deflate::default();
    let text = "Hello ".repeat(20);
    let message = Prepared::text(&text).deflate(&deflate);
    let mut ws = server(false, 15);
    let mut out = Vec::new();
    ws.send_text("Hello", &mut out).unwrap();
    let counted = ws.sent();
    let in_progress = SendError::MessageInProgress;

    // Without room.
    let len = out.len();
    let refused = ws.send_prepared(&message, &mut CappedOutput::new(&mut out, len + 12));
    assert_eq!(refused, Err(SendError::OutputFull { needed: 13 }));
    assert_eq!((out.len(), ws.sent()), (len, counted));
    // The context is as it was.
    out.clear();
    ws.send_text("Hello", &mut out).unwrap();
    assert_eq!(read(&out).payload, HELLO_AGAIN);
    let mut memory = [0; 13];
    let mut exact = SliceOutput::new(&mut memory);
    ws.send_prepared(&message, &mut exact).unwrap();
    assert_eq!(exact.as_bytes().len(), 13);

    // Inside another message.
    ws.send_fragment(MessageKind::Text, b"", false, &mut out)
        .unwrap();
    assert_eq!(ws.send_prepared(&message, &mut out), Err(in_progress));
    assert_eq!(ws.begin_prepared(&message).unwrap_err(), in_progress);
    ws.send_fragment(MessageKind::Text, b"", true, &mut out)
        .unwrap();
    // After a Close.
    let (_, mut half) = ws.split();
    half.close(CloseCode::NORMAL, "", &mut out).unwrap();
    let (len, counted) = (out.len(), half.sent());
    assert_eq!(
        half.send_prepared(&message, &mut out),
        Err(SendError::Closed)
    );
    assert_eq!(
        half.begin_prepared(&message).unwrap_err(),
        SendError::Closed
    );
    assert_eq!((out.len(), half.sent()), (len, counted));
}

/// DP26: a broadcast to many connections, some of which have sent something of their own, allocates
/// no state for any of them.
#[test]
fn dp26_a_broadcast_allocates_no_contexts() {
    let deflate = Deflate::default();
    let message = Prepared::binary(&json(10)).deflate(&deflate);
    let mut connections: Vec<_> = (0..100).map(|i| server(i % 2 == 0, 15)).collect();
    let mut out = Vec::with_capacity(100_000);
    let info = measure(|| {
        for ws in &mut connections {
            ws.send_prepared(&message, &mut out).unwrap();
        }
    });
    // One state, its buffer, and the frame.
    assert!(info.bytes_total < 400_000, "{info:?}");
}

/// The messages of users are not shown, and a frame goes to another thread.
#[test]
fn dp21_frames_are_opaque_and_go_anywhere() {
    fn check<T: Send + Sync + 'static>(_: &T) {}
    let message = Arc::new(Prepared::text("secret").deflate(&Deflate::default()));
    let frame = server(true, 15)
        .begin_prepared(Arc::clone(&message))
        .unwrap();
    check(&message);
    check(&frame);
    for shown in [format!("{message:?}"), format!("{frame:?}")] {
        assert!(
            !shown.contains("secret") && !shown.contains("115"),
            "{shown}"
        );
        assert!(shown.contains("len: "));
    }
    assert_eq!(frame.as_ref(), b"\x81\x06secret");
}
