//! One head as opentrack's input "UDP over network" takes it.

use facelens_core::geometry::{Pose, Rect, Rotation};

/// Horizontal angle of view that is assumed of a camera, degrees: that of most webcams.
pub const VIEW_DEGREES: f32 = 60.0;
/// Width of a head that is assumed, cm: what the box of a grown-up's face spans.
pub const FACE_WIDTH_CM: f32 = 15.0;
/// Below this cosine of the pitch, yaw and roll turn about the same axis to within what can be reckoned.
const GIMBAL_LOCK: f64 = 1e-9;

/// Place and rotation of a head. The place is a rough one: nobody told how wide the head is and what the camera's lens does.
/// Programs that steer by it use its changes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Head {
    /// Centimetres to the person's right of the camera.
    pub x: f64,
    /// Centimetres above the middle of the picture.
    pub y: f64,
    /// Centimetres from the camera.
    pub z: f64,
    /// How the head is turned; `None` without a head pose.
    pub rotation: Option<Rotation>,
}

/// The angles of a head as opentrack takes them, degrees.
///
/// opentrack turns a head by its roll first, then by pitch, then by yaw (`euler_to_rmat` in its `compat/euler.cpp`, and
/// `QQuaternion::fromEulerAngles` where it centres): yaw is about the upright axis of the room, not of the tilted head. That
/// is another order than 300W-LP's, so of a head that is turned in more than one way the numbers differ from those of a
/// [`Pose`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Angles {
    /// Above zero: turned to the person's right.
    pub yaw: f64,
    /// Above zero: looking up. Within 90 degrees.
    pub pitch: f64,
    /// Above zero: tilted to the person's right shoulder.
    pub roll: f64,
}

/// What counts as straight ahead: the head at the moment when the user centred.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offsets(Option<Head>);

impl Head {
    /// The head in the box `rect` of a picture of `width` x `height` pixels.
    pub fn new(rect: Rect, pose: Option<Pose>, (width, height): (u32, u32)) -> Self {
        // Pinhole camera: a thing of `w` cm at a distance of `z` cm spans focal * w / z pixels.
        let focal = f64::from(width) / 2.0 / f64::from(VIEW_DEGREES / 2.0).to_radians().tan();
        let side = f64::from(rect.width.max(1.0));
        let cm_per_pixel = f64::from(FACE_WIDTH_CM) / side;
        let center = rect.center();
        Self {
            // Who looks into a camera has the picture's left at their right hand.
            x: (f64::from(width) / 2.0 - f64::from(center.x)) * cm_per_pixel,
            y: (f64::from(height) / 2.0 - f64::from(center.y)) * cm_per_pixel,
            z: focal * cm_per_pixel,
            rotation: pose.map(Pose::rotation),
        }
    }

    /// The angles; 0 without a head pose.
    pub fn angles(self) -> Angles {
        self.rotation.map(Angles::from).unwrap_or_default()
    }

    /// The datagram: x, y, z, yaw, pitch, roll as little-endian doubles, 48 bytes.
    pub fn datagram(self) -> [u8; 48] {
        let Self { x, y, z, .. } = self;
        let Angles { yaw, pitch, roll } = self.angles();
        let mut bytes = [0; 48];
        for (place, number) in bytes.chunks_exact_mut(8).zip([x, y, z, yaw, pitch, roll]) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }
}

impl From<Rotation> for Angles {
    /// Read from `R = Ry(yaw) Rx(-pitch) Rz(-roll)` in the axes of [`Rotation`]. Straight up or down yaw and roll turn about
    /// the same axis: all of it is the yaw then.
    fn from(rotation: Rotation) -> Self {
        let [x, y, z] = rotation.matrix();
        let cos_pitch = x[2].hypot(z[2]);
        let (yaw, roll) =
            if cos_pitch < GIMBAL_LOCK { ((-z[0]).atan2(x[0]), 0.0) } else { (x[2].atan2(z[2]), (-y[0]).atan2(y[1])) };
        let pitch = y[2].atan2(cos_pitch);
        // Plus zero, so that no zero has a sign.
        let [yaw, pitch, roll] = [yaw, pitch, roll].map(|angle| angle.to_degrees() + 0.0);
        Self { yaw, pitch, roll }
    }
}

impl Offsets {
    /// From now on `head` counts as straight ahead in the middle.
    pub fn centre(&mut self, head: Head) {
        self.0 = Some(head);
    }

    /// `head` from there: how it is turned against the head that was centred, about that head's own axes, as opentrack
    /// centres, too; its z is how much nearer to the camera it is. Before the first centring the distance to the camera
    /// counts as the one in the middle, so that nothing jumps by half a metre.
    pub fn apply(&self, head: Head) -> Head {
        let zero = self.0.unwrap_or(Head { z: head.z, ..Head::default() });
        let ahead = zero.rotation.unwrap_or_default();
        Head {
            x: head.x - zero.x,
            y: head.y - zero.y,
            z: zero.z - head.z,
            rotation: head.rotation.map(|rotation| ahead.inverse() * rotation),
        }
    }
}

#[cfg(test)]
mod tests {
    use facelens_core::geometry::Point;

    use super::*;

    fn head_at(x: f32, y: f32, side: f32, pose: Pose) -> Head {
        Head::new(Rect::square(Point { x, y }, side), Some(pose), (640, 480))
    }

    fn close(got: f64, expected: f64) {
        assert!((got - expected).abs() < 1e-6, "{got} instead of {expected}");
    }

    #[test]
    fn a_head_in_the_middle_is_as_far_as_its_size_says() {
        let near = head_at(320.0, 240.0, 160.0, Pose::default());
        let far = head_at(320.0, 240.0, 80.0, Pose::default());
        close(near.x, 0.0);
        close(near.y, 0.0);
        // 320 / tan 30° = 554.26 pixels of focal length.
        assert!((near.z - 554.26 * 15.0 / 160.0).abs() < 0.01, "{}", near.z);
        close(far.z, 2.0 * near.z);
    }

    #[track_caller]
    fn assert_angles(head: Head, expected: [f64; 3]) {
        let Angles { yaw, pitch, roll } = head.angles();
        for (got, expected) in [yaw, pitch, roll].into_iter().zip(expected) {
            assert!((got - expected).abs() < 1e-4, "{:?} instead of {expected:?}", head.angles());
        }
    }

    #[test]
    fn signs_are_those_of_the_person() {
        // The picture's left is the person's right; a box above the middle is a head that is up.
        let head = head_at(220.0, 140.0, 150.0, Pose { yaw: 20.0, ..Pose::default() });
        close(head.x, 10.0);
        close(head.y, 10.0);
        // Nose to the picture's left: turned to the own right. Clockwise in the picture: to the own left shoulder.
        assert_angles(head, [20.0, 0.0, 0.0]);
        assert_angles(head_at(0.0, 0.0, 9.0, Pose { pitch: 5.0, ..Pose::default() }), [0.0, 5.0, 0.0]);
        assert_angles(head_at(0.0, 0.0, 9.0, Pose { roll: 10.0, ..Pose::default() }), [0.0, 0.0, -10.0]);
    }

    #[test]
    fn the_angles_turn_the_head_in_opentracks_order() {
        let turn = |vector: [f64; 3]| Rotation::from_vector(vector);
        for (yaw, pitch, roll) in [(40.0, -20.0, 30.0), (-120.0, 60.0, -170.0), (0.5, 89.0, 3.0)] {
            let rotation = turn([0.0, yaw, 0.0]) * turn([-pitch, 0.0, 0.0]) * turn([0.0, 0.0, -roll]);
            assert_angles(Head { rotation: Some(rotation), ..Head::default() }, [yaw, pitch, roll]);
        }
        // Straight up only the difference of yaw and roll is there.
        let up = turn([0.0, 25.0, 0.0]) * turn([-90.0, 0.0, 0.0]) * turn([0.0, 0.0, 5.0]);
        let angles = Angles::from(up);
        let again = turn([0.0, angles.yaw, 0.0]) * turn([-angles.pitch, 0.0, 0.0]) * turn([0.0, 0.0, -angles.roll]);
        assert!(again.angle_to(up) < 1e-6, "{angles:?}");
    }

    #[test]
    fn the_datagram_is_six_little_endian_doubles() {
        let rotation = Some(Rotation::from_vector([0.0, -90.0, 0.0]));
        let bytes = Head { x: 1.0, y: -2.0, z: 3.5, rotation }.datagram();
        let numbers: Vec<f64> =
            bytes.chunks_exact(8).map(|eight| f64::from_le_bytes(eight.try_into().unwrap())).collect();
        assert_eq!(numbers[..3], [1.0, -2.0, 3.5]);
        for (number, expected) in numbers[3..].iter().zip([-90.0, 0.0, 0.0]) {
            close(*number, expected);
        }
        assert_eq!(bytes[..8], [0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
    }

    #[test]
    fn centring_makes_the_present_head_straight_ahead() {
        let mut offsets = Offsets::default();
        let first = head_at(300.0, 250.0, 100.0, Pose { yaw: 12.0, pitch: -7.0, roll: 175.0 });
        // Without centring only the distance is relative.
        let raw = offsets.apply(first);
        assert_eq!((raw.x, raw.y, raw.z), (first.x, first.y, 0.0));
        assert_eq!(raw.angles(), first.angles());
        offsets.centre(first);
        let same = offsets.apply(first);
        assert_eq!((same.x, same.y, same.z), (0.0, 0.0, 0.0));
        assert_angles(same, [0.0; 3]);
        let nearer = offsets.apply(head_at(300.0, 250.0, 200.0, Pose::default()));
        assert!(nearer.z > 10.0, "towards the camera is above zero: {}", nearer.z);
        // From 175 to -175 degrees are ten, not 350.
        let [one, other] = [175.0, -175.0].map(|roll| head_at(0.0, 0.0, 100.0, Pose { roll, ..Pose::default() }));
        offsets.centre(one);
        assert_angles(offsets.apply(other), [0.0, 0.0, -10.0]);
    }

    #[test]
    fn a_turn_counts_from_the_head_that_was_centred() {
        // The camera stands aside and above, and is not level: straight ahead is a head turned in all three ways.
        let ahead = Pose { yaw: 40.0, pitch: -20.0, roll: 10.0 };
        let mut offsets = Offsets::default();
        offsets.centre(head_at(0.0, 0.0, 100.0, ahead));
        // The person turns by 25 degrees to the right about their own neck, nods by 15, tilts by 30: from any of these the
        // difference of the angles that the camera sees is another.
        for (vector, expected) in [
            ([0.0, 25.0, 0.0], [25.0, 0.0, 0.0]),
            ([15.0, 0.0, 0.0], [0.0, -15.0, 0.0]),
            ([0.0, 0.0, -30.0], [0.0, 0.0, 30.0]),
        ] {
            let pose = Pose::from(ahead.rotation() * Rotation::from_vector(vector));
            assert_angles(offsets.apply(head_at(0.0, 0.0, 100.0, pose)), expected);
        }
    }

    #[test]
    fn a_head_without_a_pose_has_a_place_only() {
        let head = Head::new(Rect::new(0.0, 0.0, 0.0, 0.0), None, (640, 480));
        assert_eq!(head.angles(), Angles::default());
        assert!(head.z.is_finite() && head.x.is_finite());
        let mut offsets = Offsets::default();
        offsets.centre(head_at(0.0, 0.0, 100.0, Pose { yaw: 40.0, ..Pose::default() }));
        assert_eq!(offsets.apply(head).angles(), Angles::default(), "also where a head was centred that had one");
    }
}
