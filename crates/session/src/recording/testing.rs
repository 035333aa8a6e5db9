//! Frames with faces for the tests of recordings.

use std::sync::Arc;
use std::time::Duration;

use facelens_core::frame::Frame;
use facelens_core::geometry::{Pose, Rect};
use facelens_core::track::{Age, Face, Gender, GenderLabel, GenderNumber};
use facelens_core::{Analysis, StageTimings};

/// When frame `number` is captured: an uneven clock around 30 a second that loses half a second now and then.
pub(crate) fn capture_time(number: u64) -> Duration {
    let uneven = [0, 11_000, 4_300, 900, 17_500][(number % 5) as usize];
    Duration::from_micros(5_000_000 + number * 33_367 + uneven + number / 40 * 500_000)
}

/// Frame `number`: grey with fine stripes, and a face with everything for each identity.
pub(crate) fn analysis(width: u32, height: u32, number: u64, ids: &[u64]) -> Arc<Analysis> {
    let pixel = |index: u32| [if index % width % 4 < 2 { 60 } else { 200 }; 3];
    let rgb = (0..width * height).flat_map(pixel).collect();
    let frame = Frame::from_rgb(width, height, rgb).unwrap().at(number, capture_time(number));
    let face = |&id: &u64| Face {
        id,
        rect: Rect::new(8.0 * id as f32, 12.0, 16.0, 16.0),
        score: 0.9,
        age: Some(Age { years: 31.0, low: 27.0, high: 37.5 }),
        gender: Some(Gender { label: GenderLabel::Female, male: 0.1, number: GenderNumber::Chance }),
        pose: Some(Pose { yaw: 10.0, pitch: 5.0, roll: -3.0 }),
    };
    let faces = ids.iter().map(face).collect();
    Arc::new(Analysis { frame: Arc::new(frame), faces, timings: StageTimings::default() })
}
