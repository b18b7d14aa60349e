//! Parsing and encoding of headers are inverse, and a header is parsed only if a strict reading of
//! RFC 6455 §5.2 allows it.
#![no_main]

use ws_proto::frame::Header;

/// A fault is found at the byte that makes it certain: before, there are headers without a fault
/// that begin so, and from there on there is none, and it is that fault whatever follows.
fn judged_byte_by_byte(bytes: &[u8]) {
    let bytes = &bytes[..bytes.len().min(Header::MAX_LEN)];
    let prefixes = (0..=bytes.len()).map(|len| (len, Header::parse(&bytes[..len])));
    let first = prefixes
        .into_iter()
        .find_map(|(len, parsed)| parsed.err().map(|error| (len, error)));
    let without_fault = |bytes: &[u8]| {
        // Lengths that are in their shortest form, if the bytes leave a choice, and a key of any
        // bytes.
        [0x00, 0x01, 0x02, 0x7e, 0x80, 0x82].iter().any(|&missing| {
            let mut whole = [missing; Header::MAX_LEN];
            whole[..bytes.len()].copy_from_slice(bytes);
            Header::parse(&whole).is_ok()
        })
    };
    let Some((len, error)) = first else {
        assert!(without_fault(bytes), "a fault is not found");
        return;
    };
    assert!(
        without_fault(&bytes[..len - 1]),
        "a fault is found before it is certain"
    );
    assert!(
        !without_fault(&bytes[..len]),
        "a fault is found where there may be none"
    );
    for len in len..=bytes.len() {
        assert_eq!(
            Header::parse(&bytes[..len]),
            Err(error),
            "the fault changes"
        );
    }
}

libfuzzer_sys::fuzz_target!(|input: (Header, &[u8])| {
    let (mut header, bytes) = input;
    if let Some((header, taken)) = Header::decode(bytes) {
        let encoded = header.encode();
        assert!(
            encoded.len() == header.encoded_len()
                && encoded.len() <= taken
                && taken <= Header::MAX_LEN
        );
        match Header::parse(bytes) {
            Ok(parsed) => assert!(parsed == Some((header, taken)) && *encoded == bytes[..taken]),
            Err(_) => assert!(header.check().is_err() || encoded.len() < taken),
        }
        for len in 0..taken {
            assert_eq!(Header::decode(&bytes[..len]), None);
        }
    }
    judged_byte_by_byte(bytes);

    header.rsv &= 7;
    header.len &= u64::MAX >> 1;
    let encoded = header.encode();
    assert_eq!(Header::decode(&encoded), Some((header, encoded.len())));
    assert_eq!(Header::parse(&encoded).is_ok(), header.check().is_ok());
});
