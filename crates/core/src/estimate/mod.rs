//! Face box + frame -> crop -> age, gender, pose. Raw values of one frame; `track` makes them steady.

mod crop;
mod prepare;
mod quality;
pub(crate) mod resize;
mod tensor;
#[cfg(test)]
mod tests;
pub(crate) mod warp;

use std::sync::Arc;
use std::time::Instant;

pub use quality::Quality;

use self::prepare::{Preparer, Region};
use self::quality::QualityMeter;
use crate::detect::Detection;
use crate::frame::Frame;
use crate::geometry::{Point, Pose, Rect};
use crate::model::{Answers, ModelSet, Task, TaskModel};

/// What the networks say of one face in one frame. A task without a model is `None`, and so is every task of a face that
/// lies outside the picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estimate {
    /// Age.
    pub age: Option<AgeEstimate>,
    /// Gender.
    pub gender: Option<GenderEstimate>,
    /// Head pose in degrees.
    pub pose: Option<Pose>,
    /// How well the face can be seen, for weighting.
    pub quality: Quality,
}

/// An age in one frame.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct AgeEstimate {
    /// Years, as the network gives them (not clamped).
    pub years: f32,
    /// Low and high, years: the range in which the true age lies four times out of five, or as often as the model's card
    /// says. `None` of a model that is not calibrated.
    pub range: Option<(f32, f32)>,
}

impl AgeEstimate {
    /// An age of which nobody knows how far it is off.
    pub const fn plain(years: f32) -> Self {
        Self { years, range: None }
    }
}

/// A gender in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum GenderEstimate {
    /// The chance that the face would be labelled male, 0 to 1.
    Chance(f32),
    /// A score: about 0 female, about 1 male, as the network gives it (not clamped). No chance.
    Score(f32),
}

impl GenderEstimate {
    /// The chance or the score: about 0 female, about 1 male.
    pub const fn male(self) -> f32 {
        match self {
            Self::Chance(male) | Self::Score(male) => male,
        }
    }
}

/// Where in a frame a face is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FaceRegion {
    /// The facelens box, pixels; it may reach over the picture's edge.
    pub rect: Rect,
    /// How far the head is tilted clockwise as the picture shows it, degrees, by its landmarks: what cards with
    /// `crop.upright` turn back. 0 where nobody knows.
    pub roll_degrees: f32,
    /// Its landmarks as [`Detection::keypoints`] has them, pixels: what cards with `crop.align` go by. `None` where nobody
    /// knows; such a card then shows the box.
    pub landmarks: Option<[Point; 6]>,
}

impl FaceRegion {
    /// The same face in another box: its landmarks go with the box.
    #[must_use]
    pub fn in_box(self, rect: Rect) -> Self {
        let (from, across, down) = (self.rect, rect.width / self.rect.width, rect.height / self.rect.height);
        let moved =
            |point: Point| Point { x: rect.x + (point.x - from.x) * across, y: rect.y + (point.y - from.y) * down };
        Self { rect, landmarks: self.landmarks.map(|landmarks| landmarks.map(moved)), ..self }
    }

    /// The face in the mirror image of a picture of this width, pixels.
    #[must_use]
    pub fn mirrored(self, width: f32) -> Self {
        let mirrored = |point: Point| Point { x: width - point.x, ..point };
        Self {
            rect: Rect { x: width - self.rect.right(), ..self.rect },
            roll_degrees: -self.roll_degrees,
            // Left and right are exchanged.
            landmarks: self.landmarks.map(|[left_eye, right_eye, nose, mouth, left_ear, right_ear]| {
                [right_eye, left_eye, nose, mouth, right_ear, left_ear].map(mirrored)
            }),
        }
    }
}

impl From<&Rect> for FaceRegion {
    fn from(rect: &Rect) -> Self {
        Self { rect: *rect, roll_degrees: 0.0, landmarks: None }
    }
}

impl From<&Detection> for FaceRegion {
    fn from(detection: &Detection) -> Self {
        let roll_degrees = detection.roll_degrees().unwrap_or_default();
        Self { rect: detection.rect, roll_degrees, landmarks: detection.keypoints }
    }
}

/// Time spent in each step for one face. A network for several tasks runs once, and its time is counted once: under the
/// first of those that it is in use for, age before gender.
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

impl EstimateTimings {
    /// What a task's networks took.
    fn of(&mut self, task: Task) -> &mut f32 {
        match task {
            Task::Age => &mut self.age_ms,
            Task::Gender => &mut self.gender_ms,
            Task::Pose => &mut self.pose_ms,
        }
    }
}

/// Runs the models in use on faces. Keeps its buffers between calls.
pub struct Estimator {
    set: ModelSet,
    /// Each model once, with the tasks that it is in use for.
    models: Vec<(Arc<TaskModel>, Vec<Task>)>,
    /// Of each task in the order of [`Task::ALL`]: which of `models` are averaged. One that was given twice counts twice.
    asked: [Vec<usize>; Task::ALL.len()],
    /// What each of `models` says of the face.
    answers: Vec<Answers>,
    /// The mirror image of an input.
    mirrored: Vec<f32>,
    preparer: Preparer,
    meter: QualityMeter,
}

impl Estimator {
    /// An estimator for these models.
    pub fn new(set: ModelSet) -> Self {
        let models = set.distinct();
        let place = |model: &Arc<TaskModel>| models.iter().position(|(known, _)| known.is_same_as(model));
        let asked = Task::ALL.map(|task| set.of(task).iter().filter_map(place).collect());
        let (preparer, meter) = (Preparer::default(), QualityMeter::default());
        Self { set, models, asked, answers: Vec::new(), mirrored: Vec::new(), preparer, meter }
    }

    /// The models in use.
    pub fn models(&self) -> &ModelSet {
        &self.set
    }

    /// Estimates the face at a place: a detection, or a facelens box. A box that has no finite size or lies outside the
    /// picture gives an estimate without values.
    ///
    /// # Errors
    /// Where a network fails.
    pub fn estimate(
        &mut self,
        frame: &Frame,
        face: impl Into<FaceRegion>,
    ) -> Result<(Estimate, EstimateTimings), EstimateError> {
        self.run(frame, Region::Face(face.into()), false)
    }

    /// As [`estimate`](Self::estimate), of a face that nothing is known of yet; as [`estimate_crop`](Self::estimate_crop)
    /// without one. Models whose cards say so ([`CropSpec::mirrored`](crate::model::CropSpec::mirrored)) also read the mirror
    /// image, which costs a second call and makes a single image's answers more exact.
    ///
    /// # Errors
    /// Where a network fails.
    pub fn first_look(
        &mut self,
        frame: &Frame,
        face: Option<FaceRegion>,
    ) -> Result<(Estimate, EstimateTimings), EstimateError> {
        self.run(frame, face.map_or(Region::Whole, Region::Face), true)
    }

    /// Takes the whole picture as a ready face crop: no detection, no margin (`--crops`).
    ///
    /// # Errors
    /// Where a network fails.
    pub fn estimate_crop(&mut self, frame: &Frame) -> Result<(Estimate, EstimateTimings), EstimateError> {
        self.run(frame, Region::Whole, false)
    }

    fn run(
        &mut self,
        frame: &Frame,
        region: Region,
        is_first: bool,
    ) -> Result<(Estimate, EstimateTimings), EstimateError> {
        let mut timings = EstimateTimings::default();
        let started = Instant::now();
        let resizer = &mut self.preparer.resizer;
        let quality = match region {
            Region::Face(face) => self.meter.of_face(resizer, frame, &face.rect),
            Region::Whole => self.meter.of_crop(resizer, frame),
        };
        let quality = quality.map_err(|cause| EstimateError { model: "for sharpness".to_owned(), cause })?;
        timings.crop_ms += ms_since(started);
        self.preparer.next_face();
        self.answers.clear();
        for (model, tasks) in &self.models {
            let failed = |cause: String| EstimateError { model: model.card.name.clone(), cause };
            let started = Instant::now();
            let input = self.preparer.input(frame, region, &model.card).map_err(failed)?;
            timings.crop_ms += ms_since(started);
            let started = Instant::now();
            // Nothing of a face outside the picture.
            let mut answers = Answers::default();
            if let Some(input) = input {
                answers = model.answers(input.tensor).map_err(failed)?;
                if is_first && model.card.crop.mirrored {
                    tensor::mirror(input.tensor, &model.card.input, &mut self.mirrored);
                    let mut other = model.answers(&self.mirrored).map_err(failed)?;
                    other.pose = other.pose.map(Pose::mirrored);
                    answers = Answers::mean(&[answers, other]);
                }
                // The network saw the head turned back.
                answers.pose = answers.pose.map(|pose| pose.turned(input.turn_degrees));
            }
            *timings.of(tasks[0]) += ms_since(started);
            self.answers.push(answers);
        }
        let mean = |task: Task| {
            let asked = self.asked[task as usize].iter().map(|&model| self.answers[model]);
            Answers::mean(&asked.collect::<Vec<_>>())
        };
        let (age, gender, pose) = (mean(Task::Age), mean(Task::Gender), mean(Task::Pose));
        let estimate = Estimate {
            age: age.age_years.map(|years| AgeEstimate { years, range: age.age_range }),
            gender: (gender.male_chance.map(GenderEstimate::Chance))
                .or_else(|| gender.male_score.map(GenderEstimate::Score)),
            pose: pose.pose,
            quality,
        };
        Ok((estimate, timings))
    }
}

fn ms_since(started: Instant) -> f32 {
    started.elapsed().as_secs_f32() * 1e3
}
