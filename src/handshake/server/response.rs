//! The responses of a server, as parts and as bytes (RFC 6455 §4.2.2, RFC 8441 §5).

use super::plain::HttpRequest;
use super::request::Request;
use crate::buffer::InlineBytes;
use crate::deflate::{DeflateConfig, Params};
use crate::extension;
use crate::handshake::http::names::{ACCEPT, CONTENT_LENGTH, EXTENSIONS, PROTOCOL};
use crate::handshake::http::{append, headers, names};
use crate::handshake::{HandshakeError, WriteError, accept_key};
use crate::{Negotiated, Output, Server};
use core::fmt::{self, Write as _};

impl<'a> Request<'a> {
    /// Returns the response that opens the connection. [`Accept::write`] writes it, and
    /// [`Accept::parts`] returns it for another HTTP library.
    pub const fn accept(&self) -> Accept<'a> {
        Accept {
            request: *self,
            subprotocol: None,
            deflate: None,
            relayed_extensions: "",
            headers: &[],
        }
    }

    /// Returns a response with an HTTP status from 300 to 599, which ends the handshake:
    /// 403 for an origin that is not permitted, 404 for a resource that does not exist (§4.2.2),
    /// 401, a redirect. [`HttpResponse::write`] writes it.
    pub const fn reject(&self, status: u16) -> HttpResponse<'a> {
        HttpResponse {
            is_extended_connect: self.key().is_none(),
            least_status: 300,
            persists: self.persists(),
            ..HttpResponse::new(status)
        }
    }
}

impl<'a> HttpRequest<'a> {
    /// Returns a response with a final HTTP status, from 200 to 599. [`HttpResponse::write`] writes
    /// it.
    ///
    /// A successful response to a CONNECT has neither a length nor a body: the tunnel follows, in
    /// both directions (RFC 9110 §9.3.6).
    pub fn respond(&self, status: u16) -> HttpResponse<'a> {
        HttpResponse {
            is_head: self.method() == "HEAD",
            is_connect: self.method() == "CONNECT",
            persists: self.persists(),
            ..HttpResponse::new(status)
        }
    }
}

/// The response that opens the connection (RFC 6455 §4.2.2), returned by [`Request::accept`].
#[derive(Clone, Copy)]
#[must_use = "nothing is sent until `write` is called"]
pub struct Accept<'a> {
    request: Request<'a>,
    subprotocol: Option<&'a str>,
    deflate: Option<(&'a DeflateConfig, Params)>,
    relayed_extensions: &'a str,
    headers: &'a [(&'a str, &'a [u8])],
}

impl<'a> Accept<'a> {
    /// Accepts the client's first valid offer of permessage-deflate (RFC 7692). If there is none,
    /// messages are not compressed.
    #[cfg(feature = "deflate")]
    pub fn deflate(mut self, config: &'a DeflateConfig) -> Self {
        self.deflate = config
            .accept(self.request.extensions())
            .map(|params| (config, params));
        self
    }

    /// Accepts extensions with this value of `Sec-WebSocket-Extensions`, which another server
    /// answered to the client's offer, for a relay. If it is empty, none is accepted.
    ///
    /// The connection passes on the messages that they compress: see
    /// [`ClientHandshake::relay_extensions`](crate::handshake::ClientHandshake::relay_extensions)
    /// and [`Negotiated::with_relayed_compression`].
    pub const fn relay_extensions(mut self, value: &'a str) -> Self {
        self.relayed_extensions = value;
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
    /// [`WriteError`] if the subprotocol was not requested, if an extension was not offered, if a
    /// header must not be sent, if the request is not of HTTP/1.1, or if `out` has too little room;
    /// nothing was written.
    pub fn write(
        &self,
        out: &mut (impl Output + ?Sized),
    ) -> Result<Negotiated<Server>, WriteError> {
        let (parts, negotiated) = self.parts()?;
        parts.write(out)?;
        Ok(negotiated)
    }

    /// Returns the response as status and headers, for another library or program that sends it,
    /// and the result of the handshake. The connection is open when it is sent.
    ///
    /// The status is 101, and 200 for an [extended CONNECT](Request::from_connect).
    ///
    /// ```
    /// # use ws_proto::handshake::{HandshakeError, Request};
    /// # let headers: [(&str, &[u8]); 5] = [
    /// #     ("host", b"example.com"),
    /// #     ("upgrade", b"websocket"),
    /// #     ("connection", b"keep-alive, Upgrade"),
    /// #     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
    /// #     ("sec-websocket-version", b"13"),
    /// # ];
    /// # let request = Request::from_headers("GET", "/chat", (1, 1), &headers)?;
    /// let (parts, negotiated) = request.accept().parts()?;
    /// assert_eq!(parts.status(), 101);
    /// let expected: [(&str, &[u8]); 3] = [
    ///     ("Upgrade", b"websocket"),
    ///     ("Connection", b"Upgrade"),
    ///     ("Sec-WebSocket-Accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    /// ];
    /// assert!(parts.headers().eq(expected));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`WriteError`] if the subprotocol was not requested, if an extension was not offered, or if
    /// a header must not be sent.
    pub fn parts(&self) -> Result<(ResponseParts<'a>, Negotiated<Server>), WriteError> {
        headers::check(self.headers)?;
        if self
            .subprotocol
            .is_some_and(|selected| !self.request.subprotocols().any(|name| name == selected))
        {
            return Err(WriteError::SubprotocolNotRequested);
        }
        let relayed = self.relayed_extensions;
        if !extension::are_among(relayed.as_bytes(), || self.request.extensions()) {
            return Err(WriteError::ExtensionNotOffered);
        }
        let key = self.request.key();
        let mut parts = ResponseParts::new(if key.is_some() { 101 } else { 200 });
        parts.is_extended_connect = key.is_none();
        if let Some(key) = key {
            parts.fixed = &[("Upgrade", b"websocket"), ("Connection", b"Upgrade")];
            parts.accept = Some(accept_key(key));
        }
        parts.subprotocol = self.subprotocol;
        parts.extensions = self.deflate.map(|(_, params)| format(params));
        parts.relayed_extensions = Some(relayed).filter(|value| !value.is_empty());
        parts.headers = self.headers;
        let negotiated = Negotiated {
            role: Server,
            #[cfg(feature = "alloc")]
            subprotocol: self.subprotocol.map(Into::into),
            deflate: self
                .deflate
                .map(|accepted| (accepted.0.clone(), accepted.1)),
            relays_compressed: !relayed.is_empty(),
        };
        Ok((parts, negotiated))
    }
}

/// Shows the request as [`Request`] does, and the names of the headers.
impl fmt::Debug for Accept<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accept")
            .field("request", &self.request)
            .field("headers", &headers::Names(self.headers.iter().copied()))
            .finish_non_exhaustive()
    }
}

/// A response that opens no WebSocket connection, returned by [`Request::reject`] and
/// [`HttpRequest::respond`].
///
/// Unless [`keep_alive`](Self::keep_alive) is called, it has the header `Connection: close`, so
/// close the connection when it is sent (RFC 9112 §9.6).
///
/// A status requires some headers, which are added: `Upgrade` and `Sec-WebSocket-Version` for 426,
/// and `Allow: GET` for 405 if the caller sets no `Allow`.
#[derive(Clone, Copy)]
#[must_use = "nothing is sent until `write` is called"]
pub struct HttpResponse<'a> {
    status: u16,
    least_status: u16,
    headers: &'a [(&'a str, &'a [u8])],
    body: &'a [u8],
    is_extended_connect: bool,
    /// Whether it answers a HEAD.
    is_head: bool,
    /// Whether it answers a CONNECT to another host.
    is_connect: bool,
    /// Whether the request permits that the connection persists.
    persists: bool,
    keep_alive: bool,
}

impl<'a> HttpResponse<'a> {
    const fn new(status: u16) -> Self {
        Self {
            status,
            least_status: 200,
            headers: &[],
            body: b"",
            is_extended_connect: false,
            is_head: false,
            is_connect: false,
            persists: false,
            keep_alive: false,
        }
    }

    /// Returns the response to a request that was refused.
    pub(super) const fn to_refused(error: HandshakeError) -> Self {
        Self::new(error.status())
    }

    /// Sets further headers, which are written as given, in this order, such as `("Location",
    /// b"wss://example.org/")`.
    pub const fn headers(mut self, headers: &'a [(&'a str, &'a [u8])]) -> Self {
        self.headers = headers;
        self
    }

    /// Sets the body. Its type belongs in the [`headers`](Self::headers). If the request is a HEAD,
    /// only its length is sent. A 204, 205 or 304 must not have a body (RFC 9110 §15).
    pub const fn body(mut self, body: &'a [u8]) -> Self {
        self.body = body;
        self
    }

    /// Keeps the connection for another request, if the client permits it:
    /// [`persists`](Self::persists) returns whether it does.
    ///
    /// The client can then repeat its request with credentials (401), ask for another page, or open
    /// the WebSocket connection: call `recv` of the handshake again.
    ///
    /// ```
    /// # use ws_proto::handshake::{Incoming, ServerHandshake};
    /// # use ws_proto::{Negotiated, Server};
    /// # fn read(_: &mut Vec<u8>, _: &[u8]) -> std::io::Result<()> { Ok(()) }
    /// # fn serve(buf: &mut Vec<u8>) -> std::io::Result<Option<Negotiated<Server>>> {
    /// let (mut handshake, mut out) = (ServerHandshake::new(), Vec::new());
    /// loop {
    ///     read(buf, &out)?; // and write `out` before
    ///     out.clear();
    ///     let mut input = &mut buf[..];
    ///     while let Some(incoming) = handshake.recv_http(&mut input, &mut out)? {
    ///         match incoming {
    ///             Incoming::WebSocket(request) => {
    ///                 return Ok(Some(request.accept().write(&mut out)?));
    ///             }
    ///             Incoming::Http(request) => {
    ///                 let response = match request.path() {
    ///                     "/health" => request.respond(200).body(b"ok"),
    ///                     _ => request.respond(404),
    ///                 };
    ///                 let response = response.keep_alive();
    ///                 response.write(&mut out)?;
    ///                 if !response.persists() {
    ///                     return Ok(None); // write `out`, and close
    ///                 }
    ///             }
    ///         }
    ///     }
    /// }
    /// # }
    /// ```
    pub const fn keep_alive(mut self) -> Self {
        self.keep_alive = true;
        self
    }

    /// Returns whether the connection persists after this response: whether
    /// [`keep_alive`](Self::keep_alive) was called, and the request permits it. HTTP/1.0,
    /// `Connection: close` and a body in chunks do not.
    #[must_use]
    pub const fn persists(&self) -> bool {
        self.keep_alive && self.persists
    }

    /// Appends the response to `out`.
    ///
    /// # Errors
    ///
    /// [`WriteError`] if the status is none that the request can be answered with, if there is a
    /// body where none is permitted, if a header must not be sent, if the request is not of
    /// HTTP/1.x, or if `out` has too little room; nothing was written.
    pub fn write(&self, out: &mut (impl Output + ?Sized)) -> Result<(), WriteError> {
        self.parts()?.write(out)
    }

    /// Returns the response as status, headers and body, for another library or program that sends
    /// it.
    ///
    /// # Errors
    ///
    /// [`WriteError`] if the status is none that the request can be answered with, if there is a
    /// body where none is permitted, or if a header must not be sent.
    pub fn parts(&self) -> Result<ResponseParts<'a>, WriteError> {
        if !(self.least_status..=599).contains(&self.status) {
            return Err(WriteError::InvalidStatus);
        }
        // The successful response to a CONNECT begins a tunnel (RFC 9110 §9.3.6).
        let is_tunnel = self.is_connect && self.status < 300;
        let has_length = !matches!(self.status, 204 | 304) && !is_tunnel;
        if !self.body.is_empty() && (!has_length || self.status == 205) {
            return Err(WriteError::UnexpectedBody);
        }
        headers::check(self.headers)?;
        let mut parts = ResponseParts::new(self.status);
        parts.is_extended_connect = self.is_extended_connect;
        if !self.is_extended_connect {
            let close = !self.persists() && !is_tunnel;
            let sets_allow = || {
                let mut names = self.headers.iter().map(|(name, _)| name);
                names.any(|name| name.eq_ignore_ascii_case("Allow"))
            };
            parts.fixed = match self.status {
                405 if sets_allow() => required(200, close),
                status => required(status, close),
            };
        }
        parts.length = has_length.then(|| {
            let mut length = InlineBytes::new();
            length.push_decimal(self.body.len());
            length
        });
        parts.headers = self.headers;
        parts.body = if self.is_head { b"" } else { self.body };
        Ok(parts)
    }
}

/// Shows only the status and the names of the headers.
impl fmt::Debug for HttpResponse<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpResponse")
            .field("status", &self.status)
            .field("headers", &headers::Names(self.headers.iter().copied()))
            .finish_non_exhaustive()
    }
}

/// A response as its parts: status, headers and body.
///
/// [`Accept::parts`], [`HttpResponse::parts`] and [`HandshakeError::parts`] return it, for a
/// program in which another library sends the response. With the feature `http`,
/// `http::Response::try_from(parts)` converts it.
#[derive(Clone)]
pub struct ResponseParts<'a> {
    status: u16,
    is_extended_connect: bool,
    fixed: &'static [(&'static str, &'static [u8])],
    accept: Option<[u8; 28]>,
    subprotocol: Option<&'a str>,
    extensions: Option<InlineBytes<EXTENSIONS_LEN>>,
    relayed_extensions: Option<&'a str>,
    length: Option<InlineBytes<20>>,
    headers: &'a [(&'a str, &'a [u8])],
    body: &'a [u8],
}

/// The length of `Sec-WebSocket-Extensions` with all parameters of permessage-deflate.
const EXTENSIONS_LEN: usize = 128;

impl ResponseParts<'_> {
    const fn new(status: u16) -> Self {
        Self {
            status,
            is_extended_connect: false,
            fixed: &[],
            accept: None,
            subprotocol: None,
            extensions: None,
            relayed_extensions: None,
            length: None,
            headers: &[],
            body: b"",
        }
    }

    /// Returns the status code.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.status
    }

    /// Returns all headers, in order, as pairs of name and value. They are valid, and no name
    /// appears twice unless the caller set it twice.
    ///
    /// In the response to an [extended CONNECT](Request::from_connect), the names are in lower case
    /// (RFC 9113 §8.2), except those set by the caller.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> + Clone {
        let name = |name| {
            if self.is_extended_connect {
                names::lower_case(name)
            } else {
                name
            }
        };
        let pair = move |known, value| Some((name(known), value?));
        let accept = self.accept.as_ref().map(|accept| &accept[..]);
        let subprotocol = self.subprotocol.map(str::as_bytes);
        let relayed = self.relayed_extensions.map(str::as_bytes);
        self.fixed
            .iter()
            .copied()
            .chain(pair(ACCEPT, accept))
            .chain(pair(PROTOCOL, subprotocol))
            .chain(pair(EXTENSIONS, self.extensions.as_deref().or(relayed)))
            .chain(pair(CONTENT_LENGTH, self.length.as_deref()))
            .chain(self.headers.iter().copied())
    }

    /// Returns the body, which is empty in a response that opens the connection.
    #[must_use]
    pub const fn body(&self) -> &[u8] {
        self.body
    }

    fn write(&self, out: &mut (impl Output + ?Sized)) -> Result<(), WriteError> {
        if self.is_extended_connect {
            return Err(WriteError::NotHttp1);
        }
        let status = [100, 10, 1].map(|unit| b'0' + (self.status / unit % 10) as u8);
        let reason = reason(self.status);
        let start_line: [&[u8]; 5] = [b"HTTP/1.1 ", &status, b" ", reason, b"\r\n"];
        append(out, &start_line, self.headers(), self.body)
    }
}

/// Shows only the status and the names of the headers.
impl fmt::Debug for ResponseParts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseParts")
            .field("status", &self.status)
            .field("headers", &headers::Names(self.headers()))
            .finish_non_exhaustive()
    }
}

impl HandshakeError {
    /// Returns the headers that belong to a response with this [`status`](Self::status): `Upgrade`,
    /// `Connection` and `Sec-WebSocket-Version` for 426 (RFC 9110 §15.5.22, RFC 6455 §4.4), `Allow`
    /// for 405, `sec-websocket-version` for an extended CONNECT of another version, and none for
    /// others.
    ///
    /// `ServerHandshake::recv` writes the response; this is for heads that another library parsed.
    #[must_use]
    pub const fn headers(self) -> &'static [(&'static str, &'static [u8])] {
        match self {
            Self::InvalidHeader(name) | Self::MissingHeader(name)
                if matches!(name.as_bytes(), b"Sec-WebSocket-Version") =>
            {
                &[("sec-websocket-version", b"13")]
            }
            _ => required(self.status(), false),
        }
    }

    /// Returns the response with this [`status`](Self::status) and these
    /// [`headers`](Self::headers), for another library that sends it. It has no body.
    pub fn parts(self) -> ResponseParts<'static> {
        ResponseParts {
            fixed: self.headers(),
            ..ResponseParts::new(self.status())
        }
    }
}

/// Returns the headers that a status requires, with `Connection`.
const fn required(status: u16, close: bool) -> &'static [(&'static str, &'static [u8])] {
    match (status, close) {
        (405, false) => &[("Allow", b"GET")],
        (405, true) => &[("Connection", b"close"), ("Allow", b"GET")],
        (426, false) => &[
            ("Connection", b"Upgrade"),
            ("Upgrade", b"websocket"),
            ("Sec-WebSocket-Version", b"13"),
        ],
        (426, true) => &[
            ("Connection", b"close, Upgrade"),
            ("Upgrade", b"websocket"),
            ("Sec-WebSocket-Version", b"13"),
        ],
        (_, false) => &[],
        (_, true) => &[("Connection", b"close")],
    }
}

/// Returns the reason phrase of a status that servers often send (RFC 9110 §15). It may be empty
/// (RFC 9112 §4).
const fn reason(status: u16) -> &'static [u8] {
    match status {
        101 => b"Switching Protocols",
        200 => b"OK",
        204 => b"No Content",
        301 => b"Moved Permanently",
        302 => b"Found",
        304 => b"Not Modified",
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
