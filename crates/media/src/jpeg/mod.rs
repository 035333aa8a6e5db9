//! Whether a JPEG is whole: decoders fill what is missing with grey and say nothing.
//!
//! The entropy-coded data of a sequential JPEG is read through, without making pixels of it. Of a progressive one only the
//! markers are looked at.

mod bits;
mod huffman;

use self::bits::{Bits, End};
use self::huffman::HuffmanTable;

/// What a look through a JPEG's data finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Data {
    /// Every block is there, or nothing speaks against it.
    Whole,
    /// It ends too early.
    Cut,
    /// Some of it is missing or wrong, and it goes on or ends as a whole one does.
    Damaged,
}

/// Bytes between the data and the marker that ends it, which many cameras leave there; more of them are pictures mixed up.
const MAX_EXTRA: usize = 64;

/// A component of the picture.
#[derive(Clone, Copy, Debug)]
struct Component {
    id: u8,
    across: usize,
    down: usize,
}

/// What the headers so far say.
struct Headers {
    width: usize,
    height: usize,
    /// Read through block by block.
    sequential: bool,
    components: Vec<Component>,
    /// Of DC and of AC.
    tables: [[Option<HuffmanTable>; 4]; 2],
    /// MCUs from one restart marker to the next; 0 where there are none.
    restart: usize,
}

/// Looks through the data of a JPEG, which begins with its first marker.
pub(super) fn look(bytes: &[u8]) -> Data {
    let mut headers = Headers {
        width: 0,
        height: 0,
        sequential: false,
        components: Vec::new(),
        tables: HuffmanTable::standard(),
        restart: 0,
    };
    // Behind the marker that begins it.
    let mut at = 2;
    let mut scans = 0;
    loop {
        let Some((marker, begin)) = next_marker(bytes, at) else {
            // Some cameras leave out the last marker. Of a progressive picture nothing tells then whether it is whole.
            return if scans > 0 && headers.sequential { Data::Whole } else { Data::Cut };
        };
        at = begin;
        match marker {
            // The picture is over.
            0xd9 => return if scans > 0 { Data::Whole } else { Data::Damaged },
            // No segment follows: TEM, restarts, the begin of another picture.
            0x01 | 0xd0..=0xd7 => continue,
            0xd8 => return Data::Damaged,
            _ => {}
        }
        let Some(length) = bytes.get(at..at + 2).map(|length| usize::from(u16::from_be_bytes([length[0], length[1]])))
        else {
            return Data::Cut;
        };
        let Some(segment) = bytes.get(at + 2..at + length.max(2)) else { return Data::Cut };
        at += length.max(2);
        let read = match marker {
            0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => headers.frame(marker, segment),
            0xc4 => headers.huffman(segment),
            0xdd => headers.restarts(segment),
            0xda => {
                scans += 1;
                match headers.scan(segment, bytes, at) {
                    Ok(end) => {
                        at = end;
                        Some(())
                    }
                    Err(data) => return data,
                }
            }
            _ => Some(()),
        };
        if read.is_none() {
            // Headers that are not understood here: the decoder says what it thinks of them.
            return Data::Whole;
        }
    }
}

/// The next marker from `at` on and where its segment begins. Bytes before it are passed over.
fn next_marker(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    let mut at = at;
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| byte == 0xff)?;
        while *bytes.get(at)? == 0xff {
            at += 1;
        }
        at += 1;
        if bytes[at - 1] != 0 {
            return Some((bytes[at - 1], at));
        }
    }
}

impl Headers {
    fn frame(&mut self, marker: u8, segment: &[u8]) -> Option<()> {
        let [precision, h1, h0, w1, w0, count, components @ ..] = segment else { return None };
        (self.height, self.width) =
            (usize::from(u16::from_be_bytes([*h1, *h0])), usize::from(u16::from_be_bytes([*w1, *w0])));
        // Without a height in the header it comes after the data.
        self.sequential = matches!(marker, 0xc0 | 0xc1) && *precision == 8 && self.height > 0 && self.width > 0;
        let components = components.as_chunks::<3>().0;
        self.components = components
            .iter()
            .take(usize::from(*count))
            .map(|&[id, sampling, _]| Component {
                id,
                across: usize::from(sampling >> 4),
                down: usize::from(sampling & 15),
            })
            .collect();
        let sound = self.components.iter().all(|part| (1..=4).contains(&part.across) && (1..=4).contains(&part.down));
        (sound && !self.components.is_empty() && self.components.len() == usize::from(*count)).then_some(())
    }

    fn huffman(&mut self, mut segment: &[u8]) -> Option<()> {
        while let [place, rest @ ..] = segment {
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let values = rest.get(..counts.iter().map(|&count| usize::from(count)).sum())?;
            let tables = self.tables.get_mut(usize::from(place >> 4))?;
            *tables.get_mut(usize::from(place & 15))? = Some(HuffmanTable::new(counts, values)?);
            segment = &rest[values.len()..];
        }
        Some(())
    }

    fn restarts(&mut self, segment: &[u8]) -> Option<()> {
        self.restart = usize::from(u16::from_be_bytes([*segment.first()?, *segment.get(1)?]));
        Some(())
    }

    /// Goes through a scan's data, which begins at `at`. Gives where the marker after it is.
    fn scan(&self, segment: &[u8], bytes: &[u8], at: usize) -> Result<usize, Data> {
        let plan = self.sequential.then(|| self.plan(segment)).flatten();
        let Some((mcus, blocks)) = plan else { return Ok(skip_data(bytes, at)) };
        let mut bits = Bits::new(&bytes[at..]);
        let through = (0..mcus).try_for_each(|mcu| {
            if self.restart > 0 && mcu > 0 && mcu.is_multiple_of(self.restart) {
                bits.restart()?;
            }
            blocks.iter().try_for_each(|(dc, ac)| bits.block(dc, ac))
        });
        match through {
            Ok(()) => {}
            Err(End::Data) => return Err(Data::Cut),
            Err(End::Marker | End::Code) => return Err(Data::Damaged),
        }
        // Where a half picture was filled up, zeros were read as data.
        let filled = bytes.len() - bytes.iter().rev().take_while(|&&byte| byte == 0).count();
        let end = at + bits.position();
        if end > filled + 3 {
            return Err(Data::Cut);
        }
        let marker = skip_data(bytes, end);
        let extra = bytes[end.min(marker)..marker].iter().filter(|&&byte| byte != 0 && byte != 0xff).count();
        if marker < bytes.len() && extra > MAX_EXTRA {
            return Err(Data::Damaged);
        }
        Ok(marker)
    }

    /// How many MCUs a scan has, and the tables of each block in one.
    fn plan(&self, segment: &[u8]) -> Option<(usize, Vec<(&HuffmanTable, &HuffmanTable)>)> {
        let (&count, parts) = segment.split_first()?;
        let parts = parts.get(..usize::from(count) * 2)?.as_chunks::<2>().0;
        let widest = self.components.iter().map(|part| part.across).max()?;
        let highest = self.components.iter().map(|part| part.down).max()?;
        let mut blocks = Vec::new();
        for &[id, tables] in parts {
            let component = self.components.iter().find(|component| component.id == id)?;
            let dc = self.tables[0].get(usize::from(tables >> 4))?.as_ref()?;
            let ac = self.tables[1].get(usize::from(tables & 15))?.as_ref()?;
            let each = if parts.len() == 1 { 1 } else { component.across * component.down };
            blocks.extend(std::iter::repeat_n((dc, ac), each));
        }
        let mcus = match parts {
            // One component alone has only the blocks that hold a part of the picture.
            [[id, _]] => {
                let component = self.components.iter().find(|component| component.id == *id)?;
                (self.width * component.across).div_ceil(8 * widest)
                    * (self.height * component.down).div_ceil(8 * highest)
            }
            _ => self.width.div_ceil(8 * widest) * self.height.div_ceil(8 * highest),
        };
        Some((mcus, blocks))
    }
}

/// Where the data from `at` on ends: at the next marker that is no restart, or the end.
fn skip_data(bytes: &[u8], at: usize) -> usize {
    let mut at = at;
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.iter().position(|&byte| byte == 0xff)) {
        at += found;
        match bytes.get(at + 1) {
            Some(0 | 0xd0..=0xd7) => at += 2,
            Some(0xff) => at += 1,
            Some(_) => return at,
            None => break,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests;
