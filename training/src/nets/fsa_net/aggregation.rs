//! From features to one vector per stage, and from these to the angles.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::activation::{relu, softmax, tanh};
use burn::tensor::{Device, Tensor};
use facelens_import::net::fsa_net::{ANGLES, FEATURES, RANGE, ROUTINGS, SQUASH_EPSILON, STAGES, VECTOR};

use super::FsaNetAggregation;
use crate::nets::layers::{dense, glorot_uniform};
use crate::nets::soft_stagewise::{BINS, StageOutput, soft_stagewise};

/// How features become one vector per stage.
#[derive(Module, Debug)]
pub(super) enum Aggregation {
    Capsules(Capsules),
    Metric(Metric),
}

/// Routing by agreement between features and stages (Sabour et al., NIPS 2017, procedure 1).
#[derive(Module, Debug)]
pub(super) struct Capsules {
    /// `[features, 64, 3 x 16]`: each feature votes for all stages by one product.
    pub(super) weights: Param<Tensor<3>>,
}

/// Two matrix products.
#[derive(Module, Debug)]
pub(super) struct Metric {
    /// From the 64 numbers of each feature to 16: `[64, 16]`.
    pub(super) vectors: Param<Tensor<2>>,
    /// From the features to the stages: `[features, 3]`.
    pub(super) stages: Param<Tensor<2>>,
}

/// The last layers of a stage.
#[derive(Module, Debug)]
pub(super) struct StageHead {
    /// From places 0 to 4 of the stage's vector to Delta of each angle, tanh.
    pub(super) delta: Linear,
    /// From places 4 to 8 to eta of each angle, tanh.
    pub(super) eta: Linear,
    /// From places 8 to 16 to p of each angle's bins, relu.
    pub(super) p: Linear,
}

impl Aggregation {
    pub(super) fn init(kind: FsaNetAggregation, features: usize, device: &Device) -> Self {
        match kind {
            FsaNetAggregation::Capsules => {
                // Each feature has a layer of its own from 64 to 16 numbers. Keras takes W, [3, features, 16, 64], for
                // one convolution over 3 x features places and starts with an eighth of this: the capsules are then
                // 0.001 long, and what squashing, a square down there, lets through teaches nothing for 100 steps.
                let weights = glorot_uniform(FEATURES, VECTOR);
                Self::Capsules(Capsules { weights: weights.init([features, FEATURES, STAGES * VECTOR], device) })
            }
            FsaNetAggregation::Metric => Self::Metric(Metric {
                vectors: glorot_uniform(FEATURES, VECTOR).init([FEATURES, VECTOR], device),
                stages: glorot_uniform(features, STAGES).init([features, STAGES], device),
            }),
        }
    }

    /// `[batch, features, 64] -> [batch, 3 stages, 16]`.
    pub(super) fn forward(&self, features: Tensor<3>) -> Tensor<3> {
        match self {
            Self::Capsules(capsules) => capsules.forward(features),
            Self::Metric(metric) => {
                let vectors = features.matmul(metric.vectors.val().unsqueeze());
                vectors.swap_dims(1, 2).matmul(metric.stages.val().unsqueeze()).swap_dims(1, 2)
            }
        }
    }
}

impl Capsules {
    /// `[batch, features, 64] -> [batch, 3, 16]`. The gradient goes through the routing too, as in the published
    /// programs.
    fn forward(&self, features: Tensor<3>) -> Tensor<3> {
        let [batch, count, _] = features.dims();
        // The features are the product's batch: [features, batch, 64] x [features, 64, 48].
        let votes = features.swap_dims(0, 1).matmul(self.weights.val()).reshape([count, batch, STAGES, VECTOR]);
        // In the first round all features weigh the same for all stages.
        let mut capsules = squash(votes.clone().sum_dim(0) / STAGES as f32);
        let mut agreement: Option<Tensor<4>> = None;
        for _ in 1..ROUTINGS {
            let mut agreed = (votes.clone() * capsules).sum_dim(3);
            if let Some(before) = agreement {
                agreed = before + agreed;
            }
            let coupling = softmax(agreed.clone(), 2);
            capsules = squash((votes.clone() * coupling).sum_dim(0));
            agreement = Some(agreed);
        }
        capsules.squeeze_dim(0)
    }
}

/// `|s|^2 / (1 + |s|^2) s / |s|` along the last axis.
pub(super) fn squash(s: Tensor<4>) -> Tensor<4> {
    let square = (s.clone() * s.clone()).sum_dim(3);
    let norm = (square.clone() + SQUASH_EPSILON).sqrt();
    s * (square.clone() / ((square + 1.0) * norm))
}

impl StageHead {
    pub(super) fn init(device: &Device) -> Self {
        // With p = 1/3 in each of the bins -1, 0 and 1 the angles start at 0, and every relu is alive.
        let p_bias = 1.0 / BINS as f64;
        Self {
            delta: dense(VECTOR / 4, ANGLES, 0.0, device),
            eta: dense(VECTOR / 4, ANGLES, 0.0, device),
            p: dense(VECTOR / 2, ANGLES * BINS, p_bias, device),
        }
    }

    /// From the stage's vector `[batch, 16]`.
    fn forward(&self, vector: &Tensor<2>) -> StageOutput {
        let part = |start: usize, end: usize| vector.clone().narrow(1, start, end - start);
        let column = |x: Tensor<2>| x.unsqueeze_dim::<3>(2);
        let p = relu(self.p.forward(part(VECTOR / 2, VECTOR)));
        StageOutput {
            delta: column(tanh(self.delta.forward(part(0, VECTOR / 4)))),
            eta: column(tanh(self.eta.forward(part(VECTOR / 4, VECTOR / 2)))),
            p: p.reshape([-1, ANGLES as i32, BINS as i32]),
        }
    }
}

/// The angles `[batch, 3]` in degrees from the stages' vectors `[batch, 3, 16]`.
pub(super) fn angles(heads: &[StageHead], vectors: &Tensor<3>) -> Tensor<2> {
    let stages = heads.iter().enumerate();
    let stages = stages.map(|(k, head)| head.forward(&vectors.clone().narrow(1, k, 1).squeeze_dim(1))).collect();
    soft_stagewise(stages, -1.0, RANGE)
}
