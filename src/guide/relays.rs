//! Forward messages between two connections: gateways, proxies that are endpoints, and tunnels.
//!
//! A relay is a server for one peer and a client for another. There is one [`Connection`] or
//! [`WebSocket`] for each, with an input and an output of its own.
//!
//! # What may a relay change?
//!
//! | | forwards | keeps borders of frames | sees the content |
//! | --- | --- | --- | --- |
//! | a **tunnel** | bytes | yes | no: it needs no WebSocket, after the response |
//! | a **streaming relay** | chunks, by [`Connection`] | as it likes, or exactly | validated, not stored |
//! | a **gateway** | messages, by [`WebSocket`] | no | yes: it can route, change or refuse messages |
//!
//! The meaning of a message does not depend on its fragments, so a relay may change them,
//! **unless** an extension is in use that it does not know (RFC 6455 §5.4). A relay that negotiates
//! extensions for itself, on each side, always knows them.
//!
//! # A streaming relay
//!
//! Each chunk is sent on as a fragment, whatever the size of the message. This is one direction;
//! the other is the same function with the roles exchanged.
//!
//! ```
//! use ws_proto::{
//!     Client, CloseCode, Config, Connection, Event, Output, Role, SendError,
//!     Server,
//! };
//!
//! /// Forwards the received bytes. `replies` is the output to the sender, and
//! /// `out` that to the receiver. Both must be written next, in any case.
//! fn forward(
//!     from: &mut Connection<impl Role>,
//!     mut input: &mut [u8],
//!     replies: &mut impl Output,
//!     to: &mut Connection<impl Role>,
//!     out: &mut impl Output,
//! ) -> Result<(), SendError> {
//!     while let Some(event) = from.recv(&mut input, replies) {
//!         match event {
//!             Event::Data(chunk) => {
//!                 to.send_fragment(chunk.kind, chunk.payload, chunk.last, out)?;
//!             }
//!             Event::Close(None) => to.close_without_code(out)?,
//!             Event::Close(Some(code)) => {
//!                 let close = from.close_received();
//!                 to.close(code, close.map_or("", |close| close.reason), out)?;
//!             }
//!             Event::Failed(_) => to.close(CloseCode::BAD_GATEWAY, "", out)?,
//!             _ => {} // a Ping, which was answered here, and a Pong
//!         }
//!     }
//!     Ok(())
//! }
//!
//! let mut client = Connection::new(Server, &Config::new());
//! let mut server = Connection::new(Client::new([7; 32]), &Config::new());
//! let (mut to_client, mut to_server) = (Vec::new(), Vec::new());
//!
//! // From the client: masked with its key. To the server: with a fresh one.
//! let mut received = *b"\x81\x82\x01\x01\x01\x01ih\x88\x80\0\0\0\0";
//! let (replies, out) = (&mut to_client, &mut to_server);
//! forward(&mut client, &mut received, replies, &mut server, out)?;
//! assert_eq!(to_server[..2], [0x81, 0x82]);
//! assert_eq!(to_server[8..10], [0x88, 0x80]);
//! assert_eq!(to_client, [0x88, 0]);
//! # Ok::<(), SendError>(())
//! ```
//!
//! * **Backpressure crosses the relay.** Read from one side only while the output to the *other*
//!   side is short. Otherwise a fast sender and a slow receiver fill the memory of the relay.
//! * **With an output of fixed size**, pass no more input than the output has room for: its
//!   [`room`](crate::Output::room) less [`REPLY_ROOM`] for a Close and
//!   [`Header::MAX_LEN`](crate::frame::Header::MAX_LEN) for the header of the chunk.
//! * **Many tiny chunks become many fragments**, of which receivers accept a limited number. Wait
//!   for 64 bytes of input, or the rest of the frame
//!   ([`payload_left`](crate::Connection::payload_left)), before `recv`.
//! * **A message that is being sent when the sender fails** cannot be completed: `close` abandons
//!   it.
//!
//! # Borders of frames, and extensions
//!
//! A relay keeps the borders of frames if it begins a frame of its own for each that it receives:
//! [`frame_header`](crate::Connection::frame_header) returns the header with the first chunk of a
//! frame, and [`begin_relayed_frame`](crate::Connection::begin_relayed_frame) sends it on, also if
//! the payload is longer than the buffer. The documentation of `frame_header` has the code; it is
//! the same for both roles.
//!
//! * While [`payload_left`](crate::OutgoingFrame::payload_left) of a begun frame is not 0, nothing
//!   else can be sent on that side: a Ping, a Pong or a Close waits for the end of the frame. If it
//!   cannot end, close the transport.
//! * A message is then neither shorter nor longer than it was, in as many fragments: no limit on
//!   fragments is exceeded that the sender did not exceed.
//!
//! **Extensions that pass through.** A relay that does not decompress lets the ends negotiate:
//! [`ClientHandshake::relay_extensions`](crate::handshake::ClientHandshake::relay_extensions)
//! passes the client's offer to the server,
//! [`Response::extensions`](crate::handshake::Response::extensions) is the answer, and
//! [`Accept::relay_extensions`](crate::handshake::Accept::relay_extensions) passes it to the
//! client. Compressed messages are then marked, and pass through as they are. Offer only extensions
//! that compress complete messages and mark them by RSV1, such as permessage-deflate: frames with
//! other reserved bits fail the connection. If another library does the HTTP, use
//! [`Negotiated::with_relayed_compression`](crate::Negotiated::with_relayed_compression). The
//! feature `deflate` is not needed.
//!
//! `examples/hosts` has such a relay, `relay`.
//!
//! # Control frames
//!
//! * **Hop by hop** (the default): each side answers its own Pings, and has its own deadlines. The
//!   relay notices at once which side is gone.
//! * **End to end**: disable [automatic Pongs](crate::Config::with_auto_pong), and send
//!   [`control_payload`](crate::Connection::control_payload) on by `send_ping` and `send_pong`.
//!   Then each end notices whether the other is alive, and the relay still needs a deadline for
//!   writes.
//!
//! # How does an end pass through?
//!
//! | on one side | on the other |
//! | --- | --- |
//! | a Close with a code | a Close with the same code and reason |
//! | a Close without a code | [`close_without_code`](crate::Connection::close_without_code) |
//! | a violation | 1014, [`BAD_GATEWAY`](crate::CloseCode::BAD_GATEWAY) |
//! | the end of the stream without a Close, a deadline | 1014, or 1011; do not pretend that it was clean |
//! | the server rejects the handshake | the same status to the client, or 502 |
//!
//! The client can be answered before the server is connected, or after. After is better: the
//! subprotocol and the status are then the server's.
//!
//! # Questions
//!
//! * **Which headers are passed on?** Those that the program chooses: `Cookie`, `Authorization`,
//!   `Origin`, and `X-Forwarded-For` with the client's address. The handshake writes its own, and
//!   refuses them in a list of further headers.
//! * **Is text validated?** Yes, while it passes through, by the receiving side. A character that
//!   is split between chunks is passed on as it is.
//! * **Does it cost a copy?** One, from the input to the output; a client masks in the same pass.
//! * **Is the memory bounded?** By both outputs, and 256 bytes and 368 for the two structs.
//!
//! [`Connection`]: crate::Connection
//! [`REPLY_ROOM`]: crate::REPLY_ROOM
//! [`WebSocket`]: crate::WebSocket
