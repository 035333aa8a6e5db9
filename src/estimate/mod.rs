//! Face box + frame -> crop -> age, gender, pose. Raw values of one frame; `track` makes them steady.

mod crop;
mod prepare;
mod quality;
mod resize;
mod tensor;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Instant;

pub use quality::Quality;

use self::prepare::{Preparer, Region};
use self::quality::QualityMeter;
use crate::frame::Frame;
use crate::geometry::{Pose, Rect};
use crate::model::{ModelSet, TaskModel};

/// What the networks say of one face in one frame. A task without a model is `None`, and so is every task of a face that
/// lies outside the picture.
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

/// Time spent in each step for one face.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct EstimateTimings {
    /// Cropping, resizing, scaling, and measuring the quality, milliseconds.
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
    preparer: Preparer,
    meter: QualityMeter,
}

impl Estimator {
    /// An estimator for these models.
    pub fn new(models: ModelSet) -> Self {
        Self { models, preparer: Preparer::default(), meter: QualityMeter::default() }
    }

    /// The models in use.
    pub fn models(&self) -> &ModelSet {
        &self.models
    }

    /// Estimates the face in `rect` (a facelens box; it may reach over the picture's edge). A box that has no finite
    /// size or lies outside the picture gives an estimate without values.
    ///
    /// # Errors
    /// Where a network fails.
    pub fn estimate(&mut self, frame: &Frame, rect: &Rect) -> Result<(Estimate, EstimateTimings), EstimateError> {
        self.run(frame, Region::Face(rect))
    }

    /// Takes the whole picture as a ready face crop: no detection, no margin (`--crops`).
    ///
    /// # Errors
    /// Where a network fails.
    pub fn estimate_crop(&mut self, frame: &Frame) -> Result<(Estimate, EstimateTimings), EstimateError> {
        self.run(frame, Region::Whole)
    }

    fn run(&mut self, frame: &Frame, region: Region<'_>) -> Result<(Estimate, EstimateTimings), EstimateError> {
        let mut timings = EstimateTimings::default();
        let started = Instant::now();
        let resizer = &mut self.preparer.resizer;
        let quality = match region {
            Region::Face(rect) => self.meter.of_face(resizer, frame, rect),
            Region::Whole => self.meter.of_crop(resizer, frame),
        };
        let quality = quality.map_err(|cause| EstimateError { model: "for sharpness".to_owned(), cause })?;
        timings.crop_ms += ms_since(started);
        self.preparer.next_face();
        let mut faces = Faces { frame, region, preparer: &mut self.preparer, crop_ms: &mut timings.crop_ms };
        let ages = faces.ask(&self.models.age, &mut timings.age_ms, TaskModel::scalar)?;
        let scores = faces.ask(&self.models.gender, &mut timings.gender_ms, TaskModel::scalar)?;
        let poses = faces.ask(&self.models.pose, &mut timings.pose_ms, TaskModel::pose)?;
        let estimate = Estimate { age_years: mean(&ages), male_score: mean(&scores), pose: mean_pose(&poses), quality };
        Ok((estimate, timings))
    }
}

/// One face on its way through the models.
struct Faces<'a> {
    frame: &'a Frame,
    region: Region<'a>,
    preparer: &'a mut Preparer,
    crop_ms: &'a mut f32,
}

impl Faces<'_> {
    /// What each of `models` says, and the time that their networks took; nothing of a face outside the picture.
    fn ask<T>(
        &mut self,
        models: &[Arc<TaskModel>],
        ms: &mut f32,
        run: impl Fn(&TaskModel, &[f32]) -> Result<T, String>,
    ) -> Result<Vec<T>, EstimateError> {
        let mut answers = Vec::with_capacity(models.len());
        for model in models {
            let failed = |cause: String| EstimateError { model: model.card.name.clone(), cause };
            let started = Instant::now();
            let input = self.preparer.input(self.frame, self.region, &model.card).map_err(failed)?;
            *self.crop_ms += ms_since(started);
            let Some(input) = input else { continue };
            let started = Instant::now();
            answers.push(run(model, input).map_err(failed)?);
            *ms += ms_since(started);
        }
        Ok(answers)
    }
}

fn ms_since(started: Instant) -> f32 {
    started.elapsed().as_secs_f32() * 1e3
}

fn mean(values: &[f32]) -> Option<f32> {
    (!values.is_empty()).then(|| values.iter().sum::<f32>() / values.len() as f32)
}

/// Each angle averaged. Head poses stay within about 100 degrees, so no angle wraps around.
fn mean_pose(poses: &[Pose]) -> Option<Pose> {
    let angle = |of: fn(&Pose) -> f32| mean(&poses.iter().map(of).collect::<Vec<_>>());
    Some(Pose { yaw: angle(|pose| pose.yaw)?, pitch: angle(|pose| pose.pitch)?, roll: angle(|pose| pose.roll)? })
}
