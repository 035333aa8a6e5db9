//! MXNet parameters (`.params`): a list of NDArrays with their names, here of the MXNet port of SSR-Net.
//!
//! ```text
//! u64 0x112, u64 0, u64 count, count arrays, u64 count, count names (u64 length, bytes)
//! array: u32 magic, i32 storage type, u32 rank, i64 axes.., i32 device type, i32 device, i32 number type, numbers
//! ```
//!
//! The port differs from the authors' network: it scales its input itself, its batch normalisation has another
//! epsilon, the heads of stage 1 have no relu, and it unrolls channels first.

use std::path::{Path, PathBuf};

use facelens_core::model::{ModelError, ModelErrorKind, Task, read_capped};
use tract_onnx::prelude::f16;

use super::cards::{self, Facts};
use super::layer_table::LayerTable;
use super::self_check::self_check;
use super::ssr_layers::{self, AGE_RANGE};
use super::{Imported, Layers, corrupt, wrong_shape};
use crate::net::ssr_net::SsrNetWeights;
use crate::net::{ShapeError, Tensor};

/// Largest symbol file that is read; the port's has 42 KB.
const LARGEST_SYMBOL_BYTES: u64 = 4 << 20;
/// The magic number of a list of arrays.
const LIST_MAGIC: u64 = 0x112;
/// Arrays with 64-bit axes: without a storage type in front, with one, and the same as NumPy counts axes.
const ARRAY_MAGIC_V1: u32 = 0xF993_FAC8;
const ARRAY_MAGIC_V2: u32 = 0xF993_FAC9;
const ARRAY_MAGIC_V3: u32 = 0xF993_FACA;
/// No array of this network has more axes.
const LARGEST_RANK: usize = 8;
/// Largest number of arrays; the port has 96.
const LARGEST_ARRAY_COUNT: u64 = 2_000;

/// Whether the bytes are a list of NDArrays.
pub(super) fn is_array_list(bytes: &[u8]) -> bool {
    bytes.starts_with(&LIST_MAGIC.to_le_bytes())
}

pub(super) fn import(file: &Path, bytes: &[u8], task: Option<Task>) -> Result<Imported, ModelError> {
    let (task, net) = read(file, bytes, task)?;
    let onnx = net.to_onnx().map_err(|ShapeError(cause)| wrong_shape(file, cause))?;
    let card = cards::mxnet_ssr_net(file, task, &Facts::of(bytes), &onnx);
    let self_check = self_check(file, &onnx, &card.input, |face| net.reference(face))?;
    Ok(Imported { card, onnx, self_check: Some(self_check) })
}

pub(super) fn layers(file: &Path, bytes: &[u8], task: Option<Task>) -> Result<Layers, ModelError> {
    let (task, net) = read(file, bytes, task)?;
    Ok(Layers::SsrNet { task, net: Box::new(net) })
}

fn read(file: &Path, bytes: &[u8], task: Option<Task>) -> Result<(Task, SsrNetWeights), ModelError> {
    let table = read_arrays(bytes).map_err(|cause| corrupt(file, format!("broken MXNet parameters: {cause}")))?;
    let task = Facts::of(bytes).task().or_else(|| task_of_symbol(file)).or(task).ok_or_else(|| {
        ModelError::new(
            ModelErrorKind::NoCard,
            file,
            "MXNet parameters do not say whether they estimate age or gender",
            "name the task (--model age=FILE), or put the network's -symbol.json beside the file",
        )
    })?;
    let net = ssr_layers::mxnet_ssr_net(&table, task).map_err(|ShapeError(cause)| wrong_shape(file, cause))?;
    Ok((task, net))
}

/// The symbol file that MXNet writes beside `NAME-0021.params` is `NAME-symbol.json`; the age network's ends in a
/// multiplication by V = 101. Without it nothing in the parameters tells age from gender.
fn task_of_symbol(file: &Path) -> Option<Task> {
    let stem = file.file_stem()?.to_str()?;
    let prefix = stem.rsplit_once('-').map_or(stem, |(prefix, _)| prefix);
    let symbol: PathBuf = file.with_file_name(format!("{prefix}-symbol.json"));
    let symbol: serde_json::Value = serde_json::from_slice(&read_capped(&symbol, LARGEST_SYMBOL_BYTES).ok()?).ok()?;
    let years = symbol["nodes"].as_array()?.iter().any(|node| {
        let scalar = node["attrs"]["scalar"].as_str().or_else(|| node["param"]["scalar"].as_str());
        node["op"] == "_mul_scalar" && scalar.and_then(|text| text.parse().ok()) == Some(AGE_RANGE)
    });
    Some(if years { Task::Age } else { Task::Gender })
}

/// Reads the arrays; `arg:convolution0_weight` becomes the kernel of the layer `convolution0`.
pub(super) fn read_arrays(bytes: &[u8]) -> Result<LayerTable, String> {
    let mut reader = ArrayReader { rest: bytes };
    reader.u64()?;
    reader.u64()?;
    let count = reader.u64()?;
    if count > LARGEST_ARRAY_COUNT {
        return Err(format!("{count} arrays, more than any network of these papers has"));
    }
    let arrays: Vec<Option<Tensor>> = (0..count).map(|_| reader.array()).collect::<Result<_, _>>()?;
    if reader.u64()? != count {
        return Err("not as many names as arrays".to_owned());
    }
    let mut table = LayerTable::default();
    for array in arrays {
        let length = usize::try_from(reader.u64()?).map_err(|_| "a name of an impossible length")?;
        let name = std::str::from_utf8(reader.bytes(length)?).map_err(|_| "a name that is not text")?;
        let name = name.rsplit(':').next().unwrap_or(name);
        let endings = [
            ("_weight", "kernel"),
            ("_bias", "bias"),
            ("_gamma", "gamma"),
            ("_beta", "beta"),
            ("_moving_mean", "moving_mean"),
            ("_moving_var", "moving_variance"),
        ];
        let layer = endings.iter().find_map(|(ending, tensor)| Some((name.strip_suffix(ending)?, tensor)));
        if let (Some((layer, tensor)), Some(array)) = (layer, array) {
            table.insert(layer, tensor, array);
        }
    }
    table.check_finite()?;
    Ok(table)
}

struct ArrayReader<'a> {
    rest: &'a [u8],
}

impl<'a> ArrayReader<'a> {
    fn bytes(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (own, rest) = self.rest.split_at_checked(length).ok_or("truncated")?;
        self.rest = rest;
        Ok(own)
    }

    fn array_of<const N: usize>(&mut self) -> Result<[u8; N], String> {
        self.bytes(N)?.try_into().map_err(|_| "truncated".to_owned())
    }

    fn u32(&mut self) -> Result<u32, String> {
        Ok(u32::from_le_bytes(self.array_of()?))
    }

    fn u64(&mut self) -> Result<u64, String> {
        Ok(u64::from_le_bytes(self.array_of()?))
    }

    /// One array; `None` for an empty one. The numbers are taken from the bytes that are there, so a large shape alone
    /// allocates nothing.
    fn array(&mut self) -> Result<Option<Tensor>, String> {
        let magic = self.u32()?;
        if matches!(magic, ARRAY_MAGIC_V2 | ARRAY_MAGIC_V3) && self.u32()? != 0 {
            return Err("a sparse array; facelens reads dense ones".to_owned());
        }
        // The oldest format has no magic number: it starts with the rank, and its axes have 32 bits.
        let wide = matches!(magic, ARRAY_MAGIC_V1 | ARRAY_MAGIC_V2 | ARRAY_MAGIC_V3);
        let rank = if wide { self.u32()? } else { magic };
        // An array that was never filled ends here: one without axes, or as NumPy counts, with an unknown number of them.
        if rank == if magic == ARRAY_MAGIC_V3 { u32::MAX } else { 0 } {
            return Ok(None);
        }
        let rank = rank as usize;
        if rank > LARGEST_RANK {
            return Err(format!("an array with {rank} axes"));
        }
        let axis = |reader: &mut Self| if wide { reader.u64() } else { reader.u32().map(u64::from) };
        let shape: Vec<usize> = (0..rank)
            .map(|_| usize::try_from(axis(self)?).map_err(|_| "an axis of an impossible length".to_owned()))
            .collect::<Result<_, _>>()?;
        let (_device_type, _device, number_type) = (self.u32()?, self.u32()?, self.u32()?);
        let count = shape.iter().try_fold(1_usize, |product, &axis| product.checked_mul(axis)).ok_or("truncated")?;
        let numbers = self.numbers(number_type, count)?;
        numbers.map(|numbers| Tensor::new(&shape, numbers).map_err(|ShapeError(cause)| cause)).transpose()
    }

    /// So many numbers of this type; `None` for whole numbers, as counters are.
    fn numbers(&mut self, number_type: u32, count: usize) -> Result<Option<Vec<f32>>, String> {
        let mut bytes = |size: usize| self.bytes(count.checked_mul(size).ok_or("truncated")?);
        Ok(match number_type {
            0 => Some(bytes(4)?.as_chunks::<4>().0.iter().map(|&value| f32::from_le_bytes(value)).collect()),
            1 => Some(bytes(8)?.as_chunks::<8>().0.iter().map(|&value| f64::from_le_bytes(value) as f32).collect()),
            2 => {
                let halves = bytes(2)?.as_chunks::<2>().0.iter();
                Some(halves.map(|&value| f16::from_bits(u16::from_le_bytes(value)).to_f32()).collect())
            }
            3 | 5 | 7 => bytes(1).map(|_| None)?,
            4 => bytes(4).map(|_| None)?,
            6 => bytes(8).map(|_| None)?,
            // The upper half of a 32-bit float.
            12 => {
                let halves = bytes(2)?.as_chunks::<2>().0.iter();
                Some(halves.map(|&value| f32::from_bits(u32::from(u16::from_le_bytes(value)) << 16)).collect())
            }
            _ => return Err(format!("numbers of the type {number_type}; facelens reads floating point")),
        })
    }
}
