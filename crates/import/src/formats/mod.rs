//! Reads model files of other programs and makes each an ONNX graph with a card.
//!
//! | format | told by | networks | the self-check's other side |
//! |---|---|---|---|
//! | Keras HDF5 weights, of Keras 2 and 3, also in a `.keras` | HDF5 signature, zip with `model.weights.h5` | SSR-Net; FSA-Net, capsule and metric, with 1x1, variance and no scoring | the layers, unfolded, in plain Rust |
//! | TensorFlow.js graph model (.json and .bin) | JSON with `modelTopology` | SSR-Net | the graph itself, node by node |
//! | MXNet NDArray parameters | list magic 0x112 | SSR-Net of the MXNet port | the port's arithmetic in plain Rust |
//! | ONNX | none of these | any with a card, or a known one | it runs and gives finite numbers of the right count |

use std::fmt;
use std::path::Path;

use facelens_core::model::{ModelCard, ModelError, ModelErrorKind, Task, guard, read_capped};

use crate::net::fsa_net::FsaNetWeights;
use crate::net::ssr_net::SsrNetWeights;

mod cards;
mod foreign;
#[cfg(test)]
mod format_tests;
mod fsa_layers;
#[cfg(test)]
mod golden_tests;
mod hdf5_links;
mod keras;
mod keras3;
mod layer_table;
mod mxnet;
mod onnx;
mod self_check;
mod ssr_layers;
#[cfg(test)]
mod synthetic;
mod tfjs;
mod tfjs_graph;
mod tfjs_node;

pub(crate) use cards::kebab_case;
pub(crate) use onnx::{card_of_onnx, run_on_faces};

/// A model file, read, converted and checked.
#[derive(Clone)]
pub struct Imported {
    /// The card, with the SHA-256 of `onnx` and `NAME.onnx` as its file.
    pub card: ModelCard,
    /// The ONNX graph, batch size 1.
    pub onnx: Vec<u8>,
    /// The largest difference that the self-check found, in the output's unit; `None` for ONNX, which is taken as it is.
    pub self_check: Option<f32>,
}

impl fmt::Debug for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The graph's length, not its 100,000 bytes.
        f.debug_struct("Imported")
            .field("card", &self.card)
            .field("onnx_bytes", &self.onnx.len())
            .field("self_check", &self.self_check)
            .finish()
    }
}

/// The layers of a weight file, as stored: what a graph is made of, and what a training can start from.
#[derive(Clone, Debug, PartialEq)]
pub enum Layers {
    /// An SSR-Net.
    SsrNet {
        /// What it estimates.
        task: Task,
        /// Its layers.
        net: Box<SsrNetWeights>,
    },
    /// An FSA-Net.
    FsaNet {
        /// Its aggregation and scoring, in words.
        variant: &'static str,
        /// Its layers.
        net: Box<FsaNetWeights>,
    },
}

/// Reads the layers of a weight file without making a graph of them: Keras HDF5, TensorFlow.js or MXNet. `task` says
/// what MXNet parameters without their symbol file estimate.
///
/// # Errors
/// [`ModelError`] with the reason why the file is refused. ONNX files are: they hold a graph, and its layers are
/// folded already.
pub fn read_layers(file: &Path, task: Option<Task>) -> Result<Layers, ModelError> {
    let bytes = read_capped(file, guard::MAX_FILE_BYTES)?;
    if is_keras(&bytes) {
        keras::layers(file, &bytes)
    } else if tfjs::is_graph_model(&bytes) {
        tfjs::layers(file, &bytes)
    } else if mxnet::is_array_list(&bytes) {
        mxnet::layers(file, &bytes, task)
    } else if let Some(error) = foreign::foreign(file, &bytes) {
        Err(error)
    } else {
        Err(ModelError::new(
            ModelErrorKind::UnknownFormat,
            file,
            "not a weight file that facelens knows",
            "give Keras weights (.h5), a TensorFlow.js graph model (.json) or MXNet parameters (.params)",
        ))
    }
}

/// Reads a model file of any known format. The format is told from the content, not from the name.
///
/// # Errors
/// [`ModelError`] with the reason why the file is refused.
pub fn import_file(file: &Path) -> Result<Imported, ModelError> {
    import_file_for(file, None)
}

/// Reads a model file that is to serve `task`. That matters in two cases: where the file does not say what it
/// estimates (MXNet parameters without their symbol file), and where a folder holds several models.
///
/// # Errors
/// [`ModelError`] with the reason why the file is refused; also where it is for another task.
pub fn import_file_for(file: &Path, task: Option<Task>) -> Result<Imported, ModelError> {
    let imported = if file.is_dir() {
        tfjs::import_folder(file, task)?
    } else {
        import_bytes(file, &read_capped(file, guard::MAX_FILE_BYTES)?, task)?
    };
    imported.card.fits(file, task)?;
    Ok(imported)
}

fn import_bytes(file: &Path, bytes: &[u8], task: Option<Task>) -> Result<Imported, ModelError> {
    if is_keras(bytes) {
        keras::import(file, bytes)
    } else if tfjs::is_graph_model(bytes) {
        tfjs::import(file, bytes)
    } else if mxnet::is_array_list(bytes) {
        mxnet::import(file, bytes, task)
    } else if let Some(error) = foreign::foreign(file, bytes) {
        Err(error)
    } else {
        onnx::import(file, bytes)
    }
}

/// Whether the bytes are of one of the formats that are converted.
fn is_another_format(bytes: &[u8]) -> bool {
    is_keras(bytes) || tfjs::is_graph_model(bytes) || mxnet::is_array_list(bytes)
}

fn is_keras(bytes: &[u8]) -> bool {
    hdf5_pure::is_hdf5_bytes(bytes) || keras3::is_keras_zip(bytes)
}

fn unknown_format(file: &Path) -> ModelError {
    ModelError::new(
        ModelErrorKind::UnknownFormat,
        file,
        "not a model file that facelens knows",
        "give Keras weights (.h5), a TensorFlow.js graph model (.json), MXNet parameters (.params) or .onnx",
    )
}

fn corrupt(file: &Path, cause: impl Into<String>) -> ModelError {
    ModelError::new(ModelErrorKind::Corrupt, file, cause, "fetch the file again")
}

fn wrong_shape(file: &Path, cause: impl Into<String>) -> ModelError {
    ModelError::new(ModelErrorKind::WrongShape, file, cause, "give the weights of an SSR-Net or FSA-Net")
}

/// Runs a reader of somebody else's on bytes that may be hostile. The readers are meant to give errors; should one
/// panic after all, the panic ends here as an error.
fn guarded<T>(file: &Path, what: &str, read: impl FnOnce() -> Result<T, ModelError>) -> Result<T, ModelError> {
    guard::catch(read).unwrap_or_else(|panic| Err(corrupt(file, format!("broken beyond what {what} allows ({panic})"))))
}
