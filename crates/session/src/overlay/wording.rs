//! What a label says. A wide range and an unsure gender are never worded as a sure estimate.

use facelens_core::geometry::Pose;
use facelens_core::track::{Age, Gender, GenderLabel, GenderNumber};

/// A range that is wider than this, in years, is only said in rough numbers.
const ROUGH_YEARS: f32 = 20.0;

/// A range that is wider than this, in years, says nothing.
const UNSURE_YEARS: f32 = 50.0;

/// A part of a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
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

/// `female, 9 in 10` where the number is a chance, `female` where it is a score, or `gender unsure`.
pub fn gender(gender: Gender) -> Words {
    let (name, chance) = match gender.label {
        GenderLabel::Female => ("female", 1.0 - gender.male),
        GenderLabel::Male => ("male", gender.male),
        GenderLabel::Unsure => return Words::unsure("gender unsure"),
    };
    match gender.number {
        // Never all of ten: nobody is that sure.
        GenderNumber::Chance => Words::sure(format!("{name}, {} in 10", ((chance * 10.0).round() as i32).clamp(0, 9))),
        GenderNumber::Score => Words::sure(name),
    }
}

/// The range in which the age is: `age 25–43`; `age about 20 to 50` where it is wide, `age unsure` where it is so wide that
/// nothing is known.
pub fn age(age: Age) -> Words {
    let (low, high) = (age.low, age.high.max(1.0));
    let width = high - low;
    // Said this way round, so that numbers that are none end here too.
    if !(age.years.is_finite() && (0.0..=UNSURE_YEARS).contains(&width)) {
        return Words::unsure("age unsure");
    }
    if width <= ROUGH_YEARS {
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

    fn said(low: f32, high: f32) -> Words {
        age(Age { years: (low + high) / 2.0, low, high })
    }

    #[test]
    fn an_age_is_said_as_the_range_that_it_is_in() {
        assert_eq!(said(25.0, 43.0), Words::sure("age 25–43"));
        assert_eq!(said(29.4, 37.8), Words::sure("age 29–38"));
        assert_eq!(said(34.1, 34.3), Words::sure("age 34"));
        assert_eq!(said(0.0, 13.0), Words::sure("age under 14"));
        assert_eq!(said(0.0, 0.0), Words::sure("age under 2"));
        let uneven = age(Age { years: 40.0, low: 38.0, high: 55.0 });
        assert_eq!(uneven, Words::sure("age 38–55"), "the range need not lie evenly around the age");
    }

    #[test]
    fn a_wide_range_looks_unsure() {
        assert_eq!(said(20.1, 47.9), Words::unsure("age about 20 to 50"));
        assert_eq!(said(0.0, 21.0), Words::unsure("age about 0 to 20"));
        assert_eq!(said(4.0, 64.0), Words::unsure("age unsure"));
        for end in [f32::NAN, f32::INFINITY] {
            assert_eq!(said(34.0, end), Words::unsure("age unsure"));
            assert_eq!(said(-end, 34.0), Words::unsure("age unsure"));
        }
        assert_eq!(said(40.0, 30.0), Words::unsure("age unsure"), "ends that are swapped say nothing");
        assert_eq!(age(Age { years: f32::NAN, low: 3.0, high: 4.0 }), Words::unsure("age unsure"));
    }

    #[test]
    fn numbers_beyond_all_sense_are_said_all_the_same() {
        for years in [3e9, -3e9, f32::MAX, f32::MIN] {
            for spread in [0.0, 5.0, 13.0] {
                assert!(said(years - spread, years + spread).text.starts_with("age "), "{years} {spread}");
            }
        }
    }

    #[test]
    fn an_unsure_gender_is_said_to_be_unsure_whatever_its_score() {
        for number in [GenderNumber::Chance, GenderNumber::Score] {
            let unsure = Gender { label: GenderLabel::Unsure, male: 1.0, number };
            assert_eq!(gender(unsure), Words::unsure("gender unsure"));
        }
    }

    #[test]
    fn a_chance_is_said_in_tenths_and_a_score_never() {
        let say = |label, male, number| gender(Gender { label, male, number }).text;
        let chance = |label, male| say(label, male, GenderNumber::Chance);
        assert_eq!(chance(GenderLabel::Female, 0.08), "female, 9 in 10");
        assert_eq!(chance(GenderLabel::Female, 0.3), "female, 7 in 10");
        assert_eq!(chance(GenderLabel::Male, 0.84), "male, 8 in 10");
        assert_eq!(chance(GenderLabel::Male, 1.0), "male, 9 in 10");
        assert_eq!(say(GenderLabel::Male, 0.84, GenderNumber::Score), "male");
    }

    #[test]
    fn angles_are_whole_degrees_without_a_negative_zero() {
        let pose = Pose { yaw: -12.4, pitch: 3.49, roll: -0.4 };
        let said = |pose| angles(pose).map(|(name, figure)| format!("{name} {figure}"));
        assert_eq!(said(pose), ["yaw −12°", "pitch 3°", "roll 0°"]);
        assert_eq!(said(Pose { yaw: f32::NAN, ..pose })[0], "yaw –");
    }
}
