//! Masking (RFC 6455 §5.1, §5.3, §10.3).

use crate::common::{
    Frame, Masking, SEED, Seen, TestRole, pattern, read, read_all, receive, run, stream, wire, xor,
};
use core::fmt::Debug;
use core::marker::PhantomData;
use core::slice::from_ref;
use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use std::collections::HashSet;
use ws_proto::frame::MaskingKey;
use ws_proto::{
    CappedOutput, Client, Config, Connection, Message, MessageKind, Negotiated, ProtocolError,
    SendError, SendHalf, Server, WebSocket,
};

#[test]
fn mk8_mk6_every_alignment_length_and_phase_is_masked_by_the_definition() {
    const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    let original = pattern(2200);
    for phase in 0..4 {
        let turned = core::array::from_fn(|i| KEY[(i + phase) % 4]);
        // At 512, with the feature `simd`, and at 2048, other routines begin.
        for len in (0..=300).chain(505..=545).chain(2046..=2060) {
            let expected = xor(&original[..len], turned);
            for start in 0..64 {
                let mut memory = vec![0xaa; start + len + 16];
                let end = start + len;
                memory[start..end].copy_from_slice(&original[..len]);
                MaskingKey(KEY).apply(&mut memory[start..end], phase as u64);
                assert!(
                    memory[start..end] == expected,
                    "length {len} at {start}, phase {phase}"
                );
                assert!(
                    memory[..start]
                        .iter()
                        .chain(&memory[end..])
                        .all(|&byte| byte == 0xaa),
                    "written beside length {len} at {start}"
                );
            }
        }
    }
}

/// A payload that is masked while it is copied into the output or into a message is tested, too.
#[test]
fn mk8_mk6_every_alignment_and_length_is_masked_while_it_is_copied() {
    // At 128, 512 and 8192, other routines begin.
    for len in (0..=140).chain(510..=530).chain(8190..=8200) {
        let payload = pattern(len);
        let mut client = Connection::new(Client::make(), &Config::default());
        let mut server = WebSocket::new(Server, &Config::default());
        for start in 0..36 {
            let mut out = vec![0xaa; start];
            client
                .send_fragment(MessageKind::Binary, &payload, true, &mut out)
                .unwrap();
            let (frame, _) = read(&out[start..]).unwrap();
            assert!(frame.payload == payload, "length {len} at {start}");

            // The first byte arrives by itself, so that the rest is copied: into new memory, or
            // over the bytes of another message.
            let header_len = out.len() - start - len;
            let (mut first, mut rest) = out[start..].split_at_mut(header_len + 1.min(len));
            let received = server
                .recv(&mut first, &mut Vec::new())
                .or_else(|| server.recv(&mut rest, &mut Vec::new()));
            let Some(Message::Binary(bytes)) = received else {
                panic!("length {len}: {received:?}");
            };
            assert!(*bytes == payload, "length {len} at {start}");
            if start % 2 == 0 {
                server.recycle(vec![0xaa; len + 5]);
            }
        }
    }
}

#[test]
fn mk6_the_phase_follows_from_the_offset_however_large() {
    for offset in [4, 5, 1 << 32, (1 << 32) + 3, u64::MAX - 1, u64::MAX] {
        let mut far = pattern(11);
        let mut near = pattern(11);
        MaskingKey([1, 2, 3, 4]).apply(&mut far, offset);
        MaskingKey([1, 2, 3, 4]).apply(&mut near, offset % 4);
        assert_eq!(far, near, "{offset}");
    }
}

/// Across the blocks that long payloads are treated in, too.
#[test]
fn mk6_the_phase_goes_on_within_a_frame_and_begins_anew_with_the_next() {
    for len in [1, 2, 3, 4, 5, 7, 4095, 4096, 4097, 8195] {
        let keys = [[1, 2, 3, 4], [0x81, 0x72, 0x63, 0x54]].map(Masking::Key);
        let frames = keys.map(|key| Frame::binary(pattern(len)).masking(key));
        let bytes = wire::<Server>(&frames);
        let expected = [Seen::binary(&pattern(len)), Seen::binary(&pattern(len))];
        for step in [1, 2, 3, 5, 4097] {
            let cuts: Vec<_> = (0..bytes.len()).step_by(step).collect();
            assert!(
                run::<Server, Connection<Server>>(&Config::default(), &bytes, &cuts).seen
                    == expected,
                "{len} by {step}"
            );
            assert!(
                run::<Server, WebSocket<Server>>(&Config::default(), &bytes, &cuts).seen
                    == expected,
                "{len} by {step}"
            );
        }
        assert!(stream::<Server>(&frames).0 == expected);
        // The fragments of one message are frames of their own.
        let [first, second] = frames;
        let (seen, _) = receive::<Server>(&[
            first.more(),
            Frame {
                opcode: 0,
                ..second
            },
        ]);
        assert!(seen == [Seen::binary(&[pattern(len), pattern(len)].concat())]);
    }
}

#[test]
fn mk9_a_key_of_zeros_is_valid_when_received() {
    let frames =
        [Frame::text("Hello"), Frame::ping("x")].map(|frame| frame.masking(Masking::Key([0; 4])));
    assert_eq!(
        receive::<Server>(&frames).0,
        [Seen::text("Hello"), Seen::ping("x")]
    );
}

/// M3: whatever the opcode, and whatever the length.
#[test]
fn mk3_mk4_frames_masked_on_the_wrong_side_fail() {
    fn check<R: TestRole>(wrong: Masking, error: ProtocolError) {
        for (opcode, payload) in [1, 2, 8, 9, 10]
            .into_iter()
            .flat_map(|opcode| ["", "Hello"].map(|payload| (opcode, payload)))
        {
            let frame = Frame::new(opcode, payload).masking(wrong);
            let (seen, answers) = receive::<R>(from_ref(&frame));
            assert_eq!(seen, [Seen::Failed(error)]);
            assert_eq!(stream::<R>(from_ref(&frame)).0, seen);
            assert_eq!(
                answers
                    .iter()
                    .map(|close| (close.opcode, close.payload[..2].to_vec()))
                    .collect::<Vec<_>>(),
                [(8, vec![3, 0xea])]
            );
            // Not only the first frame.
            assert_eq!(
                receive::<R>(&[Frame::text("a"), frame.clone()]).0,
                [Seen::text("a"), Seen::Failed(error)]
            );
            assert_eq!(
                receive::<R>(&[
                    Frame::text("a").more(),
                    Frame::continuation("b").masking(wrong)
                ])
                .0,
                [Seen::Failed(error)]
            );
        }
    }
    check::<Server>(Masking::None, ProtocolError::Unmasked);
    check::<Client>(Masking::Key([1, 2, 3, 4]), ProtocolError::Masked);
    check::<Client>(Masking::Key([0; 4]), ProtocolError::Masked);
}

/// Every frame that an endpoint can write. `read_all` checks the masks.
fn write_everything<R: TestRole>() -> Vec<u8> {
    let mut out = Vec::new();
    let mut ws = WebSocket::new(R::make(), &Config::default());
    ws.send_text("", &mut out).unwrap();
    ws.send_text("text", &mut out).unwrap();
    ws.send_binary(&pattern(70_000), &mut out).unwrap();
    ws.send_fragment(MessageKind::Binary, b"", false, &mut out)
        .unwrap();
    ws.send_ping(b"", &mut out).unwrap();
    ws.send_pong(&pattern(125), &mut out).unwrap();
    ws.send_fragment(MessageKind::Binary, b"rest", true, &mut out)
        .unwrap();
    let mut input = wire::<R>(&[Frame::ping("ping"), Frame::close(1000, "bye")]);
    let mut input = input.as_mut_slice();
    while ws.recv(&mut input, &mut out).is_some() {}
    let mut failing = WebSocket::new(R::make(), &Config::default());
    _ = failing.recv(
        &mut &mut [0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..],
        &mut out,
    );
    out
}

/// SE4: and there is no call that would turn this off.
#[test]
fn mk1_mk2_m2_clients_mask_every_frame_and_servers_none() {
    assert_eq!(read_all::<Client>(&write_everything::<Client>()).len(), 10);
    assert_eq!(read_all::<Server>(&write_everything::<Server>()).len(), 10);
}

/// The keys of all frames in `bytes`.
fn keys(mut bytes: &[u8]) -> Vec<[u8; 4]> {
    let mut keys = Vec::new();
    while let Some((
        Frame {
            masking: Masking::Key(key),
            ..
        },
        taken,
    )) = read(bytes)
    {
        keys.push(key);
        bytes = &bytes[taken..];
    }
    assert!(bytes.is_empty());
    keys
}

fn keys_of(seed: [u8; 32], frames: usize) -> Vec<[u8; 4]> {
    let mut client = Connection::new(Client::new(seed), &Config::default());
    let mut out = Vec::new();
    (0..frames).for_each(|_| client.send_text("", &mut out).unwrap());
    keys(&out)
}

/// §5.3: a fresh key for every frame, from a stream that cannot be distinguished from random. A
/// well-kept implementation of that stream is the oracle.
#[test]
fn mk5_m1_the_keys_are_a_keystream_of_the_seed() {
    let mut theirs = [[0; 4]; 10_000];
    ChaCha12Rng::from_seed(SEED).fill_bytes(theirs.as_flattened_mut());
    assert!(keys_of(SEED, 10_000) == theirs);
}

/// M1: the handshake's key is sent in the clear, so that no masking key may share its source.
#[cfg(feature = "handshake")]
#[test]
fn m1_the_masks_begin_in_the_keystream_where_the_handshakes_key_ends() {
    use ws_proto::handshake::{Answer, ClientHandshake, accept_key, fresh_key};
    let mut theirs = [[0; 4]; 20];
    ChaCha12Rng::from_seed(SEED).fill_bytes(theirs.as_flattened_mut());

    let uri = ws_proto::uri::Uri::parse("ws://example.com").unwrap();
    let mut handshake = ClientHandshake::new(&uri, Client::new(SEED));
    let mut request = Vec::new();
    // Whoever writes it twice uses the same key twice, and none of the masks'.
    handshake.write_request(&mut request).unwrap();
    handshake.write_request(&mut request).unwrap();
    let accept = accept_key(&fresh_key(&mut Client::new(SEED)))
        .map(char::from)
        .into_iter()
        .collect::<String>();
    let answer = format!(
        "HTTP/1.1 101 \r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
    );
    let mut answer = answer.into_bytes();
    let Some(Answer::Accepted { negotiated, .. }) =
        handshake.recv(&mut answer.as_mut_slice()).unwrap()
    else {
        panic!("refused")
    };
    let mut client = Connection::new(negotiated, &Config::default());
    let mut out = Vec::new();
    (0..16).for_each(|_| client.send_text("", &mut out).unwrap());
    assert_eq!(keys(&out), theirs[4..]);
}

#[test]
fn mk5_m1_keys_do_not_repeat_beyond_chance() {
    const FRAMES: usize = 100_000;
    let keys = keys_of(SEED, FRAMES);
    let different: HashSet<_> = keys.iter().collect();
    // Of n keys out of 2^32, n² / 2^33 pairs are equal by chance: here 1.2.
    assert!(
        FRAMES - different.len() < 10,
        "{} keys repeat",
        FRAMES - different.len()
    );
    let other_seed = keys_of([0xee; 32], FRAMES);
    assert!(
        other_seed
            .iter()
            .filter(|key| different.contains(key))
            .count()
            < 20,
        "the seed makes no difference"
    );
    for byte in 0..4 {
        let mut counts = [0_usize; 256];
        keys.iter()
            .for_each(|key| counts[usize::from(key[byte])] += 1);
        assert!(
            counts.iter().all(|count| (250..550).contains(count)),
            "byte {byte} is not uniform: {counts:?}"
        );
    }
}

/// Control frames and replies draw from the same stream as messages, in the order of the wire (SE8:
/// all of it follows from the seed).
#[test]
fn mk5_every_kind_of_frame_has_the_next_key() {
    let out = write_everything::<Client>();
    assert_eq!(keys(&out)[..9], keys_of(SEED, 9));
    assert_eq!(out, write_everything::<Client>());
}

/// A key that was on the wire, or could have been, is not used for changed data: it is chosen when
/// nothing can stop the frame any more.
#[test]
fn mk7_a_refused_frame_neither_uses_nor_shows_a_key() {
    let mut client = Connection::new(Client::new(SEED), &Config::default());
    let mut out = Vec::new();
    client
        .send_fragment(MessageKind::Text, b"a", false, &mut out)
        .unwrap();
    let full = SendError::OutputFull { needed: 2 + 4 + 5 };
    let before = out.clone();
    assert_eq!(
        client.send_ping(b"first", &mut CappedOutput::new(&mut out, 10)),
        Err(full)
    );
    assert_eq!(
        client.send_text("unfinished", &mut out),
        Err(SendError::MessageInProgress)
    );
    assert_eq!(
        client
            .begin_frame(MessageKind::Binary, 4, true)
            .unwrap_err(),
        SendError::MessageInProgress
    );
    assert_eq!(
        client.send_fragment(MessageKind::Text, b"\xff", true, &mut out),
        Err(SendError::InvalidUtf8)
    );
    assert_eq!(
        client.send_ping(&[0; 126], &mut out),
        Err(SendError::ControlTooLong)
    );
    assert_eq!(out, before);

    client.send_ping(b"again", &mut out).unwrap();
    let mut payload = *b"second";
    let mut frame = client.begin_frame(MessageKind::Text, 6, true).unwrap();
    frame.mask(&mut payload);
    out.extend_from_slice(frame.header());
    out.extend_from_slice(&payload);
    client.close_without_code(&mut out).unwrap();
    assert_eq!(keys(&out), keys_of(SEED, 4));
    assert_eq!(read_all::<Client>(&out)[2], Frame::continuation("second"));
}

/// M1: the printed form does not depend on the seed, not even after keys were drawn.
#[test]
fn m1_debug_does_not_print_the_seed() {
    fn same(print: impl Fn([u8; 32]) -> Box<dyn Debug>) {
        let [one, other] = [[0x11; 32], [0x22; 32]].map(|seed| format!("{:#?}", print(seed)));
        assert_eq!(one, other);
    }
    same(|seed| Box::new(Client::new(seed)));
    same(|seed| Box::new(Negotiated::new(Client::new(seed))));
    same(|seed| {
        let mut client = Connection::new(Client::new(seed), &Config::default());
        client.send_text("Hello", &mut Vec::new()).unwrap();
        Box::new(client)
    });
    same(|seed| {
        let mut client = WebSocket::new(Client::new(seed), &Config::default());
        _ = client.begin_frame(MessageKind::Binary, 64, true).unwrap();
        Box::new(client)
    });
    same(|seed| {
        Box::new(
            Connection::new(Client::new(seed), &Config::default())
                .split()
                .1,
        )
    });
}

/// Answers whether a type implements a trait: an inherent constant, which exists only if it does,
/// hides that of the trait `Not`.
macro_rules! implements {
    ($Type:ty: $($Trait:tt)+) => {{
        struct Probe<T: ?Sized>(PhantomData<T>);
        #[allow(dead_code, reason = "chosen if it does not")]
        trait Not {
            const ANSWER: bool = false;
        }
        impl<T: ?Sized> Not for Probe<T> {}
        #[allow(dead_code, reason = "chosen if it does")]
        impl<T: ?Sized + $($Trait)+> Probe<T> {
            const ANSWER: bool = true;
        }
        Probe::<$Type>::ANSWER
    }};
}

/// M1: a copy would use keys twice, and a default would be known to everybody.
#[test]
fn m1_a_client_is_neither_clone_nor_default() {
    const {
        assert!(
            implements!(Server: Clone) && implements!(Server: Default),
            "the probe works"
        )
    };
    const {
        assert!(
            !implements!(Client: Clone)
                && !implements!(Client: Copy)
                && !implements!(Client: Default)
        )
    };
    const {
        assert!(
            !implements!(Negotiated<Client>: Clone) && !implements!(Negotiated<Client>: Default)
        )
    };
    const {
        assert!(
            !implements!(Connection<Client>: Clone)
                && !implements!(SendHalf<Client>: Clone)
                && !implements!(WebSocket<Client>: Clone)
        )
    };
}
