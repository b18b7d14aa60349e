//! Use it without an allocator, and in little memory.
//!
//! ```toml
//! [dependencies.ws-proto]
//! version = "0.1"
//! default-features = false
//! features = ["handshake"]
//! ```
//!
//! Without default features, the crate needs neither `std` nor an allocator. `handshake` needs no
//! allocator either; leave it out if another program does the handshake. With an allocator, but
//! without `std`, add `alloc`: then [`WebSocket`] and [`Session`] are available, too.
//!
//! # Memory
//!
//! | | bytes |
//! | --- | --- |
//! | [`Connection`], a server or a client | 256 or 368, on a 64-bit target |
//! | the input: a buffer of any length | 64 or more are useful |
//! | the output: a [`SliceOutput`] | [`REPLY_ROOM`] (131) or more, plus the largest frame that you send |
//! | [`Deadlines`] | its struct |
//!
//! Messages are not stored: they arrive as chunks of the input buffer. So a device with 512 bytes
//! receives messages of any length, and limits them by [`Config::with_max_message`].
//!
//! # A server
//!
//! The loop of a device: read, receive, write. Everything is on the stack.
//!
//! ```
//! use ws_proto::{
//!     Action, Config, Connection, Event, MessageKind, Server, SliceOutput,
//! };
//!
//! /// The socket of the network stack.
//! trait Socket {
//!     fn read(&mut self, buf: &mut [u8]) -> usize;
//!     fn write(&mut self, bytes: &[u8]) -> usize;
//! }
//!
//! fn run(sock: &mut impl Socket) {
//!     let config = Config::new().with_max_message(64).with_max_fragments(4);
//!     let mut connection = Connection::new(Server, &config);
//!     let (mut buf, mut memory) = ([0; 128], [0; 256]);
//!     let mut out = SliceOutput::new(&mut memory);
//!     // A command is collected here. Longer ones fail the connection with 1009.
//!     let (mut command, mut len) = ([0; 64], 0);
//!
//!     while connection.next_action() != Action::CloseTransport {
//!         let n = sock.read(&mut buf);
//!         if n == 0 {
//!             connection.recv_eof();
//!         }
//!         let mut input = &mut buf[..n];
//!         loop {
//!             while let Some(event) = connection.recv(&mut input, &mut out) {
//!                 let Event::Data(chunk) = event else { continue };
//!                 if chunk.first {
//!                     len = 0;
//!                 }
//!                 command[len..][..chunk.payload.len()]
//!                     .copy_from_slice(chunk.payload);
//!                 len += chunk.payload.len();
//!                 if chunk.last && chunk.kind == MessageKind::Text {
//!                     let reply = execute(&command[..len]);
//!                     // Without room, it is lost: see below.
//!                     let _ = connection.send_text(reply, &mut out);
//!                 }
//!             }
//!             while !out.as_bytes().is_empty() {
//!                 let n = sock.write(out.as_bytes());
//!                 out.consume(n);
//!             }
//!             if !connection.is_paused() {
//!                 break; // all of the input was consumed
//!             }
//!         }
//!     }
//! }
//!
//! fn execute(command: &[u8]) -> &'static str {
//!     if command == b"on" { "ok" } else { "unknown" }
//! }
//! # struct Memory(Vec<u8>, Vec<u8>);
//! # impl Socket for Memory {
//! #     fn read(&mut self, buf: &mut [u8]) -> usize {
//! #         let n = self.0.len().min(buf.len()).min(3);
//! #         buf[..n].copy_from_slice(&self.0[..n]);
//! #         self.0.drain(..n);
//! #         n
//! #     }
//! #     fn write(&mut self, bytes: &[u8]) -> usize {
//! #         let n = bytes.len().min(5);
//! #         self.1.extend_from_slice(&bytes[..n]);
//! #         n
//! #     }
//! # }
//! # let received = b"\x81\x82\0\0\0\0on\x89\x80\0\0\0\0\x88\x80\0\0\0\0";
//! # let mut sock = Memory(received.to_vec(), Vec::new());
//! # run(&mut sock);
//! # assert_eq!(sock.1, b"\x81\x02ok\x8a\0\x88\0");
//! ```
//!
//! * **A full output pauses receiving** at the next frame that must be answered: `is_paused` is
//!   `true`, and the rest stays in the input. Write, then call `recv` again.
//! * **Replies of the program need room, too.** A call without room has no effect and returns
//!   [`SendError::OutputFull`], with the length that is needed. If a command may not be lost, check
//!   the room before each `recv`: [`Output::room`](crate::Output::room) must be at least that of a
//!   Close, [`REPLY_ROOM`], and of your longest reply.
//! * **Echoing or relaying in chunks**: pass no more input to `recv` than the output has room for:
//!   [`relays`](super::relays).
//! * **`Config` limits messages before they arrive**: a frame that declares more fails at its
//!   header.
//!
//! # The handshake, without an allocator
//!
//! A [`HeadBuffer`](crate::handshake::HeadBuffer) is memory of a fixed size for a head that may be
//! longer: it keeps the lines that the handshake needs, and drops cookies and other headers while
//! they stream by. [`ServerHandshake::with_buffer`](crate::handshake::ServerHandshake::with_buffer)
//! has the loop of a server, and [`ClientRequest`](crate::handshake::ClientRequest) that of a
//! client.
//!
//! ```
//! use ws_proto::handshake::{HandshakeError, HeadBuffer, ServerHandshake};
//! use ws_proto::{Config, Connection, Server, SliceOutput};
//!
//! /// Continues the handshake with the received bytes. `out` must be written
//! /// next, in any case. The bytes that are left in `input` are frames.
//! fn accept(
//!     handshake: &mut ServerHandshake<HeadBuffer<'_>>,
//!     input: &mut &mut [u8],
//!     out: &mut SliceOutput<'_>,
//! ) -> Result<Option<Connection<Server>>, HandshakeError> {
//!     let Some(request) = handshake.recv(input, out)? else {
//!         return Ok(None); // read more
//!     };
//!     // A device in a home network: only under its own name (DNS rebinding).
//!     if request.host() != "device" {
//!         let _ = request.reject(403).write(out); // it has room
//!         return Ok(None); // write `out`, and close
//!     }
//!     let accepted = request.accept().write(out);
//!     Ok(accepted.ok().map(|it| Connection::new(it, &Config::new())))
//! }
//! # let (mut memory, mut output) = ([0; 320], [0; 512]);
//! # let mut handshake = ServerHandshake::with_buffer(HeadBuffer::new(&mut memory));
//! # let mut out = SliceOutput::new(&mut output);
//! # let mut head = *b"GET /ws HTTP/1.1\r\nHost: device\r\n\
//! #     Upgrade: websocket\r\nConnection: Upgrade\r\n\
//! #     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
//! #     Sec-WebSocket-Version: 13\r\n\r\n\x81";
//! # let mut connection = None;
//! # for mut read in head.chunks_mut(40) {
//! #     connection = connection.or(accept(&mut handshake, &mut read, &mut out)?);
//! # }
//! # assert!(connection.is_some() && out.as_bytes().starts_with(b"HTTP/1.1 101 "));
//! # Ok::<(), HandshakeError>(())
//! ```
//!
//! A request of a browser needs about 300 bytes of the buffer. If it needs more than there is, the
//! error is [`HeadTooLarge`](crate::handshake::HandshakeError::HeadTooLarge).
//!
//! # Questions
//!
//! * **How are times measured?** By any counter that does not go back, as a `core::time::Duration`:
//!   [`Deadlines`] has no clock and no allocator.
//! * **Where is the seed of a client from?** The hardware's random number generator: 32 bytes for
//!   each connection. A constant, or a counter, makes the masking keys predictable (§10.3).
//! * **Is compression available?** No: `deflate` needs `std`. Do not offer it.
//! * **TLS?** Wrap the socket, for instance by a TLS library without allocator. Nothing here
//!   depends on it.
//! * **Is there a panic, or `unsafe`?** Neither: `forbid(unsafe_code)`, and all input is handled by
//!   errors. `tests/no_std` links programs without `std`.
//! * **How is an interrupted message recognized?**
//!   [`message_progress`](crate::Connection::message_progress) and the timeout for messages;
//!   `chunk.first` begins the next one.
//!
//! [`Config::with_max_message`]: crate::Config::with_max_message
//! [`Connection`]: crate::Connection
//! [`Deadlines`]: crate::Deadlines
//! [`REPLY_ROOM`]: crate::REPLY_ROOM
//! [`SendError::OutputFull`]: crate::SendError::OutputFull
//! [`Session`]: crate::Session
//! [`SliceOutput`]: crate::SliceOutput
//! [`WebSocket`]: crate::WebSocket
