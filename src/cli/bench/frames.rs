//! Whole frames: detector, tracker, crops and networks on a picture with known faces.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use image::imageops::{self, FilterType};
use image::{Rgb, RgbImage};
use serde::Serialize;

use super::cpu::process_time;
use super::median;
use crate::detect::{self, DetectorKind};
use crate::frame::Frame;
use crate::model::ModelSet;
use crate::pipeline::{Analyser, Faces, StageTimings};
use crate::source::demo::ASTRONAUT;

/// The sizes of frames.
pub(super) const SIZES: [(u32, u32); 2] = [(640, 480), (1280, 720)];

/// How many faces a frame has.
pub(super) const FACES: [u32; 3] = [1, 2, 4];

/// What a whole frame costs.
#[derive(Debug, Serialize)]
pub(super) struct FrameFigures {
    width: u32,
    height: u32,
    /// Faces in the picture.
    faces: u32,
    /// Frames a second, one after the other on one thread.
    fps: f64,
    /// Processor time of the whole process, where the system tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_ms_per_frame: Option<f64>,
    /// Medians over the frames.
    stages_ms: Stages,
    /// Faces found in most frames; told apart where it is not the number in the picture.
    #[serde(skip)]
    found: usize,
}

/// Medians of [`StageTimings`], rounded.
#[derive(Debug, Serialize)]
struct Stages {
    detect: f64,
    crop: f64,
    age: f64,
    gender: f64,
    pose: f64,
    track: f64,
}

/// Analyses a picture with `faces` faces again and again for `time`.
pub(super) fn measure(
    (width, height): (u32, u32),
    faces: u32,
    detector: DetectorKind,
    models: &ModelSet,
    time: Duration,
) -> anyhow::Result<FrameFigures> {
    let mut analyser = Analyser::new(Faces::Detect(detect::create(detector)?), models.clone());
    let mut frame = Arc::new(picture(width, height, faces)?);
    let mut timings: Vec<StageTimings> = Vec::new();
    let mut found = Vec::new();
    // The first frames warm up caches and are not counted.
    const WARM_UP: u64 = 3;
    let mut start = (Instant::now(), process_time());
    for sequence in 0.. {
        if sequence == WARM_UP {
            start = (Instant::now(), process_time());
        }
        if sequence > WARM_UP && start.0.elapsed() >= time {
            break;
        }
        // Nobody else holds the frame by now, so its place in the stream is set without a copy.
        if let Some(frame) = Arc::get_mut(&mut frame) {
            (frame.sequence, frame.time) = (sequence, Duration::from_secs(sequence) / 30);
        }
        let analysis = analyser.analyse(Arc::clone(&frame))?;
        if sequence >= WARM_UP {
            timings.push(analysis.timings);
            found.push(analysis.faces.len() as f64);
        }
    }
    let frames = timings.len() as f64;
    let (wall, cpu) = (start.0.elapsed(), start.1.zip(process_time()).map(|(before, after)| after - before));
    let stage = |of: fn(&StageTimings) -> f32| median(timings.iter().map(|t| f64::from(of(t))).collect());
    Ok(FrameFigures {
        width,
        height,
        faces,
        fps: (frames / wall.as_secs_f64() * 10.0).round() / 10.0,
        cpu_ms_per_frame: cpu.map(|cpu| (cpu.as_secs_f64() * 1e5 / frames).round() / 100.0),
        stages_ms: Stages {
            detect: stage(|t| t.detect),
            crop: stage(|t| t.crop),
            age: stage(|t| t.age),
            gender: stage(|t| t.gender),
            pose: stage(|t| t.pose),
            track: stage(|t| t.track),
        },
        found: median(found) as usize,
    })
}

impl FrameFigures {
    /// A word where fewer or more faces were found than there are: the times are then those of another case.
    pub(super) fn doubt(&self) -> Option<String> {
        let Self { width, height, faces, found, .. } = self;
        (*found != *faces as usize)
            .then(|| format!("of the {faces} faces in the {width}x{height} frame {found} were found"))
    }

    /// Titles of [`FrameFigures::cells`].
    pub(super) fn titles() -> Vec<String> {
        ["frame", "faces", "fps", "cpu ms", "detect", "crop", "age", "gender", "pose", "track"].map(String::from).into()
    }

    /// A line of the table.
    pub(super) fn cells(&self) -> Vec<String> {
        let Stages { detect, crop, age, gender, pose, track } = self.stages_ms;
        let stages = [detect, crop, age, gender, pose, track].map(|ms| format!("{ms:.2}"));
        let cpu = self.cpu_ms_per_frame.map_or_else(|| "-".into(), |ms| format!("{ms:.2}"));
        let mut cells =
            vec![format!("{}x{}", self.width, self.height), self.faces.to_string(), format!("{:.1}", self.fps), cpu];
        cells.extend(stages);
        cells
    }
}

/// The astronaut (NASA, public domain), `faces` times beside each other on a soft background.
fn picture(width: u32, height: u32, faces: u32) -> anyhow::Result<Frame> {
    let astronaut = image::load_from_memory(ASTRONAUT).context("the built-in picture is damaged")?.to_rgb8();
    // Head and shoulders; the face is about a third of this square.
    let head = imageops::crop_imm(&astronaut, 116, 10, 220, 220).to_image();
    let side = (width / faces.max(2)).min(height * 2 / 3);
    let head = imageops::resize(&head, side, side, FilterType::Triangle);
    let mut picture =
        RgbImage::from_fn(width, height, |x, y| Rgb([(60 + 80 * x / width) as u8, (70 + 60 * y / height) as u8, 110]));
    for face in 0..faces {
        let center = width * (2 * face + 1) / (2 * faces);
        imageops::replace(&mut picture, &head, (center - side / 2).into(), ((height - side) / 2).into());
    }
    Frame::from_rgb(width, height, picture.into_raw()).context("the bench picture")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_have_the_size_that_is_asked_for() {
        for (width, height) in SIZES {
            let frame = picture(width, height, 4).unwrap();
            assert_eq!((frame.width(), frame.height()), (width, height));
        }
    }
}
