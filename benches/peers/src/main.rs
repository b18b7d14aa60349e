//! Measures this crate and its peers, row by row: see `benches/README.md`.

mod frames;
mod jobs;
mod json;
mod measure;
mod memory;
mod peers;
mod rows;
mod tally;
mod wire;

use measure::Speed;
use std::env;
use std::process::ExitCode;

const USAGE: &str =
    "usage: peers [--rows WORDS] [--peers LIST] [--json] [--quick] | --list | --count ROW PEER N
  --rows WORDS   only the rows that contain one of these words, separated by commas
  --peers LIST   only the peers with these names, separated by commas
  --json         print JSON, one row a line
  --quick        verify everything, and measure only a few milliseconds of each
  --list         print the names of the rows and, for each, of its peers
  --count ROW PEER N   verify, then repeat N times: for valgrind";

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let (mut words, mut names) = (String::new(), None);
    let (mut json, mut list, mut speed) = (false, false, Speed::Full);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_else(|| usage());
        match argument.as_str() {
            "--rows" => words = value(),
            "--peers" => names = Some(value()),
            "--json" => json = true,
            "--quick" => speed = Speed::Quick,
            "--list" => list = true,
            "--count" => return count(&value(), &value(), &value()),
            _ => usage(),
        }
    }

    let is_named = |name| {
        names
            .as_ref()
            .is_none_or(|names| names.split(',').any(|one| one == name))
    };
    let mut peers = peers::all();
    peers.retain(|peer| is_named(peer.name()));
    let mut failures = 0;
    for row in rows::all() {
        if !words.split(',').any(|word| row.name.contains(word)) {
            continue;
        }
        if list {
            println!("{}: {}", row.name, row.peers(&peers).join(", "));
            continue;
        }
        let measured = row.measure(&peers, speed);
        if json {
            println!("{}", measured.json(&row.name));
        } else {
            println!("{}", measured.table(&row.name));
        }
        for (peer, failure) in &measured.failures {
            eprintln!("FAILED: {}: {peer}: {failure}", row.name);
            failures += 1;
        }
    }
    if failures == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn usage() -> ! {
    eprintln!("{USAGE}");
    std::process::exit(2)
}

/// Repeats the work of a peer so many times.
fn count(row: &str, peer: &str, times: &str) -> ExitCode {
    let rows = rows::all();
    let row = rows.iter().find(|known| known.name == row).expect("a row");
    let times = times.parse().expect("a number");
    match row.repeat(peer, times) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
