//! Finishes a video that was broken off at any byte.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::super::file_error::{WriteError, WriteErrorKind};
use super::clock::duration;
use super::index::{index, length_patches};
use super::scan::{FoundSamples, Fragment, has_fragment, read, scan};
use super::writer::VideoSummary;

/// What finishing a video came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FinishedVideo {
    /// The whole pictures in it, and how long it is.
    pub summary: VideoSummary,
    /// What became of the file.
    pub change: VideoChange,
}

/// What became of a video's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum VideoChange {
    /// It was whole already.
    None,
    /// Its index and its length were written.
    Indexed,
    /// So many bytes at its end that are no whole fragment were moved into this file; index and length were written.
    Cut(u64, PathBuf),
    /// It is damaged in so many places with whole fragments behind them: it was left as it is.
    Damaged(usize),
}

/// Finishes a video of [`VideoWriter`](super::VideoWriter) that was broken off: writes the index and the length behind the
/// whole fragments. What is none at the end is handed to `keep` first (the open file and where the cut begins), which
/// copies it and says where to, and is cut off. A video that is whole, and one with whole fragments behind damage, stay as
/// they are. Broken off itself, it can be done again.
///
/// # Errors
/// `Empty` where there is no whole fragment, `Damaged` where the file's beginning is, `Io` where it cannot be read or
/// written, and those of `keep`: then the file stays as it is.
pub(crate) fn finish_found(
    path: &Path,
    keep: impl FnOnce(&mut File, u64) -> Result<PathBuf, WriteError>,
) -> Result<FinishedVideo, WriteError> {
    let io = |error: io::Error| WriteError::io(path, &error);
    let mut file = File::open(path).map_err(io)?;
    let Some(found) = scan(&mut file).map_err(io)? else {
        if has_fragment(&mut file).map_err(io)? {
            let cause = "the beginning of the video is damaged";
            return Err(WriteError::new(WriteErrorKind::Damaged, path, cause, "it was left as it is"));
        }
        return Err(empty(path));
    };
    let ending = Ending::new(path, &found, &found.fragments)?;
    let summary = ending.summary;
    if found.damaged > 0 {
        return Ok(FinishedVideo { summary, change: VideoChange::Damaged(found.damaged) });
    }
    if ending.stands(&mut file, &found).map_err(io)? {
        return Ok(FinishedVideo { summary, change: VideoChange::None });
    }
    let behind = found.size - ending.at;
    // A part of the index that is to stand there is not lost.
    let is_index = behind <= ending.index.len() as u64
        && ending.index.starts_with(&read(&mut file, ending.at, found.size).map_err(io)?);
    let change = if is_index { VideoChange::Indexed } else { VideoChange::Cut(behind, keep(&mut file, ending.at)?) };
    let mut file = OpenOptions::new().read(true).write(true).open(path).map_err(io)?;
    ending.write(&mut file).map_err(io)?;
    Ok(FinishedVideo { summary, change })
}

/// What a finished file ends with, and what its first bytes say of it.
struct Ending {
    summary: VideoSummary,
    /// Where the last fragment ends and the index begins.
    at: u64,
    index: Vec<u8>,
    /// Places of bytes and what belongs there.
    lengths: Vec<(u64, [u8; 4])>,
}

impl Ending {
    fn new(path: &Path, found: &FoundSamples, kept: &[Fragment]) -> Result<Self, WriteError> {
        let Some(last) = kept.last() else { return Err(empty(path)) };
        let starts: Vec<_> = kept.iter().map(|fragment| fragment.start).collect();
        let index = index(found.track_id, &starts).map_err(|cause| {
            WriteError::new(WriteErrorKind::Encoder, path, cause, "copy what is there with another program")
        })?;
        let ticks = last.start.time.saturating_add(last.ticks);
        let frames = kept.iter().map(|fragment| fragment.frames).sum();
        let summary = VideoSummary { frames, duration: duration(ticks) };
        Ok(Self { summary, at: last.end, index, lengths: length_patches(&found.header, ticks) })
    }

    /// Whether all of it is in the file already, and nothing behind it.
    fn stands(&self, file: &mut File, found: &FoundSamples) -> io::Result<bool> {
        let length = |(place, bytes): &(u64, [u8; 4])| {
            let place = usize::try_from(*place).unwrap_or(usize::MAX);
            found.header.get(place..).is_some_and(|header| header.starts_with(bytes))
        };
        Ok(found.size == self.at + self.index.len() as u64
            && self.lengths.iter().all(length)
            && read(file, self.at, found.size)? == self.index)
    }

    fn write(&self, file: &mut File) -> io::Result<()> {
        file.set_len(self.at)?;
        file.seek(SeekFrom::Start(self.at))?;
        if let Err(error) = file.write_all(&self.index) {
            // Half an index would be worse than none; what stands before it plays without.
            file.set_len(self.at)?;
            return Err(error);
        }
        for (place, bytes) in &self.lengths {
            file.seek(SeekFrom::Start(*place))?;
            file.write_all(bytes)?;
        }
        file.sync_all()
    }
}

fn empty(path: &Path) -> WriteError {
    let cause = "it was interrupted before its first second was written";
    WriteError::new(WriteErrorKind::Empty, path, cause, "there is nothing in it to recover")
}

#[cfg(test)]
#[path = "repair_tests.rs"]
mod tests;
