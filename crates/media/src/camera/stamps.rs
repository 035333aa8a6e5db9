//! When a driver took a picture, by whatever clock it has.

use std::time::{Duration, Instant};

use super::driver::Clocks;

/// Older than this was no picture when it was fetched.
const OLDEST: Duration = Duration::from_secs(1);
/// So far a clock may be ahead of ours: they are not read at the same time.
const AHEAD: Duration = Duration::from_millis(2);

/// The times of one camera's pictures.
#[derive(Debug, Default)]
pub(super) struct Stamps {
    /// The last stamp by a clock of the driver's own, and when that was at the latest.
    own: Option<(Duration, Instant)>,
}

impl Stamps {
    /// When the picture was taken. Drivers stamp by the clock that runs since the machine started, as they should, by the
    /// wall clock, by one of their own, or not at all; then the picture counts as taken when it was fetched.
    pub(super) fn place(&mut self, stamp: Duration, clocks: Clocks) -> Instant {
        let age = |clock: Option<Duration>| age(clock?, stamp);
        if stamp.is_zero() {
            return clocks.now;
        }
        if let Some(age) = age(clocks.monotonic).or_else(|| age(clocks.wall)) {
            self.own = None;
            return before(clocks.now, age);
        }
        self.by_its_own(stamp, clocks.now)
    }

    /// By a clock of which only is known how it goes on.
    fn by_its_own(&mut self, stamp: Duration, now: Instant) -> Instant {
        let expected = self.own.and_then(|(last, at)| {
            let expected = at.checked_add(stamp.checked_sub(last).filter(|step| !step.is_zero())?)?;
            // What comes late was held up; what comes early shows that those before were.
            (now.saturating_duration_since(expected) <= OLDEST && expected.saturating_duration_since(now) <= OLDEST)
                .then_some(expected.min(now))
        });
        let at = expected.unwrap_or(now);
        self.own = Some((stamp, at));
        at
    }
}

fn age(clock: Duration, stamp: Duration) -> Option<Duration> {
    match clock.checked_sub(stamp) {
        Some(age) => (age <= OLDEST).then_some(age),
        None => (stamp - clock <= AHEAD).then_some(Duration::ZERO),
    }
}

fn before(now: Instant, age: Duration) -> Instant {
    now.checked_sub(age).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    /// Where pictures of 40 ms are placed that are fetched with a delay, by a clock that was at `begin` when they began.
    fn placed(begin: Duration, delays: &[u64]) -> Vec<u64> {
        let start = Instant::now() + HOUR;
        let mut stamps = Stamps::default();
        let place = |(number, &delay): (usize, &u64)| {
            let taken = Duration::from_millis(40 * number as u64);
            let elapsed = taken + Duration::from_millis(delay);
            let now = start + elapsed;
            let clocks = Clocks { now, monotonic: Some(HOUR + elapsed), wall: Some(HOUR * 500_000 + elapsed) };
            let stamp = if begin.is_zero() { begin } else { begin + taken };
            (stamps.place(stamp, clocks) - start).as_millis() as u64
        };
        delays.iter().enumerate().map(place).collect()
    }

    #[test]
    fn the_driver_s_clock_tells_when_a_picture_was_taken() {
        let delays = [5, 9, 1, 30, 12];
        let taken = [0, 40, 80, 120, 160];
        // Since the machine started, and since 1970.
        assert_eq!(placed(HOUR, &delays), taken);
        assert_eq!(placed(HOUR * 500_000, &delays), taken);
        // One of its own: as near as the quickest picture before.
        assert_eq!(placed(Duration::from_secs(7), &delays), [5, 45, 81, 121, 161]);
        // None.
        assert_eq!(placed(Duration::ZERO, &delays), [5, 49, 81, 150, 172]);
    }

    #[test]
    fn a_clock_that_jumps_or_stands_still_counts_for_nothing() {
        let start = Instant::now() + HOUR;
        let mut stamps = Stamps::default();
        let mut at = |stamp: u64, now: u64| {
            let clocks = Clocks { now: start + Duration::from_millis(now), monotonic: Some(HOUR), wall: None };
            (stamps.place(Duration::from_millis(stamp), clocks) - start).as_millis()
        };
        assert_eq!([at(100, 0), at(140, 45), at(9_000_000, 80), at(9_000_040, 125)], [0, 40, 80, 120]);
        assert_eq!([at(50, 160), at(50, 200), at(50, 240)], [160, 200, 240]);
    }
}
