//! Work is linear in the input (SE10): each case is done at one size and at many times that size,
//! and a byte must not need more instructions there.
//!
//! The program runs itself under callgrind, which counts the instructions of each call of
//! [`measured`] only. Counts do not depend on the speed or the load of the machine. If work is
//! quadratic, each byte needs as many times more as there are more bytes.

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../../common/frames.rs"]
mod frames;
#[path = "../../handshake/support.rs"]
mod handshake_support;

mod cases;
mod jobs;

use cases::CASES;
use jobs::Job;
use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, ExitCode};
use std::{env, fs, io};

/// A client's seed. Nothing depends on its value.
const SEED: [u8; 32] = *b"a seed for counts, of no secret.";

/// The two sizes. A case that needs far too much does so at the small one already, and is not run
/// at the large one, where it would last hours.
const SMALL: usize = 2 << 10;
const LARGE: usize = 64 << 10;

/// The limit for a byte of the large input, given the count for one of the small input. A quarter
/// is for the allocator, whose work depends on the heap; two instructions are for the C library,
/// which copies short slices many bytes at a time and long ones by an instruction that is counted
/// for each byte.
fn linear(small: f64) -> f64 {
    1.25 * small + 2.0
}

/// The input, and its permitted cost.
struct Case {
    /// The ids of the rules and of the attacks first.
    name: &'static str,
    /// The most instructions for a byte in any of the jobs: about twice the measured number, since
    /// compilers differ.
    most: u32,
    /// All ways to do it, with about this number of bytes.
    jobs: fn(usize) -> Vec<Job>,
}

fn main() -> ExitCode {
    let args: Vec<_> = env::args().skip(1).collect();
    let good = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["measure", size, words] => Ok(size.parse().is_ok_and(|size| work(size, words))),
        [words] => judge(words),
        _ => judge(""),
    };
    match good {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("FAILED: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The jobs of the cases whose names contain `words`.
fn jobs(size: usize, words: &str) -> impl Iterator<Item = (&'static Case, Vec<Job>)> {
    CASES
        .iter()
        .filter(move |case| case.name.contains(words))
        .map(move |case| (case, (case.jobs)(size)))
}

/// Does all jobs, and returns whether they ended as they should.
fn work(size: usize, words: &str) -> bool {
    let mut jobs =
        jobs(size, words).flat_map(|(case, jobs)| jobs.into_iter().map(|job| (case.name, job)));
    jobs.all(|(case, Job { name, work, .. })| {
        let done = catch_unwind(AssertUnwindSafe(|| measured(work))).is_ok();
        if !done {
            eprintln!("FAILED: {case}: {name}");
        }
        done
    })
}

/// The work in here is counted, and nothing else is. Callgrind knows it by this name.
#[unsafe(no_mangle)]
#[inline(never)]
fn measured(work: Box<dyn FnOnce()>) {
    work();
}

/// Counts the instructions of all jobs, prints the result, and returns whether it is good.
fn judge(words: &str) -> io::Result<bool> {
    let mut good = true;
    let small = costs(SMALL, words)?;
    for (case, name, cost) in small
        .iter()
        .flat_map(Costs::each)
        .filter(|(case, _, cost)| *cost > case.most.into())
    {
        println!(
            "FAILED: {}: {name}: {cost:.2} instructions a byte, and {} are allowed",
            case.name, case.most
        );
        good = false;
    }
    if !good {
        return Ok(false);
    }
    println!("instructions a byte: the cheapest job, the dearest, and the most that is allowed");
    for (small, large) in small.iter().zip(&costs(LARGE, words)?) {
        let all = || small.each().chain(large.each()).map(|(_, _, cost)| cost);
        println!(
            "{:9.2} {:9.2} {:6}  {}",
            all().fold(f64::MAX, f64::min),
            all().fold(0.0, f64::max),
            small.case.most,
            small.case.name
        );
        for ((case, name, small), (_, _, large)) in small.each().zip(large.each()) {
            if large > linear(small) || large > case.most.into() {
                println!(
                    "FAILED: {name}: {small:.2}, and {large:.2} where there is {} times as much",
                    LARGE / SMALL
                );
                good = false;
            }
        }
    }
    Ok(good)
}

/// The cost of the jobs of a case, in instructions for a byte.
struct Costs {
    case: &'static Case,
    jobs: Vec<(String, f64)>,
}

impl Costs {
    fn each(&self) -> impl Iterator<Item = (&'static Case, &str, f64)> {
        self.jobs
            .iter()
            .map(|(name, cost)| (self.case, name.as_str(), *cost))
    }
}

fn costs(size: usize, words: &str) -> io::Result<Vec<Costs>> {
    let mut counts = counts(size, words)?.into_iter();
    let mut cost = |job: Job| {
        (
            job.name,
            counts.next().expect("a count for each job") as f64 / job.bytes as f64,
        )
    };
    Ok(jobs(size, words)
        .map(|(case, jobs)| Costs {
            case,
            jobs: jobs.into_iter().map(&mut cost).collect(),
        })
        .collect())
}

/// The counts of callgrind for each call of [`measured`].
fn counts(size: usize, words: &str) -> io::Result<Vec<u64>> {
    let dir = env::temp_dir().join(format!("ws-proto-work-{}", std::process::id()));
    fs::create_dir_all(&dir)?;
    let mut out_file = OsString::from("--callgrind-out-file=");
    out_file.push(dir.join("counts"));
    let status = Command::new("valgrind")
        .args([
            "--quiet",
            "--tool=callgrind",
            "--toggle-collect=measured",
            "--dump-after=measured",
        ])
        .arg(out_file)
        .args([
            env::current_exe()?.as_os_str(),
            "measure".as_ref(),
            size.to_string().as_ref(),
            words.as_ref(),
        ])
        .status();
    // Each call has left a file.
    let files =
        (1..).map_while(|number| fs::read_to_string(dir.join(format!("counts.{number}"))).ok());
    let counts = files
        .map(|file| {
            file.lines()
                .find_map(|line| line.strip_prefix("totals: ")?.parse().ok())
        })
        .collect::<Option<Vec<_>>>();
    fs::remove_dir_all(&dir)?;
    match (status?.success(), counts) {
        (true, Some(counts)) if !counts.is_empty() => Ok(counts),
        (true, _) => Err(io::Error::other(
            "nothing was counted: no case has such a name, or the program has no symbols",
        )),
        (false, _) => Err(io::Error::other("the work was not done")),
    }
}
