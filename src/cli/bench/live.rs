//! The running program: how long it takes to be ready, what memory it holds, and how late an overlay is.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use facelens_core::detect::{self, DetectorKind};
use facelens_core::model::ModelSet;
use facelens_core::{Analyser, Faces};
use facelens_media::SourceSpec;
use serde::Serialize;

use super::process::Memory;
use super::scene::BenchScene;
use super::statistics::hundredths;
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

/// The live pipeline on the demo: one face, 640x480, 30 frames a second at the pace of a camera.
#[derive(Debug, Serialize)]
pub(super) struct LiveFigures {
    /// Median delay from a frame's arrival to its overlay being ready to paint.
    delay_ms: f64,
    /// Frames analysed a second, of the 30 that come.
    analysed_fps: f64,
    /// Frames that a newer one replaced.
    dropped: u64,
}

/// Runs the pipeline as the window does, on two threads, for `time`.
pub(super) fn live(detector: DetectorKind, models: &ModelSet, time: Duration) -> anyhow::Result<LiveFigures> {
    let options = LiveOptions {
        source: Some(SourceSpec::Demo),
        models: models.clone(),
        detector,
        sink: None,
        camera_format: None,
        wake: Arc::new(|| {}),
    };
    let live = LiveSession::start(options).context("the system cannot start a thread")?;
    std::thread::sleep(time);
    let status = live.status();
    Ok(LiveFigures {
        delay_ms: hundredths(status.delay_ms.into()),
        analysed_fps: hundredths(status.analysed_fps.into()),
        dropped: status.dropped,
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
    /// In a sentence.
    pub(super) fn words(&self) -> String {
        let Self { delay_ms, analysed_fps, dropped } = self;
        format!(
            "Live on the demo at 30 frames a second: {analysed_fps:.1} a second analysed, {dropped} dropped, {delay_ms:.1} \
             ms from a frame's arrival to its overlay (median)."
        )
    }
}

fn ms_since(before: Instant) -> f64 {
    hundredths(before.elapsed().as_secs_f64() * 1e3)
}
