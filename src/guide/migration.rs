//! Come from tungstenite, tokio-tungstenite or fastwebsockets, call by call.
//!
//! The calls are those of tungstenite 0.30, tokio-tungstenite 0.30 and fastwebsockets 0.10.
//!
//! # The differences
//!
//! * **The socket is yours.** Those crates own a stream, and read and write it. This crate is
//!   passed bytes, and appends bytes. In exchange it runs on any runtime, event loop or device, and
//!   never waits.
//! * **The output is yours, too.** Replies are in `out` when `recv` returns, not in a queue that a
//!   later call flushes. Write `out` after each round: that is the equivalent of `flush`.
//! * **A violation is a message**, [`Message::Failed`], not an `Err`, so that its Close is written.
//! * **Received messages are borrowed** from the read buffer, where they are complete in it.
//!   [`into_owned`](crate::Message::into_owned) copies.
//! * **Timeouts and Pings** are included, as data: [`Deadlines`], or a [`Session`] with them.
//!   tungstenite, tokio-tungstenite and fastwebsockets leave them to the caller.
//! * **permessage-deflate** is a feature here; none of the three has it.
//! * **A client is created from a random seed**, since the crate has no random source.
//!
//! If your program should keep its structure, write the wrapper once: a struct with socket and
//! [`Session`], with the methods `recv` and `send` that your program calls.
//! [`integrate`](super::integrate#all-of-it-with-a-session) has it for threads, and
//! [`asynchronous`](super::asynchronous) for tokio.
//!
//! # tungstenite
//!
//! | tungstenite | here |
//! | --- | --- |
//! | `accept(stream)` | [`ServerHandshake::recv`], then `request.accept().write(&mut out)` |
//! | `accept_hdr(stream, callback)` | the same: the [`Request`] is returned, [`Accept::headers`] adds headers, [`Request::reject`] refuses |
//! | `accept_with_config(stream, config)` | the same, and `WebSocket::new(negotiated, &config)` |
//! | `connect(url)` | `TcpStream::connect`, TLS, then [`ClientHandshake`]; redirects are returned |
//! | `client(request, stream)` | [`ClientHandshake::new`]`(&uri, Client::new(seed))` |
//! | `ClientRequestBuilder`: `with_header`, `with_sub_protocol` | [`ClientHandshake::headers`], [`subprotocols`](crate::handshake::ClientHandshake::subprotocols) |
//! | `derive_accept_key`, `generate_key` | [`accept_key`], [`fresh_key`] |
//! | `create_response(&request)` | `Request::from_http`, then [`Accept::parts`] |
//! | `from_raw_socket(stream, Role::Server, config)` | `WebSocket::new(Server, &config)` |
//! | `from_partially_read(stream, part, ..)` | pass `part` to [`recv`](crate::WebSocket::recv) first |
//! | `get_ref`, `get_mut`, `into_inner` | the socket is yours |
//! | `ws.read()` | `sock.read(&mut buf)`, then [`recv`](crate::WebSocket::recv) until `None`; or [`Session::recv`] |
//! | `ws.send(message)` | [`send_text`](crate::WebSocket::send_text), [`send_binary`](crate::WebSocket::send_binary), then write `out` |
//! | `ws.write(message)`, several times, then `ws.flush()` | the same calls several times, then write `out` once |
//! | `ws.send(Message::Ping(data))` | [`send_ping`](crate::WebSocket::send_ping); a `Session` sends Pings itself |
//! | `ws.close(Some(frame))` | [`close`](crate::WebSocket::close)`(code, reason, &mut out)` |
//! | `ws.close(None)` | [`close_without_code`](crate::WebSocket::close_without_code) |
//! | `ws.read()` until `Error::ConnectionClosed` | read until [`next_action`](crate::WebSocket::next_action) is `CloseTransport` |
//! | `ws.can_read()`, `ws.can_write()` | [`state`](crate::WebSocket::state) |
//! | `ws.set_config(..)` | [`set_config`](crate::WebSocket::set_config) |
//! | `Message::Text(Utf8Bytes)`, `Message::Binary(Bytes)` | `Message::Text(Cow<str>)`, `Message::Binary(Cow<[u8]>)` |
//! | `Message::Ping(data)`, `Message::Pong(data)` | `Message::Ping`, `Message::Pong`, and [`control_payload`](crate::WebSocket::control_payload) |
//! | `Message::Close(Some(frame))` | `Message::Close(Some(code))`, and [`close_received`](crate::WebSocket::close_received) for the reason |
//! | `Message::Frame(frame)` | [`send_fragment`](crate::WebSocket::send_fragment), [`begin_frame`](crate::WebSocket::begin_frame) |
//! | `Error::Protocol(e)`, `Error::Utf8(e)` when reading | [`Message::Failed`]`(e)` |
//! | `Error::Capacity(..)` when reading | `Message::Failed` with `MessageTooLong` |
//! | `Error::WriteBufferFull(message)` | [`SendError::OutputFull`]; the message is still yours |
//! | `Error::AlreadyClosed`, `Protocol(SendAfterClosing)` | [`SendError::Closed`] |
//! | `Error::Io(e)` | your own error; call [`recv_eof`](crate::WebSocket::recv_eof) after one of `read` |
//! | `Error::Http(response)` | [`Answer::Rejected`]`(response)` |
//! | `max_message_size`: 64 MiB | [`Config::with_max_message`]: 16 MiB |
//! | `max_frame_size`: 16 MiB | none: the limit is on messages |
//! | `read_buffer_size`: 128 KiB for each connection | the length of your buffer, which all connections can share |
//! | `write_buffer_size` | you decide when to write |
//! | `max_write_buffer_size` | an output of limited size: [`CappedOutput`], [`ByteQueue`] |
//! | `accept_unmasked_frames` | none: they are always refused |
//!
//! An echo server with threads, before:
//!
//! ```text
//! let mut ws = tungstenite::accept(stream)?;
//! loop {
//!     let message = ws.read()?;
//!     if message.is_text() || message.is_binary() {
//!         ws.send(message)?;
//!     }
//! }
//! ```
//!
//! and after: the wrapper of [`integrate`](super::integrate#all-of-it-with-a-session), whose loop
//! is the same, or in full:
//!
//! ```
//! # use std::io::{self, Read, Write};
//! use ws_proto::handshake::ServerHandshake;
//! use ws_proto::{Action, Config, Message, WebSocket};
//!
//! fn echo(mut stream: impl Read + Write) -> io::Result<()> {
//!     let (mut buf, mut out) = (vec![0; 16 << 10], Vec::new());
//!     let (mut handshake, mut open) = (ServerHandshake::new(), None);
//!     loop {
//!         let n = stream.read(&mut buf)?;
//!         let mut input = &mut buf[..n];
//!         if open.is_none() {
//!             match handshake.recv(&mut input, &mut out) {
//!                 // With a check of the origin, if the server trusts cookies.
//!                 Ok(Some(request)) => {
//!                     let negotiated = request.accept().write(&mut out)?;
//!                     open = Some(WebSocket::new(negotiated, &Config::new()));
//!                 }
//!                 Ok(None) if n == 0 => handshake.recv_eof()?,
//!                 Ok(None) => {}
//!                 Err(error) => {
//!                     stream.write_all(&out)?; // the HTTP error
//!                     return Err(error.into());
//!                 }
//!             }
//!         }
//!         if let Some(ws) = &mut open {
//!             while let Some(message) = ws.recv(&mut input, &mut out) {
//!                 match message {
//!                     Message::Text(text) => ws.send_text(&text, &mut out)?,
//!                     Message::Binary(data) => ws.send_binary(&data, &mut out)?,
//!                     _ => {}
//!                 }
//!             }
//!             if n == 0 {
//!                 ws.recv_eof();
//!             }
//!         }
//!         stream.write_all(&out)?;
//!         out.clear();
//!         if open.as_ref().is_some_and(is_done) {
//!             return Ok(());
//!         }
//!     }
//! }
//!
//! fn is_done<R: ws_proto::Role>(ws: &WebSocket<R>) -> bool {
//!     ws.next_action() == Action::CloseTransport
//! }
//! # struct Duplex(&'static [u8], Vec<u8>);
//! # impl Read for Duplex {
//! #     fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
//! #         let len = buf.len().min(7);
//! #         self.0.read(&mut buf[..len])
//! #     }
//! # }
//! # impl Write for Duplex {
//! #     fn write(&mut self, buf: &[u8]) -> io::Result<usize> { self.1.write(buf) }
//! #     fn flush(&mut self) -> io::Result<()> { Ok(()) }
//! # }
//! # let mut sock = Duplex(b"GET / HTTP/1.1\r\nHost: a\r\n\
//! #     Upgrade: websocket\r\nConnection: Upgrade\r\n\
//! #     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
//! #     Sec-WebSocket-Version: 13\r\n\r\n\x81\x82\0\0\0\0hi\x88\x80\0\0\0\0", Vec::new());
//! # echo(&mut sock)?;
//! # assert!(sock.1.ends_with(b"\r\n\r\n\x81\x02hi\x88\0"));
//! # Ok::<(), io::Error>(())
//! ```
//!
//! # tokio-tungstenite
//!
//! Types and errors are those of tungstenite. The wrapper `tokio_stream.rs` in `examples/hosts` is
//! a `Stream` and a `Sink`, too, so that a program keeps its `next`, `send`, `feed`, `flush` and
//! `split`: copy it. Otherwise, with the function `drive` of [`asynchronous`](super::asynchronous):
//!
//! | tokio-tungstenite | here |
//! | --- | --- |
//! | `accept_async(stream)`, `accept_hdr_async(stream, callback)` | [`Session::new`], and [`ServerHandshake::recv`] in [`Session::handshake`] |
//! | `connect_async(url)` | `TcpStream::connect`, TLS if [`Uri::is_secure`], then as `client_async` |
//! | `client_async(request, stream)` | [`Session::new`], and [`ClientHandshake`] in [`Session::handshake`] |
//! | `client_async_tls(request, stream)`, `Connector`, `MaybeTlsStream` | wrap the stream by tokio-rustls first |
//! | `from_raw_socket(stream, role, config)` | [`Session::open`]`(Server, &config, ..)` |
//! | `ws.next().await` | [`Session::recv`] until `None`, then wait for the socket |
//! | `ws.send(message).await` | [`Session::send_text`], [`send_binary`](crate::Session::send_binary), then write the output |
//! | `ws.feed(message).await`, then `ws.flush().await` | the same calls several times, then write the output once |
//! | `ws.close(frame).await` | [`Session::close`], then continue until [`needs`](crate::Session::needs) returns `None` |
//! | `ws.split()`, with a lock inside | one task that owns both, or [`WebSocket::split`], without a lock |
//! | `ws.get_config()` | [`WebSocket::config`] |
//! | a `tokio::time::interval` that sends Pings | [`Timeouts::with_ping`], which sends only after silence |
//! | `tokio::time::timeout(.., ws.next())` | [`Timeouts`] |
//!
//! # fastwebsockets
//!
//! | fastwebsockets | here |
//! | --- | --- |
//! | `upgrade::upgrade(&mut request)` | `Request::from_http`, then [`Accept::parts`]: see [`http`](super::http#hyper-axum-and-other-http-libraries) |
//! | `upgrade::is_upgrade_request(..)` | `Request::from_http` returns an error if it is not, with its response |
//! | `handshake::client(&executor, request, socket)` | [`ClientHandshake`], over bytes or as parts |
//! | `handshake::generate_key()` | [`fresh_key`] |
//! | `WebSocket::after_handshake(stream, Role::Server)` | `WebSocket::new(Server, &config)` |
//! | `FragmentCollector::new(ws)` | a [`WebSocket`] always returns complete messages; a [`Connection`] returns chunks |
//! | `ws.read_frame().await` | read, then [`recv`](crate::WebSocket::recv) until `None` |
//! | `frame.opcode`, `frame.fin`, `frame.payload` | [`Chunk::kind`](crate::Chunk::kind), [`last`](crate::Chunk::last), [`payload`](crate::Chunk::payload) of a `Connection` |
//! | `ws.write_frame(frame).await` with `Frame::text(payload)` | [`send_text`](crate::WebSocket::send_text), then write `out` |
//! | `Frame::binary(payload)` | [`send_binary`](crate::WebSocket::send_binary) |
//! | `Frame::new(fin, opcode, None, payload)` | [`send_fragment`](crate::WebSocket::send_fragment) |
//! | `Frame::pong(payload)` | [`send_pong`](crate::WebSocket::send_pong) |
//! | `Frame::close(code, reason)`, `Frame::close_raw(payload)` | [`close`](crate::WebSocket::close), [`close_without_code`](crate::WebSocket::close_without_code) |
//! | `ws.flush().await` | `flush` of your stream |
//! | `ws.set_auto_pong(true)` | [`Config::with_auto_pong`], also the default |
//! | `ws.set_auto_close(true)` | always: a Close is answered |
//! | `ws.set_auto_apply_mask(true)`, `unmask` | always, in the same pass as the validation; [`MaskingKey::apply`] for the codec |
//! | `ws.set_max_message_size(bytes)`: 64 MiB, for a frame | [`Config::with_max_message`]: 16 MiB, for a message |
//! | `ws.set_writev(true)` | [`begin_frame`](crate::WebSocket::begin_frame), and `write_vectored` of your stream |
//! | `ws.is_closed()` | [`state`](crate::WebSocket::state) |
//! | `ws.into_inner()` | the socket is yours |
//! | `ws.split(..)` (unstable), `read_frame(send_fn)` | [`WebSocket::split`], and [`take_reply`](crate::MessageRecvHalf::take_reply) |
//! | `WebSocketError::UnexpectedEOF` | the end of your stream: [`recv_eof`](crate::WebSocket::recv_eof) |
//! | other variants of `WebSocketError` when reading | [`Message::Failed`] |
//!
//! [`ServerHandshake::recv`]: crate::handshake::ServerHandshake::recv
//! [`Request`]: crate::handshake::Request
//! [`Request::reject`]: crate::handshake::Request::reject
//! [`Accept::headers`]: crate::handshake::Accept::headers
//! [`Accept::parts`]: crate::handshake::Accept::parts
//! [`ClientHandshake`]: crate::handshake::ClientHandshake
//! [`ClientHandshake::new`]: crate::handshake::ClientHandshake::new
//! [`ClientHandshake::headers`]: crate::handshake::ClientHandshake::headers
//! [`accept_key`]: crate::handshake::accept_key
//! [`fresh_key`]: crate::handshake::fresh_key
//! [`Answer::Rejected`]: crate::handshake::Answer::Rejected
//! [`Uri::is_secure`]: crate::uri::Uri::is_secure
//! [`MaskingKey::apply`]: crate::frame::MaskingKey::apply
//! [`ByteQueue`]: crate::ByteQueue
//! [`CappedOutput`]: crate::CappedOutput
//! [`Config::with_auto_pong`]: crate::Config::with_auto_pong
//! [`Config::with_max_message`]: crate::Config::with_max_message
//! [`Connection`]: crate::Connection
//! [`Deadlines`]: crate::Deadlines
//! [`Message::Failed`]: crate::Message::Failed
//! [`SendError::Closed`]: crate::SendError::Closed
//! [`SendError::OutputFull`]: crate::SendError::OutputFull
//! [`Session::close`]: crate::Session::close
//! [`Session::handshake`]: crate::Session::handshake
//! [`Session::new`]: crate::Session::new
//! [`Session::open`]: crate::Session::open
//! [`Session::recv`]: crate::Session::recv
//! [`Session::send_text`]: crate::Session::send_text
//! [`Session`]: crate::Session
//! [`Timeouts::with_ping`]: crate::Timeouts::with_ping
//! [`Timeouts`]: crate::Timeouts
//! [`WebSocket::config`]: crate::WebSocket::config
//! [`WebSocket::split`]: crate::WebSocket::split
//! [`WebSocket`]: crate::WebSocket
