//! The receiving half of a connection, for programs that read and write in two tasks (RFC 6455 §5,
//! §6.2, §7).
//!
//! It is the receiving machine, with a place for the reply that nobody has taken yet. It knows
//! nothing of sending.

use crate::close::Close;
use crate::error::ProtocolError;
use crate::receive::{Event, Received, RecvState};
use crate::reply::Reply;
use crate::role::Role;
use crate::stats::Counters;

/// The receiving half of a [`Connection`](crate::Connection), for programs that read and write in
/// two tasks.
///
/// It works like the connection, except that it has no output: what the peer is owed is a
/// [`Reply`], which [`take_reply`](Self::take_reply) returns and
/// [`SendHalf::reply`](crate::SendHalf::reply) sends.
///
/// The tasks must tell each other four things:
///
/// * **The reply.** Take it after each event, or when nothing more comes of the input: at most one
///   is owed, and it is owed until it is taken. A place for one reply is all that the tasks need
///   between them, since a later one always replaces an earlier one that was not sent: a newer Pong
///   answers the older Ping too (RFC 6455 §5.5.3), and nothing follows a Close. A queue would give
///   a peer that sends Pings and does not read the memory of this endpoint, and a bounded channel
///   would stop the tasks. Hand over the reply to a Close too: it may have nothing to write, but it
///   tells the sender that the connection is closed. The writing task must send it before it acts
///   on the end of the input, and ahead of waiting messages; a long message that is sent in parts
///   lets it pass between them (§5.5.2: as soon as is practical). Messages that still wait when a
///   Close is answered are not sent: `clean` in the outcome does not count them.
/// * **The end of the input.** The reading task calls [`recv_eof`](Self::recv_eof), and the writing
///   task [`SendHalf::recv_eof`](crate::SendHalf::recv_eof).
/// * **What to do with the transport.** [`SendHalf::transport`](crate::SendHalf::next_action) tells the
///   writing task.
/// * **The end of the reading task.** When a timer fires or a write fails, the writing task must be
///   able to end the reading task, for instance by shutting down the socket in both directions;
///   otherwise it waits for a peer that is gone. Join it before you put the halves together: it may
///   still receive what had arrived.
///
/// When both have ended, [`Connection::reunite`](crate::Connection::reunite) puts the
/// halves together, to see [how](crate::Connection::outcome).
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use ws_proto::{Config, Connection, Event, Reply, Server};
///
/// let (mut receiver, mut sender) = Connection::new(Server, &Config::default()).split();
/// let mailbox = Arc::new(Mutex::new(None::<Reply>)); // one place: a newer reply replaces an older one
///
/// // The reading task.
/// let mut bytes = *b"\x89\x82\0\0\0\0hi\x89\x83\0\0\0\0hey";
/// let mut input = &mut bytes[..];
/// while let Some(event) = receiver.recv(&mut input) {
///     assert_eq!(event, Event::Ping);
/// }
/// if let Some(reply) = receiver.take_reply() {
///     *mailbox.lock().unwrap() = Some(reply); // and wake the writing task
/// }
///
/// // The writing task, when it is woken.
/// let mut out = Vec::new();
/// if let Some(reply) = mailbox.lock().unwrap().take() {
///     sender.reply(&reply, &mut out)?;
/// }
/// assert_eq!(out, b"\x8a\x03hey");
/// # Ok::<(), ws_proto::SendError>(())
/// ```
#[derive(Debug)]
pub struct RecvHalf<R> {
    pub(crate) state: RecvState<R>,
    owed: Option<Reply>,
}

impl<R: Role> RecvHalf<R> {
    pub(crate) const fn new(state: RecvState<R>) -> Self {
        Self { state, owed: None }
    }

    /// Consumes the next event from `input`; `None` if there is none, and then `input` is empty.
    /// After a Close or a failure all input is discarded (RFC 6455 §1.4, §7.1.7).
    #[inline]
    pub fn recv<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Event<'b>> {
        Some(match self.state.recv(input)? {
            Received::Data(chunk) => Event::Data(chunk),
            Received::Signal(signal) => {
                self.state.owe(&mut self.owed);
                signal.into()
            }
        })
    }

    /// Takes the reply that the peer is owed, if any: the Pong to the last Ping, or the Close after
    /// which nothing is owed. It is owed until it is taken, whatever was received since.
    pub const fn take_reply(&mut self) -> Option<Reply> {
        self.owed.take()
    }

    /// Ends the input: the peer closed or reset the transport. Must be called after
    /// [`recv`](Self::recv) has consumed what was received.
    pub fn recv_eof(&mut self) {
        self.state.recv_eof();
    }

    /// The payload of the Ping or Pong that came last: up to 125 bytes, binary (§5.5.2). The next
    /// control frame replaces it, and a failure empties it.
    #[must_use]
    pub fn control_payload(&self) -> &[u8] {
        self.state.control_payload()
    }

    /// The Close frame that was received, if one was.
    #[must_use]
    pub fn close_received(&self) -> Option<Close<'_>> {
        self.state.close_received()
    }

    /// The error for which the connection failed, if the peer violated the protocol.
    #[must_use]
    pub const fn error(&self) -> Option<ProtocolError> {
        self.state.error()
    }

    /// How many bytes of the current frame's payload are still to come; 0 between frames.
    ///
    /// A driver that reads as many bytes into the place after the data of a message that it has
    /// receives all of that frame in one place, without a copy.
    #[must_use]
    pub const fn payload_left(&self) -> u64 {
        self.state.payload_left()
    }

    /// How much was received.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        self.state.counters()
    }
}
