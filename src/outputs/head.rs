//! One head as opentrack's input "UDP over network" takes it.

use crate::geometry::{Pose, Rect};

/// Horizontal angle of view that is assumed of a camera, degrees: that of most webcams.
pub const VIEW_DEGREES: f32 = 60.0;
/// Width of a head that is assumed, cm: what the box of a grown-up's face spans.
pub const FACE_WIDTH_CM: f32 = 15.0;

/// Place and turn of a head as its owner feels them, with opentrack's signs. The place is a rough one: nobody told how
/// wide the head is and what the camera's lens does. Programs that steer by it use its changes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Head {
    /// Centimetres to the person's right of the camera.
    pub x: f64,
    /// Centimetres above the middle of the picture.
    pub y: f64,
    /// Centimetres from the camera.
    pub z: f64,
    /// Degrees; above zero: turned to the person's right.
    pub yaw: f64,
    /// Degrees; above zero: looking up.
    pub pitch: f64,
    /// Degrees; above zero: tilted to the person's right shoulder.
    pub roll: f64,
}

/// What counts as straight ahead: the head at the moment when the user centred.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Offsets(Option<Head>);

impl Head {
    /// The head in the box `rect` of a picture of `width` x `height` pixels. Without a head pose the angles are 0.
    pub fn new(rect: Rect, pose: Option<Pose>, (width, height): (u32, u32)) -> Self {
        // Pinhole camera: a thing of `w` cm at a distance of `z` cm spans focal * w / z pixels.
        let focal = f64::from(width) / 2.0 / f64::from(VIEW_DEGREES / 2.0).to_radians().tan();
        let side = f64::from(rect.width.max(1.0));
        let cm_per_pixel = f64::from(FACE_WIDTH_CM) / side;
        let center = rect.center();
        let pose = pose.unwrap_or_default();
        Self {
            // Who looks into a camera has the picture's left at their right hand.
            x: (f64::from(width) / 2.0 - f64::from(center.x)) * cm_per_pixel,
            y: (f64::from(height) / 2.0 - f64::from(center.y)) * cm_per_pixel,
            z: focal * cm_per_pixel,
            yaw: pose.yaw.into(),
            pitch: pose.pitch.into(),
            roll: -f64::from(pose.roll),
        }
    }

    /// The datagram: x, y, z, yaw, pitch, roll as little-endian doubles, 48 bytes.
    pub fn datagram(self) -> [u8; 48] {
        let Self { x, y, z, yaw, pitch, roll } = self;
        let mut bytes = [0; 48];
        for (place, number) in bytes.chunks_exact_mut(8).zip([x, y, z, yaw, pitch, roll]) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        bytes
    }
}

impl Offsets {
    /// From now on `head` counts as straight ahead in the middle.
    pub fn centre(&mut self, head: Head) {
        self.0 = Some(head);
    }

    /// `head` from there; its z is how much nearer to the camera it is. Before the first centring the distance to the
    /// camera counts as the one in the middle, so that nothing jumps by half a metre.
    pub fn apply(&self, head: Head) -> Head {
        let zero = self.0.unwrap_or(Head { z: head.z, ..Head::default() });
        Head {
            x: head.x - zero.x,
            y: head.y - zero.y,
            z: zero.z - head.z,
            yaw: around(head.yaw - zero.yaw),
            pitch: head.pitch - zero.pitch,
            roll: around(head.roll - zero.roll),
        }
    }
}

/// An angle from -180 to below 180 degrees.
fn around(degrees: f64) -> f64 {
    (degrees + 180.0).rem_euclid(360.0) - 180.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Point;

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

    #[test]
    fn signs_are_those_of_the_person() {
        // The picture's left is the person's right; a box above the middle is a head that is up.
        let pose = Pose { yaw: 20.0, pitch: 5.0, roll: 10.0 };
        let head = head_at(220.0, 140.0, 150.0, pose);
        close(head.x, 10.0);
        close(head.y, 10.0);
        // Nose to the picture's left: turned to the own right. Clockwise in the picture: to the own left shoulder.
        assert_eq!((head.yaw, head.pitch, head.roll), (20.0, 5.0, -10.0));
    }

    #[test]
    fn the_datagram_is_six_little_endian_doubles() {
        let head = Head { x: 1.0, y: -2.0, z: 3.5, yaw: -90.0, pitch: 0.25, roll: 1e-3 };
        let bytes = head.datagram();
        let numbers: Vec<f64> =
            bytes.chunks_exact(8).map(|eight| f64::from_le_bytes(eight.try_into().unwrap())).collect();
        assert_eq!(numbers, [1.0, -2.0, 3.5, -90.0, 0.25, 1e-3]);
        assert_eq!(bytes[..8], [0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
    }

    #[test]
    fn centring_makes_the_present_head_straight_ahead() {
        let mut offsets = Offsets::default();
        let first = head_at(300.0, 250.0, 100.0, Pose { yaw: 12.0, pitch: -7.0, roll: 175.0 });
        // Without centring only the distance is relative.
        let raw = offsets.apply(first);
        assert_eq!((raw.yaw, raw.pitch, raw.z), (12.0, -7.0, 0.0));
        offsets.centre(first);
        assert_eq!(offsets.apply(first), Head::default());
        let nearer = offsets.apply(head_at(300.0, 250.0, 200.0, Pose { yaw: 2.0, pitch: -7.0, roll: -175.0 }));
        close(nearer.yaw, -10.0);
        assert!(nearer.z > 10.0, "towards the camera is above zero: {}", nearer.z);
        // From 175 to -175 degrees are ten, not 350.
        close(nearer.roll, -10.0);
    }

    #[test]
    fn a_head_without_a_pose_has_a_place_only() {
        let head = Head::new(Rect::new(0.0, 0.0, 0.0, 0.0), None, (640, 480));
        assert_eq!((head.yaw, head.pitch, head.roll), (0.0, 0.0, 0.0));
        assert!(head.z.is_finite() && head.x.is_finite());
    }
}
