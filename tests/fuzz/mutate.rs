//! Damages inputs, the same way for the same seed.

/// Inputs never grow beyond this, bytes.
const MAX_BYTES: usize = 1 << 18;

/// Numbers as text that readers stumble over.
const NUMBERS: [&str; 14] = [
    "0",
    "-1",
    "1.0",
    "-0.0",
    "1e999",
    "-1e-999",
    "NaN",
    "inf",
    "2147483648",
    "4294967296",
    "9223372036854775808",
    "18446744073709551615",
    "340282350000000000000000000000000000000000",
    "99999999999999999999999999999999999999999999999999",
];

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub struct Random(pub u64);

impl Random {
    /// Any number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// One of these.
    pub fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// From `start` to `end`, both inclusive.
    pub fn within(&mut self, start: i64, end: i64) -> i64 {
        start + (self.next() % (end - start + 1) as u64) as i64
    }

    /// True once in `count` times.
    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    /// From -1 to 1.
    pub fn float(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }

    /// A place in `bytes`, and a length from there that is short more often than long.
    fn span(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let from = self.below(bytes.len().max(1));
        let most = self.pick(&[4, 16, 64, 1024, MAX_BYTES]);
        let length = self.below(most) + 1;
        from.min(bytes.len())..(from + length).min(bytes.len())
    }

    /// An integer of `width` bytes at the edge of something.
    fn edge(&mut self, width: usize) -> Vec<u8> {
        let near = self.next() % 5;
        let bits = 8 * width as u32;
        let value = match self.below(6) {
            0 => near,
            1 => u64::MAX - near,
            2 => (1_u64 << (bits - 1)).wrapping_sub(near),
            3 => (1_u64 << (bits - 1)).wrapping_add(near),
            4 => 1_u64 << self.below(bits as usize),
            _ => self.next(),
        };
        let bytes = value.to_be_bytes();
        let mut edge = bytes[8 - width..].to_vec();
        if self.below(2) == 0 {
            edge.reverse();
        }
        edge
    }
}

/// One of the inputs, damaged in one to four ways; `words` are what the format knows.
pub fn damaged(random: &mut Random, corpus: &[Vec<u8>], words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = corpus[random.below(corpus.len())].clone();
    for _ in 0..=random.below(4) {
        damage(random, &mut bytes, corpus, words);
        bytes.truncate(MAX_BYTES);
    }
    bytes
}

fn damage(random: &mut Random, bytes: &mut Vec<u8>, corpus: &[Vec<u8>], words: &[&[u8]]) {
    let span = random.span(bytes);
    match random.below(12) {
        0 | 1 if !bytes.is_empty() => {
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
        }
        2 | 3 => {
            let width = random.pick(&[1, 2, 4, 4, 8]);
            let edge = random.edge(width);
            let end = (span.start + edge.len()).min(bytes.len());
            bytes[span.start..end].copy_from_slice(&edge[..end - span.start]);
        }
        4 => {
            let number = random.pick(&NUMBERS);
            let digit = |byte: &u8| byte.is_ascii_digit();
            let from = bytes[span.start..].iter().position(digit).map(|at| span.start + at);
            if let Some(from) = from {
                let end = bytes[from..].iter().position(|byte| !digit(byte)).map_or(bytes.len(), |at| from + at);
                bytes.splice(from..end, number.bytes());
            }
        }
        5 if !words.is_empty() => {
            let word = random.pick(words);
            let end = if random.below(2) == 0 { (span.start + word.len()).min(bytes.len()) } else { span.start };
            bytes.splice(span.start..end, word.iter().copied());
        }
        6 => drop(bytes.drain(span)),
        7 => {
            let copy = bytes[span].to_vec();
            let at = random.below(bytes.len() + 1);
            bytes.splice(at..at, copy);
        }
        8 => {
            // The same again and again: what is counted by the byte, nests or adds up.
            let copy = bytes[span.clone()].to_vec();
            let times = random.pick(&[2, 10, 300]);
            let copies = copy.repeat(times.min(MAX_BYTES / copy.len().max(1)));
            bytes.splice(span.end..span.end, copies);
        }
        9 => {
            let other = &corpus[random.below(corpus.len())];
            let part = other[random.span(other)].to_vec();
            bytes.splice(span, part);
        }
        10 => bytes.truncate(span.start),
        _ => {
            let value = random.pick(&[0, 0xff, b' ', b'\n', b'"', 0x80]);
            bytes[span].fill(value);
        }
    }
}
