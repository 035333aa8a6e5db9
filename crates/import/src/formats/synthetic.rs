//! Networks with made-up weights, written in each of the formats: tests need no published file.

use std::collections::BTreeMap;

use facelens_core::model::Task;
use hdf5_pure::{AttrValue, FileBuilder};
use serde_json::{Value, json};
use tract_onnx::prelude::f16;

use crate::net::Tensor;

/// One tensor of a file: nested model (empty where there is none), layer, name, numbers.
pub(super) type StoredTensor = (String, String, &'static str, Tensor);

/// Makes the same numbers every time.
struct Numbers(u64);

impl Numbers {
    /// Between -1 and 1.
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }

    /// A kernel that keeps the size of what goes in.
    fn kernel(&mut self, shape: &[usize], gain: f32) -> Tensor {
        let inputs: usize = shape[..shape.len() - 1].iter().product();
        let scale = gain * (3.0 / inputs as f32).sqrt();
        Tensor::from_fn(shape, |_| scale * self.next())
    }

    fn around(&mut self, length: usize, middle: f32, spread: f32) -> Tensor {
        Tensor::from_fn(&[length], |_| middle + spread * self.next())
    }
}

/// Collects the layers of a network.
struct LayerCollector {
    numbers: Numbers,
    model: String,
    entries: Vec<StoredTensor>,
}

impl LayerCollector {
    fn new(seed: u64) -> Self {
        Self { numbers: Numbers(seed), model: String::new(), entries: Vec::new() }
    }

    fn push(&mut self, layer: &str, name: &'static str, tensor: Tensor) {
        self.entries.push((self.model.clone(), layer.to_owned(), name, tensor));
    }

    fn affine(&mut self, layer: &str, shape: &[usize], gain: f32) {
        let (kernel, bias) = (self.numbers.kernel(shape, gain), self.numbers.around(shape[shape.len() - 1], 0.3, 0.2));
        self.push(layer, "kernel", kernel);
        self.push(layer, "bias", bias);
    }

    fn norm(&mut self, layer: &str, channels: usize) {
        for (name, middle) in [("gamma", 1.0), ("beta", 0.0), ("moving_mean", 0.0), ("moving_variance", 1.0)] {
            let tensor = self.numbers.around(channels, middle, 0.4);
            self.push(layer, name, tensor);
        }
    }
}

/// The layers of the authors' SSR-Net under Keras' names, counted from `first` as a second network in one session is.
pub(super) fn ssr_net(task: Task, first: usize, with_norms: bool) -> Vec<StoredTensor> {
    let mut layers = LayerCollector::new(7);
    let streams = [32, 32, 32, 32, 16, 16, 16, 16];
    for (index, channels) in streams.into_iter().enumerate() {
        // Bytes go into the first convolutions.
        let (inputs, gain) = if index % 4 == 0 { (3, 0.01) } else { (channels, 1.0) };
        layers.affine(&format!("conv2d_{}", first + index), &[3, 3, inputs, channels], gain);
        if with_norms {
            layers.norm(&format!("batch_normalization_{}", first + index), channels);
        }
    }
    let pred = if task == Task::Age { "pred_age_stage" } else { "pred_stage" };
    for (stage, flat) in [160, 90, 90].into_iter().enumerate() {
        let number = stage + 1;
        layers.affine(&format!("conv2d_{}", first + 8 + 2 * stage), &[1, 1, 16, 10], 1.0);
        layers.affine(&format!("conv2d_{}", first + 9 + 2 * stage), &[1, 1, 32, 10], 1.0);
        layers.affine(&format!("dense_{}", first + 3 * stage), &[flat, 3], 1.0);
        layers.affine(&format!("dense_{}", first + 3 * stage + 1), &[flat, 3], 1.0);
        layers.affine(&format!("dense_{}", first + 3 * stage + 2), &[3, 6], 1.0);
        layers.affine(&format!("delta_s{number}"), &[flat, 1], 0.3);
        layers.affine(&format!("{pred}{number}"), &[6, 3], 0.5);
        layers.affine(&format!("local_delta_stage{number}"), &[6, 3], 0.5);
    }
    layers.entries
}

/// The variants of FSA-Net.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum FsaVariant {
    Convolution,
    Variance,
    None,
}

/// The layers of FSA-Net under Keras' names; smaller than the published one between scoring and capsules.
pub(super) fn fsa_net(scoring: FsaVariant, capsules: bool) -> Vec<StoredTensor> {
    let mut layers = LayerCollector::new(11);
    "ssr_G_model".clone_into(&mut layers.model);
    for index in 0..14 {
        let [inputs, outputs] = crate::net::fsa_net::BLOCK_CHANNELS[index % 7];
        let layer = format!("separable_conv2d_{}", index + 1);
        let gain = if index % 7 == 0 { 0.01 } else { 1.5 };
        let depthwise = layers.numbers.kernel(&[3, 3, inputs, 1], gain * (inputs as f32).sqrt());
        let pointwise = layers.numbers.kernel(&[1, 1, inputs, outputs], 1.0);
        let bias = layers.numbers.around(outputs, 0.1, 0.1);
        layers.push(&layer, "depthwise_kernel", depthwise);
        layers.push(&layer, "pointwise_kernel", pointwise);
        layers.push(&layer, "bias", bias);
        layers.norm(&format!("batch_normalization_{}", index + 1), outputs);
    }
    for (index, inputs) in [128, 128, 64, 64, 32, 32].into_iter().enumerate() {
        layers.affine(&format!("conv2d_{}", index + 1), &[1, 1, inputs, 64], 1.0);
    }
    let (m, combined) = (3, 4);
    let mut first_dense = 1;
    if scoring != FsaVariant::None {
        "ssr_S_model".clone_into(&mut layers.model);
        if scoring == FsaVariant::Convolution {
            layers.affine("conv2d_7", &[1, 1, 64, 1], 1.0);
        }
        layers.affine("dense_1", &[64, m * 192], 1.0);
        layers.affine("dense_2", &[192, combined * m], 1.0);
        first_dense = 3;
    }
    let count = if scoring == FsaVariant::None { 192 } else { 3 * combined };
    if capsules {
        "ssr_Cap_model".clone_into(&mut layers.model);
        let weights = layers.numbers.kernel(&[3, count, 16, 64], 8.0);
        layers.push("caps", "W", weights);
        "ssr_F_Cap_model".clone_into(&mut layers.model);
    } else {
        "ssr_Metric_model".clone_into(&mut layers.model);
        let (vectors, stages) = (layers.numbers.kernel(&[64, 16], 1.0), layers.numbers.kernel(&[count, 3], 1.0));
        layers.push("mat_mul_layer_1", "kernel_type1", vectors);
        layers.push("mat_mul_layer_2", "kernel_type2", stages);
        "ssr_F_model".clone_into(&mut layers.model);
    }
    for stage in 0..3 {
        layers.affine(&format!("dense_{}", first_dense + stage), &[8, 9], 1.0);
        layers.affine(&format!("delta_s{}", stage + 1), &[4, 3], 0.5);
        layers.affine(&format!("local_delta_stage{}", stage + 1), &[4, 3], 0.5);
    }
    layers.entries
}

/// A Keras weight file.
pub(super) fn hdf5(entries: &[StoredTensor]) -> Vec<u8> {
    let mut groups: BTreeMap<[&str; 2], Vec<&StoredTensor>> = BTreeMap::new();
    for entry in entries {
        let model = if entry.0.is_empty() { &entry.1 } else { &entry.0 };
        groups.entry([model, &entry.1]).or_default().push(entry);
    }
    let mut file = FileBuilder::new();
    let models: std::collections::BTreeSet<&str> = groups.keys().map(|[model, _]| *model).collect();
    for model in models {
        let mut outer = file.create_group(model);
        for ([_, layer], entries) in groups.iter().filter(|([name, _], _)| *name == model) {
            let mut inner = outer.create_group(layer);
            for (_, _, name, tensor) in entries {
                let shape: Vec<u64> = tensor.shape().iter().map(|&axis| axis as u64).collect();
                inner.create_dataset(&format!("{name}:0")).with_f32_data(tensor.data()).with_shape(&shape);
            }
            outer.add_group(inner.finish());
        }
        file.add_group(outer.finish());
    }
    file.finish().unwrap()
}

/// How a file of Keras 3 is written.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(clippy::enum_variant_names, reason = "each says by what the layers are found")]
pub(super) enum Keras3 {
    /// Groups have the layers' names, and tensors are numbered as Keras makes them.
    ByLayer,
    /// The same, but numbered by the tensors' names, as in files that were converted.
    ByName,
    /// Groups are numbered by the kinds of layers; the layers' names stand beside the tensors.
    ByKind,
}

/// A Keras 3 weight file, with counters beside the layers.
pub(super) fn keras3(entries: &[StoredTensor], way: Keras3) -> Vec<u8> {
    let mut layers: BTreeMap<&str, Vec<&StoredTensor>> = BTreeMap::new();
    for entry in entries {
        layers.entry(&entry.1).or_default().push(entry);
    }
    let mut file = FileBuilder::new();
    let mut all = file.create_group("layers");
    for (number, (layer, entries)) in layers.into_iter().enumerate() {
        let group = if way == Keras3::ByKind { format!("kind_{number}") } else { layer.to_owned() };
        let mut outer = all.create_group(&group);
        let mut vars = outer.create_group("vars");
        if way == Keras3::ByKind {
            vars.set_attr("name", AttrValue::String(layer.to_owned()));
        }
        let mut entries = entries;
        if way == Keras3::ByName {
            entries.sort_by_key(|entry| entry.2);
        }
        for (number, (_, _, _, tensor)) in entries.into_iter().enumerate() {
            let shape: Vec<u64> = tensor.shape().iter().map(|&axis| axis as u64).collect();
            vars.create_dataset(&number.to_string()).with_f32_data(tensor.data()).with_shape(&shape);
        }
        vars.create_dataset("9").with_u16_data(&[1, 2, 3]).with_shape(&[3]);
        outer.add_group(vars.finish());
        all.add_group(outer.finish());
    }
    file.add_group(all.finish());
    file.finish().unwrap()
}

/// A `.keras`: a zip with these weights.
pub(super) fn keras_zip(weights: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, content) in [("metadata.json", b"{}".as_slice()), ("config.json", b"{}"), ("model.weights.h5", weights)]
    {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut zip, content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The parameters of the MXNet port: other names, other layouts.
pub(super) fn mxnet(entries: &[StoredTensor]) -> Vec<u8> {
    mxnet_as(entries, 0xF993_FAC9, 0)
}

/// The same with arrays of another magic, and of numbers of another type (0 for 32 bits, 1 for 64, 2 for 16).
pub(super) fn mxnet_as(entries: &[StoredTensor], magic: u32, number_type: u32) -> Vec<u8> {
    let renamed = |layer: &str| {
        let (kind, number) = layer.rsplit_once('_').unwrap_or((layer, ""));
        match kind {
            "conv2d" => format!("convolution{number}"),
            "batch_normalization" => format!("batchnorm{number}"),
            "dense" => format!("fullyconnected{number}"),
            _ if layer == "pred_age_stage2" => "pred_age_stag2".to_owned(),
            _ => layer.to_owned(),
        }
    };
    let mut file: Vec<u8> = [0x112_u64, 0, entries.len() as u64].into_iter().flat_map(u64::to_le_bytes).collect();
    let mut names = (entries.len() as u64).to_le_bytes().to_vec();
    for (_, layer, name, tensor) in entries {
        let moved = match tensor.shape().len() {
            4 => tensor.permuted(&[3, 2, 0, 1]).unwrap(),
            2 => tensor.permuted(&[1, 0]).unwrap(),
            _ => tensor.clone(),
        };
        let rank = moved.shape().len() as u32;
        // The oldest arrays have no magic, and axes of 32 bits.
        let head = match magic {
            0 => vec![rank],
            0xF993_FAC8 => vec![magic, rank],
            _ => vec![magic, 0, rank],
        };
        file.extend(head.into_iter().flat_map(u32::to_le_bytes));
        for &axis in moved.shape() {
            if magic == 0 { file.extend((axis as u32).to_le_bytes()) } else { file.extend((axis as u64).to_le_bytes()) }
        }
        file.extend([1_u32, 0, number_type].into_iter().flat_map(u32::to_le_bytes));
        for &value in moved.data() {
            match number_type {
                0 => file.extend(value.to_le_bytes()),
                1 => file.extend(f64::from(value).to_le_bytes()),
                _ => file.extend(f16::from_f32(value).to_bits().to_le_bytes()),
            }
        }
        let ending = match *name {
            "kernel" => "weight",
            "moving_variance" => "moving_var",
            other => other,
        };
        let name = format!("arg:{}_{ending}", renamed(layer));
        names.extend((name.len() as u64).to_le_bytes());
        names.extend(name.as_bytes());
    }
    file.extend(names);
    file
}

/// A TensorFlow.js graph model of an SSR-Net without batch normalisation: the .json and the .bin.
pub(super) fn tfjs(entries: &[StoredTensor], task: Task, bin_name: &str) -> (Value, Vec<u8>) {
    let mut graph = TfjsGraph { nodes: Vec::new(), weights: Vec::new(), bin: Vec::new() };
    for (_, layer, name, tensor) in entries {
        graph.constant(&format!("net/{layer}/{name}"), tensor, "float32");
    }
    graph.node("Placeholder", "input", &[], &json!({}));
    let stream = |graph: &mut TfjsGraph, first: usize, activation: &str, pool: &str| -> Vec<String> {
        let mut maps = vec!["input".to_owned()];
        for index in 0..4 {
            let x =
                graph.affine("_FusedConv2D", &format!("conv2d_{}", first + index), &maps[index], activation == "Relu");
            let x = if activation == "Tanh" { graph.node("Tanh", &format!("{x}/tanh"), &[&x], &json!({})) } else { x };
            maps.push(if index < 3 { graph.pool(pool, &x, 2) } else { x });
        }
        maps.split_off(1)
    };
    let (relu, tanh) = (stream(&mut graph, 1, "Relu", "AvgPool"), stream(&mut graph, 5, "Tanh", "MaxPool"));
    let pred = if task == Task::Age { "pred_age_stage" } else { "pred_stage" };
    let mut terms: Vec<String> = Vec::new();
    let mut widths: Vec<String> = Vec::new();
    for (stage, (scale, pool)) in [(3, 1), (1, 4), (0, 8)].into_iter().enumerate() {
        let number = stage + 1;
        let mut head = |layer: usize, map: &str, kind: &str| {
            let mut x = graph.affine("_FusedConv2D", &format!("conv2d_{layer}"), map, true);
            if pool > 1 {
                x = graph.pool(kind, &x, pool);
            }
            let shape = graph.constant(
                &format!("{x}/shape"),
                &Tensor::new(&[2], vec![-1.0, if stage == 0 { 160.0 } else { 90.0 }]).unwrap(),
                "int32",
            );
            graph.node("Reshape", &format!("{x}/flat"), &[&x, &shape], &json!({}))
        };
        let (tanh_head, relu_head) =
            (head(9 + 2 * stage, &tanh[scale], "MaxPool"), head(10 + 2 * stage, &relu[scale], "AvgPool"));
        let tanh_mix = graph.affine("_FusedMatMul", &format!("dense_{}", 1 + 3 * stage), &tanh_head, true);
        let relu_mix = graph.affine("_FusedMatMul", &format!("dense_{}", 2 + 3 * stage), &relu_head, true);
        let heads = graph.binary("Mul", &tanh_head, &relu_head);
        let mixes = graph.binary("Mul", &tanh_mix, &relu_mix);
        let delta = graph.affine("_FusedMatMul", &format!("delta_s{number}"), &heads, false);
        let delta = graph.node("Tanh", &format!("{delta}/tanh"), &[&delta], &json!({}));
        let feature = graph.affine("_FusedMatMul", &format!("dense_{}", 3 + 3 * stage), &mixes, true);
        let p = graph.affine("_FusedMatMul", &format!("{pred}{number}"), &feature, true);
        let eta = graph.affine("_FusedMatMul", &format!("local_delta_stage{number}"), &feature, false);
        let eta = graph.node("Tanh", &format!("{eta}/tanh"), &[&eta], &json!({}));
        let mut sum: Option<String> = None;
        for bin in 0..3 {
            let (p, eta) = (graph.column(&p, bin), graph.column(&eta, bin));
            let index = graph.scalar(&format!("{p}/index"), bin as f32);
            let place = graph.binary("AddV2", &index, &eta);
            let term = graph.binary("Mul", &place, &p);
            sum = Some(sum.map_or(term.clone(), |sum| graph.binary("AddV2", &sum, &term)));
        }
        let axis = graph.constant(&format!("stage{number}/axis"), &Tensor::new(&[], vec![-1.0]).unwrap(), "int32");
        let mut term = graph.node("ExpandDims", &format!("stage{number}/sum"), &[&sum.unwrap(), &axis], &json!({}));
        let (one, three) = (graph.scalar(&format!("{delta}/one"), 1.0), graph.scalar(&format!("{delta}/three"), 3.0));
        let scale = graph.binary("AddV2", &one, &delta);
        widths.push(graph.binary("Mul", &three, &scale));
        for width in &widths {
            term = graph.binary("RealDiv", &term, width);
        }
        terms.push(term);
    }
    let sum = graph.binary("AddV2", &terms[0], &terms[1]);
    let mut sum = graph.binary("AddV2", &sum, &terms[2]);
    if task == Task::Age {
        let range = graph.scalar("range", 101.0);
        sum = graph.binary("Mul", &sum, &range);
    }
    graph.node("Identity", "Identity", &[&sum], &json!({}));
    // The published files do not list nodes in order either.
    graph.nodes.reverse();
    let manifest = json!([{ "paths": [bin_name], "weights": graph.weights }]);
    let json =
        json!({ "format": "graph-model", "modelTopology": { "node": graph.nodes }, "weightsManifest": manifest });
    (json, graph.bin)
}

struct TfjsGraph {
    nodes: Vec<Value>,
    weights: Vec<Value>,
    bin: Vec<u8>,
}

impl TfjsGraph {
    fn node(&mut self, op: &str, name: &str, inputs: &[&str], attributes: &Value) -> String {
        self.nodes.push(json!({ "name": name, "op": op, "input": inputs, "attr": attributes }));
        name.to_owned()
    }

    fn binary(&mut self, op: &str, a: &str, b: &str) -> String {
        let name = format!("{op}_{}", self.nodes.len());
        self.node(op, &name, &[a, b], &json!({}))
    }

    fn constant(&mut self, name: &str, tensor: &Tensor, dtype: &str) -> String {
        self.weights.push(json!({ "name": name, "shape": tensor.shape(), "dtype": dtype }));
        let bytes = |x: &f32| if dtype == "int32" { (*x as i32).to_le_bytes() } else { x.to_le_bytes() };
        self.bin.extend(tensor.data().iter().flat_map(bytes));
        self.node("Const", name, &[], &json!({}))
    }

    fn scalar(&mut self, name: &str, value: f32) -> String {
        self.constant(name, &Tensor::new(&[], vec![value]).unwrap(), "float32")
    }

    fn affine(&mut self, op: &str, layer: &str, x: &str, relu: bool) -> String {
        let (kernel, bias) = (format!("net/{layer}/kernel"), format!("net/{layer}/bias"));
        let fused = if relu { json!(["Qmlhc0FkZA==", "UmVsdQ=="]) } else { json!(["Qmlhc0FkZA=="]) };
        let ones = json!({ "list": { "i": ["1", "1", "1", "1"] } });
        let attributes = json!({
            "fused_ops": { "list": { "s": fused } },
            "padding": { "s": "VkFMSUQ=" },
            "strides": ones,
            "dilations": ones,
        });
        self.node(op, &format!("net/{layer}/out"), &[x, &kernel, &bias], &attributes)
    }

    fn pool(&mut self, op: &str, x: &str, side: usize) -> String {
        let block = json!({ "list": { "i": ["1", side.to_string(), side.to_string(), "1"] } });
        self.node(
            op,
            &format!("{x}/pool"),
            &[x],
            &json!({ "ksize": block, "strides": block, "padding": { "s": "VkFMSUQ=" } }),
        )
    }

    fn column(&mut self, x: &str, column: usize) -> String {
        let bounds = [[0.0, column as f32], [0.0, column as f32 + 1.0], [1.0, 1.0]];
        let bounds = bounds.map(|bound| {
            let name = format!("{x}/{column}/{}", self.nodes.len());
            self.constant(&name, &Tensor::new(&[2], bound.to_vec()).unwrap(), "int32")
        });
        let masks = json!({ "begin_mask": { "i": "1" }, "end_mask": { "i": "1" }, "shrink_axis_mask": { "i": "2" } });
        self.node("StridedSlice", &format!("{x}/{column}"), &[x, &bounds[0], &bounds[1], &bounds[2]], &masks)
    }
}
