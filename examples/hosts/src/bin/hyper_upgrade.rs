//! Pages and WebSocket on one port, with hyper: an upgrade of HTTP/1.1, and an extended CONNECT of
//! HTTP/2 (RFC 8441). With TLS, so that browsers speak HTTP/2, by a certificate made at the start.
//!
//!     cargo run --release --manifest-path examples/hosts/Cargo.toml --bin hyper_upgrade -- \
//!         127.0.0.1:9001
//!
//! and open https://127.0.0.1:9001/ in a browser. Only pages of that server can connect.

use futures_util::{SinkExt, TryStreamExt};
use hosts::{tls, tokio_stream::WebSocketStream};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{ext::Protocol, service::service_fn};
use hyper_util::{rt::TokioExecutor, rt::TokioIo, server::conn::auto};
use std::{env, error::Error, io, time::Duration};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::{net::TcpListener, time::timeout};
use ws_proto::deflate::DeflateConfig;
use ws_proto::handshake::{Request, Scheme};
use ws_proto::{Config, Negotiated, OwnedMessage, Server, Session, Timeouts};

type Response = hyper::Response<Full<Bytes>>;

const PAGE: &str = "<!doctype html><script>ws = new WebSocket(`wss://${location.host}/ws`); \
    ws.onopen = () => ws.send('hello'); ws.onmessage = e => document.title = e.data</script>";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let address = env::args().nth(1).unwrap_or("127.0.0.1:9001".to_owned());
    let (tls, _) = tls::acceptor(&["h2", "http/1.1"])?;
    let deflate = DeflateConfig::new();
    let listener = TcpListener::bind(address).await?;
    println!("https://{}/", listener.local_addr()?);
    loop {
        let (sock, _) = listener.accept().await?;
        let (tls, deflate) = (tls.clone(), deflate.clone());
        tokio::spawn(async move {
            let service = service_fn(|request| std::future::ready(answer(request, &deflate)));
            let mut builder = auto::Builder::new(TokioExecutor::new());
            builder.http2().enable_connect_protocol();
            let sock = timeout(Duration::from_secs(10), tls.accept(sock)).await??;
            let io = TokioIo::new(sock);
            builder.serve_connection_with_upgrades(io, service).await
        });
    }
}

fn answer(mut http: hyper::Request<Incoming>, deflate: &DeflateConfig) -> io::Result<Response> {
    if http.uri().path() != "/ws" {
        let page = hyper::Response::builder().header("content-type", "text/html");
        return page.body(PAGE.into()).map_err(io::Error::other);
    }
    let upgrade = hyper::upgrade::on(&mut http);
    let protocol = http.extensions().get().map(Protocol::as_str);
    let parts = match Request::from_http(&http, protocol) {
        Ok(request) if !request.is_same_origin(Scheme::Https) => request.reject(403).parts()?,
        Ok(request) => {
            let (parts, negotiated) = request.accept().deflate(deflate).parts()?;
            println!("a WebSocket by {:?}", http.version());
            tokio::spawn(async move {
                let sock = upgrade.await.map_err(io::Error::other)?;
                converse(TokioIo::new(sock), negotiated).await
            });
            parts
        }
        Err(error) => error.parts(),
    };
    let response = hyper::Response::try_from(parts).map_err(io::Error::other)?;
    Ok(response.map(Full::from))
}

async fn converse(
    sock: impl AsyncRead + AsyncWrite + Unpin,
    negotiated: Negotiated<Server>,
) -> io::Result<()> {
    let (config, timeouts) = (Config::new(), Timeouts::new());
    let session = Session::open(negotiated, &config, &timeouts, Duration::ZERO);
    let mut ws = WebSocketStream::new(sock, session);
    while let Some(message) = ws.try_next().await? {
        if let OwnedMessage::Text(_) | OwnedMessage::Binary(_) = message {
            ws.feed(message).await?;
        }
    }
    Ok(())
}
