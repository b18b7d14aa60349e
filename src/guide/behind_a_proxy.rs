//! Run a server behind a proxy: a reverse proxy, or a load balancer.
//!
//! # Timeouts
//!
//! A proxy ends connections without traffic. Widespread ones do so after 60 seconds (nginx by
//! `proxy_read_timeout`, the load balancers of AWS by their idle timeout), and TCP's own keep-alive
//! does not count for them. So the time of the proxy must be longer than the interval of Pings, in
//! both directions:
//!
//! ```text
//!   ping interval  <  idle timeout of each proxy on the way
//!   30 s (default)    60 s (usual)
//! ```
//!
//! * The default of [`Timeouts::with_ping`] is 30 seconds for that reason. A peer that is silent
//!   for that time receives a Ping, and its Pong is traffic in the other direction.
//! * If the proxy has a shorter time, or its time is not known: reduce the interval, or raise the
//!   time of the proxy. Pings at exactly the time of the proxy are a race.
//! * A connection that the proxy ended is seen as the end of the stream or as a reset, **without a
//!   Close**: browsers report 1006. If all connections end after the same time, this is the reason.
//! * Some proxies limit the age of a connection, whatever its traffic. Clients must reconnect
//!   anyway: [here is how](super::asynchronous#a-client-with-keepalive-which-reconnects).
//!
//! ```
//! use std::time::Duration;
//! use ws_proto::Timeouts;
//!
//! // For a proxy that ends connections after 30 seconds without traffic.
//! let timeouts = Timeouts::new().with_ping(Some(Duration::from_secs(20)));
//! ```
//!
//! # What must the proxy do?
//!
//! * Speak HTTP/1.1 to the server, and pass on `Upgrade` and `Connection`, which are headers of one
//!   hop only and are not forwarded by default. For nginx: `proxy_http_version 1.1`, and
//!   `proxy_set_header` for both.
//! * Pass on `Host` unchanged (`proxy_set_header Host $http_host`). Otherwise
//!   [`is_same_origin`](crate::handshake::Request::is_same_origin) compares the origin with an
//!   internal name, and refuses all pages.
//! * Not buffer the bytes after the upgrade.
//!
//! If the handshake fails with 426, `Upgrade` did not arrive; with 400, a header was changed or is
//! missing: log the error and [`refused_head`](crate::handshake::ServerHandshake::refused_head).
//!
//! # TLS ends at the proxy
//!
//! The server receives `ws:`, but the page was loaded by `https:`. The scheme of the check is that
//! of the page:
//!
//! ```
//! use ws_proto::handshake::{HandshakeError, Request, Scheme};
//!
//! let headers: [(&str, &[u8]); 6] = [
//!     ("host", b"example.com"),
//!     ("origin", b"https://example.com"),
//!     ("upgrade", b"websocket"),
//!     ("connection", b"upgrade"),
//!     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
//!     ("sec-websocket-version", b"13"),
//! ];
//! let request = Request::from_headers("GET", "/", (1, 1), &headers)?;
//! assert!(request.is_same_origin(Scheme::Https));
//! assert!(!request.is_same_origin(Scheme::Http));
//! # Ok::<(), HandshakeError>(())
//! ```
//!
//! # Forwarded headers
//!
//! The address of the socket is that of the proxy. The client's is in a header that the proxy adds:
//! `Forwarded` (RFC 7239), `X-Forwarded-For`, or the PROXY protocol before the first byte of HTTP.
//! The crate returns headers, and interprets none of them.
//!
//! A client can send these headers, too. Trust only the last elements, those that your own proxies
//! added, and only if the socket's address is that of a proxy:
//!
//! ```
//! use std::net::IpAddr;
//! use ws_proto::handshake::Headers;
//!
//! /// Returns the client's address, which the last of `proxies` proxies appended.
//! fn client_address(
//!     headers: &Headers<'_>,
//!     socket: IpAddr,
//!     proxies: usize,
//! ) -> Option<IpAddr> {
//!     if proxies == 0 {
//!         return Some(socket);
//!     }
//!     let lines: Vec<_> = headers.get_all("X-Forwarded-For").collect();
//!     let all = String::from_utf8(lines.join(&b","[..])).ok()?;
//!     all.rsplit(',').nth(proxies - 1)?.trim().parse().ok()
//! }
//! # use ws_proto::handshake::Request;
//! # let headers: [(&str, &[u8]); 6] = [
//! #     ("host", b"example.com"),
//! #     ("x-forwarded-for", b"6.6.6.6, 192.0.2.7"),
//! #     ("upgrade", b"websocket"),
//! #     ("connection", b"upgrade"),
//! #     ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
//! #     ("sec-websocket-version", b"13"),
//! # ];
//! # let request = Request::from_headers("GET", "/", (1, 1), &headers)?;
//! # let socket = IpAddr::from([10, 0, 0, 1]);
//! # assert_eq!(client_address(request.headers(), socket, 1), Some(IpAddr::from([192, 0, 2, 7])));
//! # assert_eq!(client_address(request.headers(), socket, 3), None);
//! # Ok::<(), ws_proto::handshake::HandshakeError>(())
//! ```
//!
//! # Questions
//!
//! * **Must requests of a client reach the same server?** A WebSocket connection is one stream, so
//!   only the handshake is distributed. State that is shared between connections must be shared
//!   between servers.
//! * **How is a server taken out of service?** It stops accepting, and closes its connections with
//!   1001: [`closing`](super::closing#shut-down-a-server). Let the proxy wait longer than that.
//! * **Does the proxy compress?** It must not: extensions are negotiated between the endpoints. A
//!   proxy that is a WebSocket endpoint itself is a [relay](super::relays).
//! * **HTTP/2 to the server?** A proxy that receives an extended CONNECT usually sends an upgrade
//!   of HTTP/1.1 to the server. [`http`](super::http#http2-and-http3) has both.
//!
//! [`Timeouts::with_ping`]: crate::Timeouts::with_ping
