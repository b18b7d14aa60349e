//! permessage-deflate: whose context it is. States that connections share, contexts that a caller
//! has, and what `Debug` shows of them.

use crate::common::deflate::*;
use crate::common::{Frame, Log, Masking, Seen, TestRole, for_both_roles, wire};
use crate::common::{Layer, MessageHalves};
use std::fmt::Debug;
use ws_proto::deflate::{DeflateConfig as Deflate, Flush};
use ws_proto::{CappedOutput, Message, MessageKind, ProtocolError, SendError, WebSocket};

/// What a message that was sent has on the wire: whether it is compressed, and its payload.
fn sent<R: TestRole>(ws: &mut WebSocket<R>, text: &str) -> (bool, Vec<u8>) {
    let mut out = Vec::new();
    ws.send_text(text, &mut out).unwrap();
    let frame = frames(&out).remove(0);
    (frame.rsv == RSV1, frame.payload)
}

fn received<R: TestRole>(ws: &mut WebSocket<R>, frames: &[Frame]) -> Vec<Seen> {
    let mut log = Log::default();
    ws.recv_all(&mut wire::<R>(frames), &mut log);
    log.seen
}

/// U1, D11, DP11, DP12, SE8: connections of one configuration, with contexts that are taken over
/// and without, with windows of two sizes, in any order: each has its own context or none, and none
/// has another's.
#[test]
fn u1_d11_dp11_dp12_a_pool_serves_connections_of_both_kinds() {
    fn check<R: TestRole>() {
        // What repeats is further back than the smaller window reaches, and there is something
        // near, too.
        let text = &format!(
            "{0}{0} and near, near, near, near",
            json(8).into_iter().map(char::from).collect::<String>()
        );
        let deflate = Deflate::default().with_threshold(0);
        let setup = |no_context_takeover, bits| {
            Setup::with(both_ways(no_context_takeover, bits)).deflate(deflate.clone())
        };
        // What each kind sends at first, and again, from a configuration of its own.
        let fresh = |no_context_takeover, bits| {
            let mut ws = Setup::with(both_ways(no_context_takeover, bits))
                .deflate(Deflate::default().with_threshold(0))
                .websocket::<R>();
            [
                sent(&mut ws, text),
                sent(&mut ws, text),
                sent(&mut ws, text),
            ]
        };
        let kinds = [(false, 15), (true, 15), (false, 9), (true, 9)];
        let expected = kinds.map(|(no_context_takeover, bits)| fresh(no_context_takeover, bits));
        assert!(
            expected
                .iter()
                .flatten()
                .all(|(is_compressed, _)| *is_compressed)
        );
        for (kind, [first, second, _]) in kinds.iter().zip(&expected) {
            assert_eq!(
                first != second,
                !kind.0,
                "a context makes the second message another"
            );
        }
        assert!(
            expected[1] != expected[3] && expected[0] != expected[2],
            "the window makes a difference"
        );

        let mut kept: Vec<_> = kinds
            .iter()
            .map(|&(no_context_takeover, bits)| setup(no_context_takeover, bits).websocket::<R>())
            .collect();
        let (mut times_sent, mut times_received) = ([0; 4], [0; 4]);
        // All neighbours: each kind after each other one, and after itself.
        for at in [
            0, 0, 1, 2, 2, 1, 1, 0, 2, 0, 3, 3, 0, 1, 3, 1, 2, 3, 2, 1, 0,
        ] {
            let ws = &mut kept[at];
            if times_sent[at] < 3 {
                assert!(
                    sent(ws, text) == expected[at][times_sent[at]],
                    "kind {at} sends what it has no context for, or has lost it"
                );
            }
            times_sent[at] += 1;
            let (no_context_takeover, bits) = kinds[at];
            let first = times_received[at] == 0 || no_context_takeover;
            assert_eq!(
                received(
                    ws,
                    &[compressed_text(if first { HELLO[0] } else { HELLO_AGAIN })]
                ),
                [hello()],
                "kind {at}"
            );
            times_received[at] += 1;
            // One that comes new, whose first message refers to what only others have received.
            let mut new = setup(no_context_takeover, bits).websocket::<R>();
            assert_eq!(
                received(&mut new, &[compressed_text(HELLO_AGAIN)]),
                [Seen::Failed(ProtocolError::InvalidCompression)]
            );
            let mut new = setup(no_context_takeover, bits).websocket::<R>();
            assert!(sent(&mut new, text) == expected[at][0]);
            assert_eq!(received(&mut new, &[compressed_text(HELLO[0])]), [hello()]);
            // Of a connection with its own context nothing goes to the pool, when it ends either.
            if at % 2 == 0 {
                drop(new);
            } else {
                new.recv_eof();
            }
        }
    }
    for_both_roles!(check);
}

/// DP11, DP12, SE8: where no context is taken over, the caller's messages and the connection's own
/// are each compressed by themselves, in any order; the connection goes on compressing, also after
/// the caller has, and what has no room or comes between parts changes nothing.
#[test]
fn dp11_dp12_without_takeover_caller_and_connection_take_turns() {
    fn check<R: TestRole>() {
        let setup = Setup::with(both_ways(true, 15));
        let text =
            "said by either, said by either, said by either, said by either, said by either.";
        let mut own = compressor::<R>(setup.params, &setup.deflate);
        let of_caller = compress(&mut own, text.as_bytes());
        let mut ws = setup.websocket::<R>();
        let mut out = Vec::new();
        let mut count = 0;
        for of_callers in [true, false, false, true, true, false, true, false] {
            if of_callers {
                let (front, back) = of_caller.split_at(5);
                assert!(matches!(
                    ws.send_compressed_fragment(
                        MessageKind::Text,
                        front,
                        setup.params,
                        false,
                        &mut CappedOutput::new(&mut out, 5)
                    ),
                    Err(SendError::OutputFull { .. })
                ));
                ws.send_compressed_fragment(
                    MessageKind::Text,
                    front,
                    setup.params,
                    false,
                    &mut out,
                )
                .unwrap();
                assert_eq!(
                    ws.send_text(text, &mut out),
                    Err(SendError::MessageInProgress)
                );
                ws.send_compressed_fragment(MessageKind::Text, back, setup.params, true, &mut out)
                    .unwrap();
            } else {
                ws.send_text(text, &mut out).unwrap();
            }
            count += 1;
        }
        let written = frames(&out);
        let whole: Vec<_> = written
            .iter()
            .filter(|frame| frame.fin && frame.opcode == 1)
            .collect();
        assert!(
            whole.len() == 4
                && whole
                    .iter()
                    .all(|frame| (frame.rsv, &frame.payload) == (RSV1, &of_caller)),
            "{whole:?}"
        );
        assert!(setup.run::<R::Peer>(&out, &[]).seen == vec![Seen::text(text); count]);
        // With takeover it is one or the other.
        let mut ws = Setup::default().websocket::<R>();
        ws.send_compressed_fragment(MessageKind::Text, &of_caller, params(""), true, &mut out)
            .unwrap();
        assert!(!sent(&mut ws, text).0, "the context was left to the caller");
    }
    for_both_roles!(check);
}

/// D6, D8, U1: a state goes back to the pool after a message, however the message ended: with a
/// final block, with blocks that filled the room, empty. The next connection that has it finds
/// nothing of that.
#[test]
fn d6_d8_u1_a_state_that_comes_from_the_pool_is_as_new() {
    fn check<R: TestRole>() {
        let block = 16 << 10;
        let data = [noise(1, block), vec![b'x'; block]].concat();
        let setup = Setup::with(both_ways(true, 15));
        let mut zlib = CDeflate::new(6, 15, true);
        let messages: Vec<(Vec<u8>, Vec<u8>)> = vec![
            (HELLO[2][..7].to_vec(), b"Hello".to_vec()),
            (zlib.message(&data), data.clone()),
            (zlib.final_message(&data), data.clone()),
            (zlib.message(&data[..block]), data[..block].to_vec()),
            (b"\x00".to_vec(), vec![]),
            (b"\x03\x00".to_vec(), vec![]),
        ];
        for (before, inflated) in &messages {
            for (after, expected) in &messages {
                let mut first = setup.websocket::<R>();
                assert!(
                    received(&mut first, &[Frame::binary(before).rsv(RSV1)])
                        == [Seen::binary(inflated)]
                );
                // That it ended with a final block is no end of another message.
                let empty = [Frame::binary("").rsv(RSV1).more(), Frame::continuation("")];
                let mut other = setup.websocket::<R>();
                assert_eq!(
                    received(&mut other, &empty),
                    [Seen::Failed(ProtocolError::InvalidCompression)]
                );
                assert!(
                    received(&mut first, &[Frame::binary(before).rsv(RSV1)])
                        == [Seen::binary(inflated)]
                );
                let mut next = setup.websocket::<R>();
                assert!(
                    received(&mut next, &[Frame::binary(after).rsv(RSV1)])
                        == [Seen::binary(expected)]
                );
                assert_eq!(
                    received(&mut setup.websocket::<R>(), &[compressed_text(HELLO_AGAIN)]),
                    [Seen::Failed(ProtocolError::InvalidCompression)]
                );
            }
        }
    }
    for_both_roles!(check);
}

const MARKER: &str = "MARKER-MARKER-0815";

/// That nothing of the marker is shown, as text or as numbers, in a line or in many.
#[track_caller]
fn hides(shown: &dyn Debug) {
    for text in [
        format!("{shown:?}"),
        format!("{shown:#?}"),
        format!("{shown:x?}"),
    ] {
        assert!(!text.is_empty());
        // "MARKER" in decimal and in hex, also of what is masked with the zero key, as two
        // neighbours.
        for part in [
            "MARKER",
            "0815",
            "77, 65, 82",
            "4d, 41, 52",
            "77,\n    65",
            "4d4152",
        ] {
            assert!(!text.contains(part), "{text}");
        }
    }
}

/// SE8, D11: neither connections nor what they share show messages: not while one is received, nor
/// after it was, nor after one was sent; compressed or plain.
#[test]
fn se8_debug_shows_no_message() {
    fn check<R: TestRole>() {
        for no_context_takeover in [false, true] {
            let setup = Setup::with(both_ways(no_context_takeover, 15))
                .deflate(Deflate::default().with_threshold(0));
            let marker = MARKER.repeat(10);
            let stored = CDeflate::new(0, 15, true).message(marker.as_bytes());
            assert!(
                stored
                    .windows(MARKER.len())
                    .any(|window| window == MARKER.as_bytes())
            );
            let mut ws = setup.websocket::<R>();
            let mut out = Vec::new();
            ws.send_text(&marker, &mut out).unwrap();
            ws.send_text_uncompressed(&marker, &mut out).unwrap();
            let received = [
                compressed_text(&stored),
                Frame::text(&marker[..40]).more(),
                Frame::continuation(&marker[40..]),
            ];
            for frame in received.iter().chain(&[
                compressed_text(&stored[..60]).more(),
                Frame::continuation(&stored[60..100]).more(),
            ]) {
                let mut bytes = Frame {
                    masking: Masking::ByRole,
                    ..frame.clone()
                }
                .to::<R>();
                let mut input = &mut bytes[..];
                let mut owned = None;
                while let Some(message) = ws.recv(&mut input, &mut out) {
                    owned = Some(message.into_owned());
                }
                hides(&ws);
                // Memory that is given back still holds what it held.
                match owned {
                    Some(Message::Text(text)) => ws.recycle(text.into_owned().into_bytes()),
                    Some(other) => panic!("{other:?}"),
                    None => {}
                }
                hides(&ws);
            }
            hides(&setup.deflate);
            hides(&setup.negotiated::<R>());
            let (receiver, sender) = ws.split();
            hides(&receiver);
            hides(&sender);
            assert!(format!("{sender:?}").contains("Deflater { settings: Settings {"));
            let halves = MessageHalves(receiver, sender);
            hides(&WebSocket::reunite(halves.0, halves.1));

            let mut compressor =
                compressor::<R>(setup.params, &setup.deflate.clone().with_level(0));
            let compressed = compress(&mut compressor, marker.as_bytes());
            compressor.compress(marker.as_bytes(), Flush::None, &mut Vec::new());
            hides(&compressor);
            let mut decompressor = decompressor::<R>(setup.params);
            assert_eq!(
                inflate(&mut decompressor, &compressed, 7).unwrap(),
                marker.as_bytes()
            );
            inflate_piece(
                &mut decompressor,
                &compressed[..50],
                false,
                7,
                &mut Vec::new(),
            )
            .unwrap();
            hides(&decompressor);
        }
    }
    for_both_roles!(check);
    // What is looked for would be found.
    assert!(std::panic::catch_unwind(|| hides(&MARKER.as_bytes())).is_err());
    assert!(std::panic::catch_unwind(|| hides(&MARKER)).is_err());
}
