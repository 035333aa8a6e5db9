//! One frame and its faces as they are written: the same names and the same rounding in JSONL and in CSV.

use facelens_core::Analysis;
use facelens_core::geometry::{Pose, Rect};
use facelens_core::track::{Age, Face, Gender, GenderLabel, GenderNumber};
use serde::{Deserialize, Serialize};

/// One line of JSONL: a frame and the faces in it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FrameRow {
    /// The input as it was given; for a picture out of a folder, that picture's path.
    pub input: String,
    /// Number of the frame in its input, from 0.
    pub frame: u64,
    /// Time of the frame in its input, seconds, to the millisecond.
    pub time_s: f64,
    /// Width of the source picture, pixels.
    pub width: u32,
    /// Height of the source picture, pixels.
    pub height: u32,
    /// The faces; empty where there is none.
    pub faces: Vec<FaceRow>,
}

/// A face as it is written. A task without a model has no key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaceRow {
    /// Identity, from 1.
    pub id: u64,
    /// The facelens box in pixels of the unmirrored source picture, to a tenth.
    #[serde(rename = "box")]
    pub rect: Rect,
    /// The detector's score, 0 to 1, to a thousandth.
    pub score: f32,
    /// Age, where there is an age model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age: Option<AgeRow>,
    /// Gender, where there is a gender model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gender: Option<GenderRow>,
    /// Head pose in degrees to a hundredth, where there is a pose model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pose: Option<Pose>,
}

/// An age as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "AgeRead")]
pub struct AgeRow {
    /// Years, to a tenth.
    pub years: f32,
    /// Lower end of the range in which the true age lies four times out of five, years, to a tenth.
    pub low: f32,
    /// Its upper end.
    pub high: f32,
}

impl AgeRow {
    /// An age of schema 1, which had one distance for both ends of its range.
    pub fn with_spread(years: f32, spread: f32) -> Self {
        Self { years, low: (years - spread).max(0.0), high: years + spread }
    }
}

/// An age as it is read: of this schema or of the first.
#[derive(Deserialize)]
struct AgeRead {
    years: f32,
    low: Option<f32>,
    high: Option<f32>,
    spread: Option<f32>,
}

impl TryFrom<AgeRead> for AgeRow {
    type Error = &'static str;

    fn try_from(AgeRead { years, low, high, spread }: AgeRead) -> Result<Self, Self::Error> {
        match (low, high, spread) {
            (Some(low), Some(high), _) => Ok(Self { years, low, high }),
            (None, None, Some(spread)) => Ok(Self::with_spread(years, spread)),
            _ => Err("an age has no `low` and `high`"),
        }
    }
}

/// A gender as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GenderRow {
    /// What may be said.
    pub label: GenderLabel,
    /// From 0 (female) to 1 (male), to a thousandth: a chance by the model's calibration, or a score; `session.json` says
    /// which.
    pub male: f32,
}

impl FrameRow {
    /// The row of one analysed frame of `input`. Numbers that are not finite are never written: an estimate with one
    /// is left out, and so is a face whose box has one.
    pub fn new(input: impl Into<String>, analysis: &Analysis) -> Self {
        let frame = &analysis.frame;
        Self {
            input: input.into(),
            frame: frame.sequence,
            time_s: (frame.time.as_secs_f64() * 1000.0).round() / 1000.0,
            width: frame.width(),
            height: frame.height(),
            faces: analysis.faces.iter().filter_map(FaceRow::new).collect(),
        }
    }
}

impl FaceRow {
    /// The face as it is written, or `None` where its box is not finite.
    pub fn new(face: &Face) -> Option<Self> {
        let Rect { x, y, width, height } = face.rect;
        Some(Self {
            id: face.id,
            rect: Rect::new(rounded(x, 1)?, rounded(y, 1)?, rounded(width, 1)?, rounded(height, 1)?),
            score: rounded(face.score, 3)?,
            age: face.age.and_then(|Age { years, low, high }| {
                Some(AgeRow { years: rounded(years, 1)?, low: rounded(low, 1)?, high: rounded(high, 1)? })
            }),
            gender: face
                .gender
                .and_then(|gender| Some(GenderRow { label: gender.label, male: rounded(gender.male, 3)? })),
            pose: face.pose.and_then(|pose| {
                Some(Pose { yaw: rounded(pose.yaw, 2)?, pitch: rounded(pose.pitch, 2)?, roll: rounded(pose.roll, 2)? })
            }),
        })
    }
}

impl FaceRow {
    /// The face as it was analysed, but for the rounding; `number` is what its gender's number is.
    pub fn to_face(&self, number: GenderNumber) -> Face {
        let Self { id, rect, score, age, gender, pose } = *self;
        Face {
            id,
            rect,
            score,
            age: age.map(|AgeRow { years, low, high }| Age { years, low, high }),
            gender: gender.map(|GenderRow { label, male }| Gender { label, male, number }),
            pose,
        }
    }
}

/// `value` rounded to `decimals` places, without a negative zero; `None` where it is not finite.
pub(super) fn rounded(value: f32, decimals: i32) -> Option<f32> {
    if !value.is_finite() {
        return None;
    }
    let scale = 10_f64.powi(decimals);
    // Rounded in f64, so that the nearest f32 to the decimal number comes out, which prints as that decimal number.
    let rounded = (f64::from(value) * scale).round() / scale;
    Some(rounded as f32 + 0.0)
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use facelens_core::frame::Frame;

    use super::*;

    /// An analysis of frame 3 at 0.1 s of a 4x2 picture.
    pub(crate) fn analysis(faces: Vec<Face>) -> Analysis {
        let frame = Frame::from_rgb(4, 2, vec![0; 24]).unwrap().at(3, Duration::from_micros(100_400));
        Analysis { frame: Arc::new(frame), faces, timings: Default::default() }
    }

    /// A face with every estimate.
    pub(crate) fn face() -> Face {
        Face {
            id: 1,
            rect: Rect::new(201.46, 99.0, 120.04, 119.96),
            score: 0.979_6,
            age: Some(Age { years: 31.16, low: 27.06, high: 37.5 }),
            gender: Some(Gender { label: GenderLabel::Female, male: 0.080_04, number: GenderNumber::Chance }),
            pose: Some(Pose { yaw: -12.104, pitch: 3.4, roll: -0.001 }),
        }
    }

    #[test]
    fn numbers_are_rounded_and_zero_has_no_sign() {
        let row = FrameRow::new("clip.mp4", &analysis(vec![face()]));
        assert_eq!((row.frame, row.time_s, row.width, row.height), (3, 0.1, 4, 2));
        let face = &row.faces[0];
        assert_eq!(face.rect, Rect::new(201.5, 99.0, 120.0, 120.0));
        assert_eq!(face.score, 0.98);
        assert_eq!(face.age, Some(AgeRow { years: 31.2, low: 27.1, high: 37.5 }));
        let pose = face.pose.unwrap();
        assert_eq!((pose.yaw, pose.pitch, pose.roll.is_sign_positive()), (-12.1, 3.4, true));
    }

    #[test]
    fn a_row_gives_its_face_back() {
        let row = FaceRow::new(&face()).unwrap();
        assert_eq!(FaceRow::new(&row.to_face(GenderNumber::Score)), Some(row));
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        let mut broken = face();
        broken.age = Some(Age { years: 30.0, low: 28.0, high: f32::NAN });
        broken.gender = Some(Gender { label: GenderLabel::Unsure, male: f32::INFINITY, number: GenderNumber::Score });
        broken.pose = Some(Pose { yaw: 0.0, pitch: f32::NEG_INFINITY, roll: 0.0 });
        let row = FaceRow::new(&broken).unwrap();
        assert_eq!((row.age, row.gender, row.pose), (None, None, None));
        broken.rect.width = f32::NAN;
        assert_eq!(FaceRow::new(&broken), None);
    }
}
