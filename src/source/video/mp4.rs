//! The container: where the samples of an MP4's video track lie and when they are shown (ISO/IEC 14496-12 and -15).
//!
//! Read here and not by a library: the two at hand hang or take all memory on damaged files (a box of size 0, a table of
//! four thousand million samples), and both refuse a file that is cut off, of which the beginning can be seen.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use super::boxes::{self, Bytes, child, children};
use super::{NotBuiltIn, unreadable};
use crate::source::SourceError;

/// More samples than 24 hours at 60 frames a second are taken for a hostile file.
const MAX_SAMPLES: usize = 24 * 3600 * 60;
/// More boxes than this side by side are those of a hostile file. A recording has two for each second.
const MAX_BOXES: usize = 1_000_000;
/// The largest index that is read into memory.
const MAX_INDEX_BYTES: u64 = 256 * 1024 * 1024;

/// One coded picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    /// Where it lies in the file, bytes.
    pub offset: u64,
    /// How long it is, bytes.
    pub size: u32,
    /// When it is shown, in units of the timescale; the first picture's is 0.
    pub time: i64,
    /// Decoding can begin here.
    pub keyframe: bool,
}

/// The H.264 track of a file.
#[derive(Debug)]
pub(super) struct Movie {
    /// In the order in which they are decoded.
    pub samples: Vec<Sample>,
    /// Time units a second.
    pub timescale: u32,
    /// Bytes of the length before each NAL unit: 1, 2 or 4.
    pub length_size: u8,
    /// Sequence and picture parameter sets, without start codes.
    pub parameter_sets: Vec<Vec<u8>>,
    /// How many quarter turns clockwise the picture must be turned for display.
    pub quarter_turns: u8,
}

impl Movie {
    /// Reads the index of an MP4 file.
    pub(super) fn read(path: &Path) -> Result<Self, NotBuiltIn> {
        let file = File::open(path).map_err(|error| NotBuiltIn::Broken(SourceError::from_io(path, &error)))?;
        Self::of(BufReader::new(file), path)
    }

    /// Reads the index of the MP4 in `reader`; errors call it `path`.
    pub(super) fn of(reader: BufReader<impl Read + Seek>, path: &Path) -> Result<Self, NotBuiltIn> {
        let boxes = Boxes::scan(reader).map_err(|error| NotBuiltIn::Broken(SourceError::from_io(path, &error)))?;
        let damaged = |what: &str| {
            NotBuiltIn::Broken(unreadable(path, format!("the MP4 is damaged: {what}"), "copy the file again"))
        };
        if boxes.too_many {
            return Err(damaged("it has more boxes than any video"));
        }
        let Some(moov) = boxes.moov else {
            let cause = if boxes.cut { "the video is cut off before its index" } else { "the MP4 has no index" };
            return Err(NotBuiltIn::Broken(unreadable(path, cause, "copy the file again, or record it anew")));
        };
        let moov = moov.as_slice();
        let Some(track) = children(moov).filter(|(name, _)| name == b"trak").find_map(|(_, trak)| Track::read(trak))
        else {
            return Err(NotBuiltIn::Broken(unreadable(path, "the file holds no video", "")));
        };
        let avc = match (&track.codec, track.avc_configuration.and_then(AvcConfiguration::read)) {
            (b"avc1" | b"avc3", Some(avc)) => avc,
            (b"avc1" | b"avc3", None) => return Err(damaged("its decoder configuration is missing")),
            (codec, _) => return Err(NotBuiltIn::Codec(codec_name(codec))),
        };
        if track.timescale == 0 {
            return Err(damaged("its timescale is zero"));
        }
        let mut samples = table_samples(track.sample_table).map_err(damaged)?;
        let defaults = fragment_defaults(moov, track.id);
        for (offset, moof) in &boxes.moofs {
            fragment_samples(moof, *offset, track.id, defaults, &mut samples).map_err(damaged)?;
        }
        let first = samples.iter().map(|sample| sample.time).min().ok_or_else(|| damaged("it holds no pictures"))?;
        for sample in &mut samples {
            sample.time = sample.time.saturating_sub(first);
        }
        // Whatever the tables say, nothing comes before the first one.
        if let Some(first) = samples.first_mut() {
            first.keyframe = true;
        }
        Ok(Self {
            samples,
            timescale: track.timescale,
            length_size: avc.length_size,
            parameter_sets: avc.parameter_sets,
            quarter_turns: track.quarter_turns,
        })
    }

    /// A time in units of the timescale as a duration; 0 for those below.
    pub(super) fn duration(&self, time: i64) -> Duration {
        let nanos = u128::from(time.max(0).cast_unsigned()) * 1_000_000_000 / u128::from(self.timescale);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Mean frames a second.
    pub(super) fn fps(&self) -> Option<f32> {
        let last = self.samples.iter().map(|sample| sample.time).max()?;
        (last > 0).then(|| ((self.samples.len() - 1) as f64 * f64::from(self.timescale) / last as f64) as f32)
    }
}

/// The contents of the boxes of a file that matter.
#[derive(Default)]
struct Boxes {
    moov: Option<Vec<u8>>,
    /// Each with the place of its header in the file.
    moofs: Vec<(u64, Vec<u8>)>,
    /// The last box is longer than the file.
    cut: bool,
    /// There are more than are looked at.
    too_many: bool,
}

impl Boxes {
    fn scan<R: Read + Seek>(mut reader: BufReader<R>) -> io::Result<Self> {
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

/// What a `trak` box says of its video.
struct Track<'a> {
    id: u32,
    timescale: u32,
    quarter_turns: u8,
    codec: [u8; 4],
    avc_configuration: Option<&'a [u8]>,
    sample_table: &'a [u8],
}

impl<'a> Track<'a> {
    /// `None` where the track is no video or lacks what a track must have.
    fn read(trak: &'a [u8]) -> Option<Self> {
        let mdia = child(trak, b"mdia")?;
        let mut hdlr = Bytes(child(mdia, b"hdlr")?);
        hdlr.skip(8)?;
        if hdlr.take(4)? != b"vide" {
            return None;
        }
        let mut mdhd = Bytes(child(mdia, b"mdhd")?);
        let long = mdhd.u32()? >> 24 == 1;
        mdhd.skip(if long { 16 } else { 8 })?;
        let timescale = mdhd.u32()?;
        let mut tkhd = Bytes(child(trak, b"tkhd")?);
        let long = tkhd.u32()? >> 24 == 1;
        tkhd.skip(if long { 16 } else { 8 })?;
        let id = tkhd.u32()?;
        tkhd.skip(if long { 12 } else { 8 } + 16)?;
        let mut matrix = [0; 5];
        for value in &mut matrix {
            *value = tkhd.u32()?.cast_signed();
        }
        let sample_table = child(child(mdia, b"minf")?, b"stbl")?;
        let stsd = child(sample_table, b"stsd")?;
        let (codec, entry) = children(stsd.get(8..)?).next()?;
        // A visual sample entry has 78 bytes before its boxes.
        let avc_configuration = entry.get(78..).and_then(|boxes| child(boxes, b"avcC"));
        Some(Self { id, timescale, quarter_turns: quarter_turns(matrix), codec, avc_configuration, sample_table })
    }
}

/// The `avcC` box (ISO/IEC 14496-15, 5.3.3.1).
struct AvcConfiguration {
    length_size: u8,
    parameter_sets: Vec<Vec<u8>>,
}

impl AvcConfiguration {
    fn read(avcc: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(avcc);
        bytes.skip(4)?;
        let length_size = (bytes.u8()? & 3) + 1;
        let mut parameter_sets = Vec::new();
        for mask in [31, 255] {
            for _ in 0..bytes.u8()? & mask {
                let length = bytes.u16()?;
                parameter_sets.push(bytes.take(usize::from(length))?.to_vec());
            }
        }
        Some(Self { length_size, parameter_sets })
    }
}

fn codec_name(code: &[u8; 4]) -> String {
    match code {
        b"av01" => "AV1".to_owned(),
        b"hev1" | b"hvc1" | b"dvh1" | b"dvhe" => "HEVC (H.265)".to_owned(),
        b"vp08" => "VP8".to_owned(),
        b"vp09" => "VP9".to_owned(),
        b"mp4v" => "MPEG-4 Visual".to_owned(),
        _ => format!("the codec {}", code.escape_ascii()),
    }
}

/// The display matrix (a b u; c d v) in quarter turns clockwise; slanted and mirrored ones count as upright.
fn quarter_turns([a, b, _, c, d]: [i32; 5]) -> u8 {
    match (a.signum(), b.signum(), c.signum(), d.signum()) {
        (0, 1, -1, 0) => 1,
        (-1, 0, 0, -1) => 2,
        (0, -1, 1, 0) => 3,
        _ => 0,
    }
}

/// A run-length coded table (`stts`, `ctts`), one value per sample. Where it is too short, its last value goes on.
struct Runs<'a> {
    entries: Bytes<'a>,
    left: u32,
    value: u32,
}

impl<'a> Runs<'a> {
    fn new(table: Option<&'a [u8]>) -> Self {
        Self { entries: Bytes(table.and_then(|table| table.get(8..)).unwrap_or_default()), left: 0, value: 0 }
    }

    fn next(&mut self) -> u32 {
        while self.left == 0 {
            match (self.entries.u32(), self.entries.u32()) {
                (Some(count), Some(value)) => (self.left, self.value) = (count, value),
                _ => self.left = u32::MAX,
            }
        }
        self.left -= 1;
        self.value
    }
}

/// The table of the samples that can be decoded alone (`stss`), counted from 1 and rising; without it, all can.
struct Keyframes<'a> {
    numbers: Option<Bytes<'a>>,
}

impl<'a> Keyframes<'a> {
    fn new(table: Option<&'a [u8]>) -> Self {
        Self { numbers: table.map(|table| Bytes(table.get(8..).unwrap_or_default())) }
    }

    /// Whether this sample is one; asked for one sample after the other.
    fn is_next(&mut self, number: u32) -> bool {
        let Some(numbers) = &mut self.numbers else { return true };
        while let Some(next) = Bytes(numbers.0).u32().filter(|next| *next <= number) {
            // It was there a moment ago.
            let _ = numbers.skip(4);
            if next == number {
                return true;
            }
        }
        false
    }
}

/// The samples that the sample table (`stbl`) itself lists; none in a fragmented file.
fn table_samples(stbl: &[u8]) -> Result<Vec<Sample>, &'static str> {
    let short = "a table in its index is too short";
    let mut stsz = Bytes(child(stbl, b"stsz").ok_or("its sizes are missing")?);
    stsz.skip(4).ok_or(short)?;
    let common_size = stsz.u32().ok_or(short)?;
    let count = stsz.u32().ok_or(short)? as usize;
    if count > MAX_SAMPLES || (common_size == 0 && stsz.0.len() / 4 < count) {
        return Err("its sizes are not believable");
    }
    let (mut chunks, wide) = match (child(stbl, b"stco"), child(stbl, b"co64")) {
        (Some(stco), _) => (Bytes(stco), false),
        (None, Some(co64)) => (Bytes(co64), true),
        (None, None) => return Err("its chunks are missing"),
    };
    let mut stsc = Bytes(child(stbl, b"stsc").ok_or("its chunks are missing")?);
    if chunks.skip(8).is_none() || stsc.skip(8).is_none() {
        return Err(short);
    }
    let (mut durations, mut shifts) = (Runs::new(child(stbl, b"stts")), Runs::new(child(stbl, b"ctts")));
    let mut keyframes = Keyframes::new(child(stbl, b"stss"));
    let (mut samples, mut decode_time) = (Vec::new(), 0_i64);
    let (mut chunk, mut per_chunk) = (1_u32, 0);
    while samples.len() < count {
        while Bytes(stsc.0).u32().is_some_and(|first_chunk| first_chunk <= chunk) {
            stsc.skip(4).ok_or(short)?;
            per_chunk = stsc.u32().ok_or(short)? as usize;
            stsc.skip(4).ok_or(short)?;
        }
        let mut offset = if wide { chunks.u64() } else { chunks.u32().map(u64::from) }.ok_or(short)?;
        for _ in 0..per_chunk.min(count - samples.len()) {
            let size = if common_size == 0 { stsz.u32().ok_or(short)? } else { common_size };
            // Offsets are unsigned in version 0, but written signed by many, and never beyond 2^31.
            let time = decode_time.saturating_add(i64::from(shifts.next().cast_signed()));
            let keyframe = keyframes.is_next(samples.len() as u32 + 1);
            samples.push(Sample { offset, size, time, keyframe });
            offset = offset.saturating_add(u64::from(size));
            decode_time = decode_time.saturating_add(i64::from(durations.next()));
        }
        chunk = chunk.saturating_add(1);
    }
    Ok(samples)
}

/// Duration, size and flags of samples that fragments say nothing of.
#[derive(Clone, Copy, Default)]
struct Defaults {
    duration: u32,
    size: u32,
    flags: u32,
}

/// In a sample's flags: it needs others to be decoded (ISO/IEC 14496-12, 8.8.3.1).
const NO_KEYFRAME: u32 = 0x0001_0000;

/// The `trex` box of a track.
fn fragment_defaults(moov: &[u8], track: u32) -> Defaults {
    let of_track = |trex: &[u8]| {
        let mut bytes = Bytes(trex);
        bytes.skip(4)?;
        let id = bytes.u32()?;
        bytes.skip(4)?;
        let defaults = Defaults { duration: bytes.u32()?, size: bytes.u32()?, flags: bytes.u32()? };
        (id == track).then_some(defaults)
    };
    let mvex = child(moov, b"mvex").unwrap_or_default();
    children(mvex).filter(|(name, _)| name == b"trex").find_map(|(_, trex)| of_track(trex)).unwrap_or_default()
}

/// Adds the samples of one movie fragment (ISO/IEC 14496-12, 8.8).
fn fragment_samples(
    moof: &[u8],
    moof_offset: u64,
    track: u32,
    defaults: Defaults,
    samples: &mut Vec<Sample>,
) -> Result<(), &'static str> {
    for (_, traf) in children(moof).filter(|(name, _)| name == b"traf") {
        let short = "a fragment is too short";
        let mut tfhd = Bytes(child(traf, b"tfhd").ok_or(short)?);
        let flags = tfhd.u32().ok_or(short)?;
        if tfhd.u32().ok_or(short)? != track {
            continue;
        }
        let has = |bit: u32| flags & bit != 0;
        let base = if has(0x1) { tfhd.u64().ok_or(short)? } else { moof_offset };
        if has(0x2) {
            tfhd.skip(4).ok_or(short)?;
        }
        let duration = if has(0x8) { tfhd.u32().ok_or(short)? } else { defaults.duration };
        let size = if has(0x10) { tfhd.u32().ok_or(short)? } else { defaults.size };
        let sample_flags = if has(0x20) { tfhd.u32().ok_or(short)? } else { defaults.flags };
        let mut decode_time = child(traf, b"tfdt").map_or(Some(0), |tfdt| {
            let mut tfdt = Bytes(tfdt);
            if tfdt.u32()? >> 24 == 1 { tfdt.u64() } else { tfdt.u32().map(u64::from) }
        });
        let decode_time = decode_time.as_mut().ok_or(short)?;
        let mut offset = base;
        for (_, trun) in children(traf).filter(|(name, _)| name == b"trun") {
            let mut trun = Bytes(trun);
            let flags = trun.u32().ok_or(short)?;
            let has = |bit: u32| flags & bit != 0;
            let count = trun.u32().ok_or(short)?;
            if has(0x1) {
                offset = base.saturating_add_signed(i64::from(trun.u32().ok_or(short)?.cast_signed()));
            }
            let mut first_flags = if has(0x4) { Some(trun.u32().ok_or(short)?) } else { None };
            if samples.len().saturating_add(count as usize) > MAX_SAMPLES {
                return Err("its fragments are not believable");
            }
            for _ in 0..count {
                let duration = if has(0x100) { trun.u32().ok_or(short)? } else { duration };
                let size = if has(0x200) { trun.u32().ok_or(short)? } else { size };
                let own_flags = if has(0x400) { Some(trun.u32().ok_or(short)?) } else { None };
                let sample_flags = first_flags.take().or(own_flags).unwrap_or(sample_flags);
                let shift = if has(0x800) { trun.u32().ok_or(short)?.cast_signed() } else { 0 };
                let time = i64::try_from(*decode_time).unwrap_or(i64::MAX).saturating_add(i64::from(shift));
                samples.push(Sample { offset, size, time, keyframe: sample_flags & NO_KEYFRAME == 0 });
                offset = offset.saturating_add(u64::from(size));
                *decode_time = decode_time.saturating_add(u64::from(duration));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use super::*;

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
