//! The rows of the table. In their names, S is a server and C is a client.

use crate::frames::{self, FIN, Kind, PAYLOAD_OF_PING, PING, RSV1, Role, Writer};
use crate::jobs::{Accept, Connect, REQUEST, Receive, Result, Send, Work};
use crate::json::{self, Deflater, Inflater};
use crate::measure::{self, Contender, Measured, Speed};
use crate::memory;
use crate::peers::{self, Peer};
use crate::tally::Tally;
use Role::{Client, Server};
use std::hint::black_box;

const KIB: usize = 1 << 10;
const MIB: usize = 1 << 20;
const CONNECTIONS: usize = 100_000;

pub struct Row {
    pub name: String,
    prepare: Box<dyn Fn() -> Job>,
}

/// A job, prepared.
#[derive(Clone, Copy)]
enum Job {
    Receive(&'static Receive),
    Inflate(&'static Receive),
    Send(&'static Send<[u8]>),
    /// The frame is written as a header and the caller's payload, which is not copied.
    SendUncopied(&'static Send<[u8]>),
    Deflate(&'static Send<str>),
    Accept(&'static Accept),
    Connect(&'static Connect),
    /// Connections in turn, each of which receives the job's messages.
    Turns(&'static Receive, usize),
    /// Memory of a connection that has received a message, and waits.
    Idle(&'static Receive),
}

/// Where reads end.
#[derive(Clone, Copy)]
enum Read {
    /// After this number of bytes.
    Bytes(usize),
    /// After this number of frames.
    Frames(usize),
}

const READ: Read = Read::Bytes(16 * KIB);

#[derive(Clone, Copy)]
enum Content {
    Binary,
    Ascii,
    /// Text in several scripts.
    Mixed,
}

impl Content {
    fn kind(self) -> Kind {
        match self {
            Self::Binary => Kind::Binary,
            Self::Ascii | Self::Mixed => Kind::Text,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::Ascii => "ASCII",
            Self::Mixed => "mixed text",
        }
    }

    fn payload(self, size: usize) -> Vec<u8> {
        match self {
            Self::Binary => frames::binary(size),
            Self::Ascii => frames::ascii(size).into(),
            Self::Mixed => frames::mixed(size).into(),
        }
    }
}

pub fn all() -> Vec<Row> {
    use Content::{Ascii, Binary, Mixed};
    let mut rows = Rows(Vec::new());
    for role in [Server, Client] {
        // As many as fit into the L2 cache, and not into L1.
        for (size, count) in [(16, 4096), (64, 1024), (125, 512)] {
            rows.receive("", role, Binary, size, count, READ);
        }
        if role == Server {
            rows.receive("", role, Ascii, 64, 1024, READ);
        }
    }
    for role in [Server, Client] {
        for size in [16, 64, 125] {
            let how = ", one message a read";
            rows.receive(how, role, Binary, size, 512, Read::Frames(1));
        }
    }
    for (role, size, count, read, how) in [
        (Server, KIB, 60, Read::Frames(15), ""),
        (Server, 4 * KIB, 15, Read::Frames(3), ""),
        (Server, 16 * KIB, 16, READ, ", split by reads"),
        (Client, 16 * KIB, 16, READ, ", split by reads"),
    ] {
        for content in [Binary, Ascii, Mixed] {
            rows.receive(how, role, content, size, count, read);
        }
    }
    for (role, size) in [(Server, MIB), (Client, MIB), (Server, 16 * MIB)] {
        let read = Read::Bytes(64 * KIB);
        rows.receive(", reads of 64 KiB", role, Binary, size, 1, read);
    }
    for content in [Ascii, Mixed] {
        let name = content.name();
        let name = format!("receive 1 MiB {name}, frames of 1 KiB with Pings, S");
        rows.add(name, move || Job::Receive(fragments(&content.payload(MIB))));
    }
    for size in [125, KIB] {
        let how = ", one byte a read";
        rows.receive(how, Server, Ascii, size, 16, Read::Bytes(1));
    }

    for role in [Server, Client] {
        for (size, count) in [(16, 1024), (125, 512), (KIB, 64), (64 * KIB, 4), (MIB, 1)] {
            // A server's payload need not be copied: the rows below are for that.
            let in_one_slice = role == Server && size >= KIB;
            let how = if in_one_slice { " in one slice" } else { "" };
            let name = format!("send {}{how}, {}", bytes(size), short(role));
            rows.add(name, move || {
                Job::Send(binaries(role, size, count, in_one_slice))
            });
        }
    }
    for (size, count) in [(KIB, 64), (64 * KIB, 4), (MIB, 1)] {
        let name = format!("send {} without a copy, S", bytes(size));
        rows.add(name, move || {
            Job::SendUncopied(binaries(Server, size, count, false))
        });
    }

    rows.add("handshake, S".into(), || {
        Job::Accept(leak(Accept::new(REQUEST)))
    });
    rows.add("handshake, C".into(), || Job::Connect(leak(Connect::new())));

    for (takeover, how) in [(true, ""), (false, ", no context takeover")] {
        for size in [256, KIB, 16 * KIB] {
            let json = format!("{} JSON{how}", bytes(size));
            rows.add(format!("inflate {json}, C"), move || {
                Job::Inflate(compressed(size, takeover))
            });
            rows.add(format!("deflate {json}, S"), move || {
                Job::Deflate(jsons(size, takeover))
            });
        }
    }

    let one = || messages(Server, Binary, 125, 1, Read::Frames(1));
    for (connections, how) in [
        (1, "1 connection"),
        (CONNECTIONS, "100,000 connections in turn"),
    ] {
        rows.add(format!("receive 125 B binary, {how}, S"), move || {
            Job::Turns(one(), connections)
        });
    }
    rows.add("memory of an idle connection, S".into(), move || {
        Job::Idle(one())
    });
    rows.0
}

struct Rows(Vec<Row>);

impl Rows {
    fn add(&mut self, name: String, prepare: impl Fn() -> Job + 'static) {
        let prepare = Box::new(prepare);
        self.0.push(Row { name, prepare });
    }

    fn receive(
        &mut self,
        how: &str,
        role: Role,
        content: Content,
        size: usize,
        count: usize,
        read: Read,
    ) {
        let what = format!("{} {}", bytes(size), content.name());
        self.add(format!("receive {what}{how}, {}", short(role)), move || {
            Job::Receive(messages(role, content, size, count, read))
        });
    }
}

fn short(role: Role) -> &'static str {
    match role {
        Server => "S",
        Client => "C",
    }
}

fn bytes(n: usize) -> String {
    match n {
        0..KIB => format!("{n} B"),
        KIB..MIB => format!("{} KiB", n / KIB),
        _ => format!("{} MiB", n / MIB),
    }
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}

/// `count` messages of one frame each, for an endpoint of role `role`.
fn messages(
    role: Role,
    content: Content,
    size: usize,
    count: usize,
    read: Read,
) -> &'static Receive {
    let (kind, payload) = (content.kind(), content.payload(size));
    let mut writer = Writer::new(role.other());
    (0..count).for_each(|_| writer.message(kind, &payload));
    let expected = frames::tally([(kind, &payload[..])]).times(count);
    let frame = writer.bytes.len() / count;
    let (whole, read) = match read {
        Read::Bytes(read) => (false, read),
        Read::Frames(frames) => (true, frames * frame),
    };
    let mut job = Receive::new(role, kind, writer.bytes, read, expected);
    job.whole = whole;
    job.longest = payload.len();
    leak(job)
}

/// A text in frames of 1 KiB, with a Ping before every eighth.
fn fragments(text: &[u8]) -> &'static Receive {
    let mut writer = Writer::new(Client);
    let (mut pings, frames) = (0, text.len() / KIB);
    for (n, fragment) in text.chunks(KIB).enumerate() {
        if n % 8 == 7 {
            writer.frame(FIN | PING, PAYLOAD_OF_PING);
            pings += 1;
        }
        let fin = if n + 1 == frames { FIN } else { 0 };
        let opcode = if n == 0 { Kind::Text as u8 } else { 0 };
        writer.frame(fin | opcode, fragment);
    }
    let expected = frames::tally([(Kind::Text, text)]);
    let mut job = Receive::new(Server, Kind::Text, writer.bytes, 16 * KIB, expected);
    job.pings = pings;
    job.longest = text.len();
    job.fragments = true;
    leak(job)
}

fn binaries(role: Role, size: usize, count: usize, in_one_slice: bool) -> &'static Send<[u8]> {
    let payload: &[u8] = frames::binary(size).leak();
    let mut job = Send::new(role, vec![payload; count]);
    job.in_one_slice = in_one_slice;
    leak(job)
}

/// Compressed messages, for a client.
fn compressed(size: usize, takeover: bool) -> &'static Receive {
    let texts = json::messages(size);
    let mut deflater = Deflater::new(takeover);
    let mut writer = Writer::new(Server);
    for text in &texts {
        let payload = deflater.deflate(text.as_bytes());
        writer.frame(FIN | RSV1 | Kind::Text as u8, payload);
    }
    let expected = frames::tally(texts.iter().map(|text| (Kind::Text, text.as_bytes())));
    let mut job = Receive::new(Client, Kind::Text, writer.bytes, 16 * KIB, expected);
    job.takeover = takeover;
    leak(job)
}

fn jsons(size: usize, takeover: bool) -> &'static Send<str> {
    let texts = json::messages(size).into_iter();
    let texts = texts.map(|text| &*text.leak()).collect();
    let mut job = Send::new(Server, texts);
    job.takeover = takeover;
    leak(job)
}

impl Job {
    /// The job as `peer` does it, unless it cannot.
    fn work(self, peer: &dyn Peer) -> Option<Work> {
        match self {
            Self::Receive(job) | Self::Idle(job) => peer.receive(job),
            Self::Inflate(job) => peer.inflate(job),
            Self::Send(job) => peer.send(job),
            Self::SendUncopied(job) => peer.send_uncopied(job),
            Self::Deflate(job) => peer.deflate(job),
            Self::Accept(job) => peer.accept(job),
            Self::Connect(job) => peer.connect(job),
            Self::Turns(job, connections) => {
                // Those that keep a read buffer for each connection would not fit into memory.
                if waiting(peer, job)? * connections > 64 << 20 {
                    return None;
                }
                let connections: Option<Vec<Work>> =
                    (0..connections).map(|_| peer.receive(job)).collect();
                let mut connections = connections?;
                shuffle(&mut connections);
                Some(Box::new(move |tally| {
                    connections.iter_mut().try_for_each(|work| work(tally))
                }))
            }
        }
    }

    /// The memory or time that the harness and the backend need by themselves.
    fn floor(self) -> Work {
        match self {
            Self::Receive(job) | Self::Idle(job) => Box::new(move |_| {
                job.each_read(|input| {
                    black_box(input);
                    Ok(())
                })
            }),
            Self::Turns(job, connections) => Box::new(move |_| {
                (0..connections).try_for_each(|_| {
                    job.each_read(|input| {
                        black_box(input);
                        Ok(())
                    })
                })
            }),
            Self::Inflate(job) => {
                let frames = frames::read(&job.stream, job.role.other()).expect("valid");
                let mut inflater = Inflater::new(job.takeover);
                Box::new(move |tally| {
                    for frame in &frames {
                        let text = inflater.inflate(&frame.payload);
                        tally.text(simdutf8::basic::from_utf8(text)?);
                    }
                    Ok(())
                })
            }
            Self::Send(job) => {
                let mut out = Vec::new();
                Box::new(move |_| {
                    for message in &job.messages {
                        out.clear();
                        out.extend_from_slice(message);
                        job.sink.write(&out);
                    }
                    Ok(())
                })
            }
            Self::SendUncopied(job) => Box::new(move |_| {
                job.messages
                    .iter()
                    .for_each(|message| job.sink.write(message));
                Ok(())
            }),
            Self::Deflate(job) => {
                let mut deflater = Deflater::new(job.takeover);
                Box::new(move |_| {
                    for message in &job.messages {
                        job.sink.write(deflater.deflate(message.as_bytes()));
                    }
                    Ok(())
                })
            }
            Self::Accept(job) => Box::new(move |_| {
                job.read_request(|request| {
                    black_box(request);
                    Ok(())
                })
            }),
            Self::Connect(job) => Box::new(move |_| {
                job.exchange(REQUEST, |answer| {
                    black_box(answer);
                });
                Ok(())
            }),
        }
    }

    fn verify(self, work: &mut Work) -> Result {
        match self {
            Self::Receive(job) | Self::Inflate(job) | Self::Idle(job) => job.verify(1, work),
            Self::Turns(job, connections) => job.verify(connections, work),
            Self::Send(job) | Self::SendUncopied(job) => job.verify(work),
            Self::Deflate(job) => job.verify(work),
            Self::Accept(job) => job.verify(work),
            Self::Connect(job) => job.verify(work),
        }
    }

    /// The number of messages, or handshakes, of a pass.
    fn messages(self) -> u64 {
        match self {
            Self::Receive(job) | Self::Inflate(job) | Self::Idle(job) => job.expected.messages,
            Self::Turns(job, connections) => job.expected.messages * connections as u64,
            Self::Send(job) | Self::SendUncopied(job) => job.messages.len() as u64,
            Self::Deflate(job) => job.messages.len() as u64,
            Self::Accept(_) | Self::Connect(_) => 1,
        }
    }
}

/// The memory of a connection that has received the messages and waits for more, with all that it
/// has allocated.
fn waiting(peer: &dyn Peer, job: &'static Receive) -> Option<usize> {
    let (connection, memory) = memory::live(|| {
        let mut connection = peer.receive(job)?;
        connection(&mut Tally::default()).ok()?;
        Some(connection)
    });
    connection.map(|_| memory)
}

/// In an order that no prefetcher foresees.
fn shuffle<T>(items: &mut [T]) {
    let mut state = 1_usize;
    for n in (1..items.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        items.swap(n, (state >> 33) % (n + 1));
    }
}

impl Row {
    /// Verifies all that take part, then measures them in turn.
    pub fn measure(&self, peers: &[Box<dyn Peer>], speed: Speed) -> Measured {
        let job = (self.prepare)();
        let mut contenders = Vec::new();
        for peer in peers {
            let Some(work) = job.work(&**peer) else {
                continue;
            };
            let mut contender = Contender::new(&**peer, work);
            let is_right = contender.verify(|work| job.verify(work));
            if let (Job::Idle(job), true) = (job, is_right) {
                let memory = waiting(&**peer, job).expect("it receives");
                contender.add_sample(memory as f64);
            }
            contenders.push(contender);
        }
        if let Job::Idle(_) = job {
            return Measured::new("B", job.messages(), contenders);
        }
        contenders.push(Contender::floor(job.floor()));
        measure::race(contenders, job.messages(), speed)
    }

    /// Repeats the work of a peer, or of the floor.
    pub fn repeat(&self, name: &str, times: usize) -> Result {
        let job = (self.prepare)();
        let mut work = if name == "floor" {
            job.floor()
        } else {
            let peers = peers::all();
            let peer = peers
                .iter()
                .find(|peer| peer.name() == name)
                .ok_or("not a peer")?;
            let mut work = job.work(&**peer).ok_or("the peer does not do this")?;
            job.verify(&mut work)?;
            work
        };
        let mut tally = Tally::default();
        (0..times).try_for_each(|_| work(&mut tally))
    }

    /// The names of those that take part.
    pub fn peers<'a>(&self, peers: &'a [Box<dyn Peer>]) -> Vec<&'a str> {
        let job = (self.prepare)();
        peers
            .iter()
            .filter(|peer| job.work(&***peer).is_some())
            .map(|peer| peer.name())
            .collect()
    }
}
