//! No start files, no libraries: nothing but what the programs bring along.
fn main() {
    for argument in ["-nostartfiles", "-nodefaultlibs", "-static"] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
}
