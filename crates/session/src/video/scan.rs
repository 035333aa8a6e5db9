//! Finds the whole fragments of a video that was broken off or damaged.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};

use facelens_media::BoxHeader;
use shiguredo_mp4::Decode as _;
use shiguredo_mp4::boxes::MoofBox;

use super::index::FragmentStart;

/// A header or the list of a fragment's pictures is never larger.
const MOST_BOX_BYTES: u64 = 64 * 1024 * 1024;
/// The list of a fragment's pictures, where it is looked for behind damage: two seconds of pictures have 5 KiB.
const MOST_LIST_BYTES: u64 = 1024 * 1024;
/// A video with more boxes that are no fragments is none of facelens.
const MOST_FOREIGN_BOXES: u32 = 10_000;
/// Behind damage, so many places that look like the beginning of a fragment are tried.
const MOST_TRIES: u32 = 64;
/// Times and lengths beyond this are damage, ticks: three million years.
const LONGEST: u64 = 1 << 53;

/// What is whole in a file.
pub(super) struct FoundSamples {
    /// The bytes before the first fragment.
    pub header: Vec<u8>,
    /// The track of the pictures.
    pub track_id: u32,
    /// The whole fragments, in their order.
    pub fragments: Vec<Fragment>,
    /// How many times something that is no whole fragment stands between or before whole ones.
    pub damaged: usize,
    /// Bytes of the file.
    pub size: u64,
}

/// A whole fragment.
#[derive(Clone, Copy)]
pub(super) struct Fragment {
    pub start: FragmentStart,
    /// Place of the first byte behind it.
    pub end: u64,
    pub frames: u64,
    /// How long its pictures stand together.
    pub ticks: u64,
}

/// What stands at a place of the file.
enum ScanPlace {
    Fragment(Fragment, u32),
    /// Something whole that is no fragment, up to here.
    Foreign(u64),
    /// The index, or nothing that is whole.
    End,
}

/// Walks over the boxes; `None` where there is no whole fragment.
pub(super) fn scan(file: &mut File) -> io::Result<Option<FoundSamples>> {
    let size = file.metadata()?.len();
    let mut at = 0;
    for name in [b"ftyp", b"moov"] {
        match next_box(file, at, size)? {
            Some((found, end)) if found == *name => at = end,
            _ => return Ok(None),
        }
    }
    let header = read(file, 0, at)?;
    let mut found = FoundSamples { header, track_id: 1, fragments: Vec::new(), damaged: 0, size };
    let (mut foreign, mut tries) = (0, 0);
    // Where the damage began that the next whole fragment ends.
    let mut damage = false;
    loop {
        match place(file, at, size)? {
            ScanPlace::Fragment(fragment, track_id) => {
                let after =
                    found.fragments.last().is_none_or(|last| last.start.time + last.ticks <= fragment.start.time);
                if after {
                    if std::mem::take(&mut damage) {
                        found.damaged += 1;
                    }
                    found.track_id = track_id;
                    found.fragments.push(fragment);
                } else {
                    damage = true;
                }
                at = fragment.end;
            }
            ScanPlace::Foreign(end) if foreign < MOST_FOREIGN_BOXES => {
                (damage, foreign, at) = (true, foreign + 1, end);
            }
            ScanPlace::Foreign(_) => break,
            ScanPlace::End => match find_fragment(file, at, size, &mut tries)? {
                Some(next) => (damage, at) = (true, next),
                None => break,
            },
        }
    }
    Ok((!found.fragments.is_empty()).then_some(found))
}

/// Whether a whole fragment is anywhere in the file, whatever stands before it.
pub(super) fn has_fragment(file: &mut File) -> io::Result<bool> {
    let size = file.metadata()?.len();
    Ok(find_fragment(file, 0, size, &mut 0)?.is_some())
}

/// What stands at `at`.
fn place(file: &mut File, at: u64, size: u64) -> io::Result<ScanPlace> {
    let Some((name, media)) = next_box(file, at, size)? else { return Ok(ScanPlace::End) };
    if name == *b"mfra" {
        return Ok(ScanPlace::End);
    }
    if name != *b"moof" || media - at > MOST_BOX_BYTES {
        return Ok(ScanPlace::Foreign(media));
    }
    let end = match next_box(file, media, size)? {
        Some((name, end)) if name == *b"mdat" => end,
        Some(_) => return Ok(ScanPlace::Foreign(media)),
        None => return Ok(ScanPlace::End),
    };
    let fragment = MoofBox::decode(&read(file, at, media)?).ok().and_then(|(moof, _)| fragment(&moof, at, media, end));
    Ok(fragment.map_or(ScanPlace::Foreign(end), |(fragment, track_id)| ScanPlace::Fragment(fragment, track_id)))
}

/// The fragment whose list of pictures is `moof`, where the list fits what follows it.
fn fragment(moof: &MoofBox, start: u64, media: u64, end: u64) -> Option<(Fragment, u32)> {
    let [traf] = moof.traf_boxes.as_slice() else { return None };
    let samples = || traf.trun_boxes.iter().flat_map(|run| &run.samples);
    let bytes: u64 = samples().map(|sample| u64::from(sample.size.unwrap_or(0))).sum();
    let time = traf.tfdt_box.as_ref()?.base_media_decode_time;
    let length = |duration: Option<u32>| u64::from(duration.or(traf.tfhd_box.default_sample_duration).unwrap_or(0));
    let ticks = samples().map(|sample| length(sample.duration)).sum();
    let fits = bytes > 0 && bytes <= end - media && time <= LONGEST && ticks <= LONGEST;
    let fragment =
        Fragment { start: FragmentStart { time, offset: start }, end, frames: samples().count() as u64, ticks };
    fits.then_some((fragment, traf.tfhd_box.track_id))
}

/// Where a whole fragment begins behind `at`, at which none does.
fn find_fragment(file: &mut File, at: u64, size: u64, tries: &mut u32) -> io::Result<Option<u64>> {
    const STEP: u64 = 1 << 20;
    // The name stands behind the four bytes of the length, and may lie across two pieces.
    let mut from = at + 1;
    while from + 8 <= size {
        let bytes = read(file, from, (from + STEP + 7).min(size))?;
        for (offset, _) in bytes.windows(8).enumerate().filter(|(_, window)| window.ends_with(b"moof")) {
            let start = from + offset as u64;
            let is_list = next_box(file, start, size)?.is_some_and(|(_, end)| end - start <= MOST_LIST_BYTES);
            if !is_list {
                continue;
            }
            *tries += 1;
            if *tries > MOST_TRIES {
                return Ok(None);
            }
            if matches!(place(file, start, size)?, ScanPlace::Fragment(..)) {
                return Ok(Some(start));
            }
        }
        from += STEP;
    }
    Ok(None)
}

/// Name and end of the box at `at`, where it is whole.
fn next_box(file: &mut File, at: u64, file_size: u64) -> io::Result<Option<([u8; 4], u64)>> {
    let bytes = read(file, at, at.saturating_add(16).min(file_size))?;
    // With nothing to take, a box of size 0 is none: facelens writes no box that has no end of its own.
    let Some(header) = BoxHeader::read(&bytes, 0) else { return Ok(None) };
    let end = at.checked_add(header.size).filter(|end| *end <= file_size);
    Ok(end.map(|end| (header.name, end)))
}

/// The bytes from one place to another.
pub(super) fn read(file: &mut File, from: u64, to: u64) -> io::Result<Vec<u8>> {
    let length = to.saturating_sub(from);
    if length > MOST_BOX_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a box is larger than any of facelens"));
    }
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = vec![0; length as usize];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}
