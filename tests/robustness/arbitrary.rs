//! Feature `arbitrary`: every value that is derived from any bytes is valid, and all kinds of
//! values occur.

use arbitrary::{Arbitrary, Unstructured};
use proptest::prelude::*;
use std::collections::HashSet;
use ws_proto::frame::{Header, MaskingKey, Opcode};
use ws_proto::{CloseCode, Config, MessageKind};

/// A value for each of many inputs.
fn values<T: for<'a> Arbitrary<'a>>() -> Vec<T> {
    let mut state = 1_u64;
    let mut byte = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..4000)
        .map(|_| {
            let bytes: Vec<u8> = (0..40).map(|_| byte()).collect();
            T::arbitrary(&mut Unstructured::new(&bytes)).unwrap()
        })
        .collect()
}

#[test]
fn all_kinds_opcodes_and_masks_come() {
    assert_eq!(
        values::<MessageKind>()
            .into_iter()
            .map(|kind| kind == MessageKind::Text)
            .collect::<HashSet<_>>()
            .len(),
        2
    );
    assert_eq!(
        values::<Opcode>()
            .into_iter()
            .map(u8::from)
            .collect::<HashSet<_>>(),
        (0..16).collect()
    );
    assert!(
        values::<MaskingKey>()
            .into_iter()
            .map(|mask| mask.0)
            .collect::<HashSet<_>>()
            .len()
            > 3900
    );
}

/// CL2: each of the codes that are defined, and many of those for libraries and applications.
#[test]
fn cl2_all_status_codes_come_that_may_be_sent() {
    let codes: HashSet<_> = values::<CloseCode>().into_iter().map(u16::from).collect();
    assert!(codes.iter().all(|&code| CloseCode::new(code).is_some()));
    assert_eq!(codes.iter().filter(|&&code| code < 3000).count(), 12);
    assert!(codes.iter().filter(|&&code| code >= 3000).count() > 500);
}

/// Lengths in all three forms (FR3), masked and not, and each is read as it was written.
#[test]
fn fr3_headers_of_all_forms_come_and_are_read_as_written() {
    let mut forms = HashSet::new();
    for header in values::<Header>() {
        let encoded = header.encode();
        assert_eq!(Header::decode(&encoded), Some((header, encoded.len())));
        forms.insert(encoded.len());
    }
    assert_eq!(forms, [2, 4, 6, 8, 10, 14].into());
}

/// Limits that few bytes reach, and limits that none do; those of nothing at all are fit for use.
#[test]
fn limits_of_all_sizes_come() {
    let limit = |config: &Config, name: &str| -> u64 {
        let shown = format!("{config:?}");
        shown
            .split_once(&format!("{name}: "))
            .unwrap()
            .1
            .split([',', ' '])
            .next()
            .unwrap()
            .parse()
            .unwrap()
    };
    let all = values::<Config>();
    for (name, small, large) in [("max_message", 200, 1 << 30), ("max_fragments", 4, 1 << 20)] {
        for size in [
            all.iter()
                .filter(|config| limit(config, name) < small)
                .count(),
            all.iter()
                .filter(|config| limit(config, name) > large)
                .count(),
        ] {
            assert!(size > 200, "{name}: {size}");
        }
        assert!(
            limit(
                &Config::arbitrary(&mut Unstructured::new(&[])).unwrap(),
                name
            ) >= 1000
        );
    }
    let lenient = all
        .iter()
        .filter(|config| format!("{config:?}").contains("allow_non_minimal_length: true"))
        .count();
    assert!((1000..3000).contains(&lenient));
}

/// DF6, DF7: the value can be stated in an answer, and is read from it.
#[test]
#[cfg(feature = "deflate")]
fn df6_df7_parameters_of_all_kinds_come() {
    use ws_proto::deflate::Params;
    let all = values::<Params>();
    for params in &all {
        assert_eq!(params.to_string().parse(), Ok(*params));
    }
    let bits = |of: fn(&Params) -> u8| all.iter().map(of).collect::<HashSet<_>>();
    assert_eq!(bits(Params::server_max_window_bits), (8..=15).collect());
    assert_eq!(bits(Params::client_max_window_bits), (8..=15).collect());
    assert!(
        all.iter().any(Params::server_no_context_takeover)
            && all.iter().any(Params::client_no_context_takeover)
    );
}

proptest! {
    /// However few bytes there are.
    #[test]
    fn any_bytes_are_a_value(bytes in proptest::collection::vec(any::<u8>(), 0..30)) {
        let mut source = Unstructured::new(&bytes);
        while !source.is_empty() {
            let Ok((header, _, code)) = source.arbitrary::<(Header, Config, CloseCode)>() else { break };
            prop_assert!(header.rsv <= 7 && header.len < 1 << 63 && CloseCode::new(code.into()).is_some());
        }
    }
}
