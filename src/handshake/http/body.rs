//! How the body of a message is framed (RFC 9112 §6).

use super::{lists, names::TRANSFER_ENCODING};
use crate::buffer::decimal;
use crate::handshake::HandshakeError;

/// How the body of a message is framed (RFC 9112 §6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Body {
    /// There is no body: the bytes after the head are not part of this message.
    None,
    /// The body has this length, in bytes.
    Length(u64),
    /// The body is in chunks (RFC 9112 §7.1).
    Chunked,
    /// The body lasts until the connection ends. Only a response has such a body.
    UntilClose,
}

/// The framing that the headers of a message declare.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::handshake) struct Framing {
    coding: Option<Coding>,
    length: Option<u64>,
}

/// The last transfer coding.
#[derive(Debug, Clone, Copy)]
enum Coding {
    Chunked,
    Other,
}

impl Framing {
    /// Reads a `Content-Length` or a `Transfer-Encoding`.
    pub(in crate::handshake) fn header(
        &mut self,
        name: &'static str,
        value: &[u8],
    ) -> Result<(), HandshakeError> {
        if name == TRANSFER_ENCODING {
            for coding in lists::elements(value) {
                self.coding = Some(if coding.eq_ignore_ascii_case(b"chunked") {
                    Coding::Chunked
                } else {
                    Coding::Other
                });
            }
            return Ok(());
        }
        self.content_length(value)
            .ok_or(HandshakeError::InvalidHeader(name))
    }

    /// Reads a `Content-Length`. It may be repeated with the same value only (RFC 9112 §6.3).
    fn content_length(&mut self, value: &[u8]) -> Option<()> {
        for digits in value.split(|&byte| byte == b',').map(lists::trim) {
            let length = decimal(digits)?;
            if *self.length.get_or_insert(length) != length {
                return None;
            }
        }
        Some(())
    }

    /// Returns the body of a response that may have one.
    pub(in crate::handshake) const fn of_response(&self, version: (u8, u8)) -> Body {
        match (self.coding, version, self.length) {
            (Some(Coding::Chunked), (1, 1..), _) => Body::Chunked,
            (Some(_), _, _) => Body::UntilClose,
            (None, _, Some(0)) => Body::None,
            (None, _, Some(length)) => Body::Length(length),
            (None, _, None) => Body::UntilClose,
        }
    }

    /// Returns the body of a request. A request that declares both kinds of framing, or of which
    /// the last coding is not `chunked`, has no certain end (RFC 9112 §6.1, §6.3).
    pub(in crate::handshake) const fn of_request(
        &self,
        version: (u8, u8),
    ) -> Result<Body, HandshakeError> {
        match (self.coding, version, self.length) {
            (Some(Coding::Chunked), (1, 1..), None) => Ok(Body::Chunked),
            (Some(_), _, _) => Err(HandshakeError::InvalidHeader(TRANSFER_ENCODING)),
            (None, _, None | Some(0)) => Ok(Body::None),
            (None, _, Some(length)) => Ok(Body::Length(length)),
        }
    }
}
