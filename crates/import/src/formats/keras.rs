//! Keras weight files: HDF5 as `save_weights` and `save` of Keras 2 write them, and as Keras 3 does ([`keras3`]).
//!
//! In Keras 2 every layer is a group, every tensor a dataset `LAYER/LAYER/kernel:0`; the layers of a nested model lie in the
//! nested model's group.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use facelens_core::model::{ModelError, ModelErrorKind};
use hdf5_pure::{AttrValue, DType, Dataset, Datatype, DatatypeByteOrder, File, Group};
use tract_onnx::prelude::f16;

use super::cards::{self, Facts};
use super::hdf5_links;
use super::keras3::{self, GroupNames, NumberedLayer};
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
const DEEPEST_GROUP: usize = 10;
/// Groups of a saved model that hold the state of its training.
const OF_TRAINING: [&str; 2] = ["optimizer", "optimizer_weights"];

/// The tensors of a Keras file, by nested model.
#[derive(Default)]
pub(super) struct KerasTables {
    /// All layers, whatever model they are in.
    pub(super) all: LayerTable,
    /// The layers by the outermost group.
    pub(super) models: BTreeMap<String, LayerTable>,
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
    let (weights, names) = if keras3::is_keras_zip(bytes) {
        let (weights, names) = guarded(file, "a zip", || keras3::unzip(file, bytes))?;
        (Cow::Owned(weights), names)
    } else {
        (Cow::Borrowed(bytes), GroupNames::default())
    };
    let mut tables = guarded(file, "HDF5", || read_named_tables(file, &weights, &names))?;
    if ssr_layers::keras_task(&tables.all).is_none() && !fsa_layers::is_fsa_net(&tables.models) {
        tables.all = ssr_layers::without_prefix(tables.all);
    }
    if ssr_layers::keras_task(&tables.all).is_some() {
        let (task, net) = ssr_layers::keras_ssr_net(&tables.all).map_err(wrong)?;
        Ok(Layers::SsrNet { task, net: Box::new(net) })
    } else if fsa_layers::is_fsa_net(&tables.models) {
        let (variant, net) = fsa_layers::fsa_net(&tables.models).map_err(wrong)?;
        Ok(Layers::FsaNet { variant, net: Box::new(net) })
    } else {
        if tables.all.contains("conv2d") && tables.all.contains("dense_1") && !tables.all.contains("dense_20") {
            // Keras 3 up to 3.3 wrote no names: which of the layers is which stands in the whole model alone.
            let cause = "Keras 3 weights whose layers have no names of their own";
            let remedy = "save the whole model (`model.save(\"NAME.keras\")`) and give that";
            return Err(ModelError::new(ModelErrorKind::WrongShape, file, cause, remedy));
        }
        Err(wrong_shape(file, "HDF5, but not the Keras weights of an SSR-Net or FSA-Net"))
    }
}

#[cfg(test)]
pub(super) fn read_tables(file: &Path, bytes: &[u8]) -> Result<KerasTables, ModelError> {
    read_named_tables(file, bytes, &GroupNames::default())
}

fn read_named_tables(file: &Path, bytes: &[u8], names: &GroupNames) -> Result<KerasTables, ModelError> {
    let broken = |error: hdf5_pure::Error| corrupt(file, format!("broken HDF5: {error}"));
    let bytes = hdf5_links::without_soft_links(bytes).unwrap_or_else(|| bytes.to_vec());
    let hdf5 = File::from_bytes(bytes).map_err(broken)?;
    let root = hdf5.root();
    // A whole saved model keeps its weights one group deeper.
    let is_model = root.groups().map_err(broken)?.iter().any(|name| name == "model_weights");
    let root = if is_model { root.group("model_weights").map_err(broken)? } else { root };
    let mut reader = LayerReader {
        file,
        names,
        tables: KerasTables::default(),
        numbered: Vec::new(),
        values: 0,
        tensors: 0,
        groups: 0,
    };
    reader.walk(&root, &mut Vec::new())?;
    for (model, layer, name, tensor) in keras3::named(std::mem::take(&mut reader.numbered)) {
        reader.insert(&model, &layer, name, tensor);
    }
    if reader.tables.all.is_empty() {
        return Err(wrong_shape(file, "HDF5 without a Keras layer in it"));
    }
    reader.tables.all.check_finite().map_err(|cause| corrupt(file, cause))?;
    Ok(reader.tables)
}

struct LayerReader<'a> {
    file: &'a Path,
    /// Of Keras 3: the layers' own names.
    names: &'a GroupNames,
    tables: KerasTables,
    /// Of Keras 3: layers whose tensors have numbers.
    numbered: Vec<NumberedLayer>,
    values: u64,
    tensors: usize,
    groups: usize,
}

/// A group on the way to a tensor.
struct Step {
    /// What it is called in the file.
    group: String,
    /// The name of the layer or nested model in it, where it is said.
    name: Option<String>,
}

impl LayerReader<'_> {
    fn broken(&self, error: &hdf5_pure::Error) -> ModelError {
        corrupt(self.file, format!("broken HDF5: {error}"))
    }

    fn walk(&mut self, group: &Group, path: &mut Vec<Step>) -> Result<(), ModelError> {
        self.groups += 1;
        // Groups may link to one another in rings: both limits are needed.
        if path.len() > DEEPEST_GROUP || self.groups > LARGEST_GROUP_COUNT {
            return Err(corrupt(self.file, "more groups, or deeper ones, than Keras makes"));
        }
        let datasets = group.datasets().map_err(|error| self.broken(&error))?;
        if path.last().is_some_and(|step| step.group == "vars") {
            self.numbered_layer(group, &datasets, path)?;
        } else {
            for name in datasets {
                let Some(tensor) = self.tensor(group, &name)? else { continue };
                let (Some(model), Some(layer)) = (path.first(), path.last()) else { continue };
                let (model, layer) = (model.group.clone(), layer.group.clone());
                self.insert(&model, &layer, name.split(':').next().unwrap_or_default(), tensor);
            }
        }
        for name in group.groups().map_err(|error| self.broken(&error))? {
            if path.is_empty() && OF_TRAINING.contains(&name.as_str()) {
                continue;
            }
            let child = group.group(&name).map_err(|error| self.broken(&error))?;
            // Some versions write a whole path as one name, with the separators of Windows.
            let depth = path.len();
            path.extend(name.split('\\').map(|part| Step { group: part.to_owned(), name: None }));
            if let Some(last) = path.last_mut() {
                last.name = own_name(&child);
            }
            self.walk(&child, path)?;
            path.truncate(depth);
        }
        Ok(())
    }

    fn insert(&mut self, model: &str, layer: &str, name: &str, tensor: Tensor) {
        self.tables.all.insert(layer, name, tensor.clone());
        self.tables.models.entry(model.to_owned()).or_default().insert(layer, name, tensor);
    }

    /// The tensors of a layer of Keras 3; its group is the last step of `path`.
    fn numbered_layer(&mut self, group: &Group, datasets: &[String], path: &[Step]) -> Result<(), ModelError> {
        let mut tensors = BTreeMap::new();
        for name in datasets {
            if let (Ok(number), Some(tensor)) = (name.parse(), self.tensor(group, name)?) {
                tensors.insert(number, tensor);
            }
        }
        // Containers are no layers: `layers`, `_layer_checkpoint_dependencies`.
        let is_container = |step: &&Step| step.group == "layers" || step.group == "_layer_checkpoint_dependencies";
        let steps: Vec<&Step> = path[..path.len() - 1].iter().filter(|step| !is_container(step)).collect();
        let told = |count: usize| {
            let place = steps[..count].iter().map(|step| step.group.as_str()).collect::<Vec<_>>().join("/");
            let of_attribute = if count == steps.len() { path.last().and_then(|step| step.name.clone()) } else { None };
            of_attribute
                .or_else(|| steps[count - 1].name.clone())
                .or_else(|| self.names.of(&place).map(str::to_owned))
                .unwrap_or_else(|| steps[count - 1].group.clone())
        };
        if !tensors.is_empty() && !steps.is_empty() {
            let (model, layer) = (told(1), told(steps.len()));
            self.numbered.push(NumberedLayer { model, layer, tensors });
        }
        Ok(())
    }

    /// One tensor; `None` for what holds no floating point numbers, as counters do. Its size is checked before it is read:
    /// a few bytes of a hostile file can ask for any amount.
    fn tensor(&mut self, group: &Group, name: &str) -> Result<Option<Tensor>, ModelError> {
        let broken = |error: hdf5_pure::Error| corrupt(self.file, format!("broken HDF5 at {name}: {error}"));
        let dataset = group.dataset(name).map_err(broken)?;
        let shape = dataset.shape().map_err(broken)?;
        let Some(read) = reading(&dataset).map_err(broken)? else { return Ok(None) };
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
        let data = read(&dataset).map_err(broken)?;
        let shape: Vec<usize> = shape.into_iter().map(|axis| axis as usize).collect();
        let tensor = Tensor::new(&shape, data);
        tensor.map(Some).map_err(|ShapeError(cause)| corrupt(self.file, format!("{name}: {cause}")))
    }
}

/// The layer's own name, as Keras 3 writes it beside its tensors.
fn own_name(group: &Group) -> Option<String> {
    text(group.attrs().ok()?.get("name")?)
}

fn text(value: &AttrValue) -> Option<String> {
    match value {
        AttrValue::String(text)
        | AttrValue::AsciiString(text)
        | AttrValue::VarLenString(text)
        | AttrValue::VarLenAsciiString(text) => Some(text.clone()),
        AttrValue::StringSized { value, .. } | AttrValue::AsciiStringSized { value, .. } => Some(value.clone()),
        _ => None,
    }
}

type Reading = fn(&Dataset) -> Result<Vec<f32>, hdf5_pure::Error>;

/// How the numbers of a tensor are read as 32-bit floats; `None` where they are none.
fn reading(dataset: &Dataset) -> Result<Option<Reading>, hdf5_pure::Error> {
    let read: Reading = match dataset.dtype()? {
        DType::F32 | DType::F64 => Dataset::read_f32,
        DType::U16 if is_bfloat(dataset) => |dataset| Ok(halves(dataset, true)?.map(of_bfloat).collect()),
        _ => match dataset.datatype()? {
            Datatype::FloatingPoint { size: 2, byte_order: DatatypeByteOrder::LittleEndian, .. } => {
                |dataset| Ok(halves(dataset, true)?.map(of_half).collect())
            }
            Datatype::FloatingPoint { size: 2, byte_order: DatatypeByteOrder::BigEndian, .. } => {
                |dataset| Ok(halves(dataset, false)?.map(of_half).collect())
            }
            _ => return Ok(None),
        },
    };
    Ok(Some(read))
}

/// Keras writes bfloat16 as whole numbers, with a word beside them.
fn is_bfloat(dataset: &Dataset) -> bool {
    dataset.attrs().is_ok_and(|attrs| attrs.get("dtype").and_then(text).as_deref() == Some("bfloat16"))
}

fn halves(dataset: &Dataset, little: bool) -> Result<impl Iterator<Item = u16>, hdf5_pure::Error> {
    let value = if little { u16::from_le_bytes } else { u16::from_be_bytes };
    let bytes = dataset.read_raw()?;
    let pairs: Vec<[u8; 2]> = bytes.as_chunks::<2>().0.to_vec();
    Ok(pairs.into_iter().map(value))
}

fn of_half(bits: u16) -> f32 {
    f16::from_bits(bits).to_f32()
}

fn of_bfloat(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}
