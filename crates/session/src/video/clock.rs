//! Capture times to the video's own clock.

use std::num::NonZeroU32;
use std::time::Duration;

/// Ticks a second of the video's clock: the usual one for video, 11 microseconds a tick.
pub(crate) const TIMESCALE: NonZeroU32 = NonZeroU32::new(90_000).unwrap();

/// Capture times to a clock that begins at 0 and never stands still. Its own times, placed again, stay what they are.
pub(crate) struct VideoClock {
    /// Capture time and ticks of the moment that times are counted from.
    origin: Option<(Duration, u64)>,
    /// Capture time and ticks of the last picture.
    last: Option<(Duration, u64)>,
    /// How long a picture stands, ticks: the step between the last two.
    step: u64,
}

impl VideoClock {
    /// A clock whose first picture stands for `single_frame` where no second one tells the rate.
    pub(crate) fn new(single_frame: Duration) -> Self {
        Self { origin: None, last: None, step: ticks(single_frame).max(1) }
    }

    /// The ticks of a picture that was captured at `time`. A time that stands still or jumps back goes on one picture's
    /// length after the last one.
    pub(crate) fn place(&mut self, time: Duration) -> u64 {
        let now = match (self.origin, self.last) {
            (Some(_), Some((last_time, last))) if time <= last_time => {
                let now = last.saturating_add(self.step);
                self.origin = Some((time, now));
                now
            }
            (Some((origin, at)), Some((_, last))) => {
                let now = at.saturating_add(ticks(time - origin));
                if now > last {
                    self.step = now - last;
                }
                now.max(last.saturating_add(1))
            }
            _ => {
                self.origin = Some((time, 0));
                0
            }
        };
        self.last = Some((time, now));
        now
    }

    /// The end of the last picture, ticks.
    pub(crate) fn end(&self) -> u64 {
        self.last.map_or(0, |(_, last)| last.saturating_add(self.step))
    }
}

/// A duration in ticks, rounded.
pub(crate) fn ticks(duration: Duration) -> u64 {
    (duration.as_secs_f64() * f64::from(TIMESCALE.get())).round() as u64
}

/// Ticks as a duration, to the nanosecond.
pub(crate) fn duration(ticks: u64) -> Duration {
    Duration::from_secs_f64(ticks as f64 / f64::from(TIMESCALE.get()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_count_from_the_first_and_never_stand_still_or_go_back() {
        let mut clock = VideoClock::new(Duration::from_millis(33));
        let millis = [700, 740, 740, 780, 10, 50];
        let placed = millis.map(|millis| clock.place(Duration::from_millis(millis)));
        assert_eq!(placed, [0, 3600, 7200, 10_800, 14_400, 18_000]);
        assert_eq!(clock.end(), 21_600);
    }

    #[test]
    fn times_beyond_all_sense_end_at_the_last_tick() {
        let mut clock = VideoClock::new(Duration::MAX);
        assert_eq!([1, 0, 1, 0].map(|secs| clock.place(Duration::from_secs(secs))), [0, u64::MAX, u64::MAX, u64::MAX]);
        assert_eq!(clock.end(), u64::MAX);
    }

    #[test]
    fn its_own_times_placed_again_stay() {
        let (mut first, mut second) =
            (VideoClock::new(Duration::from_millis(33)), VideoClock::new(Duration::from_millis(33)));
        for number in 0..1000_u64 {
            let ticks = first.place(Duration::from_micros(number * 33_367 + number % 7 * 1013));
            assert_eq!(second.place(duration(ticks)), ticks);
        }
        assert_eq!(first.end(), second.end());
    }
}
