//! Words for files that cannot be written.

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use facelens_base::atomic_file;

/// Why a file could not be written: the file or folder, the cause and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {cause}; {remedy}", path.display())]
pub struct WriteError {
    /// The kind, for tests and for the window.
    pub kind: WriteErrorKind,
    /// The file or folder.
    pub path: PathBuf,
    /// The cause.
    pub cause: String,
    /// What to do.
    pub remedy: String,
}

/// What went wrong with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteErrorKind {
    /// The system refused.
    Io,
    /// The pictures are too large for the format, or not of the size that was announced.
    Size,
    /// The picture could not be encoded.
    Encoder,
    /// There was nothing to write.
    Empty,
    /// The file is there already.
    Exists,
    /// Another facelens is at it.
    InUse,
    /// A file is not what it should be, and was left as it is.
    Damaged,
    /// Nothing proves that it may be changed.
    NotProven,
}

impl WriteError {
    /// An error about `path`.
    pub fn new(kind: WriteErrorKind, path: &Path, cause: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { kind, path: path.to_owned(), cause: cause.into(), remedy: remedy.into() }
    }

    /// `folder` is none that was recorded.
    pub fn no_session(folder: &Path) -> Self {
        let cause = if folder.is_dir() { "it is not a recorded session" } else { "there is no such folder" };
        Self::new(WriteErrorKind::Empty, folder, cause, "choose a session's folder or the one with all sessions")
    }

    /// What the system said about `path`.
    pub fn io(path: &Path, error: &Error) -> Self {
        let remedy = match error.kind() {
            ErrorKind::NotFound => "make its folder first or choose another one",
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => "choose a folder that you may write to",
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                "free some room or choose another disk"
            }
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
                "a file is where a folder should be: move it away or choose another folder"
            }
            ErrorKind::IsADirectory => "it is a folder: choose the name of a file",
            _ => "check the disk or choose another folder",
        };
        Self::new(WriteErrorKind::Io, path, format!("it cannot be written ({})", atomic_file::cause(error)), remedy)
    }
}
