//! A follow set: whole pictures with one face each, and where its landmarks are. One file, `NAME.follow`.
//!
//! ```text
//! "facelens follow 1\n"
//! for each face its picture: 96 x 96 x 3 bytes, RGB, row by row
//! the header, JSON: side, what is known of each face, how many were left out and why
//! length of the header in bytes, u64 little endian
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use facelens_core::geometry::Point;
use serde::{Deserialize, Serialize};

use crate::data::SetError;
use crate::data::container::{self, ContainerWriter, SetKind};

const KIND: SetKind = SetKind { magic: b"facelens follow 1\n", name: "follow set" };

/// Width and height of a picture, pixels.
pub const PICTURE_SIDE: usize = 96;
const BYTES: usize = PICTURE_SIDE * PICTURE_SIDE * 3;

/// What is known of a picture.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FollowedFace {
    /// Its name in the source, for messages.
    pub name: String,
    /// The detector's six landmarks, in pixels of the stored picture: eyes (the picture's left one first), nose tip, mouth,
    /// ears. They may lie outside.
    pub landmarks: [[f32; 2]; 6],
}

impl FollowedFace {
    /// The landmarks as points.
    pub fn points(&self) -> [Point; 6] {
        self.landmarks.map(|[x, y]| Point { x, y })
    }
}

/// A follow set in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FollowSet {
    /// What is known of each picture.
    pub faces: Vec<FollowedFace>,
    /// How many pictures of the source were left out, by reason.
    pub left_out: BTreeMap<String, usize>,
    /// `faces.len()` pictures of [`PICTURE_SIDE`] x [`PICTURE_SIDE`] x 3 bytes.
    pub pixels: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct FollowSetHeader {
    side: usize,
    left_out: BTreeMap<String, usize>,
    faces: Vec<FollowedFace>,
}

/// Writes a follow set. Until [`finish`](Self::finish) it lies beside its place under another name, so that a set that is
/// there is whole; dropped without it, nothing stays.
pub struct FollowSetWriter(ContainerWriter<FollowedFace>);

impl FollowSetWriter {
    /// Begins the set `target`.
    ///
    /// # Errors
    /// Where the file cannot be made.
    pub fn create(target: &Path) -> Result<Self, SetError> {
        Ok(Self(ContainerWriter::create(target, KIND)?))
    }

    /// Adds a face with its picture: [`PICTURE_SIDE`] x [`PICTURE_SIDE`] x 3 bytes, RGB.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn push(&mut self, face: FollowedFace, picture: &[u8]) -> Result<(), SetError> {
        debug_assert_eq!(picture.len(), BYTES);
        self.0.push(face, picture)
    }

    /// Counts a picture that is left out for this reason.
    pub fn leave_out(&mut self, reason: &str) {
        self.0.leave_out(reason);
    }

    /// Ends the set and puts it in its place.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn finish(self) -> Result<(), SetError> {
        self.0.finish(|faces, left_out| FollowSetHeader { side: PICTURE_SIDE, left_out, faces })
    }
}

impl FollowSet {
    /// Reads a follow set whole.
    ///
    /// # Errors
    /// Where the file cannot be read, is no whole follow set, or names a landmark that is no number.
    pub fn read(file: &Path) -> Result<Self, SetError> {
        let size = |header: &FollowSetHeader| (header.side == PICTURE_SIDE).then_some((BYTES, header.faces.len()));
        let (header, pixels) = container::read(file, KIND, size)?;
        let FollowSetHeader { left_out, faces, .. } = header;
        let broken = |face: &FollowedFace| face.landmarks.as_flattened().iter().any(|number| !number.is_finite());
        if let Some(face) = faces.iter().find(|face| broken(face)) {
            return Err(container::format_error(file, KIND, &format!("a landmark of {} is no number", face.name)));
        }
        Ok(Self { faces, left_out, pixels })
    }

    /// How many faces there are.
    pub fn len(&self) -> usize {
        self.faces.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.faces.is_empty()
    }

    /// The picture of a face.
    pub fn picture(&self, index: usize) -> &[u8] {
        &self.pixels[index * BYTES..(index + 1) * BYTES]
    }

    /// Adds the faces of another set.
    pub fn append(&mut self, other: Self) {
        self.faces.extend(other.faces);
        self.pixels.extend(other.pixels);
        for (reason, count) in other.left_out {
            *self.left_out.entry(reason).or_default() += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_comes_back_as_it_was_written_and_a_part_of_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("two.follow");
        let mut writer = FollowSetWriter::create(&file).unwrap();
        for level in [10, 20] {
            let face = FollowedFace { name: level.to_string(), landmarks: [[f32::from(level), 1.0]; 6] };
            writer.push(face, &[level; BYTES]).unwrap();
        }
        writer.leave_out("no face was found");
        writer.finish().unwrap();
        let mut set = FollowSet::read(&file).unwrap();
        assert_eq!((set.len(), set.picture(0)[0], set.picture(1)[5]), (2, 10, 20));
        assert_eq!((set.faces[1].points()[3], set.left_out["no face was found"]), (Point { x: 20.0, y: 1.0 }, 1));
        set.append(set.clone());
        assert_eq!((set.len(), set.picture(3)[0], set.left_out["no face was found"]), (4, 20, 2));
        let whole = std::fs::read(&file).unwrap();
        std::fs::write(&file, &whole[..whole.len() - 1]).unwrap();
        assert!(FollowSet::read(&file).unwrap_err().to_string().contains("follow set"));
    }
}
