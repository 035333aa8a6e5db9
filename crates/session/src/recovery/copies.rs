//! Copies of what recovery takes away.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::super::file_error::{WriteError, WriteErrorKind};
use super::super::names::COPY_SUFFIX;

/// More copies of one file than this are refused.
const MOST_COPIES: u32 = 100;

/// Copies what stands in `source`, the open file `path`, from the byte `from` on into a new file beside it, which is on
/// the disk afterwards. Gives its name.
pub(super) fn keep(path: &Path, source: &mut File, from: u64) -> Result<PathBuf, WriteError> {
    let (to, mut copy) = create(path)?;
    let copied =
        source.seek(SeekFrom::Start(from)).and_then(|_| io::copy(source, &mut copy)).and_then(|_| copy.sync_all());
    match copied {
        Ok(()) => Ok(to),
        Err(error) => {
            drop(copy);
            // Half a copy keeps nothing. The error to tell is the one that led here.
            let _ = fs::remove_file(&to);
            Err(WriteError::io(&to, &error))
        }
    }
}

fn create(path: &Path) -> Result<(PathBuf, File), WriteError> {
    for number in 1..=MOST_COPIES {
        let mut name = path.as_os_str().to_owned();
        name.push(COPY_SUFFIX);
        if number > 1 {
            name.push(format!("-{number}"));
        }
        let to = PathBuf::from(name);
        let mut options = OpenOptions::new();
        // Never through a link, never into a file that is there.
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        match options.open(&to) {
            Ok(file) => return Ok((to, file)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(WriteError::io(&to, &error)),
        }
    }
    let cause = format!("there are already {MOST_COPIES} copies of it");
    Err(WriteError::new(WriteErrorKind::Io, path, cause, "delete those that nobody needs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_never_takes_the_place_of_anything() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("faces.csv");
        fs::write(&path, "0123456789").unwrap();
        let copy = |from| keep(&path, &mut File::open(&path).unwrap(), from).unwrap();
        let (whole, end) = (copy(0), copy(7));
        assert_eq!((fs::read(&whole).unwrap(), fs::read(&end).unwrap()), (b"0123456789".to_vec(), b"789".to_vec()));
        assert!(whole.ends_with("faces.csv.before-recovery") && end.ends_with("faces.csv.before-recovery-2"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, victim) = (folder.path().join("a"), folder.path().join("victim"));
        fs::write(&path, "1").unwrap();
        std::os::unix::fs::symlink(&victim, folder.path().join("a.before-recovery")).unwrap();
        let copy = keep(&path, &mut File::open(&path).unwrap(), 0).unwrap();
        assert!(copy.ends_with("a.before-recovery-2") && !victim.exists());
    }
}
