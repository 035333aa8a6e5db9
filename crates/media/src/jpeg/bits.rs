//! The bits of a scan's data, and the blocks in them.

use super::huffman::HuffmanTable;

/// Why the data does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The bytes are over.
    Data,
    /// A marker stands where data should.
    Marker,
    /// No code begins so.
    Code,
}

/// Reads bits, highest first.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    /// The next byte to take.
    at: usize,
    /// Bits that were taken and not read, in its lowest places.
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, held: 0, count: 0 }
    }

    /// Takes as many bytes as there is room for, up to the next marker.
    fn fill(&mut self) {
        while self.count <= 48 {
            let Some(&byte) = self.bytes.get(self.at) else { return };
            if byte == 0xff {
                if self.bytes.get(self.at + 1) != Some(&0) {
                    return;
                }
                self.at += 1;
            }
            self.at += 1;
            self.held = self.held << 8 | u64::from(byte);
            self.count += 8;
        }
    }

    /// The next 16 bits, with zeros where there are fewer.
    fn peek(&mut self) -> u16 {
        if self.count < 16 {
            self.fill();
        }
        let bits = if self.count >= 16 { self.held >> (self.count - 16) } else { self.held << (16 - self.count) };
        bits as u16
    }

    fn drop(&mut self, bits: u32) -> Result<(), End> {
        if bits > self.count {
            return Err(if self.bytes.get(self.at..).is_none_or(|rest| rest.len() < 2) {
                End::Data
            } else {
                End::Marker
            });
        }
        self.count -= bits;
        Ok(())
    }

    fn symbol(&mut self, table: &HuffmanTable) -> Result<u8, End> {
        let bits = self.peek();
        let Some((value, length)) = table.find(bits) else {
            // Zeros were put where the data ends.
            self.drop(16)?;
            return Err(End::Code);
        };
        self.drop(length)?;
        Ok(value)
    }

    /// Passes over a number of bits; no more than 16.
    fn skip(&mut self, bits: u8) -> Result<(), End> {
        if self.count < u32::from(bits) {
            self.fill();
        }
        self.drop(u32::from(bits))
    }

    /// Passes over a block of 64 coefficients.
    pub(super) fn block(&mut self, dc: &HuffmanTable, ac: &HuffmanTable) -> Result<(), End> {
        let size = self.symbol(dc)?;
        if size > 11 {
            return Err(End::Code);
        }
        self.skip(size)?;
        let mut at = 1;
        while at < 64 {
            let value = self.symbol(ac)?;
            match (value >> 4, value & 15) {
                (0, 0) => return Ok(()),
                (15, 0) => at += 16,
                (_, 0) => return Err(End::Code),
                (zeros, size) => {
                    at += u32::from(zeros) + 1;
                    self.skip(size)?;
                }
            }
        }
        if at > 64 { Err(End::Code) } else { Ok(()) }
    }

    /// Passes over the bits up to the next byte, and over a restart marker.
    pub(super) fn restart(&mut self) -> Result<(), End> {
        // A whole byte that is left is more data than there should be.
        if self.count >= 8 {
            return Err(End::Code);
        }
        (self.held, self.count) = (0, 0);
        while self.bytes.get(self.at) == Some(&0xff) && self.bytes.get(self.at + 1) == Some(&0xff) {
            self.at += 1;
        }
        match self.bytes.get(self.at..self.at + 2) {
            Some([0xff, 0xd0..=0xd7]) => {
                self.at += 2;
                Ok(())
            }
            Some([0xff, _]) => Err(End::Marker),
            Some(_) => Err(End::Code),
            None => Err(End::Data),
        }
    }

    /// The first byte that was not read from.
    pub(super) fn position(&self) -> usize {
        let mut at = self.at;
        for _ in 0..self.count / 8 {
            at -= 1;
            // A zero after 0xff is no data.
            if at > 0 && self.bytes[at] == 0 && self.bytes[at - 1] == 0xff {
                at -= 1;
            }
        }
        at
    }
}
