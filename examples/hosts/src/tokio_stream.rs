//! A WebSocket over any asynchronous byte stream of tokio: a `Stream` and a `Sink` of messages,
//! with deadlines. `tokio_echo`, `tokio_client`, `tokio_chat` and `hyper_upgrade` use it.
//!
//! The output is written before the wrapper waits for input. So the answers to all messages of a
//! read are one write, if they are sent by `SinkExt::feed`. `StreamExt::split` returns halves for
//! two tasks. All is cancel safe: the next call does the rest. (A message that waits for the output
//! is not sent, if the call that sends it is dropped.)

use futures_util::{Sink, Stream, task::AtomicWaker};
use std::cell::Cell;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};
use ws_proto::{ByteQueue, CloseCode, Negotiated, OwnedMessage, Role, SendError, Session};

/// The length of the output from which on a sender waits.
const HIGH_WATER: usize = 64 << 10;

thread_local! {
    /// One read buffer for all connections of a thread.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A connection. After closing it, receive until the end, which is `None` or an error.
pub struct WebSocketStream<S, R> {
    stream: S,
    session: Session<R>,
    clock: Instant,
    sleep: Option<Pin<Box<Sleep>>>,
    is_flushed: bool,
    is_over: bool,
    tasks: Arc<Tasks>,
    waker: Waker,
}

/// The tasks that wait, the one that receives and the one that sends: each does all I/O, and an
/// event that either waits for concerns both.
#[derive(Default)]
struct Tasks([AtomicWaker; 2]);

const RECEIVER: usize = 0;
const SENDER: usize = 1;

impl Wake for Tasks {
    fn wake(self: Arc<Self>) {
        self.0.iter().for_each(AtomicWaker::wake);
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, R: Role> WebSocketStream<S, R> {
    /// Wraps a session whose time begins now, with zero: an open one, or call `handshake` next.
    pub fn new(stream: S, session: Session<R>) -> Self {
        let tasks = Arc::new(Tasks::default());
        Self {
            stream,
            // Senders wait for the output, so that receivers need not: if both endpoints send
            // without end, each must still read.
            session: session.with_high_water(usize::MAX),
            clock: Instant::now(),
            sleep: None,
            is_flushed: true,
            is_over: false,
            waker: tasks.clone().into(),
            tasks,
        }
    }

    /// Does the opening handshake by `step`, as `Session::handshake` describes it.
    pub async fn handshake(
        &mut self,
        mut step: impl FnMut(&mut &mut [u8], &mut ByteQueue) -> io::Result<Option<Negotiated<R>>>,
    ) -> io::Result<()> {
        let mut refused = None;
        loop {
            let now = self.clock.elapsed();
            refused = refused.or(self.session.handshake(now, &mut step));
            if self.session.websocket().is_some() {
                return Ok(());
            }
            if !poll_fn(|cx| self.poll_io(RECEIVER, cx)).await? {
                return Err(refused.unwrap_or(ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    /// Returns the session, for everything else. The next call writes the frames that it sends.
    pub fn session(&mut self) -> &mut Session<R> {
        &mut self.session
    }

    /// Does all that is possible now, and waits if that is nothing. Returns `false` at the end.
    fn poll_io(&mut self, task: usize, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        if self.is_over {
            return Poll::Ready(Ok(false));
        }
        self.tasks.0[task].register(cx.waker());
        let result = self.poll_both_directions();
        if let Poll::Ready(progress) = &result {
            self.is_over = !matches!(progress, Ok(true));
            self.tasks.0[task].take();
            self.tasks.0[1 - task].wake(); // its turn may have come
        }
        result
    }

    fn poll_both_directions(&mut self) -> Poll<io::Result<bool>> {
        let now = self.clock.elapsed();
        let (mut stream, mut progress) = (Pin::new(&mut self.stream), false);
        let cx = &mut Context::from_waker(&self.waker);
        let Some(needs) = self.session.needs(now) else {
            let _ = stream.poll_shutdown(cx); // though it may be kept for a while
            let timed_out = self.session.timed_out();
            return Poll::Ready(timed_out.map_or(Ok(false), |timeout| Err(timeout.into())));
        };
        if needs.write {
            if let Poll::Ready(n) = stream.as_mut().poll_write(cx, self.session.output()) {
                // After an error nothing more can be sent, but the last messages can still be read.
                let n = n.unwrap_or(self.session.output().len());
                self.session.written(now, n);
                (progress, self.is_flushed) = (n > 0, false);
            }
        }
        if !self.is_flushed && self.session.output().is_empty() {
            self.is_flushed = stream.as_mut().poll_flush(cx).is_ready();
            progress |= self.is_flushed;
        }
        if needs.shutdown && self.is_flushed {
            let _ = stream.as_mut().poll_shutdown(cx); // also twice
        }
        if needs.read {
            let mut bytes = BUFFER.take();
            bytes.resize(64 << 10, 0);
            let mut buf = ReadBuf::new(&mut bytes);
            if let Poll::Ready(read) = stream.as_mut().poll_read(cx, &mut buf) {
                match (read, buf.filled()) {
                    (Err(_), _) | (_, []) => self.session.recv_eof(),
                    (_, bytes) => self.session.received(now, bytes),
                }
                progress = true;
            }
            BUFFER.set(bytes);
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

impl<S: AsyncRead + AsyncWrite + Unpin, R: Role> Stream for WebSocketStream<S, R> {
    type Item = io::Result<OwnedMessage>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(message) = self.session.recv() {
                return Poll::Ready(Some(Ok(message)));
            }
            match ready!(self.poll_io(RECEIVER, cx)) {
                Ok(true) => {}
                end => return Poll::Ready(end.err().map(Err)),
            }
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin, R: Role> Sink<OwnedMessage> for WebSocketStream<S, R> {
    type Error = io::Error;

    fn poll_ready(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.session.output().len() >= HIGH_WATER && ready!(self.poll_io(SENDER, cx))? {}
        Poll::Ready(Ok(()))
    }

    fn start_send(mut self: Pin<&mut Self>, message: OwnedMessage) -> io::Result<()> {
        let sent = self.session.send(|ws, out| match message {
            OwnedMessage::Text(text) => ws.send_text(&text, out),
            OwnedMessage::Binary(bytes) => ws.send_binary(&bytes, out),
            OwnedMessage::Ping(payload) => ws.send_ping(&payload, out),
            OwnedMessage::Pong(payload) => ws.send_pong(&payload, out),
            OwnedMessage::Close(Some(code), reason) => ws.close(code, &reason, out),
            _ => ws.close_without_code(out),
        });
        Ok(sent?)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.session.output().is_empty() || !self.is_flushed {
            if !ready!(self.poll_io(SENDER, cx))? {
                return Poll::Ready(Err(ErrorKind::BrokenPipe.into()));
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.session.close(CloseCode::NORMAL, "") {
            Ok(()) | Err(SendError::Closed) => self.poll_flush(cx),
            Err(error) => Poll::Ready(Err(error.into())),
        }
    }
}
