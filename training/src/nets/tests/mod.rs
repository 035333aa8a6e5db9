//! Tests of the networks, and what they share.

mod golden;
pub(super) mod gradients;
mod graphs;
mod records;

use std::path::{Path, PathBuf};

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{Device, Tensor, TensorData};
use facelens_core::model::{Net, Task};

use super::fsa_net::{FsaNetAggregation, FsaNetScoring};
use super::{FsaNetConfig, Network, NetworkConfig, SsrNetConfig, SsrNetMdConfig, StreamChannels};

/// The folder with reference weights and golden vectors, or `None` with a word that the test is skipped.
fn shared() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let folder = std::env::var_os("FACELENS_SHARED").map_or_else(beside, PathBuf::from);
    if !folder.is_dir() {
        eprintln!("skipped: {} is not there", folder.display());
        return None;
    }
    Some(folder)
}

/// Makes the same numbers every time, whatever other tests draw from the device's generator.
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    /// Between -1 and 1.
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }

    pub(super) fn tensor<const D: usize>(&mut self, shape: [usize; D], device: &Device) -> Tensor<D> {
        let numbers: Vec<f32> = (0..shape.iter().product()).map(|_| self.next()).collect();
        Tensor::from_data(TensorData::new(numbers, shape), device)
    }
}

/// Gives every weight and statistic a new number: kernels keep the size of what goes in, everything else moves a
/// little.
impl ModuleMapper for Numbers {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let shape = param.dims();
        let old = param.val();
        let noise = self.tensor(shape, &old.device());
        let fan_in: usize = match D {
            1 => return param.map(|_| (old + noise * 0.2).detach()).set_require_grad(true),
            4 => shape[1..].iter().product(),
            _ => shape[D - 2],
        };
        param.map(|_| (noise * (3.0 / fan_in as f32).sqrt()).detach()).set_require_grad(true)
    }
}

/// A network whose every number is made up.
fn made_up(config: &NetworkConfig, device: &Device) -> Network {
    config.init(device).map(&mut Numbers(3))
}

/// Faces with values between -1 and 1, smooth enough that pooling leaves something of them.
fn faces(count: usize, device: &Device) -> Tensor<4> {
    let pixels = (0..count * 3 * 64 * 64).map(|i| {
        let (face, channel, row, column) = (i / 12288, i / 4096 % 3, i / 64 % 64, i % 64);
        let (x, y) = (column as f32 / 64.0, row as f32 / 64.0);
        let phase = 1.3 * face as f32 + 0.4 * channel as f32;
        0.6 * (9.0 * x + phase).sin() * (7.0 * y - phase).cos() + 0.3 * (31.0 * x * y + phase).sin()
    });
    Tensor::from_data(TensorData::new(pixels.collect(), [count, 3, 64, 64]), device)
}

pub(super) fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f32> {
    tensor.into_data().try_to_vec().unwrap()
}

/// One of each kind, other widths and several outputs among them.
fn every_network() -> Vec<NetworkConfig> {
    let (relu_channels, tanh_channels) = (StreamChannels([12, 20, 24, 40]), 12.into());
    let growing = SsrNetConfig {
        tasks: Task::ALL.to_vec(),
        relu_channels,
        tanh_channels,
        fusion_channels: 7,
        mix: 9,
        feature: 11,
        residuals: 3,
        age_scale: true,
    };
    let fsa = |scoring, aggregation, channels| NetworkConfig::FsaNet(FsaNetConfig { scoring, aggregation, channels });
    vec![
        NetworkConfig::SsrNet(SsrNetConfig::published(vec![Task::Age])),
        NetworkConfig::SsrNet(growing),
        // A convolution of one input channel is no depthwise one.
        NetworkConfig::SsrNet(SsrNetConfig {
            relu_channels: StreamChannels([1, 6, 6, 6]),
            ..SsrNetConfig::published(vec![Task::Age])
        }),
        fsa(FsaNetScoring::Convolution, FsaNetAggregation::Capsules, [16, 32, 64, 128]),
        fsa(FsaNetScoring::Variance, FsaNetAggregation::Capsules, [8, 12, 20, 40]),
        fsa(FsaNetScoring::None, FsaNetAggregation::Capsules, [16, 16, 24, 32]),
        fsa(FsaNetScoring::Convolution, FsaNetAggregation::Metric, [8, 16, 24, 32]),
        NetworkConfig::SsrNetMd(SsrNetMdConfig { channels: [8, 12, 20, 24] }),
    ]
}

/// Runs an exported graph on each face.
fn run_graph(onnx: &[u8], faces: &[f32]) -> Vec<f32> {
    let net = Net::with_input_shape(onnx, &[1, 3, 64, 64], Path::new("exported")).unwrap();
    faces.chunks(3 * 64 * 64).flat_map(|face| net.run(face).unwrap()).collect()
}

pub(super) fn assert_close(got: &[f32], expected: &[f32], tolerance: f32, what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (got, expected) in got.iter().zip(expected) {
        assert!((got - expected).abs() <= tolerance, "{what}: {got} instead of {expected}");
    }
}
