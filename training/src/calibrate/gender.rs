//! The chance of a gender: a logistic regression on the score, by groups of the estimated age (J. Platt, "Probabilistic
//! Outputs for Support Vector Machines", 1999, with his targets and Newton's steps).

use facelens_core::model::ChanceAt;

use super::{CalibrationSample, groups, mean, rounded};

/// Where the groups of estimated ages end, years: children's faces say little of a gender.
const ENDS: [f32; 4] = [4.0, 10.0, 16.0, 45.0];
const STEPS: usize = 50;
/// Keeps the steepness of a score that parts a small group wholly from growing without an end.
const RIDGE: f64 = 0.02;

#[derive(Clone, Copy)]
struct GenderSample {
    score: f32,
    years: Option<f32>,
    male: bool,
}

/// One chance for each group of estimated ages, or one for all where the model gives no age; of too few faces none.
pub(super) fn fit(said: &[CalibrationSample]) -> Vec<ChanceAt> {
    let known = said.iter().filter_map(|said| {
        Some(GenderSample { score: said.answers.male_score?, years: said.answers.age_years, male: said.male? })
    });
    let known: Vec<GenderSample> = known.collect();
    let ends: &[f32] = if known.iter().all(|known| known.years.is_some()) { &ENDS } else { &[] };
    let at = |group: &Vec<GenderSample>| {
        let (slope, offset) = platt(group);
        ChanceAt {
            years: mean(group.iter().filter_map(|known| known.years)),
            slope: rounded(slope),
            offset: rounded(offset),
        }
    };
    groups(&known, ends, |known| known.years.unwrap_or_default()).iter().map(at).collect()
}

/// The slope and the offset under which the labels are likeliest.
fn platt(group: &[GenderSample]) -> (f64, f64) {
    let males = group.iter().filter(|known| known.male).count() as f64;
    let females = group.len() as f64 - males;
    // Not 1 and 0: as if one more of each had been seen.
    let (yes, no) = ((males + 1.0) / (males + 2.0), 1.0 / (females + 2.0));
    let (mut slope, mut offset) = (1.0, 0.0);
    for _ in 0..STEPS {
        let (mut gradient, mut hessian) = ([RIDGE * slope, 0.0], [RIDGE, 0.0, 1e-9]);
        for known in group {
            let x = f64::from(known.score) - 0.5;
            let chance = 1.0 / (1.0 + (-slope * x - offset).exp());
            let error = chance - if known.male { yes } else { no };
            let weight = chance * (1.0 - chance);
            gradient = [gradient[0] + error * x, gradient[1] + error];
            hessian = [hessian[0] + weight * x * x, hessian[1] + weight * x, hessian[2] + weight];
        }
        let determinant = hessian[0] * hessian[2] - hessian[1] * hessian[1];
        let step = [
            (hessian[2] * gradient[0] - hessian[1] * gradient[1]) / determinant,
            (hessian[0] * gradient[1] - hessian[1] * gradient[0]) / determinant,
        ];
        if !step.iter().all(|part| part.is_finite()) {
            break;
        }
        // Far from the best a whole step may lead away from it.
        let size = step.iter().map(|part| part.abs()).fold(0.0, f64::max);
        let part = (4.0 / size.max(1e-12)).min(1.0);
        (slope, offset) = (slope - part * step[0], offset - part * step[1]);
        if size < 1e-7 {
            break;
        }
    }
    (slope, offset)
}

#[cfg(test)]
mod tests {
    use facelens_core::model::Answers;

    use super::*;

    /// Faces of which so many in a hundred are male as a logistic curve says of their score.
    fn faces(count: usize, years: f32, slope: f32, offset: f32) -> Vec<CalibrationSample> {
        (0..count)
            .map(|place| {
                let score = (place % 100) as f32 / 100.0;
                let chance = 1.0 / (1.0 + (-slope * (score - 0.5) - offset).exp());
                let draw = (place / 100) as f32 / (count / 100) as f32 + 0.5 / (count / 100) as f32;
                let answers = Answers { age_years: Some(years), male_score: Some(score), ..Answers::default() };
                CalibrationSample { answers, age: None, male: Some(draw < chance), weight: 1.0 }
            })
            .collect()
    }

    #[test]
    fn each_age_group_has_its_own_curve() {
        let said = [faces(10_000, 2.0, 1.0, 0.3), faces(10_000, 30.0, 6.0, -0.5)].concat();
        let knots = fit(&said);
        assert_eq!(knots.len(), 2);
        assert_eq!((knots[0].years, knots[1].years), (2.0, 30.0));
        for (knot, (slope, offset)) in knots.iter().zip([(1.0, 0.3), (6.0, -0.5)]) {
            assert!((knot.slope - slope).abs() < 0.15 && (knot.offset - offset).abs() < 0.08, "{knots:?}");
        }
    }

    #[test]
    fn a_score_that_is_never_wrong_gives_a_steep_curve_and_no_infinity() {
        let mut said = faces(200, 30.0, 6.0, 0.0);
        for said in &mut said {
            said.male = said.answers.male_score.map(|score| score >= 0.5);
        }
        let knots = fit(&said);
        assert!(knots[0].slope.is_finite() && knots[0].slope > 10.0 && knots[0].offset.abs() < 3.0, "{knots:?}");
        for said in &mut said {
            said.answers.age_years = None;
        }
        assert_eq!(fit(&said).len(), 1, "a model without an age has one curve");
        assert!(fit(&said[..20]).is_empty());
    }
}
