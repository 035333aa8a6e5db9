//! Convolutions and poolings. Feature maps have the shape `[1, rows, columns, channels]`.

use crate::net::{KernelLayout, ShapeError, Tensor};

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
        ref other => Err(ShapeError(format!("{other:?} is not a feature map of one face"))),
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
        return Err(ShapeError(format!("{:?} is not a kernel of a convolution", kernel.shape())));
    };
    let window = PoolWindow::new([rows, columns], [height, width], padding)?;
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
        return Err(ShapeError(format!("{:?} is not a kernel of a depthwise convolution", kernel.shape())));
    };
    let window = PoolWindow::new([rows, columns], [height, width], padding)?;
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
struct PoolWindow {
    input: [usize; 2],
    kernel: [usize; 2],
    output: [usize; 2],
    before: [usize; 2],
}

impl PoolWindow {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// 3 x 4 pixels of one channel, 0 to 11.
    fn map() -> Tensor {
        Tensor::from_fn(&[1, 3, 4, 1], |i| i as f32)
    }

    #[test]
    fn a_convolution_weighs_its_neighbours() {
        // Weights 1 to 9, row by row; worked out by hand for the first whole window and for the corner.
        let kernel = Tensor::from_fn(&[3, 3, 1, 1], |i| i as f32 + 1.0);
        let bias = Tensor::new(&[1], vec![0.5]).unwrap();
        let valid = convolution(&map(), &kernel, KernelLayout::Hwio, &bias, Padding::Valid).unwrap();
        assert_eq!(valid.shape(), [1, 1, 2, 1]);
        let first: f32 = [0, 1, 2, 4, 5, 6, 8, 9, 10].iter().zip(1..).map(|(x, w)| (x * w) as f32).sum();
        assert_eq!(valid.data()[0], first + 0.5);
        let same = convolution(&map(), &kernel, KernelLayout::Hwio, &bias, Padding::Same).unwrap();
        assert_eq!(same.shape(), [1, 3, 4, 1]);
        assert_eq!(same.data()[0], (6 + 4 * 8 + 5 * 9) as f32 + 0.5);
        assert_eq!(same.data()[5], first + 0.5);
        let moved = kernel.permuted(&[3, 2, 0, 1]).unwrap();
        assert_eq!(convolution(&map(), &moved, KernelLayout::Oihw, &bias, Padding::Same).unwrap(), same);
        let depthwise = depthwise_convolution(&map(), &kernel, Padding::Same).unwrap();
        assert_eq!(depthwise.map(|x| x + 0.5), same);
    }

    #[test]
    fn pools_leave_out_what_fills_no_block() {
        let x = Tensor::from_fn(&[1, 5, 3, 2], |i| i as f32);
        // Pixel (r, c) has the values 6 r + 2 c and one more.
        assert_eq!(max_pool(&x, 2).unwrap().data(), [8.0, 9.0, 20.0, 21.0]);
        assert_eq!(average_pool(&x, 2).unwrap().data(), [4.0, 5.0, 16.0, 17.0]);
        assert!(max_pool(&x, 4).is_err());
        assert!(average_pool(&x, 0).is_err());
    }

    #[test]
    fn shapes_that_do_not_fit_are_refused() {
        let bias = Tensor::from_fn(&[1], |_| 0.0);
        for kernel in [vec![3, 3, 2, 1], vec![4, 3, 1, 1], vec![0, 0, 1, 1], vec![3, 3, 1], vec![3, 3, 1, 2]] {
            let kernel = Tensor::from_fn(&kernel, |_| 1.0);
            assert!(convolution(&map(), &kernel, KernelLayout::Hwio, &bias, Padding::Valid).is_err());
        }
    }
}
