//! The file of a set: written picture by picture, read whole.

use std::collections::BTreeMap;
use std::io::{BufWriter, IntoInnerError, Write};
use std::path::{Path, PathBuf};

use facelens::atomic_file::{self, Access, AtomicFile};
use facelens::bounded_file;
use serde::{Deserialize, Serialize};

use super::{CONTEXT, Face, FaceSet, SIDE};

const MAGIC: &[u8] = b"facelens faces 1\n";

/// Largest set, bytes: five million faces of 64 pixels.
const MAX_BYTES: u64 = 64 << 30;

/// A set of faces cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum SetError {
    /// The file cannot be read or written.
    #[error("the set {file} cannot be {action}: {cause}")]
    Io {
        /// The file.
        file: String,
        /// `read` or `written`.
        action: &'static str,
        /// What the system said.
        cause: String,
    },
    /// The file is no set of faces, or only a part of one.
    #[error("{file} is no set of faces: {cause}; make it again with `facelens-training prepare`")]
    Format {
        /// The file.
        file: String,
        /// What is wrong with it.
        cause: String,
    },
}

#[derive(Serialize, Deserialize)]
struct Header {
    side: usize,
    context: f32,
    left_out: BTreeMap<String, usize>,
    faces: Vec<Face>,
}

/// Writes a set. Until [`SetWriter::finish`] it lies beside its place under another name, so that a set that is there is
/// whole; dropped without it, nothing stays.
pub struct SetWriter {
    target: PathBuf,
    file: BufWriter<AtomicFile>,
    faces: Vec<Face>,
    left_out: BTreeMap<String, usize>,
}

impl SetWriter {
    /// Begins the set `target`.
    ///
    /// # Errors
    /// Where the file cannot be made.
    pub fn create(target: &Path) -> Result<Self, SetError> {
        let create = || {
            let mut file = BufWriter::new(AtomicFile::create(target, Access::Usual)?);
            file.write_all(MAGIC).map(|()| file)
        };
        let file = create().map_err(|cause| io(target, "written", &cause))?;
        Ok(Self { target: target.to_owned(), file, faces: Vec::new(), left_out: BTreeMap::new() })
    }

    /// Adds a face with its picture: [`SIDE`] x [`SIDE`] x 3 bytes, RGB.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn push(&mut self, face: Face, picture: &[u8]) -> Result<(), SetError> {
        debug_assert_eq!(picture.len(), SIDE * SIDE * 3);
        self.file.write_all(picture).map_err(|cause| io(&self.target, "written", &cause))?;
        self.faces.push(face);
        Ok(())
    }

    /// Counts a picture that is left out for this reason.
    pub fn leave_out(&mut self, reason: &str) {
        *self.left_out.entry(reason.to_owned()).or_default() += 1;
    }

    /// How many faces were added.
    pub fn len(&self) -> usize {
        self.faces.len()
    }

    /// Whether none was added.
    pub fn is_empty(&self) -> bool {
        self.faces.is_empty()
    }

    /// How many pictures were left out so far, by reason.
    pub fn left_out(&self) -> &BTreeMap<String, usize> {
        &self.left_out
    }

    /// Ends the set and puts it in its place.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn finish(self) -> Result<(), SetError> {
        let Self { target, mut file, faces, left_out } = self;
        let header = Header { side: SIDE, context: CONTEXT, left_out, faces };
        let write = || {
            let header = serde_json::to_vec(&header)?;
            file.write_all(&header)?;
            file.write_all(&(header.len() as u64).to_le_bytes())?;
            file.into_inner().map_err(IntoInnerError::into_error)?.commit()
        };
        write().map_err(|cause| io(&target, "written", &cause))
    }
}

impl FaceSet {
    /// Reads a set whole.
    ///
    /// # Errors
    /// Where the file cannot be read, or is no whole set.
    pub fn read(file: &Path) -> Result<Self, SetError> {
        let mut bytes = bounded_file::read(file, MAX_BYTES).map_err(|error| io(file, "read", &error.into()))?;
        let format = |cause: &str| SetError::Format { file: file.display().to_string(), cause: cause.to_owned() };
        if !bytes.starts_with(MAGIC) {
            return Err(format("it begins otherwise"));
        }
        let cut = || format("its end is missing");
        let end = bytes.len().checked_sub(8).ok_or_else(cut)?;
        let (_, length) = bytes.split_last_chunk::<8>().ok_or_else(cut)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| cut())?;
        let start = end.checked_sub(length).filter(|start| *start >= MAGIC.len()).ok_or_else(cut)?;
        let header: Header = serde_json::from_slice(&bytes[start..end]).map_err(|error| format(&error.to_string()))?;
        let Header { side, context, left_out, faces } = header;
        let expected = side.checked_mul(side).and_then(|area| area.checked_mul(3 * faces.len()));
        if side == 0 || !context.is_finite() || expected != Some(start - MAGIC.len()) {
            return Err(format("its pictures and its header do not go together"));
        }
        bytes.truncate(start);
        bytes.drain(..MAGIC.len());
        Ok(Self { side, context, faces, left_out, pixels: bytes })
    }
}

fn io(file: &Path, action: &'static str, cause: &std::io::Error) -> SetError {
    SetError::Io { file: file.display().to_string(), action, cause: atomic_file::cause(cause) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path) -> PathBuf {
        let file = folder.join("two.faces");
        let mut writer = SetWriter::create(&file).unwrap();
        for (name, level) in [("a.png", 10), ("b.png", 20)] {
            let face = Face { name: name.to_owned(), male: Some(level == 10), ..Face::default() };
            writer.push(face, &[level; SIDE * SIDE * 3]).unwrap();
        }
        writer.leave_out("no face was found");
        assert!(!file.exists(), "a set is not there before it is whole");
        writer.finish().unwrap();
        file
    }

    #[test]
    fn a_set_comes_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let set = FaceSet::read(&write(folder.path())).unwrap();
        assert_eq!((set.len(), set.side, set.context), (2, SIDE, CONTEXT));
        assert_eq!((set.picture(0)[0], set.picture(1)[0]), (10, 20));
        assert_eq!((set.faces[0].male, set.faces[1].male), (Some(true), Some(false)));
        assert_eq!(set.left_out["no face was found"], 1);
    }

    #[test]
    fn a_set_that_is_given_up_leaves_nothing_and_the_old_one_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = write(folder.path());
        let mut writer = SetWriter::create(&file).unwrap();
        writer.push(Face::default(), &[0; SIDE * SIDE * 3]).unwrap();
        drop(writer);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(FaceSet::read(&file).unwrap().len(), 2);
    }

    #[test]
    fn a_part_of_a_set_or_another_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = write(folder.path());
        let whole = std::fs::read(&file).unwrap();
        for length in [0, 5, MAGIC.len(), 1000, whole.len() - 1] {
            std::fs::write(&file, &whole[..length]).unwrap();
            let error = FaceSet::read(&file).unwrap_err().to_string();
            assert!(error.contains("two.faces") && error.contains("prepare"), "{length}: {error}");
        }
        assert!(matches!(FaceSet::read(&folder.path().join("none")), Err(SetError::Io { .. })));
    }
}
