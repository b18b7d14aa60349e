//! WebSocket URIs (RFC 6455 §3): CH2, CH3, CH14, CH15.

use ws_proto::uri::{Uri, UriError};

#[test]
fn ch2_ch3_ch14_the_parts_of_a_uri() {
    for (uri, secure, host, port, resource, value) in [
        (
            "ws://example.com",
            false,
            "example.com",
            80,
            "/",
            "example.com",
        ),
        (
            "ws://example.com/",
            false,
            "example.com",
            80,
            "/",
            "example.com",
        ),
        (
            "wss://example.com/chat",
            true,
            "example.com",
            443,
            "/chat",
            "example.com",
        ),
        (
            "WsS://example.com:443/a/b/",
            true,
            "example.com",
            443,
            "/a/b/",
            "example.com",
        ),
        (
            "ws://example.com:443",
            false,
            "example.com",
            443,
            "/",
            "example.com:443",
        ),
        (
            "wss://example.com:80",
            true,
            "example.com",
            80,
            "/",
            "example.com:80",
        ),
        (
            "ws://example.com:080/",
            false,
            "example.com",
            80,
            "/",
            "example.com",
        ),
        (
            "ws://example.com:/",
            false,
            "example.com",
            80,
            "/",
            "example.com",
        ),
        ("ws://h:65535", false, "h", 65535, "/", "h:65535"),
        ("ws://h?q=1", false, "h", 80, "/?q=1", "h"),
        ("ws://h/?", false, "h", 80, "/", "h"),
        ("ws://h/p?a=b?c/d:@e", false, "h", 80, "/p?a=b?c/d:@e", "h"),
        (
            "ws://h/%23%c3%A4;v=1",
            false,
            "h",
            80,
            "/%23%c3%A4;v=1",
            "h",
        ),
        ("ws://h//x://y", false, "h", 80, "//x://y", "h"),
        (
            "ws://127.0.0.1:9001/",
            false,
            "127.0.0.1",
            9001,
            "/",
            "127.0.0.1:9001",
        ),
        ("ws://[::1]", false, "::1", 80, "/", "[::1]"),
        (
            "wss://[2001:DB8::1]:8443/x",
            true,
            "2001:DB8::1",
            8443,
            "/x",
            "[2001:db8::1]:8443",
        ),
        (
            "ws://[::ffff:127.0.0.1]/",
            false,
            "::ffff:127.0.0.1",
            80,
            "/",
            "[::ffff:127.0.0.1]",
        ),
    ] {
        let parsed = Uri::parse(uri).expect(uri);
        assert_eq!(
            (parsed.is_secure(), parsed.host(), parsed.port()),
            (secure, host, port),
            "{uri}"
        );
        assert_eq!(
            (
                parsed.resource_name().to_string(),
                parsed.host_value().to_string()
            ),
            (resource.into(), value.into()),
            "{uri}"
        );
        assert_eq!(
            parsed
                .query()
                .map_or(parsed.path().to_owned(), |query| format!(
                    "{}?{query}",
                    parsed.path()
                )),
            resource
        );
    }
}

#[test]
fn ch15_the_host_is_lower_case_in_host() {
    let uri = Uri::parse("ws://XN--BCHER-KVA.Example:81").unwrap();
    assert_eq!(uri.host_value().to_string(), "xn--bcher-kva.example:81");
    assert_eq!(
        Uri::parse("ws://b\u{fc}cher.example"),
        Err(UriError::HostNotAscii)
    );
}

#[test]
fn ch14_what_is_not_a_websocket_uri_is_refused() {
    for (uri, error) in [
        ("", UriError::Scheme),
        ("ws", UriError::Scheme),
        ("ws:/h", UriError::Scheme),
        ("ws:h", UriError::Scheme),
        ("//h", UriError::Scheme),
        ("http://h", UriError::Scheme),
        ("https://h", UriError::Scheme),
        (" ws://h", UriError::Scheme),
        ("wsx://h", UriError::Scheme),
        ("ws://", UriError::Host),
        ("ws:///p", UriError::Host),
        ("ws://?q", UriError::Host),
        ("ws://:80", UriError::Host),
        ("ws://a b", UriError::Host),
        ("ws://a\\b", UriError::Host),
        ("ws://a%2", UriError::Host),
        ("ws://a%zz", UriError::Host),
        ("ws://a%4g", UriError::Host),
        ("ws://a%4", UriError::Host),
        ("ws://::1", UriError::Host),
        ("ws://[::1", UriError::Host),
        ("ws://[]", UriError::Host),
        ("ws://[127.0.0.1]", UriError::Host),
        ("ws://[::1%25eth0]", UriError::Host),
        ("ws://[v1.x]", UriError::Host),
        ("ws://[::1]80", UriError::Host),
        ("ws://[::\u{e4}]", UriError::Host),
        ("ws://h:x", UriError::Port),
        ("ws://h:+80", UriError::Port),
        ("ws://h:-1", UriError::Port),
        ("ws://h:65536", UriError::Port),
        ("ws://h:80:80", UriError::Port),
        ("ws://[::1]:99999999999999999999", UriError::Port),
        ("ws://user@h", UriError::UserInfo),
        ("ws://user:secret@h/", UriError::UserInfo),
        ("ws://@h", UriError::UserInfo),
        ("ws://h/#", UriError::Fragment),
        ("ws://h#f", UriError::Fragment),
        ("ws://h/p?q#f", UriError::Fragment),
        ("ws://h/a b", UriError::ResourceName),
        ("ws://h/\u{e4}", UriError::ResourceName),
        ("ws://h/%", UriError::ResourceName),
        ("ws://h/%4", UriError::ResourceName),
        ("ws://h/%g0", UriError::ResourceName),
        ("ws://h/%4g", UriError::ResourceName),
        ("ws://h/%4/", UriError::ResourceName),
        ("ws://h/?%g0", UriError::ResourceName),
        ("ws://h/?%0g", UriError::ResourceName),
        ("ws://h/?%0%00", UriError::ResourceName),
        ("ws://h/[x]", UriError::ResourceName),
        ("ws://h/?\"", UriError::ResourceName),
        ("ws://h/\\", UriError::ResourceName),
    ] {
        assert_eq!(Uri::parse(uri), Err(error), "{uri}");
    }
    // An error says nothing of the URI, which may hold a secret.
    assert!(!UriError::UserInfo.to_string().contains("secret"));
}

/// SE11: a query may hold a secret, such as a token.
#[test]
fn se11_a_uri_is_printed_without_its_query() {
    let uri = format!("{:?}", Uri::parse("wss://h:1/path?key=MARK").unwrap());
    assert!(
        uri.contains("path") && !uri.contains("MARK") && !uri.contains("key"),
        "{uri}"
    );
}

/// What is said of a URI can be parsed again, and says the same.
#[test]
fn every_ascii_character_is_taken_or_refused_for_good() {
    for byte in 0..=0x7f_u8 {
        let c = char::from(byte);
        for text in [
            format!("ws://h{c}x/"),
            format!("ws://h/{c}x"),
            format!("ws://h/?{c}x"),
        ] {
            let Ok(uri) = Uri::parse(&text) else { continue };
            assert!(c.is_ascii_graphic() && c != '#', "{text:?}");
            let again = format!("ws://{}{}", uri.host_value(), uri.resource_name());
            let again = Uri::parse(&again).expect(&text);
            assert_eq!(
                (again.path(), again.query(), again.port()),
                (uri.path(), uri.query(), uri.port())
            );
        }
    }
}
