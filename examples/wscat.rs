//! A client for the terminal: lines from stdin go out as text messages, and messages come to stdout.
//!
//!     wscat URL [--protocol NAME]... [--header 'Name: value']... [--origin ORIGIN] [--deflate]
//!
//! A text message is printed as a line, a binary one as a line of hex after `binary: `. The end of stdin (Ctrl-D) closes with 1000 and waits for the server. The exit status is
//! 0 only after a clean close. With `--deflate` (feature `deflate`) it offers permessage-deflate.
//!
//! It reads and writes in different threads: the two halves of a WebSocket share nothing, and talk through a channel.

mod tcp;

use std::io::{self, BufRead, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::process::ExitCode;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;
use ws_proto::{Client, CloseCode, Config, Message, MessageReceiver, MessageSender, Reply, Transport, WebSocket, uri::Uri};

/// How long the server may take to answer a Close, and to close the transport after that.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// What the writing thread is told by the others.
enum Order {
    Line(String),
    EndOfLines,
    Reply(Reply),
    /// The server's stream ended, and whether its Close had come.
    EndOfStream {
        closed: bool,
    },
}

struct Options {
    url: String,
    protocols: Vec<String>,
    headers: Vec<(String, String)>,
    origin: Option<String>,
    #[cfg(feature = "deflate")]
    deflate: bool,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(error) => {
            eprintln!("{error}\nusage: wscat URL [--protocol NAME]... [--header 'Name: value']... [--origin ORIGIN] [--deflate]");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn options(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
    let mut options = Options {
        url: String::new(),
        protocols: Vec::new(),
        headers: Vec::new(),
        origin: None,
        #[cfg(feature = "deflate")]
        deflate: false,
    };
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match &*arg {
            "--protocol" => options.protocols.push(value()?),
            "--origin" => options.origin = Some(value()?),
            "--header" => {
                let header = value()?;
                let (name, value) = header.split_once(':').ok_or(format!("no colon in {header:?}"))?;
                options.headers.push((name.to_owned(), value.trim().to_owned()));
            }
            #[cfg(feature = "deflate")]
            "--deflate" => options.deflate = true,
            option if option.starts_with('-') => return Err(format!("unknown option {option}")),
            _ if options.url.is_empty() => options.url = arg,
            _ => return Err(format!("two URLs: {} and {arg}", options.url)),
        }
    }
    if options.url.is_empty() { Err("no URL".to_owned()) } else { Ok(options) }
}

/// Runs the conversation, and says whether it was closed cleanly.
fn run(options: &Options) -> io::Result<bool> {
    let uri = Uri::parse(&options.url)?;
    let protocols: Vec<&str> = options.protocols.iter().map(|name| &**name).collect();
    let fields: Vec<(&str, &str)> = options.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    let open = tcp::connect(&uri, |handshake| {
        let handshake = handshake.protocols(&protocols).fields(&fields);
        #[cfg(feature = "deflate")]
        let handshake = if options.deflate { handshake.deflate(&ws_proto::deflate::Config::default()) } else { handshake };
        match &options.origin {
            Some(origin) => handshake.origin(origin),
            None => handshake,
        }
    })?;
    if let Some(protocol) = open.agreed.protocol() {
        eprintln!("subprotocol: {protocol}");
    }
    #[cfg(feature = "deflate")]
    if let Some(params) = open.agreed.deflate() {
        eprintln!("extension: {params}");
    }

    let (receiver, sender) = WebSocket::new(open.agreed, &Config::default()).into_halves();
    let (orders, queue) = mpsc::channel();
    let (stream, early, to_writer) = (open.stream.try_clone()?, open.early, orders.clone());
    thread::spawn(move || {
        let closed = read(stream, receiver, early, &to_writer);
        _ = to_writer.send(Order::EndOfStream { closed });
    });
    thread::spawn(move || {
        for line in io::stdin().lock().lines().map_while(Result::ok) {
            _ = orders.send(Order::Line(line));
        }
        _ = orders.send(Order::EndOfLines);
    });
    write(open.stream, sender, &queue)
}

/// The writing half.
fn write(mut stream: TcpStream, mut sender: MessageSender<Client>, queue: &mpsc::Receiver<Order>) -> io::Result<bool> {
    let mut out = Vec::new();
    loop {
        let timeout = if sender.transport() == Transport::Keep { Duration::MAX } else { CLOSE_TIMEOUT };
        let sent = match queue.recv_timeout(timeout) {
            Ok(Order::Line(line)) => sender.send_text(&line, &mut out),
            Ok(Order::EndOfLines) => sender.close(CloseCode::NORMAL, "", &mut out),
            Ok(Order::Reply(reply)) => sender.reply(&reply, &mut out),
            Ok(Order::EndOfStream { closed }) => return Ok(closed && sender.close_sent().is_some()),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                eprintln!("the server does not close the connection");
                return Ok(false);
            }
        };
        // All that can be wrong here is that the server closed first: lines typed since then go nowhere.
        if sent.is_ok() {
            stream.write_all(&out)?;
            out.clear();
        }
        if sender.transport() == Transport::Close {
            _ = stream.shutdown(Shutdown::Write);
        }
    }
}

/// The reading half. Says whether the server's Close came before the end of the stream.
fn read(mut stream: TcpStream, mut receiver: MessageReceiver<Client>, mut early: Vec<u8>, orders: &mpsc::Sender<Order>) -> bool {
    let mut buffer = vec![0; 64 << 10];
    let mut input = &mut early[..];
    loop {
        while let Some(message) = receiver.recv(&mut input) {
            match &message {
                Message::Text(text) => print(text),
                Message::Binary(bytes) => print(&bytes.iter().fold("binary: ".to_owned(), |line, byte| format!("{line}{byte:02x}"))),
                Message::Close(_) => eprintln!("closed by the server: {:?}", receiver.as_receiver().close_received()),
                Message::Failed(error) => eprintln!("the server broke a rule: {error}"),
                _ => {}
            }
            if let Some(reply) = receiver.take_reply() {
                _ = orders.send(Order::Reply(reply));
            }
        }
        match stream.read(&mut buffer) {
            Ok(n @ 1..) => input = &mut buffer[..n],
            _ => return receiver.as_receiver().close_received().is_some(),
        }
    }
}

/// Prints a line. If nobody reads it any more, the program still closes the connection properly.
fn print(line: &str) {
    _ = writeln!(io::stdout(), "{line}");
}
