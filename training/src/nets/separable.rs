//! Streams of separable convolutions, as FSA-Net and SSR-Net-MD have them.

use burn::module::{Module, Param};
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, Linear};
use burn::tensor::activation::{relu, tanh};
use burn::tensor::module::conv2d;
use burn::tensor::ops::ConvOptions;
use burn::tensor::{Device, Tensor};
use facelens_import::net::fsa_net::{self, FEATURES, POOLED_BLOCKS};
use facelens_import::net::{Affine, Convention, ShapeError};

use super::convert::{Reader, convolution_weights, dense_weights, exactly, norm_weights, plain};
use super::layers::{convolution, glorot_uniform, norm};
use super::published::separable_on_our_input;

/// A depthwise 3x3 convolution, a pointwise one with bias, and a batch normalisation.
#[derive(Module, Debug)]
pub(super) struct SeparableBlock {
    /// `[channels, 1, 3, 3]`.
    pub(super) depthwise: Param<Tensor<4>>,
    pub(super) pointwise: Conv2d,
    pub(super) norm: BatchNorm,
}

impl SeparableBlock {
    pub(super) fn init(inputs: usize, outputs: usize, device: &Device) -> Self {
        // Keras takes the depthwise kernel [3, 3, inputs, 1] for a convolution from `inputs` channels to one.
        let depthwise = glorot_uniform(9 * inputs, 9);
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

/// A stream of seven. `channels`: those behind the first, the second and third, the fourth and fifth, the sixth and
/// seventh block.
pub(super) fn init_stream([first, shallow, middle, deep]: [usize; 4], device: &Device) -> Vec<SeparableBlock> {
    let channels = [3, first, shallow, shallow, middle, middle, deep, deep];
    channels.windows(2).map(|pair| SeparableBlock::init(pair[0], pair[1], device)).collect()
}

/// One stream; gives the map behind each block and its pooling.
pub(super) fn stream(
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

/// A stream with stored weights.
pub(super) fn stream_from_weights(
    reader: &Reader<'_>,
    stored: &[fsa_net::SeparableBlockWeights],
) -> Result<Vec<SeparableBlock>, ShapeError> {
    stored.iter().map(|block| SeparableBlock::from_weights(reader, block)).collect()
}

/// A stream's weights in Keras' layout.
pub(super) fn stream_weights(blocks: &[SeparableBlock]) -> Result<[fsa_net::SeparableBlockWeights; 7], ShapeError> {
    exactly(blocks.iter().map(SeparableBlock::to_weights).collect::<Result<_, _>>()?, "separable convolutions")
}

/// A fully connected layer's weights in Keras' layout.
pub(super) fn keras_dense(layer: &Linear) -> Affine {
    dense_weights(layer, Convention::KERAS.dense)
}

/// A convolution's weights in Keras' layout.
pub(super) fn keras(layer: &Conv2d) -> Result<Affine, ShapeError> {
    let Affine { kernel, bias } = convolution_weights(layer);
    Ok(Affine { kernel: kernel.permuted(&[2, 3, 1, 0])?, bias })
}

impl SeparableBlock {
    fn from_weights(reader: &Reader<'_>, stored: &fsa_net::SeparableBlockWeights) -> Result<Self, ShapeError> {
        Ok(Self {
            depthwise: reader.parameter(&stored.depthwise.permuted(&[2, 3, 0, 1])?),
            pointwise: reader.convolution(&stored.pointwise)?,
            norm: reader.norm(&stored.norm),
        })
    }

    fn to_weights(&self) -> Result<fsa_net::SeparableBlockWeights, ShapeError> {
        Ok(fsa_net::SeparableBlockWeights {
            depthwise: plain(self.depthwise.val()).permuted(&[2, 3, 0, 1])?,
            pointwise: keras(&self.pointwise)?,
            norm: norm_weights(&self.norm),
        })
    }

    /// The same block for our input where this one takes BGR bytes.
    pub(super) fn on_our_input(&mut self) {
        separable_on_our_input(&mut self.depthwise, &mut self.pointwise);
    }
}

/// The 1x1 convolutions to 64 features in front of a fusion.
#[derive(Module, Debug)]
pub(super) struct Heads {
    pub(super) relu_head: Conv2d,
    pub(super) tanh_head: Conv2d,
}

impl Heads {
    pub(super) fn init(inputs: usize, device: &Device) -> Self {
        Self {
            relu_head: convolution(inputs, FEATURES, 1, device),
            tanh_head: convolution(inputs, FEATURES, 1, device),
        }
    }

    /// What both heads say, relu and tanh done: `[batch, 64, rows, columns]` each.
    pub(super) fn forward(&self, relu_map: Tensor<4>, tanh_map: Tensor<4>) -> (Tensor<4>, Tensor<4>) {
        (relu(self.relu_head.forward(relu_map)), tanh(self.tanh_head.forward(tanh_map)))
    }

    pub(super) fn from_weights(reader: &Reader<'_>, stored: &fsa_net::Fusion) -> Result<Self, ShapeError> {
        Ok(Self {
            relu_head: reader.convolution(&stored.relu_head)?,
            tanh_head: reader.convolution(&stored.tanh_head)?,
        })
    }

    /// In Keras' layout.
    pub(super) fn to_weights(&self) -> Result<fsa_net::Fusion, ShapeError> {
        Ok(fsa_net::Fusion { relu_head: keras(&self.relu_head)?, tanh_head: keras(&self.tanh_head)? })
    }
}
