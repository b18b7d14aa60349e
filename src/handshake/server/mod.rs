//! The server's side of the opening handshake (RFC 6455 §4.2): the state machine that reads the
//! request, and the responses.

mod facts;
mod origin;
mod plain;
mod request;
mod response;

pub use origin::{Origin, OriginError, Scheme};
pub use plain::{HttpRequest, Incoming};
pub use request::Request;
pub use response::{Accept, HttpResponse, ResponseParts};

use super::{
    HandshakeError, WriteError,
    http::{
        body::Body,
        head::{CompleteHead, DefaultMemory, HeadBuffer, HeadLimits, HeadMemory, HeadReader},
    },
};
use crate::{Output, buffer::take_front};
#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::fmt;
use facts::RequestFacts;

/// Reads a client's opening handshake from input that may be split anywhere (RFC 6455 §4.2.1).
///
/// The head is buffered only if it is split, and the buffer never exceeds
/// [`HeadLimits::max_bytes`]. Without an allocator, [`with_buffer`](Self::with_buffer) provides the
/// memory, which need not be as large as the head.
///
/// The caller must set a deadline for the handshake: otherwise a client that sends a byte a minute
/// keeps its connection.
///
/// [`recv`](Self::recv) is for a port that serves only WebSocket: other requests are answered with
/// an error. [`recv_http`](Self::recv_http) also returns other requests, such as health checks. If
/// an HTTP library parses the head, pass the result to [`Request::from_headers`] or
/// [`Request::from_connect`].
pub struct ServerHandshake<M = DefaultMemory> {
    head: HeadReader<RequestFacts, M>,
    progress: Progress,
    /// The number of bytes still missing of the last request's body.
    body_left: u64,
}

#[derive(Debug, Clone, Copy)]
enum Progress {
    Reading,
    /// A request was returned, and another can follow.
    Returned,
    /// A request was returned that is the last on its connection.
    Last,
    Failed {
        error: HandshakeError,
        /// Whether the response that reports the error is still to be written.
        unanswered: bool,
    },
}

#[cfg(feature = "alloc")]
impl ServerHandshake {
    /// Returns a handshake that has read nothing, with the default limits.
    #[must_use]
    pub fn new() -> Self {
        Self::in_memory(Vec::new())
    }
}

impl<'m> ServerHandshake<HeadBuffer<'m>> {
    /// Returns a handshake that has read nothing, and keeps the necessary lines of a head in
    /// `buffer`, for programs without an allocator.
    ///
    /// The [headers](Request::headers) of a request are those that the buffer keeps.
    ///
    /// ```
    /// use ws_proto::handshake::{HeadBuffer, ServerHandshake};
    /// use ws_proto::{Config, Connection, SliceOutput};
    ///
    /// # let mut head = &b"GET /chat HTTP/1.1\r\nHost: a\r\n\
    /// #     Upgrade: websocket\r\nConnection: Upgrade\r\n\
    /// #     User-Agent: abc\r\nSec-WebSocket-Version: 13\r\n\
    /// #     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"[..];
    /// # let mut read = |buf: &mut [u8]| std::io::Read::read(&mut head, buf).unwrap();
    /// let (mut memory, mut out) = ([0; 320], [0; 512]);
    /// let mut out = SliceOutput::new(&mut out);
    /// let mut handshake = ServerHandshake::with_buffer(HeadBuffer::new(&mut memory));
    /// let mut buf = [0; 64];
    /// let connection = loop {
    ///     let n = read(&mut buf);
    ///     let mut input = &mut buf[..n];
    ///     if let Some(request) = handshake.recv(&mut input, &mut out)? {
    ///         assert_eq!(request.path(), "/chat");
    ///         let negotiated = request.accept().write(&mut out)?;
    ///         break Connection::new(negotiated, &Config::new());
    ///     }
    /// };
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_buffer(buffer: HeadBuffer<'m>) -> Self {
        Self::in_memory(buffer)
    }
}

impl<M: HeadMemory> ServerHandshake<M> {
    fn in_memory(memory: M) -> Self {
        Self {
            head: HeadReader::new(HeadLimits::new(), memory),
            progress: Progress::Reading,
            body_left: 0,
        }
    }

    /// Sets the limits on the request. It must be called before [`recv`](Self::recv).
    #[must_use]
    pub const fn limits(mut self, limits: HeadLimits) -> Self {
        self.head.set_limits(limits);
        self
    }

    /// Consumes the next request from `input`. The bytes after it, the client's first frames, stay
    /// there.
    ///
    /// Returns `None` if all of `input` was consumed: read more, then call it again. If `out` is of
    /// limited size, it can also be full: see [`is_paused`](Self::is_paused).
    ///
    /// When a request was accepted, `input` belongs to the connection. When it was rejected with
    /// [`HttpResponse::keep_alive`], call this again for the next request. After a request with
    /// `Connection: close`, input is discarded (RFC 9112 §9.6).
    ///
    /// The cursor `input` can be used while the request is held. If `out` has too little room for
    /// the response, its `write` can be repeated while the request is held; 1 KiB is enough unless
    /// the response has long further headers.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] if the request is invalid or not for WebSocket, at the first byte that
    /// makes it certain. The HTTP response that reports it was appended to `out`: send it, then
    /// close the connection. [`refused_head`](Self::refused_head) returns the head, for the log.
    /// Later input is discarded, and the same error is returned.
    pub fn recv<'a, 'b: 'a>(
        &'a mut self,
        input: &mut &'b mut [u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<Option<Request<'a>>, HandshakeError> {
        let head = self.read(false, input, out)?;
        Ok(head.map(|head| Request::in_head(self.head.take(head, input), self.head.rules())))
    }

    /// Consumes the next request from `input`, as [`recv`](Self::recv) does, but returns requests
    /// that are not for WebSocket, too: any valid request of HTTP/1.x.
    ///
    /// The body of such a request follows in `input`. A body of known length is returned by
    /// [`recv_body`](Self::recv_body), and is skipped by the next call of this method.
    ///
    /// [`HttpResponse::keep_alive`] has an example.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`] if the request is invalid, as with [`recv`](Self::recv). A fault that
    /// concerns only WebSocket is returned at the end of the head, if the request asks for
    /// WebSocket: if `Upgrade` contains `websocket` and `Connection` contains `Upgrade`.
    pub fn recv_http<'a, 'b: 'a>(
        &'a mut self,
        input: &mut &'b mut [u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<Option<Incoming<'a>>, HandshakeError> {
        let Some(head) = self.read(true, input, out)? else {
            return Ok(None);
        };
        let incoming = Incoming::in_head(self.head.take(head, input), self.head.rules());
        if let Incoming::Http(request) = &incoming {
            if let Body::Length(length) = request.body() {
                self.body_left = length;
            }
            if !request.persists() {
                self.progress = Progress::Last;
            }
        }
        Ok(Some(incoming))
    }

    /// Consumes a slice of the body of the last request from `input`, as much of it as is there.
    /// Returns `None` if `input` is empty, or if the body is complete:
    /// [`body_left`](Self::body_left) is 0.
    ///
    /// It is for bodies of known length: `request.body()` is [`Body::Length`].
    pub fn recv_body<'b>(&mut self, input: &mut &'b mut [u8]) -> Option<&'b mut [u8]> {
        let len = usize::try_from(self.body_left).unwrap_or(usize::MAX);
        let slice = take_front(input, len);
        self.body_left -= slice.len() as u64;
        Some(slice).filter(|slice| !slice.is_empty())
    }

    /// Returns the number of bytes of the last request's body that were not consumed yet.
    #[must_use]
    pub const fn body_left(&self) -> u64 {
        self.body_left
    }

    /// Returns whether the response that reports an error waits for room in `out`: when it has
    /// more, call [`recv`](Self::recv) again, if only with an empty input. An output with
    /// [`REPLY_ROOM`](crate::REPLY_ROOM) has room for it; a `Vec` always has.
    #[must_use]
    pub const fn is_paused(&self) -> bool {
        matches!(
            self.progress,
            Progress::Failed {
                unanswered: true,
                ..
            }
        )
    }

    /// Returns the head that was refused, for the log: the bytes up to and including the one that
    /// made the error certain. It is empty if no head was refused.
    ///
    /// The bytes are as received, of any value: escape them, for instance by
    /// [`escape_ascii`](slice::escape_ascii). They may contain secrets, such as cookies.
    #[must_use]
    pub fn refused_head(&self) -> &[u8] {
        match self.progress {
            Progress::Failed { .. } => self.head.received(),
            _ => &[],
        }
    }

    /// Ends the input: the peer closed or reset the transport.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Incomplete`] if no request was returned before, or if the next one is
    /// incomplete; or the error that [`recv`](Self::recv) returned.
    pub fn recv_eof(&mut self) -> Result<(), HandshakeError> {
        if self.body_left > 0 {
            self.head.restart();
            self.progress = Progress::Reading;
        }
        if matches!(self.progress, Progress::Reading) {
            self.progress = Progress::Failed {
                error: HandshakeError::Incomplete,
                unanswered: false,
            };
        }
        match self.progress {
            Progress::Failed { error, .. } => Err(error),
            _ => Ok(()),
        }
    }

    /// Reads the next head. The bytes of a body before it are discarded.
    fn read(
        &mut self,
        any: bool,
        input: &mut &mut [u8],
        out: &mut (impl Output + ?Sized),
    ) -> Result<Option<CompleteHead>, HandshakeError> {
        self.recv_body(input);
        match self.progress {
            Progress::Failed { .. } | Progress::Last => *input = &mut [],
            Progress::Returned if !input.is_empty() => {
                self.head.restart();
                self.progress = Progress::Reading;
            }
            Progress::Returned | Progress::Reading => {}
        }
        if matches!(self.progress, Progress::Reading) {
            self.head.rules_mut().any = any;
            match self.head.read(input) {
                Ok(None) => {}
                Ok(Some(head)) => {
                    self.progress = if self.head.rules().persists() {
                        Progress::Returned
                    } else {
                        Progress::Last
                    };
                    return Ok(Some(head));
                }
                Err(error) => {
                    *input = &mut [];
                    self.progress = Progress::Failed {
                        error,
                        unanswered: true,
                    };
                }
            }
        }
        self.report(out)
    }

    /// Returns the error, if there is one, as soon as `out` has room for the response.
    fn report<T>(&mut self, out: &mut (impl Output + ?Sized)) -> Result<Option<T>, HandshakeError> {
        let Progress::Failed { error, unanswered } = &mut self.progress else {
            return Ok(None);
        };
        if *unanswered {
            match HttpResponse::to_refused(*error).write(out) {
                Err(WriteError::OutputFull { .. }) => return Ok(None),
                written => debug_assert_eq!(written, Ok(()), "the response is valid"),
            }
            *unanswered = false;
        }
        Err(*error)
    }
}

#[cfg(feature = "alloc")]
impl Default for ServerHandshake {
    fn default() -> Self {
        Self::new()
    }
}

/// Shows nothing of the request.
impl<M> fmt::Debug for ServerHandshake<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerHandshake")
            .field("progress", &self.progress)
            .finish_non_exhaustive()
    }
}
