//! Writes an ONNX graph (opset 13) whose weights are 16-bit floats.

use prost::Message;
use tract_onnx::pb;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};

pub(crate) struct Writer {
    graph: pb::GraphProto,
}

/// An attribute of a node.
pub(crate) enum Attribute<'a> {
    Integer(&'a str, i64),
    Integers(&'a str, &'a [i64]),
    Float(&'a str, f32),
    Text(&'a str, &'a str),
}

impl Writer {
    pub(crate) fn new(name: &str, input: &str, shape: [usize; 4]) -> Self {
        let graph =
            pb::GraphProto { name: name.to_owned(), input: vec![value_info(input, &shape)], ..Default::default() };
        Self { graph }
    }

    /// A weight of 16-bit floats, as their bits.
    pub(crate) fn halves(&mut self, name: &str, shape: &[usize], values: impl IntoIterator<Item = u16>) -> String {
        self.store(name, shape, DataType::Float16, values.into_iter().flat_map(u16::to_le_bytes).collect())
    }

    /// A constant of 32-bit floats.
    pub(crate) fn floats(&mut self, name: &str, shape: &[usize], values: &[f32]) -> String {
        self.store(name, shape, DataType::Float, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    fn store(&mut self, name: &str, shape: &[usize], kind: DataType, raw_data: Vec<u8>) -> String {
        if !self.graph.initializer.iter().any(|tensor| tensor.name == name) {
            let dims = shape.iter().map(|&axis| axis as i64).collect();
            let tensor =
                pb::TensorProto { name: name.to_owned(), dims, data_type: kind as i32, raw_data, ..Default::default() };
            self.graph.initializer.push(tensor);
        }
        name.to_owned()
    }

    /// Adds a node; its output has this name.
    pub(crate) fn node(&mut self, op: &str, inputs: &[&str], output: &str, attributes: &[Attribute<'_>]) -> String {
        self.graph.node.push(pb::NodeProto {
            op_type: op.to_owned(),
            name: output.to_owned(),
            input: inputs.iter().map(|&name| name.to_owned()).collect(),
            output: vec![output.to_owned()],
            attribute: attributes.iter().map(attribute).collect(),
            ..Default::default()
        });
        output.to_owned()
    }

    /// Gives a bias to the convolution with this output; `false` where there is none without one.
    pub(crate) fn put_bias(&mut self, output: &str, bias: &str) -> bool {
        let node = self.graph.node.iter_mut().find(|node| node.name == output);
        let Some(node) = node.filter(|node| node.op_type == "Conv" && node.input.len() == 2) else { return false };
        node.input.push(bias.to_owned());
        true
    }

    /// Says that a value is an output, and gives it a new name.
    pub(crate) fn output(&mut self, value: &str, name: &str, shape: &[usize]) {
        for node in &mut self.graph.node {
            for own in node.input.iter_mut().chain(&mut node.output).filter(|own| *own == value) {
                name.clone_into(own);
            }
        }
        self.graph.output.push(value_info(name, shape));
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        let model = pb::ModelProto {
            ir_version: 7,
            opset_import: vec![pb::OperatorSetIdProto { version: 13, ..Default::default() }],
            producer_name: "facelens convert_people".to_owned(),
            graph: Some(self.graph),
            ..Default::default()
        };
        model.encode_to_vec()
    }
}

fn attribute(attribute: &Attribute<'_>) -> pb::AttributeProto {
    let mut proto = pb::AttributeProto::default();
    let (name, kind) = match *attribute {
        Attribute::Integer(name, value) => {
            proto.i = value;
            (name, AttributeType::Int)
        }
        Attribute::Integers(name, values) => {
            proto.ints = values.to_vec();
            (name, AttributeType::Ints)
        }
        Attribute::Float(name, value) => {
            proto.f = value;
            (name, AttributeType::Float)
        }
        Attribute::Text(name, value) => {
            proto.s = value.as_bytes().to_vec();
            (name, AttributeType::String)
        }
    };
    proto.name = name.to_owned();
    proto.r#type = kind as i32;
    proto
}

fn value_info(name: &str, shape: &[usize]) -> pb::ValueInfoProto {
    let dim = |&axis: &usize| Dimension { value: Some(dimension::Value::DimValue(axis as i64)), ..Default::default() };
    let tensor = pb::type_proto::Tensor {
        elem_type: DataType::Float as i32,
        shape: Some(pb::TensorShapeProto { dim: shape.iter().map(dim).collect() }),
    };
    let kind = pb::TypeProto { value: Some(pb::type_proto::Value::TensorType(tensor)), ..Default::default() };
    pb::ValueInfoProto { name: name.to_owned(), r#type: Some(kind), ..Default::default() }
}
