//! Memory: the allocations, their time, and their greatest sum. The allocator of this binary
//! counts, thread by thread.

use crate::common::{Frame, TestRole, code, for_both_roles, pattern, wire};
use allocation_counter::{AllocationInfo, measure};
use ws_proto::{
    Config, Connection, Event, Message, MessageKind, REPLY_ROOM, SliceOutput, WebSocket,
};

/// The bytes that receiving this allocates, read by read. Owned messages are dropped before the
/// next read.
fn receiving<R: TestRole>(ws: &mut WebSocket<R>, bytes: &[u8], read: usize) -> AllocationInfo {
    let mut bytes = bytes.to_vec();
    let mut memory = [0; 4 * REPLY_ROOM];
    measure(|| {
        for mut input in bytes.chunks_mut(read) {
            let mut out = SliceOutput::new(&mut memory);
            while let Some(message) = ws.recv(&mut input, &mut out) {
                drop(message);
                out.clear();
            }
        }
    })
}

fn new<R: TestRole>() -> WebSocket<R> {
    WebSocket::new(R::make(), &Config::default())
}

#[test]
fn the_allocator_counts() {
    let info = measure(|| drop(std::hint::black_box(vec![0_u8; 1000])));
    assert_eq!(
        (info.count_total, info.bytes_max, info.bytes_current),
        (1, 1000, 0)
    );
}

#[test]
fn se6_messages_that_arrive_whole_and_control_frames_allocate_nothing() {
    fn check<R: TestRole>() {
        let mut frames = vec![Frame::ping(pattern(125)), Frame::pong(pattern(125))];
        frames.extend(
            [0, 1, 125, 126, 5000, 70_000]
                .into_iter()
                .flat_map(|len| [Frame::text("x".repeat(len)), Frame::binary(pattern(len))]),
        );
        frames.extend([Frame::text("caf\u{e9}"), Frame::close(1000, "bye")]);
        let info = receiving(&mut new::<R>(), &wire::<R>(&frames), usize::MAX);
        assert_eq!(info.count_total, 0);
    }
    for_both_roles!(check);
}

/// The streaming layer allocates nothing at all, for any input and any split; nor does sending, if
/// the output does not.
#[test]
fn se6_a_streaming_connection_allocates_nothing() {
    fn check<R: TestRole>() {
        let frames = [
            Frame::text("caf\u{e9}").more(),
            Frame::ping(pattern(125)),
            Frame::continuation(pattern(50)).more(),
            Frame::continuation(""),
            Frame::binary(pattern(70_000)),
            Frame::text(b"\xff"),
        ];
        for read in [1, 100, usize::MAX] {
            let mut bytes = wire::<R>(&frames);
            let mut memory = vec![0; 1000];
            let info = measure(|| {
                let mut connection = Connection::new(R::make(), &Config::default());
                let mut events = 0;
                for mut input in bytes.chunks_mut(read) {
                    let mut out = SliceOutput::new(&mut memory);
                    while let Some(event) = connection.recv(&mut input, &mut out) {
                        events += usize::from(!matches!(event, Event::Data(_)));
                    }
                }
                assert_eq!(events, 2, "the Ping, and the failure");

                let mut connection = Connection::new(R::make(), &Config::default());
                let mut out = SliceOutput::new(&mut memory);
                connection.send_text("text", &mut out).unwrap();
                connection
                    .send_fragment(MessageKind::Text, b"caf\xc3", false, &mut out)
                    .unwrap();
                connection.send_ping(b"p", &mut out).unwrap();
                connection.close(code(4000), "reason", &mut out).unwrap();
            });
            assert_eq!(info.count_total, 0, "in reads of {read} bytes");
        }
    }
    for_both_roles!(check);
}

/// A header that declares 1 GiB costs nothing, nor do the first bytes after it cost more than their
/// number.
#[test]
fn l3_a_header_that_declares_a_gigabyte_costs_nothing() {
    fn check<R: TestRole>() {
        let config = Config::default().with_max_message(1 << 30);
        for opcode in [1, 2] {
            for fin in [true, false] {
                let mut ws = WebSocket::new(R::make(), &config);
                let bytes = wire::<R>(&[Frame::new(opcode, "abc").declaring(1 << 30).fin(fin)]);
                let (header, payload) = bytes.split_at(bytes.len() - 3);
                assert_eq!(receiving(&mut ws, header, usize::MAX).count_total, 0);
                assert_eq!(ws.payload_left(), 1 << 30);
                let info = receiving(&mut ws, payload, usize::MAX);
                assert_eq!(ws.payload_left(), (1 << 30) - 3);
                assert!(info.bytes_max <= 64, "{info:?}");
            }
        }
    }
    for_both_roles!(check);
}

/// F1: a message in one frame occupies as much memory as its length, and not a byte more, however
/// it is read: the delivered vector has no spare capacity. While it grows, the old memory and the
/// new are held.
#[test]
fn l3_f1_a_message_in_one_frame_takes_no_more_memory_than_it_is_long() {
    fn check<R: TestRole>() {
        let lens: &[usize] = if cfg!(debug_assertions) {
            &[1, 125, 65_536, 1 << 20]
        } else {
            &[1, 125, 65_536, 1 << 20, 1 << 24, (1 << 24) + 1]
        };
        for &len in lens {
            for opcode in [1, 2] {
                let bytes = wire::<R>(&[Frame::new(opcode, "x".repeat(len))]);
                for read in [1000, 4096, 1 << 14, (1 << 16) + 1]
                    .into_iter()
                    .filter(|&read| read < bytes.len())
                {
                    let mut ws =
                        WebSocket::new(R::make(), &Config::default().with_max_message(len as u64));
                    let (mut bytes, mut memory, mut got) = (bytes.clone(), [0; 300], None);
                    let info = measure(|| {
                        for mut input in bytes.chunks_mut(read) {
                            got = got.take().or(ws
                                .recv(&mut input, &mut SliceOutput::new(&mut memory))
                                .map(Message::into_owned));
                        }
                    });
                    let (capacity, length) = match got {
                        Some(Message::Text(text)) => (text.into_owned().capacity(), len),
                        Some(Message::Binary(bytes)) => (bytes.into_owned().capacity(), len),
                        other => panic!("{other:?}"),
                    };
                    assert_eq!(capacity, length, "in reads of {read}");
                    assert!(
                        info.bytes_max <= 2 * len as u64,
                        "{info:?} for {len} bytes in reads of {read}"
                    );
                }
            }
        }
    }
    for_both_roles!(check);
}

/// F1: a frame of which the first half arrives is not moved when the rest does, nor is a short one
/// that arrives byte by byte.
#[test]
fn f1_a_frame_in_two_parts_is_not_moved() {
    fn check<R: TestRole>() {
        for opcode in [1, 2] {
            for (len, read) in [(16 << 10, 8300), (64, 1)] {
                let bytes = wire::<R>(&[Frame::new(opcode, "x".repeat(len))]);
                let info = receiving(&mut new::<R>(), &bytes, read);
                assert_eq!(
                    info.count_total, 1,
                    "{len} bytes in reads of {read}: {info:?}"
                );
            }
        }
    }
    for_both_roles!(check);
}

/// F1: the length of a fragmented message is unknown. Its memory doubles, but not beyond the limit.
#[test]
fn l3_f1_a_fragmented_message_takes_at_most_twice_its_length() {
    fn check<R: TestRole>() {
        for (fragment, count, limit) in [
            (1, 1000, 1 << 20),
            (1000, 1000, 1 << 20),
            (1000, 1000, 1_000_000),
            (65_536, 10, 655_361),
            (70_000, 3, 210_000),
        ] {
            for opcode in [1, 2] {
                let payload = "x".repeat(fragment);
                let frames: Vec<_> = (0..count)
                    .map(|at| {
                        Frame::new(if at == 0 { opcode } else { 0 }, &payload).fin(at + 1 == count)
                    })
                    .collect();
                let mut bytes = wire::<R>(&frames);
                let mut ws = WebSocket::new(R::make(), &Config::default().with_max_message(limit));
                let mut got = None;
                for mut input in bytes.chunks_mut(4096) {
                    got = got.or(ws
                        .recv(&mut input, &mut Vec::new())
                        .map(Message::into_owned));
                }
                let capacity = match got {
                    Some(Message::Text(text)) => text.into_owned().capacity(),
                    Some(Message::Binary(bytes)) => bytes.into_owned().capacity(),
                    other => panic!("{other:?}"),
                };
                assert!(
                    capacity <= (2 * fragment * count).min(limit as usize),
                    "{capacity} for {count} of {fragment}"
                );
            }
        }
    }
    for_both_roles!(check);
}

/// F1: memory follows the bytes that have arrived. Growing by doubling holds the old memory and the
/// new: three times the bytes in the worst moment.
#[test]
fn l3_f1_peak_memory_is_bounded_by_what_was_received() {
    fn check<R: TestRole>() {
        for (opcode, len) in [(1, 100_000), (2, 100_000), (1, 1_000_000), (2, 1_000_000)] {
            let message = wire::<R>(&[
                Frame::new(opcode, "x".repeat(len)).more(),
                Frame::continuation("x".repeat(len)),
            ]);
            let declared = wire::<R>(&[Frame {
                payload: vec![b'x'; len],
                ..Frame::new(opcode, "").declaring(16 << 20)
            }]);
            for (bytes, received) in [(message, 2 * len as u64), (declared, len as u64)] {
                let info = receiving(&mut new::<R>(), &bytes, 4096);
                assert!(
                    info.bytes_max <= 3 * received + 4096,
                    "{info:?} for {received} bytes"
                );
                assert!(
                    info.bytes_max >= received && info.count_total < 30,
                    "{info:?} for {received} bytes"
                );
            }
        }
    }
    for_both_roles!(check);
}

/// F2: nothing is kept for a fragment except its bytes, nor for a read: a message in fragments of
/// one byte, or in reads of one byte, occupies no more than one in large chunks.
#[test]
fn f2_l3_tiny_fragments_and_tiny_reads_take_no_more_than_their_bytes() {
    fn check<R: TestRole>() {
        const LEN: u64 = 50_000;
        let config = Config::default().with_max_fragments(u32::MAX);
        for opcode in [1, 2] {
            let single = vec![Frame::continuation("x").more(); LEN as usize - 1];
            let fragments = wire::<R>(&[vec![Frame::new(opcode, "x").more()], single].concat());
            let one = wire::<R>(&[Frame {
                payload: vec![b'x'; LEN as usize],
                ..Frame::new(opcode, "").declaring(LEN + 1)
            }]);
            for (bytes, read) in [(&fragments, 4096), (&fragments, 1), (&one, 4096), (&one, 1)] {
                let info = receiving(&mut WebSocket::new(R::make(), &config), bytes, read);
                assert!(
                    (LEN..3 * LEN).contains(&info.bytes_max) && info.count_total < 30,
                    "{info:?} in reads of {read}"
                );
            }
        }
    }
    for_both_roles!(check);
}

/// F3: empty fragments are counted, and leave nothing.
#[test]
fn f3_a_million_empty_fragments_take_no_memory() {
    fn check<R: TestRole>() {
        let mut ws = WebSocket::new(R::make(), &Config::default().with_max_fragments(u32::MAX));
        receiving(&mut ws, &wire::<R>(&[Frame::text("").more()]), usize::MAX);
        let thousand = wire::<R>(&vec![Frame::continuation("").more(); 1000]);
        for _ in 0..1000 {
            assert_eq!(receiving(&mut ws, &thousand, 999).count_total, 0);
        }
        assert_eq!(ws.received().frames, 1_000_001);
    }
    for_both_roles!(check);
}

/// And so does a connection that has delivered a message in chunks, once the program has dropped
/// it.
#[test]
fn se6_an_idle_connection_holds_no_heap() {
    fn check<R: TestRole>() {
        let pieces = [
            Frame::text("caf\u{e9}").more(),
            Frame::continuation("x".repeat(5000)),
            Frame::binary(pattern(5000)).more(),
            Frame::continuation(""),
        ];
        let bytes = wire::<R>(&pieces);
        let mut idle = None;
        let info = measure(|| {
            let mut ws = new::<R>();
            assert!(receiving(&mut ws, &bytes, 1000).count_total > 0);
            idle = Some(ws);
        });
        assert_eq!((info.count_current, info.bytes_current), (0, 0));
        assert_eq!(idle.unwrap().received().frames, 4);
    }
    for_both_roles!(check);
}

/// However it ended: nothing will be finished any more.
#[test]
fn se6_a_connection_that_ended_holds_no_heap() {
    type End<R> = (&'static str, fn(&mut WebSocket<R>, &mut SliceOutput<'_>));
    fn check<R: TestRole>() {
        let ends: [End<R>; 4] = [
            ("Close", |ws, out| {
                assert!(
                    ws.recv(&mut wire::<R>(&[Frame::close(1000, "")])[..].as_mut(), out)
                        .is_some()
                );
            }),
            ("violation", |ws, out| {
                assert!(
                    ws.recv(&mut wire::<R>(&[Frame::new(3, "")])[..].as_mut(), out)
                        .is_some()
                );
            }),
            ("fail", |ws, out| ws.fail(code(1008), "", out).unwrap()),
            ("end of stream", |ws, _| ws.recv_eof()),
        ];
        for opcode in [1, 2] {
            for (how, end) in ends {
                let bytes = wire::<R>(&[Frame::new(opcode, "x".repeat(5000)).more()]);
                let mut memory = [0; 300];
                let mut ended = None;
                let info = measure(|| {
                    let mut ws = new::<R>();
                    assert!(receiving(&mut ws, &bytes, usize::MAX).count_total > 0);
                    end(&mut ws, &mut SliceOutput::new(&mut memory));
                    ws.recycle(vec![0; 1000]);
                    ended = Some(ws);
                });
                assert_eq!(info.bytes_current, 0, "{how}");
            }
        }
    }
    for_both_roles!(check);
}

/// U1: and its old content is never seen again.
#[test]
fn u1_memory_that_is_given_back_is_used() {
    fn check<R: TestRole>() {
        let rest = "x".repeat(3000);
        let text = |text: &str| {
            (
                wire::<R>(&[Frame::text(text).more(), Frame::continuation(&rest)]),
                [text, &rest].concat().into_bytes(),
            )
        };
        let binary = (
            wire::<R>(&[Frame::binary(pattern(3000)).more(), Frame::continuation("")]),
            pattern(3000),
        );
        let mut ws = new::<R>();
        let mut memory = [0; 300];
        ws.recycle(vec![0xaa; 4000]);
        // From kind to kind.
        for (mut bytes, expected) in [
            text("a"),
            binary.clone(),
            binary,
            text("caf\u{e9}"),
            text(""),
        ] {
            let info = measure(|| {
                let mut input = bytes.as_mut_slice();
                let bytes = match ws.recv(&mut input, &mut SliceOutput::new(&mut memory)) {
                    Some(Message::Text(text)) => text.into_owned().into_bytes(),
                    Some(Message::Binary(bytes)) => bytes.into_owned(),
                    other => panic!("{other:?}"),
                };
                assert!(bytes == expected);
                ws.recycle(bytes);
            });
            assert_eq!(info.count_total, 0);
        }
    }
    for_both_roles!(check);
}

/// The place of a payload has as much memory as has arrived, or a block: after a header that
/// declares a gigabyte, a block; when all of a frame has been read there, as many bytes as it has.
#[test]
fn l3_l7_f1_the_place_of_a_payload_grows_with_what_arrives() {
    const BLOCK: usize = 4096;
    fn check<R: TestRole>() {
        let len = 1 << 20;
        let payload = pattern(len);
        let config = Config::default().with_max_message(1 << 30);
        for (declared, read) in [(len, 5000), (len, usize::MAX), (1 << 30, 64 << 10)] {
            let wire = wire::<R>(&[Frame::binary(&payload).declaring(declared as u64)]);
            let (header, mut rest) = wire.split_at(wire.len() - len);
            let mut ws = WebSocket::new(R::make(), &config);
            assert_eq!(receiving(&mut ws, header, usize::MAX).count_total, 0);
            let mut message = None;
            while !rest.is_empty() {
                let received = len - rest.len();
                let mut n = 0;
                let info = measure(|| {
                    let place = ws.payload_buffer();
                    assert!(!place.is_empty() && place.len() <= received.max(BLOCK) * 2);
                    n = place.len().min(read).min(rest.len());
                    place[..n].copy_from_slice(&rest[..n]);
                });
                // The old memory, and the new, which is at most twice as much.
                assert!(
                    info.bytes_max as usize <= 2 * received.max(BLOCK),
                    "{info:?}"
                );
                rest = &rest[n..];
                message = ws.recv_payload(n);
            }
            if declared == len {
                let Some(Message::Binary(bytes)) = message else {
                    panic!("{message:?}")
                };
                let bytes = bytes.into_owned();
                assert_eq!(bytes.capacity(), len);
                assert!(bytes == payload);
            } else {
                assert_eq!(
                    (message, ws.payload_left()),
                    (None, (declared - len) as u64)
                );
            }
        }
    }
    for_both_roles!(check);
}

/// Memory that is given back is the place of a payload at once, and nothing is allocated.
#[test]
fn u1_memory_that_is_given_back_is_the_place_of_a_payload() {
    fn check<R: TestRole>() {
        for len in [10_000, 4000] {
            let payload = pattern(len);
            let bytes = wire::<R>(&[Frame::binary(&payload)]);
            let (header, rest) = bytes.split_at(bytes.len() - len);
            let mut ws = new::<R>();
            ws.recycle(vec![0xaa; 10_000]);
            let mut out = Vec::new();
            let info = measure(|| {
                assert!(ws.recv(&mut &mut header.to_vec()[..], &mut out).is_none());
                let place = ws.payload_buffer();
                assert_eq!(place.len(), len);
                place.copy_from_slice(rest);
                let message = ws.recv_payload(len);
                match message.expect("it is complete") {
                    Message::Binary(bytes) => assert!(*bytes == payload),
                    other => panic!("{other:?}"),
                }
            });
            // The copy of the header.
            assert_eq!(info.count_total, 1);
        }
    }
    for_both_roles!(check);
}

/// The receiving half accepts recycled memory as the connection does.
#[test]
fn u1_memory_that_is_given_back_to_a_half_is_used() {
    fn check<R: TestRole>() {
        let (mut receiver, _) = new::<R>().split();
        receiver.recycle(vec![0xaa; 4000]);
        let mut bytes = wire::<R>(&[
            Frame::binary(pattern(1000)).more(),
            Frame::continuation(pattern(2000)),
        ]);
        let info = measure(|| {
            let mut input = bytes.as_mut_slice();
            assert!(
                matches!(receiver.recv(&mut input), Some(Message::Binary(bytes)) if bytes.len() == 3000)
            );
        });
        assert_eq!(info.count_total, 0);
    }
    for_both_roles!(check);
}

/// Recycling in the middle of a message neither disturbs it nor keeps more than one buffer.
#[test]
fn memory_given_back_inside_a_message_leaves_it_alone() {
    fn check<R: TestRole>() {
        for (opcode, part) in [(1, "begun "), (2, "begun "), (1, ""), (2, "")] {
            let mut ws = new::<R>();
            receiving(
                &mut ws,
                &wire::<R>(&[Frame::new(opcode, part).more()]),
                usize::MAX,
            );
            (0..3).for_each(|_| ws.recycle(b"garbage".to_vec()));
            let mut rest = wire::<R>(&[Frame::continuation("rest")]);
            let got = match ws.recv(&mut rest.as_mut_slice(), &mut Vec::new()) {
                Some(Message::Text(text)) => text.into_owned().into_bytes(),
                Some(Message::Binary(bytes)) => bytes.into_owned(),
                other => panic!("{other:?}"),
            };
            assert_eq!(got, [part.as_bytes(), b"rest"].concat());
        }
    }
    for_both_roles!(check);
}
