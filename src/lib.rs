//! A sans-IO WebSocket (RFC 6455): a state machine that consumes bytes, and produces events and
//! outgoing bytes. It needs no socket, no runtime, no clock and no random source, and contains no
//! `unsafe`.
//!
//! This page has the contract, and shows it at work. The [`guide`] connects it to sockets: begin
//! with its [five steps](guide::integrate), or with the [calls](guide::migration) that replace
//! those of tungstenite, tokio-tungstenite and fastwebsockets.
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
//! * The caller owns both buffers. `input` is a cursor, as in `impl Read for &[u8]`: each call
//!   consumes one message from its front, and unmasks it in place.
//! * A message borrows the input and nothing else: you can send while you hold it, and keep
//!   several.
//! * `None` means that all of the input was consumed, and that its buffer can be reused: incomplete
//!   data is kept inside. An output of limited size can also be full; then the rest stays in
//!   `input`, and [`is_paused`](WebSocket::is_paused) is `true`.
//! * Pongs (unless [disabled](Config::with_auto_pong)), the answer to a Close, and the Close that
//!   reports a violation to the peer are appended to `out` at once. Nothing is queued inside. Write
//!   `out` after the calls that may have filled it: there is no other rule.
//! * A violation by the peer is a message, [`Message::Failed`], so that no `?` skips the Close in
//!   `out`. A call that must not send returns an `Err`, and has no effect.
//! * After a failure or a Close, input is discarded. [`WebSocket::next_action`] indicates when to
//!   close the socket, and [`State`] describes closing in a diagram and a table.
//! * Messages, output and final state do not depend on how the input is split. (The chunks of a
//!   [`Connection`] do, but not their content.)
//!
//! # The loop
//!
//! The main loop of an echo server, without timeouts. A client's is the same, with a message to
//! send first.
//!
//! ```
//! # use std::io::{self, Read, Write};
//! use ws_proto::{Action, Message, Server, WebSocket};
//!
//! fn converse(
//!     mut ws: WebSocket<Server>,
//!     mut sock: impl Read + Write,
//! ) -> io::Result<()> {
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
//!         // Echoes, Pongs, the answer to a Close, the Close after a failure.
//!         sock.write_all(&out)?;
//!         out.clear();
//!     }
//!     Ok(()) // ws.outcome() describes how it ended
//! }
//! ```
//!
//! # A complete conversation
//!
//! From the first byte to the last, with both endpoints in one place:
//!
//! ```
//! # #[cfg(feature = "handshake")] {
//! use ws_proto::handshake::{Answer, ClientHandshake, ServerHandshake};
//! use ws_proto::uri::Uri;
//! use ws_proto::{Action, Client, CloseCode, Config, Message, WebSocket};
//!
//! // The opening handshake (RFC 6455 §4). The masking keys of a client are
//! // derived from 32 secret random bytes.
//! let mut to_server = Vec::new();
//! let mut to_client = Vec::new();
//! let uri = Uri::parse("ws://server.example.com/chat")?;
//! let mut opening = ClientHandshake::new(&uri, Client::new([7; 32]));
//! opening.write_request(&mut to_server)?;
//! assert!(to_server.starts_with(b"GET /chat HTTP/1.1\r\n"));
//!
//! let mut accepting = ServerHandshake::new();
//! let mut input = &mut to_server[..];
//! let request = accepting.recv(&mut input, &mut to_client)?.expect("complete");
//! let negotiated = request.accept().write(&mut to_client)?;
//! let mut server = WebSocket::new(negotiated, &Config::new());
//!
//! let mut input = &mut to_client[..];
//! let Some(Answer::Accepted { negotiated, .. }) = opening.recv(&mut input)?
//! else {
//!     panic!("rejected");
//! };
//! let mut client = WebSocket::new(negotiated, &Config::new());
//!
//! // A message (§5.6). The client masks it (§5.3).
//! let mut to_server = Vec::new();
//! let mut to_client = Vec::new();
//! client.send_text("Hello", &mut to_server)?;
//! assert_eq!(to_server[..2], [0x81, 0x85]);
//!
//! let mut input = &mut to_server[..];
//! let message = server.recv(&mut input, &mut to_client);
//! assert_eq!(message, Some(Message::Text("Hello".into())));
//! assert_eq!(server.recv(&mut input, &mut to_client), None);
//!
//! // A Ping between two fragments of a message (§5.4, §5.5.2). The client
//! // appends the Pong to its output at once.
//! let mut to_client = *b"\x01\x03Hel\x89\x02hi\x80\x02lo";
//! let mut to_server = Vec::new();
//! let mut input = &mut to_client[..];
//! assert_eq!(client.recv(&mut input, &mut to_server), Some(Message::Ping));
//! assert_eq!(client.control_payload(), b"hi");
//! assert_eq!(to_server[..2], [0x8a, 0x82]);
//! let message = client.recv(&mut input, &mut to_server);
//! assert_eq!(message, Some(Message::Text("Hello".into())));
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
//! let message = client.recv(&mut input, &mut to_server);
//! assert_eq!(message, Some(Message::Close(Some(CloseCode::NORMAL))));
//! // The server closes the transport first (§7.1.1).
//! assert_eq!(client.next_action(), Action::AwaitClose);
//!
//! let mut input = &mut to_server[..];
//! let message = server.recv(&mut input, &mut Vec::new());
//! assert_eq!(message, Some(Message::Close(Some(CloseCode::NORMAL))));
//! assert_eq!(server.next_action(), Action::CloseTransport);
//! assert!(server.outcome().is_some_and(|outcome| outcome.clean));
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The layers
//!
//! Each layer can be used alone, and uses only those below it.
//!
//! | layer | purpose | memory |
//! | --- | --- | --- |
//! | [`Session`] | all of a driver except the I/O: queues, deadlines, closing | none while idle, except the struct |
//! | [`WebSocket`] | complete messages | the received bytes of an incomplete message |
//! | [`Connection`] | a stream of events, for messages of any size | none except the struct |
//! | [`MessageRecvHalf`], [`MessageSendHalf`]; [`RecvHalf`], [`SendHalf`] | the halves of these two, for two tasks | the same |
//! | [`frame`] | the codec: headers, masking, UTF-8 | none |
//! | [`handshake`] (feature) | the opening handshake, both roles; pages on the same port; a proxy | a head that is split by the input; without an allocator, a buffer of the caller |
//! | [`deflate`] (feature) | permessage-deflate: compression and its negotiation | per direction, from its first use on |
//! | [`Deadlines`] | timeouts and Pings: the time goes in, the next deadline comes out | none |
//! | [`extension`], [`uri`] | the grammar of `Sec-WebSocket-Extensions`, and of URIs | none |
//!
//! # Left to the driver
//!
//! These duties need a clock, a socket, a random source or a decision:
//!
//! * **Deadlines**: [`Deadlines`] computes them from the time: [step 4](guide::integrate#4-time).
//! * **Backpressure**: read no more while output waits: [step 5](guide::integrate#5-backpressure).
//! * **Closing the socket** as [`Action`] requires, and in the right order: [`guide::closing`].
//! * **A fresh secret seed** for each client, 32 random bytes: [a client](guide::http#a-client).
//! * **One connection at a time** in its opening handshake, and random delays before a client
//!   [reconnects](guide::asynchronous#a-client-with-keepalive-which-reconnects).
//! * **Origin**: which pages may connect, and by which host: [`guide::http`](guide::http#origin).
//! * **Relaying** keeps the borders of frames unless the extensions are known: [`guide::relays`].
//! * **Reasons** of Close frames are for logs, not for users: [codes](guide::closing#which-code).
//! * **TLS**, for `wss`: wrap the socket (§10.6); behind a proxy: [`guide::behind_a_proxy`].
//! * **HTTP/2 and HTTP/3**: enable it, and end the stream: [here](guide::http#http2-and-http3).
//!
//! # Rules, limits and errors
//!
//! The page [`guide::rules`] has them as tables: each rule with its error and close code, each
//! limit with its default and its setter, the input that is refused and why, and the kind of
//! `std::io::Error` that each error becomes.
//!
//! # Features
//!
//! * `std` (default): run-time detection of SIMD in dependencies. Implies `alloc`.
//! * `alloc`: [`WebSocket`], [`Session`], `Vec<u8>` and [`ByteQueue`] as an [`Output`], and a
//!   handshake that keeps the complete head.
//! * `handshake` (default): the opening handshake.
//! * `deflate`: permessage-deflate, by zlib-rs. Implies `std`.
//! * `arbitrary`: `Arbitrary` (of arbitrary 1.4) for [`Config`], [`CloseCode`], [`MessageKind`],
//!   [`frame::Header`], [`frame::Opcode`], [`frame::MaskingKey`] and [`deflate::Params`], to fuzz
//!   code that uses this crate.
//! * `http`: conversions from and to `Request`, `Response` and `Uri` of the crate `http`. Implies
//!   `handshake`.
//! * `simd`: faster masking of payloads of 512 bytes and more, by AVX2 where the processor has it,
//!   through pulp. Implies `std`.
//! * `simdutf8`: faster validation of text, in particular of text that is not ASCII.
//!
//! Without default features the crate needs neither `std` nor an allocator: use [`Connection`] with
//! a [`SliceOutput`], and for the handshake
//! [`ServerHandshake::with_buffer`](handshake::ServerHandshake::with_buffer) or a
//! [`ClientRequest`](handshake::ClientRequest). `examples/device` is such a program.

#![no_std]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
// The docs link to items of these features.
#![cfg_attr(
    not(all(feature = "handshake", feature = "deflate")),
    allow(rustdoc::broken_intra_doc_links, rustdoc::private_intra_doc_links)
)]
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

// The lowest layer first: a module may use only modules that are declared before it.
mod buffer;
pub mod extension;
pub mod uri;

pub mod frame;

mod action;
mod config;
mod counters;
mod deadlines;
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
#[cfg(feature = "alloc")]
mod session;

#[cfg(feature = "handshake")]
pub mod handshake;

#[cfg(feature = "arbitrary")]
mod arbitrary;

// Documentation only, with a test of its tables: a normal build does not contain it.
#[cfg(any(doc, doctest, test))]
pub mod guide;

#[cfg(all(doctest, feature = "std", feature = "handshake"))]
#[doc = include_str!("../README.md")]
mod readme {}

pub use action::Action;
pub use config::Config;
pub use connection::{
    Chunk, Connection, Endpoint, Event, Outcome, OutgoingFrame, RecvHalf, Reply, SendHalf,
    SentClose, State,
};
pub use counters::Counters;
pub use deadlines::{Deadlines, Due, Status, TimeoutError, Timeouts};
pub use error::{ProtocolError, SendError};
pub use frame::close::{Close, CloseCode, InvalidCloseCode};
pub use frame::opcode::MessageKind;
#[cfg(feature = "alloc")]
pub use message::{Message, MessageRecvHalf, MessageSendHalf, Prepared, PreparedFrame, WebSocket};
pub use negotiated::Negotiated;
#[cfg(feature = "alloc")]
pub use output::{ByteQueue, CappedOutput};
pub use output::{Output, REPLY_ROOM, SliceOutput};
pub use role::{Client, Role, Server};
#[cfg(feature = "alloc")]
pub use session::{Needs, OwnedMessage, Session};
