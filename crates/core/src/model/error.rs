//! What can be wrong with a model file.

use std::path::{Path, PathBuf};

/// Why a model file is refused. The model in use stays.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {cause}{}{remedy}", file.display(), if remedy.is_empty() { "" } else { "; " })]
pub struct ModelError {
    /// The kind, for tests and for the window.
    pub kind: ModelErrorKind,
    /// The file.
    pub file: PathBuf,
    /// The cause.
    pub cause: String,
    /// What to do; may be empty.
    pub remedy: String,
}

/// What is wrong with a model file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ModelErrorKind {
    /// It is not there, while its folder is: it was removed or renamed.
    Missing,
    /// It cannot be read at all; maybe its disk is not there now.
    Io,
    /// No format that facelens knows.
    UnknownFormat,
    /// The format is known, the content is broken, truncated or hostile.
    Corrupt,
    /// Larger, or asking for more memory, than any model of this kind needs.
    TooLarge,
    /// The tensors do not make one of the networks.
    WrongShape,
    /// An .onnx without a card and with an unknown SHA-256.
    NoCard,
    /// The card cannot be read or contradicts itself.
    BadCard,
    /// The card's SHA-256 is not the file's.
    HashMismatch,
    /// The model is for another task.
    WrongTask,
    /// The network runs, but does not give what the file's own arithmetic gives.
    SelfCheck,
}

impl ModelError {
    /// An error about `file`. Control characters, which names in a hostile file may hold, become `?`.
    pub fn new(
        kind: ModelErrorKind,
        file: impl AsRef<Path>,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let plain =
            |words: String| if words.contains(char::is_control) { words.replace(char::is_control, "?") } else { words };
        Self { kind, file: file.as_ref().to_owned(), cause: plain(cause.into()), remedy: plain(remedy.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_name_the_file_and_stay_on_one_line() {
        let error = ModelError::new(ModelErrorKind::Corrupt, "dir/a.onnx", "no `x\u{1b}[2J`\n", "get another");
        assert_eq!(error.to_string(), "dir/a.onnx: no `x?[2J`?; get another");
        assert_eq!(ModelError::new(ModelErrorKind::Io, "b", "gone", "").to_string(), "b: gone");
    }
}
