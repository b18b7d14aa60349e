//! JSON messages as a chat sends them, compressed and decompressed by the bare backend, zlib-rs.

use zlib_rs::{DeflateFlush, InflateFlush};

pub const LEVEL: i32 = 6;
pub const WINDOW_BITS: u8 = 15;
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];

/// Messages of a size: no two alike, and in total more than twice the size of a window, so that
/// sending them again is no repetition.
pub fn messages(size: usize) -> Vec<String> {
    (0..(128 * 1024 / size).max(64))
        .map(|n| message(size, n))
        .collect()
}

fn message(size: usize, seed: usize) -> String {
    let mut text = String::from("[");
    let mut n = seed;
    while text.len() < size - 1 {
        n = (n * 1_103_515_245 + 12345) % (1 << 31);
        let (name, city) = (
            ["Ada", "Grace", "Edsger", "Barbara"][n >> 8 & 3],
            ["Zürich", "Lagos", "Lima", "Osaka"][n >> 12 & 3],
        );
        text += &format!(
            r#"{{"id":{n},"name":"{name}","city":"{city}","price":{}.{},"ok":{}}},"#,
            n >> 16,
            n & 63,
            n & 64 == 0
        );
    }
    while !text.is_char_boundary(size - 1) {
        text.push(' ');
        text.remove(1);
    }
    text.truncate(size - 1);
    text + "]"
}

/// Compresses as RFC 7692 §7.2.1 describes.
pub struct Deflater {
    deflate: zlib_rs::Deflate,
    takeover: bool,
    buffer: Vec<u8>,
}

impl Deflater {
    pub fn new(takeover: bool) -> Self {
        Self {
            deflate: zlib_rs::Deflate::new(LEVEL, false, WINDOW_BITS),
            takeover,
            buffer: vec![0; 64 << 10],
        }
    }

    /// The compressed message, with the tail that is not sent.
    pub fn deflate(&mut self, message: &[u8]) -> &[u8] {
        let before = self.deflate.total_out();
        self.deflate
            .compress(message, &mut self.buffer, DeflateFlush::SyncFlush)
            .expect("valid parameters");
        let len = (self.deflate.total_out() - before) as usize;
        if !self.takeover {
            self.deflate.reset();
        }
        let (message, tail) = self.buffer[..len].split_at(len - TAIL.len());
        assert_eq!(tail, TAIL);
        message
    }
}

/// Decompresses as RFC 7692 §7.2.2 describes.
pub struct Inflater {
    inflate: zlib_rs::Inflate,
    takeover: bool,
    buffer: Vec<u8>,
}

impl Inflater {
    pub fn new(takeover: bool) -> Self {
        Self {
            inflate: zlib_rs::Inflate::new(false, WINDOW_BITS),
            takeover,
            buffer: vec![0; 64 << 10],
        }
    }

    /// The message; nothing if it is not valid.
    pub fn inflate(&mut self, message: &[u8]) -> &[u8] {
        let before = self.inflate.total_out();
        let mut len = 0;
        for bytes in [message, &TAIL] {
            let rest = &mut self.buffer[len..];
            // The tail may end in an error that no progress was possible.
            _ = self.inflate.decompress(bytes, rest, InflateFlush::NoFlush);
            len = (self.inflate.total_out() - before) as usize;
        }
        if !self.takeover {
            self.inflate.reset(false);
        }
        &self.buffer[..len]
    }
}
