//! What the window needs of the pipeline and of the recorder. [`LiveEngine`] gives it; the window's tests give it
//! without threads.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use facelens_core::Analysis;
use facelens_core::detect::DetectorKind;
use facelens_core::frame::Frame;
use facelens_core::model::ModelSet;
use facelens_gait::{AgeByGait, GaitAgeModel, GaitAnalyser, GaitOptions, Stride};
use facelens_media::{CameraFormat, SourceSpec};
use facelens_session::overlay::SceneOptions;
use facelens_session::recording::{Recorder, RecorderOptions, RecordingStatus};
use facelens_session::{AnalysisSink, PictureLook, SessionEnd};

use crate::outputs::{Follow, LiveOutputs, OutputOptions, OutputStatus};
use crate::pipeline::{GaitView, Gaits, LastingSink, LiveGait, LiveSession, Status};

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
    /// Cameras are opened in this format from now on; with `None` in their best one.
    fn set_camera_format(&self, format: Option<CameraFormat>);
    /// Goes on at another time of a file, also while it is held.
    fn seek(&self, time: Duration);
    /// Changes the models.
    fn set_models(&self, models: ModelSet);
    /// Changes the detector.
    fn set_detector(&self, detector: DetectorKind);
    /// Holds the source or lets it go on.
    fn set_paused(&self, paused: bool);
    /// Starts to record every frame that is analysed, until the source is over.
    ///
    /// # Errors
    /// Where the system cannot start a thread; everything else is told by [`recording`](Self::recording).
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
    /// Where the system cannot open a socket or start a thread; then nothing goes out.
    fn set_outputs(&self, options: OutputOptions) -> std::io::Result<()>;
    /// Changes what the virtual camera shows.
    fn set_camera_look(&self, look: PictureLook);
    /// How the live outputs do; `None` where nothing goes out.
    fn outputs(&self) -> Option<OutputStatus>;
    /// Whose head opentrack gets.
    fn follow(&self, follow: Follow);
    /// The head in the next frame counts as straight ahead.
    fn centre_head(&self);
    /// Switches the gaits on or off.
    ///
    /// # Errors
    /// Where the system cannot start a thread; everything else is told by [`gait`](Self::gait).
    fn set_gait(&self, on: bool) -> std::io::Result<()>;
    /// Chooses the model that tells the age by gait; without one nothing is told of it. For gaits that are on.
    fn set_gait_model(&self, file: Option<PathBuf>);
    /// What the gaits show; `None` where they are off.
    fn gait(&self) -> Option<Arc<GaitView>>;
}

/// The pipeline with its recorder.
pub(crate) struct LiveEngine {
    // In the order of ending: first the files.
    recorder: RefCell<Option<Arc<Recorder>>>,
    /// The same recorder, for who ends it from another thread.
    running: Arc<Mutex<Weak<Recorder>>>,
    outputs: RefCell<Option<Arc<LiveOutputs>>>,
    /// What the virtual camera shows, also before there is one.
    camera_look: Cell<PictureLook>,
    /// Started when it is first asked for; switched off it sees no frame, since ending it would make the window wait.
    gait: RefCell<Option<LiveGait>>,
    gait_is_on: Cell<bool>,
    live: LiveSession,
    wake: Arc<dyn Fn() + Send + Sync>,
}

impl LiveEngine {
    /// A running pipeline; `wake` is called when the recorder has news.
    pub fn new(live: LiveSession, wake: Arc<dyn Fn() + Send + Sync>) -> Self {
        let (recorder, running) = (RefCell::new(None), Arc::default());
        let (outputs, gait, gait_is_on) = (RefCell::new(None), RefCell::new(None), Cell::new(false));
        let camera_look = Cell::default();
        Self { recorder, running, outputs, camera_look, gait, gait_is_on, live, wake }
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

    fn set_camera_format(&self, format: Option<CameraFormat>) {
        self.live.set_camera_format(format);
    }

    fn seek(&self, time: Duration) {
        self.live.seek(time);
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
        self.live.set_sink(Some(recorder.sink()));
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
        self.live.set_sink(None);
        *self.recorder.borrow_mut() = None;
    }

    fn set_outputs(&self, options: OutputOptions) -> std::io::Result<()> {
        let mut running = self.outputs.borrow_mut();
        let shows = options.camera.is_some();
        // A picture that stands still comes no second time by itself.
        let show = |outputs: &LiveOutputs| {
            if let Some(analysis) = self.live.analysis().filter(|_| shows) {
                outputs.show(&analysis);
            }
        };
        if let Some(outputs) = running.as_ref().filter(|_| options.any()) {
            outputs.change(options)?;
            show(outputs);
            return Ok(());
        }
        // New ones first: without a socket the old ones stay.
        let outputs = options.any().then(|| LiveOutputs::start(options).map(Arc::new)).transpose()?;
        if let Some(outputs) = &outputs {
            outputs.set_look(self.camera_look.get());
            show(outputs);
        }
        self.live
            .set_lasting_sink(LastingSink::Outputs, outputs.clone().map(|outputs| outputs as Arc<dyn AnalysisSink>));
        *running = outputs;
        Ok(())
    }

    fn set_camera_look(&self, look: PictureLook) {
        if self.camera_look.replace(look) != look
            && let Some(outputs) = self.outputs.borrow().as_ref()
        {
            outputs.set_look(look);
        }
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

    fn set_gait(&self, on: bool) -> std::io::Result<()> {
        let mut running = self.gait.borrow_mut();
        if on && running.is_none() {
            let numbers = self.live.numbers();
            let make = move || {
                let options = GaitOptions { numbers, ..GaitOptions::default() };
                GaitAnalyser::new(options).map(|gaits| Box::new(gaits) as Box<dyn Gaits>)
            };
            let gait = LiveGait::start(Box::new(make), Arc::clone(&self.wake))?;
            let recorder = Arc::clone(&self.running);
            gait.set_strides(Some(Arc::new(move |strides: &[Stride]| {
                let recorder = recorder.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
                if let Some(recorder) = recorder {
                    recorder.record_strides(strides);
                }
            })));
            *running = Some(gait);
        }
        let sink = running.as_ref().map(LiveGait::sink);
        if let (Some(sink), false) = (&sink, on) {
            sink.source_changed();
        }
        self.live.set_lasting_sink(LastingSink::Gait, sink.filter(|_| on));
        self.gait_is_on.set(on);
        Ok(())
    }

    fn set_gait_model(&self, file: Option<PathBuf>) {
        if let Some(gait) = self.gait.borrow().as_ref() {
            gait.set_age(Box::new(move || {
                let Some(file) = file else { return Ok(None) };
                let model = GaitAgeModel::read(&file).map_err(|error| error.to_string())?;
                Ok(Some(Box::new(model) as Box<dyn AgeByGait>))
            }));
        }
    }

    fn gait(&self) -> Option<Arc<GaitView>> {
        self.gait.borrow().as_ref().filter(|_| self.gait_is_on.get()).map(LiveGait::view)
    }
}
