//! Prints findings: as text for people, or as JSON for tools.

mod json;
mod text;

pub use json::Json;
pub use text::{Style, Text};

/// Bytes in hexadecimal.
fn hex(bytes: &[u8], separator: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * (2 + separator.len()));
    for (index, &byte) in bytes.iter().enumerate() {
        if index > 0 {
            text += separator;
        }
        text.push(DIGITS[usize::from(byte >> 4)].into());
        text.push(DIGITS[usize::from(byte & 0x0f)].into());
    }
    text
}

/// Whether bytes are text, of which the last character may be truncated.
fn is_utf8(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true)
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
