//! The outputs: the room that is reported, and the effect of calls without it.

use crate::common::{Frame, TestRole, for_both_roles, pattern, read_all, wire};
use proptest::prelude::*;
use std::collections::VecDeque;
use ws_proto::{
    ByteQueue, CappedOutput, Config, Connection, MessageKind, Output, REPLY_ROOM, SendError,
    SliceOutput,
};

/// Appends the bytes that fit, and returns the place where they are.
fn appends(out: &mut dyn Output, room: usize) {
    assert_eq!(out.room(), room);
    out.append(b"abc").copy_from_slice(b"ABC");
    assert_eq!(out.room(), room - 3);
    assert_eq!(out.append(b""), b"");
    let rest = pattern(room - 3 + 10);
    assert_eq!(
        out.append(&rest),
        &rest[..room - 3],
        "what does not fit is not appended"
    );
    assert_eq!(out.room(), 0);
    assert_eq!(out.append(b"more"), b"");
}

#[test]
fn o1_a_slice_takes_as_much_as_fits() {
    let mut memory = [0; 20];
    let mut out = SliceOutput::new(&mut memory);
    appends(&mut out, 20);
    assert_eq!(out.as_bytes()[..3], *b"ABC");
    assert_eq!(out.as_bytes()[3..], pattern(17));
    out.clear();
    assert_eq!((out.as_bytes(), out.room()), (&[][..], 20));
    appends(&mut out, 20);
    assert_eq!(SliceOutput::new(&mut []).room(), 0);
}

#[test]
fn o1_what_a_slice_has_sent_makes_room_for_more() {
    let mut memory = [0; 20];
    let mut out = SliceOutput::new(&mut memory);
    appends(&mut out, 20);
    out.consume(0);
    assert_eq!(out.as_bytes()[..3], *b"ABC");
    out.consume(3);
    assert_eq!((out.as_bytes(), out.room()), (&pattern(17)[..], 3));
    out.consume(1);
    assert_eq!((out.as_bytes(), out.room()), (&pattern(17)[1..], 4));
    out.append(b"xyz");
    assert_eq!(out.as_bytes(), [&pattern(17)[1..], b"xyz"].concat());
    out.consume(usize::MAX);
    assert_eq!((out.as_bytes(), out.room()), (&[][..], 20));
}

#[test]
fn o1_a_capped_vector_counts_what_it_held_before() {
    let mut queue = b"before".to_vec();
    appends(&mut CappedOutput::new(&mut queue, 26), 20);
    assert_eq!(queue[..9], *b"beforeABC");
    assert_eq!(queue.len(), 26);
    assert_eq!(
        CappedOutput::new(&mut queue, 10).room(),
        0,
        "it may hold more than the cap from the beginning"
    );
    assert_eq!(CappedOutput::new(&mut queue, 10).append(b"x"), b"");
    assert_eq!(queue.len(), 26);
}

#[test]
fn o1_a_vector_has_all_the_room_that_a_vector_can_have() {
    let mut out = b"before".to_vec();
    assert_eq!(out.room(), isize::MAX as usize - 6);
    Output::append(&mut out, b"abc").copy_from_slice(b"ABC");
    assert_eq!(out, b"beforeABC");
}

/// The bytes do not depend on the output, and `dyn Output` can be used. U1: nor on the previous
/// content of that memory.
#[test]
fn se8_u1_every_output_gets_the_same_bytes() {
    fn write<R: TestRole>(out: &mut dyn Output) {
        let mut connection = Connection::new(R::make(), &Config::default());
        connection.send_text("text", out).unwrap();
        connection.send_binary(&pattern(10_000), out).unwrap();
        connection
            .send_fragment(MessageKind::Text, "caf\u{e9}".as_bytes(), false, out)
            .unwrap();
        let mut bytes = wire::<R>(&[Frame::ping("p"), Frame::close(1000, "bye")]);
        let mut input = bytes.as_mut_slice();
        while connection.recv(&mut input, out).is_some() {}
    }
    fn check<R: TestRole>() {
        let (mut vector, mut capped, mut memory) = (Vec::new(), Vec::new(), vec![0xaa; 11_000]);
        let mut slice = SliceOutput::new(&mut memory);
        slice.append(&pattern(11_000));
        slice.clear();
        write::<R>(&mut vector);
        write::<R>(&mut CappedOutput::new(&mut capped, 11_000));
        write::<R>(&mut slice);
        assert!(vector == capped && vector == slice.as_bytes());
        let close = Frame::close(1000, "");
        let expected = [
            Frame::text("text"),
            Frame::binary(pattern(10_000)),
            Frame::text("caf\u{e9}").more(),
            Frame::pong("p"),
            close,
        ];
        assert!(read_all::<R>(&vector) == expected);
    }
    for_both_roles!(check);
}

/// O2: `Full` names the room that is needed, to the byte; the message is still the caller's, and
/// nothing was written.
#[test]
fn o2_a_frame_that_does_not_fit_is_refused_whole() {
    fn check<R: TestRole>() {
        for len in [0, 1, 125, 126, 4096, 4097, 65535, 65536] {
            let payload = pattern(len);
            let mut connection = Connection::new(R::make(), &Config::default());
            let mut out = b"before".to_vec();
            let Err(SendError::OutputFull { needed }) =
                connection.send_binary(&payload, &mut CappedOutput::new(&mut out, 6))
            else {
                panic!("no room")
            };
            let again =
                connection.send_binary(&payload, &mut CappedOutput::new(&mut out, 6 + needed - 1));
            assert_eq!(again, Err(SendError::OutputFull { needed }));
            assert_eq!(
                (out.as_slice(), connection.sent()),
                (&b"before"[..], Default::default())
            );
            connection
                .send_binary(&payload, &mut CappedOutput::new(&mut out, 6 + needed))
                .unwrap();
            assert_eq!(out.len(), 6 + needed);
            assert!(read_all::<R>(&out[6..]) == [Frame::binary(&payload)]);
        }
    }
    for_both_roles!(check);
}

/// O2, SE10: whether there is room is asked before the text is read, so that a part which waits for
/// room costs nothing each time that it is tried.
#[test]
fn o2_a_part_that_finds_no_room_is_not_read() {
    fn check<R: TestRole>() {
        let mut connection = Connection::new(R::make(), &Config::default());
        let mut out = Vec::new();
        let needed = if R::MASKS { 7 } else { 3 };
        let mut send = |cap| {
            connection.send_fragment(
                MessageKind::Text,
                b"\xff",
                false,
                &mut CappedOutput::new(&mut out, cap),
            )
        };
        assert_eq!(send(needed - 1), Err(SendError::OutputFull { needed }));
        assert_eq!(send(needed), Err(SendError::InvalidUtf8));
    }
    for_both_roles!(check);
}

/// A failure that valid text goes before waits for room like any other event, also when the input
/// is empty by then.
#[test]
fn o1_a_failure_waits_for_room() {
    fn check<R: TestRole>() {
        let mut connection = Connection::new(R::make(), &Config::default());
        let mut bytes = wire::<R>(&[Frame::text(b"ab\xff")]);
        let mut input = bytes.as_mut_slice();
        let mut out = Vec::new();
        assert!(
            connection
                .recv(&mut input, &mut CappedOutput::new(&mut out, 0))
                .is_some()
        );
        assert_eq!(
            (connection.payload_left(), connection.is_paused()),
            (0, false)
        );
        assert_eq!(
            connection.recv(&mut input, &mut CappedOutput::new(&mut out, 5)),
            None
        );
        assert!(out.is_empty() && connection.is_paused());
        let failed = connection.recv(
            &mut &mut [][..],
            &mut CappedOutput::new(&mut out, REPLY_ROOM),
        );
        assert_eq!(
            failed,
            Some(ws_proto::Event::Failed(
                ws_proto::ProtocolError::InvalidUtf8
            ))
        );
        assert_eq!(read_all::<R>(&out).len(), 1);
    }
    for_both_roles!(check);
}

#[test]
fn o1_a_queue_takes_as_much_as_its_limit_leaves() {
    let mut queue = ByteQueue::with_max_len(20);
    appends(&mut queue, 20);
    assert_eq!(queue.as_slice()[..3], *b"ABC");
    queue.consume(5);
    appends(&mut queue, 5);
    queue.set_max_len(10);
    assert_eq!((queue.len(), queue.room()), (20, 0));
    assert_eq!(queue.append(b"x"), b"");
    queue.consume(15);
    assert_eq!((queue.len(), queue.room()), (5, 5));
    queue.as_mut_slice()[0] = b'!';
    assert_eq!(queue.as_slice()[0], b'!');
    queue.consume(usize::MAX);
    assert_eq!((queue.len(), queue.room()), (0, 10));
    assert!(queue.is_empty());
    assert_eq!(ByteQueue::default().room(), isize::MAX as usize);
    assert_eq!(format!("{queue:?}"), "ByteQueue { len: 0, room: 10 }");
}

/// In addition to the bytes that wait, at most as many were consumed, and room for growth.
fn assert_small(queue: &ByteQueue) {
    let most = if queue.is_empty() {
        0
    } else {
        (4 << 10).max(4 * queue.len())
    };
    assert!(queue.capacity() <= most, "{} of {most}", queue.capacity());
}

proptest! {
    #![proptest_config(crate::common::strategies::config(200))]

    #[test]
    fn o4_a_queue_is_a_queue_and_no_larger_than_what_waits(
        calls in proptest::collection::vec((0..3000_usize, 0..3000_usize), 0..100),
        many in 1..20_usize,
    ) {
        let (mut queue, mut model) = (ByteQueue::new(), VecDeque::new());
        for (i, (append, consume)) in calls.into_iter().enumerate() {
            let append = append * if i % 8 == 0 { many } else { 1 };
            let bytes: Vec<u8> = (0..append).map(|j| (i + j) as u8).collect();
            prop_assert_eq!(queue.append(&bytes), bytes.clone());
            model.extend(bytes);
            queue.consume(consume);
            model.drain(..consume.min(model.len()));
            prop_assert_eq!(queue.as_slice(), &*model.make_contiguous());
            prop_assert_eq!(queue.len(), model.len());
            if consume > 0 {
                assert_small(&queue);
            }
        }
        while !queue.is_empty() {
            queue.consume(1 + queue.len() / 2);
            assert_small(&queue);
        }
    }
}
