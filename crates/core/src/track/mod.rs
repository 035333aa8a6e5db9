//! Identities over time: who is who from frame to frame, smoothing, ranges.
//!
//! ```text
//! detections -> tracker: predict (motion), compare (motion, appearance), choose (assignment) -> identities
//! identity + estimate -> person: box and pose steadied (one_euro), age and gender averaged (weight, average) -> Face
//! ```

use crate::geometry::{Pose, Rect};

/// A face with its identity and steadied estimates: what is shown and written.
#[derive(Clone, Debug, PartialEq)]
pub struct Face {
    /// Identity, from 1; kept while the person is visible and through gaps of up to a second.
    pub id: u64,
    /// The facelens box in this frame, steadied so that it does not tremble.
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

/// An age with the range in which the true one lies four times out of five.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Age {
    /// Robust weighted mean over the identity's last half minute, years, 0 to 116.
    pub years: f32,
    /// Lower end of the 80 % range, years, 0 to 116: by the calibration of the model's card. Of a model without one, by its
    /// known error and the scatter seen so far, as if its errors were normally distributed.
    pub low: f32,
    /// Upper end of the 80 % range, years, 0 to 116.
    pub high: f32,
}

/// A gender estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gender {
    /// What may be said.
    pub label: GenderLabel,
    /// Weighted mean of the male chance or score, clamped to 0 (female) to 1 (male).
    pub male: f32,
    /// What `male` is.
    pub number: GenderNumber,
}

/// What the number of a gender is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GenderNumber {
    /// The chance that the face would be labelled male, by the calibration of the model's card.
    Chance,
    /// A regression that is no probability and is never shown as one: the model's card has no calibration.
    Score,
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

impl GenderLabel {
    /// Its name as it is written in data.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Female => "female",
            Self::Male => "male",
            Self::Unsure => "unsure",
        }
    }
}

pub mod appearance;
pub mod assignment;
mod average;
mod motion;
mod numbers;
mod one_euro;
mod person;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod testing;
mod tracker;
mod weight;

pub use numbers::IdentityNumbers;
pub use tracker::{Expected, Tracker};
