//! Counts what a protobuf asks for before it is decoded: an empty node takes two bytes in the file and over two hundred
//! in memory, so a file of 256 MiB could ask for 30 GiB.

use super::Refusal;

/// Most fields (nodes, attributes, names, numbers that are not packed) in a file.
const MAX_FIELDS: usize = 1_000_000;
/// Most numbers in packed variable-length lists; each takes one byte or more in the file and eight in memory.
const MAX_PACKED: usize = 8_000_000;
/// Deepest nesting; an operator's attribute of a graph of a model is at depth 4.
const MAX_DEPTH: usize = 24;

/// The messages of `onnx.proto3` that hold others or packed integers.
#[derive(Clone, Copy)]
enum WireMessage {
    Model,
    Graph,
    Node,
    Attribute,
    Tensor,
    SparseTensor,
    ValueInfo,
    Type,
    TensorType,
    Shape,
    Annotation,
    Function,
    Training,
    /// Only scalars and strings.
    Flat,
}

/// What a length-delimited field holds.
enum FieldContent {
    Message(WireMessage),
    PackedIntegers,
    Bytes,
}

impl WireMessage {
    /// By the field numbers of `onnx.proto3`.
    fn content(self, field: u64) -> FieldContent {
        use FieldContent::{Bytes, PackedIntegers};
        let message = match (self, field) {
            (Self::Model, 7) | (Self::Attribute, 6 | 11) | (Self::Training, 1 | 2) => Self::Graph,
            (Self::Model, 8 | 14)
            | (Self::Function, 9)
            | (Self::Training, 3 | 4)
            | (Self::Annotation, 2)
            | (Self::Tensor, 3 | 13)
            | (Self::Shape, 1) => Self::Flat,
            (Self::Model, 20) => Self::Training,
            (Self::Model, 25) => Self::Function,
            (Self::Graph, 1) | (Self::Function, 7) => Self::Node,
            (Self::Graph, 5) | (Self::Attribute, 5 | 10) | (Self::SparseTensor, 1 | 2) => Self::Tensor,
            (Self::Graph, 11..=13) => Self::ValueInfo,
            (Self::Graph, 14) => Self::Annotation,
            (Self::Graph, 15) | (Self::Attribute, 22 | 23) => Self::SparseTensor,
            (Self::Node, 5) => Self::Attribute,
            (Self::Attribute, 14 | 15) | (Self::ValueInfo, 2) => Self::Type,
            (Self::Type, 1) => Self::TensorType,
            (Self::TensorType, 2) => Self::Shape,
            (Self::Tensor, 1 | 5 | 7 | 11) | (Self::Attribute, 8) | (Self::SparseTensor, 3) => return PackedIntegers,
            _ => return Bytes,
        };
        FieldContent::Message(message)
    }
}

/// Walks the file without decoding it.
pub(super) fn count(onnx: &[u8]) -> Result<(), Refusal> {
    let mut counter = FieldCounter { fields: 0, packed: 0 };
    counter.message(onnx, WireMessage::Model, 0)
}

struct FieldCounter {
    fields: usize,
    packed: usize,
}

impl FieldCounter {
    fn message(&mut self, mut bytes: &[u8], message: WireMessage, depth: usize) -> Result<(), Refusal> {
        if depth > MAX_DEPTH {
            return Err(Refusal::corrupt("its parts are nested deeper than those of any ONNX graph"));
        }
        while !bytes.is_empty() {
            self.fields += 1;
            if self.fields > MAX_FIELDS {
                return Err(Refusal::too_large(format!("its graph has more than {MAX_FIELDS} parts")));
            }
            let key = varint(&mut bytes)?;
            match key & 7 {
                0 => drop(varint(&mut bytes)?),
                1 => drop(take(&mut bytes, 8)?),
                5 => drop(take(&mut bytes, 4)?),
                2 => {
                    let length = varint(&mut bytes)?;
                    let content = take(&mut bytes, length)?;
                    match message.content(key >> 3) {
                        FieldContent::Message(inner) => self.message(content, inner, depth + 1)?,
                        FieldContent::PackedIntegers => self.packed(content)?,
                        FieldContent::Bytes => {}
                    }
                }
                _ => return Err(broken()),
            }
        }
        Ok(())
    }

    fn packed(&mut self, content: &[u8]) -> Result<(), Refusal> {
        self.packed += content.iter().filter(|byte| **byte < 0x80).count();
        if self.packed > MAX_PACKED {
            return Err(Refusal::too_large(format!("its graph lists more than {MAX_PACKED} integers")));
        }
        Ok(())
    }
}

fn broken() -> Refusal {
    Refusal::corrupt("it is not an ONNX file, or a truncated or damaged one")
}

/// Base-128 varint, least significant group first, at most ten bytes.
fn varint(bytes: &mut &[u8]) -> Result<u64, Refusal> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or_else(broken)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(broken())
}

fn take<'a>(bytes: &mut &'a [u8], length: u64) -> Result<&'a [u8], Refusal> {
    let length = usize::try_from(length).ok().filter(|length| *length <= bytes.len()).ok_or_else(broken)?;
    let (content, rest) = bytes.split_at(length);
    *bytes = rest;
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ModelErrorKind;

    fn length_delimited(field: u8, content: &[u8]) -> Vec<u8> {
        let mut bytes = vec![field << 3 | 2];
        let mut length = content.len();
        while length >= 0x80 {
            bytes.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        bytes.push(length as u8);
        bytes.extend_from_slice(content);
        bytes
    }

    #[test]
    fn a_million_empty_nodes_are_too_many() {
        let graph = [0x0a, 0x00].repeat(MAX_FIELDS);
        assert_eq!(count(&length_delimited(7, &graph)).unwrap_err().kind, ModelErrorKind::TooLarge);
        assert_eq!(count(&length_delimited(7, &graph[..2000])), Ok(()));
    }

    #[test]
    fn a_list_of_integers_is_counted() {
        let tensor = length_delimited(7, &vec![0; MAX_PACKED + 1]);
        let model = length_delimited(7, &length_delimited(5, &tensor));
        assert_eq!(count(&model).unwrap_err().kind, ModelErrorKind::TooLarge);
    }

    #[test]
    fn truncation_and_endless_nesting_are_refused() {
        let model = length_delimited(7, &length_delimited(2, b"graph"));
        assert_eq!(count(&model), Ok(()));
        assert_eq!(count(&model[..model.len() - 1]).unwrap_err().kind, ModelErrorKind::Corrupt);
        let mut nested = Vec::new();
        for _ in 0..40 {
            nested = length_delimited(1, &length_delimited(5, &length_delimited(6, &nested)));
        }
        assert_eq!(count(&length_delimited(7, &nested)).unwrap_err().kind, ModelErrorKind::Corrupt);
    }
}
