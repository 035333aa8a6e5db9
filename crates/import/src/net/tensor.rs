//! A plain tensor: a shape and numbers, row by row.

/// A tensor of float32, the last axis running fastest.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    shape: Vec<usize>,
    data: Vec<f32>,
}

/// Two shapes do not go together. The text names them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ShapeError(pub String);

impl Tensor {
    /// A tensor of this shape. A scalar has the empty shape and one number.
    ///
    /// # Errors
    /// Where the number of values is not the product of the shape.
    pub fn new(shape: &[usize], data: Vec<f32>) -> Result<Self, ShapeError> {
        let length = shape.iter().try_fold(1_usize, |product, &axis| product.checked_mul(axis));
        if length == Some(data.len()) {
            Ok(Self { shape: shape.to_vec(), data })
        } else {
            Err(ShapeError(format!("{} values do not fill the shape {shape:?}", data.len())))
        }
    }

    /// A tensor whose value at each place is given by its index in memory.
    pub fn from_fn(shape: &[usize], value: impl FnMut(usize) -> f32) -> Self {
        let length = shape.iter().product();
        Self { shape: shape.to_vec(), data: (0..length).map(value).collect() }
    }

    /// The length of each axis.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The numbers, the last axis running fastest.
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// Takes the numbers out.
    pub fn into_data(self) -> Vec<f32> {
        self.data
    }

    /// The same numbers under another shape.
    ///
    /// # Errors
    /// Where the shape has another number of places.
    pub fn reshaped(self, shape: &[usize]) -> Result<Self, ShapeError> {
        Self::new(shape, self.data)
    }

    /// The tensor with its axes reordered: axis `k` of the result is axis `order[k]` of this one.
    ///
    /// # Errors
    /// Where `order` is not a permutation of the axes.
    pub fn permuted(&self, order: &[usize]) -> Result<Self, ShapeError> {
        let mut sorted = order.to_vec();
        sorted.sort_unstable();
        if !sorted.iter().copied().eq(0..self.shape.len()) {
            return Err(ShapeError(format!("{order:?} does not reorder the axes of {:?}", self.shape)));
        }
        let strides = strides(&self.shape);
        let shape: Vec<usize> = order.iter().map(|&axis| self.shape[axis]).collect();
        let mut index = vec![0_usize; shape.len()];
        Ok(Self::from_fn(&shape, |_| {
            let place: usize = index.iter().zip(order).map(|(&i, &axis)| i * strides[axis]).sum();
            for (i, &length) in index.iter_mut().zip(&shape).rev() {
                *i += 1;
                if *i < length {
                    break;
                }
                *i = 0;
            }
            self.data[place]
        }))
    }

    /// The value of each place put through `f`.
    pub fn map(&self, f: impl Fn(f32) -> f32) -> Self {
        Self { shape: self.shape.clone(), data: self.data.iter().map(|&x| f(x)).collect() }
    }

    /// Whether every number is finite.
    pub fn is_finite(&self) -> bool {
        self.data.iter().all(|x| x.is_finite())
    }
}

/// How far apart in memory two neighbours along each axis lie.
pub(crate) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permuting_moves_each_value_to_its_place() {
        let tensor = Tensor::from_fn(&[2, 3, 4], |i| i as f32);
        let moved = tensor.permuted(&[2, 0, 1]).unwrap();
        assert_eq!(moved.shape(), [4, 2, 3]);
        // Place (c, a, b) of the result is place (a, b, c) of the source: 12 a + 4 b + c.
        assert_eq!(moved.data()[0..7], [0.0, 4.0, 8.0, 12.0, 16.0, 20.0, 1.0]);
        assert_eq!(moved.permuted(&[1, 2, 0]).unwrap(), tensor);
    }

    #[test]
    fn wrong_lengths_and_orders_are_refused() {
        assert!(Tensor::new(&[2, 2], vec![0.0; 3]).is_err());
        assert!(Tensor::new(&[usize::MAX, 2], vec![0.0; 3]).is_err());
        assert!(Tensor::new(&[], vec![1.0]).is_ok());
        let tensor = Tensor::from_fn(&[2, 2], |_| 0.0);
        assert!(tensor.permuted(&[0, 0]).is_err());
        assert!(tensor.permuted(&[0]).is_err());
    }
}
