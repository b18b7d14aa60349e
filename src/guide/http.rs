//! Open a connection: over sockets, through an HTTP library, over HTTP/2, and on a port that has
//! pages, too.
//!
//! The feature `handshake` (default) is a state machine like the others: bytes in, a request or a
//! response out. [`handshake`](crate::handshake) has it as a diagram, and a complete example byte
//! for byte. If another program did the handshake, none of this is needed: `WebSocket::new(Server,
//! &config)` is an open connection.
//!
//! # A server
//!
//! ```
//! use ws_proto::handshake::{Scheme, ServerHandshake};
//! use ws_proto::{Config, Server, WebSocket};
//!
//! /// Call it with the received bytes until it returns a connection or an error.
//! /// `out` must be written in any case.
//! fn accept(
//!     handshake: &mut ServerHandshake,
//!     input: &mut &mut [u8],
//!     out: &mut Vec<u8>,
//! ) -> Result<Option<WebSocket<Server>>, Box<dyn std::error::Error>> {
//!     let Some(request) = handshake.recv(input, out)? else {
//!         return Ok(None); // read more
//!     };
//!     if request.origin().is_some() && !request.is_same_origin(Scheme::Http) {
//!         request.reject(403).write(out)?;
//!         return Err("a page of another site".into());
//!     }
//!     if request.path() != "/chat" {
//!         request.reject(404).write(out)?;
//!         return Err("an unknown path".into());
//!     }
//!     let accept = request.accept().subprotocol_from(&["v2.chat", "v1.chat"]);
//!     let negotiated = accept.write(out)?;
//!     Ok(Some(WebSocket::new(negotiated, &Config::new())))
//! }
//! # let (mut handshake, mut out) = (ServerHandshake::new(), Vec::new());
//! # let mut bytes = *b"GET /chat HTTP/1.1\r\nHost: example.com\r\n\
//! #     Upgrade: websocket\r\nConnection: Upgrade\r\n\
//! #     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
//! #     Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: v1.chat\r\n\r\n\x81";
//! # let mut input = &mut bytes[..];
//! # let ws = accept(&mut handshake, &mut input, &mut out)?.expect("complete");
//! # assert_eq!((ws.subprotocol(), input.len()), (Some("v1.chat"), 1));
//! # assert!(out.starts_with(b"HTTP/1.1 101 "));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! * **Bytes after the request stay in `input`.** They are the client's first frames: pass them to
//!   [`recv`](crate::WebSocket::recv) of the connection before the next read.
//! * **An error has its HTTP response in `out` already.** Write it, then close.
//!   [`refused_head`](crate::handshake::ServerHandshake::refused_head) is for the log.
//! * **A deadline for all of it** is necessary, since a client that sends a byte a minute would
//!   keep its connection. [`Timeouts::with_handshake`] is that time, and a [`Session`] applies it.
//! * **Authentication** is a header, a cookie or a part of the query, which
//!   [`Request`](crate::handshake::Request) returns; reject with 401. Browsers cannot add headers:
//!   they send cookies, or a token in the query or in the first message.
//!
//! # Origin
//!
//! A browser sends its cookies with a request for WebSocket, also if the page is of another site,
//! and no other rule of browsers prevents it. A server that trusts cookies, or is in a private
//! network, must therefore check the `Origin` (RFC 6455 §10.2):
//!
//! * [`is_same_origin`](crate::handshake::Request::is_same_origin): pages of this server. The
//!   scheme is [`Scheme::Https`](crate::handshake::Scheme::Https) if the pages are reached through
//!   TLS, also if TLS ends at a proxy.
//! * [`origin_is_one_of`](crate::handshake::Request::origin_is_one_of): pages of a list.
//! * Clients that are not browsers may send no `Origin`, or any (§10.1). No header proves anything
//!   about them.
//! * A server that is not on the internet must also check that
//!   [`host`](crate::handshake::Request::host) is one of its own names. Otherwise the owner of any
//!   domain can direct its name to the server's address (DNS rebinding), and its pages have the
//!   same origin.
//!
//! # Pages on the same port
//!
//! [`recv_http`](crate::handshake::ServerHandshake::recv_http) returns requests that are not for
//! WebSocket, too: health checks, a page, the polling of clients without WebSocket.
//! [`HttpResponse::keep_alive`](crate::handshake::HttpResponse::keep_alive) has an example. For
//! more than a few pages, use an HTTP library.
//!
//! # hyper, axum, and other HTTP libraries
//!
//! The library reads the request and sends the response. This crate checks the one and returns the
//! other, as parts: status, headers, and no invented fields. Then the frames are exchanged over the
//! bytes of the upgraded connection. With the feature `http`, the parts are those of the crate
//! `http`:
//!
//! ```
//! # #[cfg(feature = "http")] mod example {
//! use std::io;
//! use ws_proto::handshake::{Request, Scheme};
//! use ws_proto::{Negotiated, Server};
//!
//! /// `protocol` is `:protocol` of HTTP/2, with hyper:
//! /// `http.extensions().get().map(hyper::ext::Protocol::as_str)`.
//! fn answer<B>(
//!     http: &http::Request<B>,
//!     protocol: Option<&str>,
//!     start: impl FnOnce(Negotiated<Server>),
//! ) -> io::Result<http::Response<Vec<u8>>> {
//!     let parts = match Request::from_http(http, protocol) {
//!         // `Scheme::Http` without TLS. Not all programs send an `Origin`.
//!         Ok(r) if r.origin().is_some() && !r.is_same_origin(Scheme::Https) => {
//!             r.reject(403).parts()?
//!         }
//!         Ok(request) => {
//!             let (parts, negotiated) = request.accept().parts()?;
//!             // In a task: await `hyper::upgrade::on(..)`, then converse.
//!             start(negotiated);
//!             parts
//!         }
//!         // The status, and the headers that belong to it, such as `Upgrade`.
//!         Err(error) => error.parts(),
//!     };
//!     http::Response::try_from(parts).map_err(io::Error::other)
//! }
//! # pub fn run() {
//! # let request = http::Request::get("/chat")
//! #     .header("host", "example.com")
//! #     .header("origin", "https://example.com")
//! #     .header("upgrade", "websocket")
//! #     .header("connection", "Upgrade")
//! #     .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
//! #     .header("sec-websocket-version", "13");
//! # let response = answer(&request.body(()).unwrap(), None, |_| {}).unwrap();
//! # assert_eq!(response.status(), 101);
//! # }
//! # }
//! # #[cfg(feature = "http")]
//! # example::run();
//! ```
//!
//! For a server with hyper, add:
//!
//! * The features `server`, `http1` and `http2` of `hyper`, `tokio` and `server-auto` of
//!   `hyper-util`, and `http-body-util` for the body: `response.map(Full::from)`.
//! * A test of the path before `from_http`, since its answer to a request for a page is 426.
//! * `hyper::upgrade::on(&mut request)`, before the request is borrowed.
//! * The task: `TokioIo::new(upgrade.await?)` is the stream, `Session::open(negotiated, ..)` the
//!   session, and [`asynchronous`](super::asynchronous) has its driver.
//! * `builder.http2().enable_connect_protocol()`, and `serve_connection_with_upgrades`.
//!
//! `examples/hosts` has the complete server, `hyper_upgrade`: pages, an upgrade of HTTP/1.1 and an
//! extended CONNECT of HTTP/2 on one port with TLS.
//!
//! Other libraries:
//!
//! * axum: the handler accepts `axum::extract::Request`, and returns the response with its body
//!   mapped to `axum::body::Body`. axum's own extractor for WebSocket is not used.
//! * Without the feature: [`Request::from_headers`](crate::handshake::Request::from_headers)
//!   accepts names and values.
//!
//! # HTTP/2 and HTTP/3
//!
//! WebSocket over HTTP/2 (RFC 8441) and HTTP/3 (RFC 9220) is a stream that an extended CONNECT
//! opens. There is no key and no `Upgrade`; the status is 200. Frames are the same, and clients
//! mask, too.
//!
//! * A server must enable it: `SETTINGS_ENABLE_CONNECT_PROTOCOL` (8 in both) with the value 1. With
//!   hyper: `http2().enable_connect_protocol()`. Browsers that support it then use it, and open a
//!   connection of HTTP/1.1 otherwise.
//! * A client must have received that setting before it sends its CONNECT:
//!   [`connect_parts`](crate::handshake::ClientHandshake::connect_parts) has an example.
//! * [`from_connect`](crate::handshake::Request::from_connect) checks the request, and so does
//!   `from_http`, if it is passed the protocol.
//! * Call [`recv_eof`](crate::WebSocket::recv_eof) when the stream ends **or is reset**. Where a
//!   socket would be closed, end the stream.
//! * Flow control of the stream is backpressure: release its window only for bytes that `recv`
//!   consumed.
//! * With hyper, a stream whose peer grants no window is only freed with its connection, also after
//!   the session has ended. Limit `max_concurrent_streams`, and end such connections.
//!
//! # A client
//!
//! The client resolves the name, opens the socket, and wraps it into TLS for `wss:` (§10.6). Then,
//! with a [`Session`]:
//!
//! ```
//! use std::io;
//! use std::time::Duration;
//! use ws_proto::handshake::{Answer, ClientHandshake};
//! use ws_proto::uri::Uri;
//! use ws_proto::{Client, Config, Negotiated, Session, Timeouts};
//!
//! /// Begins a connection. `seed` is 32 secret random bytes, for instance of the
//! /// `getrandom` crate, used for this connection only.
//! fn connect(
//!     uri: &Uri<'_>,
//!     seed: [u8; 32],
//!     now: Duration,
//! ) -> io::Result<(Session<Client>, ClientHandshake)> {
//!     let handshake = ClientHandshake::new(uri, Client::new(seed))
//!         .subprotocols(&["v2.chat"])
//!         .headers(&[("Authorization", b"Bearer 1234")]);
//!     let mut session = Session::new(&Config::new(), &Timeouts::new(), now);
//!     let failed = session.handshake(now, |_, out| {
//!         handshake.write_request(out)?;
//!         Ok::<_, io::Error>(None)
//!     });
//!     failed.map_or(Ok((session, handshake)), Err)
//! }
//!
//! /// The next step. Whenever bytes were received, until `session.websocket()` is
//! /// there: `session.handshake(now, |input, _| step(&mut handshake, input))`.
//! fn step(
//!     handshake: &mut ClientHandshake,
//!     input: &mut &mut [u8],
//! ) -> io::Result<Option<Negotiated<Client>>> {
//!     match handshake.recv(input)? {
//!         None => Ok(None), // read more
//!         Some(Answer::Accepted { negotiated, .. }) => {
//!             Ok(Some(negotiated))
//!         }
//!         Some(Answer::Rejected(response)) => {
//!             // 301, 302, 303, 307, 308: `Location`. 401: authenticate.
//!             let status = response.status();
//!             Err(io::Error::other(format!("rejected: {status}")))
//!         }
//!     }
//! }
//! # let uri = Uri::parse("ws://example.com/")?;
//! # let (mut session, mut handshake) = connect(&uri, [7; 32], Duration::ZERO)?;
//! # assert!(session.output().starts_with(b"GET / HTTP/1.1\r\n"));
//! # session.received(Duration::ZERO, b"HTTP/1.1 404 Not Found\r\n\r\n");
//! # let error = session.handshake(Duration::ZERO, |input, _| step(&mut handshake, input));
//! # assert_eq!(error.unwrap().to_string(), "rejected: 404");
//! # Ok::<(), io::Error>(())
//! ```
//!
//! * **Redirects** are returned, not followed: [`Uri::join`](crate::uri::Uri::join) resolves the
//!   `Location`. Limit their number, and send credentials only to the host that asked for them.
//! * **A proxy** that the network requires: [`ProxyConnect`](crate::handshake::ProxyConnect) first,
//!   on the same stream.
//! * **One at a time**: at most one connection to the same IP address and port, under whatever host
//!   name, may be in its opening handshake (§4.1).
//! * **Happy eyeballs, DNS and timeouts of `connect`** are those of your network library.
//!
//! # Questions
//!
//! * **Which subprotocol was selected?** [`WebSocket::subprotocol`](crate::WebSocket::subprotocol).
//!   Without one in common, the connection is open without: a server that requires one rejects with
//!   400, a client calls
//!   [`subprotocol_required`](crate::handshake::ClientHandshake::subprotocol_required).
//! * **How is compression negotiated?** By `deflate(&config)` of
//!   [`Accept`](crate::handshake::Accept) and of
//!   [`ClientHandshake`](crate::handshake::ClientHandshake):
//!   [`broadcast`](super::broadcast#what-does-compression-cost) has its cost.
//! * **Does CORS apply?** No. Browsers send the request without asking first: check the origin.
//! * **How are cookies set?** [`Accept::headers`](crate::handshake::Accept::headers) adds headers
//!   to the response; a client reads those of
//!   [`Answer::Accepted`](crate::handshake::Answer::Accepted).
//! * **Which requests are refused, and why?** See the tables in
//!   [`handshake`](crate::handshake#input-that-is-refused).
//! * **Is a client with HTTP/1.0, or a body, served?** No. Parsers that disagree enable request
//!   smuggling.
//!
//! [`Session`]: crate::Session
//! [`Timeouts::with_handshake`]: crate::Timeouts::with_handshake
