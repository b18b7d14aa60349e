//! Parsing and encoding of headers are inverse, and what is parsed is what a strict reading of RFC 6455 §5.2 allows.
#![no_main]

use ws_proto::Header;

libfuzzer_sys::fuzz_target!(|input: (Header, &[u8])| {
    let (mut header, bytes) = input;
    if let Some((header, taken)) = Header::decode(bytes) {
        let encoded = header.encode();
        assert!(encoded.len() == header.encoded_len() && encoded.len() <= taken && taken <= Header::MAX_LEN);
        match Header::parse(bytes) {
            Ok(parsed) => assert!(parsed == Some((header, taken)) && *encoded == bytes[..taken]),
            Err(_) => assert!(header.check().is_err() || encoded.len() < taken),
        }
        for len in 0..taken {
            assert_eq!(Header::decode(&bytes[..len]), None);
        }
    } else {
        assert_eq!(Header::parse(bytes), Ok(None));
    }

    header.rsv &= 7;
    header.len &= u64::MAX >> 1;
    let encoded = header.encode();
    assert_eq!(Header::decode(&encoded), Some((header, encoded.len())));
    assert_eq!(Header::parse(&encoded).is_ok(), header.check().is_ok());
});
