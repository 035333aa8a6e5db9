//! The range of the age: how many scales down and up hold the wanted share of true ages, by groups of the estimate (split
//! conformal prediction, each side by itself; Romano et al., "Conformalized Quantile Regression", NeurIPS 2019).

use facelens_core::model::RangeAt;

use super::{CalibrationSample, groups, mean, rounded};
use crate::data::AgeRange;

/// Where the groups of estimates end, years.
const ENDS: [f32; 7] = [3.0, 8.0, 14.0, 22.0, 32.0, 44.0, 58.0];
/// How many years an open bin is taken to reach.
const OPEN_BIN_YEARS: f32 = 20.0;
/// The largest factor.
const MOST: f64 = 100.0;

#[derive(Clone, Copy)]
struct AgeTruth {
    years: f32,
    scale: f32,
    age: AgeRange,
    weight: f32,
}

/// One range for each group of estimates; of too few faces none.
pub(super) fn fit(said: &[CalibrationSample], coverage: f32) -> Vec<RangeAt> {
    let known = said.iter().filter_map(|said| {
        let scale = said.answers.age_scale_years.unwrap_or(1.0);
        Some(AgeTruth { years: said.answers.age_years?, scale, age: said.age?, weight: said.weight })
    });
    let known: Vec<AgeTruth> = known.collect();
    // What may lie outside on each side.
    let outside = f64::from(1.0 - coverage) / 2.0;
    let at = |group: &Vec<AgeTruth>| RangeAt {
        years: mean(group.iter().map(|known| known.years)),
        lower: rounded(factor(group, outside, |known, factor| below(known.age, known.years - factor * known.scale))),
        upper: rounded(factor(group, outside, |known, factor| {
            1.0 - below(known.age, known.years + factor * known.scale)
        })),
    };
    groups(&known, &ENDS, |known| known.years).iter().map(at).collect()
}

/// The least factor with which no more than this share lies outside; `lies` tells the share of a face's age that does.
fn factor(group: &[AgeTruth], outside: f64, lies: impl Fn(&AgeTruth, f32) -> f32) -> f64 {
    // One more face than there is: the one that is asked about (Tibshirani et al., "Conformal Prediction Under Covariate
    // Shift", NeurIPS 2019, for weights).
    let whole: f64 = group.iter().map(|known| f64::from(known.weight)).sum();
    let one = whole / group.len().max(1) as f64;
    let most = (outside * (whole + one) - one).max(0.0);
    let (mut low, mut high) = (0.0, MOST);
    for _ in 0..40 {
        let middle = f64::midpoint(low, high);
        let sum: f64 = group.iter().map(|known| f64::from(known.weight * lies(known, middle as f32))).sum();
        if sum <= most { high = middle } else { low = middle }
    }
    high
}

/// Which share of an age lies below so many years: nothing is known of where in its bin it is.
fn below(age: AgeRange, years: f32) -> f32 {
    let max = age.max.unwrap_or(age.min + OPEN_BIN_YEARS);
    if max > age.min {
        ((years - age.min) / (max - age.min)).clamp(0.0, 1.0)
    } else {
        f32::from(u8::from(age.min < years))
    }
}

#[cfg(test)]
mod tests {
    use facelens_core::model::{Answers, Calibration};

    use super::*;

    /// Faces of 20 to 60 whose true age is off by an error that is longer upwards, in scales of 2 years.
    fn skewed(count: usize, width: f32) -> Vec<CalibrationSample> {
        (0..count)
            .map(|place| {
                let years = 20.0 + (place % 40) as f32;
                let share = ((place * 7919) % count) as f32 / count as f32;
                let error = if share < 0.5 { (share - 0.5) * 6.0 } else { (share - 0.5) * 20.0 };
                let truth = years + 2.0 * error;
                let min = (truth / width).floor() * width;
                let age = if width > 0.0 {
                    AgeRange { min, max: Some(min + width) }
                } else {
                    AgeRange { min: truth, max: Some(truth) }
                };
                let answers = Answers { age_years: Some(years), age_scale_years: Some(2.0), ..Answers::default() };
                CalibrationSample { answers, age: Some(age), male: None, weight: 1.0 }
            })
            .collect()
    }

    fn calibration(age: Vec<RangeAt>) -> Calibration {
        Calibration { data: String::new(), coverage: 0.8, age, gender: Vec::new() }
    }

    #[test]
    fn each_side_leaves_its_half_outside() {
        let said = skewed(4000, 0.0);
        let knots = fit(&said, 0.8);
        assert_eq!(knots.len(), 5, "the groups that have faces: {knots:?}");
        for RangeAt { lower, upper, .. } in &knots {
            // Of the errors, evenly from -3 to 0 and from 0 to 10 scales, a tenth lies below -2.4 and above 8.
            assert!((lower - 2.4).abs() < 0.15 && (upper - 8.0).abs() < 0.3, "{knots:?}");
        }
        let calibration = calibration(knots);
        let inside = said.iter().filter(|said| {
            let (low, high) = calibration.range(said.answers.age_years.unwrap(), Some(2.0)).unwrap();
            (low..=high).contains(&said.age.unwrap().min)
        });
        let share = inside.count() as f32 / said.len() as f32;
        assert!((share - 0.8).abs() < 0.02, "{share}");
    }

    #[test]
    fn bins_say_the_same_as_far_as_they_can() {
        for RangeAt { lower, upper, .. } in fit(&skewed(4000, 2.0), 0.8) {
            assert!((lower - 2.4).abs() < 0.4 && (upper - 8.0).abs() < 0.5, "{lower} {upper}");
        }
    }

    #[test]
    fn faces_that_count_more_are_held_more_often() {
        // Of those of one estimate nine in ten are as old as they look, and one in ten is 10 years older.
        let face = |older: bool, weight: f32| {
            let years = if older { 60.0 } else { 50.0 };
            let answers = Answers { age_years: Some(50.0), age_scale_years: Some(2.0), ..Answers::default() };
            CalibrationSample { answers, age: Some(AgeRange { min: years, max: Some(years) }), male: None, weight }
        };
        let upper = |weight: f32| {
            let older = |place: usize| place.is_multiple_of(10);
            let said = (0..1000).map(|place| face(older(place), if older(place) { weight } else { 1.0 }));
            fit(&said.collect::<Vec<_>>(), 0.75)[0].upper
        };
        // Up to an eighth may lie above.
        assert!(upper(1.0) < 0.01 && upper(1.2) < 0.01, "{} and {}", upper(1.0), upper(1.2));
        assert!((upper(2.0) - 5.0).abs() < 0.01, "{}", upper(2.0));
    }

    #[test]
    fn a_few_faces_make_no_range() {
        assert!(fit(&skewed(40, 0.0), 0.8).is_empty());
        let without = CalibrationSample {
            answers: Answers::default(),
            age: Some(AgeRange { min: 3.0, max: None }),
            male: None,
            weight: 1.0,
        };
        assert!(fit(&[without; 500], 0.8).is_empty());
    }
}
