//! The client's requests, as parts and as bytes (RFC 6455 §4.1, RFC 8441 §5).

use super::response::{Response, Verified};
use crate::buffer::InlineBytes;
use crate::extension;
use crate::handshake::http::headers;
#[cfg(feature = "alloc")]
use crate::handshake::http::headers::Lines;
use crate::handshake::http::names::{
    CONNECTION, EXTENSIONS, HOST, KEY, ORIGIN, PROTOCOL, UPGRADE, VERSION, lower_case,
};
#[cfg(feature = "alloc")]
use crate::handshake::http::{append, ascii};
use crate::handshake::http::{append_headers, check_room, lists};
use crate::handshake::{HandshakeError, WriteError, fresh_key};
use crate::{Client, Output, uri::Uri};
use core::fmt;

/// The options of a request, as values of headers.
#[derive(Clone, Copy)]
pub(super) struct Options<'a> {
    pub(super) key: &'a [u8; 24],
    pub(super) origin: Option<&'a str>,
    /// The value of `Sec-WebSocket-Protocol`, empty if there is none.
    pub(super) subprotocols: &'a str,
    /// The value of `Sec-WebSocket-Extensions`, empty if there is none.
    pub(super) extensions: &'a str,
    pub(super) further: Further<'a>,
}

/// Further headers.
#[derive(Clone, Copy)]
pub(super) enum Further<'a> {
    /// As lines that were written.
    #[cfg(feature = "alloc")]
    Lines(&'a [u8]),
    Pairs(&'a [(&'a str, &'a [u8])]),
}

impl<'a> Options<'a> {
    /// Returns all headers but `Host`.
    fn headers(
        &self,
        is_extended_connect: bool,
    ) -> impl Iterator<Item = (&'a str, &'a [u8])> + Clone + use<'a> {
        let upgrade: [(&str, &[u8]); 3] = [
            (UPGRADE, b"websocket"),
            (CONNECTION, b"Upgrade"),
            (KEY, self.key),
        ];
        let non_empty = |value: &'a str| Some(value).filter(|value| !value.is_empty());
        let options = [
            (VERSION, Some("13")),
            (ORIGIN, self.origin),
            (PROTOCOL, non_empty(self.subprotocols)),
            (EXTENSIONS, non_empty(self.extensions)),
        ];
        let upgrade = (!is_extended_connect).then_some(upgrade);
        let options = options.into_iter().filter_map(move |(name, value)| {
            let name = if is_extended_connect {
                lower_case(name)
            } else {
                name
            };
            Some((name, value?.as_bytes()))
        });
        #[cfg(feature = "alloc")]
        let (lines, pairs) = match self.further {
            Further::Lines(lines) => (lines, &[][..]),
            Further::Pairs(pairs) => (&[][..], pairs),
        };
        #[cfg(not(feature = "alloc"))]
        let Further::Pairs(pairs) = self.further;
        let headers = upgrade.into_iter().flatten().chain(options);
        #[cfg(feature = "alloc")]
        let headers = headers.chain(written(lines));
        headers.chain(pairs.iter().copied())
    }
}

/// The request that opens a connection (RFC 6455 §4.1), for programs without an allocator.
/// `ClientHandshake` is for others.
///
/// ```
/// use ws_proto::handshake::{ClientRequest, HeadBuffer, ResponseReader};
/// use ws_proto::{Client, Config, Connection, SliceOutput, uri::Uri};
///
/// # fn read(buf: &mut [u8]) -> usize {
/// #     let response = b"HTTP/1.1 101 Switching Protocols\r\n\
/// #         Upgrade: websocket\r\nConnection: Upgrade\r\n\
/// #         Sec-WebSocket-Accept: MXHCaJPMZA/Ir6yhiiyxoBpnBAA=\r\n\
/// #         Sec-WebSocket-Protocol: chat\r\n\r\n";
/// #     buf[..response.len()].copy_from_slice(response);
/// #     response.len()
/// # }
/// // The seed is from the device's random source.
/// let mut client = Client::new([7; 32]);
/// let uri = Uri::parse("ws://Example.com/chat?room=1")?;
/// let request =
///     ClientRequest::new(&uri, &mut client).subprotocols("chat, superchat");
/// let (mut memory, mut out) = ([0; 256], [0; 512]);
/// let mut out = SliceOutput::new(&mut out);
/// request.write(&mut out)?;
/// assert_eq!(
///     out.as_bytes(),
///     b"GET /chat?room=1 HTTP/1.1\r\n\
///       Host: example.com\r\n\
///       Upgrade: websocket\r\n\
///       Connection: Upgrade\r\n\
///       Sec-WebSocket-Key: 9pKJeIXAyyCj5M0QagsVvA==\r\n\
///       Sec-WebSocket-Version: 13\r\n\
///       Sec-WebSocket-Protocol: chat, superchat\r\n\
///       \r\n"
/// );
///
/// // sock.write_all(out.as_bytes())?;
/// let mut reader = ResponseReader::with_buffer(HeadBuffer::new(&mut memory));
/// let mut buf = [0; 512];
/// let connection = loop {
///     let n = read(&mut buf);
///     let mut input = &mut buf[..n];
///     if let Some(response) = reader.recv(&mut input)? {
///         let verified = request.verify(&response)?;
///         assert_eq!(verified.subprotocol(), Some("chat"));
///         break Connection::new(client, &Config::new());
///     }
/// };
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
#[must_use]
pub struct ClientRequest<'a> {
    uri: Uri<'a>,
    key: [u8; 24],
    origin: Option<&'a str>,
    subprotocols: &'a str,
    extensions: &'a str,
    headers: &'a [(&'a str, &'a [u8])],
}

impl<'a> ClientRequest<'a> {
    /// Returns a request for the resource that `uri` identifies. `client`, which must be used for
    /// this connection only, generates its key (§4.1).
    pub fn new(uri: &Uri<'a>, client: &mut Client) -> Self {
        Self {
            uri: *uri,
            key: fresh_key(client),
            origin: None,
            subprotocols: "",
            extensions: "",
            headers: &[],
        }
    }

    /// Sets the subprotocols to request, in order of preference (§4.1), such as `chat, superchat`.
    /// They must be tokens, all different.
    pub const fn subprotocols(mut self, names: &'a str) -> Self {
        self.subprotocols = names;
        self
    }

    /// Sets the origin on whose behalf the connection is opened.
    pub const fn origin(mut self, origin: &'a str) -> Self {
        self.origin = Some(origin);
        self
    }

    /// Offers extensions with this value of `Sec-WebSocket-Extensions`, for a relay: see
    /// [`Negotiated::with_relayed_compression`](crate::Negotiated::with_relayed_compression).
    pub const fn relay_extensions(mut self, offer: &'a str) -> Self {
        self.extensions = offer;
        self
    }

    /// Sets further headers, which are written as given, in this order.
    pub const fn headers(mut self, headers: &'a [(&'a str, &'a [u8])]) -> Self {
        self.headers = headers;
        self
    }

    /// Appends the request to `out`. Nothing may be sent after it until the response has arrived
    /// (§4.1).
    ///
    /// # Errors
    ///
    /// [`WriteError`] if an option is invalid, or if `out` has too little room; nothing was
    /// written.
    pub fn write(&self, out: &mut (impl Output + ?Sized)) -> Result<(), WriteError> {
        self.check()?;
        let mut port = InlineBytes::<6>::new();
        if let Some(number) = self.uri.other_port() {
            port.push_slice(b":");
            port.push_decimal(number.into());
        }
        let query = self.uri.query();
        let (mark, query) = query.map_or(("", ""), |query| ("?", query));
        let before: [&[u8]; 7] = [
            b"GET ",
            self.uri.path().as_bytes(),
            mark.as_bytes(),
            query.as_bytes(),
            b" HTTP/1.1\r\n",
            HOST.as_bytes(),
            b": ",
        ];
        let (host, after): (_, [&[u8]; 2]) = (self.uri.host_in_brackets(), [&port, b"\r\n"]);
        let options = Options {
            key: &self.key,
            origin: self.origin,
            subprotocols: self.subprotocols,
            extensions: self.extensions,
            further: Further::Pairs(self.headers),
        };
        let headers = options.headers(false);
        let slices = before.into_iter().chain([host.as_bytes()]).chain(after);
        check_room(out, slices, headers.clone())?;
        before.into_iter().for_each(|slice| _ = out.append(slice));
        out.append(host.as_bytes()).make_ascii_lowercase();
        after.into_iter().for_each(|slice| _ = out.append(slice));
        append_headers(out, headers);
        Ok(())
    }

    fn check(&self) -> Result<(), WriteError> {
        headers::check(self.headers)?;
        if !headers::is_header_value(self.origin.unwrap_or_default().as_bytes()) {
            return Err(WriteError::InvalidHeaderValue);
        }
        let names = || lists::elements(self.subprotocols.as_bytes());
        for (index, name) in names().enumerate() {
            if !lists::is_token(name) {
                return Err(WriteError::InvalidSubprotocol);
            }
            if names().take(index).any(|earlier| earlier == name) {
                return Err(WriteError::DuplicateSubprotocol);
            }
        }
        if extension::parse(self.extensions.as_bytes()).any(|extension| extension.is_err()) {
            return Err(WriteError::InvalidExtensions);
        }
        Ok(())
    }

    /// Checks that the server opened the connection, and returns the options that it selected.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] is the first rule of §4.1 that the response violates:
    /// [`HandshakeError::UnexpectedStatus`] if it rejects the request.
    pub fn verify<'r>(&self, response: &Response<'r>) -> Result<Verified<'r>, HandshakeError> {
        response.verify_relayed(&self.key, self.subprotocols, self.extensions)
    }
}

/// Shows nothing of the request.
impl fmt::Debug for ClientRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientRequest").finish_non_exhaustive()
    }
}

/// A request as its parts: method, target and headers.
///
/// [`ClientHandshake::request_parts`](super::ClientHandshake::request_parts) and
/// [`connect_parts`](super::ClientHandshake::connect_parts) return it, for a program in which
/// another library sends the request. With the feature `http`, `http::Request::try_from(parts)`
/// converts it.
#[cfg(feature = "alloc")]
#[derive(Clone, Copy)]
pub struct RequestParts<'a> {
    pub(super) is_extended_connect: bool,
    pub(super) is_secure: bool,
    pub(super) host: &'a str,
    pub(super) target: &'a str,
    pub(super) options: Options<'a>,
}

#[cfg(feature = "alloc")]
impl<'a> RequestParts<'a> {
    /// Returns the method: `GET`, or `CONNECT` in HTTP/2 and HTTP/3.
    #[must_use]
    pub const fn method(&self) -> &'static str {
        if self.is_extended_connect {
            "CONNECT"
        } else {
            "GET"
        }
    }

    /// Returns the value of `:protocol`, which is `websocket`, in HTTP/2 and HTTP/3.
    #[must_use]
    pub const fn protocol(&self) -> Option<&'static str> {
        if self.is_extended_connect {
            Some("websocket")
        } else {
            None
        }
    }

    /// Returns the value of `:scheme`: `https` for `wss`, and `http` for `ws` (RFC 8441 §5).
    #[must_use]
    pub const fn scheme(&self) -> &'static str {
        if self.is_secure { "https" } else { "http" }
    }

    /// Returns the value of `:authority` or `Host`: the host, and the port unless it is the
    /// scheme's default.
    #[must_use]
    pub const fn authority(&self) -> &'a str {
        self.host
    }

    /// Returns the value of `:path`, or the target of the request: path and query.
    #[must_use]
    pub const fn path(&self) -> &'a str {
        self.target
    }

    /// Returns all headers, in order, as pairs of name and value. They are valid.
    ///
    /// In HTTP/2 and HTTP/3, the names are in lower case (RFC 9113 §8.2), except those set by the
    /// caller, and there are neither `Host`, `Upgrade`, `Connection` nor `Sec-WebSocket-Key`.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + Clone + use<'a> {
        let host = (!self.is_extended_connect).then_some((HOST, self.host.as_bytes()));
        host.into_iter()
            .chain(self.options.headers(self.is_extended_connect))
    }

    pub(super) fn write(&self, out: &mut (impl Output + ?Sized)) -> Result<(), WriteError> {
        write(out, self.method(), self.target, self.headers())
    }
}

/// Returns the headers of lines that were written.
#[cfg(feature = "alloc")]
pub(super) fn written(lines: &[u8]) -> impl Iterator<Item = (&str, &[u8])> + Clone {
    Lines(lines).map(|(name, value)| (ascii(name), value))
}

/// Appends a request of HTTP/1.1 without a body.
#[cfg(feature = "alloc")]
pub(super) fn write<'a>(
    out: &mut (impl Output + ?Sized),
    method: &'a str,
    target: &'a str,
    headers: impl Iterator<Item = (&'a str, &'a [u8])> + Clone,
) -> Result<(), WriteError> {
    let start_line = [method.as_bytes(), b" ", target.as_bytes(), b" HTTP/1.1\r\n"];
    append(out, &start_line, headers, b"")
}

/// Shows only the method and the names of the headers: target and values may be secrets.
#[cfg(feature = "alloc")]
impl fmt::Debug for RequestParts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestParts")
            .field("method", &self.method())
            .field("headers", &headers::Names(self.headers()))
            .finish_non_exhaustive()
    }
}
