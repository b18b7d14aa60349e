//! The wrapper in `tokio_stream.rs`: cancel safety, halves in two tasks, and few writes.

use futures_util::{SinkExt, StreamExt, TryStreamExt, future::join};
use hosts::tokio_stream::WebSocketStream;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf, duplex};
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout};
use ws_proto::{Client, CloseCode, Config, OwnedMessage, Role, Server, Session, Timeouts};

fn open<S: AsyncRead + AsyncWrite + Unpin, R: Role>(stream: S, role: R) -> WebSocketStream<S, R> {
    let (config, timeouts) = (Config::new(), Timeouts::new());
    WebSocketStream::new(
        stream,
        Session::open(role, &config, &timeouts, Duration::ZERO),
    )
}

/// Both ends of a pipe that holds `len` bytes in each direction.
fn pair(
    len: usize,
) -> (
    WebSocketStream<DuplexStream, Server>,
    WebSocketStream<DuplexStream, Client>,
) {
    let (server, client) = duplex(len);
    (open(server, Server), open(client, Client::new([7; 32])))
}

/// Numbers of which the next one is hard to predict (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

/// The message with this number: empty, short, or longer than the pipe and the read buffer.
fn message(number: usize) -> OwnedMessage {
    let len = [0, 10, 200, 5000, 200_000][number % 5];
    OwnedMessage::Text(format!("{number} {}", "x".repeat(len)))
}

async fn soon(random: &mut Random) {
    for _ in 0..random.below(3) {
        yield_now().await;
    }
}

async fn patient<T>(future: impl Future<Output = T>) -> T {
    timeout(Duration::from_secs(60), future)
        .await
        .expect("it waits without end")
}

#[tokio::test]
async fn receiving_and_flushing_can_be_cancelled_at_any_time() {
    for seed in 1..=20 {
        let (mut server, mut client) = pair(1000);
        let echoing = tokio::spawn(async move {
            let mut random = Random(seed);
            loop {
                tokio::select! {
                    biased;
                    () = soon(&mut random) => {}
                    message = server.next() => match message {
                        None => return,
                        Some(Ok(OwnedMessage::Text(text))) => {
                            server.session().send_text(&text).unwrap();
                            tokio::select! {
                                biased;
                                () = soon(&mut random) => {}
                                flushed = server.flush() => flushed.unwrap(),
                            }
                        }
                        Some(_) => {}
                    }
                }
            }
        });
        for number in 0..25 {
            client
                .session()
                .send(|ws, out| match message(number) {
                    OwnedMessage::Text(text) => ws.send_text(&text, out),
                    _ => unreachable!(),
                })
                .unwrap();
        }
        let mut random = Random(seed + 100);
        let mut number = 0;
        patient(async {
            while number < 25 {
                tokio::select! {
                    biased;
                    () = soon(&mut random) => {}
                    received = client.next() => {
                        assert_eq!(received.unwrap().unwrap(), message(number));
                        number += 1;
                    }
                }
            }
            client.close().await.unwrap();
            while let Some(message) = client.try_next().await.unwrap() {
                assert_eq!(
                    message,
                    OwnedMessage::Close(Some(CloseCode::NORMAL), String::new())
                );
            }
            echoing.await.unwrap();
        })
        .await;
        assert!(client.session().outcome().unwrap().clean);
    }
}

#[tokio::test]
async fn a_message_whose_sending_is_cancelled_is_sent_once_or_not_at_all() {
    for seed in 1..=20 {
        let (mut server, mut client) = pair(1000);
        let sending = tokio::spawn(async move {
            let mut random = Random(seed);
            let mut sent = 0;
            for number in 0..25 {
                tokio::select! {
                    biased;
                    () = soon(&mut random) => {}
                    result = client.send(message(number)) => {
                        result.unwrap();
                        sent += 1;
                    }
                }
            }
            client.close().await.unwrap();
            while client.try_next().await.unwrap().is_some() {}
            assert!(client.session().outcome().unwrap().clean);
            sent
        });
        let received: Vec<_> = patient(server.by_ref().try_collect()).await.unwrap();
        let sent = sending.await.unwrap();
        let mut expected = (0..25).map(message);
        let (messages, [OwnedMessage::Close(..)]) = received.split_at(received.len() - 1) else {
            panic!("no Close");
        };
        assert!((sent..=25).contains(&messages.len()));
        for message in messages {
            assert!(
                expected.any(|next| next == *message),
                "twice, or in another order"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_halves_in_two_tasks_send_and_receive_at_the_same_time() {
    // Each end sends more than the pipe and all buffers hold, before the other one could answer.
    for len in [1, 30, 1000] {
        let (server, client) = pair(len);
        let [server, client] = [tokio::spawn(all_of(server)), tokio::spawn(all_of(client))];
        patient(async {
            server.await.unwrap();
            client.await.unwrap();
        })
        .await;
    }
}

async fn all_of<R: Role>(ws: WebSocketStream<DuplexStream, R>) {
    const COUNT: usize = 10;
    let (mut sender, mut receiver) = ws.split();
    let sending = tokio::spawn(async move {
        for number in 0..COUNT {
            sender.send(message(number)).await.unwrap();
        }
        sender
    });
    for number in 0..COUNT {
        assert_eq!(receiver.next().await.unwrap().unwrap(), message(number));
    }
    // Both ends close at the same time, and read meanwhile.
    let mut sender = sending.await.unwrap();
    let (closed, rest) = join(sender.close(), receiver.by_ref().try_collect::<Vec<_>>()).await;
    closed.unwrap();
    assert!(matches!(rest.unwrap()[..], [OwnedMessage::Close(..)]));
    let mut ws = sender.reunite(receiver).unwrap();
    assert!(ws.session().outcome().unwrap().clean);
}

#[tokio::test]
async fn a_half_is_woken_by_what_the_other_half_does() {
    let (server, mut client) = pair(100);
    let (mut sender, mut receiver) = server.split();
    let receiving = tokio::spawn(async move {
        let close = receiver.next().await;
        assert!(
            matches!(close, Some(Ok(OwnedMessage::Close(..)))),
            "{close:?}"
        );
        assert!(receiver.next().await.is_none());
    });
    let sending = tokio::spawn(async move {
        sender.send(message(3)).await.unwrap();
        sleep(Duration::from_millis(20)).await;
        sender
            .send(OwnedMessage::Close(None, String::new()))
            .await
            .unwrap();
    });
    patient(async {
        assert_eq!(client.next().await.unwrap().unwrap(), message(3));
        while client.try_next().await.unwrap().is_some() {}
        sending.await.unwrap();
        receiving.await.unwrap();
    })
    .await;
}

/// The time for the peer's Close begins when the other half sends ours.
#[tokio::test(start_paused = true)]
async fn a_deadline_that_one_half_starts_ends_the_other() {
    let (stream, _peer) = duplex(1000);
    let (mut sender, mut receiver) = open(stream, Server).split();
    let receiving = tokio::spawn(async move { receiver.next().await });
    sleep(Duration::from_secs(1)).await;
    let start = Instant::now();
    let close = OwnedMessage::Close(None, String::new());
    sender.send(close).await.unwrap();
    let end = receiving.await.unwrap().unwrap().unwrap_err();
    assert_eq!(end.kind(), io::ErrorKind::TimedOut);
    assert_eq!(start.elapsed().as_secs(), 10);
}

/// Both ends send more than the pipe holds before either reads.
#[tokio::test]
async fn messages_are_received_while_the_output_waits() {
    let (mut server, mut client) = pair(1000);
    server.start_send_unpin(message(4)).unwrap();
    client.start_send_unpin(message(4)).unwrap();
    let (left, right) = patient(join(server.next(), client.next())).await;
    assert_eq!(left.unwrap().unwrap(), message(4));
    assert_eq!(right.unwrap().unwrap(), message(4));
}

/// Counts the calls that write.
struct Counting {
    stream: DuplexStream,
    writes: Arc<AtomicUsize>,
}

impl AsyncRead for Counting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Counting {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.writes.fetch_add(1, Relaxed);
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[tokio::test]
async fn the_answers_to_all_messages_of_a_read_are_one_write() {
    let (stream, mut client) = duplex(1 << 20);
    let writes = Arc::<AtomicUsize>::default();
    let counting = Counting {
        stream,
        writes: writes.clone(),
    };
    let mut server = open(counting, Server);
    // 1,000 messages of 6 bytes: one read.
    let mut input = b"\x81\x86\0\0\0\0Hello!".repeat(1000);
    input.extend(b"\x88\x80\0\0\0\0");
    client.write_all(&input).await.unwrap();
    client.shutdown().await.unwrap();
    let mut count = 0;
    while let Some(message) = server.try_next().await.unwrap() {
        if let OwnedMessage::Text(_) = message {
            server.feed(message).await.unwrap();
            count += 1;
        }
    }
    assert_eq!(count, 1000);
    assert_eq!(writes.load(Relaxed), 1);
}
