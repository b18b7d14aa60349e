//! `Sec-WebSocket-Key` and `Sec-WebSocket-Accept` (RFC 6455 §4.1, §4.2.2, §11.3).

use crate::role::Client;
use base64::{
    Engine, alphabet,
    engine::{GeneralPurpose, GeneralPurposeConfig},
};
use sha1_smol::Sha1;

/// Base64 that accepts any padding bits in the last character: in the example key of RFC 6455 §4.1
/// they are not zero.
static BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// Returns the `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key` (§4.2.2).
///
/// [`Accept::write`](super::Accept::write) sends it; this is for responses that are written by
/// other means.
///
/// ```
/// use ws_proto::handshake::accept_key;
///
/// assert_eq!(
///     accept_key(b"dGhlIHNhbXBsZSBub25jZQ=="),
///     *b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
/// );
/// ```
#[must_use]
pub fn accept_key(key: &[u8]) -> [u8; 28] {
    let mut sha1 = Sha1::new();
    sha1.update(key);
    sha1.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    encode(&sha1.digest().bytes())
}

/// Returns a fresh `Sec-WebSocket-Key` (§4.1), derived from the client's secret seed.
///
/// `ClientHandshake` sends one; this is for requests that are written by other means.
/// [`Response::verify`](super::Response::verify) then checks the response.
#[must_use]
pub fn fresh_key(client: &mut Client) -> [u8; 24] {
    encode(&client.nonce())
}

/// Returns `key` if it decodes to 16 bytes (§4.2.1).
pub(super) fn checked_key(key: &[u8]) -> Option<[u8; 24]> {
    // base64 estimates the decoded length before it reads the padding.
    let mut nonce = [0; 18];
    match BASE64.decode_slice(key, &mut nonce) {
        Ok(16) => key.try_into().ok(),
        _ => None,
    }
}

fn encode<const LEN: usize>(bytes: &[u8]) -> [u8; LEN] {
    let mut text = [0; LEN];
    let written = BASE64.encode_slice(bytes, &mut text);
    debug_assert_eq!(written, Ok(LEN));
    text
}
