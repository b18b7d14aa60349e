//! A driver without its I/O: a [`WebSocket`] with the queues of its input and output and with its
//! deadlines. It uses the public API only.

use crate::{
    Action, CloseCode, Deadlines, Due, Message, Outcome, OutputQueue, ProtocolError, Role,
    SendError, Status, TimeoutError, WebSocket,
};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

/// A message, or a change of the connection, with all that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum OwnedMessage {
    /// A text message was received (RFC 6455 §5.6).
    Text(String),
    /// A binary message was received (§5.6).
    Binary(Vec<u8>),
    /// A Ping with this payload was received (§5.5.2). The Pong is already in the output, unless
    /// that is [disabled](crate::Config::with_auto_pong).
    Ping(Vec<u8>),
    /// A Pong with this payload was received (§5.5.3), also to the Pings of the session.
    Pong(Vec<u8>),
    /// A Close with this code and reason was received (§5.5.1). The answer is already in the
    /// output. No message follows.
    Close(Option<CloseCode>, String),
    /// The peer violated the protocol, and the connection failed (§7.1.7). The Close that reports
    /// it is already in the output. No message follows.
    Failed(ProtocolError),
}

/// What a [`Session`] requires of its driver, all at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Needs {
    /// Write [`Session::output`], and report by [`Session::written`] how much of it was accepted.
    pub write: bool,
    /// Shut down the sending direction of the transport: all output was written. Repeating it does
    /// no harm.
    pub shutdown: bool,
    /// Read, and pass the bytes to [`Session::received`], or report the end of the stream by
    /// [`Session::recv_eof`]. If this is `false`, do not read.
    pub read: bool,
    /// Call [`Session::needs`] at this time at the latest.
    pub wake: Option<Duration>,
}

/// A connection with all of its driver except the I/O: the queues of input and output, the
/// [`Deadlines`], and closing.
///
/// The driver reads and writes a socket, as [`needs`](Self::needs) requires, and passes the current
/// time as [`Deadlines`] describes. It need not keep any bytes, so that one read buffer serves any
/// number of sessions.
///
/// ```
/// use std::io::{self, ErrorKind, Read, Write};
/// use std::time::{Duration, Instant};
/// use ws_proto::{OwnedMessage, Server, Session};
/// # use ws_proto::{Config, Deadlines, Timeouts, WebSocket};
///
/// /// Serves a socket that does not block, until nothing can be done. Returns
/// /// when to call it again, at the latest; `None` to close the socket.
/// fn pump(
///     session: &mut Session<Server>,
///     mut sock: impl Read + Write,
///     buf: &mut [u8],
///     now: Duration,
/// ) -> io::Result<Option<Option<Duration>>> {
///     loop {
///         while let Some(message) = session.recv() {
///             match message {
///                 OwnedMessage::Text(text) => session.send_text(&text)?,
///                 OwnedMessage::Binary(bytes) => session.send_binary(&bytes)?,
///                 _ => {}
///             }
///         }
///         let Some(needs) = session.needs(now) else { return Ok(None) };
///         let mut blocked = true;
///         if needs.write {
///             match sock.write(session.output()) {
///                 Err(error) if error.kind() == ErrorKind::WouldBlock => {}
///                 written => {
///                     session.written(now, written?);
///                     blocked = false;
///                 }
///             }
///         }
///         if needs.read {
///             match sock.read(buf) {
///                 Err(error) if error.kind() == ErrorKind::WouldBlock => {}
///                 Ok(0) => {
///                     session.recv_eof();
///                     blocked = false;
///                 }
///                 read => {
///                     session.received(now, &buf[..read?]);
///                     blocked = false;
///                 }
///             }
///         }
///         // if needs.shutdown { sock.shutdown(Shutdown::Write) }
///         if blocked {
///             return Ok(Some(needs.wake));
///         }
///     }
/// }
/// # let ws = WebSocket::new(Server, &Config::new());
/// # let mut session = Session::new(ws, Deadlines::new(&Timeouts::new(), Duration::ZERO), Duration::ZERO);
/// # struct Sock(&'static [u8], Vec<u8>);
/// # impl Read for Sock { fn read(&mut self, b: &mut [u8]) -> io::Result<usize> {
/// #     match self.0.read(b)? { 0 => Err(ErrorKind::WouldBlock.into()), n => Ok(n) } } }
/// # impl Write for Sock { fn write(&mut self, b: &[u8]) -> io::Result<usize> { self.1.write(b) }
/// #     fn flush(&mut self) -> io::Result<()> { Ok(()) } }
/// # let mut sock = Sock(b"\x81\x82\0\0\0\0hi", Vec::new());
/// # let wake = pump(&mut session, &mut sock, &mut [0; 100], Duration::ZERO)?;
/// # assert_eq!(wake, Some(Some(Duration::from_secs(30))));
/// # assert_eq!(sock.1, b"\x81\x02hi");
/// # Ok::<(), io::Error>(())
/// ```
#[derive(Debug)]
pub struct Session<R> {
    ws: WebSocket<R>,
    deadlines: Deadlines,
    input: Input,
    output: OutputQueue,
    high_water: usize,
    timed_out: Option<TimeoutError>,
}

/// The received bytes that were not consumed yet.
#[derive(Default)]
struct Input {
    bytes: Vec<u8>,
    /// The number of bytes that were consumed. If all were, there are none.
    start: usize,
    /// The time at which the last bytes were received.
    at: Duration,
    /// Whether the stream ends after the bytes.
    eof: bool,
}

impl<R: Role> Session<R> {
    /// Creates a session from an open connection. `deadlines` began with the opening handshake,
    /// which ends now.
    pub fn new(ws: WebSocket<R>, mut deadlines: Deadlines, now: Duration) -> Self {
        deadlines.opened(now);
        Self {
            ws,
            deadlines,
            input: Input::default(),
            output: OutputQueue::with_max_len(16 << 20),
            high_water: 64 << 10,
            timed_out: None,
        }
    }

    /// Sets the length of the output from which on neither bytes nor messages are received, so that
    /// a peer that does not read cannot cause more output. Default: 64 KiB.
    #[must_use]
    pub const fn with_high_water(mut self, bytes: usize) -> Self {
        self.high_water = bytes;
        self
    }

    /// Sets the maximum length of the output, for messages that the program sends regardless of the
    /// peer. Default: 16 MiB. A frame that has no room is refused with [`SendError::OutputFull`].
    #[must_use]
    pub const fn with_max_output(mut self, bytes: usize) -> Self {
        self.output.set_max_len(bytes);
        self
    }

    /// Passes bytes that were received to the session, which copies them. Call [`recv`](Self::recv)
    /// next.
    pub fn received(&mut self, now: Duration, bytes: &[u8]) {
        self.deadlines.received(now, bytes.len());
        if self.ws.next_action() != Action::CloseTransport {
            self.input.at = now;
            self.input.bytes.extend_from_slice(bytes);
        }
    }

    /// Reports the end of the stream, or an error of the transport.
    pub fn recv_eof(&mut self) {
        self.input.eof = true;
        if self.input.bytes.is_empty() {
            self.ws.recv_eof();
        }
    }

    /// Returns the next message. Call it until it returns `None`, after bytes were received and
    /// after bytes were written: it returns `None` also while the output is longer than the
    /// [high-water mark](Self::with_high_water).
    #[must_use = "the message must be handled, and `None` ends the loop"]
    pub fn recv(&mut self) -> Option<OwnedMessage> {
        if self.output.len() >= self.high_water {
            return None;
        }
        let input = &mut self.input;
        let mut rest = input.bytes.get_mut(input.start..).unwrap_or_default();
        let message = self.ws.recv(&mut rest, &mut self.output);
        let left = rest.len();
        let message = message.map(|message| match message {
            Message::Text(text) => OwnedMessage::Text(text.into_owned()),
            Message::Binary(bytes) => OwnedMessage::Binary(bytes.into_owned()),
            Message::Ping => OwnedMessage::Ping(self.ws.control_payload().to_vec()),
            Message::Pong => {
                let payload = self.ws.control_payload();
                self.deadlines.pong(input.at, payload);
                OwnedMessage::Pong(payload.to_vec())
            }
            Message::Close(code) => {
                let reason = self.ws.close_received().map(|close| close.reason);
                OwnedMessage::Close(code, reason.unwrap_or_default().into())
            }
            Message::Failed(error) => OwnedMessage::Failed(error),
        });
        input.start = input.bytes.len() - left;
        if left == 0 {
            (input.bytes, input.start) = (Vec::new(), 0);
        }
        if message.is_none() && left == 0 && input.eof {
            self.ws.recv_eof();
        }
        message
    }

    /// Sends a text message in one frame.
    ///
    /// # Errors
    ///
    /// The errors are those of [`WebSocket::send_text`].
    pub fn send_text(&mut self, text: &str) -> Result<(), SendError> {
        self.ws.send_text(text, &mut self.output)
    }

    /// Sends a binary message in one frame.
    ///
    /// # Errors
    ///
    /// The errors are those of [`WebSocket::send_binary`].
    pub fn send_binary(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        self.ws.send_binary(bytes, &mut self.output)
    }

    /// Starts the closing handshake (§7.1.2).
    ///
    /// # Errors
    ///
    /// The errors are those of [`WebSocket::close`].
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), SendError> {
        self.ws.close(code, reason, &mut self.output)
    }

    /// Returns the connection, for its properties.
    pub const fn websocket(&self) -> &WebSocket<R> {
        &self.ws
    }

    /// Returns the connection and its output, for all other methods that send.
    pub const fn parts_mut(&mut self) -> (&mut WebSocket<R>, &mut OutputQueue) {
        (&mut self.ws, &mut self.output)
    }

    /// Returns the deadlines, for the round-trip time.
    pub const fn deadlines(&self) -> &Deadlines {
        &self.deadlines
    }

    /// Returns the bytes that the transport has not accepted yet.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        self.output.as_slice()
    }

    /// Reports that the transport accepted the first `len` bytes of the output. Call
    /// [`recv`](Self::recv) next.
    pub fn written(&mut self, now: Duration, len: usize) {
        self.deadlines.written(now, len.min(self.output.len()));
        self.output.consume(len);
    }

    /// Returns what the session requires now; `None` if the transport must be closed.
    ///
    /// Call it after [`recv`](Self::recv) has returned `None`, and at the time
    /// [`wake`](Needs::wake). Any number of further calls does no harm.
    pub fn needs(&mut self, now: Duration) -> Option<Needs> {
        loop {
            let (action, waiting) = (self.ws.next_action(), self.output.len());
            let discards = action == Action::CloseTransport;
            let receives = waiting < self.high_water && self.input.bytes.is_empty();
            let read = !self.input.eof && (discards || receives);
            if self.timed_out.is_some() || (discards && waiting == 0 && self.input.eof) {
                return None;
            }
            let status = Status {
                action,
                waiting,
                reading: read,
                message: self.ws.message_progress(),
            };
            match self.deadlines.check(now, &status) {
                Due::Later(wake) => {
                    return Some(Needs {
                        write: waiting > 0,
                        shutdown: discards && waiting == 0,
                        read,
                        wake,
                    });
                }
                // Without room for it, the next one is due after the same time.
                Due::Ping(payload) => drop(self.ws.send_ping(&payload, &mut self.output)),
                Due::Drop(reason) => {
                    self.timed_out = Some(reason);
                    self.ws.recv_eof();
                }
            }
        }
    }

    /// Returns the deadline that ended the session, if one did.
    #[must_use]
    pub const fn timed_out(&self) -> Option<TimeoutError> {
        self.timed_out
    }

    /// Returns how the connection ended or is ending; `None` while it is open.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome<'_>> {
        self.ws.outcome()
    }
}

/// Does not show the bytes.
impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Input")
            .field("len", &(self.bytes.len() - self.start))
            .field("eof", &self.eof)
            .finish_non_exhaustive()
    }
}
