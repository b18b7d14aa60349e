//! Limits (RFC 6455 §10.4): each is exact at its boundary, and applies to declared lengths, before
//! the bytes arrive.

use crate::common::{
    Frame, Layer, Log, Seen, TestRole, for_both_roles, pattern, receive_with, run, wire,
};
use core::slice::from_ref;
use ws_proto::{Config, Connection, Event, Message, ProtocolError, WebSocket};

/// A message of `len` bytes where `limit` are accepted.
const fn too_long(len: u64, limit: u64) -> Option<Seen> {
    Some(Seen::Failed(ProtocolError::MessageTooLong { len, limit }))
}

/// This number of fragments where `limit` are accepted.
const fn too_many(fragments: u64, limit: u64) -> Option<Seen> {
    Some(Seen::Failed(ProtocolError::TooManyFragments {
        fragments,
        limit,
    }))
}

/// The last result for the frames.
#[track_caller]
fn last<R: TestRole>(config: &Config, frames: &[Frame]) -> Option<Seen> {
    receive_with::<R>(config, frames).0.pop()
}

#[test]
fn l5_fr8_the_message_limit_is_exact_for_a_frame() {
    fn check<R: TestRole>() {
        for limit in [0, 1, 125, 126, 65535, 65536] {
            let config = Config::default().with_max_message(limit as u64);
            for opcode in [1, 2] {
                let message = |len: usize| {
                    let payload = "x".repeat(len);
                    let frame = Frame::new(opcode, &payload);
                    (
                        last::<R>(&config, from_ref(&frame)),
                        last::<R>(
                            &config,
                            &[Frame::new(opcode, "").more(), Frame { opcode: 0, ..frame }],
                        ),
                    )
                };
                let delivered = |len: usize| {
                    Some(if opcode == 1 {
                        Seen::text(&"x".repeat(len))
                    } else {
                        Seen::binary(&vec![b'x'; len])
                    })
                };
                assert!(
                    message(limit) == (delivered(limit), delivered(limit)),
                    "{limit}"
                );
                let failed = too_long(limit as u64 + 1, limit as u64);
                assert!(
                    message(limit + 1) == (failed.clone(), failed),
                    "{limit} + 1"
                );
                if limit > 0 {
                    assert!(message(limit - 1).0 == delivered(limit - 1), "{limit} - 1");
                }
            }
            // Control frames have their own limit, and count for no other.
            assert_eq!(
                last::<R>(&config, &[Frame::ping(pattern(125))]),
                Some(Seen::ping(pattern(125)))
            );
        }
    }
    for_both_roles!(check);
}

#[test]
fn l5_f1_the_message_limit_is_exact_for_the_sum_of_the_fragments() {
    fn check<R: TestRole>() {
        let config = Config::default().with_max_message(10);
        let whole = |len| last::<R>(&config, &[Frame::binary(pattern(len))]);
        assert_eq!(whole(9), Some(Seen::binary(&pattern(9))));
        assert_eq!(whole(10), Some(Seen::binary(&pattern(10))));
        assert_eq!(whole(11), too_long(11, 10));

        for first in 0..=10 {
            for second in 0..=10 - first {
                let rest = 10 - first - second;
                let sum = |third| {
                    let parts = [
                        Frame::binary(pattern(first)).more(),
                        Frame::continuation(pattern(second)).more(),
                        Frame::ping(pattern(20)),
                    ];
                    last::<R>(
                        &config,
                        &[&parts[..], &[Frame::continuation(pattern(third))]].concat(),
                    )
                };
                assert!(
                    matches!(sum(rest), Some(Seen::Data { payload, .. }) if payload.len() == 10)
                );
                assert_eq!(sum(rest + 1), too_long(11, 10));
            }
        }
    }
    for_both_roles!(check);
}

/// The count begins again with each message.
#[test]
fn f1_f2_limits_hold_for_each_message_by_itself() {
    fn check<R: TestRole>() {
        let config = Config::default().with_max_message(6).with_max_fragments(2);
        let message = [Frame::text("abc").more(), Frame::continuation("def")];
        let many = [&message[..]; 50].concat();
        let (seen, _) = receive_with::<R>(&config, &many);
        assert_eq!(seen, vec![Seen::text("abcdef"); 50]);
    }
    for_both_roles!(check);
}

/// FR8: the header is enough, so that no payload must arrive or be kept.
#[test]
fn fr8_l3_limits_hold_for_the_declared_length() {
    fn check<R: TestRole>() {
        let config = Config::default().with_max_message(1500);
        let declaring = |len| Frame {
            payload: vec![],
            ..Frame::binary("").declaring(len)
        };
        assert_eq!(last::<R>(&config, &[declaring(1500)]), None);
        assert_eq!(last::<R>(&config, &[declaring(1501)]), too_long(1501, 1500));
        let begun = Frame::binary(pattern(501)).more();
        assert_eq!(
            last::<R>(
                &config,
                &[
                    begun.clone(),
                    Frame {
                        opcode: 0,
                        ..declaring(999)
                    }
                ]
            ),
            None
        );
        assert_eq!(
            last::<R>(
                &config,
                &[
                    begun,
                    Frame {
                        opcode: 0,
                        ..declaring(1000)
                    }
                ]
            ),
            too_long(1501, 1500)
        );
    }
    for_both_roles!(check);
}

/// FR10: empty ones included, and control frames not.
#[test]
fn f2_fr10_the_fragment_limit_is_exact() {
    fn check<R: TestRole>() {
        for limit in [1, 2, 3, 10] {
            let config = Config::default().with_max_fragments(limit);
            let message = |frames: u32, payload: &str| {
                let parts = (0..frames).flat_map(|i| {
                    [
                        Frame::new(if i == 0 { 1 } else { 0 }, payload).fin(i + 1 == frames),
                        Frame::pong(""),
                    ]
                });
                let mut frames: Vec<_> = parts.collect();
                frames.pop();
                last::<R>(&config, &frames)
            };
            for payload in ["", "x"] {
                assert_eq!(
                    message(limit, payload),
                    Some(Seen::text(&payload.repeat(limit as usize))),
                    "{limit}"
                );
                assert_eq!(
                    message(limit + 1, payload),
                    too_many(u64::from(limit) + 1, limit.into()),
                    "{limit} + 1"
                );
            }
        }
        // A message has one frame at least.
        assert_eq!(
            last::<R>(
                &Config::default().with_max_fragments(0),
                &[Frame::text("x")]
            ),
            Some(Seen::text("x"))
        );
        assert_eq!(
            last::<R>(
                &Config::default().with_max_fragments(0),
                &[Frame::text("x").more(), Frame::continuation("")]
            ),
            too_many(2, 1)
        );
    }
    for_both_roles!(check);
}

/// SE3: and there are limits by default.
#[test]
fn l5_f2_the_defaults_are_those_of_the_documentation() {
    fn check<R: TestRole>() {
        const MIB16: u64 = 16 << 20;
        let config = Config::default();
        let declaring = |opcode, len| Frame {
            payload: vec![],
            ..Frame::new(opcode, "").declaring(len)
        };
        assert_eq!(last::<R>(&config, &[declaring(2, MIB16)]), None);
        assert_eq!(
            last::<R>(&config, &[declaring(2, MIB16 + 1)]),
            too_long(MIB16 + 1, MIB16)
        );
        assert_eq!(
            last::<R>(
                &config,
                &[Frame::binary("x").more(), declaring(0, MIB16 - 1)]
            ),
            None
        );
        assert_eq!(
            last::<R>(&config, &[Frame::binary("x").more(), declaring(0, MIB16)]),
            too_long(MIB16 + 1, MIB16)
        );
        let fragments = |count: usize| {
            [
                vec![Frame::binary("").more()],
                vec![Frame::continuation("").more(); count - 1],
            ]
            .concat()
        };
        assert_eq!(last::<R>(&config, &fragments(16_384)), None);
        assert_eq!(
            last::<R>(&config, &fragments(16_385)),
            too_many(16_385, 16_384)
        );
    }
    for_both_roles!(check);
}

/// A million empty fragments: refused at the limit, or, if the limit lets them pass, received with
/// work that is linear (`tests/work`), with nothing kept (`tests/robustness/allocation.rs`) and no
/// event to handle.
#[test]
fn f3_a_million_empty_fragments() {
    fn check<R: TestRole>() {
        let begin = wire::<R>(&[Frame::binary("").more()]);
        let chunk = wire::<R>(&vec![Frame::continuation("").more(); 1000]);
        let refused_at = |limit: u32| {
            let mut ws = WebSocket::new(R::make(), &Config::default().with_max_fragments(limit));
            let mut log = Log::default();
            ws.recv_all(&mut begin.clone(), &mut log);
            for thousand in 0..1000 {
                ws.recv_all(&mut chunk.clone(), &mut log);
                if !log.seen.is_empty() {
                    assert_eq!(log.seen.pop(), too_many(u64::from(limit) + 1, limit.into()));
                    return Some((thousand, ws.received().frames));
                }
            }
            None
        };
        assert_eq!(refused_at(1024), Some((1, 1024)));
        assert_eq!(refused_at(1_000_000), Some((999, 1_000_000)));
        assert_eq!(refused_at(1_000_001), None);
    }
    for_both_roles!(check);
}

/// Real senders: frames of 4 and 236 bytes in turn, tokens of a few bytes, a fragment for each 128
/// KiB. And FR10: only cheap fragments are refused.
#[test]
fn f2_fr10_the_fragment_limit_grows_with_the_message() {
    fn check<R: TestRole>() {
        const LIMIT: usize = 100;
        // `count` fragments of these lengths in turn, and the result for the last.
        let sent = |lens: &[usize], count: usize| {
            let begin = Frame::binary("").more();
            let parts = lens
                .iter()
                .cycle()
                .take(count - 1)
                .map(|&len| Frame::continuation(pattern(len)).more());
            let bytes: Vec<_> = [begin]
                .into_iter()
                .chain(parts)
                .flat_map(|frame| frame.to::<R>())
                .collect();
            run::<R, WebSocket<R>>(
                &Config::default().with_max_fragments(LIMIT as u32),
                &bytes,
                &[],
            )
            .seen
            .pop()
        };
        // One for each 16 bytes of payload is free.
        for free in [&[4, 236][..], &[16], &[17], &[0, 32], &[131_072]] {
            assert_eq!(
                sent(free, if free == [131_072] { 120 } else { 20_000 }),
                None,
                "{free:?}"
            );
        }
        // Of frames with one byte, every sixteenth: 107 frames have 106 bytes, so 100 and 6.
        assert_eq!(sent(&[1], 106), None);
        assert_eq!(sent(&[1], 107), too_many(107, 106));
        assert_eq!(sent(&[15], 1585), None);
        assert_eq!(sent(&[15], 1586), too_many(1586, 1585));
        // A long frame pays for those after it.
        assert_eq!(sent(&[&[1600][..], &[0; 300]].concat(), 200), None);
        assert_eq!(
            sent(&[&[1600][..], &[0; 300]].concat(), 201),
            too_many(201, 200)
        );
    }
    for_both_roles!(check);
}

/// FR8: each limit by itself, without others that would be set, too.
#[test]
fn l5_fr8_the_message_limit_is_the_only_one_on_length() {
    fn check<R: TestRole>() {
        let frame = Frame {
            payload: vec![],
            ..Frame::binary("").declaring(20 << 20)
        };
        assert_eq!(
            last::<R>(&Config::default(), from_ref(&frame)),
            too_long(20 << 20, 16 << 20)
        );
        assert_eq!(
            last::<R>(&Config::default().with_max_message(64 << 20), &[frame]),
            None
        );
    }
    for_both_roles!(check);
}

/// SE3: a connection that streams has no need of a message limit; without one it goes on forever.
#[test]
fn l2_a_message_without_end_can_be_streamed() {
    fn check<R: TestRole>() {
        let config = Config::default().with_max_message(u64::MAX);
        let mut connection = Connection::new(R::make(), &config);
        let part = wire::<R>(&[Frame::continuation(pattern(1000)).more()]);
        let mut begin = wire::<R>(&[Frame::binary("").more()]);
        assert!(matches!(
            connection.recv(&mut begin.as_mut_slice(), &mut Vec::new()),
            Some(Event::Data(chunk)) if chunk.first && chunk.payload.is_empty()
        ));
        for _ in 0..20_000 {
            let mut part = part.clone();
            let Some(Event::Data(chunk)) =
                connection.recv(&mut part.as_mut_slice(), &mut Vec::new())
            else {
                panic!("no chunk")
            };
            assert!(chunk.payload.len() == 1000 && !chunk.last);
        }
        assert_eq!(connection.received().bytes, 20_000_000);
    }
    for_both_roles!(check);
}

/// FR8: the configuration of an open connection can be replaced, also inside a message.
#[test]
fn fr8_limits_of_an_open_connection_apply_from_the_next_frame() {
    fn check<R: TestRole>() {
        let long = Config::default().with_max_message(100);
        let short = Config::default().with_max_message(10);
        let fragments = [
            Frame::binary(pattern(8)).more(),
            Frame::continuation(pattern(8)),
        ];
        for (first, second, seen) in [
            (&long, &short, too_long(16, 10)),
            (
                &short,
                &long,
                Some(Seen::binary(&[pattern(8), pattern(8)].concat())),
            ),
        ] {
            let bytes = wire::<R>(&fragments);
            let frame_len = bytes.len() / 2;
            // Before the second header, and inside the payload of the first frame.
            for at in [frame_len, frame_len - 3] {
                let mut log = Log::default();
                let mut ws = WebSocket::new(R::make(), first);
                assert_eq!(ws.config(), first);
                ws.recv_all(&mut bytes[..at].to_vec(), &mut log);
                ws.set_config(second);
                assert_eq!(ws.config(), second);
                ws.recv_all(&mut bytes[at..].to_vec(), &mut log);
                assert_eq!(log.seen, [seen.clone().unwrap()]);

                // The halves do the same.
                let (mut half, _) = WebSocket::new(R::make(), first).split();
                assert!(half.recv(&mut &mut bytes[..at].to_vec()[..]).is_none());
                half.set_config(second);
                assert_eq!(half.config(), second);
                let mut rest = bytes[at..].to_vec();
                let mut rest = &mut rest[..];
                let message = half.recv(&mut rest).unwrap();
                assert_eq!(matches!(message, Message::Failed(_)), second == &short);

                let (mut half, _) = Connection::new(R::make(), first).split();
                half.set_config(second);
                assert_eq!(half.config(), second);

                let mut connection = Connection::new(R::make(), first);
                let mut log = Log::default();
                connection.recv_all(&mut bytes[..at].to_vec(), &mut log);
                connection.set_config(second);
                connection.recv_all(&mut bytes[at..].to_vec(), &mut log);
                assert_eq!(
                    log.seen.last() == too_long(16, 10).as_ref(),
                    second == &short
                );
            }
        }
    }
    for_both_roles!(check);
}

/// CT3: automatic Pongs can be switched on and off while the connection is open.
#[test]
fn ct3_automatic_pongs_of_an_open_connection() {
    fn check<R: TestRole>() {
        let mut ws = WebSocket::new(R::make(), &Config::default());
        for auto_pong in [true, false, true] {
            ws.set_config(&Config::default().with_auto_pong(auto_pong));
            let mut log = Log::default();
            ws.recv_all(&mut wire::<R>(&[Frame::ping("p")]), &mut log);
            assert_eq!(log.out.is_empty(), !auto_pong);
        }
    }
    for_both_roles!(check);
}
