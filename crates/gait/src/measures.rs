//! What a stride says without any training.

use serde::{Deserialize, Serialize};

use super::sample::WalkSample;

/// Within this angle of a side view, degrees, step length and lean are told.
const SIDE_DEGREES: f32 = 35.0;
/// From this speed on, heights a second, the way through the picture has its say about the direction.
const WALKS: f32 = 0.25;
/// A way of this speed counts as much as the body's own direction.
const FULL_SPEED: f32 = 0.6;

/// Figures of one stride, or the means of a person's strides. Each is `None` where the picture cannot tell it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measures {
    /// Time of one stride (two steps), seconds.
    pub stride_s: Option<f32>,
    /// Steps a minute: 120 over the stride's time.
    pub cadence_per_min: Option<f32>,
    /// Length of a step, ankle to ankle at its widest, over the length of the leg, hip to ankle; only from the side.
    pub step_over_leg: Option<f32>,
    /// Height of the head (crown to chin) over the person's height.
    pub head_over_height: Option<f32>,
    /// How far the trunk leans forward from upright, degrees; backward is negative. Only from the side.
    pub lean_deg: Option<f32>,
    /// Where the person walks to, degrees from 0 to 360: 0 towards the camera, 90 to the picture's right, 180 away from the
    /// camera, 270 to the picture's left.
    pub direction_deg: Option<f32>,
    /// Height of the silhouette in the picture, pixels.
    pub height_px: Option<f32>,
}

impl Measures {
    /// The figures of the samples of whole strides, of `stride_s` seconds each.
    pub(super) fn of(samples: &[&WalkSample], stride_s: f64) -> Self {
        let figures = || samples.iter().map(|sample| &sample.figure);
        let direction_deg = direction(samples);
        let aside = direction_deg.map(|degrees| degrees.to_radians().sin());
        let seen_aside = aside.filter(|sine| sine.abs() >= SIDE_DEGREES.to_radians().cos());
        let leg = median(figures().map(|figure| figure.leg));
        // The tenth part of the frames with the widest step is left out as the noise's.
        let widest = quantile(figures().map(|figure| figure.ankles_apart.abs()), 0.9);
        let lean = median(figures().map(|figure| figure.trunk[0].atan2(figure.trunk[1]).to_degrees()));
        let heads: Vec<f32> = figures().filter_map(|figure| figure.head).collect();
        let head_over_height = (heads.len() * 2 > samples.len()).then(|| median(heads.iter().copied())).flatten();
        let measures = Self {
            stride_s: Some(stride_s as f32),
            cadence_per_min: Some(120.0 / stride_s as f32),
            step_over_leg: seen_aside
                .and_then(|_| Some(widest? / leg.filter(|leg| *leg > 0.1)?))
                .filter(|ratio| *ratio < 2.0),
            head_over_height,
            lean_deg: seen_aside.and_then(|sine| Some(lean? * sine.signum())),
            direction_deg,
            height_px: median(figures().map(|figure| figure.height_px)),
        };
        measures.finite()
    }

    /// The means of several strides' figures, those that are told.
    pub fn mean(strides: &[Self]) -> Self {
        let mean = |value: fn(&Self) -> Option<f32>| {
            let known: Vec<f32> = strides.iter().filter_map(value).collect();
            (!known.is_empty()).then(|| known.iter().sum::<f32>() / known.len() as f32)
        };
        // Angles go round: the mean of 350 and 10 degrees is 0.
        let directions = strides.iter().filter_map(|measures| measures.direction_deg);
        let (sine, cosine) = directions.fold((0.0, 0.0), |(sine, cosine), degrees| {
            let (s, c) = degrees.to_radians().sin_cos();
            (sine + s, cosine + c)
        });
        Self {
            stride_s: mean(|measures| measures.stride_s),
            cadence_per_min: mean(|measures| measures.cadence_per_min),
            step_over_leg: mean(|measures| measures.step_over_leg),
            head_over_height: mean(|measures| measures.head_over_height),
            lean_deg: mean(|measures| measures.lean_deg),
            direction_deg: (sine.hypot(cosine) > 1e-3).then(|| degrees(sine, cosine)),
            height_px: mean(|measures| measures.height_px),
        }
    }

    /// Without what is no number.
    fn finite(self) -> Self {
        let keep = |value: Option<f32>| value.filter(|value| value.is_finite());
        Self {
            stride_s: keep(self.stride_s),
            cadence_per_min: keep(self.cadence_per_min),
            step_over_leg: keep(self.step_over_leg),
            head_over_height: keep(self.head_over_height),
            lean_deg: keep(self.lean_deg),
            direction_deg: keep(self.direction_deg),
            height_px: keep(self.height_px),
        }
    }
}

/// Where a person walks to, degrees: where shoulders, hips and toes point, and the way through the picture. A camera that moves
/// along hides the way, so the body has its say alone where the two contradict each other.
fn direction(samples: &[&WalkSample]) -> Option<f32> {
    let n = samples.len() as f32;
    let mean = |value: fn(&WalkSample) -> f32| samples.iter().map(|sample| value(sample)).sum::<f32>() / n;
    let (towards, right) = (mean(|s| s.figure.facing[0]), mean(|s| s.figure.facing[1]));
    // A foot is about 0.15 heights long.
    let toes = mean(|s| s.figure.toes) / 0.15;
    let mut body = [towards, right + toes.clamp(-1.0, 1.0)];
    let length = body[0].hypot(body[1]);
    if length < 0.2 {
        body = [0.0; 2];
    } else {
        body.iter_mut().for_each(|side| *side /= length);
    }
    let (to_right, away) = (slope(samples, |s| s.figure.place[0]), slope(samples, |s| s.figure.place[1]));
    let speed = to_right.hypot(away);
    let mut way = [0.0; 2];
    if speed >= WALKS {
        let weight = (speed / FULL_SPEED).min(1.0) / speed;
        way = [-away * weight, to_right * weight];
    }
    if body[0] * way[0] + body[1] * way[1] < 0.0 {
        way = [0.0; 2];
    }
    let sum = [body[0] + way[0], body[1] + way[1]];
    (sum[0].hypot(sum[1]) > 0.2).then(|| degrees(sum[1], sum[0]))
}

/// 0 to 360 degrees.
fn degrees(sine: f32, cosine: f32) -> f32 {
    let degrees = sine.atan2(cosine).to_degrees();
    // Minus nothing plus 360 is rounded to 360 itself.
    if degrees < 0.0 { (degrees + 360.0) % 360.0 } else { degrees }
}

/// How much a value changes a second, by least squares.
fn slope(samples: &[&WalkSample], value: fn(&WalkSample) -> f32) -> f32 {
    let n = samples.len() as f64;
    let (mean_t, mean_v) = (
        samples.iter().map(|s| s.time_s).sum::<f64>() / n,
        samples.iter().map(|s| f64::from(value(s))).sum::<f64>() / n,
    );
    let (mut along, mut spread) = (0.0, 0.0);
    for sample in samples {
        along += (sample.time_s - mean_t) * (f64::from(value(sample)) - mean_v);
        spread += (sample.time_s - mean_t).powi(2);
    }
    if spread > 0.0 { (along / spread) as f32 } else { 0.0 }
}

fn median(values: impl Iterator<Item = f32>) -> Option<f32> {
    quantile(values, 0.5)
}

/// The value below which this share of the values lies; `None` without values.
fn quantile(values: impl Iterator<Item = f32>, share: f32) -> Option<f32> {
    let mut values: Vec<f32> = values.filter(|value| value.is_finite()).collect();
    values.sort_unstable_by(f32::total_cmp);
    values.get(((values.len().saturating_sub(1)) as f32 * share).round() as usize).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{View, walk};

    fn measured(samples: &[WalkSample]) -> Measures {
        Measures::of(&samples.iter().collect::<Vec<_>>(), 1.0)
    }

    fn times() -> Vec<f64> {
        (0..30).map(|frame| f64::from(frame) / 30.0).collect()
    }

    #[test]
    fn from_the_side_steps_and_lean_are_told_whichever_way_the_walk_goes() {
        let mut samples = walk(View::Side, 1.0, &times());
        let right = measured(&samples);
        assert_eq!((right.stride_s, right.cadence_per_min), (Some(1.0), Some(120.0)));
        assert!((right.direction_deg.unwrap() - 90.0).abs() < 10.0, "{right:?}");
        // The drawn walker's ankles are 0.4 heights apart, the legs 0.48 long, and the trunk leans by 4 degrees.
        assert!((right.step_over_leg.unwrap() - 0.83).abs() < 0.06, "{right:?}");
        assert!((right.lean_deg.unwrap() - 4.0).abs() < 0.5, "{right:?}");
        for sample in &mut samples {
            let figure = &mut sample.figure;
            (figure.facing[1], figure.toes, figure.trunk[0]) = (-figure.facing[1], -figure.toes, -figure.trunk[0]);
            figure.place[0] = -figure.place[0];
        }
        let left = measured(&samples);
        assert!((left.direction_deg.unwrap() - 270.0).abs() < 10.0, "{left:?}");
        assert!((left.lean_deg.unwrap() - 4.0).abs() < 0.5, "forward is forward: {left:?}");
    }

    #[test]
    fn from_the_front_steps_and_lean_are_not_told() {
        let front = measured(&walk(View::Front, 1.0, &times()));
        assert_eq!((front.step_over_leg, front.lean_deg), (None, None));
        let off = (front.direction_deg.unwrap() + 180.0) % 360.0 - 180.0;
        assert!(off.abs() < 10.0, "{front:?}");
        assert!((front.head_over_height.unwrap() - 0.13).abs() < 0.01);
    }

    #[test]
    fn a_camera_that_moves_along_does_not_turn_the_walker() {
        let mut samples = walk(View::Side, 1.0, &times());
        for sample in &mut samples {
            sample.figure.place[0] *= -2.0;
        }
        assert!((measured(&samples).direction_deg.unwrap() - 90.0).abs() < 10.0);
    }

    #[test]
    fn the_mean_goes_round_the_circle_and_leaves_out_what_is_not_told() {
        let of = |degrees: f32, lean: Option<f32>| Measures {
            direction_deg: Some(degrees),
            lean_deg: lean,
            ..Measures::default()
        };
        let mean = Measures::mean(&[of(350.0, None), of(20.0, Some(3.0)), of(350.0, Some(5.0))]);
        assert_eq!((mean.lean_deg, mean.step_over_leg), (Some(4.0), None));
        let direction = mean.direction_deg.unwrap();
        assert!(!(1.0..359.0).contains(&direction), "{direction}");
        assert_eq!(Measures::mean(&[]), Measures::default());
    }
}
