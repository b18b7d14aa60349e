//! A sans-IO WebSocket (RFC 6455): a state machine that takes bytes in, and gives events and
//! outgoing bytes back. No socket, no runtime, no clock, no random source, no `unsafe`.
//!
//! # The contract
//!
//! **Bytes in, events out, replies appended.**
//!
//! ```
//! # use ws_proto::{Message, Output, Server, WebSocket};
//! # trait Shape {
//! fn recv<'b>(
//!     &mut self,
//!     input: &mut &'b mut [u8],
//!     out: &mut impl Output,
//! ) -> Option<Message<'b>>;
//! # }
//! ```
//!
//! * Both buffers are yours. `input` is a cursor, as in `impl Read for &[u8]`: each call cuts one
//!   message off its front, unmasked where it stands.
//! * A message borrows the input and nothing else: you can send while you hold it, and keep
//!   several.
//! * `None` means that all of the input was consumed, and that its buffer can be reused: what is
//!   incomplete is kept inside. An output of limited size can also be full; then the rest stays in
//!   `input`, and [`is_paused`](WebSocket::is_paused) is `true`.
//! * Pongs (unless [`Config::auto_pong`] is off), the answer to a Close, and the Close that reports
//!   a violation to the peer are appended to `out` at once. Nothing is queued inside. Write `out`
//!   after the calls that may have filled it, and there is nothing else to remember.
//! * A violation by the peer is a message, [`Message::Failed`], so that no `?` skips writing the
//!   Close. What cannot be sent is an `Err`, with no effect.
//! * After a failure or a Close, input is discarded. [`WebSocket::transport`] says when to close
//!   the socket, and [`State`] has the whole of closing in a diagram and a table.
//! * However the input is cut, messages, output and final state are the same. (A [`Connection`]
//!   gives a message in other chunks, then; the same bytes.)
//!
//! # The loop
//!
//! An echo server's connection, but for deadlines. A client's is the same, with something to send
//! first.
//!
//! ```
//! # use std::io::{self, Read, Write};
//! use ws_proto::{Message, Server, Action, WebSocket};
//!
//! fn converse(mut ws: WebSocket<Server>, mut sock: impl Read + Write) -> io::Result<()> {
//!     let (mut buf, mut out) = (vec![0; 16 << 10], Vec::new());
//!     while ws.next_action() != Action::CloseTransport {
//!         let n = sock.read(&mut buf)?;
//!         if n == 0 {
//!             ws.recv_eof();
//!         }
//!         let mut input = &mut buf[..n];
//!         while let Some(message) = ws.recv(&mut input, &mut out) {
//!             match message {
//!                 Message::Text(text) => ws.send_text(&text, &mut out)?,
//!                 Message::Binary(bytes) => ws.send_binary(&bytes, &mut out)?,
//!                 _ => {}
//!             }
//!         }
//!         sock.write_all(&out)?; // echoes, pongs, the Close reply, the Close after a failure: one rule
//!         out.clear();
//!     }
//!     Ok(()) // ws.outcome() tells how it ended
//! }
//! ```
//!
//! # A whole conversation
//!
//! From the first byte to the last, with both ends in one place:
//!
//! ```
//! # #[cfg(feature = "handshake")] {
//! use ws_proto::handshake::{Answer, ClientHandshake, ServerHandshake};
//! use ws_proto::{Client, CloseCode, Config, Message, Action, WebSocket, uri::Uri};
//!
//! // The opening handshake (RFC 6455 §4). A client is built from 32 secret random bytes, of which its masking keys come.
//! let mut to_server = Vec::new();
//! let mut to_client = Vec::new();
//! let uri = Uri::parse("ws://server.example.com/chat")?;
//! let mut opening = ClientHandshake::new(&uri, Client::new([7; 32]));
//! opening.write_request(&mut to_server)?;
//! assert!(to_server.starts_with(b"GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\n"));
//!
//! let mut accepting = ServerHandshake::new();
//! let mut input = &mut to_server[..];
//! let request = accepting.recv(&mut input, &mut to_client)?.expect("the request is whole");
//! let negotiated = request.accept().write(&mut to_client)?;
//! let mut server = WebSocket::new(negotiated, &Config::default());
//!
//! let mut input = &mut to_client[..];
//! let Some(Answer::Accepted { negotiated, .. }) = opening.recv(&mut input)? else { panic!("refused") };
//! let mut client = WebSocket::new(negotiated, &Config::default());
//!
//! // A message (§5.6). The client masks it (§5.3).
//! let mut to_server = Vec::new();
//! let mut to_client = Vec::new();
//! client.send_text("Hello", &mut to_server)?;
//! assert_eq!(to_server[..2], [0x81, 0x85]);
//!
//! let mut input = &mut to_server[..];
//! assert_eq!(server.recv(&mut input, &mut to_client), Some(Message::Text("Hello".into())));
//! assert_eq!(server.recv(&mut input, &mut to_client), None);
//!
//! // A Ping between two fragments of a message (§5.4, §5.5.2). The client's Pong is in its output at once.
//! let mut to_client = *b"\x01\x03Hel\x89\x02hi\x80\x02lo";
//! let mut to_server = Vec::new();
//! let mut input = &mut to_client[..];
//! assert_eq!(client.recv(&mut input, &mut to_server), Some(Message::Ping));
//! assert_eq!(client.control_payload(), b"hi");
//! assert_eq!(to_server[..2], [0x8a, 0x82]);
//! assert_eq!(client.recv(&mut input, &mut to_server), Some(Message::Text("Hello".into())));
//!
//! let mut input = &mut to_server[..];
//! let mut to_client = Vec::new();
//! assert_eq!(server.recv(&mut input, &mut to_client), Some(Message::Pong));
//!
//! // The closing handshake (§7).
//! server.close(CloseCode::NORMAL, "done", &mut to_client)?;
//! assert_eq!(to_client, b"\x88\x06\x03\xe8done");
//! assert_eq!(server.next_action(), Action::AwaitClose);
//!
//! let mut to_server = Vec::new();
//! let mut input = &mut to_client[..];
//! assert_eq!(client.recv(&mut input, &mut to_server), Some(Message::Close(Some(CloseCode::NORMAL))));
//! assert_eq!(client.next_action(), Action::AwaitClose); // the server closes the transport first (§7.1.1)
//!
//! let mut input = &mut to_server[..];
//! assert_eq!(server.recv(&mut input, &mut Vec::new()), Some(Message::Close(Some(CloseCode::NORMAL))));
//! assert_eq!(server.next_action(), Action::CloseTransport);
//! assert!(server.outcome().is_some_and(|outcome| outcome.clean));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Backpressure
//!
//! A `Vec<u8>` always has room. A peer that sends Pings and does not read has each of them answered
//! there: 10,000 Pings of 125 bytes put 1.27 MB into it. A driver that writes all of `out` before
//! it reads again, as in the loop above, has at most the answers to one read. One that reads on
//! while output waits must limit the output: a [`SliceOutput`], or a [`CappedOutput`] vector.
//!
//! When the output has no room for a reply, `recv` returns `None`, and
//! [`is_paused`](WebSocket::is_paused) is `true`: write the output, then call `recv` again, also if
//! the input is empty. Nothing after that frame is received until then. Messages and Pongs before
//! it need no reply, and are received.
//!
//! An output that `recv` shares with the program's own messages is full when these fill it, and
//! then the next Ping stops receiving. A small output of its own, such as a [`CappedOutput`] of 512
//! bytes, moves that stop by as many replies as it holds. Append it to the queue whenever the queue
//! becomes shorter, and before [`close`](WebSocket::close) or [`fail`](WebSocket::fail); close the
//! transport when both are empty.
//!
//! To receive whatever the peer does, use the halves, in one task if you like. The receiver owes at
//! most one reply, the Pong to the last Ping or a Close, until the queue has room for it. A peer
//! that reads slowly is then not mistaken for a dead one:
//!
//! ```
//! use ws_proto::{Config, Message, Server, WebSocket};
//!
//! const QUEUE_LIMIT: usize = 64 << 10;
//!
//! let (mut receiver, mut sender) = WebSocket::new(Server, &Config::default()).split();
//! let mut queue = Vec::new(); // what the socket has not accepted yet
//!
//! // Whenever something was received:
//! # let mut received = *b"\x81\x82\0\0\0\0hi\x89\x81\0\0\0\x001\x89\x81\0\0\0\x002";
//! let mut input = &mut received[..];
//! while let Some(message) = receiver.recv(&mut input) {
//!     if let Message::Text(text) = message {
//!         sender.send_text(&text, &mut queue)?;
//!     }
//! }
//! // And whenever the queue has become shorter:
//! if queue.len() < QUEUE_LIMIT {
//!     if let Some(reply) = receiver.take_reply() {
//!         sender.reply(&reply, &mut queue)?;
//!     }
//! }
//! assert_eq!(queue, b"\x81\x02hi\x8a\x012");
//! # Ok::<(), ws_proto::SendError>(())
//! ```
//!
//! All this bounds replies. What the program sends is for the program to bound: stop calling `recv`
//! while too many answers of its own wait.
//!
//! # The layers
//!
//! Each can be used alone, and knows only those below it.
//!
//! | layer | what it is | memory |
//! | --- | --- | --- |
//! | [`WebSocket`] | complete messages | the data of an incomplete message |
//! | [`Connection`] | a stream of events, for messages of any size | none beyond the struct |
//! | [`RecvHalf`], [`SendHalf`], [`MessageRecvHalf`], [`MessageSendHalf`] | the halves of the two above, for two tasks | as above |
//! | [`Header`], [`Opcode`], [`MaskingKey`], [`Utf8Validator`] | the codec | none |
//! | `deflate` (feature) | permessage-deflate: compressor, decompressor, negotiation | per direction, when it is first used |
//! | `handshake` (feature) | the opening handshake over HTTP/1.1, both sides | a head that is split |
//! | [`extension`], [`uri`] | the grammar of `Sec-WebSocket-Extensions` and of `ws:` URIs | none |
//!
//! # Left to the driver
//!
//! What a state machine without clock, sockets and random source cannot do, and where it matters:
//!
//! * **Deadlines**: for the handshake (a client that sends a byte a minute would keep its
//!   connection), for a message whose fragments stop coming, for the Pong to a Ping, for a write
//!   that makes no progress (a blocking `write_all` waits without end for a peer that does not
//!   read), and for the peer's Close while [`transport`](WebSocket::next_action) says
//!   [`Action::AwaitClose`].
//! * **Backpressure**, as described [above](#backpressure).
//! * **Closing the socket** as [`Action`] says. A server closes first (§7.1.1).
//! * **A fresh secret seed** for each client: 32 bytes of a cryptographically strong source such as
//!   `getrandom`.
//! * **One connection at a time to the same host and port** that is still in its handshake (§4.1),
//!   and for reconnecting a delay: random, 0 to 5 seconds at first, then growing (§7.2.3).
//! * **Origin**: a server that pages of other origins must not use checks
//!   `handshake::Request::is_same_origin` (§10.2). A client that is not a browser can send
//!   anything (§10.1), so nothing in a request is proof of anything.
//! * **Relaying**: whoever forwards messages may change how they are fragmented only as long as no
//!   extension is in use that he does not know (§5.4). The one extension here lets him, as long as
//!   compressed messages go on compressed to a peer that negotiated the same. What a frame's borders
//!   mean is nothing to rely on.
//! * **Reasons** of Close frames are the peer's words, for logs and debugging: not to be shown to
//!   end users (§5.5.1).
//! * **TLS**, for `wss`: wrap the socket (§10.6). Nothing here knows whether it is.
//! * **HTTP/2 and HTTP/3** (RFC 8441, RFC 9220). The stream is opened by the HTTP library: a client
//!   that has seen `SETTINGS_ENABLE_CONNECT_PROTOCOL` (8 in both) be 1 sends `CONNECT` with
//!   `:protocol` `websocket`, `:scheme`, `:path` and `:authority`, and a server answers with 200,
//!   or with 501 if it does not know the `:protocol`. Names of headers are in lower case.
//!   `sec-websocket-version`, `-protocol`, `-extensions` and `origin` mean what they mean here.
//!   `Upgrade`, `Connection`, `Host`, `Sec-WebSocket-Key` and `-Accept` do not go over the wire;
//!   `handshake::Request::from_headers` and `handshake::Response::from_headers` check the others if
//!   these are added. From what was negotiated, make a [`Negotiated`]; the end of the stream and its
//!   reset are [`recv_eof`](WebSocket::recv_eof).
//!
//! # Errors
//!
//! With the feature `std` each becomes a `std::io::Error` by `?`, of these kinds:
//!
//! | error | kind |
//! | --- | --- |
//! | [`ProtocolError`], [`extension::InvalidExtensions`], `deflate::InflateError`, `deflate::NegotiationError` | `InvalidData` |
//! | [`SendError`] | `BrokenPipe` if `Closed`, `WriteZero` if `Full`, else `InvalidInput` |
//! | `handshake::HandshakeError` | `UnexpectedEof` if `Incomplete`, `ConnectionRefused` if `UnexpectedStatus`, else `InvalidData` |
//! | `handshake::WriteError` | `WriteZero` if `OutputFull`, else `InvalidInput` |
//! | [`uri::UriError`] | `InvalidInput` |
//!
//! # What is refused
//!
//! Everything that RFC 6455 and RFC 7692 forbid a peer to send; [`ProtocolError`] lists it, and
//! [`Config`] has a switch for each rule that can be relaxed. The table in `handshake` has what is
//! refused, and what is accepted although it deviates, where implementations differ.
//!
//! # Features
//!
//! * `std` (default): run-time detection of SIMD in dependencies. Implies `alloc`.
//! * `alloc`: [`WebSocket`], `Vec<u8>` as an [`Output`], and the handshake's machines.
//! * `handshake` (default): the opening handshake.
//! * `deflate`: permessage-deflate, by zlib-rs. Implies `std`.
//! * `arbitrary`: `Arbitrary` (of arbitrary 1.4) for [`Config`], [`Header`], [`Opcode`], [`MaskingKey`],
//!   [`MessageKind`], [`CloseCode`] and `deflate::Params`, to fuzz what is built on them.
//! * `simdutf8`: faster validation of text, above all of text that is not ASCII.
//!
//! Without default features the crate needs neither `std` nor an allocator: [`Connection`] over a
//! [`SliceOutput`].

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![deny(missing_docs, unreachable_pub, unnameable_types)]
#![deny(clippy::missing_errors_doc, clippy::missing_panics_doc)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]
#![cfg_attr(
    not(test),
    deny(
        clippy::std_instead_of_core,
        clippy::std_instead_of_alloc,
        clippy::alloc_instead_of_core
    )
)]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

// From the bottom to the top: a module may use only those above it in this list.
mod buffer;
pub mod extension;
pub mod uri;

pub mod frame;

mod config;
mod error;
mod output;
mod role;

#[cfg(feature = "deflate")]
pub mod deflate;
#[cfg(not(feature = "deflate"))]
#[path = "deflate/disabled.rs"]
mod deflate;
mod negotiated;

mod connection;
#[cfg(feature = "alloc")]
mod message;

#[cfg(feature = "handshake")]
pub mod handshake;

#[cfg(feature = "arbitrary")]
mod arbitrary;

#[cfg(all(doctest, feature = "std", feature = "handshake"))]
#[doc = include_str!("../README.md")]
mod readme {}

pub use config::Config;
pub use connection::{
    Action, Chunk, Connection, Counters, Endpoint, Event, Outcome, OutgoingFrame, RecvHalf, Reply,
    SendHalf, SentClose, State,
};
pub use error::{ProtocolError, SendError};
pub use frame::close::{Close, CloseCode};
pub use frame::opcode::MessageKind;
#[cfg(feature = "alloc")]
pub use message::{Message, MessageRecvHalf, MessageSendHalf, WebSocket};
pub use negotiated::Negotiated;
#[cfg(feature = "alloc")]
pub use output::CappedOutput;
pub use output::{Output, REPLY_ROOM, SliceOutput};
pub use role::{Client, Role, Server};
