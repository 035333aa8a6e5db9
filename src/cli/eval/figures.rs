//! The figures of `eval`: errors over labelled pictures, together and by group.

use serde::Serialize;

use super::labels::{AgeLabel, Label};
use crate::estimate::Estimate;
use crate::model::Task;

/// A labelled picture and what the networks said of it; `None` where no face was found.
#[derive(Clone, Debug)]
pub(super) struct Sample<'a> {
    /// What is known.
    pub label: &'a Label,
    /// What was estimated from this single picture, without smoothing.
    pub estimate: Option<Estimate>,
}

/// The figures of a set of pictures. A task without a model, a label or a found face has no key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Figures {
    /// Pictures that were read.
    pub n: usize,
    /// Fraction of them in which a face was found; 1 for ready crops.
    pub detected: f64,
    /// Age.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<AgeFigures>,
    /// Gender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<GenderFigures>,
    /// Head pose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pose: Option<PoseFigures>,
}

/// Age against exact ages or against bins.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum AgeFigures {
    /// Against exact ages.
    Exact {
        /// Mean absolute error in years.
        mae: Mean,
        /// Faces.
        n: usize,
    },
    /// Against bins.
    Binned {
        /// Fraction of faces whose estimate lies in the bin.
        within_bin: Mean,
        /// Mean distance to the bin in years, 0 inside.
        mae_to_bin: Mean,
        /// Faces.
        n: usize,
    },
}

/// Gender.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct GenderFigures {
    /// Fraction of faces on the right side of the male score 0.5.
    pub accuracy: Mean,
    /// Faces.
    pub n: usize,
}

/// Head pose, mean errors in degrees, of each angle the short way round.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct PoseFigures {
    /// Mean of the three.
    pub mae: Mean,
    /// Yaw.
    pub yaw: Mean,
    /// Pitch.
    pub pitch: Mean,
    /// Roll.
    pub roll: Mean,
    /// The angle between the estimated and the true rotation (geodesic distance).
    pub geodesic: Mean,
    /// Faces.
    pub n: usize,
}

/// A mean with the 95 % interval in which the mean over all such faces probably lies. Written as the mean alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mean {
    /// The mean.
    pub value: f64,
    /// The interval's ends.
    pub interval: (f64, f64),
}

/// z of a two-sided 95 % interval.
const Z: f64 = 1.96;

impl Mean {
    /// Of measured values, with the normal interval; `None` of no value.
    pub fn of(values: &[f64]) -> Option<Self> {
        let n = values.len() as f64;
        let value = values.iter().sum::<f64>() / n;
        if values.is_empty() {
            return None;
        }
        let variance = values.iter().map(|v| (v - value).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
        let half = Z * (variance / n).sqrt();
        Some(Self { value, interval: (value - half, value + half) })
    }

    /// Of yes and no, with Wilson's interval (E. B. Wilson, 1927), which stays within 0 and 1.
    pub fn share(yes: &[bool]) -> Option<Self> {
        let n = yes.len() as f64;
        if yes.is_empty() {
            return None;
        }
        let value = yes.iter().filter(|yes| **yes).count() as f64 / n;
        let divisor = 1.0 + Z * Z / n;
        let middle = (value + Z * Z / (2.0 * n)) / divisor;
        let half = Z / divisor * (value * (1.0 - value) / n + Z * Z / (4.0 * n * n)).sqrt();
        Some(Self { value, interval: ((middle - half).max(0.0), (middle + half).min(1.0)) })
    }
}

impl Serialize for Mean {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(round4(self.value))
    }
}

fn round4(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

impl Figures {
    /// The figures of these pictures for these tasks.
    pub fn of<'a>(samples: impl Iterator<Item = &'a Sample<'a>>, tasks: &[Task]) -> Self {
        let samples: Vec<_> = samples.collect();
        let found: Vec<_> =
            samples.iter().filter_map(|sample| Some((sample.label, sample.estimate.as_ref()?))).collect();
        let (n, wanted) = (samples.len(), |task| tasks.contains(&task));
        Self {
            n,
            detected: if n == 0 { 0.0 } else { round4(found.len() as f64 / n as f64) },
            age: wanted(Task::Age).then(|| age_figures(&found)).flatten(),
            gender: wanted(Task::Gender).then(|| gender_figures(&found)).flatten(),
            pose: wanted(Task::Pose).then(|| pose_figures(&found)).flatten(),
        }
    }
}

type Found<'a> = [(&'a Label, &'a Estimate)];

fn age_figures(found: &Found) -> Option<AgeFigures> {
    let (mut errors, mut distances) = (Vec::new(), Vec::new());
    for (label, estimate) in found {
        let (Some(age), Some(years)) = (label.age, estimate.age_years) else { continue };
        match age {
            AgeLabel::Years(_) => errors.push(age_error(age, years).abs()),
            AgeLabel::Bin { .. } => distances.push(age_error(age, years).abs()),
        }
    }
    // One file of labels holds exact ages or bins, never both.
    if let Some(mae) = Mean::of(&errors) {
        return Some(AgeFigures::Exact { mae, n: errors.len() });
    }
    let within: Vec<_> = distances.iter().map(|distance| *distance == 0.0).collect();
    Some(AgeFigures::Binned {
        within_bin: Mean::share(&within)?,
        mae_to_bin: Mean::of(&distances)?,
        n: distances.len(),
    })
}

/// Years from an estimate to a bin of completed years: somebody is 39 until the 40th birthday, so 30 to 39 reaches
/// from 30.0 to just below 40.0. Negative where the estimate is too young, 0 inside.
fn distance_to_bin(years: f64, min: u16, max: Option<u16>) -> f64 {
    let below = (years - f64::from(min)).min(0.0);
    let above = max.map_or(0.0, |max| (years - f64::from(max) - 1.0).max(0.0));
    below + above
}

/// By how many years an estimate is too old (positive) or too young; against a bin, outside of it.
pub(super) fn age_error(label: AgeLabel, years: f32) -> f64 {
    match label {
        AgeLabel::Years(truth) => f64::from(years) - f64::from(truth),
        AgeLabel::Bin { min, max } => distance_to_bin(f64::from(years), min, max),
    }
}

/// Whether a male score falls on the labelled side.
pub(super) fn is_right_gender(male: bool, score: f32) -> bool {
    male == (score >= 0.5)
}

fn gender_figures(found: &Found) -> Option<GenderFigures> {
    let right: Vec<_> =
        found.iter().filter_map(|(label, estimate)| Some(is_right_gender(label.male?, estimate.male_score?))).collect();
    Some(GenderFigures { accuracy: Mean::share(&right)?, n: right.len() })
}

fn pose_figures(found: &Found) -> Option<PoseFigures> {
    let errors: Vec<[f64; 5]> = found
        .iter()
        .filter_map(|(label, estimate)| {
            let (truth, pose) = (label.pose?, estimate.pose?);
            let [yaw, pitch, roll] = pose.differences(truth).map(f64::from);
            let geodesic = pose.rotation().angle_to(truth.rotation());
            Some([(yaw + pitch + roll) / 3.0, yaw, pitch, roll, geodesic])
        })
        .collect();
    let of = |place: usize| Mean::of(&errors.iter().map(|error| error[place]).collect::<Vec<_>>());
    Some(PoseFigures { mae: of(0)?, yaw: of(1)?, pitch: of(2)?, roll: of(3)?, geodesic: of(4)?, n: errors.len() })
}

/// The figures of everything, and by group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Report {
    /// Everything.
    #[serde(flatten)]
    pub all: Figures,
    /// Labelled pictures that were in none of the folders and tars.
    pub missing: usize,
    /// Pictures that could not be read; they count in no other figure.
    pub unreadable: usize,
    /// By group.
    pub groups: Groups,
}

/// The figures by group; without such labels, a list is empty.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Groups {
    /// By labelled age.
    pub age: Vec<Group>,
    /// By labelled gender.
    pub gender: Vec<Group>,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Group {
    /// Its name, e.g. `19-28` or `female`.
    pub group: String,
    /// Its figures.
    #[serde(flatten)]
    pub figures: Figures,
}

/// First years of the groups in which face-api.js publishes its errors against exact ages.
const GROUP_STARTS: [u16; 8] = [0, 4, 9, 19, 29, 41, 61, 81];

impl Groups {
    /// The figures by group. Bins are their own groups.
    pub fn of(samples: &[Sample], tasks: &[Task]) -> Self {
        let age = age_groups(samples).into_iter().map(|group| Group {
            group: match group {
                (min, Some(max)) => format!("{min}-{max}"),
                (min, None) => format!("{min}+"),
            },
            figures: Figures::of(samples.iter().filter(|sample| age_group(sample.label) == Some(group)), tasks),
        });
        let gender = [("female", false), ("male", true)].into_iter().map(|(name, male)| Group {
            group: name.to_owned(),
            figures: Figures::of(samples.iter().filter(|sample| sample.label.male == Some(male)), tasks),
        });
        Self { age: age.collect(), gender: gender.filter(|group| group.figures.n > 0).collect() }
    }
}

/// First and last completed year of an age group; without an end where it is open.
pub(super) type AgeGroup = (u16, Option<u16>);

/// The age groups that these pictures fall into, by age. Bins are their own groups.
pub(super) fn age_groups(samples: &[Sample]) -> Vec<AgeGroup> {
    let mut groups: Vec<AgeGroup> = samples.iter().filter_map(|sample| age_group(sample.label)).collect();
    // An open end comes last among those with the same start.
    groups.sort_by_key(|(min, max)| (*min, max.unwrap_or(u16::MAX)));
    groups.dedup();
    groups
}

/// The age group that a picture is labelled with.
pub(super) fn age_group(label: &Label) -> Option<AgeGroup> {
    match label.age? {
        AgeLabel::Bin { min, max } => Some((min, max)),
        AgeLabel::Years(years) => {
            let at = GROUP_STARTS.iter().rposition(|start| f32::from(*start) <= years.floor())?;
            Some((GROUP_STARTS[at], GROUP_STARTS.get(at + 1).map(|next| next - 1)))
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::geometry::Pose;

    fn label(age: Option<AgeLabel>, male: Option<bool>, pose: Option<Pose>) -> Label {
        Label { file: "a".into(), age, male, pose }
    }

    fn said(age: f32, male: f32, pose: Option<Pose>) -> Option<Estimate> {
        Some(Estimate { age_years: Some(age), male_score: Some(male), pose, ..Estimate::default() })
    }

    #[test]
    fn exact_ages_and_genders_come_together_and_by_group() {
        let labels = [
            label(Some(AgeLabel::Years(20.0)), Some(true), None),
            label(Some(AgeLabel::Years(28.9)), Some(false), None),
            label(Some(AgeLabel::Years(85.0)), Some(false), None),
            label(Some(AgeLabel::Years(2.0)), None, None),
        ];
        let estimates = [said(24.0, 0.9, None), said(26.9, 0.7, None), said(75.0, 0.1, None), None];
        let samples: Vec<_> =
            labels.iter().zip(estimates).map(|(label, estimate)| Sample { label, estimate }).collect();
        let all = Figures::of(samples.iter(), &Task::ALL);
        assert_eq!((all.n, all.detected, all.pose.is_none()), (4, 0.75, true));
        let Some(AgeFigures::Exact { mae, n: 3 }) = all.age else { panic!("{all:?}") };
        assert!((mae.value - 16.0 / 3.0).abs() < 1e-6);
        assert_eq!(all.gender.as_ref().map(|g| (round4(g.accuracy.value), g.n)), Some((0.6667, 3)));
        assert!(Figures::of(samples.iter(), &[Task::Age]).gender.is_none());

        let groups = Groups::of(&samples, &Task::ALL);
        let names: Vec<_> = groups.age.iter().map(|g| (g.group.as_str(), g.figures.n)).collect();
        assert_eq!(names, [("0-3", 1), ("19-28", 2), ("81+", 1)]);
        assert_eq!(groups.age[0].figures.age, None);
        assert_eq!(groups.gender[0].figures.gender.as_ref().map(|g| g.accuracy.value), Some(0.5));
    }

    #[test]
    fn a_bin_reaches_to_the_next_birthday() {
        assert_eq!(distance_to_bin(39.9, 30, Some(39)), 0.0);
        assert_eq!(distance_to_bin(41.5, 30, Some(39)), 1.5);
        assert_eq!(distance_to_bin(28.0, 30, Some(39)), -2.0);
        assert_eq!(distance_to_bin(120.0, 70, None), 0.0);
        let labels =
            [30, 30, 70].map(|min| label(Some(AgeLabel::Bin { min, max: (min < 70).then_some(min + 9) }), None, None));
        let estimates = [said(35.0, 0.0, None), said(44.0, 0.0, None), said(60.0, 0.0, None)];
        let samples: Vec<_> =
            labels.iter().zip(estimates).map(|(label, estimate)| Sample { label, estimate }).collect();
        let Some(AgeFigures::Binned { within_bin, mae_to_bin, n: 3 }) = Figures::of(samples.iter(), &Task::ALL).age
        else {
            panic!("bins")
        };
        assert!((within_bin.value - 1.0 / 3.0).abs() < 1e-9);
        assert!((mae_to_bin.value - 14.0 / 3.0).abs() < 1e-9);
        let names: Vec<_> = Groups::of(&samples, &Task::ALL).age.into_iter().map(|g| g.group).collect();
        assert_eq!(names, ["30-39", "70+"]);
    }

    #[test]
    fn pose_errors_are_means_of_the_three_angles() {
        let figures = pose_figures_of(Pose::default(), Pose { yaw: -3.0, pitch: 6.0, roll: 0.0 });
        // cos(t / 2) = cos 1.5 cos 3.
        let expected = json!({"mae": 3.0, "yaw": 3.0, "pitch": 6.0, "roll": 0.0, "geodesic": 6.7076, "n": 1});
        assert_eq!(figures, expected);
    }

    fn pose_figures_of(truth: Pose, pose: Pose) -> serde_json::Value {
        let label = label(None, None, Some(truth));
        let samples = [Sample { label: &label, estimate: said(0.0, 0.0, Some(pose)) }];
        serde_json::to_value(Figures::of(samples.iter(), &Task::ALL)).unwrap()["pose"].take()
    }

    #[test]
    fn errors_near_180_degrees_go_the_short_way_round() {
        let truth = Pose { yaw: 0.0, pitch: 0.0, roll: 178.0 };
        let expected = json!({"mae": 1.6667, "yaw": 0.0, "pitch": 0.0, "roll": 5.0, "geodesic": 5.0, "n": 1});
        assert_eq!(pose_figures_of(truth, Pose { roll: -177.0, ..truth }), expected);
        // A head that looks aside, tilted upside down and judged turned back.
        let aside = Pose { yaw: 40.0, pitch: -20.0, roll: 5.0 };
        let figures = pose_figures_of(aside, aside.turned(180.0).turned(-180.0));
        assert!(["mae", "geodesic"].iter().all(|key| figures[key].as_f64().unwrap() < 1e-3), "{figures}");
    }

    #[test]
    fn wilsons_interval_is_the_published_one() {
        // 81 of 263: 0.2553 to 0.3662 (R. G. Newcombe, Statistics in Medicine 1998, table I).
        let yes: Vec<_> = (0..263).map(|i| i < 81).collect();
        let (low, high) = Mean::share(&yes).unwrap().interval;
        assert!((low - 0.2553).abs() < 1e-4 && (high - 0.3662).abs() < 1e-4, "{low} {high}");
    }
}
