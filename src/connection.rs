//! A connection: the two halves together, so that what one receives the other answers by itself
//! (RFC 6455 §5 to §7).
//!
//! Streams: it keeps no payload of a message, and allocates nothing. The methods that it shares
//! with [`WebSocket`](crate::WebSocket) are defined here once.

use crate::close::{Close, CloseCode};
use crate::config::Config;
use crate::error::{ProtocolError, SendError};
use crate::frame::HeaderBytes;
use crate::negotiated::Negotiated;
use crate::opcode::MessageKind;
use crate::outcome::{Endpoint, Outcome};
use crate::output::{Output, SliceOutput};
use crate::receive::{Event, Received, RecvState};
use crate::receiver::RecvHalf;
use crate::role::{Client, Role, Server};
use crate::send::{Action, Closing, SendHalf, State};
use crate::stats::Counters;

/// An open WebSocket connection that streams: messages come in pieces, as they arrive, and none is
/// kept.
///
/// For complete messages, use [`WebSocket`](crate::WebSocket). This is the layer for messages of
/// any size, for relays, and for places without an allocator: it takes at most 256 bytes (as a
/// server), and no heap.
///
/// ```
/// use ws_proto::{Config, Connection, Event, Server, SliceOutput};
///
/// let mut connection = Connection::new(Server, &Config::default());
/// let mut memory = [0; 256];
/// let mut out = SliceOutput::new(&mut memory);
/// let mut received = [0x82, 0x83, 0x10, 0x20, 0x30, 0x40, 0x11, 0x22, 0x33];
///
/// let mut input = &mut received[..];
/// loop {
///     while let Some(event) = connection.recv(&mut input, &mut out) {
///         if let Event::Data(chunk) = event {
///             assert_eq!(chunk.payload, [1, 2, 3]);
///             assert!(chunk.first && chunk.last);
///         }
///     }
///     // sock.write_all(out.as_bytes())?;
///     out.clear();
///     if !connection.is_paused() {
///         break; // all of the input was consumed: read more
///     }
/// }
/// ```
#[derive(Debug)]
pub struct Connection<R> {
    receiver: RecvState<R>,
    sender: SendHalf<R>,
}

impl<R: Role> Connection<R> {
    /// A connection whose opening handshake is done. `negotiated` is what the handshake gave, or just
    /// the role.
    pub fn new(negotiated: impl Into<Negotiated<R>>, config: &Config) -> Self {
        let negotiated = negotiated.into();
        let may_compress = negotiated.compresses();
        Self {
            receiver: RecvState::new(config, may_compress),
            sender: SendHalf::new(negotiated.role, may_compress),
        }
    }

    /// Consumes the next event from `input`, and appends the automatic reply to `out`: the Pong to
    /// a Ping, the Close that answers a Close, and the Close that reports a violation to the
    /// peer.
    ///
    /// `None` means either that all of `input` was consumed: read more, unless
    /// [`transport`](Self::next_action) says otherwise; or that `out` has no room for a reply:
    /// [`is_paused`](Self::is_paused) tells which. After a Close or a failure all further input is
    /// discarded (RFC 6455 §1.4, §7.1.7).
    #[inline]
    pub fn recv<'b>(
        &mut self,
        input: &mut &'b mut [u8],
        out: &mut (impl Output + ?Sized),
    ) -> Option<Event<'b>> {
        match self.receiver.recv(input)? {
            Received::Data(chunk) => Some(Event::Data(chunk)),
            Received::Signal(signal) => self.reply(signal, out).map(Event::from),
        }
    }

    /// The same as [`send_fragment`](Self::send_fragment) for a message that is compressed (RFC 7692 §6.1):
    /// `bytes` is a part of what a compressor made of all of it.
    ///
    /// # Errors
    ///
    /// [`SendError::NotNegotiated`], [`SendError::MessageInProgress`] if the unfinished message is
    /// of another kind or not compressed, [`SendError::Closed`] or [`SendError::OutputFull`]; nothing
    /// was written.
    pub fn send_compressed_fragment(
        &mut self,
        kind: MessageKind,
        bytes: &[u8],
        last: bool,
        out: &mut (impl Output + ?Sized),
    ) -> Result<(), SendError> {
        self.sender.send_compressed_fragment(kind, bytes, last, out)
    }

    /// The two halves, for two tasks that share no lock. [`RecvHalf`] describes what they must tell
    /// each other.
    ///
    /// If receiving is [paused](Self::is_paused), the receiver returns the event that waits, and
    /// then owes the reply.
    pub fn split(self) -> (RecvHalf<R>, SendHalf<R>) {
        (RecvHalf::new(self.receiver), self.sender)
    }

    /// The halves together again, for [`outcome`](Self::outcome) when both tasks have ended.
    ///
    /// What one half knows of the end, the other learns. If the sender was not given the answer to
    /// the peer's Close or violation, and it was not told of the end of the stream, the next
    /// [`recv`](Self::recv) returns the event again and appends the answer. A Pong that the sender
    /// was not given is not sent.
    #[must_use]
    pub fn reunite(receiver: RecvHalf<R>, sender: SendHalf<R>) -> Self {
        Self {
            receiver: receiver.state,
            sender,
        }
        .rejoin()
    }
}

/// What everything shares that has a [`SendHalf`] in it.
macro_rules! sends {
    ($Type:ident, $($sender:ident).+) => {
        impl<R: Role> $Type<R> {
            /// Sends a part of a message as a frame: the first one when no message is unfinished, else a continuation of it (§5.4).
            ///
            /// The parts of a text may split characters; together they must be UTF-8. Control frames may be sent between parts. Each part counts as a fragment, of
            /// which a peer accepts only a limited number in a message (this crate: [`Config::max_fragments`]). Parts are not compressed.
            ///
            /// # Errors
            ///
            /// [`SendError::MessageInProgress`] if the unfinished message is of another kind, [`SendError::InvalidUtf8`], [`SendError::Closed`] or
            /// [`SendError::OutputFull`]; nothing was written.
            pub fn send_fragment(&mut self, kind: MessageKind, bytes: &[u8], last: bool, out: &mut (impl Output + ?Sized)) -> Result<(), SendError> {
                self.$($sender).+.send_fragment(kind, bytes, last, out)
            }

            /// Sends a Ping with a payload of up to 125 bytes (§5.5.2). The peer answers with a Pong of the same payload.
            ///
            /// # Errors
            ///
            /// [`SendError::ControlTooLong`], [`SendError::Closed`] or [`SendError::OutputFull`]; nothing was written.
            pub fn send_ping(&mut self, payload: &[u8], out: &mut (impl Output + ?Sized)) -> Result<(), SendError> {
                self.$($sender).+.send_ping(payload, out)
            }

            /// Sends a Pong: unsolicited, as a heartbeat (§5.5.3), or the answer to a Ping if [`Config::auto_pong`] is off (copy the payload first, since it is
            /// the connection's: `let payload = ws.control_payload().to_vec()`).
            ///
            /// It may still be sent after `close`, until the peer's Close arrives: only data may not follow a Close (§5.5.1, §5.5.2).
            ///
            /// # Errors
            ///
            /// [`SendError::ControlTooLong`], [`SendError::Closed`] or [`SendError::OutputFull`]; nothing was written.
            pub fn send_pong(&mut self, payload: &[u8], out: &mut (impl Output + ?Sized)) -> Result<(), SendError> {
                self.$($sender).+.send_pong(payload, out)
            }

            /// The state of the connection (§7.1.3, §7.1.4).
            #[must_use]
            pub const fn state(&self) -> State {
                self.$($sender).+.state()
            }

            /// What to do with the transport, once what is in the output has been written.
            pub const fn next_action(&self) -> Action {
                self.$($sender).+.next_action()
            }

            /// The code of the Close frame that was sent, if one was: `Some(None)` is one without a code.
            #[must_use]
            pub const fn close_sent(&self) -> Option<Option<CloseCode>> {
                self.$($sender).+.close_sent()
            }

        }

        impl $Type<Server> {
            /// The header of a frame whose payload goes out without being copied, for `write_vectored` and the like: a whole message, or a part of one as in
            /// [`send_fragment`](Self::send_fragment).
            ///
            /// The caller writes the header and then exactly `len` bytes (up to 2^63 - 1) before anything that is appended to an output later, and sees to it
            /// that text is UTF-8.
            ///
            /// # Errors
            ///
            /// [`SendError::LengthOverflow`], [`SendError::MessageInProgress`] or [`SendError::Closed`]; nothing changed.
            pub fn header(&mut self, kind: MessageKind, len: u64, last: bool) -> Result<HeaderBytes, SendError> {
                self.$($sender).+.header(kind, len, last)
            }
        }

        impl $Type<Client> {
            /// Masks a payload where it stands and returns the header to be written before it, so that it goes out without being copied: a whole message, or a
            /// part of one as in [`send_fragment`](Self::send_fragment).
            ///
            /// The caller writes both before anything that is appended to an output later, and sees to it that text is UTF-8.
            ///
            /// # Errors
            ///
            /// [`SendError::MessageInProgress`] or [`SendError::Closed`]; nothing changed.
            pub fn mask_in_place(&mut self, kind: MessageKind, payload: &mut [u8], last: bool) -> Result<HeaderBytes, SendError> {
                self.$($sender).+.mask_in_place(kind, payload, last)
            }
        }
    };
}

/// What [`Connection`] and [`WebSocket`](crate::WebSocket) share: a receiving half (in which stands
/// a [`RecvHalf`]) and a sending half side by side.
macro_rules! both_halves {
    ($Type:ident, $half:ident, $($receiver:ident).+, $($sender:ident).+) => {
        sends!($Type, $($sender).+);

        impl<R: Role> $Type<R> {
            /// The input has ended: the peer closed or reset the transport. Without Close frames both ways that is an abnormal closure (RFC 6455 §7.1.5).
            ///
            /// Must be called after `recv` has consumed what was received, and not while [`is_paused`](Self::is_paused): the next `recv` then still returns the
            /// event that waits, but its answer is not sent. Later input is discarded.
            pub fn recv_eof(&mut self) {
                self.$half.recv_eof();
                self.sender.recv_eof();
            }

            /// Sends a text message in one frame.
            ///
            /// # Errors
            ///
            /// [`SendError::Closed`], [`SendError::MessageInProgress`] or [`SendError::OutputFull`]; nothing was written.
            #[inline]
            pub fn send_text(&mut self, text: &str, out: &mut (impl Output + ?Sized)) -> Result<(), SendError> {
                self.sender.send_text(text, out)
            }

            /// Sends a binary message in one frame.
            ///
            /// # Errors
            ///
            /// [`SendError::Closed`], [`SendError::MessageInProgress`] or [`SendError::OutputFull`]; nothing was written.
            #[inline]
            pub fn send_binary(&mut self, bytes: &[u8], out: &mut (impl Output + ?Sized)) -> Result<(), SendError> {
                self.sender.send_binary(bytes, out)
            }

            /// Starts the closing handshake (§7.1.2). After it only [`pong`](Self::send_pong) can be sent, and an unfinished message is abandoned. What the peer sends
            /// before its own Close still arrives, and its Pings are answered; to answer its messages is [`SendError::Closed`].
            ///
            /// `code` is a [`CloseCode`] or `None`. A reason of more than 123 bytes is cut, before the character that does not fit.
            ///
            /// # Errors
            ///
            /// [`SendError::ReasonWithoutCode`], [`SendError::ClientOnlyCloseCode`], [`SendError::Closed`] or [`SendError::OutputFull`]; nothing was written.
            pub fn close(
                &mut self,
                code: impl Into<Option<CloseCode>>,
                reason: &str,
                out: &mut (impl Output + ?Sized),
            ) -> Result<(), SendError> {
                self.sender.close(code, reason, out)
            }

            /// Fails the connection for a reason of the caller's, such as a message that violates a policy (§7.1.7): sends a Close, and discards all further input.
            ///
            /// After `close` it writes nothing, whatever the code, since the Close was sent, and ends the wait for the peer's.
            ///
            /// # Errors
            ///
            /// [`SendError::ClientOnlyCloseCode`], [`SendError::Closed`] if the peer's Close was received or the connection failed or ended before, or
            /// [`SendError::OutputFull`]; nothing was written, and nothing changed.
            pub fn fail(&mut self, code: CloseCode, reason: &str, out: &mut (impl Output + ?Sized)) -> Result<(), SendError> {
                self.sender.fail(code, reason, out)?;
                self.$half.abandon();
                Ok(())
            }

            /// How the connection ended or is ending; `None` while it is open.
            #[must_use]
            pub fn outcome(&self) -> Option<Outcome<'_>> {
                if self.state() == State::Open && !self.$($receiver).+.told_of_end() {
                    return None;
                }
                let (received, sent, error) = (self.close_received(), self.close_sent(), self.error());
                let by = match self.$($sender).+.closing() {
                    Closing::Open | Closing::Answering if error.is_none() => Endpoint::Peer,
                    _ => Endpoint::Local,
                };
                Some(Outcome { by, received, sent, clean: received.is_some() && sent.is_some(), error })
            }

            /// The rule that the peer broke, if the connection failed for that.
            #[must_use]
            pub const fn error(&self) -> Option<ProtocolError> {
                self.$($receiver).+.error()
            }

            /// What the peer's Close frame said, once it was received.
            #[must_use]
            pub fn close_received(&self) -> Option<Close<'_>> {
                self.$($receiver).+.close_received()
            }

            /// The payload of the Ping or Pong that came last: up to 125 bytes, binary (§5.5.2). The next control frame replaces it, and a failure empties it.
            #[must_use]
            pub fn control_payload(&self) -> &[u8] {
                self.$($receiver).+.control_payload()
            }

            /// How many bytes of the current frame's payload are still to come; 0 between frames.
            #[must_use]
            pub const fn payload_left(&self) -> u64 {
                self.$($receiver).+.payload_left()
            }

            /// How much was received.
            #[must_use]
            pub const fn received(&self) -> Counters {
                self.$($receiver).+.counters()
            }

            /// How much was sent.
            #[must_use]
            pub const fn sent(&self) -> Counters {
                self.$($sender).+.counters()
            }

            /// Whether `recv` returned `None` because the output has no room for the reply to a frame that was received.
            ///
            /// Write the output, then call `recv` again, also with an empty input: it returns the event and appends the reply. Until then nothing after that
            /// frame is received, and no other method shows anything of it. If this is `false` after `None`, all of the input was consumed.
            #[must_use]
            pub fn is_paused(&self) -> bool {
                self.$($receiver).+.is_held()
            }

            /// Tells each half what the other one knows of the end. What must be written for that waits for the next `recv`.
            fn rejoin(mut self) -> Self {
                if self.$($receiver).+.is_at_eof() {
                    self.sender.recv_eof();
                }
                let sender = &mut self.sender;
                _ = self.$($receiver).+.answer_end(|answer, payload| sender.answer(answer, payload, &mut SliceOutput::new(&mut [])));
                match (self.state(), self.$($sender).+.closing()) {
                    (State::Closed, _) => self.$half.recv_eof(),
                    (_, Closing::Failed) => self.$half.abandon(),
                    _ => {}
                }
                self
            }

            /// Appends the reply to the last event, which this returns. If there is no room for the reply, the event waits.
            #[cold]
            #[inline(never)]
            fn reply<T>(&mut self, event: T, out: &mut (impl Output + ?Sized)) -> Option<T> {
                let sender = &mut self.sender;
                self.$($receiver).+.answer(|answer, payload| sender.answer(answer, payload, out)).ok()?;
                Some(event)
            }
        }

    };
}
#[cfg(feature = "alloc")]
pub(crate) use {both_halves, sends};

both_halves!(Connection, receiver, receiver, sender);
