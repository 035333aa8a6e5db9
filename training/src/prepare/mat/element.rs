//! Data elements: a tag with type and length, the data, and padding to eight bytes.

use super::MatError;

pub(super) const INT8: u32 = 1;
pub(super) const UINT8: u32 = 2;
pub(super) const INT16: u32 = 3;
pub(super) const UINT16: u32 = 4;
pub(super) const INT32: u32 = 5;
pub(super) const UINT32: u32 = 6;
pub(super) const SINGLE: u32 = 7;
pub(super) const DOUBLE: u32 = 9;
pub(super) const INT64: u32 = 12;
pub(super) const UINT64: u32 = 13;
pub(super) const MATRIX: u32 = 14;
pub(super) const COMPRESSED: u32 = 15;
pub(super) const UTF8: u32 = 16;
pub(super) const UTF16: u32 = 17;
pub(super) const UTF32: u32 = 18;

/// The byte order of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MatOrder {
    Little,
    Big,
}

impl MatOrder {
    pub(super) fn u16(self, bytes: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(bytes),
            Self::Big => u16::from_be_bytes(bytes),
        }
    }

    pub(super) fn u32(self, bytes: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(bytes),
            Self::Big => u32::from_be_bytes(bytes),
        }
    }

    pub(super) fn u64(self, bytes: [u8; 8]) -> u64 {
        match self {
            Self::Little => u64::from_le_bytes(bytes),
            Self::Big => u64::from_be_bytes(bytes),
        }
    }
}

/// One element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'a> {
    /// Its data type, one of the constants above.
    pub(super) kind: u32,
    pub(super) data: &'a [u8],
}

/// The elements that follow each other in some bytes. Ends after an error.
#[derive(Clone, Debug)]
pub(super) struct Elements<'a> {
    rest: &'a [u8],
    order: MatOrder,
}

impl<'a> Elements<'a> {
    pub(super) fn new(bytes: &'a [u8], order: MatOrder) -> Self {
        Self { rest: bytes, order }
    }

    /// The bytes after the last element that was given.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next element, which must be there.
    pub(super) fn expect(&mut self) -> Result<Element<'a>, MatError> {
        self.next().unwrap_or(Err(MatError::Damaged("it ends too early")))
    }

    fn read(&mut self) -> Result<Element<'a>, MatError> {
        let cut = MatError::Damaged("it ends inside an element");
        let (tag, rest) = self.rest.split_first_chunk::<8>().ok_or_else(|| cut.clone())?;
        let [a, b, c, d, small @ ..] = *tag;
        let word = self.order.u32([a, b, c, d]);
        // A small element has its length in the upper half of the first word, and its data in the second one.
        let (kind, length) = (word & 0xffff, (word >> 16) as usize);
        if length > 0 {
            // The borrowed bytes, not the copy in `small`.
            let data = self.rest.get(4..4 + length).filter(|_| length <= small.len());
            self.rest = rest;
            return Ok(Element { kind, data: data.ok_or(MatError::Damaged("a small element is too large"))? });
        }
        let length = self.order.u32(small) as usize;
        let (data, rest) = rest.split_at_checked(length).ok_or(cut)?;
        // Compressed elements are not padded; and the last element's padding may be left away.
        let padding = if kind == COMPRESSED { 0 } else { length.wrapping_neg() % 8 };
        self.rest = rest.get(padding..).unwrap_or_default();
        Ok(Element { kind, data })
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Result<Element<'a>, MatError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let element = self.read();
        if element.is_err() {
            self.rest = &[];
        }
        Some(element)
    }
}
