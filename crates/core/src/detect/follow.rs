//! Follows a face by reading: one small network says of a crop whether there is a face in it, and where.
//!
//! ```text
//! last box and tilt + motion -> crop, 1.8 boxes wide, turned upright -> 64x64 -> network
//!     -> chance of a face, six landmarks -> box and tilt, as from the detector's landmarks
//! ```
//!
//! The crop is cut where the face is expected; what the network says is where it is, so an expectation that is half a box off
//! does no harm. It costs a tenth of a search in a window (`models/DETECTORS.md`), and knows faces and what surrounds them:
//! that there is none is said by the chance, and by answers that contradict what came before ([`FollowFace`]'s user
//! decides).
//!
//! [`FollowFace`]: super::FollowFace

use std::path::Path;

use super::{DetectError, Detection, FollowFace, box_from_landmarks};
use crate::estimate::resize::CropResizer;
use crate::estimate::warp::{WarpView, Warper};
use crate::frame::Frame;
use crate::geometry::{Point, Rect};
use crate::model::{Edge, Net, ResizeFilter};

/// Width and height of the network's input, pixels.
pub const SIDE: usize = 64;

/// Side of the crop in sides of the facelens box that is expected in its middle.
pub const CROP_BOXES: f32 = 1.8;

/// Numbers that the network gives: the logit of "a face is here", then x and y of the six landmarks of
/// [`Detection::keypoints`], from the crop's middle in sides of the crop.
pub const OUTPUTS: usize = 13;

/// The name in errors.
const NAME: &str = "facelens-follow";

/// The network with its buffers.
pub(super) struct Follower {
    net: Net,
    warper: Warper,
    resizer: CropResizer,
    rgb: Vec<u8>,
    tensor: Vec<f32>,
}

impl Follower {
    /// The network that ships.
    pub(super) fn shipped() -> Result<Self, DetectError> {
        Self::new(include_bytes!("../../../../models/facelens-follow.onnx"))
    }

    fn new(onnx: &[u8]) -> Result<Self, DetectError> {
        let failed = |cause: String| DetectError { detector: NAME, cause };
        let net = Net::with_input_shape(onnx, &[1, 3, SIDE, SIDE], Path::new(NAME)).map_err(|error| failed(error.cause))?;
        if net.output_len() != OUTPUTS {
            return Err(failed(format!("its network gives {} numbers", net.output_len())));
        }
        Ok(Self::with(net))
    }

    fn with(net: Net) -> Self {
        let (warper, resizer) = (Warper::default(), CropResizer::default());
        Self { net, warper, resizer, rgb: Vec::new(), tensor: Vec::new() }
    }
}

impl Follower {
    /// The same network with buffers of its own, for another thread.
    pub(super) fn another(&self) -> Box<dyn FollowFace> {
        Box::new(Self::with(self.net.clone()))
    }
}

impl FollowFace for Follower {
    fn follow(
        &mut self,
        frame: &Frame,
        expected: &Rect,
        roll_degrees: f32,
    ) -> Result<Option<Detection>, DetectError> {
        let failed = |cause: String| DetectError { detector: NAME, cause };
        let (middle, side) = (expected.center(), CROP_BOXES * expected.width.max(expected.height));
        let view = WarpView::square(middle, side, roll_degrees);
        let (how, size) = ((ResizeFilter::Triangle, Edge::Repeat), (SIDE as u32, SIDE as u32));
        let filled = self.warper.fill(&mut self.resizer, frame, &view, how, size, &mut self.rgb);
        if !filled.map_err(failed)? {
            return Ok(None);
        }
        fill(&self.rgb, &mut self.tensor);
        let answer = self.net.run(&self.tensor).map_err(failed)?;
        Ok(Some(detection(&answer, middle, side, roll_degrees)))
    }

    fn another(&self) -> Box<dyn FollowFace> {
        Self::another(self)
    }
}

/// RGB bytes as the network takes them: channels first, -1 (black) to 1 (white).
pub fn fill(rgb: &[u8], tensor: &mut Vec<f32>) {
    tensor.clear();
    for channel in 0..3 {
        tensor.extend(rgb.iter().skip(channel).step_by(3).map(|byte| f32::from(*byte) / 127.5 - 1.0));
    }
}

/// What an answer says in pixels of the frame, of a crop that lies there like this.
fn detection(answer: &[f32], middle: Point, side: f32, roll_degrees: f32) -> Detection {
    let (sin, cos) = roll_degrees.to_radians().sin_cos();
    let number = |index: usize| answer.get(index).copied().unwrap_or_default();
    let keypoints: [Point; 6] = std::array::from_fn(|index| {
        let (u, v) = (side * number(1 + 2 * index), side * number(2 + 2 * index));
        Point { x: middle.x + cos * u - sin * v, y: middle.y + sin * u + cos * v }
    });
    let score = 1.0 / (1.0 + (-number(0)).exp());
    Detection { rect: box_from_landmarks(&keypoints), score, keypoints: Some(keypoints) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{Detector as _, DetectorKind, create};
    use crate::testing::astronaut;

    fn follower() -> Box<dyn FollowFace> {
        create(DetectorKind::BlazeBack).unwrap().follow().unwrap()
    }

    /// What the detector says of the astronaut.
    fn known() -> Detection {
        create(DetectorKind::BlazeBack).unwrap().detect(&astronaut()).unwrap().remove(0)
    }

    /// How far a face is from the known one: of the middle and the logarithm of the side, in sides, and degrees.
    fn off(found: &Detection, known: &Detection) -> (f32, f32, f32) {
        let (a, b) = (found.rect.center(), known.rect.center());
        let side = known.rect.width;
        let turn = found.roll_degrees().unwrap() - known.roll_degrees().unwrap();
        ((a.x - b.x).hypot(a.y - b.y) / side, (found.rect.width / side).ln().abs(), turn.abs())
    }

    #[test]
    fn the_astronaut_is_where_the_detector_finds_her_wherever_she_is_expected() {
        let (frame, known, mut follower) = (astronaut(), known(), follower());
        let (rect, roll) = (known.rect, known.roll_degrees().unwrap());
        let side = rect.width;
        for (dx, dy, scale, turn) in [
            (0.0, 0.0, 1.0, 0.0),
            (0.3, 0.1, 1.0, 0.0),
            (-0.2, -0.3, 1.0, 10.0),
            (0.0, 0.0, 1.3, 0.0),
            (0.1, 0.0, 0.8, -15.0),
        ] {
            let expected = rect.translated(dx * side, dy * side).scaled(scale);
            let found = follower.follow(&frame, &expected, roll + turn).unwrap().unwrap();
            let (place, size, turned) = off(&found, &known);
            assert!(found.score > 0.9, "{dx}, {dy}, {scale}, {turn}: {}", found.score);
            assert!(place < 0.12 && size < 0.15 && turned < 8.0, "{dx}, {dy}, {scale}, {turn}: {:?}", off(&found, &known));
        }
    }

    #[test]
    fn where_no_face_is_it_says_so() {
        let (frame, known, mut follower) = (astronaut(), known(), follower());
        let side = known.rect.width;
        // Her shoulder, the flag, the shuttle behind her; and a wall.
        for (dx, dy) in [(0.9, 2.2), (-1.4, 1.6), (1.9, 0.3), (-1.5, 2.7)] {
            let place = known.rect.translated(dx * side, dy * side);
            let found = follower.follow(&frame, &place, 0.0).unwrap().unwrap();
            assert!(found.score < 0.5, "{dx}, {dy}: {}", found.score);
        }
        let wall = Frame::from_rgb(200, 160, vec![140; 200 * 160 * 3]).unwrap();
        let found = follower.follow(&wall, &Rect::new(50.0, 40.0, 60.0, 60.0), 5.0).unwrap().unwrap();
        assert!(found.score < 0.5, "{}", found.score);
    }

    #[test]
    fn boxes_without_a_size_or_outside_the_picture_are_nothing() {
        let (frame, mut follower) = (astronaut(), follower());
        for rect in [
            Rect::new(f32::NAN, 0.0, 10.0, 10.0),
            Rect::new(0.0, 0.0, 0.0, 0.0),
            Rect::new(2000.0, 0.0, 100.0, 100.0),
            Rect::new(0.0, 0.0, f32::INFINITY, f32::INFINITY),
        ] {
            assert_eq!(follower.follow(&frame, &rect, 0.0).unwrap(), None, "{rect:?}");
        }
        // A pixel large, and at the picture's edge.
        assert!(follower.follow(&frame, &Rect::new(100.0, 100.0, 1.0, 1.0), 0.0).unwrap().is_some());
        assert!(follower.follow(&frame, &Rect::new(-60.0, 100.0, 80.0, 80.0), 400.0).unwrap().is_some());
    }

    #[test]
    fn an_answer_is_turned_and_scaled_into_the_frame() {
        // A face in the crop's middle, upright there; in the frame it is tilted by 90 degrees, its chin to the left.
        let mut answer = vec![0.0];
        for (x, y) in [(-0.1, -0.1), (0.1, -0.1), (0.0, 0.0), (0.0, 0.1), (-0.2, -0.05), (0.2, -0.05)] {
            answer.extend([x, y]);
        }
        let found = detection(&answer, Point { x: 100.0, y: 50.0 }, 200.0, 90.0);
        let [left_eye, _, nose, mouth, ..] = found.keypoints.unwrap();
        let near = |point: Point, x: f32, y: f32| (point.x - x).hypot(point.y - y) < 1e-3;
        assert!(near(left_eye, 120.0, 30.0) && near(nose, 100.0, 50.0) && near(mouth, 80.0, 50.0), "{found:?}");
        assert!((found.roll_degrees().unwrap() - 90.0).abs() < 1e-3 && found.score == 0.5);
    }

    #[test]
    fn one_for_another_thread_says_the_same() {
        let (frame, rect, mut follower) = (astronaut(), known().rect, follower());
        let mut other = follower.another();
        assert_eq!(follower.follow(&frame, &rect, 3.0).unwrap(), other.follow(&frame, &rect, 3.0).unwrap());
    }
}
