//! The server's side of the opening handshake (RFC 6455 §4.2): the state machine that reads the
//! request, and the two responses.

mod origin;
mod request;

pub use origin::Scheme;
pub use request::Request;

use super::http::{append, headers, names};
#[cfg(feature = "alloc")]
use super::{
    HandshakeError,
    http::head::{HeadLimits, HeadReader},
};
use super::{WriteError, accept_key};
use crate::buffer::InlineBytes;
use crate::deflate::{DeflateConfig, Params};
#[cfg(feature = "alloc")]
use crate::output::REPLY_ROOM;
use crate::{Negotiated, Output, Server};
use core::fmt::{self, Write as _};
#[cfg(feature = "alloc")]
use request::RequestFacts;

/// Reads a client's opening handshake from input that may be split anywhere (RFC 6455 §4.2.1).
///
/// The head is buffered only if it is split, and the buffer never exceeds
/// [`HeadLimits::max_bytes`].
///
/// The caller must set a deadline for the handshake: otherwise a client that sends a byte a minute
/// keeps its connection.
///
/// It serves connections that are for WebSocket only: other requests are answered with an error. To
/// serve pages on the same port, let an HTTP library parse the head, and pass the result to
/// [`Request::from_headers`].
#[cfg(feature = "alloc")]
pub struct ServerHandshake {
    head: HeadReader<RequestFacts>,
    progress: Progress,
}

#[cfg(feature = "alloc")]
#[derive(Debug, Clone, Copy)]
enum Progress {
    Reading,
    /// The request was returned.
    Done,
    Failed(HandshakeError),
}

#[cfg(feature = "alloc")]
impl ServerHandshake {
    /// Returns a handshake that has read nothing, with the default limits.
    #[must_use]
    pub fn new() -> Self {
        Self {
            head: HeadReader::new(HeadLimits::new()),
            progress: Progress::Reading,
        }
    }

    /// Sets the limits on the request. It must be called before [`recv`](Self::recv).
    #[must_use]
    pub fn limits(mut self, limits: HeadLimits) -> Self {
        self.head = HeadReader::new(limits);
        self
    }

    /// Consumes the request from `input`. The bytes after it, the client's first frames, stay
    /// there.
    ///
    /// Returns `None` if all of `input` was consumed and more must be read, if `out` has less room
    /// than [`REPLY_ROOM`], or if the request was returned before. In the latter two cases, `input`
    /// is not changed.
    ///
    /// The cursor `input` can be used while the request is held. The request borrows the input, and
    /// is returned once, so the output must have room for the complete response: a `Vec`, or at
    /// least 1 KiB unless the response has long further headers.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] if the request is invalid, at the first byte that makes it certain. The
    /// HTTP response that reports it was appended to `out`: send it, then close the connection.
    /// Later input is discarded, and the same error is returned.
    pub fn recv<'a, 'b: 'a>(
        &'a mut self,
        input: &mut &'b mut [u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<Option<Request<'a>>, HandshakeError> {
        match self.progress {
            Progress::Reading => {}
            Progress::Done => return Ok(None),
            Progress::Failed(error) => {
                *input = &mut [];
                return Err(error);
            }
        }
        if out.room() < REPLY_ROOM {
            return Ok(None);
        }
        match self.head.read(input) {
            Ok(None) => Ok(None),
            Ok(Some(head)) => {
                self.progress = Progress::Done;
                Ok(Some(Request::in_head(
                    self.head.take(head, input),
                    self.head.rules(),
                )))
            }
            Err(error) => {
                self.progress = Progress::Failed(error);
                *input = &mut [];
                let written = Reject::new(error.status()).write(out);
                debug_assert_eq!(written, Ok(()), "REPLY_ROOM is enough");
                Err(error)
            }
        }
    }

    /// Ends the input: the peer closed or reset the transport.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Incomplete`] if no complete request was received before, or the error that
    /// [`recv`](Self::recv) returned.
    pub fn recv_eof(&mut self) -> Result<(), HandshakeError> {
        if matches!(self.progress, Progress::Reading) {
            self.progress = Progress::Failed(HandshakeError::Incomplete);
        }
        match self.progress {
            Progress::Reading | Progress::Done => Ok(()),
            Progress::Failed(error) => Err(error),
        }
    }
}

#[cfg(feature = "alloc")]
impl Default for ServerHandshake {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows nothing of the request.
#[cfg(feature = "alloc")]
impl fmt::Debug for ServerHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandshake")
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}

impl<'a> Request<'a> {
    /// Returns the response that opens the connection. [`Accept::write`] writes it.
    pub const fn accept(&self) -> Accept<'a> {
        Accept::new(*self)
    }

    /// Returns a response with an HTTP status from 300 to 599, which ends the handshake:
    /// 403 for an origin that is not permitted, 404 for a resource that does not exist (§4.2.2),
    /// 401, a redirect. [`Reject::write`] writes it.
    pub const fn reject(&self, status: u16) -> Reject<'a> {
        Reject::new(status)
    }
}

/// The response that opens the connection (RFC 6455 §4.2.2), returned by [`Request::accept`].
#[derive(Clone, Copy)]
#[must_use = "nothing is sent until `write` is called"]
pub struct Accept<'a> {
    request: Request<'a>,
    subprotocol: Option<&'a str>,
    deflate: Option<(&'a DeflateConfig, Params)>,
    headers: &'a [(&'a str, &'a [u8])],
}

impl<'a> Accept<'a> {
    pub(super) const fn new(request: Request<'a>) -> Self {
        Self {
            request,
            subprotocol: None,
            deflate: None,
            headers: &[],
        }
    }

    /// Accepts the client's first valid offer of permessage-deflate (RFC 7692). If there is none,
    /// messages are not compressed.
    #[cfg(feature = "deflate")]
    pub fn deflate(mut self, config: &'a DeflateConfig) -> Self {
        self.deflate = config
            .accept(self.request.extensions())
            .map(|params| (config, params));
        self
    }

    /// Selects this subprotocol, which must be one of those that the client requests.
    ///
    /// If neither this nor [`subprotocol_from`](Self::subprotocol_from) is called, none is
    /// selected.
    pub const fn subprotocol(mut self, name: &'a str) -> Self {
        self.subprotocol = Some(name);
        self
    }

    /// Selects the first of the subprotocols that the client requests, in its order of preference,
    /// that is one of those `supported`; none if there is no such subprotocol.
    ///
    /// ```
    /// # use ws_proto::handshake::{Accept, Request};
    /// # fn response<'a>(request: &Request<'a>) -> Accept<'a> {
    /// request.accept().subprotocol_from(&["v2.chat", "v1.chat"])
    /// # }
    /// ```
    pub fn subprotocol_from(mut self, supported: &[&str]) -> Self {
        self.subprotocol = self
            .request
            .subprotocols()
            .find(|name| supported.contains(name));
        self
    }

    /// Sets further headers, which are written as given, in this order, such as `("Set-Cookie",
    /// b"a=b")`.
    pub const fn headers(mut self, headers: &'a [(&'a str, &'a [u8])]) -> Self {
        self.headers = headers;
        self
    }

    /// Appends the response to `out`. The connection is open when it is sent.
    ///
    /// # Errors
    ///
    /// [`WriteError`] if the subprotocol was not requested, if a header must not be sent, or if
    /// `out` has too little room; nothing was written.
    pub fn write(
        &self,
        out: &mut (impl Output + ?Sized),
    ) -> Result<Negotiated<Server>, WriteError> {
        headers::check(self.headers)?;
        if self
            .subprotocol
            .is_some_and(|selected| !self.request.subprotocols().any(|name| name == selected))
        {
            return Err(WriteError::SubprotocolNotRequested);
        }
        let accept = accept_key(self.request.key());
        let start: [&[u8]; 3] = [
            b"HTTP/1.1 101 Switching Protocols\r\n\
              Upgrade: websocket\r\n\
              Connection: Upgrade\r\n\
              Sec-WebSocket-Accept: ",
            &accept,
            b"\r\n",
        ];
        let subprotocol = self
            .subprotocol
            .map(|name| (names::PROTOCOL, name.as_bytes()));
        let extension = self
            .deflate
            .map(|(_, params)| format::<EXTENSIONS_LEN>(params));
        let extension = extension
            .as_ref()
            .map(|value| (names::EXTENSIONS, &**value));
        append(
            out,
            start
                .into_iter()
                .chain(headers::lines(subprotocol.as_slice()))
                .chain(headers::lines(extension.as_slice()))
                .chain(headers::lines(self.headers))
                .chain([&b"\r\n"[..]]),
        )?;
        Ok(Negotiated {
            role: Server,
            #[cfg(feature = "alloc")]
            subprotocol: self.subprotocol.map(Into::into),
            deflate: self
                .deflate
                .map(|accepted| (accepted.0.clone(), accepted.1)),
        })
    }
}

/// The length of `Sec-WebSocket-Extensions` with all parameters of permessage-deflate.
const EXTENSIONS_LEN: usize = 128;

/// Shows the request as [`Request`] does, and the names of the headers.
impl fmt::Debug for Accept<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accept")
            .field("request", &self.request)
            .field("headers", &headers::Names(self.headers))
            .finish_non_exhaustive()
    }
}

/// A response that does not open the connection, returned by [`Request::reject`].
///
/// It has the header `Connection: close`, so close the connection when it is sent (RFC 9112 §9.6).
#[derive(Clone, Copy)]
#[must_use = "nothing is sent until `write` is called"]
pub struct Reject<'a> {
    status: u16,
    headers: &'a [(&'a str, &'a [u8])],
    body: &'a [u8],
}

impl<'a> Reject<'a> {
    pub(super) const fn new(status: u16) -> Self {
        Self {
            status,
            headers: &[],
            body: b"",
        }
    }

    /// Sets further headers, which are written as given, in this order, such as `("Location",
    /// b"wss://example.org/")`.
    pub const fn headers(mut self, headers: &'a [(&'a str, &'a [u8])]) -> Self {
        self.headers = headers;
        self
    }

    /// Sets the body. Its type belongs in the [`headers`](Self::headers). A 304 must not have a
    /// body (RFC 9110 §15.4.5).
    pub const fn body(mut self, body: &'a [u8]) -> Self {
        self.body = body;
        self
    }

    /// Appends the response to `out`.
    ///
    /// # Errors
    ///
    /// [`WriteError`] if the status is not from 300 to 599, if it is 304 and there is a body, if a
    /// header must not be sent, or if `out` has too little room; nothing was written.
    pub fn write(&self, out: &mut (impl Output + ?Sized)) -> Result<(), WriteError> {
        let has_body = match self.status {
            304 => false,
            300..=599 => true,
            _ => return Err(WriteError::InvalidStatus),
        };
        if !has_body && !self.body.is_empty() {
            return Err(WriteError::UnexpectedBody);
        }
        headers::check(self.headers)?;
        let required: &[u8] = match self.status {
            405 => b"Connection: close\r\nAllow: GET\r\n",
            426 => {
                b"Connection: close, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            }
            _ => b"Connection: close\r\n",
        };
        let status = format::<5>(self.status);
        let length = format::<20>(self.body.len());
        let length: [&[u8]; 3] = if has_body {
            [b"Content-Length: ", &length, b"\r\n"]
        } else {
            [b"", b"", b""]
        };
        let start: [&[u8]; 6] = [
            b"HTTP/1.1 ",
            &status,
            b" ",
            reason(self.status),
            b"\r\n",
            required,
        ];
        append(
            out,
            start
                .into_iter()
                .chain(length)
                .chain(headers::lines(self.headers))
                .chain([b"\r\n", self.body]),
        )
    }
}

/// Shows only the status and the names of the headers.
impl fmt::Debug for Reject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reject")
            .field("status", &self.status)
            .field("headers", &headers::Names(self.headers))
            .finish_non_exhaustive()
    }
}

/// Returns the reason phrase of a status that handshakes are often rejected with (RFC 9110 §15). It
/// may be empty (RFC 9112 §4).
const fn reason(status: u16) -> &'static [u8] {
    match status {
        301 => b"Moved Permanently",
        302 => b"Found",
        307 => b"Temporary Redirect",
        308 => b"Permanent Redirect",
        400 => b"Bad Request",
        401 => b"Unauthorized",
        403 => b"Forbidden",
        404 => b"Not Found",
        405 => b"Method Not Allowed",
        426 => b"Upgrade Required",
        429 => b"Too Many Requests",
        431 => b"Request Header Fields Too Large",
        500 => b"Internal Server Error",
        503 => b"Service Unavailable",
        505 => b"HTTP Version Not Supported",
        _ => b"",
    }
}

/// Formats a value that needs at most `N` bytes, without allocation.
fn format<const N: usize>(value: impl fmt::Display) -> InlineBytes<N> {
    let mut text = InlineBytes::new();
    let written = write!(text, "{value}");
    debug_assert!(written.is_ok(), "{value} needs more than {N} bytes");
    text
}
