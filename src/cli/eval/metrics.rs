//! The figures of `eval`: errors over labelled pictures, together and by group.

use facelens_core::estimate::{AgeEstimate, Estimate, GenderEstimate};
use facelens_core::geometry::Pose;
use facelens_core::model::Task;
use serde::Serialize;

use super::honesty::{ChanceMetrics, RangeMetrics};
use super::labels::{AgeLabel, Label};
use super::perturb::{Scatter, ScatterMetrics};

/// A labelled picture and what the networks said of it; `None` where no face was found.
#[derive(Clone, Debug)]
pub(super) struct EvalSample<'a> {
    /// What is known.
    pub label: &'a Label,
    /// What was estimated from this single picture, without smoothing.
    pub estimate: Option<Estimate>,
    /// How the estimate scatters under small changes, where that was measured.
    pub scatter: Option<Scatter>,
}

/// The figures of a set of pictures. A task without a model, a label or a found face has no key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct EvalMetrics {
    /// Pictures that were read.
    pub n: usize,
    /// Fraction of them in which a face was found; 1 for ready crops.
    pub detected: f64,
    /// Age.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<AgeMetrics>,
    /// Gender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<GenderMetrics>,
    /// Head pose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pose: Option<PoseMetrics>,
    /// How the estimates scatter under small changes, where that was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steadiness: Option<ScatterMetrics>,
}

/// Age against exact ages or against bins.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum AgeMetrics {
    /// Against exact ages.
    Exact {
        /// Mean absolute error in years.
        mae: RunningMean,
        /// How the ranges hold, of models that give them.
        #[serde(flatten)]
        range: Option<RangeMetrics>,
        /// Faces.
        n: usize,
    },
    /// Against bins.
    Binned {
        /// Fraction of faces whose estimate lies in the bin.
        within_bin: RunningMean,
        /// Mean distance to the bin in years, 0 inside.
        mae_to_bin: RunningMean,
        /// How the ranges hold, of models that give them.
        #[serde(flatten)]
        range: Option<RangeMetrics>,
        /// Faces.
        n: usize,
    },
}

impl AgeMetrics {
    /// How the ranges hold, of models that give them.
    pub(super) const fn range(&self) -> Option<&RangeMetrics> {
        match self {
            Self::Exact { range, .. } | Self::Binned { range, .. } => range.as_ref(),
        }
    }
}

/// Gender.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct GenderMetrics {
    /// Fraction of faces on the right side of the male score or chance 0.5.
    pub accuracy: RunningMean,
    /// How the chances come true, of models that give some.
    #[serde(flatten)]
    pub chances: Option<ChanceMetrics>,
    /// Faces.
    pub n: usize,
}

/// Head pose, mean errors in degrees, of each angle the short way round.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct PoseMetrics {
    /// Angle of the rotation between label and estimate: no angle counts where it means nothing.
    pub geodesic: RunningMean,
    /// Mean of the three mean absolute errors.
    pub mae: RunningMean,
    /// Yaw.
    pub yaw: RunningMean,
    /// Pitch.
    pub pitch: RunningMean,
    /// Roll.
    pub roll: RunningMean,
    /// The slopes of the angles of heads that look less than 40 degrees aside, where there are two at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slope: Option<Slopes>,
    /// Faces.
    pub n: usize,
}

/// How much an estimated angle changes with the labelled one, by least squares: below 1 large angles come out too small.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(super) struct Slopes {
    /// Of the yaw.
    pub yaw: f64,
    /// Of the pitch.
    pub pitch: f64,
    /// Of the roll.
    pub roll: f64,
}

/// A mean with the 95 % interval in which the mean over all such faces probably lies. Written as the mean alone.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RunningMean {
    /// The mean.
    pub value: f64,
    /// The interval's ends.
    pub interval: (f64, f64),
}

/// z of a two-sided 95 % interval.
const Z: f64 = 1.96;

impl RunningMean {
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

impl Serialize for RunningMean {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(round4(self.value))
    }
}

pub(super) fn round4(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

impl EvalMetrics {
    /// The figures of these pictures for these tasks.
    pub fn of<'a>(samples: impl Iterator<Item = &'a EvalSample<'a>>, tasks: &[Task]) -> Self {
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
            steadiness: ScatterMetrics::of(&samples.iter().filter_map(|sample| sample.scatter).collect::<Vec<_>>()),
        }
    }
}

type FoundCount<'a> = [(&'a Label, &'a Estimate)];

fn age_figures(found: &FoundCount) -> Option<AgeMetrics> {
    let (mut errors, mut distances, mut ranges) = (Vec::new(), Vec::new(), Vec::new());
    for (label, estimate) in found {
        let (Some(age), Some(AgeEstimate { years, range })) = (label.age, estimate.age) else { continue };
        ranges.extend(range.map(|range| (age, range)));
        match age {
            AgeLabel::Years(_) => errors.push(age_error(age, years).abs()),
            AgeLabel::Bin { .. } => distances.push(age_error(age, years).abs()),
        }
    }
    // One file of labels holds exact ages or bins, never both.
    if let Some(mae) = RunningMean::of(&errors) {
        return Some(AgeMetrics::Exact { mae, range: RangeMetrics::of(&ranges), n: errors.len() });
    }
    let within: Vec<_> = distances.iter().map(|distance| *distance == 0.0).collect();
    Some(AgeMetrics::Binned {
        within_bin: RunningMean::share(&within)?,
        mae_to_bin: RunningMean::of(&distances)?,
        range: RangeMetrics::of(&ranges),
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

fn gender_figures(found: &FoundCount) -> Option<GenderMetrics> {
    let right: Vec<_> = found
        .iter()
        .filter_map(|(label, estimate)| Some(is_right_gender(label.male?, estimate.gender?.male())))
        .collect();
    let chances = found.iter().filter_map(|(label, estimate)| match estimate.gender? {
        GenderEstimate::Chance(chance) => Some((label.male?, chance)),
        GenderEstimate::Score(_) => None,
    });
    let chances = ChanceMetrics::of(&chances.collect::<Vec<_>>());
    Some(GenderMetrics { accuracy: RunningMean::share(&right)?, chances, n: right.len() })
}

fn pose_figures(found: &FoundCount) -> Option<PoseMetrics> {
    let pairs: Vec<(Pose, Pose)> =
        found.iter().filter_map(|(label, estimate)| Some((label.pose?, estimate.pose?))).collect();
    let errors: Vec<[f64; 5]> = pairs
        .iter()
        .map(|(truth, pose)| {
            let [yaw, pitch, roll] = pose.differences(*truth).map(f64::from);
            let geodesic = pose.rotation().angle_to(truth.rotation());
            [(yaw + pitch + roll) / 3.0, yaw, pitch, roll, geodesic]
        })
        .collect();
    let of = |place: usize| RunningMean::of(&errors.iter().map(|error| error[place]).collect::<Vec<_>>());
    Some(PoseMetrics {
        geodesic: of(4)?,
        mae: of(0)?,
        yaw: of(1)?,
        pitch: of(2)?,
        roll: of(3)?,
        slope: slopes(&pairs),
        n: errors.len(),
    })
}

fn slopes(pairs: &[(Pose, Pose)]) -> Option<Slopes> {
    let ahead: Vec<_> = pairs.iter().filter(|(truth, _)| truth.yaw.abs() < AHEAD_DEGREES).collect();
    let slope = |of: fn(&Pose) -> f32| {
        let pairs = || ahead.iter().map(|(truth, pose)| (f64::from(of(truth)), f64::from(of(pose))));
        let (x, y) = pairs().fold((0.0, 0.0), |(x, y), pair| (x + pair.0, y + pair.1));
        let (x, y) = (x / ahead.len() as f64, y / ahead.len() as f64);
        let square: f64 = pairs().map(|pair| (pair.0 - x).powi(2)).sum();
        let product: f64 = pairs().map(|pair| (pair.0 - x) * (pair.1 - y)).sum();
        (square > 0.0).then(|| round4(product / square))
    };
    Some(Slopes { yaw: slope(|pose| pose.yaw)?, pitch: slope(|pose| pose.pitch)?, roll: slope(|pose| pose.roll)? })
}

/// The figures of everything, and by group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct EvalReport {
    /// Everything.
    #[serde(flatten)]
    pub all: EvalMetrics,
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
    pub age: Vec<MetricGroup>,
    /// By labelled gender.
    pub gender: Vec<MetricGroup>,
    /// By estimated age, in the groups of exact ages.
    pub estimated_age: Vec<MetricGroup>,
    /// By how far a head is labelled to look aside, degrees.
    pub yaw: Vec<MetricGroup>,
}

/// One group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct MetricGroup {
    /// Its name, e.g. `19-28` or `female`.
    pub group: String,
    /// Its figures.
    #[serde(flatten)]
    pub figures: EvalMetrics,
}

/// First years of the groups in which face-api.js publishes its errors against exact ages.
const GROUP_STARTS: [u16; 8] = [0, 4, 9, 19, 29, 41, 61, 81];
/// Where the groups by yaw begin, degrees to either side.
const YAW_GROUPS: [f32; 6] = [0.0, 15.0, 30.0, 45.0, 60.0, 75.0];
/// Slopes are those of heads that look less far aside, degrees: beyond, a small turn changes pitch and roll by much.
const AHEAD_DEGREES: f32 = 40.0;

impl Groups {
    /// The figures by group. Bins are their own groups.
    pub fn of(samples: &[EvalSample], tasks: &[Task]) -> Self {
        let age = age_groups(samples).into_iter().map(|group| MetricGroup {
            group: age_group_name(group),
            figures: EvalMetrics::of(samples.iter().filter(|sample| age_group(sample.label) == Some(group)), tasks),
        });
        let gender = [("female", false), ("male", true)].into_iter().map(|(name, male)| MetricGroup {
            group: name.to_owned(),
            figures: EvalMetrics::of(samples.iter().filter(|sample| sample.label.male == Some(male)), tasks),
        });
        let starts = GROUP_STARTS.into_iter().enumerate();
        let estimated = starts.map(|(at, start)| (start, GROUP_STARTS.get(at + 1).map(|next| next - 1)));
        let estimated_age = estimated.filter(|_| tasks.contains(&Task::Age)).map(|group| MetricGroup {
            group: age_group_name(group),
            figures: EvalMetrics::of(samples.iter().filter(|sample| estimated_group(sample) == Some(group)), tasks),
        });
        let yaw_of = |sample: &EvalSample| sample.label.pose.map(|pose| pose.yaw.abs());
        let ends = YAW_GROUPS.iter().zip(YAW_GROUPS.iter().skip(1).map(Some).chain([None]));
        let yaw = ends.map(|(from, to)| MetricGroup {
            group: to.map_or_else(|| format!("{from}+"), |to| format!("{from}-{to}")),
            figures: EvalMetrics::of(
                samples
                    .iter()
                    .filter(|sample| yaw_of(sample).is_some_and(|yaw| yaw >= *from && to.is_none_or(|to| yaw < *to))),
                &[Task::Pose],
            ),
        });
        let filled = |group: &MetricGroup| group.figures.n > 0;
        Self {
            age: age.collect(),
            gender: gender.filter(filled).collect(),
            estimated_age: estimated_age.filter(filled).collect(),
            yaw: yaw.filter(|_| tasks.contains(&Task::Pose)).filter(filled).collect(),
        }
    }
}

/// A group's name: `19-28`, `81+`.
fn age_group_name(group: AgeGroup) -> String {
    match group {
        (min, Some(max)) => format!("{min}-{max}"),
        (min, None) => format!("{min}+"),
    }
}

/// The group of exact ages that an estimate falls into.
fn estimated_group(sample: &EvalSample) -> Option<AgeGroup> {
    let years = sample.estimate.as_ref()?.age?.years;
    years.is_finite().then(|| group_of_years(years))
}

/// The group of an exact age; below 0 the first.
fn group_of_years(years: f32) -> AgeGroup {
    let at = GROUP_STARTS.iter().rposition(|start| f32::from(*start) <= years.floor()).unwrap_or_default();
    (GROUP_STARTS[at], GROUP_STARTS.get(at + 1).map(|next| next - 1))
}

/// First and last completed year of an age group; without an end where it is open.
pub(super) type AgeGroup = (u16, Option<u16>);

/// The age groups that these pictures fall into, by age. Bins are their own groups.
pub(super) fn age_groups(samples: &[EvalSample]) -> Vec<AgeGroup> {
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
        AgeLabel::Years(years) => Some(group_of_years(years)),
    }
}

#[cfg(test)]
mod tests {
    use facelens_core::geometry::Pose;
    use serde_json::json;

    use super::*;

    fn label(age: Option<AgeLabel>, male: Option<bool>, pose: Option<Pose>) -> Label {
        Label { file: "a".into(), age, male, pose }
    }

    fn said(age: f32, male: f32, pose: Option<Pose>) -> Option<Estimate> {
        Some(Estimate {
            age: Some(AgeEstimate::plain(age)),
            gender: Some(GenderEstimate::Score(male)),
            pose,
            ..Estimate::default()
        })
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
        let samples: Vec<_> = labels
            .iter()
            .zip(estimates)
            .map(|(label, estimate)| EvalSample { label, estimate, scatter: None })
            .collect();
        let all = EvalMetrics::of(samples.iter(), &Task::ALL);
        assert_eq!((all.n, all.detected, all.pose.is_none()), (4, 0.75, true));
        let Some(AgeMetrics::Exact { mae, n: 3, range: None }) = all.age else { panic!("{all:?}") };
        assert!((mae.value - 16.0 / 3.0).abs() < 1e-6);
        assert_eq!(all.gender.as_ref().map(|g| (round4(g.accuracy.value), g.n)), Some((0.6667, 3)));
        assert!(EvalMetrics::of(samples.iter(), &[Task::Age]).gender.is_none());

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
        let samples: Vec<_> = labels
            .iter()
            .zip(estimates)
            .map(|(label, estimate)| EvalSample { label, estimate, scatter: None })
            .collect();
        let Some(AgeMetrics::Binned { within_bin, mae_to_bin, n: 3, range: None }) =
            EvalMetrics::of(samples.iter(), &Task::ALL).age
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
        let samples = [EvalSample { label: &label, estimate: said(0.0, 0.0, Some(pose)), scatter: None }];
        serde_json::to_value(EvalMetrics::of(samples.iter(), &Task::ALL)).unwrap()["pose"].take()
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
    fn poses_are_judged_as_rotations_by_yaw_and_by_what_shrinks() {
        let poses = [(-30.0, 20.0), (10.0, -10.0), (25.0, 5.0), (50.0, 0.0), (-80.0, 0.0)];
        let truth = poses.map(|(yaw, pitch)| Pose { yaw, pitch, roll: pitch / 4.0 });
        let labels = truth.map(|pose| label(None, None, Some(pose)));
        let said = truth.map(|pose| said(30.0, 0.5, Some(Pose { pitch: 3.0 + 0.6 * pose.pitch, ..pose })));
        let samples: Vec<_> =
            labels.iter().zip(said).map(|(label, estimate)| EvalSample { label, estimate, scatter: None }).collect();
        let all = EvalMetrics::of(samples.iter(), &Task::ALL).pose.unwrap();
        let slope = all.slope.unwrap();
        assert!((slope.yaw - 1.0).abs() < 1e-3 && (slope.pitch - 0.6).abs() < 1e-3 && (slope.roll - 1.0).abs() < 1e-3);
        // Pitch is the outermost rotation.
        assert!((all.geodesic.value - (5.0 + 7.0 + 1.0 + 3.0 + 3.0) / 5.0).abs() < 0.01, "{all:?}");
        let groups = Groups::of(&samples, &Task::ALL).yaw;
        let found: Vec<_> = groups.iter().map(|group| (group.group.as_str(), group.figures.n)).collect();
        assert_eq!(found, [("0-15", 1), ("15-30", 1), ("30-45", 1), ("45-60", 1), ("75+", 1)]);
        assert!((groups[4].figures.pose.as_ref().unwrap().geodesic.value - 3.0).abs() < 0.01);
    }

    #[test]
    fn ranges_and_chances_are_judged_by_true_and_by_estimated_age() {
        let labels = [(20.0, true), (70.0, true), (72.0, false)]
            .map(|(years, male)| label(Some(AgeLabel::Years(years)), Some(male), None));
        let said = |years: f32, range: (f32, f32), chance: f32| {
            let age = Some(AgeEstimate { years, range: Some(range) });
            Some(Estimate { age, gender: Some(GenderEstimate::Chance(chance)), ..Estimate::default() })
        };
        let estimates = [said(22.0, (18.0, 28.0), 0.8), said(50.0, (42.0, 62.0), 0.9), said(66.0, (58.0, 80.0), 0.2)];
        let samples: Vec<_> = labels
            .iter()
            .zip(estimates)
            .map(|(label, estimate)| EvalSample { label, estimate, scatter: None })
            .collect();
        let all = EvalMetrics::of(samples.iter(), &Task::ALL);
        assert!((all.age.as_ref().unwrap().range().unwrap().coverage.value - 2.0 / 3.0).abs() < 1e-6);
        let json = serde_json::to_value(&all).unwrap();
        assert_eq!(json["age"]["coverage"], serde_json::json!(0.6667));
        assert_eq!(json["age"]["width"], serde_json::json!(17.3333));
        assert!(json["age"]["interval_score"].as_f64().unwrap() > 17.3 && json["age"]["mae"].is_f64());
        assert_eq!(
            (&json["gender"]["ece"], &json["gender"]["brier"]),
            (&serde_json::json!(0.1667), &serde_json::json!(0.03))
        );
        let groups = Groups::of(&samples, &Task::ALL);
        let names = |groups: &[MetricGroup]| {
            groups.iter().map(|group| (group.group.clone(), group.figures.n)).collect::<Vec<_>>()
        };
        assert_eq!(names(&groups.age), [("19-28".to_owned(), 1), ("61-80".to_owned(), 2)]);
        let by_estimate = [("19-28".to_owned(), 1), ("41-60".to_owned(), 1), ("61-80".to_owned(), 1)];
        assert_eq!(names(&groups.estimated_age), by_estimate);
        let coverage = |group: &MetricGroup| group.figures.age.as_ref().unwrap().range().unwrap().coverage.value;
        assert_eq!((coverage(&groups.age[1]), coverage(&groups.estimated_age[1])), (0.5, 0.0));
    }

    #[test]
    fn wilsons_interval_is_the_published_one() {
        // 81 of 263: 0.2553 to 0.3662 (R. G. Newcombe, Statistics in Medicine 1998, table I).
        let yes: Vec<_> = (0..263).map(|i| i < 81).collect();
        let (low, high) = RunningMean::share(&yes).unwrap().interval;
        assert!((low - 0.2553).abs() < 1e-4 && (high - 0.3662).abs() < 1e-4, "{low} {high}");
    }
}
