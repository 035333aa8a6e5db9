//! Face box + frame -> crop -> age, gender, pose. Raw values of one frame; `track` makes them steady.

use crate::frame::Frame;
use crate::geometry::{Pose, Rect};
use crate::model::ModelSet;

/// What the networks say of one face in one frame. A task without a model is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Age in years, as the network gives it (not clamped).
    pub age_years: Option<f32>,
    /// Male score, about 0 female and about 1 male, as the network gives it (not clamped).
    pub male_score: Option<f32>,
    /// Head pose in degrees.
    pub pose: Option<Pose>,
    /// How well the face can be seen, for weighting.
    pub quality: Quality,
}

/// How well a face can be seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quality {
    /// Side of the face's box in pixels of the source.
    pub side_px: f32,
    /// Sharpness of the crop: variance of its Laplacian over its variance, 0 for a flat or blurred crop.
    pub sharpness: f32,
}

/// Time spent in each step for one face.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EstimateTimings {
    /// Cropping, resizing, scaling, milliseconds.
    pub crop_ms: f32,
    /// Age networks, milliseconds.
    pub age_ms: f32,
    /// Gender networks, milliseconds.
    pub gender_ms: f32,
    /// Pose networks, milliseconds.
    pub pose_ms: f32,
}

/// A network failed on a face.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the model {model} failed: {cause}")]
pub struct EstimateError {
    /// Name of the model.
    pub model: String,
    /// What went wrong.
    pub cause: String,
}

/// Runs the models in use on faces. Keeps its buffers between calls.
pub struct Estimator {
    models: ModelSet,
}

impl Estimator {
    /// An estimator for these models.
    pub fn new(models: ModelSet) -> Self {
        Self { models }
    }

    /// The models in use.
    pub fn models(&self) -> &ModelSet {
        &self.models
    }

    /// Estimates the face in `rect` (a facelens box; it may reach over the picture's edge).
    ///
    /// # Errors
    /// Where a network fails.
    pub fn estimate(&mut self, frame: &Frame, rect: &Rect) -> Result<(Estimate, EstimateTimings), EstimateError> {
        let _ = (frame, rect);
        todo!("estimate rooms")
    }

    /// Takes the whole picture as a ready face crop: no detection, no margin (`--crops`).
    ///
    /// # Errors
    /// Where a network fails.
    pub fn estimate_crop(&mut self, frame: &Frame) -> Result<(Estimate, EstimateTimings), EstimateError> {
        let _ = frame;
        todo!("estimate rooms")
    }
}
