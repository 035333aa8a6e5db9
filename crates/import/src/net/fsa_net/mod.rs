//! FSA-Net (Yang et al., CVPR 2019): yaw, pitch and roll from a face of 64 x 64.
//!
//! 1. Two streams of separable convolutions, one with relu and average pooling, one with tanh and max pooling, are
//!    fused at three scales to maps `U_k` of 8 x 8 places with 64 features (figure 3, section 3.3; `streams`).
//! 2. A scoring function says how much each place matters: a learnt 1x1 convolution, the variance of the place's
//!    features, or nothing (section 3.4; `structure`).
//! 3. The fine-grained structure mapping makes few representative features of the 3 x 64 places (section 3.5;
//!    `structure`). Without scoring it is left out: the features themselves go on.
//! 4. A feature aggregation makes three vectors of them, one per stage: capsules with routing by agreement (Sabour et
//!    al., NIPS 2017), or two matrix products in the published "metric" weights (`aggregation`).
//! 5. Soft stagewise regression makes the angles (section 3.2; [`super::soft_stagewise`]).

mod aggregation;
pub(super) mod streams;
mod structure;

use super::graph::GraphWriter;
use super::layers::expect_shape;
use super::soft_stagewise::BINS;
use super::{Affine, BatchNorm, Convention, DenseLayout, KernelLayout, ShapeError, Tensor};

/// Channels in front of and behind each separable convolution of a published stream.
pub const BLOCK_CHANNELS: [[usize; 2]; 7] = [[3, 16], [16, 32], [32, 32], [32, 64], [64, 64], [64, 128], [128, 128]];
/// The separable convolutions (counted from 0) behind which a stream is pooled.
pub const POOLED_BLOCKS: [usize; 3] = [0, 2, 4];
/// Channels of the published map that each fusion sees, stage 1 (the deepest) first.
pub const FUSION_INPUTS: [usize; 3] = [128, 64, 32];
/// The separable convolution (counted from 0) whose map each fusion sees, stage 1 (the deepest) first.
pub const FUSED_BLOCKS: [usize; 3] = [6, 4, 2];
/// Features of each place of a fused map.
pub const FEATURES: usize = 64;
/// Places of a fused map, 8 x 8.
pub const PLACES: usize = 64;
/// Stages, and with them capsules and fused maps.
pub const STAGES: usize = 3;
/// Length of a stage's vector: 4 numbers for Delta, 4 for eta, 8 for p.
pub const VECTOR: usize = 16;
/// Yaw, pitch and roll.
pub const ANGLES: usize = 3;
/// The range V of the angles: -99 to 99 degrees.
pub const RANGE: f32 = 99.0;
/// Rounds of routing between capsules; a setting of the published programs that their files do not store.
pub const ROUTINGS: usize = 2;
/// Keeps the squashing function's root away from zero (Keras' epsilon).
pub const SQUASH_EPSILON: f32 = 1e-7;
/// FSA-Net files come from Keras alone.
const CONVENTION: Convention = Convention::KERAS;

/// An FSA-Net as its Keras file stores it. Its streams may be wider or narrower than the published ones.
#[derive(Clone, Debug, PartialEq)]
pub struct FsaNetWeights {
    /// The stream with relu and average pooling.
    pub relu_stream: [SeparableBlockWeights; 7],
    /// The stream with tanh and max pooling.
    pub tanh_stream: [SeparableBlockWeights; 7],
    /// The 1x1 convolutions that make the maps to be fused, stage 1 (the deepest) first.
    pub fusions: [Fusion; 3],
    /// Scoring and structure mapping; `None` is the variant without ("noS").
    pub mapping: Option<StructureMappingWeights>,
    /// How features become one vector per stage.
    pub aggregation: AggregationWeights,
    /// The last layers of each stage, stage 1 first.
    pub heads: [StageHeadWeights; 3],
}

/// A depthwise 3x3 convolution, a pointwise one with bias, and a batch normalisation.
#[derive(Clone, Debug, PartialEq)]
pub struct SeparableBlockWeights {
    /// `[3, 3, channels, 1]`.
    pub depthwise: Tensor,
    /// `[1, 1, in, out]` and bias.
    pub pointwise: Affine,
    /// The batch normalisation behind.
    pub norm: BatchNorm,
}

/// The 1x1 convolutions in front of a fusion.
#[derive(Clone, Debug, PartialEq)]
pub struct Fusion {
    /// On the relu stream, relu.
    pub relu_head: Affine,
    /// On the tanh stream, tanh.
    pub tanh_head: Affine,
}

/// Scoring (section 3.4) and fine-grained structure mapping (section 3.5).
#[derive(Clone, Debug, PartialEq)]
pub struct StructureMappingWeights {
    /// How much each place matters.
    pub scoring: Scoring,
    /// `f_M`: from a map's 64 scores to its `M_k`, `[m, 192]`, sigmoid; the same layer for all three maps.
    pub maps: Affine,
    /// `f_C`: from all 192 scores to `C`, `[n', m]`, sigmoid.
    pub combination: Affine,
}

/// How the importance of a place is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Scoring {
    /// A learnt 1x1 convolution, sigmoid.
    Convolution(Affine),
    /// The variance of the place's features.
    Variance,
}

/// How features become one vector per stage.
#[derive(Clone, Debug, PartialEq)]
pub enum AggregationWeights {
    /// Capsules with routing by agreement: `W`, `[3, features in, 16, 64]`.
    Capsules(Tensor),
    /// Two matrix products, the head of the published "metric" weights.
    Metric {
        /// From the 64 numbers of each feature to 16: `[64, 16]`.
        vectors: Tensor,
        /// From the features to the three stages: `[features in, 3]`.
        stages: Tensor,
    },
}

/// The last layers of a stage.
#[derive(Clone, Debug, PartialEq)]
pub struct StageHeadWeights {
    /// From places 0 to 4 of the stage's vector to Delta of each angle, tanh.
    pub delta: Affine,
    /// From places 4 to 8 to eta of each angle, tanh.
    pub eta: Affine,
    /// From places 8 to 16 to p of each angle's bins, relu.
    pub p: Affine,
}

impl Fusion {
    /// Checks the shape of both layers, on maps of these channels.
    pub(super) fn validate(&self, [relu, tanh]: [usize; 2]) -> Result<(), ShapeError> {
        self.relu_head.expect_convolution(KernelLayout::Hwio, 1, relu, FEATURES)?;
        self.tanh_head.expect_convolution(KernelLayout::Hwio, 1, tanh, FEATURES)
    }
}

impl SeparableBlockWeights {
    /// Channels behind it. At least 1: a layer without any fits no network.
    pub(super) fn channels(&self) -> usize {
        self.pointwise.bias.shape().first().copied().unwrap_or_default().max(1)
    }
}

impl StructureMappingWeights {
    /// `m` and `n'`: rows of each `M_k` and of `C`.
    pub fn rows(&self) -> Option<(usize, usize)> {
        let m = self.maps.bias.data().len() / (STAGES * PLACES);
        let combined = self.combination.bias.data().len();
        (m > 0 && combined.is_multiple_of(m)).then(|| (m, combined / m))
    }
}

impl FsaNetWeights {
    /// How many features go into the aggregation: `3 n'`, or all 192 places without a mapping.
    pub fn feature_count(&self) -> usize {
        let rows = self.mapping.as_ref().and_then(StructureMappingWeights::rows);
        STAGES * rows.map_or(PLACES, |(_, combined)| combined)
    }

    /// Checks the shape of every layer.
    ///
    /// # Errors
    /// Names the first layer that does not fit.
    pub fn validate(&self) -> Result<(), ShapeError> {
        streams::validate(&self.relu_stream, &self.tanh_stream)?;
        for (index, (fusion, seen)) in self.fusions.iter().zip(FUSED_BLOCKS).enumerate() {
            let seen = [&self.relu_stream, &self.tanh_stream].map(|stream| stream[seen].channels());
            named(&format!("fusion {}", index + 1), fusion.validate(seen))?;
        }
        if let Some(mapping) = &self.mapping {
            named("structure mapping", mapping.validate())?;
        }
        let features = self.feature_count();
        match &self.aggregation {
            AggregationWeights::Capsules(weights) => {
                expect_shape("capsule weight", weights, &[STAGES, features, VECTOR, FEATURES])?;
            }
            AggregationWeights::Metric { vectors, stages } => {
                expect_shape("metric weight", vectors, &[FEATURES, VECTOR])?;
                expect_shape("metric weight", stages, &[features, STAGES])?;
            }
        }
        for (index, head) in self.heads.iter().enumerate() {
            let check = head.delta.expect_dense(DenseLayout::InOut, VECTOR / 4, ANGLES);
            let check = check.and(head.eta.expect_dense(DenseLayout::InOut, VECTOR / 4, ANGLES));
            let check = check.and(head.p.expect_dense(DenseLayout::InOut, VECTOR / 2, ANGLES * BINS));
            named(&format!("head of stage {}", index + 1), check)?;
        }
        Ok(())
    }

    /// The network as an ONNX file: `[1, 3, 64, 64] -> [1, 3]`, yaw, pitch, roll in degrees.
    ///
    /// # Errors
    /// Where a layer has not the network's shape.
    pub fn to_onnx(&self) -> Result<Vec<u8>, ShapeError> {
        self.validate()?;
        let mut graph = GraphWriter::new("FSA-Net");
        let fused = self.fused_maps(&mut graph)?;
        let features = match &self.mapping {
            Some(mapping) => mapping.write(&mut graph, &fused)?,
            None => structure::all_places(&mut graph, &fused),
        };
        let vectors = self.aggregation.write(&mut graph, &features)?;
        let angles = self.write_heads(&mut graph, &vectors)?;
        Ok(graph.finish(&angles, ANGLES))
    }
}

fn named(layer: &str, check: Result<(), ShapeError>) -> Result<(), ShapeError> {
    check.map_err(|ShapeError(cause)| ShapeError(format!("{layer}: {cause}")))
}
