//! The server's side of the opening handshake (RFC 6455 §4.2): the machine that reads the request,
//! and the two answers.

#[cfg(feature = "alloc")]
use super::{HandshakeError, HeadLimits, head::Collector, request::RequestFacts};
use super::{Request, WriteError, accept_key, append, fields};
#[cfg(feature = "deflate")]
use crate::deflate;
#[cfg(feature = "alloc")]
use crate::output::REPLY_ROOM;
use crate::{Negotiated, Output, Server};
#[cfg(feature = "deflate")]
use alloc::string::ToString;
use core::fmt;

/// Reads a client's opening handshake from bytes that arrive in any pieces (RFC 6455 §4.2.1).
///
/// It holds the head only if it arrives in pieces, and never more than [`HeadLimits::bytes`].
///
/// How long a client may take is the caller's to say: without a deadline, one that sends a byte a
/// minute keeps a connection.
///
/// It is for connections that are for WebSocket only: other requests are answered with an error. To
/// serve pages on the same port, let an HTTP library read the head, and hand what it found to
/// [`Request::from_headers`].
#[cfg(feature = "alloc")]
pub struct ServerHandshake {
    head: Collector<RequestFacts>,
    state: State,
}

#[cfg(feature = "alloc")]
#[derive(Debug, Clone, Copy)]
enum State {
    Reading,
    /// The request was returned.
    Over,
    Failed(HandshakeError),
}

#[cfg(feature = "alloc")]
impl ServerHandshake {
    /// A handshake that has read nothing. `HeadLimits::default()` is fit for the open internet.
    #[must_use]
    pub fn new(limits: HeadLimits) -> Self {
        Self {
            head: Collector::new(limits),
            state: State::Reading,
        }
    }

    /// Takes the request off the front of `input`. What comes after it stays there: the client's
    /// first frames.
    ///
    /// `None` means that `input` is empty and more has to be read, or that `out` has less room than
    /// [`REPLY_ROOM`], or that the request was returned before; in the latter two cases `input`
    /// is left alone.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] if the request is not valid, at the first byte that makes it certain. The
    /// HTTP response for it has been appended to `out`: send it, then close the connection.
    /// Later input is dropped, and the same error is returned.
    pub fn recv<'a, 'b: 'a>(
        &'a mut self,
        input: &mut &'b mut [u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<Option<Request<'a>>, HandshakeError> {
        match self.state {
            State::Reading => {}
            State::Over => return Ok(None),
            State::Failed(error) => {
                *input = &mut [];
                return Err(error);
            }
        }
        if out.room() < REPLY_ROOM {
            return Ok(None);
        }
        match self.head.read(input) {
            Ok(None) => Ok(None),
            Ok(Some(place)) => {
                self.state = State::Over;
                Ok(Some(Request::in_head(
                    self.head.take(place, input),
                    self.head.message(),
                )))
            }
            Err(error) => {
                self.state = State::Failed(error);
                *input = &mut [];
                let written = Reject::new(error.status()).write(out);
                debug_assert_eq!(written, Ok(()), "REPLY_ROOM is enough");
                Err(error)
            }
        }
    }

    /// Says that the connection ended.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Incomplete`] if there was no complete request before, or the error that
    /// [`recv`](Self::recv) returned.
    pub fn recv_eof(&mut self) -> Result<(), HandshakeError> {
        if matches!(self.state, State::Reading) {
            self.state = State::Failed(HandshakeError::Incomplete);
        }
        match self.state {
            State::Reading | State::Over => Ok(()),
            State::Failed(error) => Err(error),
        }
    }
}

#[cfg(feature = "alloc")]
impl fmt::Debug for ServerHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandshake")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// The answer that opens the connection (RFC 6455 §4.2.2), made by [`Request::accept`].
#[derive(Clone, Copy)]
#[must_use = "nothing is answered until `write` is called"]
pub struct Accept<'a> {
    request: Request<'a>,
    protocol: Option<&'a str>,
    #[cfg(feature = "deflate")]
    deflate: Option<(&'a deflate::Config, deflate::Params)>,
    fields: &'a [(&'a str, &'a str)],
}

impl<'a> Accept<'a> {
    pub(super) const fn new(request: Request<'a>) -> Self {
        Self {
            request,
            protocol: None,
            #[cfg(feature = "deflate")]
            deflate: None,
            fields: &[],
        }
    }

    /// Accepts permessage-deflate (RFC 7692) if the client offers it, in the first way that is
    /// valid. If it does not, the connection goes without.
    #[cfg(feature = "deflate")]
    pub fn deflate(mut self, config: &'a deflate::Config) -> Self {
        self.deflate = config
            .accept(self.request.extensions())
            .map(|params| (config, params));
        self
    }

    /// The subprotocol to use, one of those that the client requested, or `None`.
    ///
    /// ```
    /// # use ws_proto::handshake::{Accept, Request};
    /// # fn answer<'a>(request: &Request<'a>) -> Accept<'a> {
    /// const SPOKEN: [&str; 2] = ["v2.chat", "v1.chat"];
    /// let protocol = request.subprotocols().find(|name| SPOKEN.contains(name));
    /// request.accept().subprotocol(protocol)
    /// # }
    /// ```
    pub fn subprotocol(mut self, name: impl Into<Option<&'a str>>) -> Self {
        self.protocol = name.into();
        self
    }

    /// Further fields, written in this order and as they are given, such as `("Set-Cookie",
    /// "a=b")`.
    pub const fn headers(mut self, fields: &'a [(&'a str, &'a str)]) -> Self {
        self.fields = fields;
        self
    }

    /// Appends the response to `out`. The connection is open when it is sent.
    ///
    /// # Errors
    ///
    /// [`WriteError`] if the subprotocol was not requested, if a field must not be sent, or if
    /// `out` has too little room. Nothing was written then.
    pub fn write(
        &self,
        out: &mut (impl Output + ?Sized),
    ) -> Result<Negotiated<Server>, WriteError> {
        fields::check(self.fields)?;
        if self
            .protocol
            .is_some_and(|chosen| !self.request.subprotocols().any(|name| name == chosen))
        {
            return Err(WriteError::SubprotocolNotRequested);
        }
        let accept = accept_key(self.request.key());
        let start: [&[u8]; 3] =
            [b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ", &accept, b"\r\n"];
        let protocol = self.protocol.map(|name| (fields::PROTOCOL, name));
        #[cfg(feature = "deflate")]
        let extension = self.deflate.map(|(_, params)| params.to_string());
        #[cfg(feature = "deflate")]
        let extension = extension
            .as_deref()
            .map(|value| ("Sec-WebSocket-Extensions", value));
        #[cfg(not(feature = "deflate"))]
        let extension = None;
        let chosen =
            fields::pieces(protocol.as_slice()).chain(fields::pieces(extension.as_slice()));
        append(
            out,
            start
                .into_iter()
                .chain(chosen)
                .chain(fields::pieces(self.fields))
                .chain([&b"\r\n"[..]]),
        )?;
        let negotiated = Negotiated::new(Server);
        #[cfg(feature = "deflate")]
        let negotiated = match self.deflate {
            Some((config, params)) => negotiated.with_deflate(config, params),
            None => negotiated,
        };
        #[cfg(feature = "alloc")]
        if let Some(name) = self.protocol {
            return Ok(negotiated.with_subprotocol(name));
        }
        Ok(negotiated)
    }
}

/// Shows what [`Request`] shows, and the names of the fields.
impl fmt::Debug for Accept<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accept")
            .field("request", &self.request)
            .field("fields", &fields::Names(self.fields))
            .finish_non_exhaustive()
    }
}

/// An answer that does not open the connection, made by [`Request::reject`].
///
/// It says `Connection: close`, so close the connection when it is sent (RFC 9112 §9.6).
#[derive(Clone, Copy)]
#[must_use = "nothing is answered until `write` is called"]
pub struct Reject<'a> {
    status: u16,
    fields: &'a [(&'a str, &'a str)],
    body: &'a [u8],
}

impl<'a> Reject<'a> {
    pub(super) const fn new(status: u16) -> Self {
        Self {
            status,
            fields: &[],
            body: b"",
        }
    }

    /// Further fields, written in this order and as they are given, such as `("Location",
    /// "wss://example.org/")`.
    pub const fn headers(mut self, fields: &'a [(&'a str, &'a str)]) -> Self {
        self.fields = fields;
        self
    }

    /// The body. Its type goes into [`fields`](Self::headers). A 304 must not have one (RFC 9110
    /// §15.4.5).
    pub const fn body(mut self, body: &'a [u8]) -> Self {
        self.body = body;
        self
    }

    /// Appends the response to `out`.
    ///
    /// # Errors
    ///
    /// [`WriteError`] if the status is not from 300 to 599, if it is 304 and there is a body, if a
    /// field must not be sent, or if `out` has too little room. Nothing was written then.
    pub fn write(&self, out: &mut (impl Output + ?Sized)) -> Result<(), WriteError> {
        let has_body = match self.status {
            304 => false,
            300..=599 => true,
            _ => return Err(WriteError::InvalidStatus),
        };
        if !has_body && !self.body.is_empty() {
            return Err(WriteError::UnexpectedBody);
        }
        fields::check(self.fields)?;
        let demanded: &[u8] = match self.status {
            405 => b"Connection: close\r\nAllow: GET\r\n",
            426 => {
                b"Connection: close, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            }
            _ => b"Connection: close\r\n",
        };
        let status = Decimal::new(self.status.into());
        let length = Decimal::new(self.body.len());
        let length: [&[u8]; 3] = if has_body {
            [b"Content-Length: ", length.digits(), b"\r\n"]
        } else {
            [b"", b"", b""]
        };
        let start: [&[u8]; 6] = [
            b"HTTP/1.1 ",
            status.digits(),
            b" ",
            reason(self.status),
            b"\r\n",
            demanded,
        ];
        append(
            out,
            start
                .into_iter()
                .chain(length)
                .chain(fields::pieces(self.fields))
                .chain([b"\r\n", self.body]),
        )
    }
}

/// Shows the status and the names of the fields only.
impl fmt::Debug for Reject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reject")
            .field("status", &self.status)
            .field("fields", &fields::Names(self.fields))
            .finish_non_exhaustive()
    }
}

/// The reason phrase of the statuses that a handshake is usually refused with (RFC 9110 §15). None
/// is needed (RFC 9112 §4).
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

/// A number in decimal, without allocation.
struct Decimal {
    digits: [u8; 20],
    start: usize,
}

impl Decimal {
    fn new(mut number: usize) -> Self {
        let mut this = Self {
            digits: [b'0'; 20],
            start: 20,
        };
        for (at, digit) in this.digits.iter_mut().enumerate().rev() {
            *digit += (number % 10) as u8;
            number /= 10;
            this.start = at;
            if number == 0 {
                break;
            }
        }
        this
    }

    fn digits(&self) -> &[u8] {
        self.digits.get(self.start..).unwrap_or_default()
    }
}
