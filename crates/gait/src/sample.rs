//! What one frame says of a walker.

use facelens_core::frame::Frame;

use super::body::{Body, Landmark, point};
use super::silhouette::Silhouette;

/// Sureness from which a point of the body counts.
const SURE: f32 = 0.5;
/// Horizontal angle of view that is taken for any camera, degrees: webcams and telephones have 55 to 75.
const FIELD_DEGREES: f32 = 62.0;
/// How far below the mouth the chin is, in distances from the tip of the nose to the mouth. Of an adult 45 mm and 30 mm.
const CHIN: f32 = 1.5;

/// One frame of a walker whose whole body is seen.
#[derive(Clone, Debug)]
pub(super) struct WalkSample {
    /// Capture time, seconds.
    pub time_s: f64,
    pub silhouette: Silhouette,
    pub figure: Figure,
}

/// Figures of the body. Lengths are in heights of the person, unless their name says another unit.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Figure {
    pub height_px: f32,
    /// How far the left ankle is to the right of the right ankle, as the picture shows it.
    pub ankles_apart: f32,
    /// How far the left heel is below the right heel.
    pub heels_apart: f32,
    /// Length of the longer leg, hip to knee to ankle.
    pub leg: f32,
    /// Crown to chin, where the face's points are sure.
    pub head: Option<f32>,
    /// From the middle of the hips to the middle of the shoulders: to the right, and up.
    pub trunk: [f32; 2],
    /// Where the body faces: towards the camera, and to the picture's right; of length up to 1.
    pub facing: [f32; 2],
    /// Where the toes point: to the right of the heels, the mean of both feet.
    pub toes: f32,
    /// Where the body stands, to the right of the camera's axis and away from the camera.
    pub place: [f32; 2],
}

impl Figure {
    /// The figures of a body in a picture.
    pub(super) fn of(body: &Body, frame: &Frame) -> Self {
        let height = body.rect.height.max(1.0);
        let at = |index: usize| &body.landmarks[index];
        let apart = |[left, right]: [usize; 2]| {
            let (left, right) = (at(left).point, at(right).point);
            [(left.x - right.x) / height, (left.y - right.y) / height]
        };
        let length = |a: usize, b: usize| {
            let (a, b) = (at(a).point, at(b).point);
            (a.x - b.x).hypot(a.y - b.y)
        };
        let leg = |side: usize| {
            length(point::HIPS[side], point::KNEES[side]) + length(point::KNEES[side], point::ANKLES[side])
        };
        let (shoulders, hips) = (body.middle(point::SHOULDERS), body.middle(point::HIPS));
        let (nose, mouth) = (at(point::NOSE), body.middle(point::MOUTH));
        let chin = mouth.y + CHIN * (mouth.y - nose.point.y);
        let head = (chin - body.rect.y) / height;
        let focal_px = frame.width() as f32 / 2.0 / (FIELD_DEGREES / 2.0).to_radians().tan();
        let toe = |side: usize| at(point::TOES[side]).point.x - at(point::HEELS[side]).point.x;
        Self {
            height_px: height,
            ankles_apart: apart(point::ANKLES)[0],
            heels_apart: apart(point::HEELS)[1],
            leg: leg(0).max(leg(1)) / height,
            head: (nose.visible > SURE && (0.08..0.35).contains(&head)).then_some(head),
            trunk: [(shoulders.x - hips.x) / height, (hips.y - shoulders.y) / height],
            facing: facing(at(point::SHOULDERS[0]), at(point::SHOULDERS[1]), at(point::HIPS[0]), at(point::HIPS[1])),
            toes: (toe(0) + toe(1)) / 2.0 / height,
            place: [(body.rect.center().x - frame.width() as f32 / 2.0) / height, focal_px / height],
        }
    }
}

/// Where shoulders and hips face. Of somebody who faces the camera the left shoulder is on the picture's right; of somebody who
/// faces the picture's right it is the farther one.
fn facing(left_shoulder: &Landmark, right_shoulder: &Landmark, left_hip: &Landmark, right_hip: &Landmark) -> [f32; 2] {
    let mut sum = [0.0; 2];
    for (left, right) in [(left_shoulder, right_shoulder), (left_hip, right_hip)] {
        let across = [left.point.x - right.point.x, left.depth - right.depth];
        let length = across[0].hypot(across[1]);
        if length > 0.0 {
            sum[0] += across[0] / length / 2.0;
            sum[1] += across[1] / length / 2.0;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use facelens_core::geometry::Point;

    use super::*;

    #[test]
    fn who_faces_the_right_has_the_left_side_farther_away() {
        let at = |x: f32, depth: f32| Landmark { point: Point { x, y: 0.0 }, depth, visible: 1.0, present: 1.0 };
        let towards = facing(&at(10.0, 0.0), &at(-10.0, 0.0), &at(6.0, 0.0), &at(-6.0, 0.0));
        assert_eq!(towards, [1.0, 0.0]);
        let right = facing(&at(0.0, 10.0), &at(0.0, -10.0), &at(0.0, 5.0), &at(0.0, -5.0));
        assert_eq!(right, [0.0, 1.0]);
        assert_eq!(facing(&at(0.0, 0.0), &at(0.0, 0.0), &at(0.0, 0.0), &at(0.0, 0.0)), [0.0, 0.0]);
    }
}
