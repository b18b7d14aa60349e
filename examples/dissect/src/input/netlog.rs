//! The log of the network that Chromium writes (chrome://net-export, `--log-net-log`): JSON, with
//! an event in each line. With raw bytes, it has those of TLS connections before encryption.

use crate::conversation::{Conversation, Protocol, Transport};
use crate::finding::{Peer, Show};
use crate::input::Error;
use crate::streams::{Selection, Summary};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};
use std::time::Duration;

/// The longest line: no event is as long.
const MAX_LINE: u64 = 64 << 20;

/// Whether a file begins like a log.
pub fn is_log(start: &[u8]) -> bool {
    start.starts_with(b"{\"constants\":")
}

pub const REFORMATTED: &str = "a log of chrome://net-export that was reformatted: give it as Chrome wrote it, one event in each line";

/// Whether a file is a log with other line ends.
pub fn is_reformatted(start: &[u8]) -> bool {
    let mut start: Vec<u8> = start.to_vec();
    start.retain(|byte| !byte.is_ascii_whitespace());
    is_log(&start)
}

/// The sockets of a log. One with TLS has two conversations, of which one is encrypted.
struct Sockets<'a> {
    selection: &'a Selection,
    open: BTreeMap<(u32, bool), Conversation>,
    addresses: BTreeMap<u32, (String, String)>,
    has_bytes: bool,
    summary: Summary,
}

/// Reads a log to its end.
pub fn read(input: impl Read, selection: &Selection, out: &mut dyn Show) -> Result<Summary, Error> {
    let mut input = BufReader::new(input);
    let first = line(&mut input)?.unwrap_or_default();
    if first.contains("\"events\":") {
        return Err(REFORMATTED.to_owned().into());
    }
    let constants: Value = serde_json::from_str(&format!("{}}}", first.trim_end_matches(',')))
        .map_err(|error| format!("the log cannot be read: {error}"))?;
    let constants = &constants["constants"];
    let offset = constants["timeTickOffset"].as_u64().unwrap_or(0);
    let names = constants["logEventTypes"].as_object().into_iter().flatten();
    let types: BTreeMap<u64, &str> = names
        .filter_map(|(name, number)| Some((number.as_u64()?, name.as_str())))
        .collect();
    let mut sockets = Sockets {
        selection,
        open: BTreeMap::new(),
        addresses: BTreeMap::new(),
        has_bytes: false,
        summary: Summary::default(),
    };
    let mut last = None;
    while let Some(text) = line(&mut input)? {
        let text = text.trim_end_matches([',', ']', '}', ' ']);
        // The last event may be incomplete, and the rest after the events is not needed.
        let Ok(event) = serde_json::from_str::<Value>(&format!("{text}}}")) else {
            continue;
        };
        let ticks = event["time"].as_str().and_then(|time| time.parse().ok());
        let time = ticks.map(|ticks: u64| Duration::from_millis(ticks + offset));
        let id = event["source"]["id"]
            .as_u64()
            .and_then(|id| u32::try_from(id).ok());
        let name = event["type"].as_u64().and_then(|number| types.get(&number));
        if let (Some(id), Some(name)) = (id, name) {
            last = time.or(last);
            sockets.take(id, name, &event, time, out)?;
        }
    }
    for key in sockets.open.keys().copied().collect::<Vec<_>>() {
        sockets.end(key, last, false, out)?;
    }
    if sockets.has_bytes {
        Ok(sockets.summary)
    } else {
        Err(
            "the log has no bytes: choose \"Include raw bytes\" before the start"
                .to_owned()
                .into(),
        )
    }
}

fn line(input: &mut impl BufRead) -> Result<Option<String>, Error> {
    let mut line = Vec::new();
    let read = input.take(MAX_LINE).read_until(b'\n', &mut line);
    match read.map_err(|error| error.to_string())? {
        0 => Ok(None),
        _ => Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned())),
    }
}

impl Sockets<'_> {
    fn take(
        &mut self,
        id: u32,
        name: &str,
        event: &Value,
        time: Option<Duration>,
        out: &mut dyn Show,
    ) -> io::Result<()> {
        let params = &event["params"];
        let (from, is_tls) = match name {
            "SOCKET_BYTES_SENT" => (Peer::Client, false),
            "SOCKET_BYTES_RECEIVED" => (Peer::Server, false),
            "SSL_SOCKET_BYTES_SENT" => (Peer::Client, true),
            "SSL_SOCKET_BYTES_RECEIVED" => (Peer::Server, true),
            "TCP_CONNECT" => {
                let address = |name: &str| Some(params[name].as_str()?.to_owned());
                if let (Some(local), Some(remote)) =
                    (address("local_address"), address("remote_address"))
                {
                    self.addresses.insert(id, (local, remote));
                }
                return Ok(());
            }
            // Its second phase is the end.
            "SOCKET_ALIVE" if event["phase"] == 2 => {
                self.addresses.remove(&id);
                self.end((id, false), time, true, out)?;
                return self.end((id, true), time, true, out);
            }
            _ => return Ok(()),
        };
        let Some(bytes) = params["bytes"]
            .as_str()
            .and_then(|text| BASE64_STANDARD.decode(text).ok())
        else {
            return Ok(());
        };
        self.has_bytes = true;
        let unknown = || ("unknown".to_owned(), "unknown".to_owned());
        let names = self.addresses.get(&id).cloned().unwrap_or_else(unknown);
        let port = names
            .1
            .rsplit(':')
            .next()
            .and_then(|port| port.parse().ok());
        let Selection {
            stream,
            port: only,
            options,
        } = self.selection;
        if stream.is_some_and(|stream| stream != id) || only.is_some() && *only != port {
            return Ok(());
        }
        let conversation = self.open.entry((id, is_tls)).or_insert_with(|| {
            self.summary.streams += 1;
            Conversation::new(Some(id), Some(names), options.clone())
        });
        conversation.feed(from, time, &bytes, out)
    }

    fn end(
        &mut self,
        key: (u32, bool),
        time: Option<Duration>,
        is_over: bool,
        out: &mut dyn Show,
    ) -> io::Result<()> {
        let Some(mut conversation) = self.open.remove(&key) else {
            return Ok(());
        };
        let transport = Transport {
            is_over,
            ..Transport::default()
        };
        let verdict = conversation.end(time, transport, out)?;
        let summary = &mut self.summary;
        summary.violations += verdict.violations;
        summary.incomplete += u64::from(verdict.is_incomplete);
        match verdict.other {
            None => summary.websocket += 1,
            Some(Protocol::Tls) => summary.streams -= 1,
            Some(Protocol::Http2) => summary.http2 += 1,
            Some(_) => {}
        }
        Ok(())
    }
}
