//! The head of an HTTP/1.1 message: its start line and its header section (RFC 9112 §2 to §5).
//! Parsing is strict.
//!
//! Each byte is parsed once, wherever the input was split, so the work is linear in the input. A
//! syntax error is reported at the first byte that no valid head has there, and the value of a
//! header is checked at the end of its line. The meaning of the lines is up to the [`HeadRules`].

use super::headers::{is_header_value_char, value_len};
use super::lists;
#[cfg(feature = "alloc")]
use crate::buffer::{growth, take_front};
use crate::buffer::{prefix, suffix};
use crate::extension::{is_token_char, token_len};
use crate::handshake::HandshakeError;
#[cfg(feature = "alloc")]
use alloc::vec::Vec;

/// Limits on the head of a request or of a response. Each is the largest value that is accepted.
///
/// ```
/// use ws_proto::handshake::HeadLimits;
///
/// let limits = HeadLimits::new().with_max_bytes(4096);
/// assert_eq!((limits.max_bytes(), limits.max_headers()), (4096, 100));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[must_use]
pub struct HeadLimits {
    max_bytes: usize,
    max_headers: usize,
    max_interim: usize,
}

impl HeadLimits {
    /// Returns the default limits, which are suitable for the open internet.
    pub const fn new() -> Self {
        Self {
            max_bytes: 16 * 1024,
            max_headers: 100,
            max_interim: 8,
        }
    }

    /// Sets the largest length of a head in bytes, including its start line and the empty line at
    /// its end. No more is buffered. Default: 16384.
    pub const fn with_max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets the largest number of headers in a head. Default: 100.
    pub const fn with_max_headers(mut self, headers: usize) -> Self {
        self.max_headers = headers;
        self
    }

    /// Sets the largest number of interim responses (1xx) that a client skips. Default: 8.
    pub const fn with_max_interim(mut self, responses: usize) -> Self {
        self.max_interim = responses;
        self
    }

    /// Returns the largest length of a head in bytes.
    #[must_use]
    pub const fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Returns the largest number of headers in a head.
    #[must_use]
    pub const fn max_headers(&self) -> usize {
        self.max_headers
    }

    /// Returns the largest number of interim responses (1xx) that a client skips.
    #[must_use]
    pub const fn max_interim(&self) -> usize {
        self.max_interim
    }
}

impl Default for HeadLimits {
    fn default() -> Self {
        Self::new()
    }
}

/// The rules for the lines of a head, and the facts learned from them.
pub(in crate::handshake) trait HeadRules {
    /// Checks the next byte of the start line, after the bytes `line`. The byte is not LF. If it is
    /// CR, the line must be complete, or empty; after an empty line the start line is still to
    /// come.
    ///
    /// `rest` has the bytes after it. Returns how many of them were checked, too, since a long
    /// element is checked faster in one go.
    fn start_line(&mut self, line: &[u8], byte: u8, rest: &[u8]) -> Result<usize, HandshakeError>;

    /// Checks a header: `name` is a token; `value` has no whitespace around it and no control
    /// characters in it.
    fn header(&mut self, name: &[u8], value: &[u8]) -> Result<(), HandshakeError>;

    /// Checks the complete head.
    fn end(&self) -> Result<(), HandshakeError>;
}

/// The element of a head to which the next byte belongs.
#[derive(Clone, Copy)]
enum Position {
    StartLine,
    /// The LF of the start line.
    StartLineEnd,
    /// The first byte of a header line or of the empty line.
    LineStart,
    Name,
    Value,
    /// The LF of a header line.
    LineEnd,
    /// The LF of the empty line.
    End,
}

/// Parses a head that may still grow.
pub(in crate::handshake) struct Parser<R> {
    limits: HeadLimits,
    rules: R,
    position: Position,
    /// The number of bytes parsed.
    parsed: usize,
    /// The index at which the current line begins.
    line_start: usize,
    /// The length of the current line's name.
    name_len: usize,
    /// The number of headers begun.
    headers: usize,
}

impl<R: HeadRules> Parser<R> {
    pub(in crate::handshake) const fn new(limits: HeadLimits, rules: R) -> Self {
        Self {
            limits,
            rules,
            position: Position::StartLine,
            parsed: 0,
            line_start: 0,
            name_len: 0,
            headers: 0,
        }
    }

    pub(in crate::handshake) const fn rules(&self) -> &R {
        &self.rules
    }

    /// Parses on in `bytes`, which are those of the previous call and any that arrived after them,
    /// and returns the head's length when it is complete.
    pub(in crate::handshake) fn advance(
        &mut self,
        bytes: &[u8],
    ) -> Result<Option<usize>, HandshakeError> {
        let bytes = bytes.get(..self.limits.max_bytes).unwrap_or(bytes);
        while let Some(&byte) = bytes.get(self.parsed) {
            // The line so far.
            let line = suffix(prefix(bytes, self.parsed), self.line_start);
            self.parsed += 1;
            self.position = match (self.position, byte) {
                (Position::StartLineEnd, b'\n') => {
                    self.line_start = self.parsed;
                    if line == b"\r" {
                        Position::StartLine
                    } else {
                        Position::LineStart
                    }
                }
                (Position::LineEnd, b'\n') => {
                    self.line_start = self.parsed;
                    let name = prefix(line, self.name_len);
                    let value = suffix(line, self.name_len + 1);
                    let value = prefix(value, value.len() - 1);
                    self.rules.header(name, lists::trim(value))?;
                    Position::LineStart
                }
                (Position::End, b'\n') => {
                    self.rules.end()?;
                    return Ok(Some(self.parsed));
                }
                (Position::StartLineEnd | Position::LineEnd | Position::End, _) => {
                    return Err(HandshakeError::BareCr);
                }
                (_, b'\n') => return Err(HandshakeError::BareLf),
                (Position::StartLine, _) => {
                    self.parsed += self
                        .rules
                        .start_line(line, byte, suffix(bytes, self.parsed))?;
                    if byte == b'\r' {
                        Position::StartLineEnd
                    } else {
                        Position::StartLine
                    }
                }
                (Position::LineStart, b'\r') => Position::End,
                (Position::LineStart, b' ' | b'\t') => return Err(HandshakeError::ObsFold),
                (Position::LineStart, _) if is_token_char(byte) => {
                    let limit = self.limits.max_headers;
                    if self.headers == limit {
                        return Err(HandshakeError::TooManyHeaders { limit });
                    }
                    self.headers += 1;
                    self.parsed += token_len(suffix(bytes, self.parsed));
                    Position::Name
                }
                (Position::Name, b':') => {
                    self.name_len = line.len();
                    Position::Value
                }
                (Position::Name, _) if is_token_char(byte) => {
                    // The name was split by the input.
                    self.parsed += token_len(suffix(bytes, self.parsed));
                    Position::Name
                }
                (Position::LineStart | Position::Name, _) => {
                    return Err(HandshakeError::InvalidHeaderName);
                }
                (Position::Value, b'\r') => Position::LineEnd,
                (Position::Value, _) if is_header_value_char(byte) => {
                    // Values are most of a head, and scanning them is faster than one byte at a
                    // time.
                    self.parsed += value_len(suffix(bytes, self.parsed));
                    Position::Value
                }
                (Position::Value, _) => return Err(HandshakeError::InvalidHeaderValue),
            };
        }
        let limit = self.limits.max_bytes;
        if bytes.len() < limit {
            Ok(None)
        } else {
            Err(HandshakeError::HeadTooLarge { limit })
        }
    }
}

/// Reads a head from input that may be split. It is buffered if it is split; if not, it stays in
/// the input.
#[cfg(feature = "alloc")]
pub(in crate::handshake) struct HeadReader<R> {
    parser: Parser<R>,
    buffer: Vec<u8>,
}

/// The location of a complete head.
#[cfg(feature = "alloc")]
pub(in crate::handshake) enum CompleteHead {
    /// The front of the input, of this length.
    Input(usize),
    /// The reader's buffer; it was removed from the input.
    Buffer,
}

#[cfg(feature = "alloc")]
impl<R: HeadRules + Default> HeadReader<R> {
    pub(in crate::handshake) fn new(limits: HeadLimits) -> Self {
        Self {
            parser: Parser::new(limits, R::default()),
            buffer: Vec::new(),
        }
    }

    pub(in crate::handshake) const fn limits(&self) -> &HeadLimits {
        &self.parser.limits
    }

    pub(in crate::handshake) const fn rules(&self) -> &R {
        self.parser.rules()
    }

    pub(in crate::handshake) const fn rules_mut(&mut self) -> &mut R {
        &mut self.parser.rules
    }

    /// Reads the head, or as much of it as has arrived, from `input`. After an error, the buffer
    /// holds the head up to the byte that made it certain.
    pub(in crate::handshake) fn read(
        &mut self,
        input: &mut &mut [u8],
    ) -> Result<Option<CompleteHead>, HandshakeError> {
        if self.buffer.is_empty() {
            let read = self.parser.advance(input);
            match read {
                Ok(Some(_)) => {}
                Ok(None) => {
                    self.push(input);
                    *input = &mut [];
                }
                Err(_) => self.push(prefix(input, self.parser.parsed)),
            }
            return Ok(read?.map(CompleteHead::Input));
        }
        let buffered = self.buffer.len();
        let permitted = input.len().min(self.limits().max_bytes - buffered);
        self.push(prefix(input, permitted));
        let len = self
            .parser
            .advance(&self.buffer)
            .inspect_err(|_| self.buffer.truncate(self.parser.parsed))?;
        take_front(input, len.map_or(permitted, |len| len - buffered));
        Ok(len.map(|len| {
            self.buffer.truncate(len);
            CompleteHead::Buffer
        }))
    }

    /// Appends `bytes` to the buffer. They must not exceed the limit of a head; the buffer's
    /// capacity does not either.
    fn push(&mut self, bytes: &[u8]) {
        let (len, capacity) = (self.buffer.len(), self.buffer.capacity());
        let additional = growth(len, capacity, len + bytes.len(), self.limits().max_bytes);
        self.buffer.reserve_exact(additional);
        self.buffer.extend_from_slice(bytes);
    }

    /// Returns the head that [`read`](Self::read) found, and removes it from `input`.
    pub(in crate::handshake) fn take<'a, 'b: 'a>(
        &'a self,
        head: CompleteHead,
        input: &mut &'b mut [u8],
    ) -> &'a [u8] {
        match head {
            CompleteHead::Input(len) => take_front(input, len),
            CompleteHead::Buffer => &self.buffer,
        }
    }

    /// Returns the head that [`read`](Self::read) found, without removing it.
    pub(in crate::handshake) fn peek<'a>(
        &'a self,
        head: &CompleteHead,
        input: &'a [u8],
    ) -> &'a [u8] {
        match *head {
            CompleteHead::Input(len) => prefix(input, len),
            CompleteHead::Buffer => &self.buffer,
        }
    }

    /// Removes the head that [`read`](Self::read) found, to read another.
    pub(in crate::handshake) fn skip(&mut self, head: CompleteHead, input: &mut &mut [u8]) {
        self.take(head, input);
        self.restart();
    }

    /// Begins to read another head.
    pub(in crate::handshake) fn restart(&mut self) {
        self.buffer.clear();
        self.parser = Parser::new(*self.limits(), R::default());
    }

    /// Keeps the head that [`read`](Self::read) found, since it was refused.
    pub(in crate::handshake) fn refuse(&mut self, head: CompleteHead, input: &[u8]) {
        if let CompleteHead::Input(len) = head {
            self.push(prefix(input, len));
        }
    }

    /// Returns the bytes of a head that is incomplete or was refused.
    pub(in crate::handshake) fn received(&self) -> &[u8] {
        &self.buffer
    }
}

#[cfg(test)]
mod tests {
    #[cfg(feature = "alloc")]
    use super::{CompleteHead, HeadReader};
    use super::{HeadLimits, HeadRules, Parser};
    use crate::handshake::HandshakeError;
    use std::vec;

    extern crate alloc;

    /// Counts the bytes passed to it.
    #[derive(Default)]
    struct Count(usize);

    impl HeadRules for Count {
        fn start_line(
            &mut self,
            _line: &[u8],
            _byte: u8,
            _rest: &[u8],
        ) -> Result<usize, HandshakeError> {
            self.0 += 1;
            Ok(0)
        }

        fn header(&mut self, name: &[u8], value: &[u8]) -> Result<(), HandshakeError> {
            self.0 += name.len() + value.len();
            Ok(())
        }

        fn end(&self) -> Result<(), HandshakeError> {
            Ok(())
        }
    }

    /// 64 KiB byte by byte: each call parses only the new byte, and each line was passed on once.
    #[test]
    fn h1_cr15_no_byte_is_looked_at_twice() {
        const SIZE: usize = 64 * 1024;
        for line_len in [1_usize, 16, 1000, SIZE] {
            let mut head = vec![b'a'; SIZE];
            for lf in (line_len + 1..SIZE).step_by(line_len + 4) {
                head.splice(lf - 1..=lf + 2, *b"\r\na:");
            }
            let mut parser = Parser::new(
                HeadLimits::new()
                    .with_max_bytes(usize::MAX)
                    .with_max_headers(usize::MAX),
                Count::default(),
            );
            for end in 1..=head.len() {
                // The bytes parsed before are overwritten, so that they cannot be parsed again.
                head.get_mut(..parser.line_start)
                    .unwrap_or_default()
                    .fill(b'\n');
                assert_eq!(
                    parser.advance(head.get(..end).unwrap_or_default()),
                    Ok(None)
                );
                assert_eq!(parser.parsed, end);
            }
            assert!(parser.rules.0 <= head.len());
        }
    }

    /// Memory is allocated only for a head that is split, and only for received bytes.
    #[cfg(feature = "alloc")]
    #[test]
    fn a_whole_head_is_left_where_it_is() {
        let mut head = *b"first\r\n\r\nrest";
        let mut reader = HeadReader::<Count>::new(HeadLimits::default());
        let mut input = &mut head[..];
        assert!(matches!(
            reader.read(&mut input),
            Ok(Some(CompleteHead::Input(9)))
        ));
        assert_eq!(reader.buffer.capacity(), 0);

        let mut reader = HeadReader::<Count>::new(HeadLimits::default());
        let (mut input, mut rest) = head.split_at_mut(4);
        assert!(matches!(reader.read(&mut input), Ok(None)));
        assert_eq!(reader.buffer, b"firs");
        assert!(matches!(
            reader.read(&mut rest),
            Ok(Some(CompleteHead::Buffer))
        ));
        assert_eq!(
            (reader.buffer.as_slice(), &*rest),
            (&b"first\r\n\r\n"[..], &b"rest"[..])
        );
    }

    /// H1: however much follows an incomplete head.
    #[cfg(feature = "alloc")]
    #[test]
    fn h1_no_more_is_held_than_the_limit() {
        let mut reader = HeadReader::<Count>::new(HeadLimits::new().with_max_bytes(10));
        let (mut begin, mut rest) = (*b"first", [b'x'; 100]);
        assert!(matches!(reader.read(&mut &mut begin[..]), Ok(None)));
        assert!(matches!(
            reader.read(&mut &mut rest[..]),
            Err(HandshakeError::HeadTooLarge { limit: 10 })
        ));
        assert_eq!(reader.buffer, b"firstxxxxx");
    }

    /// H1: nor is memory for more allocated. It grows by doubling, so that a head that arrives byte
    /// by byte is not copied at every byte.
    #[cfg(feature = "alloc")]
    #[test]
    fn h1_memory_for_a_head_grows_by_doubling_up_to_the_limit() {
        for limit in [1_usize, 2, 9, 1000, 16 * 1024] {
            for chunk_len in [1, 2, 3, 100, 9000] {
                let mut reader = HeadReader::<Count>::new(HeadLimits::new().with_max_bytes(limit));
                let (mut line, mut capacity) = (vec![b'x'; limit - 1], 0);
                for mut chunk in line.chunks_mut(chunk_len) {
                    assert!(matches!(reader.read(&mut chunk), Ok(None)));
                    let grown = reader.buffer.capacity();
                    let needed = reader.buffer.len() > capacity;
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
                    reader.read(&mut &mut b"x".to_vec()[..]),
                    Err(HandshakeError::HeadTooLarge { .. })
                ));
                assert!(reader.buffer.capacity() <= limit);
            }
        }
    }
}
