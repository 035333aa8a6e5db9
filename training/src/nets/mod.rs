//! The networks of both papers in burn, made so that the app's weight structures ([`facelens_import::net`]) can be read into
//! them and written out of them.
//!
//! Every network of faces takes `[batch, 3, 64, 64]`, float32, in the channel order and scaling of the model's card.
//!
//! # Saving a network in training
//! [`SsrNet`] and the others normalise batches (burn's `BatchNorm`), and these are three things to know about that:
//! - A record (`into_record`, `save_file`) of a network in training lacks the statistics of its last step. Take the record of
//!   [`Module::valid`], which waits for them; it keeps every parameter's id.
//! - A clone shares its statistics with the original. A copy of its own, such as a running average of the weights,
//!   starts from [`Module::valid`].
//! - In training (on an autodiff device) each forward pass changes the statistics. To measure, use [`Module::valid`].
//!
//! The record of a `ModuleOptimizer` finds its parameters by id. Ids are drawn anew whenever a network is made, so to go
//! on with a training first load the network's own record, which brings the ids back, and then the optimiser's.

mod convert;
pub mod follow_net;
pub mod fsa_net;
pub mod gl_cnn;
mod layers;
mod published;
mod separable;
mod soft_stagewise;
pub mod ssr_net;
pub mod ssr_net_md;
#[cfg(test)]
pub(crate) mod tests;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use facelens_core::model::Task;
use facelens_import::net::ShapeError;
use serde::{Deserialize, Serialize};

pub use follow_net::{FollowNet, FollowNetConfig};
pub use fsa_net::{FsaNet, FsaNetConfig};
pub use gl_cnn::{GlCnn, GlCnnConfig};
pub use published::Pretrained;
pub(crate) use published::is_card;
pub use ssr_net::{SsrNet, SsrNetConfig, StreamChannels};
pub use ssr_net_md::{SsrNetMd, SsrNetMdConfig};

/// The most channels of a network's part.
const LARGEST_WIDTH: usize = 1024;
/// The most residual blocks of a stream.
const MOST_RESIDUALS: usize = 32;

/// Which network, and how wide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum NetworkConfig {
    /// SSR-Net: age, gender, head pose, or several with one trunk.
    SsrNet(SsrNetConfig),
    /// FSA-Net: head pose.
    FsaNet(FsaNetConfig),
    /// SSR-Net-MD: head pose.
    SsrNetMd(SsrNetMdConfig),
}

/// Any network that can be trained.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "a program has one or two, and the weights are on the heap")]
pub enum Network {
    /// SSR-Net.
    SsrNet(SsrNet),
    /// FSA-Net.
    FsaNet(FsaNet),
    /// SSR-Net-MD.
    SsrNetMd(SsrNetMd),
}

/// Stored weights cannot become a network that is trained. The text says why.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// A layer does not fit.
    #[error("{0}")]
    Shape(#[from] ShapeError),
    /// They are the MXNet port's.
    #[error("the MXNet port of SSR-Net differs from the authors' network; give the authors' Keras file (.h5)")]
    Port,
}

impl NetworkConfig {
    /// A new network with random weights. burn draws each when it is first looked at: visit them all for a fixed order.
    pub fn init(&self, device: &Device) -> Network {
        match self {
            Self::SsrNet(config) => Network::SsrNet(config.init(device)),
            Self::FsaNet(config) => Network::FsaNet(config.init(device)),
            Self::SsrNetMd(config) => Network::SsrNetMd(config.init(device)),
        }
    }

    /// Whether there is such a network.
    ///
    /// # Errors
    /// Names the setting that no network has.
    pub fn check(&self) -> Result<(), String> {
        let widths: Vec<(&str, usize)> = match self {
            Self::SsrNet(net) if net.tasks.is_empty() => return Err("the network ssr-net has no task".to_owned()),
            Self::SsrNet(net) if net.age_scale && !net.tasks.contains(&Task::Age) => {
                return Err("network.age_scale is the scale of an age; name the task age, too".to_owned());
            }
            Self::SsrNet(net) if net.residuals > MOST_RESIDUALS => {
                return Err(format!("network.residuals is {}; it must be from 0 to {MOST_RESIDUALS}", net.residuals));
            }
            Self::SsrNet(net) => {
                let (StreamChannels(relu), StreamChannels(tanh)) = (net.relu_channels, net.tanh_channels);
                let single = [("fusion_channels", net.fusion_channels), ("mix", net.mix), ("feature", net.feature)];
                let streams = [relu.map(|width| ("relu_channels", width)), tanh.map(|width| ("tanh_channels", width))];
                streams.into_iter().flatten().chain(single).collect()
            }
            Self::FsaNet(FsaNetConfig { channels, .. }) | Self::SsrNetMd(SsrNetMdConfig { channels }) => {
                channels.map(|width| ("channels", width)).to_vec()
            }
        };
        match widths.into_iter().find(|(_, width)| !(1..=LARGEST_WIDTH).contains(width)) {
            Some((name, width)) => Err(format!("network.{name} is {width}; it must be from 1 to {LARGEST_WIDTH}")),
            None => Ok(()),
        }
    }

    /// Whether the last output is the logarithm of the age's scale ([`SsrNetConfig::age_scale`]).
    pub fn age_scale(&self) -> bool {
        matches!(self, Self::SsrNet(SsrNetConfig { age_scale: true, .. }))
    }

    /// Residual blocks of each stream ([`SsrNetConfig::residuals`]).
    pub(crate) const fn residuals(&self) -> usize {
        match self {
            Self::SsrNet(config) => config.residuals,
            Self::FsaNet(_) | Self::SsrNetMd(_) => 0,
        }
    }

    /// What the network estimates, in the order of its outputs; pose stands for yaw, pitch and roll.
    pub fn tasks(&self) -> &[Task] {
        match self {
            Self::SsrNet(config) => &config.tasks,
            Self::FsaNet(_) | Self::SsrNetMd(_) => &[Task::Pose],
        }
    }
}

impl Network {
    /// `[batch, 3, 64, 64] -> [batch, values]`.
    pub fn forward(&self, faces: Tensor<4>) -> Tensor<2> {
        match self {
            Self::SsrNet(net) => net.forward(faces),
            Self::FsaNet(net) => net.forward(faces),
            Self::SsrNetMd(net) => net.forward(faces),
        }
    }

    /// Makes folded batch normalisations fit for training: each gets the statistics that these faces
    /// (`[batch, 3, 64, 64]`) have there, and changes nothing still. Of use for [`Pretrained::folded`] networks.
    pub fn settle(&mut self, faces: &Tensor<4>) {
        match self {
            Self::SsrNet(net) => net.settle(faces),
            // They are never folded.
            Self::FsaNet(_) | Self::SsrNetMd(_) => {}
        }
    }

    /// Appends the residual blocks that `other` has more, of networks of one kind; they change nothing until they are trained.
    pub(crate) fn deepen(&mut self, other: &Self) {
        if let (Self::SsrNet(net), Self::SsrNet(other)) = (self, other) {
            net.deepen(other);
        }
    }

    /// Leaves those outputs as they are in a training that `kept` says, and what they are made of: [`SsrNet`]'s streams. Else
    /// the first `convolutions` of each stream.
    pub fn keep(&mut self, kept: &[bool], convolutions: usize) {
        match self {
            Self::SsrNet(net) => net.keep(kept, convolutions),
            // They have one task, which a training is for.
            Self::FsaNet(_) | Self::SsrNetMd(_) => {}
        }
    }

    /// The network as the app runs it: an ONNX file, one face, batch normalisation folded.
    ///
    /// # Errors
    /// Where a layer has lost its shape; no network made by this crate has.
    pub fn to_onnx(&self) -> Result<Vec<u8>, ShapeError> {
        match self {
            Self::SsrNet(net) => net.to_weights()?.to_onnx(),
            Self::FsaNet(net) => net.to_weights()?.to_onnx(),
            Self::SsrNetMd(net) => net.to_weights()?.to_onnx(),
        }
    }
}
