//! The last resort against parsers of others that panic on hostile files.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use super::{SourceError, SourceErrorKind};

/// Runs `read`, and turns a panic in it into an error about `path`.
pub(super) fn no_panic<T>(path: &Path, read: impl FnOnce() -> Result<T, SourceError>) -> Result<T, SourceError> {
    // What `read` leaves half done is dropped with its result: nothing broken is seen afterwards.
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(SourceError::new(
            SourceErrorKind::Unreadable,
            path.display().to_string(),
            "the file is damaged in a way that its decoder cannot handle",
            "",
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_that_names_the_file() {
        let error = no_panic::<()>(Path::new("a.mp4"), || panic!("index out of bounds")).unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Unreadable);
        assert!(error.to_string().starts_with("a.mp4: "), "{error}");
    }
}
