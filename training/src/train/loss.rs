//! What is made small.

use burn::tensor::activation::{relu, softplus};
use burn::tensor::{Tensor, TensorData};
use facelens::geometry::Pose;
use facelens::model::Task;

use super::config::{GenderError, LossConfig, values};
use crate::augment::Turn;
use crate::data::Face;

/// Steepness of the logistic loss: a score of 0 or 1 is 4 from the middle then.
const LOGISTIC_STEEPNESS: f64 = 8.0;
/// A bound that no estimate reaches, for the open side of a bin; small enough that differences stay exact enough.
const OPEN: f32 = 1e6;

/// The error that counts 1: 30 years, the whole male score, 30 degrees.
pub(super) fn unit(task: Task) -> f32 {
    match task {
        Task::Age | Task::Pose => 30.0,
        Task::Gender => 1.0,
    }
}

pub(super) fn task_weight(config: &LossConfig, task: Task) -> f32 {
    match task {
        Task::Age => config.age,
        Task::Gender => config.gender,
        Task::Pose => config.pose,
    }
}

/// What the network should say of a batch: rows of one number for each output.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Targets {
    columns: usize,
    /// Column of the male score where it is not judged by the absolute difference.
    gender: Option<(usize, GenderError)>,
    low: Vec<f32>,
    high: Vec<f32>,
    middle: Vec<f32>,
    weight: Vec<f32>,
    middle_weight: Vec<f32>,
}

impl Targets {
    /// For a network with these outputs.
    pub(super) fn new(tasks: &[Task], config: &LossConfig) -> Self {
        let columns = tasks.iter().map(|task| values(*task)).sum();
        let before = tasks.iter().take_while(|task| **task != Task::Gender);
        let column = before.map(|task| values(*task)).sum();
        let special = tasks.contains(&Task::Gender) && config.gender_error != GenderError::Absolute;
        Self { columns, gender: special.then_some((column, config.gender_error)), ..Self::default() }
    }

    /// Adds a face whose picture was changed by `turn` and that counts `weight`.
    pub(super) fn push(&mut self, face: &Face, turn: Turn, weight: f32, tasks: &[Task], config: &LossConfig) {
        for task in tasks {
            let weight = weight * task_weight(config, *task) / unit(*task);
            match task {
                Task::Age => match face.age {
                    Some(age) => {
                        // A bin without width has no middle to be pulled to beyond its own pull.
                        let middle = age.max.filter(|max| *max > age.min).map(|max| (age.min + max) / 2.0);
                        let pull = if middle.is_some() { weight * config.bin_middle } else { 0.0 };
                        self.add(age.min, age.max.unwrap_or(OPEN), weight, middle.unwrap_or(age.min), pull);
                    }
                    None => self.unknown(),
                },
                Task::Gender => match face.male {
                    Some(male) => self.exact(f32::from(u8::from(male)), weight),
                    None => self.unknown(),
                },
                Task::Pose => match face.pose.map(|pose| turn.pose(pose)) {
                    Some(Pose { yaw, pitch, roll }) => {
                        for angle in [yaw, pitch, roll] {
                            self.exact(angle, weight / 3.0);
                        }
                    }
                    None => (0..3).for_each(|_| self.unknown()),
                },
            }
        }
    }

    fn exact(&mut self, value: f32, weight: f32) {
        self.add(value, value, weight, value, 0.0);
    }

    fn unknown(&mut self) {
        self.exact(0.0, 0.0);
    }

    fn add(&mut self, low: f32, high: f32, weight: f32, middle: f32, middle_weight: f32) {
        self.low.push(low);
        self.high.push(high);
        self.weight.push(weight);
        self.middle.push(middle);
        self.middle_weight.push(middle_weight);
    }

    /// Ends a batch: each column becomes a mean over the faces that have a label there.
    pub(super) fn finish(&mut self) {
        let Self { columns, weight, middle_weight, .. } = self;
        for column in 0..*columns {
            let known = weight.iter().skip(column).step_by(*columns).filter(|weight| **weight > 0.0).count();
            for weight in [&mut *weight, &mut *middle_weight] {
                for weight in weight.iter_mut().skip(column).step_by(*columns) {
                    *weight /= known.max(1) as f32;
                }
            }
        }
    }

    /// The loss of the rows from `first` on, one number. `estimates` are `[rows, values]` of the network. The sum over
    /// the parts of a batch is the batch's loss.
    pub(super) fn loss(&self, first: usize, estimates: &Tensor<2>) -> Tensor<1> {
        let rows = estimates.dims()[0];
        let device = estimates.device();
        let part = |numbers: &[f32]| -> Tensor<2> {
            let numbers = numbers[first * self.columns..(first + rows) * self.columns].to_vec();
            Tensor::from_data(TensorData::new(numbers, [rows, self.columns]), &device)
        };
        let below = relu(part(&self.low) - estimates.clone());
        let above = relu(estimates.clone() - part(&self.high));
        let mut error = below + above;
        if let Some((column, kind)) = self.gender {
            error = replace_column(error, column, judge(kind, estimates, &part(&self.low), column));
        }
        let mut loss = (error * part(&self.weight)).sum();
        if self.middle_weight.iter().any(|weight| *weight > 0.0) {
            let distance = (estimates.clone() - part(&self.middle)).abs();
            loss = loss + (distance * part(&self.middle_weight)).sum();
        }
        loss
    }
}

/// The error of the male score, `[rows, 1]`.
fn judge(kind: GenderError, estimates: &Tensor<2>, truth: &Tensor<2>, column: usize) -> Tensor<2> {
    let pick = |x: &Tensor<2>| x.clone().narrow(1, column, 1);
    let (score, truth) = (pick(estimates), pick(truth));
    match kind {
        GenderError::Absolute => (score - truth).abs(),
        GenderError::Squared => (score - truth).square(),
        GenderError::Logistic => {
            let sign = truth * 2.0 - 1.0;
            softplus((score - 0.5) * sign * -1.0, LOGISTIC_STEEPNESS)
        }
    }
}

fn replace_column(x: Tensor<2>, column: usize, with: Tensor<2>) -> Tensor<2> {
    let columns = x.dims()[1];
    let mut parts = Vec::with_capacity(3);
    if column > 0 {
        parts.push(x.clone().narrow(1, 0, column));
    }
    parts.push(with);
    if column + 1 < columns {
        parts.push(x.narrow(1, column + 1, columns - column - 1));
    }
    Tensor::cat(parts, 1)
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::data::AgeRange;

    fn face(age: Option<(f32, Option<f32>)>, male: Option<bool>) -> Face {
        Face { age: age.map(|(min, max)| AgeRange { min, max }), male, ..Face::default() }
    }

    fn loss(tasks: &[Task], config: &LossConfig, faces: &[(Face, Turn)], estimates: &[f32]) -> f32 {
        let mut targets = Targets::new(tasks, config);
        for (face, turn) in faces {
            targets.push(face, *turn, 1.0, tasks, config);
        }
        targets.finish();
        let columns = estimates.len() / faces.len();
        let data = TensorData::new(estimates.to_vec(), [faces.len(), columns]);
        targets.loss(0, &Tensor::from_data(data, &Device::flex())).into_scalar()
    }

    fn ages(age: (f32, Option<f32>), estimate: f32, config: &LossConfig) -> f32 {
        30.0 * loss(&[Task::Age], config, &[(face(Some(age), None), Turn::default())], &[estimate])
    }

    #[test]
    fn an_age_in_its_bin_costs_nothing_and_outside_its_distance() {
        let config = LossConfig::default();
        let bin = (20.0, Some(30.0));
        for (estimate, expected) in [(20.0, 0.0), (25.0, 0.0), (30.0, 0.0), (33.0, 3.0), (12.0, 8.0)] {
            assert!((ages(bin, estimate, &config) - expected).abs() < 1e-4, "{estimate}");
        }
        for (estimate, expected) in [(70.0, 0.0), (110.0, 0.0), (64.0, 6.0)] {
            assert!((ages((70.0, None), estimate, &config) - expected).abs() < 1e-4, "{estimate}");
        }
        assert!((ages((41.0, Some(41.0)), 38.5, &config) - 2.5).abs() < 1e-4);
        let pulled = LossConfig { bin_middle: 0.1, ..config };
        assert!((ages(bin, 28.0, &pulled) - 0.3).abs() < 1e-4);
        assert!((ages(bin, 32.0, &pulled) - 2.7).abs() < 1e-4);
        assert!((ages((41.0, Some(41.0)), 38.5, &pulled) - 2.5).abs() < 1e-4);
        assert!(ages((70.0, None), 90.0, &pulled).abs() < 1e-4);
    }

    #[test]
    fn faces_without_a_label_change_nothing() {
        let tasks = [Task::Age, Task::Gender];
        let known = (face(Some((40.0, Some(40.0))), Some(true)), Turn::default());
        let age_only = (face(Some((40.0, Some(40.0))), None), Turn::default());
        let config = LossConfig::default();
        let alone = loss(&tasks, &config, std::slice::from_ref(&known), &[43.0, 0.4]);
        assert!((alone - (0.1 + 0.6)).abs() < 1e-5);
        // The mean over the two ages, and the one known gender.
        let both = loss(&tasks, &config, &[known, age_only], &[43.0, 0.4, 46.0, -7.0]);
        assert!((both - (0.15 + 0.6)).abs() < 1e-5, "{both}");
    }

    #[test]
    fn the_male_score_can_be_judged_in_three_ways() {
        let tasks = [Task::Gender, Task::Age];
        let faces = [(face(None, Some(true)), Turn::default()), (face(None, Some(false)), Turn::default())];
        for (gender_error, expected) in [
            (GenderError::Absolute, (0.3 + 0.6) / 2.0),
            (GenderError::Squared, (0.09 + 0.36) / 2.0),
            (GenderError::Logistic, ((-1.6_f32).exp().ln_1p() + 0.8_f32.exp().ln_1p()) / 8.0 / 2.0),
        ] {
            let config = LossConfig { gender_error, ..LossConfig::default() };
            let loss = loss(&tasks, &config, &faces, &[0.7, 5.0, 0.6, 5.0]);
            assert!((loss - expected).abs() < 1e-5, "{gender_error:?}: {loss}");
        }
    }

    #[test]
    fn angles_follow_the_turn() {
        let face = Face { pose: Some(Pose { yaw: -40.0, pitch: 0.0, roll: 0.0 }), ..Face::default() };
        let turn = Turn { mirrored: true, clockwise_degrees: 30.0 };
        // Rz(30) Ry(40).
        let [yaw, pitch, roll] = [33.825_84, 22.760_48, 37.004_5];
        let right = loss(&[Task::Pose], &LossConfig::default(), &[(face.clone(), turn)], &[yaw, pitch, roll]);
        assert!(right.abs() < 1e-5, "{right}");
        let wrong = loss(&[Task::Pose], &LossConfig::default(), &[(face, turn)], &[yaw + 3.0, pitch, roll - 6.0]);
        assert!((wrong * 30.0 - 3.0).abs() < 1e-4, "the mean of 3, 0 and 6");
    }
}
