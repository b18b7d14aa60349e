//! Tests that belong to no single standard: hostile peers, allocations, printed values and errors,
//! the auto traits, the example programs, and the promises of SECURITY.md.

#[cfg(feature = "alloc")]
#[path = "../common/mod.rs"]
mod common;

#[cfg(feature = "alloc")]
mod allocation;
#[cfg(feature = "arbitrary")]
mod arbitrary;
mod auto_traits;
mod deadlines;
#[cfg(all(unix, feature = "std", feature = "handshake"))]
mod hostile;
mod layout;
mod security;
#[cfg(feature = "alloc")]
mod session;
#[cfg(feature = "alloc")]
mod shown;
#[cfg(all(unix, feature = "std", feature = "handshake"))]
mod wscat;

#[cfg(all(unix, feature = "std", feature = "handshake"))]
use std::env;
#[cfg(all(unix, feature = "std", feature = "handshake"))]
use std::path::PathBuf;
#[cfg(all(unix, feature = "std", feature = "handshake"))]
use std::time::Duration;

/// The time that anything may take: only a failing test waits this long.
#[cfg(all(unix, feature = "std", feature = "handshake"))]
const PATIENCE: Duration = Duration::from_secs(30);

/// The first program that a visitor runs.
#[cfg(all(unix, feature = "std", feature = "handshake"))]
#[test]
fn the_example_in_memory_shows_a_conversation() {
    let output = std::process::Command::new(example("sans_io")).output();
    let output = output.unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    for line in [
        "HTTP/1.1 101 Switching Protocols",
        "server: Binary([1, 2, 3, 4, 5])",
        "server: Text(\"κόσμε\")",
        "client: Failed(InvalidUtf8)",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}");
    }
}

/// The path of an example: cargo puts it beside the directory of this test.
#[cfg(all(unix, feature = "std", feature = "handshake"))]
fn example(name: &str) -> PathBuf {
    let test = env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).unwrap();
    profile
        .join("examples")
        .join(name)
        .with_extension(env::consts::EXE_EXTENSION)
}
