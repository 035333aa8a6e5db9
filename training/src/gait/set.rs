//! A gait set: gait energy images with what is known of their walkers. One file, `NAME.gaits`.
//!
//! ```text
//! "facelens gaits 1\n"
//! for each sample its picture: 64 rows of 44 grey bytes (`Gei::to_grey`), from the top
//! the header, JSON: width, height, what is known of each sample, how many were left out and why
//! length of the header in bytes, u64 little endian
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use facelens_gait::{GEI_HEIGHT, GEI_WIDTH, Gei};
use serde::{Deserialize, Serialize};

use crate::data::SetError;
use crate::data::container::{self, ContainerWriter, SetKind};

const KIND: SetKind = SetKind { magic: b"facelens gaits 1\n", name: "gait set" };

/// Bytes of a picture.
const PICTURE: usize = GEI_WIDTH * GEI_HEIGHT;

/// Oldest age that a set may name, years.
const OLDEST: f32 = 150.0;

/// What is known of a gait energy image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GaitSample {
    /// Youngest that the walker can be, years; `None` where nothing is known below. Equal to `age_max`: exact.
    /// An age that counts birthdays is a year wide: "34" is 34 to 35.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_min: Option<f32>,
    /// Oldest that the walker can be, years; `None` where nothing is known above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age_max: Option<f32>,
    /// 1 where the data set calls the walker male, 0 where female, or a chance between; `None` where nobody says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub male: Option<f32>,
    /// Who walks. Splits for validation go by person.
    pub person: u32,
    /// Where the walker goes to, degrees, as [`facelens_gait::Measures::direction_deg`]: 0 towards the camera, 90 to the picture's
    /// right, 180 away from the camera, 270 to the picture's left.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view_degrees: Option<f32>,
    /// How long a stride (two steps) takes, seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stride_s: Option<f32>,
    /// Its name in the source, for messages: `GEI/000123.png`, `walkers seed 7`.
    pub source: String,
}

impl GaitSample {
    /// Whether nothing in it contradicts itself or cannot be.
    fn is_sound(&self) -> bool {
        let age = |age: Option<f32>| age.is_none_or(|age| (0.0..=OLDEST).contains(&age));
        age(self.age_min)
            && age(self.age_max)
            && self.age_min.zip(self.age_max).is_none_or(|(min, max)| min <= max)
            && self.male.is_none_or(|male| (0.0..=1.0).contains(&male))
            && self.view_degrees.is_none_or(f32::is_finite)
            && self.stride_s.is_none_or(|stride| stride.is_finite() && stride > 0.0)
    }
}

/// A gait set in memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GaitSet {
    /// What is known of each sample.
    pub samples: Vec<GaitSample>,
    /// How many samples of the source were left out, by reason.
    pub left_out: BTreeMap<String, usize>,
    /// `samples.len()` pictures of [`GEI_HEIGHT`] rows of [`GEI_WIDTH`] grey bytes.
    pub pixels: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
struct GaitSetHeader {
    width: usize,
    height: usize,
    left_out: BTreeMap<String, usize>,
    samples: Vec<GaitSample>,
}

/// Writes a gait set. Until [`finish`](Self::finish) it lies beside its place under another name, so that a set that is there is whole;
/// dropped without it, nothing stays.
pub struct GaitSetWriter(ContainerWriter<GaitSample>);

impl GaitSetWriter {
    /// Begins the set `target`.
    ///
    /// # Errors
    /// Where the file cannot be made.
    pub fn create(target: &Path) -> Result<Self, SetError> {
        Ok(Self(ContainerWriter::create(target, KIND)?))
    }

    /// Adds a sample with its picture.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn push(&mut self, sample: GaitSample, gei: &Gei) -> Result<(), SetError> {
        debug_assert!(sample.is_sound(), "{sample:?}");
        self.0.push(sample, &gei.to_grey())
    }

    /// Counts a sample that is left out for this reason.
    pub fn leave_out(&mut self, reason: &str) {
        self.0.leave_out(reason);
    }

    /// How many samples were added.
    pub fn len(&self) -> usize {
        self.0.records.len()
    }

    /// Whether none was added.
    pub fn is_empty(&self) -> bool {
        self.0.records.is_empty()
    }

    /// How many were left out so far, by reason.
    pub fn left_out(&self) -> &BTreeMap<String, usize> {
        &self.0.left_out
    }

    /// Ends the set and puts it in its place.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn finish(self) -> Result<(), SetError> {
        self.0.finish(|samples, left_out| GaitSetHeader { width: GEI_WIDTH, height: GEI_HEIGHT, left_out, samples })
    }
}

impl GaitSet {
    /// Reads a gait set whole.
    ///
    /// # Errors
    /// Where the file cannot be read, is no whole gait set, or says something of a sample that cannot be.
    pub fn read(file: &Path) -> Result<Self, SetError> {
        let size = |header: &GaitSetHeader| {
            ((header.width, header.height) == (GEI_WIDTH, GEI_HEIGHT)).then_some((PICTURE, header.samples.len()))
        };
        let (header, pixels) = container::read(file, KIND, size)?;
        if let Some(index) = header.samples.iter().position(|sample| !sample.is_sound()) {
            let cause =
                format!("what it says of sample {} ({}) is impossible", index + 1, header.samples[index].source);
            return Err(container::format_error(file, KIND, &cause));
        }
        Ok(Self { samples: header.samples, left_out: header.left_out, pixels })
    }

    /// How many samples.
    pub fn len(&self) -> usize {
        self.samples.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.samples.is_empty()
    }

    /// The picture of sample `index`: [`GEI_HEIGHT`] rows of [`GEI_WIDTH`] grey bytes, from the top.
    pub fn picture(&self, index: usize) -> &[u8] {
        &self.pixels[index * PICTURE..(index + 1) * PICTURE]
    }

    /// Adds the samples of another set. Its persons are others, whatever their numbers: they are counted on from this set's.
    pub fn append(&mut self, other: Self) {
        let offset = self.samples.iter().map(|sample| sample.person).max().map_or(0, |last| last.saturating_add(1));
        let renumbered = |sample: GaitSample| GaitSample { person: sample.person.saturating_add(offset), ..sample };
        self.samples.extend(other.samples.into_iter().map(renumbered));
        self.pixels.extend(other.pixels);
        for (reason, count) in other.left_out {
            *self.left_out.entry(reason).or_default() += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn gei(level: u8) -> Gei {
        let mut grey = vec![0; PICTURE];
        grey[PICTURE - 1] = level;
        Gei::from_grey(GEI_WIDTH, GEI_HEIGHT, &grey).unwrap()
    }

    fn samples() -> [GaitSample; 2] {
        let child =
            GaitSample { age_min: Some(7.5), age_max: Some(7.5), male: Some(1.0), person: 3, ..Default::default() };
        let other =
            GaitSample { age_min: Some(65.0), view_degrees: Some(90.0), stride_s: Some(1.1), ..Default::default() };
        [child, other]
    }

    fn write(folder: &Path) -> PathBuf {
        let file = folder.join("two.gaits");
        let mut writer = GaitSetWriter::create(&file).unwrap();
        for (sample, level) in samples().into_iter().zip([10, 200]) {
            writer.push(sample, &gei(level)).unwrap();
        }
        writer.leave_out("no age");
        writer.leave_out("no age");
        assert!(!file.exists(), "a set is not there before it is whole");
        writer.finish().unwrap();
        file
    }

    #[test]
    fn a_set_comes_back_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let set = GaitSet::read(&write(folder.path())).unwrap();
        assert_eq!(set.samples, samples());
        assert_eq!((set.picture(0)[PICTURE - 1], set.picture(1)[PICTURE - 1]), (10, 200));
        assert_eq!((set.picture(1)[0], set.left_out["no age"]), (0, 2));
    }

    #[test]
    fn parts_of_a_set_and_impossible_samples_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = write(folder.path());
        let whole = std::fs::read(&file).unwrap();
        for length in [0, 5, 1000, whole.len() - 1] {
            std::fs::write(&file, &whole[..length]).unwrap();
            let error = GaitSet::read(&file).unwrap_err().to_string();
            assert!(error.contains("two.gaits is not a gait set"), "{length}: {error}");
        }
        // As long as "7.5", so that only the sample is at fault.
        for (from, to) in
            [("\"age_max\":7.5", "\"age_max\":6.5"), ("\"age_max\":7.5", "\"age_max\":1e9"), ("1.1", "0.0")]
        {
            let at = whole.windows(from.len()).rposition(|window| window == from.as_bytes()).unwrap();
            let mut changed = whole.clone();
            changed[at..at + to.len()].copy_from_slice(to.as_bytes());
            std::fs::write(&file, changed).unwrap();
            let error = GaitSet::read(&file).unwrap_err().to_string();
            assert!(error.contains("is impossible"), "{to}: {error}");
        }
    }

    #[test]
    fn the_persons_of_two_sets_stay_apart() {
        let folder = tempfile::tempdir().unwrap();
        let set = GaitSet::read(&write(folder.path())).unwrap();
        let mut both = set.clone();
        both.append(set);
        let persons: Vec<u32> = both.samples.iter().map(|sample| sample.person).collect();
        assert_eq!(persons, [3, 0, 7, 4]);
        assert_eq!((both.len(), both.picture(3)[PICTURE - 1], both.left_out["no age"]), (4, 200, 4));
    }
}
