//! The client's side of the opening handshake (RFC 6455 §4.1): the request, and the machine that
//! reads the answer.

use super::{
    HandshakeError, HeadLimits, Response, WriteError, append, fields, fresh_key,
    head::{Collector, Place},
    response::ResponseFacts,
};
#[cfg(feature = "deflate")]
use crate::deflate;
use crate::{Client, Negotiated, Output, uri::Uri};
use alloc::{borrow::ToOwned, format, string::String};
use core::{fmt, mem, str};

/// Opens a connection to a WebSocket server (RFC 6455 §4.1).
///
/// Build it with what the request shall say, [write](Self::write_request) the request, then
/// [read](Self::recv) the answer.
///
/// The RFC leaves to whoever opens the socket: that there is no more than one connection at a time
/// in this state to the same address (§4.1), that a `wss` URI gets its TLS handshake first, and
/// that a client which comes back after a failure waits, at first for a random time of up to 5
/// seconds, then longer each time (§7.2.3). A deadline for the answer is the caller's too.
pub struct ClientHandshake {
    /// The request up to the fields of the caller's choice.
    start: String,
    /// The value of `Sec-WebSocket-Protocol`.
    protocols: String,
    origin: Option<String>,
    #[cfg(feature = "deflate")]
    deflate: Option<deflate::Config>,
    /// Lines of further fields.
    fields: String,
    /// The first mistake in what the caller wants to say.
    mistake: Option<WriteError>,
    subprotocol_required: bool,
    key: [u8; 24],
    head: Collector<ResponseFacts>,
    interim: usize,
    /// The client until the handshake is over, then `None`.
    state: Result<Option<Client>, HandshakeError>,
}

impl ClientHandshake {
    /// A handshake for what `uri` names. The key of the request comes from `client` (§4.1), which
    /// is for this connection alone.
    #[must_use]
    pub fn new(uri: &Uri<'_>, mut client: Client) -> Self {
        let key = fresh_key(&mut client);
        let start = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {}\r\nSec-WebSocket-Version: 13\r\n",
            uri.resource_name(),
            uri.host_value(),
            str::from_utf8(&key).unwrap_or_default(),
        );
        Self {
            start,
            protocols: String::new(),
            origin: None,
            #[cfg(feature = "deflate")]
            deflate: None,
            fields: String::new(),
            mistake: None,
            subprotocol_required: false,
            key,
            head: Collector::new(HeadLimits::default()),
            interim: 0,
            state: Ok(Some(client)),
        }
    }

    /// The subprotocols to request, the most wanted first (§4.1): different tokens.
    #[must_use]
    pub fn subprotocols(mut self, names: &[&str]) -> Self {
        for (at, name) in names.iter().enumerate() {
            if !fields::is_token(name.as_bytes()) {
                self.mistake.get_or_insert(WriteError::InvalidSubprotocol);
            } else if names.iter().take(at).any(|before| before == name) {
                self.mistake.get_or_insert(WriteError::DuplicateSubprotocol);
            }
        }
        self.protocols = names.join(", ");
        self
    }

    /// Whether to fail the connection if the server chooses none of the requested subprotocols, as
    /// browsers do. RFC 6455 lets it pass, and so does this unless set.
    #[must_use]
    pub const fn subprotocol_required(mut self, required: bool) -> Self {
        self.subprotocol_required = required;
        self
    }

    /// Offers permessage-deflate (RFC 7692). If the server does not accept it, the connection goes
    /// without.
    #[cfg(feature = "deflate")]
    #[must_use]
    pub fn deflate(mut self, config: &deflate::Config) -> Self {
        self.deflate = Some(config.clone());
        self
    }

    /// The origin on whose behalf the connection is opened, such as `https://example.com`. A browser has to send it, and other
    /// clients may (§4.1).
    #[must_use]
    pub fn origin(mut self, origin: &str) -> Self {
        if !fields::is_field_value(origin.as_bytes()) {
            self.mistake.get_or_insert(WriteError::InvalidHeaderValue);
        }
        self.origin = Some(origin.to_owned());
        self
    }

    /// Further fields, written in this order and as they are given, such as `("Authorization",
    /// "Bearer …")`.
    #[must_use]
    pub fn headers(mut self, fields: &[(&str, &str)]) -> Self {
        if let Err(mistake) = fields::check(fields) {
            self.mistake.get_or_insert(mistake);
        }
        self.fields = fields
            .iter()
            .flat_map(|(name, value)| [name, ": ", value, "\r\n"])
            .collect();
        self
    }

    /// What the answer may take up; `HeadLimits::default()` unless set.
    #[must_use]
    pub fn limits(mut self, limits: HeadLimits) -> Self {
        self.head = Collector::new(limits);
        self
    }

    /// Appends the request to `out`. Nothing may be sent after it until the answer is there (§4.1).
    ///
    /// # Errors
    ///
    /// [`WriteError`] if the request would not be valid, or if `out` has too little room. Nothing
    /// was written then.
    pub fn write_request(&self, out: &mut (impl Output + ?Sized)) -> Result<(), WriteError> {
        if let Some(mistake) = self.mistake {
            return Err(mistake);
        }
        let protocols =
            Some((fields::PROTOCOL, &*self.protocols)).filter(|(_, names)| !names.is_empty());
        let origin = self
            .origin
            .as_deref()
            .map(|origin| (fields::ORIGIN, origin));
        #[cfg(feature = "deflate")]
        let offer = self.deflate.as_ref().map(deflate::Config::offer);
        #[cfg(feature = "deflate")]
        let offer = offer
            .as_deref()
            .map(|offer| ("Sec-WebSocket-Extensions", offer));
        #[cfg(not(feature = "deflate"))]
        let offer = None;
        let chosen = fields::pieces(origin.as_slice())
            .chain(fields::pieces(protocols.as_slice()))
            .chain(fields::pieces(offer.as_slice()));
        append(
            out,
            [self.start.as_bytes()]
                .into_iter()
                .chain(chosen)
                .chain([self.fields.as_bytes(), b"\r\n"]),
        )
    }

    /// Takes the answer off the front of `input`. What comes after it stays there: the server's
    /// first frames, or the body of a refusal. Interim answers (1xx) are passed over.
    ///
    /// `None` means that `input` is empty and more has to be read, or that the answer was returned
    /// before, in which case `input` is left alone.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] if the answer is not valid, at the first byte that makes it certain.
    /// Close the connection. Later input is dropped, and the same error is returned.
    pub fn recv<'a, 'b: 'a>(
        &'a mut self,
        input: &mut &'b mut [u8],
    ) -> Result<Option<Answer<'a>>, HandshakeError> {
        if matches!(self.state, Ok(None)) {
            return Ok(None);
        }
        match self.read(input) {
            Ok(None) => Ok(None),
            Ok(Some(Ending { place, negotiated })) => {
                let response = Response::in_head(self.head.take(place, input), self.head.message());
                Ok(Some(match negotiated {
                    Some(negotiated) => Answer::Accepted {
                        negotiated,
                        response,
                    },
                    None => Answer::Rejected(response),
                }))
            }
            Err(error) => {
                self.state = Err(error);
                *input = &mut [];
                Err(error)
            }
        }
    }

    /// Says that the connection ended.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Incomplete`] if there was no complete answer before, or the error that
    /// [`recv`](Self::recv) returned.
    pub fn recv_eof(&mut self) -> Result<(), HandshakeError> {
        if matches!(self.state, Ok(Some(_))) {
            self.state = Err(HandshakeError::Incomplete);
        }
        match self.state {
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Finds the final answer, and ends the handshake with it.
    fn read(&mut self, input: &mut &mut [u8]) -> Result<Option<Ending>, HandshakeError> {
        self.state.as_ref().map_err(|error| *error)?;
        let place = loop {
            let Some(place) = self.head.read(input)? else {
                return Ok(None);
            };
            if !self.head.message().is_interim() {
                break place;
            }
            self.interim += 1;
            let limit = self.head.limits().interim;
            if self.interim > limit {
                return Err(HandshakeError::TooManyInterimResponses { limit });
            }
            self.head.skip(place, input);
        };
        let response = Response::in_head(self.head.peek(&place, input), self.head.message());
        #[cfg(feature = "deflate")]
        let (verified, params) = match self
            .deflate
            .as_ref()
            .map(|config| response.verify_deflate(&self.key, &self.protocols, config))
        {
            Some(Ok((protocol, params))) => (Ok(protocol), params),
            Some(Err(error)) => (Err(error), None),
            None => (response.verify(&self.key, &self.protocols), None),
        };
        #[cfg(not(feature = "deflate"))]
        let verified = response.verify(&self.key, &self.protocols);
        let protocol = match verified {
            Ok(None) if self.subprotocol_required && !self.protocols.is_empty() => {
                return Err(HandshakeError::MissingSubprotocol);
            }
            Ok(protocol) => protocol,
            Err(HandshakeError::UnexpectedStatus(_)) => {
                self.state = Ok(None);
                return Ok(Some(Ending {
                    place,
                    negotiated: None,
                }));
            }
            Err(error) => return Err(error),
        };
        let negotiated = mem::replace(&mut self.state, Ok(None))?.map(|client| match protocol {
            Some(name) => Negotiated::new(client).with_subprotocol(name),
            None => Negotiated::new(client),
        });
        #[cfg(feature = "deflate")]
        let negotiated = match (&self.deflate, params) {
            (Some(config), Some(params)) => {
                negotiated.map(|negotiated| negotiated.with_deflate(config, params))
            }
            _ => negotiated,
        };
        Ok(Some(Ending { place, negotiated }))
    }
}

/// Where the final answer is, and what it opened.
struct Ending {
    place: Place,
    negotiated: Option<Negotiated<Client>>,
}

impl fmt::Debug for ClientHandshake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHandshake")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// How a handshake ended that the server answered.
pub enum Answer<'a> {
    /// The connection is open.
    Accepted {
        /// What a connection begins with.
        negotiated: Negotiated<Client>,
        /// The answer itself, for its further fields, such as `Set-Cookie`.
        response: Response<'a>,
    },
    /// The server answered with a status other than 101 (§4.1): a redirect, 401, an error. The
    /// bytes after it are its body, as [`Response::body`] says.
    Rejected(Response<'a>),
}

/// Shows what [`Response`] shows.
impl fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accepted { response, .. } => f
                .debug_struct("Accepted")
                .field("response", response)
                .finish_non_exhaustive(),
            Self::Rejected(response) => f.debug_tuple("Refused").field(response).finish(),
        }
    }
}
