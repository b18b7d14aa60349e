//! nexus-web: sans-IO. Its buffer is as long as a read. Text in a frame that is split by reads is
//! returned as `str` without validation, so it is left out.

use super::Peer;
use crate::frames::{self, Kind};
use crate::jobs::{Accept, Connect, Receive, Send, Work};
use crate::wire::{ClientWire, Wire};
use nexus_web::ws::{ClientBuilder, FrameReader, FrameWriter, Message, Role};
use std::io::ErrorKind;

pub struct NexusWeb;

fn role(role: frames::Role) -> Role {
    match role {
        frames::Role::Server => Role::Server,
        frames::Role::Client => Role::Client,
    }
}

impl Peer for NexusWeb {
    fn name(&self) -> &'static str {
        "nexus-web"
    }

    fn receive(&self, job: &'static Receive) -> Option<Work> {
        if job.kind == Kind::Text && !job.whole {
            return None;
        }
        let mut wire = Wire::new(&job.stream, job.read, &job.sink);
        let mut writer = FrameWriter::new(role(job.role));
        let mut reader = FrameReader::builder()
            .role(role(job.role))
            .buffer_capacity(job.buffer_size())
            .build();
        Some(Box::new(move |tally| {
            loop {
                match reader.read_from(&mut wire) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                    result => result?,
                };
                while let Some(message) = reader.next()? {
                    match message {
                        Message::Text(text) => tally.text(text),
                        Message::Binary(bytes) => tally.binary(bytes),
                        Message::Ping(payload) => {
                            let mut pong = [0; 131];
                            let len = writer.encode_pong(payload, &mut pong)?;
                            job.sink.write(&pong[..len]);
                        }
                        other => return Err(format!("{other:?}").into()),
                    }
                }
            }
        }))
    }

    fn send(&self, job: &'static Send<[u8]>) -> Option<Work> {
        let mut writer = FrameWriter::new(role(job.role));
        let longest = job.messages.iter().map(|message| message.len()).max();
        let mut out = vec![0; writer.max_encoded_len(longest.unwrap_or(0))];
        Some(Box::new(move |_| {
            for message in &job.messages {
                let len = writer.encode_binary(message, &mut out);
                job.sink.write(&out[..len]);
            }
            Ok(())
        }))
    }

    fn send_uncopied(&self, job: &'static Send<[u8]>) -> Option<Work> {
        let mut writer = FrameWriter::new(role(job.role));
        Some(Box::new(move |_| {
            for message in &job.messages {
                let (header, _) = writer.build_header(0x82, message.len());
                job.sink.write(header.as_bytes());
                job.sink.write(message);
            }
            Ok(())
        }))
    }

    fn accept(&self, job: &'static Accept) -> Option<Work> {
        Some(Box::new(move |_| {
            let wire = Wire::new(&job.request, usize::MAX, &job.sink);
            builder().accept(wire)?;
            Ok(())
        }))
    }

    fn connect(&self, job: &'static Connect) -> Option<Work> {
        Some(Box::new(move |_| {
            builder().connect_with(ClientWire::new(job), Connect::URI)?;
            Ok(())
        }))
    }
}

/// With buffers of 4 KiB, not of a megabyte.
fn builder() -> ClientBuilder {
    ClientBuilder::new()
        .buffer_capacity(4 << 10)
        .write_buffer_capacity(4 << 10)
}
