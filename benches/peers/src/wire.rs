//! An in-memory stream, for peers that read and write a socket themselves.

use crate::jobs::Connect;
use crate::tally::Sink;
use std::io::{self, ErrorKind, Read, Write};

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

    /// The bytes of the next read, of which at most `room` fit; `None` if it would block.
    fn next(&mut self, room: usize) -> Option<&'static [u8]> {
        if self.at == self.input.len() {
            self.at = 0;
            return None;
        }
        let end = (self.at - self.at % self.read).saturating_add(self.read);
        let bytes = &self.input[self.at..end.min(self.at + room).min(self.input.len())];
        self.at += bytes.len();
        Some(bytes)
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.next(buffer.len()).ok_or(ErrorKind::WouldBlock)?;
        buffer[..bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
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

impl Read for ClientWire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == 0 {
            self.job.answer();
        }
        let len = self.job.receive(|answer| {
            let rest = &answer[self.at..];
            let len = rest.len().min(buffer.len());
            buffer[..len].copy_from_slice(&rest[..len]);
            len
        });
        self.at += len;
        Ok(len)
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
