//! No start files, no libraries: only the code of the programs themselves.
fn main() {
    for argument in ["-nostartfiles", "-nodefaultlibs", "-static"] {
        println!("cargo::rustc-link-arg-bins={argument}");
    }
}
