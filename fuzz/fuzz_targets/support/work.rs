//! Work and memory, checked against the length of the input: SE10, H1 and H3 for work, L3 and SE6
//! for memory.
//!
//! Work is the number of loads from memory. They are counted if the target is built as `fuzz/run`
//! does it: with `--cfg counted`, and with the instrumentation that calls `loads.c`. Time is not
//! looked at, since it depends on the machine.

use allocation_counter::measure;

unsafe extern "C" {
    /// Written by `loads.c`, on the one thread that fuzzes.
    static loads: u64;
}

/// The bounds of work or memory: a constant, and a number for each byte.
pub(crate) struct Bounds {
    pub(crate) loads: (u64, u64),
    pub(crate) memory: (u64, u64),
}

/// Does it, and checks that work and memory are within the bounds for this number of bytes.
pub(crate) fn bounded<T>(bounds: &Bounds, bytes: usize, run: impl FnOnce() -> T) -> T {
    let allowed = |(constant, each): (u64, u64)| constant + each * bytes as u64;
    let mut result = None;
    // SAFETY: nothing writes it at the same time.
    let before = unsafe { loads };
    let memory = measure(|| result = Some(run())).bytes_max;
    // SAFETY: as above.
    let done = unsafe { loads } - before;
    assert!(done > 0 || !cfg!(counted), "loads are not counted");
    assert!(
        done <= allowed(bounds.loads),
        "{done} loads for {bytes} bytes"
    );
    assert!(
        memory <= allowed(bounds.memory),
        "{memory} bytes taken for {bytes} bytes"
    );
    result.expect("it was run")
}
