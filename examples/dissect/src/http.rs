//! As much of HTTP/1.1 as is needed to find the handshakes of a connection: the ends of heads, and
//! bodies by their length. Whether a handshake is right is not judged here.

/// The longest head, in bytes. Anything longer is not HTTP.
pub const MAX_HEAD: usize = 256 << 10;

/// The kinds of bytes at the start of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Start {
    /// A head, of this length.
    Head(usize),
    /// An incomplete head, or too few bytes to decide.
    Incomplete,
    /// A record of TLS.
    Tls,
    Http2,
    Other,
}

/// Looks at the start of a request or of a response.
pub fn start(bytes: &[u8], is_request: bool) -> Start {
    const TLS: &[u8] = &[0x16, 0x03];
    const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n";
    // One empty line may precede a request (RFC 9112 §2.2).
    let blank = if is_request && bytes.starts_with(b"\r\n") {
        2
    } else {
        0
    };
    let rest = &bytes[blank..];
    let agrees = |start: &[u8]| rest.iter().zip(start).all(|(a, b)| a == b);
    if rest.is_empty() {
        return Start::Incomplete;
    }
    if agrees(TLS) {
        return if rest.len() < TLS.len() {
            Start::Incomplete
        } else {
            Start::Tls
        };
    }
    if is_request && rest.starts_with(HTTP2) {
        return Start::Http2;
    }
    let line = rest.split(|&byte| byte == b'\n').next().unwrap_or(rest);
    let is_whole = line.len() < rest.len();
    let is_line = match is_request {
        false => agrees(b"HTTP/1."),
        true if is_whole => is_token(method(line)) && find(line, b" HTTP/").is_some(),
        true => is_token(method(line)),
    };
    if !is_line {
        return Start::Other;
    }
    match end_of_head(rest) {
        Some(end) => Start::Head(blank + end),
        None if bytes.len() > MAX_HEAD => Start::Other,
        None => Start::Incomplete,
    }
}

/// Whether bytes that are no head of one end are one of the other.
pub fn is_swapped(bytes: &[u8], is_request: bool) -> bool {
    matches!(start(bytes, !is_request), Start::Head(_))
}

fn method(line: &[u8]) -> &[u8] {
    line.split(|&byte| byte == b' ').next().unwrap_or_default()
}

/// Whether it is a token as the names of methods are: that no frame begins like one makes the
/// difference.
fn is_token(bytes: &[u8]) -> bool {
    (1..=32).contains(&bytes.len())
        && bytes
            .iter()
            .all(|&byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// The length of a head with its empty line, even if its lines end with a bare LF.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let mut line_start = 0;
    for (at, _) in bytes.iter().enumerate().filter(|&(_, &byte)| byte == b'\n') {
        if matches!(&bytes[line_start..at], b"" | b"\r") {
            return Some(at + 1);
        }
        line_start = at + 1;
    }
    None
}

/// The lines of a head that decide how the bytes after it are read.
#[derive(Default)]
pub struct Head {
    /// Empty for a response.
    pub method: String,
    /// Of a response; 0 if it has none.
    pub status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
    /// Reads a head, even if it is malformed.
    pub fn parse(head: &[u8], is_request: bool) -> Self {
        let text = String::from_utf8_lossy(head);
        let mut lines = text.trim_start().lines();
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (first, second) = (words.next().unwrap_or_default(), words.next());
        let headers = lines.filter_map(|line| line.split_once(':'));
        Self {
            method: if is_request {
                first.to_owned()
            } else {
                String::new()
            },
            status: second
                .and_then(|status| status.parse().ok())
                .unwrap_or_default(),
            headers: headers
                .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
                .collect(),
        }
    }

    /// The values of a header, joined to one list; empty if there is none.
    pub fn get(&self, name: &str) -> String {
        let values = self
            .headers
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name));
        values
            .map(|(_, value)| value.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    }

    pub fn has(&self, prefix: &str) -> bool {
        self.headers.iter().any(|(name, _)| {
            name.get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        })
    }

    /// Whether the head is meant for the opening handshake, right or wrong.
    pub fn is_handshake(&self) -> bool {
        self.has("Sec-WebSocket-")
            || self
                .get("Upgrade")
                .to_ascii_lowercase()
                .contains("websocket")
    }

    /// The body of a request (RFC 9112 §6.3).
    pub fn body(&self) -> Body {
        if self
            .get("Transfer-Encoding")
            .to_ascii_lowercase()
            .ends_with("chunked")
        {
            return Body::Chunked(Chunks::Size);
        }
        Body::Length(self.get("Content-Length").trim().parse().unwrap_or(0))
    }
}

/// The rest of a body.
#[derive(Debug, PartialEq, Eq)]
pub enum Body {
    Length(u64),
    Chunked(Chunks),
    UntilClose,
}

/// Where in a chunked body (RFC 9112 §7.1).
#[derive(Debug, PartialEq, Eq)]
pub enum Chunks {
    /// At the line with the size of a chunk.
    Size,
    /// In a chunk and the line end after it, with this many bytes left.
    Data(u64),
    /// After the last chunk.
    Trailers,
}

impl Body {
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Length(0))
    }

    /// Returns how many bytes at the front of `bytes` belong to the body, and passes its content
    /// on.
    pub fn read(&mut self, bytes: &[u8], mut content: impl FnMut(&[u8])) -> usize {
        let mut rest = bytes;
        let len = |len: u64| usize::try_from(len).unwrap_or(usize::MAX);
        loop {
            match self {
                Self::UntilClose => {
                    content(rest);
                    return bytes.len();
                }
                Self::Length(left) | Self::Chunked(Chunks::Data(left)) => {
                    let (all, now) = (*left, len(*left).min(rest.len()));
                    *left -= now as u64;
                    let (taken, after) = rest.split_at(now);
                    rest = after;
                    let line_end = if matches!(self, Self::Length(_)) {
                        0
                    } else {
                        2
                    };
                    content(&taken[..now.min(len(all.saturating_sub(line_end)))]);
                    match self {
                        Self::Chunked(Chunks::Data(0)) => *self = Self::Chunked(Chunks::Size),
                        _ => return bytes.len() - rest.len(),
                    }
                }
                Self::Chunked(part) => {
                    let Some(end) = rest.iter().position(|&byte| byte == b'\n') else {
                        return bytes.len() - rest.len();
                    };
                    let (line, after) = rest.split_at(end + 1);
                    rest = after;
                    let is_empty = matches!(line, b"\n" | b"\r\n");
                    match (&part, chunk_size(line)) {
                        (Chunks::Trailers, _) if is_empty => *self = Self::Length(0),
                        (Chunks::Trailers, _) => {}
                        (_, Some(0)) => *part = Chunks::Trailers,
                        (_, Some(size)) => *part = Chunks::Data(size.saturating_add(2)),
                        // No chunks after all.
                        (_, None) => *self = Self::UntilClose,
                    }
                }
            }
        }
    }
}

/// The size in a line before a chunk: hexadecimal, up to an extension.
fn chunk_size(line: &[u8]) -> Option<u64> {
    let line = str::from_utf8(line).ok()?;
    let size = line.split(';').next()?.trim();
    u64::from_str_radix(size, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::{Body, Chunks, Head, Start, start};

    #[test]
    fn the_start_of_a_stream_tells_what_it_is() {
        for (bytes, is_request, expected) in [
            (
                &b"GET / HTTP/1.1\r\nHost: a\r\n\r\nrest"[..],
                true,
                Start::Head(27),
            ),
            (b"\r\nGET / HTTP/1.1\r\n\r\n", true, Start::Head(20)),
            (b"GET / HTTP/1.1\nHost: a\n\n", true, Start::Head(24)),
            (b"CONNECT a:1 HTTP/1.1\r\n\r\n", true, Start::Head(24)),
            (b"GE", true, Start::Incomplete),
            (b"GET / HTTP/1.1\r\n", true, Start::Incomplete),
            (b"EHLO example\r\n", true, Start::Other),
            (b"HTTP/1.1 200 OK\r\n\r\n", false, Start::Head(19)),
            (b"HTTP/1.1 200 OK\r\n\r\n", true, Start::Other),
            (b"HTT", false, Start::Incomplete),
            (b"SSH-2.0-x\r\n", false, Start::Other),
            (b"\x16\x03\x01\x02", true, Start::Tls),
            (b"\x16", false, Start::Incomplete),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", true, Start::Http2),
            (b"\x81\x84", true, Start::Other),
            (b"", true, Start::Incomplete),
        ] {
            assert_eq!(
                start(bytes, is_request),
                expected,
                "{}",
                bytes.escape_ascii()
            );
        }
        assert_eq!(start(&[b'a'; super::MAX_HEAD + 1], true), Start::Other);
    }

    #[test]
    fn a_handshake_is_known_by_its_headers() {
        for (head, expected) in [
            (&b"GET / HTTP/1.1\r\nUpgrade: WebSocket\r\n\r\n"[..], true),
            (b"GET / HTTP/1.1\r\nsec-websocket-key: x\r\n\r\n", true),
            (b"GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n", false),
            (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", false),
        ] {
            assert_eq!(Head::parse(head, true).is_handshake(), expected);
        }
    }

    #[test]
    fn bodies_are_read_however_they_are_split() {
        let chunked = b"4;a=b\r\nWiki\r\n10\r\n0123456789abcdef\r\n0\r\nTrailer: x\r\n\r\n";
        for (body, bytes, expected) in [
            (
                &(|| Body::Length(5)) as &dyn Fn() -> Body,
                &b"Hello"[..],
                &b"Hello"[..],
            ),
            (
                &|| Body::Chunked(Chunks::Size),
                &chunked[..],
                b"Wiki0123456789abcdef",
            ),
        ] {
            for split in 0..=bytes.len() {
                let mut body: Body = body();
                let mut stream = [bytes, b"HTTP"].concat();
                let mut content = Vec::new();
                let mut keep = |bytes: &[u8]| content.extend_from_slice(bytes);
                let taken = body.read(&stream[..split], &mut keep);
                stream.drain(..taken);
                let taken = body.read(&stream, &mut keep);
                assert_eq!(content, expected);
                assert_eq!(
                    (&stream[taken..], body.is_over()),
                    (&b"HTTP"[..], true),
                    "{split}"
                );
            }
        }
        assert_eq!(
            Body::UntilClose.read(b"abc", |content| assert_eq!(content, b"abc")),
            3
        );
    }
}
