//! A line for each finding, and more with `-v`.

use super::{code_name, hex, is_utf8};
use crate::finding::{Body, Finding, Frame, Message, Opened, Peer, Place, Show};
use std::io::{self, Write};
use std::time::{Duration, UNIX_EPOCH};
use ws_proto::MessageKind;
use ws_proto::deflate::Params;
use ws_proto::frame::Opcode;

#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub is_verbose: bool,
    pub has_colours: bool,
    /// How much of a payload is printed: bytes, or characters of text.
    pub shown: usize,
}

impl Style {
    /// As many bytes need about the same room in hexadecimal.
    const fn shown_bytes(self) -> usize {
        self.shown / 3
    }
}

pub struct Text<W> {
    out: W,
    style: Style,
    /// The time of the first finding, from which others are counted.
    start: Option<Duration>,
    has_streams: bool,
}

impl<W: Write> Text<W> {
    pub const fn new(out: W, style: Style) -> Self {
        Self {
            out,
            style,
            start: None,
            has_streams: false,
        }
    }

    pub const fn out(&mut self) -> &mut W {
        &mut self.out
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.style.has_colours {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// The first column.
    fn time(&mut self, place: &Place) -> String {
        let Some(time) = place.time else {
            return String::new();
        };
        let start = *self.start.get_or_insert(time);
        // The clock of a capture may be set back.
        let (sign, time) = match time.checked_sub(start) {
            Some(time) => ("", time),
            None => ("-", start.saturating_sub(time)),
        };
        let time = format!("{sign}{}.{:06}", time.as_secs(), time.subsec_micros());
        format!("{time:>11}  ")
    }

    /// The columns before a finding: time, stream, end, offset.
    fn place(&mut self, place: &Place) -> String {
        let mut text = self.time(place);
        if let Some(stream) = place.stream {
            text += &format!("{stream:>2} ");
        }
        let colour = match place.from {
            Peer::Client => "36",
            Peer::Server => "32",
        };
        text += &self.paint(colour, place.from.name());
        text += &format!(" {:08x}  ", place.offset);
        text
    }

    /// The same width without them.
    fn indent(place: &Place) -> String {
        let time = if place.time.is_some() { 13 } else { 0 };
        let stream = place
            .stream
            .map_or(0, |stream| format!("{stream:>2} ").len());
        " ".repeat(time + stream + 17)
    }

    fn stream(&mut self, place: &Place, client: &str, server: &str) -> io::Result<()> {
        if self.has_streams {
            writeln!(self.out)?;
        } else if let Some(time) = place.time {
            self.start.get_or_insert(time);
            let date = humantime::format_rfc3339_micros(UNIX_EPOCH + time);
            writeln!(self.out, "times are in seconds since {date}")?;
        }
        self.has_streams = true;
        let number = place.stream.unwrap_or_default();
        let line = format!("stream {number}: client {client}, server {server}");
        let line = self.paint("1", &line);
        writeln!(self.out, "{line}")
    }

    fn head(&mut self, place: &Place, bytes: &[u8], is_complete: bool) -> io::Result<()> {
        let columns = self.place(place);
        let name = match place.from {
            Peer::Client => "request",
            Peer::Server => "response",
        };
        let incomplete = if is_complete {
            ""
        } else {
            ", incomplete: the empty line is missing"
        };
        writeln!(self.out, "{columns}{name}{incomplete}")?;
        let indent = Self::indent(place);
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            // The usual line end is not printed.
            let text = match line.strip_suffix(b"\r\n") {
                Some(b"") => continue,
                Some(line) => line.escape_ascii(),
                None => line.escape_ascii(),
            };
            writeln!(
                self.out,
                "{indent}  {}",
                text.to_string().replace("\\\"", "\"").replace("\\'", "'")
            )?;
        }
        Ok(())
    }

    fn body(&mut self, place: &Place, body: &Body) -> io::Result<()> {
        let columns = self.place(place);
        let incomplete = if body.is_complete { "" } else { ", incomplete" };
        let content = if is_utf8(&body.content) {
            text(&body.content, self.style.shown, body.len)
        } else {
            bytes(&body.content, self.style.shown_bytes(), body.len)
        };
        let len = body.len;
        writeln!(
            self.out,
            "{columns}body, {len} bytes{incomplete}: {content}"
        )
    }

    fn opened(&mut self, place: &Place, opened: &Opened) -> io::Result<()> {
        let mut facts = Vec::new();
        if let Some(subprotocol) = &opened.subprotocol {
            facts.push(format!(
                "subprotocol {}",
                text(subprotocol.as_bytes(), usize::MAX, subprotocol.len() as u64)
            ));
        }
        facts.push(
            opened
                .deflate
                .map_or_else(|| "no compression".to_owned(), compression),
        );
        let columns = self.place(place);
        writeln!(self.out, "{columns}open: {}", facts.join("; "))
    }

    fn frame(&mut self, place: &Place, frame: &Frame) -> io::Result<()> {
        let columns = self.place(place);
        let header = &frame.header;
        let mut line = String::new();
        if header.mask.is_some() {
            line += "masked ";
        }
        line += &header.opcode.to_string();
        if header.opcode == Opcode::CONTINUATION {
            line += if header.fin {
                ", last fragment"
            } else {
                ", fragment"
            };
        } else if !header.fin {
            line += ", first fragment";
        }
        if frame.compressed && header.opcode != Opcode::CONTINUATION {
            line += ", compressed";
        } else if header.rsv != 0 {
            line += &format!(", RSV {:03b}", header.rsv);
        }
        let unit = if header.len == 1 { "byte" } else { "bytes" };
        line += &format!(", {} {unit}", header.len);
        if frame.left() > 0 {
            line += &format!(", incomplete: {} received", frame.received - frame.missing);
        } else if frame.missing > 0 {
            line += &format!(", {} not captured", frame.missing);
        }
        if !frame.payload.is_empty() && frame.missing == 0 {
            line += &format!(": {}", self.payload(frame));
        }
        if frame.discarded {
            line += ", discarded";
            line = self.paint("2", &line);
        }
        writeln!(self.out, "{columns}{line}")?;
        if self.style.is_verbose {
            self.bits(&Self::indent(place), frame)?;
        }
        Ok(())
    }

    /// The payload in the form that suits it.
    fn payload(&self, frame: &Frame) -> String {
        let payload = &frame.payload;
        let (opcode, len) = (frame.header.opcode, frame.received);
        let is_text = frame.kind == Some(MessageKind::Text) && frame.header.rsv == 0;
        let is_text = is_text && !frame.compressed;
        match payload.split_first_chunk() {
            Some((&code, reason)) if opcode == Opcode::CLOSE => {
                let code = u16::from_be_bytes(code);
                let reason = match reason {
                    [] => String::new(),
                    reason => " ".to_owned() + &text(reason, self.style.shown, len - 2),
                };
                format!("{code} ({}){reason}", code_name(code))
            }
            _ if is_text || opcode.is_control() && is_printable(payload) => {
                text(payload, self.style.shown, len)
            }
            _ => bytes(payload, self.style.shown_bytes(), len),
        }
    }

    /// The bits and bytes of a frame.
    fn bits(&mut self, indent: &str, frame: &Frame) -> io::Result<()> {
        let header = &frame.header;
        let form = match frame.length_bits() {
            7 => "7",
            16 => "7+16",
            _ => "7+64",
        };
        let shown = self.style.shown;
        let out = &mut self.out;
        writeln!(
            out,
            "{indent}  FIN {}, RSV {:03b}, opcode {}, MASK {}",
            u8::from(header.fin),
            header.rsv,
            u8::from(header.opcode),
            u8::from(header.mask.is_some())
        )?;
        writeln!(out, "{indent}  length    {} ({form} bits)", header.len)?;
        if let Some(mask) = header.mask {
            let mut masked = frame.payload.clone();
            mask.apply(&mut masked, 0);
            let masked = bytes(&masked, shown, frame.received);
            writeln!(out, "{indent}  key       {}", hex(&mask.0, " "))?;
            writeln!(out, "{indent}  masked    {masked}")?;
        }
        let payload = bytes(&frame.payload, shown, frame.received);
        writeln!(out, "{indent}  payload   {payload}")?;
        if let Some((opcode, payload)) = &frame.answer {
            let payload = if payload.is_empty() {
                String::new()
            } else {
                format!(" {}", hex(payload, " "))
            };
            writeln!(out, "{indent}  answer    {opcode}{payload}")?;
        }
        Ok(())
    }

    fn message(&mut self, place: &Place, message: &Message) -> io::Result<()> {
        let indent = Self::indent(place);
        let content = match message.kind {
            _ if message.len == 0 => String::new(),
            MessageKind::Text => {
                ": ".to_owned() + &text(&message.content, self.style.shown, message.len)
            }
            MessageKind::Binary => {
                ": ".to_owned() + &bytes(&message.content, self.style.shown_bytes(), message.len)
            }
        };
        let fragments = if message.frames > 1 {
            format!(" in {} fragments", message.frames)
        } else {
            String::new()
        };
        let inflated = if message.compressed {
            format!(", inflated from {}", message.wire_len)
        } else {
            String::new()
        };
        let part = if message.is_failed { "failed " } else { "" };
        let unit = if message.len == 1 { "byte" } else { "bytes" };
        let line = format!(
            "= {part}{} message{fragments}, {} {unit}{inflated}{content}",
            message.kind, message.len
        );
        let line = self.paint("1", &line);
        writeln!(self.out, "{indent}{line}")
    }
}

impl<W: Write> Show for Text<W> {
    fn show(&mut self, place: &Place, finding: &Finding<'_>) -> io::Result<()> {
        match finding {
            Finding::Stream { client, server } => self.stream(place, client, server),
            Finding::Head { bytes, is_complete } => self.head(place, bytes, *is_complete),
            Finding::Opened(opened) => self.opened(place, opened),
            Finding::Frame(frame) => self.frame(place, frame),
            Finding::Body(body) => self.body(place, body),
            // The frame shows it already.
            Finding::Message(message) if !message.compressed && message.frames == 1 => Ok(()),
            Finding::Message(message) => self.message(place, message),
            Finding::Violation(violation) => {
                let columns = self.place(place);
                let name = self.paint("1;31", "VIOLATION");
                writeln!(
                    self.out,
                    "{columns}{name}: {} ({}); {}",
                    violation.rule, violation.section, violation.reaction
                )
            }
            Finding::Note(text) => {
                let columns = self.place(place);
                let text = self.paint("33", &format!("note: {text}"));
                writeln!(self.out, "{columns}{text}")
            }
            Finding::Ended(text) => {
                let stream = place
                    .stream
                    .map_or(String::new(), |stream| format!("stream {stream}: "));
                let time = self.time(place);
                let line = self.paint("1", &format!("{stream}{text}"));
                writeln!(self.out, "{time}{line}")
            }
        }
    }
}

/// Describes negotiated compression.
fn compression(params: Params) -> String {
    let one = |name: &str, bits: u8, no_takeover: bool| {
        let context = if no_takeover {
            "no context takeover"
        } else {
            "context takeover"
        };
        format!("{name} window {} bytes, {context}", 1_u32 << bits)
    };
    format!(
        "permessage-deflate: {}; {}",
        one(
            "client",
            params.client_max_window_bits(),
            params.client_no_context_takeover()
        ),
        one(
            "server",
            params.server_max_window_bits(),
            params.server_no_context_takeover()
        ),
    )
}

fn is_printable(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).is_ok_and(|text| !text.chars().any(char::is_control))
}

/// The first of `len` bytes in hexadecimal.
fn bytes(bytes: &[u8], shown: usize, len: u64) -> String {
    let shown = &bytes[..bytes.len().min(shown)];
    match hex(shown, " ") {
        _ if len == 0 => "(none)".to_owned(),
        digits if shown.len() as u64 == len => digits,
        digits => digits + " ...",
    }
}

/// The first characters of a text of `len` bytes in quotes, with all that is not printable escaped,
/// bytes that are not UTF-8 included. A terminal gets no control character.
fn text(bytes: &[u8], shown: usize, len: u64) -> String {
    let mut characters = bytes.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid().chars().map(|c| match c {
            // JSON is read more often than quotes are looked for.
            '\'' | '"' => c.to_string(),
            c => c.escape_debug().to_string(),
        });
        let invalid = chunk
            .invalid()
            .iter()
            .map(|byte| byte.escape_ascii().to_string());
        valid.chain(invalid)
    });
    let text: String = characters.by_ref().take(shown).collect();
    let is_all = characters.next().is_none() && bytes.len() as u64 == len;
    format!("\"{text}\"{}", if is_all { "" } else { " ..." })
}
