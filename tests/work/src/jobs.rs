//! How a peer's bytes become work: the receiver, the slices, and the use of the events.

use crate::frames::{Frame, TestRole, wire};
use crate::handshake_support::client;
use std::hint::black_box;
use std::mem;
use ws_proto::deflate::{self, Params};
use ws_proto::handshake::{
    Answer, HandshakeError, HeadLimits, Incoming, Origin, Scheme, ServerHandshake,
};
use ws_proto::{
    Client, Config, Connection, Event, Message, Negotiated, ProtocolError, Server, WebSocket,
};

/// The measured work.
pub(crate) struct Job {
    pub(crate) name: String,
    /// The number that the work should be in proportion to: usually the number of bytes.
    pub(crate) bytes: usize,
    pub(crate) work: Box<dyn FnOnce()>,
}

impl Job {
    pub(crate) fn new(name: &str, bytes: usize, work: impl FnOnce() + 'static) -> Self {
        Self {
            name: name.to_owned(),
            bytes,
            work: Box::new(work),
        }
    }
}

pub(crate) const fn role<R: TestRole>() -> &'static str {
    if R::MASKS { "client" } else { "server" }
}

/// The lengths of the reads that an input comes in, again and again.
const CUTS: [(&str, &[usize]); 3] = [
    ("whole", &[usize::MAX]),
    ("in odd pieces", &[3, 1, 17, 2, 129, 5]),
    ("byte by byte", &[1]),
];

/// Passes an input on in slices of these lengths.
fn cut(mut input: &mut [u8], lengths: &[usize], mut receive: impl FnMut(&mut [u8])) {
    for &len in lengths.iter().cycle() {
        if input.is_empty() {
            return;
        }
        let len = len.min(input.len());
        let (piece, rest) = mem::take(&mut input).split_at_mut(len);
        input = rest;
        receive(piece);
    }
}

// Frames

/// A layer that receives frames.
trait Layer: 'static {
    const NAME: &str;
    /// Receives until `input` produces nothing more.
    fn receive(&mut self, input: &mut [u8], out: &mut Vec<u8>);
    fn failure(&self) -> Option<ProtocolError>;
}

impl<R: TestRole> Layer for WebSocket<R> {
    const NAME: &str = "WebSocket";

    fn receive(&mut self, mut input: &mut [u8], out: &mut Vec<u8>) {
        while let Some(message) = self.recv(&mut input, out) {
            // Recycled, so that the next message in chunks is assembled in it.
            match message {
                Message::Text(text) => self.recycle(text.into_owned().into_bytes()),
                Message::Binary(bytes) => self.recycle(bytes.into_owned()),
                other => _ = black_box(other),
            }
        }
    }

    fn failure(&self) -> Option<ProtocolError> {
        self.error()
    }
}

impl<R: TestRole> Layer for Connection<R> {
    const NAME: &str = "Connection";

    fn receive(&mut self, mut input: &mut [u8], out: &mut Vec<u8>) {
        while let Some(event) = self.recv(&mut input, out) {
            black_box::<Event<'_>>(event);
        }
    }

    fn failure(&self) -> Option<ProtocolError> {
        self.error()
    }
}

/// Receives frames in both roles, in both layers, with every split. `end` is the end that it must
/// have.
pub(crate) fn receiving(config: &Config, frames: &[Frame], end: Option<ProtocolError>) -> Vec<Job> {
    fn of<R: TestRole>(config: &Config, frames: &[Frame], end: Option<ProtocolError>) -> Vec<Job> {
        let bytes = wire::<R>(frames);
        let mut jobs = layer::<R, _>(
            || WebSocket::new(R::make(), config),
            &bytes,
            bytes.len(),
            end,
        );
        jobs.extend(layer::<R, _>(
            || Connection::new(R::make(), config),
            &bytes,
            bytes.len(),
            end,
        ));
        jobs
    }
    [
        of::<Server>(config, frames, end),
        of::<Client>(config, frames, end),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// That where compression was negotiated with these parameters, for the layer that inflates. The
/// work may also be in proportion to the `inflated` bytes.
pub(crate) fn inflating(
    params: Params,
    config: &Config,
    frames: &[Frame],
    inflated: usize,
    end: Option<ProtocolError>,
) -> Vec<Job> {
    fn of<R: TestRole>(
        params: Params,
        config: &Config,
        frames: &[Frame],
        inflated: usize,
        end: Option<ProtocolError>,
    ) -> Vec<Job> {
        let bytes = wire::<R>(frames);
        let make = || {
            WebSocket::new(
                Negotiated::new(R::make()).with_deflate(&deflate::DeflateConfig::default(), params),
                config,
            )
        };
        layer::<R, _>(make, &bytes, bytes.len() + inflated, end)
    }
    [
        of::<Server>(params, config, frames, inflated, end),
        of::<Client>(params, config, frames, inflated, end),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn layer<R: TestRole, L: Layer>(
    make: impl Fn() -> L,
    input: &[u8],
    bytes: usize,
    end: Option<ProtocolError>,
) -> Vec<Job> {
    let job = |(how, lengths): (&str, &'static [usize])| {
        let (mut layer, mut input, mut out) = (make(), input.to_vec(), Vec::new());
        Job::new(
            &format!("{}, {}, {how}", role::<R>(), L::NAME),
            bytes,
            move || {
                cut(&mut input, lengths, |piece| {
                    layer.receive(piece, &mut out);
                    out.clear();
                });
                assert_eq!(layer.failure(), end);
            },
        )
    };
    CUTS.map(job).into()
}

// Heads

const fn limits(bytes: usize) -> HeadLimits {
    HeadLimits::new()
        .with_max_bytes(bytes)
        .with_max_headers(usize::MAX)
        .with_max_interim(usize::MAX)
}

/// Reads a request of `limit` bytes at most, with every split, reads all its fields, and accepts
/// it. `end` is the end that it must have.
pub(crate) fn serving(limit: usize, head: &str, end: Result<(), HandshakeError>) -> Vec<Job> {
    let job = |(how, lengths): (&str, &'static [usize])| {
        let (mut handshake, mut input, mut out) = (
            ServerHandshake::new().limits(limits(limit)),
            head.as_bytes().to_vec(),
            Vec::new(),
        );
        let config = deflate::DeflateConfig::default();
        let allowed = Origin::parse("https://example.com").unwrap();
        Job::new(how, head.len(), move || {
            let mut came = Ok(false);
            cut(&mut input, lengths, |mut piece| {
                match handshake.recv(&mut piece, &mut out) {
                    Ok(None) => {}
                    Ok(Some(request)) => {
                        for extension in request.extensions() {
                            extension.params().for_each(|param| {
                                _ = black_box(param.value.map(|value| value.bytes().count()))
                            });
                        }
                        black_box((request.path(), request.query(), request.host()));
                        black_box((
                            request.is_same_origin(Scheme::Https),
                            request.origin_is_one_of(&[allowed]),
                        ));
                        black_box((
                            request.headers().get("X-Missing"),
                            request.headers().get_all("X-Many").count(),
                        ));
                        let wanted_least = request.subprotocols().last();
                        let accept = request.accept().deflate(&config);
                        match wanted_least {
                            Some(name) => accept.subprotocol(name),
                            None => accept,
                        }
                        .write(&mut Vec::new())
                        .unwrap();
                        came = Ok(true);
                    }
                    Err(error) => came = Err(error),
                }
            });
            assert_eq!(came, end.map(|()| true));
        })
    };
    CUTS.map(job).into()
}

/// Reads requests that are not for WebSocket, with every split, and answers them.
pub(crate) fn answering(requests: &str) -> Vec<Job> {
    let job = |(how, lengths): (&str, &'static [usize])| {
        let (mut handshake, mut input) = (ServerHandshake::new(), requests.as_bytes().to_vec());
        Job::new(how, requests.len(), move || {
            let mut out = Vec::new();
            cut(&mut input, lengths, |mut piece| {
                while let Some(incoming) = handshake.recv_http(&mut piece, &mut out).unwrap() {
                    let Incoming::Http(request) = incoming else {
                        panic!("{incoming:?}");
                    };
                    black_box((request.method(), request.path(), request.query()));
                    let response = request.respond(200).body(b"ok").keep_alive();
                    out.clear();
                    response.write(&mut out).unwrap();
                }
            });
            assert!(!out.is_empty());
        })
    };
    CUTS.map(job).into()
}

/// Reads a response of `limit` bytes at most, with every split, and reads all its fields. `end` is
/// the end that it must have: whether the connection is open.
pub(crate) fn connecting(limit: usize, head: &str, end: Result<bool, HandshakeError>) -> Vec<Job> {
    let job = |(how, lengths): (&str, &'static [usize])| {
        let handshake = client()
            .subprotocols(&["chat", "superchat"])
            .deflate(&deflate::DeflateConfig::default());
        let (mut handshake, mut input) =
            (handshake.limits(limits(limit)), head.as_bytes().to_vec());
        Job::new(how, head.len(), move || {
            let mut came = None;
            cut(&mut input, lengths, |mut piece| {
                match handshake.recv(&mut piece) {
                    Ok(None) => {}
                    Ok(Some(answer)) => {
                        let (open, response) = match answer {
                            Answer::Accepted { response, .. } => (true, response),
                            Answer::Rejected(response) => (false, response),
                        };
                        black_box((response.status(), response.reason(), response.body()));
                        black_box((
                            response.headers().get("X-Missing"),
                            response.headers().get_all("X-Many").count(),
                        ));
                        came = Some(Ok(open));
                    }
                    Err(error) => came = Some(Err(error)),
                }
            });
            assert_eq!(came, Some(end));
        })
    };
    CUTS.map(job).into()
}
