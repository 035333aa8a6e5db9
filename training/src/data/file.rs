//! The file of a set: written picture by picture, read whole.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::container::{self, ContainerWriter, SetError, SetKind};
use super::{CONTEXT, FaceSet, LabelledFace, SIDE};

const KIND: SetKind = SetKind { magic: b"facelens faces 1\n", name: "set of faces" };

#[derive(Serialize, Deserialize)]
struct FaceSetHeader {
    side: usize,
    context: f32,
    left_out: BTreeMap<String, usize>,
    faces: Vec<LabelledFace>,
}

/// Writes a set. Until [`SetWriter::finish`] it lies beside its place under another name, so that a set that is there is
/// whole; dropped without it, nothing stays.
pub struct SetWriter {
    file: ContainerWriter<LabelledFace>,
    context: f32,
}

impl SetWriter {
    /// Begins the set `target`, of pictures of [`CONTEXT`] sides of the detector's box.
    ///
    /// # Errors
    /// Where the file cannot be made.
    pub fn create(target: &Path) -> Result<Self, SetError> {
        Self::with_context(target, CONTEXT)
    }

    /// Begins the set `target`, of pictures of `context` sides of the detector's box.
    ///
    /// # Errors
    /// Where the file cannot be made.
    pub fn with_context(target: &Path, context: f32) -> Result<Self, SetError> {
        Ok(Self { file: ContainerWriter::create(target, KIND)?, context })
    }

    /// Adds a face with its picture: [`SIDE`] x [`SIDE`] x 3 bytes, RGB.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn push(&mut self, face: LabelledFace, picture: &[u8]) -> Result<(), SetError> {
        debug_assert_eq!(picture.len(), SIDE * SIDE * 3);
        self.file.push(face, picture)
    }

    /// Counts a picture that is left out for this reason.
    pub fn leave_out(&mut self, reason: &str) {
        self.file.leave_out(reason);
    }

    /// How many faces were added.
    pub fn len(&self) -> usize {
        self.file.records.len()
    }

    /// Whether none was added.
    pub fn is_empty(&self) -> bool {
        self.file.records.is_empty()
    }

    /// How many pictures were left out so far, by reason.
    pub fn left_out(&self) -> &BTreeMap<String, usize> {
        &self.file.left_out
    }

    /// Ends the set and puts it in its place.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn finish(self) -> Result<(), SetError> {
        let context = self.context;
        self.file.finish(|faces, left_out| FaceSetHeader { side: SIDE, context, left_out, faces })
    }
}

impl FaceSet {
    /// Reads a set whole.
    ///
    /// # Errors
    /// Where the file cannot be read, or is no whole set.
    pub fn read(file: &Path) -> Result<Self, SetError> {
        let size = |header: &FaceSetHeader| {
            let usable = header.side > 0 && header.context.is_finite();
            let picture = header.side.checked_mul(header.side)?.checked_mul(3)?;
            usable.then_some((picture, header.faces.len()))
        };
        let (header, pixels) = container::read(file, KIND, size)?;
        let FaceSetHeader { side, context, left_out, faces } = header;
        Ok(Self { side, context, faces, left_out, pixels })
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn write(folder: &Path) -> PathBuf {
        let file = folder.join("two.faces");
        let mut writer = SetWriter::create(&file).unwrap();
        for (name, level) in [("a.png", 10), ("b.png", 20)] {
            let face = LabelledFace { name: name.to_owned(), male: Some(level == 10), ..LabelledFace::default() };
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
        writer.push(LabelledFace::default(), &[0; SIDE * SIDE * 3]).unwrap();
        drop(writer);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(FaceSet::read(&file).unwrap().len(), 2);
    }

    #[test]
    fn a_part_of_a_set_or_another_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = write(folder.path());
        let whole = std::fs::read(&file).unwrap();
        for length in [0, 5, KIND.magic.len(), 1000, whole.len() - 1] {
            std::fs::write(&file, &whole[..length]).unwrap();
            let error = FaceSet::read(&file).unwrap_err().to_string();
            assert!(error.contains("two.faces") && error.contains("prepare"), "{length}: {error}");
        }
        assert!(matches!(FaceSet::read(&folder.path().join("none")), Err(SetError::Io { .. })));
    }
}
