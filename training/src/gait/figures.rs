//! How well ages by gait are told.

use std::fmt;

use facelens_gait::{AgeDistribution, CHILD_BELOW, OLDER_FROM, Stage};
use serde::{Deserialize, Serialize};

use super::set::GaitSample;
use crate::train::history::EpochFigures;

/// First ages of the groups that are looked at one by one, years.
const GROUPS: [f32; 6] = [0.0, 6.0, 12.0, CHILD_BELOW, 40.0, OLDER_FROM];
/// Share of the true ages that the range should hold.
const COVERAGE: f32 = 0.8;
/// Share of the distribution that a stage must hold to be named here.
const LEAST_MASS: f32 = 0.7;

/// What is said of a sample.
#[derive(Clone, Debug, PartialEq)]
pub struct GaitAgeEstimate {
    /// The age.
    pub age: AgeDistribution,
    /// The chance of a man.
    pub male: Option<f32>,
}

/// How well the ages and genders of some samples are told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GaitFigures {
    /// How many samples have an age.
    pub ages: usize,
    /// Their mean absolute error, years: to the exact age, or the distance to the interval.
    pub mae: Option<f64>,
    /// The error of who says the mean age of these samples of everybody.
    pub mean_mae: Option<f64>,
    /// Share of exact ages, or of intervals that it touches, in the 80 % range.
    pub coverage: Option<f64>,
    /// Mean width of that range, years.
    pub width: Option<f64>,
    /// Share of stages that are named (at 0.7 of the distribution).
    pub stage_named: Option<f64>,
    /// Share of right ones among those.
    pub stage_right: Option<f64>,
    /// Share of people of 18 and older who are called a child.
    pub grown_called_child: Option<f64>,
    /// Share of right genders.
    pub gender_accuracy: Option<f64>,
    /// The same by groups of the true age: first age, how many, error, error of who says the mean, coverage.
    pub groups: Vec<GroupFigures>,
}

/// One group of ages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupFigures {
    /// The group: `6 to 12`.
    pub group: String,
    /// How many.
    pub ages: usize,
    /// Mean absolute error, years.
    pub mae: f64,
    /// The error of who says the mean age of all samples.
    pub mean_mae: f64,
    /// Share of ages in the 80 % range.
    pub coverage: f64,
}

/// An age that is known to an interval with both ends.
#[derive(Clone, Copy)]
struct KnownAge {
    min: f32,
    max: f32,
}

impl KnownAge {
    fn of(sample: &GaitSample) -> Option<Self> {
        sample.age_min.zip(sample.age_max).map(|(min, max)| Self { min, max })
    }

    fn middle(self) -> f32 {
        f32::midpoint(self.min, self.max)
    }

    fn off(self, years: f32) -> f64 {
        f64::from((self.min - years).max(years - self.max).max(0.0))
    }
}

/// What the estimates of these samples are worth.
pub fn figures(samples: &[&GaitSample], estimates: &[GaitAgeEstimate]) -> GaitFigures {
    let pairs = samples.iter().zip(estimates);
    let known: Vec<(KnownAge, &GaitAgeEstimate)> =
        pairs.clone().filter_map(|(sample, estimate)| Some((KnownAge::of(sample)?, estimate))).collect();
    let mean = mean(known.iter().map(|(known, _)| f64::from(known.middle())));
    let mean_age = mean.unwrap_or_default() as f32;
    let of = |value: &dyn Fn(&(KnownAge, &GaitAgeEstimate)) -> f64| self::mean(known.iter().map(value));
    let held = |(known, estimate): &(KnownAge, &GaitAgeEstimate)| {
        let (low, high) = estimate.age.range(COVERAGE);
        if low <= known.max && high >= known.min { 1.0 } else { 0.0 }
    };
    let stages: Vec<(Stage, Stage)> = known
        .iter()
        .filter_map(|(known, estimate)| Some((true_stage(*known)?, estimate.age.stage(LEAST_MASS, 0.0))))
        .collect();
    let named: Vec<_> = stages.iter().filter(|(_, said)| *said != Stage::Unsure).collect();
    let share = |yes: bool| if yes { 1.0 } else { 0.0 };
    let grown = known.iter().filter(|(known, _)| known.min >= 18.0);
    let genders = pairs.filter_map(|(sample, estimate)| {
        let (truth, said) = sample.male.zip(estimate.male)?;
        (truth != 0.5).then(|| share((truth > 0.5) == (said > 0.5)))
    });
    let group = |index: usize| {
        let (from, to) = (GROUPS[index], GROUPS.get(index + 1).copied());
        let inside = |known: &KnownAge| known.middle() >= from && to.is_none_or(|to| known.middle() < to);
        let own: Vec<_> = known.iter().filter(|(known, _)| inside(known)).collect();
        (!own.is_empty()).then(|| GroupFigures {
            group: to.map_or_else(|| format!("{from} and older"), |to| format!("{from} to {to}")),
            ages: own.len(),
            mae: self::mean(own.iter().map(|(known, estimate)| known.off(estimate.age.years()))).unwrap_or_default(),
            mean_mae: self::mean(own.iter().map(|(known, _)| known.off(mean_age))).unwrap_or_default(),
            coverage: self::mean(own.iter().map(|pair| held(pair))).unwrap_or_default(),
        })
    };
    GaitFigures {
        ages: known.len(),
        mae: of(&|(known, estimate)| known.off(estimate.age.years())),
        mean_mae: of(&|(known, _)| known.off(mean_age)),
        coverage: of(&held),
        width: of(&|(_, estimate)| {
            let (low, high) = estimate.age.range(COVERAGE);
            f64::from(high - low)
        }),
        stage_named: self::mean(stages.iter().map(|(_, said)| share(*said != Stage::Unsure))),
        stage_right: self::mean(named.iter().map(|(truth, said)| share(truth == said))),
        grown_called_child: self::mean(
            grown.map(|(_, estimate)| share(estimate.age.stage(LEAST_MASS, 0.0) == Stage::Child)),
        ),
        gender_accuracy: self::mean(genders),
        groups: (0..GROUPS.len()).filter_map(group).collect(),
    }
}

/// The stage of an age, where its interval lies in one.
fn true_stage(known: KnownAge) -> Option<Stage> {
    let of = |age: f32| match age {
        age if age < CHILD_BELOW => Stage::Child,
        age if age < OLDER_FROM => Stage::Adult,
        _ => Stage::Older,
    };
    (of(known.min) == of(known.max)).then(|| of(known.min))
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}

impl EpochFigures for GaitFigures {
    fn cells(&self) -> Vec<(&'static str, f64)> {
        let cells = [
            ("mae", self.mae),
            ("mean_mae", self.mean_mae),
            ("coverage", self.coverage),
            ("width", self.width),
            ("stage_named", self.stage_named),
            ("stage_right", self.stage_right),
            ("grown_called_child", self.grown_called_child),
            ("gender_accuracy", self.gender_accuracy),
        ];
        cells.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

impl fmt::Display for GaitFigures {
    /// In one line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(mae), Some(mean_mae)) = (self.mae, self.mean_mae) else { return f.write_str("no ages") };
        write!(f, "{mae:.2} years (the mean {mean_mae:.2})")?;
        if let (Some(coverage), Some(width)) = (self.coverage, self.width) {
            write!(f, ", {:.0} % in a range of {width:.1}", coverage * 100.0)?;
        }
        if let (Some(right), Some(named)) = (self.stage_right, self.stage_named) {
            write!(f, ", stage {:.1} % right of {:.0} % named", right * 100.0, named * 100.0)?;
        }
        if let Some(gender) = self.gender_accuracy {
            write!(f, ", gender {:.1} %", gender * 100.0)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An age that is surely this.
    fn surely(years: f32) -> AgeDistribution {
        let answers: Vec<f32> = (0..100).map(|k| (years - k as f32).clamp(0.0, 1.0)).collect();
        AgeDistribution::new(&answers).unwrap()
    }

    fn sample(min: f32, max: f32, male: f32) -> GaitSample {
        GaitSample { age_min: Some(min), age_max: Some(max), male: Some(male), ..GaitSample::default() }
    }

    #[test]
    fn errors_by_hand() {
        let samples = [
            sample(5.0, 5.0, 1.0),
            sample(30.0, 30.0, 0.0),
            sample(20.0, 25.0, 1.0),
            sample(75.0, 75.0, 0.0),
            GaitSample::default(),
        ];
        let said = [(8.0, 0.9), (8.0, 0.8), (22.0, 0.4), (75.0, 0.1), (50.0, 0.5)];
        let estimates: Vec<_> =
            said.map(|(years, male)| GaitAgeEstimate { age: surely(years), male: Some(male) }).into_iter().collect();
        let found = figures(&samples.iter().collect::<Vec<_>>(), &estimates);
        // Errors 3, 22, 0, 0; the mean of 5, 30, 22.5 and 75 is 33.125.
        assert_eq!((found.ages, found.mae), (4, Some(25.0 / 4.0)));
        assert!((found.mean_mae.unwrap() - (28.125 + 3.125 + 8.125 + 41.875) / 4.0).abs() < 1e-4);
        assert_eq!((found.coverage, found.grown_called_child), (Some(0.5), Some(1.0 / 3.0)));
        assert_eq!((found.stage_named, found.stage_right, found.gender_accuracy), (Some(1.0), Some(0.75), Some(0.5)));
        let groups: Vec<_> = found.groups.iter().map(|group| (group.group.as_str(), group.ages, group.mae)).collect();
        assert_eq!(groups, [("0 to 6", 1, 3.0), ("16 to 40", 2, 11.0), ("65 and older", 1, 0.0)]);
        assert!(found.to_string().starts_with("6.25 years (the mean 20.31), 50 % in a range of "), "{found}");
    }

    #[test]
    fn without_ages_there_are_no_figures() {
        let found = figures(&[&GaitSample::default()], &[GaitAgeEstimate { age: surely(3.0), male: None }]);
        assert_eq!(found, GaitFigures::default());
        assert_eq!((found.to_string(), found.cells().len()), ("no ages".to_owned(), 0));
    }
}
