//! One convention for a face's box, whatever found it.
//!
//! The **facelens box** is a square as large as the box that BlazeFace (back model) gives an upright face, from the
//! middle of the forehead to the chin. Its middle lies between the eyes and the mouth, where the box of OpenCV's
//! `lbpcascade_frontalface_improved` has its middle too.
//!
//! It is computed from the keypoints, because BlazeFace's own box is the upright rectangle of its training data: of a face
//! turned 45 degrees in the plane it is 14 % smaller than upright, and up to 10 % off its place. Measured on five portraits,
//! turned by -45 to 45 degrees and 24 to 128 pixels large in the network's input: the side's standard deviation for one
//! face is 7.2 % for the network's own box and 3.4 % for the facelens box, whose mean differs by at most 0.6 % between the
//! angles and 3.5 % between the sizes.

use crate::geometry::{Point, Rect};
use crate::model::BoxStyle;

/// Side of an upright face's own box over the distance from the middle of its eyes to its mouth (1,965 faces of
/// FairFace's validation part, standard deviation 2.8 %).
pub const PER_EYES_TO_MOUTH: f32 = 2.206;

/// The same over the distance between its ears.
pub const PER_EARS: f32 = 1.17;

/// Where the box's middle lies on the way from the middle of the eyes (0) to the mouth (1).
pub const EYES_TO_MIDDLE: f32 = 0.436;

/// How far keypoints are believed: side of the facelens box over the side of the network's own box. Upright it is 1, and
/// above 1 on a turned face; far outside are the keypoints of faces of a few pixels.
const BELIEVED: std::ops::RangeInclusive<f32> = 0.9..=1.35;

/// Side of the LBP cascade's box over the facelens box.
const LBP_SIDE: f32 = 0.73;

/// The facelens box from BlazeFace's keypoints; `rect` is the network's own box, which limits what senseless keypoints
/// can do.
pub(super) fn from_keypoints(keypoints: &[Point; 6], rect: &Rect) -> Rect {
    let face = box_from_landmarks(keypoints);
    let own = (rect.width + rect.height) / 2.0;
    let side = face.width.clamp(own * BELIEVED.start(), own * BELIEVED.end());
    let (limit, middle, own_middle) = (own * 0.3, face.center(), rect.center());
    let near = |value: f32, own: f32| value.clamp(own - limit, own + limit);
    Rect::square(Point { x: near(middle.x, own_middle.x), y: near(middle.y, own_middle.y) }, side)
}

/// The facelens box of a face whose landmarks are known: eyes (the picture's left one first), nose tip, mouth, and the two
/// ears, in pixels.
///
/// The side is the fourth-power mean of what the two lengths of a face say. A head that looks up or down has a short way
/// from eyes to mouth, one that looks aside has its ears close together: the power mean follows the longer one, without
/// the noise of a plain maximum.
pub fn box_from_landmarks(landmarks: &[Point; 6]) -> Rect {
    let [left_eye, right_eye, _, mouth, left_ear, right_ear] = *landmarks;
    let eyes = Point { x: (left_eye.x + right_eye.x) / 2.0, y: (left_eye.y + right_eye.y) / 2.0 };
    let (dx, dy) = (mouth.x - eyes.x, mouth.y - eyes.y);
    let tall = PER_EYES_TO_MOUTH * dx.hypot(dy);
    let wide = PER_EARS * (right_ear.x - left_ear.x).hypot(right_ear.y - left_ear.y);
    let side = ((tall.powi(4) + wide.powi(4)) / 2.0).sqrt().sqrt();
    Rect::square(Point { x: eyes.x + EYES_TO_MIDDLE * dx, y: eyes.y + EYES_TO_MIDDLE * dy }, side)
}

/// How far a head is tilted clockwise as the picture shows it, degrees, by landmarks as [`box_from_landmarks`] takes them;
/// `None` where they all lie in one point or are no numbers.
///
/// Three lines tell it: between the eyes, between the ears, from the eyes to the mouth. Their sum is led by those that
/// are seen at their length: of a head that looks aside the last.
pub fn roll_from_landmarks(landmarks: &[Point; 6]) -> Option<f32> {
    let [left_eye, right_eye, _, mouth, left_ear, right_ear] = *landmarks;
    let eyes = Point { x: (left_eye.x + right_eye.x) / 2.0, y: (left_eye.y + right_eye.y) / 2.0 };
    // The way down to the mouth, turned by a quarter to the way from eye to eye.
    let down = Point { x: mouth.y - eyes.y, y: eyes.x - mouth.x };
    let x = right_eye.x - left_eye.x + right_ear.x - left_ear.x + down.x;
    let y = right_eye.y - left_eye.y + right_ear.y - left_ear.y + down.y;
    (x.hypot(y) > 0.0).then(|| y.atan2(x).to_degrees())
}

/// Side of SeetaFace's box over the facelens box (median of 427 faces of FairFace's validation part, standard deviation
/// 10 %).
const SEETA_SIDE: f32 = 1.02;

/// How far the middle of the facelens box lies below the middle of SeetaFace's, in sides of the facelens box (same faces,
/// standard deviation 4 %; 9 % to the sides, for SeetaFace's box follows the outline of a head that looks aside).
const SEETA_BELOW: f32 = 0.058;

/// The facelens box from SeetaFace's box.
pub(super) fn from_seeta(rect: &Rect) -> Rect {
    let side = (rect.width + rect.height) / 2.0 / SEETA_SIDE;
    let middle = rect.center();
    Rect::square(Point { x: middle.x, y: middle.y + SEETA_BELOW * side }, side)
}

/// The box that a model card's margin refers to, from the facelens box.
///
/// [`BoxStyle::Lbp`]: the LBP box over the facelens box is 0.736 on the 1,691 of 2,400 pictures of FairFace's validation part
/// where both find the face (median; standard deviation 7 % without outliers, of which the cascade's own steps of 10 % are
/// part), and 0.70 to 0.77, 0.728 in the mean, on five large portraits; the middles agree to 0.3 % of the facelens box with
/// a standard deviation of 2 %.
pub fn box_in_style(facelens: &Rect, style: BoxStyle) -> Rect {
    match style {
        BoxStyle::Facelens => *facelens,
        BoxStyle::Lbp => facelens.scaled(LBP_SIDE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keypoints of a face of eye distance 40 around (100, 100), turned by `degrees`.
    fn face(degrees: f32) -> ([Point; 6], Rect) {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let keypoints = [(-20.0, -20.0), (20.0, -20.0), (0.0, 5.0), (0.0, 25.0), (-45.0, -10.0), (45.0, -10.0)]
            .map(|(x, y)| Point { x: 100.0 + x * cos - y * sin, y: 100.0 + x * sin + y * cos });
        (keypoints, Rect::square(Point { x: 100.0, y: 102.0 }, 100.0))
    }

    #[test]
    fn landmarks_tell_the_tilt_also_of_a_head_that_looks_aside() {
        for degrees in [-170.0_f32, -45.0, -3.0, 0.0, 20.0, 90.0] {
            let (mut keypoints, _) = face(degrees);
            let roll = |keypoints: &[Point; 6]| roll_from_landmarks(keypoints).unwrap();
            assert!((roll(&keypoints) - degrees).abs() < 1e-3, "{degrees}");
            // Eyes and ears one behind the other.
            let [left_eye, right_eye, _, _, left_ear, right_ear] = &mut keypoints;
            (*left_eye, *left_ear) = (*right_eye, *right_ear);
            let aside = roll(&keypoints);
            assert!((aside - degrees).abs() < 30.0, "{degrees}: {aside}");
        }
        assert_eq!(roll_from_landmarks(&[Point { x: 5.0, y: 5.0 }; 6]), None);
        assert_eq!(roll_from_landmarks(&[Point { x: f32::NAN, y: 5.0 }; 6]), None);
    }

    #[test]
    fn the_box_keeps_its_size_and_turns_about_the_face() {
        let (keypoints, own) = face(0.0);
        let upright = from_keypoints(&keypoints, &own);
        assert!((upright.width - 102.4).abs() < 0.1, "{upright:?}");
        assert!((upright.center().x - 100.0).abs() < 1e-3);
        assert!((upright.center().y - (80.0 + 0.436 * 45.0)).abs() < 1e-3);
        for degrees in [-40.0, 25.0, 90.0] {
            let (keypoints, own) = face(degrees);
            let turned = from_keypoints(&keypoints, &own);
            assert!((turned.width - upright.width).abs() < 1e-2);
            assert!((turned.center().x - 100.0).hypot(turned.center().y - 100.0) < 1.0);
        }
    }

    #[test]
    fn senseless_keypoints_do_not_take_the_box_away() {
        let own = Rect::square(Point { x: 50.0, y: 50.0 }, 40.0);
        let collapsed = from_keypoints(&[Point { x: 50.0, y: 50.0 }; 6], &own);
        assert!((collapsed.width - 36.0).abs() < 1e-4);
        let mut far = [Point { x: 50.0, y: 50.0 }; 6];
        far[3] = Point { x: 900.0, y: -900.0 };
        let far = from_keypoints(&far, &own);
        assert!(far.width <= 54.01 && far.iou(&own) > 0.2, "{far:?}");
    }

    #[test]
    fn the_lbp_box_has_the_same_middle() {
        let facelens = Rect::new(10.0, 20.0, 100.0, 100.0);
        let lbp = box_in_style(&facelens, BoxStyle::Lbp);
        assert_eq!(lbp.center(), facelens.center());
        assert!((lbp.width - 73.0).abs() < 1e-4);
        assert_eq!(box_in_style(&facelens, BoxStyle::Facelens), facelens);
    }
}
