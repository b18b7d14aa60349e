//! Judges the opening handshake, as the end that receives it does.

use crate::finding::{Peer, Violation};
use crate::http::{self, Head};
use ws_proto::deflate::DeflateConfig;
use ws_proto::extension::{self, Extension};
use ws_proto::handshake::{HandshakeError, HeadLimits, Request, Response};

/// The part of a request against which the response is judged.
pub struct Handshake {
    key: String,
    subprotocols: String,
    extensions: String,
}

impl Handshake {
    pub fn new(head: &Head) -> Self {
        Self {
            key: head.get("Sec-WebSocket-Key"),
            subprotocols: head.get("Sec-WebSocket-Protocol"),
            extensions: head.get("Sec-WebSocket-Extensions"),
        }
    }

    /// Judges a response as the client that sent this request does.
    pub fn verify(&self, response: &Response<'_>, accepted: &str) -> Result<(), HandshakeError> {
        let key = self.key.as_bytes();
        let mut verdict = response.verify(key, &self.subprotocols).map(drop);
        for offer in extension::parse(self.extensions.as_bytes()).flatten() {
            // A client may offer several, of which the server accepts one.
            let may_improve = matches!(
                verdict,
                Err(HandshakeError::ExtensionNotOffered | HandshakeError::InvalidExtensionParameter)
            );
            if offer.name == DEFLATE && may_improve {
                verdict = response
                    .verify_deflate(key, &self.subprotocols, &offered(&offer))
                    .map(drop);
                // Every offer that `DeflateConfig` makes permits it (RFC 7692 §7.1.2.2).
                let is_permitted = has_param(&offer, CLIENT_MAX_WINDOW_BITS);
                let mut accepted = extension::parse(accepted.as_bytes()).flatten();
                if verdict.is_ok()
                    && !is_permitted
                    && accepted.any(|extension| has_param(&extension, CLIENT_MAX_WINDOW_BITS))
                {
                    verdict = Err(HandshakeError::InvalidExtensionParameter);
                }
            }
        }
        verdict
    }

    /// Whether the client offers all that the server accepts.
    pub fn offers(&self, accepted: &str) -> bool {
        let mut accepted = extension::parse(accepted.as_bytes()).flatten().peekable();
        accepted.peek().is_some()
            && accepted.all(|accepted| {
                extension::parse(self.extensions.as_bytes())
                    .flatten()
                    .any(|offer| offer.name == accepted.name)
            })
    }
}

/// Returns the fault of a head, if it has one, and its place: the header, or the byte that makes it
/// certain.
pub fn fault(head: &[u8], from: Peer) -> Option<(u64, Violation)> {
    let judge = |head: &[u8]| match from {
        Peer::Client => Request::parse(head, &limits()).map(drop),
        Peer::Server => Response::parse(head, &limits()).map(drop),
    };
    let error = judge(head).err()?;
    if let Some(at) = header_at(error, head) {
        return Some((at, violation(error, from)));
    }
    // Once it is certain, it stays.
    let (mut good, mut bad) = (0, head.len());
    while good + 1 < bad {
        let middle = (good + bad) / 2;
        if judge(&head[..middle]).is_ok() {
            good = middle;
        } else {
            bad = middle;
        }
    }
    Some((bad as u64 - 1, violation(error, from)))
}

/// The index of the last header with the name that an error is about.
pub fn header_at(error: HandshakeError, head: &[u8]) -> Option<u64> {
    use HandshakeError as E;
    let name = match error {
        E::MissingUpgrade => "Upgrade",
        E::MissingConnectionUpgrade => "Connection",
        E::UnsupportedWebSocketVersion => "Sec-WebSocket-Version",
        E::DuplicateHeader(name) | E::InvalidHeader(name) | E::UnexpectedHeader(name) => name,
        E::ExtensionNotOffered | E::InvalidExtensionParameter => "Sec-WebSocket-Extensions",
        E::SubprotocolNotRequested => "Sec-WebSocket-Protocol",
        _ => return None,
    };
    let start = format!("\n{name}:");
    let at = head
        .windows(start.len())
        .rposition(|window| window.eq_ignore_ascii_case(start.as_bytes()))?;
    Some(at as u64 + 1)
}

pub fn violation(error: HandshakeError, from: Peer) -> Violation {
    Violation {
        rule: error.to_string(),
        section: section(error, from).to_owned(),
        reaction: match from {
            Peer::Client => format!("the server answers with {}", error.status()),
            Peer::Server => "the client fails the connection".to_owned(),
        },
    }
}

/// The limits on a head are a receiver's own, not the standard's.
pub fn limits() -> HeadLimits {
    HeadLimits::new()
        .with_max_bytes(http::MAX_HEAD + 1)
        .with_max_headers(http::MAX_HEAD)
}

pub const DEFLATE: &str = "permessage-deflate";

const CLIENT_MAX_WINDOW_BITS: &str = "client_max_window_bits";

fn has_param(extension: &Extension<'_>, name: &str) -> bool {
    extension.params().any(|param| param.name == name)
}

/// The settings that would make this offer.
fn offered(offer: &Extension<'_>) -> DeflateConfig {
    offer.params().fold(DeflateConfig::new(), |config, param| {
        let bits = |bits: &u8| {
            param
                .value
                .is_some_and(|value| value == bits.to_string().as_str())
        };
        let bits = (8..=15).find(bits).unwrap_or(15);
        match param.name {
            "server_no_context_takeover" => config.with_server_no_context_takeover(true),
            "client_no_context_takeover" => config.with_client_no_context_takeover(true),
            "server_max_window_bits" => config.with_server_max_window_bits(bits),
            CLIENT_MAX_WINDOW_BITS => config.with_client_max_window_bits(bits),
            _ => config,
        }
    })
}

/// The section that has the rule.
fn section(error: HandshakeError, from: Peer) -> &'static str {
    use HandshakeError as E;
    match error {
        E::BareLf | E::BareCr => "RFC 9112 section 2.2",
        E::InvalidRequestLine => "RFC 9112 section 3",
        E::InvalidStatusLine => "RFC 9112 section 4",
        E::InvalidHeaderName => "RFC 9112 section 5.1",
        E::ObsFold => "RFC 9112 section 5.2",
        E::InvalidHeaderValue => "RFC 9110 section 5.5",
        E::InvalidExtensionParameter => "RFC 7692 section 7.1",
        E::DuplicateHeader(_) => "RFC 6455 section 11.3",
        _ => match from {
            Peer::Client => "RFC 6455 section 4.2.1",
            Peer::Server => "RFC 6455 section 4.1",
        },
    }
}
