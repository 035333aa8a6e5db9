//! The One-Euro filter: steady at rest, quick in motion; and what it steadies here: angles and boxes.
//!
//! G. Casiez, N. Roussel, D. Vogel: "1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive
//! Systems", CHI 2012, section "The 1 Euro Filter" and its algorithm 1:
//!
//! ```text
//! x_hat = alpha x + (1 - alpha) x_hat_previous     exponential smoothing
//! alpha = 1 / (1 + tau / Te),  tau = 1 / (2 pi fc) Te: time between two samples
//! fc    = fc_min + beta |dx_hat|                   dx_hat: the speed, itself smoothed with a fixed cutoff
//! ```

use std::f32::consts::TAU;

use crate::geometry::{Point, Pose, Rect};

/// Cutoff of the speed's own low-pass, hertz. The paper takes 1; a head turn starts within a tenth of a second, and 2
/// halves the time until the filter opens for it.
const SPEED_CUTOFF_HZ: f32 = 2.0;

/// Cutoff at rest (hertz) and its growth (hertz per degree a second) for angles. On 1.5 degrees of noise at 30 frames a
/// second these leave less than half of it, and a turn by 45 degrees in half a second comes less than 50 ms late
/// (the test below).
const ANGLE: Tuning = Tuning { min_cutoff_hz: 0.9, beta: 0.1 };

/// For the middle of a box; speeds in box sides a second.
const CENTER: Tuning = Tuning { min_cutoff_hz: 1.5, beta: 6.0 };

/// For the logarithm of a box's sides.
const LOG_SIDE: Tuning = Tuning { min_cutoff_hz: 1.0, beta: 4.0 };

/// The two parameters of the filter.
#[derive(Clone, Copy, Debug)]
struct Tuning {
    /// Cutoff at rest, hertz: lower is steadier.
    min_cutoff_hz: f32,
    /// Hertz per unit of speed: higher lags less.
    beta: f32,
}

/// The filter for one number.
#[derive(Clone, Debug)]
struct OneEuro {
    tuning: Tuning,
    state: Option<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    value: f32,
    speed: f32,
}

impl OneEuro {
    fn new(tuning: Tuning) -> Self {
        Self { tuning, state: None }
    }

    /// The steadied `value`, `elapsed_s` after the one before; `unit` is what speeds are measured in (1, or a box's
    /// side). The first value passes as it is; one that is not finite is left out.
    fn filter(&mut self, value: f32, elapsed_s: f32, unit: f32) -> f32 {
        let Some(last) = self.state else {
            if value.is_finite() {
                self.state = Some(State { value, speed: 0.0 });
            }
            return value;
        };
        if !value.is_finite() {
            return last.value;
        }
        let elapsed_s = elapsed_s.max(1e-3);
        let speed = last.speed + alpha(SPEED_CUTOFF_HZ, elapsed_s) * ((value - last.value) / elapsed_s - last.speed);
        let cutoff_hz = self.tuning.min_cutoff_hz + self.tuning.beta * speed.abs() / unit.max(1e-6);
        let value = last.value + alpha(cutoff_hz, elapsed_s) * (value - last.value);
        self.state = Some(State { value, speed });
        value
    }
}

/// The smoothing factor of a first-order low-pass.
fn alpha(cutoff_hz: f32, elapsed_s: f32) -> f32 {
    1.0 / (1.0 + 1.0 / (TAU * cutoff_hz * elapsed_s))
}

/// Steadies the three angles of a head pose.
#[derive(Clone, Debug)]
pub(super) struct PoseFilter {
    angles: [OneEuro; 3],
}

impl PoseFilter {
    /// A filter that passes its first pose as it is.
    pub(super) fn new() -> Self {
        Self { angles: std::array::from_fn(|_| OneEuro::new(ANGLE)) }
    }

    /// The steadied pose, `elapsed_s` seconds after the one before.
    pub(super) fn filter(&mut self, pose: Pose, elapsed_s: f32) -> Pose {
        let [yaw, pitch, roll] = &mut self.angles;
        Pose {
            yaw: filter_angle(yaw, pose.yaw, elapsed_s),
            pitch: filter_angle(pitch, pose.pitch, elapsed_s),
            roll: filter_angle(roll, pose.roll, elapsed_s),
        }
    }
}

/// Filters over the step from 180 to -180 degrees, and gives degrees in that range.
fn filter_angle(filter: &mut OneEuro, degrees: f32, elapsed_s: f32) -> f32 {
    let near = filter.state.map_or(degrees, |last| last.value + wrapped(degrees - last.value));
    let value = filter.filter(near, elapsed_s, 1.0);
    let shown = wrapped(value);
    if let Some(state) = &mut filter.state {
        state.value = shown;
    }
    shown
}

/// The same angle between -180 and 180 degrees. One that lies there already stays as it is, to the last bit.
fn wrapped(degrees: f32) -> f32 {
    if degrees.abs() <= 180.0 { degrees } else { (degrees + 180.0).rem_euclid(360.0) - 180.0 }
}

/// Steadies a box, so that it does not tremble on a face that holds still.
#[derive(Clone, Debug)]
pub(super) struct BoxFilter {
    center: [OneEuro; 2],
    log_sides: [OneEuro; 2],
    started: bool,
}

impl BoxFilter {
    /// A filter that passes its first box as it is.
    pub(super) fn new() -> Self {
        Self {
            center: std::array::from_fn(|_| OneEuro::new(CENTER)),
            log_sides: std::array::from_fn(|_| OneEuro::new(LOG_SIDE)),
            started: false,
        }
    }

    /// The steadied box, `elapsed_s` seconds after the one before. Both sides must be above 0.
    pub(super) fn filter(&mut self, rect: &Rect, elapsed_s: f32) -> Rect {
        let unit = (rect.width * rect.height).sqrt();
        let [x, y] = &mut self.center;
        let center = rect.center();
        let center = Point { x: x.filter(center.x, elapsed_s, unit), y: y.filter(center.y, elapsed_s, unit) };
        let [width, height] = &mut self.log_sides;
        let width = width.filter(rect.width.ln(), elapsed_s, 1.0).exp();
        let height = height.filter(rect.height.ln(), elapsed_s, 1.0).exp();
        // The way through the logarithm and back is not exact, and the first box is promised unchanged.
        if !std::mem::replace(&mut self.started, true) {
            return *rect;
        }
        Rect::new(center.x - width / 2.0, center.y - height / 2.0, width, height)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::testing::Noise;

    const FRAME_S: f32 = 1.0 / 30.0;

    /// Root mean square of the differences from `truth`.
    fn rms(values: &[f32], truth: impl Fn(usize) -> f32) -> f32 {
        let sum: f32 = values.iter().enumerate().map(|(i, value)| (value - truth(i)).powi(2)).sum();
        (sum / values.len() as f32).sqrt()
    }

    /// Degrees at `time_s`: at rest for 2 s, a turn by 45 degrees in half a second, at rest again.
    fn head_turn(time_s: f32) -> f32 {
        let part = ((time_s - 2.0) / 0.5).clamp(0.0, 1.0);
        45.0 * (0.5 - 0.5 * (part * std::f32::consts::PI).cos())
    }

    #[test]
    fn a_head_turn_comes_through_with_little_lag_and_little_jitter() {
        let mut noise = Noise::new(7);
        let mut filter = PoseFilter::new();
        let raw: Vec<f32> = (0..150).map(|i| head_turn(i as f32 * FRAME_S) + 1.5 * noise.gauss()).collect();
        let steadied: Vec<f32> =
            raw.iter().map(|yaw| filter.filter(Pose { yaw: *yaw, ..Pose::default() }, FRAME_S).yaw).collect();

        let (jitter_raw, jitter) = (rms(&raw[15..60], |_| 0.0), rms(&steadied[15..60], |_| 0.0));
        assert!(jitter < 0.5 * jitter_raw, "jitter {jitter} of {jitter_raw} degrees");

        // The lag is the shift that fits best, in steps of 5 ms, over the turn and half a second around it.
        let error = |lag_s: f32| rms(&steadied[45..90], |i| head_turn((i + 45) as f32 * FRAME_S - lag_s));
        let lags = (0..60).map(|step| step as f32 * 0.005);
        let lag_s = lags.min_by(|a, b| error(*a).total_cmp(&error(*b))).unwrap();
        assert!(lag_s <= 0.05, "lag {lag_s} s");
        assert!((steadied[100] - 45.0).abs() < 1.5, "arrived at {}", steadied[100]);
    }

    #[test]
    fn the_first_pose_passes_unchanged_and_a_gap_in_the_numbers_does_not_stay() {
        let mut filter = PoseFilter::new();
        let first = Pose { yaw: -12.123_457, pitch: 3.4, roll: 181.0 - 1.5 };
        assert_eq!(filter.filter(first, FRAME_S), first);
        let broken = filter.filter(Pose { yaw: f32::NAN, ..first }, FRAME_S);
        assert_eq!(broken.yaw, first.yaw);
        assert!(filter.filter(first, FRAME_S).yaw.is_finite());
    }

    #[test]
    fn an_angle_goes_over_180_by_the_short_way() {
        let mut filter = PoseFilter::new();
        filter.filter(Pose { roll: 179.0, ..Pose::default() }, FRAME_S);
        for _ in 0..60 {
            let roll = filter.filter(Pose { roll: -179.0, ..Pose::default() }, FRAME_S).roll;
            assert!(roll.abs() >= 179.0, "{roll}");
        }
    }

    #[test]
    fn a_box_at_rest_holds_still_and_a_moving_one_is_followed() {
        let mut noise = Noise::new(3);
        let mut filter = BoxFilter::new();
        let side = 100.0;
        let mut shaken =
            |x: f32| Rect::square(Point { x: x + 1.5 * noise.gauss(), y: 200.0 }, side + 1.5 * noise.gauss());
        let (mut raw, mut steadied) = (Vec::new(), Vec::new());
        for _ in 0..90 {
            let rect = shaken(300.0);
            raw.push(rect);
            steadied.push(filter.filter(&rect, FRAME_S));
        }
        let centers = |rects: &[Rect]| rects[15..].iter().map(|rect| rect.center().x).collect::<Vec<_>>();
        let sides = |rects: &[Rect]| rects[15..].iter().map(|rect| rect.width).collect::<Vec<_>>();
        let share = rms(&centers(&steadied), |_| 300.0) / rms(&centers(&raw), |_| 300.0);
        assert!(share < 0.5, "centre keeps {share} of its tremble");
        let share = rms(&sides(&steadied), |_| side) / rms(&sides(&raw), |_| side);
        assert!(share < 0.5, "side keeps {share} of its tremble");

        // One and a half sides a second: the box may be late by a twentieth of its side.
        for i in 1..=30 {
            let x = 300.0 + 150.0 * i as f32 * FRAME_S;
            let late = x - filter.filter(&shaken(x), FRAME_S).center().x;
            assert!(i < 10 || late.abs() < 8.0, "late by {late} px");
        }
    }
}
