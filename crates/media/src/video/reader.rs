//! A video that is read from anywhere in it, for replay.

use std::path::{Path, PathBuf};
use std::time::Duration;

use facelens_core::frame::Frame;

use super::h264::H264Video;
use super::{NotBuiltIn, unreadable};
use crate::guard::no_panic;
use crate::{Next, Source as _, SourceError, SourceInfo};

/// An MP4 with H.264, as facelens records it. Pictures are numbered in the order in which they are shown.
pub struct VideoReader {
    path: PathBuf,
    video: H264Video,
    /// For each picture, its sample.
    samples: Vec<usize>,
    times: Vec<Duration>,
}

impl VideoReader {
    /// Opens a video. What is cut off at its end is read up to there.
    ///
    /// # Errors
    /// [`SourceError`] where it cannot be read, or is of a kind that is not built in.
    pub fn open(path: &Path) -> Result<Self, SourceError> {
        let video = no_panic(path, || match H264Video::open(path) {
            Ok(video) => Ok(video),
            Err(NotBuiltIn::Broken(error)) => Err(error),
            Err(NotBuiltIn::Codec(codec)) => {
                Err(unreadable(path, format!("it is {codec}, and only plain H.264 is supported"), ""))
            }
        })?;
        let movie = video.movie();
        let samples = movie.shown();
        let shown_at = |&sample: &usize| movie.duration(movie.samples[sample].shown_at.unwrap_or(0));
        let times = samples.iter().map(shown_at).collect();
        Ok(Self { path: path.to_owned(), video, samples, times })
    }

    /// What the video is.
    pub fn info(&self) -> &SourceInfo {
        self.video.info()
    }

    /// When each picture is shown, rising from 0.
    pub fn times(&self) -> &[Duration] {
        &self.times
    }

    /// The picture `number`, or the last one where there are fewer. Decodes from the keyframe before it, or goes on from
    /// the last picture that was read where that is nearer; its [`Frame::sequence`] is its number. `None` where the video
    /// has fewer pictures than its index says.
    ///
    /// # Errors
    /// [`SourceError`] where the video is damaged there. Other pictures may still be read.
    pub fn picture(&mut self, number: usize) -> Result<Option<Frame>, SourceError> {
        let Some(number) = self.samples.len().checked_sub(1).map(|last| number.min(last)) else { return Ok(None) };
        let (video, samples, path) = (&mut self.video, &self.samples, &self.path);
        no_panic(path, || {
            video.go_to(samples, number)?;
            match video.next()? {
                Next::Frame(frame) if frame.sequence == number as u64 => Ok(Some(frame)),
                Next::Frame(_) => Err(unreadable(path, "the frame cannot be read: its data are damaged", "")),
                _ => Ok(None),
            }
        })
    }
}
