//! FSA-Net (Yang et al., CVPR 2019) in burn: yaw, pitch and roll.
//!
//! The app's [`facelens_import::net::fsa_net`] tells the parts and their sections in the paper. What is different here is that
//! a whole batch goes through at once: no step loops over the faces.

mod aggregation;
mod streams;
mod structure;
#[cfg(test)]
mod tests;
mod weights;

use aggregation::{Aggregation, StageHead, angles};
use burn::module::Module;
use burn::tensor::{Device, Tensor};
use facelens_import::net::fsa_net::{PLACES, STAGES};
use serde::{Deserialize, Serialize};
use streams::fused_maps;
use structure::{StructureMapping, all_places};

use super::separable::{Heads, SeparableBlock, init_stream};

/// Which FSA-Net.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FsaNetConfig {
    /// How the importance of a place is told (section 3.4).
    #[serde(default)]
    pub scoring: FsaNetScoring,
    /// How features become one vector per stage.
    #[serde(default)]
    pub aggregation: FsaNetAggregation,
    /// Channels of both streams at 32, 16 and 8 places a side: behind the first separable convolution, the second and
    /// third, the fourth and fifth, the sixth and seventh. The published network has 16, 32, 64 and 128.
    #[serde(default = "FsaNetConfig::published_channels")]
    pub channels: [usize; 4],
}

/// How the importance of a place is told (section 3.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FsaNetScoring {
    /// A learnt 1x1 convolution, sigmoid.
    #[default]
    Convolution,
    /// The variance of the place's features.
    Variance,
    /// Not at all: there is no structure mapping, the features of all 192 places go on ("noS").
    None,
}

/// How features become one vector per stage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FsaNetAggregation {
    /// Capsules with two rounds of routing by agreement.
    #[default]
    Capsules,
    /// Two matrix products, the head of the published "metric" weights.
    Metric,
}

/// FSA-Net.
#[derive(Module, Debug)]
pub struct FsaNet {
    relu_stream: Vec<SeparableBlock>,
    tanh_stream: Vec<SeparableBlock>,
    /// Stage 1 (the deepest) first.
    fusions: Vec<Heads>,
    mapping: Option<StructureMapping>,
    aggregation: Aggregation,
    /// Stage 1 first.
    heads: Vec<StageHead>,
}

impl Default for FsaNetConfig {
    /// The published capsule network with 1x1 scoring.
    fn default() -> Self {
        Self {
            scoring: FsaNetScoring::default(),
            aggregation: FsaNetAggregation::default(),
            channels: Self::published_channels(),
        }
    }
}

impl FsaNetConfig {
    pub(super) const fn published_channels() -> [usize; 4] {
        [16, 32, 64, 128]
    }

    /// A new network with random weights.
    pub fn init(&self, device: &Device) -> FsaNet {
        let [_, shallow, middle, deep] = self.channels;
        let mapping = match self.scoring {
            FsaNetScoring::Convolution => Some(StructureMapping::init(true, device)),
            FsaNetScoring::Variance => Some(StructureMapping::init(false, device)),
            FsaNetScoring::None => None,
        };
        let features = mapping.as_ref().map_or(STAGES * PLACES, StructureMapping::feature_count);
        FsaNet {
            relu_stream: init_stream(self.channels, device),
            tanh_stream: init_stream(self.channels, device),
            fusions: [deep, middle, shallow].into_iter().map(|inputs| Heads::init(inputs, device)).collect(),
            mapping,
            aggregation: Aggregation::init(self.aggregation, features, device),
            heads: (0..STAGES).map(|_| StageHead::init(device)).collect(),
        }
    }
}

impl FsaNet {
    /// `[batch, 3, 64, 64] -> [batch, 3]`: yaw, pitch and roll in degrees.
    pub fn forward(&self, faces: Tensor<4>) -> Tensor<2> {
        let maps = fused_maps(&self.relu_stream, &self.tanh_stream, &self.fusions, faces);
        let features = match &self.mapping {
            Some(mapping) => mapping.forward(&maps),
            None => all_places(&maps).swap_dims(1, 2),
        };
        angles(&self.heads, &self.aggregation.forward(features))
    }
}
