//! What is counted of one source, and the figures that the window shows of it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use facelens_core::StageTimings;

use super::frames::FrameCounts;
use super::live_state::{SourceState, Status};

/// Rates count over this time.
pub(super) const RATE_TIME: Duration = Duration::from_secs(2);
/// Nothing is said of a rate before this time.
const LEAST_RATE_TIME: Duration = Duration::from_millis(250);
/// Medians are taken over this many analyses.
const MEDIAN_OF: usize = 60;

/// The figures of one source.
pub(super) struct LiveMetrics {
    pub(super) generation: u64,
    pub(super) shown: SourceState,
    pub(super) counts: FrameCounts,
    pub(super) captured: Rate,
    pub(super) analysed: Rate,
    pub(super) recent: VecDeque<(StageTimings, f32)>,
    pub(super) analysis_error: Option<String>,
    /// The source is over, and its last frame analysed.
    pub(super) ended: bool,
    pub(super) published_at: Option<Instant>,
}

impl LiveMetrics {
    pub(super) fn new(generation: u64) -> Self {
        Self {
            generation,
            shown: SourceState::Opening,
            counts: FrameCounts::default(),
            captured: Rate::default(),
            analysed: Rate::default(),
            recent: VecDeque::with_capacity(MEDIAN_OF),
            analysis_error: None,
            ended: false,
            published_at: None,
        }
    }

    pub(super) fn add_timings(&mut self, timings: StageTimings, delay_ms: f32) {
        if self.recent.len() == MEDIAN_OF {
            self.recent.pop_front();
        }
        self.recent.push_back((timings, delay_ms));
    }

    fn median(&self, of: impl Fn(&(StageTimings, f32)) -> f32) -> f32 {
        let mut values: Vec<f32> = self.recent.iter().map(of).collect();
        values.sort_unstable_by(f32::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    }

    pub(super) fn status(&self, now: Instant) -> Status {
        Status {
            shown: self.shown.clone(),
            capture_fps: self.captured.per_second(now),
            analysed_fps: self.analysed.per_second(now),
            stages: StageTimings {
                detect: self.median(|(stages, _)| stages.detect),
                crop: self.median(|(stages, _)| stages.crop),
                age: self.median(|(stages, _)| stages.age),
                gender: self.median(|(stages, _)| stages.gender),
                pose: self.median(|(stages, _)| stages.pose),
                track: self.median(|(stages, _)| stages.track),
            },
            delay_ms: self.median(|(_, delay_ms)| *delay_ms),
            captured: self.counts.captured,
            analysed: self.analysed.total,
            dropped: self.counts.lost,
            analysis_error: self.analysis_error.clone(),
        }
    }
}

/// How often something happens.
#[derive(Default)]
pub(super) struct Rate {
    pub(super) total: u64,
    pub(super) first: Option<Instant>,
    pub(super) recent: VecDeque<Instant>,
}

impl Rate {
    pub(super) fn count(&mut self, now: Instant) {
        self.total += 1;
        self.first.get_or_insert(now);
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|time| now.duration_since(*time) > RATE_TIME) {
            self.recent.pop_front();
        }
    }

    /// Per second over the last [`RATE_TIME`], or since the first where that is nearer; 0 until something can be said.
    pub(super) fn per_second(&self, now: Instant) -> f32 {
        let Some(first) = self.first else { return 0.0 };
        let age = now.saturating_duration_since(first);
        let count = self.recent.iter().filter(|time| now.saturating_duration_since(**time) <= RATE_TIME).count();
        if age < LEAST_RATE_TIME {
            0.0
        } else if age < RATE_TIME {
            count.saturating_sub(1) as f32 / age.as_secs_f32()
        } else {
            count as f32 / RATE_TIME.as_secs_f32()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(40);

    #[test]
    fn a_rate_settles_soon_and_falls_to_zero_when_nothing_comes() {
        let (mut rate, start) = (Rate::default(), Instant::now());
        for i in 0..100 {
            rate.count(start + FRAME * i);
        }
        let now = start + FRAME * 99;
        assert!((rate.per_second(now) - 25.0).abs() < 0.6, "{}", rate.per_second(now));
        assert!((rate.per_second(now + RATE_TIME / 2) - 12.5).abs() < 0.6);
        assert_eq!(rate.per_second(now + RATE_TIME * 2), 0.0);

        let (mut rate, start) = (Rate::default(), Instant::now());
        for i in 0..=20 {
            rate.count(start + FRAME * i);
        }
        assert!((rate.per_second(start + FRAME * 20) - 25.0).abs() < 0.1);
    }
}
