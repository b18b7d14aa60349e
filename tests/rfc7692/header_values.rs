//! permessage-deflate: its negotiation by only the values of headers (RFC 7692 §5, §7.1), if
//! another library does the HTTP. N1, DF15 and DF16 of `docs/rules.md`. It must need no other
//! feature than `deflate`.

use crate::common::SEED;
use crate::common::deflate::{both_ways, params};
use std::collections::HashSet;
use ws_proto::deflate::{DeflateConfig, NegotiationError, Params};
use ws_proto::extension::{self, Extension};
use ws_proto::{Client, Config, Message, Negotiated, Server, WebSocket};

fn elements(value: &str) -> Vec<Extension<'_>> {
    extension::parse(value.as_bytes())
        .collect::<Result<_, _>>()
        .expect(value)
}

#[test]
fn df16_both_sides_negotiate_and_talk_without_a_handshake() {
    let of_client = DeflateConfig::new().with_server_max_window_bits(10);
    let of_server = DeflateConfig::new().with_client_no_context_takeover(true);

    let offer = of_client.offer();
    let accepted = of_server.accept(elements(&offer)).unwrap();
    let response = accepted.to_string();
    let verified = of_client.verify(elements(&response)).unwrap().unwrap();
    assert_eq!(verified, accepted);
    assert_eq!(verified.server_max_window_bits(), 10);
    assert!(verified.client_no_context_takeover());

    let mut client = WebSocket::new(
        Negotiated::new(Client::new(SEED)).with_deflate(&of_client, verified),
        &Config::default(),
    );
    let mut server = WebSocket::new(
        Negotiated::new(Server).with_deflate(&of_server, accepted),
        &Config::default(),
    );
    let (text, mut bytes) = ("compressed ".repeat(100), Vec::new());
    client.send_text(&text, &mut bytes).unwrap();
    assert!(bytes.len() < 100);
    assert_eq!(
        server.recv(&mut &mut bytes[..], &mut Vec::new()),
        Some(Message::Text(text.into()))
    );
}

#[test]
fn df16_a_server_may_decline_and_a_client_goes_without() {
    let config = DeflateConfig::new();
    for offers in ["", "other", "permessage-deflate; unknown, other"] {
        assert_eq!(config.accept(elements(offers)), None, "{offers}");
    }
    assert_eq!(config.verify([]), Ok(None));
}

/// As a handshake fails for them, in the same order.
#[test]
fn df16_n1_what_was_not_offered_is_an_error() {
    use NegotiationError as E;
    let config = DeflateConfig::new().with_client_max_window_bits(10);
    for (accepted, error) in [
        ("other", E::ExtensionNotOffered),
        ("Permessage-Deflate", E::ExtensionNotOffered),
        ("permessage-deflate, other", E::ExtensionNotOffered),
        (
            "permessage-deflate, permessage-deflate",
            E::ExtensionNotOffered,
        ),
        ("permessage-deflate; unknown, other", E::InvalidParameter),
        (
            "permessage-deflate; client_max_window_bits",
            E::InvalidParameter,
        ),
        (
            "permessage-deflate; client_max_window_bits=11",
            E::InvalidParameter,
        ),
        (
            "permessage-deflate; server_max_window_bits=7",
            E::InvalidParameter,
        ),
    ] {
        assert_eq!(config.verify(elements(accepted)), Err(error), "{accepted}");
    }
    for malformed in ["permessage-deflate;", ";", "permessage-deflate; a=\""] {
        assert_eq!(
            malformed.parse::<Params>(),
            Err(E::InvalidExtensions),
            "{malformed}"
        );
    }
}

#[test]
fn df16_errors_of_a_negotiation_are_told_in_words_and_become_errors_of_io() {
    let mut texts = HashSet::new();
    for error in [
        NegotiationError::InvalidExtensions,
        NegotiationError::ExtensionNotOffered,
        NegotiationError::InvalidParameter,
    ] {
        assert!(texts.insert(error.to_string()));
        let io = std::io::Error::from(error);
        assert_eq!(io.kind(), std::io::ErrorKind::InvalidData);
        assert_eq!(
            io.get_ref().and_then(|inner| inner.downcast_ref()),
            Some(&error)
        );
    }
    let malformed = extension::parse(b";").next().unwrap().unwrap_err();
    assert_eq!(
        NegotiationError::from(malformed),
        NegotiationError::InvalidExtensions
    );
}

/// A value out of its range is the nearest one in it.
#[test]
fn df6_df7_settings_are_what_was_set() {
    let config = DeflateConfig::new();
    assert_eq!(
        (config.level(), config.mem_level(), config.threshold()),
        (6, 8, 64)
    );
    assert_eq!(
        (
            config.server_max_window_bits(),
            config.client_max_window_bits()
        ),
        (15, 15)
    );
    assert!(!config.server_no_context_takeover() && !config.client_no_context_takeover());
    for (given, bits) in [
        (0, 8),
        (7, 8),
        (8, 8),
        (9, 9),
        (14, 14),
        (15, 15),
        (255, 15),
    ] {
        assert_eq!(
            config
                .clone()
                .with_server_max_window_bits(given)
                .server_max_window_bits(),
            bits
        );
        assert_eq!(
            config
                .clone()
                .with_client_max_window_bits(given)
                .client_max_window_bits(),
            bits
        );
    }
    for (given, level, mem_level) in [(0, 0, 1), (1, 1, 1), (9, 9, 9), (10, 9, 9)] {
        let config = config.clone().with_level(given).with_mem_level(given);
        assert_eq!((config.level(), config.mem_level()), (level, mem_level));
    }
    assert!(
        config
            .clone()
            .with_server_no_context_takeover(true)
            .server_no_context_takeover()
    );
    assert!(
        config
            .clone()
            .with_client_no_context_takeover(true)
            .client_no_context_takeover()
    );
    assert_eq!(config.clone().with_threshold(7).threshold(), 7);
}

#[test]
fn settings_and_results_are_compared_by_what_they_say() {
    let config = DeflateConfig::new();
    assert_eq!(config, DeflateConfig::default());
    for other in [
        config.clone().with_level(1),
        config.clone().with_mem_level(1),
        config.clone().with_threshold(1),
        config.clone().with_server_max_window_bits(9),
        config.clone().with_client_no_context_takeover(true),
    ] {
        assert_ne!(config, other);
        assert_eq!(other, other.clone());
    }
    let negotiated = Negotiated::new(Server)
        .with_subprotocol("chat")
        .with_deflate(&config, both_ways(true, 9));
    assert_eq!(negotiated, negotiated.clone());
    assert_eq!(negotiated.deflate(), Some(both_ways(true, 9)));
    assert_ne!(negotiated, Negotiated::new(Server).with_subprotocol("chat"));
    assert_ne!(
        negotiated,
        negotiated.clone().with_deflate(&config, params(""))
    );
    assert_ne!(negotiated, negotiated.clone().with_subprotocol("Chat"));
}
