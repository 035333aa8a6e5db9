//! GL-CNN, layer by layer.

use super::operations::{dense, sigmoid, softmax_rows};
use super::windows::{Padding, convolution, max_pool};
use crate::net::gl_cnn::{AgeHead, GenderHead, GlCnnParts, GlCnnWeights, SHARPEST, SLOPE};
use crate::net::{Affine, DenseLayout, KernelLayout, ShapeError, Tensor};

impl GlCnnWeights {
    /// What the network gives for one gait energy image `[1, 64, 44, 1]`, 0 to 1: the answers q_k, then the gender's chances.
    ///
    /// # Errors
    /// Where a layer has not the network's shape.
    pub fn reference(&self, gei: &Tensor) -> Result<Vec<f32>, ShapeError> {
        let global = block(&block(gei, &self.global[0])?, &self.global[1])?;
        let mut local = gei.clone();
        for (layer, rows) in [self.parts.rows(), GlCnnParts::SECOND_ROWS].into_iter().enumerate() {
            let mut maps = Vec::new();
            for (part, [from, to]) in rows.into_iter().enumerate() {
                let network = &self.local[if self.parts == GlCnnParts::Own { part } else { 0 }];
                maps.push(block(&rows_of(&local, from, to)?, &network[layer])?);
            }
            local = below_each_other(&maps)?;
        }
        let joined = block(&side_by_side(&global, &local)?, &self.joined)?;
        // PyTorch unrolls channels first.
        let joined = joined.permuted(&[0, 3, 1, 2])?;
        let length = joined.data().len();
        let mut x = joined.reshaped(&[1, length])?;
        for layer in &self.hidden {
            x = leaky_relu(&full(&x, layer)?);
        }
        let answers = match &self.age {
            AgeHead::Independent(layer) => sigmoid(&full(&x, layer)?),
            AgeHead::Ordered { score, thresholds } => {
                let both = full(&x, score)?;
                let (score, sharpness) = (both.data()[0], (SHARPEST * both.data()[1].tanh()).exp());
                sigmoid(&thresholds.map(|threshold| (score - threshold) * sharpness))
            }
        };
        let gender = match &self.gender {
            GenderHead::Chance(layer) => sigmoid(&full(&x, layer)?),
            GenderHead::Classes(layer) => softmax_rows(&full(&x, layer)?),
        };
        Ok([answers.data(), gender.data()].concat())
    }
}

/// Convolution of the same size, leaky relu, maximum of 2x2.
fn block(x: &Tensor, layer: &Affine) -> Result<Tensor, ShapeError> {
    let x = convolution(x, &layer.kernel, KernelLayout::Oihw, &layer.bias, Padding::Same)?;
    max_pool(&leaky_relu(&x), 2)
}

fn leaky_relu(x: &Tensor) -> Tensor {
    x.map(|x| if x > 0.0 { x } else { SLOPE * x })
}

fn full(x: &Tensor, layer: &Affine) -> Result<Tensor, ShapeError> {
    dense(x, &layer.kernel, DenseLayout::OutIn, &layer.bias)
}

/// Rows `from..to` of a map `[1, rows, columns, channels]`.
fn rows_of(x: &Tensor, from: usize, to: usize) -> Result<Tensor, ShapeError> {
    let [1, rows, columns, channels] = *x.shape() else { return Err(not_a_map(x)) };
    if from > to || to > rows {
        return Err(not_a_map(x));
    }
    let row = columns * channels;
    Tensor::new(&[1, to - from, columns, channels], x.data()[from * row..to * row].to_vec())
}

fn below_each_other(maps: &[Tensor]) -> Result<Tensor, ShapeError> {
    let rows = maps.iter().map(|map| map.shape()[1]).sum();
    let data = maps.iter().flat_map(|map| map.data().iter().copied()).collect();
    Tensor::new(&[1, rows, maps[0].shape()[2], maps[0].shape()[3]], data)
}

/// The channels of `a` and those of `b`, of maps of the same size.
fn side_by_side(a: &Tensor, b: &Tensor) -> Result<Tensor, ShapeError> {
    let ([1, rows, columns, of_a], [1, rows_b, columns_b, of_b]) = (a.shape(), b.shape()) else {
        return Err(not_a_map(a));
    };
    if (rows, columns) != (rows_b, columns_b) {
        return Err(not_a_map(b));
    }
    let pixels = a.data().chunks(*of_a).zip(b.data().chunks(*of_b));
    let data = pixels.flat_map(|(a, b)| a.iter().chain(b).copied()).collect();
    Tensor::new(&[1, *rows, *columns, of_a + of_b], data)
}

fn not_a_map(x: &Tensor) -> ShapeError {
    ShapeError(format!("{:?} is not a map of one gait energy image", x.shape()))
}
