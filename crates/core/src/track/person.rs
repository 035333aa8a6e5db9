//! What is known of one person: the steadied box and pose, the averages of age and gender.

use super::Face;
use super::average::{AgeAverage, GenderAverage};
use super::one_euro::{BoxFilter, PoseFilter};
use super::weight::weight;
use crate::detect::Detection;
use crate::estimate::Estimate;

/// How much the memory of the sharpest look fades from one look to the next.
const SHARPEST_FADES: f32 = 0.998;

#[derive(Clone, Debug)]
pub(super) struct TrackedPerson {
    rect: BoxFilter,
    rect_s: Option<f64>,
    pose: PoseFilter,
    pose_s: Option<f64>,
    age: AgeAverage,
    gender: GenderAverage,
    sharpest: f32,
    /// Whether the networks have said anything of this person.
    pub(super) is_known: bool,
}

impl TrackedPerson {
    pub(super) fn new() -> Self {
        Self {
            rect: BoxFilter::new(),
            rect_s: None,
            pose: PoseFilter::new(),
            pose_s: None,
            age: AgeAverage::default(),
            gender: GenderAverage::default(),
            sharpest: 0.0,
            is_known: false,
        }
    }

    /// Starts the averages and the pose anew; the box goes on.
    pub(super) fn forget_estimates(&mut self) {
        let fresh = Self::new();
        *self = Self { rect: self.rect.clone(), rect_s: self.rect_s, ..fresh };
    }

    /// Adds one look. A value that this look lacks is left out, whatever was known before: the model may be gone.
    pub(super) fn update(
        &mut self,
        id: u64,
        now_s: f64,
        detection: &Detection,
        estimate: &Estimate,
        age_error_years: Option<f32>,
    ) -> Face {
        self.is_known = true;
        let raw_pose = estimate.pose.filter(|pose| pose.is_finite());
        if estimate.quality.sharpness.is_finite() {
            self.sharpest = (self.sharpest * SHARPEST_FADES).max(estimate.quality.sharpness);
        }
        let weight = weight(detection, raw_pose.as_ref(), &estimate.quality, self.sharpest);
        let rect_elapsed_s = elapsed_s(&mut self.rect_s, now_s);
        let pose = raw_pose.map(|pose| {
            let elapsed_s = elapsed_s(&mut self.pose_s, now_s);
            self.pose.filter(pose, elapsed_s)
        });
        Face {
            id,
            rect: self.rect.filter(&detection.rect, rect_elapsed_s),
            score: detection.score,
            age: estimate.age.and_then(|age| self.age.add(age, weight, now_s, age_error_years)),
            gender: estimate.gender.and_then(|gender| self.gender.add(gender, weight, now_s)),
            pose,
        }
    }
}

/// Seconds since the time in `last`, which becomes `now_s`; 0 the first time.
fn elapsed_s(last: &mut Option<f64>, now_s: f64) -> f32 {
    last.replace(now_s).map_or(0.0, |last| (now_s - last) as f32)
}
