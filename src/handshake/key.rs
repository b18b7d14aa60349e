//! `Sec-WebSocket-Key` and `Sec-WebSocket-Accept` (RFC 6455 §4.1, §4.2.2, §11.3).

use crate::role::Client;
use base64::{
    Engine, alphabet,
    engine::{GeneralPurpose, GeneralPurposeConfig},
};
use sha1_smol::Sha1;

/// Base64 that accepts any bits as the padding of the last character: the key that RFC 6455 §4.1
/// prints as an example has some that are not zero.
static BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

/// The `Sec-WebSocket-Accept` that answers a `Sec-WebSocket-Key` (§4.2.2), for those who write the
/// response themselves.
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

/// A fresh `Sec-WebSocket-Key` (§4.1) from the client's secret, for those who write the request
/// themselves.
///
/// [`Response::verify`](super::Response::verify) then checks the answer.
#[must_use]
pub fn fresh_key(client: &mut Client) -> [u8; 24] {
    encode(&client.nonce())
}

/// `key`, if it decodes to 16 bytes (§4.2.1).
pub(super) fn checked_key(key: &[u8]) -> Option<[u8; 24]> {
    // base64 estimates the length of what it decodes before it looks at the padding.
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
