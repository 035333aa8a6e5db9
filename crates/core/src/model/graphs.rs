//! Small ONNX graphs for tests.

#![allow(clippy::unwrap_used, reason = "a test that cannot prepare itself fails")]

use std::path::Path;

use prost::Message as _;
use tract_onnx::pb::{self, tensor_proto::DataType};

use super::{
    Angle, BoxStyle, ChannelOrder, CropSpec, InputSpec, Layout, ModelCard, OutputForm, ResizeFilter, Scaling, Task,
    TaskModel, sha256_hex,
};
use crate::geometry::Pose;

/// A graph under construction; its input is `x`, its output `y`.
#[derive(Clone, Default)]
pub struct Graph {
    proto: pb::GraphProto,
}

impl Graph {
    /// One float input `x` of this shape (0: any size), one output `y`.
    pub fn new(input: &[i64]) -> Self {
        let output = pb::ValueInfoProto { name: "y".into(), ..Default::default() };
        let proto = pb::GraphProto {
            name: "test".into(),
            input: vec![value("x", input)],
            output: vec![output],
            ..Default::default()
        };
        Self { proto }
    }

    /// Adds an operator.
    pub fn node(mut self, op: &str, inputs: &[&str], output: &str, attributes: &[(&str, &[i64])]) -> Self {
        let attribute = attributes
            .iter()
            .map(|(name, values)| {
                let mut attribute = pb::AttributeProto { name: (*name).into(), ..Default::default() };
                // By ONNX's operator definitions these are lists, the others single numbers.
                if ["pads", "kernel_shape", "strides", "dilations", "perm", "axes"].contains(name) {
                    attribute.set_type(pb::attribute_proto::AttributeType::Ints);
                    attribute.ints = values.to_vec();
                } else {
                    attribute.set_type(pb::attribute_proto::AttributeType::Int);
                    attribute.i = values[0];
                }
                attribute
            })
            .collect();
        self.proto.node.push(pb::NodeProto {
            input: inputs.iter().map(|name| (*name).to_owned()).collect(),
            output: vec![output.to_owned()],
            name: format!("{op}_{}", self.proto.node.len()),
            op_type: op.to_owned(),
            attribute,
            ..Default::default()
        });
        self
    }

    /// Adds a constant tensor of floats.
    pub fn floats(mut self, name: &str, dims: &[i64], values: &[f32]) -> Self {
        let raw_data = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.proto.initializer.push(pb::TensorProto {
            dims: dims.to_vec(),
            data_type: DataType::Float as i32,
            name: name.into(),
            raw_data,
            ..Default::default()
        });
        self
    }

    /// Adds a constant list of integers.
    pub fn integers(mut self, name: &str, values: &[i64]) -> Self {
        self.proto.initializer.push(pb::TensorProto {
            dims: vec![values.len() as i64],
            data_type: DataType::Int64 as i32,
            name: name.into(),
            int64_data: values.to_vec(),
            ..Default::default()
        });
        self
    }

    /// Changes what the other functions cannot say.
    pub fn change(mut self, change: impl FnOnce(&mut pb::GraphProto)) -> Self {
        change(&mut self.proto);
        self
    }

    /// The file's bytes.
    pub fn bytes(self) -> Vec<u8> {
        let opset = pb::OperatorSetIdProto { version: 13, ..Default::default() };
        let model =
            pb::ModelProto { ir_version: 7, opset_import: vec![opset], graph: Some(self.proto), ..Default::default() };
        model.encode_to_vec()
    }
}

/// A float input or output of this shape (0: any size).
pub fn value(name: &str, shape: &[i64]) -> pb::ValueInfoProto {
    use pb::tensor_shape_proto::{Dimension, dimension::Value};
    let dim = shape
        .iter()
        .map(|&size| Dimension {
            value: Some(if size > 0 { Value::DimValue(size) } else { Value::DimParam("N".into()) }),
            ..Default::default()
        })
        .collect();
    let tensor =
        pb::type_proto::Tensor { elem_type: DataType::Float as i32, shape: Some(pb::TensorShapeProto { dim }) };
    let r#type = pb::TypeProto { value: Some(pb::type_proto::Value::TensorType(tensor)), ..Default::default() };
    pb::ValueInfoProto { name: name.into(), r#type: Some(r#type), ..Default::default() }
}

/// A small valid net: 1x3x8x8 picture, 3x3 convolution to 2 channels, ReLU, mean over the picture, one number.
pub fn small(input: &[i64]) -> Graph {
    let weights: Vec<f32> = (0..54).map(|index| (index as f32 - 20.0) / 54.0).collect();
    Graph::new(input)
        .floats("w", &[2, 3, 3, 3], &weights)
        .floats("b", &[2], &[0.5, -0.5])
        .floats("v", &[2, 1], &[1.0, 2.0])
        .node("Conv", &["x", "w", "b"], "c", &[("kernel_shape", &[3, 3]), ("pads", &[1, 1, 1, 1])])
        .node("Relu", &["c"], "r", &[])
        .node("GlobalAveragePool", &["r"], "g", &[])
        .node("Flatten", &["g"], "f", &[("axis", &[1])])
        .node("MatMul", &["f", "v"], "y", &[])
}

/// A card for [`small`] as an age model.
pub fn small_card(name: &str) -> ModelCard {
    let scaling = Scaling::MeanStd { mean: [0.0; 3], std: [255.0; 3] };
    ModelCard {
        name: name.into(),
        tasks: vec![Task::Age],
        files: vec![format!("{name}.onnx")],
        sha256: vec![sha256_hex(&small(&[1, 3, 8, 8]).bytes())],
        source: "a test".into(),
        licence: "MIT".into(),
        training_data: "none".into(),
        input: InputSpec { width: 8, height: 8, layout: Layout::Nchw, channels: ChannelOrder::Rgb, scaling },
        crop: CropSpec {
            margin: 0.0,
            relative_to: BoxStyle::Facelens,
            resize: ResizeFilter::Bilinear,
            ..CropSpec::default()
        },
        output: OutputForm::Years,
        select: None,
        calibration: None,
        accuracy: Vec::new(),
        notes: String::new(),
    }
}

/// The graph of [`small`] with two numbers.
pub fn small_two(input: &[i64]) -> Graph {
    small(input).change(|graph| {
        graph.initializer[2].dims = vec![2, 2];
        graph.initializer[2].raw_data =
            [1.0_f32, 0.5, 2.0, -0.25].iter().flat_map(|value| value.to_le_bytes()).collect();
    })
}

/// A card for [`small_two`] as a model for age and gender.
pub fn small_pair_card(name: &str) -> ModelCard {
    ModelCard {
        tasks: vec![Task::Age, Task::Gender],
        sha256: vec![sha256_hex(&small_two(&[1, 3, 8, 8]).bytes())],
        output: OutputForm::YearsAndMaleScore,
        ..small_card(name)
    }
}

/// A model for age and gender, ready to run.
pub fn small_pair() -> TaskModel {
    let onnx = small_two(&[1, 3, 8, 8]).bytes();
    TaskModel::prepare(small_pair_card("pair"), &[(&onnx, Path::new("pair.onnx"))]).unwrap()
}

/// A model that says the same head pose of every face, ready to run.
pub fn constant_pose(pose: Pose, change: impl FnOnce(&mut ModelCard)) -> TaskModel {
    let onnx = small(&[1, 3, 8, 8])
        .change(|graph| {
            (graph.initializer[2].dims, graph.initializer[2].raw_data) = (vec![2, 3], vec![0; 24]);
            graph.node[4].output = vec!["m".into()];
        })
        .floats("pose", &[3], &[pose.yaw, pose.pitch, pose.roll])
        .node("Add", &["m", "pose"], "y", &[])
        .bytes();
    let mut card = ModelCard {
        tasks: vec![Task::Pose],
        sha256: vec![sha256_hex(&onnx)],
        output: OutputForm::Angles { order: [Angle::Yaw, Angle::Pitch, Angle::Roll] },
        ..small_card("constant")
    };
    change(&mut card);
    TaskModel::prepare(card, &[(&onnx, Path::new("constant.onnx"))]).unwrap()
}

/// Writes a card of [`small_card`] or [`small_pair_card`] and its network.
pub fn save_card(folder: &Path, card: &ModelCard) {
    std::fs::write(folder.join(format!("{}.toml", card.name)), card.to_toml().unwrap()).unwrap();
    let graph = if card.tasks.len() == 1 { small(&[1, 3, 8, 8]) } else { small_two(&[1, 3, 8, 8]) };
    std::fs::write(folder.join(&card.files[0]), graph.bytes()).unwrap();
}
