//! Shows the bytes of a captured conversation as a protocol analyser would: the heads of the
//! handshake, then frame by frame.
//!
//! How a frame looks comes from [`Header::decode`], which shows broken frames as they are. What is
//! wrong with it is the verdict of a [`Connection`] that receives it, one for each direction, so
//! that the rules across frames hold too: fragmentation, UTF-8, the closing handshake.

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::{env, fs, str};
use ws_proto::frame::{Header, Opcode};
use ws_proto::{
    Client, Config, Connection, Event, MessageKind, ProtocolError, REPLY_ROOM, Role, Server,
    SliceOutput, State,
};

const HELP: &str = "\
Shows the bytes of a WebSocket conversation: the heads of the handshake, then frame by frame.

usage: dissect HEX...        bytes in hexadecimal: 81 05 48 65 6c 6c 6f
       dissect --file FILE   a capture: hexadecimal if it holds only digits and white space, else raw bytes
       dissect               the same from standard input

Masked frames are taken as the client's, others as the server's. After a request without a response, every
frame is the client's; after a response without a request, the server's. No extension is taken as negotiated.
Offsets are hexadecimal.

Exit status: 0 no violation of RFC 6455, 1 a violation, 2 input that cannot be read.
";

/// How much of a payload is shown: bytes, or characters of text.
const SHOWN: usize = 64;

fn main() -> ExitCode {
    let args: Vec<String> = env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let input = match args.as_slice() {
        ["-h" | "--help", ..] => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        [] => read_stdin().and_then(capture),
        ["--file", file] => fs::read(file)
            .map_err(|error| format!("{file}: {error}"))
            .and_then(capture),
        [option, ..] if option.starts_with('-') => {
            Err(format!("bad usage of {option}; --help explains"))
        }
        hex => parse_hex(&hex.join(" ")),
    };
    let result = input.and_then(|bytes| {
        dissect(&bytes, &mut io::stdout().lock()).map_err(|error| error.to_string())
    });
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("dissect: {error}");
            ExitCode::from(2)
        }
    }
}

fn read_stdin() -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    io::stdin()
        .read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// The bytes of a capture that is either hexadecimal or raw.
fn capture(bytes: Vec<u8>) -> Result<Vec<u8>, String> {
    match str::from_utf8(&bytes) {
        Ok(text)
            if text
                .chars()
                .all(|c| c.is_ascii_hexdigit() || c.is_whitespace()) =>
        {
            parse_hex(text)
        }
        _ => Ok(bytes),
    }
}

fn parse_hex(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut high = None;
    for (at, c) in text.chars().enumerate() {
        match (high, c.to_digit(16)) {
            (None, Some(digit)) => high = Some(digit << 4),
            (Some(digit), Some(low)) => {
                bytes.push((digit | low) as u8);
                high = None;
            }
            (None, None) if c.is_whitespace() => {}
            (Some(_), None) if c.is_whitespace() => {
                return Err(format!("half a byte at character {at}"));
            }
            _ => {
                return Err(format!(
                    "{c:?} at character {} is not a hexadecimal digit",
                    at + 1
                ));
            }
        }
    }
    if high.is_some() {
        Err(format!("half a byte at character {}", text.chars().count()))
    } else {
        Ok(bytes)
    }
}

/// Shows all of `bytes`, and says whether they keep to the standard.
fn dissect(bytes: &[u8], out: &mut impl Write) -> io::Result<bool> {
    let mut rest = bytes;
    let (mut request, mut response, mut refused) = (false, false, false);
    while let Some(head) = cut_head(&mut rest) {
        show_head(bytes.len() - rest.len() - head.len(), head, out)?;
        request |= is_request(head);
        response |= !is_request(head);
        refused = !is_request(head) && head.split(|&byte| byte == b' ').nth(1) != Some(b"101");
    }
    if refused && !rest.is_empty() {
        writeln!(
            out,
            "{:08x}  {} bytes that are not WebSocket: the server did not switch to it",
            bytes.len() - rest.len(),
            rest.len()
        )?;
        return Ok(true);
    }

    // The limits are a receiver's own, not the standard's. Nothing of what the client would send is
    // seen, so its seed does not matter.
    let config = Config::default()
        .with_max_message(u64::MAX)
        .with_max_fragments(u32::MAX);
    let mut server = Connection::new(Server, &config);
    let mut client = Connection::new(Client::new([0; 32]), &config);
    let mut valid = true;
    while !rest.is_empty() {
        let offset = bytes.len() - rest.len();
        let Some((header, header_len)) = Header::decode(rest) else {
            writeln!(
                out,
                "{offset:08x}  incomplete: {} bytes of a frame header",
                rest.len()
            )?;
            break;
        };
        let whole = header.len.saturating_add(header_len as u64);
        let (frame, after) =
            rest.split_at(rest.len().min(usize::try_from(whole).unwrap_or(usize::MAX)));
        rest = after;

        let from_client = if request == response {
            header.mask.is_some()
        } else {
            request
        };
        let verdict = if from_client {
            receive(&mut server, frame)
        } else {
            receive(&mut client, frame)
        };
        writeln!(
            out,
            "{offset:08x}  {} from the {}",
            header.opcode,
            if from_client { "client" } else { "server" }
        )?;
        show_frame(&header, frame.split_at(header_len), verdict.kind, out)?;
        if (frame.len() as u64) < whole {
            writeln!(
                out,
                "          incomplete: {} of {} bytes of payload",
                frame.len() - header_len,
                header.len
            )?;
        }
        if verdict.discarded {
            writeln!(
                out,
                "          discarded: no receiver takes anything after a Close or a violation"
            )?;
        }
        if let Some((at, error)) = verdict.violation {
            valid = false;
            writeln!(out, "{:08x}  VIOLATION: {error}", offset + at)?;
        }
    }
    Ok(valid)
}

/// What a connection says of a frame.
struct Verdict {
    /// The type of the message that the frame is of, if it brought data.
    kind: Option<MessageKind>,
    /// Whether the connection had ended before.
    discarded: bool,
    /// The rule that is broken, and where in the frame.
    violation: Option<(usize, ProtocolError)>,
}

fn receive<R: Role>(connection: &mut Connection<R>, frame: &[u8]) -> Verdict {
    let mut verdict = Verdict {
        kind: None,
        discarded: connection.state() != State::Open,
        violation: None,
    };
    // Byte by byte, so that a failure tells its place. Nobody is there to read the replies.
    for (at, &byte) in frame.iter().enumerate() {
        match connection.recv(
            &mut &mut [byte][..],
            &mut SliceOutput::new(&mut [0; REPLY_ROOM]),
        ) {
            Some(Event::Data(chunk)) => verdict.kind = Some(chunk.kind),
            // One bad byte of a text has a place of its own; the other rules are about the frame.
            Some(Event::Failed(ProtocolError::InvalidUtf8)) => {
                verdict.violation = Some((at, ProtocolError::InvalidUtf8))
            }
            Some(Event::Failed(error)) => verdict.violation = Some((0, error)),
            _ => {}
        }
    }
    verdict
}

/// Cuts the head of a request or response off the front of `rest`, its empty line included if it is
/// there.
fn cut_head<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    if !is_request(rest) && !rest.starts_with(b"HTTP/") {
        return None;
    }
    let end = rest.windows(4).position(|end| end == b"\r\n\r\n");
    let (head, after) = rest.split_at(end.map_or(rest.len(), |end| end + 4));
    *rest = after;
    Some(head)
}

fn is_request(head: &[u8]) -> bool {
    head.starts_with(b"GET ")
}

fn show_head(offset: usize, head: &[u8], out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{offset:08x}  {} head",
        if is_request(head) {
            "request"
        } else {
            "response"
        }
    )?;
    for line in head.split_inclusive(|&byte| byte == b'\n') {
        writeln!(out, "          {}", line.escape_ascii())?;
    }
    if !head.ends_with(b"\r\n\r\n") {
        writeln!(out, "          incomplete: the empty line is missing")?;
    }
    Ok(())
}

fn show_frame(
    header: &Header,
    (head, payload): (&[u8], &[u8]),
    kind: Option<MessageKind>,
    out: &mut impl Write,
) -> io::Result<()> {
    let Header {
        fin,
        rsv,
        opcode,
        mask,
        len,
    } = *header;
    let form = match head.len() - if mask.is_some() { 4 } else { 0 } {
        2 => "7",
        4 => "7+16",
        _ => "7+64",
    };
    writeln!(
        out,
        "          FIN {}, RSV {rsv:03b}, opcode {}, MASK {}",
        u8::from(fin),
        u8::from(opcode),
        u8::from(mask.is_some())
    )?;
    writeln!(out, "          length    {len} ({form} bits)")?;
    let mut unmasked = payload.to_vec();
    if let Some(mask) = mask {
        mask.apply(&mut unmasked, 0);
        writeln!(out, "          key       {}", hex(&mask.0))?;
        writeln!(out, "          masked    {}", hex(payload))?;
    }
    writeln!(out, "          payload   {}", hex(&unmasked))?;
    match (opcode, unmasked.split_first_chunk()) {
        (Opcode::CLOSE, Some((&code, reason))) => {
            let code = u16::from_be_bytes(code);
            writeln!(out, "          code      {code} ({})", code_name(code))?;
            writeln!(out, "          reason    \"{}\"", text(reason))
        }
        _ if opcode == Opcode::TEXT || kind == Some(MessageKind::Text) => {
            writeln!(out, "          text      \"{}\"", text(&unmasked))
        }
        _ => Ok(()),
    }
}

/// The first bytes in hexadecimal.
fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return "(none)".into();
    }
    let shown: Vec<String> = bytes
        .iter()
        .take(SHOWN)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    shown.join(" ") + if bytes.len() > SHOWN { " ..." } else { "" }
}

/// The first characters of a text, with all that is not printable escaped, bytes that are not UTF-8
/// included.
fn text(bytes: &[u8]) -> String {
    let mut characters = bytes.utf8_chunks().flat_map(|chunk| {
        let valid = chunk.valid().chars().map(|c| {
            if c == '\'' {
                c.to_string()
            } else {
                c.escape_debug().to_string()
            }
        });
        valid.chain(
            chunk
                .invalid()
                .iter()
                .map(|byte| byte.escape_ascii().to_string()),
        )
    });
    let shown: String = characters.by_ref().take(SHOWN).collect();
    shown
        + if characters.next().is_some() {
            "..."
        } else {
            ""
        }
}

/// The meaning of a status code (RFC 6455 §7.4, and the registry that it set up).
const fn code_name(code: u16) -> &'static str {
    match code {
        1000 => "normal closure",
        1001 => "going away",
        1002 => "protocol error",
        1003 => "unsupported data",
        1007 => "invalid payload data",
        1008 => "policy violation",
        1009 => "message too big",
        1010 => "mandatory extension",
        1011 => "internal error",
        1012 => "service restart",
        1013 => "try again later",
        1014 => "bad gateway",
        1004..=1006 | 1015 => "reserved, never sent",
        3000..=3999 => "registered by a library or framework",
        4000..=4999 => "for private use",
        _ => "not assigned",
    }
}
