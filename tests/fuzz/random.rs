//! Numbers that are the same for the same seed on every machine.

/// SplitMix64 (Steele, Lea and Flood, 2014).
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 to `end`, exclusive.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    /// From `start` to `end`, both inclusive.
    pub fn within(&mut self, start: i64, end: i64) -> i64 {
        start + (self.next() % (end - start + 1) as u64) as i64
    }

    /// True once in `count` times.
    pub fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    pub fn choice<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// From -1 to 1.
    pub fn float(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }

    /// A number at which sizes, lengths and indices go wrong.
    pub fn extreme(&mut self) -> i64 {
        const EXTREMES: [i64; 16] = [
            0,
            -1,
            -2,
            i64::MIN,
            i64::MAX,
            1 << 20,
            1 << 31,
            (1 << 31) - 1,
            -(1 << 31),
            1 << 32,
            (1 << 32) + 1,
            1 << 40,
            -(1 << 40),
            4096,
            65_537,
            9,
        ];
        *self.choice(&EXTREMES)
    }
}

/// Changes up to eight places of a file, and its length now and then.
pub fn damage(random: &mut Random, bytes: &mut Vec<u8>) {
    for _ in 0..=random.below(8) {
        if bytes.is_empty() {
            return;
        }
        let at = random.below(bytes.len());
        match random.below(8) {
            0 => bytes.truncate(at),
            1 => {
                let end = (at + 1 + random.below(64)).min(bytes.len());
                bytes.drain(at..end);
            }
            2 => {
                let end = (at + 1 + random.below(64)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            3 => {
                let number = random.extreme().to_le_bytes();
                let end = (at + 8).min(bytes.len());
                bytes[at..end].copy_from_slice(&number[..end - at]);
            }
            4 => bytes[at] = [0, 0xff, 0x7f, 0x80][random.below(4)],
            _ => bytes[at] ^= 1 << random.below(8),
        }
    }
}
