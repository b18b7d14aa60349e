//! An object for each finding, one a line.

use super::{hex, is_utf8};
use crate::finding::{Finding, Place, Show};
use serde_json::{Map, Value, json};
use std::io::{self, Write};
use ws_proto::MessageKind;
use ws_proto::frame::Opcode;

pub struct Json<W> {
    out: W,
}

impl<W: Write> Json<W> {
    pub const fn new(out: W) -> Self {
        Self { out }
    }

    pub const fn out(&mut self) -> &mut W {
        &mut self.out
    }

    pub fn line(&mut self, value: &Value) -> io::Result<()> {
        writeln!(self.out, "{value}")
    }
}

impl<W: Write> Show for Json<W> {
    fn show(&mut self, place: &Place, finding: &Finding<'_>) -> io::Result<()> {
        let (name, facts) = facts(finding);
        let mut object = Map::new();
        object.insert("type".to_owned(), json!(name));
        if let Some(stream) = place.stream {
            object.insert("stream".to_owned(), json!(stream));
        }
        if let Some(time) = place.time {
            // A number of 64 bits keeps the microseconds.
            let seconds = time.as_secs() as f64 + f64::from(time.subsec_micros()) / 1e6;
            object.insert("time".to_owned(), json!(seconds));
        }
        if !matches!(finding, Finding::Stream { .. } | Finding::Ended(_)) {
            object.insert("from".to_owned(), json!(place.from.name()));
            object.insert("offset".to_owned(), json!(place.offset));
        }
        if let Value::Object(facts) = facts {
            object.extend(facts);
        }
        self.line(&Value::Object(object))
    }
}

fn facts(finding: &Finding<'_>) -> (&'static str, Value) {
    match finding {
        Finding::Stream { client, server } => {
            ("stream", json!({"client": client, "server": server}))
        }
        Finding::Head { bytes, is_complete } => {
            let text = String::from_utf8_lossy(bytes);
            ("head", json!({"complete": is_complete, "text": text}))
        }
        Finding::Body(body) => {
            let mut facts = json!({"complete": body.is_complete, "length": body.len});
            if is_utf8(&body.content) {
                facts["text"] = json!(String::from_utf8_lossy(&body.content));
            } else {
                facts["bytes"] = json!(hex(&body.content, ""));
            }
            ("body", facts)
        }
        Finding::Opened(opened) => {
            let deflate = opened.deflate.map(|params| {
                json!({
                    "client_max_window_bits": params.client_max_window_bits(),
                    "client_no_context_takeover": params.client_no_context_takeover(),
                    "server_max_window_bits": params.server_max_window_bits(),
                    "server_no_context_takeover": params.server_no_context_takeover(),
                })
            });
            let facts = json!({"subprotocol": opened.subprotocol, "permessage_deflate": deflate});
            ("open", facts)
        }
        Finding::Frame(frame) => {
            let header = &frame.header;
            let mut facts = json!({
                "fin": header.fin,
                "rsv": header.rsv,
                "opcode": u8::from(header.opcode),
                "name": header.opcode.to_string(),
                "masked": header.mask.is_some(),
                "key": header.mask.map(|key| hex(&key.0, "")),
                "header_length": frame.header_len,
                "length": header.len,
                "complete": frame.is_complete(),
                "compressed": frame.compressed,
                "discarded": frame.discarded,
            });
            facts["payload"] = json!(if frame.missing == 0 {
                hex(&frame.payload, "")
            } else {
                String::new()
            });
            facts["payload_complete"] =
                json!(frame.is_complete() && frame.payload.len() as u64 == header.len);
            if let (Opcode::CLOSE, Some((&code, reason))) =
                (header.opcode, frame.payload.split_first_chunk())
            {
                facts["close_code"] = json!(u16::from_be_bytes(code));
                facts["close_reason"] = json!(String::from_utf8_lossy(reason));
            }
            if let Some((opcode, payload)) = &frame.answer {
                facts["answer"] = json!({"name": opcode.to_string(), "payload": hex(payload, "")});
            }
            ("frame", facts)
        }
        Finding::Message(message) => {
            let mut facts = json!({
                "kind": message.kind.to_string(),
                "complete": !message.is_failed,
                "compressed": message.compressed,
                "frames": message.frames,
                "wire_length": message.wire_len,
                "length": message.len,
                "content_complete": message.content.len() as u64 == message.len,
            });
            match message.kind {
                MessageKind::Text => {
                    facts["text"] = json!(String::from_utf8_lossy(&message.content))
                }
                MessageKind::Binary => facts["bytes"] = json!(hex(&message.content, "")),
            }
            ("message", facts)
        }
        Finding::Violation(violation) => (
            "violation",
            json!({
                "rule": violation.rule,
                "section": violation.section,
                "reaction": violation.reaction,
            }),
        ),
        Finding::Note(text) => ("note", json!({"text": text})),
        Finding::Ended(text) => ("end", json!({"text": text})),
    }
}
