//! The head of an HTTP/1.1 message: its start line and its header section (RFC 9112 §2 to §5).
//! Parsing is strict.
//!
//! Each byte is parsed once, wherever the input was split, so the work is linear in the input. A
//! syntax error is reported at the first byte that no valid head has there, and the value of a
//! header is checked at the end of its line. The meaning of the lines is up to the [`HeadRules`].

use super::headers::{is_header_value_char, split_line, value_len};
use super::{lists, names};
#[cfg(feature = "alloc")]
use crate::buffer::growth;
use crate::buffer::{prefix, suffix, take_front};
use crate::extension::{is_token_char, token_len};
use crate::handshake::HandshakeError;
#[cfg(feature = "alloc")]
use alloc::vec::Vec;
use core::fmt;
use memchr::memchr;

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
    /// The number of bytes parsed, without those that were dropped.
    parsed: usize,
    /// The number of bytes of lines that were dropped.
    dropped: usize,
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
            dropped: 0,
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
        let max_bytes = self.limits.max_bytes - self.dropped;
        let bytes = bytes.get(..max_bytes).unwrap_or(bytes);
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
        if bytes.len() < max_bytes {
            Ok(None)
        } else {
            let limit = self.limits.max_bytes;
            Err(HandshakeError::HeadTooLarge { limit })
        }
    }

    /// Returns the current header line, if it has a complete name, and where it begins.
    fn header_line<'b>(&self, bytes: &'b [u8]) -> Option<(&'b [u8], usize)> {
        matches!(self.position, Position::Value | Position::LineEnd)
            .then(|| (suffix(bytes, self.line_start), self.line_start))
    }

    /// Forgets `len` of the parsed bytes, which were dropped.
    fn forget(&mut self, len: usize) {
        self.parsed -= len;
        self.dropped += len;
        self.line_start = self.line_start.min(self.parsed);
    }
}

/// The memory of a handshake if none is named.
#[cfg(feature = "alloc")]
pub(in crate::handshake) type DefaultMemory = Vec<u8>;
#[cfg(not(feature = "alloc"))]
pub(in crate::handshake) type DefaultMemory = HeadBuffer<'static>;

/// The memory in which a handshake keeps a head: a `Vec<u8>`, or a [`HeadBuffer`].
pub trait HeadMemory: memory::Memory {}

pub(in crate::handshake) mod memory {
    #[expect(unnameable_types, reason = "the trait `HeadMemory` is sealed")]
    pub trait Memory {
        /// Whether the memory keeps all of a head, and only of one that is split by the input. A
        /// complete one stays there.
        const KEEPS_ALL: bool;

        /// Returns the kept bytes.
        fn bytes(&self) -> &[u8];

        /// Appends `bytes`, as many as there is room for. No more than `most` bytes are ever kept.
        fn push(&mut self, bytes: &[u8], most: usize) -> usize;

        /// Removes all but the first `len` bytes.
        fn truncate(&mut self, len: usize);

        /// Returns whether headers with this name are kept.
        fn keeps(&self, name: &[u8]) -> bool;
    }
}

#[cfg(feature = "alloc")]
impl HeadMemory for Vec<u8> {}

#[cfg(feature = "alloc")]
impl memory::Memory for Vec<u8> {
    const KEEPS_ALL: bool = true;

    fn bytes(&self) -> &[u8] {
        self
    }

    /// The capacity does not exceed `most`.
    fn push(&mut self, bytes: &[u8], most: usize) -> usize {
        let additional = growth(self.len(), self.capacity(), self.len() + bytes.len(), most);
        self.reserve_exact(additional);
        self.extend_from_slice(bytes);
        bytes.len()
    }

    fn truncate(&mut self, len: usize) {
        self.truncate(len);
    }

    fn keeps(&self, _name: &[u8]) -> bool {
        true
    }
}

/// Memory of a fixed size for a head, which may be longer: for programs without an allocator.
///
/// It keeps the start line and the headers that have a meaning in a handshake, such as `Host`,
/// `Upgrade`, `Origin` and those whose name begins with `Sec-WebSocket-`. Others, such as the
/// cookies and the `User-Agent` of browsers, are checked while they stream by, and dropped. A
/// request of a browser needs about 300 bytes.
///
/// A head of which more must be kept than there is room for is
/// [`HandshakeError::HeadTooLarge`].
#[must_use]
pub struct HeadBuffer<'m> {
    memory: &'m mut [u8],
    len: usize,
    names: &'m [&'m str],
}

impl<'m> HeadBuffer<'m> {
    /// Returns a buffer in this memory.
    pub const fn new(memory: &'m mut [u8]) -> Self {
        Self {
            memory,
            len: 0,
            names: &[],
        }
    }

    /// Sets the names of further headers to keep, such as `Authorization`.
    pub const fn keep(mut self, names: &'m [&'m str]) -> Self {
        self.names = names;
        self
    }
}

impl HeadMemory for HeadBuffer<'_> {}

impl memory::Memory for HeadBuffer<'_> {
    const KEEPS_ALL: bool = false;

    fn bytes(&self) -> &[u8] {
        prefix(self.memory, self.len)
    }

    fn push(&mut self, bytes: &[u8], _most: usize) -> usize {
        let room = self.memory.get_mut(self.len..).unwrap_or_default();
        let len = bytes.len().min(room.len());
        if let Some(place) = room.get_mut(..len) {
            place.copy_from_slice(prefix(bytes, len));
        }
        self.len += len;
        len
    }

    fn truncate(&mut self, len: usize) {
        self.len = self.len.min(len);
    }

    fn keeps(&self, name: &[u8]) -> bool {
        let mut names = self.names.iter();
        names::known(name).is_some() || names.any(|kept| kept.as_bytes().eq_ignore_ascii_case(name))
    }
}

/// Shows nothing of the head.
impl fmt::Debug for HeadBuffer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeadBuffer")
            .field("len", &self.len)
            .field("size", &self.memory.len())
            .finish_non_exhaustive()
    }
}

/// Reads a head from input that may be split.
pub(in crate::handshake) struct HeadReader<R, M> {
    parser: Parser<R>,
    memory: M,
}

/// The location of a complete head.
pub(in crate::handshake) enum CompleteHead {
    /// The front of the input, of this length.
    Input(usize),
    /// The reader's memory; it was removed from the input.
    Memory,
}

impl<R: HeadRules + Default, M: HeadMemory> HeadReader<R, M> {
    pub(in crate::handshake) fn new(limits: HeadLimits, memory: M) -> Self {
        Self {
            parser: Parser::new(limits, R::default()),
            memory,
        }
    }

    /// Sets the limits, before anything was read.
    pub(in crate::handshake) const fn set_limits(&mut self, limits: HeadLimits) {
        self.parser.limits = limits;
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

    /// Reads the head, or as much of it as has arrived, from `input`. After an error, the memory
    /// holds the kept bytes of the head up to the byte that made it certain.
    pub(in crate::handshake) fn read(
        &mut self,
        input: &mut &mut [u8],
    ) -> Result<Option<CompleteHead>, HandshakeError> {
        if !M::KEEPS_ALL {
            return self.read_lines(input);
        }
        if self.memory.bytes().is_empty() {
            let read = self.parser.advance(input);
            match read {
                Ok(Some(_)) => {}
                Ok(None) => {
                    self.push(input);
                    *input = &mut [];
                }
                Err(_) => _ = self.push(prefix(input, self.parser.parsed)),
            }
            return Ok(read?.map(CompleteHead::Input));
        }
        let kept = self.memory.bytes().len();
        let permitted = input.len().min(self.limits().max_bytes - kept);
        self.push(prefix(input, permitted));
        let len = self
            .parser
            .advance(self.memory.bytes())
            .inspect_err(|_| self.memory.truncate(self.parser.parsed))?;
        take_front(input, len.map_or(permitted, |len| len - kept));
        Ok(len.map(|len| {
            self.memory.truncate(len);
            CompleteHead::Memory
        }))
    }

    /// Reads line by line, and drops those that are not kept.
    fn read_lines(
        &mut self,
        input: &mut &mut [u8],
    ) -> Result<Option<CompleteHead>, HandshakeError> {
        while !input.is_empty() {
            let line_len = memchr(b'\n', input).map_or(input.len(), |lf| lf + 1);
            let pushed = self.push(prefix(input, line_len));
            if pushed == 0 {
                if self.drop_value() {
                    continue;
                }
                let limit = self.memory.bytes().len();
                return Err(HandshakeError::HeadTooLarge { limit });
            }
            let line = self.parser.line_start;
            let read = self
                .parser
                .advance(self.memory.bytes())
                .inspect_err(|_| self.memory.truncate(self.parser.parsed))?;
            take_front(input, pushed);
            if read.is_some() {
                return Ok(Some(CompleteHead::Memory));
            }
            if self.parser.headers > 0 && line < self.parser.line_start {
                self.drop_line(line);
            }
        }
        Ok(None)
    }

    /// Drops the header line from `start` on, which is complete, unless it is kept.
    fn drop_line(&mut self, start: usize) {
        let line = suffix(self.memory.bytes(), start);
        let len = line.len();
        if split_line(line).is_some_and(|(name, _)| !self.memory.keeps(name)) {
            self.memory.truncate(start);
            self.parser.forget(len);
        }
    }

    /// Drops the value so far of a header that is not kept. Returns whether that makes room.
    fn drop_value(&mut self) -> bool {
        let bytes = self.memory.bytes();
        let Some((line, start)) = self.parser.header_line(bytes) else {
            return false;
        };
        let Some((name, _)) = split_line(line).filter(|(name, _)| !self.memory.keeps(name)) else {
            return false;
        };
        // The name, the colon, and the CR that may be the last byte.
        let (kept, ends) = (start + name.len() + 1, line.ends_with(b"\r"));
        let len = bytes.len() - kept - usize::from(ends);
        self.memory.truncate(kept);
        if ends {
            self.push(b"\r");
        }
        self.parser.forget(len);
        len > 0
    }

    /// Appends bytes to the memory, and returns how many fit.
    fn push(&mut self, bytes: &[u8]) -> usize {
        self.memory.push(bytes, self.parser.limits.max_bytes)
    }

    /// Returns the head that [`read`](Self::read) found, and removes it from `input`.
    pub(in crate::handshake) fn take<'a, 'b: 'a>(
        &'a self,
        head: CompleteHead,
        input: &mut &'b mut [u8],
    ) -> &'a [u8] {
        match head {
            CompleteHead::Input(len) => take_front(input, len),
            CompleteHead::Memory => self.memory.bytes(),
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
            CompleteHead::Memory => self.memory.bytes(),
        }
    }

    /// Removes the head that [`read`](Self::read) found, to read another.
    pub(in crate::handshake) fn skip(&mut self, head: CompleteHead, input: &mut &mut [u8]) {
        self.take(head, input);
        self.restart();
    }

    /// Begins to read another head.
    pub(in crate::handshake) fn restart(&mut self) {
        self.memory.truncate(0);
        self.parser = Parser::new(*self.limits(), R::default());
    }

    /// Keeps the head that [`read`](Self::read) found, since it was refused.
    pub(in crate::handshake) fn refuse(&mut self, head: CompleteHead, input: &[u8]) {
        if let CompleteHead::Input(len) = head {
            self.push(prefix(input, len));
        }
    }

    /// Returns the kept bytes of a head that is incomplete or was refused.
    pub(in crate::handshake) fn received(&self) -> &[u8] {
        self.memory.bytes()
    }
}

#[cfg(test)]
mod tests {
    #[cfg(feature = "alloc")]
    use super::{CompleteHead, HeadReader};
    use super::{HeadLimits, HeadRules, Parser};
    use crate::handshake::HandshakeError;
    use std::vec;
    #[cfg(feature = "alloc")]
    use std::vec::Vec;

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
        let mut reader = HeadReader::<Count, Vec<u8>>::new(HeadLimits::default(), Vec::new());
        let mut input = &mut head[..];
        assert!(matches!(
            reader.read(&mut input),
            Ok(Some(CompleteHead::Input(9)))
        ));
        assert_eq!(reader.memory.capacity(), 0);

        let mut reader = HeadReader::<Count, Vec<u8>>::new(HeadLimits::default(), Vec::new());
        let (mut input, mut rest) = head.split_at_mut(4);
        assert!(matches!(reader.read(&mut input), Ok(None)));
        assert_eq!(reader.memory, b"firs");
        assert!(matches!(
            reader.read(&mut rest),
            Ok(Some(CompleteHead::Memory))
        ));
        assert_eq!(
            (reader.memory.as_slice(), &*rest),
            (&b"first\r\n\r\n"[..], &b"rest"[..])
        );
    }

    /// H1: however much follows an incomplete head.
    #[cfg(feature = "alloc")]
    #[test]
    fn h1_no_more_is_held_than_the_limit() {
        let mut reader =
            HeadReader::<Count, Vec<u8>>::new(HeadLimits::new().with_max_bytes(10), Vec::new());
        let (mut begin, mut rest) = (*b"first", [b'x'; 100]);
        assert!(matches!(reader.read(&mut &mut begin[..]), Ok(None)));
        assert!(matches!(
            reader.read(&mut &mut rest[..]),
            Err(HandshakeError::HeadTooLarge { limit: 10 })
        ));
        assert_eq!(reader.memory, b"firstxxxxx");
    }

    /// H1: nor is memory for more allocated. It grows by doubling, so that a head that arrives byte
    /// by byte is not copied at every byte.
    #[cfg(feature = "alloc")]
    #[test]
    fn h1_memory_for_a_head_grows_by_doubling_up_to_the_limit() {
        for limit in [1_usize, 2, 9, 1000, 16 * 1024] {
            for chunk_len in [1, 2, 3, 100, 9000] {
                let mut reader = HeadReader::<Count, Vec<u8>>::new(
                    HeadLimits::new().with_max_bytes(limit),
                    Vec::new(),
                );
                let (mut line, mut capacity) = (vec![b'x'; limit - 1], 0);
                for mut chunk in line.chunks_mut(chunk_len) {
                    assert!(matches!(reader.read(&mut chunk), Ok(None)));
                    let grown = reader.memory.capacity();
                    let needed = reader.memory.len() > capacity;
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
                assert!(reader.memory.capacity() <= limit);
            }
        }
    }
}
