//! Any cut of any input gives the same events, the same output and the same final state, in every
//! layer and for both roles (L6, FR7, SE8, P1).

use crate::common::strategies::{any_input, at, config, cuts, limits, text};
use crate::common::{Ended, Halves, Layer, MessageHalves, TestRole, Transcript, assembled, run};
use proptest::prelude::*;
use ws_proto::frame::Utf8Validator;
use ws_proto::{Client, Config, Connection, Server, WebSocket};

/// Compares one input, whole, cut at some places, and byte by byte.
fn same<R: TestRole, L: Layer<R>>(
    config: &Config,
    bytes: &[u8],
    cuts: &[usize],
) -> Result<Transcript, TestCaseError> {
    let whole = run::<R, L>(config, bytes, &[]);
    prop_assert_eq!(
        &run::<R, L>(config, bytes, cuts),
        &whole,
        "cut at {:?}",
        cuts
    );
    prop_assert_eq!(
        &run::<R, L>(config, bytes, &(0..bytes.len()).collect::<Vec<_>>()),
        &whole,
        "byte by byte"
    );
    Ok(whole)
}

/// Compares all layers with themselves, and with each other.
fn all_layers<R: TestRole>(
    config: &Config,
    bytes: &[u8],
    cuts: &[usize],
) -> Result<(), TestCaseError> {
    let streamed = same::<R, Connection<R>>(config, bytes, cuts)?;
    let messages = same::<R, WebSocket<R>>(config, bytes, cuts)?;
    let halves = same::<R, Halves<R>>(config, bytes, cuts)?;
    let message_halves = same::<R, MessageHalves<R>>(config, bytes, cuts)?;

    // Who began, and whether it was clean, halves do not know before they are put together.
    let of_halves = |ended: &Ended| Ended {
        by: None,
        clean: false,
        ..ended.clone()
    };
    prop_assert_eq!(
        (&halves.seen, &halves.out),
        (&streamed.seen, &streamed.out),
        "halves, and the whole"
    );
    prop_assert_eq!(
        (&halves.ended, &message_halves.ended),
        (&of_halves(&streamed.ended), &of_halves(&messages.ended)),
        "halves, and the whole"
    );
    prop_assert_eq!(
        (&message_halves.seen, &message_halves.out),
        (&messages.seen, &messages.out),
        "halves, and the whole"
    );
    prop_assert_eq!(&streamed.out, &messages.out, "chunks, and messages");
    prop_assert_eq!(&streamed.ended, &messages.ended, "chunks, and messages");
    prop_assert_eq!(
        assembled(streamed.seen),
        messages.seen,
        "chunks, and messages"
    );
    Ok(())
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn l6_any_cut_of_any_input_to_a_server_gives_the_same(bytes in any_input::<Server>(), limits in limits(), cuts in cuts()) {
        all_layers::<Server>(&limits.config(), &bytes.0, &at(&cuts, bytes.0.len()))?;
    }

    #[test]
    fn l6_any_cut_of_any_input_to_a_client_gives_the_same(bytes in any_input::<Client>(), limits in limits(), cuts in cuts()) {
        all_layers::<Client>(&limits.config(), &bytes.0, &at(&cuts, bytes.0.len()))?;
    }

    /// UT2: std's validator is the oracle, of the text and of the first bad byte (UT5).
    #[test]
    fn ut2_any_cut_of_any_bytes_is_validated_the_same(valid in text(), spoilt in prop::collection::vec(any::<u8>(), 0..6), rest in text(), cuts in cuts()) {
        let bytes = [valid.as_bytes(), &spoilt, rest.as_bytes()].concat();
        let mut ends = at(&cuts, bytes.len());
        ends.push(bytes.len());
        let mut utf8 = Utf8Validator::new();
        let mut told = String::new();
        let mut start = 0;
        let mut fed = Ok(());
        for end in ends {
            match utf8.feed(&bytes[start..end]) {
                Ok((split, text)) => {
                    told.extend(split);
                    told.push_str(text);
                }
                Err(error) => {
                    fed = Err(error);
                    prop_assert!(crate::common::model::can_be_text(&bytes[..start], false), "fails late");
                    prop_assert!(!crate::common::model::can_be_text(&bytes[..end], false), "fails too soon");
                    break;
                }
            }
            start = end;
        }
        match std::str::from_utf8(&bytes) {
            Ok(text) => {
                prop_assert_eq!(fed.and_then(|()| utf8.finish()), Ok(()));
                prop_assert_eq!(told, text);
            }
            Err(error) => {
                prop_assert!(fed.and_then(|()| utf8.finish()).is_err());
                prop_assert!(bytes[..error.valid_up_to()].starts_with(told.as_bytes()));
            }
        }
    }
}
