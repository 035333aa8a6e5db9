//! What a series of answers says of an age.

use super::super::age::{GaitAge, Stage};

/// Below this age a walker is a child, years.
pub const CHILD_BELOW: f32 = 16.0;
/// From this age on a walker is older, years.
pub const OLDER_FROM: f32 = 65.0;
/// Share of the distribution that the range of a [`GaitAge`] holds.
const COVERAGE: f32 = 0.8;

/// The distribution of an age that the answers q_1 to q_K to "has the walker lived k years?" make.
///
/// q_k is the chance to be older than t, averaged over the year from k - 1 to k. Its sum is therefore the expected age, for
/// E\[A\] = ∫ P(A > t) dt; and p_k = q_k - q_(k+1), with q_0 = 1 and q_(K+1) = 0, is the mass around k years.
#[derive(Clone, Debug, PartialEq)]
pub struct AgeDistribution {
    /// Falling, 0 to 1.
    answers: Vec<f32>,
}

impl AgeDistribution {
    /// The distribution of these answers. Answers that contradict each other (networks that answer each question for itself) are
    /// sorted, which keeps their sum and is never further from the truth (V. Chernozhukov, I. Fernández-Val, A. Galichon,
    /// "Improving point and interval estimators of monotone functions by rearrangement", Biometrika 96, 2009).
    ///
    /// `None` without answers, or where one is no number.
    pub fn new(answers: &[f32]) -> Option<Self> {
        if answers.is_empty() || answers.iter().any(|q| q.is_nan()) {
            return None;
        }
        let mut answers: Vec<f32> = answers.iter().map(|q| q.clamp(0.0, 1.0)).collect();
        answers.sort_by(|a, b| b.total_cmp(a));
        Some(Self { answers })
    }

    /// The mean of two distributions; `None` where one has more questions.
    pub fn mean(&self, other: &Self) -> Option<Self> {
        let pairs = self.answers.iter().zip(&other.answers);
        (self.answers.len() == other.answers.len())
            .then(|| Self { answers: pairs.map(|(a, b)| (a + b) / 2.0).collect() })
    }

    /// The answers, falling.
    pub fn answers(&self) -> &[f32] {
        &self.answers
    }

    /// The expected age, years.
    pub fn years(&self) -> f32 {
        self.answers.iter().sum()
    }

    /// The mass around 0, 1, ... K years; together 1.
    pub fn masses(&self) -> Vec<f32> {
        let before = std::iter::once(1.0).chain(self.answers.iter().copied());
        let after = self.answers.iter().copied().chain(std::iter::once(0.0));
        before.zip(after).map(|(before, after)| before - after).collect()
    }

    /// Where the chance to be older is known: at the birth, in the middle of each year, and behind the last one.
    fn known(&self) -> impl Iterator<Item = (f32, f32)> + '_ {
        let last = self.answers.len() as f32;
        let years = self.answers.iter().enumerate().map(|(index, &q)| (index as f32 + 0.5, q));
        std::iter::once((0.0, 1.0)).chain(years).chain(std::iter::once((last, 0.0)))
    }

    /// The chance to be older than this, linear between the middles of the years.
    pub fn older_than(&self, years: f32) -> f32 {
        let mut before = (0.0, 1.0);
        for next in self.known() {
            if next.0 >= years {
                let width = next.0 - before.0;
                let along = if width > 0.0 { ((years - before.0) / width).clamp(0.0, 1.0) } else { 1.0 };
                return before.1 + (next.1 - before.1) * along;
            }
            before = next;
        }
        0.0
    }

    /// The age below which this share of the distribution lies, years.
    pub fn quantile(&self, share: f32) -> f32 {
        let above = 1.0 - share.clamp(0.0, 1.0);
        let mut before = (0.0, 1.0);
        for next in self.known() {
            if next.1 <= above {
                let height = before.1 - next.1;
                let along = if height > 0.0 { (before.1 - above) / height } else { 0.0 };
                return before.0 + (next.0 - before.0) * along;
            }
            before = next;
        }
        before.0
    }

    /// The range that leaves equal shares on both sides and holds `coverage`, years. It need not lie evenly around
    /// [`years`](Self::years).
    pub fn range(&self, coverage: f32) -> (f32, f32) {
        let side = (1.0 - coverage.clamp(0.0, 1.0)) / 2.0;
        (self.quantile(side), self.quantile(1.0 - side))
    }

    /// The part of life that holds at least `least` of the distribution; [`Stage::Unsure`] where none does. `offset_years` is
    /// added to the age.
    pub fn stage(&self, least: f32, offset_years: f32) -> Stage {
        let (grown, older) = (self.older_than(CHILD_BELOW - offset_years), self.older_than(OLDER_FROM - offset_years));
        let masses = [(Stage::Child, 1.0 - grown), (Stage::Adult, grown - older), (Stage::Older, older)];
        let largest = masses.into_iter().max_by(|a, b| a.1.total_cmp(&b.1));
        largest.filter(|(_, mass)| *mass >= least).map_or(Stage::Unsure, |(stage, _)| stage)
    }

    /// The age that it stands for. `offset_years` is added to it, and the stage needs `least_mass`.
    pub fn age(&self, least_mass: f32, offset_years: f32) -> GaitAge {
        let (low, high) = self.range(COVERAGE);
        let moved = |years: f32| (years + offset_years).max(0.0);
        GaitAge {
            years: moved(self.years()),
            low: moved(low),
            high: moved(high),
            stage: self.stage(least_mass, offset_years),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers of a walker whose age is spread evenly from `from` to `to` years.
    fn even(from: f32, to: f32) -> AgeDistribution {
        // The mean over a year of the chance to be older, by small steps.
        let older = |t: f32| ((to - t) / (to - from)).clamp(0.0, 1.0);
        let year = |k: usize| (0..1000).map(|i| older(k as f32 + (i as f32 + 0.5) / 1000.0)).sum::<f32>() / 1000.0;
        AgeDistribution::new(&(0..100).map(year).collect::<Vec<_>>()).unwrap()
    }

    fn near(a: f32, b: f32) -> bool {
        (a - b).abs() < 0.02
    }

    #[test]
    fn the_sum_is_the_expected_age_and_the_range_holds_its_share() {
        for (from, to) in [(30.0, 50.0), (3.25, 8.75), (0.0, 90.0)] {
            let found = even(from, to);
            assert!(near(found.years(), (from + to) / 2.0), "{}", found.years());
            let (low, high) = found.range(0.8);
            let tenth = (to - from) / 10.0;
            assert!((low - from - tenth).abs() < 0.15 && (to - tenth - high).abs() < 0.15, "{low} to {high}");
            assert!(near(found.masses().iter().sum(), 1.0));
        }
    }

    #[test]
    fn an_uneven_distribution_has_an_uneven_range() {
        // Half at 10 years, half spread from 10 to 50: the middle of the range is not the expectation.
        let spread = even(10.0, 50.0);
        let answers: Vec<f32> = (0..100).map(|k| if k < 10 { 1.0 } else { spread.answers()[k] / 2.0 }).collect();
        let found = AgeDistribution::new(&answers).unwrap();
        let (low, high) = found.range(0.8);
        assert!(near(found.years(), 20.0), "{}", found.years());
        assert!(found.years() - low < 11.0 && high - found.years() > 20.0, "{low} to {high}");
        assert!((high - 42.0).abs() < 0.3, "a tenth of all, a fifth of the spread half, lies above: {high}");
    }

    #[test]
    fn one_age_is_one_age() {
        let exactly = |years: f32| {
            let answers: Vec<f32> = (1..=100).map(|k| (years - (k as f32 - 1.0)).clamp(0.0, 1.0)).collect();
            AgeDistribution::new(&answers).unwrap()
        };
        for years in [0.0, 7.5, 34.0, 99.25] {
            let found = exactly(years);
            assert!((found.years() - years).abs() < 1e-4);
            let (low, high) = found.range(0.8);
            assert!(low <= years + 0.51 && high >= years - 0.51 && high - low < 1.65, "{low} to {high} for {years}");
        }
        let masses = exactly(7.0).masses();
        assert_eq!((masses[7], masses[6], masses.len()), (1.0, 0.0, 101));
    }

    #[test]
    fn answers_that_contradict_each_other_are_sorted() {
        let found = AgeDistribution::new(&[0.9, 0.2, 0.6, 1.5]).unwrap();
        assert_eq!(found.answers(), [1.0, 0.9, 0.6, 0.2]);
        assert!(found.masses().iter().all(|mass| *mass >= 0.0));
        assert_eq!(AgeDistribution::new(&[]), None);
        assert_eq!(AgeDistribution::new(&[0.5, f32::NAN]), None);
    }

    #[test]
    fn a_stage_needs_its_mass() {
        assert_eq!(even(4.0, 12.0).stage(0.7, 0.0), Stage::Child);
        assert_eq!(even(20.0, 60.0).stage(0.7, 0.0), Stage::Adult);
        assert_eq!(even(66.0, 90.0).stage(0.7, 0.0), Stage::Older);
        // 40 % of 14 to 19 lie below 16.
        let youth = even(14.0, 19.0);
        assert_eq!((youth.stage(0.7, 0.0), youth.stage(0.55, 0.0)), (Stage::Unsure, Stage::Adult));
        // Weights that count from another birthday.
        assert_eq!(youth.stage(0.7, 5.0), Stage::Adult);
        assert!(near(youth.age(0.7, 5.0).years, 21.5));
        assert!((youth.older_than(16.0) - 0.6).abs() < 0.02, "{}", youth.older_than(16.0));
    }
}
