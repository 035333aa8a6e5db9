//! SSR-Net-MD: the graph against plain arithmetic.

use std::path::Path;

use facelens_core::model::Net;

use super::fsa_net::{BLOCK_CHANNELS, Fusion, SeparableBlockWeights};
use super::ssr_net_md::{HIDDEN, MdStageWeights, STAGE_SIDES, SsrNetMdWeights};
use super::{Affine, BatchNorm, INPUT_SIDE, Tensor};

/// Makes the same numbers every time, between -1 and 1.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }

    /// A layer whose outputs are about as large as its inputs.
    fn affine(&mut self, shape: &[usize]) -> Affine {
        let (inputs, outputs) = shape.split_at(shape.len() - 1);
        let scale = (3.0 / inputs.iter().product::<usize>() as f32).sqrt();
        let kernel = Tensor::from_fn(shape, |_| scale * self.next());
        Affine { kernel, bias: Tensor::from_fn(outputs, |_| 0.1 + 0.2 * self.next()) }
    }

    fn norm(&mut self, channels: usize) -> BatchNorm {
        let mut around = |middle: f32| Tensor::from_fn(&[channels], |_| middle + 0.3 * self.next());
        BatchNorm { gamma: around(1.0), beta: around(0.0), mean: around(0.0), variance: around(1.0), epsilon: 1e-3 }
    }
}

fn net() -> SsrNetMdWeights {
    let mut numbers = Numbers(13);
    let mut stream = || {
        BLOCK_CHANNELS.map(|[inputs, outputs]| SeparableBlockWeights {
            depthwise: numbers.affine(&[3, 3, inputs, 1]).kernel.map(|x| 1.5 * (inputs as f32).sqrt() * x),
            pointwise: numbers.affine(&[1, 1, inputs, outputs]),
            norm: numbers.norm(outputs),
        })
    };
    let (relu_stream, tanh_stream) = (stream(), stream());
    let inputs = [128, 64, 32];
    let stages = std::array::from_fn(|index| {
        let flat = 64 * STAGE_SIDES[index] * STAGE_SIDES[index];
        let mut head = || numbers.affine(&[1, 1, inputs[index], 64]);
        let heads = Fusion { relu_head: head(), tanh_head: head() };
        MdStageWeights {
            heads,
            delta_feature: numbers.affine(&[flat, HIDDEN]),
            delta: numbers.affine(&[HIDDEN, 3]),
            eta_feature: numbers.affine(&[flat, HIDDEN]),
            eta: numbers.affine(&[HIDDEN, 3]),
            p: numbers.affine(&[flat, 9]),
        }
    });
    SsrNetMdWeights { relu_stream, tanh_stream, stages }
}

#[test]
fn the_graph_gives_what_plain_arithmetic_gives() {
    let net = net();
    let face =
        Tensor::from_fn(&[1, INPUT_SIDE, INPUT_SIDE, 3], |i| (0.37 * i as f32).sin() * (0.0011 * i as f32).cos());
    let expected = net.reference(&face).unwrap();
    let shape = [1, 3, INPUT_SIDE, INPUT_SIDE];
    let runtime = Net::with_input_shape(&net.to_onnx().unwrap(), &shape, Path::new("made")).unwrap();
    let got = runtime.run(face.permuted(&[0, 3, 1, 2]).unwrap().data()).unwrap();
    assert_eq!(got.len(), 3);
    for (got, expected) in got.iter().zip(&expected) {
        assert!((got - expected).abs() < 1e-3 && expected.abs() > 0.1, "{got} instead of {expected}");
    }
}

#[test]
fn a_layer_that_does_not_fit_is_named() {
    let cause = |change: fn(&mut SsrNetMdWeights)| {
        let mut net = net();
        change(&mut net);
        net.to_onnx().unwrap_err().to_string()
    };
    assert!(cause(|net| net.stages[2].p = net.stages[1].p.clone()).contains("p of stage 3"));
    assert!(cause(|net| net.stages[0].heads = net.stages[1].heads.clone()).contains("heads of stage 1"));
    assert!(cause(|net| net.tanh_stream[4] = net.tanh_stream[3].clone()).contains("block 5 of the tanh stream"));
}
