//! What an ONNX graph is made of, for `models show`.

use std::collections::BTreeMap;
use std::path::Path;

use tract_onnx::pb;

use super::error::ModelError;
use super::guard;

/// What an ONNX graph is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphSummary {
    /// Number of constant tensors.
    pub tensors: usize,
    /// Numbers in the constant tensors of floats: the parameters, folded batch norms and fixed indices included.
    pub parameters: u64,
    /// How often each operator occurs.
    pub operators: BTreeMap<String, usize>,
    /// The ONNX operator set's version.
    pub opset: i64,
    /// The program that wrote it, where it says so.
    pub producer: String,
    /// What it takes; its constants are none of it.
    pub inputs: Vec<GraphValue>,
    /// What it gives.
    pub outputs: Vec<GraphValue>,
}

/// An input or output of a graph, as the file declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphValue {
    /// Its name.
    pub name: String,
    /// Its axes; `None` for one that the file leaves open, as that of the batch often is. Empty where nothing is said.
    pub shape: Vec<Option<u64>>,
}

impl GraphValue {
    fn of(value: &pb::ValueInfoProto) -> Self {
        let shape = value.r#type.as_ref().and_then(|kind| match &kind.value {
            Some(pb::type_proto::Value::TensorType(tensor)) => tensor.shape.as_ref(),
            _ => None,
        });
        let size = |dim: &pb::tensor_shape_proto::Dimension| match dim.value {
            Some(pb::tensor_shape_proto::dimension::Value::DimValue(size)) => {
                u64::try_from(size).ok().filter(|size| *size > 0)
            }
            _ => None,
        };
        let shape = shape.map(|shape| shape.dim.iter().map(size).collect()).unwrap_or_default();
        // A name may hold anything.
        Self { name: value.name.replace(char::is_control, "?"), shape }
    }
}

impl GraphSummary {
    /// Reads a graph without preparing it; `file` is named in errors.
    ///
    /// # Errors
    /// [`ModelError`] where the bytes are no ONNX graph.
    pub fn of(onnx: &[u8], file: &Path) -> Result<Self, ModelError> {
        let proto = guard::decode(onnx).map_err(|refusal| refusal.about(file))?;
        let graph = proto.graph.unwrap_or_default();
        let mut operators = BTreeMap::new();
        for node in &graph.node {
            *operators.entry(node.op_type.clone()).or_default() += 1;
        }
        // 1, 10 and 11 are the element types of 32-, 16- and 64-bit floats in `onnx.proto3`.
        let floats = graph.initializer.iter().filter(|tensor| matches!(tensor.data_type, 1 | 10 | 11));
        let parameters = floats
            .map(|tensor| tensor.dims.iter().fold(1_u64, |count, dim| count.saturating_mul(dim.unsigned_abs())))
            .fold(0, u64::saturating_add);
        let is_input = |value: &&pb::ValueInfoProto| graph.initializer.iter().all(|tensor| tensor.name != value.name);
        let inputs = graph.input.iter().filter(is_input).map(GraphValue::of).collect();
        let outputs = graph.output.iter().map(GraphValue::of).collect();
        let opset = proto.opset_import.iter().find(|set| set.domain.is_empty()).map_or(0, |set| set.version);
        let (tensors, producer) = (graph.initializer.len(), proto.producer_name);
        Ok(Self { tensors, parameters, operators, opset, producer, inputs, outputs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::graphs::small;

    #[test]
    fn parameters_and_operators_are_counted() {
        let bytes = small(&[1, 3, 8, 8]).integers("index", &[1, 2, 3]).bytes();
        let summary = GraphSummary::of(&bytes, Path::new("x.onnx")).unwrap();
        assert_eq!((summary.tensors, summary.parameters, summary.opset), (4, 54 + 2 + 2, 13));
        assert_eq!(summary.operators["Conv"], 1);
        let input = GraphValue { name: "x".into(), shape: vec![Some(1), Some(3), Some(8), Some(8)] };
        assert_eq!(summary.inputs, [input]);
        assert_eq!(summary.outputs, [GraphValue { name: "y".into(), shape: vec![] }]);
        let open = GraphSummary::of(&small(&[0, 3, 8, 8]).bytes(), Path::new("x.onnx")).unwrap();
        assert_eq!(open.inputs[0].shape[0], None);
        assert!(GraphSummary::of(b"text", Path::new("x.onnx")).is_err());
    }
}
