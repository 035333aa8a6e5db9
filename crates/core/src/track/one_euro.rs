//! The One-Euro filter: steady at rest, quick in motion; and what it steadies here: rotations and boxes.
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

use crate::geometry::{Point, Pose, Rect, Rotation};

/// Cutoff of the speed's own low-pass, hertz. The paper takes 1; a head turn starts within a tenth of a second, and 2
/// halves the time until the filter opens for it.
const SPEED_CUTOFF_HZ: f32 = 2.0;

/// Cutoff at rest (hertz) and its growth (hertz per degree a second) for turns about an axis. On 1.5 degrees of noise at 30 frames a
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

/// How one number is followed: what the filter knows besides the number itself.
#[derive(Clone, Copy, Debug)]
struct NumberFilter {
    tuning: Tuning,
    speed: f32,
}

impl NumberFilter {
    fn new(tuning: Tuning) -> Self {
        Self { tuning, speed: 0.0 }
    }

    /// How far to go towards a new value that is `away` from the last steadied one, `elapsed_s` after it; `unit` is what
    /// speeds are measured in (1, or a box's side).
    fn step(&mut self, away: f32, elapsed_s: f32, unit: f32) -> f32 {
        let elapsed_s = elapsed_s.max(1e-3);
        self.speed += alpha(SPEED_CUTOFF_HZ, elapsed_s) * (away / elapsed_s - self.speed);
        let cutoff_hz = self.tuning.min_cutoff_hz + self.tuning.beta * self.speed.abs() / unit.max(1e-6);
        alpha(cutoff_hz, elapsed_s) * away
    }
}

/// The filter for one number.
#[derive(Clone, Debug)]
struct OneEuro {
    follower: NumberFilter,
    value: Option<f32>,
}

impl OneEuro {
    fn new(tuning: Tuning) -> Self {
        Self { follower: NumberFilter::new(tuning), value: None }
    }

    /// The steadied `value`, `elapsed_s` after the one before; `unit` as in [`NumberFilter::step`]. The first value passes as
    /// it is; one that is not finite is left out.
    fn filter(&mut self, value: f32, elapsed_s: f32, unit: f32) -> f32 {
        let Some(last) = self.value else {
            self.value = Some(value).filter(|value| value.is_finite());
            return value;
        };
        if !value.is_finite() {
            return last;
        }
        let value = last + self.follower.step(value - last, elapsed_s, unit);
        self.value = Some(value);
        value
    }
}

/// The smoothing factor of a first-order low-pass.
fn alpha(cutoff_hz: f32, elapsed_s: f32) -> f32 {
    1.0 / (1.0 + 1.0 / (TAU * cutoff_hz * elapsed_s))
}

/// Steadies a head's rotation.
///
/// What is filtered is the turn from the last steadied rotation to the new one, about each of the camera's axes by itself.
/// For a frontal head these are its three angles; unlike those they have no end to wrap at and no direction in which two of
/// them run away from each other.
#[derive(Clone, Debug)]
pub(super) struct PoseFilter {
    axes: [NumberFilter; 3],
    rotation: Option<Rotation>,
}

impl PoseFilter {
    /// A filter that passes its first pose as it is.
    pub(super) fn new() -> Self {
        Self { axes: [NumberFilter::new(ANGLE); 3], rotation: None }
    }

    /// The steadied pose, `elapsed_s` seconds after the one before. One that is not finite is left out.
    pub(super) fn filter(&mut self, pose: Pose, elapsed_s: f32) -> Pose {
        let rotation = pose.rotation();
        let Some(last) = self.rotation else {
            self.rotation = Some(rotation).filter(|_| pose.is_finite());
            return pose;
        };
        if !pose.is_finite() {
            return last.into();
        }
        let mut turn = (rotation * last.inverse()).vector();
        for (axis, degrees) in self.axes.iter_mut().zip(&mut turn) {
            *degrees = axis.step(*degrees as f32, elapsed_s, 1.0).into();
        }
        let steadied = Rotation::from_vector(turn) * last;
        self.rotation = Some(steadied);
        steadied.into()
    }
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
    fn a_roll_goes_over_180_by_the_short_way() {
        let mut filter = PoseFilter::new();
        filter.filter(Pose { roll: 179.0, ..Pose::default() }, FRAME_S);
        for _ in 0..60 {
            let roll = filter.filter(Pose { roll: -179.0, ..Pose::default() }, FRAME_S).roll;
            assert!(roll.abs() >= 179.0, "{roll}");
        }
    }

    /// The steadied heads of a course, and how far each is from the one before and from the course, degrees.
    fn steadied(course: &[Pose]) -> (Vec<f64>, Vec<f64>) {
        let mut filter = PoseFilter::new();
        let heads: Vec<Pose> = course.iter().map(|pose| filter.filter(*pose, FRAME_S)).collect();
        let steps = heads.windows(2).map(|pair| pair[0].rotation().angle_to(pair[1].rotation())).collect();
        let late = heads.iter().zip(course).map(|(head, pose)| head.rotation().angle_to(pose.rotation())).collect();
        (steps, late)
    }

    #[test]
    fn a_turn_over_the_back_past_the_profile_and_upside_down_has_no_jump() {
        // 90 degrees a second, three degrees a frame: about each of the three angles, of a head that is also turned about
        // the others.
        let along = |of: fn(f32) -> Pose| (0..120).map(|frame| of(3.0 * frame as f32)).collect::<Vec<_>>();
        for (name, course) in [
            ("roll", along(|degrees| Pose { yaw: 40.0, pitch: -20.0, roll: degrees })),
            ("yaw", along(|degrees| Pose { yaw: degrees, pitch: -20.0, roll: 25.0 })),
            ("tilt", along(|degrees| Pose { yaw: 75.0, pitch: 10.0, roll: 0.0 }.turned(degrees))),
        ] {
            // The angles that reach the filter jump, as those of networks and files do.
            let course: Vec<Pose> = course.into_iter().map(|pose| pose.rotation().into()).collect();
            let (steps, late) = steadied(&course);
            let most = |numbers: &[f64]| numbers.iter().fold(0.0_f64, |most, number| most.max(*number));
            assert!(most(&steps) < 3.5, "{name}: a step of {} degrees", most(&steps));
            assert!(most(&late) < 6.0, "{name}: late by {} degrees", most(&late));
            assert!(steps[60..].iter().all(|step| *step > 2.5), "{name}: it stands still");
        }
    }

    #[test]
    fn a_profile_is_as_steady_as_a_frontal_head() {
        // Near a yaw of 90 degrees the angles of the same small tremble go wild; the head does not.
        let tremble = |head: Pose| {
            let mut noise = Noise::new(5);
            let course: Vec<Pose> = (0..150)
                .map(|_| {
                    let shake = [noise.gauss(), noise.gauss(), noise.gauss()].map(|part| f64::from(1.5 * part));
                    (Rotation::from_vector(shake) * head.rotation()).into()
                })
                .collect();
            let mut filter = PoseFilter::new();
            let rms = |heads: &[Pose]| {
                let squares = heads[15..].iter().map(|pose| pose.rotation().angle_to(head.rotation()).powi(2));
                (squares.sum::<f64>() / (heads.len() - 15) as f64).sqrt()
            };
            let steadied: Vec<Pose> = course.iter().map(|pose| filter.filter(*pose, FRAME_S)).collect();
            (rms(&course), rms(&steadied))
        };
        let (_, frontal) = tremble(Pose::default());
        for head in [Pose { yaw: 89.0, pitch: 15.0, roll: -5.0 }, Pose { yaw: 40.0, pitch: -20.0, roll: 179.0 }] {
            let (raw, steadied) = tremble(head);
            assert!(steadied < 0.6 * raw, "{head:?}: {steadied} of {raw}");
            assert!((steadied - frontal).abs() < 0.02 * frontal, "{head:?}: {steadied} instead of {frontal}");
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
