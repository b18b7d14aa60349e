//! Which of the auto traits the public types have: all of them, with any features. A field of
//! another kind takes one away without a word.

use std::fs;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::path::Path;
use ws_proto::{Client, Role, Server};

const fn has_all<T: Send + Sync + Unpin + UnwindSafe + RefUnwindSafe>() {}

/// A new type is not forgotten: this file names every public one.
#[test]
fn every_public_type_is_here() {
    fn check(dir: &Path, here: &str, types: &mut usize) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                check(&path, here, types);
                continue;
            }
            for line in fs::read_to_string(&path).unwrap().lines() {
                let mut words = line.split([' ', '<', '(', ';', '{']);
                if let (Some("pub"), Some("struct" | "enum"), Some(name)) =
                    (words.next(), words.next(), words.next())
                {
                    let is_named = here
                        .split(|char: char| !char.is_alphanumeric())
                        .any(|word| word == name);
                    assert!(is_named, "{name} of {}", path.display());
                    *types += 1;
                }
            }
        }
    }
    let mut types = 0;
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    check(&src, include_str!("auto_traits.rs"), &mut types);
    assert!(types > 50, "{types}");
}

/// Whatever borrows mutably is not `UnwindSafe`, as no `&mut` is.
#[test]
fn what_borrows_mutably_has_all_but_one() {
    const fn has_all_but_one<T: Send + Sync + Unpin + RefUnwindSafe>() {}
    has_all_but_one::<ws_proto::Chunk<'_>>();
    has_all_but_one::<ws_proto::Event<'_>>();
    has_all_but_one::<ws_proto::SliceOutput<'_>>();
    #[cfg(feature = "handshake")]
    {
        use ws_proto::handshake::{HeadBuffer, ResponseReader, ServerHandshake};
        has_all_but_one::<HeadBuffer<'_>>();
        has_all_but_one::<ResponseReader<HeadBuffer<'_>>>();
        has_all_but_one::<ServerHandshake<HeadBuffer<'_>>>();
    }
    #[cfg(feature = "alloc")]
    has_all_but_one::<ws_proto::CappedOutput<'_>>();
}

#[test]
fn values() {
    has_all::<ws_proto::Close<'_>>();
    has_all::<ws_proto::CloseCode>();
    has_all::<ws_proto::Outcome<'_>>();
    has_all::<ws_proto::Config>();
    has_all::<ws_proto::frame::Header>();
    has_all::<ws_proto::frame::HeaderBytes>();
    has_all::<ws_proto::frame::HeaderError>();
    has_all::<ws_proto::frame::InvalidOpcode>();
    has_all::<ws_proto::frame::InvalidUtf8>();
    has_all::<ws_proto::InvalidCloseCode>();
    has_all::<ws_proto::OutgoingFrame>();
    has_all::<ws_proto::SentClose>();
    has_all::<ws_proto::MessageKind>();
    has_all::<ws_proto::frame::MaskingKey>();
    has_all::<ws_proto::frame::MaskingKeys>();
    has_all::<ws_proto::frame::Opcode>();
    has_all::<ws_proto::ProtocolError>();
    has_all::<ws_proto::Reply>();
    has_all::<ws_proto::SendError>();
    has_all::<ws_proto::Endpoint>();
    has_all::<ws_proto::State>();
    has_all::<ws_proto::Counters>();
    has_all::<ws_proto::Action>();
    has_all::<ws_proto::Deadlines>();
    has_all::<ws_proto::Due>();
    has_all::<ws_proto::Status>();
    has_all::<ws_proto::TimeoutError>();
    has_all::<ws_proto::Timeouts>();
    has_all::<ws_proto::frame::Utf8Validator>();
    #[cfg(feature = "alloc")]
    {
        has_all::<ws_proto::ByteQueue>();
        has_all::<ws_proto::Message<'_>>();
        has_all::<ws_proto::Needs>();
        has_all::<ws_proto::OwnedMessage>();
        has_all::<ws_proto::Prepared>();
        has_all::<ws_proto::PreparedFrame<&ws_proto::Prepared>>();
        has_all::<ws_proto::PreparedFrame<std::sync::Arc<ws_proto::Prepared>>>();
    }
}

#[test]
fn connections_of_both_roles() {
    fn check<R: Role + Send + Sync + Unpin + UnwindSafe + RefUnwindSafe>() {
        has_all::<R>();
        has_all::<ws_proto::Negotiated<R>>();
        has_all::<ws_proto::Connection<R>>();
        has_all::<ws_proto::RecvHalf<R>>();
        has_all::<ws_proto::SendHalf<R>>();
        #[cfg(feature = "alloc")]
        {
            has_all::<ws_proto::MessageRecvHalf<R>>();
            has_all::<ws_proto::MessageSendHalf<R>>();
            has_all::<ws_proto::Session<R>>();
            has_all::<ws_proto::WebSocket<R>>();
        }
    }
    check::<Server>();
    check::<Client>();
}

#[cfg(feature = "deflate")]
#[test]
fn deflate() {
    use ws_proto::deflate::{
        Compressor, Decompressor, DeflateConfig, Flush, InflateError, Inflated, NegotiationError,
        Params,
    };
    has_all::<Compressor>();
    has_all::<DeflateConfig>();
    has_all::<Decompressor>();
    has_all::<Flush>();
    has_all::<InflateError>();
    has_all::<Inflated>();
    has_all::<NegotiationError>();
    has_all::<Params>();
}

#[test]
fn uri() {
    use ws_proto::uri::{Uri, UriError};
    has_all::<Uri<'_>>();
    has_all::<UriError>();
}

#[test]
fn extension() {
    use ws_proto::extension::{Extension, InvalidExtensions, Param, Value};
    has_all::<Extension<'_>>();
    has_all::<InvalidExtensions>();
    has_all::<Param<'_>>();
    has_all::<Value<'_>>();
}

#[cfg(feature = "handshake")]
#[test]
fn handshake() {
    use ws_proto::handshake::{
        Accept, Body, ClientRequest, HandshakeError, HeadLimits, Headers, HttpRequest,
        HttpResponse, Incoming, Origin, OriginError, Request, Response, ResponseParts, Scheme,
        Verified, WriteError,
    };
    has_all::<Accept<'_>>();
    has_all::<Body>();
    has_all::<ClientRequest<'_>>();
    has_all::<Headers<'_>>();
    has_all::<HandshakeError>();
    has_all::<HeadLimits>();
    has_all::<HttpRequest<'_>>();
    has_all::<HttpResponse<'_>>();
    has_all::<Incoming<'_>>();
    has_all::<Origin<'_>>();
    has_all::<OriginError>();
    has_all::<ResponseParts<'_>>();
    has_all::<Request<'_>>();
    has_all::<Response<'_>>();
    has_all::<Scheme>();
    has_all::<Verified<'_>>();
    has_all::<WriteError>();
}

#[cfg(all(feature = "handshake", feature = "alloc"))]
#[test]
fn handshake_machines() {
    use ws_proto::handshake::{
        Answer, ClientHandshake, ProxyAnswer, ProxyConnect, RequestParts, ServerHandshake,
    };
    has_all::<Answer<'_>>();
    has_all::<ClientHandshake>();
    has_all::<ProxyAnswer<'_>>();
    has_all::<ProxyConnect>();
    has_all::<RequestParts<'_>>();
    has_all::<ServerHandshake>();
}
