//! A ring, and all memory that the kernel reads and writes for it. The interface is safe: that
//! memory is not freed, moved or written while the kernel may use it.

use io_uring::squeue::{Entry, Flags};
use io_uring::types::{Fd, SubmitArgs};
use io_uring::{IoUring, cqueue, opcode};
use std::collections::HashMap;
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, FromRawFd};
use std::{io, net::TcpStream, ptr, slice, time::Duration};

/// The buffers for the bytes that arrive, of which the kernel takes one when they do.
const BUFFERS: u16 = 256;
const BUFFER_LEN: usize = 16 << 10;
const GROUP: u16 = 0;

/// The longest copy that is sent at once.
const MAX_SEND: usize = 64 << 10;

const ACCEPT: u64 = 0;
const RECV: u64 = 1;
const SEND: u64 = 2;

/// The end of an operation, for the token that it was begun with.
pub enum Completion<'a> {
    Accepted(u64, io::Result<TcpStream>),
    /// No bytes are the end of the stream. `None` if there was no buffer: repeat it.
    Received(u64, io::Result<Option<&'a [u8]>>),
    Sent(u64, io::Result<usize>),
}

pub struct Ring {
    ring: IoUring,
    /// The buffers, which live as long as the process.
    buffers: *mut u8,
    /// The bytes that are being sent. They are not freed before the kernel is done with them, not
    /// even if the ring is dropped.
    sends: ManuallyDrop<HashMap<u64, Vec<u8>>>,
}

impl Ring {
    /// Fails if the kernel forbids io_uring, or is older than 5.17.
    pub fn new() -> io::Result<Self> {
        let ring = IoUring::builder().setup_cqsize(4096).build(1024)?;
        if !ring.params().is_feature_ext_arg() || !ring.params().is_feature_skip_cqe_on_success() {
            return Err(io::ErrorKind::Unsupported.into());
        }
        let buffers = vec![0; usize::from(BUFFERS) * BUFFER_LEN].leak();
        let mut this = Self {
            ring,
            buffers: buffers.as_mut_ptr(),
            sends: ManuallyDrop::default(),
        };
        this.provide(0, BUFFERS)?;
        Ok(this)
    }

    /// Begins to accept a connection. The listener must be open until that ends.
    pub fn accept(&mut self, token: u64, listener: &impl AsRawFd) -> io::Result<()> {
        let fd = Fd(listener.as_raw_fd());
        let entry = opcode::Accept::new(fd, ptr::null_mut(), ptr::null_mut()).build();
        // SAFETY: no memory is passed.
        unsafe { self.push(&entry.user_data(token << 2 | ACCEPT)) }
    }

    /// Begins to receive the next bytes.
    pub fn recv(&mut self, token: u64, sock: &TcpStream) -> io::Result<()> {
        let entry = opcode::Recv::new(Fd(sock.as_raw_fd()), ptr::null_mut(), BUFFER_LEN as u32)
            .buf_group(GROUP)
            .build()
            .flags(Flags::BUFFER_SELECT)
            .user_data(token << 2 | RECV);
        // SAFETY: the kernel owns the memory of the group.
        unsafe { self.push(&entry) }
    }

    /// Begins to send as many of the bytes as one operation may. A token sends one at a time.
    pub fn send(&mut self, token: u64, sock: &TcpStream, bytes: &[u8]) -> io::Result<()> {
        let bytes = &bytes[..bytes.len().min(MAX_SEND)];
        assert!(!self.sends.contains_key(&token), "it sends already");
        let copy = self.sends.entry(token).or_insert(bytes.to_vec());
        let (data, len) = (copy.as_ptr(), copy.len() as u32);
        let entry = opcode::Send::new(Fd(sock.as_raw_fd()), data, len)
            .flags(libc::MSG_NOSIGNAL)
            .build()
            .user_data(token << 2 | SEND);
        // SAFETY: the copy stays in `sends`, unchanged, until the operation is complete.
        unsafe { self.push(&entry) }
    }

    /// Waits until an operation ends, or for this time. Calls `handle` for all that have ended.
    pub fn wait(
        &mut self,
        timeout: Option<Duration>,
        mut handle: impl FnMut(Completion<'_>),
    ) -> io::Result<()> {
        let time = timeout.unwrap_or(Duration::from_secs(1 << 30)).into();
        let args = SubmitArgs::new().timespec(&time);
        match self.ring.submitter().submit_with_args(1, &args) {
            Err(error) if matches!(error.raw_os_error(), Some(libc::ETIME | libc::EINTR)) => {}
            result => drop(result?),
        }
        let completions: Vec<_> = self.ring.completion().collect();
        for completion in completions {
            let (token, operation) = (completion.user_data() >> 2, completion.user_data() & 3);
            let result = match completion.result() {
                code @ ..0 => Err(io::Error::from_raw_os_error(-code)),
                n => Ok(n as usize),
            };
            match operation {
                ACCEPT => {
                    // SAFETY: the kernel has opened it for us.
                    let sock = result.map(|fd| unsafe { TcpStream::from_raw_fd(fd as i32) });
                    handle(Completion::Accepted(token, sock));
                }
                RECV => {
                    let buffer = cqueue::buffer_select(completion.flags());
                    let received = match (result, buffer) {
                        (Ok(n), Some(buffer)) => {
                            // SAFETY: the kernel has initialized `n` bytes of this buffer, and does
                            // not use it before it is provided again, below.
                            Ok(Some(unsafe {
                                slice::from_raw_parts(self.buffer(buffer), n)
                            }))
                        }
                        (Ok(_), None) => Ok(Some(&[][..])),
                        (Err(error), _) if error.raw_os_error() == Some(libc::ENOBUFS) => Ok(None),
                        (Err(error), _) => Err(error),
                    };
                    handle(Completion::Received(token, received));
                    if let Some(buffer) = buffer {
                        self.provide(buffer, 1)?;
                    }
                }
                SEND => {
                    self.sends.remove(&token);
                    handle(Completion::Sent(token, result));
                }
                _ => unreachable!(),
            }
        }
        Ok(())
    }

    fn buffer(&self, index: u16) -> *mut u8 {
        assert!(index < BUFFERS);
        // SAFETY: the memory has room for `BUFFERS` of them.
        unsafe { self.buffers.add(usize::from(index) * BUFFER_LEN) }
    }

    fn provide(&mut self, first: u16, count: u16) -> io::Result<()> {
        let (data, len) = (self.buffer(first), BUFFER_LEN as i32);
        let entry = opcode::ProvideBuffers::new(data, len, count, GROUP, first).build();
        // SAFETY: the memory is never freed, and not used before the kernel returns it.
        unsafe { self.push(&entry.flags(Flags::SKIP_SUCCESS)) }
    }

    /// # Safety
    ///
    /// The memory that the entry refers to must be valid until the operation is complete.
    unsafe fn push(&mut self, entry: &Entry) -> io::Result<()> {
        // SAFETY: as above.
        while unsafe { self.ring.submission().push(entry) }.is_err() {
            self.ring.submit()?;
        }
        Ok(())
    }
}
