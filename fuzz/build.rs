//! Compiles the counter of loads.

fn main() {
    println!("cargo::rerun-if-changed=loads.c");
    cc::Build::new().file("loads.c").compile("loads");
}
