//! The transport in memory that each implementation reads and writes in its own way. It waits for
//! nothing.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// One end of a connection. Clones are the same end, so that it can be fed while an implementation
/// owns it.
#[derive(Debug, Default, Clone)]
pub(crate) struct Wire(Rc<RefCell<State>>);

#[derive(Debug, Default)]
struct State {
    /// The bytes that reads return, one chunk at a time.
    input: VecDeque<Vec<u8>>,
    ended: bool,
    written: Vec<u8>,
}

impl Wire {
    pub(crate) fn feed(&self, piece: &[u8]) {
        if !piece.is_empty() {
            self.0.borrow_mut().input.push_back(piece.to_vec());
        }
    }

    /// Nothing more will come.
    pub(crate) fn end(&self) {
        self.0.borrow_mut().ended = true;
    }

    /// All of the next chunk; `None` if there is none for now, or forever.
    pub(crate) fn take_piece(&self) -> Option<Vec<u8>> {
        self.0.borrow_mut().input.pop_front()
    }

    pub(crate) fn take_written(&self) -> Vec<u8> {
        mem::take(&mut self.0.borrow_mut().written)
    }

    pub(crate) fn append(&self, bytes: &[u8]) {
        self.0.borrow_mut().written.extend_from_slice(bytes);
    }
}

impl Read for Wire {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let mut state = self.0.borrow_mut();
        let Some(piece) = state.input.front_mut() else {
            return if state.ended {
                Ok(0)
            } else {
                Err(ErrorKind::WouldBlock.into())
            };
        };
        let len = piece.len().min(buf.len());
        buf[..len].copy_from_slice(&piece[..len]);
        piece.drain(..len);
        if piece.is_empty() {
            state.input.pop_front();
        }
        Ok(len)
    }
}

impl Write for Wire {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.append(buf);
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.read(buf.initialize_unfilled()) {
            Ok(len) => {
                buf.advance(len);
                Poll::Ready(Ok(()))
            }
            // The caller polls again after feeding: no task must be woken.
            Err(error) if error.kind() == ErrorKind::WouldBlock => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Poll::Ready(self.write(buf))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
