//! `tungstenite` as an endpoint, and its differences.

use crate::common::TestRole;
use crate::endpoint::{Endpoint, Event, Setup, Step};
use crate::wire::Wire;
use std::io::ErrorKind;
use tungstenite::protocol::frame::coding::{Data, OpCode};
use tungstenite::protocol::frame::{CloseFrame, Frame};
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Error, Message, WebSocket, error::ProtocolError};

pub(crate) struct Tungstenite {
    ws: WebSocket<Wire>,
    fragment: usize,
    failed: bool,
}

impl Tungstenite {
    pub(crate) fn over(ws: WebSocket<Wire>) -> Self {
        Self {
            ws,
            fragment: usize::MAX,
            failed: false,
        }
    }
}

impl<R: TestRole> Endpoint<R> for Tungstenite {
    fn new(wire: Wire, setup: &Setup) -> Self {
        let role = if R::MASKS { Role::Client } else { Role::Server };
        let config = WebSocketConfig::default()
            .read_buffer_size(4096)
            .max_frame_size(Some(setup.max))
            .max_message_size(Some(setup.max));
        Self {
            fragment: setup.fragment,
            ..Self::over(WebSocket::from_raw_socket(wire, role, Some(config)))
        }
    }

    fn recv(&mut self) -> Option<Event> {
        if self.failed {
            return None;
        }
        let error = match self.ws.read() {
            Ok(Message::Text(text)) => return Some(Event::Text(text.as_bytes().to_vec())),
            Ok(Message::Binary(bytes)) => return Some(Event::Binary(bytes.to_vec())),
            Ok(Message::Ping(payload)) => return Some(Event::Ping(payload.to_vec())),
            Ok(Message::Pong(payload)) => return Some(Event::Pong(payload.to_vec())),
            Ok(Message::Close(close)) => {
                let (code, reason) = close
                    .map(|close| (u16::from(close.code), close.reason.to_string()))
                    .unzip();
                return Some(Event::Close(code, reason.unwrap_or_default()));
            }
            Ok(Message::Frame(frame)) => panic!("frames are not given: {frame}"),
            Err(error) => error,
        };
        let code = match error {
            Error::Io(error) if error.kind() == ErrorKind::WouldBlock => return None,
            Error::ConnectionClosed
            | Error::AlreadyClosed
            | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => return None,
            Error::Protocol(_) => 1002,
            Error::Utf8(_) => 1007,
            Error::Capacity(_) => 1009,
            other => panic!("{other}"),
        };
        self.failed = true;
        Some(Event::Failed(code))
    }

    fn send(&mut self, step: &Step) {
        let sent = match step {
            Step::Text(text) if text.len() <= self.fragment => {
                self.ws.send(Message::text(text.clone()))
            }
            Step::Text(text) => self.send_fragments(Data::Text, text.as_bytes()),
            Step::Binary(bytes) if bytes.len() <= self.fragment => {
                self.ws.send(Message::binary(bytes.clone()))
            }
            Step::Binary(bytes) => self.send_fragments(Data::Binary, bytes),
            Step::Ping(payload) => self.ws.send(Message::Ping(payload.clone().into())),
            Step::Pong(payload) => self.ws.send(Message::Pong(payload.clone().into())),
            Step::Close(code, reason) => self.ws.close(Some(CloseFrame {
                code: (*code).into(),
                reason: reason.clone().into(),
            })),
        };
        sent.expect("it can be sent");
    }
}

impl Tungstenite {
    fn send_fragments(&mut self, kind: Data, payload: &[u8]) -> tungstenite::Result<()> {
        let mut parts = payload.chunks(self.fragment).enumerate().peekable();
        while let Some((at, part)) = parts.next() {
            let opcode = OpCode::Data(if at == 0 { kind } else { Data::Continue });
            self.ws.send(Message::Frame(Frame::message(
                part.to_vec(),
                opcode,
                parts.peek().is_none(),
            )))?;
        }
        Ok(())
    }
}
