//! Why a run cannot begin, go on, or be read.

use std::fmt::Display;
use std::path::Path;

use facelens_base::atomic_file::{self, Access};

use crate::data::SetError;

/// Why a run cannot begin, go on, or be read.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The folder holds something already.
    #[error("{folder} already exists; resume that run with --resume, or choose another folder")]
    Exists {
        /// The folder.
        folder: String,
    },
    /// There is no run in the folder.
    #[error("there is no run in {folder}: its run.toml cannot be read: {cause}")]
    NoRun {
        /// The folder.
        folder: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// No epoch was finished.
    #[error("the run in {folder} has not finished an epoch yet; delete the folder and start again")]
    NoState {
        /// The folder.
        folder: String,
    },
    /// The settings make no sense.
    #[error("the settings in {file} cannot be used: {cause}")]
    Settings {
        /// Where they stand.
        file: String,
        /// What is wrong.
        cause: String,
    },
    /// What was asked for is not what the run was begun with.
    #[error(
        "the run in {folder} was started with other settings ({what}); leave them out to resume, or choose another \
         folder"
    )]
    Differs {
        /// The folder.
        folder: String,
        /// Which settings.
        what: String,
    },
    /// A file of the run's state cannot be used.
    #[error("{file} is damaged: {cause}; the run cannot be resumed, start it again in another folder")]
    Damaged {
        /// The file.
        file: String,
        /// What is wrong.
        cause: String,
    },
    /// The weights to begin from cannot be used.
    #[error("cannot start from {file}: {cause}")]
    From {
        /// The run or the file.
        file: String,
        /// What is wrong.
        cause: String,
    },
    /// A set of faces cannot be read.
    #[error(transparent)]
    Set(#[from] SetError),
    /// A set is not the one that the run was begun with.
    #[error(
        "{file} has changed since the run began: {found} entries where there were {expected}, or others; put it back"
    )]
    SetChanged {
        /// The set.
        file: String,
        /// Entries in it now.
        found: usize,
        /// Entries in it then.
        expected: usize,
    },
    /// Nothing to learn from.
    #[error("nothing in {files} has a label for {tasks}")]
    NoLabels {
        /// The sets.
        files: String,
        /// The tasks.
        tasks: String,
    },
    /// The loss or a gradient is not a finite number.
    #[error(
        "the {what} is {value} in epoch {epoch}, step {step}; the last finished epoch is kept. Try a lower \
         --learning-rate, or a smaller schedule.clip_norm"
    )]
    NotFinite {
        /// `loss` or `gradient`.
        what: &'static str,
        /// What it is.
        value: f32,
        /// From 1.
        epoch: usize,
        /// From 1.
        step: usize,
    },
    /// A file cannot be written or read.
    #[error("{file} cannot be {action}: {cause}")]
    Io {
        /// The file.
        file: String,
        /// `read` or `written`.
        action: &'static str,
        /// What the system or the format's reader said.
        cause: String,
    },
}

impl RunError {
    pub(crate) fn io(file: &Path, action: &'static str, cause: impl Display) -> Self {
        Self::Io { file: file.display().to_string(), action, cause: cause.to_string() }
    }

    pub(crate) fn damaged(file: &Path, cause: impl Display) -> Self {
        Self::Damaged { file: file.display().to_string(), cause: cause.to_string() }
    }
}

/// Writes a file so that a reader finds the old one or the new one whole, whenever the program is stopped.
pub(crate) fn write_whole(file: &Path, bytes: &[u8]) -> Result<(), RunError> {
    atomic_file::write(file, bytes, Access::Usual)
        .map_err(|error| RunError::io(file, "written", atomic_file::cause(&error)))
}
