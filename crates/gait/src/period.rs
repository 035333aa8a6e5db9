//! How long a stride takes, from silhouettes and feet at any capture times.

use super::sample::WalkSample;
use super::{GEI_HEIGHT, GEI_WIDTH};

/// The grid that samples are brought to, seconds.
const STEP_S: f64 = 1.0 / 30.0;
/// Shortest and longest stride: a child that runs, and somebody very slow.
const STRIDES_S: std::ops::RangeInclusive<f64> = 0.6..=1.9;
/// So many strides must be seen before a stride's length is believed.
const SEEN_STRIDES: f64 = 1.5;
/// Less than this shows nothing, seconds: the stride of a grown person would be longer than all that can be found, and a chance peak beside
/// the step would be taken for it.
const LEAST_SEEN_S: f64 = 1.6;
/// Sides of the blocks that silhouettes are averaged over: fine enough for legs and arms.
const BLOCK: usize = 4;
/// What half a stride counts: from the side silhouettes come again with every step.
const HALF_WEIGHT: f64 = 0.5;
/// What left and right foot count.
const FEET_WEIGHT: f64 = 0.5;
/// A shorter stride is taken where its score comes this near to the best: two strides are alike, too.
const NEAR_BEST: f64 = 0.85;
/// Least correlation of silhouettes, or of feet, one stride apart.
const LEAST_LIKENESS: f64 = 0.4;
const LEAST_FEET_LIKENESS: f64 = 0.5;
/// Least score of a stride. A step taken for a stride has less: half of it is the middle of a step, unlike everything.
const LEAST_SCORE: f64 = 0.8;
/// Less than this changes in somebody who stands: variances of all blocks together, and of both feet's distances.
const SHAPES_FLOOR: f64 = 1e-2;
const FEET_FLOOR: f64 = 2e-5;
/// Ankles that are farther apart than this, standard deviation in heights, are seen from the side.
const ASIDE: f32 = 0.06;

/// The length of a stride.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Period {
    /// Seconds from a heel strike to the next of the same foot.
    pub stride_s: f64,
    /// How alike frames are that lie a stride apart, up to 1.
    pub likeness: f64,
}

/// The length of a stride in these samples, which come in the order of their times; `None` where there is no rhythm, or fewer
/// than one and a half strides.
///
/// The normalised autocorrelation of the silhouettes has a peak at the step from the side, where left and right look alike, and
/// one at the stride from everywhere. The signed distances of the left from the right foot change their sign with each step: their
/// autocorrelation is high at the stride and low at half of it. The sum of both tells steps from strides.
pub(super) fn stride_period(samples: &[WalkSample]) -> Option<Period> {
    let (first, last) = (samples.first()?.time_s, samples.last()?.time_s);
    let longest = ((last - first) / SEEN_STRIDES).min(*STRIDES_S.end());
    if last - first < LEAST_SEEN_S {
        return None;
    }
    let lags = (longest / STEP_S).ceil() as usize + 1;
    let shapes = Series::new(samples, blocks).autocorrelation(lags, SHAPES_FLOOR);
    let feet = if are_named(samples) {
        let feet = Series::new(samples, |sample| vec![sample.figure.ankles_apart, sample.figure.heels_apart]);
        feet.autocorrelation(lags, FEET_FLOOR)
    } else {
        vec![0.0; lags + 1]
    };
    let score = |lag: usize| {
        let half = lag as f64 / 2.0;
        shapes[lag] + HALF_WEIGHT * between(&shapes, half) + FEET_WEIGHT * (feet[lag] - between(&feet, half))
    };
    let scores: Vec<f64> = (0..=lags).map(score).collect();
    let from = (STRIDES_S.start() / STEP_S).round() as usize;
    let to = (longest / STEP_S).floor() as usize;
    let is_peak = |lag: &usize| scores[*lag] >= scores[*lag - 1] && scores[*lag] >= scores[*lag + 1];
    let likely = |lag: &usize| shapes[*lag] >= LEAST_LIKENESS || feet[*lag] >= LEAST_FEET_LIKENESS;
    let sure = |lag: &usize| scores[*lag] >= LEAST_SCORE;
    let peaks: Vec<usize> = (from..=to).filter(is_peak).filter(likely).filter(sure).collect();
    let best = peaks.iter().map(|&lag| scores[lag]).fold(f64::MIN, f64::max);
    let lag = *peaks.iter().find(|&&lag| scores[lag] >= NEAR_BEST * best)?;
    Some(Period { stride_s: (lag as f64 + top_of(&scores, lag)) * STEP_S, likeness: shapes[lag].max(feet[lag]) })
}

/// Whether left and right keep their names. From the side the network may take whichever foot is in front for the same one; the
/// distance of the ankles never changes its sign then.
fn are_named(samples: &[WalkSample]) -> bool {
    let n = samples.len() as f32;
    let mean = samples.iter().map(|sample| sample.figure.ankles_apart).sum::<f32>() / n;
    let deviation = (samples.iter().map(|sample| (sample.figure.ankles_apart - mean).powi(2)).sum::<f32>() / n).sqrt();
    deviation < ASIDE || mean.abs() < deviation
}

/// The length of a stride by the outlines alone, where nobody saw the feet. From the side outlines come again with every step, too;
/// a step of the shortest stride's length or more, which only the slowest take, is therefore taken for a stride.
pub(super) fn outline_period(samples: &[WalkSample]) -> Option<Period> {
    let (first, last) = (samples.first()?.time_s, samples.last()?.time_s);
    let longest = ((last - first) / SEEN_STRIDES).min(*STRIDES_S.end());
    let lags = (longest / STEP_S).ceil() as usize + 1;
    let shapes = Series::new(samples, blocks).autocorrelation(lags, SHAPES_FLOOR);
    let from = (STRIDES_S.start() / STEP_S).round() as usize;
    let to = (longest / STEP_S).floor() as usize;
    let is_peak = |lag: &usize| shapes[*lag] >= shapes[*lag - 1] && shapes[*lag] >= shapes[*lag + 1];
    let peaks: Vec<usize> = (from..=to).filter(is_peak).filter(|lag| shapes[*lag] >= LEAST_LIKENESS).collect();
    let best = peaks.iter().map(|&lag| shapes[lag]).fold(f64::MIN, f64::max);
    let lag = *peaks.iter().find(|&&lag| shapes[lag] >= NEAR_BEST * best)?;
    Some(Period { stride_s: (lag as f64 + top_of(&shapes, lag)) * STEP_S, likeness: shapes[lag] })
}

/// Where the parabola through a peak and its neighbours is highest, from the peak, at most half a place.
fn top_of(scores: &[f64], lag: usize) -> f64 {
    let (before, here, after) = (scores[lag - 1], scores[lag], scores[lag + 1]);
    let bend = before - 2.0 * here + after;
    if bend < 0.0 { ((before - after) / (2.0 * bend)).clamp(-0.5, 0.5) } else { 0.0 }
}

/// A value between two places.
fn between(values: &[f64], place: f64) -> f64 {
    let below = place.floor() as usize;
    let share = place - below as f64;
    values[below] * (1.0 - share) + values.get(below + 1).copied().unwrap_or(0.0) * share
}

/// A silhouette as the means of its blocks.
fn blocks(sample: &WalkSample) -> Vec<f32> {
    let (columns, rows) = (GEI_WIDTH / BLOCK, GEI_HEIGHT / BLOCK);
    let mut means = vec![0.0; columns * rows];
    for (place, value) in sample.silhouette.pixels().iter().enumerate() {
        means[place / GEI_WIDTH / BLOCK * columns + place % GEI_WIDTH / BLOCK] += value;
    }
    means
}

/// Rows of numbers at even times, each column without its mean and its trend.
struct Series {
    rows: Vec<Vec<f32>>,
}

impl Series {
    fn new(samples: &[WalkSample], features: impl Fn(&WalkSample) -> Vec<f32>) -> Self {
        let known: Vec<(f64, Vec<f32>)> = samples.iter().map(|sample| (sample.time_s, features(sample))).collect();
        let (Some((first, _)), Some((last, _))) = (known.first(), known.last()) else {
            return Self { rows: Vec::new() };
        };
        let count = ((last - first) / STEP_S).floor() as usize + 1;
        let mut next = 1;
        let mut rows: Vec<Vec<f32>> = Vec::with_capacity(count);
        for place in 0..count {
            let time = first + place as f64 * STEP_S;
            while next + 1 < known.len() && known[next].0 < time {
                next += 1;
            }
            let ((before, a), (after, b)) = (&known[next - 1], &known[next.min(known.len() - 1)]);
            let share = if after > before { ((time - before) / (after - before)).clamp(0.0, 1.0) as f32 } else { 0.0 };
            rows.push(a.iter().zip(b).map(|(a, b)| a + (b - a) * share).collect());
        }
        let mut series = Self { rows };
        series.take_trend();
        series
    }

    /// Takes the line of least squares from each column: a walker who turns or comes nearer changes slowly.
    fn take_trend(&mut self) {
        let n = self.rows.len() as f32;
        let columns = self.rows.first().map_or(0, Vec::len);
        let middle = (n - 1.0) / 2.0;
        let spread: f32 = (0..self.rows.len()).map(|place| (place as f32 - middle).powi(2)).sum();
        for column in 0..columns {
            let mean = self.rows.iter().map(|row| row[column]).sum::<f32>() / n;
            let along: f32 =
                self.rows.iter().enumerate().map(|(place, row)| (place as f32 - middle) * (row[column] - mean)).sum();
            let slope = if spread > 0.0 { along / spread } else { 0.0 };
            for (place, row) in self.rows.iter_mut().enumerate() {
                row[column] -= mean + slope * (place as f32 - middle);
            }
        }
    }

    /// The normalised autocorrelation at 0 to `lags` places, -1 to 1; 0 where a row's square is below `floor` in the mean.
    fn autocorrelation(&self, lags: usize, floor: f64) -> Vec<f64> {
        let product = |a: &[f32], b: &[f32]| f64::from(a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>());
        let energy: Vec<f64> = self.rows.iter().map(|row| product(row, row)).collect();
        (0..=lags)
            .map(|lag| {
                let Some(pairs) = self.rows.len().checked_sub(lag).filter(|pairs| *pairs > 0) else { return 0.0 };
                let common: f64 = self.rows.iter().zip(&self.rows[lag..]).map(|(a, b)| product(a, b)).sum();
                let (early, late): (f64, f64) = (energy[..pairs].iter().sum(), energy[lag..].iter().sum());
                let whole = (early * late).sqrt();
                if whole > floor * pairs as f64 { common / whole } else { 0.0 }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{View, walk};

    fn stride(samples: &[WalkSample]) -> f64 {
        stride_period(samples).map_or(f64::NAN, |period| period.stride_s)
    }

    #[test]
    fn the_stride_and_not_the_step_is_found_from_all_sides_and_at_all_speeds() {
        for view in [View::Side, View::Front] {
            for seconds in [0.75, 0.95, 1.1, 1.35, 1.6] {
                let samples = walk(view, seconds, &even_times(30.0, 4.0));
                let found = stride(&samples);
                assert!((found / seconds - 1.0).abs() < 0.03, "{view:?}, {seconds} s: {found}");
            }
        }
    }

    #[test]
    fn without_feet_a_side_view_still_tells_the_stride() {
        let mut samples = walk(View::Side, 1.1, &even_times(30.0, 4.0));
        for sample in &mut samples {
            (sample.figure.ankles_apart, sample.figure.heels_apart) = (0.0, 0.0);
        }
        assert!((stride(&samples) / 1.1 - 1.0).abs() < 0.03, "{}", stride(&samples));
    }

    #[test]
    fn feet_whose_names_change_at_each_step_do_not_halve_the_stride() {
        for seconds in [1.1, 1.5] {
            let mut samples = walk(View::Side, seconds, &even_times(30.0, 4.0));
            for sample in &mut samples {
                let figure = &mut sample.figure;
                (figure.ankles_apart, figure.heels_apart) = (figure.ankles_apart.abs(), figure.heels_apart.abs());
            }
            assert!((stride(&samples) / seconds - 1.0).abs() < 0.03, "{}", stride(&samples));
        }
    }

    #[test]
    fn few_and_uneven_frames_are_put_on_their_own_times() {
        let ten = walk(View::Side, 1.2, &even_times(10.0, 4.0));
        assert!((stride(&ten) / 1.2 - 1.0).abs() < 0.05, "{}", stride(&ten));
        // Every third frame comes late, and some are missing.
        let mut uneven: Vec<f64> = even_times(30.0, 4.0);
        uneven.iter_mut().step_by(3).for_each(|time| *time += 0.013);
        let uneven: Vec<f64> =
            uneven.into_iter().enumerate().filter(|(i, _)| i % 7 != 0 && i % 11 != 3).map(|(_, t)| t).collect();
        let uneven = walk(View::Side, 1.05, &uneven);
        assert!((stride(&uneven) / 1.05 - 1.0).abs() < 0.03, "{}", stride(&uneven));
    }

    #[test]
    fn who_stands_or_is_seen_too_shortly_has_no_stride() {
        let mut standing = walk(View::Side, 1.1, &even_times(30.0, 4.0));
        let first = standing[0].clone();
        for sample in &mut standing {
            *sample = WalkSample { time_s: sample.time_s, ..first.clone() };
        }
        assert_eq!(stride_period(&standing), None);
        assert_eq!(stride_period(&walk(View::Side, 1.1, &even_times(30.0, 1.4))), None);
        assert_eq!(stride_period(&[]), None);
    }

    fn even_times(fps: f64, seconds: f64) -> Vec<f64> {
        (0..(fps * seconds) as usize).map(|frame| frame as f64 / fps).collect()
    }
}
