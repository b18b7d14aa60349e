//! The messages that a peer received, and the bytes that it sent: counted in the same way for all.

use crate::frames::Kind;
use std::hint::black_box;
use std::mem;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

/// Counts received messages and their bytes; and while a peer is verified, computes their checksum.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    pub messages: u64,
    pub bytes: u64,
    verifying: bool,
    /// Of the chunks of a message.
    message: u64,
    /// The sum over all messages.
    checksum: u64,
}

impl Tally {
    pub fn verifying() -> Self {
        Self {
            verifying: true,
            ..Self::default()
        }
    }

    /// A complete text. That it is a `str` shows that someone has validated it.
    #[inline(always)]
    pub fn text(&mut self, text: &str) {
        self.chunk(text.as_bytes());
        self.end(Kind::Text);
    }

    /// A complete text that the peer has validated, and hands over as bytes.
    #[inline(always)]
    pub fn validated(&mut self, text: &[u8]) {
        self.chunk(text);
        self.end(Kind::Text);
    }

    /// A complete binary message.
    #[inline(always)]
    pub fn binary(&mut self, bytes: &[u8]) {
        self.chunk(bytes);
        self.end(Kind::Binary);
    }

    /// A chunk of a message, for peers that stream.
    #[inline(always)]
    pub fn chunk(&mut self, bytes: &[u8]) {
        self.bytes += black_box(bytes).len() as u64;
        if self.verifying {
            self.add(bytes);
        }
    }

    /// The end of a message.
    #[inline(always)]
    pub fn end(&mut self, kind: Kind) {
        self.messages += 1;
        if self.verifying {
            self.add(&[kind as u8]);
            self.checksum = self.checksum.wrapping_add(self.message);
            self.message = 0;
        }
    }

    #[cold]
    #[inline(never)]
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.message = (self.message ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }

    /// The tally of this, repeated.
    pub fn times(self, n: usize) -> Self {
        Self {
            messages: self.messages * n as u64,
            bytes: self.bytes * n as u64,
            checksum: self.checksum.wrapping_mul(n as u64),
            ..self
        }
    }
}

/// Where sent bytes go. It looks at them, and copies them only while a peer is verified.
///
/// Some peers require that their streams can be sent to other threads; only one thread uses it.
#[derive(Default)]
pub struct Sink {
    bytes: AtomicU64,
    keeping: AtomicBool,
    kept: Mutex<Vec<u8>>,
}

impl Sink {
    #[inline]
    pub fn write(&self, bytes: &[u8]) {
        let len = black_box(bytes).len() as u64;
        self.bytes.store(self.bytes.load(Relaxed) + len, Relaxed);
        if self.keeping.load(Relaxed) {
            self.keep(bytes);
        }
    }

    #[cold]
    #[inline(never)]
    fn keep(&self, bytes: &[u8]) {
        self.kept
            .lock()
            .expect("not poisoned")
            .extend_from_slice(bytes);
    }

    /// Returns the bytes that `work` writes, too.
    pub fn record<T>(&self, work: impl FnOnce() -> T) -> (T, Vec<u8>) {
        self.keeping.store(true, Relaxed);
        let result = work();
        self.keeping.store(false, Relaxed);
        (
            result,
            mem::take(&mut self.kept.lock().expect("not poisoned")),
        )
    }
}
