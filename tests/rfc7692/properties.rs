//! permessage-deflate: any messages, any parameters, any cuts, any fragmentation.

use crate::common::deflate::*;
use crate::common::strategies::{Input, at, config, cuts, text};
use crate::common::{
    Frame, InPlace, Layer, Log, Masking, Seen, TestRole, assembled, drive, for_both_roles, wire,
};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use std::sync::Arc;
use ws_proto::deflate::{DeflateConfig as Deflate, Flush};
use ws_proto::{CappedOutput, Client, Config, MessageKind, Prepared, SendError, Server, WebSocket};

const CASES: u32 = if cfg!(debug_assertions) { 300 } else { 3000 };

/// What an endpoint is asked to send.
#[derive(Debug, Clone)]
enum Send {
    Whole(MessageKind, Vec<u8>),
    /// Whole, and not to be compressed.
    Plain(MessageKind, Vec<u8>),
    /// Prepared for many.
    Prepared(MessageKind, Vec<u8>),
    /// In fragments that are cut here, each of which is refused before, if there is a room.
    Fragments(MessageKind, Vec<u8>, Vec<Index>, Option<Index>),
    /// Compressed by a compressor of the caller's, or not, in parts: the message and how it is cut
    /// before and after compression, and what is flushed.
    Parts {
        kind: MessageKind,
        bytes: Vec<u8>,
        by: By,
        feeds: Vec<Index>,
        flush: Flush,
        parts: Vec<Index>,
    },
    Ping(Vec<u8>),
}

/// What compresses parts.
#[derive(Debug, Clone, Copy, PartialEq)]
enum By {
    Nobody,
    /// A compressor of the caller's, with a context if one is taken over.
    Caller,
    /// One without context, of a smaller window or the same.
    CallerWithoutContext(u8),
}

fn message() -> impl Strategy<Value = (MessageKind, Vec<u8>)> {
    prop_oneof![
        4 => text().prop_map(|text| (MessageKind::Text, text.into_bytes())),
        4 => (text(), 1..60_usize).prop_map(|(text, times)| (MessageKind::Text, text.repeat(times).into_bytes())),
        2 => (0..30_u32).prop_map(|objects| (MessageKind::Text, json(objects))),
        2 => (any::<u64>(), 0..400_usize).prop_map(|(seed, len)| (MessageKind::Binary, noise(seed, len))),
        1 => (any::<u8>(), 0..40_000_usize).prop_map(|(byte, len)| (MessageKind::Binary, vec![byte; len])),
        1 => vec(any::<u8>(), 0..80).prop_map(|bytes| (MessageKind::Binary, bytes)),
    ]
}

fn send() -> impl Strategy<Value = Send> {
    prop_oneof![
        6 => message().prop_map(|(kind, bytes)| Send::Whole(kind, bytes)),
        1 => message().prop_map(|(kind, bytes)| Send::Plain(kind, bytes)),
        1 => vec(any::<u8>(), 0..=125).prop_map(Send::Ping),
        3 => message().prop_map(|(kind, bytes)| Send::Prepared(kind, bytes)),
        3 => (message(), vec(any::<Index>(), 0..4), proptest::option::of(any::<Index>()))
            .prop_map(|((kind, bytes), cuts, room)| Send::Fragments(kind, bytes, cuts, room)),
        3 => (message(), by(), vec(any::<Index>(), 0..4), prop_oneof![Just(Flush::None), Just(Flush::Sync)], vec(any::<Index>(), 0..4))
            .prop_map(|((kind, bytes), by, feeds, flush, parts)| Send::Parts { kind, bytes, by, feeds, flush, parts }),
    ]
}

fn by() -> impl Strategy<Value = By> {
    prop_oneof![
        3 => Just(By::Nobody),
        1 => Just(By::Caller),
        3 => (8..=15_u8).prop_map(By::CallerWithoutContext),
    ]
}

fn setup() -> impl Strategy<Value = Setup> {
    (
        any::<bool>(),
        8..=15_u8,
        0..=9_u8,
        1..=9_u8,
        prop_oneof![Just(0), Just(64), 0..500_usize],
    )
        .prop_map(|(no_context_takeover, bits, level, mem_level, threshold)| {
            Setup::with(both_ways(no_context_takeover, bits)).deflate(
                Deflate::default()
                    .with_level(level)
                    .with_mem_level(mem_level)
                    .with_threshold(threshold),
            )
        })
}

/// Pieces of `bytes`, cut at these places.
fn pieces<'a>(bytes: &'a [u8], cuts: &[Index]) -> Vec<&'a [u8]> {
    let mut ends = at(cuts, bytes.len());
    ends.insert(0, 0);
    ends.push(bytes.len());
    ends.windows(2)
        .map(|ends| &bytes[ends[0]..ends[1]])
        .collect()
}

/// What `R` sends when asked for all of this, and what its peer is to see.
fn sent<R: Sends>(setup: &Setup, sends: &[Send]) -> (Vec<u8>, Vec<Seen>) {
    let mut ws = setup.websocket::<R>();
    let mut own = compressor::<R>(setup.params, &setup.deflate);
    let bits = setup.params.server_max_window_bits();
    let (mut out, mut seen) = (Vec::new(), Vec::new());
    for send in sends {
        match send {
            Send::Whole(MessageKind::Text, bytes) => ws
                .send_text(std::str::from_utf8(bytes).unwrap(), &mut out)
                .unwrap(),
            Send::Whole(MessageKind::Binary, bytes) => ws.send_binary(bytes, &mut out).unwrap(),
            Send::Plain(MessageKind::Text, bytes) => ws
                .send_text_uncompressed(std::str::from_utf8(bytes).unwrap(), &mut out)
                .unwrap(),
            Send::Plain(MessageKind::Binary, bytes) => {
                ws.send_binary_uncompressed(bytes, &mut out).unwrap()
            }
            Send::Prepared(kind, bytes) => {
                let prepared = match kind {
                    MessageKind::Text => Prepared::text(std::str::from_utf8(bytes).unwrap()),
                    MessageKind::Binary => Prepared::binary(bytes),
                };
                R::send_prepared(&mut ws, *kind, prepared.deflate(&setup.deflate), &mut out);
            }
            Send::Fragments(kind, bytes, cuts, room) => {
                let parts = pieces(bytes, cuts);
                for (i, part) in parts.iter().enumerate() {
                    let (fin, before) = (i == parts.len() - 1, out.len());
                    if let Some(room) = room {
                        // Refused or not: an error leaves nothing behind.
                        let room = before + room.index(part.len() + 20);
                        let mut limited = CappedOutput::new(&mut out, room);
                        match ws.send_fragment(*kind, part, fin, &mut limited) {
                            Ok(()) => continue,
                            Err(SendError::OutputFull { needed }) => {
                                assert!(needed > room - before && out.len() == before);
                                let mut limited = CappedOutput::new(&mut out, before + needed);
                                ws.send_fragment(*kind, part, fin, &mut limited).unwrap();
                                assert_eq!(out.len(), before + needed);
                                continue;
                            }
                            Err(error) => panic!("{error}"),
                        }
                    }
                    ws.send_fragment(*kind, part, fin, &mut out).unwrap();
                }
            }
            Send::Parts {
                kind,
                bytes,
                by,
                feeds,
                flush,
                parts,
            } => {
                let mut whole = Vec::new();
                let mut without = None;
                let params = match by {
                    By::CallerWithoutContext(most) => both_ways(true, bits.min(*most)),
                    _ => setup.params,
                };
                if *by == By::Nobody {
                    whole.clone_from(bytes);
                } else {
                    let compressor = match by {
                        By::CallerWithoutContext(_) => {
                            without.insert(compressor::<R>(params, &setup.deflate))
                        }
                        _ => &mut own,
                    };
                    let feeds = pieces(bytes, feeds);
                    for (i, piece) in feeds.iter().enumerate() {
                        let is_last = i == feeds.len() - 1;
                        let flush = if is_last { Flush::End } else { *flush };
                        compressor.compress(piece, flush, &mut whole);
                    }
                }
                if without.is_some() {
                    // What refers back counts only its own messages.
                    own.reset();
                }
                let parts = pieces(&whole, parts);
                for (i, part) in parts.iter().enumerate() {
                    let fin = i == parts.len() - 1;
                    match by {
                        By::Nobody => ws
                            .send_fragment_uncompressed(*kind, part, fin, &mut out)
                            .unwrap(),
                        _ => ws
                            .send_compressed_fragment(*kind, part, params, fin, &mut out)
                            .unwrap(),
                    }
                    if !fin {
                        ws.send_ping(b"between", &mut out).unwrap();
                        seen.push(Seen::ping("between"));
                    }
                }
            }
            Send::Ping(payload) => ws.send_ping(payload, &mut out).unwrap(),
        }
        seen.push(match send {
            Send::Whole(kind, bytes)
            | Send::Plain(kind, bytes)
            | Send::Prepared(kind, bytes)
            | Send::Fragments(kind, bytes, ..)
            | Send::Parts { kind, bytes, .. } => Seen::message(*kind, bytes),
            Send::Ping(payload) => Seen::ping(payload),
        });
    }
    (out, seen)
}

/// Roles that send prepared messages, or the same otherwise.
trait Sends: TestRole + Sized {
    fn send_prepared(
        ws: &mut WebSocket<Self>,
        kind: MessageKind,
        prepared: Prepared,
        out: &mut Vec<u8>,
    );
}

impl Sends for Server {
    fn send_prepared(
        ws: &mut WebSocket<Self>,
        _: MessageKind,
        prepared: Prepared,
        out: &mut Vec<u8>,
    ) {
        if prepared.payload().len() % 2 == 0 {
            ws.send_prepared(&prepared, out).unwrap();
        } else {
            out.extend_from_slice(&ws.begin_prepared(Arc::new(prepared)).unwrap());
        }
    }
}

impl Sends for Client {
    fn send_prepared(
        ws: &mut WebSocket<Self>,
        kind: MessageKind,
        prepared: Prepared,
        out: &mut Vec<u8>,
    ) {
        ws.send_fragment(kind, prepared.payload(), true, out)
            .unwrap();
    }
}

/// The messages of these frames, as C zlib inflates them with the window that was negotiated.
fn inflated_by_zlib(setup: &Setup, bytes: &[u8]) -> Vec<Vec<u8>> {
    let (bits, no_context_takeover) = (
        setup.params.server_max_window_bits(),
        setup.params.server_no_context_takeover(),
    );
    let mut zlib = CInflate::new(bits, no_context_takeover);
    let data: Vec<_> = frames(bytes)
        .into_iter()
        .filter(|frame| frame.opcode < 8)
        .collect();
    data.split_inclusive(|frame| frame.fin)
        .map(|message| {
            let payload: Vec<_> = message
                .iter()
                .flat_map(|frame| frame.payload.clone())
                .collect();
            match message[0].rsv {
                RSV1 => zlib.message(&payload).expect("C zlib inflates it"),
                _ => payload,
            }
        })
        .collect()
}

fn round_trip<R: Sends>(
    setup: &Setup,
    sends: &[Send],
    cuts: &[Index],
    block: usize,
) -> Result<(), TestCaseError> {
    let (bytes, expected) = sent::<R>(setup, sends);
    let messages: Vec<_> = sends
        .iter()
        .filter_map(|send| match send {
            Send::Whole(_, bytes)
            | Send::Plain(_, bytes)
            | Send::Prepared(_, bytes)
            | Send::Fragments(_, bytes, ..)
            | Send::Parts { bytes, .. } => Some(bytes.clone()),
            Send::Ping(_) => None,
        })
        .collect();
    prop_assert!(inflated_by_zlib(setup, &bytes) == messages);
    let cuts = at(cuts, bytes.len());
    let outcome = setup.run::<R::Peer>(&bytes, &cuts);
    prop_assert_eq!(&outcome.seen, &expected);
    prop_assert_eq!(&outcome, &setup.run::<R::Peer>(&bytes, &[]));
    let in_place = drive(InPlace::new(setup.websocket::<R::Peer>()), &bytes, &cuts);
    prop_assert_eq!(&in_place, &outcome, "payload in its place, and input");
    // The streaming layer with a decompressor of the caller's.
    let streamed = drive(setup.inflating::<R::Peer>(block), &bytes, &cuts);
    prop_assert_eq!(
        (&assembled(streamed.seen), &streamed.out, &streamed.ended),
        (&expected, &outcome.out, &outcome.ended)
    );
    Ok(())
}

/// Frames of a peer that compresses with C zlib, some of them wrong.
fn frames_of_a_peer(
    messages: &[(MessageKind, Vec<u8>, bool)],
    level: u32,
    spoil: &[(Index, u8)],
    cuts: &[Index],
) -> Vec<Frame> {
    let mut zlib = CDeflate::new(level, 15, false);
    let mut frames = Vec::new();
    for (i, (kind, bytes, is_final)) in messages.iter().enumerate() {
        let mut message = if *is_final {
            zlib.final_message(bytes)
        } else {
            zlib.message(bytes)
        };
        if let Some((at, byte)) = spoil.get(i) {
            let at = at.index(message.len());
            message[at] = *byte;
        }
        let parts = pieces(&message, &cuts[..cuts.len().min(i % 4)]);
        let opcode = if *kind == MessageKind::Text { 1 } else { 2 };
        for (j, part) in parts.iter().enumerate() {
            let frame = if j == 0 {
                Frame::new(opcode, part).rsv(RSV1)
            } else {
                Frame::continuation(part)
            };
            frames.push(frame.fin(j == parts.len() - 1));
        }
    }
    frames
}

fn any_cut<R: TestRole>(setup: &Setup, bytes: &[u8], cuts: &[Index]) -> Result<(), TestCaseError> {
    let whole = setup.run::<R>(bytes, &[]);
    prop_assert!(
        whole == setup.run::<R>(bytes, &at(cuts, bytes.len())),
        "cut in some places"
    );
    if bytes.len() < 2000 {
        let cut = setup.run::<R>(bytes, &Vec::from_iter(0..bytes.len()));
        prop_assert!(
            whole == cut,
            "cut everywhere: {cut:?}, not {whole:?} {bytes:x?}"
        );
    }
    Ok(())
}

/// What a program may call, rightly or not.
#[derive(Debug, Clone)]
enum Call {
    Send(Send),
    /// Parts of what no compressor has made.
    Part(MessageKind, Vec<u8>, bool, bool),
    Close,
    Fail,
}

fn call() -> impl Strategy<Value = Call> {
    let kind = prop_oneof![Just(MessageKind::Text), Just(MessageKind::Binary)];
    prop_oneof![
        8 => send().prop_map(Call::Send),
        4 => (kind, vec(any::<u8>(), 0..20), any::<bool>(), any::<bool>()).prop_map(|(kind, bytes, last, compressed)| Call::Part(kind, bytes, last, compressed)),
        1 => Just(Call::Close),
        1 => Just(Call::Fail),
    ]
}

/// What a peer may send: a frame that is right or nearly so, and noise.
type Piece = (Option<Frame>, Vec<u8>);

fn piece() -> impl Strategy<Value = Piece> {
    let frame = (message(), 0..4_u8, any::<bool>(), any::<bool>()).prop_map(
        |((_, bytes), opcode, compressed, fin)| {
            let payload = if compressed {
                CDeflate::new(6, 15, false).message(&bytes[..bytes.len().min(500)])
            } else {
                bytes
            };
            Frame::new(
                [0, 1, 2, 9][usize::from(opcode)],
                &payload[..payload.len().min(100)],
            )
            .rsv(if compressed && opcode < 3 { RSV1 } else { 0 })
            .fin(fin)
        },
    );
    (
        proptest::option::weighted(0.8, frame),
        prop_oneof![6 => Just(vec![]), 1 => vec(any::<u8>(), 0..20)],
    )
}

fn any_calls<R: TestRole>(
    setup: &Setup,
    calls: &[(Call, Piece)],
    eof: usize,
) -> Result<(), TestCaseError> {
    let mut ws = setup.websocket::<R>();
    let mut log = Log::default();
    for (at, (call, (frame, noise))) in calls.iter().enumerate() {
        let out = &mut log.out;
        _ = match call {
            Call::Send(Send::Whole(MessageKind::Text, bytes)) => {
                ws.send_text(std::str::from_utf8(bytes).unwrap(), out)
            }
            Call::Send(Send::Whole(MessageKind::Binary, bytes)) => ws.send_binary(bytes, out),
            Call::Send(Send::Plain(_, bytes)) => ws.send_binary_uncompressed(bytes, out),
            Call::Send(Send::Prepared(kind, bytes) | Send::Fragments(kind, bytes, ..)) => {
                ws.send_fragment(*kind, bytes, true, out)
            }
            Call::Send(Send::Parts { kind, bytes, .. }) => {
                ws.send_fragment_uncompressed(*kind, bytes, true, out)
            }
            Call::Send(Send::Ping(payload)) => ws.send_ping(payload, out),
            Call::Part(kind, bytes, last, true) => {
                ws.send_compressed_fragment(*kind, bytes, setup.params, *last, out)
            }
            Call::Part(kind, bytes, last, false) => ws.send_fragment(*kind, bytes, *last, out),
            Call::Close => ws.close_without_code(out),
            Call::Fail => ws.fail(crate::common::code(1008), "", out),
        };
        let mut input = frame
            .iter()
            .flat_map(Frame::to::<R>)
            .chain(noise.iter().copied())
            .collect::<Vec<_>>();
        ws.recv_all(&mut input, &mut log);
        if at == eof {
            ws.recv_eof();
        }
    }
    let written = frames(&log.out);
    let close = written.iter().position(|frame| frame.opcode == 8);
    // CT7: Pings are answered until the peer's Close.
    prop_assert!(
        close.is_none_or(|at| written[at + 1..].iter().all(|frame| frame.opcode == 10)),
        "{:?}",
        written
    );
    prop_assert_eq!(close.is_some(), ws.close_sent().is_some());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 300, ..config(CASES) })]

    #[test]
    fn dp3_dp12_dp19_dp24_whatever_is_sent_is_received(
        setup in setup(), sends in vec(send(), 0..8), cuts in cuts(), block in prop_oneof![1..40_usize, 40..9000_usize], from_client in any::<bool>(),
    ) {
        if from_client {
            round_trip::<Client>(&setup, &sends, &cuts, block)?;
        } else {
            round_trip::<Server>(&setup, &sends, &cuts, block)?;
        }
    }

    /// L6: whatever a peer sends, and where it breaks a rule, the cut makes no difference; with limits on all that has one.
    #[test]
    fn l6_d8_any_cut_gives_the_same(
        messages in vec((message(), proptest::bool::weighted(0.1)).prop_map(|((kind, bytes), last)| (kind, bytes, last)), 1..5),
        level in 0..=9_u32,
        spoil in vec((any::<Index>(), any::<u8>()), 0..3),
        fragments in vec(any::<Index>(), 3),
        (max_message, max_fragments) in (prop_oneof![Just(1 << 20), 0..5000_u64, 0..60_u64], prop_oneof![Just(1 << 14), 0..4_u32]),
        as_text in any::<bool>(),
        cuts in cuts(),
        missing in any::<Index>(),
    ) {
        let mut frames = frames_of_a_peer(&messages, level, &spoil, &fragments);
        if as_text {
            frames.iter_mut().filter(|frame| frame.opcode == 2).for_each(|frame| frame.opcode = 1);
        }
        let setup = Setup::default().config(Config::default().with_max_message(max_message).with_max_fragments(max_fragments));
        let bytes = wire::<Server>(&frames);
        any_cut::<Server>(&setup, &bytes, &cuts)?;
        // In the middle of something, too: what is known by then is told.
        let len = missing.index(bytes.len());
        any_cut::<Server>(&setup, &bytes[..len], &cuts)?;
        let bytes = wire::<Client>(&frames);
        any_cut::<Client>(&setup, &bytes, &cuts)?;
    }

    /// D12: noise, with RSV1 wherever it likes.
    #[test]
    fn d12_noise_is_survived(bytes in vec(any::<u8>(), 0..300).prop_map(Input), first in vec(any::<u8>(), 0..40), cuts in cuts()) {
        let frames = [Frame::text(&first).rsv(RSV1).more().masking(Masking::ByRole)];
        any_cut::<Server>(&Setup::default(), &[wire::<Server>(&frames), bytes.0.clone()].concat(), &cuts)?;
        any_cut::<Client>(&Setup::default(), &[wire::<Client>(&frames), bytes.0].concat(), &cuts)?;
    }

    /// P1, SE7: any calls between any pieces of input, the end of the stream at any point: no panic, and all that is written consists of whole frames, and after a
    /// Close come only Pongs.
    #[test]
    fn p1_se7_no_calls_on_any_input_panic(setup in setup(), calls in vec((call(), piece()), 0..20), eof in 0..40_usize) {
        any_calls::<Server>(&setup, &calls, eof)?;
        any_calls::<Client>(&setup, &calls, eof)?;
    }
}

/// The halves of a connection, made apart, are the whole: checked by [`Setup::run`] throughout.
/// Here only that a layer can be made by itself.
#[test]
fn a_layer_with_compression_takes_plain_messages() {
    fn check<R: TestRole>() {
        let bytes = wire::<R>(&[
            Frame::text("plain").more(),
            Frame::continuation(""),
            Frame::binary("x"),
        ]);
        let plain = crate::common::run::<R, WebSocket<R>>(&Config::default(), &bytes, &[3]);
        assert_eq!(plain, Setup::default().run::<R>(&bytes, &[3]));
        let streamed = drive(
            <Inflating<R> as Layer<R>>::make(&Config::default()),
            &bytes,
            &[3],
        );
        assert_eq!(assembled(streamed.seen), plain.seen);
    }
    for_both_roles!(check);
}
