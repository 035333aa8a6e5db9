//! The networks of both papers in burn, made so that the app's weight structures ([`facelens::net`]) can be read into
//! them and written out of them.
//!
//! Every network takes `[batch, 3, 64, 64]`, float32, in the channel order and scaling of the model's card.

mod layers;
mod soft_stagewise;
pub mod ssr_net;

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

pub use ssr_net::{SsrNet, SsrNetConfig};

/// Which network, and how wide.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum NetworkConfig {
    /// SSR-Net: age, gender, or both with one trunk.
    SsrNet(SsrNetConfig),
}

/// Any network that can be trained.
#[derive(Module, Debug)]
pub enum Network {
    /// SSR-Net.
    SsrNet(SsrNet),
}

impl NetworkConfig {
    /// A new network with random weights.
    pub fn init(&self, device: &Device) -> Network {
        match self {
            Self::SsrNet(config) => Network::SsrNet(config.init(device)),
        }
    }
}

impl Network {
    /// `[batch, 3, 64, 64] -> [batch, values]`.
    pub fn forward(&self, faces: Tensor<4>) -> Tensor<2> {
        match self {
            Self::SsrNet(net) => net.forward(faces),
        }
    }
}
