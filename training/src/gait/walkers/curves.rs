//! The joints' angles over a stride.
//!
//! The shapes are those of the textbooks (D. A. Winter, The Biomechanics and Motor Control of Human Gait, 1991; J. Perry, J. M. Burnfield, Gait
//! Analysis, 2010), every twentieth of the stride from the heel's touch; their ranges, hip 44.5, knee 55, ankle 27.5 degrees, are those of
//! adults in the table of Van Criekinge et al., Sci. Data 10:852, 2023.

/// Values a stride.
const STEPS: usize = 20;

/// Share of the stride in which the foot stands, in these curves.
pub(super) const STANCE: f32 = 0.6;

/// Flexion of the hip, degrees, seen from the pelvis.
const HIP: [f32; STEPS] = [
    33.0, 31.5, 28.0, 23.5, 18.5, 13.5, 8.5, 4.0, -0.5, -5.0, -8.5, -9.5, -5.5, 3.0, 13.5, 23.0, 30.0, 34.0, 35.0, 34.0,
];

/// Flexion of the knee, degrees.
const KNEE: [f32; STEPS] =
    [6.0, 12.0, 17.0, 19.0, 17.5, 14.0, 10.5, 7.5, 6.0, 6.5, 10.0, 19.0, 34.0, 50.0, 60.0, 62.0, 55.0, 39.0, 20.0, 7.5];

/// Dorsiflexion of the ankle (toes up), degrees.
const ANKLE: [f32; STEPS] =
    [0.0, -5.0, -4.0, 0.0, 3.0, 5.0, 7.0, 9.0, 10.5, 11.0, 8.5, 0.0, -12.0, -16.5, -8.0, 0.0, 4.0, 4.5, 3.0, 1.0];

/// How far the pelvis tips forwards in the mean, degrees: what the hip's flexion has more than the thigh's.
const PELVIS_TILT: f32 = 11.0;

/// Forward angle of the thigh against the vertical, degrees.
pub(super) fn thigh(phase: f32) -> f32 {
    at(&HIP, phase) - PELVIS_TILT
}

/// Flexion of the knee, degrees.
pub(super) fn knee(phase: f32) -> f32 {
    at(&KNEE, phase)
}

/// Dorsiflexion of the ankle, degrees.
pub(super) fn ankle(phase: f32) -> f32 {
    at(&ANKLE, phase)
}

/// The phase of these curves for a foot that stands for `stance` of the stride.
pub(super) fn warped(phase: f32, stance: f32) -> f32 {
    let phase = phase.rem_euclid(1.0);
    if phase < stance { phase / stance * STANCE } else { STANCE + (phase - stance) / (1.0 - stance) * (1.0 - STANCE) }
}

/// 1 between `from` and `to`, 0 outside, with soft edges of `edge`; all in shares of the stride, going round.
pub(super) fn window(phase: f32, from: f32, to: f32, edge: f32) -> f32 {
    let middle = (from + to) / 2.0;
    let off = ((phase - middle + 0.5).rem_euclid(1.0) - 0.5).abs();
    let inside = ((to - from) / 2.0 - off) / edge + 0.5;
    let x = inside.clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

/// A smooth curve through the values (Catmull and Rom), going round.
fn at(values: &[f32; STEPS], phase: f32) -> f32 {
    let place = phase.rem_euclid(1.0) * STEPS as f32;
    let (index, t) = (place as usize, place.fract());
    let [a, b, c, d] = [STEPS - 1, 0, 1, 2].map(|offset| values[(index + offset) % STEPS]);
    let (t2, t3) = (t * t, t * t * t);
    0.5 * (2.0 * b + (c - a) * t + (2.0 * a - 5.0 * b + 4.0 * c - d) * t2 + (3.0 * b - a - 3.0 * c + d) * t3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(curve: fn(f32) -> f32) -> f32 {
        let values: Vec<f32> = (0..400).map(|i| curve(i as f32 / 400.0)).collect();
        let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(l, h), v| (l.min(*v), h.max(*v)));
        high - low
    }

    #[test]
    fn the_ranges_are_the_published_ones_and_the_curves_go_round() {
        assert!((range(thigh) - 44.5).abs() < 1.0, "{}", range(thigh));
        assert!((range(knee) - 56.0).abs() < 1.5, "{}", range(knee));
        assert!((range(ankle) - 27.5).abs() < 1.0, "{}", range(ankle));
        assert_eq!(knee(0.1), 17.0);
        assert!((knee(0.9999) - knee(0.0)).abs() < 0.1);
        assert!((thigh(-0.25) - thigh(0.75)).abs() < 1e-4);
    }

    #[test]
    fn a_longer_stance_stretches_the_curves() {
        assert!((warped(0.65, 0.65) - STANCE).abs() < 1e-6);
        assert!((warped(0.325, 0.65) - 0.3).abs() < 1e-6);
        assert!((warped(0.825, 0.65) - 0.8).abs() < 1e-6);
        assert!((warped(1.3, 0.6) - 0.3).abs() < 1e-6);
    }

    #[test]
    fn a_window_goes_round() {
        assert_eq!(window(0.2, 0.1, 0.3, 0.05), 1.0);
        assert_eq!(window(0.5, 0.1, 0.3, 0.05), 0.0);
        assert_eq!(window(0.98, -0.05, 0.1, 0.02), 1.0);
        assert!((window(0.1, 0.1, 0.3, 0.05) - 0.5).abs() < 1e-4);
    }
}
