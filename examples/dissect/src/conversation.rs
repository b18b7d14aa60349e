//! A conversation: the HTTP before it, the opening handshake, and the two directions of frames.
//!
//! The two ends alternate until the connection is open: the client's bytes after its handshake wait
//! for the response, which decides how they are read.

use crate::direction::{Answers, Direction, Extensions};
use crate::finding::{self, Finding, Opened, Peer, Place, Show, Violation};
use crate::handshake::{self, Handshake};
use crate::http::{self, Body, Head, Start};
use std::collections::VecDeque;
use std::io;
use std::time::Duration;
use ws_proto::deflate::Params;
use ws_proto::handshake::{Body as Framing, HandshakeError, Response};
use ws_proto::{Client, Server};

/// How much waits for a response. If there is more, the response was not captured.
const MAX_WAITING: usize = 1 << 20;
/// How many requests wait for a response.
const MAX_REQUESTS: usize = 1000;

#[derive(Clone)]
pub struct Options {
    /// How much of a payload or of a message is kept to be shown, in bytes.
    pub shown: usize,
    /// Whether requests are shown that have nothing to do with WebSocket.
    pub shows_http: bool,
    /// Whether bytes that are no HTTP are frames.
    pub assumes_frames: bool,
    /// Whether bytes are fed in the order in which they were captured.
    pub is_ordered: bool,
    /// The value of the server's `Sec-WebSocket-Extensions`, if there is no handshake.
    pub extensions: String,
}

pub struct Conversation {
    stream: Option<u32>,
    options: Options,
    /// The addresses of the client and of the server, until they are shown.
    names: Option<(String, String)>,
    /// Whether anything is shown of it: it is WebSocket, or was asked for.
    is_shown: bool,
    /// Whether there was a handshake, or frames.
    is_websocket: bool,
    client: Side,
    server: Side,
    requests: VecDeque<Sent>,
    phase: Phase,
    /// The response that refused the last handshake.
    refusal: Option<Refusal>,
    /// Whether the last handshake has a violation.
    has_failed: bool,
    closed_first: Option<Peer>,
    violations: u64,
    is_incomplete: bool,
}

struct Refusal {
    status: u16,
    /// The place of its body.
    place: Place,
    /// `None` once it was shown.
    body: Option<finding::Body>,
}

/// The bytes that one end has sent, and that were not examined yet.
#[derive(Default)]
struct Side {
    offset: u64,
    waiting: Vec<u8>,
    body: Option<Body>,
}

/// A request without a response.
enum Sent {
    Handshake(Handshake),
    /// No response to HEAD has a body.
    Head,
    Connect,
    Other,
}

enum Phase {
    Http,
    Open(Box<Direction<Server>>, Box<Direction<Client>>),
    /// Something else.
    Not(Protocol),
}

/// A protocol that is not looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Tls,
    Http2,
    /// HTTP, as far as it was captured: the head is incomplete.
    Gap,
    /// An end begins as the other one should.
    Swapped,
    Other,
}

/// How the transport ended, if that was captured.
#[derive(Debug, Clone, Copy, Default)]
pub struct Transport {
    pub is_over: bool,
    /// Who closed it first, if that is known.
    pub fin: Option<Peer>,
    pub rst: Option<Peer>,
}

/// The end of a conversation.
#[derive(Debug, PartialEq, Eq)]
pub struct Verdict {
    pub violations: u64,
    /// Whether a part of it could not be read.
    pub is_incomplete: bool,
    /// `None` if it was WebSocket.
    pub other: Option<Protocol>,
}

impl Conversation {
    pub fn new(stream: Option<u32>, names: Option<(String, String)>, options: Options) -> Self {
        Self {
            stream,
            options,
            is_shown: names.is_none(),
            is_websocket: false,
            names,
            client: Side::default(),
            server: Side::default(),
            requests: VecDeque::new(),
            phase: Phase::Http,
            refusal: None,
            has_failed: false,
            closed_first: None,
            violations: 0,
            is_incomplete: false,
        }
    }

    /// Whether the client's bytes wait for those of the server.
    pub fn awaits_response(&self) -> bool {
        matches!(self.phase, Phase::Http)
            && matches!(
                self.requests.back(),
                Some(Sent::Handshake(_) | Sent::Connect)
            )
    }

    /// Receives the next bytes that one end sent.
    pub fn feed(
        &mut self,
        from: Peer,
        time: Option<Duration>,
        bytes: &[u8],
        out: &mut dyn Show,
    ) -> io::Result<()> {
        match (&mut self.phase, from) {
            (Phase::Open(client, _), Peer::Client) => client.feed(time, bytes, out)?,
            (Phase::Open(_, server), Peer::Server) => server.feed(time, bytes, out)?,
            (Phase::Not(_), _) => {}
            (Phase::Http, _) => {
                self.side(from).waiting.extend_from_slice(bytes);
                while self.step(Peer::Client, time, out)? || self.step(Peer::Server, time, out)? {}
            }
        }
        self.note_close(from);
        Ok(())
    }

    /// Takes note that the next bytes of one end were not captured.
    pub fn skip(
        &mut self,
        from: Peer,
        time: Option<Duration>,
        len: u64,
        out: &mut dyn Show,
    ) -> io::Result<()> {
        let is_http = matches!(self.phase, Phase::Http);
        let side = self.side(from);
        // Bodies may well have holes. In a head, everything is lost.
        let is_in_body = is_http
            && match &mut side.body {
                Some(Body::Length(left)) if *left >= len => {
                    *left -= len;
                    side.offset += len;
                    true
                }
                Some(Body::UntilClose) => true,
                _ => false,
            };
        // An incomplete head may show the protocol, too.
        if is_http && Head::parse(&side.waiting, from == Peer::Client).is_handshake() {
            self.is_websocket = true;
            self.reveal(&self.place(from, time, 0), out)?;
        }
        if !self.is_shown {
            if is_http && !is_in_body {
                self.phase = Phase::Not(Protocol::Gap);
            }
            return Ok(());
        }
        self.is_incomplete = true;
        self.show_rest(from, time, out)?;
        let text = format!("{len} bytes were not captured");
        let place = Place {
            stream: self.stream,
            time,
            from,
            offset: match (&self.phase, from) {
                (Phase::Open(client, _), Peer::Client) => client.offset(),
                (Phase::Open(_, server), Peer::Server) => server.offset(),
                _ => self.side(from).offset,
            },
        };
        out.show(&place, &Finding::Note(&text))?;
        match (&mut self.phase, from) {
            (Phase::Open(client, _), Peer::Client) => client.skip(time, len, out),
            (Phase::Open(_, server), Peer::Server) => server.skip(time, len, out),
            _ if is_in_body => self.show_body(time, false, out),
            _ => {
                self.phase = Phase::Not(Protocol::Gap);
                Ok(())
            }
        }
    }

    /// Shows a note on bytes of one end.
    pub fn note(
        &mut self,
        from: Peer,
        time: Option<Duration>,
        offset: u64,
        text: &str,
        out: &mut dyn Show,
    ) -> io::Result<()> {
        if self.is_shown {
            out.show(&self.place(from, time, offset), &Finding::Note(text))?;
        }
        Ok(())
    }

    /// Ends the conversation, and returns how it ended.
    pub fn end(
        &mut self,
        time: Option<Duration>,
        transport: Transport,
        out: &mut dyn Show,
    ) -> io::Result<Verdict> {
        // Bytes that wait for a response wait in vain.
        if matches!(self.phase, Phase::Http)
            && self.awaits_response()
            && !self.client.waiting.is_empty()
        {
            self.open_without_response(time, out)?;
        }
        self.show_rest(Peer::Client, time, out)?;
        self.show_rest(Peer::Server, time, out)?;
        // The end of the connection is that of the body.
        let is_complete = matches!(self.server.body, Some(Body::UntilClose));
        self.show_body(time, is_complete, out)?;
        self.is_incomplete |= self.is_websocket && matches!(self.phase, Phase::Not(_));
        if let Phase::Open(client, server) = &mut self.phase {
            client.finish(time, out)?;
            server.finish(time, out)?;
            self.violations += client.violations() + server.violations();
            self.is_incomplete |= client.is_incomplete() || server.is_incomplete();
        }
        // Bytes without a beginning need no end.
        let has_beginning = self.client.offset + self.server.offset > 0;
        if self.is_websocket && (self.stream.is_some() || has_beginning) {
            let text = self.closing() + &self.describe(transport);
            let place = self.place(Peer::Client, time, 0);
            out.show(&place, &Finding::Ended(&text))?;
        }
        Ok(Verdict {
            violations: self.violations,
            is_incomplete: self.is_incomplete,
            other: match self.phase {
                _ if self.is_websocket => None,
                Phase::Not(protocol) => Some(protocol),
                _ => Some(Protocol::Other),
            },
        })
    }

    /// Describes how the conversation ended.
    fn closing(&self) -> String {
        let Phase::Open(client, server) = &self.phase else {
            return match &self.refusal {
                _ if matches!(self.phase, Phase::Not(Protocol::Gap)) => {
                    "bytes of the handshake are missing: the rest is not shown".to_owned()
                }
                _ if matches!(self.phase, Phase::Not(_)) => {
                    "neither HTTP nor WebSocket follows: it is not shown".to_owned()
                }
                Some(refusal) if !self.awaits_response() => {
                    format!("the handshake was refused with {}", refusal.status)
                }
                _ => "the handshake has no response".to_owned(),
            };
        };
        if let (Some(a), Some(b)) = (client.close(), server.close()) {
            return match self.closed_first {
                Some(Peer::Client) => format!("closed by the client with {a}, answered with {b}"),
                Some(Peer::Server) => format!("closed by the server with {b}, answered with {a}"),
                None => format!("the client sent a Close with {a}, and the server one with {b}"),
            };
        }
        let (from, code, other) = match (client.close(), server.close()) {
            (Some(code), _) => (Peer::Client, code, Peer::Server),
            (_, Some(code)) => (Peer::Server, code, Peer::Client),
            _ if client.is_lost() || server.is_lost() => {
                return "no Close was found; the missing bytes may have one".to_owned();
            }
            _ => return "no Close was sent".to_owned(),
        };
        let other_sent = match other {
            // Nothing of it is known.
            _ if !self.has_sent(other) => {
                return format!("the {} sent a Close with {code}", from.name());
            }
            Peer::Client if client.is_lost() => "may have sent one in the missing bytes",
            Peer::Server if server.is_lost() => "may have sent one in the missing bytes",
            _ => "sent none",
        };
        format!(
            "the {} sent a Close with {code}, the {} {other_sent}",
            from.name(),
            other.name()
        )
    }

    /// Describes the end of the transport after the end of the conversation.
    fn describe(&self, transport: Transport) -> String {
        let text = match transport {
            Transport {
                fin: Some(fin),
                rst: Some(rst),
                ..
            } => {
                format!(
                    "the {} closed TCP (FIN), and the {} reset it (RST)",
                    fin.name(),
                    rst.name()
                )
            }
            Transport { fin: Some(fin), .. } => format!("the {} closed TCP (FIN)", fin.name()),
            Transport { rst: Some(rst), .. } => format!("the {} reset TCP (RST)", rst.name()),
            Transport { is_over: true, .. } => "TCP was closed".to_owned(),
            _ if self.stream.is_none() => return String::new(),
            _ => return ", and the capture ends with the connection open".to_owned(),
        };
        match &self.phase {
            Phase::Open(client, server)
                if client.close().or(server.close()).is_none()
                    && !client.is_lost()
                    && !server.is_lost() =>
            {
                format!(", but {text}: abnormal closure, 1006")
            }
            _ => format!("; then {text}"),
        }
    }

    /// Consumes the next bytes that an end has sent, while it is HTTP. Returns whether there were
    /// any.
    fn step(&mut self, from: Peer, time: Option<Duration>, out: &mut dyn Show) -> io::Result<bool> {
        let is_request = from == Peer::Client;
        let must_wait = is_request && self.awaits_response();
        let offset = self.side(from).offset;
        let place = self.place(from, time, offset);
        let is_http = matches!(self.phase, Phase::Http);
        let side = self.side(from);
        if !is_http || side.waiting.is_empty() {
            return Ok(false);
        }
        if must_wait {
            if side.waiting.len() <= MAX_WAITING {
                return Ok(false);
            }
            self.open_without_response(time, out)?;
            return Ok(true);
        }
        if side.body.is_some() {
            return self.read_body(from, time, out);
        }
        match http::start(&side.waiting, is_request) {
            Start::Incomplete => return Ok(false),
            Start::Head(len) => {
                let head = side.take(len);
                if is_request {
                    self.request(&head, &place, out)?;
                } else {
                    self.response(&head, &place, out)?;
                }
            }
            Start::Tls => self.phase = Phase::Not(Protocol::Tls),
            Start::Http2 => self.phase = Phase::Not(Protocol::Http2),
            Start::Other if http::is_swapped(&side.waiting, is_request) => {
                self.phase = Phase::Not(Protocol::Swapped);
            }
            Start::Other if self.options.assumes_frames => {
                let deflate = self.options.extensions.parse().ok();
                let extensions = match self.stream {
                    Some(_) => Extensions::Late,
                    None => Extensions::Assumed,
                };
                self.open(None, deflate, extensions, time, out)?;
            }
            Start::Other => self.phase = Phase::Not(Protocol::Other),
        }
        Ok(true)
    }

    /// Shows a head, and judges it if it belongs to a handshake.
    fn show_head(
        &mut self,
        bytes: &[u8],
        is_handshake: bool,
        place: &Place,
        out: &mut dyn Show,
    ) -> io::Result<()> {
        if is_handshake {
            self.is_websocket = true;
            self.reveal(place, out)?;
        }
        if is_handshake || self.options.shows_http && self.is_shown {
            out.show(
                place,
                &Finding::Head {
                    bytes,
                    is_complete: true,
                },
            )?;
        }
        if is_handshake {
            self.judge_head(bytes, place, out)?;
        }
        Ok(())
    }

    fn request(&mut self, bytes: &[u8], place: &Place, out: &mut dyn Show) -> io::Result<()> {
        let head = Head::parse(bytes, true);
        let is_handshake = head.is_handshake();
        if is_handshake {
            self.has_failed = false;
        }
        self.show_head(bytes, is_handshake, place, out)?;
        self.client.body = Some(head.body()).filter(|body| !body.is_over());
        self.requests.push_back(match head.method.as_str() {
            _ if is_handshake => Sent::Handshake(Handshake::new(&head)),
            "HEAD" => Sent::Head,
            "CONNECT" => Sent::Connect,
            _ => Sent::Other,
        });
        if self.requests.len() > MAX_REQUESTS {
            self.phase = Phase::Not(Protocol::Other);
        }
        Ok(())
    }

    fn response(&mut self, bytes: &[u8], place: &Place, out: &mut dyn Show) -> io::Result<()> {
        let head = Head::parse(bytes, false);
        let is_interim = matches!(head.status, 100 | 102..=199);
        let request = if is_interim {
            None
        } else {
            self.requests.pop_front()
        };
        let is_switch =
            head.status == 101 && (head.is_handshake() || head.get("Upgrade").is_empty());
        let is_handshake = is_switch || matches!(request, Some(Sent::Handshake(_)));
        self.show_head(bytes, is_handshake, place, out)?;
        let response = Response::parse(bytes, &handshake::limits()).ok().flatten();
        let Some((response, _)) = response.filter(|_| !is_switch) else {
            if is_switch {
                return self.switch(bytes, response, request, place, out);
            }
            self.server.body = Some(Body::UntilClose);
            return Ok(());
        };
        self.server.body = match (response.body(), &request) {
            _ if is_interim => None,
            (_, Some(Sent::Head)) | (Framing::None, _) => None,
            (_, Some(Sent::Connect)) if response.status() / 100 == 2 => None,
            (Framing::Length(len), _) => Some(Body::Length(len)),
            (Framing::Chunked, _) => Some(Body::Chunked(http::Chunks::Size)),
            (Framing::UntilClose, _) => Some(Body::UntilClose),
        };
        self.server.body.take_if(|body| body.is_over());
        if is_handshake {
            let text = format!("refused with {}", head.status);
            out.show(place, &Finding::Note(&text))?;
            let body = self.server.body.is_some().then(|| finding::Body {
                content: Vec::new(),
                len: 0,
                is_complete: false,
            });
            self.refusal = Some(Refusal {
                status: head.status,
                place: self.place(Peer::Server, place.time, self.server.offset),
                body,
            });
        } else if head.status == 101 {
            self.phase = Phase::Not(Protocol::Other);
        }
        Ok(())
    }

    /// Takes the next part of a body, and shows that of a refusal when it is over.
    fn read_body(
        &mut self,
        from: Peer,
        time: Option<Duration>,
        out: &mut dyn Show,
    ) -> io::Result<bool> {
        let shown = self.options.shown;
        let refusal = self.refusal.as_mut().filter(|_| from == Peer::Server);
        let mut content = refusal.and_then(|refusal| refusal.body.as_mut());
        let side = match from {
            Peer::Client => &mut self.client,
            Peer::Server => &mut self.server,
        };
        let Some(body) = &mut side.body else {
            return Ok(false);
        };
        let len = body.read(&side.waiting, |bytes| {
            if let Some(body) = &mut content {
                let room = shown.saturating_sub(body.content.len());
                body.content.extend(&bytes[..room.min(bytes.len())]);
                body.len += bytes.len() as u64;
            }
        });
        let is_over = body.is_over();
        side.take(len);
        if is_over {
            side.body = None;
            if from == Peer::Server {
                self.show_body(time, true, out)?;
            }
        }
        Ok(len > 0 || is_over)
    }

    /// Shows the body of a refusal, or as much of it as there is.
    fn show_body(
        &mut self,
        time: Option<Duration>,
        is_complete: bool,
        out: &mut dyn Show,
    ) -> io::Result<()> {
        let Some(refusal) = &mut self.refusal else {
            return Ok(());
        };
        let Some(mut body) = refusal.body.take() else {
            return Ok(());
        };
        body.is_complete = is_complete;
        self.is_incomplete |= !is_complete;
        let place = Place {
            time,
            ..refusal.place
        };
        out.show(&place, &Finding::Body(&body))
    }

    /// The server switches to WebSocket.
    fn switch(
        &mut self,
        bytes: &[u8],
        response: Option<(Response<'_>, usize)>,
        request: Option<Sent>,
        place: &Place,
        out: &mut dyn Show,
    ) -> io::Result<()> {
        let head = Head::parse(bytes, false);
        let accepted = head.get("Sec-WebSocket-Extensions");
        let mut subprotocol =
            Some(head.get("Sec-WebSocket-Protocol")).filter(|name| !name.is_empty());
        let params = accepted.parse::<Params>().ok();
        let mut extensions = Extensions::Negotiated;
        if !accepted.is_empty() && params.is_none() {
            extensions = Extensions::Unknown;
        }
        match (&request, response) {
            (Some(Sent::Handshake(request)), Some((response, _))) => {
                match request.verify(&response, &accepted) {
                    Ok(()) => {}
                    Err(HandshakeError::ExtensionNotOffered) if request.offers(&accepted) => {
                        extensions = Extensions::Unknown;
                        let text = "an extension is in use that is not known here: frames are shown without a verdict";
                        out.show(place, &Finding::Note(text))?;
                    }
                    Err(error) => {
                        if error == HandshakeError::SubprotocolNotRequested {
                            subprotocol = None;
                        }
                        let at = handshake::header_at(error, bytes).unwrap_or(0);
                        let place = Place {
                            offset: place.offset + at,
                            ..*place
                        };
                        let violation = handshake::violation(error, Peer::Server);
                        self.has_failed = true;
                        self.show_violation(&place, &violation, out)?;
                    }
                }
            }
            (Some(Sent::Handshake(_)), None) => {}
            _ => {
                let text = "the request was not captured, so that the response cannot be judged";
                out.show(place, &Finding::Note(text))?;
            }
        }
        if self.options.is_ordered && !self.client.waiting.is_empty() {
            let violation = Violation {
                rule: "data before the response to the handshake".to_owned(),
                section: "RFC 6455 section 4.1".to_owned(),
                reaction: "the server may not notice".to_owned(),
            };
            let place = self.place(Peer::Client, place.time, self.client.offset);
            self.show_violation(&place, &violation, out)?;
        }
        self.open(subprotocol, params, extensions, place.time, out)
    }

    fn open_without_response(
        &mut self,
        time: Option<Duration>,
        out: &mut dyn Show,
    ) -> io::Result<()> {
        let mut deflate = self.options.extensions.parse().ok();
        if let Some(Sent::Handshake(request)) = self.requests.back() {
            let mut text = "the response is missing".to_owned();
            if deflate.is_none() && request.offers(handshake::DEFLATE) {
                deflate = Some(Params::default());
                text += ": compression is taken as accepted, since it was offered";
            }
            let place = self.place(Peer::Client, time, self.client.offset);
            out.show(&place, &Finding::Note(&text))?;
        }
        self.open(None, deflate, Extensions::Assumed, time, out)
    }

    fn open(
        &mut self,
        subprotocol: Option<String>,
        deflate: Option<Params>,
        extensions: Extensions,
        time: Option<Duration>,
        out: &mut dyn Show,
    ) -> io::Result<()> {
        self.is_websocket = true;
        let from_client = self.place(Peer::Client, time, self.client.offset);
        let from_server = self.place(Peer::Server, time, self.server.offset);
        if self.has_failed {
            let text =
                "the handshake failed: a conforming peer sends no frames, and discards these";
            out.show(&from_server, &Finding::Note(text))?;
        } else if from_client.offset + from_server.offset > 0 || deflate.is_some() {
            let opened = Opened {
                subprotocol,
                deflate,
            };
            out.show(&from_server, &Finding::Opened(&opened))?;
        }
        let shown = self.options.shown;
        let mut client = Direction::new(Server, &from_client, shown, deflate, extensions);
        // The client's output is not used, so its seed does not matter.
        let role = Client::new([0; 32]);
        let mut server = Direction::new(role, &from_server, shown, deflate, extensions);
        if self.has_failed {
            client.discard();
            server.discard();
        }
        if !self.options.is_ordered {
            client.set_answers(Answers::NotToClose);
            server.set_answers(Answers::NotToClose);
        }
        self.phase = Phase::Open(Box::new(client), Box::new(server));
        for from in [Peer::Client, Peer::Server] {
            let waiting = std::mem::take(&mut self.side(from).waiting);
            self.feed(from, time, &waiting, out)?;
        }
        Ok(())
    }

    /// Shows the fault of a head, if it has one, at the byte that makes it certain.
    fn judge_head(&mut self, head: &[u8], place: &Place, out: &mut dyn Show) -> io::Result<()> {
        let Some((at, violation)) = handshake::fault(head, place.from) else {
            return Ok(());
        };
        self.has_failed = true;
        let place = Place {
            offset: place.offset + at,
            ..*place
        };
        self.show_violation(&place, &violation, out)
    }

    fn show_violation(
        &mut self,
        place: &Place,
        violation: &Violation,
        out: &mut dyn Show,
    ) -> io::Result<()> {
        self.violations += 1;
        out.show(place, &Finding::Violation(violation))
    }

    /// Shows that this stream is of interest.
    pub fn reveal(&mut self, place: &Place, out: &mut dyn Show) -> io::Result<()> {
        self.is_shown = true;
        match self.names.take() {
            Some((client, server)) => out.show(place, &Finding::Stream { client, server }),
            None => Ok(()),
        }
    }

    /// Shows the head that the end of the input leaves incomplete.
    fn show_rest(
        &mut self,
        from: Peer,
        time: Option<Duration>,
        out: &mut dyn Show,
    ) -> io::Result<()> {
        let offset = self.side(from).offset;
        let place = self.place(from, time, offset);
        let is_open = !matches!(self.phase, Phase::Http);
        if is_open || !self.is_shown || self.side(from).waiting.is_empty() {
            return Ok(());
        }
        let bytes = std::mem::take(&mut self.side(from).waiting);
        out.show(
            &place,
            &Finding::Head {
                bytes: &bytes,
                is_complete: false,
            },
        )
    }

    fn note_close(&mut self, from: Peer) {
        if let (Phase::Open(client, server), true) = (&mut self.phase, self.options.is_ordered) {
            let has_closed = match from {
                Peer::Client => client.close().is_some(),
                Peer::Server => server.close().is_some(),
            };
            if has_closed {
                self.closed_first.get_or_insert(from);
                match from {
                    Peer::Client => server.set_answers(Answers::None),
                    Peer::Server => client.set_answers(Answers::None),
                }
            }
        }
    }

    /// Whether anything of an end was captured.
    fn has_sent(&self, from: Peer) -> bool {
        match (&self.phase, from) {
            (Phase::Open(client, _), Peer::Client) => client.offset() > 0,
            (Phase::Open(_, server), Peer::Server) => server.offset() > 0,
            _ => false,
        }
    }

    fn place(&self, from: Peer, time: Option<Duration>, offset: u64) -> Place {
        Place {
            stream: self.stream,
            time,
            from,
            offset,
        }
    }

    fn side(&mut self, from: Peer) -> &mut Side {
        match from {
            Peer::Client => &mut self.client,
            Peer::Server => &mut self.server,
        }
    }
}

impl Side {
    /// Removes bytes from the front.
    fn take(&mut self, len: usize) -> Vec<u8> {
        self.offset += len as u64;
        self.waiting.drain(..len).collect()
    }
}
