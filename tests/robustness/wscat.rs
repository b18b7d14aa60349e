//! The example `wscat` at servers of all kinds, over real sockets: its deadlines, its memory, its
//! output, and its exit status.

use crate::common::{Form, Frame, Masking, pattern, read, wire};
use crate::{PATIENCE, example};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use ws_proto::Client;
use ws_proto::handshake::accept_key;

const MIB: usize = 1 << 20;

/// More than the sockets' buffers hold, and much less than a program that reads stdin without
/// bounds consumes of [`ENDLESS`] bytes.
const BOUNDED: usize = 64 * MIB;
const ENDLESS: usize = 160 * MIB;

// wscat

struct Cat {
    child: Child,
    stdin: Option<ChildStdin>,
    /// Its output, unless the test reads it.
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
    began: Instant,
}

/// How wscat ended.
struct End {
    status: Option<i32>,
    stdout: Vec<u8>,
    stderr: String,
    after: Duration,
}

impl Cat {
    fn start(command: &mut Command) -> Self {
        let mut cat = Self::start_with_stdout(command, Stdio::piped());
        cat.stdout = cat.child.stdout.take().map(collect);
        cat
    }

    /// Its stdout is for the test to read.
    fn start_with_stdout(command: &mut Command, stdout: Stdio) -> Self {
        // Before it starts, so that no deadline of its own seems to be too early.
        let began = Instant::now();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(Stdio::piped())
            .spawn()
            .expect("`cargo test` builds the examples; before `cargo test --test robustness`, do `cargo build --examples`");
        let stdin = child.stdin.take();
        let stderr = child.stderr.take().map(collect);
        Self {
            child,
            stdin,
            stdout: None,
            stderr,
            began,
        }
    }

    /// With a server that has accepted its TCP connection.
    #[track_caller]
    fn connected(options: &[&str]) -> (Self, Peer) {
        let (url, listener) = listen();
        let cat = Self::start(Command::new(example("wscat")).arg(url).args(options));
        (cat, Peer::accept(&listener))
    }

    /// With a server that has done the opening handshake.
    #[track_caller]
    fn open(options: &[&str]) -> (Self, Peer) {
        let (cat, mut peer) = Self::connected(options);
        peer.opens();
        (cat, peer)
    }

    /// Writes to its stdin, and ends that.
    fn says(&mut self, input: &[u8]) {
        self.stdin.take().unwrap().write_all(input).unwrap();
    }

    /// Writes lines to its stdin, up to [`ENDLESS`] bytes; counts those that it has taken; and does
    /// not end it.
    fn says_endless_lines(&mut self) -> Feed {
        let mut stdin = self.stdin.take().unwrap();
        let lines = format!("{:1023}\n", "line").repeat(64).into_bytes();
        let taken = Arc::<AtomicUsize>::default();
        let count = Arc::clone(&taken);
        let thread = thread::spawn(move || {
            while count.load(Ordering::Relaxed) < ENDLESS && stdin.write_all(&lines).is_ok() {
                count.fetch_add(lines.len(), Ordering::Relaxed);
            }
            stdin
        });
        Feed {
            taken,
            _thread: thread,
        }
    }

    /// The most memory it ever had, in KiB; none is known on other systems.
    fn peak(&self) -> usize {
        let Ok(status) = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))
        else {
            return 0;
        };
        let value = status
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .unwrap();
        value.trim().strip_suffix(" kB").unwrap().parse().unwrap()
    }

    /// Waits for its end. Its stdin stays open, if it is.
    #[track_caller]
    fn end(mut self) -> End {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "wscat does not end");
            thread::sleep(Duration::from_millis(5));
        };
        let after = self.began.elapsed();
        let [stdout, stderr] = [&mut self.stdout, &mut self.stderr].map(|output| {
            output
                .take()
                .map_or(Vec::new(), |output| output.join().unwrap())
        });
        End {
            status: status.code(),
            stdout,
            stderr: String::from_utf8(stderr).unwrap(),
            after,
        }
    }
}

impl Drop for Cat {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

impl End {
    #[track_caller]
    fn is(&self, status: i32, stdout: &str, stderr: &[&str]) {
        assert_eq!(String::from_utf8_lossy(&self.stdout), stdout);
        assert_eq!(
            (self.status, self.stderr.lines().collect::<Vec<_>>()),
            (Some(status), stderr.to_vec())
        );
    }
}

fn collect(mut output: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        output.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// The writer to the stdin of wscat.
struct Feed {
    taken: Arc<AtomicUsize>,
    _thread: JoinHandle<ChildStdin>,
}

impl Feed {
    fn taken(&self) -> usize {
        self.taken.load(Ordering::Relaxed)
    }

    /// Waits until wscat accepts no more.
    fn stalls(&self) {
        let mut before = usize::MAX;
        while before != self.taken() || before == 0 {
            before = self.taken();
            thread::sleep(Duration::from_millis(300));
        }
    }
}

// The server

fn listen() -> (String, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    (
        format!("ws://{}/", listener.local_addr().unwrap()),
        listener,
    )
}

struct Peer {
    stream: TcpStream,
    /// The bytes that were read and are not used yet.
    received: Vec<u8>,
}

impl Peer {
    #[track_caller]
    fn accept(listener: &TcpListener) -> Self {
        listener.set_nonblocking(true).unwrap();
        let deadline = Instant::now() + PATIENCE;
        let stream = loop {
            match listener.accept() {
                Ok((stream, _)) => break stream,
                Err(error) => assert!(
                    error.kind() == ErrorKind::WouldBlock && Instant::now() < deadline,
                    "{error}"
                ),
            }
            thread::sleep(Duration::from_millis(2));
        };
        stream.set_nonblocking(false).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self {
            stream,
            received: Vec::new(),
        }
    }

    /// Reads once: how many bytes, or 0 at the end.
    fn read(&mut self) -> io::Result<usize> {
        let mut buffer = [0; 64 << 10];
        let len = self.stream.read(&mut buffer)?;
        self.received.extend_from_slice(&buffer[..len]);
        Ok(len)
    }

    /// Reads the request, and makes the response to it.
    #[track_caller]
    fn response(&mut self) -> String {
        while !self.received.ends_with(b"\r\n\r\n") {
            assert_ne!(self.read().unwrap(), 0, "the end of the stream");
        }
        let request = String::from_utf8(std::mem::take(&mut self.received)).unwrap();
        let key = request
            .lines()
            .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "))
            .unwrap();
        let accept = accept_key(key.as_bytes());
        let accept = std::str::from_utf8(&accept).unwrap();
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
        )
    }

    #[track_caller]
    fn opens(&mut self) {
        let response = self.response();
        self.send(response.as_bytes());
    }

    #[track_caller]
    fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    #[track_caller]
    fn send_frames(&mut self, frames: &[Frame]) {
        self.send(&wire::<Client>(frames));
    }

    /// The next frame, as common tests compare it, and how many bytes it took.
    #[track_caller]
    fn frame_and_len(&mut self) -> (Frame, usize) {
        loop {
            if let Some((frame, taken)) = read(&self.received) {
                self.received.drain(..taken);
                assert!(matches!(frame.masking, Masking::Key(_)), "MK1");
                return (
                    Frame {
                        masking: Masking::ByRole,
                        form: Form::Shortest,
                        ..frame
                    },
                    taken,
                );
            }
            assert_ne!(self.read().unwrap(), 0, "the end of the stream");
        }
    }

    #[track_caller]
    fn frame(&mut self) -> Frame {
        self.frame_and_len().0
    }

    /// Skips frames of data until a control frame comes, and returns that, and how many bytes were
    /// before it.
    #[track_caller]
    fn control(&mut self) -> (Frame, usize) {
        let mut before = 0;
        loop {
            let (frame, taken) = self.frame_and_len();
            if frame.is_control() {
                return (frame, before);
            }
            before += taken;
        }
    }

    /// The end of the stream comes, in good order or as a reset, and nothing before it.
    #[track_caller]
    fn ends(&mut self) {
        match self.read() {
            Ok(0) => assert_eq!(self.received, b""),
            Ok(_) => panic!("more comes: {}", self.received.escape_ascii()),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }

    /// Answers the Close that comes next, and ends the stream.
    #[track_caller]
    fn closes(mut self, close: Frame) {
        assert_eq!(self.frame(), close);
        self.send_frames(&[close]);
        self.stream.shutdown(Shutdown::Write).unwrap();
        self.ends();
    }

    /// Goes with a reset: something has come that was not read.
    fn reset(self) {
        assert_ne!(self.stream.peek(&mut [0]).unwrap(), 0);
    }
}

// A conversation

#[test]
fn cl14_lines_and_messages_go_both_ways_and_the_end_of_stdin_closes() {
    let (mut cat, mut peer) = Cat::open(&[]);
    cat.says("hello\nw\u{f6}rld\r\n\nthe last one".as_bytes());
    for line in ["hello", "w\u{f6}rld", "", "the last one"] {
        assert_eq!(peer.frame(), Frame::text(line));
    }
    let close = peer.frame();
    assert_eq!(close, Frame::close(1000, ""));
    // After its Close, messages still arrive, and Pings are answered (CT7).
    peer.send_frames(&[
        Frame::text("an\u{e9}").more(),
        Frame::ping("p"),
        Frame::continuation("mone"),
        Frame::binary(b"\x00\xfe"),
    ]);
    assert_eq!(peer.frame(), Frame::pong("p"));
    peer.send_frames(&[close]);
    peer.stream.shutdown(Shutdown::Write).unwrap();
    peer.ends();
    cat.end().is(
        0,
        "an\u{e9}mone\nbinary: 00fe\n",
        &["clean close by us, received 1000, sent 1000"],
    );
}

#[test]
fn cl8_cl14_cl15_the_exit_status_is_0_only_after_a_clean_close() {
    type Case<'a> = (&'a [Frame], Option<Frame>, i32, &'a str);
    let cases: &[Case<'_>] = &[
        (
            &[Frame::close(1000, "")],
            Some(Frame::close(1000, "")),
            0,
            "clean close by the peer, received 1000, sent 1000",
        ),
        (
            &[Frame::close(4000, "bye")],
            Some(Frame::close(4000, "")),
            0,
            "clean close by the peer, received 4000 \"bye\", sent 4000",
        ),
        (
            &[Frame::empty_close()],
            Some(Frame::empty_close()),
            0,
            "clean close by the peer, received no code, sent no code",
        ),
        (
            &[],
            None,
            1,
            "unclean close by the peer, received no Close, sent no Close",
        ),
        (
            &[Frame::text(b"\xff")],
            Some(Frame::close(1007, "invalid UTF-8")),
            1,
            "failed: invalid UTF-8 (RFC 6455 section 8.1), received no Close, sent 1007",
        ),
    ];
    for (frames, answer, status, report) in cases {
        // Its stdin stays open: it ends without waiting for that.
        let (cat, mut peer) = Cat::open(&[]);
        peer.send_frames(&[Frame::text("before")]);
        peer.send_frames(frames);
        if let Some(answer) = answer {
            assert_eq!(peer.frame(), *answer);
        }
        peer.stream.shutdown(Shutdown::Write).unwrap();
        peer.ends();
        cat.end().is(*status, "before\n", &[report]);
    }
    // A reset.
    let (mut cat, mut peer) = Cat::open(&[]);
    cat.stdin
        .as_mut()
        .unwrap()
        .write_all(b"not read\n")
        .unwrap();
    peer.send_frames(&[Frame::text("before")]);
    thread::sleep(Duration::from_millis(100));
    peer.reset();
    cat.end().is(
        1,
        "before\n",
        &["unclean close by the peer, received no Close, sent no Close"],
    );
    // No WebSocket at all.
    let end = Cat::start(
        Command::new(example("wscat"))
            .arg("ws://127.0.0.1/")
            .args(["--timeout", "0"]),
    )
    .end();
    assert_eq!(
        (end.status, end.stderr.lines().count()),
        (Some(2), 2),
        "{}",
        end.stderr
    );
}

// Deadlines

#[test]
fn h8_ch11_the_deadline_of_the_handshake_is_not_extended_by_a_byte_now_and_then() {
    let (mut cat, mut peer) = Cat::connected(&["--timeout", "2"]);
    cat.says(b"too early\n");
    let response = peer.response();
    for byte in response.as_bytes().chunks(1) {
        if peer.stream.write_all(byte).is_err() {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    // It sent nothing after the request.
    peer.ends();
    let end = cat.end();
    assert!((2..10).contains(&end.after.as_secs()), "{:?}", end.after);
    assert_eq!((end.status, end.stdout.len()), (Some(1), 0));
    assert!(
        end.stderr
            .ends_with(": timed out: the server did not complete the handshake\n"),
        "{}",
        end.stderr
    );
}

#[test]
fn h8_connecting_is_under_the_deadline_too() {
    // A listener whose queue is full: std has none with so short a queue.
    const SCRIPT: &str = "
import socket, sys
listener = socket.socket()
listener.bind(('127.0.0.1', 0))
listener.listen(0)
clients = [socket.socket() for _ in range(4)]
for client in clients:
    client.setblocking(False)
    client.connect_ex(listener.getsockname())
print(listener.getsockname()[1], flush=True)
sys.stdin.read()";
    let Some(mut listener) = python(SCRIPT) else {
        return;
    };
    let mut port = String::new();
    io::BufRead::read_line(
        &mut io::BufReader::new(listener.stdout.take().unwrap()),
        &mut port,
    )
    .unwrap();
    let end = Cat::start(
        Command::new(example("wscat"))
            .arg(format!("ws://127.0.0.1:{}/", port.trim()))
            .args(["--timeout", "1"]),
    )
    .end();
    drop(listener.stdin.take());
    listener.wait().unwrap();
    assert!((1..10).contains(&end.after.as_secs()), "{:?}", end.after);
    assert_eq!(end.status, Some(1));
    assert!(end.stderr.contains("timed out"), "{}", end.stderr);
}

/// Runs a script, if there is a Python.
fn python(script: &str) -> Option<Child> {
    let child = Command::new("python3")
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    if child.is_err() {
        eprintln!("not tested, since there is no python3");
    }
    child.ok()
}

#[test]
fn cl10_the_deadline_for_closing_is_not_extended_by_traffic() {
    for answers in [false, true] {
        let (mut cat, mut peer) = Cat::open(&["--timeout", "2"]);
        cat.says(b"");
        assert_eq!(peer.frame(), Frame::close(1000, ""));
        if answers {
            // The Close is answered, and the stream does not end.
            peer.send_frames(&[Frame::close(1000, "")]);
        }
        let mut reader = peer.stream.try_clone().unwrap();
        let draining = thread::spawn(move || io::copy(&mut reader, &mut io::sink()));
        let traffic = wire::<Client>(&[Frame::text("on"), Frame::ping("and on")]);
        let began = Instant::now();
        while peer.stream.write_all(&traffic).is_ok() && began.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(20));
        }
        _ = draining.join().unwrap();
        let end = cat.end();
        assert!((2..10).contains(&end.after.as_secs()), "{:?}", end.after);
        assert_eq!(end.stdout.is_empty(), answers);
        let received = if answers { "1000" } else { "no Close" };
        let report = format!("unclean close by us, received {received}, sent 1000");
        let stdout = String::from_utf8(end.stdout.clone()).unwrap();
        end.is(
            1,
            &stdout,
            &[
                "timed out: the server did not close the connection",
                &report,
            ],
        );
    }
}

#[test]
fn o1_se9_a_server_that_does_not_read_holds_stdin_back_and_ends_wscat_at_the_deadline() {
    let (mut cat, mut peer) = Cat::open(&["--timeout", "2"]);
    let lines = cat.says_endless_lines();
    // Reading and printing goes on meanwhile.
    peer.send_frames(&[Frame::text("I do not listen")]);
    let end = cat.end();
    let (first, second) = (
        "timed out: the server does not read",
        "unclean close by the peer, received no Close, sent no Close",
    );
    end.is(1, "I do not listen\n", &[first, second]);
    assert!(
        lines.taken() <= BOUNDED,
        "{} bytes were read from stdin",
        lines.taken()
    );
}

// Memory

#[test]
fn ct4_cl6_replies_go_ahead_of_lines_that_wait() {
    let (mut cat, mut peer) = Cat::open(&["--timeout", "60"]);
    let lines = cat.says_endless_lines();
    lines.stalls();
    peer.send_frames(&[Frame::ping("soon")]);
    thread::sleep(Duration::from_millis(200));
    let (pong, before) = peer.control();
    assert_eq!(pong, Frame::pong("soon"));
    assert!(before <= BOUNDED, "{before} bytes before the Pong");

    lines.stalls();
    peer.send_frames(&[Frame::close(1001, "going")]);
    thread::sleep(Duration::from_millis(200));
    let (close, before) = peer.control();
    assert_eq!(close, Frame::close(1001, ""));
    assert!(before <= BOUNDED, "{before} bytes before the Close");
    peer.stream.shutdown(Shutdown::Write).unwrap();
    peer.ends();
    cat.end().is(
        0,
        "",
        &["clean close by the peer, received 1001 \"going\", sent 1001"],
    );
}

#[test]
fn ct4_ct5_ct9_se9_a_flood_of_pings_by_a_server_that_does_not_read_takes_no_memory() {
    let (cat, mut peer) = Cat::open(&["--timeout", "60"]);
    let numbered = |i: usize| Frame::ping(format!("{i:0125}"));
    const PINGS: usize = 300_000;
    for thousand in 0..PINGS / 1000 {
        let pings: Vec<Frame> = (0..1000).map(|i| numbered(thousand * 1000 + i)).collect();
        peer.send_frames(&pings);
    }
    peer.send_frames(&[Frame::ping("last")]);
    // Those that were answered are so in order, and the last one is.
    let mut last = Vec::new();
    loop {
        let pong = peer.frame();
        assert_eq!(pong.opcode, 10);
        if pong.payload == b"last" {
            break;
        }
        assert!(pong.payload > last);
        last = pong.payload;
    }
    let peak = cat.peak();
    assert!(peak <= 16 << 10, "{peak} KiB");
    peer.send_frames(&[Frame::close(1000, "")]);
    assert_eq!(peer.frame(), Frame::close(1000, ""));
    drop(peer);
    cat.end().is(
        0,
        "",
        &["clean close by the peer, received 1000, sent 1000"],
    );
}

#[test]
fn se9_lines_of_16_mib_are_sent_in_parts_and_longer_ones_are_refused_and_not_kept() {
    const LONGEST: usize = 16 * MIB;
    let (mut cat, mut peer) = Cat::open(&["--timeout", "60"]);
    let mut stdin = cat.stdin.take().unwrap();
    let feeding = thread::spawn(move || {
        stdin
            .write_all(&[&[b'x'; LONGEST][..], b"\r\n"].concat())
            .unwrap();
        // An endless line, which wscat need not read to its end.
        while stdin.write_all(&[b'y'; 64 << 10]).is_ok() {}
    });
    let mut text = Vec::new();
    loop {
        let frame = peer.frame();
        assert_eq!(frame.opcode, if text.is_empty() { 1 } else { 0 });
        assert!(
            frame.payload.len() <= 16 << 10,
            "a Pong would wait for {} bytes",
            frame.payload.len()
        );
        text.extend(frame.payload);
        if frame.fin {
            break;
        }
    }
    assert!(text.len() == LONGEST && text.iter().all(|&byte| byte == b'x'));
    let peak = cat.peak();
    assert!(peak <= 80 << 10, "{peak} KiB");
    peer.closes(Frame::close(1011, ""));
    feeding.join().unwrap();
    let refusal = format!("stdin, line 2: longer than {LONGEST} bytes");
    cat.end().is(
        1,
        "",
        &[&refusal, "clean close by us, received 1011, sent 1011"],
    );
}

#[test]
fn ut8_a_line_that_is_not_utf8_is_refused_and_those_before_it_are_sent() {
    let (mut cat, mut peer) = Cat::open(&[]);
    cat.says(b"one\ntwo\nthr\xe9e\nfour\n");
    assert_eq!(
        [peer.frame(), peer.frame()],
        [Frame::text("one"), Frame::text("two")]
    );
    peer.closes(Frame::close(1011, ""));
    let error = "stdin, line 3: invalid utf-8 sequence of 1 bytes from index 3";
    cat.end().is(
        1,
        "",
        &[error, "clean close by us, received 1011, sent 1011"],
    );
}

// Printing

#[test]
fn se10_a_binary_message_is_printed_in_linear_time() {
    let (cat, mut peer) = Cat::open(&[]);
    let bytes = pattern(MIB);
    let began = Instant::now();
    peer.send_frames(&[Frame::binary(&bytes), Frame::close(1000, "")]);
    assert_eq!(peer.frame(), Frame::close(1000, ""));
    drop(peer);
    let end = cat.end();
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        (
            end.status,
            end.stdout == format!("binary: {hex}\n").into_bytes()
        ),
        (Some(0), true)
    );
}

#[cfg(target_os = "linux")]
#[test]
fn p1_the_last_words_are_printed_though_a_write_failed() {
    let (url, listener) = listen();
    let mut cat = Cat::start_with_stdout(
        Command::new(example("wscat")).args([&url, "--timeout", "60"]),
        Stdio::piped(),
    );
    let mut peer = Peer::accept(&listener);
    peer.opens();

    // It is writing, and the pipe of its stdout is full, so that there are messages which it has
    // received and not printed yet.
    cat.says_endless_lines().stalls();
    let message = "x".repeat(999);
    peer.send_frames(&vec![Frame::text(&message); 100]);
    peer.send_frames(&[Frame::close(1001, "going")]);
    thread::sleep(Duration::from_millis(300));
    peer.reset();
    thread::sleep(Duration::from_millis(300));
    let mut printed = String::new();
    cat.child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut printed)
        .unwrap();
    assert_eq!(printed.lines().count(), 100);
    assert!(printed == format!("{message}\n").repeat(100));
    let end = cat.end();
    assert_eq!(end.status, Some(1));
    assert!(
        end.stderr
            .ends_with("\nunclean close by the peer, received 1001 \"going\", sent no Close\n"),
        "{}",
        end.stderr
    );
}

#[cfg(target_os = "linux")]
#[test]
fn an_error_of_stdout_closes_the_connection_and_is_no_success() {
    let (url, listener) = listen();
    let full = std::fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let cat = Cat::start_with_stdout(Command::new(example("wscat")).arg(url), full.into());
    let mut peer = Peer::accept(&listener);
    peer.opens();
    peer.send_frames(&[Frame::text("no room for this"), Frame::text("nor for that")]);
    peer.closes(Frame::close(1011, ""));
    let error = "stdout: No space left on device (os error 28)";
    cat.end().is(
        1,
        "",
        &[error, "clean close by us, received 1011, sent 1011"],
    );
}

/// Text that would change colours, the window's title, and more.
const CONTROLS: &str =
    "tab\tline\nred \u{1b}[31m bell \u{7} return \r C1 \u{9b}2J delete \u{7f} \u{e9}";
const ESCAPED: &str =
    "tab\tline\nred \\u{1b}[31m bell \\u{7} return \\r C1 \\u{9b}2J delete \\u{7f} \u{e9}";

#[test]
fn se11_se12_stderr_shows_no_control_characters_of_the_server_and_a_pipe_gets_what_was_sent() {
    let (cat, mut peer) = Cat::open(&[]);
    peer.send_frames(&[Frame::text(CONTROLS), Frame::close(1000, CONTROLS)]);
    assert_eq!(peer.frame(), Frame::close(1000, ""));
    drop(peer);
    let report = format!("clean close by the peer, received 1000 {CONTROLS:?}, sent 1000");
    assert!(!report.contains(|char: char| char.is_control()));
    cat.end().is(0, &format!("{CONTROLS}\n"), &[&report]);

    let (cat, mut peer) = Cat::connected(&[]);
    peer.response();
    let body = CONTROLS.len();
    peer.send(b"HTTP/1.1 403 \x80no\x9b\r\nX: \x9b\xff\r\n");
    peer.send(format!("Content-Length: {body}\r\n\r\n{CONTROLS}").as_bytes());
    let end = cat.end();
    let (_, refusal) = end.stderr.split_once(": refused: ").unwrap();
    let head = r"403 \x80no\x9b|X: \x9b\xff|".replace('|', "\n");
    assert!(refusal.starts_with(&head), "{refusal}");
    assert!(
        !end.stderr
            .contains(|char: char| char.is_control() && !"\n\t".contains(char)),
        "{:?}",
        end.stderr
    );
    assert_eq!((end.status, end.stdout.len()), (Some(1), 0));
}

/// With a terminal for its stdin, stdout and stderr: the stdin of this is the keyboard, and all
/// that is printed is its stdout.
fn at_a_terminal() -> Option<(Cat, Peer)> {
    const SCRIPT: &str = "
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    python("")?.wait().unwrap();
    let (url, listener) = listen();
    let cat = Cat::start(
        Command::new("python3")
            .args(["-c", SCRIPT])
            .arg(example("wscat"))
            .arg(url),
    );
    let mut peer = Peer::accept(&listener);
    peer.opens();
    Some((cat, peer))
}

#[test]
fn se11_se12_a_terminal_gets_no_control_characters_of_the_server() {
    let Some((cat, mut peer)) = at_a_terminal() else {
        return;
    };
    peer.send_frames(&[Frame::text(CONTROLS), Frame::close(1000, "")]);
    assert_eq!(peer.frame(), Frame::close(1000, ""));
    drop(peer);
    let report = format!("{ESCAPED}\nclean close by the peer, received 1000, sent 1000\n");
    // The terminal itself makes the ends of lines.
    cat.end().is(0, &report.replace('\n', "\r\n"), &[]);
}

#[test]
fn the_end_of_stdin_is_typed_once_also_after_a_line_without_its_end() {
    let Some((mut cat, mut peer)) = at_a_terminal() else {
        return;
    };
    // The first Ctrl-D sends the typed text to the program.
    cat.stdin
        .as_mut()
        .unwrap()
        .write_all(b"a line\nhalf a line\x04\x04")
        .unwrap();
    assert_eq!(
        [peer.frame(), peer.frame()],
        [Frame::text("a line"), Frame::text("half a line")]
    );
    peer.closes(Frame::close(1000, ""));
    assert_eq!(cat.end().status, Some(0));
}
