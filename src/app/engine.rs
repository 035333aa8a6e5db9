//! What the window needs of the pipeline and of the recorder. [`LiveEngine`] gives it; the window's tests give it
//! without threads.

use std::cell::RefCell;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use crate::detect::DetectorKind;
use crate::frame::Frame;
use crate::model::ModelSet;
use crate::outputs::{Follow, LiveOutputs, OutputOptions, OutputStatus};
use crate::overlay::SceneOptions;
use crate::pipeline::{Analysis, LastingTap, Live, Status, Tap};
use crate::session::SessionEnd;
use crate::session::recording::{Recorder, RecorderOptions, RecordingStatus};
use crate::source::SourceSpec;

/// The running pipeline as the window sees it. No call waits.
pub(crate) trait Engine {
    /// The newest picture.
    fn frame(&self) -> Option<Arc<Frame>>;
    /// The newest analysis with its own frame.
    fn analysis(&self) -> Option<Arc<Analysis>>;
    /// How the source does, and the figures.
    fn status(&self) -> Arc<Status>;
    /// Whether frames are shown only once they are analysed: then one that has only come wakes nobody.
    fn set_waits_for_analysis(&self, waits: bool);
    /// Changes the source.
    fn set_source(&self, source: SourceSpec);
    /// Lets the source go until one is set: no camera is held while a session is replayed.
    fn let_go(&self);
    /// Opens the same source again, from its beginning.
    fn restart(&self);
    /// Changes the models.
    fn set_models(&self, models: ModelSet);
    /// Changes the detector.
    fn set_detector(&self, detector: DetectorKind);
    /// Holds the source or lets it go on.
    fn set_paused(&self, paused: bool);
    /// Starts to record every frame that is analysed.
    ///
    /// # Errors
    /// Where the system gives no thread; everything else is told by [`recording`](Self::recording).
    fn start_recording(&self, options: RecorderOptions) -> std::io::Result<()>;
    /// How the recording does; `None` where there is none.
    fn recording(&self) -> Option<Arc<RecordingStatus>>;
    /// Changes the overlay that is recorded.
    fn set_recorded_scene(&self, scene: SceneOptions);
    /// Takes no more frames and finishes the session; [`recording`](Self::recording) says when it is over.
    fn stop_recording(&self, end: SessionEnd);
    /// The end of the recording was seen.
    fn forget_recording(&self);
    /// Changes what other programs get live; their figures and whom opentrack follows start anew.
    ///
    /// # Errors
    /// Where the system gives no socket or no thread; then nothing goes out.
    fn set_outputs(&self, options: OutputOptions) -> std::io::Result<()>;
    /// How the live outputs do; `None` where nothing goes out.
    fn outputs(&self) -> Option<OutputStatus>;
    /// Whose head opentrack gets.
    fn follow(&self, follow: Follow);
    /// The head in the next frame counts as straight ahead.
    fn centre_head(&self);
}

/// The pipeline with its recorder.
pub(crate) struct LiveEngine {
    // In the order of ending: first the files.
    recorder: RefCell<Option<Arc<Recorder>>>,
    /// The same recorder, for who ends it from another thread.
    running: Arc<Mutex<Weak<Recorder>>>,
    outputs: RefCell<Option<Arc<LiveOutputs>>>,
    live: Live,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl LiveEngine {
    /// A running pipeline; `wake` is called when the recorder has news.
    pub fn new(live: Live, wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        let (recorder, running) = (RefCell::new(None), Arc::default());
        Self { recorder, running, outputs: RefCell::new(None), live, wake }
    }

    /// Finishes what is recorded from another thread, where the window's own may not come to it.
    pub fn finisher(&self) -> Finisher {
        Finisher(Arc::clone(&self.running))
    }
}

/// Finishes the recording of a [`LiveEngine`] whatever its window does.
pub(crate) struct Finisher(Arc<Mutex<Weak<Recorder>>>);

impl Finisher {
    /// Has the recording, where there is one, take no more frames, and gives what waits until it is saved, at most `time`.
    pub fn finish(&self) -> impl FnOnce(Duration) + Send + 'static {
        let recorder = self.0.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        if let Some(recorder) = &recorder {
            recorder.stop(SessionEnd::Stopped);
        }
        move |time| {
            if let Some(recorder) = recorder {
                recorder.wait(time);
            }
        }
    }
}

impl Engine for LiveEngine {
    fn frame(&self) -> Option<Arc<Frame>> {
        self.live.frame()
    }

    fn analysis(&self) -> Option<Arc<Analysis>> {
        self.live.analysis()
    }

    fn status(&self) -> Arc<Status> {
        self.live.status()
    }

    fn set_waits_for_analysis(&self, waits: bool) {
        self.live.set_waits_for_analysis(waits);
    }

    fn set_source(&self, source: SourceSpec) {
        self.live.set_source(source);
    }

    fn let_go(&self) {
        self.live.let_go();
    }

    fn restart(&self) {
        self.live.restart();
    }

    fn set_models(&self, models: ModelSet) {
        self.live.set_models(models);
    }

    fn set_detector(&self, detector: DetectorKind) {
        self.live.set_detector(detector);
    }

    fn set_paused(&self, paused: bool) {
        self.live.set_paused(paused);
    }

    fn start_recording(&self, options: RecorderOptions) -> std::io::Result<()> {
        let recorder = Arc::new(Recorder::start(options, Arc::clone(&self.wake))?);
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(&recorder);
        self.live.set_tap(Some(recorder.tap()));
        *self.recorder.borrow_mut() = Some(recorder);
        Ok(())
    }

    fn recording(&self) -> Option<Arc<RecordingStatus>> {
        self.recorder.borrow().as_ref().map(|recorder| recorder.status())
    }

    fn set_recorded_scene(&self, scene: SceneOptions) {
        if let Some(recorder) = self.recorder.borrow().as_ref() {
            recorder.set_scene(scene);
        }
    }

    fn stop_recording(&self, end: SessionEnd) {
        if let Some(recorder) = self.recorder.borrow().as_ref() {
            recorder.stop(end);
        }
    }

    fn forget_recording(&self) {
        self.live.set_tap(None);
        *self.recorder.borrow_mut() = None;
    }

    fn set_outputs(&self, options: OutputOptions) -> std::io::Result<()> {
        let mut running = self.outputs.borrow_mut();
        if let Some(outputs) = running.as_ref().filter(|_| options.any()) {
            return outputs.change(options);
        }
        // New ones first: without a socket the old ones stay.
        let outputs = options.any().then(|| LiveOutputs::start(options).map(Arc::new)).transpose()?;
        self.live.set_lasting_tap(LastingTap::Outputs, outputs.clone().map(|outputs| outputs as Arc<dyn Tap>));
        *running = outputs;
        Ok(())
    }

    fn outputs(&self) -> Option<OutputStatus> {
        self.outputs.borrow().as_ref().map(|outputs| outputs.status())
    }

    fn follow(&self, follow: Follow) {
        if let Some(outputs) = self.outputs.borrow().as_ref() {
            outputs.follow(follow);
        }
    }

    fn centre_head(&self) {
        if let Some(outputs) = self.outputs.borrow().as_ref() {
            outputs.centre();
        }
    }
}
