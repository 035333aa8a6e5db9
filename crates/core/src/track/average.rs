//! What half a minute of looks at one person says together: age with its range, gender with its unsure band.

use std::collections::VecDeque;

use super::{Age, Gender, GenderLabel, GenderNumber};
use crate::estimate::{AgeEstimate, GenderEstimate};

/// Looks closer in time than this are one sample: neighbouring frames of a camera say nearly the same.
const SAMPLE_S: f64 = 0.125;
/// Samples that began longer ago than this count no more, so a wrong start is forgotten whatever the rate of frames is.
const WINDOW_S: f64 = 30.0;
/// Youngest and oldest age that is shown.
const AGES: (f32, f32) = (0.0, 116.0);
/// Of a normal distribution: the standard deviation in mean absolute errors, and half of the width of the range that holds
/// four times out of five, in standard deviations.
const DEVIATION_OF_ERROR: f32 = 1.2533;
const RANGE_OF_DEVIATION: f32 = 1.2816;
/// The error of an age model of which nothing is known, years. The published nets miss unseen faces by 13 to 14 years,
/// good ones by 5 to 6.
const UNKNOWN_ERROR_YEARS: f32 = 10.0;
/// How much the age of one face is taken to scatter from look to look before there are looks enough to tell, years,
/// and how many samples that guess is worth.
const PRIOR_SCATTER_YEARS: f32 = 3.0;
const PRIOR_SAMPLES: f32 = 2.0;
/// Looks at one person under one light err alike: the mean of many is never taken to be better than that of this many.
const MOST_INDEPENDENT: f32 = 4.0;
/// Huber's constant: 95 % efficiency on normal noise (P. J. Huber, "Robust Estimation of a Location Parameter", 1964).
const HUBER: f32 = 1.345;
/// Scatter below this is not told from outliers, years.
const LEAST_SCATTER_YEARS: f32 = 1.5;

#[derive(Clone, Copy, Debug)]
struct WeightedSample {
    start_s: f64,
    value: f32,
    weight: f32,
}

/// The samples of one number from the last half minute.
#[derive(Clone, Debug, Default)]
struct TimeWindow {
    samples: VecDeque<WeightedSample>,
}

impl TimeWindow {
    /// Adds a look; it joins the newest sample where that has only just begun.
    fn add(&mut self, value: f32, weight: f32, now_s: f64) {
        if let Some(newest) = self.samples.back_mut()
            && (0.0..SAMPLE_S).contains(&(now_s - newest.start_s))
        {
            newest.weight += weight;
            newest.value += (value - newest.value) * weight / newest.weight;
            return;
        }
        while self.samples.front().is_some_and(|oldest| now_s - oldest.start_s >= WINDOW_S) {
            self.samples.pop_front();
        }
        self.samples.push_back(WeightedSample { start_s: now_s, value, weight });
    }

    fn weight(&self) -> f32 {
        self.samples.iter().map(|sample| sample.weight).sum()
    }

    /// The weighted median of what `of` makes of each value.
    fn median(&self, of: impl Fn(f32) -> f32) -> Option<f32> {
        let mut values: Vec<(f32, f32)> = self.samples.iter().map(|sample| (of(sample.value), sample.weight)).collect();
        values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let half = self.weight() / 2.0;
        let mut below = 0.0;
        values
            .iter()
            .find(|(_, weight)| {
                below += weight;
                below >= half
            })
            .or(values.last())
            .map(|(value, _)| *value)
    }

    /// Weighted mean; exactly the value where there is one sample.
    fn mean(&self) -> Option<f32> {
        let first = self.samples.front()?.value;
        let sum: f32 = self.samples.iter().map(|sample| sample.weight * (sample.value - first)).sum();
        Some(first + sum / self.weight())
    }

    /// How many equally weighted samples would say as much: (sum w)² / sum w² (Kish 1965).
    fn independent(&self) -> f32 {
        let squares: f32 = self.samples.iter().map(|sample| sample.weight * sample.weight).sum();
        if squares > 0.0 { self.weight().powi(2) / squares } else { 0.0 }
    }
}

/// The age of one person.
#[derive(Clone, Debug, Default)]
pub(super) struct AgeAverage {
    window: TimeWindow,
    /// How far the range of each look that has one reaches down and up from its age.
    lower: TimeWindow,
    upper: TimeWindow,
}

impl AgeAverage {
    /// Adds a look and says what is known now. `error_years` is the mean absolute error of the model, for one that gives no
    /// range. A value that is not finite is left out; `None` where there is no other.
    pub(super) fn add(&mut self, age: AgeEstimate, weight: f32, now_s: f64, error_years: Option<f32>) -> Option<Age> {
        if age.years.is_finite() {
            self.window.add(age.years, weight, now_s);
            if let Some((low, high)) = age.range.filter(|(low, high)| low.is_finite() && high.is_finite()) {
                self.lower.add((age.years - low).max(0.0), weight, now_s);
                self.upper.add((high - age.years).max(0.0), weight, now_s);
            }
        }
        self.age(error_years)
    }

    /// Huber's estimate of location around the weighted median, by reweighting, with the median deviation as scale: a few
    /// looks that are far off (a hand before the face, a grimace) pull by no more than a bounded step each.
    pub(super) fn age(&self, error_years: Option<f32>) -> Option<Age> {
        let median = self.window.median(|value| value)?;
        let scale = 1.4826 * self.window.median(|value| (value - median).abs())?;
        let bound = HUBER * scale.max(LEAST_SCATTER_YEARS);
        let mut years = median;
        let (mut total, mut squares) = (0.0, 0.0);
        for _ in 0..4 {
            let mut pull = 0.0;
            (total, squares) = (0.0, 0.0);
            for sample in &self.window.samples {
                let residual = sample.value - years;
                let weight = sample.weight * (bound / residual.abs()).min(1.0);
                total += weight;
                pull += weight * residual;
                squares += weight * residual * residual;
            }
            years += pull / total.max(f32::MIN_POSITIVE);
        }
        let prior = PRIOR_SAMPLES * total / self.window.samples.len() as f32;
        let scatter_squared = (squares + prior * PRIOR_SCATTER_YEARS.powi(2)) / (total + prior).max(f32::MIN_POSITIVE);
        let of_the_mean = scatter_squared / self.window.independent().clamp(1.0, MOST_INDEPENDENT);
        let error = error_years.filter(|error| error.is_finite()).unwrap_or(UNKNOWN_ERROR_YEARS);
        let shown = |years: f32| years.clamp(AGES.0, AGES.1);
        // The range of a look holds for a look already: what looks differ by is in it.
        let (lower, upper) = self.lower.mean().zip(self.upper.mean()).unwrap_or_else(|| {
            let reach = RANGE_OF_DEVIATION * ((DEVIATION_OF_ERROR * error).powi(2) + of_the_mean).sqrt();
            (reach, reach)
        });
        Some(Age { years: shown(years), low: shown(years - lower), high: shown(years + upper) })
    }
}

/// A mean score inside this band says nothing.
const UNSURE: (f32, f32) = (0.3, 0.7);
/// A label once given is kept until the mean has come this far into the band, so that it does not flicker.
const KEEP: f32 = 0.08;
/// The share of looks on the other side of one half that makes a label unsure, and the share at which it may come back.
const CONTRADICTED: f32 = 0.3;
const SETTLED: f32 = 0.22;

/// The gender of one person.
#[derive(Clone, Debug)]
pub(super) struct GenderAverage {
    window: TimeWindow,
    label: GenderLabel,
    number: GenderNumber,
}

impl Default for GenderAverage {
    fn default() -> Self {
        Self { window: TimeWindow::default(), label: GenderLabel::Unsure, number: GenderNumber::Score }
    }
}

impl GenderAverage {
    /// Adds a look and says what is known now. A number that is not finite is left out; `None` where there is no other.
    /// Chances and scores have no mean: where one follows the other, what was before is forgotten.
    ///
    /// The scores of the published networks saturate at 0 and 1 on most faces, right or wrong, so that only agreement
    /// between looks is taken as a sign of certainty.
    pub(super) fn add(&mut self, look: GenderEstimate, weight: f32, now_s: f64) -> Option<Gender> {
        let (male, number) = match look {
            GenderEstimate::Chance(male) => (male, GenderNumber::Chance),
            GenderEstimate::Score(male) => (male, GenderNumber::Score),
        };
        if male.is_finite() {
            if number != self.number {
                *self = Self { number, ..Self::default() };
            }
            self.window.add(male.clamp(0.0, 1.0), weight, now_s);
            let male = self.window.mean()?.clamp(0.0, 1.0);
            self.label = self.next_label(male);
        }
        self.gender()
    }

    /// What is known now.
    pub(super) fn gender(&self) -> Option<Gender> {
        Some(Gender { label: self.label, male: self.window.mean()?.clamp(0.0, 1.0), number: self.number })
    }

    fn next_label(&self, male: f32) -> GenderLabel {
        let (side, past_the_band) =
            if male > 0.5 { (GenderLabel::Male, male - UNSURE.1) } else { (GenderLabel::Female, UNSURE.0 - male) };
        let against: f32 = self
            .window
            .samples
            .iter()
            .filter(|sample| (sample.value > 0.5) != (male > 0.5))
            .map(|sample| sample.weight)
            .sum();
        let against = against / self.window.weight().max(f32::MIN_POSITIVE);
        let kept = self.label == side;
        let far_enough = past_the_band >= if kept { -KEEP } else { 0.0 };
        let agreed = against <= if kept { CONTRADICTED } else { SETTLED };
        if far_enough && agreed { side } else { GenderLabel::Unsure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::testing::Noise;

    /// Adds one look per sample.
    fn ages(values: impl IntoIterator<Item = f32>) -> (AgeAverage, Age) {
        let mut average = AgeAverage::default();
        let mut age = None;
        for (i, value) in values.into_iter().enumerate() {
            age = average.add(AgeEstimate::plain(value), 0.7, i as f64 * 0.2, Some(6.0));
        }
        (average, age.unwrap())
    }

    #[test]
    fn the_first_look_is_taken_as_it_is_and_ages_are_clamped() {
        assert_eq!(ages([31.234_567]).1.years, 31.234_567);
        assert_eq!(ages([-3.0]).1.years, 0.0);
        assert_eq!(ages([140.0]).1.years, 116.0);
        assert_eq!(AgeAverage::default().add(AgeEstimate::plain(f32::NAN), 1.0, 0.0, None), None);
        assert_eq!(ages([31.0, f32::INFINITY]).1.years, 31.0);
    }

    #[test]
    fn it_converges_to_the_mean_and_outliers_hardly_move_it() {
        let mut noise = Noise::new(2);
        let (_, clean) = ages((0..100).map(|_| 40.0 + 3.0 * noise.gauss()));
        assert!((clean.years - 40.0).abs() < 1.0, "{clean:?}");
        let (_, spoiled) = ages((0..100).map(|i| if i % 5 == 0 { 90.0 } else { 40.0 + 3.0 * noise.gauss() }));
        assert!((spoiled.years - 40.0).abs() < 2.5, "{spoiled:?} (the plain mean would be 50)");
    }

    #[test]
    fn the_range_is_the_models_where_it_gives_one_and_need_not_be_symmetric() {
        let mut average = AgeAverage::default();
        let look = |years: f32| AgeEstimate { years, range: Some((years - 3.0, years + 9.0)) };
        let first = average.add(look(30.0), 0.7, 0.0, Some(20.0)).unwrap();
        assert_eq!(first, Age { years: 30.0, low: 27.0, high: 39.0 });
        // Many frames of a person err alike: the range does not become narrow.
        let last = (1..100).filter_map(|i| average.add(look(30.0), 0.7, f64::from(i) * 0.2, None)).last().unwrap();
        assert!((last.low - 27.0).abs() < 1e-4 && (last.high - 39.0).abs() < 1e-4, "{last:?}");
        let old = AgeAverage::default().add(look(115.0), 0.7, 0.0, None).unwrap();
        assert_eq!((old.low, old.high), (112.0, 116.0), "nobody is older");
    }

    #[test]
    fn looks_with_more_weight_count_more() {
        let mut average = AgeAverage::default();
        let mut age = None;
        for i in 0..20 {
            let (years, weight) = if i % 2 == 0 { (30.0, 1.0) } else { (33.0, 0.1) };
            age = average.add(AgeEstimate::plain(years), weight, f64::from(i) * 0.2, None);
        }
        assert!(age.unwrap().years < 30.6, "{age:?}");
    }

    #[test]
    fn a_wrong_start_is_followed_slowly_and_forgotten_in_the_end() {
        let (mut average, _) = ages((0..100).map(|_| 30.0));
        let mut age = None;
        for i in 0..240 {
            age = average.add(AgeEstimate::plain(60.0), 0.7, 20.0 + f64::from(i) * 0.2, Some(6.0));
            assert!(i != 14 || age.unwrap().years < 32.0, "after 3 s: {age:?}");
        }
        assert!((age.unwrap().years - 60.0).abs() < 1e-3, "{age:?}");
    }

    /// At whatever rate looks come, 40 s after a change nothing of what was before counts, and 20 s after it something does.
    #[test]
    fn half_a_minute_is_half_a_minute_at_every_rate() {
        for every_s in [0.033, 0.125, 0.5, 2.0, 8.0] {
            let mut average = AgeAverage::default();
            let mut now_s = 0.0;
            let mut look = |years: f32, until_s: f64| {
                let mut age = None;
                while now_s < until_s {
                    age = average.add(AgeEstimate::plain(years), 0.7, now_s, Some(6.0));
                    now_s += every_s;
                }
                age.unwrap()
            };
            look(20.0, 120.0);
            let soon = look(60.0, 130.0);
            assert!(soon.years < 59.0, "one look each {every_s} s: {soon:?} after 10 s");
            let later = look(60.0, 160.0);
            assert!((later.years - 60.0).abs() < 1e-3, "one look each {every_s} s: {later:?} after 40 s");
        }
        let (average, _) = ages((0..2000).map(|_| 30.0));
        let count = average.window.samples.len();
        assert!((150..=151).contains(&count), "{count} samples in 30 s of looks each 0.2 s");
    }

    #[test]
    fn without_a_models_range_it_is_that_of_its_error_and_tells_of_scatter() {
        let half = |age: Age| {
            assert!((age.high - age.years - (age.years - age.low)).abs() < 1e-4, "{age:?}");
            age.high - age.years
        };
        let mut noise = Noise::new(4);
        let calm = ages((0..50).map(|_| 40.0 + noise.gauss())).1;
        let wild = ages((0..50).map(|_| 40.0 + 15.0 * noise.gauss())).1;
        // A mean error of 6 years is one of at most 9.64 four times out of five, if errors are normally distributed.
        assert!(half(calm) >= 9.63 && half(calm) < 10.2, "{calm:?}");
        assert!(half(wild) > half(calm) + 2.0, "{wild:?}");
        let first = ages([40.0]).1;
        assert!(half(first) > half(calm), "one look knows less than fifty: {first:?}");
        let unknown = AgeAverage::default().add(AgeEstimate::plain(40.0), 1.0, 0.0, None).unwrap();
        assert!(half(unknown) >= 1.6 * UNKNOWN_ERROR_YEARS, "{unknown:?}");
    }

    fn genders(scores: impl IntoIterator<Item = f32>) -> Vec<Gender> {
        let mut average = GenderAverage::default();
        let look = |(i, score)| average.add(GenderEstimate::Score(score), 0.5, i as f64 * 0.2).unwrap();
        scores.into_iter().enumerate().map(look).collect()
    }

    #[test]
    fn clear_scores_get_a_label_at_once_and_scores_outside_0_to_1_are_clamped() {
        let score = |label, male| Gender { label, male, number: GenderNumber::Score };
        assert_eq!(genders([0.08])[0], score(GenderLabel::Female, 0.08));
        assert_eq!(genders([1.3])[0], score(GenderLabel::Male, 1.0));
        assert_eq!(genders([0.55])[0].label, GenderLabel::Unsure);
        assert_eq!(GenderAverage::default().add(GenderEstimate::Score(f32::NAN), 1.0, 0.0), None);
    }

    #[test]
    fn saturated_scores_that_contradict_each_other_are_unsure() {
        let last = *genders((0..40).map(|i| if i % 5 < 2 { 1.0 } else { 0.0 })).last().unwrap();
        assert_eq!(last.label, GenderLabel::Unsure);
        assert!((last.male - 0.4).abs() < 0.01);
    }

    #[test]
    fn a_chance_has_no_mean_with_a_score() {
        let mut average = GenderAverage::default();
        average.add(GenderEstimate::Score(1.0), 0.5, 0.0);
        let gender = average.add(GenderEstimate::Chance(0.1), 0.5, 0.2).unwrap();
        assert_eq!(gender, Gender { label: GenderLabel::Female, male: 0.1, number: GenderNumber::Chance });
        let gender = average.add(GenderEstimate::Chance(0.3), 0.5, 0.4).unwrap();
        assert!((gender.male - 0.2).abs() < 1e-6, "{gender:?}");
    }

    #[test]
    fn a_label_at_the_edge_of_the_band_does_not_flicker() {
        let mut noise = Noise::new(8);
        let labels: Vec<_> = genders((0..400).map(|_| 0.27 + 0.12 * noise.gauss())).iter().map(|g| g.label).collect();
        let changes = labels[20..].windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!(changes <= 2, "{changes} changes");
    }
}
