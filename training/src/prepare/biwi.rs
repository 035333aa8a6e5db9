//! The BIWI Kinect Head Pose Database (Fanelli et al., IJCV 2013): rotation matrices.
//!
//! The matrix takes the head's coordinates to those of the depth camera: x to the right of the picture, y down, z away from
//! the camera; the unturned head looks into the camera. That is a [`Rotation`], whose angles are those of 300W-LP. This is
//! the reading of Hopenet's and FSA-Net's authors too: they transpose the matrix first and then take the same three pairs
//! of numbers.
//!
//! What is not verified here, for want of the data: that the published files are of this form (it is how the database's
//! own description and those two programs have them), and the small turn between the depth camera, whose angles these are,
//! and the colour camera, whose pictures are read (its calibration says less than a degree).

use facelens_core::geometry::{Pose, Rotation};

use super::three_hundred_w_lp::MAX_DEGREES;
use super::{Found, Listing, PictureStore, PrepareError, Reason};
use crate::data::LabelledFace;

/// How far from 1 the length of a row of a rotation matrix may be, as the files round it.
const TOLERANCE: f64 = 0.02;

/// The labels of BIWI: for each `frame_NUMBER_rgb.png` the file `frame_NUMBER_pose.txt` beside it, with a rotation matrix
/// in three lines and the head's position in a fourth one.
///
/// # Errors
/// A folder that cannot be read.
pub fn biwi(pictures: &PictureStore) -> Result<Listing, PrepareError> {
    let mut listing = Listing::default();
    for name in pictures.names()? {
        let Some(stem) = name.strip_suffix("_rgb.png") else { continue };
        let text = match pictures.read(&format!("{stem}_pose.txt")) {
            Found::Content(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Found::Nothing => {
                listing.leave_out(Reason::NoLabel, name, "");
                continue;
            }
            Found::Unreadable(cause) => {
                listing.leave_out(Reason::BadLabel, name, cause);
                continue;
            }
        };
        match rotation(&text).map(Pose::from) {
            None => listing.leave_out(Reason::BadLabel, name, "there is no rotation matrix in its pose file"),
            Some(pose) if [pose.yaw, pose.pitch, pose.roll].iter().any(|angle| angle.abs() > MAX_DEGREES) => {
                listing.leave_out(Reason::BadPose, name, "");
            }
            Some(pose) => listing.push(LabelledFace { name, pose: Some(pose), ..LabelledFace::default() }),
        }
    }
    Ok(listing)
}

/// The first nine numbers, row by row, if they are a rotation.
fn rotation(text: &str) -> Option<Rotation> {
    let mut numbers = text.split_whitespace().map(str::parse::<f64>);
    let mut matrix = [[0.0; 3]; 3];
    for number in matrix.as_flattened_mut() {
        *number = numbers.next()?.ok()?;
    }
    let [a, b, c] = matrix;
    let dot = |a: [f64; 3], b: [f64; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    let cross = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
    // Rows of length 1 at right angles, right-handed. NaN fails.
    let near = |value: f64, expected: f64| (value - expected).abs() <= TOLERANCE;
    let holds = near(dot(a, a), 1.0) && near(dot(b, b), 1.0) && near(dot(a, b), 0.0) && near(dot(cross, c), 1.0);
    holds.then(|| Rotation::from_matrix(&matrix))
}

#[cfg(test)]
mod tests {
    use super::super::testing::tar;
    use super::*;

    #[test]
    fn matrices_become_angles_and_what_is_none_is_left_out() {
        // 30 degrees about the axis down: what was in front (-z) is then at (-sin 30, 0, -cos 30), to the picture's left.
        let left = "0.866025 0 0.5 \n0 1 0 \n-0.5 0 0.866025 \n\n-12.5 40.1 900.2 \n";
        let mirror = "-1 0 0\n0 1 0\n0 0 1\n\n0 0 900\n";
        let behind = "-1 0 0\n0 1 0\n0 0 -1\n\n0 0 900\n";
        let folder = tempfile::tempdir().unwrap();
        let files = [
            ("01/frame_00003_rgb.png", ""),
            ("01/frame_00003_pose.txt", left),
            ("01/frame_00004_rgb.png", ""),
            ("01/frame_00005_rgb.png", ""),
            ("01/frame_00005_pose.txt", "0.8 0 0.5 0 1"),
            ("01/frame_00006_rgb.png", ""),
            ("01/frame_00006_pose.txt", mirror),
            ("01/frame_00007_rgb.png", ""),
            ("01/frame_00007_pose.txt", behind),
            ("01/frame_00008_rgb.png", ""),
            ("01/frame_00008_pose.txt", "1 0 0 0 nan 0 0 0 1"),
            ("01/rgb.cal", "517"),
        ];
        let files = files.map(|(name, text)| (name, text.as_bytes()));
        let listing = biwi(&PictureStore::open(&[tar(folder.path(), "x.tar", &files)]).unwrap()).unwrap();
        let [sample] = &listing.samples[..] else { panic!("{listing:?}") };
        let pose = sample.face.pose.unwrap();
        assert!((pose.yaw - 30.0).abs() < 1e-3 && pose.pitch.abs() < 1e-3 && pose.roll.abs() < 1e-3, "{pose:?}");
        let reasons: Vec<_> = listing.left_out.iter().map(|left_out| left_out.reason).collect();
        use Reason::{BadLabel, BadPose, NoLabel};
        assert_eq!(reasons, [NoLabel, BadLabel, BadLabel, BadPose, BadLabel]);
    }
}
