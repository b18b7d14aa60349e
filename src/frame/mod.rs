//! The codec of frames (RFC 6455 §5.2, §5.3, §5.6), for proxies, analysers and tests.
//!
//! It parses and encodes headers, masks payloads and validates text, each without a connection. It
//! knows the rules that a single frame can violate, but neither roles nor messages nor a state:
//! [`Connection`](crate::Connection) adds those.
//!
//! ```
//! use ws_proto::frame::{Header, Opcode, Utf8Validator};
//!
//! // RFC 6455 §5.7: a single-frame masked text message.
//! let mut bytes = *b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58";
//! let (header, header_len) = Header::parse(&bytes)?.expect("complete");
//! assert_eq!((header.opcode, header.len), (Opcode::TEXT, 5));
//!
//! let payload = &mut bytes[header_len..];
//! header.mask.expect("masked").apply(payload, 0);
//! assert_eq!(Utf8Validator::new().feed(payload)?, (None, "Hello"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub(crate) mod close;
mod header;
mod keys;
mod mask;
pub(crate) mod opcode;
mod utf8;

pub(crate) use header::violation;
pub use header::{Header, HeaderBytes, HeaderError};
pub use keys::MaskingKeys;
pub use mask::MaskingKey;
pub(crate) use mask::{BLOCK_SIZE, Vectorize, WIDE, unaligned_len, vectorize};
pub use opcode::{InvalidOpcode, MAX_CONTROL_PAYLOAD, Opcode};
#[cfg(feature = "alloc")]
pub(crate) use utf8::from_utf8;
pub use utf8::{InvalidUtf8, Utf8Validator};
