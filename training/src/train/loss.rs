//! What is made small.

use burn::tensor::activation::relu;
use burn::tensor::{Tensor, TensorData};
use facelens_core::geometry::Pose;
use facelens_core::model::Task;

use super::age_loss::{Ages, UNIT_NATS};
use super::config::{GenderError, LossConfig, PoseError, RunConfig, values};
use super::pose_loss::Rotations;
use crate::augment::Turn;
use crate::data::LabelledFace;

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

/// What a picture's labels count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SampleWeights {
    /// Its age and gender.
    pub(super) person: f32,
    /// Its pose.
    pub(super) pose: f32,
}

/// What the network should say of a batch: rows of one number for each output.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Targets {
    columns: usize,
    /// Column of the male score where it is not judged by the absolute difference.
    gender: Option<(usize, GenderError)>,
    /// Column of the age, where the network gives its scale in the last one.
    age: Option<(usize, Ages)>,
    /// First column of the pose, where it is judged as a rotation.
    pose: Option<(usize, Rotations)>,
    low: Vec<f32>,
    high: Vec<f32>,
    middle: Vec<f32>,
    weight: Vec<f32>,
    middle_weight: Vec<f32>,
}

impl Targets {
    /// For the network of these settings.
    pub(super) fn new(config: &RunConfig) -> Self {
        let RunConfig { tasks, loss, .. } = config;
        let column = |task: Task| -> Option<usize> {
            let place = tasks.iter().position(|other| *other == task)?;
            Some(tasks[..place].iter().map(|task| values(*task)).sum())
        };
        Self {
            columns: config.values(),
            gender: column(Task::Gender)
                .filter(|_| loss.gender_error != GenderError::Absolute)
                .map(|column| (column, loss.gender_error)),
            age: column(Task::Age).filter(|_| config.network.age_scale()).map(|column| (column, Ages::default())),
            pose: column(Task::Pose)
                .filter(|_| loss.pose_error == PoseError::Rotation)
                .map(|column| (column, Rotations::default())),
            ..Self::default()
        }
    }

    /// Adds a face whose picture was changed by `turn`.
    pub(super) fn push(&mut self, face: &LabelledFace, turn: Turn, weights: SampleWeights, config: &RunConfig) {
        let RunConfig { tasks, loss, .. } = config;
        for task in tasks {
            let weight = task_weight(loss, *task) / unit(*task);
            let (person, posed) = (weight * weights.person, weight * weights.pose);
            match task {
                Task::Age => match (&mut self.age, face.age) {
                    (Some((_, ages)), age) => {
                        let weight = weights.person * task_weight(loss, *task) / UNIT_NATS;
                        ages.push(age, face.age_hint, weight, loss.age_hint);
                        self.unknown();
                    }
                    (None, Some(age)) => {
                        // A bin without width has no middle to be pulled to beyond its own pull.
                        let middle = age.max.filter(|max| *max > age.min).map(|max| (age.min + max) / 2.0);
                        let pull = if middle.is_some() { person * loss.bin_middle } else { 0.0 };
                        self.add(age.min, age.max.unwrap_or(OPEN), person, middle.unwrap_or(age.min), pull);
                    }
                    (None, None) => self.unknown(),
                },
                Task::Gender => match face.male {
                    Some(male) => self.exact(f32::from(u8::from(male)), person),
                    None => self.unknown(),
                },
                Task::Pose => match (&mut self.pose, face.pose.map(|pose| turn.pose(pose))) {
                    (Some((_, rotations)), pose) => {
                        rotations.push(pose, posed);
                        (0..3).for_each(|_| self.unknown());
                    }
                    (None, Some(Pose { yaw, pitch, roll })) => {
                        for angle in [yaw, pitch, roll] {
                            self.exact(angle, posed / 3.0);
                        }
                    }
                    (None, None) => (0..3).for_each(|_| self.unknown()),
                },
            }
        }
        if config.network.age_scale() {
            self.unknown();
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
        let Self { columns, age, pose, weight, middle_weight, .. } = self;
        for column in 0..*columns {
            let known = weight.iter().skip(column).step_by(*columns).filter(|weight| **weight > 0.0).count();
            for weight in [&mut *weight, &mut *middle_weight] {
                for weight in weight.iter_mut().skip(column).step_by(*columns) {
                    *weight /= known.max(1) as f32;
                }
            }
        }
        if let Some((_, ages)) = age {
            ages.finish();
        }
        if let Some((_, rotations)) = pose {
            rotations.finish();
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
        let columns = |first: usize, count: usize| estimates.clone().narrow(1, first, count);
        if let Some((column, ages)) = &self.age
            && let Some(likelihood) = ages.loss(first, &columns(*column, 1), columns(self.columns - 1, 1))
        {
            loss = loss + likelihood;
        }
        if let Some((column, rotations)) = &self.pose {
            loss = loss + rotations.loss(first, &columns(*column, 3));
        }
        loss
    }
}

/// `ln(1 + exp(x))`, also where `exp(x)` is no number any more.
pub(super) fn log_one_plus_exp<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    relu(x.clone()) + x.abs().neg().exp().log1p()
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
            log_one_plus_exp((score - 0.5) * sign * -LOGISTIC_STEEPNESS) / LOGISTIC_STEEPNESS
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
    use crate::nets::{NetworkConfig, SsrNetConfig};

    fn face(age: Option<(f32, Option<f32>)>, male: Option<bool>) -> LabelledFace {
        LabelledFace { age: age.map(|(min, max)| AgeRange { min, max }), male, ..LabelledFace::default() }
    }

    fn run(tasks: &[Task], loss: &LossConfig, age_scale: bool) -> RunConfig {
        let network = SsrNetConfig { age_scale, ..SsrNetConfig::published(tasks.to_vec()) };
        RunConfig { loss: loss.clone(), ..RunConfig::new(tasks.to_vec(), NetworkConfig::SsrNet(network)) }
    }

    fn loss(tasks: &[Task], config: &LossConfig, faces: &[(LabelledFace, Turn)], estimates: &[f32]) -> f32 {
        loss_of(&run(tasks, config, false), faces, estimates)
    }

    fn loss_of(config: &RunConfig, faces: &[(LabelledFace, Turn)], estimates: &[f32]) -> f32 {
        let mut targets = Targets::new(config);
        for (face, turn) in faces {
            targets.push(face, *turn, SampleWeights { person: 1.0, pose: 1.0 }, config);
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
        let face = LabelledFace { pose: Some(Pose { yaw: -40.0, pitch: 0.0, roll: 0.0 }), ..LabelledFace::default() };
        let turn = Turn { mirrored: true, clockwise_degrees: 30.0 };
        // Rz(30) Ry(40).
        let [yaw, pitch, roll] = [33.825_84, 22.760_48, 37.004_5];
        let right = loss(&[Task::Pose], &LossConfig::default(), &[(face.clone(), turn)], &[yaw, pitch, roll]);
        assert!(right.abs() < 1e-5, "{right}");
        let wrong = loss(&[Task::Pose], &LossConfig::default(), &[(face, turn)], &[yaw + 3.0, pitch, roll - 6.0]);
        assert!((wrong * 30.0 - 3.0).abs() < 1e-4, "the mean of 3, 0 and 6");
    }

    #[test]
    fn likelihood_and_rotation_take_the_places_of_age_and_pose() {
        let tasks = [Task::Age, Task::Gender, Task::Pose];
        let judged = LossConfig { pose_error: PoseError::Rotation, ..LossConfig::default() };
        let config = run(&tasks, &judged, true);
        let pose = Some(Pose { yaw: 10.0, pitch: 0.0, roll: 0.0 });
        let known = LabelledFace { pose, ..face(Some((20.0, Some(30.0))), Some(true)) };
        let faces = [(known, Turn::default())];
        let at = |years: f32, score: f32, yaw: f32, log_scale: f32| {
            loss_of(&config, &faces, &[years, score, yaw, 0.0, 0.0, log_scale])
        };
        let best = at(25.0, 1.0, 10.0, 0.0);
        // The share of a logistic distribution of scale 1 that lies 5 years around its middle.
        let nats = -(1.0 - 2.0 / (1.0 + 5.0_f32.exp())).ln();
        assert!((best - nats / UNIT_NATS).abs() < 3e-3, "{best}");
        assert!((at(25.0, 0.5, 10.0, 0.0) - best - 0.5).abs() < 1e-3, "the gender's place stays");
        assert!((at(25.0, 1.0, 13.0, 0.0) - best - 0.1).abs() < 3e-3, "3 degrees of 30");
        assert!(at(25.0, 1.0, 10.0, 2.0) > best, "a wider distribution has less in the bin");
        assert!((at(60.0, 1.0, 10.0, 0.0) - best - 30.0 / UNIT_NATS).abs() < 0.1, "30 scales beyond the bin");
    }
}
