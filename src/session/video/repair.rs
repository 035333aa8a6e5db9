//! Finishes a video that was broken off at any byte.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use shiguredo_mp4::Decode as _;
use shiguredo_mp4::boxes::MoofBox;

use super::super::file_error::{WriteError, WriteErrorKind};
use super::clock::duration;
use super::index::{FragmentStart, index, length_patches};
use super::writer::VideoSummary;
use crate::source::BoxHeader;

/// A header or the list of a fragment's pictures is never larger.
const MOST_BOX_BYTES: u64 = 64 * 1024 * 1024;

/// Finishes a video of [`VideoWriter`](super::VideoWriter) that was broken off: cuts off what is not a whole fragment,
/// and all fragments that reach beyond the first `most_frames` pictures; writes the index and the length. A video that is
/// whole stays as it is. Broken off itself, it can be done again.
///
/// # Errors
/// `Empty` where there is no whole fragment: then the file is left alone. `Io` where it cannot be read or written.
pub fn repair(path: &Path, most_frames: u64) -> Result<VideoSummary, WriteError> {
    let io = |error: io::Error| WriteError::io(path, &error);
    let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(io)?;
    let Some(found) = scan(&mut file).map_err(io)? else {
        return Err(empty(path));
    };
    let mut frames = 0;
    let fits = |fragment: &&Fragment| {
        frames += fragment.frames;
        frames <= most_frames
    };
    let kept: Vec<_> = found.fragments.iter().take_while(fits).collect();
    let Some(last) = kept.last() else { return Err(empty(path)) };
    let frames = kept.iter().map(|fragment| fragment.frames).sum();
    let starts: Vec<_> = kept.iter().map(|fragment| fragment.start).collect();
    let index = index(found.track_id, &starts).map_err(|cause| {
        WriteError::new(WriteErrorKind::Encoder, path, cause, "copy what is there by another program")
    })?;
    let ticks = last.start.time.saturating_add(last.ticks);
    let finish = |file: &mut File| -> io::Result<()> {
        file.set_len(last.end)?;
        file.seek(SeekFrom::Start(last.end))?;
        if let Err(error) = file.write_all(&index) {
            // Half an index would be worse than none; what stands before it plays without.
            file.set_len(last.end)?;
            return Err(error);
        }
        for (place, bytes) in length_patches(&found.header, ticks) {
            file.seek(SeekFrom::Start(place))?;
            file.write_all(&bytes)?;
        }
        file.sync_all()
    };
    finish(&mut file).map_err(io)?;
    Ok(VideoSummary { frames, duration: duration(ticks) })
}

fn empty(path: &Path) -> WriteError {
    let cause = "it was broken off before its first second was written";
    WriteError::new(WriteErrorKind::Empty, path, cause, "there is nothing in it to save")
}

/// What is whole in a file.
struct Found {
    /// The bytes before the first fragment.
    header: Vec<u8>,
    track_id: u32,
    fragments: Vec<Fragment>,
}

/// A whole fragment.
struct Fragment {
    start: FragmentStart,
    /// Place of the first byte behind it.
    end: u64,
    frames: u64,
    /// How long its pictures stand together.
    ticks: u64,
}

/// Walks over the boxes; `None` where there is no whole fragment.
fn scan(file: &mut File) -> io::Result<Option<Found>> {
    let size = file.metadata()?.len();
    let mut at = 0;
    for name in [b"ftyp", b"moov"] {
        match next_box(file, at, size)? {
            Some((found, end)) if found == *name => at = end,
            _ => return Ok(None),
        }
    }
    let header = read(file, 0, at)?;
    let mut found = Found { header, track_id: 1, fragments: Vec::new() };
    loop {
        let start = at;
        let Some((name, media)) = next_box(file, start, size)? else { break };
        if name != *b"moof" || media - start > MOST_BOX_BYTES {
            break;
        }
        let Ok((moof, _)) = MoofBox::decode(&read(file, start, media)?) else { break };
        let end = match next_box(file, media, size)? {
            Some((name, end)) if name == *b"mdat" => end,
            _ => break,
        };
        let [traf] = moof.traf_boxes.as_slice() else { break };
        let samples = || traf.trun_boxes.iter().flat_map(|run| &run.samples);
        let bytes: u64 = samples().map(|sample| u64::from(sample.size.unwrap_or(0))).sum();
        let Some(time) = traf.tfdt_box.as_ref().map(|time| time.base_media_decode_time) else { break };
        if bytes == 0 || bytes > end - media {
            break;
        }
        found.track_id = traf.tfhd_box.track_id;
        found.fragments.push(Fragment {
            start: FragmentStart { time, offset: start },
            end,
            frames: samples().count() as u64,
            ticks: samples()
                .map(|sample| u64::from(sample.duration.or(traf.tfhd_box.default_sample_duration).unwrap_or(0)))
                .sum(),
        });
        at = end;
    }
    Ok((!found.fragments.is_empty()).then_some(found))
}

/// Name and end of the box at `at`, where it is whole.
fn next_box(file: &mut File, at: u64, file_size: u64) -> io::Result<Option<([u8; 4], u64)>> {
    let bytes = read(file, at, (at + 16).min(file_size))?;
    // With nothing to take, a box of size 0 is none: facelens writes no box that has no end of its own.
    let Some(header) = BoxHeader::read(&bytes, 0) else { return Ok(None) };
    let end = at.checked_add(header.size).filter(|end| *end <= file_size);
    Ok(end.map(|end| (header.name, end)))
}

fn read(file: &mut File, from: u64, to: u64) -> io::Result<Vec<u8>> {
    let length = to - from;
    if length > MOST_BOX_BYTES {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a box is larger than any of facelens"));
    }
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = vec![0; length as usize];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
#[path = "repair_tests.rs"]
mod tests;
