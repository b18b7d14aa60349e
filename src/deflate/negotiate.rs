//! Negotiation (RFC 7692 §5, §7.1): what is offered, what is answered, and what an answer means.

use super::{Config, Direction, NAME, Params};
use crate::handshake::{Extension, HandshakeError, Value};
use alloc::string::{String, ToString};
use core::{fmt, str::FromStr};

const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// The parameters of an offer or an answer as they stand there.
#[derive(Default)]
struct Said {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    /// In an offer it may be said without a value.
    client_max_window_bits: Option<Option<u8>>,
}

impl Said {
    /// `None` if a parameter is unknown, said twice, or has a value that it cannot have (§7.1).
    fn parse(extension: &Extension<'_>) -> Option<Self> {
        let mut said = Self::default();
        for param in extension.params() {
            let said_before = match (param.name, param.value) {
                (SERVER_NO_CONTEXT_TAKEOVER, None) => {
                    core::mem::replace(&mut said.server_no_context_takeover, true)
                }
                (CLIENT_NO_CONTEXT_TAKEOVER, None) => {
                    core::mem::replace(&mut said.client_no_context_takeover, true)
                }
                (SERVER_MAX_WINDOW_BITS, Some(value)) => said
                    .server_max_window_bits
                    .replace(window_bits(value)?)
                    .is_some(),
                (CLIENT_MAX_WINDOW_BITS, None) => {
                    said.client_max_window_bits.replace(None).is_some()
                }
                (CLIENT_MAX_WINDOW_BITS, Some(value)) => said
                    .client_max_window_bits
                    .replace(Some(window_bits(value)?))
                    .is_some(),
                _ => return None,
            };
            if said_before {
                return None;
            }
        }
        Some(said)
    }
}

/// A decimal from 8 to 15 without leading zeros.
fn window_bits(value: Value<'_>) -> Option<u8> {
    (8..)
        .zip(["8", "9", "10", "11", "12", "13", "14", "15"])
        .find_map(|(bits, text)| (value == text).then_some(bits))
}

impl Config {
    /// The value of `Sec-WebSocket-Extensions` with which a client offers the extension, for those
    /// who write the request themselves.
    #[must_use]
    pub fn offer(&self) -> String {
        let Params { server, client } = self.wanted;
        let mut offer = Params {
            server,
            client: Direction {
                max_window_bits: None,
                ..client
            },
        }
        .to_string();
        offer += "; ";
        offer += CLIENT_MAX_WINDOW_BITS;
        if let Some(bits) = client.max_window_bits {
            offer += "=";
            offer += &bits.to_string();
        }
        offer
    }

    /// What a server agrees on, if it accepts one of the client's offers: the first that is valid
    /// (RFC 7692 §5.1). Others are declined by being passed over.
    /// [`Request::extensions`](crate::handshake::Request::extensions) has them, also of a request
    /// that something else has read.
    ///
    /// [`Accept::deflate`](crate::handshake::Accept::deflate) does this by itself; it is for those
    /// who write the response themselves, whose `Sec-WebSocket-Extensions` then has the value
    /// `params.to_string()`.
    #[must_use]
    pub fn accept<'a>(&self, offers: impl IntoIterator<Item = Extension<'a>>) -> Option<Params> {
        let said = offers
            .into_iter()
            .filter(|offer| offer.name == NAME)
            .find_map(|offer| Said::parse(&offer))?;
        let Params { server, client } = self.wanted;
        Some(Params {
            server: Direction {
                no_context_takeover: server.no_context_takeover || said.server_no_context_takeover,
                // It is said if it was asked for, even if it is 15 (§7.1.2.1).
                max_window_bits: least(said.server_max_window_bits, server.max_window_bits),
            },
            client: Direction {
                no_context_takeover: client.no_context_takeover || said.client_no_context_takeover,
                // Only a client that says so can be told (§7.1.2.2).
                max_window_bits: said
                    .client_max_window_bits
                    .and_then(|offered| least(offered, client.max_window_bits)),
            },
        })
    }

    /// What was negotiated, if this is a server's answer to [`offer`](Self::offer).
    ///
    /// [`ClientHandshake::deflate`](crate::handshake::ClientHandshake::deflate) does this by
    /// itself.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] if the extension is another, if a parameter is unknown, repeated or has a
    /// value that it cannot have, or if the answer does not fit the offer.
    pub fn verify(&self, answer: &Extension<'_>) -> Result<Params, HandshakeError> {
        let params = Params::from_answer(answer)?;
        let Params { server, client } = self.wanted;
        let fits = (params.server.no_context_takeover || !server.no_context_takeover)
            && server.max_window_bits.is_none_or(|most| {
                params
                    .server
                    .max_window_bits
                    .is_some_and(|bits| bits <= most)
            })
            && params
                .client
                .max_window_bits
                .is_none_or(|bits| bits <= client.window_bits());
        if !fits {
            return Err(HandshakeError::InvalidExtensionParameter);
        }
        // A client may always do with less than it was told.
        let client = Direction {
            no_context_takeover: params.client.no_context_takeover || client.no_context_takeover,
            max_window_bits: least(params.client.max_window_bits, client.max_window_bits),
        };
        Ok(Params { client, ..params })
    }
}

impl Params {
    fn from_answer(answer: &Extension<'_>) -> Result<Self, HandshakeError> {
        if answer.name != NAME {
            return Err(HandshakeError::ExtensionNotOffered);
        }
        let said = Said::parse(answer).ok_or(HandshakeError::InvalidExtensionParameter)?;
        let client_max_window_bits = match said.client_max_window_bits {
            Some(None) => return Err(HandshakeError::InvalidExtensionParameter),
            said => said.flatten(),
        };
        Ok(Self {
            server: Direction {
                no_context_takeover: said.server_no_context_takeover,
                max_window_bits: said.server_max_window_bits,
            },
            client: Direction {
                no_context_takeover: said.client_no_context_takeover,
                max_window_bits: client_max_window_bits,
            },
        })
    }
}

/// The smaller of two wishes.
fn least(a: Option<u8>, b: Option<u8>) -> Option<u8> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Reads the value of a server's `Sec-WebSocket-Extensions`, where the handshake was made
/// elsewhere.
///
/// ```
/// use ws_proto::deflate::Params;
///
/// let params: Params =
///     "permessage-deflate; client_max_window_bits=10".parse()?;
/// assert_eq!(params.client_max_window_bits(), 10);
/// # Ok::<(), ws_proto::handshake::HandshakeError>(())
/// ```
impl FromStr for Params {
    type Err = HandshakeError;

    fn from_str(value: &str) -> Result<Self, HandshakeError> {
        let mut answers = crate::handshake::extensions_in(value.as_bytes());
        let answer = answers
            .next()
            .ok_or(HandshakeError::ExtensionNotOffered)??;
        match answers.next() {
            None => Self::from_answer(&answer),
            Some(_) => Err(HandshakeError::ExtensionNotOffered),
        }
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        for (said, name) in [
            (self.server.no_context_takeover, SERVER_NO_CONTEXT_TAKEOVER),
            (self.client.no_context_takeover, CLIENT_NO_CONTEXT_TAKEOVER),
        ] {
            if said {
                write!(f, "; {name}")?;
            }
        }
        for (bits, name) in [
            (self.server.max_window_bits, SERVER_MAX_WINDOW_BITS),
            (self.client.max_window_bits, CLIENT_MAX_WINDOW_BITS),
        ] {
            if let Some(bits) = bits {
                write!(f, "; {name}={bits}")?;
            }
        }
        Ok(())
    }
}
