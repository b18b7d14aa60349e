//! TCP: puts the segments of one direction of a stream in order.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

/// How many bytes that arrived too early are kept for one direction. If there are more, the missing
/// bytes before them are considered lost.
const MAX_AHEAD: usize = 1 << 20;
/// How many segments that arrived too early are kept for one direction.
const MAX_SEGMENTS: usize = 4096;
/// A captured segment.
#[derive(Clone)]
pub struct Segment<'a> {
    pub time: Duration,
    pub from: SocketAddr,
    pub to: SocketAddr,
    pub seq: u32,
    pub ack: Option<u32>,
    pub syn: bool,
    pub fin: bool,
    pub rst: bool,
    pub payload: &'a [u8],
    /// The bytes of the payload that were truncated when it was captured.
    pub missing: u32,
}

/// The next item of the stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Delivery<'a> {
    Data(&'a [u8]),
    /// The next bytes were not captured.
    Gap(u64),
    /// Bytes that were delivered before.
    Repeated {
        offset: u64,
        len: u64,
    },
    /// Bytes that arrived twice, and differ.
    Contradiction {
        offset: u64,
    },
}

/// Receives the items of a stream, with the time at which they were captured.
type Deliver<'a> = dyn FnMut(Duration, Delivery<'_>) -> io::Result<()> + 'a;

/// One direction of a stream. Offsets are 64 bits wide, so that sequence numbers may wrap.
#[derive(Default)]
pub struct Order {
    /// The sequence number that is expected next.
    next: Option<u32>,
    /// Its offset in the stream.
    offset: u64,
    /// The bytes that arrived too early, by offset.
    ahead: BTreeMap<u64, Piece>,
    ahead_len: usize,
    /// The offset up to which the other end has acknowledged.
    acknowledged: u64,
    /// The offset of the end.
    end: Option<u64>,
}

struct Piece {
    time: Duration,
    bytes: Vec<u8>,
    /// Its length, including the bytes that were truncated.
    len: u64,
}

impl Piece {
    /// Removes bytes from the front.
    fn trim(&mut self, len: u64) {
        let len = len.min(self.len);
        let captured = usize::try_from(len)
            .unwrap_or(usize::MAX)
            .min(self.bytes.len());
        self.bytes.drain(..captured);
        self.len -= len;
    }
}

impl Order {
    /// Begins after a SYN with this sequence number.
    pub fn begin(&mut self, seq: u32) {
        self.next.get_or_insert(seq.wrapping_add(1));
    }

    /// Whether all was delivered that was sent.
    pub fn is_over(&self) -> bool {
        self.end.is_some_and(|end| end <= self.offset)
    }

    /// The offset of a sequence number: the one nearest to the offset expected next. It is negative
    /// before the first byte.
    fn offset_of(&self, seq: u32) -> i64 {
        let distance = seq.wrapping_sub(self.next.unwrap_or(seq)).cast_signed();
        self.offset.cast_signed().saturating_add(distance.into())
    }

    /// Takes note of an acknowledgement by the other end.
    pub fn acknowledge(&mut self, ack: u32) {
        if self.next.is_some() {
            let offset = self.offset_of(ack).try_into().unwrap_or(0);
            self.acknowledged = self.acknowledged.max(offset);
        }
    }

    /// Receives a segment, and delivers all bytes that are in order now.
    pub fn take(&mut self, segment: &Segment<'_>, deliver: &mut Deliver<'_>) -> io::Result<()> {
        let seq = segment.seq.wrapping_add(segment.syn.into());
        let mut piece = Piece {
            time: segment.time,
            bytes: segment.payload.to_vec(),
            len: segment.payload.len() as u64 + u64::from(segment.missing),
        };
        if piece.len == 0 && !segment.fin {
            return Ok(());
        }
        self.next.get_or_insert(seq);
        let start = self.offset_of(seq);
        if segment.fin {
            let end = start
                .saturating_add_unsigned(piece.len)
                .try_into()
                .unwrap_or(0);
            self.end = Some(self.end.map_or(end, |known| known.min(end)));
        }
        // The bytes before the expected one were delivered.
        let expected = self.offset.cast_signed();
        let repeated = expected
            .saturating_sub(start)
            .max(0)
            .unsigned_abs()
            .min(piece.len);
        if repeated > 0 {
            let offset = start.try_into().unwrap_or(0);
            deliver(
                piece.time,
                Delivery::Repeated {
                    offset,
                    len: repeated,
                },
            )?;
            piece.trim(repeated);
        }
        if piece.len > 0 {
            self.keep(start.max(expected).unsigned_abs(), piece, deliver)?;
        }
        self.drain(deliver)?;
        // The missing bytes were received by the other end, or too many wait for them.
        while let Some(&first) = self.ahead.keys().next() {
            let is_lost = self.acknowledged >= first;
            if !is_lost && self.ahead_len <= MAX_AHEAD && self.ahead.len() <= MAX_SEGMENTS {
                break;
            }
            self.leap(deliver)?;
        }
        Ok(())
    }

    /// Gives up the missing bytes, and delivers all the rest.
    pub fn finish(&mut self, deliver: &mut Deliver<'_>) -> io::Result<()> {
        while !self.ahead.is_empty() {
            self.leap(deliver)?;
        }
        Ok(())
    }

    /// Keeps a segment until it is in order. Of bytes that arrive twice, the first are kept.
    fn keep(
        &mut self,
        mut offset: u64,
        mut piece: Piece,
        deliver: &mut Deliver<'_>,
    ) -> io::Result<()> {
        while let Some((&start, known)) = self.ahead.range(..=offset).next_back() {
            let covered = (start + known.len).saturating_sub(offset).min(piece.len);
            if covered == 0 {
                break;
            }
            let skipped = usize::try_from(offset - start).unwrap_or(usize::MAX);
            let known = known.bytes.get(skipped..).unwrap_or_default();
            let delivery = if known.iter().zip(&piece.bytes).any(|(a, b)| a != b) {
                Delivery::Contradiction { offset }
            } else {
                Delivery::Repeated {
                    offset,
                    len: covered,
                }
            };
            deliver(piece.time, delivery)?;
            piece.trim(covered);
            offset += covered;
        }
        // Bytes that later segments contain, too, are removed from those when they are delivered.
        if piece.len > 0 {
            self.ahead_len += piece.bytes.len();
            self.ahead.insert(offset, piece);
        }
        Ok(())
    }

    /// Delivers the bytes that are in order now.
    fn drain(&mut self, deliver: &mut Deliver<'_>) -> io::Result<()> {
        while let Some(entry) = self
            .ahead
            .first_entry()
            .filter(|entry| *entry.key() <= self.offset)
        {
            let (start, mut piece) = entry.remove_entry();
            self.ahead_len -= piece.bytes.len();
            let repeated = (self.offset - start).min(piece.len);
            if repeated > 0 {
                deliver(
                    piece.time,
                    Delivery::Repeated {
                        offset: start,
                        len: repeated,
                    },
                )?;
                piece.trim(repeated);
            }
            self.advance(piece.len);
            if !piece.bytes.is_empty() {
                deliver(piece.time, Delivery::Data(&piece.bytes))?;
            }
            let missing = piece.len - piece.bytes.len() as u64;
            if missing > 0 {
                deliver(piece.time, Delivery::Gap(missing))?;
            }
        }
        Ok(())
    }

    /// Reports the gap before the first segment that is kept, and delivers that.
    fn leap(&mut self, deliver: &mut Deliver<'_>) -> io::Result<()> {
        if let Some((&first, piece)) = self.ahead.first_key_value() {
            let (time, gap) = (piece.time, first.saturating_sub(self.offset));
            if gap > 0 {
                self.advance(gap);
                deliver(time, Delivery::Gap(gap))?;
            }
        }
        self.drain(deliver)
    }

    fn advance(&mut self, len: u64) {
        self.offset += len;
        self.next = self.next.map(|next| next.wrapping_add(len as u32));
    }
}

#[cfg(test)]
mod tests {
    use super::{Delivery, MAX_AHEAD, Order, Segment};
    use std::net::{Ipv4Addr, SocketAddr};
    use std::time::Duration;

    /// The bytes that an order delivers, and `None` for each that is missing.
    #[derive(Default)]
    struct Reader {
        order: Order,
        bytes: Vec<Option<u8>>,
        repeated: u64,
        contradictions: u64,
    }

    impl Reader {
        fn begin(seq: u32) -> Self {
            let mut this = Self::default();
            this.order.begin(seq);
            this
        }

        fn take(&mut self, seq: u32, payload: &[u8], missing: u32) {
            let address = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), 0);
            let segment = Segment {
                time: Duration::ZERO,
                from: address,
                to: address,
                seq,
                ack: None,
                syn: false,
                fin: false,
                rst: false,
                payload,
                missing,
            };
            let Self {
                order,
                bytes,
                repeated,
                contradictions,
            } = self;
            let taken = order.take(&segment, &mut |_, delivery| {
                match delivery {
                    Delivery::Data(data) => bytes.extend(data.iter().copied().map(Some)),
                    Delivery::Gap(len) => bytes.extend(vec![None; len as usize]),
                    Delivery::Repeated { len, .. } => *repeated += len,
                    Delivery::Contradiction { .. } => *contradictions += 1,
                }
                Ok(())
            });
            assert!(taken.is_ok());
        }

        fn finish(&mut self) {
            let bytes = &mut self.bytes;
            let finished = self.order.finish(&mut |_, delivery| {
                match delivery {
                    Delivery::Data(data) => bytes.extend(data.iter().copied().map(Some)),
                    Delivery::Gap(len) => bytes.extend(vec![None; len as usize]),
                    _ => {}
                }
                Ok(())
            });
            assert!(finished.is_ok());
        }
    }

    fn random(state: &mut u64, below: usize) -> usize {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (*state >> 33) as usize % below
    }

    /// Segments that overlap, are repeated and come in any order give the bytes that were sent, and
    /// gaps exactly where none of them has been, wherever the sequence numbers wrap.
    #[test]
    fn any_segments_give_what_was_sent() {
        let mut state = 1;
        for round in 0..2000 {
            let len = 1 + random(&mut state, 300);
            let sent: Vec<u8> = (0..len).map(|_| random(&mut state, 256) as u8).collect();
            let start = u32::MAX - random(&mut state, 400) as u32;
            let mut reader = Reader::begin(start.wrapping_sub(1));
            let mut seen = vec![false; len];
            for _ in 0..random(&mut state, 40) {
                let from = random(&mut state, len);
                let to = from + 1 + random(&mut state, (len - from).min(60));
                let cut = random(&mut state, 8).saturating_sub(6).min(to - from);
                reader.take(
                    start.wrapping_add(from as u32),
                    &sent[from..to - cut],
                    cut as u32,
                );
                // Truncated bytes count as sent, but not as seen; a copy may have them.
                seen[from..to - cut].fill(true);
            }
            reader.finish();
            for (at, byte) in reader.bytes.iter().enumerate() {
                if let Some(byte) = byte {
                    assert_eq!(*byte, sent[at], "round {round}");
                }
                assert!(seen[at] || byte.is_none(), "round {round}");
            }
            assert_eq!(reader.contradictions, 0);
            // All seen bytes are delivered, unless a truncated copy came before them.
            let last = seen
                .iter()
                .rposition(|&seen| seen)
                .map_or(0, |last| last + 1);
            assert!(reader.bytes.len() >= last, "round {round}");
        }
        // Without truncation and with all bytes, nothing is missing.
        for _ in 0..500 {
            let len = 1 + random(&mut state, 300);
            let sent: Vec<u8> = (0..len).map(|_| random(&mut state, 256) as u8).collect();
            let start = u32::MAX - random(&mut state, 400) as u32;
            let mut reader = Reader::begin(start.wrapping_sub(1));
            let mut at: Vec<usize> = (0..len).collect();
            for index in 0..len {
                at.swap(index, random(&mut state, len));
            }
            for from in at {
                let to = (from + 1 + random(&mut state, 20)).min(len);
                reader.take(start.wrapping_add(from as u32), &sent[from..to], 0);
            }
            let expected: Vec<Option<u8>> = sent.into_iter().map(Some).collect();
            assert_eq!(reader.bytes, expected);
        }
    }

    #[test]
    fn repeated_bytes_are_counted_and_contradictions_named() {
        let mut reader = Reader::begin(9);
        reader.take(10, b"abc", 0);
        reader.take(10, b"abc", 0);
        reader.take(11, b"bcde", 0);
        assert_eq!((reader.repeated, reader.bytes.len()), (5, 5));
        reader.take(20, b"xyz", 0);
        reader.take(20, b"xYz", 0);
        assert_eq!((reader.repeated, reader.contradictions), (5, 1));
    }

    #[test]
    fn what_is_cut_off_is_a_gap() {
        let mut reader = Reader::begin(9);
        reader.take(10, b"ab", 2);
        reader.take(14, b"c", 0);
        assert_eq!(
            reader.bytes,
            [Some(b'a'), Some(b'b'), None, None, Some(b'c')]
        );
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut reader = Reader::begin(9);
        let segment = [7; 1000];
        let count = MAX_AHEAD as u32 / 1000;
        for index in 0..count {
            reader.take(20 + index * 1000, &segment, 0);
        }
        assert!(reader.bytes.is_empty());
        reader.take(20 + count * 1000, &segment, 0);
        assert_eq!(reader.bytes[..10], [None; 10]);
        assert_eq!(reader.bytes.len(), 10 + 1000 * (count as usize + 1));
        // A single byte far ahead, many times.
        for index in 0..2 * super::MAX_SEGMENTS as u32 {
            reader.take(3_000_000 + index * 2, b"x", 0);
        }
        assert!(reader.order.ahead.len() <= super::MAX_SEGMENTS);
    }
}
