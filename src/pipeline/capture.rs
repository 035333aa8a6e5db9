//! The thread `capture`: opens the source, reads it, shows every picture and hands it to the analysis.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use facelens_base::panic_words;
use facelens_media::{Next, Source, SourceError, SourceErrorKind, SourceKind, SourceSpec};

use super::analysis_thread::{AnalysisInbox, AnalysisJob};
use super::inbox::{Inbox, Message, Refused};
use super::live_state::{LiveState, SourceState};
use super::{FrameNumbers, WAITING_PAUSE};

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
    /// A thread of its own opens the source, so that orders are heard meanwhile.
    Opening,
    Open(Box<dyn Source>),
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
    numbers: FrameNumbers,
    /// A file's frame that the analysis has not taken yet.
    waiting_job: Option<AnalysisJob>,
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
            state: if opens { CaptureState::Opening } else { CaptureState::Closed { retry_at: None } },
            running: false,
            shown_any: false,
            paused: false,
            steps: 0,
            opening: generation,
            seek: None,
            numbers: FrameNumbers::default(),
            waiting_job: None,
        }
    }

    /// Works until the inbox is closed.
    pub(super) fn run(mut self) {
        if matches!(self.state, CaptureState::Opening) {
            self.start_opening();
        }
        loop {
            let now = Instant::now();
            let deadline = match &self.state {
                CaptureState::Open(_) if self.seek.is_some() => now,
                _ if self.waiting_job.is_some() => now,
                CaptureState::Open(source) if self.wants_frame(source.info().kind) => now,
                CaptureState::Closed { retry_at: Some(retry_at) } => (*retry_at).min(now + TICK),
                CaptureState::Open(_) | CaptureState::Opening | CaptureState::Closed { .. } => now + TICK,
            };
            match self.orders.receive(Some(deadline)) {
                Message::Closed => return,
                Message::Command(order) => self.obey(order),
                Message::Job(opened) => self.opened(opened),
                Message::Nothing => self.work(),
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
        self.start_opening();
    }

    fn let_go(&mut self, generation: u64) {
        self.generation = generation;
        (self.running, self.shown_any, self.steps) = (false, false, 0);
        self.seek = None;
        self.numbers = FrameNumbers::default();
        self.waiting_job = None;
        self.state = CaptureState::Closed { retry_at: None };
    }

    /// Frames of before are thrown away by their generation; a source that is over is opened again.
    fn seek(&mut self, time: Duration, generation: u64) {
        self.generation = generation;
        (self.running, self.shown_any, self.steps) = (false, false, 0);
        self.numbers = FrameNumbers::default();
        self.waiting_job = None;
        self.seek = Some(time);
        if matches!(self.state, CaptureState::Closed { .. }) {
            self.start_opening();
        }
    }

    fn start_opening(&mut self) {
        let (open, orders) = (Arc::clone(&self.open), Arc::clone(&self.orders));
        let (spec, generation) = (self.spec.clone(), self.generation);
        self.opening = generation;
        let spawned = thread::Builder::new().name("open".into()).spawn(move || {
            let source = catch_unwind(AssertUnwindSafe(|| open(&spec)))
                .unwrap_or_else(|panic| Err(broken(&spec, "opening it", panic_words(panic.as_ref()))));
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

    fn opened(&mut self, opened: OpenedSource) {
        // A seek that came meanwhile is for this source.
        if opened.generation < self.opening || !matches!(self.state, CaptureState::Opening) {
            return;
        }
        match opened.source {
            Ok(source) => {
                self.live_state.show(self.generation, SourceState::Running(source.info().clone()));
                self.running = true;
                self.state = CaptureState::Open(source);
            }
            Err(error) => self.fail(error),
        }
    }

    fn fail(&mut self, error: SourceError) {
        self.running = false;
        self.live_state.show(self.generation, SourceState::Failed(error));
        let camera = matches!(self.spec, SourceSpec::Camera(_));
        self.state = CaptureState::Closed { retry_at: camera.then(|| Instant::now() + RETRY) };
    }

    /// One step of work: hand over the frame that waits, read the next one, or try to open again.
    fn work(&mut self) {
        self.live_state.tick();
        if let Some(job) = self.waiting_job.take() {
            self.hand_over(job);
            return;
        }
        match &mut self.state {
            CaptureState::Open(source) => {
                if let Some(time) = self.seek.take() {
                    let sought = catch_unwind(AssertUnwindSafe(|| source.seek(time)))
                        .unwrap_or_else(|panic| Err(broken(&self.spec, "going on there", panic_words(panic.as_ref()))));
                    if let Err(error) = sought {
                        self.fail(error);
                        return;
                    }
                }
                let CaptureState::Open(source) = &self.state else { return };
                let kind = source.info().kind;
                if self.wants_frame(kind) {
                    self.read(kind);
                }
            }
            CaptureState::Closed { retry_at: Some(retry_at) } if *retry_at <= Instant::now() => self.start_opening(),
            CaptureState::Opening | CaptureState::Closed { .. } => {}
        }
    }

    fn read(&mut self, kind: SourceKind) {
        let CaptureState::Open(source) = &mut self.state else { return };
        let asked_at = Instant::now();
        let next = catch_unwind(AssertUnwindSafe(|| source.next()))
            .unwrap_or_else(|panic| Err(broken(&self.spec, "reading it", panic_words(panic.as_ref()))));
        let info = source.info();
        match next {
            Ok(Next::Frame(frame)) => {
                if !self.running {
                    self.running = true;
                    self.live_state.show(self.generation, SourceState::Running(info.clone()));
                }
                let missed = self.numbers.missed(kind, &frame);
                if self.paused && self.shown_any && self.steps == 0 {
                    return;
                }
                self.steps = self.steps.saturating_sub(1);
                self.shown_any = true;
                let frame = Arc::new(frame);
                if self.live_state.captured(self.generation, &frame, missed) {
                    self.hand_over(AnalysisJob { generation: self.generation, frame, kind });
                }
            }
            Ok(Next::Waiting) => {
                // A source may say so without having waited itself.
                thread::sleep(WAITING_PAUSE.saturating_sub(asked_at.elapsed()));
            }
            Ok(Next::Stalled { silent_for }) => {
                let shown = SourceState::Stalled { info: info.clone(), silent_secs: silent_for.as_secs_f32() };
                self.halted(shown, asked_at);
            }
            Ok(Next::Disconnected { reason }) => {
                let shown = SourceState::Disconnected { info: info.clone(), reason };
                self.halted(shown, asked_at);
            }
            Ok(Next::Skipped(error) | Next::Damaged(error)) => {
                self.live_state.analysis_failed(self.generation, error.to_string());
            }
            Ok(Next::End) => {
                self.live_state.show(self.generation, SourceState::Ended(info.clone()));
                self.state = CaptureState::Closed { retry_at: None };
            }
            Err(error) => self.fail(error),
        }
    }

    fn halted(&mut self, shown: SourceState, asked_at: Instant) {
        self.running = false;
        self.live_state.show(self.generation, shown);
        thread::sleep(WAITING_PAUSE.saturating_sub(asked_at.elapsed()));
    }

    /// Of a camera the newest frame wins; a file waits until the analysis has taken the one before.
    fn hand_over(&mut self, job: AnalysisJob) {
        if job.kind == SourceKind::Camera {
            let replaced = self.jobs.replace(job, |_| true);
            let dropped = replaced.iter().filter(|old| old.generation == self.generation).count();
            self.live_state.dropped(self.generation, dropped);
            return;
        }
        if let Err(Refused::Full(job)) = self.jobs.offer(job, 1, Some(Instant::now() + HAND_OVER)) {
            self.waiting_job = Some(job);
        }
    }
}

fn broken(spec: &SourceSpec, doing: &str, words: &str) -> SourceError {
    let cause = format!("{doing} stopped unexpectedly ({words})");
    SourceError::new(SourceErrorKind::Other, spec.to_string(), cause, "choose it again or choose another source")
}
