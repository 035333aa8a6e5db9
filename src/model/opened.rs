//! A model file or card that was read and checked, but not prepared to run.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::error::{ModelError, ModelErrorKind};
use super::file::read_capped;
use super::guard::MAX_FILE_BYTES;
use super::import::{self, import_file_for};
use super::library::is_card;
use super::set::TaskModel;
use super::{ModelCard, Task};

/// Largest size of a card's files together, bytes.
const MAX_TOTAL_BYTES: u64 = 2 * MAX_FILE_BYTES;

/// The bytes of ONNX graphs, each with the name that errors give it.
pub type Graphs = Vec<(PathBuf, Cow<'static, [u8]>)>;

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
            let card = import::card_of_onnx(file, &bytes)?;
            let graphs = vec![(file.to_owned(), Cow::Owned(bytes))];
            return Ok(card.map(|card| Self { card, graphs, self_check: None }));
        }
        let card = ModelCard::read(file)?;
        let (graphs, _) = card.read_files(file, true)?;
        Ok(Some(Self { card, graphs, self_check: None }))
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

impl ModelCard {
    /// Reads the files beside `card_file`, each compared with its SHA-256, and gives them and their size together in
    /// bytes; without `keep`, only the size.
    ///
    /// # Errors
    /// [`ModelError`] where a file cannot be read or is not the card's, or they are too large together.
    pub(super) fn read_files(&self, card_file: &Path, keep: bool) -> Result<(Graphs, u64), ModelError> {
        let (mut files, mut size) = (Vec::with_capacity(self.files.len()), 0);
        for (index, path) in self.paths(card_file).into_iter().enumerate() {
            let bytes = read_capped(&path, MAX_FILE_BYTES)?;
            self.verify(index, &bytes, &path)?;
            size += bytes.len() as u64;
            if size > MAX_TOTAL_BYTES {
                let cause = format!("its files have more than {} MiB together", MAX_TOTAL_BYTES >> 20);
                return Err(ModelError::new(ModelErrorKind::TooLarge, card_file, cause, "use smaller networks"));
            }
            if keep {
                files.push((path, Cow::Owned(bytes)));
            }
        }
        Ok((files, size))
    }
}
