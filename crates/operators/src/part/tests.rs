//! The kernels beside their definitions, by the widest vectors of this machine and by the next narrower ones.

use super::activation::Activation;
use super::aligned::Aligned;
use super::conv::{Conv, Fold, Parts};
use super::dense::Dense;
use super::depthwise::{Depthwise, WindowWork, Windows};
use crate::vectors::{Registers, narrower};

fn arches() -> [pulp::Arch; 3] {
    let widest = pulp::Arch::new();
    [widest, narrower(widest), pulp::Arch::Scalar]
}

fn numbers(count: usize, seed: f32) -> Vec<f32> {
    (0..count).map(|at| ((at as f32 + seed) * 1.7).sin()).collect()
}

fn assert_near(got: &[f32], expected: &[f32], what: &str) {
    assert_eq!(got.len(), expected.len(), "{what}");
    for (at, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert!((got - expected).abs() < 2e-4, "{what}, number {at}: {got} instead of {expected}");
    }
}

fn folded(fold: Fold, values: &[f32]) -> f32 {
    match fold {
        Fold::None => values[0],
        Fold::Max(_) => values.iter().copied().fold(f32::NEG_INFINITY, f32::max),
        Fold::Sum(_, factor) => values.iter().sum::<f32>() * factor,
    }
}

/// What comes of the numbers under a window (with their places in the kernel) of a channel.
type UnderWindow<'a> = dyn Fn(&mut dyn Iterator<Item = (usize, f32)>, usize) -> f32 + 'a;

#[test]
fn convolutions_give_the_sums_of_their_windows() {
    let (rows, length, row_step) = (2, 5, 40);
    for channels in [1, 3, 8, 10, 16, 24, 31, 32, 48, 64, 80, 96] {
        for (results, fold) in [
            (1, Fold::None),
            (7, Fold::None),
            (13, Fold::None),
            (24, Fold::None),
            (3, Fold::Max(4)),
            (6, Fold::Sum(4, 0.25)),
            (5, Fold::Max(8)),
            (3, Fold::Max(16)),
            (2, Fold::Sum(64, 1.0 / 64.0)),
        ] {
            let starts: Vec<u32> = (0..results * fold.places()).map(|place| (place * 7 % 61) as u32).collect();
            let (input, weights, bias) =
                (numbers(200, 0.0), numbers(channels * rows * length, 5.0), numbers(channels, 9.0));
            let added = numbers(results * channels, 2.0);
            let adds = fold == Fold::None;
            let weight = |channel: usize, row: usize, number: usize| weights[(channel * rows + row) * length + number];
            let mut expected = Vec::new();
            for (result, places) in starts.chunks(fold.places()).enumerate() {
                for channel in 0..channels {
                    let values: Vec<f32> = places
                        .iter()
                        .map(|&start| {
                            let mut sum = bias[channel];
                            for row in 0..rows {
                                for number in 0..length {
                                    let at = start as usize + row * row_step + number;
                                    sum += weight(channel, row, number) * input[at];
                                }
                            }
                            (if adds { sum + added[result * channels + channel] } else { sum }).max(0.0)
                        })
                        .collect();
                    expected.push(folded(fold, &values).tanh());
                }
            }
            for arch in arches() {
                let (before, after) = (Activation::RELU, Activation::Tanh);
                let parts = Parts {
                    starts: starts.clone(),
                    rows,
                    row_step,
                    length,
                    weight: &weight,
                    bias: bias.clone(),
                    fold,
                    before,
                    after,
                };
                let conv = Conv::new(Registers::of(arch), parts);
                let mut output = vec![f32::NAN; conv.output_len()];
                conv.run(arch, &input, adds.then_some(&added), &mut output);
                if adds {
                    // Nothing is folded, so there is no after.
                    output.iter_mut().for_each(|number| *number = number.tanh());
                }
                assert_near(&output, &expected, &format!("{channels} channels, {results} x {fold:?}, {arch:?}"));
            }
        }
    }
}

#[test]
fn windows_of_single_channels_are_weighed_and_pooled_up_to_the_edges() {
    for channels in [1, 5, 8, 16, 20, 33] {
        for (size, results, kernel, strides, before) in [
            ([6, 6], [6, 6], [3, 3], [1, 1], [1, 1]),
            ([7, 5], [3, 2], [3, 3], [2, 2], [0, 0]),
            ([8, 8], [4, 4], [5, 5], [2, 2], [1, 1]),
            ([1, 9], [1, 9], [3, 3], [1, 1], [1, 1]),
            ([9, 4], [4, 2], [2, 2], [2, 2], [0, 0]),
            ([2, 2], [2, 2], [3, 3], [1, 1], [1, 1]),
        ] {
            let windows = Windows { size, results, kernel, strides, before, channels };
            let taps: usize = kernel.iter().product();
            let (input, weights, bias) =
                (numbers(size[0] * size[1] * channels, 0.0), numbers(taps * channels, 3.0), numbers(channels, 7.0));
            let under = |result: [usize; 2], tap: usize, channel: usize| {
                let at = |axis: usize, tap: usize| {
                    (result[axis] * strides[axis] + tap).checked_sub(before[axis]).filter(|&at| at < size[axis])
                };
                let (row, column) = (at(0, tap / kernel[1])?, at(1, tap % kernel[1])?);
                Some(input[(row * size[1] + column) * channels + channel])
            };
            let expected = |of: &UnderWindow<'_>| {
                let mut all = Vec::new();
                for row in 0..results[0] {
                    for column in 0..results[1] {
                        for channel in 0..channels {
                            let mut numbers =
                                (0..taps).filter_map(|tap| Some((tap, under([row, column], tap, channel)?)));
                            all.push(of(&mut numbers, channel));
                        }
                    }
                }
                all
            };
            let weighed = expected(&|numbers, channel| {
                bias[channel] + numbers.map(|(tap, number)| number * weights[tap * channels + channel]).sum::<f32>()
            });
            let largest = expected(&|numbers, _| numbers.fold(f32::NEG_INFINITY, |most, (_, number)| most.max(number)));
            let summed = expected(&|numbers, _| numbers.map(|(_, number)| number).sum::<f32>() * 0.5);
            for arch in arches() {
                let weigh = WindowWork::Weigh { weights: Aligned::of(&weights), bias: Aligned::of(&bias) };
                for (work, expected) in
                    [(weigh, &weighed), (WindowWork::Max, &largest), (WindowWork::Sum(0.5), &summed)]
                {
                    let depthwise = Depthwise::new(windows, work, Activation::None);
                    let mut output = vec![f32::NAN; depthwise.output_len()];
                    depthwise.run(arch, &input, &mut output);
                    assert_near(&output, expected, &format!("{windows:?}, {}, {arch:?}", depthwise.name()));
                }
            }
        }
    }
}

#[test]
fn products_give_the_sums_of_their_rows() {
    for (count, inputs, outputs) in [(1, 1, 1), (6, 33, 3), (2, 144, 32), (1, 7, 64), (3, 256, 17)] {
        let (input, weights, bias) =
            (numbers(count * inputs, 0.0), numbers(count * inputs * outputs, 4.0), numbers(count * outputs, 8.0));
        let weight = |product, input, output| weights[(product * inputs + input) * outputs + output];
        let mut expected = Vec::new();
        for product in 0..count {
            for output in 0..outputs {
                let sum: f32 = (0..inputs).map(|at| input[product * inputs + at] * weight(product, at, output)).sum();
                expected.push((sum + bias[product * outputs + output]).max(0.0));
            }
        }
        for arch in arches() {
            let of = [count, inputs, outputs];
            let bias = |product, output| bias[product * outputs + output];
            let dense = Dense::new(Registers::of(arch), of, &weight, &bias, Activation::RELU);
            let mut output = vec![f32::NAN; dense.output_len()];
            dense.run(arch, &input, &mut output);
            assert_near(&output, &expected, &format!("{of:?}, {arch:?}"));
        }
    }
}

#[test]
fn activations_are_the_functions_that_they_are_named_after() {
    let input: Vec<f32> = (-400..=400).map(|at| at as f32 * 0.05).collect();
    for arch in arches() {
        for (activation, function) in [
            (Activation::Tanh, (|x: f32| x.tanh()) as fn(f32) -> f32),
            (Activation::Sigmoid, |x| 1.0 / (1.0 + (-x).exp())),
            (Activation::RELU, |x| x.max(0.0)),
            (Activation::Clip(0.0, 6.0), |x| x.clamp(0.0, 6.0)),
            (Activation::Leaky(0.1), |x| if x < 0.0 { 0.1 * x } else { x }),
        ] {
            let mut output = input.clone();
            activation.on_numbers(arch, &mut output);
            for (x, got) in input.iter().zip(&output) {
                let expected = function(*x);
                assert!((got - expected).abs() < 1e-6, "{activation:?} of {x} by {arch:?}: {got}, not {expected}");
            }
        }
    }
}
