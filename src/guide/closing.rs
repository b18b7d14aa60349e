//! Close a connection, and its socket, so that both sides know how it ended.
//!
//! # The closing handshake
//!
//! Each endpoint sends one Close. After its own, it sends no more data; after the peer's, it
//! discards all input. Then the **server** closes the socket first, so that the client's port is
//! free at once (RFC 6455 §7.1.1). [`State`] has all of it as a diagram and a table. A driver
//! follows [`next_action`](crate::WebSocket::next_action):
//!
//! | situation | server | client |
//! | --- | --- | --- |
//! | open | [`Continue`](crate::Action::Continue) | [`Continue`](crate::Action::Continue) |
//! | `close` was called | [`AwaitClose`](crate::Action::AwaitClose) | [`AwaitClose`](crate::Action::AwaitClose) |
//! | the peer closed, and the answer is in the output | [`CloseTransport`](crate::Action::CloseTransport) | [`AwaitClose`](crate::Action::AwaitClose) |
//! | the peer answered our Close | [`CloseTransport`](crate::Action::CloseTransport) | [`AwaitClose`](crate::Action::AwaitClose) |
//! | the peer violated the protocol, or `fail` was called | [`CloseTransport`](crate::Action::CloseTransport) | [`CloseTransport`](crate::Action::CloseTransport) |
//! | `recv_eof` was called | [`CloseTransport`](crate::Action::CloseTransport) | [`CloseTransport`](crate::Action::CloseTransport) |
//!
//! * **`AwaitClose`**: continue to read and write, with a deadline that begins once. Data that
//!   arrives must not extend it: a peer could send forever. [`Timeouts::with_close`] is that time,
//!   by default 10 seconds.
//! * **`CloseTransport`**: the output is written before; only then the socket is closed.
//!
//! # The socket
//!
//! A socket that is closed while unread bytes are in its buffer is reset by the system, and a reset
//! discards bytes that the peer has not read yet, among them our last messages and the Close.
//! Therefore end it in this order:
//!
//! 1. Write the rest of the output.
//! 2. Shut down the sending direction (`shutdown(Shutdown::Write)`; with TLS, its `close_notify`
//!    before).
//! 3. Read, and discard, until the stream ends, but not longer than a few seconds
//!    ([`Timeouts::with_linger`], by default 5).
//! 4. Close the socket.
//!
//! ```
//! # use std::io::{self, Read, Write};
//! # use std::net::{Shutdown, TcpListener, TcpStream};
//! # use std::time::{Duration, Instant};
//! /// Ends the transport after `CloseTransport`.
//! fn end(mut sock: TcpStream, out: &[u8]) -> io::Result<()> {
//!     let end = Instant::now() + Duration::from_secs(5);
//!     sock.set_write_timeout(Some(Duration::from_secs(5)))?;
//!     sock.write_all(out)?;
//!     sock.shutdown(Shutdown::Write)?;
//!     let mut discarded = [0; 4096];
//!     loop {
//!         let left = end.saturating_duration_since(Instant::now());
//!         if left.is_zero() {
//!             return Ok(()); // the peer continues to send
//!         }
//!         sock.set_read_timeout(Some(left))?;
//!         if let Ok(0) | Err(_) = sock.read(&mut discarded) {
//!             return Ok(()); // the end of the stream, or of the time
//!         }
//!     }
//! }
//! # let listener = TcpListener::bind("127.0.0.1:0")?;
//! # let mut peer = TcpStream::connect(listener.local_addr()?)?;
//! # let (sock, _) = listener.accept()?;
//! # peer.write_all(b"not read by the server")?;
//! # let ended = std::thread::spawn(move || end(sock, b"\x88\0"));
//! # let mut received = Vec::new();
//! # peer.read_to_end(&mut received)?;
//! # assert_eq!(received, b"\x88\0");
//! # drop(peer);
//! # ended.join().unwrap()?;
//! # Ok::<(), io::Error>(())
//! ```
//!
//! An error of `write` ends only the output. If the peer sent messages and a Close, and then closed
//! its socket, these may wait to be read: treat the output as written, and continue to read, and to
//! receive, until the end of the stream.
//!
//! A [`Session`] asks for each of these steps: `write`, then `shutdown` with `read`, and `None` at
//! the end.
//!
//! # How did it end?
//!
//! [`outcome`](crate::WebSocket::outcome) returns an [`Outcome`]. Its `Display` is a line for the
//! log.
//!
//! | ended by | `by` | `received` | `clean` | `error` |
//! | --- | --- | --- | --- | --- |
//! | our `close`, which was answered | `Local` | its code | `true` | |
//! | the peer's Close | `Peer` | its code | `true` | |
//! | a violation by the peer | `Local` | | `false` | the rule |
//! | the end of the stream without a Close | `Peer` | `None` | `false` | |
//! | a deadline, or an error of `write` | set it to `Local` | | `false` | |
//!
//! ```
//! use ws_proto::{Config, Server, WebSocket};
//!
//! let mut ws = WebSocket::new(Server, &Config::new());
//! ws.recv_eof(); // the end of the stream, or an error of `read`
//! let outcome = ws.outcome().expect("it has ended");
//! assert!(!outcome.clean && outcome.received.is_none());
//! ```
//!
//! * Without `recv_eof`, a connection that was reset has no outcome. Call it after every error of
//!   `read`.
//! * `clean` means that a Close was received, and one was appended to an output. The connection
//!   does not know whether your `write` of it failed: then set `clean` to `false`.
//! * The code 1006 that browsers report is `received: None` here, and 1005 is a Close without a
//!   code. Neither can be sent: a [`CloseCode`] with these values does not exist.
//!
//! # Which code?
//!
//! | code | for |
//! | --- | --- |
//! | [`NORMAL`](crate::CloseCode::NORMAL) (1000) | the conversation is finished |
//! | [`GOING_AWAY`](crate::CloseCode::GOING_AWAY) (1001) | the server shuts down; clients should reconnect, each after a random time |
//! | [`UNSUPPORTED_DATA`](crate::CloseCode::UNSUPPORTED_DATA) (1003) | a binary message, where only text is understood |
//! | [`POLICY_VIOLATION`](crate::CloseCode::POLICY_VIOLATION) (1008) | a message that the program refuses |
//! | [`MESSAGE_TOO_BIG`](crate::CloseCode::MESSAGE_TOO_BIG) (1009) | a message that is too long for the program |
//! | [`INTERNAL_ERROR`](crate::CloseCode::INTERNAL_ERROR) (1011) | an error of the program |
//! | [`TRY_AGAIN_LATER`](crate::CloseCode::TRY_AGAIN_LATER) (1013) | too many connections |
//! | 3000 to 3999 | registered by libraries and frameworks |
//! | 4000 to 4999 | private use of the application |
//!
//! Violations of the protocol are closed by the crate, with the code of [this
//! table](super::rules#rules). The reason is for logs: a peer chooses it, so it must not be shown
//! to end users (§5.5.1). [`close`](crate::WebSocket::close) ends the conversation and waits for
//! the peer; [`fail`](crate::WebSocket::fail) discards everything that the peer still sends.
//!
//! # Shut down a server
//!
//! Stop accepting, then call `close(CloseCode::GOING_AWAY, ..)` on each connection, and continue
//! the drivers until they end. The close timeout limits that: after it and the linger time, all are
//! closed.
//!
//! # Reconnect
//!
//! A client that reconnects after an abnormal closure waits for a random time first: [here is the
//! code](super::asynchronous#a-client-with-keepalive-which-reconnects).
//!
//! [`CloseCode`]: crate::CloseCode
//! [`Outcome`]: crate::Outcome
//! [`Session`]: crate::Session
//! [`State`]: crate::State
//! [`Timeouts::with_close`]: crate::Timeouts::with_close
//! [`Timeouts::with_linger`]: crate::Timeouts::with_linger
