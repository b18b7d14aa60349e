//! A driver without its I/O: a [`WebSocket`] with the queues of its input and output and with its
//! deadlines. It uses the public API only.

use crate::{
    Action, ByteQueue, CloseCode, Config, Deadlines, Due, Message, Negotiated, Outcome, Output,
    Prepared, ProtocolError, Role, SendError, Server, Status, TimeoutError, Timeouts, WebSocket,
};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

/// A message, or a change of the connection, with all that belongs to it. Unlike [`Message`], it
/// holds the payload of a Ping and Pong, and the reason of a Close.
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

/// All that a [`Session`] requires of its driver at the same time.
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
    /// Call [`Session::needs`] at this time at the latest. It is later than the `now` of the call
    /// that returned it.
    pub wake: Option<Duration>,
}

/// A connection with all of its driver except the I/O: the queues of input and output, the
/// [`Deadlines`], and closing, from the first byte to the last.
///
/// The driver does the I/O that [`needs`](Self::needs) returns, and passes the time as
/// [`Deadlines`] describes. It keeps no bytes, so that one read buffer serves any number of
/// sessions. The order in a round is: receive messages, send, call `needs`, then read and write.
///
/// An idle session occupies no heap. Its struct has 608 bytes for a server and 720 for a client, on
/// a 64-bit target without `deflate`.
///
/// ```no_run
/// use std::io::{self, Read, Write};
/// use std::net::{Shutdown, TcpStream};
/// use std::time::Instant;
/// use ws_proto::{Config, Negotiated, OwnedMessage, Server, Session, Timeouts};
///
/// /// Echoes until the connection ends. A driver whose socket does not block
/// /// does all that `needs` contains in the same round.
/// fn echo(negotiated: Negotiated<Server>, mut sock: TcpStream) -> io::Result<()> {
///     let (clock, mut buf) = (Instant::now(), vec![0; 16 << 10]);
///     let (config, timeouts) = (Config::new(), Timeouts::new());
///     let mut session =
///         Session::open(negotiated, &config, &timeouts, clock.elapsed());
///     loop {
///         while let Some(message) = session.recv() {
///             match message {
///                 OwnedMessage::Text(text) => session.send_text(&text)?,
///                 OwnedMessage::Binary(bytes) => session.send_binary(&bytes)?,
///                 _ => {}
///             }
///         }
///         let now = clock.elapsed();
///         let Some(needs) = session.needs(now) else {
///             return Ok(()); // `session.outcome()` describes how it ended
///         };
///         let left = needs.wake.map(|wake| wake.saturating_sub(now));
///         if needs.write {
///             sock.set_write_timeout(left)?;
///             match sock.write(session.output()) {
///                 Ok(n) => session.written(clock.elapsed(), n),
///                 Err(error) if is_timeout(&error) => {} // `needs` acts on it
///                 // Nothing more can be sent, but the peer's last messages
///                 // can still be read.
///                 Err(_) => {
///                     let len = session.output().len();
///                     session.written(clock.elapsed(), len);
///                 }
///             }
///         } else if needs.read {
///             if needs.shutdown {
///                 let _ = sock.shutdown(Shutdown::Write);
///             }
///             sock.set_read_timeout(left)?;
///             match sock.read(&mut buf) {
///                 Ok(0) => session.recv_eof(),
///                 Ok(n) => session.received(clock.elapsed(), &buf[..n]),
///                 Err(error) if is_timeout(&error) => {}
///                 Err(_) => session.recv_eof(),
///             }
///         }
///     }
/// }
///
/// fn is_timeout(error: &io::Error) -> bool {
///     use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
///     matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
/// }
/// ```
#[derive(Debug)]
pub struct Session<R> {
    /// The connection, or until the opening handshake is complete, its configuration.
    ws: Result<WebSocket<R>, Config>,
    deadlines: Deadlines,
    /// The received bytes that were not consumed yet.
    input: ByteQueue,
    /// Whether the stream ends after them.
    eof: bool,
    output: ByteQueue,
    high_water: usize,
    /// Whether the opening handshake failed.
    refused: bool,
    timed_out: Option<TimeoutError>,
}

impl<R: Role> Session<R> {
    /// Creates a session whose opening handshake begins now. [`handshake`](Self::handshake) drives
    /// it.
    #[must_use]
    pub fn new(config: &Config, timeouts: &Timeouts, now: Duration) -> Self {
        Self {
            ws: Err(config.clone()),
            deadlines: Deadlines::new(timeouts, now),
            input: ByteQueue::new(),
            eof: false,
            output: ByteQueue::with_max_len(16 << 20),
            high_water: 64 << 10,
            refused: false,
            timed_out: None,
        }
    }

    /// Creates a session from the result of a handshake that is complete, such as that of an HTTP
    /// library.
    pub fn open(
        negotiated: impl Into<Negotiated<R>>,
        config: &Config,
        timeouts: &Timeouts,
        now: Duration,
    ) -> Self {
        let mut this = Self::new(config, timeouts, now);
        this.ws = Ok(WebSocket::new(negotiated, config));
        this.deadlines.opened(now);
        this
    }

    /// Sets the length of the output from which on neither bytes nor messages are received, so that
    /// a peer that does not read cannot cause more output. Default: 64 KiB.
    ///
    /// Two endpoints that both send without waiting for messages could then wait for each other,
    /// until a deadline ends the connection. A program that limits its own output, such as an
    /// asynchronous one whose senders wait, should set `usize::MAX`, and go on receiving: then only
    /// Pongs add to the output, up to its [maximum](Self::with_max_output).
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

    /// Continues the opening handshake, if it is not complete: calls `step` with the received
    /// bytes, of which it consumes those of the handshake, and with the output. `step` returns the
    /// result once the handshake is complete, with which the connection is open. If it returns an
    /// error, the session writes the output, such as the response to a bad request, and ends.
    ///
    /// Call it after bytes were received, and in a client once before, to write the request.
    ///
    /// Returns the error of `step`, for a log. It is no `Result`, since `?` would skip the output.
    ///
    /// ```
    /// # #[cfg(feature = "handshake")] {
    /// use std::time::Duration;
    /// use ws_proto::handshake::ServerHandshake;
    /// use ws_proto::{Config, OwnedMessage, Server, Session, Timeouts};
    ///
    /// let now = Duration::ZERO;
    /// let (config, timeouts) = (Config::new(), Timeouts::new());
    /// let mut session = Session::<Server>::new(&config, &timeouts, now);
    /// let mut handshake = ServerHandshake::new();
    ///
    /// // Whenever bytes were received:
    /// # let received = b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\
    /// #     Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
    /// #     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n\x81\x82\0\0\0\0hi";
    /// session.received(now, received);
    /// let error = session.handshake(now, |input, out| {
    ///     let Some(request) = handshake.recv(input, out)? else {
    ///         return Ok(None); // read more
    ///     };
    ///     // Check the origin, the path and the subprotocols here.
    ///     Ok::<_, std::io::Error>(Some(request.accept().write(out)?))
    /// });
    /// assert!(error.is_none());
    /// assert!(session.output().starts_with(b"HTTP/1.1 101 "));
    /// assert_eq!(session.recv(), Some(OwnedMessage::Text("hi".into())));
    /// # }
    /// ```
    pub fn handshake<E>(
        &mut self,
        now: Duration,
        step: impl FnOnce(&mut &mut [u8], &mut ByteQueue) -> Result<Option<Negotiated<R>>, E>,
    ) -> Option<E> {
        let config = match &self.ws {
            Err(config) if !self.refused => config,
            _ => return None,
        };
        let mut rest = self.input.as_mut_slice();
        let result = step(&mut rest, &mut self.output);
        let left = rest.len();
        self.input.consume(self.input.len() - left);
        match result {
            Ok(None) => None,
            Ok(Some(negotiated)) => {
                self.ws = Ok(WebSocket::new(negotiated, config));
                self.deadlines.opened(now);
                None
            }
            Err(error) => {
                self.refused = true;
                Some(error)
            }
        }
    }

    /// Passes received bytes to the session, which copies them. Call [`recv`](Self::recv) next, and
    /// during the opening handshake [`handshake`](Self::handshake) before.
    pub fn received(&mut self, now: Duration, bytes: &[u8]) {
        self.deadlines.received(now, bytes.len());
        if self.next_action() != Action::CloseTransport {
            self.input.append(bytes);
        }
    }

    /// Reports the end of the stream, or an error of a read.
    ///
    /// Output may remain, since a peer that sends no more may still read: [`Needs::write`] is
    /// `true` until it is written, or a deadline ends the session. After an error of a write,
    /// report all of the output as [`written`](Self::written) instead, and read on to the end of
    /// the stream.
    pub fn recv_eof(&mut self) {
        self.eof = true;
        self.pass_on_eof();
    }

    fn pass_on_eof(&mut self) {
        if let (Ok(ws), true) = (&mut self.ws, self.eof && self.input.is_empty()) {
            ws.recv_eof();
        }
    }

    /// Returns the next message. Call it until it returns `None`, after bytes were received and
    /// after bytes were written: it returns `None` also while the output is longer than the
    /// [high-water mark](Self::with_high_water).
    #[must_use = "the message must be handled, and `None` ends the loop"]
    pub fn recv(&mut self) -> Option<OwnedMessage> {
        let ws = self.ws.as_mut().ok()?;
        if self.output.len() >= self.high_water {
            return None;
        }
        let mut rest = self.input.as_mut_slice();
        let message = ws
            .recv(&mut rest, &mut self.output)
            .map(|message| match message {
                Message::Text(text) => OwnedMessage::Text(text.into_owned()),
                Message::Binary(bytes) => OwnedMessage::Binary(bytes.into_owned()),
                Message::Ping => OwnedMessage::Ping(ws.control_payload().to_vec()),
                Message::Pong => OwnedMessage::Pong(ws.control_payload().to_vec()),
                Message::Close(code) => {
                    let reason = ws.close_received().map(|close| close.reason);
                    OwnedMessage::Close(code, reason.unwrap_or_default().into())
                }
                Message::Failed(error) => OwnedMessage::Failed(error),
            });
        let left = rest.len();
        self.input.consume(self.input.len() - left);
        if let Some(OwnedMessage::Pong(payload)) = &message {
            self.deadlines.pong(payload);
        }
        if message.is_none() {
            self.pass_on_eof();
        }
        message
    }

    /// Sends a text message in one frame.
    ///
    /// # Errors
    ///
    /// The errors are those of [`WebSocket::send_text`]; [`SendError::Closed`] also before the
    /// opening handshake is complete.
    pub fn send_text(&mut self, text: &str) -> Result<(), SendError> {
        self.send(|ws, output| ws.send_text(text, output))
    }

    /// Sends a binary message in one frame.
    ///
    /// # Errors
    ///
    /// The errors are those of [`send_text`](Self::send_text).
    pub fn send_binary(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        self.send(|ws, output| ws.send_binary(bytes, output))
    }

    /// Starts the closing handshake (§7.1.2).
    ///
    /// # Errors
    ///
    /// The errors are those of [`WebSocket::close`]; [`SendError::Closed`] also before the opening
    /// handshake is complete.
    pub fn close(&mut self, code: CloseCode, reason: &str) -> Result<(), SendError> {
        self.send(|ws, output| ws.close(code, reason, output))
    }

    /// Calls any other method that sends, with the connection and its output.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use ws_proto::{Config, MessageKind, Server, Session, Timeouts};
    /// # let (config, timeouts) = (Config::new(), Timeouts::new());
    /// # let mut session = Session::open(Server, &config, &timeouts, Duration::ZERO);
    /// let kind = MessageKind::Text;
    /// session.send(|ws, out| ws.send_fragment(kind, b"Hel", false, out))?;
    /// session.send(|ws, out| ws.send_fragment(kind, b"lo", true, out))?;
    /// assert_eq!(session.output(), b"\x01\x03Hel\x80\x02lo");
    /// # Ok::<(), ws_proto::SendError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of the method, and [`SendError::Closed`] before the opening handshake is complete.
    pub fn send<T>(
        &mut self,
        method: impl FnOnce(&mut WebSocket<R>, &mut ByteQueue) -> Result<T, SendError>,
    ) -> Result<T, SendError> {
        let ws = self.ws.as_mut().map_err(|_| SendError::Closed)?;
        method(ws, &mut self.output)
    }

    /// Returns the connection, for its properties; `None` before the opening handshake is complete.
    #[must_use]
    pub fn websocket(&self) -> Option<&WebSocket<R>> {
        self.ws.as_ref().ok()
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

    /// Returns all that the session requires now; `None` if the transport must be closed.
    ///
    /// Call it after [`recv`](Self::recv) has returned `None`, and at the time
    /// [`wake`](Needs::wake). Any number of further calls does no harm.
    pub fn needs(&mut self, now: Duration) -> Option<Needs> {
        loop {
            let (action, waiting) = (self.next_action(), self.output.len());
            let discards = action == Action::CloseTransport;
            // Of a handshake, the beginning may be there.
            let input_len = if self.ws.is_ok() { 1 } else { self.high_water };
            let receives = waiting < self.high_water && self.input.len() < input_len;
            let read = !self.eof && (discards || receives);
            if self.timed_out.is_some() || (discards && waiting == 0 && self.eof) {
                return None;
            }
            let status = Status {
                action,
                waiting,
                reading: read,
                message: self.websocket().and_then(WebSocket::message_progress),
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
                Due::Ping(payload) => drop(self.send(|ws, output| ws.send_ping(&payload, output))),
                Due::Drop(reason) => {
                    self.timed_out = Some(reason);
                    if let Ok(ws) = &mut self.ws {
                        ws.recv_eof();
                    }
                }
            }
        }
    }

    const fn next_action(&self) -> Action {
        match &self.ws {
            Ok(ws) => ws.next_action(),
            Err(_) if self.refused || self.eof => Action::CloseTransport,
            Err(_) => Action::Continue,
        }
    }

    /// Returns the fault for which a deadline ended the session, if one did.
    #[must_use]
    pub fn timed_out(&self) -> Option<TimeoutError> {
        self.timed_out
            .filter(|&reason| reason != TimeoutError::Linger)
    }

    /// Returns how the connection ended or is ending; `None` while it is open, and if it never was.
    #[must_use]
    pub fn outcome(&self) -> Option<Outcome<'_>> {
        self.websocket()?.outcome()
    }
}

impl Session<Server> {
    /// Sends a message that was prepared for many connections.
    ///
    /// # Errors
    ///
    /// The errors are those of [`WebSocket::send_prepared`]; [`SendError::Closed`] also before the
    /// opening handshake is complete.
    pub fn send_prepared(&mut self, message: &Prepared) -> Result<(), SendError> {
        self.send(|ws, output| ws.send_prepared(message, output))
    }
}
