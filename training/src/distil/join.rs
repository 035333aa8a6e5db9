//! Labels out of files: head poses that others have told, with how far they were apart, and ages inside their bins.
//!
//! Each file is a CSV, plain or compressed by gzip, with a line of columns. A face is found by its picture's name; the ending
//! (`.jpg`, `.webp`) does not matter.
//!
//! ```text
//! file,yaw,pitch,roll,spread      degrees; spread may be missing
//! train/1,-1.6,0.3,-1.9,1.4
//!
//! file,age,sd,mass                years; mass is the share of the teller's belief that lies in the face's bin
//! train/3,6.6,0.9,0.99
//! ```

use std::collections::HashMap;
use std::fmt;
use std::io::Read as _;
use std::path::Path;

use facelens_core::geometry::Pose;

use super::{DistilError, is_same_file};
use crate::data::{AgeHint, AgeRange, FaceSet, SIDE, SetWriter};

/// The longest label file that is read, bytes, unpacked.
const MAX_BYTES: u64 = 256 << 20;
/// A guess at an age is never surer than this, years.
const LEAST_DEVIATION_YEARS: f32 = 1.0;

/// What was joined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// Faces of the set.
    pub faces: usize,
    /// Those that got a pose.
    pub poses: usize,
    /// Those that got a hint at their age.
    pub ages: usize,
}

impl fmt::Display for Joined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} faces, {} with a pose from the file, {} with an age in its bin",
            self.faces, self.poses, self.ages
        )
    }
}

/// A label file cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {cause}")]
pub struct LabelFileError {
    file: String,
    cause: String,
}

/// Writes `set` again as `output` with the labels of these files. What the set said of pose before is replaced where a file
/// of poses is given, and goes where that file does not know the face.
///
/// # Errors
/// Where a file cannot be read or written, is no such list, or knows none of the faces.
pub fn join(set: &Path, output: &Path, poses: Option<&Path>, ages: Option<&Path>) -> Result<Joined, DistilError> {
    if is_same_file(set, output) {
        return Err(DistilError::SameFile(output.to_owned()));
    }
    let faces = FaceSet::read(set)?;
    if faces.side != SIDE {
        return Err(DistilError::Side { file: set.display().to_string(), side: faces.side });
    }
    let pose_of = poses.map(|file| read(file, ["yaw", "pitch", "roll"], Some("spread"))).transpose()?;
    let age_of = ages.map(|file| read(file, ["age", "sd", "mass"], None)).transpose()?;
    let mut joined = Joined { faces: faces.len(), ..Joined::default() };
    let mut writer = SetWriter::with_context(output, faces.context)?;
    for (reason, count) in &faces.left_out {
        (0..*count).for_each(|_| writer.leave_out(reason));
    }
    for (index, face) in faces.faces.iter().enumerate() {
        let (mut face, name) = (face.clone(), stem(&face.name));
        if let Some(poses) = &pose_of {
            let row = poses.get(name);
            face.pose = row.map(|row| Pose { yaw: row.numbers[0], pitch: row.numbers[1], roll: row.numbers[2] });
            face.pose_spread = row.and_then(|row| row.last);
            joined.poses += usize::from(row.is_some());
        }
        if let Some(ages) = &age_of {
            face.age_hint = ages.get(name).and_then(|row| hint(row.numbers, face.age));
            joined.ages += usize::from(face.age_hint.is_some());
        }
        writer.push(face, faces.picture(index))?;
    }
    let told = [(poses, joined.poses), (ages, joined.ages)];
    if let Some(file) = told.iter().find_map(|(file, found)| file.filter(|_| *found == 0 && joined.faces > 0)) {
        let cause = format!("it knows none of the faces of {}", set.display());
        return Err(LabelFileError { file: file.display().to_string(), cause }.into());
    }
    writer.finish()?;
    Ok(joined)
}

/// A standard deviation to either side of the guess; `None` where the face has no bin to guess in.
fn hint([age, deviation, mass]: [f32; 3], bin: Option<AgeRange>) -> Option<AgeHint> {
    let bin = bin.filter(|bin| bin.max != Some(bin.min))?;
    // Whole years of those who tell are completed ones.
    let (age, deviation) = (age + 0.5, deviation.max(LEAST_DEVIATION_YEARS));
    let within = |years: f32| years.clamp(bin.min, bin.max.unwrap_or(f32::MAX));
    Some(AgeHint { min: within(age - deviation), max: within(age + deviation), weight: mass.clamp(0.0, 1.0) })
}

/// A line of a label file.
struct LabelRow {
    numbers: [f32; 3],
    last: Option<f32>,
}

/// A picture's name without its ending.
fn stem(name: &str) -> &str {
    let name = name.strip_prefix("./").unwrap_or(name);
    match name.rsplit_once('.') {
        Some((stem, ending)) if !ending.contains('/') && !stem.is_empty() => stem,
        _ => name,
    }
}

/// Three columns of a file by the picture's name, and a fourth where it is there.
fn read(file: &Path, columns: [&str; 3], last: Option<&str>) -> Result<HashMap<String, LabelRow>, LabelFileError> {
    let fail = |cause: String| LabelFileError { file: file.display().to_string(), cause };
    let text = unpacked(file).map_err(|error| fail(format!("it cannot be read: {error}")))?;
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_slice());
    let header = reader.headers().map_err(|error| fail(error.to_string()))?.clone();
    let find = |name: &str| header.iter().position(|column| column == name);
    let needed = |name: &str| find(name).ok_or_else(|| fail(format!("there is no column `{name}` in its first line")));
    let name_at = needed("file")?;
    let places = [needed(columns[0])?, needed(columns[1])?, needed(columns[2])?];
    let last_at = last.and_then(find);
    let mut rows = HashMap::new();
    for record in reader.records() {
        let record = record.map_err(|error| fail(error.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let number = |place: usize| {
            let number =
                record.get(place).and_then(|cell| cell.parse::<f32>().ok()).filter(|number| number.is_finite());
            number.ok_or_else(|| fail(format!("line {line} has no number in the column `{}`", &header[place])))
        };
        let name = record.get(name_at).filter(|name| !name.is_empty());
        let name = name.ok_or_else(|| fail(format!("line {line} names no image")))?;
        let numbers = [number(places[0])?, number(places[1])?, number(places[2])?];
        let row = LabelRow { numbers, last: last_at.map(number).transpose()? };
        if rows.insert(stem(name).to_owned(), row).is_some() {
            return Err(fail(format!("line {line} names {name} a second time")));
        }
    }
    Ok(rows)
}

/// The bytes of a file, unpacked where it is compressed by gzip.
fn unpacked(file: &Path) -> std::io::Result<Vec<u8>> {
    let mut source = std::fs::File::open(file)?;
    let mut bytes = Vec::new();
    source.by_ref().take(MAX_BYTES).read_to_end(&mut bytes)?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut text = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes.as_slice()).take(MAX_BYTES).read_to_end(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::data::LabelledFace;

    fn set(folder: &Path) -> std::path::PathBuf {
        let file = folder.join("three.faces");
        let mut writer = SetWriter::create(&file).unwrap();
        let bin = |min: f32, max: f32| Some(AgeRange { min, max: Some(max) });
        let old = Some(Pose { yaw: 1.0, ..Pose::default() });
        for (name, age) in [("train/1.jpg", bin(10.0, 20.0)), ("train/2.jpg", bin(40.0, 40.0)), ("train/3", None)] {
            let face =
                LabelledFace { name: name.to_owned(), age, pose: old, male: Some(true), ..LabelledFace::default() };
            writer.push(face, &[9; SIDE * SIDE * 3]).unwrap();
        }
        writer.finish().unwrap();
        file
    }

    #[test]
    fn labels_find_their_faces_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let (set, output) = (set(folder.path()), folder.path().join("out.faces"));
        let poses = folder.path().join("poses.csv.gz");
        let mut packed = flate2::write::GzEncoder::new(std::fs::File::create(&poses).unwrap(), Default::default());
        packed
            .write_all(b"file,yaw,pitch,roll,spread\ntrain/3.webp,10,-20.5,3,1.4\ntrain/1,40,0,-1,7\nother/2,1,1,1,1\n")
            .unwrap();
        packed.finish().unwrap();
        let ages = folder.path().join("ages.csv");
        std::fs::write(&ages, "file,mass,age,sd,more\ntrain/1.webp,0.75,18.5,2,x\ntrain/2,1,40,1,\ntrain/3,1,40,1,\n")
            .unwrap();
        let joined = join(&set, &output, Some(&poses), Some(&ages)).unwrap();
        assert_eq!(joined, Joined { faces: 3, poses: 2, ages: 1 });
        let faces = FaceSet::read(&output).unwrap().faces;
        assert_eq!(faces[0].pose, Some(Pose { yaw: 40.0, pitch: 0.0, roll: -1.0 }));
        assert_eq!((faces[0].pose_spread, faces[2].pose_spread), (Some(7.0), Some(1.4)));
        assert_eq!(faces[1].pose, None, "an old pose goes where the file does not know the face");
        assert_eq!(faces[0].age_hint, Some(AgeHint { min: 17.0, max: 20.0, weight: 0.75 }), "cut at the bin's end");
        assert_eq!(
            (faces[1].age_hint, faces[2].age_hint),
            (None, None),
            "known ages and faces without one need no hint"
        );
        assert!(faces.iter().all(|face| face.male == Some(true)));
    }

    #[test]
    fn files_that_are_no_labels_are_refused_and_nothing_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let (set, output) = (set(folder.path()), folder.path().join("out.faces"));
        let file = folder.path().join("poses.csv");
        for (text, words) in [
            ("", "no column `file`"),
            ("file,yaw,pitch\na,1,2\n", "no column `roll`"),
            ("file,yaw,pitch,roll\ntrain/1,1,2,NaN\n", "line 2 has no number in the column `roll`"),
            ("file,yaw,pitch,roll\ntrain/1,1,2,3\ntrain/1.png,1,2,3\n", "line 3 names train/1.png a second time"),
            ("file,yaw,pitch,roll\nval/1,1,2,3\n", "knows none of the faces"),
            ("file,yaw,pitch,roll\n,1,2,3\n", "line 2 names no image"),
        ] {
            std::fs::write(&file, text).unwrap();
            let error = join(&set, &output, Some(&file), None).unwrap_err().to_string();
            assert!(error.contains("poses.csv") && error.contains(words), "{error}");
            assert!(!output.exists());
        }
        let error = join(&set, &set, Some(&file), None).unwrap_err().to_string();
        assert!(error.contains("the set itself"), "{error}");
    }
}
