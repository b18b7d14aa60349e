//! The extension field: any value, and the result of its negotiation, by both sides.
#![no_main]

mod support;

use support::work::{Bounds, bounded};
use ws_proto::deflate::{DeflateConfig, Params};
use ws_proto::extension;
use ws_proto::handshake::Request;

const BOUNDS: Bounds = Bounds {
    loads: (2000, 200),
    memory: (256, 4),
};

/// The settings of an endpoint.
#[derive(Debug, arbitrary::Arbitrary)]
struct Wanted {
    max_window_bits: [u8; 2],
    no_context_takeover: [bool; 2],
}

impl Wanted {
    fn config(&self) -> DeflateConfig {
        DeflateConfig::default()
            .with_server_no_context_takeover(self.no_context_takeover[0])
            .with_client_no_context_takeover(self.no_context_takeover[1])
            .with_server_max_window_bits(self.max_window_bits[0])
            .with_client_max_window_bits(self.max_window_bits[1])
    }
}

/// Hands a request with this offer on.
fn with_request<T>(offer: &str, then: impl FnOnce(&Request<'_>) -> T) -> Option<T> {
    let fields: [(&str, &[u8]); 6] = [
        ("Host", b"example.com"),
        ("Upgrade", b"websocket"),
        ("Connection", b"Upgrade"),
        ("Sec-WebSocket-Key", b"dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Version", b"13"),
        ("Sec-WebSocket-Extensions", offer.as_bytes()),
    ];
    Request::from_headers("GET", "/", (1, 1), &fields)
        .ok()
        .map(|request| then(&request))
}

libfuzzer_sys::fuzz_target!(|input: (&str, Wanted, Wanted)| {
    let (value, server, client) = input;
    let (server_config, client_config) = (server.config(), client.config());
    let accepted = bounded(&BOUNDS, value.len(), || {
        with_request(value, |request| {
            for extension in request.extensions() {
                // Its text can be read again, with the same meaning.
                let text = extension.to_string();
                assert!(
                    extension::parse(text.as_bytes()).eq([Ok(extension)]),
                    "{text}"
                );
            }
            server_config.accept(request.extensions())
        })
    });

    // A server's answer contains the parameters that it negotiated.
    if let Some(Some(params)) = accepted {
        assert_eq!(params.to_string().parse(), Ok(params));
        assert!(
            (8..=15).contains(&params.server_max_window_bits())
                && (8..=15).contains(&params.client_max_window_bits())
        );
        assert!(params.server_no_context_takeover() || !server.no_context_takeover[0]);
    }
    // And it has the stated meaning.
    if let Ok(params) = value.parse::<Params>() {
        assert_eq!(params.to_string().parse(), Ok(params));
    }
    // Whatever the settings of two endpoints are, they find common parameters, and no more
    // than either of them accepts.
    let negotiated = with_request(&client_config.offer(), |request| {
        server_config.accept(request.extensions())
    });
    let negotiated = negotiated.flatten().expect("an offer of our own is valid");
    with_request(&negotiated.to_string(), |response| {
        let params = client_config
            .verify(response.extensions())
            .expect("an answer of our own fits")
            .expect("one extension");
        assert_eq!(
            (
                params.server_max_window_bits(),
                params.server_no_context_takeover()
            ),
            (
                negotiated.server_max_window_bits(),
                negotiated.server_no_context_takeover()
            )
        );
        assert!(params.client_max_window_bits() <= negotiated.client_max_window_bits());
        assert!(params.client_no_context_takeover() || !negotiated.client_no_context_takeover());
    });
});
