//! Time as data: the current time goes in, the next deadline comes out. There is no clock and no
//! timer here, and nothing about frames: a connection is known by its [`Action`], its output by the
//! number of bytes that wait, and its peer by what arrives.

use crate::action::Action;
use core::time::Duration;
use core::{error, fmt};

/// The times after which [`Deadlines`] drops a connection, or sends a Ping. With `None`, the time is
/// not limited.
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
    handshake: Option<Duration>,
    ping: Option<Duration>,
    pong: Option<Duration>,
    message: Option<Duration>,
    write: Option<Duration>,
    close: Option<Duration>,
    linger: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self::new()
    }
}

impl Timeouts {
    /// Creates the default timeouts.
    pub const fn new() -> Self {
        const fn seconds(seconds: u64) -> Option<Duration> {
            Some(Duration::from_secs(seconds))
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
            handshake: None,
            ping: None,
            pong: None,
            message: None,
            write: None,
            close: None,
            linger: None,
        }
    }

    /// Sets the time for the opening handshake, from the start on. Nothing extends it, so that a
    /// client that sends a byte now and then does not keep its connection. Default: 10 seconds.
    pub const fn with_handshake(mut self, timeout: Option<Duration>) -> Self {
        self.handshake = timeout;
        self
    }

    /// Returns the time for the opening handshake.
    #[must_use]
    pub const fn handshake(&self) -> Option<Duration> {
        self.handshake
    }

    /// Sets the time without received bytes after which a Ping is sent. Default: 30 seconds, half
    /// of the time after which widespread proxies and load balancers end a connection without
    /// traffic.
    pub const fn with_ping(mut self, timeout: Option<Duration>) -> Self {
        self.ping = timeout;
        self
    }

    /// Returns the time without received bytes after which a Ping is sent.
    #[must_use]
    pub const fn ping(&self) -> Option<Duration> {
        self.ping
    }

    /// Sets the time that a peer may remain silent after the Ping was written. Default: 30 seconds,
    /// since the bytes that were written before the Ping, and still are in the socket's buffer, must
    /// reach the peer first. With `None`, Pings only keep the connection in use.
    pub const fn with_pong(mut self, timeout: Option<Duration>) -> Self {
        self.pong = timeout;
        self
    }

    /// Returns the time that a peer may remain silent after the Ping was written.
    #[must_use]
    pub const fn pong(&self) -> Option<Duration> {
        self.pong
    }

    /// Sets the time that a message may remain incomplete without a further byte of it: a peer that
    /// begins messages occupies memory until it ends them. Control frames do not extend it. Default:
    /// 60 seconds. A peer that streams fragments with longer breaks needs more, or `None`.
    pub const fn with_message(mut self, timeout: Option<Duration>) -> Self {
        self.message = timeout;
        self
    }

    /// Returns the time that a message may remain incomplete without a further byte of it.
    #[must_use]
    pub const fn message(&self) -> Option<Duration> {
        self.message
    }

    /// Sets the time that output may wait without a byte of it being accepted by the socket.
    /// Default: 30 seconds. With `None`, a peer that is gone while output waits is not noticed,
    /// since its silence does not count then.
    pub const fn with_write(mut self, timeout: Option<Duration>) -> Self {
        self.write = timeout;
        self
    }

    /// Returns the time that output may wait without a byte of it being accepted by the socket.
    #[must_use]
    pub const fn write(&self) -> Option<Duration> {
        self.write
    }

    /// Sets the time for the rest of the closing handshake, after the Close was written: until the
    /// peer's Close, and for a client until the end of the stream. Nothing extends it. Default: 10
    /// seconds.
    pub const fn with_close(mut self, timeout: Option<Duration>) -> Self {
        self.close = timeout;
        self
    }

    /// Returns the time for the rest of the closing handshake.
    #[must_use]
    pub const fn close(&self) -> Option<Duration> {
        self.close
    }

    /// Sets the time for which input is discarded after the last byte was written, until the stream
    /// ends, so that the peer receives everything ([`Action::CloseTransport`]). Nothing extends it.
    /// Default: 5 seconds. With zero, the transport is closed at once.
    pub const fn with_linger(mut self, timeout: Option<Duration>) -> Self {
        self.linger = timeout;
        self
    }

    /// Returns the time for which input is discarded after the last byte was written.
    #[must_use]
    pub const fn linger(&self) -> Option<Duration> {
        self.linger
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
/// such as `Instant::elapsed`. If it does go back, time stands still until it reaches the latest
/// `now` again.
///
/// # Use
///
/// Create it when the transport is open. Report the received bytes, the written bytes, the Pongs and
/// the end of the opening handshake, each with the time at which it happened. After that, and
/// whenever the time comes that [`check`](Self::check) returned, read and write what the socket has
/// ready, and call `check` again. Any number of further calls does no harm.
///
/// ```
/// use std::time::Duration;
/// use ws_proto::{Config, Deadlines, Due, Message, Server, Status, Timeouts, WebSocket};
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
/// # let now = Duration::from_millis(36_100);
/// # let mut clock = || now;
/// deadlines.received(clock(), received.len());
/// let mut input = &mut received[..];
/// while let Some(message) = ws.recv(&mut input, &mut out) {
///     if message == Message::Pong {
///         deadlines.pong(clock(), ws.control_payload());
///     }
/// }
/// assert_eq!(deadlines.round_trip_time(), Some(Duration::from_millis(100)));
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Rules
///
/// * **A peer is alive if bytes arrive**, whatever they are: the next chunk of a long frame, after
///   which its Pong can follow only, shows it as well as a Pong. A Ping is sent after silence only,
///   and the connection is dropped if the silence lasts until the time for the Pong has passed.
/// * **Our own delay is not the peer's fault.** While output waits, or the driver does not read,
///   silence does not count, neither does the time of an incomplete message; the time for writing
///   does.
/// * **A time counts from when the bytes were written**: the Ping, the Close, and the last byte.
/// * **The times for the handshake, for closing and for lingering begin once**, and nothing extends
///   them.
/// * **A driver that is late drops no peer that was not.** After a deadline, the first `check`
///   allows [`GRACE`](Self::GRACE) to read and write what the socket has ready; only a later one
///   drops the connection. Therefore an event loop may handle its timers before its events, and a
///   program that was suspended finds its connections again.
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
    now: Duration,
    phase: Phase,
    /// The number of bytes that were written so far.
    written: u64,
    /// While output waits: the time at which the socket last accepted a byte, or the output began
    /// to wait.
    stalled_since: Option<Duration>,
    listening: Listening,
    /// The time of `listening` at which bytes were received, or a Ping was written.
    silent_since: Duration,
    /// Whether a Ping was written then.
    awaits_pong: bool,
    /// The progress of the incomplete message, and the time of `listening` at which it was made.
    message: Option<(u64, Duration)>,
    /// The number of Pings.
    pings: u64,
    /// The last Ping, until its Pong arrives.
    ping: Option<Ping>,
    round_trip_time: Option<Duration>,
    /// A deadline that has passed, and the end of its grace.
    passed: Option<(Duration, Duration)>,
}

/// The phases of a connection, which follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The opening handshake, from this time on.
    Handshake(Duration),
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
    Written(Duration),
}

impl Mark {
    const fn new(now: Duration, written: u64, waiting: usize) -> Self {
        match waiting {
            0 => Self::Written(now),
            _ => Self::Waiting(written.saturating_add(waiting as u64)),
        }
    }

    /// Returns whether the bytes written so far complete the frame now.
    const fn complete(&mut self, now: Duration, written: u64) -> bool {
        match *self {
            Self::Waiting(end) if end <= written => {
                *self = Self::Written(now);
                true
            }
            _ => false,
        }
    }

    /// Returns the end of a time that begins when the frame was written.
    fn plus(self, timeout: Option<Duration>) -> Option<Duration> {
        match self {
            Self::Waiting(_) => None,
            Self::Written(at) => after(at, timeout),
        }
    }
}

/// A clock that stops while silence does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Listening {
    stopped_since: Option<Duration>,
    /// The time for which it was stopped before.
    stopped: Duration,
}

impl Listening {
    fn at(&self, now: Duration) -> Duration {
        self.stopped_since
            .unwrap_or(now)
            .saturating_sub(self.stopped)
    }

    fn stop(&mut self, now: Duration, stop: bool) {
        match self.stopped_since {
            None if stop => self.stopped_since = Some(now),
            Some(since) if !stop => {
                self.stopped += now.saturating_sub(since);
                self.stopped_since = None;
            }
            _ => {}
        }
    }

    /// Returns the end of a time that begins at the time `since` of this clock; `None` while it is
    /// stopped.
    fn after(&self, since: Duration, timeout: Option<Duration>) -> Option<Duration> {
        match self.stopped_since {
            None => after(since.saturating_add(self.stopped), timeout),
            Some(_) => None,
        }
    }
}

fn after(since: Duration, timeout: Option<Duration>) -> Option<Duration> {
    since.checked_add(timeout?)
}

impl Deadlines {
    /// The time between the first [`check`](Self::check) after a deadline and the one that drops the
    /// connection: 100 milliseconds. Only after [`Timeouts::with_linger`] there is none.
    pub const GRACE: Duration = Duration::from_millis(100);

    /// Creates the deadlines of a connection whose opening handshake begins now.
    #[must_use]
    pub const fn new(timeouts: &Timeouts, now: Duration) -> Self {
        Self {
            timeouts: *timeouts,
            now,
            phase: Phase::Handshake(now),
            written: 0,
            stalled_since: None,
            listening: Listening {
                stopped_since: None,
                stopped: Duration::ZERO,
            },
            silent_since: now,
            awaits_pong: false,
            message: None,
            pings: 0,
            ping: None,
            round_trip_time: None,
            passed: None,
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

    /// Reports the payload of a received Pong, in addition to [`received`](Self::received).
    pub fn pong(&mut self, now: Duration, payload: &[u8]) {
        let now = self.advance(now);
        if payload == self.pings.to_be_bytes() {
            if let Some(Ping::Appended(Mark::Written(at))) = self.ping.take() {
                self.round_trip_time = Some(now.saturating_sub(at));
            }
        }
    }

    /// Reports that the socket accepted `len` bytes of output.
    pub fn written(&mut self, now: Duration, len: usize) {
        let now = self.advance(now);
        if len == 0 {
            return;
        }
        self.written = self.written.saturating_add(len as u64);
        if self.stalled_since.is_some() {
            self.stalled_since = Some(now);
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

    fn await_pong(&mut self, now: Duration) {
        self.silent_since = self.listening.at(now);
        self.awaits_pong = true;
    }

    /// Returns what is due now, or until when nothing is.
    pub fn check(&mut self, now: Duration, status: &Status) -> Due {
        let now = self.advance(now);
        self.observe(now, status);
        let ping = self.next_ping();
        if ping.is_some_and(|at| at <= now) {
            self.pings += 1;
            self.ping = Some(Ping::Due);
            return Due::Ping(self.pings.to_be_bytes());
        }
        let Some((at, reason)) = self.next_drop() else {
            return Due::Later(ping);
        };
        let mut until = at;
        if at <= now && reason != TimeoutError::Linger {
            // The grace begins with the first call that finds this deadline passed.
            until = match self.passed {
                Some((passed, until)) if passed == at => until,
                _ => now.saturating_add(Self::GRACE),
            };
            self.passed = Some((at, until));
        }
        if until <= now {
            return Due::Drop(reason);
        }
        Due::Later(Some(ping.map_or(until, |ping| ping.min(until))))
    }

    /// Returns the time from when the last Ping was written until its Pong was received; `None`
    /// before the first Pong.
    #[must_use]
    pub const fn round_trip_time(&self) -> Option<Duration> {
        self.round_trip_time
    }

    /// Time does not go back.
    fn advance(&mut self, now: Duration) -> Duration {
        self.now = self.now.max(now);
        self.now
    }

    /// Records the state of the connection.
    fn observe(&mut self, now: Duration, status: &Status) {
        let &Status {
            action,
            waiting,
            reading,
            message,
        } = status;
        self.stalled_since = match waiting {
            0 => None,
            _ => self.stalled_since.or(Some(now)),
        };
        self.listening.stop(now, waiting > 0 || !reading);

        let since = self.listening.at(now);
        self.message = match (message, self.message) {
            (Some(progress), Some((before, since))) if progress == before => Some((before, since)),
            (progress, _) => progress.map(|progress| (progress, since)),
        };

        let mark = Mark::new(now, self.written, waiting);
        match (action, self.phase) {
            (Action::CloseTransport, phase) if !matches!(phase, Phase::Linger(_)) => {
                self.phase = Phase::Linger(mark);
            }
            (Action::AwaitClose, Phase::Handshake(_) | Phase::Open) => {
                self.phase = Phase::AwaitClose(mark);
            }
            _ => {}
        }
        if self.ping == Some(Ping::Due) {
            self.ping = Some(Ping::Appended(mark));
            if waiting == 0 {
                self.await_pong(now);
            }
        }
    }

    /// Returns the time of the next Ping: after silence, unless a Pong is awaited.
    fn next_ping(&self) -> Option<Duration> {
        if self.phase != Phase::Open || self.awaits_pong && self.timeouts.pong.is_some() {
            return None;
        }
        self.listening.after(self.silent_since, self.timeouts.ping)
    }

    /// Returns the next deadline after which the connection is dropped; if two are equal, the first
    /// of the list.
    fn next_drop(&self) -> Option<(Duration, TimeoutError)> {
        let timeouts = &self.timeouts;
        let by_phase = match self.phase {
            Phase::Handshake(since) => (after(since, timeouts.handshake), TimeoutError::Handshake),
            Phase::Open => {
                let silent_since = self.awaits_pong.then_some(self.silent_since);
                let pong = silent_since.and_then(|at| self.listening.after(at, timeouts.pong));
                (pong, TimeoutError::Pong)
            }
            Phase::AwaitClose(mark) => (mark.plus(timeouts.close), TimeoutError::Close),
            Phase::Linger(mark) => (mark.plus(timeouts.linger), TimeoutError::Linger),
        };
        let message = match (self.phase, self.message) {
            (Phase::Open, Some((_, since))) => self.listening.after(since, timeouts.message),
            _ => None,
        };
        let write = self.stalled_since.and_then(|at| after(at, timeouts.write));
        [
            by_phase,
            (message, TimeoutError::Message),
            (write, TimeoutError::Write),
        ]
        .into_iter()
        .filter_map(|(at, reason)| Some((at?, reason)))
        .min_by_key(|&(at, _)| at)
    }
}
