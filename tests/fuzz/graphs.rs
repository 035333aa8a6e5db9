//! Valid ONNX graphs from the operators' schemas (<https://onnx.ai/onnx/operators/>): right names, numbers of inputs and
//! types, mostly sensible values, and now and then one that asks for too much.

use prost::Message as _;
use tract_onnx::pb::{self, attribute_proto::AttributeType, tensor_proto::DataType};

use crate::mutate::{Random, damaged};
use crate::onnx::{self, Graph, INPUT};

/// What an operator takes in one place.
#[derive(Clone, Copy)]
enum In {
    /// What the graph has made so far.
    X,
    /// The same once more.
    Again,
    /// Floats that go with the value by broadcasting.
    Like,
    /// One float.
    One,
    /// A convolution's weights, for a convolution and a transposed one.
    Kernel,
    KernelTransposed,
    /// A matrix for the value's last axis.
    Matrix,
    /// One float per channel.
    Channels,
    /// One float per place of the last axis.
    Last,
    /// One integer per axis: sizes, repetitions.
    PerAxis,
    /// Two integers per axis: pads.
    TwicePerAxis,
    /// One float per axis: scales.
    Scales,
    /// One integer.
    Count,
    /// A few axes.
    Axes,
    /// Places of the first axis.
    Places,
    /// Places of all axes, as many as the value has numbers.
    PlacesLike,
    /// Truth values that go with the value.
    Truth,
    /// A grid of places in the picture.
    Grid,
    /// One byte as a zero point.
    Zero,
    /// Nothing.
    None,
}

/// What an attribute holds.
#[derive(Clone, Copy)]
enum At {
    Axis(&'static str),
    AxisList(&'static str),
    Order(&'static str),
    Flag(&'static str),
    Small(&'static str),
    /// A pair for the two axes of a picture: kernel, strides, dilations.
    Pair(&'static str),
    Pads(&'static str),
    Float(&'static str),
    Word(&'static str, &'static [&'static str]),
    Type(&'static str),
    /// Integers as they come.
    List(&'static str),
    Tensor(&'static str),
}

/// An operator's schema.
struct Schema {
    op: &'static str,
    inputs: &'static [In],
    attributes: &'static [At],
    outputs: usize,
}

const fn op(op: &'static str, inputs: &'static [In], attributes: &'static [At]) -> Schema {
    Schema { op, inputs, attributes, outputs: 1 }
}

const AUTO_PAD: At = At::Word("auto_pad", &["NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"]);
const WINDOW: [At; 4] = [At::Pair("kernel_shape"), At::Pair("strides"), At::Pads("pads"), AUTO_PAD];

/// Every operator that the guard lets through, with what its schema in operator set 13 (or the newest set that has it)
/// takes. Operators of one number each come first.
static SCHEMAS: &[Schema] = &[
    op("Abs", &[In::X], &[]),
    op("Acos", &[In::X], &[]),
    op("Asinh", &[In::X], &[]),
    op("Atan", &[In::X], &[]),
    op("Ceil", &[In::X], &[]),
    op("Celu", &[In::X], &[At::Float("alpha")]),
    op("Cosh", &[In::X], &[]),
    op("Elu", &[In::X], &[At::Float("alpha")]),
    op("Erf", &[In::X], &[]),
    op("Exp", &[In::X], &[]),
    op("Floor", &[In::X], &[]),
    op("Gelu", &[In::X], &[At::Word("approximate", &["none", "tanh"])]),
    op("HardSigmoid", &[In::X], &[At::Float("alpha"), At::Float("beta")]),
    op("HardSwish", &[In::X], &[]),
    op("Identity", &[In::X], &[]),
    op("LeakyRelu", &[In::X], &[At::Float("alpha")]),
    op("Log", &[In::X], &[]),
    op("Mish", &[In::X], &[]),
    op("Neg", &[In::X], &[]),
    op("Reciprocal", &[In::X], &[]),
    op("Relu", &[In::X], &[]),
    op("Round", &[In::X], &[]),
    op("Selu", &[In::X], &[At::Float("alpha"), At::Float("gamma")]),
    op("Shrink", &[In::X], &[At::Float("bias"), At::Float("lambd")]),
    op("Sigmoid", &[In::X], &[]),
    op("Sign", &[In::X], &[]),
    op("Softplus", &[In::X], &[]),
    op("Sqrt", &[In::X], &[]),
    op("Swish", &[In::X], &[At::Float("alpha")]),
    op("Tanh", &[In::X], &[]),
    op("ThresholdedRelu", &[In::X], &[At::Float("alpha")]),
    op("Softmax", &[In::X], &[At::Axis("axis")]),
    op("LogSoftmax", &[In::X], &[At::Axis("axis")]),
    op("Hardmax", &[In::X], &[At::Axis("axis")]),
    op("Cast", &[In::X], &[At::Type("to")]),
    op("CastLike", &[In::X, In::Like], &[]),
    op("Add", &[In::X, In::Like], &[]),
    op("Sub", &[In::X, In::Like], &[]),
    op("Mul", &[In::X, In::Like], &[]),
    op("Div", &[In::X, In::Like], &[]),
    op("Pow", &[In::X, In::Like], &[]),
    op("Mod", &[In::X, In::Like], &[At::Flag("fmod")]),
    op("PRelu", &[In::X, In::Like], &[]),
    op("Max", &[In::X, In::Like, In::Like], &[]),
    op("Min", &[In::X, In::Like], &[]),
    op("Mean", &[In::X, In::Like], &[]),
    op("Sum", &[In::X, In::Like, In::Again], &[]),
    op("Equal", &[In::X, In::Like], &[]),
    op("Greater", &[In::X, In::Like], &[]),
    op("LessOrEqual", &[In::X, In::Like], &[]),
    op("IsNaN", &[In::X], &[]),
    op("IsInf", &[In::X], &[At::Flag("detect_negative"), At::Flag("detect_positive")]),
    op("Where", &[In::Truth, In::X, In::Like], &[]),
    op("Clip", &[In::X, In::One, In::One], &[]),
    op("Dropout", &[In::X, In::One], &[At::Small("seed")]),
    op("Conv", &[In::X, In::Kernel], &WINDOW),
    op("Conv", &[In::X, In::Kernel], &[At::Pads("pads"), At::Pair("dilations"), At::Pair("strides")]),
    op(
        "ConvTranspose",
        &[In::X, In::KernelTransposed],
        &[At::Pair("strides"), At::Pads("pads"), At::List("output_padding"), At::List("output_shape"), AUTO_PAD],
    ),
    op("MaxPool", &[In::X], &WINDOW),
    op(
        "MaxPool",
        &[In::X],
        &[At::Pair("kernel_shape"), At::Pair("dilations"), At::Flag("ceil_mode"), At::Pads("pads")],
    ),
    op("AveragePool", &[In::X], &WINDOW),
    op(
        "AveragePool",
        &[In::X],
        &[At::Pair("kernel_shape"), At::Flag("ceil_mode"), At::Flag("count_include_pad"), At::Pads("pads")],
    ),
    op("GlobalAveragePool", &[In::X], &[]),
    op("GlobalMaxPool", &[In::X], &[]),
    op("GlobalLpPool", &[In::X], &[At::Small("p")]),
    op("BatchNormalization", &[In::X, In::Channels, In::Channels, In::Channels, In::Channels], &[At::Float("epsilon")]),
    op("InstanceNormalization", &[In::X, In::Channels, In::Channels], &[At::Float("epsilon")]),
    op("GroupNormalization", &[In::X, In::Channels, In::Channels], &[At::Small("num_groups"), At::Float("epsilon")]),
    op("LayerNormalization", &[In::X, In::Last, In::Last], &[At::Axis("axis"), At::Float("epsilon")]),
    op("RMSNormalization", &[In::X, In::Last], &[At::Axis("axis"), At::Float("epsilon")]),
    op("LpNormalization", &[In::X], &[At::Axis("axis"), At::Small("p")]),
    op("MeanVarianceNormalization", &[In::X], &[At::AxisList("axes")]),
    op("LRN", &[In::X], &[At::Small("size"), At::Float("alpha"), At::Float("beta"), At::Float("bias")]),
    op("MatMul", &[In::X, In::Matrix], &[]),
    op("Gemm", &[In::X, In::Matrix], &[At::Float("alpha"), At::Flag("transA"), At::Flag("transB")]),
    op("ReduceL1", &[In::X], &[At::AxisList("axes"), At::Flag("keepdims")]),
    op("ReduceL2", &[In::X], &[At::AxisList("axes"), At::Flag("keepdims")]),
    op("ReduceLogSum", &[In::X], &[At::AxisList("axes"), At::Flag("keepdims")]),
    op("ReduceLogSumExp", &[In::X], &[At::AxisList("axes"), At::Flag("keepdims")]),
    op("ReduceMax", &[In::X], &[At::AxisList("axes"), At::Flag("keepdims")]),
    op("ReduceMean", &[In::X], &[At::AxisList("axes"), At::Flag("keepdims")]),
    op("ReduceProd", &[In::X], &[At::AxisList("axes"), At::Flag("keepdims")]),
    op("ReduceSum", &[In::X, In::Axes], &[At::Flag("keepdims"), At::Flag("noop_with_empty_axes")]),
    op("ReduceSumSquare", &[In::X], &[At::AxisList("axes"), At::Flag("keepdims")]),
    op("ArgMax", &[In::X], &[At::Axis("axis"), At::Flag("keepdims"), At::Flag("select_last_index")]),
    op("ArgMin", &[In::X], &[At::Axis("axis"), At::Flag("keepdims")]),
    op("CumSum", &[In::X, In::Count], &[At::Flag("exclusive"), At::Flag("reverse")]),
    op("Transpose", &[In::X], &[At::Order("perm")]),
    op("Flatten", &[In::X], &[At::Axis("axis")]),
    op("Reshape", &[In::X, In::PerAxis], &[At::Flag("allowzero")]),
    op("Squeeze", &[In::X, In::Axes], &[]),
    op("Unsqueeze", &[In::X, In::Axes], &[]),
    op("Expand", &[In::X, In::PerAxis], &[]),
    op("Tile", &[In::X, In::PerAxis], &[]),
    op("Concat", &[In::X, In::Again], &[At::Axis("axis")]),
    op("Concat", &[In::X, In::Again, In::Again, In::Again], &[At::Axis("axis")]),
    Schema { op: "Split", inputs: &[In::X], attributes: &[At::Axis("axis")], outputs: 2 },
    op("Slice", &[In::X, In::Axes, In::Axes, In::Axes, In::Axes], &[]),
    op("Pad", &[In::X, In::TwicePerAxis, In::One], &[At::Word("mode", &["constant", "reflect", "edge", "wrap"])]),
    op(
        "Resize",
        &[In::X, In::None, In::Scales],
        &[
            At::Word("mode", &["nearest", "linear", "cubic"]),
            At::Word(
                "coordinate_transformation_mode",
                &["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"],
            ),
            At::Word("nearest_mode", &["floor", "ceil", "round_prefer_floor"]),
        ],
    ),
    op("Resize", &[In::X, In::None, In::None, In::PerAxis], &[At::Word("mode", &["nearest", "linear", "cubic"])]),
    op(
        "GridSample",
        &[In::X, In::Grid],
        &[
            At::Flag("align_corners"),
            At::Word("mode", &["bilinear", "nearest", "bicubic"]),
            At::Word("padding_mode", &["zeros", "border", "reflection"]),
        ],
    ),
    op("DepthToSpace", &[In::X], &[At::Small("blocksize"), At::Word("mode", &["DCR", "CRD"])]),
    op("SpaceToDepth", &[In::X], &[At::Small("blocksize")]),
    op("Gather", &[In::X, In::Places], &[At::Axis("axis")]),
    op("GatherElements", &[In::X, In::PlacesLike], &[At::Axis("axis")]),
    op("GatherND", &[In::X, In::Places], &[At::Small("batch_dims")]),
    op("ScatterElements", &[In::X, In::PlacesLike, In::Again], &[At::Axis("axis")]),
    op("ScatterND", &[In::X, In::PerAxis, In::One], &[]),
    Schema {
        op: "TopK",
        inputs: &[In::X, In::Count],
        attributes: &[At::Axis("axis"), At::Flag("largest")],
        outputs: 2,
    },
    op("Trilu", &[In::X, In::Count], &[At::Flag("upper")]),
    op("Shape", &[In::X], &[At::Axis("start"), At::Axis("end")]),
    op("Size", &[In::X], &[]),
    op("ConstantOfShape", &[In::PerAxis], &[At::Tensor("value")]),
    op("Constant", &[], &[At::Tensor("value")]),
    op("QuantizeLinear", &[In::X, In::One, In::Zero], &[At::Axis("axis")]),
    Schema { op: "DynamicQuantizeLinear", inputs: &[In::X], attributes: &[], outputs: 3 },
];

/// A number at which sizes, lengths and indices go wrong.
fn extreme(random: &mut Random) -> i64 {
    random.pick(&[
        0,
        -1,
        -2,
        i64::MIN,
        i64::MAX,
        1 << 20,
        1 << 31,
        (1 << 31) - 1,
        -(1 << 31),
        1 << 32,
        (1 << 32) + 1,
        1 << 40,
        -(1 << 40),
        4096,
        65_537,
        9,
    ])
}

/// A graph of one to five operators, the numbers of whose last one are averaged.
pub fn graph(seed: u64) -> Vec<u8> {
    let mut maker = Maker { random: Random(seed), graph: Graph::new(), shape: INPUT.to_vec(), constants: 0 };
    maker.graph.opset = maker.random.pick(&[11, 13, 13, 13, 17, 18, 20]);
    let mut last = "x".to_owned();
    for step in 0..=maker.random.below(5) {
        let schema = &SCHEMAS[maker.random.below(SCHEMAS.len())];
        last = maker.step(schema, &last, step);
    }
    let to = vec![onnx::integer("to", DataType::Float as i64)];
    let axes = if maker.graph.opset >= 18 { vec![] } else { vec![onnx::integer("keepdims", 1)] };
    let graph = maker.graph.node("Cast", &[&last], &["float"], to);
    // Without axes, over all of them: one number, whatever the shape.
    let mut bytes = graph.node("ReduceMean", &["float"], &["y"], axes).bytes();
    if maker.random.one_in(20) {
        bytes = damaged(&mut maker.random, &[bytes], &[]);
    }
    bytes
}

/// The names of the operators of a graph that can still be read.
pub fn operators(bytes: &[u8]) -> Vec<String> {
    let graph = pb::ModelProto::decode(bytes).ok().and_then(|model| model.graph).unwrap_or_default();
    graph.node.into_iter().map(|node| node.op_type).collect()
}

struct Maker {
    random: Random,
    graph: Graph,
    /// The shape of the last value, as far as the maker can tell.
    shape: Vec<i64>,
    constants: usize,
}

impl Maker {
    fn step(&mut self, schema: &Schema, last: &str, step: usize) -> String {
        let inputs: Vec<String> = schema.inputs.iter().map(|input| self.input(*input, last)).collect();
        let mut attributes = Vec::new();
        for attribute in schema.attributes {
            // Most attributes may be left out.
            if !self.random.one_in(3) {
                attributes.push(self.attribute(*attribute));
            }
        }
        let outputs: Vec<String> = (0..schema.outputs).map(|place| format!("v{step}_{place}")).collect();
        let names: Vec<&str> = inputs.iter().map(String::as_str).collect();
        let given: Vec<&str> = outputs.iter().map(String::as_str).collect();
        self.graph = self.graph.clone().node(schema.op, &names, &given, attributes);
        self.shape_after(schema.op);
        outputs[0].clone()
    }

    /// A rough idea of the shape that an operator gives; wrong ones make graphs that are refused.
    fn shape_after(&mut self, op: &str) {
        let shape = &mut self.shape;
        match op {
            "Flatten" => *shape = vec![shape.first().copied().unwrap_or(1), shape.iter().skip(1).product()],
            "GlobalAveragePool" | "GlobalMaxPool" | "GlobalLpPool" => {
                shape.iter_mut().skip(2).for_each(|size| *size = 1);
            }
            "Shape" => *shape = vec![shape.len() as i64],
            "Size" => shape.clear(),
            "Unsqueeze" => shape.insert(0, 1),
            _ => {}
        }
    }

    fn constant(&mut self, add: impl FnOnce(Graph, &str) -> Graph) -> String {
        self.constants += 1;
        let name = format!("c{}", self.constants);
        self.graph = add(self.graph.clone(), &name);
        name
    }

    fn floats(&mut self, dims: &[i64]) -> String {
        let count = dims.iter().product::<i64>().clamp(0, 100_000) as usize;
        let values: Vec<f32> = (0..count).map(|_| self.random.float()).collect();
        self.constant(|graph, name| graph.floats(name, dims, &values))
    }

    fn integers(&mut self, values: &[i64]) -> String {
        let dims = [values.len() as i64];
        self.constant(|graph, name| graph.integers(name, &dims, values))
    }

    fn size(&mut self) -> i64 {
        if self.random.one_in(16) { extreme(&mut self.random) } else { self.random.within(1, 3) }
    }

    fn axis(&mut self) -> i64 {
        let rank = self.shape.len().max(1) as i64;
        if self.random.one_in(16) { extreme(&mut self.random) } else { self.random.within(-rank, rank - 1) }
    }

    fn input(&mut self, input: In, last: &str) -> String {
        let rank = self.shape.len();
        let channels = self.shape.get(1).copied().unwrap_or(1);
        let last_axis = self.shape.last().copied().unwrap_or(1);
        match input {
            In::X | In::Again => last.to_owned(),
            In::None => String::new(),
            In::Like => {
                let shape = self.shape.clone();
                let dims: Vec<i64> = shape.iter().map(|&size| if self.random.one_in(2) { size } else { 1 }).collect();
                self.floats(&dims)
            }
            In::One => self.floats(&[]),
            In::Kernel => {
                let dims = [self.random.within(1, 4), channels, self.random.within(1, 3), self.random.within(1, 3)];
                self.floats(&dims)
            }
            In::KernelTransposed => {
                let dims = [channels, self.random.within(1, 4), self.random.within(1, 3), self.random.within(1, 3)];
                self.floats(&dims)
            }
            In::Matrix => {
                let dims = [last_axis, self.random.within(1, 5)];
                self.floats(&dims)
            }
            In::Channels => self.floats(&[channels]),
            In::Last => self.floats(&[last_axis]),
            In::PerAxis => {
                let values: Vec<i64> = (0..rank).map(|_| self.size()).collect();
                self.integers(&values)
            }
            In::TwicePerAxis => {
                let values: Vec<i64> =
                    (0..2 * rank).map(|_| if self.random.one_in(3) { self.size() } else { 0 }).collect();
                self.integers(&values)
            }
            In::Scales => {
                let scale = |random: &mut Random| match random.below(16) {
                    0 => extreme(random) as f32,
                    1 => f32::from_bits(random.next() as u32),
                    2..8 => 1.0,
                    _ => 0.5 + random.below(4) as f32 / 2.0,
                };
                let values: Vec<f32> = (0..rank).map(|_| scale(&mut self.random)).collect();
                let dims = [rank as i64];
                self.constant(|graph, name| graph.floats(name, &dims, &values))
            }
            In::Count => {
                let value = self.size();
                self.integers(&[value])
            }
            In::Axes => {
                let values: Vec<i64> = (0..self.random.within(1, 2)).map(|_| self.axis()).collect();
                self.integers(&values)
            }
            In::Places => {
                let first = self.shape.first().copied().unwrap_or(1).max(1);
                let values: Vec<i64> = (0..self.random.within(1, 4))
                    .map(|_| {
                        if self.random.one_in(16) {
                            extreme(&mut self.random)
                        } else {
                            self.random.within(0, first - 1)
                        }
                    })
                    .collect();
                self.integers(&values)
            }
            In::PlacesLike => {
                let count = self.shape.iter().product::<i64>().clamp(0, 100_000);
                let dims = self.shape.clone();
                let values: Vec<i64> =
                    (0..count).map(|_| if self.random.one_in(500) { extreme(&mut self.random) } else { 0 }).collect();
                self.constant(|graph, name| graph.integers(name, &dims, &values))
            }
            In::Truth => {
                let dims = self.shape.clone();
                let count = dims.iter().product::<i64>().clamp(0, 100_000) as usize;
                let values: Vec<u8> = (0..count).map(|_| self.random.below(2) as u8).collect();
                self.constant(|graph, name| graph.raw(name, DataType::Bool, &dims, values))
            }
            In::Grid => {
                let (rows, columns) = (self.random.within(1, 9), self.random.within(1, 9));
                let dims = [self.shape.first().copied().unwrap_or(1), rows, columns, 2];
                self.floats(&dims)
            }
            In::Zero => self.constant(|graph, name| graph.raw(name, DataType::Uint8, &[], vec![128])),
        }
    }

    fn attribute(&mut self, attribute: At) -> pb::AttributeProto {
        let rank = self.shape.len() as i64;
        match attribute {
            At::Axis(name) => onnx::integer(name, self.axis()),
            At::AxisList(name) => {
                let count = self.random.within(0, rank);
                let mut axes: Vec<i64> = (0..count).map(|_| self.axis()).collect();
                if !self.random.one_in(8) {
                    axes.sort_unstable();
                    axes.dedup();
                }
                onnx::integers(name, &axes)
            }
            At::Order(name) => {
                let mut order: Vec<i64> = (0..rank).collect();
                for place in (1..order.len()).rev() {
                    order.swap(place, self.random.below(place + 1));
                }
                if let (true, Some(first)) = (self.random.one_in(8), order.first_mut()) {
                    *first = self.random.within(-1, rank);
                }
                onnx::integers(name, &order)
            }
            At::Flag(name) => onnx::integer(name, self.random.within(0, 1)),
            At::Small(name) => onnx::integer(name, self.size()),
            At::Pair(name) => onnx::integers(name, &[self.size(), self.size()]),
            At::Pads(name) => {
                let pads: Vec<i64> = (0..4).map(|_| if self.random.one_in(4) { self.size() } else { 0 }).collect();
                onnx::integers(name, &pads)
            }
            At::Float(name) => {
                let extremes = [0.0, -1.0, 1e-38, f32::MAX, f32::INFINITY, f32::NAN];
                let value =
                    if self.random.one_in(16) { self.random.pick(&extremes) } else { self.random.float().abs() };
                onnx::float(name, value)
            }
            At::Word(name, words) => pb::AttributeProto {
                name: name.into(),
                r#type: AttributeType::String as i32,
                s: self.random.pick(words).as_bytes().to_vec(),
                ..Default::default()
            },
            At::Type(name) => {
                use DataType::{Bool, Double, Float, Float16, Int8, Int32, Int64, Uint8};
                let kind = self.random.pick(&[Bool, Double, Float, Float16, Int8, Int32, Int64, Uint8]);
                onnx::integer(name, kind as i64)
            }
            At::List(name) => {
                let values: Vec<i64> = (0..2).map(|_| self.size()).collect();
                onnx::integers(name, &values)
            }
            At::Tensor(name) => {
                let tensor = pb::TensorProto {
                    dims: vec![1],
                    data_type: DataType::Float as i32,
                    float_data: vec![self.random.float()],
                    ..Default::default()
                };
                pb::AttributeProto {
                    name: name.into(),
                    r#type: AttributeType::Tensor as i32,
                    t: Some(tensor),
                    ..Default::default()
                }
            }
        }
    }
}
