//! What teachers say of a set of faces: labels that a student is trained on.
//!
//! ```text
//! SET.faces --each face in several views--> teachers (the app's Estimator) --each turned back, mean--> OUT.faces
//!                                              |                                                        ^
//!                                              +--> OUT.faces.labels.csv (appended as it goes) ---------+
//! ```
//!
//! Teachers are any models that the app can load; those of one task are averaged as the app does it. So far they teach
//! head pose. For age or gender a view's answer would be taken over as it is: neither mirror nor turn changes it.

mod check;
mod join;
mod labels;
mod mean;
mod summary;
mod teacher;
mod views;

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use facelens_base::atomic_file::is_same_file;
use facelens_core::estimate::EstimateError;
use facelens_core::model::ModelError;

pub use check::{Check, Difference, Group, TURN_DEGREES, check};
pub use join::{Joined, LabelFileError, join};
pub use labels::{LabelsError, TeacherLabel};
pub use mean::Mean;
pub use summary::{Distribution, Summary};
pub use teacher::Teacher;
pub(crate) use teacher::as_frame;
pub use views::{VIEWS, View, turned};

use crate::data::{FaceSet, SIDE, SetError, SetWriter};
use labels::LabelsFile;

/// How many faces are labelled between two writes: what a kill can lose.
const BATCH: usize = 16;

/// Labelling failed.
#[derive(Debug, thiserror::Error)]
pub enum DistilError {
    /// A set cannot be read or written.
    #[error(transparent)]
    Set(#[from] SetError),
    /// A teacher cannot be loaded.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The labels so far cannot be read or written, or are others'.
    #[error(transparent)]
    Labels(#[from] LabelsError),
    /// A label file cannot be used.
    #[error(transparent)]
    LabelFile(#[from] LabelFileError),
    /// A teacher failed on a face.
    #[error("face {index} ({name}): {cause}")]
    Teacher {
        /// Its place in the set.
        index: usize,
        /// Its name.
        name: String,
        /// What the teacher said.
        cause: EstimateError,
    },
    /// The labelled set would take the place of the set that is labelled.
    #[error("{} is the set itself; choose another file with -o", .0.display())]
    SameFile(PathBuf),
    /// The set's pictures have another size than those that are written today.
    #[error(
        "the images of {file} have {side} pixels a side, not {SIDE}; create it again with `facelens-training prepare`"
    )]
    Side {
        /// The set.
        file: String,
        /// Its side.
        side: usize,
    },
}

/// How a set is labelled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LabelOptions {
    /// Threads that run teachers, at least 1.
    pub threads: usize,
    /// Faces whose views disagree by more get no pose: [`TeacherLabel::spread`], degrees. They stay in the set for what else is
    /// known of them; those of which nothing is are left out.
    pub max_spread: Option<f32>,
    /// How many of [`VIEWS`] are shown, the first ones; an even number treats a face and its mirror image alike.
    pub views: usize,
}

/// Labels the faces of `set` with what the teacher says, and writes them as the set `output`, in the same order. Labels
/// are kept beside it (`OUTPUT.labels.csv`), so that a killed run goes on where it was, and another `max_spread` asks the
/// teacher nothing. What the set said of pose before is replaced.
///
/// `progress` is told how many faces have a label. `Ok(None)` where `stop` became `true` before the end.
///
/// # Errors
/// [`DistilError`].
pub fn label(
    set: &Path,
    output: &Path,
    teacher: &Teacher,
    options: LabelOptions,
    stop: &AtomicBool,
    progress: impl Fn(usize, usize),
) -> Result<Option<Summary>, DistilError> {
    if is_same_file(set, output) {
        return Err(DistilError::SameFile(output.to_owned()));
    }
    let faces = FaceSet::read(set)?;
    // What is written has this side.
    if faces.side != SIDE {
        return Err(DistilError::Side { file: set.display().to_string(), side: faces.side });
    }
    let views = &VIEWS[..options.views.clamp(1, VIEWS.len())];
    let mut file = LabelsFile::open(output, &faces, &teacher.fingerprint(views)?)?;
    let mut teachers: Vec<Teacher> = (0..options.threads.max(1)).map(|_| teacher.fork()).collect();
    while file.labels.len() < faces.len() {
        progress(file.labels.len(), faces.len());
        let start = file.labels.len();
        let end = (start + BATCH).min(faces.len());
        let labels =
            each(&mut teachers, &faces, start..end, stop, |teacher, index| teacher.label(&faces, index, views))?;
        file.append(&labels)?;
        if start + labels.len() < end {
            return Ok(None);
        }
    }
    progress(faces.len(), faces.len());
    write(&faces, &file.labels, output, options.max_spread).map(Some)
}

/// What `ask` says of these faces, in order; of the first of them only, where `stop` becomes `true` meanwhile. One thread
/// for each teacher.
fn each<T: Send>(
    teachers: &mut [Teacher],
    faces: &FaceSet,
    range: Range<usize>,
    stop: &AtomicBool,
    ask: impl Fn(&mut Teacher, usize) -> Result<T, EstimateError> + Sync,
) -> Result<Vec<T>, DistilError> {
    let next = AtomicUsize::new(range.start);
    let answers: Mutex<Vec<Option<Result<T, DistilError>>>> = Mutex::new(range.clone().map(|_| None).collect());
    let work = |teacher: &mut Teacher| {
        while !stop.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= range.end {
                break;
            }
            let name = || faces.faces[index].name.clone();
            let answer = ask(teacher, index).map_err(|cause| DistilError::Teacher { index, name: name(), cause });
            answers.lock().unwrap_or_else(PoisonError::into_inner)[index - range.start] = Some(answer);
        }
    };
    std::thread::scope(|scope| {
        for teacher in teachers {
            scope.spawn(|| work(teacher));
        }
    });
    answers.into_inner().unwrap_or_else(PoisonError::into_inner).into_iter().map_while(|answer| answer).collect()
}

fn write(
    faces: &FaceSet,
    labels: &[TeacherLabel],
    output: &Path,
    max_spread: Option<f32>,
) -> Result<Summary, DistilError> {
    let mut writer = SetWriter::with_context(output, faces.context)?;
    for (reason, count) in &faces.left_out {
        (0..*count).for_each(|_| writer.leave_out(reason));
    }
    let mut summary = Summary::default();
    for (index, (face, label)) in faces.faces.iter().zip(labels).enumerate() {
        match max_spread {
            Some(limit) if label.spread > limit => {
                summary.unsure += 1;
                if face.age.is_none() && face.male.is_none() {
                    writer.leave_out("the teachers disagree about its pose from view to view");
                } else {
                    writer.push(
                        crate::data::LabelledFace { pose: None, pose_spread: None, ..face.clone() },
                        faces.picture(index),
                    )?;
                }
            }
            _ => {
                let (pose, pose_spread) = (Some(label.pose), Some(label.spread));
                let face = crate::data::LabelledFace { pose, pose_spread, ..face.clone() };
                writer.push(face, faces.picture(index))?;
                summary.push(label);
            }
        }
    }
    writer.finish()?;
    Ok(summary)
}

#[cfg(test)]
mod tests;
