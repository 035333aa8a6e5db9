//! The views of a face that a teacher is shown, and how its answers become answers about the face as it is.

use facelens_core::frame::Sampler;
use facelens_core::geometry::Pose;

/// How far a face is turned in the picture's plane, degrees: enough to take away noise, and little for networks that were
/// trained on upright faces.
const TURN_DEGREES: f32 = 4.0;

/// The face as it is and turned to both sides, and the same in a mirror: a set that a mirror maps onto itself, so that
/// the label of a mirrored face is the mirrored label. So are the first two alone.
pub const VIEWS: [View; 6] = [
    View { mirrored: false, clockwise: 0.0 },
    View { mirrored: true, clockwise: 0.0 },
    View { mirrored: false, clockwise: TURN_DEGREES },
    View { mirrored: true, clockwise: TURN_DEGREES },
    View { mirrored: false, clockwise: -TURN_DEGREES },
    View { mirrored: true, clockwise: -TURN_DEGREES },
];

/// One view of a face: mirrored first, then turned about the middle of its picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Left and right exchanged.
    pub mirrored: bool,
    /// Then turned clockwise as displayed, degrees.
    pub clockwise: f32,
}

impl View {
    /// The face of a square picture (`side * side * 3` bytes, RGB) in this view.
    pub fn of(&self, picture: &[u8], side: usize) -> Vec<u8> {
        let mut view = picture.to_vec();
        if self.mirrored {
            for row in view.chunks_exact_mut(side * 3) {
                mirror_row(row);
            }
        }
        if self.clockwise == 0.0 { view } else { turned(&view, side, self.clockwise) }
    }

    /// The pose of the face as it is, from its pose in this view.
    pub fn undo(&self, pose: Pose) -> Pose {
        let upright = pose.turned(-self.clockwise);
        if self.mirrored { upright.mirrored() } else { upright }
    }
}

fn mirror_row(row: &mut [u8]) {
    row.reverse();
    for pixel in row.chunks_exact_mut(3) {
        pixel.reverse();
    }
}

/// A square picture (`side * side * 3` bytes, RGB) turned clockwise as displayed about its middle, with bilinear
/// interpolation. What was outside repeats the edge.
pub fn turned(picture: &[u8], side: usize, clockwise_degrees: f32) -> Vec<u8> {
    let (sin, cos) = clockwise_degrees.to_radians().sin_cos();
    let middle = side as f32 / 2.0 - 0.5;
    let source = Sampler::new(picture, side, side);
    let mut out = vec![0; picture.len()];
    for (place, pixel) in out.chunks_exact_mut(3).enumerate() {
        let (x, y) = ((place % side) as f32 - middle, (place / side) as f32 - middle);
        // With y down, a clockwise turn takes (x, y) to (cos x - sin y, sin x + cos y); this is the way back.
        source.read(cos * x + sin * y + middle, cos * y - sin * x + middle, pixel);
    }
    out
}

#[cfg(test)]
mod tests {
    use facelens_core::geometry::Rotation;

    use super::*;

    /// A black picture of 9 x 9 with a red pixel.
    fn dot(x: usize, y: usize) -> Vec<u8> {
        let mut picture = vec![0; 9 * 9 * 3];
        picture[(y * 9 + x) * 3] = 255;
        picture
    }

    fn red(picture: &[u8]) -> (usize, usize) {
        let place = picture.chunks_exact(3).position(|pixel| pixel[0] > 200).unwrap();
        (place % 9, place / 9)
    }

    #[test]
    fn a_quarter_turn_takes_the_top_to_the_right() {
        assert_eq!(red(&turned(&dot(4, 0), 9, 90.0)), (8, 4));
        assert_eq!(red(&turned(&dot(8, 4), 9, 90.0)), (4, 8));
        assert_eq!(red(&turned(&dot(4, 0), 9, -90.0)), (0, 4));
        let picture: Vec<u8> = (0..9 * 9 * 3).map(|i| (i * 7 % 256) as u8).collect();
        assert_eq!(turned(&picture, 9, 0.0), picture);
    }

    #[test]
    fn a_mirror_comes_before_the_turn() {
        let view = View { mirrored: true, clockwise: 90.0 };
        // The left edge is mirrored to the right edge, which a clockwise turn takes to the bottom.
        assert_eq!(red(&view.of(&dot(0, 4), 9)), (4, 8));
    }

    #[test]
    fn what_is_seen_in_a_view_is_undone() {
        let face = Pose { yaw: 40.0, pitch: -20.0, roll: 3.0 };
        let far = [-30.0, 30.0].map(|clockwise| View { mirrored: true, clockwise });
        for view in VIEWS.into_iter().chain(far) {
            let seen = if view.mirrored { face.rotation().mirrored() } else { face.rotation() };
            // The picture's turn, as a matrix: Rz(clockwise) R.
            let (sin, cos) = f64::from(view.clockwise).to_radians().sin_cos();
            let [x, y, z] = seen.matrix();
            let turned = |a: f64, b: f64| std::array::from_fn(|column| a * x[column] + b * y[column]);
            let seen = Rotation::from_matrix(&[turned(cos, -sin), turned(sin, cos), z]);
            let undone = view.undo(seen.into());
            assert!(undone.differences(face).iter().all(|off| *off < 1e-4), "{view:?}: {undone:?}");
        }
    }

    #[test]
    fn the_views_are_their_own_mirror_image() {
        let pictures = |picture: &[u8]| -> Vec<_> { VIEWS.iter().map(|view| view.of(picture, 9)).collect() };
        let (plain, mirrored) = (pictures(&dot(2, 1)), pictures(&dot(6, 1)));
        // The mirrored picture as it is, is the plain picture's mirrored view, and so on.
        for (index, view) in VIEWS.iter().enumerate() {
            let other =
                VIEWS.iter().position(|o| o.mirrored != view.mirrored && o.clockwise == view.clockwise).unwrap();
            assert_eq!(plain[index], mirrored[other], "{view:?}");
        }
    }
}
