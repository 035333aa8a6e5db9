//! Files for eyes: frames come no faster than they are meant to be seen.

use std::time::{Duration, Instant};

use super::{Next, Source, SourceError, SourceInfo};

/// A source's thread is never held longer than this in one call.
pub(super) const MAX_SLEEP: Duration = Duration::from_millis(250);

/// Keeps real time, and takes time that was lost (a pause, a slow machine) as a pause: nothing rushes to catch up.
#[derive(Debug, Default)]
pub(super) struct PaceClock {
    /// When media time zero was, or would have been.
    start: Option<Instant>,
}

impl PaceClock {
    /// How long to wait until media time `due`; zero when it has come.
    pub(super) fn wait_for(&mut self, due: Duration, now: Instant) -> Duration {
        let start = *self.start.get_or_insert_with(|| now.checked_sub(due).unwrap_or(now));
        let at = start + due;
        if let Some(late) = now.checked_duration_since(at) {
            if late > MAX_SLEEP {
                self.start = Some(start + late);
            }
            return Duration::ZERO;
        }
        at - now
    }
}

/// A file source that gives its frames at their own pace.
pub(super) struct Paced {
    source: Box<dyn Source>,
    clock: PaceClock,
    /// Read already, and not due yet.
    held: Option<(Next, Duration)>,
}

impl Paced {
    pub(super) fn new(source: Box<dyn Source>) -> Self {
        Self { source, clock: PaceClock::default(), held: None }
    }
}

impl Source for Paced {
    fn damaged(&self) -> u64 {
        self.source.damaged()
    }

    fn info(&self) -> &SourceInfo {
        self.source.info()
    }

    fn seek(&mut self, time: Duration) -> Result<(), SourceError> {
        // The frame there is due at once.
        (self.clock, self.held) = (PaceClock::default(), None);
        self.source.seek(time)
    }

    fn next(&mut self) -> Result<Next, SourceError> {
        let (next, due) = match self.held.take() {
            Some(held) => held,
            None => {
                let next = self.source.next()?;
                let Next::Frame(frame) = &next else { return Ok(next) };
                let due = frame.time;
                (next, due)
            }
        };
        let wait = self.clock.wait_for(due, Instant::now());
        std::thread::sleep(wait.min(MAX_SLEEP));
        if wait > MAX_SLEEP {
            self.held = Some((next, due));
            return Ok(Next::Waiting);
        }
        Ok(match next {
            // The delay to the screen counts from here, not from when the file was read.
            Next::Frame(mut frame) => {
                frame.captured_at = Instant::now();
                Next::Frame(frame)
            }
            other => other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_waits_for_what_is_early_and_shifts_after_a_pause() {
        let (mut clock, t0) = (PaceClock::default(), Instant::now());
        let ms = Duration::from_millis;
        assert_eq!(clock.wait_for(ms(0), t0), ms(0));
        assert_eq!(clock.wait_for(ms(40), t0 + ms(10)), ms(30));
        // A little late: the next frame is due at its own time.
        assert_eq!(clock.wait_for(ms(80), t0 + ms(100)), ms(0));
        assert_eq!(clock.wait_for(ms(120), t0 + ms(110)), ms(10));
        // Ten seconds of pause: the rest follows at its own pace from there.
        assert_eq!(clock.wait_for(ms(160), t0 + ms(10_160)), ms(0));
        assert_eq!(clock.wait_for(ms(200), t0 + ms(10_160)), ms(40));
    }
}
