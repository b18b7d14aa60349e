//! Read and write in two tasks or threads, without a lock around the connection.
//!
//! # Is it necessary?
//!
//! Usually not. One task can wait for reading and writing at the same time: see
//! [`asynchronous`](super::asynchronous), and `examples/hosts` for event loops. [`Session`] is made
//! for that, and other tasks can send through a channel that this one task reads. That is the
//! simpler program.
//!
//! Two threads are right for sockets that block, if messages are sent while the other thread waits
//! for input. Two tasks are right if messages are produced on another thread than the one that
//! reads.
//!
//! # The halves
//!
//! [`WebSocket::split`] returns a [`MessageRecvHalf`] and a [`MessageSendHalf`], and
//! [`Connection::split`] a [`RecvHalf`] and a [`SendHalf`]. They share nothing: each belongs to one
//! task. Therefore the tasks must communicate four things.
//!
//! | | from | to | by |
//! | --- | --- | --- | --- |
//! | the reply to a Ping, a Close or a violation | reading | writing | [`take_reply`](crate::MessageRecvHalf::take_reply), then [`reply`](crate::MessageSendHalf::reply) |
//! | the end of the input | reading | writing | [`recv_eof`](crate::MessageRecvHalf::recv_eof), then [`transport_ended`](crate::MessageSendHalf::transport_ended) |
//! | the next action | the writing task asks for it | | [`next_action`](crate::MessageSendHalf::next_action) |
//! | the end of writing: an error, a deadline | writing | reading | shutting down the socket |
//!
//! At most one Pong is owed, since a newer one replaces an older one, and at most one Close. The
//! tasks need room for **one** of each between them, not for a queue. A queue would let a peer that
//! sends Pings and does not read exhaust the memory, and a bounded channel would block the reading
//! task. A Pong is sent before the messages that wait. The answer to a Close is sent after them:
//! nothing can be sent later.
//!
//! # An example
//!
//! Two threads, a mailbox between them, and messages that wait until they can be sent. It is
//! complete except for the timeouts of a silent peer.
//!
//! ```
//! # use std::collections::VecDeque;
//! # use std::io::{self, Read, Write};
//! # use std::net::{Shutdown, TcpListener, TcpStream};
//! # use std::sync::{Arc, Condvar, Mutex};
//! # use std::{thread, time::Duration};
//! use ws_proto::{
//!     Action, Message, MessageRecvHalf, MessageSendHalf, Reply, Server,
//!     WebSocket,
//! };
//!
//! #[derive(Default)]
//! struct Mailbox {
//!     mail: Mutex<Mail>,
//!     changed: Condvar,
//! }
//!
//! #[derive(Default)]
//! struct Mail {
//!     /// A newer one replaces an older one.
//!     pong: Option<Reply>,
//!     /// The answer to a Close or a violation.
//!     close: Option<Reply>,
//!     texts: VecDeque<String>,
//!     /// Whether the input has ended.
//!     ended: bool,
//! }
//!
//! impl Mailbox {
//!     fn post(&self, change: impl FnOnce(&mut Mail)) {
//!         change(&mut self.mail.lock().unwrap());
//!         self.changed.notify_all();
//!     }
//!
//!     /// Waits while `condition` is true, for a time at most.
//!     fn wait(&self, limit: Duration, condition: impl Fn(&Mail) -> bool) {
//!         let mail = self.mail.lock().unwrap();
//!         let changed = &self.changed;
//!         drop(changed.wait_timeout_while(mail, limit, |mail| condition(mail)));
//!     }
//! }
//!
//! fn read(
//!     mut sock: TcpStream,
//!     mut half: MessageRecvHalf<Server>,
//!     mailbox: &Mailbox,
//! ) -> MessageRecvHalf<Server> {
//!     let mut buf = vec![0; 16 << 10];
//!     // An error ends the stream, too.
//!     while let Ok(n @ 1..) = sock.read(&mut buf) {
//!         let mut input = &mut buf[..n];
//!         while let Some(message) = half.recv(&mut input) {
//!             if let Some(reply) = half.take_reply() {
//!                 mailbox.post(|mail| match message {
//!                     Message::Ping => mail.pong = Some(reply),
//!                     _ => mail.close = Some(reply),
//!                 });
//!             }
//!             if let Message::Text(text) = message {
//!                 mailbox.post(|mail| mail.texts.push_back(text.into_owned()));
//!             }
//!         }
//!         // Backpressure: while 64 answers wait, read no more.
//!         mailbox.wait(Duration::MAX, |mail| mail.texts.len() >= 64);
//!     }
//!     half.recv_eof();
//!     mailbox.post(|mail| mail.ended = true);
//!     half
//! }
//!
//! fn write(
//!     mut sock: &TcpStream,
//!     half: &mut MessageSendHalf<Server>,
//!     mailbox: &Mailbox,
//! ) -> io::Result<()> {
//!     let mut out = Vec::new();
//!     while half.next_action() != Action::CloseTransport {
//!         mailbox.wait(Duration::MAX, |mail| {
//!             let is_idle = mail.pong.is_none() && mail.close.is_none();
//!             is_idle && mail.texts.is_empty() && !mail.ended
//!         });
//!         mailbox.post(|mail| {
//!             let sent = if let Some(pong) = mail.pong.take() {
//!                 half.reply(&pong, &mut out) // before all messages
//!             } else if let Some(text) = mail.texts.pop_front() {
//!                 half.send_text(&text, &mut out)
//!             } else if let Some(close) = mail.close.take() {
//!                 half.reply(&close, &mut out) // after all messages
//!             } else {
//!                 half.transport_ended(); // `mail.ended`
//!                 Ok(())
//!             };
//!             assert_eq!(sent, Ok(())); // a `Vec` always has room
//!         });
//!         sock.write_all(&out)?; // without the lock
//!         out.clear();
//!     }
//!     Ok(())
//! }
//!
//! fn serve(ws: WebSocket<Server>, sock: TcpStream) -> io::Result<String> {
//!     sock.set_write_timeout(Some(Duration::from_secs(30)))?;
//!     let (recv_half, mut send_half) = ws.split();
//!     let mailbox = Arc::new(Mailbox::default());
//!     let (to_writer, to_read) = (Arc::clone(&mailbox), sock.try_clone()?);
//!     let reading = thread::spawn(move || read(to_read, recv_half, &to_writer));
//!
//!     let result = write(&sock, &mut send_half, &mailbox);
//!     send_half.transport_ended();
//!     // The peer shall receive everything: end our direction, and wait for the
//!     // end of its direction, but not forever.
//!     let _ = sock.shutdown(Shutdown::Write);
//!     mailbox.post(|mail| mail.texts.clear());
//!     if result.is_ok() {
//!         mailbox.wait(Duration::from_secs(5), |mail| !mail.ended);
//!     }
//!     let _ = sock.shutdown(Shutdown::Both); // ends the reading thread
//!     let recv_half = reading.join().expect("the thread does not panic");
//!     result?;
//!     let ws = WebSocket::reunite(recv_half, send_half);
//!     Ok(ws.outcome().expect("it has ended").to_string())
//! }
//! # let listener = TcpListener::bind("127.0.0.1:0")?;
//! # let mut peer = TcpStream::connect(listener.local_addr()?)?;
//! # let (sock, _) = listener.accept()?;
//! # let ws = WebSocket::new(Server, &Default::default());
//! # let ended = thread::spawn(move || serve(ws, sock));
//! # let sent = b"\x81\x82\0\0\0\0hi\x81\x82\0\0\0\0yo\x88\x82\0\0\0\0\x03\xe8";
//! # peer.write_all(sent)?;
//! # let mut echoed = Vec::new();
//! # peer.read_to_end(&mut echoed)?;
//! # assert_eq!(echoed, b"\x81\x02hi\x81\x02yo\x88\x02\x03\xe8");
//! # drop(peer);
//! # assert_eq!(ended.join().unwrap()?, "clean close by the peer, received 1000, sent 1000");
//! # Ok::<(), io::Error>(())
//! ```
//!
//! # Questions
//!
//! * **Who sends Pings?** The task that writes. It owns the [`Deadlines`]; the other task passes on
//!   that bytes were received, [`message_progress`](crate::MessageRecvHalf::message_progress), and
//!   the payload of a Pong. One place that a newer report overwrites is enough.
//! * **Must a reply overtake messages?** A Pong, yes: it is sent as soon as practical (RFC 6455
//!   §5.5.2). Long messages should be sent in fragments, so that it need not wait for all of one.
//!   The answer to a Close must not, if the peer shall receive the messages.
//! * **What happens to messages that wait when the answer to a Close is sent?** They cannot be
//!   sent any more: sending fails with [`SendError::Closed`]. `Outcome::clean` does not consider
//!   them.
//! * **Who closes?** The writing task calls [`close`](crate::MessageSendHalf::close), and then
//!   waits for the reply to the peer's Close, with a deadline: [`closing`](super::closing).
//! * **Why are the halves joined again?** Each knows one side of the end. [`WebSocket::reunite`]
//!   combines them for [`outcome`](crate::WebSocket::outcome).
//! * **More programs:** `examples/wscat.rs` is a client with two threads and all its deadlines.
//!
//! [`Connection::split`]: crate::Connection::split
//! [`Deadlines`]: crate::Deadlines
//! [`MessageRecvHalf`]: crate::MessageRecvHalf
//! [`MessageSendHalf`]: crate::MessageSendHalf
//! [`RecvHalf`]: crate::RecvHalf
//! [`SendError::Closed`]: crate::SendError::Closed
//! [`SendHalf`]: crate::SendHalf
//! [`Session`]: crate::Session
//! [`WebSocket::reunite`]: crate::WebSocket::reunite
//! [`WebSocket::split`]: crate::WebSocket::split
