//! Receiving, in all layers: no cut makes a difference, the layers agree, and the model written from the RFC does too.

use super::common::model::{self, Limits};
use super::common::{Halves, MessageHalves, Outcome, TestRole, assembled, run};
use super::support::cuts_and_bytes;
use ws_proto::{Connection, WebSocket};

pub(crate) fn check<R: TestRole>(data: &[u8]) {
    let Some((&choice, data)) = data.split_first() else { return };
    let (cuts, bytes) = cuts_and_bytes(data);
    // Limits that short inputs reach, or those of the default.
    let limits = match choice & 3 {
        0 => Limits { max_frame: 16 << 20, max_message: 16 << 20, max_fragments: 1024, allow_non_minimal_length: choice & 4 != 0 },
        n => Limits { max_frame: 100 * u64::from(n), max_message: 200, max_fragments: 3, allow_non_minimal_length: choice & 4 != 0 },
    };
    let config = limits.config();

    let streamed = run::<R, Connection<R>>(&config, bytes, &[]);
    assert_eq!(streamed, run::<R, Connection<R>>(&config, bytes, &cuts), "a cut makes a difference to the connection");
    let halves = run::<R, Halves<R>>(&config, bytes, &cuts);
    assert_eq!((&halves.seen, &halves.out), (&streamed.seen, &streamed.out), "halves do otherwise than the connection");

    let whole = run::<R, WebSocket<R>>(&config, bytes, &[]);
    assert_eq!(whole, run::<R, WebSocket<R>>(&config, bytes, &cuts), "a cut makes a difference to the WebSocket");
    let halves = run::<R, MessageHalves<R>>(&config, bytes, &cuts);
    assert_eq!((&halves.seen, &halves.out), (&whole.seen, &whole.out), "halves do otherwise than the WebSocket");

    let Outcome { seen, out, ended } = streamed;
    assert_eq!((assembled(seen), out, ended), (whole.seen, whole.out, whole.ended), "streaming makes a difference");
    model::agrees::<R>(bytes, limits);
}
