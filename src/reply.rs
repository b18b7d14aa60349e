//! What the receiving half owes the peer: the only thing that the sending half learns from it.

use crate::close::CloseCode;
use crate::opcode::MAX_CONTROL_PAYLOAD;
use core::fmt;

/// The answer to a control frame or to a violation: a control frame that the
/// [`RecvHalf`](crate::RecvHalf) owes the peer.
///
/// A later reply may always take the place of an earlier one that was not sent yet: a Pong answers
/// all Pings before it (RFC 6455 §5.5.3), and nothing follows a Close. So at most one is owed, and
/// a place for one is all that two tasks need between them.
///
/// `Debug` does not show the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub(crate) answer: Answer,
    pub(crate) payload: ControlPayload,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Pong,
    Close(Option<CloseCode>),
    Fail(CloseCode),
}

impl Reply {
    pub(crate) fn new(answer: Answer, payload: &[u8]) -> Self {
        let mut reply = Self {
            answer,
            payload: ControlPayload::new(),
        };
        reply.payload.push(payload);
        reply
    }
}

/// The payload of a control frame. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ControlPayload {
    bytes: [u8; MAX_CONTROL_PAYLOAD],
    len: u8,
}

impl fmt::Debug for ControlPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ControlPayload")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

impl ControlPayload {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [0; MAX_CONTROL_PAYLOAD],
            len: 0,
        }
    }

    /// The body of a Close frame (§5.5.1). A reason that is too long ends before the character that
    /// does not fit.
    pub(crate) fn close(code: Option<CloseCode>, reason: &str) -> Self {
        let mut new = Self::new();
        if let Some(code) = code {
            new.push(&u16::from(code).to_be_bytes());
            let fits = (0..=reason.len().min(MAX_CONTROL_PAYLOAD - 2))
                .rev()
                .find_map(|len| reason.get(..len));
            new.push(fits.unwrap_or_default().as_bytes());
        }
        new
    }

    /// Appends `bytes`, for which there must be room.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let start = usize::from(self.len);
        match self.bytes.get_mut(start..start + bytes.len()) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.len += bytes.len() as u8;
            }
            None => debug_assert!(false, "no frame with a longer payload is accepted or built"),
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len.into()).unwrap_or_default()
    }
}
