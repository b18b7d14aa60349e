//! Complete messages with an allocator that never frees: recycled memory is enough.
#![no_std]
#![no_main]

extern crate alloc;

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::ptr::null_mut;
use core::sync::atomic::{AtomicUsize, Ordering};
use no_std::received;
use ws_proto::{Config, Message, Server, SliceOutput, WebSocket};

const SIZE: usize = 4096;

#[repr(align(16))]
struct Bump {
    memory: UnsafeCell<[u8; SIZE]>,
    used: AtomicUsize,
}

// SAFETY: each byte of the memory is handed out once.
unsafe impl Sync for Bump {}

// SAFETY: each returned range is inside the memory, is aligned, and is returned once.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let start = self
            .used
            .load(Ordering::Relaxed)
            .next_multiple_of(layout.align());
        if layout.align() > 16 || start + layout.size() > SIZE {
            return null_mut();
        }
        self.used.store(start + layout.size(), Ordering::Relaxed);
        // SAFETY: `start` is inside the memory.
        unsafe { self.memory.get().cast::<u8>().add(start) }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static HEAP: Bump = Bump {
    memory: UnsafeCell::new([0; SIZE]),
    used: AtomicUsize::new(0),
};

#[unsafe(no_mangle)]
fn run() {
    let mut memory = [0; 256];
    let mut out = SliceOutput::new(&mut memory);
    let mut ws = WebSocket::new(Server, &Config::default());
    ws.recycle(Vec::with_capacity(64));

    for _ in 0..1000 {
        // In two fragments: put together, echoed, and given back.
        let mut bytes = received(*b"\x01\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58\x80\x81\0\0\0\0!");
        let mut input = &mut bytes[..];
        let Some(Message::Text(Cow::Owned(text))) = ws.recv(&mut input, &mut out) else {
            panic!()
        };
        ws.send_text(&text, &mut out).unwrap();
        assert!(out.as_bytes() == b"\x81\x06Hello!");
        out.clear();
        ws.recycle(text.into_bytes());
    }
    assert!(HEAP.used.load(Ordering::Relaxed) == 64);
}
