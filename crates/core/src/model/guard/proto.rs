//! What can be said about a graph before any shape is known: which operators, which tensors, which input.

use std::collections::HashSet;

use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::{DataLocation, DataType};
use tract_onnx::pb::tensor_shape_proto::dimension::Value as Dimension;

use super::{MAX_ELEMENTS, MAX_NODES, Refusal};

/// The operators that networks for faces are made of. Left out are those that run graphs of their own (`If`, `Loop`,
/// `Scan`, recurrent ones), whose output's size depends on values (`NonZero`, `Range`, `Compress`, ...), that give
/// random numbers, and sequences.
const OPERATORS: &str = " Abs Acos Acosh Add And ArgMax ArgMin Asin Asinh Atan Atanh AveragePool BatchNormalization \
    BiasGelu BitShift Cast CastLike Ceil Celu Clip Concat Constant ConstantOfShape Conv ConvInteger ConvTranspose Cos \
    Cosh CumSum DepthToSpace DequantizeLinear Div Dropout DynamicQuantizeLinear Elu Equal Erf Exp Expand FastGelu \
    Flatten Floor Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater \
    GreaterOrEqual GridSample GroupNormalization HardSigmoid HardSwish Hardmax Identity InstanceNormalization IsInf \
    IsNaN LRN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax LpNormalization MatMul MatMulInteger Max \
    MaxPool Mean MeanVarianceNormalization Min Mish Mod Mul Neg Not Or PRelu Pad ParametricSoftplus Pow QLinearConv \
    QLinearMatMul QuantizeLinear QuickGelu RMSNormalization Reciprocal ReduceL1 ReduceL2 ReduceLogSum \
    ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Reshape Resize Round \
    Rsqrt ScaledTanh ScatterElements ScatterND Selu Shape Shrink Sigmoid Sign SimplifiedLayerNormalization Sin Sinh \
    Size SkipLayerNormalization Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tan \
    Tanh ThresholdedRelu Tile TopK Transpose Trilu Unsqueeze Where Xor ";

/// Those of them that ONNX Runtime defines in its own domain.
const MICROSOFT_OPERATORS: &str =
    " BiasGelu FastGelu Gelu QuickGelu SimplifiedLayerNormalization SkipLayerNormalization ";
/// ONNX Runtime's own domain.
const MICROSOFT: &str = "com.microsoft";

/// Largest kernel, stride, dilation or block of a convolution or pooling, pixels.
const MAX_WINDOW: i64 = 1024;
/// Largest padding on one side, pixels.
const MAX_PADDING: i64 = 4096;
/// Most axes of a tensor.
const MAX_RANK: usize = 8;

/// Checks a decoded graph, and makes its input's shape and its outputs fit for tract.
pub(super) fn check(proto: &mut pb::ModelProto, input_shape: &[usize]) -> Result<(), Refusal> {
    let graph = proto.graph.as_mut().ok_or_else(|| Refusal::corrupt("there is no graph in it"))?;
    if graph.node.len() > MAX_NODES || graph.initializer.len() > MAX_NODES {
        return Err(Refusal::too_large(format!(
            "its graph has {} nodes and {} tensors, more than {MAX_NODES}",
            graph.node.len(),
            graph.initializer.len()
        )));
    }
    if !graph.sparse_initializer.is_empty() {
        return Err(Refusal::wrong_shape("it holds sparse tensors", "export it with dense tensors"));
    }
    names(graph)?;
    graph.initializer.iter().try_for_each(tensor)?;
    graph.node.iter_mut().try_for_each(node)?;
    input(graph, input_shape)?;
    outputs(graph)
}

/// Checks that nothing is given twice, and names each node by its number and what it gives: names of nodes mean nothing
/// in ONNX, but tract 0.23 takes them for names of values. [`label`] undoes it.
fn names(graph: &mut pb::GraphProto) -> Result<(), Refusal> {
    let twice = |name: &str| Refusal::corrupt(format!("its graph gives `{name}` twice"));
    let mut given: HashSet<&str> = HashSet::new();
    if let Some(tensor) = graph.initializer.iter().find(|tensor| !given.insert(&tensor.name)) {
        return Err(twice(&tensor.name));
    }
    // Up to IR version 3, constants are inputs, too.
    given.extend(graph.input.iter().map(|input| input.name.as_str()));
    for (index, node) in graph.node.iter_mut().enumerate() {
        if let Some(output) = node.output.iter().find(|name| !name.is_empty() && !given.insert(name)) {
            return Err(twice(output));
        }
        let first = node.output.iter().find(|name| !name.is_empty()).unwrap_or(&node.op_type);
        node.name = format!("{index}:{first}");
    }
    Ok(())
}

/// The name of a node as the file has it, or of what it gives.
pub(super) fn label(name: &str) -> &str {
    match name.split_once(':') {
        Some((number, label)) if number.bytes().all(|byte| byte.is_ascii_digit()) => label,
        _ => name,
    }
}

/// Gives the one input its shape.
fn input(graph: &mut pb::GraphProto, shape: &[usize]) -> Result<(), Refusal> {
    let constants: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    let mut inputs = graph.input.iter_mut().filter(|input| !constants.contains(input.name.as_str()));
    let (Some(input), None) = (inputs.next(), inputs.next()) else {
        let count = graph.input.iter().filter(|input| !constants.contains(input.name.as_str())).count();
        return Err(Refusal::wrong_shape(
            format!("its graph has {count} inputs instead of one image"),
            "export it with the image as its only input",
        ));
    };
    let Some(pb::type_proto::Value::TensorType(tensor)) = input.r#type.as_mut().and_then(|kind| kind.value.as_mut())
    else {
        return Err(Refusal::corrupt(format!("its input `{}` has no type", input.name)));
    };
    if tensor.elem_type != DataType::Float as i32 {
        return Err(Refusal::wrong_shape(
            format!("its input `{}` takes {}, not 32-bit floats", input.name, type_name(tensor.elem_type)),
            "export it with a 32-bit float input",
        ));
    }
    if let Some(declared) = &tensor.shape {
        let fits = declared.dim.len() == shape.len()
            && declared.dim.iter().zip(shape).all(|(dim, wanted)| match dim.value {
                Some(Dimension::DimValue(value)) if value > 0 => usize::try_from(value) == Ok(*wanted),
                _ => true,
            });
        if !fits {
            return Err(Refusal::wrong_shape(
                format!("its input `{}` is {}, but {} is wanted", input.name, declared_shape(declared), times(shape)),
                "correct the input size and layout in the model's card",
            ));
        }
    }
    let dim = shape
        .iter()
        .map(|&size| pb::tensor_shape_proto::Dimension {
            value: Some(Dimension::DimValue(size as i64)),
            ..Default::default()
        })
        .collect();
    tensor.shape = Some(pb::TensorShapeProto { dim });
    Ok(())
}

fn outputs(graph: &mut pb::GraphProto) -> Result<(), Refusal> {
    if graph.output.is_empty() {
        return Err(Refusal::corrupt("its graph has no output"));
    }
    let known: HashSet<&str> = graph
        .node
        .iter()
        .flat_map(|node| &node.output)
        .chain(graph.input.iter().map(|input| &input.name))
        .chain(graph.initializer.iter().map(|tensor| &tensor.name))
        .map(String::as_str)
        .collect();
    let loose = graph
        .output
        .iter()
        .map(|output| &output.name)
        .chain(graph.node.iter().flat_map(|node| &node.input).filter(|name| !name.is_empty()))
        .find(|name| !known.contains(name.as_str()));
    if let Some(name) = loose {
        return Err(Refusal::corrupt(format!("nothing in its graph gives `{name}`")));
    }
    // Hints about shapes are not needed, and their symbolic expressions would have to be parsed.
    graph.value_info.clear();
    for output in &mut graph.output {
        output.r#type = None;
    }
    Ok(())
}

fn node(node: &mut pb::NodeProto) -> Result<(), Refusal> {
    let op = node.op_type.as_str();
    let is_among = |operators: &str| !op.contains(' ') && operators.contains(&format!(" {op} "));
    let known = match node.domain.as_str() {
        "" | "ai.onnx" => is_among(OPERATORS),
        MICROSOFT => is_among(MICROSOFT_OPERATORS),
        // What another domain calls `Relu` may be anything.
        _ => false,
    };
    if !known {
        let domain = if node.domain.is_empty() { String::new() } else { format!(" of the domain `{}`", node.domain) };
        return Err(Refusal::wrong_shape(
            format!("its graph uses the operator `{op}`{domain}, which facelens does not run"),
            "export the model without it",
        ));
    }
    for attribute in &node.attribute {
        let place = || format!("{op} `{}`, `{}`", label(&node.name), attribute.name);
        if attribute.g.is_some() || !attribute.graphs.is_empty() {
            return Err(Refusal::corrupt(format!("{}: a graph where there should be none", place())));
        }
        if attribute.sparse_tensor.is_some() || !attribute.sparse_tensors.is_empty() {
            return Err(Refusal::wrong_shape("it holds sparse tensors", "export it with dense tensors"));
        }
        attribute.t.iter().chain(&attribute.tensors).try_for_each(tensor)?;
        if op == "Transpose" && attribute.name == "perm" && !is_permutation(&attribute.ints) {
            return Err(Refusal::corrupt(format!("{}: {:?} is not an order of axes", place(), attribute.ints)));
        }
        let range = match attribute.name.as_str() {
            "kernel_shape" | "strides" | "dilations" | "blocksize" => 1..=MAX_WINDOW,
            "pads" | "output_padding" | "output_shape" => -MAX_PADDING..=MAX_PADDING,
            // The end of a slice may be as far away as numbers go.
            _ if op == "Slice" || op == "Constant" => i64::MIN..=i64::MAX,
            _ => -(1 << 32)..=1 << 32,
        };
        // A list of integers leaves the single integer at 0, which means nothing then.
        let single = (attribute.ints.is_empty() && attribute.i != 0).then_some(&attribute.i);
        if let Some(value) = attribute.ints.iter().chain(single).find(|value| !range.contains(value)) {
            return Err(Refusal::too_large(format!("{}: {value} is out of bounds", place())));
        }
    }
    // The ONNX default is one 32-bit zero; tract 0.23 takes a 64-bit one.
    if op == "ConstantOfShape" && !node.attribute.iter().any(|attribute| attribute.name == "value") {
        let zero = pb::TensorProto {
            dims: vec![1],
            data_type: DataType::Float as i32,
            float_data: vec![0.0],
            ..Default::default()
        };
        node.attribute.push(pb::AttributeProto {
            name: "value".into(),
            r#type: pb::attribute_proto::AttributeType::Tensor as i32,
            t: Some(zero),
            ..Default::default()
        });
    }
    Ok(())
}

/// Whether each of the numbers below the list's length is in it.
fn is_permutation(axes: &[i64]) -> bool {
    let mut sorted = axes.to_vec();
    sorted.sort_unstable();
    sorted.into_iter().eq(0..axes.len() as i64)
}

/// Checks that a tensor holds exactly the numbers that its dimensions claim, and that they are numbers.
fn tensor(tensor: &pb::TensorProto) -> Result<(), Refusal> {
    let name = &tensor.name;
    if tensor.data_location == Some(DataLocation::External as i32) || !tensor.external_data.is_empty() {
        return Err(Refusal::wrong_shape(
            format!("its tensor `{name}` lies in another file"),
            "save the model as one file, without external data",
        ));
    }
    if tensor.segment.is_some() || tensor.dims.len() > MAX_RANK {
        return Err(Refusal::corrupt(format!("its tensor `{name}` is in parts or has too many axes")));
    }
    let claimed = tensor
        .dims
        .iter()
        .try_fold(1_u64, |count, &dim| count.checked_mul(u64::try_from(dim).ok()?))
        .filter(|count| *count <= MAX_ELEMENTS)
        .ok_or_else(|| Refusal::too_large(format!("its tensor `{name}` claims to be {:?}", tensor.dims)))?;
    let (bytes, listed) = match DataType::try_from(tensor.data_type) {
        Ok(DataType::Float) => (4, tensor.float_data.len()),
        Ok(DataType::Double) => (8, tensor.double_data.len()),
        Ok(DataType::Int64 | DataType::Uint64) => (8, tensor.int64_data.len()),
        Ok(DataType::Int32 | DataType::Uint32) => (4, tensor.int32_data.len()),
        Ok(DataType::Int16 | DataType::Uint16) => (2, tensor.int32_data.len()),
        Ok(DataType::Int8 | DataType::Uint8 | DataType::Bool) => (1, tensor.int32_data.len()),
        _ => {
            return Err(Refusal::wrong_shape(
                format!("its tensor `{name}` holds {}", type_name(tensor.data_type)),
                "export the model with 32-bit floats",
            ));
        }
    };
    let held = if tensor.raw_data.is_empty() { listed as u64 } else { tensor.raw_data.len() as u64 / bytes };
    let whole = (tensor.raw_data.len() as u64).is_multiple_of(bytes);
    if held != claimed || !whole {
        return Err(Refusal::corrupt(format!(
            "its tensor `{name}` claims to be {:?}, but holds {held} numbers",
            tensor.dims
        )));
    }
    // One infinite number may be a bound (of a `Clip`) or what is put in place of others; among weights it is damage.
    let sound = |value: f64| value.is_finite() || (held == 1 && !value.is_nan());
    let all_sound = if bytes == 8 {
        let (raw, _) = tensor.raw_data.as_chunks::<8>();
        let doubles = tensor.data_type == DataType::Double as i32;
        !doubles
            || raw.iter().all(|&raw| sound(f64::from_le_bytes(raw)))
                && tensor.double_data.iter().all(|&value| sound(value))
    } else {
        let (raw, _) = tensor.raw_data.as_chunks::<4>();
        let floats = tensor.data_type == DataType::Float as i32;
        let single = |value: f32| sound(value.into());
        !floats
            || raw.iter().all(|&raw| single(f32::from_le_bytes(raw)))
                && tensor.float_data.iter().all(|&value| single(value))
    };
    if all_sound {
        Ok(())
    } else {
        Err(Refusal::corrupt(format!("its tensor `{name}` holds a number that is not finite")))
    }
}

fn type_name(data_type: i32) -> String {
    DataType::try_from(data_type).map_or_else(|_| format!("type {data_type}"), |known| format!("{known:?}"))
}

/// `1x3x64x64`.
pub(super) fn times(shape: &[usize]) -> String {
    shape.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}

fn declared_shape(shape: &pb::TensorShapeProto) -> String {
    let dims = shape.dim.iter().map(|dim| match &dim.value {
        Some(Dimension::DimValue(value)) => value.to_string(),
        _ => "?".to_owned(),
    });
    dims.collect::<Vec<_>>().join("x")
}
