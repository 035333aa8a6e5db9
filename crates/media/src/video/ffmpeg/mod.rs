//! Every other container and codec through the programs `ffmpeg` and `ffprobe`, where they are on the PATH.

use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::time::Duration;

use facelens_core::frame::{self, Frame};

pub(crate) use self::programs::Programs;
use self::run::{Begin, FfmpegInput, FfmpegRun};
use super::container::Container;
use super::unreadable;
use crate::{Next, Source, SourceError, SourceErrorKind, SourceInfo, SourceKind};

mod log;
mod probe;
mod programs;
mod run;
mod seek;

/// A video that `ffmpeg` decodes into a pipe.
pub(super) struct Ffmpeg {
    input: FfmpegInput,
    info: SourceInfo,
    duration_secs: Option<f64>,
    run: FfmpegRun,
    /// What was read already and not given out.
    ready: VecDeque<Result<Next, SourceError>>,
    /// Frames before this one are not given out.
    wanted_from: u64,
    /// What ffmpeg calls the first frame's time in this run; `None` until it comes.
    zero_us: Option<i64>,
    /// What the file calls the first frame's time; `None` until somebody goes to another time.
    own_start_us: Option<i64>,
    last_time: Duration,
    /// The number of the next frame.
    frames: u64,
    /// This run has given a frame.
    read_any: bool,
    /// This run did not begin with the first frame.
    begun_later: bool,
    over: bool,
}

impl Ffmpeg {
    /// Starts `ffmpeg` on a file and reads the first frame. `what` says what is in the container, where that is known.
    ///
    /// # Errors
    /// [`SourceErrorKind::Unsupported`] where there is no `ffmpeg`, `Unreadable` where it cannot read the file.
    pub(super) fn open(
        path: &Path,
        container: Container,
        what: Option<&str>,
        programs: &Programs,
    ) -> Result<Self, SourceError> {
        let what = what.unwrap_or(container.name);
        let cannot_start = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => no_ffmpeg(path, what),
            _ => {
                let cause = format!("ffmpeg could not be started: {error}");
                SourceError::new(SourceErrorKind::Other, path.display().to_string(), cause, "")
            }
        };
        let version = programs.version().map_err(cannot_start)?;
        let probed = probe::probe(path, container.demuxer, programs);
        let input = FfmpegInput {
            path: path.to_owned(),
            demuxer: container.demuxer,
            track: probed.index,
            programs: programs.clone(),
            version,
        };
        let run = input.run(Begin::Start).map_err(cannot_start)?;
        let info = SourceInfo {
            name: path.display().to_string(),
            kind: SourceKind::Video,
            size: None,
            fps: probed.fps,
            frame_count: probed.frames,
            duration: seek::seekable(container.demuxer, probed.duration_secs),
            format: what.to_owned(),
        };
        let mut video = Self {
            input,
            info,
            duration_secs: probed.duration_secs,
            run,
            ready: VecDeque::new(),
            wanted_from: 0,
            zero_us: None,
            own_start_us: None,
            last_time: Duration::ZERO,
            frames: 0,
            read_any: false,
            begun_later: false,
            over: false,
        };
        match video.read()? {
            Next::Frame(frame) => {
                let (width, height) = (frame.width(), frame.height());
                let codec = probed.codec.as_deref().unwrap_or(what).to_uppercase();
                let rate = probed.fps.map_or(String::new(), |fps| format!(" at {fps:.0} fps"));
                video.info.size = Some((width, height));
                video.info.format = format!("{codec} {width}x{height}{rate} by ffmpeg");
                video.ready.push_back(Ok(Next::Frame(frame)));
            }
            _ => return Err(unreadable(path, "it contains no frame that can be read", "check that the file is whole")),
        }
        Ok(video)
    }

    /// Gives out nothing before this frame.
    pub(super) fn skip_to(&mut self, number: u64) {
        self.wanted_from = number;
    }

    /// The next frame, or the end.
    fn read(&mut self) -> Result<Next, SourceError> {
        let Some(mut shown) = self.run.shown() else { return self.finish(false) };
        if let (false, Some((width, height))) = (self.input.version.keeps_sizes(), self.info.size) {
            (shown.width, shown.height) = (width, height);
        }
        Frame::check_size(shown.width, shown.height).map_err(|error| {
            self.over = true;
            unreadable(&self.input.path, error.to_string(), "")
        })?;
        let mut rgb = frame::buffer(shown.width as usize * shown.height as usize * 3);
        if self.run.pixels(&mut rgb).is_err() {
            return self.finish(true);
        }
        if let Some(time_us) = shown.time_us {
            let since_first = time_us.saturating_sub(*self.zero_us.get_or_insert(time_us));
            self.last_time = self.last_time.max(Duration::from_micros(since_first.max(0).cast_unsigned()));
        }
        if self.begun_later && !self.read_any {
            self.frames = self.number_at(self.last_time);
        }
        self.read_any = true;
        let frame = Frame::from_rgb(shown.width, shown.height, rgb)
            .map_err(|error| unreadable(&self.input.path, error.to_string(), ""))?
            .at(self.frames, self.last_time);
        self.frames += 1;
        Ok(Next::Frame(frame))
    }

    /// The number of the frame that is shown at `time`, by the mean rate. Without a rate, frames are counted on.
    fn number_at(&self, time: Duration) -> u64 {
        self.info.fps.map_or(self.frames, |fps| (time.as_secs_f64() * f64::from(fps)).round() as u64)
    }

    /// Waits for the end of the program and says what went wrong, if anything did. A damaged picture that was read all
    /// the same is told; frames that are missing are an error.
    fn finish(&mut self, cut: bool) -> Result<Next, SourceError> {
        self.over = true;
        let (ended_well, damage) = self.run.finish();
        let failed = cut || !ended_well;
        if !failed && damage.places == 0 {
            return Ok(Next::End);
        }
        let last = if damage.last.is_empty() { "it ended early" } else { &damage.last };
        if !self.read_any {
            let cause = format!("it cannot be read as a video (ffmpeg: {last})");
            return Err(unreadable(&self.input.path, cause, "check that the file is whole"));
        }
        let remedy = "the readable part is used; copy the file again";
        if failed || damage.tells_of_an_end() || self.lasts_longer() {
            let secs = self.last_time.as_secs_f64();
            return Err(unreadable(
                &self.input.path,
                format!("the video is cut off after {secs:.1} s (ffmpeg: {last})"),
                remedy,
            ));
        }
        let all_are_counted = !self.begun_later;
        if let Some(count) = self.info.frame_count.filter(|&count| all_are_counted && count > self.frames) {
            let missing = count - self.frames;
            let cause = format!("{missing} of its {count} frames cannot be read (ffmpeg: {})", damage.first);
            return Err(unreadable(&self.input.path, cause, remedy));
        }
        let places = if damage.places == 1 { "one place".to_owned() } else { format!("{} places", damage.places) };
        let cause = format!("the video is damaged in {places} (ffmpeg: {})", damage.first);
        let read =
            if all_are_counted { format!("all {} frames", self.frames) } else { "all frames from there on".into() };
        let remedy = format!("{read} were read, but those there may be corrupted");
        Ok(Next::Damaged(unreadable(&self.input.path, cause, &remedy)))
    }

    /// Whether the file says that the video goes on well after the last frame that came.
    fn lasts_longer(&self) -> bool {
        // Sound may be a little longer, and the last frame stands for a while.
        let frame_secs = self.info.fps.map_or(0.0, |fps| 1.0 / f64::from(fps));
        let end_secs = self.last_time.as_secs_f64() + frame_secs.max(0.5) * 2.0;
        self.duration_secs.is_some_and(|duration_secs| duration_secs > end_secs)
    }
}

impl Source for Ffmpeg {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Next, SourceError> {
        loop {
            let next = match self.ready.pop_front() {
                Some(next) => next?,
                None if self.over => return Ok(Next::End),
                None => self.read()?,
            };
            match next {
                Next::Frame(frame) if frame.sequence < self.wanted_from => {}
                next => return Ok(next),
            }
        }
    }

    fn seek(&mut self, time: Duration) -> Result<(), SourceError> {
        if self.info.duration.is_none() {
            return Ok(());
        }
        self.go_to(time)
    }
}

fn no_ffmpeg(path: &Path, what: &str) -> SourceError {
    SourceError::new(
        SourceErrorKind::Unsupported,
        path.display().to_string(),
        format!("{what} is not supported without ffmpeg, and there is no ffmpeg on the PATH"),
        "install ffmpeg, or convert the video to MP4 with H.264",
    )
}

/// Whether a log tells of a frame: for the fuzz tests.
pub(super) fn reads_log(log: &[u8], filter: &str) -> bool {
    let (sender, shown) = crossbeam_channel::unbounded();
    log::read(log, filter, &sender);
    shown.try_recv().is_ok()
}

/// Whether ffprobe tells of a video: for the fuzz tests.
pub(super) fn reads_probe(json: &[u8]) -> bool {
    probe::read(json, true).is_some()
}

#[cfg(test)]
mod tests;
