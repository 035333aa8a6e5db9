//! The three axes of a head: FSA-Net's `draw_axis`.

use facelens_core::geometry::{Point, Pose};

/// Where the tips of a head's axes are, pixels from their origin: X (to the right of a frontal picture), Y (down) and Z
/// (out of the face), each `size` pixels long in space.
///
/// Yang et al., "FSA-Net: Learning Fine-Grained Structure Aggregation for Head Pose Estimation from a Single Image"
/// (CVPR 2019), `draw_axis` of the published demos; with p = pitch, y = -yaw, r = roll:
///
/// ```text
/// X = size (cos y cos r,  cos p sin r + cos r sin p sin y)
/// Y = size (-cos y sin r, cos p cos r - sin p sin y sin r)
/// Z = size (sin y,        -cos y sin p)
/// ```
pub fn axis_tips(pose: Pose, size: f32) -> [Point; 3] {
    // The columns of the rotation; its z points into the head.
    let [x, y, _] = pose.rotation().matrix().map(|row| row.map(|number| size * number as f32));
    [Point { x: x[0], y: y[0] }, Point { x: x[1], y: y[1] }, Point { x: -x[2], y: -y[2] }]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_tips(pose: Pose, expected: [(f32, f32); 3]) {
        for (tip, (x, y)) in axis_tips(pose, 100.0).into_iter().zip(expected) {
            assert!((tip.x - x).abs() < 0.01 && (tip.y - y).abs() < 0.01, "{pose:?}: {tip:?} is not ({x}, {y})");
        }
    }

    #[test]
    fn a_frontal_head_has_x_right_y_down_and_z_towards_the_viewer() {
        assert_tips(Pose::default(), [(100.0, 0.0), (0.0, 100.0), (0.0, 0.0)]);
    }

    #[test]
    fn one_angle_at_a_time_by_hand() {
        // sin 30 = 0.5, cos 30 = 0.8660. The nose of a head with yaw > 0 points to the left edge.
        assert_tips(Pose { yaw: 30.0, ..Pose::default() }, [(86.60, 0.0), (0.0, 100.0), (-50.0, 0.0)]);
        // Pitch > 0: the nose points up.
        assert_tips(Pose { pitch: 30.0, ..Pose::default() }, [(100.0, 0.0), (0.0, 86.60), (0.0, -50.0)]);
        // Roll > 0: clockwise as the picture shows it.
        assert_tips(Pose { roll: 30.0, ..Pose::default() }, [(86.60, 50.0), (-50.0, 86.60), (0.0, 0.0)]);
    }

    #[test]
    fn all_angles_together_by_hand() {
        // p = 20, y = -30, r = 10: sin p 0.34202, cos p 0.93969, sin y -0.5, cos y 0.86603, sin r 0.17365, cos r 0.98481.
        let pose = Pose { yaw: 30.0, pitch: 20.0, roll: 10.0 };
        assert_tips(pose, [(85.29, -0.523), (-15.04, 95.51), (-50.0, -29.62)]);
    }

    #[test]
    fn a_mirror_shows_the_axes_of_the_mirrored_head_with_x_turned_round() {
        let pose = Pose { yaw: 25.0, pitch: -10.0, roll: 15.0 };
        let [x, y, z] = axis_tips(pose, 1.0);
        let [mx, my, mz] = axis_tips(pose.mirrored(), 1.0);
        // X is the person's own left in both, so its mirrored line points the other way; Y and Z are simply mirrored.
        for (shown, expected) in [((mx.x, mx.y), (x.x, -x.y)), ((my.x, my.y), (-y.x, y.y)), ((mz.x, mz.y), (-z.x, z.y))]
        {
            assert!((shown.0 - expected.0).abs() < 1e-5 && (shown.1 - expected.1).abs() < 1e-5);
        }
    }
}
