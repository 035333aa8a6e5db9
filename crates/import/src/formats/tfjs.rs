//! TensorFlow.js graph models: a .json with the graph and the list of weights, and .bin files with their numbers.

use std::path::{Path, PathBuf};

use facelens_core::model::{ModelError, ModelErrorKind, Task, guard, read_capped};
use serde::Deserialize;

use super::cards::{self, Facts};
use super::layer_table::LayerTable;
use super::self_check::self_check;
use super::ssr_layers::{self, AGE_RANGE};
use super::tfjs_graph::{GraphModel, GraphWeights};
use super::tfjs_node::TfjsNode;
use super::{Imported, Layers, corrupt, wrong_shape};
use crate::net::ssr_net::SsrNetWeights;
use crate::net::{ShapeError, Tensor};

/// Largest .json that is parsed; the published ones have 0.1 MB.
const LARGEST_JSON_BYTES: usize = 16 << 20;
/// Most bytes of weights in all .bin files together; the published ones have 0.2 MB.
const LARGEST_WEIGHT_BYTES: u64 = 64 << 20;
/// Most .bin files and most tensors; the published models have 1 and 66.
const LARGEST_FILE_COUNT: usize = 64;
const LARGEST_WEIGHT_COUNT: usize = 2_000;
/// No tensor of these networks has more axes.
const LARGEST_RANK: usize = 8;

/// The .json of a graph model, as far as it matters here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ModelJson {
    model_topology: Topology,
    weights_manifest: Vec<WeightGroup>,
}

#[derive(Deserialize)]
struct Topology {
    node: Vec<TfjsNode>,
}

#[derive(Deserialize)]
struct WeightGroup {
    paths: Vec<String>,
    weights: Vec<WeightEntry>,
}

#[derive(Deserialize)]
struct WeightEntry {
    name: String,
    shape: Vec<usize>,
    dtype: String,
    quantization: Option<serde_json::Value>,
}

/// Whether the bytes are the .json of a graph model.
pub(super) fn is_graph_model(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    text.starts_with(b"{") && bytes.windows(15).any(|window| window == b"\"modelTopology\"")
}

/// Takes a folder with one graph model in it, or with one for `task`.
pub(super) fn import_folder(folder: &Path, task: Option<Task>) -> Result<Imported, ModelError> {
    let io_error =
        |cause: std::io::Error| ModelError::new(ModelErrorKind::Io, folder, format!("cannot be read: {cause}"), "");
    let mut models = Vec::new();
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.path())).collect())
        .map_err(io_error)?;
    files.sort();
    for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "json")) {
        let bytes = read_capped(file, guard::MAX_FILE_BYTES)?;
        if is_graph_model(&bytes) {
            models.push((file, import(file, &bytes)?));
        }
    }
    if let Some(task) = task {
        models.retain(|(_, imported)| imported.card.serves(task));
    }
    let names: Vec<String> = models.iter().map(|(file, _)| file.display().to_string()).collect();
    match <[_; 1]>::try_from(models) {
        Ok([(_, imported)]) => Ok(imported),
        Err(models) if models.is_empty() => Err(ModelError::new(
            ModelErrorKind::UnknownFormat,
            folder,
            "no TensorFlow.js graph model for this task in the folder",
            "give the model's own file",
        )),
        Err(_) => Err(ModelError::new(
            ModelErrorKind::UnknownFormat,
            folder,
            "more than one model in the folder",
            format!("give one of {}", names.join(", ")),
        )),
    }
}

pub(super) fn import(file: &Path, bytes: &[u8]) -> Result<Imported, ModelError> {
    let (graph, weight_bytes) = read_graph(file, bytes)?;
    let (task, net) = ssr_net(&graph).map_err(|ShapeError(cause)| wrong_shape(file, cause))?;
    let onnx = net.to_onnx().map_err(|ShapeError(cause)| wrong_shape(file, cause))?;
    let card = cards::ssr_net(file, task, &Facts::of(&weight_bytes), &onnx);
    let self_check = self_check(file, &onnx, &card.input, |face| graph.run(face))?;
    Ok(Imported { card, onnx, self_check: Some(self_check) })
}

pub(super) fn layers(file: &Path, bytes: &[u8]) -> Result<Layers, ModelError> {
    let (graph, _) = read_graph(file, bytes)?;
    let (task, net) = ssr_net(&graph).map_err(|ShapeError(cause)| wrong_shape(file, cause))?;
    Ok(Layers::SsrNet { task, net: Box::new(net) })
}

/// The graph and the bytes of its weights.
fn read_graph(file: &Path, bytes: &[u8]) -> Result<(GraphModel, Vec<u8>), ModelError> {
    if bytes.len() > LARGEST_JSON_BYTES {
        return Err(ModelError::new(ModelErrorKind::TooLarge, file, "a graph of more than 16 MiB", ""));
    }
    let json: ModelJson = serde_json::from_slice(bytes)
        .map_err(|error| corrupt(file, format!("broken TensorFlow.js graph model: {error}")))?;
    let (weights, weight_bytes) = read_weights(file, &json.weights_manifest)?;
    let graph = GraphModel::new(json.model_topology.node, weights).map_err(|cause| corrupt(file, cause.0))?;
    Ok((graph, weight_bytes))
}

/// Recovers the layers. The converter folded the batch normalisation into the convolutions and renamed most weights to
/// `unknown_47`, but either the weights or the node that uses them still carries the layer's name.
fn ssr_net(graph: &GraphModel) -> Result<(Task, SsrNetWeights), ShapeError> {
    let mut table = LayerTable::default();
    for node in graph.nodes() {
        let kind = match node.op.as_str() {
            "_FusedConv2D" => "conv2d",
            "_FusedMatMul" => "",
            _ => continue,
        };
        let [_, kernel, bias] = node.input.as_slice() else { continue };
        let layer =
            parent(kernel).filter(|name| !kind.is_empty() && name.starts_with(kind)).or_else(|| parent(&node.name));
        if let Some(layer) = layer {
            table.insert(layer, "kernel", graph.weight(kernel)?.clone());
            table.insert(layer, "bias", graph.weight(bias)?.clone());
        }
    }
    let (task, net) = ssr_layers::keras_ssr_net(&table)?;
    let years = graph.weights().any(|tensor| tensor.shape().is_empty() && tensor.data() == [AGE_RANGE]);
    if years == (task == Task::Age) {
        Ok((task, net))
    } else {
        Err(ShapeError(format!("the layers are those of the {task} network, but the range of the output is not")))
    }
}

/// `conv2d_4` of `functional_1/conv2d_4/Conv2D_weights`.
fn parent(name: &str) -> Option<&str> {
    name.rsplit('/').nth(1)
}

/// Reads the weights and gives them with the bytes that they came from.
fn read_weights(file: &Path, groups: &[WeightGroup]) -> Result<(GraphWeights, Vec<u8>), ModelError> {
    let too_large =
        |cause: String| ModelError::new(ModelErrorKind::TooLarge, file, cause, "give the file of an SSR-Net");
    let paths: Vec<&String> = groups.iter().flat_map(|group| &group.paths).collect();
    let count: usize = groups.iter().map(|group| group.weights.len()).sum();
    if paths.len() > LARGEST_FILE_COUNT || count > LARGEST_WEIGHT_COUNT {
        return Err(too_large(format!("{} files of weights and {count} weights are named in it", paths.len())));
    }
    if let Some((_, twice)) = paths.iter().enumerate().find(|(index, path)| paths[..*index].contains(path)) {
        return Err(corrupt(file, format!("{twice} is named twice in it")));
    }
    let mut weights = GraphWeights::new();
    let mut all_bytes = Vec::new();
    for group in groups {
        let mut bytes = Vec::new();
        for path in &group.paths {
            bytes.extend(read_capped(&neighbour(file, path)?, LARGEST_WEIGHT_BYTES)?);
            if (all_bytes.len() + bytes.len()) as u64 > LARGEST_WEIGHT_BYTES {
                return Err(too_large(format!("it has more than {} MiB of weights", LARGEST_WEIGHT_BYTES >> 20)));
            }
        }
        let mut rest = bytes.as_slice();
        for entry in &group.weights {
            let (tensor, remaining) = read_weight(entry, rest)
                .map_err(|cause| corrupt(file, format!("the weight {}: {cause}", entry.name)))?;
            weights.insert(entry.name.clone(), tensor);
            rest = remaining;
        }
        if !rest.is_empty() {
            return Err(corrupt(file, format!("{} bytes of weights too many", rest.len())));
        }
        all_bytes.extend(bytes);
    }
    Ok((weights, all_bytes))
}

/// A file beside the .json: a model has no business elsewhere on the disk.
fn neighbour(file: &Path, name: &str) -> Result<PathBuf, ModelError> {
    let outside = || corrupt(file, format!("its weights lie outside its folder, in {name}"));
    if Path::new(name).file_name().is_none_or(|plain| plain != name) {
        return Err(outside());
    }
    let neighbour = file.with_file_name(name);
    // A link may lead anywhere; where the .json is one itself, its target's folder is as good (a cache of downloads).
    let folder = |path: &Path| path.canonicalize().ok()?.parent().map(Path::to_owned);
    let own_folder = neighbour.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match folder(&neighbour) {
        Some(real)
            if folder(file).as_ref() != Some(&real) && own_folder.canonicalize().ok().as_ref() != Some(&real) =>
        {
            Err(outside())
        }
        // One that is not there is told by who reads it.
        _ => Ok(neighbour),
    }
}

fn read_weight<'a>(entry: &WeightEntry, bytes: &'a [u8]) -> Result<(Tensor, &'a [u8]), String> {
    if entry.quantization.is_some() {
        return Err("is quantised; facelens reads float32 only".to_owned());
    }
    let decode: fn([u8; 4]) -> f32 = match entry.dtype.as_str() {
        "float32" => f32::from_le_bytes,
        // Shapes and indices: small numbers, exact in float32.
        "int32" => |bytes| i32::from_le_bytes(bytes) as f32,
        other => return Err(format!("has the type {other}; facelens reads float32 and int32")),
    };
    if entry.shape.len() > LARGEST_RANK {
        return Err(format!("has {} axes", entry.shape.len()));
    }
    // A shape with a zero in it may have any other axes and costs nothing, until something is done place by place.
    if entry.shape.contains(&0) {
        return Err("is empty".to_owned());
    }
    let length = entry.shape.iter().try_fold(4_usize, |product, &axis| product.checked_mul(axis));
    let (own, rest) = length.and_then(|length| bytes.split_at_checked(length)).ok_or("is truncated")?;
    let (values, _) = own.as_chunks::<4>();
    let tensor = Tensor::new(&entry.shape, values.iter().map(|&value| decode(value)).collect());
    let tensor = tensor.map_err(|ShapeError(cause)| cause)?;
    if tensor.is_finite() { Ok((tensor, rest)) } else { Err("holds a number that is not finite".to_owned()) }
}
