//! Work is linear in the input (SE10): each case is done at one size and at eight times that size, and a byte may not take more
//! instructions there.
//!
//! The program runs itself under callgrind, which counts the instructions of each call of [`measured`] alone. Counts do not depend on
//! how fast the machine is or what else it does. Of what is quadratic, eight times as much falls on each byte.

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../../common/frames.rs"]
mod frames;
#[path = "../../handshake_support/mod.rs"]
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

const SMALL: usize = 8 << 10;
const LARGE: usize = 8 * SMALL;

/// What a byte of the large input may take, given what one of the small input took. Two instructions are for the C library, which copies
/// short pieces many bytes at a time and long ones by an instruction that is counted for each byte.
fn linear(small: f64) -> f64 {
    1.1 * small + 2.0
}

/// What comes, and what it may cost.
struct Case {
    /// The ids of the rules and of the attacks first.
    name: &'static str,
    /// The most instructions for a byte in any of the jobs: about twice what was measured, since compilers differ.
    most: u32,
    /// All ways to do it, with about so many bytes.
    jobs: fn(usize) -> Vec<Job>,
}

fn main() -> ExitCode {
    let mut args = env::args().skip(1);
    let good = match (args.next().unwrap_or_default(), args.next()) {
        (measure, Some(words)) if measure == "measure" => Ok(work(&words)),
        (words, _) => judge(&words),
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

/// The cases whose names contain `words`, each with its jobs: first all small ones, then all large ones, in the same order.
fn chosen(words: &str) -> impl Iterator<Item = (&'static Case, Vec<Job>)> {
    let cases = CASES.iter().filter(move |case| case.name.contains(words));
    cases.map(|case| (case, [SMALL, LARGE].into_iter().flat_map(case.jobs).collect()))
}

/// Does all jobs, and says whether they ended as they should.
fn work(words: &str) -> bool {
    let mut jobs = chosen(words).flat_map(|(case, jobs)| jobs.into_iter().map(|job| (case.name, job)));
    jobs.all(|(case, Job { name, work, .. })| {
        let done = catch_unwind(AssertUnwindSafe(|| measured(work))).is_ok();
        if !done {
            eprintln!("FAILED: {case}: {name}");
        }
        done
    })
}

/// What is done in here is counted, and nothing else is. Callgrind knows it by this name.
#[unsafe(no_mangle)]
#[inline(never)]
fn measured(work: Box<dyn FnOnce()>) {
    work();
}

/// Counts the instructions of all jobs, prints what they come to, and says whether it is good.
fn judge(words: &str) -> io::Result<bool> {
    let mut counts = counts(words)?.into_iter();
    let mut good = true;
    println!("instructions a byte: the cheapest job, the dearest, and the most that is allowed");
    for (case, jobs) in chosen(words) {
        let costs: Vec<_> = jobs.iter().zip(&mut counts).map(|(job, count)| count as f64 / job.bytes as f64).collect();
        let (least, most) = costs.iter().fold((f64::MAX, 0.0), |(least, most), &cost| (cost.min(least), cost.max(most)));
        println!("{least:9.2} {most:9.2} {:6}  {}", case.most, case.name);
        let (small, large) = costs.split_at(jobs.len() / 2);
        for ((job, &small), &large) in jobs.iter().zip(small).zip(large) {
            if large > linear(small) || small.max(large) > case.most.into() {
                println!("FAILED: {}: {small:.2}, and {large:.2} where there is eight times as much", job.name);
                good = false;
            }
        }
    }
    assert_eq!(counts.next(), None, "a count for each job");
    Ok(good)
}

/// What callgrind counted in each call of [`measured`].
fn counts(words: &str) -> io::Result<Vec<u64>> {
    let dir = env::temp_dir().join(format!("ws-proto-work-{}", std::process::id()));
    fs::create_dir_all(&dir)?;
    let mut out_file = OsString::from("--callgrind-out-file=");
    out_file.push(dir.join("counts"));
    let status = Command::new("valgrind")
        .args(["--quiet", "--tool=callgrind", "--toggle-collect=measured", "--dump-after=measured"])
        .arg(out_file)
        .args([env::current_exe()?.as_os_str(), "measure".as_ref(), words.as_ref()])
        .status();
    // Each call has left a file.
    let files = (1..).map_while(|number| fs::read_to_string(dir.join(format!("counts.{number}"))).ok());
    let counts = files.map(|file| file.lines().find_map(|line| line.strip_prefix("totals: ")?.parse().ok())).collect::<Option<Vec<_>>>();
    fs::remove_dir_all(&dir)?;
    match (status?.success(), counts) {
        (true, Some(counts)) if !counts.is_empty() => Ok(counts),
        (true, _) => Err(io::Error::other("nothing was counted: no case has such a name, or the program has no symbols")),
        (false, _) => Err(io::Error::other("the work was not done")),
    }
}
