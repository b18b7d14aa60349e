//! Shows captured WebSocket conversations as a protocol analyser does, and judges them: the
//! handshake, each frame, and the messages that the frames contain. `docs/captures.md` is its
//! manual.
//!
//! The machine is the crate's: a violation is the verdict of its parsers and connections in the
//! role of the end that receives. This program reads files ([`input`]), puts TCP in order ([`tcp`],
//! [`streams`]), follows a conversation ([`conversation`]) through HTTP ([`http`]) and its
//! handshake ([`handshake`]) to the frames of each direction ([`direction`]), and prints its
//! findings ([`finding`], [`print`]).

mod conversation;
mod direction;
mod finding;
mod handshake;
mod http;
mod input;
mod print;
mod streams;
mod tcp;

use conversation::{Options, Protocol};
use finding::{Peer, Show};
use input::{Error, Outcome, Packets, Sender};
use lexopt::ValueExt;
use print::{Json, Style, Text};
use serde_json::json;
use std::ffi::OsString;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, StdoutLock, Write};
use std::num::ParseIntError;
use std::path::Path;
use std::process::ExitCode;
use std::str::FromStr;
use streams::{Selection, Summary};
use ws_proto::deflate::Params;

const HELP: &str = "\
Shows captured WebSocket conversations: the handshake, the frames, the messages, and what is wrong.

usage: dissect [OPTION]... FILE     a capture (pcap, pcapng), a log of chrome://net-export, or the bytes
                                    that one end sent, raw or in hexadecimal as tools print it; - is the
                                    standard input
       dissect [OPTION]... HEX...   bytes: 81 05 48 65 6c 6c 6f
       dissect [OPTION]... --client FILE --server FILE
                                    the bytes that each end sent; one of them may be left out

  -v, --verbose        show the bits and bytes of frames, and how this crate would answer
      --json           print an object for each finding, one a line
      --stream N       show only this TCP stream of a capture, numbered as Wireshark does, even if
                       its handshake was not captured
      --port N         show only the TCP streams to this port of a server, likewise
      --from WHO       whose bytes HEX or FILE has: client, server, or both (told apart by the mask
                       bits). Without it a head shows it, or the mask bit of the first frame
      --raw            take files as raw bytes, whatever they look like. A FILE of frames without an
                       HTTP head needs it; those of --client and --server do not
      --extensions V   what was negotiated, if there is no handshake: permessage-deflate
      --show N         how much of a payload is shown: 100 characters, or 33 bytes (100 with -v); with
                       --json 65536 bytes
      --color WHEN     auto (on a terminal, unless NO_COLOR is set), always, never
  -h, --help
      --version

Offsets count what one end sent from its first byte. They are hexadecimal, and decimal with --json.
Exit status: 1 there are violations; otherwise 2 if something could not be read (a wrong option, an unknown
form, no WebSocket conversation, missing bytes, an end inside a frame, head, body or packet); otherwise 0.
";

#[derive(Default)]
struct Args {
    help: bool,
    version: bool,
    verbose: bool,
    json: bool,
    raw: bool,
    stream: Option<u32>,
    port: Option<u16>,
    from: Option<Sender>,
    extensions: String,
    show: Option<usize>,
    colour: Option<bool>,
    client: Option<String>,
    server: Option<String>,
    input: Vec<String>,
}

fn main() -> ExitCode {
    let args = match parse(std::env::args_os().skip(1)) {
        Ok(args) if args.help => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Ok(args) if args.version => {
            println!("dissect {}", env!("CARGO_PKG_VERSION"));
            return ExitCode::SUCCESS;
        }
        Ok(args) => args,
        Err(error) => return fail(&format!("{error}; --help explains")),
    };
    let stdout = io::stdout().lock();
    let colours = args.colour.unwrap_or_else(|| {
        stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
    });
    let mut out = Printer::new(&args, colours, stdout);
    let result = run(&args, out.show()).and_then(|outcome| Ok((out.finish(&outcome)?, outcome)));
    match result {
        Ok(((), outcome)) => status(&args, &outcome),
        // Whoever reads the output has seen enough.
        Err(Error::Output(error)) if error.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Error::Output(error)) => fail(&format!("standard output: {error}")),
        Err(Error::Input(error)) => {
            // The findings before.
            _ = out.flush();
            fail(&error)
        }
    }
}

fn fail(error: &str) -> ExitCode {
    eprintln!("dissect: {error}");
    ExitCode::from(2)
}

fn parse(args: impl Iterator<Item = OsString>) -> Result<Args, lexopt::Error> {
    use lexopt::prelude::{Long, Short, Value};
    let mut args = lexopt::Parser::from_args(args);
    let mut parsed = Args::default();
    while let Some(arg) = args.next()? {
        match arg {
            Short('h') | Long("help") => parsed.help = true,
            Short('v') | Long("verbose") => parsed.verbose = true,
            Long("json") => parsed.json = true,
            Long("raw") => parsed.raw = true,
            Long("version") => parsed.version = true,
            Long("stream") => parsed.stream = Some(number(args.value()?, "--stream")?),
            Long("port") => parsed.port = Some(number(args.value()?, "--port")?),
            Long("from") => {
                parsed.from = Some(match args.value()?.string()?.as_str() {
                    "client" => Sender::One(Peer::Client),
                    "server" => Sender::One(Peer::Server),
                    "both" => Sender::Both,
                    _ => return Err("--from needs client, server or both".into()),
                })
            }
            Long("extensions") => {
                parsed.extensions = args.value()?.string()?;
                if let Err(error) = parsed.extensions.parse::<Params>() {
                    return Err(format!("--extensions: {error}").into());
                }
            }
            Long("show") => parsed.show = Some(number(args.value()?, "--show")?),
            Long("color" | "colour") => {
                parsed.colour = match args.value()?.string()?.as_str() {
                    "auto" => None,
                    "always" => Some(true),
                    "never" => Some(false),
                    _ => return Err("--color needs auto, always or never".into()),
                }
            }
            Long("client") => parsed.client = Some(args.value()?.string()?),
            Long("server") => parsed.server = Some(args.value()?.string()?),
            Value(value) => parsed.input.push(value.string()?),
            _ => return Err(arg.unexpected()),
        }
    }
    let has_ends = parsed.client.is_some() || parsed.server.is_some();
    if has_ends && !parsed.input.is_empty() {
        return Err("--client and --server leave no room for another input".into());
    }
    if has_ends && parsed.from.is_some() {
        return Err("--client and --server say already whose bytes they are".into());
    }
    Ok(parsed)
}

fn number<T: FromStr<Err = ParseIntError>>(
    value: OsString,
    option: &str,
) -> Result<T, lexopt::Error> {
    let text = value.string()?;
    text.parse()
        .map_err(|error| format!("{option} {text}: {error}").into())
}

fn run(args: &Args, out: &mut dyn Show) -> Result<Outcome, Error> {
    let selection = Selection {
        stream: args.stream,
        port: args.port,
        options: Options {
            // A character has at most four bytes.
            shown: if args.json {
                args.shown()
            } else {
                args.shown().saturating_mul(4)
            },
            shows_http: args.stream.is_some() || args.port.is_some(),
            assumes_frames: args.stream.is_some() || args.port.is_some(),
            is_ordered: true,
            extensions: args.extensions.clone(),
        },
    };
    let sender = args.from.unwrap_or(Sender::Unknown);
    match (&args.client, &args.server) {
        (Some(client), Some(server)) => {
            let (client, server) = (input::open(client)?, input::open(server)?);
            return input::dissect_two(client, server, args.raw, &selection, out);
        }
        (Some(client), None) => {
            let client = input::one_end(input::open(client)?, args.raw)?;
            let sender = Sender::One(Peer::Client);
            return input::dissect(client, true, sender, &selection, out);
        }
        (None, Some(server)) => {
            let server = input::one_end(input::open(server)?, args.raw)?;
            let sender = Sender::One(Peer::Server);
            return input::dissect(server, true, sender, &selection, out);
        }
        (None, None) => {}
    }
    match args.input.as_slice() {
        [] if io::stdin().is_terminal() => {
            Err("nothing to read; --help explains".to_owned().into())
        }
        [] => input::dissect(input::open("-")?, args.raw, sender, &selection, out),
        [name] if name == "-" || Path::new(name).exists() => {
            input::dissect(input::open(name)?, args.raw, sender, &selection, out)
        }
        words => {
            let text = words.join(" ");
            input::dissect_hex(&text, sender, &selection, out).map_err(|error| {
                match (error, words) {
                    (Error::Input(error), [name]) => {
                        format!("{name}: no such file, and {error}").into()
                    }
                    (Error::Input(_), words)
                        if words.iter().any(|word| Path::new(word).exists()) =>
                    {
                        "only one file is read at a time (or two, with --client and --server)"
                            .to_owned()
                            .into()
                    }
                    (error, _) => error,
                }
            })
        }
    }
}

impl Args {
    fn shown(&self) -> usize {
        self.show.unwrap_or(if self.json { 65536 } else { 100 })
    }
}

enum Printer<'a> {
    Text(Text<Box<dyn Write + 'a>>),
    Json(Json<Box<dyn Write + 'a>>),
}

impl<'a> Printer<'a> {
    fn new(args: &Args, has_colours: bool, stdout: StdoutLock<'a>) -> Self {
        // The lock writes each line at once, which somebody waits for.
        let is_live = stdout.is_terminal() || args.input.iter().all(|name| name == "-");
        let out: Box<dyn Write + 'a> = if is_live {
            Box::new(stdout)
        } else {
            Box::new(BufWriter::with_capacity(64 << 10, stdout))
        };
        if args.json {
            return Self::Json(Json::new(out));
        }
        let style = Style {
            is_verbose: args.verbose,
            has_colours,
            shown: args.shown(),
        };
        Self::Text(Text::new(out, style))
    }

    fn show(&mut self) -> &mut dyn Show {
        match self {
            Self::Text(text) => text,
            Self::Json(json) => json,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Text(text) => text.out().flush(),
            Self::Json(json) => json.out().flush(),
        }
    }

    /// Prints the summary: as text, only that of a capture.
    fn finish(&mut self, outcome: &Outcome) -> io::Result<()> {
        match (&mut *self, outcome) {
            (Self::Text(text), Outcome::Capture(summary, packets)) => {
                let line = describe(summary, packets);
                writeln!(text.out(), "\n{line}")?;
            }
            (Self::Text(_), Outcome::Conversation(_)) => {}
            (Self::Json(json), Outcome::Conversation(verdict)) => json.line(&json!({
                "type": "summary",
                "websocket": u8::from(verdict.other.is_none()),
                "violations": verdict.violations,
                "incomplete": u8::from(verdict.is_incomplete),
            }))?,
            (Self::Json(json), Outcome::Capture(summary, packets)) => json.line(&json!({
                "type": "summary",
                "websocket": summary.websocket,
                "violations": summary.violations,
                "incomplete": summary.incomplete,
                "packets": packets.count,
                "streams": summary.streams,
                "tls": summary.tls,
                "http2": summary.http2,
                "headless": summary.headless,
                "gaps": summary.gaps,
                "repeated_bytes": summary.repeated,
                "ip_fragments": packets.fragments,
                "cut_packets": packets.cut,
                "truncated": packets.is_truncated,
            }))?,
        }
        self.flush()
    }
}

/// The summary of a capture in words.
fn describe(summary: &Summary, packets: &Packets) -> String {
    let count = |count: u64, one: &str, more: &str| {
        format!("{count} {}", if count == 1 { one } else { more })
    };
    let mut text = String::new();
    if packets.count > 0 {
        text = count(packets.count, "packet", "packets") + ", ";
    }
    text += &format!(
        "{}: {}",
        count(summary.streams, "TCP stream", "TCP streams"),
        count(
            summary.websocket,
            "WebSocket conversation",
            "WebSocket conversations"
        ),
    );
    for (number, what) in [
        (summary.tls, "TLS, which is not decrypted"),
        (summary.http2, "HTTP/2, which is not read"),
        (summary.headless, "without a beginning"),
        (summary.gaps, "with bytes missing in a head"),
    ] {
        if number > 0 {
            text += &format!(", {number} {what}");
        }
    }
    text += &format!("; {}", count(summary.violations, "violation", "violations"));
    if summary.repeated > 0 {
        text += &format!(
            "; {} arrived twice",
            count(summary.repeated, "byte", "bytes")
        );
    }
    if packets.fragments > 0 {
        text += &format!(
            "; {} not put together",
            count(packets.fragments, "IP fragment", "IP fragments")
        );
    }
    if packets.cut > 0 {
        text += &format!(
            "; {} cut when captured: capture without -s",
            count(packets.cut, "packet was", "packets were")
        );
    }
    if packets.is_truncated {
        text += "; the file ends inside a packet";
    }
    text
}

fn status(args: &Args, outcome: &Outcome) -> ExitCode {
    let (violations, is_incomplete, unread) = match outcome {
        Outcome::Conversation(verdict) => (
            verdict.violations,
            verdict.is_incomplete,
            verdict.other.map(|protocol| match protocol {
                Protocol::Tls => "TLS, which is not decrypted".to_owned(),
                Protocol::Http2 => "HTTP/2, which is not read".to_owned(),
                Protocol::Swapped => {
                    "what the client should send is a response, or what the server should is a request: are they swapped?".to_owned()
                }
                Protocol::Gap | Protocol::Other => "no WebSocket conversation".to_owned(),
            }),
        ),
        Outcome::Capture(summary, packets) => {
            let unread = (summary.websocket == 0).then(|| nothing(args, summary, packets));
            let is_incomplete = summary.incomplete + summary.gaps > 0 || packets.is_truncated;
            (summary.violations, is_incomplete, unread)
        }
    };
    match unread {
        _ if violations > 0 => ExitCode::from(1),
        Some(error) => fail(&error),
        None if is_incomplete => fail("not all of it could be read: see the output"),
        None => ExitCode::SUCCESS,
    }
}

/// Why a capture shows nothing.
fn nothing(args: &Args, summary: &Summary, packets: &Packets) -> String {
    if let Some(link) = packets.link {
        return format!("no WebSocket conversation; packets of link type {link} are not read");
    }
    match (args.stream, args.port) {
        (Some(stream), _) => format!("stream {stream} is no WebSocket conversation"),
        (None, Some(port)) => format!("no WebSocket conversation with port {port}"),
        _ if packets.cut > 0 => {
            "no WebSocket handshake; packets were cut when captured: capture without -s".to_owned()
        }
        _ if summary.headless == 0 && summary.tls > 0 => {
            "no WebSocket handshake; TLS is not decrypted: docs/captures.md says how to capture without it"
                .to_owned()
        }
        (None, None) => {
            "no WebSocket handshake; --stream N and --port N show streams without one".to_owned()
        }
    }
}
