//! Turns the numbers that a network gives into years, a male score or a head pose.

use std::ops::RangeInclusive;

use super::card::{Angle, OutputForm};
use super::task::Task;
use crate::geometry::{Pose, Rotation};

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
            Self::Years | Self::YearsAndLogScale => &[Task::Age],
            Self::MaleScore => &[Task::Gender],
            Self::YearsAndMaleScore => &[Task::Age, Task::Gender],
            Self::YearsMaleScoreAndAngles { .. } | Self::YearsMaleScoreAnglesAndLogScale { .. } => &Task::ALL,
            Self::Angles { .. } | Self::HopenetBins { .. } | Self::RotationMatrix | Self::Rotation6d => &[Task::Pose],
        }
    }

    /// How many numbers it is made of, all outputs together.
    pub const fn len(&self) -> usize {
        match self {
            Self::Years | Self::MaleScore => 1,
            Self::YearsAndMaleScore | Self::YearsAndLogScale => 2,
            Self::Angles { .. } => 3,
            Self::YearsMaleScoreAndAngles { .. } => 5,
            Self::YearsMaleScoreAnglesAndLogScale { .. } => 6,
            Self::HopenetBins { .. } => 3 * HOPENET_BINS,
            Self::RotationMatrix => 9,
            Self::Rotation6d => 6,
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
    /// - Hopenet (Ruiz et al. 2018, arXiv:1710.00925, section 3.2): expectation over the bins, `3 sum(i p_i) - 99`
    ///   with `p` the softmax of the head.
    /// - Rotation matrix `R = Rz(roll) Ry(yaw) Rx(pitch)` and 6D rotation: as 6DRepNet (Hempel et al. 2022,
    ///   arXiv:2202.12555; the two columns are made orthonormal by Zhou et al. 2019, arXiv:1812.07035, equation 15).
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
                let mut heads = values.chunks_exact(HOPENET_BINS).map(hopenet_angle);
                let mut next = || heads.next().unwrap_or_default();
                ordered(*order, [next(), next(), next()])
            }
            Self::RotationMatrix => {
                let row = |index: usize| [values[3 * index], values[3 * index + 1], values[3 * index + 2]];
                six_d_rep_net_pose([row(0), row(1), row(2)])?
            }
            Self::Rotation6d => {
                let x = normalized([values[0], values[1], values[2]])?;
                let z = normalized(cross(x, [values[3], values[4], values[5]]))?;
                let y = cross(z, x);
                six_d_rep_net_pose([[x[0], y[0], z[0]], [x[1], y[1], z[1]], [x[2], y[2], z[2]]])?
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

/// The expected angle of one head, degrees.
fn hopenet_angle(head: &[f32]) -> f32 {
    // Some exports end with the softmax, the published program takes it afterwards.
    let sum: f32 = head.iter().sum();
    let is_softmax = (sum - 1.0).abs() < 1e-3 && head.iter().all(|value| *value >= 0.0);
    let largest = head.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let weight = |value: f32| if is_softmax { value } else { (value - largest).exp() };
    let (total, moment) = head.iter().enumerate().fold((0.0, 0.0), |(total, moment), (bin, value)| {
        (total + weight(*value), moment + weight(*value) * bin as f32)
    });
    moment / total * HOPENET_BIN_DEGREES + HOPENET_FIRST_DEGREES
}

/// The pose that 6DRepNet's matrix `M = Rz(roll) Ry(yaw) Rx(pitch)` stands for, rows first.
///
/// M holds 300W-LP's angles in an order that is not theirs. The head's rotation is `Rx(-pitch) Ry(yaw) Rz(roll)`, which is
/// M transposed in a mirror: transposing turns the order and all signs round, the mirror those of yaw and roll once more.
fn six_d_rep_net_pose(r: [[f32; 3]; 3]) -> Result<Pose, String> {
    let length = |row: [f32; 3]| row.iter().map(|value| value * value).sum::<f32>();
    if !r.into_iter().all(|row| (length(row) - 1.0).abs() < 0.1) {
        return Err("the network's output is no rotation matrix".to_owned());
    }
    Ok(Rotation::from_matrix(&r.map(|row| row.map(f64::from))).inverse().mirrored().into())
}

fn cross(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

fn normalized(vector: [f32; 3]) -> Result<[f32; 3], String> {
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length.is_finite() && length > 1e-8 {
        Ok(vector.map(|value| value / length))
    } else {
        Err("the network's output spans no rotation".to_owned())
    }
}

#[cfg(test)]
mod tests {
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
        assert!(OutputForm::RotationMatrix.decode(&[1.0]).is_err());
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
        let form = OutputForm::RotationMatrix;
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
        near(OutputForm::Rotation6d.decode(&six).unwrap(), -45.0, 25.0, 15.0);
        assert!(OutputForm::Rotation6d.decode(&[1.0, 0.0, 0.0, 2.0, 0.0, 0.0]).is_err());
    }
}
