//! Receive and send messages that are large, or do not fit in memory.
//!
//! # Receive into memory
//!
//! A [`WebSocket`] assembles messages of up to [`Config::max_message`], by default 16 MiB. Memory
//! grows with the received bytes, never with a declared length. A longer message fails the
//! connection with 1009.
//!
//! * To receive more, set [`Config::with_max_message`]; after a client has authenticated, also for
//!   an open connection, by [`set_config`](crate::WebSocket::set_config).
//! * To copy less, let the socket write the payload into its final place:
//!   [`payload_buffer`](crate::WebSocket::payload_buffer) has an example. It is for binary messages
//!   of more than one read buffer.
//! * To allocate less, return the memory of a message that was handled by
//!   [`recycle`](crate::WebSocket::recycle).
//!
//! # Receive as a stream
//!
//! A [`Connection`] stores nothing. It returns a message in chunks as they arrive, so that a
//! message of any size passes through a buffer of any size. With [`u64::MAX`] as the limit, only
//! the caller limits it:
//!
//! ```
//! use ws_proto::{CloseCode, Config, Connection, Event, Server};
//!
//! /// Counts the bytes of a message, as an example of storing them on a disk.
//! struct Upload {
//!     len: u64,
//!     done: bool,
//! }
//!
//! const MAX_UPLOAD: u64 = 1 << 40;
//!
//! fn receive(
//!     connection: &mut Connection<Server>,
//!     mut input: &mut [u8],
//!     out: &mut Vec<u8>,
//!     upload: &mut Upload,
//! ) -> Result<(), ws_proto::SendError> {
//!     while let Some(event) = connection.recv(&mut input, out) {
//!         let Event::Data(chunk) = event else { continue };
//!         if chunk.first {
//!             *upload = Upload { len: 0, done: false };
//!         }
//!         upload.len += chunk.payload.len() as u64; // file.write_all(..)
//!         upload.done = chunk.last;
//!         if upload.len > MAX_UPLOAD {
//!             connection.fail(CloseCode::MESSAGE_TOO_BIG, "", out)?;
//!         }
//!     }
//!     Ok(())
//! }
//!
//! let config = Config::new().with_max_message(u64::MAX);
//! let mut connection = Connection::new(Server, &config);
//! let (mut out, mut upload) = (Vec::new(), Upload { len: 0, done: false });
//! // A frame that declares 1 GiB arrives in reads of any length.
//! let mut read = *b"\x82\xff\0\0\0\0\x40\0\0\0\0\0\0\0 the first bytes";
//! receive(&mut connection, &mut read, &mut out, &mut upload)?;
//! assert_eq!((upload.len, upload.done), (16, false));
//! assert_eq!(connection.payload_left(), (1 << 30) - 16);
//! # Ok::<(), ws_proto::SendError>(())
//! ```
//!
//! * Chunks depend on how the input is split; the content does not.
//!   [`Chunk::first`](crate::Chunk::first) and [`last`](crate::Chunk::last) mark the borders of
//!   messages.
//! * The end of a chunk of text may be inside a character: a
//!   [`Utf8Validator`](crate::frame::Utf8Validator) returns the characters.
//! * A compressed message is marked, and not decompressed: pass its chunks to a `Decompressor` of
//!   [`deflate`](crate::deflate), with a block of fixed size for its output, and limit the total
//!   length. Otherwise a few kilobytes become gigabytes.
//! * Do not block the connection for the disk: while a chunk is stored, read no more. That is
//!   backpressure, which TCP passes on to the peer. Report it to [`Deadlines`] as `reading: false`.
//!
//! # Send
//!
//! A message in one frame occupies the output with all of its bytes. If it is large, there are two
//! ways to send less at a time.
//!
//! **In fragments.** [`send_next_fragment`](crate::WebSocket::send_next_fragment) sends a slice of
//! it; a Pong or another control frame can be sent between two of them.
//!
//! ```
//! use ws_proto::{Config, MessageKind, Server, WebSocket};
//!
//! let mut ws = WebSocket::new(Server, &Config::new());
//! let (file, mut out) = (vec![b'x'; 100_000], Vec::new());
//! let mut rest = &file[..];
//! loop {
//!     let kind = MessageKind::Binary;
//!     let is_last = ws.send_next_fragment(kind, &mut rest, 16 << 10, &mut out)?;
//!     // sock.write_all(&out)?; and receive: Pings are answered in between
//!     out.clear();
//!     if is_last {
//!         break;
//!     }
//! }
//! assert_eq!(ws.sent().frames, 7);
//! # Ok::<(), ws_proto::SendError>(())
//! ```
//!
//! [`send_fragment`](crate::WebSocket::send_fragment) is for data of unknown length. If compression
//! was negotiated, both compress, and flush each fragment.
//!
//! Other messages cannot be sent before the last fragment: [`SendError::MessageInProgress`]. Peers
//! accept a limited number of fragments. In this crate, fragments of 16 bytes or more never exceed
//! the limit.
//!
//! **In one frame without a copy.** [`begin_frame`](crate::WebSocket::begin_frame) returns the
//! header of a frame of known length. The caller writes the payload, masked by
//! [`OutgoingFrame::mask`] if it is a client. Nothing else can be sent until all of it is written.
//!
//! # Timeouts
//!
//! * [`Timeouts::with_message`] ends a message that makes **no progress**, by default after 60
//!   seconds. A slow upload that progresses is not dropped.
//! * A peer is alive if bytes arrive, also inside a long frame, so no Pong is expected meanwhile.
//! * [`Timeouts::with_write`] ends a connection whose socket accepts no byte of the output, not one
//!   that is slow.
//!
//! # Questions
//!
//! * **How much memory does a declared length of 2^62 cost?** None. It exceeds the limit, or, with
//!   a [`Connection`], is counted in a `u64`.
//! * **Is there a limit for a frame?** No, only for the message: a sender may use one frame for all
//!   of it.
//! * **How is progress shown?** [`payload_left`](crate::Connection::payload_left) is the rest of
//!   the current frame. A message in fragments has no declared length.
//! * **Should a large message be compressed?** Files that are compressed already should be sent by
//!   [`send_binary_uncompressed`](crate::WebSocket::send_binary_uncompressed). See
//!   [`broadcast`](super::broadcast#what-does-compression-cost) for the cost.
//!
//! [`Config::max_message`]: crate::Config::max_message
//! [`Config::with_max_message`]: crate::Config::with_max_message
//! [`Connection`]: crate::Connection
//! [`Deadlines`]: crate::Deadlines
//! [`OutgoingFrame::mask`]: crate::OutgoingFrame::mask
//! [`SendError::MessageInProgress`]: crate::SendError::MessageInProgress
//! [`Timeouts::with_message`]: crate::Timeouts::with_message
//! [`Timeouts::with_write`]: crate::Timeouts::with_write
//! [`WebSocket`]: crate::WebSocket
