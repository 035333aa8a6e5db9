//! What unit tests share.

use facelens_import::net::fsa_net::{
    AggregationWeights, BLOCK_CHANNELS, FEATURES, FUSION_INPUTS, FsaNetWeights, Fusion, PLACES, Scoring,
    SeparableBlockWeights, StageHeadWeights, StructureMappingWeights,
};
use facelens_import::net::ssr_net::{
    FUSION_CHANNELS, FusionBlockWeights, RELU_CHANNELS, RegressionWeights, STAGE_SIDES, SsrNetWeights, TANH_CHANNELS,
};
use facelens_import::net::{Affine, BatchNorm, Convention, ConvolutionBlockWeights, Tensor};

use crate::data::SIDE;

/// Numbers that look random and are the same everywhere.
fn numbers(seed: u32, scale: f32) -> impl FnMut(usize) -> f32 {
    let mut state = seed;
    move |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        scale * ((state >> 8) as f32 / (1 << 23) as f32 - 1.0)
    }
}

/// Weights in the layout of Keras, and a bias of which all numbers are `bias`.
fn affine(shape: &[usize], seed: u32, gain: f32, bias: f32) -> Affine {
    let (inputs, outputs) = (shape[..shape.len() - 1].iter().product::<usize>(), shape[shape.len() - 1]);
    Affine {
        kernel: Tensor::from_fn(shape, numbers(seed + outputs as u32, gain / (inputs as f32).sqrt())),
        bias: Tensor::from_fn(&[outputs], |_| bias),
    }
}

/// A normalisation that takes almost nothing away.
fn norm(channels: usize) -> BatchNorm {
    let all = |value: f32| Tensor::from_fn(&[channels], |_| value);
    BatchNorm { gamma: all(1.0), beta: all(0.1), mean: all(0.0), variance: all(1.0), epsilon: 1e-3 }
}

/// An SSR-Net of made-up weights that let a picture through to all values, one of each range. A range below 0 stands for
/// one to both sides of 0.
pub(crate) fn ssr_net(seed: u32, ranges: &[f32]) -> SsrNetWeights {
    let stream = |channels: usize| {
        std::array::from_fn(|index| ConvolutionBlockWeights {
            convolution: affine(&[3, 3, if index == 0 { 3 } else { channels }, channels], seed + 3, 2.0, 0.1),
            norm: Some(norm(channels)),
        })
    };
    let regression = |range: &f32| RegressionWeights {
        range: range.abs(),
        first_bin: if *range < 0.0 { -1.0 } else { 0.0 },
        stages: std::array::from_fn(|stage| {
            let flat = STAGE_SIDES[stage] * STAGE_SIDES[stage] * FUSION_CHANNELS;
            let seed = seed + 10 * stage as u32 + range.abs() as u32;
            FusionBlockWeights {
                relu_head: affine(&[1, 1, RELU_CHANNELS, FUSION_CHANNELS], seed, 2.0, 0.2),
                tanh_head: affine(&[1, 1, TANH_CHANNELS, FUSION_CHANNELS], seed + 1, 2.0, 0.2),
                relu_mix: affine(&[flat, 3], seed + 2, 0.5, 0.5),
                tanh_mix: affine(&[flat, 3], seed + 3, 0.5, 0.5),
                feature: affine(&[3, 6], seed + 4, 1.0, 0.3),
                delta: affine(&[flat, 1], seed + 5, 0.5, 0.0),
                p: affine(&[6, 3], seed + 6, 0.5, 0.4),
                eta: affine(&[6, 3], seed + 7, 1.0, 0.0),
            }
        }),
    };
    SsrNetWeights {
        convention: Convention::KERAS,
        input_scaling: None,
        relu_stream: stream(RELU_CHANNELS),
        tanh_stream: stream(TANH_CHANNELS),
        relu_in_stage_1: true,
        relu_residuals: Vec::new(),
        tanh_residuals: Vec::new(),
        regressions: ranges.iter().map(regression).collect(),
    }
}

/// An FSA-Net of made-up weights that let a picture through to all angles, with scoring by a 1x1 convolution or without.
pub(crate) fn fsa_net(seed: u32, scoring: bool) -> FsaNetWeights {
    let affine = |shape: &[usize], gain: f32, bias: f32| affine(shape, seed, gain, bias);
    let block = |index: usize| {
        let [inputs, outputs] = BLOCK_CHANNELS[index];
        SeparableBlockWeights {
            depthwise: Tensor::from_fn(&[3, 3, inputs, 1], numbers(seed + 7 + index as u32, 0.6)),
            pointwise: affine(&[1, 1, inputs, outputs], 2.0, 0.1),
            norm: norm(outputs),
        }
    };
    let fusion = |stage: usize| Fusion {
        relu_head: affine(&[1, 1, FUSION_INPUTS[stage], FEATURES], 2.0, 0.1),
        tanh_head: affine(&[1, 1, FUSION_INPUTS[stage], FEATURES], 2.0, 0.1),
    };
    // As in the published network: m = 5 and n' = 7.
    let mapping = || StructureMappingWeights {
        scoring: Scoring::Convolution(affine(&[1, 1, FEATURES, 1], 4.0, 0.0)),
        maps: affine(&[PLACES, 5 * 3 * PLACES], 4.0, 0.0),
        combination: affine(&[3 * PLACES, 7 * 5], 4.0, 0.0),
    };
    let features = if scoring { 3 * 7 } else { 3 * PLACES };
    let head = |_| StageHeadWeights {
        delta: affine(&[4, 3], 1.0, 0.0),
        eta: affine(&[4, 3], 1.0, 0.0),
        p: affine(&[8, 9], 2.0, 0.3),
    };
    FsaNetWeights {
        relu_stream: std::array::from_fn(block),
        tanh_stream: std::array::from_fn(block),
        fusions: std::array::from_fn(fusion),
        mapping: scoring.then(mapping),
        aggregation: AggregationWeights::Capsules(Tensor::from_fn(&[3, features, 16, 64], numbers(seed + 99, 0.1))),
        heads: std::array::from_fn(head),
    }
}

/// Coloured blots, another picture for each number.
pub(crate) fn picture(number: usize) -> Vec<u8> {
    let blot = |x: f32, y: f32, phase: f32| (128.0 + 120.0 * (x * 3.1 + phase).sin() * (y * 2.3 - phase).cos()) as u8;
    (0..SIDE * SIDE)
        .flat_map(|place| {
            let (x, y) = ((place % SIDE) as f32 / 20.0, (place / SIDE) as f32 / 20.0);
            [0.0, 1.0, 2.0].map(|channel| blot(x, y, channel + number as f32 * 0.7))
        })
        .collect()
}
