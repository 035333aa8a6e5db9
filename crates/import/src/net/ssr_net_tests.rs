//! SSR-Nets of other widths and with several values.

use std::path::Path;

use facelens_core::model::Net;

use super::ssr_net::{
    FusionBlockWeights, RegressionWeights, ResidualBlockWeights, STAGE_MAPS, STAGE_SIDES, SsrNetWeights,
};
use super::{Affine, BatchNorm, Convention, ConvolutionBlockWeights, INPUT_SIDE, Tensor};

/// A network whose convolutions all have these channels, with weights that keep the size of what goes in.
fn net(convention: Convention, [relu, tanh, fusion]: [usize; 3], ranges: &[f32]) -> SsrNetWeights {
    growing(convention, [[relu; 4], [tanh; 4]], fusion, ranges)
}

/// A network with channels of its own for each convolution.
fn growing(convention: Convention, [relu, tanh]: [[usize; 4]; 2], fusion: usize, ranges: &[f32]) -> SsrNetWeights {
    let mut seed = 5_u64;
    let mut number = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    let mut affine = move |side: usize, inputs: usize, outputs: usize| {
        let shape = match (side, convention == Convention::KERAS) {
            (0, true) => vec![inputs, outputs],
            (0, false) => vec![outputs, inputs],
            (side, true) => vec![side, side, inputs, outputs],
            (side, false) => vec![outputs, inputs, side, side],
        };
        let scale = (3.0 / (inputs * side.max(1) * side.max(1)) as f32).sqrt();
        let kernel = Tensor::from_fn(&shape, |_| scale * number());
        Affine { kernel, bias: Tensor::from_fn(&[outputs], |_| 0.3 + 0.2 * number()) }
    };
    let mut stream = |channels: [usize; 4]| -> [ConvolutionBlockWeights; 4] {
        std::array::from_fn(|i| ConvolutionBlockWeights {
            convolution: affine(3, if i == 0 { 3 } else { channels[i - 1] }, channels[i]),
            norm: (i > 0).then(|| BatchNorm {
                gamma: Tensor::from_fn(&[channels[i]], |i| 1.0 + 0.01 * i as f32),
                beta: Tensor::from_fn(&[channels[i]], |i| 0.02 * i as f32),
                mean: Tensor::from_fn(&[channels[i]], |i| 0.1 - 0.01 * i as f32),
                variance: Tensor::from_fn(&[channels[i]], |i| 1.0 + 0.05 * i as f32),
                epsilon: 1e-3,
            }),
        })
    };
    let (relu_stream, tanh_stream) = (stream(relu), stream(tanh));
    let regression = |&range: &f32| RegressionWeights {
        stages: [0, 1, 2].map(|stage| {
            let (flat, map) = (STAGE_SIDES[stage] * STAGE_SIDES[stage] * fusion, STAGE_MAPS[stage]);
            let mix = fusion.max(3);
            FusionBlockWeights {
                relu_head: affine(1, relu[map], fusion),
                tanh_head: affine(1, tanh[map], fusion),
                // Other than in the published nets where the fusion is.
                relu_mix: affine(0, flat, mix),
                tanh_mix: affine(0, flat, mix),
                feature: affine(0, mix, 2 * mix),
                delta: affine(0, flat, 1),
                p: affine(0, 2 * mix, 3),
                eta: affine(0, 2 * mix, 3),
            }
        }),
        range: range.abs(),
        // A range below 0 stands for one to both sides of 0.
        first_bin: if range < 0.0 { -1.0 } else { 0.0 },
    };
    let regressions = ranges.iter().map(regression).collect();
    SsrNetWeights {
        convention,
        input_scaling: None,
        relu_stream,
        tanh_stream,
        relu_residuals: Vec::new(),
        tanh_residuals: Vec::new(),
        regressions,
        relu_in_stage_1: true,
    }
}

/// The network with one residual block in the relu stream and two in the tanh stream.
fn deep(mut net: SsrNetWeights) -> SsrNetWeights {
    let hwio = net.convention == Convention::KERAS;
    let block = |channels: usize, seed: usize| {
        let layer = |side: usize, inputs: usize| {
            let shape = if hwio { [side, side, inputs, channels] } else { [channels, inputs, side, side] };
            let kernel = Tensor::from_fn(&shape, |i| 0.4 * ((i + seed) as f32 * 1.7).sin());
            let convolution = Affine { kernel, bias: Tensor::from_fn(&[channels], |i| 0.1 * i as f32) };
            let all = |value: f32| Tensor::from_fn(&[channels], |i| value + 0.1 * i as f32);
            let norm = BatchNorm { gamma: all(0.6), beta: all(0.1), mean: all(0.0), variance: all(1.0), epsilon: 1e-3 };
            ConvolutionBlockWeights { convolution, norm: Some(norm) }
        };
        ResidualBlockWeights { depthwise: layer(3, 1), pointwise: layer(1, channels) }
    };
    let width = |stream: &[ConvolutionBlockWeights; 4]| stream[2].convolution.bias.data().len();
    net.relu_residuals = vec![block(width(&net.relu_stream), 1)];
    net.tanh_residuals = vec![block(width(&net.tanh_stream), 2), block(width(&net.tanh_stream), 3)];
    net
}

/// A face of bytes from -1 to 1, channels last.
fn face() -> Tensor {
    Tensor::from_fn(&[1, INPUT_SIDE, INPUT_SIDE, 3], |i| (0.37 * i as f32).sin() * (0.0011 * i as f32).cos())
}

fn run(net: &SsrNetWeights) -> Vec<f32> {
    let onnx = net.to_onnx().unwrap();
    let shape = [1, 3, INPUT_SIDE, INPUT_SIDE];
    let runtime = Net::with_input_shape(&onnx, &shape, Path::new("made")).unwrap();
    assert_eq!(runtime.output_shapes(), [vec![1, net.regressions.len()]]);
    runtime.run(face().permuted(&[0, 3, 1, 2]).unwrap().data()).unwrap()
}

#[test]
fn any_width_and_several_values_give_what_the_plain_arithmetic_gives() {
    for convention in [Convention::KERAS, Convention::MXNET] {
        let nets = [
            net(convention, [5, 4, 3], &[101.0]),
            net(convention, [3, 3, 2], &[7.0; 3]),
            growing(convention, [[4, 6, 9, 11], [3, 8, 5, 7]], 4, &[101.0, 1.0]),
            net(convention, [4, 5, 3], &[101.0, 1.0, -99.0, -99.0, -99.0]),
            deep(net(convention, [4, 5, 3], &[101.0, -99.0])),
        ];
        for net in nets {
            let ranges: Vec<f32> = net.regressions.iter().map(|regression| regression.range).collect();
            let (got, expected) = (run(&net), net.reference(&face()).unwrap());
            assert_eq!(got.len(), ranges.len());
            for ((got, expected), range) in got.iter().zip(&expected).zip(&ranges) {
                assert!((got - expected).abs() < 1e-5 * range, "{got} instead of {expected}");
                assert!(*expected != 0.0, "a value that is 0 shows nothing");
            }
        }
    }
}

#[test]
fn residual_blocks_count_and_come_back_from_the_graph() {
    let plain = net(Convention::MXNET, [4, 5, 3], &[101.0, -99.0]);
    let deep = deep(plain.clone());
    for (plain, deep) in run(&plain).iter().zip(run(&deep)) {
        assert!((plain - deep).abs() > 0.01, "{plain} with and {deep} without them");
    }
    let read = SsrNetWeights::from_onnx(&deep.to_onnx().unwrap()).unwrap();
    assert_eq!((read.relu_residuals.len(), read.tanh_residuals.len()), (1, 2));
    assert_eq!(SsrNetWeights::from_onnx(&read.to_onnx().unwrap()).unwrap(), read);
    let mut wrong = deep;
    wrong.tanh_residuals[1] = wrong.relu_residuals[0].clone();
    let refused = wrong.validate().unwrap_err().0;
    assert!(refused.starts_with("residual block 2 of the tanh stream: "), "{refused}");
}

#[test]
fn each_value_has_its_own_stages_on_the_same_streams() {
    let both = net(Convention::KERAS, [6, 5, 4], &[101.0, 1.0]);
    let [years, score]: [f32; 2] = run(&both).try_into().unwrap();
    for (index, expected) in [years, score].into_iter().enumerate() {
        let alone = SsrNetWeights { regressions: vec![both.regressions[index].clone()], ..both.clone() };
        assert!((run(&alone)[0] - expected).abs() < 1e-4, "value {index}");
    }
    assert!((years / 101.0 - score).abs() > 1e-3);
}

#[test]
fn what_does_not_fit_is_named() {
    let whole = net(Convention::KERAS, [6, 5, 4], &[101.0, 1.0]);
    let refusal = |change: &dyn Fn(&mut SsrNetWeights)| {
        let mut net = whole.clone();
        change(&mut net);
        assert_eq!(net.to_onnx().unwrap_err(), net.validate().unwrap_err());
        net.validate().unwrap_err().0
    };
    assert!(refusal(&|net| net.regressions.clear()).contains("no output"));
    // A convolution takes what the one before gives; the width of a block is its relu head's.
    let swap = |net: &mut SsrNetWeights| net.relu_stream[2] = net.tanh_stream[2].clone();
    assert!(refusal(&swap).starts_with("convolution 3 of the relu stream: "), "{}", refusal(&swap));
    let head =
        |net: &mut SsrNetWeights| net.regressions[1].stages[2].tanh_head = net.regressions[1].stages[2].p.clone();
    assert!(refusal(&head).starts_with("stage 3 of output 2: tanh head: "), "{}", refusal(&head));
    let mix = |net: &mut SsrNetWeights| net.regressions[0].stages[0].delta = net.regressions[0].stages[1].delta.clone();
    assert!(refusal(&mix).starts_with("stage 1: delta: "), "{}", refusal(&mix));
    let empty = |net: &mut SsrNetWeights| {
        for (index, block) in net.tanh_stream.iter_mut().enumerate() {
            let inputs = if index == 0 { 3 } else { 0 };
            let kernel = Tensor::from_fn(&[3, 3, inputs, 0], |_| 0.0);
            *block = ConvolutionBlockWeights {
                convolution: Affine { kernel, bias: Tensor::from_fn(&[0], |_| 0.0) },
                norm: None,
            };
        }
    };
    assert!(refusal(&empty).starts_with("convolution 1 of the tanh stream: "), "{}", refusal(&empty));
}
