//! The first convolution of a stream with the activation and the 2x2 pooling behind it, in an order that tract runs
//! faster; the numbers are the same up to rounding.
//!
//! tract computes a convolution that gives rows of at least 128 numbers directly, many columns at a time, and any other
//! as a matrix product of gathered windows, which is slow for as few channels as a picture has. The picture is therefore
//! laid out as one long row, three times, each time begun a row of the picture later: a 3x3 window is then one of three
//! columns. At the end of each row of the picture two columns come out that no window of the picture has; pooled, they
//! are one, which is left out.

use super::graph::{GraphWriter, Value};
use super::layers::FoldedConvolution;
use super::{INPUT_SIDE, ShapeError, Tensor};

/// Rows of a 3x3 window.
const WINDOW: usize = 3;

/// The face as three long rows, `[1, 3, 3, length + 2]`.
pub(super) struct LongRows {
    value: Value,
    /// Rows and columns that a 3x3 convolution gives, and the two columns between rows.
    rows: usize,
    columns: usize,
}

impl LongRows {
    /// Lays out `face [1, 3, 64, 64]` with this padding on each side.
    pub(super) fn of(graph: &mut GraphWriter, face: &Value, padding: usize) -> Self {
        let side = INPUT_SIDE + 2 * padding;
        let border = padding as i64;
        // A row more at the end: the last window of the third copy reaches two numbers beyond the face.
        let padded = graph.pad(face, [border, border, border + 1, border]);
        let row = graph.reshape(&padded, &[1, 3, 1, ((side + 1) * side) as i64]);
        let (rows, length) = (side + 1 - WINDOW, (side + 1 - WINDOW) * side + 2);
        let copies: Vec<Value> =
            (0..WINDOW).map(|down| graph.slice(&row, 3, (down * side) as i64, (down * side + length) as i64)).collect();
        Self { value: graph.concatenate(&copies, 2), rows, columns: side }
    }
}

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
    pub(super) fn apply(self, graph: &mut GraphWriter, x: &Value) -> Value {
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
    pub(super) fn activation(self, graph: &mut GraphWriter, x: &Value) -> Value {
        match self {
            Self::AverageOfRelu => graph.relu(x),
            Self::MaxOfTanh => graph.tanh(x),
        }
    }

    /// A dense 3x3 convolution of the face with the activation and the pooling behind it, `[1, channels, side, side]`.
    ///
    /// # Errors
    /// Where `layer` is no dense 3x3 convolution of three channels.
    pub(super) fn of_convolution(
        self,
        graph: &mut GraphWriter,
        face: &LongRows,
        layer: &FoldedConvolution,
    ) -> Result<Value, ShapeError> {
        let [channels, 3, WINDOW, WINDOW] = *layer.kernel.shape() else {
            return Err(ShapeError(format!("{:?} is not a kernel of a first 3x3 convolution", layer.kernel.shape())));
        };
        let row = graph.convolution(&face.value, layer, 0);
        let map = graph.reshape(&row, &[1, channels, face.rows, face.columns].map(|length| length as i64));
        let pooled = self.apply(graph, &map);
        Ok(graph.slice(&pooled, 3, 0, face.columns as i64 / 2 - 1))
    }
}

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
        return Err(ShapeError(format!("{shapes:?} are not depthwise and pointwise kernels")));
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

    use facelens_core::model::Net;

    use super::*;
    use crate::net::INPUT_SIDE;

    fn numbers(shape: &[usize], seed: usize) -> Tensor {
        Tensor::from_fn(shape, |i| ((i * 7919 + seed * 104_729) % 2003) as f32 / 1001.0 - 1.0)
    }

    /// What tract gives for the graph that `write` writes, flattened to `length` numbers.
    fn run(length: usize, write: impl FnOnce(&mut GraphWriter, &Value) -> Value) -> Vec<f32> {
        let mut graph = GraphWriter::new("test");
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
    fn long_rows_give_what_convolution_activation_and_pooling_give() {
        let layer = FoldedConvolution { kernel: numbers(&[5, 3, 3, 3], 2), bias: Some(numbers(&[5], 3)), groups: 1 };
        for (padding, side) in [(0, 31), (1, 32)] {
            for pooling in [Pooling::AverageOfRelu, Pooling::MaxOfTanh] {
                let length = 5 * side * side;
                let fast = run(length, |graph, x| {
                    let face = LongRows::of(graph, x, padding);
                    pooling.of_convolution(graph, &face, &layer).unwrap()
                });
                let plain = run(length, |graph, x| {
                    let x = graph.convolution(x, &layer, padding as i64);
                    let x = pooling.activation(graph, &x);
                    match pooling {
                        Pooling::AverageOfRelu => graph.average_pool(&x, 2),
                        Pooling::MaxOfTanh => graph.max_pool(&x, 2),
                    }
                });
                close(&fast, &plain);
            }
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
        let mut graph = GraphWriter::new("test");
        let input = graph.input();
        let face = LongRows::of(&mut graph, &input, 0);
        assert!(Pooling::MaxOfTanh.of_convolution(&mut graph, &face, &layer).is_err());
    }
}
