//! The client's side of the opening handshake (RFC 6455 §4.1): the request, and the state machine
//! that reads the response.

mod response;

pub use response::{Body, Response, Verified};

#[cfg(feature = "alloc")]
use super::{
    HandshakeError, WriteError, fresh_key,
    http::{
        append, ascii,
        head::{CompleteHead, HeadLimits, HeadReader},
        headers, lists, names,
    },
};
#[cfg(feature = "alloc")]
use crate::{Client, Negotiated, Output, deflate::DeflateConfig, uri::Uri};
#[cfg(feature = "alloc")]
use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
#[cfg(feature = "alloc")]
use core::{fmt, mem};
#[cfg(feature = "alloc")]
use response::ResponseFacts;

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
    /// The request up to the optional headers.
    start: String,
    /// The value of `Sec-WebSocket-Protocol`.
    subprotocols: String,
    origin: Option<String>,
    deflate: Option<DeflateConfig>,
    /// The lines of further headers.
    headers: Vec<u8>,
    /// The first invalid option.
    mistake: Option<WriteError>,
    subprotocol_required: bool,
    key: [u8; 24],
    head: HeadReader<ResponseFacts>,
    /// The number of interim responses so far.
    interim: usize,
    progress: Progress,
}

#[cfg(feature = "alloc")]
#[derive(Debug)]
enum Progress {
    Reading(Client),
    /// The response was returned.
    Done,
    Failed(HandshakeError),
}

#[cfg(feature = "alloc")]
impl ClientHandshake {
    /// Returns a handshake for the resource that `uri` identifies. `client`, which must be used for
    /// this connection only, generates the key of the request (§4.1).
    pub fn new(uri: &Uri<'_>, mut client: Client) -> Self {
        let key = fresh_key(&mut client);
        let start = format!(
            "GET {} HTTP/1.1\r\n\
             Host: {}\r\n\
             Upgrade: websocket\r\n\
             Connection: Upgrade\r\n\
             Sec-WebSocket-Key: {}\r\n\
             Sec-WebSocket-Version: 13\r\n",
            uri.resource_name(),
            uri.host_value(),
            ascii(&key),
        );
        Self {
            start,
            subprotocols: String::new(),
            origin: None,
            deflate: None,
            headers: Vec::new(),
            mistake: None,
            subprotocol_required: false,
            key,
            head: HeadReader::new(HeadLimits::new()),
            interim: 0,
            progress: Progress::Reading(client),
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
        self.subprotocols = names.join(", ");
        self
    }

    /// Sets whether to fail the connection if the server selects none of the requested
    /// subprotocols, as browsers do. Default: `false`, as RFC 6455 permits.
    pub const fn subprotocol_required(mut self, required: bool) -> Self {
        self.subprotocol_required = required;
        self
    }

    /// Offers permessage-deflate (RFC 7692). If the server does not accept it, messages are
    /// not compressed.
    #[cfg(feature = "deflate")]
    pub fn deflate(mut self, config: &DeflateConfig) -> Self {
        self.deflate = Some(config.clone());
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
        self.headers.clear();
        for slice in headers::lines(headers) {
            self.headers.extend_from_slice(slice);
        }
        self
    }

    /// Sets the limits on the response. It must be called before [`recv`](Self::recv).
    pub fn limits(mut self, limits: HeadLimits) -> Self {
        self.head = HeadReader::new(limits);
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
        if let Some(mistake) = self.mistake {
            return Err(mistake);
        }
        let origin = self
            .origin
            .as_ref()
            .map(|origin| (names::ORIGIN, origin.as_bytes()));
        let subprotocols = Some((names::PROTOCOL, self.subprotocols.as_bytes()))
            .filter(|(_, names)| !names.is_empty());
        let offer = self.deflate.as_ref().map(DeflateConfig::offer);
        let offer = offer
            .as_ref()
            .map(|offer| (names::EXTENSIONS, offer.as_bytes()));
        append(
            out,
            [self.start.as_bytes()]
                .into_iter()
                .chain(headers::lines(origin.as_slice()))
                .chain(headers::lines(subprotocols.as_slice()))
                .chain(headers::lines(offer.as_slice()))
                .chain([&self.headers, &b"\r\n"[..]]),
        )
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
        let finished = match self.progress {
            Progress::Reading(_) => self.read(input),
            Progress::Done => return Ok(None),
            Progress::Failed(error) => Err(error),
        };
        match finished {
            Ok(None) => Ok(None),
            Ok(Some(Finished { head, negotiated })) => {
                let response = Response::in_head(self.head.take(head, input), self.head.rules());
                Ok(Some(match negotiated {
                    Some(negotiated) => Answer::Accepted {
                        negotiated,
                        response,
                    },
                    None => Answer::Rejected(response),
                }))
            }
            Err(error) => {
                self.progress = Progress::Failed(error);
                *input = &mut [];
                Err(error)
            }
        }
    }

    /// Ends the input: the peer closed or reset the transport.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Incomplete`] if no complete response was received before, or the error
    /// that [`recv`](Self::recv) returned.
    pub fn recv_eof(&mut self) -> Result<(), HandshakeError> {
        if matches!(self.progress, Progress::Reading(_)) {
            self.progress = Progress::Failed(HandshakeError::Incomplete);
        }
        match self.progress {
            Progress::Reading(_) | Progress::Done => Ok(()),
            Progress::Failed(error) => Err(error),
        }
    }

    /// Finds the final response, and verifies it.
    fn read(&mut self, input: &mut &mut [u8]) -> Result<Option<Finished>, HandshakeError> {
        let head = loop {
            let Some(head) = self.head.read(input)? else {
                return Ok(None);
            };
            if !self.head.rules().is_interim() {
                break head;
            }
            self.interim += 1;
            let limit = self.head.limits().max_interim();
            if self.interim > limit {
                return Err(HandshakeError::TooManyInterimResponses { limit });
            }
            self.head.skip(head, input);
        };
        let response = Response::in_head(self.head.peek(&head, input), self.head.rules());
        let verified =
            match response.verify_offer(&self.key, &self.subprotocols, self.deflate.as_ref()) {
                Ok(verified) => verified,
                Err(HandshakeError::UnexpectedStatus(_)) => {
                    self.progress = Progress::Done;
                    return Ok(Some(Finished {
                        head,
                        negotiated: None,
                    }));
                }
                Err(error) => return Err(error),
            };
        let subprotocol = verified.subprotocol();
        if subprotocol.is_none() && self.subprotocol_required && !self.subprotocols.is_empty() {
            return Err(HandshakeError::MissingSubprotocol);
        }
        let subprotocol = subprotocol.map(Into::into);
        let deflate = self.deflate.clone().zip(verified.deflate);
        let negotiated = match mem::replace(&mut self.progress, Progress::Done) {
            Progress::Reading(role) => Some(Negotiated {
                role,
                subprotocol,
                deflate,
            }),
            Progress::Done | Progress::Failed(_) => None,
        };
        debug_assert!(negotiated.is_some(), "only called while reading");
        Ok(Some(Finished { head, negotiated }))
    }
}

/// The final response.
#[cfg(feature = "alloc")]
struct Finished {
    head: CompleteHead,
    /// `None` if the response rejects the request.
    negotiated: Option<Negotiated<Client>>,
}

/// Shows nothing of the request and of the response.
#[cfg(feature = "alloc")]
impl fmt::Debug for ClientHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHandshake")
            .field("progress", &self.progress)
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
