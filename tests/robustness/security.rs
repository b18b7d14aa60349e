//! Every promise of SECURITY.md names tests, and they exist.

/// The first column, and the tests that the second names as `binary::file::test`.
fn promises(page: &str) -> Vec<(&str, Vec<(&str, &str)>)> {
    let rows = page.lines().filter_map(|line| {
        line.strip_prefix("| ")?
            .strip_suffix(" |")?
            .split_once(" | ")
    });
    let rows = rows.filter(|(promise, _)| !matches!(*promise, "promise" | "---"));
    rows.map(|(promise, held_by)| {
        (
            promise,
            held_by
                .split('`')
                .skip(1)
                .step_by(2)
                .filter_map(|name| name.rsplit_once("::"))
                .collect(),
        )
    })
    .collect()
}

#[test]
fn every_promise_names_tests_that_exist() {
    let promises = promises(include_str!("../../SECURITY.md"));
    assert!(promises.len() >= 15);
    for (promise, tests) in promises {
        assert!(
            !tests.is_empty() || promise.starts_with("No quadratic time"),
            "{promise}"
        );
        for (file, test) in tests {
            let path = format!(
                "{}/tests/{}.rs",
                env!("CARGO_MANIFEST_DIR"),
                file.replace("::", "/")
            );
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(
                text.contains(&format!("fn {test}(")),
                "{file}::{test} of: {promise}"
            );
        }
    }
}
