//! Layers that more than one network is made of.

use burn::module::{Module, Param, RunningState};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor};

/// Keras' epsilon, so that the authors' weights mean the same.
pub(super) const NORM_EPSILON: f64 = 1e-3;
/// Keras has 0.01; with the few thousand steps of a short training the statistics must follow faster.
const NORM_MOMENTUM: f64 = 0.05;

/// Keras' default initial weights, with which the published nets were trained: Glorot's uniform ones, between plus and
/// minus `sqrt(6 / (fan in + fan out))`.
pub(super) fn glorot_uniform(fan_in: usize, fan_out: usize) -> Initializer {
    let limit = (6.0 / (fan_in + fan_out) as f64).sqrt();
    Initializer::Uniform { min: -limit, max: limit }
}

/// A convolution of stride 1 without padding, with Glorot's weights and a bias of zero.
pub(super) fn convolution(inputs: usize, outputs: usize, side: usize, device: &Device) -> Conv2d {
    let initial = glorot_uniform(side * side * inputs, side * side * outputs);
    let mut layer = Conv2dConfig::new([inputs, outputs], [side, side]).with_initializer(initial).init(device);
    layer.bias = Some(Initializer::Zeros.init([outputs], device));
    layer
}

/// A convolution of 3x3 of each channel by itself, padded, with Glorot's weights and a bias of zero.
pub(super) fn depthwise_convolution(channels: usize, device: &Device) -> Conv2d {
    let mut layer = Conv2dConfig::new([channels, channels], [3, 3])
        .with_groups(channels)
        .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
        .with_initializer(glorot_uniform(9, 9))
        .init(device);
    layer.bias = Some(Initializer::Zeros.init([channels], device));
    layer
}

/// A fully connected layer with Glorot's weights; every number of its bias is `bias`.
pub(super) fn dense(inputs: usize, outputs: usize, bias: f64, device: &Device) -> Linear {
    let initial = glorot_uniform(inputs, outputs);
    let mut layer = LinearConfig::new(inputs, outputs).with_initializer(initial).init(device);
    layer.bias = Some(Initializer::Constant { value: bias }.init([outputs], device));
    layer
}

/// A fully connected layer that gives `bias`, whatever goes in, until it has learnt something.
pub(super) fn constant(inputs: usize, outputs: usize, bias: f64, device: &Device) -> Linear {
    let mut layer = LinearConfig::new(inputs, outputs).with_initializer(Initializer::Zeros).init(device);
    layer.bias = Some(Initializer::Constant { value: bias }.init([outputs], device));
    layer
}

/// A batch normalisation of `[batch, channels, rows, columns]`.
pub(super) fn norm(channels: usize, device: &Device) -> BatchNorm {
    BatchNormConfig::new(channels).with_epsilon(NORM_EPSILON).with_momentum(NORM_MOMENTUM).init(device)
}

/// Largest value of each block of `side` x `side`; what does not fill a block is left out.
pub(super) fn max_pool(x: Tensor<4>, side: usize) -> Tensor<4> {
    burn::tensor::module::max_pool2d(x, MaxPoolOptions::new([side, side]))
}

/// Mean of each block of `side` x `side`; what does not fill a block is left out.
pub(super) fn average_pool(x: Tensor<4>, side: usize) -> Tensor<4> {
    burn::tensor::module::avg_pool2d(x, AvgPoolOptions::new([side, side]))
}

/// A convolution and its batch normalisation.
#[derive(Module, Debug)]
pub(super) struct ConvolutionBlock {
    pub(super) convolution: Conv2d,
    pub(super) norm: BatchNorm,
}

impl ConvolutionBlock {
    /// A convolution of 3x3.
    pub(super) fn init(inputs: usize, outputs: usize, device: &Device) -> Self {
        Self { convolution: convolution(inputs, outputs, 3, device), norm: norm(outputs, device) }
    }

    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward(self.convolution.forward(x))
    }

    /// What [`Self::forward`] gives when nothing is trained, also in a training: with the statistics so far, and without
    /// gradients.
    pub(super) fn forward_kept(&self, x: Tensor<4>) -> Tensor<4> {
        let norm = &self.norm;
        let factor = (norm.gamma.val() / (norm.running_var.value_sync() + norm.epsilon).sqrt()).detach();
        let offset = norm.beta.val().detach() - norm.running_mean.value_sync().detach() * factor.clone();
        let channels = factor.dims()[0];
        let mut folded = self.convolution.clone();
        let kernel = self.convolution.weight.val().detach() * factor.clone().reshape([channels, 1, 1, 1]);
        let bias = self.convolution.bias.as_ref().map_or_else(|| offset.zeros_like(), |bias| bias.val().detach());
        folded.weight = Param::from_tensor(kernel.detach()).set_require_grad(false);
        folded.bias = Some(Param::from_tensor((bias * factor + offset).detach()).set_require_grad(false));
        folded.forward(x).detach()
    }

    /// Gives the normalisation the statistics of what the convolution makes of `x`, and a scale and an offset that undo it.
    pub(super) fn settle(&mut self, x: &Tensor<4>) {
        let x = self.convolution.forward(x.clone());
        let [batch, channels, rows, columns] = x.dims();
        let numbers = x.swap_dims(0, 1).reshape([channels, batch * rows * columns]);
        let mean = numbers.clone().mean_dim(1);
        let variance = (numbers - mean.clone()).square().mean_dim(1).squeeze_dim::<1>(1);
        let mean = mean.squeeze_dim::<1>(1);
        let spread = (variance.clone() + self.norm.epsilon).sqrt();
        self.norm.gamma = Param::from_tensor(spread.detach());
        self.norm.beta = Param::from_tensor(mean.clone().detach());
        self.norm.running_mean = RunningState::new(mean.detach());
        self.norm.running_var = RunningState::new(variance.detach());
    }
}
