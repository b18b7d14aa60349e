//! What the receiving half wants sent: the only word that it has for the sending half.

use crate::close::CloseCode;
use crate::error::ProtocolError;
use crate::frame::MAX_CONTROL_PAYLOAD;
use core::fmt;

/// The answer to a control frame or to a violation: a control frame that the [`Receiver`](crate::Receiver) wants sent.
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
    pub(crate) fn pong(payload: &[u8]) -> Self {
        Self { answer: Answer::Pong, payload: ControlPayload::new(payload) }
    }

    pub(crate) fn close(code: Option<CloseCode>) -> Self {
        Self { answer: Answer::Close(code), payload: ControlPayload::close(code, "") }
    }

    pub(crate) fn fail(error: ProtocolError) -> Self {
        let code = error.close_code();
        Self { answer: Answer::Fail(code), payload: ControlPayload::close(Some(code), error.rule()) }
    }
}

/// The payload of a control frame.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ControlPayload {
    bytes: [u8; MAX_CONTROL_PAYLOAD],
    len: u8,
}

impl ControlPayload {
    /// As much of `payload` as goes into a control frame.
    fn new(payload: &[u8]) -> Self {
        let mut new = Self { bytes: [0; MAX_CONTROL_PAYLOAD], len: 0 };
        new.push(payload);
        new
    }

    /// The body of a Close frame (§5.5.1). A reason that is too long ends before the character that does not fit.
    pub(crate) fn close(code: Option<CloseCode>, reason: &str) -> Self {
        let Some(code) = code else { return Self::new(&[]) };
        let mut new = Self::new(&u16::from(code).to_be_bytes());
        let fits = (0..=reason.len().min(MAX_CONTROL_PAYLOAD - 2)).rev().find_map(|len| reason.get(..len));
        new.push(fits.unwrap_or_default().as_bytes());
        new
    }

    fn push(&mut self, bytes: &[u8]) {
        for (place, &byte) in self.bytes.iter_mut().skip(self.len.into()).zip(bytes) {
            *place = byte;
            self.len += 1;
        }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len.into()).unwrap_or_default()
    }
}

impl fmt::Debug for ControlPayload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().fmt(f)
    }
}
