//! A slow and obvious receiver, written from RFC 6455 only, to compare the real one with. It sees
//! all of the input at once, and copies freely.

use super::{Frame, Seen, TestRole, read_all, read_head, run, xor};
use ws_proto::frame::Opcode;
use ws_proto::{Config, MessageKind, ProtocolError, WebSocket};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) max_message: u64,
    pub(crate) max_fragments: u32,
    pub(crate) allow_non_minimal_length: bool,
}

impl Limits {
    pub(crate) fn config(self) -> Config {
        Config::default()
            .with_max_message(self.max_message)
            .with_max_fragments(self.max_fragments)
            .with_allow_non_minimal_length(self.allow_non_minimal_length)
    }
}

/// Compares a WebSocket with the model: its events, its answers, and the rule that it names.
pub(crate) fn agrees<R: TestRole>(bytes: &[u8], limits: Limits) {
    let mut model = verdict::<R>(bytes, limits);
    let outcome = run::<R, WebSocket<R>>(&limits.config(), bytes, &[]);
    if !model.broken.is_empty() {
        let Some(&Seen::Failed(error)) = outcome.seen.last() else {
            panic!("{:?} is let pass: {:?}", model.broken, outcome.seen)
        };
        assert!(
            model.broken.contains(&error),
            "{error:?}, and not {:?}",
            model.broken
        );
        model.seen.push(Seen::Failed(error));
        let reason = read_all::<R>(&outcome.out)
            .last()
            .map(|close| close.payload[2..].to_vec())
            .unwrap_or_default();
        model.answers.push(Frame::close(status(error), reason));
    }
    assert_eq!(outcome.seen, model.seen);
    assert_eq!(read_all::<R>(&outcome.out), model.answers);
}

/// The events and answers that the RFC requires of an endpoint.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) seen: Vec<Seen>,
    /// Its answers, except the Close after a failure.
    pub(crate) answers: Vec<Frame>,
    /// The rules that the peer has violated, all at once: the RFC does not define which one must be
    /// named.
    pub(crate) broken: Vec<ProtocolError>,
}

/// The message that is being received.
struct Partial {
    kind: MessageKind,
    payload: Vec<u8>,
    declared: u128,
    frames: u32,
}

pub(crate) fn verdict<R: TestRole>(mut bytes: &[u8], limits: Limits) -> Verdict {
    let mut verdict = Verdict::default();
    let mut partial = None;
    loop {
        // A violation is reported at the byte that makes it certain (FR7), even if the header is
        // incomplete.
        let head = read_head(bytes);
        let header_len = head.as_ref().map_or(bytes.len(), |head| head.taken);
        let broken = (1..=header_len)
            .map(|len| broken_by_header::<R>(&bytes[..len], partial.as_ref(), limits))
            .find(|broken| !broken.is_empty());
        if let Some(broken) = broken {
            verdict.broken = broken;
            return verdict;
        }
        let Some(head) = head else { return verdict };
        let here = usize::try_from(head.len)
            .unwrap_or(usize::MAX)
            .min(bytes.len() - head.taken);
        let payload = xor(&bytes[head.taken..head.taken + here], head.key);
        let whole = here as u64 == head.len;
        bytes = &bytes[head.taken + here..];

        if head.frame.is_control() {
            verdict.control(head.frame.opcode, payload, whole);
            if !whole
                || matches!(verdict.seen.last(), Some(Seen::Close(..)))
                || !verdict.broken.is_empty()
            {
                return verdict;
            }
            continue;
        }

        let mut message = partial.take().unwrap_or_else(|| Partial {
            kind: if head.frame.opcode == 1 {
                MessageKind::Text
            } else {
                MessageKind::Binary
            },
            payload: Vec::new(),
            declared: 0,
            frames: 0,
        });
        message.payload.extend(payload);
        message.declared += u128::from(head.len);
        message.frames += 1;
        let ends = head.frame.fin && whole;
        if message.kind == MessageKind::Text && !can_be_text(&message.payload, ends) {
            verdict.broken = vec![ProtocolError::InvalidUtf8];
            return verdict;
        }
        if ends {
            verdict
                .seen
                .push(Seen::message(message.kind, &message.payload));
        } else {
            partial = Some(message);
        }
    }
}

impl Verdict {
    /// `whole` is false for a frame of which only the beginning of the payload has arrived.
    fn control(&mut self, opcode: u8, payload: Vec<u8>, whole: bool) {
        match (opcode, payload.as_slice()) {
            (8, [high, low, reason @ ..]) => {
                let code = u16::from(*high) * 256 + u16::from(*low);
                if !is_legal_on_the_wire(code) {
                    self.broken.push(ProtocolError::InvalidCloseCode(code));
                } else if !can_be_text(reason, whole) {
                    self.broken.push(ProtocolError::InvalidCloseReason);
                } else if whole {
                    self.answers.push(Frame::close(code, ""));
                    self.seen
                        .push(Seen::close(code, std::str::from_utf8(reason).unwrap()));
                }
            }
            _ if !whole => {}
            (9, _) => {
                self.answers.push(Frame::pong(&payload));
                self.seen.push(Seen::Ping(payload));
            }
            (10, _) => self.seen.push(Seen::Pong(payload)),
            _ => {
                self.answers.push(Frame::empty_close());
                self.seen.push(Seen::Close(None, String::new()));
            }
        }
    }
}

/// The rules that a header violates for certain which begins with these bytes, whatever follows
/// them.
fn broken_by_header<R: TestRole>(
    bytes: &[u8],
    partial: Option<&Partial>,
    limits: Limits,
) -> Vec<ProtocolError> {
    let mut broken = Vec::new();
    let mut rule = |is_broken, error| {
        if is_broken {
            broken.push(error);
        }
    };
    let (fin, rsv, number) = (bytes[0] & 0x80 != 0, bytes[0] >> 4 & 7, bytes[0] & 15);
    let opcode = Opcode::new(number).unwrap();
    let is_control = number >= 8;
    rule(rsv != 0, ProtocolError::ReservedBits(rsv));
    rule(
        matches!(number, 3..=7 | 11..=15),
        ProtocolError::ReservedOpcode(opcode),
    );
    rule(is_control && !fin, ProtocolError::FragmentedControl(opcode));
    rule(
        number == 0 && partial.is_none(),
        ProtocolError::UnexpectedContinuation,
    );
    if let (1 | 2, Some(partial)) = (number, partial) {
        let begun = if number == 1 {
            MessageKind::Text
        } else {
            MessageKind::Binary
        };
        rule(
            true,
            ProtocolError::ExpectedContinuation {
                incomplete: partial.kind,
                begun,
            },
        );
    }

    let Some(second) = bytes.get(1) else {
        return broken;
    };
    rule(second & 0x80 != 0 && R::MASKS, ProtocolError::Masked);
    rule(second & 0x80 == 0 && !R::MASKS, ProtocolError::Unmasked);
    let strict = !limits.allow_non_minimal_length;
    let len = match second & 0x7f {
        126 => {
            let len = bytes
                .get(2..4)
                .map(|len| u64::from(len[0]) * 256 + u64::from(len[1]));
            rule(
                strict && !is_control && len.is_some_and(|len| len < 126),
                ProtocolError::NonMinimalLength,
            );
            len
        }
        127 => {
            rule(
                !is_control && bytes.get(2).is_some_and(|byte| byte & 0x80 != 0),
                ProtocolError::LengthOverflow,
            );
            rule(
                strict && !is_control && bytes.get(2..8).is_some_and(|bytes| bytes == [0; 6]),
                ProtocolError::NonMinimalLength,
            );
            bytes.get(2..10).map(|len| {
                len.iter()
                    .fold(0, |number, &byte| number * 256 + u64::from(byte))
            })
        }
        len => Some(len.into()),
    };
    // The least length that is possible, given the bytes of it that have arrived.
    let known = bytes
        .get(2..)
        .unwrap_or_default()
        .iter()
        .map(|&byte| u64::from(byte))
        .chain(core::iter::repeat(0));
    let least = match second & 0x7f {
        126 => known.take(2).fold(0, |number, byte| number * 256 + byte),
        127 => known.take(8).fold(0, |number, byte| number * 256 + byte),
        len => len.into(),
    };
    rule(
        is_control && (strict && second & 0x7f > 125 || least > 125),
        ProtocolError::ControlTooLong(opcode),
    );
    let Some(len) = len else { return broken };
    rule(number == 8 && len == 1, ProtocolError::InvalidCloseBody);
    if !is_control {
        let declared = partial.map_or(0, |partial| partial.declared) + u128::from(len);
        let fragments = partial.map_or(0, |partial| partial.frames) + 1;
        let most = (u128::from(limits.max_fragments) + declared / 16).max(1);
        let declared_64 = u64::try_from(declared).unwrap_or(u64::MAX);
        rule(
            declared > u128::from(limits.max_message),
            ProtocolError::MessageTooLong {
                len: declared_64,
                limit: limits.max_message,
            },
        );
        rule(
            u128::from(fragments) > most,
            ProtocolError::TooManyFragments {
                fragments: fragments.into(),
                limit: most as u64,
            },
        );
    }
    broken
}

/// Whether text can begin with these bytes, or, if it `ends` there, is text.
pub(crate) fn can_be_text(bytes: &[u8], ends: bool) -> bool {
    match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && !ends,
    }
}

/// The codes of §7.4 that may stand in a Close frame, with those that were registered later.
pub(crate) fn is_legal_on_the_wire(code: u16) -> bool {
    const DEFINED: [u16; 12] = [
        1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
    ];
    DEFINED.contains(&code) || (3000..=4999).contains(&code)
}

/// The status code for the violation (§7.4.1).
pub(crate) fn status(error: ProtocolError) -> u16 {
    match error {
        ProtocolError::InvalidUtf8
        | ProtocolError::InvalidCloseReason
        | ProtocolError::InvalidCompression => 1007,
        ProtocolError::TooManyFragments { .. } => 1008,
        ProtocolError::MessageTooLong { .. } | ProtocolError::CompressedTooLong { .. } => 1009,
        _ => 1002,
    }
}
