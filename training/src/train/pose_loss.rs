//! Poses as rotations: how far an estimate is from a label, whatever the angles are called.

use burn::tensor::{Tensor, TensorData};
use facelens_core::geometry::Pose;

/// Keeps the root away from zero; the square of 0.06 degrees.
const EPSILON: f32 = 1e-6;

/// The poses that a network should say of a batch.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rotations {
    /// Nine numbers for each picture, by rows.
    matrices: Vec<f32>,
    weight: Vec<f32>,
}

impl Rotations {
    /// Adds a picture whose pose counts `weight`.
    pub(super) fn push(&mut self, pose: Option<Pose>, weight: f32) {
        let matrix = pose.unwrap_or_default().rotation().matrix();
        self.matrices.extend(matrix.as_flattened().iter().map(|number| *number as f32));
        self.weight.push(if pose.is_some() { weight } else { 0.0 });
    }

    /// Ends a batch: the loss becomes a mean over the faces that have a pose.
    pub(super) fn finish(&mut self) {
        let known = self.weight.iter().filter(|weight| **weight > 0.0).count().max(1) as f32;
        self.weight.iter_mut().for_each(|weight| *weight /= known);
    }

    /// The sum over the rows from `first` on of weight times distance in degrees. `angles` are `[rows, 3]`.
    pub(super) fn loss(&self, first: usize, angles: &Tensor<2>) -> Tensor<1> {
        let rows = angles.dims()[0];
        let device = angles.device();
        let wanted = self.matrices[first * 9..(first + rows) * 9].to_vec();
        let wanted: Tensor<2> = Tensor::from_data(TensorData::new(wanted, [rows, 9]), &device);
        let weight = self.weight[first..first + rows].to_vec();
        let weight: Tensor<2> = Tensor::from_data(TensorData::new(weight, [rows, 1]), &device);
        (distance(matrices(angles), wanted) * weight).sum()
    }
}

/// The rotation matrices of yaw, pitch and roll in degrees, `[rows, 3] -> [rows, 9]`: [`Pose::rotation`].
pub(super) fn matrices(angles: &Tensor<2>) -> Tensor<2> {
    let angles = angles.clone() * std::f32::consts::PI / 180.0;
    let (sin, cos) = (angles.clone().sin(), angles.cos());
    let pick = |x: &Tensor<2>, place: usize| x.clone().narrow(1, place, 1);
    let [(sin_y, cos_y), (sin_p, cos_p), (sin_r, cos_r)] =
        [0, 1, 2].map(|place| (pick(&sin, place), pick(&cos, place)));
    let (sin_ps_y, cos_ps_y) = (sin_p.clone() * sin_y.clone(), cos_p.clone() * sin_y.clone());
    Tensor::cat(
        vec![
            cos_y.clone() * cos_r.clone(),
            -(cos_y.clone() * sin_r.clone()),
            sin_y,
            cos_p.clone() * sin_r.clone() - sin_ps_y.clone() * cos_r.clone(),
            cos_p.clone() * cos_r.clone() + sin_ps_y * sin_r.clone(),
            sin_p.clone() * cos_y.clone(),
            -(sin_p.clone() * sin_r.clone()) - cos_ps_y.clone() * cos_r.clone(),
            cos_ps_y * sin_r - sin_p * cos_r,
            cos_p * cos_y,
        ],
        1,
    )
}

/// How far rotations are apart, degrees, `[rows, 9]` both: the length of the difference of the matrices, by which small
/// angles are what they are, 60 degrees count 57 and 180 count 115. Unlike the angle itself it has a gradient everywhere.
pub(super) fn distance(a: Tensor<2>, b: Tensor<2>) -> Tensor<2> {
    let square = (a - b).square().sum_dim(1) / 2.0;
    (square + EPSILON).sqrt() * 180.0 / std::f32::consts::PI
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    fn pose(yaw: f32, pitch: f32, roll: f32) -> Pose {
        Pose { yaw, pitch, roll }
    }

    fn loss(poses: &[Pose], estimates: &[Pose]) -> f32 {
        let mut rotations = Rotations::default();
        poses.iter().for_each(|pose| rotations.push(Some(*pose), 1.0));
        rotations.push(None, 1.0);
        rotations.finish();
        let angles = estimates.iter().flat_map(|pose| [pose.yaw, pose.pitch, pose.roll]).chain([7.0; 3]);
        let data = TensorData::new(angles.collect::<Vec<_>>(), [estimates.len() + 1, 3]);
        rotations.loss(0, &Tensor::from_data(data, &Device::flex())).into_scalar()
    }

    #[test]
    fn matrices_are_those_of_the_pose() {
        for pose in [pose(40.0, -20.0, 15.0), pose(-85.0, 30.0, -170.0), pose(0.0, 0.0, 0.0)] {
            let angles =
                Tensor::from_data(TensorData::new(vec![pose.yaw, pose.pitch, pose.roll], [1, 3]), &Device::flex());
            let found: Vec<f32> = matrices(&angles).into_data().iter::<f32>().collect();
            for (found, expected) in found.iter().zip(pose.rotation().matrix().as_flattened()) {
                assert!((f64::from(*found) - expected).abs() < 1e-5, "{pose:?}: {found} instead of {expected}");
            }
        }
    }

    #[test]
    fn the_loss_is_the_angle_between_rotations() {
        assert!(loss(&[pose(40.0, -20.0, 15.0)], &[pose(40.0, -20.0, 15.0)]) < 0.1);
        // Roll is innermost: by whatever it differs, that is the angle between.
        assert!((loss(&[pose(40.0, -20.0, 15.0)], &[pose(40.0, -20.0, 25.0)]) - 10.0).abs() < 0.1);
        // Beyond a quarter turn angles have two names.
        assert!(loss(&[pose(80.0, 10.0, 5.0)], &[pose(100.0, -170.0, -175.0)]) < 0.1);
        assert!(loss(&[pose(0.0, 0.0, 175.0)], &[pose(0.0, 0.0, -180.0)]) < 5.1);
        // In profile pitch and roll are nearly one turn.
        let (plus, minus) = (
            loss(&[pose(90.0, 0.0, 0.0)], &[pose(90.0, 20.0, 20.0)]),
            loss(&[pose(90.0, 0.0, 0.0)], &[pose(90.0, 20.0, -20.0)]),
        );
        assert!(plus.min(minus) < 0.1 && plus.max(minus) > 38.0, "{plus}, {minus}");
        // The mean over two faces.
        let two = loss(&[pose(0.0, 0.0, 0.0); 2], &[pose(6.0, 0.0, 0.0), pose(0.0, 0.0, 0.0)]);
        assert!((two - 3.0).abs() < 0.1, "{two}");
    }
}
