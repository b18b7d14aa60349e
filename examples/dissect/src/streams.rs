//! The TCP streams of a capture: distinguishes them, and passes the bytes of each end to a
//! conversation.

use crate::conversation::{Conversation, Options, Protocol, Transport, Verdict};
use crate::finding::{Finding, Peer, Place, Show};
use crate::tcp::{Delivery, Order, Segment};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// How many streams are open at a time. If there are more, those that were silent for longest end.
const MAX_OPEN: usize = 1 << 15;
/// How many closed streams are remembered, so that a late segment does not begin another.
const MAX_CLOSED: usize = 1 << 12;

/// Which streams are looked at, and how.
#[derive(Clone)]
pub struct Selection {
    /// Only this one.
    pub stream: Option<u32>,
    /// Only those to this port, which is that of the server.
    pub port: Option<u16>,
    pub options: Options,
}

/// The streams of a capture.
pub struct Streams {
    selection: Selection,
    open: HashMap<(SocketAddr, SocketAddr), Stream>,
    /// The streams that ended, the oldest first.
    closed: VecDeque<(SocketAddr, SocketAddr)>,
    count: u32,
    segments: u64,
    pub summary: Summary,
}

/// The results for the streams.
#[derive(Default)]
pub struct Summary {
    pub streams: u64,
    pub websocket: u64,
    pub tls: u64,
    pub http2: u64,
    /// Streams whose beginning was not captured, so that nothing is known of them.
    pub headless: u64,
    /// Streams with a head of which bytes are missing.
    pub gaps: u64,
    pub violations: u64,
    /// WebSocket conversations of which a part could not be read.
    pub incomplete: u64,
    pub repeated: u64,
}

struct Stream {
    number: u32,
    /// The end that sent the first packet.
    first: SocketAddr,
    syn: Option<u32>,
    client: Option<SocketAddr>,
    orders: [Order; 2],
    conversation: Option<Box<Conversation>>,
    is_selected: bool,
    /// When it was last seen, as a number of segments.
    last_seen: u64,
    last_time: Duration,
    /// When TCP was closed, and who did it.
    end_time: Option<Duration>,
    fin: Option<SocketAddr>,
    rst: Option<SocketAddr>,
}

impl Streams {
    pub fn new(selection: Selection) -> Self {
        Self {
            selection,
            open: HashMap::new(),
            closed: VecDeque::new(),
            count: 0,
            segments: 0,
            summary: Summary::default(),
        }
    }

    /// Takes the next segment of the capture.
    pub fn take(&mut self, segment: &Segment<'_>, out: &mut dyn Show) -> io::Result<()> {
        self.segments += 1;
        let key = if segment.from <= segment.to {
            (segment.from, segment.to)
        } else {
            (segment.to, segment.from)
        };
        let is_first_syn = segment.syn && segment.ack.is_none();
        // The same addresses again are another stream.
        let is_new = |stream: &Stream| is_first_syn && stream.syn != Some(segment.seq);
        if self.open.get(&key).is_some_and(is_new) {
            self.end(key, true, out)?;
        }
        if !self.open.contains_key(&key) {
            if !is_first_syn && self.closed.contains(&key) {
                return Ok(());
            }
            self.make_room(out)?;
            let stream = Stream::new(self.count, segment, &self.selection);
            self.count += 1;
            self.summary.streams += 1;
            self.open.insert(key, stream);
        }
        let Some(stream) = self.open.get_mut(&key) else {
            return Ok(());
        };
        stream.last_seen = self.segments;
        stream.last_time = segment.time;
        stream.take(segment, &self.selection, &mut self.summary.repeated, out)?;
        if segment.rst || stream.orders.iter().all(Order::is_over) {
            self.end(key, true, out)?;
        }
        Ok(())
    }

    /// Ends all streams, since the capture ends.
    pub fn finish(&mut self, out: &mut dyn Show) -> io::Result<()> {
        let mut keys: Vec<_> = self
            .open
            .iter()
            .map(|(key, stream)| (stream.number, *key))
            .collect();
        keys.sort_unstable();
        keys.into_iter()
            .try_for_each(|(_, key)| self.end(key, false, out))
    }

    fn end(
        &mut self,
        key: (SocketAddr, SocketAddr),
        is_over: bool,
        out: &mut dyn Show,
    ) -> io::Result<()> {
        let Some(mut stream) = self.open.remove(&key) else {
            return Ok(());
        };
        if self.closed.len() == MAX_CLOSED {
            self.closed.pop_front();
        }
        self.closed.push_back(key);
        let summary = &mut self.summary;
        for index in [0, 1] {
            stream.finish(index, &mut summary.repeated, out)?;
        }
        let peer = |address| match stream.client == Some(address) {
            true => Peer::Client,
            false => Peer::Server,
        };
        let transport = Transport {
            is_over,
            fin: stream.fin.map(peer),
            rst: stream.rst.map(peer),
        };
        let time = stream.end_time.unwrap_or(stream.last_time);
        let is_headless = stream.is_headless();
        let Some(mut conversation) = stream.conversation else {
            return Ok(());
        };
        let Verdict {
            violations,
            is_incomplete,
            other,
        } = conversation.end(Some(time), transport, out)?;
        summary.violations += violations;
        summary.incomplete += u64::from(is_incomplete);
        match other {
            None => summary.websocket += 1,
            Some(Protocol::Tls) => summary.tls += 1,
            Some(Protocol::Http2) => summary.http2 += 1,
            Some(Protocol::Gap) => summary.gaps += 1,
            Some(_) => summary.headless += u64::from(is_headless),
        }
        Ok(())
    }

    /// Ends the older half of the streams if there are too many.
    fn make_room(&mut self, out: &mut dyn Show) -> io::Result<()> {
        if self.open.len() < MAX_OPEN {
            return Ok(());
        }
        let mut keys: Vec<_> = self
            .open
            .iter()
            .map(|(key, stream)| (stream.last_seen, *key))
            .collect();
        keys.sort_unstable();
        keys.truncate(MAX_OPEN / 2);
        keys.into_iter()
            .try_for_each(|(_, key)| self.end(key, false, out))
    }
}

impl Stream {
    fn new(number: u32, segment: &Segment<'_>, selection: &Selection) -> Self {
        let is_port = |port| segment.from.port() == port || segment.to.port() == port;
        Self {
            number,
            first: segment.from,
            syn: None,
            client: None,
            orders: Default::default(),
            conversation: None,
            is_selected: selection.stream.is_none_or(|stream| stream == number)
                && selection.port.is_none_or(is_port),
            last_seen: 0,
            last_time: segment.time,
            end_time: None,
            fin: None,
            rst: None,
        }
    }

    const fn is_headless(&self) -> bool {
        self.syn.is_none()
    }

    /// Takes the next segment of this stream.
    fn take(
        &mut self,
        segment: &Segment<'_>,
        selection: &Selection,
        repeated: &mut u64,
        out: &mut dyn Show,
    ) -> io::Result<()> {
        let index = usize::from(segment.from != self.first);
        if segment.syn {
            self.orders[index].begin(segment.seq);
            if segment.ack.is_none() {
                self.syn = Some(segment.seq);
            }
            self.client = Some(if segment.ack.is_none() {
                segment.from
            } else {
                segment.to
            });
        }
        if segment.fin {
            self.fin.get_or_insert(segment.from);
        }
        if segment.rst {
            self.rst = Some(segment.from);
        }
        if segment.fin || segment.rst {
            self.end_time.get_or_insert(segment.time);
        }
        if let Some(ack) = segment.ack {
            self.orders[1 - index].acknowledge(ack);
        }
        if !self.is_selected {
            return Ok(());
        }
        if self.conversation.is_none() && !segment.payload.is_empty() {
            self.converse(segment, selection, out)?;
        }
        let (order, mut deliver) = self.deliver(index, repeated, out);
        order.take(segment, &mut deliver)
    }

    /// Gives up the missing bytes of one direction.
    fn finish(&mut self, index: usize, repeated: &mut u64, out: &mut dyn Show) -> io::Result<()> {
        let (order, mut deliver) = self.deliver(index, repeated, out);
        order.finish(&mut deliver)
    }

    /// The order of one direction, and the way from it to the conversation.
    fn deliver<'a>(
        &'a mut self,
        index: usize,
        repeated: &'a mut u64,
        out: &'a mut dyn Show,
    ) -> (
        &'a mut Order,
        impl FnMut(Duration, Delivery<'_>) -> io::Result<()> + 'a,
    ) {
        let is_client = self
            .client
            .is_none_or(|client| (client == self.first) == (index == 0));
        let from = if is_client {
            Peer::Client
        } else {
            Peer::Server
        };
        let conversation = &mut self.conversation;
        let deliver = move |time, delivery: Delivery<'_>| {
            let Some(conversation) = conversation else {
                return Ok(());
            };
            let time = Some(time);
            match delivery {
                Delivery::Data(bytes) => conversation.feed(from, time, bytes, out),
                Delivery::Gap(len) => conversation.skip(from, time, len, out),
                Delivery::Repeated { len, .. } => {
                    *repeated += len;
                    Ok(())
                }
                Delivery::Contradiction { offset } => {
                    let text = "bytes arrived twice, and differ: the first ones are shown";
                    conversation.note(from, time, offset, text, out)
                }
            }
        };
        (&mut self.orders[index], deliver)
    }

    /// Begins the conversation, with its first data.
    fn converse(
        &mut self,
        segment: &Segment<'_>,
        selection: &Selection,
        out: &mut dyn Show,
    ) -> io::Result<()> {
        let by_port = || match selection.port {
            Some(port) if segment.to.port() == port => Some(segment.from),
            Some(_) => Some(segment.to),
            None => None,
        };
        let by_head = || match segment.payload {
            [b'H', b'T', b'T', b'P', b'/', ..] => Some(segment.to),
            [b'A'..=b'Z', b'A'..=b'Z', ..] => Some(segment.from),
            _ => None,
        };
        let by_mask = || match segment.payload {
            [_, second, ..] if second & 0x80 != 0 => segment.from,
            _ => segment.to,
        };
        let known = self.client.or_else(by_port).or_else(by_head);
        let client = known.unwrap_or_else(by_mask);
        self.client = Some(client);
        let server = if client == segment.from {
            segment.to
        } else {
            segment.from
        };
        let is_asked_for = selection.stream.is_some() || selection.port.is_some();
        let names = (client.to_string(), server.to_string());
        let mut conversation =
            Conversation::new(Some(self.number), Some(names), selection.options.clone());
        if is_asked_for {
            let place = Place {
                stream: Some(self.number),
                time: Some(segment.time),
                from: Peer::Client,
                offset: 0,
            };
            conversation.reveal(&place, out)?;
            if self.is_headless() {
                let text =
                    "the beginning of the stream was not captured: frames are taken to begin here";
                out.show(&place, &Finding::Note(text))?;
            }
            if known.is_none() {
                let text = "which end is the client is guessed from the mask of the first frame: --port names the server";
                out.show(&place, &Finding::Note(text))?;
            }
        }
        self.conversation = Some(Box::new(conversation));
        Ok(())
    }
}
