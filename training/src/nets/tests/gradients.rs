//! Automatic differentiation against finite differences, of single blocks and of whole networks.

use burn::module::ModuleVisitor;
use burn::tensor::Gradients;

use super::*;
use crate::nets::soft_stagewise::{StageOutput, soft_stagewise};

/// How far a block is moved to either side, as a share of a random direction with numbers between -1 and 1. Smaller
/// steps drown in float32's rounding, larger ones run over the kinks of relus.
const STEP: f32 = 1e-4;

/// Adds a share of a direction, drawn number by number in the order of the parameters.
struct Move {
    direction: Numbers,
    step: f32,
}

impl ModuleMapper for Move {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let value = param.val();
        let moved = value.clone() + self.direction.tensor(value.dims(), &value.device()) * self.step;
        param.map(|_| moved.detach())
    }
}

/// The derivative of a value along the direction of [`Move`], from its gradients.
struct Along<'a> {
    direction: Numbers,
    gradients: &'a Gradients,
    sum: f32,
    squares: f32,
}

impl ModuleVisitor for Along<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val();
        let direction = self.direction.tensor(value.dims(), &Device::flex());
        // A running mean has none.
        if let Some(gradient) = value.grad(self.gradients) {
            self.squares += (gradient.clone() * gradient.clone()).sum().into_scalar::<f32>();
            self.sum += (gradient * direction).sum().into_scalar::<f32>();
        }
    }
}

/// Checks the gradients of a block, a weighted sum of whose outputs is derived, by the weights and by the inputs.
pub(in crate::nets) fn check<M: Module, const D: usize>(
    module: &M,
    inputs: Vec<Tensor<4>>,
    forward: impl Fn(&M, &[Tensor<4>]) -> Tensor<D>,
    what: &str,
) {
    check_within(0.02, module, inputs, forward, what);
}

/// `tolerance` is a share of the size that a derivative along a random direction has in the mean: along one of them it
/// may be near 0.
pub(in crate::nets) fn check_within<M: Module, const D: usize>(
    tolerance: f32,
    module: &M,
    inputs: Vec<Tensor<4>>,
    forward: impl Fn(&M, &[Tensor<4>]) -> Tensor<D>,
    what: &str,
) {
    // Parameters like the weights, so that they are moved and derived by too.
    let inputs: Vec<_> = inputs.into_iter().map(Param::from_tensor).collect();
    let value = |module: &M, inputs: &[Param<Tensor<4>>]| {
        let inputs: Vec<_> = inputs.iter().map(Param::val).collect();
        let output = forward(module, &inputs);
        (output.clone() * Numbers(77).tensor(output.dims(), &output.device())).sum()
    };
    let gradients = value(module, &inputs).backward();
    for seed in [5, 6, 7] {
        let mut along = Along { direction: Numbers(seed), gradients: &gradients, sum: 0.0, squares: 0.0 };
        module.visit(&mut along);
        inputs.visit(&mut along);
        let moved = |step: f32| {
            let mut step = Move { direction: Numbers(seed), step };
            let (module, inputs) = (module.clone().map(&mut step), inputs.clone().map(&mut step));
            value(&module, &inputs).into_scalar::<f32>()
        };
        let difference = (moved(STEP) - moved(-STEP)) / (2.0 * STEP);
        let tolerance = tolerance * (along.squares / 3.0).sqrt();
        assert!(
            (difference - along.sum).abs() <= tolerance && difference != 0.0,
            "{what}: the gradient says {}, the difference {difference}",
            along.sum
        );
    }
}

#[test]
fn soft_stagewise_regression() {
    let device = Device::flex().autodiff();
    // p, eta and Delta of three stages for two faces and three values, as the three inputs' planes.
    let mut numbers = Numbers(9);
    let inputs = (0..3).map(|_| numbers.tensor([3, 2, 3, 3], &device)).collect();
    let forward = |_: &Vec<Param<Tensor<1>>>, inputs: &[Tensor<4>]| {
        let plane = |kind: usize, stage: usize| inputs[kind].clone().narrow(0, stage, 1).squeeze_dim::<3>(0);
        let stages = (0..3).map(|stage| StageOutput {
            p: plane(0, stage).abs(),
            eta: plane(1, stage),
            delta: plane(2, stage).narrow(2, 0, 1) * 0.5,
        });
        soft_stagewise(stages.collect(), -1.0, 2.0)
    };
    check(&Vec::new(), inputs, forward, "soft stagewise regression");
}

/// Eq. 7 term by term, for one value of known stages.
#[test]
fn soft_stagewise_regression_by_hand() {
    let device = Device::flex();
    let stage = |p: [f32; 3], eta: [f32; 3], delta: f32| StageOutput {
        p: Tensor::from_floats([[p]], &device),
        eta: Tensor::from_floats([[eta]], &device),
        delta: Tensor::from_floats([[[delta]]], &device),
    };
    let stages = vec![
        stage([0.1, 0.5, 0.2], [0.0, 0.1, -0.2], 0.5),
        stage([0.3, 0.0, 0.6], [0.3, 0.0, 0.0], -0.2),
        stage([0.0, 1.0, 0.0], [0.0, -0.5, 0.0], 0.0),
    ];
    // S_1 = 0.55 + 0.36, S_2 = 0.09 + 1.2, S_3 = 0.5; the widths 1/4.5, 1/(4.5 2.4) and 1/(4.5 2.4 3).
    let expected = 101.0 * (0.91 / 4.5 + 1.29 / (4.5 * 2.4) + 0.5 / (4.5 * 2.4 * 3.0));
    assert_close(&numbers(soft_stagewise(stages, 0.0, 101.0)), &[expected], 1e-4, "eq. 7");
}

#[test]
fn whole_networks_in_training() {
    let device = Device::flex().autodiff();
    for config in small_networks() {
        let net = made_up(&config, &device);
        let forward = |net: &Network, inputs: &[Tensor<4>]| net.forward(inputs[0].clone()) / 50.0;
        // Of so many relus and maxima some are near a kink.
        check_within(0.08, &net, vec![faces(3, &device)], forward, &format!("{config:?}"));
    }
}

/// Networks of one kind each, narrow for speed.
fn small_networks() -> Vec<NetworkConfig> {
    let (relu_channels, tanh_channels) = (StreamChannels([4, 4, 5, 6]), 3.into());
    let ssr = SsrNetConfig {
        tasks: vec![Task::Age],
        relu_channels,
        tanh_channels,
        fusion_channels: 3,
        mix: 3,
        feature: 6,
        residuals: 2,
        age_scale: false,
    };
    let fsa =
        |scoring, aggregation| NetworkConfig::FsaNet(FsaNetConfig { scoring, aggregation, channels: [2, 3, 4, 5] });
    vec![
        NetworkConfig::SsrNet(ssr),
        fsa(FsaNetScoring::Convolution, FsaNetAggregation::Capsules),
        fsa(FsaNetScoring::Variance, FsaNetAggregation::Capsules),
        fsa(FsaNetScoring::None, FsaNetAggregation::Capsules),
        fsa(FsaNetScoring::Variance, FsaNetAggregation::Metric),
        NetworkConfig::SsrNetMd(SsrNetMdConfig { channels: [2, 3, 4, 5] }),
    ]
}
