//! SSR-Net (Yang et al., IJCAI 2018) in burn, for one value or for several that share both streams.

#[cfg(test)]
mod tests;
mod weights;

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::{relu, tanh};
use burn::tensor::{Device, Tensor};
use facelens_core::model::Task;
use facelens_import::net::fsa_net::{ANGLES, RANGE};
use facelens_import::net::ssr_net as stored;
use facelens_import::net::ssr_net::{
    FEATURE, FUSION_CHANNELS, LOG_SCALE_RANGE, MIX, RELU_CHANNELS, RESIDUALS_BEHIND, STAGE_MAPS, STAGE_POOLS,
    STAGE_SIDES, TANH_CHANNELS,
};
use serde::{Deserialize, Serialize};

use super::layers::{
    ConvolutionBlock, average_pool, constant, convolution, dense, depthwise_convolution, max_pool, norm,
};
use super::soft_stagewise::{BINS, StageOutput, soft_stagewise};

/// Convolutions of a stream.
pub(crate) const CONVOLUTIONS: usize = 4;

/// Which SSR-Net. The published one has 32, 16 and 10 channels, mixes of 3 and features of 6 numbers, and one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SsrNetConfig {
    /// What it estimates, in the order of its outputs: any of age, gender and pose, which is yaw, pitch and roll.
    pub tasks: Vec<Task>,
    /// Channels of the relu stream.
    #[serde(default = "SsrNetConfig::default_relu_channels")]
    pub relu_channels: StreamChannels,
    /// Channels of the tanh stream.
    #[serde(default = "SsrNetConfig::default_tanh_channels")]
    pub tanh_channels: StreamChannels,
    /// Channels of each fusion block.
    #[serde(default = "SsrNetConfig::default_fusion_channels")]
    pub fusion_channels: usize,
    /// Numbers of each mix, in which a stage sums up what a stream sees.
    #[serde(default = "SsrNetConfig::default_mix")]
    pub mix: usize,
    /// Numbers of the feature that a stage makes of the product of its mixes.
    #[serde(default = "SsrNetConfig::default_feature")]
    pub feature: usize,
    /// Residual blocks of each stream between its third and fourth convolution; none in the published network.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub residuals: usize,
    /// Whether the last output, behind those of the tasks, is the natural logarithm of the age's scale in years: how
    /// sure the network is of the age.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub age_scale: bool,
}

/// Channels of a stream's four convolutions. In a file one number stands for four equal ones.
///
/// The maps shrink from 62 x 62 to 4 x 4 on the way, so that channels cost most at the beginning of a stream and almost
/// nothing at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "OneOrFour", into = "OneOrFour")]
pub struct StreamChannels(pub [usize; 4]);

/// How [`StreamChannels`] are written.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(untagged)]
enum OneOrFour {
    One(usize),
    Four([usize; 4]),
}

impl From<OneOrFour> for StreamChannels {
    fn from(channels: OneOrFour) -> Self {
        match channels {
            OneOrFour::One(channels) => channels.into(),
            OneOrFour::Four(channels) => Self(channels),
        }
    }
}

impl From<StreamChannels> for OneOrFour {
    fn from(StreamChannels(channels): StreamChannels) -> Self {
        if channels == [channels[0]; 4] { Self::One(channels[0]) } else { Self::Four(channels) }
    }
}

impl From<usize> for StreamChannels {
    fn from(channels: usize) -> Self {
        Self([channels; 4])
    }
}

/// Whether a setting is left out of a file.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
pub(crate) const fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// SSR-Net.
#[derive(Module, Debug)]
pub struct SsrNet {
    relu_stream: Vec<ConvolutionBlock>,
    tanh_stream: Vec<ConvolutionBlock>,
    relu_residuals: Vec<ResidualBlock>,
    tanh_residuals: Vec<ResidualBlock>,
    regressions: Vec<Regression>,
    /// How many convolutions of each stream, from the first on, are not trained; with all four neither are the residual blocks.
    kept_convolutions: usize,
}

/// Adds to a map what a depthwise 3x3 convolution, relu and a 1x1 convolution make of it.
#[derive(Module, Debug)]
struct ResidualBlock {
    depthwise: ConvolutionBlock,
    pointwise: ConvolutionBlock,
}

/// The three stages of one value, stage 1 first.
#[derive(Module, Debug)]
struct Regression {
    stages: Vec<FusionBlock>,
    range: f32,
    /// Index of the first bin: 0, or -1 where the value has a sign.
    first_bin: f32,
    /// Whether it is not trained.
    kept: bool,
}

/// A fusion block with its prediction block (figure 1b of the paper).
#[derive(Module, Debug)]
struct FusionBlock {
    relu_head: Conv2d,
    tanh_head: Conv2d,
    relu_mix: Linear,
    tanh_mix: Linear,
    feature: Linear,
    delta: Linear,
    p: Linear,
    eta: Linear,
    pool: usize,
}

impl SsrNetConfig {
    const fn default_relu_channels() -> StreamChannels {
        StreamChannels([RELU_CHANNELS; 4])
    }

    const fn default_tanh_channels() -> StreamChannels {
        StreamChannels([TANH_CHANNELS; 4])
    }

    const fn default_fusion_channels() -> usize {
        FUSION_CHANNELS
    }

    const fn default_mix() -> usize {
        MIX
    }

    const fn default_feature() -> usize {
        FEATURE
    }

    /// The published size for these tasks.
    pub fn published(tasks: Vec<Task>) -> Self {
        Self {
            tasks,
            relu_channels: Self::default_relu_channels(),
            tanh_channels: Self::default_tanh_channels(),
            fusion_channels: Self::default_fusion_channels(),
            mix: Self::default_mix(),
            feature: Self::default_feature(),
            residuals: 0,
            age_scale: false,
        }
    }

    /// The settings of a stored network that estimates `tasks` and, with `age_scale`, the age's scale.
    pub fn of(net: &stored::SsrNetWeights, tasks: Vec<Task>, age_scale: bool) -> Self {
        let width = |layer: &facelens_import::net::Affine| layer.bias.data().len();
        let stream = |blocks: &[facelens_import::net::ConvolutionBlockWeights; 4]| {
            StreamChannels(blocks.each_ref().map(|block| width(&block.convolution)))
        };
        let first = net.regressions.first().map(|regression| &regression.stages[0]);
        let of_first = |layer: fn(&stored::FusionBlockWeights) -> &facelens_import::net::Affine| {
            first.map_or(0, |block| width(layer(block)))
        };
        Self {
            tasks,
            relu_channels: stream(&net.relu_stream),
            tanh_channels: stream(&net.tanh_stream),
            fusion_channels: of_first(|block| &block.relu_head),
            mix: of_first(|block| &block.relu_mix),
            feature: of_first(|block| &block.feature),
            residuals: net.relu_residuals.len(),
            age_scale,
        }
    }

    /// A new network with random weights.
    pub fn init(&self, device: &Device) -> SsrNet {
        let stream = |StreamChannels([a, b, c, d]): StreamChannels| -> Vec<_> {
            let layers = [(3, a), (a, b), (b, c), (c, d)];
            layers.map(|(inputs, outputs)| ConvolutionBlock::init(inputs, outputs, device)).into()
        };
        let residuals = |channels: StreamChannels| {
            let channels = channels.0[RESIDUALS_BEHIND - 1];
            (0..self.residuals).map(|_| ResidualBlock::init(channels, device)).collect()
        };
        let regression = |(range, first_bin)| Regression {
            stages: (0..3).map(|stage| FusionBlock::init(self, stage, device)).collect(),
            range,
            first_bin,
            kept: false,
        };
        SsrNet {
            relu_stream: stream(self.relu_channels),
            tanh_stream: stream(self.tanh_channels),
            relu_residuals: residuals(self.relu_channels),
            tanh_residuals: residuals(self.tanh_channels),
            regressions: self.bins().into_iter().map(regression).collect(),
            kept_convolutions: 0,
        }
    }

    /// The range V and the first bin of each output.
    fn bins(&self) -> Vec<(f32, f32)> {
        let scale = self.age_scale.then_some((LOG_SCALE_RANGE, 0.0));
        self.tasks.iter().flat_map(|task| bins(*task)).chain(scale).collect()
    }
}

/// The range V and the first bin of each of a task's values: the published 101 for years and 1 for the male score, for the
/// three angles what FSA-Net has.
fn bins(task: Task) -> Vec<(f32, f32)> {
    match task {
        Task::Age => vec![(101.0, 0.0)],
        Task::Gender => vec![(1.0, 0.0)],
        Task::Pose => vec![(RANGE, -1.0); ANGLES],
    }
}

impl SsrNet {
    /// Gives each batch normalisation the statistics that these faces (`[batch, 3, 64, 64]`) have there, and such a scale and
    /// offset that it still changes nothing. For a network whose normalisations were folded: in training they would change
    /// everything otherwise, as they take the statistics of the batch.
    pub(in crate::nets) fn settle(&mut self, faces: &Tensor<4>) {
        settle_stream(&mut self.relu_stream, &mut self.relu_residuals, faces.clone(), relu, average_pool);
        settle_stream(&mut self.tanh_stream, &mut self.tanh_residuals, faces.clone(), tanh, max_pool);
    }

    /// The residual blocks that `other` has more, appended; they change nothing until they are trained.
    pub(in crate::nets) fn deepen(&mut self, other: &Self) {
        for (own, other) in
            [(&mut self.relu_residuals, &other.relu_residuals), (&mut self.tanh_residuals, &other.tanh_residuals)]
        {
            own.extend(other.iter().skip(own.len()).cloned());
        }
    }

    /// Leaves the streams and these outputs as they are in a training; `kept` has one entry for each output, and further
    /// outputs are trained. Without any, everything is trained but the first `convolutions` of each stream.
    pub(in crate::nets) fn keep(&mut self, kept: &[bool], convolutions: usize) {
        self.kept_convolutions = if kept.contains(&true) { CONVOLUTIONS } else { convolutions };
        for (index, regression) in self.regressions.iter_mut().enumerate() {
            regression.kept = kept.get(index).copied().unwrap_or(false);
        }
    }

    /// `[batch, 3, 64, 64] -> [batch, values]`: one for age and gender each, three for pose, one for the age's scale.
    pub fn forward(&self, faces: Tensor<4>) -> Tensor<2> {
        let kept = self.kept_convolutions;
        let relu = stream(&self.relu_stream, &self.relu_residuals, kept, faces.clone(), relu, average_pool);
        let tanh = stream(&self.tanh_stream, &self.tanh_residuals, kept, faces, tanh, max_pool);
        let values = self.regressions.iter().map(|regression| {
            let blocks = STAGE_MAPS.into_iter().zip(&regression.stages);
            let stages = blocks.map(|(map, block)| block.forward(relu[map].clone(), tanh[map].clone())).collect();
            let value = soft_stagewise(stages, regression.first_bin, regression.range);
            if regression.kept { value.detach() } else { value }
        });
        Tensor::cat(values.collect(), 1)
    }
}

impl ResidualBlock {
    /// A new block, which gives what goes in: its last scale is 0 (P. Goyal et al., "Accurate, Large Minibatch SGD", 2017).
    fn init(channels: usize, device: &Device) -> Self {
        let block = |convolution| ConvolutionBlock { convolution, norm: norm(channels, device) };
        let mut pointwise = block(convolution(channels, channels, 1, device));
        pointwise.norm.gamma = Param::from_tensor(Tensor::zeros([channels], device));
        Self { depthwise: block(depthwise_convolution(channels, device)), pointwise }
    }

    fn forward(&self, map: Tensor<4>) -> Tensor<4> {
        let x = relu(self.depthwise.forward(map.clone()));
        map + self.pointwise.forward(x)
    }

    /// [`Self::forward`] when nothing is trained.
    fn forward_kept(&self, map: Tensor<4>) -> Tensor<4> {
        let x = relu(self.depthwise.forward_kept(map.clone()));
        map + self.pointwise.forward_kept(x)
    }

    /// As [`SsrNet::settle`]: what the block gives stays.
    fn settle(&mut self, map: Tensor<4>) -> Tensor<4> {
        self.depthwise.settle(&map);
        let x = relu(self.depthwise.forward(map.clone()));
        self.pointwise.settle(&x);
        map + self.pointwise.forward(x)
    }
}

/// One stream: convolution, activation and, but for the last, pooling; residual blocks behind the third. Gives the four
/// feature maps.
fn stream(
    blocks: &[ConvolutionBlock],
    residuals: &[ResidualBlock],
    kept: usize,
    faces: Tensor<4>,
    activation: fn(Tensor<4>) -> Tensor<4>,
    pool: fn(Tensor<4>, usize) -> Tensor<4>,
) -> Vec<Tensor<4>> {
    let mut x = faces;
    let mut maps = Vec::with_capacity(blocks.len());
    for (index, block) in blocks.iter().enumerate() {
        x = activation(if index < kept { block.forward_kept(x) } else { block.forward(x) });
        if index < 3 {
            x = pool(x, 2);
        }
        if index + 1 == RESIDUALS_BEHIND {
            let all_kept = kept >= CONVOLUTIONS;
            x = residuals.iter().fold(x, |x, block| if all_kept { block.forward_kept(x) } else { block.forward(x) });
        }
        maps.push(x.clone());
    }
    maps
}

fn settle_stream(
    blocks: &mut [ConvolutionBlock],
    residuals: &mut [ResidualBlock],
    faces: Tensor<4>,
    activation: fn(Tensor<4>) -> Tensor<4>,
    pool: fn(Tensor<4>, usize) -> Tensor<4>,
) {
    let mut x = faces;
    for (index, block) in blocks.iter_mut().enumerate() {
        block.settle(&x);
        x = activation(block.forward(x));
        if index < 3 {
            x = pool(x, 2);
        }
        if index + 1 == RESIDUALS_BEHIND {
            x = residuals.iter_mut().fold(x, |x, block| block.settle(x));
        }
    }
}

impl FusionBlock {
    fn init(config: &SsrNetConfig, stage: usize, device: &Device) -> Self {
        let flat = STAGE_SIDES[stage] * STAGE_SIDES[stage] * config.fusion_channels;
        // Where this differs from Keras' defaults, on which the published nets were trained, it is for these:
        // - The bins' width is divided by 1 + Delta. With Glorot's weights some faces come near Delta = -1, and the first
        //   estimates of an age lie between 0 and 10,000 years. Delta starts at 0.
        // - A bin whose p is 0 for every face never learns. p starts at 1/3 in each, the middle of the range.
        // - The mixes, three relus each, are multiplied: of the products four in ten would be 0 for every face in some
        //   stages. They start around 1.
        let (p_bias, mix_bias) = (1.0 / BINS as f64, 1.0);
        let (StreamChannels(relu), StreamChannels(tanh)) = (config.relu_channels, config.tanh_channels);
        let map = STAGE_MAPS[stage];
        Self {
            relu_head: convolution(relu[map], config.fusion_channels, 1, device),
            tanh_head: convolution(tanh[map], config.fusion_channels, 1, device),
            relu_mix: dense(flat, config.mix, mix_bias, device),
            tanh_mix: dense(flat, config.mix, mix_bias, device),
            feature: dense(config.mix, config.feature, 0.0, device),
            delta: constant(flat, 1, 0.0, device),
            p: constant(config.feature, BINS, p_bias, device),
            eta: dense(config.feature, BINS, 0.0, device),
            pool: STAGE_POOLS[stage],
        }
    }

    fn forward(&self, relu_map: Tensor<4>, tanh_map: Tensor<4>) -> StageOutput {
        let head = |layer: &Conv2d, map, pool: fn(Tensor<4>, usize) -> Tensor<4>| -> Tensor<2> {
            let x = relu(layer.forward(map));
            let x = if self.pool > 1 { pool(x, self.pool) } else { x };
            x.flatten(1, 3)
        };
        let relu_head = head(&self.relu_head, relu_map, average_pool);
        let tanh_head = head(&self.tanh_head, tanh_map, max_pool);
        let mixes = relu(self.relu_mix.forward(relu_head.clone())) * relu(self.tanh_mix.forward(tanh_head.clone()));
        let feature = relu(self.feature.forward(mixes));
        let column = |x: Tensor<2>| x.unsqueeze_dim::<3>(1);
        StageOutput {
            delta: column(tanh(self.delta.forward(relu_head * tanh_head))),
            p: column(relu(self.p.forward(feature.clone()))),
            eta: column(tanh(self.eta.forward(feature))),
        }
    }
}
