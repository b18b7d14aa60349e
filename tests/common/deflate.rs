//! The code that the tests of permessage-deflate share: an inflater written from RFC 1951 only, C
//! zlib, and layers that have negotiated compression.

mod oracle;

pub(crate) use oracle::Oracle;

use super::layers::{event, frame_of};
use super::{
    Ended, Frame, Layer, Log, MessageHalves, Seen, TestRole, Transcript, drive, read, read_all,
    wire,
};
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};
use ws_proto::deflate::{
    Compressor, Decompressor, DeflateConfig as Deflate, Flush, InflateError, Inflated, Params,
};
use ws_proto::{Config, Connection, Event, Negotiated, WebSocket};

/// RSV1 as [`Frame::rsv`] takes it.
pub(crate) const RSV1: u8 = 4;

/// "Hello" in the forms of RFC 7692 §7.2.3.
pub(crate) const HELLO: [&[u8]; 4] = [
    b"\xf2\x48\xcd\xc9\xc9\x07\x00", // §7.2.3.1 (DP10): one block
    b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", // §7.2.3.3 (DP8): not compressed
    b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00", // §7.2.3.4 (DP7): a block with BFINAL
    b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", // §7.2.3.5 (DP9): two blocks
];

/// "Hello" once more, where the context has it (§7.2.3.2, DP10).
pub(crate) const HELLO_AGAIN: &[u8] = b"\xf2\x00\x11\x00\x00";

/// The end of a flushed block, which a sender removes (§7.2.1).
pub(crate) const TAIL: [u8; 4] = [0x00, 0x00, 0xff, 0xff];

/// The parameters of an answer, given the text after the extension's name.
#[track_caller]
pub(crate) fn params(rest: &str) -> Params {
    format!("permessage-deflate{rest}").parse().unwrap()
}

/// The same parameters for both directions.
pub(crate) fn both_ways(no_context_takeover: bool, bits: u8) -> Params {
    let of = |side| {
        format!(
            "{}; {side}_max_window_bits={bits}",
            if no_context_takeover {
                format!("; {side}_no_context_takeover")
            } else {
                String::new()
            }
        )
    };
    params(&(of("server") + &of("client")))
}

/// The compressor for the messages of `R`.
pub(crate) fn compressor<R: TestRole>(params: Params, deflate: &Deflate) -> Compressor {
    if R::MASKS {
        params.client_compressor(deflate)
    } else {
        params.server_compressor(deflate)
    }
}

/// The decompressor for the messages that `R` receives.
pub(crate) fn decompressor<R: TestRole>(params: Params) -> Decompressor {
    if R::MASKS {
        params.server_decompressor()
    } else {
        params.client_decompressor()
    }
}

pub(crate) fn compressed_text(payload: impl AsRef<[u8]>) -> Frame {
    Frame::text(payload).rsv(RSV1)
}

pub(crate) fn hello() -> Seen {
    Seen::text("Hello")
}

/// The beginning of the transcript.
pub(crate) fn brief(seen: &[Seen]) -> String {
    format!("{seen:?}").chars().take(200).collect()
}

/// All of a message at once.
pub(crate) fn compress(compressor: &mut Compressor, message: &[u8]) -> Vec<u8> {
    let mut compressed = Vec::new();
    compressor.compress(message, Flush::End, &mut compressed);
    compressed
}

/// Inflates a message, `block` bytes at a time, and bounds the number of calls that it takes.
pub(crate) fn inflate(
    decompressor: &mut Decompressor,
    message: &[u8],
    block: usize,
) -> Result<Vec<u8>, InflateError> {
    let mut inflated = Vec::new();
    inflate_piece(decompressor, message, true, block, &mut inflated)?;
    Ok(inflated)
}

pub(crate) fn inflate_piece(
    decompressor: &mut Decompressor,
    mut piece: &[u8],
    last: bool,
    block: usize,
    inflated: &mut Vec<u8>,
) -> Result<(), InflateError> {
    let mut output = vec![0; block];
    loop {
        let Inflated { len, done } = decompressor.inflate(&mut piece, last, &mut output)?;
        inflated.extend_from_slice(&output[..len]);
        if done {
            assert!(piece.is_empty(), "input is left behind");
            return Ok(());
        }
        if len < block {
            // The bytes before a fault were delivered. There are no others.
            decompressor
                .inflate(&mut piece, last, &mut output)
                .map(|inflated| panic!("the output was not full: {inflated:?}"))?;
        }
    }
}

/// C zlib as the compressor of one direction.
pub(crate) struct CDeflate {
    zlib: Compress,
    no_context_takeover: bool,
}

impl CDeflate {
    /// `bits` from 9 on: zlib has no smaller window to compress with.
    pub(crate) fn new(level: u32, bits: u8, no_context_takeover: bool) -> Self {
        Self {
            zlib: Compress::new_with_window_bits(Compression::new(level), false, bits),
            no_context_takeover,
        }
    }

    pub(crate) fn message(&mut self, message: &[u8]) -> Vec<u8> {
        let mut compressed = Vec::with_capacity(message.len() * 2 + 100);
        let start = self.zlib.total_in();
        self.zlib
            .compress_vec(message, &mut compressed, FlushCompress::Sync)
            .unwrap();
        assert_eq!(self.zlib.total_in() - start, message.len() as u64);
        if compressed.is_empty() {
            // zlib does not flush when there is nothing new.
            return vec![0];
        }
        assert!(compressed.ends_with(&TAIL));
        compressed.truncate(compressed.len() - TAIL.len());
        if self.no_context_takeover {
            self.zlib.reset();
        }
        compressed
    }

    /// A message that ends with a block with BFINAL (§7.2.3.4), and takes the context with it.
    pub(crate) fn final_message(&mut self, message: &[u8]) -> Vec<u8> {
        let mut compressed = Vec::with_capacity(message.len() * 2 + 100);
        assert_eq!(
            self.zlib
                .compress_vec(message, &mut compressed, FlushCompress::Finish)
                .unwrap(),
            Status::StreamEnd
        );
        self.zlib.reset();
        compressed
    }
}

/// A message compressed by C zlib, without context.
pub(crate) fn zlib(message: &[u8]) -> Vec<u8> {
    CDeflate::new(9, 15, true).message(message)
}

/// C zlib as the inflater of one direction, with a window of the size that was negotiated.
pub(crate) struct CInflate {
    zlib: Decompress,
    no_context_takeover: bool,
}

impl CInflate {
    pub(crate) fn new(bits: u8, no_context_takeover: bool) -> Self {
        Self {
            zlib: Decompress::new_with_window_bits(false, bits.max(9)),
            no_context_takeover,
        }
    }

    /// Inflates in steps of a few bytes, since zlib checks distances against its window only beyond
    /// the output of one call.
    pub(crate) fn message(&mut self, message: &[u8]) -> Option<Vec<u8>> {
        let input = [message, &TAIL].concat();
        let mut input = input.as_slice();
        let (mut inflated, mut output) = (Vec::new(), [0; 50]);
        loop {
            let (read, written) = (self.zlib.total_in(), self.zlib.total_out());
            let status = self
                .zlib
                .decompress(input, &mut output, FlushDecompress::Sync)
                .ok()?;
            let (read, written) = (
                (self.zlib.total_in() - read) as usize,
                (self.zlib.total_out() - written) as usize,
            );
            input = &input[read..];
            inflated.extend_from_slice(&output[..written]);
            if status == Status::StreamEnd || input.is_empty() && written < output.len() {
                break;
            }
        }
        if self.no_context_takeover {
            self.zlib.reset(false);
        }
        Some(inflated)
    }
}

/// Messages to compress: of no bytes and of many, that repeat much, little and nothing.
pub(crate) fn samples() -> Vec<Vec<u8>> {
    vec![
        vec![],
        b"Hello".to_vec(),
        json(1),
        json(40),
        vec![0; 40_000],
        noise(1, 3000),
        (0..30).flat_map(|i| noise(i % 7, 300)).collect(),
        noise(2, 20_000).repeat(2),
        "r\u{e4}ksm\u{f6}rg\u{e5}s \u{1f980} "
            .repeat(200)
            .into_bytes(),
    ]
}

/// Objects with much in common, about 100 bytes each.
pub(crate) fn json(objects: u32) -> Vec<u8> {
    let object = |i: u32| {
        format!(
            "{{\"id\":{},\"name\":\"user{i}\",\"tags\":[\"a\",\"b{}\"],\"balance\":{}.5,\"active\":{}}}",
            i * 7919,
            i % 5,
            i * i,
            i % 2 == 0
        )
    };
    format!(
        "[{}]",
        (0..objects).map(object).collect::<Vec<_>>().join(",")
    )
    .into_bytes()
}

/// Bytes in which nothing repeats.
pub(crate) fn noise(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..len).map(|_| next()).collect()
}

/// The parameters that an endpoint has negotiated, and its settings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Setup {
    pub(crate) deflate: Deflate,
    pub(crate) params: Params,
    pub(crate) config: Config,
}

impl Setup {
    pub(crate) fn with(params: Params) -> Self {
        Self {
            params,
            ..Self::default()
        }
    }

    pub(crate) fn config(self, config: Config) -> Self {
        Self { config, ..self }
    }

    pub(crate) fn deflate(self, deflate: Deflate) -> Self {
        Self { deflate, ..self }
    }

    pub(crate) fn negotiated<R: TestRole>(&self) -> Negotiated<R> {
        Negotiated::new(R::make()).with_deflate(&self.deflate, self.params)
    }

    pub(crate) fn websocket<R: TestRole>(&self) -> WebSocket<R> {
        WebSocket::new(self.negotiated(), &self.config)
    }

    pub(crate) fn inflating<R: TestRole>(&self, block: usize) -> Inflating<R> {
        Inflating {
            connection: Connection::new(self.negotiated(), &self.config),
            decompressor: decompressor::<R>(self.params),
            block,
        }
    }

    /// The transcript of each way to receive complete messages from `bytes`, split at the given
    /// places.
    #[track_caller]
    pub(crate) fn run<R: TestRole>(&self, bytes: &[u8], cuts: &[usize]) -> Transcript {
        let whole = drive(self.websocket::<R>(), bytes, cuts);
        let (receiver, sender) = self.websocket::<R>().split();
        let halves = drive(MessageHalves(receiver, sender), bytes, cuts);
        assert_eq!(
            (&whole.seen, &whole.out),
            (&halves.seen, &halves.out),
            "the halves do otherwise"
        );
        whole
    }

    /// The events and answers of an endpoint for these frames of its peer, in one input and byte by
    /// byte.
    #[track_caller]
    pub(crate) fn receive<R: TestRole>(&self, frames: &[Frame]) -> (Vec<Seen>, Vec<Frame>) {
        let bytes = wire::<R>(frames);
        let whole = self.run::<R>(&bytes, &[]);
        let cut = self.run::<R>(&bytes, &(0..bytes.len().min(3000)).collect::<Vec<_>>());
        assert_eq!(whole, cut, "the cut makes a difference");
        (whole.seen, read_all::<R>(&whole.out))
    }
}

/// A streaming connection whose compressed chunks are inflated as they come.
pub(crate) struct Inflating<R> {
    pub(crate) connection: Connection<R>,
    decompressor: Decompressor,
    block: usize,
}

impl<R: TestRole> Layer<R> for Inflating<R> {
    fn make(config: &Config) -> Self {
        Setup::default().config(config.clone()).inflating(64)
    }

    fn recv_all(&mut self, mut input: &mut [u8], log: &mut Log) {
        let Self {
            connection,
            decompressor,
            block,
        } = self;
        while let Some(got) = connection.recv(&mut input, &mut log.out) {
            let frame = frame_of!(connection, got);
            match got {
                Event::Data(chunk) if chunk.compressed => {
                    let mut inflated = Vec::new();
                    match inflate_piece(
                        decompressor,
                        chunk.payload,
                        chunk.last,
                        *block,
                        &mut inflated,
                    ) {
                        // A chunk may be too short to produce anything.
                        Ok(()) if inflated.is_empty() && !chunk.first && !chunk.last => {
                            log.frames.extend(frame);
                        }
                        Ok(()) => {
                            log.data(chunk.kind, &inflated, (chunk.first, chunk.last), frame);
                        }
                        Err(_) => connection
                            .fail(super::code(1007), "", &mut log.out)
                            .unwrap(),
                    }
                }
                other => event(
                    other,
                    frame,
                    connection.control_payload(),
                    connection.close_received(),
                    log,
                ),
            }
        }
    }

    fn ended(&self) -> Ended {
        self.connection.ended()
    }
}

/// The frames that an endpoint has written.
pub(crate) fn frames(mut bytes: &[u8]) -> Vec<Frame> {
    let mut frames = Vec::new();
    while let Some((frame, taken)) = read(bytes) {
        frames.push(frame);
        bytes = &bytes[taken..];
    }
    assert!(bytes.is_empty(), "a frame is not whole");
    frames
}

/// Bits in the order in which DEFLATE packs them (RFC 1951 §3.1.1).
#[derive(Debug, Default, Clone)]
pub(crate) struct BitWriter(Vec<bool>);

impl BitWriter {
    /// A number, the least significant bit first.
    pub(crate) fn number(&mut self, number: usize, bits: usize) {
        self.0.extend((0..bits).map(|bit| number >> bit & 1 == 1));
    }

    /// A Huffman code, written as in the RFC.
    pub(crate) fn code(&mut self, code: &str) {
        self.0.extend(code.bytes().map(|bit| bit == b'1'));
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The bytes, the last one filled up with zeros.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.0
            .chunks(8)
            .map(|byte| {
                byte.iter()
                    .rev()
                    .fold(0, |byte, &bit| byte << 1 | u8::from(bit))
            })
            .collect()
    }
}

/// The beginning of a dynamic block: 286 and 9 code lengths, of which those that the RFC's tail
/// spells are missing. With the tail the block is complete to its last bit, and holds nothing: the
/// tail is read as 8 single zeros, 3 times 10 zeros, and the code that ends the block.
pub(crate) fn block_that_the_tail_completes() -> Vec<u8> {
    let mut block = BitWriter::default();
    block.number(0, 1);
    block.number(2, 2);
    block.number(286 - 257, 5);
    block.number(9 - 1, 5);
    block.number(18 - 4, 4);
    // In the order of RFC 1951 §3.2.7, the lengths of the codes for lengths: two bits each for 0,
    // 1, 16 and 17, which are 00, 01, 10 and 11.
    for symbol in [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1] {
        block.number(
            if matches!(symbol, 0 | 1 | 16 | 17) {
                2
            } else {
                0
            },
            3,
        );
    }
    let zeros = |block: &mut BitWriter, times: usize| {
        block.code("11");
        block.number(times - 3, 3);
    };
    block.code("01");
    (0..22).for_each(|_| zeros(&mut block, 10));
    (0..3).for_each(|_| zeros(&mut block, 9));
    (0..8).for_each(|_| block.code("00"));
    block.code("01");
    assert_eq!(block.len(), 216);
    block.bytes()
}
