//! An echo server: one thread a connection, nothing but `std` and this crate.
//!
//! ```text
//! echo_server [ADDR] [--protocol NAME]... [--max-message BYTES] [--timeout SECONDS] [--deflate]
//! ```
//!
//! It listens on ADDR (default 127.0.0.1:9001), speaks the first of the client's subprotocols that
//! it was given by name, and takes messages of up to BYTES (default 64 MiB). A client may take up
//! to SECONDS (default 10) for its request, for its last bytes before the connection is closed, and
//! for accepting anything of the output. With `--deflate` (feature `deflate`) it accepts
//! permessage-deflate. `serve` is the part to read: it is the whole of a driver.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::num::NonZeroU32;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use ws_proto::handshake::ServerHandshake;
use ws_proto::{Action, Config, Message, Server, WebSocket};

/// How much is read at once, and after how much output it is written at the latest.
const BUFFER: usize = 64 << 10;

struct Options {
    address: String,
    protocols: Vec<String>,
    config: Config,
    timeout: Duration,
    #[cfg(feature = "deflate")]
    deflate: Option<ws_proto::deflate::DeflateConfig>,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(options) => Arc::new(options),
        Err(error) => {
            eprintln!(
                "{error}\nusage: echo_server [ADDR] [--protocol NAME]... [--max-message BYTES] [--timeout SECONDS] [--deflate]"
            );
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
    Ok(Options {
        address,
        protocols,
        config: Config::default().with_max_message(max_message),
        timeout: Duration::from_secs(timeout.into()),
        #[cfg(feature = "deflate")]
        deflate,
    })
}

fn listen(options: &Arc<Options>) -> io::Result<()> {
    let listener = TcpListener::bind(&*options.address)?;
    println!("ws://{}/", listener.local_addr()?);
    for stream in listener.incoming() {
        // A connection that was reset before it was accepted is no reason to stop, nor are too
        // many: of those some have to end first.
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

/// Serves one connection from its first byte to its last, and says how it ended.
fn serve(stream: &mut TcpStream, options: &Options) -> io::Result<String> {
    stream.set_nodelay(true)?;
    stream.set_write_timeout(Some(options.timeout))?;
    let mut buffer = vec![0; BUFFER];
    let mut out = Vec::new();

    // The opening handshake. What came after the request stays in `input`.
    let mut handshake = ServerHandshake::new();
    let deadline = Instant::now() + options.timeout;
    let (negotiated, mut input) = loop {
        let n = read_before(deadline, stream, &mut buffer)
            .map_err(timed_out("waiting for the request"))?;
        if n == 0 {
            return Ok("closed without a request".to_owned());
        }
        let mut input = &mut buffer[..n];
        match handshake.recv(&mut input, &mut out) {
            Ok(None) => {}
            Ok(Some(request)) => {
                let spoken: Vec<&str> = options.protocols.iter().map(|name| &**name).collect();
                let answer = request.accept().subprotocol_from(&spoken);
                #[cfg(feature = "deflate")]
                let answer = match &options.deflate {
                    Some(deflate) => answer.deflate(deflate),
                    None => answer,
                };
                let negotiated = answer.write(&mut out)?;
                let received = n - input.len();
                break (negotiated, received..n);
            }
            Err(error) => {
                flush(stream, &mut out)?;
                close(stream, &mut buffer, options.timeout);
                return Ok(format!("refused: {error}"));
            }
        }
    };

    // The conversation.
    let mut ws = WebSocket::<Server>::new(negotiated, &options.config);
    stream.set_read_timeout(None)?;
    loop {
        let mut received = &mut buffer[input];
        while let Some(message) = ws.recv(&mut received, &mut out) {
            match message {
                Message::Text(text) => ws.send_text(&text, &mut out)?,
                Message::Binary(bytes) => ws.send_binary(&bytes, &mut out)?,
                _ => {}
            }
            // One read may hold many messages, and compressed ones a thousand times its length.
            if out.len() >= BUFFER {
                flush(stream, &mut out)?;
            }
        }
        // While the peer does not take it, nothing more is read: what waits here is `BUFFER` and
        // one message at most.
        flush(stream, &mut out)?;
        match ws.next_action() {
            Action::Continue => {}
            Action::AwaitClose => stream.set_read_timeout(Some(options.timeout))?,
            Action::CloseTransport => break,
        }
        let n = stream
            .read(&mut buffer)
            .map_err(timed_out("waiting for the Close"))?;
        if n == 0 {
            ws.recv_eof();
            break;
        }
        input = 0..n;
    }
    close(stream, &mut buffer, options.timeout);
    Ok(ws
        .outcome()
        .map_or_else(String::new, |outcome| outcome.to_string()))
}

/// Writes all that waits, and gives back the memory that a long message took.
fn flush(stream: &mut TcpStream, out: &mut Vec<u8>) -> io::Result<()> {
    stream
        .write_all(out)
        .map_err(timed_out("the client does not read"))?;
    out.clear();
    out.shrink_to(BUFFER);
    Ok(())
}

/// Reads with a deadline for the whole handshake, so that a client that sends a byte now and then
/// does not hold the thread forever.
fn read_before(deadline: Instant, stream: &mut TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let left = deadline.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(ErrorKind::TimedOut.into());
    }
    stream.set_read_timeout(Some(left))?;
    stream.read(buffer)
}

/// Names the step that took too long: the system's own words for a timeout of a socket are
/// "Resource temporarily unavailable".
fn timed_out(step: &str) -> impl Fn(io::Error) -> io::Error {
    move |error| match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => {
            io::Error::new(ErrorKind::TimedOut, format!("timed out: {step}"))
        }
        _ => error,
    }
}

/// Closes after the peer has read everything: a socket that is closed over unread input is reset,
/// and the peer may lose the Close frame (RFC 6455 §7.1.1).
fn close(stream: &mut TcpStream, buffer: &mut [u8], timeout: Duration) {
    let deadline = Instant::now() + timeout;
    if stream.shutdown(Shutdown::Write).is_ok() {
        while matches!(read_before(deadline, stream, buffer), Ok(1..)) {}
    }
}
