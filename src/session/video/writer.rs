//! Writes pictures as a video file.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::super::file_error::{WriteError, WriteErrorKind};
use super::clock::{Clock, duration, ticks};
use super::encoder::{FrameEncoder, LARGEST};
use super::fragments::Fragments;
use super::index::length_patches;

/// How a video is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VideoOptions {
    /// After this time the pictures so far are written down and a new keyframe begins; a kill loses no more than this
    /// and the time to the next picture. At most 2 s.
    pub fragment: Duration,
    /// How long the last picture stands where no second one tells the rate.
    pub single_frame: Duration,
}

impl Default for VideoOptions {
    fn default() -> Self {
        Self { fragment: Duration::from_secs(1), single_frame: Duration::from_millis(33) }
    }
}

/// What a finished video holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
    width: u32,
    height: u32,
    encoder: FrameEncoder,
    fragments: Fragments,
    clock: Clock,
    fragment_ticks: u64,
    /// The next picture begins a fragment, however short the open one is.
    cut: bool,
    /// The file's first bytes; empty before the first picture.
    header: Vec<u8>,
    frames: u64,
    /// Bytes in the file.
    bytes: u64,
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
                "{width}x{height} pictures do not make an H.264 video, which has 1x1 to {}x{} pixels",
                LARGEST.0, LARGEST.1
            );
            return Err(WriteError::new(WriteErrorKind::Size, path, cause, "scale the pictures down first"));
        }
        let encoder_error = |cause: String| encoder_error(path, &cause);
        let encoder = FrameEncoder::new(width, height).map_err(encoder_error)?;
        let fragments = Fragments::new().map_err(encoder_error)?;
        let file = File::create(path).map_err(|error| WriteError::io(path, &error))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            width,
            height,
            encoder,
            fragments,
            clock: Clock::new(options.single_frame),
            fragment_ticks: ticks(options.fragment.min(Duration::from_secs(2))).max(1),
            cut: false,
            header: Vec::new(),
            frames: 0,
            bytes: 0,
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
                "a picture of {} bytes does not fit into a video of {}x{} pixels ({expected} bytes)",
                rgb.len(),
                self.width,
                self.height
            );
            let remedy = "write pictures of another size to a video of their own";
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

    /// How many fragments are in the file so far: what a kill leaves.
    pub fn fragments(&self) -> usize {
        self.fragments.closed()
    }

    /// Another handle of the file, to be synced on another thread.
    pub(in crate::session) fn handle(&self) -> std::io::Result<File> {
        self.file.try_clone()
    }

    /// Leaves the file as it is, like a kill: what was not written yet is lost.
    pub fn abandon(mut self) {
        self.done = true;
    }

    /// Writes what is still in memory, the index and the length, and says what the video holds.
    ///
    /// # Errors
    /// [`WriteError`] where the disk is full or gone, or where no picture came: then the empty file is removed.
    pub fn finish(mut self) -> Result<VideoSummary, WriteError> {
        self.complete()
    }

    fn complete(&mut self) -> Result<VideoSummary, WriteError> {
        self.done = true;
        if self.frames == 0 {
            // Nobody is helped by a file that no player opens. That it stays where it cannot be removed is harmless.
            let _ = std::fs::remove_file(&self.path);
            return Err(WriteError::new(
                WriteErrorKind::Empty,
                &self.path,
                "no picture came, so there is no video",
                "check the input",
            ));
        }
        let end = self.clock.end();
        self.close_fragment(end)?;
        let index = self.fragments.index().map_err(|cause| encoder_error(&self.path, &cause))?;
        self.append(&index)?;
        for (place, bytes) in length_patches(&self.header, end) {
            self.file
                .seek(SeekFrom::Start(place))
                .and_then(|_| self.file.write_all(&bytes))
                .map_err(|error| WriteError::io(&self.path, &error))?;
        }
        Ok(VideoSummary { frames: self.frames, duration: duration(end) })
    }

    fn close_fragment(&mut self, end: u64) -> Result<(), WriteError> {
        let fragment = self.fragments.close(end).map_err(|cause| encoder_error(&self.path, &cause))?;
        self.append(&fragment)
    }

    /// One write, so that a kill between two leaves whole fragments.
    fn append(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.file.write_all(bytes).map_err(|error| WriteError::io(&self.path, &error))?;
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

impl Drop for VideoWriter {
    fn drop(&mut self) {
        if !self.done
            && self.frames > 0
            && let Err(error) = self.complete()
        {
            tracing::warn!("the video was not finished: {error}");
        }
    }
}

fn encoder_error(path: &Path, cause: &str) -> WriteError {
    let cause = format!("the video encoder failed ({cause})");
    WriteError::new(WriteErrorKind::Encoder, path, cause, "try a smaller picture")
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
