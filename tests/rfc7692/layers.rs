//! Every layer and half that sends, sends the same frames: each method of a layer is the one of its
//! sending half.

use crate::common::deflate::*;
use crate::common::{TestRole, for_both_roles};
use ws_proto::deflate::{DeflateConfig, Params};
use ws_proto::{
    CloseCode, Config, Connection, MessageKind, Negotiated, OutgoingFrame, SendError, WebSocket,
};

/// A compressed "Hello", in two fragments (RFC 7692 §7.2.3.1).
const HELLO: [&[u8]; 2] = [&[0xf2, 0x48, 0xcd], &[0xc9, 0xc9, 0x07, 0x00]];

fn negotiated<R: TestRole>() -> Negotiated<R> {
    let params = both_ways(true, 15);
    Negotiated::new(R::make()).with_deflate(&DeflateConfig::new().with_threshold(1000), params)
}

/// The bytes of a frame whose payload is not copied.
fn written(frame: Result<OutgoingFrame, SendError>, payload: &[u8]) -> Vec<u8> {
    let (mut frame, mut payload) = (frame.unwrap(), payload.to_vec());
    frame.mask(&mut payload);
    [frame.header(), &payload].concat()
}

/// Everything that a layer can send, and then its end by `$end`.
macro_rules! send_all {
    ($ws:expr, |$end:ident, $end_out:ident| $close:expr) => {{
        let (mut ws, mut out) = ($ws, Vec::new());
        ws.send_text("text", &mut out).unwrap();
        ws.send_binary(b"binary", &mut out).unwrap();
        ws.send_fragment(MessageKind::Text, b"\xc3", false, &mut out)
            .unwrap();
        ws.send_ping(b"ping", &mut out).unwrap();
        ws.send_fragment(MessageKind::Text, b"\xa9", true, &mut out)
            .unwrap();
        ws.send_pong(b"pong", &mut out).unwrap();
        out.extend(written(
            ws.begin_frame(MessageKind::Binary, 3, false),
            b"abc",
        ));
        out.extend(written(ws.begin_frame(MessageKind::Binary, 2, true), b"de"));
        let [first, second] = HELLO;
        ws.send_compressed_fragment(MessageKind::Text, first, false, &mut out)
            .unwrap();
        ws.send_compressed_fragment(MessageKind::Text, second, true, &mut out)
            .unwrap();
        let len = first.len() as u64;
        out.extend(written(
            ws.begin_compressed_frame(MessageKind::Text, len, false),
            first,
        ));
        let len = second.len() as u64;
        out.extend(written(
            ws.begin_compressed_frame(MessageKind::Text, len, true),
            second,
        ));
        let ($end, $end_out) = (&mut ws, &mut out);
        $close.unwrap();
        (out, ws.state(), ws.next_action(), ws.close_sent())
    }};
}

macro_rules! every_layer_sends_the_same {
    ($end:ident, $out:ident, $close:expr) => {{
        fn check<R: TestRole>() {
            let config = Config::new();
            let whole = send_all!(Connection::new(negotiated::<R>(), &config), |$end, $out| {
                $close
            });
            let (_, half) = Connection::new(negotiated::<R>(), &config).split();
            assert_eq!(send_all!(half, |$end, $out| $close), whole, "SendHalf");
            let ws = WebSocket::new(negotiated::<R>(), &config);
            assert_eq!(send_all!(ws, |$end, $out| $close), whole, "WebSocket");
            let (_, half) = WebSocket::new(negotiated::<R>(), &config).split();
            assert_eq!(
                send_all!(half, |$end, $out| $close),
                whole,
                "MessageSendHalf"
            );
            // It is what the RFCs require.
            let opcodes: Vec<_> = frames(&whole.0).iter().map(|frame| frame.opcode).collect();
            assert_eq!(opcodes, [1, 2, 1, 9, 0, 10, 2, 0, 1, 0, 1, 0, 8]);
            let rsv: Vec<_> = frames(&whole.0).iter().map(|frame| frame.rsv).collect();
            assert_eq!(rsv, [0, 0, 0, 0, 0, 0, 0, 0, RSV1, 0, RSV1, 0, 0]);
        }
        for_both_roles!(check);
    }};
}

#[test]
fn dp1_cl4_every_layer_sends_the_same_and_closes() {
    every_layer_sends_the_same!(ws, out, ws.close(CloseCode::NORMAL, "bye", out));
}

#[test]
fn dp1_cl4_every_layer_sends_the_same_and_closes_without_a_code() {
    every_layer_sends_the_same!(ws, out, ws.close_without_code(out));
}

#[test]
fn dp1_cl4_every_layer_sends_the_same_and_fails() {
    every_layer_sends_the_same!(ws, out, ws.fail(CloseCode::INTERNAL_ERROR, "sorry", out));
}

/// Messages that the connection would compress are not compressed by these calls, in both layers.
#[test]
fn dp1_uncompressed_messages_of_every_layer_are_those_of_a_connection() {
    fn check<R: TestRole>() {
        let config = Config::new();
        let text = "text ".repeat(1000);
        let mut expected = Vec::new();
        let mut connection = Connection::new(negotiated::<R>(), &config);
        connection.send_text(&text, &mut expected).unwrap();
        connection
            .send_binary(text.as_bytes(), &mut expected)
            .unwrap();

        let mut out = Vec::new();
        let mut ws = WebSocket::new(negotiated::<R>(), &config);
        ws.send_text_uncompressed(&text, &mut out).unwrap();
        ws.send_binary_uncompressed(text.as_bytes(), &mut out)
            .unwrap();
        assert!(out == expected);

        let mut out = Vec::new();
        let (_, mut half) = WebSocket::new(negotiated::<R>(), &config).split();
        half.send_text_uncompressed(&text, &mut out).unwrap();
        half.send_binary_uncompressed(text.as_bytes(), &mut out)
            .unwrap();
        assert!(out == expected);
    }
    for_both_roles!(check);
}

/// DP12: a caller's own compression and the connection's exclude each other where the context is
/// taken over, for frames that are begun as well.
#[test]
fn dp12_a_compressed_frame_cannot_be_begun_while_the_context_is_in_use() {
    fn check<R: TestRole>() {
        let negotiated =
            || Negotiated::new(R::make()).with_deflate(&DeflateConfig::new(), Params::default());
        let mut ws = WebSocket::new(negotiated(), &Config::new());
        assert_eq!(ws.deflate(), Some(Params::default()));
        ws.send_text("compressed by the connection", &mut Vec::new())
            .unwrap();
        let begun = ws.begin_compressed_frame(MessageKind::Text, 5, true);
        assert_eq!(begun.unwrap_err(), SendError::ContextInUse);
        let (_, mut half) = ws.split();
        let begun = half.begin_compressed_frame(MessageKind::Text, 5, true);
        assert_eq!(begun.unwrap_err(), SendError::ContextInUse);

        // And without compression there is none to begin.
        let mut ws = WebSocket::new(R::make(), &Config::new());
        assert_eq!(ws.deflate(), None);
        let begun = ws.begin_compressed_frame(MessageKind::Text, 5, true);
        assert_eq!(begun.unwrap_err(), SendError::NotNegotiated);
        let mut connection = Connection::new(R::make(), &Config::new());
        let begun = connection.begin_compressed_frame(MessageKind::Text, 5, true);
        assert_eq!(begun.unwrap_err(), SendError::NotNegotiated);
    }
    for_both_roles!(check);
}
