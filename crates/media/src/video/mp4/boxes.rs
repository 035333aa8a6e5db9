//! Where the index lies in a file.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::super::boxes;

/// More boxes than this side by side are those of a hostile file. A recording has two for each second.
const MAX_BOXES: usize = 1_000_000;
/// The largest index that is read into memory.
const MAX_INDEX_BYTES: u64 = 256 * 1024 * 1024;

/// The contents of the boxes of a file that matter.
#[derive(Default)]
pub(super) struct Boxes {
    pub moov: Option<Vec<u8>>,
    /// Each with the place of its header in the file.
    pub moofs: Vec<(u64, Vec<u8>)>,
    /// The last box is longer than the file.
    pub cut: bool,
    /// There are more than are looked at.
    pub too_many: bool,
}

impl Boxes {
    pub(super) fn scan<R: Read + Seek>(mut reader: BufReader<R>) -> io::Result<Self> {
        let length = reader.seek(SeekFrom::End(0))?;
        reader.seek(SeekFrom::Start(0))?;
        let (mut boxes, mut at, mut read, mut count) = (Self::default(), 0_u64, 0_u64, 0);
        // Where the reader is. Small steps stay in its buffer: a system call for each box would take long.
        let mut place = 0_u64;
        let mut go = |reader: &mut BufReader<R>, to: u64, then: u64| {
            let step = i64::try_from(i128::from(to) - i128::from(place)).map_err(io::Error::other)?;
            place = to.saturating_add(then);
            reader.seek_relative(step)
        };
        while at.saturating_add(8) <= length {
            count += 1;
            if count > MAX_BOXES {
                boxes.too_many = true;
                break;
            }
            let mut head = [0; 16];
            let head_length = (length - at).min(16) as usize;
            go(&mut reader, at, head_length as u64)?;
            reader.read_exact(&mut head[..head_length])?;
            let Some(header) = boxes::Header::read(&head[..head_length], length - at) else { break };
            if header.size > length - at {
                boxes.cut = true;
                break;
            }
            let body = header.size - header.length;
            if matches!(&header.name, b"moov" | b"moof") && read.saturating_add(body) <= MAX_INDEX_BYTES {
                read += body;
                let mut bytes = vec![0; body as usize];
                go(&mut reader, at + header.length, body)?;
                reader.read_exact(&mut bytes)?;
                match &header.name {
                    b"moov" => boxes.moov = Some(bytes),
                    _ => boxes.moofs.push((at, bytes)),
                }
            }
            at += header.size;
        }
        Ok(boxes)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;
    use crate::video::boxes::children;

    /// Counts how often the system would have been asked.
    struct Counting(io::Cursor<Vec<u8>>, Rc<Cell<usize>>);

    impl Read for Counting {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            self.1.set(self.1.get() + 1);
            self.0.read(to)
        }
    }

    impl Seek for Counting {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.1.set(self.1.get() + 1);
            self.0.seek(to)
        }
    }

    fn scanned(bytes: Vec<u8>) -> (Boxes, usize) {
        let asked = Rc::new(Cell::new(0));
        let boxes = Boxes::scan(BufReader::new(Counting(io::Cursor::new(bytes), Rc::clone(&asked)))).unwrap();
        (boxes, asked.get())
    }

    #[test]
    fn millions_of_boxes_are_refused_before_all_are_looked_at() {
        let (boxes, asked) = scanned(b"\0\0\0\x08free".repeat(2 * MAX_BOXES));
        assert!(boxes.too_many);
        // 8 KiB are read at once.
        assert!(asked < MAX_BOXES * 8 / 8192 + 10, "{asked}");
    }

    #[test]
    fn boxes_are_found_behind_large_ones() {
        let large = [&[0, 1, 0, 8][..], b"mdat", &[7; 65536], b"\0\0\0\x0amoovab\0\0\0\x09moofc"].concat();
        let (boxes, _) = scanned(large);
        assert_eq!((boxes.moov, boxes.moofs), (Some(b"ab".to_vec()), vec![(65_554, b"c".to_vec())]));
        assert!(!boxes.cut && !boxes.too_many);
    }

    #[test]
    fn boxes_inside_a_box_have_an_end_too() {
        let moov = b"\0\0\0\x08free".repeat(1_000_000);
        assert!(children(&moov).count() < 100_000);
    }
}
