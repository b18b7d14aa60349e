//! Send a message to many connections, and know how much compression costs.
//!
//! # Prepare a message once
//!
//! A message to a thousand clients has the same frame for all of them, since a server does not
//! mask. A [`Prepared`] message is encoded once, and compressed at most once for each window size
//! that the connections negotiated.
//!
//! ```
//! # #[cfg(feature = "deflate")] {
//! # use std::time::Duration;
//! use ws_proto::deflate::DeflateConfig;
//! use ws_proto::{Config, Negotiated, Prepared, Server, Session, Timeouts};
//!
//! /// The output of a slow receiver that is not yet too long.
//! const LIMIT: usize = 256 << 10;
//!
//! /// Sends a text to all members of a room that keep up.
//! fn broadcast(
//!     text: &str,
//!     deflate: &DeflateConfig,
//!     room: &mut Vec<Session<Server>>,
//! ) {
//!     let message = Prepared::text(text).deflate(deflate);
//!     for session in room {
//!         if session.output().len() < LIMIT {
//!             // Fails only if the connection is closing or closed.
//!             let _ = session.send_prepared(&message);
//!         }
//!     }
//! }
//! # let deflate = DeflateConfig::new();
//! # let open = |params: &str| {
//! #     let mut negotiated = Negotiated::new(Server);
//! #     if !params.is_empty() {
//! #         negotiated = negotiated.with_deflate(&deflate, params.parse().unwrap());
//! #     }
//! #     Session::open(negotiated, &Config::new(), &Timeouts::new(), Duration::ZERO)
//! # };
//! # let mut room = vec![open(""), open("permessage-deflate")];
//! # broadcast(&"Hello ".repeat(20), &deflate, &mut room);
//! # assert_eq!([room[0].output().len(), room[1].output().len()], [122, 13]);
//! # }
//! ```
//!
//! * **One `DeflateConfig`** for the handshakes and for all messages: they share its compressors.
//! * Connections with and without compression can be in the same room: each receives the frame that
//!   it can decompress.
//! * [`WebSocket::begin_prepared`](crate::WebSocket::begin_prepared) returns the bytes of the frame
//!   instead of copying them, for `writev`, io_uring, or an `Arc` that many tasks share. Their
//!   order must be kept: first the output of earlier calls, then the frame, then the output of
//!   later calls.
//! * A `Prepared` can be used in several threads. Tasks that own one connection each receive an
//!   `Arc<Prepared>` through their channel.
//! * A client cannot prepare messages: each of its frames has a mask of its own.
//!
//! # Slow receivers
//!
//! A receiver that does not read must not hold back the others, nor occupy memory without limit.
//! There are three choices, for each message that finds its output too long:
//!
//! * **skip it**, if a later one replaces it (prices, positions). The example does that;
//! * **close the connection**, if each message counts: the client reconnects, and asks for the
//!   messages that it missed. [`Timeouts::with_write`] does it if nothing at all is accepted;
//! * **wait**, which holds back the sender: right for two endpoints, wrong for a room.
//!
//! [`Session::with_high_water`] does not help here: it limits the output that a peer causes by its
//! own messages. [`Session::with_max_output`] is the last limit, from which on sending fails with
//! [`SendError::OutputFull`].
//!
//! # What does compression cost?
//!
//! Compressing a message is far more work than sending it, and the memory of a compressor is far
//! more than that of a connection. For 1,000 connections and messages of 1 KiB of JSON, in one run
//! on one core, sent by a server (`cargo bench --features deflate --bench connection broadcast` has
//! such a comparison):
//!
//! | | `send_text` to each, context taken over | `send_text` to each, no context | `send_prepared` |
//! | --- | --- | --- | --- |
//! | compressions of a message | 1,000 | 1,000 | 1 |
//! | bytes on the wire, for each receiver | 207 | 252 | 252 |
//! | memory that stays with each connection | 380 kB, 318 of it resident | none | none |
//! | time, compared with the first column | 100 % | about a third | less than 1 % |
//!
//! | setting | effect |
//! | --- | --- |
//! | the default: contexts are taken over | the fewest bytes for similar small messages; a state stays with each connection |
//! | [`with_server_no_context_takeover`](crate::deflate::DeflateConfig::with_server_no_context_takeover), [`with_client_no_context_takeover`](crate::deflate::DeflateConfig::with_client_no_context_takeover) | no state stays with an idle connection: for very many connections |
//! | [`with_server_max_window_bits`](crate::deflate::DeflateConfig::with_server_max_window_bits), [`with_mem_level`](crate::deflate::DeflateConfig::with_mem_level) | less memory for each compressor, and fewer repetitions are found |
//! | [`with_level`](crate::deflate::DeflateConfig::with_level) | less or more work |
//! | [`with_threshold`](crate::deflate::DeflateConfig::with_threshold) | without a context, messages below it are sent uncompressed |
//! | not to offer or accept it | no cost: right for binary data that is compressed already, and for fast networks |
//!
//! [`deflate`](crate::deflate#memory) has the memory for each window size and memory level. A
//! context to decompress occupies 47.5 kB, with any parameters.
//!
//! # Questions
//!
//! * **How is compression switched on?** By the feature `deflate`, and in the handshake: a server
//!   calls `request.accept().deflate(&config)`, a client
//!   `ClientHandshake::new(..).deflate(&config)`. No other call is needed: `send_text` and
//!   `send_binary` compress, and received messages are decompressed.
//! * **Is a secret safe in a compressed message?** Not if the message also contains text that an
//!   attacker chooses: the length leaks it (RFC 7692 §8). Send such messages by
//!   [`send_text_uncompressed`](crate::WebSocket::send_text_uncompressed).
//! * **Can a small message exhaust my memory when it is decompressed?** No: the limit on messages
//!   is enforced during decompression, and costs a block of 16 KiB at most.
//! * **Does `send_prepared` harm the context of a connection?** The next message that the
//!   connection compresses by itself begins with an empty context, so it is longer than it would
//!   have been.
//! * **How do I stream tokens in one message?** [`send_fragment`](crate::WebSocket::send_fragment)
//!   flushes the compressor for each fragment, so that the peer can show it at once.
//! * **Was compression negotiated?** [`WebSocket::deflate`](crate::WebSocket::deflate) returns the
//!   parameters.
//! * **Which topics does a connection have?** That is the program's: the crate has no rooms and no
//!   registry.
//!
//! [`Prepared`]: crate::Prepared
//! [`SendError::OutputFull`]: crate::SendError::OutputFull
//! [`Session::with_high_water`]: crate::Session::with_high_water
//! [`Session::with_max_output`]: crate::Session::with_max_output
//! [`Timeouts::with_write`]: crate::Timeouts::with_write
