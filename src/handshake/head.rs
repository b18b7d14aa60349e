//! The head of an HTTP/1.1 message: lines, and fields in them (RFC 9112 §2 to §5), read strictly.
//!
//! Each byte is read once, wherever the input was split, so the work is linear in the input. A
//! syntax error is reported at the first byte that no valid head has there, and what a field's
//! value means is checked at the end of its line. The meaning of the lines is up to a [`Message`].

use super::{HandshakeError, fields};
#[cfg(feature = "alloc")]
use crate::buffer::growth;

/// What the head of a request or of a response may take up. Each limit is the largest value that
/// passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadLimits {
    /// Bytes of a head, with its first line and the empty line at its end; 16384 unless set. No
    /// line can be longer, and no more is held.
    pub bytes: usize,
    /// Headers of a head; 100 unless set.
    pub fields: usize,
    /// Interim responses (1xx) that a client skips; 8 unless set.
    pub interim: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self {
            bytes: 16 * 1024,
            fields: 100,
            interim: 8,
        }
    }
}

/// What the lines of a head mean.
pub(super) trait Message {
    /// Consumes the next byte of the first line, after the bytes `line`. The byte is not LF. If it
    /// is CR, the line must be complete, or empty; after an empty line the first line is still
    /// to come.
    fn start_line(&mut self, line: &[u8], byte: u8) -> Result<(), HandshakeError>;

    /// Consumes a field: `name` is a token, `value` has no whitespace around it and no control
    /// characters in it.
    fn field(&mut self, name: &str, value: &[u8]) -> Result<(), HandshakeError>;

    /// The head is complete.
    fn end(&self) -> Result<(), HandshakeError>;
}

/// The part of a head to which the next byte belongs.
#[derive(Clone, Copy)]
enum Part {
    StartLine,
    /// The LF of the start line.
    StartLineEnd,
    /// The first byte of a field line or of the empty line.
    Line,
    Name,
    Value,
    /// The LF of a field line.
    FieldEnd,
    /// The LF of the empty line.
    End,
}

/// Reads a head that may still grow.
pub(super) struct Parser<M> {
    limits: HeadLimits,
    message: M,
    part: Part,
    /// The number of bytes read.
    read: usize,
    /// Where the current line begins.
    line: usize,
    /// The number of fields begun.
    fields: usize,
}

impl<M: Message> Parser<M> {
    pub(super) const fn new(limits: HeadLimits, message: M) -> Self {
        Self {
            limits,
            message,
            part: Part::StartLine,
            read: 0,
            line: 0,
            fields: 0,
        }
    }

    pub(super) const fn message(&self) -> &M {
        &self.message
    }

    /// Reads on in `bytes`, which are those of the call before and any that came after them, and
    /// returns the head's length when it is complete.
    pub(super) fn advance(&mut self, bytes: &[u8]) -> Result<Option<usize>, HandshakeError> {
        let bytes = bytes.get(..self.limits.bytes).unwrap_or(bytes);
        while let Some(&byte) = bytes.get(self.read) {
            // The line so far.
            let line = bytes.get(self.line..self.read).unwrap_or_default();
            self.read += 1;
            self.part = match (self.part, byte) {
                (Part::StartLineEnd, b'\n') => {
                    self.line = self.read;
                    if line == b"\r" {
                        Part::StartLine
                    } else {
                        Part::Line
                    }
                }
                (Part::FieldEnd, b'\n') => {
                    self.line = self.read;
                    let (name, value) = line
                        .strip_suffix(b"\r")
                        .and_then(fields::split)
                        .ok_or(HandshakeError::InvalidHeaderName)?;
                    self.message.field(name, value)?;
                    Part::Line
                }
                (Part::End, b'\n') => {
                    self.message.end()?;
                    return Ok(Some(self.read));
                }
                (Part::StartLineEnd | Part::FieldEnd | Part::End, _) => {
                    return Err(HandshakeError::BareCr);
                }
                (_, b'\n') => return Err(HandshakeError::BareLf),
                (Part::StartLine, _) => {
                    self.message.start_line(line, byte)?;
                    if byte == b'\r' {
                        Part::StartLineEnd
                    } else {
                        Part::StartLine
                    }
                }
                (Part::Line, b'\r') => Part::End,
                (Part::Line, b' ' | b'\t') => return Err(HandshakeError::ObsFold),
                (Part::Line, _) if fields::is_token_char(byte) => {
                    if self.fields == self.limits.fields {
                        return Err(HandshakeError::TooManyHeaders {
                            limit: self.limits.fields,
                        });
                    }
                    self.fields += 1;
                    Part::Name
                }
                (Part::Name, b':') => Part::Value,
                (Part::Name, _) if fields::is_token_char(byte) => Part::Name,
                (Part::Line | Part::Name, _) => return Err(HandshakeError::InvalidHeaderName),
                (Part::Value, b'\r') => Part::FieldEnd,
                (Part::Value, _) if fields::is_field_value_char(byte) => {
                    // Values are most of a head, and reading them in one go is faster than by the
                    // byte.
                    self.read += fields::value_len(bytes.get(self.read..).unwrap_or_default());
                    Part::Value
                }
                (Part::Value, _) => return Err(HandshakeError::InvalidHeaderValue),
            };
        }
        if bytes.len() < self.limits.bytes {
            Ok(None)
        } else {
            Err(HandshakeError::HeadTooLarge {
                limit: self.limits.bytes,
            })
        }
    }
}

/// Splits `len` bytes off the front of `input`.
#[cfg(feature = "alloc")]
pub(super) fn cut<'a>(input: &mut &'a mut [u8], len: usize) -> &'a [u8] {
    match core::mem::take(input).split_at_mut_checked(len) {
        Some((front, rest)) => {
            *input = rest;
            front
        }
        None => &[],
    }
}

/// Reads a head that arrives in pieces, which it holds; a head that arrives whole it leaves where
/// it is.
#[cfg(feature = "alloc")]
pub(super) struct Collector<M> {
    parser: Parser<M>,
    held: alloc::vec::Vec<u8>,
}

/// Where a complete head is.
#[cfg(feature = "alloc")]
pub(super) enum Place {
    /// In the input, which begins with so many bytes of it.
    Input(usize),
    /// In the collector, and no longer in the input.
    Held,
}

#[cfg(feature = "alloc")]
impl<M: Message + Default> Collector<M> {
    pub(super) fn new(limits: HeadLimits) -> Self {
        Self {
            parser: Parser::new(limits, M::default()),
            held: alloc::vec::Vec::new(),
        }
    }

    pub(super) const fn limits(&self) -> &HeadLimits {
        &self.parser.limits
    }

    pub(super) const fn message(&self) -> &M {
        self.parser.message()
    }

    /// Takes the head, or what there is of it, from `input`.
    pub(super) fn read(&mut self, input: &mut &mut [u8]) -> Result<Option<Place>, HandshakeError> {
        if self.held.is_empty() {
            let len = self.parser.advance(input)?;
            if len.is_none() {
                self.hold(input);
                *input = &mut [];
            }
            return Ok(len.map(Place::Input));
        }
        let before = self.held.len();
        let wanted = input.len().min(self.limits().bytes - before);
        self.hold(input.get(..wanted).unwrap_or_default());
        let len = self.parser.advance(&self.held)?;
        cut(input, len.map_or(wanted, |len| len - before));
        Ok(len.map(|len| {
            self.held.truncate(len);
            Place::Held
        }))
    }

    /// Appends `bytes`, with which the head is no longer than its limit. Neither is the memory for
    /// it.
    fn hold(&mut self, bytes: &[u8]) {
        let len = self.held.len();
        self.held.reserve_exact(growth(
            len,
            self.held.capacity(),
            len + bytes.len(),
            self.limits().bytes,
        ));
        self.held.extend_from_slice(bytes);
    }

    /// The head that [`read`](Self::read) found.
    pub(super) fn take<'a, 'b: 'a>(&'a self, place: Place, input: &mut &'b mut [u8]) -> &'a [u8] {
        match place {
            Place::Input(len) => cut(input, len),
            Place::Held => &self.held,
        }
    }

    /// The same, left where it is.
    pub(super) fn peek<'a>(&'a self, place: &Place, input: &'a [u8]) -> &'a [u8] {
        match *place {
            Place::Input(len) => input.get(..len).unwrap_or_default(),
            Place::Held => &self.held,
        }
    }

    /// Drops the head that [`read`](Self::read) found, to read another.
    pub(super) fn skip(&mut self, place: Place, input: &mut &mut [u8]) {
        if let Place::Input(len) = place {
            cut(input, len);
        }
        self.held.clear();
        self.parser = Parser::new(*self.limits(), M::default());
    }
}

#[cfg(test)]
mod tests {
    #[cfg(feature = "alloc")]
    use super::{Collector, Place};
    use super::{HeadLimits, Message, Parser};
    use crate::handshake::HandshakeError;
    use std::vec;

    extern crate alloc;

    /// Counts the bytes that it is given.
    #[derive(Default)]
    struct Count(usize);

    impl Message for Count {
        fn start_line(&mut self, _line: &[u8], _byte: u8) -> Result<(), HandshakeError> {
            self.0 += 1;
            Ok(())
        }

        fn field(&mut self, name: &str, value: &[u8]) -> Result<(), HandshakeError> {
            self.0 += name.len() + value.len();
            Ok(())
        }

        fn end(&self) -> Result<(), HandshakeError> {
            Ok(())
        }
    }

    /// 64 KiB byte by byte: each call reads the new byte alone, and each line was handed on once.
    #[test]
    fn h1_cr15_no_byte_is_looked_at_twice() {
        const SIZE: usize = 64 * 1024;
        for line_len in [1_usize, 16, 1000, SIZE] {
            let mut head = vec![b'a'; SIZE];
            for lf in (line_len + 1..SIZE).step_by(line_len + 4) {
                head.splice(lf - 1..=lf + 2, *b"\r\na:");
            }
            let mut parser = Parser::new(
                HeadLimits {
                    bytes: usize::MAX,
                    fields: usize::MAX,
                    interim: 0,
                },
                Count::default(),
            );
            for end in 1..=head.len() {
                // What was read before is not there to be read again.
                head.get_mut(..parser.line).unwrap_or_default().fill(b'\n');
                assert_eq!(
                    parser.advance(head.get(..end).unwrap_or_default()),
                    Ok(None)
                );
                assert_eq!(parser.read, end);
            }
            assert!(parser.message.0 <= head.len());
        }
    }

    /// Memory is taken only for a head that arrives in pieces, and only for what arrived.
    #[cfg(feature = "alloc")]
    #[test]
    fn a_whole_head_is_left_where_it_is() {
        let mut head = *b"first\r\n\r\nrest";
        let mut collector = Collector::<Count>::new(HeadLimits::default());
        let mut input = &mut head[..];
        assert!(matches!(
            collector.read(&mut input),
            Ok(Some(Place::Input(9)))
        ));
        assert_eq!(collector.held.capacity(), 0);

        let mut collector = Collector::<Count>::new(HeadLimits::default());
        let (mut input, mut rest) = head.split_at_mut(4);
        assert!(matches!(collector.read(&mut input), Ok(None)));
        assert_eq!(collector.held, b"firs");
        assert!(matches!(collector.read(&mut rest), Ok(Some(Place::Held))));
        assert_eq!(
            (collector.held.as_slice(), &*rest),
            (&b"first\r\n\r\n"[..], &b"rest"[..])
        );
    }

    /// H1: however much comes behind a head that is not complete.
    #[cfg(feature = "alloc")]
    #[test]
    fn h1_no_more_is_held_than_the_limit() {
        let mut collector = Collector::<Count>::new(HeadLimits {
            bytes: 10,
            ..HeadLimits::default()
        });
        let (mut begin, mut rest) = (*b"first", [b'x'; 100]);
        assert!(matches!(collector.read(&mut &mut begin[..]), Ok(None)));
        assert!(matches!(
            collector.read(&mut &mut rest[..]),
            Err(HandshakeError::HeadTooLarge { limit: 10 })
        ));
        assert_eq!(collector.held, b"firstxxxxx");
    }

    /// H1: nor is memory for more. It grows by doubling, so that a head byte by byte is not copied
    /// at every byte.
    #[cfg(feature = "alloc")]
    #[test]
    fn h1_memory_for_a_head_grows_by_doubling_up_to_the_limit() {
        for limit in [1_usize, 2, 9, 1000, 16 * 1024] {
            for piece in [1, 2, 3, 100, 9000] {
                let mut collector = Collector::<Count>::new(HeadLimits {
                    bytes: limit,
                    ..HeadLimits::default()
                });
                let (mut line, mut capacity) = (vec![b'x'; limit - 1], 0);
                for mut piece in line.chunks_mut(piece) {
                    assert!(matches!(collector.read(&mut piece), Ok(None)));
                    let grown = collector.held.capacity();
                    let needed = collector.held.len() > capacity;
                    assert!(
                        if needed {
                            (2 * capacity).min(limit) <= grown && grown <= limit
                        } else {
                            grown == capacity
                        },
                        "{capacity}, {grown} of {limit}"
                    );
                    capacity = grown;
                }
                assert!(matches!(
                    collector.read(&mut &mut b"x".to_vec()[..]),
                    Err(HandshakeError::HeadTooLarge { .. })
                ));
                assert!(collector.held.capacity() <= limit);
            }
        }
    }
}
