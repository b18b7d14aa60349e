//! permessage-deflate (RFC 7692).
#![cfg(feature = "deflate")]

use ws_proto::deflate::{Config as Deflate, Inflated, Params};
use ws_proto::{Agreed, Client, Config, Message, ProtocolError, Server, WebSocket};

fn inflate(params: Params, message: &[u8], block: usize) -> Result<Vec<u8>, ws_proto::deflate::InflateError> {
    let mut d = params.client_decompressor();
    inflate_with(&mut d, message, block)
}

fn inflate_with(
    d: &mut ws_proto::deflate::Decompressor,
    mut message: &[u8],
    block: usize,
) -> Result<Vec<u8>, ws_proto::deflate::InflateError> {
    let mut out = Vec::new();
    let mut buffer = vec![0; block];
    loop {
        let Inflated { len, done } = d.inflate(&mut message, true, &mut buffer)?;
        out.extend_from_slice(&buffer[..len]);
        if done {
            return Ok(out);
        }
    }
}

#[test]
fn dp10_dp8_dp9_dp7_the_examples_of_rfc_7692() {
    for block in [1, 2, 3, 5, 6, 64] {
        let p = Params::default();
        for message in [
            &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..],
            &[0x00, 0x05, 0x00, 0xfa, 0xff, 0x48, 0x65, 0x6c, 0x6c, 0x6f, 0x00],
            &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00],
            &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00],
            &[0xf2, 0x48, 0x05, 0x00, 0x00, 0x00, 0xff, 0xff, 0xca, 0xc9, 0xc9, 0x07, 0x00],
        ] {
            assert_eq!(inflate(p, message, block).as_deref(), Ok(&b"Hello"[..]), "{message:x?} {block}");
        }
        assert_eq!(inflate(p, &[0], block).as_deref(), Ok(&b""[..]));
        assert_eq!(inflate(p, &[2, 0], block).as_deref(), Ok(&b""[..]));
        let mut d = p.client_decompressor();
        assert_eq!(inflate_with(&mut d, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], block).unwrap(), b"Hello");
        assert_eq!(inflate_with(&mut d, &[0xf2, 0x00, 0x11, 0x00, 0x00], block).unwrap(), b"Hello");
        assert_eq!(inflate_with(&mut d, &[0xf3, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x00], block).unwrap(), b"Hello");
        assert_eq!(inflate_with(&mut d, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00], block).unwrap(), b"Hello");
        for cut in 1..7 {
            let r = inflate(p, &[0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00][..cut], block);
            assert!(r.is_err(), "{cut} {r:?}");
        }
    }
}

#[test]
fn round() {
    let config = Deflate::default();
    let params = Params::default();
    let mut server = WebSocket::new(Agreed::new(Server).with_deflate(&config, params), &Config::default());
    let mut client = WebSocket::new(Agreed::new(Client::new([1; 32])).with_deflate(&config, params), &Config::default());
    for i in 0..100 {
        let text = format!("{{\"hello\": {i}, \"world\": \"ünïcödé {i}\"}}").repeat(i * 17);
        let mut out = Vec::new();
        client.send_text(&text, &mut out).unwrap();
        let mut back = Vec::new();
        let mut n = 0;
        for mut input in out.chunks_mut(1000) {
            while let Some(m) = server.recv(&mut input, &mut back) {
                assert_eq!(m, Message::Text(text.clone().into()));
                n += 1;
            }
        }
        assert_eq!(n, 1);
    }
    assert_eq!(server.error(), None::<ProtocolError>);
}
