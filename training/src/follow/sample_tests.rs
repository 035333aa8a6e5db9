//! What crops show, and that their labels say so.

use super::*;
use crate::augment::generator;

/// A grey picture with a white eye on the left and a red one on the right, and a blue mouth; and a plain one.
fn set() -> FollowSet {
    let landmarks = [[38.0, 40.0], [58.0, 40.0], [48.0, 50.0], [48.0, 60.0], [26.0, 44.0], [70.0, 44.0]];
    let colours = [(0, [255, 255, 255]), (1, [255, 0, 0]), (3, [0, 0, 255])];
    let mut pixels = vec![90; PICTURE_SIDE * PICTURE_SIDE * 3];
    for (place, pixel) in pixels.chunks_exact_mut(3).enumerate() {
        let (x, y) = ((place % PICTURE_SIDE) as f32 + 0.5, (place / PICTURE_SIDE) as f32 + 0.5);
        for (index, colour) in colours {
            let [a, b]: [f32; 2] = landmarks[index];
            if (x - a).hypot(y - b) < 4.0 {
                pixel.copy_from_slice(&colour);
            }
        }
    }
    let face = super::super::set::FollowedFace { name: String::new(), landmarks };
    pixels.extend(vec![90; PICTURE_SIDE * PICTURE_SIDE * 3]);
    FollowSet { faces: vec![face.clone(), face], pixels, ..FollowSet::default() }
}

fn clean() -> FollowAugmentation {
    FollowAugmentation { motion_share: 0.0, absent: 0.0, picture: Augmentation::none(), ..Default::default() }
}

#[test]
fn the_landmarks_are_where_the_crop_shows_them() {
    let (set, settings) = (set(), clean());
    let mut seen = 0;
    for index in 0..200 {
        let mut tensor = vec![0.0; INPUT_LEN];
        let target = draw(&set, 0, &settings, &mut generator(1, 0, index), &mut tensor);
        assert!(target.is_present());
        let at = |[u, v]: [f32; 2]| -> Option<[f32; 3]> {
            let (x, y) = ((u + 0.5) * SIDE as f32, (v + 0.5) * SIDE as f32);
            let inside = (3.0..61.0).contains(&x) && (3.0..61.0).contains(&y);
            inside.then(|| [0, 1, 2].map(|c| tensor[c * SIDE * SIDE + y as usize * SIDE + x as usize]))
        };
        let [left, right, _, mouth, ..] = target.landmarks;
        // The white eye is the left one unless the crop is a mirror image: then the red one is.
        if let (Some(left), Some(right), Some(mouth)) = (at(left), at(right), at(mouth)) {
            let (white, red) = if left[2] > right[2] { (left, right) } else { (right, left) };
            assert!(white.iter().all(|value| *value > 0.0), "{index}: {white:?}");
            assert!(red[0] > 0.0 && red[1] < 0.0 && mouth[2] > 0.0 && mouth[0] < 0.0, "{index}: {red:?} {mouth:?}");
            seen += 1;
        }
    }
    assert!(seen > 120, "{seen}");
}

#[test]
fn a_face_beside_the_crop_is_outside_of_its_middle() {
    let (set, settings) = (set(), clean());
    for index in 0..100 {
        let mut colour = vec![0.0; INPUT_LEN];
        let rng = &mut generator(2, 0, index);
        let target = picture(&set, 0, CropKind::Beside, &settings, rng, &mut colour);
        let middle = box_from_landmarks(&target.landmarks.map(|[x, y]| Point { x, y })).center();
        assert!(middle.x.hypot(middle.y) > 1.0 * target.side && !target.is_present());
    }
}

#[test]
fn a_covered_face_cannot_be_seen() {
    let (set, settings) = (set(), clean());
    for index in 0..100 {
        let mut colour = vec![0.0; INPUT_LEN];
        let target = picture(&set, 0, CropKind::Covered, &settings, &mut generator(3, 0, index), &mut colour);
        for [u, v] in [target.landmarks[0], target.landmarks[1]] {
            let (x, y) = (((u + 0.5) * SIDE as f32) as usize, ((v + 0.5) * SIDE as f32) as usize);
            if x < SIDE && y < SIDE && target.side < 0.7 {
                let pixel = &colour[(y * SIDE + x) * 3..][..3];
                let white = pixel.iter().all(|value| *value > 250.0);
                let red = pixel[0] > 250.0 && pixel[1] < 5.0 && pixel[2] < 5.0;
                assert!(!white && !red, "{index}: {pixel:?}");
            }
        }
    }
}

#[test]
fn all_kinds_are_drawn_and_their_numbers_are_pixels() {
    let (set, settings) = (set(), FollowAugmentation::default());
    settings.check().unwrap();
    let mut kinds = std::collections::BTreeMap::new();
    for index in 0..600 {
        let mut tensor = vec![9.0; INPUT_LEN];
        let target = draw(&set, 1, &settings, &mut generator(4, 0, index), &mut tensor);
        assert!(tensor.iter().all(|value| (-1.0..=1.0).contains(value)), "{target:?}");
        *kinds.entry(format!("{:?}", target.kind)).or_insert(0) += 1;
    }
    assert_eq!(kinds.len(), 7, "{kinds:?}");
    assert!((300..420).contains(&kinds["Present"]), "{kinds:?}");
    let too_far = FollowAugmentation { shift: 0.9, ..settings };
    assert!(too_far.check().unwrap_err().contains("augmentation.shift"));
}

#[test]
fn the_same_generator_draws_the_same_crop() {
    let (set, settings) = (set(), FollowAugmentation::default());
    let drawn = |index| {
        let mut tensor = vec![0.0; INPUT_LEN];
        (draw(&set, 0, &settings, &mut generator(5, 1, index), &mut tensor), tensor)
    };
    assert_eq!(drawn(3), drawn(3));
    assert_ne!(drawn(3), drawn(4));
}

#[test]
fn places_outside_are_folded_into_the_picture() {
    assert_eq!([-3, 2, 5, 9].map(|index| clamped(index, 2, 6)), [2, 2, 5, 5]);
    assert_eq!([1, 2, 5, 6, 7, 0].map(|index| reflected(index, 2, 6)), [2, 2, 5, 5, 4, 3]);
}
