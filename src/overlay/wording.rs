//! What a label says. A large spread and an unsure gender are never worded as a sure estimate.

use crate::geometry::Pose;
use crate::track::{Age, Gender, GenderLabel};

/// An age whose spread is larger than this, in years, is only said in rough numbers.
const ROUGH_SPREAD_YEARS: f32 = 10.0;

/// An age whose spread is larger than this, in years, says nothing.
const UNSURE_SPREAD_YEARS: f32 = 25.0;

/// A part of a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Words {
    /// What is said.
    pub text: String,
    /// Said with reserve: to be shown less prominently.
    pub unsure: bool,
}

impl Words {
    fn sure(text: impl Into<String>) -> Self {
        Self { text: text.into(), unsure: false }
    }

    fn unsure(text: impl Into<String>) -> Self {
        Self { text: text.into(), unsure: true }
    }
}

/// `female`, `male` or `gender unsure`.
pub(crate) fn gender(gender: Gender) -> Words {
    match gender.label {
        GenderLabel::Female => Words::sure("female"),
        GenderLabel::Male => Words::sure("male"),
        GenderLabel::Unsure => Words::unsure("gender unsure"),
    }
}

/// The range in which the age is: `age 25–43`; `age about 20 to 50` where the spread is large, `age unsure` where it is
/// so large that nothing is known.
pub(crate) fn age(age: Age) -> Words {
    let spread = age.spread.abs();
    // Said this way round, so that numbers that are none end here too.
    if !(age.years.is_finite() && spread <= UNSURE_SPREAD_YEARS) {
        return Words::unsure("age unsure");
    }
    let (low, high) = (age.years - spread, (age.years + spread).max(1.0));
    if spread <= ROUGH_SPREAD_YEARS {
        let (low, high) = (low.round() as i32, high.round() as i32);
        match (low, high) {
            (..=0, _) => Words::sure(format!("age under {}", high + 1)),
            _ if low == high => Words::sure(format!("age {low}")),
            _ => Words::sure(format!("age {low}–{high}")),
        }
    } else {
        let fives = |years: f32| ((years / 5.0).round() * 5.0) as i32;
        let (low, high) = (fives(low), fives(high));
        if low <= 0 {
            Words::unsure(format!("age about 0 to {high}"))
        } else {
            Words::unsure(format!("age about {low} to {high}"))
        }
    }
}

/// Name and figure of yaw, pitch and roll, in whole degrees, so that they do not flicker.
pub(super) fn angles(pose: Pose) -> [(&'static str, String); 3] {
    [("yaw", pose.yaw), ("pitch", pose.pitch), ("roll", pose.roll)].map(|(name, degrees)| (name, degree(degrees)))
}

/// The widest figure that [`angles`] gives, but for heads that look backwards.
pub(super) const WIDEST_ANGLE: &str = "−88°";

fn degree(degrees: f32) -> String {
    if !degrees.is_finite() {
        return "–".to_owned();
    }
    let whole = degrees.round() as i32;
    if whole < 0 { format!("−{}°", whole.unsigned_abs()) } else { format!("{whole}°") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(years: f32, spread: f32) -> Words {
        age(Age { years, spread })
    }

    #[test]
    fn an_age_is_said_as_the_range_that_it_is_in() {
        assert_eq!(said(34.0, 9.0), Words::sure("age 25–43"));
        assert_eq!(said(33.6, 4.2), Words::sure("age 29–38"));
        assert_eq!(said(34.2, 0.1), Words::sure("age 34"));
        assert_eq!(said(5.0, 8.0), Words::sure("age under 14"));
        assert_eq!(said(0.0, 0.0), Words::sure("age under 2"));
    }

    #[test]
    fn a_large_spread_looks_unsure() {
        assert_eq!(said(34.0, 13.9), Words::unsure("age about 20 to 50"));
        assert_eq!(said(8.0, 13.0), Words::unsure("age about 0 to 20"));
        assert_eq!(said(34.0, 30.0), Words::unsure("age unsure"));
        for spread in [f32::NAN, f32::INFINITY] {
            assert_eq!(said(34.0, spread), Words::unsure("age unsure"));
        }
        assert_eq!(said(f32::NAN, 3.0), Words::unsure("age unsure"));
    }

    #[test]
    fn numbers_beyond_all_sense_are_said_all_the_same() {
        for years in [3e9, -3e9, f32::MAX, f32::MIN] {
            for spread in [0.0, 5.0, 13.0] {
                assert!(said(years, spread).text.starts_with("age "), "{years} {spread}");
            }
        }
    }

    #[test]
    fn an_unsure_gender_is_said_to_be_unsure_whatever_its_score() {
        let say = |label| gender(Gender { label, male: 1.0 });
        assert_eq!(say(GenderLabel::Unsure), Words::unsure("gender unsure"));
        assert_eq!(say(GenderLabel::Female), Words::sure("female"));
        assert_eq!(say(GenderLabel::Male), Words::sure("male"));
    }

    #[test]
    fn angles_are_whole_degrees_without_a_negative_zero() {
        let pose = Pose { yaw: -12.4, pitch: 3.49, roll: -0.4 };
        let said = |pose| angles(pose).map(|(name, figure)| format!("{name} {figure}"));
        assert_eq!(said(pose), ["yaw −12°", "pitch 3°", "roll 0°"]);
        assert_eq!(said(Pose { yaw: f32::NAN, ..pose })[0], "yaw –");
    }
}
