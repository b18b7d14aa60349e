//! `tokio-websockets` as an endpoint. It is polled by hand: the wire never makes it wait.

use crate::common::TestRole;
use crate::endpoint::{Endpoint, Event, Setup, Step};
use crate::wire::Wire;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio_websockets::proto::ProtocolError;
use tokio_websockets::{
    ClientBuilder, CloseCode, Config, Error, Limits, Message, ServerBuilder, WebSocketStream,
};

pub(crate) struct TokioWebsockets {
    ws: WebSocketStream<Wire>,
    failed: bool,
}

impl TokioWebsockets {
    pub(crate) const fn over(ws: WebSocketStream<Wire>) -> Self {
        Self { ws, failed: false }
    }
}

impl<R: TestRole> Endpoint<R> for TokioWebsockets {
    fn new(wire: Wire, setup: &Setup) -> Self {
        let (config, limits) = (
            Config::default().frame_size(setup.fragment),
            Limits::default().max_payload_len(Some(setup.max)),
        );
        Self::over(if R::MASKS {
            ClientBuilder::new()
                .config(config)
                .limits(limits)
                .take_over(wire)
        } else {
            ServerBuilder::new()
                .config(config)
                .limits(limits)
                .serve(wire)
        })
    }

    fn recv(&mut self) -> Option<Event> {
        if self.failed {
            return None;
        }
        let code = match self.ws.next().now_or_never()?? {
            Ok(message) => return Some(event(&message)),
            Err(Error::Io(_)) => return None,
            Err(Error::Protocol(ProtocolError::InvalidUtf8)) => 1007,
            Err(Error::Protocol(_)) => 1002,
            Err(Error::PayloadTooLong { .. }) => 1009,
            Err(other) => panic!("{other}"),
        };
        self.failed = true;
        self.ws
            .flush()
            .now_or_never()
            .expect("the wire takes all")
            .expect("the wire takes all");
        Some(Event::Failed(code))
    }

    fn send(&mut self, step: &Step) {
        let message = match step {
            Step::Text(text) => Message::text(text.clone()),
            Step::Binary(bytes) => Message::binary(bytes.clone()),
            Step::Ping(payload) => Message::ping(payload.clone()),
            Step::Pong(payload) => Message::pong(payload.clone()),
            Step::Close(code, reason) => {
                Message::close(Some(CloseCode::try_from(*code).expect("a code")), reason)
            }
        };
        self.ws
            .send(message)
            .now_or_never()
            .expect("the wire takes all")
            .expect("it can be sent");
    }
}

/// Text is not asked for as a `str`, since it need not be one.
fn event(message: &Message) -> Event {
    let payload = message.as_payload().to_vec();
    if message.is_text() {
        Event::Text(payload)
    } else if message.is_binary() {
        Event::Binary(payload)
    } else if message.is_ping() {
        Event::Ping(payload)
    } else if message.is_pong() {
        Event::Pong(payload)
    } else {
        let (code, reason) = message.as_close().expect("the last of the kinds");
        Event::Close(
            Some(code).filter(|_| !payload.is_empty()).map(u16::from),
            reason.into(),
        )
    }
}
