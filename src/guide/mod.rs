//! The guide: how to build a program on this crate. The documentation of the items is the
//! reference; these pages connect them.
//!
//! Each page is short enough to read in one sitting, and its examples are compiled and run with the
//! tests.
//!
//! | page | question |
//! | --- | --- |
//! | [`integrate`] | How do I connect a socket to it, in five steps? |
//! | [`two_tasks`] | How do I read and write in two tasks, or two threads? |
//! | [`asynchronous`] | How do I use it with tokio, and which calls can be cancelled? |
//! | [`large_messages`] | How do I receive and send messages that do not fit in memory? |
//! | [`closing`] | When do I close the socket, and how did it end? |
//! | [`http`] | How do I open a connection: hyper, HTTP/2, pages on the same port, origins, redirects? |
//! | [`broadcast`] | How do I send a message to many connections, and how much does compression cost? |
//! | [`relays`] | How do I forward messages between two connections? |
//! | [`firmware`] | How do I use it without an allocator? |
//! | [`behind_a_proxy`] | Which timeouts and headers change if a proxy is in front? |
//! | [`migration`] | What replaces a call of tungstenite, tokio-tungstenite or fastwebsockets? |
//! | [`rules`] | Which rule, error, close code, limit and default is there? |
//!
//! # Which layer?
//!
//! * **`Session`** for a new program with an allocator: it is a driver without its I/O, and does
//!   the last three of the five steps.
//! * **`WebSocket`** if the program has its own output queue or timers, or borrows messages from
//!   the input.
//! * **`Connection`** if messages are streamed, relayed, or received without an allocator.
//! * **The halves** of the last two, if two tasks must not share a lock.
//!
//! All of them have the same `recv`, and the same rules for their output.
//!
//! # What goes wrong
//!
//! The crate was embedded into many programs by authors who had not seen it before. The protocol
//! was never the problem. These mistakes were made again and again, and each is outside of the
//! crate, in the driver:
//!
//! * **Reading on while output waits.** A peer that sends and does not read then makes the output
//!   grow without limit. Pause reading, or limit the output: [`integrate`], step 5.
//! * **A read error without `recv_eof`.** A reset is an end of the stream like any other. If the
//!   driver only returns the error, `outcome()` is `None`, and a fragmented message stays in
//!   memory: [`integrate`], step 1.
//! * **An error that is returned before `out` was written.** The Close in `out` informs the peer
//!   why the connection ends. A `?` between `recv` and the write discards it, and the peer sees a
//!   reset: [`integrate`], step 2.
//! * **A live peer that is dropped for a missing Pong.** While our own output waits, or the driver
//!   does not read, the Pong cannot arrive in time. [`Deadlines`] does not count that time:
//!   [`integrate`], step 4.
//! * **A close timer that traffic extends.** The wait for the peer's Close begins once. A peer that
//!   continues to send must not keep the connection: [`closing`].
//! * **Closing the socket at once.** If unread bytes are in the socket's buffer, the system sends a
//!   reset, and the peer may lose the last messages and the Close: [`closing`].
//! * **A message compressed once for each receiver.** It is the same for all of them:
//!   [`broadcast`].
//! * **`write_all` in a future that is dropped.** It is then not known how much was written, and
//!   the stream is corrupt: [`asynchronous`].
//! * **An `await` of `flush` or `shutdown` outside of the `select!`.** With TLS or HTTP/2, both
//!   wait for the peer. One that does not read then stops all deadlines: [`asynchronous`].
//! * **An error of `write` that ends the driver.** The messages and the Close that the peer sent
//!   before are lost, though they arrived. Discard the output, and read on to the end of the
//!   stream: [`closing`].
//!
//! [`Deadlines`]: crate::Deadlines

pub mod asynchronous;
pub mod behind_a_proxy;
pub mod broadcast;
pub mod closing;
pub mod firmware;
pub mod http;
pub mod integrate;
pub mod large_messages;
pub mod migration;
pub mod relays;
pub mod rules;
pub mod two_tasks;
