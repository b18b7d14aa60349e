//! Sessions: a driver without its I/O. The same messages as those of its `WebSocket`, pauses,
//! memory, and a simulated network in which no live peer is dropped and no dead one is kept.

use crate::common::strategies::{any_input, at, config, cuts};
use crate::common::{Frame, TestRole, code, for_both_roles, pattern, read_all, wire};
use allocation_counter::measure;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::time::Duration;
use ws_proto::{
    Action, ByteQueue, Client, Config, Message, MessageKind, Negotiated, Output, OwnedMessage,
    SendError, Server, Session, TimeoutError, Timeouts, WebSocket,
};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

const NOW: Duration = Duration::ZERO;

fn open<R: TestRole>() -> Session<R> {
    Session::open(R::make(), &Config::new(), &Timeouts::new(), NOW)
}

fn all<R: TestRole>(session: &mut Session<R>) -> Vec<OwnedMessage> {
    std::iter::from_fn(|| session.recv()).collect()
}

/// The messages of a connection that receives everything at once, and its output.
fn expected<R: TestRole>(bytes: &[u8]) -> (WebSocket<R>, Vec<OwnedMessage>, Vec<u8>) {
    let mut ws = WebSocket::new(R::make(), &Config::new());
    let (mut bytes, mut out, mut messages) = (bytes.to_vec(), Vec::new(), Vec::new());
    let mut input = &mut bytes[..];
    while let Some(message) = ws.recv(&mut input, &mut out) {
        messages.push(match message {
            Message::Text(text) => OwnedMessage::Text(text.into()),
            Message::Binary(bytes) => OwnedMessage::Binary(bytes.into()),
            Message::Ping => OwnedMessage::Ping(ws.control_payload().into()),
            Message::Pong => OwnedMessage::Pong(ws.control_payload().into()),
            Message::Close(code) => {
                let reason = ws.close_received().unwrap().reason.to_owned();
                OwnedMessage::Close(code, reason)
            }
            Message::Failed(error) => OwnedMessage::Failed(error),
            _ => unreachable!(),
        });
    }
    (ws, messages, out)
}

/// However the input is split, and however small the writes and the high-water mark are.
fn same<R: TestRole>(
    bytes: &[u8],
    cuts: &[usize],
    high_water: usize,
    write: usize,
) -> Result<(), TestCaseError> {
    let (mut ws, messages, out) = expected::<R>(bytes);
    let mut session = open::<R>().with_high_water(high_water);
    let (mut seen, mut written) = (Vec::new(), Vec::new());
    let mut pump = |session: &mut Session<R>| loop {
        seen.extend(std::iter::from_fn(|| session.recv()));
        let len = session.output().len().min(write);
        if len == 0 {
            break;
        }
        written.extend_from_slice(&session.output()[..len]);
        session.written(NOW, len);
    };
    let mut start = 0;
    for end in cuts.iter().copied().chain([bytes.len()]) {
        // Two reads before the messages are received.
        let middle = start + (end - start) / 2;
        session.received(NOW, &bytes[start..middle]);
        session.received(NOW, &bytes[middle..end]);
        pump(&mut session);
        start = end;
    }
    let of = |ws: &WebSocket<R>| (ws.state(), ws.next_action(), ws.received(), ws.sent());
    prop_assert_eq!(of(session.websocket().unwrap()), of(&ws));
    session.recv_eof();
    ws.recv_eof();
    pump(&mut session);
    prop_assert_eq!(seen, messages);
    prop_assert_eq!(written, out);
    prop_assert_eq!(session.outcome(), ws.outcome());
    prop_assert_eq!(session.needs(NOW), None);
    Ok(())
}

proptest! {
    #![proptest_config(config(if cfg!(debug_assertions) { 200 } else { 5000 }))]

    #[test]
    fn sn1_any_cut_of_any_input_gives_the_messages_of_a_connection(
        (server, client) in (any_input::<Server>(), any_input::<Client>()),
        places in cuts(),
        high_water in prop_oneof![Just(64 << 10), 1..300_usize],
        write in 1..200_usize,
    ) {
        same::<Server>(&server.0, &at(&places, server.0.len()), high_water, write)?;
        same::<Client>(&client.0, &at(&places, client.0.len()), high_water, write)?;
    }
}

/// A peer that sends Pings and does not read.
#[test]
fn sn2_a_long_output_pauses_receiving() {
    fn check<R: TestRole>() {
        let pings: Vec<_> = (0..96).map(|_| Frame::ping(pattern(125))).collect();
        let mut session = open::<R>().with_high_water(1000);
        session.received(NOW, &wire::<R>(&pings));
        for _ in 0..12 {
            assert_eq!(all(&mut session).len(), 8);
            let waiting = session.output().len();
            assert!((1000..1000 + 131).contains(&waiting));
            let needs = session.needs(NOW).unwrap();
            assert!(needs.write && !needs.read);
            session.written(NOW, waiting);
            assert_eq!(read_all::<R>(session.output()), []);
        }
        assert!(session.needs(NOW).unwrap().read);
        assert_eq!(session.recv(), None);
    }
    for_both_roles!(check);
}

/// Two endpoints whose programs send without end must both go on reading.
#[test]
fn sn2_without_a_mark_receiving_does_not_wait_for_the_output() {
    fn check<R: TestRole>() {
        let mut session = open::<R>()
            .with_high_water(usize::MAX)
            .with_max_output(100_000 + 131);
        session.send_binary(&pattern(99_980)).unwrap();
        let frames = [
            Frame::text("first"),
            Frame::ping(pattern(125)),
            Frame::ping(pattern(125)),
            Frame::text("last"),
        ];
        session.received(NOW, &wire::<R>(&frames));
        // There is room for one Pong.
        assert_eq!(all(&mut session).len(), 2);
        assert!(!session.needs(NOW).unwrap().read);
        session.written(NOW, 50_000);
        assert_eq!(all(&mut session).len(), 2);
        assert!(session.output().len() > 50_000 && session.needs(NOW).unwrap().read);
    }
    for_both_roles!(check);
}

#[test]
fn sn2_messages_of_the_program_are_refused_above_a_limit() {
    let mut session = open::<Server>().with_max_output(1000);
    session.send_binary(&pattern(900)).unwrap();
    let full = SendError::OutputFull { needed: 98 };
    assert_eq!(session.send_text(&"x".repeat(96)), Err(full));
    session.send_text(&"x".repeat(94)).unwrap();
    assert_eq!(session.output().len(), 1000);
    let close = session.close(code(1000), "");
    assert_eq!(close, Err(SendError::OutputFull { needed: 4 }));
    session.written(NOW, 4);
    session.close(code(1000), "").unwrap();
    let fragment = session.send(|ws, out| ws.send_fragment(MessageKind::Text, b"", true, out));
    assert_eq!(fragment, Err(SendError::Closed));
}

#[test]
fn sn3_an_idle_session_occupies_no_heap() {
    fn check<R: TestRole>() {
        let mut session = open::<R>();
        let bytes = wire::<R>(&[
            Frame::text("x".repeat(50_000)).more(),
            Frame::ping("hi"),
            Frame::continuation("y".repeat(50_000)),
        ]);
        let info = measure(|| {
            for bytes in bytes.chunks(16 << 10) {
                session.received(NOW, bytes);
                for message in all(&mut session) {
                    if let OwnedMessage::Text(text) = message {
                        session.send_text(&text).unwrap();
                    }
                }
            }
            while session.needs(NOW).is_some_and(|needs| needs.write) {
                session.written(NOW, 10_000);
            }
        });
        assert!(info.count_total > 0);
        assert_eq!(info.bytes_current, 0);
        assert!(info.bytes_max < 500_000, "{}", info.bytes_max);
    }
    for_both_roles!(check);
}

#[test]
fn sn4_whatever_is_needed_is_needed_at_the_same_time() {
    let mut session = open::<Server>();
    let needs = session.needs(NOW).unwrap();
    assert!(needs.read && !needs.write && !needs.shutdown);
    assert_eq!(needs.wake, Some(ms(30_000)));
    session.send_text("hello").unwrap();
    let needs = session.needs(NOW).unwrap();
    assert!(needs.read && needs.write && !needs.shutdown);
    assert_eq!(needs.wake, Some(ms(30_000)), "for the write");
    session.close(code(1000), "").unwrap();
    session.written(NOW, 9);
    let needs = session.needs(NOW).unwrap();
    assert!(needs.read && needs.write && !needs.shutdown);
    session.written(ms(20), 2);
    let needs = session.needs(ms(20)).unwrap();
    assert!(needs.read && !needs.write && !needs.shutdown);
    assert_eq!(needs.wake, Some(ms(10_020)), "for the Close");
    session.received(ms(30), &wire::<Server>(&[Frame::close(1000, "bye")]));
    let close = OwnedMessage::Close(Some(code(1000)), "bye".into());
    assert_eq!(all(&mut session), [close]);
    let needs = session.needs(ms(30)).unwrap();
    assert!(needs.read && !needs.write && needs.shutdown);
    assert_eq!(needs.wake, Some(ms(5_030)), "for the end of the stream");
    session.received(ms(40), b"discarded");
    assert_eq!(session.recv(), None);
    assert_eq!(session.needs(ms(5_030)), None);
    assert_eq!(session.timed_out(), None);
    assert!(session.outcome().unwrap().clean);
}

#[test]
fn sn4_a_silent_peer_gets_a_ping_and_is_dropped() {
    fn check<R: TestRole>() {
        let mut session = open::<R>();
        let needs = session.needs(ms(30_000)).unwrap();
        assert!(needs.write && needs.read);
        let frames = read_all::<R>(session.output());
        assert_eq!(frames[0].payload, 1_u64.to_be_bytes());
        session.written(ms(30_000), usize::MAX);
        assert_eq!(session.needs(ms(30_000)).unwrap().wake, Some(ms(60_000)));
        session.received(ms(30_250), &wire::<R>(&[Frame::pong(1_u64.to_be_bytes())]));
        assert_eq!(all(&mut session).len(), 1);
        assert_eq!(session.deadlines().round_trip_time(), Some(ms(250)));
        assert_eq!(session.needs(ms(30_250)).unwrap().wake, Some(ms(60_250)));

        assert!(session.needs(ms(60_250)).unwrap().write);
        session.written(ms(60_250), usize::MAX);
        assert_eq!(session.needs(ms(60_250)).unwrap().wake, Some(ms(90_250)));
        assert_eq!(session.needs(ms(90_250)).unwrap().wake, Some(ms(90_350)));
        assert_eq!(session.needs(ms(90_350)), None);
        assert_eq!(session.needs(ms(90_350)), None);
        assert_eq!(session.timed_out(), Some(TimeoutError::Pong));
        assert!(session.outcome().is_some_and(|outcome| !outcome.clean));
        assert_eq!(session.send_text("late"), Err(SendError::Closed));
    }
    for_both_roles!(check);
}

/// Something like a handshake: a line, which is answered by another one.
fn greet(
    input: &mut &mut [u8],
    out: &mut ByteQueue,
) -> Result<Option<Negotiated<Server>>, &'static str> {
    match input.iter().position(|&byte| byte == b'\n') {
        None if input.len() > 10 => Err("too long"),
        None => Ok(None),
        Some(end) if input.starts_with(b"hello") => {
            *input = &mut std::mem::take(input)[end + 1..];
            out.append(b"welcome\n");
            Ok(Some(Server.into()))
        }
        Some(_) => {
            out.append(b"go away\n");
            Err("rude")
        }
    }
}

#[test]
fn sn5_the_opening_handshake_and_the_frames_after_it() {
    let mut bytes = b"hello\n".to_vec();
    bytes.extend(wire::<Server>(&[Frame::text("first")]));
    for cut in 0..=bytes.len() {
        let mut session = Session::<Server>::new(&Config::new(), &Timeouts::new(), NOW);
        assert_eq!(session.send_text("early"), Err(SendError::Closed));
        let mut seen = Vec::new();
        for bytes in [&bytes[..cut], &bytes[cut..]] {
            session.received(ms(7_000), bytes);
            assert_eq!(session.handshake(ms(7_000), greet), None);
            seen.extend(all(&mut session));
            assert!(session.needs(ms(7_000)).is_some_and(|needs| needs.read));
        }
        assert_eq!(seen, [OwnedMessage::Text("first".into())]);
        assert_eq!(session.output(), b"welcome\n");
        session.written(ms(7_000), 8);
        assert_eq!(session.needs(ms(7_000)).unwrap().wake, Some(ms(37_000)));
    }
}

#[test]
fn sn5_the_answer_to_a_bad_request_is_written() {
    let mut session = Session::<Server>::new(&Config::new(), &Timeouts::new(), NOW);
    session.received(ms(1), b"hi\n");
    assert_eq!(session.handshake(ms(1), greet), Some("rude"));
    assert_eq!(session.handshake(ms(1), greet), None, "it was answered");
    session.received(ms(2), b"discarded");
    let needs = session.needs(ms(2)).unwrap();
    assert!(needs.write && needs.read && !needs.shutdown);
    assert_eq!(session.output(), b"go away\n");
    session.written(ms(3), 8);
    let needs = session.needs(ms(3)).unwrap();
    assert!(!needs.write && needs.read && needs.shutdown);
    assert_eq!(needs.wake, Some(ms(5_003)));
    let mut until_eof = session;
    until_eof.recv_eof();
    assert_eq!(until_eof.needs(ms(4)), None);
    assert_eq!((until_eof.outcome(), until_eof.timed_out()), (None, None));
}

#[test]
fn sn5_tm1_a_handshake_that_does_not_end() {
    let mut session = Session::<Client>::new(&Config::new(), &Timeouts::new(), NOW);
    let asks = |_: &mut &mut [u8], out: &mut ByteQueue| {
        out.append(b"?");
        Ok::<_, ()>(None)
    };
    assert_eq!(session.handshake(NOW, asks), None);
    assert!(session.needs(NOW).is_some_and(|needs| needs.write));
    session.written(NOW, 1);
    assert_eq!(session.needs(NOW).unwrap().wake, Some(ms(10_000)));
    session.received(ms(9_999), b"x");
    assert!(session.needs(ms(10_050)).is_some());
    assert_eq!(session.needs(ms(10_150)), None);
    assert_eq!(session.timed_out(), Some(TimeoutError::Handshake));

    let mut session = Session::<Client>::new(&Config::new(), &Timeouts::new(), NOW);
    session.recv_eof();
    assert_eq!(session.needs(NOW), None);
    assert_eq!(session.timed_out(), None);
}

#[test]
fn sn6_messages_before_the_end_of_the_stream_are_received() {
    let frames: Vec<_> = (0..50).map(|i| Frame::text(i.to_string())).collect();
    let mut session = open::<Server>().with_high_water(20);
    session.received(NOW, &wire::<Server>(&frames));
    session.recv_eof();
    let mut seen = 0;
    loop {
        while let Some(OwnedMessage::Text(text)) = session.recv() {
            assert_eq!(text, seen.to_string());
            session.send_text(&text).unwrap();
            seen += 1;
        }
        let Some(needs) = session.needs(NOW) else {
            break;
        };
        assert!(needs.write && !needs.read);
        session.written(NOW, 7);
    }
    assert_eq!(seen, 50);
    // The message was echoed before the end was reported, and all output was written.
    assert!(session.output().is_empty());
    assert!(session.outcome().is_some());
}

/// Numbers that depend on a seed only.
struct Random(u64);

impl Random {
    /// A number below `n`.
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) % n.max(1)
    }
}

/// One direction of a connection, as TCP provides it: bytes on their way, of which a limited number
/// is accepted until the other end reads.
struct Pipe {
    capacity: usize,
    latency: u64,
    bytes: VecDeque<(u64, u8)>,
    has_ended: bool,
}

impl Pipe {
    fn room(&self) -> usize {
        self.capacity - self.bytes.len()
    }

    fn write(&mut self, now: u64, bytes: &[u8]) -> usize {
        let len = bytes.len().min(self.room());
        let arrival = now + self.latency;
        self.bytes
            .extend(bytes[..len].iter().map(|&byte| (arrival, byte)));
        len
    }

    fn read(&mut self, now: u64, most: usize) -> Vec<u8> {
        let arrived = |&&(arrival, _): &&(u64, u8)| arrival <= now;
        let len = self.bytes.iter().take(most).take_while(arrived).count();
        self.bytes.drain(..len).map(|(_, byte)| byte).collect()
    }

    /// Whether there is something to read: bytes, or the end.
    fn is_readable(&self, now: u64) -> bool {
        match self.bytes.front() {
            Some(&(arrival, _)) => arrival <= now,
            None => self.has_ended,
        }
    }
}

/// An endpoint that knows nothing of time: it reads and writes a few bytes now and then.
struct Peer<R> {
    ws: WebSocket<R>,
    out: Vec<u8>,
    period: u64,
    chunk: usize,
}

impl<R: TestRole> Peer<R> {
    fn step(&mut self, now: u64, from: &mut Pipe, to: &mut Pipe, random: &mut Random) {
        let mut bytes = from.read(now, self.chunk);
        if bytes.is_empty() && from.is_readable(now) {
            self.ws.recv_eof();
        }
        let mut input = &mut bytes[..];
        while self.ws.recv(&mut input, &mut self.out).is_some() {}
        if random.below(8) == 0 && self.out.len() < 4000 {
            let message = pattern(random.below(4000) as usize);
            let _ = self.ws.send_binary(&message, &mut self.out);
        }
        let len = self.out.len().min(self.chunk);
        let written = to.write(now, &self.out[..len]);
        self.out.drain(..written);
        to.has_ended |= self.out.is_empty() && self.ws.next_action() == Action::CloseTransport;
    }
}

/// The milliseconds of the timeouts: ping, pong, message, write, close, linger.
const TIMES: [u64; 6] = [5_000, 6_000, 8_000, 5_000, 15_000, 5_000];

/// A session in a simulated network. Returns when it ended, by the session's clock.
///
/// * The peer reads and writes slowly, or `seldom`, and dies at `death`, after which nothing
///   arrives.
/// * The driver is often late, at each of its steps, by up to `late`.
/// * The program sends at random, and closes at `close`.
fn simulate<R: TestRole>(
    seed: u64,
    seldom: bool,
    late: u64,
    death: u64,
    close: u64,
    end: u64,
) -> (Session<R>, Option<u64>) {
    let mut random = Random(seed);
    let [ping, pong, message, write, closing, linger] = TIMES.map(|time| Some(ms(time)));
    let timeouts = Timeouts::none()
        .with_ping(ping)
        .with_pong(pong)
        .with_message(message)
        .with_write(write)
        .with_close(closing)
        .with_linger(linger);
    let mut session =
        Session::open(R::make(), &Config::new(), &timeouts, NOW).with_high_water(2000);
    let [mut to_peer, mut from_peer] = [(); 2].map(|()| Pipe {
        capacity: 500 + random.below(6000) as usize,
        latency: random.below(200),
        bytes: VecDeque::new(),
        has_ended: false,
    });
    let mut peer = Peer {
        ws: WebSocket::new(R::Peer::make(), &Config::new()),
        out: Vec::new(),
        period: 1 + random.below(300),
        chunk: to_peer.capacity / 4 + 500,
    };
    // Seldom, but then it reads and writes everything: within most of the time for a Pong.
    if seldom {
        (peer.period, peer.chunk) = (4_000 + random.below(900), 10_000);
    }
    let (mut busy_until, mut has_io, mut next_send) = (0, false, 0);
    let mut needs = session.needs(NOW).unwrap();
    for now in 0..end {
        if now < death && now % peer.period == 0 {
            peer.step(now, &mut to_peer, &mut from_peer, &mut random);
        }
        if now < busy_until {
            continue;
        }
        let sends = now >= next_send || now == close;
        let is_ready = sends
            || needs.read && from_peer.is_readable(now)
            || needs.write && to_peer.room() > 0
            || needs.wake.is_some_and(|wake| wake <= ms(now));
        if !is_ready && !has_io {
            continue;
        }
        // Something of another connection comes first.
        if random.below(10) == 0 {
            busy_until = now + random.below(late + 1);
            continue;
        }
        if !has_io {
            has_io = true;
            if needs.read && from_peer.is_readable(now) {
                match &from_peer.read(now, 1 + random.below(3000) as usize)[..] {
                    [] => session.recv_eof(),
                    bytes => session.received(ms(now), bytes),
                }
            }
            while let Some(message) = session.recv() {
                if let OwnedMessage::Binary(bytes) = message {
                    if bytes.len() < 1000 {
                        let _ = session.send_binary(&bytes);
                    }
                }
            }
            if sends && session.output().len() < 20_000 {
                let _ = session.send_binary(&pattern(random.below(2000) as usize));
                next_send = now + random.below(4000);
            }
            if now >= close {
                let _ = session.close(code(1000), "");
            }
            if !session.output().is_empty() {
                let written = to_peer.write(now, session.output());
                session.written(ms(now), written);
            }
            continue;
        }
        has_io = false;
        match session.needs(ms(now)) {
            None => return (session, Some(now)),
            Some(next) => needs = next,
        }
        to_peer.has_ended |= needs.shutdown;
    }
    (session, None)
}

/// The most that a driver adds: a few steps, each late, and the grace.
const fn allowance(late: u64) -> u64 {
    8 * (late + 100)
}

proptest! {
    #![proptest_config(config(if cfg!(debug_assertions) { 100 } else { 1000 }))]

    #[test]
    fn tm10_no_live_peer_is_dropped(
        seed: u64,
        seldom: bool,
        late in prop_oneof![Just(0), 0..3_000_u64],
    ) {
        fn check<R: TestRole>(seed: u64, seldom: bool, late: u64) {
            let never = u64::MAX;
            let (session, ended) = simulate::<R>(seed, seldom, late, never, never, 60_000);
            assert_eq!((ended, session.timed_out()), (None, None));
        }
        for_both_roles!(check, seed, seldom, late);
    }

    #[test]
    fn tm10_no_dead_peer_is_kept(
        seed: u64,
        seldom: bool,
        late in prop_oneof![Just(0), 0..3_000_u64],
        death in 0..20_000_u64,
    ) {
        fn check<R: TestRole>(seed: u64, seldom: bool, late: u64, death: u64) {
            let [ping, pong, _, write, ..] = TIMES;
            let end = death + 200 + ping + pong + write + allowance(late);
            let (session, ended) = simulate::<R>(seed, seldom, late, death, u64::MAX, end);
            assert!(ended.is_some(), "{session:?}");
            assert!(session.timed_out().is_some());
        }
        for_both_roles!(check, seed, seldom, late, death);
    }

    /// However slowly the peer reads the 20 kB before the Close, it reads 600 bytes in 300 ms.
    #[test]
    fn tm10_closing_ends(
        seed: u64,
        late in prop_oneof![Just(0), 0..1_000_u64],
        death in prop_oneof![Just(u64::MAX), 0..20_000_u64],
        close in 0..20_000_u64,
    ) {
        fn check<R: TestRole>(seed: u64, late: u64, death: u64, close: u64) {
            let [ping, pong, _, write, closing, linger] = TIMES;
            let begin = close.max(if death == u64::MAX { 0 } else { death });
            let reading = 15_000 + 5 * late;
            let end = begin + reading + ping + pong + write + closing + linger + allowance(late);
            let (session, ended) = simulate::<R>(seed, false, late, death, close, end);
            assert!(ended.is_some(), "{session:?}");
            if death == u64::MAX {
                assert_eq!(session.timed_out(), None);
                assert!(session.outcome().unwrap().clean);
            }
        }
        for_both_roles!(check, seed, late, death, close);
    }
}
