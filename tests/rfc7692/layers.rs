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

/// Everything that a layer can send, with this method for fragments that are not compressed, and
/// then its end by `$end`.
macro_rules! send_all {
    ($ws:expr, $fragment:ident, |$end:ident, $end_out:ident| $close:expr) => {{
        let (mut ws, mut out) = ($ws, Vec::new());
        ws.send_text("text", &mut out).unwrap();
        ws.send_binary(b"binary", &mut out).unwrap();
        ws.$fragment(MessageKind::Text, b"\xc3", false, &mut out)
            .unwrap();
        ws.send_ping(b"ping", &mut out).unwrap();
        ws.$fragment(MessageKind::Text, b"\xa9", true, &mut out)
            .unwrap();
        ws.send_pong(b"pong", &mut out).unwrap();
        out.extend(written(
            ws.begin_frame(MessageKind::Binary, 3, false),
            b"abc",
        ));
        out.extend(written(ws.begin_frame(MessageKind::Binary, 2, true), b"de"));
        let ([first, second], params) = (HELLO, both_ways(true, 15));
        ws.send_compressed_fragment(MessageKind::Text, first, params, false, &mut out)
            .unwrap();
        ws.send_compressed_fragment(MessageKind::Text, second, params, true, &mut out)
            .unwrap();
        let len = first.len() as u64;
        out.extend(written(
            ws.begin_compressed_frame(MessageKind::Text, len, params, false),
            first,
        ));
        let len = second.len() as u64;
        out.extend(written(
            ws.begin_compressed_frame(MessageKind::Text, len, params, true),
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
            let connection = Connection::new(negotiated::<R>(), &config);
            let whole = send_all!(connection, send_fragment, |$end, $out| $close);
            let (_, half) = Connection::new(negotiated::<R>(), &config).split();
            let sent = send_all!(half, send_fragment, |$end, $out| $close);
            assert_eq!(sent, whole, "SendHalf");
            let ws = WebSocket::new(negotiated::<R>(), &config);
            let sent = send_all!(ws, send_fragment_uncompressed, |$end, $out| $close);
            assert_eq!(sent, whole, "WebSocket");
            let (_, half) = WebSocket::new(negotiated::<R>(), &config).split();
            let sent = send_all!(half, send_fragment_uncompressed, |$end, $out| $close);
            assert_eq!(sent, whole, "MessageSendHalf");
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

/// DP11: without compression there is no compressed message to send, in any layer.
#[test]
fn dp11_without_compression_nothing_compressed_is_sent() {
    macro_rules! check {
        ($ws:expr) => {{
            let (mut ws, mut out) = ($ws, Vec::new());
            let params = Params::default();
            let begun = ws.begin_compressed_frame(MessageKind::Text, 5, params, true);
            assert_eq!(begun.unwrap_err(), SendError::NotNegotiated);
            let sent = ws.send_compressed_fragment(MessageKind::Text, b"", params, true, &mut out);
            assert_eq!((sent, out.len()), (Err(SendError::NotNegotiated), 0));
        }};
    }
    fn each<R: TestRole>() {
        let ws = || WebSocket::new(R::make(), &Config::new());
        assert_eq!(ws().deflate(), None);
        check!(ws());
        check!(ws().split().1);
        check!(Connection::new(R::make(), &Config::new()));
        check!(Connection::new(R::make(), &Config::new()).split().1);
    }
    for_both_roles!(each);
}

/// DP11: messages of a larger window than negotiated, or of a context where none is taken over,
/// would kill the peer: no layer sends them. Those of a smaller window, and independent ones, it
/// can inflate.
#[test]
fn dp11_messages_that_the_peer_cannot_inflate_are_refused() {
    macro_rules! check {
        ($R:ty, $negotiated:expr, $of_caller:expr, $ws:expr) => {{
            let (mut ws, mut out) = ($ws, Vec::new());
            let ((takes_over, bits), (caller_takes_over, caller_bits)) = ($negotiated, $of_caller);
            let params = both_ways(!caller_takes_over, caller_bits);
            let is_permitted = caller_bits <= bits && (takes_over || !caller_takes_over);
            let sent =
                ws.send_compressed_fragment(MessageKind::Text, HELLO[0], params, false, &mut out);
            let begun = ws.begin_compressed_frame(MessageKind::Text, 4, params, true);
            if is_permitted {
                assert_eq!(sent, Ok(()));
                out.extend(written(begun, HELLO[1]));
                let seen = Setup::with(both_ways(!takes_over, bits))
                    .run::<<$R as TestRole>::Peer>(&out, &[])
                    .seen;
                assert_eq!(seen, [hello()]);
            } else {
                let refused = Err(SendError::IncompatibleParams);
                assert_eq!((sent, out.len()), (refused, 0));
                assert_eq!(begun.unwrap_err(), SendError::IncompatibleParams);
                assert_eq!(ws.sent().frames, 0);
                // It is no other message that is in the way.
                ws.send_text("Hello", &mut out).unwrap();
                // The caller learns first that nothing can be sent.
                ws.close_without_code(&mut out).unwrap();
                let sent =
                    ws.send_compressed_fragment(MessageKind::Text, b"", params, true, &mut out);
                assert_eq!(sent, Err(SendError::Closed));
            }
        }};
    }
    fn each<R: TestRole>() {
        let all = || {
            [true, false]
                .into_iter()
                .flat_map(|takes_over| (8..=15).map(move |bits| (takes_over, bits)))
        };
        for negotiated in all() {
            for of_caller in all() {
                let (takes_over, bits) = negotiated;
                let setup = Setup::with(both_ways(!takes_over, bits));
                check!(R, negotiated, of_caller, setup.websocket::<R>());
                check!(R, negotiated, of_caller, setup.websocket::<R>().split().1);
                let connection = || Connection::new(setup.negotiated::<R>(), &Config::new());
                check!(R, negotiated, of_caller, connection());
                check!(R, negotiated, of_caller, connection().split().1);
            }
        }
    }
    for_both_roles!(each);
}

/// DP11: the parameters that count are those of the direction: a server's for the server.
#[test]
fn dp11_the_parameters_of_the_other_direction_do_not_count() {
    fn check<R: TestRole>() {
        let (own, other) = if R::MASKS {
            ("client", "server")
        } else {
            ("server", "client")
        };
        let of = |side| {
            params(&format!(
                "; {side}_no_context_takeover; {side}_max_window_bits=9"
            ))
        };
        for (negotiated, expected) in [
            (of(own), Err(SendError::IncompatibleParams)),
            (of(other), Ok(())),
        ] {
            let mut ws = Setup::with(negotiated).websocket::<R>();
            let sent = ws.send_compressed_fragment(
                MessageKind::Text,
                b"",
                Params::default(),
                false,
                &mut Vec::new(),
            );
            assert_eq!(sent, expected);
        }
    }
    for_both_roles!(check);
}
