//! A WebSocket over any asynchronous byte stream of tokio, with deadlines. `tokio_echo` uses it.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};
use ws_proto::handshake::{Answer, ClientHandshake, Scheme, ServerHandshake};
use ws_proto::{
    ByteQueue, Client, Config, OwnedMessage, Role, Server, Session, Timeouts, WebSocket,
};

thread_local! {
    /// One read buffer for all connections of a thread.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; 64 << 10]);
}

/// An open connection. All methods are cancel safe: the next call does the rest.
pub struct Connection<S, R> {
    stream: S,
    session: Session<R>,
    clock: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
    is_flushed: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S, Server> {
    /// Accepts a connection from pages of the same origin, and from clients without an origin.
    pub async fn accept(stream: S, config: &Config, timeouts: &Timeouts) -> io::Result<Self> {
        let mut handshake = ServerHandshake::new();
        let accept = |input: &mut &mut [u8], out: &mut ByteQueue| {
            let Some(request) = handshake.recv(input, out)? else {
                return Ok(None);
            };
            if request.origin().is_some() && !request.is_same_origin(Scheme::Http) {
                request.reject(403).write(out)?;
                return Err(io::Error::other("a page of another site"));
            }
            let negotiated = request.accept().write(out)?;
            Ok(Some(WebSocket::new(negotiated, config)))
        };
        Self::open(stream, timeouts, accept).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S, Client> {
    /// Opens a connection, by the handshake that the caller has prepared.
    pub async fn connect(
        stream: S,
        mut handshake: ClientHandshake,
        config: &Config,
        timeouts: &Timeouts,
    ) -> io::Result<Self> {
        let mut has_asked = false;
        let connect = |input: &mut &mut [u8], out: &mut ByteQueue| {
            if !has_asked {
                handshake.write_request(out)?;
                has_asked = true;
            }
            Ok(match handshake.recv(input)? {
                None => None,
                Some(Answer::Accepted { negotiated, .. }) => {
                    Some(WebSocket::new(negotiated, config))
                }
                Some(Answer::Rejected(response)) => {
                    return Err(io::Error::other(format!("rejected: {}", response.status())));
                }
            })
        };
        Self::open(stream, timeouts, connect).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, R: Role> Connection<S, R> {
    /// Wraps a session whose time begins now, with zero: for the stream of an upgrade, an open one.
    pub fn new(stream: S, session: Session<R>) -> Self {
        Self {
            stream,
            session,
            clock: Instant::now(),
            sleep: None,
            is_flushed: true,
        }
    }

    async fn open(
        stream: S,
        timeouts: &Timeouts,
        mut step: impl FnMut(&mut &mut [u8], &mut ByteQueue) -> io::Result<Option<WebSocket<R>>>,
    ) -> io::Result<Self> {
        let mut this = Self::new(stream, Session::new(timeouts, Duration::ZERO));
        let mut refused = None;
        loop {
            let now = this.clock.elapsed();
            refused = refused.or(this.session.handshake(now, &mut step));
            if this.session.websocket().is_some() {
                return Ok(this);
            }
            if !poll_fn(|cx| this.poll_io(cx)).await? {
                return Err(refused.unwrap_or(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    /// Receives the next message; `None` at the end of the connection. It also writes the output.
    pub async fn recv(&mut self) -> io::Result<Option<OwnedMessage>> {
        loop {
            if let Some(message) = self.session.recv() {
                return Ok(Some(message));
            }
            if !poll_fn(|cx| self.poll_io(cx)).await? {
                return Ok(None);
            }
        }
    }

    /// Sends a text message, and waits until the stream has accepted it.
    pub async fn send_text(&mut self, text: &str) -> io::Result<()> {
        self.session.send_text(text)?;
        self.flush().await
    }

    /// Sends a binary message, and waits until the stream has accepted it.
    pub async fn send_binary(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.session.send_binary(bytes)?;
        self.flush().await
    }

    async fn flush(&mut self) -> io::Result<()> {
        while !self.session.output().is_empty() && poll_fn(|cx| self.poll_io(cx)).await? {}
        Ok(())
    }

    /// The session, to close it (then call `recv` until the end), and for all else.
    pub fn session(&mut self) -> &mut Session<R> {
        &mut self.session
    }

    /// Does all that is possible now, and waits if that is nothing. Returns `false` at the end.
    fn poll_io(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let now = self.clock.elapsed();
        let Some(needs) = self.session.needs(now) else {
            let timed_out = self.session.timed_out();
            return Poll::Ready(timed_out.map_or(Ok(false), |timeout| Err(timeout.into())));
        };
        let (mut stream, mut progress) = (Pin::new(&mut self.stream), false);
        if needs.write {
            if let Poll::Ready(n) = stream.as_mut().poll_write(cx, self.session.output()) {
                self.session.written(now, n?);
                (progress, self.is_flushed) = (true, false);
            }
        } else if !self.is_flushed {
            self.is_flushed = stream.as_mut().poll_flush(cx)?.is_ready();
        }
        if needs.shutdown && self.is_flushed {
            let _ = stream.as_mut().poll_shutdown(cx); // also twice
        }
        if needs.read {
            BUFFER.with_borrow_mut(|buf| {
                let mut buf = ReadBuf::new(buf);
                if let Poll::Ready(read) = stream.as_mut().poll_read(cx, &mut buf) {
                    match (read, buf.filled()) {
                        (Err(_), _) | (_, []) => self.session.recv_eof(),
                        (_, bytes) => self.session.received(now, bytes),
                    }
                    progress = true;
                }
            });
        }
        if progress {
            return Poll::Ready(Ok(true));
        }
        let at = self.clock + needs.wake.unwrap_or(Duration::from_secs(1 << 30));
        let sleep = self.sleep.get_or_insert_with(|| Box::pin(sleep_until(at)));
        if sleep.deadline() != at {
            sleep.as_mut().reset(at);
        }
        sleep.as_mut().poll(cx).map(|()| Ok(true))
    }
}
