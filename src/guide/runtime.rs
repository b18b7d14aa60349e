// The names of tokio and getrandom that the examples of the guide use, on bytes in memory. The
// examples include it, so that they run without a runtime and without a network.

pub mod runtime {
    use std::cell::RefCell;
    use std::pin::pin;
    use std::rc::Rc;
    use std::task::{Context, Poll, Waker};

    thread_local! {
        /// The sockets to which the next calls of `connect` lead.
        pub static SERVERS: RefCell<Vec<Socket>> = const { RefCell::new(Vec::new()) };
    }

    #[derive(Default)]
    struct Memory {
        input: Vec<u8>,
        written: Vec<u8>,
    }

    #[derive(Clone, Default)]
    pub struct Socket(Rc<RefCell<Memory>>);

    impl Socket {
        /// Returns a socket that receives `input`, then the end of the stream.
        pub fn of(input: &[u8]) -> Self {
            let socket = Self::default();
            socket.0.borrow_mut().input = input.to_vec();
            socket
        }

        pub async fn connect(_: (&str, u16)) -> std::io::Result<Self> {
            let server = SERVERS.with_borrow_mut(Vec::pop);
            server.ok_or(std::io::ErrorKind::ConnectionRefused.into())
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
        let mut context = Context::from_waker(Waker::noop());
        loop {
            if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
                return done;
            }
        }
    }

    pub enum Ready<A, B, C> {
        A(A),
        B(B),
        C(C),
    }
}

pub mod getrandom {
    pub fn fill(bytes: &mut [u8]) -> std::io::Result<()> {
        bytes.fill(7);
        Ok(())
    }
}

pub mod tokio {
    pub mod io {
        use super::super::runtime::Socket;

        pub trait AsyncRead {
            fn half(&self) -> Socket;
        }

        pub trait AsyncWrite {}

        impl AsyncRead for Socket {
            fn half(&self) -> Socket {
                self.clone()
            }
        }

        impl AsyncWrite for Socket {}

        pub fn split<S: AsyncRead + AsyncWrite>(socket: &mut S) -> (Socket, Socket) {
            (socket.half(), socket.half())
        }

        pub trait AsyncReadExt {
            async fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize>;
        }

        pub trait AsyncWriteExt {
            async fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize>;
            async fn flush(&mut self) -> std::io::Result<()>;
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

            async fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
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

            /// The messages, and `None` if the channel is closed then.
            pub struct Receiver<T>(VecDeque<Option<T>>);

            /// Returns a receiver of these messages, after which the channel is open.
            pub fn of<const N: usize>(messages: [&str; N]) -> Receiver<String> {
                let messages = messages.into_iter().map(str::to_owned);
                Receiver(messages.map(Some).collect())
            }

            /// Returns the receiver of a channel that is closed.
            pub fn closed() -> Receiver<String> {
                Receiver([None].into())
            }

            impl<T> Receiver<T> {
                pub async fn recv(&mut self) -> Option<T> {
                    match self.0.pop_front() {
                        Some(next) => next,
                        None => std::future::pending().await,
                    }
                }
            }
        }
    }

    pub mod time {
        pub use std::time::Instant;

        /// Time does not pass here, unless nothing else can happen.
        pub async fn sleep(_: std::time::Duration) {}

        pub async fn timeout<F: Future>(
            _: std::time::Duration,
            future: F,
        ) -> std::io::Result<F::Output> {
            Ok(future.await)
        }

        pub async fn timeout_at<F: Future>(_: Instant, future: F) -> std::io::Result<F::Output> {
            Ok(future.await)
        }

        pub async fn sleep_until(at: Instant) {
            let mut is_ready = Instant::now() >= at;
            std::future::poll_fn(|_| match std::mem::replace(&mut is_ready, true) {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            })
            .await;
        }
    }

    /// The two forms that the examples use.
    macro_rules! select {
        (
            $a:pat = $a_future:expr, if $a_on:expr => $a_body:block
            $b:pat = $b_future:expr => $b_body:expr,
        ) => {
            tokio::select! { @
                $a, $a_future, $a_on, $a_body;
                $b, $b_future, true, $b_body;
                (), std::future::pending::<()>(), {}
            }
        };
        (
            $a:pat = $a_future:expr, if $a_on:expr => $a_body:block
            $b:pat = $b_future:expr, if $b_on:expr => $b_body:expr,
            $c:pat = $c_future:expr => $c_body:block
        ) => {
            tokio::select! { @
                $a, $a_future, $a_on, $a_body;
                $b, $b_future, $b_on, $b_body;
                $c, $c_future, $c_body
            }
        };
        (@
            $a:pat, $a_future:expr, $a_on:expr, $a_body:expr;
            $b:pat, $b_future:expr, $b_on:expr, $b_body:expr;
            $c:pat, $c_future:expr, $c_body:expr
        ) => {{
            use std::task::Poll;
            let ready = {
                let mut a = std::pin::pin!($a_future);
                let mut b = std::pin::pin!($b_future);
                let mut c = std::pin::pin!($c_future);
                let (a_on, b_on) = ($a_on, $b_on);
                std::future::poll_fn(|cx| {
                    if a_on {
                        if let Poll::Ready(a) = a.as_mut().poll(cx) {
                            return Poll::Ready(runtime::Ready::A(a));
                        }
                    }
                    if b_on {
                        if let Poll::Ready(b) = b.as_mut().poll(cx) {
                            return Poll::Ready(runtime::Ready::B(b));
                        }
                    }
                    c.as_mut().poll(cx).map(runtime::Ready::C)
                })
                .await
            };
            match ready {
                runtime::Ready::A($a) => $a_body,
                runtime::Ready::B($b) => $b_body,
                runtime::Ready::C($c) => $c_body,
            }
        }};
    }
    pub(crate) use select;
}
