//! SSR-Net-MD, step by step.

use super::fsa_net::{pointwise, stream};
use super::operations::{dense, multiply, relu, tanh};
use super::windows::{average_pool, max_pool};
use crate::net::fsa_net::{ANGLES, FUSED_BLOCKS, RANGE};
use crate::net::ssr_net_md::SsrNetMdWeights;
use crate::net::{Affine, DenseLayout, ShapeError, Tensor};

/// Bins of each stage, counted from -1.
const BINS: usize = 3;

impl SsrNetMdWeights {
    /// Yaw, pitch and roll in degrees of one face `[1, 64, 64, 3]`.
    ///
    /// # Errors
    /// Where a layer has not the network's shape.
    pub fn reference(&self, face: &Tensor) -> Result<Vec<f32>, ShapeError> {
        let relu_maps = stream(face, &self.relu_stream, relu, |x| average_pool(x, 2))?;
        let tanh_maps = stream(face, &self.tanh_stream, tanh, |x| max_pool(x, 2))?;
        let mut angles = vec![0.0; ANGLES];
        let mut widths = [1.0; ANGLES];
        for (stage, scale) in self.stages.iter().zip(FUSED_BLOCKS) {
            let relu_head = average_pool(&relu(&pointwise(&relu_maps[scale], &stage.heads.relu_head)?), 2)?;
            let tanh_head = max_pool(&tanh(&pointwise(&tanh_maps[scale], &stage.heads.tanh_head)?), 2)?;
            let map = multiply(&tanh_head, &relu_head)?.permuted(&[0, 3, 1, 2])?;
            let length = map.data().len();
            let map = map.reshaped(&[1, length])?;
            let full = |x: &Tensor, layer: &Affine| dense(x, &layer.kernel, DenseLayout::InOut, &layer.bias);
            let delta = tanh(&full(&tanh(&full(&map, &stage.delta_feature)?), &stage.delta)?);
            let eta = tanh(&full(&tanh(&full(&map, &stage.eta_feature)?), &stage.eta)?);
            let p = relu(&full(&map, &stage.p)?);
            for angle in 0..ANGLES {
                widths[angle] *= BINS as f32 * (1.0 + delta.data()[angle]);
                let bins = p.data()[angle * BINS..][..BINS].iter().enumerate();
                let sum: f32 = bins.map(|(i, p)| (i as f32 - 1.0 + eta.data()[angle]) * p).sum();
                angles[angle] += sum / widths[angle];
            }
        }
        Ok(angles.into_iter().map(|angle| angle * RANGE).collect())
    }
}
