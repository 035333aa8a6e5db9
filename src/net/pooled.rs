//! Convolution, activation and 2x2 pooling in an order that tract runs faster; the numbers are the same up to rounding.
//!
//! tract takes the windows of a strided pooling one by one, which cost as much as the convolution in front of it. A wide
//! map is therefore never made: the four places of each window come out of one convolution as four groups of channels.

use super::graph::{Graph, Value};
use super::layers::FoldedConvolution;
use super::{ShapeError, Tensor};

/// How a 2x2 window becomes one number, and what comes in front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pooling {
    /// Relu, then the mean.
    AverageOfRelu,
    /// Tanh, then the maximum; or the other way round, as tanh keeps the order.
    MaxOfTanh,
}

impl Pooling {
    /// The activation and the pooling of `x`.
    pub(super) fn apply(self, graph: &mut Graph, x: &Value) -> Value {
        match self {
            Self::AverageOfRelu => {
                let x = graph.relu(x);
                graph.average_pool(&x, 2)
            }
            Self::MaxOfTanh => {
                let x = graph.max_pool(x, 2);
                graph.tanh(&x)
            }
        }
    }

    /// The activation alone.
    pub(super) fn activation(self, graph: &mut Graph, x: &Value) -> Value {
        match self {
            Self::AverageOfRelu => graph.relu(x),
            Self::MaxOfTanh => graph.tanh(x),
        }
    }

    /// A dense 3x3 convolution of `x` with the activation and the pooling behind it, as one 4x4 convolution with stride 2:
    /// it gives each of a window's four places as a group of channels.
    ///
    /// # Errors
    /// Where `layer` is no dense 3x3 convolution.
    pub(super) fn of_convolution(
        self,
        graph: &mut Graph,
        x: &Value,
        layer: &FoldedConvolution,
        padding: i64,
    ) -> Result<Value, ShapeError> {
        let [outputs, inputs, 3, 3] = *layer.kernel.shape() else {
            return Err(ShapeError(format!("{:?} is no kernel of a 3x3 convolution", layer.kernel.shape())));
        };
        // The mean of four relus is the sum of the relus of a quarter.
        let scale = if self == Self::AverageOfRelu { 0.25 } else { 1.0 };
        let mut kernel = vec![0.0; 4 * outputs * inputs * 16];
        for (filter, weights) in layer.kernel.data().chunks_exact(9).enumerate() {
            for (group, (down, right)) in PLACES.into_iter().enumerate() {
                let wide = &mut kernel[(group * outputs * inputs + filter) * 16..][..16];
                for (tap, &weight) in weights.iter().enumerate() {
                    wide[(tap / 3 + down) * 4 + tap % 3 + right] = weight * scale;
                }
            }
        }
        let bias = layer.bias.as_ref().map(|bias| {
            let bias = bias.data();
            Tensor::from_fn(&[4 * outputs], |channel| bias[channel % outputs] * scale)
        });
        let kernel = Tensor::new(&[4 * outputs, inputs, 4, 4], kernel)?;
        let wide = graph.strided_convolution(x, &FoldedConvolution { kernel, bias, groups: 1 }, padding, 2);
        let wide = if self == Self::AverageOfRelu { graph.relu(&wide) } else { wide };
        let channels = outputs as i64;
        let [a, b, c, d] = [0, 1, 2, 3].map(|group| graph.slice(&wide, 1, group * channels, (group + 1) * channels));
        Ok(match self {
            Self::AverageOfRelu => {
                let (ab, cd) = (graph.add(&a, &b), graph.add(&c, &d));
                graph.add(&ab, &cd)
            }
            Self::MaxOfTanh => {
                let (ab, cd) = (graph.maximum(&a, &b), graph.maximum(&c, &d));
                let largest = graph.maximum(&ab, &cd);
                graph.tanh(&largest)
            }
        })
    }
}

/// The places of a window: rows down, columns to the right.
const PLACES: [(usize, usize); 4] = [(0, 0), (0, 1), (1, 0), (1, 1)];

/// A depthwise convolution and the pointwise one behind it, multiplied out into one dense convolution. Worth it where
/// there are few input channels.
///
/// # Errors
/// Where the two do not follow each other.
pub(super) fn multiplied_out(
    depthwise: &FoldedConvolution,
    pointwise: &FoldedConvolution,
) -> Result<FoldedConvolution, ShapeError> {
    let ([inputs, 1, rows, columns], [outputs, same, 1, 1]) = (depthwise.kernel.shape(), pointwise.kernel.shape())
    else {
        let shapes = (depthwise.kernel.shape(), pointwise.kernel.shape());
        return Err(ShapeError(format!("{shapes:?} are no depthwise and pointwise kernels")));
    };
    if inputs != same || depthwise.bias.is_some() {
        return Err(ShapeError(format!("{same} channels do not follow {inputs} without a bias")));
    }
    let (inputs, taps) = (*inputs, rows * columns);
    let kernel = Tensor::from_fn(&[*outputs, inputs, *rows, *columns], |place| {
        let (output, input, tap) = (place / taps / inputs, place / taps % inputs, place % taps);
        pointwise.kernel.data()[output * inputs + input] * depthwise.kernel.data()[input * taps + tap]
    });
    Ok(FoldedConvolution { kernel, bias: pointwise.bias.clone(), groups: 1 })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::model::Net;
    use crate::net::INPUT_SIDE;

    fn numbers(shape: &[usize], seed: usize) -> Tensor {
        Tensor::from_fn(shape, |i| ((i * 7919 + seed * 104_729) % 2003) as f32 / 1001.0 - 1.0)
    }

    /// What tract gives for the graph that `write` writes, flattened to `length` numbers.
    fn run(length: usize, write: impl FnOnce(&mut Graph, &Value) -> Value) -> Vec<f32> {
        let mut graph = Graph::new("test");
        let input = graph.input();
        let x = write(&mut graph, &input);
        let x = graph.reshape(&x, &[1, length as i64]);
        let onnx = graph.finish(&x, length);
        let net = Net::with_input_shape(&onnx, &[1, 3, INPUT_SIDE, INPUT_SIDE], Path::new("made")).unwrap();
        net.run(numbers(&[1, 3, INPUT_SIDE, INPUT_SIDE], 1).data()).unwrap()
    }

    fn close(got: &[f32], expected: &[f32]) {
        assert_eq!(got.len(), expected.len());
        for (got, expected) in got.iter().zip(expected) {
            assert!((got - expected).abs() < 1e-5, "{got} instead of {expected}");
        }
        assert!(expected.iter().any(|x| x.abs() > 0.1), "zeros show nothing");
    }

    #[test]
    fn one_strided_convolution_gives_what_convolution_activation_and_pooling_give() {
        let layer = FoldedConvolution { kernel: numbers(&[5, 3, 3, 3], 2), bias: Some(numbers(&[5], 3)), groups: 1 };
        for (padding, side) in [(0, 31), (1, 32)] {
            for pooling in [Pooling::AverageOfRelu, Pooling::MaxOfTanh] {
                let length = 5 * side * side;
                let fast = run(length, |graph, x| pooling.of_convolution(graph, x, &layer, padding).unwrap());
                let plain = run(length, |graph, x| {
                    let x = graph.convolution(x, &layer, padding);
                    let x = pooling.activation(graph, &x);
                    match pooling {
                        Pooling::AverageOfRelu => graph.average_pool(&x, 2),
                        Pooling::MaxOfTanh => graph.strided_max_pool(&x, 2),
                    }
                });
                close(&fast, &plain);
            }
        }
    }

    #[test]
    fn a_sliced_pooling_gives_what_a_strided_one_gives() {
        // Even and odd sides.
        for (kernel, side) in [(1, 32), (4, 30)] {
            let layer = FoldedConvolution { kernel: numbers(&[2, 3, kernel, kernel], 4), bias: None, groups: 1 };
            let length = 2 * side * side;
            let fast = run(length, |graph, x| {
                let x = graph.convolution(x, &layer, 0);
                graph.max_pool(&x, 2)
            });
            let plain = run(length, |graph, x| {
                let x = graph.convolution(x, &layer, 0);
                graph.strided_max_pool(&x, 2)
            });
            close(&fast, &plain);
        }
    }

    #[test]
    fn depthwise_and_pointwise_are_one_convolution() {
        let depthwise = FoldedConvolution { kernel: numbers(&[3, 1, 3, 3], 5), bias: None, groups: 3 };
        let pointwise =
            FoldedConvolution { kernel: numbers(&[4, 3, 1, 1], 6), bias: Some(numbers(&[4], 7)), groups: 1 };
        let dense = multiplied_out(&depthwise, &pointwise).unwrap();
        let length = 4 * 64 * 64;
        let fast = run(length, |graph, x| graph.convolution(x, &dense, 1));
        let plain = run(length, |graph, x| {
            let x = graph.convolution(x, &depthwise, 1);
            graph.convolution(&x, &pointwise, 0)
        });
        close(&fast, &plain);
        assert!(multiplied_out(&pointwise, &depthwise).is_err());
    }

    #[test]
    fn other_kernels_are_refused() {
        let layer = FoldedConvolution { kernel: numbers(&[4, 3, 1, 1], 1), bias: None, groups: 1 };
        let mut graph = Graph::new("test");
        let input = graph.input();
        assert!(Pooling::MaxOfTanh.of_convolution(&mut graph, &input, &layer, 0).is_err());
    }
}
