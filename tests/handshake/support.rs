//! Heads to begin with, and to change line by line. `tests/rfc7692` and `tests/work` include it
//! too.
#![allow(dead_code, reason = "each of them uses a part of it")]

use ws_proto::handshake::{ClientHandshake, accept_key};
use ws_proto::{Client, uri::Uri};

/// The head of a message: its first line and its fields.
#[derive(Debug, Clone)]
pub(crate) struct Head(Vec<String>);

impl Head {
    /// The example of RFC 6455 §1.2, without its options.
    pub(crate) fn request() -> Self {
        Self::of(&[
            "GET /chat HTTP/1.1",
            "Host: server.example.com",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Version: 13",
        ])
    }

    /// The answer that [`client`] is waiting for.
    pub(crate) fn response() -> Self {
        let accept = accept_key(values(&written(&client()), "Sec-WebSocket-Key")[0].as_bytes());
        let accept = format!(
            "Sec-WebSocket-Accept: {}",
            std::str::from_utf8(&accept).unwrap()
        );
        Self::of(&[
            "HTTP/1.1 101 Switching Protocols",
            "Upgrade: websocket",
            "Connection: Upgrade",
            &accept,
        ])
    }

    pub(crate) fn of(lines: &[&str]) -> Self {
        Self(lines.iter().map(|line| line.to_string()).collect())
    }

    pub(crate) fn first(mut self, line: &str) -> Self {
        self.0.splice(..1, [line.to_owned()]);
        self
    }

    pub(crate) fn with(mut self, line: &str) -> Self {
        self.0.push(line.to_owned());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        let before = self.0.len();
        self.0.retain(|line| !line.starts_with(&format!("{name}:")));
        assert_ne!(self.0.len(), before, "there is no {name} to leave out");
        self
    }

    /// With another value for the field.
    pub(crate) fn but(self, name: &str, value: &str) -> Self {
        self.without(name).with(&format!("{name}: {value}"))
    }

    pub(crate) fn text(&self) -> String {
        self.0.join("\r\n") + "\r\n\r\n"
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.text().into_bytes()
    }
}

pub(crate) fn uri() -> Uri<'static> {
    Uri::parse("ws://server.example.com/chat").unwrap()
}

/// A client whose key is always the same.
pub(crate) fn client() -> ClientHandshake {
    ClientHandshake::new(&uri(), Client::new([7; 32]))
}

/// The request that a client writes.
pub(crate) fn written(client: &ClientHandshake) -> String {
    let mut out = Vec::new();
    client.write_request(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// The values of all fields with this name, compared exactly.
pub(crate) fn values<'h>(head: &'h str, name: &str) -> Vec<&'h str> {
    head.split("\r\n")
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        .collect()
}
