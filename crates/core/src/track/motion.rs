//! Where a face will be: a Kalman filter with constant velocity for its middle, and its size.
//!
//! R. E. Kalman 1960; the model is the white-noise acceleration of Bar-Shalom, Li, Kirubarajan 2001, section 6.2.2:
//! state (position, velocity), process noise `q [dt^3/3, dt^2/2; dt^2/2, dt]`, measured position with variance `r`.
//! All noise is relative to the face's size, so that near and far faces are treated alike.

use crate::geometry::{Point, Rect};

/// How much a velocity wanders: (sizes a second)² per second. A head changes its speed by about 3 sizes a second
/// within a third of a second.
const WANDER: f32 = 30.0;
/// Standard deviation of a detector's middle, in sizes.
const MEASURED_SD: f32 = 0.04;
/// Standard deviation of the velocity of a face just found, in sizes a second.
const FIRST_SPEED_SD: f32 = 3.0;
/// What share of a new size is believed.
const SIZE_GAIN: f32 = 0.5;

/// For how long a velocity holds fully, and the time constant with which it fades then.
const SURE_S: f32 = 0.15;
const FADE_S: f32 = 0.7;

#[derive(Clone, Copy, Debug)]
struct MotionAxis {
    position: f32,
    velocity: f32,
    /// The covariance: variances of position and velocity, and what they share.
    var_position: f32,
    covariance: f32,
    var_velocity: f32,
}

impl MotionAxis {
    fn new(position: f32, size: f32) -> Self {
        Self {
            position,
            velocity: 0.0,
            var_position: (MEASURED_SD * size).powi(2),
            covariance: 0.0,
            var_velocity: (FIRST_SPEED_SD * size).powi(2),
        }
    }

    /// `moved_dt`: for how much of `dt` the velocity holds.
    fn predict(&mut self, dt: f32, moved_dt: f32, size: f32) {
        let q = WANDER * size * size;
        self.position += self.velocity * moved_dt;
        self.var_position += dt * (2.0 * self.covariance + dt * self.var_velocity) + q * dt.powi(3) / 3.0;
        self.covariance += dt * self.var_velocity + q * dt * dt / 2.0;
        self.var_velocity += q * dt;
    }

    fn correct(&mut self, measured: f32, size: f32) {
        let r = (MEASURED_SD * size).powi(2);
        let innovation = self.var_position + r;
        let (gain_position, gain_velocity) = (self.var_position / innovation, self.covariance / innovation);
        let residual = measured - self.position;
        self.position += gain_position * residual;
        self.velocity += gain_velocity * residual;
        self.var_velocity -= gain_velocity * self.covariance;
        self.covariance *= 1.0 - gain_position;
        self.var_position *= 1.0 - gain_position;
    }
}

/// The motion of one face.
#[derive(Clone, Debug)]
pub(super) struct Motion {
    x: MotionAxis,
    y: MotionAxis,
    width: f32,
    height: f32,
}

impl Motion {
    /// A face just found; `rect` must be finite with sides above 0.
    pub(super) fn new(rect: &Rect) -> Self {
        let (center, size) = (rect.center(), size_of(rect));
        Self {
            x: MotionAxis::new(center.x, size),
            y: MotionAxis::new(center.y, size),
            width: rect.width,
            height: rect.height,
        }
    }

    /// Goes on by `dt_s` seconds, after `unseen_s` seconds without a [`correct`](Self::correct).
    pub(super) fn predict(&mut self, dt_s: f32, unseen_s: f32) {
        let size = self.size();
        let moved_s = coasted_s(unseen_s + dt_s) - coasted_s(unseen_s);
        self.x.predict(dt_s, moved_s, size);
        self.y.predict(dt_s, moved_s, size);
    }

    /// Takes in where the face really was.
    pub(super) fn correct(&mut self, rect: &Rect) {
        let (center, size) = (rect.center(), size_of(rect));
        self.x.correct(center.x, size);
        self.y.correct(center.y, size);
        self.width += SIZE_GAIN * (rect.width - self.width);
        self.height += SIZE_GAIN * (rect.height - self.height);
    }

    /// Where the face should be now.
    pub(super) fn rect(&self) -> Rect {
        let center = Point { x: self.x.position, y: self.y.position };
        Rect::new(center.x - self.width / 2.0, center.y - self.height / 2.0, self.width, self.height)
    }

    /// The face's size in pixels: the root of its area.
    pub(super) fn size(&self) -> f32 {
        (self.width * self.height).sqrt()
    }
}

/// For how long a velocity holds in `unseen_s` seconds. Who is hidden may have stopped or turned back as well as gone
/// on: the longer ago, the less the old velocity says.
fn coasted_s(unseen_s: f32) -> f32 {
    let unsure_s = (unseen_s - SURE_S).max(0.0);
    unseen_s.min(SURE_S) + FADE_S * (1.0 - (-unsure_s / FADE_S).exp())
}

/// The root of a rectangle's area, pixels.
pub(super) fn size_of(rect: &Rect) -> f32 {
    rect.area().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::testing::Noise;

    #[test]
    fn a_face_in_steady_motion_is_expected_near_its_way_after_half_a_second_unseen() {
        let mut noise = Noise::new(5);
        let at = |time_s: f32| Point { x: 100.0 + 200.0 * time_s, y: 300.0 - 50.0 * time_s };
        let mut motion = Motion::new(&Rect::square(at(0.0), 80.0));
        for frame in 1..=15 {
            motion.predict(1.0 / 30.0, 0.0);
            let middle = at(frame as f32 / 30.0);
            motion.correct(&Rect::square(Point { x: middle.x + noise.gauss(), y: middle.y + noise.gauss() }, 80.0));
        }
        for frame in 0..15 {
            motion.predict(1.0 / 30.0, frame as f32 / 30.0);
        }
        // 2.6 sizes on its way, it is expected within half a size.
        let (found, truth) = (motion.rect().center(), at(1.0));
        assert!((found.x - truth.x).hypot(found.y - truth.y) < 40.0, "{found:?} instead of {truth:?}");
    }

    #[test]
    fn a_face_that_holds_still_is_not_thrown_off_by_a_trembling_box() {
        let mut noise = Noise::new(9);
        let mut motion = Motion::new(&Rect::square(Point { x: 100.0, y: 100.0 }, 50.0));
        for _ in 0..60 {
            motion.predict(1.0 / 30.0, 0.0);
            let middle = Point { x: 100.0 + 1.5 * noise.gauss(), y: 100.0 + 1.5 * noise.gauss() };
            motion.correct(&Rect::square(middle, 50.0 + noise.gauss()));
        }
        motion.predict(0.3, 0.0);
        let found = motion.rect().center();
        assert!((found.x - 100.0).hypot(found.y - 100.0) < 20.0, "{found:?}");
    }
}
