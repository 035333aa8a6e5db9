//! A model file or card that was read and checked, but not prepared to run.

use std::borrow::Cow;
use std::path::Path;

use facelens_core::model::guard::MAX_FILE_BYTES;
use facelens_core::model::{Graphs, ModelCard, ModelError, Shipped, Task, TaskModel, is_card, read_capped};

use crate::formats::{self, import_file_for};

/// A model's card and its graphs in memory.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The card.
    pub card: ModelCard,
    /// The ONNX graph of each of the card's files.
    pub graphs: Graphs,
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
    pub(super) fn file(file: &Path, task: Option<Task>) -> Result<Self, ModelError> {
        let opened = if let Some(opened) = Self::carded(file)? {
            opened
        } else {
            let imported = import_file_for(file, task)?;
            let graphs = vec![(file.to_owned(), Cow::Owned(imported.onnx))];
            Self { card: imported.card, graphs, self_check: imported.self_check }
        };
        opened.card.fits(file, task)?;
        Ok(opened)
    }

    /// Reads a card with its files, or an ONNX file with its card, and compares their SHA-256. The graphs are not looked
    /// at. `None` where the file is neither.
    ///
    /// # Errors
    /// [`ModelError`] where a file cannot be read or is not the card's, or the card makes no sense.
    pub(super) fn carded(file: &Path) -> Result<Option<Self>, ModelError> {
        if file.is_dir() {
            return Ok(None);
        }
        if !is_card(file) {
            let bytes = read_capped(file, MAX_FILE_BYTES)?;
            let card = formats::card_of_onnx(file, &bytes)?;
            let graphs = vec![(file.to_owned(), Cow::Owned(bytes))];
            return Ok(card.map(|card| Self { card, graphs, self_check: None }));
        }
        let card = ModelCard::read(file)?;
        let (graphs, _) = card.read_files(file, true)?;
        Ok(Some(Self { card, graphs, self_check: None }))
    }

    /// A model that is part of the program.
    ///
    /// # Errors
    /// Where its card is damaged.
    pub fn shipped(shipped: &Shipped) -> Result<Self, ModelError> {
        let graphs = vec![(shipped.path("onnx"), Cow::Borrowed(shipped.onnx()))];
        Ok(Self { card: shipped.card()?, graphs, self_check: None })
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
