//! DEFLATE, read bit by bit.

/// A slow and obvious inflater of one direction's messages: RFC 1951 §3.2, and RFC 7692 §7.2.2.
#[derive(Debug, Default, Clone)]
pub(crate) struct Oracle {
    /// The bytes that can be referred to.
    window: Vec<u8>,
    /// The greatest distance that was referred over.
    pub(crate) furthest: usize,
}

impl Oracle {
    /// The content of a message, or `None` if it is not valid. It ends where the tail makes a
    /// stored block of no bytes, or with a block that is final.
    pub(crate) fn message(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut bits = Bits { bytes, at: 0 };
        let start = self.window.len();
        let mut message = Vec::new();
        let mut from = start;
        loop {
            let is_final = bits.take(1)? == 1;
            match bits.take(2)? {
                0 => {
                    bits.align();
                    if bits.at == bytes.len() * 8 {
                        message.extend_from_slice(&self.window[from..]);
                        if is_final {
                            self.window.clear();
                        }
                        return Some(message);
                    }
                    let (len, complement) = (bits.take(16)?, bits.take(16)?);
                    if len != !complement & 0xffff {
                        return None;
                    }
                    for _ in 0..len {
                        self.window.push(bits.take(8)? as u8);
                    }
                }
                1 => {
                    let lengths: Vec<_> = (0..288)
                        .map(|symbol| {
                            [8, 9, 7, 8][usize::from(symbol > 143)
                                + usize::from(symbol > 255)
                                + usize::from(symbol > 279)]
                        })
                        .collect();
                    self.block(&mut bits, &Code::new(&lengths)?, &Code::new(&[5; 30])?)?;
                }
                2 => {
                    let (literals, distances) = dynamic_codes(&mut bits)?;
                    self.block(&mut bits, &literals, &distances)?;
                }
                _ => return None,
            }
            if is_final {
                // Another stream follows, if anything does.
                bits.align();
                message.extend_from_slice(&self.window[from..]);
                self.window.clear();
                from = 0;
                if bits.at == bytes.len() * 8 {
                    return Some(message);
                }
            }
        }
    }

    /// Forgets the context.
    pub(crate) fn reset(&mut self) {
        self.window.clear();
    }

    fn block(&mut self, bits: &mut Bits<'_>, literals: &Code, distances: &Code) -> Option<()> {
        loop {
            let symbol = literals.decode(bits)?;
            match symbol {
                0..=255 => self.window.push(symbol as u8),
                256 => return Some(()),
                257..=285 => {
                    let (base, extra) = length(symbol - 257);
                    let len = base + bits.take(extra)?;
                    let symbol = distances.decode(bits)?;
                    if symbol > 29 {
                        return None;
                    }
                    let (base, extra) = distance(symbol);
                    let distance = base + bits.take(extra)?;
                    let from = self
                        .window
                        .len()
                        .checked_sub(distance)
                        .filter(|_| distance <= 1 << 15)?;
                    self.furthest = self.furthest.max(distance);
                    for at in from..from + len {
                        self.window.push(self.window[at]);
                    }
                }
                _ => return None,
            }
        }
    }
}

/// The shortest length of a code, and how many extra bits it has (RFC 1951 §3.2.5).
fn length(code: usize) -> (usize, usize) {
    match code {
        0..=7 => (3 + code, 0),
        28 => (258, 0),
        _ => {
            let extra = code / 4 - 1;
            (3 + ((4 + code % 4) << extra), extra)
        }
    }
}

fn distance(code: usize) -> (usize, usize) {
    let extra = (code / 2).saturating_sub(1);
    if code < 2 {
        (1 + code, 0)
    } else {
        (1 + ((2 + code % 2) << extra), extra)
    }
}

/// The codes at the front of a block (RFC 1951 §3.2.7).
fn dynamic_codes(bits: &mut Bits<'_>) -> Option<(Code, Code)> {
    const ORDER: [usize; 19] = [
        16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
    ];
    let (literals, distances, lengths) =
        (bits.take(5)? + 257, bits.take(5)? + 1, bits.take(4)? + 4);
    if literals > 286 || distances > 30 {
        return None;
    }
    let mut of_lengths = [0; 19];
    for place in &ORDER[..lengths] {
        of_lengths[*place] = bits.take(3)?;
    }
    let code = Code::new(&of_lengths).filter(|code| code.left == 0)?;
    let mut lengths = Vec::new();
    while lengths.len() < literals + distances {
        let (length, times) = match code.decode(bits)? {
            16 => (*lengths.last()?, 3 + bits.take(2)?),
            17 => (0, 3 + bits.take(3)?),
            18 => (0, 11 + bits.take(7)?),
            length => (length, 1),
        };
        lengths.extend(std::iter::repeat_n(length, times));
    }
    if lengths.len() > literals + distances || lengths[256] == 0 {
        return None;
    }
    let (literals, distances) = lengths.split_at(literals);
    Some((Code::new(literals)?, Code::new(distances)?))
}

/// A prefix code (RFC 1951 §3.2.2).
struct Code {
    /// The symbols of each length, in order.
    symbols: [Vec<usize>; 16],
    /// How many codes of the longest length are not used.
    left: usize,
}

impl Code {
    /// `None` if there are more symbols than codes, or fewer. Fewer there may be if there is only
    /// one symbol, of one bit, or none.
    fn new(lengths: &[usize]) -> Option<Self> {
        let mut symbols: [Vec<usize>; 16] = Default::default();
        for (symbol, &length) in lengths
            .iter()
            .enumerate()
            .filter(|&(_, &length)| length > 0)
        {
            symbols[length].push(symbol);
        }
        let mut left = 1_usize;
        for of_length in &symbols[1..] {
            left = (left * 2).checked_sub(of_length.len())?;
        }
        let few = symbols[2..].iter().all(Vec::is_empty);
        // The fixed code of distances has 30 of its 32.
        let fixed = lengths == [5; 30];
        (left == 0 || few || fixed).then_some(Self { symbols, left })
    }

    fn decode(&self, bits: &mut Bits<'_>) -> Option<usize> {
        let (mut code, mut first) = (0, 0);
        for of_length in &self.symbols[1..] {
            code |= bits.take(1)?;
            if let Some(&symbol) = code
                .checked_sub(first)
                .and_then(|at: usize| of_length.get(at))
            {
                return Some(symbol);
            }
            first = (first + of_length.len()) * 2;
            code *= 2;
        }
        None
    }
}

struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    /// A number of `count` bits, the least significant first (RFC 1951 §3.1.1).
    fn take(&mut self, count: usize) -> Option<usize> {
        let mut number = 0;
        for i in 0..count {
            let byte = self.bytes.get(self.at / 8)?;
            number |= usize::from(byte >> (self.at % 8) & 1) << i;
            self.at += 1;
        }
        Some(number)
    }

    fn align(&mut self) {
        self.at = self.at.next_multiple_of(8);
    }
}
