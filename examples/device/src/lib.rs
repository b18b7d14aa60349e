//! An echo server in a kilobyte of memory: no std, no allocator, one connection at a time.
//!
//! Its buffers are smaller than the request of a browser, and than most messages: a head is kept
//! only as far as it has a meaning, and a message is echoed in fragments while it arrives.
#![no_std]
#![forbid(unsafe_code)]

use ws_proto::handshake::{HeadBuffer, ServerHandshake, WriteError};
use ws_proto::{
    Action, Config, Connection, Event, Negotiated, Output, REPLY_ROOM, SendError, Server,
    SliceOutput, frame::Header,
};

/// The size of a read.
const READ: usize = 256;
/// Room for the echo of a read, which may be one fragment, and for a reply.
const WRITE: usize = READ + Header::MAX_LEN + REPLY_ROOM;
/// Room for the lines of a head that have a meaning.
const HEAD: usize = 384;

/// A stream of bytes, such as the socket of a network chip.
pub trait Socket {
    /// Reads some bytes. Returns 0 if the stream has ended.
    fn read(&mut self, buf: &mut [u8]) -> usize;

    /// Writes all bytes. Returns `false` if the stream is broken.
    fn write(&mut self, bytes: &[u8]) -> bool;
}

/// Serves a connection, until it ends.
pub fn serve(sock: &mut impl Socket) -> Option<()> {
    let (mut read, mut write) = ([0; READ], [0; WRITE]);
    let mut out = SliceOutput::new(&mut write);
    let (negotiated, mut input) = open(sock, &mut read, &mut out)?;
    let mut connection = Connection::new(negotiated, &Config::new());
    loop {
        let echoed = echo(&mut connection, &mut input, &mut out);
        let written = sock.write(out.as_bytes());
        out.clear();
        if echoed.is_err() || !written || connection.next_action() == Action::CloseTransport {
            return Some(());
        }
        // Otherwise the echo had no room.
        if input.is_empty() && !connection.is_paused() {
            let n = sock.read(&mut read);
            input = read.get_mut(..n).filter(|_| n > 0)?;
        }
    }
}

/// The opening handshake. Returns its result, and the bytes that followed the request.
fn open<'b>(
    sock: &mut impl Socket,
    read: &'b mut [u8; READ],
    out: &mut SliceOutput<'_>,
) -> Option<(Negotiated<Server>, &'b mut [u8])> {
    let mut head = [0; HEAD];
    let mut handshake = ServerHandshake::with_buffer(HeadBuffer::new(&mut head));
    let (negotiated, rest) = loop {
        let n = sock.read(read);
        let mut input = read.get_mut(..n).filter(|_| n > 0)?;
        match handshake.recv(&mut input, out) {
            Ok(None) => {}
            Ok(Some(request)) => {
                let accept = request.accept().subprotocol_from(&["echo"]);
                break (accept.write(out), n - input.len()..n);
            }
            Err(_) => break (Err(WriteError::InvalidStatus), 0..0),
        }
    };
    let written = sock.write(out.as_bytes());
    out.clear();
    let negotiated = negotiated.ok().filter(|_| written)?;
    Some((negotiated, read.get_mut(rest)?))
}

/// Echoes messages chunk by chunk, as long as there is room for the next one and for a reply.
fn echo(
    connection: &mut Connection<Server>,
    input: &mut &mut [u8],
    out: &mut SliceOutput<'_>,
) -> Result<(), SendError> {
    while out.room() >= input.len() + Header::MAX_LEN + REPLY_ROOM {
        match connection.recv(input, out) {
            Some(Event::Data(chunk)) => {
                connection.send_fragment(chunk.kind, chunk.payload, chunk.last, out)?;
            }
            Some(_) => {}
            None => break,
        }
    }
    Ok(())
}
