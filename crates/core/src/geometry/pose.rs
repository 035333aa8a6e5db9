//! Head poses as three angles: what people read and files hold.

use serde::{Deserialize, Serialize};

use super::Rotation;

/// A head pose in degrees, with the signs and the order of 300W-LP and FSA-Net.
///
/// The angles turn the head by its roll first, then by yaw, then by pitch: `R = Rx(-pitch) Ry(yaw) Rz(roll)` in the axes of
/// [`Rotation`]. So they are no independent quantities: a turn of the picture changes all three of a head that looks aside.
/// They are not added, subtracted or averaged; that is done on the [`Rotation`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pose {
    /// Above zero: the nose points towards the left edge of the unmirrored picture.
    pub yaw: f32,
    /// Above zero: looking up.
    pub pitch: f32,
    /// Above zero: the head is turned clockwise as the unmirrored picture shows it.
    pub roll: f32,
}

/// Below this cosine of the yaw, pitch and roll turn about the same axis to within what can be reckoned.
const GIMBAL_LOCK: f64 = 1e-9;

impl Pose {
    /// The head's rotation: `Rx(-pitch) Ry(yaw) Rz(roll)`.
    ///
    /// The last column of its matrix is `(sin yaw, sin pitch cos yaw, cos pitch cos yaw)`, and the first row begins with
    /// `(cos yaw cos roll, -cos yaw sin roll)`. The axes that FSA-Net's demo draws are the columns of this matrix, and
    /// Hopenet's reading of the BIWI data takes the same numbers from it.
    pub fn rotation(self) -> Rotation {
        let [yaw, pitch, roll] = [self.yaw, self.pitch, self.roll].map(f64::from);
        Rotation::from_vector([-pitch, 0.0, 0.0])
            * Rotation::from_vector([0.0, yaw, 0.0])
            * Rotation::from_vector([0.0, 0.0, roll])
    }

    /// The pose of the same head seen in a mirror: yaw and roll change their signs.
    pub fn mirrored(self) -> Self {
        Self { yaw: -self.yaw, pitch: self.pitch, roll: -self.roll }
    }

    /// The pose of the same head where the picture is turned clockwise as displayed. A turn by 0 changes nothing.
    pub fn turned(self, clockwise_degrees: f32) -> Self {
        if clockwise_degrees == 0.0 { self } else { self.rotation().turned(clockwise_degrees).into() }
    }

    /// The [mean](Rotation::mean) of these heads; `None` of none. That of one is the one itself.
    pub fn mean(poses: &[Self]) -> Option<Self> {
        match poses {
            [one] => Some(*one),
            _ => Rotation::mean(poses.iter().map(|pose| pose.rotation())).map(Self::from),
        }
    }

    /// How far each angle is from that of the other pose, the short way round: yaw, pitch and roll, 0 to 180 degrees.
    /// For how far the heads are turned from each other take [`Rotation::angle_to`].
    pub fn differences(self, other: Self) -> [f32; 3] {
        [self.yaw - other.yaw, self.pitch - other.pitch, self.roll - other.roll].map(|difference| {
            let around = difference.rem_euclid(360.0);
            around.min(360.0 - around)
        })
    }

    /// Whether all three are numbers.
    pub fn is_finite(self) -> bool {
        [self.yaw, self.pitch, self.roll].iter().all(|angle| angle.is_finite())
    }
}

/// The angles of a rotation. Two triples mean the same rotation, `(yaw, pitch, roll)` and `(180 - yaw, pitch + 180,
/// roll + 180)`; this is the one whose pitch lies within 90 degrees, as that of every head that a camera sees does. Yaw and
/// roll go from -180 to 180. At a yaw of 90 degrees to either side pitch and roll turn about the same axis: all of it is the
/// roll then, and the pitch is 0.
impl From<Rotation> for Pose {
    fn from(rotation: Rotation) -> Self {
        let [x, y, z] = rotation.matrix();
        let cos_yaw = y[2].hypot(z[2]);
        // Which side of the head the camera sees; at a pitch of 90 degrees rounding must not decide.
        let side = if z[2] < -GIMBAL_LOCK { -1.0 } else { 1.0 };
        let (pitch, roll) = if cos_yaw < GIMBAL_LOCK {
            (0.0, y[0].atan2(y[1]))
        } else {
            ((side * y[2]).atan2(side * z[2]), (-side * x[1]).atan2(side * x[0]))
        };
        let yaw = x[2].atan2(side * cos_yaw);
        // Plus zero, so that no zero has a sign.
        let [yaw, pitch, roll] = [yaw, pitch, roll].map(|angle| angle.to_degrees() as f32 + 0.0);
        Self { yaw, pitch, roll }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: Pose, b: Pose) -> bool {
        a.differences(b).iter().all(|difference| *difference < 1e-4)
    }

    fn pose(yaw: f32, pitch: f32, roll: f32) -> Pose {
        Pose { yaw, pitch, roll }
    }

    #[test]
    fn a_mirror_negates_yaw_and_roll_only() {
        assert_eq!(pose(10.0, 5.0, -3.0).mirrored(), pose(-10.0, 5.0, 3.0));
    }

    #[test]
    fn a_tilt_changes_all_three_angles_of_a_head_that_looks_aside() {
        // Rz(30) Ry(40): sin yaw = cos 30 sin 40, tan pitch = sin 30 tan 40, tan roll = tan 30 / cos 40.
        let tilted = pose(40.0, 0.0, 0.0).turned(30.0);
        assert!(near(tilted, pose(33.825_84, 22.760_48, 37.004_5)), "{tilted:?}");
        assert!(near(tilted.turned(-30.0), pose(40.0, 0.0, 0.0)));
        assert!(near(pose(0.0, 0.0, 5.0).turned(30.0), pose(0.0, 0.0, 35.0)), "a frontal head's roll alone");
        assert_eq!(pose(40.0, 95.0, 0.0).turned(0.0), pose(40.0, 95.0, 0.0));
    }

    #[test]
    fn angles_come_back_to_the_last_bit_also_behind_the_profile() {
        for (yaw, pitch, roll) in [
            (0.0, 0.0, 0.0),
            (40.0, -20.0, 30.0),
            (-20.3, 35.7, 50.1),
            (70.0, -40.0, -85.0),
            (99.0, 12.0, -3.0),
            (-150.0, -40.0, 20.0),
            (89.999_99, 10.0, 20.0),
            (15.0, 90.0, 3.0),
            (1e-3, -1e-3, 179.9),
        ] {
            let pose = pose(yaw, pitch, roll);
            assert_eq!(Pose::from(pose.rotation()), pose);
        }
        let back = Pose::from(pose(20.0, 95.0, 10.0).rotation());
        assert!(near(back, pose(160.0, -85.0, -170.0)), "the pitch comes within 90 degrees: {back:?}");
    }

    #[test]
    fn at_a_yaw_of_90_degrees_the_rotation_is_kept() {
        for yaw in [90.0, -90.0] {
            let profile = pose(yaw, 10.0, 25.0);
            let told = Pose::from(profile.rotation());
            assert_eq!((told.yaw, told.pitch), (yaw, 0.0));
            assert!(told.rotation().angle_to(profile.rotation()) < 1e-5, "{told:?}");
        }
    }

    #[test]
    fn differences_go_the_short_way_round() {
        assert_eq!(pose(-10.0, 5.0, 179.0).differences(pose(10.0, 5.0, -179.0)), [20.0, 0.0, 2.0]);
        assert_eq!(pose(0.0, 0.0, -540.0).differences(Pose::default()), [0.0, 0.0, 180.0]);
    }

    #[test]
    fn signs_are_those_of_the_picture() {
        // Where the nose points (against the head's z) and the head's right side, in the picture's axes.
        let nose = |pose: Pose| pose.rotation().matrix().map(|row| -row[2]);
        assert!(nose(pose(20.0, 0.0, 0.0))[0] < -0.3, "to the image's left");
        assert!(nose(pose(0.0, 20.0, 0.0))[1] < -0.3, "up");
        let right = pose(0.0, 0.0, 20.0).rotation().matrix().map(|row| row[0]);
        assert!(right[1] > 0.3, "the image's right ear goes down: clockwise");
    }

    #[test]
    fn the_axes_are_those_that_fsa_nets_demo_draws() {
        let pose = pose(25.0, -15.0, 40.0);
        let [y, p, r] = [-pose.yaw, pose.pitch, pose.roll].map(|angle| f64::from(angle).to_radians());
        let red = [y.cos() * r.cos(), p.cos() * r.sin() + r.cos() * p.sin() * y.sin()];
        let green = [-y.cos() * r.sin(), p.cos() * r.cos() - p.sin() * y.sin() * r.sin()];
        let blue = [y.sin(), -y.cos() * p.sin()];
        let rotation = pose.rotation().matrix();
        for (axis, (drawn, sign)) in [(red, 1.0), (green, 1.0), (blue, -1.0)].into_iter().enumerate() {
            for row in 0..2 {
                assert!((sign * rotation[row][axis] - drawn[row]).abs() < 1e-12, "axis {axis}, row {row}");
            }
        }
    }
}
