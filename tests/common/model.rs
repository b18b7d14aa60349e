//! A slow and obvious receiver, written from RFC 6455 alone, to compare the real one with. It sees the whole input at once, and copies at will.

use super::{Form, Frame, Head, Masking, Seen, TestRole, read_all, read_head, run, xor};
use ws_proto::{Config, Kind, ProtocolError, WebSocket};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) max_frame: u64,
    pub(crate) max_message: u64,
    pub(crate) max_fragments: u32,
    pub(crate) allow_non_minimal_length: bool,
}

impl Limits {
    pub(crate) fn config(self) -> Config {
        Config::default()
            .max_frame(self.max_frame)
            .max_message(self.max_message)
            .max_fragments(self.max_fragments)
            .allow_non_minimal_length(self.allow_non_minimal_length)
    }
}

/// Holds a WebSocket against the model: what it gives, what it answers, and which rule it names.
pub(crate) fn agrees<R: TestRole>(bytes: &[u8], limits: Limits) {
    let mut model = verdict::<R>(bytes, limits);
    let outcome = run::<R, WebSocket<R>>(&limits.config(), bytes, &[]);
    if !model.broken.is_empty() {
        let Some(&Seen::Failed(error)) = outcome.seen.last() else { panic!("{:?} is let pass: {:?}", model.broken, outcome.seen) };
        assert!(model.broken.contains(&error), "{error:?}, and not {:?}", model.broken);
        model.seen.push(Seen::Failed(error));
        let reason = read_all::<R>(&outcome.out).last().map(|close| close.payload[2..].to_vec()).unwrap_or_default();
        model.answers.push(Frame::close(status(error), reason));
    }
    assert_eq!(outcome.seen, model.seen);
    assert_eq!(read_all::<R>(&outcome.out), model.answers);
}

/// What an endpoint has to make of its input.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) seen: Vec<Seen>,
    /// What it has to answer, but for the Close after a failure.
    pub(crate) answers: Vec<Frame>,
    /// The rules that the peer has broken, all at once: the RFC does not say which one is to be named.
    pub(crate) broken: Vec<ProtocolError>,
}

/// The message that is being received.
struct Partial {
    kind: Kind,
    payload: Vec<u8>,
    declared: u128,
    frames: u32,
}

pub(crate) fn verdict<R: TestRole>(mut bytes: &[u8], limits: Limits) -> Verdict {
    let mut verdict = Verdict::default();
    let mut partial = None;
    while let Some(head) = read_head(bytes) {
        verdict.broken = broken_by_header::<R>(&head, partial.as_ref(), limits);
        if !verdict.broken.is_empty() {
            return verdict;
        }
        let here = usize::try_from(head.len).unwrap_or(usize::MAX).min(bytes.len() - head.taken);
        let payload = xor(&bytes[head.taken..head.taken + here], head.key);
        let whole = here as u64 == head.len;
        bytes = &bytes[head.taken + here..];

        if head.frame.is_control() {
            if !whole {
                return verdict;
            }
            verdict.control(head.frame.opcode, payload);
            if matches!(verdict.seen.last(), Some(Seen::Close(..))) || !verdict.broken.is_empty() {
                return verdict;
            }
            continue;
        }

        let mut message = partial.take().unwrap_or_else(|| Partial {
            kind: if head.frame.opcode == 1 { Kind::Text } else { Kind::Binary },
            payload: Vec::new(),
            declared: 0,
            frames: 0,
        });
        message.payload.extend(payload);
        message.declared += u128::from(head.len);
        message.frames += 1;
        let ends = head.frame.fin && whole;
        if message.kind == Kind::Text && !can_be_text(&message.payload, ends) {
            verdict.broken = vec![ProtocolError::InvalidUtf8];
            return verdict;
        }
        if ends {
            verdict.seen.push(Seen::message(message.kind, &message.payload));
        } else {
            partial = Some(message);
        }
    }
    verdict
}

impl Verdict {
    fn control(&mut self, opcode: u8, payload: Vec<u8>) {
        match opcode {
            9 => {
                self.answers.push(Frame::pong(&payload));
                self.seen.push(Seen::Ping(payload));
            }
            10 => self.seen.push(Seen::Pong(payload)),
            _ => match payload.as_slice() {
                [] => {
                    self.answers.push(Frame::empty_close());
                    self.seen.push(Seen::Close(None, String::new()));
                }
                [_] => self.broken.push(ProtocolError::InvalidCloseBody),
                [high, low, reason @ ..] => {
                    let code = u16::from(*high) * 256 + u16::from(*low);
                    let reason = std::str::from_utf8(reason);
                    if !is_legal_on_the_wire(code) {
                        self.broken.push(ProtocolError::InvalidCloseCode(code));
                    }
                    if reason.is_err() {
                        self.broken.push(ProtocolError::InvalidCloseReason);
                    }
                    if self.broken.is_empty() {
                        self.answers.push(Frame::close(code, ""));
                        self.seen.push(Seen::close(code, reason.unwrap_or_default()));
                    }
                }
            },
        }
    }
}

fn broken_by_header<R: TestRole>(head: &Head, partial: Option<&Partial>, limits: Limits) -> Vec<ProtocolError> {
    let Head { frame, len, .. } = head;
    let is_masked = frame.masking != Masking::None;
    let is_shortest = match frame.form {
        Form::Shortest => true,
        Form::Bits16 => *len > 125,
        Form::Bits64 => *len > 65535,
    };
    let is_data = frame.opcode <= 2;
    let declared = partial.map_or(0, |partial| partial.declared) + u128::from(*len);
    let frames = partial.map_or(0, |partial| partial.frames) + 1;
    let rules = [
        (frame.rsv != 0, ProtocolError::ReservedBits),
        (matches!(frame.opcode, 3..=7 | 11..=15), ProtocolError::ReservedOpcode),
        (frame.opcode >= 8 && !frame.fin, ProtocolError::FragmentedControl),
        (frame.opcode >= 8 && *len > 125, ProtocolError::ControlTooLong),
        (!is_shortest && !limits.allow_non_minimal_length, ProtocolError::NonMinimalLength),
        (*len > i64::MAX as u64, ProtocolError::LengthOverflow),
        (is_masked && R::MASKS, ProtocolError::Masked),
        (!is_masked && !R::MASKS, ProtocolError::Unmasked),
        (frame.opcode == 0 && partial.is_none(), ProtocolError::UnexpectedContinuation),
        (matches!(frame.opcode, 1 | 2) && partial.is_some(), ProtocolError::ExpectedContinuation),
        (is_data && *len > limits.max_frame, ProtocolError::FrameTooLong),
        (is_data && declared > u128::from(limits.max_message), ProtocolError::MessageTooLong),
        (is_data && frames > limits.max_fragments.max(1), ProtocolError::TooManyFragments),
    ];
    rules.into_iter().filter_map(|(broken, rule)| broken.then_some(rule)).collect()
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
    const DEFINED: [u16; 12] = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014];
    DEFINED.contains(&code) || (3000..=4999).contains(&code)
}

/// The status code that tells of the breach (§7.4.1).
pub(crate) fn status(error: ProtocolError) -> u16 {
    match error {
        ProtocolError::InvalidUtf8 | ProtocolError::InvalidCloseReason => 1007,
        ProtocolError::TooManyFragments => 1008,
        ProtocolError::FrameTooLong | ProtocolError::MessageTooLong => 1009,
        _ => 1002,
    }
}
