//! Small ONNX files with cards.
#![allow(dead_code, reason = "each test program uses its own part")]

use std::fs;
use std::path::{Path, PathBuf};

use facelens_core::model::sha256_hex;
use prost::Message as _;
use tract_onnx::pb::{self, attribute_proto::AttributeType, tensor_proto::DataType};

/// A graph under construction: input `x` (1 x 3 x 8 x 8 floats), output `y`.
#[derive(Clone)]
pub struct Graph {
    pub proto: pb::GraphProto,
    pub opset: i64,
}

/// The input's shape.
pub const INPUT: [i64; 4] = [1, 3, 8, 8];

impl Graph {
    pub fn new() -> Self {
        let value = |name: &str, shape: &[i64]| {
            let size = |&size| pb::tensor_shape_proto::Dimension {
                value: Some(pb::tensor_shape_proto::dimension::Value::DimValue(size)),
                ..Default::default()
            };
            let shape = Some(pb::TensorShapeProto { dim: shape.iter().map(size).collect() });
            let tensor = pb::type_proto::Tensor { elem_type: DataType::Float as i32, shape };
            let r#type =
                Some(pb::TypeProto { value: Some(pb::type_proto::Value::TensorType(tensor)), ..Default::default() });
            pb::ValueInfoProto { name: name.into(), r#type, ..Default::default() }
        };
        let proto = pb::GraphProto {
            name: "test".into(),
            input: vec![value("x", &INPUT)],
            output: vec![value("y", &[1, 1])],
            ..Default::default()
        };
        Self { proto, opset: 13 }
    }

    /// A constant tensor of any type, its numbers as raw bytes.
    pub fn raw(mut self, name: &str, kind: DataType, dims: &[i64], raw_data: Vec<u8>) -> Self {
        let tensor = pb::TensorProto {
            dims: dims.to_vec(),
            data_type: kind as i32,
            name: name.into(),
            raw_data,
            ..Default::default()
        };
        self.proto.initializer.push(tensor);
        self
    }

    pub fn floats(self, name: &str, dims: &[i64], values: &[f32]) -> Self {
        self.raw(name, DataType::Float, dims, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    pub fn integers(self, name: &str, dims: &[i64], values: &[i64]) -> Self {
        self.raw(name, DataType::Int64, dims, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    pub fn node(mut self, op: &str, inputs: &[&str], outputs: &[&str], attributes: Vec<pb::AttributeProto>) -> Self {
        self.proto.node.push(pb::NodeProto {
            op_type: op.into(),
            input: inputs.iter().map(|name| (*name).to_owned()).collect(),
            output: outputs.iter().map(|name| (*name).to_owned()).collect(),
            attribute: attributes,
            ..Default::default()
        });
        self
    }

    /// The mean of a map as the graph's one number.
    pub fn mean_of(self, name: &str) -> Self {
        self.node("ReduceMean", &[name], &["y"], vec![integers("axes", &[1, 2, 3])])
    }

    pub fn bytes(self) -> Vec<u8> {
        let opset = pb::OperatorSetIdProto { version: self.opset, ..Default::default() };
        let opset_import = vec![opset];
        pb::ModelProto { ir_version: 8, opset_import, graph: Some(self.proto), ..Default::default() }.encode_to_vec()
    }
}

/// A list of integers as an attribute.
pub fn integers(name: &str, values: &[i64]) -> pb::AttributeProto {
    pb::AttributeProto {
        name: name.into(),
        r#type: AttributeType::Ints as i32,
        ints: values.to_vec(),
        ..Default::default()
    }
}

/// An integer as an attribute.
pub fn integer(name: &str, value: i64) -> pb::AttributeProto {
    pb::AttributeProto { name: name.into(), r#type: AttributeType::Int as i32, i: value, ..Default::default() }
}

/// A number as an attribute.
pub fn float(name: &str, value: f32) -> pb::AttributeProto {
    pb::AttributeProto { name: name.into(), r#type: AttributeType::Float as i32, f: value, ..Default::default() }
}

/// Writes `NAME.onnx` and a card beside it for an age model that takes 8x8 pixels, and gives the card's path.
pub fn save(folder: &Path, name: &str, onnx: &[u8]) -> PathBuf {
    fs::write(folder.join(format!("{name}.onnx")), onnx).unwrap();
    let card = folder.join(format!("{name}.toml"));
    let sum = sha256_hex(onnx);
    let text = format!(
        r#"name = "{name}"
task = "age"
files = ["{name}.onnx"]
sha256 = ["{sum}"]
source = "a test"
licence = "MIT"
training_data = "none"

[input]
width = 8
height = 8
layout = "NCHW"
channels = "RGB"

[input.scaling]
kind = "mean-std"
mean = [0.0, 0.0, 0.0]
std = [255.0, 255.0, 255.0]

[crop]
margin = 0.5
relative_to = "facelens"
resize = "bilinear"

[output]
kind = "years"
"#
    );
    fs::write(&card, text).unwrap();
    card
}
