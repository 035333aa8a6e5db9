//! Video files.

use std::path::Path;

use super::{Source, SourceError, SourceErrorKind};

/// Opens a video file whose first bytes are `head`.
pub(super) fn open(path: &Path, _head: &[u8]) -> Result<Box<dyn Source>, SourceError> {
    Err(SourceError::new(SourceErrorKind::Unsupported, path.display().to_string(), "videos are not read yet", ""))
}
