//! The findings in a conversation, in the order in which they are shown.

use std::io;
use std::time::Duration;
use ws_proto::MessageKind;
use ws_proto::deflate::Params;
use ws_proto::frame::{Header, Opcode};

/// One of the two ends of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    Client,
    Server,
}

impl Peer {
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Server => "server",
        }
    }
}

/// Where something was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The number of the TCP stream; `None` if the input is no capture of packets.
    pub stream: Option<u32>,
    /// The time since 1970 at which its last byte was captured.
    pub time: Option<Duration>,
    /// Who sent it.
    pub from: Peer,
    /// The number of bytes that this end had sent before it.
    pub offset: u64,
}

pub enum Finding<'a> {
    /// A TCP stream turns out to be of interest.
    Stream {
        client: String,
        server: String,
    },
    /// The head of a request or of a response, or as much of it as there is.
    Head {
        bytes: &'a [u8],
        is_complete: bool,
    },
    /// The body of a response that refuses the handshake.
    Body(&'a Body),
    /// The connection is open.
    Opened(&'a Opened),
    Frame(&'a Frame),
    /// A message is complete.
    Message(&'a Message),
    Violation(&'a Violation),
    Note(&'a str),
    /// The conversation is over, or the capture is.
    Ended(&'a str),
}

pub trait Show {
    fn show(&mut self, place: &Place, finding: &Finding<'_>) -> io::Result<()>;
}

pub struct Opened {
    pub subprotocol: Option<String>,
    pub deflate: Option<Params>,
}

/// The body of a response, without the frame of its chunks.
pub struct Body {
    /// Its content, or as much of it as is shown.
    pub content: Vec<u8>,
    /// The length of the captured bytes.
    pub len: u64,
    pub is_complete: bool,
}

/// A frame as it was sent.
pub struct Frame {
    pub header: Header,
    pub header_len: usize,
    /// The type of the message that the frame belongs to, where that is known.
    pub kind: Option<MessageKind>,
    /// Whether it belongs to a compressed message.
    pub compressed: bool,
    /// The payload, unmasked, or as much of it as is shown.
    pub payload: Vec<u8>,
    /// The bytes of the payload that the capture should have: fewer than declared if it ends
    /// before.
    pub received: u64,
    /// How many of them it lacks.
    pub missing: u64,
    /// Whether it follows a Close or a violation, so that no receiver looks at it.
    pub discarded: bool,
    /// The frame with which this crate would answer: its opcode and payload.
    pub answer: Option<(Opcode, Vec<u8>)>,
}

impl Frame {
    pub const fn left(&self) -> u64 {
        self.header.len - self.received
    }

    /// The bits of the length: 7, 16 or 64.
    pub const fn length_bits(&self) -> u8 {
        match self.header_len - if self.header.mask.is_some() { 4 } else { 0 } {
            2 => 7,
            4 => 16,
            _ => 64,
        }
    }

    pub const fn is_complete(&self) -> bool {
        self.left() == 0 && self.missing == 0
    }
}

/// The content of a message, or the bytes before the one at which it failed.
pub struct Message {
    pub kind: MessageKind,
    pub compressed: bool,
    pub frames: u64,
    /// The length of its frames' payloads.
    pub wire_len: u64,
    /// The length of its content.
    pub len: u64,
    /// The content, or as much of it as is shown.
    pub content: Vec<u8>,
    /// The offset of its first frame.
    pub offset: u64,
    pub is_failed: bool,
}

pub struct Violation {
    pub rule: String,
    /// The section that has the rule, with its RFC.
    pub section: String,
    /// The reaction of the other end.
    pub reaction: String,
}
