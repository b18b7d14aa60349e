//! The device on a desktop.
//!
//!     cargo run --release --manifest-path examples/device/Cargo.toml -- 127.0.0.1:9001

use device::{Socket, serve};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::{env, time::Duration};

struct Tcp(TcpStream);

impl Socket for Tcp {
    fn read(&mut self, buf: &mut [u8]) -> usize {
        self.0.read(buf).unwrap_or(0)
    }

    fn write(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }
}

fn main() -> io::Result<()> {
    let address = env::args().nth(1).unwrap_or("127.0.0.1:9001".to_owned());
    let listener = TcpListener::bind(address)?;
    println!("ws://{}/", listener.local_addr()?);
    for sock in listener.incoming() {
        let sock = sock?;
        sock.set_nodelay(true)?;
        for timeout in [TcpStream::set_read_timeout, TcpStream::set_write_timeout] {
            timeout(&sock, Some(Duration::from_secs(10)))?;
        }
        let mut sock = Tcp(sock);
        _ = serve(&mut sock);
        // Unread bytes would reset the stream, and the answer would be lost.
        _ = sock.0.shutdown(Shutdown::Write);
        while sock.read(&mut [0; 256]) > 0 {}
    }
    Ok(())
}
