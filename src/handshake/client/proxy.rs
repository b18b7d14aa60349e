//! A tunnel through an HTTP proxy (RFC 6455 §4.1, RFC 9110 §9.3.6).

use super::request;
use super::response::{Response, ResponseReader};
use crate::handshake::http::head::HeadLimits;
use crate::handshake::http::headers;
use crate::handshake::http::names::HOST;
use crate::handshake::{HandshakeError, WriteError};
use crate::{Output, uri::Uri};
use alloc::{format, string::String, vec::Vec};
use core::{fmt, iter};

/// Opens a tunnel to a WebSocket server through an HTTP proxy (RFC 6455 §4.1).
///
/// Write the request to the proxy, and read its response. If the proxy is connected, the TLS
/// handshake of a `wss` URI and the opening handshake follow on the same stream. Otherwise, the
/// response is a rejection, such as 407 with `Proxy-Authenticate`.
///
/// ```
/// use ws_proto::handshake::{ProxyAnswer, ProxyConnect};
/// use ws_proto::uri::Uri;
///
/// let uri = Uri::parse("wss://example.com/chat")?;
/// let mut proxy = ProxyConnect::new(&uri)
///     .headers(&[("Proxy-Authorization", b"Basic dTpw")]);
/// let mut request = Vec::new();
/// proxy.write_request(&mut request)?;
/// assert_eq!(
///     request,
///     b"CONNECT example.com:443 HTTP/1.1\r\n\
///       Host: example.com:443\r\n\
///       Proxy-Authorization: Basic dTpw\r\n\
///       \r\n"
/// );
///
/// let mut response = *b"HTTP/1.1 200 OK\r\n\r\n";
/// let mut input = &mut response[..];
/// match proxy.recv(&mut input)? {
///     Some(ProxyAnswer::Connected(_)) => {} // now TLS, and ClientHandshake
///     Some(ProxyAnswer::Rejected(response)) => panic!("{}", response.status()),
///     None => panic!("the response is incomplete"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub struct ProxyConnect {
    target: String,
    /// The lines of further headers.
    headers: Vec<u8>,
    /// The first invalid option.
    mistake: Option<WriteError>,
    reader: ResponseReader,
}

impl ProxyConnect {
    /// Returns a request for a tunnel to the host and port of `uri`.
    pub fn new(uri: &Uri<'_>) -> Self {
        Self {
            target: format!("{}", uri.connect_target()),
            headers: Vec::new(),
            mistake: None,
            reader: ResponseReader::new(Vec::new()),
        }
    }

    /// Sets further headers, which are written as given, in this order, such as
    /// `("Proxy-Authorization", b"Basic …")` (RFC 9110 §11.7.2).
    pub fn headers(mut self, headers: &[(&str, &[u8])]) -> Self {
        if let Err(mistake) = headers::check(headers) {
            self.mistake.get_or_insert(mistake);
        }
        self.headers = headers::to_lines(headers);
        self
    }

    /// Sets the limits on the response. It must be called before [`recv`](Self::recv).
    pub fn limits(mut self, limits: HeadLimits) -> Self {
        self.reader.set_limits(limits);
        self
    }

    /// Appends the request to `out`. Nothing may be sent after it until the response has arrived.
    ///
    /// # Errors
    ///
    /// [`WriteError`] if a header must not be sent, or if `out` has too little room; nothing was
    /// written.
    pub fn write_request(&self, out: &mut (impl Output + ?Sized)) -> Result<(), WriteError> {
        if let Some(mistake) = self.mistake {
            return Err(mistake);
        }
        let headers =
            iter::once((HOST, self.target.as_bytes())).chain(request::written(&self.headers));
        request::write(out, "CONNECT", &self.target, headers)
    }

    /// Consumes the proxy's response from `input`. The bytes after it stay there: the first bytes
    /// of the tunnel, or the body of a rejection. Interim responses (1xx) are skipped.
    ///
    /// Returns `None` if all of `input` was consumed and more must be read, or if the response was
    /// returned before; then `input` is not changed.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] if the response is invalid, at the first byte that makes it certain:
    /// close the connection. Later input is discarded, and the same error is returned.
    pub fn recv<'a, 'b: 'a>(
        &'a mut self,
        input: &mut &'b mut [u8],
    ) -> Result<Option<ProxyAnswer<'a>>, HandshakeError> {
        let read = self.reader.read(input, |response| match response.status() {
            // No `Upgrade` was sent (RFC 9110 §15.2.2).
            101 => Err(HandshakeError::UnexpectedStatus(101)),
            status => Ok(status),
        });
        Ok(read?.map(|(head, status)| {
            let response = self.reader.take(head, input);
            if status / 100 == 2 {
                ProxyAnswer::Connected(response)
            } else {
                ProxyAnswer::Rejected(response)
            }
        }))
    }

    /// Returns the head of a response that was refused, for the log, as
    /// [`ClientHandshake::refused_head`](super::ClientHandshake::refused_head) does.
    #[must_use]
    pub fn refused_head(&self) -> &[u8] {
        self.reader.refused_head()
    }

    /// Ends the input: the proxy closed or reset the transport.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Incomplete`] if no complete response was received before, or the error
    /// that [`recv`](Self::recv) returned.
    pub const fn recv_eof(&mut self) -> Result<(), HandshakeError> {
        self.reader.recv_eof()
    }
}

/// Shows nothing of the request and of the response.
impl fmt::Debug for ProxyConnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProxyConnect")
            .field("reader", &self.reader)
            .finish_non_exhaustive()
    }
}

/// The proxy's answer to a [`ProxyConnect`].
#[derive(Debug)]
pub enum ProxyAnswer<'a> {
    /// The tunnel is open: the following bytes are the server's. The response has no body, whatever
    /// its headers declare (RFC 9110 §9.3.6).
    Connected(Response<'a>),
    /// The proxy answered with a status other than 2xx: 407 with `Proxy-Authenticate`, 403, 502.
    /// The bytes after it are its body, framed as [`Response::body`] indicates.
    Rejected(Response<'a>),
}
