//! Pages and WebSocket on one port, with hyper: an upgrade of HTTP/1.1, and an extended CONNECT of
//! HTTP/2 (RFC 8441). With TLS, so that browsers speak HTTP/2, by a certificate made at the start.
//!
//!     cargo run --release --manifest-path examples/hosts/Cargo.toml --bin hyper_upgrade -- \
//!         127.0.0.1:9001
//!
//! and open https://127.0.0.1:9001/ in a browser. Only pages of that server can connect.

use hosts::tokio_ws::Connection;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::{ext::Protocol, service::service_fn};
use hyper_util::{rt::TokioExecutor, rt::TokioIo, server::conn::auto};
use std::{env, error::Error, io, sync::Arc, time::Duration};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, rustls::pki_types::PrivateKeyDer};
use ws_proto::deflate::DeflateConfig;
use ws_proto::handshake::{Request, Scheme};
use ws_proto::{Config, Negotiated, OwnedMessage, Server, Session, Timeouts, WebSocket};

type Response = hyper::Response<Full<Bytes>>;

const PAGE: &str = "<!doctype html><script>ws = new WebSocket(`wss://${location.host}/ws`); \
    ws.onopen = () => ws.send('hello'); ws.onmessage = e => document.title = e.data</script>";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let address = env::args().nth(1).unwrap_or("127.0.0.1:9001".to_owned());
    let identity = rcgen::generate_simple_self_signed(["localhost".to_owned()])?;
    let key = PrivateKeyDer::Pkcs8(identity.signing_key.serialize_der().into());
    let mut tls = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![identity.cert.der().clone()], key)?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let tls = TlsAcceptor::from(Arc::new(tls));
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
            let io = TokioIo::new(tls.accept(sock).await?);
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
    let ws = WebSocket::new(negotiated, &Config::new());
    let session = Session::open(ws, &Timeouts::new(), Duration::ZERO);
    let mut ws = Connection::new(sock, session);
    while let Some(message) = ws.recv().await? {
        match message {
            OwnedMessage::Text(text) => ws.send_text(&text).await?,
            OwnedMessage::Binary(bytes) => ws.send_binary(&bytes).await?,
            _ => {}
        }
    }
    Ok(())
}
