//! Going to another time: another run of ffmpeg that begins a little before it.

use std::time::Duration;

use super::run::Begin;
use super::{Ffmpeg, unreadable};
use crate::{Next, SourceError};

/// Files that go on from any time at all: those that have times. Bare streams and single images have none.
const WITHOUT_TIMES: [&str; 5] = ["h264", "hevc", "mpegvideo", "m4v", "tiff_pipe"];
/// A search before this begins with the first frame: before the first key frame that it knows, ffmpeg finds nothing.
const FROM_START: Duration = Duration::from_secs(2);
/// How long before the wanted time the first search begins, in frames; the frame that is shown then began before it.
const LEAD_FRAMES: f32 = 2.5;
/// The same where the rate is not known.
const LEAD: Duration = Duration::from_millis(500);
/// The longest that a video is taken to last: a damaged file may say anything.
const LONGEST_SECS: f64 = 30.0 * 24.0 * 3600.0;

/// How long a video lasts that can be sought; `None` where it cannot.
pub(super) fn seekable(demuxer: &str, duration_secs: Option<f64>) -> Option<Duration> {
    let secs = duration_secs.filter(|secs| *secs > 0.0 && *secs < LONGEST_SECS)?;
    (!WITHOUT_TIMES.contains(&demuxer)).then(|| Duration::from_secs_f64(secs))
}

impl Ffmpeg {
    /// Makes the frame that is shown at `time` the next one, or the last frame where there are fewer.
    ///
    /// # Errors
    /// Where ffmpeg cannot be started again, or reads nothing any more.
    pub(super) fn go_to(&mut self, time: Duration) -> Result<(), SourceError> {
        let time = self.info.duration.map_or(time, |duration| time.min(duration));
        let mut lead = self.info.fps.map_or(LEAD, |fps| Duration::from_secs_f32(LEAD_FRAMES / fps.clamp(1.0, 1000.0)));
        let own_start_us = self.own_start_us()?;
        loop {
            let from = time.saturating_sub(lead);
            let begin = match own_start_us {
                Some(_) if from >= FROM_START => Begin::From(from),
                _ => Begin::Start,
            };
            self.begin(begin)?;
            if self.find(time) || begin == Begin::Start {
                return Ok(());
            }
            // The last frame before lies further back, or a decoder had to wait for a key frame.
            lead = lead.saturating_mul(4);
        }
    }

    /// Starts the run that all frames come from then on.
    fn begin(&mut self, begin: Begin) -> Result<(), SourceError> {
        self.run = self.input.run(begin).map_err(|error| unreadable(&self.input.path, error.to_string(), ""))?;
        self.ready.clear();
        self.zero_us = if begin == Begin::Start { None } else { self.own_start_us };
        (self.wanted_from, self.last_time) = (0, Duration::ZERO);
        (self.over, self.read_any) = (false, false);
        self.begun_later = begin != Begin::Start;
        if begin == Begin::Start {
            self.frames = 0;
        }
        Ok(())
    }

    /// Reads until the frame that is shown at `time` is the next one; `false` where even the first that came is shown
    /// later, or none came.
    fn find(&mut self, time: Duration) -> bool {
        let mut found = false;
        loop {
            let next = self.read();
            let Ok(Next::Frame(frame)) = &next else {
                // The end, or what was wrong, comes after the last frame.
                self.ready.push_back(next);
                return found;
            };
            if frame.time > time {
                self.ready.push_back(next);
                return found;
            }
            found = true;
            self.ready.clear();
            self.ready.push_back(next);
        }
    }

    /// The time of the first frame as the file counts; asked once. `None` where it has none.
    fn own_start_us(&mut self) -> Result<Option<i64>, SourceError> {
        if self.own_start_us.is_none() {
            let run = self.input.run(Begin::OwnTimes);
            let run = run.map_err(|error| unreadable(&self.input.path, error.to_string(), ""))?;
            self.own_start_us = run.shown().and_then(|shown| shown.time_us);
        }
        Ok(self.own_start_us)
    }
}

#[cfg(test)]
#[path = "seek_tests.rs"]
mod tests;
