//! Reads the weights of the GL-CNN that circulates in PyTorch, from a safetensors file.
//!
//! PyTorch's own files (`.pth`) are pickles, which are programs; this format is numbers. Whoever has such a file makes one of it by
//!
//! ```python
//! import torch; from safetensors.torch import save_file
//! save_file({k: v.contiguous() for k, v in torch.load("x.pth", map_location="cpu").items()}, "x.safetensors")
//! ```
//!
//! Format (<https://github.com/huggingface/safetensors>): length of the header in bytes, u64 little endian; the header, JSON, with
//! `dtype`, `shape` and `data_offsets` of each tensor; the numbers.

use std::collections::BTreeMap;
use std::path::Path;

use facelens_core::model::guard::MAX_FILE_BYTES;
use facelens_core::model::{ModelError, ModelErrorKind, read_capped};
use facelens_import::net::gl_cnn::{
    AgeHead, FIRST_WINDOW, GLOBAL_WINDOW, GenderHead, GlCnnParts, GlCnnWeights, JOINED_MAP, JOINED_WINDOW, LOCAL_WINDOW,
};
use facelens_import::net::{Affine, Tensor};
use serde::Deserialize;

/// Largest header, bytes.
const MAX_HEADER_BYTES: usize = 1 << 20;

/// Reads the weights of a GL-CNN as it circulates, with one network for head, body and legs. The names of the tensors do not
/// matter but for `.weight` and `.bias` and for which of the two first convolutions is whose: the one whose name is more like
/// that of the local second convolution is the local one.
///
/// # Errors
/// [`ModelError`] where the file cannot be read, is no safetensors file, or holds another network.
pub fn read_weights(file: &Path) -> Result<GlCnnWeights, ModelError> {
    let bytes = read_capped(file, MAX_FILE_BYTES)?;
    let corrupt = |cause| ModelError::new(ModelErrorKind::Corrupt, file, cause, "make the file again from its source");
    let tensors = tensors(&bytes).map_err(corrupt)?;
    let wrong = |cause: String| {
        ModelError::new(
            ModelErrorKind::WrongShape,
            file,
            cause,
            "give the weights of a GL-CNN with shared local weights",
        )
    };
    let net = network(layers(tensors).map_err(wrong)?).map_err(wrong)?;
    net.validate().map_err(|error| wrong(error.to_string()))?;
    Ok(net)
}

/// What the header says of a tensor.
#[derive(Deserialize)]
struct TensorEntry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: [usize; 2],
}

/// The tensors of a file by their names.
fn tensors(bytes: &[u8]) -> Result<BTreeMap<String, Tensor>, String> {
    let (length, rest) = bytes.split_first_chunk::<8>().ok_or("it is too short for a safetensors file")?;
    let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
    if length > MAX_HEADER_BYTES {
        return Err("it is not a safetensors file, or its header is too long".to_owned());
    }
    let (header, numbers) = rest.split_at_checked(length).ok_or("its header is cut off")?;
    let header: BTreeMap<String, serde_json::Value> =
        serde_json::from_slice(header).map_err(|error| format!("it is not a safetensors file ({error})"))?;
    let mut tensors = BTreeMap::new();
    for (name, value) in header {
        if name == "__metadata__" {
            continue;
        }
        let entry: TensorEntry =
            serde_json::from_value(value).map_err(|error| format!("its header says of `{name}`: {error}"))?;
        if entry.dtype != "F32" {
            return Err(format!("`{name}` holds {}; save it as 32-bit floats (`v.float()`)", entry.dtype));
        }
        let [from, to] = entry.data_offsets;
        let own = numbers.get(from..to).ok_or_else(|| format!("the numbers of `{name}` are cut off"))?;
        let (values, over) = own.as_chunks::<4>();
        let values: Vec<f32> = values.iter().map(|value| f32::from_le_bytes(*value)).collect();
        let tensor = Tensor::new(&entry.shape, values).map_err(|error| format!("`{name}`: {error}"))?;
        if !over.is_empty() || !tensor.is_finite() {
            return Err(format!("`{name}` holds a number that is not finite"));
        }
        tensors.insert(name, tensor);
    }
    Ok(tensors)
}

/// Kernels with their biases, by the part of their names in front of `.weight`.
fn layers(mut tensors: BTreeMap<String, Tensor>) -> Result<Vec<(String, Affine)>, String> {
    let mut layers = Vec::new();
    let names: Vec<String> =
        tensors.keys().filter_map(|name| name.strip_suffix(".weight").map(str::to_owned)).collect();
    for name in names {
        let kernel = tensors.remove(&format!("{name}.weight"));
        let bias = tensors.remove(&format!("{name}.bias"));
        let (Some(kernel), Some(bias)) = (kernel, bias) else { return Err(format!("`{name}` has no bias")) };
        layers.push((name, Affine { kernel, bias }));
    }
    match tensors.into_keys().next() {
        Some(name) => Err(format!("`{name}` belongs to no layer of the network")),
        None => Ok(layers),
    }
}

/// Puts the layers in their places by their shapes.
fn network(mut layers: Vec<(String, Affine)>) -> Result<GlCnnWeights, String> {
    let mut take = |what: &str, fits: &dyn Fn(&[usize]) -> bool| {
        let place = layers.iter().position(|(_, layer)| fits(layer.kernel.shape()));
        place.map(|place| layers.remove(place)).ok_or_else(|| format!("there is no {what}"))
    };
    let window = |[rows, columns]: [usize; 2]| move |shape: &[usize]| matches!(shape, [_, inputs, r, c] if *inputs > 1 && [*r, *c] == [rows, columns]);
    let (global_name, global) = take("second global convolution (7x7)", &window(GLOBAL_WINDOW))?;
    let (local_name, local) = take("second local convolution (5x7)", &window(LOCAL_WINDOW))?;
    let (_, joined) = take("convolution behind both (5x5)", &window(JOINED_WINDOW))?;
    let is_first = |shape: &[usize]| matches!(shape, [_, 1, r, c] if [*r, *c] == FIRST_WINDOW);
    let first = take("first convolution (7x7 of one channel)", &is_first)?;
    let second = take("other first convolution (7x7 of one channel)", &is_first)?;
    let straight = alike(&first.0, &global_name) + alike(&second.0, &local_name);
    let crossed = alike(&second.0, &global_name) + alike(&first.0, &local_name);
    let (global_first, local_first) = match straight.cmp(&crossed) {
        std::cmp::Ordering::Greater => (first.1, second.1),
        std::cmp::Ordering::Less => (second.1, first.1),
        std::cmp::Ordering::Equal => {
            let names = format!("`{}` or `{}`", first.0, second.0);
            return Err(format!(
                "it is not clear which of {names} is the local first convolution; name it like `{local_name}`"
            ));
        }
    };
    let flat = joined.bias.data().len() * JOINED_MAP[0] * JOINED_MAP[1];
    let (_, hidden) = take("first hidden layer", &|shape| matches!(shape, [_, inputs] if *inputs == flat))?;
    let (_, gender) = take("gender layer", &|shape| matches!(shape, [2, _]))?;
    let width = hidden.bias.data().len();
    let features = gender.kernel.shape()[1];
    // The wider of what is left answers for the next layer where both are as wide.
    let (_, second_hidden) =
        take("second hidden layer", &|shape| matches!(shape, [out, inputs] if [*out, *inputs] == [features, width]))?;
    let (_, age) = take("age layer", &|shape| matches!(shape, [_, inputs] if *inputs == features))?;
    if let Some((name, _)) = layers.first() {
        return Err(format!("`{name}` is a layer too many"));
    }
    Ok(GlCnnWeights {
        parts: GlCnnParts::Shared,
        global: [global_first, global],
        local: vec![[local_first, local]],
        joined,
        hidden: [hidden, second_hidden],
        age: AgeHead::Independent(age),
        gender: GenderHead::Classes(gender),
    })
}

/// How many letters two names have in common before they part.
fn alike(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// Names and kernels of a narrow network as it circulates; a bias belongs to each.
    const LAYERS: [(&str, &[usize]); 9] = [
        ("global_net.0", &[3, 1, 7, 7]),
        ("global_net.3", &[5, 3, 7, 7]),
        ("local_net.0", &[3, 1, 7, 7]),
        ("local_net.3", &[4, 3, 5, 7]),
        ("joined.0", &[4, 9, 5, 5]),
        ("fc.0", &[7, 160]),
        ("fc.3", &[6, 7]),
        ("age", &[9, 6]),
        ("gender", &[2, 6]),
    ];

    fn numbers(shape: &[usize], seed: usize) -> Tensor {
        Tensor::from_fn(shape, |i| ((i * 7919 + seed * 104_729) % 2003) as f32 / 4004.0 - 0.25)
    }

    fn write(folder: &Path, layers: &[(&str, &[usize])]) -> PathBuf {
        let (mut header, mut data) = (serde_json::Map::new(), Vec::new());
        header.insert("__metadata__".into(), serde_json::json!({ "format": "pt" }));
        for (seed, (name, shape)) in layers.iter().enumerate() {
            for (part, shape) in [("weight", *shape), ("bias", &shape[..1])] {
                let start = data.len();
                let tensor = numbers(shape, 2 * seed + usize::from(part == "bias"));
                data.extend(tensor.data().iter().flat_map(|value| value.to_le_bytes()));
                let entry = serde_json::json!({ "dtype": "F32", "shape": shape, "data_offsets": [start, data.len()] });
                header.insert(format!("{name}.{part}"), entry);
            }
        }
        let header = serde_json::to_vec(&header).unwrap();
        let file = folder.join("x.safetensors");
        std::fs::write(&file, [&(header.len() as u64).to_le_bytes()[..], &header, &data].concat()).unwrap();
        file
    }

    #[test]
    fn every_layer_comes_to_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let net = read_weights(&write(folder.path(), &LAYERS)).unwrap();
        let layer = |index: usize| Affine {
            kernel: numbers(LAYERS[index].1, 2 * index),
            bias: numbers(&LAYERS[index].1[..1], 2 * index + 1),
        };
        let expected = GlCnnWeights {
            parts: GlCnnParts::Shared,
            global: [layer(0), layer(1)],
            local: vec![[layer(2), layer(3)]],
            joined: layer(4),
            hidden: [layer(5), layer(6)],
            age: AgeHead::Independent(layer(7)),
            gender: GenderHead::Classes(layer(8)),
        };
        assert_eq!(net, expected);
        // The names of the first convolutions tell, not their order.
        let mut turned = LAYERS;
        (turned[0].0, turned[2].0) = ("zlocal", "global_x");
        (turned[1].0, turned[3].0) = ("global_y", "zlocal2");
        let net = read_weights(&write(folder.path(), &turned)).unwrap();
        assert_eq!((&net.global[0], &net.local[0][0]), (&layer(2), &layer(0)));
    }

    #[test]
    fn other_networks_and_damaged_files_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let refusal =
            |layers: &[(&str, &[usize])]| read_weights(&write(folder.path(), layers)).unwrap_err().to_string();
        assert!(refusal(&LAYERS[..8]).contains("there is no gender layer"));
        let mut same = LAYERS;
        (same[0].0, same[2].0) = ("a", "b");
        assert!(refusal(&same).contains("it is not clear which of `a` or `b`"), "{}", refusal(&same));
        let more: Vec<_> = LAYERS.into_iter().chain([("z", &[5_usize, 5] as &[usize])]).collect();
        assert!(refusal(&more).contains("`z` is a layer too many"));
        let file = write(folder.path(), &LAYERS);
        let whole = std::fs::read(&file).unwrap();
        let changed = |from: &str, to: &str| {
            let at = whole.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
            let mut bytes = whole.clone();
            bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
            bytes
        };
        for (bytes, words) in [
            (whole[..whole.len() - 5].to_vec(), "cut off"),
            (whole[..20].to_vec(), "cut off"),
            (whole[..4].to_vec(), "too short"),
            (vec![0xff; 40], "header is too long"),
            (changed("\"F32\"", "\"F64\""), "holds F64"),
            (changed("\"shape\":[", "\"shepe\":["), "its header says of"),
            (changed("[9,6]", "[9,7]"), "do not fill the shape"),
        ] {
            std::fs::write(&file, bytes).unwrap();
            let error = read_weights(&file).unwrap_err();
            assert!(error.to_string().contains(words), "{words}: {error}");
        }
    }
}
