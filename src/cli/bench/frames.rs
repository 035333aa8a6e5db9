//! Whole frames: detector, tracker, crops and networks on pictures with known faces that move.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use facelens_core::detect::{self, DetectorKind};
use facelens_core::model::ModelSet;
use facelens_core::{Analyser, Faces, StageTimings};
use serde::Serialize;

use super::process::processor_time;
use super::scene::BenchScene;
use super::statistics::{hundredths, mean, median, quantile, rounded};

/// What a whole frame costs.
#[derive(Debug, Serialize)]
pub(super) struct FrameFigures {
    width: u32,
    height: u32,
    /// Faces in the picture, where they were drawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    faces: Option<usize>,
    /// Faces found in most frames.
    found: usize,
    /// Frames that were measured.
    frames: usize,
    /// Frames a second, one after the other.
    fps: f64,
    /// The time of a frame that half of them take at most, and 95 and 99 of 100.
    median_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    /// Processor time of the whole process, where the system tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_ms_per_frame: Option<f64>,
    /// Means over the frames: not every frame is searched as a whole, so a median would leave that out.
    stages_ms: Stages,
}

/// Means of [`StageTimings`], rounded.
#[derive(Debug, Serialize)]
struct Stages {
    detect: f64,
    crop: f64,
    age: f64,
    gender: f64,
    pose: f64,
    track: f64,
}

/// Analyses frames of the scene for `time`, one after the other. The frames come as from a camera that is exactly as fast
/// as the analysis: [`Frame::time`](facelens_core::frame::Frame::time) is the time spent analysing so far. Where nobody is to be
/// seen, almost nothing is done for most frames, and they come 30 times a second. Drawing is not counted.
pub(super) fn measure(
    scene: &mut BenchScene,
    detector: DetectorKind,
    models: &ModelSet,
    time: Duration,
    stop: &AtomicBool,
) -> anyhow::Result<FrameFigures> {
    /// The first frames fill caches, and the tracker takes a face for one after a few.
    const WARM_UP: u64 = 10;
    /// Between two frames of an empty scene.
    const IDLE: Duration = Duration::from_nanos(33_333_333);
    let mut analyser = Analyser::new(Faces::Detect(detect::create(detector)?), models.clone());
    let (mut size, mut found) = ((0, 0), Vec::new());
    let mut timings: Vec<StageTimings> = Vec::new();
    let (mut times_ms, mut clock, mut measured, mut cpu) = (Vec::new(), Duration::ZERO, Duration::ZERO, Duration::ZERO);
    for sequence in 0.. {
        if stop.load(Ordering::SeqCst) || (sequence > WARM_UP && measured >= time) {
            break;
        }
        let frame = scene.frame(sequence, clock)?;
        size = (frame.width(), frame.height());
        let (cpu_before, before) = (processor_time(), Instant::now());
        let analysis = analyser.analyse(frame)?;
        let spent = before.elapsed();
        let cpu_spent = cpu_before.zip(processor_time()).map(|(before, after)| after.saturating_sub(before));
        clock += if scene.faces() == Some(0) { spent.max(IDLE) } else { spent };
        if sequence >= WARM_UP {
            measured += spent;
            cpu += cpu_spent.unwrap_or_default();
            times_ms.push(spent.as_secs_f64() * 1e3);
            timings.push(analysis.timings);
            found.push(analysis.faces.len() as f64);
        }
    }
    let frames = timings.len();
    let stage = |of: fn(&StageTimings) -> f32| rounded(mean(timings.iter().map(|timings| f64::from(of(timings)))));
    let per_frame_ms = |total: Duration| hundredths(total.as_secs_f64() * 1e3 / frames.max(1) as f64);
    Ok(FrameFigures {
        width: size.0,
        height: size.1,
        faces: scene.faces(),
        found: median(found) as usize,
        frames,
        fps: (frames as f64 / measured.as_secs_f64().max(1e-9) * 10.0).round() / 10.0,
        p95_ms: quantile(times_ms.clone(), 0.95),
        p99_ms: quantile(times_ms.clone(), 0.99),
        median_ms: median(times_ms),
        cpu_ms_per_frame: processor_time().map(|_| per_frame_ms(cpu)),
        stages_ms: Stages {
            detect: stage(|t| t.detect),
            crop: stage(|t| t.crop),
            age: stage(|t| t.age),
            gender: stage(|t| t.gender),
            pose: stage(|t| t.pose),
            track: stage(|t| t.track),
        },
    })
}

impl FrameFigures {
    /// A word where fewer or more faces were found than there are: the times are then those of another case.
    pub(super) fn doubt(&self) -> Option<String> {
        let Self { width, height, found, .. } = self;
        self.faces
            .filter(|faces| faces != found)
            .map(|faces| format!("of the {faces} faces in the {width}x{height} frame {found} were found"))
    }

    /// Its size in words.
    pub(super) fn size(&self) -> String {
        format!("{}x{}", self.width, self.height)
    }

    /// Faces that were found in most frames.
    pub(super) const fn found(&self) -> usize {
        self.found
    }

    /// Processor milliseconds of a frame, or else the median.
    pub(super) fn cost_ms(&self) -> f64 {
        self.cpu_ms_per_frame.unwrap_or(self.median_ms)
    }

    /// What each further face costs: the difference between this case and one of the same size with fewer faces, for each
    /// face more, processor milliseconds or else the median.
    pub(super) fn further_face_ms(&self, fewer: &Self) -> Option<f64> {
        let more = self.faces?.checked_sub(fewer.faces?).filter(|more| *more > 0)?;
        let same_size = (self.width, self.height) == (fewer.width, fewer.height);
        same_size.then(|| hundredths((self.cost_ms() - fewer.cost_ms()) / more as f64))
    }

    /// That in a sentence, over the neighbours in a list of cases.
    pub(super) fn further_faces(cases: &[Self]) -> Option<String> {
        let costs: Vec<String> = cases
            .windows(2)
            .filter_map(|pair| {
                let ms = pair[1].further_face_ms(&pair[0])?;
                let (from, to) = (pair[0].faces? + 1, pair[1].faces?);
                let which = if from == to { format!("face {to}") } else { format!("faces {from} to {to}") };
                Some(format!("{which} at {}x{}: {ms:.2}", pair[1].width, pair[1].height))
            })
            .collect();
        (!costs.is_empty()).then(|| format!("Each further face, milliseconds: {}.", costs.join("; ")))
    }

    /// Titles of [`FrameFigures::cells`].
    pub(super) fn titles() -> Vec<String> {
        [
            "frame", "faces", "fps", "cpu ms", "median", "95 %", "99 %", "detect", "crop", "age", "gender", "pose",
            "track",
        ]
        .map(String::from)
        .into()
    }

    /// A line of the table.
    pub(super) fn cells(&self) -> Vec<String> {
        let Stages { detect, crop, age, gender, pose, track } = self.stages_ms;
        let figures = [self.median_ms, self.p95_ms, self.p99_ms, detect, crop, age, gender, pose, track]
            .map(|ms| format!("{ms:.2}"));
        let cpu = self.cpu_ms_per_frame.map_or_else(|| "-".into(), |ms| format!("{ms:.2}"));
        let mut cells = vec![self.size(), self.found.to_string(), format!("{:.1}", self.fps), cpu];
        cells.extend(figures);
        cells
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::cli::bench) fn case(width: u32, faces: usize, cpu_ms: f64) -> FrameFigures {
        FrameFigures {
            width,
            height: 480,
            faces: Some(faces),
            found: faces,
            frames: 10,
            fps: 100.0,
            median_ms: 1.0,
            p95_ms: 1.0,
            p99_ms: 1.0,
            cpu_ms_per_frame: Some(cpu_ms),
            stages_ms: Stages { detect: 0.0, crop: 0.0, age: 0.0, gender: 0.0, pose: 0.0, track: 0.0 },
        }
    }

    #[test]
    fn the_cost_of_a_further_face_is_the_difference_between_cases_of_one_size() {
        let cases = [case(640, 1, 4.0), case(640, 2, 7.0), case(640, 4, 11.0), case(1280, 1, 5.0), case(1280, 1, 5.0)];
        let words = FrameFigures::further_faces(&cases).unwrap();
        assert_eq!(words, "Each further face, milliseconds: face 2 at 640x480: 3.00; faces 3 to 4 at 640x480: 2.00.");
        assert_eq!(FrameFigures::further_faces(&cases[3..]), None);
    }
}
