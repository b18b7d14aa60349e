//! The listed differences.

use std::fmt;

/// A way in which another implementation's verdict differs from ours, by a rule that decides it.
#[derive(PartialEq, Eq)]
pub(crate) struct Difference {
    pub(crate) theirs: &'static str,
    pub(crate) ours: &'static str,
    /// The rule that permits or requires our verdict, with its id in `docs/rules.md`.
    pub(crate) rule: &'static str,
}

impl fmt::Debug for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; we {} ({})", self.theirs, self.ours, self.rule)
    }
}

/// The differences that were found before the verdicts agreed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Found(Vec<&'static Difference>);

impl Found {
    pub(crate) fn push(&mut self, difference: &'static Difference) {
        if !self.0.contains(&difference) {
            self.0.push(difference);
        }
    }

    pub(crate) fn extend(&mut self, found: &Self) {
        for difference in &found.0 {
            self.push(difference);
        }
    }

    /// Whether it is these, each at least once, and no other.
    #[track_caller]
    pub(crate) fn is(&self, expected: &[&'static Difference]) {
        assert!(
            self.0.len() == expected.len()
                && expected
                    .iter()
                    .all(|difference| self.0.contains(difference)),
            "found {:?}, and not {expected:?}",
            self.0
        );
    }
}
