//! From a listing of pictures to a follow set: the app's detector says where the landmarks are.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use facelens_core::detect::{self, Detection, Detector, DetectorKind};
use facelens_core::estimate::FaceRegion;
use facelens_core::frame::Frame;
use facelens_core::geometry::Point;
use facelens_media::decode_picture;
use image::RgbImage;
use image::imageops::{FilterType, crop_imm, flip_horizontal, resize};

use super::set::{FollowSetWriter, FollowedFace, PICTURE_SIDE};
use crate::prepare::{Found, LeftOut, Listing, PictureStore, PrepareError, Reason, Report};

/// Faces of which the detector is less sure are no example.
const LEAST_SCORE: f32 = 0.7;
/// The boxes in a picture and in its mirror image overlap at least by this (intersection over union).
const SAME_FACE: f32 = 0.75;

/// Writes the set `target`: the pictures of a listing in which there is one face and no other. The landmarks are the mean
/// of those in the picture and in its mirror image, which halves the detector's noise and takes away what it does
/// differently on the left and on the right. `seen` is called after every picture with the counts so far. `None` where
/// `stop` became true; there is no set then.
///
/// # Errors
/// A detector that fails, a set that cannot be written, a listing of which nothing can be used.
pub fn prepare(
    listing: &Listing,
    pictures: &PictureStore,
    target: &Path,
    stop: &AtomicBool,
    mut seen: impl FnMut(&Report),
) -> Result<Option<Report>, PrepareError> {
    let mut report = Report::default();
    let mut writer = FollowSetWriter::create(target)?;
    let mut detector = detect::create(DetectorKind::BlazeBack)?;
    for sample in &listing.samples {
        if stop.load(Ordering::SeqCst) {
            return Ok(None);
        }
        let name = sample.face.name.clone();
        match example(&name, pictures, detector.as_mut())? {
            Ok((landmarks, picture)) => {
                let landmarks = landmarks.map(|point| [point.x, point.y]);
                writer.push(FollowedFace { name, landmarks }, picture.as_raw())?;
                report.written += 1;
            }
            Err((reason, detail)) => {
                writer.leave_out(reason.words());
                report.leave_out(LeftOut { reason, name, detail });
            }
        }
        seen(&report);
    }
    if report.written == 0 {
        let words = "none of the labelled images shows one face and no other".to_owned();
        return Err(PrepareError::Empty(words));
    }
    writer.finish()?;
    Ok(Some(report))
}

/// Landmarks in pixels of the stored picture, and the picture; or why there are none.
type Example = Result<([Point; 6], RgbImage), (Reason, String)>;

fn example(name: &str, pictures: &PictureStore, detector: &mut dyn Detector) -> Result<Example, detect::DetectError> {
    let nothing = |reason| Ok(Err((reason, String::new())));
    let content = match pictures.read(name) {
        Found::Content(content) => content,
        Found::Nothing => return nothing(Reason::NoPicture),
        Found::Unreadable(cause) => return Ok(Err((Reason::Unreadable, cause))),
    };
    let frame = match decode_picture(name, &content) {
        Ok(frame) => frame,
        Err(error) => return Ok(Err((Reason::Unreadable, error.cause))),
    };
    let (width, height) = (frame.width(), frame.height());
    let Some(picture) = RgbImage::from_raw(width, height, frame.rgb().to_vec()) else {
        return nothing(Reason::Unreadable);
    };
    let found = detector.detect(&frame)?;
    let [face] = found.as_slice() else {
        return nothing(if found.is_empty() { Reason::NoFace } else { Reason::SecondFace });
    };
    let Ok(mirrored) = Frame::from_rgb(width, height, flip_horizontal(&picture).into_raw()) else {
        return nothing(Reason::Unreadable);
    };
    let again = detector.detect(&mirrored)?;
    let Some(landmarks) = both(face, &again, width as f32) else { return nothing(Reason::Doubtful) };
    // The largest square with the face as near to its middle as it can be.
    let side = width.min(height);
    let start =
        |middle: f32, length: u32| (middle - side as f32 / 2.0).round().clamp(0.0, (length - side) as f32) as u32;
    let (left, top) = (start(face.rect.center().x, width), start(face.rect.center().y, height));
    let square = crop_imm(&picture, left, top, side, side).to_image();
    let small = resize(&square, PICTURE_SIDE as u32, PICTURE_SIDE as u32, FilterType::CatmullRom);
    let scale = PICTURE_SIDE as f32 / side as f32;
    let landmarks =
        landmarks.map(|point| Point { x: (point.x - left as f32) * scale, y: (point.y - top as f32) * scale });
    Ok(Ok((landmarks, small)))
}

/// The mean of the landmarks of a face and of those found in the mirror image of a picture of this width.
fn both(face: &Detection, mirrored: &[Detection], width: f32) -> Option<[Point; 6]> {
    let [other] = mirrored else { return None };
    let other = FaceRegion::from(other).mirrored(width);
    let sure = face.score >= LEAST_SCORE && face.rect.iou(&other.rect) >= SAME_FACE;
    let (ours, theirs) = (face.keypoints.filter(|_| sure)?, other.landmarks?);
    let middle = |a: Point, b: Point| Point { x: (a.x + b.x) / 2.0, y: (a.y + b.y) / 2.0 };
    Some(std::array::from_fn(|index| middle(ours[index], theirs[index])))
}

#[cfg(test)]
mod tests {
    use facelens_core::detect::box_from_landmarks;

    use super::*;
    use crate::data::LabelledFace;
    use crate::follow::FollowSet;
    use crate::prepare::Sample;

    #[test]
    fn the_astronaut_becomes_an_example_and_a_wall_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets");
        std::fs::copy(assets.join("astronaut.png"), folder.path().join("a.png")).unwrap();
        RgbImage::from_pixel(80, 60, image::Rgb([120; 3])).save(folder.path().join("wall.png")).unwrap();
        let sample = |name: &str| Sample {
            face: LabelledFace { name: name.to_owned(), ..LabelledFace::default() },
            region: None,
        };
        let listing =
            Listing { samples: vec![sample("a.png"), sample("wall.png"), sample("none.png")], left_out: vec![] };
        let pictures = PictureStore::open(&[folder.path().to_owned()]).unwrap();
        let (target, go) = (folder.path().join("x.follow"), AtomicBool::new(false));
        let report = prepare(&listing, &pictures, &target, &go, |_| {}).unwrap().unwrap();
        assert_eq!((report.written, report.left_out()), (1, 2));
        let set = FollowSet::read(&target).unwrap();
        // Her facelens box is at 173, 71 and 103 large, of 512 pixels that become 96.
        let rect = box_from_landmarks(&set.faces[0].points());
        let scale = 96.0 / 512.0;
        assert!((rect.width - 103.0 * scale).abs() < 2.0 && (rect.x - 173.0 * scale).abs() < 1.5, "{rect:?}");
        assert_eq!(set.left_out.values().sum::<usize>(), 2);
        let stopped = prepare(&listing, &pictures, &folder.path().join("y"), &AtomicBool::new(true), |_| {}).unwrap();
        assert!(stopped.is_none() && !folder.path().join("y").exists());
    }
}
