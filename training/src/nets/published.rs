//! Published weight files, and models of our own, as the start of a training.

use std::path::Path;

use burn::module::Param;
use burn::nn::conv::Conv2d;
use burn::tensor::{Device, Tensor};
use facelens_core::model::{ModelError, ModelErrorKind};
use facelens_import::formats::{Layers, read_layers};
use facelens_import::net::ssr_net as stored;
use facelens_import::{Library, Sandbox};

use super::{FsaNet, Network, NetworkConfig, SsrNet, SsrNetConfig, WeightsError};
use crate::export::CardTexts;

/// Half of a byte's range: our networks take `(byte - 127.5) / 127.5`, the published ones bytes.
const HALF_RANGE: f32 = 127.5;

/// A network that was trained before, as the start of a training.
#[derive(Clone, Debug)]
pub struct Pretrained {
    /// The network, for our input.
    pub net: Network,
    /// Which network it is, and the margin of its crop; of a model that facelens-training exported.
    pub model: Option<(NetworkConfig, f32)>,
    /// Whether its batch normalisations are folded: [`Network::settle`] them before a training.
    pub folded: bool,
}

impl Pretrained {
    /// Reads a published weight file (the authors' Keras weights, TensorFlow.js), or the card of a model that
    /// facelens-training exported, with its graph beside it.
    ///
    /// A published network's first layers are changed so that it takes what our networks take, RGB as
    /// `(byte - 127.5) / 127.5`, where the file's takes BGR bytes. For SSR-Net this changes nothing but rounding. FSA-Net
    /// pads its maps with zeros, which were black and are grey now: what it sees beyond the crop's edge changes, and its
    /// angles a little.
    ///
    /// # Errors
    /// Names the file where it cannot be read, or holds a variant that cannot be trained ([`WeightsError`]).
    pub fn read(file: &Path, device: &Device) -> Result<Self, ModelError> {
        let refuse = |cause: WeightsError| ModelError::new(ModelErrorKind::WrongShape, file, cause.to_string(), "");
        if is_card(file) {
            return Self::read_model(file, device);
        }
        Ok(match read_layers(file, None)? {
            Layers::SsrNet { net, .. } => {
                let folded = net.relu_stream[0].norm.is_none();
                let net = SsrNet::from_weights(&net, device).map_err(refuse)?;
                Self { net: Network::SsrNet(net.on_our_input()), model: None, folded }
            }
            Layers::FsaNet { net, .. } => {
                let net = FsaNet::from_weights(&net, device).map_err(|cause| refuse(cause.into()))?;
                Self { net: Network::FsaNet(net.on_our_input()), model: None, folded: false }
            }
        })
    }

    /// Reads a model of ours by its card.
    fn read_model(file: &Path, device: &Device) -> Result<Self, ModelError> {
        let advice = "give the card of an SSR-Net that facelens-training exported";
        let refuse = |cause: String| ModelError::new(ModelErrorKind::WrongShape, file, cause, advice);
        let opened = Library::open(&Sandbox::in_process()).open_file(file, None)?;
        let [(_, onnx)] = opened.graphs.as_slice() else {
            return Err(refuse("it has several graphs".to_owned()));
        };
        let net = stored::SsrNetWeights::from_onnx(onnx).map_err(|error| refuse(error.to_string()))?;
        let (tasks, age_scale) = (opened.card.output.tasks().to_vec(), opened.card.output.has_age_scale());
        let config = NetworkConfig::SsrNet(SsrNetConfig::of(&net, tasks, age_scale));
        let ours = CardTexts::of(&opened.card).card(&config, opened.card.crop.margin, String::new());
        let ours = ours.map_err(|error| refuse(error.to_string()))?;
        if (&ours.input, &ours.crop, &ours.output) != (&opened.card.input, &opened.card.crop, &opened.card.output) {
            return Err(refuse(
                "its input, crop or output differ from those of the networks that are trained here".to_owned(),
            ));
        }
        if net.regressions.len() != opened.card.output.len() {
            return Err(refuse("its graph does not give what its card says".to_owned()));
        }
        let net = SsrNet::from_weights(&net, device).map_err(|cause| refuse(cause.to_string()))?;
        Ok(Self { net: Network::SsrNet(net), model: Some((config, opened.card.crop.margin)), folded: true })
    }
}

/// Whether a file is a model's card, by its name.
pub(crate) fn is_card(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
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
