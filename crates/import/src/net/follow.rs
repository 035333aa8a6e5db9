//! The network that follows a face: a few 3x3 convolutions with strides, and two fully connected layers.
//!
//! ```text
//! crop [1, 3, side, side] - conv, conv, ... - unrolled - hidden - logit of "a face is here", six landmarks
//! ```
//!
//! Behind each convolution and the hidden layer stands a relu. `facelens_core::detect::follow` tells what is in the crop
//! and what the numbers mean.

use super::graph::GraphWriter;
use super::layers::{dense, fold};
use super::{Convention, ConvolutionBlockWeights, ShapeError};
use crate::net::Affine;

/// As PyTorch and burn store layers.
const CONVENTION: Convention = Convention::MXNET;

/// The network, its kernels as PyTorch stores them: `[out, in, row, column]` and `[out, in]`.
#[derive(Clone, Debug, PartialEq)]
pub struct FollowNetWeights {
    /// Width and height of its input, pixels.
    pub side: usize,
    /// The convolutions, each with its stride. One row and column of zeros surrounds their input.
    pub convolutions: Vec<(ConvolutionBlockWeights, usize)>,
    /// The hidden layer.
    pub hidden: Affine,
    /// The layer that answers.
    pub answer: Affine,
}

impl FollowNetWeights {
    /// Rows, columns and channels of the map behind the last convolution.
    fn map(&self) -> (usize, usize) {
        let side = self.convolutions.iter().fold(self.side, |side, (_, stride)| side.div_ceil((*stride).max(1)));
        let channels = self.convolutions.last().map_or(3, |(block, _)| block.convolution.bias.data().len());
        (side, channels)
    }

    /// The network as an ONNX file: `[1, 3, side, side] -> [1, outputs]`.
    ///
    /// # Errors
    /// Where a layer has not the network's shape.
    pub fn to_onnx(&self) -> Result<Vec<u8>, ShapeError> {
        let mut graph = GraphWriter::taking("Follow", &[1, 3, self.side, self.side]);
        let mut x = graph.input();
        let mut channels = 3;
        for (block, stride) in &self.convolutions {
            let outputs = block.convolution.bias.data().len();
            block.convolution.expect_convolution(CONVENTION.kernel, 3, channels, outputs)?;
            if let Some(norm) = &block.norm {
                norm.expect_channels(outputs)?;
            }
            let folded = fold(&block.convolution, block.norm.as_ref(), CONVENTION.kernel)?;
            x = graph.strided_convolution(&x, &folded, [1, 1], *stride as i64);
            x = graph.relu(&x);
            channels = outputs;
        }
        let (side, channels) = self.map();
        let length = side * side * channels;
        let (hidden, outputs) = (self.hidden.bias.data().len(), self.answer.bias.data().len());
        self.hidden.expect_dense(CONVENTION.dense, length, hidden)?;
        self.answer.expect_dense(CONVENTION.dense, hidden, outputs)?;
        x = graph.reshape(&x, &[1, length as i64]);
        x = graph.dense(&x, &dense(&self.hidden, CONVENTION, None)?);
        x = graph.relu(&x);
        x = graph.dense(&x, &dense(&self.answer, CONVENTION, None)?);
        Ok(graph.finish(&x, outputs))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use facelens_core::model::Net;

    use super::*;
    use crate::net::Tensor;

    /// One convolution that halves the sides and gives the mean brightness of each 3x3 pixels, a hidden layer that takes
    /// the first and the last of them, and an answer that subtracts them.
    fn small() -> FollowNetWeights {
        let numbers = |shape: &[usize], value: &dyn Fn(usize) -> f32| Tensor::from_fn(shape, value);
        FollowNetWeights {
            side: 8,
            convolutions: vec![(
                ConvolutionBlockWeights {
                    convolution: Affine {
                        kernel: numbers(&[1, 3, 3, 3], &|_| 1.0 / 27.0),
                        bias: numbers(&[1], &|_| 0.0),
                    },
                    norm: None,
                },
                2,
            )],
            hidden: Affine {
                kernel: numbers(&[2, 16], &|i| if i == 0 || i == 31 { 1.0 } else { 0.0 }),
                bias: numbers(&[2], &|_| 0.0),
            },
            answer: Affine {
                kernel: numbers(&[1, 2], &|i| if i == 0 { 1.0 } else { -1.0 }),
                bias: numbers(&[1], &|_| 0.5),
            },
        }
    }

    #[test]
    fn the_graph_is_the_arithmetic_of_its_layers() {
        let onnx = small().to_onnx().unwrap();
        let net = Net::with_input_shape(&onnx, &[1, 3, 8, 8], Path::new("small")).unwrap();
        // Bright in the last rows and columns; the first window has a corner of zeros.
        let picture: Vec<f32> = (0..3 * 64).map(|i| if i % 8 >= 5 && i / 8 % 8 >= 5 { 9.0 } else { 0.9 }).collect();
        let answer = net.run(&picture).unwrap();
        assert!((answer[0] - (0.9 * 4.0 / 9.0 - 9.0 + 0.5)).abs() < 1e-4, "{answer:?}");
    }

    #[test]
    fn layers_that_do_not_fit_are_named() {
        let mut net = small();
        net.side = 9;
        assert!(net.to_onnx().is_err());
        let mut net = small();
        net.answer.kernel = Tensor::from_fn(&[1, 3], |_| 0.0);
        assert!(net.to_onnx().is_err());
    }
}
