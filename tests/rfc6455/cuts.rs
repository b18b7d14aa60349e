//! Any split of any input gives the same events, the same output and the same final state, in every
//! layer and for both roles (L6, FR7, SE8, P1).

use crate::common::strategies::{any_input, at, config, cuts, limits, text};
use crate::common::{
    Ended, Halves, InPlace, InPlaceHalves, Layer, MessageHalves, TestRole, Transcript, assembled,
    run,
};
use proptest::prelude::*;
use std::borrow::Cow;
use ws_proto::frame::Utf8Validator;
use ws_proto::{Client, Config, Connection, Event, Message, Server, WebSocket};

/// Asserts that a payload ends at the input cursor.
#[track_caller]
fn ends_at_cursor(payload: &[u8], cursor: &[u8]) -> Result<(), TestCaseError> {
    prop_assert_eq!(payload.as_ptr_range().end, cursor.as_ptr());
    Ok(())
}

/// A caller that shares its buffer slices it: the payload is the last bytes before the cursor, even
/// the valid beginning of a text that is not valid.
fn payloads_end_at_cursor<R: TestRole>(bytes: &[u8], cuts: &[usize]) -> Result<(), TestCaseError> {
    let ends: Vec<usize> = cuts.iter().copied().chain([bytes.len()]).collect();
    let mut out = Vec::new();

    let (mut rest, mut start) = (&mut bytes.to_vec()[..], 0);
    let mut connection = Connection::new(R::make(), &Config::default());
    for &end in &ends {
        let (mut input, behind) = rest.split_at_mut(end - start);
        while let Some(event) = connection.recv(&mut input, &mut out) {
            if let Event::Data(chunk) = event {
                ends_at_cursor(chunk.payload, input)?;
            }
        }
        (rest, start) = (behind, end);
    }

    let (mut rest, mut start) = (&mut bytes.to_vec()[..], 0);
    let mut ws = WebSocket::new(R::make(), &Config::default());
    for &end in &ends {
        let (mut input, behind) = rest.split_at_mut(end - start);
        while let Some(message) = ws.recv(&mut input, &mut out) {
            match message {
                Message::Text(Cow::Borrowed(text)) => ends_at_cursor(text.as_bytes(), input)?,
                Message::Binary(Cow::Borrowed(bytes)) => ends_at_cursor(bytes, input)?,
                _ => {}
            }
        }
        (rest, start) = (behind, end);
    }
    Ok(())
}

/// Compares one input, at once, split at some places, and byte by byte.
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

    let in_place = same::<R, InPlace<R>>(config, bytes, cuts)?;
    let halves_in_place = same::<R, InPlaceHalves<R>>(config, bytes, cuts)?;
    prop_assert_eq!(&in_place, &messages, "payload in its place, and input");
    prop_assert_eq!(
        &halves_in_place,
        &message_halves,
        "payload in its place, and input"
    );

    // Who began, and whether it was clean, halves do not know before they are put together.
    let of_halves = |ended: &Ended| Ended {
        by: None,
        clean: false,
        ..ended.clone()
    };
    prop_assert_eq!(
        (&halves.seen, &halves.out, &halves.frames),
        (&streamed.seen, &streamed.out, &streamed.frames),
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

    #[test]
    fn a_borrowed_payload_is_the_last_bytes_before_the_cursor(
        for_server in any_input::<Server>(),
        for_client in any_input::<Client>(),
        cuts in cuts(),
    ) {
        payloads_end_at_cursor::<Server>(&for_server.0, &at(&cuts, for_server.0.len()))?;
        payloads_end_at_cursor::<Client>(&for_client.0, &at(&cuts, for_client.0.len()))?;
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
