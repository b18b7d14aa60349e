//! Heads that are nearly valid: text, in which bytes that are not ASCII stand for complete lines
//! and for their usual defects.

use ws_proto::handshake::accept_key;

/// Stands for the proof that the server has read the request's key, which a fuzzer could not find.
const ACCEPT: u8 = 0x80;

/// The meaning of the bytes after [`ACCEPT`].
const WORDS: [&[u8]; 71] = [
    // Lines of a valid request, and of a valid response.
    b"GET /chat?a=b HTTP/1.1\r\n",
    b"Host: example.com\r\n",
    b"Upgrade: websocket\r\n",
    b"Connection: Upgrade\r\n",
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
    b"Sec-WebSocket-Version: 13\r\n",
    b"\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\n",
    b"Sec-WebSocket-Accept: ",
    b"Sec-WebSocket-Protocol: chat\r\n",
    b"Sec-WebSocket-Protocol: superchat, chat\r\n",
    b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n",
    b"Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10; client_max_window_bits=9\r\n",
    b"Origin: https://example.com\r\n",
    // Names, and parts of values.
    b"Host: ",
    b"Upgrade: ",
    b"Connection: ",
    b"Sec-WebSocket-Key: ",
    b"Sec-WebSocket-Version: ",
    b"Sec-WebSocket-Protocol: ",
    b"Sec-WebSocket-Extensions: ",
    b"Origin: ",
    b"Content-Length: ",
    b"Transfer-Encoding: chunked\r\n",
    b"websocket",
    b"Upgrade",
    b"keep-alive, ",
    b"permessage-deflate",
    b"; client_max_window_bits",
    b"; server_max_window_bits",
    b"; client_no_context_takeover",
    b"; server_no_context_takeover",
    b"=\"10\"",
    b"=10",
    b"; a=\"b\\\"c\"",
    b"; a=\"unclosed",
    b"; __proto__=constructor",
    b"null",
    b"https://",
    b"example.com",
    b".evil.example",
    b"[::1]",
    b":443",
    // First lines of other kinds.
    b"GET http://example.com/ HTTP/1.1\r\n",
    b"GET * HTTP/1.1\r\n",
    b"POST / HTTP/1.1\r\n",
    b"GET / HTTP/1.0\r\n",
    b"GET / HTTP/1.2\r\n",
    b"HTTP/1.1 103 Early Hints\r\n\r\n",
    b"HTTP/1.1 100 \r\n",
    b"HTTP/1.1 302 Found\r\nLocation: /\r\n",
    b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\nContent-Length: 3\r\n\r\nabc",
    b"HTTP/1.0 200 OK\r\n",
    b"HTTP/1.1 999 \r\n",
    // Defects of a line.
    b"\n",
    b"\r",
    b"\0",
    b"\xff",
    b"\xc3\xa9",
    b" ",
    b"\t",
    b"\r\n ",
    b" :",
    b": ",
    b",",
    // Lines that reach the limits.
    &[b'a'; 1000],
    &[b';'; 1000],
    &[b','; 1000],
    b"a:\r\nb:\r\nc:\r\nd:\r\ne:\r\nf:\r\ng:\r\nh:\r\ni:\r\nj:\r\n",
    // Lines that are accepted though they are unusual.
    b"GET ws://example.com/ HTTP/1.1\r\n",
    b"HTTP/1.1 101\r\n",
];

/// The text that these bytes spell. `key` is that of the request; a server ignores it.
pub(crate) fn spelled(bytes: &[u8], key: &[u8]) -> Vec<u8> {
    let accept = accept_key(key);
    let mut text = Vec::new();
    for byte in bytes {
        match byte {
            0..ACCEPT => text.push(*byte),
            &ACCEPT => text.extend_from_slice(&accept),
            _ => text.extend_from_slice(WORDS[usize::from(byte - ACCEPT - 1) % WORDS.len()]),
        }
    }
    text
}
