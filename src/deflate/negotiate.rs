//! Negotiation (RFC 7692 §5, §7.1): the offer, its acceptance, and the check of a response.

use super::config::DeflateConfig;
use super::params::{Direction, Params};
use crate::extension::{self, Extension, InvalidExtensions, Value};
use alloc::string::{String, ToString};
use core::{error, fmt, mem, str::FromStr};

/// The name under which the extension is registered.
const NAME: &str = "permessage-deflate";

const SERVER_NO_CONTEXT_TAKEOVER: &str = "server_no_context_takeover";
const CLIENT_NO_CONTEXT_TAKEOVER: &str = "client_no_context_takeover";
const SERVER_MAX_WINDOW_BITS: &str = "server_max_window_bits";
const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

/// The parameters of an offer or of a response, before their meaning is checked.
#[derive(Default)]
struct RawParams {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    client_max_window_bits: ClientWindow,
}

/// `client_max_window_bits`, whose value is optional in an offer.
#[derive(Clone, Copy, Default)]
enum ClientWindow {
    #[default]
    Absent,
    WithoutValue,
    Bits(u8),
}

impl RawParams {
    /// Returns `None` if a parameter is unknown, repeated, or has an invalid value (§7.1).
    fn parse(extension: &Extension<'_>) -> Option<Self> {
        let mut raw = Self::default();
        for param in extension.params() {
            let is_repeated = match (param.name, param.value) {
                (SERVER_NO_CONTEXT_TAKEOVER, None) => {
                    mem::replace(&mut raw.server_no_context_takeover, true)
                }
                (CLIENT_NO_CONTEXT_TAKEOVER, None) => {
                    mem::replace(&mut raw.client_no_context_takeover, true)
                }
                (SERVER_MAX_WINDOW_BITS, Some(value)) => raw
                    .server_max_window_bits
                    .replace(window_bits(value)?)
                    .is_some(),
                (CLIENT_MAX_WINDOW_BITS, value) => {
                    let window = match value {
                        Some(value) => ClientWindow::Bits(window_bits(value)?),
                        None => ClientWindow::WithoutValue,
                    };
                    let before = mem::replace(&mut raw.client_max_window_bits, window);
                    !matches!(before, ClientWindow::Absent)
                }
                _ => return None,
            };
            if is_repeated {
                return None;
            }
        }
        Some(raw)
    }
}

/// Parses a decimal from 8 to 15 without leading zeros.
fn window_bits(value: Value<'_>) -> Option<u8> {
    (8..)
        .zip(["8", "9", "10", "11", "12", "13", "14", "15"])
        .find_map(|(bits, text)| (value == text).then_some(bits))
}

impl DeflateConfig {
    /// Returns the value of `Sec-WebSocket-Extensions` with which a client offers the extension.
    ///
    /// `ClientHandshake::deflate` sends it; this is for requests that are written by other means.
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

    /// Returns the parameters with which a server accepts the first valid offer of a client (RFC
    /// 7692 §5.1), or `None` if it must decline. The offers are the elements of the request's
    /// `Sec-WebSocket-Extensions`; other extensions are ignored.
    ///
    /// `Accept::deflate` calls this; it is for responses that are written by other means, whose
    /// `Sec-WebSocket-Extensions` must have the value `params.to_string()`.
    #[must_use]
    pub fn accept<'a>(&self, offers: impl IntoIterator<Item = Extension<'a>>) -> Option<Params> {
        let offer = offers
            .into_iter()
            .filter(|offer| offer.name == NAME)
            .find_map(|offer| RawParams::parse(&offer))?;
        let Params { server, client } = self.wanted;
        Some(Params {
            server: Direction {
                no_context_takeover: server.no_context_takeover || offer.server_no_context_takeover,
                // A requested value must be confirmed, even if it is 15 (§7.1.2.1).
                max_window_bits: min(offer.server_max_window_bits, server.max_window_bits),
            },
            client: Direction {
                no_context_takeover: client.no_context_takeover || offer.client_no_context_takeover,
                // Permitted only if the offer has the parameter (§7.1.2.2).
                max_window_bits: match offer.client_max_window_bits {
                    ClientWindow::Absent => None,
                    ClientWindow::WithoutValue => client.max_window_bits,
                    ClientWindow::Bits(bits) => min(Some(bits), client.max_window_bits),
                },
            },
        })
    }

    /// Returns the negotiated parameters, given the extensions that the server accepted in response
    /// to [`offer`](Self::offer): the elements of its `Sec-WebSocket-Extensions`. Returns `None` if
    /// there are none, so that compression is not in use.
    ///
    /// `ClientHandshake::deflate` calls this; it is for responses that are read by other means.
    ///
    /// # Errors
    ///
    /// [`NegotiationError`] if there is another extension, if a parameter is unknown, repeated or
    /// has an invalid value, or if the parameters do not match the offer.
    pub fn verify<'a>(
        &self,
        accepted: impl IntoIterator<Item = Extension<'a>>,
    ) -> Result<Option<Params>, NegotiationError> {
        let mut accepted = accepted.into_iter();
        let Some(extension) = accepted.next() else {
            return Ok(None);
        };
        let params = self.verify_params(Params::from_accepted(&extension)?)?;
        match accepted.next() {
            None => Ok(Some(params)),
            Some(_) => Err(NegotiationError::ExtensionNotOffered),
        }
    }

    fn verify_params(&self, params: Params) -> Result<Params, NegotiationError> {
        let Params { server, client } = self.wanted;
        let matches_offer = (params.server.no_context_takeover || !server.no_context_takeover)
            && server.max_window_bits.is_none_or(|max| {
                params
                    .server
                    .max_window_bits
                    .is_some_and(|bits| bits <= max)
            })
            && params
                .client
                .max_window_bits
                .is_none_or(|bits| bits <= client.window_bits());
        if !matches_offer {
            return Err(NegotiationError::InvalidParameter);
        }
        // A client may always use less than the server permits.
        let client = Direction {
            no_context_takeover: params.client.no_context_takeover || client.no_context_takeover,
            max_window_bits: min(params.client.max_window_bits, client.max_window_bits),
        };
        Ok(Params { client, ..params })
    }
}

impl Params {
    /// Returns the parameters in a server's response.
    fn from_accepted(extension: &Extension<'_>) -> Result<Self, NegotiationError> {
        if extension.name != NAME {
            return Err(NegotiationError::ExtensionNotOffered);
        }
        let raw = RawParams::parse(extension).ok_or(NegotiationError::InvalidParameter)?;
        let client_max_window_bits = match raw.client_max_window_bits {
            ClientWindow::Absent => None,
            ClientWindow::WithoutValue => return Err(NegotiationError::InvalidParameter),
            ClientWindow::Bits(bits) => Some(bits),
        };
        Ok(Self {
            server: Direction {
                no_context_takeover: raw.server_no_context_takeover,
                max_window_bits: raw.server_max_window_bits,
            },
            client: Direction {
                no_context_takeover: raw.client_no_context_takeover,
                max_window_bits: client_max_window_bits,
            },
        })
    }
}

/// Returns the smaller of two limits, each of which may be absent.
fn min(a: Option<u8>, b: Option<u8>) -> Option<u8> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// Parses the value of a server's `Sec-WebSocket-Extensions`, without comparing it with an offer.
///
/// ```
/// use ws_proto::deflate::Params;
///
/// let params: Params =
///     "permessage-deflate; client_max_window_bits=10".parse()?;
/// assert_eq!(params.client_max_window_bits(), 10);
/// # Ok::<(), ws_proto::deflate::NegotiationError>(())
/// ```
impl FromStr for Params {
    type Err = NegotiationError;

    fn from_str(value: &str) -> Result<Self, NegotiationError> {
        let mut accepted = extension::parse(value.as_bytes());
        let extension = accepted
            .next()
            .ok_or(NegotiationError::ExtensionNotOffered)??;
        match accepted.next() {
            None => Self::from_accepted(&extension),
            Some(_) => Err(NegotiationError::ExtensionNotOffered),
        }
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)?;
        for (no_context_takeover, name) in [
            (self.server.no_context_takeover, SERVER_NO_CONTEXT_TAKEOVER),
            (self.client.no_context_takeover, CLIENT_NO_CONTEXT_TAKEOVER),
        ] {
            if no_context_takeover {
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

/// Why the extensions that a server accepted are not permessage-deflate as it was offered.
///
/// It converts to a `std::io::Error` of kind `InvalidData`, and to a `HandshakeError`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NegotiationError {
    /// The header's value does not follow the grammar (RFC 6455 §9.1).
    InvalidExtensions,
    /// The value is not exactly one extension with the name `permessage-deflate` (RFC 6455 §4.1).
    ExtensionNotOffered,
    /// A parameter is unknown, repeated, has an invalid value, or does not match the offer (RFC
    /// 7692 §7.1).
    InvalidParameter,
}

impl fmt::Display for NegotiationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvalidExtensions => return InvalidExtensions.fmt(f),
            Self::ExtensionNotOffered => "the server accepted an extension that was not offered",
            Self::InvalidParameter => {
                "a parameter of permessage-deflate is invalid or does not match the offer"
            }
        })
    }
}

impl error::Error for NegotiationError {}

impl From<InvalidExtensions> for NegotiationError {
    fn from(_: InvalidExtensions) -> Self {
        Self::InvalidExtensions
    }
}

impl From<NegotiationError> for std::io::Error {
    fn from(error: NegotiationError) -> Self {
        Self::new(std::io::ErrorKind::InvalidData, error)
    }
}
