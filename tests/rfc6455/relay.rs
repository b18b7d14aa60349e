//! A relay that keeps the frames of its peers: the borders of frames (FG8), control frames, and
//! messages that are compressed by an extension that it does not know.

use crate::common::strategies::{Input, at, config, cuts, valid};
use crate::common::{
    Form, Frame, Masking, TestRole, for_both_roles, pattern, read, read_all, wire,
};
use proptest::collection::vec;
use proptest::prelude::*;
use ws_proto::frame::{Header, MaskingKeys, Opcode};
use ws_proto::{
    Client, Config, Connection, Event, MessageKind, Negotiated, OutgoingFrame, ProtocolError, Role,
    SendError, Server,
};

/// Passes all that `input` has on to the other side. The frame in progress is kept in `frame`.
fn relay<A: Role, B: Role>(
    from: &mut Connection<A>,
    to: &mut Connection<B>,
    frame: &mut Option<OutgoingFrame>,
    mut input: &mut [u8],
    replies: &mut Vec<u8>,
    out: &mut Vec<u8>,
) -> Result<(), ProtocolError> {
    while let Some(event) = from.recv(&mut input, replies) {
        match event {
            Event::Data(chunk) => {
                if let Some(header) = from.frame_header(&chunk) {
                    assert!(frame.as_ref().is_none_or(|frame| frame.payload_left() == 0));
                    assert_eq!(header.mask, None);
                    let begun = to
                        .begin_relayed_frame(chunk.kind, chunk.compressed, &header)
                        .expect("what was received can be sent");
                    out.extend_from_slice(begun.header());
                    *frame = Some(begun);
                }
                let frame = frame.as_mut().expect("a chunk is part of a frame");
                frame.mask(chunk.payload);
                out.extend_from_slice(chunk.payload);
            }
            Event::Ping => to.send_ping(from.control_payload(), out).expect("open"),
            Event::Pong => to.send_pong(from.control_payload(), out).expect("open"),
            Event::Close(code) => {
                let reason = from.close_received().expect("a Close").reason;
                match code {
                    Some(code) => to.close(code, reason, out),
                    None => to.close_without_code(out),
                }
                .expect("a Close can be passed on");
            }
            Event::Failed(error) => return Err(error),
            other => panic!("a new event: {other:?}"),
        }
    }
    Ok(())
}

fn without_pongs() -> Config {
    Config::new()
        .with_auto_pong(false)
        .with_max_message(u64::MAX)
        .with_max_fragments(u32::MAX)
}

/// The frames that come out of a relay, if its input is split at the given places.
fn relayed<R: TestRole>(bytes: &[u8], cuts: &[usize], compresses: bool) -> Vec<Frame> {
    let negotiated = Negotiated::new(R::make());
    let other = Negotiated::new(<R::Peer as TestRole>::make());
    let (mut from, mut to) = if compresses {
        (
            Connection::new(negotiated.with_relayed_compression(), &without_pongs()),
            Connection::new(other.with_relayed_compression(), &without_pongs()),
        )
    } else {
        (
            Connection::new(negotiated, &without_pongs()),
            Connection::new(other, &without_pongs()),
        )
    };
    let (mut frame, mut replies, mut out) = (None, Vec::new(), Vec::new());
    let ends = cuts.iter().copied().chain([bytes.len()]);
    let mut start = 0;
    for end in ends {
        let mut piece = bytes[start..end].to_vec();
        relay(
            &mut from,
            &mut to,
            &mut frame,
            &mut piece,
            &mut replies,
            &mut out,
        )
        .expect("valid input");
        start = end;
    }
    frames(&out)
}

/// All frames, also compressed ones.
fn frames(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (frame, len) = read(bytes).expect("a complete frame");
        frames.push(Frame {
            masking: Masking::ByRole,
            form: Form::Shortest,
            ..frame
        });
        bytes = &bytes[len..];
    }
    frames
}

/// The frames that were sent, up to a Close: later frames are discarded.
fn sent(bytes: &[u8]) -> Vec<Frame> {
    let mut frames = frames(bytes);
    if let Some(close) = frames.iter().position(|frame| frame.opcode == 8) {
        frames.truncate(close + 1);
    }
    frames
}

fn keeps_frames<R: TestRole>(bytes: &[u8], cuts: &[usize]) -> Result<(), TestCaseError> {
    let expected = sent(bytes);
    prop_assert_eq!(&relayed::<R>(bytes, &[], false), &expected);
    prop_assert_eq!(&relayed::<R>(bytes, cuts, false), &expected);
    let each: Vec<_> = (0..bytes.len()).collect();
    prop_assert_eq!(&relayed::<R>(bytes, &each, false), &expected);
    Ok(())
}

proptest! {
    #![proptest_config(config(100))]

    #[test]
    fn fg8_a_relay_keeps_the_frames_of_clients(bytes in valid::<Server>(), cuts in cuts()) {
        let Input(bytes) = bytes;
        keeps_frames::<Server>(&bytes, &at(&cuts, bytes.len()))?;
    }

    #[test]
    fn fg8_a_relay_keeps_the_frames_of_servers(bytes in valid::<Client>(), cuts in cuts()) {
        let Input(bytes) = bytes;
        keeps_frames::<Client>(&bytes, &at(&cuts, bytes.len()))?;
    }

    /// RV4: the payload is not text, nor valid compressed data.
    #[test]
    fn fg8_a_relay_keeps_the_frames_of_compressed_messages(
        payloads in vec((vec(any::<u8>(), 0..200), any::<bool>()), 1..6),
        text in any::<bool>(),
        cuts in cuts(),
    ) {
        fn check<R: TestRole>(frames: &[Frame], cuts: &[prop::sample::Index]) -> Result<(), TestCaseError> {
            let bytes = wire::<R>(frames);
            for cuts in [Vec::new(), at(cuts, bytes.len()), (0..bytes.len()).collect()] {
                prop_assert_eq!(&relayed::<R>(&bytes, &cuts, true), frames);
            }
            Ok(())
        }
        let last = payloads.len() - 1;
        let mut frames = Vec::new();
        for (i, (payload, pinged)) in payloads.into_iter().enumerate() {
            let opcode = if text { 1 } else { 2 };
            let frame = if i == 0 { Frame::new(opcode, payload).rsv(4) } else { Frame::continuation(payload) };
            frames.push(frame.fin(i == last));
            if pinged {
                frames.push(Frame::ping("p"));
            }
        }
        check::<Server>(&frames, &cuts)?;
        check::<Client>(&frames, &cuts)?;
    }
}

/// An empty fragment is a frame, too, wherever it is in its message.
#[test]
fn fg8_a_relay_can_keep_the_borders_of_frames() {
    fn check<R: TestRole>() {
        let frames = [
            Frame::text("").more(),
            Frame::continuation("one").more(),
            Frame::continuation("").more(),
            Frame::ping("p"),
            Frame::continuation("two").more(),
            Frame::continuation(""),
            Frame::binary(pattern(70_000)),
            Frame::text("three").more(),
            Frame::pong(""),
            Frame::close(4000, "in the middle"),
        ];
        let bytes = wire::<R>(&frames);
        let each: Vec<_> = (0..bytes.len()).collect();
        assert_eq!(relayed::<R>(&bytes, &[], false), frames);
        assert_eq!(relayed::<R>(&bytes, &each, false), frames);
    }
    for_both_roles!(check);
}

/// The header of each frame is that of the wire, once, in either half and in both together.
#[test]
fn fg8_a_chunk_shows_the_header_of_its_frame() {
    fn check<R: TestRole>() {
        let mut bytes = wire::<R>(&[
            Frame::text("abc").rsv(4).more(),
            Frame::continuation("").more(),
            Frame::continuation(pattern(1000)),
            Frame::binary(""),
        ]);
        let header = |fin, rsv, opcode, len| Header {
            fin,
            rsv,
            opcode,
            mask: None,
            len,
        };
        let expected = [
            header(false, Header::RSV1, Opcode::TEXT, 3),
            header(false, 0, Opcode::CONTINUATION, 0),
            header(true, 0, Opcode::CONTINUATION, 1000),
            header(true, 0, Opcode::BINARY, 0),
        ];
        let negotiated = Negotiated::new(R::make()).with_relayed_compression();
        let (mut half, _) = Connection::new(negotiated, &Config::new()).split();
        let mut headers = Vec::new();
        for mut piece in bytes.chunks_mut(100) {
            while let Some(event) = half.recv(&mut piece) {
                let Event::Data(chunk) = event else {
                    panic!("{event:?}")
                };
                headers.extend(half.frame_header(&chunk));
            }
        }
        assert_eq!(headers, expected);
    }
    for_both_roles!(check);
}

/// A frame that cannot be completed is not hidden: the frame is begun, and its valid part was
/// passed on.
#[test]
fn fg8_ut5_a_relay_validates_text_while_it_passes_through() {
    fn check<R: TestRole>() {
        for cut in [false, true] {
            let mut from = Connection::new(R::make(), &Config::new());
            let mut to = Connection::new(<R::Peer as TestRole>::make(), &Config::new());
            let (mut frame, mut replies, mut out) = (None, Vec::new(), Vec::new());
            let mut bytes = wire::<R>(&[Frame::text(b"valid\xffrest")]);
            let at = if cut { bytes.len() - 7 } else { bytes.len() };
            let (first, second) = bytes.split_at_mut(at);
            let mut result = Ok(());
            for piece in [first, second] {
                result = result.and_then(|()| {
                    relay(
                        &mut from,
                        &mut to,
                        &mut frame,
                        piece,
                        &mut replies,
                        &mut out,
                    )
                });
            }
            assert_eq!(result, Err(ProtocolError::InvalidUtf8));
            assert_eq!(frame.map(|frame| frame.payload_left()), Some(5));
            assert_eq!(read_all::<R>(&replies)[0].payload[..2], [3, 0xef]);
        }
    }
    for_both_roles!(check);
}

fn header(opcode: Opcode) -> Header {
    Header {
        fin: true,
        rsv: 0,
        opcode,
        mask: None,
        len: 1,
    }
}

/// A relay that negotiated no extension refuses compressed messages, and sends none.
#[test]
fn fg8_ex6_rsv1_needs_an_extension() {
    fn check<R: TestRole>() {
        let mut connection = Connection::new(R::make(), &Config::new());
        assert_eq!(
            connection
                .begin_relayed_frame(MessageKind::Text, true, &header(Opcode::TEXT))
                .unwrap_err(),
            SendError::NotNegotiated
        );
        assert!(
            connection
                .begin_relayed_frame(MessageKind::Text, false, &header(Opcode::TEXT))
                .is_ok()
        );
        let mut bytes = wire::<R>(&[Frame::text("x").rsv(4)]);
        assert_eq!(
            connection.recv(&mut &mut bytes[..], &mut Vec::new()),
            Some(Event::Failed(ProtocolError::ReservedBits(4)))
        );
        // A complete message must be decompressed.
        let negotiated = Negotiated::new(R::make()).with_relayed_compression();
        let mut ws = ws_proto::WebSocket::new(negotiated, &Config::new());
        let mut bytes = wire::<R>(&[Frame::text("x").rsv(4)]);
        assert_eq!(
            ws.recv(&mut &mut bytes[..], &mut Vec::new()),
            Some(ws_proto::Message::Failed(ProtocolError::ReservedBits(4)))
        );
    }
    for_both_roles!(check);
}

/// The codec's keys are those of a client with the same seed.
#[test]
fn m1_the_keys_of_the_codec_are_those_of_a_client() {
    let mut keys = MaskingKeys::new([7; 32]);
    let mut client = Connection::new(Client::new([7; 32]), &Config::new());
    let mut out = Vec::new();
    for _ in 0..40 {
        out.clear();
        client.send_binary(b"", &mut out).unwrap();
        assert_eq!(out[2..], keys.next_key().0);
    }
    assert_eq!(format!("{keys:?}"), "MaskingKeys { .. }");
}
