//! One convention for a face's box, whatever found it.
//!
//! The **facelens box** is a square as large as the box that BlazeFace (back model) gives an upright face, from the
//! middle of the forehead to the chin. Its middle lies between the eyes and the mouth, where the box of OpenCV's
//! `lbpcascade_frontalface_improved` has its middle too.
//!
//! It is computed from the keypoints, because BlazeFace's own box is the upright rectangle of its training data: on a face
//! turned 45 degrees in the plane it is 13 to 20 % smaller and up to 10 % off its place (measured on five portraits),
//! whereas the distance from the eyes to the mouth stays within 4 %. Upright, both agree: on 1,965 faces of FairFace's
//! validation part the box is 2.206 times that distance, with a standard deviation of 2.8 %.

use crate::geometry::{Point, Rect};
use crate::model::BoxStyle;

/// Side of the facelens box over the distance from the middle of the eyes to the mouth, keypoints of the back model.
pub(super) const BACK_SIDE: f32 = 2.206;

/// The same for the front model, whose keypoints lie 2.9 % closer together (median of 2,349 faces that both found).
pub(super) const FRONT_SIDE: f32 = 2.272;

/// Where the box's middle lies on the way from the middle of the eyes (0) to the mouth (1).
const MIDDLE: f32 = 0.436;

/// How far keypoints are believed: side of the facelens box over the side of the network's own box. Upright it is 1, and
/// above 1 on a turned face; far outside are the keypoints of faces of a few pixels.
const BELIEVED: std::ops::RangeInclusive<f32> = 0.9..=1.35;

/// Side of the LBP cascade's box over the facelens box.
const LBP_SIDE: f32 = 0.728;

/// The facelens box from BlazeFace's keypoints; `rect` is the network's own box, which limits what senseless keypoints
/// can do, and `side` is [`BACK_SIDE`] or [`FRONT_SIDE`].
pub(super) fn from_keypoints(keypoints: &[Point; 6], rect: &Rect, side: f32) -> Rect {
    let [left_eye, right_eye, _, mouth, ..] = *keypoints;
    let eyes = Point { x: (left_eye.x + right_eye.x) / 2.0, y: (left_eye.y + right_eye.y) / 2.0 };
    let (dx, dy) = (mouth.x - eyes.x, mouth.y - eyes.y);
    let own = (rect.width + rect.height) / 2.0;
    let side = (side * dx.hypot(dy)).clamp(own * BELIEVED.start(), own * BELIEVED.end());
    let middle = Point { x: eyes.x + MIDDLE * dx, y: eyes.y + MIDDLE * dy };
    let (limit, own_middle) = (own * 0.3, rect.center());
    let near = |value: f32, own: f32| value.clamp(own - limit, own + limit);
    Rect::square(Point { x: near(middle.x, own_middle.x), y: near(middle.y, own_middle.y) }, side)
}

/// Side of SeetaFace's box over the facelens box.
const SEETA_SIDE: f32 = 1.0;

/// Middle of the facelens box less the middle of SeetaFace's box, in sides of the facelens box.
const SEETA_OFFSET: Point = Point { x: 0.0, y: 0.0 };

/// The facelens box from SeetaFace's box.
pub(super) fn from_seeta(rect: &Rect) -> Rect {
    let side = (rect.width + rect.height) / 2.0 / SEETA_SIDE;
    let middle = rect.center();
    Rect::square(Point { x: middle.x + SEETA_OFFSET.x * side, y: middle.y + SEETA_OFFSET.y * side }, side)
}

/// The box that a model card's margin refers to, from the facelens box.
///
/// [`BoxStyle::Lbp`]: on the 1,693 upright faces of FairFace's validation part (2,400 pictures) that both find, the LBP
/// box is 0.728 times the facelens box with a standard deviation of 7 %, and the middles agree to 0.1 % with a standard
/// deviation of 2 % of the facelens box. Part of the spread is the cascade's own: its sizes come in steps of 10 %.
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
    fn the_box_keeps_its_size_and_turns_about_the_face() {
        let (keypoints, own) = face(0.0);
        let upright = from_keypoints(&keypoints, &own, BACK_SIDE);
        assert!((upright.width - 2.206 * 45.0).abs() < 1e-3);
        assert!((upright.center().x - 100.0).abs() < 1e-3);
        assert!((upright.center().y - (80.0 + 0.436 * 45.0)).abs() < 1e-3);
        for degrees in [-40.0, 25.0, 90.0] {
            let (keypoints, own) = face(degrees);
            let turned = from_keypoints(&keypoints, &own, BACK_SIDE);
            assert!((turned.width - upright.width).abs() < 1e-2);
            assert!((turned.center().x - 100.0).hypot(turned.center().y - 100.0) < 1.0);
        }
    }

    #[test]
    fn senseless_keypoints_do_not_take_the_box_away() {
        let own = Rect::square(Point { x: 50.0, y: 50.0 }, 40.0);
        let collapsed = from_keypoints(&[Point { x: 50.0, y: 50.0 }; 6], &own, BACK_SIDE);
        assert!((collapsed.width - 36.0).abs() < 1e-4);
        let mut far = [Point { x: 50.0, y: 50.0 }; 6];
        far[3] = Point { x: 900.0, y: -900.0 };
        let far = from_keypoints(&far, &own, BACK_SIDE);
        assert!(far.width <= 54.01 && far.iou(&own) > 0.2, "{far:?}");
    }

    #[test]
    fn the_lbp_box_has_the_same_middle() {
        let facelens = Rect::new(10.0, 20.0, 100.0, 100.0);
        let lbp = box_in_style(&facelens, BoxStyle::Lbp);
        assert_eq!(lbp.center(), facelens.center());
        assert!((lbp.width - 72.8).abs() < 1e-4);
        assert_eq!(box_in_style(&facelens, BoxStyle::Facelens), facelens);
    }
}
