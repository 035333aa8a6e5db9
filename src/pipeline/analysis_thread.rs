//! The thread `analysis`: takes frames, runs the [`Analyser`] on them, and shows what it found.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use facelens_base::panic_words;
use facelens_core::analyser::{Analyser, Estimates, Faces};
use facelens_core::detect::{DetectError, Detector, DetectorKind};
use facelens_core::frame::Frame;
use facelens_core::model::ModelSet;
use facelens_core::track::IdentityNumbers;
use facelens_media::SourceKind;

use super::inbox::{Inbox, Message};
use super::live_state::LiveState;

/// After an order the last frame is analysed again, unless a new one comes within this time.
const AGAIN_AFTER: Duration = Duration::from_millis(150);
/// How soon a detector that could not be made or that panicked is made again.
const REMAKE_AFTER: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 1000 });

/// Makes a detector. May take a second.
pub(super) type MakeDetector = Box<dyn Fn(DetectorKind) -> Result<Box<dyn Detector>, DetectError> + Send>;
/// Makes estimates, and says which error to expect of their ages, years.
pub(super) type MakeEstimates = Box<dyn Fn(ModelSet) -> (Box<dyn Estimates>, Option<f32>) + Send>;

/// Makes what an [`Analyser`] consists of. Runs on the analysis thread.
pub(super) struct Makers {
    pub(super) detector: MakeDetector,
    pub(super) estimates: MakeEstimates,
}

/// Orders to the analysis thread.
pub(super) enum AnalysisOrder {
    Models(ModelSet),
    Detector(DetectorKind),
}

/// A frame to be analysed.
pub(super) struct FrameJob {
    pub(super) generation: u64,
    pub(super) frame: Arc<Frame>,
    pub(super) kind: SourceKind,
}

/// What comes to the analysis thread in the order of the source.
pub(super) enum AnalysisJob {
    Frame(FrameJob),
    /// The source of this generation is over: no frame follows those before.
    End(u64),
}

impl AnalysisJob {
    /// The frame's generation, where it is a frame.
    pub(super) fn of_frame(&self) -> Option<u64> {
        match self {
            Self::Frame(job) => Some(job.generation),
            Self::End(_) => None,
        }
    }
}

pub(super) type AnalysisInbox = Inbox<AnalysisOrder, AnalysisJob>;

pub(super) struct AnalysisThread {
    live_state: Arc<LiveState>,
    inbox: Arc<AnalysisInbox>,
    makers: Makers,
    kind: DetectorKind,
    models: ModelSet,
    /// Where the people's numbers come from; the gaits' thread takes from them, too.
    numbers: IdentityNumbers,
    analyser: Option<Analyser>,
    remake_at: Option<Instant>,
    /// Identities that an analyser gave before it panicked: the next one goes on from there.
    identities: u64,
    /// Why the detector that was asked for is not in use, while another is.
    refused: Option<String>,
    last: Option<FrameJob>,
    again_at: Option<Instant>,
}

impl AnalysisThread {
    pub(super) fn new(
        live_state: Arc<LiveState>,
        inbox: Arc<AnalysisInbox>,
        makers: Makers,
        kind: DetectorKind,
        models: ModelSet,
        numbers: IdentityNumbers,
    ) -> Self {
        Self {
            live_state,
            inbox,
            makers,
            kind,
            models,
            numbers,
            analyser: None,
            remake_at: None,
            identities: 0,
            refused: None,
            last: None,
            again_at: None,
        }
    }

    /// Works until the inbox is closed.
    pub(super) fn run(mut self) {
        loop {
            match self.inbox.receive(self.again_at) {
                Message::Closed => return,
                Message::Command(order) => self.obey(order),
                Message::Job(AnalysisJob::Frame(job)) => {
                    self.again_at = None;
                    self.analyse(&job, false);
                    self.last = Some(job);
                }
                Message::Job(AnalysisJob::End(generation)) => self.live_state.ended(generation),
                Message::Nothing => {
                    self.again_at = None;
                    if let Some(job) = self.last.take() {
                        self.analyse(&job, true);
                        self.last = Some(job);
                    }
                }
            }
        }
    }

    fn obey(&mut self, order: AnalysisOrder) {
        self.remake_at = None;
        // A picture or a held file shows at once what the new model or detector makes of it.
        self.again_at = Some(Instant::now() + AGAIN_AFTER);
        match order {
            AnalysisOrder::Models(models) => {
                self.models = models.clone();
                if let Some(analyser) = &mut self.analyser {
                    let (estimates, age_error_years) = (self.makers.estimates)(models);
                    analyser.set_estimates(estimates, age_error_years);
                }
            }
            AnalysisOrder::Detector(kind) => {
                let before = std::mem::replace(&mut self.kind, kind);
                self.refused = None;
                if self.analyser.is_none() {
                    return;
                }
                match self.make_detector() {
                    Ok(detector) => {
                        if let Some(analyser) = &mut self.analyser {
                            analyser.set_faces(Faces::Detect(detector));
                        }
                    }
                    Err(words) => {
                        self.kind = before;
                        self.live_state.analysis_failed(self.live_state.generation(), words.clone());
                        self.refused = Some(words);
                    }
                }
            }
        }
    }

    /// A panic in a network's preparation is no reason to end the thread.
    fn make_detector(&self) -> Result<Box<dyn Detector>, String> {
        match catch_unwind(AssertUnwindSafe(|| (self.makers.detector)(self.kind))) {
            Ok(made) => made.map_err(|error| error.to_string()),
            Err(panic) => {
                let words = panic_words(panic.as_ref());
                Err(format!(
                    "the {} face detector could not be created: it stopped unexpectedly ({words})",
                    self.kind.name()
                ))
            }
        }
    }

    fn analyse(&mut self, job: &FrameJob, again: bool) {
        if job.generation != self.live_state.generation() || !self.prepare(job.generation) {
            return;
        }
        let Some(analyser) = &mut self.analyser else { return };
        let other_source = self.last.as_ref().is_none_or(|last| last.generation != job.generation);
        if job.kind == SourceKind::Pictures || (other_source && !again) {
            analyser.reset();
        }
        // A camera's frames come when they come; a file gives the same faces each time.
        analyser.search_beside(job.kind == SourceKind::Camera);
        match catch_unwind(AssertUnwindSafe(|| analyser.analyse(Arc::clone(&job.frame)))) {
            Ok(Ok(analysis)) => self.live_state.analysed(job.generation, analysis, again, self.refused.clone()),
            Ok(Err(error)) => self.live_state.analysis_failed(job.generation, error.to_string()),
            Err(panic) => {
                // What it left half done is thrown away with it. Numbers of people are not given twice.
                self.identities = analyser.identities();
                self.analyser = None;
                self.remake_at = Some(Instant::now() + REMAKE_AFTER);
                let words = panic_words(panic.as_ref());
                let error =
                    format!("the analysis of a frame stopped unexpectedly ({words}); it continues with later frames");
                self.live_state.analysis_failed(job.generation, error);
            }
        }
    }

    /// Makes the analyser where there is none; `false` where it cannot be made now.
    fn prepare(&mut self, generation: u64) -> bool {
        if self.analyser.is_some() {
            return true;
        }
        if self.remake_at.is_some_and(|at| Instant::now() < at) {
            return false;
        }
        match self.make_detector() {
            Ok(detector) => {
                let (estimates, age_error_years) = (self.makers.estimates)(self.models.clone());
                let mut analyser = Analyser::with(Faces::Detect(detector), estimates, age_error_years);
                analyser.share_numbers(self.numbers.clone());
                analyser.continue_from(std::mem::take(&mut self.identities));
                self.analyser = Some(analyser);
                true
            }
            Err(words) => {
                self.remake_at = Some(Instant::now() + REMAKE_AFTER);
                self.live_state.analysis_failed(generation, words);
                false
            }
        }
    }
}
