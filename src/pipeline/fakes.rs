//! Sources, detectors and estimates by script, for the tests of this room.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use facelens_core::analyser::{Analyser, Estimates, Faces};
use facelens_core::detect::{DetectError, Detection, Detector, DetectorKind};
use facelens_core::estimate::{AgeEstimate, Estimate, EstimateError, EstimateTimings, FaceRegion, GenderEstimate};
use facelens_core::frame::Frame;
use facelens_core::geometry::Rect;
use facelens_core::model::ModelSet;
use facelens_media::{Next, Source, SourceError, SourceErrorKind, SourceInfo, SourceKind, SourceSpec};

use super::analysis_thread::Makers;
use super::capture::OpenSource;
use super::live::{LiveOptions, LiveSession};

pub(super) const FACE: Rect = Rect::new(4.0, 2.0, 8.0, 8.0);

/// Frame `sequence` of 25 a second, 16x12 and grey.
pub(super) fn frame(sequence: u64) -> Frame {
    Frame::from_rgb(16, 12, vec![90; 16 * 12 * 3]).unwrap().at(sequence, Duration::from_millis(40 * sequence))
}

pub(super) fn info(kind: SourceKind) -> SourceInfo {
    let format = "16x12".to_owned();
    SourceInfo {
        name: format!("{kind:?}"),
        kind,
        size: Some((16, 12)),
        fps: None,
        frame_count: None,
        duration: None,
        format,
    }
}

pub(super) fn error(kind: SourceErrorKind) -> SourceError {
    SourceError::new(kind, "fake", "a cause", "a remedy")
}

/// A source that asks a function.
pub(super) struct Scripted<F> {
    pub(super) info: SourceInfo,
    pub(super) script: F,
}

impl<F: FnMut() -> Result<Next, SourceError> + Send> Source for Scripted<F> {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Next, SourceError> {
        (self.script)()
    }
}

pub(super) fn scripted(
    kind: SourceKind,
    script: impl FnMut() -> Result<Next, SourceError> + Send + 'static,
) -> Box<dyn Source> {
    Box::new(Scripted { info: info(kind), script })
}

/// A source that gives these one after the other, and then its end.
pub(super) fn list(kind: SourceKind, items: Vec<Result<Next, SourceError>>) -> Box<dyn Source> {
    let mut items = items.into_iter();
    scripted(kind, move || items.next().unwrap_or(Ok(Next::End)))
}

pub(super) fn frames(count: u64) -> Vec<Result<Next, SourceError>> {
    (0..count).map(|sequence| Ok(Next::Frame(frame(sequence)))).collect()
}

/// A source that gives what the test sends, and waits in between.
pub(super) fn fed(kind: SourceKind) -> (Sender<Next>, Box<dyn Source>) {
    let (sender, receiver) = channel();
    let script = move || {
        Ok(match receiver.recv_timeout(Duration::from_millis(10)) {
            Ok(next) => next,
            Err(RecvTimeoutError::Timeout) => Next::Waiting,
            Err(RecvTimeoutError::Disconnected) => Next::End,
        })
    };
    (sender, scripted(kind, script))
}

/// A detector that asks a function.
pub(super) struct Finder<F>(pub(super) F);

impl<F: FnMut(&Frame) -> Result<Vec<Detection>, DetectError> + Send> Detector for Finder<F> {
    fn kind(&self) -> DetectorKind {
        DetectorKind::BlazeBack
    }

    fn detect(&mut self, frame: &Frame) -> Result<Vec<Detection>, DetectError> {
        (self.0)(frame)
    }
}

pub(super) fn finder(
    find: impl FnMut(&Frame) -> Result<Vec<Detection>, DetectError> + Send + 'static,
) -> Box<dyn Detector> {
    Box::new(Finder(find))
}

pub(super) fn found(rect: Rect) -> Detection {
    Detection { rect, score: 0.9, keypoints: None }
}

pub(super) fn detect_error() -> DetectError {
    DetectError { detector: "fake", cause: "it is tired".into() }
}

/// Estimates with the frame's number as age.
pub(super) struct Numbering;

impl Estimates for Numbering {
    fn estimate(&mut self, frame: &Frame, face: FaceRegion) -> Result<(Estimate, EstimateTimings), EstimateError> {
        let mut estimate = Estimate { age: Some(AgeEstimate::plain(frame.sequence as f32)), ..Estimate::default() };
        estimate.quality.side_px = face.rect.width;
        Ok((estimate, EstimateTimings { crop_ms: 1.0, age_ms: 2.0, gender_ms: 3.0, pose_ms: 4.0 }))
    }

    fn estimate_crop(&mut self, frame: &Frame) -> Result<(Estimate, EstimateTimings), EstimateError> {
        self.estimate(frame, FaceRegion::default()).map(|(mut estimate, timings)| {
            estimate.gender = Some(GenderEstimate::Score(1.0));
            (estimate, timings)
        })
    }

    fn another(&self) -> Option<Box<dyn Estimates>> {
        Some(Box::new(Self))
    }
}

/// An analyser that finds one face in each frame.
pub(super) fn one_face() -> Analyser {
    analyser(|_| Ok(vec![found(FACE)]))
}

pub(super) fn analyser(find: impl FnMut(&Frame) -> Result<Vec<Detection>, DetectError> + Send + 'static) -> Analyser {
    Analyser::with(Faces::Detect(finder(find)), Box::new(Numbering), None)
}

/// Makes detectors that all ask one function, which learns the detector that was asked for.
pub(super) fn makers(
    find: impl FnMut(DetectorKind, &Frame) -> Result<Vec<Detection>, DetectError> + Send + 'static,
) -> Makers {
    let find = Arc::new(Mutex::new(find));
    Makers {
        detector: Box::new(move |kind| {
            let find = Arc::clone(&find);
            Ok(finder(move |frame| {
                let mut find = find.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                (*find)(kind, frame)
            }))
        }),
        estimates: Box::new(|_| (Box::new(Numbering), None)),
    }
}

/// Finds one face in each frame, whatever the detector.
pub(super) fn always_a_face(_: DetectorKind, _: &Frame) -> Result<Vec<Detection>, DetectError> {
    Ok(vec![found(FACE)])
}

/// The number of the frame that was analysed last.
pub(super) fn analysed_frame(live: &LiveSession) -> Option<u64> {
    live.analysis().map(|analysis| analysis.frame.sequence)
}

/// What the analysis complains of.
pub(super) fn error_words(live: &LiveSession) -> String {
    live.status().analysis_error.clone().unwrap_or_default()
}

/// Opens the sources of this list one after the other; then there is none.
pub(super) fn openings(sources: Vec<Result<Box<dyn Source>, SourceError>>) -> OpenSource {
    let sources = Mutex::new(sources.into_iter());
    Arc::new(move |_: &SourceSpec| {
        sources.lock().unwrap().next().unwrap_or_else(|| Err(error(SourceErrorKind::NotFound)))
    })
}

pub(super) fn camera() -> SourceSpec {
    "camera".parse().unwrap()
}

pub(super) fn file() -> SourceSpec {
    "clip.mp4".parse().unwrap()
}

pub(super) fn start(spec: SourceSpec, open: OpenSource, makers: Makers) -> LiveSession {
    let options = LiveOptions {
        source: Some(spec),
        models: ModelSet::default(),
        detector: DetectorKind::BlazeBack,
        sink: None,
        camera_format: None,
        wake: Arc::new(|| ()),
    };
    LiveSession::start_with(options, open, makers).unwrap()
}

/// Waits until something holds, at most a few seconds.
#[track_caller]
pub(super) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(8);
    while !holds() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A gate in a detector: says which frame has come, and lets it through when told to.
pub(super) struct DetectorGate {
    pub(super) came: Receiver<u64>,
    pub(super) go: Sender<()>,
}

impl DetectorGate {
    /// The gate, and what the detector calls.
    pub(super) fn new() -> (Self, impl FnMut(&Frame) + Send + 'static) {
        let (came_sender, came) = channel();
        let (go, go_receiver) = channel();
        let pass = move |frame: &Frame| {
            let _ = came_sender.send(frame.sequence);
            let _ = go_receiver.recv_timeout(Duration::from_secs(8));
        };
        (Self { came, go }, pass)
    }

    /// The number of the frame that stands before the gate.
    pub(super) fn waits(&self) -> u64 {
        self.came.recv_timeout(Duration::from_secs(8)).unwrap()
    }
}
