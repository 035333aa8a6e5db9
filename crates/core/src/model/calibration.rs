//! What makes a network's numbers mean what they say: a range that holds the true age as often as it claims, and a chance
//! that comes true as often. Fitted on faces that the network never saw; the numbers stand in its card.

use serde::{Deserialize, Serialize};

/// The calibration of a card.
///
/// ```toml
/// [calibration]
/// data = "2,494 FairFace validation faces"
/// coverage = 0.8
///
/// [[calibration.age]]     # the range reaches from `years - lower * scale` to `years + upper * scale`
/// years = 30.0            # at this estimate; between two, what lies between
/// lower = 1.9
/// upper = 2.3
///
/// [[calibration.gender]]  # the chance of `male` is `1 / (1 + exp(-slope * (score - 0.5) - offset))`
/// years = 30.0
/// slope = 6.1
/// offset = -0.1
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// The faces that it was fitted on.
    pub data: String,
    /// Share of true ages that lie in the range, 0 to 1.
    #[serde(default = "Calibration::default_coverage")]
    pub coverage: f32,
    /// The age's range, by the estimated age, rising.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub age: Vec<RangeAt>,
    /// The gender's chance, by the estimated age, rising; one for all ages where the model knows none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gender: Vec<ChanceAt>,
}

/// How far the range reaches at an estimated age.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RangeAt {
    /// The estimated age, years.
    pub years: f32,
    /// How far down, in scales of the age's distribution; in years where the network gives no scale.
    pub lower: f32,
    /// How far up, likewise.
    pub upper: f32,
}

/// What makes a chance of a male score at an estimated age (J. Platt, "Probabilistic Outputs for Support Vector
/// Machines", 1999).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChanceAt {
    /// The estimated age, years.
    pub years: f32,
    /// Steepness.
    pub slope: f32,
    /// Added to `slope * (score - 0.5)`.
    pub offset: f32,
}

/// The most knots of each kind.
const MAX_KNOTS: usize = 64;

impl Calibration {
    const fn default_coverage() -> f32 {
        0.8
    }

    /// The range of an age: low and high, years, not below 0. `None` where the card says nothing of the age.
    pub fn range(&self, years: f32, scale_years: Option<f32>) -> Option<(f32, f32)> {
        let [lower, upper] = between(&self.age, years, |knot| (knot.years, [knot.lower, knot.upper]))?;
        let scale = scale_years.unwrap_or(1.0);
        let high = (years + upper * scale).max(0.0);
        Some(((years - lower * scale).clamp(0.0, high), high))
    }

    /// The chance that the face would be labelled male, 0 to 1. `None` where the card says nothing of the gender.
    pub fn chance(&self, male_score: f32, years: Option<f32>) -> Option<f32> {
        let years = years.or_else(|| self.gender.first().map(|knot| knot.years))?;
        let [slope, offset] = between(&self.gender, years, |knot| (knot.years, [knot.slope, knot.offset]))?;
        Some(1.0 / (1.0 + (-slope * (male_score - 0.5) - offset).exp()))
    }

    /// What is wrong with it, in words; `gives_age` where the network gives an age.
    pub(super) fn problems(&self, gives_age: bool) -> Result<(), String> {
        if !(self.coverage > 0.0 && self.coverage < 1.0) {
            return Err(format!("`calibration.coverage` must lie between 0 and 1, but is {}", self.coverage));
        }
        if !self.age.is_empty() && !gives_age {
            return Err("`calibration.age` is for a model that gives an age".to_owned());
        }
        if self.gender.len() > 1 && !gives_age {
            return Err("several `calibration.gender` are for a model that gives an age, too".to_owned());
        }
        let ranges = self.age.iter().map(|knot| [knot.years, knot.lower, knot.upper]).collect::<Vec<_>>();
        let chances = self.gender.iter().map(|knot| [knot.years, knot.slope, knot.offset]).collect::<Vec<_>>();
        for (name, knots) in [("age", ranges), ("gender", chances)] {
            if knots.len() > MAX_KNOTS {
                return Err(format!("`calibration.{name}` has {} entries; {MAX_KNOTS} are allowed", knots.len()));
            }
            if knots.as_flattened().iter().any(|number| !number.is_finite()) {
                return Err(format!("`calibration.{name}` holds a number that is not finite"));
            }
            if knots.windows(2).any(|pair| pair[0][0] >= pair[1][0]) {
                return Err(format!("the `years` of `calibration.{name}` must rise"));
            }
        }
        if self.age.iter().any(|knot| knot.lower < 0.0 || knot.upper < 0.0) {
            return Err("`lower` and `upper` of `calibration.age` must not be below 0".to_owned());
        }
        Ok(())
    }
}

/// What lies between the two knots around a place; beyond the ends what the last knot has. `None` of no knot.
fn between<K>(knots: &[K], at: f32, of: impl Fn(&K) -> (f32, [f32; 2])) -> Option<[f32; 2]> {
    let next = knots.partition_point(|knot| of(knot).0 <= at);
    match (next.checked_sub(1).and_then(|before| knots.get(before)), knots.get(next)) {
        (Some(a), Some(b)) => {
            let ((from, a), (to, b)) = (of(a), of(b));
            let share = (at - from) / (to - from);
            Some([a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])])
        }
        (Some(only), None) | (None, Some(only)) => Some(of(only).1),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibration() -> Calibration {
        Calibration {
            data: "a test".to_owned(),
            coverage: 0.8,
            age: vec![RangeAt { years: 10.0, lower: 1.0, upper: 2.0 }, RangeAt { years: 30.0, lower: 2.0, upper: 4.0 }],
            gender: vec![
                ChanceAt { years: 10.0, slope: 2.0, offset: 0.5 },
                ChanceAt { years: 30.0, slope: 8.0, offset: 0.0 },
            ],
        }
    }

    #[test]
    fn ranges_lie_between_their_knots_and_need_not_be_symmetric() {
        let calibration = calibration();
        assert_eq!(calibration.range(20.0, Some(3.0)), Some((15.5, 29.0)));
        assert_eq!(calibration.range(60.0, Some(3.0)), Some((54.0, 72.0)), "beyond the last knot it is the last");
        assert_eq!(calibration.range(2.0, Some(3.0)), Some((0.0, 8.0)), "nobody is younger than 0");
        assert_eq!(calibration.range(-9.0, Some(1.0)), Some((0.0, 0.0)));
        assert_eq!(calibration.range(20.0, None), Some((18.5, 23.0)), "without a scale they are years");
        let none = Calibration { age: Vec::new(), ..calibration };
        assert_eq!(none.range(20.0, Some(3.0)), None);
    }

    #[test]
    fn a_childs_score_is_worth_less() {
        let calibration = calibration();
        let chance = |score, years| calibration.chance(score, Some(years)).unwrap();
        assert!((chance(1.0, 40.0) - 1.0 / (1.0 + (-4.0_f32).exp())).abs() < 1e-6);
        assert!((chance(0.0, 40.0) + chance(1.0, 40.0) - 1.0).abs() < 1e-6);
        assert!(chance(1.0, 3.0) < chance(1.0, 20.0) && chance(1.0, 20.0) < chance(1.0, 40.0));
        assert_eq!(calibration.chance(0.5, None), calibration.chance(0.5, Some(0.0)));
        assert_eq!(Calibration { gender: Vec::new(), ..calibration }.chance(0.5, Some(30.0)), None);
    }

    #[test]
    fn what_makes_no_sense_is_named() {
        let problem = |change: fn(&mut Calibration)| {
            let mut changed = calibration();
            change(&mut changed);
            changed.problems(true).unwrap_err()
        };
        assert_eq!(calibration().problems(true), Ok(()));
        assert!(calibration().problems(false).unwrap_err().contains("gives an age"));
        assert!(problem(|c| c.coverage = 1.0).contains("coverage"));
        assert!(problem(|c| c.age.swap(0, 1)).contains("must rise"));
        assert!(problem(|c| c.gender[1].years = 10.0).contains("`calibration.gender` must rise"));
        assert!(problem(|c| c.age[0].upper = -1.0).contains("below 0"));
        assert!(problem(|c| c.gender[0].slope = f32::NAN).contains("not finite"));
    }
}
