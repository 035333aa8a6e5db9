//! The faces of a run: several sets as one, without those that teach nothing.

use std::path::Path;

use facelens_core::model::Task;

use super::config::{LossConfig, SetEntry};
use super::error::RunError;
use super::loss::SampleWeights;
use crate::augment::Stored;
use crate::data::balance::{LARGEST_WEIGHT, age_group, balanced};
use crate::data::{FaceSet, LabelledFace};

/// Upper ends of the groups by yaw to either side, degrees.
const YAW_GROUPS: [f32; 5] = [15.0, 30.0, 45.0, 60.0, 75.0];
/// Upper ends of the groups by pitch, degrees.
const PITCH_GROUPS: [f32; 5] = [-30.0, -18.0, -6.0, 8.0, 20.0];

/// The faces of a run.
pub(super) struct RunFaces {
    sets: Vec<FaceSet>,
    /// Set and place in it of each face.
    places: Vec<(usize, usize)>,
    /// How much each counts: ages and poses 1 on average.
    weights: Vec<SampleWeights>,
}

impl RunFaces {
    /// Those faces of `sets` that have a label for one of `tasks`.
    pub(super) fn new(sets: Vec<FaceSet>, tasks: &[Task], loss: &LossConfig) -> Self {
        let labelled = |face: &LabelledFace| tasks.iter().any(|task| has_label(face, *task));
        let places: Vec<_> = sets
            .iter()
            .enumerate()
            .flat_map(|(set, faces)| (0..faces.len()).map(move |face| (set, face)))
            .filter(|(set, face)| labelled(&sets[*set].faces[*face]))
            .collect();
        let faces: Vec<&LabelledFace> = places.iter().map(|(set, face)| &sets[*set].faces[*face]).collect();
        let groups =
            |of: &dyn Fn(&LabelledFace) -> Option<usize>| faces.iter().map(|face| of(face)).collect::<Vec<_>>();
        let ages = balanced(&groups(&|face| face.age.map(age_group)), loss.balance);
        let by = |ends: &[f32], angle: f32| ends.partition_point(|end| *end <= angle);
        let yaws = groups(&|face| face.pose.map(|pose| by(&YAW_GROUPS, pose.yaw.abs())));
        let pitches = groups(&|face| face.pose.map(|pose| by(&PITCH_GROUPS, pose.pitch)));
        let (yaws, pitches) = (balanced(&yaws, loss.pose_balance), balanced(&pitches, loss.pose_balance));
        let poses: Vec<f32> = yaws.iter().zip(&pitches).map(|(yaw, pitch)| (yaw * pitch).min(LARGEST_WEIGHT)).collect();
        let sure = |face: &LabelledFace| match face.pose_spread {
            Some(spread) if loss.pose_doubt > 0.0 => 1.0 / (1.0 + (spread / loss.pose_doubt).powi(2)),
            _ => 1.0,
        };
        let mut poses: Vec<f32> = poses.iter().zip(&faces).map(|(weight, face)| weight * sure(face)).collect();
        let known =
            || faces.iter().zip(0..).filter(|(face, _)| face.pose.is_some()).map(|(_, place): (_, usize)| place);
        let mean = known().map(|place| f64::from(poses[place])).sum::<f64>() / known().count().max(1) as f64;
        if mean > 0.0 {
            poses.iter_mut().for_each(|weight| *weight /= mean as f32);
        }
        let weights = ages.into_iter().zip(poses).map(|(person, pose)| SampleWeights { person, pose }).collect();
        Self { sets, places, weights }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn face(&self, index: usize) -> &LabelledFace {
        let (set, face) = self.places[index];
        &self.sets[set].faces[face]
    }

    pub(super) fn picture(&self, index: usize) -> Stored<'_> {
        let (set, face) = self.places[index];
        let set = &self.sets[set];
        Stored { pixels: set.picture(face), side: set.side, context: set.context }
    }

    /// How much a face counts.
    pub(super) fn weights(&self, index: usize) -> SampleWeights {
        self.weights[index]
    }
}

/// Whether a face has a label for a task.
pub(super) fn has_label(face: &LabelledFace, task: Task) -> bool {
    match task {
        Task::Age => face.age.is_some(),
        Task::Gender => face.male.is_some(),
        Task::Pose => face.pose.is_some(),
    }
}

/// Reads a set and fills in what `entry` does not know of it yet; refuses one that is not what `entry` knows.
pub(super) fn read(entry: &mut SetEntry) -> Result<FaceSet, RunError> {
    let set = FaceSet::read(&entry.file)?;
    let bytes = std::fs::metadata(&entry.file).map_err(|cause| RunError::io(&entry.file, "read", cause))?.len();
    if entry.bytes != 0 && (entry.faces, entry.bytes) != (set.len(), bytes) {
        let file = entry.file.display().to_string();
        return Err(RunError::SetChanged { file, found: set.len(), expected: entry.faces });
    }
    (entry.faces, entry.bytes) = (set.len(), bytes);
    Ok(set)
}

/// A set's short name: its file's without the ending.
pub(super) fn short_name(file: &Path) -> String {
    file.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::AgeRange;

    fn exact(age: f32) -> AgeRange {
        AgeRange { min: age, max: Some(age) }
    }

    #[test]
    fn faces_without_a_label_for_the_tasks_are_left_out() {
        let faces = vec![
            LabelledFace { age: Some(exact(5.0)), ..LabelledFace::default() },
            LabelledFace { male: Some(true), ..LabelledFace::default() },
            LabelledFace::default(),
        ];
        let set = FaceSet { side: 1, context: 2.0, faces, left_out: Default::default(), pixels: vec![7; 9] };
        let pick = |tasks: &[Task]| RunFaces::new(vec![set.clone(), set.clone()], tasks, &LossConfig::default());
        assert_eq!(pick(&[Task::Age]).len(), 2);
        assert_eq!(pick(&[Task::Age, Task::Gender]).len(), 4);
        assert_eq!(pick(&[Task::Pose]).len(), 0);
        assert_eq!(pick(&[Task::Gender]).face(1).male, Some(true));
    }

    #[test]
    fn sure_and_rare_poses_count_more() {
        let posed = |yaw: f32, pitch: f32, spread: f32| LabelledFace {
            pose: Some(facelens_core::geometry::Pose { yaw, pitch, roll: 0.0 }),
            pose_spread: Some(spread),
            ..LabelledFace::default()
        };
        let mut faces = vec![posed(3.0, 0.0, 1.0); 16];
        faces.extend([posed(-70.0, 0.0, 1.0), posed(3.0, 25.0, 1.0), posed(3.0, 0.0, 4.0)]);
        faces.push(LabelledFace { age: Some(exact(30.0)), ..LabelledFace::default() });
        let pixels = vec![7; 3 * faces.len()];
        let set = FaceSet { side: 1, context: 2.0, faces, left_out: Default::default(), pixels };
        let loss = LossConfig { pose_doubt: 4.0, pose_balance: 0.5, ..LossConfig::default() };
        let faces = RunFaces::new(vec![set.clone()], &[Task::Age, Task::Pose], &loss);
        let weights: Vec<f32> = (0..19).map(|face| faces.weights(face).pose).collect();
        // One of 19 in its group, the others 18.
        assert!((weights[16] / weights[0] - 18_f32.sqrt()).abs() < 1e-3, "{weights:?}");
        assert!((weights[17] / weights[0] - 18_f32.sqrt()).abs() < 1e-3, "{weights:?}");
        assert!((weights[18] / weights[0] - 0.5 * 17.0 / 16.0).abs() < 1e-3, "a spread of 4 counts half: {weights:?}");
        assert!((weights.iter().sum::<f32>() / 19.0 - 1.0).abs() < 1e-4);
        let plain = RunFaces::new(vec![set], &[Task::Age, Task::Pose], &LossConfig::default());
        assert!((0..20).all(|face| plain.weights(face) == SampleWeights { person: 1.0, pose: 1.0 }));
    }
}
