//! An in-memory stream, for peers that read and write a socket themselves.

use crate::jobs::{self, Connect, Work};
use crate::tally::{Sink, Tally};
use std::cell::RefCell;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use tokio::io::ReadBuf;

/// Hands out its input in reads of fixed size. At the end of the input it would block, once, and
/// then begins again: so a connection over it lasts as long as a measurement.
pub struct Wire {
    input: &'static [u8],
    read: usize,
    at: usize,
    sink: &'static Sink,
}

impl Wire {
    pub const fn new(input: &'static [u8], read: usize, sink: &'static Sink) -> Self {
        Self {
            input,
            read,
            at: 0,
            sink,
        }
    }

    /// Calls `receive` with the bytes of the next read, at most `room`; `None` if it would block.
    fn next<T>(&mut self, room: usize, receive: impl FnOnce(&[u8]) -> T) -> Option<T> {
        if self.at == self.input.len() {
            self.at = 0;
            return None;
        }
        let end = (self.at - self.at % self.read).saturating_add(self.read);
        let bytes = &self.input[self.at..end.min(self.at + room).min(self.input.len())];
        self.at += bytes.len();
        Some(receive(bytes))
    }
}

/// Copies a read into the start of a buffer.
fn fill(buffer: &mut [u8], bytes: &[u8]) -> usize {
    buffer[..bytes.len()].copy_from_slice(bytes);
    bytes.len()
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.next(buffer.len(), |bytes| fill(buffer, bytes));
        read.ok_or_else(|| ErrorKind::WouldBlock.into())
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.sink.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A client's stream to the server of the harness, which answers when it is read from.
pub struct ClientWire {
    job: &'static Connect,
    at: usize,
}

impl ClientWire {
    pub fn new(job: &'static Connect) -> Self {
        job.begin();
        Self { job, at: 0 }
    }
}

impl ClientWire {
    fn next<T>(&mut self, room: usize, receive: impl FnOnce(&[u8]) -> T) -> Option<T> {
        if self.at == 0 {
            self.job.answer();
        }
        self.job.receive(|answer| {
            let rest = &answer[self.at..];
            let bytes = &rest[..rest.len().min(room)];
            self.at += bytes.len();
            Some(receive(bytes))
        })
    }
}

impl Read for ClientWire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.next(buffer.len(), |bytes| fill(buffer, bytes));
        Ok(read.unwrap_or(0))
    }
}

impl Write for ClientWire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.job.write(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Calls `$poll` of the blocking implementation, which never blocks except at the end of the input.
macro_rules! asynchronous {
    ($stream:ty) => {
        impl tokio::io::AsyncRead for $stream {
            fn poll_read(
                mut self: Pin<&mut Self>,
                _: &mut Context<'_>,
                buffer: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                let room = buffer.remaining();
                self.next(room, |bytes| buffer.put_slice(bytes))
                    .map_or(Poll::Pending, |()| Poll::Ready(Ok(())))
            }
        }

        impl tokio::io::AsyncWrite for $stream {
            fn poll_write(
                mut self: Pin<&mut Self>,
                _: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                Poll::Ready(self.write(bytes))
            }

            fn poll_write_vectored(
                mut self: Pin<&mut Self>,
                _: &mut Context<'_>,
                slices: &[IoSlice<'_>],
            ) -> Poll<io::Result<usize>> {
                Poll::Ready(
                    slices
                        .iter()
                        .try_fold(0, |n, slice| Ok(n + self.write(slice)?)),
                )
            }

            fn is_write_vectored(&self) -> bool {
                true
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }
        }

        impl futures_io::AsyncRead for $stream {
            fn poll_read(
                mut self: Pin<&mut Self>,
                _: &mut Context<'_>,
                buffer: &mut [u8],
            ) -> Poll<io::Result<usize>> {
                self.next(buffer.len(), |bytes| fill(buffer, bytes))
                    .map_or(Poll::Pending, |n| Poll::Ready(Ok(n)))
            }
        }

        impl futures_io::AsyncWrite for $stream {
            fn poll_write(
                mut self: Pin<&mut Self>,
                _: &mut Context<'_>,
                bytes: &[u8],
            ) -> Poll<io::Result<usize>> {
                Poll::Ready(self.write(bytes))
            }

            fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }

            fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
                Poll::Ready(Ok(()))
            }
        }
    };
}

asynchronous!(Wire);
asynchronous!(ClientWire);

/// Polls a future once, with no runtime: nothing ever wakes it, since it waits only at the end of
/// the input.
fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// The result of a future that does not wait.
pub fn ready<F: Future>(future: F) -> F::Output {
    match poll(pin!(future)) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("it waits"),
    }
}

/// The work of a future that receives until the end of the input, and then waits for more. It lasts
/// from pass to pass, since many futures must not be dropped while they wait.
pub fn work<F>(receive: impl FnOnce(Rc<RefCell<Tally>>) -> F) -> Work
where
    F: Future<Output = jobs::Result> + 'static,
{
    let shared = Rc::default();
    let mut future = Box::pin(receive(Rc::clone(&shared)));
    Box::new(move |tally| {
        shared.replace(*tally);
        let polled = poll(future.as_mut());
        *tally = *shared.borrow();
        match polled {
            Poll::Ready(result) => result,
            Poll::Pending => Ok(()),
        }
    })
}
