//! Receiving, in all layers: no split makes a difference, the layers agree, the model written from
//! the RFC does too, and work and memory are in proportion to the input.

use super::common::model::{self, Limits};
use super::common::{Halves, InPlace, Layer, MessageHalves, TestRole, Transcript, assembled, run};
use super::support::Cuts;
use super::support::work::{Bounds, bounded};
use ws_proto::{Config, Connection, WebSocket};

const BOUNDS: Bounds = Bounds {
    loads: (4000, 600),
    memory: (8192, 64),
};

/// Receives it in this layer, within the bounds.
fn received<R: TestRole, L: Layer<R>>(config: &Config, bytes: &[u8], cuts: &[usize]) -> Transcript {
    bounded(&BOUNDS, bytes.len(), || run::<R, L>(config, bytes, cuts))
}

pub(crate) fn check<R: TestRole>(data: &[u8]) {
    let Some((&choice, data)) = data.split_first() else {
        return;
    };
    let mut bytes = data;
    let cuts = Cuts::take(&mut bytes).places(bytes.len());
    // Limits that short inputs reach, or those of the default.
    let limits = match choice & 3 {
        0 => Limits {
            max_message: 16 << 20,
            max_fragments: 1 << 14,
            allow_non_minimal_length: choice & 4 != 0,
        },
        n => Limits {
            max_message: 200,
            max_fragments: 3 * (u32::from(n) - 1),
            allow_non_minimal_length: choice & 4 != 0,
        },
    };
    let config = limits.config();

    let streamed = received::<R, Connection<R>>(&config, bytes, &[]);
    assert_eq!(
        streamed,
        received::<R, Connection<R>>(&config, bytes, &cuts),
        "a cut makes a difference to the connection"
    );
    let halves = received::<R, Halves<R>>(&config, bytes, &cuts);
    assert_eq!(
        (&halves.seen, &halves.out),
        (&streamed.seen, &streamed.out),
        "halves do otherwise than the connection"
    );

    let whole = received::<R, WebSocket<R>>(&config, bytes, &[]);
    assert_eq!(
        whole,
        received::<R, WebSocket<R>>(&config, bytes, &cuts),
        "a cut makes a difference to the WebSocket"
    );
    let halves = received::<R, MessageHalves<R>>(&config, bytes, &cuts);
    assert_eq!(
        (&halves.seen, &halves.out),
        (&whole.seen, &whole.out),
        "halves do otherwise than the WebSocket"
    );

    assert_eq!(
        whole,
        received::<R, InPlace<R>>(&config, bytes, &cuts),
        "payload in its place makes a difference"
    );

    let Transcript {
        seen, out, ended, ..
    } = streamed;
    assert_eq!(
        (assembled(seen), out, ended),
        (whole.seen, whole.out, whole.ended),
        "streaming makes a difference"
    );
    model::agrees::<R>(bytes, limits);
}
