//! Any text is a URI or an error, and the parts of a URI are valid in a request.
#![no_main]

mod support;

use support::work::{Bounds, bounded};
use ws_proto::uri::Uri;

const BOUNDS: Bounds = Bounds {
    loads: (500, 60),
    memory: (256, 8),
};

/// A reference resolves to a URI, of which no segment is dots, and which resolves to itself.
fn join(base: &Uri<'_>, reference: &str) {
    let joined = bounded(&BOUNDS, base.to_string().len() + reference.len(), || {
        base.join(reference)
    });
    let Ok(joined) = joined else { return };
    let uri = Uri::parse(&joined).expect("a URI");
    assert_eq!(uri.to_string(), joined);
    let (path, _) = reference.split_once(['?', '#']).unwrap_or((reference, ""));
    if !path.is_empty() {
        assert!(
            !uri.path()
                .split('/')
                .any(|segment| [".", ".."].contains(&segment))
        );
        assert_eq!(base.join(&joined).as_ref(), Ok(&joined));
    }
    assert_eq!(base.join(reference.as_bytes()).as_ref(), Ok(&joined));
}

libfuzzer_sys::fuzz_target!(|text: &str| {
    let (text, reference) = text.split_once(' ').unwrap_or((text, ""));
    let base = Uri::parse("wss://example.com:1/a/b?c").expect("a URI");
    join(&base, text);
    if let Ok(uri) = Uri::parse(text) {
        join(&uri, reference);
    }
    let parsed = bounded(&BOUNDS, text.len(), || {
        Uri::parse(text).map(|uri| {
            (
                uri,
                uri.host_value().to_string(),
                uri.resource_name().to_string(),
            )
        })
    });
    let Ok((uri, host, resource)) = parsed else {
        return;
    };
    assert!(
        resource.starts_with('/') && !host.is_empty() && uri.port() != 0 || text.contains(":0")
    );
    for value in [&host, &resource] {
        assert!(
            value
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'#'),
            "{value:?}"
        );
    }
    assert!(!host.contains(['/', '@', '?']) && !host.bytes().any(|byte| byte.is_ascii_uppercase()));

    // The text of a URI is read as the same URI.
    assert_eq!(Uri::parse(&uri.to_string()), Ok(uri));
    let scheme = if uri.is_secure() { "wss" } else { "ws" };
    let again = format!("{scheme}://{host}{resource}");
    let again = Uri::parse(&again).expect("what was taken apart fits together");
    assert_eq!(
        (
            again.host_value().to_string(),
            again.resource_name().to_string(),
            again.port()
        ),
        (host, resource, uri.port())
    );
});
