//! What can be wrong with a source, in words that name it, the cause and what to do.

use std::fmt;
use std::io;
use std::path::Path;

/// Why a source cannot be opened or read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceError {
    /// The kind, for the window's pages and for tests.
    pub kind: SourceErrorKind,
    /// The file or device.
    pub subject: String,
    /// The cause, e.g. `it is in use by another program`.
    pub cause: String,
    /// What to do, a whole clause; may be empty.
    pub remedy: String,
}

/// What is wrong, as the window tells it apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceErrorKind {
    /// The machine has no camera at all.
    NoCamera,
    /// There are cameras, but not the one that was named.
    NoSuchCamera,
    /// The name fits several cameras.
    AmbiguousCamera,
    /// The system does not let this user or program use the camera.
    PermissionDenied,
    /// Another program holds the camera.
    Busy,
    /// No such file or folder.
    NotFound,
    /// A file that cannot be read as a picture or video.
    Unreadable,
    /// A container or codec that is not built in, and no `ffmpeg` is on the PATH.
    Unsupported,
    /// A folder without pictures.
    EmptyFolder,
    /// Everything else: the system's words stand in the cause.
    Other,
}

impl SourceError {
    /// An error about `subject`.
    pub fn new(
        kind: SourceErrorKind,
        subject: impl Into<String>,
        cause: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { kind, subject: subject.into(), cause: cause.into(), remedy: remedy.into() }
    }

    /// A device that was there and is gone.
    pub fn gone(subject: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(SourceErrorKind::NoSuchCamera, subject, "it is no longer there", remedy)
    }

    /// What the system said when a file or folder was opened or read.
    pub(super) fn from_io(path: &Path, error: &io::Error) -> Self {
        let (kind, cause, remedy) = match error.kind() {
            io::ErrorKind::NotFound => {
                (SourceErrorKind::NotFound, "there is no such file or folder".to_owned(), "check the name")
            }
            io::ErrorKind::PermissionDenied => {
                (SourceErrorKind::Other, "permission denied".to_owned(), "make the file readable for your user")
            }
            _ => (SourceErrorKind::Other, error.to_string(), ""),
        };
        Self::new(kind, path.display().to_string(), cause, remedy)
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.cause)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, "; {}", self.remedy) }
    }
}

impl std::error::Error for SourceError {}
