//! permessage-deflate: messages in fragments, each of which can be decompressed when it arrives
//! (RFC 7692 §6.1, §7.2.1).

use crate::common::deflate::*;
use crate::common::{Frame, Layer, Log, Seen, TestRole, for_both_roles, read_all};
use ws_proto::deflate::{Compressor, DeflateConfig as Deflate, Flush, Params};
use ws_proto::{
    CloseCode, Config, Connection, Event, MessageKind, SendError, Server, Session, Timeouts,
    WebSocket,
};

const TOKENS: [&str; 7] = ["Once", " upon", "", " a", " time", ", once", " upon a time"];

/// The content of each chunk of a message before the next one is there, by C zlib and the oracle;
/// that of all of it, by the oracle.
fn inflated_on_arrival(chunks: &[Vec<u8>], bits: u8) -> Vec<Vec<u8>> {
    let mut ours = Params::default().client_decompressor();
    let mut theirs = flate2::Decompress::new_with_window_bits(false, bits.max(9));
    let mut all = Vec::new();
    let inflated = chunks
        .iter()
        .map(|chunk| {
            let (mut inflated, mut block) = (Vec::new(), [0; 100]);
            inflate_piece(&mut ours, chunk, false, 7, &mut inflated).unwrap();
            // zlib returns all that it has without being asked to flush.
            let (mut input, mut by_zlib) = (&chunk[..], Vec::new());
            loop {
                let (read, written) = (theirs.total_in(), theirs.total_out());
                theirs
                    .decompress(input, &mut block, flate2::FlushDecompress::None)
                    .unwrap();
                input = &input[(theirs.total_in() - read) as usize..];
                let len = (theirs.total_out() - written) as usize;
                by_zlib.extend_from_slice(&block[..len]);
                if len < block.len() && input.is_empty() {
                    break;
                }
            }
            assert!(inflated == by_zlib);
            all.extend_from_slice(chunk);
            inflated
        })
        .collect::<Vec<_>>();
    let oracle = Oracle::default().message(&all);
    assert!(oracle == Some(inflated.concat()));
    inflated
}

/// DP19: after a flush, the output so far has all of the input so far; without, it need not.
#[test]
fn dp19_what_is_flushed_can_be_inflated() {
    for level in 0..=9 {
        for bits in 8..=15 {
            let deflate = Deflate::default().with_level(level);
            let mut compressor = both_ways(false, bits).server_compressor(&deflate);
            let mut compress = |token: &str, flush| {
                let mut out = Vec::new();
                compressor.compress(token.as_bytes(), flush, &mut out);
                out
            };
            let mut chunks: Vec<_> = TOKENS.map(|token| compress(token, Flush::Sync)).into();
            assert!(chunks.iter().zip(TOKENS).all(|(chunk, token)| {
                chunk.is_empty() == token.is_empty() && (chunk.is_empty() || chunk.ends_with(&TAIL))
            }));
            // Nothing is flushed twice, and the end may come by itself.
            assert_eq!(compress("", Flush::Sync), b"");
            chunks.push(compress("", Flush::End));
            assert_eq!(chunks.last().unwrap(), b"\0");
            let inflated = inflated_on_arrival(&chunks, bits);
            assert!(
                inflated
                    .iter()
                    .zip(TOKENS)
                    .all(|(inflated, token)| inflated == token.as_bytes())
            );
            // The next message has the context, and bytes that are kept back are there at its end.
            assert_eq!(compress("Once", Flush::None), b"");
            let [kept, rest] = [compress(" upon", Flush::None), compress("", Flush::End)];
            assert!(kept.is_empty() && !rest.ends_with(&TAIL));
            assert!(
                rest.len() < 8 || level == 0,
                "{} bytes at level {level}",
                rest.len()
            );
            // A flush returns the bytes that were kept back.
            assert_eq!(compress("Once", Flush::None), b"");
            assert!(compress("", Flush::Sync).ends_with(&TAIL));
            assert_eq!(compress("", Flush::End), b"\0");
        }
    }
}

/// DP19: a compressor that was reset refers to nothing before, in the middle of a message, too.
#[test]
fn dp19_a_compressor_that_was_reset_refers_to_nothing() {
    let mut compressor = Params::default().server_compressor(&Deflate::default());
    let fresh = compress(&mut compressor, b"Hello");
    assert_eq!(compress(&mut compressor, b"Hello"), HELLO_AGAIN);
    compressor.reset();
    assert_eq!(compress(&mut compressor, b"Hello"), fresh);
    // The bytes that were kept back are abandoned.
    compressor.compress(b"secret", Flush::None, &mut Vec::new());
    compressor.reset();
    assert_eq!(compress(&mut compressor, b""), b"\0");
    assert_eq!(compress(&mut compressor, b"Hello"), fresh);
    // Twice is as good as once.
    compressor.reset();
    compressor.reset();
    let mut out = Vec::new();
    compressor.compress(b"Hello", Flush::Sync, &mut out);
    compressor.reset();
    compressor.compress(b"Hello", Flush::End, &mut out);
    assert_eq!(out, [HELLO[0], &[0, 0, 0xff, 0xff], HELLO[0]].concat()[..]);
    assert_eq!(Oracle::default().message(&out).unwrap(), b"HelloHello");
}

fn send_all<R: TestRole>(ws: &mut WebSocket<R>, tokens: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    for (i, token) in tokens.iter().enumerate() {
        let fin = i + 1 == tokens.len();
        ws.send_fragment(MessageKind::Text, token.as_bytes(), fin, &mut out)
            .unwrap();
    }
    out
}

/// DP19: fragments of every layer are compressed with the context of the connection, and each can
/// be inflated on arrival, for every window, with takeover and without.
#[test]
fn dp19_dp6_fragments_are_compressed_and_flushed() {
    fn check<R: TestRole>() {
        for no_context_takeover in [false, true] {
            for bits in 8..=15 {
                let setup = Setup::with(both_ways(no_context_takeover, bits));
                let mut ws = setup.websocket::<R>();
                let mut streamed = setup.inflating::<R::Peer>(5);
                let first = send_all(&mut ws, &TOKENS);
                let second = send_all(&mut ws, &TOKENS);
                let shorter = second.len() < first.len();
                assert_eq!(shorter, !no_context_takeover, "the context is taken over");
                for bytes in [&first, &second] {
                    let written = frames(bytes);
                    let expected: Vec<_> = (0..TOKENS.len())
                        .map(|i| {
                            let (opcode, rsv) = if i == 0 { (1, RSV1) } else { (0, 0) };
                            (i + 1 == TOKENS.len(), rsv, opcode)
                        })
                        .collect();
                    let fields = |frame: &Frame| (frame.fin, frame.rsv, frame.opcode);
                    assert_eq!(written.iter().map(fields).collect::<Vec<_>>(), expected);
                }
                let payloads: Vec<_> = frames(&first)
                    .into_iter()
                    .map(|frame| frame.payload)
                    .collect();
                let inflated = inflated_on_arrival(&payloads, bits);
                // The last one ends with the tail, which is not sent.
                let last = TOKENS.len() - 1;
                assert!((0..last).all(|i| inflated[i] == TOKENS[i].as_bytes()));
                // A peer that streams has each at once.
                let (mut log, mut len) = (Log::default(), 0);
                for (frame, token) in frames(&first).iter().zip(TOKENS) {
                    streamed.recv_all(&mut frame.to::<R::Peer>(), &mut log);
                    len += token.len();
                    let received = |seen: &Seen| match seen {
                        Seen::Data { payload, .. } => payload.len(),
                        _ => 0,
                    };
                    assert_eq!(log.seen.iter().map(received).sum::<usize>(), len);
                }
                let text = Seen::text(&TOKENS.concat());
                let bytes = [first, second].concat();
                assert_eq!(
                    setup.run::<R::Peer>(&bytes, &[9]).seen,
                    [text.clone(), text]
                );
                // The halves do the same.
                let (_, mut half) = setup.websocket::<R>().split();
                let mut out = Vec::new();
                for (i, token) in TOKENS.iter().chain(&TOKENS).enumerate() {
                    let fin = i % TOKENS.len() == TOKENS.len() - 1;
                    half.send_fragment(MessageKind::Text, token.as_bytes(), fin, &mut out)
                        .unwrap();
                }
                assert!(out == bytes);
            }
        }
    }
    for_both_roles!(check);
}

/// DP6, DP17: the threshold is for messages whose length is known; fragments may be empty, all of
/// them.
#[test]
fn dp6_dp17_fragments_below_the_threshold() {
    fn check<R: TestRole>() {
        let setup = Setup::with(both_ways(true, 15));
        let sent = |tokens: &[&str]| {
            let bytes = send_all(&mut setup.websocket::<R>(), tokens);
            assert_eq!(
                setup.run::<R::Peer>(&bytes, &[]).seen,
                [Seen::text(&tokens.concat())]
            );
            frames(&bytes)
        };
        // A message in one fragment is as one that was sent at once.
        assert_eq!(sent(&["short"])[0].rsv, 0);
        assert_eq!(sent(&["a".repeat(63).as_str()])[0].rsv, 0);
        assert_eq!(sent(&[""])[0].rsv, 0);
        let noise = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-+*/!?";
        assert_eq!(sent(&[noise])[0].rsv, 0, "it does not compress");
        let long = "long ".repeat(20);
        assert_eq!(sent(&[&long])[0].rsv, RSV1);
        // Of others the length is not known.
        assert_eq!(sent(&["sho", "rt"])[0].rsv, RSV1);
        let empty = sent(&["", "", ""]);
        let payloads: Vec<_> = empty.iter().map(|frame| &frame.payload[..]).collect();
        assert_eq!(payloads, [&b""[..], b"", b"\0"]);
        assert_eq!(empty[0].rsv, RSV1);
        // After a message without context the compressor is as new.
        let mut ws = setup.websocket::<R>();
        let first = send_all(&mut ws, &TOKENS);
        send_all(&mut ws, &["", ""]);
        send_all(&mut ws, &[&long]);
        let again = send_all(&mut ws, &TOKENS);
        assert_eq!(frames(&first).len(), frames(&again).len());
        let payloads = |bytes| -> Vec<_> {
            frames(bytes)
                .into_iter()
                .map(|frame| frame.payload)
                .collect()
        };
        assert_eq!(payloads(&first), payloads(&again));
    }
    for_both_roles!(check);
}

/// DP18, DP20: a message keeps its kind from its beginning: compressed by the connection, by the
/// caller, or not at all.
#[test]
fn dp18_a_message_is_compressed_by_one_or_not_at_all() {
    fn check<R: TestRole>() {
        #[derive(Clone, Copy, PartialEq, Debug)]
        enum Way {
            Fragment,
            Uncompressed,
            Frame,
            Caller,
            CallersFrame,
        }
        use Way::*;
        fn send<R: TestRole>(
            ws: &mut WebSocket<R>,
            way: Way,
            fin: bool,
        ) -> Result<Vec<u8>, SendError> {
            let (mut out, kind, params) = (Vec::new(), MessageKind::Text, Params::default());
            let written = |frame: ws_proto::OutgoingFrame| frame.header().to_vec();
            match way {
                Fragment => ws.send_fragment(kind, b"", fin, &mut out)?,
                Uncompressed => ws.send_fragment_uncompressed(kind, b"", fin, &mut out)?,
                Frame => out = written(ws.begin_frame(kind, 0, fin)?),
                Caller => ws.send_compressed_fragment(kind, b"", params, fin, &mut out)?,
                CallersFrame => out = written(ws.begin_compressed_frame(kind, 0, params, fin)?),
            }
            Ok(out)
        }
        let kind_of = |way| match way {
            Fragment => 0,
            Uncompressed | Frame => 1,
            Caller | CallersFrame => 2,
        };
        let all = [Fragment, Uncompressed, Frame, Caller, CallersFrame];
        for first in all {
            for second in all {
                let setup = Setup::default();
                let mut ws = setup.websocket::<R>();
                let mut bytes = send(&mut ws, first, false).unwrap();
                let is_compressed = frames(&bytes)[0].rsv == RSV1;
                assert_eq!(is_compressed, kind_of(first) != 1);
                let continues = kind_of(first) == kind_of(second)
                    || (second == Fragment && kind_of(first) == 1);
                match send(&mut ws, second, true) {
                    Ok(end) => {
                        assert!(continues, "{first:?} {second:?}");
                        bytes.extend(end);
                        if kind_of(second) != 2 {
                            assert_eq!(setup.run::<R::Peer>(&bytes, &[]).seen, [Seen::text("")]);
                        }
                    }
                    Err(error) => {
                        assert!(!continues, "{first:?} {second:?}");
                        assert_eq!(error, SendError::MessageInProgress);
                    }
                }
            }
        }
        // Without compression, the connection's fragments and those that are not compressed are the
        // same.
        let mut ws = WebSocket::new(R::make(), &Config::new());
        for way in [Fragment, Uncompressed, Frame, Fragment] {
            let sent = send(&mut ws, way, false).unwrap();
            assert_eq!(read_all::<R>(&sent)[0].rsv, 0);
        }
    }
    for_both_roles!(check);
}

/// TX8, FG5: the fragments of a compressed text may split characters, and are UTF-8 together.
#[test]
fn dp19_fragments_of_a_text_are_utf8_together() {
    fn check<R: TestRole>() {
        let setup = Setup::default();
        let mut ws = setup.websocket::<R>();
        let (mut out, text) = (Vec::new(), "\u{e9}\u{1f980}".as_bytes());
        let kind = MessageKind::Text;
        ws.send_fragment(kind, &text[..1], false, &mut out).unwrap();
        let invalid = Err(SendError::InvalidUtf8);
        assert_eq!(ws.send_fragment(kind, b"x", false, &mut out), invalid);
        assert_eq!(ws.send_fragment(kind, b"", true, &mut out), invalid);
        let binary = ws.send_fragment(MessageKind::Binary, b"", true, &mut out);
        assert_eq!(binary, Err(SendError::MessageInProgress));
        ws.send_fragment(kind, &text[1..4], false, &mut out)
            .unwrap();
        ws.send_fragment(kind, &text[4..], true, &mut out).unwrap();
        // It begins again with the next one.
        ws.send_fragment(kind, b"next", true, &mut out).unwrap();
        let seen = setup.run::<R::Peer>(&out, &[]).seen;
        assert_eq!(seen, [Seen::text("\u{e9}\u{1f980}"), Seen::text("next")]);
    }
    for_both_roles!(check);
}

/// FG1: a large message in fragments of a size, with control frames between them; as many as it
/// takes, and one for a message that is empty.
#[test]
fn dp19_fg1_large_messages_are_sent_in_fragments_of_a_size() {
    fn check<R: TestRole>() {
        for deflate in [false, true] {
            let setup = Setup::default();
            let make = || match deflate {
                true => setup.websocket::<R>(),
                false => WebSocket::new(R::make(), &Config::new()),
            };
            for (len, max_len, expected) in [
                (0, 100, 1),
                (1, 100, 1),
                (100, 100, 1),
                (101, 100, 2),
                (1000, 100, 10),
                (3, 0, 3),
                (3, usize::MAX, 1),
            ] {
                let message = json(20)[..len].to_vec();
                let (mut ws, mut out) = (make(), Vec::new());
                let (_, mut half) = make().split();
                let mut of_half = Vec::new();
                let (mut rest, mut rest_of_half) = (&message[..], &message[..]);
                let mut seen = Vec::new();
                loop {
                    // Without room nothing is consumed.
                    let before = rest;
                    let full = &mut ws_proto::CappedOutput::new(&mut out, 0);
                    let refused =
                        ws.send_next_fragment(MessageKind::Binary, &mut rest, max_len, full);
                    assert!(matches!(refused, Err(SendError::OutputFull { .. })) && rest == before);
                    let complete = ws
                        .send_next_fragment(MessageKind::Binary, &mut rest, max_len, &mut out)
                        .unwrap();
                    assert_eq!(before.len() - rest.len(), before.len().min(max_len.max(1)));
                    let half_complete = half
                        .send_next_fragment(
                            MessageKind::Binary,
                            &mut rest_of_half,
                            max_len,
                            &mut of_half,
                        )
                        .unwrap();
                    assert_eq!((complete, rest), (half_complete, rest_of_half));
                    if complete {
                        break;
                    }
                    ws.send_ping(b"between", &mut out).unwrap();
                    half.send_ping(b"between", &mut of_half).unwrap();
                    seen.push(Seen::ping("between"));
                }
                assert_eq!(seen.len() + 1, expected);
                assert!(rest.is_empty());
                seen.push(Seen::message(MessageKind::Binary, &message));
                let run = |bytes: &[u8]| match deflate {
                    true => setup.run::<R::Peer>(bytes, &[]).seen,
                    false => {
                        crate::common::run::<R::Peer, WebSocket<_>>(&Config::new(), bytes, &[]).seen
                    }
                };
                assert!(run(&out) == seen && run(&of_half) == seen);
            }
        }
    }
    for_both_roles!(check);
}

/// A session sends fragments as its connection does.
#[test]
fn dp19_a_session_streams() {
    let negotiated = Setup::default().negotiated::<Server>();
    let now = std::time::Duration::ZERO;
    let mut session = Session::open(negotiated, &Config::new(), &Timeouts::new(), now);
    for token in TOKENS {
        session
            .send(|ws, out| ws.send_fragment(MessageKind::Text, token.as_bytes(), false, out))
            .unwrap();
    }
    session
        .send(|ws, out| ws.send_fragment(MessageKind::Text, b"", true, out))
        .unwrap();
    let seen = Setup::default()
        .run::<ws_proto::Client>(session.output(), &[])
        .seen;
    assert_eq!(seen, [Seen::text(&TOKENS.concat())]);
}

/// CL9: a message that is abandoned gives its state up, with takeover and without.
#[test]
fn dp19_an_abandoned_message_ends_with_the_connection() {
    fn check<R: TestRole>() {
        for no_context_takeover in [false, true] {
            let setup = Setup::with(both_ways(no_context_takeover, 15));
            let mut ws = setup.websocket::<R>();
            let mut out = Vec::new();
            ws.send_fragment(MessageKind::Text, b"abandoned", false, &mut out)
                .unwrap();
            ws.close(CloseCode::NORMAL, "", &mut out).unwrap();
            let sent = ws.send_fragment(MessageKind::Text, b"", true, &mut out);
            assert_eq!(sent, Err(SendError::Closed));
            // The next connection of the pool has nothing of it.
            let mut next = setup.websocket::<R>();
            let expected = send_all(&mut Setup::with(setup.params).websocket::<R>(), &TOKENS);
            assert!(send_all(&mut next, &TOKENS) == expected);
        }
    }
    for_both_roles!(check);
}

/// A streaming connection sends the flushes of a compressor.
#[test]
fn dp19_a_streaming_connection_sends_what_its_compressor_flushes() {
    fn check<R: TestRole>() {
        let setup = Setup::default();
        let mut compressor: Compressor = compressor::<R>(setup.params, &setup.deflate);
        let mut connection = Connection::new(setup.negotiated::<R>(), &Config::new());
        let mut peer = Connection::new(setup.negotiated::<R::Peer>(), &Config::new());
        let mut decompressor = decompressor::<R::Peer>(setup.params);
        for (i, token) in TOKENS.iter().enumerate() {
            let fin = i + 1 == TOKENS.len();
            let (mut bytes, mut out) = (Vec::new(), Vec::new());
            let flush = if fin { Flush::End } else { Flush::Sync };
            compressor.compress(token.as_bytes(), flush, &mut bytes);
            connection
                .send_compressed_fragment(MessageKind::Text, &bytes, setup.params, fin, &mut out)
                .unwrap();
            let (mut input, mut inflated) = (&mut out[..], Vec::new());
            while let Some(event) = peer.recv(&mut input, &mut Vec::new()) {
                let Event::Data(chunk) = event else {
                    panic!("{event:?}")
                };
                inflate_piece(
                    &mut decompressor,
                    chunk.payload,
                    chunk.last,
                    3,
                    &mut inflated,
                )
                .unwrap();
            }
            assert_eq!(inflated, token.as_bytes());
        }
    }
    for_both_roles!(check);
}
