//! Time: the traps that drivers fell into, one by one, and any sequence of calls compared with a
//! model that counts milliseconds one by one.

use proptest::collection::vec;
use proptest::prelude::*;
use std::collections::VecDeque;
use std::time::Duration;
use ws_proto::{Action, Deadlines, Due, Status, TimeoutError, Timeouts};

const fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

const fn later(n: u64) -> Due {
    Due::Later(Some(ms(n)))
}

const fn ping(n: u8) -> Due {
    Due::Ping([0, 0, 0, 0, 0, 0, 0, n])
}

/// Nothing waits, and nothing is incomplete.
const IDLE: Status = Status {
    action: Action::Continue,
    waiting: 0,
    reading: true,
    message: None,
};

const fn waiting(n: usize) -> Status {
    Status { waiting: n, ..IDLE }
}

const fn message(progress: u64) -> Status {
    Status {
        message: Some(progress),
        ..IDLE
    }
}

const fn action(action: Action) -> Status {
    Status { action, ..IDLE }
}

/// All different, so that none is taken for another.
const TIMEOUTS: Timeouts = Timeouts::new()
    .with_handshake(Some(ms(10_000)))
    .with_ping(Some(ms(30_000)))
    .with_pong(Some(ms(20_000)))
    .with_message(Some(ms(45_000)))
    .with_write(Some(ms(15_000)))
    .with_close(Some(ms(7_000)))
    .with_linger(Some(ms(3_000)));

fn open() -> Deadlines {
    let mut deadlines = Deadlines::new(&TIMEOUTS, ms(0));
    deadlines.opened(ms(0));
    deadlines
}

/// Open, and a Ping was written at 30 s.
fn pinged() -> Deadlines {
    let mut deadlines = open();
    assert_eq!(deadlines.check(ms(0), &IDLE), later(30_000));
    assert_eq!(deadlines.check(ms(30_000), &IDLE), ping(1));
    assert_eq!(deadlines.check(ms(30_000), &waiting(14)), later(45_000));
    deadlines.written(ms(30_000), 14);
    assert_eq!(deadlines.check(ms(30_000), &IDLE), later(50_000));
    deadlines
}

/// The drop, with the grace that goes before it.
#[track_caller]
fn drops(deadlines: &mut Deadlines, at: u64, status: &Status, reason: TimeoutError) {
    assert_eq!(deadlines.check(ms(at - 1), status), later(at));
    assert_eq!(deadlines.check(ms(at), status), later(at + 100));
    assert_eq!(deadlines.check(ms(at + 99), status), later(at + 100));
    assert_eq!(deadlines.check(ms(at + 100), status), Due::Drop(reason));
    assert_eq!(deadlines.check(ms(at + 101), status), Due::Drop(reason));
}

#[test]
fn tm1_the_time_for_the_handshake_is_not_extended() {
    let mut deadlines = Deadlines::new(&TIMEOUTS, ms(0));
    for at in (0..10_000).step_by(500) {
        deadlines.received(ms(at), 1);
        assert_eq!(deadlines.check(ms(at), &IDLE), later(10_000));
    }
    drops(&mut deadlines, 10_000, &IDLE, TimeoutError::Handshake);
    // It ends with the handshake. Silence counts from there.
    deadlines.opened(ms(10_050));
    assert_eq!(deadlines.check(ms(10_101), &IDLE), later(40_101));
    deadlines.opened(ms(20_000));
    assert_eq!(deadlines.check(ms(20_000), &IDLE), later(40_101));
}

#[test]
fn tm1_tm8_a_refusal_is_written_and_read_to_its_end() {
    let mut deadlines = Deadlines::new(&TIMEOUTS, ms(0));
    let refused = Status {
        waiting: 100,
        ..action(Action::CloseTransport)
    };
    assert_eq!(deadlines.check(ms(9_000), &refused), later(24_000));
    deadlines.written(ms(20_000), 100);
    let refused = action(Action::CloseTransport);
    assert_eq!(deadlines.check(ms(20_000), &refused), later(23_000));
    let linger = Due::Drop(TimeoutError::Linger);
    assert_eq!(deadlines.check(ms(23_000), &refused), linger);
}

#[test]
fn tm2_a_ping_is_sent_after_silence_only() {
    let mut deadlines = open();
    for at in (0..100_000).step_by(29_999) {
        deadlines.received(ms(at), 1);
        assert_eq!(deadlines.check(ms(at), &IDLE), later(at + 30_000));
        // Our own messages are no sign of the peer's life.
        deadlines.written(ms(at + 10_000), 1000);
        assert_eq!(deadlines.check(ms(at + 10_000), &IDLE), later(at + 30_000));
    }
    // Reading nothing is no sign, either.
    deadlines.received(ms(110_000), 0);
    assert_eq!(deadlines.check(ms(110_000), &IDLE), later(119_997));
    assert_eq!(deadlines.check(ms(119_997), &IDLE), ping(1));
    // One Ping, until it is answered or something else arrives.
    assert_eq!(deadlines.check(ms(119_997), &IDLE), later(139_997));
    deadlines.received(ms(120_000), 14);
    deadlines.pong(&[0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(deadlines.check(ms(120_000), &IDLE), later(150_000));
    assert_eq!(deadlines.check(ms(150_000), &IDLE), ping(2));
}

#[test]
fn tm2_without_a_time_for_the_pong_pings_are_repeated() {
    let mut deadlines = Deadlines::new(&TIMEOUTS.with_pong(None), ms(0));
    deadlines.opened(ms(0));
    assert_eq!(deadlines.check(ms(30_000), &IDLE), ping(1));
    assert_eq!(deadlines.check(ms(30_001), &IDLE), later(60_001));
    assert_eq!(deadlines.check(ms(60_001), &IDLE), ping(2));
    // Not without end, even if no time lies between them.
    let zero = Timeouts::none().with_ping(Some(Duration::ZERO));
    let mut deadlines = Deadlines::new(&zero, ms(0));
    deadlines.opened(ms(0));
    assert_eq!(deadlines.check(ms(100), &IDLE), ping(1));
    assert_eq!(deadlines.check(ms(100), &IDLE), later(200));
}

#[test]
fn tm3_only_its_pong_answers_a_ping_and_gives_the_round_trip_time() {
    let mut deadlines = pinged();
    deadlines.received(ms(30_500), 10);
    for other in [&[0; 8][..], &[0, 0, 0, 0, 0, 0, 0, 2], b"", &[1], &[0; 125]] {
        deadlines.pong(other);
        assert_eq!(deadlines.round_trip_time(), None);
    }
    deadlines.received(ms(31_000), 10);
    deadlines.pong(&[0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(deadlines.round_trip_time(), Some(ms(1000)));
    // The same again is unsolicited.
    deadlines.received(ms(40_000), 10);
    deadlines.pong(&[0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(deadlines.round_trip_time(), Some(ms(1000)));
    // A later one answers the earlier one, too, and the earlier one not the later.
    assert_eq!(deadlines.check(ms(70_000), &IDLE), ping(2));
    assert_eq!(deadlines.check(ms(70_000), &IDLE), later(90_000));
    deadlines.received(ms(70_100), 10);
    assert_eq!(deadlines.check(ms(100_100), &IDLE), ping(3));
    assert_eq!(deadlines.check(ms(100_100), &IDLE), later(120_100));
    deadlines.received(ms(100_300), 20);
    deadlines.pong(&[0, 0, 0, 0, 0, 0, 0, 2]);
    assert_eq!(deadlines.round_trip_time(), Some(ms(1000)));
    deadlines.pong(&[0, 0, 0, 0, 0, 0, 0, 3]);
    assert_eq!(deadlines.round_trip_time(), Some(ms(200)));
}

#[test]
fn tm3_a_pong_before_its_ping_was_reported_as_written_gives_no_time() {
    let mut deadlines = open();
    assert_eq!(deadlines.check(ms(30_000), &IDLE), ping(1));
    deadlines.received(ms(30_001), 10);
    deadlines.pong(&[0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(deadlines.round_trip_time(), None);
    assert_eq!(deadlines.check(ms(30_001), &IDLE), later(60_001));
}

#[test]
fn tm4_a_silent_peer_is_dropped() {
    let mut deadlines = pinged();
    drops(&mut deadlines, 50_000, &IDLE, TimeoutError::Pong);
}

/// After megabytes of messages, or inside one large frame, no Pong can arrive.
#[test]
fn tm4_whatever_arrives_shows_that_the_peer_is_alive() {
    let mut deadlines = pinged();
    let mut progress = 0;
    for at in (30_000..200_000).step_by(19_999) {
        deadlines.received(ms(at), 1);
        progress += 1;
        assert_eq!(
            deadlines.check(ms(at), &message(progress)),
            later(at + 30_000)
        );
    }
    // The next Ping goes out after silence.
    let last = 30_000 + 8 * 19_999;
    assert_eq!(
        deadlines.check(ms(last + 30_000), &message(progress)),
        ping(2)
    );
}

/// A peer cannot read a Ping that still waits.
#[test]
fn tm4_the_time_for_the_pong_counts_from_when_the_ping_was_written() {
    let mut deadlines = open();
    assert_eq!(deadlines.check(ms(30_000), &IDLE), ping(1));
    // A message was appended with it.
    assert_eq!(deadlines.check(ms(30_000), &waiting(1014)), later(45_000));
    for at in [40_000, 50_000, 60_000] {
        deadlines.written(ms(at), 300);
        let left = waiting(1014 - (at as usize - 30_000) * 3 / 100);
        assert_eq!(deadlines.check(ms(at), &left), later(at + 15_000));
    }
    deadlines.written(ms(70_000), 114);
    assert_eq!(deadlines.check(ms(70_000), &IDLE), later(90_000));
}

#[test]
fn tm5_while_output_waits_a_missing_pong_is_not_the_peers_fault() {
    let mut deadlines = pinged();
    assert_eq!(deadlines.check(ms(31_000), &IDLE), later(50_000));
    // The peer accepts a byte now and then, and is not read.
    assert_eq!(deadlines.check(ms(40_000), &waiting(50)), later(55_000));
    for at in (50_000..500_000).step_by(10_000) {
        deadlines.written(ms(at), 1);
        assert_eq!(deadlines.check(ms(at), &waiting(5)), later(at + 15_000));
    }
    // 10 of the 20 seconds were over.
    deadlines.written(ms(500_000), 5);
    assert_eq!(deadlines.check(ms(500_000), &IDLE), later(510_000));
    drops(&mut deadlines, 510_000, &IDLE, TimeoutError::Pong);
}

#[test]
fn tm5_while_the_driver_does_not_read_silence_does_not_count() {
    let mut deadlines = open();
    let busy = Status {
        reading: false,
        ..message(7)
    };
    assert_eq!(deadlines.check(ms(10_000), &busy), Due::Later(None));
    assert_eq!(deadlines.check(ms(900_000), &busy), Due::Later(None));
    assert_eq!(deadlines.check(ms(900_000), &message(7)), later(920_000));
    assert_eq!(deadlines.check(ms(920_000), &message(7)), ping(1));
    assert_eq!(deadlines.check(ms(920_000), &message(7)), later(940_000));
    deadlines.received(ms(930_000), 1);
    drops(&mut deadlines, 945_000, &message(7), TimeoutError::Message);
}

/// A server that sends each second, to a peer that is gone: the system accepts megabytes for it.
#[test]
fn tm5_output_that_is_accepted_at_once_delays_nothing() {
    let mut deadlines = open();
    let mut dropped = None;
    for at in (0..=50_500).step_by(500) {
        assert_eq!(dropped, None);
        if at % 1000 == 0 {
            assert!(matches!(
                deadlines.check(ms(at), &waiting(100)),
                Due::Later(_)
            ));
            deadlines.written(ms(at), 100);
        }
        if let Due::Ping(_) = deadlines.check(ms(at), &IDLE) {
            assert!(matches!(
                deadlines.check(ms(at), &waiting(10)),
                Due::Later(_)
            ));
            deadlines.written(ms(at), 10);
        }
        if let Due::Drop(reason) = deadlines.check(ms(at), &IDLE) {
            dropped = Some((at, reason));
        }
    }
    assert_eq!(dropped, Some((50_500, TimeoutError::Pong)));
}

#[test]
fn tm5_output_that_makes_no_progress_ends_the_connection() {
    for (mut deadlines, status) in [
        (Deadlines::new(&TIMEOUTS.with_handshake(None), ms(0)), IDLE),
        (open(), IDLE),
        (open(), action(Action::AwaitClose)),
        (open(), action(Action::CloseTransport)),
    ] {
        let with = |waiting| Status { waiting, ..status };
        assert_eq!(deadlines.check(ms(5_000), &with(100)), later(20_000));
        // More output is no progress, nor is input.
        deadlines.received(ms(6_000), 10);
        assert_eq!(deadlines.check(ms(10_000), &with(200)), later(20_000));
        deadlines.written(ms(12_000), 1);
        deadlines.written(ms(13_000), 0);
        drops(&mut deadlines, 27_000, &with(199), TimeoutError::Write);
    }
}

#[test]
fn tm6_fg11_f4_a_message_without_progress_ends_the_connection() {
    let mut deadlines = open();
    for (at, progress) in [(0, 0), (40_000, 1), (80_000, 500)] {
        deadlines.received(ms(at), 1);
        assert_ne!(deadlines.check(ms(at), &message(progress)), ping(1));
    }
    // Pongs arrive, and the message does not.
    for at in [90_000, 100_000, 110_000] {
        deadlines.received(ms(at), 10);
        assert_ne!(deadlines.check(ms(at), &message(500)), ping(1));
    }
    drops(
        &mut deadlines,
        125_000,
        &message(500),
        TimeoutError::Message,
    );
    // Neither between messages nor in the next one is it due.
    assert_eq!(deadlines.check(ms(125_100), &IDLE), later(140_000));
    deadlines.received(ms(130_000), 10);
    assert_eq!(deadlines.check(ms(130_000), &message(501)), later(160_000));
    assert_eq!(deadlines.check(ms(160_000), &message(501)), ping(1));
    assert_eq!(deadlines.check(ms(160_000), &message(501)), later(175_000));
}

#[test]
fn tm7_no_traffic_extends_the_time_for_closing() {
    let mut deadlines = pinged();
    let closing = |waiting| Status {
        waiting,
        message: Some(5),
        ..action(Action::AwaitClose)
    };
    // The Close waits after some output, and counts from when it was written. A Pong waits then.
    assert_eq!(deadlines.check(ms(31_000), &closing(500)), later(46_000));
    deadlines.written(ms(40_000), 499);
    assert_eq!(deadlines.check(ms(40_000), &closing(11)), later(55_000));
    deadlines.written(ms(41_000), 1);
    assert_eq!(deadlines.check(ms(41_000), &closing(10)), later(48_000));
    for at in (41_000..48_000).step_by(10) {
        deadlines.received(ms(at), 100);
        deadlines.written(ms(at), 5);
        assert_eq!(deadlines.check(ms(at), &closing(5)), later(48_000));
    }
    // No Ping follows a Close, and the message may be incomplete.
    drops(&mut deadlines, 48_000, &closing(0), TimeoutError::Close);
}

#[test]
fn tm8_the_time_for_the_end_of_the_stream_counts_from_the_last_byte() {
    let mut deadlines = open();
    assert_eq!(
        deadlines.check(ms(0), &action(Action::AwaitClose)),
        later(7_000)
    );
    let closed = |waiting| Status {
        waiting,
        ..action(Action::CloseTransport)
    };
    assert_eq!(deadlines.check(ms(5_000), &closed(10)), later(20_000));
    deadlines.written(ms(10_000), 9);
    assert_eq!(deadlines.check(ms(10_000), &closed(1)), later(25_000));
    deadlines.written(ms(20_000), 1);
    for at in (20_000..23_000).step_by(10) {
        deadlines.received(ms(at), 100);
        assert_eq!(deadlines.check(ms(at), &closed(0)), later(23_000));
    }
    let linger = Due::Drop(TimeoutError::Linger);
    assert_eq!(deadlines.check(ms(23_000), &closed(0)), linger);

    let mut deadlines = Deadlines::new(&TIMEOUTS.with_linger(Some(Duration::ZERO)), ms(0));
    assert_eq!(deadlines.check(ms(0), &closed(1)), later(15_000));
    deadlines.written(ms(0), 1);
    assert_eq!(deadlines.check(ms(0), &closed(0)), linger);
}

/// The driver was busy, or suspended: the Pong is in the socket.
#[test]
fn tm9_a_late_call_drops_no_peer_that_was_in_time() {
    for late in [0, 1, 99, 5_000, 1_000_000_000] {
        let mut deadlines = pinged();
        let now = 50_000 + late;
        assert_eq!(deadlines.check(ms(now), &IDLE), later(now + 100));
        deadlines.received(ms(now + 1), 14);
        assert_eq!(deadlines.check(ms(now + 1), &IDLE), later(now + 30_001));
        // The next one has a grace of its own.
        let now = now + 30_001;
        assert_eq!(deadlines.check(ms(now), &IDLE), ping(2));
        assert_eq!(deadlines.check(ms(now), &IDLE), later(now + 20_000));
        let now = now + 20_000 + late;
        assert_eq!(deadlines.check(ms(now), &IDLE), later(now + 100));
        assert_eq!(
            deadlines.check(ms(now + 100), &IDLE),
            Due::Drop(TimeoutError::Pong)
        );
    }
}

#[test]
fn tm9_further_calls_change_nothing() {
    let (mut few, mut many) = (pinged(), pinged());
    let mut last = None;
    for at in (30_000..50_300).step_by(100) {
        for _ in 0..3 {
            many.opened(ms(at));
            many.received(ms(at), 0);
            many.written(ms(at), 0);
            last = Some(many.check(ms(at), &IDLE));
        }
        assert_eq!(last, Some(few.check(ms(at), &IDLE)));
    }
    assert_eq!(last, Some(Due::Drop(TimeoutError::Pong)));
}

#[test]
fn tm9_time_that_goes_back_stands_still() {
    let mut deadlines = pinged();
    for at in [49_999, 0, 20_000, 49_999] {
        assert_eq!(deadlines.check(ms(at), &IDLE), later(50_000));
    }
    assert_eq!(deadlines.check(ms(50_000), &IDLE), later(50_100));
    deadlines.received(ms(0), 1);
    assert_eq!(deadlines.check(ms(0), &IDLE), later(80_000));
    // The ends of time.
    for now in [Duration::ZERO, Duration::MAX] {
        let mut deadlines = Deadlines::new(&TIMEOUTS, now);
        deadlines.opened(Duration::MAX);
        deadlines.received(Duration::MAX, usize::MAX);
        deadlines.written(Duration::MAX, usize::MAX);
        deadlines.written(Duration::MAX, usize::MAX);
        for status in [IDLE, waiting(usize::MAX), message(u64::MAX)] {
            assert_eq!(deadlines.check(Duration::MAX, &status), Due::Later(None));
        }
    }
}

#[test]
fn tm11_each_timeout_is_optional() {
    let all = [
        TIMEOUTS.handshake(),
        TIMEOUTS.ping(),
        TIMEOUTS.pong(),
        TIMEOUTS.message(),
        TIMEOUTS.write(),
        TIMEOUTS.close(),
        TIMEOUTS.linger(),
    ];
    let seconds = [10, 30, 20, 45, 15, 7, 3];
    assert_eq!(all, seconds.map(|n| Some(Duration::from_secs(n))));
    let none = TIMEOUTS
        .with_handshake(None)
        .with_ping(None)
        .with_pong(None)
        .with_message(None)
        .with_write(None)
        .with_close(None)
        .with_linger(None);
    assert_eq!(none, Timeouts::none());
    assert_eq!(none.ping(), None);
    assert_eq!(Timeouts::new(), Timeouts::default());
    let mut deadlines = Deadlines::new(&none, ms(0));
    for status in [IDLE, waiting(5), message(5)] {
        assert_eq!(deadlines.check(ms(1_000_000), &status), Due::Later(None));
        deadlines.opened(ms(1_000_000));
    }
    for status in [action(Action::AwaitClose), action(Action::CloseTransport)] {
        assert_eq!(deadlines.check(ms(9_000_000), &status), Due::Later(None));
    }
}

/// Of two that are due at the same time, it is always the same one.
#[test]
fn tm11_ties_are_resolved() {
    let second = Some(ms(1000));
    let timeouts = TIMEOUTS.with_write(second).with_handshake(second);
    let mut deadlines = Deadlines::new(&timeouts, ms(0));
    assert_eq!(deadlines.check(ms(0), &waiting(5)), later(1000));
    drops(&mut deadlines, 1000, &waiting(5), TimeoutError::Handshake);
    // A Ping goes first.
    let timeouts = Timeouts::none().with_ping(second).with_message(second);
    let mut deadlines = Deadlines::new(&timeouts, ms(0));
    deadlines.opened(ms(0));
    assert_eq!(deadlines.check(ms(0), &message(1)), later(1000));
    assert_eq!(deadlines.check(ms(1000), &message(1)), ping(1));
    assert_eq!(deadlines.check(ms(1000), &message(1)), later(1100));
}

/// An event, before a call of `check` some time later.
#[derive(Debug, Clone)]
enum Event {
    Opened,
    Received(usize),
    /// The Pong to this many Pings before the last one.
    Pong(u64),
    Append(usize),
    Written(usize),
    Reading(bool),
    /// The message in progress grows by so much, if there is one.
    Message(Option<u64>),
    Action(Action),
    Nothing,
}

fn events() -> impl Strategy<Value = Vec<(Event, u64)>> {
    let event = prop_oneof![
        2 => Just(Event::Opened),
        4 => (0..3_usize).prop_map(Event::Received),
        2 => (0..3_u64).prop_map(Event::Pong),
        2 => (1..50_usize).prop_map(Event::Append),
        4 => (0..60_usize).prop_map(Event::Written),
        1 => any::<bool>().prop_map(Event::Reading),
        3 => proptest::option::of(0..3_u64).prop_map(Event::Message),
        1 => prop_oneof![
            3 => Just(Action::Continue),
            1 => Just(Action::AwaitClose),
            1 => Just(Action::CloseTransport),
        ].prop_map(Event::Action),
        8 => Just(Event::Nothing),
    ];
    let wait = prop_oneof![4 => 0..40_u64, 4 => 0..400_u64, 1 => 0..4000_u64];
    vec((event, wait), 1..60)
}

fn timeouts() -> impl Strategy<Value = [Option<u64>; 7]> {
    let timeout = prop_oneof![1 => Just(None), 6 => (0..1000_u64).prop_map(Some)];
    [(); 7].map(|()| timeout.clone())
}

/// Counts milliseconds, each by itself.
struct Model {
    timeouts: [Option<u64>; 7],
    now: u64,
    phase: usize,
    /// The milliseconds of the phase, if they count.
    phase_age: Option<u64>,
    listens: bool,
    silence: u64,
    awaits_pong: bool,
    message: Option<u64>,
    message_age: u64,
    stall: Option<u64>,
    /// Each byte that waits, and whether it is the last one of the Ping, or of the phase.
    output: VecDeque<[bool; 2]>,
    pings: u64,
    /// The milliseconds since the Ping was due or written.
    ping_age: Option<u64>,
    ping_is_due: bool,
    ping_is_written: bool,
    round_trip: Option<u64>,
    passed: Option<(i64, u64)>,
}

const HANDSHAKE: usize = 0;
const OPEN: usize = 1;

impl Model {
    fn new(timeouts: [Option<u64>; 7]) -> Self {
        Self {
            timeouts,
            now: 0,
            phase: HANDSHAKE,
            phase_age: Some(0),
            listens: true,
            silence: 0,
            awaits_pong: false,
            message: None,
            message_age: 0,
            stall: None,
            output: VecDeque::new(),
            pings: 0,
            ping_age: None,
            ping_is_due: false,
            ping_is_written: false,
            round_trip: None,
            passed: None,
        }
    }

    fn tick(&mut self) {
        self.now += 1;
        if self.listens {
            self.silence += 1;
            self.message_age += 1;
        }
        for age in [&mut self.phase_age, &mut self.stall, &mut self.ping_age] {
            *age = age.map(|age| age + 1);
        }
    }

    fn ping_written(&mut self) {
        self.ping_age = Some(0);
        self.ping_is_written = true;
        self.silence = 0;
        self.awaits_pong = true;
    }

    fn written(&mut self, len: usize) {
        for _ in 0..len {
            let Some([ends_ping, ends_phase]) = self.output.pop_front() else {
                break;
            };
            self.stall = self.stall.map(|_| 0);
            if ends_ping && self.ping_age.is_some() {
                self.ping_written();
            }
            if ends_phase {
                self.phase_age = Some(0);
            }
        }
    }

    fn check(&mut self, action: Action, reading: bool, message: Option<u64>) -> Due {
        self.stall = if self.output.is_empty() {
            None
        } else {
            self.stall.or(Some(0))
        };
        self.listens = reading && self.output.is_empty();
        if self.message != message {
            (self.message, self.message_age) = (message, 0);
        }
        let phase = match action {
            Action::Continue => self.phase,
            Action::AwaitClose => self.phase.max(2),
            Action::CloseTransport => 3,
        };
        if phase != self.phase {
            self.phase = phase;
            self.phase_age = None;
            // Only the last mark counts.
            self.output.iter_mut().for_each(|byte| byte[1] = false);
            match self.output.back_mut() {
                Some(last) => last[1] = true,
                None => self.phase_age = Some(0),
            }
        }
        if self.ping_is_due {
            self.ping_is_due = false;
            self.output.iter_mut().for_each(|byte| byte[0] = false);
            match self.output.back_mut() {
                Some(last) => last[0] = true,
                None => self.ping_written(),
            }
        }

        let [handshake, ping, pong, message, write, close, linger] = self.timeouts;
        let may_ping = self.phase == OPEN && self.listens && !(self.awaits_pong && pong.is_some());
        let ping_in = ping
            .filter(|_| may_ping)
            .map(|ping| ping.max(100) as i64 - self.silence as i64);
        if ping_in.is_some_and(|left| left <= 0) {
            self.pings += 1;
            self.ping_is_due = true;
            self.ping_is_written = false;
            self.ping_age = Some(0);
            return Due::Ping(self.pings.to_be_bytes());
        }
        let is_open = self.phase == OPEN && self.listens;
        let silence = (is_open && self.awaits_pong).then_some(self.silence);
        let message_age = (is_open && self.message.is_some()).then_some(self.message_age);
        let of_phase = |phase| self.phase_age.filter(|_| self.phase == phase);
        let first = [
            (handshake, of_phase(HANDSHAKE), TimeoutError::Handshake),
            (pong, silence, TimeoutError::Pong),
            (close, of_phase(2), TimeoutError::Close),
            (linger, of_phase(3), TimeoutError::Linger),
            (message, message_age, TimeoutError::Message),
            (write, self.stall, TimeoutError::Write),
        ]
        .into_iter()
        .filter_map(|(timeout, age, reason)| Some((timeout? as i64 - age? as i64, reason)))
        .min_by_key(|&(left, _)| left);
        let now = self.now as i64;
        let drop_in = match first {
            Some((left, reason)) if left <= 0 => {
                let grace = if reason == TimeoutError::Linger {
                    0
                } else {
                    100
                };
                let (_, end) = *self.passed.insert(match self.passed {
                    Some((at, end)) if at == now + left => (at, end),
                    _ => (now + left, self.now + grace),
                });
                if reason == TimeoutError::Linger || end <= self.now {
                    return Due::Drop(reason);
                }
                Some(end as i64 - now)
            }
            first => first.map(|(left, _)| left),
        };
        let least = [ping_in, drop_in].into_iter().flatten().min();
        Due::Later(least.map(|left| ms((now + left) as u64)))
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(debug_assertions) { 500 } else { 20_000 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn tm1_tm2_tm3_tm4_tm5_tm6_tm7_tm8_tm9_tm11_any_calls_are_those_of_a_model_that_counts(
        times in timeouts(),
        events in events(),
        back in 0..100_u64,
    ) {
        let [handshake, ping, pong, message, write, close, linger] = times.map(|time| time.map(ms));
        let timeouts = Timeouts::none()
            .with_handshake(handshake)
            .with_ping(ping)
            .with_pong(pong)
            .with_message(message)
            .with_write(write)
            .with_close(close)
            .with_linger(linger);
        let mut deadlines = Deadlines::new(&timeouts, ms(0));
        let mut model = Model::new(times);
        let mut status = IDLE;
        for (event, wait) in events {
            let now = ms(model.now);
            match event {
                Event::Opened => {
                    deadlines.opened(now);
                    if model.phase == HANDSHAKE {
                        (model.phase, model.phase_age, model.silence) = (OPEN, None, 0);
                    }
                }
                Event::Received(len) => {
                    deadlines.received(now, len);
                    if len > 0 {
                        (model.silence, model.awaits_pong) = (0, false);
                    }
                }
                Event::Pong(before) => {
                    deadlines.pong(&model.pings.wrapping_sub(before).to_be_bytes());
                    if before == 0 && model.ping_age.is_some() {
                        if model.ping_is_written {
                            model.round_trip = model.ping_age;
                        }
                        (model.ping_age, model.ping_is_due) = (None, false);
                    }
                }
                Event::Append(len) => model.output.extend(vec![[false; 2]; len]),
                Event::Written(len) => {
                    let len = len.min(model.output.len());
                    deadlines.written(now, len);
                    model.written(len);
                }
                Event::Reading(reading) => status.reading = reading,
                Event::Message(None) => status.message = None,
                Event::Message(Some(more)) => {
                    status.message = Some(status.message.or(model.message).unwrap_or(0) + more);
                }
                Event::Action(action) => status.action = action,
                Event::Nothing => {}
            }
            // Whatever happens is followed by a call, and the next one comes when it likes.
            for wait in [0, wait] {
                (0..wait).for_each(|_| model.tick());
                status.waiting = model.output.len();
                let due = model.check(status.action, status.reading, status.message);
                prop_assert_eq!(deadlines.check(ms(model.now), &status), due);
                if let Due::Ping(_) = due {
                    model.output.extend([[false; 2]; 14]);
                }
                // A call with an earlier time is one at the same time.
                let earlier = ms(model.now.saturating_sub(back));
                status.waiting = model.output.len();
                let due = model.check(status.action, status.reading, status.message);
                prop_assert_eq!(deadlines.check(earlier, &status), due);
                prop_assert_eq!(deadlines.round_trip_time(), model.round_trip.map(ms));
            }
        }
    }
}
