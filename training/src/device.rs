//! What a network is trained on.

use burn::tensor::Device;
use clap::ValueEnum;

/// The devices of `--device`. Those that this build has no feature for are refused with the feature's name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DeviceKind {
    /// burn's own kernels on the processor; nothing to install.
    #[default]
    Cpu,
    /// PyTorch's kernels on the processor (feature `libtorch`).
    Libtorch,
    /// The first NVIDIA GPU (feature `cuda`).
    Cuda,
    /// The first GPU by Vulkan, Metal or DirectX (feature `wgpu`).
    Wgpu,
}

/// This build has no support for the device. The text says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this build cannot train on {device}: build it with `--features {device}`")]
pub struct NoDevice {
    /// The device's name, which is its feature's too.
    device: &'static str,
}

impl DeviceKind {
    /// Opens the device, without automatic differentiation: call [`Device::autodiff`] on it to train.
    ///
    /// # Errors
    /// Where this build has not the device's feature.
    pub fn open(self) -> Result<Device, NoDevice> {
        match self {
            Self::Cpu => Ok(Device::flex()),
            #[cfg(feature = "libtorch")]
            #[expect(deprecated, reason = "the fastest on a processor while burn still has it")]
            Self::Libtorch => Ok(Device::libtorch()),
            #[cfg(feature = "cuda")]
            Self::Cuda => Ok(Device::cuda(0)),
            #[cfg(feature = "wgpu")]
            Self::Wgpu => Ok(Device::wgpu(burn::tensor::DeviceKind::DefaultDevice)),
            #[cfg(not(feature = "libtorch"))]
            Self::Libtorch => Err(NoDevice { device: "libtorch" }),
            #[cfg(not(feature = "cuda"))]
            Self::Cuda => Err(NoDevice { device: "cuda" }),
            #[cfg(not(feature = "wgpu"))]
            Self::Wgpu => Err(NoDevice { device: "wgpu" }),
        }
    }
}
