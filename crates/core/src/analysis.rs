//! What one frame's analysis gives.

use std::sync::Arc;

use crate::frame::Frame;
use crate::track::Face;

/// A frame with what was found in it.
#[derive(Clone, Debug)]
pub struct Analysis {
    /// The frame; the overlay belongs to it.
    pub frame: Arc<Frame>,
    /// The faces, by identity.
    pub faces: Vec<Face>,
    /// Time spent.
    pub timings: StageTimings,
}

/// Milliseconds that one frame spent in each stage, all faces and threads together.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct StageTimings {
    /// Finding the faces.
    pub detect: f32,
    /// Cropping and scaling.
    pub crop: f32,
    /// Age networks.
    pub age: f32,
    /// Gender networks.
    pub gender: f32,
    /// Pose networks.
    pub pose: f32,
    /// Identities and smoothing.
    pub track: f32,
}

impl StageTimings {
    /// All stages together, milliseconds.
    pub fn total(&self) -> f32 {
        self.detect + self.crop + self.age + self.gender + self.pose + self.track
    }
}
