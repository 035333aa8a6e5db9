//! The boxes that MP4 is made of (ISO/IEC 14496-12, 4.2), read from bytes without trust.

/// A box's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Its type, four characters.
    pub name: [u8; 4],
    /// Bytes of the header.
    pub length: u64,
    /// Bytes of the box with its header; at least `length`.
    pub size: u64,
}

impl Header {
    /// The header at the beginning of `bytes`; a box of size 0 takes all that is `available`.
    pub fn read(bytes: &[u8], available: u64) -> Option<Self> {
        let mut bytes = Bytes(bytes);
        let size = bytes.u32()?;
        let name = bytes.array()?;
        let (length, size) = match size {
            0 => (8, available),
            1 => (16, bytes.u64()?),
            size => (8, u64::from(size)),
        };
        (size >= length).then_some(Self { name, length, size })
    }
}

/// More boxes than this in one box are those of a hostile file: a few bytes each, they would only cost time.
const MAX_CHILDREN: usize = 65_536;

/// The boxes inside a box, with their contents. Ends at the first one that does not fit.
pub(super) fn children(mut bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let header = Header::read(bytes, bytes.len() as u64)?;
        let (whole, rest) = bytes.split_at_checked(usize::try_from(header.size).ok()?)?;
        bytes = rest;
        Some((header.name, whole.get(usize::try_from(header.length).ok()?..)?))
    })
    .take(MAX_CHILDREN)
}

/// The content of the first box of this name inside a box.
pub(super) fn child<'a>(bytes: &'a [u8], name: &[u8; 4]) -> Option<&'a [u8]> {
    children(bytes).find(|(found, _)| found == name).map(|(_, content)| content)
}

/// Reads big-endian numbers from the front; `None` once there are too few bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bytes<'a>(pub &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn skip(&mut self, count: usize) -> Option<()> {
        self.take(count).map(|_| ())
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn children_end_where_a_box_does_not_fit() {
        let bytes = b"\0\0\0\x09aaaa1\0\0\0\x08bbbb\0\0\0\xffcccc";
        assert_eq!(children(bytes).collect::<Vec<_>>(), [(*b"aaaa", &b"1"[..]), (*b"bbbb", b"")]);
        assert_eq!(children(b"\0\0\0\x04aaaa").count(), 0);
        assert_eq!(children(b"\0\0\0\0aaaa12").collect::<Vec<_>>(), [(*b"aaaa", &b"12"[..])]);
        assert_eq!(children(b"\0\0\0\x01aaaa\0\0\0\0\0\0\0\x11z").collect::<Vec<_>>(), [(*b"aaaa", &b"z"[..])]);
        assert_eq!(children(b"\0\0\0\x01aaaa\xff\xff\xff\xff\xff\xff\xff\xff").count(), 0);
    }
}
