//! Turns the numbers that a network gives into years, a male score or a head pose.

use std::ops::RangeInclusive;

use super::axes::{self, Axes, Maps, SIX_D_REP_NET};
use super::card::{Angle, GenderClass, OutputForm, QuaternionOrder};
use super::task::Task;
use crate::geometry::Pose;

/// Bins of each of Hopenet's heads.
const HOPENET_BINS: usize = 66;
/// Width of a bin, degrees.
const HOPENET_BIN_DEGREES: f32 = 3.0;
/// Lower end of the first bin, degrees.
const HOPENET_FIRST_DEGREES: f32 = -99.0;
/// Logarithms of the scales that an age has: a quarter of a year to 33 years. Training keeps to them, too.
pub const LOG_SCALES: RangeInclusive<f32> = -1.4..=3.5;

/// What a model says of one face; `None` for what it does not estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Answers {
    /// Age in years, as the network gives it (not clamped).
    pub age_years: Option<f32>,
    /// Scale of the age's distribution in years, of networks that know how sure they are: a logistic one around
    /// `age_years`.
    pub age_scale_years: Option<f32>,
    /// The range around `age_years` in which the true age lies as often as the card says: low and high, years. Of models
    /// whose card is calibrated.
    pub age_range: Option<(f32, f32)>,
    /// Male score, about 0 female and about 1 male, as the network gives it (not clamped).
    pub male_score: Option<f32>,
    /// The chance that the face would be labelled male, 0 to 1; of models whose card is calibrated.
    pub male_chance: Option<f32>,
    /// Head pose in degrees, with the signs of 300W-LP.
    pub pose: Option<Pose>,
}

impl Answers {
    /// Each answer averaged over those that have it: years and scores by their mean, head poses by [`Pose::mean`].
    pub fn mean(answers: &[Self]) -> Self {
        let poses: Vec<Pose> = answers.iter().filter_map(|answer| answer.pose).collect();
        Self {
            age_years: mean(answers.iter().filter_map(|answer| answer.age_years)),
            age_scale_years: mean(answers.iter().filter_map(|answer| answer.age_scale_years)),
            age_range: mean_range(answers),
            male_score: mean(answers.iter().filter_map(|answer| answer.male_score)),
            // A chance and a score have no mean.
            male_chance: answers
                .iter()
                .filter(|answer| answer.male_score.is_some())
                .map(|answer| answer.male_chance)
                .collect::<Option<Vec<_>>>()
                .and_then(|chances| mean(chances.into_iter())),
            pose: Pose::mean(&poses),
        }
    }
}

/// The mean of the ranges, where every model that gives an age gives one.
fn mean_range(answers: &[Answers]) -> Option<(f32, f32)> {
    let ranges = answers.iter().filter(|answer| answer.age_years.is_some()).map(|answer| answer.age_range);
    let ranges = ranges.collect::<Option<Vec<_>>>()?;
    mean(ranges.iter().map(|range| range.0)).zip(mean(ranges.iter().map(|range| range.1)))
}

fn mean(values: impl Iterator<Item = f32>) -> Option<f32> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / count as f32)
}

impl OutputForm {
    /// The tasks whose answers this is, in the order of [`Task::ALL`].
    pub const fn tasks(&self) -> &'static [Task] {
        match self {
            Self::Years | Self::YearsAndLogScale | Self::AgeBins { .. } => &[Task::Age],
            Self::MaleScore | Self::GenderClasses { .. } => &[Task::Gender],
            Self::YearsAndMaleScore => &[Task::Age, Task::Gender],
            Self::YearsMaleScoreAndAngles { .. } | Self::YearsMaleScoreAnglesAndLogScale { .. } => &Task::ALL,
            Self::Angles { .. }
            | Self::HopenetBins { .. }
            | Self::Bins { .. }
            | Self::Quaternion { .. }
            | Self::RotationMatrix { .. }
            | Self::PoseMatrix { .. }
            | Self::Rotation6d { .. } => &[Task::Pose],
        }
    }

    /// How many numbers it is made of, all outputs together.
    pub const fn len(&self) -> usize {
        match self {
            Self::Years | Self::MaleScore => 1,
            Self::YearsAndMaleScore | Self::YearsAndLogScale | Self::GenderClasses { .. } => 2,
            Self::Angles { .. } => 3,
            Self::Quaternion { .. } => 4,
            Self::YearsMaleScoreAndAngles { .. } => 5,
            Self::YearsMaleScoreAnglesAndLogScale { .. } => 6,
            Self::HopenetBins { .. } => 3 * HOPENET_BINS,
            Self::Bins { bins: [a, b, c], .. } => *a as usize + *b as usize + *c as usize,
            Self::RotationMatrix { .. } => 9,
            Self::PoseMatrix { columns, .. } => 3 * *columns as usize,
            Self::Rotation6d { .. } => 6,
            Self::AgeBins { years } => years.len(),
        }
    }

    /// Whether its last number is the logarithm of the age's scale.
    pub const fn has_age_scale(&self) -> bool {
        matches!(self, Self::YearsAndLogScale | Self::YearsMaleScoreAnglesAndLogScale { .. })
    }

    /// Never: every form has at least one number.
    pub const fn is_empty(&self) -> bool {
        false
    }

    /// What these numbers of a network say. Age and male score are taken as they are, not clamped.
    ///
    /// Head pose:
    /// - Angles: as they are.
    /// - Bins (Hopenet: Ruiz et al. 2018, arXiv:1710.00925, section 3.2): expectation over the bins, `first + width
    ///   sum(i p_i)` with `p` the softmax of the head; Hopenet's begin at -99 and are 3 wide.
    /// - Rotation matrix and 6D rotation: without axes as 6DRepNet (Hempel et al. 2022, arXiv:2202.12555); the two columns
    ///   are made orthonormal by Zhou et al. 2019, arXiv:1812.07035, equation 15.
    /// - Pose matrix: as 3DDFA takes a rotation from its parameters (Zhu et al., "Face Alignment in Full Pose Range", PAMI
    ///   2017).
    ///
    /// # Errors
    /// Where the network gave another count of numbers, or the numbers are no rotation.
    pub fn decode(&self, values: &[f32]) -> Result<Answers, String> {
        if values.len() != self.len() {
            let (given, wanted) = (values.len(), self.len());
            return Err(format!("the network gave {given} numbers where its card's output form has {wanted}"));
        }
        let pose = match self {
            Self::YearsMaleScoreAndAngles { order } => {
                return Ok(Answers {
                    age_years: Some(values[0]),
                    male_score: Some(values[1]),
                    pose: Some(ordered(*order, [values[2], values[3], values[4]])),
                    ..Answers::default()
                });
            }
            Self::YearsMaleScoreAnglesAndLogScale { order } => {
                return Ok(Answers {
                    age_years: Some(values[0]),
                    age_scale_years: Some(scale_years(values[5])),
                    male_score: Some(values[1]),
                    pose: Some(ordered(*order, [values[2], values[3], values[4]])),
                    ..Answers::default()
                });
            }
            Self::YearsAndLogScale => {
                let age_scale_years = Some(scale_years(values[1]));
                return Ok(Answers { age_years: Some(values[0]), age_scale_years, ..Answers::default() });
            }
            Self::Years => return Ok(Answers { age_years: Some(values[0]), ..Answers::default() }),
            Self::MaleScore => return Ok(Answers { male_score: Some(values[0]), ..Answers::default() }),
            Self::YearsAndMaleScore => {
                return Ok(Answers { age_years: Some(values[0]), male_score: Some(values[1]), ..Answers::default() });
            }
            Self::Angles { order } => ordered(*order, [values[0], values[1], values[2]]),
            Self::HopenetBins { order } => {
                let angle = |head| expected_angle(head, HOPENET_FIRST_DEGREES, HOPENET_BIN_DEGREES);
                ordered(*order, heads(values, [HOPENET_BINS; 3]).map(angle))
            }
            Self::Bins { order, bins, first, width } => {
                let heads = heads(values, bins.map(|bins| bins as usize));
                let head = |place: usize| expected_angle(heads[place], first[place], width[place]);
                ordered(*order, [head(0), head(1), head(2)])
            }
            Self::Quaternion { order, axes, maps } => {
                let given = [values[0], values[1], values[2], values[3]].map(f64::from);
                axes::pose(&quaternion_matrix(given, *order)?, axes, *maps)?
            }
            Self::RotationMatrix { axes, maps } => {
                let row =
                    |index: usize| [values[3 * index], values[3 * index + 1], values[3 * index + 2]].map(f64::from);
                let (axes, maps) = axes_or_six_d_rep_net(*axes, *maps);
                axes::pose(&[row(0), row(1), row(2)], &axes, maps)?
            }
            Self::PoseMatrix { columns, axes, maps } => {
                let row = |index: usize| {
                    let start = index * *columns as usize;
                    normalized([values[start], values[start + 1], values[start + 2]].map(f64::from))
                };
                let (x, y) = square(row(0)?, row(1)?)?;
                axes::pose(&[x, y, cross(x, y)], axes, *maps)?
            }
            Self::Rotation6d { axes, maps } => {
                let column = |start: usize| [values[start], values[start + 1], values[start + 2]].map(f64::from);
                let x = normalized(column(0))?;
                let z = normalized(cross(x, column(3)))?;
                let y = cross(z, x);
                let (axes, maps) = axes_or_six_d_rep_net(*axes, *maps);
                axes::pose(&[[x[0], y[0], z[0]], [x[1], y[1], z[1]], [x[2], y[2], z[2]]], &axes, maps)?
            }
            Self::AgeBins { years } => {
                let expected = |value: &dyn Fn(f32) -> f32| expectation(values, |bin| value(years[bin]));
                let mean = expected(&|years| years);
                let variance = expected(&|years| (years - mean).powi(2));
                // A logistic distribution of scale s has the standard deviation pi s / sqrt(3).
                let scale = variance.sqrt() * 3.0_f32.sqrt() / std::f32::consts::PI;
                return Ok(Answers { age_years: Some(mean), age_scale_years: Some(scale), ..Answers::default() });
            }
            Self::GenderClasses { order } => {
                let male = expectation(values, |place| if order[place] == GenderClass::Male { 1.0 } else { 0.0 });
                return Ok(Answers { male_score: Some(male), ..Answers::default() });
            }
        };
        Ok(Answers { pose: Some(pose), ..Answers::default() })
    }
}

/// An age's scale from its logarithm, years. What a network says of a picture that it has never seen the like of stays a
/// scale that an age can have.
fn scale_years(logarithm: f32) -> f32 {
    logarithm.clamp(*LOG_SCALES.start(), *LOG_SCALES.end()).exp()
}

fn ordered(order: [Angle; 3], values: [f32; 3]) -> Pose {
    let mut pose = Pose::default();
    for (angle, value) in order.into_iter().zip(values) {
        match angle {
            Angle::Yaw => pose.yaw = value,
            Angle::Pitch => pose.pitch = value,
            Angle::Roll => pose.roll = value,
        }
    }
    pose
}

/// The numbers of three heads that stand one behind the other.
fn heads(values: &[f32], [first, second, _]: [usize; 3]) -> [&[f32]; 3] {
    let (first, rest) = values.split_at(first.min(values.len()));
    let (second, third) = rest.split_at(second.min(rest.len()));
    [first, second, third]
}

/// The expected angle of one head, degrees: that of its first bin and then bin by bin `width` more.
fn expected_angle(head: &[f32], first: f32, width: f32) -> f32 {
    first + width * expectation(head, |bin| bin as f32)
}

/// The mean of `value` over the bins of one head, by the softmax of its numbers.
fn expectation(head: &[f32], value: impl Fn(usize) -> f32) -> f32 {
    // Some exports end with the softmax, others leave it to the program.
    let sum: f32 = head.iter().sum();
    let is_softmax = (sum - 1.0).abs() < 1e-3 && head.iter().all(|value| *value >= 0.0);
    let largest = head.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weight = |value: f32| if is_softmax { value } else { (value - largest).exp() };
    let (total, moment) = head.iter().enumerate().fold((0.0, 0.0), |(total, moment), (bin, number)| {
        (total + weight(*number), moment + weight(*number) * value(bin))
    });
    moment / total
}

/// The axes of a rotation matrix as the card says; 6DRepNet's where it says nothing.
fn axes_or_six_d_rep_net(axes: Option<Axes>, maps: Option<Maps>) -> (Axes, Maps) {
    axes.map_or(SIX_D_REP_NET, |axes| (axes, maps.unwrap_or_default()))
}

/// The matrix of a quaternion of any length.
fn quaternion_matrix(given: [f64; 4], order: QuaternionOrder) -> Result<[[f64; 3]; 3], String> {
    let length = given.iter().map(|part| part * part).sum::<f64>().sqrt();
    if !(length.is_finite() && length > 1e-8) {
        return Err("the network's output is not a quaternion: all of its numbers are 0".to_owned());
    }
    let [a, b, c, d] = given.map(|part| part / length);
    let (w, x, y, z) = match order {
        QuaternionOrder::Xyzw => (d, a, b, c),
        QuaternionOrder::Wxyz => (a, b, c, d),
    };
    Ok([
        [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
        [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
        [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
    ])
}

/// The two orthogonal unit vectors that are nearest to two unit vectors: each is turned by half of what they lack. Their
/// sum and difference are orthogonal whatever they are.
fn square(x: [f64; 3], y: [f64; 3]) -> Result<([f64; 3], [f64; 3]), String> {
    let pair = |sign: f64| std::array::from_fn(|place| x[place] + sign * y[place]);
    let (sum, difference) = (normalized(pair(1.0))?, normalized(pair(-1.0))?);
    let half = |sign: f64| {
        std::array::from_fn(|place| (sum[place] + sign * difference[place]) * std::f64::consts::FRAC_1_SQRT_2)
    };
    Ok((half(1.0), half(-1.0)))
}

fn cross(a: [f64; 3], b: [f64; 3]) -> [f64; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn normalized(vector: [f64; 3]) -> Result<[f64; 3], String> {
    let length = vector.iter().map(|value| value * value).sum::<f64>().sqrt();
    if length.is_finite() && length > 1e-8 {
        Ok(vector.map(|value| value / length))
    } else {
        Err("the network's output spans no rotation".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::super::axes::Direction;
    use super::*;

    fn near(answers: Answers, yaw: f32, pitch: f32, roll: f32) {
        let pose = answers.pose.unwrap();
        let off = pose.differences(Pose { yaw, pitch, roll });
        assert!(off.iter().all(|off| *off < 1e-3), "{pose:?} is not {yaw}, {pitch}, {roll}");
    }

    /// `Rz(roll) Ry(yaw) Rx(pitch)`, multiplied out by hand, for angles in degrees.
    fn matrix(yaw: f32, pitch: f32, roll: f32) -> [f32; 9] {
        let ((sy, cy), (sp, cp), (sr, cr)) =
            (yaw.to_radians().sin_cos(), pitch.to_radians().sin_cos(), roll.to_radians().sin_cos());
        [
            cr * cy,
            cr * sy * sp - sr * cp,
            cr * sy * cp + sr * sp,
            sr * cy,
            sr * sy * sp + cr * cp,
            sr * sy * cp - cr * sp,
            -sy,
            cy * sp,
            cy * cp,
        ]
    }

    #[test]
    fn years_and_scores_stay_as_they_are() {
        let answers = |age_years, male_score| Ok(Answers { age_years, male_score, ..Answers::default() });
        assert_eq!(OutputForm::Years.decode(&[-3.5]), answers(Some(-3.5), None));
        assert_eq!(OutputForm::MaleScore.decode(&[1.25]), answers(None, Some(1.25)));
        assert_eq!(OutputForm::YearsAndMaleScore.decode(&[31.5, 0.25]), answers(Some(31.5), Some(0.25)));
        let order = [Angle::Yaw, Angle::Roll, Angle::Pitch];
        let all = OutputForm::YearsMaleScoreAndAngles { order }.decode(&[31.5, 0.25, -20.0, 3.0, 7.0]);
        let pose = Some(Pose { yaw: -20.0, pitch: 7.0, roll: 3.0 });
        let expected = Answers { age_years: Some(31.5), male_score: Some(0.25), pose, ..Answers::default() };
        assert_eq!(all, Ok(expected));
        let all = OutputForm::YearsMaleScoreAnglesAndLogScale { order }.decode(&[31.5, 0.25, -20.0, 3.0, 7.0, 1.5]);
        assert_eq!(all, Ok(Answers { age_scale_years: Some(1.5_f32.exp()), ..expected }));
        let years = OutputForm::YearsAndLogScale.decode(&[31.5, 99.0]).unwrap();
        assert_eq!(years.age_scale_years, Some(LOG_SCALES.end().exp()), "a scale that an age can have");
        assert!(OutputForm::Years.decode(&[1.0, 2.0]).unwrap_err().contains("gave 2 numbers"));
        assert!(OutputForm::YearsAndMaleScore.decode(&[1.0]).unwrap_err().contains("form has 2"));
        assert!(OutputForm::RotationMatrix { axes: None, maps: None }.decode(&[1.0]).is_err());
    }

    #[test]
    fn the_mean_is_taken_over_those_that_answer() {
        let age = Answers { age_years: Some(20.0), ..Answers::default() };
        let both = Answers { age_years: Some(30.0), male_score: Some(0.5), ..Answers::default() };
        let pose = |yaw, roll| Answers { pose: Some(Pose { yaw, pitch: 0.0, roll }), ..Answers::default() };
        let mean = Answers::mean(&[age, both, pose(10.0, 0.0), pose(20.0, 0.0)]);
        assert_eq!((mean.age_years, mean.male_score), (Some(25.0), Some(0.5)));
        near(mean, 15.0, 0.0, 0.0);
        // Two models of a head that lies on its back in the picture: not a roll of 0 between 178 and -178.
        near(Answers::mean(&[pose(0.0, 178.0), pose(0.0, -178.0)]), 0.0, 0.0, 180.0);
        // One head that looks aside by 40 degrees, tilted to both sides, is that head in the middle.
        let tilted = [30.0, -30.0].map(|tilt| Pose { yaw: 40.0, pitch: -20.0, roll: 0.0 }.turned(tilt));
        let tilted = tilted.map(|pose| Answers { pose: Some(pose), ..Answers::default() });
        near(Answers::mean(&tilted), 40.0, -20.0, 0.0);
        assert_eq!(Answers::mean(&[]), Answers::default());
        // A range and a chance are of all models or of none.
        let sure = Answers { age_range: Some((25.0, 36.0)), male_chance: Some(0.3), ..both };
        let surer = Answers { age_range: Some((27.0, 34.0)), male_chance: Some(0.1), ..both };
        let mean = Answers::mean(&[sure, surer, pose(10.0, -4.0)]);
        assert_eq!((mean.age_range, mean.male_chance), (Some((26.0, 35.0)), Some(0.2)));
        let mean = Answers::mean(&[sure, both]);
        assert_eq!((mean.age_range, mean.male_chance), (None, None));
    }

    #[test]
    fn angles_come_in_the_order_of_the_card() {
        let order = [Angle::Pitch, Angle::Yaw, Angle::Roll];
        near(OutputForm::Angles { order }.decode(&[1.0, 2.0, 3.0]).unwrap(), 2.0, 1.0, 3.0);
        assert!(OutputForm::Angles { order }.decode(&[1.0, 2.0]).is_err());
    }

    #[test]
    fn hopenet_takes_the_expectation_over_its_bins() {
        let order = [Angle::Yaw, Angle::Pitch, Angle::Roll];
        let mut logits = vec![-50.0; 198];
        // Yaw all in bin 40: 40 * 3 - 99 = 21. Pitch half and half in bins 20 and 21: 20.5 * 3 - 99 = -37.5.
        // Roll a quarter in bin 32, three quarters in bin 34: 33.5 * 3 - 99 = 1.5.
        logits[40] = 10.0;
        (logits[66 + 20], logits[66 + 21]) = (7.0, 7.0);
        (logits[132 + 32], logits[132 + 34]) = (0.0, 3.0_f32.ln());
        near(OutputForm::HopenetBins { order }.decode(&logits).unwrap(), 21.0, -37.5, 1.5);

        let mut softmax = vec![0.0; 198];
        softmax[40] = 1.0;
        (softmax[66 + 20], softmax[66 + 21]) = (0.5, 0.5);
        (softmax[132 + 32], softmax[132 + 34]) = (0.25, 0.75);
        near(OutputForm::HopenetBins { order }.decode(&softmax).unwrap(), 21.0, -37.5, 1.5);
    }

    #[test]
    fn a_rotation_matrix_gives_its_angles_back() {
        let form = OutputForm::RotationMatrix { axes: None, maps: None };
        near(form.decode(&[1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]).unwrap(), 0.0, 0.0, 0.0);
        // A quarter turn about z alone: x becomes y, which is roll +90.
        near(form.decode(&[0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]).unwrap(), 0.0, 0.0, 90.0);
        for (yaw, pitch, roll) in [(30.0, 0.0, 0.0), (0.0, -20.0, 0.0), (-45.0, 25.0, 15.0), (80.0, -60.0, -170.0)] {
            near(form.decode(&matrix(yaw, pitch, roll)).unwrap(), yaw, pitch, roll);
        }
        assert!(form.decode(&[0.0; 9]).is_err());
    }

    #[test]
    fn six_numbers_are_made_orthonormal_first() {
        let m = matrix(-45.0, 25.0, 15.0);
        let (x, y) = ([m[0], m[3], m[6]], [m[1], m[4], m[7]]);
        // Any length of the first, and any share of it in the second, make no difference.
        let six = [3.0 * x[0], 3.0 * x[1], 3.0 * x[2], y[0] + x[0], y[1] + x[1], y[2] + x[2]];
        near(OutputForm::Rotation6d { axes: None, maps: None }.decode(&six).unwrap(), -45.0, 25.0, 15.0);
        assert!(OutputForm::Rotation6d { axes: None, maps: None }.decode(&[1.0, 0.0, 0.0, 2.0, 0.0, 0.0]).is_err());
    }

    /// `Rx(20) Ry(40) Rz(15)` multiplied out with numpy: the head of yaw 40, pitch -20, roll 15 in facelens's axes.
    const HEAD: [[f32; 3]; 3] =
        [[0.739_942, -0.198_267, 0.642_788], [0.455_566, 0.850_773, -0.262_003], [-0.494_92, 0.486_699, 0.719_846]];
    const OPEN_CV: Axes = [Direction::Right, Direction::Down, Direction::Away];
    const OPEN_GL: Axes = [Direction::Right, Direction::Up, Direction::Towards];

    fn is_head(form: &OutputForm, values: &[f32]) -> bool {
        let pose = form.decode(values).unwrap().pose.unwrap();
        pose.rotation().angle_to(Pose { yaw: 40.0, pitch: -20.0, roll: 15.0 }.rotation()) < 1e-3
    }

    #[test]
    fn the_head_of_the_tests_is_geometrys() {
        let own = Pose { yaw: 40.0, pitch: -20.0, roll: 15.0 }.rotation().matrix();
        for (own, hand) in own.iter().flatten().zip(HEAD.iter().flatten()) {
            assert!((own - f64::from(*hand)).abs() < 1e-6);
        }
    }

    #[test]
    fn a_quaternion_is_read_in_its_order_and_its_axes() {
        // The product of the three half-angle quaternions, with numpy; any length will do.
        let [w, x, y, z] = [0.909_747, 0.205_744, 0.312_644, 0.179_674].map(|part: f32| 3.0 * part);
        let form = |order, axes| OutputForm::Quaternion { order, axes, maps: Maps::HeadToCamera };
        assert!(is_head(&form(QuaternionOrder::Xyzw, OPEN_CV), &[x, y, z, w]));
        assert!(is_head(&form(QuaternionOrder::Wxyz, OPEN_CV), &[w, x, y, z]));
        assert!(is_head(&form(QuaternionOrder::Wxyz, OPEN_CV), &[-w, -x, -y, -z]), "the same rotation");
        // y and z turned round; in a left-handed system (z alone) x and y turn the other way.
        assert!(is_head(&form(QuaternionOrder::Wxyz, OPEN_GL), &[w, x, -y, -z]));
        let left_handed = [Direction::Right, Direction::Down, Direction::Towards];
        assert!(is_head(&form(QuaternionOrder::Wxyz, left_handed), &[w, -x, -y, z]));
        for order in [QuaternionOrder::Xyzw, QuaternionOrder::Wxyz] {
            for axes in [OPEN_CV, OPEN_GL, left_handed] {
                let right = order == QuaternionOrder::Xyzw && axes == OPEN_CV;
                assert_eq!(is_head(&form(order, axes), &[x, y, z, w]), right, "{order:?}, {axes:?}");
            }
        }
        let inverse = OutputForm::Quaternion { order: QuaternionOrder::Wxyz, axes: OPEN_CV, maps: Maps::CameraToHead };
        assert!(is_head(&inverse, &[w, -x, -y, -z]) && !is_head(&inverse, &[w, x, y, z]));
        assert!(form(QuaternionOrder::Xyzw, OPEN_CV).decode(&[0.0; 4]).unwrap_err().contains("not a quaternion"));
    }

    #[test]
    fn bins_of_any_count_begin_and_width_give_their_expected_angle() {
        // 4, 3 and 5 bins. Roll: half in -30, half in 60: 15. Yaw: 0.4 in 0, 0.6 in 66.667: 40. Pitch runs downwards.
        let order = [Angle::Roll, Angle::Yaw, Angle::Pitch];
        let form = |order, width| OutputForm::Bins { order, bins: [4, 3, 5], first: [-30.0, 0.0, 20.0], width };
        let width = [30.0, 66.666_67, -20.0];
        let values = [0.5, 0.0, 0.0, 0.5, 0.4, 0.6, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0];
        assert!(is_head(&form(order, width), &values));
        // As they leave the last layer: logarithms plus any number.
        let logits = values.map(|share: f32| if share > 0.0 { share.ln() + 7.0 } else { -60.0 });
        assert!(is_head(&form(order, width), &logits));
        assert!(!is_head(&form([Angle::Yaw, Angle::Roll, Angle::Pitch], width), &values));
        assert!(!is_head(&form(order, [30.0, 66.666_67, 20.0]), &values), "the bins go up");
        // Hopenet's by its own numbers.
        let order = [Angle::Yaw, Angle::Pitch, Angle::Roll];
        let hopenet = OutputForm::Bins { order, bins: [66; 3], first: [-99.0; 3], width: [3.0; 3] };
        let values: Vec<f32> = (0..198).map(|place| (place as f32 * 0.7).sin() * 3.0).collect();
        assert_eq!(hopenet.decode(&values), OutputForm::HopenetBins { order }.decode(&values));
    }

    #[test]
    fn a_pose_matrix_of_any_size_is_read_by_its_first_two_rows() {
        let form = |columns, axes| OutputForm::PoseMatrix { columns, axes, maps: Maps::HeadToCamera };
        // y and z turned round: the signs of their rows and columns.
        let sign = |row: usize, column: usize| if (row == 0) == (column == 0) { 1.0 } else { -1.0 };
        let scaled = |row: usize, column: usize| 4e-4 * sign(row, column) * HEAD[row][column];
        let mut four: Vec<f32> =
            (0..3).flat_map(|row| [scaled(row, 0), scaled(row, 1), scaled(row, 2), 60.0 + row as f32]).collect();
        let three: Vec<f32> = (0..3).flat_map(|row| [0, 1, 2].map(|column| scaled(row, column))).collect();
        assert!(is_head(&form(4, OPEN_GL), &four) && is_head(&form(3, OPEN_GL), &three));
        assert!(!is_head(&form(4, OPEN_CV), &four));
        assert!(!is_head(&OutputForm::PoseMatrix { columns: 4, axes: OPEN_GL, maps: Maps::CameraToHead }, &four));
        four[8..].fill(9.0);
        assert!(is_head(&form(4, OPEN_GL), &four), "the third row does not count");
        // Rows that are not orthogonal: each is turned by half of what is lacking.
        let skew = [1.0, 0.1, 0.0, 0.1, 1.0, 0.0, 0.0, 0.0, 0.0];
        near(form(3, OPEN_CV).decode(&skew).unwrap(), 0.0, 0.0, 0.0);
        assert!(form(3, OPEN_CV).decode(&[0.0; 9]).is_err());
        assert!(form(3, OPEN_CV).decode(&[1.0; 9]).is_err(), "rows that lie in one line");
    }

    #[test]
    fn matrices_and_two_columns_are_read_in_the_axes_of_the_card() {
        let rows = HEAD.as_flattened();
        let columns: Vec<f32> = [0, 1].iter().flat_map(|&column| HEAD.map(|row| 2.0 * row[column])).collect();
        let (axes, maps) = (Some(OPEN_CV), Some(Maps::HeadToCamera));
        assert!(is_head(&OutputForm::RotationMatrix { axes, maps }, rows));
        assert!(is_head(&OutputForm::RotationMatrix { axes, maps: None }, rows));
        assert!(is_head(&OutputForm::Rotation6d { axes, maps: None }, &columns));
        for (axes, maps) in [(None, None), (Some(OPEN_GL), maps), (axes, Some(Maps::CameraToHead))] {
            assert!(!is_head(&OutputForm::RotationMatrix { axes, maps }, rows), "{axes:?}, {maps:?}");
            assert!(!is_head(&OutputForm::Rotation6d { axes, maps }, &columns), "{axes:?}, {maps:?}");
        }
        // 6DRepNet's own axes, said in words.
        let (axes, maps) = (Some(OPEN_GL), Some(Maps::CameraToHead));
        assert!(is_head(&OutputForm::RotationMatrix { axes, maps }, &matrix(40.0, -20.0, 15.0)));
        assert!(is_head(&OutputForm::RotationMatrix { axes: None, maps: None }, &matrix(40.0, -20.0, 15.0)));
    }

    #[test]
    fn ages_and_genders_are_expected_over_their_classes() {
        let form = OutputForm::AgeBins { years: vec![0.25, 1.0, 50.0] };
        // 0.25 * 0.2 + 1 * 0.3 + 50 * 0.5 = 25.35; the variance 0.2 * 25.1^2 + 0.3 * 24.35^2 + 0.5 * 24.65^2 = 607.6875.
        let sharp = form.decode(&[0.2, 0.3, 0.5]).unwrap();
        assert!((sharp.age_years.unwrap() - 25.35).abs() < 1e-4, "{sharp:?}");
        let scale = 607.687_5_f32.sqrt() * 3.0_f32.sqrt() / std::f32::consts::PI;
        assert!((sharp.age_scale_years.unwrap() - scale).abs() < 1e-3, "{sharp:?}");
        let logits = form.decode(&[0.2_f32.ln() + 4.0, 0.3_f32.ln() + 4.0, 0.5_f32.ln() + 4.0]).unwrap();
        assert!((logits.age_years.unwrap() - 25.35).abs() < 1e-3);
        assert!(form.decode(&[1.0; 2]).is_err());

        let male =
            |order, values: [f32; 2]| OutputForm::GenderClasses { order }.decode(&values).unwrap().male_score.unwrap();
        assert!((male([GenderClass::Female, GenderClass::Male], [0.3, 0.7]) - 0.7).abs() < 1e-6);
        assert!((male([GenderClass::Male, GenderClass::Female], [0.3, 0.7]) - 0.3).abs() < 1e-6);
        // A difference of ln 4 between the logits is four to one.
        assert!((male([GenderClass::Female, GenderClass::Male], [2.0, 2.0 + 4.0_f32.ln()]) - 0.8).abs() < 1e-5);
    }
}
