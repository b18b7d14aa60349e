//! One direction of an open connection: its frames as they were sent, the messages in them, and the
//! verdict of the end that receives them.
//!
//! The fields of a frame are from [`Header::decode`], which shows invalid frames as they are. The
//! verdict on it is that of a [`Connection`] in the role of the receiver. It streams, so that no
//! message is held, and leaves compressed messages to a [`Decompressor`].

use crate::finding::{Finding, Frame, Message, Peer, Place, Show, Violation};
use std::io;
use std::time::Duration;
use ws_proto::deflate::{Decompressor, DeflateConfig, Params};
use ws_proto::frame::{Header, MAX_CONTROL_PAYLOAD, Opcode, Utf8Validator};
use ws_proto::{Chunk, Config, Connection, Event, MessageKind, Negotiated, ProtocolError, Role};

/// How long a message may become when it is inflated. It bounds the time for a bomb.
const MAX_INFLATED: u64 = 1 << 30;

/// The frames that one end sends, as an end with the role `R` receives them.
pub struct Direction<R> {
    stream: Option<u32>,
    from: Peer,
    /// How much of a payload is kept to be shown, in bytes.
    shown: usize,
    /// The number of bytes so far.
    offset: u64,
    /// The bytes of a header that is incomplete.
    header: Vec<u8>,
    frame: Option<(u64, Frame)>,
    /// The message in progress: its type, and whether it is compressed.
    message: Option<(MessageKind, bool)>,
    /// `None` if there can be no verdict: an extension is unknown, or bytes are missing.
    receiver: Option<Connection<R>>,
    extensions: Extensions,
    content: Content,
    /// The violation in the current frame, and its offset.
    violation: Option<(u64, ProtocolError)>,
    answer: Option<(Opcode, Vec<u8>)>,
    answers: Answers,
    end: End,
    /// Whether the receiver had ended before the current frame.
    discarded: bool,
    /// Whether frames cannot be distinguished any more, since bytes are missing.
    is_lost: bool,
    /// Whether the input ended inside a frame.
    is_cut: bool,
    close: Option<String>,
    violations: u64,
    payload: Vec<u8>,
}

/// The extensions in use, as far as they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extensions {
    Negotiated,
    /// There was no handshake.
    Assumed,
    /// Nor were the bytes before the first frame captured: perhaps fragments of its message, and
    /// the context of its compression.
    Late,
    /// There is one that is not known here. Frames have no verdict.
    Unknown,
}

/// The answers of the receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    All,
    /// It is not known whether a Close is an answer itself.
    NotToClose,
    /// It has sent its own Close, after which nothing follows (RFC 6455 §5.5.1).
    None,
}

/// The reason why a receiver ignores the rest.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    No,
    Close,
    /// Data was found after the Close, and reported.
    DataAfterClose,
    Violation,
}

impl<R: Role> Direction<R> {
    /// `role` is that of the receiver, and `place` that of the first frame.
    pub fn new(
        role: R,
        place: &Place,
        shown: usize,
        deflate: Option<Params>,
        extensions: Extensions,
    ) -> Self {
        // The limits are a receiver's own, not the standard's.
        let config = Config::new()
            .with_max_message(u64::MAX)
            .with_max_fragments(u32::MAX);
        let mut negotiated = Negotiated::new(role);
        if let Some(params) = deflate {
            negotiated = negotiated.with_deflate(&DeflateConfig::new(), params);
        }
        Self {
            stream: place.stream,
            from: place.from,
            shown,
            offset: place.offset,
            header: Vec::new(),
            frame: None,
            message: None,
            receiver: (extensions != Extensions::Unknown)
                .then(|| Connection::new(negotiated, &config)),
            extensions,
            content: Content {
                decompressor: deflate.map(|params| match place.from {
                    Peer::Client => params.client_decompressor(),
                    Peer::Server => params.server_decompressor(),
                }),
                utf8: Utf8Validator::new(),
                message: None,
                is_complete: false,
                is_too_long: false,
                shown,
                block: vec![0; 16 << 10],
            },
            violation: None,
            answer: None,
            answers: Answers::All,
            end: End::No,
            discarded: false,
            is_lost: false,
            is_cut: false,
            close: None,
            violations: 0,
            payload: Vec::new(),
        }
    }

    /// The status code of the first Close that was sent, in words.
    pub fn close(&self) -> Option<&str> {
        self.close.as_deref()
    }

    pub const fn set_answers(&mut self, answers: Answers) {
        self.answers = answers;
    }

    /// From now on the receiver is not interested, since the handshake failed.
    pub fn discard(&mut self) {
        self.receiver = None;
        self.end = End::Violation;
    }

    pub const fn offset(&self) -> u64 {
        self.offset
    }

    pub const fn violations(&self) -> u64 {
        self.violations
    }

    /// Whether frames are unknown, since bytes are missing.
    pub const fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Whether a part of it could not be read.
    pub const fn is_incomplete(&self) -> bool {
        self.is_lost || self.is_cut
    }

    /// Receives the next bytes, and shows the frames that they complete.
    pub fn feed(
        &mut self,
        time: Option<Duration>,
        mut bytes: &[u8],
        out: &mut dyn Show,
    ) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.is_lost {
                self.offset += bytes.len() as u64;
                return Ok(());
            }
            let left = match &self.frame {
                Some((_, frame)) => usize::try_from(frame.left()).unwrap_or(usize::MAX),
                None => 1,
            };
            let (now, later) = bytes.split_at(left.min(bytes.len()));
            bytes = later;
            if self.frame.is_some() {
                self.take_payload(now);
            } else {
                self.take_header(now);
            }
            self.offset += now.len() as u64;
            self.show_if_complete(time, out)?;
        }
        Ok(())
    }

    /// Reports that the next bytes were sent, but not captured.
    pub fn skip(&mut self, time: Option<Duration>, len: u64, out: &mut dyn Show) -> io::Result<()> {
        self.offset += len;
        let had_verdicts = self.receiver.take().is_some();
        self.content.decompressor = None;
        self.content.message = None;
        let was_lost = self.is_lost;
        match &mut self.frame {
            // The next header is where it would be.
            Some((_, frame)) if len <= frame.left() => {
                frame.received += len;
                frame.missing += len;
            }
            _ => self.is_lost = true,
        }
        if self.is_lost && !was_lost {
            let text = "the frames after them cannot be told apart";
            out.show(&self.place(time, self.offset), &Finding::Note(text))?;
        } else if had_verdicts {
            let text =
                "frames after them are shown without a verdict, and compressed ones not inflated";
            out.show(&self.place(time, self.offset), &Finding::Note(text))?;
        }
        self.show_if_complete(time, out)
    }

    /// Shows the frame that the end of the input leaves incomplete.
    pub fn finish(&mut self, time: Option<Duration>, out: &mut dyn Show) -> io::Result<()> {
        self.is_cut = self.frame.is_some() || !self.header.is_empty();
        if let Some((offset, frame)) = self.frame.take() {
            self.show_frame(time, offset, frame, out)?;
        }
        if !self.header.is_empty() {
            let offset = self.offset - self.header.len() as u64;
            let text = format!("incomplete frame header, length {}", self.header.len());
            out.show(&self.place(time, offset), &Finding::Note(&text))?;
            self.show_violation(time, None, out)?;
        }
        Ok(())
    }

    fn place(&self, time: Option<Duration>, offset: u64) -> Place {
        Place {
            stream: self.stream,
            time,
            from: self.from,
            offset,
        }
    }

    fn take_header(&mut self, bytes: &[u8]) {
        let offset = self.offset - self.header.len() as u64;
        if self.header.is_empty() {
            self.discarded = self.end != End::No;
        }
        self.header.extend_from_slice(bytes);
        if let [first, ..] = self.header[..] {
            self.enter_message(first);
        }
        if let Some((header, header_len)) = Header::decode(&self.header) {
            self.header.clear();
            let (kind, compressed) = match self.message {
                Some(message) if !header.opcode.is_control() => (Some(message.0), message.1),
                _ => (None, false),
            };
            self.content.begin_frame(&header, offset);
            let frame = Frame {
                header,
                header_len,
                kind,
                compressed,
                payload: Vec::new(),
                received: 0,
                missing: 0,
                discarded: self.discarded,
                answer: None,
            };
            self.frame = Some((offset, frame));
        }
        self.payload.clear();
        self.payload.extend_from_slice(bytes);
        self.receive(offset);
    }

    /// Keeps the type of the message that a frame begins.
    fn enter_message(&mut self, first: u8) {
        let compressed = first & Header::RSV1 << 4 != 0 && self.content.decompressor.is_some();
        match Opcode::new(first & 0x0f) {
            Some(Opcode::TEXT) => self.message = Some((MessageKind::Text, compressed)),
            Some(Opcode::BINARY) => self.message = Some((MessageKind::Binary, compressed)),
            _ => {}
        }
    }

    fn take_payload(&mut self, bytes: &[u8]) {
        self.payload.clear();
        self.payload.extend_from_slice(bytes);
        let Some((offset, frame)) = &mut self.frame else {
            return;
        };
        let offset = *offset;
        // A status code and a reason are looked at, however little is shown.
        let shown = match frame.header.opcode.is_control() {
            true => self.shown.max(MAX_CONTROL_PAYLOAD),
            false => self.shown,
        };
        let room = shown - frame.payload.len().min(shown);
        let start = frame.payload.len();
        frame
            .payload
            .extend_from_slice(&bytes[..room.min(bytes.len())]);
        if let Some(key) = frame.header.mask {
            key.apply(&mut frame.payload[start..], frame.received);
        }
        frame.received += bytes.len() as u64;
        self.receive(offset);
    }

    /// Passes the bytes in `payload` to the receiver. The current frame began at `frame`.
    fn receive(&mut self, frame: u64) {
        let Some(receiver) = &mut self.receiver else {
            return;
        };
        let mut input = &mut self.payload[..];
        let len = input.len();
        let mut answer = Vec::new();
        loop {
            let consumed = (len - input.len()) as u64;
            let error = match receiver.recv(&mut input, &mut answer) {
                None => break,
                Some(Event::Data(chunk)) => match self.content.take(&chunk) {
                    Ok(()) => continue,
                    Err(error) => {
                        // A receiver of messages inflates them itself, and fails like this.
                        _ = receiver.fail(error.close_code(), "", &mut answer);
                        error
                    }
                },
                Some(Event::Failed(error)) => error,
                Some(Event::Close(_)) => {
                    self.end = End::Close;
                    continue;
                }
                Some(_) => continue,
            };
            let at = self.offset + consumed;
            let current = self.frame.as_ref();
            let at = current.and_then(|current| wrong_byte(current, error, at));
            let at = at.unwrap_or(frame);
            self.violation = Some((at, error));
            self.end = End::Violation;
        }
        if !answer.is_empty() {
            self.answer = decode(&answer);
        }
    }

    fn show_if_complete(&mut self, time: Option<Duration>, out: &mut dyn Show) -> io::Result<()> {
        match self.frame.take() {
            Some((offset, frame)) if frame.left() == 0 => {
                self.show_frame(time, offset, frame, out)?;
            }
            frame => self.frame = frame,
        }
        Ok(())
    }

    fn show_frame(
        &mut self,
        time: Option<Duration>,
        offset: u64,
        mut frame: Frame,
        out: &mut dyn Show,
    ) -> io::Result<()> {
        let header = frame.header;
        let is_answered = match self.answers {
            Answers::All => true,
            Answers::NotToClose => header.opcode != Opcode::CLOSE,
            Answers::None => false,
        };
        frame.answer = self.answer.take().filter(|_| is_answered);
        if header.opcode == Opcode::CLOSE {
            self.close.get_or_insert_with(|| close_code(&frame));
        }
        out.show(&self.place(time, offset), &Finding::Frame(&frame))?;
        self.show_violation(time, Some(&frame), out)?;
        if !header.opcode.is_control() {
            if self.end == End::Close {
                self.end = End::DataAfterClose;
                let violation = Violation {
                    rule: "data frame after a Close".to_owned(),
                    section: "RFC 6455 section 5.5.1".to_owned(),
                    reaction: format!("the {} discards it", self.from.other().name()),
                };
                self.violations += 1;
                out.show(&self.place(time, offset), &Finding::Violation(&violation))?;
            }
            if header.fin {
                self.message = None;
            }
        }
        if let Some(message) = self.content.complete() {
            if self.content.is_too_long {
                let text = format!(
                    "the message inflates to more than {MAX_INFLATED} bytes: neither the rest of it nor later ones are inflated"
                );
                self.receiver = None;
                out.show(&self.place(time, message.offset), &Finding::Note(&text))?;
            } else {
                out.show(
                    &self.place(time, message.offset),
                    &Finding::Message(&message),
                )?;
            }
        }
        Ok(())
    }

    fn show_violation(
        &mut self,
        time: Option<Duration>,
        frame: Option<&Frame>,
        out: &mut dyn Show,
    ) -> io::Result<()> {
        let Some((offset, error)) = self.violation.take() else {
            return Ok(());
        };
        let place = self.place(time, offset);
        let is_proof = !matches!(
            error,
            ProtocolError::InvalidCompression | ProtocolError::UnexpectedContinuation
        );
        if self.extensions == Extensions::Late && !is_proof {
            self.receiver = None;
            self.content.decompressor = None;
            self.end = End::No;
            let text = format!(
                "{error}: perhaps since the beginning was not captured; no verdict from here on"
            );
            return out.show(&place, &Finding::Note(&text));
        }
        self.violations += 1;
        let text = error.to_string();
        let (rule, section) = text.rsplit_once(" (").unwrap_or((&text, ""));
        let rule = match (error, frame) {
            (ProtocolError::ControlTooLong(opcode), Some(frame))
                if frame.header.len <= MAX_CONTROL_PAYLOAD as u64 =>
            {
                format!(
                    "control frame with its length in the {}-bit form ({opcode})",
                    frame.length_bits()
                )
            }
            _ => rule.to_owned(),
        };
        let violation = Violation {
            rule,
            section: section.trim_end_matches(')').to_owned(),
            reaction: format!(
                "the {} fails the connection with {}, and discards the rest",
                self.from.other().name(),
                error.close_code()
            ),
        };
        out.show(&place, &Finding::Violation(&violation))?;
        let is_known =
            self.extensions == Extensions::Negotiated || self.content.decompressor.is_some();
        if error == ProtocolError::ReservedBits(Header::RSV1) && !is_known {
            let text = "if compression was negotiated, add --extensions permessage-deflate";
            out.show(&place, &Finding::Note(text))?;
        }
        Ok(())
    }
}

/// The content of the message in progress.
struct Content {
    decompressor: Option<Decompressor>,
    /// For compressed text, which the connection cannot validate.
    utf8: Utf8Validator,
    message: Option<Message>,
    is_complete: bool,
    is_too_long: bool,
    shown: usize,
    block: Vec<u8>,
}

impl Content {
    fn begin_frame(&mut self, header: &Header, offset: u64) {
        if header.opcode.is_control() {
            return;
        }
        if header.opcode != Opcode::CONTINUATION {
            self.message = Some(Message {
                kind: if header.opcode == Opcode::TEXT {
                    MessageKind::Text
                } else {
                    MessageKind::Binary
                },
                compressed: false,
                frames: 0,
                wire_len: 0,
                len: 0,
                content: Vec::new(),
                offset,
                is_failed: false,
            });
        }
        if let Some(message) = &mut self.message {
            message.frames += 1;
            message.wire_len = message.wire_len.saturating_add(header.len);
        }
    }

    /// Takes the next chunk of the payload.
    fn take(&mut self, chunk: &Chunk<'_>) -> Result<(), ProtocolError> {
        let taken = self.inflate(chunk);
        if let (Err(_), Some(message)) = (taken, &mut self.message) {
            message.is_failed = true;
            self.is_complete = true;
        }
        taken
    }

    fn inflate(&mut self, chunk: &Chunk<'_>) -> Result<(), ProtocolError> {
        let Some(message) = &mut self.message else {
            return Ok(());
        };
        message.compressed = chunk.compressed;
        self.is_complete = chunk.last;
        if !chunk.compressed {
            message.push(chunk.payload, self.shown);
            return Ok(());
        }
        let Some(decompressor) = self.decompressor.as_mut().filter(|_| !self.is_too_long) else {
            return Ok(());
        };
        let mut input = &*chunk.payload;
        loop {
            let inflated = decompressor
                .inflate(&mut input, chunk.last, &mut self.block)
                .map_err(|_| ProtocolError::InvalidCompression)?;
            let block = &self.block[..inflated.len];
            message.push(block, self.shown);
            if chunk.kind == MessageKind::Text {
                self.utf8.feed(block)?;
            }
            self.is_too_long = message.len > MAX_INFLATED;
            if inflated.done || self.is_too_long {
                break;
            }
        }
        if chunk.last && chunk.kind == MessageKind::Text {
            self.utf8.finish()?;
        }
        Ok(())
    }

    /// Returns the message if it is complete, or longer than is looked at.
    fn complete(&mut self) -> Option<Message> {
        let is_complete = std::mem::take(&mut self.is_complete);
        self.message.take_if(|_| is_complete || self.is_too_long)
    }
}

impl Message {
    fn push(&mut self, bytes: &[u8], shown: usize) {
        let room = shown - self.content.len().min(shown);
        self.content
            .extend_from_slice(&bytes[..room.min(bytes.len())]);
        self.len += bytes.len() as u64;
    }
}

/// The offset of the byte that makes a text invalid, if the frame has it. `at` is that of the byte
/// at which the receiver failed. The other rules are about the frame, and so is a text that ends
/// inside a character.
fn wrong_byte((start, frame): &(u64, Frame), error: ProtocolError, at: u64) -> Option<u64> {
    let payload = start + frame.header_len as u64;
    let at = match error {
        ProtocolError::InvalidUtf8 if !frame.compressed => at,
        ProtocolError::InvalidCloseReason => {
            let mut utf8 = Utf8Validator::new();
            let reason = frame.payload.iter().skip(2);
            let good = reason.take_while(|&&byte| utf8.feed(&[byte]).is_ok());
            payload + 2 + good.count() as u64
        }
        _ => return None,
    };
    (payload..payload + frame.header.len)
        .contains(&at)
        .then_some(at)
}

/// The status code of a Close in words.
fn close_code(frame: &Frame) -> String {
    match frame.payload.first_chunk() {
        _ if !frame.is_complete() => "a code that is unknown, since bytes are missing".to_owned(),
        Some(&code) => u16::from_be_bytes(code).to_string(),
        None => "no code".to_owned(),
    }
}

/// Decodes the control frame that an end would send.
fn decode(frame: &[u8]) -> Option<(Opcode, Vec<u8>)> {
    let (header, header_len) = Header::decode(frame)?;
    let mut payload = frame[header_len..].to_vec();
    if let Some(key) = header.mask {
        key.apply(&mut payload, 0);
    }
    Some((header.opcode, payload))
}
