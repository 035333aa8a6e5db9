//! Files that are written whole or not at all.

use std::fs::{self, File};
use std::io;
use std::path::Path;

/// Has `write` fill a new file `draft` in the folder of `file`, whose place it then takes, so that nobody ever meets half
/// a file.
///
/// # Errors
/// What the system or `write` says; what stood in `file` stays, and no draft is left where it can be removed.
pub(crate) fn write_whole(
    file: &Path,
    draft: &Path,
    write: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let written = File::create(draft).and_then(|mut new| write(&mut new)).and_then(|()| fs::rename(draft, file));
    if written.is_err() {
        // The error to tell is the one that led here; a draft that stays is harmless.
        let _ = fs::remove_file(draft);
    }
    written
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let (file, draft) = (folder.path().join("a"), folder.path().join("a.part"));
        fs::write(&file, "old").unwrap();
        let error = write_whole(&file, &draft, |new| {
            new.write_all(b"ne")?;
            Err(io::ErrorKind::StorageFull.into())
        });
        assert_eq!(error.unwrap_err().kind(), io::ErrorKind::StorageFull);
        assert_eq!((fs::read(&file).unwrap(), draft.exists()), (b"old".to_vec(), false));

        write_whole(&file, &draft, |new| {
            new.write_all(b"new")?;
            assert_eq!(fs::read(&file)?, b"old", "not before it is whole");
            Ok(())
        })
        .unwrap();
        assert_eq!((fs::read(&file).unwrap(), draft.exists()), (b"new".to_vec(), false));
    }
}
