//! Layers that more than one network is made of, and their way to and from the app's weight structures.

use burn::module::{Module, Param, RunningState};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Initializer, Linear, LinearConfig};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor, TensorData};
use facelens::net;

/// Keras' epsilon, so that the authors' weights mean the same.
pub(super) const NORM_EPSILON: f64 = 1e-3;
/// Keras has 0.01; with the few thousand steps of a short training the statistics must follow faster.
const NORM_MOMENTUM: f64 = 0.05;

/// Keras' default initial weights, with which the published nets were trained: Glorot's uniform ones.
pub(super) fn glorot() -> Initializer {
    Initializer::XavierUniform { gain: 1.0 }
}

/// A convolution without padding unless `padding` says so, with Glorot's weights and a bias of zero.
pub(super) fn convolution(inputs: usize, outputs: usize, side: usize, device: &Device) -> Conv2d {
    let mut layer = Conv2dConfig::new([inputs, outputs], [side, side]).with_initializer(glorot()).init(device);
    layer.bias = Some(Initializer::Zeros.init([outputs], device));
    layer
}

/// A fully connected layer with Glorot's weights; every number of its bias is `bias`.
pub(super) fn dense(inputs: usize, outputs: usize, bias: f64, device: &Device) -> Linear {
    let mut layer = LinearConfig::new(inputs, outputs).with_initializer(glorot()).init(device);
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

/// A 3x3 convolution and its batch normalisation.
#[derive(Module, Debug)]
pub(super) struct ConvolutionBlock {
    pub(super) convolution: Conv2d,
    pub(super) norm: BatchNorm,
}

impl ConvolutionBlock {
    pub(super) fn init(inputs: usize, outputs: usize, device: &Device) -> Self {
        Self { convolution: convolution(inputs, outputs, 3, device), norm: norm(outputs, device) }
    }

    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        self.norm.forward(self.convolution.forward(x))
    }

    pub(super) fn weights(&self) -> net::ConvolutionBlock {
        net::ConvolutionBlock {
            convolution: convolution_weights(&self.convolution),
            norm: Some(norm_weights(&self.norm)),
        }
    }
}

/// A tensor's numbers, as the app keeps them.
pub(super) fn plain<const D: usize>(tensor: Tensor<D>) -> net::Tensor {
    let shape = tensor.dims();
    let data = tensor.into_data();
    // Both lengths come from one tensor.
    let mut numbers = data.iter::<f32>();
    net::Tensor::from_fn(&shape, |_| numbers.next().unwrap_or(f32::NAN))
}

/// A layer's weights, in the layout `[out, in, row, column]`.
pub(super) fn convolution_weights(layer: &Conv2d) -> net::Affine {
    let outputs = layer.weight.dims()[0];
    net::Affine { kernel: plain(layer.weight.val()), bias: bias(layer.bias.as_ref(), outputs) }
}

/// A layer's weights, in the layout `[out, in]`.
pub(super) fn dense_weights(layer: &Linear) -> net::Affine {
    let outputs = layer.weight.dims()[1];
    net::Affine { kernel: plain(layer.weight.val().swap_dims(0, 1)), bias: bias(layer.bias.as_ref(), outputs) }
}

fn bias(bias: Option<&Param<Tensor<1>>>, outputs: usize) -> net::Tensor {
    bias.map_or_else(|| net::Tensor::from_fn(&[outputs], |_| 0.0), |bias| plain(bias.val()))
}

/// A normalisation's weights and statistics.
pub(super) fn norm_weights(layer: &BatchNorm) -> net::BatchNorm {
    net::BatchNorm {
        gamma: plain(layer.gamma.val()),
        beta: plain(layer.beta.val()),
        mean: plain(layer.running_mean.value_sync()),
        variance: plain(layer.running_var.value_sync()),
        epsilon: layer.epsilon as f32,
    }
}

/// The app's numbers as a tensor on a device.
pub(super) fn tensor<const D: usize>(numbers: &net::Tensor, device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(numbers.data().to_vec(), numbers.shape().to_vec()), device)
}

/// A parameter with the app's numbers.
pub(super) fn parameter<const D: usize>(numbers: &net::Tensor, device: &Device) -> Param<Tensor<D>> {
    Param::from_tensor(tensor(numbers, device))
}

/// Puts stored weights and statistics into a normalisation.
pub(super) fn load_norm(layer: &mut BatchNorm, weights: &net::BatchNorm, device: &Device) {
    layer.gamma = parameter(&weights.gamma, device);
    layer.beta = parameter(&weights.beta, device);
    layer.running_mean = RunningState::new(tensor(&weights.mean, device));
    layer.running_var = RunningState::new(tensor(&weights.variance, device));
    layer.epsilon = f64::from(weights.epsilon);
}
