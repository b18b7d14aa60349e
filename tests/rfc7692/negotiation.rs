//! permessage-deflate: how it is negotiated (RFC 7692 §5, §7.1). Groups DF and EX of the checklist
//! of rules, D4 and N of the one of attacks.

use crate::common::deflate::both_ways;
use crate::handshake_support::{Head, client, values, written};
use ws_proto::deflate::{DeflateConfig as Deflate, NegotiationError, Params};
use ws_proto::handshake::{Answer, HandshakeError, HeadLimits, Response, ServerHandshake};

const FIELD: &str = "Sec-WebSocket-Extensions";

/// A head with these lines of the field.
fn with(head: Head, lines: &[&str]) -> Head {
    lines
        .iter()
        .fold(head, |head, line| head.with(&format!("{FIELD}: {line}")))
}

/// The answer of a server to these offers, if it accepts one. The answer and the parameters that
/// the server uses are the same.
#[track_caller]
fn answer(config: Option<&Deflate>, offers: &[&str]) -> Option<String> {
    let (mut handshake, mut out) = (ServerHandshake::new(), Vec::new());
    let mut head = with(Head::request(), offers).bytes();
    let request = handshake
        .recv(&mut head.as_mut_slice(), &mut out)
        .unwrap()
        .unwrap();
    let mut accept = request.accept();
    if let Some(config) = config {
        accept = accept.deflate(config);
        assert_eq!(
            config
                .accept(request.extensions())
                .map(|params| params.to_string()),
            agreed_by(&accept).1,
            "made elsewhere"
        );
    }
    let (response, negotiated) = agreed_by(&accept);
    assert!(
        response.starts_with("HTTP/1.1 101 "),
        "a handshake does not fail for an extension: {response}"
    );
    // DF13, N2: there is no field without a value.
    assert_eq!(response.contains(FIELD), negotiated.is_some());
    assert_eq!(
        values(&response, FIELD),
        Vec::from_iter(negotiated.as_deref())
    );
    negotiated
}

fn agreed_by(accept: &ws_proto::handshake::Accept<'_>) -> (String, Option<String>) {
    let mut out = Vec::new();
    let negotiated = accept.write(&mut out).unwrap();
    (
        String::from_utf8(out).unwrap(),
        negotiated.deflate().map(|params| params.to_string()),
    )
}

/// The verdict of a client on a server's answer, whether the handshake was made here or elsewhere.
#[track_caller]
fn verdict(config: Option<&Deflate>, answers: &[&str]) -> Result<Option<Params>, HandshakeError> {
    let mut client = client();
    if let Some(config) = config {
        client = client.deflate(config);
    }
    let request = written(&client);
    let key = values(&request, "Sec-WebSocket-Key")[0].as_bytes();
    let head = with(Head::response(), answers).bytes();
    let result = match client.recv(&mut head.clone().as_mut_slice()) {
        Ok(Some(Answer::Accepted { negotiated, .. })) => Ok(negotiated.deflate()),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error),
    };
    let elsewhere = Response::parse(&head, &HeadLimits::default()).and_then(|parsed| {
        let (response, _) = parsed.unwrap();
        match config {
            Some(config) => response
                .verify_deflate(key, "", config)
                .map(|verified| verified.deflate()),
            None => response.verify(key, "").map(|_| None),
        }
    });
    assert_eq!(result, elsewhere, "made elsewhere");
    result
}

/// The text after the name of the extension, where a parameter is unknown, repeated, or has a value
/// that it cannot have: in an offer and in an answer.
fn faults() -> Vec<String> {
    let mut faults: Vec<String> = [
        "unknown",
        "unknown=1",
        "client_max_window",
        "Server_no_context_takeover",
        "SERVER_MAX_WINDOW_BITS=10",
        "server_no_context_takeover=1",
        "server_no_context_takeover=true",
        "client_no_context_takeover=\"15\"",
        "client_no_context_takeover=false",
        "server_no_context_takeover; server_no_context_takeover",
        "client_no_context_takeover; server_no_context_takeover; client_no_context_takeover",
        "server_max_window_bits",
        "server_max_window_bits=10; server_max_window_bits=10",
        "client_max_window_bits=15; client_max_window_bits=10",
        "client_max_window_bits; client_max_window_bits",
        "client_max_window_bits; client_max_window_bits=12",
        "client_max_window_bits=12; client_max_window_bits",
        "server_no_context_takeover; client_max_window_bits=10; unknown",
    ]
    .map(String::from)
    .to_vec();
    for side in ["server", "client"] {
        for value in BAD_BITS {
            faults.push(format!("{side}_max_window_bits={value}"));
            faults.push(format!("{side}_max_window_bits=\"{value}\""));
        }
    }
    faults
}

/// D4: no window sizes, though each is a token.
const BAD_BITS: [&str; 18] = [
    "0",
    "1",
    "7",
    "16",
    "17",
    "80",
    "150",
    "010",
    "08",
    "015",
    "+9",
    "-9",
    "9.0",
    "0x9",
    "1e1",
    "ten",
    "264",
    "99999999999999999999999999",
];

/// DF1, DF3, EX5: also in another case than is registered.
#[test]
fn df1_d4_a_server_declines_a_faulty_offer_and_tries_the_next() {
    let config = Deflate::default();
    for fault in faults() {
        let offer = format!("permessage-deflate; {fault}");
        assert_eq!(answer(Some(&config), &[&offer]), None, "{offer}");
        let good = "permessage-deflate; server_max_window_bits=11";
        for offers in [
            &[&*format!("{offer}, {good}")][..],
            &[&offer, good],
            &[
                "other; x=1",
                &format!("{offer},{offer}"),
                good,
                "permessage-deflate",
            ],
        ] {
            assert_eq!(
                answer(Some(&config), offers).as_deref(),
                Some(good),
                "{offers:?}"
            );
        }
    }
}

/// DF2, DF3, N1, EX5: the same faults in an answer fail the connection, also beside an answer that
/// would do.
#[test]
fn df2_d4_n1_a_client_fails_for_a_faulty_answer() {
    for config in [
        Deflate::default(),
        Deflate::default().with_client_max_window_bits(9),
        Deflate::default().with_server_no_context_takeover(true),
    ] {
        for fault in faults()
            .iter()
            .map(|fault| &**fault)
            .chain(["client_max_window_bits"])
        {
            let answer = format!("permessage-deflate; server_no_context_takeover; {fault}");
            assert_eq!(
                verdict(Some(&config), &[&answer]),
                Err(HandshakeError::InvalidExtensionParameter),
                "{answer}"
            );
            assert!(verdict(Some(&config), &[&answer, "permessage-deflate"]).is_err());
            assert!(
                verdict(
                    Some(&config),
                    &["permessage-deflate; server_no_context_takeover", &answer]
                )
                .is_err()
            );
        }
    }
}

/// N1, CR8, EX3, EX4, EX5: an answer that was not offered, or with more than was offered, fails the
/// connection.
#[test]
fn n1_an_answer_that_was_not_offered_fails() {
    let config = Deflate::default();
    for answers in [
        &["other"][..],
        &["Permessage-Deflate"],
        &["x-webkit-deflate-frame"],
        &["permessage-deflate", "permessage-deflate"],
        &["permessage-deflate, permessage-deflate"],
        &["permessage-deflate, other"],
        &["other", "permessage-deflate"],
    ] {
        assert_eq!(
            verdict(Some(&config), answers),
            Err(HandshakeError::ExtensionNotOffered),
            "{answers:?}"
        );
        assert_eq!(
            verdict(None, answers),
            Err(HandshakeError::ExtensionNotOffered),
            "{answers:?}"
        );
    }
    assert_eq!(
        verdict(None, &["permessage-deflate"]),
        Err(HandshakeError::ExtensionNotOffered)
    );
    assert_eq!(verdict(None, &[]), Ok(None));
    assert_eq!(verdict(Some(&config), &[]), Ok(None), "the server declines");
}

/// N1, H5, CR4 to CR11: an offer of compression, accepted or not, leaves the other checks of an
/// answer as they are.
#[test]
fn n1_h5_an_offer_of_compression_leaves_the_other_checks_as_they_are() {
    let config = Deflate::default();
    for extension in [&[][..], &["permessage-deflate"]] {
        for (head, error) in [
            (
                Head::response().without("Upgrade"),
                HandshakeError::MissingUpgrade,
            ),
            (
                Head::response().but("Connection", "close"),
                HandshakeError::MissingConnectionUpgrade,
            ),
            (
                Head::response().without("Sec-WebSocket-Accept"),
                HandshakeError::MissingHeader("Sec-WebSocket-Accept"),
            ),
            (
                Head::response().but("Sec-WebSocket-Accept", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
                HandshakeError::InvalidHeader("Sec-WebSocket-Accept"),
            ),
            (
                Head::response().with("Sec-WebSocket-Protocol: other"),
                HandshakeError::SubprotocolNotRequested,
            ),
            (
                Head::response().with("Sec-WebSocket-Protocol: a, b"),
                HandshakeError::SubprotocolNotRequested,
            ),
        ] {
            let mut bytes = with(head, extension).bytes();
            let result = client()
                .subprotocols(&["a", "b"])
                .deflate(&config)
                .recv(&mut bytes.as_mut_slice())
                .map(drop);
            assert_eq!(result, Err(error), "{extension:?}");
        }
    }
}

/// EX1, EX2, D4: text that does not follow the grammar is neither an offer nor an answer.
#[test]
fn ex2_d4_malformed_values() {
    for malformed in [
        "permessage-deflate; server_max_window_bits=",
        "permessage-deflate; server_max_window_bits=\"\"",
        "permessage-deflate; client_max_window_bits=\"10",
        "permessage-deflate; client_max_window_bits=1 0",
        "permessage-deflate; client_max_window_bits=\"1 0\"",
        "permessage-deflate; client_max_window_bits==10",
        "permessage-deflate;",
        "permessage-deflate; ; client_max_window_bits",
        "permessage-deflate; =10",
        "permessage-deflate client_max_window_bits",
        "; client_max_window_bits",
    ] {
        let (mut handshake, mut out) = (ServerHandshake::new(), Vec::new());
        let mut head = with(Head::request(), &[malformed]).bytes();
        assert_eq!(
            handshake.recv(&mut head.as_mut_slice(), &mut out).err(),
            Some(HandshakeError::InvalidHeader(FIELD)),
            "{malformed}"
        );
        assert!(out.starts_with(b"HTTP/1.1 400 "));
        assert_eq!(
            verdict(Some(&Deflate::default()), &[malformed]),
            Err(HandshakeError::InvalidHeader(FIELD)),
            "{malformed}"
        );
        assert!(malformed.parse::<Params>().is_err());
    }
}

/// DF3 to DF10, DF12: the answers of a server to an offer that it accepts.
#[test]
fn df3_df4_df5_df6_df7_df8_df9_df10_df12_what_a_server_answers() {
    let config = Deflate::default();
    let (server_10, client_10) = (
        config.clone().with_server_max_window_bits(10),
        config.clone().with_client_max_window_bits(10),
    );
    let none = config
        .clone()
        .with_server_no_context_takeover(true)
        .with_client_no_context_takeover(true);
    let table: &[(&Deflate, &str, &str)] = &[
        // DF8: an absent parameter means 15 bits, and takeover.
        (&config, "", ""),
        // DF12: the offers of browsers.
        (&config, "; client_max_window_bits", ""),
        // DF4, DF5: a requested parameter is granted, and stated.
        (
            &config,
            "; server_no_context_takeover",
            "; server_no_context_takeover",
        ),
        (
            &config,
            "; client_no_context_takeover",
            "; client_no_context_takeover",
        ),
        (
            &config,
            "; client_no_context_takeover; server_no_context_takeover",
            "; server_no_context_takeover; client_no_context_takeover",
        ),
        // Unsolicited.
        (
            &none,
            "",
            "; server_no_context_takeover; client_no_context_takeover",
        ),
        (
            &none,
            "; server_no_context_takeover",
            "; server_no_context_takeover; client_no_context_takeover",
        ),
        // DF6: the same or smaller, and unsolicited.
        (
            &config,
            "; server_max_window_bits=15",
            "; server_max_window_bits=15",
        ),
        (
            &config,
            "; server_max_window_bits=8",
            "; server_max_window_bits=8",
        ),
        (
            &server_10,
            "; server_max_window_bits=12",
            "; server_max_window_bits=10",
        ),
        (
            &server_10,
            "; server_max_window_bits=9",
            "; server_max_window_bits=9",
        ),
        (&server_10, "", "; server_max_window_bits=10"),
        // DF7: only to a client that accepts the parameter, and no more than its value.
        (
            &config,
            "; client_max_window_bits=9",
            "; client_max_window_bits=9",
        ),
        (&client_10, "", ""),
        (
            &client_10,
            "; client_max_window_bits",
            "; client_max_window_bits=10",
        ),
        (
            &client_10,
            "; client_max_window_bits=15",
            "; client_max_window_bits=10",
        ),
        (
            &client_10,
            "; client_max_window_bits=8",
            "; client_max_window_bits=8",
        ),
        // DF9: quotes and backslashes make no difference, nor does whitespace.
        (
            &config,
            "; server_max_window_bits=\"10\"",
            "; server_max_window_bits=10",
        ),
        (
            &config,
            " ;\tserver_max_window_bits = \"1\\0\" ; client_max_window_bits=\"8\"",
            "; server_max_window_bits=10; client_max_window_bits=8",
        ),
    ];
    for (config, offer, expected) in table {
        let expected = format!("permessage-deflate{expected}");
        let offer = format!("permessage-deflate{offer}");
        assert_eq!(
            answer(Some(config), &[&offer]),
            Some(expected.clone()),
            "{offer}"
        );
        // DF10: the first that does, and one only.
        assert_eq!(
            answer(
                Some(config),
                &[
                    "other",
                    &offer,
                    "permessage-deflate; server_max_window_bits=13"
                ]
            ),
            Some(expected)
        );
    }
}

/// DF6, DF7, DF11, D5: each size, in each direction, on both sides.
#[test]
fn df6_df7_df11_d5_every_window_size_can_be_agreed_on() {
    for bits in 8..=15 {
        let said = format!(
            "permessage-deflate; server_max_window_bits={bits}; client_max_window_bits={bits}"
        );
        let negotiated = answer(Some(&Deflate::default()), &[&said]).unwrap();
        assert_eq!(negotiated, said);
        let params = verdict(Some(&Deflate::default()), &[&negotiated])
            .unwrap()
            .unwrap();
        assert_eq!(
            (
                params.server_max_window_bits(),
                params.client_max_window_bits()
            ),
            (bits, bits)
        );
        // A value out of range becomes the nearest.
        for (asked, said) in [(bits, bits), (0, 8), (7, 8), (16, 15), (255, 15)] {
            let config = Deflate::default()
                .with_server_max_window_bits(asked)
                .with_client_max_window_bits(asked);
            let offer = config.offer();
            if said == 15 {
                assert_eq!(offer, "permessage-deflate; client_max_window_bits");
            } else {
                assert_eq!(
                    offer,
                    format!(
                        "permessage-deflate; server_max_window_bits={said}; client_max_window_bits={said}"
                    )
                );
            }
        }
    }
}

/// CH10, DF7, DF12, DF14: a client offers its settings, and always to use a smaller window: it can
/// use any. DF13: never nothing.
#[test]
fn df12_df14_df13_what_a_client_offers() {
    let config = Deflate::default();
    for (config, expected) in [
        (
            Some(config.clone()),
            Some("permessage-deflate; client_max_window_bits"),
        ),
        (
            Some(config.clone().with_server_no_context_takeover(true)),
            Some("permessage-deflate; server_no_context_takeover; client_max_window_bits"),
        ),
        (
            Some(config.clone().with_client_no_context_takeover(true)),
            Some("permessage-deflate; client_no_context_takeover; client_max_window_bits"),
        ),
        (
            Some(config.clone().with_server_max_window_bits(9)),
            Some("permessage-deflate; server_max_window_bits=9; client_max_window_bits"),
        ),
        (
            Some(config.with_client_max_window_bits(8)),
            Some("permessage-deflate; client_max_window_bits=8"),
        ),
        (None, None),
    ] {
        let client = match &config {
            Some(config) => client().deflate(config),
            None => client(),
        };
        let request = written(&client);
        assert_eq!(values(&request, FIELD), Vec::from_iter(expected));
        assert_eq!(config.map(|config| config.offer()).as_deref(), expected);
        // EX3, SR6, DF13, N2: a server that does not use the extension sends no header, and neither
        // does one without an offer.
        assert_eq!(answer(None, &Vec::from_iter(expected)), None);
        assert_eq!(answer(Some(&Deflate::default()), &[]), None);
    }
    assert_eq!(
        answer(
            Some(&Deflate::default()),
            &[
                "other",
                "permessage-bzip2; client_max_window_bits",
                "PERMESSAGE-DEFLATE"
            ]
        ),
        None
    );
}

/// DF2 to DF9: the answers that fit an offer, and their meaning.
#[test]
fn df4_df5_df6_df7_df8_df9_what_a_client_makes_of_an_answer() {
    let config = Deflate::default();
    let (server_10, client_10) = (
        config.clone().with_server_max_window_bits(10),
        config.clone().with_client_max_window_bits(10),
    );
    let (server_none, client_none) = (
        config.clone().with_server_no_context_takeover(true),
        config.clone().with_client_no_context_takeover(true),
    );
    /// Whether the server does without takeover, its window, and the same of the client.
    type Expected = Option<(bool, u8, bool, u8)>;
    let table: &[(&Deflate, &str, Expected)] = &[
        (&config, "", Some((false, 15, false, 15))),
        (
            &config,
            "; server_no_context_takeover",
            Some((true, 15, false, 15)),
        ),
        (
            &config,
            "; client_no_context_takeover",
            Some((false, 15, true, 15)),
        ),
        (
            &config,
            "; server_max_window_bits=9",
            Some((false, 9, false, 15)),
        ),
        (
            &config,
            "; client_max_window_bits=8",
            Some((false, 15, false, 8)),
        ),
        (
            &config,
            "; server_max_window_bits=\"8\"; client_max_window_bits=\"1\\5\"",
            Some((false, 8, false, 15)),
        ),
        // A parameter that was requested of the server must be granted.
        (&server_none, "", None),
        (&server_none, "; client_no_context_takeover", None),
        (
            &server_none,
            "; server_no_context_takeover",
            Some((true, 15, false, 15)),
        ),
        (&server_10, "", None),
        (&server_10, "; server_max_window_bits=11", None),
        (
            &server_10,
            "; server_max_window_bits=10",
            Some((false, 10, false, 15)),
        ),
        (
            &server_10,
            "; server_max_window_bits=8",
            Some((false, 8, false, 15)),
        ),
        // A parameter of the client in the offer is a hint, which the client follows anyway.
        (&client_none, "", Some((false, 15, true, 15))),
        (&client_10, "", Some((false, 15, false, 10))),
        (
            &client_10,
            "; client_max_window_bits=9",
            Some((false, 15, false, 9)),
        ),
        (&client_10, "; client_max_window_bits=11", None),
    ];
    for (config, answer, expected) in table {
        let params = verdict(Some(config), &[&format!("permessage-deflate{answer}")]);
        let got = params.map(|params| {
            let params = params.unwrap();
            (
                params.server_no_context_takeover(),
                params.server_max_window_bits(),
                params.client_no_context_takeover(),
                params.client_max_window_bits(),
            )
        });
        assert_eq!(
            got,
            expected.ok_or(HandshakeError::InvalidExtensionParameter),
            "{answer}"
        );
    }
}

/// DF15: the negotiated parameters are known to both, are stated in the answer, and can be derived
/// from it.
#[test]
fn df15_parameters_and_their_text() {
    let bits = || [None].into_iter().chain((8..=15).map(Some));
    for flags in 0..4 {
        for server in bits() {
            for client in bits() {
                let mut text = String::from("permessage-deflate");
                text += if flags & 1 != 0 {
                    "; server_no_context_takeover"
                } else {
                    ""
                };
                text += if flags & 2 != 0 {
                    "; client_no_context_takeover"
                } else {
                    ""
                };
                text += &server
                    .map(|bits| format!("; server_max_window_bits={bits}"))
                    .unwrap_or_default();
                text += &client
                    .map(|bits| format!("; client_max_window_bits={bits}"))
                    .unwrap_or_default();
                let params: Params = text.parse().unwrap();
                assert_eq!(params.to_string(), text);
                assert_eq!(
                    (
                        params.server_no_context_takeover(),
                        params.client_no_context_takeover()
                    ),
                    (flags & 1 != 0, flags & 2 != 0)
                );
                assert_eq!(
                    (
                        params.server_max_window_bits(),
                        params.client_max_window_bits()
                    ),
                    (server.unwrap_or(15), client.unwrap_or(15))
                );
            }
        }
    }
    assert_eq!(Params::default().to_string(), "permessage-deflate");
    assert_eq!(both_ways(true, 9).server_max_window_bits(), 9);
    for fault in faults()
        .iter()
        .map(|fault| &**fault)
        .chain(["client_max_window_bits"])
    {
        assert_eq!(
            format!("permessage-deflate; {fault}").parse::<Params>(),
            Err(NegotiationError::InvalidParameter),
            "{fault}"
        );
    }
    for other in [
        "",
        ",",
        "other",
        "permessage-deflate, permessage-deflate",
        "permessage-deflate, other",
    ] {
        assert_eq!(
            other.parse::<Params>(),
            Err(NegotiationError::ExtensionNotOffered),
            "{other}"
        );
    }
}

/// DF6, DF7: the longest answer there is.
#[test]
fn df4_df5_df6_df7_an_answer_with_all_parameters() {
    let all = "permessage-deflate; server_no_context_takeover; client_no_context_takeover; \
               server_max_window_bits=15; client_max_window_bits=15";
    assert_eq!(
        answer(Some(&Deflate::default()), &[all]).as_deref(),
        Some(all)
    );
    assert_eq!(all.len(), 128);
}

#[test]
fn df16_n1_the_errors_of_a_negotiation_are_those_of_a_handshake() {
    for (error, of_handshake) in [
        (
            NegotiationError::InvalidExtensions,
            HandshakeError::InvalidHeader(FIELD),
        ),
        (
            NegotiationError::ExtensionNotOffered,
            HandshakeError::ExtensionNotOffered,
        ),
        (
            NegotiationError::InvalidParameter,
            HandshakeError::InvalidExtensionParameter,
        ),
    ] {
        assert_eq!(HandshakeError::from(error), of_handshake);
        assert_eq!(
            HandshakeError::from(error).status(),
            if error == NegotiationError::InvalidExtensions {
                400
            } else {
                502
            }
        );
    }
}

/// Whatever the settings of a client and a server are, they agree, with the same parameters for
/// each direction.
#[test]
fn df15_both_sides_agree() {
    let configs = || {
        (0..4).flat_map(|flags| {
            [8, 12, 15].into_iter().flat_map(move |server| {
                [8, 12, 15].into_iter().map(move |client| {
                    let config = Deflate::default()
                        .with_server_no_context_takeover(flags & 1 != 0)
                        .with_client_no_context_takeover(flags & 2 != 0);
                    config
                        .with_server_max_window_bits(server)
                        .with_client_max_window_bits(client)
                })
            })
        })
    };
    for wanted in configs() {
        for granted in configs() {
            let answer =
                answer(Some(&granted), &[&wanted.offer()]).expect("an offer of ours is accepted");
            let here = verdict(Some(&wanted), &[&answer])
                .unwrap()
                .expect("an answer of ours is taken");
            let there: Params = answer.parse().unwrap();
            assert_eq!(
                here.server_max_window_bits(),
                there.server_max_window_bits()
            );
            assert_eq!(
                here.server_no_context_takeover(),
                there.server_no_context_takeover()
            );
            assert_eq!(
                here.client_max_window_bits(),
                there.client_max_window_bits()
            );
            assert_eq!(
                here.client_no_context_takeover(),
                there.client_no_context_takeover()
            );
        }
    }
}
