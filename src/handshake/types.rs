//! Conversions from and to the types of the crate `http`, which hyper and axum use.

use super::http::headers::Headers;
use super::{HandshakeError, Request, RequestParts, Response, ResponseParts};
use ::http::{Method, Version};
use alloc::vec::Vec;

impl<'a> Request<'a> {
    /// Checks a request of the crate `http`, by the same rules. Its body is not used.
    ///
    /// `protocol` is the value of `:protocol`, which the crate `http` does not define: with hyper
    /// and its feature `http2`, it is
    /// `request.extensions().get().map(hyper::ext::Protocol::as_str)`. In HTTP/1.1 there is none,
    /// and in HTTP/2 and HTTP/3 it is required.
    ///
    /// ```
    /// use ws_proto::handshake::{HandshakeError, Request};
    ///
    /// # fn build() -> http::Result<http::Request<()>> {
    /// let request = http::Request::get("/chat")
    ///     .header("host", "example.com")
    ///     .header("upgrade", "websocket")
    ///     .header("connection", "Upgrade")
    ///     .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
    ///     .header("sec-websocket-version", "13")
    ///     .body(())?;
    /// # Ok(request)
    /// # }
    /// # let request = build()?;
    /// let request = Request::from_http(&request, None)?;
    /// let (parts, negotiated) = request.accept().parts()?;
    /// let response = http::Response::<Vec<u8>>::try_from(parts)?;
    /// assert_eq!(response.status(), 101);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] is the first fault.
    pub fn from_http<B>(
        request: &'a ::http::Request<B>,
        protocol: Option<&str>,
    ) -> Result<Self, HandshakeError> {
        let (method, uri) = (request.method(), request.uri());
        let headers = Headers::in_map(request.headers());
        let path = uri.path_and_query().map_or("", |path| path.as_str());
        let version = number(request.version());
        if version.0 < 2 {
            return Self::checked(method.as_str(), path, version, headers);
        }
        let (&Method::CONNECT, Some(protocol)) = (method, protocol) else {
            return Err(HandshakeError::MissingHeader(":protocol"));
        };
        let scheme = uri.scheme_str().unwrap_or_default();
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        Self::checked_connect(protocol, scheme, authority, path, headers)
    }
}

impl<'a> Response<'a> {
    /// Checks a response of the crate `http`, by the same rules. Its body is not used.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] is the first fault.
    pub fn from_http<B>(response: &'a ::http::Response<B>) -> Result<Self, HandshakeError> {
        Self::checked(
            number(response.version()),
            response.status().as_u16(),
            Headers::in_map(response.headers()),
        )
    }
}

/// Converts the parts of a response, with its body.
///
/// # Errors
///
/// `http::Error` if a header of the caller exceeds the limits of that crate.
impl TryFrom<ResponseParts<'_>> for ::http::Response<Vec<u8>> {
    type Error = ::http::Error;

    fn try_from(parts: ResponseParts<'_>) -> ::http::Result<Self> {
        let builder = ::http::Response::builder().status(parts.status());
        parts
            .headers()
            .fold(builder, |builder, (name, value)| {
                builder.header(name, value)
            })
            .body(parts.body().into())
    }
}

/// Converts the parts of a request. Its URI has the scheme `http` or `https`, from which HTTP/2 and
/// HTTP/3 take `:scheme` and `:authority`; with HTTP/1.1 it is the target. The caller adds
/// [`protocol`](RequestParts::protocol), with hyper as the extension `hyper::ext::Protocol`.
///
/// # Errors
///
/// `http::Error` if the URI or a header of the caller exceeds the limits of that crate.
impl TryFrom<RequestParts<'_>> for ::http::Request<()> {
    type Error = ::http::Error;

    fn try_from(parts: RequestParts<'_>) -> ::http::Result<Self> {
        let builder = Self::builder().method(parts.method());
        let builder = match parts.protocol() {
            None => builder.uri(parts.path()),
            Some(_) => builder.version(Version::HTTP_2).uri(
                ::http::Uri::builder()
                    .scheme(parts.scheme())
                    .authority(parts.authority())
                    .path_and_query(parts.path())
                    .build()?,
            ),
        };
        parts
            .headers()
            .fold(builder, |builder, (name, value)| {
                builder.header(name, value)
            })
            .body(())
    }
}

const fn number(version: Version) -> (u8, u8) {
    match version {
        Version::HTTP_09 => (0, 9),
        Version::HTTP_10 => (1, 0),
        Version::HTTP_11 => (1, 1),
        Version::HTTP_2 => (2, 0),
        _ => (3, 0),
    }
}
