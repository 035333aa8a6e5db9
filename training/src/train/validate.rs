//! How well a network does on faces that it does not learn from.

use std::fmt;

use burn::tensor::{Device, Tensor, TensorData};
use facelens_core::geometry::Pose;
use facelens_core::model::{LOG_SCALES, Task};
use serde::{Deserialize, Serialize};

use super::batches::to_input;
use super::config::values;
use super::history::EpochFigures;
use crate::augment::{Augmenter, INPUT, INPUT_LEN, Stored};
use crate::data::balance::typical_age;
use crate::data::{AgeRange, FaceSet, LabelledFace};
use crate::nets::Network;

/// Faces that go through the network together.
const CHUNK: usize = 256;
/// Children are younger, years.
const CHILD: f32 = 10.0;
/// Old people are of this age or older, years.
const OLD: f32 = 60.0;

/// Slopes are those of heads that look less far aside, degrees.
const AHEAD_DEGREES: f32 = 40.0;
/// Heads that look aside, degrees.
const ASIDE_DEGREES: f32 = 45.0;

/// What a network does on a set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// Ages, where the set has them.
    pub age: Option<AgeFigures>,
    /// Share of faces whose score is on the right side of 0.5.
    pub gender_accuracy: Option<f64>,
    /// Mean absolute errors of yaw, pitch and roll, degrees.
    pub pose: Option<[f64; 3]>,
    /// Mean angle between the rotation that is estimated and the true one, degrees. Runs of earlier versions lack it.
    #[serde(default)]
    pub pose_geodesic: Option<f64>,
    /// Where the poses are off.
    #[serde(default)]
    pub rotation: Option<RotationFigures>,
}

/// Where poses are off.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotationFigures {
    /// Mean angle of the rotation between label and estimate where the head looks aside by 45 degrees and more, degrees, if
    /// there are such.
    pub aside: Option<f64>,
    /// Slopes of yaw, pitch and roll against the labels, where the yaw is below 40 degrees: 1 where nothing shrinks.
    pub slopes: [f64; 3],
}

/// Errors of the age.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgeFigures {
    /// Mean absolute error, years: to the exact age, or the distance to the bin.
    pub mae: f64,
    /// Share within the bin, where the ages are bins.
    pub within_bin: Option<f64>,
    /// `mae` of those younger than 10, if there are any.
    pub children: Option<f64>,
    /// `mae` of those of 60 and older, if there are any.
    pub old: Option<f64>,
    /// How unlikely the ages are to a network that gives their scale: mean negative logarithm of the likelihood, nats.
    #[serde(default)]
    pub nats: Option<f64>,
}

impl EpochFigures for Figures {
    /// A set of bins has other names than one of exact ages.
    fn cells(&self) -> Vec<(&'static str, f64)> {
        let mut cells = Vec::new();
        if let Some(age) = &self.age {
            cells.push((if age.within_bin.is_some() { "age_mae_to_bin" } else { "age_mae" }, age.mae));
            cells.extend(age.within_bin.map(|share| ("age_within_bin", share)));
            cells.extend(age.children.map(|mae| ("age_mae_under_10", mae)));
            cells.extend(age.old.map(|mae| ("age_mae_from_60", mae)));
            cells.extend(age.nats.map(|nats| ("age_nats", nats)));
        }
        cells.extend(self.gender_accuracy.map(|share| ("gender_accuracy", share)));
        if let Some([yaw, pitch, roll]) = self.pose {
            let mean = (yaw + pitch + roll) / 3.0;
            cells.extend([("pose_mae", mean), ("yaw_mae", yaw), ("pitch_mae", pitch), ("roll_mae", roll)]);
        }
        cells.extend(self.pose_geodesic.map(|degrees| ("pose_geodesic", degrees)));
        if let Some(RotationFigures { aside, slopes: [yaw, pitch, roll] }) = self.rotation {
            cells.extend(aside.map(|aside| ("pose_geodesic_from_45", aside)));
            cells.extend([("yaw_slope", yaw), ("pitch_slope", pitch), ("roll_slope", roll)]);
        }
        cells
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        if let Some(age) = &self.age {
            let mut text = format!("age {:.2} y", age.mae);
            if let Some(share) = age.within_bin {
                text += &format!(" to the bin, {:.1} % within", 100.0 * share);
            }
            let group = |name: &str, mae: Option<f64>| mae.map(|mae| format!("{name} {mae:.1}"));
            let groups: Vec<_> =
                [group("under 10", age.children), group("from 60", age.old)].into_iter().flatten().collect();
            if let Some(nats) = age.nats {
                text += &format!(", {nats:.3} nats");
            }
            if !groups.is_empty() {
                text += &format!(" ({})", groups.join(", "));
            }
            parts.push(text);
        }
        parts.extend(self.gender_accuracy.map(|share| format!("gender {:.1} %", 100.0 * share)));
        if let Some([yaw, pitch, roll]) = self.pose {
            let mean = (yaw + pitch + roll) / 3.0;
            let geodesic = self.pose_geodesic.map(|degrees| format!(", geodesic {degrees:.1}")).unwrap_or_default();
            parts.push(format!("pose {mean:.2}° (yaw {yaw:.1}, pitch {pitch:.1}, roll {roll:.1}{geodesic})"));
        }
        if let Some(RotationFigures { aside, slopes: [yaw, pitch, roll] }) = &self.rotation {
            let aside = aside.map_or_else(String::new, |aside| format!("geodesic {aside:.1} from 45 of yaw, "));
            parts.push(format!("{aside}slopes {yaw:.2}, {pitch:.2}, {roll:.2}"));
        }
        f.write_str(&parts.join(", "))
    }
}

/// What `net` says of each face of `set`, cropped as the app crops: rows of one number for each output.
pub fn estimates(net: &Network, set: &FaceSet, margin: f32, device: &Device) -> Vec<Vec<f32>> {
    let mut augmenter = Augmenter::new(margin);
    let mut bytes = vec![0; INPUT_LEN];
    let mut rows = Vec::with_capacity(set.len());
    let all: Vec<usize> = (0..set.len()).collect();
    for chosen in all.chunks(CHUNK) {
        let mut inputs = vec![0.0; chosen.len() * INPUT_LEN];
        for (index, input) in chosen.iter().zip(inputs.chunks_exact_mut(INPUT_LEN)) {
            let picture = Stored { pixels: set.picture(*index), side: set.side, context: set.context };
            augmenter.plain(picture, &mut bytes);
            to_input(&bytes, input);
        }
        let inputs = Tensor::from_data(TensorData::new(inputs, [chosen.len(), 3, INPUT, INPUT]), device);
        let estimates = net.forward(inputs);
        let columns = estimates.dims()[1];
        let numbers: Vec<f32> = estimates.into_data().iter::<f32>().collect();
        rows.extend(numbers.chunks_exact(columns).map(<[f32]>::to_vec));
    }
    rows
}

/// The figures of `net`, which gives what `tasks` name, on a set.
pub fn figures(net: &Network, set: &FaceSet, tasks: &[Task], margin: f32, device: &Device) -> Figures {
    summarise(&set.faces, &estimates(net, set, margin, device), tasks)
}

fn summarise(faces: &[LabelledFace], estimates: &[Vec<f32>], tasks: &[Task]) -> Figures {
    let mut figures = Figures::default();
    let mut column = 0;
    for task in tasks {
        let pairs = faces.iter().zip(estimates);
        match task {
            Task::Age => {
                // The logarithm of its scale comes last, where there is one.
                let known: usize = tasks.iter().map(|task| values(*task)).sum();
                let log_scale = |row: &[f32]| row.get(known).copied();
                let ages: Vec<_> =
                    pairs.filter_map(|(face, row)| Some((face.age?, row[column], log_scale(row)))).collect();
                figures.age = age_figures(&ages);
            }
            Task::Gender => {
                let right = pairs.filter_map(|(face, row)| Some((row[column] >= 0.5) == face.male?));
                figures.gender_accuracy = mean(right.map(|right| f64::from(u8::from(right))));
            }
            Task::Pose => {
                let known: Vec<(Pose, Pose)> = pairs
                    .filter_map(|(face, row)| {
                        let said = Pose { yaw: row[column], pitch: row[column + 1], roll: row[column + 2] };
                        Some((said, face.pose?))
                    })
                    .collect();
                let angle =
                    |index: usize| mean(known.iter().map(|(said, truth)| f64::from(said.differences(*truth)[index])));
                figures.pose = angle(0).zip(angle(1)).zip(angle(2)).map(|((yaw, pitch), roll)| [yaw, pitch, roll]);
                figures.pose_geodesic =
                    mean(known.iter().map(|(said, truth)| said.rotation().angle_to(truth.rotation())));
                figures.rotation = rotation_figures(&known);
            }
        }
        column += values(*task);
    }
    figures
}

/// How far an estimate is from an age; 0 within its bin.
fn distance(age: AgeRange, estimate: f32) -> f64 {
    let above = age.max.map_or(0.0, |max| estimate - max);
    f64::from((age.min - estimate).max(above).max(0.0))
}

/// Negative logarithm of the share of a logistic distribution that lies in an age's bin, nats.
fn nats(age: AgeRange, years: f32, log_scale: f32) -> f64 {
    let scale = f64::from(log_scale.clamp(*LOG_SCALES.start(), *LOG_SCALES.end())).exp();
    let below = |bound: f32| 1.0 / (1.0 + ((f64::from(years) - f64::from(bound)) / scale).exp());
    let (low, high) = match age.max {
        Some(max) if max > age.min => (age.min, Some(max)),
        Some(max) => (max - 0.5, Some(max + 0.5)),
        None => (age.min, None),
    };
    let share = high.map_or(1.0, below) - below(low);
    -share.max(1e-12).ln()
}

fn age_figures(ages: &[(AgeRange, f32, Option<f32>)]) -> Option<AgeFigures> {
    let of = |keep: fn(f32) -> bool| {
        let kept = ages.iter().filter(|(age, ..)| keep(typical_age(*age)));
        mean(kept.map(|(age, estimate, _)| distance(*age, *estimate)))
    };
    let bins = ages.iter().any(|(age, ..)| age.max != Some(age.min));
    let within = |(age, estimate, _): &(AgeRange, f32, _)| f64::from(u8::from(distance(*age, *estimate) <= 0.0));
    Some(AgeFigures {
        mae: of(|_| true)?,
        within_bin: mean(ages.iter().map(within)).filter(|_| bins),
        children: of(|age| age < CHILD),
        old: of(|age| age >= OLD),
        nats: mean(ages.iter().filter_map(|(age, estimate, log_scale)| Some(nats(*age, *estimate, (*log_scale)?)))),
    })
}

/// Of pairs of estimate and label; `None` of no pair.
fn rotation_figures(poses: &[(Pose, Pose)]) -> Option<RotationFigures> {
    let aside = poses.iter().filter(|(_, label)| label.yaw.abs() >= ASIDE_DEGREES);
    let ahead: Vec<_> = poses.iter().filter(|(_, label)| label.yaw.abs() < AHEAD_DEGREES).collect();
    let slope = |of: fn(&Pose) -> f32| {
        slope(&ahead.iter().map(|(said, label)| (f64::from(of(label)), f64::from(of(said)))).collect::<Vec<_>>())
    };
    (!poses.is_empty()).then(|| RotationFigures {
        aside: mean(aside.map(|(said, label)| said.rotation().angle_to(label.rotation()))),
        slopes: [slope(|pose| pose.yaw), slope(|pose| pose.pitch), slope(|pose| pose.roll)],
    })
}

/// The slope of the second number against the first, by least squares; 0 where the first never changes.
fn slope(pairs: &[(f64, f64)]) -> f64 {
    let count = pairs.len().max(1) as f64;
    let (x, y) = pairs.iter().fold((0.0, 0.0), |(x, y), pair| (x + pair.0 / count, y + pair.1 / count));
    let (square, product) = pairs.iter().fold((0.0, 0.0), |(square, product), pair| {
        (square + (pair.0 - x).powi(2), product + (pair.0 - x) * (pair.1 - y))
    });
    if square > 0.0 { product / square } else { 0.0 }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0_usize, 0.0), |(count, sum), value| (count + 1, sum + value));
    (count > 0).then(|| sum / count as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aged(min: f32, max: Option<f32>) -> LabelledFace {
        LabelledFace { age: Some(AgeRange { min, max }), male: Some(min < 50.0), ..LabelledFace::default() }
    }

    #[test]
    fn bins_and_groups_are_told_apart() {
        let faces = [aged(0.0, Some(3.0)), aged(20.0, Some(30.0)), aged(70.0, None), LabelledFace::default()];
        let rows = [vec![5.0, 0.9], vec![25.0, 0.2], vec![64.0, 0.1], vec![99.0, 0.0]];
        let figures = summarise(&faces, &rows, &[Task::Age, Task::Gender]);
        let age = figures.age.as_ref().unwrap();
        assert!((age.mae - 8.0 / 3.0).abs() < 1e-6);
        assert_eq!((age.within_bin, age.children, age.old), (Some(1.0 / 3.0), Some(2.0), Some(6.0)));
        assert_eq!(figures.gender_accuracy, Some(2.0 / 3.0));
        assert_eq!(figures.pose, None);
        assert_eq!(figures.cells()[0].0, "age_mae_to_bin");
        let exact = summarise(&[aged(40.0, Some(40.0))], &[vec![42.5]], &[Task::Age]);
        assert_eq!(exact.cells(), [("age_mae", 2.5)]);
    }

    #[test]
    fn angles_come_each_and_as_a_mean() {
        let face = LabelledFace { pose: Some(Pose { yaw: 10.0, pitch: 0.0, roll: 179.0 }), ..LabelledFace::default() };
        let figures = summarise(&[face], &[vec![13.0, 0.0, -175.0]], &[Task::Pose]);
        let cells = figures.cells();
        assert_eq!(cells[..4], [("pose_mae", 3.0), ("yaw_mae", 3.0), ("pitch_mae", 0.0), ("roll_mae", 6.0)]);
        // By Ry(3) Rz(6): cos(t / 2) = cos 1.5 cos 3.
        assert!(cells[4].0 == "pose_geodesic" && (cells[4].1 - 6.7).abs() < 0.1, "{cells:?}");
        assert!(figures.to_string().starts_with("pose 3.00° (yaw 3.0, pitch 0.0, roll 6.0, geodesic 6.7)"));
    }

    #[test]
    fn what_shrinks_shows_in_the_slopes_and_rotations_are_turned_back_in_one() {
        let label = |yaw: f32, pitch: f32| Pose { yaw, pitch, roll: pitch / 2.0 };
        let labels = [label(-30.0, 20.0), label(10.0, -10.0), label(25.0, 5.0), label(60.0, 0.0)];
        let faces = labels.map(|pose| LabelledFace { pose: Some(pose), ..LabelledFace::default() });
        let rows = labels.map(|pose| vec![pose.yaw, 3.0 + pose.pitch * 0.6, pose.roll]);
        let figures = summarise(&faces, &rows, &[Task::Pose]);
        let rotation = figures.rotation.clone().unwrap();
        let [yaw, pitch, roll] = rotation.slopes;
        assert!((yaw - 1.0).abs() < 1e-6 && (pitch - 0.6).abs() < 1e-6 && (roll - 1.0).abs() < 1e-6, "{figures:?}");
        // Pitch is the outermost rotation: by what it is off, the whole is.
        assert!((figures.pose_geodesic.unwrap() - (5.0 + 7.0 + 1.0 + 3.0) / 4.0).abs() < 0.01, "{figures:?}");
        assert!((rotation.aside.unwrap() - 3.0).abs() < 0.01, "{figures:?}");
    }

    #[test]
    fn an_age_that_was_thought_unlikely_costs_more() {
        let faces = [aged(20.0, Some(30.0))];
        let cost = |years: f32, log_scale: f32| {
            let figures = summarise(&faces, &[vec![years, log_scale]], &[Task::Age]);
            figures.age.unwrap().nats.unwrap()
        };
        let expected = -(1.0 - 2.0 / (1.0 + 2.5_f64.exp())).ln();
        assert!((cost(25.0, 2_f32.ln()) - expected).abs() < 1e-6);
        assert!(cost(40.0, 0.0) > cost(40.0, 1.5) && cost(25.0, 0.0) < cost(25.0, 1.5));
    }
}
