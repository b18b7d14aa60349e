//! A client for the terminal: lines from stdin are sent as text messages, and messages are printed
//! to stdout.
//!
//! ```text
//! wscat URL [--protocol NAME]... [--header 'Name: value']... [--origin ORIGIN]
//!     [--timeout SECONDS] [--deflate]
//! ```
//!
//! A text message is printed as a line, a binary one as a line of hex after `binary: `. If stdout
//! is a terminal, control characters are escaped. The end of stdin (Ctrl-D) closes with 1000. A
//! line of stdin that is not UTF-8 or is longer than 16 MiB is not sent, and closes with 1011.
//! Everything else is reported on stderr, at last how the connection ended. The exit status is 0
//! only after a clean close, if stdin and stdout had no error. With `--deflate` (feature `deflate`)
//! it offers permessage-deflate.
//!
//! The server has SECONDS (default 10) for the opening handshake, for accepting 16 KiB of the
//! output, and from our Close to the end of its stream. Lines are read only as fast as the server
//! accepts them.
//!
//! Two threads read and write the socket, with one half of the WebSocket each, and a third one
//! reads stdin. All that they share is a [`Mailbox`].

mod tcp;

use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;
use std::{fmt, thread};
use tcp::Deadline;
use ws_proto::{
    Action, Client, CloseCode, Config, Message, MessageKind, MessageRecvHalf, MessageSendHalf,
    Reply, State, WebSocket, uri::Uri,
};

/// The longest line of stdin, in bytes: the longest message that a peer with this crate's default
/// limits accepts.
const MAX_LINE: usize = 16 << 20;

/// A longer line is sent in fragments of this length, and not compressed, so that a reply need not
/// wait for all of it.
const PART: usize = 16 << 10;

const USAGE: &str = "wscat URL [--protocol NAME]... [--header 'Name: value']... [--origin ORIGIN] [--timeout SECONDS] [--deflate]";

#[derive(Default)]
struct Options {
    url: String,
    protocols: Vec<String>,
    headers: Vec<(String, String)>,
    origin: Option<String>,
    timeout: Duration,
    #[cfg(feature = "deflate")]
    deflate: bool,
}

fn main() -> ExitCode {
    if std::env::args().any(|arg| arg == "-h" || arg == "--help") {
        println!("usage: {USAGE}");
        return ExitCode::SUCCESS;
    }
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            report(format_args!("{error}\nusage: {USAGE}"));
            return ExitCode::from(2);
        }
    };
    let clean = run(&options).unwrap_or_else(|error| {
        report(format_args!("{}: {error}", options.url));
        false
    });
    if clean {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn options(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        timeout: Duration::from_secs(10),
        ..Options::default()
    };
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match &*arg {
            "--protocol" => options.protocols.push(value()?),
            "--origin" => options.origin = Some(value()?),
            "--header" => {
                let header = value()?;
                let (name, value) = header
                    .split_once(':')
                    .ok_or(format!("no colon in {header:?}"))?;
                options
                    .headers
                    .push((name.to_owned(), value.trim().to_owned()));
            }
            "--timeout" => {
                let seconds = value()?
                    .parse::<NonZeroU32>()
                    .map_err(|error| format!("--timeout: {error}"))?;
                options.timeout = Duration::from_secs(seconds.get().into());
            }
            #[cfg(feature = "deflate")]
            "--deflate" => options.deflate = true,
            option if option.starts_with('-') => return Err(format!("unknown option {option}")),
            _ if options.url.is_empty() => options.url = arg,
            _ => return Err(format!("two URLs: {} and {arg}", options.url)),
        }
    }
    if options.url.is_empty() {
        Err("no URL".to_owned())
    } else {
        Ok(options)
    }
}

/// Runs the conversation. Returns whether it was closed cleanly, and stdin and stdout had no error.
fn run(options: &Options) -> io::Result<bool> {
    let uri = Uri::parse(&options.url)?;
    let protocols: Vec<&str> = options.protocols.iter().map(|name| &**name).collect();
    let headers: Vec<(&str, &[u8])> = options
        .headers
        .iter()
        .map(|(name, value)| (&**name, value.as_bytes()))
        .collect();
    let open = tcp::connect(&uri, options.timeout, |handshake| {
        let handshake = handshake.subprotocols(&protocols).headers(&headers);
        #[cfg(feature = "deflate")]
        let handshake = if options.deflate {
            handshake.deflate(&ws_proto::deflate::DeflateConfig::default())
        } else {
            handshake
        };
        match &options.origin {
            Some(origin) => handshake.origin(origin),
            None => handshake,
        }
    })?;
    if let Some(protocol) = open.negotiated.subprotocol() {
        report(format_args!("subprotocol: {protocol}"));
    }
    #[cfg(feature = "deflate")]
    if let Some(params) = open.negotiated.deflate() {
        report(format_args!("extension: {params}"));
    }

    let (receiver, mut sender) = WebSocket::new(open.negotiated, &Config::default()).split();
    let mailbox = Arc::<Mailbox>::default();
    let (stream, early, to_writer) = (open.stream.try_clone()?, open.early, Arc::clone(&mailbox));
    let reading = thread::spawn(move || read(stream, receiver, early, &to_writer));
    let to_writer = Arc::clone(&mailbox);
    thread::spawn(move || read_stdin(&to_writer));

    let written = write(&open.stream, &mut sender, &mailbox, options.timeout);
    // This ends the reading thread too, after it has printed all that has arrived. The third one
    // may wait for stdin forever: the end of the process ends it.
    _ = open.stream.shutdown(Shutdown::Both);
    let receiver = reading
        .join()
        .map_err(|_| io::Error::other("the reading thread panicked"))?;
    if let Err(error) = &written {
        report(error);
    }
    let ws = WebSocket::reunite(receiver, sender);
    let Some(mut outcome) = ws.outcome() else {
        return Ok(false);
    };
    // The WebSocket does not know whether its last frames could be written.
    outcome.clean &= written.is_ok();
    report(outcome);
    Ok(outcome.clean && !mailbox.mail.lock().unwrap().failed)
}

/// The mail that the other threads leave for the writing thread. It does not grow: a newer reply
/// replaces an older one, and a line waits until the previous one was sent.
#[derive(Default)]
struct Mailbox {
    mail: Mutex<Mail>,
    changed: Condvar,
}

#[derive(Default)]
struct Mail {
    reply: Option<Reply>,
    end_of_stream: bool,
    close: Option<CloseCode>,
    line: Option<String>,
    /// Whether stdin or stdout had an error.
    failed: bool,
}

impl Mailbox {
    /// Calls `change` whenever the mail has changed, until it returns something.
    fn when<T>(
        &self,
        deadline: Option<Deadline>,
        mut change: impl FnMut(&mut Mail) -> Option<T>,
    ) -> io::Result<T> {
        let mut mail = self.mail.lock().unwrap();
        loop {
            if let Some(done) = change(&mut mail) {
                self.changed.notify_all();
                return Ok(done);
            }
            let left = deadline.map_or(Ok(Duration::MAX), Deadline::left)?;
            mail = self.changed.wait_timeout(mail, left).unwrap().0;
        }
    }

    fn leave(&self, change: impl FnOnce(&mut Mail)) {
        change(&mut self.mail.lock().unwrap());
        self.changed.notify_all();
    }

    /// Closes the connection after an error of stdin or stdout.
    fn fail(&self, error: impl fmt::Display) {
        report(error);
        self.leave(|mail| (mail.failed, mail.close) = (true, Some(CloseCode::INTERNAL_ERROR)));
    }
}

/// The writing thread. It ends at the end of the server's stream, or when the server is too slow.
fn write(
    stream: &TcpStream,
    sender: &mut MessageSendHalf<Client>,
    mailbox: &Mailbox,
    timeout: Duration,
) -> io::Result<()> {
    let mut out = Vec::new();
    let mut line_sent = 0;
    let mut closing = None;
    while sender.state() != State::Closed {
        mailbox.when(closing, |mail| {
            Some(if let Some(reply) = mail.reply.take() {
                sender.reply(&reply, &mut out)
            } else if mail.end_of_stream {
                sender.transport_ended();
                Ok(())
            } else if sender.state() != State::Open {
                return None; // lines that are left after a Close are not sent
            } else if let Some(code) = mail.close {
                sender.close(code, "", &mut out)
            } else if mail.line.as_ref()?.len() <= PART {
                sender.send_text(&mail.line.take()?, &mut out)
            } else {
                let line = mail.line.as_ref()?.as_bytes();
                let (start, end) = (line_sent, line.len().min(line_sent + PART));
                let is_last = end == line.len();
                let sent =
                    sender.send_fragment(MessageKind::Text, &line[start..end], is_last, &mut out);
                line_sent = end;
                if is_last {
                    (mail.line, line_sent) = (None, 0);
                }
                sent
            })
        })??;
        if sender.state() != State::Open {
            closing.get_or_insert_with(|| {
                Deadline::after(timeout, "the server did not close the connection")
            });
        }
        closing
            .unwrap_or_else(|| Deadline::after(timeout, "the server does not read"))
            .write_all(stream, &out)?;
        out.clear();
        if sender.next_action() == Action::CloseTransport {
            _ = stream.shutdown(Shutdown::Write);
        }
    }
    Ok(())
}

/// The reading thread. It ends at the end of the stream.
fn read(
    mut stream: TcpStream,
    mut receiver: MessageRecvHalf<Client>,
    mut early: Vec<u8>,
    mailbox: &Mailbox,
) -> MessageRecvHalf<Client> {
    let to_terminal = io::stdout().is_terminal();
    let mut printed = Ok(());
    let mut buffer = vec![0; 64 << 10];
    let mut input = &mut early[..];
    loop {
        while let Some(message) = receiver.recv(&mut input) {
            if printed.is_ok() {
                printed = print(&message, to_terminal);
                if let Err(error) = &printed {
                    mailbox.fail(format_args!("stdout: {error}"));
                }
            }
            if let Some(reply) = receiver.take_reply() {
                mailbox.leave(|mail| mail.reply = Some(reply));
            }
        }
        match stream.read(&mut buffer) {
            Ok(n @ 1..) => input = &mut buffer[..n],
            _ => break,
        }
    }
    receiver.recv_eof();
    mailbox.leave(|mail| mail.end_of_stream = true);
    receiver
}

/// Prints a text or binary message to stdout.
fn print(message: &Message<'_>, to_terminal: bool) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    match message {
        Message::Text(text) if to_terminal => writeln!(stdout, "{}", escaped(text)),
        Message::Text(text) => writeln!(stdout, "{text}"),
        Message::Binary(bytes) => {
            write!(stdout, "binary: ")?;
            bytes
                .iter()
                .try_for_each(|byte| write!(stdout, "{byte:02x}"))?;
            writeln!(stdout)
        }
        _ => Ok(()),
    }
}

/// The thread that reads stdin.
fn read_stdin(mailbox: &Mailbox) {
    let (mut stdin, mut at_end) = (io::stdin().lock(), false);
    for number in 1.. {
        let line = read_line(&mut stdin, &mut at_end);
        // The previous line is sent first. A wait without a deadline does not fail.
        _ = mailbox.when(None, |mail| mail.line.is_none().then_some(()));
        match line {
            Ok(Some(line)) => mailbox.leave(|mail| mail.line = Some(line)),
            Ok(None) => {
                return mailbox.leave(|mail| _ = mail.close.get_or_insert(CloseCode::NORMAL));
            }
            Err(error) => return mailbox.fail(format_args!("stdin, line {number}: {error}")),
        }
    }
}

/// Reads a line without its end; `None` at the end of stdin, which a terminal reports only once.
fn read_line(stdin: &mut impl BufRead, at_end: &mut bool) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    if *at_end
        || stdin
            .take(MAX_LINE as u64 + 2)
            .read_until(b'\n', &mut line)?
            == 0
    {
        return Ok(None);
    }
    *at_end = !line.ends_with(b"\n");
    if !*at_end {
        line.truncate(line.len() - if line.ends_with(b"\r\n") { 2 } else { 1 });
    }
    if line.len() > MAX_LINE {
        return Err(io::Error::other(format!("longer than {MAX_LINE} bytes")));
    }
    String::from_utf8(line).map(Some).map_err(io::Error::other)
}

/// Escapes all control characters but line feeds and tabs: they could control the terminal, and
/// `text` is the server's.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        if char.is_control() && !matches!(char, '\n' | '\t') {
            escaped.extend(char.escape_default())
        } else {
            escaped.push(char)
        }
    }
    escaped
}

/// Prints a line to stderr. Unlike `eprintln`, it does not panic if stderr is closed.
fn report(line: impl fmt::Display) {
    _ = writeln!(io::stderr(), "{}", escaped(&line.to_string()));
}
