//! The server's response as the client reads it (RFC 6455 §4.1).

use crate::buffer::{prefix, suffix};
use crate::deflate::{DeflateConfig, Params};
use crate::extension::{self, Extension};
use crate::handshake::http::body::{Body, Framing};
use crate::handshake::http::head::{
    CompleteHead, DefaultMemory, HeadBuffer, HeadLimits, HeadMemory, HeadReader, HeadRules, Parser,
};
use crate::handshake::http::headers::{self, Headers};
use crate::handshake::http::names::{
    self, ACCEPT, CONNECTION, CONTENT_LENGTH, EXTENSIONS, PROTOCOL, TRANSFER_ENCODING, UPGRADE,
};
use crate::handshake::http::{InvalidVersion, VERSION_LEN, lists, next_of_version, once};
use crate::handshake::{HandshakeError, accept_key};
use core::{fmt, mem, str};

/// A server's response to a request to open a WebSocket connection (RFC 6455 §4.1): valid HTTP,
/// with any status.
///
/// It borrows the bytes that it was parsed from.
#[derive(Clone, Copy)]
pub struct Response<'a> {
    reason: &'a [u8],
    headers: Headers<'a>,
    facts: ResponseFacts,
}

impl<'a> Response<'a> {
    /// Parses a response at the front of `head`. Returns it with its length in bytes, or `None` if
    /// it is incomplete.
    ///
    /// Each call starts from the beginning; `ClientHandshake` continues where it stopped. An
    /// interim response (1xx) is returned like any other, whereas `ClientHandshake` skips it.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] is the first fault, at the first byte that makes it certain.
    pub fn parse(
        head: &'a [u8],
        limits: &HeadLimits,
    ) -> Result<Option<(Self, usize)>, HandshakeError> {
        let mut parser = Parser::new(*limits, ResponseFacts::default());
        let Some(len) = parser.advance(head)? else {
            return Ok(None);
        };
        Ok(Some((
            Self::in_head(prefix(head, len), parser.rules()),
            len,
        )))
    }

    /// Checks a response whose HTTP another library parsed, by the same rules.
    ///
    /// `version` is the HTTP version, such as `(1, 1)`. From `(2, 0)` on, the response is one to an
    /// extended CONNECT (RFC 8441 §5, RFC 9220): a status of 2xx opens the connection, and there is
    /// no `Sec-WebSocket-Accept`.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] is the first fault.
    pub fn from_headers(
        version: (u8, u8),
        status: u16,
        headers: &'a [(&'a str, &'a [u8])],
    ) -> Result<Self, HandshakeError> {
        Self::checked(version, status, Headers::in_pairs(headers))
    }

    pub(in crate::handshake) fn checked(
        version: (u8, u8),
        status: u16,
        headers: Headers<'a>,
    ) -> Result<Self, HandshakeError> {
        if version.0 < 2 {
            check_version(version)?;
        }
        if !(100..=999).contains(&status) {
            return Err(HandshakeError::InvalidStatusLine);
        }
        let mut facts = ResponseFacts {
            version,
            status,
            ..ResponseFacts::default()
        };
        headers.check(|name, value| facts.header(name, value))?;
        facts.end()?;
        Ok(Self {
            reason: b"",
            headers,
            facts,
        })
    }

    fn in_head(head: &'a [u8], facts: &ResponseFacts) -> Self {
        let reason = prefix(suffix(head, STATUS_LEN), facts.reason_len);
        Self {
            reason,
            headers: Headers::in_head(head),
            facts: *facts,
        }
    }

    /// Checks that the server opened the connection, and returns the options that it selected.
    ///
    /// `key` is the request's `Sec-WebSocket-Key`, and `subprotocols` is the value of its
    /// `Sec-WebSocket-Protocol`, empty if it had none. The key of an extended CONNECT is empty.
    /// `ClientHandshake` calls this; it is for requests that were written by other means.
    ///
    /// ```
    /// use ws_proto::handshake::{HandshakeError, Response};
    ///
    /// let headers: [(&str, &[u8]); 4] = [
    ///     ("upgrade", b"websocket"),
    ///     ("connection", b"Upgrade"),
    ///     ("sec-websocket-accept", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    ///     ("sec-websocket-protocol", b"chat"),
    /// ];
    /// let response = Response::from_headers((1, 1), 101, &headers)?;
    /// let key = b"dGhlIHNhbXBsZSBub25jZQ==";
    /// let verified = response.verify(key, "superchat, chat")?;
    /// assert_eq!(verified.subprotocol(), Some("chat"));
    /// # Ok::<(), HandshakeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] is the first rule of §4.1 that the response violates:
    /// [`HandshakeError::UnexpectedStatus`] if it rejects the request.
    pub fn verify(&self, key: &[u8], subprotocols: &str) -> Result<Verified<'a>, HandshakeError> {
        self.verify_offer(key, subprotocols, "", None)
    }

    /// Checks the response to a request with this value of `Sec-WebSocket-Extensions`, as
    /// [`verify`](Self::verify) does, for a relay: the server may have accepted any of the
    /// extensions in it. [`extensions`](Self::extensions) returns those that it accepted.
    ///
    /// # Errors
    ///
    /// The errors of [`verify`](Self::verify).
    pub fn verify_relayed(
        &self,
        key: &[u8],
        subprotocols: &str,
        offer: &str,
    ) -> Result<Verified<'a>, HandshakeError> {
        self.verify_offer(key, subprotocols, offer, None)
    }

    /// Checks the response to a request that offered permessage-deflate with
    /// [`DeflateConfig::offer`], as [`verify`](Self::verify) does.
    ///
    /// # Errors
    ///
    /// The errors of [`verify`](Self::verify), and [`HandshakeError::InvalidExtensionParameter`] if
    /// the server's parameters do not match the offer.
    #[cfg(feature = "deflate")]
    pub fn verify_deflate(
        &self,
        key: &[u8],
        subprotocols: &str,
        config: &DeflateConfig,
    ) -> Result<Verified<'a>, HandshakeError> {
        self.verify_offer(key, subprotocols, "", Some(config))
    }

    /// Checks the response to a request that offered permessage-deflate with this configuration, or
    /// else these extensions.
    pub(super) fn verify_offer(
        &self,
        key: &[u8],
        subprotocols: &str,
        relayed: &str,
        deflate: Option<&DeflateConfig>,
    ) -> Result<Verified<'a>, HandshakeError> {
        self.verify_upgrade(key)?;
        let deflate = match deflate {
            Some(config) => config.verify(self.extensions())?,
            None if self.facts.extensions.is_none() => None,
            None => {
                let offered = || extension::parse(relayed.as_bytes()).filter_map(Result::ok);
                let mut accepted = self.headers.get_all(EXTENSIONS);
                if !accepted.all(|value| extension::are_among(value, offered)) {
                    return Err(HandshakeError::ExtensionNotOffered);
                }
                None
            }
        };
        Ok(Verified {
            subprotocol: self.verify_subprotocol(subprotocols)?,
            deflate,
        })
    }

    fn verify_upgrade(&self, key: &[u8]) -> Result<(), HandshakeError> {
        let facts = &self.facts;
        if !facts.is_accepting() {
            return Err(HandshakeError::UnexpectedStatus(facts.status));
        }
        if facts.version.0 > 1 {
            return Ok(());
        }
        if let (major, minor @ 0) = facts.version {
            return Err(HandshakeError::UnsupportedHttpVersion { major, minor });
        }
        if facts.upgrade != Some(true) {
            return Err(HandshakeError::MissingUpgrade);
        }
        if !facts.connection {
            return Err(HandshakeError::MissingConnectionUpgrade);
        }
        let accept = self
            .headers
            .get(ACCEPT)
            .ok_or(HandshakeError::MissingHeader(ACCEPT))?;
        if accept != accept_key(key) {
            return Err(HandshakeError::InvalidHeader(ACCEPT));
        }
        Ok(())
    }

    fn verify_subprotocol(&self, requested: &str) -> Result<Option<&'a str>, HandshakeError> {
        let Some(selected) = self.headers.get(PROTOCOL) else {
            return Ok(None);
        };
        let is_requested =
            lists::elements(requested.as_bytes()).any(|subprotocol| subprotocol == selected);
        let selected = str::from_utf8(selected).ok().filter(|_| is_requested);
        selected
            .ok_or(HandshakeError::SubprotocolNotRequested)
            .map(Some)
    }

    /// Returns the status code, from 100 to 999.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.facts.status
    }

    /// Returns the reason phrase, which may be empty, and has no meaning (RFC 9112 §4).
    #[must_use]
    pub const fn reason(&self) -> &'a [u8] {
        self.reason
    }

    /// Returns all headers, in order.
    #[must_use]
    pub const fn headers(&self) -> &Headers<'a> {
        &self.headers
    }

    /// Returns the extensions that the server accepted, in order (§9.1).
    pub fn extensions(&self) -> impl Iterator<Item = Extension<'a>> + use<'a> {
        self.headers
            .get_all(EXTENSIONS)
            .flat_map(extension::parse)
            .filter_map(Result::ok)
    }

    /// Returns whether the server accepted an extension.
    #[cfg(feature = "alloc")]
    pub(super) const fn has_extensions(&self) -> bool {
        self.facts.extensions.is_some()
    }

    /// Returns how the body after this head is framed (RFC 9112 §6.3). A response that opens a
    /// connection or a tunnel has none.
    #[must_use]
    pub const fn body(&self) -> Body {
        match self.facts.status {
            100..=199 | 204 | 304 => Body::None,
            _ => self.facts.framing.of_response(self.facts.version),
        }
    }
}

/// Shows only the status and the names of the headers: values may be secrets.
impl fmt::Debug for Response<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status())
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}

/// The options that the server selected in a response that opens the connection, returned by
/// [`Response::verify`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub struct Verified<'a> {
    subprotocol: Option<&'a str>,
    pub(super) deflate: Option<Params>,
}

impl<'a> Verified<'a> {
    /// Returns the _Subprotocol In Use_ (§4.1), if there is one.
    #[must_use]
    pub const fn subprotocol(&self) -> Option<&'a str> {
        self.subprotocol
    }

    /// Returns the negotiated parameters of permessage-deflate, if it is in use.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub const fn deflate(&self) -> Option<Params> {
        self.deflate
    }
}

/// Reads a server's response from input that may be split anywhere, and skips interim ones (1xx),
/// for programs without an allocator. `ClientHandshake` is for others.
///
/// [`ClientRequest`](super::ClientRequest) has an example. The caller must set a deadline for the
/// response.
pub struct ResponseReader<M = DefaultMemory> {
    head: HeadReader<ResponseFacts, M>,
    /// The number of interim responses so far.
    interim: usize,
    progress: Progress,
}

#[derive(Debug, Clone, Copy)]
enum Progress {
    Reading,
    /// The response was returned.
    Done,
    Failed(HandshakeError),
}

impl<'m> ResponseReader<HeadBuffer<'m>> {
    /// Returns a reader that keeps the meaningful lines of a head in `buffer`. The
    /// [headers](Response::headers) of the response are those that the buffer keeps.
    #[must_use]
    pub fn with_buffer(buffer: HeadBuffer<'m>) -> Self {
        Self::new(buffer)
    }
}

impl<M: HeadMemory> ResponseReader<M> {
    pub(super) fn new(memory: M) -> Self {
        Self {
            head: HeadReader::new(HeadLimits::new(), memory),
            interim: 0,
            progress: Progress::Reading,
        }
    }

    /// Sets the limits on the response. It must be called before [`recv`](Self::recv).
    #[must_use]
    pub const fn limits(mut self, limits: HeadLimits) -> Self {
        self.set_limits(limits);
        self
    }

    pub(super) const fn set_limits(&mut self, limits: HeadLimits) {
        self.head.set_limits(limits);
    }

    /// Consumes the response from `input`. The bytes after it stay there: the server's first
    /// frames, or the body of a rejection.
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
    ) -> Result<Option<Response<'a>>, HandshakeError> {
        let read = self.read(input, |_| Ok(()))?;
        Ok(read.map(|(head, ())| self.take(head, input)))
    }

    /// Finds the response, and the result of `check` for it. An error is one of the response.
    pub(super) fn read<T>(
        &mut self,
        input: &mut &mut [u8],
        check: impl Fn(&Response<'_>) -> Result<T, HandshakeError>,
    ) -> Result<Option<(CompleteHead, T)>, HandshakeError> {
        let read = match self.progress {
            Progress::Reading => self.find(input, check),
            Progress::Done => return Ok(None),
            Progress::Failed(error) => Err(error),
        };
        match read {
            Ok(Some(_)) => self.progress = Progress::Done,
            Ok(None) => {}
            Err(error) => {
                self.progress = Progress::Failed(error);
                *input = &mut [];
            }
        }
        read
    }

    fn find<T>(
        &mut self,
        input: &mut &mut [u8],
        check: impl Fn(&Response<'_>) -> Result<T, HandshakeError>,
    ) -> Result<Option<(CompleteHead, T)>, HandshakeError> {
        loop {
            let Some(head) = self.head.read(input)? else {
                return Ok(None);
            };
            let limit = self.head.limits().max_interim();
            let checked = if !self.head.rules().is_interim() {
                let response = Response::in_head(self.head.peek(&head, input), self.head.rules());
                check(&response).map(Some)
            } else if self.interim < limit {
                self.interim += 1;
                Ok(None)
            } else {
                Err(HandshakeError::TooManyInterimResponses { limit })
            };
            match checked {
                Ok(Some(checked)) => return Ok(Some((head, checked))),
                Ok(None) => self.head.skip(head, input),
                Err(error) => {
                    self.head.refuse(head, input);
                    return Err(error);
                }
            }
        }
    }

    /// Returns the head of a response that was refused, for the log: the kept bytes up to and
    /// including the one that made the error certain. It is empty if no head was refused.
    ///
    /// The bytes are as received, of any value: escape them, for instance by
    /// [`escape_ascii`](slice::escape_ascii). They may contain secrets, such as cookies.
    #[must_use]
    pub fn refused_head(&self) -> &[u8] {
        match self.progress {
            Progress::Failed(_) => self.head.received(),
            _ => &[],
        }
    }

    /// Ends the input: the peer closed or reset the transport.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Incomplete`] if no complete response was received before, or the error
    /// that [`recv`](Self::recv) returned.
    pub const fn recv_eof(&mut self) -> Result<(), HandshakeError> {
        if matches!(self.progress, Progress::Reading) {
            self.progress = Progress::Failed(HandshakeError::Incomplete);
        }
        match self.progress {
            Progress::Reading | Progress::Done => Ok(()),
            Progress::Failed(error) => Err(error),
        }
    }

    /// Ends the reading, with a response that another library received.
    #[cfg(feature = "alloc")]
    pub(super) const fn end(&mut self, status: u16) -> Result<(), HandshakeError> {
        match self.progress {
            Progress::Reading => {
                self.progress = Progress::Done;
                Ok(())
            }
            Progress::Done => Err(HandshakeError::UnexpectedStatus(status)),
            Progress::Failed(error) => Err(error),
        }
    }

    /// Returns the response that [`read`](Self::read) found, and removes it from `input`.
    pub(super) fn take<'a, 'b: 'a>(
        &'a self,
        head: CompleteHead,
        input: &mut &'b mut [u8],
    ) -> Response<'a> {
        Response::in_head(self.head.take(head, input), self.head.rules())
    }
}

/// Shows nothing of the response.
impl<M> fmt::Debug for ResponseReader<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseReader")
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}

/// The length of `HTTP/1.1 101 `, after which the reason begins.
const STATUS_LEN: usize = 13;

/// HTTP/1.0 is accepted, since a proxy may reject the request with it.
const fn check_version((major, minor): (u8, u8)) -> Result<(), HandshakeError> {
    if major == 1 {
        Ok(())
    } else {
        Err(HandshakeError::UnsupportedHttpVersion { major, minor })
    }
}

/// The facts learned from the lines of a response.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ResponseFacts {
    version: (u8, u8),
    status: u16,
    reason_len: usize,
    /// Whether `Upgrade` is `websocket`, if it is present.
    upgrade: Option<bool>,
    connection: bool,
    accept: bool,
    subprotocol: bool,
    /// The number of extensions that the server accepted, if the header is present.
    extensions: Option<usize>,
    framing: Framing,
}

impl ResponseFacts {
    /// Returns whether another response follows (RFC 9110 §15.2).
    const fn is_interim(&self) -> bool {
        matches!(self.status, 100 | 102..=199)
    }

    /// Returns whether the connection is open, if the headers permit it: after 101, or 2xx in
    /// HTTP/2 and HTTP/3 (RFC 8441 §5).
    const fn is_accepting(&self) -> bool {
        match self.version {
            (0 | 1, _) => self.status == 101,
            _ => matches!(self.status, 200..=299),
        }
    }

    /// Checks a header of a response that opens the connection. A 101 has no body, and headers
    /// about one must be ignored (RFC 9110 §15.2, RFC 9112 §6.3).
    fn accepting_header(&mut self, name: &'static str, value: &[u8]) -> Result<(), HandshakeError> {
        match name {
            UPGRADE => {
                let before = self
                    .upgrade
                    .replace(value.eq_ignore_ascii_case(b"websocket"));
                once(before.is_some(), UPGRADE)?;
                lists::count(UPGRADE, value, lists::is_protocol).map(drop)
            }
            CONNECTION => {
                lists::count(CONNECTION, value, lists::is_token)?;
                self.connection |= lists::contains(value, UPGRADE);
                Ok(())
            }
            ACCEPT => once(mem::replace(&mut self.accept, true), ACCEPT),
            PROTOCOL => {
                once(mem::replace(&mut self.subprotocol, true), PROTOCOL)?;
                lists::count(PROTOCOL, value, lists::is_token).map(drop)
            }
            EXTENSIONS => {
                let accepted = self.extensions.get_or_insert(0);
                Ok(extension::parse(value)
                    .try_for_each(|extension| extension.map(|_| *accepted += 1))?)
            }
            _ => Ok(()),
        }
    }
}

impl HeadRules for ResponseFacts {
    fn start_line(&mut self, line: &[u8], byte: u8, rest: &[u8]) -> Result<usize, HandshakeError> {
        match (line.len(), byte) {
            (..VERSION_LEN, _) => match next_of_version(line, byte) {
                Ok(Some(version)) => {
                    self.version = version;
                    check_version(version)?;
                }
                Ok(None) => {}
                Err(InvalidVersion) => return Err(HandshakeError::InvalidStatusLine),
            },
            (9, b'1'..=b'9') | (10 | 11, b'0'..=b'9') => {
                self.status = self.status * 10 + u16::from(byte - b'0')
            }
            // The second space may be missing if there is no reason.
            (8 | 12, b' ') | (12.., b'\r') => {}
            (STATUS_LEN.., _) if headers::is_header_value_char(byte) => {
                let more = headers::value_len(rest);
                self.reason_len += 1 + more;
                return Ok(more);
            }
            _ => return Err(HandshakeError::InvalidStatusLine),
        }
        Ok(0)
    }

    fn header(&mut self, name: &[u8], value: &[u8]) -> Result<(), HandshakeError> {
        let Some(name) = names::known(name) else {
            return Ok(());
        };
        match name {
            UPGRADE | CONNECTION | TRANSFER_ENCODING if self.version.0 > 1 => {
                Err(HandshakeError::UnexpectedHeader(name))
            }
            CONTENT_LENGTH | TRANSFER_ENCODING if self.status >= 200 => {
                self.framing.header(name, value)
            }
            _ if self.is_accepting() => self.accepting_header(name, value),
            _ => Ok(()),
        }
    }

    fn end(&self) -> Result<(), HandshakeError> {
        if self.extensions == Some(0) {
            Err(HandshakeError::InvalidHeader(EXTENSIONS))
        } else {
            Ok(())
        }
    }
}
