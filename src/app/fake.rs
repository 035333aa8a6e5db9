//! A pipeline, background tasks and pictures for the window's tests: no threads, no files, no cameras.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use crossbeam_channel::Sender;
use facelens_core::detect::DetectorKind;
use facelens_core::frame::Frame;
use facelens_core::geometry::{Pose, Rect};
use facelens_core::model::{
    Accuracy, BoxStyle, ChannelOrder, CropSpec, InputSpec, Layout, ModelCard, ModelSet, OutputForm, ResizeFilter,
    Scaling, Task, TaskModel,
};
use facelens_core::track::{Age, Face, Gender, GenderLabel, GenderNumber};
use facelens_core::{Analysis, StageTimings};
use facelens_media::{CameraFormat, CameraInfo, SourceInfo, SourceKind, SourceSpec};
use facelens_session::overlay::SceneOptions;
use facelens_session::recording::{RecorderOptions, RecordingState, RecordingStatus};
use facelens_session::{PictureLook, SessionEnd};

use super::AppOptions;
use super::background_tasks::{BackgroundTask, BackgroundTasks, TaskKey, TaskNumber, TaskReport};
use super::engine::Engine;
use super::state::{App, AppParts, first_source};
use crate::outputs::{Follow, OutputOptions, OutputStatus};
use crate::pipeline::{GaitView, SourceState, Status};
use crate::settings::{Settings, SettingsFile};

/// A frame of a grey ramp, 30 a second.
pub(crate) fn frame(width: u32, height: u32, sequence: u64) -> Arc<Frame> {
    let mut rgb = vec![90; (width * height * 3) as usize];
    rgb[0] = 90 + (sequence % 100) as u8 / 100;
    let frame = Frame::from_rgb(width, height, rgb).unwrap();
    Arc::new(frame.at(sequence, Duration::from_secs_f64(sequence as f64 / 30.0)))
}

/// A face with everything.
pub(crate) fn face(id: u64) -> Face {
    Face {
        id,
        rect: Rect::new(10.0 + id as f32, 10.0, 20.0, 20.0),
        score: 0.9,
        age: Some(Age { years: 30.0 + id as f32, low: 26.0 + id as f32, high: 34.0 + id as f32 }),
        gender: Some(Gender { label: GenderLabel::Female, male: 0.1, number: GenderNumber::Chance }),
        pose: Some(Pose { yaw: -12.0, pitch: 3.0, roll: 1.0 }),
    }
}

/// An analysis of `frame`.
pub(crate) fn analysis(frame: Arc<Frame>, faces: Vec<Face>) -> Arc<Analysis> {
    Arc::new(Analysis { frame, faces, timings: StageTimings::default() })
}

/// What a camera is.
pub(crate) fn camera_info() -> SourceInfo {
    SourceInfo {
        name: "HD Webcam".into(),
        kind: SourceKind::Camera,
        size: Some((640, 480)),
        fps: Some(30.0),
        frame_count: None,
        duration: None,
        format: "MJPEG 640x480 at 30 fps".into(),
    }
}

/// A pipeline that is opening its source.
pub(crate) fn status() -> Status {
    Status {
        shown: SourceState::Opening,
        capture_fps: 0.0,
        analysed_fps: 0.0,
        stages: StageTimings::default(),
        delay_ms: 0.0,
        captured: 0,
        analysed: 0,
        dropped: 0,
        analysis_error: None,
    }
}

/// A recording of a good minute, and in state `state`.
pub(crate) fn recording(state: RecordingState) -> RecordingStatus {
    RecordingStatus {
        state,
        folder: Some("/videos/facelens/session-2026-01-02_03-04-05".into()),
        duration: Duration::from_millis(67_300),
        written: 2015,
        dropped: 0,
        analysed: 2015,
        captured: 2019,
        bytes: 34_567_890,
        free_bytes: Some(123_400_000_000),
        warning: None,
    }
}

/// A camera as the system lists it.
pub(crate) fn camera(index: u32, name: &str) -> CameraInfo {
    let port = format!("/dev/v4l/by-path/usb-0:{index}:1.0-video-index0");
    let device = format!("/dev/video{index}").into();
    CameraInfo {
        index,
        name: name.into(),
        device,
        by_path: Some(port.into()),
        formats: vec![],
        every_format: vec![],
        choices: vec![],
    }
}

/// A model without a network.
pub(crate) fn model(name: &str, task: Task) -> Arc<TaskModel> {
    let card = ModelCard {
        name: name.into(),
        tasks: vec![task],
        files: vec![],
        sha256: vec![facelens_core::model::sha256_hex(name.as_bytes())],
        source: "a test".into(),
        licence: "MIT".into(),
        training_data: "300W-LP".into(),
        input: InputSpec {
            width: 64,
            height: 64,
            layout: Layout::Nhwc,
            channels: ChannelOrder::Bgr,
            scaling: Scaling::MinMax,
        },
        crop: CropSpec {
            margin: 0.4,
            relative_to: BoxStyle::Facelens,
            resize: ResizeFilter::Bilinear,
            ..CropSpec::default()
        },
        output: OutputForm::Years,
        select: None,
        calibration: None,
        accuracy: vec![Accuracy { data: "AFLW2000".into(), measure: "MAE in degrees".into(), value: 5.1, task: None }],
        notes: String::new(),
    };
    Arc::new(TaskModel { card, nets: vec![] })
}

/// What the fake pipeline gives, and what it was told.
#[derive(Default)]
pub(crate) struct FakeState {
    pub frame: Option<Arc<Frame>>,
    pub analysis: Option<Arc<Analysis>>,
    pub status: Option<Arc<Status>>,
    pub sources: Vec<SourceSpec>,
    pub restarts: usize,
    pub seeks: Vec<Duration>,
    pub camera_formats: Vec<Option<CameraFormat>>,
    pub let_go: usize,
    pub models: Vec<ModelSet>,
    pub detectors: Vec<DetectorKind>,
    pub paused: Vec<bool>,
    /// The background tasks that were started, with their numbers.
    pub tasks: Vec<(TaskNumber, BackgroundTask)>,
    /// The keys of the tasks that were cancelled.
    pub cancelled: Vec<TaskKey>,
    pub recording: Option<Arc<RecordingStatus>>,
    pub recorders: Vec<RecorderOptions>,
    pub recorded_scenes: Vec<SceneOptions>,
    pub stops: Vec<SessionEnd>,
    pub outputs: Vec<OutputOptions>,
    pub output_status: Option<OutputStatus>,
    pub camera_look: Option<PictureLook>,
    pub followed: Vec<Follow>,
    pub centred: usize,
    /// What the gaits show while they are on.
    pub gait: Option<Arc<GaitView>>,
    pub gait_models: Vec<Option<PathBuf>>,
    /// Whether the program is asked to end.
    pub stop: Stop,
}

/// A flag that outlives the test.
#[derive(Clone, Copy)]
pub(crate) struct Stop(pub &'static AtomicBool);

impl Default for Stop {
    fn default() -> Self {
        Self(Box::leak(Box::default()))
    }
}

/// Both ends of the fake pipeline.
#[derive(Clone, Default)]
pub(crate) struct FakePipeline(pub Rc<RefCell<FakeState>>);

impl FakePipeline {
    /// A window with this pipeline, and where its reports are sent.
    pub fn app(&self, options: &AppOptions, settings: Settings) -> (App, Sender<(TaskNumber, TaskReport)>) {
        self.app_with_file(options, settings, None)
    }

    /// The same, with a file that remembers the settings.
    pub fn app_with_file(
        &self,
        options: &AppOptions,
        settings: Settings,
        settings_file: Option<SettingsFile>,
    ) -> (App, Sender<(TaskNumber, TaskReport)>) {
        let (sender, reports) = crossbeam_channel::unbounded();
        let source = first_source(options, &settings);
        let parts = AppParts {
            engine: Box::new(self.clone()),
            tasks: Box::new(self.clone()),
            reports,
            settings,
            settings_file,
            source,
            stop: self.0.borrow().stop.0,
        };
        (App::new(parts, options), sender)
    }

    /// Puts a frame with faces on the stage, as a camera in full swing.
    pub fn play(&self, sequence: u64, ids: &[u64]) {
        let analysis = analysis(frame(64, 48, sequence), ids.iter().map(|id| face(*id)).collect());
        let mut stage = self.0.borrow_mut();
        stage.frame = Some(Arc::clone(&analysis.frame));
        stage.analysis = Some(analysis);
        stage.status = Some(Arc::new(Status {
            shown: SourceState::Running(camera_info()),
            capture_fps: 30.0,
            analysed_fps: 30.0,
            delay_ms: 12.0,
            captured: sequence + 1,
            analysed: sequence + 1,
            ..status()
        }));
    }

    /// Changes the source's state and nothing else.
    pub fn show(&self, shown: SourceState) {
        self.0.borrow_mut().status = Some(Arc::new(Status { shown, ..status() }));
    }
}

impl Engine for FakePipeline {
    fn frame(&self) -> Option<Arc<Frame>> {
        self.0.borrow().frame.clone()
    }

    fn analysis(&self) -> Option<Arc<Analysis>> {
        self.0.borrow().analysis.clone()
    }

    fn status(&self) -> Arc<Status> {
        self.0.borrow().status.clone().unwrap_or_else(|| Arc::new(status()))
    }

    fn set_waits_for_analysis(&self, _waits: bool) {}

    fn set_source(&self, source: SourceSpec) {
        let mut stage = self.0.borrow_mut();
        (stage.frame, stage.analysis, stage.status) = (None, None, None);
        stage.sources.push(source);
    }

    fn let_go(&self) {
        let mut stage = self.0.borrow_mut();
        (stage.frame, stage.analysis, stage.status) = (None, None, None);
        stage.let_go += 1;
    }

    fn restart(&self) {
        let mut stage = self.0.borrow_mut();
        (stage.frame, stage.analysis, stage.status) = (None, None, None);
        stage.restarts += 1;
    }

    fn set_camera_format(&self, format: Option<CameraFormat>) {
        self.0.borrow_mut().camera_formats.push(format);
    }

    fn seek(&self, time: Duration) {
        self.0.borrow_mut().seeks.push(time);
    }

    fn set_models(&self, models: ModelSet) {
        self.0.borrow_mut().models.push(models);
    }

    fn set_detector(&self, detector: DetectorKind) {
        self.0.borrow_mut().detectors.push(detector);
    }

    fn set_paused(&self, paused: bool) {
        self.0.borrow_mut().paused.push(paused);
    }

    fn start_recording(&self, options: RecorderOptions) -> std::io::Result<()> {
        let mut stage = self.0.borrow_mut();
        stage.recorders.push(options);
        stage.recording = Some(Arc::new(recording(RecordingState::Starting)));
        Ok(())
    }

    fn recording(&self) -> Option<Arc<RecordingStatus>> {
        self.0.borrow().recording.clone()
    }

    fn set_recorded_scene(&self, scene: SceneOptions) {
        self.0.borrow_mut().recorded_scenes.push(scene);
    }

    fn stop_recording(&self, end: SessionEnd) {
        self.0.borrow_mut().stops.push(end);
    }

    fn forget_recording(&self) {
        self.0.borrow_mut().recording = None;
    }

    fn set_outputs(&self, options: OutputOptions) -> std::io::Result<()> {
        let mut stage = self.0.borrow_mut();
        stage.output_status = options.any().then(OutputStatus::default);
        stage.outputs.push(options);
        Ok(())
    }

    fn set_camera_look(&self, look: PictureLook) {
        self.0.borrow_mut().camera_look = Some(look);
    }

    fn outputs(&self) -> Option<OutputStatus> {
        self.0.borrow().output_status.clone()
    }

    fn follow(&self, follow: Follow) {
        self.0.borrow_mut().followed.push(follow);
    }

    fn centre_head(&self) {
        self.0.borrow_mut().centred += 1;
    }

    fn set_gait(&self, on: bool) -> std::io::Result<()> {
        let mut stage = self.0.borrow_mut();
        stage.gait = on.then(|| stage.gait.take().unwrap_or_default());
        Ok(())
    }

    fn set_gait_model(&self, file: Option<PathBuf>) {
        self.0.borrow_mut().gait_models.push(file);
    }

    fn gait(&self) -> Option<Arc<GaitView>> {
        self.0.borrow().gait.clone()
    }
}

impl BackgroundTasks for FakePipeline {
    fn start(&self, number: TaskNumber, task: BackgroundTask) {
        self.0.borrow_mut().tasks.push((number, task));
    }

    fn cancel(&self, key: TaskKey) {
        self.0.borrow_mut().cancelled.push(key);
    }
}
