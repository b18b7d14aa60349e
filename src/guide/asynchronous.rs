//! Use it with an asynchronous runtime, such as tokio, and cancel futures safely.
//!
//! No call of this crate waits, so it needs no `async` version. The only places where a task waits
//! are its reads, its writes and its timer. `examples/hosts` has programs for tokio and hyper, each
//! driven in the checks by other software; its wrapper `tokio_ws.rs` can be copied.
//!
//! # One task
//!
//! A task that owns socket and [`Session`] waits for everything at once: for input, for room for
//! the output, for the next deadline, and for messages that other tasks post. This is a complete
//! connection:
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/common/runtime.rs"));
//! # use std::io;
//! # use std::time::Duration;
//! use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! use tokio::net::TcpStream;
//! use tokio::sync::mpsc::Receiver;
//! use tokio::time::{Instant, sleep_until};
//! use ws_proto::{
//!     Config, Negotiated, OwnedMessage, Role, SendError, Session, Timeouts,
//! };
//!
//! async fn converse<R: Role>(
//!     negotiated: Negotiated<R>,
//!     mut sock: TcpStream,
//!     mut posted: Receiver<String>,
//! ) -> io::Result<()> {
//!     const FAR: Duration = Duration::from_secs(1 << 30);
//!     let (config, timeouts) = (Config::new(), Timeouts::new());
//!     let (clock, mut buf) = (Instant::now(), vec![0; 16 << 10]);
//!     let mut session =
//!         Session::open(negotiated, &config, &timeouts, clock.elapsed());
//!     let (mut reader, mut writer) = sock.split();
//!     loop {
//!         while let Some(message) = session.recv() {
//!             match message {
//!                 OwnedMessage::Text(text) => println!("{text}"),
//!                 OwnedMessage::Failed(error) => eprintln!("{error}"),
//!                 _ => {}
//!             }
//!         }
//!         let Some(needs) = session.needs(clock.elapsed()) else {
//!             break; // the socket is closed when it is dropped
//!         };
//!         if needs.shutdown {
//!             let _ = writer.shutdown().await; // everything was written
//!         }
//!         let wake = clock + needs.wake.unwrap_or(FAR);
//!         let is_idle = !needs.write && !needs.shutdown;
//!         tokio::select! {
//!             n = writer.write(session.output()), if needs.write => {
//!                 session.written(clock.elapsed(), n?);
//!             }
//!             n = reader.read(&mut buf), if needs.read => match n {
//!                 Ok(0) | Err(_) => session.recv_eof(),
//!                 Ok(n) => session.received(clock.elapsed(), &buf[..n]),
//!             },
//!             Some(text) = posted.recv(), if is_idle => {
//!                 match session.send_text(&text) {
//!                     Ok(()) | Err(SendError::Closed) => {}
//!                     Err(error) => return Err(error.into()),
//!                 }
//!             }
//!             () = sleep_until(wake) => {} // `needs` acts on it
//!         }
//!     }
//!     match session.timed_out() {
//!         Some(timeout) => Err(timeout.into()),
//!         None => Ok(()), // `session.outcome()` describes the end
//!     }
//! }
//! # fn main() -> io::Result<()> {
//! # let (sock, peer) = runtime::pair(b"\x81\x82\0\0\0\0hi\x88\x82\0\0\0\0\x03\xe8");
//! # let posted = tokio::sync::mpsc::of(["yo"]);
//! # let negotiated = Negotiated::new(ws_proto::Server);
//! # runtime::block_on(converse(negotiated, sock, posted))?;
//! # assert_eq!(peer.written(), b"\x81\x02yo\x88\x02\x03\xe8");
//! # Ok(())
//! # }
//! ```
//!
//! * **Backpressure** is in `needs` (whether to read), and in the condition `is_idle`: while output
//!   waits, no posted message is accepted. The channel must be bounded, so that those who post
//!   wait, too.
//! * **The timer is created again in each round.** It is cheap. A program with very many
//!   connections keeps one `Sleep` and resets it, as `tokio_ws.rs` does.
//! * **TLS**: wrap the stream before; with `tokio_rustls` use `tokio::io::split`, and call `flush`
//!   when the output is empty.
//! * **A buffer for each task** is the largest memory of an idle connection. The wrapper in
//!   `examples/hosts` shares one for each thread.
//!
//! # Cancel safety
//!
//! A future is cancelled when it is dropped before it is ready: by `select!`, by `timeout`, or with
//! its task. These are the rules for a wrapper, whatever its runtime.
//!
//! | call | if it is dropped |
//! | --- | --- |
//! | all calls of this crate | they do not wait, so nothing is between two states |
//! | `read` | no bytes are lost |
//! | `write` | no bytes were written |
//! | `read_exact`, `write_all` | **bytes are lost, or written twice**: do not use them where a future can be dropped |
//! | `recv` of a channel | no message is lost (tokio) |
//! | a method of the wrapper that calls `read` and returns a message | nothing is lost, if received bytes and output are in the wrapper, not in the future |
//!
//! The last row is the important one: keep the `Session`, or the `WebSocket` with its output queue,
//! in the struct, and let the future hold nothing but a borrow. Then `recv().await` in a `select!`
//! is safe, and the next call does the rest. A `send` that was dropped may have appended its
//! message: it will be sent, and must not be repeated.
//!
//! # Types
//!
//! * All types are `Send`, and can be moved to another task or thread. The roles are part of the
//!   type: write functions for `R: Role`.
//! * A [`Message`] borrows the read buffer. It may be held across an `.await`, as long as the
//!   buffer is not used. To pass it to another task, call
//!   [`into_owned`](crate::Message::into_owned), or use the [`OwnedMessage`] of a `Session`.
//! * A method `async fn next(&mut self) -> Message<'_>` that reads in a loop does not compile:
//!   [here are the cures](super::integrate#a-wrapper-that-returns-borrowed-messages).
//!
//! # A client that reconnects
//!
//! After an abnormal closure, a client must wait before it reconnects: at first for a random time
//! of 0 to 5 seconds, then longer each time (RFC 6455 §7.2.3). Otherwise all clients of a server
//! that restarts return at the same moment.
//!
//! ```
//! use std::time::Duration;
//!
//! /// The longest of the next delays.
//! struct Backoff(Duration);
//!
//! impl Backoff {
//!     const FIRST: Duration = Duration::from_secs(5);
//!     const LAST: Duration = Duration::from_secs(300);
//!
//!     fn new() -> Self {
//!         Self(Self::FIRST)
//!     }
//!
//!     /// Returns the time to wait. `random` is uniform, from 0 to 1.
//!     fn next(&mut self, random: f64) -> Duration {
//!         let delay = self.0.mul_f64(random);
//!         self.0 = (self.0 * 2).min(Self::LAST);
//!         delay
//!     }
//! }
//!
//! let mut backoff = Backoff::new();
//! assert_eq!(backoff.next(0.5), Duration::from_millis(2_500));
//! assert_eq!(backoff.next(1.0), Duration::from_secs(10));
//! ```
//!
//! The client is then a loop:
//!
//! 1. Connect the socket, with a timeout, and TLS if
//!    [`Uri::is_secure`](crate::uri::Uri::is_secure).
//! 2. Create a `ClientHandshake` with a **fresh** seed, and let [`Session::handshake`] drive it:
//!    its deadline is part of the session. [`http`](super::http#a-client) has the code.
//! 3. Converse as above. Pings are sent by the session, after 30 seconds of silence; a server that
//!    is gone is noticed 30 seconds later ([`Timeouts`]).
//! 4. If [`outcome`](crate::Session::outcome) is clean and the program closed it, return. Otherwise
//!    wait for `backoff.next(..)`, and begin again. Create a new `Backoff` after a connection that
//!    was open for a while.
//!
//! At most one connection to the same address may be in its opening handshake at a time (§4.1).
//! `examples/hosts` has such a client: `proxy_client`.
//!
//! [`Message`]: crate::Message
//! [`OwnedMessage`]: crate::OwnedMessage
//! [`Session::handshake`]: crate::Session::handshake
//! [`Session`]: crate::Session
//! [`Timeouts`]: crate::Timeouts
