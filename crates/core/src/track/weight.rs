//! How much one look at a face counts: frontal, large and sharp looks count most.

use crate::detect::Detection;
use crate::estimate::Quality;
use crate::geometry::{Point, Pose};

/// No look counts for nothing: a person only ever seen from the side still has an average.
const LEAST: f32 = 0.02;
/// Angles at which a look counts 1/e: looking aside, up or down hides parts of the face, a tilt in the picture's plane
/// only turns it.
const ASIDE_DEG: f64 = 40.0;
const UP_DOWN_DEG: f64 = 35.0;
const TILT_DEG: f32 = 60.0;
/// The nose this far from the middle between the eyes, in distances between the eyes, counts 1/e.
const ASYMMETRY: f32 = 0.35;
/// Nothing is gained above this side in pixels: with the margins of the cards such a crop fills the networks' 64 pixels.
const FULL_SIDE_PX: f32 = 64.0;

/// The weight of one look, above 0 and at most 1. `sharpest` is the sharpest look at this person so far.
pub(super) fn weight(detection: &Detection, pose: Option<&Pose>, quality: &Quality, sharpest: f32) -> f32 {
    let side_px = if quality.side_px > 0.0 { quality.side_px } else { detection.rect.width };
    let large = (side_px / FULL_SIDE_PX).clamp(0.0, 1.0);
    // Sharpness has no scale of its own: a blurred look is one that is blurred for this person.
    let sharp = if sharpest > 0.0 { (quality.sharpness / sharpest).clamp(0.1, 1.0) } else { 1.0 };
    let weight = frontal(detection, pose) * large * sharp;
    if weight.is_finite() { weight.max(LEAST) } else { LEAST }
}

/// 1 for a frontal face, less the more it is turned: by the pose, else by the keypoints' symmetry, else 1.
fn frontal(detection: &Detection, pose: Option<&Pose>) -> f32 {
    if let Some(pose) = pose {
        // The three angles mix the tilt with the rest: of a head that looks aside a tilt changes them all.
        let (upright, tilt) = pose.rotation().upright();
        let [up_down, aside, _] = upright.vector();
        let hidden = (aside / ASIDE_DEG).powi(2) + (up_down / UP_DOWN_DEG).powi(2);
        return (-hidden as f32 - (tilt / TILT_DEG).powi(2)).exp();
    }
    match &detection.keypoints {
        Some([left_eye, right_eye, nose, ..]) => (-(asymmetry(left_eye, right_eye, nose) / ASYMMETRY).powi(2)).exp(),
        None => 1.0,
    }
}

/// How far the nose lies beside the middle between the eyes, along the line between them, in distances between them.
fn asymmetry(left_eye: &Point, right_eye: &Point, nose: &Point) -> f32 {
    let (dx, dy) = (right_eye.x - left_eye.x, right_eye.y - left_eye.y);
    let squared = (dx * dx + dy * dy).max(1e-6);
    let (mx, my) = ((left_eye.x + right_eye.x) / 2.0, (left_eye.y + right_eye.y) / 2.0);
    (((nose.x - mx) * dx + (nose.y - my) * dy) / squared).abs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Rect;

    fn look(keypoints: Option<[Point; 6]>) -> Detection {
        Detection { rect: Rect::new(0.0, 0.0, 100.0, 100.0), score: 0.9, keypoints }
    }

    fn face_with_nose_at(x: f32) -> [Point; 6] {
        let mut points = [Point { x: 50.0, y: 80.0 }; 6];
        (points[0], points[1]) = (Point { x: 30.0, y: 40.0 }, Point { x: 70.0, y: 40.0 });
        points[2] = Point { x, y: 60.0 };
        points
    }

    #[test]
    fn a_turned_small_or_blurred_look_counts_less() {
        let quality = Quality { side_px: 100.0, sharpness: 0.4 };
        let full = weight(&look(None), Some(&Pose::default()), &quality, 0.4);
        assert_eq!(full, 1.0);
        let turned = Pose { yaw: 50.0, ..Pose::default() };
        let aside = weight(&look(None), Some(&turned), &quality, 0.4);
        assert!(aside < 0.3);
        // Tilted by 30 degrees it looks aside as before.
        let tilted = weight(&look(None), Some(&turned.turned(30.0)), &quality, 0.4);
        assert!((tilted / aside - (-0.25_f32).exp()).abs() < 1e-3, "{tilted} and {aside}");
        assert!(weight(&look(None), None, &Quality { side_px: 20.0, ..quality }, 0.4) < 0.4);
        assert!(weight(&look(None), None, &Quality { sharpness: 0.1, ..quality }, 0.4) < 0.3);
    }

    #[test]
    fn without_a_pose_the_keypoints_tell_how_frontal_a_face_is() {
        let quality = Quality { side_px: 100.0, sharpness: 0.4 };
        let at = |x| weight(&look(Some(face_with_nose_at(x))), None, &quality, 0.4);
        assert!(at(50.0) > 0.99);
        assert!(at(64.0) < 0.5 && at(75.0) < at(64.0));
    }

    #[test]
    fn broken_numbers_still_give_a_weight() {
        let broken = Pose { yaw: f32::NAN, ..Pose::default() };
        let quality = Quality { side_px: f32::NAN, sharpness: f32::INFINITY };
        for sharpest in [0.0, f32::NAN, 1.0] {
            let weight = weight(&look(None), Some(&broken), &quality, sharpest);
            assert!(weight > 0.0 && weight <= 1.0, "{weight}");
        }
    }
}
