//! Frames in any shape, right or wrong.

use super::SEED;
use core::fmt::Debug;
use ws_proto::{Client, Role, Server};

/// How a length is written (§5.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Shortest,
    Bits16,
    Bits64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Masking {
    /// As the sender's role requires (§5.1).
    ByRole,
    None,
    Key([u8; 4]),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) fin: bool,
    pub(crate) rsv: u8,
    pub(crate) opcode: u8,
    pub(crate) masking: Masking,
    pub(crate) form: Form,
    /// The length in the header, if it is not that of the payload.
    pub(crate) declared: Option<u64>,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    pub(crate) fn new(opcode: u8, payload: impl AsRef<[u8]>) -> Self {
        Self {
            fin: true,
            rsv: 0,
            opcode,
            masking: Masking::ByRole,
            form: Form::Shortest,
            declared: None,
            payload: payload.as_ref().to_vec(),
        }
    }

    pub(crate) fn continuation(payload: impl AsRef<[u8]>) -> Self {
        Self::new(0, payload)
    }

    pub(crate) fn text(payload: impl AsRef<[u8]>) -> Self {
        Self::new(1, payload)
    }

    pub(crate) fn binary(payload: impl AsRef<[u8]>) -> Self {
        Self::new(2, payload)
    }

    pub(crate) fn ping(payload: impl AsRef<[u8]>) -> Self {
        Self::new(9, payload)
    }

    pub(crate) fn pong(payload: impl AsRef<[u8]>) -> Self {
        Self::new(10, payload)
    }

    pub(crate) fn close(code: u16, reason: impl AsRef<[u8]>) -> Self {
        Self::new(8, [&code.to_be_bytes(), reason.as_ref()].concat())
    }

    pub(crate) fn empty_close() -> Self {
        Self::new(8, "")
    }

    /// The same without FIN: more of its message is to come.
    pub(crate) fn more(self) -> Self {
        self.fin(false)
    }

    pub(crate) fn fin(self, fin: bool) -> Self {
        Self { fin, ..self }
    }

    pub(crate) fn rsv(self, rsv: u8) -> Self {
        Self { rsv, ..self }
    }

    pub(crate) fn masking(self, masking: Masking) -> Self {
        Self { masking, ..self }
    }

    pub(crate) fn form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    pub(crate) fn declaring(self, len: u64) -> Self {
        Self {
            declared: Some(len),
            ..self
        }
    }

    pub(crate) fn is_control(&self) -> bool {
        self.opcode >= 8
    }

    /// The frame as it goes to a peer of role `R`.
    pub(crate) fn to<R: TestRole>(&self) -> Vec<u8> {
        let key = match self.masking {
            Masking::ByRole if R::MASKS => None,
            Masking::ByRole => Some([0x37, 0xfa, 0x21, 0x3d]),
            Masking::None => None,
            Masking::Key(key) => Some(key),
        };
        let len = self.declared.unwrap_or(self.payload.len() as u64);
        let form = match (self.form, len) {
            (Form::Shortest, 126..=0xffff) => Form::Bits16,
            (Form::Shortest, 0x1_0000..) => Form::Bits64,
            (form, _) => form,
        };
        let mut bytes = vec![u8::from(self.fin) * 0x80 + self.rsv * 0x10 + self.opcode];
        let mask_bit = u8::from(key.is_some()) * 0x80;
        match form {
            Form::Shortest => bytes.push(mask_bit + len as u8),
            Form::Bits16 => {
                bytes.push(mask_bit + 126);
                bytes.extend((len as u16).to_be_bytes());
            }
            Form::Bits64 => {
                bytes.push(mask_bit + 127);
                bytes.extend(len.to_be_bytes());
            }
        }
        bytes.extend(key.into_iter().flatten());
        bytes.extend(xor(&self.payload, key.unwrap_or_default()));
        bytes
    }
}

/// The definition of masking (§5.3).
pub(crate) fn xor(payload: &[u8], key: [u8; 4]) -> Vec<u8> {
    payload
        .iter()
        .enumerate()
        .map(|(i, byte)| byte ^ key[i % 4])
        .collect()
}

/// The frames as they go to a peer of role `R`.
pub(crate) fn wire<R: TestRole>(frames: &[Frame]) -> Vec<u8> {
    frames.iter().flat_map(Frame::to::<R>).collect()
}

/// The header at the front of `bytes`, if it is all there.
pub(crate) struct Head {
    /// The frame without its payload.
    pub(crate) frame: Frame,
    pub(crate) key: [u8; 4],
    pub(crate) len: u64,
    pub(crate) taken: usize,
}

/// Reads the header at the front of `bytes` without judging it, if it is complete.
pub(crate) fn read_head(bytes: &[u8]) -> Option<Head> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    let (form, extended) = match second & 0x7f {
        126 => (Form::Bits16, 2),
        127 => (Form::Bits64, 8),
        _ => (Form::Shortest, 0),
    };
    let number = bytes
        .get(2..2 + extended)?
        .iter()
        .fold(0_u64, |number, &byte| number << 8 | u64::from(byte));
    let len = if extended == 0 {
        u64::from(second & 0x7f)
    } else {
        number
    };
    let mut taken = 2 + extended;
    let (mut masking, mut key) = (Masking::None, [0; 4]);
    if second & 0x80 != 0 {
        key.copy_from_slice(bytes.get(taken..taken + 4)?);
        masking = Masking::Key(key);
        taken += 4;
    }
    let frame = Frame {
        fin: first & 0x80 != 0,
        rsv: first >> 4 & 7,
        opcode: first & 15,
        masking,
        form,
        declared: None,
        payload: Vec::new(),
    };
    Some(Head {
        frame,
        key,
        len,
        taken,
    })
}

/// Reads the frame at the front of `bytes` without judging it, if it is complete, and returns its
/// length, too.
pub(crate) fn read(bytes: &[u8]) -> Option<(Frame, usize)> {
    let Head {
        frame,
        key,
        len,
        taken,
    } = read_head(bytes)?;
    let end = taken.checked_add(usize::try_from(len).ok()?)?;
    let payload = xor(bytes.get(taken..end)?, key);
    Some((Frame { payload, ..frame }, end))
}

/// Reads all that an endpoint of role `R` has written. It always consists of complete frames that
/// are masked as §5.1 requires (MK1, MK2, M2), with lengths in the shortest form (FR9), no reserved
/// bits, and unfragmented control frames of 125 bytes at most (CT1, CT2).
#[track_caller]
pub(crate) fn read_all<R: TestRole>(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while !bytes.is_empty() {
        let (frame, taken) = read(bytes).expect("a whole frame");
        assert_eq!(
            matches!(frame.masking, Masking::Key(_)),
            R::MASKS,
            "masked by clients only: {frame:?}"
        );
        assert_eq!(
            frame.form == Form::Bits16,
            (126..=0xffff).contains(&frame.payload.len()),
            "the shortest form"
        );
        assert_eq!(
            frame.form == Form::Bits64,
            frame.payload.len() > 0xffff,
            "the shortest form"
        );
        assert!(
            frame.rsv == 0 && [0, 1, 2, 8, 9, 10].contains(&frame.opcode),
            "nothing reserved: {frame:?}"
        );
        assert!(
            !frame.is_control() || frame.fin && frame.payload.len() <= 125,
            "control frames: {frame:?}"
        );
        frames.push(Frame {
            masking: Masking::ByRole,
            form: Form::Shortest,
            ..frame
        });
        bytes = &bytes[taken..];
    }
    frames
}

/// A role that tests can make.
pub(crate) trait TestRole: Role + Debug + 'static {
    /// Whether it is the client, which masks all that it sends and accepts only unmasked frames
    /// (§5.1).
    const MASKS: bool;
    type Peer: TestRole;
    fn make() -> Self;
}

impl TestRole for Server {
    const MASKS: bool = false;
    type Peer = Client;
    fn make() -> Self {
        Self
    }
}

impl TestRole for Client {
    const MASKS: bool = true;
    type Peer = Server;
    fn make() -> Self {
        Self::new(SEED)
    }
}
