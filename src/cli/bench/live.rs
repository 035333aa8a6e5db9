//! The running program: how long it takes to be ready, what memory it holds, and how late an overlay is.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use facelens_core::detect::{self, DetectorKind};
use facelens_core::model::ModelSet;
use facelens_core::{Analyser, Analysis, Faces};
use facelens_media::{self as media, Mode, Next, Source, SourceError, SourceInfo, SourceKind, SourceSpec};
use facelens_session::AnalysisSink;
use serde::Serialize;

use super::process::{Memory, processor_time};
use super::scene::BenchScene;
use super::statistics::{hundredths, median, quantile};
use crate::pipeline::{LiveOptions, LiveSession};

/// Frame size and faces that the memory is measured with.
const FRAME: ((u32, u32), u32) = ((1280, 720), 4);

/// What happens before the first overlay.
#[derive(Debug, Serialize)]
pub(super) struct StartFigures {
    /// Loading all models, from the program's own copy to ready to run.
    load_models_ms: f64,
    /// Making the detector.
    load_detector_ms: f64,
    /// The first frame of 1280x720 with four faces.
    first_frame_ms: f64,
    /// After four such frames, without a window; where the system tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<Memory>,
}

/// Makes everything as the program does at its start; gives the models for what follows. To be called before anything
/// else takes memory.
pub(super) fn start(
    detector: DetectorKind,
    load: impl FnOnce() -> anyhow::Result<ModelSet>,
) -> anyhow::Result<(StartFigures, ModelSet)> {
    let before = Instant::now();
    let models = load()?;
    let load_models_ms = ms_since(before);
    let before = Instant::now();
    let detector = detect::create(detector)?;
    let load_detector_ms = ms_since(before);
    let mut analyser = Analyser::new(Faces::Detect(detector), models.clone());
    let mut scene = BenchScene::drawn(FRAME.0, FRAME.1)?;
    let mut first_frame_ms = None;
    for number in 0..4 {
        let frame = scene.frame(number, Duration::from_secs(number) / 30)?;
        let before = Instant::now();
        let _analysis = analyser.analyse(frame)?;
        first_frame_ms.get_or_insert_with(|| ms_since(before));
    }
    let first_frame_ms = first_frame_ms.unwrap_or_default();
    Ok((StartFigures { load_models_ms, load_detector_ms, first_frame_ms, memory: Memory::now() }, models))
}

/// The live pipeline on the demo as if a camera gave it: two faces, 640x480, 30 frames a second.
#[derive(Debug, Serialize)]
pub(super) struct LiveFigures {
    /// Delay from a frame's arrival to its overlay being ready to paint: what half of the frames take at most, and 95 and
    /// 99 of 100.
    delay_ms: f64,
    delay_p95_ms: f64,
    delay_p99_ms: f64,
    /// Frames that these delays are of.
    frames: usize,
    /// Frames analysed a second, of the 30 that come.
    analysed_fps: f64,
    /// Frames that a newer one replaced.
    dropped: u64,
    /// Processor time of the whole program, without a window, in percent of one core; where the system tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    core_percent: Option<f64>,
}

/// Notes how late each overlay is.
#[derive(Default)]
struct Delays(Mutex<Vec<f64>>);

impl AnalysisSink for Delays {
    fn analysed(&self, analysis: &Arc<Analysis>) {
        let delay = analysis.frame.captured_at.elapsed();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(delay.as_secs_f64() * 1e3);
    }

    fn source_changed(&self) {}
}

/// A source whose frames are handled as a camera's: none of them waits for a search of the whole frame.
struct AsCamera {
    source: Box<dyn Source>,
    info: SourceInfo,
}

impl AsCamera {
    fn open(spec: &SourceSpec) -> Result<Box<dyn Source>, SourceError> {
        let source = media::open(spec, Mode::Live)?;
        let info = SourceInfo { kind: SourceKind::Camera, ..source.info().clone() };
        Ok(Box::new(Self { source, info }))
    }
}

impl Source for AsCamera {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next(&mut self) -> Result<Next, SourceError> {
        self.source.next()
    }
}

/// The first frames wait for the networks.
const WARM_UP: Duration = Duration::from_secs(1);

/// Runs the pipeline as the window does, on two threads, for `time` after a second.
pub(super) fn live(detector: DetectorKind, models: &ModelSet, time: Duration) -> anyhow::Result<LiveFigures> {
    let delays = Arc::new(Delays::default());
    let options = LiveOptions {
        source: Some(SourceSpec::Demo),
        models: models.clone(),
        detector,
        sink: Some(Arc::clone(&delays) as Arc<dyn AnalysisSink>),
        camera_format: None,
        wake: Arc::new(|| {}),
    };
    let live = LiveSession::start_from(options, AsCamera::open).context("the system cannot start a thread")?;
    let taken = || std::mem::take(&mut *delays.0.lock().unwrap_or_else(PoisonError::into_inner));
    std::thread::sleep(WARM_UP);
    let (_, dropped_before, processor_before, before) =
        (taken(), live.status().dropped, processor_time(), Instant::now());
    std::thread::sleep(time);
    let (delays, spent) = (taken(), before.elapsed().as_secs_f64());
    let processor = processor_before.zip(processor_time()).map(|(before, after)| after.saturating_sub(before));
    Ok(LiveFigures {
        delay_ms: hundredths(median(delays.clone())),
        delay_p95_ms: hundredths(quantile(delays.clone(), 0.95)),
        delay_p99_ms: hundredths(quantile(delays.clone(), 0.99)),
        frames: delays.len(),
        analysed_fps: hundredths(delays.len() as f64 / spent),
        dropped: live.status().dropped.saturating_sub(dropped_before),
        core_percent: processor.map(|time| (1000.0 * time.as_secs_f64() / spent).round() / 10.0),
    })
}

impl StartFigures {
    /// In sentences.
    pub(super) fn words(&self) -> String {
        let Self { load_models_ms, load_detector_ms, first_frame_ms, memory } = self;
        let memory = memory.map_or_else(String::new, |memory| format!("; {}", memory.words()));
        format!(
            "Start: models {load_models_ms:.0} ms, detector {load_detector_ms:.0} ms, first frame of 1280x720 with four \
             faces {first_frame_ms:.0} ms{memory}."
        )
    }
}

impl LiveFigures {
    /// In sentences.
    pub(super) fn words(&self) -> String {
        let Self { delay_ms, delay_p95_ms, delay_p99_ms, frames, analysed_fps, dropped, core_percent } = self;
        let load = core_percent.map_or_else(String::new, |percent| format!(" It takes {percent:.0} % of a core."));
        format!(
            "Live on the demo as of a camera, 30 frames a second: {analysed_fps:.1} a second analysed, {dropped} \
             dropped. From a frame's arrival to its overlay: {delay_ms:.1} ms (median of {frames}), {delay_p95_ms:.1} ms \
             for 95 of 100, {delay_p99_ms:.1} ms for 99.{load}"
        )
    }
}

fn ms_since(before: Instant) -> f64 {
    hundredths(before.elapsed().as_secs_f64() * 1e3)
}
