//! From a trained network to a model that facelens runs: `NAME.onnx` through the app's own graph builder, normalisations
//! folded, and its card `NAME.toml`.
//!
//! A network is written only where tract gives on the graph what burn gives on the network, within 1e-4 of the male score,
//! of a year and of a degree, on real crops made by the app's own code as the card says, and where that comparison would
//! show a mistake in any weight tensor ([`Comparison`]).

mod blend;
mod card;
mod perturb;
mod verify;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use facelens_base::atomic_file::{self, Access};
use facelens_core::estimate::Estimator;
use facelens_core::model::{InputSpec, ModelCard, ModelError, ModelErrorKind, ModelSet, Net, TaskModel, sha256_hex};
use facelens_import::net::{INPUT_SIDE, ssr_net};
use facelens_import::{Library, Sandbox};

pub use card::CardTexts;
pub(crate) use verify::answers;
pub use verify::{BatchAnswers, Comparison, TOLERANCE, Verified, VerifyError};

use crate::data::FaceSet;
use crate::distil::as_frame;
use crate::nets::{Network, NetworkConfig, SsrNet};

/// Faces of a set on which the exported network is compared.
pub const FACES: usize = 64;

/// Channels, rows and columns of an input.
const INPUT: [usize; 3] = [3, INPUT_SIDE, INPUT_SIDE];

/// Stands in messages where a file's name would stand.
pub(crate) const EXPORTED: &str = "the exported graph";

/// A network was not exported; nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The network estimates what no card can say.
    #[error("no model card fits a network that gives {0}; train it for age, gender, age and gender, or pose")]
    Tasks(String),
    /// The card does not make sense, or the graph does not load by it.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The graph is not the network.
    #[error(transparent)]
    Verify(#[from] VerifyError),
    /// A crop cannot be made.
    #[error("face {index} of the crops: {cause}")]
    Crop {
        /// The face, counted from 0.
        index: usize,
        /// Why.
        cause: String,
    },
    /// A model of this name is there.
    #[error("{} already exists; give another --name or -o, or replace it with --force", .0.display())]
    Exists(PathBuf),
    /// A file cannot be written.
    #[error("{file} cannot be written: {cause}; choose another folder with -o")]
    Write {
        /// The file.
        file: String,
        /// What the system said.
        cause: String,
    },
}

/// `net` with a share of the model that `card` describes, as a rule the one that its run went on from. Both are SSR-Nets of
/// one width; what only `net` gives stays its own.
///
/// # Errors
/// Where the model cannot be read, or is another network.
pub fn blend(net: &Network, card: &Path, share: f32, device: &Device) -> Result<Network, ExportError> {
    let refuse = |cause: String| {
        let advice = "give the card of the model that the run started from";
        ExportError::Model(ModelError::new(ModelErrorKind::WrongShape, card, cause, advice))
    };
    let opened = Library::open(&Sandbox::in_process()).open_file(card, None)?;
    let graph = opened.graphs.first().ok_or_else(|| refuse("it has no graph".to_owned()))?;
    let own = net.to_onnx().and_then(|onnx| ssr_net::SsrNetWeights::from_onnx(&onnx));
    let mixed = ssr_net::SsrNetWeights::from_onnx(&graph.1).and_then(|other| blend::blended(&own?, &other, share));
    let mixed = mixed.map_err(|error| refuse(error.to_string()))?;
    SsrNet::from_weights(&mixed, device).map(Network::SsrNet).map_err(|error| refuse(error.to_string()))
}

/// A network that is to be exported, and what its card says.
#[derive(Clone, Copy, Debug)]
pub struct Export<'a> {
    /// The network.
    pub net: &'a Network,
    /// Which network it is, and so what its outputs are.
    pub config: &'a NetworkConfig,
    /// Margin of the crop that it was trained on, on each side, in sides of the detector's box.
    pub margin: f32,
    /// Name, licence and so on.
    pub texts: &'a CardTexts,
    /// The folder for both files; it is made where it is not there.
    pub folder: &'a Path,
    /// Whether a model of this name is replaced.
    pub force: bool,
}

/// What was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Exported {
    /// The card.
    pub card: PathBuf,
    /// How the graph was compared with the network.
    pub verified: Verified,
}

impl Export<'_> {
    /// Compares, and writes both files. `progress` is told how many tensors of how many were changed, and stops the
    /// export by `false`.
    ///
    /// # Errors
    /// [`ExportError`]; nothing is written then.
    pub fn run(&self, crops: &FaceSet, progress: impl Fn(usize, usize) -> bool) -> Result<Exported, ExportError> {
        let write = |net: &Network| net.to_onnx().map_err(|error| error.to_string());
        self.run_with(&write, |_| true, crops, progress)
    }

    fn run_with(
        &self,
        write: &dyn Fn(&Network) -> Result<Vec<u8>, String>,
        tensors: impl Fn(&str) -> bool,
        crops: &FaceSet,
        progress: impl Fn(usize, usize) -> bool,
    ) -> Result<Exported, ExportError> {
        let onnx = write(self.net).map_err(VerifyError::Graph)?;
        let card = self.texts.card(self.config, self.margin, sha256_hex(&onnx))?;
        let card_file = self.folder.join(format!("{}.toml", card.name));
        card.validate(&card_file)?;
        let graph_file = self.folder.join(&card.files[0]);
        for file in [&card_file, &graph_file] {
            if !self.force && fs::symlink_metadata(file).is_ok() {
                return Err(ExportError::Exists(file.clone()));
            }
        }
        let inputs = inputs(crops, &card)?;
        let verified = verify(self.net, write, &inputs, &card.input, tensors, progress)?;
        let toml = card.to_toml()?;
        // What facelens does when it loads the model.
        TaskModel::prepare(ModelCard::parse(&toml, &card_file)?, &[(&onnx, &graph_file)])?;
        put(&graph_file, &onnx)?;
        // The card comes last: it makes the graph a model.
        put(&card_file, toml.as_bytes())?;
        Ok(Exported { card: card_file, verified })
    }
}

/// Compares `net` with the graph that `write` makes of it, of those tensors whose names are wanted.
fn verify(
    net: &Network,
    write: &dyn Fn(&Network) -> Result<Vec<u8>, String>,
    inputs: &[Vec<f32>],
    spec: &InputSpec,
    wanted: impl Fn(&str) -> bool,
    progress: impl Fn(usize, usize) -> bool,
) -> Result<Verified, VerifyError> {
    let burn = |net: &Network, inputs: &[Vec<f32>]| answers(net, inputs, INPUT, |net, batch| net.forward(batch));
    let export = |net: &Network| {
        let read = |onnx: Vec<u8>| Net::from_onnx(&onnx, spec, Path::new(EXPORTED));
        write(net).and_then(|onnx| read(onnx).map_err(|error| error.to_string()))
    };
    let from = "a set of faces with --crops";
    Comparison { net, burn: &burn, export: &export, inputs, unit: "face", from }.run_on(wanted, progress)
}

/// What the network is shown of the first faces of a set, cropped by the app as the card says.
fn inputs(crops: &FaceSet, card: &ModelCard) -> Result<Vec<Vec<f32>>, ExportError> {
    let mut estimator = Estimator::new(ModelSet::default());
    let mut input = |index: usize| {
        let (frame, face) = as_frame(crops.picture(index).to_vec(), crops.side, crops.context)?;
        let input = estimator.input(&frame, &face, card).map_err(|error| error.to_string())?;
        input.ok_or_else(|| "it lies outside its image".to_owned())
    };
    (0..crops.len().min(FACES)).map(|index| input(index).map_err(|cause| ExportError::Crop { index, cause })).collect()
}

/// Writes a file whole or not at all.
pub(crate) fn put(file: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    let write = || -> io::Result<()> {
        if let Some(folder) = file.parent() {
            fs::create_dir_all(folder)?;
        }
        atomic_file::write(file, bytes, Access::Usual)
    };
    write().map_err(|error| ExportError::Write { file: file.display().to_string(), cause: atomic_file::cause(&error) })
}

#[cfg(test)]
mod tests;
