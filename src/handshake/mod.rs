//! The HTTP/1.1 opening handshake (RFC 6455 §4), both sides.
//!
//! ```text
//!         client                                         server
//!
//!    ClientHandshake::new                          ServerHandshake::new
//!           │ write_request                                │
//!           │                                              │ recv: None, read more
//!           └────────────────── GET ─────────────────────► │
//!                                                          ├─ recv: Err ── the HTTP error is in `out` ── close
//!                                                          │
//!                                                       Request
//!    recv: None, read more                                 │
//!           │ ◄──────────────── 101 ───────────────────────┼─ accept ── Negotiated<Server> ── OPEN
//!           │ ◄────────── 3xx, 4xx, 5xx ───────────────────┴─ reject ── close
//!           │
//!           ├─ Err ── close
//!           ├─ Answer::Rejected ── follow, authenticate, or close
//!           └─ Answer::Accepted ── Negotiated<Client> ── OPEN
//! ```
//!
//! [`Negotiated`](crate::Negotiated) is all that the connection gets to know of it. Nothing of what is sent
//! here is a frame: a handshake that fails ends with an HTTP error or without an answer, never with
//! a Close frame (§7.1.7).
//!
//! One whole handshake, byte for byte:
//!
//! ```
//! # #[cfg(feature = "alloc")] {
//! use ws_proto::handshake::{Answer, ClientHandshake, HeadLimits, ServerHandshake};
//! use ws_proto::{Client, uri::Uri};
//!
//! // The seed comes from the system's random source.
//! let uri = Uri::parse("ws://example.com/chat")?;
//! let mut client = ClientHandshake::new(&uri, Client::new([7; 32])).subprotocols(&["chat", "superchat"]).origin("http://example.com");
//! let mut sent = Vec::new();
//! client.write_request(&mut sent)?;
//! assert_eq!(
//!     sent,
//!     b"GET /chat HTTP/1.1\r\n\
//!       Host: example.com\r\n\
//!       Upgrade: websocket\r\n\
//!       Connection: Upgrade\r\n\
//!       Sec-WebSocket-Key: 9pKJeIXAyyCj5M0QagsVvA==\r\n\
//!       Sec-WebSocket-Version: 13\r\n\
//!       Origin: http://example.com\r\n\
//!       Sec-WebSocket-Protocol: chat, superchat\r\n\
//!       \r\n"
//! );
//!
//! let mut server = ServerHandshake::new(HeadLimits::default());
//! let mut answer = Vec::new();
//! let mut input = &mut sent[..];
//! if let Some(request) = server.recv(&mut input, &mut answer)? {
//!     // Only pages of this very server may connect: without this line, any page in the user's browser may, cookies and all.
//!     if !request.is_same_origin(false) {
//!         request.reject(403).write(&mut answer)?;
//!     } else if request.path() != "/chat" {
//!         request.reject(404).write(&mut answer)?;
//!     } else {
//!         let protocol = request.subprotocols().find(|name| *name == "chat");
//!         let negotiated = request.accept().subprotocol(protocol).write(&mut answer)?;
//!         assert_eq!(negotiated.subprotocol(), Some("chat"));
//!     }
//! }
//! assert_eq!(
//!     answer,
//!     b"HTTP/1.1 101 Switching Protocols\r\n\
//!       Upgrade: websocket\r\n\
//!       Connection: Upgrade\r\n\
//!       Sec-WebSocket-Accept: MXHCaJPMZA/Ir6yhiiyxoBpnBAA=\r\n\
//!       Sec-WebSocket-Protocol: chat\r\n\
//!       \r\n"
//! );
//!
//! let mut input = &mut answer[..];
//! match client.recv(&mut input)? {
//!     Some(Answer::Accepted { negotiated, .. }) => assert_eq!(negotiated.subprotocol(), Some("chat")),
//!     Some(Answer::Rejected(response)) => panic!("refused: {}", response.status()),
//!     None => panic!("there is more to read"),
//! }
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Without allocation, and with another HTTP
//!
//! Without the feature `alloc` there are [`Request`] and [`Response`], which parse a slice,
//! [`Request::accept`] and [`Request::reject`], which write the answer, and [`fresh_key`] and
//! [`accept_key`]. If something else parsed the HTTP (hyper, a proxy in front),
//! [`Request::from_headers`] and [`Response::from_headers`] apply the same rules to what it found,
//! and an [`Negotiated`](crate::Negotiated) can be built from a role.
//!
//! # What is refused, and why
//!
//! Heads are read strictly, without an option to relax it: two recipients that read the same bytes
//! differently are what request smuggling needs (RFC 9112 §11.2). An error is returned at the first
//! byte that makes it certain, before the line or the head is complete. A TLS record or an HTTP/2
//! frame that arrives here fails at its first byte.
//!
//! | input | result | reason |
//! | --- | --- | --- |
//! | LF without CR, CR without LF | `BareLf`, `BareCr` | RFC 9112 §2.2 |
//! | a line that begins with whitespace | `ObsFold` | RFC 9112 §5.2 |
//! | whitespace before the colon of a field | `FieldName` | RFC 9112 §5.1 |
//! | a control character in a value | `FieldValue` | RFC 9110 §5.5 |
//! | a byte that the first line cannot have there | `RequestLine`, `StatusLine` | RFC 9112 §3, §4 |
//! | a method other than GET | `Method` (405) | RFC 6455 §4.2.1 |
//! | a target that is `*`, `host:port`, or has a `#` | `Target` | RFC 6455 §4.2.1 |
//! | a request of HTTP/1.0 | `HttpVersion` (426) | `Upgrade` is ignored there, RFC 9110 §7.8 |
//! | another version before 1.1 or after 1.9 | `HttpVersion` (505) | RFC 9110 §15.6.6 |
//! | a response 101 of HTTP/1.0 | `HttpVersion` | RFC 6455 §4.1 |
//! | `Host`, `Origin`, `Upgrade`, key, version or accept twice | `Duplicate` | ambiguous |
//! | a second `Sec-WebSocket-Protocol` in a response | `Duplicate` | RFC 6455 §11.3.4 |
//! | a list with an element against its grammar | `Invalid` | RFC 9110 §5.6.1, RFC 6455 §9.1 |
//! | a key that does not decode to 16 bytes | `Invalid` | RFC 6455 §4.2.1 |
//! | a request with a body | `Body` | its bytes would be read as frames |
//! | two empty lines before a request | `RequestLine` | RFC 9112 §2.2 |
//! | an empty line before a response | `StatusLine` | RFC 9112 §2.2 |
//! | later, a compressed message of zero bytes | `InvalidCompression` | no block ends, RFC 7692 §7.2.1 |
//! | later, one with its tail `00 00 ff ff` | `InvalidCompression` | sent without, RFC 7692 §7.2.1 |
//!
//! Some deviations are common, and have only one possible meaning:
//!
//! | input | result | reason |
//! | --- | --- | --- |
//! | one empty line before a request | skipped, and counted as bytes of the head | RFC 9112 §2.2 |
//! | an absolute target with `ws` or `wss` | accepted as with `http` or `https` | RFC 9112 §3.2.2 |
//! | a target that is not fully percent-encoded | accepted as received | browsers send it |
//! | a key with padding bits that are not zero | accepted as received | RFC 6455 §4.1 prints one |
//! | empty elements of lists | skipped | RFC 9110 §5.6.1.2 |
//! | a status line that ends after its code | accepted, with an empty reason | devices send it |
//! | a refusal of HTTP/1.0 | returned as any other | proxies send it |
//! | fields about a body in a response 101 | ignored | RFC 9112 §6.3 |

#[cfg(feature = "alloc")]
mod client;
mod error;
mod extension;
mod fields;
mod head;
mod key;
mod origin;
mod request;
mod response;
mod server;

#[cfg(feature = "alloc")]
pub use client::{Answer, ClientHandshake};
pub use error::{HandshakeError, WriteError};
#[cfg(feature = "deflate")]
pub(crate) use extension::extensions_in;
pub use extension::{Extension, Param, Value};
pub use fields::Headers;
pub use head::HeadLimits;
pub use key::{accept_key, fresh_key};
pub use request::Request;
pub use response::{Body, Response};
#[cfg(feature = "alloc")]
pub use server::ServerHandshake;
pub use server::{Accept, Reject};

use crate::Output;

/// Appends all pieces of a message, or nothing.
fn append<'p>(
    out: &mut (impl Output + ?Sized),
    pieces: impl Iterator<Item = &'p [u8]> + Clone,
) -> Result<(), WriteError> {
    // The same bytes may stand in it many times, so that on a 32-bit target the sum need not be a
    // `usize`.
    let needed = pieces
        .clone()
        .fold(0_usize, |sum, piece| sum.saturating_add(piece.len()));
    if out.room() < needed {
        return Err(WriteError::OutputFull { needed });
    }
    for piece in pieces {
        out.append(piece);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{WriteError, append};
    use crate::SliceOutput;

    /// L2: on a 32-bit target, a sum that had gone round would be taken for the room of a message
    /// that is short.
    #[test]
    fn l2_the_room_of_a_message_longer_than_the_address_space_is_not_short() {
        static PIECE: [u8; 1 << 20] = [b'x'; 1 << 20];
        let mut memory = [0; 100];
        let mut out = SliceOutput::new(&mut memory);
        let needed = usize::try_from((PIECE.len() as u64) << 12).unwrap_or(usize::MAX);
        assert_eq!(
            append(&mut out, core::iter::repeat_n(&PIECE[..], 1 << 12)),
            Err(WriteError::OutputFull { needed })
        );
        assert_eq!(out.as_bytes(), b"");
    }
}
