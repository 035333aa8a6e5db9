//! The operators. Feature maps have the shape `[1, rows, columns, channels]`.

use crate::net::tensor::strides;
use crate::net::{BatchNorm, DenseLayout, KernelLayout, ShapeError, Tensor};

/// What a convolution or a pooling does at the edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// Only whole windows.
    Valid,
    /// Zeros around, so that the output has the input's size (stride 1, odd kernels).
    Same,
}

/// `[1, rows, columns, channels]`, or an error.
fn map_shape(x: &Tensor) -> Result<[usize; 3], ShapeError> {
    match *x.shape() {
        [1, rows, columns, channels] => Ok([rows, columns, channels]),
        ref other => Err(ShapeError(format!("{other:?} is no feature map of one face"))),
    }
}

/// A convolution with stride 1: kernel `[side, side, in, out]` or `[out, in, side, side]`.
///
/// # Errors
/// Where the shapes do not go together.
pub fn convolution(
    x: &Tensor,
    kernel: &Tensor,
    layout: KernelLayout,
    bias: &Tensor,
    padding: Padding,
) -> Result<Tensor, ShapeError> {
    let [rows, columns, inputs] = map_shape(x)?;
    let kernel = match layout {
        KernelLayout::Hwio => kernel.clone(),
        KernelLayout::Oihw => kernel.permuted(&[2, 3, 1, 0])?,
    };
    let [height, width, kernel_inputs, outputs] = *kernel.shape() else {
        return Err(ShapeError(format!("{:?} is no kernel of a convolution", kernel.shape())));
    };
    let window = Window::new([rows, columns], [height, width], padding)?;
    if kernel_inputs != inputs || bias.shape() != [outputs] {
        return Err(ShapeError(format!("a kernel {:?} does not fit {:?}", kernel.shape(), x.shape())));
    }
    let mut result = Vec::with_capacity(window.places() * outputs);
    for place in 0..window.places() {
        let mut sums = bias.data().to_vec();
        for (tap, source) in window.taps(place) {
            let pixel = &x.data()[source * inputs..][..inputs];
            let weights = kernel.data()[tap * inputs * outputs..][..inputs * outputs].chunks_exact(outputs);
            for (&value, weights) in pixel.iter().zip(weights) {
                for (sum, &weight) in sums.iter_mut().zip(weights) {
                    *sum += value * weight;
                }
            }
        }
        result.extend_from_slice(&sums);
    }
    Tensor::new(&[1, window.output[0], window.output[1], outputs], result)
}

/// A convolution of each channel by itself, stride 1: kernel `[side, side, channels, 1]`.
///
/// # Errors
/// Where the shapes do not go together.
pub fn depthwise_convolution(x: &Tensor, kernel: &Tensor, padding: Padding) -> Result<Tensor, ShapeError> {
    let [rows, columns, channels] = map_shape(x)?;
    let [height, width, kernel_channels, 1] = *kernel.shape() else {
        return Err(ShapeError(format!("{:?} is no kernel of a depthwise convolution", kernel.shape())));
    };
    let window = Window::new([rows, columns], [height, width], padding)?;
    if kernel_channels != channels {
        return Err(ShapeError(format!("a kernel {:?} does not fit {:?}", kernel.shape(), x.shape())));
    }
    let mut result = Vec::with_capacity(window.places() * channels);
    for place in 0..window.places() {
        let mut sums = vec![0.0; channels];
        for (tap, source) in window.taps(place) {
            let pixel = &x.data()[source * channels..][..channels];
            let weights = &kernel.data()[tap * channels..][..channels];
            for ((sum, &value), &weight) in sums.iter_mut().zip(pixel).zip(weights) {
                *sum += value * weight;
            }
        }
        result.extend_from_slice(&sums);
    }
    Tensor::new(&[1, window.output[0], window.output[1], channels], result)
}

/// The places of a window of stride 1 on a picture.
struct Window {
    input: [usize; 2],
    kernel: [usize; 2],
    output: [usize; 2],
    before: [usize; 2],
}

impl Window {
    fn new(input: [usize; 2], kernel: [usize; 2], padding: Padding) -> Result<Self, ShapeError> {
        let fits = kernel.iter().zip(input).all(|(&kernel, input)| kernel > 0 && kernel <= input);
        if !fits || (padding == Padding::Same && kernel.iter().any(|side| side % 2 == 0)) {
            return Err(ShapeError(format!("a window of {kernel:?} does not fit a map of {input:?}")));
        }
        Ok(match padding {
            Padding::Valid => {
                Self { input, kernel, output: [input[0] - kernel[0] + 1, input[1] - kernel[1] + 1], before: [0, 0] }
            }
            Padding::Same => Self { input, kernel, output: input, before: [kernel[0] / 2, kernel[1] / 2] },
        })
    }

    fn places(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Each tap of the kernel with the pixel that it sees; taps over the edge are left out.
    fn taps(&self, place: usize) -> impl Iterator<Item = (usize, usize)> + '_ {
        let corner = [place / self.output[1], place % self.output[1]];
        (0..self.kernel[0] * self.kernel[1]).filter_map(move |tap| {
            let row = (corner[0] + tap / self.kernel[1]).checked_sub(self.before[0])?;
            let column = (corner[1] + tap % self.kernel[1]).checked_sub(self.before[1])?;
            (row < self.input[0] && column < self.input[1]).then_some((tap, row * self.input[1] + column))
        })
    }
}

/// Largest value of each block of `side` x `side`; what does not fill a block is left out.
///
/// # Errors
/// Where `x` is no feature map, or smaller than a block.
pub fn max_pool(x: &Tensor, side: usize) -> Result<Tensor, ShapeError> {
    pool(x, side, f32::NEG_INFINITY, f32::max, |value| value)
}

/// Mean of each block of `side` x `side`; what does not fill a block is left out.
///
/// # Errors
/// Where `x` is no feature map, or smaller than a block.
pub fn average_pool(x: &Tensor, side: usize) -> Result<Tensor, ShapeError> {
    pool(x, side, 0.0, |sum, value| sum + value, |sum| sum / (side * side) as f32)
}

fn pool(
    x: &Tensor,
    side: usize,
    start: f32,
    take: fn(f32, f32) -> f32,
    finish: impl Fn(f32) -> f32,
) -> Result<Tensor, ShapeError> {
    let [rows, columns, channels] = map_shape(x)?;
    if side == 0 || rows < side || columns < side {
        return Err(ShapeError(format!("blocks of {side} do not fit a map of {rows} x {columns}")));
    }
    let output = [rows / side, columns / side];
    let mut result = vec![start; output[0] * output[1] * channels];
    for row in 0..output[0] * side {
        for column in 0..output[1] * side {
            let pixel = &x.data()[(row * columns + column) * channels..][..channels];
            let block = (row / side) * output[1] + column / side;
            for (sum, &value) in result[block * channels..][..channels].iter_mut().zip(pixel) {
                *sum = take(*sum, value);
            }
        }
    }
    Tensor::new(&[1, output[0], output[1], channels], result.into_iter().map(finish).collect())
}

/// A batch normalisation at rest over the last axis.
///
/// # Errors
/// Where the number of channels differs.
pub fn batch_norm(x: &Tensor, norm: &BatchNorm) -> Result<Tensor, ShapeError> {
    let channels = x.shape().last().copied().unwrap_or(0);
    norm.expect_channels(channels)?;
    Ok(Tensor::from_fn(x.shape(), |i| {
        let channel = i % channels;
        let deviation = (norm.variance.data()[channel] + norm.epsilon).sqrt();
        (x.data()[i] - norm.mean.data()[channel]) / deviation * norm.gamma.data()[channel] + norm.beta.data()[channel]
    }))
}

/// A fully connected layer on rows: `[rows, in] -> [rows, out]`.
///
/// # Errors
/// Where the shapes do not go together.
pub fn dense(x: &Tensor, kernel: &Tensor, layout: DenseLayout, bias: &Tensor) -> Result<Tensor, ShapeError> {
    let product = match layout {
        DenseLayout::InOut => matrix_product(x, kernel)?,
        DenseLayout::OutIn => matrix_product(x, &kernel.permuted(&[1, 0])?)?,
    };
    add(&product, bias)
}

/// The product of two matrices.
///
/// # Errors
/// Where the shapes do not go together.
pub fn matrix_product(a: &Tensor, b: &Tensor) -> Result<Tensor, ShapeError> {
    let (&[rows, inner], &[inner_b, columns]) = (a.shape(), b.shape()) else {
        return Err(ShapeError(format!("{:?} and {:?} are no matrices", a.shape(), b.shape())));
    };
    if inner != inner_b {
        return Err(ShapeError(format!("{:?} does not go with {:?}", a.shape(), b.shape())));
    }
    let mut result = vec![0.0; rows * columns];
    for row in 0..rows {
        let sums = &mut result[row * columns..][..columns];
        for place in 0..inner {
            let value = a.data()[row * inner + place];
            for (sum, &weight) in sums.iter_mut().zip(&b.data()[place * columns..][..columns]) {
                *sum += value * weight;
            }
        }
    }
    Tensor::new(&[rows, columns], result)
}

/// Sum, place by place, with broadcasting.
///
/// # Errors
/// Where the shapes do not go together.
pub fn add(a: &Tensor, b: &Tensor) -> Result<Tensor, ShapeError> {
    broadcast(a, b, |a, b| a + b)
}

/// Product, place by place, with broadcasting.
///
/// # Errors
/// Where the shapes do not go together.
pub fn multiply(a: &Tensor, b: &Tensor) -> Result<Tensor, ShapeError> {
    broadcast(a, b, |a, b| a * b)
}

/// Quotient, place by place, with broadcasting.
///
/// # Errors
/// Where the shapes do not go together.
pub fn divide(a: &Tensor, b: &Tensor) -> Result<Tensor, ShapeError> {
    broadcast(a, b, |a, b| a / b)
}

fn broadcast(a: &Tensor, b: &Tensor, f: impl Fn(f32, f32) -> f32) -> Result<Tensor, ShapeError> {
    let rank = a.shape().len().max(b.shape().len());
    let padded = |x: &Tensor| [vec![1; rank - x.shape().len()], x.shape().to_vec()].concat();
    let (shape_a, shape_b) = (padded(a), padded(b));
    let shape: Vec<usize> = shape_a
        .iter()
        .zip(&shape_b)
        .map(|axes| match axes {
            (&a, &b) if a == b || b == 1 => Ok(a),
            (&1, &b) => Ok(b),
            _ => Err(ShapeError(format!("{:?} does not go with {:?}", a.shape(), b.shape()))),
        })
        .collect::<Result<_, _>>()?;
    let (places, places_a, places_b) = (strides(&shape), strides(&shape_a), strides(&shape_b));
    let source = |i: usize, own: &[usize], own_places: &[usize]| -> usize {
        let axes = places.iter().zip(&shape).zip(own.iter().zip(own_places));
        axes.map(|((&place, &length), (&own, &own_place))| if own == 1 { 0 } else { i / place % length * own_place })
            .sum()
    };
    Ok(Tensor::from_fn(&shape, |i| {
        f(a.data()[source(i, &shape_a, &places_a)], b.data()[source(i, &shape_b, &places_b)])
    }))
}

/// `max(x, 0)`.
pub fn relu(x: &Tensor) -> Tensor {
    x.map(|x| x.max(0.0))
}

/// Hyperbolic tangent.
pub fn tanh(x: &Tensor) -> Tensor {
    x.map(f32::tanh)
}

/// `1 / (1 + exp(-x))`.
pub fn sigmoid(x: &Tensor) -> Tensor {
    x.map(|x| 1.0 / (1.0 + (-x).exp()))
}

/// Softmax along the last axis.
pub fn softmax_rows(x: &Tensor) -> Tensor {
    let columns = x.shape().last().copied().unwrap_or(1).max(1);
    let mut data = x.data().to_vec();
    for row in data.chunks_mut(columns) {
        let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        row.iter_mut().for_each(|x| *x = (*x - largest).exp());
        let sum: f32 = row.iter().sum();
        row.iter_mut().for_each(|x| *x /= sum);
    }
    let shape = x.shape();
    let mut data = data.into_iter();
    Tensor::from_fn(shape, |_| data.next().unwrap_or_default())
}
