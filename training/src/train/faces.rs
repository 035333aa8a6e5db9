//! The faces of a run: several sets as one, without those that teach nothing.

use std::path::Path;

use facelens::model::Task;

use super::config::SetEntry;
use super::error::RunError;
use crate::augment::Stored;
use crate::data::{AgeRange, Face, FaceSet};

/// Youngest age of each age group, years: FairFace's bins.
const AGE_GROUPS: [f32; 9] = [0.0, 3.0, 10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0];

/// The faces of a run.
pub(super) struct Faces {
    sets: Vec<FaceSet>,
    /// Set and place in it of each face.
    places: Vec<(usize, usize)>,
    /// How much each counts; 1 on average.
    weights: Vec<f32>,
}

impl Faces {
    /// Those faces of `sets` that have a label for one of `tasks`. `balance` is [`super::LossConfig::balance`].
    pub(super) fn new(sets: Vec<FaceSet>, tasks: &[Task], balance: f32) -> Self {
        let labelled = |face: &Face| tasks.iter().any(|task| has_label(face, *task));
        let places: Vec<_> = sets
            .iter()
            .enumerate()
            .flat_map(|(set, faces)| (0..faces.len()).map(move |face| (set, face)))
            .filter(|(set, face)| labelled(&sets[*set].faces[*face]))
            .collect();
        let groups: Vec<_> = places.iter().map(|(set, face)| sets[*set].faces[*face].age.map(age_group)).collect();
        let weights = balanced(&groups, balance);
        Self { sets, places, weights }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn face(&self, index: usize) -> &Face {
        let (set, face) = self.places[index];
        &self.sets[set].faces[face]
    }

    pub(super) fn picture(&self, index: usize) -> Stored<'_> {
        let (set, face) = self.places[index];
        let set = &self.sets[set];
        Stored { pixels: set.picture(face), side: set.side, context: set.context }
    }

    /// How much a face counts.
    pub(super) fn weight(&self, index: usize) -> f32 {
        self.weights[index]
    }
}

/// Whether a face has a label for a task.
pub(super) fn has_label(face: &Face, task: Task) -> bool {
    match task {
        Task::Age => face.age.is_some(),
        Task::Gender => face.male.is_some(),
        Task::Pose => face.pose.is_some(),
    }
}

/// An age to sort by: the exact one, the bin's middle, or the open bin's youngest.
pub(super) fn typical_age(age: AgeRange) -> f32 {
    age.max.map_or(age.min, |max| (age.min + max) / 2.0)
}

fn age_group(age: AgeRange) -> usize {
    AGE_GROUPS.partition_point(|youngest| *youngest <= typical_age(age)).saturating_sub(1)
}

/// frequency^-balance of each face's group, 1 on average; faces without an age have 1.
fn balanced(groups: &[Option<usize>], balance: f32) -> Vec<f32> {
    let mut counts = [0_usize; AGE_GROUPS.len()];
    for group in groups.iter().flatten() {
        counts[*group] += 1;
    }
    let total: usize = counts.iter().sum();
    let raw = counts.map(|count| (total as f64 / count.max(1) as f64).powf(balance.into()));
    let sum: f64 = counts.iter().zip(raw).map(|(count, weight)| *count as f64 * weight).sum();
    let scale = if sum > 0.0 { total as f64 / sum } else { 1.0 };
    groups.iter().map(|group| group.map_or(1.0, |group| (raw[group] * scale) as f32)).collect()
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

    fn exact(age: f32) -> AgeRange {
        AgeRange { min: age, max: Some(age) }
    }

    #[test]
    fn rare_ages_count_more_and_the_mean_stays() {
        let groups: Vec<_> = [[Some(1); 2], [None; 2]].concat().into_iter().chain(vec![Some(4); 18]).collect();
        let weights = balanced(&groups, 0.5);
        assert_eq!(weights[2], 1.0);
        assert!((weights[0] / weights[5] - 3.0).abs() < 1e-5, "the root of 18 / 2");
        let mean = weights.iter().sum::<f32>() / weights.len() as f32;
        assert!((mean - 1.0).abs() < 1e-5, "{mean}");
        assert!(balanced(&groups, 0.0).iter().all(|weight| *weight == 1.0));
    }

    #[test]
    fn ages_fall_into_their_groups() {
        for (age, group) in [(exact(0.0), 0), (exact(9.9), 2 - 1), (exact(10.0), 2), (exact(116.0), 8)] {
            assert_eq!(age_group(age), group, "{age:?}");
        }
        assert_eq!(age_group(AgeRange { min: 20.0, max: Some(30.0) }), 3);
        assert_eq!(age_group(AgeRange { min: 70.0, max: None }), 8);
    }

    #[test]
    fn faces_without_a_label_for_the_tasks_are_left_out() {
        let faces = vec![
            Face { age: Some(exact(5.0)), ..Face::default() },
            Face { male: Some(true), ..Face::default() },
            Face::default(),
        ];
        let set = FaceSet { side: 1, context: 2.0, faces, left_out: Default::default(), pixels: vec![7; 9] };
        let pick = |tasks: &[Task]| Faces::new(vec![set.clone(), set.clone()], tasks, 0.0);
        assert_eq!(pick(&[Task::Age]).len(), 2);
        assert_eq!(pick(&[Task::Age, Task::Gender]).len(), 4);
        assert_eq!(pick(&[Task::Pose]).len(), 0);
        assert_eq!(pick(&[Task::Gender]).face(1).male, Some(true));
    }
}
