//! Input that violates RFC 6455, and whether each peer refuses it.

use crate::frames::{FIN, Kind, PING, RSV1, Role, Writer};
use crate::jobs::Receive;
use crate::peers::Peer;
use crate::tally::Tally;
use std::fmt::Write as _;

const TEXT: u8 = Kind::Text as u8;
const BINARY: u8 = Kind::Binary as u8;

struct Check {
    violation: &'static str,
    /// Whether it has fragments.
    fragments: bool,
    /// The bytes that a client sends.
    send: fn(&mut Writer),
}

const CHECKS: &[Check] = &[
    Check {
        violation: "text that is not UTF-8",
        fragments: false,
        send: |client| client.frame(FIN | TEXT, b"\xff\xff\xff\xff"),
    },
    Check {
        violation: "fragments that are not UTF-8",
        fragments: true,
        send: |client| {
            client.frame(TEXT, b"\xc3");
            client.frame(FIN, b"\xc3");
        },
    },
    Check {
        violation: "RSV1 that was not negotiated",
        fragments: false,
        send: |client| client.frame(FIN | RSV1 | BINARY, b"bad"),
    },
    Check {
        violation: "reserved opcode",
        fragments: false,
        send: |client| client.frame(FIN | 3, b"bad"),
    },
    Check {
        violation: "Ping of 126 bytes",
        fragments: false,
        send: |client| client.frame(FIN | PING, &[b'x'; 126]),
    },
    Check {
        violation: "fragmented Ping",
        fragments: true,
        send: |client| {
            client.frame(PING, b"bad");
            client.frame(FIN, b"bad");
        },
    },
    Check {
        violation: "continuation of no message",
        fragments: true,
        send: |client| client.frame(FIN, b"bad"),
    },
    Check {
        violation: "message inside another",
        fragments: true,
        send: |client| {
            client.frame(BINARY, b"bad");
            client.frame(FIN | BINARY, b"bad");
        },
    },
    Check {
        violation: "length of 3 in two bytes",
        fragments: false,
        send: |client| client.bytes.extend(*b"\x82\xfe\x00\x03\0\0\0\0bad"),
    },
    Check {
        violation: "unmasked frame of a client",
        fragments: false,
        send: |client| client.bytes.extend(*b"\x82\x03bad"),
    },
];

/// Returns whether `peer` refuses the input, in reads of `read` bytes, or `None` if it has no such
/// job.
fn refuses(peer: &dyn Peer, check: &Check, read: usize) -> Option<bool> {
    let mut client = Writer::new(Role::Client);
    client.message(Kind::Binary, b"good");
    (check.send)(&mut client);
    client.message(Kind::Binary, b"good");
    let kind = Kind::Binary;
    let mut job = Receive::new(Role::Server, kind, client.bytes, read, Tally::default());
    job.longest = 1 << 10;
    job.fragments = check.fragments && read < usize::MAX;
    let mut work = peer.receive(Box::leak(Box::new(job)))?;
    Some(work(&mut Tally::default()).is_err())
}

/// A table in Markdown.
pub fn table(peers: &[Box<dyn Peer>]) -> String {
    let mut table = String::from("| refused |");
    for check in CHECKS {
        _ = write!(table, " {} |", check.violation);
    }
    table += "\n| --- |";
    table += &" --- |".repeat(CHECKS.len());
    for peer in peers {
        _ = write!(table, "\n| {} |", peer.name());
        for check in CHECKS {
            let refused = [usize::MAX, 3].map(|read| refuses(&**peer, check, read));
            table += match refused {
                [Some(true), Some(true) | None] => " yes |",
                [Some(false), Some(false) | None] => " no |",
                [Some(true), Some(false)] => " not if split |",
                [Some(false), Some(true)] => " only if split |",
                [None, _] => " - |",
            };
        }
    }
    table + "\n"
}
