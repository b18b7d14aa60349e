//! Integrate in five steps: receive, send, close, time, backpressure.
//!
//! The machine does no I/O. A driver reads bytes and passes them in, and writes the bytes that come
//! out. These are its five duties. A [`Session`] does steps 3 to 5 by itself; [the last
//! section](#all-of-it-with-a-session) shows it. The connection must be open before: see
//! [`http`](super::http) for the opening handshake.
//!
//! # 1. Receive
//!
//! Keep one buffer for input and one for output. After each read, call
//! [`recv`](crate::WebSocket::recv) until it returns `None`. Then all of the input was consumed,
//! and its buffer can be used for the next read, also that of another connection.
//!
//! ```
//! # use std::io::{self, Read, Write};
//! use ws_proto::{Message, Server, WebSocket};
//!
//! /// Reads once, and handles all messages that are complete.
//! fn receive(
//!     ws: &mut WebSocket<Server>,
//!     sock: &mut impl Read,
//!     buf: &mut [u8],
//!     out: &mut Vec<u8>,
//! ) {
//!     let n = match sock.read(buf) {
//!         Ok(0) | Err(_) => {
//!             ws.recv_eof(); // the end of the stream, or a reset
//!             return;
//!         }
//!         Ok(n) => n,
//!     };
//!     let mut input = &mut buf[..n];
//!     while let Some(message) = ws.recv(&mut input, out) {
//!         match message {
//!             Message::Text(text) => println!("{text}"),
//!             Message::Binary(bytes) => println!("{} bytes", bytes.len()),
//!             // The replies to these are already in `out`.
//!             Message::Close(code) => println!("closed by the peer: {code:?}"),
//!             Message::Failed(error) => println!("failed: {error}"),
//!             _ => {} // Ping, which is answered, and Pong
//!         }
//!     }
//! }
//! # let mut ws = WebSocket::new(Server, &Default::default());
//! # let (mut buf, mut out) = (vec![0; 64], Vec::new());
//! # let mut sock = &b"\x89\x80\0\0\0\0\x81\x82\0\0\0\0hi"[..];
//! # receive(&mut ws, &mut sock, &mut buf, &mut out);
//! # assert_eq!(out, b"\x8a\0");
//! # receive(&mut ws, &mut sock, &mut buf, &mut out);
//! # assert!(ws.outcome().is_some());
//! ```
//!
//! * Messages need not end where a read ends: incomplete data is kept inside.
//! * An error of `read` ends the stream, too. (With a socket that does not block, `WouldBlock` is
//!   no error, and with any socket `Interrupted` is none.) Call
//!   [`recv_eof`](crate::WebSocket::recv_eof) for both: [`outcome`](crate::WebSocket::outcome) then
//!   describes the end, and the memory of an incomplete message is freed. Call it only after `recv`
//!   has consumed all bytes that were received before.
//! * A violation by the peer is a message, [`Message::Failed`], and no `Err`, so that no `?` skips
//!   the Close in `out`.
//! * A buffer of 4 to 64 KiB is usual. Messages can be longer than it.
//!
//! # 2. Send
//!
//! The methods `send_*` append a frame to an output. A message that was received may be held while
//! another is sent.
//!
//! ```
//! use ws_proto::{CloseCode, Message, SendError, Server, WebSocket};
//!
//! /// Handles the received bytes. Whatever happens, `out` must be written next.
//! fn handle(
//!     ws: &mut WebSocket<Server>,
//!     mut input: &mut [u8],
//!     out: &mut Vec<u8>,
//! ) -> Result<(), SendError> {
//!     while let Some(message) = ws.recv(&mut input, out) {
//!         let Message::Text(text) = message else { continue };
//!         match text.parse::<i64>() {
//!             Ok(number) => ws.send_text(&(2 * number).to_string(), out)?,
//!             // An error of the program: the peer is informed.
//!             Err(_) => ws.fail(CloseCode::POLICY_VIOLATION, "no number", out)?,
//!         }
//!     }
//!     Ok(())
//! }
//!
//! let mut ws = WebSocket::new(Server, &Default::default());
//! let mut out = Vec::new();
//! let mut received = *b"\x81\x82\0\0\0\x0021\x81\x81\0\0\0\0x";
//! let result = handle(&mut ws, &mut received, &mut out);
//! // sock.write_all(&out)?; first, then look at the result:
//! result?;
//! assert_eq!(out, b"\x81\x0242\x88\x0b\x03\xf0no number");
//! # Ok::<(), SendError>(())
//! ```
//!
//! * **Write `out` before you return an error.** It may hold a Close, which informs the peer about
//!   the reason, and replies to messages that were handled. A `?` between `recv` and the write
//!   discards them.
//! * An `Err` of a call that sends has no effect: nothing was written, and no state changed.
//!   [`SendError::Closed`] is usual at the end of a connection: messages may arrive after our own
//!   Close, but can no longer be answered.
//! * Several frames can be appended before one write. That is faster than a write for each message.
//! * After an error of `write`, nothing more can be sent, but the peer's last messages can still be
//!   read: discard the output, and continue to read until the end of the stream.
//! * If only a slice of the output was written, the rest must be written first. A [`ByteQueue`] is
//!   an output that is consumed from its front.
//!
//! # 3. Close
//!
//! After each write of the output, [`next_action`](crate::WebSocket::next_action) returns the
//! action for the socket, and finally [`outcome`](crate::WebSocket::outcome) how the connection
//! ended.
//!
//! | action | do |
//! | --- | --- |
//! | [`Action::Continue`] | read and write |
//! | [`Action::AwaitClose`] | read and write, with a deadline that nothing extends |
//! | [`Action::CloseTransport`] | write the rest of the output, then close the socket |
//!
//! ```
//! # use std::io::{self, Read, Write};
//! use ws_proto::{Action, CloseCode, Config, Endpoint, Server, WebSocket};
//!
//! # fn main() -> io::Result<()> {
//! let mut ws = WebSocket::new(Server, &Config::new());
//! let (mut out, mut written) = (Vec::new(), Vec::new());
//! ws.close(CloseCode::GOING_AWAY, "restart", &mut out)?;
//! written.write_all(&out)?; // sock.write_all(&out)?
//! out.clear();
//! assert_eq!(ws.next_action(), Action::AwaitClose);
//!
//! // The peer's answer.
//! let mut received = *b"\x88\x82\0\0\0\0\x03\xe9";
//! let mut input = &mut received[..];
//! while let Some(message) = ws.recv(&mut input, &mut out) {}
//! assert_eq!(ws.next_action(), Action::CloseTransport);
//! let outcome = ws.outcome().expect("it has ended");
//! assert!(outcome.clean && outcome.by == Endpoint::Local);
//! # Ok(())
//! # }
//! ```
//!
//! The page [`closing`](super::closing) has the details of the socket: the order of shutdown and
//! close, deadlines, and the status codes.
//!
//! # 4. Time
//!
//! The connection has no clock. A [`Deadlines`] receives the current time, and returns the next
//! deadline, and the action that is due when it has passed: a Ping after silence, or the end of a
//! connection that makes no progress. `now` is a [`Duration`](core::time::Duration) since any fixed
//! time, such as `start.elapsed()`.
//!
//! ```
//! # use std::io;
//! use std::time::Duration;
//! use ws_proto::{Config, Deadlines, Due, Server, Status, Timeouts, WebSocket};
//!
//! /// Returns the time until which the driver may wait for the socket.
//! fn wake_up(
//!     deadlines: &mut Deadlines,
//!     now: Duration,
//!     ws: &mut WebSocket<Server>,
//!     out: &mut Vec<u8>,
//! ) -> io::Result<Option<Duration>> {
//!     loop {
//!         let status = Status {
//!             action: ws.next_action(),
//!             waiting: out.len(),
//!             reading: out.is_empty(), // as step 5 requires
//!             message: ws.message_progress(),
//!         };
//!         match deadlines.check(now, &status) {
//!             Due::Later(until) => return Ok(until),
//!             Due::Ping(payload) => ws.send_ping(&payload, out)?,
//!             Due::Drop(reason) => {
//!                 ws.recv_eof();
//!                 return Err(reason.into());
//!             }
//!         }
//!     }
//! }
//!
//! let mut ws = WebSocket::new(Server, &Config::new());
//! let mut out = Vec::new();
//! let mut deadlines = Deadlines::new(&Timeouts::new(), Duration::ZERO);
//! deadlines.opened(Duration::ZERO);
//! let until = wake_up(&mut deadlines, Duration::ZERO, &mut ws, &mut out)?;
//! assert_eq!(until, Some(Duration::from_secs(30)));
//!
//! // Nothing was received for 30 seconds: a Ping is due.
//! wake_up(&mut deadlines, Duration::from_secs(30), &mut ws, &mut out)?;
//! assert_eq!(out[..2], [0x89, 8]);
//! # Ok::<(), io::Error>(())
//! ```
//!
//! * Report the progress of the socket by [`received`](crate::Deadlines::received) and
//!   [`written`](crate::Deadlines::written), and the payload of a Pong by
//!   [`pong`](crate::Deadlines::pong).
//! * A timer of your own that drops a connection for a missing Pong must not run while your own
//!   output waits, or while you do not read. Two of two hand-written drivers dropped live peers for
//!   that reason. `Deadlines` knows it from [`Status`].
//! * [`Timeouts`] has the default of each time: [`rules`](super::rules#limits) lists them.
//!
//! # 5. Backpressure
//!
//! A peer may send, and not read. If the driver continues to read, the output grows with each Ping
//! and each answer: 10,000 Pings of 125 bytes append 1.27 MB to a `Vec`. There are three ways to
//! limit it.
//!
//! **Write before you read.** A driver that writes all of `out` before it reads again holds at most
//! the replies to one read. The loop of the [crate page](crate#the-loop) is such a driver, and it
//! is enough for a thread for each connection.
//!
//! **Limit the output.** A driver that waits for reading and writing at the same time passes an
//! output of limited size to `recv`: a [`SliceOutput`], a [`CappedOutput`], or a [`ByteQueue`].
//! Without room for a reply, `recv` returns `None`, and [`is_paused`](crate::WebSocket::is_paused)
//! is `true`. Nothing after that frame is received until there is room: keep the rest of the input,
//! write, then call `recv` again, even if the input is empty. Messages and Pongs before it need no
//! reply, and are received.
//!
//! ```
//! use ws_proto::{CappedOutput, Config, Message, Server, WebSocket};
//!
//! const QUEUE_LIMIT: usize = 8;
//!
//! let mut ws = WebSocket::new(Server, &Config::new());
//! let mut queue = Vec::new(); // bytes that the socket has not accepted yet
//! let mut received = *b"\x89\x84\0\0\0\0ping\x89\x84\0\0\0\0pong";
//! let mut input = &mut received[..];
//!
//! let mut out = CappedOutput::new(&mut queue, QUEUE_LIMIT);
//! assert_eq!(ws.recv(&mut input, &mut out), Some(Message::Ping));
//! assert_eq!(ws.recv(&mut input, &mut out), None);
//! assert!(ws.is_paused()); // so do not read
//!
//! queue.clear(); // the socket accepted it
//! let mut out = CappedOutput::new(&mut queue, QUEUE_LIMIT);
//! assert_eq!(ws.recv(&mut input, &mut out), Some(Message::Ping));
//! assert_eq!(queue, b"\x8a\x04pong");
//! ```
//!
//! If `recv` shares its output with the messages of the program, these can fill it, and then the
//! next Ping pauses receiving. A small output that is only for replies, such as a `CappedOutput` of
//! 512 bytes, delays that by the number of replies that it holds. Append it to the queue whenever
//! this becomes shorter, and before [`close`](crate::WebSocket::close) or
//! [`fail`](crate::WebSocket::fail); close the transport when both are empty.
//!
//! **Receive regardless of the output.** Use the halves, in one task if you like. The receiving
//! half owes at most one reply, the Pong to the last Ping or a Close, until the queue has room for
//! it. A peer that reads slowly is then not mistaken for a dead one:
//!
//! ```
//! use ws_proto::{Config, Message, Server, WebSocket};
//!
//! const QUEUE_LIMIT: usize = 64 << 10;
//!
//! let ws = WebSocket::new(Server, &Config::new());
//! let (mut recv_half, mut send_half) = ws.split();
//! let mut queue = Vec::new(); // bytes that the socket has not accepted yet
//!
//! // Whenever bytes were received:
//! # let mut received = *b"\x81\x82\0\0\0\0hi\x89\x81\0\0\0\x001\x89\x81\0\0\0\x002";
//! let mut input = &mut received[..];
//! while let Some(message) = recv_half.recv(&mut input) {
//!     if let Message::Text(text) = message {
//!         send_half.send_text(&text, &mut queue)?;
//!     }
//! }
//! // And whenever the queue has become shorter:
//! if queue.len() < QUEUE_LIMIT {
//!     if let Some(reply) = recv_half.take_reply() {
//!         send_half.reply(&reply, &mut queue)?;
//!     }
//! }
//! assert_eq!(queue, b"\x81\x02hi\x8a\x012");
//! # Ok::<(), ws_proto::SendError>(())
//! ```
//!
//! Each of these limits the replies. The program must limit its own messages: stop calling `recv`
//! while too many of its answers wait.
//!
//! # All of it, with a `Session`
//!
//! A [`Session`] has the queues, the deadlines and the state of closing.
//! [`needs`](crate::Session::needs) returns all that is required of the socket at the same time.
//! This is a complete driver for a socket that blocks:
//!
//! ```
//! # use std::io::{self, Read, Write};
//! # use std::net::{Shutdown, TcpListener, TcpStream};
//! # use std::time::{Duration, Instant};
//! use ws_proto::{Config, Negotiated, OwnedMessage, Role, Session, Timeouts};
//!
//! /// Echoes until the connection ends. Returns how it ended, for the log.
//! fn echo<R: Role>(
//!     negotiated: Negotiated<R>,
//!     mut sock: TcpStream,
//! ) -> io::Result<String> {
//!     let (config, timeouts) = (Config::new(), Timeouts::new());
//!     let (clock, mut buf) = (Instant::now(), vec![0; 16 << 10]);
//!     let mut session =
//!         Session::open(negotiated, &config, &timeouts, clock.elapsed());
//!     loop {
//!         while let Some(message) = session.recv() {
//!             match message {
//!                 OwnedMessage::Text(text) => session.send_text(&text)?,
//!                 OwnedMessage::Binary(bytes) => session.send_binary(&bytes)?,
//!                 _ => {}
//!             }
//!         }
//!         let now = clock.elapsed();
//!         let Some(needs) = session.needs(now) else { break };
//!         let left = needs.wake.map(|wake| wake.saturating_sub(now));
//!         if needs.write {
//!             sock.set_write_timeout(left)?;
//!             match sock.write(session.output()) {
//!                 Ok(n) => session.written(clock.elapsed(), n),
//!                 Err(error) if is_timeout(&error) => {} // `needs` acts on it
//!                 // Nothing more can be sent, but the peer's last messages
//!                 // can still be read.
//!                 Err(_) => {
//!                     let len = session.output().len();
//!                     session.written(clock.elapsed(), len);
//!                 }
//!             }
//!         } else if needs.read {
//!             if needs.shutdown {
//!                 let _ = sock.shutdown(Shutdown::Write);
//!             }
//!             sock.set_read_timeout(left)?;
//!             match sock.read(&mut buf) {
//!                 Ok(0) => session.recv_eof(),
//!                 Ok(n) => session.received(clock.elapsed(), &buf[..n]),
//!                 Err(error) if is_timeout(&error) => {}
//!                 Err(_) => session.recv_eof(),
//!             }
//!         }
//!     }
//!     Ok(match (session.timed_out(), session.outcome()) {
//!         (Some(timeout), _) => timeout.to_string(),
//!         (_, outcome) => outcome.map(|end| end.to_string()).unwrap_or_default(),
//!     })
//! }
//!
//! fn is_timeout(error: &io::Error) -> bool {
//!     use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
//!     matches!(error.kind(), WouldBlock | TimedOut | Interrupted)
//! }
//! # let listener = TcpListener::bind("127.0.0.1:0")?;
//! # let mut peer = TcpStream::connect(listener.local_addr()?)?;
//! # let (sock, _) = listener.accept()?;
//! # peer.write_all(b"\x81\x82\0\0\0\0hi\x88\x82\0\0\0\0\x03\xe8")?;
//! # let negotiated = Negotiated::new(ws_proto::Server);
//! # let ended = std::thread::spawn(move || echo(negotiated, sock));
//! # let mut echoed = Vec::new();
//! # peer.read_to_end(&mut echoed)?;
//! # assert_eq!(echoed, b"\x81\x02hi\x88\x02\x03\xe8");
//! # drop(peer);
//! # assert_eq!(ended.join().unwrap()?, "clean close by the peer, received 1000, sent 1000");
//! # Ok::<(), io::Error>(())
//! ```
//!
//! Two `?` in this example return before the output was written: those of `send_text` and
//! `send_binary`. They fail only at the end of the connection, if the program has called `close`,
//! or if the peer does not read and [the limit of the output](crate::Session::with_max_output) is
//! reached. A program for which that is usual ignores `Closed`, and calls
//! [`close`](crate::Session::close) for the other errors.
//!
//! # A wrapper that returns borrowed messages
//!
//! Sooner or later a program wraps socket, connection and buffers into a struct with a method that
//! returns the next message. If the method reads *and* returns a message that borrows the buffer,
//! the compiler refuses it, although it is correct: this is the "problem case 3" of the borrow
//! checker.
//!
//! ```compile_fail,E0499
//! # use std::io::{self, Read};
//! # use ws_proto::{Message, Server, WebSocket};
//! struct Connection<S> {
//!     sock: S,
//!     ws: WebSocket<Server>,
//!     buf: Vec<u8>,
//!     /// The bytes of `buf` that `recv` has not consumed.
//!     rest: std::ops::Range<usize>,
//!     out: Vec<u8>,
//! }
//!
//! impl<S: Read> Connection<S> {
//!     fn next(&mut self) -> io::Result<Message<'_>> {
//!         loop {
//!             let mut input = &mut self.buf[self.rest.clone()];
//!             if let Some(message) = self.ws.recv(&mut input, &mut self.out) {
//!                 self.rest.start = self.rest.end - input.len();
//!                 return Ok(message);
//!             }
//!             // error[E0499]: cannot borrow `self.buf` as mutable more than once
//!             self.rest = 0..self.sock.read(&mut self.buf)?;
//!         }
//!     }
//! }
//! ```
//!
//! There are three cures. **Separate the two**: one method reads, another returns messages.
//!
//! ```
//! # use std::io::{self, Read};
//! # use ws_proto::{Message, Server, WebSocket};
//! # struct Connection<S> {
//! #     sock: S,
//! #     ws: WebSocket<Server>,
//! #     buf: Vec<u8>,
//! #     rest: std::ops::Range<usize>,
//! #     out: Vec<u8>,
//! # }
//! impl<S: Read> Connection<S> {
//!     /// Reads more. `next` must have returned `None`.
//!     fn fill(&mut self) -> io::Result<()> {
//!         self.rest = 0..self.sock.read(&mut self.buf)?;
//!         if self.rest.is_empty() {
//!             self.ws.recv_eof();
//!         }
//!         Ok(())
//!     }
//!
//!     fn next(&mut self) -> Option<Message<'_>> {
//!         let mut input = &mut self.buf[self.rest.clone()];
//!         let message = self.ws.recv(&mut input, &mut self.out);
//!         self.rest.start = self.rest.end - input.len();
//!         message
//!     }
//! }
//! # let mut connection = Connection {
//! #     sock: &b"\x81\x82\0\0\0\0hi\x81\x82\0\0\0\0yo"[..],
//! #     ws: WebSocket::new(Server, &Default::default()),
//! #     buf: vec![0; 64],
//! #     rest: 0..0,
//! #     out: Vec::new(),
//! # };
//! # connection.fill()?;
//! # assert_eq!(connection.next(), Some(Message::Text("hi".into())));
//! # assert_eq!(connection.next(), Some(Message::Text("yo".into())));
//! # assert_eq!(connection.next(), None);
//! # Ok::<(), io::Error>(())
//! ```
//!
//! **Pass the messages to a closure**, together with the connection and the output, so that it can
//! answer:
//!
//! ```
//! # use std::io::{self, Read, Write};
//! # use ws_proto::{Message, SendError, Server, WebSocket};
//! # struct Connection<S> {
//! #     sock: S,
//! #     ws: WebSocket<Server>,
//! #     buf: Vec<u8>,
//! #     out: Vec<u8>,
//! # }
//! impl<S: Read + Write> Connection<S> {
//!     /// Reads once, calls `handle` for each message, and writes.
//!     fn pump<F>(&mut self, mut handle: F) -> io::Result<()>
//!     where
//!         F: FnMut(
//!             &mut WebSocket<Server>,
//!             Message<'_>,
//!             &mut Vec<u8>,
//!         ) -> Result<(), SendError>,
//!     {
//!         let n = self.sock.read(&mut self.buf)?;
//!         if n == 0 {
//!             self.ws.recv_eof();
//!         }
//!         let (mut input, mut result) = (&mut self.buf[..n], Ok(()));
//!         while let Some(message) = self.ws.recv(&mut input, &mut self.out) {
//!             result = result.and(handle(&mut self.ws, message, &mut self.out));
//!         }
//!         self.sock.write_all(&self.out)?; // before the error is returned
//!         self.out.clear();
//!         Ok(result?)
//!     }
//! }
//! # struct Duplex(&'static [u8], Vec<u8>);
//! # impl Read for Duplex {
//! #     fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> { self.0.read(buf) }
//! # }
//! # impl Write for Duplex {
//! #     fn write(&mut self, buf: &[u8]) -> io::Result<usize> { self.1.write(buf) }
//! #     fn flush(&mut self) -> io::Result<()> { Ok(()) }
//! # }
//! # let mut connection = Connection {
//! #     sock: Duplex(b"\x81\x82\0\0\0\0hi", Vec::new()),
//! #     ws: WebSocket::new(Server, &Default::default()),
//! #     buf: vec![0; 64],
//! #     out: Vec::new(),
//! # };
//! connection.pump(|ws, message, out| match message {
//!     Message::Text(text) => ws.send_text(&text, out),
//!     _ => Ok(()),
//! })?;
//! # assert_eq!(connection.sock.1, b"\x81\x02hi");
//! # Ok::<(), io::Error>(())
//! ```
//!
//! **Return messages that own their content**: `Message<'static>` by
//! [`into_owned`](crate::Message::into_owned), or the [`OwnedMessage`] of a `Session`. That is one
//! copy for each message, and the signature of `next` becomes possible, also as an `async fn`.
//!
//! [`Action::AwaitClose`]: crate::Action::AwaitClose
//! [`Action::CloseTransport`]: crate::Action::CloseTransport
//! [`Action::Continue`]: crate::Action::Continue
//! [`ByteQueue`]: crate::ByteQueue
//! [`CappedOutput`]: crate::CappedOutput
//! [`Deadlines`]: crate::Deadlines
//! [`Message::Failed`]: crate::Message::Failed
//! [`OwnedMessage`]: crate::OwnedMessage
//! [`SendError::Closed`]: crate::SendError::Closed
//! [`Session`]: crate::Session
//! [`SliceOutput`]: crate::SliceOutput
//! [`Status`]: crate::Status
//! [`Timeouts`]: crate::Timeouts
