//! The receiver against a model that was written from the RFC and shares no code with it.
#![cfg(feature = "alloc")]

mod common;

use common::model::{Limits, status, verdict};
use common::strategies::{any_input, config, limits, valid};
use common::{Frame, Seen, TestRole, read_all, run};
use proptest::prelude::*;
use ws_proto::{Client, Server, WebSocket};

fn agrees<R: TestRole>(bytes: &[u8], limits: Limits) -> Result<(), TestCaseError> {
    let mut model = verdict::<R>(bytes, limits);
    let outcome = run::<R, WebSocket<R>>(&limits.config(), bytes, &[]);
    if !model.broken.is_empty() {
        let Some(&Seen::Failed(error)) = outcome.seen.last() else { panic!("{:?} is let pass: {:?}", model.broken, outcome.seen) };
        prop_assert!(model.broken.contains(&error), "{:?}, and not {:?}", error, model.broken);
        model.seen.push(Seen::Failed(error));
        let reason = read_all::<R>(&outcome.out).last().map(|close| close.payload[2..].to_vec()).unwrap_or_default();
        model.answers.push(Frame::close(status(error), reason));
    }
    prop_assert_eq!(outcome.seen, model.seen);
    prop_assert_eq!(read_all::<R>(&outcome.out), model.answers);
    Ok(())
}

proptest! {
    #![proptest_config(config(800))]

    #[test]
    fn a_server_agrees_with_the_model(bytes in any_input::<Server>(), limits in limits()) {
        agrees::<Server>(&bytes.0, limits)?;
    }

    #[test]
    fn a_client_agrees_with_the_model(bytes in any_input::<Client>(), limits in limits()) {
        agrees::<Client>(&bytes.0, limits)?;
    }

    /// The model lets sessions pass that are made to be valid: else it could agree by refusing all.
    #[test]
    fn the_model_lets_valid_sessions_pass(bytes in valid::<Server>()) {
        let limits = Limits { max_frame: 1 << 20, max_message: 1 << 20, max_fragments: 100, allow_non_minimal_length: false };
        prop_assert_eq!(verdict::<Server>(&bytes.0, limits).broken, []);
    }
}
