//! CSV with the column names of OpenFace 2 (Baltrusaitis et al., "OpenFace 2.0: Facial Behavior Analysis Toolkit",
//! FG 2018; its "Output Format" page), for programs that read those.
//!
//! Angles: OpenFace turns the head by R = Rx Ry Rz in the camera's frame (x to the right, y down, z away from the camera),
//! where the nose of a frontal head points to -z. Its picture of the axes is that of FSA-Net's `draw_axis` for
//! Rx = -pitch, Ry = yaw, Rz = roll, in radians; a test holds the two matrices against each other.

use std::io::{self, Write};

use crate::rows::FrameRow;

/// The columns, in OpenFace's order; those that facelens knows nothing of (gaze, landmarks, action units, the head's
/// place in millimetres) are left out.
pub const OPENFACE_COLUMNS: [&str; 8] =
    ["frame", "face_id", "timestamp", "confidence", "success", "pose_Rx", "pose_Ry", "pose_Rz"];

/// Writes one line per face; a frame without a face has one line with `success` 0 and no angles.
pub(super) fn write(rows: &[FrameRow], writer: &mut impl Write) -> io::Result<()> {
    writeln!(writer, "{}", OPENFACE_COLUMNS.join(","))?;
    for (index, row) in rows.iter().enumerate() {
        // OpenFace counts the pictures of a video from 1.
        let (frame, time_s) = (index + 1, row.time_s);
        if row.faces.is_empty() {
            writeln!(writer, "{frame},,{time_s:.3},0,0,,,")?;
        }
        for face in &row.faces {
            write!(writer, "{frame},{},{time_s:.3},{:?},1", face.id, face.score)?;
            match face.pose {
                Some(pose) => {
                    // Plus zero, so that no zero is written with a sign.
                    let [x, y, z] = [-pose.pitch, pose.yaw, pose.roll].map(|angle| f64::from(angle).to_radians() + 0.0);
                    writeln!(writer, ",{x:.5},{y:.5},{z:.5}")?;
                }
                None => writeln!(writer, ",,,")?,
            }
        }
    }
    writer.flush()
}

#[cfg(test)]
mod tests {
    use facelens_core::geometry::Pose;

    use crate::overlay::axis_tips;

    /// The tips of the head's x axis (its left), y axis (down) and nose as OpenFace's angles put them into the picture:
    /// R = Rx Ry Rz, of which the projection keeps the first two rows.
    fn openface_tips([a, b, c]: [f64; 3]) -> [(f64, f64); 3] {
        let x = (b.cos() * c.cos(), a.cos() * c.sin() + c.cos() * a.sin() * b.sin());
        let y = (-b.cos() * c.sin(), a.cos() * c.cos() - a.sin() * b.sin() * c.sin());
        let back = (b.sin(), -b.cos() * a.sin());
        [x, y, (-back.0, -back.1)]
    }

    #[test]
    fn the_angles_turn_the_head_as_the_overlay_shows_it() {
        for (yaw, pitch, roll) in [(30.0, 0.0, 0.0), (0.0, 20.0, 0.0), (0.0, 0.0, 10.0), (-40.0, 25.0, -15.0)] {
            let pose = Pose { yaw, pitch, roll };
            let angles = [-pitch, yaw, roll].map(|angle| f64::from(angle).to_radians());
            for (ours, theirs) in axis_tips(pose, 1.0).into_iter().zip(openface_tips(angles)) {
                let off = (f64::from(ours.x) - theirs.0).abs().max((f64::from(ours.y) - theirs.1).abs());
                assert!(off < 1e-5, "{pose:?}: {ours:?} is not {theirs:?}");
            }
        }
    }
}
