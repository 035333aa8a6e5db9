//! Keras weight files: HDF5 as `save_weights` and `save` of Keras 2 write them.
//!
//! Every layer is a group, every tensor a dataset `LAYER/LAYER/kernel:0`; the layers of a nested model lie in the
//! nested model's group.

use std::path::Path;

use facelens_core::model::{ModelError, ModelErrorKind};
use hdf5_pure::{DType, File, Group};

use super::cards::{self, Facts};
use super::layer_table::LayerTable;
use super::self_check::self_check;
use super::{Imported, Layers, corrupt, guarded, wrong_shape};
use super::{fsa_layers, ssr_layers};
use crate::net::{ShapeError, Tensor};

/// Largest number of values in all tensors of a file; the largest published network has 0.7 million.
const LARGEST_VALUE_COUNT: u64 = 16 << 20;
/// Largest number of tensors in a file; the largest published network has 136.
const LARGEST_TENSOR_COUNT: usize = 2_000;
/// Largest number of groups; the largest published network has 150.
const LARGEST_GROUP_COUNT: usize = 2_000;
/// How deep the groups of a Keras file nest.
const DEEPEST_GROUP: usize = 5;

/// The tensors of a Keras file, by nested model.
#[derive(Default)]
pub(super) struct KerasTables {
    /// All layers, whatever model they are in.
    pub(super) all: LayerTable,
    /// The layers by the outermost group.
    pub(super) models: std::collections::BTreeMap<String, LayerTable>,
}

pub(super) fn import(file: &Path, bytes: &[u8]) -> Result<Imported, ModelError> {
    let wrong = |ShapeError(cause)| wrong_shape(file, cause);
    let facts = Facts::of(bytes);
    let (card, onnx, self_check) = match layers(file, bytes)? {
        Layers::SsrNet { task, net } => {
            let onnx = net.to_onnx().map_err(wrong)?;
            let card = cards::ssr_net(file, task, &facts, &onnx);
            let self_check = self_check(file, &onnx, &card.input, |face| net.reference(face))?;
            (card, onnx, self_check)
        }
        Layers::FsaNet { variant, net } => {
            let onnx = net.to_onnx().map_err(wrong)?;
            let card = cards::fsa_net(file, variant, &facts, &onnx);
            let self_check = self_check(file, &onnx, &card.input, |face| net.reference(face))?;
            (card, onnx, self_check)
        }
    };
    Ok(Imported { card, onnx, self_check: Some(self_check) })
}

pub(super) fn layers(file: &Path, bytes: &[u8]) -> Result<Layers, ModelError> {
    let wrong = |ShapeError(cause)| wrong_shape(file, cause);
    let tables = guarded(file, "HDF5", || read_tables(file, bytes))?;
    if ssr_layers::keras_task(&tables.all).is_some() {
        let (task, net) = ssr_layers::keras_ssr_net(&tables.all).map_err(wrong)?;
        Ok(Layers::SsrNet { task, net: Box::new(net) })
    } else if fsa_layers::is_fsa_net(&tables.models) {
        let (variant, net) = fsa_layers::fsa_net(&tables.models).map_err(wrong)?;
        Ok(Layers::FsaNet { variant, net: Box::new(net) })
    } else {
        Err(wrong_shape(file, "HDF5, but not the Keras weights of an SSR-Net or FSA-Net"))
    }
}

pub(super) fn read_tables(file: &Path, bytes: &[u8]) -> Result<KerasTables, ModelError> {
    let hdf5 = File::from_bytes(bytes.to_vec()).map_err(|error| corrupt(file, format!("broken HDF5: {error}")))?;
    let root = hdf5.root();
    let groups = root.groups().map_err(|error| corrupt(file, format!("broken HDF5: {error}")))?;
    // A whole saved model keeps its weights one group deeper.
    let root = if groups.iter().any(|name| name == "model_weights") {
        root.group("model_weights").map_err(|error| corrupt(file, format!("broken HDF5: {error}")))?
    } else {
        root
    };
    let mut reader = Reader { file, tables: KerasTables::default(), values: 0, tensors: 0, groups: 0 };
    reader.walk(&root, &mut Vec::new())?;
    if reader.tables.all.is_empty() {
        return Err(wrong_shape(file, "HDF5 without a Keras layer in it"));
    }
    reader.tables.all.check_finite().map_err(|cause| corrupt(file, cause))?;
    Ok(reader.tables)
}

struct Reader<'a> {
    file: &'a Path,
    tables: KerasTables,
    values: u64,
    tensors: usize,
    groups: usize,
}

impl Reader<'_> {
    fn walk(&mut self, group: &Group, path: &mut Vec<String>) -> Result<(), ModelError> {
        let broken = |error: hdf5_pure::Error| corrupt(self.file, format!("broken HDF5: {error}"));
        self.groups += 1;
        // Groups may link to one another in rings: both limits are needed.
        if path.len() > DEEPEST_GROUP || self.groups > LARGEST_GROUP_COUNT {
            return Err(corrupt(self.file, "more groups, or deeper ones, than Keras makes"));
        }
        for name in group.datasets().map_err(broken)? {
            let tensor = self.tensor(group, &name)?;
            let (Some(model), Some(layer)) = (path.first(), path.last()) else { continue };
            let tensor_name = name.split(':').next().unwrap_or_default();
            self.tables.all.insert(layer, tensor_name, tensor.clone());
            self.tables.models.entry(model.clone()).or_default().insert(layer, tensor_name, tensor);
        }
        for name in group.groups().map_err(|error| corrupt(self.file, format!("broken HDF5: {error}")))? {
            let child = group.group(&name).map_err(|error| corrupt(self.file, format!("broken HDF5: {error}")))?;
            path.push(name);
            self.walk(&child, path)?;
            path.pop();
        }
        Ok(())
    }

    /// One tensor. Its size is checked before it is read: a few bytes of a hostile file can ask for any amount.
    fn tensor(&mut self, group: &Group, name: &str) -> Result<Tensor, ModelError> {
        let broken = |error: hdf5_pure::Error| corrupt(self.file, format!("broken HDF5 at {name}: {error}"));
        let dataset = group.dataset(name).map_err(broken)?;
        let shape = dataset.shape().map_err(broken)?;
        if !matches!(dataset.dtype().map_err(broken)?, DType::F32 | DType::F64) {
            return Err(wrong_shape(self.file, format!("{name} does not hold floating point numbers")));
        }
        // A compressed tensor is read in whole chunks, which may be larger than the tensor.
        let chunk = dataset.chunk_shape().map_err(broken)?.unwrap_or_default();
        let count = |axes: &[u64]| axes.iter().fold(1_u64, |product, &axis| product.saturating_mul(axis));
        self.tensors += 1;
        self.values = self.values.saturating_add(count(&shape).max(count(&chunk)));
        if self.values > LARGEST_VALUE_COUNT || self.tensors > LARGEST_TENSOR_COUNT {
            return Err(ModelError::new(
                ModelErrorKind::TooLarge,
                self.file,
                format!("more than {LARGEST_VALUE_COUNT} numbers or {LARGEST_TENSOR_COUNT} tensors"),
                "give the weights of an SSR-Net or FSA-Net",
            ));
        }
        let data = dataset.read_f32().map_err(broken)?;
        let shape: Vec<usize> = shape.into_iter().map(|axis| axis as usize).collect();
        Tensor::new(&shape, data).map_err(|ShapeError(cause)| corrupt(self.file, format!("{name}: {cause}")))
    }
}
