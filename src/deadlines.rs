//! Time as data: the current time goes in, the next deadline comes out. There is no clock and no
//! timer here, and nothing about frames: a connection is known by its [`Action`], its output by the
//! number of bytes that wait, and its peer by the bytes that arrive.

use crate::action::Action;
use core::time::Duration;
use core::{error, fmt};

/// The times after which [`Deadlines`] drops a connection, or sends a Ping. With `None`, the time
/// is not limited.
///
/// The defaults suit a server on the open internet.
///
/// ```
/// use std::time::Duration;
/// use ws_proto::Timeouts;
///
/// let timeouts = Timeouts::new()
///     .with_ping(Some(Duration::from_secs(20)))
///     .with_message(None);
/// assert_eq!(timeouts.close(), Some(Duration::from_secs(10)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub struct Timeouts {
    handshake: Time,
    ping: Time,
    pong: Time,
    message: Time,
    write: Time,
    close: Time,
    linger: Time,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self::new()
    }
}

impl Timeouts {
    /// Creates the default timeouts.
    pub const fn new() -> Self {
        const fn seconds(seconds: u64) -> Time {
            Time::new(Duration::from_secs(seconds))
        }
        Self {
            handshake: seconds(10),
            ping: seconds(30),
            pong: seconds(30),
            message: seconds(60),
            write: seconds(30),
            close: seconds(10),
            linger: seconds(5),
        }
    }

    /// Creates timeouts of which none is set.
    pub const fn none() -> Self {
        Self {
            handshake: Time::NEVER,
            ping: Time::NEVER,
            pong: Time::NEVER,
            message: Time::NEVER,
            write: Time::NEVER,
            close: Time::NEVER,
            linger: Time::NEVER,
        }
    }

    /// Sets the time for the opening handshake, from the start on. Nothing extends it, so that a
    /// client that sends a byte now and then does not keep its connection. Default: 10 seconds.
    pub const fn with_handshake(mut self, timeout: Option<Duration>) -> Self {
        self.handshake = Time::or_never(timeout);
        self
    }

    /// Returns the time for the opening handshake.
    #[must_use]
    pub const fn handshake(&self) -> Option<Duration> {
        self.handshake.get()
    }

    /// Sets the time without received bytes after which a Ping is sent. Default: 30 seconds, half
    /// of the time after which widespread proxies and load balancers end a connection without
    /// traffic. Less than 100 milliseconds have the effect of 100.
    pub const fn with_ping(mut self, timeout: Option<Duration>) -> Self {
        self.ping = Time::or_never(timeout);
        self
    }

    /// Returns the time without received bytes after which a Ping is sent.
    #[must_use]
    pub const fn ping(&self) -> Option<Duration> {
        self.ping.get()
    }

    /// Sets the time that a peer may remain silent after the Ping was written. Default: 30 seconds,
    /// since the bytes that were written before the Ping, and still are in the socket's buffer,
    /// must reach the peer first. With `None`, Pings only keep the connection in use.
    pub const fn with_pong(mut self, timeout: Option<Duration>) -> Self {
        self.pong = Time::or_never(timeout);
        self
    }

    /// Returns the time that a peer may remain silent after the Ping was written.
    #[must_use]
    pub const fn pong(&self) -> Option<Duration> {
        self.pong.get()
    }

    /// Sets the time that a message may remain incomplete without a further byte of it: a peer that
    /// begins messages occupies memory until it ends them. Control frames do not extend it.
    /// Default: 60 seconds. A peer that streams fragments with longer breaks needs more, or `None`.
    pub const fn with_message(mut self, timeout: Option<Duration>) -> Self {
        self.message = Time::or_never(timeout);
        self
    }

    /// Returns the time that a message may remain incomplete without a further byte of it.
    #[must_use]
    pub const fn message(&self) -> Option<Duration> {
        self.message.get()
    }

    /// Sets the time that output may wait without a byte of it being accepted by the socket.
    /// Default: 30 seconds. With `None`, a peer that is gone while output waits is not noticed,
    /// since its silence does not count then.
    pub const fn with_write(mut self, timeout: Option<Duration>) -> Self {
        self.write = Time::or_never(timeout);
        self
    }

    /// Returns the time that output may wait without a byte of it being accepted by the socket.
    #[must_use]
    pub const fn write(&self) -> Option<Duration> {
        self.write.get()
    }

    /// Sets the time for the rest of the closing handshake, after the Close was written: until the
    /// peer's Close, and for a client until the end of the stream. Nothing extends it. Default: 10
    /// seconds.
    pub const fn with_close(mut self, timeout: Option<Duration>) -> Self {
        self.close = Time::or_never(timeout);
        self
    }

    /// Returns the time for the rest of the closing handshake.
    #[must_use]
    pub const fn close(&self) -> Option<Duration> {
        self.close.get()
    }

    /// Sets the time for which input is discarded after the last byte was written, until the stream
    /// ends, so that the peer receives everything ([`Action::CloseTransport`]). Nothing extends it.
    /// Default: 5 seconds. With zero, the transport is closed at once.
    pub const fn with_linger(mut self, timeout: Option<Duration>) -> Self {
        self.linger = Time::or_never(timeout);
        self
    }

    /// Returns the time for which input is discarded after the last byte was written.
    #[must_use]
    pub const fn linger(&self) -> Option<Duration> {
        self.linger.get()
    }
}

/// The reason for which a connection must be dropped: its transport must be closed, without more
/// output.
///
/// With the feature `std` it converts into a `std::io::Error` of kind `TimedOut`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TimeoutError {
    /// The opening handshake is incomplete ([`Timeouts::with_handshake`]).
    Handshake,
    /// The peer was silent after a Ping ([`Timeouts::with_pong`]).
    Pong,
    /// An incomplete message made no progress ([`Timeouts::with_message`]).
    Message,
    /// The socket accepted no output ([`Timeouts::with_write`]).
    Write,
    /// The closing handshake is incomplete ([`Timeouts::with_close`]).
    Close,
    /// All output was written, but the peer did not end the stream ([`Timeouts::with_linger`]).
    /// This is not a fault: [`Outcome`](crate::Outcome) describes how the connection ended.
    Linger,
}

impl fmt::Display for TimeoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handshake => "timed out: the opening handshake is incomplete",
            Self::Pong => "timed out: the peer did not answer a Ping",
            Self::Message => "timed out: a message remained incomplete",
            Self::Write => "timed out: the peer does not read",
            Self::Close => "timed out: the closing handshake is incomplete",
            Self::Linger => "timed out: the peer did not end the stream",
        })
    }
}

impl error::Error for TimeoutError {}

#[cfg(feature = "std")]
impl From<TimeoutError> for std::io::Error {
    fn from(error: TimeoutError) -> Self {
        Self::new(std::io::ErrorKind::TimedOut, error)
    }
}

/// The state of a connection, as [`Deadlines::check`] requires it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status {
    /// The `next_action` of the connection. During the opening handshake it is
    /// [`Action::Continue`], and [`Action::CloseTransport`] if the handshake failed.
    pub action: Action,
    /// The number of bytes of output that the socket has not accepted yet. Include the rest of a
    /// frame that the caller writes ([`OutgoingFrame`](crate::OutgoingFrame)).
    pub waiting: usize,
    /// Whether the driver reads. While it does not, or while output waits, the silence of the peer
    /// does not count.
    pub reading: bool,
    /// The `message_progress` of the connection, such as
    /// [`Connection::message_progress`](crate::Connection::message_progress).
    pub message: Option<u64>,
}

/// The result of [`Deadlines::check`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub enum Due {
    /// Nothing is due before this time, at which [`Deadlines::check`] must be called again. `None`
    /// if nothing will be due until something else happens.
    Later(Option<Duration>),
    /// Send a Ping with this payload, then call [`Deadlines::check`] again.
    Ping([u8; 8]),
    /// Close the transport, for this reason.
    Drop(TimeoutError),
}

/// The deadlines of a connection, in either role: for the opening handshake, for a silent peer, for
/// a message and for output that make no progress, and for closing.
///
/// It has no clock. Each `now` is the time since any fixed point, of a clock that does not go back,
/// such as `Instant::elapsed`. If it does go back, time stops until it reaches the latest `now`
/// again.
///
/// # Use
///
/// Create it when the transport is open. Report the received bytes, the written bytes, the Pongs
/// and the end of the opening handshake. Call [`check`](Self::check) after that, after output was
/// appended, and at the time that it returned; read and write all that the socket has ready first.
/// Any number of further calls does no harm.
///
/// ```
/// use std::time::Duration;
/// use ws_proto::{Config, Message, Server, WebSocket};
/// use ws_proto::{Deadlines, Due, Status, Timeouts};
///
/// # let mut seconds = [0, 5, 35, 36, 36, 66].map(Duration::from_secs).into_iter();
/// # let mut clock = || seconds.next().unwrap();
/// let mut deadlines = Deadlines::new(&Timeouts::new(), clock());
/// // ... the opening handshake ...
/// let mut ws = WebSocket::new(Server, &Config::new());
/// let mut out = Vec::new(); // bytes that the socket has not accepted yet
/// deadlines.opened(clock());
///
/// // Whenever something happened, or a deadline has passed:
/// # let mut pings = 0;
/// let until = loop {
///     let status = Status {
///         action: ws.next_action(),
///         waiting: out.len(),
///         reading: true,
///         message: ws.message_progress(),
///     };
///     match deadlines.check(clock(), &status) {
///         Due::Later(until) => break until,
///         Due::Ping(payload) => ws.send_ping(&payload, &mut out)?,
///         Due::Drop(reason) => return Err(reason.into()), // close the socket
///     }
/// };
/// assert_eq!(out, b"\x89\x08\0\0\0\0\0\0\0\x01");
/// // Wait until bytes can be read or written, or until the deadline.
/// assert_eq!(until, Some(Duration::from_secs(66))); // for the write
///
/// // Bytes were written:
/// let n = out.len(); // sock.write(&out)?;
/// deadlines.written(clock(), n);
/// out.drain(..n);
///
/// // Bytes were received:
/// let mut received = *b"\x8a\x88\0\0\0\0\0\0\0\0\0\0\0\x01";
/// # let mut clock = || Duration::from_millis(36_100);
/// deadlines.received(clock(), received.len());
/// let mut input = &mut received[..];
/// while let Some(message) = ws.recv(&mut input, &mut out) {
///     if message == Message::Pong {
///         deadlines.pong(ws.control_payload());
///     }
/// }
/// assert_eq!(deadlines.round_trip_time(), Some(Duration::from_millis(100)));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Rules
///
/// * **A peer is alive if bytes arrive**, whatever they are. Its Pong can be delayed by a long
///   frame, or by megabytes that it sent before. A Ping is sent after silence only, and the
///   connection is dropped if the silence lasts until the time for the Pong has passed.
/// * **Our own delay is not the peer's fault.** While output waits, or the driver does not read,
///   the time of silence does not count, nor that of an incomplete message. While output waits,
///   the time for writing counts.
/// * **A time counts from when the bytes were written**: those of the Ping or of the Close, or the
///   last ones.
/// * **The times for the handshake, for closing and for lingering begin once**, and nothing extends
///   them.
/// * **A late driver drops no peer that was in time.** After a deadline, the first `check` allows
///   [`GRACE`](Self::GRACE) to read and write all that the socket has ready, and only a later one
///   drops the connection. A program that was busy or suspended thus finds everything that arrived
///   by the deadline, even if its `now` is later than its last read.
/// * **The round-trip time** is that of the last Ping, from when it was written until its Pong
///   arrives. Pings of the program do not disturb it, if their payload is not one of 8 bytes.
///
/// # Two tasks
///
/// With halves, the task that writes owns the deadlines, since it sends the Pings. The other task
/// passes on that it received bytes, with [`RecvHalf::message_progress`] and the payload of a Pong:
/// one place that a newer report overwrites is enough.
///
/// [`RecvHalf::message_progress`]: crate::RecvHalf::message_progress
#[derive(Debug, Clone)]
pub struct Deadlines {
    timeouts: Timeouts,
    /// The latest time that was given.
    now: Time,
    phase: Phase,
    /// The number of bytes that were written so far.
    written: u64,
    /// While output waits: the time at which the socket last accepted a byte, or the output began
    /// to wait.
    stalled_since: Time,
    listening: Listening,
    /// The time of `listening` at which bytes were received, or a Ping was written.
    silent_since: Time,
    /// Whether a Ping was written then.
    awaits_pong: bool,
    /// The progress of the incomplete message.
    message: Option<u64>,
    /// The time of `listening` at which it was made.
    message_since: Time,
    /// The number of Pings.
    pings: u64,
    /// The last Ping, until its Pong arrives.
    ping: Option<Ping>,
    round_trip_time: Time,
    /// The last deadline that has passed, and the end of its grace.
    passed: (Time, Time),
}

/// A time or a duration, in nanoseconds: 584 years are enough for both.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Time(u64);

impl Time {
    const NEVER: Self = Self(u64::MAX);

    const fn new(time: Duration) -> Self {
        let seconds = time.as_secs().saturating_mul(1_000_000_000);
        Self(seconds.saturating_add(time.subsec_nanos() as u64))
    }

    /// Returns the current time, which is never [`NEVER`](Self::NEVER).
    const fn now(now: Duration) -> Self {
        let now = Self::new(now);
        Self(now.0 - (now.0 == u64::MAX) as u64)
    }

    const fn or_never(time: Option<Duration>) -> Self {
        match time {
            Some(time) => Self::new(time),
            None => Self::NEVER,
        }
    }

    const fn get(self) -> Option<Duration> {
        match self {
            Self::NEVER => None,
            Self(nanoseconds) => Some(Duration::from_nanos(nanoseconds)),
        }
    }

    const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.get().fmt(f)
    }
}

/// The phases of a connection, which follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The opening handshake, from this time on.
    Handshake(Time),
    Open,
    /// The rest of the closing handshake, after the Close.
    AwaitClose(Mark),
    /// The end of the stream, after the last byte.
    Linger(Mark),
}

/// A Ping without its Pong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ping {
    /// The caller was asked to append it to the output.
    Due,
    Appended(Mark),
}

/// The end of a frame in the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// It waits until this number of bytes was written.
    Waiting(u64),
    /// It was written at this time.
    Written(Time),
}

impl Mark {
    const fn new(now: Time, written: u64, waiting: usize) -> Self {
        match waiting {
            0 => Self::Written(now),
            _ => Self::Waiting(written.wrapping_add(waiting as u64)),
        }
    }

    /// Returns whether the bytes written so far complete the frame now.
    const fn complete(&mut self, now: Time, written: u64) -> bool {
        match *self {
            Self::Waiting(end) if end <= written => {
                *self = Self::Written(now);
                true
            }
            _ => false,
        }
    }

    /// Returns the end of a time that begins when the frame was written.
    const fn plus(self, timeout: Time) -> Time {
        match self {
            Self::Waiting(_) => Time::NEVER,
            Self::Written(at) => at.plus(timeout),
        }
    }
}

/// A clock that stops while silence does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Listening {
    /// The time since which it is stopped, or never.
    since: Time,
    /// The time for which it was stopped before.
    stopped: Time,
}

impl Listening {
    fn at(&self, now: Time) -> Time {
        now.min(self.since).minus(self.stopped)
    }

    fn stop(&mut self, now: Time, stop: bool) {
        if stop {
            self.since = self.since.min(now);
        } else {
            self.stopped = self.stopped.plus(now.minus(self.since));
            self.since = Time::NEVER;
        }
    }

    /// Returns the end of a time that begins at the time `since` of this clock; never while it is
    /// stopped.
    fn after(&self, since: Time, timeout: Time) -> Time {
        match self.since {
            Time::NEVER => since.plus(self.stopped).plus(timeout),
            _ => Time::NEVER,
        }
    }
}

impl Deadlines {
    /// The time between the first [`check`](Self::check) after a deadline and the one that drops
    /// the connection: 100 milliseconds. Only after [`Timeouts::with_linger`] there is none.
    pub const GRACE: Duration = Duration::from_millis(100);

    /// Creates the deadlines of a connection whose opening handshake begins now.
    #[must_use]
    pub const fn new(timeouts: &Timeouts, now: Duration) -> Self {
        let now = Time::now(now);
        Self {
            timeouts: *timeouts,
            now,
            phase: Phase::Handshake(now),
            written: 0,
            stalled_since: Time::NEVER,
            listening: Listening {
                since: Time::NEVER,
                stopped: Time(0),
            },
            silent_since: now,
            awaits_pong: false,
            message: None,
            message_since: now,
            pings: 0,
            ping: None,
            round_trip_time: Time::NEVER,
            passed: (Time::NEVER, Time::NEVER),
        }
    }

    /// Reports the end of the opening handshake. If another program did it, call this at once.
    pub fn opened(&mut self, now: Duration) {
        let now = self.advance(now);
        if let Phase::Handshake(_) = self.phase {
            self.phase = Phase::Open;
            self.silent_since = self.listening.at(now);
        }
    }

    /// Reports that the socket returned `len` bytes, whatever they contain.
    pub fn received(&mut self, now: Duration, len: usize) {
        let now = self.advance(now);
        if len > 0 {
            self.silent_since = self.listening.at(now);
            self.awaits_pong = false;
        }
    }

    /// Reports the payload of a Pong among the bytes that were [received](Self::received) last.
    pub fn pong(&mut self, payload: &[u8]) {
        if payload == self.pings.to_be_bytes() {
            if let Some(Ping::Appended(Mark::Written(at))) = self.ping.take() {
                self.round_trip_time = self.now.minus(at);
            }
        }
    }

    /// Reports that the socket accepted `len` bytes of output.
    pub fn written(&mut self, now: Duration, len: usize) {
        let now = self.advance(now);
        if len == 0 {
            return;
        }
        self.written = self.written.wrapping_add(len as u64);
        if self.stalled_since != Time::NEVER {
            self.stalled_since = now;
        }
        if let Phase::AwaitClose(mark) | Phase::Linger(mark) = &mut self.phase {
            mark.complete(now, self.written);
        }
        if let Some(Ping::Appended(mark)) = &mut self.ping {
            if mark.complete(now, self.written) {
                self.await_pong(now);
            }
        }
    }

    fn await_pong(&mut self, now: Time) {
        self.silent_since = self.listening.at(now);
        self.awaits_pong = true;
    }

    /// Returns the action that is due now, or the time until which none is.
    pub fn check(&mut self, now: Duration, status: &Status) -> Due {
        let now = self.advance(now);
        self.observe(now, status);
        let ping = self.next_ping();
        if ping <= now {
            self.pings += 1;
            self.ping = Some(Ping::Due);
            return Due::Ping(self.pings.to_be_bytes());
        }
        let (mut at, reason) = self.next_drop();
        if at <= now && reason != TimeoutError::Linger {
            // The grace begins with the first call that finds this deadline passed.
            if self.passed.0 != at {
                self.passed = (at, now.plus(Time::new(Self::GRACE)));
            }
            at = self.passed.1;
        }
        if at <= now {
            return Due::Drop(reason);
        }
        Due::Later(at.min(ping).get())
    }

    /// Returns the time from when the last Ping was written until its Pong was received; `None`
    /// before the first Pong.
    #[must_use]
    pub const fn round_trip_time(&self) -> Option<Duration> {
        self.round_trip_time.get()
    }

    /// Time does not go back.
    fn advance(&mut self, now: Duration) -> Time {
        self.now = self.now.max(Time::now(now));
        self.now
    }

    /// Records the state of the connection.
    fn observe(&mut self, now: Time, status: &Status) {
        let &Status {
            action,
            waiting,
            reading,
            message,
        } = status;
        self.stalled_since = match waiting {
            0 => Time::NEVER,
            _ => self.stalled_since.min(now),
        };
        self.listening.stop(now, waiting > 0 || !reading);
        if self.message != message {
            (self.message, self.message_since) = (message, self.listening.at(now));
        }

        let mark = Mark::new(now, self.written, waiting);
        match (action, self.phase) {
            (Action::Continue, _) | (_, Phase::Linger(_)) => {}
            (Action::CloseTransport, _) => self.phase = Phase::Linger(mark),
            (Action::AwaitClose, Phase::AwaitClose(_)) => {}
            (Action::AwaitClose, _) => self.phase = Phase::AwaitClose(mark),
        }
        if self.ping == Some(Ping::Due) {
            self.ping = Some(Ping::Appended(mark));
            if waiting == 0 {
                self.await_pong(now);
            }
        }
    }

    /// Returns the time of the next Ping: after silence, unless a Pong is awaited.
    fn next_ping(&self) -> Time {
        let awaits_pong = self.awaits_pong && self.timeouts.pong != Time::NEVER;
        if self.phase != Phase::Open || awaits_pong {
            return Time::NEVER;
        }
        let least = Time::new(Self::GRACE);
        self.listening
            .after(self.silent_since, self.timeouts.ping.max(least))
    }

    /// Returns the next deadline after which the connection is dropped; if two are equal, the first
    /// of the list.
    fn next_drop(&self) -> (Time, TimeoutError) {
        let timeouts = &self.timeouts;
        let first = match self.phase {
            Phase::Handshake(since) => (since.plus(timeouts.handshake), TimeoutError::Handshake),
            Phase::Open if self.awaits_pong => {
                let at = self.listening.after(self.silent_since, timeouts.pong);
                (at, TimeoutError::Pong)
            }
            Phase::Open => (Time::NEVER, TimeoutError::Pong),
            Phase::AwaitClose(mark) => (mark.plus(timeouts.close), TimeoutError::Close),
            Phase::Linger(mark) => (mark.plus(timeouts.linger), TimeoutError::Linger),
        };
        let message = match (self.phase, self.message) {
            (Phase::Open, Some(_)) => self.listening.after(self.message_since, timeouts.message),
            _ => Time::NEVER,
        };
        let write = self.stalled_since.plus(timeouts.write);
        let others = [
            (message, TimeoutError::Message),
            (write, TimeoutError::Write),
        ];
        others.into_iter().fold(
            first,
            |first, other| if other.0 < first.0 { other } else { first },
        )
    }
}
