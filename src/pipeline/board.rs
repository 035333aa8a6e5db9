//! What the worker threads show to the window: newest frame, newest analysis, and the honest figures.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};

use super::{Analysis, StageTimings};
use crate::frame::Frame;
use crate::source::{SourceError, SourceInfo};

/// Rates count over this time.
const RATE_TIME: Duration = Duration::from_secs(2);
/// Nothing is said of a rate before this time.
const LEAST_RATE_TIME: Duration = Duration::from_millis(250);
/// Medians are taken over this many analyses.
const MEDIAN_OF: usize = 60;
/// The figures change at most this often, unless something happens to the source.
const PUBLISH_EVERY: Duration = Duration::from_millis(250);

/// What the window shows of the source.
#[derive(Clone, Debug)]
pub enum Shown {
    /// The source is being opened.
    Opening,
    /// Pictures come.
    Running(SourceInfo),
    /// No picture for a while; it is tried on.
    Stalled {
        /// The source.
        info: SourceInfo,
        /// Seconds without a picture.
        silent_secs: f32,
    },
    /// The camera is gone; it is looked for.
    Disconnected {
        /// The source.
        info: SourceInfo,
        /// The device's words.
        reason: String,
    },
    /// A file is over; its last frame stays.
    Ended(SourceInfo),
    /// The source could not be opened or broke. A camera is tried again every two seconds.
    Failed(SourceError),
}

impl Shown {
    /// What the source is, where it is or was open.
    pub fn info(&self) -> Option<&SourceInfo> {
        match self {
            Self::Running(info) | Self::Stalled { info, .. } | Self::Disconnected { info, .. } | Self::Ended(info) => {
                Some(info)
            }
            Self::Opening | Self::Failed(_) => None,
        }
    }
}

/// The honest figures. Rates are over the last two seconds.
#[derive(Clone, Debug)]
pub struct Status {
    /// The source and how it does.
    pub shown: Shown,
    /// Frames that the source gave, a second.
    pub capture_fps: f32,
    /// Frames that were analysed, a second.
    pub analysed_fps: f32,
    /// Median time per stage over the last frames.
    pub stages: StageTimings,
    /// Median delay from a frame's arrival to its analysis being ready, milliseconds.
    pub delay_ms: f32,
    /// Frames since the source was opened.
    pub captured: u64,
    /// Frames analysed since then.
    pub analysed: u64,
    /// Frames that a newer one replaced before they could be analysed.
    pub dropped: u64,
    /// The last error of a detector or network, where frames fail, or of a picture that was skipped.
    pub analysis_error: Option<String>,
}

/// Sees every frame that the live pipeline analyses, not only the newest.
pub trait Tap: Send + Sync {
    /// A frame was analysed. Called on the analysis thread: must not wait.
    fn analysed(&self, analysis: &Arc<Analysis>);

    /// The source was changed or opened anew: a tap of one source is taken off, and sees nothing any more.
    fn source_changed(&self);

    /// Pictures of this source come from now on. Only a lasting tap is told.
    fn source_opened(&self, _info: &SourceInfo) {}
}

/// Who sees the analyses.
#[derive(Clone, Default)]
struct Taps {
    /// Sees one source.
    of_source: Option<Arc<dyn Tap>>,
    /// Sees whatever source there is.
    lasting: Option<Arc<dyn Tap>>,
}

/// Shared by the window and both workers. Everything that belongs to a source carries its generation: what comes from
/// an older one is thrown away.
pub(super) struct Board {
    frame: ArcSwapOption<Frame>,
    analysis: ArcSwapOption<Analysis>,
    status: ArcSwap<Status>,
    figures: Mutex<Figures>,
    taps: Mutex<Taps>,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl Board {
    /// An empty board of generation 1 whose source is being opened.
    pub(super) fn new(wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        let figures = Figures::new(1);
        Self {
            frame: ArcSwapOption::empty(),
            analysis: ArcSwapOption::empty(),
            status: ArcSwap::from_pointee(figures.status(Instant::now())),
            figures: Mutex::new(figures),
            taps: Mutex::default(),
            wake,
        }
    }

    pub(super) fn frame(&self) -> Option<Arc<Frame>> {
        self.frame.load_full()
    }

    pub(super) fn analysis(&self) -> Option<Arc<Analysis>> {
        self.analysis.load_full()
    }

    pub(super) fn status(&self) -> Arc<Status> {
        self.status.load_full()
    }

    /// From now on `tap` sees every analysed frame of this source, in the place of any other.
    pub(super) fn set_tap(&self, tap: Option<Arc<dyn Tap>>) {
        self.taps().of_source = tap;
    }

    /// From now on `tap` sees every analysed frame of every source, in the place of any other lasting one.
    pub(super) fn set_lasting_tap(&self, tap: Option<Arc<dyn Tap>>) {
        self.taps().lasting.clone_from(&tap);
        let info = self.figures().shown.info().cloned();
        if let Some((tap, info)) = tap.zip(info) {
            tap.source_opened(&info);
        }
    }

    fn taps(&self) -> MutexGuard<'_, Taps> {
        self.taps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The source whose pictures count.
    pub(super) fn generation(&self) -> u64 {
        self.figures().generation
    }

    /// From now on another source counts: clears the board and gives its generation.
    pub(super) fn begin(&self) -> u64 {
        let generation = {
            let mut figures = self.figures();
            *figures = Figures::new(figures.generation + 1);
            self.frame.store(None);
            self.analysis.store(None);
            self.publish(&mut figures, true);
            figures.generation
        };
        let (of_source, lasting) = {
            let mut taps = self.taps();
            (taps.of_source.take(), taps.lasting.clone())
        };
        for tap in [of_source, lasting].into_iter().flatten() {
            tap.source_changed();
        }
        (self.wake)();
        generation
    }

    /// Says how the source does.
    pub(super) fn show(&self, generation: u64, shown: Shown) {
        let opened =
            if let Shown::Running(info) = &shown { self.taps().lasting.clone().zip(Some(info.clone())) } else { None };
        let counts = self.change(generation, true, |figures| figures.shown = shown);
        if let Some((tap, info)) = opened.filter(|_| counts) {
            tap.source_opened(&info);
        }
    }

    /// A frame came. `false`: it is from a source that no longer counts.
    pub(super) fn captured(&self, generation: u64, frame: &Arc<Frame>) -> bool {
        self.change(generation, false, |figures| {
            figures.captured.count(Instant::now());
            self.frame.store(Some(Arc::clone(frame)));
        })
    }

    /// Frames were replaced by newer ones.
    pub(super) fn dropped(&self, generation: u64, count: usize) {
        let mut figures = self.figures();
        if figures.generation == generation {
            figures.dropped += count as u64;
        }
    }

    /// An analysis is ready; `again`: of a frame that was analysed before. `error` stays beside it.
    pub(super) fn analysed(&self, generation: u64, analysis: Analysis, again: bool, error: Option<String>) {
        let now = Instant::now();
        let analysis = Arc::new(analysis);
        let counts = self.change(generation, false, |figures| {
            if !again {
                let delay = now.saturating_duration_since(analysis.frame.captured_at);
                figures.analysed.count(now);
                figures.add_timings(analysis.timings, delay.as_secs_f32() * 1000.0);
            }
            figures.analysis_error = error;
            self.analysis.store(Some(Arc::clone(&analysis)));
        });
        if counts && !again {
            let Taps { of_source, lasting } = self.taps().clone();
            for tap in [of_source, lasting].into_iter().flatten() {
                tap.analysed(&analysis);
            }
        }
    }

    /// A frame, a picture or the whole analysis failed.
    pub(super) fn analysis_failed(&self, generation: u64, error: String) {
        let same = |figures: &Figures| figures.analysis_error.as_ref() == Some(&error);
        let news = !same(&self.figures());
        if news {
            tracing::warn!("{error}");
        }
        self.change(generation, news, |figures| figures.analysis_error = Some(error));
    }

    /// Time goes on: rates fall where nothing comes.
    pub(super) fn tick(&self) {
        let published = self.publish(&mut self.figures(), false);
        if published {
            (self.wake)();
        }
    }

    /// Changes the figures of `generation` and wakes the window; `false` where another source counts now.
    fn change(&self, generation: u64, at_once: bool, change: impl FnOnce(&mut Figures)) -> bool {
        {
            let mut figures = self.figures();
            if figures.generation != generation {
                return false;
            }
            change(&mut figures);
            self.publish(&mut figures, at_once);
        }
        (self.wake)();
        true
    }

    fn publish(&self, figures: &mut Figures, at_once: bool) -> bool {
        let now = Instant::now();
        let due = at_once || figures.published_at.is_none_or(|last| now.duration_since(last) >= PUBLISH_EVERY);
        if due {
            figures.published_at = Some(now);
            self.status.store(Arc::new(figures.status(now)));
        }
        due
    }

    /// Held for microseconds. A worker that panicked leaves at worst a figure behind, so the lock is taken as it is.
    fn figures(&self) -> MutexGuard<'_, Figures> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The figures of one source.
struct Figures {
    generation: u64,
    shown: Shown,
    captured: Rate,
    analysed: Rate,
    dropped: u64,
    recent: VecDeque<(StageTimings, f32)>,
    analysis_error: Option<String>,
    published_at: Option<Instant>,
}

impl Figures {
    fn new(generation: u64) -> Self {
        Self {
            generation,
            shown: Shown::Opening,
            captured: Rate::default(),
            analysed: Rate::default(),
            dropped: 0,
            recent: VecDeque::with_capacity(MEDIAN_OF),
            analysis_error: None,
            published_at: None,
        }
    }

    fn add_timings(&mut self, timings: StageTimings, delay_ms: f32) {
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

    fn status(&self, now: Instant) -> Status {
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
            captured: self.captured.total,
            analysed: self.analysed.total,
            dropped: self.dropped,
            analysis_error: self.analysis_error.clone(),
        }
    }
}

/// How often something happens.
#[derive(Default)]
struct Rate {
    total: u64,
    first: Option<Instant>,
    recent: VecDeque<Instant>,
}

impl Rate {
    fn count(&mut self, now: Instant) {
        self.total += 1;
        self.first.get_or_insert(now);
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|time| now.duration_since(*time) > RATE_TIME) {
            self.recent.pop_front();
        }
    }

    /// Per second over the last [`RATE_TIME`], or since the first where that is nearer; 0 until something can be said.
    fn per_second(&self, now: Instant) -> f32 {
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

    #[test]
    fn figures_are_medians_and_belong_to_one_source() {
        let board = Board::new(Arc::new(|| ()));
        let frame = Arc::new(Frame::from_rgb(1, 1, vec![0; 3]).unwrap());
        for detect in [1.0, 100.0, 3.0] {
            let timings = StageTimings { detect, ..StageTimings::default() };
            assert!(board.captured(1, &frame));
            board.analysed(1, Analysis { frame: Arc::clone(&frame), faces: vec![], timings }, false, None);
        }
        board.dropped(1, 2);
        board.show(1, Shown::Opening);
        let status = board.status();
        assert_eq!((status.captured, status.analysed, status.dropped), (3, 3, 2));
        assert_eq!(status.stages.detect, 3.0);

        let generation = board.begin();
        assert!(board.frame().is_none() && board.analysis().is_none());
        assert!(!board.captured(1, &frame), "an old source no longer counts");
        let timings = StageTimings::default();
        board.analysed(1, Analysis { frame: Arc::clone(&frame), faces: vec![], timings }, false, None);
        assert!(board.frame().is_none() && board.analysis().is_none());
        assert_eq!(board.status().captured, 0);
        assert!(board.captured(generation, &frame) && board.frame().is_some());
    }
}
