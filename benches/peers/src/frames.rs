//! Frames and payloads, written and read by the harness itself and not by a contender.

use crate::tally::Tally;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Server,
    Client,
}

impl Role {
    pub const fn other(self) -> Self {
        match self {
            Self::Server => Self::Client,
            Self::Client => Self::Server,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text = 1,
    Binary = 2,
}

pub const FIN: u8 = 0x80;
pub const RSV1: u8 = 0x40;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;
pub const PAYLOAD_OF_PING: &[u8] = b"ping";

/// Writes the frames of an endpoint. The masking keys of a client differ from frame to frame.
pub struct Writer {
    role: Role,
    state: u32,
    pub bytes: Vec<u8>,
}

impl Writer {
    pub fn new(role: Role) -> Self {
        Self {
            role,
            state: 0x37fa_213d,
            bytes: Vec::new(),
        }
    }

    pub fn frame(&mut self, first: u8, payload: &[u8]) {
        let masked = self.role == Role::Client;
        let mask_bit = if masked { 0x80 } else { 0 };
        self.bytes.push(first);
        match payload.len() {
            len @ 0..126 => self.bytes.push(mask_bit | len as u8),
            len @ 126..0x1_0000 => {
                self.bytes.push(mask_bit | 126);
                self.bytes.extend((len as u16).to_be_bytes());
            }
            len => {
                self.bytes.push(mask_bit | 127);
                self.bytes.extend((len as u64).to_be_bytes());
            }
        }
        if masked {
            self.state = self
                .state
                .wrapping_mul(1_664_525)
                .wrapping_add(1_013_904_223);
            let key = self.state.to_be_bytes();
            self.bytes.extend(key);
            let masked = payload.iter().zip(key.iter().cycle());
            self.bytes.extend(masked.map(|(byte, key)| byte ^ key));
        } else {
            self.bytes.extend(payload);
        }
    }

    pub fn message(&mut self, kind: Kind, payload: &[u8]) {
        self.frame(FIN | kind as u8, payload);
    }
}

/// A frame, unmasked.
pub struct Frame {
    pub first: u8,
    pub payload: Vec<u8>,
}

/// Reads the frames that an endpoint of role `role` has sent.
pub fn read(mut bytes: &[u8], role: Role) -> Result<Vec<Frame>, String> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let mut take = |n: usize| {
            let (front, rest) = bytes.split_at_checked(n).ok_or("a truncated frame")?;
            bytes = rest;
            Ok::<_, String>(front)
        };
        let &[first, second] = take(2)? else {
            unreachable!()
        };
        if (second & 0x80 != 0) != (role == Role::Client) {
            return Err("masked by the wrong role".into());
        }
        let number = |bytes: &[u8]| bytes.iter().fold(0, |n, byte| n << 8 | usize::from(*byte));
        let len = match second & 0x7f {
            126 => number(take(2)?),
            127 => number(take(8)?),
            len => usize::from(len),
        };
        let key = match role {
            Role::Client => take(4)?,
            Role::Server => &[0],
        };
        let payload = take(len)?.iter().zip(key.iter().cycle());
        let payload = payload.map(|(byte, key)| byte ^ key).collect();
        frames.push(Frame { first, payload });
    }
    Ok(frames)
}

/// The tally of messages in one frame each.
pub fn tally<'a>(messages: impl IntoIterator<Item = (Kind, &'a [u8])>) -> Tally {
    let mut tally = Tally::verifying();
    for (kind, payload) in messages {
        tally.chunk(payload);
        tally.end(kind);
    }
    tally
}

/// Bytes without a pattern.
pub fn binary(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(|_| next()).collect()
}

pub fn ascii(len: usize) -> String {
    repeated("The quick brown fox jumps over the lazy dog. ", len)
}

/// Text in several scripts.
pub fn mixed(len: usize) -> String {
    repeated(
        "The quick brown fox; El zorro marrón rápido; Быстрая лиса; 素早い茶色の狐; ثعلب بني سريع; 🦊 ",
        len,
    )
}

/// `len` bytes: spaces complete the last sentence.
fn repeated(sentence: &str, len: usize) -> String {
    let mut text = sentence.repeat(len / sentence.len());
    text.extend(std::iter::repeat_n(' ', len - text.len()));
    text
}
