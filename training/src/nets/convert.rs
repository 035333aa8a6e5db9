//! Layers to and from the app's weight structures.
//!
//! burn keeps a convolution's kernel as `[out, in, row, column]`, a fully connected one as `[in, out]`, and unrolls a
//! feature map channels first.

use burn::module::{Param, RunningState};
use burn::nn::conv::Conv2d;
use burn::nn::{BatchNorm, Linear};
use burn::tensor::{Device, Tensor, TensorData};
use facelens_import::net::{self, Affine, Convention, DenseLayout, FlattenOrder, KernelLayout, ShapeError};

use super::layers::{self, ConvolutionBlock};

/// Makes layers of stored weights.
pub(super) struct Reader<'a> {
    /// How the weights are stored.
    pub(super) convention: Convention,
    /// Where the layers are to be.
    pub(super) device: &'a Device,
}

impl Reader<'_> {
    /// A convolution of stride 1 without padding. What it takes and gives is told from the kernel.
    pub(super) fn convolution(&self, stored: &Affine) -> Result<Conv2d, ShapeError> {
        let kernel = match self.convention.kernel {
            KernelLayout::Hwio => stored.kernel.permuted(&[3, 2, 0, 1])?,
            KernelLayout::Oihw => stored.kernel.clone(),
        };
        let [outputs, inputs, side, _] = *kernel.shape() else {
            return Err(ShapeError(format!("{:?} is not a kernel of a convolution", kernel.shape())));
        };
        let mut layer = layers::convolution(inputs, outputs, side, self.device);
        layer.weight = self.parameter(&kernel);
        layer.bias = Some(self.parameter(&stored.bias));
        Ok(layer)
    }

    /// A fully connected layer. Where its input is an unrolled feature map of `[rows, columns, channels]`, its rows are
    /// brought into burn's order.
    pub(super) fn dense(&self, stored: &Affine, map: Option<[usize; 3]>) -> Result<Linear, ShapeError> {
        let mut kernel = match self.convention.dense {
            DenseLayout::InOut => stored.kernel.clone(),
            DenseLayout::OutIn => stored.kernel.permuted(&[1, 0])?,
        };
        let [inputs, outputs] = *kernel.shape() else {
            return Err(ShapeError(format!("{:?} is not a kernel of a fully connected layer", kernel.shape())));
        };
        if let (Some([rows, columns, channels]), FlattenOrder::RowColumnChannel) = (map, self.convention.flatten) {
            let unrolled = kernel.reshaped(&[rows, columns, channels, outputs])?;
            kernel = unrolled.permuted(&[2, 0, 1, 3])?.reshaped(&[inputs, outputs])?;
        }
        let mut layer = layers::dense(inputs, outputs, 0.0, self.device);
        layer.weight = self.parameter(&kernel);
        layer.bias = Some(self.parameter(&stored.bias));
        Ok(layer)
    }

    /// A batch normalisation with its statistics.
    pub(super) fn norm(&self, stored: &net::BatchNorm) -> BatchNorm {
        let mut layer = layers::norm(stored.gamma.data().len(), self.device);
        layer.gamma = self.parameter(&stored.gamma);
        layer.beta = self.parameter(&stored.beta);
        layer.running_mean = RunningState::new(self.tensor(&stored.mean));
        layer.running_var = RunningState::new(self.tensor(&stored.variance));
        layer.epsilon = f64::from(stored.epsilon);
        layer
    }

    /// A convolution with its batch normalisation. Where that is folded into the convolution already, one that changes
    /// nothing as long as nothing is trained.
    pub(super) fn block(&self, stored: &net::ConvolutionBlockWeights) -> Result<ConvolutionBlock, ShapeError> {
        let norm = match &stored.norm {
            Some(norm) => self.norm(norm),
            None => self.idle_norm(stored.convolution.bias.data().len()),
        };
        Ok(ConvolutionBlock { convolution: self.convolution(&stored.convolution)?, norm })
    }

    /// The same of a 3x3 convolution of each channel by itself, padded. Its kernel alone does not tell it from one of a single
    /// input channel.
    pub(super) fn depthwise_block(
        &self,
        stored: &net::ConvolutionBlockWeights,
    ) -> Result<ConvolutionBlock, ShapeError> {
        let ConvolutionBlock { convolution, norm } = self.block(stored)?;
        let mut depthwise = layers::depthwise_convolution(stored.convolution.bias.data().len(), self.device);
        (depthwise.weight, depthwise.bias) = (convolution.weight, convolution.bias);
        Ok(ConvolutionBlock { convolution: depthwise, norm })
    }

    /// A batch normalisation that changes nothing: its mean is 0, and its variance 1 together with the epsilon.
    fn idle_norm(&self, channels: usize) -> BatchNorm {
        let mut layer = layers::norm(channels, self.device);
        let variance = 1.0 - layers::NORM_EPSILON as f32;
        layer.running_var = RunningState::new(self.tensor(&net::Tensor::from_fn(&[channels], |_| variance)));
        layer
    }

    /// A parameter with these numbers, in their shape.
    pub(super) fn parameter<const D: usize>(&self, numbers: &net::Tensor) -> Param<Tensor<D>> {
        Param::from_tensor(self.tensor(numbers))
    }

    fn tensor<const D: usize>(&self, numbers: &net::Tensor) -> Tensor<D> {
        Tensor::from_data(TensorData::new(numbers.data().to_vec(), numbers.shape().to_vec()), self.device)
    }
}

/// A tensor's numbers.
pub(super) fn plain<const D: usize>(tensor: Tensor<D>) -> net::Tensor {
    let shape = tensor.dims();
    let data = tensor.into_data();
    // Both lengths come from one tensor.
    let mut numbers = data.iter::<f32>();
    net::Tensor::from_fn(&shape, |_| numbers.next().unwrap_or(f32::NAN))
}

/// A convolution's weights, the kernel as `[out, in, row, column]`.
pub(super) fn convolution_weights(layer: &Conv2d) -> Affine {
    let outputs = layer.weight.dims()[0];
    Affine { kernel: plain(layer.weight.val()), bias: bias(layer.bias.as_ref(), outputs) }
}

/// A fully connected layer's weights.
pub(super) fn dense_weights(layer: &Linear, layout: DenseLayout) -> Affine {
    let outputs = layer.weight.dims()[1];
    let kernel = match layout {
        DenseLayout::InOut => layer.weight.val(),
        DenseLayout::OutIn => layer.weight.val().swap_dims(0, 1),
    };
    Affine { kernel: plain(kernel), bias: bias(layer.bias.as_ref(), outputs) }
}

fn bias(bias: Option<&Param<Tensor<1>>>, outputs: usize) -> net::Tensor {
    bias.map_or_else(|| net::Tensor::from_fn(&[outputs], |_| 0.0), |bias| plain(bias.val()))
}

/// A normalisation's weights and statistics, the last step's among them.
pub(super) fn norm_weights(layer: &BatchNorm) -> net::BatchNorm {
    net::BatchNorm {
        gamma: plain(layer.gamma.val()),
        beta: plain(layer.beta.val()),
        // `value()` does not know the last step's statistics yet.
        mean: plain(layer.running_mean.value_sync()),
        variance: plain(layer.running_var.value_sync()),
        epsilon: layer.epsilon as f32,
    }
}

/// A convolution's weights with its batch normalisation's.
pub(super) fn block_weights(block: &ConvolutionBlock) -> net::ConvolutionBlockWeights {
    net::ConvolutionBlockWeights {
        convolution: convolution_weights(&block.convolution),
        norm: Some(norm_weights(&block.norm)),
    }
}

/// Exactly `N` of them, or an error that names them.
pub(super) fn exactly<T, const N: usize>(items: Vec<T>, what: &str) -> Result<[T; N], ShapeError> {
    let count = items.len();
    items.try_into().map_err(|_| ShapeError(format!("{count} {what} where the network has {N}")))
}
