//! All that is enforced: rules, limits and errors, and the input that is refused although others
//! accept it.
//!
//! A test compares these tables with the code. `docs/rules.md` in the repository lists every rule
//! of the standards with the tests that prove it.
//!
//! # Rules
//!
//! A peer that violates one of these rules fails the connection: [`Message::Failed`] or
//! [`Event::Failed`] with the [`ProtocolError`], and a Close with its code in the output. The
//! sections are those of RFC 6455, and `7692` is RFC 7692.
//!
//! | rule | error | close code | section |
//! | --- | --- | --- | --- |
//! | No reserved bit is set, except RSV1 in the first frame of a message if permessage-deflate was negotiated. | `ReservedBits` | 1002 | 5.2 |
//! | The opcode is 0, 1, 2, 8, 9 or 10. | `ReservedOpcode` | 1002 | 5.2 |
//! | A control frame is not fragmented. | `FragmentedControl` | 1002 | 5.5 |
//! | The payload of a control frame has at most 125 bytes. | `ControlTooLong` | 1002 | 5.5 |
//! | A payload length has its shortest form. | `NonMinimalLength` | 1002 | 5.2 |
//! | A payload length is at most 2^63 - 1. | `LengthOverflow` | 1002 | 5.2 |
//! | A client masks every frame. | `Unmasked` | 1002 | 5.1 |
//! | A server masks no frame. | `Masked` | 1002 | 5.1 |
//! | A continuation frame continues a message. | `UnexpectedContinuation` | 1002 | 5.4 |
//! | A message begins after the end of the previous one. | `ExpectedContinuation` | 1002 | 5.4 |
//! | Text is UTF-8. | `InvalidUtf8` | 1007 | 8.1 |
//! | The body of a Close is empty, or has a status code. | `InvalidCloseBody` | 1002 | 5.5.1 |
//! | The status code of a Close is one that may be sent: 1000 to 1003, 1007 to 1014, 3000 to 4999. | `InvalidCloseCode` | 1002 | 7.4 |
//! | The reason of a Close is UTF-8. | `InvalidCloseReason` | 1007 | 5.5.1 |
//! | The content of a message does not exceed its limit. | `MessageTooLong` | 1009 | 10.4 |
//! | A compressed message does not exceed its limit on the wire. | `CompressedTooLong` | 1009 | 10.4 |
//! | A message has no more tiny fragments than its limit permits. | `TooManyFragments` | 1008 | 10.4 |
//! | A compressed message is a valid DEFLATE stream. | `InvalidCompression` | 1007 | 7692 7.2.2 |
//!
//! A violation is reported at the first byte that makes it certain, however the input is split.
//! Data before it is received. Each violation of the opening handshake is a
//! [`HandshakeError`](crate::handshake::HandshakeError), with the status of its HTTP response.
//!
//! Your own calls are checked, too: a call that must not send returns a [`SendError`], and has no
//! effect.
//!
//! # Limits
//!
//! Each is inclusive: the limit passes, and one more fails.
//!
//! | limit | default | set by |
//! | --- | --- | --- |
//! | content of a message | 16 MiB | [`Config::with_max_message`] |
//! | a compressed message on the wire | 16 × (content + fragments) + 1024 bytes | the two others |
//! | fragments of a message, in addition to one for each 16 bytes | 16,384 | [`Config::with_max_fragments`] |
//! | payload of a control frame | 125 bytes | the standard |
//! | bytes of an HTTP head | 16 KiB | [`HeadLimits::with_max_bytes`](crate::handshake::HeadLimits::with_max_bytes) |
//! | headers of an HTTP head | 100 | [`HeadLimits::with_max_headers`](crate::handshake::HeadLimits::with_max_headers) |
//! | interim responses (1xx) before the final one | 8 | [`HeadLimits::with_max_interim`](crate::handshake::HeadLimits::with_max_interim) |
//! | output of a session before it stops receiving | 64 KiB | [`Session::with_high_water`] |
//! | output of a session | 16 MiB | [`Session::with_max_output`] |
//! | time for the opening handshake | 10 s | [`Timeouts::with_handshake`] |
//! | silence before a Ping | 30 s | [`Timeouts::with_ping`] |
//! | silence after a Ping | 30 s | [`Timeouts::with_pong`] |
//! | an incomplete message without progress | 60 s | [`Timeouts::with_message`] |
//! | output of which the socket accepts nothing | 30 s | [`Timeouts::with_write`] |
//! | the rest of the closing handshake | 10 s | [`Timeouts::with_close`] |
//! | input that is discarded before the socket is closed | 5 s | [`Timeouts::with_linger`] |
//!
//! There is no limit for a single frame: the limit of the message holds for it. The number of
//! connections, and of those from one address, must be limited by the program.
//!
//! # What is refused, and why?
//!
//! Everything that the standards forbid. These are the rules that other implementations relax, and
//! how to relax them here.
//!
//! | input | reason | to accept it |
//! | --- | --- | --- |
//! | a payload length that is not in its shortest form | §5.2 requires it. | [`Config::with_allow_non_minimal_length`] |
//! | frames of a client without a mask | Masks protect proxies on the way from the content (§10.3). | impossible |
//! | masked frames of a server | §5.1 requires the client to fail. | impossible |
//! | text that is not UTF-8, also in the middle of an incomplete message | A receiver must not see it (§8.1). | impossible; send binary messages |
//! | a status code such as 1005, 1006, 1015, 2999 or 5000 in a Close | It must not be sent (§7.4). | impossible |
//! | a compressed message of 0 bytes, or with the tail `00 00 ff ff` | It has no block, or an empty one too many (RFC 7692 §7.2.1). | impossible |
//! | a message of more than 16 MiB | It occupies memory of the receiver. | [`Config::with_max_message`] |
//! | very many empty or tiny fragments | They cause work at almost no cost for the sender. | [`Config::with_max_fragments`] |
//! | heads that HTTP parsers interpret differently | They enable request smuggling (RFC 9112 §11.2). | impossible; the tables are in [`handshake`](crate::handshake#input-that-is-refused) |
//! | a page of another origin | It acts in the name of its user (§10.2). | the program decides: [`http`](super::http#origin) |
//!
//! # Errors and `io::Error`
//!
//! With the feature `std`, each error converts into a `std::io::Error`, so that `?` works.
//!
//! | error | kind |
//! | --- | --- |
//! | [`ProtocolError`], [`frame::HeaderError`], [`frame::InvalidUtf8`] | `InvalidData` |
//! | [`TimeoutError`] | `TimedOut` |
//! | [`SendError`] | `BrokenPipe` if `Closed`, `WriteZero` if `OutputFull`, `InvalidInput` otherwise |
//! | [`handshake::HandshakeError`] | `UnexpectedEof` if `Incomplete`, `ConnectionRefused` if `UnexpectedStatus`, `InvalidData` otherwise |
//! | [`handshake::WriteError`] | `WriteZero` if `OutputFull`, `InvalidInput` otherwise |
//! | [`extension::InvalidExtensions`], [`deflate::NegotiationError`], [`deflate::InflateError`] | `InvalidData` |
//! | [`uri::UriError`], [`handshake::OriginError`], [`InvalidCloseCode`], [`frame::InvalidOpcode`] | `InvalidInput` |
//!
//! [`Config::with_allow_non_minimal_length`]: crate::Config::with_allow_non_minimal_length
//! [`Config::with_max_fragments`]: crate::Config::with_max_fragments
//! [`Config::with_max_message`]: crate::Config::with_max_message
//! [`Event::Failed`]: crate::Event::Failed
//! [`InvalidCloseCode`]: crate::InvalidCloseCode
//! [`Message::Failed`]: crate::Message::Failed
//! [`ProtocolError`]: crate::ProtocolError
//! [`SendError`]: crate::SendError
//! [`Session::with_high_water`]: crate::Session::with_high_water
//! [`Session::with_max_output`]: crate::Session::with_max_output
//! [`TimeoutError`]: crate::TimeoutError
//! [`Timeouts::with_close`]: crate::Timeouts::with_close
//! [`Timeouts::with_handshake`]: crate::Timeouts::with_handshake
//! [`Timeouts::with_linger`]: crate::Timeouts::with_linger
//! [`Timeouts::with_message`]: crate::Timeouts::with_message
//! [`Timeouts::with_ping`]: crate::Timeouts::with_ping
//! [`Timeouts::with_pong`]: crate::Timeouts::with_pong
//! [`Timeouts::with_write`]: crate::Timeouts::with_write
//! [`deflate::InflateError`]: crate::deflate::InflateError
//! [`deflate::NegotiationError`]: crate::deflate::NegotiationError
//! [`extension::InvalidExtensions`]: crate::extension::InvalidExtensions
//! [`frame::HeaderError`]: crate::frame::HeaderError
//! [`frame::InvalidOpcode`]: crate::frame::InvalidOpcode
//! [`frame::InvalidUtf8`]: crate::frame::InvalidUtf8
//! [`handshake::HandshakeError`]: crate::handshake::HandshakeError
//! [`handshake::OriginError`]: crate::handshake::OriginError
//! [`handshake::WriteError`]: crate::handshake::WriteError
//! [`uri::UriError`]: crate::uri::UriError

#[cfg(all(test, feature = "std", feature = "handshake"))]
mod tests {
    use crate::frame::Opcode;
    use crate::handshake::HeadLimits;
    use crate::{Config, MessageKind, Output, ProtocolError, Server, Session, Timeouts};
    use core::time::Duration;
    use std::collections::HashSet;
    use std::format;
    use std::string::{String, ToString};
    use std::vec::Vec;

    /// The cells of the rows under the heading.
    fn table(heading: &str) -> Vec<Vec<&'static str>> {
        let (_, page) = include_str!("rules.rs")
            .split_once(&format!("//! # {heading}\n"))
            .unwrap();
        page.lines()
            .skip_while(|line| !line.starts_with("//! | ---"))
            .skip(1)
            .map_while(|line| line.strip_prefix("//! | ")?.strip_suffix(" |"))
            .map(|row| row.split(" | ").collect())
            .collect()
    }

    /// CL15: a new error does not compile here until it is in the list.
    fn errors() -> Vec<(ProtocolError, &'static str)> {
        use ProtocolError as E;
        let name = |error| match error {
            E::ReservedBits(_) => "ReservedBits",
            E::ReservedOpcode(_) => "ReservedOpcode",
            E::FragmentedControl(_) => "FragmentedControl",
            E::ControlTooLong(_) => "ControlTooLong",
            E::NonMinimalLength => "NonMinimalLength",
            E::LengthOverflow => "LengthOverflow",
            E::Unmasked => "Unmasked",
            E::Masked => "Masked",
            E::UnexpectedContinuation => "UnexpectedContinuation",
            E::ExpectedContinuation { .. } => "ExpectedContinuation",
            E::InvalidUtf8 => "InvalidUtf8",
            E::InvalidCloseBody => "InvalidCloseBody",
            E::InvalidCloseCode(_) => "InvalidCloseCode",
            E::InvalidCloseReason => "InvalidCloseReason",
            E::MessageTooLong { .. } => "MessageTooLong",
            E::CompressedTooLong { .. } => "CompressedTooLong",
            E::TooManyFragments { .. } => "TooManyFragments",
            E::InvalidCompression => "InvalidCompression",
        };
        let (len, limit) = (2, 1);
        [
            E::ReservedBits(1),
            E::ReservedOpcode(Opcode(3)),
            E::FragmentedControl(Opcode::PING),
            E::ControlTooLong(Opcode::PING),
            E::NonMinimalLength,
            E::LengthOverflow,
            E::Unmasked,
            E::Masked,
            E::UnexpectedContinuation,
            E::ExpectedContinuation {
                incomplete: MessageKind::Text,
                begun: MessageKind::Text,
            },
            E::InvalidUtf8,
            E::InvalidCloseBody,
            E::InvalidCloseCode(1005),
            E::InvalidCloseReason,
            E::MessageTooLong { len, limit },
            E::CompressedTooLong { len, limit },
            E::TooManyFragments {
                fragments: len,
                limit,
            },
            E::InvalidCompression,
        ]
        .map(|error| (error, name(error)))
        .into()
    }

    #[test]
    fn cl15_the_table_of_rules_has_every_error_with_its_code_and_section() {
        let (errors, rows) = (errors(), table("Rules"));
        assert_eq!(rows.len(), errors.len());
        let mut names = HashSet::new();
        for (row, (error, name)) in rows.iter().zip(errors) {
            assert!(names.insert(name));
            let section = match error {
                ProtocolError::InvalidCompression => format!("7692 {}", error.section()),
                _ => error.section().into(),
            };
            assert_eq!(
                row[1..],
                [
                    format!("`{name}`"),
                    u16::from(error.close_code()).to_string(),
                    section
                ]
            );
        }
    }

    #[test]
    fn the_table_of_limits_has_the_defaults() {
        fn kib(bytes: usize) -> String {
            format!("{} KiB", bytes >> 10)
        }
        fn mib(bytes: u64) -> String {
            format!("{} MiB", bytes >> 20)
        }
        fn seconds(time: Option<Duration>) -> String {
            format!("{} s", time.unwrap().as_secs())
        }
        let (config, head, timeouts) = (Config::new(), HeadLimits::new(), Timeouts::new());
        assert_eq!(
            config.max_compressed(),
            16 * (config.max_message() + u64::from(config.max_fragments())) + 1024
        );
        let mut session = Session::open(Server, &config, &timeouts, Duration::ZERO);
        let max_output = session.send(|_, out| Ok(out.room())).unwrap();
        let mut high_water = 0;
        while session.needs(Duration::ZERO).unwrap().read {
            session
                .send(|_, out| Ok(out.append(&[0; 1024]).len()))
                .unwrap();
            high_water += 1024;
        }
        let fragments = format!(
            "{},{:03}",
            config.max_fragments() / 1000,
            config.max_fragments() % 1000
        );
        let defaults = [
            mib(config.max_message()),
            "16 × (content + fragments) + 1024 bytes".into(),
            fragments,
            format!("{} bytes", crate::frame::MAX_CONTROL_PAYLOAD),
            kib(head.max_bytes()),
            head.max_headers().to_string(),
            head.max_interim().to_string(),
            kib(high_water),
            mib(max_output as u64),
            seconds(timeouts.handshake()),
            seconds(timeouts.ping()),
            seconds(timeouts.pong()),
            seconds(timeouts.message()),
            seconds(timeouts.write()),
            seconds(timeouts.close()),
            seconds(timeouts.linger()),
        ];
        let rows = table("Limits");
        assert_eq!(rows.iter().map(|row| row[1]).collect::<Vec<_>>(), defaults);
    }
}
