//! The two streams of separable convolutions and their fusion at three scales.

use burn::module::{Module, Param};
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, Initializer};
use burn::tensor::activation::{relu, tanh};
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};
use facelens::net::fsa_net::{FEATURES, FUSED_BLOCKS, POOLED_BLOCKS};

use crate::nets::layers::{average_pool, convolution, glorot_uniform, max_pool, norm};

/// Rows and columns of a fused map.
const MAP_SIDE: usize = 8;

/// A depthwise 3x3 convolution, a pointwise one with bias, and a batch normalisation.
#[derive(Module, Debug)]
pub(super) struct SeparableBlock {
    /// `[channels, 1, 3, 3]`.
    pub(super) depthwise: Param<Tensor<4>>,
    pub(super) pointwise: Conv2d,
    pub(super) norm: BatchNorm,
}

/// The 1x1 convolutions in front of a fusion.
#[derive(Module, Debug)]
pub(super) struct Fusion {
    pub(super) relu_head: Conv2d,
    pub(super) tanh_head: Conv2d,
}

impl SeparableBlock {
    pub(super) fn init(inputs: usize, outputs: usize, device: &Device) -> Self {
        // Keras takes the depthwise kernel [3, 3, inputs, 1] for a convolution from `inputs` channels to one.
        let depthwise: Initializer = glorot_uniform(9 * inputs, 9);
        Self {
            depthwise: depthwise.init([inputs, 1, 3, 3], device),
            pointwise: convolution(inputs, outputs, 1, device),
            norm: norm(outputs, device),
        }
    }

    /// Depthwise and pointwise in turn: multiplied out into one dense convolution the training is a third slower.
    pub(super) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let channels = x.dims()[1];
        let x = conv2d(x, self.depthwise.val(), None, ConvOptions::new([1, 1], [1, 1], [1, 1], channels));
        self.norm.forward(self.pointwise.forward(x))
    }
}

impl Fusion {
    pub(super) fn init(inputs: usize, device: &Device) -> Self {
        Self {
            relu_head: convolution(inputs, FEATURES, 1, device),
            tanh_head: convolution(inputs, FEATURES, 1, device),
        }
    }

    pub(super) fn forward(&self, relu_map: Tensor<4>, tanh_map: Tensor<4>) -> Tensor<4> {
        relu(self.relu_head.forward(relu_map)) * tanh(self.tanh_head.forward(tanh_map))
    }
}

/// The three fused maps `U_k`, `[batch, 64 features, 8, 8]`, stage 1 (the deepest) first.
pub(super) fn fused_maps(
    relu_stream: &[SeparableBlock],
    tanh_stream: &[SeparableBlock],
    fusions: &[Fusion],
    faces: Tensor<4>,
) -> Vec<Tensor<4>> {
    let relu_maps = stream(relu_stream, faces.clone(), relu, average_pool);
    let tanh_maps = stream(tanh_stream, faces, tanh, max_pool);
    let scales = FUSED_BLOCKS.into_iter().zip(fusions);
    scales
        .map(|(scale, fusion)| {
            let fused = fusion.forward(relu_maps[scale].clone(), tanh_maps[scale].clone());
            // The shallow scale has 16 x 16 places.
            if fused.dims()[2] > MAP_SIDE { average_pool(fused, 2) } else { fused }
        })
        .collect()
}

/// One stream; gives the map behind each block and its pooling.
fn stream(
    blocks: &[SeparableBlock],
    faces: Tensor<4>,
    activation: fn(Tensor<4>) -> Tensor<4>,
    pool: fn(Tensor<4>, usize) -> Tensor<4>,
) -> Vec<Tensor<4>> {
    let mut x = faces;
    let mut maps = Vec::with_capacity(blocks.len());
    for (index, block) in blocks.iter().enumerate() {
        x = activation(block.forward(x));
        if POOLED_BLOCKS.contains(&index) {
            x = pool(x, 2);
        }
        maps.push(x.clone());
    }
    maps
}
