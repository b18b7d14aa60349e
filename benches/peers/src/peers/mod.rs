//! The contenders, all with the same trait. Each is used in its fastest documented way.

mod embedded_websocket;
mod fastwebsockets;
mod nexus_web;
mod ratchet;
#[cfg(feature = "shiguredo")]
mod shiguredo;
mod sockudo_ws;
mod soketto;
mod tokio_websockets;
mod tungstenite;
mod websocket_sans_io;
mod ws_net;
mod ws_proto;
mod yawc;

use crate::jobs::{Accept, Connect, Receive, Send, Work};

/// An implementation of WebSocket. A method prepares a connection, and returns the work that is
/// measured; `None` if the implementation does not do this.
pub trait Peer {
    fn name(&self) -> &'static str;

    fn is_ours(&self) -> bool {
        false
    }

    /// Receives messages, and answers Pings.
    fn receive(&self, _: &'static Receive) -> Option<Work> {
        None
    }

    /// Receives messages that permessage-deflate compressed.
    fn inflate(&self, _: &'static Receive) -> Option<Work> {
        None
    }

    /// Sends binary messages. Each frame is contiguous in memory when it is written.
    fn send(&self, _: &'static Send<[u8]>) -> Option<Work> {
        None
    }

    /// Sends binary messages, and writes the caller's payload after the header.
    fn send_uncopied(&self, _: &'static Send<[u8]>) -> Option<Work> {
        None
    }

    /// Sends text messages that permessage-deflate compresses.
    fn deflate(&self, _: &'static Send<str>) -> Option<Work> {
        None
    }

    /// A server's opening handshake.
    fn accept(&self, _: &'static Accept) -> Option<Work> {
        None
    }

    /// A client's opening handshake.
    fn connect(&self, _: &'static Connect) -> Option<Work> {
        None
    }
}

pub fn all() -> Vec<Box<dyn Peer>> {
    vec![
        Box::new(ws_proto::Messages { recycle: false }),
        Box::new(ws_proto::Messages { recycle: true }),
        Box::new(ws_proto::InPlace),
        Box::new(ws_proto::Streaming),
        Box::new(embedded_websocket::EmbeddedWebsocket),
        Box::new(fastwebsockets::Fastwebsockets),
        Box::new(nexus_web::NexusWeb),
        Box::new(ratchet::Ratchet),
        #[cfg(feature = "shiguredo")]
        Box::new(shiguredo::Shiguredo),
        Box::new(sockudo_ws::SockudoWs),
        Box::new(soketto::Soketto),
        Box::new(tokio_websockets::TokioWebsockets),
        Box::new(tungstenite::Tungstenite),
        Box::new(websocket_sans_io::WebsocketSansIo),
        Box::new(ws_net::WsNet),
        Box::new(yawc::Yawc),
    ]
}
