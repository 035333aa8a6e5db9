//! Identities over time: who is who from frame to frame, smoothing, spread.

use std::time::Duration;

use crate::detect::Detection;
use crate::estimate::Estimate;
use crate::frame::Frame;
use crate::geometry::{Pose, Rect};

/// A face with its identity and steadied estimates: what is shown and written.
#[derive(Clone, Debug, PartialEq)]
pub struct Face {
    /// Identity, from 1; kept while the person is visible and through gaps of up to a second.
    pub id: u64,
    /// The facelens box in this frame.
    pub rect: Rect,
    /// The detector's score in this frame, 0 to 1.
    pub score: f32,
    /// Age, where there is an age model.
    pub age: Option<Age>,
    /// Gender, where there is a gender model.
    pub gender: Option<Gender>,
    /// Head pose, where there is a pose model; steadied by a One-Euro filter.
    pub pose: Option<Pose>,
}

/// An age with its uncertainty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Age {
    /// Weighted mean over the identity's frames, years.
    pub years: f32,
    /// How far the truth may well be off, years: the model's known error together with the scatter seen so far.
    pub spread: f32,
}

/// A gender estimate. The score is a regression, not a probability, and is never shown as one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gender {
    /// What may be said.
    pub label: GenderLabel,
    /// Weighted mean of the male score, clamped to 0 (female) to 1 (male).
    pub male: f32,
}

/// What may be said of a gender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GenderLabel {
    /// Apparent gender female.
    Female,
    /// Apparent gender male.
    Male,
    /// The score is in the band in which it says nothing, or it changes from frame to frame.
    Unsure,
}

/// Follows faces from frame to frame.
pub struct Tracker {
    _private: (),
}

impl Default for Tracker {
    fn default() -> Self {
        Self::new()
    }
}

impl Tracker {
    /// A tracker that has seen nothing.
    pub fn new() -> Self {
        Self { _private: () }
    }

    /// Gives each detection of a frame at `time` its identity, in the order of `detections`. `None`: too unsure a find
    /// to be somebody yet, or no rectangle at all.
    pub fn assign(&mut self, frame: &Frame, time: Duration, detections: &[Detection]) -> Vec<Option<u64>> {
        let _ = (frame, time, detections);
        todo!("track rooms")
    }

    /// Adds what the networks say of identity `id` and gives the steadied face.
    pub fn update(&mut self, id: u64, time: Duration, detection: &Detection, estimate: &Estimate) -> Face {
        let _ = (id, time, detection, estimate);
        todo!("track rooms")
    }

    /// The mean absolute error of the age model, years; `None` where it is not known.
    pub fn set_age_error_years(&mut self, error_years: Option<f32>) {
        let _ = error_years;
        todo!("track rooms")
    }

    /// Keeps the identities and starts their averages anew: other networks speak from now on.
    pub fn forget_estimates(&mut self) {
        todo!("track rooms")
    }

    /// Forgets everybody, e.g. between pictures that have nothing to do with each other. Numbers start at 1 again.
    pub fn reset(&mut self) {}
}
