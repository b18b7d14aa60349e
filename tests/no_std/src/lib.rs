//! The code that a program needs where there is neither std nor libc: an entry point, an exit, the
//! functions that the compiler calls to move memory, and the handler of panics.
#![no_std]

use core::arch::{asm, global_asm};
use core::panic::PanicInfo;

// The kernel enters with a stack aligned to 16 bytes and no return address; a function expects one.
global_asm!(".globl _start", "_start:", "xor ebp, ebp", "call {main}", "ud2", main = sym start);

unsafe extern "Rust" {
    /// The program.
    safe fn run();
}

extern "C" fn start() -> ! {
    run();
    exit(0)
}

/// Ends the program (`exit_group`).
pub fn exit(status: u8) -> ! {
    // SAFETY: the call has no effect on memory, and does not return.
    unsafe { asm!("syscall", in("rax") 231, in("rdi") u64::from(status), options(noreturn)) }
}

/// Exits with the line where it happened, as far as that fits.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    exit(
        info.location()
            .map_or(0xff, |location| location.line().clamp(1, 0xfe) as u8),
    )
}

/// # Safety
///
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    // SAFETY: the caller's; the direction flag is clear, as everywhere.
    unsafe {
        asm!("rep movsb", inout("rcx") len => _, inout("rdi") to => _, inout("rsi") from => _, options(nostack, preserves_flags))
    };
    to
}

/// # Safety
///
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    if (to as usize).wrapping_sub(from as usize) >= len {
        // SAFETY: going forward reads each byte before it is written.
        return unsafe { memcpy(to, from, len) };
    }
    // SAFETY: the caller's; going backward reads each byte before it is written, and the flag is
    // cleared again.
    unsafe {
        let (last_to, last_from) = (to.add(len).sub(1), from.add(len).sub(1));
        asm!("std", "rep movsb", "cld", inout("rcx") len => _, inout("rdi") last_to => _, inout("rsi") last_from => _, options(nostack));
    }
    to
}

/// # Safety
///
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memset(to: *mut u8, byte: i32, len: usize) -> *mut u8 {
    // SAFETY: the caller's.
    unsafe {
        asm!("rep stosb", inout("rcx") len => _, inout("rdi") to => _, in("al") byte as u8, options(nostack, preserves_flags))
    };
    to
}

/// # Safety
///
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, len: usize) -> i32 {
    for at in 0..len {
        // SAFETY: the caller's. A volatile read keeps the compiler from making a call of `memcmp`
        // out of the loop.
        let (one, other) = unsafe { (one.add(at).read_volatile(), other.add(at).read_volatile()) };
        if one != other {
            return i32::from(one) - i32::from(other);
        }
    }
    0
}

/// # Safety
///
/// As in C.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bcmp(one: *const u8, other: *const u8, len: usize) -> i32 {
    // SAFETY: the caller's.
    unsafe { memcmp(one, other, len) }
}

/// Opaque to the optimiser, so that the tested code is linked and run, not computed in advance.
pub fn received<const N: usize>(bytes: [u8; N]) -> [u8; N] {
    core::hint::black_box(bytes)
}
