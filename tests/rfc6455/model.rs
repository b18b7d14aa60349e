//! The receiver against a model that was written from the RFC and shares no code with it: all input
//! is validated (SE1), by every rule that is known.

use crate::common::model::{Limits, agrees, verdict};
use crate::common::strategies::{any_input, config, limits, valid};
use proptest::prelude::*;
use ws_proto::{Client, Server};

proptest! {
    #![proptest_config(config(800))]

    #[test]
    fn se1_a_server_agrees_with_the_model(bytes in any_input::<Server>(), limits in limits()) {
        agrees::<Server>(&bytes.0, limits);
    }

    #[test]
    fn se1_a_client_agrees_with_the_model(bytes in any_input::<Client>(), limits in limits()) {
        agrees::<Client>(&bytes.0, limits);
    }

    /// The model lets sessions pass that are made to be valid: else it could agree by refusing all.
    #[test]
    fn the_model_lets_valid_sessions_pass(bytes in valid::<Server>()) {
        let limits = Limits { max_message: 1 << 20, max_fragments: 100, allow_non_minimal_length: false };
        prop_assert_eq!(verdict::<Server>(&bytes.0, limits).broken, []);
    }
}
