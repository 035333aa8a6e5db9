//! How Keras 3 stores weights: `LAYER/vars/0`, `LAYER/vars/1`, in `.weights.h5` and in the zip `.keras`.
//!
//! Tensors have numbers in place of names, and in files of some versions the groups are called by the kinds of layers; the
//! layers' own names then stand in attributes or in the zip's `config.json`.

use std::collections::{BTreeMap, HashMap};
use std::io::{Cursor, Read as _};
use std::path::Path;

use facelens_core::model::{ModelError, guard};
use serde_json::Value;
use zip::ZipArchive;

use super::corrupt;
use crate::net::Tensor;

/// The largest `config.json` that is read; the published networks have 50 KB.
const LARGEST_CONFIG_BYTES: u64 = 16 << 20;

/// Whether the bytes are a zip with the weights of a Keras model.
pub(super) fn is_keras_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
        && ZipArchive::new(Cursor::new(bytes)).is_ok_and(|zip| zip.index_for_name(WEIGHTS).is_some())
}

const WEIGHTS: &str = "model.weights.h5";

/// The weights in a zip, and the names of its layers.
///
/// # Errors
/// A zip that is damaged, or holds more than any of these networks.
pub(super) fn unzip(file: &Path, bytes: &[u8]) -> Result<(Vec<u8>, GroupNames), ModelError> {
    let broken = |cause: String| corrupt(file, format!("a damaged .keras: {cause}"));
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(|error| broken(error.to_string()))?;
    let mut read = |name: &str, most: u64| {
        let entry = zip.by_name(name).map_err(|error| broken(format!("{name}: {error}")))?;
        let mut content = Vec::new();
        entry.take(most + 1).read_to_end(&mut content).map_err(|error| broken(format!("{name}: {error}")))?;
        if content.len() as u64 > most {
            return Err(broken(format!("{name} is too large")));
        }
        Ok(content)
    };
    let weights = read(WEIGHTS, guard::MAX_FILE_BYTES)?;
    let config = read("config.json", LARGEST_CONFIG_BYTES).unwrap_or_default();
    Ok((weights, GroupNames::of_config(&config)))
}

/// The layers' own names by the groups in which their tensors are (`functional/conv2d_1`).
#[derive(Debug, Default)]
pub(super) struct GroupNames {
    by_group: HashMap<String, String>,
}

impl GroupNames {
    /// Out of a model's `config.json`. Keras calls the groups by kind and count, in the order of the layers.
    fn of_config(config: &[u8]) -> Self {
        let mut names = Self::default();
        if let Ok(config) = serde_json::from_slice::<Value>(config) {
            names.add(&config["config"]["layers"], "", 0);
        }
        names
    }

    fn add(&mut self, layers: &Value, prefix: &str, depth: usize) {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for layer in layers.as_array().into_iter().flatten() {
            let Some(kind) = layer["class_name"].as_str().map(snake_case) else { continue };
            let count = counts.entry(kind.clone()).or_default();
            let group = if *count == 0 { format!("{prefix}{kind}") } else { format!("{prefix}{kind}_{count}") };
            *count += 1;
            if let Some(name) = layer["config"]["name"].as_str() {
                self.by_group.insert(group.clone(), name.to_owned());
            }
            if depth < 3 {
                self.add(&layer["config"]["layers"], &format!("{group}/"), depth + 1);
            }
        }
    }

    /// The name of the layer in a group, by its path without the containers.
    pub(super) fn of(&self, group: &str) -> Option<&str> {
        self.by_group.get(group).map(String::as_str)
    }
}

/// `SeparableConv2D` as Keras writes it in paths: `separable_conv2d`.
fn snake_case(name: &str) -> String {
    let letters: Vec<char> = name.chars().filter(|letter| letter.is_alphanumeric() || *letter == '_').collect();
    let mut snake = String::new();
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| letters[before]);
        let after = letters.get(at + 1);
        let begins = letter.is_uppercase()
            && before.is_some_and(|before| {
                before.is_lowercase() || (before != '_' && after.is_some_and(|after| after.is_lowercase()))
            });
        if begins {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// A layer's tensors by their numbers.
#[derive(Debug)]
pub(super) struct NumberedLayer {
    pub model: String,
    pub layer: String,
    pub tensors: BTreeMap<u32, Tensor>,
}

/// Gives the tensors of all layers their names: model, layer, name and tensor.
pub(super) fn named(layers: Vec<NumberedLayer>) -> Vec<(String, String, &'static str, Tensor)> {
    let by_name = is_by_name(&layers);
    let mut named = Vec::new();
    for NumberedLayer { model, layer, tensors } in layers {
        let tensors: Vec<Tensor> = tensors.into_values().collect();
        for (name, tensor) in names(&tensors, by_name).into_iter().zip(tensors) {
            for &name in name {
                named.push((model.clone(), layer.clone(), name, tensor.clone()));
            }
        }
    }
    named
}

/// Whether the numbers go by the tensors' names (bias before kernel), as in files that were converted, and not by the order
/// in which Keras makes them (kernel before bias).
fn is_by_name(layers: &[NumberedLayer]) -> bool {
    let pairs = layers.iter().filter_map(|layer| {
        let ranks: Vec<usize> = layer.tensors.values().map(|tensor| tensor.shape().len()).collect();
        if let [first, second] = ranks[..] { Some((first, second)) } else { None }
    });
    let (mut kernels, mut biases) = (0, 0);
    for (first, second) in pairs {
        kernels += usize::from(first > second);
        biases += usize::from(first < second);
    }
    biases > kernels
}

/// The names that each of a layer's tensors may have.
fn names(tensors: &[Tensor], by_name: bool) -> Vec<&'static [&'static str]> {
    let ranks: Vec<usize> = tensors.iter().map(|tensor| tensor.shape().len()).collect();
    match ranks[..] {
        [1, 1, 1, 1] if by_name => vec![&["beta"], &["gamma"], &["moving_mean"], &["moving_variance"]],
        [1, 1, 1, 1] => vec![&["gamma"], &["beta"], &["moving_mean"], &["moving_variance"]],
        [4, 4, 1] => vec![&["depthwise_kernel"], &["pointwise_kernel"], &["bias"]],
        [1, 4, 4] => vec![&["bias"], &["depthwise_kernel"], &["pointwise_kernel"]],
        [first, second] if first < second => vec![&["bias"], &["kernel"]],
        [_, _] => vec![&["kernel"], &["bias"]],
        // The only tensor of a layer: FSA-Net's own kinds have names for it.
        [_] => vec![&["kernel", "W", "kernel_type1", "kernel_type2"]],
        _ => vec![&[]; tensors.len()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_of_layers_are_written_as_keras_writes_them() {
        for (name, snake) in [
            ("Conv2D", "conv2d"),
            ("BatchNormalization", "batch_normalization"),
            ("AveragePooling2D", "average_pooling2d"),
            ("SeparableConv2D", "separable_conv2d"),
            ("Dense", "dense"),
            ("InputLayer", "input_layer"),
            ("Functional", "functional"),
        ] {
            assert_eq!(snake_case(name), snake);
        }
    }

    #[test]
    fn layers_are_named_by_the_model_s_configuration() {
        let config = br#"{"config": {"layers": [
            {"class_name": "InputLayer", "config": {"name": "x"}},
            {"class_name": "Conv2D", "config": {"name": "conv2d_7"}},
            {"class_name": "Conv2D", "config": {"name": "conv2d_9"}},
            {"class_name": "Functional", "config": {"name": "inner", "layers": [
                {"class_name": "Dense", "config": {"name": "pred"}}]}}]}}"#;
        let names = GroupNames::of_config(config);
        assert_eq!((names.of("conv2d"), names.of("conv2d_1")), (Some("conv2d_7"), Some("conv2d_9")));
        assert_eq!((names.of("functional"), names.of("functional/dense")), (Some("inner"), Some("pred")));
        assert_eq!(GroupNames::of_config(b"{}").of("conv2d"), None);
    }

    fn layer(shapes: &[&[usize]]) -> NumberedLayer {
        let tensors = shapes.iter().zip(0..).map(|(shape, number)| (number, Tensor::from_fn(shape, |_| 0.0))).collect();
        NumberedLayer { model: String::new(), layer: "l".into(), tensors }
    }

    fn told(layers: Vec<NumberedLayer>) -> Vec<&'static str> {
        named(layers).into_iter().map(|(_, _, name, _)| name).collect()
    }

    #[test]
    fn tensors_are_named_by_their_shapes_and_the_file_s_own_order() {
        let norm = || layer(&[&[3], &[3], &[3], &[3]]);
        assert_eq!(
            told(vec![layer(&[&[3, 3, 1, 3], &[3]]), norm()]),
            ["kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance"]
        );
        assert_eq!(
            told(vec![layer(&[&[3], &[3, 3, 1, 3]]), norm()]),
            ["bias", "kernel", "beta", "gamma", "moving_mean", "moving_variance"]
        );
        let separable = layer(&[&[3, 3, 4, 1], &[1, 1, 4, 8], &[8]]);
        assert_eq!(told(vec![separable]), ["depthwise_kernel", "pointwise_kernel", "bias"]);
        assert!(told(vec![layer(&[&[1], &[2], &[3]])]).is_empty());
    }
}
