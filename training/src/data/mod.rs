//! A set of faces: what `prepare` writes and `train` reads. One file, `NAME.faces`.
//!
//! ```text
//! "facelens faces 1\n"
//! for each face its picture: side x side x 3 bytes, RGB, row by row
//! the header, JSON: side, context, what is known of each face, how many were left out and why
//! length of the header in bytes, u64 little endian
//! ```
//!
//! Each picture is a square around the middle of the face box that the app's detector found, `context` times its side,
//! wider than what a network is shown: training moves, turns and scales its crop inside it.

pub(crate) mod balance;
pub(crate) mod container;
mod file;

use std::collections::BTreeMap;

use facelens_core::geometry::Pose;
use serde::{Deserialize, Serialize};

pub use container::SetError;
pub use file::SetWriter;

/// Side of a stored picture, in pixels.
pub const SIDE: usize = 96;
/// Usual side of a stored picture, in sides of the detector's box. What lies outside the source picture repeats its edge.
pub const CONTEXT: f32 = 2.0;

/// What is known of a face.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LabelledFace {
    /// Name of its picture in the source, for messages.
    pub name: String,
    /// Age in years.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<AgeRange>,
    /// Whether the data set calls the person male.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub male: Option<bool>,
    /// Head pose in degrees, with the signs of 300W-LP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pose: Option<Pose>,
    /// How far those who told the pose are from each other, degrees; `None` where nobody knows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pose_spread: Option<f32>,
    /// What somebody says of the age inside its bin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_hint: Option<AgeHint>,
}

/// A guess at an age within its bin, by a network for instance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgeHint {
    /// The age probably lies in here, years: a standard deviation to either side.
    pub min: f32,
    /// Its upper end, years.
    pub max: f32,
    /// How much it is worth, 0 to 1: the share of its belief that lies in the bin.
    pub weight: f32,
}

/// An age as a data set gives it: exact (`min == max`) or a bin. A bin reaches to the next birthday: "20-29" is 20 to 30,
/// as `facelens eval` counts it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgeRange {
    /// Youngest, years.
    pub min: f32,
    /// Oldest, years; `None` where the bin is open.
    pub max: Option<f32>,
}

/// A set of faces in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct FaceSet {
    /// Side of each picture, in pixels.
    pub side: usize,
    /// Side of each picture, in sides of the detector's box.
    pub context: f32,
    /// What is known of each.
    pub faces: Vec<LabelledFace>,
    /// How many pictures of the source were left out, by reason.
    pub left_out: BTreeMap<String, usize>,
    /// `faces.len() * side * side * 3` bytes, RGB.
    pub pixels: Vec<u8>,
}

impl FaceSet {
    /// How many faces.
    pub fn len(&self) -> usize {
        self.faces.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.faces.is_empty()
    }

    /// Keeps the first `count` faces.
    pub fn truncate(&mut self, count: usize) {
        self.faces.truncate(count);
        self.pixels.truncate(self.faces.len() * self.side * self.side * 3);
    }

    /// The picture of face `index`: `side * side * 3` bytes, RGB, row by row.
    pub fn picture(&self, index: usize) -> &[u8] {
        let length = self.side * self.side * 3;
        &self.pixels[index * length..(index + 1) * length]
    }
}
