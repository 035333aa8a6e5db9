//! Layers as a weight file stores them, and what a graph makes of them: kernels in ONNX layout, batch
//! normalisation folded.

use super::{ShapeError, Tensor};

/// How a framework lays its numbers out. Everything that is a matter of taste between frameworks is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Convention {
    /// Axes of a convolution's kernel.
    pub kernel: KernelLayout,
    /// Axes of a fully connected layer's kernel.
    pub dense: DenseLayout,
    /// In which order a feature map is unrolled in front of a fully connected layer.
    pub flatten: FlattenOrder,
}

impl Convention {
    /// Keras and TensorFlow: channels last.
    pub const KERAS: Self =
        Self { kernel: KernelLayout::Hwio, dense: DenseLayout::InOut, flatten: FlattenOrder::RowColumnChannel };
    /// MXNet, PyTorch and ONNX: channels first.
    pub const MXNET: Self =
        Self { kernel: KernelLayout::Oihw, dense: DenseLayout::OutIn, flatten: FlattenOrder::ChannelRowColumn };
}

/// Axes of a convolution's kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KernelLayout {
    /// Row, column, input channel, output channel.
    Hwio,
    /// Output channel, input channel, row, column.
    Oihw,
}

/// Axes of a fully connected layer's kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DenseLayout {
    /// Input, output.
    InOut,
    /// Output, input.
    OutIn,
}

/// In which order a feature map is unrolled; the last named runs fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlattenOrder {
    /// Channels last.
    RowColumnChannel,
    /// Channels first.
    ChannelRowColumn,
}

/// A kernel and a bias: a convolution or a fully connected layer, as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct Affine {
    /// The kernel, in the layout of its [`Convention`].
    pub kernel: Tensor,
    /// The bias, one number per output.
    pub bias: Tensor,
}

impl Affine {
    /// Checks that this is a convolution of `side` x `side` from `inputs` to `outputs` channels.
    ///
    /// # Errors
    /// Where it is not; names both shapes.
    pub fn expect_convolution(
        &self,
        layout: KernelLayout,
        side: usize,
        inputs: usize,
        outputs: usize,
    ) -> Result<(), ShapeError> {
        self.expect_window(layout, [side; 2], inputs, outputs)
    }

    /// Checks that this is a convolution of so many rows and columns from `inputs` to `outputs` channels.
    ///
    /// # Errors
    /// Where it is not; names both shapes.
    pub fn expect_window(
        &self,
        layout: KernelLayout,
        [rows, columns]: [usize; 2],
        inputs: usize,
        outputs: usize,
    ) -> Result<(), ShapeError> {
        let shape = match layout {
            KernelLayout::Hwio => [rows, columns, inputs, outputs],
            KernelLayout::Oihw => [outputs, inputs, rows, columns],
        };
        self.expect(&shape, outputs)
    }

    /// Checks that this is a fully connected layer from `inputs` to `outputs` numbers.
    ///
    /// # Errors
    /// Where it is not; names both shapes.
    pub fn expect_dense(&self, layout: DenseLayout, inputs: usize, outputs: usize) -> Result<(), ShapeError> {
        let shape = match layout {
            DenseLayout::InOut => [inputs, outputs],
            DenseLayout::OutIn => [outputs, inputs],
        };
        self.expect(&shape, outputs)
    }

    fn expect(&self, kernel: &[usize], outputs: usize) -> Result<(), ShapeError> {
        expect_shape("kernel", &self.kernel, kernel)?;
        expect_shape("bias", &self.bias, &[outputs])
    }
}

/// A batch normalisation at rest: `gamma (x - mean) / sqrt(variance + epsilon) + beta`, per channel.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNorm {
    /// Scale.
    pub gamma: Tensor,
    /// Offset.
    pub beta: Tensor,
    /// Mean of the training data.
    pub mean: Tensor,
    /// Variance of the training data.
    pub variance: Tensor,
    /// Keeps the root away from zero: 1e-3 in Keras, 2e-5 in the MXNet port.
    pub epsilon: f32,
}

impl BatchNorm {
    /// Checks that it has this number of channels.
    ///
    /// # Errors
    /// Where it has not.
    pub fn expect_channels(&self, channels: usize) -> Result<(), ShapeError> {
        for (name, tensor) in
            [("gamma", &self.gamma), ("beta", &self.beta), ("mean", &self.mean), ("variance", &self.variance)]
        {
            expect_shape(name, tensor, &[channels])?;
        }
        Ok(())
    }

    /// The factor and the offset that it comes to for each channel, in float64.
    fn factors(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        let parameters = self.gamma.data().iter().zip(self.beta.data());
        let statistics = self.mean.data().iter().zip(self.variance.data());
        parameters.zip(statistics).map(|((&gamma, &beta), (&mean, &variance))| {
            let factor = f64::from(gamma) / (f64::from(variance) + f64::from(self.epsilon)).sqrt();
            (factor, f64::from(beta) - f64::from(mean) * factor)
        })
    }
}

/// A convolution and the batch normalisation behind it; `None` where the file has it folded already.
#[derive(Clone, Debug, PartialEq)]
pub struct ConvolutionBlockWeights {
    /// The convolution.
    pub convolution: Affine,
    /// The batch normalisation.
    pub norm: Option<BatchNorm>,
}

/// A convolution ready for an ONNX graph.
pub(super) struct FoldedConvolution {
    /// Output channel, input channel of the group, row, column.
    pub(super) kernel: Tensor,
    pub(super) bias: Option<Tensor>,
    pub(super) groups: usize,
}

/// A fully connected layer ready for an ONNX graph.
pub(super) struct FoldedDense {
    /// Input, output.
    pub(super) kernel: Tensor,
    pub(super) bias: Tensor,
}

/// Brings a convolution into ONNX layout and multiplies the batch normalisation into it. A batch normalisation behind
/// a convolution is an affine map of each output channel, so folding it changes nothing but rounding.
pub(super) fn fold(
    layer: &Affine,
    norm: Option<&BatchNorm>,
    layout: KernelLayout,
) -> Result<FoldedConvolution, ShapeError> {
    let kernel = match layout {
        KernelLayout::Hwio => layer.kernel.permuted(&[3, 2, 0, 1])?,
        KernelLayout::Oihw => layer.kernel.clone(),
    };
    let Some(norm) = norm else {
        return Ok(FoldedConvolution { kernel, bias: Some(layer.bias.clone()), groups: 1 });
    };
    let shape = kernel.shape().to_vec();
    let channels = shape.first().copied().unwrap_or_default().max(1);
    let mut kernel = kernel.into_data();
    let mut bias = layer.bias.data().to_vec();
    let filter_length = (kernel.len() / channels).max(1);
    for ((filter, bias), (factor, offset)) in kernel.chunks_mut(filter_length).zip(&mut bias).zip(norm.factors()) {
        for weight in filter {
            *weight = (f64::from(*weight) * factor) as f32;
        }
        *bias = (f64::from(*bias) * factor + offset) as f32;
    }
    Ok(FoldedConvolution {
        kernel: Tensor::new(&shape, kernel)?,
        bias: Some(Tensor::new(&[channels], bias)?),
        groups: 1,
    })
}

/// Brings a fully connected layer into ONNX layout. Where its input is an unrolled feature map of
/// `[rows, columns, channels]`, its rows are reordered so that the graph can unroll channels first without moving
/// a number.
pub(super) fn dense(
    layer: &Affine,
    convention: Convention,
    map: Option<[usize; 3]>,
) -> Result<FoldedDense, ShapeError> {
    let kernel = match convention.dense {
        DenseLayout::InOut => layer.kernel.clone(),
        DenseLayout::OutIn => layer.kernel.permuted(&[1, 0])?,
    };
    let kernel = match (map, convention.flatten) {
        (Some([rows, columns, channels]), FlattenOrder::RowColumnChannel) => {
            let shape = kernel.shape().to_vec();
            let outputs = shape.last().copied().unwrap_or_default();
            kernel.reshaped(&[rows, columns, channels, outputs])?.permuted(&[2, 0, 1, 3])?.reshaped(&shape)?
        }
        _ => kernel,
    };
    Ok(FoldedDense { kernel, bias: layer.bias.clone() })
}

/// Convolutions of the same input as one, which gives the channels of the first, then those of the second and so on.
///
/// # Errors
/// Where their shapes differ.
pub(super) fn beside_each_other(layers: &[FoldedConvolution]) -> Result<FoldedConvolution, ShapeError> {
    let kernel = joined(layers.iter().map(|layer| &layer.kernel))?;
    let bias = joined(layers.iter().filter_map(|layer| layer.bias.as_ref()))?;
    Ok(FoldedConvolution { kernel, bias: Some(bias), groups: 1 })
}

/// Tensors of the same shape, one behind the other along the first axis.
///
/// # Errors
/// Where their shapes differ.
pub(super) fn joined<'a>(tensors: impl Iterator<Item = &'a Tensor>) -> Result<Tensor, ShapeError> {
    let (mut shape, mut data, mut length) = (Vec::new(), Vec::new(), 0);
    for tensor in tensors {
        if length == 0 {
            shape = tensor.shape().to_vec();
        }
        expect_shape("layer", tensor, &shape)?;
        data.extend_from_slice(tensor.data());
        length += shape.first().copied().unwrap_or(1);
    }
    if let Some(first) = shape.first_mut() {
        *first = length;
    }
    Tensor::new(&shape, data)
}

pub(super) fn expect_shape(name: &str, tensor: &Tensor, shape: &[usize]) -> Result<(), ShapeError> {
    if tensor.shape() == shape {
        Ok(())
    } else {
        Err(ShapeError(format!("a {name} has the shape {:?} where the network has {shape:?}", tensor.shape())))
    }
}
