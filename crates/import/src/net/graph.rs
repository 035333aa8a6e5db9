//! Writes an ONNX graph node by node (opset 13, float32, one picture).

use prost::Message;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, type_proto,
};

use super::layers::{FoldedConvolution, FoldedDense, joined};
use super::{INPUT_SIDE, ShapeError, Tensor};

/// The ONNX operator set that the graphs are written in.
const OPSET: i64 = 13;
/// The ONNX file format that goes with opset 13.
const IR_VERSION: i64 = 7;

/// The name of a value in a graph.
#[derive(Clone, Debug)]
pub(super) struct Value(String);

/// A graph being written. Every method that makes a node gives the node's output.
pub(super) struct GraphWriter {
    name: String,
    input_shape: Vec<usize>,
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
}

impl GraphWriter {
    /// A graph that takes a face, `[1, 3, 64, 64]`.
    pub(super) fn new(name: &str) -> Self {
        Self::taking(name, &[1, 3, INPUT_SIDE, INPUT_SIDE])
    }

    /// A graph that takes a picture of this shape, batch axis first.
    pub(super) fn taking(name: &str, input_shape: &[usize]) -> Self {
        let input_shape = input_shape.to_vec();
        Self { name: name.to_owned(), input_shape, nodes: Vec::new(), constants: Vec::new() }
    }

    /// The picture.
    #[expect(clippy::unused_self, reason = "reads like the other values: they come from the graph")]
    pub(super) fn input(&self) -> Value {
        Value("input".to_owned())
    }

    /// A constant tensor.
    pub(super) fn constant(&mut self, tensor: &Tensor) -> Value {
        let raw_data = tensor.data().iter().flat_map(|x| x.to_le_bytes()).collect();
        self.store(tensor.shape(), DataType::Float, raw_data)
    }

    /// A constant number.
    pub(super) fn scalar(&mut self, value: f32) -> Value {
        self.store(&[], DataType::Float, value.to_le_bytes().to_vec())
    }

    fn integers(&mut self, values: &[i64]) -> Value {
        self.store(&[values.len()], DataType::Int64, values.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    fn store(&mut self, shape: &[usize], kind: DataType, raw_data: Vec<u8>) -> Value {
        let name = format!("constant_{}", self.constants.len());
        self.constants.push(TensorProto {
            dims: shape.iter().map(|&axis| axis as i64).collect(),
            data_type: kind as i32,
            name: name.clone(),
            raw_data,
            ..Default::default()
        });
        Value(name)
    }

    fn node(&mut self, operator: &str, inputs: &[&Value], attributes: Vec<AttributeProto>) -> Value {
        let name = format!("{}_{}", operator.to_lowercase(), self.nodes.len());
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|value| value.0.clone()).collect(),
            output: vec![name.clone()],
            name: name.clone(),
            op_type: operator.to_owned(),
            attribute: attributes,
            ..Default::default()
        });
        Value(name)
    }

    /// A convolution with stride 1; `padding` rows and columns of zeros are added on each side.
    pub(super) fn convolution(&mut self, x: &Value, layer: &FoldedConvolution, padding: i64) -> Value {
        self.padded_convolution(x, layer, [padding; 2])
    }

    /// A convolution with stride 1; so many rows of zeros are added above and below, and columns on the left and the right.
    pub(super) fn padded_convolution(&mut self, x: &Value, layer: &FoldedConvolution, padding: [i64; 2]) -> Value {
        self.strided_convolution(x, layer, padding, 1)
    }

    /// The same with any stride.
    pub(super) fn strided_convolution(
        &mut self,
        x: &Value,
        layer: &FoldedConvolution,
        [rows, columns]: [i64; 2],
        stride: i64,
    ) -> Value {
        let kernel_shape = layer.kernel.shape()[2..].iter().map(|&side| side as i64).collect();
        let kernel = self.constant(&layer.kernel);
        let mut inputs = vec![x, &kernel];
        let bias = layer.bias.as_ref().map(|bias| self.constant(bias));
        inputs.extend(&bias);
        let mut attributes = vec![
            integers("kernel_shape", kernel_shape),
            integers("pads", vec![rows, columns, rows, columns]),
            integer("group", layer.groups as i64),
        ];
        // Written only where it is not ONNX's default, so that the files of older networks stay what they are.
        if stride != 1 {
            attributes.push(integers("strides", vec![stride; 2]));
        }
        self.node("Conv", &inputs, attributes)
    }

    /// A fully connected layer: `x [rows, in] -> [rows, out]`.
    pub(super) fn dense(&mut self, x: &Value, layer: &FoldedDense) -> Value {
        let kernel = self.constant(&layer.kernel);
        let bias = self.constant(&layer.bias);
        self.node("Gemm", &[x, &kernel, &bias], Vec::new())
    }

    /// Fully connected layers of the same shape, each on its own numbers: `x [layers, 1, in] -> [layers, 1, out]`.
    ///
    /// # Errors
    /// Where their shapes differ.
    pub(super) fn dense_each(&mut self, x: &Value, layers: &[FoldedDense]) -> Result<Value, ShapeError> {
        let kernels = joined(layers.iter().map(|layer| &layer.kernel))?;
        let biases = joined(layers.iter().map(|layer| &layer.bias))?;
        let count = layers.len();
        let outputs = biases.data().len() / count.max(1);
        let inputs = kernels.data().len() / (count * outputs).max(1);
        let kernels = self.constant(&kernels.reshaped(&[count, inputs, outputs])?);
        let biases = self.constant(&biases.reshaped(&[count, 1, outputs])?);
        let x = self.matrix_product(x, &kernels);
        Ok(self.add(&x, &biases))
    }

    /// Largest value of each block of `side` x `side`; what does not fill a block is left out.
    pub(super) fn max_pool(&mut self, x: &Value, side: i64) -> Value {
        self.node("MaxPool", &[x], pool(side))
    }

    /// Mean of each block of `side` x `side`; what does not fill a block is left out.
    pub(super) fn average_pool(&mut self, x: &Value, side: i64) -> Value {
        self.node("AveragePool", &[x], pool(side))
    }

    pub(super) fn relu(&mut self, x: &Value) -> Value {
        self.node("Relu", &[x], Vec::new())
    }

    /// `x` where it is positive, else `slope` times `x`.
    pub(super) fn leaky_relu(&mut self, x: &Value, slope: f32) -> Value {
        self.node("LeakyRelu", &[x], vec![float("alpha", slope)])
    }

    pub(super) fn exp(&mut self, x: &Value) -> Value {
        self.node("Exp", &[x], Vec::new())
    }

    pub(super) fn tanh(&mut self, x: &Value) -> Value {
        self.node("Tanh", &[x], Vec::new())
    }

    pub(super) fn sigmoid(&mut self, x: &Value) -> Value {
        self.node("Sigmoid", &[x], Vec::new())
    }

    pub(super) fn softmax(&mut self, x: &Value, axis: i64) -> Value {
        self.node("Softmax", &[x], vec![integer("axis", axis)])
    }

    pub(super) fn sqrt(&mut self, x: &Value) -> Value {
        self.node("Sqrt", &[x], Vec::new())
    }

    pub(super) fn add(&mut self, a: &Value, b: &Value) -> Value {
        self.node("Add", &[a, b], Vec::new())
    }

    pub(super) fn subtract(&mut self, a: &Value, b: &Value) -> Value {
        self.node("Sub", &[a, b], Vec::new())
    }

    pub(super) fn multiply(&mut self, a: &Value, b: &Value) -> Value {
        self.node("Mul", &[a, b], Vec::new())
    }

    pub(super) fn divide(&mut self, a: &Value, b: &Value) -> Value {
        self.node("Div", &[a, b], Vec::new())
    }

    pub(super) fn matrix_product(&mut self, a: &Value, b: &Value) -> Value {
        self.node("MatMul", &[a, b], Vec::new())
    }

    /// Sum along one axis, which stays with length 1.
    pub(super) fn sum(&mut self, x: &Value, axis: i64) -> Value {
        let axes = self.integers(&[axis]);
        self.node("ReduceSum", &[x, &axes], vec![integer("keepdims", 1)])
    }

    /// Mean along one axis, which stays with length 1.
    pub(super) fn mean(&mut self, x: &Value, axis: i64) -> Value {
        self.node("ReduceMean", &[x], vec![integers("axes", vec![axis]), integer("keepdims", 1)])
    }

    pub(super) fn reshape(&mut self, x: &Value, shape: &[i64]) -> Value {
        let shape = self.integers(shape);
        self.node("Reshape", &[x, &shape], Vec::new())
    }

    pub(super) fn transpose(&mut self, x: &Value, order: &[i64]) -> Value {
        self.node("Transpose", &[x], vec![integers("perm", order.to_vec())])
    }

    pub(super) fn concatenate(&mut self, parts: &[Value], axis: i64) -> Value {
        self.node("Concat", &parts.iter().collect::<Vec<_>>(), vec![integer("axis", axis)])
    }

    /// `x [1, channels, rows, columns]` with rows and columns of zeros around it: above, to the left, below, to the right.
    pub(super) fn pad(&mut self, x: &Value, [above, left, below, right]: [i64; 4]) -> Value {
        let widths = self.integers(&[0, 0, above, left, 0, 0, below, right]);
        self.node("Pad", &[x, &widths], Vec::new())
    }

    /// The places `start..end` along one axis.
    pub(super) fn slice(&mut self, x: &Value, axis: i64, start: i64, end: i64) -> Value {
        let (starts, ends) = (self.integers(&[start]), self.integers(&[end]));
        let axes = self.integers(&[axis]);
        self.node("Slice", &[x, &starts, &ends, &axes], Vec::new())
    }

    /// Ends the graph: `output`, of shape `[1, outputs]`, is what it gives. Gives the bytes of the ONNX file.
    pub(super) fn finish(mut self, output: &Value, outputs: usize) -> Vec<u8> {
        self.nodes.push(NodeProto {
            input: vec![output.0.clone()],
            output: vec!["output".to_owned()],
            name: "output".to_owned(),
            op_type: "Identity".to_owned(),
            ..Default::default()
        });
        let model = ModelProto {
            ir_version: IR_VERSION,
            opset_import: vec![OperatorSetIdProto { domain: String::new(), version: OPSET }],
            producer_name: "facelens".to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            graph: Some(GraphProto {
                name: self.name,
                node: self.nodes,
                initializer: self.constants,
                input: vec![value_info("input", &self.input_shape)],
                output: vec![value_info("output", &[1, outputs])],
                ..Default::default()
            }),
            ..Default::default()
        };
        model.encode_to_vec()
    }
}

fn pool(side: i64) -> Vec<AttributeProto> {
    vec![integers("kernel_shape", vec![side; 2]), integers("strides", vec![side; 2])]
}

fn integer(name: &str, i: i64) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: AttributeType::Int as i32, i, ..Default::default() }
}

fn float(name: &str, f: f32) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: AttributeType::Float as i32, f, ..Default::default() }
}

fn integers(name: &str, ints: Vec<i64>) -> AttributeProto {
    AttributeProto { name: name.to_owned(), r#type: AttributeType::Ints as i32, ints, ..Default::default() }
}

fn value_info(name: &str, shape: &[usize]) -> ValueInfoProto {
    let dim = shape
        .iter()
        .map(|&axis| Dimension { value: Some(dimension::Value::DimValue(axis as i64)), ..Default::default() })
        .collect();
    let tensor = type_proto::Tensor { elem_type: DataType::Float as i32, shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() }),
        ..Default::default()
    }
}
