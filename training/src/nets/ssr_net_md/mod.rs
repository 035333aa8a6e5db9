//! SSR-Net-MD in burn: soft stagewise regression of the three angles at once, without FSA-Net's scoring, structure
//! mapping and aggregation. The app's [`facelens_import::net::ssr_net_md`] tells its form and where that comes from.

mod weights;

use burn::module::Module;
use burn::nn::Linear;
use burn::tensor::activation::{relu, tanh};
use burn::tensor::{Device, Tensor};
use facelens_import::net::fsa_net::{ANGLES, FEATURES, FUSED_BLOCKS, RANGE};
use facelens_import::net::ssr_net_md::{HIDDEN, STAGE_SIDES};
use serde::{Deserialize, Serialize};

use super::FsaNetConfig;
use super::layers::{average_pool, constant, dense, max_pool};
use super::separable::{Heads, SeparableBlock, init_stream, stream};
use super::soft_stagewise::{BINS, StageOutput, soft_stagewise};

/// Which SSR-Net-MD.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SsrNetMdConfig {
    /// Channels of both streams, as in [`FsaNetConfig::channels`]; 16, 32, 64 and 128 in the authors' program.
    #[serde(default = "FsaNetConfig::published_channels")]
    pub channels: [usize; 4],
}

/// SSR-Net-MD.
#[derive(Module, Debug)]
pub struct SsrNetMd {
    relu_stream: Vec<SeparableBlock>,
    tanh_stream: Vec<SeparableBlock>,
    /// Stage 1 (the deepest) first.
    stages: Vec<MdStage>,
}

/// One stage.
#[derive(Module, Debug)]
struct MdStage {
    heads: Heads,
    /// From the unrolled map, tanh.
    delta_feature: Linear,
    delta: Linear,
    /// From the unrolled map, tanh.
    eta_feature: Linear,
    eta: Linear,
    /// From the unrolled map to the bins of each angle.
    p: Linear,
}

impl Default for SsrNetMdConfig {
    /// The authors' widths.
    fn default() -> Self {
        Self { channels: FsaNetConfig::published_channels() }
    }
}

impl SsrNetMdConfig {
    /// A new network with random weights.
    pub fn init(&self, device: &Device) -> SsrNetMd {
        let [_, shallow, middle, deep] = self.channels;
        let stages = [deep, middle, shallow].into_iter().zip(STAGE_SIDES);
        SsrNetMd {
            relu_stream: init_stream(self.channels, device),
            tanh_stream: init_stream(self.channels, device),
            stages: stages.map(|(inputs, side)| MdStage::init(inputs, side, device)).collect(),
        }
    }
}

impl SsrNetMd {
    /// `[batch, 3, 64, 64] -> [batch, 3]`: yaw, pitch and roll in degrees.
    pub fn forward(&self, faces: Tensor<4>) -> Tensor<2> {
        let relu_maps = stream(&self.relu_stream, faces.clone(), relu, average_pool);
        let tanh_maps = stream(&self.tanh_stream, faces, tanh, max_pool);
        let stages = FUSED_BLOCKS.into_iter().zip(&self.stages);
        let stages = stages.map(|(seen, stage)| stage.forward(relu_maps[seen].clone(), tanh_maps[seen].clone()));
        soft_stagewise(stages.collect(), -1.0, RANGE)
    }
}

impl MdStage {
    fn init(inputs: usize, side: usize, device: &Device) -> Self {
        let flat = FEATURES * side * side;
        // As in the other networks: p = 1/3 in each bin, so that all are alive, and Delta = 0, far from a division by 0.
        let p_bias = 1.0 / BINS as f64;
        Self {
            heads: Heads::init(inputs, device),
            delta_feature: dense(flat, HIDDEN, 0.0, device),
            delta: constant(HIDDEN, ANGLES, 0.0, device),
            eta_feature: dense(flat, HIDDEN, 0.0, device),
            eta: dense(HIDDEN, ANGLES, 0.0, device),
            p: constant(flat, ANGLES * BINS, p_bias, device),
        }
    }

    fn forward(&self, relu_map: Tensor<4>, tanh_map: Tensor<4>) -> StageOutput {
        let (relu_head, tanh_head) = self.heads.forward(relu_map, tanh_map);
        let map = (average_pool(relu_head, 2) * max_pool(tanh_head, 2)).flatten::<2>(1, 3);
        let column = |x: Tensor<2>| x.unsqueeze_dim::<3>(2);
        let delta = self.delta.forward(tanh(self.delta_feature.forward(map.clone())));
        let eta = self.eta.forward(tanh(self.eta_feature.forward(map.clone())));
        StageOutput {
            delta: column(tanh(delta)),
            eta: column(tanh(eta)),
            p: relu(self.p.forward(map)).reshape([-1, ANGLES as i32, BINS as i32]),
        }
    }
}
