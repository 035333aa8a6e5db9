//! Published weight files as the start of a training.

use std::path::Path;

use burn::module::Param;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};
use facelens::model::import::{Layers, read_layers};
use facelens::model::{ModelError, ModelErrorKind};

use super::{FsaNet, Network, SsrNet, WeightsError};

/// Half of a byte's range: our networks take `(byte - 127.5) / 127.5`, the published ones bytes.
const HALF_RANGE: f32 = 127.5;

impl Network {
    /// A network with the weights of a published file (the authors' Keras weights), to be trained further. Its first
    /// layers are changed so that it takes what our networks take, RGB as `(byte - 127.5) / 127.5`, where the file's takes
    /// BGR bytes. For SSR-Net this changes nothing but rounding. FSA-Net pads its maps with zeros, which were black and
    /// are grey now: what it sees beyond the crop's edge changes, and its angles a little.
    ///
    /// # Errors
    /// Names the file where it cannot be read, or holds a variant that cannot be trained ([`WeightsError`]).
    pub fn from_file(file: &Path, device: &Device) -> Result<Self, ModelError> {
        let refuse = |cause: WeightsError| ModelError::new(ModelErrorKind::WrongShape, file, cause.to_string(), "");
        Ok(match read_layers(file, None)? {
            Layers::SsrNet { net, .. } => {
                Self::SsrNet(SsrNet::from_weights(&net, device).map_err(refuse)?.on_our_input())
            }
            Layers::FsaNet { net, .. } => {
                let net = FsaNet::from_weights(&net, device).map_err(|cause| refuse(cause.into()))?;
                Self::FsaNet(net.on_our_input())
            }
        })
    }
}

/// Changes a convolution (`[out, in, row, column]`) that takes BGR bytes into one that takes our input.
pub(super) fn convolution_on_our_input(layer: &mut Conv2d) {
    let kernel = layer.weight.val();
    let added: Tensor<1> = kernel.clone().sum_dims(&[1, 2, 3]).flatten(0, 3) * HALF_RANGE;
    let bias = layer.bias.as_ref().map_or_else(|| added.zeros_like(), Param::val);
    layer.bias = Some(parameter(bias + added));
    layer.weight = parameter(kernel.flip([1]) * HALF_RANGE);
}

/// Changes a depthwise convolution (`[3, 1, row, column]`) that takes BGR bytes, and the pointwise one behind it, into ones
/// that take our input.
pub(super) fn separable_on_our_input(depthwise: &mut Param<Tensor<4>>, pointwise: &mut Conv2d) {
    let (spread, mixed) = (depthwise.val(), pointwise.weight.val());
    // What a face of the byte 127.5 alone gives behind the pointwise convolution.
    let added: Tensor<1> = (mixed.clone() * spread.clone().sum_dims(&[2, 3]).swap_dims(0, 1)).sum_dim(1).flatten(0, 3);
    let added = added * HALF_RANGE;
    let bias = pointwise.bias.as_ref().map_or_else(|| added.zeros_like(), Param::val);
    pointwise.bias = Some(parameter(bias + added));
    pointwise.weight = parameter(mixed.flip([1]));
    *depthwise = parameter(spread.flip([0]) * HALF_RANGE);
}

/// A parameter that remembers nothing of how it was worked out.
fn parameter<const D: usize>(value: Tensor<D>) -> Param<Tensor<D>> {
    Param::from_tensor(value.detach())
}
