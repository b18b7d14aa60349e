// The names of tokio that the examples of the guide use, on bytes in memory. The examples include
// it, so that they run without a runtime.

pub mod runtime {
    use std::cell::RefCell;
    use std::pin::pin;
    use std::rc::Rc;
    use std::task::{Context, Poll, Waker};

    #[derive(Default)]
    struct Memory {
        input: Vec<u8>,
        written: Vec<u8>,
    }

    #[derive(Clone, Default)]
    pub struct Socket(Rc<RefCell<Memory>>);

    /// Returns a socket that receives `input`, then the end of the stream, and its peer.
    pub fn pair(input: &[u8]) -> (Socket, Socket) {
        let socket = Socket::default();
        socket.0.borrow_mut().input = input.to_vec();
        (socket.clone(), socket)
    }

    impl Socket {
        pub fn split(&mut self) -> (Self, Self) {
            (self.clone(), self.clone())
        }

        pub fn written(&self) -> Vec<u8> {
            self.0.borrow().written.clone()
        }

        pub fn read_now(&mut self, buf: &mut [u8]) -> usize {
            let mut memory = self.0.borrow_mut();
            let n = memory.input.len().min(buf.len());
            buf[..n].copy_from_slice(&memory.input[..n]);
            memory.input.drain(..n);
            n
        }

        pub fn write_now(&mut self, bytes: &[u8]) -> usize {
            self.0.borrow_mut().written.extend_from_slice(bytes);
            bytes.len()
        }
    }

    pub fn block_on<T>(future: impl Future<Output = T>) -> T {
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(done) = future
                .as_mut()
                .poll(&mut Context::from_waker(Waker::noop()))
            {
                return done;
            }
        }
    }

    pub enum Ready<A, B, C, D> {
        A(A),
        B(B),
        C(C),
        D(D),
    }
}

pub mod tokio {
    pub mod io {
        use super::super::runtime::Socket;

        pub trait AsyncReadExt {
            async fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize>;
        }

        pub trait AsyncWriteExt {
            async fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize>;
            async fn shutdown(&mut self) -> std::io::Result<()>;
        }

        impl AsyncReadExt for Socket {
            async fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
                Ok(self.read_now(buf))
            }
        }

        impl AsyncWriteExt for Socket {
            async fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                Ok(self.write_now(bytes))
            }

            async fn shutdown(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
    }

    pub mod net {
        pub use super::super::runtime::Socket as TcpStream;
    }

    pub mod sync {
        pub mod mpsc {
            use std::collections::VecDeque;

            pub struct Receiver<T>(VecDeque<T>);

            /// Returns a receiver of these messages, after which the channel is closed.
            pub fn of<const N: usize>(messages: [&str; N]) -> Receiver<String> {
                Receiver(messages.into_iter().map(str::to_owned).collect())
            }

            impl<T> Receiver<T> {
                pub async fn recv(&mut self) -> Option<T> {
                    self.0.pop_front()
                }
            }
        }
    }

    pub mod time {
        pub use std::time::Instant;

        pub async fn sleep_until(at: Instant) {
            while Instant::now() < at {
                let mut is_first = true;
                std::future::poll_fn(|_| match std::mem::replace(&mut is_first, false) {
                    true => std::task::Poll::Pending,
                    false => std::task::Poll::Ready(()),
                })
                .await;
            }
        }
    }

    macro_rules! select {
        (
            $a:pat = $a_future:expr, if $a_on:expr => $a_body:block
            $b:pat = $b_future:expr, if $b_on:expr => $b_body:expr,
            $c:pat = $c_future:expr, if $c_on:expr => $c_body:block
            $d:pat = $d_future:expr => $d_body:block
        ) => {{
            let ready = {
                let mut a = std::pin::pin!($a_future);
                let mut b = std::pin::pin!($b_future);
                let mut c = std::pin::pin!($c_future);
                let mut d = std::pin::pin!($d_future);
                let (a_on, b_on, mut c_on) = ($a_on, $b_on, $c_on);
                std::future::poll_fn(|cx| {
                    use std::task::Poll;
                    if let (true, Poll::Ready(a)) = (a_on, a.as_mut().poll(cx)) {
                        return Poll::Ready(runtime::Ready::A(a));
                    }
                    if c_on {
                        if let Poll::Ready(c) = c.as_mut().poll(cx) {
                            if let Some(c) = c {
                                return Poll::Ready(runtime::Ready::C(Some(c)));
                            }
                            c_on = false; // the pattern does not match
                        }
                    }
                    if let (true, Poll::Ready(b)) = (b_on, b.as_mut().poll(cx)) {
                        return Poll::Ready(runtime::Ready::B(b));
                    }
                    d.as_mut().poll(cx).map(runtime::Ready::D)
                })
                .await
            };
            match ready {
                runtime::Ready::A($a) => $a_body,
                runtime::Ready::B($b) => $b_body,
                runtime::Ready::C($c) => $c_body,
                runtime::Ready::D($d) => $d_body,
                #[allow(unreachable_patterns)]
                _ => unreachable!(),
            }
        }};
    }
    pub(crate) use select;
}
