//! `Sec-WebSocket-Key` and `Sec-WebSocket-Accept` (RFC 6455 §4.1, §4.2.2, §11.3).

use super::base64;
use super::sha1::sha1;
use crate::role::Client;

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
    const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

    base64::encode(&sha1(&[key, GUID]))
}

/// Returns a fresh `Sec-WebSocket-Key` (§4.1), derived from the client's secret seed.
///
/// `ClientHandshake` sends one; this is for requests that are written by other means.
/// [`Response::verify`](super::Response::verify) then checks the response.
#[must_use]
pub fn fresh_key(client: &mut Client) -> [u8; 24] {
    base64::encode(&client.nonce())
}

/// Returns `key` if it decodes to 16 bytes (§4.2.1).
pub(super) fn checked_key(key: &[u8]) -> Option<[u8; 24]> {
    // 16 bytes are 22 characters and two of padding. Any padding bits are accepted in the last
    // character: in the example key of RFC 6455 §4.1 they are not zero.
    let text = key.strip_suffix(b"==")?;
    let is_valid = text.iter().copied().all(base64::is_digit);
    key.try_into().ok().filter(|_| is_valid)
}
