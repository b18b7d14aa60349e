//! permessage-deflate: the memory that it allocates, and when. The allocator of this binary counts,
//! thread by thread.

use crate::common::deflate::*;
use crate::common::{Frame, TestRole, code, for_both_roles, wire};
use allocation_counter::{AllocationInfo, measure};
use ws_proto::deflate::{DeflateConfig as Deflate, Params};
use ws_proto::{
    Client, Config, Message, ProtocolError, REPLY_ROOM, Server, SliceOutput, WebSocket,
};

const MIB: u64 = 1 << 20;

/// The memory of a state to inflate, with a few small allocations beside it.
const STATE: u64 = 66 << 10;

/// The memory of a connection for the negotiated parameters, as documented for targets of 64 bits.
const SETTINGS: i64 = 96;

/// The memory of a pool for a block, with its list.
const BLOCK: i64 = (16 << 10) + 64;

/// The memory of a pool after messages of 5,000 bytes, both ways.
const POOL: i64 = BLOCK + 6000 + 128;

/// Receives these bytes in reads of this many, and gives the messages back to be used again, if
/// asked to.
fn receive<R: TestRole>(
    ws: &mut WebSocket<R>,
    bytes: &mut [u8],
    read: usize,
    recycle: bool,
) -> (usize, Option<ProtocolError>) {
    let mut memory = [0; 2 * REPLY_ROOM];
    let (mut messages, mut failed) = (0, None);
    for mut input in bytes.chunks_mut(read) {
        let mut out = SliceOutput::new(&mut memory);
        while let Some(message) = ws.recv(&mut input, &mut out) {
            messages += 1;
            let memory = match message {
                Message::Text(text) => text.into_owned().into_bytes(),
                Message::Binary(bytes) => bytes.into_owned(),
                Message::Failed(error) => {
                    failed = Some(error);
                    continue;
                }
                _ => continue,
            };
            if recycle {
                ws.recycle(memory);
            }
        }
    }
    (messages, failed)
}

fn compressed(message: &[u8]) -> Frame {
    Frame::binary(zlib(message)).rsv(RSV1)
}

/// The bytes that receiving this frame allocates.
fn receiving<R: TestRole>(ws: &mut WebSocket<R>, frame: &Frame, recycle: bool) -> AllocationInfo {
    let mut bytes = wire::<R>(std::slice::from_ref(frame));
    measure(|| assert_eq!(receive(ws, &mut bytes, usize::MAX, recycle), (1, None)))
}

/// The bytes that sending this allocates, if the output has room.
fn sending<R: TestRole>(ws: &mut WebSocket<R>, message: &[u8]) -> AllocationInfo {
    let mut out = Vec::with_capacity(2 * message.len() + 1000);
    measure(|| ws.send_binary(message, &mut out).unwrap())
}

/// A bomb: 64 MiB of zeros.
fn bomb<R: TestRole>() -> Vec<u8> {
    let frame = compressed(&vec![0; 64 << 20]);
    assert!(frame.payload.len() < 70_000, "1000 to 1");
    wire::<R>(&[frame])
}

/// D1, DP13: a bomb is stopped at the limit, with the bytes inflated by then and one block more.
#[test]
fn d1_dp13_a_bomb_takes_no_more_than_the_limit() {
    fn check<R: TestRole>() {
        let bytes = bomb::<R>();
        let setup = Setup::default().config(Config::default().with_max_message(MIB));
        for read in [usize::MAX, 4096] {
            let mut bytes = bytes.clone();
            let info = measure(|| {
                let mut ws = setup.websocket::<R>();
                assert_eq!(
                    receive(&mut ws, &mut bytes, read, false),
                    (
                        1,
                        Some(ProtocolError::MessageTooLong {
                            len: MIB + 1,
                            limit: MIB
                        })
                    )
                );
            });
            // A vector that grows holds its old memory and its new, of which neither is more than
            // the limit; the state is in addition.
            assert!((MIB..2 * MIB + STATE).contains(&info.bytes_max), "{info:?}");
            assert!(info.count_total < 30, "{info:?}");
            assert!(info.bytes_current <= BLOCK, "D11: {info:?}");
        }
    }
    for_both_roles!(check);
}

/// L3: a compressed frame that declares 1 GiB costs nothing, and its first bytes cost the state
/// that they need.
#[test]
fn l3_a_compressed_frame_that_declares_a_gigabyte_costs_a_state() {
    fn check<R: TestRole>() {
        let mut ws = Setup::default()
            .config(Config::default().with_max_message(1 << 30))
            .websocket::<R>();
        let mut bytes = wire::<R>(&[Frame::binary(HELLO[0]).rsv(RSV1).declaring(1 << 30)]);
        let (header, payload) = bytes.split_at_mut(if R::MASKS { 10 } else { 14 });
        assert_eq!(
            measure(|| assert_eq!(receive(&mut ws, header, 1, false), (0, None))).count_total,
            0
        );
        assert_eq!(ws.payload_left(), 1 << 30);
        let info = measure(|| assert_eq!(receive(&mut ws, payload, 1, false), (0, None)));
        assert!(info.bytes_max < 80 << 10, "{info:?}");
    }
    for_both_roles!(check);
}

/// F2: nothing is kept for a fragment of a compressed message.
#[test]
fn f2_tiny_compressed_fragments_take_no_more_than_what_they_inflate_to() {
    fn check<R: TestRole>() {
        let data = noise(1, 100_000);
        let mut frames: Vec<_> = compressed(&data)
            .payload
            .into_iter()
            .map(|byte| Frame::continuation([byte]).more())
            .collect();
        frames[0] = Frame {
            opcode: 2,
            ..frames[0].clone()
        }
        .rsv(RSV1);
        let mut bytes = wire::<R>(&frames);
        let mut ws = Setup::default()
            .config(Config::default().with_max_fragments(u32::MAX))
            .websocket::<R>();
        let info = measure(|| assert_eq!(receive(&mut ws, &mut bytes, 4096, false), (0, None)));
        assert!(
            (100_000..300_000 + (80 << 10)).contains(&info.bytes_max) && info.count_total < 40,
            "{info:?}"
        );
    }
    for_both_roles!(check);
}

/// The capacity that is handed over with a message of these frames, and the most that was taken
/// meanwhile beside the state.
fn capacity_and_peak<R: TestRole>(
    max_message: u64,
    opcode: u8,
    frames: &[Frame],
    read: usize,
    expected: &[u8],
) -> (u64, u64) {
    let mut ws = Setup::default()
        .config(Config::default().with_max_message(max_message))
        .websocket::<R>();
    let mut frames = frames.to_vec();
    frames[0].opcode = opcode;
    let mut bytes = wire::<R>(&frames);
    let mut got = None;
    let info = measure(|| {
        for mut input in bytes.chunks_mut(read) {
            let mut nowhere = SliceOutput::new(&mut []);
            if let Some(message) = ws.recv(&mut input, &mut nowhere) {
                got = Some(match message {
                    Message::Text(text) => text.into_owned().into_bytes(),
                    Message::Binary(bytes) => bytes.into_owned(),
                    other => panic!("{other:?}"),
                });
            }
        }
    });
    let got = got.expect("a message");
    assert!(got == expected);
    (got.capacity() as u64, info.bytes_max.saturating_sub(STATE))
}

/// L3, SE6, D1, DP13: the memory of a message follows its content so far. The delivered memory is
/// less than twice the content, and never more than the limit; while it grows there is the old
/// memory in addition to the new: less than three times the content, and than twice the limit.
#[test]
fn l3_se6_d1_the_memory_of_a_message_follows_its_content() {
    fn check<R: TestRole>() {
        const BLOCK: usize = 16 << 10;
        let mut worst = (0.0_f64, 0.0_f64);
        for len in [
            1,
            100,
            BLOCK - 1,
            BLOCK,
            BLOCK + 1,
            2 * BLOCK,
            2 * BLOCK + 1,
            50_000,
            4 * BLOCK,
            4 * BLOCK + 1,
            200_000,
            16 * BLOCK,
            16 * BLOCK + 1,
        ] {
            for data in [
                vec![b'a'; len],
                noise(5, len).into_iter().map(|byte| byte & 0x7f).collect(),
            ] {
                let payload = CDeflate::new(6, 15, true).message(&data);
                let whole = [Frame::binary(&payload).rsv(RSV1)];
                let (front, back) = payload.split_at(payload.len() / 3);
                let parts = [
                    Frame::binary(front).rsv(RSV1).more(),
                    Frame::continuation(back).more(),
                    Frame::continuation(""),
                ];
                let len = len as u64;
                for limit in [len, len + 1, len + len / 3, 3 * len, 16 * MIB] {
                    for frames in [&whole[..], &parts] {
                        for (read, opcode) in [(usize::MAX, 2), (usize::MAX, 1), (1000, 2), (17, 1)]
                        {
                            let (capacity, peak) =
                                capacity_and_peak::<R>(limit, opcode, frames, read, &data);
                            let case = format!(
                                "{len} bytes, limit {limit}, reads of {read}, opcode {opcode}"
                            );
                            assert!(
                                capacity >= len
                                    && capacity <= limit
                                    && (capacity < 2 * len || len == 1),
                                "{case}: {capacity}"
                            );
                            assert!(peak <= 3 * len && peak <= 2 * limit, "{case}: {peak}");
                            if len > 1000 {
                                worst = (
                                    worst.0.max(capacity as f64 / len as f64),
                                    worst.1.max(peak as f64 / len as f64),
                                );
                            }
                        }
                    }
                }
            }
        }
        println!(
            "at most {:.4} of the content is handed over, and {:.4} of it is taken beside the state",
            worst.0, worst.1
        );
        assert!(worst.0 > 1.5 && worst.1 > 1.5, "{worst:?}");
    }
    for_both_roles!(check);
}

/// D11, SE6: the memory that a compressor has written a long message to that does not compress is
/// freed when it is sent: connections hold none of it, and their pool one buffer of 64 KiB for each
/// that is in use at the same time.
#[test]
fn d11_se6_no_more_than_64_kib_of_a_sent_message_are_kept() {
    const MOST_KEPT: i64 = 64 << 10;
    fn check<R: TestRole>() {
        let long = noise(
            3,
            if cfg!(debug_assertions) {
                1 << 20
            } else {
                16 << 20
            },
        );
        for no_context_takeover in [false, true] {
            let mut kept = Vec::new();
            for messages in [
                &[&long[..100_000]][..],
                &[&long],
                &[&long, b"short", &long[..1000], &long],
                &[&long[..1000]],
            ] {
                let setup = Setup::with(both_ways(no_context_takeover, 15))
                    .deflate(Deflate::default().with_threshold(0));
                let mut ws = setup.websocket::<R>();
                let mut out = Vec::with_capacity(2 * long.len() + 1000);
                let info = measure(|| {
                    for message in messages {
                        out.clear();
                        ws.send_binary(message, &mut out).unwrap();
                    }
                });
                assert!(messages[0].len() <= 1000 || info.bytes_max > messages[0].len() as u64);
                kept.push(info.bytes_current);
                // With takeover the connection holds the context, and else the pool.
                let dropped = measure(|| drop(ws));
                assert_eq!(dropped.bytes_current < -SETTINGS, !no_context_takeover);
                let pool = measure(|| drop(setup));
                assert!(info.bytes_current + dropped.bytes_current + pool.bytes_current <= 0);
            }
            let [least, .., state] = kept[..] else {
                unreachable!()
            };
            assert!(
                kept.iter().all(|&kept| kept <= state + MOST_KEPT),
                "{kept:?}"
            );
            assert!(
                least > state + MOST_KEPT / 2,
                "of a long message something is kept: {kept:?}"
            );
        }
        // Many connections, each of which has sent a long message.
        let mut out = Vec::with_capacity(2 * long.len() + 1000);
        for no_context_takeover in [false, true] {
            let setup = Setup::with(both_ways(no_context_takeover, 15))
                .deflate(Deflate::default().with_threshold(0));
            let mut connections: Vec<_> = (0..20).map(|_| setup.websocket::<R>()).collect();
            let info = measure(|| {
                for ws in &mut connections {
                    out.clear();
                    ws.send_binary(&long[..300_000], &mut out).unwrap();
                }
            });
            let contexts = if no_context_takeover { 1 } else { 20 };
            let of_contexts = contexts * (400 << 10);
            assert!(info.bytes_current < of_contexts + MOST_KEPT, "{info:?}");
        }
    }
    for_both_roles!(check);
}

/// D1: and the resident memory of a process that receives it stays under 4 MiB above idle.
#[test]
#[cfg(target_os = "linux")]
fn d1_the_resident_memory_of_a_process_that_receives_a_bomb() {
    const CHILD: &str = "WS_PROTO_BOMB";
    let peak = || {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    };
    if let Ok(path) = std::env::var(CHILD) {
        let bytes = std::fs::read(path).unwrap();
        let setup = Setup::default().config(Config::default().with_max_message(MIB));
        let mut ws = setup.websocket::<Server>();
        let idle = peak();
        for _ in 0..3 {
            assert_eq!(
                receive(&mut ws, &mut bytes.clone(), 4096, false).1,
                Some(ProtocolError::MessageTooLong {
                    len: MIB + 1,
                    limit: MIB
                })
            );
            ws = setup.websocket();
        }
        println!("peak: {}", peak() - idle);
        return;
    }
    let path = std::env::temp_dir().join(format!("ws-proto-bomb-{}", std::process::id()));
    std::fs::write(&path, bomb::<Server>()).unwrap();
    let this = "memory::d1_the_resident_memory_of_a_process_that_receives_a_bomb";
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", this, "--nocapture", "--test-threads=1"])
        .env(CHILD, &path)
        .output()
        .unwrap();
    std::fs::remove_file(path).unwrap();
    let said = String::from_utf8(child.stdout).unwrap();
    assert!(child.status.success(), "{said}");
    let above = said
        .split("peak: ")
        .nth(1)
        .and_then(|rest| rest.split_whitespace().next())
        .expect("a number")
        .parse::<u64>()
        .unwrap();
    assert!(above < 4 * MIB, "{above} bytes above idle");
}

/// D11, SE6: only the settings are allocated before the first compressed message, in each
/// direction; and nothing at all for uncompressed ones.
#[test]
fn d11_states_are_created_when_they_are_needed() {
    fn check<R: TestRole>(no_context_takeover: bool) {
        let setup = Setup::with(both_ways(no_context_takeover, 15));
        let mut ws = None;
        let negotiated = setup.negotiated::<R>();
        let info = measure(|| ws = Some(WebSocket::new(negotiated, &Config::default())));
        assert!(
            info.count_total == 2 && info.bytes_current <= SETTINGS,
            "{info:?}"
        );
        #[cfg(target_pointer_width = "64")]
        assert_eq!(info.bytes_current, SETTINGS);
        let mut ws = ws.unwrap();
        if no_context_takeover {
            assert_eq!(sending(&mut ws, b"short").count_total, 0);
        }
        let mut out = Vec::with_capacity(1000);
        assert_eq!(
            measure(|| ws.send_binary_uncompressed(&[0; 500], &mut out).unwrap()).count_total,
            0
        );
        assert!(sending(&mut ws, &[0; 500]).count_current > 0);

        let mut plain = wire::<R>(&[Frame::binary("x"), Frame::ping("")]);
        let mut out = [0; 2 * REPLY_ROOM];
        let info = measure(|| {
            let mut input = plain.as_mut_slice();
            while ws
                .recv(&mut input, &mut SliceOutput::new(&mut out))
                .is_some()
            {}
        });
        assert_eq!(info.count_total, 0);
        assert!(receiving(&mut ws, &compressed(&[0; 500]), false).count_current > 0);
    }
    for_both_roles!(check, false);
    for_both_roles!(check, true);
}

/// D11: once there is a state, only the delivered message is allocated; nothing, if memory is
/// recycled; nor does sending allocate.
#[test]
fn d11_nothing_is_allocated_per_message() {
    fn check<R: TestRole>() {
        for no_context_takeover in [false, true] {
            let mut ws = Setup::with(both_ways(no_context_takeover, 15)).websocket::<R>();
            let data = json(30);
            let frame = compressed(&data);
            let mut text = frame.clone();
            text.opcode = 1;
            receiving(&mut ws, &frame, false);
            for frame in [&frame, &text] {
                assert_eq!(receiving(&mut ws, frame, false).count_total, 1);
            }
            receiving(&mut ws, &frame, true);
            for _ in 0..100 {
                for frame in [&frame, &text] {
                    assert_eq!(receiving(&mut ws, frame, true).count_total, 0);
                }
            }
            for message in [&data, &noise(1, 40_000)] {
                sending(&mut ws, message);
                for _ in 0..20 {
                    assert_eq!(sending(&mut ws, message).count_total, 0);
                }
            }
        }
    }
    for_both_roles!(check);
}

/// D11: all of it is given back when the connection ends, however it ends, also inside a message:
/// the contexts are freed, and the buffers are the pool's.
#[test]
fn d11_states_are_freed_at_the_end() {
    type End<R> = (&'static str, fn(&mut WebSocket<R>, &mut SliceOutput<'_>));
    fn check<R: TestRole>() {
        let ends: [End<R>; 7] = [
            ("Close", |ws, out| {
                assert!(
                    ws.recv(&mut wire::<R>(&[Frame::close(1000, "")])[..].as_mut(), out)
                        .is_some()
                )
            }),
            ("violation", |ws, out| {
                assert!(
                    ws.recv(&mut wire::<R>(&[Frame::new(3, "")])[..].as_mut(), out)
                        .is_some()
                )
            }),
            ("corrupt data", |ws, out| {
                assert!(
                    ws.recv(
                        &mut wire::<R>(&[Frame::continuation("\x06")])[..].as_mut(),
                        out
                    )
                    .is_some()
                )
            }),
            ("fail", |ws, out| ws.fail(code(1008), "", out).unwrap()),
            ("end of stream", |ws, _| ws.recv_eof()),
            ("both Closes", |ws, out| {
                ws.close_without_code(out).unwrap();
                assert!(
                    ws.recv(&mut wire::<R>(&[Frame::empty_close()])[..].as_mut(), out)
                        .is_some()
                );
            }),
            ("drop", |ws, _| {
                *ws = WebSocket::new(R::make(), &Config::default())
            }),
        ];
        for (how, end) in ends {
            let setup = Setup::default();
            let frames = [
                compressed(&[7; 5000]),
                Frame::text(HELLO[0]).rsv(RSV1).more(),
            ];
            let (mut bytes, mut out) = (wire::<R>(&frames), Vec::with_capacity(1000));
            let mut memory = [0; 2 * REPLY_ROOM];
            let negotiated = setup.negotiated::<R>();
            let mut ended = None;
            let info = measure(|| {
                let mut ws = WebSocket::new(negotiated, &Config::default());
                ws.send_binary(&[7; 5000], &mut out).unwrap();
                receive(&mut ws, &mut bytes, usize::MAX, false);
                end(&mut ws, &mut SliceOutput::new(&mut memory));
                ended = Some(ws);
            });
            assert!(
                info.bytes_max > 200_000 && info.bytes_current <= SETTINGS + POOL,
                "{how}: {info:?}"
            );
        }
        // Nothing can be sent after our Close; messages until the peer's Close are still inflated.
        let mut ws = Setup::default().websocket::<R>();
        let info = measure(|| {
            sending(&mut ws, &[7; 5000]);
            ws.close_without_code(&mut SliceOutput::new(&mut [0; REPLY_ROOM]))
                .unwrap();
        });
        assert!(info.bytes_current <= POOL, "our Close: {info:?}");
        receiving(&mut ws, &compressed(&[7; 5000]), false);
    }
    for_both_roles!(check);
}

/// D11: where no context is taken over, an idle connection holds nothing, and all connections of
/// one configuration use the same states. Their number is bounded.
#[test]
fn d11_connections_share_states() {
    fn check<R: TestRole>() {
        let setup = Setup::with(both_ways(true, 15));
        let frame = compressed(&json(10));
        let mut connections: Vec<_> = (0..50).map(|_| setup.websocket::<R>()).collect();
        let first = measure(|| {
            sending(&mut connections[0], &json(10));
            receiving(&mut connections[0], &frame, false);
        });
        assert!(first.count_current > 0);
        for ws in &mut connections {
            assert_eq!(sending(ws, &json(10)).count_total, 0);
            assert_eq!(
                receiving(ws, &frame, false).count_total,
                1,
                "the message itself"
            );
        }
        // All inside a message at once: each has a state. When they are through, some are kept.
        let (mut beginnings, mut rests): (Vec<_>, Vec<_>) = (Vec::new(), Vec::new());
        for _ in &connections {
            beginnings.push(wire::<R>(&[Frame::text(&HELLO[0][..3]).rsv(RSV1).more()]));
            rests.push(wire::<R>(&[Frame::continuation(&HELLO[0][3..])]));
        }
        let begun = measure(|| {
            connections
                .iter_mut()
                .zip(&mut beginnings)
                .for_each(|(ws, bytes)| assert_eq!(receive(ws, bytes, 100, false).0, 0))
        });
        assert!(
            begun.count_current >= 49 && begun.bytes_current > 49 * 20_000,
            "{begun:?}"
        );
        let ended = measure(|| {
            connections
                .iter_mut()
                .zip(&mut rests)
                .for_each(|(ws, bytes)| assert_eq!(receive(ws, bytes, 100, false).0, 1))
        });
        let one_state = begun.bytes_current / 49;
        assert!(
            begun.bytes_current + ended.bytes_current < 20 * one_state,
            "{begun:?} {ended:?}"
        );
        // With the last connection and the last configuration, the pool goes.
        let end = measure(|| drop((connections, setup)));
        assert!(
            first.bytes_current + begun.bytes_current + ended.bytes_current + end.bytes_current
                <= 0,
            "{end:?}"
        );
    }
    for_both_roles!(check);
}

/// Clones of a configuration share states only as far as they are set up alike.
#[test]
fn states_are_shared_among_those_that_are_alike() {
    let params = both_ways(true, 15);
    let deflate = Deflate::default().with_level(9);
    let sizes: Vec<_> = [
        deflate.clone(),
        deflate.clone().with_level(0),
        deflate.clone().with_level(1),
        deflate.clone().with_mem_level(1),
        deflate,
    ]
    .into_iter()
    .map(|deflate| {
        let mut ws = Setup::with(params)
            .deflate(deflate.with_threshold(0))
            .websocket::<Client>();
        let mut out = Vec::new();
        ws.send_binary(&json(50), &mut out).unwrap();
        let mut fresh = Vec::new();
        let len = out.len();
        ws.send_binary(&json(50), &mut fresh).unwrap();
        assert_eq!(len, fresh.len());
        len
    })
    .collect();
    assert!(
        sizes[1] >= json(50).len()
            && sizes[0] < sizes[2]
            && sizes[2] < sizes[1]
            && sizes[4] == sizes[0],
        "{sizes:?}"
    );
    // And only if the window is the same: everything else would violate the negotiated parameters.
    let deflate = Deflate::default().with_threshold(0);
    for bits in [15, 9, 8, 15] {
        let mut ws = Setup::with(both_ways(true, bits))
            .deflate(deflate.clone())
            .websocket::<Server>();
        let (mut out, mut oracle) = (Vec::new(), Oracle::default());
        ws.send_binary(&samples()[6], &mut out).unwrap();
        assert!(oracle.message(&frames(&out)[0].payload).as_ref() == Some(&samples()[6]));
        assert!(
            oracle.furthest <= 1 << bits,
            "{} over {bits} bits",
            oracle.furthest
        );
    }
}

/// The figures that the documentation gives: bytes of a compressor by window and memory level, and
/// of a decompressor. Run with `--nocapture` to see them.
#[test]
fn what_states_take() {
    let of = |bits, mem_level| {
        let params = both_ways(false, bits);
        let deflate = Deflate::default().with_mem_level(mem_level);
        let mut state = None;
        let info = measure(|| state = Some(params.server_compressor(&deflate)));
        info.bytes_current as u64
    };
    println!(
        "| window bits | {} |",
        [1, 2, 3, 4, 5, 6, 7, 8, 9]
            .map(|level| format!("mem level {level}"))
            .join(" | ")
    );
    for bits in 8..=15 {
        println!(
            "| {bits} | {} |",
            [1, 2, 3, 4, 5, 6, 7, 8, 9]
                .map(|level| of(bits, level).to_string())
                .join(" | ")
        );
    }
    for mem_level in 1..9 {
        assert!(of(15, mem_level) < of(15, mem_level + 1));
    }
    for bits in 9..15 {
        assert!(of(bits, 8) < of(bits + 1, 8));
    }
    let mut decompressor = None;
    let inflating = measure(|| decompressor = Some(Params::default().server_decompressor()));
    println!("a decompressor: {}", inflating.bytes_current);
    assert!((32 << 10..64 << 10).contains(&inflating.bytes_current));

    let mut ws = Setup::default().websocket::<Server>();
    let sending = sending(&mut ws, &[0; 500]);
    let receiving = receiving(&mut ws, &compressed(&[0; 500]), false);
    println!(
        "a WebSocket's, default: {} to send, {} to receive",
        sending.bytes_current, receiving.bytes_current
    );
    println!(
        "structs: {} bytes of a server, {} of a client",
        size_of::<WebSocket<Server>>(),
        size_of::<WebSocket<Client>>()
    );
    assert!(
        sending.bytes_current < 400 << 10 && receiving.bytes_current < 80 << 10,
        "{sending:?} {receiving:?}"
    );
}
