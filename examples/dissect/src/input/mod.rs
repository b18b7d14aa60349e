//! Reads captures of packets, and the bytes of one end or of both, in files or as hexadecimal.

pub mod hex;
mod netlog;
mod pcap;

use crate::conversation::{Conversation, Options, Transport, Verdict};
use crate::finding::{Peer, Show};
use crate::http::{self, Start};
use crate::streams::{Selection, Streams, Summary};
pub use pcap::Packets;
use std::fs::File;
use std::io::{self, Cursor, Read};
use ws_proto::frame::Header;

/// How much is read at once.
const BUFFER: usize = 64 << 10;
/// The longest text: hexadecimal is read as a whole.
const MAX_TEXT: u64 = 256 << 20;

pub enum Error {
    /// The input cannot be read.
    Input(String),
    /// The output cannot be written.
    Output(io::Error),
}

impl From<String> for Error {
    fn from(error: String) -> Self {
        Self::Input(error)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Whose bytes an input has that is no capture of packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sender {
    /// The input shows it: a head does, or the mask bit of the first frame.
    Unknown,
    One(Peer),
    /// Both, distinguished by the mask bit of each frame.
    Both,
}

/// The form that was found.
pub enum Outcome {
    Conversation(Verdict),
    Capture(Summary, Packets),
}

/// An input of some form, of which the first bytes were looked at.
type Input = Box<dyn Read + Send>;

/// Opens a file; `-` is the standard input.
pub fn open(name: &str) -> Result<Input, Error> {
    if name == "-" {
        return Ok(Box::new(io::stdin()));
    }
    match File::open(name) {
        Ok(file) if file.metadata().is_ok_and(|data| data.is_dir()) => {
            Err(format!("{name}: is a directory").into())
        }
        Ok(file) => Ok(Box::new(file)),
        Err(error) => Err(format!("{name}: {error}").into()),
    }
}

/// Dissects an input of any form.
pub fn dissect(
    mut input: Input,
    is_raw: bool,
    sender: Sender,
    selection: &Selection,
    out: &mut dyn Show,
) -> Result<Outcome, Error> {
    let start = read_start(&mut input)?;
    if start.is_empty() {
        return Err("the input is empty".to_owned().into());
    }
    let is_capture = pcap::is_capture(&start) && !is_raw;
    let is_log = netlog::is_log(&start) && !is_raw;
    let form = if is_raw || is_log {
        Form::Raw
    } else {
        form(&start)?.ok_or_else(|| UNKNOWN.to_owned())?
    };
    let input = Cursor::new(start).chain(input);
    if is_log {
        let summary = netlog::read(input, selection, out)?;
        return Ok(Outcome::Capture(summary, Packets::default()));
    }
    if is_capture {
        let mut streams = Streams::new(selection.clone());
        let packets = pcap::read(input, &mut streams, out)?;
        streams.finish(out)?;
        return Ok(Outcome::Capture(streams.summary, packets));
    }
    let mut conversation = conversation(true, selection);
    let mut sorter = Sorter::new(sender);
    match form {
        Form::Raw => read_chunks(input, |bytes| sorter.feed(bytes, &mut conversation, out))?,
        Form::Text => {
            let parts = read_hex(input)?;
            if parts.iter().any(|part| part.is_second) {
                feed_parts(&parts, sender, &mut conversation, out)?;
            } else {
                let bytes: Vec<u8> = parts.into_iter().flat_map(|part| part.bytes).collect();
                sorter.feed(&bytes, &mut conversation, out)?;
            }
        }
    }
    sorter.finish(&mut conversation, out)?;
    let verdict = conversation.end(None, Transport::default(), out)?;
    Ok(Outcome::Conversation(verdict))
}

/// Dissects bytes that were given in hexadecimal.
pub fn dissect_hex(
    text: &str,
    sender: Sender,
    selection: &Selection,
    out: &mut dyn Show,
) -> Result<Outcome, Error> {
    let bytes: Vec<u8> = hex::parse(text)?
        .into_iter()
        .flat_map(|part| part.bytes)
        .collect();
    dissect(Box::new(Cursor::new(bytes)), true, sender, selection, out)
}

/// Dissects two inputs, one for each end.
pub fn dissect_two(
    client: Input,
    server: Input,
    is_raw: bool,
    selection: &Selection,
    out: &mut dyn Show,
) -> Result<Outcome, Error> {
    let mut inputs = [one_end(client, is_raw)?, one_end(server, is_raw)?].map(Some);
    let mut conversation = conversation(false, selection);
    let mut buffer = vec![0; BUFFER];
    while inputs.iter().any(Option::is_some) {
        let must_wait = conversation.awaits_response() && inputs[1].is_some();
        let (index, from) = if inputs[0].is_some() && !must_wait {
            (0, Peer::Client)
        } else {
            (1, Peer::Server)
        };
        let Some(input) = &mut inputs[index] else {
            continue;
        };
        let len = input.read(&mut buffer).map_err(|error| error.to_string())?;
        if len == 0 {
            inputs[index] = None;
        }
        conversation.feed(from, None, &buffer[..len], out)?;
    }
    let verdict = conversation.end(None, Transport::default(), out)?;
    Ok(Outcome::Conversation(verdict))
}

/// The bytes of one end, from a file of any form but a capture.
pub fn one_end(mut input: Input, is_raw: bool) -> Result<Input, Error> {
    let start = read_start(&mut input)?;
    if pcap::is_capture(&start) && !is_raw {
        return Err(
            "a capture of packets has both ends: give it without --client and --server"
                .to_owned()
                .into(),
        );
    }
    // The sender of the bytes is known: frames need no head before them.
    let form = if is_raw { None } else { form(&start)? };
    let input = Cursor::new(start).chain(input);
    Ok(match form.unwrap_or(Form::Raw) {
        Form::Raw => Box::new(input),
        Form::Text => {
            let parts = read_hex(input)?;
            let bytes: Vec<u8> = parts.into_iter().flat_map(|part| part.bytes).collect();
            Box::new(Cursor::new(bytes))
        }
    })
}

fn conversation(is_ordered: bool, selection: &Selection) -> Conversation {
    let options = Options {
        shows_http: true,
        assumes_frames: true,
        is_ordered,
        ..selection.options.clone()
    };
    Conversation::new(None, None, options)
}

#[derive(Debug, PartialEq, Eq)]
enum Form {
    Raw,
    Text,
}

const UNKNOWN: &str = "neither a capture (pcap, pcapng) nor hexadecimal, and no HTTP head at its start; --raw takes it as the bytes that one end sent";

/// Finds the form of input that is no capture of packets; `None` if it is binary and shows none.
fn form(start: &[u8]) -> Result<Option<Form>, Error> {
    const GZIP: &[u8] = &[0x1f, 0x8b];
    let line = start
        .split(|&byte| byte == b'\n')
        .next()
        .unwrap_or_default();
    let is_head =
        line.starts_with(b"HTTP/1.") || line.windows(8).any(|window| window == b" HTTP/1.");
    let is_text = match str::from_utf8(start) {
        Ok(_) => true,
        // The last character may be truncated.
        Err(error) => error.error_len().is_none(),
    } && !start
        .iter()
        .any(|&byte| byte.is_ascii_control() && !byte.is_ascii_whitespace());
    if is_head || pcap::is_capture(start) {
        Ok(Some(Form::Raw))
    } else if start.starts_with(GZIP) {
        Err("compressed by gzip: unpack it first (gunzip)"
            .to_owned()
            .into())
    } else if is_text && netlog::is_reformatted(start) {
        Err(netlog::REFORMATTED.to_owned().into())
    } else if is_text && is_json(start) {
        Err("JSON: an export of messages (HAR) has no frames; docs/captures.md says how to get them".to_owned().into())
    } else if is_text {
        Ok(Some(Form::Text))
    } else {
        Ok(None)
    }
}

/// Whether a text begins with an object; hexadecimal in braces does not.
fn is_json(start: &[u8]) -> bool {
    let rest = start.trim_ascii_start().strip_prefix(b"{");
    rest.is_some_and(|rest| rest.trim_ascii_start().starts_with(b"\""))
}

/// Reads the first bytes: of a capture only those that show that it is one, so that packets of one
/// that is still being made are shown at once.
fn read_start(input: &mut Input) -> Result<Vec<u8>, Error> {
    let mut start = Vec::new();
    for len in [4, 4096] {
        if !pcap::is_capture(&start) {
            let read = input.by_ref().take(len).read_to_end(&mut start);
            read.map_err(|error| error.to_string())?;
        }
    }
    Ok(start)
}

fn read_text(input: impl Read) -> Result<String, Error> {
    let mut text = String::new();
    let read = input.take(MAX_TEXT).read_to_string(&mut text);
    read.map_err(|_| "neither hexadecimal nor any other text".to_owned())?;
    Ok(text)
}

fn read_hex(input: impl Read) -> Result<Vec<hex::Part>, Error> {
    hex::parse(&read_text(input)?)
        .map_err(|error| format!("text, but neither hexadecimal nor an HTTP head: {error}").into())
}

fn read_chunks(
    mut input: impl Read,
    mut feed: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<(), Error> {
    let mut buffer = vec![0; BUFFER];
    loop {
        match input.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(len) => feed(&buffer[..len])?,
            Err(error) => return Err(error.to_string().into()),
        }
    }
}

/// Feeds the parts of a dump in which the lines of the second end are indented.
fn feed_parts(
    parts: &[hex::Part],
    sender: Sender,
    conversation: &mut Conversation,
    out: &mut dyn Show,
) -> io::Result<()> {
    let first = parts.first().map_or(&[][..], |part| &part.bytes);
    let is_first_second = parts.first().is_some_and(|part| part.is_second);
    let by_first = sender_of(first);
    let unindented = match sender {
        Sender::One(peer) => peer,
        _ if is_first_second => by_first.other(),
        _ => by_first,
    };
    for part in parts {
        let from = if part.is_second {
            unindented.other()
        } else {
            unindented
        };
        conversation.feed(from, None, &part.bytes, out)?;
    }
    Ok(())
}

/// Who sends bytes that begin like these.
fn sender_of(bytes: &[u8]) -> Peer {
    match bytes {
        [b'H', b'T', b'T', b'P', b'/', ..] => Peer::Server,
        _ if matches!(http::start(bytes, true), Start::Head(_)) => Peer::Client,
        [_, second, ..] if second & 0x80 != 0 => Peer::Client,
        _ => Peer::Server,
    }
}

/// Finds out who sent the bytes of a stream.
struct Sorter {
    sender: Sender,
    waiting: Vec<u8>,
    has_request: bool,
    has_response: bool,
    /// The rest of the current frame, and who sends it.
    frame: Option<(Peer, u64)>,
}

impl Sorter {
    const fn new(sender: Sender) -> Self {
        Self {
            sender,
            waiting: Vec::new(),
            has_request: false,
            has_response: false,
            frame: None,
        }
    }

    fn feed(
        &mut self,
        bytes: &[u8],
        conversation: &mut Conversation,
        out: &mut dyn Show,
    ) -> io::Result<()> {
        if let Sender::One(peer) = self.sender {
            return conversation.feed(peer, None, bytes, out);
        }
        self.waiting.extend_from_slice(bytes);
        while let Some((from, len)) = self.next(conversation, out)? {
            let bytes: Vec<u8> = self.waiting.drain(..len).collect();
            conversation.feed(from, None, &bytes, out)?;
        }
        Ok(())
    }

    /// Feeds the remaining bytes at the end.
    fn finish(&mut self, conversation: &mut Conversation, out: &mut dyn Show) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let is_head = |is_request| http::start(&self.waiting, is_request) == Start::Incomplete;
        let from = match (is_head(true), is_head(false)) {
            (_, true) => Peer::Server,
            (true, _) => Peer::Client,
            _ => sender_of(&self.waiting),
        };
        let waiting = std::mem::take(&mut self.waiting);
        conversation.feed(from, None, &waiting, out)
    }

    /// Returns how many of the bytes that wait are from one end; `None` if that is not known yet.
    fn next(
        &mut self,
        conversation: &mut Conversation,
        out: &mut dyn Show,
    ) -> io::Result<Option<(Peer, usize)>> {
        if self.waiting.is_empty() {
            return Ok(None);
        }
        if let Sender::One(peer) = self.sender {
            return Ok(Some((peer, self.waiting.len())));
        }
        if let Some((from, left)) = &mut self.frame {
            let now = usize::try_from(*left)
                .unwrap_or(usize::MAX)
                .min(self.waiting.len());
            let from = *from;
            *left -= now as u64;
            if *left == 0 {
                self.frame = None;
            }
            return Ok(Some((from, now)));
        }
        let (request, response) = (
            http::start(&self.waiting, true),
            http::start(&self.waiting, false),
        );
        if !self.has_response {
            match (request, response) {
                (Start::Head(len), _) => {
                    self.has_request = true;
                    return Ok(Some((Peer::Client, len)));
                }
                (_, Start::Head(len)) => {
                    self.has_response = true;
                    return Ok(Some((Peer::Server, len)));
                }
                (Start::Incomplete, _) | (_, Start::Incomplete) => return Ok(None),
                _ => {}
            }
        }
        if self.sender == Sender::Unknown {
            if self.has_request && self.has_response {
                self.sender = Sender::Both;
                let text = "both ends in one: frames are told apart by their mask bits";
                conversation.note(Peer::Client, None, 0, text, out)?;
            } else if self.has_request {
                self.sender = Sender::One(Peer::Client);
            } else if self.has_response {
                self.sender = Sender::One(Peer::Server);
            } else if self.waiting.len() < 2 {
                return Ok(None);
            } else {
                self.sender = Sender::One(sender_of(&self.waiting));
            }
            return self.next(conversation, out);
        }
        let Some((header, header_len)) = Header::decode(&self.waiting) else {
            return Ok(None);
        };
        let from = if header.mask.is_some() {
            Peer::Client
        } else {
            Peer::Server
        };
        self.frame = Some((from, header.len));
        if header.len == 0 {
            self.frame = None;
        }
        Ok(Some((from, header_len)))
    }
}
