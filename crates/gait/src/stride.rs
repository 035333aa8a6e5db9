//! Whole strides cut out of a walker's samples as they come.

use std::collections::VecDeque;
use std::time::Duration;

use super::gei::Gei;
use super::measures::Measures;
use super::period::{Period, stride_period};
use super::sample::WalkSample;

/// Fewest frames of a gait energy image: strides that have fewer are joined.
pub const FEWEST_FRAMES: usize = 12;
/// Most strides that are joined to have as many frames.
const MOST_JOINED: u32 = 3;
/// The rhythm is looked for in the last seconds: somebody may go faster or slower.
const WINDOW_S: f64 = 4.0;
/// After so long without a rhythm a walker is told that there is none, and the oldest second is given up.
const NO_RHYTHM_S: f64 = 3.0;
/// Where no sample came for so long, or for so many usual steps, a walk begins anew.
const GAP_S: f64 = 0.3;
const GAP_STEPS: f64 = 2.6;
/// After a failed search the next waits so long: it costs as much as many frames.
const PAUSE_S: f64 = 0.15;
/// A silhouette that differs from those before and after it by more than this many times the median is a broken mask.
const BROKEN: f32 = 2.0;
/// Feet that move less than this, standard deviations in heights, do not walk.
const STILL_ANKLES: f32 = 0.03;
const STILL_HEELS: f32 = 0.010;

/// Whole strides of one walker.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Cut {
    pub start: Duration,
    pub end: Duration,
    /// How many strides it holds: more than one where a stride alone has too few frames.
    pub strides: u32,
    pub gei: Gei,
    pub measures: Measures,
    /// How alike frames are that lie a stride apart, up to 1.
    pub likeness: f32,
}

/// What a walker's samples say so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Rhythm {
    /// Too short a time was seen.
    #[default]
    Unknown,
    /// Strides are cut.
    Found,
    /// The feet move, but nothing comes again.
    None,
    /// The feet stand still.
    Still,
}

/// Cuts strides out of the samples of one walker.
#[derive(Default)]
pub(super) struct StrideCutter {
    samples: VecDeque<WalkSample>,
    /// Where the next stride begins, seconds.
    anchor_s: f64,
    /// No search before this time.
    next_search_s: f64,
    rhythm: Rhythm,
}

impl StrideCutter {
    /// What the samples say so far.
    pub(super) fn rhythm(&self) -> Rhythm {
        self.rhythm
    }

    /// Takes the next sample and gives the strides that are whole with it.
    pub(super) fn push(&mut self, sample: WalkSample) -> Vec<Cut> {
        let mut cuts = Vec::new();
        if let Some(last) = self.samples.back() {
            let step_s = sample.time_s - last.time_s;
            if step_s <= 0.0 || step_s > GAP_S.max(GAP_STEPS * self.usual_step_s()) {
                cuts = self.finish();
            }
        }
        if self.samples.is_empty() {
            (self.anchor_s, self.next_search_s) = (sample.time_s, sample.time_s);
        }
        let now_s = sample.time_s;
        self.samples.push_back(sample);
        if now_s >= self.next_search_s {
            self.cut(now_s, &mut cuts);
        }
        cuts
    }

    /// No sample came at `now_s`: once that lasts, the walk is over, and its last whole strides are given.
    pub(super) fn miss(&mut self, now_s: f64) -> Vec<Cut> {
        let gap_s = GAP_S.max(GAP_STEPS * self.usual_step_s());
        let is_over = self.samples.back().is_some_and(|last| now_s - last.time_s > gap_s);
        if is_over { self.finish() } else { Vec::new() }
    }

    /// Ends the walk: gives the whole strides that are left, and forgets the rest.
    pub(super) fn finish(&mut self) -> Vec<Cut> {
        let mut cuts = Vec::new();
        if let Some(last) = self.samples.back() {
            // The last sample stands for the time up to the next.
            self.cut(last.time_s + self.usual_step_s(), &mut cuts);
        }
        *self = Self::default();
        cuts
    }

    /// Cuts as long as there are whole strides up to `now_s`.
    fn cut(&mut self, now_s: f64, cuts: &mut Vec<Cut>) {
        loop {
            let Some(period) = self.period() else {
                self.next_search_s = now_s + PAUSE_S;
                if now_s - self.anchor_s > NO_RHYTHM_S {
                    self.rhythm = if self.is_still() { Rhythm::Still } else { Rhythm::None };
                    self.anchor_s = now_s - NO_RHYTHM_S + 1.0;
                    self.forget();
                }
                return;
            };
            let Some((strides, end_s)) = self.whole(&period, now_s) else { return };
            let inside: Vec<&WalkSample> =
                self.samples.iter().filter(|sample| (self.anchor_s..end_s).contains(&sample.time_s)).collect();
            // What has too few frames also as three strides is passed over.
            if inside.len() >= FEWEST_FRAMES && is_still(&inside) {
                self.rhythm = Rhythm::Still;
            } else if let Some(cut) = make(&inside, self.anchor_s, end_s, strides, &period) {
                self.rhythm = Rhythm::Found;
                cuts.push(cut);
            }
            self.anchor_s = end_s;
            self.forget();
        }
    }

    /// The rhythm of the last seconds.
    fn period(&mut self) -> Option<Period> {
        stride_period(self.samples.make_contiguous())
    }

    /// How many strides from the anchor make enough frames, and where they end; `None` as long as they are not over, when
    /// the next search waits for that.
    fn whole(&mut self, period: &Period, now_s: f64) -> Option<(u32, f64)> {
        for strides in 1..=MOST_JOINED {
            let end_s = self.anchor_s + f64::from(strides) * period.stride_s;
            if end_s > now_s + 1e-6 {
                self.next_search_s = end_s;
                return None;
            }
            let frames = self.samples.iter().filter(|sample| (self.anchor_s..end_s).contains(&sample.time_s)).count();
            if frames >= FEWEST_FRAMES || strides == MOST_JOINED {
                return Some((strides, end_s));
            }
        }
        None
    }

    /// Drops samples that neither the next stride nor the rhythm needs.
    fn forget(&mut self) {
        let Some(last) = self.samples.back() else { return };
        let oldest_s = self.anchor_s.min(last.time_s - WINDOW_S).max(last.time_s - 3.0 * WINDOW_S);
        while self.samples.front().is_some_and(|sample| sample.time_s < oldest_s) {
            self.samples.pop_front();
        }
        // The rhythm is that of now.
        let recent_s = last_time(&self.samples) - WINDOW_S;
        while self.samples.front().is_some_and(|sample| sample.time_s < recent_s.min(self.anchor_s)) {
            self.samples.pop_front();
        }
    }

    fn is_still(&self) -> bool {
        is_still(&self.samples.iter().collect::<Vec<_>>())
    }

    /// The median of the last times between samples, seconds.
    fn usual_step_s(&self) -> f64 {
        let times = || self.samples.iter().rev().map(|sample| sample.time_s);
        let mut steps: Vec<f64> = times().zip(times().skip(1)).take(9).map(|(late, early)| late - early).collect();
        steps.sort_unstable_by(f64::total_cmp);
        steps.get(steps.len() / 2).copied().unwrap_or(0.0)
    }
}

fn last_time(samples: &VecDeque<WalkSample>) -> f64 {
    samples.back().map_or(0.0, |sample| sample.time_s)
}

/// Whether the feet stand still.
fn is_still(samples: &[&WalkSample]) -> bool {
    let deviation = |value: fn(&WalkSample) -> f32| {
        let n = samples.len().max(1) as f32;
        let mean = samples.iter().map(|sample| value(sample)).sum::<f32>() / n;
        (samples.iter().map(|sample| (value(sample) - mean).powi(2)).sum::<f32>() / n).sqrt()
    };
    let ankles =
        deviation(|sample| sample.figure.ankles_apart.abs()).max(deviation(|sample| sample.figure.ankles_apart));
    ankles < STILL_ANKLES && deviation(|sample| sample.figure.heels_apart) < STILL_HEELS
}

/// The strides in these samples, without broken masks.
fn make(inside: &[&WalkSample], start_s: f64, end_s: f64, strides: u32, period: &Period) -> Option<Cut> {
    let steps: Vec<f32> = inside.windows(2).map(|pair| difference(pair[0], pair[1])).collect();
    let mut sorted = steps.clone();
    sorted.sort_unstable_by(f32::total_cmp);
    let limit = sorted.get(sorted.len() / 2)? * BROKEN;
    // The first and the last have one neighbour.
    let off = |index: usize| {
        let (before, after) = (index.checked_sub(1).and_then(|before| steps.get(before)), steps.get(index));
        before.into_iter().chain(after).copied().fold(f32::MAX, f32::min)
    };
    let good: Vec<&WalkSample> =
        inside.iter().enumerate().filter(|(index, _)| off(*index) <= limit).map(|(_, sample)| *sample).collect();
    if good.len() < FEWEST_FRAMES {
        return None;
    }
    let gei = Gei::from_silhouettes(good.iter().map(|sample| &sample.silhouette))?;
    let measures = Measures::of(&good, period.stride_s);
    let time = |seconds: f64| Duration::try_from_secs_f64(seconds).unwrap_or_default();
    Some(Cut { start: time(start_s), end: time(end_s), strides, gei, measures, likeness: period.likeness as f32 })
}

/// Sum of the absolute differences of two silhouettes' pixels.
fn difference(a: &WalkSample, b: &WalkSample) -> f32 {
    a.silhouette.pixels().iter().zip(b.silhouette.pixels()).map(|(a, b)| (a - b).abs()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{View, walk};
    use crate::{Mask, Silhouette};

    fn times(fps: f64, from: f64, to: f64) -> Vec<f64> {
        (0..((to - from) * fps).round() as usize).map(|frame| from + frame as f64 / fps).collect()
    }

    fn cuts(samples: Vec<WalkSample>) -> Vec<Cut> {
        let mut cutter = StrideCutter::default();
        let mut cuts: Vec<Cut> = samples.into_iter().flat_map(|sample| cutter.push(sample)).collect();
        cuts.extend(cutter.finish());
        cuts
    }

    fn gei_of(view: View, stride_s: f64) -> Gei {
        let one = walk(view, stride_s, &times(60.0, 0.0, stride_s));
        Gei::from_silhouettes(one.iter().map(|sample| &sample.silhouette)).unwrap()
    }

    #[test]
    fn a_walk_is_over_soon_after_its_last_sample() {
        // Five strides and a bit: the fifth is whole only with the time that the last sample stands for.
        let samples = walk(View::Side, 1.1, &times(30.0, 10.0, 15.5));
        let expected = cuts(samples.clone());
        let mut cutter = StrideCutter::default();
        let mut found: Vec<Cut> = samples.into_iter().flat_map(|sample| cutter.push(sample)).collect();
        assert!(cutter.miss(15.7).is_empty(), "a few frames may be missing");
        found.extend(cutter.miss(15.9));
        assert_eq!(found, expected);
        assert!(cutter.samples.is_empty() && cutter.miss(17.0).is_empty());
    }

    #[test]
    fn strides_follow_each_other_without_a_gap_and_each_is_the_walkers() {
        for (view, stride_s) in [(View::Side, 1.1), (View::Front, 1.1), (View::Side, 0.8), (View::Side, 1.5)] {
            let cuts = cuts(walk(view, stride_s, &times(30.0, 10.0, 16.1)));
            assert_eq!(cuts.len(), (6.0 / stride_s) as usize, "{view:?} {stride_s}");
            assert!((cuts[0].start.as_secs_f64() - 10.0).abs() < 1e-6);
            for pair in cuts.windows(2) {
                assert_eq!(pair[0].end, pair[1].start);
            }
            for cut in &cuts {
                let found = f64::from(cut.measures.stride_s.unwrap());
                assert!((found / stride_s - 1.0).abs() < 0.03, "{found} instead of {stride_s}");
                assert!(
                    cut.gei.difference(&gei_of(view, stride_s)) < 0.02,
                    "{}",
                    cut.gei.difference(&gei_of(view, stride_s))
                );
                assert_eq!(cut.strides, 1);
            }
        }
    }

    #[test]
    fn at_nine_frames_a_second_strides_are_joined_until_there_are_twelve() {
        let cuts = cuts(walk(View::Side, 1.1, &times(9.0, 0.0, 6.8)));
        assert!(cuts.len() >= 2, "{}", cuts.len());
        for cut in &cuts {
            assert_eq!(cut.strides, 2);
            assert!(cut.gei.frames() >= FEWEST_FRAMES && cut.gei.frames() <= 23);
            assert!((cut.measures.stride_s.unwrap() / 1.1 - 1.0).abs() < 0.05);
        }
    }

    #[test]
    fn two_whole_strides_are_enough_for_an_image() {
        assert_eq!(cuts(walk(View::Side, 1.1, &times(30.0, 0.0, 2.25))).len(), 2);
        assert_eq!(cuts(walk(View::Side, 1.1, &times(30.0, 0.0, 1.0))).len(), 0);
    }

    #[test]
    fn a_gap_ends_a_walk_and_no_stride_lies_over_it() {
        let mut samples = walk(View::Side, 1.0, &times(30.0, 0.0, 2.5));
        samples.extend(walk(View::Side, 1.0, &times(30.0, 3.3, 6.4)));
        let cuts = cuts(samples);
        assert_eq!(cuts.len(), 2 + 3);
        assert!(cuts.iter().all(|cut| cut.end.as_secs_f64() < 2.55 || cut.start.as_secs_f64() > 3.29));
    }

    #[test]
    fn a_broken_mask_is_left_out() {
        let mut samples = walk(View::Side, 1.1, &times(30.0, 0.0, 2.3));
        let whole = cuts(samples.clone());
        // The background is taken for the person.
        let block = Mask::new(44, 64, vec![255; 44 * 64]).unwrap();
        samples[10].silhouette = Silhouette::from_mask(&block).unwrap();
        let cuts = cuts(samples);
        assert!(cuts[0].gei.difference(&gei_of(View::Side, 1.1)) < 0.02);
        assert_eq!(cuts[0].gei.frames() + 1, whole[0].gei.frames());
        assert_eq!(cuts[1].gei.frames(), whole[1].gei.frames());
    }

    #[test]
    fn who_stands_gets_no_stride_and_the_word_for_it() {
        let first = walk(View::Side, 1.1, &[0.2]).remove(0);
        let mut cutter = StrideCutter::default();
        for time_s in times(30.0, 0.0, 5.0) {
            assert!(cutter.push(WalkSample { time_s, ..first.clone() }).is_empty());
        }
        assert_eq!(cutter.rhythm(), Rhythm::Still);
        assert!(cutter.samples.len() < 200, "{}", cutter.samples.len());
    }
}
