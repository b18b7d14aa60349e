//! The device for a microcontroller, whose network chip is reached by two registers. The addresses
//! are made up: the program is built to be measured.
#![no_std]
#![no_main]

use core::panic::PanicInfo;
use device::{Socket, serve};

const STATUS: *const u32 = 0x4000_0000 as *const u32;
const DATA: *mut u8 = 0x4000_0004 as *mut u8;

struct Chip;

impl Socket for Chip {
    fn read(&mut self, buf: &mut [u8]) -> usize {
        // SAFETY: the register can be read at any time.
        let len = (unsafe { STATUS.read_volatile() } as usize).min(buf.len());
        for byte in buf.iter_mut().take(len) {
            // SAFETY: as above.
            *byte = unsafe { DATA.read_volatile() };
        }
        len
    }

    fn write(&mut self, bytes: &[u8]) -> bool {
        for &byte in bytes {
            // SAFETY: the register can be written at any time.
            unsafe { DATA.write_volatile(byte) };
        }
        true
    }
}

#[unsafe(no_mangle)]
extern "C" fn _start() -> ! {
    loop {
        _ = serve(&mut Chip);
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}
