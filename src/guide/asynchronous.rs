//! Use it with an asynchronous runtime, such as tokio, and cancel futures safely.
//!
//! No call of this crate waits, so it needs no `async` version. The only places where a task waits
//! are its reads, its writes and its timer. `examples/hosts` has programs for tokio and hyper, each
//! driven in the checks by other software. Their wrapper `tokio_stream.rs`, a `Stream` and a `Sink`
//! of messages over any asynchronous stream, can be copied.
//!
//! # The driver
//!
//! One function does the I/O: it waits for input, for room for the output and for the next
//! deadline, whatever is first. It is the same for servers and clients, before and after the
//! opening handshake. All that it needs is in the [`Session`].
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/runtime.rs"));
//! use std::time::Duration;
//! use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, split};
//! use tokio::time::{Instant, sleep_until, timeout_at};
//! use ws_proto::{Role, Session};
//!
//! /// Does the I/O that is possible, or waits. Returns `false` at the end.
//! /// `flushed` is `true` at first.
//! async fn drive<R: Role>(
//!     session: &mut Session<R>,
//!     clock: Instant,
//!     sock: &mut (impl AsyncRead + AsyncWrite + Unpin),
//!     buf: &mut [u8],
//!     flushed: &mut bool,
//! ) -> bool {
//!     let Some(needs) = session.needs(clock.elapsed()) else {
//!         return false; // `timed_out` and `outcome` describe how it ended
//!     };
//!     let far = Duration::from_secs(1 << 30);
//!     let wake = clock + needs.wake.unwrap_or(far);
//!     let (mut reader, mut writer) = split(sock);
//!     if needs.shutdown {
//!         let _ = timeout_at(wake, writer.shutdown()).await;
//!     }
//!     let flush = !needs.write && !needs.shutdown && !*flushed;
//!     let output = async {
//!         match needs.write {
//!             true => writer.write(session.output()).await,
//!             false => writer.flush().await.map(|()| 0),
//!         }
//!     };
//!     tokio::select! {
//!         n = output, if needs.write || flush => {
//!             // After an error nothing more can be sent, but the peer's last
//!             // messages can still be read.
//!             let n = n.unwrap_or(session.output().len());
//!             *flushed = !needs.write;
//!             if needs.write {
//!                 session.written(clock.elapsed(), n);
//!             }
//!         }
//!         n = reader.read(buf), if needs.read => match n {
//!             Ok(0) | Err(_) => session.recv_eof(),
//!             Ok(n) => session.received(clock.elapsed(), &buf[..n]),
//!         },
//!         () = sleep_until(wake) => {} // `needs` acts on it
//!     }
//!     true
//! }
//! # fn main() {
//! #     let mut sock = runtime::Socket::of(b"\x88\x80\0\0\0\0");
//! #     let (config, timeouts) = Default::default();
//! #     let mut session = Session::open(ws_proto::Server, &config, &timeouts, Duration::ZERO);
//! #     let clock = Instant::now();
//! #     let (mut buf, mut flushed) = ([0; 64], true);
//! #     while runtime::block_on(drive(
//! #         &mut session, clock, &mut sock, &mut buf, &mut flushed,
//! #     )) {
//! #         while session.recv().is_some() {}
//! #     }
//! #     assert_eq!(sock.written(), b"\x88\0");
//! # }
//! ```
//!
//! * **Backpressure** is in `needs.read`: it is `false` while too much output waits.
//! * **The timer is created again in each round**, which is cheap. A program with very many
//!   connections keeps one `Sleep` and resets it, as the wrapper in `examples/hosts` does.
//! * **TLS**: wrap the socket before, and pass the wrapper as `sock`.
//! * **Nothing waits without the timer.** A stream with a buffer of its own, such as that of TLS or
//!   HTTP/2, must be flushed, and `flush` and `shutdown` wait for a peer that does not read. With
//!   an `await` of `flush` before the `select!`, such a peer keeps its connection forever.
//! * **After an error of `write`**, the driver reads on until the end of the stream: the peer's
//!   last messages and its Close may have arrived before.
//! * `split` of a `TcpStream` is a method, which saves an allocation in each round.
//! * **Another runtime** has `read`, `write` and a timer, too: only the names differ. A runtime
//!   that requires owned buffers, such as one for io_uring, reads into a buffer of its own and
//!   passes it to [`received`](crate::Session::received).
//! * **A buffer for each task** is the largest memory of an idle connection. The wrapper in
//!   `examples/hosts` shares one for each thread.
//!
//! # A client with keepalive, which reconnects
//!
//! The rest of a client, complete. Pings are sent by the session after 30 seconds of silence, and a
//! server that is gone is noticed 30 seconds later: [`Timeouts`]. After an abnormal closure, a
//! client must wait before it reconnects, at first for a random time of 0 to 5 seconds, then longer
//! each time (RFC 6455 §7.2.3). Otherwise all clients of a server that restarts return at the same
//! moment.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/runtime.rs"));
//! # use tokio::io::{AsyncReadExt, AsyncWriteExt};
//! # use tokio::time::sleep_until;
//! # use ws_proto::Role;
//! # async fn drive<R: Role>(
//! #     session: &mut Session<R>,
//! #     clock: Instant,
//! #     sock: &mut TcpStream,
//! #     buf: &mut [u8],
//! #     _: &mut bool,
//! # ) -> bool {
//! #     let Some(needs) = session.needs(clock.elapsed()) else { return false };
//! #     let (mut reader, mut writer) = tokio::io::split(sock);
//! #     let wake = clock + needs.wake.unwrap_or(Duration::from_secs(1 << 30));
//! #     tokio::select! {
//! #         n = writer.write(session.output()), if needs.write => {
//! #             session.written(clock.elapsed(), n.unwrap());
//! #         }
//! #         n = reader.read(buf), if needs.read => match n {
//! #             Ok(0) | Err(_) => session.recv_eof(),
//! #             Ok(n) => session.received(clock.elapsed(), &buf[..n]),
//! #         },
//! #         () = sleep_until(wake) => {}
//! #     }
//! #     true
//! # }
//! use std::{io, time::Duration};
//! use tokio::net::TcpStream;
//! use tokio::sync::mpsc::Receiver;
//! use tokio::time::{Instant, sleep, timeout};
//! use ws_proto::handshake::{Answer, ClientHandshake};
//! use ws_proto::uri::Uri;
//! use ws_proto::{
//!     Client, CloseCode, Config, OwnedMessage, SendError, Session, Timeouts,
//! };
//!
//! /// Converses until it is finished, and reconnects until then.
//! async fn run(uri: &Uri<'_>, mut posted: Receiver<String>) -> io::Result<()> {
//!     if uri.is_secure() {
//!         return Err(io::Error::other("wrap the socket into TLS first"));
//!     }
//!     let seconds = Duration::from_secs;
//!     let mut longest = seconds(5);
//!     loop {
//!         let start = Instant::now();
//!         match connect(uri, &mut posted).await {
//!             Ok(true) => return Ok(()),
//!             // It was open for a while.
//!             Ok(false) if start.elapsed() > seconds(60) => longest = seconds(5),
//!             Ok(false) => {}
//!             Err(error) => eprintln!("{error}"),
//!         }
//!         let [random] = random()?;
//!         sleep(longest.mul_f64(f64::from(random) / 255.0)).await;
//!         longest = (longest * 2).min(seconds(300));
//!     }
//! }
//!
//! /// Returns whether the conversation is finished.
//! async fn connect(
//!     uri: &Uri<'_>,
//!     posted: &mut Receiver<String>,
//! ) -> io::Result<bool> {
//!     let sock = TcpStream::connect((uri.host(), uri.port()));
//!     let mut sock = timeout(Duration::from_secs(10), sock).await??;
//!
//!     let (clock, mut buf) = (Instant::now(), vec![0; 16 << 10]);
//!     let mut flushed = true;
//!     let (config, timeouts) = (Config::new(), Timeouts::new());
//!     let mut session = Session::new(&config, &timeouts, clock.elapsed());
//!     let mut handshake = ClientHandshake::new(uri, Client::new(random()?));
//!     let mut failed = session.handshake(clock.elapsed(), |_, out| {
//!         handshake.write_request(out)?;
//!         Ok::<_, io::Error>(None)
//!     });
//!     while session.websocket().is_none() {
//!         let is_open =
//!             drive(&mut session, clock, &mut sock, &mut buf, &mut flushed).await;
//!         let now = clock.elapsed();
//!         let step = session.handshake(now, |input, _| {
//!             Ok(match handshake.recv(input)? {
//!                 None => None, // read more
//!                 Some(Answer::Accepted { negotiated, .. }) => Some(negotiated),
//!                 Some(Answer::Rejected(response)) => {
//!                     let text = format!("rejected: {}", response.status());
//!                     return Err(io::Error::other(text));
//!                 }
//!             })
//!         });
//!         failed = failed.or(step);
//!         if failed.is_some() || !is_open {
//!             let timed_out = session.timed_out().map(io::Error::from);
//!             let eof = io::ErrorKind::UnexpectedEof;
//!             return Err(failed.or(timed_out).unwrap_or(eof.into()));
//!         }
//!     }
//!
//!     let mut finished = false;
//!     loop {
//!         while let Some(message) = session.recv() {
//!             match message {
//!                 OwnedMessage::Text(text) => println!("{text}"),
//!                 OwnedMessage::Failed(error) => eprintln!("{error}"),
//!                 _ => {}
//!             }
//!         }
//!         let is_idle = session.output().is_empty();
//!         tokio::select! {
//!             text = posted.recv(), if is_idle && !finished => {
//!                 finished = text.is_none(); // all who post are gone
//!                 let sent = match text {
//!                     Some(text) => session.send_text(&text),
//!                     None => session.close(CloseCode::NORMAL, ""),
//!                 };
//!                 match sent {
//!                     Ok(()) | Err(SendError::Closed) => {}
//!                     Err(error) => return Err(error.into()),
//!                 }
//!             }
//!             more = drive(
//!                 &mut session, clock, &mut sock, &mut buf, &mut flushed,
//!             ) => {
//!                 if !more {
//!                     break;
//!                 }
//!             },
//!         }
//!     }
//!     let Some(outcome) = session.outcome() else { return Ok(finished) };
//!     match session.timed_out() {
//!         Some(timeout) => eprintln!("{timeout}"),
//!         None => eprintln!("{outcome}"),
//!     }
//!     let code = outcome.received.and_then(|close| close.code);
//!     let normal = outcome.clean && code == Some(CloseCode::NORMAL);
//!     Ok(finished || normal)
//! }
//!
//! /// By the crate `getrandom`, with its feature `std`.
//! fn random<const N: usize>() -> io::Result<[u8; N]> {
//!     let mut bytes = [0; N];
//!     getrandom::fill(&mut bytes)?;
//!     Ok(bytes)
//! }
//! # fn main() -> io::Result<()> {
//! #     let response = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
//! #         Connection: Upgrade\r\n\
//! #         Sec-WebSocket-Accept: MXHCaJPMZA/Ir6yhiiyxoBpnBAA=\r\n\r\n";
//! #     let last = TcpStream::of(&[&response[..], b"\x81\x02hi\x88\x02\x03\xe8"].concat());
//! #     let dropped = TcpStream::of(&[&response[..], b"\x81\x02hi"].concat());
//! #     let rejects = TcpStream::of(b"HTTP/1.1 503 Service Unavailable\r\n\r\n");
//! #     let servers = vec![last.clone(), dropped.clone(), rejects];
//! #     runtime::SERVERS.set(servers);
//! #     let uri = Uri::parse("ws://example.com/")?;
//! #     runtime::block_on(run(&uri, tokio::sync::mpsc::of(["yo"])))?;
//! #     assert!(dropped.written().starts_with(b"GET / HTTP/1.1\r\n"));
//! #     let text = dropped.written().len() - 8;
//! #     assert_eq!(dropped.written()[text..][..2], [0x81, 0x82]);
//! #     let close = last.written().len() - 8;
//! #     assert_eq!(last.written()[close..][..2], [0x88, 0x82]);
//! #     runtime::SERVERS.with_borrow(|left| assert!(left.is_empty()));
//! #
//! #     let last = TcpStream::of(&[&response[..], b"\x88\x02\x03\xe9"].concat());
//! #     runtime::SERVERS.set(vec![last.clone()]);
//! #     runtime::block_on(run(&uri, tokio::sync::mpsc::closed()))?;
//! #     let close = last.written().len() - 8;
//! #     assert_eq!(last.written()[close..][..2], [0x88, 0x82]);
//! #     Ok(())
//! # }
//! ```
//!
//! * **Posted messages wait** while output does: the condition `is_idle` is backpressure for those
//!   who post, if the channel is bounded.
//! * **A message that was posted may be lost** if the connection ends before the peer received it.
//!   WebSocket confirms nothing: messages that must arrive are confirmed by the peer's messages,
//!   and sent again.
//! * **When to reconnect**: the delay is reset only after the connection was open for a minute,
//!   since a server may accept and end each one. After a rejection with 503, wait at least the time
//!   in its `Retry-After`, if it has one. After 401, 403 or 404, do not repeat the same request.
//! * At most one connection to the same address may be in its opening handshake at a time (§4.1).
//! * A **server** has the same loops: its step calls `ServerHandshake::recv`
//!   ([`http`](super::http#a-server)), and a task is spawned for each socket. If the step fails,
//!   continue to call `drive` until it returns `false`: that writes the HTTP error.
//! * `examples/hosts` has a client with TLS and two tasks, `tokio_client`, and one with proxies and
//!   redirects, `proxy_client`.
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
//! [`Message`]: crate::Message
//! [`OwnedMessage`]: crate::OwnedMessage
//! [`Session`]: crate::Session
//! [`Timeouts`]: crate::Timeouts
