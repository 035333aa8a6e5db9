//! The layers of a weight file by name, whatever the numbers that Keras hung behind the names.

use std::collections::BTreeMap;

use crate::net::{Affine, BatchNorm, ShapeError, Tensor};

/// Epsilon of the authors' batch normalisation: Keras' own.
pub(super) const KERAS_EPSILON: f32 = 1e-3;

/// Tensors by layer (`conv2d_12`) and name (`kernel`).
#[derive(Clone, Debug, Default)]
pub(super) struct LayerTable {
    layers: BTreeMap<String, Layer>,
}

/// The tensors of one layer.
#[derive(Clone, Debug, Default)]
pub(super) struct Layer {
    name: String,
    tensors: BTreeMap<String, Tensor>,
}

impl LayerTable {
    pub(super) fn insert(&mut self, layer: &str, tensor_name: &str, tensor: Tensor) {
        let entry = self.layers.entry(layer.to_owned()).or_default();
        layer.clone_into(&mut entry.name);
        entry.tensors.insert(tensor_name.to_owned(), tensor);
    }

    /// The first layer with a number in it that is none. A relu may hide it from the self-check.
    pub(super) fn check_finite(&self) -> Result<(), String> {
        match self.layers.values().find(|layer| !layer.tensors.values().all(Tensor::is_finite)) {
            Some(layer) => Err(format!("the layer {} holds a number that is not finite", layer.name)),
            None => Ok(()),
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.layers.keys().map(String::as_str)
    }

    /// The layers whose names begin so, without that.
    pub(super) fn without_prefix(self, prefix: &str) -> Self {
        let bare = |(name, layer): (String, Layer)| {
            let name = name.strip_prefix(prefix)?.to_owned();
            Some((name.clone(), Layer { name, ..layer }))
        };
        Self { layers: self.layers.into_iter().filter_map(bare).collect() }
    }

    pub(super) fn contains(&self, layer: &str) -> bool {
        self.layers.contains_key(layer)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// The layer that has one of these names.
    pub(super) fn named(&self, names: &[&str]) -> Result<&Layer, ShapeError> {
        names
            .iter()
            .find_map(|&name| self.layers.get(name))
            .ok_or_else(|| ShapeError(format!("the layer {} is missing", names.join(" or "))))
    }

    /// The layers of one kind (`conv2d`, `conv2d_1`, ...; MXNet: `convolution0`, ...) in the order in which the program made them: Keras counts up
    /// within one session, so only the order of the numbers means something. There must be `N`.
    pub(super) fn numbered<const N: usize>(&self, kind: &str) -> Result<[&Layer; N], ShapeError> {
        let mut found: Vec<(u32, &Layer)> = self
            .layers
            .values()
            .filter_map(|layer| match layer.name.strip_prefix(kind)? {
                "" => Some((0, layer)),
                suffix => Some((suffix.strip_prefix('_').unwrap_or(suffix).parse().ok()?, layer)),
            })
            .collect();
        found.sort_by_key(|&(number, _)| number);
        let found: Vec<&Layer> = found.into_iter().map(|(_, layer)| layer).collect();
        let count = found.len();
        found.try_into().map_err(|_| ShapeError(format!("{count} layers {kind} where the network has {N}")))
    }
}

impl Layer {
    pub(super) fn tensor(&self, name: &str) -> Result<&Tensor, ShapeError> {
        self.tensors.get(name).ok_or_else(|| ShapeError(format!("the layer {} has no {name}", self.name)))
    }

    /// A convolution or fully connected layer.
    pub(super) fn affine(&self) -> Result<Affine, ShapeError> {
        Ok(Affine { kernel: self.tensor("kernel")?.clone(), bias: self.tensor("bias")?.clone() })
    }

    /// A batch normalisation. Its epsilon is a setting of the program that the file does not store.
    pub(super) fn batch_norm(&self, epsilon: f32) -> Result<BatchNorm, ShapeError> {
        Ok(BatchNorm {
            gamma: self.tensor("gamma")?.clone(),
            beta: self.tensor("beta")?.clone(),
            mean: self.tensor("moving_mean")?.clone(),
            variance: self.tensor("moving_variance")?.clone(),
            epsilon,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_order_of_the_numbers_counts() {
        let mut table = LayerTable::default();
        for (value, name) in [(2.0, "conv2d_10"), (1.0, "conv2d_9"), (0.0, "conv2d"), (9.0, "conv2d_x"), (9.0, "dense")]
        {
            table.insert(name, "kernel", Tensor::from_fn(&[], |_| value));
        }
        let layers: [&Layer; 3] = table.numbered("conv2d").unwrap();
        let values = layers.map(|layer| layer.tensor("kernel").unwrap().data()[0]);
        assert_eq!(values, [0.0, 1.0, 2.0]);
        assert!(table.numbered::<2>("conv2d").unwrap_err().0.contains("3 layers conv2d"));
        assert!(table.named(&["pred", "pred_a"]).unwrap_err().0.contains("pred or pred_a"));
    }
}
