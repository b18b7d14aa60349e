//! Bytes in hexadecimal, as tools print them.

/// The source of a dump: the bytes of one end, or those of both in turn.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// Whether the lines are indented, as Wireshark's are for the second end of a stream.
    pub is_second: bool,
    pub bytes: Vec<u8>,
}

/// Reads a text in any of the forms: a dump with offsets (xxd, hexdump -C, od, Wireshark), a string
/// with `\x81`, or digits with any separators (`81 84`, `8184`, `81:84`, `0x81, 0x84`).
pub fn parse(text: &str) -> Result<Vec<Part>, String> {
    if let Some(parts) = dump(text)? {
        return Ok(parts);
    }
    let bytes = if text.contains("\\x") {
        escaped(text)?
    } else {
        digits(text)?
    };
    Ok(vec![Part {
        is_second: false,
        bytes,
    }])
}

/// Digits, with separators between bytes.
fn digits(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        if is_separator(c) {
            continue;
        }
        let next = chars.next();
        match (c, next) {
            ('0', Some((_, 'x' | 'X'))) => {}
            (c, Some((_, d))) if c.is_ascii_hexdigit() && d.is_ascii_hexdigit() => {
                let digit = |c: char| c.to_digit(16).unwrap_or(0) as u8;
                bytes.push(digit(c) << 4 | digit(d));
            }
            (c, Some((_, d))) if c.is_ascii_hexdigit() && !is_separator(d) => {
                return Err(wrong(text, at + 1, d));
            }
            (c, _) if c.is_ascii_hexdigit() => {
                return Err(format!("half a byte at {}", place(text, at)));
            }
            (c, _) => return Err(wrong(text, at, c)),
        }
    }
    Ok(bytes)
}

const fn is_separator(c: char) -> bool {
    c.is_ascii_whitespace()
        || matches!(
            c,
            ',' | ';' | ':' | '-' | '{' | '}' | '[' | ']' | '(' | ')' | '"' | '\''
        )
}

/// A string with escapes, as languages print them: other characters are themselves. If there are
/// none, white space between the escapes is none of them either.
fn escaped(text: &str) -> Result<Vec<u8>, String> {
    let text = text.trim();
    let unquoted = ["b\"", "b'", "\"", "'"].iter().find_map(|quote| {
        let end = &quote[quote.len() - 1..];
        text.strip_prefix(quote)?.strip_suffix(end)
    });
    let is_string = unquoted.is_some();
    let body = unquoted.unwrap_or(text);
    let mut bytes = Vec::new();
    let mut has_spaces = false;
    let mut has_others = false;
    let mut chars = body.char_indices();
    while let Some((at, c)) = chars.next() {
        if c != '\\' {
            has_spaces |= c.is_whitespace();
            has_others |= !is_separator(c);
            bytes.extend(
                c.encode_utf8(&mut [0; 4])
                    .bytes()
                    .map(|byte| (byte, is_separator(c))),
            );
            continue;
        }
        let byte = match chars.next().map(|(_, c)| c) {
            Some('x') => {
                let hex = body
                    .get(at + 2..at + 4)
                    .and_then(|hex| u8::from_str_radix(hex, 16).ok());
                chars.nth(1);
                hex.ok_or_else(|| format!("\\x without two digits at {}", place(body, at)))?
            }
            Some('n') => b'\n',
            Some('r') => b'\r',
            Some('t') => b'\t',
            Some('0') => 0,
            Some(c @ ('\\' | '"' | '\'')) => c as u8,
            _ => return Err(format!("an unknown escape at {}", place(body, at))),
        };
        bytes.push((byte, false));
    }
    // `\x81 \x84`, or `"\x81" "\x84"`: only escapes count.
    let only_escapes = !has_others && (has_spaces || !is_string);
    Ok(bytes
        .into_iter()
        .filter(|&(_, is_separator)| !(only_escapes && is_separator))
        .map(|(byte, _)| byte)
        .collect())
}

/// A dump with offsets; `None` if the text is none.
fn dump(text: &str) -> Result<Option<Vec<Part>>, String> {
    let mut parts: Vec<Part> = Vec::new();
    let mut lens = [0; 2];
    let mut lines = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty() && !is_heading(line))
        .peekable();
    let mut is_first = true;
    let radix = radix(text);
    while let Some((number, line)) = lines.next() {
        let wrong =
            |what: &str| format!("{what} in line {}: {}", number + 1, line.escape_default());
        if line.trim() == "*" {
            return Err(wrong(
                "lines were left out (hexdump -v and od -v print them)",
            ));
        }
        let Some((is_second, offset, form, rest)) = split(line, radix) else {
            return if is_first {
                Ok(None)
            } else {
                Err(wrong("no offset"))
            };
        };
        let next = lines
            .peek()
            .and_then(|(_, line)| split(line, radix))
            .filter(|next| next.0 == is_second);
        let len = &mut lens[usize::from(is_second)];
        // A line of digits may begin with zeros, too: the second line decides.
        let is_offset = offset == 0 && next.as_ref().is_some_and(|next| next.1 > 0);
        if is_first && form == Form::Space && !is_offset {
            return Ok(None);
        }
        if form == Form::Tcpdump {
            return Err(
                "tcpdump -x prints packets, not the bytes in them: use tcpdump -w".to_owned(),
            );
        }
        is_first = false;
        // Their offsets are in any radix.
        if has_words(rest, form) {
            return Err(WORDS.to_owned());
        }
        if offset != *len {
            return Err(wrong(&format!("the offset is not {len:x}")));
        }
        // How many bytes the line has; the last one may have fewer than there is room for.
        let max = next
            .and_then(|next| next.1.checked_sub(offset))
            .filter(|&max| max > 0);
        let bytes = columns(rest, form, max.unwrap_or(usize::MAX))
            .ok_or_else(|| wrong("no hexadecimal"))?;
        *len += bytes.len();
        match parts.last_mut().filter(|part| part.is_second == is_second) {
            Some(part) => part.bytes.extend(bytes),
            None => parts.push(Part { is_second, bytes }),
        }
    }
    Ok(Some(parts).filter(|parts| !parts.is_empty()))
}

/// Of words, the order of the bytes is that of the machine.
const WORDS: &str = "words of several bytes, whose order is that of a machine: use hexdump -C, od -A x -t x1, or xxd (without -e and -g)";

/// Whether a line has words or other numbers instead of bytes: only xxd prints bytes in pairs.
fn has_words(rest: &str, form: Form) -> bool {
    let len = if form == Form::Colon { 4 } else { 2 };
    let first = rest.split_whitespace().next().unwrap_or_default();
    first.len() > len && first.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// The radix of the offsets that od prints with seven digits: octal, unless an option changed it.
/// The second line decides: its offset is the number of bytes in the first.
fn radix(text: &str) -> u32 {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let bytes = lines.next().unwrap_or_default().split_whitespace().count();
    let second = lines.next().unwrap_or_default();
    let offset = second.split_whitespace().next().unwrap_or_default();
    let is_radix =
        |&radix: &u32| usize::from_str_radix(offset, radix) == Ok(bytes.saturating_sub(1));
    [8, 10, 16].into_iter().find(is_radix).unwrap_or(8)
}

/// The lines that Wireshark prints around a stream.
fn is_heading(line: &str) -> bool {
    ["====", "Follow: ", "Filter: ", "Node 0: ", "Node 1: "]
        .iter()
        .any(|start| line.starts_with(start))
}

/// The text after the offset in a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `00000000: ` of xxd: two spaces end the bytes.
    Colon,
    /// `0x0000:` of tcpdump.
    Tcpdump,
    /// One space of od, which prints no characters.
    Space,
    /// Several spaces of Wireshark and of hexdump -C: three spaces or a bar end the bytes.
    Spaces,
}

/// Splits a line of a dump at its offset: indentation, offset, form, and the rest.
fn split(line: &str, radix: u32) -> Option<(bool, usize, Form, &str)> {
    let unindented = line.trim_start();
    let is_second = unindented.len() < line.len();
    let (is_tcpdump, unprefixed) = match unindented.strip_prefix("0x") {
        Some(rest) => (true, rest),
        None => (false, unindented),
    };
    let end = unprefixed
        .find(|c: char| !c.is_ascii_hexdigit())
        .unwrap_or(unprefixed.len());
    let (offset, rest) = unprefixed.split_at(end);
    if !(4..=16).contains(&end) {
        return None;
    }
    let form = match rest.as_bytes() {
        [b':', ..] if is_tcpdump => Form::Tcpdump,
        _ if is_tcpdump => return None,
        [b':', ..] => Form::Colon,
        [b' ', b' ', ..] | [b'\t', ..] => Form::Spaces,
        [b' ', ..] | [] => Form::Space,
        _ => return None,
    };
    let radix = if form == Form::Space && end == 7 {
        radix
    } else {
        16
    };
    let offset = [radix, 16]
        .into_iter()
        .find_map(|radix| usize::from_str_radix(offset, radix).ok())?;
    Some((
        is_second,
        offset,
        form,
        rest.strip_prefix(':').unwrap_or(rest),
    ))
}

/// The bytes of a line, up to the characters after them.
fn columns(rest: &str, form: Form, max: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = rest;
    while bytes.len() < max {
        let token = rest.trim_start();
        let gap = rest.len() - token.len();
        let ends = match form {
            Form::Colon => gap > 1,
            _ => gap > 2,
        };
        if token.is_empty() || token.starts_with('|') || ends && !bytes.is_empty() {
            break;
        }
        let end = token.find(' ').unwrap_or(token.len());
        let (digits, after) = token.split_at(end);
        if !digits.len().is_multiple_of(2) || !digits.bytes().all(|digit| digit.is_ascii_hexdigit())
        {
            return None;
        }
        for at in (0..digits.len()).step_by(2) {
            bytes.push(u8::from_str_radix(&digits[at..at + 2], 16).ok()?);
        }
        rest = after;
    }
    Some(bytes)
}

fn wrong(text: &str, at: usize, c: char) -> String {
    format!("{c:?} is not hexadecimal, at {}", place(text, at))
}

/// The line and the character of a position.
fn place(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let character = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
    if text.contains('\n') {
        format!("line {line}, character {character}")
    } else {
        format!("character {character}")
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, parse};

    const SEED: [u8; 10] = [0x81, 0x84, 0xcc, 0x2a, 0xaf, 0xce, 0xb8, 0x4f, 0xdc, 0xba];

    fn one(text: &str) -> Result<Vec<u8>, String> {
        let parts = parse(text)?;
        assert!(parts.iter().all(|part| !part.is_second));
        Ok(parts.into_iter().flat_map(|part| part.bytes).collect())
    }

    #[test]
    fn digits_are_read_with_all_separators() {
        for text in [
            "81 84 cc 2a af ce b8 4f dc ba",
            "8184cc2aafceb84fdcba",
            "8184 cc2a afce b84f dcba",
            "8184cc2a afceb84f dcba",
            "81:84:cc:2a:af:ce:b8:4f:dc:ba",
            "81-84-CC-2A-AF-CE-B8-4F-DC-BA",
            "0x81 0x84 0xcc 0x2a 0xaf 0xce 0xb8 0x4f 0xdc 0xba",
            "{ 0x81, 0x84, 0xcc, 0x2a,\n  0xaf, 0xce, 0xb8, 0x4f, 0xdc, 0xba };",
            "[0x81,0x84,0xcc,0x2a,0xaf,0xce,0xb8,0x4f,0xdc,0xba]",
            "0x8184cc2aafceb84fdcba",
            "81 84\ncc 2a\r\naf\tce b8 4f dc ba\n",
            r"\x81\x84\xcc\x2a\xaf\xce\xb8\x4f\xdc\xba",
            r"\x81 \x84 \xcc \x2a \xaf \xce \xb8 \x4f \xdc \xba",
            r#""\x81\x84\xcc\x2a" "\xaf\xce\xb8\x4f\xdc\xba""#,
            r"b'\x81\x84\xcc*\xaf\xce\xb8O\xdc\xba'",
            r#"b"\x81\x84\xcc*\xaf\xce\xb8O\xdc\xba""#,
        ] {
            assert_eq!(one(text), Ok(SEED.to_vec()), "{text}");
        }
        assert_eq!(
            one(r"'\x81\x02a b\r\n\\\0'"),
            Ok(b"\x81\x02a b\r\n\\\0".to_vec())
        );
        // Neither an offset nor a dump.
        assert_eq!(one("0000 8184"), Ok(vec![0, 0, 0x81, 0x84]));
        assert_eq!(one(""), Ok(vec![]));
    }

    #[test]
    fn dumps_are_read_without_their_offsets_and_characters() {
        for dump in [
            // xxd
            "00000000: 8184 cc2a afce b84f dcba                 ...*...O..\n",
            // xxd -g1
            "00000000: 81 84 cc 2a af ce b8 4f dc ba                    ...*...O..\n",
            // xxd -c 4
            "00000000: 8184 cc2a  ...*\n00000004: afce b84f  ...O\n00000008: dcba       ..\n",
            // hexdump -C
            "00000000  81 84 cc 2a af ce b8 4f  dc ba                    |...*...O..|\n0000000a\n",
            // od -A x -t x1
            "000000 81 84 cc 2a af ce b8 4f dc ba\n00000a\n",
            // od -t x1
            "0000000 81 84 cc 2a af ce b8 4f dc ba\n0000012\n",
            // Wireshark, tshark -x
            "0000   81 84 cc 2a af ce b8 4f dc ba                     ...*...O..\n",
        ] {
            assert_eq!(one(dump), Ok(SEED.to_vec()), "{dump}");
        }
        // A full line, whose characters are hexadecimal, too.
        let bytes: Vec<u8> = b"0123456789abcdef0".to_vec();
        for dump in [
            "00000000: 3031 3233 3435 3637 3839 6162 6364 6566  0123456789abcdef\n00000010: 30                                       0\n",
            "00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|\n00000010  30                                                |0|\n00000011\n",
            "0000   30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66   0123456789abcdef\n0010   30                                                0\n",
        ] {
            assert_eq!(one(dump), Ok(bytes.clone()), "{dump}");
        }
    }

    #[test]
    fn a_stream_that_wireshark_follows_has_two_ends() {
        let dump = "
===================================================================
Follow: tcp,hex
Filter: tcp.stream eq 0
Node 0: 127.0.0.1:51842
Node 1: 127.0.0.1:9001
00000000  89 80 00 00 00 00                                 ......
\t00000000  8a 00                                             ..
00000006  8a 80 00 00 00 00                                 ......
    00000002  89 00                                             ..
===================================================================
";
        let part = |is_second, bytes: &[u8]| Part {
            is_second,
            bytes: bytes.to_vec(),
        };
        assert_eq!(
            parse(dump),
            Ok(vec![
                part(false, &[0x89, 0x80, 0, 0, 0, 0]),
                part(true, &[0x8a, 0]),
                part(false, &[0x8a, 0x80, 0, 0, 0, 0]),
                part(true, &[0x89, 0]),
            ])
        );
    }

    #[test]
    fn what_is_no_hexadecimal_is_refused_with_its_place() {
        for (text, error) in [
            ("81 0g", "'g' is not hexadecimal, at character 5"),
            ("hello", "'h' is not hexadecimal, at character 1"),
            ("81\n8 4", "half a byte at line 2, character 1"),
            ("81 0", "half a byte at character 4"),
            (r"\x8", r"\x without two digits at character 1"),
            (r"\x81\q", "an unknown escape at character 5"),
            (
                "00000000: 8184\n00000004: 8184\n",
                "the offset is not 2 in line 2",
            ),
            ("00000000: 81zz\n", "no hexadecimal in line 1"),
            ("00000000  81 84\n*\n00000020\n", "lines were left out"),
            ("\t0x0000:  4500 003c\n", "tcpdump -x prints packets"),
        ] {
            let result = parse(text);
            assert!(
                matches!(&result, Err(message) if message.contains(error)),
                "{result:?}"
            );
        }
    }
}
