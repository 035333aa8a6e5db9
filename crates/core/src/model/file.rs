//! Reads model files with a limit.

use std::path::Path;

use facelens_base::bounded_file::{self, ReadErrorKind};

use super::error::{ModelError, ModelErrorKind};

/// Reads a whole regular file of at most `max_bytes`.
///
/// # Errors
/// `Missing` where it is not in its folder, `Io` where it cannot be read, `TooLarge` where it is larger.
pub fn read_capped(file: &Path, max_bytes: u64) -> Result<Vec<u8>, ModelError> {
    bounded_file::read(file, max_bytes).map_err(|error| {
        // A bare name may be that of a model in a library that cannot be read now.
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let kind = match error.kind {
            ReadErrorKind::TooLarge => ModelErrorKind::TooLarge,
            ReadErrorKind::NotFound if folder.is_some_and(Path::is_dir) => ModelErrorKind::Missing,
            _ => ModelErrorKind::Io,
        };
        ModelError::new(kind, file, error.cause, error.remedy)
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_limit() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("x");
        fs::write(&file, [7; 1024]).unwrap();
        assert_eq!(read_capped(&file, 1024).unwrap().len(), 1024);
        assert_eq!(read_capped(&file, 1023).unwrap_err().kind, ModelErrorKind::TooLarge);
        assert_eq!(read_capped(folder.path(), 10).unwrap_err().cause, "it is a folder, not a file");
        let missing = read_capped(&folder.path().join("y"), 10).unwrap_err();
        assert_eq!((missing.kind, missing.remedy.as_str()), (ModelErrorKind::Missing, "check the path"));
        // Its disk may only be unplugged, and a bare name may be another library's.
        for file in [folder.path().join("unplugged/y"), "no-such-model".into()] {
            assert_eq!(read_capped(&file, 10).unwrap_err().kind, ModelErrorKind::Io);
        }
    }
}
