//! Strides of silhouettes that somebody else cut out: no body, no feet, only outlines and their times.

use super::gei::Gei;
use super::period::outline_period;
use super::sample::{Figure, WalkSample};
use super::silhouette::Silhouette;
use super::stride::FEWEST_FRAMES;

/// The gait energy image of whole strides.
#[derive(Clone, Debug, PartialEq)]
pub struct WholeStrides {
    /// When the stride begins, seconds.
    pub start_s: f64,
    /// How long one stride takes, seconds.
    pub stride_s: f64,
    /// The mean of its silhouettes.
    pub gei: Gei,
}

/// The whole strides of one walker's silhouettes, which come in the order of their times, seconds. Empty where there is no rhythm,
/// fewer than one and a half strides, or a stride has fewer than [`FEWEST_FRAMES`] frames.
///
/// The rhythm is that of the outlines alone: a very slow step, of 0.6 s or more, may be taken for a stride.
pub fn strides_of_silhouettes(silhouettes: Vec<(f64, Silhouette)>) -> Vec<WholeStrides> {
    let samples: Vec<WalkSample> = silhouettes
        .into_iter()
        .map(|(time_s, silhouette)| WalkSample { time_s, silhouette, figure: Figure::default() })
        .collect();
    let (Some(first), Some(last), Some(period)) = (samples.first(), samples.last(), outline_period(&samples)) else {
        return Vec::new();
    };
    // The last sample stands for the time up to the next.
    let step_s = (last.time_s - first.time_s) / (samples.len() - 1).max(1) as f64;
    let (begin_s, end_s) = (first.time_s, last.time_s + step_s);
    let count = ((end_s - begin_s) / period.stride_s + 1e-6).floor() as usize;
    let strides = (0..count).filter_map(|index| {
        let start_s = begin_s + index as f64 * period.stride_s;
        let inside = samples.iter().filter(|s| (start_s..start_s + period.stride_s).contains(&s.time_s));
        let gei = Gei::from_silhouettes(inside.map(|sample| &sample.silhouette))?;
        (gei.frames() >= FEWEST_FRAMES).then_some(WholeStrides { start_s, stride_s: period.stride_s, gei })
    });
    strides.collect()
}

#[cfg(test)]
mod tests {
    use super::super::mask::Mask;
    use super::*;

    /// A trunk and two legs that swing; seen a little from the front, so that left and right differ.
    fn silhouette(phase: f64) -> Silhouette {
        let swing = phase.sin() * 18.0;
        let (left, right) = (40.0 + swing, 40.0 - 0.6 * swing);
        let inside = |i: usize| {
            let (x, y) = ((i % 80) as f64, (i / 80) as f64);
            if y < 64.0 {
                (x - 40.0).abs() < 7.0
            } else {
                let down = (y - 64.0) / 64.0;
                [left, right].iter().any(|foot| (x - (40.0 + (foot - 40.0) * down)).abs() < 4.0)
            }
        };
        let mask = Mask::new(80, 128, (0..80 * 128).map(|i| if inside(i) { 255 } else { 0 }).collect()).unwrap();
        Silhouette::from_mask(&mask).unwrap()
    }

    fn walk(stride_s: f64, rate: f64, seconds: f64) -> Vec<(f64, Silhouette)> {
        let frames = (seconds * rate) as usize;
        let phase = |time: f64| std::f64::consts::TAU * time / stride_s + 0.4;
        (0..frames).map(|frame| frame as f64 / rate).map(|time| (time, silhouette(phase(time)))).collect()
    }

    #[test]
    fn strides_have_the_length_of_the_walk() {
        for stride_s in [0.95, 1.15] {
            let strides = strides_of_silhouettes(walk(stride_s, 25.0, 4.0));
            assert_eq!(strides.len(), (4.0 / stride_s) as usize);
            for stride in &strides {
                assert!((stride.stride_s / stride_s - 1.0).abs() < 0.05, "{} instead of {stride_s}", stride.stride_s);
                assert!(stride.gei.difference(&strides[0].gei) < 0.03);
            }
        }
    }

    #[test]
    fn somebody_who_stands_and_a_short_look_have_none() {
        let standing = (0..80).map(|frame| (f64::from(frame) / 25.0, silhouette(0.3))).collect();
        assert!(strides_of_silhouettes(standing).is_empty());
        assert!(strides_of_silhouettes(walk(1.1, 25.0, 1.0)).is_empty());
        assert!(strides_of_silhouettes(walk(1.1, 8.0, 4.0)).is_empty(), "nine frames a stride");
        assert!(strides_of_silhouettes(Vec::new()).is_empty());
    }
}
