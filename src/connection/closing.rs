//! The closing handshake (RFC 6455 §7), and the replies that a connection sends by itself.
//!
//! [`State`] has the diagram and the table. Each half of a connection holds one side of the
//! machine: [`SendClosing`] records the Close that was sent, [`RecvControl`] the end of the input
//! and the reply that is due. A [`Reply`] is all that the sending half learns from the receiving
//! half.

use crate::action::Action;
use crate::buffer::{InlineBytes, prefix, suffix};
use crate::error::ProtocolError;
use crate::frame::MAX_CONTROL_PAYLOAD;
use crate::frame::close::{Close, CloseCode};
use core::convert::Infallible;
use core::{fmt, str};

/// The state of a connection (RFC 6455 §7.1.3, §7.1.4).
///
/// The diagram shows the transitions, and the table the effect of each call. In both, "Done" means
/// that Close frames were exchanged, and "Failed" that the peer violated the protocol or the caller
/// called `fail`. A test compares all short sequences of calls with the table.
///
/// ```text
///                  close()                           recv: Close
///  Open ───────────────────────► Close sent ───────────────────────────► Done
///  Open, Continue                Closing, AwaitClose                     Closing, CloseTransport
///   │   │                           │                                    (a client: AwaitClose) *
///   │   │  recv: Close;             │                                      ▲
///   │   │  a Close is written       │                                      │
///   │   └───────────────────────────┼──────────────────────────────────────┘
///   │                               │
///   │ recv: a violation, or fail(); │ recv: a violation, or fail();
///   │ a Close is written            │ nothing is written
///   ▼                               │
///  Failed ◄─────────────────────────┘
///  Closing, CloseTransport
///
///  any of them ── recv_eof() ──► Ended: Closed, CloseTransport
///
///  Below each: state() and next_action().   * The server closes the transport first (§7.1.1).
/// ```
///
/// | call | Open | Close sent | Done | Failed | Ended |
/// | --- | --- | --- | --- | --- | --- |
/// | `send_*`, `begin_*` | ok, frame | `Closed` | `Closed` | `Closed` | `Closed` |
/// | `send_pong` | ok, Pong | ok, Pong | `Closed` | `Closed` | `Closed` |
/// | `close` | ok, Close, → Close sent | `Closed` | `Closed` | `Closed` | `Closed` |
/// | `fail` | ok, Close, → Failed | ok, → Failed | `Closed` | `Closed` | `Closed` |
/// | `recv`: data, a Pong | event | event | - | - | - |
/// | `recv`: a Ping | event, Pong | event, Pong | - | - | - |
/// | `recv`: a Close | event, Close, → Done | event, → Done | - | - | - |
/// | `recv`: a violation | event, Close, → Failed | event, → Failed | - | - | - |
/// | `recv_eof` | ok, → Ended | ok, → Ended | ok, → Ended | ok, → Ended | ok |
/// | `state()` | `Open` | `Closing` | `Closing` | `Closing` | `Closed` |
/// | `next_action()` | `Continue` | `AwaitClose` | `CloseTransport` (a client: `AwaitClose`) | `CloseTransport` | `CloseTransport` |
///
/// A cell has the result of the call, the frame that it writes, and the next state. `Closed` as a
/// result is [`SendError::Closed`](crate::SendError::Closed), and `-` means that the input is
/// discarded. A Ping is not answered if that is [disabled](crate::Config::with_auto_pong).
///
/// While the output has no room for a frame that must be written, the event is pending, and no
/// state changes: `recv` returns `None`, and `is_paused` is `true`. With separate halves, the
/// receiving half returns the event, and [`SendHalf::reply`](crate::SendHalf::reply) writes the
/// frame and changes the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Messages are sent and received.
    Open,
    /// A Close frame was sent, or received and answered.
    Closing,
    /// The transport has ended: `recv_eof` was called.
    Closed,
}

/// One of the two endpoints of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// This endpoint.
    Local,
    /// The peer.
    Peer,
}

/// A Close frame that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct SentClose {
    /// The status code; `None` if the body was empty.
    pub code: Option<CloseCode>,
}

/// How a connection ended or is ending (RFC 6455 §7.1).
///
/// `Display` writes one line for a log. The reason in it is quoted and escaped, since the peer
/// chooses it.
///
/// A driver that ends the transport by itself, because a timer expired or a write failed, knows
/// more than the connection, and should update the fields:
///
/// ```
/// # use ws_proto::{Config, Connection, Endpoint, Server};
/// # let mut connection = Connection::new(Server, &Config::new());
/// connection.recv_eof();
/// let mut outcome = connection.outcome().expect("it has ended");
/// outcome.by = Endpoint::Local;
/// assert_eq!(
///     outcome.to_string(),
///     "unclean close by us, received no Close, sent no Close"
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Outcome<'a> {
    /// The endpoint that sent the first Close frame, or that ended the stream without one.
    pub by: Endpoint,
    /// The Close frame that was received; `None` if none was (§7.1.5 denotes that by 1006).
    pub received: Option<Close<'a>>,
    /// The Close frame that was appended to an output; `None` if none was. The connection does not
    /// know whether it was written to the transport.
    pub sent: Option<SentClose>,
    /// Whether a Close was received and one was appended to an output (§7.1.4), so that all data
    /// that the peer sent before its Close was received. If this endpoint closed first, the
    /// peer also received all data sent before. While the peer's Close is expected, it is
    /// `false`.
    pub clean: bool,
    /// The protocol violation of the peer, if the connection failed because of it.
    pub error: Option<ProtocolError>,
}

impl<'a> Outcome<'a> {
    /// Combines the two sides. Returns `None` while the connection is open.
    pub(super) fn of(recv: &'a RecvControl, send: &SendClosing) -> Option<Self> {
        if send.state() == State::Open && recv.reported_end().is_none() {
            return None;
        }
        let (received, error) = (recv.close_received(), recv.error());
        let by = match send.phase {
            ClosePhase::Open | ClosePhase::Done { by: Endpoint::Peer } if error.is_none() => {
                Endpoint::Peer
            }
            _ => Endpoint::Local,
        };
        let clean = received.is_some() && send.sent.is_some();
        Some(Self {
            by,
            received,
            sent: send.sent,
            clean,
            error,
        })
    }
}

impl fmt::Display for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = self.error {
            write!(f, "failed: {error}")?;
        } else {
            f.write_str(if self.clean {
                "clean close"
            } else {
                "unclean close"
            })?;
            f.write_str(match self.by {
                Endpoint::Local => " by us",
                Endpoint::Peer => " by the peer",
            })?;
        }
        match self.received {
            Some(close) => write!(f, ", received {close}")?,
            None => f.write_str(", received no Close")?,
        }
        match self.sent {
            Some(SentClose { code: Some(code) }) => write!(f, ", sent {code}"),
            Some(SentClose { code: None }) => f.write_str(", sent no code"),
            None => f.write_str(", sent no Close"),
        }
    }
}

/// The reply to a control frame or a protocol violation: a control frame that a receiving half owes
/// the peer, and that [`SendHalf::reply`](crate::SendHalf::reply) sends.
///
/// A later reply may replace an earlier one that was not sent: a Pong answers all previous Pings
/// (RFC 6455 §5.5.3), and nothing follows a Close. Therefore at most one is owed, and two tasks
/// need room for only one between them.
///
/// `Debug` does not show the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Reply {
    pub(super) kind: ReplyKind,
    pub(super) payload: ControlPayload,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReplyKind {
    Pong,
    /// The answer to a Close.
    Close(Option<CloseCode>),
    /// The Close that reports a violation.
    Fail(CloseCode),
}

/// The payload of a control frame.
pub(super) type ControlPayload = InlineBytes<MAX_CONTROL_PAYLOAD>;

/// Encodes the body of a Close frame (§5.5.1). A reason that is too long is truncated before the
/// character that does not fit.
pub(super) fn encode_close_body(code: CloseCode, reason: &str) -> ControlPayload {
    let mut body = ControlPayload::new();
    body.push(u16::from(code).to_be_bytes());
    let max_len = reason.len().min(MAX_CONTROL_PAYLOAD - 2);
    let reason = (0..=max_len).rev().find_map(|len| reason.get(..len));
    body.push_slice(reason.unwrap_or_default().as_bytes());
    body
}

/// Validates the body of a Close frame (§5.5.1), or its bytes received so far, and returns the
/// status code.
pub(super) fn decode_close_body(
    body: &[u8],
    is_complete: bool,
) -> Result<Option<CloseCode>, ProtocolError> {
    let Some((&code, reason)) = body.split_first_chunk() else {
        return Ok(None);
    };
    let code = u16::from_be_bytes(code);
    let code = CloseCode::new(code).ok_or(ProtocolError::InvalidCloseCode(code))?;
    match str::from_utf8(reason) {
        Err(error) if is_complete || error.error_len().is_some() => {
            Err(ProtocolError::InvalidCloseReason)
        }
        _ => Ok(Some(code)),
    }
}

/// The progress of the closing handshake as the sending side sees it: the states of the diagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClosePhase {
    Open,
    CloseSent,
    /// Close frames were exchanged; the first one was sent `by` this endpoint.
    Done {
        by: Endpoint,
    },
    Failed,
}

/// The sending side of the closing handshake.
#[derive(Debug)]
pub(super) struct SendClosing {
    phase: ClosePhase,
    sent: Option<SentClose>,
    /// Whether the transport has ended.
    has_ended: bool,
}

impl SendClosing {
    pub(super) const fn new() -> Self {
        Self {
            phase: ClosePhase::Open,
            sent: None,
            has_ended: false,
        }
    }

    #[inline]
    pub(super) const fn state(&self) -> State {
        match self.phase {
            _ if self.has_ended => State::Closed,
            ClosePhase::Open => State::Open,
            _ => State::Closing,
        }
    }

    pub(super) const fn next_action(&self, is_client: bool) -> Action {
        match self.phase {
            _ if self.has_ended => Action::CloseTransport,
            ClosePhase::Open => Action::Continue,
            ClosePhase::CloseSent => Action::AwaitClose,
            ClosePhase::Done { .. } if is_client => Action::AwaitClose,
            _ => Action::CloseTransport,
        }
    }

    pub(super) const fn phase(&self) -> ClosePhase {
        self.phase
    }

    pub(super) const fn sent(&self) -> Option<SentClose> {
        self.sent
    }

    pub(super) const fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Returns whether a Pong may be sent: no Close was received, and the connection has not failed
    /// (§5.5.2).
    pub(super) const fn may_pong(&self) -> bool {
        !self.has_ended && matches!(self.phase, ClosePhase::Open | ClosePhase::CloseSent)
    }

    /// Records that a Close was written.
    pub(super) const fn close_written(&mut self, code: Option<CloseCode>, phase: ClosePhase) {
        self.sent = Some(SentClose { code });
        self.phase = phase;
    }

    /// Changes the phase without a Close, which was sent before.
    pub(super) const fn advance(&mut self, phase: ClosePhase) {
        self.phase = phase;
    }

    /// Records that the transport has ended.
    pub(super) const fn end(&mut self) {
        self.has_ended = true;
    }
}

/// How receiving ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecvEnd {
    /// The peer sent a Close with this code.
    Close(Option<CloseCode>),
    /// The peer violated the protocol; the error is in [`LastControl::Violation`].
    Failed,
    /// The transport ended.
    Eof,
    /// The caller failed the connection.
    Abandoned,
}

/// The payload of the last control frame, or the violation, after which no control frame follows:
/// one memory for both.
#[derive(Debug)]
enum LastControl {
    Frame(ControlPayload),
    Violation(ProtocolError),
}

/// The control frames that were received: the last one, the reply that is due, and the end of the
/// input, which is the receiving side of the closing handshake.
#[derive(Debug)]
pub(super) struct RecvControl {
    last: LastControl,
    end: Option<RecvEnd>,
    /// Whether the end was returned to the caller. While its event is pending, it was not.
    is_reported: bool,
    /// Whether a reply to `last` is due. Whoever receives the event takes the reply at once.
    reply_due: bool,
}

impl RecvControl {
    pub(super) const fn new() -> Self {
        Self {
            last: LastControl::Frame(ControlPayload::new()),
            end: None,
            is_reported: false,
            reply_due: false,
        }
    }

    /// Starts a control frame.
    pub(super) fn begin_control(&mut self) {
        self.last = LastControl::Frame(ControlPayload::new());
    }

    /// Appends to the payload of the control frame.
    pub(super) fn push_control(&mut self, payload: &[u8]) {
        debug_assert!(
            matches!(self.last, LastControl::Frame(_)),
            "a control frame was started"
        );
        if let LastControl::Frame(frame) = &mut self.last {
            frame.push_slice(payload);
        }
    }

    /// Records a complete Ping.
    pub(super) fn ping(&mut self, is_answered: bool) {
        self.reply_due = is_answered;
    }

    /// Records a complete Close.
    pub(super) fn close(&mut self, code: Option<CloseCode>) {
        self.end(RecvEnd::Close(code));
        self.reply_due = true;
    }

    /// Records a violation.
    pub(super) fn fail(&mut self, error: ProtocolError) {
        self.end(RecvEnd::Failed);
        self.last = LastControl::Violation(error);
        self.reply_due = true;
    }

    /// Records the end of the transport.
    pub(super) fn eof(&mut self) {
        self.end(RecvEnd::Eof);
    }

    /// Records that the caller failed the connection. A pending end is discarded.
    pub(super) fn abandon(&mut self) {
        if !self.is_reported {
            self.end = None;
            self.last = LastControl::Frame(ControlPayload::new());
        }
        self.reply_due = false;
        self.end(RecvEnd::Abandoned);
    }

    /// Ends the input; the first reason is kept. The end of the transport reports an end whose
    /// event is still pending, so that the outcome does not change when the event is returned.
    fn end(&mut self, end: RecvEnd) {
        self.end.get_or_insert(end);
        self.is_reported = matches!(end, RecvEnd::Eof | RecvEnd::Abandoned);
    }

    /// Sends the reply that is due, if any, and marks the event as reported. If `send` fails, the
    /// reply remains due and the event is pending.
    pub(super) fn with_due_reply<E>(
        &mut self,
        send: impl FnOnce(ReplyKind, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.reply_due {
            let body;
            let (kind, payload) = match (&self.last, self.end) {
                (LastControl::Violation(error), _) => {
                    let code = error.close_code();
                    body = encode_close_body(code, error.reason());
                    (ReplyKind::Fail(code), &*body)
                }
                // The same code, without the reason (§5.5.1).
                (LastControl::Frame(body), Some(RecvEnd::Close(code))) => {
                    (ReplyKind::Close(code), prefix(body, body.len().min(2)))
                }
                (LastControl::Frame(payload), _) => (ReplyKind::Pong, &**payload),
            };
            send(kind, payload)?;
            self.reply_due = false;
        }
        self.is_reported = true;
        Ok(())
    }

    /// Makes the reply to the peer's Close or violation due again.
    pub(super) fn repeat_reply(&mut self) {
        self.reply_due = matches!(self.end, Some(RecvEnd::Close(_) | RecvEnd::Failed));
    }

    /// Takes the reply that is due, if any, and marks the event as reported.
    pub(super) fn take_reply(&mut self) -> Option<Reply> {
        let mut reply = None;
        let sent = self.with_due_reply(|kind, bytes| {
            let mut payload = ControlPayload::new();
            payload.push_slice(bytes);
            reply = Some(Reply { kind, payload });
            Ok::<(), Infallible>(())
        });
        let Ok(()) = sent;
        reply
    }

    /// Returns the payload of the last control frame; empty after a violation.
    pub(super) fn control_payload(&self) -> &[u8] {
        match &self.last {
            LastControl::Frame(payload) => payload,
            LastControl::Violation(_) => &[],
        }
    }

    /// Returns the last violation, whether it was reported or not.
    pub(super) const fn violation(&self) -> Option<ProtocolError> {
        match self.last {
            LastControl::Violation(error) => Some(error),
            LastControl::Frame(_) => None,
        }
    }

    /// Returns the Close frame that was received and reported.
    pub(super) fn close_received(&self) -> Option<Close<'_>> {
        let Some(RecvEnd::Close(code)) = self.reported_end() else {
            return None;
        };
        let body = self.control_payload();
        let reason = str::from_utf8(suffix(body, body.len().min(2)));
        debug_assert!(reason.is_ok(), "the reason was validated");
        Some(Close {
            code,
            reason: reason.unwrap_or_default(),
        })
    }

    /// Returns the violation that was reported.
    pub(super) const fn error(&self) -> Option<ProtocolError> {
        if self.is_reported {
            self.violation()
        } else {
            None
        }
    }

    /// Returns how the input ended, if it did.
    pub(super) const fn ended(&self) -> Option<RecvEnd> {
        self.end
    }

    /// Returns how the input ended, if that was reported.
    const fn reported_end(&self) -> Option<RecvEnd> {
        if self.is_reported { self.end } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::{CloseCode, encode_close_body};

    /// CL9: 123 bytes of reason fit, and no character is split.
    #[test]
    fn cl9_a_reason_is_truncated_at_a_character() {
        let long = "ä".repeat(70);
        for (reason, len) in [("", 0), (&*long, 122), (&"x".repeat(200), 123)] {
            let body = encode_close_body(CloseCode::NORMAL, reason);
            assert_eq!(body.len(), 2 + len);
            assert!(core::str::from_utf8(body.get(2..).unwrap()).is_ok());
        }
    }
}
