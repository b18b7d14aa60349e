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
//! ```
//! use std::time::Duration;
//! use ws_proto::{Config, Timeouts};
//!
//! let config = Config::new();
//! assert_eq!(config.max_message(), 16 << 20);
//! assert_eq!(config.max_fragments(), 16_384);
//! # #[cfg(feature = "handshake")] {
//! # let head = ws_proto::handshake::HeadLimits::new();
//! # assert_eq!((head.max_bytes(), head.max_headers(), head.max_interim()), (16 << 10, 100, 8));
//! # }
//!
//! let (timeouts, seconds) = (Timeouts::new(), |n| Some(Duration::from_secs(n)));
//! assert_eq!(timeouts.handshake(), seconds(10));
//! assert_eq!(timeouts.ping(), seconds(30));
//! assert_eq!(timeouts.pong(), seconds(30));
//! assert_eq!(timeouts.message(), seconds(60));
//! assert_eq!(timeouts.write(), seconds(30));
//! assert_eq!(timeouts.close(), seconds(10));
//! assert_eq!(timeouts.linger(), seconds(5));
//! ```
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
