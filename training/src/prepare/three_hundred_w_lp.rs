//! 300W-LP and AFLW2000-3D (Zhu et al., CVPR 2016): head poses of fitted face models.

use facelens_core::detect::box_from_landmarks;
use facelens_core::geometry::{Point, Pose, Rect};

use super::mat::{MatError, MatFile, Matrix};
use super::{Found, Listing, PictureStore, PrepareError, Reason, Sample};
use crate::data::LabelledFace;

/// The range of FSA-Net: faces turned further are left out, as by its authors.
pub(super) const MAX_DEGREES: f32 = 99.0;

/// The labels of 300W-LP or AFLW2000-3D: for each `NAME.jpg` the file `NAME.mat` beside it. `Pose_Para` begins with pitch,
/// yaw and roll in radians. Where 68 landmarks are given (`pt2d`; in AFLW2000-3D `pt3d_68`) they tell which face is meant,
/// and where it is if the detector does not find it.
///
/// # Errors
/// A folder that cannot be read.
pub fn three_hundred_w_lp(pictures: &PictureStore) -> Result<Listing, PrepareError> {
    let mut listing = Listing::default();
    for name in pictures.names()? {
        let Some(stem) = name.strip_suffix(".jpg") else { continue };
        let bytes = match pictures.read(&format!("{stem}.mat")) {
            Found::Content(bytes) => bytes,
            Found::Nothing => {
                listing.leave_out(Reason::NoLabel, name, "");
                continue;
            }
            Found::Unreadable(cause) => {
                listing.leave_out(Reason::BadLabel, name, cause);
                continue;
            }
        };
        match MatFile::read(&bytes).and_then(|file| Ok((pose(&file)?, region(&file)))) {
            Ok((Some(pose), region)) => {
                listing
                    .samples
                    .push(Sample { face: LabelledFace { name, pose: Some(pose), ..LabelledFace::default() }, region });
            }
            Ok((None, _)) => listing.leave_out(Reason::BadPose, name, ""),
            Err(error) => listing.leave_out(Reason::BadLabel, name, error.to_string()),
        }
    }
    Ok(listing)
}

/// `None` for a pose outside the range, or without numbers.
fn pose(file: &MatFile) -> Result<Option<Pose>, MatError> {
    let numbers = file.variable("Pose_Para")?.numbers()?;
    let &[pitch, yaw, roll, ..] = numbers.as_slice() else {
        return Err(MatError::Kind { name: "Pose_Para".to_owned(), expected: "at least three numbers" });
    };
    let [yaw, pitch, roll] = [yaw, pitch, roll].map(|radians| radians.to_degrees() as f32);
    // NaN is in no range.
    let within = [yaw, pitch, roll].iter().all(|angle| (-MAX_DEGREES..=MAX_DEGREES).contains(angle));
    Ok(within.then_some(Pose { yaw, pitch, roll }))
}

/// The facelens box from the landmarks; `None` where there are not 68 of them.
fn region(file: &MatFile) -> Option<Rect> {
    let points = |name: &str| landmarks(&file.variable(name).ok()?);
    let points = points("pt3d_68").or_else(|| points("pt2d"))?;
    let mean = |indices: &[usize]| {
        let count = indices.len() as f32;
        let sum = |value: fn(&Point) -> f32| indices.iter().map(|index| value(&points[*index])).sum::<f32>();
        Point { x: sum(|point| point.x) / count, y: sum(|point| point.y) / count }
    };
    // The numbering of Multi-PIE and 300-W, from 0: the jaw from ear to ear, brows, nose, the eyes (the picture's left one
    // first, its corners 36 and 39), the mouth with its corners 48 and 54 and the middles of its outer edges 51 and 57.
    let left_eye = mean(&[36, 37, 38, 39, 40, 41]);
    let right_eye = mean(&[42, 43, 44, 45, 46, 47]);
    let mouth = mean(&[48, 51, 54, 57]);
    let rect = box_from_landmarks(&[left_eye, right_eye, points[30], mouth, points[0], points[16]]);
    (rect.width.is_finite() && rect.width > 1.0 && rect.x.is_finite() && rect.y.is_finite()).then_some(rect)
}

/// 68 points from a matrix with x in its first row and y in its second one; MATLAB counts pixels from 1.
fn landmarks(matrix: &Matrix) -> Option<Vec<Point>> {
    let &[rows @ (2 | 3), 68] = matrix.dimensions() else { return None };
    let numbers = matrix.numbers().ok()?;
    let point = |column: &[f64]| Point { x: (column[0] - 0.5) as f32, y: (column[1] - 0.5) as f32 };
    Some(numbers.chunks_exact(rows).map(point).collect())
}

#[cfg(test)]
mod tests {
    use super::super::mat::testing::{compressed, file, numbers};
    use super::super::testing::tar;
    use super::*;

    /// The landmarks of a face 100 pixels from ear to ear around (200, 300), as columns.
    fn points(rows: usize) -> Vec<f64> {
        let mut points = vec![vec![200.0, 300.0, 7.0]; 68];
        (points[0][0], points[16][0]) = (150.0, 250.0);
        for (eye, x) in [(36..42, 180.0), (42..48, 220.0)] {
            points[eye].iter_mut().for_each(|point| (point[0], point[1]) = (x, 280.0));
        }
        points[48..68].iter_mut().for_each(|point| point[1] = 325.0);
        points.iter().flat_map(|point| point[..rows].to_vec()).collect()
    }

    fn list(files: &[(&str, &[u8])]) -> Listing {
        let folder = tempfile::tempdir().unwrap();
        three_hundred_w_lp(&PictureStore::open(&[tar(folder.path(), "x.tar", files)]).unwrap()).unwrap()
    }

    #[test]
    fn poses_come_in_degrees_and_landmarks_as_a_box() {
        let pose = compressed(&numbers("Pose_Para", 1, &[0.1, -0.5, 0.25, 1.0, 2.0, 0.0, 0.001]));
        let large = file(&[pose.clone(), numbers("pt2d", 2, &points(2))]);
        let aflw = file(&[pose.clone(), numbers("pt2d", 2, &[-1.0; 42]), numbers("pt3d_68", 3, &points(3))]);
        let few = file(&[pose, numbers("pt2d", 2, &[50.0; 42])]);
        let listing = list(&[
            ("a.jpg", b""),
            ("a.mat", &large),
            ("b.jpg", b""),
            ("b.mat", &aflw),
            ("c.jpg", b""),
            ("c.mat", &few),
        ]);
        assert!(listing.left_out.is_empty() && listing.samples.len() == 3, "{listing:?}");
        for sample in &listing.samples {
            let pose = sample.face.pose.unwrap();
            let expected = [(pose.pitch, 0.1_f32), (pose.yaw, -0.5), (pose.roll, 0.25)];
            assert!(expected.iter().all(|(got, radians)| (got - radians.to_degrees()).abs() < 1e-4), "{pose:?}");
        }
        let [first, second, third] = &listing.samples[..] else { unreachable!() };
        let middle = first.region.unwrap().center();
        assert!((middle.x - 199.5).abs() < 0.1 && (middle.y - 299.1).abs() < 1.0, "{middle:?}");
        assert!((90.0..130.0).contains(&first.region.unwrap().width));
        assert_eq!(first.region, second.region);
        assert_eq!(third.region, None);
    }

    #[test]
    fn labels_that_are_missing_damaged_or_beyond_the_range_are_left_out() {
        let pose = |numbers_: &[f64]| file(&[numbers("Pose_Para", 1, numbers_)]);
        let far = pose(&[0.0, 1.75, 0.0]);
        let nan = pose(&[0.0, f64::NAN, 0.0]);
        let short = pose(&[0.0, 0.1]);
        let none = file(&[numbers("roi", 1, &[0.0])]);
        let cut = &far[..far.len() - 9];
        let listing = list(&[
            ("1.jpg", b""),
            ("2.jpg", b""),
            ("2.mat", &far),
            ("3.jpg", b""),
            ("3.mat", &nan),
            ("4.jpg", b""),
            ("4.mat", &short),
            ("5.jpg", b""),
            ("5.mat", &none),
            ("6.jpg", b""),
            ("6.mat", cut),
            ("lonely.mat", &far),
        ]);
        assert!(listing.samples.is_empty());
        let reasons: Vec<_> = listing.left_out.iter().map(|left_out| left_out.reason).collect();
        use Reason::{BadLabel, BadPose, NoLabel};
        assert_eq!(reasons, [NoLabel, BadPose, BadPose, BadLabel, BadLabel, BadLabel]);
        assert!(listing.left_out[4].detail.contains("Pose_Para"), "{:?}", listing.left_out[4]);
    }
}
