//! tungstenite: reads and writes a stream itself. Its read buffer, which it fills with zeros before
//! each read, is as long as a read.

use super::Peer;
use crate::frames;
use crate::jobs::{Accept, Connect, Receive, Send, Work};
use crate::wire::{ClientWire, Wire};
use std::io::ErrorKind;
use tungstenite::protocol::{Role, WebSocketConfig};
use tungstenite::{Bytes, Error, Message, WebSocket};

pub struct Tungstenite;

impl From<frames::Role> for Role {
    fn from(role: frames::Role) -> Self {
        match role {
            frames::Role::Server => Self::Server,
            frames::Role::Client => Self::Client,
        }
    }
}

impl Peer for Tungstenite {
    fn name(&self) -> &'static str {
        "tungstenite"
    }

    fn receive(&self, job: &'static Receive) -> Option<Work> {
        let wire = Wire::new(&job.stream, job.read, &job.sink);
        let config = WebSocketConfig::default().read_buffer_size(job.buffer_size());
        let mut ws = WebSocket::from_raw_socket(wire, job.role.into(), Some(config));
        Some(Box::new(move |tally| {
            loop {
                match ws.read() {
                    Ok(Message::Text(text)) => tally.text(&text),
                    Ok(Message::Binary(bytes)) => tally.binary(&bytes),
                    Ok(Message::Ping(_)) => {}
                    Err(Error::Io(error)) if error.kind() == ErrorKind::WouldBlock => {
                        return Ok(());
                    }
                    other => return Err(format!("{other:?}").into()),
                }
            }
        }))
    }

    fn send(&self, job: &'static Send<[u8]>) -> Option<Work> {
        let wire = Wire::new(&[], 1, &job.sink);
        let config = WebSocketConfig::default().read_buffer_size(0);
        let mut ws = WebSocket::from_raw_socket(wire, job.role.into(), Some(config));
        Some(Box::new(move |_| {
            for message in &job.messages {
                ws.send(Message::Binary(Bytes::from_static(message)))?;
            }
            Ok(())
        }))
    }

    fn accept(&self, job: &'static Accept) -> Option<Work> {
        let config = WebSocketConfig::default().read_buffer_size(4 << 10);
        Some(Box::new(move |_| {
            let wire = Wire::new(&job.request, usize::MAX, &job.sink);
            tungstenite::accept_with_config(wire, Some(config))
                .map_err(|error| error.to_string())?;
            Ok(())
        }))
    }

    fn connect(&self, job: &'static Connect) -> Option<Work> {
        let config = WebSocketConfig::default().read_buffer_size(4 << 10);
        Some(Box::new(move |_| {
            let wire = ClientWire::new(job);
            tungstenite::client::client_with_config(Connect::URI, wire, Some(config))
                .map_err(|error| error.to_string())?;
            Ok(())
        }))
    }
}
