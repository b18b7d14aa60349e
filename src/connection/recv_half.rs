//! The receiving half: the receiving machine, with memory for the reply that is owed. It knows
//! nothing of sending.

use super::closing::Reply;
use super::receive::{Chunk, Event, Received, RecvState};
use crate::config::Config;
use crate::counters::Counters;
use crate::error::ProtocolError;
use crate::frame::Header;
use crate::frame::close::Close;
use crate::role::Role;

/// The receiving half of a [`Connection`](crate::Connection), for programs that read and write in
/// two tasks.
///
/// It works like the connection, but has no output: a reply to the peer is owed as a [`Reply`],
/// which [`take_reply`](Self::take_reply) returns and [`SendHalf::reply`](crate::SendHalf::reply)
/// sends.
///
/// The tasks must communicate four things:
///
/// * **The reply.** Take it after each event, or when `recv` returns `None`. At most one is owed,
///   until it is taken. Two tasks need room for only one between them, since a later reply replaces
///   an earlier one that was not sent: a newer Pong also answers the older Ping (RFC 6455 §5.5.3),
///   and nothing follows a Close. A queue would let a peer that sends Pings and does not read
///   exhaust the memory, and a bounded channel would block the tasks. Pass on the reply to a Close
///   as well: it may have nothing to write, but it informs the sending half that the connection is
///   closed. The writing task must send it before it handles the end of the input, and before
///   queued messages; fragments of a long message let it pass between them (§5.5.2: as soon as
///   practical). Messages that are queued when a Close is answered are not sent, and
///   [`Outcome::clean`](crate::Outcome::clean) does not consider them.
/// * **The end of the input.** The reading task calls [`recv_eof`](Self::recv_eof), and the writing
///   task [`SendHalf::transport_ended`](crate::SendHalf::transport_ended).
/// * **The next action.** [`SendHalf::next_action`](crate::SendHalf::next_action) is for the
///   writing task.
/// * **The end of the reading task.** When a timer expires or a write fails, the writing task must
///   be able to end the reading task, for instance by shutting down the socket in both directions;
///   otherwise that task waits for a peer that is gone. Join it before you reunite the halves: it
///   may still receive data that had arrived.
///
/// When both have ended, [`Connection::reunite`](crate::Connection::reunite) joins the halves
/// again, for [`Connection::outcome`](crate::Connection::outcome).
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use ws_proto::{Config, Connection, Event, Reply, Server};
///
/// let connection = Connection::new(Server, &Config::new());
/// let (mut recv_half, mut send_half) = connection.split();
/// // Room for one reply: a newer one replaces an older one.
/// let mailbox = Arc::new(Mutex::new(None::<Reply>));
///
/// // The reading task.
/// let mut bytes = *b"\x89\x82\0\0\0\0hi\x89\x83\0\0\0\0hey";
/// let mut input = &mut bytes[..];
/// while let Some(event) = recv_half.recv(&mut input) {
///     assert_eq!(event, Event::Ping);
/// }
/// if let Some(reply) = recv_half.take_reply() {
///     *mailbox.lock().unwrap() = Some(reply); // and wake the writing task
/// }
///
/// // The writing task, when it is woken.
/// let mut memory = [0; 256];
/// let mut out = ws_proto::SliceOutput::new(&mut memory);
/// if let Some(reply) = mailbox.lock().unwrap().take() {
///     send_half.reply(&reply, &mut out)?;
/// }
/// assert_eq!(out.as_bytes(), b"\x8a\x03hey");
/// # Ok::<(), ws_proto::SendError>(())
/// ```
#[derive(Debug)]
pub struct RecvHalf<R> {
    pub(crate) state: RecvState<R>,
    owed: Option<Reply>,
}

impl<R: Role> RecvHalf<R> {
    pub(super) const fn new(state: RecvState<R>) -> Self {
        Self { state, owed: None }
    }

    /// Consumes the next event from `input`. Returns `None` if all of it was consumed. After a
    /// Close or a failure, all further input is discarded (RFC 6455 §1.4, §7.1.7).
    ///
    /// After [`Event::Data`], the payload of the chunk is the last `payload.len()` bytes before the
    /// cursor `input`.
    #[inline]
    #[must_use = "the event must be handled, and `None` ends the loop"]
    pub fn recv<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<Event<'b>> {
        Some(match self.state.recv(input)? {
            Received::Data(chunk) => Event::Data(chunk),
            Received::Signal(signal) => {
                self.owe_reply();
                signal.into()
            }
        })
    }

    /// Stores the reply that is due, if any, in place of one that was not taken.
    pub(crate) fn owe_reply(&mut self) {
        if let Some(reply) = self.state.control.take_reply() {
            self.owed = Some(reply);
        }
    }

    /// Takes the reply that is owed to the peer, if any: the Pong to the last Ping, or a Close,
    /// after which none is owed. It is owed until it is taken, whatever was received since.
    #[must_use = "the reply must be sent"]
    pub const fn take_reply(&mut self) -> Option<Reply> {
        self.owed.take()
    }

    /// Informs this half that the transport has ended: the peer closed or reset it. Call it after
    /// [`recv`](Self::recv) has consumed the received bytes.
    pub fn recv_eof(&mut self) {
        self.state.recv_eof();
    }

    /// Returns the payload of the Ping or Pong that [`recv`](Self::recv) returned last: at most 125
    /// arbitrary bytes (§5.5.2). It is meaningful until the next call of `recv`.
    #[must_use]
    pub fn control_payload(&self) -> &[u8] {
        self.state.control.control_payload()
    }

    /// Returns the Close frame that was received, if any.
    #[must_use]
    pub fn close_received(&self) -> Option<Close<'_>> {
        self.state.control.close_received()
    }

    /// Returns the protocol violation of the peer, if the connection failed because of it.
    #[must_use]
    pub const fn error(&self) -> Option<ProtocolError> {
        self.state.control.error()
    }

    /// Returns the number of bytes of the current data frame's payload that have not been received;
    /// 0 between frames and in control frames.
    ///
    /// A driver that reads exactly this many bytes to the position after the received data of a
    /// message obtains the rest of the frame contiguously, without a copy.
    #[must_use]
    pub fn payload_left(&self) -> u64 {
        self.state.payload_left()
    }

    /// Returns the header of the frame that begins with `chunk`, which [`recv`](Self::recv)
    /// returned last: see [`Connection::frame_header`](crate::Connection::frame_header).
    #[must_use]
    pub fn frame_header(&self, chunk: &Chunk<'_>) -> Option<Header> {
        self.state.frame_header(chunk)
    }

    /// Returns `None` between messages. While a message is incomplete, returns the number of
    /// payload bytes of all messages that were received, without control frames. As long as this
    /// value does not change, the message makes no progress: [`Deadlines`](crate::Deadlines) limits
    /// that time.
    #[must_use]
    pub const fn message_progress(&self) -> Option<u64> {
        self.state.message_progress()
    }

    /// Returns the number of frames whose header was received, and the sum of their payload
    /// lengths. [`payload_left`](Self::payload_left) bytes of that have not arrived, and up to 125
    /// bytes of a control frame.
    #[must_use]
    pub const fn received(&self) -> Counters {
        self.state.counters()
    }

    /// Returns the configuration.
    #[must_use = "it has no side effects"]
    pub const fn config(&self) -> &Config {
        self.state.config()
    }

    /// Replaces the configuration, from the next frame on: see
    /// [`Connection::set_config`](crate::Connection::set_config).
    pub fn set_config(&mut self, config: &Config) {
        self.state.set_config(config);
    }
}
