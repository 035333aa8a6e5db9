//! Operators place by place and on matrices.

use crate::net::tensor::strides;
use crate::net::{BatchNorm, DenseLayout, ShapeError, Tensor};

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
        return Err(ShapeError(format!("{:?} and {:?} are not matrices", a.shape(), b.shape())));
    };
    if inner != inner_b {
        return Err(ShapeError(format!("{:?} does not match {:?}", a.shape(), b.shape())));
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
            _ => Err(ShapeError(format!("{:?} does not match {:?}", a.shape(), b.shape()))),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(shape: &[usize], data: &[f32]) -> Tensor {
        Tensor::new(shape, data.to_vec()).unwrap()
    }

    #[test]
    fn broadcasting_repeats_axes_of_length_one() {
        let (column, row) = (tensor(&[2, 1], &[1.0, 2.0]), tensor(&[3], &[10.0, 20.0, 30.0]));
        assert_eq!(add(&column, &row).unwrap(), tensor(&[2, 3], &[11.0, 21.0, 31.0, 12.0, 22.0, 32.0]));
        assert_eq!(multiply(&column, &tensor(&[], &[5.0])).unwrap(), tensor(&[2, 1], &[5.0, 10.0]));
        assert_eq!(divide(&row, &row).unwrap(), tensor(&[3], &[1.0; 3]));
        assert!(add(&row, &tensor(&[2], &[0.0; 2])).is_err());
    }

    #[test]
    fn dense_layers_of_both_layouts_agree() {
        let (x, kernel) = (tensor(&[1, 2], &[1.0, 2.0]), tensor(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]));
        let bias = tensor(&[3], &[0.0, 0.0, 100.0]);
        let y = tensor(&[1, 3], &[9.0, 12.0, 115.0]);
        assert_eq!(dense(&x, &kernel, DenseLayout::InOut, &bias).unwrap(), y);
        assert_eq!(dense(&x, &kernel.permuted(&[1, 0]).unwrap(), DenseLayout::OutIn, &bias).unwrap(), y);
        assert!(dense(&y, &kernel, DenseLayout::InOut, &bias).is_err());
    }

    #[test]
    fn softmax_and_batch_norm_by_hand() {
        let softmax = softmax_rows(&tensor(&[2, 2], &[0.0, 0.0, 1000.0, 1000.0 + 3.0_f32.ln()]));
        for (got, expected) in softmax.data().iter().zip([0.5, 0.5, 0.25, 0.75]) {
            assert!((got - expected).abs() < 1e-4, "{got} instead of {expected}");
        }
        let one = |x: f32| tensor(&[1], &[x]);
        let norm = BatchNorm { gamma: one(3.0), beta: one(7.0), mean: one(2.0), variance: one(3.0), epsilon: 1.0 };
        assert_eq!(batch_norm(&tensor(&[2, 1], &[2.0, 6.0]), &norm).unwrap().data(), [7.0, 13.0]);
    }
}
