//! The logs of Chromium.

use crate::packets::{REQUEST, RESPONSE};
use crate::{assert_contains, dissect, shown};
use base64::prelude::{BASE64_STANDARD, Engine};

const SENT: u32 = 84;
const RECEIVED: u32 = 86;
const TLS_SENT: u32 = 85;
const TLS_RECEIVED: u32 = 87;

/// A log of these events, each with its socket, its type and its bytes.
fn log(events: &[(u32, u32, &[u8])]) -> String {
    let types = r#"{"SOCKET_ALIVE":45,"TCP_CONNECT":51,"SOCKET_BYTES_SENT":84,"SSL_SOCKET_BYTES_SENT":85,"SOCKET_BYTES_RECEIVED":86,"SSL_SOCKET_BYTES_RECEIVED":87}"#;
    let mut log =
        format!(r#"{{"constants":{{"logEventTypes":{types},"timeTickOffset":1700000000000}},"#);
    log += "\n\"events\": [\n";
    let mut event = |id: u32, number: u32, phase: u32, time: usize, params: &str| {
        log += &format!(
            "{{\"params\":{params},\"phase\":{phase},\"source\":{{\"id\":{id},\"start_time\":\"1\",\"type\":10}},\"time\":\"{time}\",\"type\":{number}}},\n"
        );
    };
    let mut sockets: Vec<u32> = events.iter().map(|event| event.0).collect();
    sockets.dedup();
    for &id in &sockets {
        event(
            id,
            51,
            2,
            0,
            &format!(r#"{{"local_address":"127.0.0.1:4{id}","remote_address":"127.0.0.1:80"}}"#),
        );
    }
    for (time, (id, number, bytes)) in events.iter().enumerate() {
        let bytes = BASE64_STANDARD.encode(bytes);
        event(
            *id,
            *number,
            0,
            time,
            &format!(r#"{{"byte_count":1,"bytes":"{bytes}"}}"#),
        );
    }
    for id in sockets {
        event(id, 45, 2, events.len(), "{}");
    }
    log + "{\"params\":{},\"phase\":0"
}

#[test]
fn a_log_is_read_before_encryption() {
    let log = log(&[
        (7, SENT, b"\x16\x03\x01\x00\x05hello"),
        (7, TLS_SENT, REQUEST),
        (7, TLS_RECEIVED, RESPONSE),
        (7, RECEIVED, b"\x17\x03\x03\x00\x05hello"),
        (7, TLS_SENT, b"\x81\x85\0\0\0\0Hello"),
        (8, SENT, b"GET / HTTP/1.1\r\n\r\n"),
    ]);
    let out = shown(&[], log.as_bytes(), 0);
    assert_contains(
        &out,
        &[
            "seconds since 2023-11-14T22:13:20.001000Z\n",
            "stream 7: client 127.0.0.1:47, server 127.0.0.1:80\n",
            "   0.003000   7 client 00000090  masked text, 5 bytes: \"Hello\"\n",
            "stream 7: no Close was sent, but TCP was closed: abnormal",
            "2 TCP streams: 1 WebSocket conversation; 0 violations",
        ],
    );
    assert_eq!(
        shown(&["--stream", "7", "--port", "80"], log.as_bytes(), 0)
            .matches("Hello")
            .count(),
        1
    );
    assert_eq!(dissect(&["--port", "81"], log.as_bytes()).0, 2);
}

#[test]
fn a_violation_in_a_log_is_named() {
    let log = log(&[
        (7, SENT, REQUEST),
        (7, RECEIVED, RESPONSE),
        (7, RECEIVED, b"\x81\x85\0\0\0\0Hello"),
    ]);
    assert_contains(
        &shown(&[], log.as_bytes(), 1),
        &["VIOLATION: masked server frame"],
    );
}

#[test]
fn a_log_without_bytes_is_refused() {
    let log = log(&[(7, SENT, b"a")]).replace("\"bytes\"", "\"hidden\"");
    let (status, _, err) = dissect(&[], log.as_bytes());
    assert_eq!(status, 2);
    assert_contains(&err, &["Include raw bytes"]);
    let (status, _, err) = dissect(&[], b"{\"constants\":{");
    assert_eq!(status, 2);
    assert_contains(&err, &["the log cannot be read"]);
}
