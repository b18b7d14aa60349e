//! The extension field: any value, and what is agreed on from it.
#![no_main]

use ws_proto::deflate::{Config, Params};
use ws_proto::handshake::Request;

libfuzzer_sys::fuzz_target!(|input: (&str, [u8; 2], [bool; 2])| {
    let (value, [server_bits, client_bits], [server, client]) = input;
    let config = Config::default()
        .server_no_context_takeover(server)
        .client_no_context_takeover(client)
        .server_max_window_bits(server_bits)
        .client_max_window_bits(client_bits);
    let fields: [(&str, &[u8]); 6] = [
        ("Host", b"example.com"),
        ("Upgrade", b"websocket"),
        ("Connection", b"Upgrade"),
        ("Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", b"13"),
        ("Sec-WebSocket-Extensions", value.as_bytes()),
    ];
    let Ok(request) = Request::from_fields("GET", "/", (1, 1), &fields) else { return };
    for extension in request.extensions() {
        for param in extension.params() {
            _ = param.value.map(|value| value.to_string());
        }
    }
    // What a server agrees on can be read from its answer.
    if let Some(params) = config.accept(request.extensions()) {
        assert_eq!(params.to_string().parse(), Ok(params));
        assert!((8..=15).contains(&params.server_max_window_bits()) && (8..=15).contains(&params.client_max_window_bits()));
        assert!(params.server_no_context_takeover() || !server);
    }
    // And it is what it says.
    if let Ok(params) = value.parse::<Params>() {
        assert_eq!(params.to_string().parse(), Ok(params));
    }
});
