//! The client's side of the opening handshake (RFC 6455 §4.1): the request, and the state machine
//! that reads the response.

#[cfg(feature = "alloc")]
mod proxy;
mod request;
mod response;

#[cfg(feature = "alloc")]
pub use proxy::{ProxyAnswer, ProxyConnect};
pub use request::ClientRequest;
#[cfg(feature = "alloc")]
pub use request::RequestParts;
pub use response::{Response, ResponseReader, Verified};

#[cfg(feature = "alloc")]
use super::{
    HandshakeError, WriteError, fresh_key,
    http::{head::HeadLimits, headers, lists},
};
#[cfg(feature = "alloc")]
use crate::{
    Client, Negotiated, Output,
    deflate::{DeflateConfig, Params},
    extension,
    uri::Uri,
};
#[cfg(feature = "alloc")]
use alloc::{borrow::ToOwned, boxed::Box, string::String, vec::Vec};
#[cfg(feature = "alloc")]
use core::fmt::{self, Write as _};
#[cfg(feature = "alloc")]
use request::{Further, Options};

/// Opens a connection to a WebSocket server (RFC 6455 §4.1).
///
/// Create it, set the options of the request, [write](Self::write_request) the request, then
/// [read](Self::recv) the response.
///
/// The RFC has further duties for the program that opens the socket: at most one connection to the
/// same address may be in this state at a time (§4.1); a `wss` URI requires a TLS handshake first;
/// and a client that reconnects after a failure must wait, at first for a random time of up to 5
/// seconds, then longer each time (§7.2.3). The program must also set a deadline for the response.
#[cfg(feature = "alloc")]
#[must_use]
pub struct ClientHandshake {
    /// The target of the request, and the host.
    target_and_host: String,
    target_len: usize,
    is_secure: bool,
    origin: Option<String>,
    offer: Offer,
    /// The lines of further headers.
    headers: Vec<u8>,
    /// The first invalid option.
    mistake: Option<WriteError>,
    /// `None` after it was returned.
    role: Option<Client>,
    reader: ResponseReader,
}

/// The part of a request that the response must match.
#[cfg(feature = "alloc")]
struct Offer {
    key: [u8; 24],
    /// The value of `Sec-WebSocket-Protocol`.
    subprotocols: String,
    subprotocol_required: bool,
    deflate: Option<DeflateConfig>,
    /// The value of `Sec-WebSocket-Extensions`.
    extensions: String,
}

#[cfg(feature = "alloc")]
impl ClientHandshake {
    /// Returns a handshake for the resource that `uri` identifies. `client`, which must be used for
    /// this connection only, generates the key of the request (§4.1).
    pub fn new(uri: &Uri<'_>, mut client: Client) -> Self {
        let key = fresh_key(&mut client);
        let mut text = String::with_capacity(64);
        let written = write!(text, "{}", uri.resource_name());
        debug_assert!(written.is_ok(), "a string has room");
        let target_len = text.len();
        let written = write!(text, "{}", uri.host_value());
        debug_assert!(written.is_ok(), "a string has room");
        Self {
            target_and_host: text,
            target_len,
            is_secure: uri.is_secure(),
            origin: None,
            offer: Offer {
                key,
                subprotocols: String::new(),
                subprotocol_required: false,
                deflate: None,
                extensions: String::new(),
            },
            headers: Vec::new(),
            mistake: None,
            role: Some(client),
            reader: ResponseReader::new(Vec::new()),
        }
    }

    /// Sets the subprotocols to request, in order of preference (§4.1). They must be tokens, all
    /// different.
    pub fn subprotocols(mut self, names: &[&str]) -> Self {
        for (index, name) in names.iter().enumerate() {
            if !lists::is_token(name.as_bytes()) {
                self.mistake.get_or_insert(WriteError::InvalidSubprotocol);
            } else if names.iter().take(index).any(|earlier| earlier == name) {
                self.mistake.get_or_insert(WriteError::DuplicateSubprotocol);
            }
        }
        self.offer.subprotocols = names.join(", ");
        self
    }

    /// Sets whether to fail the connection if the server selects none of the requested
    /// subprotocols, as browsers do. Default: `false`, as RFC 6455 permits.
    pub const fn subprotocol_required(mut self, required: bool) -> Self {
        self.offer.subprotocol_required = required;
        self
    }

    /// Offers permessage-deflate (RFC 7692). If the server does not accept it, messages are
    /// not compressed.
    #[cfg(feature = "deflate")]
    pub fn deflate(mut self, config: &DeflateConfig) -> Self {
        self.offer.deflate = Some(config.clone());
        self.offer.extensions = config.offer();
        self
    }

    /// Offers extensions with this value of `Sec-WebSocket-Extensions`, which a client offered to a
    /// relay. If it is empty, none is offered.
    ///
    /// The server may accept any of them: [`Response::extensions`] returns its answer, which the
    /// relay must give to its client by
    /// [`Accept::relay_extensions`](crate::handshake::Accept::relay_extensions). The relay must
    /// offer only extensions that compress complete messages and mark them by RSV1, such as
    /// permessage-deflate (RFC 7692 §6): frames with other reserved bits or opcodes fail the
    /// connection. See [`Negotiated::with_relayed_compression`].
    pub fn relay_extensions(mut self, offer: &str) -> Self {
        if extension::parse(offer.as_bytes()).any(|extension| extension.is_err()) {
            self.mistake.get_or_insert(WriteError::InvalidExtensions);
        }
        self.offer.deflate = None;
        self.offer.extensions = offer.to_owned();
        self
    }

    /// Sets the origin on whose behalf the connection is opened, such as `https://example.com`.
    /// Browsers must send it, other clients may (§4.1).
    pub fn origin(mut self, origin: &str) -> Self {
        if !headers::is_header_value(origin.as_bytes()) {
            self.mistake.get_or_insert(WriteError::InvalidHeaderValue);
        }
        self.origin = Some(origin.to_owned());
        self
    }

    /// Sets further headers, which are written as given, in this order, such as `("Authorization",
    /// b"Bearer …")`.
    pub fn headers(mut self, headers: &[(&str, &[u8])]) -> Self {
        if let Err(mistake) = headers::check(headers) {
            self.mistake.get_or_insert(mistake);
        }
        self.headers = headers::to_lines(headers);
        self
    }

    /// Sets the limits on the response. It must be called before [`recv`](Self::recv).
    pub fn limits(mut self, limits: HeadLimits) -> Self {
        self.reader.set_limits(limits);
        self
    }

    /// Appends the request to `out`. Nothing may be sent after it until the response has arrived
    /// (§4.1).
    ///
    /// # Errors
    ///
    /// [`WriteError`] if an option is invalid, or if `out` has too little room; nothing was
    /// written.
    pub fn write_request(&self, out: &mut (impl Output + ?Sized)) -> Result<(), WriteError> {
        self.request_parts()?.write(out)
    }

    /// Returns the request as method, target and headers, for another library that sends it.
    ///
    /// Pass its response to [`recv_response`](Self::recv_response).
    ///
    /// # Errors
    ///
    /// [`WriteError`] if an option is invalid.
    pub fn request_parts(&self) -> Result<RequestParts<'_>, WriteError> {
        self.parts(false)
    }

    /// Returns the request for HTTP/2 or HTTP/3, an extended CONNECT (RFC 8441 §5, RFC 9220), for
    /// the library that sends it. It may be sent only if the server has sent
    /// `SETTINGS_ENABLE_CONNECT_PROTOCOL` (8 in both) with the value 1.
    ///
    /// Pass the response to [`recv_response`](Self::recv_response). If the stream ends or is reset,
    /// call [`recv_eof`](crate::WebSocket::recv_eof) of the connection.
    ///
    /// ```
    /// use ws_proto::handshake::{Answer, ClientHandshake, Response};
    /// use ws_proto::{Client, uri::Uri};
    ///
    /// let uri = Uri::parse("wss://example.com/chat?room=1")?;
    /// let mut handshake = ClientHandshake::new(&uri, Client::new([7; 32]));
    /// let parts = handshake.connect_parts()?;
    /// assert_eq!(parts.method(), "CONNECT");
    /// assert_eq!(parts.protocol(), Some("websocket"));
    /// assert_eq!(parts.scheme(), "https");
    /// assert_eq!(parts.authority(), "example.com");
    /// assert_eq!(parts.path(), "/chat?room=1");
    /// assert!(parts.headers().eq([("sec-websocket-version", &b"13"[..])]));
    ///
    /// // The headers of the response, to which the status 200 belongs.
    /// let headers = [("date", &b"Sun, 06 Nov 1994 08:49:37 GMT"[..])];
    /// let response = Response::from_headers((2, 0), 200, &headers)?;
    /// match handshake.recv_response(response)? {
    ///     Answer::Accepted { negotiated, .. } => {} // WebSocket::new(..)
    ///     Answer::Rejected(response) => panic!("{}", response.status()),
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`WriteError`] if an option is invalid.
    pub fn connect_parts(&self) -> Result<RequestParts<'_>, WriteError> {
        self.parts(true)
    }

    fn parts(&self, is_extended_connect: bool) -> Result<RequestParts<'_>, WriteError> {
        if let Some(mistake) = self.mistake {
            return Err(mistake);
        }
        let (target, host) = self
            .target_and_host
            .split_at_checked(self.target_len)
            .unwrap_or_default();
        Ok(RequestParts {
            is_extended_connect,
            is_secure: self.is_secure,
            host,
            target,
            options: Options {
                key: &self.offer.key,
                origin: self.origin.as_deref(),
                subprotocols: &self.offer.subprotocols,
                extensions: &self.offer.extensions,
                further: Further::Lines(&self.headers),
            },
        })
    }

    /// Consumes the response from `input`. The bytes after it stay there: the server's first
    /// frames, or the body of a rejection. Interim responses (1xx) are skipped.
    ///
    /// Returns `None` if all of `input` was consumed and more must be read, or if the response was
    /// returned before; then `input` is not changed.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] if the response is invalid, at the first byte that makes it certain:
    /// close the connection. Later input is discarded, and the same error is returned.
    pub fn recv<'a, 'b: 'a>(
        &'a mut self,
        input: &mut &'b mut [u8],
    ) -> Result<Option<Answer<'a>>, HandshakeError> {
        let verify = |response: &Response<'_>| self.offer.verify(response);
        let Some((head, selected)) = self.reader.read(input, verify)? else {
            return Ok(None);
        };
        let negotiated = self.negotiated(selected);
        let response = self.reader.take(head, input);
        Ok(Some(Answer::new(negotiated, response)))
    }

    /// Checks a response that another library received, as [`recv`](Self::recv) does.
    ///
    /// It is one to the request that [`request_parts`](Self::request_parts) or, if its version is
    /// 2 or later, [`connect_parts`](Self::connect_parts) returned. An interim response (1xx other
    /// than 101) is returned as a rejection: skip it before.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] if the response is invalid: close the connection, or reset the stream.
    /// If [`recv`](Self::recv) returned a response before, the result is
    /// [`HandshakeError::UnexpectedStatus`].
    pub fn recv_response<'r>(
        mut self,
        response: Response<'r>,
    ) -> Result<Answer<'r>, HandshakeError> {
        self.reader.end(response.status())?;
        let selected = self.offer.verify(&response)?;
        Ok(Answer::new(self.negotiated(selected), response))
    }

    /// Returns the head of a response that was refused, for the log: the bytes up to and including
    /// the one that made the error certain. It is empty if no head was refused.
    ///
    /// The bytes are as received, of any value: escape them, for instance by
    /// [`escape_ascii`](slice::escape_ascii). They may contain secrets, such as cookies.
    #[must_use]
    pub fn refused_head(&self) -> &[u8] {
        self.reader.refused_head()
    }

    /// Ends the input: the peer closed or reset the transport.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Incomplete`] if no complete response was received before, or the error
    /// that [`recv`](Self::recv) returned.
    pub const fn recv_eof(&mut self) -> Result<(), HandshakeError> {
        self.reader.recv_eof()
    }

    /// Returns the result, unless the server rejected the request.
    fn negotiated(&mut self, selected: Option<Selected>) -> Option<Negotiated<Client>> {
        let (role, selected) = self.role.take().zip(selected)?;
        Some(Negotiated {
            role,
            subprotocol: selected.subprotocol,
            deflate: selected.deflate,
            relays_compressed: selected.relays_compressed,
        })
    }
}

#[cfg(feature = "alloc")]
impl Offer {
    /// Verifies a response. Returns `None` if it rejects the request.
    fn verify(&self, response: &Response<'_>) -> Result<Option<Selected>, HandshakeError> {
        let verified = match response.verify_offer(
            &self.key,
            &self.subprotocols,
            &self.extensions,
            self.deflate.as_ref(),
        ) {
            Ok(verified) => verified,
            Err(HandshakeError::UnexpectedStatus(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let subprotocol = verified.subprotocol();
        if subprotocol.is_none() && self.subprotocol_required && !self.subprotocols.is_empty() {
            return Err(HandshakeError::MissingSubprotocol);
        }
        Ok(Some(Selected {
            subprotocol: subprotocol.map(Into::into),
            deflate: self.deflate.clone().zip(verified.deflate),
            relays_compressed: self.deflate.is_none() && response.has_extensions(),
        }))
    }
}

/// The options that the server selected.
#[cfg(feature = "alloc")]
struct Selected {
    subprotocol: Option<Box<str>>,
    deflate: Option<(DeflateConfig, Params)>,
    relays_compressed: bool,
}

/// Shows nothing of the request and of the response.
#[cfg(feature = "alloc")]
impl fmt::Debug for ClientHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHandshake")
            .field("reader", &self.reader)
            .finish_non_exhaustive()
    }
}

/// The server's answer to the request.
#[cfg(feature = "alloc")]
pub enum Answer<'a> {
    /// The connection is open.
    Accepted {
        /// The result of the handshake, from which a connection starts.
        negotiated: Negotiated<Client>,
        /// The response, for its further headers, such as `Set-Cookie`.
        response: Response<'a>,
    },
    /// The server answered with a status other than 101 (§4.1): a redirect, 401, an error. The
    /// bytes after it are its body, framed as [`Response::body`] indicates.
    Rejected(Response<'a>),
}

#[cfg(feature = "alloc")]
impl<'a> Answer<'a> {
    fn new(negotiated: Option<Negotiated<Client>>, response: Response<'a>) -> Self {
        match negotiated {
            Some(negotiated) => Self::Accepted {
                negotiated,
                response,
            },
            None => Self::Rejected(response),
        }
    }
}

/// Shows the response as [`Response`] does.
#[cfg(feature = "alloc")]
impl fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted { response, .. } => f
                .debug_struct("Accepted")
                .field("response", response)
                .finish_non_exhaustive(),
            Self::Rejected(response) => f.debug_tuple("Rejected").field(response).finish(),
        }
    }
}
