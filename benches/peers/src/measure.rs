//! Thread CPU time, in rounds of all contenders in turn.

use crate::jobs::{Result, Work};
use crate::peers::Peer;
use crate::tally::Tally;
use rustix::time::{ClockId, clock_gettime};
use std::fmt::Write as _;

#[derive(Debug, Clone, Copy)]
pub enum Speed {
    /// Verifies, and measures just enough to print something.
    Quick,
    Full,
}

impl Speed {
    const fn rounds(self) -> usize {
        match self {
            Self::Quick => 1,
            Self::Full => 31,
        }
    }

    /// The least length of a round, in nanoseconds.
    const fn round(self) -> f64 {
        match self {
            Self::Quick => 1e4,
            Self::Full => 2e6,
        }
    }
}

/// A peer, or the floor, with its work.
pub struct Contender {
    name: &'static str,
    is_ours: bool,
    work: Work,
    failure: Option<String>,
    /// Passes in a round.
    passes: u32,
    /// The time of a message, or the memory, in each round.
    samples: Vec<f64>,
}

impl Contender {
    pub fn new(peer: &dyn Peer, work: Work) -> Self {
        Self {
            name: peer.name(),
            is_ours: peer.is_ours(),
            ..Self::floor(work)
        }
    }

    pub fn floor(work: Work) -> Self {
        Self {
            name: "floor",
            is_ours: false,
            work,
            failure: None,
            passes: 1,
            samples: Vec::new(),
        }
    }

    /// Verifies the work. Returns whether it is right; otherwise it is not measured.
    pub fn verify(&mut self, verify: impl FnOnce(&mut Work) -> Result) -> bool {
        self.failure = verify(&mut self.work).err().map(|error| error.to_string());
        self.failure.is_none()
    }

    pub fn add_sample(&mut self, sample: f64) {
        self.samples.push(sample);
    }

    /// The time of some passes.
    fn time(&mut self) -> f64 {
        let mut tally = Tally::default();
        let start = now();
        for _ in 0..self.passes {
            (self.work)(&mut tally).expect("verified");
        }
        now() - start
    }
}

/// The CPU time of this thread, in nanoseconds.
fn now() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

/// Measures the time of a message, of those that were verified.
pub fn race(mut contenders: Vec<Contender>, messages: u64, speed: Speed) -> Measured {
    let mut racing: Vec<_> = contenders
        .iter_mut()
        .filter(|contender| contender.failure.is_none())
        .collect();
    for contender in &mut racing {
        while contender.time() < speed.round() {
            contender.passes *= 2;
        }
    }
    for round in 0..speed.rounds() {
        // Each is the first of a round as often as the others.
        let first = round % racing.len();
        let (last, first) = racing.split_at_mut(first);
        for contender in first.iter_mut().chain(last) {
            let time = contender.time() / f64::from(contender.passes);
            contender.add_sample(time / messages as f64);
        }
    }
    Measured::new("ns", messages, contenders)
}

/// The figures of a row.
pub struct Measured {
    unit: &'static str,
    /// The number of messages in a pass.
    messages: u64,
    contenders: Vec<Figures>,
    pub failures: Vec<(&'static str, String)>,
}

struct Figures {
    name: &'static str,
    is_ours: bool,
    /// One in each round.
    samples: Vec<f64>,
}

impl Figures {
    fn median(&self) -> f64 {
        quartile(&self.samples, 2)
    }
}

fn quartile(samples: &[f64], n: usize) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[(sorted.len() - 1) * n / 4]
}

impl Measured {
    pub fn new(unit: &'static str, messages: u64, contenders: Vec<Contender>) -> Self {
        let mut measured = Self {
            unit,
            messages,
            contenders: Vec::new(),
            failures: Vec::new(),
        };
        for contender in contenders {
            let name = contender.name;
            match contender.failure {
                Some(failure) => measured.failures.push((name, failure)),
                None => measured.contenders.push(Figures {
                    name,
                    is_ours: contender.is_ours,
                    samples: contender.samples,
                }),
            }
        }
        measured
    }

    /// The lowest median of another peer.
    fn best(&self) -> Option<&Figures> {
        let others = self.contenders.iter();
        let others = others.filter(|figures| !figures.is_ours && figures.name != "floor");
        others.min_by(|a, b| a.median().total_cmp(&b.median()))
    }

    pub fn json(&self, name: &str) -> String {
        let mut json = format!(
            r#"{{"row":"{name}","unit":"{}","messages":{},"peers":["#,
            self.unit, self.messages
        );
        for (n, figures) in self.contenders.iter().enumerate() {
            let comma = if n > 0 { "," } else { "" };
            let samples: Vec<_> = figures.samples.iter().map(|n| format!("{n:.3}")).collect();
            _ = write!(
                json,
                r#"{comma}{{"name":"{}","ours":{},"samples":[{}]}}"#,
                figures.name,
                figures.is_ours,
                samples.join(",")
            );
        }
        json + "]}"
    }

    pub fn table(&self, name: &str) -> String {
        let mut table = format!("{name}, {}\n", self.unit);
        let best = self.best();
        for figures in &self.contenders {
            let [first, median, third] = [1, 2, 3].map(|n| quartile(&figures.samples, n));
            _ = write!(
                table,
                "  {:<24}{median:>12.1}  ({first:.1} to {third:.1})",
                figures.name
            );
            if let (true, Some(best)) = (figures.is_ours, best) {
                // Within a round the machine is as fast for both.
                let pairs = figures.samples.iter().zip(&best.samples);
                let ratios: Vec<_> = pairs.map(|(ours, best)| ours / best).collect();
                _ = write!(table, "  {:.2} of {}", quartile(&ratios, 2), best.name);
            }
            table.push('\n');
        }
        table
    }
}
