//! All detectors on the astronaut and on pictures made from her.

use super::*;
use crate::testing::astronaut;

/// Where the astronaut's face is: the facelens box, by the keypoints of BlazeFace on the whole picture.
const FACE: Rect = Rect::new(173.0, 71.0, 103.0, 103.0);

fn detect(kind: DetectorKind, frame: &Frame) -> Vec<Detection> {
    create(kind).unwrap().detect(frame).unwrap()
}

/// A grey picture with the astronaut's head and shoulders pasted at each place: left, top, width in pixels.
fn pasted(width: u32, height: u32, places: &[(u32, u32, u32)]) -> Frame {
    let astronaut = astronaut();
    let picture = image::RgbImage::from_raw(512, 512, astronaut.into_rgb()).unwrap();
    let head = image::imageops::crop_imm(&picture, 96, 0, 256, 256).to_image();
    let mut canvas = image::RgbImage::from_pixel(width, height, image::Rgb([128, 132, 140]));
    for (left, top, side) in places {
        let head = image::imageops::resize(&head, *side, *side, image::imageops::FilterType::Triangle);
        image::imageops::replace(&mut canvas, &head, i64::from(*left), i64::from(*top));
    }
    Frame::from_rgb(width, height, canvas.into_raw()).unwrap()
}

/// The face of [`pasted`] in a place.
fn face_in(place: (u32, u32, u32)) -> Rect {
    let scale = place.2 as f32 / 256.0;
    let (x, y) = (place.0 as f32 + (FACE.x - 96.0) * scale, place.1 as f32 + FACE.y * scale);
    Rect::new(x, y, FACE.width * scale, FACE.height * scale)
}

#[test]
fn every_detector_finds_the_astronaut_in_the_same_box() {
    for kind in DetectorKind::ALL {
        let faces = detect(kind, &astronaut());
        assert_eq!(faces.len(), 1, "{}: {faces:?}", kind.name());
        let iou = faces[0].rect.iou(&FACE);
        assert!(iou > 0.75, "{}: {:?} overlaps by {iou}", kind.name(), faces[0].rect);
        assert!((0.5..=1.0).contains(&faces[0].score), "{}: {}", kind.name(), faces[0].score);
        assert_eq!(faces[0].rect.width, faces[0].rect.height);
    }
}

#[test]
fn keypoints_come_in_the_documented_order() {
    for kind in [DetectorKind::BlazeBack, DetectorKind::BlazeFront] {
        let [left_eye, right_eye, nose, mouth, left_ear, right_ear] = detect(kind, &astronaut())[0].keypoints.unwrap();
        assert!(left_ear.x < left_eye.x && left_eye.x < nose.x && nose.x < right_eye.x && right_eye.x < right_ear.x);
        assert!(left_eye.y < nose.y && nose.y < mouth.y);
    }
}

#[test]
fn two_and_four_faces_are_found_and_kept_apart() {
    let two = vec![(20, 100, 256), (350, 60, 200)];
    let four = vec![(10, 10, 200), (330, 20, 180), (30, 260, 190), (380, 250, 210)];
    for places in [two, four] {
        let frame = pasted(640, 480, &places);
        for kind in DetectorKind::ALL {
            if kind == DetectorKind::BlazeFront && places.len() == 4 {
                continue; // These faces are 16 pixels in its input: under its reach.
            }
            let faces = detect(kind, &frame);
            assert_eq!(faces.len(), places.len(), "{}: {faces:?}", kind.name());
            for place in &places {
                let best = faces.iter().map(|face| face.rect.iou(&face_in(*place))).fold(0.0, f32::max);
                assert!(best > 0.6, "{}: the face at {place:?} is covered by {best}", kind.name());
            }
        }
    }
}

#[test]
fn the_back_model_finds_a_face_of_24_pixels_in_640x480() {
    let place = (300, 200, 60);
    let faces = detect(DetectorKind::BlazeBack, &pasted(640, 480, &[place]));
    assert_eq!(faces.len(), 1);
    let (truth, found) = (face_in(place), faces[0].rect);
    assert!(truth.width < 24.5);
    // It is 10 pixels in the network's input: the place is right, the size is rough.
    let (dx, dy) = (found.center().x - truth.center().x, found.center().y - truth.center().y);
    assert!(dx.hypot(dy) < 0.25 * truth.width && (0.6..1.4).contains(&(found.width / truth.width)), "{found:?}");
}

#[test]
fn a_face_over_the_edge_gives_a_box_over_the_edge() {
    let picture = image::RgbImage::from_raw(512, 512, astronaut().into_rgb()).unwrap();
    let cut = image::imageops::crop_imm(&picture, 190, 40, 300, 300).to_image();
    let faces = detect(DetectorKind::BlazeBack, &Frame::from_rgb(300, 300, cut.into_raw()).unwrap());
    assert_eq!(faces.len(), 1);
    assert!(faces[0].rect.x < 0.0, "{:?}", faces[0].rect);
}

#[test]
fn pictures_without_a_face_and_tiny_pictures_are_empty_lists() {
    for kind in DetectorKind::ALL {
        let mut detector = create(kind).unwrap();
        assert_eq!(detector.kind(), kind);
        for (width, height) in [(1, 1), (3, 900), (900, 2), (320, 240)] {
            let frame = Frame::from_rgb(width, height, vec![120; (width * height * 3) as usize]).unwrap();
            assert_eq!(detector.detect(&frame).unwrap(), [], "{} on {width}x{height}", kind.name());
        }
    }
}

#[test]
fn the_labelled_face_is_the_large_one_in_the_middle() {
    let frame = Frame::from_rgb(100, 100, vec![0; 30_000]).unwrap();
    let face = |x, y, side| Detection { rect: Rect::new(x, y, side, side), score: 0.9, keypoints: None };
    let in_corner = face(0.0, 0.0, 42.0);
    let central = face(30.0, 30.0, 40.0);
    let small = face(45.0, 45.0, 10.0);
    let faces = [small, in_corner, central.clone()];
    assert_eq!(main_face(&frame, &faces), Some(&central));
    assert_eq!(main_face(&frame, &[]), None);
}
