//! An echo server: one thread a connection, nothing but `std` and this crate.
//!
//! ```text
//! echo_server [ADDR] [--protocol NAME]... [--max-message BYTES] [--timeout SECONDS] [--deflate]
//! ```
//!
//! It listens on ADDR (default 127.0.0.1:9001), speaks the first of the client's subprotocols that
//! an option names, and accepts messages of up to BYTES (default 64 MiB). A client has SECONDS
//! (default 10) for its request, for its last bytes before the connection is closed, and for
//! accepting anything of the output; one that is silent for a minute is dropped. With `--deflate`
//! (feature `deflate`) it accepts permessage-deflate. `serve` is the function to read: it is a
//! complete driver.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use ws_proto::handshake::ServerHandshake;
use ws_proto::{ByteQueue, Config, Negotiated, OwnedMessage, Server, Session, Timeouts};

/// How much is read at once, and after how much output nothing more is received.
const BUFFER: usize = 64 << 10;

struct Options {
    address: String,
    protocols: Vec<String>,
    config: Config,
    timeouts: Timeouts,
    #[cfg(feature = "deflate")]
    deflate: Option<ws_proto::deflate::DeflateConfig>,
}

const USAGE: &str =
    "echo_server [ADDR] [--protocol NAME]... [--max-message BYTES] [--timeout SECONDS] [--deflate]";

fn main() -> ExitCode {
    if std::env::args().any(|arg| arg == "-h" || arg == "--help") {
        println!("usage: {USAGE}");
        return ExitCode::SUCCESS;
    }
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => Arc::new(options),
        Err(error) => {
            eprintln!("{error}\nusage: {USAGE}");
            return ExitCode::from(2);
        }
    };
    match listen(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", options.address);
            ExitCode::FAILURE
        }
    }
}

fn options(mut args: impl Iterator<Item = String>) -> Result<Options, String> {
    let (mut address, mut protocols, mut max_message, mut timeout) =
        ("127.0.0.1:9001".to_owned(), Vec::new(), 64 << 20, 10_u32);
    #[cfg(feature = "deflate")]
    let mut deflate = None;
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match &*arg {
            "--protocol" => protocols.push(value()?),
            "--max-message" => {
                max_message = value()?
                    .parse()
                    .map_err(|error| format!("--max-message: {error}"))?
            }
            "--timeout" => {
                timeout = value()?
                    .parse::<NonZeroU32>()
                    .map_err(|error| format!("--timeout: {error}"))?
                    .get()
            }
            #[cfg(feature = "deflate")]
            "--deflate" => deflate = Some(ws_proto::deflate::DeflateConfig::default()),
            option if option.starts_with('-') => return Err(format!("unknown option {option}")),
            _ => address = arg,
        }
    }
    let timeout = Some(Duration::from_secs(timeout.into()));
    Ok(Options {
        address,
        protocols,
        config: Config::default().with_max_message(max_message),
        timeouts: Timeouts::new()
            .with_handshake(timeout)
            .with_write(timeout)
            .with_close(timeout)
            .with_linger(timeout),
        #[cfg(feature = "deflate")]
        deflate,
    })
}

fn listen(options: &Arc<Options>) -> io::Result<()> {
    let listener = TcpListener::bind(&*options.address)?;
    println!("ws://{}/", listener.local_addr()?);
    for stream in listener.incoming() {
        // A connection that was reset before it was accepted is no reason to stop, nor are too
        // many: some of those must end first.
        let Ok(mut stream) = stream else {
            thread::sleep(Duration::from_millis(10));
            continue;
        };
        let peer = stream
            .peer_addr()
            .map_or_else(|_| "?".to_owned(), |peer| peer.to_string());
        let (options, name) = (Arc::clone(options), peer.clone());
        let serving = thread::Builder::new().spawn(move || {
            let end = serve(&mut stream, &options).unwrap_or_else(|error| error.to_string());
            eprintln!("{name}: {end}");
        });
        if let Err(error) = serving {
            eprintln!("{peer}: not served: {error}");
        }
    }
    Ok(())
}

/// Serves one connection from its first byte to its last, and returns how it ended.
fn serve(stream: &mut TcpStream, options: &Options) -> io::Result<String> {
    stream.set_nodelay(true)?;
    let clock = Instant::now();
    // While the output waits that one read may cause, nothing more is received: at most that and
    // one message wait.
    let mut session = Session::new(&options.config, &options.timeouts, clock.elapsed())
        .with_high_water(BUFFER)
        .with_max_output(usize::MAX);
    let mut handshake = ServerHandshake::new();
    let mut refused = None;
    let mut buffer = vec![0; BUFFER];
    loop {
        let now = clock.elapsed();
        let step = session.handshake(now, |input, out| {
            accept(&mut handshake, options, input, out)
        });
        refused = refused.or(step);
        while let Some(message) = session.recv() {
            match message {
                OwnedMessage::Text(text) => session.send_text(&text)?,
                OwnedMessage::Binary(bytes) => session.send_binary(&bytes)?,
                _ => {}
            }
        }
        let Some(needs) = session.needs(now) else {
            break;
        };
        let left = needs.wake.map(|wake| wake.saturating_sub(now));
        if needs.write {
            stream.set_write_timeout(left)?;
            // After an error nothing more can be sent, but the last messages can still be read.
            let all = session.output().len();
            let written = in_time(stream.write(session.output())).unwrap_or(Some(all));
            session.written(clock.elapsed(), written.unwrap_or(0));
            continue;
        }
        if needs.shutdown {
            let _ = stream.shutdown(Shutdown::Write);
        }
        stream.set_read_timeout(left)?;
        match in_time(stream.read(&mut buffer))? {
            Some(0) => session.recv_eof(),
            Some(n) => session.received(clock.elapsed(), &buffer[..n]),
            None => {}
        }
    }
    Ok(match (refused, session.timed_out(), session.outcome()) {
        (Some(error), ..) => format!("refused: {error}"),
        (_, Some(timeout), _) => timeout.to_string(),
        (_, _, Some(outcome)) => outcome.to_string(),
        _ => "closed without a request".to_owned(),
    })
}

/// Reads the request, and answers it.
fn accept(
    handshake: &mut ServerHandshake,
    options: &Options,
    input: &mut &mut [u8],
    out: &mut ByteQueue,
) -> io::Result<Option<Negotiated<Server>>> {
    let Some(request) = handshake.recv(input, out)? else {
        return Ok(None);
    };
    let spoken: Vec<&str> = options.protocols.iter().map(|name| &**name).collect();
    let answer = request.accept().subprotocol_from(&spoken);
    #[cfg(feature = "deflate")]
    let answer = match &options.deflate {
        Some(deflate) => answer.deflate(deflate),
        None => answer,
    };
    Ok(Some(answer.write(out)?))
}

/// The result of a read or a write, unless the time for it is over (`WouldBlock` on Unix,
/// `TimedOut` on Windows).
fn in_time(result: io::Result<usize>) -> io::Result<Option<usize>> {
    match result {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Ok(None)
        }
        Err(error) if error.kind() == ErrorKind::Interrupted => Ok(None),
        result => result.map(Some),
    }
}
