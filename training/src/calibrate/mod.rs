//! From what a model says of faces that it never saw to what its numbers mean: an 80 % range for the age, a chance for the
//! gender. The app reckons both by its card ([`Calibration`]).

mod age;
mod gender;

use facelens_core::estimate::Estimator;
use facelens_core::model::{Answers, Calibration, ModelSet, TaskModel};

use crate::data::balance::{age_group, balanced};
use crate::data::{AgeRange, FaceSet};
use crate::distil::as_frame;

/// Faces that a group must have at least; smaller ones are joined to their neighbours.
const LEAST_FACES: usize = 60;

/// What a model says of a face, and what is known of it.
#[derive(Clone, Copy, Debug)]
struct CalibrationSample {
    answers: Answers,
    age: Option<AgeRange>,
    male: Option<bool>,
    /// How much the face counts for the age's range, 1 on average.
    weight: f32,
}

/// A model cannot be calibrated. The text says why.
#[derive(Debug, thiserror::Error)]
pub enum CalibrateError {
    /// A face could not be shown to the model.
    #[error("face {index} ({name}): {cause}")]
    Face {
        /// Its place in the set.
        index: usize,
        /// Its name.
        name: String,
        /// Why.
        cause: String,
    },
    /// There is nothing to fit.
    #[error("{faces} faces have a label for what the model estimates; {LEAST_FACES} are needed")]
    TooFew {
        /// How many.
        faces: usize,
    },
}

/// Fits a calibration of `model` to the labels of these faces; `data` says in words what they are. An age group with
/// frequency f counts f^-`balance` in the age's range: as it was in training, if the range is to hold for the ages that
/// the network was trained for. `progress` is told how many are done.
///
/// # Errors
/// Where the model fails on a face, or too few have a label.
pub fn calibrate(
    model: &TaskModel,
    faces: &FaceSet,
    coverage: f32,
    balance: f32,
    data: &str,
    progress: impl Fn(usize),
) -> Result<Calibration, CalibrateError> {
    let mut estimator = Estimator::new(ModelSet::default());
    let mut said = Vec::with_capacity(faces.len());
    let ages: Vec<_> = faces.faces.iter().map(|face| face.age.map(age_group)).collect();
    for ((index, face), weight) in faces.faces.iter().enumerate().zip(balanced(&ages, balance)) {
        let answers = (|| {
            let (frame, place) = as_frame(faces.picture(index).to_vec(), faces.side, faces.context)?;
            let input = estimator.input(&frame, &place, &model.card).map_err(|error| error.to_string())?;
            model.answers(input.ok_or("it lies outside its image")?.as_slice())
        })();
        let answers =
            answers.map_err(|cause: String| CalibrateError::Face { index, name: face.name.clone(), cause })?;
        said.push(CalibrationSample { answers, age: face.age, male: face.male, weight });
        progress(index + 1);
    }
    let calibration = fit(&said, coverage, data);
    let known =
        |said: &&CalibrationSample| (said.age.is_some() && said.answers.age_years.is_some()) || said.male.is_some();
    if calibration.age.is_empty() && calibration.gender.is_empty() {
        return Err(CalibrateError::TooFew { faces: said.iter().filter(known).count() });
    }
    Ok(calibration)
}

fn fit(said: &[CalibrationSample], coverage: f32, data: &str) -> Calibration {
    Calibration { data: data.to_owned(), coverage, age: age::fit(said, coverage), gender: gender::fit(said) }
}

/// Cuts values, of which `of` gives the place, at these ends, and joins groups that are too small to the one before (the
/// first ones to the one behind).
fn groups<T: Copy>(items: &[T], ends: &[f32], of: impl Fn(&T) -> f32) -> Vec<Vec<T>> {
    let mut groups: Vec<Vec<T>> = vec![Vec::new(); ends.len() + 1];
    for item in items {
        groups[ends.partition_point(|end| *end <= of(item))].push(*item);
    }
    let mut joined: Vec<Vec<T>> = Vec::new();
    for group in groups {
        match joined.last_mut() {
            Some(before) if before.len() < LEAST_FACES || group.len() < LEAST_FACES => before.extend(group),
            _ => joined.push(group),
        }
    }
    joined.retain(|group| group.len() >= LEAST_FACES);
    joined
}

/// Mean of these numbers, rounded to a tenth.
fn mean(numbers: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = numbers.fold((0.0, 0_u32), |(sum, count), number| (sum + f64::from(number), count + 1));
    ((sum / f64::from(count.max(1))) * 10.0).round() as f32 / 10.0
}

/// Three digits behind the point are enough for a card.
fn rounded(number: f64) -> f32 {
    ((number * 1e3).round() / 1e3) as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_groups_are_joined() {
        let years: Vec<f32> = [vec![1.0; 5], vec![15.0; 100], vec![35.0; 70], vec![75.0; 10]].concat();
        let lengths = |ends: &[f32]| groups(&years, ends, |years| *years).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(&[10.0, 30.0, 60.0]), [105, 80]);
        assert_eq!(lengths(&[]), [185]);
        assert!(groups(&years[..20], &[10.0], |years| *years).is_empty());
    }
}
