//! The live pipeline: a capture thread and an analysis thread, steered and read by the window without waiting.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use facelens_base::panic_words;
use facelens_core::Analysis;
use facelens_core::analyser::estimates_of;
use facelens_core::detect::{self, DetectorKind};
use facelens_core::frame::Frame;
use facelens_core::model::ModelSet;
use facelens_core::track::IdentityNumbers;
use facelens_media::{CameraFormat, Mode, Source, SourceError, SourceErrorKind, SourceSpec};
use facelens_session::AnalysisSink;

use super::analysis_thread::{AnalysisInbox, AnalysisOrder, AnalysisThread, Makers};
use super::capture::{Capture, CaptureInbox, CaptureOrder, OpenSource};
use super::inbox::Inbox;
use super::live_state::{LastingSink, LiveState, SourceState, Status};

/// How long closing waits for the threads. A source gives its thread back every 250 ms; one that does not is left to
/// the end of the program rather than holding the window open.
const CLOSING: Duration = Duration::from_millis(900);

/// How the live pipeline starts.
pub struct LiveOptions {
    /// The first source; with `None` nothing is opened until [`LiveSession::set_source`].
    pub source: Option<SourceSpec>,
    /// The first models.
    pub models: ModelSet,
    /// The first detector.
    pub detector: DetectorKind,
    /// Sees every frame of the first source that is analysed, from the first one on.
    pub sink: Option<Arc<dyn AnalysisSink>>,
    /// The format that cameras are asked for; with `None` the best that they offer.
    pub camera_format: Option<CameraFormat>,
    /// Called from the worker threads whenever there is something new to show. Must not block.
    pub wake: Arc<dyn Fn() + Send + Sync>,
}

/// The running pipeline. Dropping it stops both threads, within a second.
///
/// The window's calls only leave an order or take the newest of something: none waits for a worker.
pub struct LiveSession {
    live_state: Arc<LiveState>,
    capture: Arc<CaptureInbox>,
    analysis: Arc<AnalysisInbox>,
    threads: Vec<JoinHandle<()>>,
    numbers: IdentityNumbers,
    /// The format in which the next camera is opened.
    camera_format: Arc<Mutex<Option<CameraFormat>>>,
}

impl LiveSession {
    /// Starts the threads `capture` and `analysis`. The source is opened there: nothing is known of it yet.
    ///
    /// # Errors
    /// Where the system cannot start a thread.
    pub fn start(options: LiveOptions) -> std::io::Result<Self> {
        let camera_format = Arc::new(Mutex::new(options.camera_format.clone()));
        let wished = Arc::clone(&camera_format);
        let open = move |spec: &SourceSpec| {
            let format = wished.lock().unwrap_or_else(PoisonError::into_inner).clone();
            facelens_media::open_as(spec, Mode::Live, format.as_ref())
        };
        let mut live = Self::start_from(options, open)?;
        live.camera_format = camera_format;
        Ok(live)
    }

    /// As [`start`](Self::start), with another way to open sources.
    ///
    /// # Errors
    /// Where the system cannot start a thread.
    pub fn start_from(
        options: LiveOptions,
        open: impl Fn(&SourceSpec) -> Result<Box<dyn Source>, SourceError> + Send + Sync + 'static,
    ) -> std::io::Result<Self> {
        let makers = Makers { detector: Box::new(detect::create), estimates: Box::new(estimates_of) };
        Self::start_with(options, Arc::new(open), makers)
    }

    /// As [`start`](Self::start), with other ways to open sources and to make detectors and estimates.
    pub(super) fn start_with(options: LiveOptions, open: OpenSource, makers: Makers) -> std::io::Result<Self> {
        let LiveOptions { source, models, detector, sink, wake, .. } = options;
        let mut live = Self {
            live_state: Arc::new(LiveState::new(wake)),
            capture: Arc::new(Inbox::new()),
            analysis: Arc::new(Inbox::new()),
            threads: Vec::new(),
            numbers: IdentityNumbers::new(),
            camera_format: Arc::default(),
        };
        live.live_state.set_sink(sink);
        let (live_state, orders, jobs) =
            (Arc::clone(&live.live_state), Arc::clone(&live.capture), Arc::clone(&live.analysis));
        live.spawn(
            "capture",
            move || Capture::new(live_state, orders, jobs, open, source).run(),
            move |live_state, words| {
                let cause = format!("reading it stopped unexpectedly ({words})");
                let error = SourceError::new(SourceErrorKind::Other, "facelens", cause, "start facelens again");
                live_state.show(live_state.generation(), SourceState::Failed(error));
            },
        )?;
        let (live_state, inbox, numbers) =
            (Arc::clone(&live.live_state), Arc::clone(&live.analysis), live.numbers.clone());
        let jobs = Arc::clone(&live.analysis);
        live.spawn(
            "analysis",
            move || AnalysisThread::new(live_state, inbox, makers, detector, models, numbers).run(),
            move |live_state, words| {
                let error = format!("the analysis stopped unexpectedly ({words}); start facelens again");
                live_state.analysis_failed(live_state.generation(), error);
                // Nothing waits for it any more, neither a file's next frame nor the end of one.
                jobs.close();
                live_state.analysis_gone();
            },
        )?;
        Ok(live)
    }

    /// A named thread; where it ends by a panic, `report` reports it in the live state.
    fn spawn(
        &mut self,
        name: &str,
        work: impl FnOnce() + Send + 'static,
        report: impl FnOnce(&LiveState, &str) + Send + 'static,
    ) -> std::io::Result<()> {
        let live_state = Arc::clone(&self.live_state);
        self.threads.push(thread::Builder::new().name(name.into()).spawn(move || {
            if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
                report(&live_state, panic_words(panic.as_ref()));
            }
        })?);
        Ok(())
    }

    /// Cameras are opened in this format from now on; with `None` in the best that they offer.
    pub fn set_camera_format(&self, format: Option<CameraFormat>) {
        *self.camera_format.lock().unwrap_or_else(PoisonError::into_inner) = format;
    }

    /// Changes the source; the old one is let go first. Its picture and figures are gone at once.
    pub fn set_source(&self, source: SourceSpec) {
        let generation = self.live_state.begin();
        self.capture.command(CaptureOrder::Source(source, generation));
    }

    /// Lets the source go, a camera at once, until [`set_source`](Self::set_source) or [`restart`](Self::restart).
    pub fn let_go(&self) {
        let generation = self.live_state.begin();
        self.capture.command(CaptureOrder::LetGo(generation));
    }

    /// Opens the same source again: a file or the demo starts from its beginning.
    pub fn restart(&self) {
        let generation = self.live_state.begin();
        self.capture.command(CaptureOrder::Restart(generation));
    }

    /// Goes on at another time of a file, forwards or backwards; also while it is held, and after its end. Sources whose
    /// [`SourceInfo::duration`](facelens_media::SourceInfo::duration) is not known stay where they are.
    pub fn seek(&self, time: Duration) {
        let generation = self.live_state.jump();
        self.capture.command(CaptureOrder::Seek(time, generation));
    }

    /// Changes the models from the next frame on. A picture, or a frame that is held, is analysed again.
    pub fn set_models(&self, models: ModelSet) {
        self.analysis.command(AnalysisOrder::Models(models));
    }

    /// Changes the detector from the next frame on. A picture, or a frame that is held, is analysed again. Where the new
    /// detector cannot be made, the old one goes on and [`Status::analysis_error`] says why.
    pub fn set_detector(&self, detector: DetectorKind) {
        self.analysis.command(AnalysisOrder::Detector(detector));
    }

    /// Holds a file or the demo, or lets it go on; a camera's picture freezes. A source that is opened while held shows
    /// its first picture.
    pub fn set_paused(&self, paused: bool) {
        self.capture.command(CaptureOrder::Paused(paused));
    }

    /// While held: one frame further.
    pub fn step(&self) {
        self.capture.command(CaptureOrder::Step);
    }

    /// From now on `sink` sees every frame of this source that is analysed, in the place of any other. A change of the
    /// source takes it off.
    pub fn set_sink(&self, sink: Option<Arc<dyn AnalysisSink>>) {
        self.live_state.set_sink(sink);
    }

    /// From now on `sink` sees every frame of every source that is analysed, in the place of the one that had its `place`.
    pub fn set_lasting_sink(&self, place: LastingSink, sink: Option<Arc<dyn AnalysisSink>>) {
        self.live_state.set_lasting_sink(place, sink);
    }

    /// Where the people's numbers come from: who takes from them too gives none twice.
    pub fn numbers(&self) -> IdentityNumbers {
        self.numbers.clone()
    }

    /// Whether frames are shown only once they are analysed; then nobody is woken for each one that comes.
    pub fn set_waits_for_analysis(&self, waits: bool) {
        self.live_state.set_waits(waits);
    }

    /// The newest picture, at the camera's rate.
    pub fn frame(&self) -> Option<Arc<Frame>> {
        self.live_state.frame()
    }

    /// The newest analysis with its own frame.
    pub fn analysis(&self) -> Option<Arc<Analysis>> {
        self.live_state.analysis()
    }

    /// The figures; refreshed four times a second, and at once when something happens to the source.
    pub fn status(&self) -> Arc<Status> {
        self.live_state.status()
    }
}

impl Drop for LiveSession {
    fn drop(&mut self) {
        self.capture.close();
        self.analysis.close();
        let deadline = Instant::now() + CLOSING;
        for thread in self.threads.drain(..) {
            while !thread.is_finished() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(2));
            }
            let name = thread.thread().name().unwrap_or_default().to_owned();
            if !thread.is_finished() {
                tracing::warn!("the thread {name} does not answer and is left to the end of the program");
            } else if thread.join().is_err() {
                tracing::error!("the thread {name} ended by a panic");
            }
        }
    }
}
