//! Measures this crate and its peers, row by row: see `benches/README.md`.

mod checks;
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

const USAGE: &str = "\
usage: peers [--rows WORDS]... [--peers LIST] [--quick] [--json]
       peers [--rows WORDS]... [--peers LIST] --list
       peers --checks
       peers --count ROW PEER N
  --rows WORDS   only rows whose name contains these words, or those of another --rows
  --peers LIST   only peers with these names, separated by commas
  --quick        verify everything, but measure each only for a moment
  --json         print JSON, one row a line
  --list         print the names of the rows, and the peers that take part
  --checks       print a table of the violations that each peer refuses
  --count        verify, and then repeat N times, for valgrind";

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let (mut words, mut names) = (Vec::new(), None);
    let (mut json, mut list, mut speed) = (false, false, Speed::Full);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().unwrap_or_else(|| usage());
        match argument.as_str() {
            "--rows" => words.push(value()),
            "--peers" => names = Some(value()),
            "--json" => json = true,
            "--quick" => speed = Speed::Quick,
            "--list" => list = true,
            "--checks" => {
                print!("{}", checks::table(&peers::all()));
                return ExitCode::SUCCESS;
            }
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
        if !words.is_empty() && !words.iter().any(|words| row.name.contains(words)) {
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

/// Repeats the work of a peer `passes` times.
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
