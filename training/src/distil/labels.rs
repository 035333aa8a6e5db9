//! Labels, and the file that keeps them while they are made.
//!
//! ```text
//! # facelens pose labels 2; set 12 digits of its SHA-256; teachers 12 digits
//! face,yaw,pitch,roll,spread
//! 0,-12.31,4.5,0.25,1.75
//! ```

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use facelens_base::atomic_file::cause;
use facelens_base::bounded_file::{self, ReadErrorKind};
use facelens_core::geometry::Pose;
use facelens_core::model::sha256_hex;

use crate::data::FaceSet;

/// Digits of each SHA-256 in the file's first line.
const DIGITS: usize = 12;
const COLUMNS: &str = "face,yaw,pitch,roll,spread";
/// Largest file of labels, bytes: those of ten million faces.
const MAX_BYTES: u64 = 1 << 30;

/// What the files are. 1 held poses of turned views with the turn subtracted from the roll.
const KIND: &str = "# facelens pose labels 2";

/// What the teachers say of a face.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TeacherLabel {
    /// Mean over the views, degrees.
    pub pose: Pose,
    /// How far the views are apart: the standard deviation over them about that of the camera's axes about which they agree
    /// least, degrees.
    pub spread: f32,
}

impl TeacherLabel {
    /// The label from the face's pose in each view, each turned back. No view is a frontal head of which nothing is known.
    pub fn of(poses: &[Pose]) -> Self {
        let pose = Pose::mean(poses).unwrap_or_default();
        let back = pose.rotation().inverse();
        let mut squares = [0.0; 3];
        for other in poses {
            let apart = (other.rotation() * back).vector();
            for (sum, degrees) in squares.iter_mut().zip(apart) {
                *sum += degrees * degrees / poses.len() as f64;
            }
        }
        // A spread that is no number must not pass for a small one.
        let largest = squares.into_iter().max_by(f64::total_cmp).unwrap_or(f64::INFINITY);
        Self { pose, spread: if poses.is_empty() { f32::INFINITY } else { largest.sqrt() as f32 } }
    }

    fn parse(line: &str, index: usize) -> Option<Self> {
        let (face, numbers) = line.split_once(',')?;
        let numbers: Vec<f32> = numbers.split(',').map(|number| number.parse().ok()).collect::<Option<_>>()?;
        let &[yaw, pitch, roll, spread] = numbers.as_slice() else { return None };
        let finite = numbers.iter().all(|number| number.is_finite());
        (face.parse() == Ok(index) && finite).then_some(Self { pose: Pose { yaw, pitch, roll }, spread })
    }
}

/// The labels so far cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LabelsError {
    /// The file cannot be read or written.
    #[error("the labels so far, {file}, cannot be read or written: {cause}")]
    Io {
        /// The file.
        file: String,
        /// What the system said.
        cause: String,
    },
    /// The file's labels are of another set or of other teachers.
    #[error("{file} holds labels of {what}; remove it, or choose another set with -o")]
    Others {
        /// The file.
        file: String,
        /// Whose labels they are.
        what: &'static str,
    },
    /// A line is no label.
    #[error("line {line} of {file} is not a label; remove the file to start again")]
    Line {
        /// The file.
        file: String,
        /// The line, counted from 1.
        line: usize,
    },
}

/// The labels so far and their file.
pub(super) struct LabelsFile {
    path: PathBuf,
    file: File,
    pub(super) labels: Vec<TeacherLabel>,
}

impl LabelsFile {
    /// Opens the labels of `output`, or begins them; `teachers` is the SHA-256 of who gives them. A last line without an end, which a kill leaves, is dropped.
    pub(super) fn open(output: &Path, faces: &FaceSet, teachers: &str) -> Result<Self, LabelsError> {
        let mut path = output.as_os_str().to_owned();
        path.push(".labels.csv");
        let path = PathBuf::from(path);
        let set = sha256_hex(&faces.pixels);
        let first = format!("{KIND}; set {}; teachers {}", &set[..DIGITS], &teachers[..DIGITS]);
        Self::open_with(path, &first, faces.len())
    }

    fn open_with(path: PathBuf, first: &str, faces: usize) -> Result<Self, LabelsError> {
        let io = |error: io::Error| LabelsError::Io { file: path.display().to_string(), cause: cause(&error) };
        let text = match bounded_file::read_text(&path, MAX_BYTES) {
            Ok(text) => text,
            Err(error) if error.kind == ReadErrorKind::NotFound => String::new(),
            Err(error) => return Err(io(error.into())),
        };
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let labels = read(&text[..whole], first, faces, &path)?;
        if whole == 0 && !format!("{first}\n{COLUMNS}\n").starts_with(&text) {
            // Not what a run leaves that was killed at once.
            return Err(LabelsError::Others { file: path.display().to_string(), what: "something else" });
        }
        // Before its first label the file begins anew: the line of columns may be missing.
        let whole = if labels.is_empty() { 0 } else { whole };
        let mut file = OpenOptions::new().create(true).append(true).open(&path).map_err(io)?;
        file.set_len(whole as u64).map_err(io)?;
        if whole == 0 {
            writeln!(file, "{first}\n{COLUMNS}").map_err(io)?;
        }
        Ok(Self { path, file, labels })
    }

    /// Adds labels of the next faces.
    pub(super) fn append(&mut self, labels: &[TeacherLabel]) -> Result<(), LabelsError> {
        let mut lines = String::new();
        for (offset, TeacherLabel { pose, spread }) in labels.iter().enumerate() {
            let index = self.labels.len() + offset;
            // Writing to a String cannot fail.
            let _ = writeln!(lines, "{index},{},{},{},{spread}", pose.yaw, pose.pitch, pose.roll);
        }
        self.file
            .write_all(lines.as_bytes())
            .map_err(|error| LabelsError::Io { file: self.path.display().to_string(), cause: cause(&error) })?;
        self.labels.extend_from_slice(labels);
        Ok(())
    }
}

fn read(text: &str, first: &str, faces: usize, path: &Path) -> Result<Vec<TeacherLabel>, LabelsError> {
    let file = || path.display().to_string();
    let mut lines = text.lines();
    let Some(found) = lines.next() else { return Ok(Vec::new()) };
    if found != first {
        let fields = |line: &str| line.split("; ").map(str::to_owned).collect::<Vec<_>>();
        let what = match (fields(found).as_slice(), fields(first).as_slice()) {
            ([a, _, _], [b, _, _]) if a != b => "another version",
            ([_, a, _], [_, b, _]) if a != b => "another set",
            ([_, _, _], _) => "other teachers or views",
            _ => "something else",
        };
        return Err(LabelsError::Others { file: file(), what });
    }
    match lines.next() {
        None => return Ok(Vec::new()),
        Some(COLUMNS) => {}
        Some(_) => return Err(LabelsError::Line { file: file(), line: 2 }),
    }
    let labels: Result<Vec<_>, _> = lines
        .enumerate()
        .map(|(index, line)| {
            let label = TeacherLabel::parse(line, index).filter(|_| index < faces);
            label.ok_or_else(|| LabelsError::Line { file: file(), line: index + 3 })
        })
        .collect();
    labels
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "# facelens pose labels 2; set 1; teachers 2";

    fn labels(count: usize) -> Vec<TeacherLabel> {
        let angle = |i: usize| i as f32 / 3.0 - 7.7;
        (0..count)
            .map(|i| TeacherLabel {
                pose: Pose { yaw: angle(i), pitch: -angle(2 * i), roll: 1e-7 },
                spread: angle(i + 40),
            })
            .collect()
    }

    #[test]
    fn labels_come_back_to_the_bit_and_a_torn_line_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.labels.csv");
        let mut file = LabelsFile::open_with(path.clone(), FIRST, 9).unwrap();
        file.append(&labels(5)[..2]).unwrap();
        file.append(&labels(5)[2..]).unwrap();
        let whole = std::fs::read_to_string(&path).unwrap();
        for cut in [0, 1, 8, whole.len() - FIRST.len() - 2, whole.len() - 1] {
            std::fs::write(&path, &whole[..whole.len() - cut]).unwrap();
            let mut again = LabelsFile::open_with(path.clone(), FIRST, 9).unwrap();
            let kept = again.labels.len();
            assert_eq!(again.labels, labels(5)[..kept], "{cut}");
            assert!(cut > 0 || kept == 5);
            again.append(&labels(5)[kept..]).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), whole, "{cut}");
        }
    }

    #[test]
    fn labels_of_something_else_are_refused_and_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.labels.csv");
        for (text, word) in [
            ("# facelens pose labels 1; set 1; teachers 2\n", "another version"),
            ("# facelens pose labels 2; set 9; teachers 2\n", "another set"),
            ("# facelens pose labels 2; set 1; teachers 9\n", "other teachers"),
            ("precious\n", "something else"),
            ("precious", "something else"),
            ("# facelens pose labels 2; set 1; teachers 2\nface\n", "line 2"),
            ("# facelens pose labels 2; set 1; teachers 2\nface,yaw,pitch,roll,spread\n0,1,2,NaN,4\n", "line 3"),
            ("# facelens pose labels 2; set 1; teachers 2\nface,yaw,pitch,roll,spread\n1,1,2,3,4\n", "line 3"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = LabelsFile::open_with(path.clone(), FIRST, 9).err().unwrap().to_string();
            assert!(error.contains(word) && error.contains("a.labels.csv"), "{error}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        std::fs::write(&path, format!("{FIRST}\n{COLUMNS}\n0,1,2,3,4\n1,1,2,3,4\n")).unwrap();
        assert!(LabelsFile::open_with(path, FIRST, 1).is_err(), "more labels than faces");
    }

    #[test]
    fn the_spread_is_that_about_the_least_certain_axis() {
        let pose = |yaw: f32, roll: f32| Pose { yaw, pitch: 0.0, roll };
        let label = TeacherLabel::of(&[pose(10.0, 0.0), pose(16.0, 0.0)]);
        assert!(label.pose.differences(pose(13.0, 0.0)).iter().all(|off| *off < 1e-4), "{label:?}");
        assert!((label.spread - 3.0).abs() < 1e-4, "{label:?}");
        // A head that lies on its back, and one that looks aside: the same tilts are as far apart, and nothing wraps.
        for head in [pose(0.0, 180.0), Pose { yaw: 75.0, pitch: -20.0, roll: 5.0 }] {
            let label = TeacherLabel::of(&[head.turned(-2.0), head.turned(2.0)]);
            assert!(label.pose.rotation().angle_to(head.rotation()) < 1e-3, "{label:?}");
            assert!((label.spread - 2.0).abs() < 1e-4, "{label:?}");
        }
        assert!(TeacherLabel::of(&[pose(f32::NAN, 0.0), pose(0.0, 0.0)]).spread.is_nan());
        assert!(TeacherLabel::of(&[]).spread.is_infinite());
    }
}
