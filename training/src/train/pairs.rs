//! Faces in pairs: what a network says of the pose in two pictures of a face should be the same.
//!
//! An absolute error leaves a noisy label no say in how far the estimates of a face lie apart from picture to picture: as
//! long as both are on one side of the label, only their sum counts. Their difference is what flickers in a video, and it
//! needs no label to be made small.
//!
//! Age and gender go without. Their errors leave whole ranges free (a bin, a score on the right side); in one epoch the
//! same pull drew the scores of all faces to one number and old and young to the middle.

use burn::tensor::{Tensor, TensorData};
use facelens_core::model::Task;

use super::config::{RunConfig, values};
use super::loss::{task_weight, unit};
use crate::augment::Turn;

/// How the pictures of a batch, of which two in a row are of one face, were changed.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Pairs {
    /// The first of the three outputs that are the pose.
    column: usize,
    /// What a degree about each axis counts.
    weight: f32,
    /// How each picture was changed.
    turns: Vec<Turn>,
}

impl Pairs {
    /// For the network of these settings; `None` where faces come alone, or without a pose.
    pub(super) fn new(config: &RunConfig) -> Option<Self> {
        let RunConfig { tasks, loss, .. } = config;
        let place = tasks.iter().position(|task| *task == Task::Pose)?;
        let column = tasks[..place].iter().map(|task| values(*task)).sum();
        let weight = loss.agreement / 3.0 * task_weight(loss, Task::Pose) / unit(Task::Pose);
        (loss.agreement > 0.0).then(|| Self { column, weight, turns: Vec::new() })
    }

    /// Adds a picture that was changed by `turn`.
    pub(super) fn push(&mut self, turn: Turn) {
        self.turns.push(turn);
    }

    /// The loss of the rows from `first` on, one number. `estimates` are `[rows, values]` of the network, whole pairs. The
    /// sum over the parts of a batch is the batch's loss: the mean over its pairs.
    ///
    /// Each estimate becomes a rotation, from which what was done to its picture is undone. What is left between the two of
    /// a pair is a turn about an axis of the camera's space; its share about each of the three counts by itself. For small
    /// ones of a frontal head these are the differences of the three angles.
    pub(super) fn loss(&self, first: usize, estimates: &Tensor<2>) -> Tensor<1> {
        let rows = estimates.dims()[0];
        let seen = quaternions(&estimates.clone().narrow(1, self.column, 3));
        let pairs = self.undone(first, seen).map(|part| part.reshape([rows / 2, 2]));
        let [a, b] = [0, 1].map(|place| pairs.clone().map(|part| part.narrow(1, place, 1)));
        // The vector of `b a*` is the axis, by the sine of half the angle: it grows up to a turn by 180 degrees.
        let axis = |i: usize, j: usize, k: usize| {
            let straight = a[0].clone() * b[i].clone() - b[0].clone() * a[i].clone();
            straight + a[j].clone() * b[k].clone() - a[k].clone() * b[j].clone()
        };
        let apart = axis(1, 2, 3).abs() + axis(2, 3, 1).abs() + axis(3, 1, 2).abs();
        apart.sum() * (self.weight * 2.0_f32.to_degrees() * 2.0 / self.turns.len() as f32)
    }

    /// The rotations of the heads as they are, from those in the changed pictures.
    fn undone(&self, first: usize, [w, x, y, z]: [Tensor<2>; 4]) -> [Tensor<2>; 4] {
        let [rows, _] = w.dims();
        let device = w.device();
        let of_each = |of: fn(&Turn) -> f32| -> Tensor<2> {
            let numbers = self.turns[first..first + rows].iter().map(of).collect();
            Tensor::from_data(TensorData::new(numbers, [rows, 1]), &device)
        };
        // `Rz(-clockwise)` from the left.
        let cos = of_each(|turn| (turn.clockwise_degrees.to_radians() / 2.0).cos());
        let sin = of_each(|turn| (turn.clockwise_degrees.to_radians() / 2.0).sin());
        let rotated = [
            cos.clone() * w.clone() + sin.clone() * z.clone(),
            cos.clone() * x.clone() + sin.clone() * y.clone(),
            cos.clone() * y - sin.clone() * x,
            cos * z - sin * w,
        ];
        // A mirror turns the head the other way about the axis down and the line of sight.
        let sign = of_each(|turn| if turn.mirrored { -1.0 } else { 1.0 });
        let [w, x, y, z] = rotated;
        [w, x, y * sign.clone(), z * sign]
    }
}

/// The rotations `Rx(-pitch) Ry(yaw) Rz(roll)` of poses `[rows, 3]` (yaw, pitch and roll, degrees) as quaternions: w, x, y
/// and z, `[rows, 1]` each.
fn quaternions(poses: &Tensor<2>) -> [Tensor<2>; 4] {
    let half = poses.clone() * (0.5_f32.to_radians());
    let (sin, cos) = (half.clone().sin(), half.cos());
    let column = |of: &Tensor<2>, place: usize| of.clone().narrow(1, place, 1);
    let [sin_y, sin_p, sin_r] = [0, 1, 2].map(|place| column(&sin, place));
    let [cos_y, cos_p, cos_r] = [0, 1, 2].map(|place| column(&cos, place));
    // `Rx(-pitch) Ry(yaw)` first.
    let (a, b) = (cos_p.clone() * cos_y.clone(), sin_p.clone().neg() * cos_y);
    let (c, d) = (cos_p * sin_y.clone(), sin_p.neg() * sin_y);
    [
        a.clone() * cos_r.clone() - d.clone() * sin_r.clone(),
        b.clone() * cos_r.clone() + c.clone() * sin_r.clone(),
        c * cos_r.clone() - b * sin_r.clone(),
        d * cos_r + a * sin_r,
    ]
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;
    use facelens_core::geometry::{Pose, Rotation};

    use super::*;
    use crate::nets::{NetworkConfig, SsrNetConfig};
    use crate::train::LossConfig;

    /// For the first of age, gender and pose.
    fn config(loss: LossConfig, count: usize) -> RunConfig {
        let tasks = Task::ALL[..count].to_vec();
        let network = NetworkConfig::SsrNet(SsrNetConfig::published(tasks.clone()));
        RunConfig { loss, ..RunConfig::new(tasks, network) }
    }

    fn pairs(turns: &[Turn]) -> Pairs {
        let loss = LossConfig { agreement: 0.5, pose: 2.0, ..LossConfig::default() };
        let mut pairs = Pairs::new(&config(loss, 3)).unwrap();
        turns.iter().for_each(|turn| pairs.push(*turn));
        pairs
    }

    fn loss(pairs: &Pairs, first: usize, estimates: &[f32]) -> f32 {
        let data = TensorData::new(estimates.to_vec(), [estimates.len() / 5, 5]);
        pairs.loss(first, &Tensor::from_data(data, &Device::flex())).into_scalar()
    }

    /// A network's answers about a head in a picture.
    fn row(age: f32, head: Pose) -> [f32; 5] {
        [age, 0.8, head.yaw, head.pitch, head.roll]
    }

    #[test]
    fn a_face_that_is_seen_alike_in_both_pictures_costs_nothing() {
        let turn = |mirrored, clockwise_degrees| Turn { mirrored, clockwise_degrees };
        let turns = [turn(false, 10.0), turn(true, -25.0)];
        let pairs = pairs(&turns);
        // A head that looks aside, down and is tilted; what its pictures show is reckoned by the app's rotations.
        for head in [Pose { yaw: 40.0, pitch: -20.0, roll: 3.0 }, Pose { yaw: -85.0, pitch: 30.0, roll: -40.0 }] {
            let seen = turns.map(|turn| turn.pose(head));
            let alike = [row(30.0, seen[0]), row(34.0, seen[1])];
            assert!(loss(&pairs, 0, alike.as_flattened()) < 1e-5, "{head:?}");
            // The second is 6 degrees off, about any of the camera's axes as the first picture is before its changes.
            for axis in 0..3 {
                let mut off = [0.0; 3];
                off[axis] = 6.0;
                let other = turns[1].pose((Rotation::from_vector(off) * head.rotation()).into());
                let loss = loss(&pairs, 0, [row(30.0, seen[0]), row(30.0, other)].as_flattened());
                // Twice the sine of half of 6 degrees, in degrees.
                assert!((loss - 0.5 * 2.0 * 5.997_3 / 30.0 / 3.0).abs() < 1e-4, "{head:?}, axis {axis}: {loss}");
            }
        }
    }

    #[test]
    fn the_parts_of_a_batch_are_its_mean() {
        let pairs = pairs(&[Turn::default(); 4]);
        let rows = [[40.0, 0.5, 0.0, 0.0, 3.0], [46.0, 0.7, 0.0, 0.0, 9.0]];
        let other = [[20.0, 0.5, 1.0, 0.0, 0.0], [20.0, 0.5, 4.0, 0.0, 0.0]];
        let (first, second) = (loss(&pairs, 0, rows.as_flattened()), loss(&pairs, 2, other.as_flattened()));
        let whole = loss(&pairs, 0, [rows, other].as_flattened().as_flattened());
        assert!((first + second - whole).abs() < 1e-6);
        assert!((first - 0.5 * 2.0 * 5.997_3 / 30.0 / 3.0 / 2.0).abs() < 1e-5, "{first}");
    }

    #[test]
    fn without_a_weight_faces_come_alone() {
        assert_eq!(Pairs::new(&config(LossConfig::default(), 3)), None);
        let agreement = LossConfig { agreement: 0.5, ..LossConfig::default() };
        assert_eq!(Pairs::new(&config(agreement, 2)), None, "age and gender have no pose");
    }
}
