//! A model file or card that was read and checked, but not prepared to run.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::error::ModelError;
use super::file::read_capped;
use super::guard::MAX_FILE_BYTES;
use super::import::import_file_for;
use super::library::is_card;
use super::set::TaskModel;
use super::{ModelCard, Task};

/// A model's card and its graphs in memory.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The card.
    pub card: ModelCard,
    /// The ONNX graph of each of the card's files, with the name that errors give it.
    pub graphs: Vec<(PathBuf, Cow<'static, [u8]>)>,
    /// For a converted file: the largest difference between the network and the file's own arithmetic, in the output's
    /// unit. `None` where the graph is the file itself and there is nothing to compare it with.
    pub self_check: Option<f32>,
}

impl Opened {
    /// Reads any model file that `models import` understands, or a card with the files beside it. `task` decides
    /// where a file does not say what it estimates.
    ///
    /// # Errors
    /// [`ModelError`], also where the model is for another task than `task`.
    pub fn file(file: &Path, task: Option<Task>) -> Result<Self, ModelError> {
        let opened = if is_card(file) {
            let card = ModelCard::read(file)?;
            let mut graphs = Vec::with_capacity(card.files.len());
            for (index, path) in card.paths(file).into_iter().enumerate() {
                let bytes = read_capped(&path, MAX_FILE_BYTES)?;
                card.verify(index, &bytes, &path)?;
                graphs.push((path, Cow::Owned(bytes)));
            }
            Self { card, graphs, self_check: None }
        } else {
            let imported = import_file_for(file, task)?;
            let converted = !read_capped(file, MAX_FILE_BYTES).is_ok_and(|bytes| bytes == imported.onnx);
            Self {
                card: imported.card,
                graphs: vec![(file.to_owned(), Cow::Owned(imported.onnx))],
                self_check: converted.then_some(imported.self_check),
            }
        };
        opened.card.fits(file, task)?;
        Ok(opened)
    }

    /// Prepares its networks.
    ///
    /// # Errors
    /// As [`TaskModel::prepare`].
    pub fn prepare(self) -> Result<TaskModel, ModelError> {
        let files: Vec<_> = self.graphs.iter().map(|(path, bytes)| (bytes.as_ref(), path.as_path())).collect();
        TaskModel::prepare(self.card, &files)
    }

    /// Size of the graphs together, bytes.
    pub fn size_bytes(&self) -> u64 {
        self.graphs.iter().map(|(_, bytes)| bytes.len() as u64).sum()
    }
}
