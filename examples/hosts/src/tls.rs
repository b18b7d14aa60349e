//! TLS for servers, by a certificate made at the start, and for clients, which trust the
//! certificates of a file. A WebSocket needs nothing else: `tokio_stream` wraps a stream of TLS as
//! it does one of TCP.

use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Returns a server's TLS for `localhost` with these protocols (ALPN), and its certificate as PEM.
pub fn acceptor(protocols: &[&str]) -> io::Result<(TlsAcceptor, String)> {
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let identity = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
    let key = PrivateKeyDer::Pkcs8(identity.signing_key.serialize_der().into());
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![identity.cert.der().clone()], key)
        .map_err(io::Error::other)?;
    config.alpn_protocols = protocols.iter().map(|&name| name.into()).collect();
    Ok((Arc::new(config).into(), identity.cert.pem()))
}

/// Returns a client's TLS that trusts the certificates in the PEM file.
pub fn connector(file: impl AsRef<Path>) -> io::Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(io::Error::other)? {
        let certificate = certificate.map_err(io::Error::other)?;
        roots.add(certificate).map_err(io::Error::other)?;
    }
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config).into())
}
