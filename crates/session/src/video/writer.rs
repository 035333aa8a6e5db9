//! Writes pictures as a video file.

use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use facelens_base::atomic_file::{Access, AtomicFile, create_private};

use super::super::file_error::{WriteError, WriteErrorKind};
use super::clock::{VideoClock, duration, ticks};
use super::encoder::{FrameEncoder, LARGEST};
use super::fragments::{Closed, Fragments};
use super::index::length_patches;

/// How a video is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoOptions {
    /// After this time the pictures so far are written down and a new keyframe begins; a kill loses no more than this
    /// and the time to the next picture. At most 2 s.
    pub fragment: Duration,
    /// How long the last picture stands where no second one tells the rate.
    pub single_frame: Duration,
    /// How the file comes about.
    pub file: VideoFile,
}

/// How the file of a video comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VideoFile {
    /// It grows in its place and plays after a kill.
    Growing,
    /// The same, and the user alone may read it.
    Private,
    /// It takes its place when it is finished; what was there stays until then.
    Whole,
}

impl Default for VideoOptions {
    fn default() -> Self {
        Self { fragment: Duration::from_secs(1), single_frame: Duration::from_millis(33), file: VideoFile::Growing }
    }
}

/// What a finished video holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VideoSummary {
    /// Pictures.
    pub frames: u64,
    /// From the first picture to the end of the last.
    pub duration: Duration,
}

/// Writes RGB8 pictures of one size to an MP4 file: H.264 of constant quality, true times at a variable rate. The file
/// plays up to the last fragment after a kill. Dropping the writer finishes the file too, and logs where that fails.
pub struct VideoWriter {
    path: PathBuf,
    file: File,
    /// What the file is until it takes its place.
    draft: Option<AtomicFile>,
    /// Nothing can be changed afterwards in a pipe, nor can it be brought to a disk.
    is_regular: bool,
    width: u32,
    height: u32,
    encoder: FrameEncoder,
    fragments: Fragments,
    clock: VideoClock,
    fragment_ticks: u64,
    /// The next picture begins a fragment, however short the open one is.
    cut: bool,
    /// The file's first bytes; empty before the first picture.
    header: Vec<u8>,
    frames: u64,
    /// Bytes in the file.
    bytes: u64,
    /// A write failed: no more come.
    broken: bool,
    done: bool,
}

impl VideoWriter {
    /// Opens the file `path`, or empties it where it is there already, for pictures of `width` x `height` pixels.
    ///
    /// # Errors
    /// [`WriteError`] where the file cannot be made or pictures of this size cannot be encoded (larger than 3840x2160).
    pub fn create(path: &Path, width: u32, height: u32, options: VideoOptions) -> Result<Self, WriteError> {
        if !FrameEncoder::fits(width, height) {
            let cause = format!(
                "{width}x{height} images do not make an H.264 video, which has 1x1 to {}x{} pixels",
                LARGEST.0, LARGEST.1
            );
            return Err(WriteError::new(WriteErrorKind::Size, path, cause, "scale the images down first"));
        }
        let encoder_error = |cause: String| encoder_error(path, &cause);
        let encoder = FrameEncoder::new(width, height).map_err(encoder_error)?;
        let fragments = Fragments::new().map_err(encoder_error)?;
        let io_error = |error: io::Error| WriteError::io(path, &error);
        let (file, draft) = open(path, options.file).map_err(io_error)?;
        let is_regular = file.metadata().map_err(io_error)?.is_file();
        Ok(Self {
            path: path.to_owned(),
            file,
            draft,
            is_regular,
            width,
            height,
            encoder,
            fragments,
            clock: VideoClock::new(options.single_frame),
            fragment_ticks: ticks(options.fragment.min(Duration::from_secs(2))).max(1),
            cut: false,
            header: Vec::new(),
            frames: 0,
            bytes: 0,
            broken: false,
            done: false,
        })
    }

    /// Adds a picture: tightly packed RGB8 rows, shown from `time` on. The first picture's time is the video's zero. A
    /// time that jumps back, as where the next file begins, goes on one picture's length after the last one.
    ///
    /// # Errors
    /// [`WriteError`] where the picture has another size, cannot be encoded, or the disk is full or gone.
    pub fn write(&mut self, rgb: &[u8], time: Duration) -> Result<(), WriteError> {
        let expected = self.width as usize * self.height as usize * 3;
        if rgb.len() != expected {
            let cause = format!(
                "an image of {} bytes does not fit into a video of {}x{} pixels ({expected} bytes)",
                rgb.len(),
                self.width,
                self.height
            );
            let remedy = "write images of another size to a separate video";
            return Err(WriteError::new(WriteErrorKind::Size, &self.path, cause, remedy));
        }
        let now = self.clock.place(time);
        let cut = std::mem::take(&mut self.cut);
        let due = cut || self.fragments.start().is_some_and(|start| now >= start + self.fragment_ticks);
        let picture = self.encoder.encode(rgb, due).map_err(|cause| encoder_error(&self.path, &cause))?;
        if picture.keyframe {
            self.close_fragment(now)?;
        }
        let header = self.fragments.push(now, &picture).map_err(|cause| encoder_error(&self.path, &cause))?;
        if let Some(header) = header {
            self.append(&header)?;
            self.header = header;
        }
        self.frames += 1;
        Ok(())
    }

    /// Makes the next picture begin a fragment, so that those before it are written down. For pictures that come slower
    /// than their times say.
    pub fn begin_fragment(&mut self) {
        self.cut = true;
    }

    /// Bytes of the file so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many fragments are in the file so far.
    pub fn fragments(&self) -> usize {
        self.fragments.count()
    }

    /// What is in the file so far: what a kill leaves.
    pub fn in_file(&self) -> VideoSummary {
        self.fragments.closed().map_or_else(VideoSummary::default, summary)
    }

    /// The file's name.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Another handle of the file, to be synced on another thread.
    pub(crate) fn handle(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Leaves the file as it is, like a kill: what was not written yet is lost.
    pub fn abandon(mut self) {
        self.done = true;
    }

    /// Writes what is still in memory, the index and the length, and says what the video holds.
    ///
    /// # Errors
    /// [`WriteError`] where the disk is full or gone: what was written before is whole then. Where no whole second came,
    /// the file is removed.
    pub fn finish(mut self) -> Result<VideoSummary, WriteError> {
        self.complete()
    }

    fn complete(&mut self) -> Result<VideoSummary, WriteError> {
        let written = self.write_down();
        let (summary, sealed) = self.seal(u64::MAX);
        written.and(sealed)?;
        if let Some(draft) = self.draft.take() {
            draft.commit().map_err(|error| WriteError::io(&self.path, &error))?;
        }
        Ok(summary)
    }

    /// Writes what is still in memory. After an error of [`write`](Self::write) that is given up.
    ///
    /// # Errors
    /// [`WriteError`] where the disk is full or gone: what was written before is whole then.
    pub(crate) fn write_down(&mut self) -> Result<(), WriteError> {
        if self.broken { Ok(()) } else { self.close_fragment(self.clock.end()) }
    }

    /// Makes an end: keeps the first `most_frames` pictures that are in the file, as far as whole fragments go, writes the
    /// index and the length, and brings the file to the disk. A file without any picture is removed. Says what the video
    /// holds, and what went wrong with it.
    pub(crate) fn seal(&mut self, most_frames: u64) -> (VideoSummary, Result<(), WriteError>) {
        self.done = true;
        let Some(last) = self.fragments.cut(most_frames) else {
            self.remove();
            let cause = "no image arrived, so there is no video";
            let empty = WriteError::new(WriteErrorKind::Empty, &self.path, cause, "check the input");
            return (VideoSummary::default(), Err(empty));
        };
        let index = self.fragments.index().map_err(|cause| encoder_error(&self.path, &cause));
        let sealed =
            index.and_then(|index| self.write_end(last, &index).map_err(|error| WriteError::io(&self.path, &error)));
        (summary(last), sealed)
    }

    fn write_end(&mut self, last: Closed, index: &[u8]) -> io::Result<()> {
        if !self.is_regular {
            return self.file.write_all(index);
        }
        self.file.set_len(last.end)?;
        self.file.seek(SeekFrom::Start(last.end))?;
        let written = self.file.write_all(index);
        if written.is_err() {
            // Half an index would be worse than none; what stands before it plays without.
            self.file.set_len(last.end)?;
        }
        for (place, bytes) in length_patches(&self.header, last.end_ticks) {
            self.file.seek(SeekFrom::Start(place))?;
            self.file.write_all(&bytes)?;
        }
        self.file.sync_all()?;
        written
    }

    /// Nobody is helped by a file that no player opens. That it stays where it cannot be removed is harmless.
    fn remove(&self) {
        if self.draft.is_none() && fs::symlink_metadata(&self.path).is_ok_and(|there| there.is_file()) {
            let _ = fs::remove_file(&self.path);
        }
    }

    fn close_fragment(&mut self, end: u64) -> Result<(), WriteError> {
        let closed = self.fragments.close(end, self.bytes).map_err(|cause| encoder_error(&self.path, &cause))?;
        let Some((bytes, closed)) = closed else { return Ok(()) };
        self.append(&bytes)?;
        self.fragments.keep(closed);
        Ok(())
    }

    /// One write, so that a kill between two leaves whole fragments.
    fn append(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        if let Err(error) = self.file.write_all(bytes) {
            self.broken = true;
            if self.is_regular {
                // A part of a fragment is of no use. Where it cannot be cut off now, that is tried once more at the end.
                let _ = self.file.set_len(self.bytes);
            }
            return Err(WriteError::io(&self.path, &error));
        }
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

fn summary(last: Closed) -> VideoSummary {
    VideoSummary { frames: last.frames, duration: duration(last.end_ticks) }
}

impl Drop for VideoWriter {
    fn drop(&mut self) {
        if !self.done
            && (self.frames > 0 || self.broken)
            && let Err(error) = self.complete()
        {
            tracing::warn!("the video was not finished: {error}");
        }
    }
}

/// Makes the file, and the draft that it is.
fn open(path: &Path, kind: VideoFile) -> io::Result<(File, Option<AtomicFile>)> {
    match kind {
        VideoFile::Growing => Ok((File::create(path)?, None)),
        VideoFile::Private => Ok((create_private(path)?, None)),
        VideoFile::Whole => {
            let draft = AtomicFile::create(path, Access::Usual)?;
            Ok((draft.as_file().try_clone()?, Some(draft)))
        }
    }
}

fn encoder_error(path: &Path, cause: &str) -> WriteError {
    let cause = format!("the video encoder failed ({cause})");
    WriteError::new(WriteErrorKind::Encoder, path, cause, "try a smaller image")
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
