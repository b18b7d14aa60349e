//! A chat with rooms on tokio: it serves its page, and prepares and compresses each message once
//! for all members of a room.
//!
//!     cargo run --release --manifest-path examples/hosts/Cargo.toml --bin tokio_chat -- \
//!         127.0.0.1:9001
//!
//! and open http://127.0.0.1:9001/#room in some windows of a browser. Other clients connect to
//! ws://127.0.0.1:9001/chat/room, and send their name first.

use futures_util::TryStreamExt;
use hosts::tokio_stream::WebSocketStream;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, atomic::AtomicU64, atomic::Ordering::Relaxed};
use std::{env, io, time::Duration};
use tokio::net::{TcpListener, TcpStream};
use tokio::{sync::mpsc, time::sleep};
use ws_proto::deflate::DeflateConfig;
use ws_proto::handshake::{Incoming, Scheme, ServerHandshake};
use ws_proto::{CloseCode, Config, OwnedMessage, Prepared, Server, Session, Timeouts};

type Connection = WebSocketStream<TcpStream, Server>;
type Sender = mpsc::Sender<Arc<Prepared>>;

const PAGE: &[u8] = include_bytes!("page.html");
const HTML: &[(&str, &[u8])] = &[("Content-Type", b"text/html")];

/// How many messages may wait for a member's task, and how many bytes for its socket. A member for
/// whom more would wait is closed.
const MAX_WAITING: usize = 256;
const MAX_OUTPUT: usize = 1 << 20;

#[derive(Default)]
struct Chat {
    rooms: Mutex<HashMap<String, HashMap<u64, Sender>>>,
    next_id: AtomicU64,
    deflate: DeflateConfig,
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let address = env::args().nth(1).unwrap_or("127.0.0.1:9001".into());
    let listener = TcpListener::bind(address).await?;
    println!("http://{}/", listener.local_addr()?);
    let chat = Arc::new(Chat::default());
    loop {
        // With too many open files, some connection must end first.
        let Ok((sock, peer)) = listener.accept().await else {
            sleep(Duration::from_millis(10)).await;
            continue;
        };
        let chat = chat.clone();
        tokio::spawn(async move {
            let end = serve(&chat, sock).await;
            eprintln!("{peer}: {}", end.unwrap_or_else(|error| error.to_string()));
        });
    }
}

/// Returns how the connection ended.
async fn serve(chat: &Chat, sock: TcpStream) -> io::Result<String> {
    sock.set_nodelay(true)?;
    let config = Config::new().with_max_message(4 << 10);
    let session = Session::new(&config, &Timeouts::new(), Duration::ZERO);
    let mut ws = WebSocketStream::new(sock, session);
    let (mut handshake, mut room) = (ServerHandshake::new(), String::new());
    ws.handshake(|input, out| {
        let request = match handshake.recv_http(input, out)? {
            None => return Ok(None),
            Some(Incoming::WebSocket(request)) => request,
            Some(Incoming::Http(request)) => {
                let response = match (request.method(), request.path()) {
                    ("GET" | "HEAD", "/") => request.respond(200).headers(HTML).body(PAGE),
                    _ => request.respond(404),
                };
                response.write(out)?;
                return Err(io::Error::other("no WebSocket"));
            }
        };
        let status = match request.path().strip_prefix("/chat/") {
            _ if request.origin().is_some() && !request.is_same_origin(Scheme::Http) => 403,
            Some(name) if name.len() <= 100 => {
                name.clone_into(&mut room);
                return Ok(Some(request.accept().deflate(&chat.deflate).write(out)?));
            }
            _ => 404,
        };
        request.reject(status).write(out)?;
        Err(io::Error::other("refused"))
    })
    .await?;

    let (sender, news) = mpsc::channel(MAX_WAITING);
    chat.enter(room, sender).converse(&mut ws, news).await?;
    let outcome = ws.session().outcome();
    Ok(outcome.map_or_else(String::new, |outcome| outcome.to_string()))
}

impl Chat {
    fn enter(&self, room: String, sender: Sender) -> Member<'_> {
        let id = self.next_id.fetch_add(1, Relaxed);
        let mut rooms = self.rooms.lock().unwrap();
        rooms.entry(room.clone()).or_default().insert(id, sender);
        Member {
            chat: self,
            room,
            id,
            name: None,
        }
    }
}

struct Member<'a> {
    chat: &'a Chat,
    room: String,
    id: u64,
    name: Option<String>,
}

impl Member<'_> {
    /// Receives and sends until either end closes, and then receives the rest.
    async fn converse(
        mut self,
        ws: &mut Connection,
        mut news: mpsc::Receiver<Arc<Prepared>>,
    ) -> io::Result<()> {
        let mut batch = Vec::new();
        loop {
            tokio::select! {
                message = ws.try_next() => match message? {
                    Some(OwnedMessage::Text(text)) => match &self.name {
                        Some(name) => self.say(&format!("{name}: {text}")),
                        None => {
                            self.say(&format!("{text} is here"));
                            self.name = Some(text);
                        }
                    },
                    Some(OwnedMessage::Close(..) | OwnedMessage::Failed(_)) | None => break,
                    _ => {}
                },
                count = news.recv_many(&mut batch, 64) => {
                    if count == 0 || ws.session().output().len() > MAX_OUTPUT {
                        ws.session().close(CloseCode::POLICY_VIOLATION, "too slow")?;
                        break;
                    }
                    for message in batch.drain(..) {
                        ws.session().send_prepared(&message)?;
                    }
                }
            }
        }
        drop(self);
        while ws.try_next().await?.is_some() {}
        Ok(())
    }

    fn say(&self, text: &str) {
        let message = Arc::new(Prepared::text(text).deflate(&self.chat.deflate));
        let mut rooms = self.chat.rooms.lock().unwrap();
        if let Some(members) = rooms.get_mut(&self.room) {
            members.retain(|_, sender| sender.try_send(message.clone()).is_ok());
        }
    }
}

impl Drop for Member<'_> {
    fn drop(&mut self) {
        let mut rooms = self.chat.rooms.lock().unwrap();
        if let Some(members) = rooms.get_mut(&self.room) {
            members.remove(&self.id);
            if members.is_empty() {
                rooms.remove(&self.room);
            }
        }
        drop(rooms);
        if let Some(name) = &self.name {
            self.say(&format!("{name} left"));
        }
    }
}
