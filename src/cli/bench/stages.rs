//! The stages around the analysis: what a camera's picture costs before it, and the overlay and the video after it.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use eframe::egui::ColorImage;
use facelens_core::detect::{self, Detection, DetectorKind};
use facelens_core::frame::Frame;
use facelens_core::geometry::{Pose, Rect};
use facelens_core::track::{Age, Face, Gender, GenderLabel, GenderNumber, Tracker};
use facelens_gait::{BodyNetwork, GaitParts};
use facelens_media::demo::{ASTRONAUT, Walkers};
use facelens_media::{CameraPixels, decode_camera_picture, encode_camera_picture};
use facelens_session::overlay::{Scene, SceneOptions, paint_on_picture};
use facelens_session::video::{VideoOptions, VideoWriter};
use serde::Serialize;

use super::nets::time_calls;

/// Faces in the pictures of the stages.
const FACES: u32 = 2;

/// What one stage costs.
#[derive(Debug, Serialize)]
pub(super) struct StageFigures {
    stage: String,
    width: u32,
    height: u32,
    median_ms: f64,
}

/// Times the stages on frames of this size with two faces, each for `time`.
pub(super) fn measure(
    (width, height): (u32, u32),
    detector: DetectorKind,
    time: Duration,
) -> anyhow::Result<Vec<StageFigures>> {
    let mut figures = Vec::new();
    let mut add = |stage: String, median_ms| figures.push(StageFigures { stage, width, height, median_ms });
    let walkers = Walkers::new(width, height, FACES)?;
    let frame = walkers.draw(0, Duration::ZERO)?;
    for pixels in [CameraPixels::Yuyv, CameraPixels::Nv12, CameraPixels::Mjpeg] {
        let bytes = encode_camera_picture(pixels, &frame).map_err(|cause| anyhow!("{pixels}: {cause}"))?;
        let decode = || {
            let frame = decode_camera_picture(pixels, width, height, &bytes);
            std::hint::black_box(frame).map(drop).map_err(|cause| anyhow!("{pixels}: {cause}"))
        };
        add(format!("decode {pixels}"), time_calls(time, decode)?);
    }
    let mut finder = detect::create(detector)?;
    let search = || {
        std::hint::black_box(finder.detect(&frame)?);
        Ok(())
    };
    add("search the whole frame".to_owned(), time_calls(time, search)?);
    let detections: Vec<_> = walkers.truth(Duration::ZERO).into_iter().map(detection).collect();
    let (mut tracker, mut number) = (Tracker::new(), 0);
    let track = || {
        number += 1;
        std::hint::black_box(tracker.assign(&frame, Duration::from_secs(number) / 30, &detections));
        Ok(())
    };
    add("track".to_owned(), time_calls(time, track)?);
    let convert = || {
        let size = [width as usize, height as usize];
        std::hint::black_box(ColorImage::from_rgb(size, frame.rgb()));
        Ok(())
    };
    add("convert for the window".to_owned(), time_calls(time, convert)?);
    let faces: Vec<_> = detections.iter().zip(1..).map(|(found, id)| face(id, found.rect)).collect();
    let options = SceneOptions::default().for_saving(height);
    let mut rgb = frame.rgb().to_vec();
    let paint = || {
        paint_on_picture(&Scene::of(&faces, width, height, &options), &mut rgb, width, height);
        Ok(())
    };
    add("paint the overlay".to_owned(), time_calls(time, paint)?);
    add("encode H.264".to_owned(), encode(&walkers, (width, height), time)?);
    gait((width, height), time, &mut add)?;
    Ok(figures)
}

/// What the gaits cost: on the astronaut in the frame's middle.
fn gait((width, height): (u32, u32), time: Duration, add: &mut impl FnMut(String, f64)) -> anyhow::Result<()> {
    let astronaut = image::load_from_memory(ASTRONAUT)?.to_rgb8();
    let side = width.min(height);
    let scaled = image::imageops::resize(&astronaut, side, side, image::imageops::FilterType::Triangle);
    let mut picture = image::RgbImage::new(width, height);
    image::imageops::replace(&mut picture, &scaled, ((width - side) / 2).into(), ((height - side) / 2).into());
    let frame = Frame::from_rgb(width, height, picture.into_raw())?;
    for network in BodyNetwork::ALL {
        let mut parts = GaitParts::new(network)?;
        if network == BodyNetwork::default() {
            let search = || {
                std::hint::black_box(parts.search(&frame)?);
                Ok(())
            };
            add("gait: search for people (NanoDet)".to_owned(), time_calls(time, search)?);
        }
        let cut = || {
            std::hint::black_box(parts.cut(&frame)?);
            Ok(())
        };
        add(format!("gait: segment one person (BlazePose {})", network.name()), time_calls(time, cut)?);
        if network == BodyNetwork::default() {
            let body = parts.cut(&frame)?.context("nobody was segmented in the astronaut's image")?;
            let stride = || {
                parts.stride(&frame, &body);
                Ok(())
            };
            add("gait: silhouette, outline, stride".to_owned(), time_calls(time, stride)?);
        }
    }
    Ok(())
}

/// The median time to write one of eight pictures that follow each other.
fn encode(walkers: &Walkers, (width, height): (u32, u32), time: Duration) -> anyhow::Result<f64> {
    let frames = (0..8).map(|number| walkers.draw(number, Duration::from_secs(number) / 30));
    let frames: Vec<_> = frames.collect::<Result<_, _>>()?;
    let path: PathBuf = std::env::temp_dir().join(format!("facelens-bench-{}.mp4", std::process::id()));
    let mut writer = VideoWriter::create(&path, width, height, VideoOptions::default())?;
    let mut number = 0;
    let median = time_calls(time, || {
        let frame = &frames[number as usize % frames.len()];
        number += 1;
        Ok(writer.write(frame.rgb(), Duration::from_secs(number) / 30)?)
    });
    let finished = writer.finish();
    std::fs::remove_file(&path).with_context(|| format!("{}: cannot be removed", path.display()))?;
    finished?;
    median
}

fn detection(rect: Rect) -> Detection {
    Detection { rect, score: 0.9, keypoints: None }
}

fn face(id: u64, rect: Rect) -> Face {
    Face {
        id,
        rect,
        score: 0.9,
        age: Some(Age { years: 31.0, low: 27.0, high: 37.5 }),
        gender: Some(Gender { label: GenderLabel::Female, male: 0.1, number: GenderNumber::Chance }),
        pose: Some(Pose { yaw: 10.0, pitch: 5.0, roll: -3.0 }),
    }
}

impl StageFigures {
    /// One line per stage, one column per frame size.
    pub(super) fn rows(all: &[Self]) -> Vec<Vec<String>> {
        let mut sizes: Vec<(u32, u32)> = all.iter().map(|figures| (figures.width, figures.height)).collect();
        sizes.dedup();
        let mut names: Vec<&str> = Vec::new();
        for figures in all {
            if !names.contains(&&*figures.stage) {
                names.push(&figures.stage);
            }
        }
        let mut rows = vec![vec!["stage".to_owned()]];
        rows[0].extend(sizes.iter().map(|(width, height)| format!("{width}x{height}")));
        for name in names {
            let of = |size| all.iter().find(|figures| figures.stage == name && (figures.width, figures.height) == size);
            let cells =
                sizes.iter().map(|&size| of(size).map_or_else(String::new, |of| format!("{:.3}", of.median_ms)));
            rows.push([name.to_owned()].into_iter().chain(cells).collect());
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_lines_and_sizes_are_columns() {
        let figures =
            |stage: &str, width, median_ms| StageFigures { stage: stage.to_owned(), width, height: 480, median_ms };
        let all = [figures("a", 640, 1.0), figures("b", 640, 2.0), figures("a", 1280, 3.0), figures("b", 1280, 4.5)];
        let rows = StageFigures::rows(&all);
        assert_eq!(rows[0], ["stage", "640x480", "1280x480"]);
        assert_eq!(rows[2], ["b", "2.000", "4.500"]);
        assert_eq!(rows.len(), 3);
    }
}
