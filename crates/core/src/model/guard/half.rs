//! Graphs in half and in double precision become graphs of 32-bit floats: tract's processors have no arithmetic for 16
//! bits, and networks for faces need none for 64.

use tract_onnx::pb;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::prelude::f16;

/// Attributes that name a type of numbers.
const TYPE_ATTRIBUTES: [&str; 4] = ["to", "dtype", "output_dtype", "stash_type"];

/// Converts the tensors, casts and inputs of a graph. A tensor that does not hold what it claims stays as it is.
pub(super) fn widen(proto: &mut pb::ModelProto) {
    let Some(graph) = proto.graph.as_mut() else { return };
    graph.initializer.iter_mut().for_each(tensor);
    for attribute in graph.node.iter_mut().flat_map(|node| &mut node.attribute) {
        attribute.t.iter_mut().chain(&mut attribute.tensors).for_each(tensor);
        if TYPE_ATTRIBUTES.contains(&attribute.name.as_str()) && is_other_float(attribute.i) {
            attribute.i = i64::from(DataType::Float as i32);
        }
    }
    for input in &mut graph.input {
        if let Some(pb::type_proto::Value::TensorType(tensor)) =
            input.r#type.as_mut().and_then(|kind| kind.value.as_mut())
            && is_other_float(i64::from(tensor.elem_type))
        {
            tensor.elem_type = DataType::Float as i32;
        }
    }
}

fn is_other_float(data_type: i64) -> bool {
    let others = [DataType::Float16, DataType::Bfloat16, DataType::Double];
    others.into_iter().any(|other| i64::from(other as i32) == data_type)
}

fn tensor(tensor: &mut pb::TensorProto) {
    if tensor.data_type == DataType::Double as i32 {
        narrow(tensor);
        return;
    }
    let decode: fn(u16) -> f32 = match DataType::try_from(tensor.data_type) {
        Ok(DataType::Float16) => |bits| f16::from_bits(bits).to_f32(),
        // The upper half of a 32-bit float.
        Ok(DataType::Bfloat16) => |bits| f32::from_bits(u32::from(bits) << 16),
        _ => return,
    };
    if !tensor.raw_data.len().is_multiple_of(2) {
        return;
    }
    let (halves, _) = tensor.raw_data.as_chunks::<2>();
    tensor.raw_data = halves.iter().flat_map(|&bytes| decode(u16::from_le_bytes(bytes)).to_le_bytes()).collect();
    // Without raw bytes, the bits stand in the lower half of 32-bit integers.
    tensor.float_data = std::mem::take(&mut tensor.int32_data).into_iter().map(|bits| decode(bits as u16)).collect();
    tensor.data_type = DataType::Float as i32;
}

/// A tensor of doubles as one of 32-bit floats. What is too large for them becomes infinite, and is refused as that.
fn narrow(tensor: &mut pb::TensorProto) {
    if !tensor.raw_data.len().is_multiple_of(8) {
        return;
    }
    let (doubles, _) = tensor.raw_data.as_chunks::<8>();
    tensor.raw_data = doubles.iter().flat_map(|&bytes| (f64::from_le_bytes(bytes) as f32).to_le_bytes()).collect();
    tensor.float_data = std::mem::take(&mut tensor.double_data).into_iter().map(|value| value as f32).collect();
    tensor.data_type = DataType::Float as i32;
}
