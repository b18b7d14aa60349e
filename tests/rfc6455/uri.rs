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
        ("", UriError::InvalidScheme),
        ("ws", UriError::InvalidScheme),
        ("ws:/h", UriError::InvalidScheme),
        ("ws:h", UriError::InvalidScheme),
        ("//h", UriError::InvalidScheme),
        ("http://h", UriError::InvalidScheme),
        ("https://h", UriError::InvalidScheme),
        (" ws://h", UriError::InvalidScheme),
        ("wsx://h", UriError::InvalidScheme),
        ("ws://", UriError::InvalidHost),
        ("ws:///p", UriError::InvalidHost),
        ("ws://?q", UriError::InvalidHost),
        ("ws://:80", UriError::InvalidHost),
        ("ws://a b", UriError::InvalidHost),
        ("ws://a\\b", UriError::InvalidHost),
        ("ws://a%2", UriError::InvalidHost),
        ("ws://a%zz", UriError::InvalidHost),
        ("ws://a%4g", UriError::InvalidHost),
        ("ws://a%4", UriError::InvalidHost),
        ("ws://::1", UriError::InvalidHost),
        ("ws://[::1", UriError::InvalidHost),
        ("ws://[]", UriError::InvalidHost),
        ("ws://[127.0.0.1]", UriError::InvalidHost),
        ("ws://[::1%25eth0]", UriError::InvalidHost),
        ("ws://[v1.x]", UriError::InvalidHost),
        ("ws://[::1]80", UriError::InvalidHost),
        ("ws://[::\u{e4}]", UriError::InvalidHost),
        ("ws://h:x", UriError::InvalidPort),
        ("ws://h:+80", UriError::InvalidPort),
        ("ws://h:-1", UriError::InvalidPort),
        ("ws://h:65536", UriError::InvalidPort),
        ("ws://h:80:80", UriError::InvalidPort),
        ("ws://[::1]:99999999999999999999", UriError::InvalidPort),
        ("ws://user@h", UriError::UnexpectedUserInfo),
        ("ws://user:secret@h/", UriError::UnexpectedUserInfo),
        ("ws://@h", UriError::UnexpectedUserInfo),
        ("ws://h/#", UriError::UnexpectedFragment),
        ("ws://h#f", UriError::UnexpectedFragment),
        ("ws://h/p?q#f", UriError::UnexpectedFragment),
        ("ws://h/a b", UriError::InvalidResourceName),
        ("ws://h/\u{e4}", UriError::InvalidResourceName),
        ("ws://h/%", UriError::InvalidResourceName),
        ("ws://h/%4", UriError::InvalidResourceName),
        ("ws://h/%g0", UriError::InvalidResourceName),
        ("ws://h/%4g", UriError::InvalidResourceName),
        ("ws://h/%4/", UriError::InvalidResourceName),
        ("ws://h/?%g0", UriError::InvalidResourceName),
        ("ws://h/?%0g", UriError::InvalidResourceName),
        ("ws://h/?%0%00", UriError::InvalidResourceName),
        ("ws://h/[x]", UriError::InvalidResourceName),
        ("ws://h/?\"", UriError::InvalidResourceName),
        ("ws://h/\\", UriError::InvalidResourceName),
    ] {
        assert_eq!(Uri::parse(uri), Err(error), "{uri}");
    }
    // An error contains nothing of the URI, which may hold a secret.
    assert!(!UriError::UnexpectedUserInfo.to_string().contains("secret"));
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

/// Unlike `Debug`, since it is the URI that was asked for.
#[test]
fn ch2_ch3_a_uri_is_written_as_it_was_parsed() {
    for (uri, written) in [
        ("ws://h", "ws://h"),
        ("WSS://Example.com:443/", "wss://Example.com:443/"),
        ("ws://h:080?", "ws://h:80"),
        ("ws://h:/?", "ws://h/"),
        ("ws://h?q", "ws://h?q"),
        (
            "wss://[2001:DB8::1]:8443/a%20b?c?d",
            "wss://[2001:DB8::1]:8443/a%20b?c?d",
        ),
    ] {
        let parsed = Uri::try_from(uri).unwrap();
        assert_eq!(parsed.to_string(), written);
        assert_eq!(Uri::parse(written), Ok(parsed));
    }
    assert_eq!(Uri::try_from("http://h"), Err(UriError::InvalidScheme));
}

/// The text of a URI can be parsed again, with the same result.
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
            assert_eq!(Uri::parse(&uri.to_string()), Ok(uri), "{text:?}");
            let again = format!("ws://{}{}", uri.host_value(), uri.resource_name());
            let again = Uri::parse(&again).expect(&text);
            assert_eq!(
                (again.path(), again.query(), again.port()),
                (uri.path(), uri.query(), uri.port())
            );
        }
    }
}

/// CH19: the examples of RFC 3986 §5.4, for a URI of WebSocket; without those that have a fragment
/// or another scheme.
#[cfg(feature = "alloc")]
#[test]
fn ch19_a_location_is_resolved_as_rfc_3986_says() {
    let base = Uri::parse("ws://a/b/c/d;p?q").unwrap();
    for (reference, expected) in [
        ("g", "ws://a/b/c/g"),
        ("./g", "ws://a/b/c/g"),
        ("g/", "ws://a/b/c/g/"),
        ("/g", "ws://a/g"),
        ("//g", "ws://g"),
        ("?y", "ws://a/b/c/d;p?y"),
        ("g?y", "ws://a/b/c/g?y"),
        (";x", "ws://a/b/c/;x"),
        ("g;x", "ws://a/b/c/g;x"),
        ("", "ws://a/b/c/d;p?q"),
        (".", "ws://a/b/c/"),
        ("./", "ws://a/b/c/"),
        ("..", "ws://a/b/"),
        ("../", "ws://a/b/"),
        ("../g", "ws://a/b/g"),
        ("../..", "ws://a/"),
        ("../../", "ws://a/"),
        ("../../g", "ws://a/g"),
        // §5.4.2
        ("../../../g", "ws://a/g"),
        ("../../../../g", "ws://a/g"),
        ("/./g", "ws://a/g"),
        ("/../g", "ws://a/g"),
        ("g.", "ws://a/b/c/g."),
        (".g", "ws://a/b/c/.g"),
        ("g..", "ws://a/b/c/g.."),
        ("..g", "ws://a/b/c/..g"),
        ("./../g", "ws://a/b/g"),
        ("./g/.", "ws://a/b/c/g/"),
        ("g/./h", "ws://a/b/c/g/h"),
        ("g/../h", "ws://a/b/c/h"),
        ("g;x=1/./y", "ws://a/b/c/g;x=1/y"),
        ("g;x=1/../y", "ws://a/b/c/y"),
        ("g?y/./x", "ws://a/b/c/g?y/./x"),
        ("g?y/../x", "ws://a/b/c/g?y/../x"),
        // A fragment has no meaning.
        ("#s", "ws://a/b/c/d;p?q"),
        ("g#s/../x", "ws://a/b/c/g"),
        ("g#s:?", "ws://a/b/c/g"),
        // Schemes.
        ("http://h", "ws://h"),
        ("HTTPS://h:81/x/../y?z", "wss://h:81/y?z"),
        ("wss://H", "wss://H"),
        ("ws://[::1]:8080/", "ws://[::1]:8080/"),
        ("//h?x", "ws://h?x"),
        ("?", "ws://a/b/c/d;p"),
        ("/a//b/", "ws://a/a//b/"),
        ("/a/b/..//c", "ws://a/a//c"),
        ("x/y:z", "ws://a/b/c/x/y:z"),
        ("./y:z", "ws://a/b/c/y:z"),
        ("1:2", "ws://a/b/c/1:2"),
    ] {
        assert_eq!(base.join(reference).as_deref(), Ok(expected), "{reference}");
        assert_eq!(base.join(reference.as_bytes()).as_deref(), Ok(expected));
    }
    let empty = Uri::parse("wss://a:1?q").unwrap();
    for (reference, expected) in [
        ("g", "wss://a:1/g"),
        ("?y", "wss://a:1?y"),
        ("", "wss://a:1?q"),
        ("..", "wss://a:1/"),
        ("/", "wss://a:1/"),
    ] {
        assert_eq!(
            empty.join(reference).as_deref(),
            Ok(expected),
            "{reference}"
        );
    }
    for (reference, error) in [
        ("ftp://a/", UriError::InvalidScheme),
        ("mailto:a", UriError::InvalidScheme),
        ("g:h", UriError::InvalidScheme),
        ("http:g", UriError::InvalidHost),
        ("ws:/g", UriError::InvalidHost),
        ("//", UriError::InvalidHost),
        ("///g", UriError::InvalidHost),
        ("http://", UriError::InvalidHost),
        ("//u@h/", UriError::UnexpectedUserInfo),
        ("//h:x/", UriError::InvalidPort),
        ("//m\u{fc}ller/", UriError::HostNotAscii),
        ("/a b", UriError::InvalidResourceName),
        ("/\r\n", UriError::InvalidResourceName),
        ("/\u{e4}", UriError::InvalidResourceName),
        ("/%2", UriError::InvalidResourceName),
        ("?a[b]", UriError::InvalidResourceName),
    ] {
        assert_eq!(base.join(reference), Err(error), "{reference}");
    }
    assert_eq!(base.join(b"/\xff"), Err(UriError::InvalidResourceName));
}
