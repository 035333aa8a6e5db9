//! Times that rise from each frame to the next, whatever a file or driver says.

use std::time::Duration;

use super::{Next, Source, SourceError, SourceInfo};

/// How long a frame stands where nothing tells the rate.
const USUAL_STEP: Duration = Duration::from_millis(33);

/// A source whose times rise. A time that stands still or jumps back, as where files were joined or a stream has no times,
/// goes on one frame's length after the last one.
pub(super) struct Rising {
    source: Box<dyn Source>,
    /// The last frame's time as the source gave it and as it was given on.
    last: Option<(Duration, Duration)>,
    /// The same of the frame that times are counted from.
    origin: (Duration, Duration),
    /// From one frame to the next.
    step: Duration,
}

impl Rising {
    pub(super) fn new(source: Box<dyn Source>) -> Self {
        let fps = source.info().fps.filter(|fps| (1.0..=1000.0).contains(fps));
        let step = fps.map_or(USUAL_STEP, |fps| Duration::from_secs_f32(1.0 / fps));
        Self { source, last: None, origin: (Duration::ZERO, Duration::ZERO), step }
    }

    fn place(&mut self, time: Duration) -> Duration {
        let placed = match self.last {
            Some((last, placed)) if time <= last => {
                let placed = placed.saturating_add(self.step);
                self.origin = (time, placed);
                placed
            }
            last => {
                let placed = self.origin.1.saturating_add(time.saturating_sub(self.origin.0));
                if let Some((_, before)) = last {
                    self.step = placed - before;
                }
                placed
            }
        };
        self.last = Some((time, placed));
        placed
    }
}

impl Source for Rising {
    fn info(&self) -> &SourceInfo {
        self.source.info()
    }

    fn next(&mut self) -> Result<Next, SourceError> {
        let mut next = self.source.next()?;
        if let Next::Frame(frame) = &mut next {
            frame.time = self.place(frame.time);
        }
        Ok(next)
    }

    fn seek(&mut self, time: Duration) -> Result<(), SourceError> {
        // Times are counted anew: those from there on are the source's own.
        (self.last, self.origin) = (None, (Duration::ZERO, Duration::ZERO));
        self.source.seek(time)
    }

    fn damaged(&self) -> u64 {
        self.source.damaged()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use facelens_core::frame::Frame;

    use super::*;
    use crate::SourceKind;

    struct Given(SourceInfo, VecDeque<u64>);

    impl Source for Given {
        fn info(&self) -> &SourceInfo {
            &self.0
        }

        fn next(&mut self) -> Result<Next, SourceError> {
            let frame = |millis| Frame::from_rgb(1, 1, vec![0; 3]).unwrap().at(0, Duration::from_millis(millis));
            Ok(self.1.pop_front().map_or(Next::End, |millis| Next::Frame(frame(millis))))
        }
    }

    fn placed(fps: Option<f32>, times: &[u64]) -> Vec<u128> {
        let (name, format) = ("given".to_owned(), String::new());
        let info =
            SourceInfo { name, kind: SourceKind::Video, size: None, fps, frame_count: None, duration: None, format };
        let mut source = Rising::new(Box::new(Given(info, times.iter().copied().collect())));
        let next = || match source.next().unwrap() {
            Next::Frame(frame) => Some(frame.time.as_millis()),
            _ => None,
        };
        std::iter::from_fn(next).collect()
    }

    #[test]
    fn times_that_rise_stay_as_they_are() {
        assert_eq!(placed(None, &[5, 45, 46, 1000]), [5, 45, 46, 1000]);
    }

    #[test]
    fn times_that_stand_still_or_jump_back_go_on_at_the_rate_of_the_source() {
        assert_eq!(placed(Some(10.0), &[0, 0, 0, 0]), [0, 100, 200, 300]);
        assert_eq!(placed(None, &[0, 0, 0]), [0, 33, 66]);
        // Two clips that were joined.
        assert_eq!(placed(None, &[0, 40, 80, 0, 40, 80]), [0, 40, 80, 120, 160, 200]);
        // A single doubled frame.
        assert_eq!(placed(None, &[0, 40, 40, 80]), [0, 40, 80, 120]);
    }

    #[test]
    fn the_largest_times_do_no_harm() {
        let mut rising = Rising::new(Box::new(Given(
            SourceInfo {
                name: String::new(),
                kind: SourceKind::Video,
                size: None,
                fps: Some(f32::NAN),
                frame_count: None,
                duration: None,
                format: String::new(),
            },
            VecDeque::new(),
        )));
        assert_eq!(rising.place(Duration::MAX), Duration::MAX);
        assert_eq!(rising.place(Duration::ZERO), Duration::MAX);
    }
}
