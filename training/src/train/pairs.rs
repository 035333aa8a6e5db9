//! Faces in pairs: what a network says of the pose in two pictures of a face should be the same.
//!
//! An absolute error leaves a noisy label no say in how far the estimates of a face lie apart from picture to picture: as
//! long as both are on one side of the label, only their sum counts. Their difference is what flickers in a video, and it
//! needs no label to be made small.
//!
//! Age and gender go without. Their errors leave whole ranges free (a bin, a score on the right side); in one epoch the
//! same pull drew the scores of all faces to one number and old and young to the middle.

use burn::tensor::{Tensor, TensorData};
use facelens::geometry::Pose;
use facelens::model::Task;

use super::config::{LossConfig, values};
use super::loss::{task_weight, unit};
use crate::augment::Turn;

/// How the pictures of a batch, of which two in a row are of one face, were changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Pairs {
    /// What a difference in each output counts.
    weight: Vec<f32>,
    /// What was added to each estimate of each picture, rows of one number for each output.
    shift: Vec<f32>,
    /// By what it was multiplied before: -1 where the mirror changes its sign.
    sign: Vec<f32>,
}

impl Pairs {
    /// For a network with these outputs; `None` where faces come alone.
    pub(super) fn new(tasks: &[Task], config: &LossConfig) -> Option<Self> {
        let weight = |task: &Task| {
            let outputs = values(*task);
            let share = if *task == Task::Pose { config.agreement / outputs as f32 } else { 0.0 };
            vec![share * task_weight(config, *task) / unit(*task); outputs]
        };
        (config.agreement > 0.0).then(|| Self { weight: tasks.iter().flat_map(weight).collect(), ..Self::default() })
    }

    /// Adds a picture that was changed by `turn`.
    pub(super) fn push(&mut self, turn: Turn, tasks: &[Task]) {
        for task in tasks {
            match task {
                Task::Age | Task::Gender => self.add(0.0, 1.0),
                Task::Pose => {
                    let still = turn.pose(Pose { yaw: 0.0, pitch: 0.0, roll: 0.0 });
                    let one = turn.pose(Pose { yaw: 1.0, pitch: 1.0, roll: 1.0 });
                    for (still, one) in [(still.yaw, one.yaw), (still.pitch, one.pitch), (still.roll, one.roll)] {
                        self.add(still, (one - still).signum());
                    }
                }
            }
        }
    }

    fn add(&mut self, shift: f32, sign: f32) {
        self.shift.push(shift);
        self.sign.push(sign);
    }

    /// The loss of the rows from `first` on, one number. `estimates` are `[rows, values]` of the network, whole pairs. The
    /// sum over the parts of a batch is the batch's loss: the mean over its pairs.
    pub(super) fn loss(&self, first: usize, estimates: &Tensor<2>) -> Tensor<1> {
        let [rows, columns] = estimates.dims();
        let device = estimates.device();
        let part = |numbers: &[f32]| -> Tensor<2> {
            let numbers = numbers[first * columns..(first + rows) * columns].to_vec();
            Tensor::from_data(TensorData::new(numbers, [rows, columns]), &device)
        };
        let as_it_is = (estimates.clone() - part(&self.shift)) * part(&self.sign);
        let pairs = as_it_is.reshape([rows / 2, 2 * columns]);
        let apart = (pairs.clone().narrow(1, 0, columns) - pairs.narrow(1, columns, columns)).abs();
        let share = 2.0 * columns as f32 / self.sign.len() as f32;
        let weight: Vec<f32> = self.weight.iter().map(|weight| weight * share).collect();
        let weight: Tensor<2> = Tensor::from_data(TensorData::new(weight, [1, columns]), &device);
        (apart * weight).sum()
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    const TASKS: [Task; 3] = [Task::Age, Task::Gender, Task::Pose];

    fn pairs(turns: &[Turn]) -> Pairs {
        let config = LossConfig { agreement: 0.5, pose: 2.0, ..LossConfig::default() };
        let mut pairs = Pairs::new(&TASKS, &config).unwrap();
        turns.iter().for_each(|turn| pairs.push(*turn, &TASKS));
        pairs
    }

    fn loss(pairs: &Pairs, first: usize, estimates: &[f32]) -> f32 {
        let data = TensorData::new(estimates.to_vec(), [estimates.len() / 5, 5]);
        pairs.loss(first, &Tensor::from_data(data, &Device::flex())).into_scalar()
    }

    #[test]
    fn a_face_that_is_seen_alike_in_both_pictures_costs_nothing() {
        let turn = |mirrored, clockwise_degrees| Turn { mirrored, clockwise_degrees };
        let pairs = pairs(&[turn(false, 10.0), turn(true, -5.0)]);
        // A head with yaw 20, pitch 7 and roll 3.
        let alike = [30.0, 0.8, 20.0, 7.0, 13.0, 30.0, 0.8, -20.0, 7.0, -8.0];
        assert!(loss(&pairs, 0, &alike).abs() < 1e-6);
        for (place, by, expected) in
            [(0, 3.0, 0.0), (6, 0.1, 0.0), (7, -6.0, 0.5 * 0.4 / 3.0), (9, 3.0, 0.5 * 0.2 / 3.0)]
        {
            let mut apart = alike;
            apart[place] += by;
            let loss = loss(&pairs, 0, &apart);
            assert!((loss - expected).abs() < 1e-5, "{place}: {loss}");
        }
    }

    #[test]
    fn the_parts_of_a_batch_are_its_mean() {
        let pairs = pairs(&[Turn::default(); 4]);
        let rows = [[40.0, 0.5, 1.0, 2.0, 3.0], [46.0, 0.7, 1.0, 2.0, 9.0]];
        let other = [[20.0, 0.5, 1.0, 2.0, 3.0], [20.0, 0.5, 4.0, 2.0, 3.0]];
        let (first, second) = (loss(&pairs, 0, rows.as_flattened()), loss(&pairs, 2, other.as_flattened()));
        let whole = loss(&pairs, 0, [rows, other].as_flattened().as_flattened());
        assert!((first + second - whole).abs() < 1e-6);
        assert!((first - 0.5 * 2.0 * 6.0 / 30.0 / 3.0 / 2.0).abs() < 1e-5, "{first}");
    }

    #[test]
    fn without_a_weight_faces_come_alone() {
        assert_eq!(Pairs::new(&TASKS, &LossConfig::default()), None);
    }
}
