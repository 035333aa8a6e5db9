//! Points, rectangles and head poses, in the units that every room of the house shares.

use serde::{Deserialize, Serialize};

/// A point in pixels of the unmirrored source picture, origin top left, y down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Pixels from the left edge.
    pub x: f32,
    /// Pixels from the top edge.
    pub y: f32,
}

/// An axis-aligned rectangle in pixels of the unmirrored source picture, origin top left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rect {
    /// Left edge, pixels.
    pub x: f32,
    /// Top edge, pixels.
    pub y: f32,
    /// Width, pixels.
    pub width: f32,
    /// Height, pixels.
    pub height: f32,
}

impl Rect {
    /// A rectangle from its top left corner and its size.
    pub const fn new(x: f32, y: f32, width: f32, height: f32) -> Self {
        Self { x, y, width, height }
    }

    /// A square around `center` with the given `side` in pixels.
    pub fn square(center: Point, side: f32) -> Self {
        Self::new(center.x - side / 2.0, center.y - side / 2.0, side, side)
    }

    /// Right edge, pixels.
    pub fn right(&self) -> f32 {
        self.x + self.width
    }

    /// Bottom edge, pixels.
    pub fn bottom(&self) -> f32 {
        self.y + self.height
    }

    /// The middle of the rectangle.
    pub fn center(&self) -> Point {
        Point { x: self.x + self.width / 2.0, y: self.y + self.height / 2.0 }
    }

    /// Area in square pixels; 0 for a rectangle turned inside out.
    pub fn area(&self) -> f32 {
        self.width.max(0.0) * self.height.max(0.0)
    }

    /// The common part of two rectangles, or `None` where they do not overlap.
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let (x, y) = (self.x.max(other.x), self.y.max(other.y));
        let (right, bottom) = (self.right().min(other.right()), self.bottom().min(other.bottom()));
        (right > x && bottom > y).then(|| Self::new(x, y, right - x, bottom - y))
    }

    /// Intersection over union, 0 to 1.
    pub fn iou(&self, other: &Self) -> f32 {
        let common = self.intersection(other).map_or(0.0, |rect| rect.area());
        let union = self.area() + other.area() - common;
        if union > 0.0 { common / union } else { 0.0 }
    }

    /// The rectangle scaled about its own middle.
    pub fn scaled(&self, factor: f32) -> Self {
        let center = self.center();
        let (width, height) = (self.width * factor, self.height * factor);
        Self::new(center.x - width / 2.0, center.y - height / 2.0, width, height)
    }

    /// The rectangle moved by `dx`, `dy` pixels.
    pub fn translated(&self, dx: f32, dy: f32) -> Self {
        Self::new(self.x + dx, self.y + dy, self.width, self.height)
    }
}

/// A head pose in degrees, with the signs of 300W-LP and FSA-Net.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pose {
    /// Above zero: the nose points towards the left edge of the unmirrored picture.
    pub yaw: f32,
    /// Above zero: looking up.
    pub pitch: f32,
    /// Above zero: the head is turned clockwise as the unmirrored picture shows it.
    pub roll: f32,
}

impl Pose {
    /// The pose of the same head seen in a mirror: yaw and roll change their signs.
    pub fn mirrored(self) -> Self {
        Self { yaw: -self.yaw, pitch: self.pitch, roll: -self.roll }
    }

    /// The rotation matrix, by rows: `R = Rx(-pitch) Ry(yaw) Rz(roll)`, as [`Pose::from_rotation`] reads it.
    pub fn rotation(self) -> [[f32; 3]; 3] {
        let [(sin_y, cos_y), (sin_p, cos_p), (sin_r, cos_r)] =
            [self.yaw, self.pitch, self.roll].map(|angle| angle.to_radians().sin_cos());
        [
            [cos_y * cos_r, -cos_y * sin_r, sin_y],
            [cos_p * sin_r - sin_p * sin_y * cos_r, cos_p * cos_r + sin_p * sin_y * sin_r, sin_p * cos_y],
            [-sin_p * sin_r - cos_p * sin_y * cos_r, cos_p * sin_y * sin_r - sin_p * cos_r, cos_p * cos_y],
        ]
    }

    /// The pose of a head whose coordinates `rotation` (by rows) takes to the camera's: x to the right of the picture, y
    /// down, z away from the camera. The unturned head looks into the camera, against z.
    ///
    /// 300W-LP's angles turn the head by its roll first, then by yaw, then by pitch: `R = Rx(-pitch) Ry(yaw) Rz(roll)` in
    /// these axes, with the signs of [`Pose`]. So the last column is `(sin yaw, sin pitch cos yaw, cos pitch cos yaw)`, and
    /// the first row begins with `(cos yaw cos roll, -cos yaw sin roll)`. The axes that FSA-Net's demo draws are the columns
    /// of this matrix, and Hopenet's reading of the BIWI data takes the same numbers from it. Yaw is -90 to 90 degrees.
    pub fn from_rotation(rotation: &[[f32; 3]; 3]) -> Self {
        let [x, y, z] = rotation;
        let yaw = x[2].atan2(y[2].hypot(z[2]));
        let pitch = y[2].atan2(z[2]);
        let roll = (-x[1]).atan2(x[0]);
        Self { yaw: yaw.to_degrees(), pitch: pitch.to_degrees(), roll: roll.to_degrees() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iou_of_equal_disjoint_and_half_overlapping_rectangles() {
        let a = Rect::new(0.0, 0.0, 10.0, 10.0);
        assert!((a.iou(&a) - 1.0).abs() < 1e-6);
        assert_eq!(a.iou(&a.translated(20.0, 0.0)), 0.0);
        assert!((a.iou(&a.translated(5.0, 0.0)) - 1.0 / 3.0).abs() < 1e-6);
        assert_eq!(Rect::default().iou(&Rect::default()), 0.0);
    }

    #[test]
    fn scaling_keeps_the_middle() {
        let rect = Rect::new(10.0, 20.0, 30.0, 40.0);
        assert_eq!(rect.scaled(2.0), Rect::new(-5.0, 0.0, 60.0, 80.0));
        assert_eq!(rect.scaled(0.5).center(), rect.center());
    }

    #[test]
    fn a_mirror_negates_yaw_and_roll_only() {
        let pose = Pose { yaw: 10.0, pitch: 5.0, roll: -3.0 };
        assert_eq!(pose.mirrored(), Pose { yaw: -10.0, pitch: 5.0, roll: 3.0 });
    }

    fn near(a: Pose, b: Pose) -> bool {
        [a.yaw - b.yaw, a.pitch - b.pitch, a.roll - b.roll].iter().all(|difference| difference.abs() < 1e-3)
    }

    #[test]
    fn a_rotation_matrix_gives_its_angles_back() {
        for (yaw, pitch, roll) in [(0.0, 0.0, 0.0), (30.0, 0.0, 0.0), (-20.0, 35.0, 50.0), (70.0, -40.0, -85.0)] {
            let pose = Pose { yaw, pitch, roll };
            assert!(near(Pose::from_rotation(&pose.rotation()), pose), "{pose:?}");
        }
    }

    #[test]
    fn signs_are_those_of_the_picture() {
        // Where the nose points (against the head's z) and the head's right side, in the picture's axes.
        let nose = |pose: Pose| pose.rotation().map(|row| -row[2]);
        assert!(nose(Pose { yaw: 20.0, ..Pose::default() })[0] < -0.3, "to the picture's left");
        assert!(nose(Pose { pitch: 20.0, ..Pose::default() })[1] < -0.3, "up");
        let right = Pose { roll: 20.0, ..Pose::default() }.rotation().map(|row| row[0]);
        assert!(right[1] > 0.3, "the picture's right ear goes down: clockwise");
    }

    #[test]
    fn the_axes_are_those_that_fsa_nets_demo_draws() {
        let pose = Pose { yaw: 25.0, pitch: -15.0, roll: 40.0 };
        let (y, p, r) = (-pose.yaw.to_radians(), pose.pitch.to_radians(), pose.roll.to_radians());
        let red = [y.cos() * r.cos(), p.cos() * r.sin() + r.cos() * p.sin() * y.sin()];
        let green = [-y.cos() * r.sin(), p.cos() * r.cos() - p.sin() * y.sin() * r.sin()];
        let blue = [y.sin(), -y.cos() * p.sin()];
        let rotation = pose.rotation();
        for (axis, (drawn, sign)) in [(red, 1.0), (green, 1.0), (blue, -1.0)].into_iter().enumerate() {
            for row in 0..2 {
                assert!((sign * rotation[row][axis] - drawn[row]).abs() < 1e-6, "axis {axis}, row {row}");
            }
        }
    }
}
