//! The orientation in EXIF data and in TIFF files, which have the same form.

use image::metadata::Orientation;

/// The tag of the orientation.
const ORIENTATION: u16 = 0x0112;
/// More entries than this in a directory are damage.
const MAX_ENTRIES: u16 = 1000;

/// The orientation that these bytes say, in whatever integer type; `None` where they say none.
pub(super) fn orientation(bytes: &[u8]) -> Option<Orientation> {
    // Some programs leave JPEG's own mark before it.
    let bytes = bytes.strip_prefix(b"Exif\0\0").unwrap_or(bytes);
    let order = match bytes.get(..4)? {
        b"II*\0" => TiffOrder::Little,
        b"MM\0*" => TiffOrder::Big,
        _ => return None,
    };
    let directory = usize::try_from(order.u32(bytes, 4)?).ok()?;
    let count = order.u16(bytes, directory)?.min(MAX_ENTRIES);
    for entry in 0..usize::from(count) {
        let at = directory.checked_add(2 + entry * 12)?;
        if order.u16(bytes, at)? == ORIENTATION {
            return order.first_value(bytes, at).and_then(Orientation::from_exif);
        }
    }
    None
}

#[derive(Clone, Copy)]
enum TiffOrder {
    Little,
    Big,
}

impl TiffOrder {
    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let pair = bytes.get(at..)?.first_chunk::<2>()?;
        Some(match self {
            Self::Little => u16::from_le_bytes(*pair),
            Self::Big => u16::from_be_bytes(*pair),
        })
    }

    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let four = bytes.get(at..)?.first_chunk::<4>()?;
        Some(match self {
            Self::Little => u32::from_le_bytes(*four),
            Self::Big => u32::from_be_bytes(*four),
        })
    }

    /// The first value of an entry: a byte, two or four, with and without a sign. Values of more than four bytes lie
    /// elsewhere.
    fn first_value(self, bytes: &[u8], entry: usize) -> Option<u8> {
        let (kind, count) = (self.u16(bytes, entry + 2)?, self.u32(bytes, entry + 4)?);
        let size = match kind {
            1 | 6 | 7 => 1,
            3 | 8 => 2,
            4 | 9 => 4,
            _ => return None,
        };
        let at = match count.checked_mul(size)? {
            0 => return None,
            1..=4 => entry + 8,
            _ => usize::try_from(self.u32(bytes, entry + 8)?).ok()?,
        };
        match size {
            1 => bytes.get(at).copied(),
            2 => u8::try_from(self.u16(bytes, at)?).ok(),
            _ => u8::try_from(self.u32(bytes, at)?).ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exif(kind: u16, count: u32, value: &[u8]) -> Vec<u8> {
        let mut value = value.to_vec();
        value.resize(4, 0);
        let entry = [&0x0112_u16.to_be_bytes()[..], &kind.to_be_bytes(), &count.to_be_bytes(), &value].concat();
        [b"MM\0*\0\0\0\x08\0\x01".as_slice(), &entry, &[0; 4]].concat()
    }

    #[test]
    fn every_integer_type_is_read() {
        for (kind, value) in
            [(1, &[6][..]), (6, &[6]), (7, &[6]), (3, &[0, 6]), (8, &[0, 6]), (4, &[0, 0, 0, 6]), (9, &[0, 0, 0, 6])]
        {
            assert_eq!(orientation(&exif(kind, 1, value)), Some(Orientation::Rotate90), "{kind}");
        }
        let little = b"II*\0\x08\0\0\0\x01\0\x12\x01\x04\0\x01\0\0\0\x03\0\0\0\0\0\0\0";
        assert_eq!(orientation(little), Some(Orientation::Rotate180));
        assert_eq!(orientation(&[b"Exif\0\0".as_slice(), little].concat()), Some(Orientation::Rotate180));
        // Two values, the first of which counts: they lie behind the directory.
        let far = [exif(4, 2, &[0, 0, 0, 26]), [0, 0, 0, 8, 0, 0, 0, 1].to_vec()].concat();
        assert_eq!(orientation(&far), Some(Orientation::Rotate270));
    }

    #[test]
    fn what_is_none_says_nothing() {
        for bytes in [&b""[..], b"II*\0", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff"] {
            assert_eq!(orientation(bytes), None);
        }
        for (kind, count, value) in [(3, 1, &[0, 9][..]), (3, 0, &[0, 6]), (5, 1, &[0, 6]), (4, 9, &[255; 4])] {
            assert_eq!(orientation(&exif(kind, count, value)), None);
        }
    }
}
