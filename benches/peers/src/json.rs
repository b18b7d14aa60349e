//! What is compressed: JSON, and the parties that exchange it.

use ws_proto::Negotiated;
use ws_proto::deflate::{DeflateConfig, Params};

/// Messages of a conversation: all of a size, no two alike, and more than twice what fits into a
/// window, so that to say them again is no repetition.
pub fn messages(size: usize) -> Vec<String> {
    (0..(128 * 1024 / size).max(64))
        .map(|n| json(size, n))
        .collect()
}

fn json(size: usize, seed: usize) -> String {
    let mut text = String::from("[");
    let mut n = seed;
    while text.len() < size - 1 {
        n = (n * 1_103_515_245 + 12345) % (1 << 31);
        let (name, city) = (
            ["Ada", "Grace", "Edsger", "Barbara"][n >> 8 & 3],
            ["Zürich", "Lagos", "Lima", "Osaka"][n >> 12 & 3],
        );
        text += &format!(
            r#"{{"id":{n},"name":"{name}","city":"{city}","price":{}.{},"ok":{}}},"#,
            n >> 16,
            n & 63,
            n & 64 == 0
        );
    }
    while !text.is_char_boundary(size - 1) {
        text.push(' ');
        text.remove(1);
    }
    text.truncate(size - 1);
    text + "]"
}

pub fn negotiated<R: ws_proto::Role>(role: R, takeover: bool) -> Negotiated<R> {
    let config = DeflateConfig::default()
        .with_server_no_context_takeover(!takeover)
        .with_client_no_context_takeover(!takeover);
    let params: Params = if takeover {
        "permessage-deflate"
    } else {
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    }
    .parse()
    .unwrap();
    Negotiated::new(role).with_deflate(&config, params)
}
