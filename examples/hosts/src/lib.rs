//! The code that the programs in `src/bin`, the hosts, share: a WebSocket for tokio, in
//! [`tokio_stream`]; TLS, in [`tls`]; and the opening handshake of an echo server.

pub mod tls;
pub mod tokio_stream;

use std::io;
use ws_proto::handshake::{Scheme, ServerHandshake};
use ws_proto::{ByteQueue, Negotiated, Server};

/// A step of the opening handshake, which `Session::handshake` describes. It accepts pages of the
/// same origin, and clients without one.
pub fn accept(
    handshake: &mut ServerHandshake,
    scheme: Scheme,
    input: &mut &mut [u8],
    out: &mut ByteQueue,
) -> io::Result<Option<Negotiated<Server>>> {
    let Some(request) = handshake.recv(input, out)? else {
        return Ok(None);
    };
    if request.origin().is_some() && !request.is_same_origin(scheme) {
        request.reject(403).write(out)?;
        return Err(io::Error::other("a page of another site"));
    }
    Ok(Some(request.accept().write(out)?))
}
