//! How good a head pose model is without measured poses: how near it is to others, and whether what it says follows a
//! mirror and a turn of the picture.

use std::fmt;
use std::sync::atomic::AtomicBool;

use facelens_core::estimate::EstimateError;
use facelens_core::geometry::Pose;
use serde::Serialize;

use super::{DistilError, Mean, Teacher, View, each};
use crate::data::FaceSet;

/// How far pictures are turned to see the pose follow, degrees. The crop's corners then reach 1.5 % beyond the stored
/// picture's edge, which is repeated there.
pub const TURN_DEGREES: f32 = 20.0;

/// Ends of the groups by how far the reference says that a head looks aside, degrees.
const YAW_GROUPS: [f32; 4] = [15.0, 30.0, 45.0, f32::INFINITY];
/// Ends of the groups by how far the reference is from itself in the mirror, degrees, mean over the three angles: what it
/// knows no better nobody can learn from it.
const DOUBT_GROUPS: [f32; 3] = [2.0, 5.0, f32::INFINITY];

/// The views of a check.
const CHECKED: [View; 4] = [
    View { mirrored: false, clockwise: 0.0 },
    View { mirrored: true, clockwise: 0.0 },
    View { mirrored: false, clockwise: TURN_DEGREES },
    View { mirrored: false, clockwise: -TURN_DEGREES },
];

/// Mean absolute differences, degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// Yaw.
    pub yaw: Mean,
    /// Pitch.
    pub pitch: Mean,
    /// Roll.
    pub roll: Mean,
    /// Mean of the three.
    pub mean: Mean,
    /// The angle between the two heads' rotations (geodesic distance).
    pub geodesic: Mean,
    /// How many poses were compared.
    pub n: usize,
}

/// The difference to the reference on some of the faces.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Group {
    /// Where the group begins, degrees.
    pub from: f32,
    /// Where it ends; `None` of the last one.
    pub to: Option<f32>,
    /// The difference.
    pub difference: Difference,
}

/// What was found out about a head pose model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Check {
    /// Names of the models that were checked, as one.
    pub models: Vec<String>,
    /// Names of the reference's models.
    pub reference_models: Vec<String>,
    /// How many faces.
    pub faces: usize,
    /// To the reference, on the faces as they are.
    pub to_reference: Option<Difference>,
    /// The same by how far the reference says that the head looks aside, to either side.
    pub by_yaw: Vec<Group>,
    /// The same by how far the reference is from itself in the mirror, mean over the three angles.
    pub by_doubt: Vec<Group>,
    /// To the poses that the set holds.
    pub to_labels: Option<Difference>,
    /// Between a face and the mirrored face, mirrored back.
    pub mirrored: Option<Difference>,
    /// Between a face and the face turned by [`TURN_DEGREES`] to either side, turned back.
    pub turned: Option<Difference>,
    /// The reference's own.
    pub reference_mirrored: Option<Difference>,
    /// The reference's own.
    pub reference_turned: Option<Difference>,
}

/// Checks `model` on the faces of a set, on `threads` threads. `progress` is told how many faces are done, each network
/// counting. `Ok(None)` where `stop` became `true` before the end.
///
/// # Errors
/// Where a network fails.
pub fn check(
    faces: &FaceSet,
    model: &Teacher,
    reference: Option<&Teacher>,
    threads: usize,
    stop: &AtomicBool,
    progress: impl Fn(usize) + Sync,
) -> Result<Option<Check>, DistilError> {
    let done = std::sync::atomic::AtomicUsize::new(0);
    let ask = |teacher: &Teacher| {
        let mut teachers: Vec<Teacher> = (0..threads.max(1)).map(|_| teacher.fork()).collect();
        each(&mut teachers, faces, 0..faces.len(), stop, |teacher, index| -> Result<Answer, EstimateError> {
            let mut answer = Answer::default();
            for (view, pose) in CHECKED.iter().zip(&mut answer) {
                *pose = teacher.pose_in(view, faces, index)?;
            }
            progress(done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1);
            Ok(answer)
        })
    };
    let answers = ask(model)?;
    let expected = reference.map(&ask).transpose()?;
    if [Some(&answers), expected.as_ref()].into_iter().flatten().any(|answers| answers.len() < faces.len()) {
        return Ok(None);
    }
    let expected = expected.unwrap_or_default();
    let to_reference: Vec<(Pose, Pose)> = answers.iter().zip(&expected).map(|(a, b)| (a[0], b[0])).collect();
    let labels = answers.iter().zip(&faces.faces).filter_map(|(answer, face)| Some((answer[0], face.pose?)));
    Ok(Some(Check {
        models: model.names(),
        reference_models: reference.map(Teacher::names).unwrap_or_default(),
        faces: faces.len(),
        by_yaw: groups(&to_reference, &YAW_GROUPS, |face| expected[face][0].yaw.abs()),
        by_doubt: groups(&to_reference, &DOUBT_GROUPS, |face| doubt(&expected[face])),
        to_reference: Difference::of(to_reference),
        to_labels: Difference::of(labels),
        mirrored: mirrored(&answers),
        turned: turned(&answers),
        reference_mirrored: mirrored(&expected),
        reference_turned: turned(&expected),
    }))
}

/// A face's pose told from each of [`CHECKED`].
type Answer = [Pose; CHECKED.len()];

fn mirrored(answers: &[Answer]) -> Option<Difference> {
    Difference::of(answers.iter().map(|[plain, mirrored, ..]| (*mirrored, *plain)))
}

fn turned(answers: &[Answer]) -> Option<Difference> {
    Difference::of(answers.iter().flat_map(|[plain, _, right, left]| [(*right, *plain), (*left, *plain)]))
}

/// How far a model is from itself in the mirror, degrees, mean over the three angles.
fn doubt([plain, mirrored, ..]: &Answer) -> f32 {
    apart(*plain, *mirrored).iter().sum::<f64>() as f32 / 3.0
}

/// How far two poses are apart in yaw, pitch and roll, degrees.
fn apart(a: Pose, b: Pose) -> [f64; 3] {
    a.differences(b).map(f64::from)
}

/// The differences of those faces that `of` puts between two ends; groups without a face are left out.
fn groups(pairs: &[(Pose, Pose)], ends: &[f32], of: impl Fn(usize) -> f32) -> Vec<Group> {
    let mut from = 0.0;
    let mut groups = Vec::new();
    for &to in ends {
        let inside = pairs.iter().enumerate().filter(|(face, _)| (from..to).contains(&of(*face)));
        if let Some(difference) = Difference::of(inside.map(|(_, pair)| *pair)) {
            groups.push(Group { from, to: to.is_finite().then_some(to), difference });
        }
        from = to;
    }
    groups
}

impl Difference {
    /// Between the poses of each pair; `None` of no pair.
    pub fn of(pairs: impl IntoIterator<Item = (Pose, Pose)>) -> Option<Self> {
        let mut angles: [Vec<f64>; 5] = Default::default();
        for (a, b) in pairs {
            let [yaw, pitch, roll] = apart(a, b);
            let geodesic = a.rotation().angle_to(b.rotation());
            for (values, value) in angles.iter_mut().zip([yaw, pitch, roll, (yaw + pitch + roll) / 3.0, geodesic]) {
                values.push(value);
            }
        }
        let [yaw, pitch, roll, mean, geodesic] = angles.each_ref().map(|values| Mean::of(values));
        Some(Self { yaw: yaw?, pitch: pitch?, roll: roll?, mean: mean?, geodesic: geodesic?, n: angles[0].len() })
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} on {} faces", self.models.join(" + "), self.faces)?;
        if !self.reference_models.is_empty() {
            writeln!(f, "reference: {}", self.reference_models.join(" + "))?;
        }
        writeln!(f, "mean absolute difference in degrees (95 % interval)")?;
        let titles = ["yaw", "pitch", "roll", "mean of three", "geodesic"];
        writeln!(f, "{:34}{}", "", titles.map(|title| format!("{title:>21}")).concat())?;
        line(f, "to the reference", self.to_reference.as_ref())?;
        for group in &self.by_yaw {
            let name = match group.to {
                Some(to) => format!("  its yaw {} to {to}", group.from),
                None => format!("  its yaw {} and more", group.from),
            };
            line(f, &name, Some(&group.difference))?;
        }
        for group in &self.by_doubt {
            let name = match group.to {
                Some(to) => format!("  its mirror {} to {to} ({} faces)", group.from, group.difference.n),
                None => format!("  its mirror {} and more ({})", group.from, group.difference.n),
            };
            line(f, &name, Some(&group.difference))?;
        }
        line(f, "to the set's labels", self.to_labels.as_ref())?;
        line(f, "mirrored", self.mirrored.as_ref())?;
        line(f, &format!("turned by {TURN_DEGREES}"), self.turned.as_ref())?;
        line(f, "the reference, mirrored", self.reference_mirrored.as_ref())?;
        line(f, &format!("the reference, turned by {TURN_DEGREES}"), self.reference_turned.as_ref())
    }
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, difference: Option<&Difference>) -> fmt::Result {
    let Some(Difference { yaw, pitch, roll, mean, geodesic, .. }) = difference else { return Ok(()) };
    writeln!(f, "{name:34}{yaw:>21}{pitch:>21}{roll:>21}{mean:>21}{geodesic:>21}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pose(yaw: f32, pitch: f32, roll: f32) -> Pose {
        Pose { yaw, pitch, roll }
    }

    #[test]
    fn differences_are_means_of_absolute_ones() {
        let pairs = [(pose(1.0, -2.0, 0.0), pose(3.0, 2.0, 3.0)), (pose(5.0, 0.0, 3.0), pose(1.0, 0.0, 0.0))];
        let difference = Difference::of(pairs).unwrap();
        let means = [difference.yaw, difference.pitch, difference.roll].map(|mean| mean.mean);
        assert_eq!((means, difference.n), ([3.0, 2.0, 3.0], 2));
        assert!((difference.mean.mean - 8.0 / 3.0).abs() < 1e-9);
        // The same turn of the same head is as far whatever its angles say, and nothing wraps.
        for head in [pose(0.0, 0.0, 175.0), pose(40.0, -20.0, 10.0), pose(85.0, 30.0, 0.0)] {
            let difference = Difference::of([(head, head.turned(10.0))]).unwrap();
            assert!((difference.geodesic.mean - 10.0).abs() < 1e-3, "{difference:?}");
        }
        assert!(Difference::of([(pose(0.0, 0.0, 175.0), pose(0.0, 0.0, -175.0))]).unwrap().roll.mean < 10.1);
        assert_eq!(Difference::of([]), None);
    }

    #[test]
    fn groups_are_by_the_references_yaw_and_by_its_doubt() {
        let pairs = [-14.0, 10.0, -60.0].map(|yaw: f32| (pose(0.0, 0.0, 0.0), pose(yaw, 0.0, 0.0)));
        let found = |groups: Vec<Group>| -> Vec<_> {
            groups.iter().map(|g| (g.from, g.to, g.difference.n, g.difference.yaw.mean)).collect()
        };
        let by_yaw = groups(&pairs, &YAW_GROUPS, |face| pairs[face].1.yaw.abs());
        assert_eq!(found(by_yaw), [(0.0, Some(15.0), 2, 12.0), (45.0, None, 1, 60.0)]);
        let answers = [0.0, 2.0, 1.0]
            .map(|by| [pose(1.0, 0.0, 0.0), pose(1.0 + by, -by, by), pose(9.0, 9.0, 9.0), pose(0.0, 0.0, 0.0)]);
        let by_doubt = groups(&pairs, &DOUBT_GROUPS, |face| doubt(&answers[face]));
        assert_eq!(found(by_doubt), [(0.0, Some(2.0), 2, 37.0), (2.0, Some(5.0), 1, 10.0)]);
    }
}
