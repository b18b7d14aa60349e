//! The opening handshake (RFC 6455 §4), both sides: over HTTP/1.1, and as a function of methods,
//! statuses and headers over any HTTP.
//!
//! ```text
//!      client                                    server
//!
//! ClientHandshake::new                      ServerHandshake::new
//!        │ write_request                           │
//!        │                                         │ recv: None, read more
//!        └──────────────── GET ──────────────────► │
//!                                                  ├─ recv: Err, the HTTP error
//!                                                  │  is in `out` ── close
//!                                               Request
//!  recv: None, read more                           │
//!        │ ◄────────────── 101 ────────────────────┼─ accept
//!        │                                         │  ── Negotiated<Server>, OPEN
//!        │ ◄───────── 3xx, 4xx, 5xx ───────────────┴─ reject ── close, or recv again
//!        │
//!        ├─ Err ── close
//!        ├─ Answer::Rejected ── redirect, authenticate, or close
//!        └─ Answer::Accepted ── Negotiated<Client>, OPEN
//! ```
//!
//! The result is a [`Negotiated`](crate::Negotiated), from which a connection starts. No frame is
//! sent before that: a handshake that fails ends with an HTTP error or without an answer, never
//! with a Close frame (§7.1.7).
//!
//! A complete handshake, byte for byte:
//!
//! ```
//! # #[cfg(feature = "alloc")] {
//! use ws_proto::handshake::{Answer, ClientHandshake, Scheme, ServerHandshake};
//! use ws_proto::{Client, uri::Uri};
//!
//! // The seed is from the system's random source.
//! let uri = Uri::parse("ws://example.com/chat")?;
//! let mut client = ClientHandshake::new(&uri, Client::new([7; 32]))
//!     .subprotocols(&["chat", "superchat"])
//!     .origin("http://example.com");
//! let mut request = Vec::new();
//! client.write_request(&mut request)?;
//! assert_eq!(
//!     request,
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
//! let mut server = ServerHandshake::new();
//! let mut out = Vec::new();
//! let mut input = &mut request[..];
//! if let Some(request) = server.recv(&mut input, &mut out)? {
//!     // Only pages of this server may connect. Without this check, a page of
//!     // any site can connect in the name of the user, cookies included.
//!     if !request.is_same_origin(Scheme::Http) {
//!         request.reject(403).write(&mut out)?;
//!     } else if request.path() != "/chat" {
//!         request.reject(404).write(&mut out)?;
//!     } else {
//!         let accept = request.accept().subprotocol_from(&["chat"]);
//!         let negotiated = accept.write(&mut out)?;
//!         assert_eq!(negotiated.subprotocol(), Some("chat"));
//!     }
//! }
//! assert_eq!(
//!     out,
//!     b"HTTP/1.1 101 Switching Protocols\r\n\
//!       Upgrade: websocket\r\n\
//!       Connection: Upgrade\r\n\
//!       Sec-WebSocket-Accept: MXHCaJPMZA/Ir6yhiiyxoBpnBAA=\r\n\
//!       Sec-WebSocket-Protocol: chat\r\n\
//!       \r\n"
//! );
//!
//! let mut input = &mut out[..];
//! match client.recv(&mut input)? {
//!     Some(Answer::Accepted { negotiated, .. }) => {
//!         assert_eq!(negotiated.subprotocol(), Some("chat"));
//!     }
//!     Some(Answer::Rejected(response)) => panic!("{}", response.status()),
//!     None => panic!("the response is incomplete"),
//! }
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Pages on the same port
//!
//! [`ServerHandshake::recv_http`] returns requests that are not for WebSocket, too: health checks,
//! pages, the polling of clients without WebSocket. [`HttpResponse::keep_alive`] has an example of
//! its loop.
//!
//! # With another HTTP library
//!
//! If another program does the HTTP (hyper, an h2 or HTTP/3 stack, a proxy in front), the handshake
//! is a function of the parts of its messages. No byte of HTTP is written here. With the feature
//! `http`, the parts are those of the crate `http`, which hyper and axum use.
//!
//! | | HTTP/1.1 | HTTP/2 (RFC 8441) and HTTP/3 (RFC 9220) |
//! | --- | --- | --- |
//! | a server checks the request by | [`Request::from_headers`] | [`Request::from_connect`] |
//! | and answers with | [`Accept::parts`], [`HttpResponse::parts`], [`HandshakeError::parts`] | the same |
//! | a client sends | [`ClientHandshake::request_parts`] | [`ClientHandshake::connect_parts`] |
//! | and checks the response by | [`Response::from_headers`], [`ClientHandshake::recv_response`] | the same |
//! | if the crate `http` is used | `Request::from_http`, `Response::from_http`, `TryFrom` | the same |
//!
//! Then frames are exchanged over the bytes of the upgraded connection, or of the stream.
//!
//! # Through a proxy
//!
//! A client whose network requires an HTTP proxy sends a [`ProxyConnect`] first, on the same
//! stream.
//!
//! # Without allocation
//!
//! Without the feature `alloc` there are [`Request`], [`Incoming`] and [`Response`], which parse a
//! slice; [`Request::accept`], [`Request::reject`] and [`HttpRequest::respond`], which write a
//! response; and [`fresh_key`] and [`accept_key`].
//!
//! # Input that is refused
//!
//! Heads are parsed strictly. This is not configurable: parser disagreement enables request
//! smuggling (RFC 9112 §11.2). An error is returned at the first byte that makes it certain, before
//! the line or the head is complete. A TLS record or an HTTP/2 frame fails at its first byte.
//!
//! | input | result | reason |
//! | --- | --- | --- |
//! | LF without CR, CR without LF | `BareLf`, `BareCr` | RFC 9112 §2.2 |
//! | a line that begins with whitespace | `ObsFold` | RFC 9112 §5.2 |
//! | whitespace before the colon of a header | `InvalidHeaderName` | RFC 9112 §5.1 |
//! | a control character in a value | `InvalidHeaderValue` | RFC 9110 §5.5 |
//! | an invalid byte in the request line | `InvalidRequestLine` | RFC 9112 §3 |
//! | an invalid byte in the status line | `InvalidStatusLine` | RFC 9112 §4 |
//! | a method other than GET (1) | `MethodNotAllowed` (405) | RFC 6455 §4.2.1 |
//! | a target that is `*` (1), `host:port` (1), or has a `#` | `InvalidTarget` | RFC 6455 §4.2.1 |
//! | a request of HTTP/1.0 (1) | `UnsupportedHttpVersion` (426) | it has no `Upgrade`, RFC 9110 §7.8 |
//! | another version before 1.1 or after 1.9 | `UnsupportedHttpVersion` (505) | RFC 9110 §15.6.6 |
//! | a response 101 of HTTP/1.0 | `UnsupportedHttpVersion` | RFC 6455 §4.1 |
//! | `Host`, `Origin`, `Upgrade`, key, version or accept twice | `DuplicateHeader` | ambiguous |
//! | a second `Sec-WebSocket-Protocol` in a response | `DuplicateHeader` | RFC 6455 §11.3.4 |
//! | a list with an invalid element | `InvalidHeader` | RFC 9110 §5.6.1, RFC 6455 §9.1 |
//! | a key that does not decode to 16 bytes | `InvalidHeader` | RFC 6455 §4.2.1 |
//! | a request with a body (1) | `UnexpectedBody` | its bytes would be parsed as frames |
//! | a body of which the end is not certain (2) | `InvalidHeader` | RFC 9112 §6.3 |
//! | two empty lines before a request | `InvalidRequestLine` | RFC 9112 §2.2 |
//! | an empty line before a response | `InvalidStatusLine` | RFC 9112 §2.2 |
//!
//! (1) By `recv_http`, such a request is returned as an [`HttpRequest`]: `*` with the method
//! OPTIONS, and `host:port` with CONNECT. (2) Such as one with both `Content-Length` and
//! `Transfer-Encoding`.
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
//! | a rejection of HTTP/1.0 | returned as any other | proxies send it |
//! | headers about a body in a response 101 | ignored | RFC 9112 §6.3 |

mod client;
mod error;
mod http;
mod key;
mod server;
#[cfg(feature = "http")]
mod types;

#[cfg(feature = "alloc")]
pub use client::{Answer, ClientHandshake, ProxyAnswer, ProxyConnect, RequestParts};
pub use client::{ClientRequest, Response, ResponseReader, Verified};
pub use error::{HandshakeError, WriteError};
pub use http::body::Body;
pub use http::head::{HeadBuffer, HeadLimits, HeadMemory};
pub use http::headers::Headers;
pub use key::{accept_key, fresh_key};
pub use server::{
    Accept, HttpRequest, HttpResponse, Incoming, Origin, OriginError, Request, ResponseParts,
    Scheme, ServerHandshake,
};
