//! Writes model files so that nothing half-written stays.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use facelens_base::atomic_file::{self, Access, AtomicFile};
use facelens_core::model::{ModelError, ModelErrorKind};

/// Files on their way into a folder in which they are not yet: all written beside their places first, then put there, all
/// or none. Dropped before [`Staged::commit`], they leave nothing behind.
#[derive(Default)]
pub(crate) struct Staged {
    files: Vec<(PathBuf, AtomicFile)>,
}

impl Staged {
    /// Writes a file beside its final place.
    pub(crate) fn write(&mut self, file: &Path, bytes: &[u8]) -> Result<(), ModelError> {
        let write = || {
            let mut draft = AtomicFile::create(file, Access::Usual)?;
            draft.write_all(bytes).map(|()| draft)
        };
        let draft = write().map_err(|error| unwritable(file, &error))?;
        self.files.push((file.to_owned(), draft));
        Ok(())
    }

    /// Puts the files into their places.
    pub(crate) fn commit(self) -> Result<(), ModelError> {
        let mut there: Vec<PathBuf> = Vec::new();
        for (file, draft) in self.files {
            if let Err(error) = draft.commit_new() {
                for file in there {
                    // The error to tell is the one that led here.
                    let _ = fs::remove_file(file);
                }
                return Err(unwritable(&file, &error));
            }
            there.push(file);
        }
        Ok(())
    }
}

/// Why a file or folder cannot be written.
pub(crate) fn unwritable(file: &Path, error: &io::Error) -> ModelError {
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "allow writing there, or choose another folder with -o"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on the disk",
        _ => "choose another folder with -o",
    };
    ModelError::new(ModelErrorKind::Io, file, format!("it cannot be written ({})", atomic_file::cause(error)), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn staged_files_arrive_together_or_leave_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("a"), folder.path().join("b"));
        let names = || fs::read_dir(folder.path()).unwrap().count();

        let mut staged = Staged::default();
        staged.write(&first, b"1").unwrap();
        assert!(staged.write(&folder.path().join("missing/b"), b"2").is_err());
        drop(staged);
        assert_eq!(names(), 0);

        let mut staged = Staged::default();
        staged.write(&first, b"1").unwrap();
        staged.write(&second, b"2").unwrap();
        assert!(!first.exists());
        staged.commit().unwrap();
        assert_eq!((fs::read(first).unwrap(), fs::read(second).unwrap()), (b"1".to_vec(), b"2".to_vec()));
        assert_eq!(names(), 2);
    }

    #[test]
    fn a_file_that_came_meanwhile_stays_and_nothing_is_put_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let (first, second) = (folder.path().join("a"), folder.path().join("b"));
        let mut staged = Staged::default();
        staged.write(&first, b"1").unwrap();
        staged.write(&second, b"2").unwrap();
        fs::write(&second, "precious").unwrap();
        assert_eq!(staged.commit().unwrap_err().kind, ModelErrorKind::Io);
        assert_eq!(
            (fs::read(second).unwrap(), fs::read_dir(folder.path()).unwrap().count()),
            (b"precious".to_vec(), 1)
        );
    }
}
