//! What the worker threads show to the window: newest frame, newest analysis, and the honest figures.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, ArcSwapOption};
use facelens_core::frame::Frame;
use facelens_core::{Analysis, StageTimings};
use facelens_media::{SourceError, SourceInfo};
use facelens_session::AnalysisSink;

use super::metrics::LiveMetrics;

/// The figures change at most this often, unless something happens to the source.
const PUBLISH_EVERY: Duration = Duration::from_millis(250);
/// Where the window is not woken for each frame, its analysis is to bring the figures: a repaint less. Not when it is as
/// late as this.
const PUBLISH_LATE: Duration = Duration::from_millis(500);

/// What the window shows of the source.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceState {
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

impl SourceState {
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
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// The source and how it does.
    pub shown: SourceState,
    /// Frames that the source gave, a second.
    pub capture_fps: f32,
    /// Frames that were analysed, a second.
    pub analysed_fps: f32,
    /// Median time per stage over the last frames.
    pub stages: StageTimings,
    /// Median delay from a frame's arrival to its analysis being ready, milliseconds.
    pub delay_ms: f32,
    /// Frames that the source took since it was opened, as far as it numbers them.
    pub captured: u64,
    /// Frames analysed since then.
    pub analysed: u64,
    /// Frames of a camera that were lost on the way or that a newer one replaced before they could be analysed.
    pub dropped: u64,
    /// The last error of a detector or network, where frames fail, or of a picture that was skipped.
    pub analysis_error: Option<String>,
}

/// Who may see whatever source there is, one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastingSink {
    /// The live outputs.
    Outputs,
    /// The gait of people.
    Gait,
}

/// Who sees the analyses.
#[derive(Clone, Default)]
struct Sinks {
    /// Sees one source.
    of_source: Option<Arc<dyn AnalysisSink>>,
    /// See whatever source there is, by [`LastingSink`].
    lasting: [Option<Arc<dyn AnalysisSink>>; 2],
}

impl Sinks {
    fn lasting(&self) -> Vec<Arc<dyn AnalysisSink>> {
        self.lasting.iter().flatten().cloned().collect()
    }
}

/// Shared by the window and both workers. Everything that belongs to a source carries its generation: what comes from
/// an older one is thrown away.
pub(super) struct LiveState {
    frame: ArcSwapOption<Frame>,
    analysis: ArcSwapOption<Analysis>,
    status: ArcSwap<Status>,
    figures: Mutex<LiveMetrics>,
    sinks: Mutex<Sinks>,
    /// Frames are shown when they are analysed: one that has only come is no news.
    waits: AtomicBool,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl LiveState {
    /// The empty state of generation 1 whose source is being opened.
    pub(super) fn new(wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        let figures = LiveMetrics::new(1);
        Self {
            frame: ArcSwapOption::empty(),
            analysis: ArcSwapOption::empty(),
            status: ArcSwap::from_pointee(figures.status(Instant::now())),
            figures: Mutex::new(figures),
            sinks: Mutex::default(),
            waits: AtomicBool::new(false),
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

    /// From now on `sink` sees every analysed frame of this source, in the place of any other.
    pub(super) fn set_sink(&self, sink: Option<Arc<dyn AnalysisSink>>) {
        self.sinks().of_source.clone_from(&sink);
        if let Some(sink) = sink.filter(|_| self.figures().ended) {
            sink.source_ended();
        }
    }

    /// From now on `sink` sees every analysed frame of every source, in the place of the one that had its `place`.
    pub(super) fn set_lasting_sink(&self, place: LastingSink, sink: Option<Arc<dyn AnalysisSink>>) {
        self.sinks().lasting[place as usize].clone_from(&sink);
        let info = self.figures().shown.info().cloned();
        if let Some((sink, info)) = sink.zip(info) {
            sink.source_opened(&info);
        }
    }

    fn sinks(&self) -> MutexGuard<'_, Sinks> {
        self.sinks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the window shows frames only once they are analysed. It is not woken for each one that comes then.
    pub(super) fn set_waits(&self, waits: bool) {
        self.waits.store(waits, Ordering::Relaxed);
    }

    /// The source whose pictures count.
    pub(super) fn generation(&self) -> u64 {
        self.figures().generation
    }

    /// From now on another source counts: clears the state and gives its generation.
    pub(super) fn begin(&self) -> u64 {
        let generation = {
            let mut figures = self.figures();
            *figures = LiveMetrics::new(figures.generation + 1);
            self.frame.store(None);
            self.analysis.store(None);
            self.publish(&mut figures, Duration::ZERO);
            figures.generation
        };
        let (of_source, lasting) = {
            let mut sinks = self.sinks();
            (sinks.of_source.take(), sinks.lasting())
        };
        for sink in of_source.into_iter().chain(lasting) {
            sink.source_changed();
        }
        (self.wake)();
        generation
    }

    /// From now on frames of another place in the same source count: gives their generation. What is shown stays until
    /// they come; whoever follows people or their gait begins anew.
    pub(super) fn jump(&self) -> u64 {
        let generation = {
            let mut figures = self.figures();
            let shown = figures.shown.clone();
            *figures = LiveMetrics { shown, ..LiveMetrics::new(figures.generation + 1) };
            self.publish(&mut figures, Duration::ZERO);
            figures.generation
        };
        let lasting = self.sinks().lasting();
        let info = self.figures().shown.info().cloned();
        for sink in lasting {
            sink.source_changed();
            if let Some(info) = &info {
                sink.source_opened(info);
            }
        }
        (self.wake)();
        generation
    }

    /// Says how the source does.
    pub(super) fn show(&self, generation: u64, shown: SourceState) {
        let opened = if let SourceState::Running(info) = &shown { Some(info.clone()) } else { None };
        let counts = self.change(generation, true, |figures| {
            figures.shown = shown;
            figures.ended = false;
        });
        if let Some(info) = opened.filter(|_| counts) {
            let lasting = self.sinks().lasting();
            lasting.iter().for_each(|sink| sink.source_opened(&info));
        }
    }

    /// The last frame of a source that is over was analysed: whoever sees this source is told.
    pub(super) fn ended(&self, generation: u64) {
        {
            let mut figures = self.figures();
            // A camera that failed may be back.
            let over = matches!(figures.shown, SourceState::Ended(_) | SourceState::Failed(_));
            if figures.generation != generation || !over {
                return;
            }
            figures.ended = true;
        }
        let sink = self.sinks().of_source.clone();
        if let Some(sink) = sink {
            sink.source_ended();
        }
    }

    /// The analysis is gone: no frame that still waits is analysed any more.
    pub(super) fn analysis_gone(&self) {
        self.ended(self.generation());
    }

    /// A frame came, and `missed` before it did not. `false`: it is from a source that no longer counts.
    pub(super) fn captured(&self, generation: u64, frame: &Arc<Frame>, missed: u64) -> bool {
        let quiet = self.waits.load(Ordering::Relaxed) && self.analysis.load().is_some();
        let publish_after = if quiet { PUBLISH_LATE } else { PUBLISH_EVERY };
        self.change_quietly(generation, quiet, publish_after, |figures| {
            figures.captured.count(Instant::now());
            figures.counts.add(missed);
            self.frame.store(Some(Arc::clone(frame)));
        })
    }

    /// Frames were replaced by newer ones.
    pub(super) fn replaced(&self, generation: u64, frames: usize) {
        let mut figures = self.figures();
        if figures.generation == generation {
            figures.counts.replaced(frames);
        }
    }

    /// An analysis is ready; `again`: of a frame that was analysed before. `error` stays beside it.
    pub(super) fn analysed(&self, generation: u64, analysis: Analysis, again: bool, error: Option<String>) {
        let now = Instant::now();
        let analysis = Arc::new(analysis);
        // A newer frame is there: it is analysed next, or the one after it is shown before.
        let newest = self.frame.load().as_ref().map(|frame| frame.sequence);
        let quiet = !self.waits.load(Ordering::Relaxed) && newest > Some(analysis.frame.sequence);
        let counts = self.change_quietly(generation, quiet, PUBLISH_EVERY, |figures| {
            if !again {
                let delay = now.saturating_duration_since(analysis.frame.captured_at);
                figures.analysed.count(now);
                figures.add_timings(analysis.timings, delay.as_secs_f32() * 1000.0);
            }
            figures.analysis_error = error;
            self.analysis.store(Some(Arc::clone(&analysis)));
        });
        if counts && !again {
            let (of_source, lasting) = {
                let sinks = self.sinks();
                (sinks.of_source.clone(), sinks.lasting())
            };
            for sink in of_source.into_iter().chain(lasting) {
                sink.analysed(&analysis);
            }
        }
    }

    /// A frame, a picture or the whole analysis failed. Whoever reads the status says so.
    pub(super) fn analysis_failed(&self, generation: u64, error: String) {
        let news = self.figures().analysis_error.as_ref() != Some(&error);
        self.change(generation, news, |figures| figures.analysis_error = Some(error));
    }

    /// Time goes on: rates fall where nothing comes.
    pub(super) fn tick(&self) {
        // Late: while frames come, their analyses bring the figures.
        let published = self.publish(&mut self.figures(), PUBLISH_LATE);
        if published {
            (self.wake)();
        }
    }

    /// Changes the figures of `generation` and wakes the window; `false` where another source counts now.
    fn change(&self, generation: u64, at_once: bool, change: impl FnOnce(&mut LiveMetrics)) -> bool {
        let after = if at_once { Duration::ZERO } else { PUBLISH_EVERY };
        self.change_quietly(generation, false, after, change)
    }

    /// As [`change`](Self::change); where it is `quiet`, the window is woken only for new figures. They are shown when the
    /// last ones are this old.
    fn change_quietly(
        &self,
        generation: u64,
        quiet: bool,
        publish_after: Duration,
        change: impl FnOnce(&mut LiveMetrics),
    ) -> bool {
        let published = {
            let mut figures = self.figures();
            if figures.generation != generation {
                return false;
            }
            change(&mut figures);
            self.publish(&mut figures, publish_after)
        };
        if published || !quiet {
            (self.wake)();
        }
        true
    }

    /// Shows the figures where the last ones are this old and they are other ones than before; whether it did.
    fn publish(&self, figures: &mut LiveMetrics, after: Duration) -> bool {
        let now = Instant::now();
        if figures.published_at.is_some_and(|last| now.saturating_duration_since(last) < after) {
            return false;
        }
        figures.published_at = Some(now);
        let status = figures.status(now);
        let news = *self.status.load_full() != status;
        if news {
            self.status.store(Arc::new(status));
        }
        news
    }

    /// Held for microseconds. A worker that panicked leaves at worst a figure behind, so the lock is taken as it is.
    fn figures(&self) -> MutexGuard<'_, LiveMetrics> {
        self.figures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;
    use crate::pipeline::metrics::RATE_TIME;

    #[test]
    fn figures_are_medians_and_belong_to_one_source() {
        let live_state = LiveState::new(Arc::new(|| ()));
        let frame = Arc::new(Frame::from_rgb(1, 1, vec![0; 3]).unwrap());
        for detect in [1.0, 100.0, 3.0] {
            let timings = StageTimings { detect, ..StageTimings::default() };
            assert!(live_state.captured(1, &frame, 0));
            live_state.analysed(1, Analysis { frame: Arc::clone(&frame), faces: vec![], timings }, false, None);
        }
        live_state.replaced(1, 2);
        live_state.show(1, SourceState::Opening);
        let status = live_state.status();
        assert_eq!((status.captured, status.analysed, status.dropped), (3, 3, 2));
        assert_eq!(status.stages.detect, 3.0);

        let generation = live_state.begin();
        assert!(live_state.frame().is_none() && live_state.analysis().is_none());
        assert!(!live_state.captured(1, &frame, 0), "an old source no longer counts");
        let timings = StageTimings::default();
        live_state.analysed(1, Analysis { frame: Arc::clone(&frame), faces: vec![], timings }, false, None);
        assert!(live_state.frame().is_none() && live_state.analysis().is_none());
        assert_eq!(live_state.status().captured, 0);
        assert!(live_state.captured(generation, &frame, 0) && live_state.frame().is_some());
    }

    #[test]
    fn the_window_is_woken_for_news_only() {
        let woken = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&woken);
        let live_state = LiveState::new(Arc::new(move || {
            counter.fetch_add(1, Ordering::SeqCst);
        }));
        let count = || woken.swap(0, Ordering::SeqCst);
        let frame = Arc::new(Frame::from_rgb(1, 1, vec![0; 3]).unwrap());
        let analysed = || {
            let timings = StageTimings::default();
            live_state.analysed(1, Analysis { frame: Arc::clone(&frame), faces: vec![], timings }, false, None);
        };
        // A frame that came is shown at once where nothing is analysed yet, or where the window does not wait.
        live_state.set_waits(true);
        live_state.captured(1, &frame, 0);
        assert_eq!(count(), 1);
        analysed();
        assert_eq!(count(), 1);
        live_state.set_waits(false);
        live_state.captured(1, &frame, 0);
        assert_eq!(count(), 1);
        live_state.set_waits(true);
        live_state.figures().published_at = Some(Instant::now() + PUBLISH_EVERY);
        live_state.captured(1, &frame, 0);
        assert_eq!(count(), 0);
        analysed();
        assert_eq!(count(), 1);
        // While frames come, an analysis of an older one is seen with the next. The last of them wakes the window.
        live_state.set_waits(false);
        let newer = Arc::new(Frame::from_rgb(1, 1, vec![0; 3]).unwrap().at(1, Duration::ZERO));
        live_state.captured(1, &newer, 0);
        assert_eq!(count(), 1);
        analysed();
        assert_eq!(count(), 0);
        let timings = StageTimings::default();
        live_state.analysed(1, Analysis { frame: newer, faces: vec![], timings }, false, None);
        assert_eq!(count(), 1);
        live_state.set_waits(true);
        // New figures come with the analysis, not with its frame; they come with the frame where the analysis is late.
        for (age, woken) in [(PUBLISH_EVERY, 0), (PUBLISH_LATE, 1)] {
            live_state.figures().published_at = Some(Instant::now() - age);
            live_state.captured(1, &frame, 0);
            assert_eq!(count(), woken, "{age:?}");
        }
        live_state.figures().published_at = Some(Instant::now() - PUBLISH_EVERY);
        live_state.tick();
        assert_eq!(count(), 0, "neither do they come by themselves while frames do");
        live_state.figures().published_at = Some(Instant::now());
        analysed();
        assert_eq!(count(), 1);
        // Time goes on: once nothing comes any more, the figures stay as they are.
        let later = |live_state: &LiveState| {
            let mut figures = live_state.figures();
            figures.published_at = None;
            let LiveMetrics { captured, analysed, .. } = &mut *figures;
            for rate in [captured, analysed] {
                rate.recent.clear();
                rate.first = rate.first.map(|first| first - RATE_TIME);
            }
        };
        later(&live_state);
        live_state.tick();
        assert_eq!(count(), 1, "the last analysis is counted");
        later(&live_state);
        live_state.tick();
        assert_eq!(count(), 0);
    }
}
