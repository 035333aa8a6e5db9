//! What a card is for, and the files that it names.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::error::{ModelError, ModelErrorKind};
use super::file::read_capped;
use super::guard::MAX_FILE_BYTES;
use super::{ModelCard, Task};

/// Largest size of a card's files together, bytes.
const MAX_TOTAL_BYTES: u64 = 2 * MAX_FILE_BYTES;

/// The bytes of ONNX graphs, each with the name that errors give it.
pub type Graphs = Vec<(PathBuf, Cow<'static, [u8]>)>;

/// Whether a path names a model card rather than a network.
pub fn is_card(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"))
}

impl ModelCard {
    /// Whether the model serves the task that is wanted of it, if any; `file` is named in errors.
    ///
    /// # Errors
    /// `WrongTask` with the tasks that it does serve.
    pub fn fits(&self, file: &Path, task: Option<Task>) -> Result<(), ModelError> {
        match task {
            Some(wanted) if !self.serves(wanted) => Err(ModelError::new(
                ModelErrorKind::WrongTask,
                file,
                format!("this model is for {}, not for {wanted}", self.task_words()),
                format!("use it as {}", self.options("FILE")),
            )),
            _ => Ok(()),
        }
    }

    /// The options that use the model for all of its tasks: `--model age=FILE --model gender=FILE`.
    pub fn options(&self, file: &str) -> String {
        let options: Vec<_> = self.tasks.iter().map(|task| format!("--model {task}={file}")).collect();
        options.join(" ")
    }

    /// Reads the files beside `card_file`, each compared with its SHA-256, and gives them and their size together in
    /// bytes; without `keep`, only the size.
    ///
    /// # Errors
    /// [`ModelError`] where a file cannot be read or is not the card's, or they are too large together.
    pub fn read_files(&self, card_file: &Path, keep: bool) -> Result<(Graphs, u64), ModelError> {
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
