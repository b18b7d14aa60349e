//! websocket-sans-io: frames only. The duties of its users are done here: messages are assembled,
//! Pings answered, and headers checked, as in its examples; text is validated, by simdutf8.

use super::Peer;
use crate::frames::Role;
use crate::jobs::{self, Receive, Send, Work};
use crate::tally::Tally;
use websocket_sans_io::{
    FrameInfo, Opcode, WebsocketFrameDecoder, WebsocketFrameEncoder, WebsocketFrameEvent,
};

pub struct WebsocketSansIo;

impl Peer for WebsocketSansIo {
    fn name(&self) -> &'static str {
        "websocket-sans-io"
    }

    fn receive(&self, job: &'static Receive) -> Option<Work> {
        let mut decoder = WebsocketFrameDecoder::new();
        let mut frame = FrameInfo::default();
        // The message in progress, unless it lies in one chunk; and the payload of a control frame.
        let (mut message, mut control) = (Vec::new(), Vec::new());
        let mut is_delivered = false;
        Some(Box::new(move |tally| {
            job.each_read(|mut input| {
                loop {
                    let result = decoder.add_data(input)?;
                    let (chunk, rest) = input.split_at_mut(result.consumed_bytes);
                    input = rest;
                    match result.event {
                        Some(WebsocketFrameEvent::Start { frame_info, .. }) => {
                            let is_masked = frame_info.mask.is_some();
                            if !frame_info.is_reasonable()
                                || is_masked != (job.role == Role::Server)
                            {
                                return Err("a protocol error".into());
                            }
                            frame = frame_info;
                        }
                        Some(WebsocketFrameEvent::PayloadChunk { original_opcode }) => {
                            if original_opcode.is_control() {
                                control.extend_from_slice(chunk);
                            } else if frame.fin
                                && message.is_empty()
                                && chunk.len() as u64 == frame.payload_length
                            {
                                deliver(original_opcode, chunk, tally)?;
                                is_delivered = true;
                            } else {
                                message.extend_from_slice(chunk);
                            }
                        }
                        Some(WebsocketFrameEvent::End {
                            frame_info,
                            original_opcode,
                        }) => {
                            if original_opcode.is_control() {
                                if original_opcode == Opcode::Ping {
                                    let header =
                                        WebsocketFrameEncoder::new().start_frame(&FrameInfo {
                                            opcode: Opcode::Pong,
                                            mask: key(job.role),
                                            ..frame_info
                                        });
                                    job.sink.write(&header);
                                    job.sink.write(&control);
                                }
                                control.clear();
                            } else if frame_info.fin {
                                if !is_delivered {
                                    deliver(original_opcode, &message, tally)?;
                                    message.clear();
                                }
                                is_delivered = false;
                            }
                        }
                        None if result.consumed_bytes == 0 => return Ok(()),
                        None => {}
                    }
                }
            })
        }))
    }

    fn send(&self, job: &'static Send<[u8]>) -> Option<Work> {
        let mut encoder = WebsocketFrameEncoder::new();
        let mut out = Vec::new();
        Some(Box::new(move |_| {
            for message in &job.messages {
                let header = encoder.start_frame(&header(job.role, message));
                out.extend_from_slice(&header);
                out.extend_from_slice(message);
                encoder.transform_frame_payload(&mut out[header.len()..]);
                job.sink.write(&out);
                out.clear();
            }
            Ok(())
        }))
    }

    fn send_uncopied(&self, job: &'static Send<[u8]>) -> Option<Work> {
        let mut encoder = WebsocketFrameEncoder::new();
        Some(Box::new(move |_| {
            for message in &job.messages {
                job.sink
                    .write(&encoder.start_frame(&header(job.role, message)));
                job.sink.write(message);
            }
            Ok(())
        }))
    }
}

#[inline]
fn deliver(opcode: Opcode, message: &[u8], tally: &mut Tally) -> jobs::Result {
    match opcode {
        Opcode::Text => tally.text(simdutf8::basic::from_utf8(message)?),
        Opcode::Binary => tally.binary(message),
        _ => return Err("a continuation of no message".into()),
    }
    Ok(())
}

fn header(role: Role, message: &[u8]) -> FrameInfo {
    FrameInfo {
        opcode: Opcode::Binary,
        payload_length: message.len() as u64,
        mask: key(role),
        fin: true,
        reserved: 0,
    }
}

fn key(role: Role) -> Option<[u8; 4]> {
    (role == Role::Client).then(rand::random)
}
