//! What the built-in decoder cannot go on with, ffmpeg may: it makes up what is damaged.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::container::MP4;
use super::ffmpeg::{Ffmpeg, Programs};
use super::h264::H264Video;
use crate::{Next, Source, SourceError, SourceInfo};

/// The built-in decoder, and from the first damaged picture on ffmpeg, where it is there and reads the file.
pub(super) struct Rescued {
    path: PathBuf,
    programs: &'static Programs,
    video: H264Video,
    rescue: Rescue,
    /// The number of the next picture.
    next: u64,
}

enum Rescue {
    NotNeeded,
    Failed,
    Running(Box<Ffmpeg>),
}

impl Rescued {
    pub(super) fn new(path: &Path, video: H264Video, programs: &'static Programs) -> Self {
        Self { path: path.to_owned(), programs, video, rescue: Rescue::NotNeeded, next: 0 }
    }

    /// Starts ffmpeg at the picture that is next.
    fn rescue(&self) -> Result<Ffmpeg, SourceError> {
        let mut video = Ffmpeg::open(&self.path, MP4, None, self.programs)?;
        video.skip_to(self.next);
        Ok(video)
    }
}

impl Source for Rescued {
    fn info(&self) -> &SourceInfo {
        self.video.info()
    }

    fn next(&mut self) -> Result<Next, SourceError> {
        if matches!(self.rescue, Rescue::NotNeeded) && self.video.is_at_damage() {
            self.rescue = self.rescue().map_or(Rescue::Failed, |video| Rescue::Running(Box::new(video)));
        }
        let next = match &mut self.rescue {
            Rescue::Running(video) => video.next()?,
            Rescue::NotNeeded | Rescue::Failed => self.video.next()?,
        };
        if let Next::Frame(frame) = &next {
            self.next = frame.sequence + 1;
        }
        Ok(next)
    }

    fn seek(&mut self, time: Duration) -> Result<(), SourceError> {
        self.video.seek(time)?;
        self.next = self.video.wanted_from();
        // Where the built-in decoder comes to damage again, ffmpeg begins again.
        if matches!(self.rescue, Rescue::Running(_)) {
            self.rescue = Rescue::NotNeeded;
        }
        Ok(())
    }
}
