//! The grammar of `Sec-WebSocket-Extensions` (RFC 6455 §9.1) for those who have its value from
//! another library: EX1 and EX2 of `docs/rules.md`. It needs no feature.

use std::collections::HashSet;
use ws_proto::extension::{Extension, InvalidExtensions, parse};

/// The elements before the first fault, and whether there is one. Nothing comes after it.
fn parsed(value: &str) -> (Vec<String>, bool) {
    let mut valid = Vec::new();
    let mut elements = parse(value.as_bytes());
    for element in elements.by_ref() {
        match element {
            Ok(extension) => valid.push(extension.to_string()),
            Err(InvalidExtensions { .. }) => {
                assert!(elements.next().is_none());
                return (valid, true);
            }
        }
    }
    (valid, false)
}

fn only(value: &str) -> Extension<'_> {
    let mut elements = parse(value.as_bytes());
    let extension = elements.next().unwrap().unwrap();
    assert!(elements.next().is_none());
    extension
}

#[test]
fn ex1_a_value_is_parsed_and_written_in_its_shortest_form() {
    for (value, expected) in [
        ("", vec![]),
        (" ,\t,", vec![]),
        ("foo", vec!["foo"]),
        (
            "a\t; \tb = c ; d=\t\"e\\f\" ,, G;b;b",
            vec!["a; b=c; d=ef", "G; b; b"],
        ),
    ] {
        assert_eq!(
            parsed(value),
            (
                expected.iter().map(|text| text.to_string()).collect(),
                false
            )
        );
    }
}

#[test]
fn ex1_ex5_extensions_are_equal_if_names_and_values_are() {
    let plain = only("a; b=cd; e");
    for equal in ["a;b=cd;e", "a; b=\"cd\"; e", "a; b=\"\\c\\d\"; e ,"] {
        assert_eq!(only(equal), plain);
        assert!(HashSet::from([plain]).contains(&only(equal)), "{equal}");
    }
    for other in [
        "a",
        "A; b=cd; e",
        "a; B=cd; e",
        "a; b=CD; e",
        "a; b=cd",
        "a; e; b=cd",
        "a; b; e",
        "a; b=cd; e; e",
    ] {
        assert_ne!(only(other), plain, "{other}");
    }
    let value = plain.params().next().and_then(|param| param.value).unwrap();
    assert!(value == "cd" && value != "c" && value != "cde");
}

#[test]
fn ex2_a_fault_ends_the_list_after_the_elements_before_it() {
    for (value, before) in [
        ("a, b=c, d", 1),
        ("a; b, c; =d, e", 1),
        ("a b, c", 0),
        ("a; b=\"c, d", 0),
        ("a, b, \u{e4}", 2),
    ] {
        let (valid, is_faulty) = parsed(value);
        assert_eq!((valid.len(), is_faulty), (before, true), "{value}");
    }
}

#[test]
fn ex2_the_fault_is_an_error() {
    let error = parse(b";").next().unwrap().unwrap_err();
    assert_eq!(error.to_string(), "Sec-WebSocket-Extensions is not valid");
    #[cfg(feature = "std")]
    assert_eq!(
        std::io::Error::from(error).kind(),
        std::io::ErrorKind::InvalidData
    );
}
