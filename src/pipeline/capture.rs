//! The thread `capture`: opens the source, reads it, shows every picture and hands it to the analysis.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use facelens_base::panic_words;
use facelens_media::{Source, SourceError, SourceErrorKind, SourceInfo, SourceKind, SourceSpec};

use super::analysis_thread::{AnalysisInbox, AnalysisJob, FrameJob};
use super::frames::{FrameTaker, NextStep, SourceEvent, read_frames, stopped_unexpectedly};
use super::inbox::{Inbox, Message, Refused};
use super::live_state::{LiveState, SourceState};

/// How often the figures are refreshed while there is nothing to read.
const TICK: Duration = Duration::from_millis(250);
/// How soon a camera that failed is tried again.
const RETRY: Duration = Duration::from_millis(if cfg!(test) { 100 } else { 2000 });
/// How long one try waits for the analysis to take a file's frame, before orders are looked at.
const HAND_OVER: Duration = Duration::from_millis(20);

/// Opens a source. May take seconds.
pub(super) type OpenSource = Arc<dyn Fn(&SourceSpec) -> Result<Box<dyn Source>, SourceError> + Send + Sync>;

/// Orders to the capture thread. Generations come from [`LiveState::begin`].
pub(super) enum CaptureOrder {
    /// Another source.
    Source(SourceSpec, u64),
    /// The same source from its beginning.
    Restart(u64),
    /// No source until the next one is set.
    LetGo(u64),
    /// Another time of the same source.
    Seek(Duration, u64),
    /// Hold or go on.
    Paused(bool),
    /// One frame further while held.
    Step,
}

/// What the opening of a source came to.
pub(super) struct OpenedSource {
    generation: u64,
    source: Result<Box<dyn Source>, SourceError>,
}

pub(super) type CaptureInbox = Inbox<CaptureOrder, OpenedSource>;

enum CaptureState {
    /// The source is to be opened, once the one before it is let go and all orders are heard.
    ToOpen,
    /// A thread of its own opens the source, so that orders are heard meanwhile.
    Opening,
    Open,
    /// Over or failed; a camera is tried again.
    Closed {
        retry_at: Option<Instant>,
    },
}

pub(super) struct Capture {
    live_state: Arc<LiveState>,
    orders: Arc<CaptureInbox>,
    jobs: Arc<AnalysisInbox>,
    open: OpenSource,
    spec: SourceSpec,
    generation: u64,
    state: CaptureState,
    /// Pictures come, and the live state says so.
    running: bool,
    /// A picture of this source was shown.
    shown_any: bool,
    paused: bool,
    steps: u32,
    /// The generation that the source is opened for.
    opening: u64,
    /// Where the source is to go on, once all orders are heard.
    seek: Option<Duration>,
    /// A file's frame that the analysis has not taken yet.
    waiting_job: Option<FrameJob>,
}

impl Capture {
    pub(super) fn new(
        live_state: Arc<LiveState>,
        orders: Arc<CaptureInbox>,
        jobs: Arc<AnalysisInbox>,
        open: OpenSource,
        first: Option<SourceSpec>,
    ) -> Self {
        let generation = live_state.generation();
        let opens = first.is_some();
        Self {
            live_state,
            orders,
            jobs,
            open,
            // Without a first source, one is set before this is looked at.
            spec: first.unwrap_or(SourceSpec::Demo),
            generation,
            state: if opens { CaptureState::ToOpen } else { CaptureState::Closed { retry_at: None } },
            running: false,
            shown_any: false,
            paused: false,
            steps: 0,
            opening: generation,
            seek: None,
            waiting_job: None,
        }
    }

    /// Works until the inbox is closed.
    pub(super) fn run(mut self) {
        while let Some(mut source) = self.next_source() {
            read_frames(source.as_mut(), &mut self);
        }
    }

    /// Waits until a source is open; `None` where the inbox is closed.
    fn next_source(&mut self) -> Option<Box<dyn Source>> {
        loop {
            let now = Instant::now();
            let deadline = match &self.state {
                CaptureState::ToOpen => now,
                CaptureState::Closed { retry_at: Some(retry_at) } => (*retry_at).min(now + TICK),
                CaptureState::Open | CaptureState::Opening | CaptureState::Closed { .. } => now + TICK,
            };
            match self.orders.receive(Some(deadline)) {
                Message::Closed => return None,
                Message::Command(order) => self.obey(order),
                Message::Job(opened) => {
                    let source = self.opened(opened);
                    if source.is_some() {
                        return source;
                    }
                }
                Message::Nothing => {
                    self.live_state.tick();
                    match &self.state {
                        CaptureState::ToOpen => self.start_opening(),
                        CaptureState::Closed { retry_at: Some(at) } if *at <= Instant::now() => self.start_opening(),
                        CaptureState::Open | CaptureState::Opening | CaptureState::Closed { .. } => {}
                    }
                }
            }
        }
    }

    /// A held file is not read, but for steps and its first picture; a held camera is read, lest it grow stale.
    fn wants_frame(&self, kind: SourceKind) -> bool {
        kind == SourceKind::Camera || !self.paused || self.steps > 0 || !self.shown_any
    }

    fn obey(&mut self, order: CaptureOrder) {
        match order {
            CaptureOrder::Source(spec, generation) => {
                self.spec = spec;
                self.begin(generation);
            }
            CaptureOrder::Restart(generation) => self.begin(generation),
            CaptureOrder::LetGo(generation) => self.let_go(generation),
            CaptureOrder::Seek(time, generation) => self.seek(time, generation),
            CaptureOrder::Paused(paused) => (self.paused, self.steps) = (paused, 0),
            CaptureOrder::Step => self.steps += u32::from(self.paused),
        }
    }

    fn begin(&mut self, generation: u64) {
        // The old source is let go before the new one is opened: it may be the same camera.
        self.let_go(generation);
        self.state = CaptureState::ToOpen;
    }

    fn let_go(&mut self, generation: u64) {
        self.generation = generation;
        (self.running, self.shown_any, self.steps) = (false, false, 0);
        self.seek = None;
        self.waiting_job = None;
        self.state = CaptureState::Closed { retry_at: None };
    }

    /// Frames of before are thrown away by their generation; a source that is over is opened again.
    fn seek(&mut self, time: Duration, generation: u64) {
        self.generation = generation;
        (self.running, self.shown_any, self.steps) = (false, false, 0);
        self.waiting_job = None;
        self.seek = Some(time);
        if matches!(self.state, CaptureState::Closed { .. }) {
            self.state = CaptureState::ToOpen;
        }
    }

    fn start_opening(&mut self) {
        let (open, orders) = (Arc::clone(&self.open), Arc::clone(&self.orders));
        let (spec, generation) = (self.spec.clone(), self.generation);
        self.opening = generation;
        let spawned = thread::Builder::new().name("open".into()).spawn(move || {
            let source = catch_unwind(AssertUnwindSafe(|| open(&spec))).unwrap_or_else(|panic| {
                Err(stopped_unexpectedly(spec.to_string(), "opening it", panic_words(panic.as_ref())))
            });
            // Nobody may want it any more; then it is dropped here.
            let _ = orders.offer(OpenedSource { generation, source }, usize::MAX, None);
        });
        match spawned {
            Ok(_) => self.state = CaptureState::Opening,
            Err(error) => {
                let cause = format!("the system cannot start a thread for it: {error}");
                self.fail(SourceError::new(SourceErrorKind::Other, self.spec.to_string(), cause, ""));
            }
        }
    }

    fn opened(&mut self, opened: OpenedSource) -> Option<Box<dyn Source>> {
        // A seek that came meanwhile is for this source.
        if opened.generation < self.opening || !matches!(self.state, CaptureState::Opening) {
            return None;
        }
        match opened.source {
            Ok(source) => {
                self.live_state.show(self.generation, SourceState::Running(source.info().clone()));
                self.running = true;
                self.state = CaptureState::Open;
                Some(source)
            }
            Err(error) => {
                self.fail(error);
                None
            }
        }
    }

    fn fail(&mut self, error: SourceError) {
        self.over(SourceState::Failed(error));
        let camera = matches!(self.spec, SourceSpec::Camera(_));
        self.state = CaptureState::Closed { retry_at: camera.then(|| Instant::now() + RETRY) };
    }

    fn halted(&mut self, shown: SourceState) {
        self.running = false;
        self.live_state.show(self.generation, shown);
    }

    /// Of a camera the newest frame wins; a file waits until the analysis has taken the one before.
    fn hand_over(&mut self, job: FrameJob) {
        if job.kind == SourceKind::Camera {
            let replaced = self.jobs.replace(AnalysisJob::Frame(job), |old| old.of_frame().is_some());
            let frames = replaced.iter().filter(|old| old.of_frame() == Some(self.generation)).count();
            self.live_state.replaced(self.generation, frames);
            return;
        }
        let offered = self.jobs.offer(AnalysisJob::Frame(job), 1, Some(Instant::now() + HAND_OVER));
        if let Err(Refused::Full(AnalysisJob::Frame(job))) = offered {
            self.waiting_job = Some(job);
        }
    }

    /// No frame comes any more. It is told once those before are analysed: the end queues behind them.
    fn over(&mut self, shown: SourceState) {
        self.running = false;
        self.live_state.show(self.generation, shown);
        if self.jobs.offer(AnalysisJob::End(self.generation), usize::MAX, None).is_err() {
            self.live_state.analysis_gone();
        }
    }
}

impl FrameTaker for Capture {
    /// Hears all orders, hands over the frame that waits, goes to another time, reads: in this order.
    fn next_step(&mut self, info: &SourceInfo) -> NextStep {
        while matches!(self.state, CaptureState::Open) {
            let now = Instant::now();
            let has_work = self.waiting_job.is_some() || self.seek.is_some() || self.wants_frame(info.kind);
            match self.orders.receive(Some(if has_work { now } else { now + TICK })) {
                Message::Closed => break,
                Message::Command(order) => self.obey(order),
                // Nobody wants it any more.
                Message::Job(opened) => drop(opened),
                Message::Nothing => {
                    self.live_state.tick();
                    if let Some(job) = self.waiting_job.take() {
                        self.hand_over(job);
                    } else if let Some(time) = self.seek.take() {
                        return NextStep::Seek(time);
                    } else if self.wants_frame(info.kind) {
                        return NextStep::Read;
                    }
                }
            }
        }
        NextStep::Stop
    }

    fn take(&mut self, info: &SourceInfo, event: SourceEvent) {
        match event {
            SourceEvent::Frame { frame, missed } => {
                if !self.running {
                    self.running = true;
                    self.live_state.show(self.generation, SourceState::Running(info.clone()));
                }
                if self.paused && self.shown_any && self.steps == 0 {
                    return;
                }
                self.steps = self.steps.saturating_sub(1);
                self.shown_any = true;
                if self.live_state.captured(self.generation, &frame, missed) {
                    self.hand_over(FrameJob { generation: self.generation, frame, kind: info.kind });
                }
            }
            SourceEvent::Stalled(silent_for) => {
                self.halted(SourceState::Stalled { info: info.clone(), silent_secs: silent_for.as_secs_f32() });
            }
            SourceEvent::Disconnected(reason) => {
                self.halted(SourceState::Disconnected { info: info.clone(), reason });
            }
            SourceEvent::Skipped(error) | SourceEvent::Damaged(error) => {
                self.live_state.analysis_failed(self.generation, error.to_string());
            }
            SourceEvent::End => {
                self.over(SourceState::Ended(info.clone()));
                self.state = CaptureState::Closed { retry_at: None };
            }
            SourceEvent::Broken(error) => self.fail(error),
        }
    }
}
